/* quantise.c: row exponents and rounding of the pruned network (contract: formats.c). */
#include "fixed/fixed.h"

#include <math.h>
#include <string.h>

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
static int source_fraction(const QNetwork *q, int product)
{
    return q->vector[q->net->product[product].from].fraction + q->product[product].align;
}

/* What a row of a layer is rounded to: the format of its pass. The only place that says so. */
Format row_target(const QNetwork *q, int layer, int row)
{
    const Layer *l = &q->net->layer[layer];
    for (int k = 0; k < l->n_passes; k++) {
        int first = layer_row(l, l->pass[k].gate, 0);
        if (row >= first && row < first + pass_units(l, &l->pass[k]))
            return q->layer[layer].z[k];
    }
    FAULT("row %d of layer %d has no pass", row, layer);
}

/* F_r before the limit that left_shift sets: conditions a, b and the ACC - 2 of c. fraction[row]: condition a alone,
 * INT32_MAX for a row without a weight. */
static int row_fraction(const QNetwork *q, const Layer *l, int row, int target, int fraction)
{
    if (fraction == INT32_MAX)
        fraction = target;
    fraction = MIN(fraction, target + MIN(SHIFT_MAX, q->acc_bits - 2));
    if (l->bias[row] != 0.0)
        fraction = MIN(fraction, fraction_of(fabs(l->bias[row]), q->acc_bits - 1));
    return fraction;
}

/* Condition a, for all rows of a layer. */
static void weight_fractions(const QNetwork *q, const Network *net, int k, int *fraction)
{
    for (int r = 0; r < q->layer[k].rows; r++)
        fraction[r] = INT32_MAX;
    for (int p = 0; p < net->products; p++)
        for (int r = 0; net->product[p].layer == k && r < net->product[p].m.rows; r++) {
            double peak = row_peak(&net->product[p].m, r);
            int row = product_layer_row(net, p, r);
            if (peak > 0.0)
                fraction[row] = MIN(fraction[row], fraction_of(peak, q->weight_bits) + source_fraction(q, p));
        }
}

/* Chooses F_r of all rows of layer `k`; false when a row would need too long a left shift. */
static bool choose_rows(Diag *d, const Network *net, QNetwork *q, int k)
{
    const Layer *l = &net->layer[k];
    QLayer *ql = &q->layer[k];
    weight_fractions(q, net, k, ql->row_fraction);
    for (int r = 0; r < ql->rows; r++) {
        int target = row_target(q, k, r).fraction;
        int fraction = ql->row_fraction[r] = row_fraction(q, l, r, target, ql->row_fraction[r]);
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

static void round_product(Arena *a, QNetwork *q, const Network *net, int product)
{
    const Matrix *m = &net->product[product].m;
    const int *row_fraction = q->layer[net->product[product].layer].row_fraction;
    QMatrix *out = &q->product[product].m;
    *out = (QMatrix){m->rows, m->columns, NULL, m->kept};
    out->value = ARENA_ARRAY(a, int16_t, (size_t)m->rows * m->columns);
    for (int r = 0; r < m->rows; r++) {
        int fraction = row_fraction[product_layer_row(net, product, r)];
        double scale = ldexp(1.0, fraction - source_fraction(q, product));
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

static void round_bias(const Layer *l, QNetwork *q, int k)
{
    QLayer *ql = &q->layer[k];
    for (int r = 0; r < ql->rows; r++) {
        int top = row_target(q, k, r).fraction + SHIFT_MAX - q->left_shift;
        ql->row_fraction[r] = MIN(ql->row_fraction[r], top);
        ql->bias[r] = round_value(ldexp(l->bias[r], ql->row_fraction[r]));
    }
}

static void round_peephole(Arena *a, const Layer *l, QNetwork *q, int k)
{
    int rows = (int)strlen(l->cell->W) * l->hidden;
    if (!l->peephole)
        return;
    q->layer[k].peephole = ARENA_ARRAY(a, int32_t, rows);
    for (int r = 0; r < rows; r++)
        q->layer[k].peephole[r] = format_encode(q->peephole, l->peephole[r], NULL);
}

/* Products of a section are brought to the finest fraction among its vectors. */
static void choose_align(QNetwork *q, const Section *s, int align_max)
{
    int finest = INT32_MIN;
    for (int k = 0; k < s->terms; k++)
        finest = MAX(finest, q->vector[q->net->product[s->term[k]].from].fraction);
    for (int k = 0; k < s->terms; k++)
        q->product[s->term[k]].align = MIN(finest - q->vector[q->net->product[s->term[k]].from].fraction, align_max);
}

/* The engine shifts by one number of bits, or not at all: the largest, by every product that is nearer to it than to
 * none. */
static void share_align(QNetwork *q)
{
    int most = 0;
    for (int p = 0; p < q->net->products; p++)
        most = MAX(most, q->product[p].align);
    for (int p = 0; p < q->net->products; p++)
        q->product[p].align = 2 * q->product[p].align > most ? most : 0;
}

/* Wide enough for every row of every layer (the proof stands in formats.c). */
static int accumulator_bits(const QNetwork *q)
{
    int most = 1, align = 0;
    for (int k = 0; k < q->net->sections; k++) {
        const Section *s = &q->net->section[k];
        int columns = 0;
        for (int t = 0; t < s->terms; t++) {
            columns += q->net->product[s->term[t]].m.columns;
            align = MAX(align, q->product[s->term[t]].align);
        }
        most = MAX(most, columns);
    }
    return q->weight_bits + q->gate.bits + clog2(most) + 1 + align + first_h_growth(q);
}

/* Has it a cell whose values no curve keeps within +-1? Even made sequences tell more of those than nothing. */
static bool has_inner_rows(const Network *net)
{
    bool any = false;
    for (int k = 0; k < net->n; k++) {
        const Layer *l = &net->layer[k];
        for (int c = 0; c < cell_curves(l->cell) && !layer_is_linear(l); c++)
            any = any || curve_is_direct(l->activation[c]);
    }
    return any;
}

static bool uses_table(const Network *net, TableKind kind)
{
    bool any = false;
    for (int k = 0; k < net->n; k++)
        for (int c = 0; c < cell_curves(net->layer[k].cell); c++) {
            Curve curve = net->layer[k].activation[c];
            any = any || (!curve_is_direct(curve) && curve_table(curve) == kind);
        }
    return any;
}

/* Tables of a core lie behind each other: they have the segments and the fraction of slopes of the one that needs most. */
static void align_tables(Arena *a, const Network *net, QNetwork *q)
{
    int segment_bits = 0, slope_shift = 0, n = 0;
    for (int kind = 0; kind < TABLE_KINDS; kind++)
        if (uses_table(net, (TableKind)kind)) {
            segment_bits = MAX(segment_bits, q->table[kind].segment_bits);
            slope_shift = MAX(slope_shift, q->table[kind].slope_shift);
            n++;
        }
    bool all = n < 2;
    for (; !all; segment_bits++) {
        all = true;
        for (int kind = 0; kind < TABLE_KINDS; kind++)
            if (uses_table(net, (TableKind)kind))
                all = act_table_refine(a, segment_bits, slope_shift, &q->table[kind]) && all;
    }
}

static bool build_tables(Arena *a, const Network *net, QNetwork *q)
{
    bool ok = true;
    for (int kind = 0; kind < TABLE_KINDS; kind++)
        ok = ok && ((kind != TABLE_TANH && !uses_table(net, (TableKind)kind))
                    || act_table_build_of(a, (TableKind)kind, q->pre, q->gate.bits, q->curve.bits, &q->table[kind]));
    if (ok)
        align_tables(a, net, q);
    return ok;
}

bool quantise_aligned(Arena *a, Diag *d, const Spec *s, const Network *net, const Sequences *seq,
                      int align_max, QNetwork *out)
{
    Peaks peaks = {.state = {0.0}};
    Network *copy = ARENA_NEW(a, Network);
    *copy = *net;
    *out = (QNetwork){.net = copy};
    if (!seq->made || has_inner_rows(net))
        float_network_peaks(net, seq, &peaks);
    network_formats(d, s, net, seq, &peaks, out);
    for (int k = 0; k < net->n; k++) {
        out->layer[k].rows = layer_rows(&net->layer[k]);
        out->layer[k].row_fraction = ARENA_ARRAY(a, int, out->layer[k].rows);
        out->layer[k].bias = ARENA_ARRAY(a, int64_t, out->layer[k].rows);
    }
    for (int k = 0; k < net->sections; k++)
        choose_align(out, &net->section[k], align_max);
    share_align(out);
    out->acc_bits = accumulator_bits(out);
    bool ok = true;
    for (int k = 0; k < net->n; k++)
        ok &= choose_rows(d, net, out, k);
    if (!ok)
        return false;
    for (int k = 0; k < net->n; k++) {
        round_bias(&net->layer[k], out, k);
        round_peephole(a, &net->layer[k], out, k);
    }
    for (int p = 0; p < net->products; p++)
        round_product(a, out, net, p);
    if (build_tables(a, net, out))
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
