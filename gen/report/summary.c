/* summary.c: the dozen lines that say what was built, what it costs, how fast and how exact it is.
 * The terminal and the head of report.md show the same lines. Each is made from the report's
 * object; absent values make absent lines. */
#include "report/report.h"

#include <string.h>

typedef struct Source { Arena *arena; const json_t *report; } Source;

static const char *text_at(const Source *s, const char *path)
{
    const char *text = value_text(s->arena, s->report, path);
    return text ? text : "";
}

static double number_at(const Source *s, const char *path)
{
    return value_number(s->report, path);
}

static bool has(const Source *s, const char *path)
{
    return value_at(s->report, path) != NULL;
}

static const char *row_network(const Source *s)
{
    Buffer b;
    buffer_init(&b, s->arena);
    for (size_t i = 0; i < json_array_size(value_at(s->report, "network")); i++) {
        const json_t *layer = json_array_get(value_at(s->report, "network"), i);
        const char *activation = value_text(s->arena, layer, "activation");
        const char *word = activation && strcmp(activation, "none") != 0 ? activation : "";
        buffer_print(&b, "%s%s %s -> %s%s%s", i ? ", " : "", value_text(s->arena, layer, "cell"),
                     value_text(s->arena, layer, "inputs"), value_text(s->arena, layer, "hidden"),
                     *word ? " " : "", word);
    }
    return b.text;
}

static const char *row_pattern(const Source *s)
{
    double kept = number_at(s, "macs.kept"), dense = number_at(s, "macs.dense");
    return str_format(s->arena, "%s: %s of %s weights kept (%.1f %%)", text_at(s, "pattern"),
                      text_at(s, "macs.kept"), text_at(s, "macs.dense"),
                      dense > 0 ? 100 * kept / dense : 0);
}

static const char *row_choice(const Source *s)
{
    return has(s, "choice") ? text_at(s, "choice") : NULL;
}

static const char *row_engine(const Source *s)
{
    return str_format(s->arena, "%s PEs x %s multipliers = %s, and %s in the cell unit; weights %s",
                      text_at(s, "engine.pes"), text_at(s, "engine.pe_width"),
                      text_at(s, "multipliers.engine"), text_at(s, "multipliers.cell"),
                      text_at(s, "engine.weights"));
}

static const char *row_stream(const Source *s)
{
    return str_format(s->arena,
                      "%s element(s) of %s bits per beat; %s in, %s out per step; registers: %s",
                      text_at(s, "interface.lanes"), text_at(s, "interface.element_bits"),
                      text_at(s, "interface.inputs"), text_at(s, "interface.outputs"),
                      text_at(s, "interface.control"));
}

static const char *row_cycles(const Source *s)
{
    return str_format(s->arena, "interval %s a step predicted (minimum %s), latency %s",
                      text_at(s, "cycles.interval"), text_at(s, "cycles.minimum"),
                      text_at(s, "cycles.latency"));
}

static const char *row_measured(const Source *s)
{
    if (!has(s, "measured"))
        return NULL;
    bool same = json_equal(value_at(s->report, "cycles.interval"),
                           value_at(s->report, "measured.interval")) &&
                json_equal(value_at(s->report, "cycles.latency"),
                           value_at(s->report, "measured.latency"));
    return str_format(s->arena, "interval %s, latency %s: %s; %s steps in %s cycles, %s",
                      text_at(s, "measured.interval"), text_at(s, "measured.latency"),
                      same ? "as predicted" : "NOT as predicted", text_at(s, "measured.steps"),
                      text_at(s, "measured.total"), text_at(s, "measured.simulator"));
}

static const char *row_speed(const Source *s)
{
    double mhz = number_at(s, "clock_mhz");
    double interval = number_at(s, has(s, "measured") ? "measured.interval" : "cycles.interval");
    double latency = number_at(s, has(s, "measured") ? "measured.latency" : "cycles.latency");
    if (interval <= 0 || mhz <= 0)
        return NULL;
    double dense_gops = 2 * number_at(s, "macs.dense") * mhz / interval / 1000;
    return str_format(
        s->arena,
        "%.4g us a step (%.4g us latency) at %g MHz, as fast as %.3g dense Gop/s; multipliers "
        "used %.1f %%",
        interval / mhz, latency / mhz, mhz, dense_gops, 100 * number_at(s, "use"));
}

static const char *row_clock(const Source *s)
{
    if (!has(s, "fmax_mhz"))
        return NULL;
    const char *seeds = number_at(s, "placement.seeds") < 2
                            ? "one seed"
                            : str_format(s->arena, "median of %s seeds, %s to %s", text_at(s, "placement.seeds"),
                                         text_at(s, "placement.worst_mhz"), text_at(s, "placement.best_mhz"));
    return str_format(s->arena, "%s MHz placed and routed (%s; %s): %s us a step", text_at(s, "fmax_mhz"), seeds,
                      text_at(s, "placement.tool"), text_at(s, "us_per_step"));
}

static const char *row_path(const Source *s)
{
    const json_t *path = value_at(s->report, "critical_path");
    size_t n = json_array_size(path);
    if (n == 0)
        return NULL;
    return str_format(s->arena, "%s ns of logic and %s of routing: %s to %s", text_at(s, "placement.logic_ns"),
                      text_at(s, "placement.routing_ns"), value_text(s->arena, json_array_get(path, 0), "from"),
                      value_text(s->arena, json_array_get(path, n - 1), "to"));
}

static const char *row_memory(const Source *s)
{
    double bits = number_at(s, "memory.weight_bits") + number_at(s, "memory.index_bits");
    return str_format(
        s->arena,
        "weights %.1f kbit (indices %.1f); %s bits per kept weight, bound %s; vectors %.1f kbit",
        bits / 1024, number_at(s, "memory.index_bits") / 1024,
        text_at(s, "memory.bits_per_kept_weight"), text_at(s, "memory.bound_bits_per_kept_weight"),
        number_at(s, "memory.vector_bits") / 1024);
}

/* "9,012 LUT, 8,110 FF, ..." of the object `key`. */
static const char *usage_text(const Source *s, const char *key)
{
    static const char *const NAMES[][2] = {
        { "lut", "LUT" },           { "ff", "FF" }, { "dsp", "DSP" }, { "bram", "BRAM" },
        { "lutram", "LUT as RAM" },
    };
    Buffer b;
    buffer_init(&b, s->arena);
    for (int i = 0; i < LENGTH(NAMES); i++)
        buffer_print(&b, "%s%s %s", i ? ", " : "",
                     text_at(s, str_format(s->arena, "%s.%s", key, NAMES[i][0])), NAMES[i][1]);
    return b.text;
}

static const char *row_resources(const Source *s)
{
    if (!has(s, "resources"))
        return NULL;
    const char *fits = !has(s, "resources.fits") ? ""
                       : json_is_true(value_at(s->report, "resources.fits"))
                           ? str_format(s->arena, "; fits %s", text_at(s, "part"))
                           : str_format(s->arena, "; DOES NOT FIT %s", text_at(s, "part"));
    return str_format(s->arena, "%s (%s)%s", usage_text(s, "resources"),
                      text_at(s, "resources.source"), fits);
}

static const char *row_estimate(const Source *s)
{
    return has(s, "resources_estimate") ? usage_text(s, "resources_estimate") : NULL;
}

static const char *row_proof(const Source *s)
{
    if (!has(s, "verify.mismatches"))
        return NULL;
    bool pass = json_is_true(value_at(s->report, "verify.pass"));
    return str_format(s->arena, "%s: %s mismatches in %s output elements compared",
                      pass ? "PASS" : "FAIL", text_at(s, "verify.mismatches"),
                      text_at(s, "verify.compared"));
}

static void add_snr(const Source *s, Buffer *b, const char *path, const char *meaning)
{
    if (!has(s, path))
        return;
    double db = number_at(s, path);
    buffer_print(b, "%s", b->length ? "; " : "");
    if (db >= 999)
        buffer_print(b, "equal");
    else
        buffer_print(b, "%.1f dB", db);
    buffer_print(b, " %s", meaning);
}

static const char *row_snr(const Source *s)
{
    Buffer b;
    buffer_init(&b, s->arena);
    add_snr(s, &b, "verify.expect_snr_db", "against verify.expect");
    add_snr(s, &b, "verify.snr_db", "against the float network");
    add_snr(s, &b, "verify.prune_snr_db", "pruned against unpruned, both float");
    const char *input = json_string_value(value_at(s->report, "verify.input"));
    buffer_print(&b, "; %s values saturated", text_at(s, "verify.saturations"));
    if (input && strcmp(input, "made") == 0)
        buffer_print(&b, " (no verify.input: made-up noise)");
    return b.text;
}

static const char *row_accuracy(const Source *s)
{
    if (!has(s, "accuracy"))
        return NULL;
    return str_format(s->arena, "hardware %.2f %%, float %.2f %%, of %s labelled sequences",
                      number_at(s, "accuracy.hardware"), number_at(s, "accuracy.float"),
                      text_at(s, "accuracy.labels"));
}

static const char *row_padding(const Source *s)
{
    double slots = number_at(s, "macs.kept") + number_at(s, "padding.macs_lost");
    double lost = number_at(s, "padding.macs_lost");
    return str_format(s->arena,
                      "%s multiplier slots a step idle for sizes that do not divide (%.1f %%); %s "
                      "lanes never used",
                      text_at(s, "padding.macs_lost"), slots > 0 ? 100 * lost / slots : 0,
                      text_at(s, "padding.lanes_idle"));
}

int report_summary(Arena *a, const json_t *report, SummaryRow out[SUMMARY_MAX])
{
    static const struct {
        const char *label;
        const char *(*text)(const Source *s);
    } ROWS[] = {
        { "network", row_network },   { "pattern", row_pattern },   { "choice", row_choice },
        { "engine", row_engine },
        { "stream", row_stream },     { "cycles", row_cycles },     { "measured", row_measured },
        { "speed", row_speed },       { "clock", row_clock },       { "path", row_path },
        { "memory", row_memory },         { "resources", row_resources },
        { "estimate", row_estimate }, { "padding", row_padding },   { "proof", row_proof },
        { "exactness", row_snr },     { "accuracy", row_accuracy },
    };
    _Static_assert(LENGTH(ROWS) <= SUMMARY_MAX, "room for every row");
    Source s = { a, report };
    int n = 0;
    for (int i = 0; i < LENGTH(ROWS); i++) {
        const char *text = ROWS[i].text(&s);
        if (text)
            out[n++] = (SummaryRow){ ROWS[i].label, text };
    }
    return n;
}

/* For people at a terminal: a head line, then label and text. Warnings are not repeated: they went
 * to stderr. */
void report_print(const json_t *report, FILE *to)
{
    Arena *scratch = arena_new();
    SummaryRow rows[SUMMARY_MAX];
    int n = report_summary(scratch, report, rows);
    fprintf(to, "%s for %s\n", value_text(scratch, report, "name"),
            value_text(scratch, report, "part"));
    for (int i = 0; i < n; i++)
        fprintf(to, "  %-10s %s\n", rows[i].label, rows[i].text);
    arena_free(scratch);
}
