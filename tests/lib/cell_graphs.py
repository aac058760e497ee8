"""Graphs of every cell that ONNX has, for import_graphs.py: LSTM, GRU and RNN with their options, stacks of them, linear
layers before, between and behind. The same words as in graphs.py."""
import numpy as np
from onnx import helper, numpy_helper

from graphs import BATCH, HIDDEN, INPUTS, STEPS, case, head, ints, model, node, rng, squeeze, tensor

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def cell(op, x="X", y="Y", suffix="", inputs=INPUTS, hidden=HIDDEN, bias=True, seed=1, extra="", scale=0.5, **attributes):
    """(nodes, initializers) of a recurrent node."""
    r, rows = rng(seed), GATES[op] * hidden
    held = [tensor("W" + suffix, r.normal(0, scale, (1, rows, inputs))), tensor("R" + suffix, r.normal(0, scale, (1, rows, hidden)))]
    if bias:
        held.append(tensor("B" + suffix, r.normal(0, 0.4, (1, 2 * rows))))
    names = "%s W%s R%s" % (x, suffix, suffix) + (" B" + suffix if bias else "")
    n = node(op, names, y, "cell" + suffix, hidden_size=hidden, **attributes)
    if extra:
        n.input.extend(([] if bias else [""]) + ["" if e == "-" else e for e in extra.split()])
    return [n], held


def join(*parts):
    """Nodes and initializers of several parts, one after the other."""
    return sum((list(p[0]) for p in parts), []), sum((list(p[1]) for p in parts), [])


def flat(x, y):
    return squeeze(15, x, y, 1)


def linear(x, y, inputs, outputs, suffix, activation=None, seed=20, **attributes):
    W, b = head(seed, inputs, outputs)
    W.name, b.name = "LW" + suffix, "LB" + suffix
    nodes = [node("MatMul", "%s %s" % (x, W.name), "m" + suffix), node("Add", "m%s %s" % (suffix, b.name), "a" + suffix if activation else y)]
    if activation:
        nodes.append(node(activation, "a" + suffix, y, "act" + suffix, **attributes))
    return nodes, [W, b]


OPTIONS = [("LSTM", {}), ("GRU", {"linear_before_reset": 0}), ("GRU", {"linear_before_reset": 1}), ("RNN", {}),
           ("RNN", {"activations": ["Relu"]}), ("LSTM", {"activations": ["Sigmoid", "Relu", "Relu"]}),
           ("LSTM", {"activations": ["Sigmoid", "Tanh", "Relu"]}), ("GRU", {"activations": ["Sigmoid", "Relu"]}),
           ("GRU", {"activations": ["Sigmoid", "Relu"], "linear_before_reset": 1}), ("RNN", {"activations": ["Sigmoid"]}),
           ("LSTM", {"activations": ["Tanh", "Sigmoid", "Tanh"]})]


def option_text(op, attributes):
    words = [op] + ["reset after" if v and k == "linear_before_reset" else "reset before" if k == "linear_before_reset" else " ".join(v)
                    for k, v in attributes.items()]
    return ", ".join(words)


def single_cells():
    for op, attributes in OPTIONS:
        for bias in (True, False):
            nodes, held = cell(op, bias=bias, scale=0.3, **attributes)
            case("cell: %s, %s" % (option_text(op, attributes), "bias" if bias else "no bias"), "exact", model(nodes, held))
        nodes, held = join(cell(op, y="Y H", scale=0.3, **attributes), linear("H", "O", HIDDEN, 4, "h", "Relu"))
        case("cell: %s, head on Y_h" % option_text(op, attributes), "exact", model(nodes, held, "O"))
    for op in ("GRU", "RNN"):
        zero = [tensor("z", np.zeros((1, BATCH, HIDDEN)))]
        nodes, held = cell(op, extra="- z")
        case("cell: %s, zero state" % op, "exact", model(nodes, held + zero))
        h0 = tensor("q", np.repeat(rng(4).normal(size=(1, 1, HIDDEN)), BATCH, 1))
        for more in ({}, {"linear_before_reset": 1}) if op == "GRU" else ({},):
            nodes, held = cell(op, extra="- q", **more)
            case("cell: %s %s, initial state" % (op, more), "exact", model(nodes, held + [h0]))
            nodes, held = cell(op, clip=0.6, **more)
            case("cell: %s %s, clip" % (op, more), "exact", model(nodes, held))
        nodes, held = cell(op, extra="l")
        case("cell: %s, lengths" % op, "refused", model(nodes, held + [numpy_helper.from_array(np.array([7, 5, 2], "i4"), "l")]), "sequence lengths")
        nodes, held = cell(op, hidden=1)
        case("cell: %s of one neuron" % op, "exact", model(nodes, held))
        W = numpy_helper.to_array(held[0])
        nodes, held = cell(op)
        W = numpy_helper.to_array(held[0])
        held[0] = tensor("Wt", W.transpose(0, 2, 1))
        case("cell: %s, weights through Transpose" % op, "exact", model([node("Transpose", "Wt", "W", perm=[0, 2, 1])] + nodes, held))
        for opset in (7, 13, 14, 18):
            nodes, held = cell(op)
            case("cell: %s, opset %d" % (op, opset), "exact", model(nodes, held, opset=opset))
        state = [helper.make_tensor_value_info("h0", 1, (1, BATCH, HIDDEN))]
        nodes, held = cell(op, y="Y H", extra="- h0")
        case("cell: %s, state as an input" % op, "exact", model(nodes, held, "Y H", inputs=state), "from zero",
             inputs={"h0": np.zeros((1, BATCH, HIDDEN), "<f4")}, state=True)
        for turn in ("reverse", "bidirectional"):
            nodes, held = cell(op, direction=turn)
            if turn == "bidirectional":
                held = [tensor(t.name, np.concatenate([numpy_helper.to_array(t)] * 2)) for t in held]
            case("cell: %s, %s" % (op, turn), "refused", model(nodes, held), '"cell:W.%s"' % ("forward" if turn == "bidirectional" else turn))


def activations():
    for names, more, outcome, word in (
            (["HardSigmoid", "Tanh", "Tanh"], {}, "exact", ""),
            (["HardSigmoid", "Tanh", "Tanh"], {"activation_alpha": [1 / 6], "activation_beta": [0.5]}, "exact", ""),
            (["HardSigmoid", "Tanh", "LeakyRelu"], {"activation_alpha": [0.2, 0.01], "activation_beta": [0.5]}, "exact", ""),
            (["HardSigmoid", "Tanh", "Tanh"], {"activation_alpha": [0.25]}, "refused", "'HardSigmoid' (alpha 0.25, beta 0.5)"),
            (["Sigmoid", "Softplus", "Tanh"], {}, "refused", "activations: 'Softplus'"),
            (["Sigmoid", "Elu", "Tanh"], {}, "refused", "activations: 'Elu'"),
            (["Sigmoid", "ThresholdedRelu", "Tanh"], {"activation_alpha": [0.5]}, "refused", "'ThresholdedRelu' (alpha 0.5)"),
            (["Sigmoid", "ThresholdedRelu", "Tanh"], {"activation_alpha": [0.0]}, "exact", ""),
            (["Sigmoid", "ScaledTanh", "Tanh"], {"activation_alpha": [1.0], "activation_beta": [1.0]}, "exact", ""),
            (["Sigmoid", "ScaledTanh", "Tanh"], {"activation_alpha": [1.7], "activation_beta": [0.66]}, "refused", "'ScaledTanh' (alpha 1.7, beta 0.66)"),
            (["Sigmoid", "Tanh", "Affine"], {"activation_alpha": [1.0], "activation_beta": [0.0]}, "exact", ""),
            (["Sigmoid", "Tanh", "Affine"], {"activation_alpha": [0.5], "activation_beta": [0.0]}, "refused", "'Affine' (alpha 0.5, beta 0)"),
            (["Sigmoid", "Tanh"], {}, "refused", "2 activations")):
        nodes, held = cell("LSTM", activations=names, scale=0.3, **more)
        case("activations: %s %s" % (" ".join(names), more), outcome, model(nodes, held), word)


def stacks():
    kinds = [("LSTM", {}), ("GRU", {}), ("GRU", {"linear_before_reset": 1}), ("RNN", {})]
    for i, (first, a) in enumerate(kinds):
        for k, (second, b) in enumerate(kinds):
            if i == k == 0:
                continue
            nodes, held = join(cell(first, y="Y1", suffix="1", **a), flat("Y1", "S"),
                               cell(second, "S", "Y", "2", HIDDEN, 4, seed=2, **b))
            case("stack: %s on %s" % (option_text(second, b), option_text(first, a)), "exact", model(nodes, held))
    scale = tensor("k", 0.5 + rng(9).random(HIDDEN))
    for op, a in kinds[1:]:
        nodes, held = join(cell("LSTM", y="Y1", suffix="1"), flat("Y1", "S"), ([node("Mul", "S k", "Z")], [scale]),
                           cell(op, "Z", "Y", "2", HIDDEN, seed=2, **a))
        case("stack: a scale before %s" % option_text(op, a), "exact", model(nodes, held))
    nodes, held = join(cell("GRU", y="Y1", suffix="1"), flat("Y1", "S"), cell("GRU", "S", "Y2", "2", HIDDEN, seed=2), flat("Y2", "S2"),
                       cell("RNN", "S2", "Y3", "3", HIDDEN, seed=3), flat("Y3", "S3"), linear("S3", "O", HIDDEN, 3, "h"))
    case("stack: three layers and a head", "exact", model(nodes, held, "O"))


def linears():
    for op, a in (("LSTM", {}), ("GRU", {"linear_before_reset": 1}), ("RNN", {})):
        for activation in (None, "Relu", "Sigmoid", "Tanh"):
            nodes, held = join(linear("X", "N", INPUTS, 4, "in", activation), cell(op, "N", "Y", inputs=4, **a))
            case("linear before %s, %s" % (op, activation), "exact", model(nodes, held))
            nodes, held = join(cell(op, y="Y1", suffix="1", **a), flat("Y1", "S"), linear("S", "N", HIDDEN, 4, "mid", activation),
                               cell(op, "N", "Y", "2", 4, seed=2, **a))
            case("linear between %s, %s" % (op, activation), "exact", model(nodes, held))
            nodes, held = join(cell(op, **a), flat("Y", "S"), linear("S", "N", HIDDEN, 8, "one", "Relu"), linear("N", "O", 8, 3, "two", activation))
            case("two linear layers behind %s, %s" % (op, activation), "exact", model(nodes, held, "O"))
    for name, a in (("LeakyRelu", {}), ("HardSigmoid", {}), ("HardSigmoid", {"alpha": 1 / 6})):
        nodes, held = join(cell("LSTM", y="Y H"), linear("H", "O", HIDDEN, 3, "h", name, **a))
        case("head with %s %s" % (name, a.get("alpha", "")), "exact", model(nodes, held, "O"))
    nodes, held = join(cell("LSTM", y="Y H"), linear("H", "O", HIDDEN, 3, "h", "LeakyRelu", alpha=0.2))
    case("head with another LeakyRelu", "partial", model(nodes, held, "O"), "'acth'")
    nodes, held = join(linear("X", "N", INPUTS, 4, "a", "Relu"), linear("N", "M", 4, 5, "b"), cell("LSTM", "M", inputs=5))
    case("two linear layers in front", "exact", model(nodes, held))
    nodes, held = join(linear("X", "N", INPUTS, 4, "in", "Relu"), cell("LSTM", "N", y="Y H", inputs=4), linear("H", "O", HIDDEN, 2, "h", "Sigmoid"))
    case("linear layers on both sides, last step", "exact", model(nodes, held, "O"))
    nodes, held = join(linear("X", "N", INPUTS, 4, "in", "Softmax", axis=-1), cell("LSTM", "N", inputs=4))
    case("Softmax in front: the core starts behind it", "partial", model(nodes, held), "'actin'")
    W, b = head(20, INPUTS, 4)
    nodes, held = join(([node("Gemm", "X HW HB", "N")], []), cell("LSTM", "N", inputs=4))
    case("Gemm in front, rows", "exact", model([node("Reshape", "X rows", "A"), node("Gemm", "A HW HB", "G"), node("Reshape", "G back", "N")] + nodes[1:],
                                               held + [W, b, ints("rows", -1, INPUTS), ints("back", STEPS, BATCH, 4)]))
    nodes, held = join(([node("Transpose", "X", "A", perm=[1, 0, 2])], []), linear("A", "N", INPUTS, 4, "in", "Tanh"), cell("GRU", "N", inputs=4))
    case("linear in front of exchanged axes", "exact", model(nodes, held, shape=(BATCH, STEPS, INPUTS)))
    nodes, held = join(linear("X", "N", INPUTS, 4, "in"), cell("LSTM", "N", y="Y1", suffix="1", inputs=4), cell("LSTM", "N", y="Y2", suffix="2", inputs=4, seed=2),
                       ([node("Add", "Y1 Y2", "O", "sum")], []))
    case("two LSTMs on one linear layer", "refused", model(nodes, held, "O"), "'sum'")
    nodes, held = linear("X", "O", INPUTS, 4, "in")
    case("no recurrent layer", "refused", model(nodes, held, "O"), "no LSTM, GRU or RNN node")
    nodes, held = join(linear("X", "h", INPUTS, HIDDEN, "in"), ([node("Slice", "h a b", "h0")], [ints("a", 0), ints("b", 1)]),
                       cell("GRU", extra="- h0"))
    case("a state computed from x by a linear layer", "refused", model(nodes, held), "initial state")


def by_torch():
    from torch import nn
    from graphs import Net, torch_case
    opset = 9
    for kind, more, title in ((nn.GRU, {}, "GRU"), (nn.RNN, {}, "RNN"), (nn.RNN, {"nonlinearity": "relu"}, "RNN relu")):
        for layers in (1, 2):
            for batch_first in (True, False):
                for top in ("", "last", "hn"):
                    torch_case("%s, %d layer(s)%s, head '%s'" % (title, layers, ", batch first" if batch_first else "", top), "exact",
                               Net(layers, batch_first, top, kind=kind, **more), opset, batch_first=batch_first, dynamic=layers == 2)
                    opset = 9 + (opset - 8) % 9
    torch_case("GRU without bias", "exact", Net(1, True, "all", kind=nn.GRU, bias=False), 14)
    torch_case("GRU, MLP behind", "exact", Net(2, True, "last", nn.Sequential(nn.ReLU(), nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2), nn.Sigmoid()), kind=nn.GRU), 14)


def all_cells():
    single_cells()
    activations()
    stacks()
    linears()
    by_torch()
