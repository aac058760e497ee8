/* write_npz.c: the zip archive again. Members that do not change keep their compressed bytes; those
 * that do keep method and time, so the same input gives the same file. */
#include "model/writer.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

static bool zip_failed(const Rewrite *w, zip_t *zip, const char *what)
{
    subject_error(&w->subject, "cannot rewrite member '%s': %s", what, zip_strerror(zip));
    return false;
}

static bool read_member(const Rewrite *w, zip_t *zip, zip_uint64_t index, const zip_stat_t *st,
                        uint8_t **data)
{
    zip_file_t *file = zip_fopen_index(zip, index, 0);
    *data = arena_alloc(w->arena, st->size);
    bool ok = file && zip_fread(file, *data, st->size) == (zip_int64_t)st->size;
    if (file)
        zip_fclose(file);
    return ok || zip_failed(w, zip, st->name);
}

/* Replaces member `like` or (add) makes a new one that has its method and time. */
static bool put_member(const Rewrite *w, zip_t *zip, const char *name, const zip_stat_t *like,
                       bool add, Bytes bytes)
{
    zip_source_t *from = zip_source_buffer(zip, bytes.data, bytes.size, 0);
    zip_int64_t at = (zip_int64_t)like->index;
    if (from && add)
        at = zip_file_add(zip, name, from, ZIP_FL_ENC_GUESS);
    else if (from && zip_file_replace(zip, like->index, from, 0) != 0)
        at = -1;
    if (!from || at < 0) {
        zip_source_free(from);
        return zip_failed(w, zip, name);
    }
    return (zip_set_file_compression(zip, (zip_uint64_t)at, like->comp_method, 0) == 0
            && zip_file_set_mtime(zip, (zip_uint64_t)at, like->mtime, 0) == 0)
        || zip_failed(w, zip, name);
}

static bool put_mask(const Rewrite *w, zip_t *zip, const Edit *e, const zip_stat_t *like)
{
    const char *name = str_format(w->arena, "%s.npy", e->mask);
    zip_stat_t old;
    uint8_t *data;
    if (zip_stat(zip, name, 0, &old) != 0)
        return put_member(w, zip, name, like, true, npy_mask(w->arena, e));
    return read_member(w, zip, old.index, &old, &data)
        && npy_mask_replaces(w, e, data, old.size)
        && put_member(w, zip, name, &old, false, npy_mask(w->arena, e));
}

static bool change_members(const Rewrite *w, zip_t *zip)
{
    for (int i = 0; i < w->n; i++) {
        const char *name = str_format(w->arena, "%s.npy", w->edit[i].name);
        zip_stat_t st;
        uint8_t *data;
        if (zip_stat(zip, name, ZIP_FL_ENC_RAW, &st) != 0)
            return zip_failed(w, zip, name);
        if (!read_member(w, zip, st.index, &st, &data)
            || !npy_apply(w, &w->edit[i], data, st.size)
            || !put_member(w, zip, name, &st, false, (Bytes){ data, st.size })
            || (w->masks && !put_mask(w, zip, &w->edit[i], &st)))
            return false;
    }
    return true;
}

/* What zip_close left in the buffer. */
static bool take_bytes(const Rewrite *w, zip_source_t *source, Bytes *out)
{
    zip_stat_t st;
    bool ok = zip_source_stat(source, &st) == 0 && zip_source_open(source) == 0;
    if (ok) {
        uint8_t *data = arena_alloc(w->arena, st.size);
        ok = zip_source_read(source, data, st.size) == (zip_int64_t)st.size;
        zip_source_close(source);
        *out = (Bytes){ data, st.size };
    }
    if (!ok)
        subject_error(&w->subject, "cannot write the archive: %s",
                      zip_error_strerror(zip_source_error(source)));
    return ok;
}

bool write_npz(const Rewrite *w, OutFiles *out)
{
    uint8_t *data;
    size_t size;
    Bytes bytes = { 0 };
    zip_error_t error;
    if (!read_copy(w, w->model->path, &data, &size))
        return false;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(data, size, 0, &error);
    zip_t *zip = source ? zip_open_from_source(source, 0, &error) : NULL;
    if (!zip) {
        zip_source_free(source);
        subject_error(&w->subject, "cannot open the archive: %s", zip_error_strerror(&error));
        return false;
    }
    zip_source_keep(source);
    bool ok = change_members(w, zip);
    if (ok && zip_close(zip) != 0)
        ok = zip_failed(w, zip, path_name(w->to));
    else if (ok)
        zip = NULL;
    if (zip)
        zip_discard(zip);
    ok = ok && take_bytes(w, source, &bytes);
    zip_source_free(source);
    if (ok)
        out_file(w, out, w->to, bytes);
    return ok;
}
