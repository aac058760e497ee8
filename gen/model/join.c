/* join.c: tensors that frameworks keep apart and a spec wants as one: "join(a, b, c)" is a, b and c side by side, along
 * their last axis: the three peepholes of a TensorFlow cell, the kernels of gates and candidate of its GRU. */
#include "model/importer.h"

#include <string.h>

static const char OPEN[] = "join(", BETWEEN[] = ", ";

int join_parts(Arena *a, const char *name, const char *out[JOIN_MAX])
{
    size_t n = strlen(name);
    if (strncmp(name, OPEN, strlen(OPEN)) != 0 || name[n - 1] != ')')
        return 0;
    const char *at = name + strlen(OPEN), *end = name + n - 1;
    for (int k = 0; k < JOIN_MAX; k++) {
        const char *comma = strstr(at, BETWEEN);
        const char *stop = comma ? comma : end;
        out[k] = str_format(a, "%.*s", (int)(stop - at), at);
        if (!comma)
            return k + 1;
        at = comma + strlen(BETWEEN);
    }
    return 0;
}

const char *join_name(Arena *a, const char *const *part, int n)
{
    const char *text = OPEN;
    for (int k = 0; k < n; k++)
        text = str_format(a, "%s%s%s", text, k > 0 ? BETWEEN : "", part[k]);
    return str_format(a, "%s)", text);
}

/* Rows of one matrix behind those of the other. */
static void set_columns(Tensor *out, const Tensor *part, int64_t rows, int64_t first)
{
    int64_t columns = part->count / rows, all = out->count / rows;
    for (int64_t r = 0; r < rows; r++)
        memcpy(out->data + r * all + first, part->data + r * columns, sizeof(float) * (size_t)columns);
}

/* Do all but the last dimensions agree? */
static bool same_rows(const Tensor *a, const Tensor *b)
{
    bool same = a->rank == b->rank && a->rank > 0;
    for (int i = 0; same && i + 1 < a->rank; i++)
        same = a->shape[i] == b->shape[i];
    return same;
}

int join_derive(Model *m, const Subject *s, const char *name, Tensor *out)
{
    const char *part[JOIN_MAX];
    Tensor *t[JOIN_MAX];
    int n = join_parts(m->arena, name, part);
    int64_t last = 0;
    for (int k = 0; k < n; k++) {
        if (model_find(m, part[k]) < 0)
            return k == 0 ? 0 : model_tensor(m, s->diag, s->from, part[k]) ? 0 : -1;
        t[k] = model_tensor(m, s->diag, s->from, part[k]);
        if (!t[k])
            return -1;
        if (!same_rows(t[0], t[k])) {
            subject_error(s, "%s and %s cannot stand side by side: all but the last dimension must agree",
                          shape_text(m->arena, t[0]), shape_text(m->arena, t[k]));
            return -1;
        }
        last += t[k]->shape[t[k]->rank - 1];
    }
    if (n == 0)
        return 0;
    int64_t rows = t[0]->count / t[0]->shape[t[0]->rank - 1];
    out->rank = t[0]->rank;
    memcpy(out->shape, t[0]->shape, sizeof out->shape);
    out->shape[out->rank - 1] = last;
    out->count = rows * last;
    if ((uint64_t)out->count > TENSOR_BYTES_MAX / sizeof(float)) {
        subject_error(s, "%lld values side by side: more than a tensor may have", (long long)out->count);
        return -1;
    }
    out->data = ARENA_ARRAY(m->arena, float, out->count);
    for (int64_t k = 0, first = 0; k < n; first += t[k]->shape[t[k]->rank - 1], k++)
        set_columns(out, t[k], rows, first);
    return 1;
}
