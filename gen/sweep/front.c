/* front.c: which points no other point beats. */
#include <math.h>
#include <stdlib.h>

#include "sweep/sweep.h"

/* a is at least as good as b everywhere and better somewhere. */
static bool beats(const double *a, const double *b, int n)
{
    bool better = false;
    for (int i = 0; i < n; i++) {
        if (a[i] > b[i])
            return false;
        better = better || a[i] < b[i];
    }
    return better;
}

typedef struct Ordered { const double *cost; int n, point; } Ordered;

static int by_cost(const void *a, const void *b)
{
    const Ordered *x = a, *y = b;
    for (int i = 0; i < x->n; i++)
        if (x->cost[i] != y->cost[i])
            return x->cost[i] < y->cost[i] ? -1 : 1;
    return (x->point > y->point) - (x->point < y->point);
}

/* In the order of cost only an earlier point can beat a later one, and one that is on the front. */
void front_mark(const double *cost, int points, int n, bool *on)
{
    Arena *a = arena_new();
    Ordered *order = ARENA_ARRAY(a, Ordered, points);
    const double **front = ARENA_ARRAY(a, const double *, points);
    int known = 0, length = 0;
    for (int p = 0; p < points; p++) {
        bool whole = true;
        on[p] = false;
        for (int i = 0; i < n; i++)
            whole = whole && !isnan(cost[(size_t)p * n + i]);
        if (whole)
            order[known++] = (Ordered){ cost + (size_t)p * n, n, p };
    }
    qsort(order, (size_t)known, sizeof *order, by_cost);
    for (int i = 0; i < known; i++) {
        bool beaten = false;
        for (int k = length - 1; k >= 0 && !beaten; k--)
            beaten = beats(front[k], order[i].cost, n);
        if (!beaten)
            front[length++] = order[i].cost;
        on[order[i].point] = !beaten;
    }
    arena_free(a);
}

static double figure(const Expr *e, json_t *row)
{
    Value v = expr_value(e, columns_look, row, NULL);
    return v.kind == VALUE_NUMBER || v.kind == VALUE_BOOL ? v.number : NAN;
}

bool table_read(Arena *a, const Sweep *s, const Journal *j, Table *t)
{
    *t = (Table){ .point = ARENA_ARRAY(a, int, s->n_points),
                  .cost = ARENA_ARRAY(a, double, (size_t)s->n_points * FRONT_MAX),
                  .on = ARENA_ARRAY(a, bool, s->n_points),
                  .pattern = ARENA_ARRAY(a, const char *, s->n_points) };
    for (int i = 0; i < s->n_points; i++) {
        json_t *row = s->point[i].status == POINT_OK ? journal_row(j, &s->point[i]) : NULL;
        if (!row)
            continue;
        const char *pattern = json_string_value(json_object_get(json_object_get(row, "result"), "pattern"));
        t->pattern[t->n] = str_dup(a, pattern ? pattern : "");
        for (int k = 0; k < s->n_front; k++)
            t->cost[t->n * s->n_front + k] = figure(s->front[k].value, row);
        t->point[t->n++] = i;
        json_decref(row);
    }
    double *signed_cost = ARENA_ARRAY(a, double, (size_t)t->n * s->n_front);
    for (int i = 0; i < t->n * s->n_front; i++)
        signed_cost[i] = s->front[i % s->n_front].most ? -t->cost[i] : t->cost[i];
    front_mark(signed_cost, t->n, s->n_front, t->on);
    return true;
}
