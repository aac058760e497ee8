#!/usr/bin/python3
"""`lstmgen import`: what it prints for files as frameworks name them is a spec that `check` takes.  suite: 5 s

    import_model.py [WORD]...        only the cases with every WORD in their name
"""
import json, pathlib, sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "model")]
from cases import Suite, check
from lstm import MODELS, lstmgen, scratch
try:
    import numpy as np
    import formats
except ImportError:
    print("skipped: python3-numpy is not there")
    sys.exit(77)

suite = Suite()
PYTORCH = {"lstm.weight_ih_l0": (32, 5), "lstm.weight_hh_l0": (32, 8), "lstm.bias_ih_l0": (32,),
           "lstm.bias_hh_l0": (32,), "lstm.weight_ih_l1": (24, 8), "lstm.weight_hh_l1": (24, 6),
           "lstm.bias_ih_l1": (24,), "lstm.bias_hh_l1": (24,),
           "fc.weight": (3, 6), "fc.bias": (3,)}
KERAS = {"lstm/lstm_cell/kernel:0": (5, 32), "lstm/lstm_cell/recurrent_kernel:0": (8, 32),
         "lstm/lstm_cell/bias:0": (32,),
         "dense/kernel:0": (8, 3), "dense/bias:0": (3,)}
PLAIN = {"R": (32, 8), "W": (32, 5), "b": (32,), "out_b": (3,), "out_w": (3, 8), "R_mask": (32, 8)}
STRANGE = {"first": (32, 5), "second": (32, 8), "third": (32,)}
SQUARE = {"a x": (32, 8), "yes": (32, 8)}


def write(path, shapes):
    rng = np.random.default_rng(1)
    t = {k: rng.normal(size=s).astype("<f4") for k, s in shapes.items()}
    if path.suffix == ".npz":
        path.write_bytes(formats.npz(t))
    elif path.suffix == ".safetensors":
        path.write_bytes(formats.safetensors({k: ("F32", v.shape, v.tobytes()) for k, v in t.items()}))
    elif path.suffix == ".onnx":
        path.write_bytes(formats.onnx(formats.graph([], [formats.array(k, v) for k, v in t.items()])))
    else:
        path.mkdir()
        for k, v in t.items():
            (path / (k + ".npy")).write_bytes(formats.npy(v))


def answered(text):
    """The printed spec with its questions answered by yes."""
    return text.replace("    # - {", "    - {")


def imported(folder, name, layers, *words, questions=False):
    r = lstmgen("import", name, cwd=folder)
    check(r.status == (1 if questions else 0), "exit %s: %s", r.status, r.last())
    check(("a question to answer" in r.err) == questions, "questions: %s", r.last())
    for word in words:
        check(word in r.out, "'%s' is not in: %s", word, r.out)
    spec = pathlib.Path(folder, "spec.yaml")
    if questions:
        spec.write_text(r.out)
        check(lstmgen("check", spec, cwd=folder).status == 1, "layers in question are used")
    spec.write_text(answered(r.out))
    found = lstmgen("check", spec, "--json", cwd=folder)
    check(found.status == 0, "check: %s", found.last())
    sizes = [(l["cell"], l["inputs"], l["hidden"]) for l in found.object["network"]]
    check(sizes == layers, "layers %s", sizes)


CASES = [("PyTorch", PYTORCH, [("lstm", 5, 8), ("lstm", 8, 6), ("linear", 6, 3)],
          ["b: [lstm.bias_ih_l1, lstm.bias_hh_l1]", "gates: ifgo"], (".npz", ".safetensors", ".onnx", "")),
         ("Keras", KERAS, [("lstm", 5, 8), ("linear", 8, 3)], ["gates: ifco", "transpose: true"],
          (".npz", ".safetensors")),
         ("plain", PLAIN, [("lstm", 5, 8), ("linear", 8, 3)], ["W: W, R: R, b: [b]", "b: [out_b]"], (".npz", "")),
         ("strange names", STRANGE, [("lstm", 5, 8)],
          ["# - {cell: lstm, gates: ifgo, W: first, R: second, b: [third]}", "Only their shapes"],
          (".npz", ".onnx")),
         ("names to quote", SQUARE, [("lstm", 8, 8)], ['W: "yes", R: "a x"', "Only their shapes"], (".npz",))]


def case(shapes, layers, words, suffix):
    with scratch() as folder:
        name = "model" + suffix
        write(pathlib.Path(folder, name), shapes)
        imported(folder, name, layers, *words, questions="Only their shapes" in words)


for title, shapes, layers, words, suffixes in CASES:
    for suffix in suffixes:
        suite.add("%s %s" % (title, suffix or "folder"),
                  lambda s=shapes, l=layers, w=words, x=suffix: case(s, l, w, x))


@suite.case("nodes of an ONNX graph; where they are not understood, nothing is guessed")
def _():
    rng = np.random.default_rng(1)
    t = {"x1": rng.normal(size=(1, 16, 3)).astype("<f4"), "x2": rng.normal(size=(1, 16, 4)).astype("<f4")}
    with scratch() as folder:
        for op in ("LSTM", "GRU"):
            node = formats.node(op, ["X", "x1", "x2"], ["Y"], name="n")
            graph = formats.graph([node], [formats.array(k, v) for k, v in t.items()])
            pathlib.Path(folder, "%s.onnx" % op).write_bytes(formats.onnx(graph))
        imported(folder, "LSTM.onnx", [("lstm", 3, 4)], "gates: iofc", "W: x1, R: x2")
        r = lstmgen("import", pathlib.Path(folder, "GRU.onnx"))
        check(r.status == 1 and "GRU" in r.err and "cell:" not in r.out, "GRU: exit %s: %s%s", r.status, r.out, r.err)


@suite.case("--json: the same spec, where the tensors went, what was assumed and what is in question")
def _():
    with scratch() as folder:
        path = pathlib.Path(folder, "a.npz")
        write(path, dict(PYTORCH, conv=(3, 4, 5)))
        text, r = lstmgen("import", path), lstmgen("import", path, "--json")
        check(r.status == 0 and r.object, "exit %s: %s", r.status, r.last())
        (pathlib.Path(folder) / "text.yaml").write_text(text.out)
        (pathlib.Path(folder) / "json.yaml").write_text(json.dumps(r.get("spec")))
        both = [lstmgen("check", pathlib.Path(folder, f), "--json") for f in ("text.yaml", "json.yaml")]
        check(both[0].status == 0 and both[0].get("network") == both[1].get("network"), "%s", both[1].last())
        where = {t["name"]: t for t in r.get("tensors")}
        check(sorted(where) == sorted(list(PYTORCH) + ["conv"]), "tensors %s", where)
        check(where["lstm.weight_hh_l1"]["used"] == "layer 1: R" and where["fc.bias"]["used"] == "layer 2: b", "%s",
              where)
        check("outside" in where["conv"] and any("'conv'" in n for n in r.get("notes")), "conv: %s", r.object)
        check(r.get("questions") == [], "questions %s", r.get("questions"))
        write(pathlib.Path(folder, "c.npz"), STRANGE)
        r = lstmgen("import", pathlib.Path(folder, "c.npz"), "--json")
        check(r.status == 1 and r.get("spec", 0) is None and len(r.get("in_question")) == 1, "%s", r.object)
        check("'first' and 'second'" in r.get("questions")[0], "questions %s", r.get("questions"))
        write(pathlib.Path(folder, "d.npz"), {"a": (3, 5), "v": (4,)})
        r = lstmgen("import", pathlib.Path(folder, "d.npz"), "--json")
        check(r.status == 1 and r.get("spec", 0) is None and len(r.get("tensors")) == 2, "no layer: exit %s", r.status)


@suite.case("no layer, no file, damage: status 1")
def _():
    with scratch() as folder:
        path = pathlib.Path(folder, "m.npz")
        write(path, {"a": (3, 5), "v": (4,)})
        r = lstmgen("import", path)
        check(r.status == 1 and "no layer was found" in r.err and "(3, 5)" in r.out, "no layer: %s", r.last())
        path.write_bytes(path.read_bytes()[:60])
        r = lstmgen("import", path)
        check(r.status == 1 and not r.out and "damaged" in r.err, "damaged: %s", r.last())
        check(lstmgen("import", path.parent / "none").status == 1, "not there")
        check(lstmgen("import").status == 2, "no file named")


for name, layers in (("har_embarc", [("lstm", 32, 32), ("lstm", 32, 32), ("linear", 32, 6)]),
                     ("fsdd_lstm64", [("lstm", 13, 64), ("linear", 64, 10)])):
    def real(name=name, layers=layers):
        with scratch() as folder:
            imported(folder, str(MODELS / name), layers, "out_b")
    suite.add("real: " + name, real, [str(MODELS / name)])

suite.main()
