/* write_npy.c: .npy files again, alone or in a folder: masks lie beside them. */
#include "model/writer.h"

#include <string.h>

typedef struct Memory {
    const uint8_t *data;
    size_t left;
} Memory;

static size_t read_memory(void *handle, void *to, size_t n)
{
    Memory *m = handle;
    n = MIN(n, m->left);
    memcpy(to, m->data, n);
    m->data += n;
    m->left -= n;
    return n;
}

static bool header_of(const Rewrite *w, const char *tensor, const uint8_t *file, size_t size,
                      NpyHeader *out)
{
    Subject s = w->subject;
    s.tensor = tensor;
    Memory memory = { file, size };
    Source from = { read_memory, &memory, size };
    return npy_header(&s, w->arena, &from, out);
}

bool npy_apply(const Rewrite *w, const Edit *e, uint8_t *file, size_t size)
{
    NpyHeader h = { 0 };
    if (!header_of(w, e->name, file, size, &h))
        return false;
    REQUIRE(size - h.data_at == (uint64_t)e->count * h.coding.type->size);
    edit_apply(e, file + h.data_at, h.coding.type->size, h.coding.fortran);
    return true;
}

bool npy_mask_replaces(const Rewrite *w, const Edit *e, const uint8_t *file, size_t size)
{
    NpyHeader h = { 0 };
    return header_of(w, e->mask, file, size, &h)
        && mask_replaces(w, e, strcmp(h.coding.type->name, "u1") == 0, h.rank, h.shape);
}

/* Version 1.0; the data begins at a multiple of 64, as numpy writes it. */
Bytes npy_mask(Arena *a, const Edit *e)
{
    Buffer b;
    buffer_init(&b, a);
    buffer_print(&b, "{'descr': '|u1', 'fortran_order': False, 'shape': %s, }",
                 dims_text(a, e->rank, e->shape));
    while ((10 + b.length + 1) % 64 != 0)
        buffer_add(&b, " ", 1);
    buffer_add(&b, "\n", 1);
    size_t size = 10 + b.length + (size_t)e->count;
    uint8_t *file = arena_alloc(a, size);
    memcpy(file, "\x93NUMPY\1\0", 8);
    file[8] = (uint8_t)b.length;
    file[9] = (uint8_t)(b.length >> 8);
    memcpy(file + 10, b.text, b.length);
    memcpy(file + 10 + b.length, e->kept, (size_t)e->count);
    return (Bytes){ file, size };
}

/* One array: copied, or with weights removed. */
static bool add_array(const Rewrite *w, OutFiles *out, const char *tensor, const char *from,
                      const char *to)
{
    const Edit *e = edit_of(w, tensor);
    uint8_t *data;
    size_t size;
    if (!e && w->in_place)
        return true; /* it is there already */
    if (!read_copy(w, from, &data, &size) || (e && !npy_apply(w, e, data, size)))
        return false;
    out_file(w, out, to, (Bytes){ data, size });
    return true;
}

static bool add_mask(const Rewrite *w, OutFiles *out, const Edit *e, const char *to)
{
    uint8_t *data;
    size_t size;
    if (file_exists(to)
        && (!read_copy(w, to, &data, &size) || !npy_mask_replaces(w, e, data, size)))
        return false;
    out_file(w, out, to, npy_mask(w->arena, e));
    return true;
}

bool write_npy(const Rewrite *w, OutFiles *out)
{
    const char *stem = str_ndup(w->arena, w->to, strlen(w->to) - (str_ends(w->to, ".npy") ? 4 : 0));
    if (!add_array(w, out, w->model->names[0], w->model->path, w->to))
        return false;
    return !w->masks || w->n == 0
        || add_mask(w, out, &w->edit[0], str_format(w->arena, "%s_mask.npy", stem));
}

static const char *member(const Rewrite *w, const char *folder, const char *tensor)
{
    return path_join(w->arena, folder, str_format(w->arena, "%s.npy", tensor));
}

/* Is this tensor of the input a mask that is about to be made anew? */
static const Edit *old_mask(const Rewrite *w, const char *tensor)
{
    for (int i = 0; w->masks && i < w->n; i++)
        if (strcmp(w->edit[i].mask, tensor) == 0)
            return &w->edit[i];
    return NULL;
}

bool write_folder(const Rewrite *w, OutFiles *out)
{
    bool ok = true;
    for (int i = 0; ok && i < w->model->n; i++) {
        const char *name = w->model->names[i];
        const char *from = member(w, w->model->path, name);
        const Edit *e = old_mask(w, name);
        uint8_t *data;
        size_t size;
        if (e)
            ok = read_copy(w, from, &data, &size) && npy_mask_replaces(w, e, data, size);
        else
            ok = add_array(w, out, name, from, member(w, w->to, name));
    }
    for (int i = 0; ok && w->masks && i < w->n; i++)
        ok = add_mask(w, out, &w->edit[i], member(w, w->to, w->edit[i].mask));
    return ok;
}
