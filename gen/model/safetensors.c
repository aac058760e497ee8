/* safetensors.c: Hugging Face's .safetensors.
 *
 * Layout: length of the header (8 bytes, little-endian), the header (JSON: name -> dtype, shape,
 * data_offsets [begin, end) relative to the end of the header), the data, which the tensors cover
 * without holes or overlaps. */
#include "model/importer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LENGTH_BYTES = 8, HEADER_MAX = 100000000 }; /* the limit of the reference implementation */

static const struct {
    const char *name, *type;
} TYPES[] = {
    { "F64", "f8" }, { "F32", "f4" }, { "F16", "f2" },  { "BF16", "bf2" }, { "I64", "i8" },
    { "I32", "i4" }, { "I16", "i2" }, { "I8", "i1" },   { "U64", "u8" },   { "U32", "u4" },
    { "U16", "u2" }, { "U8", "u1" },  { "BOOL", "b1" },
};

typedef struct Entry {
    const DataType *type;               /* NULL: a type that is not decoded here */
    const char *type_name;
    int64_t rank, shape[RANK_MAX];
    uint64_t begin, end;
} Entry;
typedef struct Safetensors {
    FILE *file;
    json_t *header;
    uint64_t data_at, data_size;
    Entry *entry;
} Safetensors;

static bool safetensors_probe(const char *path, const uint8_t *head, size_t n)
{
    (void)path;
    return n > LENGTH_BYTES && head[LENGTH_BYTES] == '{' && head[6] == 0 && head[7] == 0;
}

/* Length, then the JSON text, parsed. */
static bool read_header(const Subject *s, Safetensors *st, uint64_t size)
{
    uint8_t b[LENGTH_BYTES];
    Source from = { source_read_file, st->file, size };
    if (!source_read(s, &from, b, sizeof b, "header length"))
        return false;
    uint64_t length = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | b[i];
    if (length > HEADER_MAX || length > size - LENGTH_BYTES) {
        subject_error(s,
                      "truncated or damaged: the header claims %llu bytes; the file has %llu and "
                      "the limit is %d",
                      (unsigned long long)length, (unsigned long long)size, HEADER_MAX);
        return false;
    }
    char *text = malloc(length + 1);
    json_error_t error = { .text = "not enough memory" };
    if (text && source_read(s, &from, text, length, "header")) {
        st->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
        if (!json_is_object(st->header))
            subject_error(s, "the header is not a JSON object: %s",
                          st->header ? "another value" : error.text);
    }
    free(text);
    st->data_at = LENGTH_BYTES + length;
    st->data_size = size - st->data_at;
    return json_is_object(st->header);
}

/* A whole number from 0 up, or -1. */
static int64_t whole(const json_t *v)
{
    return json_is_integer(v) && json_integer_value(v) >= 0 ? (int64_t)json_integer_value(v) : -1;
}

/* A type that is unknown here may belong to a tensor that nobody asks for: said when it is read. */
static bool parse_type(Arena *a, const Subject *s, const json_t *v, Entry *e)
{
    const char *name = json_is_string(v) ? json_string_value(v) : NULL;
    if (!name) {
        subject_error(s, "damaged header: expected \"dtype\" as the name of a type");
        return false;
    }
    e->type_name = str_ndup(a, name, strnlen(name, 20));
    for (int i = 0; i < LENGTH(TYPES); i++)
        if (strcmp(TYPES[i].name, name) == 0)
            e->type = dtype_find(TYPES[i].type);
    return true;
}

static bool parse_shape(const Subject *s, const json_t *v, Entry *e)
{
    e->rank = (int64_t)json_array_size(v);
    bool ok = json_is_array(v);
    for (int64_t i = 0; ok && i < MIN(e->rank, RANK_MAX); i++) {
        e->shape[i] = whole(json_array_get(v, (size_t)i));
        ok = e->shape[i] >= 0;
    }
    if (!ok)
        subject_error(s, "damaged header: expected \"shape\" as a list of sizes");
    return ok;
}

static bool parse_entry(Arena *a, const Subject *s, const json_t *v, uint64_t data_size, Entry *e)
{
    const json_t *range = json_object_get(v, "data_offsets");
    if (!parse_type(a, s, json_object_get(v, "dtype"), e)
        || !parse_shape(s, json_object_get(v, "shape"), e))
        return false;
    int64_t begin = whole(json_array_get(range, 0)), end = whole(json_array_get(range, 1));
    if (json_array_size(range) != 2 || begin < 0 || end < begin) {
        subject_error(s, "damaged header: expected \"data_offsets\" as [begin, end]");
        return false;
    }
    e->begin = (uint64_t)begin;
    e->end = (uint64_t)end;
    if (e->end > data_size)
        subject_error(s, "truncated: its data ends at byte %llu of the data, found %llu bytes",
                      (unsigned long long)e->end, (unsigned long long)data_size);
    return e->end <= data_size;
}

static int by_begin(const void *a, const void *b)
{
    const Entry *p = *(const Entry *const *)a, *q = *(const Entry *const *)b;
    return p->begin != q->begin ? (p->begin > q->begin) - (p->begin < q->begin)
                                : (p->end > q->end) - (p->end < q->end);
}

/* The format demands that tensors lie one after the other: bytes used twice or never mean a damaged
 * file. */
static bool covers_all(const Model *m, const Subject *s, const Safetensors *st)
{
    const Entry **sorted = ARENA_ARRAY(m->arena, const Entry *, MAX(m->n, 1));
    for (int i = 0; i < m->n; i++)
        sorted[i] = &st->entry[i];
    qsort(sorted, (size_t)m->n, sizeof *sorted, by_begin);
    uint64_t at = 0;
    for (int i = 0; i < m->n; at = sorted[i++]->end)
        if (sorted[i]->begin != at) {
            subject_error(
                s,
                "damaged: tensor '%s' begins at byte %llu of the data, expected %llu (tensors must "
                "neither overlap nor leave holes)",
                m->names[sorted[i] - st->entry], (unsigned long long)sorted[i]->begin,
                (unsigned long long)at);
            return false;
        }
    if (at != st->data_size)
        subject_error(s, "damaged: the header describes %llu bytes of data, found %llu",
                      (unsigned long long)at, (unsigned long long)st->data_size);
    return at == st->data_size;
}

static bool list_tensors(Model *m, const Subject *s, Safetensors *st)
{
    const char *name;
    json_t *value;
    st->entry = ARENA_ARRAY(m->arena, Entry, json_object_size(st->header));
    json_object_foreach(st->header, name, value)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        Subject named = *s;
        named.tensor = name;
        if (!model_add(m, s, str_dup(m->arena, name))
            || !parse_entry(m->arena, &named, value, st->data_size, &st->entry[m->n - 1]))
            return false;
    }
    return covers_all(m, s, st);
}

static bool safetensors_open(Model *m, const Subject *s)
{
    Safetensors *st = m->own = ARENA_NEW(m->arena, Safetensors);
    struct stat info;
    st->file = fopen(m->path, "rb");
    if (!st->file || fstat(fileno(st->file), &info) != 0) {
        subject_error(s, "cannot open: %s", strerror(errno));
        return false;
    }
    bool ok = read_header(s, st, (uint64_t)info.st_size) && list_tensors(m, s, st);
    json_decref(st->header); /* everything needed is in the entries */
    st->header = NULL;
    return ok;
}

static bool safetensors_load(Model *m, const Subject *s, int index, Tensor *out)
{
    Safetensors *st = m->own;
    const Entry *e = &st->entry[index];
    if (!e->type) {
        subject_error(s, "unknown dtype '%s'; expected F16, BF16, F32 or F64", e->type_name);
        return false;
    }
    if (!e->type->floating) {
        subject_error(s, "dtype %s is not floating point; save it as F32", e->type->name);
        return false;
    }
    if (!tensor_shape(s, out, e->rank, e->shape, e->type))
        return false;
    uint64_t expected = (uint64_t)out->count * e->type->size, found = e->end - e->begin;
    if (expected != found) {
        subject_error(s, "shape %s of %s takes %llu bytes, found %llu", shape_text(m->arena, out),
                      e->type->name, (unsigned long long)expected, (unsigned long long)found);
        return false;
    }
    if (fseeko(st->file, (off_t)(st->data_at + e->begin), SEEK_SET) != 0) {
        subject_error(s, "cannot seek: %s", strerror(errno));
        return false;
    }
    Source from = { source_read_file, st->file, found };
    return tensor_decode(s, m->arena, out, (Coding){ e->type, false, false }, &from);
}

static void safetensors_close(Model *m)
{
    Safetensors *st = m->own;
    if (st && st->file)
        fclose(st->file);
    m->own = NULL;
}

const Importer importer_safetensors = { "safetensors",
                                        ".safetensors",
                                        safetensors_probe,
                                        safetensors_open,
                                        safetensors_load,
                                        safetensors_close,
                                        NULL,
                                        NULL };
