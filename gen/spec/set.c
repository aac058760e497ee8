/* set.c: `--set key.path=value`. Nodes on the way are copied, because an alias may share them. */
#include "spec/spec.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 16 };

typedef struct Setting {
    Arena *arena;
    Diag *diag;
    const char *path;                   /* before the '=' */
    const char *part[PARTS_MAX]; int n;
    Place at;                           /* of the path */
    SpecNode *value;
} Setting;

/* Splits "model.layers.0.W" at its dots. */
static bool split(Setting *s)
{
    for (const char *p = s->path;; p++) {
        size_t n = strcspn(p, ".");
        if (n == 0 || s->n == PARTS_MAX) {
            diag_error(s->diag, s->at,
                       "'%.60s' is no key: write it like engine.pes or model.layers.0.W", s->path);
            return false;
        }
        s->part[s->n++] = str_ndup(s->arena, p, n);
        p += n;
        if (*p == '\0')
            return true;
    }
}

static SpecNode *copy_node(Arena *a, const SpecNode *from)
{
    SpecNode *n = ARENA_NEW(a, SpecNode);
    *n = *from;
    n->entry = ARENA_ARRAY(a, NodeEntry, MAX(from->n, 1));
    n->room = MAX(from->n, 1);
    for (int i = 0; i < from->n; i++)
        n->entry[i] = from->entry[i];
    return n;
}

static SpecNode *empty_map(Setting *s)
{
    SpecNode *n = ARENA_NEW(s->arena, SpecNode);
    *n = (SpecNode){ .kind = NODE_MAP, .at = s->at, .values = 1 };
    return n;
}

static SpecNode *put(Setting *s, const SpecNode *old, int depth);

/* An index that exists is replaced, the one after the last is added. */
static SpecNode *put_item(Setting *s, const SpecNode *old, int depth)
{
    const char *index = s->part[depth];
    SpecNode *list = copy_node(s->arena, old);
    NodeEntry *entry = node_index(list, index);
    bool next = strspn(index, "0123456789") == strlen(index) && strlen(index) <= 6 &&
                atoi(index) == list->n;
    if (!entry && !next) {
        diag_error(s->diag, s->at, "'%s' is no place in this list: it takes 0 to %d", index,
                   list->n);
        return NULL;
    }
    SpecNode *value = put(s, entry ? entry->value : NULL, depth + 1);
    if (value && entry)
        *entry = (NodeEntry){ NULL, s->at, value };
    else if (value)
        node_append(s->arena, list, (NodeEntry){ NULL, s->at, value });
    return value ? list : NULL;
}

static SpecNode *put_key(Setting *s, const SpecNode *old, int depth)
{
    SpecNode *map = copy_node(s->arena, old);
    NodeEntry *entry = node_find(map, s->part[depth]);
    SpecNode *value = put(s, entry ? entry->value : NULL, depth + 1);
    bool last = depth + 1 == s->n;
    if (value && entry)
        *entry = (NodeEntry){ entry->key, last ? s->at : entry->at, value };
    else if (value)
        node_append(s->arena, map, (NodeEntry){ s->part[depth], s->at, value });
    return value ? map : NULL;
}

/* What stands at `old` (NULL: nothing) once the rest of the path is set in it. NULL after an error.
 */
static SpecNode *put(Setting *s, const SpecNode *old, int depth)
{
    if (depth == s->n)
        return s->value;
    if (!old || node_is_null(old))
        return put_key(s, empty_map(s), depth);
    if (old->kind == NODE_MAP)
        return put_key(s, old, depth);
    if (old->kind == NODE_LIST)
        return put_item(s, old, depth);
    diag_clash(s->diag, s->at, old->at, "the value is here",
               "cannot set '%s': what is there is one value, not a map", s->path);
    return NULL;
}

SpecNode *set_apply(Arena *a, Diag *d, SpecNode *root, const char *set, int line)
{
    const char *equals = strchr(set, '=');
    Setting s = { .arena = a, .diag = d, .at = { "--set", line, 1 } };
    if (!equals) {
        diag_error(d, s.at, "'%.60s' has no value: write --set key.path=value", set);
        return root;
    }
    s.path = str_ndup(a, set, (size_t)(equals - set));
    Place at = { "--set", line, (int)(equals - set) + 2 };
    if (!split(&s) || !(s.value = yaml_read(a, d, at, equals + 1, strlen(equals + 1))))
        return root;
    SpecNode *changed = put(&s, root, 0);
    return changed ? changed : root;
}
