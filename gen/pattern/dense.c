/* dense.c: every weight, no index. The baseline that the other patterns are compared with, on the same engine. */
#include "pattern/pattern.h"

static bool dense_prune(const Spec *s, Arena *a, Diag *d, Network *net, int product)
{
    (void)s, (void)a, (void)d, (void)net, (void)product;
    return true;
}

/* Columns are dealt round: column c is in bank c mod lanes, so that consecutive elements of the stream and of h reach
 * different banks. */
static MatrixPlan dense_plan(const Spec *s, const Matrix *m)
{
    int lanes = s->pe_width, size = (m->columns + lanes - 1) / lanes;
    int64_t all = (int64_t)m->rows * m->columns;
    return (MatrixPlan){.banks = MIN(lanes, m->columns), .bank_size = size, .keep = size, .cycles = size,
                        .kept = all, .stored = (int64_t)m->rows * size * lanes};
}

static void dense_pack(const MatrixPlan *plan, const QMatrix *q, int row, int lanes, LaneWord *out)
{
    for (int k = 0; k < plan->cycles; k++)
        for (int lane = 0; lane < lanes; lane++) {
            int column = k * lanes + lane;
            bool inside = row >= 0 && column < q->columns;
            *out++ = (LaneWord){inside ? q->value[(int64_t)row * q->columns + column] : 0, 0};
        }
}

static void dense_unpack(const MatrixPlan *plan, int columns, int lanes, const LaneWord *in, int16_t *out)
{
    for (int k = 0; k < plan->cycles; k++)
        for (int lane = 0; lane < lanes; lane++, in++)
            if (k * lanes + lane < columns)
                out[k * lanes + lane] = in->weight;
}

static double dense_bound(const MatrixPlan *plan, int rows, int columns, int weight_bits)
{
    (void)plan, (void)rows, (void)columns;
    return weight_bits;
}

static const char *const dense_keys[] = {NULL};

const Pattern pattern_dense = {
    .name = "dense",
    .summary = "Every weight is kept and stored without an index.",
    .keeps = "all weights",
    .hardware = "lane n of every PE multiplies column k*lanes + n in cycle k; one vector memory serves all PEs",
    .costs = "no index bits, no private vector copies; cycles = rows * columns / multipliers",
    .paper = "the baseline of every paper",
    .keys = dense_keys,
    .engine = &engine_gather,
    .prune = dense_prune,
    .plan = dense_plan,
    .pack = dense_pack,
    .unpack = dense_unpack,
    .bound_bits = dense_bound,
};
