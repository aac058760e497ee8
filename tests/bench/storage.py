#!/usr/bin/python3
"""Bits per kept weight of every pattern at its paper's own setting, against the bound: the text of gen/doc/storage.md.

    storage.py [-o FILE]
Random weights, 16 bits each; what the core's memories hold, by `lstmgen check`. Bound: the weight and what says which
of the pattern's choices it is, log2 C(n, k) / k bits.
"""
import argparse, pathlib, sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE)]
from lstm import layer_keys, lstmgen, scratch, write_spec
from networks import random_input, random_network
from page import put

BITS = 16
SETTINGS = [        # paper, setting, layers, sparsity, PEs, multipliers of each
    ("BBS", "153 -> 1024, 1/8, 64 banks", [(153, 1024)],
     {"pattern": "bank_balanced", "keep": 0.125, "banks": 64}, 64, 64),
    ("Spartus", "123 -> 1024, 93.75 % pruned, M = 64", [(123, 1024)],
     {"pattern": "column_balanced", "keep": 0.0625}, 64, 8),
    ("CSB-RNN", "128 -> 256, 12.5x, B = 32", [(128, 256)],
     {"pattern": "structured_blocks", "keep": 0.08, "block": 32}, 128, 4),
    ("Wang et al.", "128 -> 256 -> 256, 1/8, 16 rows", [(128, 256), (256, 256)],
     {"pattern": "grouped_columns", "keep": 0.125, "group_rows": 16}, 16, 16),
    ("-", "128 -> 256, dense", [(128, 256)], {"pattern": "dense"}, 16, 16)]
HEAD = """# Storage

Bits that the core stores per kept weight, at the settings of the papers (random weights, {bits}-bit values; written by
`make storage`). *Index*: what tells which weights they are; *padding*: stored words without a kept weight; *bound*: the value
and log2 C(n, k) / k bits, the least that can tell the pattern's choices apart.

| pattern | paper | setting | kept | value | index | padding | bits per kept weight | bound | above the bound |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""
READING = """
An index costs bank_balanced and column_balanced a few bits with every weight, close to what any code would need for the same
choice; grouped_columns spreads one list over all rows of a group, so it hardly pays for being sparse.
structured_blocks pays for freedom: lanes see the whole vector and every row its own list, while the paper stores one list per
kernel; rows that do not fill the last cycle of their lanes are its padding.
"""


def line(folder, number, paper, setting, layers, sparsity, pes, lanes):
    weights, x = pathlib.Path(folder, "w%d.npz" % number), pathlib.Path(folder, "x%d.npy" % number)
    random_network(weights, layers)
    random_input(x, 2, layers[0][0])
    spec = write_spec(folder, {
        "name": "storage%d" % number, "model": {"file": str(weights), "layers": layer_keys(len(layers))},
        "sparsity": sparsity, "precision": {"weight": BITS}, "engine": {"pes": pes, "pe_width": lanes},
        "verify": {"input": str(x)}})
    r = lstmgen("check", spec, "--json")
    if r.status != 0:
        sys.exit("%s: exit %s: %s" % (setting, r.status, r.last()))
    kept, memory = r.get("macs.kept"), r.get("memory")
    bits, bound = memory["bits_per_kept_weight"], memory["bound_bits_per_kept_weight"]
    parts = [BITS, memory["index_bits"] / kept, memory["weight_bits"] / kept - BITS, bits, bound]
    return "| %s | %s | %s | %.1f %% | %s | %.1f %% |\n" % (
        sparsity["pattern"], paper, setting, 100 * kept / r.get("macs.dense"), " | ".join("%.2f" % p for p in parts),
        100 * (bits / bound - 1))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-o", "--output", type=pathlib.Path, help="written when all is done")
    o = p.parse_args()
    with scratch() as folder:
        rows = [line(folder, k, *setting) for k, setting in enumerate(SETTINGS)]
    put(o.output, HEAD.format(bits=BITS) + "".join(rows) + READING)


if __name__ == "__main__":
    main()
