#!/usr/bin/python3
"""The node tests of ONNX for LSTM, GRU and RNN (LSTMGEN_MODELS/onnx_conformance, skipped where absent), imported by
themselves: the file alone in the spec, and the spec that `import` prints, at 16 bits against the case's output; then the
file alone on both engines in Icarus.  suite: 50 s"""
import pathlib, sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib")]
from cases import Suite, check
from lstm import MODELS, lstmgen, scratch
from simulation import simulated
try:
    import numpy as np
    from golden import core_snr
except ImportError:
    print("skipped: python3-numpy is not there")
    sys.exit(77)

FOLDER = MODELS / "onnx_conformance"
LEAST = 65          # dB; a plain model of 16 bits gives 77
CASES = ["gru_batchwise", "gru_defaults", "gru_seq_length", "gru_with_initial_bias", "lstm_batchwise", "lstm_defaults",
         "lstm_with_initial_bias", "lstm_with_peepholes", "rnn_seq_length", "simple_rnn_batchwise", "simple_rnn_defaults",
         "simple_rnn_with_initial_bias"]

suite = Suite()


def compare(name):
    stem = str(FOLDER / ("test_" + name))
    run = lstmgen("import", stem + ".onnx")
    check(run.status == 0, "exit %s: %s", run.status, run.last())
    x, y = np.load(stem + "_x.npy"), np.load(stem + "_y.npy")
    with scratch() as folder:
        alone, r = core_snr("model: {file: %s.onnx}\nengine: {pes: 2, pe_width: 2}" % stem, folder, x, y, bits=True)
        check(alone is not None and alone >= LEAST, "%s dB: %s", alone, r.last())
        printed, r = core_snr(run.out, folder, x, y, bits=True)
        check(printed == alone, "%s dB as printed, %s dB alone: %s", printed, alone, r.last())
    return "%.1f dB" % alone


def in_hardware(name, pattern):
    """Bit for bit what the golden model gives, in as many cycles as predicted; and that is the case's output."""
    stem = str(FOLDER / ("test_" + name))
    with scratch() as folder:
        spec = pathlib.Path(folder) / "core.yaml"
        spec.write_text("model: {file: %s.onnx}\nengine: {pes: 2, pe_width: 2}\nsparsity: {pattern: %s%s}\n"
                        "precision: {activation: 16, weight: 16, state: 24}\nverify: {input: %s_x.npy, expect: %s_y.npy}\n"
                        % (stem, pattern, "" if pattern == "dense" else ", keep: 1.0", stem, stem))
        r = simulated(spec, "icarus", LG_STEPS="12", SIM_OPT="-O0")
    db = r.get("verify.expect_snr_db")
    check(db is not None and db >= LEAST, "%s dB", db)
    return "%.1f dB, %s values" % (db, r.get("verify.compared"))


for name in CASES:
    needs = [str(FOLDER / ("test_%s.onnx" % name))]
    suite.add(name, lambda name=name: compare(name), needs)
    for pattern in ("dense", "column_balanced"):
        suite.add("%s, %s in hardware" % (name, pattern), lambda n=name, p=pattern: in_hardware(n, p), needs + ["iverilog"])


@suite.case("every case is in the list", [str(FOLDER)])
def _():
    there = {p.stem[len("test_"):] for p in FOLDER.glob("test_*.onnx")}
    check(there == set(CASES), "%s", there ^ set(CASES))


suite.main()
