#!/usr/bin/python3
"""Every pattern on trained models at a quarter kept, 8 x 8, simulated in Verilator: the text of gen/doc/patterns.md.

    patterns.py [-o FILE] [WORD]...      rows with every WORD in model or pattern; models from LSTMGEN_MODELS
Pruned in one shot, without retraining: `pruning` is what that costs (float, against the unpruned network), `SNR` what
the number formats cost (hardware against float with the same weights and thresholds). Exits with 1 where a simulation
fails or a prediction is not what was measured.
"""
import argparse, concurrent.futures, os, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from lstm import MODELS, lstmgen, scratch, write_spec
from page import put
from quarters import CORE, quarters
from simulation import fault

# Further keys of the spec.
PATTERNS = {name: {"sparsity": sparsity} for name, sparsity in quarters(block=16).items()}
for name, threshold in (("threshold 0", 0), ("4/256", 4 / 256), ("16/256", 16 / 256)):
    PATTERNS["deltas, " + name] = dict(PATTERNS["column_balanced"], delta={"x": threshold, "h": threshold})
PAGE = """# Patterns on trained models

A quarter of the weights kept, 16-bit weights and activations, 8 x 8 multipliers, all steps of the models' own inputs in
Verilator (written by `make patterns`; the models are not part of this repository). Pruned in one shot, without retraining:
*pruning* is what that costs, float against the unpruned network, and what retraining would win back; *SNR* is what the number
formats cost, hardware against float with the same weights and thresholds. *Minimum*: kept weights / multipliers; with deltas
it counts the columns that are skipped too, so *use* may pass 100 %.

"""
READING = """
What the rows say: the gather patterns are bound by their multipliers on the larger network; on the small one (32 neurons) the
cell unit's latency from the last product of a step to the first that needs its h is what remains. Deltas gain most where the
input stands still: a threshold of 0 already skips silero's exact zeros, bit for bit.

# Adding a pattern

A pattern is one file in `gen/pattern` with its functions in one `Pattern` (see `gen/lstmgen.h`) and one row of the table in
`gen/pattern/pattern.c`: which keys it reads and checks, how it prunes a matrix, its geometry, pack and unpack of a row (or
column), its bound. Nothing else knows patterns by name: the planner asks for properties (own copies of the vector, rows of
different length, a lane that sees the whole vector), the RTL has parameters for these, the golden model has neither.
What fits these properties is a file and a row. What does not adds its property, once: `grouped_columns` brought lanes that
see the whole vector and PEs that share a list (`gen/plan/span.c`, `lg_span.v`), `structured_blocks` rows of different length
(`gen/plan/elastic.c`, `lg_stream.v`), `column_balanced` the scatter engine (a row in `gen/plan/engine.c`). A sixth pattern
with any of these properties changes nothing else.
"""
HEAD = ["model", "pattern", "weights kept", "pruning, dB", "SNR, dB", "predicted", "measured", "minimum", "use",
        "bits per kept weight", "bound", "mismatches"]


def model(folder, *layers):
    return {"file": str(MODELS / folder),
            "layers": [dict(zip("WRb", names), cell="lstm", gates="ifgo") for names in layers]}


MODEL = {
    "silero_vad, 128 -> 128": (model("silero_vad_16k", "WRb"), "silero_vad_16k/yes_no_go_stop_x.npy"),
    "har, 32 -> 32 -> 32": (model("har_embarc", ("l1_W", "l1_R", "l1_b"), ("l2_W", "l2_R", "l2_b")),
                            "har_embarc/seq300_l1_x.npy")}


def simulate(folder, name, pattern, number):
    network, x = MODEL[name]
    spec = write_spec(folder, dict({
        "name": "p%d" % number, "model": network, "verify": {"input": str(MODELS / x)}}, **CORE, **PATTERNS[pattern]))
    return lstmgen("sim", spec, "--sim", "verilator", "--json", "-o", "%s/out%d" % (folder, number), timeout=1500)


def line(name, pattern, r):
    o = r.get
    show = lambda path: "-" if o(path) is None else "%.1f" % o(path)
    return [name, pattern, "{:,} ({:.1f} %)".format(o("macs.kept"), 100 * o("macs.kept") / o("macs.dense")),
            show("verify.prune_snr_db"), show("verify.snr_db"), "%g" % o("cycles.interval"),
            "%g" % o("measured.interval"), "%g" % o("cycles.minimum"), "%.1f %%" % (100 * o("use")),
            "%.2f" % o("memory.bits_per_kept_weight"), "%.2f" % o("memory.bound_bits_per_kept_weight"),
            "{} of {:,}".format(o("verify.mismatches"), o("verify.compared"))]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", "--output", type=pathlib.Path, help="written when all is done and nothing failed")
    p.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", "2")))
    p.add_argument("word", nargs="*")
    o = p.parse_args()
    rows = [(m, n) for m in MODEL for n in PATTERNS if all(w in m + " " + n for w in o.word)]
    lines, failed = [], 0
    with scratch() as folder, concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        runs = [(m, n, pool.submit(simulate, folder, m, n, k)) for k, (m, n) in enumerate(rows)]
        for m, n, run in runs:
            r = run.result()
            if fault(r):
                failed += 1
                print("%s, %s: %s" % (m, n, fault(r)), file=sys.stderr)
            if r.get("measured.interval") is not None:
                lines.append("| %s |\n" % " | ".join(line(m, n, r)))
                print(lines[-1], end="", file=sys.stderr, flush=True)
    head = "| %s |\n| --- | --- |%s\n" % (" | ".join(HEAD), " ---: |" * (len(HEAD) - 2))
    put(o.output, PAGE + head + "".join(lines) + READING, failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
