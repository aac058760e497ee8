#!/usr/bin/python3
"""Runs a model file in its own framework, for `lstmgen import FILE -o SPEC.yaml --reference IN.npy`:

    reference.py FILE IN.npy STEM WIDTH STEPS_AXIS INPUT OUTPUT

writes STEM_input.npy (sequences, steps, inputs) and STEM_expect.npy (sequences, steps or 1, WIDTH). IN.npy is (steps, inputs) or
(sequences, steps, inputs). Of an .onnx file INPUT and OUTPUT are the values at which the core starts and ends, and
STEPS_AXIS is where its input has the steps; each sequence is run alone, states start from zero.

The frameworks: onnxruntime (.onnx), torch (.pt of TorchScript), keras (.keras, .h5), tensorflow, tflite_runtime or
ai_edge_litert (.tflite). This runs what is in the file as its framework does: only for files that you trust.
"""
import importlib, pathlib, sys

import numpy as np

ONNX_TYPES = {"tensor(float)": "f4", "tensor(double)": "f8", "tensor(float16)": "f2", "tensor(int64)": "i8", "tensor(int32)": "i4",
              "tensor(bool)": "?"}


def need(*names):
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            pass
    sys.exit("%s is not there for this python3 (LSTMGEN_PYTHON names another): pip install %s" % (" or ".join(names), names[0].split(".")[0]))


# ---- ONNX ----

def number(n):
    """A varint of protobuf."""
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def field(key, data):
    return number(key << 3 | 2) + number(len(data)) + data


def with_outputs(data, names):
    """The model with more outputs: messages of protobuf that follow each other are merged (ModelProto.graph is 7,
    GraphProto.output 12, ValueInfoProto.name 1)."""
    return data + b"".join(field(7, field(12, field(1, n.encode()))) for n in names)


def run_onnx(path, sequences, steps_axis, source, target):
    ort = need("onnxruntime")
    options = ort.SessionOptions()
    options.log_severity_level = 3
    plain = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs, known = plain.get_inputs(), [o.name for o in plain.get_outputs()]
    names = [i.name for i in inputs]
    hidden = [n for n in dict.fromkeys([source, target]) if n not in known and n not in names]
    session = ort.InferenceSession(with_outputs(path.read_bytes(), hidden), options, providers=["CPUExecutionProvider"]) if hidden else plain
    x_name = source if source in names else max(inputs, key=lambda i: len(i.shape)).name
    if steps_axis < 0 and source in names:
        shape = next(i.shape for i in inputs if i.name == source)
        steps_axis = 1 if shape[0] == 1 or len(shape) < 3 else 0
    given, got = [], []
    for x in sequences:
        feed = {}
        for i in inputs:
            kind = ONNX_TYPES.get(i.type) or sys.exit("input '%s' is a %s" % (i.name, i.type))
            zero = [d if isinstance(d, int) else 1 for d in i.shape]
            feed[i.name] = np.zeros(zero, kind)
            if i.name == x_name:
                feed[i.name] = (x[:, None] if steps_axis == 0 else x[None]).astype(kind) if source in names else x[None].astype(kind)
        values = dict(zip(known + hidden, session.run(known + hidden, feed)))
        given.append(x if source in names else values[source].reshape(-1, values[source].shape[-1]))
        got.append(values[target])
    return given, got


# ---- the others: what goes in is (1, steps, inputs), what comes out the whole model's output ----

def run_torch(path, sequences, *_):
    torch = need("torch")
    try:
        net = torch.jit.load(str(path)).eval()
    except RuntimeError:
        sys.exit("%s holds tensors, not a program: only a file of TorchScript can be run. Run your own module on the input and "
                 "give both as verify.input and verify.expect" % path)
    with torch.no_grad():
        out = [net(torch.from_numpy(x[None])) for x in sequences]
    return sequences, [(y[0] if isinstance(y, (tuple, list)) else y).numpy() for y in out]


def run_keras(path, sequences, *_):
    net = need("keras").saving.load_model(path, compile=False)
    return sequences, [np.asarray(net.predict(x[None], verbose=0)) for x in sequences]


def run_tflite(path, sequences, *_):
    lite = need("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite")
    out = []
    for x in sequences:
        net = lite.Interpreter(model_path=str(path))
        first, last = net.get_input_details()[0], net.get_output_details()[0]
        net.resize_tensor_input(first["index"], (1, *x.shape))
        net.allocate_tensors()
        scale, zero = first["quantization"]
        net.set_tensor(first["index"], (np.round(x[None] / scale + zero) if scale else x[None]).astype(first["dtype"]))
        net.invoke()
        scale, zero = last["quantization"]
        y = net.get_tensor(last["index"])
        out.append((y.astype("f4") - zero) * scale if scale else y)
    return sequences, out


RUN = {".onnx": run_onnx, ".pt": run_torch, ".pth": run_torch, ".jit": run_torch, ".keras": run_keras, ".h5": run_keras, ".hdf5": run_keras,
       ".tflite": run_tflite}


def main():
    if len(sys.argv) != 8:
        sys.exit(__doc__)
    path, stem, width, steps_axis = pathlib.Path(sys.argv[1]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    x = np.asarray(np.load(sys.argv[2], allow_pickle=False), "<f4")
    if x.ndim not in (2, 3):
        sys.exit("%s has %d axes: expected (steps, inputs) or (sequences, steps, inputs)" % (sys.argv[2], x.ndim))
    if path.suffix not in RUN:
        sys.exit("no framework runs a %s file by itself: it holds weights alone" % (path.suffix or "nameless"))
    given, got = RUN[path.suffix](path, list(x if x.ndim == 3 else x[None]), steps_axis, sys.argv[6], sys.argv[7])
    out = []
    for g, y in zip(given, got):
        rows = y.size // width
        if y.size % width or rows not in (1, len(g)):
            sys.exit("the model gives %s, the core %d values a step: it ends before the model does" % (y.shape, width))
        out.append(np.asarray(y, "<f4").reshape(rows, width))
    np.save(stem + "_input.npy", np.asarray(given, "<f4"))
    np.save(stem + "_expect.npy", np.asarray(out, "<f4"))


if __name__ == "__main__":
    main()
