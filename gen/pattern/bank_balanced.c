/* bank_balanced.c: each bank of each row keeps the same number of weights (Cao et al., "Efficient and effective sparse
 * LSTM on FPGA with bank-balanced sparsity", FPGA 2019, 10.1145/3289602.3293898).
 *
 * A row is cut into `banks` equal contiguous banks (the last one may be short, trailing ones empty); each keeps its K
 * largest magnitudes, K = ceil(keep * bank size), ties to the lower column. A lane serves banks / pe_width neighbouring
 * banks as one. Storage: element (row, rank, lane) as weight and index inside the lane's columns, rank-major. */
#include "pattern/pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PE_WIDTH_DEFAULT = 4, BANKS_MOST = 256 };

static int bank_size_of(int columns, int banks)
{
    return (columns + banks - 1) / banks;
}

static void check_columns(const Spec *s, const Network *net, Diag *d)
{
    for (int p = 0; p < net->products; p++) {
        const Matrix *m = &net->product[p].m;
        if (m->pattern == &pattern_bank_balanced && s->banks > m->columns)
            diag_error(d, spec_at(s, s->banks == s->pe_width ? "sparsity" : "sparsity.banks"),
                       "%d banks, but matrix %s of layer %d has only %d columns: use at most %d banks "
                       "(sparsity.banks, engine.pe_width), banks: auto, or pattern dense for this matrix",
                       s->banks, product_name(net, p), net->product[p].layer, m->columns, m->columns);
    }
}

static int fewest_columns(const Network *net)
{
    int columns = BANKS_MOST;
    for (int p = 0; p < net->products; p++)
        if (net->product[p].m.pattern == &pattern_bank_balanced)
            columns = MIN(columns, net->product[p].m.columns);
    return columns;
}

/* banks: auto: one bank per multiplier of a PE, which takes the fewest cycles there can be. A lane that serves g banks
 * takes g * K cycles, where K is the most that one of them keeps; as one bank they keep at most g * K, and a rate
 * rounds up once, not g times. Fewer banks than lanes leave lanes idle. A matrix with fewer columns has a bank for
 * each: it takes one cycle, which is the least, and keeps all of them. */
static void choose_banks(Spec *s, const Network *net, Diag *d)
{
    int columns = fewest_columns(net);
    if (s->pe_width == 0) {
        s->pe_width = MIN(PE_WIDTH_DEFAULT, columns);
        if (s->pe_width < PE_WIDTH_DEFAULT)
            diag_warn(d, spec_at(s, "engine.pe_width"), "engine.pe_width: auto takes %d, since the narrowest matrix "
                      "has only %d column%s to deal to banks", s->pe_width, columns, columns > 1 ? "s" : "");
    }
    s->banks = s->pe_width;
    s->banks_auto = true;
}

static void bank_balanced_check(Spec *s, const Network *net, Diag *d)
{
    bool given = s->banks != 0;
    if (!given)
        choose_banks(s, net, d);
    if (s->pe_width == 0)
        s->pe_width = s->banks;
    if (s->banks % s->pe_width != 0)
        diag_clash(d, spec_at(s, "sparsity.banks"), spec_at(s, "engine.pe_width"), "the width of a PE is set here",
                   "%d banks can not be dealt to %d multipliers per PE: make banks a multiple of engine.pe_width",
                   s->banks, s->pe_width);
    else if (given)
        check_columns(s, net, d);
}

static int by_magnitude(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* The k-th largest of n magnitudes (k from 1); scratch holds n floats. */
static float kth_largest(const float *row, int n, int k, float *scratch)
{
    for (int i = 0; i < n; i++)
        scratch[i] = fabsf(row[i]);
    qsort(scratch, (size_t)n, sizeof *scratch, by_magnitude);
    return scratch[k - 1];
}

/* Keeps the k largest of n weights, exactly k, ties to the lower index. */
static void keep_largest(float *row, uint8_t *kept, int n, int k, float *scratch)
{
    float limit = kth_largest(row, n, k, scratch);
    int above = 0;
    for (int i = 0; i < n; i++)
        above += fabsf(row[i]) > limit;
    int ties = k - above;
    for (int i = 0; i < n; i++) {
        float size = fabsf(row[i]);
        kept[i] = size > limit || (size == limit && ties-- > 0);
        if (!kept[i])
            row[i] = 0;
    }
}

/* The K that a rate means: ceil(rate * bank size), at least 1. */
static int bank_keep(double rate, int size)
{
    return MAX(1, (int)ceil(rate * size - 1e-9));
}

static void prune_gate(Matrix *m, int gate, int size, float *scratch)
{
    int rows = m->rows / m->gates, keep = bank_keep(m->keep.gate[gate], size);
    for (int64_t r = (int64_t)gate * rows; r < (gate + 1) * rows; r++)
        for (int start = 0; start < m->columns; start += size) {
            int n = MIN(size, m->columns - start);
            int64_t at = r * m->columns + start;
            keep_largest(m->value + at, m->kept + at, n, MIN(keep, n), scratch);
        }
}

/* How full the banks of a matrix are. */
typedef struct Fill { int most, row, bank; int64_t kept; } Fill;

static Fill measure_fill(const Matrix *m, int size, int gate)
{
    Fill fill = {0};
    int rows = m->rows / m->gates;
    for (int r = gate * rows; r < (gate + 1) * rows; r++)
        for (int start = 0, bank = 0; start < m->columns; start += size, bank++) {
            int count = 0;
            for (int c = start; c < MIN(start + size, m->columns); c++)
                count += survives(m, (int64_t)r * m->columns + c);
            fill.kept += count;
            if (count > fill.most)
                fill.most = count, fill.row = r, fill.bank = bank;
        }
    return fill;
}

/* The zeros of the file decide; refuses zeros that would need too much padding. The fullest bank of a gate is what all
 * banks of that gate store. */
static bool prune_asis(const Spec *s, Diag *d, Matrix *m, const char *name, Place at)
{
    int64_t total = (int64_t)m->rows * m->columns;
    for (int64_t i = 0; i < total; i++)
        m->kept[i] = m->value[i] != 0;
    int size = bank_size_of(m->columns, s->banks);
    int used = (m->columns + size - 1) / size;
    Fill fill = {0};
    double stored = 0;
    for (int g = 0; g < m->gates; g++) {
        Fill here = measure_fill(m, size, g);
        stored += (double)(m->rows / m->gates) * used * MAX(here.most, 1);
        here.kept += fill.kept;
        if (here.most < fill.most)
            here.most = fill.most, here.row = fill.row, here.bank = fill.bank;
        fill = here;
    }
    double padding = (stored - (double)fill.kept) / stored;
    if (padding <= s->max_padding)
        return true;
    diag_error(d, at, "keep: asis: the zeros of %s are not bank-balanced: row %d keeps %d weights in bank %d "
               "(columns %d to %d), the mean is %.2f; %.0f %% of the stored weights would be padding, "
               "sparsity.max_padding allows %.0f %%: retrain under a bank-balanced mask or give a rate",
               name, fill.row, fill.most, fill.bank, fill.bank * size, MIN((fill.bank + 1) * size, m->columns) - 1,
               (double)fill.kept / ((double)m->rows * used), 100 * padding, 100 * s->max_padding);
    return false;
}

static bool bank_balanced_prune(const Spec *s, Arena *a, Diag *d, Network *net, int product)
{
    Matrix *m = &net->product[product].m;
    m->kept = ARENA_ARRAY(a, uint8_t, (int64_t)m->rows * m->columns);
    if (m->keep.asis)
        return prune_asis(s, d, m, product_name(net, product), m->keep.at);
    int size = bank_size_of(m->columns, s->banks);
    float *scratch = ARENA_ARRAY(a, float, size);
    for (int g = 0; g < m->gates; g++)
        prune_gate(m, g, size, scratch);
    return true;
}

static MatrixPlan bank_balanced_plan(const Spec *s, const Matrix *m)
{
    int size = bank_size_of(m->columns, s->banks), group = s->banks / s->pe_width;
    int lane_size = size * group;
    MatrixPlan p = {.banks = (m->columns + lane_size - 1) / lane_size, .bank_size = lane_size, .contiguous = true,
                    .index_bits = MAX(clog2(lane_size), 1)};
    for (int g = 0; g < m->gates; g++) {
        Fill fill = measure_fill(m, size, g);
        p.gate_keep[g] = p.gate_cycles[g] = MAX(fill.most, 1) * group;
        p.keep = p.cycles = MAX(p.cycles, p.gate_cycles[g]);
        p.kept += fill.kept;
        p.stored += (int64_t)(m->rows / m->gates) * p.gate_cycles[g] * s->pe_width;
    }
    return p;
}

/* ---- banks: auto, in the report */
static int64_t matrix_cycles(const Spec *s, const Matrix *m, int banks)
{
    int size = bank_size_of(m->columns, banks), rows = m->rows / m->gates;
    int64_t cycles = 0;
    for (int g = 0; g < m->gates; g++) {
        int keep = m->keep.asis ? MAX(measure_fill(m, size, g).most, 1) : bank_keep(m->keep.gate[g], size);
        cycles += (int64_t)(rows + s->pes - 1) / s->pes * keep * (banks / s->pe_width);
    }
    return cycles;
}

/* Cycles of a step's tiles of all bank-balanced matrices with so many banks. */
static int64_t step_cycles(const Spec *s, const Network *net, int banks)
{
    int64_t cycles = 0;
    for (int p = 0; p < net->products; p++)
        if (net->product[p].m.pattern == &pattern_bank_balanced)
            cycles += matrix_cycles(s, &net->product[p].m, banks);
    return cycles;
}

static const char *bank_balanced_choice(Arena *a, const Spec *s, const Network *net)
{
    if (!s->banks_auto)
        return NULL;
    const char *text = str_format(a, "%d banks, one for each multiplier of a PE: %lld cycles of the step, the fewest",
                                  s->banks, (long long)step_cycles(s, net, s->banks));
    for (int k = 2; k <= 4 && k * s->banks <= fewest_columns(net); k *= 2)
        text = str_format(a, "%s; %d banks %lld", text, k * s->banks, (long long)step_cycles(s, net, k * s->banks));
    return text;
}

/* Survivors of one lane in column order; the rest of its words are explicit zeros. */
static void pack_lane(const MatrixPlan *plan, const QMatrix *q, int row, int lane, int lanes, LaneWord *out)
{
    int start = lane * plan->bank_size, end = MIN(start + plan->bank_size, q->columns), rank = 0;
    for (int c = start; row >= 0 && c < end; c++) {
        int64_t at = (int64_t)row * q->columns + c;
        if (q->kept && !q->kept[at])
            continue;
        REQUIRE(rank < plan->cycles);
        out[rank++ * lanes + lane] = (LaneWord){q->value[at], (uint16_t)(c - start)};
    }
    for (; rank < plan->cycles; rank++)
        out[rank * lanes + lane] = (LaneWord){0, 0};
}

static void bank_balanced_pack(const MatrixPlan *plan, const QMatrix *q, int row, int lanes, LaneWord *out)
{
    for (int lane = 0; lane < lanes; lane++)
        pack_lane(plan, q, row, lane, lanes, out);
}

static void bank_balanced_unpack(const MatrixPlan *plan, int columns, int lanes, const LaneWord *in, int16_t *out)
{
    for (int rank = 0; rank < plan->cycles; rank++)
        for (int lane = 0; lane < lanes; lane++, in++) {
            int column = lane * plan->bank_size + in->index;
            if (in->weight != 0 && column < columns)
                out[column] = in->weight;
        }
}

/* Per bank of n columns with k survivors: log2 C(n, k) bits say which ones. */
static double bank_balanced_bound(const MatrixPlan *plan, int rows, int columns, int weight_bits)
{
    double bits = 0, kept = 0;
    (void)rows, (void)columns;
    for (int g = 0; g < GATES_MAX && plan->gate_keep[g] > 0; g++) {
        bits += log2_choose(plan->bank_size, plan->gate_keep[g]);
        kept += plan->gate_keep[g];
    }
    return weight_bits + bits / kept;
}

static const char *bank_balanced_settings(Arena *a, const Spec *s)
{
    return str_format(a, "%d banks", s->banks);
}

static const char *const bank_balanced_keys[] = {"sparsity.banks", "sparsity.keep", "sparsity.max_padding", NULL};

const Pattern pattern_bank_balanced = {
    .name = "bank_balanced",
    .summary = "Each row is cut into equal banks; each bank keeps the same number of weights.",
    .keeps = "the K = ceil(keep * bank size) largest magnitudes of every bank of every row",
    .hardware = "one row per PE, one bank per lane; each PE has its own copy of the vector, each weight its index",
    .grain = "each bank keeps a whole number of its columns, at least one, and narrow matrices have few in a bank; fewer "
             "banks come closer (sparsity.banks and engine.pe_width, or sparsity.banks: auto)",
    .costs = "log2(bank size) index bits per weight, one vector copy per PE; no load imbalance, no conflicts",
    .paper = "Cao et al., FPGA 2019, 10.1145/3289602.3293898",
    .keys = bank_balanced_keys,
    .engine = &engine_gather,
    .check = bank_balanced_check,
    .choice = bank_balanced_choice,
    .settings = bank_balanced_settings,
    .prune = bank_balanced_prune,
    .plan = bank_balanced_plan,
    .pack = bank_balanced_pack,
    .unpack = bank_balanced_unpack,
    .private_vectors = true,
    .bound_bits = bank_balanced_bound,
};
