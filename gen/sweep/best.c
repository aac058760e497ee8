/* best.c: --best: the cheapest points that meet a condition, and the spec of the first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/sweep.h"

enum { PRINTED_MAX = 10 };

typedef struct Candidate { int point; double cost, interval; } Candidate;

/* Cheap: few DSP and LUT, then few cycles, then the lower number. */
static int by_cost(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    if (x->interval != y->interval)
        return x->interval < y->interval ? -1 : 1;
    return (x->point > y->point) - (x->point < y->point);
}

static double number(json_t *row, const char *name)
{
    Value v = columns_look(row, name);
    return v.kind == VALUE_NUMBER ? v.number : INFINITY;
}

static int candidates(const Sweep *s, const Journal *j, const Expr *e, Candidate *out)
{
    int n = 0;
    const char *fault = NULL;
    for (int i = 0; i < s->n_points && !fault; i++) {
        json_t *row = s->point[i].status == POINT_OK ? journal_row(j, &s->point[i]) : NULL;
        if (row && value_true(expr_value(e, columns_look, row, &fault)))
            out[n++] = (Candidate){ i, number(row, "Rresources.dsp") + number(row, "Rresources.lut"),
                                    number(row, "Rcycles.interval") };
        if (fault)
            diag_error(s->diag, (Place){ 0 }, "--best compares or adds the text '%s' like a number",
                       fault);
        json_decref(row);
    }
    return fault ? -1 : n;
}

static void print_candidate(Arena *a, const Sweep *s, const Journal *j, const Candidate *c)
{
    json_t *row = journal_row(j, &s->point[c->point]);
    const char **set = point_sets(a, s, &s->point[c->point]);
    printf("%6d %9.0f %8.0f %6.0f %9.2f ", c->point + 1, number(row, "Rresources.lut"),
           number(row, "Rresources.dsp"), c->interval, number(row, "Rverify.snr_db"));
    for (int i = 0; i < s->n_axes; i++)
        printf(" %s", set[i]);
    printf("\n");
    json_decref(row);
}

bool best_print(const Sweep *s, const Journal *j, const char *condition)
{
    Arena *a = s->arena;
    Names names = columns_names(a, s);
    Expr *e = expr_parse(a, s->diag, (Place){ 0 }, &names, condition);
    Candidate *c = ARENA_ARRAY(a, Candidate, s->n_points);
    int n = e ? candidates(s, j, e, c) : -1;
    if (n < 0)
        return false;
    if (n == 0) {
        diag_error(s->diag, (Place){ 0 }, "no point meets '%s'", condition);
        return false;
    }
    qsort(c, (size_t)n, sizeof *c, by_cost);
    printf("%d points meet %s; the cheapest:\n%6s %9s %8s %6s %9s\n", n, condition, "point", "LUT",
           "DSP", "cycles", "SNR dB");
    for (int i = 0; i < MIN(n, PRINTED_MAX); i++)
        print_candidate(a, s, j, &c[i]);
    const char *path = path_join(a, s->out, "best.yaml");
    const char *spec = point_spec(a, s, &s->point[c[0].point], s->out);
    if (!write_whole(s->diag, path, spec, strlen(spec)))
        return false;
    printf("spec of point %d: %s\n", c[0].point + 1, path);
    return true;
}
