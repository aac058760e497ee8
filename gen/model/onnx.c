/* onnx.c: initializers and Constant nodes of an ONNX model, subgraphs included. */
#include "model/onnx_graph.h"

#include <stdlib.h>
#include <string.h>

enum { BUDGET_FACTOR = 16, BUDGET_BASE = 16 << 20 };

static bool onnx_probe(const char *path, const uint8_t *head, size_t n)
{
    (void)path;
    /* field 1 of ModelProto: ir_version, a small varint */
    return n >= 2 && head[0] == 0x08 && head[1] < 0x80;
}

static bool unpack(Model *m, const Subject *s)
{
    Onnx *o = m->own;
    ProtobufLimit limit = { BUDGET_BASE, BUDGET_FACTOR };
    if (!protobuf_read(s, m->path, &onnx__model_proto__descriptor, "ONNX model", limit, &o->file))
        return false;
    o->proto = (Onnx__ModelProto *)o->file.message;
    if (!o->proto->graph)
        subject_error(s, "not an ONNX model: it holds no graph");
    return o->proto->graph != NULL;
}

/* ---- the list of constants ---- */

static void add_constant(Model *m, const char *name, const Onnx__TensorProto *t,
                         const Onnx__GraphProto *scope)
{
    Onnx *o = m->own;
    if (!name || !name[0])
        return;
    if (o->n == o->room) {
        int room = MAX(64, 2 * o->room);
        o->constant = arena_grow(m->arena, o->constant, sizeof(Constant) * (size_t)o->room,
                                 sizeof(Constant) * (size_t)room);
        o->room = room;
    }
    o->constant[o->n++] = (Constant){ str_dup(m->arena, name), t, scope, false };
}

static void walk_graph(Model *m, const Onnx__GraphProto *g);

static void walk_node(Model *m, const Onnx__NodeProto *node, const Onnx__GraphProto *scope)
{
    bool constant = node->op_type && strcmp(node->op_type, "Constant") == 0 && node->n_output == 1;
    for (size_t i = 0; i < node->n_attribute; i++) {
        const Onnx__AttributeProto *a = node->attribute[i];
        if (constant && a->t && a->name && strcmp(a->name, "value") == 0)
            add_constant(m, node->output[0], a->t, scope);
        if (a->g)
            walk_graph(m, a->g);
        for (size_t k = 0; k < a->n_graphs; k++)
            walk_graph(m, a->graphs[k]);
    }
}

static void walk_graph(Model *m, const Onnx__GraphProto *g)
{
    for (size_t i = 0; i < g->n_initializer; i++)
        add_constant(m, g->initializer[i]->name, g->initializer[i], g);
    for (size_t i = 0; i < g->n_node; i++)
        walk_node(m, g->node[i], g);
}

static int by_name_and_scope(const void *a, const void *b)
{
    const Constant *p = a, *q = b;
    int order = strcmp(p->name, q->name);
    return order ? order
                 : ((uintptr_t)p->scope > (uintptr_t)q->scope)
                       - ((uintptr_t)p->scope < (uintptr_t)q->scope);
}

/* Twice in one graph is an error; in two graphs (the branches of an If) it only matters to who asks
 * for the name. The list comes out sorted by name, each name once. */
static bool list_constants(Model *m, const Subject *s)
{
    Onnx *o = m->own;
    walk_graph(m, o->proto->graph);
    if (o->n > 0)
        qsort(o->constant, (size_t)o->n, sizeof *o->constant, by_name_and_scope);
    int n = 0;
    for (int i = 0; i < o->n; i++) {
        Constant *last = n > 0 ? &o->constant[n - 1] : NULL;
        if (!last || strcmp(last->name, o->constant[i].name) != 0) {
            o->constant[n++] = o->constant[i];
            if (!model_add(m, s, o->constant[i].name))
                return false;
            continue;
        }
        if (last->scope == o->constant[i].scope) {
            subject_error(s, "duplicate tensor '%s' in graph '%s'", last->name,
                          last->scope->name ? last->scope->name : "");
            return false;
        }
        last->scope = o->constant[i].scope;
        last->elsewhere = true;
    }
    o->n = n;
    return true;
}

static bool onnx_open(Model *m, const Subject *s)
{
    Onnx *o = m->own = ARENA_NEW(m->arena, Onnx);
    o->arena = m->arena;
    return unpack(m, s) && list_constants(m, s);
}

static int compare_name(const void *key, const void *constant)
{
    return strcmp(key, ((const Constant *)constant)->name);
}

const Constant *onnx_find(const Model *m, const char *name)
{
    const Onnx *o = m->own;
    return o->n > 0 ? bsearch(name, o->constant, (size_t)o->n, sizeof *o->constant, compare_name) : NULL;
}

const TensorProto *onnx_constant(const Model *m, const char *name)
{
    const Constant *c = onnx_find(m, name);
    return c ? c->tensor : NULL;
}

Onnx__ModelProto *onnx_proto(const Model *m)
{
    return ((const Onnx *)m->own)->proto;
}

const Graph *onnx_scope(const Model *m, const char *name)
{
    const Constant *c = onnx_find(m, name);
    return c ? c->scope : NULL;
}

/* ---- the importer ---- */

static bool onnx_load(Model *m, const Subject *s, int index, Tensor *out)
{
    const Constant *c = &((Onnx *)m->own)->constant[index];
    if (c->elsewhere) {
        subject_error(
            s,
            "several graphs of the model have a tensor of this name; rename the one that is meant");
        return false;
    }
    return onnx_read_tensor(m, s, c->tensor, out);
}

static void onnx_close(Model *m)
{
    Onnx *o = m->own;
    if (o && o->walk)
        scope_free(o->walk->main);
    if (o)
        protobuf_free(&o->file);
    m->own = NULL;
}

const Importer importer_onnx = { "onnx",    ".onnx",    onnx_probe, onnx_open,
                                 onnx_load, onnx_close, onnx_layers, onnx_derive };
