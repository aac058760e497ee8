/* str.c: strings in an arena, names of files, a growing buffer, and the nearest name for "did you mean". */
#include "base/base.h"

#include <ctype.h>
#include <string.h>

char *str_ndup(Arena *a, const char *s, size_t n)
{
    char *copy = arena_alloc(a, n + 1);
    if (n > 0)
        memcpy(copy, s, n);
    return copy;
}

char *str_dup(Arena *a, const char *s)
{
    return str_ndup(a, s, strlen(s));
}

char *str_vformat(Arena *a, const char *fmt, va_list args)
{
    REQUIRE(fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    REQUIRE(n >= 0);
    char *text = arena_alloc(a, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, args);
    return text;
}

char *str_format(Arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = str_vformat(a, fmt, args);
    va_end(args);
    return text;
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);
    return n >= k && strcmp(s + n - k, suffix) == 0;
}

char *path_beside(Arena *a, const char *base_file, const char *name)
{
    const char *slash = strrchr(base_file, '/');
    if (name[0] == '/' || !slash)
        return str_dup(a, name);
    return str_format(a, "%.*s%s", (int)(slash - base_file + 1), base_file, name);
}

char *path_join(Arena *a, const char *folder, const char *name)
{
    if (folder[0] == '\0')
        return str_dup(a, name);
    return str_format(a, str_ends(folder, "/") ? "%s%s" : "%s/%s", folder, name);
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

enum { NEAREST_MAX = 63 };              /* longer words have no neighbours worth naming */

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment distance (insert, delete, replace, swap of neighbours), letter case
 * ignored. */
static int edit_distance(const char *a, int n, const char *b, int m)
{
    int row[3][NEAREST_MAX + 2];
    for (int j = 0; j <= m; j++)
        row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int replaced = up[j - 1] + !same_letter(a[i - 1], b[j - 1]);
            now[j] = MIN(replaced, MIN(up[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]))
                now[j] = MIN(now[j], up2[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

const char *str_nearest(const char *word, const char *const *candidates, int n)
{
    size_t length = strlen(word);
    if (length == 0 || length > NEAREST_MAX)
        return NULL;
    int best = MAX(1, (int)length / 3) + 1;
    const char *found = NULL;
    for (int i = 0; i < n; i++) {
        size_t other = strlen(candidates[i]);
        if (other > NEAREST_MAX)
            continue;
        int d = edit_distance(word, (int)length, candidates[i], (int)other);
        if (d < best) {
            best = d;
            found = candidates[i];
        }
    }
    return found;
}

void buffer_init(Buffer *b, Arena *a)
{
    enum { FIRST_ROOM = 256 };
    *b = (Buffer){ .arena = a, .text = arena_alloc(a, FIRST_ROOM), .room = FIRST_ROOM };
}

/* Makes room for n more characters and the closing NUL. */
static void buffer_reserve(Buffer *b, size_t n)
{
    size_t wanted = b->length + n + 1;
    if (wanted <= b->room)
        return;
    size_t room = MAX(wanted, b->room * 2);
    b->text = arena_grow(b->arena, b->text, b->room, room);
    b->room = room;
}

void buffer_add(Buffer *b, const char *text, size_t n)
{
    buffer_reserve(b, n);
    if (n > 0)
        memcpy(b->text + b->length, text, n);
    b->length += n;
    b->text[b->length] = '\0';
}

void buffer_print(Buffer *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    size_t left = b->room - b->length;
    int n = vsnprintf(b->text + b->length, left, fmt, args);
    REQUIRE(n >= 0);
    if ((size_t)n >= left) {
        buffer_reserve(b, (size_t)n);
        vsnprintf(b->text + b->length, (size_t)n + 1, fmt, again);
    }
    b->length += (size_t)n;
    va_end(again);
    va_end(args);
}
