#!/usr/bin/python3
"""Prune the spoken-digit network while it is trained: `lstmgen prune` between the epochs, for every pattern, to a half, a
quarter and an eighth of W and R; then what is left of the accuracy in float and in the core's own arithmetic.

Needs python3-numpy, python3-torch and, for the utterances, espeak-ng (all in Debian). About 20 minutes on two cores; prints
a table in Markdown and keeps every network, with its spec, in the folder --out.
"""
import argparse, json, pathlib, subprocess, sys, time

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "spoken_digits"))
from train import Digits, fit, make_data, tensors

# What each pattern wants beside its name.
PATTERNS = {"bank_balanced": {}, "grouped_columns": {}, "column_balanced": {}, "structured_blocks": {"block": 16}}
RATES = (0.5, 0.25, 0.125)              # kept; each starts from the network of the one before
ACTIVATIONS = (16, 10, 8)               # bits
THRESHOLDS = (0.0625, 0.125)            # of deltas, for x and for h: multiples of a step of both

PARAMETERS = {"W": "lstm.weight_ih_l0", "R": "lstm.weight_hh_l0", "b_ih": "lstm.bias_ih_l0", "b_hh": "lstm.bias_hh_l0",
              "out_w": "head.weight", "out_b": "head.bias"}


# ---- lstmgen ----

def spec_of(name, pattern, keep, delta=None):
    """A spec, as JSON, which is YAML. keep: "asis", or the fraction of W and of R that is kept."""
    sparsity = {"pattern": pattern, **PATTERNS.get(pattern, {})}
    if pattern != "dense":
        sparsity["keep"] = keep if keep == "asis" else {"W": keep, "R": keep}
    if keep == "asis":                  # the layout of W may cost what it likes: it is small
        sparsity["max_padding"] = 1
    spec = {"name": "digits", "model": {"file": name + ".npz", "layers": [
                {"cell": "lstm", "gates": "ifgo", "W": "W", "R": "R", "b": ["b_ih", "b_hh"]},
                {"cell": "linear", "W": "out_w", "b": "out_b"}]},
            "sparsity": sparsity, "precision": {"weight": 8}, "engine": {"pes": 8, "pe_width": 8},
            "verify": {"input": "test_x.npy", "lengths": "test_lengths.npy", "labels": "test_labels.npy"}}
    if delta:
        spec["delta"] = {"x": delta, "h": delta}
    return spec


class Lstmgen:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, verb, name, spec, *words):
        path = self.folder / (name + ".yaml")
        path.write_text(json.dumps(spec, indent=1))
        r = subprocess.run([self.program, verb, path.name, *words], cwd=self.folder, capture_output=True, text=True)
        if r.returncode:
            sys.exit("lstmgen %s %s: exit status %d\n%s" % (verb, path, r.returncode, r.stderr))
        return r.stdout

    def prune(self, net, pattern, keep):
        """Prunes the network to a rate and returns its masks: {tensor: 0 or 1 for each weight}."""
        np.savez(self.folder / "epoch.npz", **tensors(net))
        self.run("prune", "epoch", spec_of("epoch", pattern, keep), "--masks", "-o", "pruned.npz")
        pruned = np.load(self.folder / "pruned.npz")
        return {name: torch.from_numpy(pruned[name + "_mask"].astype("<f4")) for name in ("W", "R")}

    def accuracy(self, name, spec, activation=16):
        """Percent: of the network in float, and of the core, as its bit-true model counts them."""
        o = json.loads(self.run("check", name, spec, "--json", "--set", "precision.activation=%d" % activation))
        return o["accuracy"]["float"], o["accuracy"]["hardware"]

    def simulate(self, name, spec, sequences):
        """The core itself on the first utterances: (values compared, values that differ from the model)."""
        few = dict(spec, verify={k: "few_%s.npy" % k for k in ("input", "lengths")})
        np.save(self.folder / "few_input.npy", np.load(self.folder / "test_x.npy")[:sequences])
        np.save(self.folder / "few_lengths.npy", np.load(self.folder / "test_lengths.npy")[:sequences])
        o = json.loads(self.run("sim", name + "_few", few, "--json", "-o", str(self.folder / "core")))
        return o["verify"]["compared"], o["verify"]["mismatches"]


# ---- training under masks ----

def parameter(net, name):
    return net.get_parameter(PARAMETERS[name])


def hold(net, masks):
    with torch.no_grad():
        for name, mask in masks.items():
            parameter(net, name).mul_(mask)


def epoch(net, data, rate, masks, batch=64):
    """One epoch of Adam; pruned weights stay zero after every step."""
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    for pick in torch.randperm(len(data[0])).split(batch):
        x, lengths, labels = (tensor[pick] for tensor in data)
        loss = torch.nn.functional.cross_entropy(net(x + 0.2 * torch.randn_like(x), lengths), labels.long())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        hold(net, masks)


def to_rate(net, data, lstmgen, pattern, before, keep, epochs):
    """From one rate to the next: halfway in the first epoch, then the rate itself; lstmgen chooses what goes. From then
    on the masks stay."""
    masks = {}
    for i in range(epochs):
        if i < 2:
            masks = lstmgen.prune(net, pattern, (before + keep) / 2 if i == 0 and epochs > 1 else keep)
            hold(net, masks)
        epoch(net, data, 2e-3 if i < epochs - 1 else 5e-4, masks)
    for name, mask in masks.items():
        assert not (parameter(net, name).detach() * (1 - mask)).any(), "a pruned weight of %s came back" % name


class Deltas(Digits):
    """The same network where x and h move only when they have changed by more than a threshold, as the core sees them;
    the gradient passes as if they always moved."""
    threshold = 0.0

    def forward(self, x, lengths):
        l = self.lstm
        h = c = x_sent = h_sent = None
        out = []
        for t in range(x.shape[1]):
            if t == 0:
                h = c = h_sent = x.new_zeros(len(x), l.hidden_size)
                x_sent = torch.zeros_like(x[:, 0])
            x_sent = torch.where((x[:, t] - x_sent).abs() > self.threshold, x[:, t], x_sent).detach()
            h_sent = torch.where((h - h_sent).abs() > self.threshold, h, h_sent).detach()
            z = torch.nn.functional.linear(x_sent, l.weight_ih_l0, l.bias_ih_l0) + torch.nn.functional.linear(
                h + (h_sent - h).detach(), l.weight_hh_l0, l.bias_hh_l0)
            i, f, g, o = z.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            out.append(h)
        return self.head(torch.stack(out, 1)[torch.arange(len(x)), lengths.long() - 1])


def percent(net, test):
    with torch.no_grad():
        return 100 * float((net(test[0], test[1]).argmax(1) == test[2]).float().mean())


# ---- the table ----

class Table:
    def __init__(self):
        self.worst = 0.0
        print("| network | W and R kept | activations | float | hardware | difference |\n| --- | --- | --- | --- | --- | --- |", flush=True)

    def row(self, title, kept, bits, in_float, in_core):
        self.worst = max(self.worst, in_float - in_core)
        print("| %s | %s | %s | %.2f %% | %.2f %% | %+.2f |" % (title, kept, bits, in_float, in_core, in_core - in_float), flush=True)


def kept_text(net):
    return ", ".join("%.1f %%" % (100 * float((parameter(net, n) != 0).float().mean())) for n in ("W", "R"))


def save(net, folder, name):
    np.savez(folder / (name + ".npz"), **tensors(net))


def copy_of(net, kind=Digits):
    other = kind()
    other.load_state_dict(net.state_dict())
    return other


def rows_of_pattern(pattern, dense, train, args, lstmgen, table):
    net, before, quarter = copy_of(dense), 1.0, None
    for keep in args.rates:
        to_rate(net, train, lstmgen, pattern, before, keep, args.epochs)
        before, name = keep, "%s_%g" % (pattern, keep)
        save(net, args.out, name)
        for bits in args.activations if keep == 0.25 else args.activations[:1]:
            table.row(pattern, kept_text(net), bits, *lstmgen.accuracy(name, spec_of(name, pattern, "asis"), bits))
        quarter = copy_of(net) if keep == 0.25 else quarter
    return quarter


def rows_of_deltas(net, train, test, args, lstmgen, table):
    """The core's own deltas on a network that knows nothing of them, and on one that was trained with them."""
    masks = {n: (parameter(net, n).detach() != 0).float() for n in ("W", "R")}
    for threshold in args.thresholds:
        spec = lambda name: spec_of(name, "column_balanced", "asis", threshold)
        for trained in (False, True):
            other, name = copy_of(net, Deltas), "delta_%g_%d" % (threshold, trained)
            other.threshold = threshold
            for i in range(2 if trained else 0):
                epoch(other, train, 1e-3 if i == 0 else 3e-4, masks)
            save(other, args.out, name)
            table.row("column_balanced, deltas over %g%s" % (threshold, ", trained with them" if trained else ""), kept_text(other),
                      16, percent(other, test), lstmgen.accuracy(name, spec(name))[1])


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--out", type=pathlib.Path, default=pathlib.Path("retrain_out"), help="folder for networks and specs")
    p.add_argument("--lstmgen", type=pathlib.Path, default=HERE.parent.parent / "build" / "lstmgen")
    p.add_argument("--data", type=pathlib.Path, help="utterances, as an earlier run left them in its folder: data.npz")
    p.add_argument("--start", type=pathlib.Path, help="a dense network, as an earlier run left it: dense.npz")
    p.add_argument("--dense", type=int, default=16, help="epochs of dense training")
    p.add_argument("--epochs", type=int, default=3, help="epochs from one rate to the next")
    p.add_argument("--patterns", nargs="*", default=list(PATTERNS), choices=list(PATTERNS))
    p.add_argument("--rates", nargs="*", type=float, default=RATES)
    p.add_argument("--activations", nargs="*", type=int, default=ACTIVATIONS)
    p.add_argument("--thresholds", nargs="*", type=float, default=THRESHOLDS)
    p.add_argument("--simulate", type=int, default=1, help="utterances that the core itself computes, for each pattern")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


def utterances(args):
    if args.data:
        d = np.load(args.data)
        return [tuple(torch.from_numpy(d["%s_%s" % (s, k)]) for k in ("x", "lengths", "labels")) for s in ("train", "test")]
    train, test, _, _ = make_data(args.seed)
    np.savez(args.out / "data.npz", **{"%s_%s" % (s, k): v.numpy() for s, data in (("train", train), ("test", test))
                                       for k, v in zip(("x", "lengths", "labels"), data)})
    return train, test


def main():
    args, begin = arguments(), time.monotonic()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    train, test = utterances(args)
    for name, t in zip(("x", "lengths", "labels"), test):
        np.save(args.out / ("test_%s.npy" % name), t.numpy())
    lstmgen = Lstmgen(args.lstmgen.resolve(), args.out.resolve())
    dense = Digits()
    if args.start:
        with torch.no_grad():
            for name, values in np.load(args.start).items():
                parameter(dense, name).copy_(torch.from_numpy(values))
    else:
        fit(dense, train, args.dense, 3e-3, say=lambda text: print(text, file=sys.stderr))
    save(dense, args.out, "dense")
    table = Table()
    for bits in args.activations:
        table.row("dense", "100 %", bits, *lstmgen.accuracy("dense", spec_of("dense", "dense", 1), bits))
    simulated = []
    for pattern in args.patterns:
        net = rows_of_pattern(pattern, dense, train, args, lstmgen, table)
        if net is not None and pattern == "column_balanced":
            rows_of_deltas(net, train, test, args, lstmgen, table)
        name = "%s_%g" % (pattern, args.rates[-1])
        if args.simulate:
            simulated.append((pattern, *lstmgen.simulate(name, spec_of(name, pattern, "asis"), args.simulate)))
    print("\n%d training and %d test utterances in other voices, seed %d. Largest loss of the core against its own float network: "
          "%.2f points." % (len(train[0]), len(test[0]), args.seed, table.worst))
    for pattern, compared, differ in simulated:
        print("%s, simulated: %d values of %d differ from the bit-true model." % (pattern, differ, compared))
    print("%.0f minutes on %d threads." % ((time.monotonic() - begin) / 60, args.threads))


if __name__ == "__main__":
    main()
