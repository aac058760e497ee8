#!/usr/bin/python3
"""What each pattern costs in logic: whole cores of one network at 8 x 8 by Yosys, per multiplier of the engine.

    area.py [-o FILE] [FAMILY | PATTERN]...      default: all, the text of gen/doc/area.md
`lstmgen synth` fails where Yosys finds other multipliers or memories than the planner counted: each row is an assertion
too.
"""
import argparse, concurrent.futures, os, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from lstm import layer_keys, lstmgen, scratch, write_spec
from networks import random_input, random_network
from page import put
from quarters import CORE, quarters

PARTS = {"ecp5": "LFE5U-85F", "xc7": "xc7a200t", "nexus": "LIFCL-40"}
SIZE = 128
RESOURCES = ("lut", "lutram", "ff", "dsp", "bram")
HEAD = """# Area of the patterns

An LSTM 128 -> 128 with 16-bit values and weights on 8 x 8 multipliers, a quarter of the weights kept (all of them: dense), as
whole cores counted by Yosys 0.23; written by `make area`. *LUT*: logic; *RAM*: LUTs used as memory; the second five columns
are per multiplier of the engine, the last one is LUT and RAM together against the dense core on the same part.

| part | pattern | LUT | RAM | FF | DSP | BRAM | LUT | RAM | FF | DSP | BRAM | against dense |
| --- | --- |""" + " ---: |" * 11
READING = """
What the irregularity of a pattern costs in logic, and why:

- **dense** is the measure: one element of the vector goes to all PEs, products go through one adder tree per PE into one
  accumulator per PE, and weights come in the order in which they are used, so nothing says where they belong.
- **grouped_columns** keeps that data flow. All 8 PEs here work on rows of one group, so one index list and one copy of the
  vector serve them all; the list's address per lane and a second cell lane are about all that is added.
- **bank_balanced** gives every multiplier an element of its own: 64 copies of a bank in LUT RAM, an OR that forms the address,
  and on Lattice, whose LUT RAM is 16 words deep, a read multiplexer of two LUTs a bit behind each.
- **structured_blocks** has rows of different length and lanes that may need any element. Each PE has its own list, its own
  copy of the vector (in block RAM: the many BRAMs), a choice among the copy's banks at each lane, and a ring in which its sums
  wait for those of the other PEs.
- **column_balanced** scatters: where the others have an accumulator per PE it has a memory of rows per multiplier, twice, one
  for the layer at work and one that is read out, and an adder as wide as a sum at each multiplier. A bit of a row costs three
  LUTs: the adder's and the two that take the right bank, once for the adder and once for the readout, or 0 for a row not yet
  used. The adder trees join sums instead of products. Rows need two read multiplexers more where they do not fit into block
  RAM and are deeper than a cell of LUT RAM; a row that can come back before it is stored, in columns of few words or with
  loadable weights, one LUT a bit for each distance at which it can. Where reading the rows out is what a step takes, a bank is
  two memories and two rows of a PE leave at once, into twice as many adder trees and cell lanes; the planner asks a fifth of
  the cycles for it.
- **Deltas** add an encoder for each element that is scanned in a cycle (difference, magnitude against the threshold, last sent
  value), differences one bit wider than elements, and the sums over all steps, kept for each PE.
"""
# Further keys of the spec.
PATTERNS = {name: {"sparsity": sparsity} for name, sparsity in quarters(block=32).items()}
PATTERNS["column_balanced, deltas"] = dict(PATTERNS["column_balanced"], delta={"x": 0, "h": 0})


def synthesise(folder, name, family):
    spec = write_spec(folder, dict({
        "name": "%s_%s" % (family, name.replace(", ", "_")), "model": {"file": "weights.npz", "layers": layer_keys(1)},
        "target": {"part": PARTS[family]}, "verify": {"input": "x.npy"}}, **CORE, **PATTERNS[name]))
    return lstmgen("synth", spec, "--json", "-o", folder + "/out_" + spec.stem, timeout=1700)


def row(family, name, r, dense):
    """One row of the table; `dense`: LUT and FF per multiplier of the dense core on this part."""
    used = [r.get("resources." + k) for k in RESOURCES]
    each = [v / r.get("multipliers.engine") for v in used]
    return "| %s | %s | %s | %s | %.2f |" % (
        PARTS[family], name, " | ".join("{:,}".format(v) for v in used),
        " | ".join(form % v for form, v in zip(("%.0f", "%.0f", "%.0f", "%.2f", "%.2f"), each)),
        (each[0] + each[1]) / sum(dense.get(family, each)[:2])), each


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", "--output", type=pathlib.Path, help="written when all is done and nothing failed")
    p.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", "1")))
    p.add_argument("word", nargs="*", help="a family or a pattern")
    o = p.parse_args()
    families = [f for f in PARTS if not set(o.word) & set(PARTS) or f in o.word]
    patterns = [n for n in PATTERNS if not set(o.word) - set(PARTS) or n in o.word or n == "dense"]
    lines, failed, dense = [], 0, {}
    with scratch() as folder, concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        random_network(folder + "/weights.npz", [(SIZE, SIZE)])
        random_input(folder + "/x.npy", 4, SIZE)
        done = {(f, n): pool.submit(synthesise, folder, n, f) for f in families for n in patterns}
        for (family, name), run in done.items():
            r = run.result()
            if r.status != 0:
                failed += 1
                print("%s %s: exit %s: %s" % (family, name, r.status, r.last()), file=sys.stderr)
                continue
            text, each = row(family, name, r, dense)
            dense.setdefault(family, each)
            print(text, file=sys.stderr, flush=True)
            lines.append(text)
    put(o.output, "\n".join([HEAD] + lines + [READING]) + "\n", failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
