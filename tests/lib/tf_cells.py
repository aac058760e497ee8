"""TensorFlow's cells as its documentation writes them, in numpy; and graphs of them, written with Google's protobuf."""
import numpy as np


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def lstm(x, K, b, hidden, peephole=None, projection=None, forget_bias=1.0, cell_clip=0, proj_clip=0, order="ijfo",
         gate=sigmoid, act=np.tanh, h0=None, c0=None):
    """LSTMCell: one product of [x, h], columns in `order` (i, j, f, o)."""
    h = np.zeros(K.shape[0] - x.shape[1]) if h0 is None else h0
    c, out = np.zeros(hidden) if c0 is None else c0, []
    wi, wf, wo = peephole if peephole is not None else np.zeros((3, hidden))
    for row in x:
        z = dict(zip(order, np.split(np.concatenate([row, h]) @ K + b, 4)))
        c = gate(z["f"] + forget_bias + wf * c) * c + gate(z["i"] + wi * c) * act(z["j"])
        c = np.clip(c, -cell_clip, cell_clip) if cell_clip else c
        h = gate(z["o"] + wo * c) * act(c)
        h = h @ projection if projection is not None else h
        h = np.clip(h, -proj_clip, proj_clip) if proj_clip else h
        out.append(h)
    return np.array(out)


def gru(x, gates, b, candidate, d):
    """GRUCell: r and u of one product, the candidate of x and r h."""
    h, out = np.zeros(candidate.shape[1]), []
    for row in x:
        r, u = np.split(sigmoid(np.concatenate([row, h]) @ gates + b), 2)
        n = np.tanh(np.concatenate([row, r * h]) @ candidate + d)
        h = u * h + (1 - u) * n
        out.append(h)
    return np.array(out)


def rnn(x, K, b, act=np.tanh):
    h, out = np.zeros(K.shape[1]), []
    for row in x:
        h = act(np.concatenate([row, h]) @ K + b)
        out.append(h)
    return np.array(out)


def messages():
    """The class of GraphDef: names and numbers of fields as TensorFlow's own .proto files have them."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    types = {"int64": 3, "float": 2, "bool": 8, "bytes": 12, "string": 9, "int32": 5, "double": 1}
    schema = {"Dim": [("size", 1, "int64")],
              "TensorShapeProto": [("dim", 2, "*Dim")],
              "TensorProto": [("dtype", 1, "int32"), ("tensor_shape", 2, "TensorShapeProto"), ("tensor_content", 4, "bytes"),
                              ("float_val", 5, "*float"), ("int_val", 7, "*int32"), ("half_val", 13, "*int32")],
              "AttrValue": [("s", 2, "bytes"), ("i", 3, "int64"), ("f", 4, "float"), ("b", 5, "bool"), ("type", 6, "int32"),
                            ("tensor", 8, "TensorProto")],
              "AttrEntry": [("key", 1, "string"), ("value", 2, "AttrValue")],
              "NodeDef": [("name", 1, "string"), ("op", 2, "string"), ("input", 3, "*string"), ("device", 4, "string"),
                          ("attr", 5, "*AttrEntry")],
              "VersionDef": [("producer", 1, "int32")],
              "GraphDef": [("node", 1, "*NodeDef"), ("versions", 4, "VersionDef")]}
    file = descriptor_pb2.FileDescriptorProto(name="tf_test.proto", package="tf_test", syntax="proto2")
    for name, fields in schema.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            plain = kind.lstrip("*")
            f = message.field.add(name=field, number=number, label=3 if kind[0] == "*" else 1, type=types.get(plain, 11))
            if plain not in types:
                f.type_name = ".tf_test." + plain
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("tf_test.GraphDef")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(found)
    return message_factory.MessageFactory(pool).GetPrototype(found)


class Graph:
    """A GraphDef; every method adds nodes and returns the name of a value."""

    def __init__(self):
        self.proto = messages()()
        self.proto.versions.producer = 24
        self.count = 0

    def node(self, op, *inputs, name=None, **attributes):
        self.count += 1
        n = self.proto.node.add(name=name or "n%d/%s" % (self.count, op), op=op, input=list(inputs))
        for key, value in attributes.items():
            a = n.attr.add(key=key).value
            if isinstance(value, bool):
                a.b = value
            elif isinstance(value, int):
                a.i = value
            else:
                a.f = value
        return n.name

    def const(self, value, name=None, form="raw"):
        value = np.asarray(value)
        value = value.astype("<i4" if value.dtype.kind == "i" else "<f4")
        self.count += 1
        n = self.proto.node.add(name=name or "n%d/Const" % self.count, op="Const")
        a = n.attr.add(key="value").value.tensor
        a.dtype = 3 if value.dtype.kind == "i" else 1
        for size in value.shape:
            a.tensor_shape.dim.add(size=size)
        a.tensor_shape.SetInParent()
        if form == "half":
            a.dtype = 19
            a.half_val.extend(int(v) for v in value.astype("<f2").view("<u2").ravel())
        elif form == "one":
            a.float_val.append(value.ravel()[0])
        elif form == "list":
            (a.float_val if a.dtype == 1 else a.int_val).extend(value.ravel().tolist())
        else:
            a.tensor_content = value.tobytes()
        return n.name

    def weight(self, value, name, form="raw"):
        """A frozen variable, as a loop reads it: Const, Identity, Enter."""
        return self.node("Enter", self.node("Identity", self.const(value, name, form), name=name + "/read"), is_constant=True)

    def zeros(self, units, first=None):
        if first is not None:
            return self.const(first[None])
        return self.node("Fill", self.const([1, units]), self.const(0.0, form="list"))

    def state(self, first):
        """(value in the loop, how to set what the next step gets, the Exit)."""
        merge = self.node("Merge", self.node("Enter", first), "later")
        switch = self.node("Switch", merge, "cond")
        later = self.proto.node[[n.name for n in self.proto.node].index(merge)]

        def close(value):
            later.input[1] = self.node("NextIteration", value)
        return self.node("Identity", switch + ":1"), close, self.node("Exit", switch)

    def concat(self, x, h):
        return self.node("ConcatV2", x, h, self.const(1, form="list"))

    def affine(self, x, h, K, b, name="cell"):
        product = self.node("MatMul", self.concat(x, h), self.weight(K, name + "/kernel"), transpose_b=False)
        return self.node("BiasAdd", product, self.weight(b, name + "/bias"))

    def read(self, value):
        """A step of (steps, 1, inputs), inside the loop."""
        scatter = self.node("TensorArrayScatterV3", "array", "range", value, "array:1")
        return self.node("TensorArrayReadV3", "array", "time", self.node("Enter", scatter, is_constant=True))

    def write(self, value):
        """All steps of a value of the loop: (steps, 1, units)."""
        flow, close, end = self.state("array:1")
        close(self.node("TensorArrayWriteV3", "array", "time", value, flow))
        return self.node("TensorArrayGatherV3", "array", "range", end)

    def clip(self, value, limit):
        return self.node("Maximum", self.node("Minimum", value, self.const(limit)), self.const(-limit))

    def exchanged(self, value):
        return self.node("Transpose", value, self.const([1, 0, 2]))

    def lstm(self, x, K, b, hidden, peephole=None, projection=None, forget_bias=1.0, cell_clip=0, proj_clip=0,
             order="ijfo", gate="Sigmoid", act="Tanh", h0=None, c0=None, add="Add", name="cell", select=None):
        """LSTMCell in a loop, as tf.nn.dynamic_rnn writes it; (h of a step, the Exit of h)."""
        outputs = projection.shape[1] if projection is not None else hidden
        c, next_c, _ = self.state(self.zeros(hidden, c0))
        h, next_h, end = self.state(self.zeros(outputs, h0))
        split = self.node("Split", self.const(1), self.affine(x, h, K, b, name), num_split=4)
        z = {letter: split + (":%d" % k if k else "") for k, letter in enumerate(order)}

        def sees(value, row, state):
            if peephole is None:
                return value
            p = self.weight(peephole[row], "%s/w_%s_diag" % (name, "ifo"[row]))
            return self.node(add, value, self.node("Mul", p, state))
        f = self.node(gate, sees(self.node(add, z["f"], self.const(forget_bias, form="list")), 1, c))
        i = self.node(gate, sees(z["i"], 0, c))
        new = self.node(add, self.node("Mul", f, c), self.node("Mul", i, self.node(act, z["j"])))
        new = self.clip(new, cell_clip) if cell_clip else new
        out = self.node("Mul", self.node(gate, sees(z["o"], 2, new)), self.node(act, new))
        if projection is not None:
            out = self.node("MatMul", out, self.weight(projection, name + "/projection/kernel"))
        out = self.clip(out, proj_clip) if proj_clip else out
        next_c(new)
        next_h(self.node("Select", "done", h, out) if select else out)
        return out, end

    def gru(self, x, gates, b, candidate, d):
        h, next_h, end = self.state(self.zeros(candidate.shape[1]))
        split = self.node("Split", self.const(1), self.node("Sigmoid", self.affine(x, h, gates, b, "gates")), num_split=2)
        n = self.node("Tanh", self.affine(x, self.node("Mul", split, h), candidate, d, "candidate"))
        rest = self.node("Sub", self.const(1.0, form="list"), split + ":1")
        out = self.node("Add", self.node("Mul", split + ":1", h), self.node("Mul", rest, n))
        next_h(out)
        return out, end

    def rnn(self, x, K, b, act="Tanh"):
        h, next_h, end = self.state(self.zeros(K.shape[1]))
        out = self.node(act, self.affine(x, h, K, b))
        next_h(out)
        return out, end

    def bytes(self):
        return self.proto.SerializeToString()
