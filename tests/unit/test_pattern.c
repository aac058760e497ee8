/* test_pattern.c: every pattern: what it keeps, that pack and unpack are inverse, what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "net_build.h"
#include "pattern/blocks.h"
#include "pattern/pattern.h"

enum { SHAPES = 200 };

typedef struct Case { Arena *a; Diag *d; Spec spec; Network net; } Case;

static Case case_of(const char *pattern, int inputs, int hidden, uint32_t *seed)
{
    Case c = {.a = arena_new(), .spec = spec_of(16, 8, 24)};
    c.d = diag_new(c.a);
    c.spec.arena = c.a;
    c.spec.pes = 4;
    c.spec.max_padding = 0.25;
    Layer *l = net_add(c.a, &c.net, "lstm", inputs, hidden);
    layer_randomise(&c.net, l, seed, 1.0);
    net_patterns(&c.net, pattern, 0.5, 0.5);
    return c;
}

static QMatrix integers_of(Arena *a, const Matrix *m)
{
    QMatrix q = {m->rows, m->columns, ARENA_ARRAY(a, int16_t, (int64_t)m->rows * m->columns), m->kept};
    for (int64_t i = 0; i < (int64_t)m->rows * m->columns; i++)
        q.value[i] = (int16_t)(m->value[i] * 100);
    return q;
}

/* Packs and unpacks every row of a pruned matrix; gives how many words were stored. */
static void round_trip(const Case *c, const Pattern *p, const Matrix *m)
{
    MatrixPlan plan = p->plan(&c->spec, m);
    QMatrix q = integers_of(c->a, m);
    LaneWord *word = ARENA_ARRAY(c->a, LaneWord, (int64_t)plan.cycles * c->spec.pe_width);
    int16_t *back = ARENA_ARRAY(c->a, int16_t, m->columns);
    assert_true(plan.cycles > 0 && plan.kept <= plan.stored);
    for (int r = 0; r < m->rows; r++) {
        p->pack(&plan, &q, r, c->spec.pe_width, word);
        memset(back, 0, sizeof *back * (size_t)m->columns);
        p->unpack(&plan, m->columns, c->spec.pe_width, word, back);
        assert_memory_equal(back, q.value + (int64_t)r * m->columns, sizeof *back * (size_t)m->columns);
    }
}

static void draw_keys(Case *c, uint32_t *seed)
{
    static const double rates[] = {0.07, 0.125, 0.25, 0.5, 0.9, 1.0};
    int columns = MIN(c->net.layer[0].inputs, c->net.layer[0].hidden);
    c->spec.pes = 1 + (int)(draw(seed) % 9);
    c->spec.pe_width = 1 + (int)(draw(seed) % (unsigned)MIN(columns, 17));
    const char *pattern = c->net.product[MATRIX_W].m.pattern->name;
    net_patterns(&c->net, pattern, rates[draw(seed) % 6], rates[draw(seed) % 6]);
    if (!strcmp(pattern, "grouped_columns"))
        c->spec.group_rows = (int)(draw(seed) % 20) - 1;
    if (!strcmp(pattern, "structured_blocks")) {
        int side = 4 + (int)(draw(seed) % 30);
        c->spec.block = MIN(side, 4 * c->net.layer[0].hidden);
        c->spec.align = draw(seed) % 2;
    }
}

static void every_pattern_packs_and_unpacks(void **state)
{
    (void)state;
    int n;
    const Pattern *const *table = pattern_table(&n);
    uint32_t seed = 77;
    for (int k = 0; k < n; k++)     /* those of the scatter engine: test_column_balanced.c */
        for (int shape = 0; shape < SHAPES && table[k]->engine == &engine_gather; shape++) {
            Case c = case_of(table[k]->name, 1 + (int)(draw(&seed) % 50), 1 + (int)(draw(&seed) % 30), &seed);
            draw_keys(&c, &seed);
            patterns_check(&c.spec, &c.net, c.d);
            assert_false(diag_failed(c.d));
            for (int which = 0; which < MATRICES; which++) {
                assert_true(table[k]->prune(&c.spec, c.a, c.d, &c.net, which));
                round_trip(&c, table[k], &c.net.product[which].m);
            }
            arena_free(c.a);
        }
}

/* ---- grouped_columns */
static int columns_kept(const Matrix *m, int row)
{
    int n = 0;
    for (int c = 0; c < m->columns; c++)
        n += m->kept[(int64_t)row * m->columns + c];
    return n;
}

static bool same_columns(const Matrix *m, int a, int b)
{
    return !memcmp(m->kept + (int64_t)a * m->columns, m->kept + (int64_t)b * m->columns, (size_t)m->columns);
}

static Matrix *grouped(Case *c, int group_rows, double rate)
{
    c->spec.group_rows = group_rows;
    net_patterns(&c->net, "grouped_columns", rate, rate);
    pattern_grouped_columns.check(&c->spec, &c->net, c->d);
    assert_true(pattern_grouped_columns.prune(&c->spec, c->a, c->d, &c->net, MATRIX_W));
    return &c->net.product[MATRIX_W].m;
}

/* 10 neurons in groups of 4: rows 0-3, 4-7, 8-9 of each gate; K = ceil(0.3 * 13) = 4. */
static void groups_end_with_their_gate(void **state)
{
    (void)state;
    uint32_t seed = 5;
    Case c = case_of("grouped_columns", 13, 10, &seed);
    const Matrix *m = grouped(&c, 4, 0.3);
    for (int r = 0; r < m->rows; r++) {
        int within = r % 10, first = r - within % 4;
        assert_int_equal(columns_kept(m, r), 4);
        assert_true(same_columns(m, r, first));
    }
    assert_false(same_columns(m, 0, 4) && same_columns(m, 4, 8) && same_columns(m, 8, 10));
    arena_free(c.a);
}

static void all_rows_share_their_columns(void **state)
{
    (void)state;
    uint32_t seed = 6;
    Case c = case_of("grouped_columns", 20, 7, &seed);
    const Matrix *m = grouped(&c, -1, 0.25);
    for (int r = 0; r < m->rows; r++)
        assert_true(columns_kept(m, r) == 5 && same_columns(m, r, 0));
    assert_int_equal(pattern_grouped_columns.share(&c.spec, &c.net), 0);
    arena_free(c.a);
}

/* Equal columns: the lower ones survive; a column of large norm goes before them. */
static void ties_go_to_the_lower_column(void **state)
{
    (void)state;
    uint32_t seed = 7;
    Case c = case_of("grouped_columns", 6, 3, &seed);
    Matrix *m = &c.net.product[MATRIX_W].m;
    for (int i = 0; i < m->rows * m->columns; i++)
        m->value[i] = i % 6 == 4 ? -2.0f : 1.0f;
    grouped(&c, 3, 0.5);
    static const uint8_t expected[] = {1, 1, 0, 0, 1, 0};
    for (int r = 0; r < m->rows; r++)
        assert_memory_equal(m->kept + r * 6, expected, 6);
    assert_true(m->value[2] == 0 && m->value[4] == -2.0f);
    arena_free(c.a);
}

static void lists_are_shared_by_the_common_divisor(void **state)
{
    (void)state;
    static const struct { int pes, group, share; } cases[] = {
        {8, 8, 8}, {8, 4, 4}, {8, 16, 8}, {6, 4, 2}, {5, 3, 1}, {8, 32, 8}, {8, 40, 8}};
    uint32_t seed = 8;
    for (int k = 0; k < LENGTH(cases); k++) {
        Case c = case_of("grouped_columns", 9, 32, &seed);
        c.spec.pes = cases[k].pes;
        c.spec.group_rows = cases[k].group;
        assert_int_equal(pattern_grouped_columns.share(&c.spec, &c.net), cases[k].share);
        arena_free(c.a);
    }
}

/* One row of the group keeps a column that no other has: all take it along, as explicit zeros. */
static void asis_takes_the_union_of_a_group(void **state)
{
    (void)state;
    uint32_t seed = 9;
    Case c = case_of("grouped_columns", 8, 4, &seed);
    Matrix *m = &c.net.product[MATRIX_W].m;
    for (int i = 0; i < m->rows * m->columns; i++)
        m->value[i] = i % 8 < 3 || i == 7 ? 1.0f : 0.0f;
    c.net.product[MATRIX_W].m.keep.asis = true;
    c.spec.group_rows = 4;
    c.spec.pe_width = 2;
    assert_false(pattern_grouped_columns.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W) &&
                 m->kept[15] == 0);
    assert_true(m->kept[7] && m->kept[15] && m->kept[31] && !m->kept[39] && !m->kept[6]);
    MatrixPlan p = pattern_grouped_columns.plan(&c.spec, m);
    assert_true(p.keep == 4 && p.cycles == 2 && p.kept == 16 * 3 + 1 && p.stored == 16 * 4);
    arena_free(c.a);
}

static void asis_refuses_scattered_zeros(void **state)
{
    (void)state;
    uint32_t seed = 10;
    Case c = case_of("grouped_columns", 16, 8, &seed);
    Matrix *m = &c.net.product[MATRIX_W].m;
    for (int i = 0; i < m->rows * m->columns; i++)
        m->value[i] = draw(&seed) % 4 == 0 ? 1.0f : 0.0f;
    c.net.product[MATRIX_W].m.keep.asis = true;
    c.spec.group_rows = 8;
    assert_false(pattern_grouped_columns.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
    assert_true(diag_failed(c.d));
    arena_free(c.a);
}

/* ---- structured_blocks */
/* Marks a kernel in block `block` (6 x 6, three across) and numbers its values from 1, row by row. */
static void put_kernel(QMatrix *q, uint8_t *kept, int block, int n, const int *row, int m, const int *column)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < m; k++) {
            int at = (block / 3 * 6 + row[i]) * q->columns + block % 3 * 6 + column[k];
            q->value[at] = (int16_t)(i * m + k + 1);
            kept[at] = 1;
        }
}

/* Figure 3 of the paper: five arrays of a 12 x 18 matrix in 6 x 6 blocks. */
static void blocks_are_stored_as_in_the_paper(void **state)
{
    (void)state;
    static const int n[] = {2, 3, 3, 2, 2, 2}, m[] = {2, 3, 2, 2, 3, 2};
    static const int row[6][3] = {{2, 4}, {1, 2, 4}, {0, 3, 5}, {1, 5}, {0, 1}, {3, 4}};
    static const int column[6][3] = {{1, 4}, {0, 2, 4}, {2, 3}, {0, 5}, {1, 3, 5}, {2, 4}};
    Arena *a = arena_new();
    uint8_t *kept = ARENA_ARRAY(a, uint8_t, 12 * 18);
    QMatrix q = {12, 18, ARENA_ARRAY(a, int16_t, 12 * 18), kept};
    for (int b = 0; b < 6; b++)
        put_kernel(&q, kept, b, n[b], row[b], m[b], column[b]);
    Blocks blocks = blocks_pack(a, &q, 6);
    static const uint8_t rows[] = {2, 4, 1, 2, 4}, columns[] = {1, 4, 0, 2, 4};
    static const int16_t values[] = {1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    assert_true(blocks.count == 6 && blocks.across == 3);
    for (int b = 0; b < 6; b++)
        assert_true(blocks.n[b] == n[b] && blocks.m[b] == m[b]);
    assert_memory_equal(blocks.row, rows, sizeof rows);
    assert_memory_equal(blocks.column, columns, sizeof columns);
    assert_memory_equal(blocks.value, values, sizeof values);
    int16_t *back = ARENA_ARRAY(a, int16_t, 12 * 18);
    blocks_unpack(&blocks, back);
    assert_memory_equal(back, q.value, 12 * 18 * sizeof *back);
    arena_free(a);
}

/* Figure 7: kernels of 2x2, 4x4, 2x2, 6x6 on four groups of 2x2: 9 cycles, 41.7 % use; shared 4 cycles, 93.8 %. */
static void kernels_take_the_cycles_of_the_paper(void **state)
{
    (void)state;
    uint8_t side[] = {2, 4, 2, 6};
    Blocks b = {.rows = 12, .columns = 12, .side = 6, .across = 2, .count = 4, .n = side, .m = side};
    assert_int_equal(blocks_cycles(&b, 2, 2, 4, false), 9);
    assert_int_equal(blocks_cycles(&b, 2, 2, 4, true), 4);
    assert_int_equal((int)(1000 * 60.0 / (9 * 16) + 0.5), 417);
    assert_int_equal((int)(1000 * 60.0 / (4 * 16) + 0.5), 938);
}

static void blocks_round_trip(void **state)
{
    (void)state;
    uint32_t seed = 21;
    for (int shape = 0; shape < SHAPES; shape++) {
        Case c = case_of("structured_blocks", 1 + (int)(draw(&seed) % 60), 1 + (int)(draw(&seed) % 30), &seed);
        draw_keys(&c, &seed);
        Matrix *m = &c.net.product[MATRIX_W].m;
        assert_true(pattern_structured_blocks.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
        QMatrix q = integers_of(c.a, m);
        Blocks b = blocks_pack(c.a, &q, c.spec.block);
        int16_t *back = ARENA_ARRAY(c.a, int16_t, m->rows * m->columns);
        blocks_unpack(&b, back);
        assert_memory_equal(back, q.value, sizeof *back * (size_t)m->rows * (size_t)m->columns);
        assert_int_equal(b.values, matrix_kept(m));
        arena_free(c.a);
    }
}

/* 40 rows in blocks of 8 with keep 1/4: half of the row segments of each block-column, whole column segments, and the
 * count of weights is right up to each block-row, to half a column segment (at most 8 weights). */
static void projection_keeps_whole_segments(void **state)
{
    (void)state;
    uint32_t seed = 31;
    Case c = case_of("structured_blocks", 24, 10, &seed);
    c.spec.block = 8;
    c.spec.pe_width = 4;
    net_patterns(&c.net, "structured_blocks", 0.25, 0.25);
    Matrix *m = &c.net.product[MATRIX_W].m;
    assert_true(pattern_structured_blocks.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
    int kept = 0;
    for (int r0 = 0; r0 < 40; r0 += 8) {
        for (int k = r0 * 24; k < (r0 + 8) * 24; k++)
            kept += m->kept[k];
        assert_true(abs(kept - (r0 + 8) * 24 / 4) <= 4);
    }
    for (int c0 = 0; c0 < 24; c0 += 8) {
        int rows = 0;
        for (int r = 0; r < 40; r++)
            rows += memchr(m->kept + r * 24 + c0, 1, 8) != NULL;
        assert_true(rows <= 20);
    }
    arena_free(c.a);
}

static void aligned_kernels_fill_the_lanes(void **state)
{
    (void)state;
    uint32_t seed = 32;
    Case c = case_of("structured_blocks", 64, 16, &seed);
    c.spec.block = 16;
    c.spec.align = true;
    c.spec.pe_width = 4;
    net_patterns(&c.net, "structured_blocks", 0.2, 0.2);
    Matrix *m = &c.net.product[MATRIX_W].m;
    assert_true(pattern_structured_blocks.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
    QMatrix q = integers_of(c.a, m);
    Blocks b = blocks_pack(c.a, &q, 16);
    for (int k = 0; k < b.count; k++)
        assert_true(b.m[k] % 4 == 0);
    arena_free(c.a);
}

/* Zeros inside a kernel are stored; scattered zeros are refused. */
static void asis_spans_the_kernels(void **state)
{
    (void)state;
    uint32_t seed = 33;
    Case c = case_of("structured_blocks", 8, 4, &seed);
    Matrix *m = &c.net.product[MATRIX_W].m;
    memset(m->value, 0, sizeof *m->value * 16 * 8);
    m->value[0] = m->value[1] = m->value[8] = 1;        /* (1, 1) is the zero of a 2 x 2 kernel */
    c.net.product[MATRIX_W].m.keep.asis = true;
    c.spec.block = 4;
    c.spec.pe_width = 2;
    assert_true(pattern_structured_blocks.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
    assert_true(m->kept[9] && matrix_kept(m) == 4);
    m->value[0] = 0, m->value[9] = 0;                   /* a diagonal: half of it padding */
    assert_false(pattern_structured_blocks.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
    assert_true(diag_failed(c.d));
    arena_free(c.a);
}

/* ---- a rate for each gate */
static void rates_of_gates(Matrix *m)
{
    m->keep = (Rate){.gate = {[GATE_I] = 1, [GATE_F] = 0.25, [GATE_G] = 0.5, [GATE_O] = 0.1}};
}

static int gate_kept(const Matrix *m, int gate, int64_t from, int64_t step)
{
    int64_t n = (int64_t)m->rows / GATES * m->columns;
    int kept = 0;
    for (int64_t i = from; i < n; i += step)
        kept += m->kept[gate * n + i];
    return kept;
}

/* 20 columns in 4 banks of 5, 6 neurons: K = 5, 2 (1.25), 3 (2.5), 1 (0.5) of every bank of every row. */
static void banks_of_a_gate_keep_its_rate(void **state)
{
    static const int k[GATES] = {[GATE_I] = 5, [GATE_F] = 2, [GATE_G] = 3, [GATE_O] = 1};
    (void)state;
    uint32_t seed = 51;
    Case c = case_of("bank_balanced", 20, 6, &seed);
    Matrix *m = &c.net.product[MATRIX_W].m;
    c.spec.banks = c.spec.pe_width = 4;
    rates_of_gates(m);
    assert_true(pattern_bank_balanced.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
    for (int r = 0; r < m->rows; r++)
        for (int bank = 0; bank < 4; bank++) {
            int kept = 0;
            for (int i = 0; i < 5; i++)
                kept += m->kept[r * 20 + bank * 5 + i];
            assert_int_equal(kept, k[r / 6]);
        }
    MatrixPlan p = pattern_bank_balanced.plan(&c.spec, m);
    for (int g = 0; g < GATES; g++)
        assert_true(p.gate_cycles[g] == k[g] && p.gate_keep[g] == k[g]);
    assert_true(p.cycles == 5 && p.kept == 6 * 4 * 11 && p.stored == p.kept);
    round_trip(&c, &pattern_bank_balanced, m);
    arena_free(c.a);
}

/* 20 columns: K = 20, 5, 10, 2 in every row of a gate, the same in a group of 3 rows. */
static void groups_of_a_gate_keep_its_rate(void **state)
{
    static const int k[GATES] = {[GATE_I] = 20, [GATE_F] = 5, [GATE_G] = 10, [GATE_O] = 2};
    (void)state;
    uint32_t seed = 52;
    Case c = case_of("grouped_columns", 20, 6, &seed);
    Matrix *m = &c.net.product[MATRIX_W].m;
    c.spec.group_rows = 3;
    c.spec.pe_width = 4;
    rates_of_gates(m);
    assert_true(pattern_grouped_columns.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
    for (int r = 0; r < m->rows; r++)
        assert_true(columns_kept(m, r) == k[r / 6] && same_columns(m, r, r - r % 3));
    MatrixPlan p = pattern_grouped_columns.plan(&c.spec, m);
    for (int g = 0; g < GATES; g++)
        assert_int_equal(p.gate_cycles[g], (k[g] + 3) / 4);
    round_trip(&c, &pattern_grouped_columns, m);
    arena_free(c.a);
}

/* 8 neurons on 2 PEs, 4 rows of each gate: 4, 1, 2, 1 of them are kept per column and PE: S - floor(S * (1 - keep)). */
static void sub_columns_of_a_gate_keep_its_rate(void **state)
{
    static const int k[GATES] = {[GATE_I] = 4, [GATE_F] = 1, [GATE_G] = 2, [GATE_O] = 1};
    (void)state;
    uint32_t seed = 53;
    Case c = case_of("column_balanced", 5, 8, &seed);
    Matrix *m = &c.net.product[MATRIX_W].m;
    c.spec.pes = 2;
    c.spec.pe_width = 2;
    rates_of_gates(m);
    assert_true(pattern_column_balanced.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
    for (int g = 0; g < GATES; g++)
        for (int column = 0; column < 5; column++)
            for (int pe = 0; pe < 2; pe++)
                assert_int_equal(gate_kept(m, g, 5 * pe + column, 10), k[g]);
    assert_int_equal(pattern_column_balanced.plan(&c.spec, m).cycles, 4 + 1 + 2 + 1);
    arena_free(c.a);
}

/* 16 neurons, blocks of 8, 16 columns: of the rows of a gate at most ceil(sqrt(keep) * 16) survive in a block-column,
 * and of its weights as many as its rate says, to one column segment of 8. */
static void blocks_of_a_gate_keep_its_rate(void **state)
{
    static const int sides[GATES] = {[GATE_I] = 16, [GATE_F] = 8, [GATE_G] = 12, [GATE_O] = 6};
    (void)state;
    uint32_t seed = 54;
    Case c = case_of("structured_blocks", 16, 16, &seed);
    Matrix *m = &c.net.product[MATRIX_W].m;
    c.spec.block = 8;
    c.spec.pe_width = 4;
    rates_of_gates(m);
    assert_true(pattern_structured_blocks.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
    for (int gate = 0; gate < GATES; gate++) {
        int kept = 0;
        for (int k = 0; k < 16 * 16; k++)
            kept += m->kept[gate * 16 * 16 + k];
        assert_true(fabs(kept - m->keep.gate[gate] * 256) <= 8);
    }
    for (int part = 0; part < 8; part++) {                  /* block-columns of a gate: two */
        int rows = 0;
        for (int r = part / 2 * 16; r < part / 2 * 16 + 16; r++)
            rows += memchr(m->kept + r * 16 + part % 2 * 8, 1, 8) != NULL;
        assert_in_range(rows, 1, sides[part / 2]);
    }
    assert_int_equal(gate_kept(m, GATE_I, 0, 1), 256);
    round_trip(&c, &pattern_structured_blocks, m);
    arena_free(c.a);
}

/* ---- mixed patterns */
/* The pattern that sees more of the vector packs both; what each of them kept comes back. */
static void mixed_patterns_pack_and_unpack(void **state)
{
    static const char *const pair[][3] = {  /* W, R, host */
        {"dense", "bank_balanced", "bank_balanced"}, {"bank_balanced", "dense", "bank_balanced"},
        {"dense", "grouped_columns", "grouped_columns"}, {"grouped_columns", "bank_balanced", "grouped_columns"},
        {"structured_blocks", "bank_balanced", "structured_blocks"},
        {"dense", "structured_blocks", "structured_blocks"}};
    (void)state;
    uint32_t seed = 61;
    for (int k = 0; k < LENGTH(pair); k++)
        for (int shape = 0; shape < 40; shape++) {
            Case c = case_of("dense", 1 + (int)(draw(&seed) % 40), 1 + (int)(draw(&seed) % 24), &seed);
            c.spec.pes = 1 + (int)(draw(&seed) % 6);
            c.spec.pe_width = 1 + (int)(draw(&seed) % 4);
            c.spec.keep[0] = (Keep){.of = {{.gate = {0.3, 0.3, 0.3, 0.3}}, {.gate = {0.3, 0.3, 0.3, 0.3}}}};
            c.spec.pattern = (PatternNames){true, {pair[k][0], pair[k][1], "dense"}};
            assert_true(patterns_assign(c.d, &c.spec, &c.net));
            patterns_check(&c.spec, &c.net, c.d);
            assert_false(diag_failed(c.d));
            const Pattern *host = patterns_host(&c.net);
            assert_string_equal(host->name, pair[k][2]);
            for (int which = 0; which < MATRICES; which++) {
                Matrix *m = &c.net.product[which].m;
                assert_true(m->pattern->prune(&c.spec, c.a, c.d, &c.net, which));
                round_trip(&c, host, m);
                assert_true(strcmp(m->pattern->name, "dense") || matrix_kept(m) == (int64_t)m->rows * m->columns);
            }
            arena_free(c.a);
        }
}

/* ---- bank_balanced */
/* No multiple of pe_width takes fewer cycles than pe_width banks; the default width is that of the narrowest matrix. */
static void banks_auto_takes_the_fewest_cycles(void **state)
{
    (void)state;
    static const struct { int columns, width, banks; double rate; } cases[] = {
        {64, 8, 8, 0.25}, {3, 0, 3, 0.5}, {16, 4, 4, 0.25}, {50, 4, 4, 0.3}, {9, 2, 2, 0.5}};
    uint32_t seed = 41;
    for (int k = 0; k < LENGTH(cases); k++) {
        Case c = case_of("bank_balanced", cases[k].columns, 32, &seed);
        c.spec.pe_width = cases[k].width;
        net_patterns(&c.net, "bank_balanced", cases[k].rate, cases[k].rate);
        pattern_bank_balanced.check(&c.spec, &c.net, c.d);
        assert_false(diag_failed(c.d));
        assert_int_equal(c.spec.banks, cases[k].banks);
        assert_true(pattern_bank_balanced.prune(&c.spec, c.a, c.d, &c.net, MATRIX_W));
        int cycles = pattern_bank_balanced.plan(&c.spec, &c.net.product[MATRIX_W].m).cycles;
        for (int banks = 2 * c.spec.pe_width; banks <= cases[k].columns; banks += c.spec.pe_width) {
            Case other = case_of("bank_balanced", cases[k].columns, 32, &seed);
            net_patterns(&other.net, "bank_balanced", cases[k].rate, cases[k].rate);
            other.spec.banks = banks;
            other.spec.pe_width = c.spec.pe_width;
            assert_true(pattern_bank_balanced.prune(&other.spec, other.a, other.d, &other.net, MATRIX_W));
            assert_true(pattern_bank_balanced.plan(&other.spec, &other.net.product[MATRIX_W].m).cycles >= cycles);
            arena_free(other.a);
        }
        arena_free(c.a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pattern_packs_and_unpacks),
        cmocka_unit_test(groups_end_with_their_gate),
        cmocka_unit_test(all_rows_share_their_columns),
        cmocka_unit_test(ties_go_to_the_lower_column),
        cmocka_unit_test(lists_are_shared_by_the_common_divisor),
        cmocka_unit_test(asis_takes_the_union_of_a_group),
        cmocka_unit_test(asis_refuses_scattered_zeros),
        cmocka_unit_test(blocks_are_stored_as_in_the_paper),
        cmocka_unit_test(kernels_take_the_cycles_of_the_paper),
        cmocka_unit_test(blocks_round_trip),
        cmocka_unit_test(projection_keeps_whole_segments),
        cmocka_unit_test(aligned_kernels_fill_the_lanes),
        cmocka_unit_test(asis_spans_the_kernels),
        cmocka_unit_test(banks_of_a_gate_keep_its_rate),
        cmocka_unit_test(groups_of_a_gate_keep_its_rate),
        cmocka_unit_test(sub_columns_of_a_gate_keep_its_rate),
        cmocka_unit_test(blocks_of_a_gate_keep_its_rate),
        cmocka_unit_test(mixed_patterns_pack_and_unpack),
        cmocka_unit_test(banks_auto_takes_the_fewest_cycles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
