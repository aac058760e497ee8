/* structured_blocks.c: dense kernels inside blocks (CSB-RNN: Shi et al., ICS 2020, arXiv 2005.05758).
 *
 * The matrix is cut into blocks of `block` x `block`, edge blocks are smaller. Rows first: of the row segments of every
 * block-column the ceil(sqrt(keep) * rows) with the largest l2 norm survive; then of the column segments of every
 * block-row those with the largest norm of what is left, ties to the lower index. What is left of a block is a dense
 * kernel of n rows and m columns.
 * How many column segments: the paper keeps sqrt(keep) of them, but the fullest blocks win, so that a sixth more
 * weights than `keep` would be left. Here the count of weights is what is exact: block-row after block-row takes
 * segments while that brings the weights kept so far nearer to keep * (rows so far) * columns; at least one.
 * With `align` the columns of a block are taken engine.pe_width at a time, best ones first, and these bundles are
 * ranked by their mean square: so m is a multiple of pe_width (but for the last bundle of a block), and no lane idles
 * at a row's end. Storage: five arrays (blocks.h). On the engine a PE works through its rows one after the other, each
 * as many cycles as its weights need (plan/elastic.c). */
#include "pattern/blocks.h"
#include "pattern/pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_DEFAULT = 32 };

static void structured_blocks_check(Spec *s, const Network *net, Diag *d)
{
    bool given = s->block != 0;
    Place at = spec_at(s, "sparsity.block");
    if (!given)
        s->block = BLOCK_DEFAULT;
    for (int p = 0; p < net->products && given; p++) {
        const Matrix *m = &net->product[p].m;
        if (m->pattern == &pattern_structured_blocks && net->product[p].use == USE_W && s->block > m->rows
            && s->block > m->columns)
            diag_error(d, at, "sparsity.block: blocks of %d x %d are larger than matrix W of layer %d (%d x %d)",
                       s->block, s->block, net->product[p].layer, m->rows, m->columns);
    }
}

/* ---- projection */
typedef struct Part { double norm; int index; } Part;

static int by_norm(const void *a, const void *b)
{
    const Part *x = a, *y = b;
    if (x->norm != y->norm)
        return x->norm < y->norm ? 1 : -1;
    return x->index - y->index;
}

static double square(const Matrix *m, int r, int c)
{
    double v = m->value[(int64_t)r * m->columns + c];
    return m->kept[(int64_t)r * m->columns + c] ? v * v : 0;
}

static void drop(Matrix *m, int r, int c)
{
    m->kept[(int64_t)r * m->columns + c] = 0;
    m->value[(int64_t)r * m->columns + c] = 0;
}

/* Row segments of the block-column that begins at c0. */
static void drop_rows(Matrix *m, int c0, int side, int keep, Part *part)
{
    int c1 = MIN(c0 + side, m->columns);
    for (int r = 0; r < m->rows; r++) {
        part[r] = (Part){0, r};
        for (int c = c0; c < c1; c++)
            part[r].norm += square(m, r, c);
    }
    qsort(part, (size_t)m->rows, sizeof *part, by_norm);
    for (int k = keep; k < m->rows; k++)
        for (int c = c0; c < c1; c++)
            drop(m, part[k].index, c);
}

/* Columns of one block, best first, in bundles of up to q: each a candidate with the weights it would keep. */
typedef struct Bundle { double norm; int first, n, weights; } Bundle;

static int by_mean(const void *a, const void *b)
{
    const Bundle *x = a, *y = b;
    if (x->norm != y->norm)
        return x->norm < y->norm ? 1 : -1;
    return x->first - y->first;
}

/* Scratch of one matrix: a part and a bundle per column of the block-row. */
typedef struct Ranking { Part *part; Bundle *bundle; int n; } Ranking;

static void bundle_block(const Matrix *m, int r0, int r1, int c0, int c1, int q, Ranking *k)
{
    int rows = 0;
    for (int r = r0; r < r1; r++)
        rows += m->kept[(int64_t)r * m->columns + c0];
    for (int c = c0; c < c1; c++) {
        k->part[c] = (Part){0, c};
        for (int r = r0; r < r1; r++)
            k->part[c].norm += square(m, r, c);
    }
    qsort(k->part + c0, (size_t)(c1 - c0), sizeof *k->part, by_norm);
    for (int c = c0; c < c1 && rows > 0; c += q) {
        Bundle b = {.first = c, .n = MIN(q, c1 - c)};
        b.weights = b.n * rows;
        for (int i = 0; i < b.n; i++)
            b.norm += k->part[c + i].norm / b.n;
        k->bundle[k->n++] = b;
    }
}

/* Drops column segments of the block-row r0 .. r1 - 1 so that the matrix keeps about `target` weights up to there, of
 * which `kept` lie above; returns how many are kept up to there. */
static int64_t drop_columns(const Spec *s, Matrix *m, int r0, int r1, int64_t kept, double target, Ranking *k)
{
    k->n = 0;
    for (int c = 0; c < m->columns; c += s->block)
        bundle_block(m, r0, r1, c, MIN(c + s->block, m->columns), s->align ? s->pe_width : 1, k);
    qsort(k->bundle, (size_t)k->n, sizeof *k->bundle, by_mean);
    int taken = 0;
    for (; taken < k->n; kept += k->bundle[taken++].weights) {
        double with = (double)(kept + k->bundle[taken].weights);
        if (taken > 0 && fabs(with - target) > fabs((double)kept - target))
            break;
    }
    for (; taken < k->n; taken++)
        for (int i = 0; i < k->bundle[taken].n; i++)
            for (int r = r0; r < r1; r++)
                drop(m, r, k->part[k->bundle[taken].first + i].index);
    return kept;
}

static int count_of(double rate, int n)
{
    return MIN(MAX(1, (int)ceil(sqrt(rate) * n - 1e-9)), n);
}

static void project(const Spec *s, Arena *a, Matrix *m, double rate)
{
    Part *part = ARENA_ARRAY(a, Part, MAX(m->rows, m->columns));
    Ranking k = {.part = ARENA_ARRAY(a, Part, m->columns), .bundle = ARENA_ARRAY(a, Bundle, m->columns)};
    int64_t kept = 0;
    memset(m->kept, 1, (size_t)m->rows * (size_t)m->columns);
    for (int c = 0; c < m->columns; c += s->block)
        drop_rows(m, c, s->block, count_of(rate, m->rows), part);
    for (int r = 0; r < m->rows; r += s->block) {
        int r1 = MIN(r + s->block, m->rows);
        kept = drop_columns(s, m, r, r1, kept, rate * r1 * m->columns, &k);
    }
}

/* A rate for each gate: the rows of a gate are cut into blocks by themselves. */
static void project_gates(const Spec *s, Arena *a, Matrix *m)
{
    for (int g = 0; g < m->gates; g++) {
        int64_t rows = m->rows / m->gates, first = g * rows * m->columns;
        Matrix gate = {.rows = (int)rows, .columns = m->columns, .value = m->value + first, .kept = m->kept + first};
        project(s, a, &gate, m->keep.gate[g]);
    }
}

/* keep: asis: kernels are spanned by the rows and columns with a weight; the zeros in them are stored. */
typedef struct Fill { int64_t kept, stored; double worst; int row, column; } Fill;

static void span_block(Matrix *m, int r0, int c0, int side, uint8_t *used, Fill *f)
{
    int r1 = MIN(r0 + side, m->rows), c1 = MIN(c0 + side, m->columns), n = 0, k = 0, kept = 0;
    memset(used, 0, (size_t)side * 2);
    for (int r = r0; r < r1; r++)
        for (int c = c0; c < c1; c++)
            if (m->value[(int64_t)r * m->columns + c] != 0)
                used[r - r0] = used[side + c - c0] = 1, kept++;
    for (int i = 0; i < side; i++)
        n += used[i], k += used[side + i];
    for (int r = r0; r < r1; r++)
        for (int c = c0; c < c1; c++)
            m->kept[(int64_t)r * m->columns + c] = used[r - r0] && used[side + c - c0];
    f->kept += kept;
    f->stored += (int64_t)n * k;
    if (n * k - kept > f->worst)
        f->worst = n * k - kept, f->row = r0, f->column = c0;
}

static bool span_asis(const Spec *s, Arena *a, Diag *d, Matrix *m, const char *name, Place at)
{
    Fill f = {0};
    uint8_t *used = ARENA_ARRAY(a, uint8_t, 2 * s->block);
    for (int r = 0; r < m->rows; r += s->block)
        for (int c = 0; c < m->columns; c += s->block)
            span_block(m, r, c, s->block, used, &f);
    double padding = (double)(f.stored - f.kept) / (double)MAX(f.stored, 1);
    if (padding <= s->max_padding)
        return true;
    diag_error(d, at, "keep: asis: the zeros of %s are not those of blocks of %d x %d: the block at row %d, column %d "
               "would store %d zeros; %.0f %% of the stored weights would be padding, sparsity.max_padding allows "
               "%.0f %%: retrain under a mask of structured blocks, try another sparsity.block or give a rate",
               name, s->block, s->block, f.row, f.column, (int)f.worst, 100 * padding, 100 * s->max_padding);
    return false;
}

static bool structured_blocks_prune(const Spec *s, Arena *a, Diag *d, Network *net, int product)
{
    Matrix *m = &net->product[product].m;
    m->kept = ARENA_ARRAY(a, uint8_t, (int64_t)m->rows * m->columns);
    if (m->keep.asis)
        return span_asis(s, a, d, m, product_name(net, product), m->keep.at);
    if (rate_differs(&m->keep, m->gates))
        project_gates(s, a, m);
    else
        project(s, a, m, m->keep.gate[0]);
    return true;
}

/* ---- on the engine */
static int row_weights(const uint8_t *kept, int columns, int64_t row)
{
    int n = 0;
    for (int c = 0; c < columns; c++)
        n += !kept || kept[row * columns + c];
    return n;
}

static int structured_blocks_row_cycles(const Matrix *m, int row, int lanes)
{
    return (row_weights(m->kept, m->columns, row) + lanes - 1) / lanes;
}

static MatrixPlan structured_blocks_plan(const Spec *s, const Matrix *m)
{
    int most = 1;
    int64_t kept = 0, cycles = 0;
    for (int64_t r = 0; r < m->rows; r++) {
        int here = row_weights(m->kept, m->columns, r);
        for (int c = 0; m->keep.asis && c < m->columns; c++)
            kept += m->value[r * m->columns + c] != 0;
        kept += m->keep.asis ? 0 : here;
        cycles += structured_blocks_row_cycles(m, (int)r, s->pe_width);
        most = MAX(most, here);
    }
    return (MatrixPlan){.banks = MIN(s->pe_width, most), .bank_size = m->columns, .keep = most,
                        .cycles = (most + s->pe_width - 1) / s->pe_width, .index_bits = MAX(clog2(m->columns), 1),
                        .kept = kept, .stored = cycles * s->pe_width, .rows = s->block,
                        .gates = rate_differs(&m->keep, m->gates) ? m->gates : 1};
}

/* Which row segments of each block-column and which column segments of each block-row; blocks of 32 stand for all. */
static double structured_blocks_bound(const MatrixPlan *plan, int rows, int columns, int weight_bits)
{
    double kept = (double)MAX(plan->kept, 1), side = sqrt(kept / ((double)rows * columns));
    double across = ceil(columns / (double)BLOCK_DEFAULT), down = ceil(rows / (double)BLOCK_DEFAULT);
    return weight_bits + (across * log2_choose(rows, ceil(side * rows))
                          + down * log2_choose(columns, ceil(side * columns)))
                             / kept;
}

static const char *structured_blocks_settings(Arena *a, const Spec *s)
{
    return str_format(a, "blocks of %d%s", s->block, s->align ? ", aligned" : "");
}

static const char *const structured_blocks_keys[] = {"sparsity.block", "sparsity.align", "sparsity.keep",
                                                     "sparsity.max_padding", NULL};

const Pattern pattern_structured_blocks = {
    .name = "structured_blocks",
    .summary = "The matrix is cut into square blocks; each keeps a dense kernel of some of its rows and columns.",
    .keeps = "ceil(sqrt(keep) * rows) row segments of every block-column, then the column segments of every block-row "
             "that make up the rest of `keep`",
    .hardware = "each PE works through its rows at its own pace; results wait until all PEs have the row; each "
                "multiplier reads any element of its own copy of the vector; neurons are dealt to PEs so that all "
                "have the same work; report.md has a picture of the schedule",
    .grain = "each block keeps whole rows and columns, at least one of each; larger blocks (sparsity.block) or align: false "
             "come closer",
    .costs = "an index per weight, a copy of the vector per multiplier (h waits in a queue, so that a copy has few "
             "banks); lanes idle in the last cycle of a row (`align` avoids most of it); PEs with less work",
    .paper = "Shi et al., ICS 2020, arXiv 2005.05758",
    .engine = &engine_gather,
    .keys = structured_blocks_keys,
    .check = structured_blocks_check,
    .settings = structured_blocks_settings,
    .prune = structured_blocks_prune,
    .plan = structured_blocks_plan,
    .pack = columns_pack,
    .unpack = columns_unpack,
    .private_vectors = true,
    .whole_vector = true,
    .row_cycles = structured_blocks_row_cycles,
    .prune_reads = PRUNE_READS_PE_WIDTH,
    .bound_bits = structured_blocks_bound,
};
