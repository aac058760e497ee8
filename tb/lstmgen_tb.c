/* lstmgen_tb.c: the clock and the phases.
 *
 * RESET -> LOAD (loadable weights) -> IDENTIFY -> LATENCY (one step through an idle core) ->
 * MEASURE (back to back, always ready) -> BREAK (resets amid steps, some of one cycle) -> RAISED (with deltas: other
 * thresholds) -> STALL (random gaps and stalls). Each whole stream phase ends with a quiet time in
 * which nothing may come out, and with reads of the counters.
 */
#include "tb.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { RESET_EDGES = 16, QUIET_EDGES = 64, LOAD_ROOM = 16 };
enum { STATUS_BUSY = 1, STATUS_ENABLED = 2, STATUS_STREAM_ERROR = 4, CONTROL_START = 1 };
enum { REG_BEHIND = 0x50, REG_REPEATED = 0x100 }; /* no registers: behind the last one, and where an 8-bit address wraps */

int64_t edge_now;

static vpiHandle aclk;
static bool on_verilator;
static int phase;
static int64_t phase_edge, progress_edge, drained_edge;
static bool finished;

/* ---------------------------------------------------------------- services for the other files */

uint32_t tb_random(void)
{
    static uint64_t state;
    if (!state)
        state = config.seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(state * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}

void tb_progress(void)
{
    progress_edge = edge_now;
}

vpiHandle tb_signal(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "tb_top.%s", name);
    vpiHandle h = vpi_handle_by_name(path, NULL);
    if (!h)
        tb_error("the simulator does not show the signal %s", path);
    return h;
}

static void finish(void)
{
    if (finished)
        return;
    finished = true;
    report_verdict();
    /* On Verilator the simulation ends when no callback is left, and prints nothing. */
    if (!on_verilator)
        vpi_control(vpiFinish, 0);
}

/* ---------------------------------------------------------------- reset, load, identify */

/* A reset of one cycle is enough: half of them are. */
static int64_t reset_from, reset_edges;

static void reset_begin(void)
{
    stream_reset(true);
    reset_from = edge_now;
    reset_edges = tb_random() & 1 ? 1 : 1 + (int64_t)(tb_random() % RESET_EDGES);
}

static bool reset_done(void)
{
    if (edge_now < reset_from + reset_edges)
        return false;
    stream_reset(false);
    return true;
}

static struct {
    int memory, word, part;
    int64_t loaded;
} load;

/* Queues the next writes: how many parts a word has and its address where a run of words begins,
 * then 32 bits at a time. False at the end. */
static bool load_next(void)
{
    if (load.memory == config.n_memories)
        return false;
    const Memory *m = &config.memory[load.memory];
    if (load.word == m->words) {
        load.memory++;
        load.word = 0;
        return true;
    }
    bool run = load.word > 0 && m->address[load.word] == m->address[load.word - 1] + 1;
    if (load.part == 0 && !run) {
        axil_write(REG_LOAD_PARTS, (uint32_t)m->parts);
        axil_write(REG_LOAD_ADDRESS, (uint32_t)m->select << 20 | (uint32_t)m->address[load.word]);
    }
    axil_write(REG_LOAD_DATA, m->data[(size_t)load.word * (size_t)m->parts + (size_t)load.part]);
    if (++load.part == m->parts) {
        load.part = 0;
        load.word++;
        load.loaded++;
    }
    return true;
}

static void load_begin(void)
{
}

static bool load_done(void)
{
    if (!config.loadable)
        return true;
    bool more = true;
    while (more && axil_room() >= LOAD_ROOM)
        more = load_next();
    if (more || !axil_idle())
        return false;
    printf("loaded %" PRId64 " words into %d memories in %" PRId64 " cycles\n", load.loaded,
           config.n_memories, edge_now - phase_edge);
    return true;
}

static void expect_register(const char *name, uint32_t got, uint32_t expected)
{
    if (got != expected)
        tb_error("register %s is 0x%08x, expected 0x%08x", name, (unsigned)got, (unsigned)expected);
}

static void check_id(uint32_t v)
{
    expect_register("ID", v, ID_VALUE);
}
static void check_version(uint32_t v)
{
    expect_register("VERSION", v, config.version);
}
static void check_hash(uint32_t v)
{
    expect_register("SPEC_HASH", v, config.spec_hash);
}
static void check_no_steps(uint32_t v)
{
    expect_register("STEPS", v, 0);
}
static void check_no_saturations(uint32_t v)
{
    expect_register("SATURATIONS", v, 0);
}
static void check_idle(uint32_t v)
{
    if (v & STATUS_BUSY)
        tb_error("STATUS says busy though every step is out and nothing is under way");
    if (v & STATUS_STREAM_ERROR)
        tb_error("STATUS says that tlast was not on the last beat of a step, though it always was");
}

static void check_zero(uint32_t v)
{
    expect_register("that does not exist", v, 0);
}
static void check_cycles_high(uint32_t v)
{
    expect_register("CYCLES_HI", v, (uint32_t)(edge_now >> 32));
}
static void check_enabled(uint32_t v)
{
    expect_register("STATUS (its bit ENABLED)", v & STATUS_ENABLED, STATUS_ENABLED);
}

/* Words beyond the memories, which are loaded by now. */
static void load_beyond(void)
{
    const Memory *first = &config.memory[0], *end = &config.memory[config.n_memories - 1];
    axil_write(REG_LOAD_ADDRESS, (uint32_t)(end->select + 1) << 20);
    axil_write_bytes(REG_LOAD_DATA, 0, 0xF, true);
    axil_write(REG_LOAD_ADDRESS, (uint32_t)first->select << 20 | (uint32_t)first->depth);
    axil_write_bytes(REG_LOAD_DATA, 0, 0xF, true);
}

/* What is no register reads 0 and writes nothing, nor do bytes without their strobe. */
static void probe(void)
{
    axil_read(REG_BEHIND, check_zero);
    axil_read(REG_REPEATED + REG_ID, check_zero);
    axil_write(REG_REPEATED + REG_CONTROL, 0);
    axil_write_bytes(REG_CONTROL, 0, 0xE, false);
    axil_read(REG_STATUS, check_enabled);
    axil_read(REG_CYCLES, NULL);
    axil_read(REG_CYCLES_HI, check_cycles_high);
    if (config.arrays) {
        axil_write_bytes(REG_DELTA_X, ~config.setting[0].threshold_x, 0, false);
        axil_write(REG_REPEATED + REG_DELTA_H, ~config.setting[0].threshold_h);
        delta_check_thresholds();
    }
}

static void identify_begin(void)
{
    if (!config.control)
        return;
    axil_read(REG_ID, check_id);
    if (config.has_version)
        axil_read(REG_VERSION, check_version);
    if (config.has_spec_hash)
        axil_read(REG_SPEC_HASH, check_hash);
    axil_read(REG_STATUS, check_idle);
    axil_read(REG_STEPS, check_no_steps);
    axil_read(REG_SATURATIONS, check_no_saturations);
    if (config.arrays)
        delta_check_thresholds();
    if (config.loadable && config.n_memories)
        load_beyond();
    axil_write(REG_CONTROL, CONTROL_START);
    probe();
}

/* ---------------------------------------------------------------- stream phases */

static Item *new_items(int n)
{
    Item *item = calloc((size_t)n, sizeof *item);
    if (!item) {
        printf("FAIL: out of memory\n");
        exit(1);
    }
    return item;
}

static int limited(int n)
{
    int least = config.last_steps + 2; /* an interval needs two steps that count */
    return config.limit_steps && n > config.limit_steps
               ? (config.limit_steps > least ? config.limit_steps : least)
               : n;
}

static void latency_begin(void)
{
    Item *item = new_items(1);
    item[0].last = true;
    stream_begin(item, 1, 0);
}

/* The steps between whose results the interval is measured. Not the last steps: with no input behind them, a
 * result may overtake what else would be done. */
static int window_end(int items)
{
    return items - 1 - config.last_steps;
}

static int window_start(int items)
{
    int end = window_end(items);
    return (items / 2 < end ? items / 2 : end) - 1;
}

/* All sequences in order, as often as needed for min_measure_steps. */
static void measure_begin(void)
{
    int rounds = (config.min_measure_steps + config.steps - 1) / config.steps;
    int whole = rounds * config.steps, n = limited(whole);
    measured.rounds = n == whole ? rounds : 0;
    Item *item = new_items(n);
    for (int k = 0, s = 0, t = 0; k < n; k++) {
        item[k] = (Item) { s, t, k == n - 1 || t == config.length[s] - 1 };
        if (++t == config.length[s]) {
            t = 0;
            s = (s + 1) % config.sequences;
        }
    }
    item[window_start(n)].last = item[window_end(n)].last = true;
    stream_begin(item, n, 0);
}

/* Cycles of silence after the last output: long enough for work begun ahead to end and for a wrong
 * beat to show. */
static int64_t quiet_cycles(void)
{
    int64_t step =
        config.predicted_interval > measured.latency ? config.predicted_interval : measured.latency;
    return QUIET_EDGES +
           2 * (step > (int64_t)measured.interval ? step : (int64_t)measured.interval);
}

/* Steps that a reset breaks off at a random time: nothing of them may show afterwards, though what follows begins at
 * once. Three times: amid a flow of steps, amid gaps and stalls and the beats of a step of x, and while nothing is taken
 * from the core, so that a beat is on offer and everything is full. */
static int64_t break_edge;
static bool broken;
static int breaks;
enum { STALLED = 1, BLOCKED };

static void break_begin(void)
{
    int n = breaks == STALLED ? 8 : 3, s = (int)(tb_random() % (uint32_t)config.sequences);
    Item *item = new_items(n);
    for (int k = 0; k < n; k++)
        item[k] = (Item) { s, k % config.length[s], breaks == BLOCKED || tb_random() & 1 };
    stream_begin(item, n, breaks == STALLED ? (int64_t)measured.interval + 16 : 0);
    stream.blocked = breaks == BLOCKED;
    broken = false;
    break_edge = edge_now + 1 +
                 (int64_t)(tb_random() % (uint32_t)(QUIET_EDGES + 2 * (int64_t)measured.interval));
    if (config.loadable)
        axil_write(REG_CONTROL, CONTROL_START);
}

/* Whether the core is where this reset is to meet it; not for ever, since some cores never are. */
static bool at_break(void)
{
    if (edge_now < break_edge || edge_now > break_edge + quiet_cycles())
        return edge_now > break_edge;
    return breaks == BLOCKED ? stream.offering : breaks == STALLED ? stream.x_beat > 0 : true;
}

static bool break_done(void)
{
    if (broken)
        return reset_done();
    if (!axil_idle())
        return false;
    tb_progress();
    if (at_break()) {
        broken = true;
        breaks++;
        reset_begin();
        delta_reset();
    }
    return false;
}

/* Sequences chosen at random, each broken off at a random step: a restart must forget everything. */
static void begin_broken_off(int steps, int64_t scale)
{
    int n = limited(steps), k = 0;
    Item *item = new_items(n + 1);
    while (k < n) {
        int s = (int)(tb_random() % (uint32_t)config.sequences);
        int length = 1 + (int)(tb_random() % (uint32_t)config.length[s]);
        for (int t = 0; t < length && k < n; t++)
            item[k++] = (Item) { s, t, t == length - 1 && (length == config.length[s] || tb_random() & 1) };
    }
    item[n - 1].last = true;
    stream_begin(item, n, scale);
}

static void raised_begin(void)
{
    if (config.arrays)
        begin_broken_off(config.stall_steps, 0);
}

static void stall_begin(void)
{
    begin_broken_off(config.stall_steps, (int64_t)measured.interval + 16);
    axil_slow(true);
}

static bool drained(void)
{
    if (!stream_done()) {
        drained_edge = -1;
        return false;
    }
    if (drained_edge < 0)
        drained_edge = edge_now;
    if (edge_now < drained_edge + quiet_cycles()) {
        tb_progress();
        return false;
    }
    return true;
}

static bool latency_done(void)
{
    if (stream_done() && !measured.latency_done) {
        measured.latency = stream.offered - stream.last_x;
        measured.latency_done = true;
    }
    return drained();
}

static bool measure_done(void)
{
    if (stream_done() && !measured.measure_done) {
        int k = stream.items, from = window_start(k), to = window_end(k);
        measured.interval = (double)(stream.t[to] - stream.t[from]) / (to - from);
        measured.steps = k;
        measured.total = stream.t[k - 1] - stream.first_x + 1;
        measured.measure_done = true;
    }
    return drained();
}

/* ---------------------------------------------------------------- counters */

static uint32_t steps_low, cycles_seen, saturations_before;

static void check_steps(uint32_t v)
{
    expect_register("STEPS", v, (uint32_t)stream.total_steps);
}
static void check_latency(uint32_t v)
{
    expect_register("LATENCY", v, (uint32_t)measured.latency);
}
static void check_interval(uint32_t v)
{
    expect_register("INTERVAL", v, (uint32_t)(stream.last_two[1] - stream.last_two[0]));
}

static void check_cycles(uint32_t v)
{
    if (v == 0 && stream.total_steps)
        tb_error("register CYCLES is 0 after %" PRId64 " steps", stream.total_steps);
    if ((int32_t)(v - cycles_seen) < 0)
        tb_error("register CYCLES went back from %u to %u", (unsigned)cycles_seen, (unsigned)v);
    cycles_seen = v;
}

/* While steps flow: no less than were out one step before the read began, no more than are out now.
 */
static void check_steps_running(uint32_t v)
{
    if (v + 1 < steps_low || v > (uint32_t)stream.total_steps)
        tb_error("register STEPS is %u; %u steps were out when the read began, %" PRId64 " are now",
                 (unsigned)v, (unsigned)steps_low, stream.total_steps);
}

static void note_saturations(uint32_t v)
{
    saturations_before = v;
}

static void check_saturations(uint32_t v)
{
    int64_t counted = (uint32_t)(v - saturations_before);
    if (!measured.rounds)
        return;
    measured.saturations = counted / measured.rounds;
    measured.saturations_known = true;
    if (config.golden_saturations >= 0 && counted != config.golden_saturations * measured.rounds)
        tb_error("register SATURATIONS counted %" PRId64 ", expected %" PRId64, counted,
                 config.golden_saturations * measured.rounds);
}

static void after_break(void)
{
    cycles_seen = 0;
    if (!config.control)
        return;
    axil_read(REG_STATUS, check_idle);
    axil_read(REG_STEPS, check_no_steps);
    axil_read(REG_SATURATIONS, check_no_saturations);
    if (config.arrays)
        delta_read(NULL);
    axil_write(REG_CONTROL, CONTROL_START);
}

/* `delta`: where the counters of a core with deltas go, or NULL. */
static void read_counters(ReadDone saturations, DeltaCounts *delta)
{
    if (!config.control)
        return;
    axil_read(REG_STATUS, check_idle);
    axil_read(REG_STEPS, check_steps);
    axil_read(REG_CYCLES, check_cycles);
    if (stream.total_steps > 1)
        axil_read(REG_INTERVAL, check_interval);
    if (saturations)
        axil_read(REG_SATURATIONS, saturations);
    if (config.arrays) {
        delta_add(stream.item, stream.items);
        delta_read(delta);
    }
}

static void after_latency(void)
{
    if (config.control)
        axil_read(REG_LATENCY, check_latency);
    read_counters(note_saturations, NULL);
}

static void after_measure(void)
{
    read_counters(check_saturations, &measured.delta[0]);
}

static void before_raised(void)
{
    if (config.arrays)
        delta_set(1);
}

static void after_raised(void)
{
    if (!config.arrays)
        return;
    read_counters(NULL, &measured.delta[1]);
    delta_set(0);
}

static void after_stall(void)
{
    read_counters(NULL, NULL);
}

static bool raised_done(void)
{
    return !config.arrays || drained();
}

static bool stall_done(void)
{
    if (config.control && !stream_done() && axil_idle() && tb_random() % 64 == 0) {
        steps_low = (uint32_t)stream.total_steps;
        axil_read(REG_STEPS, check_steps_running);
        axil_read(REG_CYCLES, check_cycles);
    }
    return drained() && axil_idle();
}

/* ---------------------------------------------------------------- phases and clock */

static const struct Phase {
    const char *name;
    void (*begin)(void);
    bool (*done)(void);
} phases[] = {
    { "RESET", reset_begin, reset_done },
    { "LOAD", load_begin, load_done },
    { "IDENTIFY", identify_begin, axil_idle },
    { "LATENCY", latency_begin, latency_done },
    { "LATENCY counters", after_latency, axil_idle },
    { "MEASURE", measure_begin, measure_done },
    { "MEASURE counters", after_measure, axil_idle },
    { "BREAK", break_begin, break_done },
    { "BREAK", break_begin, break_done },
    { "BREAK", break_begin, break_done },
    { "BREAK counters", after_break, axil_idle },
    { "THRESHOLDS", before_raised, axil_idle },
    { "RAISED", raised_begin, raised_done },
    { "RAISED counters", after_raised, axil_idle },
    { "STALL", stall_begin, stall_done },
    { "STALL counters", after_stall, axil_idle },
};
enum { PHASES = sizeof phases / sizeof *phases };

const char *tb_phase(void)
{
    return phase < PHASES ? phases[phase].name : "end";
}

static void begin_phase(void)
{
    phase_edge = edge_now;
    drained_edge = -1;
    tb_progress();
    phases[phase].begin();
}

static void check_timeout(void)
{
    int64_t patience = config.timeout_cycles + 8 * stream.scale;
    if (edge_now - progress_edge <= patience)
        return;
    char text[256];
    if (axil_idle())
        stream_waiting(text, sizeof text);
    else
        axil_waiting(text, sizeof text);
    tb_error("nothing moved for %" PRId64 " cycles; waiting for %s", patience, text);
    finish();
}

/* Right before a rising edge. */
static void sample(void)
{
    edge_now++;
    stream_sample();
    if (config.control)
        axil_sample(stream_axil_flags());
    while (!finished && phases[phase].done()) {
        if (++phase == PHASES)
            finish();
        else
            begin_phase();
    }
    if (!finished)
        check_timeout();
}

static PLI_INT32 on_half_period(p_cb_data data);

static void after_half_period(void)
{
    static s_vpi_time delay = { .type = vpiSimTime, .low = HALF_PERIOD };
    static s_vpi_value none = { .format = vpiSuppressVal };
    static s_cb_data request = {
        .reason = cbAfterDelay, .cb_rtn = on_half_period, .time = &delay, .value = &none
    };
    vpiHandle h = vpi_register_cb(&request);
    if (on_verilator) /* vvp frees a callback that has run; Verilator leaves its handle to us */
        vpi_free_object(h);
}

static PLI_INT32 on_half_period(p_cb_data data)
{
    (void)data;
    static bool high;
    if (!high)
        sample();
    if (finished)
        return 0;
    high = !high;
    s_vpi_value v = { .format = vpiIntVal };
    v.value.integer = high;
    vpi_put_value(aclk, &v, NULL, vpiNoDelay);
    if (!high) {
        stream_drive();
        if (config.control)
            axil_drive();
    }
    after_half_period();
    return 0;
}

static void name_simulator(void)
{
    s_vpi_vlog_info info;
    memset(&info, 0, sizeof info);
    vpi_get_vlog_info(&info);
    on_verilator = info.product && !strncmp(info.product, "Verilator", 9);
    const char *version = info.version ? info.version : "";
    version += strcspn(version, "0123456789");
    snprintf(measured.simulator, sizeof measured.simulator, "%s %.*s",
             on_verilator ? "verilator" : "icarus", (int)strcspn(version, " "), version);
}

static PLI_INT32 on_start(p_cb_data data)
{
    (void)data;
    name_simulator();
    const char *bad = config_load("tb/config.txt");
    if (bad)
        tb_error("%s", bad);
    aclk = tb_signal("aclk");
    if (bad || !aclk || !stream_bind() || (config.control && !axil_bind())) {
        finish();
        return 0;
    }
    begin_phase();
    after_half_period();
    return 0;
}

static void start(void)
{
    static s_cb_data request = { .reason = cbStartOfSimulation, .cb_rtn = on_start };
    vpi_register_cb(&request);
}

void (*vlog_startup_routines[])(void) = { start, NULL };
