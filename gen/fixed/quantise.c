/* quantise.c: row exponents and rounding of the pruned network (contract: formats.c). */
#include "fixed/fixed.h"

#include <math.h>

static double row_peak(const Matrix *m, int row)
{
    const float *w = m->value + (size_t)row * m->columns;
    float peak = 0.0f;
    for (int c = 0; c < m->columns; c++)
        peak = fabsf(w[c]) > peak ? fabsf(w[c]) : peak;
    return peak;
}

/* What a weight of fraction 0 gets from the vector it multiplies and from the shift of the product.
 * */
static int source_fraction(const QNetwork *q, const QLayer *l, int which)
{
    return (which == MATRIX_W ? l->in.fraction : q->gate.fraction) + l->align[which];
}

static int target_fraction(const QNetwork *q, const QLayer *l)
{
    return l->cell == CELL_LSTM ? q->pre.fraction : l->out.fraction;
}

/* F_r before the limit that left_shift sets: conditions a, b and the ACC - 2 of c. */
static int row_fraction(const QNetwork *q, const Layer *l, const QLayer *ql, int row)
{
    int target = target_fraction(q, ql), fraction = INT32_MAX;
    for (int which = 0; which < MATRICES; which++) {
        double peak = l->m[which].rows > 0 ? row_peak(&l->m[which], row) : 0.0;
        if (peak > 0.0)
            fraction = MIN(fraction, fraction_of(peak, q->weight_bits) +
                                         source_fraction(q, ql, which));
    }
    if (fraction == INT32_MAX)
        fraction = target;
    fraction = MIN(fraction, target + MIN(SHIFT_MAX, q->acc_bits - 2));
    if (l->bias[row] != 0.0)
        fraction = MIN(fraction, fraction_of(fabs(l->bias[row]), q->acc_bits - 1));
    return fraction;
}

/* Chooses F_r of all rows of layer `k`; false when a row would need too long a left shift. */
static bool choose_rows(Diag *d, const Layer *l, QNetwork *q, int k)
{
    QLayer *ql = &q->layer[k];
    int target = target_fraction(q, ql);
    for (int r = 0; r < ql->rows; r++) {
        int fraction = ql->row_fraction[r] = row_fraction(q, l, ql, r);
        int left = target - fraction;
        if (left > LEFT_SHIFT_MAX || left + q->acc_bits > 62) {
            diag_error(d, l->at, "layer %d, row %d: its weights or bias are too large for the "
                       "chosen precision (the accumulator would be shifted left by %d bits, at "
                       "most %d are built); scale the model or its inputs, or raise "
                       "precision.weight",
                       k, r, left, LEFT_SHIFT_MAX);
            return false;
        }
        q->left_shift = MAX(q->left_shift, left);
    }
    return true;
}

/* Weights are float32 and the scale is a power of two, so product and half are exact in double. */
static int16_t round_weight(float w, double scale)
{
    double v = (double)w * scale;
    return (int16_t)(v + copysign(0.5, v));
}

static void round_matrix(Arena *a, const QNetwork *q, const Matrix *m, const QLayer *ql, int which,
                         QMatrix *out)
{
    *out = (QMatrix){m->rows, m->columns, NULL, m->kept};
    out->value = ARENA_ARRAY(a, int16_t, (size_t)m->rows * m->columns);
    for (int r = 0; r < m->rows; r++) {
        double scale = ldexp(1.0, ql->row_fraction[r] - source_fraction(q, ql, which));
        size_t first = (size_t)r * m->columns;
        const float *w = m->value + first;
        int16_t *v = out->value + first;
        for (int c = 0; c < m->columns; c++)
            v[c] = round_weight(w[c], scale);
        if (m->kept != NULL)
            for (int c = 0; c < m->columns; c++)
                v[c] = m->kept[first + c] ? v[c] : 0;
    }
}

static void round_layer(Arena *a, const Layer *l, QNetwork *q, QLayer *ql)
{
    int top = target_fraction(q, ql) + SHIFT_MAX - q->left_shift;
    for (int r = 0; r < ql->rows; r++) {
        ql->row_fraction[r] = MIN(ql->row_fraction[r], top);
        ql->bias[r] = round_value(ldexp(l->bias[r], ql->row_fraction[r]));
    }
    for (int which = 0; which < MATRICES; which++)
        round_matrix(a, q, &l->m[which], ql, which, &ql->m[which]);
}

static void choose_align(const QNetwork *q, QLayer *l, int align_max)
{
    int gap = q->gate.fraction - l->in.fraction;
    if (l->cell != CELL_LSTM)
        return;
    l->align[MATRIX_W] = MIN(MAX(0, gap), align_max);
    l->align[MATRIX_R] = MIN(MAX(0, -gap), align_max);
}

/* Wide enough for every row of every layer (the proof stands in formats.c). */
static int accumulator_bits(const QNetwork *q)
{
    int columns = 1, align = 0;
    for (int k = 0; k < q->n; k++) {
        const QLayer *l = &q->layer[k];
        columns = MAX(columns, l->inputs + (l->cell == CELL_LSTM ? l->hidden : 0));
        align = MAX(align, MAX(l->align[MATRIX_W], l->align[MATRIX_R]));
    }
    return q->weight_bits + q->gate.bits + clog2(columns) + 1 + align;
}

static void layer_start(Arena *a, const Network *net, double peak, QNetwork *q, int k)
{
    const Layer *l = &net->layer[k];
    QLayer *ql = &q->layer[k];
    *ql = (QLayer){.cell = l->cell, .activation = l->activation, .inputs = l->inputs,
                   .hidden = l->hidden};
    ql->rows = l->m[MATRIX_W].rows;
    ql->in = k == 0 ? q->input : q->layer[k - 1].out;
    ql->out = l->cell == CELL_LSTM ? q->gate : linear_format(l, ql->in, peak, q->gate.bits);
    ql->row_fraction = ARENA_ARRAY(a, int, ql->rows);
    ql->bias = ARENA_ARRAY(a, int64_t, ql->rows);
}

bool quantise_aligned(Arena *a, Diag *d, const Spec *s, const Network *net, const Sequences *seq,
                      int align_max, QNetwork *out)
{
    double peak[LAYERS_MAX] = {0.0};
    *out = (QNetwork){.n = net->n};
    if (!seq->made)
        float_network_peaks(net, seq, peak);
    network_formats(d, s, net, seq, peak, out);
    for (int k = 0; k < net->n; k++) {
        layer_start(a, net, peak[k], out, k);
        choose_align(out, &out->layer[k], align_max);
    }
    out->acc_bits = accumulator_bits(out);
    bool ok = true;
    for (int k = 0; k < net->n; k++)
        ok &= choose_rows(d, &net->layer[k], out, k);
    if (!ok)
        return false;
    for (int k = 0; k < net->n; k++)
        round_layer(a, &net->layer[k], out, &out->layer[k]);
    if (act_table_build(a, out->pre, s->activation_bits, &out->table))
        return true;
    diag_error(d, (Place){s->file, 0, 0}, "no activation table can be made from %d-bit "
               "pre-activations to %d-bit activations: activations have 2 to 16 bits, "
               "pre-activations 5 to 22",
               out->pre.bits, s->activation_bits);
    return false;
}

/* Chooses all formats and rounds weights and biases as formats.c says. `net` is the pruned network
 * with finite weights; `seq` its verify sequences. The result lives in `a` and borrows kept[] of
 * `net`. Warns about inputs of unknown range or that are clipped; false after recording an error
 * about weights that do not fit. */
bool network_quantise(Arena *a, Diag *d, const Spec *s, const Network *net, const Sequences *seq,
                      QNetwork *out)
{
    return quantise_aligned(a, d, s, net, seq, ALIGN_DEFAULT, out);
}
