/* propose.c: tries a few changes of keys on a design that does not fit its part or loses too much, and keeps the best. Each
 * figure is that of a whole check with the change. */
#include "propose.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHOWN = 3, TRIES_MAX = 16, SETS_MAX = 2, SECONDS_MAX = 15, ONE_MAX = 3 }; /* of CPU: all tries; the design itself, else none is made */
static const double SNR_LOW = 30; /* dB, where verify.min_snr_db asks for nothing */

typedef struct Try {
    const char *set[SETS_MAX];
    int n;
    bool done, enough; /* enough: as exact as asked for */
    double fill, snr_db, interval; /* fill: of what the part has least of, 1: all of it */
} Try;
typedef struct Trial {
    Arena *arena;
    Try try[TRIES_MAX];
    int n;
} Trial;

static double fill_of(const Job *j)
{
    const int64_t *n = j->estimate.count;
    const Part *p = j->design.part;
    const int64_t used[] = { n[RES_LUT] + n[RES_LUTRAM], n[RES_FF], n[RES_DSP], n[RES_BRAM] };
    const int64_t has[] = { p->luts, p->ffs, p->dsps, p->brams };
    double most = 0;
    for (int i = 0; i < LENGTH(used); i++)
        most = has[i] > 0 ? MAX(most, (double)used[i] / (double)has[i]) : most;
    return most;
}

static void add(Trial *t, const char *first, const char *second)
{
    if (t->n < TRIES_MAX)
        t->try[t->n++] = (Try){ .set = { first, second }, .n = 1 + (second != NULL) };
}

static const char *number(Trial *t, const char *key, int64_t value)
{
    return str_format(t->arena, "%s=%lld", key, (long long)value);
}

/* What makes a core smaller. */
static void smaller(Trial *t, const Spec *s)
{
    static const char *const PATTERNS[] = { "grouped_columns", "bank_balanced", "column_balanced" };
    const char *narrow = s->pe_width > 1 ? number(t, "engine.pe_width", s->pe_width / 2) : NULL;
    if (narrow)
        add(t, narrow, NULL);
    for (int part = 2; part <= 16 && s->pes / part > 0; part *= 2) {
        const char *fewer = number(t, "engine.pes", s->pes / part);
        add(t, fewer, NULL);
        if (narrow)
            add(t, fewer, narrow);
    }
    for (int i = 0; i < LENGTH(PATTERNS); i++)
        add(t, str_format(t->arena, "sparsity.pattern=%s", PATTERNS[i]), NULL);
    if (s->weight_bits > 4)
        add(t, number(t, "precision.weight", s->weight_bits > 8 ? 8 : s->weight_bits - 2), NULL);
    if (s->activation_bits > 10)
        add(t, number(t, "precision.activation", 10), NULL);
}

/* What makes a core more exact. */
static void finer(Trial *t, const Spec *s)
{
    static const int WIDTHS[] = { 8, 10, 12, 16 };
    for (int i = 0; i < LENGTH(WIDTHS); i++) {
        const char *wide = WIDTHS[i] > s->activation_bits ? number(t, "precision.activation", WIDTHS[i]) : NULL;
        const char *heavy = WIDTHS[i] > s->weight_bits ? number(t, "precision.weight", WIDTHS[i]) : NULL;
        if (wide)
            add(t, wide, NULL);
        if (heavy)
            add(t, heavy, NULL);
        if (wide && heavy)
            add(t, wide, heavy);
    }
    if (s->state_bits < 24)
        add(t, number(t, "precision.state", 24), NULL);
}

static void work_out(Try *y, const char *spec_path, const char *const *sets, int n_sets)
{
    Arena *a = arena_new();
    Job j;
    const char **all = ARENA_ARRAY(a, const char *, n_sets + y->n);
    memcpy(all, sets, sizeof *all * (size_t)n_sets);
    memcpy(all + n_sets, y->set, sizeof *all * (size_t)y->n);
    y->done = job_read(&j, a, diag_new(a), spec_path, all, n_sets + y->n) && job_build(&j);
    if (y->done) {
        y->fill = fill_of(&j);
        y->snr_db = j.report.facts.snr_db;
        y->interval = j.design.interval;
    }
    arena_free(a);
}

static int by_fill(const void *a, const void *b)
{
    const Try *x = a, *y = b;
    bool x_fits = x->fill <= 1, y_fits = y->fill <= 1; /* of those that fit, the fastest */
    if (x_fits != y_fits)
        return y_fits - x_fits;
    if (x_fits && x->interval != y->interval)
        return (x->interval > y->interval) - (x->interval < y->interval);
    return (x->fill > y->fill) - (x->fill < y->fill);
}

static int by_snr(const void *a, const void *b)
{
    const Try *x = a, *y = b;
    if (x->enough != y->enough)
        return y->enough - x->enough;
    if (x->enough && x->fill != y->fill) /* of those, the smallest */
        return (x->fill > y->fill) - (x->fill < y->fill);
    return (x->snr_db < y->snr_db) - (x->snr_db > y->snr_db);
}

static json_t *as_json(const Try *y, const char *why)
{
    json_t *set = json_array();
    for (int i = 0; i < y->n; i++)
        json_array_append_new(set, json_string(y->set[i]));
    return json_pack("{s:o, s:s, s:f, s:f, s:f}", "set", set, "why", why, "fill", y->fill, "snr_db", y->snr_db, "interval",
                     y->interval);
}

json_t *propose(const Job *j, const char *spec_path, const char *const *sets, int n_sets)
{
    const Spec *s = j->spec;
    double least = s->min_snr_db > 0 ? s->min_snr_db : SNR_LOW, snr = j->report.facts.snr_db, fill = fill_of(j);
    bool large = s->part && !usage_fits(&j->estimate), low = snr < least;
    Trial t = { .arena = j->arena };
    clock_t begin = clock();
    if (begin / CLOCKS_PER_SEC >= ONE_MAX)
        return NULL;
    if (large)
        smaller(&t, s);
    else if (low)
        finer(&t, s);
    int kept = 0;
    for (int i = 0; i < t.n && (clock() - begin) / CLOCKS_PER_SEC < SECONDS_MAX; i++) {
        work_out(&t.try[i], spec_path, sets, n_sets);
        t.try[i].enough = t.try[i].snr_db >= least;
        if (t.try[i].done && (large ? t.try[i].fill < fill : t.try[i].snr_db > snr + 1))
            t.try[kept++] = t.try[i];
    }
    qsort(t.try, (size_t)kept, sizeof *t.try, large ? by_fill : by_snr);
    json_t *list = kept ? json_array() : NULL;
    for (int i = 0; i < kept && i < SHOWN; i++)
        json_array_append_new(list, as_json(&t.try[i], large ? "part" : "snr"));
    return list;
}

void propose_print(const json_t *proposals, FILE *to)
{
    size_t i;
    json_t *p;
    json_array_foreach((json_t *)proposals, i, p) {
        json_t *set = json_object_get(p, "set");
        fprintf(to, "  %-10s ", i ? "" : "proposed");
        for (size_t k = 0; k < json_array_size(set); k++)
            fprintf(to, "--set %s ", json_string_value(json_array_get(set, k)));
        fprintf(to, "(%.0f %% of the part, SNR %.1f dB, interval %.0f)\n", 100 * json_real_value(json_object_get(p, "fill")),
                json_real_value(json_object_get(p, "snr_db")), json_real_value(json_object_get(p, "interval")));
    }
}
