#!/usr/bin/python3
"""lg_queue alone: h comes faster than the banks take it; content, order and the word that it is written.  suite: 5 s

    queue.py [WORD]...               only the cases with every WORD in their name
"""
import pathlib, re, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import ROOT, scratch

HERE = pathlib.Path(__file__).resolve().parent
FILES = [ROOT / "templates" / p for p in ("engine/lg_queue.v", "engine/lg_route.v", "lib/leaf/generic/lg_fifo.v")]
SHAPES = [dict(LANES=lanes, BANKS=banks, DEPTH=depth, OFTEN=often) for lanes, banks, depth, often in (
    (2, 1, 2, 1), (2, 1, 8, 2), (4, 1, 4, 3), (3, 2, 4, 2), (4, 2, 2, 2), (5, 4, 4, 1), (8, 2, 4, 4), (8, 4, 16, 1),
    (7, 1, 2, 8))]
SHAPES.append(dict(LANES=8, BANKS=4, DEPTH=4, OFTEN=2, ALIGNED=1))
# What must be noticed: (name, regular expression, replacement)
FAULTS = [
    ("the word comes a cycle early", r"assign done_o\[layer\] = until_q == ONE;",
     "assign done_o[layer] = until_q == 2;"),
    ("the word does not count what waits", r"until_q <= left;", "until_q <= ALL_PARTS;"),
    ("elements that are not stored are written", r"\.data_i\(\{mask_i,", ".data_i({{LANES{1'b1}},"),
    ("a beat overtakes those that wait", r"free && !waiting && valid_i", "free && valid_i"),
    ("the bank stays that of the beat before", r"if \(free\) bank_q <= waiting[^;]*;",
     "if (free && !busy_q) bank_q <= bank_i;")]
suite = Suite()


def simulate(shape, queue):
    """What the testbench printed."""
    with scratch() as folder:
        path = pathlib.Path(folder, "lg_queue.v")
        path.write_text(queue)
        program = folder + "/tb"
        r = subprocess.run(["iverilog", "-g2005", "-o", program, "-s", "tb"]
                           + ["-Ptb.%s=%d" % kv for kv in shape.items()]
                           + [HERE / "tb_queue.v", path] + FILES[1:], capture_output=True, text=True, timeout=60)
        check(r.returncode == 0, "iverilog: %s", r.stderr[-300:])
        r = subprocess.run(["vvp", "-n", program], capture_output=True, text=True, timeout=60)
    return r.stdout.strip()


def shown(shape):
    return ", ".join("%s %d" % kv for kv in shape.items())


for shape in SHAPES:
    def sound(shape=shape):
        text = simulate(shape, FILES[0].read_text())
        check(re.match(r"0 errors, [1-9]", text), text)
        return text
    suite.add(shown(shape), sound, ["iverilog"])

for name, pattern, replacement in FAULTS:
    def fault(pattern=pattern, replacement=replacement):
        text, n = re.subn(pattern, replacement, FILES[0].read_text())
        check(n > 0, "no text like %s", pattern)
        said = [simulate(shape, text) for shape in (SHAPES[3], SHAPES[5])]
        check(all(re.match(r"\d+ errors, ", s) for s in said), "not a simulation: %s", said)
        check(any(not s.startswith("0 errors") for s in said), "nothing was noticed: %s", said)
        return "; ".join(said)
    suite.add("fault: " + name, fault, ["iverilog"])

suite.main()
