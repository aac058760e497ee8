"""Random networks and inputs of any size, the same for the same arguments."""
import math, zipfile

import numpy as np


def random_network(path, layers, seed=1):
    """.npz with W0, R0, b0, W1 ... of LSTM layers [(inputs, hidden)]: normal, scaled by the columns, no bias zero."""
    rng = np.random.default_rng(seed)
    with zipfile.ZipFile(path, "w") as z:
        def put(name, shape, scale):
            with z.open(zipfile.ZipInfo(name + ".npy"), "w", force_zip64=True) as to:
                np.lib.format.write_array(to, rng.normal(0, scale, shape).astype(np.float32))
        for k, (inputs, hidden) in enumerate(layers):
            put("W%d" % k, (4 * hidden, inputs), 1 / math.sqrt(inputs))
            put("R%d" % k, (4 * hidden, hidden), 1 / math.sqrt(hidden))
            put("b%d" % k, (4 * hidden,), 0.1)


def random_input(path, steps, inputs, seed=2):
    """.npy of steps x inputs normal values."""
    np.save(path, np.random.default_rng(seed).normal(0, 1, (steps, inputs)).astype(np.float32))
