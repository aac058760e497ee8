/* template.c: fills `${NAME}` holes and whole-line sections of template files.
 *
 *   //%% if name      kept when the value of `name` is neither "0" nor ""
 *   //%% each name    repeated; inside, ${NAME} is 0 .. value-1
 *   //%% end
 *   //%% include name the file <value of `name`> beside the template, with the template's own ending
 * Sections nest. In files with other comments the mark may start with # or -- instead of //. */
#include "emit/emit.h"

#include <ctype.h>
#include <string.h>

enum { TEMPLATE_LIMIT = 1 << 20 };

void hole_text(Holes *h, const char *name, const char *value)
{
    REQUIRE(h->n < LENGTH(h->hole));
    h->hole[h->n++] = (Hole){name, value};
}

void hole_int(Holes *h, const char *name, int64_t value)
{
    hole_text(h, name, str_format(h->arena, "%lld", (long long)value));
}

static const char *value_of(const Holes *h, const char *name, size_t n)
{
    for (int k = h->n - 1; k >= 0; k--)
        if (strlen(h->hole[k].name) == n && !strncasecmp(h->hole[k].name, name, n))
            return h->hole[k].value;
    return NULL;
}

/* A line with the file and number it came from. */
typedef struct Line { const char *text, *path; int number; } Line;
typedef struct Template { Line *line; int n, room; Buffer *out; } Template;

/* The word after `//%%`, or NULL; *rest: what follows it. */
static const char *mark_of(const char *line, const char **rest)
{
    while (*line == ' ')
        line++;
    while (*line == '/' || *line == '#' || *line == '-')
        line++;
    if (strncmp(line, "%% ", 3))
        return NULL;
    *rest = strchr(line + 3, ' ') ? strchr(line + 3, ' ') + 1 : "";
    return line + 3;
}

static void fill_line(const Template *t, const Holes *h, int at)
{
    const char *p = t->line[at].text, *hole;
    while ((hole = strstr(p, "${")) != NULL) {
        const char *end = strchr(hole, '}');
        const char *value = end ? value_of(h, hole + 2, (size_t)(end - hole - 2)) : NULL;
        if (!value)
            FAULT("%s:%d: no value for %.30s", t->line[at].path, t->line[at].number, hole);
        buffer_add(t->out, p, (size_t)(hole - p));
        buffer_add(t->out, value, strlen(value));
        p = end + 1;
    }
    buffer_add(t->out, p, strlen(p));
    buffer_add(t->out, "\n", 1);
}

static int section_end(const Template *t, int at)
{
    int depth = 1;
    const char *rest;
    for (int k = at + 1; k < t->n; k++) {
        const char *mark = mark_of(t->line[k].text, &rest);
        if (!mark)
            continue;
        depth += strncmp(mark, "end", 3) ? 1 : -1;
        if (depth == 0)
            return k;
    }
    FAULT("%s:%d: section without end", t->line[at].path, t->line[at].number);
}

static void fill_lines(const Template *t, Holes *h, int from, int to);

static void fill_section(const Template *t, Holes *h, const char *mark, const char *name, int at, int end)
{
    const char *value = value_of(h, name, strlen(name));
    if (!value)
        FAULT("%s:%d: no value for section %s", t->line[at].path, t->line[at].number, name);
    if (!strncmp(mark, "if ", 3)) {
        if (*value && strcmp(value, "0"))
            fill_lines(t, h, at + 1, end);
        return;
    }
    int count = atoi(value), before = h->n;
    for (int k = 0; k < count; k++) {
        hole_int(h, name, k);
        fill_lines(t, h, at + 1, end);
        h->n = before;
    }
}

static void fill_lines(const Template *t, Holes *h, int from, int to)
{
    for (int at = from; at < to; at++) {
        const char *name, *mark = mark_of(t->line[at].text, &name);
        if (!mark) {
            fill_line(t, h, at);
            continue;
        }
        int end = section_end(t, at);
        fill_section(t, h, mark, name, at, end);
        at = end;
    }
}

static bool read_data(Arena *a, Diag *diag, const char *path, Bytes *out)
{
    const char *root = data_folder(a, diag);
    return root && file_read(a, diag, (Place){0}, path_join(a, root, path), TEMPLATE_LIMIT, out);
}

static void add_line(Arena *a, Template *t, Line line)
{
    if (t->n == t->room) {
        t->room = MAX(2 * t->room, 256);
        Line *more = ARENA_ARRAY(a, Line, t->room);
        for (int k = 0; k < t->n; k++)
            more[k] = t->line[k];
        t->line = more;
    }
    t->line[t->n++] = line;
}

static bool add_file(Template *t, const Holes *h, Diag *diag, const char *path);

/* The file that an include names: <value of `name`>, beside `line` and with the ending of its file. */
static bool add_included(Template *t, const Holes *h, Diag *diag, const Line *line, const char *name)
{
    Arena *a = h->arena;
    const char *value = value_of(h, name, strlen(name)), *base = path_name(line->path);
    if (!value)
        FAULT("%s:%d: no value for include %s", line->path, line->number, name);
    const char *folder = str_ndup(a, line->path, (size_t)(base - line->path));
    return add_file(t, h, diag, str_format(a, "%s%s%s", folder, value, strrchr(base, '.')));
}

/* Adds the lines of a file, and in place of each include those of the file that it names. */
static bool add_file(Template *t, const Holes *h, Diag *diag, const char *path)
{
    Arena *a = h->arena;
    Bytes text;
    if (!read_data(a, diag, path, &text))
        return false;
    const char *p = (const char *)text.data, *end = p + text.size, *name;
    for (int number = 1; p < end; number++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        Line line = {str_ndup(a, p, (size_t)(stop - p)), path, number};
        const char *mark = mark_of(line.text, &name);
        p = stop + 1;
        if (!mark || strncmp(mark, "include ", 8))
            add_line(a, t, line);
        else if (!add_included(t, h, diag, &line, name))
            return false;
    }
    return true;
}

/* Puts the prefix before every name of a library module; these begin with lg_. */
static void add_prefix(Buffer *out, const char *prefix, const char *text, size_t size)
{
    for (size_t k = 0; k < size; k++) {
        bool inside = k > 0 && (isalnum((unsigned char)text[k - 1]) || text[k - 1] == '_');
        if (!inside && size - k > 3 && !strncmp(text + k, "lg_", 3))
            buffer_add(out, prefix, strlen(prefix));
        buffer_add(out, text + k, 1);
    }
}

static bool write_text(Folder *f, const Holes *h, const char *name, const char *text, size_t size)
{
    Buffer out;
    if (!*h->prefix || !str_starts(name, "rtl/") || !str_ends(name, ".v"))
        return folder_write(f, name, text, size);
    buffer_init(&out, h->arena);
    add_prefix(&out, h->prefix, text, size);
    return folder_write(f, name, out.text, out.length);
}

bool template_fill(Folder *f, Diag *diag, const Holes *h, const char *template_path, const char *name)
{
    Buffer out;
    buffer_init(&out, h->arena);
    Template t = {.out = &out};
    if (!add_file(&t, h, diag, template_path))
        return false;
    Holes scratch = *h;
    fill_lines(&t, &scratch, 0, t.n);
    return write_text(f, h, name, out.text, out.length);
}

bool template_copy(Folder *f, Diag *diag, const Holes *h, const char *path, const char *name)
{
    Bytes text;
    return read_data(h->arena, diag, path, &text) && write_text(f, h, name, (const char *)text.data, text.size);
}
