/* npz.c: NumPy's .npz, a zip archive of .npy members, read through libzip one member at a time.
 *
 * A member is decoded straight into its tensor. What a hostile archive can claim is bounded before
 * anything is allocated: deflate cannot exceed 1032:1, no member may pass TENSOR_BYTES_MAX, and
 * npy_decode compares the size of the member with what its own header declares. */
#include "model/importer.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

/* Deflate's own bound, and what is suspicious in a large member: weights that are all zero compress
 * 1000:1, but nobody ships 64 MiB of them. */
enum { DEFLATE_RATIO_MAX = 1032, BOMB_RATIO = 500, BOMB_BYTES = 64 << 20 };

typedef struct Npz {
    zip_t *zip;
    zip_uint64_t *member;
} Npz;

static bool npz_probe(const uint8_t *head, size_t n)
{
    return n >= 4 && (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0);
}

static void open_error(const Subject *s, int code)
{
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    FILE *file = fopen(s->file, "rb");
    long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (file)
        fclose(file);
    if (code == ZIP_ER_NOZIP || code == ZIP_ER_INCONS)
        subject_error(s,
                      "truncated or damaged .npz: expected a zip directory at the end of its %ld "
                      "bytes, found none that fits (%s)",
                      size, zip_error_strerror(&error));
    else
        subject_error(s, "cannot read the .npz: %s", zip_error_strerror(&error));
    zip_error_fini(&error);
}

/* A member must stay inside the archive, should anybody ever unpack it. */
static bool name_is_safe(const char *name)
{
    if (name[0] == '/' || name[0] == '\\'
        || (name[0] && name[1] == ':' && (name[2] == '/' || name[2] == '\\')))
        return false;
    for (const char *p = name;; p++) {
        if (strncmp(p, "..", 2) == 0 && (p[2] == '\0' || p[2] == '/' || p[2] == '\\'))
            return false;
        p = strpbrk(p, "/\\");
        if (!p)
            return true;
    }
}

static bool add_member(Model *m, const Subject *s, Npz *npz, zip_int64_t index)
{
    const char *name = zip_get_name(npz->zip, (zip_uint64_t)index, ZIP_FL_ENC_RAW);
    if (!name || !name_is_safe(name)) {
        subject_error(s, "member '%.200s' has a path that leaves the archive: refused",
                      name ? name : "?");
        return false;
    }
    if (!str_ends(name, ".npy"))
        return true; /* somebody's notes beside the arrays */
    npz->member[m->n] = (zip_uint64_t)index;
    return model_add(m, s, str_ndup(m->arena, name, strlen(name) - 4));
}

/* Other formats are zip archives too. */
static void no_arrays(const Model *m, const Subject *s, zip_t *zip, zip_int64_t n)
{
    const char **names = ARENA_ARRAY(m->arena, const char *, n + 1);
    for (zip_int64_t i = 0; i < n; i++)
        names[i] = zip_get_name(zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
    const char *other = foreign_zip(names, (int)n);
    subject_error(s, "%s", other ? other : "the zip archive holds no .npy member");
}

static bool npz_open(Model *m, const Subject *s)
{
    int code = 0;
    Npz *npz = m->own = ARENA_NEW(m->arena, Npz);
    npz->zip = zip_open(m->path, ZIP_RDONLY, &code);
    if (!npz->zip) {
        open_error(s, code);
        return false;
    }
    zip_int64_t n = zip_get_num_entries(npz->zip, 0);
    npz->member = ARENA_ARRAY(m->arena, zip_uint64_t, n);
    for (zip_int64_t i = 0; i < n; i++)
        if (!add_member(m, s, npz, i))
            return false;
    if (m->n == 0)
        no_arrays(m, s, npz->zip, n);
    return m->n > 0;
}

static bool member_is_sane(const Subject *s, const zip_stat_t *st)
{
    if (st->encryption_method != ZIP_EM_NONE) {
        subject_error(s, "the member is encrypted; save it without a password");
        return false;
    }
    if (st->comp_method != ZIP_CM_STORE && st->comp_method != ZIP_CM_DEFLATE) {
        subject_error(s, "compression method %d is not supported; expected stored or deflated",
                      st->comp_method);
        return false;
    }
    uint64_t packed = st->comp_size + 64;
    bool bomb = st->size > BOMB_BYTES && st->size / packed > BOMB_RATIO;
    if (st->size > TENSOR_BYTES_MAX || st->size / packed > DEFLATE_RATIO_MAX || bomb) {
        subject_error(s,
                      "the member claims %llu bytes from %llu compressed ones: refused as a zip "
                      "bomb (limits: 1 GiB; %d:1 beyond %d MiB)",
                      (unsigned long long)st->size, (unsigned long long)st->comp_size, BOMB_RATIO,
                      BOMB_BYTES >> 20);
        return false;
    }
    return true;
}

static size_t read_member(void *handle, void *to, size_t n)
{
    size_t done = 0;
    while (done < n) {
        zip_int64_t got = zip_fread(handle, (uint8_t *)to + done, n - done);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

/* libzip compares size and CRC at the end of the data: only a read beyond the last byte sees the
 * verdict. */
static bool member_ends_well(const Subject *s, zip_file_t *file)
{
    uint8_t byte;
    zip_int64_t got = zip_fread(file, &byte, 1);
    if (got == 0)
        return true;
    subject_error(s, "damaged: %s",
                  got < 0 ? zip_error_strerror(zip_file_get_error(file))
                          : "the member goes on after its declared size");
    return false;
}

static bool npz_load(Model *m, const Subject *s, int index, Tensor *out)
{
    Npz *npz = m->own;
    zip_stat_t st;
    if (zip_stat_index(npz->zip, npz->member[index], 0, &st) != 0 || !member_is_sane(s, &st))
        return false;
    zip_file_t *file = zip_fopen_index(npz->zip, npz->member[index], 0);
    if (!file) {
        subject_error(s, "damaged member: %s", zip_strerror(npz->zip));
        return false;
    }
    Source from = { read_member, file, st.size };
    bool ok = npy_decode(s, m->arena, &from, false, out) && member_ends_well(s, file);
    zip_fclose(file);
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
