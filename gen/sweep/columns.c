/* columns.c: the table's columns: the point, its axes, then figures under their names of --json. */
#include <math.h>
#include <string.h>

#include "sweep/sweep.h"

/* Figures of every depth: columns are the same for all, empty where not known. */
static const char *const RESULTS[] = {
    "pattern", "part", "clock_mhz", "macs.dense", "macs.kept", "multipliers.engine",
    "multipliers.cell", "cycles.minimum", "cycles.interval", "cycles.latency", "use",
    "memory.weight_bits", "memory.index_bits", "memory.bits_per_kept_weight",
    "memory.bound_bits_per_kept_weight", "memory.vector_bits", "resources.lut", "resources.ff",
    "resources.dsp", "resources.bram", "resources.lutram", "resources.fits", "resources.source",
    "verify.snr_db", "verify.prune_snr_db", "verify.expect_snr_db", "verify.saturations",
    "accuracy.hardware", "padding.macs_lost", "padding.lanes_idle", "measured.interval",
    "measured.latency", "verify.mismatches", "verify.pass", "fmax_mhz", "us_per_step",
};

int columns_list(Arena *a, const Sweep *s, const Column **out)
{
    int n = 0;
    Column *c = ARENA_ARRAY(a, Column, 3 + s->n_axes + LENGTH(RESULTS));
    c[n++] = (Column){ "point", COLUMN_POINT };
    c[n++] = (Column){ "status", COLUMN_STATUS };
    for (int i = 0; i < s->n_axes; i++)
        c[n++] = (Column){ s->axis[i].key, COLUMN_AXIS };
    for (int i = 0; i < LENGTH(RESULTS); i++)
        c[n++] = (Column){ RESULTS[i], COLUMN_RESULT };
    c[n++] = (Column){ "reason", COLUMN_REASON };
    *out = c;
    return n;
}

json_t *columns_result(const json_t *report)
{
    json_t *o = json_object();
    for (int i = 0; i < LENGTH(RESULTS); i++) {
        const json_t *v = value_at(report, RESULTS[i]);
        if (v)
            json_object_set(o, RESULTS[i], (json_t *)v);
    }
    return o;
}

const json_t *column_value(const json_t *row, const Column *c)
{
    switch (c->kind) {
    case COLUMN_AXIS:
        return json_object_get(json_object_get(row, "set"), c->name);
    case COLUMN_RESULT:
        return json_object_get(json_object_get(row, "result"), c->name);
    default:
        return json_object_get(row, c->name);
    }
}

/* ---- CSV (RFC 4180, lines end in LF) ---- */

static void print_field(Buffer *b, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        buffer_print(b, "%s", text);
        return;
    }
    buffer_add(b, "\"", 1);
    for (const char *p = text; *p; p++)
        buffer_add(b, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    buffer_add(b, "\"", 1);
}

static void print_value(Buffer *b, const json_t *v)
{
    if (json_is_string(v))
        print_field(b, json_string_value(v));
    else if (json_is_integer(v))
        buffer_print(b, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        buffer_print(b, "%.10g", json_real_value(v));
    else if (json_is_boolean(v))
        buffer_print(b, "%s", json_is_true(v) ? "true" : "false");
}

void columns_header(Buffer *b, const Sweep *s)
{
    const Column *c;
    int n = columns_list(b->arena, s, &c);
    for (int i = 0; i < n; i++) {
        buffer_print(b, "%s", i ? "," : "");
        print_field(b, c[i].name);
    }
    buffer_print(b, "\n");
}

void columns_row(Buffer *b, const Sweep *s, const json_t *row)
{
    const Column *c;
    int n = columns_list(b->arena, s, &c);
    for (int i = 0; i < n; i++) {
        buffer_print(b, "%s", i ? "," : "");
        print_value(b, column_value(row, &c[i]));
    }
    buffer_print(b, "\n");
}

/* ---- names in expressions ---- */

static const Column *column_named(const Column *c, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(c[i].name, name) == 0)
            return &c[i];
    for (int i = 0; i < n; i++) {       /* "interval" is cycles.interval, "fits" resources.fits */
        const char *dot = strrchr(c[i].name, '.');
        if (dot && strcmp(dot + 1, name) == 0)
            return &c[i];
    }
    return NULL;
}

/* Full names say what kind of column they are: R for results, A for axes, P for the rest. */
static const char *name_known(const Names *names, Arena *a, const char *name)
{
    const Sweep *s = names->context;
    const Column *c, *found;
    int n = columns_list(a, s, &c);
    found = column_named(c, n, name);
    if (!found)
        return NULL;
    char kind = found->kind == COLUMN_RESULT ? 'R' : found->kind == COLUMN_AXIS ? 'A' : 'P';
    return str_format(a, "%c%s", kind, found->name);
}

Names columns_names(Arena *a, const Sweep *s)
{
    const Column *c;
    int n = columns_list(a, s, &c);
    const char **all = ARENA_ARRAY(a, const char *, n);
    for (int i = 0; i < n; i++)
        all[i] = c[i].name;
    return (Names){ name_known, all, n, (void *)s };
}

Value columns_look(void *row, const char *name)
{
    Column c = { name + 1, name[0] == 'R' ? COLUMN_RESULT : name[0] == 'A' ? COLUMN_AXIS : COLUMN_POINT };
    const json_t *v = column_value(row, &c);
    if (json_is_number(v))
        return (Value){ VALUE_NUMBER, json_number_value(v), NULL };
    if (json_is_boolean(v))
        return (Value){ VALUE_BOOL, json_is_true(v), NULL };
    if (json_is_string(v))
        return (Value){ VALUE_TEXT, 0, json_string_value(v) };
    return (Value){ 0 };
}
