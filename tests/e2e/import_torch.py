#!/usr/bin/python3
"""`lstmgen import` of files that PyTorch wrote: state dicts, checkpoints, whole modules, scripts. What it prints
computes what PyTorch computed, 55 dB at 16 bits; what a pickle would run is refused by its name.  suite: 30 s

    import_torch.py [WORD]...        only the cases with every WORD in their name; long: 600 damaged files, sanitized
"""
import collections, itertools, os, pathlib, sys, zipfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent / "model")]
try:
    import numpy as np
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch
except ImportError as e:
    print("skipped: %s" % e)
    sys.exit(77)
import formats
from cases import Suite, check
from imported import damaged, damaged_member, holds, mutations, refused, sanitized, snr
from lstm import lstmgen, scratch

suite = Suite()
STEPS = 30


class Net(torch.nn.Module):
    """What people write: the layers and a head."""
    def __init__(self, inputs, hidden, layers=1, bias=True, head=None):
        super().__init__()
        self.lstm = torch.nn.LSTM(inputs, hidden, layers, bias=bias)
        self.fc = torch.nn.Linear(hidden, head) if head else None

    def forward(self, x):
        y = self.lstm(x)[0]
        return self.fc(y) if self.fc is not None else y


def network(*shape, seed=1):
    torch.manual_seed(seed)
    net = Net(*shape).eval()
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(2.0)
    return net


def outputs(net, inputs):
    x = torch.randn(STEPS, inputs)
    with torch.no_grad():
        return x.numpy(), net(x).numpy()


def exact(state, net):
    """The network with its weights rounded as the file has them."""
    net.load_state_dict({k: v.float() for k, v in state.items()})
    return net


def saved(folder, value, name="m.pt", **more):
    path = pathlib.Path(folder, name)
    torch.save(value, path, **more)
    return path


# ---- forms of one network ----

def checkpoint(net):
    optimiser = torch.optim.Adam(net.parameters())
    net.train()
    net(torch.randn(4, net.lstm.input_size)).sum().backward()
    optimiser.step()
    net.eval()
    return {"epoch": 7, "state_dict": net.state_dict(), "optimizer": optimiser.state_dict(), "best": np.float64(0.5),
            "args": {"lr": 1e-3, "name": "x", "size": torch.Size([1, 2])}, "loss": [1.5, None, True]}


FORMS = {"state dict": lambda net, f: saved(f, net.state_dict()),
         "state dict, .pth": lambda net, f: saved(f, net.state_dict(), "m.pth"),
         "checkpoint with its optimiser": lambda net, f: saved(f, checkpoint(net)),
         "nested as model": lambda net, f: saved(f, {"model": net.state_dict(), "step": 10 ** 30}),
         "parameters": lambda net, f: saved(f, dict(net.named_parameters())),
         "module": lambda net, f: saved(f, net),
         "script": lambda net, f: torch.jit.script(net).save(str(pathlib.Path(f, "m.pt"))) or pathlib.Path(f, "m.pt"),
         "protocol 4": lambda net, f: saved(f, net.state_dict(), pickle_protocol=4)}
SHAPES = [(5, 8), (8, 8, 2), (1, 8, 3), (5, 8, 1, False), (6, 8, 1, True, 3), (8, 8, 2, True, 1), (3, 8, 2, False, 4)]
for number, ((title, form), shape) in enumerate(itertools.product(FORMS.items(), SHAPES)):
    if number % 2 == 0 or shape == SHAPES[4]:
        def case(form=form, shape=shape, number=number):
            net = network(*shape, seed=number)
            with scratch() as folder:
                path = form(net, folder)
                said = "which activation follows" if len(shape) > 4 else []
                return holds(folder, path, *outputs(net, shape[0]), said)
        suite.add("%s, %s" % (title, shape), case)

for kind in (torch.float64, torch.float16, torch.bfloat16):
    def case(kind=kind):
        net = network(5, 8, 2, True, 3)
        state = {k: v.to(kind) for k, v in net.state_dict().items()}
        with scratch() as folder:
            return holds(folder, saved(folder, state), *outputs(exact(state, net), 5))
    suite.add("type %s" % kind, case)


@suite.case("views: transposed, a part of a larger storage, every second element, one storage for all")
def _():
    net = network(5, 8, 2, True, 3)
    state = net.state_dict()
    flat = torch.cat([v.reshape(-1) for v in state.values()])
    shared, at = collections.OrderedDict(), 0
    for k, v in state.items():
        shared[k] = flat[at:at + v.numel()].view(v.shape)
        at += v.numel()
    wide = {k: torch.stack([v, v + 1], -1)[..., 0] for k, v in state.items()}
    turned = {k: v.t().contiguous().t() for k, v in state.items()}
    with scratch() as folder:
        x, y = outputs(net, 5)
        return ", ".join(holds(folder, saved(folder, s), x, y) for s in (shared, wide, turned))


@suite.case("the archive deflated again, and under another folder's name")
def _():
    net = network(5, 8)
    with scratch() as folder:
        path = saved(folder, net.state_dict())
        with zipfile.ZipFile(path) as z:
            members = [(i.filename.replace("m/", "a b/", 1), z.read(i)) for i in z.infolist()]
        path.write_bytes(formats.npz(members, zipfile.ZIP_DEFLATED))
        return holds(folder, path, *outputs(net, 5))


@suite.case("a storage of the other byte order is read by what the archive says")
def _():
    net = network(5, 8)
    with scratch() as folder:
        path = saved(folder, net.state_dict())
        with zipfile.ZipFile(path) as z:
            members = [(i.filename, np.frombuffer(z.read(i), "<f4").astype(">f4").tobytes() if "/data/" in i.filename
                        else z.read(i)) for i in z.infolist()]
        path.write_bytes(formats.npz(members + [("m/byteorder", b"big")]))
        return holds(folder, path, *outputs(net, 5), [])


@suite.case("LSTMCell, and a network of the user's own class in a checkpoint")
def _():
    cell, x = torch.nn.LSTMCell(4, 6), torch.randn(STEPS, 4)
    state, y = None, []
    with torch.no_grad():
        for v in x:
            state = cell(v[None], state)
            y.append(state[0][0].numpy())
    with scratch() as folder:
        one = holds(folder, saved(folder, cell.state_dict()), x.numpy(), y)
        net = network(5, 8)
        return one + ", " + holds(folder, saved(folder, {"model": net, "epoch": 3}), *outputs(net, 5))


@suite.case("a spec with layers, and its tensors by their names in `check`")
def _():
    net = network(5, 8)
    with scratch() as folder:
        saved(folder, {"net": net.state_dict()})
        pathlib.Path(folder, "s.yaml").write_text("""name: s
model:
  file: m.pt
  layers: [{cell: lstm, W: net.lstm.weight_ih_l0, R: net.lstm.weight_hh_l0, b: net.lstm.bias_ih_l}]
sparsity: {pattern: dense}
engine: {pes: 2, pe_width: 2}
""")
        r = lstmgen("check", pathlib.Path(folder, "s.yaml"))
        check(r.status == 1 and "did you mean 'net.lstm.bias_ih_l0'" in r.err, "%s", r.err)
        text = pathlib.Path(folder, "s.yaml").read_text()
        pathlib.Path(folder, "s.yaml").write_text(text.replace("bias_ih_l}", "bias_ih_l0}"))
        check(lstmgen("check", pathlib.Path(folder, "s.yaml")).status == 0, "check")
        r = lstmgen("prune", pathlib.Path(folder, "s.yaml"), "-o", pathlib.Path(folder, "out.pt"))
        check(r.status == 1 and "prune cannot write" in r.err and ".npz" in r.err, "%s", r.err)
        check(not pathlib.Path(folder, "out.pt").exists(), "written")


CELLS = [("GRU", lambda I, **k: torch.nn.GRU(I, 8, **k), []), ("RNN", lambda I, **k: torch.nn.RNN(I, 8, **k), ["tanh is assumed"]),
         ("LSTM, proj_size 3", lambda I, **k: torch.nn.LSTM(I, 8, proj_size=3, **k), []),
         ("LSTM, proj_size 5", lambda I, **k: torch.nn.LSTM(I, 8, proj_size=5, **k), [])]


def doubled(module):
    with torch.no_grad():
        for p in module.parameters():
            p.mul_(1.5)
    return module


for title, make, said in CELLS:
    for inputs, more in ((5, {}), (8, {"num_layers": 2}), (6, {"bias": False}), (24, {"num_layers": 3}), (4, {})):
        def case(make=make, said=said, inputs=inputs, more=more):
            torch.manual_seed(1)
            net = doubled(make(inputs, **more))
            x = torch.randn(STEPS, inputs)
            with scratch() as folder:
                y = net(x)[0].detach().numpy()
                holds(folder, saved(folder, net), x.numpy(), y, said)   # the whole module, then its tensors alone
                return holds(folder, saved(folder, {"rnn." + k: v for k, v in net.state_dict().items()}), x.numpy(), y, said)
        suite.add("cell %s, %d inputs%s" % (title, inputs, "".join(", %s %s" % i for i in more.items())), case)

for title, make in (("LSTMCell", torch.nn.LSTMCell), ("GRUCell", torch.nn.GRUCell), ("RNNCell", torch.nn.RNNCell)):
    for inputs in (5, 8):
        def case(make=make, inputs=inputs, title=title):
            torch.manual_seed(2)
            cell, state, y = doubled(make(inputs, 8)), None, []
            x = torch.randn(STEPS, inputs)
            for step in x:
                state = cell(step[None], state)
                y.append((state[0] if title == "LSTMCell" else state)[0].detach().numpy())
            with scratch() as folder:
                return holds(folder, saved(folder, cell.state_dict()), x.numpy(), np.array(y),
                             ["tanh is assumed"] if title == "RNNCell" else [])
        suite.add("cell %s, %d inputs" % (title, inputs), case)


@suite.case("an RNN with relu: right by the key that the warning names")
def _():
    torch.manual_seed(3)
    net, x = torch.nn.RNN(5, 8, nonlinearity="relu"), torch.randn(STEPS, 5)
    with scratch() as folder:
        r = lstmgen("import", saved(folder, net.state_dict()))
        check("give the layer activations: [relu]" in r.err, "%s", r.err)
        pathlib.Path(folder, "s.yaml").write_text(r.out.replace("gates: h,", "gates: h, activations: [relu],"))
        db = snr(folder, pathlib.Path(folder, "s.yaml"), x.numpy(), net(x)[0].detach().numpy())
        check(db >= 55, "%.1f dB", db)
        return "%.0f dB" % db


@suite.case("directions that this version cannot build: refused by name")
def _():
    with scratch() as folder:
        module = torch.nn.LSTM(5, 8, bidirectional=True)
        refused(saved(folder, module.state_dict()), "bidirectional")
        refused(saved(folder, module), "bidirectional")


# ---- what is no weights ----

@suite.case("integers, bools, complex, empty and NaN: each said at its tensor, the rest is read")
def _():
    net = network(5, 8)
    with scratch() as folder:
        odd = {"ids": torch.arange(4), "use": torch.tensor([True]), "z": torch.zeros(2, dtype=torch.complex64),
               "none": torch.zeros(0, 3), "bad": torch.tensor([float("nan")]),
               "small": torch.zeros(3, dtype=torch.int8)}
        path = saved(folder, {**net.state_dict(), **odd})
        r = lstmgen("import", path)
        for k in odd:
            check(any(l.startswith("#   not read") and " %s " % k in l for l in r.out.splitlines()), "%s: %s", k, r.out)
        return holds(folder, path, *outputs(net, 5), [])


class Command:
    def __reduce__(self):
        return os.system, ("touch was_run",)


class Evaluated:
    def __reduce__(self):
        return eval, ("open('was_run', 'w')",)


class Object:
    def __new__(cls, *words):
        return object.__new__(cls)

    def __getnewargs__(self):
        return ("a",)


def with_pickle(data):
    return formats.npz([("m/data.pkl", data), ("m/data/0", bytes(400)), ("m/version", b"3\n")])


HOSTILE = [("command", lambda: {"w": torch.ones(3), "x": Command()}, ["posix.system", "refused", "state_dict"]),
           ("eval", lambda: [Evaluated()], ["__builtin__.eval", "refused"]),
           ("object with arguments", lambda: {"o": Object()}, ["Object", "refused"]),
           ("quantised", lambda: {"w": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)},
            ["torch._utils._rebuild_qtensor", "refused"]),
           ("sparse", lambda: {"w": torch.eye(3).to_sparse()}, ["torch.serialization._get_layout", "refused"]),
           ("numpy array", lambda: {"w": np.ones(3)}, ["multiarray._reconstruct", "refused"]),
           ("no tensors", lambda: {"epoch": 3}, ["without tensors"])]
for title, value, words in HOSTILE:
    def case(value=value, words=words):
        with scratch() as folder:
            path = saved(folder, value())
            refused(path, *words)
            check(not pathlib.Path(folder, "was_run").exists() and not pathlib.Path("was_run").exists(), "it was run")
    suite.add("refused: " + title, case)

T = b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuKdtQ"
REBUILT = lambda offset, size, stride: T + offset + size + stride + b"\x89}tR"
CRAFTED = [("protocol 0", b"(lp0\n.", ["protocol 2"]), ("protocol 5", b"\x80\x05N.", ["protocol 5"]),
           ("cut", b"\x80\x02}q", ["truncated"]), ("no stop", b"\x80\x02}", ["truncated"]),
           ("nothing on the stack", b"\x80\x02.", ["missing"]), ("memo", b"\x80\x02h\x05.", ["not there"]),
           ("memo beyond", b"\x80\x02Nr\xff\xff\xff\xff.", ["refused"]),
           ("INST", b"\x80\x02(ios\nsystem\n.", ["opcode 'i'"]), ("OBJ", b"\x80\x02(cos\nsystem\no.", ["opcode 'o'"]),
           ("persistent name", b"\x80\x02Px\n.", ["opcode 'P'"]), ("extension", b"\x80\x02\x82\x01.", ["opcode 0x82"]),
           ("stack global", b"\x80\x04\x8c\x02os\x8c\x06system\x93)R.", ["os.system"]),
           ("getattr", b"\x80\x02c__builtin__\ngetattr\nN\x85R.", ["__builtin__.getattr"]),
           ("a class of two lines", b"\x80\x02c" + b"x" * 500 + b"\ny\n.", ["name of a class"]),
           ("odd dict", b"\x80\x02}(Nu.", ["takes none"]), ("list into dict", b"\x80\x02}Na.", ["takes none"]),
           ("text that claims 4 GiB", b"\x80\x02X\xff\xff\xff\xff.", ["truncated"]),
           ("text that claims 2^63", b"\x80\x04\x8d" + b"\xff" * 8 + b".", ["truncated"]),
           ("a million tuples", b"\x80\x02" + b")" * 1000000 + b".", ["refused"]),
           ("itself inside itself", b"\x80\x02]q\0h\0ah\0.", ["deeper"]),
           ("2^40 lists", b"\x80\x02]q\0" + b"".join(b"](h%ch%ceq%c" % (k, k, k + 1) for k in range(40)) + b".",
            ["deeper"]),
           ("no storage", b"\x80\x02}X\1\0\0\0wN\x85Q)RsN.", ["no class"]),
           ("negative size", b"\x80\x02}X\1\0\0\0w" + REBUILT(b"K\0", b"J\xff\xff\xff\xff\x85", b"K\1\x85") + b"s.",
            ["not what PyTorch writes"]),
           ("size and stride of two ranks", b"\x80\x02}X\1\0\0\0w" + REBUILT(b"K\0", b"K\2\x85", b"K\1K\1\x86") + b"s.",
            ["not what PyTorch writes"])]
READ = [("offset beyond", REBUILT(b"K\x7f", b"K\2\x85", b"K\1\x85"), "needs elements 127 to 128"),
        ("stride beyond", REBUILT(b"K\0", b"K\2K\2\x86", b"M\xff\xffK\1\x86"), "truncated or damaged"),
        ("huge", REBUILT(b"K\0", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", b"K\0K\0\x86"), "too large"),
        ("repeated", REBUILT(b"K\0", b"J\0\0\0\x01\x85", b"K\0\x85"), "repeats"),
        ("nine dimensions", REBUILT(b"K\0", b"(" + b"K\1" * 9 + b"t", b"(" + b"K\1" * 9 + b"t"), "at most 8"),
        ("no member", T.replace(b"0X\x03", b"1X\x03") + b"K\0K\2\x85K\1\x85\x89}tR", "not in the archive")]


@suite.case("pickles made by hand: each refused with what is wrong with it")
def _():
    with scratch() as folder:
        path = pathlib.Path(folder, "m.pt")
        for title, data, words in CRAFTED:
            path.write_bytes(with_pickle(data))
            try:
                refused(path, *words)
            except Exception as e:
                check(False, "%s: %s", title, e)
        for title, tensor, words in READ:
            path.write_bytes(with_pickle(b"\x80\x02}X\1\0\0\0w" + tensor + b"s."))
            r = lstmgen("import", path)
            check(r.status == 1 and words in r.out, "%s: %s%s", title, r.out, r.err)
        return "%d" % (len(CRAFTED) + len(READ))


@suite.case("older forms and archives without what belongs in them: refused by name")
def _():
    with scratch() as folder:
        refused(saved(folder, network(5, 8).state_dict(), _use_new_zipfile_serialization=False), "before 1.6",
                "refused")
        path = saved(folder, network(5, 8).state_dict())
        data = path.read_bytes()
        path.write_bytes(data[:len(data) // 2])
        refused(path, "truncated or damaged")
        path.write_bytes(formats.npz([("m/data.pkl", b"")]))
        refused(path, "not a pickle")


def damage(count, program):
    with scratch() as folder:
        data = saved(folder, checkpoint(network(3, 4, 1, True, 2))).read_bytes()
        module = saved(folder, network(3, 4)).read_bytes()
    pickled = lambda rng, data: damaged_member(rng, data, "data.pkl")
    return ", ".join(mutations("m.pt", d, [pickled, pickled, damaged], count, program) for d in (data, module))


suite.add("damaged files", lambda: damage(30, sanitized()))
if "long" in sys.argv[1:]:
    suite.add("long: 300 damaged files each", lambda: damage(300, sanitized()))

suite.main()
