#!/usr/bin/python3
"""Write weights.npz and input.npy: a random LSTM with 3 inputs and 4 neurons, and 12 steps of input."""
from pathlib import Path

import numpy as np

INPUTS, HIDDEN, STEPS = 3, 4, 12

folder = Path(__file__).parent
rng = np.random.default_rng(1)


def uniform(*shape):
    return rng.uniform(-1, 1, shape).astype(np.float32)


# Four gates per neuron: 16 rows. The bias is not zero, so that a core that forgets it cannot pass.
np.savez(folder / "weights.npz", W=uniform(4 * HIDDEN, INPUTS), R=uniform(4 * HIDDEN, HIDDEN), b=uniform(4 * HIDDEN))
np.save(folder / "input.npy", uniform(STEPS, INPUTS))
