/* tb_stream.c: AXI4-Stream master for x and checking slave for the outputs. */
#include "tb.h"

#include <stdlib.h>
#include <string.h>

enum { S_TREADY = 1, M_TVALID = 2, M_TLAST = 4 };                            /* dut_flags */
enum { ARESETN = 1, S_TVALID = 2, S_TLAST = 4, S_TUSER = 8, M_TREADY = 16, S_TEND = 32 }; /* drive_flags */

Stream stream;

static vpiHandle dut_flags, dut_data, drive_flags, drive_data;
static uint32_t flags_out; /* what drive_flags holds, and what it gets at the next falling edge */
static uint32_t flags_next;
static s_vpi_vecval *data_next; /* NULL: drive_data stays */
static uint32_t axil_flags;

/* The output beat that was offered and not taken at the last edge: it must come again, unchanged.
 */
static bool held;
static uint32_t held_last;
static s_vpi_vecval *held_data;
static bool offered_before_input; /* said once per beat */
static int edges_in_reset;
static bool fresh; /* no step since reset: the first one begins a sequence without tuser */

/* ---------------------------------------------------------------- gaps and stalls */

typedef enum { ALWAYS, HALF, SPARSE, BURSTY, NEARLY, LONG, REGIMES } Regime;
typedef struct Throttle {
    Regime regime;
    bool on;
    int64_t change, run;
} Throttle;
static Throttle gaps, stalls;

static int64_t random_run(int64_t most)
{
    return 1 + (int64_t)(tb_random() % (uint32_t)most);
}

/* Whether this side may move in the next cycle. Runs of on and off in the bursty regimes, else a
 * coin per cycle. */
static bool throttle_open(Throttle *t)
{
    if (!stream.scale)
        return true;
    if (edge_now >= t->change) {
        t->regime = (Regime)(tb_random() % REGIMES);
        t->change = edge_now + random_run(2 * stream.scale);
        t->run = 0;
    }
    switch (t->regime) {
    case ALWAYS:
        return true;
    case HALF:
        return tb_random() & 1;
    case SPARSE:
        return tb_random() % 8 == 0;
    case NEARLY:
        return tb_random() % 8 != 0;
    default:
        break;
    }
    if (t->run-- <= 0) {
        t->on = !t->on;
        t->run = random_run(t->regime == BURSTY ? 16 : t->on ? 64 : 2 * stream.scale);
    }
    return t->on;
}

/* ---------------------------------------------------------------- signals */

bool stream_bind(void)
{
    dut_flags = tb_signal("dut_flags");
    dut_data = tb_signal("dut_data");
    drive_flags = tb_signal("drive_flags");
    drive_data = tb_signal("drive_data");
    stream.golden = config.y;
    held_data = calloc((size_t)config.words, sizeof *held_data);
    if (!dut_flags || !dut_data || !drive_flags || !drive_data || !held_data)
        return false;
    int bits = vpi_get(vpiSize, dut_data);
    if (bits == config.lanes * config.element_bits)
        return true;
    tb_error("tb_top has %d data bits, config.txt says %d lanes of %d bits", bits, config.lanes,
             config.element_bits);
    return false;
}

static s_vpi_vecval *read_vector(vpiHandle signal)
{
    s_vpi_value v = { .format = vpiVectorVal };
    vpi_get_value(signal, &v);
    return v.value.vector;
}

static void put_vector(vpiHandle signal, s_vpi_vecval *bits)
{
    s_vpi_value v = { .format = vpiVectorVal };
    v.value.vector = bits;
    vpi_put_value(signal, &v, NULL, vpiNoDelay);
}

uint32_t stream_axil_flags(void)
{
    return axil_flags;
}

void stream_reset(bool active)
{
    flags_next = active ? 0 : ARESETN;
    if (!active)
        return;
    fresh = true;
    stream.items = stream.sent = stream.received = stream.x_beat = stream.y_beat = 0;
    stream.total_steps = 0;
}

void stream_drive(void)
{
    if (data_next) {
        put_vector(drive_data, data_next);
        data_next = NULL;
    }
    if (flags_next != flags_out) {
        s_vpi_vecval bits = { .aval = (PLI_INT32)flags_next };
        put_vector(drive_flags, &bits);
        flags_out = flags_next;
    }
}

/* ---------------------------------------------------------------- phases */

/* To the next step that has a result. */
static void skip_silent(void)
{
    while (config.last && stream.received < stream.items && !stream.item[stream.received].last)
        stream.received++;
}

void stream_begin(Item *item, int items, int64_t scale)
{
    free(stream.item);
    free(stream.t);
    stream.item = item;
    stream.items = items;
    stream.scale = scale && scale < 16 ? 16 : scale;
    stream.blocked = stream.offering = false;
    stream.sent = stream.received = stream.x_beat = stream.y_beat = 0;
    stream.t = calloc((size_t)items + 1, sizeof *stream.t);
    stream.first_x = stream.last_x = stream.offered = -1;
    gaps = stalls = (Throttle) { ALWAYS, false, 0, 0 };
    skip_silent();
}

bool stream_done(void)
{
    return stream.received == stream.items && stream.sent == stream.items && !held;
}

void stream_waiting(char *text, size_t room)
{
    if (stream.sent < stream.items)
        snprintf(text, room,
                 "to send step %d of %d, beat %d of %d (s_axis_tvalid %d, s_axis_tready never 1), "
                 "and output step %d, beat %d",
                 stream.sent + 1, stream.items, stream.x_beat + 1, config.x_beats,
                 !!(flags_out & S_TVALID), stream.received + 1, stream.y_beat + 1);
    else
        snprintf(text, room,
                 "output step %d of %d, beat %d of %d (all x sent; m_axis_tvalid never 1)",
                 stream.received + 1, stream.items, stream.y_beat + 1, config.y_beats);
}

/* ---------------------------------------------------------------- x */

static int step_number(const Item *item)
{
    return config.first[item->sequence] + item->step;
}

/* The beat on the wires was taken: go to the next one. */
static void x_taken(void)
{
    tb_progress();
    if (stream.first_x < 0)
        stream.first_x = edge_now;
    if (++stream.x_beat < config.x_beats)
        return;
    stream.x_beat = 0;
    fresh = false;
    stream.sent++;
    stream.last_x = edge_now;
}

/* Chooses what to offer after this edge. A beat on offer stays until it is taken. */
static uint32_t x_next(bool taken)
{
    const uint32_t lines = S_TVALID | S_TLAST | S_TUSER | S_TEND;
    if ((flags_out & S_TVALID) && !taken)
        return flags_out & lines;
    if (stream.sent == stream.items || !throttle_open(&gaps))
        return 0;
    const Item *item = &stream.item[stream.sent];
    data_next =
        config.x + ((size_t)step_number(item) * config.x_beats + stream.x_beat) * config.words;
    bool last_beat = stream.x_beat == config.x_beats - 1;
    return S_TVALID | (last_beat ? S_TLAST : 0) | (last_beat && item->last ? S_TEND : 0) |
           (item->step == 0 && stream.x_beat == 0 && !fresh ? S_TUSER : 0);
}

/* ---------------------------------------------------------------- outputs */

/* A field of element_bits as hex digits; x or z where a bit of the digit is. */
static const char *field_text(const s_vpi_vecval *beat, int lane)
{
    static char text[16];
    int digits = config.element_bits / 4;
    for (int d = 0; d < digits; d++) {
        int at = lane * config.element_bits + 4 * (digits - 1 - d);
        unsigned a = (uint32_t)beat[at / 32].aval >> (at % 32) & 15,
                 b = (uint32_t)beat[at / 32].bval >> (at % 32) & 15;
        text[d] = b ? (a & b ? 'x' : 'z') : "0123456789abcdef"[a];
    }
    text[digits] = 0;
    return text;
}

static uint32_t field_value(const uint32_t *beat, int lane)
{
    int at = lane * config.element_bits;
    uint64_t wide = beat[at / 32];
    if (at % 32 + config.element_bits > 32)
        wide |= (uint64_t)beat[at / 32 + 1] << 32;
    wide >>= at % 32;
    return (uint32_t)(wide & ((UINT64_C(1) << config.element_bits) - 1));
}

static void report_differences(const s_vpi_vecval *got, const uint32_t *expected)
{
    for (int lane = 0; lane < config.lanes; lane++) {
        char wanted[16];
        uint32_t value = field_value(expected, lane);
        const char *text = field_text(got, lane);
        snprintf(wanted, sizeof wanted, "%0*x", config.element_bits / 4, value);
        if (strcmp(text, wanted))
            tb_mismatch(stream.item[stream.received], stream.y_beat * config.lanes + lane, value,
                        text);
    }
}

static void compare_beat(const s_vpi_vecval *got)
{
    const Item *item = &stream.item[stream.received];
    const uint32_t *expected =
        stream.golden + ((size_t)step_number(item) * config.y_beats + stream.y_beat) * config.words;
    uint32_t difference = 0;
    for (int w = 0; w < config.words; w++)
        difference |= ((uint32_t)got[w].aval ^ expected[w]) | (uint32_t)got[w].bval;
    int left = config.outputs - stream.y_beat * config.lanes;
    tb_compared(left < config.lanes ? left : config.lanes);
    if (difference)
        report_differences(got, expected);
}

/* The beat was transferred at this edge. */
static void y_taken(const s_vpi_vecval *data, bool last)
{
    tb_progress();
    compare_beat(data);
    bool want_last = stream.y_beat == config.y_beats - 1;
    if (last != want_last)
        tb_error("m_axis_tlast is %d on beat %d of %d of step %d", last, stream.y_beat + 1,
                 config.y_beats, stream.received);
    if (++stream.y_beat < config.y_beats)
        return;
    stream.y_beat = 0;
    stream.t[stream.received++] = edge_now;
    skip_silent();
    stream.last_two[0] = stream.last_two[1];
    stream.last_two[1] = edge_now;
    stream.total_steps++;
}

static bool same_data(const s_vpi_vecval *a, const s_vpi_vecval *b)
{
    for (int w = 0; w < config.words; w++)
        if (a[w].aval != b[w].aval || a[w].bval != b[w].bval)
            return false;
    return true;
}

static void check_held(bool valid, uint32_t last, const s_vpi_vecval *data)
{
    if (!valid)
        tb_error("m_axis_tvalid fell before the beat was taken (step %d, beat %d)", stream.received,
                 stream.y_beat);
    else if (last != held_last)
        tb_error("m_axis_tlast changed while m_axis_tready was 0 (step %d, beat %d)",
                 stream.received, stream.y_beat);
    else if (!same_data(data, held_data))
        tb_error("m_axis_tdata changed while m_axis_tready was 0 (step %d, beat %d)",
                 stream.received, stream.y_beat);
}

/* Checks what the core offers at this edge. `b`: the flags that are X or Z. */
static void y_sample(uint32_t a, uint32_t b)
{
    bool valid = a & M_TVALID & ~b, ready = flags_out & M_TREADY;
    stream.offering = valid;
    uint32_t last = (a | b) & M_TLAST;
    if (!valid) {
        if (held)
            check_held(false, last, NULL);
        held = false;
        return;
    }
    if (b & M_TLAST)
        tb_error("m_axis_tlast is X or Z while m_axis_tvalid is 1");
    const s_vpi_vecval *data = read_vector(dut_data);
    if (held)
        check_held(true, last, data);
    bool early = stream.received >= stream.sent;
    if (early && !offered_before_input)
        tb_error("an output beat was offered though only %d of %d steps were sent and %d came back",
                 stream.sent, stream.items, stream.received);
    offered_before_input = early;
    if (last && stream.offered < 0)
        stream.offered = edge_now;
    held = !ready;
    held_last = last;
    if (held)
        memcpy(held_data, data, (size_t)config.words * sizeof *data);
    else if (!early)
        y_taken(data, last != 0);
}

/* ---------------------------------------------------------------- one edge */

static void check_unknown(uint32_t b)
{
    if (b & S_TREADY)
        tb_error("s_axis_tready is X or Z");
    if (b & M_TVALID)
        tb_error("m_axis_tvalid is X or Z");
}

void stream_sample(void)
{
    s_vpi_vecval flags = read_vector(dut_flags)[0];
    uint32_t a = (uint32_t)flags.aval, b = (uint32_t)flags.bval;
    if (!(flags_out & ARESETN)) {
        if (edges_in_reset++ && (a | b) & ~(uint32_t)M_TLAST)
            tb_error("a valid or ready of the core is not 0 in reset (%02x)", (unsigned)(a | b));
        axil_flags = 0;
        held = false;
        return;
    }
    edges_in_reset = 0;
    if (b) {
        check_unknown(b);
        if (config.control && b & ~7u)
            tb_error("a ready or valid of s_axil is X or Z (%02x)", b & ~7u);
    }
    axil_flags = a & ~b;
    y_sample(a, b);
    bool taken = (flags_out & S_TVALID) && (a & S_TREADY & ~b);
    if (taken)
        x_taken();
    flags_next = ARESETN | x_next(taken) | (throttle_open(&stalls) && !stream.blocked ? M_TREADY : 0);
}
