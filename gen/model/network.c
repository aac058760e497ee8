/* network.c: from named tensors to a Network: shapes checked, rows in the canonical order of the
 * cell's gates, biases summed.
 *
 * A weight matrix is decoded once into the arena. Rows in another order are permuted inside that
 * buffer; only `transpose: true` needs a second one. Products are parts of it. */
#include "model/importer.h"

#include <stdlib.h>
#include <string.h>

typedef struct Loader {
    Arena *arena;
    Diag *diag;
    Model *model;
    const LayerSpec *spec;
    const Cell *cell;
    int inputs; /* what the layer before gives; 0: first layer, or unknown */
    /* The whole matrices, rows in canonical order, and for each gate its block of rows in the
     * file. */
    float *W, *R, *P;
    int source[GATES_MAX];
} Loader;

static int gates_of(const Loader *l)
{
    return (int)strlen(l->cell->W);
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

static const char *units_text(const Loader *l)
{
    int gates = gates_of(l);
    return gates > 1 ? str_format(l->arena, "%d*hidden", gates) : l->cell->R[0] ? "hidden" : "outputs";
}

/* W fixes the sizes of its layer: (units, inputs), or the other way round with `transpose`. */
static bool sizes_from_W(const Loader *l, const Tensor *W, Layer *out)
{
    bool turned = l->spec->transpose;
    int gates = gates_of(l);
    Subject s = tensor_subject(l, l->spec->at_W, W->name);
    int64_t rows = W->shape[turned], columns = W->shape[!turned];
    if (W->rank != 2 || rows % gates != 0) {
        const char *units = units_text(l);
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
static bool gates_parse(Loader *l)
{
    bool given = l->spec->gates && cell_has_key(l->cell, "gates");
    const char *order = given ? l->spec->gates : l->cell->W;
    unsigned seen = 0;
    int n = gates_of(l);
    bool ok = (int)strlen(order) == n;
    for (int at = 0; at < n && ok; at++) {
        int gate = cell_gate(l->cell, order[at]);
        ok = gate >= 0 && !(seen >> gate & 1);
        if (ok) {
            seen |= 1u << gate;
            l->source[gate] = at;
        }
    }
    if (!ok)
        diag_error(l->diag, l->spec->at_gates, "gates '%s': expected the gates of cell %s, each once (like %s), in "
                   "the order of the file's rows", order, cell_name(l->cell), l->cell->W);
    return ok;
}

static bool in_order(const Loader *l)
{
    for (int k = 0; k < gates_of(l); k++)
        if (l->source[k] != k)
            return false;
    return true;
}

/* Permutes the blocks of `hidden` rows in place: row r of all gates at a time. */
static void permute_rows(const Loader *l, float *v, int hidden, int columns)
{
    size_t n = (size_t)columns, block = n * (size_t)hidden;
    int gates = gates_of(l);
    float *rows = malloc((size_t)gates * n * sizeof *rows);
    if (!rows)
        FAULT("out of memory for %d values", columns);
    for (int r = 0; r < hidden; r++) {
        float *row = v + n * (size_t)r;
        for (int k = 0; k < gates; k++)
            memcpy(rows + n * (size_t)k, row + block * (size_t)l->source[k], n * sizeof *v);
        for (int k = 0; k < gates; k++)
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

static float *to_rows(const Loader *l, const Tensor *t, int rows, int columns)
{
    bool turn = l->spec->transpose && rows > 1 && columns > 1;
    return turn ? transposed(l->arena, t->data, rows, columns) : t->data;
}

/* ---- biases ---- */

/* A bias of so many values, or of the other number (0: there is none). NULL after an error. */
static Tensor *bias_tensor(const Loader *l, Place at, const char *name, int rows, int other)
{
    Tensor *t = load_tensor(l, at, name, 1);
    if (!t)
        return NULL;
    if (t->rank == 0) { /* the bias of a single output */
        t->rank = 1;
        t->shape[0] = 1;
    }
    if (t->rank == 1 && (t->count == rows || (other > 0 && t->count == other)))
        return t;
    Subject s = tensor_subject(l, at, t->name);
    subject_error(&s, "expected shape (%d,)%s, found %s", rows, other > 0 ? str_format(l->arena, " or (%d,)", other) : "",
                  shape_text(l->arena, t));
    return NULL;
}

/* Value n of a bias with one for each row of a matrix, as the file has them: to the rows of the gate `letters` names. */
static void add_value(const Loader *l, Layer *out, const char *letters, int n, double value)
{
    int gate = 0;
    while (l->source[gate] != n / out->hidden)
        gate++;
    out->bias[layer_row(out, letters[gate], n % out->hidden)] += value;
}

/* Adds one bias tensor, (rows) or for a recurrent cell (2 * rows): input and recurrent bias, as ONNX and
 * cuDNN store them; each belongs to the rows of its matrix. */
static bool add_bias(const Loader *l, const char *name, Layer *out)
{
    int rows = gates_of(l) * out->hidden;
    Tensor *t = bias_tensor(l, l->spec->at_b, name, rows, l->cell->R[0] ? 2 * rows : 0);
    for (int n = 0; t && n < t->count; n++)
        add_value(l, out, n < rows ? l->cell->W : l->cell->R, n % rows, (double)t->data[n]);
    return t != NULL;
}

/* Adds a bias of the rows of R: of all gates, or of the one alone that has a bias of its own there. */
static bool add_bias_R(const Loader *l, const char *name, Layer *out)
{
    int rows = gates_of(l) * out->hidden, own = (int)strlen(l->cell->R) - 1;
    Tensor *t = bias_tensor(l, l->spec->at_b_R, name, rows, out->hidden);
    for (int n = 0; t && n < t->count; n++) {
        if (t->count == rows)
            add_value(l, out, l->cell->R, n, (double)t->data[n]);
        else
            out->bias[layer_row(out, l->cell->R[own], n)] += (double)t->data[n];
    }
    return t != NULL;
}

/* The file has i of coupled gates: f = 1 - s(z) = s(-z). */
static bool is_negated(const Loader *l)
{
    return l->spec->coupled && l->spec->gates && strchr(l->spec->gates, 'i');
}

/* A tensor of so many values, whatever its shape is beside dimensions of 1: `what` they are. NULL after an error. */
static Tensor *values_tensor(const Loader *l, Place at, const char *name, int n, const char *what)
{
    Tensor *t = load_tensor(l, at, name, 1);
    if (!t || t->count == n)
        return t;
    Subject s = tensor_subject(l, at, t->name);
    subject_error(&s, "expected %d values (%s), found %s", n, what, shape_text(l->arena, t));
    return NULL;
}

static double *doubles(const Loader *l, const Tensor *t)
{
    double *out = ARENA_ARRAY(l->arena, double, t->count);
    for (int64_t k = 0; k < t->count; k++)
        out[k] = (double)t->data[k];
    return out;
}

/* Weights of the state, of three gates; those of a gate that the cell does not have (i of a coupled one) are left out. */
static bool load_peephole(const Loader *l, Layer *out)
{
    if (!l->spec->peephole)
        return true;
    const char *order = l->spec->peephole_order ? l->spec->peephole_order : "ifo";
    Tensor *t = values_tensor(l, l->spec->at_peephole, l->spec->peephole, 3 * out->hidden, "3*hidden");
    out->peephole = ARENA_ARRAY(l->arena, double, (int)strlen(out->gates) * out->hidden);
    bool coupled_i = is_negated(l);
    for (int k = 0; t && k < t->count; k++) {
        char gate = order[k / out->hidden];
        if (l->spec->coupled && gate != 'o' && (gate == 'i') != coupled_i)
            continue;
        double value = (double)t->data[k];
        out->peephole[layer_row(out, coupled_i && gate == 'i' ? 'f' : gate, k % out->hidden)] =
            coupled_i && gate == 'i' ? -value : value;
    }
    return t != NULL;
}

static bool load_initial(const Loader *l, Layer *out)
{
    const LayerSpec *s = l->spec;
    int outputs = out->projection > 0 ? out->projection : out->hidden;
    Tensor *h = s->h0 ? values_tensor(l, s->at_initial, s->h0, outputs, "the layer's outputs") : NULL;
    Tensor *c = s->c0 ? values_tensor(l, s->at_initial, s->c0, out->hidden, "hidden") : NULL;
    out->h0 = h ? doubles(l, h) : NULL;
    out->c0 = c ? doubles(l, c) : NULL;
    return (h || !s->h0) && (c || !s->c0);
}

/* (P, H), and its bias behind those of the gates. */
static bool load_projection(Loader *l, Layer *out)
{
    const char *name = l->spec->W_projection;
    Tensor *t = name ? load_tensor(l, l->spec->at_projection, name, 2) : NULL;
    if (!t)
        return !name;
    int64_t rows = t->shape[l->spec->transpose ? 1 : 0];
    if (t->rank != 2 || rows < 1 || rows > INT32_MAX)
        rows = 1;
    if (l->spec->transpose ? !matrix_shape(l, l->spec->at_projection, t, out->hidden, rows, "")
                           : !matrix_shape(l, l->spec->at_projection, t, rows, out->hidden, ""))
        return false;
    out->projection = (int)rows;
    l->P = to_rows(l, t, out->projection, out->hidden);
    return true;
}

static bool add_projection_bias(const Loader *l, Layer *out, int first)
{
    const char *name = l->spec->b_projection;
    Tensor *t = name ? values_tensor(l, l->spec->at_projection, name, out->projection, "those of the projection") : NULL;
    for (int k = 0; t && k < t->count; k++)
        out->bias[first + k] = (double)t->data[k];
    return t || !name;
}

static void negate_rows(float *v, int rows, int columns)
{
    for (int64_t k = 0; k < (int64_t)rows * columns; k++)
        v[k] = -v[k];
}

static bool load_bias(const Loader *l, Layer *out)
{
    bool ok = true;
    cell_rows(l->cell, out->gates);
    int rows = (int)strlen(out->gates) * out->hidden;
    out->bias = ARENA_ARRAY(l->arena, double, rows + out->projection);
    ok = add_projection_bias(l, out, rows);
    for (int i = 0; i < l->spec->n_b; i++)
        ok = add_bias(l, l->spec->b[i], out) && ok;
    for (int i = 0; i < l->spec->n_b_R; i++)
        ok = add_bias_R(l, l->spec->b_R[i], out) && ok;
    for (int r = 0; is_negated(l) && r < out->hidden; r++)
        out->bias[layer_row(out, 'f', r)] *= -1;
    for (int r = 0; cell_has_key(l->cell, "forget_bias") && r < out->hidden; r++)
        out->bias[layer_row(out, 'f', r)] += l->spec->forget_bias;
    return ok;
}

static bool load_R(Loader *l, const Layer *out)
{
    int rows = gates_of(l) * out->hidden;
    Tensor *R = load_tensor(l, l->spec->at_R, l->spec->R, 2);
    if (!R)
        return false;
    int columns = out->projection > 0 ? out->projection : out->hidden;
    const char *why = out->projection > 0 ? ": its columns are those of the projection" : "";
    bool fits = l->spec->transpose ? matrix_shape(l, l->spec->at_R, R, columns, rows, why)
                                   : matrix_shape(l, l->spec->at_R, R, rows, columns, why);
    if (fits)
        l->R = to_rows(l, R, rows, columns);
    return fits;
}

/* Both matrices in one, (inputs + h, rows). `out->hidden` and the projection are known. */
static bool split_kernel(Loader *l, const Tensor *K, Layer *out)
{
    int rows = gates_of(l) * out->hidden, recurrent = out->projection > 0 ? out->projection : out->hidden;
    Subject s = tensor_subject(l, l->spec->at_W, K->name);
    if (l->inputs > 0 && K->shape[0] != l->inputs + recurrent) {
        subject_error(&s, "expected shape (%d, %d), found %s: the layer before gives %d values, this one %d",
                      l->inputs + recurrent, rows, shape_text(l->arena, K), l->inputs, recurrent);
        return false;
    }
    if (K->shape[0] <= recurrent) {
        subject_error(&s, "expected shape (inputs + %d, %d), found %s: no row is left for an input", recurrent, rows,
                      shape_text(l->arena, K));
        return false;
    }
    out->inputs = (int)K->shape[0] - recurrent;
    l->W = transposed(l->arena, K->data, rows, out->inputs);
    l->R = transposed(l->arena, K->data + (size_t)out->inputs * (size_t)rows, rows, recurrent);
    return true;
}

static bool load_kernel(Loader *l, Layer *out)
{
    int gates = gates_of(l);
    Tensor *K = load_tensor(l, l->spec->at_W, l->spec->kernel, 2);
    if (!K)
        return false;
    if (K->rank != 2 || K->shape[1] % gates != 0) {
        Subject s = tensor_subject(l, l->spec->at_W, K->name);
        bool other = K->rank == 2 && K->shape[0] % gates == 0;
        subject_error(&s, "expected shape (inputs + hidden, %s), found %s%s", units_text(l), shape_text(l->arena, K),
                      other ? "; it seems to be the other way round: kernel has one row for each element of [x, h]" : "");
        return false;
    }
    out->hidden = (int)(K->shape[1] / gates);
    return load_projection(l, out) && split_kernel(l, K, out);
}

/* The weights of a single output may be a vector, those of a linear layer a convolution. */
static Tensor *load_W(const Loader *l)
{
    Tensor *W = model_tensor(l->model, l->diag, l->spec->at_W, l->spec->W);
    if (W && l->cell->R[0] == '\0')
        drop_trailing_one(W);
    if (W)
        drop_leading_ones(W, 2);
    if (W && W->rank == 1 && l->cell->R[0] == '\0') {
        W->rank = 2;
        W->shape[!l->spec->transpose] = W->count;
        W->shape[l->spec->transpose] = 1;
    }
    return W;
}

static bool names_given(const Loader *l)
{
    bool recurrent = l->cell->R[0] != '\0';
    if ((l->spec->W && (l->spec->R || !recurrent)) || (recurrent && l->spec->kernel))
        return true;
    diag_error(l->diag, l->spec->at, "a layer of cell %s needs the tensor name%s", cell_name(l->cell),
               recurrent ? "s W and R" : " W");
    return false;
}

static void set_activations(const Loader *l, Layer *out)
{
    cell_activations(l->cell, out->activation);
    if (l->spec->activation && cell_has_key(l->cell, "activation"))
        REQUIRE(curve_find(l->spec->activation, &out->activation[0]));
    for (int k = 0; k < l->spec->n_activations; k++)
        REQUIRE(curve_find(l->spec->activations[k], &out->activation[k]));
}

/* W and the projection, which fix the sizes. */
static bool load_matrices(Loader *l, Layer *out)
{
    Tensor *W = load_W(l);
    if (!W || !sizes_from_W(l, W, out))
        return false;
    l->W = to_rows(l, W, gates_of(l) * out->hidden, out->inputs);
    return load_projection(l, out);
}

static bool load_layer(Loader *l, Layer *out)
{
    *out = (Layer){ .cell = l->cell, .at = l->spec->at };
    set_activations(l, out);
    if (!names_given(l) || !gates_parse(l))
        return false;
    out->clip_input = l->spec->clip_input;
    out->clip_cell = l->spec->clip_cell;
    out->clip_projection = l->spec->clip_projection;
    if (l->spec->kernel ? !load_kernel(l, out) : !load_matrices(l, out))
        return false;
    bool R = l->R || l->cell->R[0] == '\0' || load_R(l, out), b = load_bias(l, out); /* all, to report all */
    bool P = load_peephole(l, out), initial = load_initial(l, out);
    if (!R || !b || !P || !initial)
        return false;
    int columns = out->projection > 0 ? out->projection : out->hidden;
    if (!in_order(l)) {
        permute_rows(l, l->W, out->hidden, out->inputs);
        permute_rows(l, l->R, out->hidden, columns);
    }
    if (is_negated(l)) {                /* f is the first gate of the cell */
        negate_rows(l->W, out->hidden, out->inputs);
        negate_rows(l->R, out->hidden, columns);
    }
    return true;
}

/* The rows of a product: some gates of W or R, one after the other in both. model_write puts
 * weights back where they came from. */
static void set_product(const Loader *l, const Layer *layer, Product *p)
{
    bool input = p->from == layer->in;
    p->turned = l->spec->transpose;
    p->tensor_columns = p->m.columns;
    if (p->gates[0] == 'p') {           /* the projection has no other gates */
        p->m.value = l->P;
        p->tensor = l->spec->W_projection;
        return;
    }
    const char *letters = input ? l->cell->W : l->cell->R, *first = strchr(letters, p->gates[0]);
    REQUIRE(first && strncmp(first, p->gates, (size_t)p->m.gates) == 0);
    int gate = (int)(first - letters);
    p->m.value = (input ? l->W : l->R) + (int64_t)gate * layer->hidden * p->m.columns;
    p->tensor = input ? l->spec->W : l->spec->R;
    if (l->spec->kernel) {
        p->tensor = l->spec->kernel;
        p->tensor_columns = layer->inputs + (layer->projection > 0 ? layer->projection : layer->hidden);
        p->first = input ? 0 : layer->inputs;
    }
    for (int k = 0; k < p->m.gates; k++)
        p->block[k] = l->source[gate + k];
}

/* ---- all layers ---- */

/* The layers to load: the spec's, or what the model file itself says. -1 after an error. */
static int find_layers(Model *m, Diag *d, const Spec *s, LayerSpec found[LAYERS_MAX], bool *last)
{
    if (s->n_layers > 0) {
        memcpy(found, s->layer, sizeof *found * (size_t)s->n_layers);
        return s->n_layers;
    }
    Place from = spec_at(s, "model.file");
    FoundNetwork network;
    int n = model_layers(m, d, from, &network);
    *last = n > 0 && network.last;
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
    Loader loader[LAYERS_MAX];
    bool ok = true;
    bool last = false;
    int n = find_layers(m, d, s, found, &last), inputs = 0;
    *out = (Network){ .n = MAX(n, 0), .last = last };
    for (int i = 0; i < n; i++) {
        Loader *l = &loader[i];
        *l = (Loader){ .arena = a, .diag = d, .model = m, .spec = &found[i], .inputs = inputs,
                       .cell = cell_find(found[i].cell) };
        REQUIRE(l->cell);
        bool loaded = load_layer(l, &out->layer[i]);
        inputs = !loaded ? 0 : out->layer[i].projection > 0 ? out->layer[i].projection : out->layer[i].hidden; /* unknown after an error: one message each */
        ok = ok && loaded;
    }
    model_close(m);
    if (!ok || n <= 0)
        return false;
    network_lay_out(out);
    for (int p = 0; p < out->products; p++) {
        int k = out->product[p].layer;
        set_product(&loader[k], &out->layer[k], &out->product[p]);
    }
    return true;
}
