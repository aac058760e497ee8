"""Random networks and inputs of any size, the same for the same arguments."""
import math, zipfile

import numpy as np


GATES = {"lstm": "ifgo", "gru": "rzn"}


def random_network(path, layers, seed=1, cell="lstm", projections=(), peephole=False):
    """.npz with W0, R0, b0, (P0), (p0), W1 ... of layers [(inputs, hidden)], with the elements of their projections (P0)
    and peepholes (p0): normal, scaled by the columns, no bias zero; model.layers for them."""
    keys = []
    rng = np.random.default_rng(seed)
    with zipfile.ZipFile(path, "w") as z:
        def put(name, shape, scale):
            with z.open(zipfile.ZipInfo(name + ".npy"), "w", force_zip64=True) as to:
                np.lib.format.write_array(to, rng.normal(0, scale, shape).astype(np.float32))
        for k, (inputs, hidden) in enumerate(layers):
            rows, given = len(GATES[cell]) * hidden, projections[k] if projections else hidden
            put("W%d" % k, (rows, inputs), 1 / math.sqrt(inputs))
            put("R%d" % k, (rows, given), 1 / math.sqrt(hidden))
            put("b%d" % k, (rows,), 0.1)
            keys.append({"cell": cell, "gates": GATES[cell], "W": "W%d" % k, "R": "R%d" % k, "b": "b%d" % k})
            if projections:
                put("P%d" % k, (given, hidden), 1 / math.sqrt(hidden))
                keys[-1]["projection"] = {"W": "P%d" % k}
            if peephole:
                put("p%d" % k, (3, hidden), 0.1)
                keys[-1]["peephole"] = "p%d" % k
    return keys


def random_input(path, steps, inputs, seed=2):
    """.npy of steps x inputs normal values."""
    np.save(path, np.random.default_rng(seed).normal(0, 1, (steps, inputs)).astype(np.float32))
