/* markdown.c: report.md, printed from the report's object. Tables and short sentences; a section
 * without figures is left out. */
#include "report/report.h"

#include <math.h>
#include <string.h>

typedef struct Page { Arena *arena; const json_t *report; Buffer out; } Page;

static const char *cell(const Page *p, const json_t *o, const char *path)
{
    const char *text = value_text(p->arena, o, path);
    return text ? text : "";
}

static void begin_table(Page *p, const char *title, const char *head, const char *align)
{
    buffer_print(&p->out, "\n## %s\n\n%s\n%s\n", title, head, align);
}

static void put_glance(Page *p)
{
    SummaryRow rows[SUMMARY_MAX];
    int n = report_summary(p->arena, p->report, rows);
    begin_table(p, "At a glance", "| what | |", "| --- | --- |");
    for (int i = 0; i < n; i++)
        buffer_print(&p->out, "| %s | %s |\n", rows[i].label, text_markdown(p->arena, rows[i].text));
}

/* What a pattern keeps, in the unit in which it chooses. */
static const char *keep_text(const Page *p, const json_t *m)
{
    const char *keep = cell(p, m, "keep_per_bank"), *gate;
    json_t *gates = json_object_get(m, "keep_per_gate"), *value;
    if (gates)
        keep = "";
    json_object_foreach (gates, gate, value)
        keep = str_format(p->arena, "%s%s%s %s", keep, *keep ? ", " : "", gate,
                          cell(p, gates, gate));
    if (value_at(m, "keep_per_sub_column"))
        return str_format(p->arena, "%s of the %s rows of a PE in each column", cell(p, m, "keep_per_sub_column"),
                          cell(p, m, "rows_of_pe"));
    if (value_at(m, "keep_per_row"))
        return str_format(p->arena, "%s of each row", value_at(m, "keep_per_gate") ? keep : cell(p, m, "keep_per_row"));
    return str_format(p->arena, "%s of each row in each of %s banks", keep, cell(p, m, "banks"));
}

static void put_matrix(Page *p, size_t l, const char *name, const json_t *m)
{
    if (!m)
        return;
    double kept = value_number(m, "kept"), stored = value_number(m, "stored");
    double all = value_number(m, "rows") * value_number(m, "columns");
    buffer_print(&p->out, "| %zu %s | %s | %s x %s | %s (%.1f %%) | %s | %.1f %% |\n", l,
                 name, cell(p, m, "pattern"), cell(p, m, "rows"), cell(p, m, "columns"),
                 cell(p, m, "kept"), 100 * kept / all, keep_text(p, m),
                 stored > 0 ? 100 * (stored - kept) / stored : 0);
}

static void put_matrices(Page *p)
{
    const json_t *layers = value_at(p->report, "network");
    begin_table(p, "Matrices",
                "| layer | pattern | rows x columns | kept | at most | padding |",
                "| --- | --- | --- | --- | --- | --- |");
    for (size_t l = 0; l < json_array_size(layers); l++) {
        static const char *const names[] = { "W", "W'", "R", "R'", "P" };
        for (int k = 0; k < LENGTH(names); k++)
            put_matrix(p, l, names[k], json_object_get(json_array_get(layers, l), names[k]));
    }
}

/* What the cell unit does with a neuron's rows, in their order (`lstmgen cells` says more). */
static void put_passes(Page *p)
{
    const json_t *layers = value_at(p->report, "network");
    begin_table(p, "Passes of a neuron", "| layer | cell | passes |", "| --- | --- | --- |");
    for (size_t l = 0; l < json_array_size(layers); l++) {
        const json_t *layer = json_array_get(layers, l), *passes = json_object_get(layer, "passes");
        buffer_print(&p->out, "| %zu | %s | ", l, cell(p, layer, "cell"));
        for (size_t k = 0; k < json_array_size(passes); k++)
            buffer_print(&p->out, "%s%s", k ? "<br>" : "", json_string_value(json_array_get(passes, k)));
        buffer_print(&p->out, " |\n");
    }
}

static void put_speed(Page *p)
{
    bool measured = value_at(p->report, "measured") != NULL;
    begin_table(p, "Speed", "| cycles | minimum | predicted | measured |",
                "| --- | --- | --- | --- |");
    buffer_print(&p->out, "| between steps (interval) | %s | %s | %s |\n",
                 cell(p, p->report, "cycles.minimum"), cell(p, p->report, "cycles.interval"),
                 measured ? cell(p, p->report, "measured.interval") : "not yet");
    buffer_print(&p->out, "| last x beat to last output beat (latency) | | %s | %s |\n",
                 cell(p, p->report, "cycles.latency"),
                 measured ? cell(p, p->report, "measured.latency") : "not yet");
    buffer_print(&p->out, "\nMinimum: kept weights / engine multipliers. Interval: inputs waiting, "
                          "output taken at once; "
                          "latency: from an idle core.\n");
}

static void put_schedule(Page *p)
{
    double pes = value_number(p->report, "engine.pes"), cycles = value_number(p->report, "schedule.cycles");
    if (!value_at(p->report, "schedule"))
        return;
    begin_table(p, "Schedule", "| | cycles of a step |", "| --- | --- |");
    buffer_print(&p->out, "| as scheduled | %s |\n", cell(p, p->report, "schedule.cycles"));
    buffer_print(&p->out, "| least, by work: %s words of weights on %s PEs | %s |\n",
                 cell(p, p->report, "schedule.words"), cell(p, p->report, "engine.pes"),
                 cell(p, p->report, "schedule.bound.work"));
    buffer_print(&p->out, "| least, by dependency: from the first product with h to that of the next step | %s |\n",
                 cell(p, p->report, "schedule.bound.loop"));
    buffer_print(&p->out, "\nPEs have a word to work on in %.1f %% of %.0f PE cycles.\n\n"
                          "![PEs over the cycles of a step](schedule.svg)\n",
                 100 * value_number(p->report, "schedule.busy"), pes * cycles);
}

static void put_counts(Page *p, const char *title, const char *key)
{
    const json_t *r = value_at(p->report, key);
    if (r)
        buffer_print(&p->out, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", title, cell(p, r, "x"), cell(p, r, "h"),
                     cell(p, r, "steps"), cell(p, r, "skipped_x"), cell(p, r, "skipped_h"), cell(p, r, "columns"),
                     cell(p, r, "busiest"));
}

static void put_delta(Page *p)
{
    size_t l;
    json_t *layer;
    if (!value_at(p->report, "delta"))
        return;
    begin_table(p, "Deltas", "| layer | x not sent, % | h not sent, % |", "| --- | --- | --- |");
    json_array_foreach (value_at(p->report, "delta.layers"), l, layer)
        buffer_print(&p->out, "| %zu | %s | %s |\n", l, cell(p, layer, "skipped_x_percent"),
                     cell(p, layer, "skipped_h_percent"));
    buffer_print(&p->out, "\nThresholds: %s for x, %s for h; %s elements are compared per cycle. Per step the busiest "
                          "array works on %s columns (the mean one on %s), %s cycles.\n",
                 cell(p, p->report, "delta.x"), cell(p, p->report, "delta.h"),
                 cell(p, p->report, "delta.encoder_lanes"), cell(p, p->report, "delta.busiest_array_columns"),
                 cell(p, p->report, "delta.mean_array_columns"), cell(p, p->report, "delta.matrix_phase"));
    if (value_at(p->report, "delta.without_profile"))
        buffer_print(&p->out, "Columns are dealt to the arrays by `delta.profile`; as they come, the busiest array "
                              "would work on %s columns, %s cycles.\n",
                     cell(p, p->report, "delta.without_profile.busiest_array_columns"),
                     cell(p, p->report, "delta.without_profile.matrix_phase"));
    if (!value_at(p->report, "delta.registers"))
        return;
    begin_table(p, "Statistics registers, as simulated",
                "| thresholds | x | h | steps | x not sent | h not sent | columns | busiest array |",
                "| --- | --- | --- | --- | --- | --- | --- | --- |");
    put_counts(p, "after reset", "delta.registers");
    put_counts(p, "written at run time", "delta.registers_raised");
}

static void put_resource(Page *p, const char *key, const char *title)
{
    const char *found = cell(p, p->report, str_format(p->arena, "resources.%s", key));
    const char *estimate = cell(p, p->report, str_format(p->arena, "resources_estimate.%s", key));
    const char *difference = cell(p, p->report,
                                  str_format(p->arena, "resources_difference_percent.%s", key));
    const char *limit = cell(p, p->report, str_format(p->arena, "resources_limit.%s", key));
    bool counted = value_at(p->report, "resources_estimate") != NULL;
    double each = value_number(p->report, str_format(p->arena, "resources.%s", key)) /
                  value_number(p->report, "multipliers.engine");
    buffer_print(&p->out, "| %s | %s | %s | %s%s | %s | %.2f |\n", title,
                 counted ? estimate : found, counted ? found : "", difference,
                 *difference ? " %" : "", limit, each);
}

static void put_resources(Page *p)
{
    const char *source = value_text(p->arena, p->report, "resources.source");
    if (!source)
        return;
    bool counted = strcmp(source, "estimate") != 0;
    begin_table(p, "Resources",
                str_format(p->arena,
                           "| | estimate | %s | difference | the part has | per multiplier |",
                           counted ? source : "counted"),
                "| --- | --- | --- | --- | --- | --- |");
    put_resource(p, "lut", "LUT");
    put_resource(p, "lutram", "LUT as RAM");
    put_resource(p, "ff", "FF");
    put_resource(p, "dsp", "DSP");
    put_resource(p, "bram", "BRAM");
    if (!counted)
        buffer_print(&p->out, "\n`lstmgen synth` adds what Yosys counts.\n");
}

/* The median's critical path, hop by hop. */
static void put_placement(Page *p)
{
    size_t i;
    json_t *hop;
    if (!value_at(p->report, "fmax_mhz"))
        return;
    begin_table(p, "Critical path", "| from | to | ns | |", "| --- | --- | --- | --- |");
    json_array_foreach(value_at(p->report, "critical_path"), i, hop)
        buffer_print(&p->out, "| %s | %s | %s | %s |\n", text_code(p->arena, cell(p, hop, "from")),
                     text_code(p->arena, cell(p, hop, "to")), cell(p, hop, "ns"), cell(p, hop, "kind"));
    buffer_print(&p->out, "\n%s, %s MHz. Names are those of the RTL below `%s_top`. The core stood behind four pins; "
                          "their shift registers (%s LUT, %s FF) are not in the resources.\n",
                 cell(p, p->report, "placement.tool"), cell(p, p->report, "fmax_mhz"), cell(p, p->report, "name"),
                 cell(p, p->report, "placement.pins_lut"), cell(p, p->report, "placement.pins_ff"));
}

static void put_memories(Page *p)
{
    size_t i;
    json_t *m;
    begin_table(p, "Memories", "| memory | bits | words | copies | kbit | |",
                "| --- | --- | --- | --- | --- | --- |");
    json_array_foreach (value_at(p->report, "memories"), i, m)
        buffer_print(&p->out, "| %s | %s | %s | %s | %.1f | %s |\n", cell(p, m, "name"),
                     cell(p, m, "width"), cell(p, m, "depth"), cell(p, m, "copies"),
                     value_number(m, "width") * value_number(m, "depth") *
                         value_number(m, "copies") / 1024,
                     cell(p, m, "kind"));
    buffer_print(&p->out, "\nWords and addresses: `mem/memory_map.md`.\n");
}

static void put_formats(Page *p)
{
    size_t i;
    json_t *f;
    begin_table(p, "Number formats", "| value | bits | fraction bits | range |",
                "| --- | --- | --- | --- |");
    json_array_foreach (value_at(p->report, "formats"), i, f) {
        bool rows = value_at(f, "fraction_max") != NULL;
        double limit = ldexp(1, (int)(value_number(f, "bits") - 1 - value_number(f, "fraction")));
        buffer_print(&p->out, "| %s | %s | %s%s%s | up to %s%g |\n", cell(p, f, "tensor"),
                     cell(p, f, "bits"), cell(p, f, "fraction"), rows ? " to " : "",
                     cell(p, f, "fraction_max"), rows ? "" : "+-", limit);
    }
    buffer_print(&p->out, "\nSigned fixed point: value = integer / 2^fraction. Weights and "
                          "accumulators have a fraction "
                          "per row.\n");
}

static void put_warnings(Page *p)
{
    size_t i;
    json_t *w;
    if (json_array_size(value_at(p->report, "warnings")) == 0)
        return;
    buffer_print(&p->out, "\n## Warnings\n\n");
    json_array_foreach(value_at(p->report, "warnings"), i, w)
        buffer_print(&p->out, "- %s\n", text_markdown(p->arena, json_string_value(w)));
}

const char *report_markdown(Arena *a, const json_t *report)
{
    Page p = { .arena = a, .report = report };
    buffer_init(&p.out, a);
    buffer_print(&p.out, "# %s\n\nMade by lstmgen %s from %s (sha256 %.16s) for %s.\n",
                 cell(&p, report, "name"), cell(&p, report, "version"),
                 text_code(a, cell(&p, report, "spec")),
                 cell(&p, report, "spec_sha256"), text_markdown(a, cell(&p, report, "part")));
    put_glance(&p);
    put_matrices(&p);
    put_passes(&p);
    put_speed(&p);
    put_schedule(&p);
    put_delta(&p);
    put_resources(&p);
    put_placement(&p);
    put_memories(&p);
    put_formats(&p);
    put_warnings(&p);
    return p.out.text;
}
