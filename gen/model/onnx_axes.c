/* onnx_axes.c: what each axis of a sequence of vectors means, and what is left of that when the axes are regrouped. */
#include "model/onnx_graph.h"

Axis axis_of(char label, int64_t size)
{
    Axis a = { .n = size != 1, .atom = { { label, size } } };
    return a;
}

int64_t axis_size(const Axis *a)
{
    int64_t size = 1;
    if (a->n == 1)
        return a->atom[0].size;
    for (int i = 0; i < a->n; i++) {
        if (is_symbol(a->atom[i].size))
            return -1;
        size *= a->atom[i].size;
    }
    return size;
}

Value *call_moved(Call *c, int i, const Value *from, const Axes *axes)
{
    Value *v = call_out(c, i, VECTORS);
    v->axes = ARENA_NEW(c->walk->arena, Axes);
    *v->axes = *axes;
    v->at = from->at;
    v->last = from->last;
    v->final = from->final;
    v->scale = from->scale;
    v->shift = from->shift;
    v->state = from->state;
    return v;
}

int vectors_axis(const Value *v)
{
    int found = -1, rank = v->axes->rank;
    for (int i = 0; i < rank; i++)
        for (int k = 0; k < v->axes->axis[i].n; k++)
            if (v->axes->axis[i].atom[k].label == 'F')
                found = v->axes->axis[i].n == 1 ? i : RANK_MAX;
    if (found == RANK_MAX)
        return -1;
    if (found < 0 && v->at && v->at->width == 1 && rank > 0 && v->axes->axis[rank - 1].n == 0)
        return rank - 1; /* an axis of size 1 holds no atom: the last one it is, by habit */
    return found;
}

bool vectors_plain(const Value *v)
{
    bool dropped = v->at && v->at->width == 1;
    for (int i = 0; i < v->axes->rank; i++)
        for (int k = 0; k < v->axes->axis[i].n; k++)
            dropped = dropped && v->axes->axis[i].atom[k].label != 'F';
    return dropped || (v->axes->rank > 0 && vectors_axis(v) == v->axes->rank - 1);
}

/* ---- regrouping, as Reshape does ---- */

typedef struct Atoms {
    int first, end;
    Atom atom[RANK_MAX * RANK_MAX];
} Atoms;

/* Takes the atoms that make up an axis of this size from one end. False: it would cut an atom. */
static bool take(Atoms *a, int64_t size, bool from_end, Axis *out)
{
    int64_t product = 1;
    Axis taken = { 0 };
    if (is_symbol(size)) {
        const Atom *next = from_end ? &a->atom[a->end - 1] : &a->atom[a->first];
        if (a->first >= a->end || next->size != size)
            return false;
        taken.n = 1;
        taken.atom[0] = *next;
    }
    while (!is_symbol(size) && product < size) {
        int at = from_end ? a->end - 1 - taken.n : a->first + taken.n;
        if (at < a->first || at >= a->end || is_symbol(a->atom[at].size) || taken.n == RANK_MAX)
            return false;
        product *= a->atom[at].size;
        taken.atom[taken.n++] = a->atom[at];
    }
    if (!is_symbol(size) && product != size)
        return false;
    for (int i = 0; from_end && i < taken.n / 2; i++) { /* slowest first */
        Atom keep = taken.atom[i];
        taken.atom[i] = taken.atom[taken.n - 1 - i];
        taken.atom[taken.n - 1 - i] = keep;
    }
    a->first += from_end ? 0 : taken.n;
    a->end -= from_end ? taken.n : 0;
    *out = taken;
    return true;
}

bool axes_regroup(const Axes *from, const int64_t *shape, int rank, Axes *to)
{
    Atoms all = { 0 };
    int left = 0, right = rank;
    int64_t size[RANK_MAX];
    for (int i = 0; i < from->rank; i++)
        for (int k = 0; k < from->axis[i].n; k++)
            all.atom[all.end++] = from->axis[i].atom[k];
    for (int i = 0; i < rank; i++) {
        size[i] = shape[i] == 0 && i < from->rank ? axis_size(&from->axis[i]) : shape[i];
        if (size[i] == 0)
            return false;
    }
    *to = (Axes){ .rank = rank };
    while (left < right && size[left] > 0 && take(&all, size[left], false, &to->axis[left]))
        left++;
    while (right > left && size[right - 1] > 0 && take(&all, size[right - 1], true, &to->axis[right - 1]))
        right--;
    if (left == right)
        return all.first == all.end;
    /* One axis may be what is left: -1, or a product of sizes that only the run knows. */
    if (right - left > 1 || (size[left] > 0 && !is_symbol(size[left])) || all.end - all.first > RANK_MAX)
        return false;
    while (all.first < all.end)
        to->axis[left].atom[to->axis[left].n++] = all.atom[all.first++];
    return true;
}
