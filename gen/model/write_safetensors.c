/* write_safetensors.c: weights are zeroed where they lie; masks are added behind the data as U8, and
 * only then is the header written anew (metadata and order stay). */
#include "model/writer.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, ALIGNMENT = 8 };

typedef struct File {
    uint8_t *data;
    size_t size, header, data_at; /* header: bytes of JSON */
    json_t *json;
    Buffer added;                 /* masks behind the data */
} File;

static int64_t whole(const json_t *list, size_t i)
{
    return (int64_t)json_integer_value(json_array_get(list, i));
}

/* model_open has checked the ranges. */
static uint8_t *tensor_data(const File *f, const char *name, uint64_t *size)
{
    const json_t *range = json_object_get(json_object_get(f->json, name), "data_offsets");
    *size = (uint64_t)(whole(range, 1) - whole(range, 0));
    REQUIRE(f->data_at + (uint64_t)whole(range, 1) <= f->size);
    return f->data + f->data_at + whole(range, 0);
}

static bool old_mask_fits(const Rewrite *w, const Edit *e, const json_t *entry)
{
    const json_t *dims = json_object_get(entry, "shape");
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    int64_t shape[RANK_MAX] = { 0 };
    for (size_t i = 0; i < MIN(json_array_size(dims), (size_t)RANK_MAX); i++)
        shape[i] = whole(dims, i);
    return mask_replaces(w, e, type && strcmp(type, "U8") == 0, (int64_t)json_array_size(dims), shape);
}

static void append_mask(File *f, const Edit *e)
{
    int64_t begin = (int64_t)(f->size - f->data_at + f->added.length);
    json_t *shape = json_array();
    for (int i = 0; i < e->rank; i++)
        json_array_append_new(shape, json_integer(e->shape[i]));
    json_object_set_new(f->json, e->mask,
                        json_pack("{s:s, s:o, s:[I, I]}", "dtype", "U8", "shape", shape,
                                  "data_offsets", (json_int_t)begin, (json_int_t)(begin + e->count)));
    buffer_add(&f->added, (const char *)e->kept, (size_t)e->count);
}

static bool put_mask(const Rewrite *w, File *f, const Edit *e)
{
    const json_t *old = json_object_get(f->json, e->mask);
    uint64_t size;
    if (!old) {
        append_mask(f, e);
        return true;
    }
    if (!old_mask_fits(w, e, old))
        return false;
    uint8_t *to = tensor_data(f, e->mask, &size);
    REQUIRE(size == (uint64_t)e->count);
    memcpy(to, e->kept, size);
    return true;
}

static bool change(const Rewrite *w, File *f)
{
    bool ok = true;
    for (int i = 0; i < w->n && ok; i++) {
        const Edit *e = &w->edit[i];
        uint64_t size;
        uint8_t *data = tensor_data(f, e->name, &size);
        edit_apply(e, data, (size_t)(size / (uint64_t)e->count), false);
        ok = !w->masks || put_mask(w, f, e);
    }
    return ok;
}

/* Length, header (as it was when no tensor was added, else padded with blanks), data, masks. */
static Bytes assemble(const Rewrite *w, const File *f)
{
    Buffer b;
    buffer_init(&b, w->arena);
    if (f->added.length == 0)
        return (Bytes){ f->data, f->size };
    char *text = json_dumps(f->json, JSON_COMPACT);
    REQUIRE(text);
    size_t n = strlen(text), padded = (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    char length[LENGTH_BYTES];
    for (int i = 0; i < LENGTH_BYTES; i++)
        length[i] = (char)(padded >> 8 * i);
    buffer_add(&b, length, sizeof length);
    buffer_print(&b, "%s%*s", text, (int)(padded - n), "");
    buffer_add(&b, (const char *)f->data + f->data_at, f->size - f->data_at);
    buffer_add(&b, f->added.text, f->added.length);
    free(text);
    return (Bytes){ (const uint8_t *)b.text, b.length };
}

bool write_safetensors(const Rewrite *w, OutFiles *out)
{
    File f = { 0 };
    json_error_t error;
    if (!read_copy(w, w->model->path, &f.data, &f.size))
        return false;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        f.header = f.header << 8 | f.data[i];
    f.data_at = LENGTH_BYTES + f.header;
    REQUIRE(f.data_at <= f.size);
    f.json = json_loadb((const char *)f.data + LENGTH_BYTES, f.header, 0, &error);
    REQUIRE(json_is_object(f.json));
    buffer_init(&f.added, w->arena);
    bool ok = change(w, &f);
    if (ok)
        out_file(w, out, w->to, assemble(w, &f));
    json_decref(f.json);
    return ok;
}
