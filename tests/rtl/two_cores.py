#!/usr/bin/python3
"""Two different cores in one design, elaborated and run from a folder that is neither's.  suite: 20 s

    two_cores.py [WORD]...           only the cases with every WORD in their name
Both find their own images by MEM_DIR and give their own golden outputs. Their library modules are the same files
where tool and family are the same, else one of the cores has a prefix.
"""
import pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import lstmgen, little_spec, scratch

BENCH = pathlib.Path(__file__).resolve().parent / "tb_two_cores.v"
NETWORKS = {
    "wake": dict(inputs=3, hidden=8, steps=6, seed=1, sparsity={"pattern": "bank_balanced", "keep": 0.5, "banks": 2}),
    "words": dict(inputs=5, hidden=6, steps=9, seed=2, sparsity={"pattern": "column_balanced", "keep": 0.5}),
}
FAMILY = {"wake": "LFE5U-25F", "words": "xc7a100t"}
suite = Suite()


def run(argv, cwd):
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300,
                       cwd=cwd)
    return r.returncode, r.stdout + r.stderr


def write_core(folder, name, *options):
    """Output folder of a core, and the macros that tell tb_two_cores.v about it; paths as seen from folder/third."""
    net = NETWORKS[name]
    spec = little_spec(folder, name, interface={"control": "none", "lanes": 1}, **net)
    r = lstmgen(spec, "-o", folder / name, *options)
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    out = "../" + name
    return {"TOP": name + "_top", "MEM": '"%s/mem/"' % out, "IN": '"%s/tb/input.hex"' % out,
            "OUT": '"%s/tb/golden.hex"' % out, "INPUTS": net["inputs"], "OUTPUTS": net["hidden"],
            "STEPS": net["steps"], "BITS": 16}


def sources(folder, name):
    """{file name: path} of a core's Verilog."""
    lines = (folder / name / "rtl" / "filelist.f").read_text().split()
    return {pathlib.Path(line).name: folder / name / line for line in lines}


def simulate(third, files, macros):
    """Icarus; how many results came and were wrong, of each core."""
    defines = ["-D%s_%s=%s" % (core, k, v) for core, m in macros.items() for k, v in m.items()]
    include = ["-I" + str(p) for p in {f.parent for f in files}]
    status, text = run(["iverilog", "-g2005", "-o", "two.vvp", "-s", "tb_two_cores"] + include + defines + files
                       + [BENCH], third)
    check(status == 0 and not text, "iverilog: exit %s: %s", status, text[-600:])
    status, text = run(["vvp", "-n", "two.vvp"], third)
    check(status == 0 and "results" in text, "vvp: exit %s: %s", status, text[-600:])
    check("WARNING" not in text, "%s", text[-600:])
    words = text.split()
    return [int(words[k]) for k in (0, 2, 4, 6)]


def expect_right(third, files, macros):
    want = [macros[core]["OUTPUTS"] * macros[core]["STEPS"] for core in "AB"]
    got = simulate(third, files, macros)
    check(got == want + [0, 0], "results and wrong ones: %s, expected %s and none", got, want)


def lint(third, files, macros, yosys):
    """Verilator (and Yosys, which has the cells of one family at a time) elaborate a module with both cores."""
    text = BENCH.read_text()
    text = text[:text.index("// Sends the words")] + "`default_nettype wire\n"
    for core, m in macros.items():
        for key, value in m.items():
            text = text.replace("`%s_%s" % (core, key), str(value))
    (third / "pair.v").write_text(text)
    include = ["-I" + str(p) for p in {f.parent for f in files}]
    waivers = [files[0].parent / "lint.vlt"]
    status, text = run(["verilator", "--lint-only", "-Wall", "-Wno-DECLFILENAME", "--top-module", "pair"]
                       + include + waivers + files + ["pair.v"], third)
    check(status == 0 and not text.strip(), "verilator: exit %s: %s", status, text[-600:])
    if yosys:
        synthesis(third, include, files)


def synthesis(third, include, files):
    script = "read_verilog -lib +/ecp5/cells_sim.v +/ecp5/cells_bb.v; " \
             "read_verilog -defer %s %s pair.v; hierarchy -check -top pair; proc; check -assert" % (
        " ".join(include), " ".join(str(f) for f in files))
    status, text = run(["yosys", "-q", "-p", script], third)
    check(status == 0, "yosys: exit %s: %s", status, text[-600:])


def in_folder(case):
    """The case with a scratch folder and an empty third folder in it."""
    def run_case():
        with scratch() as folder:
            third = pathlib.Path(folder, "third")
            third.mkdir()
            case(pathlib.Path(folder), third)
    return run_case


def shared(folder, third):
    macros = {"A": write_core(folder, "wake"), "B": write_core(folder, "words")}
    wake, words = sources(folder, "wake"), sources(folder, "words")
    for name in wake.keys() & words.keys():
        check(wake[name].read_bytes() == words[name].read_bytes(), "%s differs", name)
    names = {p.name for core in NETWORKS for p in (folder / core / "mem").glob("*.hex")}
    count = sum(len(list((folder / core / "mem").glob("*.hex"))) for core in NETWORKS)
    check(len(names) == count, "the cores share names of images")
    files = list({**wake, **words}.values())
    expect_right(third, files, macros)
    lint(third, files, macros, True)


def prefixed(folder, third):
    macros = {"A": write_core(folder, "wake", "--part", FAMILY["wake"], "--prefix", "old_"),
              "B": write_core(folder, "words", "--part", FAMILY["words"])}
    wake, words = sources(folder, "wake"), sources(folder, "words")
    check(not wake.keys() & words.keys(), "files of the same name: %s", sorted(wake.keys() & words.keys()))
    check((folder / "wake" / "rtl" / "old_lg_mul.v").read_bytes() != (folder / "words" / "rtl" / "lg_mul.v").read_bytes(),
          "the two families have the same multiplier: nothing is shown")
    expect_right(third, list(wake.values()) + list(words.values()), macros)
    lint(third, list(wake.values()) + list(words.values()), macros, False)


def exchanged(folder, third):
    """The images of another network with the same names: the comparison must notice."""
    macros = {"A": write_core(folder, "wake"), "B": write_core(folder, "words")}
    files = list({**sources(folder, "wake"), **sources(folder, "words")}.values())
    image = folder / "wake" / "mem" / "wake_weight_0.hex"
    lines = image.read_text().splitlines()
    image.write_text("\n".join(lines[:2] + ["0" * len(line) for line in lines[2:]]) + "\n")
    got = simulate(third, files, macros)
    check(got[2] > 0 and got[3] == 0, "wrong results: %s of the spoilt core, %s of the other", got[2], got[3])


TOOLS = ["iverilog", "verilator", "yosys"]
suite.add("library modules shared", in_folder(shared), TOOLS)
suite.add("two families, one with a prefix", in_folder(prefixed), TOOLS)
suite.add("a spoilt image is noticed in its own core only", in_folder(exchanged), TOOLS)
suite.main()
