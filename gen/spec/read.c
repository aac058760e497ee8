/* read.c: from the tree to the Spec, driven by the table of keys. */
#include "spec/read.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void set_text(const Slot *s, const char *text)
{
    *(const char **)field(s) = text;
}

/* What a value is, for "expected .. not ..". */
static const char *describe(Arena *a, const SpecNode *n)
{
    const char *text = node_text(a, n);
    if (node_is_nothing(n))
        return "nothing";
    if (n->kind == NODE_SCALAR && n->quoted)
        return str_format(a, "the text \"%s\"", text);
    return n->kind == NODE_SCALAR ? str_format(a, "'%s'", text)
           : n->kind == NODE_MAP  ? "a map"
                                  : "a list";
}

static void wrong_type(Reading *r, const Slot *s, const SpecNode *n, const char *expected)
{
    diag_error(r->diag, n->at, "%s: %s is expected here, not %s", s->shown, expected,
               describe(r->arena, n));
}

/* The text of a scalar; NULL after recording that it is none. */
static const char *scalar(Reading *r, const Slot *s, const SpecNode *n, const char *expected)
{
    if (n->kind == NODE_SCALAR && n->text[0])
        return n->text;
    if (n->kind == NODE_SCALAR && n->quoted)
        diag_error(r->diag, n->at, "%s: must not be empty", s->shown);
    else
        wrong_type(r, s, n, expected);
    return NULL;
}

/* A decimal number as YAML 1.2 and JSON write it; "010" is not one, since YAML 1.1 reads it as 8.
 */
static bool parse_number(const char *text, double *value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (!text[0] || text[strspn(text, "0123456789+-.eE")] ||
        (digits[0] == '0' && isdigit((unsigned char)digits[1])))
        return false;
    char *end;
    *value = strtod(text, &end);
    return *end == '\0' && end != text && isfinite(*value);
}

bool read_number(Reading *r, const Slot *s, const SpecNode *n, bool whole, double *value)
{
    KeyRange range = key_range(r->arena, s->key);
    const char *const words[] = { range.word, range.other };
    for (int i = 0; n->kind == NODE_SCALAR && i < LENGTH(words); i++) {
        if (words[i] && strcmp(n->text, words[i]) == 0) {
            *value = -i;
            return true;
        }
    }
    bool number = n->kind == NODE_SCALAR && !n->quoted && parse_number(n->text, value);
    if (!number || (whole && *value != floor(*value))) {
        wrong_type(
            r, s, n,
            str_format(r->arena, "%s (%s)", whole ? "a whole number" : "a number", s->key->values));
        return false;
    }
    bool low = range.above ? *value <= range.low : *value < range.low;
    if (low || *value > range.high) {
        diag_error(r->diag, n->at, "%s: %s is out of range (%s)", s->shown, node_text(r->arena, n),
                   s->key->values);
        return false;
    }
    return true;
}

static void read_int(Reading *r, const Slot *s, const SpecNode *n)
{
    double value;
    if (read_number(r, s, n, true, &value))
        *(int *)field(s) = (int)value;
}

static void read_real(Reading *r, const Slot *s, const SpecNode *n)
{
    double value;
    if (read_number(r, s, n, false, &value))
        *(double *)field(s) = value;
}

static void read_bool(Reading *r, const Slot *s, const SpecNode *n)
{
    static const char *const words[][2] = {
        { "true", "false" }, { "True", "False" }, { "TRUE", "FALSE" },
        { "yes", "no" },     { "on", "off" },
    };
    for (int i = 0; n->kind == NODE_SCALAR && !n->quoted && i < LENGTH(words); i++) {
        for (int k = 0; k < 2; k++) {
            if (strcmp(n->text, words[i][k]) == 0) {
                *(bool *)field(s) = k == 0;
                return;
            }
        }
    }
    wrong_type(r, s, n, "true or false");
}

static const char *join_names(Arena *a, const char *const *names, int n)
{
    Buffer b;
    buffer_init(&b, a);
    for (int i = 0; i < n; i++)
        buffer_print(&b, "%s%s", i ? ", " : "", names[i]);
    return b.text;
}

/* Index of the choice, or -1 after recording what is wrong. */
int read_choice(Reading *r, const Slot *s, const SpecNode *n, const char **name)
{
    const char *const *names;
    int now, all = key_choices(r->arena, s->key, &names, &now);
    const char *known = join_names(r->arena, names, now);
    const char *text = scalar(r, s, n, str_format(r->arena, "one of %s", known));
    if (!text)
        return -1;
    for (int i = 0; i < now; i++) {
        if (strcmp(text, names[i]) == 0) {
            *name = names[i];
            return i;
        }
    }
    for (int i = now; i < all; i++) {
        if (strcmp(text, names[i]) == 0) {
            diag_error(r->diag, n->at, "%s: %s belongs to a later version; this one has %s",
                       s->shown, text, known);
            return -1;
        }
    }
    const char *near = str_nearest(text, names, all);
    diag_error(r->diag, n->at, "%s: '%s' is not known%s%s%s; this version has %s", s->shown,
               node_text(r->arena, n), near ? " (did you mean '" : "", near ? near : "",
               near ? "'?)" : "", known);
    return -1;
}

static void add_name(const char **names, int *count, const char *text)
{
    if (text)
        names[(*count)++] = text;
}

static void read_names(Reading *r, const Slot *s, const SpecNode *n)
{
    LayerSpec *layer = s->base;
    const char **names = field(s);
    int *count = names == layer->b ? &layer->n_b : &layer->n_b_R;
    if (n->kind != NODE_LIST) {
        add_name(names, count, scalar(r, s, n, "a tensor name, or a list of them,"));
        return;
    }
    if (n->n == 0 || n->n > NAMES_MAX) {
        diag_error(r->diag, n->at, "%s: a list of 1 to %d tensor names is expected, not of %d",
                   s->shown, NAMES_MAX, n->n);
        return;
    }
    for (int i = 0; i < n->n; i++) {
        const SpecNode *item = n->entry[i].value;
        const char *text = scalar(r, s, item, "a tensor name");
        for (int k = 0; text && k < *count; k++) {
            if (strcmp(text, names[k]) == 0)
                diag_clash(r->diag, item->at, n->entry[k].value->at, "it is here already",
                           "%s: '%s' would be summed twice", s->shown, node_text(r->arena, item));
        }
        add_name(names, count, text);
    }
}

/* How many activations a cell has is a rule of its own (layers.c). */
static void read_curves(Reading *r, const Slot *s, const SpecNode *n)
{
    static const Key curve = { .path = "", .type = KEY_CHOICE, .values = "sigmoid | tanh | relu | leaky_relu | hard_sigmoid | hard_sigmoid_6 | hard_tanh | none" };
    LayerSpec *layer = s->base;
    if (n->kind != NODE_LIST || n->n == 0 || n->n > ACTIVATIONS_MAX) {
        wrong_type(r, s, n, str_format(r->arena, "a list of 1 to %d activations", ACTIVATIONS_MAX));
        return;
    }
    for (int i = 0; i < n->n; i++) {
        Slot slot = { &curve, str_format(r->arena, "%s.%d", s->shown, i), s->base };
        if (read_choice(r, &slot, n->entry[i].value, &layer->activations[i]) >= 0)
            layer->n_activations = n->n;
    }
}

static void read_later(Reading *r, const Slot *s, const SpecNode *n, Place at)
{
    bool harmless = s->key->values[0] && strcmp(node_text(r->arena, n), s->key->values) == 0;
    if (!harmless)
        diag_error(r->diag, at, "%s: %s", s->shown, s->key->meaning);
}

static void read_map(Reading *r, const SpecNode *map, const char *path, const char *shown,
                     void *base);
static void read_layers(Reading *r, const Slot *s, const SpecNode *n);

static void read_value(Reading *r, const Slot *s, const SpecNode *n, Place key_at)
{
    const char *text = NULL;
    int choice;
    switch (s->key->type) {
    case KEY_MAP:
        read_map(r, n, s->key->path, s->shown, s->base);
        return;
    case KEY_LIST:
        read_layers(r, s, n);
        return;
    case KEY_TEXT:
    case KEY_NAME:
        if ((text = scalar(r, s, n, "a name")))
            set_text(s, text);
        return;
    case KEY_PATH:
        if ((text = scalar(r, s, n, "a file name")))
            set_text(s, path_beside(r->arena, r->spec->file, text));
        return;
    case KEY_PATTERN:
        read_pattern(r, s, n);
        return;
    case KEY_CHOICE:
        if (read_choice(r, s, n, &text) >= 0)
            set_text(s, text);
        return;
    case KEY_SWITCH:
        if ((choice = read_choice(r, s, n, &text)) >= 0)
            *(bool *)field(s) = choice == 1;
        return;
    case KEY_NAMES:
        read_names(r, s, n);
        return;
    case KEY_CURVES:
        read_curves(r, s, n);
        return;
    case KEY_BOOL:
        read_bool(r, s, n);
        return;
    case KEY_INT:
        read_int(r, s, n);
        return;
    case KEY_REAL:
        read_real(r, s, n);
        return;
    case KEY_RATE:
        read_keeps(r, s, n);
        return;
    case KEY_LATER:
        read_later(r, s, n, key_at);
        return;
    }
}

/* The last part of a path that lies directly below `parent`, or NULL. */
static const char *child_name(const char *path, const char *parent)
{
    size_t n = strlen(parent);
    if (n > 0 && (strncmp(path, parent, n) != 0 || path[n] != '.'))
        return NULL;
    const char *name = path + (n > 0 ? n + 1 : 0);
    return strpbrk(name, ".[") ? NULL : name;
}

/* A key that is known, but elsewhere: "pes" at the top is engine.pes. */
static const char *known_elsewhere(const char *name)
{
    for (int i = 0; i < key_count; i++) {
        const char *dot = strrchr(key_table[i].path, '.');
        if (dot && strcmp(dot + 1, name) == 0)
            return key_table[i].path;
    }
    return NULL;
}

static void unknown_key(Reading *r, const NodeEntry *e, const char *path, const char *shown)
{
    const char **names = ARENA_ARRAY(r->arena, const char *, key_count);
    int n = 0, now = 0;
    for (int later = 0; later < 2; later++) {
        for (int i = 0; i < key_count; i++) {
            const char *name = child_name(key_table[i].path, path);
            if (name && (key_table[i].type == KEY_LATER) == later)
                names[n++] = name;
        }
        now = later ? now : n;
    }
    const char *where = shown[0] ? str_format(r->arena, " in %s", shown) : "";
    const char *meant = str_nearest(e->key, names, n);
    if (!meant)
        meant = known_elsewhere(e->key);
    diag_error(r->diag, e->at, "unknown key '%.60s'%s%s%s%s; known here: %s", e->key, where,
               meant ? " (did you mean '" : "", meant ? meant : "", meant ? "'?)" : "",
               join_names(r->arena, names, now));
}

/* Reads the keys below `path` (with "[]") that the user knows as `shown`. Null values count as not
 * given. */
static void read_map(Reading *r, const SpecNode *map, const char *path, const char *shown,
                     void *base)
{
    if (node_is_null(map))
        return;
    if (map->kind != NODE_MAP) {
        const char *what = shown[0] ? shown : "the spec";
        diag_error(r->diag, map->at, "%s: a map of keys is expected here, not %s", what,
                   describe(r->arena, map));
        return;
    }
    for (int i = 0; i < map->n; i++) {
        const NodeEntry *e = &map->entry[i];
        const char *dot = path[0] ? "." : "";
        const Key *k = key_find(str_format(r->arena, "%s%s%s", path, dot, e->key));
        const char *name = str_format(r->arena, "%s%s%s", shown, dot, e->key);
        if (!k || strchr(e->key, '.') || strchr(e->key, '['))
            unknown_key(r, e, path, shown);
        else if (node_is_nothing(e->value) || !node_is_null(e->value))
            read_value(r, &(Slot){ k, name, base }, e->value, e->at);
    }
}

/* Every key below `path` gets its default, read like a value of the file. */
static void set_defaults(Reading *r, const char *path, void *base)
{
    bool layer = strcmp(path, "model.layers[]") == 0;
    for (int i = 0; i < key_count; i++) {
        const Key *k = &key_table[i];
        if (!k->initial[0] || (strstr(k->path, "[]") != NULL) != layer)
            continue;
        SpecNode n = { .kind = NODE_SCALAR, .text = k->initial };
        read_value(r, &(Slot){ k, k->path, base }, &n, n.at);
    }
}

static Place place_in(const SpecNode *map, const char *key)
{
    const NodeEntry *e = node_find(map, key);
    return e ? e->value->at : map->at;
}

static void read_layers(Reading *r, const Slot *s, const SpecNode *n)
{
    Spec *spec = r->spec;
    if (n->kind != NODE_LIST || n->n == 0) {
        wrong_type(r, s, n, "a list of layers");
        return;
    }
    if (n->n > LAYERS_MAX)
        diag_error(r->diag, n->entry[LAYERS_MAX].at, "%s: %d layers, at most %d are supported",
                   s->shown, n->n, LAYERS_MAX);
    for (int i = 0; i < MIN(n->n, LAYERS_MAX); i++) {
        const SpecNode *item = n->entry[i].value;
        LayerSpec *l = &spec->layer[spec->n_layers++];
        set_defaults(r, "model.layers[]", l);
        l->at = item->at;
        l->at_W = place_in(item, node_find(item, "kernel") ? "kernel" : "W");
        l->at_R = place_in(item, "R");
        l->at_b = place_in(item, "b");
        l->at_b_R = place_in(item, "b_R");
        l->at_gates = place_in(item, "gates");
        l->at_activations = place_in(item, "activations");
        l->at_peephole = place_in(item, "peephole");
        l->at_projection = place_in(item, "projection");
        l->at_initial = place_in(item, "initial");
        read_map(r, item, "model.layers[]", str_format(r->arena, "%s.%d", s->shown, i), l);
    }
}

void spec_fill(Spec *s, Diag *d)
{
    Reading r = { s->arena, d, s };
    set_defaults(&r, "", s);
    read_map(&r, s->root, "", "", s);
}
