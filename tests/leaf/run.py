#!/usr/bin/python3
"""Leaves: every module of every family is linted, its twin simulated against its definition, and, where
a model of the block exists, the netlist that Yosys makes of it too. Last line: N passed, M failed.

    run.py [WORD]...     only the cases whose name contains every WORD
"""
import concurrent.futures, os, pathlib, random, shutil, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
LEAF = HERE.parent.parent / "templates" / "lib" / "leaf"
YOSYS = pathlib.Path(shutil.which("yosys") or "/usr/bin/yosys").resolve().parent.parent / "share" / "yosys"
SIM = lambda *names: [str(YOSYS / n) for n in names]
MODEL = lambda *names: [str(HERE / "models" / n) for n in names]

# family -> synthesis command, simulation models of its cells, leaves without a model of their block
FAMILY = {
    "generic": ("synth", SIM("simcells.v", "simlib.v"), ()),
    "ice40": ("synth_ice40", SIM("ice40/cells_sim.v"), ()),
    "ecp5": ("synth_ecp5", SIM("ecp5/cells_sim.v") + MODEL("mult18x18d.v", "dp16kd.v"), ("lg_rom", "lg_rom2")),
    "nexus": ("synth_nexus -noiopad", SIM("nexus/cells_sim.v"), ("lg_ram", "lg_rom", "lg_rom2")),
    "gowin": ("synth_gowin -noiopads", SIM("gowin/cells_sim.v") + MODEL("gowin.v"), ("lg_rom", "lg_rom2")),
    "xc7": ("synth_xilinx -family xc7 -flatten -noiopad -noclkbuf", SIM("xilinx/cells_sim.v"),
            ("lg_ram", "lg_rom", "lg_rom2")),
    "xcup": ("synth_xilinx -family xcup -flatten -noiopad -noclkbuf",
             SIM("xilinx/cells_sim.v") + MODEL("dsp48e2.v"), ("lg_ram", "lg_rom", "lg_rom2")),
    "cyclonev": ("synth_intel_alm -family cyclonev -noiopad -noclkbuf",
                 SIM(*("intel_alm/common/%s_sim.v" % n for n in ("alm", "dff", "dsp", "mem", "misc"))),
                 ("lg_ram", "lg_rom", "lg_rom2", "lg_ram_small")),
    "cyclone10gx": ("synth_intel_alm -family cyclone10gx -noiopad -noclkbuf",
                    SIM(*("intel_alm/common/%s_sim.v" % n for n in ("alm", "dff", "dsp", "mem", "misc"))),
                    ("lg_ram", "lg_rom", "lg_rom2", "lg_ram_small")),
}
LIMIT = {"xc7": (18, 25), "xcup": (18, 27), "ice40": (16, 16)}  # widest operands; else 18 x 18
MODULES = ("lg_mul", "lg_mux_add", "lg_ram", "lg_rom", "lg_rom2", "lg_ram_small")


FOLDER = {"cyclone10gx": "cyclonev"}
CELLS = {"ice40": ("ice40/cells_sim.v",), "ecp5": ("ecp5/cells_sim.v", "ecp5/cells_bb.v"),
         "nexus": ("nexus/cells_sim.v",), "xc7": ("xilinx/cells_sim.v",),
         "xcup": ("xilinx/cells_sim.v", "xilinx/cells_xtra.v"), "cyclonev": ("intel_alm/common/dsp_sim.v",)}


def boxes(family):
    """The command that declares blocks which Yosys does not know, where the family has such; else none."""
    cells = LEAF / FOLDER.get(family, family) / "cells.v"
    return "read_verilog -lib %s; " % cells if cells.exists() else ""


def leaf(family, module):
    own = LEAF / FOLDER.get(family, family) / (module + ".v")
    return own if own.exists() else LEAF / "generic" / (module + ".v")


def run(argv, folder):
    r = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=300)
    return r.returncode, r.stdout + r.stderr


def image(folder, width, depth):
    rng = random.Random(width * 100003 + depth)
    path = folder / "image.hex"
    digits = (width + 3) // 4
    path.write_text("// a commented header, as in mem/\n" +
                    "".join("%0*x\n" % (digits, rng.getrandbits(width)) for _ in range(depth)))
    return path


def bench(family, module, p, folder):
    """Testbench file, its parameters and macros, and the module's own parameters, for one case."""
    if module == "lg_mul":
        return "tb_mul.v", {"A": p[0], "B": p[1], "LATENCY": p[2]}, \
            {"A_WIDTH": p[0], "B_WIDTH": p[1], "LATENCY": p[2]}, {}
    if module == "lg_mux_add":
        return "tb_mux_add.v", {"WIDTH": p[0]}, {"WIDTH": p[0]}, {}
    own = {"WIDTH": p[0], "DEPTH": p[1]}
    if module in ("lg_ram", "lg_ram_small"):
        small = int(module == "lg_ram_small")
        opened = int(small and family == "ice40")
        return "tb_ram.v", dict(own, SMALL=small), own, {"OPEN": "1'b%d" % opened}
    hexfile = '"%s"' % image(folder, *p).name
    return "tb_rom.v", dict(own, PORTS=2 if module == "lg_rom2" else 1), dict(own, INIT_FILE=hexfile), \
        {"IMAGE": hexfile}


def simulate(folder, tb, tb_parameters, macros, dut, sources, defines=()):
    argv = ["iverilog", "-g2012", "-o", "sim", "-s", "tb", "-DDUT=" + dut]
    argv += ["-D%s=%s" % kv for kv in macros.items()] + ["-D" + d for d in defines]
    argv += ["-I%s" % d for d in sorted({str(pathlib.Path(f).parent) for f in sources})]
    argv += ["-Ptb.%s=%d" % kv for kv in tb_parameters.items()] + [str(HERE / tb)] + sources
    status, text = run(argv, folder)
    if status:
        return text[-600:]
    status, text = run(["vvp", "-n", "sim"], folder)
    return "" if "PASS" in text.split("\n") else text[-600:]


def case_twin(family, module, p, folder):
    tb, tbp, own, macros = bench(family, module, p, folder)
    dut = module + " #(" + ", ".join(".%s(%s)" % kv for kv in own.items()) + ")"
    return simulate(folder, tb, tbp, macros, dut, [str(leaf(family, module))])


def case_block(family, module, p, folder):
    tb, tbp, own, macros = bench(family, module, p, folder)
    command, models, _ = FAMILY[family]
    sets = " ".join("-set %s %s" % (k, v.replace('"', '\\"')) if isinstance(v, str) else "-set %s %d" % (k, v)
                    for k, v in own.items())
    (folder / "synth.ys").write_text("\n".join([
        boxes(family) + "read_verilog -defer %s" % leaf(family, module), "chparam %s %s" % (sets.replace('\\"', '"'), module),
        command + " -top " + module, "check -assert", "write_verilog -noattr netlist.v", ""]))
    status, text = run(["yosys", "-q", "synth.ys"], folder)
    if status or not (folder / "netlist.v").exists():
        return text[-600:]
    netlist = folder / "netlist.v"  # Yosys' own DP16KD is empty: the model has another name
    netlist.write_text(netlist.read_text().replace(" DP16KD ", " DP16KD_MODEL "))
    return simulate(folder, tb, tbp, macros, module, ["netlist.v"] + models,
                    ["ICE40_HX", "NO_ICE40_DEFAULT_ASSIGNMENTS", "cyclonev"])


def case_lint(family, module, p, folder):
    path = leaf(family, module)
    faults = ""
    cells = boxes(family) + "".join("read_verilog -lib %s; " % c for c in SIM(*CELLS.get(family, ())))
    for argv in (["verilator", "--lint-only", "-Wall", path], ["iverilog", "-g2005", "-Wall", "-t", "null", path],
                 ["yosys", "-q", "-p",
                  cells + "read_verilog %s; hierarchy -check -top %s; proc; check -assert" % (path, module)],
                 ["yosys", "-q", "-p", "read_verilog -DLG_COUNT_ROM %s; proc" % path]):
        status, text = run([str(a) for a in argv], folder)
        if status or text.strip():
            faults += "%s: %s\n" % (argv[0], text[-700:])
    return faults


def cases():
    own = lambda f, m: f == "generic" or (LEAF / f / (m + ".v")).exists()
    for f in FAMILY:
        amax, bmax = LIMIT.get(f, (18, 18))
        widths = {
            "lg_mul": [(1, 1, 1), (16, 16, 3), (8, 16, 2), (amax, bmax, 4), (3, 5, 1), (amax, bmax, 3),
                       (amax, bmax, 2), (amax, bmax, 1), (12, 13, 5)],
            "lg_mux_add": [(1,), (2,), (7,), (40,), (33,), (64,)],
            "lg_ram": [(1, 1), (16, 2), (36, 512), (37, 100), (18, 1024), (20, 700), (9, 2048), (11, 1500),
                       (5, 4096), (3, 8192), (2, 16384), (3, 16500)],
            "lg_rom": [(1, 1), (16, 2), (36, 512), (37, 100), (20, 700), (9, 2048)],
            "lg_rom2": [(1, 1), (16, 2), (37, 100), (20, 300)],
            "lg_ram_small": [(1, 1), (16, 2), (16, 16), (16, 17), (17, 64), (40, 48)],
        }
        # the netlists: fewer cases (Yosys takes a second each), none so small that registers are cheaper
        netlist = {
            "lg_mul": [(8, 16, 2), (amax, bmax, 4), (amax, bmax, 3), (3, 5, 1)],
            "lg_mux_add": [(7,), (40,)],
            "lg_ram": [(16, 2), (37, 300), (20, 700), (11, 1500), (5, 4096), (3, 8192), (2, 16384)],
            "lg_rom": [(37, 100), (20, 700)],
            "lg_rom2": [(20, 300)],
            "lg_ram_small": [(16, 17), (40, 48)],
        }
        for m in MODULES:
            if own(f, m):
                yield "lint", f, m, (), case_lint
                for p in widths[m]:
                    yield "twin", f, m, p, case_twin
            if m in FAMILY[f][2]:
                continue
            if f == "gowin" and m == "lg_ram":      # deeper ones are inferred: cells that have no model
                netlist[m] = [p for p in netlist[m] if p[1] <= 2048]
            for p in netlist[m] if f != "generic" else []:
                yield "block", f, m, p, case_block


def one(case):
    kind, family, module, p, function = case
    name = " ".join([kind, family, module] + [str(v) for v in p])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leaf_"))
    try:
        return name, function(family, module, p, folder)
    except subprocess.TimeoutExpired as e:
        return name, "timed out: %s" % e
    finally:
        shutil.rmtree(folder)


def main():
    words = sys.argv[1:]
    chosen = [c for c in cases() if all(w in " ".join([c[0], c[1], c[2]] + [str(v) for v in c[3]]).split()
                                        for w in words)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count() or 1))) as pool:
        for name, fault in pool.map(one, chosen):
            if fault:
                failed += 1
                print("FAILED %s\n%s" % (name, fault))
    print("leaves: %d passed, %d failed" % (len(chosen) - failed, failed))
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
