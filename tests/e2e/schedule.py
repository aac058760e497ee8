#!/usr/bin/python3
"""schedule.svg and the bounds of the schedule, against the images and the pruned weights.  suite: 10 s

    schedule.py [WORD]...            only the cases with every WORD in their name
"""
import json, math, pathlib, random, re, sys, xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import (layer_keys, little_spec, lstmgen, random_lstms, random_values, read_npz, scratch, write_npy,
                  write_npz)

SVG = "{http://www.w3.org/2000/svg}"
BITS = 16
suite = Suite()


def blocks(folder, inputs=24, hidden=32, **more):
    keys = {"sparsity": {"pattern": "structured_blocks", "keep": 0.3, "block": 8}, "engine": {"pes": 4, "pe_width": 4},
            "precision": {"activation": 16, "weight": BITS, "state": 24}}
    return little_spec(folder, inputs=inputs, hidden=hidden, **dict(keys, **more))


def generated(folder, spec, *command):
    """Report, picture, {(PE, cycle)} of its cells: every cell once."""
    r = lstmgen(*command, spec, "-o", folder + "/out")
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    r.object = json.loads(pathlib.Path(folder, "out", "report.json").read_text())
    picture = xml.etree.ElementTree.parse(folder + "/out/schedule.svg").getroot()
    cells = picture.find("%sg[@id='cells']" % SVG)
    drawn = []
    for path in cells.iter(SVG + "path"):
        for at, pe, width, back in re.findall(r"M(\d+) (\d+)h(\d+)v\.88h-(\d+)z", path.get("d")):
            check(width == back, "%s and back %s", width, back)
            drawn += [(int(pe), int(at) + k) for k in range(int(width))]
        check(re.sub(r"M\d+ \d+h\d+v\.88h-\d+z", "", path.get("d")) == "", "what is this: %s", path.get("d")[:80])
    check(len(drawn) == len(set(drawn)), "%d cells are drawn twice", len(drawn) - len(set(drawn)))
    return r, picture, set(drawn)


def image_words(folder, pes):
    """{(PE, address)} of the words with a weight that is not 0; their number with those of 0."""
    filled, depth = set(), 0
    for pe in range(pes):
        image, = pathlib.Path(folder, "out", "mem").glob("*_weight_%d.hex" % pe)
        lines = image.read_text().splitlines()
        words = [line for line in lines if line and not line.startswith("//")]
        filled |= {(pe, k) for k, word in enumerate(words) if int(word, 16)}
        depth = len(words)
    return filled, depth


def row_words(folder, spec, lanes):
    """Words that the pruned matrices need: every row of each in words of its own."""
    out, words = folder + "/pruned.npz", 0
    check(lstmgen("prune", spec, "-o", out).status == 0, "prune failed")
    for shape, flat in read_npz(out).values():
        for r in range(shape[0] if len(shape) == 2 else 0):
            words += -(-sum(v != 0 for v in flat[r * shape[1]:(r + 1) * shape[1]]) // lanes)
    return words


def axis_cycles(picture):
    """Cycles that the area of the cells is wide, by the scale of the cells."""
    scale = float(re.search(r"scale\(([\d.]+)", picture.find("%sg[@id='cells']" % SVG).get("transform")).group(1))
    return float(picture.find("%srect[@class='idle']" % SVG).get("width")) / scale


def texts(picture):
    return ["".join(t.itertext()) for t in picture.iter(SVG + "text")]


@suite.case("structured_blocks: a cell for every word of the images, as wide as the interval measured", ["iverilog"])
def _():
    with scratch() as folder:
        spec = blocks(folder)
        r, picture, cells = generated(folder, spec, "sim", "--sim", "icarus")
        filled, depth = image_words(folder, 4)
        words = row_words(folder, spec, 4)
        page = pathlib.Path(folder, "out", "report.md").read_text()
        manifest = pathlib.Path(folder, "out", "manifest.json").read_text()
    measured = r.get("measured.interval")
    check(len(cells) == words == r.get("schedule.words"), "%d cells, the pruned rows are %d words, the report says %s",
          len(cells), words, r.get("schedule.words"))
    check(depth == measured, "this design should not wait: %s words, interval %s", depth, measured)
    check(cells == filled, "cells and words differ: %s", sorted(cells ^ filled)[:5])
    check(abs(axis_cycles(picture) - measured) < 0.05, "%s cycles wide, interval %s", axis_cycles(picture), measured)
    check(r.get("schedule.cycles") == r.get("cycles.interval") == measured, "%s cycles", r.get("schedule.cycles"))
    check(r.get("schedule.bound.work") == -(-words // 4), "bound %s", r.get("schedule.bound.work"))
    check(abs(r.get("schedule.busy") - words / (4 * measured)) < 1e-4, "busy %s", r.get("schedule.busy"))
    for word in ("W ahead", "W and R", "PE", "cycle of the step"):
        check(word in texts(picture), "no label %s: %s", word, texts(picture))
    check(any("block rows 0 to 15, 8 rows" in t for t in texts(picture)), "no legend: %s", texts(picture))
    check("(schedule.svg)" in page and '"schedule.svg"' in manifest,
          "report.md or manifest.json does not name the picture")
    return "%d cells in %d cycles" % (len(cells), measured)


@suite.case("no schedule is shorter than its bounds, and the h loop is one where little work is")
def _():
    said = []
    for hidden, keep in ((4, 0.5), (16, 0.2), (48, 0.6)):
        with scratch() as folder:
            r, picture, cells = generated(folder, blocks(folder, 6, hidden, sparsity={
                "pattern": "structured_blocks", "keep": keep, "block": 4, "align": True}))
        work, loop, cycles = (r.get("schedule." + k) for k in ("bound.work", "bound.loop", "cycles"))
        check((loop > work) == (hidden < 48), "%d neurons: loop %s, work %s", hidden, loop, work)
        check(max(work, loop) <= cycles == r.get("cycles.interval"), "work %s, loop %s, %s cycles", work, loop, cycles)
        check(abs(axis_cycles(picture) - cycles) < 0.05, "%s cycles wide", axis_cycles(picture))
        check(max(at for _, at in cells) < cycles, "a cell outside of the step")
        said.append("%d -> %d" % (max(work, loop), cycles))
    return "bound -> cycles: " + ", ".join(said)


@suite.case("two layers and a head, each on a step of its own: the interval is that of a step in which all work",
            ["iverilog"])
def _():
    with scratch() as folder:
        rng = random.Random(3)
        write_npz(folder + "/w.npz", random_lstms(rng, [(7, 20), (20, 12)], 3))
        write_npy(folder + "/x.npy", (5, 7), random_values(rng, 35))
        spec = blocks(folder, name="stages", model={"file": "w.npz", "layers": layer_keys(2, True)},
                      verify={"input": "x.npy"}, engine={"pes": 5, "pe_width": 2})
        r, picture, cells = generated(folder, spec, "sim", "--sim", "icarus")
    figures = [r.get(k) for k in ("measured.interval", "cycles.interval", "schedule.cycles")]
    check(None not in figures and len(set(figures)) == 1, "measured %s, predicted %s, a step %s", *figures)
    check(len(cells) == r.get("schedule.words") <= 5 * r.get("schedule.cycles"), "%d cells", len(cells))
    for word in ("layer 0: W and R", "layer 1: W and R", "head"):
        check(word in texts(picture), "no label %s: %s", word, texts(picture))
    return "interval %s, work %s" % (r.get("measured.interval"), r.get("schedule.bound.work"))


@suite.case("x comes too late for all stages to work on each step: runs in order, then the wait")
def _():
    with scratch() as folder:
        rng = random.Random(3)
        write_npz(folder + "/w.npz", random_lstms(rng, [(118, 1)], 10))
        write_npy(folder + "/x.npy", (4, 118), random_values(rng, 4 * 118))
        spec = blocks(folder, name="late", model={"file": "w.npz", "layers": layer_keys(1, True)},
                      verify={"input": "x.npy"}, engine={"pes": 3, "pe_width": 7}, interface={"lanes": 1})
        r, picture, cells = generated(folder, spec)
    cycles, interval = r.get("schedule.cycles"), r.get("cycles.interval")
    check(cycles == math.ceil(interval) and max(at for _, at in cells) < cycles, "%s cycles, interval %s", cycles,
          interval)
    check(len(cells) == r.get("schedule.words"), "%d cells", len(cells))


@suite.case("the other patterns of the gather engine have one, deltas have none")
def _():
    patterns = {"dense": {"pattern": "dense"}, "bank_balanced": {"pattern": "bank_balanced", "keep": 0.5, "banks": 4},
                "grouped_columns": {"pattern": "grouped_columns", "keep": 0.5, "group_rows": 4}}
    for name, sparsity in patterns.items():
        with scratch() as folder:
            spec = blocks(folder, sparsity=sparsity)
            r, picture, cells = generated(folder, spec)
            filled, _ = image_words(folder, 4)
        check(len(cells) == len(filled) == r.get("schedule.words"), "%s: %d cells, %d words", name, len(cells),
              len(filled))
    with scratch() as folder:
        spec = blocks(folder, sparsity={"pattern": "column_balanced", "keep": 0.5}, delta={"x": 0, "h": 0})
        check(lstmgen(spec, "-o", folder + "/out").status == 0, "deltas: not generated")
        check(not pathlib.Path(folder, "out", "schedule.svg").exists(), "deltas have a picture of a schedule")


suite.main()
