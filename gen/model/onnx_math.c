/* onnx_math.c: operators that compute, on constants: what exporters leave around shapes and weights, DequantizeLinear
 * included. Semantics: https://onnx.ai/onnx/operators/. */
#include "model/onnx_graph.h"

#include <math.h>
#include <string.h>

/* ---- two operands ---- */

typedef enum { ADD, SUB, MUL, DIV, EQUAL, LESS, GREATER, AND, OR } Binary;

/* Of two known whole numbers; false: no result (a division by zero, an overflow). */
static bool whole_result(Binary op, int64_t a, int64_t b, int64_t *out)
{
    switch (op) {
    case ADD: return !__builtin_add_overflow(a, b, out);
    case SUB: return !__builtin_sub_overflow(a, b, out);
    case MUL: return !__builtin_mul_overflow(a, b, out);
    case DIV: *out = b && !(a == INT64_MIN && b == -1) ? a / b : 0; return b != 0 && !(a == INT64_MIN && b == -1);
    case EQUAL: *out = a == b; return true;
    case LESS: *out = a < b; return true;
    case GREATER: *out = a > b; return true;
    case AND: *out = a && b; return true;
    case OR: *out = a || b; return true;
    }
    return false;
}

/* With a size that only the run knows, and that is > 0. */
static bool symbol_result(Walk *w, Binary op, int64_t a, int64_t b, int64_t *out)
{
    int64_t other = is_symbol(a) ? b : a;
    bool known = !is_symbol(other), left = is_symbol(a);
    *out = new_symbol(w);
    if (op >= EQUAL) {
        *out = op == EQUAL ? a == b : op == GREATER ? left : !left;
        return op == EQUAL ? a == b || (known && other <= 0) : op <= GREATER && known && other <= 0;
    }
    if (known && ((op == ADD && other == 0) || (op == MUL && other == 1)
                  || (left && ((op == SUB && other == 0) || (op == DIV && other == 1)))))
        *out = left ? a : b;
    return true;
}

static float float_result(Binary op, float a, float b)
{
    switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    case EQUAL: return a == b;
    case LESS: return a < b;
    case GREATER: return a > b;
    default: return 0;
    }
}

/* Both as windows of their common shape; false: they do not go together, or a rank is not known. */
static bool broadcast(View *a, View *b)
{
    int rank = MAX(a->rank, b->rank);
    View wide[2], *from[2] = { a, b };
    if (a->rank < 0 || b->rank < 0)
        return false;
    for (int k = 0; k < 2; k++) {
        wide[k] = (View){ .array = from[k]->array, .offset = from[k]->offset, .rank = rank };
        for (int i = 0; i < rank; i++) {
            int own = i - (rank - from[k]->rank);
            wide[k].shape[i] = own >= 0 ? from[k]->shape[own] : 1;
            wide[k].stride[i] = own >= 0 ? from[k]->stride[own] : 0;
        }
    }
    for (int i = 0; i < rank; i++)
        for (int k = 0; k < 2; k++)
            if (wide[k].shape[i] != wide[!k].shape[i]) {
                if (wide[k].shape[i] != 1 && wide[!k].shape[i] != 1)
                    return false;
                if (wide[k].shape[i] == 1) {
                    wide[k].shape[i] = wide[!k].shape[i];
                    wide[k].stride[i] = 0;
                }
            }
    *a = wide[0];
    *b = wide[1];
    return true;
}

static void whole_numbers(Call *c, Binary op, const View *a, const View *b)
{
    int n;
    int64_t *x = view_ints(c->walk, a, &n), *y = view_ints(c->walk, b, &n);
    bool ok = x && y;
    for (int i = 0; i < n && ok; i++)
        ok = is_symbol(x[i]) || is_symbol(y[i]) ? symbol_result(c->walk, op, x[i], y[i], &x[i])
                                                : whole_result(op, x[i], y[i], &x[i]);
    if (ok)
        call_ints(c, 0, a->rank, a->shape, x);
}

static void floats(Call *c, Binary op, const View *a, const View *b)
{
    float *x = view_floats(c->walk, a), *y = view_floats(c->walk, b);
    int64_t n = view_count(a);
    if (!x || !y || op >= AND)
        return;
    for (int64_t i = 0; i < n; i++)
        x[i] = float_result(op, x[i], y[i]);
    if (op < EQUAL) {
        call_floats(c, 0, a->rank, a->shape, x);
        return;
    }
    int64_t *truth = ARENA_ARRAY(c->walk->arena, int64_t, MAX(n, 1));
    for (int64_t i = 0; i < n; i++)
        truth[i] = x[i] != 0;
    call_ints(c, 0, a->rank, a->shape, truth);
}

static void constants(Call *c, Binary op)
{
    if (!is_constant(call_in(c, 0)) || !is_constant(call_in(c, 1)) || call_attribute(c, "axis"))
        return;
    View a = c->in[0]->view, b = c->in[1]->view;
    if (!broadcast(&a, &b) || a.array->integer != b.array->integer)
        return;
    if (a.array->integer)
        whole_numbers(c, op, &a, &b);
    else
        floats(c, op, &a, &b);
}

static void run_equal(Call *c) { constants(c, EQUAL); }
static void run_less(Call *c) { constants(c, LESS); }
static void run_greater(Call *c) { constants(c, GREATER); }
static void run_and(Call *c) { constants(c, AND); }
static void run_or(Call *c) { constants(c, OR); }
/* What a layer gives comes in here too (onnx_linear.c). */
static void run_add(Call *c) { constants(c, ADD); linear_add(c, 1); }
static void run_sub(Call *c) { constants(c, SUB); linear_add(c, -1); }
static void run_mul(Call *c) { constants(c, MUL); linear_mul(c, false); }
static void run_div(Call *c) { constants(c, DIV); linear_mul(c, true); }

/* Where(condition, a, b) on whole numbers: what exporters put around Expand. */
static void run_where(Call *c)
{
    if (c->n_in != 3 || !is_integer(c->in[0]) || !is_integer(c->in[1]) || !is_integer(c->in[2]))
        return;
    View test = c->in[0]->view, a = c->in[1]->view, b = c->in[2]->view;
    int n;
    if (!broadcast(&a, &b) || !broadcast(&test, &a) || !broadcast(&test, &b) || !broadcast(&test, &a))
        return;
    int64_t *t = view_ints(c->walk, &test, &n), *x = view_ints(c->walk, &a, &n), *y = view_ints(c->walk, &b, &n);
    if (!t || !x || !y)
        return;
    for (int i = 0; i < n; i++)
        if (!t[i])
            x[i] = y[i];
    call_ints(c, 0, test.rank, test.shape, x);
}

static void run_not(Call *c)
{
    int n;
    int64_t *x = is_integer(call_in(c, 0)) ? view_ints(c->walk, &c->in[0]->view, &n) : NULL;
    for (int i = 0; x && i < n; i++)
        x[i] = !x[i];
    if (x)
        call_ints(c, 0, c->in[0]->view.rank, c->in[0]->view.shape, x);
}

/* ---- one operand ---- */

static void each_float(Call *c, float (*f)(float))
{
    const Value *v = call_in(c, 0);
    float *x = is_constant(v) ? view_floats(c->walk, &v->view) : NULL;
    int64_t n = x ? view_count(&v->view) : 0;
    for (int64_t i = 0; i < n; i++)
        x[i] = f(x[i]);
    if (x)
        call_floats(c, 0, v->view.rank, v->view.shape, x);
}

static float negative(float x) { return -x; }
static float inverse(float x) { return 1 / x; }
static void run_neg(Call *c) { each_float(c, negative); }
static void run_sqrt(Call *c) { each_float(c, sqrtf); }
static void run_abs(Call *c) { each_float(c, fabsf); }
static void run_reciprocal(Call *c) { each_float(c, inverse); }

/* ---- types ---- */

static bool floating_code(int64_t code)
{
    return code == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT || code == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE
        || code == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 || code == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16;
}

static void cast_constant(Call *c, const View *v, bool floating)
{
    int n;
    float *f = floating ? NULL : view_floats(c->walk, v);
    int64_t *whole = floating ? view_ints(c->walk, v, &n) : NULL;
    int64_t count = view_count(v);
    if (f) {
        whole = ARENA_ARRAY(c->walk->arena, int64_t, MAX(count, 1));
        for (int64_t i = 0; i < count; i++) {
            if (!(fabsf(f[i]) < 0x1p60f))
                return;
            whole[i] = (int64_t)f[i];
        }
        call_ints(c, 0, v->rank, v->shape, whole);
    } else if (whole) {
        f = ARENA_ARRAY(c->walk->arena, float, MAX(count, 1));
        for (int64_t i = 0; i < count; i++) {
            if (is_symbol(whole[i]))
                return;
            f[i] = (float)whole[i];
        }
        call_floats(c, 0, v->rank, v->shape, f);
    }
}

static void run_cast(Call *c)
{
    Value *v = call_in(c, 0);
    bool floating = floating_code(call_int(c, "to", 0));
    if (!v)
        return;
    if (v->kind == SIZES || (is_constant(v) && is_integer(v) != floating) || (!is_constant(v) && floating)) {
        if (v->kind != OUTSIDE)
            c->out[0] = v;
    } else if (is_constant(v)) {
        cast_constant(c, &v->view, floating);
    } else if (value_recurrent(v)) {
        call_outside(c, str_format(c->walk->arena, "Cast '%s' makes whole numbers of what '%s' gives", c->label,
                                   v->at->label), false);
    }
}

static void run_cast_like(Call *c)
{
    const Value *like = call_in(c, 1);
    if (is_constant(call_in(c, 0)) && is_constant(like) && is_integer(like) == is_integer(c->in[0]))
        c->out[0] = c->in[0];
}

static void run_constant(Call *c)
{
    const Onnx__AttributeProto *a;
    if ((a = call_attribute(c, "value")) && a->t) {
        Value *v = constant_of_tensor(c->walk, a->t, c->node->output[0]);
        v->node = c->node;
        v->label = c->label;
        c->out[0] = v;
    } else if ((a = call_attribute(c, "value_int"))) {
        call_ints(c, 0, 0, NULL, &a->i);
    } else if ((a = call_attribute(c, "value_ints"))) {
        int64_t n = (int64_t)a->n_ints;
        call_ints(c, 0, 1, &n, a->ints);
    } else if ((a = call_attribute(c, "value_float")) || (a = call_attribute(c, "value_floats"))) {
        bool one = strcmp(a->name, "value_float") == 0;
        int64_t n = one ? 1 : (int64_t)a->n_floats;
        float *copy = ARENA_ARRAY(c->walk->arena, float, MAX(n, 1));
        if (n > 0)
            memcpy(copy, one ? &a->f : a->floats, sizeof *copy * (size_t)n);
        call_floats(c, 0, !one, &n, copy);
    } else if (call_attribute(c, "sparse_value")) {
        call_outside(c, str_format(c->walk->arena, "Constant '%s' is sparse: store it as a dense tensor", c->label),
                     false);
    }
}

/* (x - zero) * scale, with one scale for all or one for each index of an axis. */
static void run_dequantize(Call *c)
{
    const Value *x = call_in(c, 0), *scale = call_in(c, 1), *zero = call_in(c, 2);
    if (!is_integer(x) || !is_constant(scale) || is_integer(scale) || (zero && !is_integer(zero)))
        return;
    int64_t n = view_count(&x->view), each = view_count(&scale->view), inner = 1;
    int axis = each == 1 ? 0 : axis_number(call_int(c, "axis", 1), x->view.rank), zeros = 1;
    if (n < 0 || scale->view.rank > 1 || axis < 0 || (each != 1 && each != x->view.shape[axis])
        || !view_read(c->walk, &x->view))
        return;
    float *s = view_floats(c->walk, &scale->view), *out = ARENA_ARRAY(c->walk->arena, float, MAX(n, 1));
    int64_t *z = zero ? view_ints(c->walk, &zero->view, &zeros) : NULL;
    if (!s || (zero && (!z || zeros != each)))
        return;
    for (int i = axis + 1; i < x->view.rank; i++)
        inner *= x->view.shape[i];
    for (int64_t i = 0; i < n; i++) {
        int64_t k = each == 1 ? 0 : i / inner % each;
        out[i] = (float)(x->view.array->i[view_at(&x->view, i)] - (z ? z[k] : 0)) * s[k];
    }
    call_floats(c, 0, x->view.rank, x->view.shape, out);
}

const Operator MATHS[] = {
    { "Constant", run_constant, false },
    { "Cast", run_cast, true },
    { "CastLike", run_cast_like, true },
    { "Add", run_add, false },
    { "Sub", run_sub, false },
    { "Mul", run_mul, false },
    { "Div", run_div, false },
    { "Equal", run_equal, false },
    { "Less", run_less, false },
    { "Greater", run_greater, false },
    { "And", run_and, false },
    { "Or", run_or, false },
    { "Not", run_not, false },
    { "Where", run_where, false },
    { "Neg", run_neg, false },
    { "Sqrt", run_sqrt, false },
    { "Abs", run_abs, false },
    { "Reciprocal", run_reciprocal, false },
    { "DequantizeLinear", run_dequantize, false },
    { NULL, NULL, false },
};
