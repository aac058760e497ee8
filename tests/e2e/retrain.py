#!/usr/bin/python3
"""examples/retrain on a handful of utterances: `lstmgen prune` between epochs, masks that stay, and the core's accuracy
beside that of its own float network; a core simulated.  suite: 30 s
"""
import os, pathlib, re, subprocess, sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib")]
from cases import Suite, check
from lstm import LSTMGEN, ROOT, lstmgen, scratch
try:
    import numpy as np
    import torch
except ImportError as e:
    print("skipped: %s" % e)
    sys.exit(77)

suite = Suite()
DIGITS = ROOT / "examples" / "spoken_digits"


def utterances(path):
    """The example's 60 committed utterances, as training and as test data: what is learnt does not matter here."""
    x, lengths, labels = (np.load(DIGITS / ("test_%s.npy" % k)) for k in ("x", "len", "label"))
    np.savez(path, **{"%s_%s" % (s, k): v for s in ("train", "test") for k, v in (("x", x), ("lengths", lengths), ("labels", labels))})


def retrain(folder, *words):
    utterances(pathlib.Path(folder, "data.npz"))
    r = subprocess.run([sys.executable, str(ROOT / "examples" / "retrain" / "retrain.py"), "--data", "data.npz", "--out", "out", "--lstmgen",
                        str(LSTMGEN), "--dense", "20", "--epochs", "2", "--threads", "1", *words],
                       cwd=folder, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    check(r.returncode == 0, "exit %s: %s", r.returncode, r.stderr[-1500:])
    rows = [[c.strip() for c in line.split("|")[1:-1]] for line in r.stdout.splitlines() if line.startswith("| ")][2:]
    return rows, r.stdout


def percent(text):
    return float(text.split()[0])


@suite.case("a row of the table: column_balanced, a half and a quarter, deltas, simulated")
def _():
    with scratch() as folder:
        rows, text = retrain(folder, "--patterns", "column_balanced", "--rates", "0.5", "0.25", "--activations", "16", "--thresholds", "0.125")
        check([r[0].split(",")[0] for r in rows] == ["dense"] + 4 * ["column_balanced"], "%s", text)
        out = pathlib.Path(folder, "out")
        for keep, row in ((0.5, rows[1]), (0.25, rows[2])):
            t = np.load(out / ("column_balanced_%g.npz" % keep))
            for name, kept in zip(("W", "R"), row[1].split(", ")):
                share = 100 * np.count_nonzero(t[name]) / t[name].size
                check(abs(share - 100 * keep) < 0.1 and abs(share - percent(kept)) < 0.1, "%s of %s: %.2f, %s", name, keep, share, kept)
        half, quarter = (np.load(out / ("column_balanced_%g.npz" % k))["R"] != 0 for k in (0.5, 0.25))
        check(not (quarter & ~half).any(), "a weight that was pruned came back at the next rate")
        # the network is as the pattern wants it: pruned to its own rate once more it stays as it is
        r = lstmgen("prune", out / "column_balanced_0.25.yaml", "--set", "sparsity.keep={W: 0.25, R: 0.25}", "-o", out / "again.npz")
        check(r.status == 0, "%s", r.last())
        a, b = np.load(out / "again.npz"), np.load(out / "column_balanced_0.25.npz")
        check(all(np.array_equal(a[k], b[k]) for k in b.files), "pruned again it is another network")
        # float accuracy, by PyTorch
        net = torch.nn.LSTM(13, 64, batch_first=True)
        net.load_state_dict({k: torch.from_numpy(b[n]) for k, n in (("weight_ih_l0", "W"), ("weight_hh_l0", "R"), ("bias_ih_l0", "b_ih"), ("bias_hh_l0", "b_hh"))})
        x, lengths, labels = (np.load(out / ("test_%s.npy" % k)) for k in ("x", "lengths", "labels"))
        h = net(torch.from_numpy(x))[0].detach().numpy()[np.arange(len(x)), lengths - 1]
        right = 100 * np.mean((h @ b["out_w"].T + b["out_b"]).argmax(1) == labels)
        check(abs(right - percent(rows[2][3])) < 0.01, "float: %s, PyTorch says %.2f", rows[2][3], right)
        for r in rows:
            check(percent(r[3]) - percent(r[4]) <= 100 / 60 + 0.01, "more than one utterance of 60 is lost: %s", r)
        check(re.search(r"simulated: 0 values of [1-9]\d* differ", text), "%s", text)
        return "; ".join("%s: %s, core %s" % (r[0], r[3], r[4]) for r in rows)


suite.main()
