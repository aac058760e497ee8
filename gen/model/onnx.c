/* onnx.c: initializers and Constant nodes of an ONNX model, subgraphs included, through protobuf-c.
 *
 * protobuf-c recurses once per nested message and allocates a struct for every empty one, so a file
 * is checked first: `measure` walks the wire format along the schema with a limit on depth, finds
 * lengths that pass the end (a truncated file), and the unpacking runs under a budget of memory. */
#include "model/onnx_graph.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, BUDGET_FACTOR = 16, BUDGET_BASE = 16 << 20 };
#define FILE_BYTES_MAX ((size_t)1 << 31) /* protobuf's own limit of a message */

static bool onnx_probe(const char *path, const uint8_t *head, size_t n)
{
    (void)path;
    /* field 1 of ModelProto: ir_version, a small varint */
    return n >= 2 && head[0] == 0x08 && head[1] < 0x80;
}

/* ---- the wire format ---- */

typedef struct Wire {
    const uint8_t *data;
    size_t at, end;
} Wire;

static bool varint(Wire *w, uint64_t *out)
{
    *out = 0;
    for (int shift = 0; shift < 64 && w->at < w->end; shift += 7) {
        uint8_t byte = w->data[w->at++];
        *out |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool wire_error(const Subject *s, size_t at, const char *what)
{
    subject_error(s, "truncated or damaged ONNX model at byte %zu: %s", at, what);
    return false;
}

static bool measure(const Subject *s, Wire w, const ProtobufCMessageDescriptor *type, int depth);

/* One length-delimited field; `field` is NULL when the schema does not know it. */
static bool measure_block(const Subject *s, Wire *w, const ProtobufCFieldDescriptor *field,
                          int depth)
{
    uint64_t length;
    size_t at = w->at;
    if (!varint(w, &length) || length > w->end - w->at) {
        subject_error(s,
                      "truncated or damaged ONNX model at byte %zu: expected %llu bytes of field "
                      "'%s', found %zu",
                      at, (unsigned long long)length, field ? field->name : "?", w->end - w->at);
        return false;
    }
    Wire inner = { w->data, w->at, w->at + length };
    w->at = inner.end;
    return !field || field->type != PROTOBUF_C_TYPE_MESSAGE
        || measure(s, inner, field->descriptor, depth + 1);
}

static bool measure(const Subject *s, Wire w, const ProtobufCMessageDescriptor *type, int depth)
{
    if (depth > DEPTH_MAX)
        return wire_error(s, w.at, "graphs nested deeper than the limit of 64 messages");
    while (w.at < w.end) {
        uint64_t tag, skip;
        size_t at = w.at;
        if (!varint(&w, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
            return wire_error(s, at, "expected a field tag");
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        size_t fixed = (tag & 7) == 1 ? 8 : (tag & 7) == 5 ? 4 : 0;
        if ((tag & 7) == 2 ? !measure_block(s, &w, field, depth) : false)
            return false;
        if ((tag & 7) == 0 && !varint(&w, &skip))
            return wire_error(s, at, "expected a number");
        if (fixed > w.end - w.at || (tag & 7) == 3 || (tag & 7) == 4 || (tag & 7) > 5)
            return wire_error(s, at, "expected a field of a known kind");
        w.at += fixed;
    }
    return true;
}

/* ---- unpacking under a budget ---- */

static void *budget_alloc(void *data, size_t n)
{
    Onnx *o = data;
    if (n > o->budget)
        return NULL;
    o->budget -= n;
    return malloc(n);
}

static void budget_free(void *data, void *p)
{
    (void)data;
    free(p);
}

static bool unpack(Model *m, const Subject *s)
{
    Onnx *o = m->own;
    Arena *scratch = arena_new(); /* the mapped file is not needed once it is unpacked */
    Bytes bytes;
    bool ok = file_read(scratch, s->diag, s->from, m->path, FILE_BYTES_MAX, &bytes)
           && measure(s, (Wire){ bytes.data, 0, bytes.size }, &onnx__model_proto__descriptor, 0);
    if (ok) {
        o->budget = BUDGET_BASE + BUDGET_FACTOR * bytes.size;
        o->allocator = (ProtobufCAllocator){ budget_alloc, budget_free, o };
        o->proto = onnx__model_proto__unpack(&o->allocator, bytes.size, bytes.data);
        if (!o->proto)
            subject_error(
                s, "damaged ONNX model: its %zu bytes do not unpack within %zu bytes of memory",
                bytes.size, BUDGET_BASE + BUDGET_FACTOR * bytes.size);
        else if (!o->proto->graph)
            subject_error(s, "not an ONNX model: it holds no graph");
        ok = o->proto && o->proto->graph;
    }
    arena_free(scratch);
    return ok;
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
    if (o && o->proto)
        onnx__model_proto__free_unpacked(o->proto, &o->allocator);
    m->own = NULL;
}

const Importer importer_onnx = { "onnx",    ".onnx",    onnx_probe, onnx_open,
                                 onnx_load, onnx_close, onnx_layers, onnx_derive };
