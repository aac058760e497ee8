#!/usr/bin/python3
"""network.output: last: one result per sequence leaves, and it is the one that `every` gives.  suite: 15 s

    last_results.py [WORD]...        only the cases with every WORD in their name
"""
import pathlib, random, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import layer_keys, random_lstms, random_values, scratch, write_npy, write_npz, write_spec
from simulation import simulated

LENGTHS = [4, 1, 3]
OUTPUTS = 3
ENGINES = {
    "gather": {"sparsity": {"pattern": "dense"}, "engine": {"pes": 2, "pe_width": 2}},
    "scatter": {"sparsity": {"pattern": "column_balanced", "keep": 0.4}, "engine": {"pes": 2, "pe_width": 2}}}
suite = Suite()


def simulate(folder, output, keys):
    """(elements compared, steps of the golden output)"""
    rng = random.Random(3)
    folder = pathlib.Path(folder, output)
    folder.mkdir()
    write_npz(folder / "w.npz", random_lstms(rng, [(3, 4)], OUTPUTS))
    write_npy(folder / "x.npy", (3, 4, 3), random_values(rng, 36))
    write_npy(folder / "len.npy", (3,), LENGTHS, "i4")
    spec = write_spec(folder, dict(keys, name="net", model={"file": "w.npz", "layers": layer_keys(1, True)},
                                   network={"output": output}, verify={"input": "x.npy", "lengths": "len.npy"}))
    r = simulated(spec)
    values = (folder / "out_icarus" / "tb" / "golden.hex").read_text().split()
    check(len(values) == OUTPUTS * sum(LENGTHS), "%d golden values", len(values))
    return r.get("verify.compared"), [values[k:k + OUTPUTS] for k in range(0, len(values), OUTPUTS)]


for name, keys in ENGINES.items():
    @suite.case("%s engine: fewer elements, the same last ones" % name, ["iverilog"])
    def _(keys=keys):
        """Both cores give what their golden outputs say, beat by beat; so do the last steps of the two agree."""
        with scratch() as folder:
            every, golden_every = simulate(folder, "every", keys)
            last, golden_last = simulate(folder, "last", keys)
        check(0 < last < every, "last compares %s elements, every %s", last, every)
        check(last % OUTPUTS == 0, "%s elements are no whole results of %d", last, OUTPUTS)
        ends = [sum(LENGTHS[:k + 1]) - 1 for k in range(len(LENGTHS))]
        check([golden_last[k] for k in ends] == [golden_every[k] for k in ends], "the last results differ")
        return "last compares %d elements, every %d" % (last, every)

suite.main()
