/* onnx_moves.c: operators that move elements and compute nothing, on constants (as other windows on the same array) and
 * on sequences of vectors (as other arrangements of their axes). Semantics: https://onnx.ai/onnx/operators/. */
#include "model/onnx_graph.h"

#include <string.h>

static void run_identity(Call *c)
{
    if (call_in(c, 0))
        c->out[0] = c->in[0];
}

/* Inference: nothing is dropped, unless the graph insists on training. */
static void run_dropout(Call *c)
{
    double training = 0;
    const Value *mode = call_in(c, 2);
    if (mode && (!is_constant(mode) || !view_uniform(c->walk, &mode->view, &training) || training != 0))
        return;
    run_identity(c);
}

static void run_transpose(Call *c)
{
    Value *v = call_in(c, 0);
    const Onnx__AttributeProto *a = call_attribute(c, "perm");
    int rank = is_constant(v) ? v->view.rank : value_is(v, VECTORS) ? v->axes->rank : -1;
    if (rank < 0 || (a && a->n_ints != (size_t)rank)) {
        if (is_constant(v) && rank < 0)
            run_identity(c);
        return;
    }
    View view = v->view;
    Axes axes = { .rank = rank };
    for (int i = 0; i < rank; i++) {
        int from = a ? axis_number(a->ints[i], rank) : rank - 1 - i;
        if (from < 0)
            return;
        view.shape[i] = v->view.shape[from];
        view.stride[i] = v->view.stride[from];
        if (v->axes)
            axes.axis[i] = v->axes->axis[from];
    }
    if (is_constant(v))
        call_view(c, 0, view);
    else
        call_moved(c, 0, v, &axes);
}

/* ---- axes of size 1 ---- */

/* Which axes of a result of this rank are new; false: an axis is wrong or named twice. */
static bool mark_axes(const int64_t *list, int n, int rank, bool *marked)
{
    memset(marked, 0, RANK_MAX * sizeof *marked);
    for (int i = 0; i < n; i++) {
        int a = axis_number(list[i], rank);
        if (a < 0 || marked[a])
            return false;
        marked[a] = true;
    }
    return true;
}

static void run_unsqueeze(Call *c)
{
    Value *v = call_in(c, 0);
    int64_t list[RANK_MAX];
    bool fresh[RANK_MAX];
    int n, old = 0, rank = is_constant(v) ? v->view.rank : value_is(v, VECTORS) ? v->axes->rank : -1;
    if (!call_list(c, 1, "axes", list, &n))
        return;
    if (is_constant(v) && rank < 0)
        run_identity(c);
    if (rank < 0 || rank + n > RANK_MAX || !mark_axes(list, n, rank + n, fresh))
        return;
    View view = { .array = v->view.array, .rank = rank + n, .offset = v->view.offset };
    Axes axes = { .rank = rank + n };
    for (int i = 0; i < rank + n; i++) {
        view.shape[i] = fresh[i] ? 1 : v->view.shape[old];
        view.stride[i] = fresh[i] ? 0 : v->view.stride[old];
        axes.axis[i] = fresh[i] || !v->axes ? (Axis){ 0 } : v->axes->axis[old];
        old += !fresh[i];
    }
    if (is_constant(v))
        call_view(c, 0, view);
    else
        call_moved(c, 0, v, &axes);
}

/* An axis whose size only the run knows may be named: then it is 1. The vector's own may not. */
static bool may_go(const Axis *a)
{
    return a->n == 0 || (a->n == 1 && a->atom[0].label != 'F' && is_symbol(a->atom[0].size));
}

static void run_squeeze(Call *c)
{
    Value *v = call_in(c, 0);
    int64_t list[RANK_MAX];
    bool gone[RANK_MAX];
    int n, left = 0, rank = is_constant(v) ? v->view.rank : value_is(v, VECTORS) ? v->axes->rank : -1;
    if (!call_list(c, 1, "axes", list, &n))
        return;
    bool all = n == 0 && !call_in(c, 1) && !call_attribute(c, "axes");
    if (is_constant(v) && rank < 0)
        run_identity(c);
    if (rank < 0 || !mark_axes(list, n, rank, gone))
        return;
    View view = { .array = v->view.array, .offset = v->view.offset };
    Axes axes = { 0 };
    for (int i = 0; i < rank; i++) {
        bool one = v->axes ? v->axes->axis[i].n == 0 : v->view.shape[i] == 1;
        if (gone[i] && !one && !(v->axes ? may_go(&v->axes->axis[i]) : is_symbol(v->view.shape[i])))
            return;
        if (gone[i] || (all && one))
            continue;
        view.shape[left] = v->view.shape[i];
        view.stride[left] = v->view.stride[i];
        if (v->axes)
            axes.axis[left] = v->axes->axis[i];
        left++;
    }
    view.rank = axes.rank = left;
    if (is_constant(v))
        call_view(c, 0, view);
    else
        call_moved(c, 0, v, &axes);
}

/* ---- other shapes ---- */

/* A constant in another shape: the same array where it lies in one piece, a copy where not; where a size is not known
 * only what is the same value everywhere. */
static void reshape_constant(Call *c, const View *v, int64_t *shape, int rank)
{
    int64_t count = view_count(v), known = 1;
    int open = -1;
    double value;
    bool symbols = count < 0;
    for (int i = 0; i < rank; i++) {
        shape[i] = shape[i] == 0 && i < v->rank ? v->shape[i] : shape[i];
        symbols = symbols || is_symbol(shape[i]);
        if (shape[i] == -1)
            open = i;
        else if (!symbols && shape[i] >= 0 && shape[i] <= INT32_MAX && known <= INT32_MAX)
            known *= shape[i];
    }
    if (symbols && view_uniform(c->walk, v, &value)) {
        View one = { .array = v->array, .rank = rank, .offset = v->offset };
        for (int i = 0; i < rank; i++)
            one.shape[i] = shape[i] < 0 ? new_symbol(c->walk) : shape[i];
        call_view(c, 0, one);
    }
    if (symbols || known == 0 || count < 0 || (open >= 0 ? count % known : count - known))
        return;
    if (open >= 0)
        shape[open] = count / known;
    if (view_whole(v)) {
        View other = *v;
        int64_t step = 1;
        other.rank = rank;
        for (int i = rank - 1; i >= 0; step *= shape[i--]) {
            other.shape[i] = shape[i];
            other.stride[i] = step;
        }
        call_view(c, 0, other);
    } else if (v->array->integer) {
        int n;
        int64_t *values = view_ints(c->walk, v, &n);
        if (values)
            call_ints(c, 0, rank, shape, values);
    } else {
        float *values = view_floats(c->walk, v);
        if (values)
            call_floats(c, 0, rank, shape, values);
    }
}

static void reshape_to(Call *c, int64_t *shape, int rank)
{
    Value *v = call_in(c, 0);
    Axes axes;
    if (is_constant(v) && rank <= RANK_MAX)
        reshape_constant(c, &v->view, shape, rank);
    else if (value_is(v, VECTORS) && axes_regroup(v->axes, shape, rank, &axes))
        call_moved(c, 0, v, &axes);
}

static void run_reshape(Call *c)
{
    int64_t shape[RANK_MAX];
    int rank;
    if (call_list(c, 1, "shape", shape, &rank) && (call_in(c, 1) || call_attribute(c, "shape")))
        reshape_to(c, shape, rank);
}

static void run_flatten(Call *c)
{
    Value *v = call_in(c, 0);
    if (!value_is(v, VECTORS))
        return;
    Axes axes = { .rank = 2 };
    int rank = v->axes->rank;
    int64_t given = call_int(c, "axis", 1), at = given < 0 ? given + rank : given;
    for (int i = 0; i < rank; i++) {
        Axis *to = &axes.axis[i >= at];
        if (to->n + v->axes->axis[i].n > RANK_MAX)
            return;
        for (int k = 0; k < v->axes->axis[i].n; k++)
            to->atom[to->n++] = v->axes->axis[i].atom[k];
    }
    call_moved(c, 0, v, &axes);
}

/* One value in a shape that is not known. */
static View anywhere(const View *v)
{
    return (View){ .array = v->array, .rank = -1, .offset = v->offset };
}

static void run_expand(Call *c)
{
    Value *v = call_in(c, 0), *to = call_in(c, 1);
    int64_t shape[RANK_MAX];
    int rank;
    double value;
    if (!is_constant(v) || !to)
        return;
    if (v->view.rank < 0 || !call_list(c, 1, NULL, shape, &rank)) {
        if (view_uniform(c->walk, &v->view, &value))
            call_view(c, 0, anywhere(&v->view));
        return;
    }
    View out = { .array = v->view.array, .offset = v->view.offset, .rank = MAX(rank, v->view.rank) };
    for (int i = 0; i < out.rank; i++) {
        int a = i - (out.rank - v->view.rank), b = i - (out.rank - rank);
        int64_t own = a >= 0 ? v->view.shape[a] : 1, other = b >= 0 ? shape[b] : 1;
        bool keeps = own != 1 || other == 1;
        out.shape[i] = keeps ? own : other;
        out.stride[i] = keeps && a >= 0 ? v->view.stride[a] : 0;
        if (out.shape[i] <= 0)
            return;
    }
    call_view(c, 0, out);
}

static void run_tile(Call *c)
{
    Value *v = call_in(c, 0);
    double value;
    if (is_constant(v) && view_uniform(c->walk, &v->view, &value))
        call_view(c, 0, anywhere(&v->view));
}

static void run_constant_of_shape(Call *c)
{
    const Onnx__AttributeProto *a = call_attribute(c, "value");
    int64_t shape[RANK_MAX];
    int rank;
    float *zero = ARENA_NEW(c->walk->arena, float);
    View v = { .rank = 0 };
    if (!call_in(c, 0))
        return;
    if (a && a->t)
        v = constant_of_tensor(c->walk, a->t, NULL)->view;
    double value;
    if (a && a->t && (v.array == NULL || !view_uniform(c->walk, &v, &value)))
        return;
    if (!v.array) {
        v.array = ARENA_NEW(c->walk->arena, Array);
        *v.array = (Array){ .read = true, .count = 1, .f = zero };
    }
    v.rank = -1;
    if (call_list(c, 0, NULL, shape, &rank)) {
        v.rank = rank;
        for (int i = 0; i < rank; i++) {
            v.shape[i] = shape[i];
            v.stride[i] = 0;
            if (shape[i] <= 0)
                return;
        }
    }
    call_view(c, 0, v);
}

/* ---- sizes ---- */

static bool sizes_of(Call *c, const Value *v, int64_t *size, int *rank)
{
    if (is_constant(v) && v->view.rank >= 0) {
        *rank = v->view.rank;
        memcpy(size, v->view.shape, sizeof v->view.shape);
        return true;
    }
    if (!value_is(v, VECTORS))
        return false;
    *rank = v->axes->rank;
    for (int i = 0; i < *rank; i++) {
        size[i] = axis_size(&v->axes->axis[i]);
        if (size[i] < 0)
            size[i] = new_symbol(c->walk);
    }
    return true;
}

static void run_shape(Call *c)
{
    int64_t size[RANK_MAX];
    int rank;
    if (!sizes_of(c, call_in(c, 0), size, &rank)) {
        call_out(c, 0, SIZES)->core = false;
        return;
    }
    int64_t start = call_int(c, "start", 0), end = call_int(c, "end", rank);
    start = start < 0 ? MAX(start + rank, 0) : MIN(start, rank);
    end = end < 0 ? MAX(end + rank, 0) : MIN(end, rank);
    int64_t n = MAX(end - start, 0);
    call_ints(c, 0, 1, &n, size + start)->core = false;
}

static void run_size(Call *c)
{
    int64_t size[RANK_MAX], all = 1;
    int rank;
    bool known = sizes_of(c, call_in(c, 0), size, &rank);
    for (int i = 0; known && i < rank; i++) {
        known = !is_symbol(size[i]) && size[i] <= INT32_MAX && all <= INT32_MAX;
        all *= known ? size[i] : 1;
    }
    int64_t value = known ? all : new_symbol(c->walk);
    call_ints(c, 0, 0, NULL, &value)->core = false;
}

/* ---- rows of the operators ---- */

const Operator MOVES[] = {
    { "Identity", run_identity, true },
    { "Dropout", run_dropout, true },
    { "Transpose", run_transpose, true },
    { "Unsqueeze", run_unsqueeze, true },
    { "Squeeze", run_squeeze, true },
    { "Reshape", run_reshape, true },
    { "Flatten", run_flatten, true },
    { "Expand", run_expand, true },
    { "Tile", run_tile, true },
    { "ConstantOfShape", run_constant_of_shape, false },
    { "Shape", run_shape, false },
    { "Size", run_size, false },
    { NULL, NULL, false },
};
