"""SNR of a spec's network against expected outputs, also where no engine carries its cells yet. With numpy."""
import math, pathlib, subprocess

import numpy as np

from cases import Skip, check
from lstm import ROOT, lstmgen

OUTPUTS = ROOT / "build" / "outputs"
NOT_CARRIED = "does not carry that in this version"


def models(spec, shape):
    """Outputs (sequences, steps, width) for the spec's verify.input: of the network in floating point, of the bit-true one."""
    if not OUTPUTS.exists():
        raise Skip("no engine carries it, and %s is not there" % OUTPUTS.name)
    r = subprocess.run([str(OUTPUTS), str(spec)], capture_output=True, text=True)
    check(r.returncode == 0, "%s: %s", OUTPUTS.name, r.stderr)
    columns = [[float(word) for word in line.split()] for line in r.stdout.splitlines()]
    return [np.array(c).reshape(shape) for c in zip(*columns)]


def decibel(reference, value):
    noise = float(((reference - value) ** 2).sum())
    return 10 * math.log10(float((reference ** 2).sum()) / noise) if noise else 999.0


def core_snr(text, folder, x, y, name="core", bits=False):
    """dB of the core of a spec (YAML without verify and precision) against y (sequences, steps or 1, width) for x
    (sequences, steps, inputs), as `check` says it. Where no engine carries the network: that of the network in floating
    point, which is what the spec says, or (bits) of the bit-true model. Returns (dB or None where `check` refuses or
    cannot compare, the run of `check`)."""
    check(x.ndim == y.ndim == 3 and x.shape[0] == y.shape[0] and y.shape[1] in (1, x.shape[1]), "%s and %s", x.shape, y.shape)
    folder = pathlib.Path(folder)
    np.save(folder / (name + "_x.npy"), np.ascontiguousarray(x, "<f4"))
    np.save(folder / (name + "_y.npy"), np.ascontiguousarray(y, "<f4"))
    spec = folder / (name + ".yaml")
    spec.write_text("%s\nverify: {input: %s_x.npy, expect: %s_y.npy}\n"
                    "precision: {activation: 16, weight: 16, state: 24}\n" % (text, name, name))
    r = lstmgen("check", spec, "--json")
    if r.status == 0:
        return r.get("verify.expect_snr_db"), r
    if NOT_CARRIED not in r.err or r.err.count("error:") != r.err.count(NOT_CARRIED):
        return None, r
    got = models(spec, (x.shape[0], x.shape[1], y.shape[-1]))[bits]
    return decibel(np.asarray(y, float), got[:, -1:] if y.shape[1] == 1 else got), r
