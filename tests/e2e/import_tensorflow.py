#!/usr/bin/python3
"""`lstmgen import` of frozen graphs of TensorFlow (.pb): cells by what the graph computes, 55 dB at 16 bits against the
cells of TensorFlow's documentation in numpy, and against what TensorFlow computed with a published graph (kws_lstm_S);
what the core cannot do is outside with a warning, or refused by its name.  suite: 20 s

    import_tensorflow.py [WORD]...   only the cases with every WORD in their name; long: 1200 damaged files, sanitized
"""
import pathlib, sys

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
from lstm import MODELS, lstmgen, scratch

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
        last, _ = core_snr(r.out, folder, x, h[:, -1:])
        every, _ = core_snr(r.out.replace("output: last", "output: every"), folder, x, h)
        bits, _ = core_snr(r.out.replace("output: last", "output: every"), folder, x, h, bits=True)
        check(last >= 100 and every >= 100 and bits >= 55, "%.1f, %.1f, %.1f dB", last, every, bits)
        arrays = "model: {file: %s, layers: [{cell: lstm, gates: ifgo, W: W, R: R, b: b, peephole: P_ifo, projection: " \
                 "{W: Wproj}}]}\nsparsity: {pattern: dense}\nengine: {pes: 4, pe_width: 4}" % KWS
        same = []
        for text in (r.out.replace("output: last", "output: every"), arrays):
            core_snr(text, folder, x, h, "one")
            same.append(models(pathlib.Path(folder, "one.yaml"), h.shape)[0])
        db = decibel(same[0], same[1])
        check(db >= 120, "file against arrays: %.1f dB", db)
        return "%.0f dB in floating point, %.0f dB bit-true; against its arrays %.0f dB" % (every, bits, db)


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


if "long" in sys.argv[1:]:
    suite.add("long: 1200 damaged graphs under the sanitizers",
              lambda: mutations("m.pb", graph_of_all(), [damaged], 1200, sanitized(), seed=2))

suite.main()
