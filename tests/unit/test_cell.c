/* test_cell.c: the table of cells: letters of gates, keys, curves, and the masks of lg_cell. */
#include "lstmgen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

static const Cell *cell(const char *key)
{
    const Cell *c = cell_find(key);
    if (!c)
        fail_msg("no cell %s", key);
    return c;
}

static void expect_order(const char *key, const char *order, const int *gates)
{
    for (int k = 0; order[k]; k++)
        if (cell_gate(cell(key), order[k]) != gates[k])
            fail_msg("%s: gate %c is %d", key, order[k], cell_gate(cell(key), order[k]));
}

/* Row orders of PyTorch, ONNX, Keras and TensorFlow. */
static void test_letters(void **state)
{
    (void)state;
    expect_order("lstm", "ifgo", (const int[]){0, 1, 2, 3});
    expect_order("lstm", "iofc", (const int[]){0, 3, 1, 2});
    expect_order("lstm", "ijfo", (const int[]){0, 2, 1, 3});
    expect_order("gru_after", "rzn", (const int[]){0, 1, 2});
    expect_order("gru_before", "zrh", (const int[]){1, 0, 2});
    expect_order("gru_before", "ruc", (const int[]){0, 1, 2});
    expect_order("ligru", "zn", (const int[]){0, 1});
    const char wrong[] = "xI =q";
    for (const char *p = wrong; *p; p++)
        assert_int_equal(cell_gate(cell("gru_after"), *p), -1);
    assert_null(cell_find("gru"));
}

static void test_rows(void **state)
{
    char rows[GATES_MAX + 1];
    (void)state;
    cell_rows(cell("lstm"), rows);
    assert_string_equal(rows, "ifgo");
    cell_rows(cell("gru_after"), rows);
    assert_string_equal(rows, "rznq");
    cell_rows(cell("linear"), rows);
    assert_string_equal(rows, "y");
}

static void test_keys(void **state)
{
    (void)state;
    assert_true(cell_has_key(cell("lstm"), "forget_bias"));
    assert_false(cell_has_key(cell("lstm"), "b_R"));
    assert_false(cell_has_key(cell("lstm"), "forget"));
    assert_true(cell_has_key(cell("gru_after"), "b_R"));
    assert_false(cell_has_key(cell("linear"), "R"));
    assert_true(cell_has_state(cell("gru_before")) && cell_has_state(cell("ligru")));
    assert_false(cell_has_state(cell("rnn")) || cell_has_state(cell("linear")));
}

/* What a row reads of W must be a gate of W, of R one of R; what is read was written; one pass has the result. */
static void test_table_is_whole(void **state)
{
    int n;
    const Cell *table = cell_table(&n);
    (void)state;
    for (int c = 0; c < n; c++) {
        unsigned done = 0, results = 0;
        for (int k = 0; k < table[c].n; k++) {
            const Pass *p = &table[c].pass[k];
            assert_int_equal(strchr(table[c].W, p->gate) != NULL, (p->terms & TERM_X) != 0);
            assert_int_equal(strchr(table[c].R, p->gate) != NULL, (p->terms & (TERM_H | TERM_M)) != 0);
            assert_true(!(p->terms & TERM_M) || (done & EFFECT_INNER));
            bool held = p->operand == OPERAND_HELD || p->operand == OPERAND_REST;
            assert_true(!held || (done & EFFECT_HOLD));
            assert_true(p->operand != OPERAND_BOUNDED || (done & EFFECT_SUM));
            assert_true(!(p->effects & EFFECT_PLUS) || (done & EFFECT_LATE));
            done |= p->effects;
            results += (p->effects & (EFFECT_OUT | EFFECT_OUT_A | EFFECT_OUT_STATE)) != 0;
        }
        assert_int_equal(results, 1);
        Curve curve[ACTIVATIONS_MAX];
        assert_in_range(cell_activations(&table[c], curve), 1, ACTIVATIONS_MAX);
    }
}

static void add_cell(Passes *p, const char *key)
{
    const Cell *c = cell(key);
    Curve curve[ACTIVATIONS_MAX];
    cell_activations(c, curve);
    for (int k = 0; k < c->n; k++) {
        Pass pass = c->pass[k];
        pass.curve = pass.activation ? curve[pass.activation - 1] : CURVE_NONE;
        passes_add(p, &pass);
    }
}

static uint32_t mask(const Passes *p, const char *name)
{
    Mask all[MASKS];
    passes_masks(p, all);
    for (int k = 0; k < MASKS; k++)
        if (strcmp(all[k].name, name) == 0)
            return all[k].bits;
    fail_msg("no mask %s", name);
    return 0;
}

static void expect_masks(const Passes *p, const char *const *name, const uint32_t *bits, int n)
{
    uint32_t others = 0;
    for (int k = 0; k < n; k++)
        if (mask(p, name[k]) != bits[k])
            fail_msg("%s: 0x%x, not 0x%x", name[k], mask(p, name[k]), bits[k]);
    Mask all[MASKS];
    passes_masks(p, all);
    for (int k = 0; k < MASKS; k++) {
        bool named = false;
        for (int i = 0; i < n; i++)
            named = named || strcmp(name[i], all[k].name) == 0;
        others |= named ? 0 : all[k].bits;
    }
    assert_int_equal(others, 0);
}

/* linear o f g i keep */
static void test_masks_of_lstm(void **state)
{
    static const char *const name[] = {"KEEP", "SIGMOID", "HALF", "DIRECT", "TIMES_HELD", "TIMES_STATE",
                                       "TIMES_BOUNDED", "TO_HELD", "TO_KEPT", "TO_STATE", "RESULT_A", "RESULT_P"};
    static const uint32_t bits[] = {1, 0x1a, 0x1a, 0x20, 0x04, 0x08, 0x10, 0x02, 0x04, 0x08, 0x20, 0x10};
    Passes p;
    (void)state;
    passes_start(&p);
    add_cell(&p, "lstm");
    add_cell(&p, "linear");
    add_cell(&p, "lstm");
    assert_int_equal(p.n, 6);
    expect_masks(&p, name, bits, LENGTH(name));
}

/* n z r q keep */
static void test_masks_of_gru_after(void **state)
{
    static const char *const name[] = {"KEEP", "SIGMOID", "HALF", "DIRECT", "TIMES_HELD", "TIMES_REST", "TIMES_STATE",
                                       "TO_HELD", "TO_KEPT", "TO_STATE", "TO_LATE", "PLUS_LATE", "RESULT_STATE"};
    static const uint32_t bits[] = {1, 0x0c, 0x0c, 0x02, 0x04, 0x10, 0x08, 0x0a, 0x08, 0x10, 0x04, 0x10, 0x10};
    Passes p;
    (void)state;
    passes_start(&p);
    add_cell(&p, "gru_after");
    assert_int_equal(p.n, 5);
    expect_masks(&p, name, bits, LENGTH(name));
}

/* A cell's pass is found again by what it does, whatever its gate is called. */
static void test_passes_are_shared(void **state)
{
    Passes p;
    Pass none = cell("linear")->pass[0], relu = none;
    (void)state;
    relu.curve = CURVE_RELU;
    passes_start(&p);
    assert_int_equal(passes_add(&p, &none), 1);
    assert_int_equal(passes_add(&p, &relu), 1);
    add_cell(&p, "gru_before");
    int before = p.n;
    add_cell(&p, "ligru");              /* z is that of the GRU, n has another curve */
    assert_int_equal(p.n, before + 1);
    assert_int_equal(passes_find(&p, &relu), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters), cmocka_unit_test(test_rows), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_table_is_whole), cmocka_unit_test(test_masks_of_lstm),
        cmocka_unit_test(test_masks_of_gru_after), cmocka_unit_test(test_passes_are_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
