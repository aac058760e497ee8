/* onnx_linear.c: linear layers on what a layer gives: MatMul, Gemm, Add of a bias, an activation; and what can be
 * folded into the weights before or behind: a scale or a shift of each element (Mul, Add, BatchNormalization). */
#include "model/onnx_graph.h"

#include <math.h>
#include <string.h>

static bool of_layer(const Value *v)
{
    return value_is(v, VECTORS) && v->at;
}

static View floats_view(Walk *w, int rank, int64_t rows, int64_t columns, float *values)
{
    Array *a = ARENA_NEW(w->arena, Array);
    *a = (Array){ .read = true, .count = rank == 2 ? rows * columns : rows, .f = values };
    return (View){ .array = a, .rank = rank, .shape = { rows, columns }, .stride = { rank == 2 ? columns : 1, 1 } };
}

/* ---- scale and shift ---- */

/* The constant as one number for each element of v's vector; NULL: it is not that. */
static float *per_element(Call *c, const Value *v, const Value *constant)
{
    if (!is_constant(constant) || is_integer(constant) || constant->view.rank < 0)
        return NULL;
    View k = constant->view;
    int feature = vectors_axis(v) + MAX(k.rank - v->axes->rank, 0), rank = MAX(k.rank, v->axes->rank);
    int64_t width = v->at->width, step = 0;
    for (int i = 0; i < k.rank; i++) {
        int at = i + rank - k.rank;
        if (k.shape[i] == 1)
            continue;
        if (vectors_axis(v) < 0 || at != feature || k.shape[i] != width)
            return NULL;
        step = k.stride[i];
    }
    if (k.array->count == 0 || !view_read(c->walk, &k))
        return NULL;
    float *out = ARENA_ARRAY(c->walk->arena, float, width);
    for (int64_t i = 0; i < width; i++)
        out[i] = k.array->f[k.offset + i * step];
    return out;
}

/* Broadcasting may put axes of size 1 in front. */
static Axes with_rank(const Axes *from, int rank)
{
    Axes axes = { .rank = MAX(rank, from->rank) };
    for (int i = 0; i < from->rank; i++)
        axes.axis[i + axes.rank - from->rank] = from->axis[i];
    return axes;
}

/* A linear layer whose outputs are scaled and shifted is another linear layer. */
static Part *folded_behind(Call *c, const Part *p, const float *scale, const float *shift)
{
    Walk *w = c->walk;
    Part *out = part_new(w, PART_LINEAR, c, p->input);
    int64_t rows = p->W.shape[0], width = p->width;
    float *W = scale ? view_floats(w, &p->W) : NULL, *b = p->B.array ? view_floats(w, &p->B) : NULL;
    *out = *p;
    if ((scale && !W) || (p->B.array && !b))
        return NULL;
    float *bias = ARENA_ARRAY(w->arena, float, width);
    for (int64_t o = 0; o < width; o++)
        bias[o] = (b ? b[o] : 0) * (scale ? scale[o] : 1) + (shift ? shift[o] : 0);
    for (int64_t i = 0; scale && i < rows; i++)
        for (int64_t o = 0; o < width; o++)
            W[i * width + o] *= scale[o];
    if (scale)
        out->W = floats_view(w, 2, rows, width, W);
    out->B = floats_view(w, 1, width, 1, bias);
    return out;
}

static void affine(Call *c, const Value *v, int rank, const float *scale, const float *shift)
{
    Axes axes = with_rank(v->axes, rank);
    int64_t width = v->at->width;
    bool behind = v->at->kind == PART_LINEAR && strcmp(v->at->activation, "none") == 0 && !v->scale && !v->shift;
    Part *part = behind ? folded_behind(c, v->at, scale, shift) : NULL;
    if (axes.rank > RANK_MAX || (behind && !part))
        return;
    Value *out = call_moved(c, 0, v, &axes);
    if (part) {
        out->at = part;
        return;
    }
    float *s = ARENA_ARRAY(c->walk->arena, float, width), *t = ARENA_ARRAY(c->walk->arena, float, width);
    for (int64_t i = 0; i < width; i++) {
        s[i] = (v->scale ? v->scale[i] : 1) * (scale ? scale[i] : 1);
        t[i] = (v->shift ? v->shift[i] : 0) * (scale ? scale[i] : 1) + (shift ? shift[i] : 0);
    }
    out->scale = s;
    out->shift = t;
}

/* The bias of a MatMul, by its own name in the file. */
static bool add_bias(Call *c, const Value *v, const Value *b)
{
    if (v->at->kind != PART_LINEAR || v->at->B.array || strcmp(v->at->activation, "none") != 0 || v->scale || v->shift
        || view_count(&b->view) != v->at->width || !view_whole(&b->view))
        return false;
    Axes axes = with_rank(v->axes, b->view.rank);
    Part *part = part_new(c->walk, PART_LINEAR, c, v->at->input);
    *part = *v->at;
    part->B = b->view;
    call_moved(c, 0, v, &axes)->at = part;
    return true;
}

/* Until operator set 6 an attribute said along which axis a constant goes. */
static bool old_broadcast(const Call *c)
{
    return call_attribute(c, "axis") != NULL;
}

/* v + constant, v - constant (sign -1), constant - v. */
void linear_add(Call *c, int sign)
{
    if (old_broadcast(c))
        return;
    int which = of_layer(call_in(c, 0)) ? 0 : 1;
    const Value *v = call_in(c, which), *constant = call_in(c, !which);
    float *shift = of_layer(v) && c->n_in == 2 && !c->out[0] ? per_element(c, v, constant) : NULL, *scale = NULL;
    if (!shift || (sign > 0 && add_bias(c, v, constant)))
        return;
    int64_t width = v->at->width;
    if (sign < 0 && which == 1)
        scale = ARENA_ARRAY(c->walk->arena, float, width);
    for (int64_t i = 0; i < width && sign < 0; i++) {
        if (scale)
            scale[i] = -1;
        else
            shift[i] = -shift[i];
    }
    affine(c, v, constant->view.rank, scale, shift);
}

/* v * constant, v / constant. */
void linear_mul(Call *c, bool divide)
{
    if (old_broadcast(c))
        return;
    int which = of_layer(call_in(c, 0)) ? 0 : 1;
    const Value *v = call_in(c, which), *constant = call_in(c, !which);
    float *scale = of_layer(v) && c->n_in == 2 && !c->out[0] && !(divide && which) ? per_element(c, v, constant) : NULL;
    for (int64_t i = 0; scale && divide && i < v->at->width; i++) {
        if (scale[i] == 0)
            return;
        scale[i] = 1 / scale[i];
    }
    if (scale)
        affine(c, v, constant->view.rank, scale, NULL);
}

/* Channels are axis 1. */
static void run_batch_normalization(Call *c)
{
    const Value *v = call_in(c, 0);
    float *of[4], epsilon = call_float(c, "epsilon", 1e-5f);
    if (!of_layer(v) || c->n_in < 5 || vectors_axis(v) != 1 || call_int(c, "training_mode", 0))
        return;
    for (int i = 0; i < 4; i++) {
        const Value *k = c->in[i + 1];
        of[i] = is_constant(k) && view_count(&k->view) == v->at->width ? view_floats(c->walk, &k->view) : NULL;
        if (!of[i])
            return;
    }
    for (int64_t i = 0; i < v->at->width; i++) { /* scale, bias, mean, variance */
        if (!(of[3][i] + epsilon > 0))
            return;
        of[0][i] /= sqrtf(of[3][i] + epsilon);
        of[1][i] -= of[2][i] * of[0][i];
    }
    affine(c, v, 0, of[0], of[1]);
}

/* ---- linear layers ---- */

/* What stands pending on the vector goes into W, (inputs, outputs), and the bias. */
static bool fold_before(Call *c, const Value *v, Part *p)
{
    if (!v->scale && !v->shift)
        return true;
    Walk *w = c->walk;
    int64_t rows = p->W.shape[0], width = p->width;
    float *W = view_floats(w, &p->W), *b = p->B.array ? view_floats(w, &p->B) : NULL;
    double *bias = ARENA_ARRAY(w->arena, double, width);
    float *out = ARENA_ARRAY(w->arena, float, width);
    if (!W || (p->B.array && !b))
        return false;
    for (int64_t o = 0; o < width; o++)
        bias[o] = b ? (double)b[o] : 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t o = 0; o < width; o++) {
            bias[o] += (double)W[i * width + o] * (double)v->shift[i];
            W[i * width + o] *= v->scale[i];
        }
    for (int64_t o = 0; o < width; o++)
        out[o] = (float)bias[o];
    p->W = floats_view(w, 2, rows, width, W);
    p->B = floats_view(w, 1, width, 1, out);
    return true;
}

/* Does the last axis hold vectors of this width, and nothing else? Of a graph input it does if its size says so. */
static bool holds_vectors(const Value *v, int64_t width)
{
    int last = v->axes->rank - 1;
    if (v->at)
        return v->at->width == width && last >= 0 && vectors_axis(v) == last;
    return last >= 1 && v->axes->axis[last].n <= 1
        && (axis_size(&v->axes->axis[last]) == width || is_symbol(axis_size(&v->axes->axis[last])));
}

/* The layer, or NULL: no core carries it here. W is (inputs, outputs). */
static Part *linear_part(Call *c, Value *v, View W)
{
    if (W.rank != 2 || W.array->integer || is_symbol(W.shape[0]) || is_symbol(W.shape[1])
        || !holds_vectors(v, W.shape[0]) || part_refused(v->at))
        return NULL;
    Part *p = part_new(c->walk, PART_LINEAR, c, v);
    p->W = W;
    p->width = W.shape[1];
    p->activation = "none";
    return p;
}

static Axes with_last(const Axes *from, int64_t width)
{
    Axes axes = *from;
    if (axes.rank > 0)
        axes.axis[axes.rank - 1] = axis_of('F', width);
    return axes;
}

/* What the layer gives, as output 0. */
static void give(Call *c, const Value *v, Part *p, const Axes *axes)
{
    Value *out = call_moved(c, 0, v, axes);
    out->at = p;
    out->scale = out->shift = NULL;
    out->state = NULL; /* no longer elements of a graph input */
}

static void run_matmul(Call *c)
{
    Value *v = call_in(c, 0);
    const Value *W = call_in(c, 1);
    if (probe_matmul(c) || !value_is(v, VECTORS) || !is_constant(W) || W->view.rank < 1 || W->view.rank > 2 || v->axes->rank < 1)
        return;
    View view = W->view;
    bool vector = view.rank == 1;
    if (vector) {
        view.rank = 2;
        view.shape[1] = 1;
        view.stride[1] = 1;
    }
    Part *p = linear_part(c, v, view);
    if (!p || !fold_before(c, v, p))
        return;
    Axes axes = with_last(v->axes, p->width);
    axes.rank -= vector;
    give(c, v, p, &axes);
}

/* alpha * A B + beta * C, with B turned or not. */
static void run_gemm(Call *c)
{
    Value *v = call_in(c, 0);
    const Value *B = call_in(c, 1), *C = call_in(c, 2);
    float alpha = call_float(c, "alpha", 1), beta = call_float(c, "beta", 1), *shift = NULL;
    if (probe_gemm(c) || !value_is(v, VECTORS) || !is_constant(B) || B->view.rank != 2 || v->axes->rank != 2 || alpha == 0
        || call_int(c, "transA", 0))
        return;
    Part *p = linear_part(c, v, call_int(c, "transB", 0) ? view_transposed(B->view) : B->view);
    if (!p)
        return;
    Axes wide = with_last(v->axes, p->width);
    Value result = { .kind = VECTORS, .axes = &wide, .at = p };
    if (C && is_constant(C) && beta != 0 && !(view_count(&C->view) == p->width && view_whole(&C->view)))
        shift = per_element(c, &result, C);
    if (C && beta != 0 && (!is_constant(C) || is_integer(C) || (!shift && view_count(&C->view) != p->width)))
        return;
    if (C && beta != 0)
        p->B = shift ? floats_view(c->walk, 1, p->width, 1, shift) : C->view;
    for (int k = 0; k < 2; k++) { /* alpha into W, beta into the bias */
        View *view = k ? &p->B : &p->W;
        float factor = k ? beta : alpha, *values = view->array && factor != 1 ? view_floats(c->walk, view) : NULL;
        if (!values)
            continue;
        for (int64_t i = 0; i < view_count(view); i++)
            values[i] *= factor;
        *view = k ? floats_view(c->walk, 1, p->width, 1, values)
                  : floats_view(c->walk, 2, p->W.shape[0], p->width, values);
    }
    if (!fold_before(c, v, p))
        return;
    give(c, v, p, &wide);
}

/* An activation of a linear layer that a core has. */
static void run_activation(Call *c)
{
    const Value *v = call_in(c, 0);
    if (probe_activation(c) || !of_layer(v) || v->at->kind != PART_LINEAR || strcmp(v->at->activation, "none") != 0 || v->scale || v->shift)
        return;
    const NodeCurve *curve = node_curve(c);
    if (!curve)
        return;
    Part *part = part_new(c->walk, PART_LINEAR, c, v->at->input);
    *part = *v->at;
    part->activation = curve->name;
    call_moved(c, 0, v, v->axes)->at = part;
}

const Operator LINEARS[] = {
    { "MatMul", run_matmul, false },
    { "Gemm", run_gemm, false },
    { "BatchNormalization", run_batch_normalization, false },
    { "Relu", run_activation, false },
    { "Sigmoid", run_activation, false },
    { "Tanh", run_activation, false },
    { "Softsign", run_activation, false },
    { "HardSigmoid", run_activation, false },
    { "LeakyRelu", run_activation, false },
    { NULL, NULL, false },
};
