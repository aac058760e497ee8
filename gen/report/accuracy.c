/* accuracy.c: what every pattern and rate would leave of a network's outputs: pruned here without
 * retraining, then rounded. Works without planning a core. */
#include "report/accuracy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pattern/pattern.h"

/* Multiplications of one pass over the sequences: about a tenth of a second each for float and
 * integers, so that the table is there in seconds. */
static const double PASS_MACS = 1e8;
static const double RATES[] = { 1, 0.5, 0.25, 0.125 };
static const double SNR_EQUAL = 999;

typedef struct Trial {
    const Spec *spec;
    const Network *net;                 /* unpruned */
    const Sequences *seq;
    const float *reference;             /* its float outputs */
} Trial;

/* What one row of the table says; all of it is known when `why` is NULL. */
typedef struct Outcome { double kept, pruned_db, rounded_db, both_db; const char *why, *with; } Outcome;

static int64_t network_weights(const Network *net, bool only_kept)
{
    int64_t n = 0;
    for (int p = 0; p < net->products; p++) {
        const Matrix *m = &net->product[p].m;
        n += only_kept ? matrix_kept(m) : (int64_t)m->rows * m->columns;
    }
    return n;
}

/* As many steps as the budget allows, whole sequences first. */
static Sequences limit_steps(Arena *a, const Network *net, const Sequences *all)
{
    Sequences s = *all;
    double room = PASS_MACS / (double)MAX(network_weights(net, false), 1);
    int64_t left = MAX((int64_t)room, 8);
    s.length = ARENA_ARRAY(a, int, all->n);
    for (s.n = 0; s.n < all->n && left > 0; s.n++) {
        s.length[s.n] = (int)MIN((int64_t)all->length[s.n], left);
        left -= s.length[s.n];
    }
    return s;
}

static Network copy_network(Arena *a, const Network *net)
{
    Network copy = *net;
    for (int p = 0; p < net->products; p++) {
        Matrix *m = &copy.product[p].m;
        size_t n = (size_t)m->rows * (size_t)m->columns;
        const float *from = m->value;
        m->value = ARENA_ARRAY(a, float, n);
        memcpy(m->value, from, n * sizeof *from);
    }
    return copy;
}

/* The same pattern and rate for all; the head keeps everything. */
static void keep_everywhere(Spec *s, const Pattern *p, double rate)
{
    s->pattern = (PatternNames){ .given = true, .of = { p->name, p->name, p->name, p->name } };
    s->n_keep = 0;
    for (int l = 0; l < s->n_layers; l++)
        s->layer[l].pattern.given = s->layer[l].keep.given = false;
    for (int use = 0; use < USES; use++) {
        double r = use == USE_HEAD ? 1 : rate;
        s->keep[0].of[use] = (Rate){ .gate = { r, r, r, r, r } };
    }
}

/* The spec as it would be with this pattern: its own keys where they are given, else defaults. */
static Spec spec_with(const Spec *s, const Pattern *p, double rate)
{
    Spec copy = *s;
    keep_everywhere(&copy, p, rate);
    return copy;
}

static bool prune_all(const Pattern *p, const Spec *s, Arena *a, Diag *d, Network *net)
{
    bool ok = true;
    for (int k = 0; k < net->products; k++)
        ok = p->prune(s, a, d, net, k) && ok;
    return ok && !diag_failed(d);
}

static float *decoded(Arena *a, const QNetwork *q, const Golden *g, size_t n)
{
    float *y = ARENA_ARRAY(a, float, n);
    for (size_t i = 0; i < n; i++)
        y[i] = (float)format_decode(q->layer[q->net->n - 1].out, g->y[i]);
    return y;
}

/* Steps beyond a sequence's end are 0 in every output, so they do not count. */
static void compare(const Trial *t, Arena *a, const QNetwork *q, const Golden *g, Outcome *out)
{
    size_t n = (size_t)t->seq->n * (size_t)t->seq->steps * (size_t)g->width;
    const float *y = decoded(a, q, g, n);
    out->pruned_db = snr_db(t->reference, g->y_float, n);
    out->rounded_db = snr_db(g->y_float, y, n);
    out->both_db = snr_db(t->reference, y, n);
}

/* All memory of a trial is in `a`. */
static Outcome try_one(const Trial *t, Arena *a, const Pattern *p, double rate)
{
    Outcome out = { .why = "does not fit this network and engine" };
    Spec s = spec_with(t->spec, p, rate);
    Diag *d = diag_new(a);
    Network net = copy_network(a, t->net);
    QNetwork q;
    Golden g;
    if (!patterns_assign(d, &s, &net))
        return out;
    patterns_check(&s, &net, d);
    if (diag_failed(d) || !prune_all(p, &s, a, d, &net)
        || !network_quantise(a, d, &s, &net, t->seq, &q)
        || !golden_run(a, &q, &net, t->seq, &g))
        return out;
    out.why = NULL;
    out.with = p->settings ? p->settings(a, &s) : NULL;
    out.kept = (double)network_weights(&net, true) / (double)network_weights(&net, false);
    compare(t, a, &q, &g, &out);
    return out;
}

static json_t *row_json(const Pattern *p, double rate, const Outcome *o)
{
    json_t *row = json_pack("{s:s, s:o}", "pattern", p->name, "rate", value_real(rate));
    if (o->why) {
        json_object_set_new(row, "why", json_string(o->why));
        return row;
    }
    if (o->with)
        json_object_set_new(row, "with", json_string(o->with));
    json_object_set_new(row, "kept", value_rounded(o->kept, 4));
    json_object_set_new(row, "pruned_snr_db", value_rounded(o->pruned_db, 2));
    json_object_set_new(row, "rounded_snr_db", value_rounded(o->rounded_db, 2));
    json_object_set_new(row, "snr_db", value_rounded(o->both_db, 2));
    return row;
}

static json_t *try_all(const Trial *t)
{
    int n;
    const Pattern *const *table = pattern_table(&n);
    json_t *rows = json_array();
    for (int k = 0; k < n; k++)
        for (int i = 0; i < LENGTH(RATES); i++) {
            if (i > 0 && !pattern_has_key(table[k], "sparsity.keep"))
                break;                  /* it keeps everything */
            Arena *scratch = arena_new();
            Outcome o = try_one(t, scratch, table[k], RATES[i]);
            json_array_append_new(rows, row_json(table[k], RATES[i], &o));
            arena_free(scratch);
        }
    return rows;
}

json_t *accuracy_table(Arena *a, const Spec *s, const Network *net, const Sequences *seq)
{
    Sequences some = limit_steps(a, net, seq);
    int64_t steps = 0;
    for (int i = 0; i < some.n; i++)
        steps += some.length[i];
    size_t width = (size_t)net->layer[net->n - 1].hidden;
    float *reference = ARENA_ARRAY(a, float, (size_t)some.n * (size_t)some.steps * width);
    float_network_run(net, &some, reference);
    Trial t = { s, net, &some, reference };
    return json_pack("{s:o, s:I, s:b, s:i, s:i, s:o}", "name", value_string(a, s->name), "steps",
                     (json_int_t)steps, "made_input", seq->made, "weight_bits", s->weight_bits,
                     "activation_bits", s->activation_bits, "rows", try_all(&t));
}

/* ---- as text ---- */

static void print_db(const json_t *row, const char *key, FILE *to)
{
    double db = json_number_value(json_object_get(row, key));
    if (db >= SNR_EQUAL)
        fprintf(to, "%12s", "equal");
    else
        fprintf(to, "%12.1f", db);
}

void accuracy_print(const json_t *table, FILE *to)
{
    bool made = json_is_true(json_object_get(table, "made_input"));
    const json_t *row;
    size_t i;
    fprintf(to, "%s: SNR of the output in dB, %lld steps of %s; pruned without retraining\n",
            json_string_value(json_object_get(table, "name")),
            (long long)json_integer_value(json_object_get(table, "steps")),
            made ? "made-up input (no verify.input: real sequences differ)" : "verify.input");
    fprintf(to, "rounded to %lld-bit weights and %lld-bit activations\n\n",
            (long long)json_integer_value(json_object_get(table, "weight_bits")),
            (long long)json_integer_value(json_object_get(table, "activation_bits")));
    fprintf(to, "  %-20s %6s %8s%12s%12s%12s  %s\n", "pattern", "rate", "kept", "pruned", "rounded",
            "together",
            "with");
    json_array_foreach(json_object_get(table, "rows"), i, row)
    {
        const char *why = json_string_value(json_object_get(row, "why"));
        fprintf(to, "  %-20s %6.4g ", json_string_value(json_object_get(row, "pattern")),
                json_number_value(json_object_get(row, "rate")));
        if (why) {
            fprintf(to, "%s\n", why);
            continue;
        }
        fprintf(to, "%6.1f %%", 100 * json_number_value(json_object_get(row, "kept")));
        print_db(row, "pruned_snr_db", to);
        print_db(row, "rounded_snr_db", to);
        print_db(row, "snr_db", to);
        const char *with = json_string_value(json_object_get(row, "with"));
        fprintf(to, "%s%s\n", with ? "  " : "", with ? with : "");
    }
    fprintf(to, "\npruned: float after pruning against float before; rounded: the core's integers "
                "against float\nwith the same weights; together: against float before pruning\n");
}
