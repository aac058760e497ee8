#!/usr/bin/python3
"""Number formats, and what a user is told of them: ranges, clipping, low SNR, a reference of another network.
  suite: 20 s

    number_formats.py [WORD]...             only the cases with every WORD in their name
"""
import math, os, pathlib, random, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import (MODELS, layer_keys, little_spec, lstmgen, random_lstms, random_values, scratch, write_npy, write_npz,
                  write_spec)
from simulation import simulated

suite = Suite()
D50 = MODELS.parent / "cases" / "designs" / "d50" / "s.yaml"


def one_cell(folder, w_g, bias, x, **keys):
    """LSTM of one neuron whose x reaches g alone; rows in the order i f g o."""
    write_npz(folder + "/w.npz", {"W0": ((4, 1), [0, 0, w_g, 0]), "R0": ((4, 1), [0] * 4), "b0": ((4,), bias)})
    write_npy(folder + "/x.npy", (len(x), 1), x)
    return write_spec(folder, dict({"name": "one", "model": {"file": "w.npz", "layers": layer_keys(1)},
                                    "engine": {"pes": 1, "pe_width": 1}, "verify": {"input": "x.npy"}}, **keys))


def states(w_g, bias, x):
    """c of each step, by the equations of an LSTM."""
    i, f = (1 / (1 + math.exp(-b)) for b in bias[:2])
    c, all_c = 0.0, []
    for v in x:
        c = f * c + i * math.tanh(w_g * v + bias[2])
        all_c.append(c)
    return all_c


def fitted(peak, bits):
    """The largest fraction at which twice the peak fits."""
    return max(f for f in range(-8, bits + 9) if round(2 * peak * 2.0 ** f) <= 2 ** (bits - 1) - 1)


def state_format(r):
    return next((f["bits"], f["fraction"]) for f in r.get("formats") if f["tensor"] == "c")


BELOW_ONE = 0.02, [1, 0, 0, 3], [1.0, -0.4, 0.7, 0.1, -0.9] * 12
COUNTS_UP = 8.0, [9, 12, 0, 3], [1.0] * 340 + [-1.0] * 20


@suite.case("c below one and c beyond 256 get the bits they need, and clip nothing", ["iverilog"])
def _():
    found = []
    for name, (w_g, bias, x), bits, least in (("below one", BELOW_ONE, 8, 35), ("below one", BELOW_ONE, 12, 40),
                                             ("beyond 256", COUNTS_UP, 16, 40), ("beyond 256", COUNTS_UP, 24, 40)):
        with scratch() as folder:
            r = simulated(one_cell(folder, w_g, bias, x, precision={"weight": 16, "state": bits}), LG_STEPS="20")
        peak = max(abs(c) for c in states(w_g, bias, x))
        check(state_format(r) == (bits, fitted(peak, bits)), "%s: c up to %g in %s", name, peak, state_format(r))
        check(r.get("verify.saturations") == 0, "%s: %s saturations", name, r.get("verify.saturations"))
        check(r.get("verify.snr_db") >= least, "%s, %d bits: %s dB", name, bits, r.get("verify.snr_db"))
        found.append("%s, %d bits: %s dB" % (name, bits, r.get("verify.snr_db")))
    return "; ".join(found)


@suite.case("a forget gate near 1: c counts up 340 steps and down again", ["iverilog"])
def _():
    """sigmoid(12) is 1 - 6e-6; a gate of 16 bits ends at 1 - 3e-5, and c crosses 0 one and a half steps too early."""
    w_g, bias, _ = COUNTS_UP
    found = []
    for gate, part, bits, least, most in ((None, None, 18, 40, 99), (16, None, 16, 15, 25), (None, "iCE40UP5K", 16, 15, 25)):
        precision = dict({"weight": 16}, **({"gate": gate} if gate else {}))
        with scratch() as folder:
            spec = one_cell(folder, w_g, bias, [1.0] * 340 + [-1.0] * 400, precision=precision)
            r = lstmgen("check", spec, "--json", *(["--set", "target.part=" + part] if part else []))
        db, width = r.get("verify.snr_db"), next(f["bits"] for f in r.get("formats") if f["tensor"] == "gate")
        check(width == bits and least <= db <= most, "gates of %d bits, %s: %s dB", width, part, db)
        found.append("%d bits: %s dB" % (width, db))
    return "; ".join(found)


@suite.case("fractions of the state far above and below those of gates and pre-activations", ["iverilog"])
def _():
    """Golden model and RTL agree where the products, the state or tanh's argument need left shifts or long right ones."""
    fractions = []
    for activation, preactivation, bits, reach in ((4, 6, 32, 0.01), (4, 20, 8, 1e6), (16, 20, 8, 1e6), (16, 16, 32, 0.01),
                                                   (8, 10, 32, 1e8), (16, 18, 8, 0.01), (9, 12, 17, 3.0)):
        with scratch() as folder:
            spec = little_spec(folder, inputs=2, hidden=3, steps=12, precision={
                "activation": activation, "preactivation": preactivation, "weight": 8, "state": bits,
                "state_range": reach})
            fractions.append(state_format(simulated(spec, LG_STEPS="12"))[1])
    check(min(fractions) == -8 and max(fractions) >= 37, "fractions %s", fractions)
    return "fractions %s" % fractions


@suite.case("pre-activations narrower than activations, with a head", ["iverilog"])
def _():
    """A head's row has the bits of an activation, whatever the curves get."""
    for activation, preactivation in ((12, 9), (12, 11), (12, 12), (12, 13)):
        with scratch() as folder:
            rng = random.Random(3)
            write_npz(folder + "/w.npz", random_lstms(rng, [(3, 5)], 3, 3.0))
            write_npy(folder + "/x.npy", (12, 3), random_values(rng, 36, 4.0))
            spec = write_spec(folder, {
                "name": "narrow", "model": {"file": "w.npz", "layers": layer_keys(1, 3)},
                "precision": {"activation": activation, "preactivation": preactivation},
                "engine": {"pes": 2, "pe_width": 2}, "verify": {"input": "x.npy"}})
            simulated(spec, LG_STEPS="12")


@suite.case("the case of a pre-activation narrower than activation that people have", ["iverilog", D50])
def _():
    with scratch() as folder:
        r = lstmgen("sim", D50, "--sim", "icarus", "--json", "-o", folder + "/out", env=dict(os.environ, LG_STEPS="8"))
    check(r.status == 0 and r.get("verify.mismatches") == 0, "exit %s: %s", r.status, r.last())


@suite.case("precision.state_range holds the format; too small a range is a warning with the value reached")
def _():
    with scratch() as folder:
        spec = one_cell(folder, *COUNTS_UP, precision={"weight": 16, "state": 24, "state_range": 100})
        r = lstmgen("check", spec, "--json")
    check(r.status == 0 and state_format(r) == (24, 16), "exit %s, %s", r.status, r.get("formats"))
    check(r.get("verify.saturations") > 200, "%s saturations", r.get("verify.saturations"))
    peak = "%g" % max(abs(c) for c in states(*COUNTS_UP))
    check(peak in r.err and "ends at 128" in r.err and "precision.state_range" in r.err, "%s", r.err)
    check(any(peak in w for w in r.get("warnings")), "not in warnings: %s", r.get("warnings"))


# ---- against the framework
def sigmoid(v):
    return 1 / (1 + math.exp(-v))


def outputs(tensors, x, gates="ifgo"):
    """h of each step, by the equations; x: [[inputs]]."""
    (rows, inputs), W = tensors["W0"]
    R, b, n = tensors["R0"][1], tensors["b0"][1], rows // 4
    h, c, all_h = [0.0] * n, [0.0] * n, []
    for v in x:
        z = [b[r] + sum(W[r * inputs + k] * v[k] for k in range(inputs)) + sum(R[r * n + k] * h[k] for k in range(n))
             for r in range(rows)]
        i, f, g, o = (z[n * gates.index(gate):n * gates.index(gate) + n] for gate in "ifgo")
        c = [sigmoid(f[j]) * c[j] + sigmoid(i[j]) * math.tanh(g[j]) for j in range(n)]
        h = [sigmoid(o[j]) * math.tanh(c[j]) for j in range(n)]
        all_h.append(h)
    return all_h


STEPS, INPUTS, HIDDEN = 9, 3, 4


def referenced(folder, shape_x, shape_y, order="ifgo", separate=False, **keys):
    """A spec with 9 steps and their reference outputs, of one sequence or of 9; `order`: what the spec says of gates."""
    rng = random.Random(3)
    tensors = random_lstms(rng, [(INPUTS, HIDDEN)])
    x = [random_values(rng, INPUTS) for _ in range(STEPS)]
    h = [outputs(tensors, [v])[0] for v in x] if separate else outputs(tensors, x)
    h = h[-1:] if math.prod(shape_y) == HIDDEN else h
    write_npz(folder + "/w.npz", tensors)
    write_npy(folder + "/x.npy", shape_x, sum(x, []))
    write_npy(folder + "/y.npy", shape_y, sum(h, []))
    layers = [dict(layer_keys(1)[0], gates=order)]
    verify = dict({"input": "x.npy", "expect": "y.npy"}, **keys)
    return write_spec(folder, {"name": "reference", "model": {"file": "w.npz", "layers": layers},
                               "precision": {"weight": 16}, "verify": {k: v for k, v in verify.items() if v}})


@suite.case("verify.input of (T, 1, I) is one sequence or T, as verify.expect says, and it is told")
def _():
    batch = STEPS, 1, INPUTS
    found = []
    for shape_y, separate in (((STEPS, HIDDEN), False), ((STEPS, 1, HIDDEN), False), ((1, HIDDEN), False),
                              ((STEPS, HIDDEN), True), ((STEPS, 1, HIDDEN), True)):
        with scratch() as folder:
            r = lstmgen("check", referenced(folder, batch, shape_y, separate=separate), "--json")
        words = "%d sequences of one step" % STEPS if separate else "one sequence of %d steps" % STEPS
        check(r.status == 0, "exit %s: %s", r.status, r.last())
        check(r.get("verify.sequences") == (STEPS if separate else 1), "%s: %s sequences", shape_y,
              r.get("verify.sequences"))
        check(r.get("verify.expect_snr_db") > 60, "%s: %s dB", shape_y, r.get("verify.expect_snr_db"))
        check(words in r.err and any(words in w for w in r.get("warnings")), "not told: %s", r.err)
        found.append(r.get("verify.expect_snr_db"))
    with scratch() as folder:
        r = lstmgen("check", referenced(folder, batch, (STEPS, HIDDEN), expect=None), "--json")
        check(r.get("verify.sequences") == 1 and "verify.lengths" in r.err, "without expect: %s", r.err)
        write_npy(folder + "/len.npy", (STEPS,), [1] * STEPS, "i4")
        r = lstmgen("check", referenced(folder, batch, (STEPS, HIDDEN), separate=True, lengths="len.npy"), "--json")
        check(r.get("verify.sequences") == STEPS and not r.get("warnings"), "with lengths: %s", r.err)
    return "%s dB" % found


@suite.case("the network of another gate order is warned of; check and sim end with 3 below verify.min_snr_db",
            ["iverilog"])
def _():
    shapes = (STEPS, INPUTS), (STEPS, HIDDEN)
    with scratch() as folder:
        r = lstmgen("check", referenced(folder, *shapes, min_snr_db=30))
        check(r.status == 0 and "warning" not in r.err, "exit %s: %s", r.status, r.err)
        exact = next(line for line in r.out.splitlines() if "exactness" in line)
        check(exact.index("verify.expect") < exact.index("float network"), "not first: %s", exact)
        for order in ("iofg", "figo", "ifog"):
            r = lstmgen("check", referenced(folder, *shapes, order), "--json")
            check(r.status == 0 and r.get("verify.expect_snr_db") < 20 < 40 < r.get("verify.snr_db"), "%s: %s", order,
                  r.get("verify"))
            words = "the network in the spec is not the one that made verify.expect"
            check(r.err.count(words) == 1 and any(words in w for w in r.get("warnings")), "%s", r.err)
        for arguments in (["check"], ["sim", "--sim", "icarus", "-o", folder + "/out"]):
            r = lstmgen(*arguments, referenced(folder, *shapes, "iofg", min_snr_db=30),
                        env=dict(os.environ, LG_STEPS="12"))
            check(r.status == 3 and "below verify.min_snr_db" in r.err, "%s: exit %s: %s", arguments, r.status, r.err)


# ---- numbers that are not enough
def warned(folder, *words, **keys):
    """Exactly one warning has these words, on stderr and in --json."""
    r = lstmgen("check", little_spec(folder, **keys), "--json")
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    with_words = [w for w in r.get("warnings") if all(word in w for word in words)]
    check(len(with_words) == 1, "%s: %s", words, r.get("warnings"))
    check(r.err.count(with_words[0][:60]) == 1, "not on stderr: %s", r.err)
    return r


@suite.case("clipped values and an SNR below 20 dB are warned of, with the key that helps")
def _():
    with scratch() as folder:
        r = warned(folder, "values of x are clipped at 0.125", steps=20,
                   precision={"activation": 12, "input_range": 0.12})
        warned(folder, "values of the cell state are clipped", "precision.state_range", steps=20,
               precision={"state_range": 0.01})
        low = warned(folder, "the number formats leave an SNR of", steps=20, precision={"weight": 2, "activation": 4})
        check(low.get("verify.snr_db") < 20, "%s", low.get("verify"))
        good = lstmgen("check", little_spec(folder, steps=20), "--json")
        check(good.get("warnings") == [] and good.get("verify.snr_db") > 20, "%s", good.get("warnings"))
    return "clipped x: %.1f dB" % r.get("verify.snr_db")


@suite.case("one outlier of x is named with its element, step and remedy; a wide element too")
def _():
    rng = random.Random(8)
    x = [rng.uniform(-1, 1) for _ in range(40 * 3)]
    with scratch() as folder:
        spec = little_spec(folder)

        def checked(values, **precision):
            write_npy(pathlib.Path(folder) / "little_x.npy", (40, 3), values)
            r = lstmgen("check", spec, "--json", *sum((["--set", "precision.%s=%s" % kv] for kv in precision.items()), []))
            check(r.status == 0, "exit %s: %s", r.status, r.last())
            return r, "\n".join(r.get("warnings"))
        plain, text = checked(x, activation=10)
        check("outlier" not in text and "element" not in text, "%s", text)
        spoilt = list(x)
        spoilt[17 * 3 + 2] = -3000.0
        bad, text = checked(spoilt, activation=10)
        check("element 2 of step 17 is 3000 and forces a range of 4096" in text and "precision.input_range: 0.9" in text,
              "%s", text)
        mended, text = checked(spoilt, activation=10, input_range=1)
        check("outlier" not in text and "1 values of x are clipped" in text, "%s", text)
        check(mended.get("verify.snr_db") > bad.get("verify.snr_db"), "%s then %s dB", bad.get("verify.snr_db"),
              mended.get("verify.snr_db"))
        wide, text = checked([v * 4000 if k % 3 == 1 else v for k, v in enumerate(x)])
        check("element 1 of x reaches" in text and "all others stay within" in text, "%s", text)
    return "%.1f dB without, %.1f with the outlier, %.1f with its remedy" % tuple(
        r.get("verify.snr_db") for r in (plain, bad, mended))


@suite.case("a pattern that keeps far more than was asked is told per matrix, with the reason")
def _():
    """3 and 4 columns in 4 banks: each bank keeps its one column, whatever is asked; 20 in 4 keep 3 of 5."""
    with scratch() as folder:
        r = warned(folder, "bank_balanced keeps far more than was asked", "W of layer 0: 25 % asked, 100 % kept",
                   "R of layer 0: 25 % asked, 100 % kept", "fewer banks", inputs=4, engine={"pes": 2, "pe_width": 4},
                   sparsity={"pattern": "bank_balanced", "keep": 0.25, "banks": 4})
        check(r.get("macs.kept") == r.get("macs.dense"), "%s", r.get("macs"))
        warned(folder, "column_balanced keeps far more", "fewer PEs", engine={"pes": 16, "pe_width": 1},
               sparsity={"pattern": "column_balanced", "keep": 0.1})
        warned(folder, "grouped_columns keeps far more", inputs=2, sparsity={"pattern": "grouped_columns", "keep": 0.1})
        warned(folder, "structured_blocks keeps far more", "W of layer 0: 10 % asked, 18.8 % kept", hidden=2, inputs=2,
               sparsity={"pattern": "structured_blocks", "keep": 0.1, "block": 4})
        r = lstmgen("check", little_spec(folder, inputs=20, hidden=20, steps=20, engine={"pes": 2, "pe_width": 4}, sparsity={
            "pattern": "bank_balanced", "keep": 0.5, "banks": 4}), "--json")
        check(r.get("warnings") == [], "3 of 5: %s", r.get("warnings"))


if __name__ == "__main__":
    suite.main()
