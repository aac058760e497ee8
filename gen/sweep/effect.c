/* effect.c: axes that changed nothing in any result, which the table alone would hardly show. */
#include <stdlib.h>
#include <string.h>

#include "sweep/sweep.h"

/* Of all figures of a row; of its status where it has none. */
static uint64_t row_print(const json_t *row)
{
    const json_t *result = json_object_get(row, "result");
    char *text = json_dumps(result ? result : json_object_get(row, "status"),
                            JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char sum[65] = "";
    sha256_hex(text ? text : "", text ? strlen(text) : 0, sum);
    free(text);
    sum[16] = '\0';
    return strtoull(sum, NULL, 16);
}

static uint64_t *print_rows(Arena *a, const Sweep *s, const Journal *j)
{
    uint64_t *print = ARENA_ARRAY(a, uint64_t, s->n_points);
    for (int i = 0; i < s->n_points; i++) {
        json_t *row = s->point[i].status == POINT_OPEN ? NULL : journal_row(j, &s->point[i]);
        print[i] = row ? row_print(row) : 0;
        json_decref(row);
    }
    return print;
}

static int by_index(const void *key, const void *point)
{
    int64_t a = *(const int64_t *)key, b = ((const Point *)point)->index;
    return (a > b) - (a < b);
}

/* The point that differs from `p` only in having the group's first values; NULL: there is none. */
static const Point *first_of_group(const Sweep *s, const Point *p, int group)
{
    int64_t stride = 1;
    for (int g = s->n_groups - 1; g > group; g--)
        stride *= s->group_size[g];
    int64_t index = p->index - p->index / stride % s->group_size[group] * stride;
    const Point *first = bsearch(&index, s->point, (size_t)s->n_points, sizeof *p, by_index);
    return first && first != p && first->status != POINT_OPEN ? first : NULL;
}

static bool changes(const Sweep *s, const uint64_t *print, int group)
{
    int pairs = 0;
    for (int i = 0; i < s->n_points; i++) {
        const Point *p = &s->point[i];
        const Point *first = p->status == POINT_OPEN ? NULL : first_of_group(s, p, group);
        pairs += first && first->status == POINT_OK && p->status == POINT_OK;
        if (first && print[first - s->point] != print[i])
            return true;
    }
    return pairs == 0;
}

void effect_warn(Sweep *s, const Journal *j)
{
    Arena *a = arena_new();
    const uint64_t *print = print_rows(a, s, j);
    bool said[AXES_MAX] = { false };
    for (int i = 0; i < s->n_axes; i++) {
        const Axis *x = &s->axis[i];
        if (!said[x->group] && !changes(s, print, x->group))
            diag_warn(s->diag, x->at, "the axis %s changes nothing: all its values have the same results",
                      x->key);
        said[x->group] = true;
    }
    arena_free(a);
}
