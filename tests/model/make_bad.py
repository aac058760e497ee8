#!/usr/bin/env python3
"""Writes bad model files: CASE.yaml, CASE.expect (each line must be in the message) and what the spec names.

    make_bad.py OUTDIR

Each must be refused by `lstmgen check CASE.yaml` with exit status 1. Same bytes every time.
"""
import json
import os
import struct
import sys
import zipfile

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import formats as f

OUT = sys.argv[1]
H, I = 4, 3
rng = np.random.RandomState(1)
W = (rng.randint(-50, 50, (4 * H, I)) / 64).astype("<f4")
R = (rng.randint(-50, 50, (4 * H, H)) / 64).astype("<f4")
B = (rng.randint(-50, 50, 4 * H) / 64).astype("<f4")
GOOD = {"W": W, "R": R, "b": B}
LSTM = {"cell": "lstm", "gates": "ifgo", "W": "W", "R": "R", "b": "b"}
count = 0


def write(name, data):
    path = os.path.join(OUT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w" if isinstance(data, str) else "wb") as out:
        out.write(data)


def case(name, files, expect, layers=(LSTM,), model=None, verify=None):
    """files: name -> bytes; the first is the model unless `model` says else. layers None: the file must know."""
    global count
    count += 1
    for file, data in files.items():
        write(file, data)
    spec = {"name": "bad", "model": {"file": model or next(iter(files))},
            "sparsity": {"pattern": "dense"}, "engine": {"pes": 2, "pe_width": 2}}
    if layers is not None:
        spec["model"]["layers"] = list(layers)
    if verify:
        spec["verify"] = verify
    write(name + ".yaml", "# %s\n" % name + "".join("%s: %s\n" % (k, json.dumps(v)) for k, v in spec.items()))
    write(name + ".expect", "".join(e + "\n" for e in expect))


def changed(**arrays):
    return dict(GOOD, **arrays)


def put(array, index, value):
    out = array.copy()
    out[index] = value
    return out


def members(**replaced):
    """The good .npz with some members given as bytes."""
    return [(k + ".npy", replaced.get(k, f.npy(v))) for k, v in GOOD.items()]


def npz_case(name, W_bytes, expect):
    case(name, {name + ".npz": f.npz(members(W=W_bytes))}, [name + ".npz", "tensor 'W'"] + expect)


def npy_header(text):
    return f.npy(W, header=text)


# ---- values and shapes ----
case("nan", {"nan.npz": f.npz(changed(W=put(W, (5, 2), np.nan)))}, ["nan.npz", "tensor 'W'", "NaN at index (5, 2)"])
case("inf", {"inf.npz": f.npz(changed(b=put(B, 7, -np.inf)))}, ["tensor 'b'", "Inf at index (7,)"])
case("too_large_for_float32", {"large.npz": f.npz(changed(R=put(R.astype("<f8"), (1, 1), 1e300)))},
     ["tensor 'R'", "too large for float32", "(1, 1)"])
case("nan_half", {"nan_half.npz": f.npz(changed(W=put(W.astype(">f2"), (0, 1), np.nan)))}, ["tensor 'W'", "NaN at index (0, 1)"])
case("wrong_R", {"wrong_R.npz": f.npz(changed(R=np.zeros((1, H), "<f4")))},
     ["tensor 'R'", "expected shape (16, 4), found (1, 4)"])
case("R_of_one_dimension", {"r1.npz": f.npz(changed(R=B))}, ["tensor 'R'", "expected shape (16, 4), found (16,)"])
case("R_transposed", {"rt.npz": f.npz(changed(R=R.T.copy()))},
     ["expected shape (16, 4), found (4, 16)", "`transpose: true` makes it fit"])
case("W_not_four_gates", {"w15.npz": f.npz(changed(W=W[:15]))},
     ["tensor 'W'", "expected shape (4*hidden, inputs), found (15, 3)"])
case("W_of_three_dimensions", {"w3.npz": f.npz(changed(W=np.zeros((2, 16, 3), "<f4")))}, ["tensor 'W'", "found (2, 16, 3)"])
case("wrong_b", {"wrong_b.npz": f.npz(changed(b=B[:12]))}, ["tensor 'b'", "expected shape (16,) or (32,), found (12,)"])
case("two_errors_one_run", {"two.npz": f.npz(changed(R=R[:8], b=B[:8]))}, ["tensor 'R'", "found (8, 4)", "tensor 'b'", "found (8,)"])
case("stack_does_not_fit", {"stack.npz": f.npz(dict(GOOD, W2=np.ones((8, 5), "<f4"), R2=np.ones((8, 2), "<f4")))},
     ["tensor 'W2'", "expected shape (8, 4), found (8, 5)", "the layer before gives 4 values"],
     layers=(LSTM, {"cell": "lstm", "W": "W2", "R": "R2"}))
case("head_does_not_fit", {"head.npz": f.npz(dict(GOOD, out_w=np.ones((10, 5), "<f4"), out_b=np.ones(10, "<f4")))},
     ["tensor 'out_w'", "expected shape (10, 4), found (10, 5)"],
     layers=(LSTM, {"cell": "linear", "W": "out_w", "b": "out_b"}))
case("head_bias", {"head_b.npz": f.npz(dict(GOOD, out_w=np.ones((10, 4), "<f4"), out_b=np.ones(9, "<f4")))},
     ["tensor 'out_b'", "expected shape (10,), found (9,)"],
     layers=(LSTM, {"cell": "linear", "W": "out_w", "b": "out_b"}))
KERNEL = {"K": np.ones((I + H, 4 * H), "<f4"), "b": B}
FUSED = {"cell": "lstm", "kernel": "K", "b": "b"}
case("kernel_columns", {"kernel_columns.npz": f.npz(dict(KERNEL, K=np.ones((7, 15), "<f4")))},
     ["tensor 'K'", "expected shape (inputs + hidden, 4*hidden), found (7, 15)"], [FUSED])
case("kernel_turned", {"kernel_turned.npz": f.npz(dict(KERNEL, K=np.ones((16, 7), "<f4")))}, ["found (16, 7)", "the other way round"], [FUSED])
case("kernel_without_inputs", {"kernel_without_inputs.npz": f.npz(dict(KERNEL, K=np.ones((4, 16), "<f4")))},
     ["expected shape (inputs + 4, 16), found (4, 16)", "no row is left for an input"], [FUSED])
case("kernel_of_one_dimension", {"kernel_of_one_dimension.npz": f.npz(dict(KERNEL, K=B))}, ["tensor 'K'", "found (16,)"], [FUSED])
case("kernel_behind_a_layer", {"kernel_behind_a_layer.npz": f.npz(dict(KERNEL, K2=np.ones((9, 16), "<f4")))},
     ["tensor 'K2'", "expected shape (8, 16), found (9, 16)", "the layer before gives 4 values"], [FUSED, dict(FUSED, kernel="K2")])
case("kernel_and_W", {"kernel_and_W.npz": f.npz(KERNEL)}, ["model.layers.0.W", "kernel is W and R in one"], [dict(FUSED, W="K")])
case("kernel_not_transposed", {"kernel_not_transposed.npz": f.npz(KERNEL)}, ["model.layers.0.transpose", "kernel is W and R in one"],
     [dict(FUSED, transpose=False)])
case("kernel_of_a_head", {"kernel_of_a_head.npz": f.npz(KERNEL)}, ["model.layers.1.kernel", "cell linear has no such key"],
     [FUSED, {"cell": "linear", "kernel": "K"}])
case("join_of_unequal", {"join_of_unequal.npz": f.npz(KERNEL)}, ["(7, 16) and (16,) cannot stand side by side"],
     [dict(FUSED, kernel="join(K, b)")])
case("join_of_a_missing", {"join_of_a_missing.npz": f.npz(KERNEL)}, ["no tensor 'k'", "did you mean 'K'?"], [dict(FUSED, kernel="join(K, k)")])
case("missing_tensor", {"missing.npz": f.npz({"weights": W, "R": R, "b": B})},
     ["no tensor 'weight'", "did you mean 'weights'", "tensors here: weights, R, b"], layers=(dict(LSTM, W="weight"),))
case("integers", {"integers.npz": f.npz(changed(W=np.ones((16, 3), "<i4")))}, ["tensor 'W'", "not floating point"])
case("empty_tensor", {"empty.npz": f.npz(changed(W=np.zeros((16, 0), "<f4")))}, ["tensor 'W'", "dimension 1 is 0", "empty"])

# ---- .npy headers ----
npz_case("pickle", f.npy(W, descr="|O"), ["pickle", "refused"])
npz_case("unknown_dtype", f.npy(W, descr="<c8"), ["unknown dtype '<c8'"])
npz_case("text_dtype", f.npy(W, descr="<U4"), ["unknown dtype '<U4'"])
npz_case("structured_dtype", npy_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (16, 3), }"), ["structured dtype"])
npz_case("fortran_flag", npy_header("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (16, 3), }"), ["expected True or False"])
npz_case("header_twice", npy_header("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (16, 3), }"), ["one each of"])
npz_case("header_lacks_shape", npy_header("{'descr': '<f4', 'fortran_order': False, }"), ["'shape'"])
npz_case("header_cut", npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (16, 3"), ["damaged .npy header"])
npz_case("shape_overflows", f.npy(W, shape="(4294967296, 4294967296, 4)"), ["too large"])
npz_case("shape_of_64_bits", f.npy(W, shape="(99999999999999999999, 3)"), ["63 bits"])
npz_case("shape_negative", f.npy(W, shape="(-16, 3)"), ["cannot be negative"])
npz_case("nine_dimensions", f.npy(W, shape="(16, 3, 1, 1, 1, 1, 1, 1, 1)"), ["9 dimensions", "at most 8"])
npz_case("npy_version_9", b"\x93NUMPY\x09" + f.npy(W)[7:], ["unknown .npy version 9"])
npz_case("no_magic", b"hello" + f.npy(W)[5:], ["not a .npy array"])
npz_case("member_too_short", f.npy(W)[:-8], ["truncated", "takes 192 bytes of data, found 184"])
npz_case("member_too_long", f.npy(W) + b"more", ["more data than declared", "found 196"])
npz_case("header_beyond_file", f.npy(W)[:8] + struct.pack("<H", 60000) + f.npy(W)[10:], ["header claims 60000 bytes"])
npz_case("tiny_member", b"\x93NU", ["expected 8 bytes of .npy prefix, found 3"])
for name, data, words in (("cut.npy", f.npy(W)[:-20], ["truncated", "takes 192 bytes of data, found 172"]),
                          ("bare.npy", f.npy(W)[:9], ["expected 2 bytes of .npy header length, found 1"])):
    case("folder_" + name[:-4], {"folder_%s/W.npy" % name[:-4]: data, "folder_%s/R.npy" % name[:-4]: f.npy(R),
                                 "folder_%s/b.npy" % name[:-4]: f.npy(B)}, ["tensor 'W'"] + words,
         model="folder_" + name[:-4])
case("folder_empty", {"folder_empty/readme.txt": "nothing"}, ["holds no .npy file"], model="folder_empty")

# ---- zip ----
whole = f.npz(GOOD)
case("cut_npz", {"cut.npz": whole[:400]}, ["cut.npz", "truncated or damaged", "400 bytes", "expected a zip directory"])
case("cut_npz_in_directory", {"cut2.npz": whole[:-30]}, ["cut2.npz", "truncated or damaged"])
case("empty_file", {"none.npz": b""}, ["none.npz", "empty"])
case("empty_zip", {"zip0.npz": f.npz([])}, ["zip0.npz", "no .npy member"])
case("pytorch_zip", {"net.npz": f.npz([("archive/data.pkl", b"x")])}, ["data.pkl", "not a pickle of protocol 2 to 4"])
case("not_a_model", {"notes.txt": "a few words\n"}, ["notes.txt", "not a model file"])
case("text_called_npz", {"text.npz": "a few words\n"}, ["text.npz", "truncated or damaged"])
case("missing_file", {"unused.txt": "x"}, ["nowhere.npz", "No such file"], model="nowhere.npz")
case("duplicate_member", {"twice.npz": f.npz(members() + [("W.npy", f.npy(W))])}, ["twice.npz", "duplicate tensor 'W'"])
case("member_dots", {"dots.npz": f.npz(members() + [("../../etc/x.npy", f.npy(W))])}, ["dots.npz", "../../etc/x.npy", "leaves the archive"])
case("member_absolute", {"root.npz": f.npz(members() + [("/etc/x.npy", f.npy(W))])}, ["/etc/x.npy", "leaves the archive"])
zeros = f.npy(np.zeros(1), descr="<f4", shape=(80 << 18,), data=bytes(80 << 20))
case("zip_bomb", {"bomb.npz": f.npz([("W.npy", zeros)], zipfile.ZIP_DEFLATED)}, ["bomb.npz", "tensor 'W'", "zip bomb"])
case("zip_claims_more", {"claims.npz": f.claim_size(f.npz(GOOD, zipfile.ZIP_DEFLATED), 3 << 30)}, ["tensor 'W'", "zip bomb"])
case("zip_claims_a_little_more", {"claims2.npz": f.claim_size(f.npz(GOOD, zipfile.ZIP_DEFLATED), 400)},
     ["tensor 'W'", "more data than declared"])
broken = bytearray(whole)
broken[broken.index(W.tobytes()) + 9] ^= 4
case("zip_crc", {"crc.npz": bytes(broken)}, ["crc.npz", "tensor 'W'", "damaged", "CRC"])
case("bzip2_member", {"bz.npz": f.npz(GOOD, zipfile.ZIP_BZIP2)}, ["compression method 12"])

# ---- .safetensors ----
ST = {k: ("F32", v.shape, v.tobytes()) for k, v in GOOD.items()}
good = f.safetensors(ST)


def st_case(name, data, expect):
    case(name, {name + ".safetensors": data}, [name + ".safetensors"] + expect)


def st_header(**entries):
    text = {k: {"dtype": "F32", "shape": list(v.shape), "data_offsets": [0, 4 * v.size]} for k, v in GOOD.items()}
    at = 0
    for k, v in GOOD.items():
        text[k]["data_offsets"] = [at, at + 4 * v.size]
        at += 4 * v.size
    for k, v in entries.items():
        text[k].update(v)
    return f.safetensors(ST, header=json.dumps(text))


st_case("st_cut", good[:-100], ["truncated", "found 412 bytes"])
st_case("st_header_too_long", struct.pack("<Q", 1 << 40) + good[8:], ["header claims 1099511627776 bytes"])
st_case("st_header_beyond_file", struct.pack("<Q", len(good)) + good[8:], ["header claims"])
st_case("st_six_bytes", good[:6], ["expected 8 bytes of header length, found 6"])
st_case("st_not_json", struct.pack("<Q", 20) + b"{" + b"x" * 19 + good[28:], ["not a JSON object"])
st_case("st_duplicate", f.safetensors({"W": ST["W"]}, header='{"W": {"dtype": "F32", "shape": [16, 3], "data_offsets": [0, 192]}, '
        '"W": {"dtype": "F32", "shape": [16, 3], "data_offsets": [0, 192]}}'), ["duplicate"])
st_case("st_overlap", st_header(R={"data_offsets": [0, 256]}), ["neither overlap nor leave holes"])
st_case("st_hole", st_header(b={"data_offsets": [452, 512]}), ["neither overlap nor leave holes"])
st_case("st_bytes_of_shape", st_header(W={"shape": [16, 4]}), ["tensor 'W'", "takes 256 bytes, found 192"])
st_case("st_overflow", st_header(W={"shape": [1 << 40, 1 << 40]}), ["tensor 'W'", "too large"])
st_case("st_negative", st_header(W={"shape": [-16, 3]}), ["\"shape\" as a list of sizes"])
st_case("st_backwards", st_header(W={"data_offsets": [192, 0]}), ["[begin, end]"])
st_case("st_dtype", st_header(W={"dtype": "F8_E4M3"}), ["unknown dtype 'F8_E4M3'"])
st_case("st_trailing", good + b"1234", ["describes 512 bytes of data, found 516"])
st_case("st_nan", f.safetensors(dict(ST, W=("F32", W.shape, put(W, (3, 0), np.nan).tobytes()))), ["tensor 'W'", "NaN at index (3, 0)"])
st_case("st_nested", struct.pack("<Q", 100000) + b"{\"a\":" + b"[" * 99995, ["not a JSON object"])

# ---- .onnx ----
OW, OR, OB = W[None], R[None], np.concatenate([B, B])[None]


def lstm(*attributes, inputs=("X", "W", "R", "B")):
    return f.node("LSTM", inputs, ("Y", "", ""), f.attribute("hidden_size", H), *attributes, name="rnn")


def model(nodes=None, tensors=()):
    return f.onnx(f.graph(nodes or [lstm()], [f.array("W", OW), f.array("R", OR), f.array("B", OB)] + list(tensors)))


def onnx_case(name, data, expect, layers=None):
    case(name, {name + ".onnx": data}, [name + ".onnx"] + expect, layers=layers)


NO = "not supported by this version"
onnx_case("onnx_cut", model()[:-200], ["truncated or damaged ONNX model", "expected", "found"])
onnx_case("onnx_zeros", b"\x08\x08" + bytes(50), ["truncated or damaged ONNX model"])
onnx_case("onnx_no_graph", f.field(1, 8), ["no graph"])
onnx_case("onnx_no_lstm", f.onnx(f.graph([f.node("Relu", ["X"], ["Y"])], [])), ["no LSTM, GRU or RNN node"])
onnx_case("onnx_gru", f.onnx(f.graph([f.node("GRU", ["X", "W", "R"], ["Y"])], [])), ["GRU node", "input W"])
onnx_case("onnx_reverse", model([lstm(f.attribute("direction", "reverse"))]), ["LSTM node 'rnn'", "direction", NO])
onnx_case("onnx_bidirectional", model([lstm(f.attribute("direction", "bidirectional"))]), ["direction", NO])
onnx_case("onnx_clip", model([lstm(f.attribute("clip", -3.0))]), ["clip", NO])
onnx_case("onnx_coupled", model([lstm(f.attribute("input_forget", 1))]), ["input_forget", NO])
onnx_case("onnx_activations", model([lstm(f.attribute("activations", None, strings=["Softplus", "Tanh", "Tanh"]))]),
          ["activations: 'Softplus'", NO])
onnx_case("onnx_peephole", model([lstm(inputs=("X", "W", "R", "B", "", "", "", "P"))], [f.array("P", np.ones((1, 11), "<f4"))]),
          ["peepholes", NO])
onnx_case("onnx_initial_state", model([lstm(inputs=("X", "W", "R", "B", "", "h0"))], [f.array("h0", np.arange(2 * H, dtype="<f4").reshape(1, 2, H))]),
          ["initial state", NO])
onnx_case("onnx_computed_weights", model([f.node("Relu", ["W"], ["W2"]), lstm(inputs=("X", "W2", "R"))]),
          ["input W ('W2')", "computed by Relu"])
onnx_case("onnx_work_between", model([lstm(), f.node("Relu", ["Y"], ["Z"]), f.node("LSTM", ("Z", "W", "R"), ("Y2",), name="two")]),
          ["LSTM node 'two'", "Relu 'Z'", "model.layers"])
onnx_case("onnx_external", f.onnx(f.graph([lstm()], [f.tensor("W", OW.shape, f.FLOAT, external=True), f.array("R", OR), f.array("B", OB)])),
          ["tensor 'W'", "external data"])
onnx_case("onnx_duplicate", model(tensors=[f.array("W", OW)]), ["duplicate tensor 'W'"])
onnx_case("onnx_int_weights", f.onnx(f.graph([lstm()], [f.array("W", OW.astype("<i8")), f.array("R", OR), f.array("B", OB)])),
          ["tensor 'W'", "data type 7"])
onnx_case("onnx_short_data", f.onnx(f.graph([lstm()], [f.tensor("W", (1, 16, 3), f.FLOAT, W.tobytes()[:-4]), f.array("R", OR), f.array("B", OB)])),
          ["tensor 'W'", "takes 192 bytes of data, found 188"])
onnx_case("onnx_huge_shape", f.onnx(f.graph([lstm()], [f.tensor("W", (1, 1 << 62, 8), f.FLOAT, W.tobytes()), f.array("R", OR), f.array("B", OB)])),
          ["tensor 'W'", "too large"])
two = [f.node("If", ["c"], ["o"], f.attribute("then_branch", None, graph=f.graph([], [f.array("Z", W)], "a")),
              f.attribute("else_branch", None, graph=f.graph([], [f.array("Z", R)], "b")))]
onnx_case("onnx_ambiguous", model(two), ["tensor 'Z'", "several graphs"], layers=(dict(LSTM, W="Z", b="B"),))
deep = f.graph([], [])
for _ in range(3000):
    deep = f.graph([f.node("If", [], [], f.attribute("g", None, graph=deep))], [])
onnx_case("onnx_deep", f.onnx(deep), ["nested deeper"])
onnx_case("onnx_many_messages", f.field(1, 8) + f.field(7, b"\x0a\x00" * 1000000), ["do not unpack"])
case("pickle_file", {"net.pt": b"\x80\x02}q\x00." + bytes(20)}, ["pickle", "refused"])
case("h5_file", {"net.h5": b"\x89HDF\r\n\x1a\n" + bytes(20)}, ["HDF5", "not a whole HDF5 file"])

# ---- verify ----
def verify_case(name, arrays, expect, **keys):
    files = {"good.npz": f.npz(GOOD)}
    files.update({name + "_%s.npy" % k: f.npy(np.asarray(v)) if not isinstance(v, bytes) else v for k, v in arrays.items()})
    verify = {k: name + "_%s.npy" % k for k in arrays}
    verify.update(keys)
    case(name, files, expect, verify=verify)


X = np.zeros((2, 5, I), "<f4")
verify_case("verify_width", {"input": np.zeros((5, 7), "<f4")}, ["verify.input", "expected shape (steps, 3) or (sequences, steps, 3), found (5, 7)"])
verify_case("verify_rank", {"input": np.zeros(5, "<f4")}, ["verify.input", "found (5,)"])
verify_case("verify_nan", {"input": put(X, (1, 2, 0), np.nan)}, ["NaN at index (1, 2, 0)"])
verify_case("verify_cut", {"input": f.npy(X)[:-10]}, ["verify_cut_input.npy", "truncated", "takes 120 bytes of data, found 110"])
verify_case("verify_lengths_zero", {"input": X, "lengths": np.array([5, 0])}, ["whole numbers from 1 to 5, found 0 at index 1"])
verify_case("verify_lengths_long", {"input": X, "lengths": np.array([6, 5])}, ["whole numbers from 1 to 5, found 6 at index 0"])
verify_case("verify_lengths_three", {"input": X, "lengths": np.array([5, 5, 5])}, ["expected shape (2,): one number for each sequence, found (3,)"])
verify_case("verify_expect_width", {"input": X, "expect": np.zeros((2, 5, 3), "<f4")}, ["verify.expect", "expected shape (2, 5, 4)", "found (2, 5, 3)"])
verify_case("verify_expect_steps", {"input": X, "expect": np.zeros((2, 3, 4), "<f4")}, ["verify.expect", "found (2, 3, 4)"])
verify_case("verify_labels_class", {"input": X, "labels": np.array([0, 4])}, ["verify.labels", "from 0 to 3, found 4 at index 1"])
verify_case("verify_labels_half", {"input": X, "labels": np.array([0.5, 1])}, ["whole numbers", "found 0.5"])
case("verify_not_npy", {"good.npz": f.npz(GOOD), "words.npy": "some words here"}, ["words.npy", "not a .npy array"], verify={"input": "words.npy"})
case("verify_missing", {"good.npz": f.npz(GOOD)}, ["nowhere.npy", "No such file"], verify={"input": "nowhere.npy"})
print("%d bad cases in %s" % (count, OUT))
