/* npy.c: NumPy's .npy (format versions 1 to 3), alone or as a folder of them.
 *
 * Layout: "\x93NUMPY", major, minor, length of the header (2 bytes little-endian; 4 from version 2
 * on), the header (a Python dictionary of descr, fortran_order and shape, padded with blanks), the
 * data. */
#include "model/importer.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PREFIX_MAX = 12, HEADER_MAX = 1 << 20 };

/* ---- the header's dictionary ---- */

typedef struct Cursor {
    const Subject *subject;
    Arena *arena;
    const char *p, *end;
} Cursor;

static bool header_error(const Cursor *c, const char *expected)
{
    subject_error(c->subject, "damaged .npy header: expected %s at '%.*s'", expected,
                  (int)MIN(20, c->end - c->p), c->p);
    return false;
}

static void skip_blanks(Cursor *c)
{
    while (c->p < c->end && isspace((unsigned char)*c->p))
        c->p++;
}

static bool accept(Cursor *c, const char *token)
{
    skip_blanks(c);
    size_t n = strlen(token);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, token, n) != 0)
        return false;
    c->p += n;
    return true;
}

static char *parse_string(Cursor *c)
{
    skip_blanks(c);
    char quote = c->p < c->end ? *c->p : 0;
    const char *close =
        quote == '\'' || quote == '"' ? memchr(c->p + 1, quote, (size_t)(c->end - c->p - 1)) : NULL;
    if (!close)
        return NULL;
    char *text = str_ndup(c->arena, c->p + 1, (size_t)(close - c->p - 1));
    c->p = close + 1;
    return text;
}

static bool parse_size(Cursor *c, int64_t *out)
{
    skip_blanks(c);
    char digits[24];
    size_t n = 0;
    if (c->p < c->end && *c->p == '-')
        digits[n++] = *c->p++;
    while (c->p < c->end && isdigit((unsigned char)*c->p) && n < sizeof digits - 1)
        digits[n++] = *c->p++;
    digits[n] = '\0';
    errno = 0;
    char *end;
    *out = strtoll(digits, &end, 10);
    if (n == 0 || *end || end == digits || errno)
        return header_error(c, "a size that fits 63 bits");
    accept(c, "L"); /* written by Python 2 */
    return true;
}

static bool parse_shape(Cursor *c, NpyHeader *h)
{
    if (!accept(c, "("))
        return header_error(c, "a tuple");
    for (h->rank = 0; !accept(c, ")"); h->rank++) {
        int64_t size;
        if (!parse_size(c, &size))
            return false;
        if (h->rank < RANK_MAX)
            h->shape[h->rank] = size;
        if (!accept(c, ",") && (c->p >= c->end || *c->p != ')'))
            return header_error(c, "',' or ')'");
    }
    return true;
}

/* '<f4' and the like: byte order, kind, bytes. What is not a number is refused in words. */
static bool parse_type(Cursor *c, NpyHeader *h)
{
    skip_blanks(c);
    if (c->p < c->end && *c->p == '[') {
        subject_error(c->subject,
                      "a structured dtype is not supported; save each field as its own array");
        return false;
    }
    const char *type = parse_string(c);
    if (!type)
        return header_error(c, "a dtype in quotes");
    if (strchr(type, 'O')) {
        subject_error(
            c->subject,
            "dtype '%.20s' holds Python objects (pickle), which can run programs: refused; "
            "save plain float32 arrays",
            type);
        return false;
    }
    bool order = type[0] && strchr("<>=|", type[0]);
    h->coding.big_endian =
        type[0] == '>' || (type[0] == '=' && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    h->coding.type = dtype_find(type + order);
    if (!h->coding.type || strcmp(h->coding.type->name, "bf2") == 0) {
        subject_error(
            c->subject,
            "unknown dtype '%.20s'; expected f2, f4, f8 (or an integer type for arrays of "
            "verify)",
            type);
        return false;
    }
    return true;
}

static bool parse_entry(Cursor *c, NpyHeader *h, unsigned *seen)
{
    static const char *const KEYS[] = { "descr", "fortran_order", "shape" };
    const char *key = parse_string(c);
    int k = 0;
    while (key && k < LENGTH(KEYS) && strcmp(key, KEYS[k]) != 0)
        k++;
    if (!key || k == LENGTH(KEYS) || *seen & 1u << k)
        return header_error(c, "one each of 'descr', 'fortran_order' and 'shape'");
    *seen |= 1u << k;
    if (!accept(c, ":"))
        return header_error(c, "':'");
    if (k == 0)
        return parse_type(c, h);
    if (k == 2)
        return parse_shape(c, h);
    h->coding.fortran = accept(c, "True");
    return h->coding.fortran || accept(c, "False") || header_error(c, "True or False");
}

static bool parse_dictionary(Cursor *c, NpyHeader *h)
{
    unsigned seen = 0;
    if (!accept(c, "{"))
        return header_error(c, "'{'");
    while (!accept(c, "}")) {
        if (!parse_entry(c, h, &seen))
            return false;
        if (!accept(c, ",") && (c->p >= c->end || *c->p != '}'))
            return header_error(c, "',' or '}'");
    }
    skip_blanks(c);
    if (seen != 7)
        return header_error(c, "all of 'descr', 'fortran_order' and 'shape' before the end");
    return c->p == c->end || header_error(c, "nothing after '}'");
}

/* ---- the stream ---- */

/* Magic, version and length; *length is what the header claims, bounded by what the stream
 * holds. */
static bool read_prefix(const Subject *s, const Source *from, size_t *length, uint64_t *at)
{
    uint8_t b[PREFIX_MAX];
    if (!source_read(s, from, b, 8, ".npy prefix"))
        return false;
    if (memcmp(b, "\x93NUMPY", 6) != 0) {
        subject_error(s, "not a .npy array: the magic bytes are missing");
        return false;
    }
    if (b[6] < 1 || b[6] > 3) {
        subject_error(s, "unknown .npy version %d.%d; expected 1.0, 2.0 or 3.0", b[6], b[7]);
        return false;
    }
    size_t width = b[6] == 1 ? 2 : 4;
    if (!source_read(s, from, b + 8, width, ".npy header length"))
        return false;
    *length = b[8] | (size_t)b[9] << 8;
    if (width == 4)
        *length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    *at = 8 + width + *length;
    if (*at > from->size || *length > HEADER_MAX) {
        subject_error(s, "the .npy header claims %zu bytes; the file has %llu and the limit is %d",
                      *length, (unsigned long long)from->size, HEADER_MAX);
        return false;
    }
    return true;
}

bool npy_header(const Subject *s, Arena *a, const Source *from, NpyHeader *h)
{
    size_t length;
    if (!read_prefix(s, from, &length, &h->data_at))
        return false;
    char *text = arena_alloc(a, length);
    Cursor c = { s, a, text, text + length };
    return source_read(s, from, text, length, ".npy header") && parse_dictionary(&c, h);
}

bool npy_decode(const Subject *s, Arena *a, const Source *from, bool integers, Tensor *out)
{
    NpyHeader h = { 0 };
    if (!npy_header(s, a, from, &h) || !tensor_shape(s, out, h.rank, h.shape, h.coding.type))
        return false;
    if (!h.coding.type->floating && !integers) {
        subject_error(s, "dtype %s is not floating point; save it as float32", h.coding.type->name);
        return false;
    }
    uint64_t expected = (uint64_t)out->count * h.coding.type->size, found = from->size - h.data_at;
    if (expected != found) {
        subject_error(s, "%s: shape %s of %s takes %llu bytes of data, found %llu",
                      found < expected ? "truncated" : "more data than declared",
                      shape_text(a, out), h.coding.type->name, (unsigned long long)expected,
                      (unsigned long long)found);
        return false;
    }
    return tensor_decode(s, a, out, h.coding, from);
}

static bool npy_file(const Subject *s, Arena *a, const char *path, bool integers, Tensor *out)
{
    struct stat st;
    errno = 0;
    FILE *file = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    if (!file) {
        subject_error(s, "cannot open: %s", errno ? strerror(errno) : "not a regular file");
        return false;
    }
    Source from = { source_read_file, file, (uint64_t)st.st_size };
    bool ok = npy_decode(s, a, &from, integers, out);
    fclose(file);
    return ok;
}

Tensor *array_load(Arena *a, Diag *d, Place from, const char *path)
{
    Subject s = { d, from, path, NULL };
    Tensor *t = ARENA_NEW(a, Tensor);
    t->name = str_dup(a, path);
    return npy_file(&s, a, path, true, t) ? t : NULL;
}

/* ---- as model files ---- */

static bool npy_probe(const char *path, const uint8_t *head, size_t n)
{
    (void)path;
    return n >= 6 && memcmp(head, "\x93NUMPY", 6) == 0;
}

/* "weights/W.npy" holds one tensor, "W". */
static bool npy_open(Model *m, const Subject *s)
{
    const char *name = path_name(m->path);
    size_t n = strlen(name) - (str_ends(name, ".npy") ? 4 : 0);
    return model_add(m, s, str_ndup(m->arena, name, n));
}

static bool npy_load(Model *m, const Subject *s, int index, Tensor *out)
{
    (void)index;
    return npy_file(s, m->arena, m->path, false, out);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool folder_open_model(Model *m, const Subject *s)
{
    DIR *dir = opendir(m->path);
    if (!dir) {
        subject_error(s, "cannot open the folder: %s", strerror(errno));
        return false;
    }
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(dir)) != NULL;)
        if (str_ends(e->d_name, ".npy") && e->d_name[0] != '.')
            ok = model_add(m, s, str_ndup(m->arena, e->d_name, strlen(e->d_name) - 4));
    closedir(dir);
    const char *other = m->n == 0 ? foreign_folder(m->arena, m->path) : NULL;
    if (ok && m->n == 0)
        subject_error(s, "%s", other ? other : "the folder holds no .npy file");
    if (m->n > 0)
        qsort(m->names, (size_t)m->n, sizeof *m->names, by_name);
    return ok && m->n > 0;
}

static bool folder_load(Model *m, const Subject *s, int index, Tensor *out)
{
    char *path = path_join(m->arena, m->path, str_format(m->arena, "%s.npy", m->names[index]));
    return npy_file(s, m->arena, path, false, out);
}

static bool probe_nothing(const char *path, const uint8_t *head, size_t n)
{
    (void)path;
    (void)head, (void)n;
    return false; /* a folder is not told by its first bytes */
}

static void close_nothing(Model *m)
{
    (void)m;
}

const Importer importer_npy = { "npy", ".npy", npy_probe, npy_open, npy_load, close_nothing, NULL, NULL };
const Importer importer_folder = {
    "folder of .npy", "/", probe_nothing, folder_open_model, folder_load, close_nothing, NULL, NULL
};
