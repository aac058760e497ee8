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


@suite.case("lut on a family without RAM in LUTs is refused")
def _():
    with scratch() as folder:
        r = lstmgen("check", little_spec(folder, memory={"vector": "lut", "state": "lut", "partial_sum": "lut"},
                                         target={"part": "iCE40UP5K"}))
        check(r.status == 1, "exit %s", r.status)
        for name in KINDS:
            check("error: memory.%s: Lattice iCE40 has no RAM in LUTs: use auto or block" % name in r.err, "%s", r.err)


suite.main()
