#!/usr/bin/python3
"""lg_wait of every family that has its own, against a line of words; a place too few is noticed.

    wait.py [WORD]...                only the cases with every WORD in their name
"""
import pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import ROOT, scratch

HERE = pathlib.Path(__file__).resolve().parent
LIB = ROOT / "templates" / "lib"
SHAPES = [(8, 20, 1), (21, 22, 2), (1, 3, 1), (33, 16, 4), (5, 17, 1), (7, 18, 9)]     # bits, latency, from word to word
suite = Suite()


def simulate(text, folder, shape):
    path = pathlib.Path(folder, "lg_wait.v")
    path.write_text(text)
    files = [path, LIB / "lg_delay.v", LIB / "lg_delay_reset.v", LIB / "leaf" / "generic" / "lg_ram_small.v",
             HERE / "tb_wait.v"]
    sets = ["-Ptb.%s=%d" % s for s in zip(("WIDTH", "LATENCY", "EVERY"), shape)]
    subprocess.run(["iverilog", "-g2005", "-o", folder + "/sim", "-s", "tb"] + sets + [str(f) for f in files], check=True)
    return subprocess.run(["vvp", "-n", folder + "/sim"], capture_output=True, text=True, timeout=60).stdout.strip()


for variant in sorted(LIB.glob("leaf/*/lg_wait.v")):
    @suite.case("%s: every word, as late as it should be" % variant.parent.name, ["iverilog"])
    def _(variant=variant):
        with scratch() as folder:
            for shape in SHAPES:
                out = simulate(variant.read_text(), folder, shape)
                check(out.startswith("PASS"), "%s: %s", shape, out)
        return "%d shapes" % len(SHAPES)


@suite.case("half the places are too few", ["iverilog"])
def _():
    text = (LIB / "leaf" / "generic" / "lg_wait.v").read_text()
    fewer = text.replace("localparam ADDR  = $clog2(WORDS);", "localparam ADDR  = $clog2(WORDS) - 1;")
    check(fewer != text, "lg_wait has no such line")
    with scratch() as folder:
        out = simulate(fewer, folder, SHAPES[0])
        check(out.split("\n")[-1].startswith("FAIL"), "%s", out)


suite.main()
