/* warnings.c: what a user has to hear although the core is right, bit for bit: that it is another network than the one
 * that made verify.expect, that its numbers clip or have too few bits, that a pattern keeps far more than was asked.
 * Judged only on sequences of the user: made-up noise tells nothing of them. */
#include "pattern/pattern.h"
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LOW_DB = 20.0;
/* The float network must agree with verify.expect worse than LOW_DB, and the core with its float network better by: */
static const double OTHER_NETWORK_DB = 10.0;
/* One value in so many may be an outlier; it is one when it is so many times what the others reach... */
enum { OUTLIERS = 1000 };
static const double OUTLIER_RATIO = 16.0;
/* ... and leaves them fewer steps of the format than this. */
static const double FEW_STEPS = 128.0;
/* Kept is far from asked beyond this factor and difference. */
static const double KEPT_FACTOR = 1.4, KEPT_MORE = 0.05;

typedef struct Watch {
    Arena *arena;
    Diag *diag;
    const Spec *spec;
    const Report *report;
} Watch;

/* ---- against the framework */

static void watch_expect(const Watch *w)
{
    const Facts *f = &w->report->facts;
    Place at = spec_at(w->spec, "verify.expect");
    if (!f->has_expect || f->expect_snr_db >= LOW_DB)
        return;
    double own = f->float_expect_snr_db;    /* before pruning: what the spec's network is */
    if (own < LOW_DB && f->snr_db >= own + OTHER_NETWORK_DB)
        diag_warn(w->diag, at, "the network in the spec is not the one that made verify.expect: in floating point they "
                  "agree to %.1f dB only, while the core agrees with its own float network to %.1f dB; look at the "
                  "order of gates, transposition, which biases are summed (forget_bias), the order of layers, the "
                  "activations, what is done to x before, and which steps verify.expect holds",
                  own, f->snr_db);
    else if (f->has_prune && f->prune_snr_db < LOW_DB && own >= LOW_DB)
        diag_warn(w->diag, at, "SNR of %.1f dB against verify.expect: pruning costs it (%.1f dB in floating point, %.1f "
                  "dB before); keep more, or retrain with `lstmgen prune`", f->expect_snr_db, f->prune_snr_db, own);
}

static void watch_snr(const Watch *w)
{
    const Facts *f = &w->report->facts;
    if (f->snr_db >= LOW_DB)
        return;
    diag_warn(w->diag, spec_at(w->spec, "precision"), "the number formats leave an SNR of %.1f dB against the float "
              "network with the same weights: below %g dB the output is hardly that network's; more bits for "
              "precision.activation (now %d), weight (%d) or state (%d), or another range",
              f->snr_db, LOW_DB, w->spec->activation_bits, w->spec->weight_bits, w->spec->state_bits);
}

/* ---- what clips */

static void watch_clipping(const Watch *w)
{
    const Golden *g = w->report->golden;
    const QNetwork *q = w->report->design->q;
    const Format out = q->layer[q->net->n - 1].out;
    const struct { int64_t n; const char *key, *what; Format f; const char *remedy; } KINDS[] = {
        { g->input_saturations, "precision.input_range", "of x", q->vector[0],
          "raise precision.input_range, or leave it out: it is then calibrated" },
        { g->state_saturations, "precision.state_range", "of the cell state", q->state,
          "raise precision.state_range, or give it twice what the state reaches" },
        { g->output_saturations, "precision.activation", "of linear layers", out,
          "longer sequences in verify.input calibrate their range better; more bits in precision.weight make what "
          "goes beyond it smaller" },
    };
    for (int i = 0; i < LENGTH(KINDS); i++)
        if (KINDS[i].n > 0)
            diag_warn(w->diag, spec_at(w->spec, KINDS[i].key), "%lld values %s are clipped at %g on verify.input; %s",
                      (long long)KINDS[i].n, KINDS[i].what, ldexp(1.0, KINDS[i].f.bits - 1 - KINDS[i].f.fraction),
                      KINDS[i].remedy);
}

/* ---- outliers of x */

/* Where the largest |x| is, and what others reach. */
typedef struct Outliers {
    double largest, most, other_elements;   /* most: of all but one in OUTLIERS; other_elements: than the largest's */
    int sequence, step, element;
} Outliers;

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static const float *step_of(const Sequences *q, int s, int t)
{
    return q->x + ((size_t)s * (size_t)q->steps + (size_t)t) * (size_t)q->width;
}

static size_t sort_sizes(const Sequences *q, float *size)
{
    size_t n = 0;
    for (int s = 0; s < q->n; s++)
        for (int t = 0; t < q->length[s]; t++)
            for (int i = 0; i < q->width; i++)
                size[n++] = fabsf(step_of(q, s, t)[i]);
    qsort(size, n, sizeof *size, by_size);
    return n;
}

static Outliers find_outliers(const Sequences *q)
{
    Outliers p = { .largest = -1 };
    Arena *scratch = arena_new();
    float *peak = ARENA_ARRAY(scratch, float, q->width);
    for (int s = 0; s < q->n; s++)
        for (int t = 0; t < q->length[s]; t++)
            for (int i = 0; i < q->width; i++) {
                float v = fabsf(step_of(q, s, t)[i]);
                peak[i] = v > peak[i] ? v : peak[i];
                if (v > p.largest)
                    p = (Outliers){ .largest = v, .sequence = s, .step = t, .element = i };
            }
    for (int i = 0; i < q->width; i++)
        if (i != p.element)
            p.other_elements = fmax(p.other_elements, peak[i]);
    float *size = ARENA_ARRAY(scratch, float, (size_t)q->n * (size_t)q->steps * (size_t)q->width);
    size_t n = sort_sizes(q, size), few = n / OUTLIERS > 0 ? n / OUTLIERS : 1;
    p.most = few < n ? size[few] : p.largest;
    arena_free(scratch);
    return p;
}

/* The largest leaves what the others reach, `rest`, few steps of the format. */
static bool starves(double largest, double rest, Format f)
{
    return rest > 0 && largest >= OUTLIER_RATIO * rest && ldexp(rest, f.fraction) < FEW_STEPS;
}

static void watch_outliers(const Watch *w)
{
    const Sequences *q = w->report->sequences;
    Format f = w->report->design->q->vector[0];
    Place at = spec_at(w->spec, "verify.input");
    if (w->spec->input_range > 0)
        return;
    Outliers p = find_outliers(q);
    const char *where = q->n > 1 ? str_format(w->arena, "sequence %d, step %d", p.sequence, p.step)
                                 : str_format(w->arena, "step %d", p.step);
    if (starves(p.largest, p.most, f))
        diag_warn(w->diag, at, "one outlier of x costs all others their bits: element %d of %s is %g and forces a "
                  "range of %g, while the rest stays within %g, which is %.0f steps of the format (%d bits, %d fraction "
                  "bits); precision.input_range: %g clips the outlier and keeps the others",
                  p.element, where, p.largest, ldexp(1.0, f.bits - 1 - f.fraction), p.most, ldexp(p.most, f.fraction),
                  f.bits, f.fraction, p.most);
    else if (q->width > 1 && starves(p.largest, p.other_elements, f))
        diag_warn(w->diag, at, "element %d of x reaches %g (%s), all others stay within %g, which is %.0f steps of the "
                  "format that x has in common (%d bits, %d fraction bits); scale that element down and its column of W "
                  "up, or raise precision.activation",
                  p.element, p.largest, where, p.other_elements, ldexp(p.other_elements, f.fraction), f.bits,
                  f.fraction);
}

/* ---- patterns that keep more than was asked */

/* The rate asked for, the mean over the gates. */
static double asked_of(const Matrix *m)
{
    double sum = 0;
    for (int g = 0; g < m->gates; g++)
        sum += m->keep.gate[g];
    return sum / MAX(m->gates, 1);
}

static bool keeps_far_more(const Matrix *m, double *asked, double *kept)
{
    if (m->rows == 0 || m->keep.asis || !pattern_has_key(m->pattern, "sparsity.keep"))
        return false;
    *asked = asked_of(m);
    *kept = (double)matrix_kept(m) / ((double)m->rows * m->columns);
    return *kept > KEPT_FACTOR * *asked && *kept > *asked + KEPT_MORE;
}

static void watch_pattern(const Watch *w, const Pattern *pattern)
{
    const Network *net = w->report->design->net;
    double asked, kept;
    Buffer list;
    buffer_init(&list, w->arena);
    for (int p = 0; p < net->products; p++)
        if (net->product[p].m.pattern == pattern && keeps_far_more(&net->product[p].m, &asked, &kept))
            buffer_print(&list, "%s%s of layer %d: %.3g %% asked, %.3g %% kept", list.length ? "; " : "",
                         product_name(net, p), net->product[p].layer, 100 * asked, 100 * kept);
    if (list.length)
        diag_warn(w->diag, spec_at(w->spec, "sparsity.keep"), "%s keeps far more than was asked: %s; %s", pattern->name,
                  list.text, pattern->grain);
}

void warnings_gather(Arena *a, Diag *d, const Spec *s, const Report *r)
{
    Watch w = { a, d, s, r };
    int n;
    const Pattern *const *pattern = pattern_table(&n);
    for (int i = 0; i < n; i++)
        watch_pattern(&w, pattern[i]);
    if (r->sequences->made)
        return;
    watch_expect(&w);
    watch_snr(&w);
    watch_clipping(&w);
    watch_outliers(&w);
}
