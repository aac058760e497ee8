"""Model files byte by byte, so that damage can be put where it is wanted: .npy, .npz, .safetensors, .onnx."""
import io
import json
import struct
import zipfile

import numpy as np

MARK = (2020, 1, 1, 0, 0, 0)            # no clock in the files: same bytes every time


def npy(array, version=1, header=None, descr=None, fortran=False, shape=None, data=None):
    """A .npy file; every part can be replaced."""
    array = np.asarray(array)
    text = header if header is not None else "{'descr': %s, 'fortran_order': %s, 'shape': %s, }" % (
        repr(descr or array.dtype.str), fortran, shape if shape is not None else array.shape)
    size = "<H" if version == 1 else "<I"
    start = 8 + struct.calcsize(size)
    text += " " * (-(start + len(text) + 1) % 64) + "\n"
    body = data if data is not None else array.tobytes("F" if fortran else "C")
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(size, len(text)) + text.encode("latin1") + body


def npz(members, method=zipfile.ZIP_STORED):
    """A zip of (name, bytes) pairs, in order; a dict of arrays becomes NAME.npy members."""
    if isinstance(members, dict):
        members = [(k + ".npy", npy(v)) for k, v in members.items()]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in members:
            z.writestr(zipfile.ZipInfo(name, MARK), data, method)
    return out.getvalue()


def claim_size(zip_bytes, size):
    """Forges the uncompressed size of the first member, in its local header and in the directory."""
    b = bytearray(zip_bytes)
    struct.pack_into("<I", b, b.index(b"PK\3\4") + 22, size)
    struct.pack_into("<I", b, b.index(b"PK\1\2") + 24, size)
    return bytes(b)


def safetensors(tensors, header=None, length=None):
    """tensors: name -> (dtype, shape, bytes)."""
    entries, data = {}, b""
    for name, (dtype, shape, raw) in tensors.items():
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = (header if header is not None else json.dumps(entries)).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


# ---- protobuf, by hand (field numbers from onnx.proto) ----

def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """An int becomes a varint, a float a fixed32, text and bytes a block."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


FLOAT, FLOAT16, DOUBLE, BFLOAT16, INT64 = 1, 10, 11, 16, 7


def tensor(name, shape, code, raw=None, floats=None, doubles=None, int32s=None, external=False):
    out = b"".join(field(1, int(d)) for d in shape) + field(2, code) + field(8, name)
    if raw is not None:
        out += field(9, raw)
    if floats is not None:
        out += field(4, np.asarray(floats, "<f4").tobytes())
    if doubles is not None:
        out += field(10, np.asarray(doubles, "<f8").tobytes())
    if int32s is not None:
        out += field(5, b"".join(varint(int(v)) for v in int32s))
    if external:
        out += field(13, field(1, "location") + field(2, "weights.bin")) + field(14, 1)
    return out


def array(name, values):
    values = np.asarray(values)
    code = {"f2": FLOAT16, "f4": FLOAT, "f8": DOUBLE, "i8": INT64}[values.dtype.str[1:]]
    return tensor(name, values.shape, code, values.tobytes())


def attribute(name, value, graph=None, tensor_value=None, strings=None):
    out = field(1, name)
    if graph is not None:
        return out + field(6, graph) + field(20, 5)
    if tensor_value is not None:
        return out + field(5, tensor_value) + field(20, 4)
    if strings is not None:
        return out + b"".join(field(9, s) for s in strings) + field(20, 8)
    if isinstance(value, float):
        return out + field(2, value) + field(20, 1)
    if isinstance(value, int):
        return out + field(3, value) + field(20, 2)
    return out + field(4, value) + field(20, 3)


def node(op, inputs, outputs, *attributes, name=""):
    return (b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs)
            + (field(3, name) if name else b"") + field(4, op) + b"".join(field(5, a) for a in attributes))


def fields(data):
    """(number, value) of a message: numbers, bytes of blocks."""
    def number(at):
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                return value, at
    at = 0
    while at < len(data):
        tag, at = number(at)
        value, at = (data[at:at + 4], at + 4) if tag & 7 == 5 else number(at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        yield tag >> 3, value


def named(data, number):
    return [v.decode() for k, v in fields(data) if k == number and v]


def value_info(name, shape=None):
    """A float tensor; without a shape nobody knows even its rank."""
    dims = b"".join(field(1, field(1, d) if isinstance(d, int) else field(2, d)) for d in shape or ())
    return field(1, name) + field(2, field(1, field(1, FLOAT) + (field(2, dims) if shape is not None else b"")))


def graph(nodes, initializers, name="g", inputs=None, outputs=None):
    """Inputs and outputs that are not given are what nothing makes and what nothing takes; all without a shape."""
    made = [o for n in nodes for o in named(n, 2)]
    taken = [i for n in nodes for i in named(n, 1)]
    known = made + [v for t in initializers for v in named(t, 8)]
    inputs = inputs if inputs is not None else {n: None for n in taken if n not in known}
    outputs = outputs if outputs is not None else [o for o in made if o not in taken]
    return (b"".join(field(1, n) for n in nodes) + field(2, name) + b"".join(field(5, t) for t in initializers)
            + b"".join(field(11, value_info(n, s)) for n, s in inputs.items())
            + b"".join(field(12, value_info(n)) for n in outputs))


def onnx(graph_bytes):
    return field(1, 8) + field(7, graph_bytes) + field(8, field(1, "") + field(2, 15))
