/* keras_fold.c: the tensors of a layer: where they are in the file, and those that follow from them.
 * BatchNormalization, y = s x + t with s = gamma / sqrt(variance + epsilon), t = beta - s mean, becomes part of the
 * weights beside it; a CuDNNLSTM's weights are brought into the order of an LSTM's. */
#include "model/keras.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- where they are ---- */

/* The place of a weight among those of its layer, as Keras 3 numbers them; -1: it has none. */
static int number_of(const KerasLayer *l, const char *role)
{
    static const char *const CELL[] = { "kernel", "recurrent_kernel", "bias" };
    static const char *const NORM[] = { "gamma", "beta", "moving_mean", "moving_variance" };
    bool scale = keras_true(l->config, "scale", true), center = keras_true(l->config, "center", true);
    if (strcmp(l->class, "BatchNormalization") == 0)
        for (int i = 0; i < LENGTH(NORM); i++)
            if (strcmp(role, NORM[i]) == 0)
                return i == 0 ? (scale ? 0 : -1) : i == 1 && !center ? -1 : i - !scale - (i > 1 && !center);
    for (int i = 0; i < LENGTH(CELL); i++)
        if (strcmp(role, CELL[i]) == 0)
            return i == 2 && !keras_recurrent(l) ? 1 : i;
    return -1;
}

/* Does the path lie in the group and end in the role, "kernel" or "kernel:0"? */
static bool named(const char *path, const char *group, const char *role)
{
    const char *last = path_name(path);
    size_t n = strlen(role);
    return str_starts(path, group) && strncmp(last, role, n) == 0 && (last[n] == '\0' || strcmp(last + n, ":0") == 0);
}

const char *keras_weight(const Model *m, const KerasLayer *l, const char *role)
{
    const Keras *k = m->own;
    int number = number_of(l, role);
    if (k->archive) {
        const char *sub = keras_recurrent(l) ? "cell/" : l->config != l->outer ? "layer/" : "";
        const char *name = str_format(m->arena, "%s%svars/%d", l->group, sub, number);
        return number >= 0 && model_find(m, name) >= 0 ? name : NULL;
    }
    for (int i = 0; number >= 0 && i < m->n; i++)
        if (named(m->names[i], l->group, role))
            return m->names[i];
    return NULL;
}

static bool is_folded(const KerasPart *p, const char *role)
{
    bool norms = p->n_before > 0 || p->n_after > 0, bias = strcmp(role, "bias") == 0;
    bool cudnn = p->cell && p->cell->cudnn, pair = bias && p->cell && p->cell->biases == 2;
    return cudnn || pair || (norms && strcmp(role, "recurrent_kernel") != 0);
}

const char *keras_name(const Model *m, const KerasPart *p, const char *role)
{
    return is_folded(p, role) ? str_format(m->arena, "%s/%s.folded", p->layer.name, role)
                              : keras_weight(m, &p->layer, role);
}

/* ---- values ---- */

typedef struct Fold {
    Model *m;
    const Subject *s;
    const KerasPart *part;
} Fold;

static Tensor *weight(const Fold *f, const KerasLayer *l, const char *role)
{
    const char *name = keras_weight(f->m, l, role);
    return name ? model_tensor(f->m, f->s->diag, f->s->from, name) : NULL;
}

static bool wrong_shape(const Fold *f, const Tensor *t)
{
    subject_error(f->s, "cannot be made: '%s' has the shape %s", t->name, shape_text(f->m->arena, t));
    return false;
}

/* n values, whatever their shape, or `otherwise` where the layer has none of this name. */
static bool vector(const Fold *f, const KerasLayer *l, const char *role, int64_t n, double otherwise, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = otherwise;
    if (!keras_weight(f->m, l, role))
        return true;
    Tensor *t = weight(f, l, role);
    if (!t || t->count != n)
        return t ? wrong_shape(f, t) : false;
    for (int64_t i = 0; i < n; i++)
        out[i] = (double)t->data[i];
    return true;
}

/* Adds the norms, in order, to y = s x + t. */
static bool add_norms(const Fold *f, const KerasLayer *norm, int norms, int64_t n, double *s, double *t)
{
    double *v = ARENA_ARRAY(f->m->arena, double, 4 * n), *gamma = v, *beta = v + n, *mean = v + 2 * n, *var = v + 3 * n;
    for (int k = 0; k < norms; k++) {
        const json_t *given = json_object_get(norm[k].config, "epsilon");
        double epsilon = json_is_number(given) ? json_number_value(given) : 1e-3;
        if (!vector(f, &norm[k], "gamma", n, 1, gamma) || !vector(f, &norm[k], "beta", n, 0, beta)
            || !vector(f, &norm[k], "moving_mean", n, 0, mean) || !vector(f, &norm[k], "moving_variance", n, 1, var))
            return false;
        for (int64_t i = 0; i < n; i++) {
            double scale = gamma[i] / sqrt(var[i] + epsilon);
            s[i] *= scale;
            t[i] = (t[i] - mean[i]) * scale + beta[i];
        }
    }
    return true;
}

/* s and t of all norms of one side. */
static bool affine(const Fold *f, bool before, int64_t n, double **s, double **t)
{
    const KerasPart *p = f->part;
    *s = ARENA_ARRAY(f->m->arena, double, n);
    *t = ARENA_ARRAY(f->m->arena, double, n);
    for (int64_t i = 0; i < n; i++)
        (*s)[i] = 1;
    return add_norms(f, before ? p->before : p->after, before ? p->n_before : p->n_after, n, *s, *t);
}

/* cuDNN keeps the matrix of each gate as (hidden, inputs), Keras calls the same bytes (inputs, hidden). */
static void from_cudnn(const Fold *f, Tensor *t)
{
    int64_t gates = (int64_t)strlen(f->part->cell->gates);
    int64_t inputs = t->shape[0], columns = t->shape[1], hidden = columns / gates;
    float *out = ARENA_ARRAY(f->m->arena, float, t->count);
    for (int64_t g = 0; g < gates; g++)
        for (int64_t n = 0; n < inputs * hidden; n++)
            out[n % inputs * columns + g * hidden + n / inputs] =
                t->data[n / hidden * columns + g * hidden + n % hidden];
    t->data = out;
}

/* The kernel, (inputs, outputs), as Keras's own layers have it. */
static Tensor *kernel(const Fold *f, const char *role)
{
    Tensor *t = weight(f, &f->part->layer, role);
    const KerasCell *cell = f->part->cell;
    if (t && (t->rank != 2 || (cell && t->shape[1] % (int64_t)strlen(cell->gates) != 0))) {
        wrong_shape(f, t);
        return NULL;
    }
    if (t && cell && cell->cudnn)
        from_cudnn(f, t);
    return t;
}

static bool fold_kernel(const Fold *f, const Tensor *K, Tensor *out)
{
    double *s, *t, *after, *unused;
    int64_t rows = K->shape[0], columns = K->shape[1];
    if (!affine(f, true, rows, &s, &t) || !affine(f, false, columns, &after, &unused))
        return false;
    for (int64_t n = 0; n < K->count; n++)
        out->data[n] = (float)((double)K->data[n] * s[n / columns] * after[n % columns]);
    return true;
}

/* Are there two biases for each row that the cell adds at two places? */
static bool biases_apart(const KerasPart *p)
{
    return p->cell && p->cell->biases == 2 && strcmp(p->cell->cell, "gru_after") == 0;
}

/* b + t K, then what comes after. Of two biases that is the first; an LSTM adds both at one place. */
static bool fold_bias(const Fold *f, const Tensor *K, Tensor *out)
{
    double *s, *t, *after, *shift;
    int64_t columns = K->shape[1], parts = f->part->cell ? f->part->cell->biases : 1;
    double *b = ARENA_ARRAY(f->m->arena, double, parts * columns);
    if (!vector(f, &f->part->layer, "bias", parts * columns, 0, b) || !affine(f, true, K->shape[0], &s, &t)
        || !affine(f, false, columns, &after, &shift))
        return false;
    for (int64_t n = columns; n < parts * columns; n++)
        if (biases_apart(f->part))
            out->data[n] = (float)b[n];
        else
            b[n - columns] += b[n];
    for (int64_t n = 0; n < K->count; n++)
        b[n % columns] += t[n / columns] * (double)K->data[n];
    for (int64_t j = 0; j < columns; j++)
        out->data[j] = (float)(b[j] * after[j] + shift[j]);
    return true;
}

static bool all_finite(const Fold *f, const Tensor *out)
{
    for (int64_t n = 0; n < out->count; n++)
        if (!isfinite(out->data[n])) {
            subject_error(f->s, "is not finite: a variance that is negative, or weights that are too large");
            return false;
        }
    return true;
}

static bool make(const Fold *f, const char *role, Tensor *out)
{
    bool bias = strcmp(role, "bias") == 0, recurrent = strcmp(role, "recurrent_kernel") == 0;
    Tensor *K = kernel(f, recurrent ? role : "kernel");
    if (!K)
        return false;
    out->rank = bias ? 1 : 2;
    out->shape[0] = bias ? (1 + biases_apart(f->part)) * K->shape[1] : K->shape[0];
    out->shape[1] = K->shape[1];
    out->count = bias ? out->shape[0] : K->count;
    out->data = recurrent ? K->data : ARENA_ARRAY(f->m->arena, float, out->count);
    return (recurrent || (bias ? fold_bias(f, K, out) : fold_kernel(f, K, out))) && all_finite(f, out);
}

int keras_derive(Model *m, const Subject *s, const char *name, Tensor *out)
{
    static const char *const ROLES[] = { "kernel", "recurrent_kernel", "bias" };
    Keras *k = m->own;
    Subject quiet = { diag_new(m->arena), s->from, s->file, NULL }, whole = { s->diag, s->from, s->file, name };
    if (!k->config || !str_ends(name, ".folded") || (k->n == 0 && !keras_network(m, &quiet)))
        return 0;
    for (int i = 0; i < k->n; i++)
        for (int r = 0; r < LENGTH(ROLES); r++)
            if (is_folded(&k->part[i], ROLES[r]) && strcmp(keras_name(m, &k->part[i], ROLES[r]), name) == 0) {
                Fold f = { m, &whole, &k->part[i] };
                return make(&f, ROLES[r], out) ? 1 : -1;
            }
    return 0;
}
