/* page.c: report.html: the page's template with the plotting library and all rows in it. */
#include <stdlib.h>
#include <string.h>

#include "sweep/sweep.h"

enum { ROWS_MAX = 50000 };              /* more than that no browser draws with ease: the front goes in first */

static const char *read_text(const Sweep *s, Arena *a, const char *name)
{
    const char *folder = data_folder(a, s->diag);
    const char *path = folder ? path_join(a, folder, str_format(a, "templates/page/%s", name)) : NULL;
    Bytes b;
    if (!path || !file_read(a, s->diag, (Place){ path, 0, 0 }, path, (size_t)8 << 20, &b))
        return NULL;
    return str_ndup(a, (const char *)b.data, b.size);
}

/* Which finished points go on the page: all, or the front and then the first ones. */
static void choose_rows(const Sweep *s, const Table *t, bool *in)
{
    int room = ROWS_MAX;
    for (int i = 0; i < t->n && room > 0; i++)
        if (t->on[i]) {
            in[t->point[i]] = true;
            room--;
        }
    for (int i = 0; i < s->n_points && room > 0; i++)
        if (!in[i] && s->point[i].status != POINT_OPEN) {
            in[i] = true;
            room--;
        }
}

static json_t *strings(Arena *a, const char *const *text, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, value_string(a, text[i]));
    return list;
}

static void put_rows(json_t *o, Arena *a, const Sweep *s, const Journal *j, const bool *in)
{
    const Column *c;
    int n = columns_list(a, s, &c);
    json_t *names = json_array(), *rows = json_array(), *choices = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(names, value_string(a, c[i].name));
    for (int p = 0; p < s->n_points; p++) {
        json_t *row = in[p] ? journal_row(j, &s->point[p]) : NULL;
        if (!row)
            continue;
        json_t *cells = json_array(), *choice = json_array();
        for (int i = 0; i < n; i++) {
            const json_t *v = column_value(row, &c[i]);
            json_array_append_new(cells, v ? json_incref((json_t *)v) : json_null());
        }
        for (int i = 0; i < s->n_axes; i++)
            json_array_append_new(choice, json_integer(point_choice(s, &s->point[p], &s->axis[i])));
        json_array_append_new(rows, cells);
        json_array_append_new(choices, choice);
        json_decref(row);
    }
    json_object_set_new(o, "columns", names);
    json_object_set_new(o, "rows", rows);
    json_object_set_new(o, "choices", choices);
}

static void put_axes(json_t *o, Arena *a, const Sweep *s)
{
    json_t *axes = json_array(), *values = json_array();
    for (int i = 0; i < s->n_axes; i++) {
        json_array_append_new(axes, value_string(a, s->axis[i].key));
        json_array_append_new(values, strings(a, s->axis[i].text, s->axis[i].n));
    }
    json_object_set_new(o, "axes", axes);
    json_object_set_new(o, "values", values);
}

static void put_front(json_t *o, Arena *a, const Sweep *s, const Table *t)
{
    json_t *front = json_array(), *columns = json_array();
    for (int i = 0; i < t->n; i++)
        if (t->on[i])
            json_array_append_new(front, json_integer(t->point[i] + 1));
    for (int i = 0; i < s->n_front; i++)
        json_array_append_new(columns, value_string(a, str_format(a, "%s%s", s->front[i].most ? "max " : "",
                                                                  s->front[i].text)));
    json_object_set_new(o, "front", front);
    json_object_set_new(o, "frontColumns", columns);
}

/* JSON that may stand in a script element: nothing in it ends the element. */
static const char *data_text(Arena *a, const Sweep *s, const Journal *j, const Table *t)
{
    static const char *const what[] = { "check", "sim", "synth", "synth --pnr" };
    bool *in = ARENA_ARRAY(a, bool, s->n_points);
    json_t *o = json_object();
    choose_rows(s, t, in);
    json_object_set_new(o, "name", value_string(a, s->name));
    json_object_set_new(o, "version", json_string(LSTMGEN_VERSION));
    json_object_set_new(o, "points", json_integer(s->n_points));
    json_object_set_new(o, "base", value_string(a, point_spec(a, s, NULL, s->out)));
    json_object_set_new(o, "command", value_string(a, str_format(a, "lstmgen %s base.yaml", what[s->depth])));
    put_rows(o, a, s, j, in);
    put_axes(o, a, s);
    put_front(o, a, s, t);
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(10) | JSON_ENSURE_ASCII);
    REQUIRE(text);
    json_decref(o);
    Buffer b;
    buffer_init(&b, a);
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "<");
        buffer_add(&b, p, n);
        p += n;
        if (*p == '<') {
            buffer_add(&b, "\\u003c", 6);
            p++;
        }
    }
    free(text);
    return b.text;
}

/* Fills the holes "@@NAME@@" of the template; each is there once. */
static void fill(Buffer *b, const char *text, const char *const hole[][2], int n)
{
    for (const char *p = text; *p;) {
        const char *at = strstr(p, "@@");
        buffer_add(b, p, at ? (size_t)(at - p) : strlen(p));
        if (!at)
            return;
        size_t length = strcspn(at + 2, "@") + 4;
        bool filled = false;
        for (int i = 0; i < n && !filled; i++)
            if (strncmp(at, hole[i][0], length) == 0) {
                buffer_add(b, hole[i][1], strlen(hole[i][1]));
                filled = true;
            }
        REQUIRE(filled);
        p = at + length;
    }
}

bool page_write(const Sweep *s, const Journal *j, const Table *t)
{
    Arena *a = arena_new();
    const char *page = read_text(s, a, "report.html"), *chart = read_text(s, a, "chart.umd.min.js");
    bool ok = page && chart;
    if (ok) {
        const char *const hole[][2] = { { "@@TITLE@@", str_format(a, "%s: sweep", text_xml(a, s->name)) },
                                        { "@@CHART@@", chart },
                                        { "@@DATA@@", data_text(a, s, j, t) } };
        Buffer b;
        buffer_init(&b, a);
        fill(&b, page, hole, LENGTH(hole));
        ok = write_whole(s->diag, path_join(a, s->out, "report.html"), b.text, b.length);
    }
    arena_free(a);
    return ok;
}
