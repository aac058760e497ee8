#!/usr/bin/python3
"""Weights, inputs and specs of `spartus` (Gao et al., arXiv 2108.02297): a delta LSTM 123 -> 1024, 8 arrays of 64 PEs.

    make_spartus.py FOLDER              spartus.npz, and spartus_80.yaml ... spartus_95.yaml with their inputs
    make_spartus.py FOLDER --search     looks for the thresholds of h again and prints them
The weights are random (the paper's are not public). An element of x keeps its value with the probability that is
wanted; the threshold of h was searched so that the same share of h is not sent, at zero shares of 80, 85, 90 and 95 %.
"""
import argparse, array, pathlib, random, sys, zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from lstm import layer_keys, lstmgen, npy_head, write_npy, write_spec

INPUTS, HIDDEN, STEPS = 123, 1024, 48
STEP = 1.0 / (1 << 15)                  # of h: 16 bits
THRESHOLDS = {80: 2496, 85: 2752, 90: 3392, 95: 4095}       # of h, in steps


def write_weights(path):
    """Normal numbers, rows of the scale that a trained layer has; no bias is zero."""
    rng = random.Random(1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as z:
        for name, shape, scale in (("W0", (4 * HIDDEN, INPUTS), 0.05), ("R0", (4 * HIDDEN, HIDDEN), 0.02),
                                   ("b0", (4 * HIDDEN,), 0.5)):
            count = shape[0] * (shape[1] if len(shape) > 1 else 1)
            values = array.array("f", (rng.gauss(0, scale) for _ in range(count)))
            z.writestr(zipfile.ZipInfo(name + ".npy"), npy_head(shape, "f4") + values.tobytes())


def held(zero):
    """x: an element keeps its value with probability zero / 100."""
    rng = random.Random(zero)
    now, values = [rng.gauss(0, 1) for _ in range(INPUTS)], []
    for _ in range(STEPS):
        now = [v if rng.random() < zero / 100 else rng.gauss(0, 1) for v in now]
        values += now
    return values


def write_case(folder, zero, threshold):
    """Spec and input for a share of zero deltas; returns the spec's path."""
    write_npy(folder / ("x_%d.npy" % zero), (STEPS, INPUTS), held(zero))
    return write_spec(folder, {
        "name": "spartus_%d" % zero, "model": {"file": "spartus.npz", "layers": layer_keys(1)},
        "sparsity": {"pattern": "column_balanced", "keep": 0.0625}, "precision": {"weight": 8, "activation": 16},
        "engine": {"pes": 64, "pe_width": 8}, "delta": {"x": 0, "h": threshold * STEP}, "target": {"part": "xc7vx690t"},
        "verify": {"input": "x_%d.npy" % zero}})


def write_all(folder, zero):
    """Weights, input and spec for a share of zero deltas; the spec's path."""
    write_weights(folder / "spartus.npz")
    return write_case(folder, zero, THRESHOLDS[zero])


def skipped(folder, zero, threshold):
    """Percent of h that is not sent with a threshold."""
    r = lstmgen("check", write_case(folder, zero, threshold), "--json")
    if r.status:
        sys.exit(r.last())
    return r.get("delta.layers")[0]["skipped_h_percent"], r


def search(folder, zero):
    """The threshold of h nearest to a share of zero deltas, by halving; the share grows with it."""
    low, high = 0, 1 << 12
    while high - low > 1:
        middle = (low + high) // 2
        share, r = skipped(folder, zero, middle)
        print("%d %%: threshold %d leaves %.2f %% of h, interval %s, matrix phase %s" % (
            zero, middle, share, r.get("cycles.interval"), r.get("delta.matrix_phase")), flush=True)
        low, high = (middle, high) if share < zero else (low, middle)
        if abs(share - zero) < 0.1:
            return middle
    return high


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=pathlib.Path)
    p.add_argument("--search", action="store_true")
    o = p.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    write_weights(o.folder / "spartus.npz")
    for zero, threshold in THRESHOLDS.items():
        write_case(o.folder, zero, search(o.folder, zero) if o.search else threshold)


if __name__ == "__main__":
    main()
