/* fuzz_expr.c: conditions of a sweep as libFuzzer makes them: either they mean something, or one error says why not. */
#include "sweep/sweep.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const ALL[] = { "engine.pes", "cycles.interval", "sparsity.pattern", "fits", "snr_db", "absent" };

static const char *known(const Names *n, Arena *a, const char *name)
{
    for (int i = 0; i < n->n_all; i++)
        if (strcmp(n->all[i], name) == 0)
            return str_dup(a, name);
    return NULL;
}

static Value look(void *context, const char *name)
{
    (void)context;
    return name[0] == 's' && name[1] == 'p' ? (Value){ .kind = VALUE_TEXT, .text = "dense" }
           : name[0] == 'f'                 ? (Value){ .kind = VALUE_BOOL, .number = 1 }
           : name[0] == 'a'                 ? (Value){ 0 }
                                            : (Value){ .kind = VALUE_NUMBER, .number = 0.5 * (double)strlen(name) };
}

static bool same(Value a, Value b)
{
    bool number = a.number == b.number || (a.number != a.number && b.number != b.number);
    return a.kind == b.kind && (a.kind != VALUE_NUMBER || number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const Names NAMES = { known, ALL, LENGTH(ALL), NULL };
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    const char *fault = NULL, *again = NULL;
    Expr *e = expr_parse(a, d, (Place){ "sweep.yaml", 1, 1 }, &NAMES, str_ndup(a, (const char *)data, size));
    REQUIRE((e == NULL) == diag_failed(d));
    REQUIRE(e || diag_reason(a, d)[0]);
    if (e)
        REQUIRE(same(expr_value(e, look, NULL, &fault), expr_value(e, look, NULL, &again)) && fault == again);
    arena_free(a);
    return 0;
}
