#!/usr/bin/python3
"""Small memories go where the part has room, and nothing else changes by that.  suite: 20 s

    memories.py [WORD]...            only the cases with every WORD in their name
"""
import itertools, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import little_spec, lstmgen, scratch, tree
from simulation import simulated

KINDS = {"vector": ["vector"], "state": ["gate i", "i * g", "cell state", "tanh of cell state"],
         "partial_sum": ["partial sum"]}
NETWORK = {"inputs": 12, "hidden": 8, "steps": 3, "sparsity": {"pattern": "bank_balanced", "keep": 0.5, "banks": 4},
           "engine": {"pes": 4, "pe_width": 4}}
suite = Suite()


def checked(folder, part, **pins):
    """`check --json` of a network on a part."""
    r = lstmgen("check", little_spec(folder, **NETWORK, memory=pins, target={"part": part}), "--json")
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    return r


def blocks(r):
    """{group: its memories are block RAM}"""
    style = {m["name"]: m["style"] for m in r.get("memories")}
    found = {}
    for group, names in KINDS.items():
        kinds = {style[n] for n in names}
        check(len(kinds) == 1, "%s has the kinds %s", group, kinds)
        found[group] = kinds == {"block"}
    return found


@suite.case("each pin holds, and cycles do not depend on the kinds of vectors and sums")
def _():
    with scratch() as folder:
        cycles = set()
        for vector, state, sums in itertools.product(("lut", "block"), repeat=3):
            r = checked(folder, "LFE5U-25F", vector=vector, state=state, partial_sum=sums)
            wanted = {"vector": vector == "block", "state": state == "block", "partial_sum": sums == "block"}
            check(blocks(r) == wanted, "%s instead of %s", blocks(r), wanted)
            cycles.add((state, r.get("cycles.interval"), r.get("cycles.latency")))
        check(len(cycles) == 2, "cycles %s", cycles)
        auto = checked(folder, "LFE5U-25F")
        check(("lut", auto.get("cycles.interval"), auto.get("cycles.latency")) in cycles, "auto takes other cycles")


@suite.case("auto: few logic cells while block RAM is free, LUT RAM where it is not")
def _():
    """The same core on one chip with many blocks and on one whose blocks the weights fill; what is chosen against what
    every other choice would take."""
    with scratch() as folder:
        for part in ("LFE5U-85F", "LFE5U-12F", "LIFCL-17", "xc7s6"):
            auto, total = checked(folder, part), None
            limit = 0.9 * auto.get("resources_limit.bram")
            for pins in itertools.product(("lut", "block"), repeat=3):
                r = checked(folder, part, **dict(zip(("vector", "state", "partial_sum"), pins)))
                if r.get("resources.bram") > limit or r.get("cycles") != auto.get("cycles"):
                    continue
                cells = r.get("resources.lut") + r.get("resources.lutram")
                total = cells if total is None else min(cells, total)
            chosen = auto.get("resources.lut") + auto.get("resources.lutram")
            if total is not None:
                check(auto.get("resources.bram") <= limit, "%s: %s of %s blocks", part, auto.get("resources.bram"), limit)
                check(chosen == total, "%s: %s cells are chosen, %s would do", part, chosen, total)
        return "%d cells on the last" % chosen


@suite.case("a small chip keeps in LUT RAM what a large one puts into blocks")
def _():
    with scratch() as folder:
        large, small = blocks(checked(folder, "LFE5U-85F")), blocks(checked(folder, "xc7s6"))
        check(large["vector"] and not small["vector"], "vectors in blocks: %s, %s", large, small)


@suite.case("every kind computes the same, in the cycles that were predicted", ["iverilog"])
def _():
    with scratch() as folder:
        images = set()
        for pins in (("block", "block", "block"), ("lut", "lut", "lut"), ("auto", "auto", "auto")):
            pins = dict(zip(("vector", "state", "partial_sum"), pins))
            simulated(little_spec(folder, **NETWORK, memory=pins, target={"part": "LFE5U-25F"}))
            images.add(tree(pathlib.Path(folder, "out_icarus", "tb"))["golden.hex"])
        check(len(images) == 1, "golden outputs differ")


@suite.case("engine.optimise: area takes fewer cells, cycles fewer cycles, balanced gives up 2 % at most")
def _():
    """A network whose second cell lane saves about 3 % of the cycles, and one where it saves nothing."""
    found = {}
    with scratch() as folder:
        for inputs, hidden in ((1, 20), (40, 20)):
            for optimise in ("cycles", "balanced", "area"):
                r = lstmgen("check", little_spec(folder, inputs=inputs, hidden=hidden, engine={
                    "pes": 2, "pe_width": 2, "optimise": optimise}), "--json")
                check(r.status == 0, "exit %s: %s", r.status, r.last())
                found[inputs, optimise] = (r.get("cycles.interval"), r.get("resources.lut"))
    for inputs in (1, 40):
        fewest, balanced, area = (found[inputs, o] for o in ("cycles", "balanced", "area"))
        check(fewest[0] <= balanced[0] <= 1.02 * fewest[0], "balanced takes %s cycles, %s do", balanced[0], fewest[0])
        check(fewest[0] <= area[0] <= 1.25 * fewest[0], "area takes %s cycles, %s do", area[0], fewest[0])
        check(area[1] <= balanced[1] <= fewest[1], "LUT: %s", (area, balanced, fewest))
    check(found[1, "area"][1] < 0.85 * found[1, "cycles"][1], "area saves too little: %s", found)
    return "1 -> 20: %s cycles and %s LUT, or %s and %s" % (found[1, "cycles"] + found[1, "area"])


@suite.case("lut on a family without RAM in LUTs is refused")
def _():
    with scratch() as folder:
        r = lstmgen("check", little_spec(folder, memory={"vector": "lut", "state": "lut", "partial_sum": "lut"},
                                         target={"part": "iCE40UP5K"}))
        check(r.status == 1, "exit %s", r.status)
        for name in KINDS:
            check("error: memory.%s: Lattice iCE40 has no RAM in LUTs: use auto or block" % name in r.err, "%s", r.err)


suite.main()
