#!/usr/bin/python3
"""The speed table: well-known sparse and dense LSTM accelerators' networks on our cores, simulated in Verilator.

    run.py [-o FOLDER] [ID]...       only these rows; writes FOLDER/bench.md and bench.json (default: build/bench)
Weights are random (the papers' checkpoints are not public) and pruned by our own projection at the stated rate; the
input is normal noise and always waits. `use` = kept weights / (multipliers of the engine x cycles). Cycles do not
depend on the machine. Exits with 1 where a simulation fails or a prediction is not what was measured.
"""
import argparse, concurrent.futures, json, os, pathlib, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from lstm import ROOT, lstmgen, write_spec
from networks import random_input, random_network
from rows import ROWS
from simulation import fault

HEAD = ["id", "network", "pattern, engine", "minimum", "predicted", "measured", "use", "other system", "ratio",
        "to reach"]


def write_row(row, folder):
    """Weights, input and spec of a row; the spec's path."""
    if row.write:
        return row.write(folder)
    keys = random_network(folder / "weights.npz", row.layers, cell=row.cell, projections=row.projections,
                          peephole=row.peephole)
    keys = [dict(k, **row.keys) for k in keys]
    input = row.input or random_input
    input(folder / "x.npy", row.steps, row.layers[0][0])
    return write_spec(folder, dict({
        "name": row.id, "model": {"file": "weights.npz", "layers": keys},
        "sparsity": row.sparsity, "precision": {"activation": 16, "weight": 16, "state": 24},
        "engine": {"pes": row.pes, "pe_width": row.lanes},
        "interface": {"lanes": row.stream}, "verify": {"input": "x.npy"}}, **row.more))


def simulate(row, folder):
    """The object of --json, or a dictionary with the message in `failed`."""
    folder = folder / row.id
    folder.mkdir(parents=True, exist_ok=True)
    r = lstmgen("sim", write_row(row, folder), "--sim", "verilator", "--json", "-o", folder / "out", timeout=1500)
    return {"failed": fault(r)} if fault(r) else r.object


def evaluate(row, o):
    """Figures of a row, the units as in --json."""
    measured, multipliers = o["measured"]["interval"], o["multipliers"]["engine"]
    minimum = row.minimum(o) if row.minimum else o["macs"]["kept"] / multipliers
    limit = row.reach(minimum) if callable(row.reach) else row.reach
    return {"id": row.id, "network": row.network, "engine": row.engine, "multipliers": multipliers,
            "kept": o["macs"]["kept"], "minimum": round(minimum, 1), "predicted": o["cycles"]["interval"],
            "measured": measured,
            "latency": o["measured"]["latency"], "use": o["use"], "steps": o["measured"]["steps"],
            "other": row.other, "other_cycles": row.other_cycles,
            "ratio": round(row.other_cycles / measured, 2) if row.other_cycles else None,
            "reach": round(limit, 1) if limit else None, "reached": bool(limit and measured <= limit),
            "mismatches": o["verify"]["mismatches"], "compared": o["verify"]["compared"]}


def cells(row, f):
    if "lacks" in f:
        return [row.id, row.network, row.engine, "-", "-", "not yet: " + f["lacks"], "-", row.other, "-", "-"]
    if "failed" in f:
        return [row.id, row.network, row.engine, "-", "-", "FAILED", "-", row.other, "-", "-"]
    return [row.id, row.network, "%s = %d" % (row.engine, f["multipliers"]), "%.1f" % f["minimum"],
            "%g" % f["predicted"], "%g" % f["measured"], "%.1f %%" % (100 * f["use"]), row.other,
            "%.2f" % f["ratio"] if f["ratio"] else "-",
            "%g: %s" % (f["reach"], "reached" if f["reached"] else "not reached") if f["reach"] else "-"]


def markdown(figures):
    lines = ["| %s |" % " | ".join(HEAD), "|" + " --- |" * 3 + " ---: |" * 4 + " --- | ---: | --- |"]
    return "\n".join(lines + ["| %s |" % " | ".join(cells(r, f)) for r, f in figures]) + "\n"


def work(row, folder):
    begin = time.monotonic()
    o = {"lacks": row.lacks} if row.lacks else simulate(row, folder)
    figures = o if "lacks" in o or "failed" in o else evaluate(row, o)
    print("%-10s %6.1f s  %s" % (row.id, time.monotonic() - begin, figures.get("failed") or figures.get("lacks")
                                 or "%g cycles" % figures["measured"]), flush=True)
    return row, dict(figures, id=row.id)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", "--output", type=pathlib.Path, default=ROOT / "build" / "bench")
    p.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", "2")))
    p.add_argument("id", nargs="*")
    o = p.parse_args()
    unknown = set(o.id) - {r.id for r in ROWS}
    if unknown:
        sys.exit("run.py: no row is called %s; there are %s" % (", ".join(sorted(unknown)),
                                                                ", ".join(r.id for r in ROWS)))
    o.output.mkdir(parents=True, exist_ok=True)
    chosen = [r for r in ROWS if not o.id or r.id in o.id]
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        figures = list(pool.map(lambda r: work(r, o.output), chosen))
    (o.output / "bench.md").write_text(markdown(figures))
    (o.output / "bench.json").write_text(json.dumps([f for _, f in figures], indent=1) + "\n")
    print("\n" + markdown(figures), end="")
    return 1 if any("failed" in f for _, f in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
