/* tflite.c: the weights of a TensorFlow Lite file (.tflite): tensors of its first graph that have values, of floating
 * point or quantised: those are scale * (q - zero), one scale for all or for each index of an axis. */
#include "model/tflite.h"

#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)1 << 31) /* a flatbuffer's offsets have 31 bits */

/* Numbers of TensorType in the schema. */
static const struct {
    int code;
    const char *type;
} TYPES[] = { { 0, "f4" }, { 1, "f2" }, { 2, "i4" }, { 3, "u1" }, { 4, "i8" }, { 7, "i2" }, { 9, "i1" }, { 10, "f8" } };

static bool tflite_probe(const char *path, const uint8_t *head, size_t n)
{
    (void)path;
    return n >= 8 && memcmp(head + 4, "TFL3", 4) == 0;
}

static const DataType *type_of(const LiteTensor *t)
{
    for (int i = 0; i < LENGTH(TYPES); i++)
        if (TYPES[i].code == t->type)
            return dtype_find(TYPES[i].type);
    return NULL;
}

static bool is_weight(const LiteTensor *t)
{
    const DataType *type = type_of(t);
    return t->data && type && (type->floating || t->scales > 0);
}

int lite_input(const LiteOperator *o, int k)
{
    return k < o->inputs ? o->in[k] : -1;
}

const char *lite_weight(const Model *m, const LiteOperator *o, int k)
{
    const Lite *l = m->own;
    int t = lite_input(o, k);
    return t >= 0 && t < lite_tensors(l->bytes.data) ? l->name[t] : NULL;
}

/* ---- the list ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const NamedTensor *)a)->name, ((const NamedTensor *)b)->name);
}

/* Names of a file need not differ: those that do not get the tensor's number. */
static void set_names(Model *m, NamedTensor *found, int n)
{
    Lite *l = m->own;
    qsort(found, (size_t)n, sizeof *found, by_name);
    for (int i = 0; i < n; i++) {
        bool same = (i > 0 && strcmp(found[i - 1].name, found[i].name) == 0)
                 || (i + 1 < n && strcmp(found[i + 1].name, found[i].name) == 0) || !found[i].name[0];
        l->name[found[i].index] = same ? str_format(m->arena, "%s#%d", found[i].name, found[i].index) : found[i].name;
    }
}

static bool list_weights(Model *m, const Subject *s)
{
    Lite *l = m->own;
    int all = lite_tensors(l->bytes.data), n = 0;
    NamedTensor *found = ARENA_ARRAY(m->arena, NamedTensor, MAX(all, 1));
    l->name = ARENA_ARRAY(m->arena, const char *, MAX(all, 1));
    l->tensor = ARENA_ARRAY(m->arena, int, MAX(all, 1));
    LiteTensor t;
    for (int i = 0; i < all; i++)
        if (lite_tensor(l->bytes.data, i, &t) && is_weight(&t))
            found[n++] = (NamedTensor){ t.name, i };
    set_names(m, found, n);
    for (int i = 0; i < all; i++)
        if (l->name[i]) {
            l->tensor[m->n] = i;
            if (!model_add(m, s, l->name[i]))
                return false;
        }
    if (m->n == 0)
        subject_error(s, "a TensorFlow Lite model without weights");
    return m->n > 0;
}

static bool tflite_open(Model *m, const Subject *s)
{
    Lite *l = m->own = ARENA_NEW(m->arena, Lite);
    if (!file_read(m->arena, s->diag, s->from, m->path, FILE_BYTES_MAX, &l->bytes))
        return false;
    if (!lite_check(l->bytes.data, l->bytes.size)) {
        subject_error(s, "truncated or damaged TensorFlow Lite model: an offset or a length in its %zu bytes is wrong",
                      l->bytes.size);
        return false;
    }
    if (lite_graphs(l->bytes.data) < 1) {
        subject_error(s, "damaged TensorFlow Lite model: it holds no graph");
        return false;
    }
    int operators = lite_operators(l->bytes.data), tensors = lite_tensors(l->bytes.data);
    if (operators > LITE_OPERATORS_MAX || tensors > LITE_TENSORS_MAX) {
        subject_error(s, "%d operators and %d tensors: beyond the limits of %d and %d", operators, tensors,
                      LITE_OPERATORS_MAX, LITE_TENSORS_MAX);
        return false;
    }
    return list_weights(m, s);
}

/* ---- values ---- */

/* Elements behind each index of the axis, so that element n has index n / inner % size of it. */
static int64_t inner_of(const Tensor *t, int axis)
{
    int64_t inner = 1;
    for (int i = axis + 1; i < t->rank; i++)
        inner *= t->shape[i];
    return inner;
}

static bool dequantise(const Subject *s, const LiteTensor *from, Tensor *out)
{
    bool axis = from->scales > 1;
    if (axis && (from->axis < 0 || from->axis >= out->rank || out->shape[from->axis] != from->scales)) {
        subject_error(s, "%d scales, which is no number of elements of its axis %d", from->scales, from->axis);
        return false;
    }
    int64_t inner = axis ? inner_of(out, from->axis) : 1;
    for (int64_t n = 0; n < out->count; n++) {
        int64_t k = axis ? n / inner % from->scales : 0;
        double zero = from->zeros > 0 ? (double)from->zero[MIN(k, from->zeros - 1)] : 0.0;
        double value = (double)from->scale[k] * ((double)out->data[n] - zero);
        out->data[n] = (float)value;
        if (!(out->data[n] - out->data[n] == 0)) {
            subject_error(s, "value %lld is NaN or Inf", (long long)n);
            return false;
        }
    }
    return true;
}

static size_t read_bytes(void *handle, void *to, size_t n)
{
    const uint8_t **at = handle;
    memcpy(to, *at, n);
    *at += n;
    return n;
}

static bool tflite_load(Model *m, const Subject *s, int index, Tensor *out)
{
    const Lite *l = m->own;
    LiteTensor t;
    int64_t shape[RANK_MAX] = { 0 };
    REQUIRE(lite_tensor(l->bytes.data, l->tensor[index], &t));
    const DataType *type = type_of(&t);
    for (int i = 0; i < MIN(t.rank, RANK_MAX); i++)
        shape[i] = t.shape[i];
    if (!tensor_shape(s, out, t.rank, shape, type))
        return false;
    if ((uint64_t)out->count * type->size != t.bytes) {
        subject_error(s, "truncated or damaged: shape %s takes %llu bytes, found %zu", shape_text(m->arena, out),
                      (unsigned long long)((uint64_t)out->count * type->size), t.bytes);
        return false;
    }
    const uint8_t *at = t.data;
    Source from = { read_bytes, &at, t.bytes };
    return tensor_decode(s, m->arena, out, (Coding){ type, false, false }, &from)
        && (type->floating || dequantise(s, &t, out));
}

static void tflite_close(Model *m)
{
    m->own = NULL;
}

const Importer importer_tflite = { "TensorFlow Lite model", ".tflite", tflite_probe, tflite_open, tflite_load,
                                   tflite_close, tflite_layers, tflite_derive };
