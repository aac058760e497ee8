#!/usr/bin/python3
"""The trained models that the generator must do well on: the table "Real inputs it must pass".  suite: 80 s

    real_models.py [WORD]...         only the rows with every WORD in their name
Skipped without the models (LSTMGEN_MODELS). Prints model, mismatches, SNR, interval predicted and measured, use.
"""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import MODELS, lstmgen, scratch, write_spec
from simulation import simulated

SILERO, HAR, FSDD, ONNX = (MODELS / n for n in ("silero_vad_16k", "har_embarc", "fsdd_lstm64", "onnx_conformance"))
BITS = {"activation": 16, "weight": 16, "state": 24}
suite = Suite()


def lstm(W="W", R="R", b="b"):
    return {"cell": "lstm", "gates": "ifgo", "W": W, "R": R, "b": b}


def figures(r):
    show = lambda v: "-" if v is None else "%.5g" % v
    return "%s mismatches of %s, SNR %s dB, against the reference %s dB, interval %s predicted %s measured, use %s" % (
        r.get("verify.mismatches"), r.get("verify.compared"), show(r.get("verify.snr_db")),
        show(r.get("verify.expect_snr_db")), show(r.get("cycles.interval")), show(r.get("measured.interval")),
        show(r.get("use")))


def row(name, spec, needs, simulator="verilator", interval=None, snr=None, expect=None, use=None, further=None,
        long=False):
    """One row of the table. interval: at most; snr, expect, use: at least; further(result): more checks; long: only
    with --long."""
    def run():
        with scratch() as folder:
            path = write_spec(folder, spec)
            steps = {"LG_STEPS": str(spec["verify"]["steps"])} if "steps" in spec["verify"] else {}
            r = simulated(path, simulator, 900, **steps)
        text = figures(r)
        check(interval is None or r.get("measured.interval") <= interval, "%s: interval above %s", text, interval)
        check(snr is None or r.get("verify.snr_db", 0) >= snr, "%s: SNR below %s", text, snr)
        check(expect is None or r.get("verify.expect_snr_db", 0) >= expect, "%s: SNR against the reference below %s",
              text, expect)
        check(use is None or r.get("use", 0) >= use, "%s: use below %s", text, use)
        more = further(r) if further else ""
        return text + (", " + more if more else "")
    suite.add(name + ", long" if long else name if "Icarus" in name else name + ", Verilator", run, [needs])


def silero(name, pattern, model=None, steps=None, **more):
    spec = {"name": name, "model": model or {"file": str(SILERO), "layers": [lstm()]}, "sparsity": pattern,
            "precision": BITS, "engine": {"pes": 16, "pe_width": 16},
            "verify": {"input": str(SILERO / "yes_no_go_stop_x.npy"), "expect": str(SILERO / "yes_no_go_stop_h.npy")}}
    if steps:
        spec["verify"]["steps"] = steps
    spec.update(more)
    return spec


def steps(count, outputs):
    """All steps were compared: `count` steps of `outputs` elements at least."""
    def run(r):
        check(r.get("verify.compared") >= count * outputs, "%s elements compared, %d steps of %d are expected",
              r.get("verify.compared"), count, outputs)
    return run


dense = {"pattern": "dense"}
row("silero dense 16x16, 125 steps", silero("silero_dense", dense), SILERO,
    interval=512 + 6, snr=60, expect=60, use=0.985, further=steps(125, 128))
row("silero dense 16x16, Icarus, 8 steps", silero("silero_icarus", dense, steps=8), SILERO, "icarus",
    interval=512 + 6, expect=60, further=steps(8, 128))
onnx_names = {"file": str(SILERO / "silero_vad_16k_op15.onnx"), "layers": [lstm(
    "model.decoder.rnn.weight_ih", "model.decoder.rnn.weight_hh",
    ["model.decoder.rnn.bias_ih", "model.decoder.rnn.bias_hh"])]}
row("silero dense 16x16 from .onnx by tensor names", silero("silero_onnx", dense, onnx_names), SILERO,
    interval=512 + 6, expect=60, further=steps(125, 128))
row("silero bank_balanced 1/4, 16 banks, 16x16",
    silero("silero_bbs", {"pattern": "bank_balanced", "keep": 0.25, "banks": 16}), SILERO,
    interval=128 + 6, snr=60, further=steps(125, 128))
row("silero dense 16x16, 8-bit weights", silero("silero_w8", dense, precision=dict(BITS, weight=8)), SILERO,
    interval=512 + 6, expect=30)

def har_spec(name, pattern=dense, expect="seq300_l2_h.npy", **more):
    """Both layers of har_embarc, 128 steps."""
    layers = [lstm("l1_W", "l1_R", "l1_b"), lstm("l2_W", "l2_R", "l2_b")]
    return dict({"name": name, "model": {"file": str(HAR), "layers": layers}, "sparsity": pattern, "precision": BITS,
                 "engine": {"pes": 8, "pe_width": 8},
                 "verify": {"input": str(HAR / "seq300_l1_x.npy"), "expect": str(HAR / expect)}}, **more)


row("har_embarc, two layers, dense 8x8", har_spec("har"), HAR, expect=65, further=steps(128, 32))
row("har_embarc, the authors' own last step",
    har_spec("har", expect="seq300_l2_h_last_ref.npy", network={"output": "last"}), HAR, expect=65)


# ---- the other patterns of the gather engine at a quarter, on the engine that the deltas have below
narrow = {"pes": 8, "pe_width": 8}
# Pattern, further keys, cycles more than the minimum that rows and blocks of 8 multipliers cost on silero, on har.
QUARTERS = [
    ("bank_balanced", {"banks": 8}, 6, 40), ("grouped_columns", {"group_rows": 8}, 6, 40),
    ("structured_blocks", {"block": 16, "align": True}, 16, 80)]
for pattern, keys, slack, drain in QUARTERS:
    quarter = dict({"pattern": pattern, "keep": 0.25}, **keys)
    row("silero %s 1/4, 8x8" % pattern, silero("silero_" + pattern, quarter, engine=narrow), SILERO,
        interval=512 + slack, snr=60, further=steps(125, 128), long=pattern == "bank_balanced")
    row("har_embarc, two layers, %s 1/4, 8x8" % pattern, har_spec("har_" + pattern, quarter), HAR,
        interval=64 + drain, snr=60, further=steps(128, 32), long=pattern != "structured_blocks")


def accuracy(r):
    """Within 0.7 points of the float network, whose own figure is known from its training: 98.3 % of 300."""
    number, hardware = r.get("accuracy.float"), r.get("accuracy.hardware")
    check(number is not None and hardware is not None, "no accuracy in the report")
    check(abs(number - 98.33) < 0.02, "float accuracy %.2f %%, the model's README says 98.3 %%", number)
    check(hardware >= number - 0.7, "accuracy %.2f %% in hardware, %.2f %% in float", hardware, number)
    return "labels right: %.2f %% in float, %.2f %% in hardware" % (number, hardware)


row("fsdd_lstm64, 7/8 of R pruned, head 64 -> 10, 8x8", {
    "name": "fsdd", "model": {"file": str(FSDD / "bbs_0.875.npz"), "layers": [
        lstm(), {"cell": "linear", "W": "out_w", "b": "out_b", "activation": "none"}]},
    "sparsity": {"pattern": "bank_balanced", "keep": "asis", "banks": 8}, "precision": BITS,
    "engine": {"pes": 8, "pe_width": 8},
    "verify": {"input": str(FSDD / "test_x.npy"), "lengths": str(FSDD / "test_len.npy"),
               "labels": str(FSDD / "test_label.npy")}}, FSDD, further=accuracy)

# ---- column_balanced and deltas
def deltas(r):
    """Share of x and of h that was not sent, layer by layer."""
    return "not sent: " + ", ".join("x %.1f %% h %.1f %%" % (l["skipped_x_percent"], l["skipped_h_percent"])
                                    for l in r.get("delta.layers"))


def exact_zeros(r):
    """Threshold 0 sends no element that stays as it is; silero's x is 67 to 74 % exact zeros (its README)."""
    skipped = r.get("delta.layers")[0]["skipped_x_percent"]
    check(67 <= skipped <= 76, "%.1f %% of x are not sent, 67 to 74 are expected", skipped)
    return deltas(r)


balanced = {"pattern": "column_balanced", "keep": 0.25}
row("silero column_balanced 1/4, 8x8", silero("silero_cb", balanced, engine=narrow), SILERO,
    interval=512 + 6, snr=60, further=steps(125, 128), long=True)
for threshold, least in ((0, 60), (4, None), (16, None)):
    row("silero column_balanced 1/4, 8x8, thresholds %d/256" % threshold, silero(
        "silero_delta", balanced, engine=narrow, delta={"x": threshold / 256, "h": threshold / 256}),
        SILERO, snr=least, further=exact_zeros if threshold == 0 else deltas, long=threshold == 4)
for threshold in (None, 0, 16):
    more = {} if threshold is None else {"delta": {"x": threshold / 256, "h": threshold / 256}}
    row("har_embarc, two layers, column_balanced 1/4, 8x8" + (", thresholds %d/256" % threshold if more else ""),
        har_spec("har_cb", balanced, **more), HAR, snr=None if threshold else 60,
        further=None if threshold is None else deltas, long=threshold != 16)


def delta_accuracy(r):
    """Labels within 1 point of the float network with the same thresholds, whose own figure is known: 98.0 % of 300."""
    number, hardware = r.get("accuracy.float"), r.get("accuracy.hardware")
    check(number is not None and hardware is not None, "no accuracy in the report")
    check(abs(number - 98.0) < 0.02, "float accuracy %.2f %%, 98.0 %% is known from its training", number)
    check(hardware >= number - 1, "accuracy %.2f %% in hardware, %.2f %% in float", hardware, number)
    return "labels right: %.2f %% in float, %.2f %% in hardware, %s" % (number, hardware, deltas(r))


row("fsdd_lstm64, column-balanced as trained, 7/8 of R pruned, thresholds 16/256, 16x4", {
    "name": "fsdd_delta", "model": {"file": str(FSDD / "cbtd16_0.875.npz"), "layers": [
        lstm(), {"cell": "linear", "W": "out_w", "b": "out_b", "activation": "none"}]},
    "sparsity": {"pattern": "column_balanced", "keep": "asis"}, "precision": BITS, "delta": {"x": 1 / 16, "h": 1 / 16},
    "engine": {"pes": 16, "pe_width": 4},
    "verify": {"input": str(FSDD / "test_x.npy"), "lengths": str(FSDD / "test_len.npy"),
               "labels": str(FSDD / "test_label.npy")}}, FSDD, further=delta_accuracy)

for case in ("defaults", "with_initial_bias", "batchwise"):
    base = ONNX / ("test_lstm_" + case)
    row("onnx_conformance lstm_%s, dense 2x2" % case, {
        "name": "onnx_" + case, "model": {"file": str(base) + ".onnx"}, "sparsity": dense, "precision": BITS,
        "engine": {"pes": 2, "pe_width": 2}, "verify": {"input": str(base) + "_x.npy", "expect": str(base) + "_y.npy"}},
        str(base) + ".onnx", expect=65)


@suite.case("silero .safetensors is read (beside Verilator)", [SILERO])
def _():
    with scratch() as folder:
        names = ["lstm_cell." + n for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        model = {"file": str(SILERO / "silero_vad_16k.safetensors"), "layers": [lstm(names[0], names[1], names[2:])]}
        spec = silero("safetensors", dense, model)
        del spec["verify"]["expect"]            # this file holds another training
        r = lstmgen("check", write_spec(folder, spec), "--json")
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    check(r.get("verify.snr_db", 0) >= 60, "SNR %s", r.get("verify.snr_db"))


suite.main()
