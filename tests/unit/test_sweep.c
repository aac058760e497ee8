/* test_sweep.c: conditions, and the front against its definition. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/sweep.h"

static const char *const ALL[] = { "engine.pes", "sparsity.pattern", "none" };

static const char *known(const Names *n, Arena *a, const char *name)
{
    (void)a;
    for (int i = 0; i < n->n_all; i++)
        if (strcmp(n->all[i], name) == 0)
            return n->all[i];
    return NULL;
}

static Value look(void *context, const char *name)
{
    (void)context;
    if (strcmp(name, "engine.pes") == 0)
        return (Value){ VALUE_NUMBER, 8, "8" };
    if (strcmp(name, "sparsity.pattern") == 0)
        return (Value){ VALUE_TEXT, 0, "dense" };
    return (Value){ 0 };
}

static const Names NAMES = { known, ALL, LENGTH(ALL), NULL };

static Value value(Arena *a, const char *text, const char **fault)
{
    Diag *d = diag_new(a);
    Expr *e = expr_parse(a, d, (Place){ 0 }, &NAMES, text);
    if (!e) {
        fail_msg("%s: %s", text, diag_reason(a, d));
        return (Value){ 0 };
    }
    return expr_value(e, look, NULL, fault);
}

static void test_conditions(void **state)
{
    static const struct { const char *text; bool holds; } CASES[] = {
        { "1 + 2 * 3 == 7", true }, { "(1 + 2) * 3 == 9", true }, { "10 - 4 - 3 == 3", true },
        { "8 / 4 / 2 == 1", true }, { "-engine.pes < 0", true }, { "engine.pes <= 8", true },
        { "engine.pes < 8", false }, { "not engine.pes < 8 and true", true },
        { "false and false or true", true }, { "not (false or true)", false },
        { "sparsity.pattern == dense", true }, { "'dense' == sparsity.pattern", true },
        { "sparsity.pattern != \"bank_balanced\"", true }, { "none > 1", false }, { "none == 0", false },
        { "1 / 0 == 0", false }, { "1e3 == 1000", true }, { "sparsity.pattern == 1", false },
    };
    (void)state;
    Arena *a = arena_new();
    for (int i = 0; i < LENGTH(CASES); i++) {
        const char *fault = NULL;
        if (value_true(value(a, CASES[i].text, &fault)) != CASES[i].holds || fault)
            fail_msg("%s", CASES[i].text);
    }
    const char *fault = NULL;
    value(a, "sparsity.pattern < 3", &fault);
    assert_string_equal(fault, "dense");
    arena_free(a);
}

static void test_mistakes(void **state)
{
    static const struct { const char *text, *says; } CASES[] = {
        { "", "too early" }, { "engine.pes >", "too early" }, { "(1", ") is missing" },
        { "engine.pse > 1", "did you mean engine.pes?" }, { "'open", "closing '" },
        { "1 2", "too much" }, { "dense", "quotes" }, { "8x > 1", "no number" },
        { "a == b", "not known" }, { "engine.pes && 1", "too much" }, { "# 3", "expected" },
        { "-foo", "at character 2: 'foo' is not known" }, { "-foo < 1", "at character 2: 'foo' is not known" },
        { "1 - -(-engine.pse)", "did you mean engine.pes?" }, { "-dense == 1", "'dense' is not known" },
        { "not -foo", "'foo' is not known" }, { "-(-)", "expected" },
    };
    (void)state;
    for (int i = 0; i < LENGTH(CASES); i++) {
        Arena *a = arena_new();
        Diag *d = diag_new(a);
        assert_null(expr_parse(a, d, (Place){ 0 }, &NAMES, CASES[i].text));
        if (!strstr(diag_reason(a, d), CASES[i].says))
            fail_msg("'%s' says %s", CASES[i].text, diag_reason(a, d));
        arena_free(a);
    }
}

static void test_deep_nesting(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    char text[5001];
    memset(text, '(', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_null(expr_parse(a, d, (Place){ 0 }, &NAMES, text));
    assert_non_null(strstr(diag_reason(a, d), "deeply"));
    arena_free(a);
}

/* Random points with many ties, each against all others. */
static void test_front(void **state)
{
    enum { POINTS = 300, COLUMNS = 3 };
    double cost[POINTS][COLUMNS];
    bool on[POINTS];
    (void)state;
    srand(7);
    for (int i = 0; i < POINTS; i++)
        for (int k = 0; k < COLUMNS; k++)
            cost[i][k] = rand() % 50 == 0 ? NAN : rand() % 12;
    front_mark(&cost[0][0], POINTS, COLUMNS, on);
    for (int i = 0; i < POINTS; i++) {
        bool beaten = isnan(cost[i][0] + cost[i][1] + cost[i][2]);
        for (int j = 0; j < POINTS; j++) {
            bool worse = false, better = false;
            for (int k = 0; k < COLUMNS; k++) {
                worse = worse || !(cost[j][k] <= cost[i][k]);
                better = better || cost[j][k] < cost[i][k];
            }
            beaten = beaten || (!worse && better);
        }
        assert_int_equal(on[i], !beaten);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_deep_nesting), cmocka_unit_test(test_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
