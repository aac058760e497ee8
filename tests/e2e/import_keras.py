#!/usr/bin/python3
"""`lstmgen import` of models that Keras wrote: .keras and .h5, Keras 3 and 2, with and without the network's
configuration. What it prints, and a spec without layers, computes what Keras computed, 55 dB at 16 bits; what the core
cannot do is outside with a warning, or refused by its name.  suite: 40 s

    import_keras.py [WORD]...        only the cases with every WORD in their name; long: 900 damaged files, sanitized

The files are in tests/model/keras/fixtures.tar.xz (make.py beside it made them, with Keras itself); where
build/frameworks is there (`make frameworks`), they are made again and held to the same.
"""
import os, pathlib, re, subprocess, sys, tarfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "model")]
try:
    import numpy as np
except ImportError as e:
    print("skipped: %s" % e)
    sys.exit(77)
import formats
from cases import Suite, check
from imported import damaged, damaged_member, holds, mutations, refused, sanitized, snr
from lstm import ROOT, lstmgen, scratch

suite = Suite()
KERAS = HERE.parent / "model" / "keras"
PYTHON = ROOT / "build" / "frameworks" / "bin" / "python"
NO_CORE, QUIET = "not part of the core", []

# name: what import warns of ([]: nothing)
RIGHT = {"one": QUIET, "one_last": QUIET, "stack_dense_last": QUIET, "no_bias": QUIET, "no_forget_bias": QUIET,
         "dense_relu": QUIET, "relu_layer": QUIET, "activation_layer": QUIET, "time_distributed": QUIET,
         "dropped": QUIET, "unrolled": QUIET, "cell_in_rnn": QUIET, "deep": QUIET, "half": QUIET, "double": QUIET,
         "masking": ["Masking layer", "leave them out"], "stateful": ["is stateful", "from zero"],
         "norm_first": QUIET, "norm_between": QUIET, "norm_no_bias": QUIET, "norm_before_dense": QUIET,
         "norm_after_dense": QUIET, "norm_everywhere": QUIET, "functional": QUIET,
         "norm_last": ["BatchNormalization layer", "ends before it"],
         "norm_relu_norm": ["BatchNormalization layer", "ends before it"],
         "dense_first": ["Dense layer", "starts behind it"], "conv_first": ["Conv1D layer", "starts behind it"],
         "concatenate_first": ["Concatenate layer", "starts behind it"],
         "softmax": ["has the activation softmax", NO_CORE], "sigmoid_head": ["has the activation sigmoid", NO_CORE],
         "two_dense": ["Dense layer", "ends before it"], "flatten": ["Flatten layer", "ends before it"],
         "pooled": ["GlobalAveragePooling1D layer", "ends before it"],
         "keras2": QUIET, "keras2_functional": QUIET, "keras2_names": QUIET, "cudnn": QUIET, "packed": QUIET,
         "turned_bytes": QUIET, "weights.weights": ["activations", "which activation follows"],
         "weights2": ["sigmoid and tanh are assumed"],
         **{name: QUIET for name in (
             "gru", "gru_before", "gru_norm", "gru_no_bias", "gru_cell", "gru_relu", "simple_rnn", "simple_rnn_relu",
             "relu_cell", "hard_sigmoid.keras", "linear_cell", "gru_under_lstm", "cudnn_gru")}}
REFUSED = {"bidirectional": ["Bidirectional layer", "cannot build"],
           "hard_sigmoid.h5": ["activations tanh and hard_sigmoid"], "go_backwards": ["go_backwards", "turn the steps"],
           "norm_of_layer": ["LayerNormalization layer", "between recurrent layers"],
           "dense_between": ["LSTM layer", "comes after 'dense"], "autoencoder": ["RepeatVector layer", "between"],
           "no_recurrent": ["no recurrent layer"], "two_ways": ["Concatenate", "more than one value"],
           "residual": ["Add", "more than one value"], "state": ["gives its state", "model.layers"],
           "two_heads": ["2 outputs", "first"],
           "lzf": ["only gzip"], "soft_link": ["link to elsewhere", "refused"],
           "external_link": ["link to elsewhere", "refused"], "no_values": ["has no values"],
           "external_values": ["other files", "refused"], "ring": ["deeper", "refused"], "bad_json": ["no JSON"],
           "no_group": ["without datasets"]}


with tarfile.open(KERAS / "fixtures.tar.xz") as fixtures_tar:
    FIXTURES = {i.name: fixtures_tar.extractfile(i).read() for i in fixtures_tar.getmembers()}


def unpack(folder, name=""):
    for n, data in FIXTURES.items():
        if n.startswith(name):
            (pathlib.Path(folder) / n).write_bytes(data)
    return pathlib.Path(folder)


def files(folder, name):
    """Of both kinds, where the name does not end in one."""
    if name.endswith((".keras", ".h5")):
        return [folder / name]
    return [p for p in (folder / (name + kind) for kind in (".keras", ".h5")) if p.exists()]


def without_layers(path, x, y):
    """A spec that names the file alone computes the same."""
    spec = path.parent / "bare.yaml"
    spec.write_text("name: bare\nmodel: {file: %s}\nsparsity: {pattern: dense}\nengine: {pes: 2, pe_width: 2}\n" %
                    path.name)
    return snr(path.parent, spec, x, y)


def right(folder, name):
    said = []
    check(files(folder, name), "no file of it")
    for path in files(folder, name):
        io = np.load(folder / (name.removesuffix(".keras") + ".npz"))
        try:
            said.append(holds(folder, path, io["x"], io["y"], RIGHT[name]))
            if not name.startswith("weights"):
                db = without_layers(path, io["x"], io["y"])
                check(db >= 55, "without layers %.1f dB", db)
        except Exception as e:
            check(False, "%s: %s", path.name, e)
    return ", ".join(said)


def not_read(folder, name):
    check(files(folder, name), "no file of it")
    for path in files(folder, name):
        refused(path, path.name, *REFUSED[name])


def fixtures(function, name):
    def case():
        with scratch() as folder:
            return function(unpack(folder, name.removesuffix(".keras").removesuffix(".h5") + "."), name)
    return case


for name in RIGHT:
    suite.add("right: " + name, fixtures(right, name))
for name in REFUSED:
    suite.add("refused: " + name, fixtures(not_read, name))


@suite.case("a tensor of 2^50 values beside the network: said at the tensor")
def _():
    with scratch() as folder:
        unpack(folder)
        r = lstmgen("import", "huge.h5", cwd=folder)
        check(r.status == 0 and "the shape is too large" in r.out, "%s%s", r.out, r.err)


@suite.case("tensors by their paths in a spec; folded ones by their names; prune says what it cannot")
def _():
    with scratch() as folder:
        unpack(folder)
        spec = pathlib.Path(folder, "s.yaml")
        text = """name: s
model:
  file: norm_between.h5
  layers: [{cell: lstm, gates: ifco, W: %s, R: model_weights/%s/net/%s/lstm_cell/recurrent_kernel, transpose: true}]
sparsity: {pattern: dense}
engine: {pes: 2, pe_width: 2}
"""
        r = lstmgen("import", "norm_between.h5", cwd=folder)
        check("outside" not in r.out, "what is folded is used: %s", r.out)
        name = re.search(r"W: (\S+kernel\.folded)", r.out).group(1)
        layer = name.split("/")[0]
        spec.write_text(text % (name, layer, layer))
        check(lstmgen("check", spec).status == 0, "%s", lstmgen("check", spec).err)
        spec.write_text(text % (name.replace("folded", "folde"), layer, layer))
        r = lstmgen("check", spec)
        check(r.status == 1 and "no tensor" in r.err, "%s", r.err)
        spec.write_text(text % (name, layer, layer))
        r = lstmgen("prune", spec, "-o", pathlib.Path(folder, "out.h5"))
        check(r.status == 1 and "prune cannot write" in r.err, "%s", r.err)


@suite.case("archives and files without what belongs in them")
def _():
    with scratch() as folder:
        unpack(folder)
        whole = (pathlib.Path(folder) / "one.keras").read_bytes()
        for name, data, word in (
                ("a.keras", formats.npz([("model.weights.h5", b"x")]), "has no config.json"),
                ("b.keras", formats.npz([("model.weights.h5", b"x"), ("config.json", b"[1]")]), "no JSON object"),
                ("c.keras", formats.npz([("model.weights.h5", b"x"), ("config.json", b"{}")]), "not a whole HDF5 file"),
                ("d.keras", whole[:len(whole) // 2], "truncated or damaged"),
                ("e.h5", (pathlib.Path(folder) / "one.h5").read_bytes()[:6000], "truncated or damaged"),
                ("f.h5", b"\x89HDF\r\n\x1a\n" + bytes(99), "truncated or damaged"),
                ("g.h5", b"no HDF5 at all", "named like an HDF5 file")):
            path = pathlib.Path(folder, name)
            path.write_bytes(data)
            refused(path, word)


@suite.case("files that Keras makes now hold as those it made", [str(PYTHON)])
def _():
    with scratch() as folder:
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
        done = subprocess.run([str(PYTHON), str(KERAS / "make.py"), folder], capture_output=True, text=True, env=env)
        check(done.returncode == 0, "make.py: %s", done.stderr[-500:])
        for name in RIGHT:
            right(pathlib.Path(folder), name)
        for name in REFUSED:
            not_read(pathlib.Path(folder), name)
        return "%d networks" % (len(RIGHT) + len(REFUSED))


def damage(count, program):
    data = {n: FIXTURES[n] for n in ("one.keras", "norm_before_dense.h5", "packed.h5")}
    config = lambda rng, data: damaged_member(rng, data, "config.json")
    weights = lambda rng, data: damaged_member(rng, data, "weights.h5")
    return ", ".join(mutations(n, d, [config, weights, damaged] if n.endswith(".keras") else [damaged], count, program)
                     for n, d in data.items())


suite.add("damaged files", lambda: damage(20, sanitized()))
if "long" in sys.argv[1:]:
    suite.add("long: 300 damaged files each", lambda: damage(300, sanitized()))

suite.main()
