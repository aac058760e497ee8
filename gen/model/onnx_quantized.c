/* onnx_quantized.c: DynamicQuantizeLSTM of ONNX Runtime (com.microsoft): an LSTM whose W and R are 8-bit numbers with a scale
 * and a zero point, for the whole matrix or for each column. Inputs: X, W (directions, I, 4H), R (directions, H, 4H), B,
 * sequence_lens, initial_h, initial_c, P, W_scale, W_zero_point, R_scale, R_zero_point
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md). */
#include "model/onnx_graph.h"

#include <string.h>

enum { IN_W = 1, IN_R = 2, IN_SCALE = 8 };

/* One number for each column of one direction, or the same for all; NULL: there are none. */
static bool per_column(Walk *w, const Value *v, int64_t directions, int64_t columns, double *out)
{
    int64_t n = is_constant(v) ? view_count(&v->view) : -1;
    if ((n != 1 && n != directions && n != directions * columns) || !view_read(w, &v->view))
        return false;
    for (int64_t i = 0; i < directions * columns; i++) {
        int64_t at = view_at(&v->view, n == 1 ? 0 : n == directions ? i / columns : i);
        out[i] = is_integer(v) ? (double)v->view.array->i[at] : (double)v->view.array->f[at];
    }
    return true;
}

/* (directions, columns, rows) in floating point of the matrix (directions, rows, columns); NULL: not as it has to be. */
static Value *dequantized(Call *c, const Value *q, const Value *scale, const Value *zero)
{
    Walk *w = c->walk;
    if (!is_integer(q) || q->view.rank != 3 || view_count(&q->view) <= 0 || is_integer(scale) || !view_read(w, &q->view))
        return NULL;
    int64_t D = q->view.shape[0], rows = q->view.shape[1], columns = q->view.shape[2], n = D * columns;
    double *s = ARENA_ARRAY(w->arena, double, n), *z = ARENA_ARRAY(w->arena, double, n);
    if (!per_column(w, scale, D, columns, s) || (zero && (!is_integer(zero) || !per_column(w, zero, D, columns, z))))
        return NULL;
    float *f = ARENA_ARRAY(w->arena, float, n * rows);
    for (int64_t i = 0; i < n * rows; i++) {
        int64_t column = i % columns, row = i / columns % rows, k = i / columns / rows * columns + column;
        f[k * rows + row] = (float)(((double)q->view.array->i[view_at(&q->view, i)] - z[k]) * s[k]);
    }
    Value *v = value_new(w, CONSTANT);
    Array *a = ARENA_NEW(w->arena, Array);
    *a = (Array){ .read = true, .count = n * rows, .f = f };
    v->name = v->label = "";
    v->view = (View){ .array = a, .rank = 3, .shape = { D, columns, rows }, .stride = { columns * rows, rows, 1 } };
    return v;
}

void run_quantized_lstm(Call *c)
{
    Call plain = *c;
    for (int i = 0; i < 2; i++) {
        plain.in[IN_W + i] = dequantized(c, call_in(c, IN_W + i), call_in(c, IN_SCALE + 2 * i), call_in(c, IN_SCALE + 2 * i + 1));
        if (!plain.in[IN_W + i]) {
            call_outside(c, str_format(c->walk->arena, "%s node '%s': its %s is no constant of 8-bit numbers with scales and zero "
                                       "points; import the float model that it was made of", c->node->op_type, c->label,
                                       i ? "R" : "W"), true);
            return;
        }
    }
    plain.n_in = MIN(plain.n_in, IN_SCALE);
    CellNode cell = cell_read(&plain, "LSTM");
    cell_layer(&plain, &cell);
    diag_warn(c->walk->subject->diag, c->walk->subject->from,
              "%s: %s '%s' rounds what it multiplies with its weights to 8 bits as it runs; the core has the same weights and "
              "rounds as precision.activation says", c->walk->subject->file, c->node->op_type, c->label);
}
