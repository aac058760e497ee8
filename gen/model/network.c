/* network.c: from named tensors to a Network: shapes checked, rows in the canonical gate order i f
 * g o, biases summed.
 *
 * A weight matrix is decoded once into the arena. Rows in another order are permuted inside that
 * buffer; only `transpose: true` needs a second one. */
#include "model/importer.h"

#include <stdlib.h>
#include <string.h>

typedef struct Loader {
    Arena *arena;
    Diag *diag;
    Model *model;
    const LayerSpec *spec;
    int inputs; /* what the layer before gives; 0: first layer, or unknown */
} Loader;

int layer_rows(const Layer *l)
{
    return l->cell == CELL_LSTM ? GATES * l->hidden : l->hidden;
}

static Subject tensor_subject(const Loader *l, Place at, const char *tensor)
{
    return (Subject){ l->diag, at, l->model->path, tensor };
}

/* ---- shapes ---- */

/* ONNX puts a dimension of 1 (directions) before the others: leading ones beyond `rank` are
 * dropped. */
static void drop_leading_ones(Tensor *t, int rank)
{
    while (t->rank > rank && t->shape[0] == 1)
        memmove(t->shape, t->shape + 1, sizeof t->shape[0] * (size_t)--t->rank);
}

static Tensor *load_tensor(const Loader *l, Place at, const char *name, int rank)
{
    Tensor *t = model_tensor(l->model, l->diag, at, name);
    if (t)
        drop_leading_ones(t, rank);
    return t;
}

/* A convolution over one step, (rows, columns, 1), is a matrix. */
static void drop_trailing_one(Tensor *t)
{
    if (t->rank == 3 && t->shape[2] == 1)
        t->rank = 2;
}

static bool shape_is(const Tensor *t, int64_t rows, int64_t columns)
{
    return t->rank == 2 && t->shape[0] == rows && t->shape[1] == columns;
}

/* The tensor must be (rows, columns) as the file has it; says so, and whether turning it would
 * help. */
static bool matrix_shape(const Loader *l, Place at, const Tensor *t, int64_t rows, int64_t columns,
                         const char *why)
{
    if (shape_is(t, rows, columns))
        return true;
    Subject s = tensor_subject(l, at, t->name);
    subject_error(&s, "expected shape (%lld, %lld), found %s%s%s", (long long)rows,
                  (long long)columns, shape_text(l->arena, t), why,
                  !shape_is(t, columns, rows) ? ""
                  : l->spec->transpose        ? "; without `transpose: true` it would fit"
                                              : "; `transpose: true` makes it fit");
    return false;
}

/* W fixes the sizes of its layer: (units, inputs), or the other way round with `transpose`. */
static bool sizes_from_W(const Loader *l, const Tensor *W, int gates, Layer *out)
{
    bool turned = l->spec->transpose;
    Subject s = tensor_subject(l, l->spec->at_W, W->name);
    int64_t rows = W->shape[turned], columns = W->shape[!turned];
    if (W->rank != 2 || rows % gates != 0) {
        const char *units = gates > 1 ? "4*hidden" : "outputs";
        bool hint = W->rank == 2 && columns % gates == 0;
        subject_error(&s, "expected shape (%s, %s), found %s%s", turned ? "inputs" : units,
                      turned ? units : "inputs", shape_text(l->arena, W),
                      hint ? "; `transpose` may be the wrong way round" : "");
        return false;
    }
    out->hidden = (int)(rows / gates);
    out->inputs = (int)columns;
    if (l->inputs == 0 || l->inputs == columns)
        return true;
    const char *why = str_format(l->arena, ": the layer before gives %d values", l->inputs);
    return turned ? matrix_shape(l, l->spec->at_W, W, l->inputs, rows, why)
                  : matrix_shape(l, l->spec->at_W, W, rows, l->inputs, why);
}

/* ---- gate order ---- */

/* source[k]: which block of rows in the file holds the canonical gate k. */
static bool gates_parse(const Loader *l, int source[GATES])
{
    const char *order = l->spec->gates ? l->spec->gates : "ifgo";
    static const char *const LETTERS[GATES] = { "i", "f", "gcj", "o" };
    bool ok = strlen(order) == GATES;
    for (int k = 0; k < GATES && ok; k++) {
        size_t at = strcspn(order, LETTERS[k]);
        source[k] = (int)at;
        ok = at < GATES && strcspn(order + at + 1, LETTERS[k]) == GATES - 1 - at;
    }
    if (!ok)
        diag_error(l->diag, l->spec->at_gates,
                   "gates '%s': expected i, f, o and one of g, c, j (the cell "
                   "candidate) in the order of the file's rows",
                   order);
    return ok;
}

static bool in_order(const int source[GATES])
{
    for (int k = 0; k < GATES; k++)
        if (source[k] != k)
            return false;
    return true;
}

/* Permutes the blocks of `hidden` rows in place: row r of all four gates at a time. */
static void permute_rows(float *v, int hidden, int columns, const int source[GATES])
{
    size_t n = (size_t)columns, block = n * (size_t)hidden;
    float *rows = malloc(GATES * n * sizeof *rows);
    if (!rows)
        FAULT("out of memory for %d values", columns);
    for (int r = 0; r < hidden; r++) {
        float *row = v + n * (size_t)r;
        for (int k = 0; k < GATES; k++)
            memcpy(rows + n * (size_t)k, row + block * (size_t)source[k], n * sizeof *v);
        for (int k = 0; k < GATES; k++)
            memcpy(row + block * (size_t)k, rows + n * (size_t)k, n * sizeof *v);
    }
    free(rows);
}

/* (columns, rows) as in the file to (rows, columns), in tiles so that both sides stay in the
 * cache. */
static float *transposed(Arena *a, const float *v, int rows, int columns)
{
    enum { TILE = 32 };
    float *out = ARENA_ARRAY(a, float, (size_t)rows * (size_t)columns);
    for (int r0 = 0; r0 < rows; r0 += TILE)
        for (int c0 = 0; c0 < columns; c0 += TILE)
            for (int r = r0; r < MIN(r0 + TILE, rows); r++)
                for (int c = c0; c < MIN(c0 + TILE, columns); c++)
                    out[(size_t)r * (size_t)columns + (size_t)c] =
                        v[(size_t)c * (size_t)rows + (size_t)r];
    return out;
}

/* ---- one layer ---- */

static Matrix to_matrix(const Loader *l, Tensor *t, int rows, int columns, int gates)
{
    Matrix m = { .rows = rows, .columns = columns, .value = t->data, .gates = gates };
    if (l->spec->transpose && rows > 1 && columns > 1)
        m.value = transposed(l->arena, t->data, rows, columns);
    return m;
}

/* model_write puts weights back where they came from. */
static void remember_origin(const Loader *l, const int source[GATES], Layer *out)
{
    out->tensor[MATRIX_W] = l->spec->W;
    out->tensor[MATRIX_R] = l->spec->R;
    out->turned = l->spec->transpose;
    memcpy(out->block, source, sizeof out->block);
}

/* Adds one bias tensor, (rows) or for an LSTM (2 * rows): input and recurrent bias, as ONNX and
 * cuDNN store them. */
static bool add_bias(const Loader *l, const char *name, const int source[GATES], Layer *out)
{
    int rows = layer_rows(out), block = out->hidden;
    Tensor *t = load_tensor(l, l->spec->at_b, name, 1);
    if (!t)
        return false;
    if (t->rank == 0) { /* the bias of a single output */
        t->rank = 1;
        t->shape[0] = 1;
    }
    bool twice = out->cell == CELL_LSTM && t->count == 2 * (int64_t)rows;
    if (t->rank != 1 || (t->count != rows && !twice)) {
        Subject s = tensor_subject(l, l->spec->at_b, t->name);
        subject_error(&s, "expected shape (%d,)%s, found %s", rows,
                      out->cell == CELL_LSTM ? str_format(l->arena, " or (%d,)", 2 * rows) : "",
                      shape_text(l->arena, t));
        return false;
    }
    for (int64_t n = 0; n < t->count; n++) {
        int from = (int)(n % rows), gate = 0;
        while (out->cell == CELL_LSTM && source[gate] != from / block)
            gate++;
        out->bias[gate * block + from % block] += (double)t->data[n];
    }
    return true;
}

static bool load_bias(const Loader *l, const int source[GATES], Layer *out)
{
    bool ok = true;
    out->bias = ARENA_ARRAY(l->arena, double, layer_rows(out));
    for (int i = 0; i < l->spec->n_b; i++)
        ok = add_bias(l, l->spec->b[i], source, out) && ok;
    for (int r = 0; out->cell == CELL_LSTM && r < out->hidden; r++)
        out->bias[GATE_F * out->hidden + r] += l->spec->forget_bias;
    return ok;
}

static bool load_R(const Loader *l, Layer *out)
{
    int rows = layer_rows(out);
    Tensor *R = load_tensor(l, l->spec->at_R, l->spec->R, 2);
    if (!R)
        return false;
    bool fits = l->spec->transpose ? matrix_shape(l, l->spec->at_R, R, out->hidden, rows, "")
                                   : matrix_shape(l, l->spec->at_R, R, rows, out->hidden, "");
    if (fits)
        out->m[MATRIX_R] = to_matrix(l, R, rows, out->hidden, GATES);
    return fits;
}

static bool load_lstm(const Loader *l, Layer *out)
{
    int source[GATES];
    out->cell = CELL_LSTM;
    if (!gates_parse(l, source))
        return false;
    Tensor *W = load_tensor(l, l->spec->at_W, l->spec->W, 2);
    if (!W || !sizes_from_W(l, W, GATES, out))
        return false;
    out->m[MATRIX_W] = to_matrix(l, W, layer_rows(out), out->inputs, GATES);
    remember_origin(l, source, out);
    bool R = load_R(l, out), b = load_bias(l, source, out); /* both, to report both */
    for (int k = 0; k < MATRICES && R && b && !in_order(source); k++)
        permute_rows(out->m[k].value, out->hidden, out->m[k].columns, source);
    return R && b;
}

static bool load_linear(const Loader *l, Layer *out)
{
    static const int NO_GATES[GATES] = { 0 };
    const char *activation = l->spec->activation;
    out->cell = CELL_LINEAR;
    out->activation = activation && strcmp(activation, "relu") == 0 ? CURVE_RELU : CURVE_NONE;
    Tensor *W = model_tensor(l->model, l->diag, l->spec->at_W, l->spec->W);
    if (W) {
        drop_trailing_one(W);
        drop_leading_ones(W, 2);
    }
    if (W && W->rank == 1) { /* the weights of a single output */
        W->rank = 2;
        W->shape[!l->spec->transpose] = W->count;
        W->shape[l->spec->transpose] = 1;
    }
    if (!W || !sizes_from_W(l, W, 1, out))
        return false;
    out->m[MATRIX_W] = to_matrix(l, W, out->hidden, out->inputs, 1);
    remember_origin(l, NO_GATES, out);
    return load_bias(l, NO_GATES, out);
}

static bool names_given(const Loader *l)
{
    bool lstm = strcmp(l->spec->cell, "linear") != 0;
    if (l->spec->W && (l->spec->R || !lstm))
        return true;
    diag_error(l->diag, l->spec->at, "a layer of cell %s needs the tensor name%s", l->spec->cell,
               lstm ? "s W and R" : " W");
    return false;
}

static bool load_layer(const Loader *l, Layer *out)
{
    *out = (Layer){ .at = l->spec->at };
    if (!names_given(l))
        return false;
    return strcmp(l->spec->cell, "linear") == 0 ? load_linear(l, out) : load_lstm(l, out);
}

/* ---- all layers ---- */

/* The layers to load: the spec's, or what the model file itself says. -1 after an error. */
static int find_layers(Model *m, Diag *d, const Spec *s, LayerSpec found[LAYERS_MAX])
{
    if (s->n_layers > 0) {
        memcpy(found, s->layer, sizeof *found * (size_t)s->n_layers);
        return s->n_layers;
    }
    Place from = spec_at(s, "model.file");
    FoundNetwork network;
    int n = model_layers(m, d, from, &network);
    memcpy(found, network.layer, sizeof network.layer);
    for (int i = 0; i < n; i++)
        found[i].at = found[i].at_W = found[i].at_R = found[i].at_b = found[i].at_gates = from;
    return n;
}

bool network_load(Arena *a, Diag *d, const Spec *s, Network *out)
{
    Model *m = model_open(a, d, spec_at(s, "model.file"), s->model_file);
    if (!m)
        return false;
    LayerSpec found[LAYERS_MAX];
    bool ok = true;
    int n = find_layers(m, d, s, found), inputs = 0;
    *out = (Network){ .n = MAX(n, 0) };
    for (int i = 0; i < n; i++) {
        Loader l = { a, d, m, &found[i], inputs };
        bool loaded = load_layer(&l, &out->layer[i]);
        inputs = loaded ? out->layer[i].hidden : 0; /* unknown after an error: one message each */
        ok = ok && loaded;
    }
    model_close(m);
    return ok && n > 0;
}
