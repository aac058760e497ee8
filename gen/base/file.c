/* file.c: reading whole files, paths, the program's own data, SHA-256. */
#include "base/base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAP_FROM = 64 * 1024 };          /* smaller files are copied: a mapping costs more */

typedef struct Mapping { void *at; size_t size; } Mapping;

static void unmap(void *object)
{
    const Mapping *m = object;
    munmap(m->at, m->size);
}

static bool map(Arena *a, int fd, size_t size, Bytes *out)
{
    void *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return false;
    Mapping *m = ARENA_NEW(a, Mapping);
    *m = (Mapping){ at, size };
    arena_on_free(a, unmap, m);
    *out = (Bytes){ at, size };
    return true;
}

/* Reads to the end, or one byte past the limit. False: errno says why. */
static bool read_all(Arena *a, int fd, size_t hint, size_t limit, Bytes *out)
{
    size_t room = MAX(hint, (size_t)4096) + 1, size = 0;
    uint8_t *data = arena_alloc(a, room);
    for (;;) {
        if (size == room) {
            data = arena_grow(a, data, room, 2 * room);
            room *= 2;
        }
        ssize_t n = read(fd, data + size, room - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        size += (size_t)n;
        if (n == 0 || size > limit)
            break;
    }
    *out = (Bytes){ data, size };
    return true;
}

static bool too_large(Diag *d, Place from, const char *path, size_t limit)
{
    const char *unit = limit >= 1024 * 1024 ? "MB" : "bytes";
    size_t shown = limit >= 1024 * 1024 ? limit / (1024 * 1024) : limit;
    diag_error(d, from, "%s is too large: at most %zu %s are accepted here", path, shown, unit);
    return false;
}

static bool read_open(Arena *a, Diag *d, Place from, const char *path, int fd, size_t limit,
                      Bytes *out)
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        diag_error(d, from, "cannot read %s: %s", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        diag_error(d, from, "%s is a folder, a file is needed here", path);
        return false;
    }
    bool regular = S_ISREG(st.st_mode);
    size_t size = regular ? (size_t)st.st_size : 0;
    if (size > limit)
        return too_large(d, from, path, limit);
    if (regular && size >= MAP_FROM && map(a, fd, size, out))
        return true;
    if (!read_all(a, fd, size, limit, out)) {
        diag_error(d, from, "cannot read %s: %s", path, strerror(errno));
        return false;
    }
    return out->size > limit ? too_large(d, from, path, limit) : true;
}

bool file_read(Arena *a, Diag *d, Place from, const char *path, size_t limit, Bytes *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        diag_error(d, from, "cannot open %s: %s", path, strerror(errno));
        return false;
    }
    bool ok = read_open(a, d, from, path, fd, limit, out);
    close(fd);
    return ok;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_name(const struct dirent *e)
{
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

const char **folder_names(Arena *a, const char *folder, int *n)
{
    struct dirent **entry = NULL;
    int found = scandir(folder, &entry, is_name, by_name);
    *n = MAX(found, 0);
    const char **names = ARENA_ARRAY(a, const char *, MAX(*n, 1));
    for (int i = 0; i < *n; i++) {
        names[i] = str_dup(a, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    return names;
}

static bool holds_data(Arena *a, const char *folder)
{
    return file_is_folder(path_join(a, folder, "templates/lib"));
}

/* `tail` below the folder of the running program, links and ".." resolved; NULL when it is not
 * there. */
static const char *beside_program(Arena *a, const char *tail)
{
    char program[PATH_MAX], resolved[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0)
        return NULL;
    program[n] = '\0';
    return realpath(path_beside(a, program, tail), resolved) ? str_dup(a, resolved) : NULL;
}

const char *data_folder(Arena *a, Diag *d)
{
    static const char *const tails[] = { "..", "../share/lstmgen" };
    const char *given = getenv("LSTMGEN_DATA");
    if (given && given[0]) {
        if (holds_data(a, given))
            return str_dup(a, given);
        diag_error(d, (Place){ 0 },
                   "LSTMGEN_DATA is %s, but there is no folder templates/lib in it", given);
        return NULL;
    }
    for (int i = 0; i < LENGTH(tails); i++) {
        const char *folder = beside_program(a, tails[i]);
        if (folder && holds_data(a, folder))
            return folder;
    }
    diag_error(d, (Place){ 0 },
               "the templates were found neither beside the program nor in ../share/lstmgen of it: "
               "install lstmgen again, or set LSTMGEN_DATA to the folder that holds templates/");
    return NULL;
}

void sha256_hex(const void *data, size_t n, char out[65])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    REQUIRE(EVP_Digest(data, n, hash, &length, EVP_sha256(), NULL) && length == 32);
    for (int i = 0; i < 32; i++)
        sprintf(out + 2 * i, "%02x", hash[i]);
}
