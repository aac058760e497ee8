/* archive.c: zip archives through libzip, one member at a time.
 *
 * What a hostile archive can claim is bounded before anything is allocated: deflate cannot exceed 1032:1, and no member
 * may pass TENSOR_BYTES_MAX. */
#include "model/archive.h"

#include <stdlib.h>
#include <string.h>

/* Deflate's own bound, and what is suspicious in a large member: weights that are all zero compress
 * 1000:1, but nobody ships 64 MiB of them. */
enum { DEFLATE_RATIO_MAX = 1032, BOMB_RATIO = 500, BOMB_BYTES = 64 << 20 };

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
                      "truncated or damaged zip archive: expected a zip directory at the end of its %ld "
                      "bytes, found none that fits (%s)",
                      size, zip_error_strerror(&error));
    else
        subject_error(s, "cannot read the zip archive: %s", zip_error_strerror(&error));
    zip_error_fini(&error);
}

/* A member must stay inside the archive, should anybody ever unpack it. */
bool member_name_is_safe(const char *name)
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
bool member_ends_well(const Subject *s, const Source *member)
{
    zip_file_t *file = member->handle;
    uint8_t byte;
    zip_int64_t got = zip_fread(file, &byte, 1);
    if (got == 0)
        return true;
    subject_error(s, "damaged: %s",
                  got < 0 ? zip_error_strerror(zip_file_get_error(file))
                          : "the member goes on after its declared size");
    return false;
}

bool archive_probe(const uint8_t *head, size_t n)
{
    return n >= 4 && (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0);
}

zip_t *archive_open(const Subject *s, const char *path)
{
    int code = 0;
    zip_t *zip = zip_open(path, ZIP_RDONLY, &code);
    if (!zip)
        open_error(s, code);
    return zip;
}

bool archive_has(const char *path, const char *member)
{
    zip_t *zip = zip_open(path, ZIP_RDONLY, NULL);
    bool found = zip && zip_name_locate(zip, member, ZIP_FL_NODIR) >= 0;
    if (zip)
        zip_discard(zip);
    return found;
}

bool member_open(const Subject *s, zip_t *zip, zip_uint64_t index, Source *out)
{
    zip_stat_t st;
    bool known = zip_stat_index(zip, index, 0, &st) == 0;
    if (known && !member_is_sane(s, &st))
        return false;
    zip_file_t *file = known ? zip_fopen_index(zip, index, 0) : NULL;
    if (!file) {
        subject_error(s, "damaged member: %s", zip_strerror(zip));
        return false;
    }
    *out = (Source){ read_member, file, st.size };
    return true;
}

void member_close(Source *member)
{
    zip_fclose(member->handle);
}

uint8_t *member_read(const Subject *s, zip_t *zip, zip_uint64_t index, size_t most, size_t *size)
{
    Source from;
    if (!member_open(s, zip, index, &from))
        return NULL;
    uint8_t *data = from.size <= most ? malloc(from.size + 1) : NULL;
    if (!data)
        subject_error(s, "a member of %llu bytes, at most %zu are read", (unsigned long long)from.size, most);
    if (data && source_read(s, &from, data, from.size, "a member") && member_ends_well(s, &from)) {
        data[from.size] = 0;
        *size = from.size;
    } else {
        free(data);
        data = NULL;
    }
    member_close(&from);
    return data;
}
