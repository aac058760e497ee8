#!/usr/bin/python3
"""`lstmgen import` on graphs as exporters write them (graphs.py): what it says the core computes is held to ONNX Runtime,
which computes the values between which the core lies by its own words; everything else is refused by name.  suite: 60 s

    import_graphs.py [WORD]...       only the cases with every WORD in their name
"""
import json, pathlib, re, subprocess, sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "model")]
from cases import Suite, check
from imported import damaged, mutations, sanitized
from lstm import ROOT, lstmgen, scratch
try:
    import numpy as np
    from golden import core_snr
    import onnx
    import torch
    import graphs
except ImportError as e:
    print("skipped: %s" % e)
    sys.exit(77)

VENV = ROOT / "build" / "venv" / "bin" / "python3"
SURE = 40           # dB at 16 bits; another network gives 20 and less
FEWEST = 250        # graphs


class Done:
    """One graph: what import said, and the values at the core's two ends."""
    def __init__(self, case, folder, number):
        self.case = case
        self.stem = pathlib.Path(folder, "g%03d" % number)
        self.stem.with_suffix(".onnx").write_bytes(case.model.SerializeToString())
        self.run = lstmgen("import", self.stem.with_suffix(".onnx"))
        self.reach = re.search(r"the core takes '(.*)' of the graph and gives (the last step of )?'(.*)'$", self.run.out, re.M)

    def ask(self):
        """Writes the job for ONNX Runtime: the graph's inputs, and the values to compute."""
        if self.run.status or not self.reach:
            return
        graph, r = self.case.model.graph, np.random.default_rng(11)
        sizes = {"t": graphs.STEPS, "time": graphs.STEPS, "b": graphs.BATCH, "batch": graphs.BATCH}
        shape = [d.dim_value or sizes[d.dim_param] for d in graph.input[0].type.tensor_type.shape.dim]
        inputs = {"X": r.normal(size=shape).astype("<f4"), **(self.case.inputs or {})}
        self.names = list(dict.fromkeys([self.reach.group(1), self.reach.group(3)]))
        self.x = inputs["X"] if self.names[0] == "X" else None
        known = {o.name for o in graph.output}
        shown = onnx.ModelProto()
        shown.CopyFrom(self.case.model)
        wanted = [n for n in self.names if n != "X"]
        shown.graph.output.extend(onnx.ValueInfoProto(name=n) for n in wanted if n not in known)
        path = self.stem.with_name(self.stem.name + "_shown.onnx")
        path.write_bytes(shown.SerializeToString())
        np.savez(self.stem.with_name(self.stem.name + "_in.npz"), **inputs)
        self.stem.with_suffix(".json").write_text(json.dumps(
            {"model": str(path), "inputs": str(self.stem) + "_in.npz", "values": wanted}))

    def values(self):
        failed = self.stem.with_suffix(".failed")
        check(not failed.exists(), "ONNX Runtime: %s", failed.read_text()[:300] if failed.exists() else "")
        got = list(np.load(self.stem.with_suffix(".npz")).values())
        return self.x if self.x is not None else got[0], got[-1]


def order(array, last, merged, steps):
    """(sequences, steps, width) of whatever arrangement the sizes tell: axes of 7 (6) are steps, of 3 sequences."""
    if merged == "TB":
        return array.reshape(steps, graphs.BATCH, -1).transpose(1, 0, 2)
    a = array.reshape([s for i, s in enumerate(array.shape) if s != 1 or i == array.ndim - 1])
    if a.shape[-1] != 1 and a.ndim == (1 if last else 2):
        a = a[..., None]                                        # vectors of one element whose axis the graph dropped
    if last:
        check(a.shape[0] == graphs.BATCH and a.ndim == 2, "last step of shape %s", array.shape)
        return a[:, None]
    check(sorted(a.shape[:2]) == sorted((steps, graphs.BATCH)) and a.ndim == 3, "steps of shape %s", array.shape)
    return a if a.shape[0] == graphs.BATCH else a.transpose(1, 0, 2)


def compare(done):
    case, run = done.case, done.run
    x, y = done.values()
    x = order(x, False, None, max(s for s in x.shape if s in (graphs.STEPS, graphs.STEPS - 1)))
    y = order(y, bool(done.reach.group(2)), case.merged, x.shape[1])
    snr, r = core_snr(run.out, done.stem.parent, x, y, done.stem.name)
    check(snr is not None, "check: exit %s: %s", r.status, r.last())
    check(snr >= SURE, "%.1f dB against ONNX Runtime", snr)
    same, whole = core_snr(pathlib.Path(whole_spec(done)).read_text(), done.stem.parent, x, y, done.stem.name + "_whole")
    check(same == snr, "without model.layers %s dB, not %s: %s", same, snr, whole.last())
    check(whole.get("interface.output") == r.get("interface.output"), "without model.layers it sends %s step", whole.get("interface.output"))
    check("network.output" not in whole.err, "without model.layers: %s", whole.err)
    return "%.1f dB" % snr


def whole_spec(done):
    """The same file in a spec without model.layers: which steps leave the core the graph says."""
    path = str(done.stem) + "_whole.yaml"
    pathlib.Path(path).write_text("model: {file: %s}\nengine: {pes: 4, pe_width: 4}\n" % done.stem.with_suffix(".onnx").name)
    return path


def judge(done):
    case, run = done.case, done.run
    if case.outcome == "refused":
        check(run.status == 1 and "model:" not in run.out, "not refused: exit %s\n%s%s", run.status, run.out, run.err)
        check(case.word in run.err, "'%s' is not in: %s", case.word, run.err)
        return "refused"
    check(run.status == 0 and done.reach, "exit %s: %s", run.status, run.last())
    outputs = [o.name for o in case.model.graph.output]
    said = run.err.count("warning:")
    expected = (case.outcome == "partial") + case.state + bool(case.dropped)
    check(said == expected and case.word in run.err and case.dropped in run.err, "%d warnings, not %d with '%s' '%s': %s", said,
          expected, case.word, case.dropped, run.err)
    check((done.reach.group(3) in outputs) or case.outcome == "partial", "gives '%s'", done.reach.group(3))
    check(case.outcome == "exact" or done.reach.group(3) not in outputs or done.reach.group(1) != "X", "exact: %s", run.out)
    return compare(done)


with scratch() as folder:
    chosen_words, cases = sys.argv[1:], graphs.all_cases()
    chosen = [c for c in cases if all(w in c.name for w in chosen_words)]
    done = [Done(c, folder, i) for i, c in enumerate(chosen)]
    for d in done:
        d.ask()
    if VENV.exists():
        subprocess.run([str(VENV), str(HERE.parent / "lib" / "run_graphs.py"), folder], check=True)
    suite = Suite()
    for d in done:
        suite.add("%s: %s" % (d.case.outcome, d.case.name), lambda d=d: judge(d), [] if d.case.outcome == "refused" else [VENV])

    for title, (model, words, status) in graphs.hostile().items():
        def bad(model=model, words=words, status=status):
            path = pathlib.Path(folder, "bad.onnx")
            path.write_bytes(model.SerializeToString())
            r = lstmgen("import", path, timeout=60)
            check(r.status == status and words in r.err and (status == 0) == ("model:" in r.out), "exit %s: %s", r.status, r.last())
        if all(w in "bad input: " + title for w in chosen_words):
            suite.add("bad input: " + title, bad)

    def damage(count):
        """Loops whose bytes are damaged: their bodies are run on numbers."""
        said = []
        for name in ("LSTM in a Loop, sum", "LSTM in a Scan, apart", "GRU in a Loop, reset before", "LSTM in a Loop, weights in its body"):
            made = next(c for c in cases if c.name == name).model.SerializeToString()
            said.append(mutations("m.onnx", made, [damaged], count, sanitized()))
        return "; ".join(said)

    if not chosen_words or chosen_words == ["damaged"]:
        suite.add("damaged loops", lambda: damage(12))
    if chosen_words == ["long"]:
        suite.add("long: 300 damaged loops each", lambda: damage(300))

    @suite.case("every step of a graph that gives the last one: said aloud", [])
    def _():
        last = next((d for d in done if "{output: last}" in d.run.out), None)
        if last:
            r = lstmgen("check", "--json", whole_spec(last), "--set", "network.output=every")
            check(r.status == 0 and r.get("interface.output") == "every" and "the graph of" in r.err and "last step" in r.err, "%s", r.last())

    @suite.case("at least %d graphs" % FEWEST)
    def _():
        check(len(cases) >= FEWEST and len({c.name for c in cases}) == len(cases), "%d graphs", len(cases))
        return "%d graphs: %s" % (len(cases), ", ".join("%d %s" % (sum(c.outcome == o for c in cases), o)
                                                        for o in ("exact", "partial", "refused")))
    suite.main([])
