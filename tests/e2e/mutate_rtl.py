#!/usr/bin/python3
"""Faults put into generated RTL on purpose: the output folder's own `make sim-icarus` must notice each.  suite: 150 s

    mutate_rtl.py                    every sound design and every third fault
    mutate_rtl.py long               all of them
    mutate_rtl.py WORD...            only the faults with every WORD in their name
A fault is a replacement in one file; when the text to replace is not there, that is a failure too.
"""
import json, os, pathlib, re, shutil, subprocess, sys, tempfile, random

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from stacks import random_stack
from lstm import layer_keys, lstmgen, random_lstms, random_values, write_npy, write_npz, write_spec

SEEDS = range(1, 13)                    # LG_SEED: of the testbench's gaps and stalls
SHORT = 3                               # a short run takes every third fault
BASE = {"layers": [(5, 6), (6, 4)], "head": 3, "lengths": [5, 2, 1, 4], "lanes": 2, "gain": 3.0}
# What each design is for; together they have every feature that the faults are about.
DESIGNS = {
    # two layers and a head; several sequences: clearing the state shows; two lanes: the last beat is partly empty
    "dense": dict(BASE, sparsity={"pattern": "dense"}, engine={"pes": 2, "pe_width": 3}),
    "banked": dict(BASE, sparsity={"pattern": "bank_balanced", "keep": 0.5, "banks": 2},
                   engine={"pes": 3, "pe_width": 2}),
    # more results per step than the output's FIFO holds, and fast: the output is what limits
    "wide": dict(BASE, layers=[(1, 24)], head=0, lanes=1, lengths=[6], sparsity={"pattern": "dense"},
                 engine={"pes": 4, "pe_width": 8}),
    # only the results of last steps leave; sequences of one step among them
    "last": dict(BASE, sparsity={"pattern": "dense"}, engine={"pes": 4, "pe_width": 8}, lengths=[1, 3, 1, 2],
                 output="last"),
    # rows at their PE's own pace
    "blocks": dict(BASE, layers=[(5, 20), (20, 10)], head=0, lanes=1, steps=12,
                   sparsity={"pattern": "structured_blocks", "keep": 0.25, "block": 4},
                   engine={"pes": 6, "pe_width": 2}),
    # h of four neurons is written to two banks; beats of it come faster than they are written, and are queued
    "queued": dict(BASE, layers=[(5, 20)], head=0, lanes=1, steps=12,
                   sparsity={"pattern": "structured_blocks", "keep": 0.5, "block": 4},
                   engine={"pes": 6, "pe_width": 1}),
    # a cell that counts: its state leaves +-256 after as many steps
    "counting": dict(BASE, layers=[(1, 1)], head=0, lanes=1, lengths=[330], sparsity={"pattern": "dense"},
                     engine={"pes": 4, "pe_width": 1}, bias=9.0, gain=0.1),
    # columns of one word, so that rows come back at once; rows in LUT RAM
    "scattered": dict(BASE, layers=[(9, 2), (2, 2)], sparsity={"pattern": "column_balanced", "keep": 0.01},
                      engine={"pes": 2, "pe_width": 2}),
    # the same with rows in block RAM, which shows what is written one cycle later; steps so coarse that changes of just
    # the threshold occur
    "changed": dict(BASE, layers=[(9, 4), (4, 3)], sparsity={"pattern": "column_balanced", "keep": 0.01},
                    engine={"pes": 2, "pe_width": 2}, part="iCE40UP5K", activation=6, delta={"x": 1.0, "h": 0.0625}),
    # both kinds of gru, a linear layer between them, an lstm: all kinds of products; deltas
    "gated": dict(BASE, stack=[("gru before", 5), ("linear", 4), ("gru after", 6), ("lstm", 3)], lanes=1,
                  sparsity={"pattern": "column_balanced", "keep": 0.5}, engine={"pes": 2, "pe_width": 2},
                  part="LFE5U-25F", delta={"x": 0.25, "h": 0}),
    # a projection and a head, both behind: they are done where x is late
    "projected": dict(BASE, layers=[(3, 5)], lanes=1, stack=[("lstm projected", 6), ("linear", 3)], x=1.0,
                      sparsity={"pattern": "dense"}, engine={"pes": 2, "pe_width": 3}),
    # layers of two sections, as stages; the last one is a projection
    "staged": dict(BASE, layers=[(3, 5)], lanes=1, stack=[("linear", 5), ("gru before", 6), ("lstm projected", 6)],
                   steps=12, x=1.0, sparsity={"pattern": "structured_blocks", "keep": 0.5, "block": 4},
                   engine={"pes": 3, "pe_width": 2}),
    # all that a layer may have beside its cell: records with peepholes, limits, initial states, three curves
    "optioned": dict(BASE, layers=[(3, 5)], lengths=[2, 1, 3], lanes=1, steps=12, x=1.0, state=20, state_range=4,
                     stack=[("lstm", 5, {"peephole": 1, "initial": {"h": 0.9, "c": 1.4}, "clip": {"input": 1.1, "cell": 0.7},
                                         "activations": ["hard_sigmoid", "relu", "hard_tanh"]}),
                            ("lstm", 3)],
                     sparsity={"pattern": "dense"}, engine={"pes": 2, "pe_width": 3}),
    # layers without curves, whose formats are their own
    "direct": dict(BASE, layers=[(3, 5)], lengths=[2, 1, 3], lanes=1, steps=12, x=1.0, state=20, state_range=4,
                   stack=[("gru after", 3, {"activations": ["sigmoid", "relu"]}),
                          ("lstm", 3, {"activations": ["sigmoid", "tanh", "relu"]}), ("rnn", 4, {"activations": ["leaky_relu"]})],
                   sparsity={"pattern": "dense"}, engine={"pes": 2, "pe_width": 3}),
    # two rows of a PE are read out at once
    "paired": dict(BASE, layers=[(5, 34)], head=0, lengths=[4, 3], sparsity={"pattern": "column_balanced", "keep": 0.1},
                   engine={"pes": 2, "pe_width": 4}, part="LFE5U-25F", delta={"x": 4.0, "h": 0.25}),
}
NEAR = r"\.NEAR\(NEAR\)"

# (name, design, file, regular expression, replacement)
FAULTS = [
    ("h is not muted at the start of a sequence", "dense", "lg_sequencer", r"mute_q +<= [^;]*;", "mute_q <= 1'b0;"),
    ("c is not cleared at the start of a sequence", "dense", "lg_sequencer", r"(\n +)clear_q +<= run_clear_q;",
     r"\1clear_q <= 1'b0;"),
    ("tuser of x is ignored", "dense", "lg_input", r"assign clear_o = [^;]*;", "assign clear_o = 2'b00;"),
    ("h and c survive a reset", "dense", "lg_input", r" \|\| fresh_q;", ";"),
    ("g is held and i kept", "dense", "lg_cell", r"(TO_(HELD|KEPT)\[op_.\])",
     lambda m: {"HELD": "TO_KEPT[op_g]", "KEPT": "TO_HELD[op_u]"}[m.group(2)]),
    ("g goes through sigmoid", "dense", "lg_cell", r"SIGMOID\[op_x4\]", "1'b1"),
    ("the sigmoid's argument is not halved", "dense", "lg_cell", r"HALF\[op_x4\]", "1'b0"),
    ("the head's results go to the other slot", "dense", "lg_cell", r"&& BEHIND\[word\[T_OP \+: OP\]\]", "&& 1'b0"),
    ("vector address one too high", "dense", "lg_sequencer", r"addr_q <= base \+", "addr_q <= base + 1'b1 +"),
    ("weight address not started anew", "dense", "lg_sequencer", r"run_weight_q <= next\[[^;]*;", ""),
    ("index of a weight is ignored", "banked", "lg_row", r"base_i \| ", "base_i | 0 & "),
    ("words of h multiply x", "blocks", "lg_stream", r"own_i \? own_base_i : base_i", "base_i"),
    ("h is not muted at the start of a sequence, word by word", "blocks", "lg_stream", r"\(mute_i && own\)", "1'b0"),
    ("a row's sum is added to the next row's", "blocks", "lg_stream", r"first_q <= last;", "first_q <= 1'b0;"),
    ("a row's sum is kept a cycle too soon", "blocks", "lg_stream", r"\.LATENCY\(SUM\)", ".LATENCY(SUM - 1)"),
    ("the sums that wait are not numbered", "blocks", "lg_stream", r"slot_q <= slot_q \+ ONE;", "slot_q <= slot_q;"),
    ("the sums that leave are not numbered", "blocks", "lg_gather", r"slot_q <= slot_q \+ ONE;", "slot_q <= slot_q;"),
    ("sums leave before the slowest PE has its row", "blocks", "lg_gather", r"\+ SLACK;", "+ SLACK - 4;"),
    ("the bank of an element is not looked at", "blocks", "lg_span", r"bank\} == k\)", "bank} == 0)"),
    ("the bank of an element is looked at too soon", "blocks", "lg_span", r"\.LATENCY\(2\)", ".LATENCY(1)"),
    ("parts of a beat go to the same address", "queued", "lg_queue", r"addr_q \+ ONE_ADDR", "addr_q"),
    ("the first part of a beat is written again", "queued", "lg_queue", r": data_q >> [^;]*;", ": data_q;"),
    ("a beat that comes while others wait is lost", "queued", "lg_queue", r"free && !waiting && valid_i",
     "free && valid_i"),
    ("x takes the port while h is written", "queued", "lg_queue", r"assign valid_o = busy_q;",
     "assign valid_o = 1'b0;"),
    ("accumulator is not started anew", "dense", "lg_pe", r"\.choose_i\(first\)", ".choose_i(1'b0)"),
    ("kept partial sums are not used", "dense", "lg_lane", r"use_psum_i \? psum : ", ""),
    ("bias is left out", "dense", "lg_lane", r": record\[ACC-1:0\];", ": {ACC{1'b0}};"),
    ("row shift is one less", "dense", "lg_requant", r"shift_q +<= shift_i;", "shift_q <= shift_i - 1'b1;"),
    ("pre-activation wraps instead of saturating", "dense", "lg_requant", r"z_q <= z;",
     "z_q <= total[OUT-1:0];"),
    ("rounding half of c left out", "dense", "lg_lane", r" \+ HALF_C;", ";"),
    ("rounding half of h left out", "dense", "lg_lane", r" \+ HALF_H;", ";"),
    ("activation without interpolation", "dense", "lg_activation", r"shifted = product >> [^;]*;", "shifted = 0;"),
    ("relu of the head left out", "dense", "lg_direct", r"relu_i && [^?]*\? \{OUT\{1'b0\}\} : ", ""),
    ("does not wait for h of the step before", "dense", "lg_sequencer",
     r"&& \(next\[P_WAIT_H [^;]*;", ";"),
    ("does not wait for x", "dense", "lg_sequencer", r"&& \(!next\[P_WAIT_X\] \|\| x_ready\)", ""),
    ("does not wait for a free output slot", "wide", "lg_sequencer",
     r"&& \(!next\[P_WAIT_OUT\] \|\| out_used_q != 2'd2\)", ""),
    ("x and h are written at the same time", "dense", "lg_input", r"&& !busy_i;", ";"),
    ("a full input buffer is written over", "dense", "lg_input", r"p_ready = used_q != 2'd2 &&", "p_ready ="),
    ("back-pressure of the output is ignored", "dense", "_top", r"\.ready_i\(m_axis_tready\)", ".ready_i(1'b1)"),
    ("back-pressure is not passed to the input", "dense", "lg_skid", r"ready_q <= !\([^;]*;", "ready_q <= 1'b1;"),
    ("tlast of the output is missing", "dense", "_top", r"assign m_axis_tlast +=[^;]*;", "assign m_axis_tlast = 1'b0;"),
    ("empty lanes of the last beat are not 0", "dense", "_top", r"!y_last \|\| lane < OUT_TAIL", "1'b1"),
    ("results of all steps leave", "last", "_top", r"\.DROP\(DROP\)", ".DROP(0)"),
    ("step counter counts by two", "dense", "lg_counters", r"steps_q \+ 32'd1", "steps_q + 32'd2"),
    ("interval counter one too low", "dense", "lg_counters", r"y_last_i \? 32'd1 : since_y_q",
     "y_last_i ? 32'd0 : since_y_q"),
    ("the flag of a row is ignored", "scattered", "lg_scatter_pe", r"take = flag &", "take ="),
    ("the flag of a row is ignored when it is read out", "changed", "lg_scatter_pe", r"out += flag &", "out ="),
    ("a row's flag is never taken back", "scattered", "lg_scatter_pe", r"\{!zero_i\[bank\], sum_q\}", "{1'b1, sum_q}"),
    ("rows are not set to 0 behind the reader", "scattered", "lg_scatter_read", r"\(read && bank\)", "1'b0"),
    ("nothing is forwarded", "scattered", "_top", NEAR, ".NEAR(0)"),
    ("rows do not come back at once", "scattered", "_top", NEAR, ".NEAR(NEAR & 6)"),
    ("rows do not come back after two cycles", "scattered", "_top", NEAR, ".NEAR(NEAR & 5)"),
    ("rows do not come back after three cycles", "changed", "_top", NEAR, ".NEAR(NEAR & 3)"),
    ("of two sums on their way both count", "changed", "lg_scatter_pe", r"match_q\[1:0\] == 2'd0", "1'b1"),
    ("products of the other bank are forwarded", "scattered", "lg_scatter_array", r"&& bank_d\[\d\] == bank_d\[0\]",
     ""),
    ("rows are too narrow", "scattered", "_top", r"\.ROW_BITS\(ROW_BITS\)", ".ROW_BITS(ROW_BITS - 6)"),
    ("a row is stored in both memories", "paired", "lg_scatter_pe", r"assign mine_w = [^;]*;", "assign mine_w = 1'b1;"),
    ("a row is taken from both memories", "paired", "lg_scatter_pe", r"assign mine_r = [^;]*;",
     "assign mine_r = 1'b1;"),
    ("rows read at once leave in another order", "paired", "lg_scatter", r"row % PES \* READS \+ row / PES", "row"),
    ("a layer is closed a cycle too soon", "changed", "lg_scatter", r"MEET \+ 1 - READ_AT", "MEET - READ_AT"),
    ("changes of just the threshold are not sent", "changed", "lg_scatter_lane", r"\{limit_i, 1'b0\}",
     "{limit_i + 1'b1, 1'b0}"),
    ("falling elements count one too much", "changed", "lg_scatter_lane", r"\{size, less\}", "{size, 1'b0}"),
    ("elements of h count as those of x too", "changed", "lg_scatter_stats", r"if \(!skipped_h_q\)", "if (1'b1)"),
    ("an array's columns are not counted", "changed", "lg_scatter_stats", r"k < ARRAYS", "k < ARRAYS - 1"),
    ("the busiest array is not counted", "changed", "lg_scatter_stats", r"total & \{32\{again2\}\}", "total & 32'd0"),
    ("sums of a linear layer are added to those of steps before", "gated", "lg_scatter_read", r" \|\| word\[T_FRESH\];",
     ";"),
    ("sums of the sequence before are not dropped", "gated", "lg_scatter_read", r"step_clear_i\[step_q\] \|\| word",
     "word"),
    ("what x is for is forgotten by the next section", "gated", "lg_scatter_scan", r"run_clear_q +<= clear_now;",
     "run_clear_q <= 1'b0;"),
    ("r * h is not waited for", "gated", "lg_scatter_scan", r"run_wait_q +<= [^;]*;", "run_wait_q <= 0;"),
    ("what was kept counts as another product", "gated", "_top", r"\.ADDS_STATE\(ADDS_STATE\)", ".ADDS_STATE(0)"),
    ("held rows of h have the fraction of a curve", "gated", "_top", r"\.A_FRACTION\(A_FRACTION\)",
     ".A_FRACTION(VALUE - 1)"),
    ("1 - z is z", "gated", "_top", r"\.TIMES_REST\(TIMES_REST\)", ".TIMES_REST(0)"),
    ("n is not added to by r * q", "gated", "_top", r"\.PLUS_LATE\(PLUS_LATE\)", ".PLUS_LATE(0)"),
    ("h of a gru is a product", "gated", "_top", r"\.RESULT_STATE\(RESULT_STATE\)", ".RESULT_STATE(0)"),
    ("a peephole's weight comes from elsewhere in the record", "optioned", "lg_lane", r"record_i\[ACC\+SHIFT_BITS \+: PEEP_IN\]",
     "record_i[ACC +: PEEP_IN]"),
    ("the weights of peepholes are half of what they are", "optioned", "_top", r"\.PEEP_FRACTION\(PEEP_FRACTION\)",
     ".PEEP_FRACTION(PEEP_FRACTION + 1)"),
    ("the peephole of o reads the state before the sequence", "optioned", "_top", r"\.FRESH\(FRESH\)",
     ".FRESH(0)"),
    ("peepholes of the first step read 0", "optioned", "_top", r"\.init_p_i\(init_p\)",
     ".init_p_i({CELL_LANES*STATE{1'b0}})"),
    ("the first state is that of the next neuron", "optioned", "_top", r"\.raddr_a_i\(init_addr\)",
     ".raddr_a_i(init_addr + 1)"),
    ("the first state is 0", "optioned", "_top", r"\.init_i\(init\)",
     ".init_i({CELL_LANES*STATE{1'b0}})"),
    ("no initial state is built", "optioned", "_top", r"\.INIT\(INIT\)",
     ".INIT(0)"),
    ("an initial h is left out", "optioned", "_top", r"\.FIRST_RECORD\(FIRST_RECORD\)",
     ".FIRST_RECORD(0)"),
    ("every step has the initial h", "optioned", "lg_cell", r"\(clear \? FIRST :",
     "(1'b1 ? FIRST :"),
    ("the limit of rows is one step higher", "optioned", "_top", r"\.Z_LIMIT\(Z_LIMIT\)",
     ".Z_LIMIT(Z_LIMIT + 1)"),
    ("rows are not clipped", "optioned", "_top", r"\.CLIP_Z\(CLIP_Z\)",
     ".CLIP_Z(0)"),
    ("rows without a curve have another limit", "optioned", "_top", r"\.A_LIMIT\(A_LIMIT\)",
     ".A_LIMIT(A_LIMIT + 1)"),
    ("rows without a curve are not clipped", "optioned", "_top", r"\.CLIP_A\(CLIP_A\)",
     ".CLIP_A(0)"),
    ("the state has another limit", "optioned", "_top", r"\.STATE_LIMIT\(STATE_LIMIT\)",
     ".STATE_LIMIT(STATE_LIMIT + STATE_LIMIT / 8)"),
    ("the state is not clipped", "optioned", "_top", r"\.CLIP_STATE\(CLIP_STATE\)",
     ".CLIP_STATE(0)"),
    ("hard_sigmoid is sigmoid", "optioned", "_top", r"\.TABLE_1\(TABLE_1\)",
     ".TABLE_1(0)"),
    ("the curve of the state is another one", "optioned", "_top", r"\.BOUND_TABLE_2\(BOUND_TABLE_2\)",
     ".BOUND_TABLE_2(0)"),
    ("relu of the state is tanh", "direct", "_top", r"\.BOUND_DIRECT\(BOUND_DIRECT\)",
     ".BOUND_DIRECT(0)"),
    ("negative states pass relu", "direct", "_top", r"\.BOUND_RELU\(BOUND_RELU\)",
     ".BOUND_RELU(0)"),
    ("the state as operand is twice as large", "direct", "_top", r"\.B_FRACTION\(B_FRACTION\)",
     ".B_FRACTION(B_FRACTION + 1)"),
    ("what was kept of a relu counts as of a curve", "optioned", "_top", r"\.ADDS_INNER\(ADDS_INNER\)",
     ".ADDS_INNER(0)"),
    ("late is added to a relu at twice its size", "direct", "_top", r"\.LATE_FRACTION\(LATE_FRACTION\)",
     ".LATE_FRACTION(LATE_FRACTION + 1)"),
    ("leaky_relu leaks more", "direct", "_top", r"\.LEAK\(LEAK\)",
     ".LEAK(LEAK + 20)"),
    ("leaky_relu does not leak", "direct", "_top", r"\.LEAKY\(LEAKY\)",
     ".LEAKY(0)"),
    ("the head behind a projection is not done where x is late", "projected", "lg_sequencer",
     r"&& \(head_q \|\| last_head_q\)", "&& head_q"),
    ("the head behind a projection is not due", "projected", "lg_sequencer",
     r"(is_head && sets_head\) +last_head_q <= )1'b1", r"\g<1>1'b0"),
    ("the head behind a projection stays due", "projected", "lg_sequencer", r"(is_last\) +last_head_q <= )1'b0",
     r"\g<1>1'b1"),
    ("a projection stays due", "projected", "lg_sequencer", r"(is_head && !is_last\) +head_q <= )1'b0", r"\g<1>1'b1"),
    ("r * h is not waited for in its stage", "staged", "lg_sequencer", r"\{LAYERS\{ends && !is_head\}\}",
     "{LAYERS{start}}"),
    ("vectors stay those of the step before", "staged", "lg_sequencer", r"old_q <= turn \? \{LAYERS\{1'b0\}\}\s*:",
     "old_q <="),
    ("the stage of the last run is not counted", "staged", "lg_sequencer", r"due_q <= ran << 1", "due_q <= ran_q << 1"),
    ("saturations are not counted", "counting", "lg_counters", r"saturations_q \+ \{24'd0, count_q\}", "saturations_q"),
]


FAULTS += [
    ("a beat stays on offer in the cycle after a reset", "dense", "_top", r"= y_valid && !rst_q;", "= y_valid;"),
    ("delay lines forget a stage for each cycle of a reset", "dense", "lg_delay_reset",
     r"rst_i \? \{WIDTH\*LATENCY\{1'b0\}\} :", "rst_i ? {line_q[WIDTH*(LATENCY-1)-1:0], {WIDTH{1'b0}}} :"),
    ("columns taken in a reset count after it", "changed", "lg_scatter_stats",
     r"rst_i \? \{TAKEN\{1'b0\}\} : taken", "taken"),
    # what a reset sets, but only at power-up, when it has no value
    ("results survive a reset", "dense", "lg_fifo", r"if \(rst_i\) begin", "if (rst_i && ^level_q === 1'bx) begin"),
    ("the marks of last steps survive a reset", "last", "_top", r"(WIDTH\(1\), \.DEPTH\(32\)\) u_wanted \(\s*"
     r"\.clk_i\(clk\), \.rst_i\()rst_q", r"\1rst_q && ^unused_level === 1'bx"),
    ("a run survives a reset", "dense", "lg_sequencer", r"if \(rst_i\) +active_q",
     "if (rst_i && active_q === 1'bx) active_q"),
    ("the place in the program survives a reset", "dense", "lg_sequencer", r"pc_q          <= \{RUN_ADDR\{1'b0\}\};",
     "pc_q <= ^pc_q === 1'bx ? {RUN_ADDR{1'b0}} : pc_q;"),
    ("the parity of the step survives a reset", "dense", "lg_sequencer", r"if \(rst_i\) +step_parity_q",
     "if (rst_i && step_parity_q === 1'bx) step_parity_q"),
    ("the place in x survives a reset", "dense", "lg_input", r"beat_q  <= \{BEAT\{1'b0\}\};",
     "beat_q <= ^beat_q === 1'bx ? {BEAT{1'b0}} : beat_q;"),
    ("sums that wait survive a reset", "blocks", "lg_stream", r"if \(rst_i\)     slot_q",
     "if (rst_i && ^slot_q === 1'bx) slot_q"),
    ("rows are not set to 0 by a reset", "scattered", "lg_scatter_read", r"sweep_q     <= 1'b1;",
     "sweep_q <= sweep_q === 1'bx;"),
]
suite = Suite()
work = pathlib.Path(tempfile.mkdtemp(prefix="lstmgen_mutate."))


def write_design(name, d):
    """Returns the output folder of a design."""
    folder = work / name
    folder.mkdir()
    rng = random.Random(5)
    inputs, longest = d["layers"][0][0], max(d["lengths"])
    tensors, keys = (random_stack(rng, inputs, d["stack"]) if "stack" in d else
                     (random_lstms(rng, d["layers"], d["head"], d["gain"]),
                      layer_keys(len(d["layers"]), d["head"], "relu")))
    if "bias" in d:                     # all gates open, whatever comes
        tensors["b0"] = (tensors["b0"][0], [d["bias"]] * len(tensors["b0"][1]))
    write_npz(folder / "w.npz", tensors)
    write_npy(folder / "x.npy", (len(d["lengths"]), longest, inputs),
              random_values(rng, len(d["lengths"]) * longest * inputs, 0.0 if "bias" in d else d.get("x", 4.0)))
    write_npy(folder / "len.npy", (len(d["lengths"]),), d["lengths"], "i4")
    spec = {"name": name, "model": {"file": "w.npz", "layers": keys},
            "precision": {"activation": d.get("activation", 12), "weight": 8, "state": d.get("state", 14),
                          "state_range": d.get("state_range", 200)},
            "interface": {"lanes": d["lanes"]},
            "sparsity": d["sparsity"], "engine": d["engine"], "verify": {"input": "x.npy", "lengths": "len.npy"}}
    if "output" in d:
        spec["network"] = {"output": d["output"]}
    if "delta" in d:
        spec.update(delta=d["delta"], target={"part": d["part"]})
    r = lstmgen(write_spec(folder, spec), "-o", folder / "out")
    check(r.status == 0, "%s: exit %s: %s", name, r.status, r.last())
    return folder / "out"


def simulate(folder, design, seed=1):
    """(exit status, result of the testbench or None, log)"""
    env = dict(os.environ, LG_SEED=str(seed))
    if "steps" in DESIGNS[design]:
        env["LG_STEPS"] = str(DESIGNS[design]["steps"])
    r = subprocess.run(["make", "-s", "-C", str(folder), "sim-icarus"], capture_output=True, text=True,
                       stdin=subprocess.DEVNULL, timeout=300, env=env)
    result = folder / "build" / "result-icarus.json"
    try:
        return r.returncode, json.loads(result.read_text()), r.stdout + r.stderr
    except (OSError, ValueError):
        return r.returncode, None, r.stdout + r.stderr


outputs = {}


def sound(name):
    def run():
        outputs[name] = write_design(name, DESIGNS[name])
        status, result, log = simulate(outputs[name], name)
        check(status == 0 and result and result["pass"], "exit %s: %s", status, log[-300:])
        check(name != "counting" or result["saturations"] > 0, "the cell that counts does not saturate")
    return run


def fault(design, module, pattern, replacement):
    def run():
        if design not in outputs:       # the sound design was not asked for by the command line
            sound(design)()
        copy = work / "fault"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(outputs[design], copy, ignore=shutil.ignore_patterns("build"))
        path = copy / "rtl" / ((design + "_top" if module == "_top" else module) + ".v")
        text, n = re.subn(pattern, replacement, path.read_text())
        check(n > 0, "%s has no text like %s", path.name, pattern)
        path.write_text(text)
        for seed in SEEDS:              # some faults need the right stall at the right time
            status, result, log = simulate(copy, design, seed)
            check(result is not None, "not a simulation (exit %s): %s", status, log[-300:])
            if status:
                break
        check(status != 0 and not result["pass"], "nothing was noticed")
        return "%s mismatches, %d errors, seed %d" % (result["mismatches"], len(result.get("errors", [])), seed)
    return run


try:
    for name in DESIGNS:
        suite.add("sound: " + name, sound(name), ["iverilog"])
    words = sys.argv[1:]
    for name, design, module, pattern, replacement in FAULTS if words else FAULTS[::SHORT]:
        suite.add("fault: " + name, fault(design, module, pattern, replacement), ["iverilog"])
    suite.main([] if words == ["long"] else words)
finally:
    shutil.rmtree(work, ignore_errors=True)
