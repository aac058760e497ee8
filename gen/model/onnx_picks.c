/* onnx_picks.c: operators that take a part of their input, or put inputs side by side: Slice, Gather, Split, Concat. Of
 * a sequence of vectors they may take all of it or its last step; of several layers' states, one. */
#include "model/onnx_graph.h"

#include <string.h>

/* A part of a layer's output that no core gives. */
static void refuse_pick(Call *c, const Value *v, const char *what)
{
    const char *why = value_recurrent(v) ? str_format(c->walk->arena,
                                         "%s '%s' takes %s of what '%s' gives; a core gives every step or the last",
                                         c->node->op_type, c->label, what, v->at->label)
                            : NULL;
    call_outside(c, why, false);
}

static const char *axis_text(const Axis *a)
{
    return a->n != 1                  ? "a part"
         : a->atom[0].label == 'T' ? "other steps than the last"
         : a->atom[0].label == 'B' ? "some of the sequences"
                                   : "a part of the vector";
}

/* Picks index `at` of one axis, which is dropped unless `keep`. Only the last step of T is a pick; an axis of size 1
 * has nothing to choose from. */
static void pick_vectors(Call *c, Value *v, int axis, int64_t at, bool keep)
{
    Axes axes = *v->axes;
    const Axis *a = &axes.axis[axis];
    int64_t size = axis_size(a);
    bool all = a->n == 0 && (at == 0 || at == -1);
    bool last = a->n == 1 && a->atom[0].label == 'T' && !v->last
             && (at == -1 || (!is_symbol(size) && at == size - 1));
    if (!all && !last) {
        refuse_pick(c, v, axis_text(a));
        return;
    }
    axes.axis[axis] = (Axis){ 0 };
    if (!keep)
        memmove(axes.axis + axis, axes.axis + axis + 1, sizeof(Axis) * (size_t)(--axes.rank - axis));
    call_moved(c, 0, v, &axes)->last = v->last || last;
}

/* ---- Slice ---- */

typedef struct Cut {
    int64_t start[RANK_MAX], end[RANK_MAX], axis[RANK_MAX], step[RANK_MAX];
    int n;
} Cut;

static bool read_cut(const Call *c, Cut *k)
{
    int ends, axes, steps;
    if (!call_list(c, 1, "starts", k->start, &k->n) || !call_list(c, 2, "ends", k->end, &ends)
        || !call_list(c, 3, "axes", k->axis, &axes) || !call_list(c, 4, NULL, k->step, &steps)
        || k->n == 0 || ends != k->n || (axes && axes != k->n) || (steps && steps != k->n))
        return false;
    for (int i = 0; i < k->n; i++) {
        k->axis[i] = axes ? k->axis[i] : i;
        k->step[i] = steps ? k->step[i] : 1;
    }
    return true;
}

/* Does a cut that ends here reach the end of an axis of this size? */
static bool reaches_end(int64_t end, int64_t size)
{
    return end == size || (!is_symbol(end) && (end >= INT32_MAX || (!is_symbol(size) && end >= size)));
}

/* One axis of a constant. The sizes that only the run knows are cut into others that nobody knows. */
static bool cut_constant(Walk *w, View *v, const Cut *k, int i)
{
    int a = axis_number(k->axis[i], v->rank);
    if (a < 0 || k->step[i] == 0)
        return false;
    int64_t size = v->shape[a], start = k->start[i], end = k->end[i], step = k->step[i];
    if (is_symbol(size) || is_symbol(start) || is_symbol(end)) {
        v->shape[a] = start == 0 && reaches_end(end, size) && step == 1 ? size : new_symbol(w);
        return v->stride[a] == 0;
    }
    start = start < 0 ? start + size : start;
    end = end < 0 ? end + size : end;
    start = MAX(MIN(start, step > 0 ? size : size - 1), 0);
    end = MAX(MIN(end, size), step > 0 ? 0 : -1);
    int64_t n = step > 0 ? (end - start + step - 1) / step : (end - start + step + 1) / step;
    if (n <= 0)
        return false;
    v->offset += start * v->stride[a];
    v->stride[a] *= step;
    v->shape[a] = n;
    return true;
}

/* Of vectors: the whole of an axis, or its last element. */
static void slice_vectors(Call *c, Value *v, const Cut *k)
{
    for (int i = 0; i < k->n; i++) {
        int a = axis_number(k->axis[i], v->axes->rank);
        int64_t size = a < 0 ? 0 : axis_size(&v->axes->axis[a]), start = k->start[i], end = k->end[i];
        bool known = size > 0 && !is_symbol(size);
        bool to_end = reaches_end(end, size);
        bool from_start = start == 0 || (known && start <= -size);
        if (a < 0 || k->step[i] != 1) {
            refuse_pick(c, v, "steps in another order");
            return;
        }
        if (to_end && from_start)
            continue;
        if (!to_end || (start != -1 && !(known && start == size - 1)) || k->n > 1) {
            refuse_pick(c, v, axis_text(&v->axes->axis[a]));
            return;
        }
        pick_vectors(c, v, a, -1, true);
        return;
    }
    c->out[0] = v;
}

static void slice_stack(Call *c, const Value *v, const Cut *k)
{
    int64_t start = k->start[0] < 0 ? k->start[0] + v->n_from : k->start[0];
    int64_t end = k->end[0] < 0 ? k->end[0] + v->n_from : MIN(k->end[0], v->n_from);
    if (k->n == 1 && k->axis[0] == v->stacked && k->step[0] == 1 && start >= 0 && end == start + 1)
        c->out[0] = v->from[start];
}

/* So many sizes of a shape that is not known. */
static void slice_sizes(Call *c, const Cut *k)
{
    int64_t n = k->end[0] - k->start[0], symbol[RANK_MAX];
    if (k->start[0] < 0 && reaches_end(k->end[0], new_symbol(c->walk)))
        n = -k->start[0];
    else if ((k->start[0] < 0) != (k->end[0] < 0))
        n = 0;
    if (k->n != 1 || k->step[0] != 1 || n < 1 || n > RANK_MAX)
        return;
    for (int i = 0; i < n; i++)
        symbol[i] = new_symbol(c->walk);
    call_ints(c, 0, 1, &n, symbol);
}

static void run_slice(Call *c)
{
    Value *v = call_in(c, 0);
    Cut k;
    if (!v || !read_cut(c, &k)) {
        if (value_is(v, VECTORS))
            refuse_pick(c, v, "a part that only the run knows");
        return;
    }
    View view = v->view;
    bool ok = is_constant(v) && view.rank >= 0;
    for (int i = 0; i < k.n && ok; i++)
        ok = cut_constant(c->walk, &view, &k, i);
    if (ok || (is_constant(v) && view.rank < 0))
        call_view(c, 0, view);
    else if (v->kind == VECTORS)
        slice_vectors(c, v, &k);
    else if (v->kind == STACK)
        slice_stack(c, v, &k);
    else if (v->kind == SIZES)
        slice_sizes(c, &k);
}

/* ---- Gather ---- */

static void gather_constant(Call *c, const View *v, int axis, const int64_t *index, int n, int rank)
{
    View one = *v;
    int64_t size = v->shape[axis], at = index[0] < 0 ? index[0] + size : index[0];
    if (n == 1 && v->stride[axis] != 0) {
        if (is_symbol(size) || at < 0 || at >= size)
            return;
        one.offset += at * v->stride[axis];
        one.stride[axis] = 0;
    }
    if (n == 1) {
        one.shape[axis] = 1;
        if (rank == 0) {
            one.rank--;
            memmove(one.shape + axis, one.shape + axis + 1, sizeof *one.shape * (size_t)(one.rank - axis));
            memmove(one.stride + axis, one.stride + axis + 1, sizeof *one.stride * (size_t)(one.rank - axis));
        }
        call_view(c, 0, one);
        return;
    }
    int all;
    int64_t *values = v->rank == 1 && v->array->integer ? view_ints(c->walk, v, &all) : NULL;
    int64_t picked[RANK_MAX], count = n;
    for (int i = 0; values && i < n; i++) {
        at = index[i] < 0 ? index[i] + all : index[i];
        if (at < 0 || at >= all)
            return;
        picked[i] = values[at];
    }
    if (values)
        call_ints(c, 0, 1, &count, picked);
}

static void run_gather(Call *c)
{
    Value *v = call_in(c, 0), *at = call_in(c, 1);
    int64_t index[RANK_MAX], symbol[RANK_MAX], axis = call_int(c, "axis", 0);
    int n, rank = is_constant(v) ? v->view.rank : value_is(v, VECTORS) ? v->axes->rank : -1;
    if (!v || !at || !call_list(c, 1, NULL, index, &n) || n < 1) {
        if (value_is(v, VECTORS))
            refuse_pick(c, v, "a part that only the run knows");
        return;
    }
    int a = axis_number(axis, rank);
    int64_t count = n;
    for (int i = 0; i < n; i++)
        symbol[i] = new_symbol(c->walk);
    if (v->kind == SIZES)
        call_ints(c, 0, at->view.rank, &count, symbol);
    else if (v->kind == STACK && axis == v->stacked && n == 1 && index[0] >= -v->n_from && index[0] < v->n_from) {
        Value *part = v->from[index[0] < 0 ? index[0] + v->n_from : index[0]];
        if (at->view.rank == 0)
            pick_vectors(c, part, v->stacked, 0, false);
        else
            c->out[0] = part;
    } else if (is_constant(v) && rank < 0)
        c->out[0] = v;
    else if (is_constant(v) && a >= 0)
        gather_constant(c, &v->view, a, index, n, at->view.rank);
    else if (v->kind == VECTORS && a >= 0 && n == 1)
        pick_vectors(c, v, a, index[0], at->view.rank == 1);
    else if (v->kind == VECTORS)
        refuse_pick(c, v, "several parts");
}

/* ---- Split ---- */

static void run_split(Call *c)
{
    Value *v = call_in(c, 0);
    int64_t part[RANK_MAX], axis = call_int(c, "axis", 0);
    int n, a = is_constant(v) ? axis_number(axis, v->view.rank) : -1;
    if (value_is(v, STACK) && axis == v->stacked && c->n_out == v->n_from)
        for (int i = 0; i < c->n_out; i++)
            c->out[i] = v->from[i];
    if (v && c->n_out == 1)
        c->out[0] = v;
    if (a < 0 || is_symbol(v->view.shape[a]) || !call_list(c, 1, "split", part, &n))
        return;
    View rest = v->view;
    int64_t size = rest.shape[a], each = (size + c->n_out - 1) / c->n_out, at = 0;
    for (int i = 0; i < c->n_out; i++) {
        int64_t some = i < n ? part[i] : MIN(each, size - at);
        if (some <= 0 || some > size - at)
            return;
        rest.shape[a] = some;
        rest.offset = v->view.offset + at * v->view.stride[a];
        call_view(c, i, rest);
        at += some;
    }
}

/* ---- Concat ---- */

/* Constants of one type, elements in a new array. */
static void concat_constants(Call *c, int axis)
{
    const View *first = &c->in[0]->view;
    int64_t shape[RANK_MAX], outer = 1, inner = 1;
    memcpy(shape, first->shape, sizeof shape);
    shape[axis] = 0;
    for (int i = 0; i < c->n_in; i++) {
        const View *v = &c->in[i]->view;
        if (v->rank != first->rank || v->array->integer != first->array->integer || view_count(v) < 0)
            return;
        for (int k = 0; k < v->rank; k++)
            if (k != axis && v->shape[k] != first->shape[k])
                return;
        shape[axis] += v->shape[axis];
    }
    for (int k = 0; k < first->rank; k++) {
        outer *= k < axis ? shape[k] : 1;
        inner *= k > axis ? shape[k] : 1;
    }
    View whole = { .rank = first->rank };
    memcpy(whole.shape, shape, sizeof shape);
    int64_t total = view_count(&whole), at = 0;
    if (total < 0)
        return;
    size_t size = first->array->integer ? sizeof(int64_t) : sizeof(float);
    uint8_t *out = arena_alloc(c->walk->arena, (size_t)MAX(total, 1) * size);
    for (int i = 0; i < c->n_in; i++) {
        const View *v = &c->in[i]->view;
        int n;
        const void *values = v->array->integer ? (void *)view_ints(c->walk, v, &n) : (void *)view_floats(c->walk, v);
        size_t run = (size_t)(v->shape[axis] * inner) * size;
        if (!values)
            return;
        for (int64_t o = 0; o < outer && run > 0; o++)
            memcpy(out + (size_t)((o * shape[axis] + at) * inner) * size,
                   (const uint8_t *)values + (size_t)o * run, run);
        at += v->shape[axis];
    }
    if (first->array->integer)
        call_ints(c, 0, first->rank, shape, (int64_t *)out);
    else
        call_floats(c, 0, first->rank, shape, (float *)out);
}

/* States of several layers, one after the other: PyTorch's h_n. */
static void concat_vectors(Call *c, int64_t given)
{
    int axis = axis_number(given, c->in[0]->axes->rank);
    for (int i = 0; i < c->n_in; i++) {
        const Value *v = c->in[i];
        if (!v->at || axis < 0 || v->axes->rank != c->in[0]->axes->rank || v->axes->axis[axis].n != 0)
            return;
    }
    Value *v = call_out(c, 0, STACK);
    v->stacked = axis;
}

static void run_concat(Call *c)
{
    int constants = 0, vectors = 0, sizes = 0, rank = -1;
    double value = 0, other = 0;
    bool uniform = true;
    if (c->n_in != (int)c->node->n_input)
        return;
    for (int i = 0; i < c->n_in; i++) {
        const Value *v = c->in[i];
        constants += is_constant(v);
        vectors += value_is(v, VECTORS);
        sizes += value_is(v, SIZES);
    }
    if (c->n_in == 1 && c->in[0])
        c->out[0] = c->in[0];
    else if (vectors == c->n_in && c->n_in > 0)
        concat_vectors(c, call_int(c, "axis", 0));
    else if (sizes > 0 && sizes + constants == c->n_in)
        call_out(c, 0, SIZES);
    if (constants != c->n_in || c->n_in < 2)
        return;
    rank = c->in[0]->view.rank;
    int axis = axis_number(call_int(c, "axis", 0), rank);
    if (axis >= 0)
        concat_constants(c, axis);
    for (int i = 0; i < c->n_in && !c->out[0]; i++) {
        uniform = uniform && view_uniform(c->walk, &c->in[i]->view, &value) && (i == 0 || value == other);
        other = value;
    }
    if (!c->out[0] && uniform)
        call_view(c, 0, (View){ .array = c->in[0]->view.array, .rank = -1, .offset = c->in[0]->view.offset });
}

const Operator PICKS[] = {
    { "Slice", run_slice, true },
    { "Gather", run_gather, true },
    { "Split", run_split, true },
    { "Concat", run_concat, true },
    { NULL, NULL, false },
};
