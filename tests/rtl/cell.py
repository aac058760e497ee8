#!/usr/bin/python3
"""lg_cell alone: each cell's passes over random rows against an interpreter of its own.  suite: 60 s

    cell.py [--seed N] [long] [WORD]...          only the cases with every WORD in their name; long: more shapes,
                                                 the mask bits of every cell
The interpreter reads the cells from PASSES below (written from the equations of the papers, not from gen/cell), works
row by row in whole numbers with their fractions, and knows neither stages nor widths inside. When results leave, and
how close tiles may follow each other, is held to the columns() of the stage table; one cycle closer must fail.
"""
import math, pathlib, random, re, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Failure, Suite, check
from lstm import ROOT, scratch

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = [ROOT / "templates" / f for f in ("cell", "engine", "lib", "lib/leaf/generic")]
suite = Suite()


def of(gate, curve, times=None, hold=False, keep=False, sum=False, late=False, plus=False, out=None, **more):
    return dict(gate=gate, curve=curve, times=times, hold=hold, keep=keep, sum=sum, late=late, plus=plus, out=out,
                **more)


S, T = "sigmoid", "tanh"
LSTM = [of("i", S, hold=True), of("g", T, "held", keep=True), of("f", S, "state", sum=True),
        of("o", S, "bounded", out="p")]
# A pass: a = curve(z); p = a * times; then what is held, kept, summed, added late, and the result.
PASSES = {
    "lstm": LSTM,
    "lstm and linear": LSTM + [of("y", "none", out="a")],
    "coupled": [of("f", S, "state", hold=True, keep=True), of("g", T, "rest", sum=True),
                of("o", S, "bounded", out="p")],
    "gru before": [of("r", S, "state", out="p"), of("z", S, "state", hold=True, keep=True),
                   of("n", T, "rest", sum=True, out="state")],
    "gru after": [of("q", "none", hold=True), of("r", S, "held", late=True), of("z", S, "state", hold=True, keep=True),
                  of("n", T, "rest", sum=True, plus=True, out="state")],
    "ligru": [of("z", S, "state", hold=True, keep=True), of("n", "relu", "rest", sum=True, out="state")],
    "rnn": [of("h", T, out="a")],
    "rnn relu": [of("h", "relu", out="a")],
    "linear": [of("y", "none", out="a")],
    "lstm with projection": LSTM + [of("p", "none", out="a")],
    "lstm with peepholes": [dict(p, peep=p["gate"] != "g", fresh=p["gate"] == "o") for p in LSTM],
    "lstm clipped": [dict(p, clip_z=True, clip_state=p["gate"] == "f") for p in LSTM]
                    + [of("p", "none", out="a", clip_a=True)],
    "lstm relu": [of("i", S, hold=True), of("g", "relu", "held", keep=True),
                  of("f", S, "state", sum=True, bound="relu"), of("o", S, "bounded", out="p")],
    "lstm none": [of("i", S, hold=True), of("g", T, "held", keep=True),
                  of("f", S, "state", sum=True, bound="none"), of("o", S, "bounded", out="p")],
    "lstm with hard gates": [dict(p, curve="hard_sigmoid" if p["curve"] == S else T) for p in LSTM],
    "lstm with four curves": [of("i", "hard_sigmoid", hold=True), of("g", "hard_tanh", "held", keep=True),
                              of("f", S, "state", sum=True, bound="softsign"), of("o", "softsign", "bounded", out="p")],
    "rnn leaky": [of("h", "leaky", out="a"), of("y", "relu", out="a"), of("x", "none", out="a")],
    "lstm and gru": LSTM + [of("z", S, "state", hold=True, keep=True), of("n", T, "rest", sum=True, out="state")],
    "lstm and ligru": LSTM + [of("z", S, "state", hold=True, keep=True),
                              of("n", "relu", "rest", sum=True, out="state")],
}
# Where the passes of more than one cell are: each goes over neurons of its own.
PARTS = {"lstm and gru": [4, 2], "lstm and ligru": [4, 2], "lstm and linear": [4, 1], "lstm with projection": [4, 1],
         "lstm clipped": [4, 1], "rnn leaky": [1, 1, 1]}
TABLE_OF = {S: "tanh", T: "tanh", "hard_sigmoid": "hard_sigmoid", "hard_tanh": "hard_tanh", "softsign": "softsign"}
DIRECT = ("none", "relu", "leaky")


# ---- formats and arithmetic: a value is a whole number and its fraction bits
def rounded(v, fraction, target):
    """Half goes up."""
    down = fraction - target
    return v << -down if down <= 0 else (v + (1 << (down - 1))) >> down


def limited(v, bits, limit=None):
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if limit is None else (-limit, limit)
    return min(max(v, low), high)


def shape_of(rng, name):
    """Sizes and constants, random but such that every case has something to show."""
    out = rng.choice([8, 11, 16])
    pre = rng.choice([out - 2, out, out + 2, out + 3])
    state = out + rng.choice([0, 4, 8])
    s = {"OUT": out, "GATE": out + (pre + state) % 3, "PRE": pre, "PRE_FRACTION": pre - 5, "STATE": state,
         "STATE_FRACTION": state - rng.choice([1, 3, 6]),
         "ACC": 30, "LEFT": rng.choice([0, 0, 2]), "SHIFT_BITS": 4, "MUL_LATENCY": rng.choice([1, 2, 3, 4]),
         "SPLIT": rng.choice([1, 2]), "PART": max(out, state) - rng.choice([2, 4]), "LANES": rng.choice([1, 2, 3]),
         "SHIFTS": rng.choice([1, 2, 3]), "BLOCK": rng.choice([0, 1]), "SEGMENT": rng.choice([3, 5]),
         "A_FRACTION": out - rng.choice([1, 3]), "H_FRACTION": out - 1, "B_FRACTION": out - 4, "PEEP": 0,
         "PEEP_FRACTION": 9, "Z_LIMIT": 0, "A_LIMIT": 0, "STATE_LIMIT": 0, "LEAK": 0, "LEAK_SHIFT": 12, "INIT": 0,
         "LOAD": 0}
    passes = PASSES[name]
    if any(p.get("peep") for p in passes):
        s.update(PEEP=11)
    if any(p.get("clip_z") for p in passes):
        s.update(Z_LIMIT=3 << (pre - 6), A_LIMIT=5 << (out - 4), STATE_LIMIT=3 << (state - 4))
    if any(p["curve"] == "leaky" for p in passes):
        s.update(LEAK=rng.randrange(20, 1 << (out - 2) if out < 12 else 1000))
    if any(p["times"] == "state" for p in passes) and rng.random() < 0.5:
        s.update(INIT=1)
    if any(p["out"] == "state" for p in passes):
        s.update(H_FRACTION=out - rng.choice([1, 3]))
    return s


def products(name):
    return any(p["times"] for p in PASSES[name])


def latencies(name, s):
    """M, W, cycles by which a peephole makes rows late."""
    w = s["MUL_LATENCY"] + (s["SPLIT"] > 1) if products(name) else 0
    return s["MUL_LATENCY"], w, max(0, w - 3) if s["PEEP"] else 0


def columns(name, s):
    """Memory: when it is read and written, after the row is at the lane."""
    m, w, _ = latencies(name, s)
    g, u = 9 + m, 9 + m + w
    return {"psum": (-3, 1), "held": (g - 3, g), "kept": (u - 2, u), "state": (g - 3, u + 2),
            "bounded": (g - 3, u + 8 + m), "late": (1, u + 1), "peep": (-w, u + 2)}


def distances(name, s, less=None):
    """Memory: cycles between a tile that writes and one that reads it; one less for `less`."""
    return {k: w - r + s["BLOCK"] - (k == less) for k, (r, w) in columns(name, s).items()}


WRITES = {"psum": lambda p: p["gate"] == "keep", "held": lambda p: p["hold"], "kept": lambda p: p["keep"],
          "state": lambda p: p["sum"], "bounded": lambda p: p["sum"], "late": lambda p: p["late"],
          "peep": lambda p: p["sum"]}
READS = {"psum": lambda p: p.get("uses"), "held": lambda p: p["times"] in ("held", "rest"),
         "kept": lambda p: p["sum"], "state": lambda p: p["times"] == "state",
         "bounded": lambda p: p["times"] == "bounded",
         "late": lambda p: p["plus"], "peep": lambda p: p.get("peep")}


# ---- tables of curves
def curve_value(name, u):
    return {"tanh": math.tanh(u), "hard_sigmoid": min(0.8 * u, 1.0), "hard_tanh": min(u, 1.0),
            "softsign": u / (1 + u)}[name]


def table_of(s, curve):
    """(base, slope) of each segment; any will do, as long as both sides read it alike."""
    one, reach = 1 << (s["OUT"] + 2), 2.0 ** (s["PRE"] - 2 - s["PRE_FRACTION"])
    n = 1 << s["SEGMENT"]
    at = [min(int(curve_value(curve, reach * k / n) * one), one - 1) for k in range(n + 1)]
    return [(at[k], at[k + 1] - at[k]) for k in range(n)]


def curve_of(s, tables, curve, z):
    fine = s["PRE"] - 1 - s["SEGMENT"]
    half = curve in (S, "hard_sigmoid", "softsign")
    a, tf = abs(z) << (0 if half else 1), s["OUT"] + 2
    segment, low = a >> fine, a & ((1 << fine) - 1)
    t = (1 << tf) - 1
    if segment < 1 << s["SEGMENT"]:
        base, slope = tables[TABLE_OF[curve]][segment]
        t = min(base + (slope * low >> fine), t)
    t = -t if z < 0 else t
    if curve in (S, "hard_sigmoid"):
        return limited(rounded((1 << tf) + t, tf + 1, s["GATE"] - 1), s["GATE"])
    return limited(rounded(t, tf, s["GATE"] - 1), s["GATE"])


# ---- programs: tiles, in the order of their starts
def make_program(rng, name, s, steps, groups, less=None, tight=False):
    """[(start, pass number, pass, group, step, keep)]: random orders and gaps, or each tile as early as it may be."""
    passes, away = PASSES[name], distances(name, s, less)
    parts, at = PARTS.get(name, [len(passes)]), 0
    queues = []
    for n in parts:
        for group in range(groups):
            queue = []
            for step in range(steps):
                for k in range(at, at + n):
                    p = passes[k]
                    early = rng.random() < 0.3 if not tight else less == "psum"
                    if early:
                        queue.append((0, dict(of("keep", None), key=(k, step)), step))
                    queue.append((k + 1, dict(p, uses=early), step))
            queues.append((len(queues), queue))
        at += n
    program, last, now = [], {}, 2
    while any(q for _, q in queues):
        choices = [(i, q) for i, q in queues if q]
        group, queue = choices[0] if tight else rng.choice(choices)
        number, p, step = queue.pop(0)
        start = now
        for memory, distance in away.items():
            if READS[memory](p) and (group, memory) in last:
                start = max(start, last[group, memory] + distance)
        start += 0 if tight else rng.choice([0, 0, 1, 3])
        for memory in away:
            if WRITES[memory](p):
                last[group, memory] = start
        program.append((start, number, p, group, step))
        now = start + s["SHIFTS"]
    return program, len(queues)


# ---- the interpreter
class Neuron:
    def __init__(self, init):
        self.state, self.init = (0, 0), init
        self.held = self.kept = self.bounded = (0, 0)
        self.bounded_result = 0
        self.late, self.psum = 0, 0


def run_row(s, tables, n, p, row, record, clear, events):
    """One row through a lane: result or None; events: what was saturated ("state", "result")."""
    bias, shift, peep = record
    total = row + (n.psum if p.get("uses") else bias)
    if p["gate"] == "keep":
        n.psum = total
        return None
    old = n.init if clear and not p.get("fresh") else n.state
    z = (total << s["LEFT"]) >> shift
    if p["plus"]:
        z += n.late
    if p.get("peep"):
        z += rounded(peep * old[0], s["PEEP_FRACTION"] + old[1], s["PRE_FRACTION"])
    curve = p["curve"]
    if curve in DIRECT:
        a0 = limited(z, s["OUT"])
        if p.get("clip_a"):
            a0 = limited(a0, s["OUT"], s["A_LIMIT"])
        elif p.get("clip_z"):
            a0 = limited(a0, s["OUT"], s["Z_LIMIT"])
        elif a0 != z:
            events.add("result")
        if a0 < 0:
            a0 = {"none": a0, "relu": 0, "leaky": rounded(a0 * s["LEAK"], s["LEAK_SHIFT"], 0)}[curve]
        a = (a0, s["A_FRACTION"])
    else:
        z = limited(z, s["PRE"])
        if p.get("clip_z"):
            z = limited(z, s["PRE"], s["Z_LIMIT"])
        a = (curve_of(s, tables, curve, z), s["GATE"] - 1)
    operand = {None: (0, 0), "held": n.held, "rest": ((1 << (s["GATE"] - 1)) - n.held[0], s["GATE"] - 1),
               "state": n.init if clear else n.state, "bounded": n.bounded}[p["times"]]
    product = (a[0] * operand[0], a[1] + operand[1])
    result = a[0] if curve in DIRECT else limited(rounded(*a, target=s["OUT"] - 1), s["OUT"])
    if p["out"] == "p":
        result = rounded(*product, target=s["H_FRACTION"] if p["times"] == "state" else n.bounded_result)
        if p["times"] == "state" and limited(result, s["OUT"]) != result:
            events.add("result")
        result = limited(result, s["OUT"])
    if p["late"]:
        n.late = rounded(*product, target=s["PRE_FRACTION"])
    if p["sum"]:
        f = max(product[1], n.kept[1])
        c = rounded((product[0] << (f - product[1])) + (n.kept[0] << (f - n.kept[1])), f, s["STATE_FRACTION"])
        clipped = limited(c, s["STATE"])
        if p.get("clip_state"):
            clipped = limited(clipped, s["STATE"], s["STATE_LIMIT"])
        elif clipped != c:
            events.add("state")
        n.state = (clipped, s["STATE_FRACTION"])
        bound = p.get("bound", T)
        if bound in DIRECT:
            b = limited(rounded(*n.state, target=s["B_FRACTION"]), s["OUT"])
            n.bounded = (max(b, 0) if bound == "relu" else b, s["B_FRACTION"])
            n.bounded_result = s["B_FRACTION"]
        else:
            zc = limited(rounded(*n.state, target=s["PRE_FRACTION"]), s["PRE"])
            n.bounded = (curve_of(s, tables, bound, zc), s["GATE"] - 1)
            n.bounded_result = s["OUT"] - 1
        if p["out"] == "state":
            h = rounded(*n.state, target=s["H_FRACTION"])
            result = limited(h, s["OUT"])
            if result != h:
                events.add("result")
    if p["hold"]:
        n.held = a
    if p["keep"]:
        n.kept = product
    return result if p["out"] else None


# ---- masks, images
def masks_of(name):
    m = {k: 0 for k in MASKS}
    kept = {}
    names = []
    parts, at = PARTS.get(name, [len(PASSES[name])]), 0
    bounds = any(q["times"] == "bounded" for q in PASSES[name])
    for c in PASSES[name]:
        for t in [c["curve"]] + ([c.get("bound", T)] if c["sum"] and bounds else []):
            if t not in DIRECT and TABLE_OF[t] not in names:
                names.append(TABLE_OF[t])
    kind = None
    for k, p in enumerate(PASSES[name]):
        bit, curve, bound = 2 << k, p["curve"], p.get("bound", T)
        inner = curve in DIRECT and p["times"] in ("held", "rest")
        facts = {"SIGMOID": curve in (S, "hard_sigmoid"), "HALF": curve in (S, "hard_sigmoid", "softsign"),
                 "TABLE_1": curve not in DIRECT and names.index(TABLE_OF[curve]) & 1,
                 "TABLE_2": curve not in DIRECT and names.index(TABLE_OF[curve]) & 2,
                 "DIRECT": curve in DIRECT, "LEAKY": curve == "leaky", "PLUS_LATE": p["plus"],
                 "CLIP_Z": p.get("clip_z"), "CLIP_A": p.get("clip_a"), "FRESH": p.get("fresh"),
                 "TIMES_HELD": p["times"] == "held", "TIMES_REST": p["times"] == "rest",
                 "TIMES_STATE": p["times"] == "state", "TIMES_BOUNDED": p["times"] == "bounded",
                 "TO_HELD": p["hold"], "TO_KEPT": p["keep"], "TO_STATE": p["sum"], "TO_LATE": p["late"],
                 "ADDS_STATE": p["sum"] and kind == "state", "ADDS_INNER": p["sum"] and kind == "inner",
                 "CLIP_STATE": p.get("clip_state"), "RESULT_A": p["out"] == "a", "RESULT_P": p["out"] == "p",
                 "RESULT_STATE": p["out"] == "state"}
        if p["sum"]:
            table = 0 if bound in DIRECT or TABLE_OF[bound] not in names else names.index(TABLE_OF[bound])
            facts.update(BOUND_SIGMOID=bound in (S, "hard_sigmoid"),
                         BOUND_HALF=bound in (S, "hard_sigmoid", "softsign"),
                         BOUND_TABLE_1=table & 1, BOUND_TABLE_2=table & 2, BOUND_DIRECT=bound in DIRECT,
                         BOUND_RELU=bound == "relu")
        if p["keep"]:
            kind = "state" if p["times"] == "state" else "inner" if inner else "value"
        for key, yes in facts.items():
            m[key] |= bit if yes else 0
    m["KEEP"] = 1
    return m, names or ["tanh"]


MASKS = ("KEEP SIGMOID HALF TABLE_1 TABLE_2 DIRECT LEAKY PLUS_LATE CLIP_Z CLIP_A TIMES_HELD TIMES_REST TIMES_STATE "
         "TIMES_BOUNDED FRESH TO_HELD TO_KEPT TO_STATE ADDS_STATE ADDS_INNER CLIP_STATE TO_LATE RESULT_A RESULT_P "
         "RESULT_STATE BOUND_SIGMOID BOUND_HALF BOUND_TABLE_1 BOUND_TABLE_2 BOUND_DIRECT BOUND_RELU").split()
ENTRIES = 256


def bits_for(n):
    return max((n - 1).bit_length(), 1)


def packed(fields):
    word, at = 0, 0
    for value, bits in fields:
        word |= (value & ((1 << bits) - 1)) << at
        at += bits
    return word


def write_words(path, words):
    path.write_text("".join("%x\n" % w for w in words))


class Bench:
    """One case: its files in a folder, and what must come out of the simulation."""
    def __init__(self, folder, rng, name, s, steps=4, groups=2, less=None, tight=False, resumed=False):
        """resumed: the states are written before and read behind, and no step is a sequence's first."""
        self.folder, self.name, self.s, self.resumed = pathlib.Path(folder), name, s, resumed
        self.masks, self.names = masks_of(name)
        self.tables = {t: table_of(s, t) for t in set(self.names) | {"tanh"}}
        self.program, queues = make_program(rng, name, s, steps, groups, less, tight)
        self.neurons = queues * s["SHIFTS"]
        self.passes = len(PASSES[name]) + 1
        self.op = 4 if self.passes > 8 else 3
        if resumed:
            self.program = [(tile[0] + self.neurons + 2,) + tile[1:] for tile in self.program]
        self.play(rng)

    def play(self, rng):
        s = self.s
        lanes, shifts, tiles = s["LANES"], s["SHIFTS"], len(self.program)
        m, w, early = latencies(self.name, s)
        from_state = any(p["out"] == "state" for p in PASSES[self.name])
        after = 10 + m + w + 2 * from_state
        idle = self.program[-1][0] + shifts + after + m + 40
        cycles = idle + (self.neurons + 8 if self.resumed else 0)
        records, words, control, rows, loads = [], [], [0] * cycles, [0] * cycles, [0] * cycles
        access, load = 1 << bits_for(tiles) + 2, 1 << bits_for(tiles) + 3
        inits = [[rng.randrange(-(1 << (s["STATE"] - 2)), 1 << (s["STATE"] - 2)) if s["INIT"] else 0
                  for _ in range(lanes)] for _ in range(self.neurons)]
        lane_state = [[Neuron((v, s["STATE_FRACTION"])) for v in word] for word in inits]
        self.results, self.saturated, self.states = [], {}, []
        for neuron in range(self.neurons if self.resumed else 0):
            values = [rng.randrange(-(1 << (s["STATE"] - 2)), 1 << (s["STATE"] - 2)) for _ in range(lanes)]
            control[2 + neuron], loads[2 + neuron] = access | load | neuron, packed([(v, s["STATE"]) for v in values])
            for n, v in zip(lane_state[neuron], values):
                n.state = (v, s["STATE_FRACTION"])
            control[idle + neuron] = access | neuron
        for at, (start, number, p, group, step) in enumerate(self.program):
            clear = step == 0 and not self.resumed
            control[start] = packed([(at, bits_for(tiles)), (1, 1), (clear, 1)])
            words.append(packed([
                (number, self.op), (bool(p.get("uses")), 1), (0, 1), (bool(p["out"]), 1), (p["curve"] == "relu", 1),
                (0, 1), (0, 1), (at * shifts, bits_for(tiles * shifts)), (group * shifts, bits_for(self.neurons)),
                (group * shifts, bits_for(self.neurons)), (lanes * shifts, (lanes * shifts).bit_length()), (0, 3),
                (1, 3), (0, 4), (0, 4), (at * shifts % ENTRIES, bits_for(ENTRIES))]))
            for shift in range(shifts):
                x = start + 6 + early + shift
                results = []
                for lane in range(lanes):
                    # such that some rows saturate and most do not
                    down = rng.randrange(0, 16)
                    size = 1 << min(max(s["PRE"] - 1 + down - s["LEFT"] - rng.choice([-2, 0, 1, 2, 3]), 2), 27)
                    row, bias = rng.randrange(-size, size), rng.randrange(-size // 2, size // 2)
                    record = (bias, down, rng.randrange(-1024, 1024) if p.get("peep") else 0)
                    rows[x] |= packed([(row, s["ACC"])]) << lane * s["ACC"]
                    records.append((record, lane))
                    events = set()
                    neuron = lane_state[group * shifts + shift][lane]
                    results.append(run_row(s, self.tables, neuron, p, row, record, clear, events))
                    for event, cycle in (("state", x + 11 + m + w), ("result", x + after)):
                        if event in events:
                            self.saturated[cycle] = self.saturated.get(cycle, 0) | 1 << lane
                if p["out"]:
                    self.results.append((x + after, (at * shifts + shift) % ENTRIES,
                                         packed([(v, s["OUT"]) for v in results])))
        self.results.sort()
        width = s["ACC"] + s["SHIFT_BITS"] + s["PEEP"]
        if self.resumed:
            self.states = [packed([(n.state[0], s["STATE"]) for n in word]) for word in lane_state]
        self.write(cycles, tiles, words, control, rows, loads, [
            sum(packed([(r[0], s["ACC"]), (r[1], s["SHIFT_BITS"]), (r[2], s["PEEP"])]) << width * lane
                for r, lane in records[k:k + lanes]) for k in range(0, len(records), lanes)], inits)

    def write(self, cycles, tiles, words, control, rows, loads, records, inits):
        s, f = self.s, self.folder
        slope = max(max(v for _, v in self.tables[t]) for t in self.names).bit_length() or 1
        count = 1 if len(self.names) == 1 else 2 if len(self.names) == 2 else 4
        lines = [packed([(base, s["OUT"] + 2), (v, slope)]) for t in (self.names + self.names[:1] * 3)[:count]
                 for base, v in self.tables[t]]
        write_words(f / "table.hex", lines)
        for name, w in (("tiles", words), ("control", control), ("rows", rows), ("loads", loads),
                        ("records", records)):
            write_words(f / (name + ".hex"), w)
        write_words(f / "inits.hex", [packed([(v, s["STATE"]) for v in word]) for word in inits])
        self.values = dict(s, CYCLES=cycles, TILES=tiles, RECORDS=len(records), NEURONS=self.neurons,
                           PSUMS=self.neurons, ENTRIES=ENTRIES, SLOPE=slope, TABLES=count, PASSES=self.passes)

    def simulate(self, flip=None, folders=None):
        """What the testbench printed, as (results, saturations); `flip` = (mask, bit)."""
        masks = dict(self.masks)
        if flip:
            masks[flip[0]] ^= 1 << flip[1]
        wide = 1 << self.op
        text = "".join("    localparam %s = %d;\n" % kv for kv in self.values.items())
        text += "".join("    localparam [%d:0] %s = %d;\n" % (wide - 1, k, v) for k, v in masks.items())
        (self.folder / "case.vh").write_text(text)
        search = [a for f in folders or FOLDERS for a in ("-y", str(f))]
        r = subprocess.run(["iverilog", "-g2005", "-o", "tb", "-s", "tb", "-I", "."] + search + [HERE / "tb_cell.v"],
                           capture_output=True, text=True, timeout=120, cwd=self.folder)
        check(r.returncode == 0, "iverilog: %s", r.stderr[-600:])
        r = subprocess.run(["vvp", "-n", "tb"], capture_output=True, text=True, timeout=120, cwd=self.folder)
        results = sorted((int(a), int(b), c) for a, b, c in re.findall(r"^y (\d+) (\d+) (\w+)$", r.stdout, re.M))
        cut = {int(a): b for a, b in re.findall(r"^s (\d+) (\w+)$", r.stdout, re.M)}
        self.read = [c for c in re.findall(r"^r \d+ (\w+)$", r.stdout, re.M)]
        return results, cut

    def differences(self, **more):
        """(results that differ, saturations that differ)"""
        results, cut = self.simulate(**more)
        digits = (self.s["OUT"] * self.s["LANES"] + 3) // 4
        want = [(a, b, "%0*x" % (digits, c)) for a, b, c in self.results]
        lanes = self.s["LANES"]
        wanted = {k: format(v, "0%db" % lanes) for k, v in self.saturated.items()}
        self.shown = next(((a, b) for a, b in zip(want, results) if a != b), None)
        return (sum(a != b for a, b in zip(want, results)) + abs(len(want) - len(results)),
                sum(wanted.get(k) != cut.get(k) for k in set(wanted) | set(cut)))


def resumed(name):
    """A stream goes on where it was stopped: states written, used and read back."""
    def run():
        with scratch() as folder:
            rng, s = cases_of(name, 0)
            s.update(LOAD=1)
            bench = Bench(folder, rng, name, s, steps=20, groups=2, resumed=True)
            wrong, cut = bench.differences()
            digits = (s["STATE"] * s["LANES"] + 3) // 4
            want = ["%0*x" % (digits, v) for v in bench.states]
            check(wrong == 0 and cut == 0, "%d results, %d saturations differ", wrong, cut)
            check(bench.read == want, "states %s, not %s", bench.read, want)
            return "%d results, %d states read" % (len(bench.results), len(want))
    suite.add("%s, resumed" % name, run, ["iverilog"])


# ---- faults, each of which the sound cases' shapes must notice
def without_effect(masks, mask, name):
    """Why a bit that is taken away must change nothing; None: it must be noticed."""
    if mask.startswith("ADDS_") and name not in ("lstm and gru", "lstm and ligru"):
        return "kept products are of one kind"
    if mask == "RESULT_A" and not masks["RESULT_P"] and masks[mask] & masks[mask] - 1:
        return "another pass has a as its result, and none has p"
    return None


def bit_is_noticed(name, mask, k):
    """In one of a few shapes: fractions may be such that the bit makes no difference in some."""
    for index in range(6):
        with scratch() as folder:
            rng, s = cases_of(name, index)
            try:
                if Bench(folder, rng, name, s, steps=12, groups=2).differences(flip=(mask, k)) != (0, 0):
                    return True
            except Failure:             # without a state, say, it is no core any more
                return True
    return False


def mask_faults(name):
    """Each bit that is set is taken away."""
    def run():
        masks, _ = masks_of(name)
        bits = [(m, k) for m in MASKS for k in range(len(PASSES[name]) + 1)
                if masks[m] >> k & 1 and not without_effect(masks, m, name)]
        missed = ["%s[%d]" % bit for bit in bits if not bit_is_noticed(name, *bit)]
        check(not missed, "%d of %d not noticed: %s", len(missed), len(bits), " ".join(missed))
        return "%d noticed" % len(bits)
    suite.add("mask bits of %s" % name, run, ["iverilog"])


# (what is wrong, cell, module, regular expression, replacement)
FAULTS = [
    ("held is written a cycle late", "lstm", "lg_cell", r"\.held_we_i\(valid_g && TO_HELD\[op_g\]\)",
     ".held_we_i(valid_u && TO_HELD[op_u])"),
    ("held goes to another neuron", "lstm", "lg_cell", r"\.neuron_g_i\(neuron_g\)", ".neuron_g_i(neuron_g3)"),
    ("kept is never written", "lstm", "lg_cell", r"\.kept_we_i\([^)]*\)", ".kept_we_i(1'b0)"),
    ("kept goes to another neuron", "lstm", "lg_cell", r"\.neuron_u_i\(neuron_u\)", ".neuron_u_i(neuron_u2)"),
    ("kept is cut", "coupled", "lg_cell", r"KEPT_KINDS\[1\] \? GATE \+ STATE", "KEPT_KINDS[1] ? GATE + STATE - 4"),
    ("state is never written", "gru before", "lg_cell", r"\.state_we_i\([^)]*\)", ".state_we_i(1'b0)"),
    ("state goes to another neuron", "gru before", "lg_cell", r": neuron_c;", ": neuron_u1;"),
    ("bounded goes to another neuron", "lstm", "lg_cell", r"\.neuron_tc_i\(neuron_tc\)", ".neuron_tc_i(neuron_c)"),
    ("bounded is never written", "lstm", "lg_cell", r"\.bounded_we_i\(bounded_u8\)", ".bounded_we_i(1'b0)"),
    ("late is never written", "gru after", "lg_cell", r"\.late_we_i\(late_u1\)", ".late_we_i(1'b0)"),
    ("late goes to another neuron", "gru after", "lg_cell", r"\.neuron_u1_i\(neuron_u1\)", ".neuron_u1_i(neuron_u)"),
    ("late is added to every row", "gru after", "lg_lane", r"\.use_late_i\(use_late_i\)", ".use_late_i(1'b1)"),
    ("late is half of what it is", "gru after", "lg_late", r"\.value_i\(product_i\[IN-1:0\]\)",
     ".value_i({product_i[IN-1], product_i[IN-1:1]})"),
    ("the copy of the state is never written", "lstm with peepholes", "lg_late", r"\.we_i\(state_we_i\)",
     ".we_i(1'b0)"),
    ("peepholes read another neuron", "lstm with peepholes", "lg_cell", r"\.neuron_p_i\(neuron_p\)",
     ".neuron_p_i(neuron_x1)"),
    ("peepholes see the last sequence's state", "lstm with peepholes", "lg_late", r"!clear_p_i \? state",
     "1'b1 ? state"),
    ("the state of the last sequence stays", "lstm", "lg_lane", r"!clear_i \? state_read", "1'b1 ? state_read"),
    ("sums are kept at another place", "lstm", "lg_cell", r"\.psum_waddr_i\(psum_x1\)", ".psum_waddr_i(psum_x3)"),
    ("kept sums are not used", "lstm", "lg_lane", r"use_psum_i \? psum : ", ""),
    ("rest is held", "ligru", "lg_lane", r"pick_rest_i \? ONE - held : held", "pick_rest_i ? held : held"),
    ("rest is one less", "coupled", "lg_lane", r"\? ONE - held", "? ONE - held - 1"),
    ("the half of the new state is left out", "lstm", "lg_lane", r" \+ HALF_C;", ";"),
    ("the half of a result is left out", "lstm", "lg_lane", r" \+ HALF_H;", ";"),
    ("halves are left out", "gru before", "lg_round", r" \+ HALF;", ";"),
    ("values wrap", "gru before", "lg_limit", r"assign held = fits \? value_i\[OUT-1:0\] : [^;]*;",
     "assign held = value_i[OUT-1:0];"),
    ("clips have no lower end", "lstm clipped", "lg_limit", r": clip_i && below \? BOTTOM", ""),
    ("relu lets negative rows through", "rnn relu", "lg_direct", r"relu_i && kept\[OUT-1\] \? [^:]* : ", ""),
    ("leaky rows are relu", "rnn leaky", "lg_direct", r"leaky_i \? wide\[OUT-1:0\] : ", ""),
    ("negative states pass relu", "lstm relu", "lg_bounded", r"relu_i && kept\[OUT-1\] \? [^:]* : ", ""),
    ("the second table is not picked", "lstm with four curves", "lg_activation", r"\{table_q, ", "{{PICK{1'b0}}, "),
    ("negative arguments are one too low", "lstm", "lg_activation", r"HALF_ODD \+ 1, MORE_SIGMOID = HALF_SIGMOID \+ 1", "HALF_ODD, MORE_SIGMOID = HALF_SIGMOID"),
    ("all products have one fraction", "lstm and ligru", "lg_align", r"assign value_o = [^;]*;",
     "assign value_o = wide << UP0; wire unused = inner ^ state;"),
    ("results of the state come at once", "gru after", "lg_lane", r"result_state_i \? s : h2", "h2"),
    ("saturated results are not told", "linear", "lg_lane", r"saturated_q <= cut_u \|\|", "saturated_q <="),
    ("saturated states are not told", "lstm and linear", "lg_cell",
     r"\(state_saturated & \{LANES\{state_u2\}\}\) \|", ""),
    ("a first state is zero", "gru before", "lg_lane", r": INIT != 0 \? init_i", ": 1'b0 ? init_i"),
]


def fault(what, name, module, pattern, replacement):
    def run():
        path = ROOT / "templates" / "cell" / (module + ".v")
        text, n = re.subn(pattern, replacement, path.read_text())
        check(n > 0, "%s has no text like %s", path.name, pattern)
        for index in range(6):
            with scratch() as folder, scratch() as spoilt:
                for other in (ROOT / "templates" / "cell").glob("*.v"):
                    pathlib.Path(spoilt, other.name).write_text(text if other == path else other.read_text())
                rng, s = cases_of(name, index)
                bench = Bench(folder, rng, name, s, steps=20, groups=2)
                wrong, cut = bench.differences(folders=[pathlib.Path(spoilt)] + FOLDERS[1:])
                if wrong or cut:
                    return "%d of %d results, %d saturations, shape %d" % (wrong, len(bench.results), cut, index)
        check(False, "nothing was noticed")
    suite.add("fault: %s" % what, run, ["iverilog"])


seed, long = 1, False


def cases_of(name, index):
    rng = random.Random("%s %d %d" % (name, index, seed))
    return rng, shape_of(rng, name)


def sound(name, index):
    def run():
        with scratch() as folder:
            rng, s = cases_of(name, index)
            bench = Bench(folder, rng, name, s, steps=20, groups=3)
            wrong, cut = bench.differences()
            check(wrong == 0 and cut == 0, "%d of %d results, %d saturations differ, first %s; %s", wrong,
                  len(bench.results), cut, bench.shown, s)
            return "%d results, %d saturations" % (len(bench.results), len(bench.saturated))
    suite.add("%s, shape %d" % (name, index), run, ["iverilog"])


MEMORIES = {"psum": "lstm", "held": "lstm", "kept": "lstm", "state": "gru before", "bounded": "lstm",
            "late": "gru after", "peep": "lstm with peepholes"}


def distance(memory, name, index):
    """Tiles as close as the table allows give the right bits; one cycle closer they do not."""
    def run():
        with scratch() as folder:
            for less in (None, memory):
                rng, s = cases_of(name, index)
                s.update(SHIFTS=1)
                bench = Bench(folder, rng, name, s, steps=60, groups=1, less=less, tight=True)
                if less is None:
                    wrong, cut = bench.differences()
                    check(wrong == 0 and cut == 0, "%d results, %d saturations differ, first %s", wrong, cut,
                          bench.shown)
                else:
                    wrong, _ = bench.differences()
                    check(wrong > 0, "nothing differs with %d cycles", distances(name, s, less)[memory])
            return "%d cycles, of which none can go" % distances(name, s)[memory]
    suite.add("distance of %s, shape %d" % (memory, index), run, ["iverilog"])


args = sys.argv[1:]
if args[:1] == ["--seed"]:
    seed, args = int(args[1]), args[2:]
if args[:1] == ["long"]:
    long, args = True, args[1:]
for name in PASSES:
    for index in range(12 if long else 2):
        sound(name, index)
for name in ("lstm", "gru after", "lstm with peepholes"):
    resumed(name)
for name in PASSES if long else ("lstm and ligru",):
    mask_faults(name)
for row in FAULTS:
    fault(*row)
for memory, name in MEMORIES.items():
    for index in range(8 if long else 2):
        distance(memory, name, index)

if __name__ == "__main__":
    suite.main(args)
