#!/usr/bin/python3
"""The node tests of ONNX for LSTM, GRU and RNN (LSTMGEN_MODELS/onnx_conformance, skipped where absent), imported by
themselves: the file alone in the spec, and the spec that `import` prints, at 16 bits against the case's output."""
import pathlib, sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib")]
from cases import Suite, check
from lstm import MODELS, lstmgen, scratch
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


for name in CASES:
    suite.add(name, lambda name=name: compare(name), [str(FOLDER / ("test_%s.onnx" % name))])


@suite.case("every case is in the list", [str(FOLDER)])
def _():
    there = {p.stem[len("test_"):] for p in FOLDER.glob("test_*.onnx")}
    check(there == set(CASES), "%s", there ^ set(CASES))


suite.main()
