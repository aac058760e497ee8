/* grouped_columns.c: in each group of rows the same columns survive (structured pruning: Wang et al., IEEE Access 2019,
 * 10.1109/access.2019.2917312).
 *
 * A group is `group_rows` neighbouring rows of one gate: rows n*G .. n*G + G - 1 of i, then of f, g and o, the last
 * group of a gate may be smaller; `all`: the rows of all gates together. A group keeps the K = ceil(keep * columns)
 * columns with the largest l2 norm over its rows, ties to the lower column. Storage: the survivors of a row in column
 * order, dealt to the lanes in turn; one list of column numbers serves all rows of a group. */
#include "pattern/pattern.h"

#include <math.h>
#include <stdlib.h>

static int gcd(int a, int b)
{
    return b == 0 ? a : gcd(b, a % b);
}

/* Rows of a group: all of the matrix, or at most those of a gate. */
static int group_size(const Spec *s, const Matrix *m, bool linear)
{
    return s->group_rows < 0 || linear ? m->rows : MIN(s->group_rows, m->rows / m->gates);
}

static bool is_linear(const Network *net, int product)
{
    return layer_is_linear(&net->layer[net->product[product].layer]);
}

/* Another pattern whose rows differ in what they read: then no two PEs have the same list. */
static bool rows_differ(const Network *net)
{
    for (int k = 0; k < net->products; k++) {
        const Pattern *p = net->product[k].m.pattern;
        if (p && p->private_vectors && p != &pattern_grouped_columns)
            return true;
    }
    return false;
}

/* PEs that always hold rows of the same group: tiles begin at multiples of pes, groups at multiples of group_rows. */
static int grouped_columns_share(const Spec *s, const Network *net)
{
    int share = s->pes;
    if (rows_differ(net))
        return 1;
    for (int p = 0; p < net->products; p++) {
        const Matrix *m = &net->product[p].m;
        if (!is_linear(net, p) && s->group_rows < m->rows / m->gates)
            share = gcd(share, s->group_rows);
    }
    return s->group_rows < 0 ? 0 : share;
}

static void check_rates(const Spec *s, const Network *net, Diag *d)
{
    for (int p = 0; p < net->products && s->group_rows < 0; p++) {
        const Matrix *m = &net->product[p].m;
        if (m->pattern == &pattern_grouped_columns && rate_differs(&m->keep, m->gates))
            diag_error(d, m->keep.at, "a rate for each gate of %s of layer %d, but with group_rows: all the rows "
                       "of all gates keep the same columns: give one rate, or a number of group_rows",
                       product_name(net, p), net->product[p].layer);
    }
}

static void grouped_columns_check(Spec *s, const Network *net, Diag *d)
{
    if (s->group_rows == 0)
        s->group_rows = s->pes;
    check_rates(s, net, d);
    int share = grouped_columns_share(s, net), could = MIN(s->group_rows, s->pes);
    if (s->group_rows > 0 && share < could && !rows_differ(net))
        diag_warn(d, spec_at(s, "sparsity.group_rows"),
                  "groups of %d rows on %d PEs: only %d PE%s can share an index list and a copy of the vector (their "
                  "greatest common divisor), so there are %d copies where %d would do: make one a multiple of the "
                  "other",
                  s->group_rows, s->pes, share, share > 1 ? "s" : "", s->pes / share, (s->pes + could - 1) / could);
}

/* ---- projection */
typedef struct Column { double norm; int index; } Column;

static int by_norm(const void *a, const void *b)
{
    const Column *x = a, *y = b;
    if (x->norm != y->norm)
        return x->norm < y->norm ? 1 : -1;
    return x->index - y->index;
}

/* Marks the columns that a group keeps: the `keep` largest, or (keep 0) those with a weight. Returns how many. */
static int choose_columns(const Matrix *m, int first, int rows, int keep, Column *column, uint8_t *chosen)
{
    for (int c = 0; c < m->columns; c++) {
        column[c] = (Column){0, c};
        for (int r = first; r < first + rows; r++) {
            double v = m->value[(int64_t)r * m->columns + c];
            column[c].norm += v * v;
        }
        chosen[c] = 0;
    }
    int n = 0;
    if (keep > 0)
        qsort(column, (size_t)m->columns, sizeof *column, by_norm);
    for (int k = 0; k < m->columns; k++)
        if (keep > 0 ? k < keep : column[k].norm > 0)
            chosen[column[k].index] = 1, n++;
    return n;
}

static void keep_columns(Matrix *m, int first, int rows, const uint8_t *chosen)
{
    for (int64_t r = first; r < first + rows; r++)
        for (int c = 0; c < m->columns; c++) {
            m->kept[r * m->columns + c] = chosen[c];
            if (!chosen[c])
                m->value[r * m->columns + c] = 0;
        }
}

/* Groups of a matrix in order; false after the last one. */
typedef struct Group { int first, rows; } Group;

static bool next_group(const Matrix *m, int size, Group *g)
{
    int units = m->rows / m->gates, gate = size > units ? m->rows : units;
    g->first += g->rows;
    if (g->first >= m->rows)
        return false;
    g->rows = MIN(size, gate - g->first % gate);
    return true;
}

typedef struct Fill { int most, row, last; int64_t kept, groups, columns; } Fill;

static bool too_empty(const Spec *s, Diag *d, const Matrix *m, const char *name, const Fill *f, Place at)
{
    double stored = (double)m->rows * MAX(f->most, 1), padding = (stored - (double)f->kept) / stored;
    if (padding <= s->max_padding)
        return false;
    diag_error(d, at, "keep: asis: the zeros of %s are not grouped columns: the group of rows %d to %d uses %d "
               "columns, the mean is %.2f, of which %.2f have a weight in a row; %.0f %% of the stored weights would "
               "be padding, sparsity.max_padding allows %.0f %%: retrain under a mask of grouped columns or give a "
               "rate", name, f->row, f->last, f->most, (double)f->columns / (double)f->groups,
               (double)f->kept / m->rows, 100 * padding, 100 * s->max_padding);
    return true;
}

/* Columns that a group keeps, by the rate of the gate of its first row; 0: those with a weight. */
static int group_keep(const Matrix *m, int row)
{
    double rate = m->keep.gate[row / (m->rows / m->gates)];
    return m->keep.asis ? 0 : MIN(MAX(1, (int)ceil(rate * m->columns - 1e-9)), m->columns);
}

static bool grouped_columns_prune(const Spec *s, Arena *a, Diag *d, Network *net, int product)
{
    Matrix *m = &net->product[product].m;
    int size = group_size(s, m, is_linear(net, product));
    Column *column = ARENA_ARRAY(a, Column, m->columns);
    uint8_t *chosen = ARENA_ARRAY(a, uint8_t, m->columns);
    Fill fill = {0};
    m->kept = ARENA_ARRAY(a, uint8_t, (int64_t)m->rows * m->columns);
    for (int64_t i = 0; i < (int64_t)m->rows * m->columns; i++)
        fill.kept += m->value[i] != 0;
    for (Group g = {0}; next_group(m, size, &g);) {
        int n = choose_columns(m, g.first, g.rows, group_keep(m, g.first), column, chosen);
        keep_columns(m, g.first, g.rows, chosen);
        fill.groups++, fill.columns += n;
        if (n > fill.most)
            fill.most = n, fill.row = g.first, fill.last = g.first + g.rows - 1;
    }
    return !m->keep.asis || !too_empty(s, d, m, product_name(net, product), &fill, m->keep.at);
}

/* ---- storage */
/* The most that a row of the gate keeps; adds to *kept what is there (asis: without the zeros that come along). */
static int longest_row(const Matrix *m, int gate, int64_t *kept)
{
    int most = 1, rows = m->rows / m->gates;
    for (int64_t r = (int64_t)gate * rows; r < (gate + 1) * rows; r++) {
        int here = 0;
        for (int c = 0; c < m->columns; c++) {
            int64_t at = r * m->columns + c;
            here += survives(m, at);
            *kept += m->keep.asis ? m->value[at] != 0 : survives(m, at);
        }
        most = MAX(most, here);
    }
    return most;
}

static MatrixPlan grouped_columns_plan(const Spec *s, const Matrix *m)
{
    int rows = m->rows / m->gates;
    MatrixPlan p = {.bank_size = m->columns, .index_bits = MAX(clog2(m->columns), 1),
                    .rows = s->group_rows < 0 ? m->rows : m->gates == 1 ? rows : MIN(s->group_rows, rows)};
    for (int g = 0; g < m->gates; g++) {
        p.gate_keep[g] = longest_row(m, g, &p.kept);
        p.gate_cycles[g] = (p.gate_keep[g] + s->pe_width - 1) / s->pe_width;
        p.keep = MAX(p.keep, p.gate_keep[g]);
        p.cycles = MAX(p.cycles, p.gate_cycles[g]);
        p.stored += (int64_t)rows * p.gate_cycles[g] * s->pe_width;
    }
    p.banks = MIN(s->pe_width, p.keep);
    return p;
}

/* log2 C(columns, K) bits per group of rows. */
static double grouped_columns_bound(const MatrixPlan *plan, int rows, int columns, int weight_bits)
{
    double bits = 0, kept = 0;
    (void)rows;
    for (int g = 0; g < GATES_MAX && plan->gate_keep[g] > 0; g++) {
        bits += log2_choose(columns, plan->gate_keep[g]);
        kept += plan->gate_keep[g];
    }
    return weight_bits + bits / (kept * plan->rows);
}

static const char *grouped_columns_settings(Arena *a, const Spec *s)
{
    return s->group_rows < 0 ? "groups of all rows" : str_format(a, "groups of %d rows", s->group_rows);
}

static const char *const grouped_columns_keys[] = {"sparsity.group_rows", "sparsity.keep", "sparsity.max_padding",
                                                   NULL};

const Pattern pattern_grouped_columns = {
    .name = "grouped_columns",
    .summary = "Rows are cut into groups; all rows of a group keep the same columns.",
    .keeps = "the K = ceil(keep * columns) columns with the largest l2 norm over the group_rows rows of a gate (or "
             "all)",
    .hardware = "the PEs of a tile that work on one group read one index list and one copy of the vector, any element "
                "a lane",
    .grain = "each group of rows keeps a whole number of columns, at least one",
    .costs = "log2(columns) / group_rows index bits per weight, a copy of the vector per lane and list; perfect "
             "balance",
    .paper = "Wang et al., IEEE Access 2019, 10.1109/access.2019.2917312",
    .engine = &engine_gather,
    .keys = grouped_columns_keys,
    .check = grouped_columns_check,
    .settings = grouped_columns_settings,
    .prune = grouped_columns_prune,
    .plan = grouped_columns_plan,
    .pack = columns_pack,
    .unpack = columns_unpack,
    .private_vectors = true,
    .whole_vector = true,
    .share = grouped_columns_share,
    .bound_bits = grouped_columns_bound,
};
