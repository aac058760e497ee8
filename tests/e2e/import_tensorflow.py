#!/usr/bin/python3
"""`lstmgen import` of frozen graphs of TensorFlow (.pb) and of TensorFlow Lite files: 55 dB at 16 bits against what
TensorFlow computed (files of tests/model/tensorflow, a published graph), and against the cells of its documentation in
numpy; what the core cannot do is outside with a warning, or refused by its name.  suite: 25 s

    import_tensorflow.py [WORD]...   only the cases with every WORD in their name; long: 1500 damaged files, sanitized

The files are in tests/model/tensorflow/fixtures.tar.xz (make.py beside it made them, with TensorFlow itself); where
build/tensorflow is there (`make tensorflow`), they are made again with `long` and held to the same.
"""
import pathlib, subprocess, sys, tarfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "model")]
try:
    import numpy as np
    import google.protobuf
    import tf_cells as tf
    from golden import core_snr, decibel, models
except ImportError as e:
    print("skipped: %s" % e)
    sys.exit(77)
from cases import Suite, check
from imported import damaged, holds, mutations, refused, sanitized
from lstm import MODELS, ROOT, lstmgen, scratch

suite = Suite()
STEPS, I, H = 30, 6, 8
KWS = MODELS / "kws_lstm_S"


def draw(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) * (1.0 if s[0] == STEPS else 0.4) for s in shapes]


def computes(g, x, y, *words):
    """The graph is imported, with `words` in its warnings, and computes y."""
    with scratch() as folder:
        path = pathlib.Path(folder, "m.pb")
        path.write_bytes(g.bytes())
        return holds(folder, path, x, y, list(words))


def is_refused(g, *words):
    with scratch() as folder:
        path = pathlib.Path(folder, "m.pb")
        path.write_bytes(g.bytes())
        refused(path, *words)


def new():
    g = tf.Graph()
    return g, g.node("Placeholder", name="x")


# ---- cells ----

LSTMS = {"BasicLSTMCell": {}, "another forget bias": {"forget_bias": 0.25}, "no forget bias": {"forget_bias": 0.0},
         "peepholes": {"peephole": True}, "projection": {"projection": 5}, "peepholes and projection":
         {"peephole": True, "projection": 3}, "cell_clip": {"cell_clip": 0.375},
         "projection and proj_clip": {"projection": 5, "proj_clip": 0.25},
         "all of it": {"peephole": True, "projection": 4, "cell_clip": 0.5, "proj_clip": 0.3, "forget_bias": 0.5},
         "relu": {"act": "Relu"}, "AddV2": {"add": "AddV2"}, "gates ifjo": {"order": "ifjo"},
         "a first state": {"h0": True, "c0": True}}
for label, options in LSTMS.items():
    for last in (False, True):
        def case(options=options, last=last):
            more = dict(options)
            P = more.get("projection", 0)
            x, K, b, p, W, h0, c0 = draw(7, (STEPS, I), (I + (P or H), 4 * H), (4 * H,), (3, H), (H, P or 1), (P or H,), (H,))
            more.update({k: v for k, v in (("peephole", p), ("projection", W), ("h0", h0), ("c0", c0)) if k in more})
            g, source = new()
            h, end = g.lstm(g.read(g.exchanged(source)), K, b, H, **more)
            g.node("Softmax", end if last else g.exchanged(g.write(h)), name="after")
            more.pop("add", 0)
            if more.pop("act", 0):
                more["act"] = lambda v: np.maximum(v, 0)
            y = tf.lstm(x, K, b, H, **more)
            return computes(g, x, y[-1:] if last else y, "Softmax 'after'")
        suite.add("LSTM: %s, %s" % (label, "the last step" if last else "every step"), case)


@suite.case("GRUCell")
def _():
    x, gates, b, candidate, d = draw(8, (STEPS, I), (I + H, 2 * H), (2 * H,), (I + H, H), (H,))
    g, source = new()
    g.write(g.gru(g.read(source), gates, b, candidate, d)[0])
    return computes(g, x, tf.gru(x, gates, b, candidate, d))


for act, function in (("Tanh", np.tanh), ("Relu", lambda v: np.maximum(v, 0)), ("Sigmoid", tf.sigmoid)):
    def case(act=act, function=function):
        x, K, b = draw(9, (STEPS, I), (I + H, H), (H,))
        g, source = new()
        g.write(g.rnn(g.read(source), K, b, act)[0])
        return computes(g, x, tf.rnn(x, K, b, function))
    suite.add("BasicRNNCell, %s" % act, case)


@suite.case("numbers as lists, one for all, and of 16 bits")
def _():
    x, K = draw(10, (STEPS, I), (I + H, 4 * H))
    K = K.astype("f2").astype(float)
    g, source = new()
    h, next_h, _ = g.state(g.zeros(H))
    c, next_c, _ = g.state(g.zeros(H))
    product = g.node("MatMul", g.concat(g.read(source), h), g.weight(K, "K", "half"))
    split = g.node("Split", g.const(1), g.node("BiasAdd", product, g.weight(np.full(4 * H, 0.5), "b", "one")), num_split=4)
    f = g.node("Sigmoid", g.node("Add", split + ":2", g.const(1.0, form="list")))
    new_c = g.node("Add", g.node("Mul", c, f), g.node("Mul", g.node("Sigmoid", split), g.node("Tanh", split + ":1")))
    out = g.node("Mul", g.node("Tanh", new_c), g.node("Sigmoid", split + ":3"))
    next_c(new_c)
    next_h(out)
    g.write(out)
    return computes(g, x, tf.lstm(x, K, np.full(4 * H, 0.5), H))


# ---- operators ----

for op, order, options in (("BlockLSTM", "ijfo", {"cell_clip": -1.0}), ("BlockLSTM", "ijfo", {}),
                           ("BlockLSTM", "ijfo", {"forget_bias": 0.25, "cell_clip": 0.5, "use_peephole": True}),
                           ("BlockLSTMV2", "ifjo", {}), ("BlockLSTMV2", "ifjo", {"cell_clip": 0.5, "use_peephole": True})):
    def case(op=op, order=order, options=options):
        x, K, b, p = draw(11, (STEPS, I), (I + H, 4 * H), (4 * H,), (3, H))
        g, source = new()
        zero = g.const(np.zeros((1, H)), form="one")
        g.node(op, g.const(STEPS), source, zero, zero, g.const(3 * K, "K"), *(g.const(v) for v in p), g.const(b), **options)
        clip = options.get("cell_clip", 3.0 if op == "BlockLSTM" else 0)
        y = tf.lstm(x, 3 * K, b, H, p if options.get("use_peephole") else None, order=order, cell_clip=max(clip, 0),
                    forget_bias=options.get("forget_bias", 1.0) if op == "BlockLSTM" else 0)
        return computes(g, x, y)
    suite.add("%s %s" % (op, " ".join("%s %s" % o for o in options.items()) or "as it is"), case)


@suite.case("LSTMBlockCell and GRUBlockCell in a loop")
def _():
    x, K, b, gates, candidate, d, e = draw(12, (STEPS, I), (I + H, 4 * H), (4 * H,), (2 * H, 2 * H), (2 * H, H), (2 * H,), (H,))
    g, source = new()
    h, next_h, _ = g.state(g.zeros(H))
    c, next_c, _ = g.state(g.zeros(H))
    zero = g.weight(np.zeros(H), "zero")
    cell = g.node("LSTMBlockCell", g.read(source), c, h, g.weight(K, "K"), zero, zero, zero, g.weight(b, "b"), cell_clip=-1.0)
    next_c(cell + ":1")
    next_h(cell + ":6")
    h, next_h, _ = g.state(g.zeros(H))
    cell = g.node("GRUBlockCell", cell + ":6", h, g.weight(gates, "ru"), g.weight(candidate, "c"), g.weight(d, "d"), g.weight(e, "e"))
    next_h(cell + ":3")
    g.write(cell + ":3")
    return computes(g, x, tf.gru(tf.lstm(x, K, b, H), gates, d, candidate, e))


# ---- stacks ----

for way in ("in one loop (MultiRNNCell)", "each in its loop", "each in its loop, batch first"):
    def case(way=way):
        x, K, b, L, d = draw(13, (STEPS, I), (I + H, 4 * H), (4 * H,), (H + 4, 16), (16,))
        g, source = new()
        h, _ = g.lstm(g.read(g.exchanged(source)), K, b, H, name="a")
        if "MultiRNNCell" not in way:
            h = g.write(h)
            h = g.exchanged(g.exchanged(h)) if "batch" in way else h
            h = g.read(h)
        g.exchanged(g.write(g.lstm(h, L, d, 4, name="b", forget_bias=0.5)[0]))
        return computes(g, x, tf.lstm(tf.lstm(x, K, b, H), L, d, 4, forget_bias=0.5))
    suite.add("two layers " + way, case)


# ---- what is refused ----

def cell(g, x, **options):
    K, b = draw(14, (I + H, 4 * H), (4 * H,))
    return g.lstm(x, K, b, H, **options)


@suite.case("refused by name: backward, sequence lengths, two directions, axes exchanged, an unknown state")
def _():
    g, source = new()
    cell(g, g.read(g.node("ReverseV2", source, g.const([0]), name="turn")))
    is_refused(g, "backward", "ReverseV2 'turn'")
    g, source = new()
    cell(g, g.read(source), select=True)
    is_refused(g, "sequence_length", "Select '")
    g, source = new()
    x = g.read(source)
    cell(g, x, name="a"), cell(g, x, name="b")
    is_refused(g, "runs beside")
    g, source = new()
    h, _ = cell(g, g.read(source), name="a")
    K, b = draw(15, (2 * H, 4 * H), (4 * H,))
    g.lstm(g.read(g.exchanged(g.write(h))), K, b, H, name="b")
    is_refused(g, "steps and sequences are exchanged")


@suite.case("refused by name: unrolled steps, as static_rnn writes them")
def _():
    g, source = new()
    K, b = draw(14, (I + H, 4 * H), (4 * H,))
    h = c = g.node("Placeholder", name="first")
    for _ in range(20):
        split = g.node("Split", g.const(1), g.affine(source, h, K, b, "k%d" % g.count), num_split=4)
        f = g.node("Sigmoid", g.node("Add", split + ":2", g.const(1.0, form="list")))
        c = g.node("Add", g.node("Mul", c, f), g.node("Mul", g.node("Sigmoid", split), g.node("Tanh", split + ":1")))
        h = g.node("Mul", g.node("Tanh", c), g.node("Sigmoid", split + ":3"))
    is_refused(g, "Placeholder 'first'", "unrolled")


@suite.case("refused by name: loops of TensorFlow 2, a product that is no cell, a graph without weights")
def _():
    g, source = new()
    g.const(np.ones(3))
    g.node("StatelessWhile", source, name="loop")
    is_refused(g, "StatelessWhile node 'loop'", "tf2onnx")
    g, source = new()
    g.node("MatMul", source, g.const(np.ones((3, 3))), name="dense")
    is_refused(g, "MatMul 'dense'", "no cell that is known here")
    g, source = new()
    g.node("VariableV2", name="v")
    is_refused(g, "not frozen")


@suite.case("a state that the graph is given: said aloud")
def _():
    x, K, b = draw(16, (STEPS, I), (I + H, 4 * H), (4 * H,))
    g, source = new()
    g.zeros = lambda units, first=None: g.node("Placeholder", name="state%d" % g.count)
    g.write(g.lstm(g.read(source), K, b, H)[0])
    return computes(g, x, tf.lstm(x, K, b, H), "starts from zero")


@suite.case("damaged: cut, not a graph, a tensor with too few numbers")
def _():
    g, source = new()
    cell(g, g.read(source))
    data = g.bytes()
    with scratch() as folder:
        path = pathlib.Path(folder, "m.pb")
        path.write_bytes(data[:len(data) // 2])
        refused(path, "truncated or damaged")
        path.write_bytes(b"no graph at all")
        refused(path, "named like a frozen graph")
        short = tf.Graph()
        short.const(np.ones((3, 4)), "short")
        short.proto.node[0].attr[0].value.tensor.tensor_content = b"1234"
        path.write_bytes(short.bytes())
        r = lstmgen("import", path)
        check(r.status == 1 and "expected 12 values, found 1" in r.out, "%s %s", r.out, r.err)


# ---- a published graph ----

@suite.case("kws_lstm_S: LSTM_S.pb is the network of its arrays, 25 clips", [str(KWS / "LSTM_S.pb")])
def _():
    r = lstmgen("import", KWS / "LSTM_S.pb")
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    for word in ("projection: {W: lstm/rnn/lstm_cell/projection/kernel}", "w_i_diag, lstm/rnn/lstm_cell/w_f_diag",
                 "forget_bias: 1", "network: {output: last}"):
        check(word in r.out, "'%s' is not in: %s", word, r.out)
    for word in ("Mfcc 'Mfcc'", "MatMul 'Output-Layer/MatMul'"):
        check(word in r.err, "'%s' is not in: %s", word, r.err)
    x, h = np.load(KWS / "clips_x.npy"), np.load(KWS / "clips_h.npy")
    with scratch() as folder:
        every = r.out.replace("output: last", "output: every")
        last, _ = core_snr(r.out, folder, x, h[:, -1:], bits=True)
        bits, _ = core_snr(every, folder, x, h, bits=True)
        check(last >= 55 and bits >= 55, "%.1f, %.1f dB", last, bits)
        arrays = "model: {file: %s, layers: [{cell: lstm, gates: ifgo, W: W, R: R, b: b, peephole: P_ifo, projection: " \
                 "{W: Wproj}}]}\nsparsity: {pattern: dense}\nengine: {pes: 4, pe_width: 4}" % KWS
        same = []
        for text in (every, arrays):
            core_snr(text, folder, x, h, "one")
            same.append(models(pathlib.Path(folder, "one.yaml"), h.shape)[0])
        real, db = decibel(h.astype(float), same[0]), decibel(same[0], same[1])
        check(real >= 100 and db >= 120, "%.1f dB; file against arrays: %.1f dB", real, db)
        return "%.0f dB in floating point, %.0f dB bit-true; against its arrays %.0f dB" % (real, bits, db)


# ---- files of TensorFlow itself ----

TENSORFLOW = HERE.parent / "model" / "tensorflow"
PYTHON = ROOT / "build" / "tensorflow" / "bin" / "python"
with tarfile.open(TENSORFLOW / "fixtures.tar.xz") as t:
    FIXTURES = {i.name: t.extractfile(i).read() for i in t.getmembers()}
# File: what the warnings name, or (refused) what the message does.
FILES = {"basic.pb": [], "forget_bias.pb": [], "peepholes.pb": [], "projection.pb": [], "all.pb": [], "relu.pb": [],
         "gru.pb": [], "rnn.pb": [], "multi.pb": [], "two.pb": [], "time_major.pb": [], "keras_rnn.pb": [],
         "last.pb": ["MatMul 'dense/MatMul'"],
         "lite.tflite": [], "lite_two.tflite": [], "lite_dense.tflite": ["FULLY_CONNECTED (operator 1"],
         "lite_int8.tflite": ["with precision.weight 8"],
         "lite_int8_two.tflite": ["layer 0 has weights of 8 bits", "layer 1 has weights of 8 bits"]}
REFUSED = {"bidirectional.pb": ["runs backward", "ReverseV2"], "static.pb": ["unrolled"], "lengths.pb": ["sequence_length"],
           "lite_gru.tflite": ["WHILE", ".keras, .h5"], "lite_backward.tflite": ["runs backward"],
           "lite_both.tflite": ["runs backward"]}


def of_tensorflow(name, data):
    with scratch() as folder:
        path = pathlib.Path(folder, name)
        path.write_bytes(data[name])
        if name in REFUSED:
            return refused(path, *REFUSED[name])
        (pathlib.Path(folder) / "io.npz").write_bytes(data[name.split(".")[0] + ".npz"])
        io = np.load(pathlib.Path(folder, "io.npz"))
        y = io["y"][0] if io["y"].ndim == 3 else io["y"]
        return holds(folder, path, io["x"][0], y, FILES[name])


for name in [*FILES, *REFUSED]:
    suite.add("TensorFlow's own: " + name, lambda name=name: of_tensorflow(name, FIXTURES))


@suite.case("TensorFlow Lite: the interpreter's own output of 8-bit weights and values is near the float network's")
def _():
    found = []
    for name in ("lite_int8", "lite_int8_two"):
        with scratch() as folder:
            pathlib.Path(folder, "io.npz").write_bytes(FIXTURES[name + ".npz"])
            io = np.load(pathlib.Path(folder, "io.npz"))
            found.append(decibel(io["y_lite"].astype(float), io["y"]))
    check(min(found) > 25, "%s dB", found)
    return ", ".join("%.0f dB" % db for db in found)


@suite.case("TensorFlow Lite: damage is said")
def _():
    data = FIXTURES["lite.tflite"]
    with scratch() as folder:
        path = pathlib.Path(folder, "m.tflite")
        path.write_bytes(data[:200])
        refused(path, "truncated or damaged TensorFlow Lite model")
        path.write_bytes(b"none of it")
        refused(path, "named like a TensorFlow Lite model")


def remade():
    with scratch() as folder:
        done = subprocess.run([str(PYTHON), str(TENSORFLOW / "make.py"), folder], capture_output=True, text=True)
        check(done.returncode == 0, "make.py: %s", done.stderr[-2000:])
        data = {f.name: f.read_bytes() for f in pathlib.Path(folder).iterdir()}
    for name in [*FILES, *REFUSED]:
        of_tensorflow(name, data)
    return "%d files" % (len(FILES) + len(REFUSED))


# ---- damage ----

def graph_of_all():
    g, source = new()
    x, K, b, p, P, gates, d, candidate, e = draw(17, (STEPS, I), (I + 5, 4 * H), (4 * H,), (3, H), (H, 5), (5 + H, 2 * H),
                                                 (2 * H,), (5 + H, H), (H,))
    h, _ = g.lstm(g.read(g.exchanged(source)), K, b, H, p, P, cell_clip=0.5)
    g.node("Softmax", g.write(g.gru(h, gates, d, candidate, e)[0]))
    return g.bytes()


@suite.case("300 damaged graphs: imported, refused or asked about")
def _():
    return mutations("m.pb", graph_of_all(), [damaged], 300)


@suite.case("300 damaged TensorFlow Lite files: imported, refused or asked about")
def _():
    return ", ".join(mutations("m.tflite", FIXTURES[n + ".tflite"], [damaged], 150) for n in ("lite_two", "lite_int8"))


if "long" in sys.argv[1:]:
    suite.add("long: made again by TensorFlow", remade, [str(PYTHON)])
    suite.add("long: 300 damaged TensorFlow Lite files under the sanitizers",
              lambda: mutations("m.tflite", FIXTURES["lite_int8.tflite"], [damaged], 300, sanitized(), seed=3))
    suite.add("long: 1200 damaged graphs under the sanitizers",
              lambda: mutations("m.pb", graph_of_all(), [damaged], 1200, sanitized(), seed=2))

suite.main()
