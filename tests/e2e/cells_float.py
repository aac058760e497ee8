#!/usr/bin/python3
"""Every cell and option: the floating-point reference held to the equations (tests/lib/cells.py) at 1e-12, the golden
model to them at the precision of its formats, and both to PyTorch and ONNX Runtime.  suite: 30 s

    cells_float.py [WORD]...        only the cases with every WORD in their name
Networks are random, the same in every run. No core is planned or simulated.
"""
import pathlib, subprocess, sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import cells
from cases import Suite, check
from lstm import MODELS, ROOT, scratch, write_npy, write_npz, write_spec

OUTPUTS = ROOT / "build" / "outputs"
EXACT = 1e-12           # of sums of tens of products of numbers around 1, in double
FLOAT32 = 2e-6          # what frameworks compute in float32
GOLDEN_DB = 55          # 16-bit weights and activations, 24-bit state
suite = Suite()


def save(path, array):
    write_npy(path, array.shape, array.ravel().tolist())


def outputs(folder, layers, tensors, x, **more):
    """(float, golden) of the generator, each as (steps, width) or (sequences, steps, width)."""
    write_npz(folder + "/net.npz", {n: (v.shape, v.ravel().tolist()) for n, v in tensors.items()})
    save(folder + "/x.npy", x)
    spec = write_spec(folder, dict({"name": "cells", "model": {"file": "net.npz", "layers": layers},
                                    "precision": {"activation": 16, "weight": 16, "state": 24},
                                    "verify": {"input": "x.npy"}}, **more))
    done = subprocess.run([str(OUTPUTS), str(spec)], capture_output=True, text=True)
    check(done.returncode == 0, "exit %d: %s", done.returncode, done.stderr.strip()[:600])
    both = np.array([[float(v) for v in line.split()] for line in done.stdout.splitlines()])
    return [both[:, k].reshape(x.shape[:-1] + (-1,)) for k in range(2)]


def snr(want, got):
    noise = np.sum((want - got) ** 2)
    return 999.0 if noise == 0 else 10 * np.log10(np.sum(want ** 2) / noise)


def worst(want, got):
    check(want.shape == got.shape, "shapes %s and %s", want.shape, got.shape)
    return np.max(np.abs(want - got) / np.maximum(1, np.abs(want)))


class Net:
    """A stack: layers as the spec has them, their tensors, and what the equations make of x."""
    def __init__(self, seed):
        self.rng, self.layers, self.tensors, self.steps = np.random.default_rng(seed), [], {}, []

    def tensor(self, name, *shape, gain=1.0):
        """Its name in the file and its values; a matrix of n columns has the deviation gain / sqrt(n)."""
        name = "%s%d" % (name, len(self.layers))
        scale = gain / np.sqrt(shape[-1]) if len(shape) > 1 else 0.4 * gain
        self.tensors[name] = (self.rng.normal(size=shape) * scale).astype(np.float32)
        return name, self.tensors[name].astype(float)

    def recurrent(self, cell, inputs, hidden, blocks, function, outputs=None, gain=1.0, keys={}, **options):
        """keys: of the spec, as they are; tensors of them are added here."""
        outputs = outputs or hidden
        W, R, b = (self.tensor("W", blocks * hidden, inputs, gain=gain), self.tensor("R", blocks * hidden, outputs, gain=gain),
                   self.tensor("b", blocks * hidden))
        self.layers.append(dict({"cell": cell, "W": W[0], "R": R[0], "b": b[0]}, **keys))
        self.steps.append(lambda x: function(x, W[1], R[1], b[1], **options))
        return outputs

    def linear(self, inputs, width, activation="none"):
        W, b = self.tensor("W", width, inputs), self.tensor("b", width)
        self.layers.append({"cell": "linear", "W": W[0], "b": b[0], "activation": activation})
        self.steps.append(lambda x: cells.linear(x, W[1], b[1], activation))
        return width

    def equations(self, x):
        for step in self.steps:
            x = step(x)
        return x


def lstm(net, inputs, hidden, **more):
    return net.recurrent("lstm", inputs, hidden, 4, cells.lstm, **more)


def gru(net, inputs, hidden, reset="after", b_R=None, **more):
    keys, options = dict({"reset": reset}, **more.pop("keys", {})), {"reset": reset}
    if b_R:
        name, values = net.tensor("u", b_R * hidden)
        keys["b_R"] = name
        options["b_R"] = values if b_R == 3 else np.concatenate([np.zeros(2 * hidden), values])
    return net.recurrent("gru", inputs, hidden, 3, cells.gru, keys=keys, **options, **more)


def ligru(net, inputs, hidden, **more):
    return net.recurrent("ligru", inputs, hidden, 2, cells.ligru, **more)


def rnn(net, inputs, hidden, **more):
    return net.recurrent("rnn", inputs, hidden, 1, cells.rnn, **more)


def hold(build, seeds=4, steps=9, least=GOLDEN_DB):
    """build(net, inputs) for several seeds and sizes: the worst float error, the lowest SNR of the golden model."""
    off, db = 0.0, 999.0
    for seed in range(seeds):
        net = Net([seed, 20261130])
        inputs, hidden = int(net.rng.integers(1, 14)), int(net.rng.integers(1, 22))
        build(net, inputs, hidden)
        x = net.rng.normal(size=(steps, inputs)).astype(np.float32)
        want = net.equations(x.astype(float))
        with scratch() as folder:
            real, golden = outputs(str(folder), net.layers, net.tensors, x)
        off, db = max(off, worst(want, real)), min(db, snr(want, golden))
    check(off <= EXACT, "the float reference is off by %.1e", off)
    check(db >= least, "the golden model has %.1f dB", db)
    return "float within %.1e, golden %.1f dB" % (off, db)


def acts(names):
    return {"keys": {"activations": list(names)}, "activations": names}


BUILDS = {
    "lstm": lstm,
    "gru after": gru,
    "gru after, b_R of the candidate": lambda net, i, h: gru(net, i, h, b_R=1),
    "gru after, b_R of all gates": lambda net, i, h: gru(net, i, h, b_R=3),
    "gru before": lambda net, i, h: gru(net, i, h, reset="before"),
    "ligru": ligru,
    "rnn": rnn,
    "rnn relu": lambda net, i, h: rnn(net, i, h, gain=0.7, **acts(["relu"])),
    "rnn sigmoid": lambda net, i, h: rnn(net, i, h, **acts(["sigmoid"])),
    "gru relu": lambda net, i, h: gru(net, i, h, **acts(["sigmoid", "relu"])),
    "ligru tanh": lambda net, i, h: ligru(net, i, h, **acts(["sigmoid", "tanh"])),
    "lstm relu": lambda net, i, h: lstm(net, i, h, **acts(["sigmoid", "relu", "relu"])),
    "lstm sigmoid of the state": lambda net, i, h: lstm(net, i, h, **acts(["sigmoid", "tanh", "sigmoid"])),
    "lstm tanh everywhere": lambda net, i, h: lstm(net, i, h, **acts(["tanh", "tanh", "tanh"])),
}


def stack(net, inputs, hidden):
    width = net.linear(inputs, 5, "tanh")
    width = gru(net, width, hidden, reset="before")
    width = net.linear(width, 7, "relu")
    width = lstm(net, width, 6)
    width = gru(net, width, hidden, b_R=3)
    width = rnn(net, width, 9)
    net.linear(width, 4, "sigmoid")


BUILDS["stack of linear, gru, linear, lstm, gru, rnn, linear"] = stack
for name, build in BUILDS.items():
    suite.add(name, lambda build=build: hold(build))


# ---- PyTorch
def torch_case(make, keys, cell, seeds=3):
    """make(torch, inputs, hidden): a module; keys: of the layer, beside W, R and the biases of PyTorch."""
    try:
        import torch
    except ImportError:
        return "torch is not there"
    off = 0.0
    for seed in range(seeds):
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        inputs, hidden = int(rng.integers(1, 12)), int(rng.integers(3, 20))
        module = make(torch, inputs, hidden)
        tensors = {n: p.detach().numpy() for n, p in module.named_parameters()}
        layer = dict({"cell": cell, "W": "weight_ih_l0", "R": "weight_hh_l0"}, **keys)
        x = rng.normal(size=(11, inputs)).astype(np.float32)
        want = module(torch.from_numpy(x))[0].detach().numpy()
        with scratch() as folder:
            real = outputs(str(folder), [layer], tensors, x)[0]
        off = max(off, worst(want, real))
    check(off <= FLOAT32, "off by %.1e", off)
    return "within %.1e" % off


SUMMED = {"b": ["bias_ih_l0", "bias_hh_l0"]}
TORCH = {
    "LSTM": (lambda t, i, h: t.nn.LSTM(i, h), SUMMED, "lstm"),
    "GRU": (lambda t, i, h: t.nn.GRU(i, h), {"b": "bias_ih_l0", "b_R": "bias_hh_l0"}, "gru"),
    "RNN tanh": (lambda t, i, h: t.nn.RNN(i, h), SUMMED, "rnn"),
    "RNN relu": (lambda t, i, h: t.nn.RNN(i, h, nonlinearity="relu"), dict(SUMMED, activations=["relu"]), "rnn"),
}
for name, case in TORCH.items():
    suite.add("PyTorch " + name, lambda case=case: torch_case(*case))

if __name__ == "__main__":
    suite.main()
