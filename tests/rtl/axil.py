#!/usr/bin/python3
"""lg_axil alone: protocol, every address of 64 KiB, bytes, words beyond their memory, resets.  suite: 20 s

    axil.py [WORD]...                only the cases with every WORD in their name
"""
import pathlib, re, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import ROOT, scratch

HERE = pathlib.Path(__file__).resolve().parent
MODULE = ROOT / "templates" / "top" / "lg_axil.v"
SOME = dict(WRITES=1000, WORDS_ALL=200)
SHAPES = [dict(LOADABLE=0, WORD_BITS=32, WRITES=500), dict(SOME, LOADABLE=1, WORD_BITS=7),
          dict(SOME, LOADABLE=1, WORD_BITS=32), dict(LOADABLE=1, WORD_BITS=40),
          dict(SOME, LOADABLE=1, WORD_BITS=129)]
# What must be noticed: (name, regular expression, replacement)
FAULTS = [
    ("reads repeat every 256 bytes", r"mapped  = araddr_q\[15:8\] == 8'h00", "mapped  = 1'b1"),
    ("writes repeat every 256 bytes", r"write && awaddr_q\[15:8\] == 8'h00", "write"),
    ("bytes without wstrb are written to a threshold", r"\(delta_old & ~bytes\)", "(data_q & ~bytes)"),
    ("the threshold of the other vector is kept", r"awaddr_q\[2\] \? delta_i\[1", "!awaddr_q[2] ? delta_i[1"),
    ("a command without wstrb is carried out", r"6'h09 && strobe_q\[0\]", "6'h09"),
    ("bytes without wstrb are loaded", r"== k / 4 && strobe_q\[[^]]*\]", "== k / 4"),
    ("a part is complete with any of its bytes", r"next = put && strobe_q\[3\]", "next = put"),
    ("bytes without wstrb change the address to load", r"\(\{memory_q, word_addr_q\} & ~bytes\)", "(data_q & ~bytes)"),
    ("a word beyond its memory is taken", r"put  = at_data && !beyond_q", "put  = at_data"),
    ("a word beyond its memory is answered by OKAY", r"\(at_data && beyond_q\) \|\|", "1'b0 ||"),
    ("memories that do not exist take words", r"memory_q >= END \|\|", "1'b0 ||"),
    ("all memories are as deep as those of weights", r"memory_q < FIRST \?", "1'b1 ?"),
    ("words of no parts", r"fits = parts != 12'd0 &&", "fits ="),
    ("words of too many parts", r" && parts <= MOST", ""),
    ("the halves of the counter are of two times", r"low_q <= cycles_high_q", "low_q <= cycles_i[63:32]"),
    ("the address is ready only when it is there", r"awready = aw_ready_q", "awready = s_axil_awvalid && aw_ready_q"),
    ("data are ready only with the address", r"wready  = w_ready_q", "wready  = s_axil_awvalid && w_ready_q"),
    ("reads are ready only when they are there", r"arready = ar_ready_q", "arready = s_axil_arvalid && ar_ready_q"),
    ("a write does not wait for its data", r"write   = aw_held_q && w_held_q", "write   = aw_held_q"),
    ("a write does not wait for its address", r"write   = aw_held_q && w_held_q", "write   = w_held_q"),
    ("a write does not wait for the reply before", r"w_held_q && !bvalid_q;", "w_held_q;"),
    ("the reply is given in a reset", r"bvalid  = bvalid_q && !rst_i", "bvalid  = bvalid_q"),
    ("an address is taken in a reset", r"awready = aw_ready_q && !rst_i", "awready = aw_ready_q"),
    ("an address survives a reset", r"aw_held_q  <= 1'b0;\n", "\n"),
    ("the place in a word survives a reset", r"part_q      <= 12'd0;\n", "\n"),
    ("the core stays enabled in a reset", r"if \(rst_i\)        enable_q <= LOADABLE == 0;\n\s*else if", "if"),
    ("a read's reply is given up", r"rvalid_q   <= chosen_q \|\| [^;]*;", "rvalid_q   <= chosen_q;"),
]
suite = Suite()


def simulate(shape, module):
    """What the testbench printed."""
    with scratch() as folder:
        path = pathlib.Path(folder, "lg_axil.v")
        path.write_text(module)
        program = folder + "/tb"
        r = subprocess.run(["iverilog", "-g2005", "-o", program, "-s", "tb"]
                           + ["-Ptb.%s=%d" % kv for kv in shape.items()] + [HERE / "tb_axil.v", path],
                           capture_output=True, text=True, timeout=60)
        check(r.returncode == 0, "iverilog: %s", r.stderr[-300:])
        r = subprocess.run(["vvp", "-n", program], capture_output=True, text=True, timeout=120)
    return r.stdout.strip()


for shape in SHAPES:
    def sound(shape=shape):
        text = simulate(shape, MODULE.read_text())
        check(re.search(r"^0 errors, \d{4,5} writes, %s refused, %s words loaded, \d{4,5} reads, [1-9]\d* resets$" % (
            ("[1-9]\\d*",) * 2 if shape["LOADABLE"] else ("0", "0")), text), text)
        return text
    suite.add(", ".join("%s %d" % kv for kv in shape.items()), sound, ["iverilog"])

for name, pattern, replacement in FAULTS:
    def fault(pattern=pattern, replacement=replacement):
        text, n = re.subn(pattern, replacement, MODULE.read_text())
        check(n > 0, "no text like %s", pattern)
        said = simulate(dict(SHAPES[3], **SOME), text)
        check(re.search(r"\d+ errors, ", said), "not a simulation: %s", said[-300:])
        check(not re.search(r"^0 errors", said, re.M), "nothing was noticed: %s", said)
        return said.splitlines()[0]
    suite.add("fault: " + name, fault, ["iverilog"])

suite.main()
