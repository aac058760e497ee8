/* yaml_out.c: writes the tree of a spec as YAML, on one line or as a block. */
#include "sweep/sweep.h"

#include <ctype.h>
#include <string.h>

#include "spec/spec.h"

/* A plain scalar that reads back as itself, wherever it stands. */
static bool is_plain(const char *text)
{
    if (!isalnum((unsigned char)text[0]) && !strchr("_-+./", text[0]))
        return false;
    if (text[0] == '-' && !isdigit((unsigned char)text[1]) && text[1] != '.')
        return false;
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_-+./", *p))
            return false;
    return text[0] != '\0';
}

static void print_scalar(Buffer *b, const SpecNode *n)
{
    if (node_is_null(n))
        buffer_print(b, "null");
    else if (!n->quoted && is_plain(n->text))
        buffer_print(b, "%s", n->text);
    else
        buffer_print(b, "%s", text_yaml(b->arena, n->text));
}

static void print_key(Buffer *b, const char *key)
{
    if (is_plain(key))
        buffer_print(b, "%s: ", key);
    else
        buffer_print(b, "%s: ", text_yaml(b->arena, key));
}

void node_print_flow(Buffer *b, const SpecNode *n)
{
    bool map = n->kind == NODE_MAP;
    if (n->kind == NODE_SCALAR) {
        print_scalar(b, n);
        return;
    }
    buffer_print(b, map ? "{" : "[");
    for (int i = 0; i < n->n; i++) {
        if (i)
            buffer_print(b, ", ");
        if (map)
            print_key(b, n->entry[i].key);
        node_print_flow(b, n->entry[i].value);
    }
    buffer_print(b, map ? "}" : "]");
}

/* Maps of maps and lists of maps take lines of their own; what is flat stays on one line below the
 * first level. */
static bool is_flat(const SpecNode *n)
{
    for (int i = 0; i < n->n; i++)
        if (n->entry[i].value->kind != NODE_SCALAR)
            return false;
    return true;
}

void node_print_block(Buffer *b, const SpecNode *n, int indent)
{
    for (int i = 0; i < n->n; i++) {
        const SpecNode *v = n->entry[i].value;
        buffer_print(b, "%*s", 2 * indent, "");
        if (n->kind == NODE_LIST)
            buffer_print(b, "- ");
        else
            print_key(b, n->entry[i].key);
        if (v->n == 0 || n->kind == NODE_LIST || (is_flat(v) && indent > 0) || v->kind == NODE_SCALAR)
            node_print_flow(b, v);
        else {
            b->text[b->length - 1] = '\n';      /* in place of the blank behind the key */
            node_print_block(b, v, indent + 1);
            continue;
        }
        buffer_print(b, "\n");
    }
}
