#!/usr/bin/python3
"""Random LSTM designs end to end: `lstmgen sim` must find no mismatch and count exactly the cycles it predicted.

    random_designs.py --count 40 --seed 7            designs 0..39 of seed 7, of all patterns
    random_designs.py --seed 7 --first 12 --count 1  design 12 alone
    random_designs.py --pattern grouped_columns      designs of one pattern; mixed: of several
    random_designs.py --size medium                  small (default), medium or large: what a simulation takes
A design depends on its seed, number, pattern and size only. Every eighth is simulated in Verilator as well as in
Icarus, large ones in Verilator alone. What fails stays in build/failed/, with the command.
"""
import argparse, concurrent.futures, os, pathlib, random, shutil, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Failure, check, need, Skip
from lstm import ROOT, layer_keys, random_lstms, random_values, scratch, write_npy, write_npz, write_spec
from simulation import simulated

SIZES = [1, 2, 3, 5, 13, 27, 64, 100, 118]
PES = [1, 2, 3, 5, 8]
LANES = [1, 2, 4, 7, 16]
WEIGHT_BITS = [4, 6, 8, 12, 16]
# By size: LG_STEPS and the seconds, by `icarus_seconds`, that a simulation in Icarus may take with it. Not below 12
# steps: so many are measured back to back, and the interval is a mean over them. What takes longer is large.
LIMITS = {"small": [(12, 0.4)], "medium": [(0, 2.5), (12, 8.0)]}
SMALL_BUILD = {"SIM_OPT": "-O0"}        # of small designs: compiling takes longer than running


def icarus_seconds(d, limit):
    """About how long Icarus works on a design: measured 30 us per cycle and 6 us per multiplier and cycle; the
    testbench takes 86 steps, or 2 * limit + 6 where LG_STEPS limits it, and loads a word in 3 cycles."""
    keep = d["sparsity"].get("keep", 1.0)
    kept = d["weights"] * (keep if isinstance(keep, float) else 0.8)
    cycles = (2 * limit + 6 if limit else 86) * (kept / (d["pes"] * d["lanes"]) + 50)
    if d["engine"]["weights"] == "loadable":
        cycles += 3 * kept / d["lanes"]
    return cycles * (30e-6 + 6e-6 * d["pes"] * d["lanes"])


def draw_shape(rng):
    """Sizes of the network, of the input and of the engine."""
    d = {"pes": rng.choice(PES), "lanes": rng.choice(LANES), "head": rng.choice([0, 0, 1, 3, 10])}
    hidden = [rng.choice(SIZES) for _ in range(rng.choice([1, 1, 1, 2]))]
    d["layers"] = list(zip([rng.choice(SIZES)] + hidden[:-1], hidden))
    d["sequences"], d["length"] = rng.choice([(1, 3), (1, 6), (2, 3), (3, 2)])
    d["steps"] = d["sequences"] * d["length"]
    d["weights"] = sum(4 * h * (i + h) for i, h in d["layers"]) + d["head"] * hidden[-1]
    return d


# ---- the keys of a pattern; None where it does not fit the shape
def draw_rate(rng, least=0.125):
    return rng.choice([least, 0.25, 0.5, 0.75])


def draw_gates(rng):
    return {gate: draw_rate(rng) for gate in "ifgo" if rng.random() < 0.8}


def draw_form(rng, forms, least):
    """A rate, one for each matrix, or one for each gate of each matrix."""
    return {"rate": draw_rate(rng, least), "matrices": {"W": 1.0, "R": draw_rate(rng, least), "head": draw_rate(rng)},
            "gates": {"W": draw_gates(rng), "R": draw_gates(rng)}}[rng.choice(forms)]


def draw_keep(rng, d, gates=True, least=0.125):
    """Every form that sparsity.keep has; a list of them has one for each layer."""
    forms = ["rate", "rate", "matrices"] + ["gates"] * gates
    if rng.random() < 0.8:
        return draw_form(rng, forms, least)
    return [draw_form(rng, forms, least) for _ in d["layers"]] + [draw_rate(rng)] * (d["head"] > 0)


def draw_dense(rng, d):
    return {"pattern": "dense"}


def draw_bank_balanced(rng, d):
    columns = min(min(pair) for pair in d["layers"])
    banks = rng.choice(["auto", d["lanes"], d["lanes"], 2 * d["lanes"]])
    if banks != "auto" and banks > columns:
        return None
    return {"pattern": "bank_balanced", "banks": banks, "keep": draw_keep(rng, d)}


def draw_grouped_columns(rng, d):
    rows = rng.choice([d["pes"], "all", "auto", 1, 2, 3, 2 * d["pes"], 16])
    return {"pattern": "grouped_columns", "group_rows": rows, "keep": draw_keep(rng, d, rows != "all")}


def draw_structured_blocks(rng, d):
    """Blocks of 4 to 64, but not larger than a matrix in both directions."""
    fit = [b for b in (4, 5, 8, 13, 16, 32, 48, 64) if all(b <= max(4 * h, i) for i, h in d["layers"])]
    if not fit:
        return None
    return {"pattern": "structured_blocks", "block": rng.choice(fit), "align": rng.choice([True, False]),
            "keep": draw_keep(rng, d, least=0.08)}


def draw_mixed(rng, d):
    """Two or three patterns of one engine, for W, R and the head."""
    names = [rng.choice(["dense", "bank_balanced", "grouped_columns", "structured_blocks"]) for _ in range(3)]
    if names[0] == names[1]:
        return None
    keys = {"keep": draw_rate(rng)}
    for name in names:
        drawn = PATTERNS[name](rng, d)
        if not drawn:
            return None
        keys.update({k: v for k, v in drawn.items() if k != "keep"})
    return dict(keys, pattern=dict(zip(("W", "R", "head"), names)))


PATTERNS = {"dense": draw_dense, "bank_balanced": draw_bank_balanced, "grouped_columns": draw_grouped_columns,
            "structured_blocks": draw_structured_blocks, "mixed": draw_mixed}


def draw(seed, number, size, pattern=None):
    """Design `number` of a seed: a dictionary with all that makes it."""
    rng = random.Random("%d %d %s" % (seed, number, size))
    chosen = rng.choice(list(PATTERNS))
    pattern = pattern or chosen
    while True:
        d = draw_shape(rng)
        d["sparsity"] = PATTERNS[pattern](rng, d)
        d["engine"] = {"pes": d["pes"], "pe_width": d["lanes"], "weights": rng.choice(["rom", "rom", "loadable"])}
        if d["sparsity"] and d["weights"] < 150000:
            limits = LIMITS["medium" if size == "large" else size]
            d["limit"] = next((n for n, most in limits if icarus_seconds(d, n) <= most), None)
            if (size == "large") == (d["limit"] is None):
                break
    d["precision"] = {"weight": rng.choice(WEIGHT_BITS), "activation": rng.randint(8, 16),
                      "state": rng.choice([16, 24, 32])}
    # A beat's elements go to different banks, so there are at most as many as the engine has lanes or x has elements.
    widest = min(2, d["lanes"], d["layers"][0][0])
    d["interface"] = {"lanes": rng.choice(["auto", "auto", 1, widest])}
    if d["engine"]["weights"] == "rom" and rng.random() < 0.15:
        d["interface"]["control"] = "none"
    d["output"] = "last" if d["sequences"] > 1 and rng.random() < 0.2 else "every"
    d["gain"] = rng.choice([0.5, 1.0, 3.0])
    d["activation"] = rng.choice(["none", "relu"])
    d["bench_seed"] = rng.randrange(1, 1 << 30)
    d["rng"] = rng
    return d


def write(d, folder):
    """Spec, weights and stimulus; sequences are ragged where there are several."""
    rng, inputs = d["rng"], d["layers"][0][0]
    write_npz(folder / "weights.npz", random_lstms(rng, d["layers"], d["head"], d["gain"]))
    shape = (d["sequences"], d["length"], inputs)
    write_npy(folder / "x.npy", shape if d["sequences"] > 1 else shape[1:],
              random_values(rng, d["steps"] * inputs, rng.choice([0.3, 1.0, 8.0])))
    verify = {"input": "x.npy"}
    if d["sequences"] > 1:
        lengths = [rng.randint(1, d["length"]) for _ in range(d["sequences"] - 1)] + [d["length"]]
        write_npy(folder / "len.npy", (d["sequences"],), lengths, "i4")
        verify["lengths"] = "len.npy"
    return write_spec(folder, {
        "name": "random", "model": {"file": "weights.npz",
                                    "layers": layer_keys(len(d["layers"]), d["head"], d["activation"])},
        "sparsity": d["sparsity"], "precision": d["precision"], "engine": d["engine"], "interface": d["interface"],
        "network": {"output": d["output"]}, "verify": verify})


def environment(d, simulator):
    env = {"LG_SEED": str(d["bench_seed"])}
    if d["small"]:
        env.update(SMALL_BUILD)
    if d["limit"] and (d["small"] or simulator == "icarus"):
        env["LG_STEPS"] = str(d["limit"])
    return env


def simulate(d, spec, simulator):
    """One run; returns its interval, which must not be below the work."""
    r = simulated(spec, simulator, **environment(d, simulator))
    interval, minimum = r.get("measured.interval"), r.get("cycles.minimum")
    check(minimum <= interval, "%s: %s cycles measured, less than the work: %s", simulator, interval, minimum)
    return interval


def describe(d):
    pattern = d["sparsity"]["pattern"]
    return "%s%s %dx%d %s%s keep %s w%d a%d s%d %s lanes %s %s%s" % (
        "+".join("%d->%d" % p for p in d["layers"]), "->%d" % d["head"] if d["head"] else "", d["pes"], d["lanes"],
        pattern if isinstance(pattern, str) else "/".join(pattern.values()),
        " of %s rows" % d["sparsity"]["group_rows"] if "group_rows" in d["sparsity"] else "",
        d["sparsity"].get("keep", 1), d["precision"]["weight"], d["precision"]["activation"],
        d["precision"]["state"], d["engine"]["weights"], d["interface"]["lanes"], d["output"],
        " no registers" if "control" in d["interface"] else "")


def run(o, number):
    """Runs a design; (line to print, passed)."""
    with scratch("lstmgen_random.") as folder:
        return run_in(pathlib.Path(folder), o, number)


def run_in(folder, o, number):
    large = o.size == "large"
    d = draw(o.seed, number, o.size, o.pattern)
    d["small"] = o.size == "small"
    spec = write(d, folder)
    simulators = ["verilator"] if large else ["icarus"]
    if not large and o.verilator_every and number % o.verilator_every == 0:
        simulators.append("verilator")
    label = "%s %d: %s" % (o.size, number, describe(d))
    try:
        need(*("iverilog" if s == "icarus" else s for s in simulators))
        for simulator in simulators:
            interval = simulate(d, spec, simulator)
        line, good = "ok      %s: interval %s (%s)" % (label, interval, ", ".join(simulators)), True
    except (Failure, subprocess.TimeoutExpired) as e:
        kept = ROOT / "build" / "failed" / ("random_%d_%s%d" % (o.seed, o.size, number))
        shutil.rmtree(kept, ignore_errors=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, kept)
        repeat = "%s build/lstmgen sim %s --sim %s" % (
            " ".join("%s=%s" % kv for kv in environment(d, simulator).items()), (kept / spec.name).relative_to(ROOT),
            simulator)
        line, good = "FAILED  %s\n        %s\n        repeat: %s" % (label, e, repeat), False
    except Skip as e:
        line, good = "skipped %s: %s" % (label, e), None
    return line, good


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--count", type=int, default=40)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--pattern", choices=list(PATTERNS))
    p.add_argument("--size", choices=["small", "medium", "large"], default="small")
    p.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1000000))
    p.add_argument("--verilator-every", type=int, default=8)
    p.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", "2")))
    o = p.parse_args()
    print("seed %d, %s designs %d to %d of %s" % (
        o.seed, o.size, o.first, o.first + o.count - 1, o.pattern or "all patterns"), flush=True)
    work = [(o, o.first + k) for k in range(o.count)]
    counts = {True: 0, False: 0, None: 0}
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for line, good in pool.map(lambda w: run(*w), work):
            counts[good] += 1
            print(line, flush=True)
    print("%d passed, %d failed, %d skipped" % (counts[True], counts[False], counts[None]))
    return 1 if counts[False] or not sum(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
