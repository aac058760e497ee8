/* onnx_tensor.c: the elements of an ONNX tensor: raw bytes, a repeated field of its type, or a part of a file beside
 * the model (external data, https://onnx.ai/onnx/repo-docs/ExternalData.html). */
#include "model/onnx_graph.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define EXTERNAL_BYTES_MAX ((size_t)1 << 40)

/* ---- types ---- */

/* `repeated`: the field of a tensor without raw bytes: 'f' float_data, 'd' double_data, 'i' int32_data, 'l' int64_data,
 * 'u' uint64_data. */
static const struct {
    int code;
    const char *type;
    char repeated;
} TYPES[] = {
    { ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, "f4", 'f' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE, "f8", 'd' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16, "f2", 'i' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16, "bf2", 'i' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__INT8, "i1", 'i' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__UINT8, "u1", 'i' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__INT16, "i2", 'i' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__UINT16, "u2", 'i' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__INT32, "i4", 'i' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__UINT32, "u4", 'u' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__INT64, "i8", 'l' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__UINT64, "u8", 'u' },
    { ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, "b1", 'i' },
};

/* Where a tensor's elements lie. `narrow`: so many bytes of each int32 count (0: all elements are as the type says). */
typedef struct Store {
    const DataType *type;
    const void *data;
    size_t bytes;
    const int32_t *wide;
    const uint64_t *wider;
} Store;

bool onnx_is_external(const TensorProto *t)
{
    return t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL || t->n_external_data > 0;
}

static int type_row(const TensorProto *t)
{
    int i = 0;
    while (i < LENGTH(TYPES) && t->data_type != TYPES[i].code)
        i++;
    return i;
}

bool onnx_is_floating(const TensorProto *t)
{
    int i = type_row(t);
    return i < LENGTH(TYPES) && dtype_find(TYPES[i].type)->floating;
}

/* ---- external data ---- */

static const char *external_entry(const TensorProto *t, const char *key)
{
    for (size_t i = 0; i < t->n_external_data; i++)
        if (t->external_data[i]->key && t->external_data[i]->value && strcmp(t->external_data[i]->key, key) == 0)
            return t->external_data[i]->value;
    return NULL;
}

/* A number of bytes; what is absent counts as `otherwise`. */
static bool external_number(const Subject *s, const TensorProto *t, const char *key, uint64_t otherwise, uint64_t *out)
{
    const char *text = external_entry(t, key);
    char *end = NULL;
    *out = otherwise;
    if (!text)
        return true;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0)
        return true;
    subject_error(s, "external data: %s '%.60s' is no number of bytes", key, text);
    return false;
}

/* Relative, below the model's own folder, also once links are followed. */
static bool external_path_safe(const Model *m, const Subject *s, const char *location, char resolved[PATH_MAX])
{
    char folder[PATH_MAX];
    bool leaves = location[0] == '/' || location[0] == '\0';
    for (const char *p = location; *p && !leaves; p = *p ? p + 1 : p) {
        size_t n = strcspn(p, "/");
        leaves = n == 2 && p[0] == '.' && p[1] == '.';
        p += n;
        if (!*p)
            break;
    }
    if (leaves) {
        subject_error(s, "external data in '%.200s': it must be a file in the model's own folder, named relative to it",
                      location);
        return false;
    }
    char *here = path_beside(m->arena, m->path, ".");
    if (!realpath(here, folder) || !realpath(path_beside(m->arena, m->path, location), resolved)) {
        subject_error(s, "external data in '%.200s': %s; the file has to lie beside the model", location,
                      strerror(errno));
        return false;
    }
    size_t n = strlen(folder);
    if (strncmp(resolved, folder, n) == 0 && (resolved[n] == '/' || folder[n - 1] == '/'))
        return true;
    subject_error(s, "external data in '%.200s': the link leaves the model's folder", location);
    return false;
}

static const Bytes *external_file(Model *m, const Subject *s, const char *location)
{
    Onnx *o = m->own;
    char resolved[PATH_MAX];
    for (External *e = o->external; e; e = e->next)
        if (strcmp(e->location, location) == 0)
            return &e->bytes;
    Bytes bytes;
    if (!external_path_safe(m, s, location, resolved)
        || !file_read(o->arena, s->diag, s->from, resolved, EXTERNAL_BYTES_MAX, &bytes))
        return NULL;
    External *e = ARENA_NEW(o->arena, External);
    *e = (External){ o->external, str_dup(o->arena, location), bytes };
    o->external = e;
    return &e->bytes;
}

static bool external_store(Model *m, const Subject *s, const TensorProto *t, Store *out)
{
    uint64_t offset, length;
    const char *location = external_entry(t, "location");
    if (!location) {
        subject_error(s, "external data without a location");
        return false;
    }
    const Bytes *b = external_file(m, s, location);
    if (!b || !external_number(s, t, "offset", 0, &offset))
        return false;
    if (!external_number(s, t, "length", offset <= b->size ? b->size - offset : 0, &length))
        return false;
    if (offset > b->size || length > b->size - offset) {
        subject_error(s, "external data in '%.200s': expected %llu bytes from byte %llu on, the file has %zu", location,
                      (unsigned long long)length, (unsigned long long)offset, b->size);
        return false;
    }
    *out = (Store){ out->type, b->data + offset, length, NULL, NULL };
    return true;
}

/* ---- where the elements lie ---- */

static bool find_store(Model *m, const Subject *s, const TensorProto *t, Store *out)
{
    int row = type_row(t);
    *out = (Store){ row < LENGTH(TYPES) ? dtype_find(TYPES[row].type) : NULL, NULL, 0, NULL, NULL };
    if (t->segment) {
        subject_error(s, "a tensor in segments is not supported; save the model again with a newer version of onnx");
        return false;
    }
    if (onnx_is_external(t))
        return external_store(m, s, t, out);
    char repeated = row < LENGTH(TYPES) ? TYPES[row].repeated : 'i';
    size_t size = out->type ? out->type->size : 1;
    if (t->has_raw_data)
        *out = (Store){ out->type, t->raw_data.data, t->raw_data.len, NULL, NULL };
    else if (repeated == 'f')
        *out = (Store){ out->type, t->float_data, t->n_float_data * size, NULL, NULL };
    else if (repeated == 'd')
        *out = (Store){ out->type, t->double_data, t->n_double_data * size, NULL, NULL };
    else if (repeated == 'l')
        *out = (Store){ out->type, t->int64_data, t->n_int64_data * size, NULL, NULL };
    else if (repeated == 'u')
        *out = (Store){ out->type, NULL, t->n_uint64_data * size, NULL, t->uint64_data };
    else
        *out = (Store){ out->type, NULL, t->n_int32_data * size, t->int32_data, NULL };
    return true;
}

typedef struct Memory {
    Store store;
    size_t at;
} Memory;

static size_t read_store(void *handle, void *to, size_t n)
{
    Memory *m = handle;
    size_t size = m->store.type->size;
    n = MIN(n, m->store.bytes - m->at);
    if (!m->store.wide && !m->store.wider) {
        if (n > 0)
            memcpy(to, (const uint8_t *)m->store.data + m->at, n);
    } else {
        for (size_t i = 0; i < n / size; i++) { /* the low bytes of each, in the host's order */
            uint64_t v = m->store.wide ? (uint64_t)(int64_t)m->store.wide[m->at / size + i]
                                       : m->store.wider[m->at / size + i];
            for (size_t b = 0; b < size; b++) {
                size_t shift = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? size - 1 - b : b;
                ((uint8_t *)to)[i * size + b] = (uint8_t)(v >> 8 * shift);
            }
        }
    }
    m->at += n;
    return n;
}

/* Raw bytes are little-endian by the standard; repeated fields were unpacked into the host's order. */
static Coding store_coding(const TensorProto *t, Store store)
{
    bool raw = t->has_raw_data || onnx_is_external(t);
    return (Coding){ store.type, !raw && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, false };
}

static bool store_fits(Model *m, const Subject *s, const TensorProto *t, const Store *store, uint64_t count)
{
    uint64_t expected = count * store->type->size;
    if (expected == store->bytes)
        return true;
    subject_error(s, "shape %s takes %llu bytes of data, found %zu",
                  dims_text(m->arena, (int64_t)t->n_dims, t->dims), (unsigned long long)expected, store->bytes);
    return false;
}

/* ---- values ---- */

bool onnx_read_tensor(Model *m, const Subject *s, const TensorProto *t, Tensor *out)
{
    Store store;
    if (!find_store(m, s, t, &store))
        return false;
    if (!store.type || !store.type->floating) {
        subject_error(s, "ONNX data type %d is not supported; expected FLOAT, DOUBLE, FLOAT16 or BFLOAT16",
                      t->data_type);
        return false;
    }
    if (!tensor_shape(s, out, (int64_t)t->n_dims, t->dims, store.type)
        || !store_fits(m, s, t, &store, (uint64_t)out->count))
        return false;
    Memory memory = { store, 0 };
    Source from = { read_store, &memory, store.bytes };
    return tensor_decode(s, m->arena, out, store_coding(t, store), &from);
}

static int64_t whole_number(const DataType *type, const uint8_t *from)
{
    uint64_t v = 0;
    for (size_t b = 0; b < type->size; b++) {
        size_t shift = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? type->size - 1 - b : b;
        v |= (uint64_t)from[b] << 8 * shift;
    }
    if (type->name[0] == 'i' && type->size < 8 && v >> (8 * type->size - 1) & 1)
        v |= UINT64_MAX << 8 * type->size;
    return (int64_t)v;
}

bool onnx_read_elements(Model *m, const Subject *s, const TensorProto *t, int64_t count, float **f, int64_t **i)
{
    Store store;
    if (!find_store(m, s, t, &store))
        return false;
    if (!store.type || (uint64_t)count > TENSOR_BYTES_MAX / sizeof(int64_t)) {
        subject_error(s, !store.type ? "ONNX data type %d is not supported" : "it is too large to compute with",
                      t->data_type);
        return false;
    }
    if (!store_fits(m, s, t, &store, (uint64_t)count))
        return false;
    Memory memory = { store, 0 };
    Source from = { read_store, &memory, store.bytes };
    Coding coding = store_coding(t, store);
    if (store.type->floating) {
        *f = ARENA_ARRAY(m->arena, float, MAX(count, 1));
        return values_decode(s, coding, &from, (size_t)count, *f);
    }
    *i = ARENA_ARRAY(m->arena, int64_t, MAX(count, 1));
    for (int64_t k = 0; k < count; k++) {
        uint8_t bytes[8], little[8];
        read_store(&memory, bytes, store.type->size);
        bool swap = coding.big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
        for (size_t b = 0; b < store.type->size; b++)
            little[b] = bytes[swap ? store.type->size - 1 - b : b];
        (*i)[k] = whole_number(store.type, little);
    }
    return true;
}
