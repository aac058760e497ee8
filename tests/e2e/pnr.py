#!/usr/bin/python3
"""`lstmgen synth --pnr`: small cores placed and routed on ECP5 and iCE40, and tools that fail.  suite: 60 s

    pnr.py [WORD]...                 only the cases with every WORD in their name
Tools: those of PATH, else of build/tools (`make pnr-tools`). The failures are those of programs made here.
"""
import csv, json, os, pathlib, shutil, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Skip, Suite, check
from lstm import ROOT, little_spec, lstmgen, scratch

TOOLS = ROOT / "build" / "tools" / "bin"
SMALL = {"inputs": 1, "hidden": 3, "precision": {"activation": 8, "weight": 8}, "interface": {"control": "none"},
         "engine": {"pes": 1, "pe_width": 1}}
suite = Suite()


def need_tools(*programs):
    for p in programs:
        if not shutil.which(p) and not (TOOLS / ("yowasp-" + p)).exists():
            raise Skip("%s is not there: make pnr-tools" % p)


def check_report(r, program, cells):
    """What every placed core's report holds; the figures against nextpnr's own."""
    out = r.get("fmax_mhz")
    check(20 < out < 400, "%s MHz", out)
    interval = r.get("cycles.interval")
    check(abs(r.get("us_per_step") - interval / out) < 1e-3, "%s us a step", r.get("us_per_step"))
    check(r.get("resources.source") == "nextpnr" and r.get("placement.tool").startswith(program + " "), "%s",
          r.get("placement"))
    path = r.object["critical_path"]
    ns = sum(h["ns"] for h in path)
    check(abs(1000 / out - ns) < 0.03 * ns, "the path's hops are %.2f ns, the period %.2f", ns, 1000 / out)
    check(abs(r.get("placement.logic_ns") + r.get("placement.routing_ns") - ns) < 0.05, "logic and routing")
    check(all(h["from"].startswith("u_") or "_q" in h["from"] for h in path), "names %s", path)
    check(not any(w in h["from"] for h in path for w in ("TRELLIS", "SB_", "LUT4", "u_core")), "cells' names: %s", path)
    check(r.get("resources.dsp") == r.get("multipliers.engine") + r.get("multipliers.cell"), "%s DSP",
          r.get("resources.dsp"))
    check(0 < r.get("resources.lut") < cells, "%s LUT", r.get("resources.lut"))


def nextpnr_says(folder, seed):
    return json.loads((folder / "syn" / ("little_%d.report.json" % seed)).read_text())


@suite.case("ECP5: the clock of nextpnr's report, cells, bitstream, the speed grade of the ordering code")
def _():
    need_tools("yosys", "nextpnr-ecp5", "ecppack")
    with scratch() as folder:
        out = pathlib.Path(folder, "out")
        r = lstmgen("synth", little_spec(folder, **SMALL), "--part", "LFE5U-25F-8BG381C", "--pnr", "--json", "-o", out,
                    timeout=600)
        check(r.status == 0, "exit %s: %s", r.status, r.last())
        check_report(r, "nextpnr-ecp5", 3000)
        says = nextpnr_says(out, 1)
        mhz = next(iter(says["fmax"].values()))["achieved"]
        check(abs(r.get("fmax_mhz") - mhz) < 0.01, "%s of %s", r.get("fmax_mhz"), mhz)
        check(r.get("resources.ff") == says["utilization"]["TRELLIS_FF"]["used"] - r.get("placement.pins_ff"), "FF")
        check((out / "syn/little.bit").stat().st_size > 10000, "no bitstream")
        check("## Critical path" in (out / "report.md").read_text(), "report.md")
        check("--speed 8" in (out / "syn/pnr.sh").read_text(), "the speed grade of the ordering code")
        return "%.1f MHz, %s LUT, %s FF" % (r.get("fmax_mhz"), r.get("resources.lut"), r.get("resources.ff"))


@suite.case("iCE40: clock, cells, bitstream; a missed clock is a warning; `make pnr` in the folder alone agrees")
def _():
    need_tools("yosys", "nextpnr-ice40", "icepack")
    with scratch() as folder:
        out, alone = pathlib.Path(folder, "out"), pathlib.Path(folder, "alone")
        r = lstmgen("synth", little_spec(folder, **SMALL), "--part", "iCE40UP5K", "--pnr", "--json", "-o", out,
                    "--set", "target.clock_mhz=300", timeout=600)
        check(r.status == 0, "exit %s: %s", r.status, r.last())
        check_report(r, "nextpnr-ice40", 5280)
        check("target.clock_mhz is 300" in r.err and any("300" in w for w in r.object["warnings"]), "no warning: %s",
              r.err)
        check((out / "syn/little.bit").stat().st_size > 10000, "no bitstream")
        out.rename(alone)
        (alone / "syn/little.bit").unlink()
        made = subprocess.run(["make", "-s", "-C", alone, "pnr"], capture_output=True, text=True, timeout=600,
                              env=dict(os.environ, PATH="%s:%s" % (os.environ["PATH"], TOOLS)))
        check(made.returncode == 0 and "%.2f MHz" % r.get("fmax_mhz") in made.stdout, "make pnr: %s",
              made.stdout + made.stderr[-500:])
        check((alone / "syn/little.bit").exists(), "make pnr left no bitstream")
        return "%.1f MHz, %s cells" % (r.get("fmax_mhz"), r.get("resources.lut"))


# ---- tools that fail: programs made here stand first in PATH

STAT = "=== little_pins ===\n   LUT4 11\n   TRELLIS_FF 24\n   little_top 1\n=== little_top ===\n   LUT4 500\n   " \
       "TRELLIS_FF 900\n   MULT18X18D %(dsp)s\n   MULT18X18 %(dsp)s\n   DP16KD 8\n"
YOSYS = "printf '%s' > syn/little_pins.stat.txt; printf '=== little_pins ===\\n LUT4 511\\n TRELLIS_FF 924\\n " \
        "MULT18X18D %%(dsp)s\\n MULT18X18 %%(dsp)s\\n DP16KD 8\\n' > syn/little_pnr.stat.txt; " \
        "echo '{}' > syn/little_pnr.json" \
        % STAT.replace("\n", "\\n")
# $seed and $report are the values of these options.
ARGUMENTS = "while [ $# -gt 0 ]; do case $1 in --seed) seed=$2 ;; --report) report=$2 ;; --textcfg) config=$2 ;; " \
            "--version) echo '\"fake\" -- (Version nextpnr-0.99)'; exit 0 ;; esac; shift; done\n"
PLACED = ARGUMENTS + """case $seed in 1) mhz=110 ;; 2) mhz=130 ;; *) mhz=120 ;; esac; echo "seed $seed" > $config
cat > $report <<END
{"fmax": {"aclk": {"achieved": $mhz, "constraint": 100}},
 "utilization": {"TRELLIS_COMB": {"used": 611}, "TRELLIS_FF": {"used": 924}, "MULT18X18D": {"used": 5}},
 "critical_paths": [{"from": "posedge aclk", "to": "<async>", "path": [{"delay": 99, "type": "logic"}]},
  {"from": "posedge aclk", "to": "posedge aclk", "path": [
   {"delay": 0.5, "type": "clk-to-q", "from": {"cell": "u_core.u_cell.a_q_TRELLIS_FF_Q_3"},
    "to": {"cell": "u_core.u_cell.a_q_TRELLIS_FF_Q_3"}},
   {"delay": 1.25, "type": "routing", "from": {"cell": "u_core.u_cell.a_q_TRELLIS_FF_Q_3"},
    "to": {"cell": "u_core.u_cell.sum_LUT4_Z_D\\$CCU2_COMB0"}},
   {"delay": 0.25, "type": "setup", "from": {"cell": "u_core.u_cell.sum_LUT4_Z_D\\$CCU2_COMB0"},
    "to": {"cell": "u_core.u_cell.sum_LUT4_Z_D\\$CCU2_COMB0"}}]}]}
END
"""


def with_fakes(folder, dsp=5, **programs):
    """The environment in which yosys, nextpnr-ecp5 and ecppack are shell scripts of these texts (None: not there)."""
    there = pathlib.Path(folder, "bin")
    there.mkdir()
    texts = {"yosys": YOSYS % {"dsp": dsp}, "nextpnr-ecp5": PLACED, "ecppack": "cp $1 $2"}
    texts.update({k.replace("_", "-"): v for k, v in programs.items()})
    for name, text in texts.items():
        if text is not None:
            (there / name).write_text("#!/bin/sh\n" + text + "\n")
            (there / name).chmod(0o755)
        elif shutil.which(name, path="/usr/bin:/bin"):
            raise Skip("%s is in /usr/bin" % name)
    return dict(os.environ, PATH="%s:/usr/bin:/bin" % there, LSTMGEN_TOOLS="", YOSYS="", NEXTPNR="")


def refused(name, status, words, *options, part="LFE5U-25F", dsp=5, **programs):
    def run():
        with scratch() as folder:
            env = with_fakes(folder, dsp, **programs)
            out = pathlib.Path(folder, "out")
            r = lstmgen("synth", little_spec(folder, **SMALL), "--part", part, "--pnr", "-o", out, *options, env=env)
            check(r.status == status, "exit %s: %s", r.status, r.err)
            for w in words:
                check(w in r.err, "no '%s' in: %s", w, r.err)
            report = json.loads((out / "report.json").read_text()) if out.exists() else {}
            check("fmax_mhz" not in report and "nextpnr" not in json.dumps(report.get("resources", {})),
                  "a report of a run that failed")
    suite.add("refused: " + name, run)


refused("nextpnr is not there", 4, ["nextpnr-ecp5 is not there", "make pnr-tools"], nextpnr_ecp5=None)
refused("Yosys 0.70 on Nexus", 4, ["with Yosys 0.23"], part="LIFCL-40",
        nextpnr_nexus="echo 'ERROR: CCU2 CIN driven by non-CCU2 cell'; exit 125")
refused("nextpnr is too old", 4, ["too old"], nextpnr_ecp5="echo \"unrecognised option '--report'\"; exit 255")
refused("nextpnr crashes", 4, ["signal 11"], nextpnr_ecp5="kill -SEGV $$")
refused("nextpnr is killed", 4, ["out of memory"], nextpnr_ecp5="kill -KILL $$")
refused("a report without a clock", 4, ["no frequency of a clock"],
        nextpnr_ecp5=ARGUMENTS + "echo '{\"fmax\": {}, \"utilization\": {}}' > $report; echo > $config")
refused("no report", 4, ["no frequency of a clock"], nextpnr_ecp5="exit 0")
refused("a report that is cut off", 4, ["no frequency of a clock"],
        nextpnr_ecp5=ARGUMENTS + "echo '{\"fmax\": {\"aclk\": {\"achie' > $report")
refused("no netlist", 4, ["left no netlist"], yosys="exit 0")
refused("Yosys fails", 4, ["out of luck"], yosys="echo 'ERROR: out of luck' >&2; exit 1")
refused("multipliers are gone", 4, ["2 DSP cells, 5 are expected"], dsp=2)
refused("too many multipliers for the part", 1, ["60 DSP where the part has 28", "--part LFE5U-45F"], dsp=60)
refused("cells find no place", 1, ["too small", "TRELLIS_COMB"],
        nextpnr_ecp5="echo \"ERROR: Unable to place cell 'x', no BELs remaining to implement cell type "
                     "'TRELLIS_COMB'\"; exit 1")
refused("the packer fails", 4, ["bad config"], ecppack="echo 'bad config' >&2; exit 3")
refused("a part of a vendor's tool", 1, ["xc7a35t is not placed"], part="xc7a35t")


@suite.case("three seeds: median, best, worst; the bitstream is the median's; names and kinds of the path")
def _():
    with scratch() as folder:
        out = pathlib.Path(folder, "out")
        r = lstmgen("synth", little_spec(folder, **SMALL), "--part", "LFE5U-25F", "--pnr", "--seeds=3", "--json", "-o",
                    out, "--require-clock", env=with_fakes(folder))
        check(r.status == 0, "exit %s: %s", r.status, r.last())
        for key, value in {"fmax_mhz": 120, "placement.best_mhz": 130, "placement.worst_mhz": 110, "placement.seeds": 3,
                           "placement.tool": "nextpnr-ecp5 0.99", "resources.lut": 600, "resources.ff": 900,
                           "placement.logic_ns": 0.75, "placement.routing_ns": 1.25}.items():
            check(r.get(key) == value, "%s is %s", key, r.get(key))
        check((out / "syn/little.bit").read_text() == "seed 3\n", "another seed's bitstream")
        check(r.object["critical_path"] == [
            {"from": "u_cell.a_q", "to": "u_cell.a_q", "ns": 0.5, "kind": "logic"},
            {"from": "u_cell.a_q", "to": "u_cell.sum", "ns": 1.25, "kind": "routing"},
            {"from": "u_cell.sum", "to": "u_cell.sum", "ns": 0.25, "kind": "logic"}], "%s", r.object["critical_path"])


@suite.case("a missed clock: status 3 with --require-clock, else a warning; options that need --pnr")
def _():
    with scratch() as folder:
        spec, env = little_spec(folder, **SMALL), with_fakes(folder)
        fast = ["synth", spec, "--part", "LFE5U-25F", "--set", "target.clock_mhz=111", "-o", folder + "/out"]
        r = lstmgen(*fast, "--pnr", "--require-clock", env=env)
        check(r.status == 3 and "110.0 MHz" in r.err and "111" in r.err, "exit %s: %s", r.status, r.err)
        r = lstmgen(*fast, "--pnr", "--json", env=env)
        check(r.status == 0 and any("110.0 MHz" in w for w in r.object["warnings"]), "exit %s: %s", r.status, r.err)
        for words in (["--seeds", "3"], ["--require-clock"], ["--pnr", "--seeds", "0"], ["--pnr", "--seeds", "100"]):
            r = lstmgen(*fast, *words, env=env)
            check(r.status == 2 and words[-2 if len(words) > 1 else -1] in r.err, "%s: exit %s: %s", words, r.status,
                  r.err)


@suite.case("sweep, depth place: MHz and microseconds a step of every point, and the front of them")
def _():
    with scratch() as folder:
        spec = little_spec(folder, **dict(SMALL, target={"part": "LFE5U-25F"}))
        path = pathlib.Path(folder, "s.yaml")
        path.write_text(json.dumps({"name": "s", "base": spec.name, "depth": "place", "axes": {"engine.pes": [1, 2, 3]},
                                    "front": ["us_per_step", "multipliers.engine"]}))
        r = lstmgen("sweep", path, "-o", folder + "/swept", env=with_fakes(folder, dsp=7))
        check(r.status == 0, "exit %s: %s", r.status, r.err)
        with open(folder + "/swept/points.csv") as f:
            rows = list(csv.DictReader(f))
        check([row["status"] for row in rows] == ["ok"] * 3, "%s", rows)
        for row in rows:
            check(float(row["fmax_mhz"]) == 110 and row["resources.source"] == "nextpnr", "%s", row)
            check(abs(float(row["us_per_step"]) - float(row["cycles.interval"]) / 110) < 1e-4, "%s", row["us_per_step"])


suite.main()
