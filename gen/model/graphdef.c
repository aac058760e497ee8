/* graphdef.c: the constants of a frozen graph of TensorFlow (.pb, a GraphDef), and its nodes by name. Tensors are the
 * Const nodes of floating point, under their own names. */
#include "model/graphdef.h"

#include <stdlib.h>
#include <string.h>

/* A graph of many nodes without weights takes many times its size: not more than this. */
static const ProtobufLimit LIMIT = { 24 << 20, 2 };

/* DataType of types.proto; `field`: where numbers stand that are no raw bytes. */
static const struct {
    int code;
    const char *type;
    char field;
} TYPES[] = {
    { 1, "f4", 'f' }, { 2, "f8", 'd' }, { 3, "i4", 'i' }, { 4, "u1", 'i' }, { 5, "i2", 'i' }, { 6, "i1", 'i' },
    { 9, "i8", 'l' }, { 14, "bf2", 'h' }, { 19, "f2", 'h' },
};

/* GraphDef: field 1, a NodeDef, whose field 1 is a printable name, followed by field 2, the operator. */
static bool graphdef_probe(const char *path, const uint8_t *head, size_t n)
{
    size_t at = 1;
    (void)path;
    if (n < 8 || head[0] != 0x0a)
        return false;
    while (at < n && head[at] & 0x80)
        at++;
    if (at + 2 >= n || head[at + 1] != 0x0a || head[at + 2] >= 0x80)
        return false;
    size_t name = at + 3, length = head[at + 2];
    for (size_t k = name; k < name + length && k < n; k++)
        if (head[k] < ' ' || head[k] > '~')
            return false;
    return length > 0 && name + length < n && head[name + length] == 0x12;
}

/* ---- attributes and constants ---- */

const TensorFlow__Value *tf_attribute(const TfNode *n, const char *key)
{
    for (size_t i = 0; i < n->proto->n_attr; i++)
        if (n->proto->attr[i]->key && strcmp(n->proto->attr[i]->key, key) == 0)
            return n->proto->attr[i]->value;
    return NULL;
}

double tf_number(const TfNode *n, const char *key, double otherwise)
{
    const TensorFlow__Value *v = tf_attribute(n, key);
    return v && v->has_f ? (double)v->f : v && v->has_i ? (double)v->i : otherwise;
}

bool tf_flag(const TfNode *n, const char *key, bool otherwise)
{
    const TensorFlow__Value *v = tf_attribute(n, key);
    return v && v->has_b ? v->b : otherwise;
}

static const TensorFlow__Values *values_of(const TfNode *n)
{
    const TensorFlow__Value *v = strcmp(n->op, "Const") == 0 ? tf_attribute(n, "value") : NULL;
    return v ? v->tensor : NULL;
}

static int type_row(const TensorFlow__Values *v)
{
    int i = 0;
    while (i < LENGTH(TYPES) && v->dtype != TYPES[i].code)
        i++;
    return i;
}

static bool is_floating(const TfNode *n)
{
    const TensorFlow__Values *v = values_of(n);
    int row = v ? type_row(v) : LENGTH(TYPES);
    return row < LENGTH(TYPES) && dtype_find(TYPES[row].type)->floating;
}

static int64_t rank_of(const TensorFlow__Values *v)
{
    return v->tensor_shape ? (int64_t)v->tensor_shape->n_dim : 0;
}

/* Where its numbers are: raw, or a list whose last number fills the rest of the shape. */
typedef struct Numbers {
    const void *data;
    size_t n, size;                     /* size: bytes of an element there */
} Numbers;

static Numbers numbers_of(const TensorFlow__Values *v, int row)
{
    size_t size = dtype_find(TYPES[row].type)->size;
    if (v->has_tensor_content && v->tensor_content.len > 0)
        return (Numbers){ v->tensor_content.data, v->tensor_content.len / size, size };
    switch (TYPES[row].field) {
    case 'f': return (Numbers){ v->float_val, v->n_float_val, sizeof(float) };
    case 'd': return (Numbers){ v->double_val, v->n_double_val, sizeof(double) };
    case 'l': return (Numbers){ v->int64_val, v->n_int64_val, sizeof(int64_t) };
    case 'h': return (Numbers){ v->half_val, v->n_half_val, sizeof(int32_t) };
    default: return (Numbers){ v->int_val, v->n_int_val, sizeof(int32_t) };
    }
}

/* Element k of a list of int32 or of the type itself (host order: both are little-endian). */
static float decode_one(const Numbers *from, int row, size_t k)
{
    float value;
    dtype_find(TYPES[row].type)->decode
        ? dtype_find(TYPES[row].type)->decode((const uint8_t *)from->data + k * from->size, 1, &value)
        : (void)memcpy(&value, (const uint8_t *)from->data + k * from->size, sizeof value);
    return value;
}

int64_t tf_count(const TfNode *n)
{
    const TensorFlow__Values *v = values_of(n);
    if (!v || type_row(v) == LENGTH(TYPES) || numbers_of(v, type_row(v)).n == 0)
        return 0;
    int64_t count = 1;
    for (int64_t i = 0; i < rank_of(v); i++) {
        int64_t size = v->tensor_shape->dim[i]->size;
        if (size < 1 || size > INT32_MAX || count > INT32_MAX)
            return 0;
        count *= size;
    }
    return count;
}

double tf_element(const TfNode *n, int64_t k)
{
    const TensorFlow__Values *v = values_of(n);
    int row = type_row(v);
    Numbers from = numbers_of(v, row);
    return (double)decode_one(&from, row, MIN((size_t)k, from.n - 1));
}

/* ---- the importer ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(TfNode *const *)a)->name, (*(TfNode *const *)b)->name);
}

static const TfNode *find_node(const TfGraph *g, const char *name)
{
    int low = 0, high = g->n;
    while (low < high) {
        int middle = low + (high - low) / 2, order = strcmp(g->sorted[middle]->name, name);
        if (order == 0)
            return g->sorted[middle];
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

/* "name", "name:1"; "^name" only orders. A node that is missing leaves a Ref of none. */
static void link_inputs(Arena *a, Arena *scratch, TfGraph *g, TfNode *n)
{
    n->in = ARENA_ARRAY(a, Ref, MIN(n->proto->n_input, INPUTS_MAX) + 1);
    for (size_t k = 0; k < n->proto->n_input && n->inputs < INPUTS_MAX; k++) {
        char *name = str_dup(scratch, n->proto->input[k]);
        char *colon = strrchr(name, ':');
        int port = colon ? atoi(colon + 1) : 0;
        if (colon)
            *colon = '\0';
        if (name[0] != '^')
            n->in[n->inputs++] = (Ref){ find_node(g, name), port };
    }
}

static bool link_nodes(Model *m, const Subject *s, TfGraph *g)
{
    const TensorFlow__Graph *proto = (const TensorFlow__Graph *)g->file.message;
    g->node = ARENA_ARRAY(m->arena, TfNode, MAX(proto->n_node, 1));
    g->sorted = ARENA_ARRAY(m->arena, TfNode *, MAX(proto->n_node, 1));
    for (size_t i = 0; i < proto->n_node; i++) {
        const TensorFlow__Node *p = proto->node[i];
        if (!p->name || !p->op) {
            subject_error(s, "damaged frozen graph: node %zu has no name or no operator", i);
            return false;
        }
        g->node[i] = (TfNode){ .name = p->name, .op = p->op, .proto = p };
        g->sorted[i] = &g->node[i];
    }
    g->n = (int)proto->n_node;
    qsort(g->sorted, (size_t)g->n, sizeof *g->sorted, by_name);
    Arena *scratch = arena_new();
    for (int i = 0; i < g->n; i++)
        link_inputs(m->arena, scratch, g, &g->node[i]);
    arena_free(scratch);
    return true;
}

static bool graphdef_open(Model *m, const Subject *s)
{
    TfGraph *g = m->own = ARENA_NEW(m->arena, TfGraph);
    if (!protobuf_read(s, m->path, &tensor_flow__graph__descriptor, "frozen graph of TensorFlow", LIMIT, &g->file)
        || !link_nodes(m, s, g))
        return false;
    g->tensor = ARENA_ARRAY(m->arena, int, MAX(g->n, 1));
    for (int i = 0; i < g->n; i++)
        if (is_floating(&g->node[i])) {
            g->tensor[m->n] = i;
            if (!model_add(m, s, str_dup(m->arena, g->node[i].name)))
                return false;
        }
    if (m->n == 0)
        subject_error(s, "a graph of TensorFlow without constants: it is not frozen, its weights are in a checkpoint; in "
                         "TensorFlow: r = tf.train.load_checkpoint(FILE); numpy.savez(\"model.npz\", **{k: "
                         "r.get_tensor(k) for k in r.get_variable_to_shape_map()})");
    return m->n > 0;
}

static bool graphdef_load(Model *m, const Subject *s, int index, Tensor *out)
{
    const TfGraph *g = m->own;
    const TfNode *n = &g->node[g->tensor[index]];
    const TensorFlow__Values *v = values_of(n);
    int row = type_row(v);
    int64_t shape[RANK_MAX] = { 0 }, rank = rank_of(v);
    for (int64_t i = 0; i < MIN(rank, RANK_MAX); i++)
        shape[i] = v->tensor_shape->dim[i]->size;
    if (!tensor_shape(s, out, rank, shape, dtype_find(TYPES[row].type)))
        return false;
    Numbers from = numbers_of(v, row);
    bool raw = v->has_tensor_content && v->tensor_content.len > 0;
    if (from.n == 0 || from.n > (size_t)out->count || (raw && from.n != (size_t)out->count)) {
        subject_error(s, "truncated or damaged: expected %lld values, found %zu", (long long)out->count, from.n);
        return false;
    }
    out->data = ARENA_ARRAY(m->arena, float, out->count);
    for (int64_t k = 0; k < out->count; k++) {
        out->data[k] = decode_one(&from, row, MIN((size_t)k, from.n - 1));
        if (!(out->data[k] - out->data[k] == 0)) {
            subject_error(s, "value %lld is NaN or Inf", (long long)k);
            return false;
        }
    }
    return true;
}

static void graphdef_close(Model *m)
{
    TfGraph *g = m->own;
    if (g)
        protobuf_free(&g->file);
    m->own = NULL;
}

const Importer importer_graphdef = { "frozen graph of TensorFlow", ".pb", graphdef_probe, graphdef_open, graphdef_load,
                                     graphdef_close, graphdef_layers, NULL };
