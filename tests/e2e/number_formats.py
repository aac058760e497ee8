#!/usr/bin/python3
"""Number formats: the state's is fitted to what the float network reaches, and right in hardware wherever its point is.
  suite: 20 s

    number_formats.py [WORD]...             only the cases with every WORD in their name
"""
import math, os, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import layer_keys, little_spec, lstmgen, scratch, write_npy, write_npz, write_spec
from simulation import simulated

suite = Suite()


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


if __name__ == "__main__":
    suite.main()
