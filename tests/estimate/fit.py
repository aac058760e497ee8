#!/usr/bin/python3
"""Fits gen/report/estimate.def: synthesises small cores of every pattern per family and prints its rows.

    tests/estimate/fit.py [--keep FOLDER] [--without NAME,NAME...] ecp5:LFE5U-85F xc7:xc7a200t ...

Weights are random (seed 1): counts depend on sizes, and where a pattern's rows differ in length on little else. Takes
about 5 minutes of CPU per family; run it when the library's Verilog or Yosys has changed. The comment behind each row
gives the errors of that fit in percent, design by design; those called `check` did not take part in it. With --keep
what Yosys counted stays in FOLDER and is not counted again.
"""
import argparse, json, os, pathlib, random, subprocess, sys, tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lib"))
from lstm import layer_keys, random_lstms, write_npz, write_spec

DENSE, BANKED = {"pattern": "dense"}, {"pattern": "bank_balanced", "keep": 0.25}
GROUPED = {"pattern": "grouped_columns", "keep": 0.25, "group_rows": 4}
BLOCKS = {"pattern": "structured_blocks", "keep": 0.25, "block": 16}
COLUMNS = {"pattern": "column_balanced", "keep": 0.25}
DELTA = {"x": 0, "h": 0}
SELDOM = {"x": 4, "h": 0.5}


def core(pattern, pes, lanes, bits, inputs=32, hidden=32, **more):
    activation, weight, state = bits
    return dict({"sparsity": pattern, "engine": {"pes": pes, "pe_width": lanes, "weights": more.pop("weights", "rom")},
                 "precision": {"activation": activation, "weight": weight, "state": state},
                 "interface": {"control": more.pop("control", "axil")}, "shape": (inputs, hidden)}, **more)


WIDE, HALF, NARROW = (16, 16, 24), (16, 8, 24), (8, 8, 24)
DESIGNS = {
    "d1": core(DENSE, 4, 4, WIDE), "d2": core(DENSE, 8, 8, WIDE, 64, 64), "d3": core(DENSE, 4, 4, NARROW),
    "d4": core(DENSE, 2, 8, HALF, control="none"), "d5": core(DENSE, 4, 8, HALF, weights="loadable"),
    "d6": core(DENSE, 16, 4, (16, 12, 24)), "d7": core(DENSE, 1, 4, (12, 6, 16)),
    "b1": core(BANKED, 4, 4, WIDE, 96, 96), "b2": core(BANKED, 8, 8, HALF, 128, 128),
    "b3": core(BANKED, 2, 16, WIDE, 64, 64),
    "b4": core(BANKED, 16, 4, NARROW), "b5": core(BANKED, 4, 4, (10, 16, 24), control="none"),
    "g1": core(GROUPED, 4, 4, WIDE, 64, 64), "g2": core(GROUPED, 8, 8, HALF, 128, 64),
    "s1": core(BLOCKS, 4, 4, WIDE, 64, 64), "s2": core(BLOCKS, 8, 4, NARROW, 64, 64),
    "s3": core(BLOCKS, 4, 8, HALF, 96, 48),
    "s4": core(BLOCKS, 8, 8, (16, 12, 24), 128, 64), "s5": core(BLOCKS, 2, 4, WIDE, 32, 32, control="none"),
    "c1": core(COLUMNS, 4, 4, WIDE, 64, 64), "c2": core(COLUMNS, 8, 4, NARROW, 64, 64),
    "c3": core(COLUMNS, 4, 8, HALF, 64, 24, control="none"), "c4": core(COLUMNS, 8, 8, WIDE, 64, 48),
    "c5": core(COLUMNS, 4, 4, HALF, 48, 48, weights="loadable"),
    "c6": core(dict(COLUMNS, keep=0.02), 8, 4, WIDE, 64, 64),
    "e1": core(COLUMNS, 4, 4, (14, 12, 24), 64, 64, delta=DELTA),
    "e2": core(COLUMNS, 8, 8, NARROW, 64, 64, delta=DELTA),
    "e3": core(COLUMNS, 4, 8, HALF, 64, 24, delta=DELTA, control="none"),
    "e4": core(dict(COLUMNS, keep=0.05), 8, 4, (15, 8, 24), 64, 64, delta=DELTA),
    # several queues to an array; two rows of a PE read out at once, because hardly anything is sent
    "q1": core(COLUMNS, 4, 4, WIDE, 64, 64, delta=dict(DELTA, encoder_lanes=16)),
    "q2": core(COLUMNS, 4, 2, (12, 8, 24), 32, 48, delta=dict(DELTA, encoder_lanes=16), control="none"),
    "q3": core(dict(COLUMNS, keep=0.1), 4, 4, WIDE, 16, 64, delta=SELDOM),
    "q4": core(dict(COLUMNS, keep=0.1), 2, 8, HALF, 24, 40, delta=SELDOM),
    "check dense": core(DENSE, 8, 4, HALF, 48, 80), "check bank_balanced": core(BANKED, 8, 4, WIDE, 96, 64),
    "check grouped_columns": core(GROUPED, 8, 4, WIDE, 96, 64),
    "check structured_blocks": core(BLOCKS, 8, 4, HALF, 96, 64),
    "check column_balanced": core(COLUMNS, 6, 6, (12, 12, 24), 96, 72),
    "check deltas": core(COLUMNS, 6, 6, (12, 12, 24), 96, 72, delta=DELTA)}


def write(folder, part, name):
    folder = pathlib.Path(folder, name.replace(" ", "_"))
    folder.mkdir(exist_ok=True)
    d = dict(DESIGNS[name])
    write_npz(folder / "weights.npz", random_lstms(random.Random(1), [d.pop("shape")], 0))
    return write_spec(folder, dict(d, name="fit", model={"file": "weights.npz", "layers": layer_keys(1)},
                                   target={"part": part}))


def synthesise(folder, part, name):
    """(terms, {resource: count}, LUT RAM of the memories)"""
    spec = write(folder, part, name)
    found = pathlib.Path(spec.parent, "synth.json")
    if not found.exists():
        run = subprocess.run([ROOT / "build" / "lstmgen", "synth", spec, "--json", "-o", spec.parent / "out"],
                             capture_output=True, text=True)
        if run.returncode:
            sys.exit("design %s for %s: exit %d\n%s" % (name, part, run.returncode, run.stderr))
        found.write_text(run.stdout)
    run = subprocess.run([ROOT / "build" / "terms", spec], capture_output=True, text=True, check=True)
    figures = [float(v) for v in run.stdout.split()]
    return figures[:-1], json.loads(found.read_text())["resources"], figures[-1]


def fit(a, b):
    """Least squares of relative errors, no negative coefficient (coordinate descent)."""
    scale = 1 / np.maximum(b, 1)
    a, b = a * scale[:, None], b * scale
    g, c, x = a.T @ a, a.T @ b, np.zeros(a.shape[1])
    for _ in range(100000):
        for j in range(len(x)):
            if g[j, j] > 0:
                x[j] = max(0, x[j] - (g[j] @ x - c[j]) / g[j, j])
    return x


def fit_family(folder, family, part, names):
    found = {name: synthesise(folder, part, name) for name in names}
    used = [n for n in names if not n.startswith("check")]
    for key in ("lut", "ff", "lutram"):
        counted = {n: f[1].get(key, 0) - (f[2] if key == "lutram" else 0) for n, f in found.items()}
        if max(counted.values()) <= 0:
            continue
        x = fit(np.array([found[n][0] for n in used]), np.array([counted[n] for n in used], float))
        error = {n: 100 * (np.dot(found[n][0], x) / max(counted[n], 1) - 1) for n in names}
        print('ESTIMATE("%s", RES_%s, %s)' % (family, key.upper(), ", ".join("%.4g" % v for v in x)))
        print("    /* %s */" % " ".join("%s %+.0f" % (n, error[n]) for n in names), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep")
    parser.add_argument("--without", default="")
    parser.add_argument("family", nargs="+", help="family:part")
    args = parser.parse_args()
    subprocess.run(["make", "-s", "build/terms"], cwd=ROOT, check=True)
    for family, part in (pair.split(":") for pair in args.family):
        with tempfile.TemporaryDirectory() as folder:
            if args.keep:
                folder = os.path.join(args.keep, family)
                os.makedirs(folder, exist_ok=True)
            fit_family(folder, family, part, [n for n in DESIGNS if n not in args.without.split(",")])


main()
