#!/usr/bin/python3
"""What each pattern costs in logic: whole cores of one network at 8 x 8 by Yosys, per multiplier of the engine.

    area.py [-o FILE] [FAMILY | PATTERN]...      default: all patterns on ecp5, xc7 and nexus, as Markdown on stdout
`lstmgen synth` fails where Yosys finds other multipliers or memories than the planner counted: each row is an assertion too.
"""
import argparse, concurrent.futures, os, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from lstm import layer_keys, lstmgen, scratch, write_spec
from networks import random_input, random_network

PARTS = {"ecp5": "LFE5U-85F", "xc7": "xc7a200t", "nexus": "LIFCL-40"}
SIZE, KEEP = 128, 0.25
PATTERNS = {
    "dense": ({"pattern": "dense"}, {}),
    "bank_balanced": ({"pattern": "bank_balanced", "keep": KEEP, "banks": 8}, {}),
    "grouped_columns": ({"pattern": "grouped_columns", "keep": KEEP, "group_rows": 8}, {}),
    "structured_blocks": ({"pattern": "structured_blocks", "keep": KEEP, "block": 32}, {}),
    "column_balanced": ({"pattern": "column_balanced", "keep": KEEP}, {}),
    "column_balanced, deltas": ({"pattern": "column_balanced", "keep": KEEP}, {"delta": {"x": 0, "h": 0}})}


def synthesise(folder, name, family):
    sparsity, more = PATTERNS[name]
    spec = write_spec(folder, dict({
        "name": "%s_%s" % (family, name.replace(", ", "_")), "model": {"file": "weights.npz", "layers": layer_keys(1)},
        "sparsity": sparsity, "precision": {"activation": 16, "weight": 16, "state": 24},
        "engine": {"pes": 8, "pe_width": 8}, "target": {"part": PARTS[family]}, "verify": {"input": "x.npy"}}, **more))
    return lstmgen("synth", spec, "--json", "-o", folder + "/out_" + spec.stem, timeout=1700)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", "--output", type=argparse.FileType("w"), default=sys.stdout)
    p.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", "2")))
    p.add_argument("word", nargs="*", help="a family or a pattern")
    o = p.parse_args()
    families = [f for f in PARTS if not set(o.word) & set(PARTS) or f in o.word]
    patterns = [n for n in PATTERNS if not set(o.word) - set(PARTS) or n in o.word or n == "dense"]
    with scratch() as folder, concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        random_network(folder + "/weights.npz", [(SIZE, SIZE)])
        random_input(folder + "/x.npy", 4, SIZE)
        done = {(f, n): pool.submit(synthesise, folder, n, f) for f in families for n in patterns}
        print("| part | pattern | LUT | FF | DSP | BRAM | LUT / multiplier | against dense | FF / multiplier | against dense |\n"
              "| --- | --- |" + " ---: |" * 8, file=o.output)
        failed = 0
        for (family, name), run in done.items():
            r = run.result()
            if r.status != 0:
                failed += 1
                print("%s %s: exit %s: %s" % (family, name, r.status, r.last()), file=sys.stderr)
                continue
            used = [r.get("resources." + k) for k in ("lut", "ff", "dsp", "bram")]
            each = [used[k] / r.get("multipliers.engine") for k in (0, 1)]
            if name == "dense":
                dense = each
            print("| %s | %s | %s | %.0f | %.2f | %.0f | %.2f |" % (
                PARTS[family], name, " | ".join("{:,}".format(v) for v in used), each[0], each[0] / dense[0], each[1],
                each[1] / dense[1]), file=o.output, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
