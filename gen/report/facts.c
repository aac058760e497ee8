/* facts.c: exactness, accuracy, stored bits: figures made of what several stages left. */
#include "report/report.h"

/* Which steps are compared: all that are valid, or the last one of each sequence. */
typedef enum { STEPS_ALL, STEPS_LAST } StepChoice;

static int first_step(const Sequences *seq, int s, StepChoice choice)
{
    return choice == STEPS_LAST ? seq->length[s] - 1 : 0;
}

/* Where step t of sequence s starts in an array of `steps` steps per sequence. */
static size_t step_at(int steps, int s, int t, int width)
{
    return ((size_t)s * (size_t)steps + (size_t)t) * (size_t)width;
}

static Format output_format(const QNetwork *q)
{
    return q->layer[q->net->n - 1].out;
}

/* SNR of outputs against `reference`, whose sequences hold `steps` steps (1: the last one): of `value`, or of the
 * bit-true ones where that is NULL. Steps beyond a sequence's end, and those whose result does
 * not leave the core, are not looked at. */
static double output_snr(const Design *d, const Golden *g, const Sequences *seq, const float *value,
                         const float *reference, int steps)
{
    StepChoice choice = steps == 1 || spec_sends_last(d->spec) ? STEPS_LAST : STEPS_ALL;
    Format f = output_format(d->q);
    Arena *scratch = arena_new();
    size_t room = (size_t)seq->n * (size_t)seq->steps * (size_t)g->width, n = 0;
    float *expected = ARENA_ARRAY(scratch, float, room), *found = ARENA_ARRAY(scratch, float, room);
    for (int s = 0; s < seq->n; s++)
        for (int t = first_step(seq, s, choice); t < seq->length[s]; t++) {
            const float *r = reference + step_at(steps, s, steps == 1 ? 0 : t, g->width);
            size_t at = step_at(seq->steps, s, t, g->width);
            for (int j = 0; j < g->width; j++, n++) {
                expected[n] = r[j];
                found[n] = value ? value[at + (size_t)j] : (float)format_decode(f, g->y[at + (size_t)j]);
            }
        }
    double db = snr_db(expected, found, n);
    arena_free(scratch);
    return db;
}

static void gather_snr(const Design *d, const Golden *g, const Sequences *seq, Facts *out)
{
    out->snr_db = output_snr(d, g, seq, NULL, g->y_float, seq->steps);
    out->has_expect = seq->expect_steps > 0;
    if (out->has_expect) {
        const float *before = g->y_unpruned ? g->y_unpruned : g->y_float;
        out->expect_snr_db = output_snr(d, g, seq, NULL, seq->expect, seq->expect_steps);
        out->float_expect_snr_db = output_snr(d, g, seq, before, seq->expect, seq->expect_steps);
    }
    out->has_prune = g->y_unpruned != NULL;
    if (out->has_prune)
        out->prune_snr_db = snr_db(g->y_unpruned, g->y_float,
                                   step_at(seq->steps, seq->n, 0, g->width));
}

/* ---- accuracy ---- */

/* The largest of n values, the first one of equals. */
static int largest(const float *v, int n)
{
    int best = 0;
    for (int j = 1; j < n; j++)
        if (v[j] > v[best])
            best = j;
    return best;
}

static int largest_integer(const int32_t *v, int n)
{
    int best = 0;
    for (int j = 1; j < n; j++)
        if (v[j] > v[best])
            best = j;
    return best;
}

static void gather_accuracy(const Golden *g, const Sequences *seq, Facts *out)
{
    int right_float = 0, right_hardware = 0;
    out->has_labels = seq->label != NULL;
    if (!out->has_labels)
        return;
    for (int s = 0; s < seq->n; s++) {
        size_t last = step_at(seq->steps, s, seq->length[s] - 1, g->width);
        right_float += largest(g->y_float + last, g->width) == seq->label[s];
        right_hardware += largest_integer(g->y + last, g->width) == seq->label[s];
    }
    out->labels = seq->n;
    out->accuracy_float = 100.0 * right_float / seq->n;
    out->accuracy_hardware = 100.0 * right_hardware / seq->n;
}

/* ---- stored bits ---- */

MatrixPlan facts_own_plan(const Design *d, int product)
{
    const Matrix *m = &d->net->product[product].m;
    return m->pattern == d->pattern ? d->plan[product] : m->pattern->plan(d->spec, m);
}

static void gather_memory(const Design *d, Facts *out)
{
    double bound = 0;
    for (int k = 0; k < d->net->products; k++) {
        const Matrix *m = &d->net->product[k].m;
        MatrixPlan p = facts_own_plan(d, k);
        bound += (double)p.kept * m->pattern->bound_bits(&p, m->rows, m->columns, d->q->weight_bits);
    }
    int64_t words = (int64_t)d->weight_words * d->pes * d->lanes_pe;
    out->weight_bits = words * d->q->weight_bits;
    out->index_bits = (int64_t)d->weight_words * d->index_memories * d->index_word;
    out->vector_bits = (int64_t)d->vector_depth * d->q->gate.bits * d->vector_copies;
    double kept = (double)MAX(d->macs_kept, 1);
    out->bits_per_kept_weight = (double)(out->weight_bits + out->index_bits) / kept;
    out->bound_bits_per_kept_weight = bound / kept;
}

/* Rows of the engine beyond the largest layer, lanes beyond the widest matrix. */
static int lanes_idle(const Design *d)
{
    int rows = 0, lanes = 0;
    for (int p = 0; p < d->net->products; p++) {
        const Matrix *m = &d->net->product[p].m;
        rows = MAX(rows, m->rows / m->gates);
        lanes = MAX(lanes, MIN(d->plan[p].banks, m->columns));
    }
    return d->pes * d->lanes_pe - MIN(d->pes, rows) * MIN(d->lanes_pe, lanes);
}

Facts facts_gather(const Design *d, const Golden *g, const Sequences *seq)
{
    Facts f = {0};
    gather_snr(d, g, seq, &f);
    gather_accuracy(g, seq, &f);
    gather_memory(d, &f);
    f.lanes_idle = lanes_idle(d);
    return f;
}
