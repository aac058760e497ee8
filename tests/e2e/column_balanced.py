#!/usr/bin/python3
"""Pattern column_balanced on the scatter engine, without and with deltas, for every cell.  suite: 120 s

    column_balanced.py [WORD]...     only the cases with every WORD in their name
    column_balanced.py long-N        a tenth of 200 random designs more, N from 0 to 9, all in both simulators, and of
                                     200 more of each cell in Icarus
Random designs are simulated in Icarus, every eighth in Verilator too: no mismatch, and cycles exactly as predicted.
"""
import json, math, pathlib, random, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import layer_keys, lstmgen, random_lstms, scratch, write_npy, write_npz, write_spec
from simulation import simulated
from stacks import CELLS, random_stack

STACKS = 4                      # of each cell
SIZES = [1, 2, 3, 5, 8, 13, 20]
MULTIPLIERS = 16                # Icarus takes as long as there are many
PARTS = ["LFE5U-85F", "xc7a35t", "up5k", "xcku5p", "LIFCL-40"]
suite = Suite()


def held_values(rng, steps, width, hold, scale):
    """Steps of a vector whose elements keep their value with probability `hold`."""
    now, values = [0.0] * width, []
    for _ in range(steps):
        now = [v if rng.random() < hold else rng.gauss(0, scale) for v in now]
        values += now
    return values


def draw(rng, delta):
    """A random network, its engine and what is sent."""
    hidden = [rng.choice(SIZES) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    d = {"layers": list(zip([rng.choice(SIZES)] + hidden[:-1], hidden)), "head": rng.choice([0, 0, 0, 1, 3, 10]),
         "keep": rng.choice([0.1, 0.25, 0.5, 0.75, {"W": 1.0, "R": 0.3}]), "steps": rng.choice([2, 3, 5]),
         "hold": rng.choice([0, 0.5, 0.9]), "scale": rng.choice([1.0, 2.0]),
         "engine": {"pes": rng.choice([1, 2, 3, 4, 5, 8]), "pe_width": rng.choice([1, 2, 3, 4, 7]),
                    "weights": rng.choice(["rom", "rom", "loadable"])},
         "precision": {"weight": rng.randint(4, 16), "activation": rng.randint(9, 15),
                       "state": rng.choice([16, 24, 32])},
         "part": rng.choice(PARTS)}
    while d["engine"]["pes"] * d["engine"]["pe_width"] > MULTIPLIERS:
        d["engine"].update(pes=rng.choice([1, 2, 3, 4, 5, 8]), pe_width=rng.choice([1, 2, 3, 4, 7]))
    if rng.random() < 0.4:      # ragged sequences
        d["lengths"] = [rng.randint(1, d["steps"]), d["steps"], rng.randint(1, d["steps"])]
    d["control"] = "none" if d["engine"]["weights"] == "rom" and rng.random() < 0.2 else "axil"
    if delta:
        d["delta"] = {"x": rng.choice([0, 0.0625, 0.25]), "h": rng.choice([0, 0.03125, 0.25])}
        if rng.random() < 0.4:
            d["delta"]["profile"] = "x.npy"
    return d


def write(rng, d, folder, name="balanced"):
    folder = pathlib.Path(folder)
    inputs = d["layers"][0][0]
    if "stack" in d:
        tensors, keys = random_stack(rng, inputs, d["stack"])
    else:
        tensors, keys = random_lstms(rng, d["layers"], d["head"]), layer_keys(len(d["layers"]), d["head"])
    write_npz(folder / "weights.npz", tensors)
    shape = (d["steps"], inputs)
    verify = {"input": "x.npy"}
    if "lengths" in d:
        shape = (len(d["lengths"]),) + shape
        write_npy(folder / "len.npy", (len(d["lengths"]),), d["lengths"], "i4")
        verify["lengths"] = "len.npy"
    write_npy(folder / "x.npy", shape, held_values(rng, math.prod(shape[:-1]), inputs, d["hold"], d["scale"]))
    spec = {"name": name, "model": {"file": "weights.npz", "layers": keys},
            "sparsity": {"pattern": "column_balanced", "keep": d["keep"]}, "engine": d["engine"],
            "interface": {"control": d["control"]}, "precision": d["precision"], "target": {"part": d["part"]},
            "verify": verify}
    if "delta" in d:
        spec["delta"] = d["delta"]
    return write_spec(folder, spec)


def simulate(spec, simulator="icarus"):
    simulated(spec, simulator, LG_STEPS="16",       # no fewer than all sequences have: they are all measured
              SIM_OPT="-O0")                        # compiling takes longer than running


def draw_many_rows(rng):
    """So many rows on a PE, and so few of their columns sent, that two rows of each are read out at once."""
    d = draw(rng, True)
    pes = rng.choice([2, 3, 4])
    d.update(layers=[(rng.choice([5, 8, 13]), pes * rng.choice([12, 16, 20]) + rng.choice([0, 1, pes - 1]))],
             head=rng.choice([0, 0, 3]), keep=rng.choice([0.05, 0.1, 0.2]), hold=0.9, steps=8,
             delta={"x": 0.25, "h": 0.25})
    d["engine"].update(pes=pes, pe_width=rng.choice([2, 3]))
    d.pop("lengths", None)
    return d


def write_many_rows(rng, folder):
    for _ in range(30):
        spec = write(rng, draw_many_rows(rng), folder)
        engine = lstmgen("check", spec, "--json").get("engine")
        if engine["cell_lanes"] > engine["pes"]:
            return spec
    check(False, "no design reads two rows at once")


def draw_stack(rng, cell):
    """The cell alone, or among others and linear layers; half of the designs have deltas."""
    d = draw(rng, rng.random() < 0.5)
    others = CELLS + ["linear"]
    size = lambda: rng.choice(SIZES)
    before = [(rng.choice(others), size()) for _ in range(rng.choice([0, 0, 0, 1]))]
    behind = [(rng.choice(others), size()) for _ in range(rng.choice([0, 0, 1, 2]))]
    return dict(d, stack=before + [(cell, size())] + behind, keep=rng.choice([0.1, 0.25, 0.5, 0.75]))


def draw_wide(rng, cell):
    """One layer with so many rows on a PE that several of each may be read out at once."""
    d = draw_many_rows(rng)
    return dict(d, stack=[(cell, d["layers"][0][1])])


def write_stack(rng, folder, cell, number):
    return write(rng, draw_wide(rng, cell) if number % 4 == 3 else draw_stack(rng, cell), folder)


def add_random(kind, number, folder_of, verilator, prefix=""):
    def run():
        rng = random.Random("%s %d" % (kind, number))
        with scratch() as folder:
            spec = folder_of(rng, folder)
            simulate(spec)
            if verilator:
                simulate(spec, "verilator")
    suite.add("%srandom %s %d" % (prefix, kind, number), run, ["iverilog"] + ["verilator"] * verilator)


# Of these so many, and with long so many more.
KINDS = {"plain": (15, 80, lambda rng, folder: write(rng, draw(rng, False), folder)),
         "delta": (15, 80, lambda rng, folder: write(rng, draw(rng, True), folder)),
         "many rows": (4, 40, write_many_rows)}
LONG = any(word.startswith("long") for word in sys.argv[1:])
for kind, (count, more, folder_of) in KINDS.items():
    for number in range(count):
        add_random(kind, number, folder_of, number % 8 == 0)
    for number in range(count, count + more if LONG else count):
        add_random(kind, number, folder_of, True, "long-%d " % (number % 10))


def add_stack(cell, number, prefix=""):
    def run():
        rng = random.Random("stack %s %d" % (cell, number))
        with scratch() as folder:
            simulate(write_stack(rng, folder, cell, number))
    suite.add("%srandom stack of %s %d" % (prefix, cell, number), run, ["iverilog"])


for cell in CELLS[1:]:
    for number in range(STACKS):
        add_stack(cell, number)
    for number in range(STACKS, STACKS + 200 if LONG else STACKS):
        add_stack(cell, number, "long-%d " % (number % 10))


@suite.case("thresholds 0 give the bits of the plain network")
def _():
    rng = random.Random(5)
    d = draw(rng, False)
    golden = []
    with scratch() as folder:
        for name in ("plain", "delta"):
            rng.seed(6)
            if name == "delta":
                d["delta"] = {"x": 0, "h": 0}
            spec = write(rng, d, folder, name)
            r = lstmgen(spec, "-o", spec.parent / name)
            check(r.status == 0, "exit %s: %s", r.status, r.last())
            golden.append((spec.parent / name / "tb" / "golden.hex").read_bytes())
    check(golden[0] == golden[1], "outputs differ")


@suite.case("one neuron on five PEs: h is scanned before the tile's last row, which is none, is through", ["iverilog"])
def _():
    rng = random.Random("one neuron")
    d = {"layers": [(8, 1)], "head": 0, "keep": 0.5, "steps": 2, "hold": 0.5, "scale": 1.0,
         "engine": {"pes": 5, "pe_width": 1}, "precision": {"weight": 6, "activation": 12, "state": 32},
         "part": "LFE5U-85F", "control": "none", "delta": {"x": 0, "h": 0}}
    with scratch() as folder:
        simulate(write(rng, d, folder))


def small(folder, **more):
    rng = random.Random(1)
    d = draw(rng, False)
    d.pop("lengths", None)
    d.update({"layers": [(6, 8)], "head": 0, "steps": 3, "part": "LFE5U-85F"}, **more)
    d["engine"] = {"pes": 2, "pe_width": 2}
    d["precision"] = {"activation": 16}
    return write(rng, d, folder)


def refused(words, **more):
    with scratch() as folder:
        r = lstmgen("check", small(folder, **more))
        check(r.status == 1 and words in r.err, "exit %s: %s", r.status, r.last())


@suite.case("three layers: the last one's h is not taken for the first one's", ["iverilog"])
def _():
    rng = random.Random(302)
    d = {"layers": [(8, 8), (8, 13), (13, 13)], "head": 0, "keep": 0.5, "steps": 5, "hold": 0, "scale": 2.0,
         "engine": {"pes": 1, "pe_width": 7}, "precision": {"weight": 5, "activation": 13, "state": 32},
         "part": "LFE5U-85F", "control": "axil", "delta": {"x": 0.5, "h": 0.25}}
    with scratch() as folder:
        simulate(write(rng, d, folder))


@suite.case("rows a few bits wider than block RAM, on a part with little of it", ["iverilog"])
def _():
    rng = random.Random(9)
    d = {"layers": [(24, 32)], "head": 0, "keep": 0.25, "steps": 3, "hold": 0, "scale": 8.0,
         "engine": {"pes": 4, "pe_width": 2}, "precision": {"weight": 16, "activation": 16, "state": 24},
         "part": "LFE5U-12F", "control": "axil"}
    with scratch() as folder:
        spec = write(rng, d, folder)
        design = json.loads(spec.read_text())
        design["memory"] = {"vector": "lut"}        # else the vector takes the blocks that rows need
        spec.write_text(json.dumps(design))
        simulate(spec)
        text = (spec.parent / "out_icarus" / "mem" / "memory_map.md").read_text()
        check("| highest bits of rows | 32 |" in text and "LUT RAM" in text, "%s", text)


@suite.case("bad thresholds and lanes are refused")
def _():
    refused("delta.h: 0.1 is no multiple of the step of h, 2^-15 (16 bits): it would round to 0.1000061035; give that",
            delta={"h": 0.1})
    refused("delta.x: 1000 is more than any change of x", delta={"x": 1000})
    refused("delta.encoder_lanes: 6 elements per cycle can not be dealt to 2 arrays", delta={"encoder_lanes": 6})


@suite.case("PEs that do not divide the neurons: the larger sub-columns set the rate, and the loss is told")
def _():
    # 10 neurons: 5 PEs have 2 each, 8 rows, 4 kept; of 4 PEs two have 3, 12 rows, so all keep 6 of each of 13 columns.
    with scratch() as folder:
        rng = random.Random(3)
        write_npz(pathlib.Path(folder) / "weights.npz", random_lstms(rng, [(3, 10)]))
        write_npy(pathlib.Path(folder) / "x.npy", (4, 3), held_values(rng, 4, 3, 0, 1.0))
        for pes, kept in ((5, 5 * 4 * 13), (4, 4 * 6 * 13)):
            spec = write_spec(folder, {
                "name": "pes%d" % pes, "model": {"file": "weights.npz", "layers": layer_keys(1)},
                "sparsity": {"pattern": "column_balanced", "keep": 0.5}, "engine": {"pes": pes, "pe_width": 2},
                "verify": {"input": "x.npy"}})
            r = lstmgen("check", spec, "--json")
            check(r.status == 0 and r.get("macs.kept") == kept, "%d PEs: exit %s, %s kept", pes, r.status,
                  r.get("macs.kept"))
            lost = r.get("padding.macs_lost")
            words = lstmgen("check", spec)
            check(lost > 0 and "padding    %d multiplier slots a step idle" % lost in words.out, "the loss is not told")


@suite.case("keep: asis names the fullest sub-column")
def _():
    with scratch() as folder:
        spec = small(folder, keep="asis")
        tensors = random_lstms(random.Random(2), [(6, 8)])
        shape, values = tensors["W0"]
        tensors["W0"] = shape, [v if n % 6 == 4 and n // 6 % 2 == 1 or n % 97 == 0 else 0.0
                                for n, v in enumerate(values)]
        write_npz(pathlib.Path(folder) / "weights.npz", tensors)
        r = lstmgen("check", spec)
        words = "the zeros of W are not column-balanced: column 4 keeps 16 weights in sub-column 1"
        check(r.status == 1 and words in r.err, "exit %s: %s", r.status, r.last())


if __name__ == "__main__":
    suite.main()
