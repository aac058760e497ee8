#!/usr/bin/python3
"""`lstmgen prune`: every container, number type, byte order and gate order, as numpy reads them back.  suite: 20 s

    prune.py [WORD]...               only the cases with every WORD in their name
"""
import json, pathlib, resource, struct, sys, zipfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "model")]
from cases import Suite, check
from lstm import MODELS, lstmgen, scratch, tree, write_spec
try:
    import numpy as np
    import formats
except ImportError:
    print("skipped: python3-numpy is not there")
    sys.exit(77)

suite = Suite()
I, H = 6, 4
# File block of i f g o.
GATES = {"ifgo": [0, 1, 2, 3], "iofc": [0, 2, 3, 1], "ifco": [0, 1, 2, 3], "ijfo": [0, 2, 1, 3]}
ONNX = {"f4": 1, "f2": 10, "f8": 11, "u1": 2, "i8": 7}


def tensors(seed, kind="<f4", turned=False):
    """Two matrices, a bias, and tensors that must not change."""
    rng = np.random.default_rng(seed)
    t = {"W": rng.normal(size=(4 * H, I)), "R": rng.normal(size=(4 * H, H)), "b": rng.normal(size=4 * H),
         "other": rng.normal(size=(3, 5)), "count": np.arange(7)}
    if turned:
        t["W"], t["R"] = t["W"].T, t["R"].T
    return {k: np.ascontiguousarray(v).astype("<i8" if k == "count" else kind) for k, v in t.items()}


# ---- containers: write {name: array}, read it back ----

def write_folder(path, t, fortran=False):
    path.mkdir()
    for k, v in t.items():
        (path / (k + ".npy")).write_bytes(formats.npy(v, fortran=fortran))


def write_npz(path, t, fortran=False, method=zipfile.ZIP_DEFLATED):
    members = [(k + ".npy", formats.npy(v, fortran=fortran)) for k, v in t.items()] + [("notes.txt", b"mine")]
    path.write_bytes(formats.npz(members, method))


def write_safetensors(path, t, fortran=False):
    names = {"f2": "F16", "f4": "F32", "f8": "F64", "i8": "I64"}
    path.write_bytes(formats.safetensors({k: (names[v.dtype.str[1:]], v.shape, v.tobytes()) for k, v in t.items()}))


def write_onnx(path, t, fortran=False, stored="raw"):
    """Initializers of the main graph; R in a subgraph, b as a Constant node."""
    def tensor(k, v):
        if stored == "fields" and v.dtype.str[1:] != "i8":
            words = {"f4": dict(floats=v.ravel()), "f8": dict(doubles=v.ravel()),
                     "f2": dict(int32s=v.ravel().view("<u2"))}[v.dtype.str[1:]]
            return formats.tensor(k, v.shape, ONNX[v.dtype.str[1:]], **words)
        return formats.array(k, v)
    inner = formats.graph([], [tensor("R", t["R"])], "inner")
    constant = formats.node("Constant", [], ["b"], formats.attribute("value", None, tensor_value=tensor("b", t["b"])))
    branch = formats.node("If", ["c"], ["y"], formats.attribute("then_branch", None, graph=inner))
    outer = formats.graph([branch, constant], [tensor(k, v) for k, v in t.items() if k not in "Rb"])
    path.write_bytes(formats.onnx(outer) + formats.field(999, b"a field that the schema does not know"))


def fields(data):
    """(number, value) of one protobuf message."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
            continue
        n = {1: 8, 5: 4}.get(tag & 7) or varint() if tag & 7 != 2 else varint()
        yield tag >> 3, data[at:at + n]
        at += n


def onnx_tensor(data):
    shape, code, name, raw, words = [], 0, "", b"", []
    for number, v in fields(data):
        if number == 1:
            shape += [v] if isinstance(v, int) else [x for x in v]
        elif number == 2:
            code = v
        elif number == 8:
            name = v.decode()
        elif number in (4, 9, 10):
            raw += v
        elif number == 5:
            words += [v] if isinstance(v, int) else list(varints(v))
    kind = {c: k for k, c in ONNX.items()}[code]
    flat = np.array(words, "<u2").view("<f2") if words else np.frombuffer(raw, "<" + kind)
    return name, flat.reshape(shape)


def varints(data):
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def onnx_graph(data, out):
    for number, v in fields(data):
        if number == 5:
            out.update([onnx_tensor(v)])
        if number == 1:
            node = list(fields(v))
            outputs = [x.decode() for n, x in node if n == 2]
            for n, a in node:
                for kind, x in fields(a) if n == 5 else ():
                    if kind == 5:
                        out[outputs[0]] = onnx_tensor(x)[1]
                    if kind == 6:
                        onnx_graph(x, out)
    return out


def read(path):
    if path.is_dir():
        return {p.stem: np.load(p) for p in sorted(path.glob("*.npy"))}
    data = path.read_bytes()
    if path.suffix == ".npz":
        check(zipfile.ZipFile(path).testzip() is None, "a member of %s is damaged", path.name)
        with np.load(path) as z:
            return {k: z[k] for k in z.files if k != "notes.txt"}
    if path.suffix == ".safetensors":
        n = struct.unpack("<Q", data[:8])[0]
        kinds = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8", "U8": "|u1"}
        return {k: np.frombuffer(data[8 + n:][slice(*e["data_offsets"])], kinds[e["dtype"]]).reshape(e["shape"])
                for k, e in json.loads(data[8:8 + n]).items()}
    check(b"does not know" in data, "an unknown field is lost")
    return onnx_graph(next(v for n, v in fields(data) if n == 7), {})


CONTAINERS = {"folder": ("model", write_folder), "npz": ("model.npz", write_npz),
              "safetensors": ("model.safetensors", write_safetensors), "onnx": ("model.onnx", write_onnx)}


# ---- what must come out ----

def expected_mask(v, gates, turned, banks=2, keep=0.5):
    """Bank-balanced by its definition: each bank of each canonical row keeps its largest magnitudes."""
    m = np.abs((v.T if turned else v).astype("<f4"))
    mask = np.zeros(m.shape, bool)
    size = -(-m.shape[1] // banks)
    k = max(1, int(np.ceil(keep * size - 1e-9)))
    for r in range(m.shape[0]):
        for start in range(0, m.shape[1], size):
            bank = m[r, start:start + size]
            mask[r, start + np.argsort(-bank, kind="stable")[:k]] = True
    return mask.T if turned else mask


def spec_of(folder, model, gates="ifgo", turned=False, **more):
    layer = {"W": "W", "R": "R", "b": "b", "gates": gates, "transpose": turned}
    spec = {"name": "p", "model": {"file": model, "layers": [layer]},
            "sparsity": {"pattern": "bank_balanced", "keep": 0.5, "banks": 2}}
    spec.update(more)
    return write_spec(folder, spec)


def same(a, b, name):
    check(a.dtype == b.dtype and a.shape == b.shape, "%s: %s %s, was %s %s", name, a.dtype, a.shape, b.dtype, b.shape)
    check(a.tobytes() == b.tobytes(), "%s: values differ", name)


def compare(before, after, gates, turned, masks):
    names = list(before) + (["W_mask", "R_mask"] if masks else [])
    check(sorted(after) == sorted(names), "tensors %s", sorted(after))
    for k, v in before.items():
        mask = expected_mask(v, gates, turned) if k in ("W", "R") else np.ones(v.shape, bool)
        same(after[k], np.where(mask, v, v.dtype.type(0)).astype(v.dtype), k)
        if masks and k in ("W", "R"):
            same(after[k + "_mask"], mask.astype("u1"), k + "_mask")


def prune(spec, out, *words):
    r = lstmgen("prune", spec, "-o", out, *words)
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    return r


def round_trip(container, kind, gates, turned, fortran=False, **how):
    name, write = CONTAINERS[container]
    for masks in (False, True):
        with scratch() as folder:
            folder = pathlib.Path(folder)
            before = tensors(len(kind) + len(gates), kind, turned)
            write(folder / name, before, fortran, **how)
            spec = spec_of(folder, name, gates, turned)
            original = tree(folder)
            out = folder / ("out" + pathlib.Path(name).suffix)
            prune(spec, out, *(["--masks"] if masks else []))
            compare(before, read(out), gates, turned, masks)
            check({k: v for k, v in tree(folder).items() if not k.startswith("out")} == original, "the input changed")
            check(not [p for p in folder.rglob(".*")], "temporary files are left")
            r = lstmgen("check", spec, "--set", "model.file=%s" % out.name, "--set", "sparsity.keep=asis", "--json")
            check(r.status == 0 and r.get("macs.kept") == sum(int(expected_mask(before[k], gates, turned).sum())
                                                              for k in "WR"), "asis: %s", r.last())


for container in CONTAINERS:
    for kind in ("<f2", "<f4", "<f8"):
        suite.add("%s %s" % (container, kind), lambda c=container, k=kind: round_trip(c, k, "ifgo", False))
    for gates in ("iofc", "ifco", "ijfo"):
        suite.add("%s rows %s" % (container, gates), lambda c=container, g=gates: round_trip(c, "<f4", g, False))
    suite.add("%s transposed" % container, lambda c=container: round_trip(c, "<f4", "iofc", True))
for container in ("folder", "npz"):
    suite.add("%s big-endian" % container, lambda c=container: round_trip(c, ">f4", "iofc", False))
    suite.add("%s Fortran order" % container, lambda c=container: round_trip(c, "<f4", "iofc", False, True))
suite.add("npz stored", lambda: round_trip("npz", "<f4", "ifgo", False, method=zipfile.ZIP_STORED))
for kind in ("<f2", "<f4", "<f8"):
    suite.add("onnx %s in its own fields" % kind, lambda k=kind: round_trip("onnx", k, "ifgo", False, stored="fields"))


def gate_rows(container):
    """Column-wise rules see canonical rows: what `check` does with the canonical copy must agree."""
    name, write = CONTAINERS[container]
    with scratch() as folder:
        folder = pathlib.Path(folder)
        t = tensors(5)
        write(folder / name, t)
        out = folder / ("out" + pathlib.Path(name).suffix)
        prune(spec_of(folder, name, sparsity={"pattern": "bank_balanced", "keep": {"W": 0.25}, "banks": 2}), out)
        after = read(out)
        check((after["W"] != 0).sum() == 4 * H * 2 and (after["R"] != 0).all(), "W and R by their own rates")


for container in CONTAINERS:
    suite.add("%s rate per matrix" % container, lambda c=container: gate_rows(c))


@suite.case("training loop: prune in place between epochs, masks renewed")
def _():
    for container, (name, write) in CONTAINERS.items():
        with scratch() as folder:
            folder = pathlib.Path(folder)
            write(folder / name, tensors(1))
            spec, model = spec_of(folder, name), folder / name
            for epoch in range(3):
                before = {k: v for k, v in read(model).items() if not k.endswith("_mask")}
                mode = model.stat().st_mode
                prune(spec, model, "--masks")
                after = read(model)
                compare(before, after, "ifgo", False, True)
                check(model.stat().st_mode == mode, "%s: mode changed", container)
                if container in ("folder", "npz"):      # the update of an epoch, by numpy itself
                    rng = np.random.default_rng(epoch)
                    for k in "WR":
                        after[k] = (after[k] + rng.normal(size=after[k].shape) * after[k + "_mask"]).astype("f4")
                    if container == "npz":
                        np.savez_compressed(model, **after)
                    else:
                        for k, v in after.items():
                            np.save(model / (k + ".npy"), v)


@suite.case("same bytes twice, pruning twice changes nothing")
def _():
    for container, (name, write) in CONTAINERS.items():
        with scratch() as folder:
            folder = pathlib.Path(folder)
            write(folder / name, tensors(2))
            spec, end = spec_of(folder, name), pathlib.Path(name).suffix
            outs = [folder / ("%s%s" % (k, end)) for k in "abc"]
            prune(spec, outs[0], "--masks")
            prune(spec, outs[1], "--masks")
            r = lstmgen("prune", spec, "-o", outs[2], "--masks", "--set", "model.file=" + outs[0].name, "--json")
            check(r.status == 0 and r.get("matrices")[0]["tensor"] == "W", "--json: %s", r.out[:200] + r.last())
            content = [tree(o) if o.is_dir() else o.read_bytes() for o in outs]
            check(content[0] == content[1], "%s: two runs differ", container)
            check(all(np.array_equal(v, read(outs[0])[k]) for k, v in read(outs[2]).items()), "%s: not idempotent",
                  container)


def refused(folder, status, words, *arguments):
    before = tree(folder)
    r = lstmgen(*arguments, cwd=folder)
    check(r.status == status, "exit %s, not %s: %s", r.status, status, r.last())
    for word in words:
        check(word in r.err, "'%s' is not said: %s", word, r.last())
    check(tree(folder) == before and not r.out, "something was written")


@suite.case("bad cases: clear words, nothing written")
def _():
    with scratch() as folder:
        folder = pathlib.Path(folder)
        write_npz(folder / "model.npz", tensors(3))
        write_folder(folder / "model", tensors(3))
        spec = spec_of(folder, "model.npz")
        (folder / "link.npz").symlink_to("model.npz")
        refused(folder, 2, ["-o FILE"], "prune", spec)
        refused(folder, 2, ["needs the name"], "prune")
        refused(folder, 2, ["--masks"], "check", spec, "--masks")
        refused(folder, 1, ["link to the model file"], "prune", spec, "-o", "link.npz")
        refused(folder, 1, ["keeps the container"], "prune", spec, "-o", "out.onnx")
        refused(folder, 1, ["is a folder"], "prune", spec, "-o", "model")
        for name, data in (("notes.txt", b"years of work"), ("other.npz", None), ("empty.npz", b"")):
            path = pathlib.Path(folder, name)
            path.write_bytes(data) if data is not None else np.savez(path, V=np.ones((4, 4), "f4"))
            before = path.read_bytes()
            refused(folder, 1, [name, "is there already"], "prune", spec, "-o", name)
            check(path.read_bytes() == before, "%s is another file now", name)
        before = pathlib.Path(spec).read_bytes()
        refused(folder, 1, ["is there already"], "prune", spec, "-o", spec)
        check(pathlib.Path(spec).read_bytes() == before, "the spec was overwritten")
        refused(folder, 1, ["No such file"], "prune", spec, "-o", "nowhere/out.npz")
        refused(folder, 1, ["not a regular file"], "prune", spec, "-o", "/dev/null")
        refused(folder, 1, ["no tensor 'V'"], "prune", spec, "-o", "out.npz", "--set", "model.layers.0.W=V")
        refused(folder, 1, ["bank-balanced"], "prune", spec, "-o", "out.npz", "--set", "sparsity.keep=asis",
                "--set", "sparsity.max_padding=0", "--set", "model.file=holes.npz") if holes(folder) else None
        (folder / "full").mkdir()
        (folder / "full" / "mine.npy").write_bytes(formats.npy(np.zeros(3)))
        refused(folder, 1, ["mine.npy"], "prune", spec, "-o", "full", "--set", "model.file=model")
        refused(folder, 1, ["folder of .npy"], "prune", spec, "-o", "model.npz", "--set", "model.file=model")


@suite.case("a write that fails leaves the model as it was")
def _():
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
    for container, (name, write) in CONTAINERS.items():
        with scratch() as folder:
            folder = pathlib.Path(folder)
            write(folder / name, tensors(6))
            spec, before = spec_of(folder, name), tree(folder)
            for out in (name, "out" + pathlib.Path(name).suffix):
                r = lstmgen("prune", spec, "-o", folder / out, "--masks", preexec_fn=limit)
                check(r.status == 1 and "File too large" in r.err, "%s: exit %s: %s", container, r.status, r.last())
                check(tree(folder) == before, "%s: something changed", container)
                check(out == name or not (folder / out).exists(), "%s is left behind", out)


def holes(folder):
    t = tensors(3)
    t["W"][0, :3] = 0
    write_npz(folder / "holes.npz", t)
    return True


@suite.case("a tensor called W_mask that is no mask is not lost")
def _():
    for container, (name, write) in CONTAINERS.items():
        with scratch() as folder:
            folder = pathlib.Path(folder)
            write(folder / name, dict(tensors(4), W_mask=np.ones((4 * H, I), "<f4")))
            out = "out" + pathlib.Path(name).suffix
            refused(folder, 1, ["W_mask", "no mask"], "prune", spec_of(folder, name), "-o", out, "--masks")


@suite.case("one tensor for two matrices")
def _():
    with scratch() as folder:
        folder = pathlib.Path(folder)
        rng = np.random.default_rng(1)
        write_npz(folder / "m.npz", {"T": rng.normal(size=(16, 4)).astype("<f4")})
        spec = spec_of(folder, "m.npz")
        sets = sum((["--set", "model.layers.0." + s] for s in ("W=T", "R=T", "b=null")), [])
        prune(spec, folder / "out.npz", *sets)
        check((read(folder / "out.npz")["T"] != 0).sum() == 32, "half is kept")
        refused(folder, 1, ["serves two matrices"], "prune", spec, "-o", "out2.npz", *sets,
                "--set", "sparsity.keep={W: 0.5, R: 1}")


SILERO = MODELS / "silero_vad_16k" / "silero_vad_16k_op15.onnx"


@suite.case("silero_vad.onnx: kept inside the branches of its If", [str(SILERO)])
def _():
    with scratch() as folder:
        folder = pathlib.Path(folder)
        names = {"W": "model.decoder.rnn.weight_ih", "R": "model.decoder.rnn.weight_hh", "gates": "ifgo"}
        spec = write_spec(folder, {"name": "p", "model": {"file": str(SILERO), "layers": [names]},
                                   "sparsity": {"pattern": "bank_balanced", "keep": 0.25, "banks": 16}})
        prune(spec, folder / "out.onnx")
        r = lstmgen("check", spec, "--json", "--set", "model.file=out.onnx", "--set", "sparsity.keep=asis")
        check(r.get("macs.kept") == 2 * 512 * 128 // 4, "kept %s: %s", r.get("macs.kept"), r.last())
        check(abs((folder / "out.onnx").stat().st_size - SILERO.stat().st_size) < 1000, "the size changed")


suite.main()
