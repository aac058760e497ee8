#!/usr/bin/python3
"""Every cell and option: the floating-point reference held to the equations (tests/lib/cells.py) at 1e-12, and to PyTorch
and ONNX Runtime; the golden model to the equations and to reference outputs of models.  suite: 30 s

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


def rich(net, inputs, hidden, peephole=None, project=False, initial="", coupled=None, clip=(), **more):
    """An LSTM with options; coupled: the order of its gates in the file, fgo or igo."""
    keys, options, outputs = dict(more.pop("keys", {})), dict(more), hidden
    if project:
        outputs = max(1, hidden // 2)
        (W, options["Wp"]), (b, options["bp"]) = net.tensor("Wp", outputs, hidden), net.tensor("bp", outputs)
        keys["projection"] = {"W": W, "b": b}
    if peephole:
        name, P = net.tensor("P", 3, hidden)
        keys["peephole"] = name
        if peephole != "ifo":
            keys["peephole_order"] = peephole
        options["P"] = P[[peephole.index(g) for g in "ifo"]]
    if "h" in initial:
        keys.setdefault("initial", {})["h"], options["h0"] = net.tensor("h", outputs)
    if "c" in initial:
        keys.setdefault("initial", {})["c"], options["c0"] = net.tensor("c", hidden)
    for where, limit in dict(clip).items():
        keys.setdefault("clip", {})[where] = limit
        options["clip_" + where] = limit
    function, blocks = cells.lstm, 4
    if coupled:
        keys.update(coupled=True, gates=coupled)
        options["coupled"], blocks = True, 3
        function = cells.lstm if coupled == "fgo" else input_forget
    return net.recurrent("lstm", inputs, hidden, blocks, function, outputs=outputs, keys=keys, **options)


def input_forget(x, W, R, b, P=None, **options):
    """i g o, f = 1 - i (ONNX input_forget = 1): the full LSTM with rows of f that give just that, since 1 - s(z) = s(-z)."""
    H = len(W) // 3
    def full(m):
        return np.concatenate([m[:H], -m[:H], m[H:]])
    options.pop("coupled")
    P = None if P is None else np.stack([P[0], -P[0], P[2]])
    return cells.lstm(x, full(W), full(R), full(b), P=P, **options)


def state_of(function, **more):
    """A GRU, LiGRU or RNN with an initial h."""
    def build(net, inputs, hidden):
        name, h0 = net.tensor("h", hidden)
        return function(net, inputs, hidden, keys={"initial": {"h": name}, **more.get("keys", {})}, h0=h0,
                        **{k: v for k, v in more.items() if k != "keys"})
    return build


BUILDS.update({
    "lstm hard gates of Keras 2": lambda net, i, h: lstm(net, i, h, **acts(["hard_sigmoid", "tanh", "tanh"])),
    "lstm hard_sigmoid_6 and hard_tanh": lambda net, i, h: lstm(net, i, h, **acts(["hard_sigmoid_6", "hard_tanh", "hard_tanh"])),
    "gru hard": lambda net, i, h: gru(net, i, h, reset="before", **acts(["hard_sigmoid", "hard_tanh"])),
    "rnn leaky_relu": lambda net, i, h: rnn(net, i, h, gain=0.7, **acts(["leaky_relu"])),
    "linear leaky_relu": lambda net, i, h: net.linear(lstm(net, i, h), 5, "leaky_relu"),
    "linear hard_sigmoid": lambda net, i, h: net.linear(lstm(net, i, h), 5, "hard_sigmoid"),
})
CLIPS = {"input": 0.7}
BUILDS.update({
    "lstm peephole": lambda net, i, h: rich(net, i, h, peephole="ifo"),
    "lstm peephole in ONNX' order": lambda net, i, h: rich(net, i, h, peephole="iof"),
    "lstm projection": lambda net, i, h: rich(net, i, h, project=True),
    "lstm peephole and projection": lambda net, i, h: rich(net, i, h, peephole="ifo", project=True),
    "lstm coupled": lambda net, i, h: rich(net, i, h, coupled="fgo"),
    "lstm coupled by i": lambda net, i, h: rich(net, i, h, coupled="igo"),
    "lstm coupled by i, peephole": lambda net, i, h: rich(net, i, h, coupled="igo", peephole="iof"),
    "lstm clip": lambda net, i, h: rich(net, i, h, clip={"input": 0.8, "cell": 0.3}),
    "lstm projection, clip": lambda net, i, h: rich(net, i, h, project=True, clip={"projection": 0.25, "cell": 0.5}),
    "lstm initial h and c": lambda net, i, h: rich(net, i, h, initial="hc"),
    "lstm everything": lambda net, i, h: rich(net, i, h, peephole="iof", project=True, initial="hc",
                                              clip={"input": 1.5, "cell": 0.6, "projection": 0.5}),
    "gru after, initial h": state_of(gru, b_R=3),
    "gru before, initial h, clip": state_of(gru, reset="before", keys={"clip": CLIPS}, clip_input=0.7),
    "gru after, clip": lambda net, i, h: gru(net, i, h, b_R=3, keys={"clip": CLIPS}, clip_input=0.7),
    "ligru initial h, clip": state_of(ligru, keys={"clip": CLIPS}, clip_input=0.7),
    "rnn initial h, clip": state_of(rnn, keys={"clip": CLIPS}, clip_input=0.7),
})


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


def torch_projection(torch, inputs, hidden):
    return torch.nn.LSTM(inputs, hidden, proj_size=max(1, hidden // 2))


SUMMED = {"b": ["bias_ih_l0", "bias_hh_l0"]}
TORCH = {
    "LSTM": (lambda t, i, h: t.nn.LSTM(i, h), SUMMED, "lstm"),
    "LSTM with proj_size": (torch_projection, dict(SUMMED, projection={"W": "weight_hr_l0"}), "lstm"),
    "GRU": (lambda t, i, h: t.nn.GRU(i, h), {"b": "bias_ih_l0", "b_R": "bias_hh_l0"}, "gru"),
    "RNN tanh": (lambda t, i, h: t.nn.RNN(i, h), SUMMED, "rnn"),
    "RNN relu": (lambda t, i, h: t.nn.RNN(i, h, nonlinearity="relu"), dict(SUMMED, activations=["relu"]), "rnn"),
}
for name, case in TORCH.items():
    suite.add("PyTorch " + name, lambda case=case: torch_case(*case))

# ---- ONNX Runtime
VENV = ROOT / "build" / "venv" / "bin" / "python3"
H, I, T = 7, 5, 9
ONNX = {     # operator, attributes, inputs beside X W R B (sequence_lens stays empty), layer
    "LSTM": ("LSTM", {}, {}, {}),
    "LSTM, peepholes": ("LSTM", {}, {"P": (1, 3 * H)}, {"peephole": "P", "peephole_order": "iof"}),
    "LSTM, clip": ("LSTM", {"clip": 0.5}, {}, {"clip": {"input": 0.5}}),
    "LSTM, initial states": ("LSTM", {}, {"initial_h": (1, 1, H), "initial_c": (1, 1, H)},
                             {"initial": {"h": "initial_h", "c": "initial_c"}}),
    "LSTM of relu": ("LSTM", {"activations": ["Sigmoid", "Relu", "Relu"]}, {}, {"activations": ["sigmoid", "relu", "relu"]}),
    "GRU, reset before": ("GRU", {"linear_before_reset": 0}, {}, {"reset": "before"}),
    "GRU, reset after": ("GRU", {"linear_before_reset": 1}, {}, {"reset": "after"}),
    "GRU, initial state": ("GRU", {"linear_before_reset": 1}, {"initial_h": (1, 1, H)}, {"initial": {"h": "initial_h"}}),
    "LSTM of HardSigmoid": ("LSTM", {"activations": ["HardSigmoid", "Tanh", "Tanh"]}, {},
                            {"activations": ["hard_sigmoid", "tanh", "tanh"]}),
    "RNN of LeakyRelu": ("RNN", {"activations": ["LeakyRelu"]}, {}, {"activations": ["leaky_relu"]}),
    "RNN": ("RNN", {}, {}, {}),
    "RNN of relu": ("RNN", {"activations": ["Relu"]}, {}, {"activations": ["relu"]}),
}
INPUTS = ["X", "W", "R", "B", "", "initial_h", "initial_c", "P"]
BLOCKS = {"LSTM": ("lstm", "iofc"), "GRU": ("gru", "zrh"), "RNN": ("rnn", "h")}


def onnx_model(path, operator, attributes, tensors):
    import onnx
    from onnx import helper, numpy_helper
    names = INPUTS[:max(INPUTS.index(n) for n in tensors) + 1]
    node = helper.make_node(operator, [n if n in tensors or n == "X" else "" for n in names], ["Y"], hidden_size=H, **attributes)
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("X", 1, [T, 1, I])],
                              [helper.make_tensor_value_info("Y", 1, [T, 1, 1, H])],
                              [numpy_helper.from_array(v, n) for n, v in tensors.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7), str(path))


def onnx_case(name):
    import json
    operator, attributes, more, keys = ONNX[name]
    cell, gates = BLOCKS[operator]
    rng = np.random.default_rng(len(name))
    n = len(gates) * H
    shapes = dict({"W": (1, n, I), "R": (1, n, H), "B": (1, 2 * n)}, **more)
    tensors = {k: (rng.normal(size=s) * 0.4).astype(np.float32) for k, s in shapes.items()}
    x = rng.normal(size=(T, I)).astype(np.float32)
    layer = dict({"cell": cell, "gates": gates, "W": "W", "R": "R", "b": "B"}, **keys)
    with scratch() as folder:
        path = pathlib.Path(folder)
        onnx_model(path / "m.onnx", operator, attributes, tensors)
        np.savez(path / "in.npz", X=x[:, None])
        (path / "m.json").write_text(json.dumps({"model": str(path / "m.onnx"), "inputs": str(path / "in.npz"), "values": ["Y"]}))
        subprocess.run([str(VENV), str(ROOT / "tests" / "lib" / "run_graphs.py"), folder], check=True)
        check((path / "m.npz").exists(), "ONNX Runtime failed")
        want = np.load(path / "m.npz")["v0"].reshape(T, H)
        real = outputs(folder, [layer], tensors, x)[0]
    off = worst(want, real)
    check(off <= FLOAT32, "off by %.1e", off)
    return "within %.1e" % off


for name in ONNX:
    suite.add("ONNX Runtime " + name, lambda name=name: onnx_case(name), [VENV])


# ---- reference data of others
CONFORMANCE = MODELS / "onnx_conformance"
CONFORMANCE_DB = 65


def conformance(file):
    """in<k> is the k-th input of the operator (README.md there); Y_h alone is the last step."""
    a = np.load(file)
    operator = file.stem.split("_")[1].replace("simple", "rnn").upper()
    cell, gates = BLOCKS[operator]
    layer, tensors = {"cell": cell, "gates": gates, "W": "W", "R": "R"}, {"W": a["in1"], "R": a["in2"]}
    for k, (name, put) in {3: ("B", lambda: layer.update(b="B")), 7: ("P", lambda: layer.update(peephole="P", peephole_order="iof")),
                           5: ("h0", lambda: layer.setdefault("initial", {}).update(h="h0")),
                           6: ("c0", lambda: layer.setdefault("initial", {}).update(c="c0"))}.items():
        if "in%d" % k in a.files and np.any(a["in%d" % k]):
            tensors[name] = a["in%d" % k]
            put()
    if operator == "GRU":
        layer["reset"] = "before"
    x, y = np.load(str(file)[:-4] + "_x.npy"), np.load(str(file)[:-4] + "_y.npy")
    with scratch() as folder:
        real, golden = outputs(folder, [layer], tensors, x, verify={"input": "x.npy", "expect": str(file)[:-4] + "_y.npy"})
    if y.shape[1] != real.shape[1]:
        real, golden = real[:, -1:], golden[:, -1:]
    off, db = worst(y, real), snr(y, golden)
    check(off <= FLOAT32 and db >= CONFORMANCE_DB, "float within %.1e, golden %.1f dB", off, db)
    return "float within %.1e, golden %.1f dB" % (off, db)


for file in sorted(CONFORMANCE.glob("*.npz")) or [CONFORMANCE / "all.npz"]:
    suite.add("ONNX conformance " + file.stem, lambda file=file: conformance(file), [file])

KWS = MODELS / "kws_lstm_S"
KWS_DB = 58


@suite.case("kws_lstm_S: peepholes and projection, 25 clips", [KWS / "W.npy"])
def _():
    names = ("W", "R", "b", "P_ifo", "Wproj")
    tensors = {n: np.load(KWS / (n + ".npy")) for n in names}
    layer = {"cell": "lstm", "gates": "ifgo", "W": "W", "R": "R", "b": "b", "peephole": "P_ifo", "peephole_order": "ifo",
             "projection": {"W": "Wproj"}}
    x, h = np.load(KWS / "clips_x.npy"), np.load(KWS / "clips_h.npy")
    head, bias, logits = (np.load(KWS / n) for n in ("Wout.npy", "bout.npy", "clips_logits.npy"))
    with scratch() as folder:
        real, golden = outputs(folder, [layer], tensors, x)
    db, off = snr(h, golden), worst(h, real)
    same = np.sum(np.argmax(golden[:, -1] @ head.T + bias, 1) == np.argmax(logits, 1))
    check(db >= KWS_DB and same == len(x) and off < 1e-4, "golden %.1f dB, %d labels, float within %.1e", db, same, off)
    return "golden %.1f dB, %d of %d labels as in float, float within %.1e" % (db, same, len(x), off)


if __name__ == "__main__":
    suite.main()
