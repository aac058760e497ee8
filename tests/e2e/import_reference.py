#!/usr/bin/python3
"""`lstmgen import --reference IN.npy`: the file's own framework computes verify.input and verify.expect, and the spec that is
saved then proves the network: at least 40 dB at 16 bits.  suite: 20 s
"""
import os, pathlib, sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib")]
from cases import Suite, check
from lstm import MODELS, ROOT, lstmgen, scratch
try:
    import numpy as np
    import torch
except ImportError as e:
    print("skipped: %s" % e)
    sys.exit(77)

SHARED = MODELS.parent / "cases" / "import"
VENV = ROOT / "build" / "venv" / "bin" / "python3"
suite = Suite()


def proved(folder, path, x, python, steps, words=()):
    """The spec with its reference; `steps`: rows that expect has of each sequence."""
    np.save(pathlib.Path(folder, "in.npy"), x)
    os.environ["LSTMGEN_PYTHON"] = str(python)
    spec = pathlib.Path(folder, "net.yaml")
    r = lstmgen("import", path, "-o", spec, "--reference", pathlib.Path(folder, "in.npy"))
    check(r.status == 0, "exit %s: %s", r.status, r.err)
    check("verify: {input: net_input.npy, expect: net_expect.npy}" in spec.read_text(), "%s", spec.read_text())
    expect = np.load(pathlib.Path(folder, "net_expect.npy"))
    check(expect.shape[:2] == (x.shape[0] if x.ndim == 3 else 1, steps), "expect: %s", expect.shape)
    c = lstmgen("check", spec, "--json", "--set", "precision.weight=16")
    db = c.get("verify.expect_snr_db")
    check(c.status == 0 and db >= 40, "%s dB: %s", db, c.err)
    check(not pathlib.Path(folder, "net_reference.log").exists(), "the log is left")
    return "%.0f dB" % db


# Inputs of a step, steps that the file asks for (None: any), rows of expect. Of both orders of axes, with values on the way
# that are no output of the graph, with a state that comes in.
GRAPHS = {"02b_gru": (9, 8), "06b_last_step": (6, 10), "08_two_heads": (8, 8), "14_flatten": (6, 10), "17_hn_of_two": (6, 8), "bug_both_transposed": (5, 12),
          "bug_actor_critic": (6, 8), "k_gru": (6, 10), "k_two": (6, 10), "k_bn": (6, 10), "t_2": (6, 10), "bug_qdq_weights": (5, 12)}
for name in GRAPHS:
    def case(name=name):
        io = dict(np.load(SHARED / (name + ".io.npz")))
        x = max((v for k, v in io.items() if k.startswith("in.") and v.ndim == 3), key=lambda v: v.size)
        x = x.transpose(1, 0, 2) if x.shape[1] == 1 else x[:1]      # one sequence, as (1, steps, inputs)
        with scratch() as folder:
            r = lstmgen("import", SHARED / (name + ".onnx"))
            return proved(folder, SHARED / (name + ".onnx"), np.random.default_rng(5).normal(size=x.shape).astype("<f4"), VENV,
                          1 if "output: last" in r.out else x.shape[1])
    suite.add("ONNX Runtime: " + name, case, [VENV, str(SHARED / (name + ".onnx"))])


class Script(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn = kind(5, 8, batch_first=True)

    def forward(self, x):
        return self.rnn(x)[0]


for kind in (torch.nn.LSTM, torch.nn.GRU):
    def case(kind=kind):
        torch.manual_seed(4)
        with scratch() as folder:
            path = pathlib.Path(folder, "net.pt")
            torch.jit.script(Script(kind)).save(str(path))
            return proved(folder, path, np.random.default_rng(6).normal(size=(3, 20, 5)).astype("<f4"), "/usr/bin/python3", 20)
    suite.add("TorchScript: " + kind.__name__, case)


def fails(path, x, python, *words):
    with scratch() as folder:
        np.save(pathlib.Path(folder, "in.npy"), x)
        os.environ["LSTMGEN_PYTHON"] = str(python)
        r = lstmgen("import", path, "-o", pathlib.Path(folder, "net.yaml"), "--reference", pathlib.Path(folder, "in.npy"))
        check(r.status == 4, "exit %s: %s", r.status, r.err)
        for word in words:
            check(word in r.err, "'%s' is not in: %s", word, r.err)
        left = sorted(p.name for p in pathlib.Path(folder).iterdir() if p.suffix in (".yaml", ".npy"))
        check(left == ["in.npy"], "left: %s", left)


@suite.case("a framework that is not there, tensors without a program, an input of another size: said, and nothing is written", [str(SHARED)])
def _():
    x = np.zeros((1, 10, 6), "f4")
    fails(SHARED / "06b_last_step.onnx", x, "/usr/bin/python3", "onnxruntime is not there", "pip install onnxruntime")
    fails(SHARED / "10_one_output.npz", x, "/usr/bin/python3", "weights alone")
    fails(SHARED / "06b_last_step.onnx", np.zeros((2, 2, 10, 6), "f4"), "/usr/bin/python3", "expected (steps, inputs)")
    with scratch() as folder:
        path = pathlib.Path(folder, "w.pt")
        torch.save(torch.nn.LSTM(5, 8).state_dict(), path)
        fails(path, np.zeros((10, 5), "f4"), "/usr/bin/python3", "tensors, not a program")
    r = lstmgen("import", SHARED / "06b_last_step.onnx", "--reference", "in.npy")
    check(r.status == 2 and "-o SPEC.yaml" in r.err, "exit %s: %s", r.status, r.err)


suite.main()
