/* column_balanced.c: each sub-column of each column keeps the same number of weights (CBTD; Gao et al., "Spartus",
 * 2021, arXiv 2108.02297).
 *
 * The rows of an LSTM matrix are the gates stacked, 4H in all; M = engine.pes. PE p owns the gates of neurons p, p + M,
 * p + 2M ...: its local row of gate g of neuron k*M + p is g*G + k, with G = ceil(H / M) neurons to a PE (where M
 * divides H that is rows p, p + M, ... of the stack). A sub-column is what a PE holds of a column, S = 4G rows; it
 * keeps the S - floor(S * (1 - keep)) largest magnitudes, ties to the lower row. Storage, column-balanced compressed
 * sparse columns: BLEN words per column and PE, each a weight and its local row; no pointers. A linear head keeps
 * all. */
#include "pattern/pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How the rows of a matrix are dealt: `gates` parts of `units` rows each, `groups` of them to a PE, by position. */
typedef struct Deal { int gates, units, groups, pes; const int *order; } Deal;

static Deal deal_of(int rows, int gates, int pes, const int *order)
{
    int units = rows / gates;
    return (Deal){gates, units, (units + pes - 1) / pes, pes, order};
}

static int deal_rows(const Deal *l)
{
    return l->gates * l->groups;
}

/* Row of the matrix that is local row `local` of PE `pe`, or -1 for padding. */
static int deal_row(const Deal *l, int pe, int local)
{
    int position = local % l->groups * l->pes + pe;
    if (position >= l->units)
        return -1;
    return local / l->groups * l->units + (l->order ? l->order[position] : position);
}

int column_balanced_keep(int rows, double keep)
{
    return MAX(1, rows - (int)floor(rows * (1 - keep) + 1e-9));
}

static int by_magnitude(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Local rows first .. end - 1 of a sub-column, and how many of them are kept. */
typedef struct Share { int first, end, keep; } Share;

/* Keeps the largest of a share of a sub-column; `scratch` has room for its rows. */
static void prune_sub_column(Matrix *m, const Deal *l, int column, int pe, Share s, float *scratch)
{
    int n = 0, above = 0, k = s.keep;
    for (int local = s.first; local < s.end; local++) {
        int row = deal_row(l, pe, local);
        if (row >= 0)
            scratch[n++] = fabsf(m->value[(int64_t)row * m->columns + column]);
    }
    if (n == 0)
        return;
    qsort(scratch, (size_t)n, sizeof *scratch, by_magnitude);
    float limit = scratch[MIN(k, n) - 1];
    while (above < n && scratch[above] > limit)
        above++;
    int ties = MIN(k, n) - above;
    for (int local = s.first; local < s.end; local++) {
        int row = deal_row(l, pe, local);
        int64_t at = (int64_t)row * m->columns + column;
        if (row < 0)
            continue;
        float size = fabsf(m->value[at]);
        m->kept[at] = size > limit || (size == limit && ties-- > 0);
        if (!m->kept[at])
            m->value[at] = 0;
    }
}

/* How full the sub-columns of a matrix are. */
typedef struct Fill { int most, column, pe; int64_t kept; } Fill;

static Fill measure_fill(const Matrix *m, const Deal *l)
{
    Fill fill = {0};
    for (int c = 0; c < m->columns; c++)
        for (int pe = 0; pe < l->pes; pe++) {
            int count = 0;
            for (int local = 0; local < deal_rows(l); local++) {
                int row = deal_row(l, pe, local);
                count += row >= 0 && m->kept[(int64_t)row * m->columns + c];
            }
            fill.kept += count;
            if (count > fill.most)
                fill.most = count, fill.column = c, fill.pe = pe;
        }
    return fill;
}

/* The zeros of the file decide; refuses zeros that would need too much padding. */
static bool prune_asis(const Spec *s, Diag *d, Matrix *m, const Deal *l, const char *name, Place at)
{
    int64_t total = (int64_t)m->rows * m->columns;
    for (int64_t i = 0; i < total; i++)
        m->kept[i] = m->value[i] != 0;
    Fill fill = measure_fill(m, l);
    double sub_columns = (double)m->columns * MIN(l->pes, l->units), stored = sub_columns * MAX(fill.most, 1);
    double padding = (stored - (double)fill.kept) / stored;
    if (padding <= s->max_padding)
        return true;
    diag_error(d, at, "keep: asis: the zeros of %s are not column-balanced: column %d keeps %d weights in sub-column "
               "%d (rows %d, %d ... of the %d PEs' rows), the mean is %.2f; %.0f %% of the stored weights would be "
               "padding, sparsity.max_padding allows %.0f %%: retrain under a column-balanced mask or give a rate",
               name, fill.column, fill.most, fill.pe, fill.pe, fill.pe + l->pes, l->pes,
               (double)fill.kept / sub_columns, 100 * padding, 100 * s->max_padding);
    return false;
}

/* A sub-column is one share; with a rate for each gate every gate's rows are. Returns how many. */
static int shares_of(const Matrix *m, const Deal *l, Share share[GATES_MAX])
{
    int rows = deal_rows(l);
    if (!rate_differs(&m->keep, m->gates)) {
        share[0] = (Share){0, rows, column_balanced_keep(rows, m->keep.gate[0])};
        return 1;
    }
    for (int g = 0; g < m->gates; g++)
        share[g] = (Share){g * l->groups, (g + 1) * l->groups, column_balanced_keep(l->groups, m->keep.gate[g])};
    return m->gates;
}

static bool column_balanced_prune(const Spec *s, Arena *a, Diag *d, Network *net, int product)
{
    Matrix *m = &net->product[product].m;
    int layer = net->product[product].layer, rows_of = section_of_product(net, product)->writes;
    bool linear = layer_is_linear(&net->layer[layer]);
    m->order = rows_of >= 0 ? net->vector[rows_of].order : NULL;
    m->kept = ARENA_ARRAY(a, uint8_t, (int64_t)m->rows * m->columns);
    Deal l = deal_of(m->rows, m->gates, s->pes, m->order);
    if (m->keep.asis && linear) {
        memset(m->kept, 1, (size_t)m->rows * (size_t)m->columns);
        return true;
    }
    if (m->keep.asis)
        return prune_asis(s, d, m, &l, product_name(net, product), m->keep.at);
    Share share[GATES_MAX];
    int shares = shares_of(m, &l, share);
    float *scratch = ARENA_ARRAY(a, float, deal_rows(&l));
    for (int c = 0; c < m->columns; c++)
        for (int pe = 0; pe < l.pes; pe++)
            for (int k = 0; k < shares; k++)
                prune_sub_column(m, &l, c, pe, share[k], scratch);
    return true;
}

static MatrixPlan column_balanced_plan(const Spec *s, const Matrix *m)
{
    Deal l = deal_of(m->rows, m->gates, s->pes, m->order);
    Fill fill = measure_fill(m, &l);
    int keep = MAX(fill.most, 1), size = (m->columns + s->pe_width - 1) / s->pe_width;
    return (MatrixPlan){.banks = MIN(s->pe_width, m->columns), .bank_size = size, .keep = keep, .cycles = keep,
                        .index_bits = MAX(clog2(deal_rows(&l)), 1), .kept = fill.kept, .gates = l.gates,
                        .rows = deal_rows(&l), .order = m->order, .stored = (int64_t)m->columns * s->pes * keep};
}

/* A column as its PEs hold it: word k of PE p at k*pes + p, by ascending row. Padding multiplies the last of the other
 * rows by 0: no row comes twice. */
static void column_balanced_pack(const MatrixPlan *plan, const QMatrix *q, int column, int pes, LaneWord *out)
{
    Deal l = deal_of(q->rows, plan->gates, pes, plan->order);
    memset(out, 0, sizeof *out * (size_t)plan->cycles * (size_t)pes);
    for (int pe = 0; column >= 0 && pe < pes; pe++) {
        int rank = 0, others = deal_rows(&l) - plan->cycles;    /* rows that are neither kept nor padding */
        for (int local = 0; local < deal_rows(&l); local++) {
            int row = deal_row(&l, pe, local);
            int64_t at = (int64_t)row * q->columns + column;
            bool kept = row >= 0 && (!q->kept || q->kept[at]);
            if (!kept && others-- > 0)
                continue;
            REQUIRE(rank < plan->cycles);
            out[rank++ * pes + pe] = (LaneWord){kept ? q->value[at] : 0, (uint16_t)local};
        }
    }
}

/* `rows` of the matrix; out is the column. */
static void column_balanced_unpack(const MatrixPlan *plan, int rows, int pes, const LaneWord *in, int16_t *out)
{
    Deal l = deal_of(rows, plan->gates, pes, plan->order);
    for (int rank = 0; rank < plan->cycles; rank++)
        for (int pe = 0; pe < pes; pe++, in++) {
            int row = deal_row(&l, pe, in->index);
            if (in->weight != 0 && row >= 0)
                out[row] = in->weight;
        }
}

/* Per sub-column of n rows with k survivors: log2 C(n, k) bits say which ones. */
static double column_balanced_bound(const MatrixPlan *plan, int rows, int columns, int weight_bits)
{
    (void)rows, (void)columns;
    return weight_bits + log2_choose(plan->rows, plan->keep) / plan->keep;
}

static const char *column_balanced_settings(Arena *a, const Spec *s)
{
    return str_format(a, "rows of %d PEs", s->pes);
}

static const char *const column_balanced_keys[] = {"sparsity.keep", "sparsity.max_padding", "delta.x", "delta.h",
                                                   "delta.encoder_lanes", "delta.profile", NULL};

const Pattern pattern_column_balanced = {
    .name = "column_balanced",
    .summary = "The rows of every column are dealt to the PEs; each PE's share keeps the same number of weights.",
    .keeps = "the S - floor(S * (1 - keep)) largest magnitudes of the S rows that a PE owns, in every column",
    .hardware = "pe_width arrays of pes PEs: an array takes a column and multiplies it with one element of x or h; "
                "each PE adds to its own rows; with many rows and few columns two of them are read out at once",
    .grain = "each PE keeps a whole number of its few rows of a column, at least one; fewer PEs (engine.pes) come closer",
    .costs = "log2(S) index bits per weight, two row memories and an adder per multiplier; columns of unchanged "
             "elements can be skipped (delta)",
    .paper = "Gao et al., Spartus, 2021, arXiv 2108.02297",
    .keys = column_balanced_keys,
    .engine = &engine_scatter,
    .settings = column_balanced_settings,
    .prune = column_balanced_prune,
    .plan = column_balanced_plan,
    .pack = column_balanced_pack,
    .unpack = column_balanced_unpack,
    .prune_reads = PRUNE_READS_PES,
    .bound_bits = column_balanced_bound,
};
