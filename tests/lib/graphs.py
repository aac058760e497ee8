"""Graphs as exporters write them, for import_graphs.py: each with what `import` must make of it.

`case(name, outcome, model, ...)`: outcome is "exact" (the core gives an output of the graph), "partial" (it ends on the
way, with a warning that names the first node outside: `word`), or "refused" (exit status 1 with `word` on stderr).
"""
import io, warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

STEPS, BATCH, INPUTS, HIDDEN = 7, 3, 5, 6
CASES = []


class Case:
    def __init__(self, name, outcome, model, word="", inputs=None, merged=None, state=False, dropped=""):
        self.name, self.outcome, self.model, self.word = name, outcome, model, word
        self.inputs, self.merged, self.state, self.dropped = inputs, merged, state, dropped


def case(name, outcome, model, word="", **more):
    CASES.append(Case(name, outcome, model, word, **more))


# ---- by hand ----

def rng(seed):
    return np.random.default_rng(seed)


def tensor(name, values, kind="f4"):
    return numpy_helper.from_array(np.asarray(values, kind), name)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, "i8"), name)


def weights(suffix="", inputs=INPUTS, hidden=HIDDEN, seed=1, scale=0.5):
    r = rng(seed)
    return [tensor("W" + suffix, r.normal(0, scale, (1, 4 * hidden, inputs))),
            tensor("R" + suffix, r.normal(0, scale, (1, 4 * hidden, hidden))),
            tensor("B" + suffix, r.normal(0, 0.3, (1, 8 * hidden)))]


def node(op, inputs, outputs, name="", **attributes):
    return helper.make_node(op, inputs.split(" ") if inputs else [], outputs.split(" "), name, **attributes)


def lstm(x="X", y="Y", suffix="", extra="", **attributes):
    """`extra`: further inputs, "-" for one that is absent."""
    n = node("LSTM", "%s W%s R%s B%s" % (x, suffix, suffix, suffix), y, "lstm" + suffix, hidden_size=HIDDEN, **attributes)
    n.input.extend("" if e == "-" else e for e in extra.split())
    return n


def model(nodes, initializers, outputs="Y", opset=15, shape=(STEPS, BATCH, INPUTS), inputs=(), functions=(), domains=()):
    take = [helper.make_tensor_value_info("X", TensorProto.FLOAT, shape)] + list(inputs)
    give = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs.split()]
    graph = helper.make_graph(nodes, "g", take, give, initializers)
    sets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    return helper.make_model(graph, opset_imports=sets, ir_version=8, functions=list(functions))


def squeeze(opset, x, y, axis):
    """Squeeze took its axes as an attribute until operator set 12."""
    return ([node("Squeeze", x, y, axes=[axis])], []) if opset < 13 else \
        ([node("Squeeze", "%s %s_axis" % (x, y), y)], [ints(y + "_axis", axis)])


def head(seed=3, rows=HIDDEN, outputs=4):
    r = rng(seed)
    return [tensor("HW", r.normal(0, 0.5, (rows, outputs))), tensor("HB", r.normal(0, 0.3, (outputs,)))]


def by_hand():
    for opset in range(7, 19):
        extra, more = squeeze(opset, "Y", "S", 1)
        case("lstm, opset %d" % opset, "exact", model([lstm()] + extra, weights() + more, "S", opset))
        case("head on the last step, opset %d" % opset, "exact",
             model([lstm()] + extra + [node("Gather", "S at", "L", axis=0), node("MatMul", "L HW", "M"), node("Add", "M HB", "O")],
                   weights() + more + head() + [numpy_helper.from_array(np.array(-1, "i8"), "at")], "O", opset))
    two = weights() + weights("2", HIDDEN, seed=2)
    s = squeeze(15, "Y", "S", 1)
    chain = [lstm()] + s[0]
    second = lstm("Z", "Y2", "2")
    r = rng(9)
    vector = tensor("k", 0.5 + r.random(HIDDEN))
    for op in ("Mul", "Add", "Sub", "Div"):
        case("%s between layers" % op, "exact", model(chain + [node(op, "S k", "Z"), second], two + s[1] + [vector], "Y2"))
        case("%s of one number between layers" % op, "exact",
             model(chain + [node(op, "S k", "Z"), second], two + s[1] + [tensor("k", 0.7)], "Y2"))
    case("number minus a layer", "exact", model(chain + [node("Sub", "k S", "Z"), second], two + s[1] + [vector], "Y2"))
    case("number divided by a layer", "refused", model(chain + [node("Div", "k S", "Z", "over"), second], two + s[1] + [vector], "Y2"), "'over'")
    case("scale of each step", "refused", model(chain + [node("Mul", "S k", "Z", "steps"), second],
                                                two + s[1] + [tensor("k", r.random((STEPS, 1, 1)))], "Y2"), "'steps'")
    norm = [tensor(n, v) for n, v in zip(("ns", "nb", "nm", "nv"), (r.random(HIDDEN) + 0.5, r.random(HIDDEN), r.random(HIDDEN), r.random(HIDDEN) + 0.2))]
    case("batch normalisation between layers", "exact",
         model(chain + [node("Transpose", "S", "A", perm=[1, 2, 0]), node("BatchNormalization", "A ns nb nm nv", "N"),
                        node("Transpose", "N", "Z", perm=[2, 0, 1]), second], two + s[1] + norm, "Y2"))
    case("layer normalisation between layers", "refused",
         model(chain + [node("LayerNormalization", "S ns nb", "Z", "ln"), second], two + s[1] + norm[:2], "Y2", 17), "'ln'")
    case("ReLU between layers", "refused", model(chain + [node("Relu", "S", "Z", "act"), second], two + s[1], "Y2"), "'act'")
    case("linear layer between layers", "exact",
         model(chain + [node("MatMul", "S HW", "Z", "mid"), second], two + s[1] + head(outputs=HIDDEN)[:1], "Y2"))
    case("steps and sequences exchanged between layers", "refused",
         model(chain + [node("Transpose", "S", "Z", perm=[1, 0, 2]), second], two + s[1], "Y2"), "'lstm2'")
    case("exchanged and back", "exact",
         model(chain + [node("Transpose", "S", "A", perm=[1, 0, 2]), node("Transpose", "A", "Z", perm=[1, 0, 2]), second], two + s[1], "Y2"))
    case("two LSTMs joined", "refused", model([lstm(), lstm("X", "Y2", "2"), node("Add", "Y Y2", "O", "sum")],
                                              weights() + weights("2", seed=2), "O"), "'sum'")
    case("residual", "partial", model(chain + [lstm("S", "Y2", "2"), node("Add", "Y Y2", "O", "skip")], two + s[1], "O"), "'skip'")
    case("sum over the steps", "partial", model(chain + [node("ReduceSum", "S ax", "O", "total")], weights() + s[1] + [ints("ax", 0)], "O", 13), "'total'")
    for name, shape, how in (("0 0 -1", (0, 0, -1), None), ("sizes", (STEPS, BATCH, HIDDEN), None), ("one row a vector", (-1, HIDDEN), "TB")):
        case("Reshape of Y: %s" % name, "exact",
             model([lstm(), node("Transpose", "Y", "A", perm=[0, 2, 1, 3]), node("Reshape", "A shape", "O")],
                   weights() + [ints("shape", *shape)], "O"), merged=how)
    case("Reshape to rows, head, and back", "exact",
         model([lstm(), node("Reshape", "Y rows", "A"), node("Gemm", "A HW HB", "G"), node("Reshape", "G back", "O")],
               weights() + head() + [ints("rows", -1, HIDDEN), ints("back", STEPS, BATCH, 4)], "O"))
    case("all steps in one vector", "partial", model([lstm(), node("Reshape", "Y shape", "O", "flat")], weights() + [ints("shape", BATCH, -1)], "O"), "'flat'")
    case("pairs of steps", "partial", model([lstm(), node("Reshape", "Y shape", "Z", "pair"), lstm("Z", "Y2", "2")],
                                            weights() + weights("2", 2 * HIDDEN, seed=2) + [ints("shape", (STEPS - 1) // 2, BATCH, -1)],
                                            "Y2", shape=(STEPS - 1, BATCH, INPUTS)), "'pair'")
    # ---- what is picked
    for name, at, axis, outcome in (("-1", -1, 0, "exact"), ("T - 1", STEPS - 1, 0, "exact"), ("0", 0, 0, "refused"),
                                    ("-2", -2, 0, "refused"), ("of the batch", 0, 1, "refused"), ("of the vector", 0, 2, "refused")):
        case("Gather %s" % name, outcome, model(chain + [node("Gather", "S at", "O", "pick", axis=axis)],
                                                weights() + s[1] + [numpy_helper.from_array(np.array(at, "i8"), "at")], "O"), "'pick'" if outcome == "refused" else "")
    big = 2 ** 63 - 1
    for name, cut, outcome in (("last", (-1, big, 0), "exact"), ("all", (0, big, 0), "exact"), ("T - 1 to T", (STEPS - 1, STEPS, 0), "exact"),
                               ("first", (0, 1, 0), "refused"), ("all but the last", (0, -1, 0), "refused"),
                               ("a part of the vector", (0, 2, 2), "refused"), ("one sequence", (0, 1, 1), "refused")):
        case("Slice: %s" % name, outcome, model(chain + [node("Slice", "S a b c", "O", "cut")],
                                                weights() + s[1] + [ints(n, v) for n, v in zip("abc", cut)], "O"), "'cut'" if outcome == "refused" else "")
    case("Slice backwards", "refused", model(chain + [node("Slice", "S a b c d", "O", "cut")],
                                             weights() + s[1] + [ints(n, v) for n, v in zip("abcd", (-1, -big, 0, -1))], "O"), "'cut'")
    case("Slice with attributes, opset 9", "exact",
         model([lstm(), node("Squeeze", "Y", "S", axes=[1]), node("Slice", "S", "O", starts=[-1], ends=[2147483647], axes=[0])], weights(), "O", 9))
    case("Y_h", "exact", model([lstm(y="Y H")], weights(), "H"))
    case("Y_c", "refused", model([lstm(y="Y H C")], weights(), "C"), "cell state")
    case("head on Y_c", "refused", model([lstm(y="Y H C"), node("MatMul", "C HW", "O")], weights() + head()[:1], "O"), "cell state")
    case("states of two layers, the last one", "exact",
         model([lstm(y="Y H"), node("Squeeze", "Y ax", "Z"), lstm("Z", "Y2 H2", "2"), node("Concat", "H H2", "N", axis=0),
                node("Gather", "N at", "O", axis=0)], two + [ints("ax", 1), numpy_helper.from_array(np.array(-1, "i8"), "at")], "O"))
    case("states of two layers, the first one", "exact",
         model([lstm(y="Y H"), node("Squeeze", "Y ax", "Z"), lstm("Z", "Y2 H2", "2"), node("Concat", "H H2", "N", axis=0),
                node("Slice", "N a b", "O")], two + [ints("ax", 1), ints("a", 0), ints("b", 1)], "O"))
    case("Cast to whole numbers", "refused", model([lstm(), node("Cast", "Y", "O", "whole", to=TensorProto.INT64)], weights(), "O"), "'whole'")
    double = model([lstm(), node("Cast", "Y", "O", to=TensorProto.DOUBLE)], weights(), "O")
    double.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    case("Cast to double", "exact", double)
    case("Identity and Dropout", "exact", model([lstm(), node("Identity", "Y", "A"), node("Dropout", "A", "O")], weights(), "O"))
    # ---- the node
    zero = [tensor("z", np.zeros((1, BATCH, HIDDEN)))]
    for name, extra, more, outcome, word, attributes in (
            ("zero states", "- z z", zero, "exact", "", {}),
            ("h alone, zero", "- z", zero, "exact", "", {}),
            ("h not zero", "- q", [tensor("q", np.full((1, BATCH, HIDDEN), 0.5))], "exact", "", {}),
            ("h of each neuron", "- q", [tensor("q", np.repeat(rng(4).normal(size=(1, 1, HIDDEN)), BATCH, 1))], "exact", "", {}),
            ("h of each sequence", "- q", [tensor("q", rng(4).normal(size=(1, BATCH, HIDDEN)))], "refused", "initial state", {}),
            ("peepholes and a clip", "- - - p", [tensor("p", rng(4).normal(size=(1, 3 * HIDDEN)))], "exact", "", {"clip": 0.7}),
            ("c not zero", "- z q", zero + [tensor("q", np.full((1, BATCH, HIDDEN), 0.5))], "exact", "", {}),
            ("lengths", "l", [numpy_helper.from_array(np.array([7, 5, 2], "i4"), "l")], "refused", "sequence lengths", {}),
            ("lengths that are T", "l", [numpy_helper.from_array(np.full(BATCH, STEPS, "i4"), "l")], "exact", "", {}),
            ("peepholes", "- - - p", [tensor("p", rng(4).normal(size=(1, 3 * HIDDEN)))], "exact", "", {}),
            ("peepholes of zero", "- - - p", [tensor("p", np.zeros((1, 3 * HIDDEN)))], "exact", "", {}),
            ("clip", "", [], "exact", "", {"clip": 1.0}),
            ("coupled gates", "", [], "refused", "input_forget", {"input_forget": 1}),
            ("reverse", "", [], "refused", "direction", {"direction": "reverse"}),
            ("forward", "", [], "exact", "", {"direction": "forward"}),
            ("the usual activations", "", [], "exact", "", {"activations": ["sigmoid", "TANH", "Tanh"]}),
            ("ReLU inside", "", [], "exact", "", {"activations": ["Sigmoid", "Relu", "Relu"]}),
            ("HardSigmoid inside", "", [], "exact", "", {"activations": ["HardSigmoid", "Tanh", "Tanh"]})):
        case("node: " + name, outcome, model([lstm(extra=extra, **attributes)], weights() + more), word)
    case("node: no bias", "exact", model([node("LSTM", "X W R", "Y", "lstm", hidden_size=HIDDEN)], weights()[:2]))
    state = [helper.make_tensor_value_info(n, TensorProto.FLOAT, (1, BATCH, HIDDEN)) for n in ("h0", "c0")]
    zeros = {"h0": np.zeros((1, BATCH, HIDDEN), "<f4"), "c0": np.zeros((1, BATCH, HIDDEN), "<f4")}
    case("states as inputs", "exact", model([lstm(y="Y H C", extra="- h0 c0")], weights(), "Y H C", inputs=state), "from zero", inputs=zeros,
         state=True, dropped="'C'")
    both = [helper.make_tensor_value_info("hc", TensorProto.FLOAT, (2, BATCH, HIDDEN))]
    case("states as one input", "exact",
         model([node("Split", "hc", "h0 c0", axis=0), lstm(extra="- h0 c0")], weights(), "Y", 11, inputs=both), "from zero",
         inputs={"hc": np.zeros((2, BATCH, HIDDEN), "<f4")}, state=True)
    case("states computed from x", "refused",
         model([node("ReduceMean", "X", "m", axes=[0, 2], keepdims=1), node("Expand", "m shape", "h0"), lstm(extra="- h0 h0")],
               weights() + [ints("shape", 1, BATCH, HIDDEN)], "Y", 13), "initial state")
    # ---- constants
    W, R, B = [numpy_helper.to_array(t) for t in weights()]
    case("weights through Transpose", "exact",
         model([node("Transpose", "Wt", "W", perm=[0, 2, 1]), node("Transpose", "Rt", "R", perm=[0, 2, 1]), lstm()],
               [tensor("Wt", W.transpose(0, 2, 1)), tensor("Rt", R.transpose(0, 2, 1)), tensor("B", B)]))
    case("weights through Unsqueeze and Concat", "exact",
         model([node("Concat", "w0 w1", "w", axis=0), node("Unsqueeze", "w ax", "W"), node("Identity", "R0", "R"),
                node("Concat", "bi bh", "b", axis=0), node("Unsqueeze", "b ax", "B"), lstm()],
               [tensor("w0", W[0, :10]), tensor("w1", W[0, 10:]), tensor("R0", R), tensor("bi", B[0, :4 * HIDDEN]), tensor("bh", B[0, 4 * HIDDEN:]), ints("ax", 0)]))
    case("weights as Constant nodes", "exact",
         model([helper.make_node("Constant", [], [n], value=tensor("", v)) for n, v in (("W", W), ("R", R), ("B", B))] + [lstm()], []))
    case("weights in half precision, cast", "exact",
         model([node("Cast", "Wh", "W", to=TensorProto.FLOAT), lstm()], [tensor("Wh", W, "f2"), tensor("R", R), tensor("B", B)]))
    case("weights computed by Relu", "refused", model([node("Relu", "W0", "W"), lstm()], [tensor("W0", W), tensor("R", R), tensor("B", B)]), "Relu")
    for kind, name in (("i1", "int8"), ("u1", "uint8"), ("i4", "int32")):
        offset = 128 if kind == "u1" else 0
        q = {n: np.clip(np.round(v / 0.02) + offset, -128 + offset, 127 + offset).astype(kind) for n, v in (("Wq", W), ("Rq", R))}
        zp = [] if kind == "i4" else [numpy_helper.from_array(np.array(offset, kind), "zp")]
        case("weights of %s" % name, "exact",
             model([node("DequantizeLinear", "Wq sc" + (" zp" if zp else ""), "W"), node("DequantizeLinear", "Rq sc" + (" zp" if zp else ""), "R"), lstm()],
                   [numpy_helper.from_array(v, n) for n, v in q.items()] + [tensor("sc", 0.02), tensor("B", B)] + zp))
    rows = (0.01 + 0.02 * rng(6).random(4 * HIDDEN)).astype("<f4")
    case("weights of int8, a scale for each row", "exact",
         model([node("DequantizeLinear", "Wq sc zp", "W", axis=1), lstm()],
               [numpy_helper.from_array(np.clip(np.round(W / rows[:, None]), -128, 127).astype("i1"), "Wq"), tensor("sc", rows),
                numpy_helper.from_array(np.zeros(4 * HIDDEN, "i1"), "zp"), tensor("R", R), tensor("B", B)], opset=13))
    case("zero state by ConstantOfShape of a Shape", "exact",
         model([node("Shape", "X", "sh"), node("Gather", "sh one", "b", axis=0), node("Concat", "u b h", "s", axis=0),
                node("ConstantOfShape", "s", "h0"), lstm(extra="- h0 h0")],
               weights() + [ints("one", 1), ints("u", 1), ints("h", HIDDEN)], shape=("t", "b", INPUTS)))
    # ---- heads
    hw, hb = head()
    turned = tensor("HT", numpy_helper.to_array(hw).T)
    for name, n, init, outcome, word in (
            ("MatMul", [node("MatMul", "S HW", "O")], [hw], "exact", ""),
            ("MatMul and Add", [node("MatMul", "S HW", "M"), node("Add", "HB M", "O")], [hw, hb], "exact", ""),
            ("bias of shape (1,)", [node("MatMul", "S HW", "M"), node("Add", "M b1", "O")], [hw, tensor("b1", [0.25])], "exact", ""),
            ("bias of shape (1, 1, O)", [node("MatMul", "S HW", "M"), node("Add", "M b1", "O")], [hw, tensor("b1", rng(8).random((1, 1, 4)))], "exact", ""),
            ("ReLU", [node("MatMul", "S HW", "M"), node("Add", "M HB", "A"), node("Relu", "A", "O")], [hw, hb], "exact", ""),
            ("Sigmoid", [node("MatMul", "S HW", "M"), node("Sigmoid", "M", "O", "act")], [hw], "exact", ""),
            ("Softmax", [node("MatMul", "S HW", "M"), node("Softmax", "M", "O", "act", axis=-1)], [hw], "partial", "'act'"),
            ("two linear layers", [node("MatMul", "S HW", "M"), node("MatMul", "M H2", "O", "next")], [hw, tensor("H2", rng(8).random((4, 2)))], "exact", ""),
            ("scaled before", [node("Mul", "S k", "A"), node("MatMul", "A HW", "M"), node("Add", "M HB", "O")], [hw, hb, vector], "exact", ""),
            ("scaled behind", [node("MatMul", "S HW", "M"), node("Add", "M HB", "A"), node("Mul", "A half", "O")], [hw, hb, tensor("half", 0.5)], "exact", ""),
            ("scaled behind ReLU", [node("MatMul", "S HW", "M"), node("Relu", "M", "A"), node("Mul", "A half", "O", "half_of")], [hw, tensor("half", 0.5)], "partial", "'half_of'"),
            ("of one output, a vector", [node("MatMul", "S hv", "O")], [tensor("hv", rng(8).normal(size=HIDDEN))], "exact", ""),
            ("on the left", [node("Transpose", "S", "A", perm=[0, 2, 1]), node("MatMul", "HT A", "O", "left")], [turned], "partial", "'A'"),
            ("by Einsum", [node("Einsum", "S HW", "O", "sum", equation="tbh,ho->tbo")], [hw], "partial", "'sum'"),
            ("two of them", [node("MatMul", "S HW", "O"), node("MatMul", "S H2", "P")], [hw, tensor("H2", rng(8).random((HIDDEN, 2)))], "exact", "")):
        case("head: " + name, outcome, model(chain + n, weights() + s[1] + init, "O P" if name == "two of them" else "O"), word,
             dropped="'P'" if name == "two of them" else "")
    last = [node("Gather", "S at", "L", axis=0)]
    at = [numpy_helper.from_array(np.array(-1, "i8"), "at")]
    for name, attributes, init in (("", {}, [hw, hb]), (" turned", {"transB": 1}, [turned, hb]), (" with alpha and beta", {"alpha": 0.5, "beta": 2.0}, [hw, hb]),
                                   (" with one bias", {}, [hw, tensor("HB", [0.5])])):
        case("head: Gemm" + name, "exact",
             model(chain + last + [node("Gemm", "L %s HB" % init[0].name, "O", **attributes)], weights() + s[1] + at + list(init), "O"))
    # ---- in front
    case("normalised input", "partial", model([node("Sub", "X mean", "N", "norm"), lstm("N")], weights() + [tensor("mean", rng(7).random(INPUTS))]), "'norm'")
    case("convolution in front", "partial",
         model([node("Transpose", "X", "A", perm=[1, 2, 0]), node("Conv", "A K", "C", "conv", pads=[1, 1]), node("Transpose", "C", "D", "turn", perm=[2, 0, 1]), lstm("D")],
               weights() + [tensor("K", rng(7).normal(size=(INPUTS, INPUTS, 3)))]), "'turn'")
    # ---- branches, functions, other domains
    def branch(suffix):
        return helper.make_graph([lstm(y="y" + suffix, suffix=suffix)], "branch" + suffix, [],
                                 [helper.make_tensor_value_info("y" + suffix, TensorProto.FLOAT, None)])
    flag = [helper.make_tensor_value_info("flag", TensorProto.BOOL, ())]
    choose = helper.make_node("If", ["flag"], ["Y"], "which", then_branch=branch("a"), else_branch=branch("b"))
    case("If, chosen at run time", "refused", model([choose], weights("a") + weights("b", seed=2), inputs=flag), "LSTM 'lstmb' in else_branch",
         inputs={"flag": np.array(True)})
    case("If, constant", "exact", model([choose], weights("a") + weights("b", seed=2) + [numpy_helper.from_array(np.array(False), "flag")]))
    function = helper.make_function("local", "Layer", ["x", "w", "r", "b"], ["y"],
                                    [helper.make_node("LSTM", ["x", "w", "r", "b"], ["y4"], "inner", hidden_size=HIDDEN),
                                     helper.make_node("Constant", [], ["ax"], value=ints("", 1)), helper.make_node("Squeeze", ["y4", "ax"], ["y"])],
                                    [helper.make_opsetid("", 15)])
    case("LSTM in a function", "exact", model([helper.make_node("Layer", ["X", "W", "R", "B"], ["S"], "call", domain="local")], weights(), "S",
                                              functions=[function], domains=["local"]))
    case("two calls of a function", "exact",
         model([helper.make_node("Layer", ["X", "W", "R", "B"], ["S"], "one", domain="local"),
                helper.make_node("Layer", ["S", "W2", "R2", "B2"], ["O"], "two", domain="local")], two, "O", functions=[function], domains=["local"]))
    case("operator of another domain behind", "refused",
         model(chain + [helper.make_node("FusedMatMul", ["S", "HW"], ["O"], "fused", domain="com.microsoft")], weights() + s[1] + [hw], "O", domains=["com.microsoft"]), "'fused'")


# ---- PyTorch ----

class Net(nn.Module):
    def __init__(self, layers=1, batch_first=True, head="", tail=None, kind=nn.LSTM, **more):
        super().__init__()
        self.rnn = kind(INPUTS, HIDDEN, layers, batch_first=batch_first, **more)
        self.fc = nn.Linear(HIDDEN * (2 if more.get("bidirectional") else 1), 4) if head else None
        self.head, self.tail, self.first = head, tail, batch_first

    def forward(self, x, *state):
        y, s = self.rnn(x, state) if state else self.rnn(x)
        h = s[0] if isinstance(s, tuple) else s
        pick = {"": lambda: y, "all": lambda: y, "last": lambda: y[:, -1] if self.first else y[-1],
                "slice": lambda: y[:, -1:, :] if self.first else y[-1:], "hn": lambda: h[-1], "first": lambda: y[:, 0] if self.first else y[0],
                "mean": lambda: y.mean(1), "cn": lambda: s[1][-1], "view": lambda: y.reshape(-1, HIDDEN)}[self.head]()
        out = self.fc(pick) if self.fc else pick
        out = self.tail(out) if self.tail else out
        return (out,) + tuple(s) if state else out


def export(net, opset, batch_first=True, dynamic=False, state=0, **more):
    torch.manual_seed(opset)
    for p in net.parameters():
        nn.init.uniform_(p, -0.6, 0.6)
    x = torch.randn(BATCH, STEPS, INPUTS) if batch_first else torch.randn(STEPS, BATCH, INPUTS)
    names, args = ["X"], (x,)
    if state:
        names, args = ["X", "h0", "c0"], (x,) + tuple(torch.zeros(state, BATCH, HIDDEN) for _ in range(2))
    axes = {"X": {0: "batch", 1: "time"} if batch_first else {0: "time", 1: "batch"}} if dynamic else None
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net.eval(), args, out, opset_version=opset, input_names=names,
                          output_names=["O", "hn", "cn"] if state else ["O"], dynamic_axes=axes, **more)
    return onnx.load_from_string(out.getvalue())


def torch_case(title, outcome, net, opset, word="", merged=None, batch_first=True, inputs=None, state=0, dropped="", **more):
    case("PyTorch: %s, opset %d" % (title, opset), outcome, export(net, opset, batch_first, state=state, **more), word,
         merged=merged, inputs=inputs, state=bool(state), dropped=dropped)


def by_torch():
    opset = 9
    for layers in (1, 2, 3):
        for batch_first in (True, False):
            for head in ("", "all", "last", "slice", "hn"):
                torch_case("%d layer(s)%s, head '%s'" % (layers, ", batch first" if batch_first else "", head), "exact",
                           Net(layers, batch_first, head), opset, batch_first=batch_first, dynamic=layers == 2)
                opset = 9 + (opset - 8) % 9
    for opset in (11, 13, 16):
        torch_case("dropout", "exact", Net(2, True, "all", dropout=0.5), opset)
        torch_case("ReLU behind the head", "exact", Net(1, True, "last", nn.ReLU()), opset)
        torch_case("Sigmoid behind the head", "exact", Net(1, True, "last", nn.Sigmoid()), opset)
        torch_case("two linear layers", "exact", Net(1, True, "last", nn.Linear(4, 2)), opset)
        torch_case("constants not folded", "exact", Net(2, True, "all"), opset, do_constant_folding=False)
        zero = {n: np.zeros((2, BATCH, HIDDEN), "<f4") for n in ("h0", "c0")}
        torch_case("states as inputs", "exact", Net(2, True, "all"), opset, "from zero", inputs=zero, state=2, dropped="'cn'")
        torch_case("head on the first step", "refused", Net(1, True, "first"), opset, "Gather")
        torch_case("head on the cell state", "refused", Net(1, True, "cn"), opset, "cell state")
        torch_case("mean of the steps", "partial", Net(1, True, "mean"), opset, "ReduceMean")
        torch_case("bidirectional", "refused", Net(1, True, "all", bidirectional=True), opset, ":W.forward")
    torch_case("rows", "exact", Net(1, False, "view"), 14, merged="TB", batch_first=False)
    torch_case("modules as functions", "exact", Net(2, True, "all"), 15, export_modules_as_functions=True)


# ---- bad input is normal input ----

def hostile():
    import loop_graphs
    """{title: (model, words on stderr, exit status)}"""
    s = squeeze(15, "Y", "S", 1)
    W, R, B = weights()
    local = helper.make_opsetid("", 15)
    itself = helper.make_function("local", "Again", ["x"], ["y"], [helper.make_node("Again", ["x"], ["y"], domain="local")],
                                  [local, helper.make_opsetid("local", 1)])
    bomb = []
    for level in range(12):
        inner = [helper.make_node("F%d" % (level + 1) if level < 11 else "Identity", [("t%d" % k) if k else "x"], ["t%d" % (k + 1) if k < 7 else "y"],
                                  domain="local" if level < 11 else "") for k in range(8)]
        bomb.append(helper.make_function("local", "F%d" % level, ["x"], ["y"], inner, [local, helper.make_opsetid("local", 1)]))
    chain = [node("Identity", "X" if k == 0 else "i%d" % k, "i%d" % (k + 1)) for k in range(20000)]
    sparse = model([lstm()], [R, B])
    sparse.graph.sparse_initializer.append(helper.make_sparse_tensor(
        helper.make_tensor("W", TensorProto.FLOAT, (3,), [1.0, 2.0, 3.0]), helper.make_tensor("", TensorProto.INT64, (3,), [0, 5, 9]), [1, 4 * HIDDEN, INPUTS]))
    text = helper.make_tensor("words", TensorProto.STRING, (2,), [b"a", b"b"])
    odd = helper.make_tensor("odd", TensorProto.COMPLEX64, (1,), [1 + 2j])
    cut = tensor("W", numpy_helper.to_array(W))
    cut.raw_data = cut.raw_data[:-4]
    undefined = model([lstm("nobody")], weights())
    late = model([node("Identity", "Y", "O"), lstm()], weights(), "O")
    return {
        "a function that calls itself": (model([helper.make_node("Again", ["X"], ["Z"], domain="local"), lstm("Z")], weights(), functions=[itself],
                                               domains=["local"]), "more than 16 deep", 1),
        "functions that grow without end": (model([helper.make_node("F0", ["X"], ["Z"], domain="local"), lstm("Z")], weights(), functions=bomb,
                                                  domains=["local"]), "too large", 1),
        "20,000 nodes in a chain": (model(chain + [lstm("i20000")], weights()), "", 0),
        "a sparse initializer": (sparse, "sparse initializer", 1),
        "unused tensors of strange types": (model([lstm()], weights() + [text, odd]), "", 0),
        "a name that nothing makes": (undefined, "takes 'nobody'", 1),
        "nodes out of order": (late, "takes 'Y'", 1),
        "weights cut short": (model([node("Identity", "W", "V"), node("LSTM", "X V R B", "Y", "lstm", hidden_size=HIDDEN)], [cut, R, B]), "bytes of data", 1),
        "weights of a huge shape": (model([node("ConstantOfShape", "big", "W"), lstm()], [ints("big", 1, 1 << 40, 1 << 20), R, B]), "W", 1),
        "a scale that is no number": (model([node("DequantizeLinear", "Wq sc", "W"), lstm()],
                                            [numpy_helper.from_array(np.ones((1, 4 * HIDDEN, INPUTS), "i1"), "Wq"), tensor("sc", np.nan), R, B]), "NaN or Inf", 1),
        "R of another size": (model([lstm()], [W, tensor("R", np.zeros((1, 4 * HIDDEN, HIDDEN + 1))), B]), "R has the shape", 1),
        "W of another size": (model([lstm()], [tensor("W", np.zeros((1, 4 * HIDDEN + 1, INPUTS))), R, B]), "shape", 1),
        "nodes without outputs": (model([helper.make_node(op, ["X", "X"], []) for op in ("Identity", "Add", "LSTM", "Gather", "Slice", "If", "Shape")]
                                        + [lstm()], weights()), "", 0),
        "an output that nothing makes": (model([lstm()], weights(), "nothing"), "no output of the graph", 1),
        "no output": (model([lstm()] + s[0], weights() + s[1], ""), "no output of the graph", 1),
        "a loop over weights that are not in the file": (loop_graphs.made_of_nothing(), "'loop'", 1),
        "old broadcasting along an axis": (model([lstm()] + [node("Squeeze", "Y", "S", axes=[1]), helper.make_node("Mul", ["S", "k"], ["Z"], "old", axis=0, broadcast=1),
                                                             lstm("Z", "Y2", "2")], weights() + weights("2", HIDDEN, seed=2) + [tensor("k", np.ones(STEPS))],
                                                 "Y2", 6), "'old'", 1),
    }


def all_cases():
    if not CASES:
        import cell_graphs
        by_hand()
        by_torch()
        cell_graphs.all_cells()
        import loop_graphs
        CASES.extend(loop_graphs.all_loops())
    return CASES
