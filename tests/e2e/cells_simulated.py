#!/usr/bin/python3
"""Every cell in Icarus, alone and in stacks, by every pattern, and every option of layers on both engines: no mismatch,
cycles as predicted.  suite: 220 s

    cells_simulated.py [WORD]...    only the cases with every WORD in their name
    cells_simulated.py long         33 more of each cell and pattern; every option by every pattern, parts and widths of all
                                    kinds; a trained network with peepholes and a projection in Verilator
Networks, sizes and engines are random, the same in every run.
"""
import pathlib, sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import MODELS, lstmgen, scratch, write_npy, write_npz, write_spec
from simulation import simulated

SIZES = (2, 3, 5, 8, 13)
# What the spec calls a cell, and its rows in hidden units.
CELLS = {"lstm": ({"cell": "lstm"}, 4), "lstm_coupled": ({"cell": "lstm", "coupled": True, "gates": "fgo"}, 3),
         "gru_before": ({"cell": "gru", "reset": "before"}, 3), "gru_after": ({"cell": "gru", "reset": "after"}, 3),
         "ligru": ({"cell": "ligru"}, 2), "rnn": ({"cell": "rnn"}, 1),
         "projected": ({"cell": "lstm"}, 4), "projected_coupled": ({"cell": "lstm", "coupled": True, "gates": "fgo"}, 3)}
# Curves that may stand for those of the cell, gate by gate (the last of an lstm: of its state).
CURVE, ANY = ["sigmoid", "tanh"], ["sigmoid", "tanh", "relu", "none"]
CURVES = {"lstm": [CURVE, CURVE, ["tanh"]], "lstm_coupled": [CURVE, ANY, ["tanh"]], "gru_before": [CURVE, ANY],
          "gru_after": [CURVE, CURVE], "ligru": [CURVE, ANY], "rnn": [ANY], "linear": [ANY]}
CURVES.update(projected=CURVES["lstm"], projected_coupled=CURVES["lstm_coupled"])
PATTERNS = {"dense": None, "bank_balanced": 0.5, "grouped_columns": 0.5, "structured_blocks": 0.5,
            "column_balanced": 0.5, "deltas": 0.5}
REFUSED = {("ligru", "deltas")}
suite = Suite()


class Net:
    """A stack: layers as the spec has them, and their tensors."""
    def __init__(self, rng):
        self.rng, self.layers, self.tensors = rng, [], {}

    def add(self, cell, inputs, hidden, bias_R=False, options=None):
        """options: keys of the layer; of tensors (peephole, initial) how large they are."""
        k = len(self.layers)
        curves = [str(self.rng.choice(names)) for names in CURVES[cell]]
        keys, rows = ({"cell": "linear", "activation": curves[0]}, 1) if cell == "linear" else CELLS[cell]
        if cell != "linear" and self.rng.random() < 0.4:
            keys = dict(keys, activations=curves)
        shapes = {"W": (rows * hidden, inputs), "b": (rows * hidden,)}
        outputs = hidden
        if cell.startswith("projected"):
            outputs = max(1, hidden - int(self.rng.integers(0, 4)))
            shapes.update(P=(outputs, hidden), **({"q": (outputs,)} if self.rng.random() < 0.5 else {}))
        if cell != "linear":
            shapes["R"] = (rows * hidden, outputs)
        if bias_R:
            shapes["b_R"] = (rows * hidden,)
        for key, value in (options or {}).items():
            if key == "peephole":
                shapes[key] = (3, hidden)
            elif key == "initial":
                keys = dict(keys, initial={n: "%s_%d" % (n, k) for n in value})
                for n, size in value.items():
                    count = outputs if n == "h" else hidden
                    self.tensors["%s_%d" % (n, k)] = self.rng.uniform(-size, size, count).astype(np.float32)
            else:
                keys = dict(keys, **{key: value})
        gain = float(self.rng.choice([0.5, 1.0, 1.5]))
        for key, shape in shapes.items():
            scale = gain / np.sqrt(shape[-1]) if len(shape) > 1 else 0.3
            self.tensors["%s%d" % (key, k)] = (self.rng.normal(size=shape) * scale).astype(np.float32)
        names = {key: "%s%d" % (key, k) for key in shapes}
        if "P" in names:
            P, bias = names.pop("P"), names.pop("q", None)
            names["projection"] = dict({"W": P}, **({"b": bias} if bias else {}))
        self.layers.append(dict(keys, **names))
        return outputs


# What a layer may have beside its cell: the cell, keys.
FEATURES = {
    "peepholes": ("lstm", {"peephole": 1}),
    "peepholes of coupled gates": ("lstm_coupled", {"peephole": 1}),
    "hard gates": ("lstm", {"activations": ["hard_sigmoid", "tanh", "tanh"]}),
    "four curves": ("lstm", {"activations": ["hard_sigmoid_6", "hard_tanh", "tanh"]}),
    "hard gates alone": ("gru_before", {"activations": ["hard_sigmoid", "hard_tanh"]}),
    "relu": ("lstm", {"activations": ["sigmoid", "relu", "relu"]}),
    "relu of coupled gates": ("lstm_coupled", {"activations": ["sigmoid", "relu", "relu"]}),
    "the state as it is": ("lstm", {"activations": ["sigmoid", "tanh", "none"]}),
    "sigmoid of the state": ("lstm", {"activations": ["hard_sigmoid", "none", "sigmoid"]}),
    "leaky candidates": ("lstm", {"activations": ["sigmoid", "leaky_relu", "hard_tanh"]}),
    "relu candidates behind the reset": ("gru_after", {"activations": ["sigmoid", "relu"]}),
    "leaky": ("rnn", {"activations": ["leaky_relu"]}),
    "clips": ("lstm", {"clip": {"input": 0.7, "cell": 0.4}}),
    "a clip of rows without a curve": ("rnn", {"activations": ["relu"], "clip": {"input": 0.5}}),
    "a clip beyond the format": ("lstm", {"clip": {"input": 700, "cell": 5000}}),
    "initial h and c": ("lstm", {"initial": {"h": 0.9, "c": 3}}),
    "an initial h beyond the cell's own": ("lstm", {"initial": {"h": 5, "c": 3}}),
    "initial c": ("lstm_coupled", {"initial": {"c": 3}}),
    "initial h of gru_before": ("gru_before", {"initial": {"h": 0.9}}),
    "initial h of gru_after": ("gru_after", {"initial": {"h": 0.9}}),
    "initial h of rnn": ("rnn", {"initial": {"h": 0.9}}),
    "a projection with peepholes": ("projected", {"peephole": 1}),
    "a clipped projection": ("projected_coupled", {"clip": {"projection": 0.3}}),
    "initial h and c before a projection": ("projected", {"initial": {"h": 0.9, "c": 3}}),
    "everything": ("lstm", {"peephole": 1, "initial": {"h": 0.9, "c": 3}, "clip": {"input": 1.5, "cell": 2},
                            "activations": ["hard_sigmoid", "relu", "hard_tanh"]}),
}


def random_stack(rng, cell, most_layers, usable):
    """A cell alone, or in a stack with others and linear layers that is usable(kinds)."""
    kinds = [cell]
    while len(kinds) < most_layers and rng.random() < 0.5:
        more = list(kinds)
        more.insert(int(rng.integers(0, len(kinds) + 1)), str(rng.choice(list(CELLS) + ["linear"])))
        kinds = more if usable(more) else kinds
    net, widths = Net(rng), [int(rng.choice(SIZES)) for _ in range(len(kinds) + 1)]
    inputs = widths[0]
    for kind, hidden in zip(kinds, widths[1:]):
        inputs = net.add(kind, inputs, hidden, bias_R=kind == "gru_after" and rng.random() < 0.7)
    return net, widths[0], kinds


def write(folder, net, inputs, steps, rng, **more):
    folder = pathlib.Path(folder)
    write_npy(folder / "x.npy", (steps, inputs), rng.normal(size=steps * inputs).astype(np.float32).tolist())
    write_npz(folder / "net.npz", {n: (v.shape, v.ravel().tolist()) for n, v in net.tensors.items()})
    return write_spec(folder, dict({"name": "cells", "model": {"file": "net.npz", "layers": net.layers},
                                    "verify": {"input": "x.npy"}}, **more))


def usable(pattern, kinds):
    """What is not refused."""
    return pattern != "deltas" or "ligru" not in kinds and "linear" not in kinds[:-1]


def simulate(cell, pattern, number):
    """A random network with the cell on a random engine; the kinds of its layers."""
    rng = np.random.default_rng([number, len(cell), ord(cell[0]), len(pattern)])
    net, inputs, kinds = random_stack(rng, cell, 3, lambda kinds: usable(pattern, kinds))
    run(rng, net, inputs, pattern)
    return "+".join(kinds)


def with_feature(name, pattern, number):
    """A layer with it, alone or beside a plain LSTM."""
    cell, options = FEATURES[name]
    rng = np.random.default_rng([number, len(name), ord(name[0]), len(pattern)])
    net, widths = Net(rng), [int(rng.choice(SIZES[:4])) for _ in range(3)]
    kinds = [[cell], [cell, "lstm"], ["lstm", cell]][int(rng.integers(0, 3))]
    inputs = widths[0]
    for kind, hidden in zip(kinds, widths[1:]):
        mine = kinds.index(cell) == len(net.layers)
        inputs = net.add(kind, inputs, hidden, options=options if mine else None)
    more = {}
    if number > 0:                      # other latencies of multipliers, other memories, other widths
        more["target"] = {"part": str(rng.choice(["XC7A100T", "LFE5U-25F", "iCE40UP5K"]))}
        more["precision"] = {"activation": int(rng.integers(5, 17)), "weight": int(rng.integers(4, 13)),
                             "state": int(rng.integers(17, 30))}
    run(rng, net, widths[0], pattern, **more)
    return "+".join(kinds)


def run(rng, net, inputs, pattern, **given):
    more = {"sparsity": {"pattern": "column_balanced" if pattern == "deltas" else pattern}}
    if PATTERNS[pattern]:
        more["sparsity"]["keep"] = PATTERNS[pattern]
    if pattern == "deltas":
        more["delta"] = {"x": 0.125, "h": 0.0625}
    more["precision"] = {"activation": int(rng.integers(9, 16)), "weight": int(rng.integers(6, 13)), "state": 24}
    more["engine"] = {"pes": int(rng.choice([1, 2, 3, 4])), "pe_width": int(rng.choice([1, 2])),
                      "weights": str(rng.choice(["rom", "rom", "loadable"]))}
    with scratch() as folder:
        spec = write(folder, net, inputs, int(rng.integers(2, 6)), rng, **dict(more, **given))
        simulated(spec, "icarus", LG_STEPS="12", SIM_OPT="-O0")


LONG = any(word.split()[0] == "long" for word in sys.argv[1:])
for name in CELLS:
    for pattern in PATTERNS:
        for k in range(0 if (name, pattern) in REFUSED else 35 if LONG else 2):
            suite.add("%s%s %s %d" % ("long cell: " * (k > 1), name, pattern, k),
                      lambda c=name, p=pattern, k=k: simulate(c, p, k), ["iverilog"])


for at, name in enumerate(FEATURES):
    for k, pattern in enumerate(PATTERNS):
        if "h" in FEATURES[name][1].get("initial", {}) and pattern == "deltas":
            continue
        often = k == at % 4 or k == 4 + at % 2
        for n in range(6 if LONG else often):
            suite.add("%s%s %s %d" % ("long feature: " * (n > 0 or not often), name, pattern, n),
                      lambda f=name, p=pattern, n=n: with_feature(f, p, n), ["iverilog"])


KWS, KWS_DB = MODELS / "kws_lstm_S", 58


def keywords(pattern):
    """25 clips against the trained network's own h; every weight is kept."""
    layer = {"cell": "lstm", "gates": "ifgo", "W": "W", "R": "R", "b": "b", "peephole": "P_ifo", "peephole_order": "ifo",
             "projection": {"W": "Wproj"}}
    tensors = {n: np.load(KWS / (n + ".npy")) for n in ("W", "R", "b", "P_ifo", "Wproj")}
    with scratch() as folder:
        folder = pathlib.Path(folder)
        write_npz(folder / "net.npz", {n: (v.shape, v.ravel().tolist()) for n, v in tensors.items()})
        spec = write_spec(folder, {
            "name": "keywords", "model": {"file": "net.npz", "layers": [layer]},
            "precision": {"activation": 16, "weight": 16, "state": 24}, "engine": {"pes": 16, "pe_width": 8},
            "sparsity": dict({"pattern": pattern}, **({} if pattern == "dense" else {"keep": 1.0})),
            "verify": {"input": str(KWS / "clips_x.npy"), "expect": str(KWS / "clips_h.npy")}})
        r = simulated(spec, "verilator", timeout=600, LG_STEPS="60")
    db = r.get("verify.expect_snr_db")
    check(db is not None and db >= KWS_DB, "%s dB", db)
    return "%.1f dB, %s values, %s cycles" % (db, r.get("verify.compared"), r.get("measured.interval"))


for pattern in [p for p in PATTERNS if p != "deltas"] if LONG else []:
    suite.add("long kws_lstm_S, %s: peepholes and a projection" % pattern, lambda p=pattern: keywords(p),
              ["verilator", str(KWS / "W.npy")])


@suite.case("peepholes cost no engine cycle")
def _():
    """The interval stays where the engine limits it; else o waits for weight * c, a multiplier's latency at most."""
    told = []
    for pattern, most in [("dense", 0), ("bank_balanced", 4), ("structured_blocks", 4), ("column_balanced", 4)]:
        for inputs, hidden, pes, width in [(5, 8, 2, 2), (16, 24, 4, 4), (32, 48, 8, 4), (20, 40, 8, 8)]:
            intervals = []
            for options in ({}, {"peephole": 1}):
                rng = np.random.default_rng(3)
                net = Net(rng)
                net.add("lstm", inputs, hidden, options=options)
                with scratch() as folder:
                    more = {"sparsity": {"pattern": pattern}, "engine": {"pes": pes, "pe_width": width}}
                    if PATTERNS[pattern]:
                        more["sparsity"]["keep"] = PATTERNS[pattern]
                    r = lstmgen("check", write(folder, net, inputs, 12, rng, **more), "--json")
                    check(r.status == 0, "%s", r.last())
                    intervals.append(r.get("cycles.interval"))
            told.append(intervals[1] - intervals[0])
            check(told[-1] <= most, "%s %d x %d: %s cycles without, %s with peepholes", pattern, hidden, inputs, *intervals)
    check(told[:4] == [0] * 4, "%s", told)
    return "0 cycles dense, at most %g where latency limits" % max(told)


@suite.case("what a core has one of: layers that differ are refused by their numbers")
def _():
    for cell, options, words in [
            ("lstm", [{"clip": {"input": 1}}, {"clip": {"input": 2}}], "clip.input differs"),
            ("lstm", [{"clip": {"cell": 0.25}}, {"clip": {"cell": 0.5}}], "clip.cell differs"),
            ("rnn", [{"clip": {"input": limit}, "activations": ["relu"]} for limit in (0.3, 0.4)],
             "the limit of rows without a curve")]:
        rng = np.random.default_rng(1)
        net = Net(rng)
        for k in options:
            net.add(cell, 4, 4, options=k)
        with scratch() as folder:
            r = lstmgen("check", write(folder, net, 4, 3, rng))
            check(r.status == 1 and "layers 0 and 1" in r.err and words in r.err, "%s: exit %s: %s", words, r.status, r.err)


@suite.case("what no engine carries is refused by its name")
def _():
    rng = np.random.default_rng(1)
    delta = {"sparsity": {"pattern": "column_balanced", "keep": 0.5}, "delta": {"x": 0.125, "h": 0.0625}}
    for options, more, words in [
            ({"activations": ["relu", "tanh", "tanh"]}, {}, "relu or leaky_relu of a gate"),
            ({"activations": ["sigmoid", "tanh", "leaky_relu"]}, {}, "leaky_relu of the state"),
            ({"initial": {"h": 600}}, {}, "and h of this cell may start at 256 at most"),
            ({"initial": {"h": 0.5}}, delta, "an initial h with deltas")]:
        net = Net(rng)
        net.add("lstm", 4, 4, options=options)
        with scratch() as folder:
            r = lstmgen("check", write(folder, net, 4, 3, rng, **more))
            check(r.status == 1 and words in r.err, "%s: exit %s: %s", words, r.status, r.last())


if __name__ == "__main__":
    suite.main()
