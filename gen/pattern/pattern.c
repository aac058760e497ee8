/* pattern.c: the table of sparsity patterns. A further pattern is one file and one row here. */
#include "pattern/pattern.h"

#include <math.h>
#include <string.h>

static const Pattern *const table[] = {
    &pattern_dense,
    &pattern_bank_balanced,
    &pattern_grouped_columns,
    &pattern_column_balanced,
    &pattern_structured_blocks,
};

const Pattern *const *pattern_table(int *n)
{
    *n = LENGTH(table);
    return table;
}

const Pattern *pattern_find(const char *name)
{
    for (int k = 0; k < LENGTH(table); k++)
        if (!strcmp(table[k]->name, name))
            return table[k];
    return NULL;
}

bool pattern_has_key(const Pattern *p, const char *key)
{
    for (int k = 0; p->keys[k]; k++)
        if (!strcmp(p->keys[k], key))
            return true;
    return false;
}

void patterns_print(FILE *to)
{
    for (int k = 0; k < LENGTH(table); k++) {
        const Pattern *p = table[k];
        fprintf(to, "%s%s\n    %s\n", k ? "\n" : "", p->name, p->summary);
        fprintf(to, "    keeps     %s\n    hardware  %s\n    costs     %s\n    source    %s\n    keys      ",
                p->keeps, p->hardware, p->costs, p->paper);
        for (int i = 0; p->keys[i]; i++)
            fprintf(to, "%s%s", i ? ", " : "", p->keys[i]);
        fprintf(to, "%s\n", p->keys[0] ? "" : "none of its own");
    }
}

double log2_choose(double n, double k)
{
    return (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)) / M_LN2;
}

int64_t matrix_kept(const Matrix *m)
{
    int64_t total = (int64_t)m->rows * m->columns, kept = 0;
    if (!m->kept)
        return total;
    for (int64_t i = 0; i < total; i++)
        kept += m->kept[i];
    return kept;
}

void columns_pack(const MatrixPlan *plan, const QMatrix *q, int row, int lanes, LaneWord *out)
{
    int n = 0;
    for (int c = 0; row >= 0 && c < q->columns; c++) {
        int64_t at = (int64_t)row * q->columns + c;
        if (q->kept && !q->kept[at])
            continue;
        REQUIRE(n < plan->cycles * lanes);
        out[n++] = (LaneWord){q->value[at], (uint16_t)c};
    }
    for (; n < plan->cycles * lanes; n++)
        out[n] = (LaneWord){0, 0};
}

void columns_unpack(const MatrixPlan *plan, int columns, int lanes, const LaneWord *in, int16_t *out)
{
    (void)columns;
    for (int n = 0; n < plan->cycles * lanes; n++)
        if (in[n].weight != 0)
            out[in[n].index] = in[n].weight;
}
