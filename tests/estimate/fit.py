#!/usr/bin/env python3
"""Fits gen/report/estimate.def: synthesises a dozen small cores per family and prints its rows.

    tests/estimate/fit.py [--lstmgen build/lstmgen] ecp5:LFE5U-85F xc7:xc7a100t ...

Weights are random (seed 1): counts depend on sizes only. Takes about 2 to 5 minutes per family; run it when the library's
Verilog or Yosys has changed. The comment behind each row gives the errors of that fit in percent, design by design.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

TERMS = ["constant", "control", "product", "value", "private", "row", "cell", "state", "bank", "load"]
DENSE, BALANCED = {"pattern": "dense"}, {"pattern": "bank_balanced", "keep": 0.25}
# name: (pattern, PEs, lanes, activation bits, weight bits, state bits, weights, control)
DESIGNS = {
    "a": (DENSE, 4, 4, 16, 16, 24, "rom", "axil"), "b": (DENSE, 8, 8, 16, 16, 24, "rom", "axil"),
    "c": (DENSE, 4, 4, 8, 8, 24, "rom", "axil"), "d": (BALANCED, 4, 4, 16, 16, 24, "rom", "axil"),
    "e": (BALANCED, 8, 8, 16, 8, 24, "rom", "axil"), "f": (BALANCED, 2, 16, 16, 16, 24, "rom", "axil"),
    "g": (DENSE, 2, 8, 16, 8, 24, "rom", "none"), "h": (BALANCED, 16, 4, 8, 8, 24, "rom", "axil"),
    "i": (DENSE, 4, 8, 16, 8, 24, "loadable", "axil"), "j": (DENSE, 1, 4, 12, 6, 16, "rom", "axil"),
    "k": (DENSE, 16, 4, 16, 12, 24, "rom", "axil"), "l": (BALANCED, 4, 4, 10, 16, 24, "rom", "none"),
}
SIZE = 32


def weights(folder):
    rng = np.random.default_rng(1)
    for name, shape in (("W", (4 * SIZE, SIZE)), ("R", (4 * SIZE, SIZE)), ("b", (4 * SIZE,))):
        np.save(os.path.join(folder, name + ".npy"), rng.normal(0, 0.2, shape).astype(np.float32))


def synthesise(lstmgen, folder, part, name):
    pattern, pes, lanes, activation, weight, state, kind, control = DESIGNS[name]
    spec = {"name": name, "model": {"file": folder, "layers": [{"cell": "lstm", "W": "W", "R": "R", "b": "b"}]},
            "sparsity": pattern, "precision": {"activation": activation, "weight": weight, "state": state},
            "engine": {"pes": pes, "pe_width": lanes, "weights": kind}, "interface": {"control": control},
            "target": {"part": part}}
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as to:
        json.dump(spec, to)
    run = subprocess.run([lstmgen, "synth", path, "--json", "-o", os.path.join(folder, "out_" + name)],
                         capture_output=True, text=True)
    if run.returncode:
        sys.exit("design %s for %s: exit %d\n%s" % (name, part, run.returncode, run.stderr))
    return json.loads(run.stdout)


def terms(o):
    """The same as measure_terms of gen/report/estimate.c."""
    bits = {f["tensor"]: f["bits"] for f in o["formats"]}
    m, lanes, value, weight = o["multipliers"]["engine"], o["engine"]["pe_width"], bits["gate"], bits["layer0.W"]
    acc = bits["layer0.accumulator"]
    return [1, o["interface"]["control"] == "axil", m * (value + weight), m * value,
            m * value * (o["memory"]["index_bits"] > 0), o["engine"]["pes"] * acc, o["engine"]["cell_lanes"] * acc,
            o["engine"]["cell_lanes"] * bits["c"], lanes * value, lanes * weight * (o["engine"]["weights"] == "loadable")]


def fit(a, b):
    """Least squares of relative errors, no negative coefficient (coordinate descent)."""
    scale = 1 / np.maximum(b, 1)
    a, b = a * scale[:, None], b * scale
    g, c, x = a.T @ a, a.T @ b, np.zeros(a.shape[1])
    for _ in range(20000):
        for j in range(len(x)):
            if g[j, j] > 0:
                x[j] = max(0, x[j] - (g[j] @ x - c[j]) / g[j, j])
    return x


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lstmgen", default="build/lstmgen")
    parser.add_argument("family", nargs="+", help="family:part")
    args = parser.parse_args()
    for pair in args.family:
        family, part = pair.split(":")
        with tempfile.TemporaryDirectory() as folder:
            weights(folder)
            found = [synthesise(os.path.abspath(args.lstmgen), folder, part, name) for name in DESIGNS]
        a = np.array([terms(o) for o in found], float)
        for key in ("lut", "ff"):
            b = np.array([o["resources"][key] for o in found], float)
            x = fit(a, b)
            error = 100 * (a @ x / b - 1)
            print('ESTIMATE("%s", RES_%s, %s)   /* %s */' % (family, key.upper(), ", ".join("%.4g" % v for v in x),
                                                             " ".join("%+.0f" % e for e in error)), flush=True)


main()
