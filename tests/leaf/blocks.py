#!/usr/bin/python3
"""Block RAMs that Yosys maps for lg_ram, lg_rom and lg_rom2 over a grid of sizes, one line each:
family leaf width depth blocks. tests/leaf/blocks.txt is its output; tests/unit/test_parts.c holds
part_ram_blocks and part_rom_blocks to it.

    blocks.py FAMILY POINTS      about 0.3 s (iCE40, ECP5) to 2 s (Xilinx) a point and leaf
"""
import pathlib, random, re, subprocess, sys, tempfile

LEAF = pathlib.Path(__file__).resolve().parent.parent.parent / "templates" / "lib" / "leaf"
# family -> command up to the mapping of memories, folder, cells with their size in blocks
FAMILY = {
    "ice40": ("synth_ice40 -run begin:map_ffram", "ice40", {"SB_RAM40_4K": 1}),
    "ecp5": ("synth_ecp5 -run begin:map_ffram", "ecp5", {"DP16KD": 1}),
    "nexus": ("synth_nexus -run begin:map_ffram", "nexus", {"DP16K": 1, "PDP16K": 1, "PDPSC16K": 1}),
    "gowin": ("synth_gowin -run begin:map_ffram", "gowin",
              dict.fromkeys(("SDPX9B", "SDP", "SDPX9", "SP", "SPX9", "DP", "DPX9"), 1)),
    "xc7": ("synth_xilinx -family xc7 -run begin:map_ffram", "xc7", {"RAMB18E1": 1, "RAMB36E1": 2}),
    "xcup": ("synth_xilinx -family xcup -run begin:map_ffram", "xcup", {"RAMB18E2": 1, "RAMB36E2": 2}),
    "cyclonev": ("synth_intel_alm -family cyclonev -run begin:map_lutram", "cyclonev", {"MISTRAL_M10K": 1}),
    "cyclone10gx": ("synth_intel_alm -family cyclone10gx -run begin:map_lutram", "cyclonev", {"altsyncram": 1}),
}
WIDTHS = [1, 4, 9, 16, 17, 18, 21, 32, 36, 37, 40, 72, 100, 320, 576]
DEPTHS = [1, 2, 16, 64, 200, 256, 300, 512, 513, 700, 1024, 1500, 2048, 3000, 4096, 6000, 9000]


def main(family, points):
    command, folder, cells = FAMILY[family]
    rng = random.Random(7)
    # on Cyclone Yosys 0.23 makes logic of a memory with contents: there is nothing to compare
    for leaf in ["lg_ram"] if family.startswith("cyclone") else ["lg_ram", "lg_rom", "lg_rom2"]:
        ram = leaf == "lg_ram"
        grid = [(w, d) for w in WIDTHS for d in DEPTHS if w * d < (300000 if ram else 60000) and (ram or d > 2)]
        own = LEAF / folder / (leaf + ".v")
        source = own if own.exists() else LEAF / "generic" / (leaf + ".v")
        for width, depth in rng.sample(grid, min(points, len(grid))):
            with tempfile.TemporaryDirectory(prefix="blocks_") as tmp:
                image = pathlib.Path(tmp) / "image.hex"
                image.write_text("".join("%x\n" % rng.getrandbits(width) for _ in range(depth)))
                init = "" if ram else '-set INIT_FILE "%s"' % image
                script = pathlib.Path(tmp) / "blocks.ys"
                boxes = LEAF / folder / "cells.v"
                declare = "read_verilog -lib %s\n" % boxes if boxes.exists() else ""
                script.write_text(declare + "read_verilog -defer %s\nchparam -set WIDTH %d -set DEPTH %d %s %s\n"
                                  "%s -top %s\ntee -o %s/stat.txt stat\n"
                                  % (source, width, depth, init, leaf, command, leaf, tmp))
                subprocess.run(["yosys", "-q", str(script)], check=True)
                stat = (pathlib.Path(tmp) / "stat.txt").read_text()
            found = re.findall(r"^ +(\w+) +(\d+)$", stat, re.M)
            print(family, leaf, width, depth, sum(int(n) * cells.get(c, 0) for c, n in found), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in FAMILY:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]))
