/* npz.c: NumPy's .npz, a zip archive of .npy members, read through libzip one member at a time.
 *
 * A member is decoded straight into its tensor. What a hostile archive can claim is bounded before
 * anything is allocated: deflate cannot exceed 1032:1, no member may pass TENSOR_BYTES_MAX, and
 * npy_decode compares the size of the member with what its own header declares. */
#include "model/archive.h"

#include <string.h>

typedef struct Npz {
    zip_t *zip;
    zip_uint64_t *member;
} Npz;

static bool npz_probe(const char *path, const uint8_t *head, size_t n)
{
    (void)path;
    return archive_probe(head, n);
}

static bool add_member(Model *m, const Subject *s, Npz *npz, zip_int64_t index)
{
    const char *name = zip_get_name(npz->zip, (zip_uint64_t)index, ZIP_FL_ENC_RAW);
    if (!name || !member_name_is_safe(name)) {
        subject_error(s, "member '%.200s' has a path that leaves the archive: refused",
                      name ? name : "?");
        return false;
    }
    if (!str_ends(name, ".npy"))
        return true; /* somebody's notes beside the arrays */
    npz->member[m->n] = (zip_uint64_t)index;
    return model_add(m, s, str_ndup(m->arena, name, strlen(name) - 4));
}

static bool npz_open(Model *m, const Subject *s)
{
    Npz *npz = m->own = ARENA_NEW(m->arena, Npz);
    npz->zip = archive_open(s, m->path);
    if (!npz->zip)
        return false;
    zip_int64_t n = zip_get_num_entries(npz->zip, 0);
    npz->member = ARENA_ARRAY(m->arena, zip_uint64_t, n);
    for (zip_int64_t i = 0; i < n; i++)
        if (!add_member(m, s, npz, i))
            return false;
    if (m->n == 0)
        subject_error(s, "the zip archive holds no .npy member");
    return m->n > 0;
}

static bool npz_load(Model *m, const Subject *s, int index, Tensor *out)
{
    Npz *npz = m->own;
    Source from;
    if (!member_open(s, npz->zip, npz->member[index], &from))
        return false;
    bool ok = npy_decode(s, m->arena, &from, false, out) && member_ends_well(s, &from);
    member_close(&from);
    return ok;
}

static void npz_close(Model *m)
{
    Npz *npz = m->own;
    if (npz && npz->zip)
        zip_discard(npz->zip);
    m->own = NULL;
}

const Importer importer_npz = { "npz", ".npz", npz_probe, npz_open, npz_load, npz_close, NULL, NULL };
