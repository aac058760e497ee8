/* test_column_balanced.c: the published counts of CBTD, exact balance, and pack against unpack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net_build.h"
#include "pattern/pattern.h"

/* Gao et al., H = 1024: weights kept of a sub-column of S = 4H/M rows. */
static void test_published_counts(void **state)
{
    static const double sparsity[] = { 0.90, 0.9375, 0.94, 0.96, 0.97 };
    static const struct { int pes, kept[5]; } table[] = {
        { 4, { 103, 64, 62, 41, 31 } }, { 16, { 26, 16, 16, 11, 8 } }, { 64, { 7, 4, 4, 3, 2 } },
        { 128, { 4, 2, 2, 2, 1 } },
    };
    (void)state;
    for (int k = 0; k < LENGTH(table); k++)
        for (int i = 0; i < LENGTH(sparsity); i++)
            assert_int_equal(column_balanced_keep(4 * 1024 / table[k].pes, 1 - sparsity[i]), table[k].kept[i]);
}

typedef struct Case { Arena *arena; Spec spec; Network net; Matrix *m; } Case;

/* A matrix of 4 * hidden rows with many equal magnitudes, pruned. */
static void prune_random(Case *c, int hidden, int columns, int pes, double keep)
{
    const Pattern *p = &pattern_column_balanced;
    c->arena = arena_new();
    c->spec = (Spec){ .pes = pes, .pe_width = 1 + rand() % 4, .max_padding = 0.25 };
    c->net = (Network){ .n = 0 };
    net_add(c->arena, &c->net, "lstm", columns, hidden);
    net_patterns(&c->net, "column_balanced", keep, keep);
    c->m = &c->net.product[MATRIX_W].m;
    for (int i = 0; i < 4 * hidden * columns; i++)
        c->m->value[i] = (float)(rand() % 9 + 1) * (rand() & 1 ? 1 : -1);
    assert_true(p->prune(&c->spec, c->arena, diag_new(c->arena), &c->net, MATRIX_W));
}

/* Neurons of PE pe. */
static int share(int hidden, int pes, int pe)
{
    return (hidden - pe + pes - 1) / pes;
}

static void check_balance(const Case *c, int hidden, int keep)
{
    for (int column = 0; column < c->m->columns; column++)
        for (int pe = 0; pe < MIN(c->spec.pes, hidden); pe++) {
            int kept = 0;
            for (int row = 0; row < c->m->rows; row++)
                if (row % hidden % c->spec.pes == pe)
                    kept += c->m->kept[row * c->m->columns + column];
            assert_int_equal(kept, MIN(keep, 4 * share(hidden, c->spec.pes, pe)));
        }
}

static void check_round_trip(Case *c)
{
    const Pattern *p = &pattern_column_balanced;
    MatrixPlan plan = p->plan(&c->spec, c->m);
    int n = c->m->rows * c->m->columns, words = plan.cycles * c->spec.pes;
    QMatrix q = { c->m->rows, c->m->columns, ARENA_ARRAY(c->arena, int16_t, n), c->m->kept };
    for (int i = 0; i < n; i++)
        q.value[i] = (int16_t)c->m->value[i];
    LaneWord *word = ARENA_ARRAY(c->arena, LaneWord, words);
    for (int column = 0; column < q.columns; column++) {
        int16_t *out = ARENA_ARRAY(c->arena, int16_t, q.rows);
        p->pack(&plan, &q, column, c->spec.pes, word);
        p->unpack(&plan, q.rows, c->spec.pes, word, out);
        for (int row = 0; row < q.rows; row++)
            assert_int_equal(out[row], q.value[row * q.columns + column]);
    }
    assert_int_equal(plan.kept, matrix_kept(c->m));
}

static void test_random_shapes(void **state)
{
    (void)state;
    srand(7);
    for (int k = 0; k < 300; k++) {
        Case c;
        int hidden = 1 + rand() % 30, pes = 1 + rand() % 9;
        double keep = (1 + rand() % 16) / 16.0;
        prune_random(&c, hidden, 1 + rand() % 12, pes, keep);
        check_balance(&c, hidden, column_balanced_keep(4 * ((hidden + pes - 1) / pes), keep));
        check_round_trip(&c);
        arena_free(c.arena);
    }
}

/* Of equal magnitudes the lower row stays. */
static void test_ties(void **state)
{
    (void)state;
    Case c;
    srand(1);
    prune_random(&c, 4, 1, 2, 0.5);
    for (int i = 0; i < 16; i++)
        c.m->value[i] = 1;
    assert_true(pattern_column_balanced.prune(&c.spec, c.arena, diag_new(c.arena), &c.net, MATRIX_W));
    for (int row = 0; row < 16; row++)
        assert_int_equal(c.m->kept[row], row < 8);
    arena_free(c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_counts),
        cmocka_unit_test(test_random_shapes),
        cmocka_unit_test(test_ties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
