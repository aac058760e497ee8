#!/usr/bin/python3
"""Random designs of the corners that random_designs.py does not draw.  suite: 40 s

    corner_designs.py [--seed N] [--first K] [--count N] [--pattern P] [--jobs N]
    corner_designs.py long-K         40 further designs, K from 0 to 9
Stacks of up to five layers that differ in size, orientation, gate order and bias; heads of one row and wider than the
last layer; more PEs than rows, more multipliers than columns, one weight per row; weights and biases all zero, all
full scale, +-100, forget_bias 100; sequences of one step, ragged ones; widths of everything; the scatter engine with
thresholds, a head, a profile. A design must simulate without a mismatch and take the cycles that were predicted; it may
be refused only for weights too large for its precision. What fails stays in build/failed/.
"""
import argparse, concurrent.futures, math, os, pathlib, random, shutil, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Failure, check
from lstm import ROOT, random_values, scratch, write_npy, write_npz, write_spec, lstmgen
from random_designs import PATTERNS, icarus_seconds
from simulation import fault

SIZES = [1, 1, 2, 3, 5, 8, 13, 27, 40]
ORDERS = ["ifgo", "iofg", "ifog", "oifg", "fgoi"]
SCATTER_PARTS = ["LFE5U-85F", "xc7a35t", "up5k", "xcku5p", "LIFCL-40"]
REFUSED = "too large for the chosen precision"
STEPS = "12"
ICARUS_SECONDS, WIDE_SECONDS = 1.0, 20.0     # with the rough estimate and with that of wide designs


def draw_layers(rng):
    hidden = [rng.choice(SIZES) for _ in range(rng.choice([1, 1, 2, 3, 4, 5]))]
    return list(zip([rng.choice(SIZES)] + hidden[:-1], hidden))


def draw_keep(rng):
    """Down to one weight of a row (or bank), now and then a gate of its own."""
    rate = rng.choice([0.001, 0.001, 0.1, 0.5, 1.0])
    return rng.choice([rate, {"W": rate, "R": rng.choice([0.001, 0.3, 1.0])},
                       {"W": 1.0, "R": {gate: rng.choice([0.01, 0.25, 1.0]) for gate in "ifgo"}}])


def draw_sparsity(rng, d, pattern):
    if pattern == "column_balanced":
        keep = draw_keep(rng)
        return {"pattern": pattern, "keep": keep if not isinstance(keep, dict) else {"W": 1.0, "R": 0.2}}
    sparsity = PATTERNS[pattern](rng, d)
    if sparsity and "keep" in sparsity and rng.random() < 0.7:
        sparsity["keep"] = rng.choice([0.001, 0.3]) if pattern == "mixed" else draw_keep(rng)
        if sparsity.get("group_rows") == "all":
            sparsity["keep"] = rng.choice([0.001, 0.5])
    return sparsity


def draw_precision(rng):
    activation = rng.choice([4, 5, 8, 11, 16, rng.randint(4, 16)])
    precision = {"activation": activation, "weight": rng.choice([2, 3, 3, 4, 8, 13, 16]), "state": rng.randint(8, 32)}
    if rng.random() < 0.6:              # narrower than activations: a corner of its own
        precision["preactivation"] = rng.randint(max(6, activation), 20)
    if rng.random() < 0.4:
        precision["state_range"] = rng.choice([0.001, 0.3, 5, 200, 5000, 1e8])
    if rng.random() < 0.3:
        precision["input_range"] = rng.choice([0.1, 2, 60, 5000])
    return precision


def draw_steps(rng):
    """Lengths of the sequences."""
    steps = rng.choice([1, 1, 2, 4, 7])
    n = rng.choice([1, 1, 2, 5])
    return [steps] + [rng.choice([1, rng.randint(1, steps)]) for _ in range(n - 1)]


def draw_once(rng, pattern):
    layers = draw_layers(rng)
    last = layers[-1][1]
    d = {"layers": layers, "head": rng.choice([0, 0, 1, 1, 3, 2 * last + 3]), "pes": rng.choice([1, 2, 3, 4, 7, 12, 24]),
         "lanes": rng.choice([1, 2, 3, 4, 8, 16]), "lengths": draw_steps(rng)}
    d["weights"] = sum(4 * h * (i + h) for i, h in layers) + d["head"] * last
    d["sparsity"] = draw_sparsity(rng, d, pattern)
    d["engine"] = {"pes": d["pes"], "pe_width": d["lanes"], "weights": rng.choice(["rom", "rom", "loadable"])}
    d["interface"] = {"lanes": rng.choice(["auto", "auto", 1])}
    if d["engine"]["weights"] == "rom" and rng.random() < 0.3:
        d["interface"]["control"] = "none"
    d["precision"] = draw_precision(rng)
    d["values"] = rng.choice(["normal", "normal", "normal", "zero", "full", "100", "equal"])
    d["biases"] = rng.choice(["normal", "normal", "zero", "full", "100", "none"])
    d["scale"] = rng.choice([0.0, 0.3, 1.0, 8.0, 40.0])
    if pattern == "column_balanced":    # differences have a bit more than activations; some multipliers take 16
        d["precision"]["activation"] = min(d["precision"]["activation"], 15)
        d["interface"]["lanes"] = "auto"
        d["part"] = rng.choice(SCATTER_PARTS)
        if rng.random() < 0.6:
            d["delta"] = {"x": 0, "h": rng.choice([0, 0.25])}
            if rng.random() < 0.3:
                d["delta"]["profile"] = "x.npy"
    return d


def seconds(d):
    """About how long Icarus works on a corner: icarus_seconds, which sees neither that a row has one weight at least and
    a layer its latency, nor that each PE has a copy of the vector of its own and the cell unit as many lanes as rows
    leave at once: 24 PEs of two multipliers took more than 2 ms a cycle."""
    cycles, pes = 0, d["pes"]
    for inputs, hidden in d["layers"]:
        cycles += 50 + math.ceil(4 * hidden / pes) * 2
    steps = 5 * int(STEPS) + 20                 # of which half are amid gaps and stalls
    private = d["sparsity"]["pattern"] != "dense" and "part" not in d
    return icarus_seconds(d, int(STEPS)) + steps * cycles * (30e-6 + (100e-6 * pes if private else 6e-6 * pes))


def draw(seed, number, pattern=None):
    """Design `number` of a seed, small enough for a short simulation."""
    rng = random.Random("corner %s %d" % (seed, number))
    chosen = rng.choice(list(PATTERNS) + ["column_balanced"])
    while True:
        d = draw_once(rng, pattern or chosen)
        multipliers = d["pes"] * d["lanes"]
        scatter = "part" in d
        if d["sparsity"] and multipliers <= (16 if scatter else 100) and \
                icarus_seconds(d, int(STEPS)) <= ICARUS_SECONDS and seconds(d) <= WIDE_SECONDS:
            d["rng"] = rng
            d["bench_seed"] = rng.randrange(1, 1 << 30)
            return d


def values_of(rng, kind, count, scale):
    if kind == "zero":
        return [0.0] * count
    if kind == "full":                  # the largest magnitude everywhere, both signs
        return [rng.choice([-1.0, 1.0]) for _ in range(count)]
    if kind == "equal":
        return [0.75] * count
    if kind == "100":
        return [rng.choice([-100.0, 100.0]) if rng.random() < 0.3 else rng.gauss(0, 1) for _ in range(count)]
    return random_values(rng, count, scale)


def lstm_tensors(rng, d, k, tensors):
    """Adds the tensors of layer k; its entry in model.layers."""
    inputs, hidden = d["layers"][k]
    turned = rng.random() < 0.3
    for name, columns in (("W%d" % k, inputs), ("R%d" % k, hidden)):
        shape = (columns, 4 * hidden) if turned else (4 * hidden, columns)
        tensors[name] = shape, values_of(rng, d["values"], 4 * hidden * columns, 1 / math.sqrt(columns))
    keys = {"cell": "lstm", "gates": rng.choice(ORDERS), "W": "W%d" % k, "R": "R%d" % k, "transpose": turned}
    if d["biases"] != "none":
        tensors["b%d" % k] = (4 * hidden,), values_of(rng, d["biases"], 4 * hidden, 0.5)
        keys["b"] = "b%d" % k
    if rng.random() < 0.3:
        keys["forget_bias"] = rng.choice([1.0, 100, -2.5])
    return keys


def write(d, folder):
    rng, inputs, n, steps = d["rng"], d["layers"][0][0], len(d["lengths"]), d["lengths"][0]
    tensors = {}
    layers = [lstm_tensors(rng, d, k, tensors) for k in range(len(d["layers"]))]
    if d["head"]:
        last = d["layers"][-1][1]
        tensors["out_w"] = (d["head"], last), values_of(rng, d["values"], d["head"] * last, 1 / math.sqrt(last))
        tensors["out_b"] = (d["head"],), values_of(rng, "normal" if d["biases"] == "none" else d["biases"], d["head"],
                                                   0.5)
        layers.append({"cell": "linear", "W": "out_w", "b": "out_b", "activation": rng.choice(["none", "relu"])})
    write_npz(folder / "w.npz", tensors)
    write_npy(folder / "x.npy", (n, steps, inputs), random_values(rng, n * steps * inputs, d["scale"]))
    write_npy(folder / "len.npy", (n,), d["lengths"], "i4")
    spec = {"name": "corner", "model": {"file": "w.npz", "layers": layers}, "sparsity": d["sparsity"],
            "precision": d["precision"], "engine": d["engine"], "interface": d["interface"],
            "verify": {"input": "x.npy", "lengths": "len.npy"}}
    if "delta" in d:
        spec["delta"] = d["delta"]
    if "part" in d:
        spec["target"] = {"part": d["part"]}
    return write_spec(folder, spec)


def describe(d):
    p = d["precision"]
    return "%s%s %dx%d %s keep %s w%d a%d z%s s%d/%s %s weights, %s bias, x %g, steps %s%s%s" % (
        "+".join("%d->%d" % pair for pair in d["layers"]), "->%d" % d["head"] if d["head"] else "", d["pes"], d["lanes"],
        d["sparsity"]["pattern"] if isinstance(d["sparsity"]["pattern"], str) else "mixed", d["sparsity"].get("keep", 1),
        p["weight"], p["activation"], p.get("preactivation", "-"), p["state"], p.get("state_range", "-"), d["values"],
        d["biases"], d["scale"], d["lengths"], " delta %s" % d["delta"] if "delta" in d else "",
        " no registers" if "control" in d["interface"] else "")


def keep_failed(folder, label, seed, number):
    kept = ROOT / "build" / "failed" / ("corner_%s_%d" % (seed, number))
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, kept)
    return kept.relative_to(ROOT)


def run(o, number):
    """(line to print, passed)"""
    with scratch("lstmgen_corner.") as folder:
        folder = pathlib.Path(folder)
        d = draw(o.seed, number, o.pattern)
        label = "corner %d: %s" % (number, describe(d))
        spec = write(d, folder)
        env = {"LG_SEED": str(d["bench_seed"]), "LG_STEPS": str(max(int(STEPS), 2 * sum(d["lengths"])))}
        try:
            r = lstmgen("sim", spec, "--sim", "icarus", "--json", "-o", folder / "out", timeout=300,
                        env=dict(os.environ, **env))
            if r.status == 1 and r.err.count("error:") == r.err.count(REFUSED) > 0:
                return "ok      %s: refused" % label, True
            check(not fault(r), "%s", fault(r))
            return "ok      %s: interval %s" % (label, r.get("measured.interval")), True
        except (Failure, subprocess.TimeoutExpired) as e:
            kept = keep_failed(folder, label, o.seed, number)
            words = " ".join("%s=%s" % kv for kv in env.items())
            return "FAILED  %s\n        %s\n        repeat: %s build/lstmgen sim %s/corner.yaml --sim icarus" % (
                label, e, words, kept), False


FIXED = {"gather": {"sparsity": {"pattern": "dense"}},
         "scatter": {"sparsity": {"pattern": "column_balanced", "keep": 0.3}, "delta": {"x": 0, "h": 0.25}}}


def run_fixed(engine):
    """As run: a forget gate that is always open, 3-bit weights, an 8-bit state, ragged sequences; two benches."""
    rng, label = random.Random(100), "forget_bias 100, w3, s8, %s engine" % engine
    with scratch("lstmgen_corner.") as folder:
        folder = pathlib.Path(folder)
        d = {"rng": rng, "layers": [(3, 5)], "values": "normal", "biases": "normal"}
        tensors = {}
        keys = dict(lstm_tensors(rng, d, 0, tensors), forget_bias=100)
        write_npz(folder / "w.npz", tensors)
        write_npy(folder / "x.npy", (3, 7, 3), random_values(rng, 63, 4.0))
        write_npy(folder / "len.npy", (3,), [7, 1, 3], "i4")
        spec = write_spec(folder, dict(FIXED[engine], name="corner", model={"file": "w.npz", "layers": [keys]},
                                       precision={"weight": 3, "state": 8}, engine={"pes": 2, "pe_width": 2},
                                       verify={"input": "x.npy", "lengths": "len.npy"}))
        for seed in "1", "2":
            r = lstmgen("sim", spec, "--sim", "icarus", "--json", "-o", folder / "out", timeout=300,
                        env=dict(os.environ, LG_SEED=seed, LG_STEPS=STEPS))
            if fault(r):
                return "FAILED  %s, seed %s: %s" % (label, seed, fault(r)), False
    return "ok      %s: interval %s" % (label, r.get("measured.interval")), True


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("words", nargs="*")
    p.add_argument("--count", type=int, default=24)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--pattern", choices=list(PATTERNS) + ["column_balanced"])
    p.add_argument("--seed", default=os.environ.get("LSTMGEN_TEST_SEED", "1"))
    p.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", "2")))
    o = p.parse_args()
    fixed = [] if o.words or o.first else sorted(FIXED)
    for word in o.words:
        o.first, o.count = 24 + 40 * int(word[len("long-"):]), 40
    if not shutil.which("iverilog"):
        print("iverilog is not there\n0 passed, 0 failed, %d skipped" % o.count)
        return 0
    print("seed %s, designs %d to %d" % (o.seed, o.first, o.first + o.count - 1), flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        runs = [pool.submit(run, o, o.first + k) for k in range(o.count)] + [pool.submit(run_fixed, e) for e in fixed]
        for line, good in (r.result() for r in runs):
            failed += not good
            print(line, flush=True)
    print("%d passed, %d failed" % (len(runs) - failed, failed))
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
