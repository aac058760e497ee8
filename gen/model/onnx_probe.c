/* onnx_probe.c: MatMul, Gemm and activations of numbers: with them the body of a loop can be run (onnx_loop.c). While a
 * probe stands, each activation is remembered with what it was given, and may be made to give a number instead. */
#include "model/onnx_graph.h"

#include <math.h>
#include <string.h>

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double relu(double x) { return x > 0 ? x : 0; }
static double softsign(double x) { return x / (1 + fabs(x)); }
static double hard_sigmoid(double x) { return fmax(0, fmin(1, 0.2 * x + 0.5)); }
static double hard_sigmoid_6(double x) { return fmax(0, fmin(1, x / 6 + 0.5)); }
static double leaky_relu(double x) { return x > 0 ? x : 0.01 * x; }

static const NodeCurve NODE_CURVES[] = {
    { "Sigmoid", "sigmoid", sigmoid, 0, 0, 0 },
    { "Tanh", "tanh", tanh, 0, 0, 0 },
    { "Relu", "relu", relu, 0, 0, 0 },
    { "Softsign", "softsign", softsign, 0, 0, 0 },
    { "HardSigmoid", "hard_sigmoid", hard_sigmoid, 0.2f, 0.5f, 0.2f },
    { "HardSigmoid", "hard_sigmoid_6", hard_sigmoid_6, 1.0f / 6, 0.5f, 0.2f },
    { "LeakyRelu", "leaky_relu", leaky_relu, 0.01f, 0, 0.01f },
};

const NodeCurve *node_curve(const Call *c)
{
    Curve known;
    for (int i = 0; i < LENGTH(NODE_CURVES); i++) {
        const NodeCurve *n = &NODE_CURVES[i];
        if (strcmp(n->op, c->node->op_type) == 0 && call_float(c, "alpha", n->own_alpha) == n->alpha
            && call_float(c, "beta", n->beta) == n->beta)
            return curve_find(n->name, &known) ? n : NULL;
    }
    return NULL;
}

bool probe_activation(Call *c)
{
    const Value *v = call_in(c, 0);
    Probe *p = c->walk->probe;
    const NodeCurve *curve = node_curve(c);
    if (!p || !is_constant(v) || is_integer(v) || !curve)
        return is_constant(v);
    float *in = view_floats(c->walk, &v->view);
    int64_t n = view_count(&v->view);
    if (!in || p->n == LENGTH(p->seen))
        return true;
    float *out = ARENA_ARRAY(c->walk->arena, float, MAX(n, 1));
    for (int64_t i = 0; i < n; i++)
        out[i] = p->forced ? p->gives : (float)curve->of((double)in[i]);
    p->seen[p->n++] = (Activated){ curve, n, in };
    call_floats(c, 0, v->view.rank, v->view.shape, out);
    return true;
}

/* A matrix that stands in a view of rank 1 or 2 (of a row), or the last two axes of one whose others are of size 1. */
static bool as_matrix(const Value *v, bool turned, View *out)
{
    if (!is_constant(v) || is_integer(v) || v->view.rank < 1 || view_count(&v->view) < 0)
        return false;
    View k = v->view;
    for (int i = 0; i + 2 < k.rank; i++)
        if (k.shape[i] != 1)
            return false;
    int at = MAX(k.rank - 2, 0);
    *out = (View){ .array = k.array, .rank = 2, .offset = k.offset,
                   .shape = { k.rank == 1 ? 1 : k.shape[at], k.shape[k.rank - 1] },
                   .stride = { k.rank == 1 ? 0 : k.stride[at], k.stride[k.rank - 1] } };
    if (turned)
        *out = view_transposed(*out);
    return true;
}

/* a (n, k) times b (k, m), in double; NULL: sizes that do not go together. Zeros of `a` take no time: what is asked is
 * mostly one column. */
static float *product(Walk *w, const View *a, const View *b)
{
    int64_t n = a->shape[0], k = a->shape[1], m = b->shape[1];
    if (b->shape[0] != k || !view_read(w, a) || !view_read(w, b) || n <= 0 || m <= 0)
        return NULL;
    double *sum = ARENA_ARRAY(w->arena, double, m);
    float *out = ARENA_ARRAY(w->arena, float, n * m);
    for (int64_t r = 0; r < n; r++) {
        memset(sum, 0, sizeof *sum * (size_t)m);
        for (int64_t i = 0; i < k; i++) {
            double x = (double)a->array->f[a->offset + r * a->stride[0] + i * a->stride[1]];
            const float *row = b->array->f + b->offset + i * b->stride[0];
            for (int64_t j = 0; j < m && x != 0; j++)
                sum[j] += x * (double)row[j * b->stride[1]];
        }
        for (int64_t j = 0; j < m; j++)
            out[r * m + j] = (float)sum[j];
    }
    return out;
}

bool probe_matmul(Call *c)
{
    View a, b;
    if (!c->walk->probe || !as_matrix(call_in(c, 0), false, &a) || !as_matrix(call_in(c, 1), false, &b)
        || c->in[1]->view.rank < 2)
        return is_constant(call_in(c, 0));
    float *out = product(c->walk, &a, &b);
    int rank = MAX(c->in[0]->view.rank, c->in[1]->view.rank);
    int64_t shape[RANK_MAX];
    for (int i = 0; i < rank; i++)
        shape[i] = 1;
    if (c->in[0]->view.rank == 1)
        rank--;
    shape[rank - 1] = b.shape[1];
    if (c->in[0]->view.rank > 1)
        shape[rank - 2] = a.shape[0];
    if (out)
        call_floats(c, 0, rank, shape, out);
    return true;
}

bool probe_gemm(Call *c)
{
    View a, b, bias = { 0 };
    const Value *C = call_in(c, 2);
    if (!c->walk->probe || !as_matrix(call_in(c, 0), call_int(c, "transA", 0), &a)
        || !as_matrix(call_in(c, 1), call_int(c, "transB", 0), &b) || (C && !as_matrix(C, false, &bias)))
        return is_constant(call_in(c, 0));
    float *out = product(c->walk, &a, &b), alpha = call_float(c, "alpha", 1), beta = call_float(c, "beta", 1);
    int64_t shape[2] = { a.shape[0], b.shape[1] };
    bool fits = !C || ((bias.shape[0] == 1 || bias.shape[0] == shape[0]) && (bias.shape[1] == 1 || bias.shape[1] == shape[1])
                       && view_read(c->walk, &bias));
    for (int64_t i = 0; out && fits && i < shape[0] * shape[1]; i++) {
        int64_t at = bias.offset + (bias.shape[0] > 1 ? i / shape[1] * bias.stride[0] : 0)
                   + (bias.shape[1] > 1 ? i % shape[1] * bias.stride[1] : 0);
        out[i] = alpha * out[i] + (C ? beta * bias.array->f[at] : 0);
    }
    if (out && fits)
        call_floats(c, 0, 2, shape, out);
    return true;
}
