#!/usr/bin/python3
"""Graphs that people have (../shared/cases/import, skipped where absent) against what ONNX Runtime computed from them.

NAME.io.npz beside a graph holds its inputs (in.*), its outputs (out.*) and values on the way (mid.*). What `import` prints
as it stands must compute an output (right) or, with a warning that names the first node left outside, a value on the way
(partial); a dropped output is named too. Anything else is refused with the node's name.  suite: 10 s
"""
import json, math, pathlib, sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib")]
from cases import Suite, check
from lstm import MODELS, lstmgen, scratch
try:
    import numpy as np
    from golden import core_snr
except ImportError:
    print("skipped: python3-numpy is not there")
    sys.exit(77)

FOLDER = MODELS.parent / "cases" / "import"
SURE = 40           # dB at 16 bits; another network gives 23 and less
# What must come out: "right", "partial" or "refused", and what must be said.
EXPECTED = {
    "02b_gru": ("right",),
    "04_relu": ("right",),
    "05_if_branches": ("refused", "LSTM 'a' in then_branch (W: a_W", "LSTM 'b' in else_branch (W: b_W", "model.layers"),
    "06_first_step": ("refused", "Gather 'yl'"),
    "06b_last_step": ("right",),
    "07_head_on_c": ("refused", "cell state", "LSTM node 'l'"),
    "08_two_heads": ("right", "'o2'"),
    "12_scale_between": ("right",),
    "14_flatten": ("partial", "ends at 'y'", "Reshape 'ys'"),
    "15_streaming": ("right", "'h0', 'c0'", "from zero"),
    "16_bidir": ("refused", "LSTM node 'l'", "bidirectional", '"l:W.forward"'),
    "17_hn_of_two": ("right",),
    "18_peephole": ("right",),
    "19_reverse": ("refused", "LSTM node 'l'", "direction"),
    "20_h0": ("right",),
    "bug_actor_critic": ("right", "'v'"),
    "bug_both_transposed": ("right",),
    "bug_cstate": ("refused", "cell state"),
    "bug_dualpath": ("refused", "LSTM node '/b/LSTM'", "exchanged"),
    "bug_dynamic_quantize_lstm": ("right", "DynamicQuantizeLSTM 'dq' rounds"),
    "bug_functions": ("right",),
    "bug_h0_negative_zero": ("right",),
    "bug_h0_only_zero": ("right",),
    "bug_hardsigmoid": ("right",),
    "bug_head_sigmoid": ("right",),
    "bug_nofold": ("right",),
    "bug_packed": ("refused", "LSTM node '/a/LSTM'", "sequence lengths"),
    "bug_pyramid": ("partial", "ends at 'Y'", "Reshape 'S'"),
    "bug_qdq_weights": ("right",),
    "bug_seq_lens7": ("refused", "LSTM node 'lstm'", "sequence lengths"),
    "bug_stateful": ("right", "'h', 'c'", "from zero"),
    "bug_two_dense": ("right",),
    "k3_eq_stateful": ("right",),
    "k_bn": ("right",),
    "k_gru": ("right",),
    "k_relu": ("right",),
    "k_two": ("partial", "BiasAdd:0'", "Softmax"),
    "t_2": ("right",),
    "t_hn2": ("right",),
    "t_state1": ("right", "'h', 'c'", "from zero"),
}


def spec_of(name, folder, *words):
    r = lstmgen("import", FOLDER / (name + ".onnx"))
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    for word in words:
        check(word in r.err, "'%s' is not in: %s", word, r.err)
    check(words or not r.err, "says: %s", r.err)
    path = pathlib.Path(folder, "spec.yaml")
    path.write_text(r.out)
    return path


def snr(spec, folder, x, y):
    """dB of the spec's core against y; None where the shapes are not its own."""
    return core_snr(pathlib.Path(spec).read_text(), folder, x, y)[0]


def best(spec, folder, io, kind):
    """The most that any value of a kind ("out.", "mid.") gives."""
    x = max((v for k, v in io.items() if k.startswith("in.") and v.ndim == 3 and v.shape[-1] > 1), key=lambda v: v.size)
    n, steps = (1, x.shape[0]) if x.shape[1] == 1 else x.shape[:2]
    found = [-math.inf]
    for key, value in io.items():
        vectors = value.size // value.shape[-1] if value.ndim else 0
        if key.startswith(kind) and vectors in (n, n * steps):
            y = value.reshape((n, 1, value.shape[-1]) if vectors == n else (n, steps, value.shape[-1]))
            db = snr(spec, folder, x.reshape(n, steps, -1), y)
            found.append(db if db is not None else -math.inf)
    return max(found)


def compare(name, outcome, *words):
    if outcome == "refused":
        r = lstmgen("import", FOLDER / (name + ".onnx"))
        check(r.status == 1 and "model:" not in r.out, "exit %s: %s%s", r.status, r.out, r.err)
        for word in words:
            check(word in r.err, "'%s' is not in: %s", word, r.err)
        return outcome
    with scratch() as folder:
        spec = spec_of(name, folder, *words)
        io = dict(np.load(FOLDER / (name + ".io.npz")))
        out, mid = best(spec, folder, io, "out."), best(spec, folder, io, "mid.") if outcome == "partial" else -math.inf
        check((mid if outcome == "partial" else out) >= SURE, "out %.1f dB, on the way %.1f dB", out, mid)
        check(outcome == "right" or out < SURE, "an output after all: %.1f dB", out)
        return "%s, %.1f dB" % (outcome, max(out, mid))


suite = Suite()
for name, expected in EXPECTED.items():
    suite.add(name, lambda name=name, expected=expected: compare(name, *expected), [str(FOLDER / (name + ".onnx"))])


@suite.case("every graph with reference values is in the list", [str(FOLDER)])
def _():
    there = {p.name[:-len(".io.npz")] for p in FOLDER.glob("*.io.npz") if p.with_name(p.name[:-len(".io.npz")] + ".onnx").exists()}
    check(there == set(EXPECTED), "missing: %s", there ^ set(EXPECTED))


def onnx_text(x, W, R, B):
    """The LSTM of ONNX' text in double: x (steps, sequences, inputs), rows in the order i o f c."""
    def sigmoid(v):
        return 1 / (1 + np.exp(-v))
    hidden = R.shape[-1]
    h = c = np.zeros((x.shape[1], hidden))
    out = []
    for step in x.astype(float):
        z = step @ W[0].T + h @ R[0].T + B[0, :4 * hidden] + B[0, 4 * hidden:]
        i, o, f, g = (z[:, k * hidden:(k + 1) * hidden] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.array(out)


def by_text(name, layers, head=None):
    """Graphs that ONNX Runtime does not run, or whose values are in no file: against the text of the standard."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError:
        return "skipped: python3-onnx is not there"
    m = onnx.load(str(FOLDER / (name + ".onnx")))
    t = {i.name: numpy_helper.to_array(i).astype(float) for i in m.graph.initializer}
    y = x = np.random.default_rng(0).normal(size=(12, 3, t[layers[0][0]].shape[2])).astype("<f4")
    for W, R, B in layers:
        y = onnx_text(y, t[W], t[R], t[B])
    if head:
        y = y[-1:] @ t[head[0]].T + t[head[1]]
    with scratch() as folder:
        db = snr(spec_of(name, folder), folder, x.transpose(1, 0, 2), y.transpose(1, 0, 2))
        check(db is not None and db >= SURE, "%s dB", db)
        return "%.1f dB" % db


for name, layers, head in (("bug_layout1", ["W R B"], None), ("bug_layout1_stack", ["W R B", "W2 R2 B2"], None),
                           ("23_external", ["l_W l_R l_B"], ("fw", "fb"))):
    suite.add(name + ", by the text of ONNX", lambda n=name, l=layers, h=head: by_text(n, [w.split() for w in l], h),
              [str(FOLDER / (name + ".onnx"))])


@suite.case("a branch of an If, and one direction of two, by their names in model.layers", [str(FOLDER)])
def _():
    io = dict(np.load(FOLDER / "16_bidir.io.npz"))
    with scratch() as folder:
        for turn, x, y in (("forward", io["in.x"], io["out.y"][:, 0]), ("reverse", io["in.x"][::-1], io["out.y"][::-1, 1])):
            layer = {"cell": "lstm", "gates": "iofc", **{k: "l:%s.%s" % (v, turn) for k, v in (("W", "W"), ("R", "R"), ("b", "B"))}}
            spec = pathlib.Path(folder, "one.yaml")
            spec.write_text("model: " + json.dumps({"file": str(FOLDER / "16_bidir.onnx"), "layers": [layer]}))
            db = snr(spec, folder, x.transpose(1, 0, 2), y.transpose(1, 0, 2))
            check(db is not None and db >= SURE, "%s: %s dB", turn, db)
        io = dict(np.load(FOLDER / "05_if_branches.io.npz"))
        best_of = []
        for branch in "ab":
            spec.write_text("model: " + json.dumps({"file": str(FOLDER / "05_if_branches.onnx"), "layers": [
                {"cell": "lstm", "gates": "iofc", "W": branch + "_W", "R": branch + "_R", "b": branch + "_B"}]}))
            best_of.append(snr(spec, folder, io["in.x"].transpose(1, 0, 2), io["out.y"][:, 0].transpose(1, 0, 2)))
        check(max(best_of) >= SURE > min(best_of), "%s", best_of)


@suite.case("the silero model: its LSTM from inside an If, against its authors' h", [str(MODELS / "silero_vad_16k")])
def _():
    home = MODELS / "silero_vad_16k"
    r = lstmgen("import", home / "silero_vad_16k_op15.onnx")
    check(r.status == 0 and "verify.input must hold" in r.err and "from zero" in r.err and "goes on with" in r.err, "%s", r.last())
    with scratch() as folder:
        spec = pathlib.Path(folder, "s.yaml")
        spec.write_text(r.out)
        db = snr(spec, folder, np.load(home / "another_engineer_x.npy")[None], np.load(home / "another_engineer_h.npy")[None])
        check(db is not None and db >= SURE, "%s dB", db)
        return "%.1f dB" % db


@suite.case("external data: read from the model's own folder, and from nowhere else", [str(FOLDER / "23_external.onnx")])
def _():
    data = (FOLDER / "23_external.onnx").read_bytes()
    values = (FOLDER / "23_external.data").read_bytes()
    name = b"23_external.data"
    check(data.count(name) > 0, "no location")
    with scratch() as top:
        folder = pathlib.Path(top, "model")
        folder.mkdir()
        path = folder / "m.onnx"
        for to, made, words in (
                (b"23_external.data", None, "23_external.data"), (b"../xxternal.data", "../xxternal.data", "own folder"),
                (b"/tmp/xternal.dat", None, "own folder"), (b"aa/../ternal.dat", None, "own folder"),
                (b"link_rnal.data_x", "link", "leaves the model's folder"), (b"short_nal.data_x", "short", "the file has")):
            check(len(to) == len(name), "%s", to)
            path.write_bytes(data.replace(name, to))
            (pathlib.Path(top) / "xxternal.data").write_bytes(values)
            if made == "link":
                (folder / to.decode()).symlink_to("../xxternal.data")
            if made == "short":
                (folder / to.decode()).write_bytes(values[:-4])
            r = lstmgen("import", path)
            check(r.status == 1 and "model:" not in r.out and words in r.err, "%s: exit %s: %s", to, r.status, r.err)
        path.write_bytes(data)
        (folder / name.decode()).write_bytes(values)
        check(lstmgen("import", path).status == 0, "whole: %s", lstmgen("import", path).last())


suite.main()
