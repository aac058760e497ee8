#!/usr/bin/python3
"""`lstmgen import` of containers without a graph: what it prints computes what the framework computed (at least 40 dB
at 16 bits), or it is refused by name, or asks.  suite: 30 s

    import_containers.py [WORD]...        only the cases with every WORD in their name
"""
import itertools, os, pathlib, sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "model")]
from cases import Skip, Suite, check
from lstm import ROOT, lstmgen, scratch
try:
    import numpy as np
    import formats
    from imported import snr
except ImportError:
    print("skipped: python3-numpy is not there")
    sys.exit(77)
try:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch
except ImportError:
    torch = None

suite = Suite()
SHARED = ROOT.parent / "shared" / "cases" / "import"
SURE, STEPS = 40.0, 30
CONTAINERS = (".npz", ".safetensors", "")       # "": a folder of .npy


# ---- files ----

def save(path, tensors):
    tensors = {k: np.asarray(v, "<f4") if np.asarray(v).dtype.kind == "f" else np.asarray(v) for k,
               v in tensors.items()}
    if path.suffix == ".npz":
        path.write_bytes(formats.npz(tensors))
    elif path.suffix == ".safetensors":
        code = {"f4": "F32", "i8": "I64", "b1": "BOOL"}
        path.write_bytes(formats.safetensors({k: (code[v.dtype.str[1:]], v.shape, v.tobytes())
                                              for k, v in tensors.items()}))
    else:
        path.mkdir()
        for k, v in tensors.items():
            (path / (k.replace("/", "_") + ".npy")).write_bytes(formats.npy(v))


def holds(tensors, x, y, suffix=".npz", warned=None, answer=False):
    """Imported as it is, or (answer) with its questions answered by yes: computes y from x."""
    with scratch() as folder:
        path = pathlib.Path(folder, "model" + suffix)
        save(path, tensors)
        r = lstmgen("import", path.name, cwd=folder)
        check(r.status == (1 if answer and "ends at the last recurrent" not in r.err else 0), "exit %s: %s", r.status, r.last())
        check(not answer or "a question to answer" in r.err, "no question: %s", r.last())
        for word in [warned] if isinstance(warned, str) else warned or []:
            check("warning" in r.err and word in r.err, "'%s' is not in: %s", word, r.err)
        check(warned != [] or not r.err, "it says %s", r.err)
        spec = pathlib.Path(folder, "spec.yaml")
        spec.write_text(r.out.replace("    # - {", "    - {") if answer else r.out)
        db = snr(folder, spec, x, y)
        check(db >= SURE, "%.1f dB: %s", db, r.out)
        return "%.0f dB" % db


def refused(tensors, *words, suffix=".npz"):
    with scratch() as folder:
        path = pathlib.Path(folder, "model" + suffix)
        save(path, tensors)
        r = lstmgen("import", path)
        check(r.status == 1, "exit %s: %s", r.status, r.out)
        check(not any(line.startswith("    - {") for line in r.out.splitlines()), "it prints a layer: %s", r.out)
        for word in words:
            check(word in r.err, "'%s' is not in: %s", word, r.err)


def ends(tensors, *words):
    """The core ends at the last recurrent layer: a warning, with the question that its head is."""
    with scratch() as folder:
        path = pathlib.Path(folder, "model.npz")
        save(path, tensors)
        r = lstmgen("import", path)
        check(r.status == 0 and "ends at the last recurrent layer" in r.err, "exit %s: %s", r.status, r.err)
        for word in words:
            check(word in r.err, "'%s' is not in: %s", word, r.err)
        pathlib.Path(folder, "s.yaml").write_text(r.out)
        c = lstmgen("check", "--json", pathlib.Path(folder, "s.yaml"))
        check([l["cell"] for l in c.get("network")] == ["lstm"], "%s", c.last())
        check(any(l.startswith("    # - {cell: linear") for l in r.out.splitlines()), "nothing in question: %s", r.out)


def asks(tensors, *words, sure=0):
    """Exit 1 with a question; `sure` layers are printed all the same."""
    with scratch() as folder:
        path = pathlib.Path(folder, "model.npz")
        save(path, tensors)
        r = lstmgen("import", path, "-o", pathlib.Path(folder, "s.yaml"))
        check(r.status == 1 and "a question to answer" in r.err, "exit %s: %s", r.status, r.err)
        check(not pathlib.Path(folder, "s.yaml").exists() and "was not written" in r.err, "written: %s", r.err)
        for word in words:
            check(word in r.err, "'%s' is not in: %s", word, r.err)
        lines = r.out.splitlines()
        check(sum(l.startswith("    - {") for l in lines) == sure, "%d sure layers expected: %s", sure, r.out)
        check(any(l.startswith("    # - {") for l in lines), "nothing in question: %s", r.out)


# ---- PyTorch ----

def pytorch(inputs, hidden, layers=1, bias=True, head=None, head_bias=True, names=("lstm.", "fc."), seed=1):
    """(state dict, input, output) of nn.LSTM and nn.Linear."""
    if torch is None:
        raise Skip("python3-torch is not there")
    torch.manual_seed(seed)
    lstm = torch.nn.LSTM(inputs, hidden, layers, bias=bias)
    linear = torch.nn.Linear(hidden, head, bias=head_bias) if head else None
    x = torch.randn(STEPS, inputs)
    with torch.no_grad():
        for p in lstm.parameters():
            p.mul_(2.0)
        y = lstm(x)[0]
        y = linear(y) if linear else y
    state = {names[0] + k: v.numpy() for k, v in lstm.state_dict().items()}
    if linear:
        state.update({names[1] + k: v.numpy() for k, v in linear.state_dict().items()})
    return state, x.numpy(), y.numpy()


GRID = list(itertools.product((1, 2, 3), (True, False), (None, 3, 1), CONTAINERS))
for number, (layers, bias, head, suffix) in enumerate(GRID):
    if (number + number // 3) % 2 == 0 or head is None:
        def case(layers=layers, bias=bias, head=head, suffix=suffix, number=number):
            t, x, y = pytorch((5, 8, 1)[number % 3], 8, layers, bias, head, seed=number)
            return holds(t, x, y, suffix, "which activation follows" if head else [])
        suite.add("PyTorch, %d layer(s), %s, %s, %s" % (layers, "bias" if bias else "no bias",
                                                        "head %d" % head if head else "no head",
                                                        suffix or "folder"), case)

for names in (("", "fc."), ("rnn.", "head."), ("model.encoder.lstm.", "model.out."), ("module.lstm.",
                                                                                      "module.classifier.0."),
              ("0.", "1."), ("net.0.lstm.", "net.1.")):
    def case(names=names):
        t, x, y = pytorch(5, 8, 2, True, 4, names=names)
        return holds(t, x, y, warned="which activation follows")
    suite.add("PyTorch names '%s*', '%s*'" % names, case)


@suite.case("PyTorch: 12 layers, l10 behind l9")
def _():
    t, x, y = pytorch(8, 8, 12)
    return holds(dict(sorted(t.items())), x, y, ".safetensors", [])


@suite.case("PyTorch: a head without a bias is known by its name")
def _():
    return holds(*pytorch(5, 8, 1, True, 4, head_bias=False), warned="which activation follows")


@suite.case("PyTorch: two modules, lstm2 and lstm10")
def _():
    a, x, h = pytorch(4, 6, names=("lstm2.", ""))
    b, _, _ = pytorch(6, 6, names=("lstm10.", ""), seed=2)
    second = torch.nn.LSTM(6, 6)
    second.load_state_dict({k.split(".", 1)[1]: torch.tensor(v) for k, v in b.items()})
    with torch.no_grad():
        y = second(torch.tensor(h))[0].numpy()
    return holds({**b, **a}, x, y, warned="'lstm10.*_l0' is taken to follow 'lstm2.*_l0'")


@suite.case("PyTorch: LSTMCells cell1 and cell2")
def _():
    if torch is None:
        raise Skip("python3-torch is not there")
    torch.manual_seed(3)
    cells, x = [torch.nn.LSTMCell(4, 6), torch.nn.LSTMCell(6, 5)], torch.randn(STEPS, 4)
    state, y = [None, None], []
    with torch.no_grad():
        for v in x:
            for k, cell in enumerate(cells):
                state[k] = cell(v[None], state[k])
                v = state[k][0][0]
            y.append(v.numpy())
    t = {"cell%d.%s" % (k + 1, n): v.numpy() for k, c in enumerate(cells) for n, v in c.state_dict().items()}
    return holds(t, x.numpy(), y, warned="by the numbers in their names")


@suite.case("PyTorch: tensors of other types and shapes stay outside")
def _():
    for suffix in CONTAINERS:
        t, x, y = pytorch(5, 8, 1, True, 3)
        t.update({"bn.num_batches_tracked": np.array(7), "ids": np.arange(4), "use": np.array([True, False]),
                  "conv.weight": np.ones((2, 3, 4, 5), "f4")})
        db = holds(t, x, y, suffix, "'conv.weight' (2, 3, 4, 5)")
    with scratch() as folder:
        t, x, y = pytorch(5, 8, 1, True, 3)
        members = [(k + ".npy", formats.npy(v)) for k, v in t.items()]
        strange = {"object": np.array([{}], dtype=object), "text": np.array(["a", "bc"]), "complex": np.zeros(3, "c8"),
                   "dates": np.array(["2020-01-01"], "M8[D]"), "empty": np.zeros((0, 4), "f4"),
                   "nan": np.array([np.nan], "f4"), "record": np.zeros(2, [("a", "f4")])}
        members += [(k + ".npy", formats.npy(v, data=b"\0" * v.nbytes if k != "nan" else None)) for k,
                    v in strange.items()]
        pathlib.Path(folder, "m.npz").write_bytes(formats.npz(members))
        r = lstmgen("import", "m.npz", cwd=folder)
        check(r.status == 0, "exit %s: %s", r.status, r.last())
        for k in strange:
            check(any(l.startswith("#   not read") and " %s " % k in l for l in r.out.splitlines()), "%s: %s", k, r.out)
        header = ('{"__metadata__":{"a":"b"},"q":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]},'
                  '"c":{"dtype":"C64","shape":[1],"data_offsets":[4,12]}}')
        pathlib.Path(folder, "m.safetensors").write_bytes(formats.safetensors({}, header=header) + bytes(12))
        r = lstmgen("import", "m.safetensors", cwd=folder)
        check("unknown dtype 'F8_E4M3'" in r.out and "no layer was found" in r.err, "%s%s", r.out, r.err)
    return db


@suite.case("PyTorch: bidirectional: refused by name")
def _():
    for suffix in CONTAINERS:
        for inputs in (8, 16, 5):
            refused(torch_state(torch.nn.LSTM(inputs, 8, bidirectional=True)), "bidirectional", "model.layers", suffix=suffix)
    refused(torch_state(torch.nn.LSTM(8, 8, 2, bidirectional=True)), "bidirectional")


def torch_state(module):
    return {"rnn." + k: v.detach().numpy() for k, v in module.state_dict().items()}


@suite.case("PyTorch: GRU, RNN and proj_size in every container")
def _():
    if torch is None:
        raise Skip("python3-torch is not there")
    least = []
    for suffix in CONTAINERS:
        for inputs in (5, 6, 8, 24, 32):        # 6: 4 I = 3 H
            torch.manual_seed(inputs)
            for module, said in ((torch.nn.GRU(inputs, 8), []), (torch.nn.RNN(inputs, 8), "tanh is assumed"),
                                 (torch.nn.LSTM(inputs, 8, proj_size=4), []), (torch.nn.LSTM(inputs, 8, proj_size=2), [])):
                x = torch.randn(STEPS, inputs)
                least.append(holds(torch_state(module), x.numpy(), module(x)[0].detach().numpy(), suffix, said))
    return "%d files, least %s" % (len(least), min(least, key=lambda v: int(v.split()[0])))


# ---- Keras and others, by their formulas ----

def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def lstm(x, W, R, b, order):
    """h of every step; z = W x + R h + b with the gates' rows in this order (Hochreiter and Schmidhuber; Gers)."""
    h = c = np.zeros(R.shape[1])
    out = []
    for v in x:
        z = dict(zip(order, np.split(W @ v + R @ h + b, 4)))
        c = sigmoid(z["f"]) * c + sigmoid(z["i"]) * np.tanh(z["c"])
        h = sigmoid(z["o"]) * np.tanh(c)
        out.append(h)
    return np.array(out)


def draw(rng, inputs, hidden):
    return (rng.normal(0, 0.6, (4 * hidden, inputs)), rng.normal(0, 0.5, (4 * hidden, hidden)),
            rng.normal(0, 0.5, 4 * hidden))


def keras(layers, head=None, lstm_name="%s/lstm_cell/%s:0", names=("lstm", "lstm_1", "lstm_2"), dense="dense/%s:0",
          seed=1,
          order="ifco", words=("kernel", "recurrent_kernel", "bias"), turned=True, head_words=("kernel", "bias")):
    """(tensors, input, output) of LSTM layers [(inputs, hidden)] and a Dense."""
    rng = np.random.default_rng(seed)
    x = y = rng.normal(size=(STEPS, layers[0][0]))
    t = {}
    for (inputs, hidden), name in zip(layers, names):
        W, R, b = draw(rng, inputs, hidden)
        y = lstm(y, W, R, b, order)
        for word, v in zip(words, (W.T if turned else W, R.T if turned else R, b)):
            if word:
                t[lstm_name % ((name, word) if lstm_name.count("%s") == 2 else word)] = v
    if head:
        W, b = rng.normal(0, 0.5, (head, layers[-1][1])), rng.normal(0, 0.5, head)
        t.update({dense % head_words[0]: W.T if turned else W, dense % head_words[1]: b})
        y = y @ W.T + b
    return t, x, y


LAYOUTS = {"Keras 2": dict(lstm_name="%s/lstm_cell/%s:0"),
           "Keras 2, file": dict(lstm_name="model_weights/%s/lstm_cell/%s:0"),
           "Keras 3": dict(lstm_name="sequential/%s/lstm_cell/%s", dense="sequential/dense/%s"),
           "underscores": dict(lstm_name="%s_%s", dense="dense_%s"),
           "later numbers": dict(names=("lstm_9", "lstm_10", "lstm_11"), dense="dense_3/%s:0")}
for (title, layout), layers, head in itertools.product(LAYOUTS.items(), ([(5, 8)], [(8, 8), (8, 8)], [(3, 8), (8, 6),
                                                                                                      (6, 8)]),
                                                       (None, 8, 1)):
    if title == "Keras 2" or (len(layers) + (head or 0)) % 2:
        def case(layout=layout, layers=layers, head=head):
            t, x, y = keras(layers, head, **layout)
            return holds(dict(sorted(t.items())), x, y, warned="sigmoid and tanh are assumed")
        suite.add("%s, %d layer(s), %s" % (title, len(layers), "dense %d" % head if head else "no dense"), case)

NAMED = [("W R b", False), ("W R bias", False), ("W U b", False), ("W U bias", True), ("w r b", False), ("w u bias", True),
         ("w_ih w_hh b", False), ("Wx Wh b", True), ("W R", False), ("MatMul MatMul_1 BiasAdd", True)]
for words, turned in NAMED:
    words, order = (words.split() + [None])[:3], "ifco"
    for name in ("", "%s_", "net.%s."):
        def case(words=words, order=order, turned=turned, name=name):
            t, x, y = keras([(6, 8)] if not name else [(6, 8), (8, 8)], None, name + "%s", ("l2", "l10"), words=words,
                            turned=turned)
            if words[2] is None:            # without a bias: the formula's is zero
                rng = np.random.default_rng(1)
                x = y = rng.normal(size=(STEPS, 6))
                for inputs in (6, 8)[:2 if name else 1]:
                    W, R, b = draw(rng, inputs, 8)
                    y = lstm(y, W, R, 0 * b, order)
            return holds(dict(sorted(t.items())), x, y, warned="verify.expect shows whether that is your network")
        suite.add("names %s%s" % (name, "/".join(w or "-" for w in words)), case)


@suite.case("a norm behind the head has the size of its bias: it stays outside")
def _():
    t, x, y = keras([(5, 8)], 3, dense="dense/%s")
    return holds({"aaa/beta": np.ones(3), "net/norm/gamma": np.ones(3), **t, "zzz/b": np.ones(3)}, x, y,
                 warned="'net/norm/gamma' (3,)")


@suite.case("what training keeps beside the weights is no layer")
def _():
    t, x, y = keras([(5, 8)], 3, lstm_name="%s/%s", dense="dense/%s")
    slots = {k + "/" + s: 0 * v for k, v in t.items() for s in ("Adam", "Adam_1", "ExponentialMovingAverage")}
    return holds({**slots, **t, "lstm/recurrent_kernel_mask": np.ones((8, 32))}, x, y,
                 warned="sigmoid and tanh are assumed")


@suite.case("Keras: CuDNNLSTM is refused, and the lines in the message convert it")
def _():
    rng = np.random.default_rng(4)
    H, I = 8, 6
    W, R, b = draw(rng, I, H)               # rows i, f, c, o; cuDNN keeps each gate's (H, I) row by row
    x = rng.normal(size=(STEPS, I))
    y = lstm(x, W, R, b, "ifco")
    kernel = np.hstack([w.reshape(I, H) for w in np.split(W, 4)])
    recurrent_kernel = np.hstack(np.split(R, 4))
    bias = np.concatenate([0.25 * b, 0.75 * b])
    t = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}
    refused(t, "CuDNNLSTM")
    with scratch() as folder:
        save(pathlib.Path(folder, "c.npz"), t)
        err = lstmgen("import", "c.npz", cwd=folder).err
        line = err[err.index("numpy.savez("):].strip()
        saved = {}
        eval(line, {"numpy": type("", (), {"savez": lambda name, **k: saved.update(k), "hstack": np.hstack,
                                           "hsplit": np.hsplit}), **t})
    return holds(saved, x, y)


def tf_lstm(x, K, b, hidden, peephole=None, projection=None, forget_bias=1.0, cell_clip=0):
    """LSTMCell as TensorFlow 1 writes it: one product of [x, h], columns i, j, f, o."""
    def sigmoid(v):
        return 1 / (1 + np.exp(-v))
    h, c, out = np.zeros(K.shape[0] - x.shape[1]), np.zeros(hidden), []
    wi, wf, wo = peephole if peephole is not None else np.zeros((3, hidden))
    for row in x:
        i, j, f, o = np.split(np.concatenate([row, h]) @ K + b, 4)
        c = sigmoid(f + forget_bias + wf * c) * c + sigmoid(i + wi * c) * np.tanh(j)
        c = np.clip(c, -cell_clip, cell_clip) if cell_clip else c
        h = sigmoid(o + wo * c) * np.tanh(c)
        h = h @ projection if projection is not None else h
        out.append(h)
    return np.array(out)


def tf_gru(x, gates, b, candidate, d):
    h, out = np.zeros(candidate.shape[1]), []
    for row in x:
        r, u = np.split(1 / (1 + np.exp(-(np.concatenate([row, h]) @ gates + b))), 2)
        n = np.tanh(np.concatenate([row, r * h]) @ candidate + d)
        h = u * h + (1 - u) * n
        out.append(h)
    return np.array(out)


for projected, peepholes in itertools.product((0, 5), (False, True)):
    def case(projected=projected, peepholes=peepholes):
        rng = np.random.default_rng(5 + projected + peepholes)
        H, I, t, peephole, P = 8, 6, {}, None, None
        name = "rnn/multi_rnn_cell/cell_0/%slstm_cell/" % ("" if projected or peepholes else "basic_")
        t[name + "kernel"] = K = rng.normal(size=(I + (projected or H), 4 * H)) * 0.4
        t[name + "bias"] = b = rng.normal(size=4 * H) * 0.3
        if peepholes:
            peephole = rng.normal(size=(3, H)) * 0.5
            t.update({name + "w_%s_diag" % g: v for g, v in zip("ifo", peephole)})
        if projected:
            t[name + "projection/kernel"] = P = rng.normal(size=(H, projected)) * 0.5
        x = rng.normal(size=(STEPS, I))
        return holds(t, x, tf_lstm(x, K, b, H, peephole, P), warned="forget_bias: 1")
    suite.add("TensorFlow: a kernel for [x, h]%s%s" % (", projection" if projected else "",
                                                      ", peepholes" if peepholes else ""), case)


@suite.case("TensorFlow: GRUCell, kernels of gates and candidate")
def _():
    rng = np.random.default_rng(8)
    H, I, name = 8, 6, "rnn/gru_cell/"
    gates, b = rng.normal(size=(I + H, 2 * H)) * 0.5, rng.normal(size=2 * H) * 0.3
    candidate, d = rng.normal(size=(I + H, H)) * 0.5, rng.normal(size=H) * 0.3
    x = rng.normal(size=(STEPS, I))
    return holds({name + "gates/kernel": gates, name + "gates/bias": b, name + "candidate/kernel": candidate,
                  name + "candidate/bias": d}, x, tf_gru(x, gates, b, candidate, d), warned="assumed")


@suite.case("TensorFlow: fw and bw of one matrix each are refused as one bidirectional layer")
def _():
    t = {"bidirectional_rnn/%s/lstm_cell/%s" % (d, k): v for d in ("fw", "bw")
         for k, v in (("kernel", np.ones((14, 32))), ("bias", np.ones(32)))}
    refused(t, "bidirectional", "bw/lstm_cell/kernel")


@suite.case("kernel: gates ijfo by default, and pruned as one tensor of two matrices")
def _():
    rng = np.random.default_rng(9)
    H, I = 8, 6
    K, b, x = rng.normal(size=(I + H, 4 * H)) * 0.4, rng.normal(size=4 * H) * 0.3, rng.normal(size=(STEPS, I))
    with scratch() as folder:
        save(pathlib.Path(folder, "m.npz"), {"K": K, "b": b})
        spec = pathlib.Path(folder, "s.yaml")
        text = "model: {file: %s, layers: [{kernel: K, b: b, forget_bias: 0.5}]}\nsparsity: {pattern: bank_balanced, " \
               "keep: %s, banks: 2}\n"
        spec.write_text(text % ("m.npz", "1"))
        db = snr(folder, spec, x, tf_lstm(x, K, b, H, forget_bias=0.5))
        check(db >= SURE, "%.1f dB", db)
        spec.write_text(text % ("m.npz", "{W: 1, R: 0.5}"))
        r = lstmgen("prune", spec, "-o", pathlib.Path(folder, "p.npz"))
        check(r.status == 0, "prune: %s", r.last())
        pruned = np.load(pathlib.Path(folder, "p.npz"))["K"]
        check((pruned[:I] == K[:I].astype("f4")).all(), "W was changed")
        check((pruned[I:] != 0).sum() == H * 4 * H // 2, "%d of R kept", (pruned[I:] != 0).sum())
        spec.write_text(text % ("p.npz", "asis"))
        db = snr(folder, spec, x, tf_lstm(x, pruned, b, H, forget_bias=0.5))
        check(db >= SURE, "pruned: %.1f dB", db)
        return "%.0f dB" % db


@suite.case("Keras: Bidirectional is refused by name")
def _():
    t, _, _ = keras([(5, 8)], lstm_name="bidirectional/%s/lstm_cell/%s:0", names=("forward_lstm",))
    u, _, _ = keras([(5, 8)], lstm_name="bidirectional/%s/lstm_cell/%s:0", names=("backward_lstm",))
    refused({**t, **u}, "bidirectional", "backward_lstm")


# ---- questions ----

@suite.case("shapes alone: a question")
def _():
    rng = np.random.default_rng(6)
    W, R, b = draw(rng, 5, 8)
    x = rng.normal(size=(STEPS, 5))
    t = {"first": W, "second": R, "third": b}
    asks(t, "'first' and 'second'", "order of its gates")
    return holds(t, x, lstm(x, W, R, b, "ifco"), answer=True)


@suite.case("layers whose order only their sizes tell: a question")
def _():
    a, _, _ = keras([(5, 8)], lstm_name="encoder/%s%s", names=("",))
    b, _, _ = keras([(8, 8)], lstm_name="decoder/%s%s", names=("",))
    asks({**a, **b}, "takes 5 values")
    c, _, _ = keras([(8, 8)], lstm_name="encoder/%s%s", names=("",))
    asks({**c, **b}, "Only their sizes say so")
    asks({"a": np.ones((24, 6)), "b": np.ones((24, 8)), "c": np.ones(24)}, "a GRU, the other way round")


@suite.case("two layers side by side: a question")
def _():
    t, _, _ = pytorch(8, 8, names=("lstm1.", ""))
    u, _, _ = pytorch(8, 8, names=("lstm2.", ""))
    asks({**t, **u, "fc.weight": np.ones((2, 16)), "fc.bias": np.ones(2)}, "'fc.weight' (2, 16) has the size of both",
         sure=1)


@suite.case("peepholes, trained states and norms of the layer: a question; one matrix per gate is said to be that")
def _():
    one, _, _ = keras([(5, 8)], 3, lstm_name="%s/%s")
    asks({**one, **{"lstm/%s_gate_peephole_weights" % g: np.ones(8) for g in ("input", "forget", "output")}},
         "peephole")
    asks({**one, "lstm/p": np.ones((3, 8))}, "what is 'lstm/p' (3, 8)")
    asks({**one, "h0": np.ones((1, 1, 8)), "c0": np.ones((1, 1, 8))}, "a trained state")
    asks({**one, "rnn/c0": np.ones(8)}, "a trained state")
    refused({w + "_" + g: np.ones((8, 5 if w == "W" else 8)) for w in "WU" for g in "ifco"}, "numpy.vstack")


@suite.case("a layer of the stack is missing: a question")
def _():
    t, _, _ = pytorch(8, 8, 3)
    asks({k: v for k, v in t.items() if not k.endswith("_l1")}, "where is the layer before", sure=1)


@suite.case("something may lie between: a question")
def _():
    two, _, _ = keras([(5, 8), (8, 8)], 3)
    asks({**two, "bn/gamma": np.ones(8), "bn/beta": np.ones(8)}, "a scale or a norm", sure=1)
    asks({**two, "attention/kernel": np.ones((8, 8))}, "does 'attention/kernel' (8, 8) lie before", sure=1)
    one, _, _ = keras([(5, 8)], 3)
    ends({**one, "bn/gamma": np.ones(8), "bn/beta": np.ones(8)}, "a scale or a norm")
    asks({**one, "lstm/peephole": np.ones(32)}, "'lstm/peephole' (32,)", "size of its bias")


@suite.case("heads that are not sure: a question each")
def _():
    t, x, y = pytorch(5, 8, 1, True, 16, names=("lstm.", "fc1."))
    fc2 = {"fc2.weight": np.ones((3, 16), "f4"), "fc2.bias": np.ones(3, "f4")}
    ends({**t, **fc2}, "what lies between 'fc1.weight' and 'fc2.weight'")
    t, x, y = pytorch(5, 8, 1, True, 4, names=("lstm.", "decoder.2."))
    ends(t, "what lies between 'lstm.weight_hh_l0' and 'decoder.2.weight'")
    holds(t, x, y, answer=True)
    t, _, _ = pytorch(5, 8, 1, True, 4, names=("lstm.", "actor."))
    critic = {"critic.weight": np.ones((1, 8), "f4"), "critic.bias": np.ones(1, "f4")}
    ends({**t, **critic}, "'actor.weight'", "'critic.weight'", "2 have the shape")
    t, _, _ = pytorch(8, 8, 1, True, 8, names=("lstm.", "pre."))
    ends(t, "behind the LSTM or before it")


# ---- the text ----

HOSTILE = ["a b", 'quo"te', "back\\slash", "# no comment", "colon: here", "- dash", "null", "yes", "{brace}",
           "[list]", "*star", "&anchor", "!tag", "%percent", "@at", "`tick", "'single", "1e5", "~", "?", "tail ",
           " head", "nbsp\u00a0x", "ls\u2028x: y", "nel\u0085x", "bom\ufeffx", "umlaut ä", "\u6f22\u5b57",
           "emoji \U0001f600", "comma, here"]


@suite.case("hostile names of tensors and files come back as they are")
def _():
    rng = np.random.default_rng(7)
    W, R, b = draw(rng, 3, 4)
    x = rng.normal(size=(STEPS, 3))
    y = lstm(x, W, R, b, "ifco")
    with scratch() as folder:
        for k, name in enumerate(HOSTILE):
            path = pathlib.Path(folder, "m%d %s.npz" % (k, name.replace("/", "_")))
            pathlib.Path(path).write_bytes(formats.npz([("%s.%s.npy" % (name, w), formats.npy(v.astype("<f4")))
                                                        for w, v in (("W", W), ("R", R), ("b", b))]))
            spec = pathlib.Path(folder, "s%d.yaml" % k)
            r = lstmgen("import", path, "-o", spec)
            check(r.status == 0, "%r: exit %s: %s", name, r.status, r.last())
            db = snr(folder, spec, x, y)
            check(db >= SURE, "%r: %.1f dB", name, db)
        for name, word in ((b"new\nline: {a: b}.npz", "holds a control character"), (b"bell\x07.npz", "control"),
                           (b"latin\xe9.npz", "is not UTF-8")):
            there = os.path.join(os.fsencode(folder), name)
            with open(there, "wb") as to:
                to.write(path.read_bytes())
            r = lstmgen("import", os.fsdecode(there), "-o", "never.yaml", cwd=folder, errors="replace")
            check(r.status == 1 and word in r.err, "%r: exit %s: %s", name, r.status, r.err)
            check("\nline: {a" not in r.out, "%r breaks the line: %s", name, r.out)
            check(not pathlib.Path(folder, "never.yaml").exists(), "written")
    return "%d names" % len(HOSTILE)


@suite.case("-o: the path is right from there, nothing is overwritten")
def _():
    t, x, y = keras([(5, 8)], 3)
    with scratch() as folder:
        for sub in ("a/models", "b/c/d"):
            pathlib.Path(folder, sub).mkdir(parents=True)
        save(pathlib.Path(folder, "a/models/m.npz"), t)
        whole = str(pathlib.Path(folder, "a/models/m.npz"))
        for start, model, to in (("", "a/models/m.npz", "s.yaml"), ("a/models", "m.npz", "../../b/c/d/s.yaml"),
                                 ("b", "../a/models/m.npz", "c/s.yaml"), ("a", whole, "s.yaml"),
                                 ("a/models", "m.npz", "t.yaml"), ("a", "models/m.npz", "models/u.yaml")):
            cwd = pathlib.Path(folder, start)
            r = lstmgen("import", model, "-o", to, cwd=cwd)
            check(r.status == 0 and "written" in r.out, "%s: exit %s: %s", to, r.status, r.last())
            text = (cwd / to).read_text()
            check("file: /" not in text and folder not in text.split("model:")[1], "%s: not relative: %s", to, text)
            db = snr(folder, cwd / to, x, y)
            check(db >= SURE, "%s: %.1f dB", to, db)
        there = pathlib.Path(folder, "s.yaml")
        before = there.read_text()
        r = lstmgen("import", "a/models/m.npz", "-o", "s.yaml", cwd=folder)
        check(r.status == 1 and "stays as it is" in r.err and there.read_text() == before, "overwritten: %s", r.err)
        r = lstmgen("import", "a/models/m.npz", "-o", "nowhere/s.yaml", cwd=folder)
        check(r.status == 1 and "cannot write" in r.err, "no folder: %s", r.err)
        r = lstmgen("import", "a/models/m.npz", "-o", "j.yaml", "--json", cwd=folder)
        check(r.status == 0 and r.get("written") == "j.yaml" and pathlib.Path(folder, "j.yaml").exists(), "%s", r.out)


@suite.case("the printed spec says how to prove it, and that works with the # taken away")
def _():
    t, x, y = keras([(5, 8)], 3)
    with scratch() as folder:
        save(pathlib.Path(folder, "m.npz"), t)
        text = lstmgen("import", "m.npz", cwd=folder).out
        check("# verify: {input: input.npy, expect: expect.npy}" in text and "(steps, 5)" in text, "%s", text)
        np.save(pathlib.Path(folder, "input.npy"), x.astype("f4"))
        np.save(pathlib.Path(folder, "expect.npy"), y.astype("f4"))
        pathlib.Path(folder, "s.yaml").write_text(text.replace("# verify:", "verify:"))
        r = lstmgen("check", "s.yaml", "--json", cwd=folder)
        check(r.status == 0 and r.get("verify.expect_snr_db", 0) > 20, "%s", r.last())


# ---- formats that are not read ----

def graph_def():
    node = formats.field(1, "lstm/kernel") + formats.field(2, "Const")
    return formats.field(1, node) + formats.field(1, node)


FOREIGN = [("old.pth", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + bytes(99), ["pickle", "PyTorch", "refused"]),
           ("p.pkl", b"\x80\x04\x95" + bytes(99), ["pickle", "refused"]),
           ("tar.pt", b"x" + bytes(256) + b"ustar\x0000" + bytes(300), ["tar archive"]),
           ("m.tflite", b"\x1c\0\0\0TFL3" + b"\xff" * 99, ["damaged TensorFlow Lite model"]),
           ("m.pb", graph_def(), ["without constants", "not frozen"]),
           ("saved_model.pb", b"\x08\x01\x12" + bytes(99), ["SavedModel", "tf2onnx"]),
           ("m.json", b'{"class_name": "Sequential"}', ["JSON", "without weights"]),
           ("m.mat", b"MATLAB 5.0 MAT-file" + bytes(120), ["MATLAB", "loadmat"]),
           ("m.ckpt", b"\x00\x01" + bytes(99), ["checkpoint", "load_checkpoint"]),
           ("m.ckpt.index", b"\x00\x00" + bytes(99), ["TensorFlow", "load_checkpoint"]),
           ("m.npz.gz", b"\x1f\x8b\x08" + bytes(20), ["gzip"])]


@suite.case("formats that are not read: their right names and the way out")
def _():
    with scratch() as folder:
        for name, data, words in FOREIGN:
            path = pathlib.Path(folder, name)
            path.write_bytes(data)
            r = lstmgen("import", path)
            check(r.status == 1 and not r.out, "%s: exit %s: %s", name, r.status, r.out)
            for word in words:
                check(word in r.err, "%s: '%s' is not in: %s", name, word, r.err)
        for name, word in (("saved_model.pb", "SavedModel"), ("checkpoint", "checkpoints of TensorFlow"),
                           ("model.safetensors", "name that file"), ("pytorch_model.bin",
                                                                     "Hugging Face"), ("notes.txt", "no .npy")):
            sub = pathlib.Path(folder, "folder " + name)
            sub.mkdir()
            (sub / name).write_bytes(b"\x08\x01")
            r = lstmgen("import", sub)
            check(r.status == 1 and word in r.err, "%s: %s", name, r.err)


# ---- files that people have ----

PEOPLE = {"01_bias_swap.npz": (0, ["b: [net/dense/BiasAdd]", "b: [net/lstm_6/BiasAdd]", "b: [net/lstm_7/BiasAdd]"],
                               "norm/beta"),
          "03_bidir.npz": (1, [], "bidirectional"), "bug_bi_sq.npz": (1, [], "bidirectional"),
          "09_square_head.npz": (0, ["W: dense_kernel, b: [dense_bias], transpose: true"], "assumed"),
          "10_one_output.npz": (0, ["W: lin.weight, b: [lin.bias]", "# 8 -> 1"], "assumed"),
          "11_cudnn.npz": (1, [], "CuDNNLSTM"), "21_tf_fused.npz": (0, ["kernel: lstm/rnn/basic_lstm_cell/kernel"], "forget_bias: 1"),
          "13_order.npz": (0, ["W: lstm_9/kernel"], "'lstm_10/*' is taken to follow 'lstm_9/*'"),
          "22_relu_before_head.npz": (0, ["    # - {cell: linear", "    - {cell: lstm"], "question"),
          "bug_b_bias.npz": (0, ["b: [bias]"], "gates: ifgo"),
          "bug_deep.safetensors": (0, ["W: weight_ih_l11"], "")}
for name, expected in PEOPLE.items():
    def case(name=name, expected=expected):
        status, words, said = expected
        r = lstmgen("import", SHARED / name)
        check(r.status == status and said in r.err, "exit %s: %s", r.status, r.err)
        for word in words:
            check(word in r.out, "'%s' is not in: %s", word, r.out)
        if name == "13_order.npz":
            check(r.out.index("W: lstm_9/") < r.out.index("W: lstm_10/"), "order: %s", r.out)
        if status == 0:
            with scratch() as folder:
                pathlib.Path(folder, "s.yaml").write_text(r.out)
                check(lstmgen("check", pathlib.Path(folder, "s.yaml")).status == 0, "check")
    suite.add("people's: " + name, case, [str(SHARED / name)])

for name, model in (("rtn_lstm1d", "weights.npz"), ("rtn_torch4", "lstm_torch.npz")):
    def case(name=name, model=model):
        r = lstmgen("check", SHARED / name / "spec.yaml", "--json")
        check(r.get("verify.expect_snr_db", 0) >= 60, "%s", r.last())
        with scratch() as folder:
            spec = pathlib.Path(folder, "s.yaml")
            check(lstmgen("import", SHARED / name / model, "-o", spec).status == 0, "import")
            db = snr(folder, spec, np.load(SHARED / name / "input.npy"), np.load(SHARED / name / "expect.npy"))
            check(db >= 60, "imported: %.1f dB", db)
            return "%.1f dB, imported %.1f" % (r.get("verify.expect_snr_db"), db)
    suite.add("people's: " + name, case, [str(SHARED / name)])


@suite.case("40,000 tensors in a .safetensors: found without a search through all for each")
def _():
    import time
    with scratch() as folder:
        path = pathlib.Path(folder, "m.safetensors")
        save(path, {"model.block%d.attention.weight" % i: np.zeros(4, "f4") for i in range(40000)})
        begin = time.process_time(), time.monotonic()
        r = lstmgen("import", path)
        took = time.monotonic() - begin[1]
        check("and 39600 more" in r.out, "%s", r.err)
        check(took < 10, "%.1f s", took)
        return "%.1f s" % took

suite.main()
