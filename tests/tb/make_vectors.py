#!/usr/bin/env python3
"""make_vectors.py FOLDER CONTROL: vectors, memory image and config.txt for dummy_dut.v, from its description alone."""
import os, random, sys

folder, control = sys.argv[1], int(sys.argv[2])
random.seed(7)
lengths, bias = [6, 1, 4], [0x0102030405, 0x7F00000011, 0x55AA000003, 0]
add = [bias[0] & 0xFFFF, bias[1] & 0xFFFF, bias[2] >> 24]
x, y, negative = [], [], 0
for n in lengths:
    state = 0
    for t in range(n):
        step = [random.randrange(1 << 16) for _ in range(5)]
        state = (state + sum(step)) & 0xFFFF
        negative += state >> 15
        x += step
        y += [(state * (j + 1) + add[j]) & 0xFFFF for j in range(3)]
for d in ("tb", "mem"):
    os.makedirs(os.path.join(folder, d), exist_ok=True)
put = lambda name, text: open(os.path.join(folder, name), "w").write(text)
put("tb/x.hex", "".join("%04x\n" % v for v in x))
put("tb/y.hex", "".join("%04x\n" % v for v in y))
put("mem/bias.hex", "// bias: 40 bits, four words\n" + "".join("%010x\n" % v for v in bias))
put("tb/config.txt", """# dummy core
name dummy
inputs 5
outputs 3
lanes 2
element_bits 16
sequences 3
lengths %s
input_file tb/x.hex
golden_file tb/y.hex
control %d
loadable %d
version 00000100
spec_hash cafe1234
golden_saturations %d
memory 0 4 40 mem/bias.hex
min_measure_steps 8
stall_steps 60
seed 1
timeout_cycles 2000
""" % (" ".join(map(str, lengths)), control, control, negative))
