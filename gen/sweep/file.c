/* file.c: reads the sweep file: base, depth, axes, zip, where, front. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "spec/spec.h"
#include "sweep/sweep.h"

static const char *const KEYS[] = { "name", "base", "depth", "axes", "zip", "where", "front", "folders" };
static const char *const DEPTHS[] = { "estimate", "simulate", "synthesise", "place" };

static const SpecNode *value_in(const SpecNode *map, const char *key)
{
    NodeEntry *e = node_find(map, key);
    return e && !node_is_null(e->value) ? e->value : NULL;
}

/* ---- ranges ---- */

static bool number_in(Sweep *s, const SpecNode *map, const char *key, double initial, double *out)
{
    const SpecNode *n = value_in(map, key);
    *out = initial;
    if (!n && !isnan(initial))
        return true;
    Value v = n && n->kind == NODE_SCALAR ? value_of_text(n->text, n->quoted) : (Value){ 0 };
    *out = v.number;
    if (v.kind == VALUE_NUMBER && isfinite(v.number))
        return true;
    diag_error(s->diag, n ? n->at : map->at, "a range needs numbers: {from: 4, to: 16, step: 2}");
    return false;
}

static bool range_keys(Sweep *s, const SpecNode *map)
{
    static const char *const names[] = { "from", "to", "step" };
    for (int i = 0; i < map->n; i++) {
        const char *key = map->entry[i].key;
        if (strcmp(key, "from") && strcmp(key, "to") && strcmp(key, "step")) {
            const char *near = str_nearest(key, names, LENGTH(names));
            diag_error(s->diag, map->entry[i].at, "'%s' is not part of a range%s%s%s", key,
                       near ? ": did you mean " : "; it has from, to, step", near ? near : "",
                       near ? "?" : "");
            return false;
        }
    }
    return true;
}

/* How many values, without making them: 10^9 of them are counted too. */
static double range_count(Sweep *s, const SpecNode *map, double *from, double *step)
{
    double to;
    if (!range_keys(s, map) || !number_in(s, map, "from", NAN, from) ||
        !number_in(s, map, "to", NAN, &to) || !number_in(s, map, "step", 1, step))
        return 0;
    if (*step == 0 || (to - *from) / *step < 0) {
        diag_error(s->diag, map->at, "this range is empty: from %g to %g in steps of %g", *from, to,
                   *step);
        return 0;
    }
    return floor((to - *from) / *step + 1e-9) + 1;
}

/* ---- axes ---- */

static double axis_count(Sweep *s, const NodeEntry *e)
{
    double from, step;
    const SpecNode *n = e->value;
    if (n->kind == NODE_MAP && (value_in(n, "from") || value_in(n, "to")))
        return range_count(s, n, &from, &step);
    if (n->kind == NODE_LIST && n->n > 0)
        return n->n;
    diag_error(s->diag, e->at,
               n->kind == NODE_LIST ? "the axis %s is empty"
                                    : "the axis %s needs a list of values or a range: [4, 8, 16] or "
                                      "{from: 4, to: 16, step: 2}",
               e->key);
    return 0;
}

static void set_value(Sweep *s, Axis *x, int i, const char *text, bool quoted)
{
    x->text[i] = text;
    x->value[i] = value_of_text(text, quoted);
    (void)s;
}

static void fill_axis(Sweep *s, Axis *x, const SpecNode *n)
{
    double from, step;
    x->text = ARENA_ARRAY(s->arena, const char *, x->n);
    x->value = ARENA_ARRAY(s->arena, Value, x->n);
    if (n->kind == NODE_MAP) {
        range_count(s, n, &from, &step);
        for (int i = 0; i < x->n; i++)
            set_value(s, x, i, str_format(s->arena, "%.10g", from + i * step), false);
        return;
    }
    for (int i = 0; i < x->n; i++) {
        const SpecNode *v = n->entry[i].value;
        Buffer b;
        buffer_init(&b, s->arena);
        node_print_flow(&b, v);
        set_value(s, x, i, b.text ? b.text : "", false);
        if (v->kind == NODE_SCALAR)
            x->value[i] = value_of_text(v->text, v->quoted);
    }
}

/* "model.layers.0.W" as it stands in the table of keys: "model.layers[].W". */
static const char *table_path(Arena *a, const char *key)
{
    Buffer b;
    buffer_init(&b, a);
    for (const char *p = key; *p;) {
        size_t n = strcspn(p, ".");
        if (n > 0 && strspn(p, "0123456789") == n)
            buffer_print(&b, "[]");
        else
            buffer_print(&b, "%s%.*s", b.length ? "." : "", (int)n, p);
        p += n + (p[n] == '.');
    }
    return b.length ? b.text : "";
}

static const Key *spec_key(Arena *a, const char *key)
{
    const char *path = table_path(a, key), *dot = strrchr(path, '.');
    const Key *k = key_find(path);
    if (k || !dot || (strcmp(dot, ".W") && strcmp(dot, ".R")))
        return k;
    k = key_find(str_ndup(a, path, (size_t)(dot - path)));
    return k && k->type == KEY_RATE ? k : NULL;
}

static bool known_key(Sweep *s, Place at, const char *key, const char *what)
{
    const Key *k = spec_key(s->arena, key);
    if (k && k->type != KEY_LATER)
        return true;
    const char **names = ARENA_ARRAY(s->arena, const char *, key_count);
    for (int i = 0; i < key_count; i++)
        names[i] = key_table[i].path;
    const char *near = k ? NULL : str_nearest(key, names, key_count);
    if (k)
        diag_error(s->diag, at, "%s: %s", key, k->meaning);
    else
        diag_error(s->diag, at, "%s '%s': a spec has no such key%s%s%s", what, key,
                   near ? "; did you mean " : " (see `lstmgen keys`)", near ? near : "",
                   near ? "?" : "");
    return false;
}

/* `total`: the product of all axes so far, refused before any list is made. */
static bool read_axis(Sweep *s, const NodeEntry *e, double *total)
{
    Axis *x = &s->axis[s->n_axes];
    *x = (Axis){ .key = e->key, .at = e->at, .group = s->n_axes };
    bool ok = known_key(s, e->at, e->key, "axis");
    double n = axis_count(s, e);
    if (!ok || n < 1)
        return false;
    s->n_axes++;
    *total *= n;
    if (n > POINTS_MAX)
        return true;
    x->n = (int)n;
    fill_axis(s, x, e->value);
    return true;
}

static bool read_axes(Sweep *s, const SpecNode *root, double *total)
{
    const SpecNode *axes = value_in(root, "axes");
    bool ok = true;
    *total = 1;
    if (!axes || axes->kind != NODE_MAP || axes->n == 0) {
        diag_error(s->diag, axes ? axes->at : root->at,
                   "a sweep needs axes: a map of keys with their values");
        return false;
    }
    if (axes->n > AXES_MAX) {
        diag_error(s->diag, axes->at, "%d axes; at most %d are taken", axes->n, AXES_MAX);
        return false;
    }
    for (int i = 0; i < axes->n; i++)
        ok = read_axis(s, &axes->entry[i], total) && ok;
    return ok;
}

/* ---- zip ---- */

static Axis *axis_named(Sweep *s, const char *key)
{
    for (int i = 0; i < s->n_axes; i++)
        if (strcmp(s->axis[i].key, key) == 0)
            return &s->axis[i];
    return NULL;
}

static bool zip_list(Sweep *s, const SpecNode *list, double *total)
{
    Axis *first = NULL;
    for (int i = 0; i < list->n; i++) {
        const SpecNode *n = list->entry[i].value;
        Axis *x = n->kind == NODE_SCALAR ? axis_named(s, n->text) : NULL;
        if (!x) {
            diag_error(s->diag, n->at, "zip: %s is not one of the axes", node_text(s->arena, n));
            return false;
        }
        if (x == first || (x->group != (int)(x - s->axis))) {
            diag_error(s->diag, n->at, "zip: %s is zipped twice", x->key);
            return false;
        }
        first = first ? first : x;
        if (x->n != first->n) {
            diag_clash(s->diag, x->at, first->at, "the other list is here",
                       "zip: %s has %d values and %s has %d: they cannot go together", x->key, x->n,
                       first->key, first->n);
            return false;
        }
        if (x != first) {
            x->group = (int)(first - s->axis);
            *total /= MAX(x->n, 1);
        }
    }
    return true;
}

static bool read_zip(Sweep *s, const SpecNode *root, double *total)
{
    const SpecNode *zip = value_in(root, "zip");
    if (!zip)
        return true;
    if (zip->kind != NODE_LIST || zip->n == 0) {
        diag_error(s->diag, zip->at, "zip needs lists of axes: [[engine.pes, engine.pe_width]]");
        return false;
    }
    if (zip->entry[0].value->kind == NODE_SCALAR)
        return zip_list(s, zip, total);
    for (int i = 0; i < zip->n; i++)
        if (zip->entry[i].value->kind != NODE_LIST || !zip_list(s, zip->entry[i].value, total))
            return diag_failed(s->diag) ? false
                                        : (diag_error(s->diag, zip->entry[i].at, "zip needs lists of axes"), false);
    return true;
}

/* Groups are numbered in the order of their first axis. */
static void number_groups(Sweep *s)
{
    int number[AXES_MAX];
    for (int i = 0; i < s->n_axes; i++) {
        Axis *x = &s->axis[i];
        if (x->group == i) {
            s->group_size[s->n_groups] = x->n;
            number[i] = s->n_groups++;
        }
        x->group = number[x->group];
    }
}

/* Values i and k of all axes that go together with `x` are the same. */
static bool same_choice(const Sweep *s, const Axis *x, int i, int k)
{
    for (int n = 0; n < s->n_axes; n++) {
        const Axis *y = &s->axis[n];
        if (y->group == x->group && strcmp(y->text[i], y->text[k]) != 0)
            return false;
    }
    return true;
}

/* What the base has for a key, or takes without it; NULL: no single value. */
static const char *base_value(Sweep *s, const char *key)
{
    Place at;
    const NodeEntry *e = tree_entry(s->arena, s->base, key, &at);
    if (e)
        return e->value->kind == NODE_SCALAR ? e->value->text : NULL;
    const Key *k = spec_key(s->arena, key);
    return k ? k->initial : NULL;
}

/* Twice the same values, or one value that is the base's: the axis changes nothing there. */
static bool axis_changes(Sweep *s, const Axis *x)
{
    for (int i = 0; i < MIN(x->n, 1000); i++)
        for (int k = 0; k < i; k++)
            if (same_choice(s, x, i, k)) {
                diag_error(s->diag, x->at, "the axis %s has the value %s twice", x->key, x->text[i]);
                return false;
            }
    const char *base = base_value(s, x->key);
    if (x->n != 1 || !base || strcmp(base, x->text[0]))
        return true;
    diag_error(s->diag, x->at, "the axis %s changes nothing: %s is what the base has", x->key,
               x->text[0]);
    return false;
}

static bool axes_change(Sweep *s)
{
    bool ok = true;
    for (int i = 0; i < s->n_axes; i++)
        ok = axis_changes(s, &s->axis[i]) && ok;
    return ok;
}

/* ---- where ---- */

static const char *where_known(const Names *n, Arena *a, const char *name)
{
    (void)n;
    const Key *k = spec_key(a, name);
    return k && k->type != KEY_LATER ? str_dup(a, name) : NULL;
}

static bool read_where(Sweep *s, const SpecNode *root)
{
    const SpecNode *where = value_in(root, "where");
    const char **all = ARENA_ARRAY(s->arena, const char *, key_count);
    for (int i = 0; i < key_count; i++)
        all[i] = key_table[i].path;
    Names names = { where_known, all, key_count, NULL };
    int n = !where ? 0 : where->kind == NODE_LIST ? where->n : 1;
    if (n > AXES_MAX || (where && where->kind == NODE_MAP)) {
        diag_error(s->diag, where->at, "where needs a list of at most %d conditions", AXES_MAX);
        return false;
    }
    for (int i = 0; i < n; i++) {
        const SpecNode *c = where->kind == NODE_LIST ? where->entry[i].value : where;
        if (c->kind != NODE_SCALAR) {
            diag_error(s->diag, c->at, "a condition is a text: \"engine.pes <= 16\"");
            return false;
        }
        s->where_at[i] = c->at;
        s->where[i] = expr_parse(s->arena, s->diag, c->at, &names, c->text);
        if (!s->where[i])
            return false;
        s->n_where++;
    }
    return true;
}

/* ---- the rest ---- */

static bool read_depth(Sweep *s, const SpecNode *root)
{
    const SpecNode *n = value_in(root, "depth");
    for (int i = 0; n && n->kind == NODE_SCALAR && i < LENGTH(DEPTHS); i++)
        if (strcmp(n->text, DEPTHS[i]) == 0) {
            s->depth = (Depth)i;
            return true;
        }
    if (n)
        diag_error(s->diag, n->at, "depth: expected estimate, simulate, synthesise or place");
    return !n;
}

/* folders: all | failed: which deep points' folders are kept. */
static bool read_folders(Sweep *s, const SpecNode *root)
{
    const SpecNode *n = value_in(root, "folders");
    const char *text = n && n->kind == NODE_SCALAR ? n->text : "";
    s->only_failed = strcmp(text, "failed") == 0;
    if (!n || s->only_failed || strcmp(text, "all") == 0)
        return true;
    diag_error(s->diag, n->at, "folders: expected all (of points that are worked out deeply) or failed");
    return false;
}

static bool read_base(Sweep *s, const SpecNode *root)
{
    NodeEntry *e = node_find(root, "base");
    if (!e || node_is_null(e->value) || e->value->kind == NODE_LIST) {
        diag_error(s->diag, e ? e->at : root->at, "a sweep needs a base: a spec, or the name of one");
        return false;
    }
    s->base_inline = e->value->kind == NODE_MAP;
    s->base_file = s->base_inline ? s->file : path_beside(s->arena, s->file, e->value->text);
    if (!s->base_inline)
        return (s->base = spec_read_tree(s->arena, s->diag, s->base_file, &s->base_text)) != NULL;
    s->base = e->value;
    Buffer b;
    buffer_init(&b, s->arena);
    node_print_block(&b, s->base, 0);
    s->base_text = (Bytes){ (const uint8_t *)b.text, b.length };
    return true;
}

/* The file's own name without its ending, where no name is given. */
static bool read_name(Sweep *s, const SpecNode *root)
{
    const SpecNode *n = value_in(root, "name");
    const char *name = n && n->kind == NODE_SCALAR ? n->text : path_name(s->file);
    size_t length = n ? strlen(name) : strcspn(name, ".");
    char *own = str_ndup(s->arena, name, length);
    s->name = own;
    static const char *const ALLOWED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    for (char *p = own; !n && *p; p++)
        *p = strchr(ALLOWED, *p) ? *p : '_';
    if (!n && length == 0)
        s->name = "sweep";              /* of a file like ".yaml" */
    if (!n || (length > 0 && length <= 64 && strspn(s->name, ALLOWED) == length))
        return true;
    diag_error(s->diag, n->at, "name: letters, digits, _ and -, at most 64 of them");
    return false;
}

static bool known_keys(Sweep *s, const SpecNode *root)
{
    bool ok = true;
    for (int i = 0; i < root->n; i++) {
        const char *key = root->entry[i].key;
        bool known = false;
        for (int k = 0; k < LENGTH(KEYS); k++)
            known = known || strcmp(key, KEYS[k]) == 0;
        if (known)
            continue;
        const char *near = str_nearest(key, KEYS, LENGTH(KEYS));
        bool spec = key_find(key) != NULL;
        diag_error(s->diag, root->entry[i].at, "unknown key '%s' of a sweep%s%s%s", key,
                   near ? ": did you mean " : spec ? ": it belongs into base" : "", near ? near : "",
                   near ? "?" : "");
        ok = false;
    }
    return ok;
}

static const char *count_text(Arena *a, double n)
{
    return n < 1e15 ? str_format(a, "%.0f", n) : str_format(a, "%.2e", n);
}

bool sweep_read(Sweep *s, const char *path)
{
    Bytes text;
    double total;
    s->file = path;
    SpecNode *root = spec_read_tree(s->arena, s->diag, path, &text);
    if (!root)
        return false;
    if (root->kind != NODE_MAP) {
        diag_error(s->diag, root->at, "a sweep file is a map: base, axes, ...");
        return false;
    }
    bool ok = known_keys(s, root);
    ok = read_name(s, root) && ok;
    ok = read_depth(s, root) && ok;
    ok = read_folders(s, root) && ok;
    ok = read_base(s, root) && ok;
    if (!s->base)
        return false;
    ok = read_axes(s, root, &total) && ok;
    ok = ok && read_zip(s, root, &total) && read_where(s, root);
    if (ok && total > POINTS_MAX) {
        diag_error(s->diag, node_find(root, "axes")->at,
                   "the axes make %s points; a sweep takes at most %d: shorten the lists, or zip them",
                   count_text(s->arena, total), POINTS_MAX);
        return false;
    }
    NodeEntry *front = node_find(root, "front");
    s->front_node = front ? front->value : NULL;
    if (ok)
        number_groups(s);
    return ok && axes_change(s) && !diag_failed(s->diag);
}
