#!/usr/bin/python3
"""`lstmgen synth` for every family: Yosys finds the multipliers and memories that the planner counted.  suite: 70 s

    synth.py [WORD]...               only the cases with every WORD in their name
Prints LUT, FF, DSP and BRAM, and LUT and FF per multiplier.
"""
import os, pathlib, re, shutil, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import ROOT, lstmgen, scratch, little_spec

PARTS = {"ice40": "iCE40UP5K", "ecp5": "LFE5U-85F", "nexus": "LIFCL-40", "xc7": "xc7a100t", "xcup": "xczu3eg",
         "cyclonev": "5CEBA4", "cyclone10gx": "10CX085"}
suite = Suite()


def family(name, part, pattern, engine):
    def run():
        with scratch() as folder:
            spec = little_spec(folder, inputs=12, hidden=16, sparsity=pattern, engine=engine)
            r = lstmgen("synth", spec, "--part", part, "--json", "-o", folder + "/out", timeout=500)
        check(r.status == 0, "exit %s: %s", r.status, r.last())
        used = {k: r.get("resources." + k) for k in ("lut", "ff", "dsp", "bram")}
        multipliers = r.get("multipliers.engine", 0) + r.get("multipliers.cell", 0)
        check(r.get("resources.source") == "yosys", "source %s", r.get("resources.source"))
        check(r.get("part") == part or part in str(r.get("part")), "part %s", r.get("part"))
        check(used["dsp"] >= multipliers or name == "ice40" and used["dsp"] > 0, "%s multipliers, %s DSP", multipliers, used["dsp"])
        return "LUT %(lut)s FF %(ff)s DSP %(dsp)s BRAM %(bram)s" % used + "; per multiplier (%d): LUT %.0f FF %.0f" % (
            multipliers, used["lut"] / multipliers, used["ff"] / multipliers)
    suite.add("%s %s" % (name, pattern["pattern"]), run, ["yosys"])


for name, part in PARTS.items():
    small = {"pes": 2, "pe_width": 2} if name == "ice40" else {"pes": 4, "pe_width": 4}
    family(name, part, {"pattern": "dense"}, small)
    family(name, part, {"pattern": "bank_balanced", "keep": 0.5, "banks": small["pe_width"]}, small)


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
