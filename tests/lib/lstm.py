"""Networks and specs for the tests at the command line, and the command line itself. Standard library only."""
import json, math, os, pathlib, random, struct, subprocess, sys, tempfile, zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LSTMGEN = pathlib.Path(os.environ.get("LSTMGEN") or ROOT / "build" / "lstmgen").resolve()
MODELS = pathlib.Path(os.environ.get("LSTMGEN_MODELS") or ROOT.parent / "shared" / "models")
if not LSTMGEN.exists():
    sys.exit("%s is not there: run make" % LSTMGEN)
os.environ.setdefault("LG_CACHE", str(ROOT / "build" / "sim-cache"))


def npy_head(shape, kind):
    """What stands before the values of a little-endian, C-order .npy file."""
    head = "{'descr': '<%s', 'fortran_order': False, 'shape': %s, }" % (kind, tuple(shape))
    head += " " * (-(11 + len(head)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode()


def npy_bytes(shape, values, kind="f4"):
    """The file itself; `values` is flat."""
    letter = {"f4": "f", "f8": "d", "i4": "i"}[kind]
    return npy_head(shape, kind) + struct.pack("<%d%s" % (len(values), letter), *values)


def write_npy(path, shape, values, kind="f4"):
    pathlib.Path(path).write_bytes(npy_bytes(shape, values, kind))


def write_npz(path, tensors, compress=False):
    """tensors: {name: (shape, flat values)}; the same input gives the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED) as z:
        for name, (shape, values) in tensors.items():
            z.writestr(zipfile.ZipInfo(name + ".npy"), npy_bytes(shape, values))


def npy_values(data):
    """(shape, flat values) of a little-endian, C-order .npy file."""
    n = struct.unpack("<H", data[8:10])[0]
    head = data[10:10 + n].decode()
    shape = tuple(int(w) for w in head.split("(")[1].split(")")[0].replace(",", " ").split())
    letter = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q"}[head.split("'descr': '")[1][:3]]
    count = math.prod(shape)
    return shape, struct.unpack_from("<%d%s" % (count, letter), data, 10 + n)


def read_npz(path):
    """{name: (shape, flat values)}"""
    with zipfile.ZipFile(path) as z:
        return {name[:-4]: npy_values(z.read(name)) for name in z.namelist()}


def random_lstms(rng, layers, head=0, gain=1.0):
    """Tensors W0, R0, b0, W1 ... and, with a head, out_w, out_b; layers: [(inputs, hidden)]. No bias is zero."""
    def normal(shape, scale):
        return shape, [rng.gauss(0, scale) for _ in range(math.prod(shape))]

    tensors = {}
    for k, (inputs, hidden) in enumerate(layers):
        tensors["W%d" % k] = normal((4 * hidden, inputs), gain / math.sqrt(inputs))
        tensors["R%d" % k] = normal((4 * hidden, hidden), gain / math.sqrt(hidden))
        tensors["b%d" % k] = normal((4 * hidden,), 0.3)
    if head:
        tensors["out_w"] = normal((head, layers[-1][1]), gain / math.sqrt(layers[-1][1]))
        tensors["out_b"] = normal((head,), 0.3)
    return tensors


def layer_keys(n, head=False, activation="none"):
    """model.layers for the names of random_lstms."""
    keys = [{"cell": "lstm", "gates": "ifgo", "W": "W%d" % k, "R": "R%d" % k, "b": "b%d" % k} for k in range(n)]
    return keys + ([{"cell": "linear", "W": "out_w", "b": "out_b", "activation": activation}] if head else [])


def random_values(rng, count, scale=1.0):
    return [rng.gauss(0, scale) for _ in range(count)]


def write_spec(folder, spec):
    """A spec written as JSON, which is YAML, so that line numbers are easy to see; returns its path."""
    path = pathlib.Path(folder) / (spec["name"] + ".yaml")
    path.write_text(json.dumps(spec, indent=1) + "\n")
    return path


def little_spec(folder, name="little", inputs=3, hidden=4, steps=4, seed=1, **more):
    """A spec with weights and input beside it; the keys of `more` replace those of the spec."""
    rng = random.Random(seed)
    folder = pathlib.Path(folder)
    write_npz(folder / (name + ".npz"), random_lstms(rng, [(inputs, hidden)]))
    write_npy(folder / (name + "_x.npy"), (steps, inputs), random_values(rng, steps * inputs))
    spec = {"name": name, "model": {"file": name + ".npz", "layers": layer_keys(1)}, "sparsity": {"pattern": "dense"},
            "engine": {"pes": 2, "pe_width": 2}, "verify": {"input": name + "_x.npy"}}
    spec.update(more)
    return write_spec(folder, spec)


class Result:
    """What a run of the program gave: status, out, err, and `object` of --json ({} without)."""
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        try:
            self.object = json.loads(done.stdout)
        except ValueError:
            self.object = {}

    def get(self, path, default=None):
        value = self.object
        for key in path.split("."):
            if not isinstance(value, dict) or key not in value:
                return default
            value = value[key]
        return value

    def last(self):
        """What stderr (else stdout) says, cut to a few lines: enough to see what went wrong."""
        lines = self.err.strip().splitlines() or self.out.strip().splitlines() or ["no output"]
        return "\n            ".join(l[:200] for l in lines[:6])


def lstmgen(*arguments, timeout=300, **more):
    """Runs the program; `more` goes to subprocess.run."""
    return Result(subprocess.run([str(LSTMGEN)] + [str(a) for a in arguments], capture_output=True, text=True,
                                 stdin=subprocess.DEVNULL, timeout=timeout, **more))


def tree(folder):
    """{relative path: bytes} of every file in a folder."""
    folder = pathlib.Path(folder)
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def scratch(prefix="lstmgen_test."):
    """A temporary folder as a context manager."""
    return tempfile.TemporaryDirectory(prefix=prefix)
