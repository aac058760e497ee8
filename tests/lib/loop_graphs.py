"""Cells written out in the body of a Loop or Scan, as tf2onnx, Keras and hands write them, for import_graphs.py."""
import numpy as np
from onnx import TensorProto, helper
from graphs import BATCH, HIDDEN, INPUTS, STEPS, Case, ints, model, node, rng, tensor

CASES = []
H = HIDDEN


def gates(n, order=None, seed=1, scale=0.5):
    """Columns of kernel, recurrent kernel and bias of n gates, as Keras has them: (I, n H), (H, n H), (n H)."""
    r = rng(seed)
    return r.normal(0, scale, (INPUTS, n * H)), r.normal(0, scale, (H, n * H)), r.normal(0, 0.3, n * H)


def split(x, names, axis=1):
    return [node("Split", x, " ".join(names), axis=axis)]


def lstm_end(i="i", f="f", g="g", o="o", act="Tanh", gate="Sigmoid"):
    return [node(gate, i, "si"), node(gate, f, "sf"), node(act, g, "tg"), node(gate, o, "so"), node("Mul", "sf c", "fc"),
            node("Mul", "si tg", "ig"), node("Add", "fc ig", "c2"), node(act, "c2", "tc"), node("Mul", "so tc", "h2")]


def lstm_body(order="ifgo", form="sum", **more):
    """The four gates in an order of columns; form: how x and h get to them."""
    W, R, b = gates(4)
    if form == "sum":       # Keras
        head = [node("MatMul", "x W", "zx"), node("MatMul", "h R", "zh"), node("Add", "zx zh", "z0"), node("Add", "z0 b", "z")]
        consts = [tensor("W", W), tensor("R", R), tensor("b", b)]
    elif form == "fused":   # BasicLSTMCell: one kernel for [x, h], forget_bias apart
        head = [node("Concat", "x h", "xh", axis=1), node("MatMul", "xh K", "z0"), node("Add", "z0 b", "z")]
        consts = [tensor("K", np.vstack([W, R])), tensor("b", b), tensor("one", 1.0)]
    elif form == "gemm":
        head = [node("Gemm", "h R", "zh", transB=1), node("Gemm", "x W zh", "z0"), node("Add", "z0 b", "z")]
        consts = [tensor("W", W), tensor("R", R.T), tensor("b", b)]
    else:                   # each gate its own matrices
        head, consts = [], []
        for k, name in enumerate(order):
            cut = slice(k * H, (k + 1) * H)
            head += [node("MatMul", "x W" + name, "x_" + name), node("MatMul", "h R" + name, "h_" + name),
                     node("Add", "x_%s h_%s" % (name, name), "s_" + name), node("Add", "s_%s b%s" % (name, name), name)]
            consts += [tensor("W" + name, W[:, cut]), tensor("R" + name, R[:, cut]), tensor("b" + name, b[cut])]
        return head + lstm_end(**more), consts
    head += split("z", list(order))
    if form == "fused":
        head += [node("Add", "f one", "f1")]
        more = {"f": "f1", **more}
    return head + lstm_end(**more), consts


def gru_body(after, act="Tanh"):
    W, R, b = gates(3)
    _, _, b2 = gates(3, seed=5)
    n = [node("MatMul", "x W", "x0"), node("Add", "x0 b", "zx")] + split("zx", ["xz", "xr", "xn"])
    if after:
        n += [node("MatMul", "h R", "h0_"), node("Add", "h0_ b2", "zh")] + split("zh", ["hz", "hr", "hn"])
    else:
        n += [node("MatMul", "h Rz", "hz"), node("MatMul", "h Rr", "hr")]
    n += [node("Add", "xz hz", "az"), node("Sigmoid", "az", "z"), node("Add", "xr hr", "ar"), node("Sigmoid", "ar", "r")]
    n += [node("Mul", "r hn", "rn")] if after else [node("Mul", "r h", "rh"), node("MatMul", "rh Rn", "rn")]
    n += [node("Add", "xn rn", "an"), node(act, "an", "n"), node("Sub", "one z", "nz"), node("Mul", "nz n", "new"),
          node("Mul", "z h", "old"), node("Add", "new old", "h2")]
    consts = [tensor("W", W), tensor("b", b), tensor("b2", b2), tensor("R", R), tensor("Rz", R[:, :H]), tensor("Rr", R[:, H:2 * H]),
              tensor("Rn", R[:, 2 * H:]), tensor("one", 1.0)]
    return n, consts


def rnn_body(act="Tanh"):
    W, R, b = gates(1)
    return ([node("MatMul", "x W", "zx"), node("MatMul", "h R", "zh"), node("Add", "zx zh", "z0"), node("Add", "z0 b", "z"),
             node(act, "z", "h2")], [tensor("W", W), tensor("R", R), tensor("b", b)])


def value(name, kind=TensorProto.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def around(body, states, scan=False, inside=False, first=None, read=None, trips=STEPS, go="cond", out="h2", extra=(), counter=False):
    """The graph around a body that makes h2 (and c2) of x, h (and c). `inside`: weights in the body. `read`: nodes that make
    x in a Loop. Outputs: Y every step, last_h, last_c."""
    nodes, consts = body
    consts = consts + list(extra)
    start = [tensor(s + "_0", np.zeros((BATCH, H)) if first is None else np.tile(first[k], (BATCH, 1))) for k, s in enumerate(states)]
    scan_out = node("Identity", out, "y")
    if scan:
        take = [value(s) for s in states] + [value("x")]
        graph = helper.make_graph(nodes + [scan_out], "body", take, [value(s + "2") for s in states] + [value("y")],
                                  consts if inside else [])
        loop = node("Scan", " ".join([s + "_0" for s in states] + ["X"]), " ".join(["last_" + s for s in states] + ["Y"]), "loop",
                    body=graph, num_scan_inputs=1)
        more = []
    else:
        read = read or [node("Gather", "X at", "x", axis=0)]
        at = [node("Identity", "t" if counter else "iter", "at")]
        count = [node("Add", "t step", "t2")] if counter else []
        take = [value("iter", TensorProto.INT64, []), value("cond", TensorProto.BOOL, [])] + [value(s) for s in states] + \
            ([value("t", TensorProto.INT64, [])] if counter else [])
        keep = [node("Identity", "cond", "go")] if go == "cond" else go
        graph = helper.make_graph(at + count + read + nodes + [scan_out] + keep, "body", take,
                                  [value("go", TensorProto.BOOL)] + [value(s + "2") for s in states]
                                  + ([value("t2", TensorProto.INT64, [])] if counter else []) + [value("y")], consts if inside else [])
        loop = node("Loop", " ".join(["trips", "true"] + [s + "_0" for s in states] + (["t_0"] if counter else [])),
                    " ".join(["last_" + s for s in states] + (["last_t"] if counter else []) + ["Y"]), "loop", body=graph)
        more = [tensor("trips", trips, "i8"), tensor("true", True, "?"), tensor("t_0", 0, "i8"), tensor("step", 1, "i8")]
    return [loop], ([] if inside else consts) + start + more


def add(name, outcome, built, word="", outputs="Y", tail=(), extra=(), opset=11, **more):
    nodes, consts = built
    CASES.append(Case(name, outcome, model(nodes + list(tail), consts + list(extra), outputs, opset), word, **more))


def cells():
    for form in ("sum", "fused", "gemm", "apart"):
        for scan in (False, True):
            add("LSTM in a %s, %s" % ("Scan" if scan else "Loop", form), "exact", around(lstm_body(form=form), "hc", scan))
    for order in ("iofg", "gifo", "ogfi"):
        add("LSTM in a Loop, gates %s" % order, "exact", around(lstm_body(order), "hc"))
    add("LSTM in a Loop, weights in its body", "exact", around(lstm_body(), "hc", inside=True))
    add("LSTM in a Scan, weights in its body", "exact", around(lstm_body("gifo", "apart"), "hc", True, inside=True))
    add("LSTM in a Loop, states the other way round", "exact", around(lstm_body(), "ch"))
    add("LSTM in a Loop with its own counter", "exact", around(lstm_body(), "hc", counter=True))
    add("LSTM in a Loop, ReLU", "exact", around(lstm_body(act="Relu"), "hc"))
    add("LSTM in a Loop, hard sigmoid", "exact", around(lstm_body(gate="HardSigmoid"), "hc"))
    r = rng(4)
    add("LSTM in a Loop that starts elsewhere", "exact", around(lstm_body(), "hc", first=r.normal(0, 0.5, (2, H))))
    add("LSTM in a Loop, last h", "exact", around(lstm_body(), "hc"), outputs="last_h")
    add("LSTM in a Loop, head on the last h", "exact", around(lstm_body(), "hc"), outputs="O",
        tail=[node("MatMul", "last_h HW", "O")], extra=[tensor("HW", r.normal(0, 0.5, (H, 3)))])
    for after in (False, True):
        for scan in (False, True):
            add("GRU in a %s, reset %s" % ("Scan" if scan else "Loop", "after" if after else "before"), "exact",
                around(gru_body(after), "h", scan))
    add("GRU in a Loop, ReLU", "exact", around(gru_body(True, "Relu"), "h"))
    for act in ("Tanh", "Relu"):
        add("RNN in a Loop, %s" % act, "exact", around(rnn_body(act), "h"))


def others():
    """What looks like a cell and is none, or runs otherwise."""
    nodes, consts = lstm_body()
    bent = lambda k, n: (nodes[:k] + n + nodes[k + 1:], consts)
    end = len(nodes)
    add("the first step again and again", "refused", around((nodes, consts), "hc", read=[node("Gather", "X zero", "x", axis=0)],
        extra=[tensor("zero", 0, "i8")]), "'loop'")
    add("the steps backwards", "refused", around((nodes, consts), "hc", read=[node("Sub", "end at", "back"), node("Gather", "X back", "x", axis=0)],
        extra=[tensor("end", STEPS - 1, "i8")]), "'loop'")
    add("fewer steps than x has", "refused", around((nodes, consts), "hc", trips=STEPS - 2), "how many steps")
    stop = [node("Less", "iter three", "go")]
    add("a loop that stops of itself", "refused", around((nodes, consts), "hc", go=stop, extra=[tensor("three", 3, "i8")]), "how many steps")
    peep = [node("Mul", "c P", "pc"), node("Add", "z0 b", "z1"), node("Concat", "pc none none none", "p4", axis=1), node("Add", "z1 p4", "z")]
    add("peepholes in a loop", "refused", around((nodes[:3] + peep + nodes[4:], consts + [tensor("P", rng(6).normal(size=H)),
        tensor("none", np.zeros((BATCH, H)))]), "hc"), "peepholes")
    add("h without the cell's tanh", "refused", around(bent(end - 2, [node("Identity", "c2", "tc")]), "hc"), "'loop'")
    add("a forget gate that is squared", "refused", around(bent(end - 5, [node("Mul", "sf sf", "sq"), node("Mul", "sq c", "fc")]), "hc"), "'loop'")
    add("two sequences", "refused", around((nodes, consts), "hc", read=[node("Gather", "X at", "x1", axis=0), node("Gather", "X2 at", "x2", axis=0),
        node("Add", "x1 x2", "x")]), "'loop'", extra=[], inputs={"X2": rng(8).normal(size=(STEPS, BATCH, INPUTS)).astype("<f4")})
    CASES[-1].model.graph.input.append(value("X2", TensorProto.FLOAT, (STEPS, BATCH, INPUTS)))
    add("an output that is half of h", "refused", around((nodes + [node("Mul", "h2 half", "y_")], consts), "hc", out="y_",
        extra=[tensor("half", 0.5)]), "", outputs="Y")
    add("c of every step", "refused", around((nodes, consts), "hc", out="c2"), "cell state", outputs="Y")


def made_of_nothing():
    """8192 units out of a few bytes: a Loop whose weights are ConstantOfShape."""
    big = 8192
    shapes = {"W": (INPUTS, 4 * big), "R": (big, 4 * big), "b": (4 * big,)}
    nodes, _ = lstm_body()
    loop, consts = around((nodes, []), "hc")
    start = [node("ConstantOfShape", n + "_shape", n, value=tensor("v", [0.01])) for n in shapes] + [node("ConstantOfShape", "s_shape", s) for s in ("h_0", "c_0")]
    return model(start + loop, [c for c in consts if c.name not in ("h_0", "c_0")] + [ints(n + "_shape", *s) for n, s in shapes.items()]
                 + [ints("s_shape", BATCH, big)], "Y", 11)


def all_loops():
    if not CASES:
        cells()
        others()
    return CASES
