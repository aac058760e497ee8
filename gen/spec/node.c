/* node.c: the tree of a spec: looking things up, and showing values in messages. */
#include "spec/spec.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 40 };

void node_append(Arena *a, SpecNode *node, NodeEntry entry)
{
    if (node->n == node->room) {
        int room = node->room ? 2 * node->room : 8;
        node->entry = arena_grow(a, node->entry, sizeof(NodeEntry) * (size_t)node->room,
                                 sizeof(NodeEntry) * (size_t)room);
        node->room = room;
    }
    node->entry[node->n++] = entry;
    node->values += entry.value->values;
}

NodeEntry *node_find(const SpecNode *map, const char *key)
{
    for (int i = 0; map && map->kind == NODE_MAP && i < map->n; i++) {
        if (strcmp(map->entry[i].key, key) == 0)
            return &map->entry[i];
    }
    return NULL;
}

NodeEntry *node_index(const SpecNode *list, const char *index)
{
    size_t digits = strspn(index, "0123456789");
    if (list->kind != NODE_LIST || digits == 0 || digits > 6 || index[digits])
        return NULL;
    int i = atoi(index);
    return i < list->n ? &list->entry[i] : NULL;
}

const NodeEntry *tree_entry(Arena *a, const SpecNode *root, const char *path, Place *nearest)
{
    const SpecNode *n = root;
    const NodeEntry *e = NULL;
    *nearest = root->at;
    for (const char *p = path; *p;) {
        size_t length = strcspn(p, ".");
        const char *part = str_ndup(a, p, length);
        e = n->kind == NODE_LIST ? node_index(n, part) : node_find(n, part);
        if (!e)
            return NULL;
        n = e->value;
        *nearest = n->kind == NODE_SCALAR ? n->at : e->at;
        p += length + (p[length] == '.');
    }
    return e;
}

bool node_is_nothing(const SpecNode *n)
{
    return n->kind == NODE_SCALAR && !n->quoted && n->text[0] == '\0';
}

bool node_is_null(const SpecNode *n)
{
    static const char *const words[] = { "null", "Null", "NULL", "~" };
    for (int i = 0; n->kind == NODE_SCALAR && !n->quoted && i < LENGTH(words); i++) {
        if (strcmp(n->text, words[i]) == 0)
            return true;
    }
    return node_is_nothing(n);
}

/* At most SHOWN_MAX characters, never half of one. */
static const char *shorten(Arena *a, const char *text)
{
    size_t n = strlen(text);
    if (n <= SHOWN_MAX)
        return text;
    for (n = SHOWN_MAX; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80; n--)
        continue;
    return str_format(a, "%.*s...", (int)n, text);
}

const char *node_text(Arena *a, const SpecNode *n)
{
    if (n->kind == NODE_SCALAR)
        return shorten(a, n->text);
    if (n->kind == NODE_MAP)
        return n->n ? "a map" : "{}";
    Buffer b;
    buffer_init(&b, a);
    buffer_print(&b, "[");
    for (int i = 0; i < MIN(n->n, SHOWN_MAX); i++) {
        const SpecNode *item = n->entry[i].value;
        buffer_print(&b, "%s%s", i ? ", " : "", item->kind == NODE_SCALAR ? item->text : "...");
    }
    buffer_print(&b, "]");
    return shorten(a, b.text);
}
