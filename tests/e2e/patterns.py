#!/usr/bin/python3
"""What all patterns share: rates per matrix, gate and layer, mixed patterns, banks: auto, dropped inputs.  suite: 30 s

    patterns.py [WORD]...            only the cases with every WORD in their name
"""
import json, math, pathlib, random, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import layer_keys, lstmgen, random_lstms, random_values, read_npz, scratch, write_npy, write_npz, write_spec
from simulation import simulated

suite = Suite()
GATES = "ifgo"


def network(folder, layers, head=0, seed=1, **keys):
    """A spec with random weights and 6 steps beside it; `keys` are added."""
    rng, folder = random.Random(seed), pathlib.Path(folder)
    write_npz(folder / "w.npz", random_lstms(rng, layers, head))
    write_npy(folder / "x.npy", (6, layers[0][0]), random_values(rng, 6 * layers[0][0]))
    model = {"file": "w.npz", "layers": layer_keys(len(layers), head > 0)}
    return write_spec(folder, dict({"name": "net", "model": model, "verify": {"input": "x.npy"}}, **keys))


def pruned(folder, spec):
    """Matrices that `lstmgen prune` writes: {name: rows}."""
    out = pathlib.Path(folder, "pruned.npz")
    r = lstmgen("prune", spec, "-o", out)
    check(r.status == 0, "prune: exit %s: %s", r.status, r.last())
    return {name: [flat[r * shape[1]:(r + 1) * shape[1]] for r in range(shape[0])]
            for name, (shape, flat) in read_npz(out).items() if len(shape) == 2}


def kept(rows):
    return sum(v != 0 for row in rows for v in row)


def gate_rows(rows, gate):
    n = len(rows) // 4
    return rows[GATES.index(gate) * n:(GATES.index(gate) + 1) * n]


def simulate(spec):
    return simulated(spec, LG_STEPS="12")


# ---- rates
RATES = {"i": 1.0, "f": 0.25, "g": 0.5, "o": 0.1}


@suite.case("bank_balanced: a rate for each gate of R, layers and head by a list, counted in the pruned file",
            ["iverilog"])
def _():
    """20 columns in 4 banks of 5: K = ceil(5 * rate) of every bank; 12 columns: banks of 3."""
    with scratch() as folder:
        spec = network(folder, [(12, 20), (20, 8)], 6, sparsity={
            "pattern": "bank_balanced", "banks": 4, "keep": [{"W": 0.5, "R": RATES}, 0.25, 0.4]},
            engine={"pes": 4, "pe_width": 4})
        t = pruned(folder, spec)
        r = simulate(spec)
    for gate, rate in RATES.items():
        for row in gate_rows(t["R0"], gate):
            counts = [sum(v != 0 for v in row[5 * b:5 * b + 5]) for b in range(4)]
            check(counts == [math.ceil(5 * rate)] * 4, "R0 gate %s keeps %s of each bank", gate, counts)
    check(kept(t["W0"]) == 80 * 4 * 2, "W0 keeps %d", kept(t["W0"]))
    check(kept(t["W1"]) == 32 * 4 * 2 and kept(t["R1"]) == 32 * 4, "layer 1 keeps %d and %d", kept(t["W1"]),
          kept(t["R1"]))
    check(kept(t["out_w"]) == 6 * 4, "the head keeps %d", kept(t["out_w"]))
    check(r.get("macs.kept") == sum(kept(m) for m in t.values()), "%s multiplications", r.get("macs.kept"))
    return "%s of %s kept, interval %s" % (r.get("macs.kept"), r.get("macs.dense"), r.get("measured.interval"))


@suite.case("a tile takes the cycles of its gate")
def _():
    """One gate in four keeps everything, the others an eighth of R: 16 tiles each of 64, 8, 8, 8 cycles; W 4."""
    cycles = {}
    with scratch() as folder:
        for name, rate in (("gates", {"i": 1.0, "f": 0.125, "g": 0.125, "o": 0.125}), ("all", 1.0)):
            spec = network(folder, [(64, 256)], engine={"pes": 16, "pe_width": 4, "optimise": "cycles"}, sparsity={
                "pattern": "bank_balanced", "banks": 4, "keep": {"W": 0.25, "R": rate}})
            cycles[name] = lstmgen("check", spec, "--json").get("cycles.interval")
            check(cycles[name] is not None, "no interval")
    for name, tiles in (("gates", 16 * (64 + 3 * 8) + 64 * 4), ("all", 64 * 64 + 64 * 4)):
        check(tiles <= cycles[name] <= tiles + 6, "%s: %s cycles, its tiles take %s", name, cycles[name], tiles)
    return "%s cycles, %s where all gates keep what i does" % (cycles["gates"], cycles["all"])


@suite.case("a layer's own pattern and rate", ["iverilog"])
def _():
    with scratch() as folder:
        spec = network(folder, [(8, 12), (12, 8)], sparsity={"pattern": "dense"}, engine={"pes": 2, "pe_width": 4})
        object = json.loads(spec.read_text())
        object["model"]["layers"][1]["sparsity"] = {"pattern": "grouped_columns", "keep": {"W": 0.25}}
        spec.write_text(json.dumps(object))
        t, r = pruned(folder, spec), simulate(spec)
    check(kept(t["W0"]) == 48 * 8 and kept(t["R0"]) == 48 * 12 and kept(t["R1"]) == 32 * 8, "a dense matrix was pruned")
    check(kept(t["W1"]) == 32 * 3, "W1 keeps %d", kept(t["W1"]))
    check(r.get("pattern") == "dense + grouped_columns", "pattern %s", r.get("pattern"))


# ---- mixed patterns
@suite.case("mixed: each matrix is pruned as by its pattern alone", ["iverilog"])
def _():
    pairs = [("dense", "bank_balanced"), ("bank_balanced", "grouped_columns"), ("structured_blocks", "bank_balanced")]
    keys = {"bank_balanced": {"banks": 4}, "grouped_columns": {"group_rows": 4}, "structured_blocks": {"block": 4}}
    said = []
    for W, R in pairs:
        with scratch() as folder:
            def sparsity(*names, **more):
                return dict({"keep": 0.25} if names != ("dense",) else {}, **more,
                            **{k: v for n in names for k, v in keys.get(n, {}).items()})
            alone = {}
            for name in (W, R):
                alone[name] = pruned(folder, network(folder, [(8, 16)], engine={"pes": 4, "pe_width": 4},
                                                     sparsity=sparsity(name, pattern=name)))
            both = network(folder, [(8, 16)], engine={"pes": 4, "pe_width": 4},
                           sparsity=sparsity(W, R, pattern={"W": W, "R": R}))
            t, r = pruned(folder, both), simulate(both)
        check(t["W0"] == alone[W]["W0"], "W of %s is not that of %s alone", (W, R), W)
        check(t["R0"] == alone[R]["R0"], "R of %s is not that of %s alone", (W, R), R)
        said.append("%s + %s %s cycles" % (W, R, r.get("measured.interval")))
    return ", ".join(said)


@suite.case("mixed: the report says what each pattern keeps in its own unit")
def _():
    with scratch() as folder:
        spec = network(folder, [(8, 16)], engine={"pes": 4, "pe_width": 4},
                       sparsity={"pattern": {"W": "bank_balanced", "R": "grouped_columns"}, "keep": 0.25, "banks": 4,
                                 "group_rows": 4})
        r = lstmgen("check", spec, "--json")
    layer = r.object["network"][0]
    check(layer["W"]["banks"] == 4 and layer["W"]["keep_per_bank"] == 1, "W, 1 of 2 columns of each of 4 banks: %s", layer["W"])
    check(layer["R"]["keep_per_row"] == 4, "R, 4 of 16 columns: %s", layer["R"])


@suite.case("interface.lanes that is no power of two: copies of the vector keep as many banks", ["iverilog"])
def _():
    with scratch() as folder:
        r = simulated(network(folder, [(8, 16)], engine={"pes": 4, "pe_width": 4}, interface={"lanes": 3},
                              sparsity={"pattern": "structured_blocks", "keep": 0.5, "block": 4}))
    check(r.get("interface.lanes") == 3, "%s lanes", r.get("interface.lanes"))


# ---- banks: auto
@suite.case("banks: auto takes the fewest cycles of all numbers of banks, and says why")
def _():
    """27 and 50 columns do not divide; K = ceil(rate * bank size) rounds up in every bank."""
    with scratch() as folder:
        def check_of(banks):
            spec = network(folder, [(27, 50)], sparsity={"pattern": "bank_balanced", "banks": banks, "keep": 0.3},
                           engine={"pes": 5, "pe_width": 4})
            r = lstmgen("check", spec, "--json")
            check(r.status == 0, "exit %s: %s", r.status, r.last())
            return r
        auto = check_of("auto")
        others = {banks: check_of(banks).get("cycles.interval") for banks in (4, 8, 12, 16, 20, 24)}
        text = auto.get("choice", "")
    check(auto.get("cycles.interval") == min(others.values()), "auto %s, others %s", auto.get("cycles.interval"),
          others)
    # 40 tiles of W (7 columns a bank, K = 3) and R (13, K = 4); with 8 banks (4, K = 2; 7, K = 3) two banks a lane.
    for words in ("4 banks", " %d cycles" % (40 * 7), "8 banks %d" % (40 * (4 + 6))):
        check(words in text, "reason: %s", text)
    return "auto %s, others %s" % (auto.get("cycles.interval"), others)


@suite.case("banks: auto with fewer columns than multipliers", ["iverilog"])
def _():
    with scratch() as folder:
        r = simulate(network(folder, [(3, 16)], sparsity={"pattern": "bank_balanced", "keep": 0.25},
                              engine={"pes": 2, "pe_width": 8}))
    check(r.get("network")[0]["W"]["kept"] == 64 * 3 and r.get("network")[0]["R"]["kept"] == 64 * 8, "kept %s",
          r.get("macs.kept"))


# ---- grouped_columns: what all rows drop disappears
def dropped(folder, rows, inputs=200, read=20):
    return network(folder, [(inputs, 16)], sparsity={"pattern": "grouped_columns", "group_rows": rows,
                                                     "keep": {"W": read / inputs, "R": 0.25}},
                   engine={"pes": 2, "pe_width": 1}, interface={"lanes": 1})


def vector_words(r):
    vector = next(m for m in r.get("memories") if m["name"] == "vector")
    return vector["depth"] * vector["copies"]


@suite.case("group_rows: all: the words and the writes of dropped inputs disappear", ["iverilog"])
def _():
    """20 of 200 inputs and 4 of 16 neurons are read: two buffers of each, at multiples of a power of two."""
    with scratch() as folder:
        some, every = simulate(dropped(folder, 2)), simulate(dropped(folder, "all"))
        mask = pathlib.Path(folder, "out_icarus", "mem", "net_x_mask.hex").read_text()
    words = [int(line, 16) for line in mask.splitlines() if line and line[0] in "0123456789abcdef"]
    check(sum(words) == 20 and len(words) == 200, "%d of %d inputs are written", sum(words), len(words))
    check(vector_words(some) == 2 * 256 + 2 * 16, "%s words with groups of 2 rows", vector_words(some))
    check(vector_words(every) == 2 * 32 + 2 * 4, "%s words with all rows in a group", vector_words(every))
    return "%d words of the vector instead of %d" % (vector_words(every), vector_words(some))


@suite.case("group_rows: all: block RAM of dropped inputs disappears in synthesis", ["yosys"])
def _():
    """2000 inputs, 40 read: 2 * 2048 + 2 * 16 words of 16 bits are 66,048 bits, at least 4 blocks of 18 kbit;
    2 * 64 + 2 * 4 words are one."""
    used = {}
    with scratch() as folder:
        for rows in (2, "all"):
            spec = dropped(folder, rows, 2000, 40)
            r = lstmgen("synth", spec, "--part", "LFE5U-25F", "--json", "-o", folder + "/out")
            check(r.status == 0, "exit %s: %s", r.status, r.last())
            used[rows] = r.get("resources.bram")
    check(used["all"] <= used[2] - 3, "%s BRAM, with groups of 2 rows %s", used["all"], used[2])
    return "%s BRAM instead of %s" % (used["all"], used[2])


suite.main()
