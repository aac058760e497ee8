#!/usr/bin/env python3
"""Writes good model files for test_model.c, every container and number type, and what they must load as.

    make_model_cases.py OUTDIR [MODELS]

tensors.txt: `FILE TENSOR D0,D1,..`: element n (C order) of every one is ((37 n) mod 101 - 50) / 64.
arrays.txt:  `FILE D0,D1,..`: for array_load; the same numbers times 64, plus 50 for unsigned types.
real.txt:    `FILE TENSOR D0,D1,.. SUM` for all tensors of the folder MODELS, read with numpy (and with the onnx
             package where it is installed); SUM = sum of (n + 1) * bits of the float32 element n, mod 2^64.
Only numpy and the standard library are needed. Same bytes every time.
"""
import json
import os
import struct
import sys
import zipfile

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model"))
import formats as f

OUT = sys.argv[1]
MODELS = sys.argv[2] if len(sys.argv) > 2 else ""
lists = {"tensors.txt": [], "arrays.txt": [], "real.txt": []}


def values(shape, scale=1 / 64, offset=-50):
    n = np.arange(int(np.prod(shape)))
    return (((37 * n) % 101 + offset) * scale).reshape(shape)


def dims(shape):
    return ",".join(str(d) for d in shape) or "-"


def write(name, data):
    path = os.path.join(OUT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data)


def expect(name, tensor, shape):
    lists["tensors.txt"].append("%s %s %s" % (name, tensor, dims(shape)))


def npy_files():
    """Types, byte orders, element orders, ranks and header versions, as .npy and inside one .npz each way."""
    members = []
    for kind in ("f2", "f4", "f8"):
        for order in "<>":
            for fortran in (False, True):
                for version in (1, 2, 3):
                    for shape in ((6, 5), (2, 3, 4, 5), (7,), ()):
                        name = "%s%s%s%d_%dd" % (kind, "le" if order == "<" else "be", "fc"[not fortran], version, len(shape))
                        data = f.npy(values(shape).astype(order + kind), version, fortran=fortran)
                        members.append((name + ".npy", data))
                        expect("all.npz", name, shape)
                        expect("deflated.npz", name, shape)
                        if version == 1:
                            write("folder/%s.npy" % name, data)
                            expect("folder", name, shape)
    write("all.npz", f.npz(members))
    write("deflated.npz", f.npz(members, zipfile.ZIP_DEFLATED))
    write("one.npy", f.npy(values((6, 5)).astype("<f4")))
    expect("one.npy", "one", (6, 5))
    # written by numpy itself: savez leaves sizes to zip64 extras, a transposed array is stored in Fortran order
    np.savez(os.path.join(OUT, "savez.npz"), a=values((6, 5)), b=np.ascontiguousarray(values((6, 5)).T).T.astype("f4"))
    np.savez_compressed(os.path.join(OUT, "savez_compressed.npz"), a=values((60, 50)).astype("f4"))
    expect("savez.npz", "a", (6, 5))
    expect("savez.npz", "b", (6, 5))
    expect("savez_compressed.npz", "a", (60, 50))
    # Python 2 wrote long integers; blanks and key order are free
    write("python2.npy", f.npy(values((6, 5)).astype("<f4"), header="{'shape':(6L,5L),'fortran_order':False , \"descr\" : '<f4'}"))
    expect("python2.npy", "python2", (6, 5))


def arrays():
    for kind in "i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 b1".split():
        for order in "<>":
            for fortran in (False, True):
                shape = (4, 6)
                unsigned = kind[0] in "ub"
                v = values(shape, 1, 0 if unsigned else -50)
                if kind == "b1":
                    v = np.ones(shape)
                name = "array_%s%s%s.npy" % (kind, "le" if order == "<" else "be", "fc"[not fortran])
                dtype = np.dtype("?" if kind == "b1" else order + kind)
                write(name, f.npy(v.astype(dtype), fortran=fortran))
                lists["arrays.txt"].append("%s %s %s" % (name, kind, dims(shape)))


def bfloat16(v):
    return (v.astype("<f4").view("<u4") >> 16).astype("<u2")        # the values are exact in 8 bits


def safetensors():
    shapes = {"m": (6, 5), "v": (7,), "s": ()}
    st = {}
    for s, shape in shapes.items():
        v = values(shape)
        st["f16_" + s] = ("F16", shape, v.astype("<f2").tobytes())
        st["bf16_" + s] = ("BF16", shape, bfloat16(np.asarray(v)).tobytes())
        st["f32_" + s] = ("F32", shape, v.astype("<f4").tobytes())
        st["f64_" + s] = ("F64", shape, v.astype("<f8").tobytes())
    for name, (_, shape, _) in st.items():
        expect("all.safetensors", name, shape)
    data = f.safetensors(st)
    write("all.safetensors", data)
    text = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
    text["__metadata__"] = {"format": "pt"}
    write("metadata.safetensors", f.safetensors(st, header=json.dumps(text) + "   "))
    expect("metadata.safetensors", "f16_m", (6, 5))


def onnx():
    v = values((6, 5))
    half = [int(x) for x in v.astype("<f2").view("<u2").ravel()]
    brain = [int(x) for x in bfloat16(v).ravel()]
    tensors = {
        "raw4": f.tensor("raw4", v.shape, f.FLOAT, v.astype("<f4").tobytes()),
        "raw8": f.tensor("raw8", v.shape, f.DOUBLE, v.astype("<f8").tobytes()),
        "raw2": f.tensor("raw2", v.shape, f.FLOAT16, v.astype("<f2").tobytes()),
        "rawb": f.tensor("rawb", v.shape, f.BFLOAT16, bfloat16(v).tobytes()),
        "list4": f.tensor("list4", v.shape, f.FLOAT, floats=v.ravel()),
        "list8": f.tensor("list8", v.shape, f.DOUBLE, doubles=v.ravel()),
        "list2": f.tensor("list2", v.shape, f.FLOAT16, int32s=half),
        "listb": f.tensor("listb", v.shape, f.BFLOAT16, int32s=brain),
    }
    constant = f.node("Constant", [], ["by_node"], f.attribute("value", None, tensor_value=f.tensor("", v.shape, f.FLOAT, v.astype("<f4").tobytes())))
    inner = f.graph([constant], [f.tensor("deep", v.shape, f.FLOAT, v.astype("<f4").tobytes())], "inner")
    outer = f.graph([f.node("Loop", [], [], f.attribute("body", None, graph=inner))], [], "outer")
    branch = f.node("If", ["c"], ["o"], f.attribute("then_branch", None, graph=outer))
    write("all.onnx", f.onnx(f.graph([branch], tensors.values())))
    for name in list(tensors) + ["by_node", "deep"]:
        expect("all.onnx", name, v.shape)


# ---- networks: the same LSTM (I 3, H 4), head (O 2), in every spelling ----

def blocks(a, order):
    """Canonical rows i f g o to the order given by its letters."""
    parts = dict(zip("ifgo", np.split(a, 4)))
    return np.concatenate([parts["g" if c in "gcj" else c] for c in order])


W, R, B = (values(s).astype("<f4") for s in ((16, 3), (16, 4), (16,)))
HEAD_W, HEAD_B = values((2, 4)).astype("<f4"), values((2,)).astype("<f4")


def networks():
    arrays = {"W": W, "R": R, "b": B, "out_w": HEAD_W, "out_b": HEAD_B, "out_1": HEAD_W[0], "b1": 2 * B, "b2": -B,
              "Wt": W.T.copy(), "Rt": R.T.copy(), "out_wt": HEAD_W.T.copy(), "W3": W[None], "R3": R[None],
              "double_b": np.concatenate([0.75 * B, 0.25 * B]), "double_b2": np.concatenate([B, 0 * B])[None]}
    for order in ("iofc", "ifco", "ijfo", "ogif", "fiog"):
        arrays.update({"W_" + order: blocks(W, order), "R_" + order: blocks(R, order), "b_" + order: blocks(B, order),
                       "Wt_" + order: blocks(W, order).T.copy(), "Rt_" + order: blocks(R, order).T.copy()})
    arrays["W_2"], arrays["R_2"] = values((8, 4)).astype("<f4"), values((8, 2)).astype("<f4")
    write("net.npz", f.npz(arrays))



def lstm(x, outputs, suffix="", *attributes, states=()):
    return f.node("LSTM", (x, "W" + suffix, "R" + suffix, "B" + suffix) + states, outputs, *attributes, name="rnn" + suffix)


def onnx_networks():
    weights = [f.array("W", blocks(W, "iofc")[None]), f.array("R", blocks(R, "iofc")[None]),
               f.array("B", np.concatenate([2 * blocks(B, "iofc"), -blocks(B, "iofc")])[None])]
    squeeze = f.node("Squeeze", ["Y"], ["Z"])
    last = f.node("Gather", ["Z", "last"], ["L"])
    head = [f.node("MatMul", ["L", "out_wt"], ["M"]), f.node("Add", ["out_b", "M"], ["P"]), f.node("Relu", ["P"], ["Q"])]
    head_weights = [f.array("out_wt", HEAD_W.T.copy()), f.array("out_b", HEAD_B), f.array("last", np.array(-1, "<i8"))]
    write("head_matmul.onnx", f.onnx(f.graph([lstm("X", ("Y",)), squeeze, last] + head, weights + head_weights)))
    gemm = f.node("Gemm", ["Z", "out_w", "out_b"], ["M"], f.attribute("transB", 1))
    write("head_gemm.onnx", f.onnx(f.graph([lstm("X", ("Y",)), squeeze, gemm], weights + [f.array("out_w", HEAD_W), f.array("out_b", HEAD_B)],
                                                   inputs={"X": ("steps", 1, 3)})))
    w2 = [f.array("W2", blocks(values((8, 4)).astype("<f4"), "iofc")[None]), f.array("R2", blocks(values((8, 2)).astype("<f4"), "iofc")[None]),
          f.array("B2", np.zeros((1, 16), "<f4"))]
    # PyTorch's exporter: zero states as an expanded constant, the direction axis squeezed between two layers
    zero = f.node("Constant", [], ["zero"], f.attribute("value", None, tensor_value=f.array("", np.zeros((1, 1, 1), "<f4"))))
    expand = f.node("Expand", ["zero", "shape"], ["h0"])
    shaped = f.node("ConstantOfShape", ["shape"], ["c0"])
    first = lstm("X", ("Y", "", ""), "", f.attribute("direction", "forward"),
                 f.attribute("activations", None, strings=["Sigmoid", "Tanh", "Tanh"]), states=("", "h0", "c0"))
    write("stack.onnx", f.onnx(f.graph([zero, expand, shaped, first, squeeze, lstm("Z", ("Y2",), "2")], weights + w2)))


def sequences():
    x = values((3, 5, 3)).astype("<f4")
    write("x3.npy", f.npy(x))
    write("x2.npy", f.npy(x[1]))
    write("len.npy", f.npy(np.array([2, 5, 3], "<i4")))
    write("len_short.npy", f.npy(np.array([2, 4, 3], "<u1")))
    write("label.npy", f.npy(np.array([[0], [3], [1]], "<i8")))
    write("y3.npy", f.npy(values((3, 5, 4)).astype("<f8")))
    write("y2.npy", f.npy(values((5, 4)).astype("<f4")))
    write("last3.npy", f.npy(values((3, 1, 4)).astype("<f4")))
    write("last2.npy", f.npy(values((3, 4)).astype("<f4")))
    write("last1.npy", f.npy(values((1, 4)).astype("<f4")))


def big():
    """512 Ki weights: for the bound on memory."""
    write("big.npz", f.npz({"W": values((2048, 128)).astype("<f4"), "R": np.tile(values((64, 512)).astype("<f4"), (32, 1))[:, :512],
                            "b": np.zeros(2048, "<f4")}, zipfile.ZIP_DEFLATED))


# ---- real models ----

def real(path, name, v):
    if v.dtype.kind != "f" or v.size == 0:
        return
    bits = v.astype("<f4").ravel().view("<u4").astype("u8")
    total = int((bits * (np.arange(bits.size, dtype="u8") + np.uint64(1))).sum(dtype="u8"))
    lists["real.txt"].append("%s %s %s %d" % (path, name, dims(v.shape), total))


def read_safetensors(path):
    raw = open(path, "rb").read()
    start = 8 + struct.unpack("<Q", raw[:8])[0]
    for name, e in json.loads(raw[8:start]).items():
        if name != "__metadata__":
            data = raw[start + e["data_offsets"][0]:start + e["data_offsets"][1]]
            yield name, np.frombuffer(data, {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8"}[e["dtype"]]).reshape(e["shape"])


def onnx_tensors(graph, numpy_of):
    for t in graph.initializer:
        yield t.name, numpy_of(t)
    for n in graph.node:
        for a in n.attribute:
            if n.op_type == "Constant" and a.name == "value":
                yield n.output[0], numpy_of(a.t)
            if a.HasField("g"):
                yield from onnx_tensors(a.g, numpy_of)


def real_models():
    try:
        import onnx as package
        from onnx import numpy_helper
    except ImportError:
        package = None
    for folder, _, files in sorted(os.walk(MODELS)):
        for file in sorted(files):
            path = os.path.join(folder, file)
            rel = os.path.relpath(path, MODELS)
            if file.endswith(".npy"):
                real(rel, file[:-4], np.load(path))
            elif file.endswith(".npz"):
                for k, v in np.load(path).items():
                    real(rel, k, v)
            elif file.endswith(".safetensors"):
                for k, v in read_safetensors(path):
                    real(rel, k, v)
            elif file.endswith(".onnx") and package:
                for k, v in onnx_tensors(package.load(path).graph, numpy_helper.to_array):
                    real(rel, k, v)


os.makedirs(OUT, exist_ok=True)
for step in (npy_files, arrays, safetensors, onnx, networks, onnx_networks, sequences, big):
    step()
if MODELS:
    real_models()
for name, lines in lists.items():
    write(name, "".join(line + "\n" for line in lines).encode())
