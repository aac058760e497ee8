/* onnx_value.c: values of a graph that is being read: names and scopes, constants as windows on arrays, attributes. */
#define _GNU_SOURCE /* tdestroy */
#include "model/onnx_graph.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOL_FIRST ((int64_t)1 << 61)
#define SYMBOLS_MAX ((int64_t)1 << 32)
#define COMPUTED_MAX (TENSOR_BYTES_MAX / sizeof(int64_t)) /* elements of an array made here */

bool is_symbol(int64_t size)
{
    return size >= SYMBOL_FIRST && size < SYMBOL_FIRST + SYMBOLS_MAX;
}

int64_t first_symbol(void)
{
    return SYMBOL_FIRST;
}

int64_t new_symbol(Walk *w)
{
    REQUIRE(w->symbols < SYMBOLS_MAX);
    return SYMBOL_FIRST + w->symbols++;
}

/* ---- values and their names ---- */

Value *value_new(Walk *w, ValueKind kind)
{
    Value *v = ARENA_NEW(w->arena, Value);
    v->kind = kind;
    v->serial = w->n;
    if (w->n == w->room) {
        int room = MAX(256, 2 * w->room);
        w->value = arena_grow(w->arena, w->value, sizeof(Value *) * (size_t)w->room, sizeof(Value *) * (size_t)room);
        w->room = room;
    }
    return w->value[w->n++] = v;
}

static bool value_core(const Value *v)
{
    return v && (v->core || value_recurrent(v));
}

Value *call_out(Call *c, int i, ValueKind kind)
{
    Value *v = value_new(c->walk, kind);
    v->node = c->node;
    v->label = c->label;
    v->name = str_dup(c->walk->arena, (size_t)i < c->node->n_output ? c->node->output[i] : "");
    v->from = c->all;
    v->n_from = c->n_all;
    for (int k = 0; k < v->n_from; k++)
        v->core = v->core || value_core(v->from[k]);
    return c->out[i] = v;
}

void call_outside(Call *c, const char *why, bool anywhere)
{
    const Value *first = c->n_in > 0 ? c->in[0] : NULL;
    const Operator *row = operator_find(c->node->op_type);
    for (int i = 0; i < c->n_out; i++) {
        if (c->out[i])
            continue;
        Value *v = call_out(c, i, OUTSIDE);
        v->why = why;
        v->anywhere = anywhere;
        v->regroups = row && row->moves;
        if (row && row->moves && first)
            v->state = first->state;
    }
}

typedef struct Name {
    const char *name;
    Value *value;
} Name;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Name *)a)->name, ((const Name *)b)->name);
}

void scope_put(Walk *w, Scope *s, const char *name, Value *v)
{
    if (!name || !name[0])
        return;
    Name *n = ARENA_NEW(w->arena, Name);
    *n = (Name){ str_dup(w->arena, name), v };
    Name **found = tsearch(n, &s->names, by_name);
    if (!found)
        FAULT("out of memory for a name");
    (*found)->value = v;
}

bool scope_find(const Scope *s, const char *name, Value **out)
{
    Name key = { name, NULL };
    for (; s; s = s->outer) {
        Name **found = tfind(&key, &s->names, by_name);
        if (found) {
            *out = (*found)->value;
            return true;
        }
    }
    return false;
}

static void keep_name(void *name)
{
    (void)name; /* the arena's */
}

void scope_free(Scope *s)
{
    tdestroy(s->names, keep_name);
    s->names = NULL;
}

const char *node_name(const Node *n)
{
    if (n->name && n->name[0])
        return n->name;
    for (size_t i = 0; i < n->n_output; i++)
        if (n->output[i][0])
            return n->output[i];
    return "?";
}

/* ---- attributes ---- */

static const Onnx__AttributeProto *attribute_of(const Node *n, const char *name)
{
    for (size_t i = 0; i < n->n_attribute; i++)
        if (n->attribute[i]->name && strcmp(n->attribute[i]->name, name) == 0)
            return n->attribute[i];
    return NULL;
}

/* Inside a function an attribute may stand for one of the node that calls it. */
const Onnx__AttributeProto *call_attribute(const Call *c, const char *name)
{
    const Onnx__AttributeProto *a = attribute_of(c->node, name);
    for (const Scope *s = c->scope; a && a->ref_attr_name && a->ref_attr_name[0]; s = s->caller) {
        while (s && !s->call)
            s = s->outer;
        if (!s)
            return NULL;
        a = attribute_of(s->call, a->ref_attr_name);
    }
    return a;
}

int64_t call_int(const Call *c, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *a = call_attribute(c, name);
    return a ? a->i : otherwise;
}

float call_float(const Call *c, const char *name, float otherwise)
{
    const Onnx__AttributeProto *a = call_attribute(c, name);
    return a ? a->f : otherwise;
}

/* ---- making constants ---- */

static View view_of(Array *array, int rank, const int64_t *shape)
{
    View v = { .array = array, .rank = rank };
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        v.shape[i] = shape[i];
        v.stride[i] = step;
        step *= shape[i];
    }
    return v;
}

/* A tensor of the file; its elements are read when they are needed. */
Value *constant_of_tensor(Walk *w, const TensorProto *t, const char *name)
{
    int64_t count = 1;
    bool fits = t->n_dims <= RANK_MAX;
    for (size_t i = 0; fits && i < t->n_dims; i++) {
        fits = t->dims[i] >= 0 && (t->dims[i] == 0 || count <= SYMBOL_FIRST / t->dims[i] / 2);
        count *= fits ? t->dims[i] : 1;
    }
    Value *v = value_new(w, fits ? CONSTANT : OUTSIDE);
    v->name = str_dup(w->arena, name ? name : "");
    if (!fits) {
        v->why = str_format(w->arena, "tensor '%s': its shape %s is too large", v->name,
                            dims_text(w->arena, (int64_t)t->n_dims, t->dims));
        return v;
    }
    Array *a = ARENA_NEW(w->arena, Array);
    *a = (Array){ .from = t, .integer = !onnx_is_floating(t), .count = count };
    v->view = view_of(a, (int)t->n_dims, t->dims);
    return v;
}

static Value *computed(Call *c, int i, int rank, const int64_t *shape, float *f, int64_t *n)
{
    Array *a = ARENA_NEW(c->walk->arena, Array);
    *a = (Array){ .integer = n != NULL, .read = true, .count = 1, .f = f, .i = n };
    for (int k = 0; k < rank; k++)
        a->count *= shape[k];
    Value *v = call_out(c, i, CONSTANT);
    v->view = view_of(a, rank, shape);
    return v;
}

Value *call_floats(Call *c, int i, int rank, const int64_t *shape, float *values)
{
    return computed(c, i, rank, shape, values, NULL);
}

Value *call_ints(Call *c, int i, int rank, const int64_t *shape, const int64_t *values)
{
    int64_t count = 1;
    for (int k = 0; k < rank; k++)
        count *= shape[k];
    int64_t *own = ARENA_ARRAY(c->walk->arena, int64_t, MAX(count, 1));
    if (count > 0)
        memcpy(own, values, sizeof *own * (size_t)count);
    return computed(c, i, rank, shape, NULL, own);
}

Value *call_view(Call *c, int i, View view)
{
    Value *v = call_out(c, i, CONSTANT);
    v->view = view;
    return v;
}

/* ---- reading constants ---- */

bool is_constant(const Value *v)
{
    return v && v->kind == CONSTANT;
}

bool is_integer(const Value *v)
{
    return is_constant(v) && v->view.array->integer;
}

int64_t view_count(const View *v)
{
    int64_t count = v->rank < 0 ? -1 : 1;
    for (int i = 0; i < v->rank && count >= 0; i++)
        count = is_symbol(v->shape[i]) || (v->shape[i] && (uint64_t)count > COMPUTED_MAX / (uint64_t)v->shape[i])
                  ? -1
                  : count * v->shape[i];
    return count;
}

/* Reads the array's elements from the file, once. What is wrong with them is an error of the file. */
bool view_read(Walk *w, const View *v)
{
    Array *a = v->array;
    if (a->read || a->failed)
        return a->read;
    Subject s = *w->subject;
    s.tensor = a->from->name && a->from->name[0] ? a->from->name : NULL;
    a->read = onnx_read_elements(w->model, &s, a->from, a->count, &a->f, &a->i);
    a->failed = !a->read;
    w->failed = w->failed || a->failed;
    return a->read;
}

int64_t view_at(const View *v, int64_t n)
{
    int64_t at = v->offset;
    for (int i = v->rank - 1; i >= 0; i--) {
        at += n % v->shape[i] * v->stride[i];
        n /= v->shape[i];
    }
    return at;
}

/* The view without axes that repeat the same elements: what is left has known sizes. */
static View distinct(const View *v)
{
    View d = { .array = v->array, .offset = v->offset };
    for (int i = 0; i < v->rank; i++)
        if (v->stride[i] != 0) {
            d.shape[d.rank] = v->shape[i];
            d.stride[d.rank++] = v->stride[i];
        }
    return d;
}

bool view_uniform(Walk *w, const View *v, double *value)
{
    View d = distinct(v);
    int64_t count = view_count(&d);
    if (count <= 0 || d.array->count == 0 || !view_read(w, v))
        return false;
    for (int64_t n = 0; n < count; n++) {
        int64_t at = view_at(&d, n);
        double one = d.array->integer ? (double)d.array->i[at] : (double)d.array->f[at];
        if (n > 0 && !(one == *value))
            return false;
        *value = one;
    }
    return !d.array->integer || !is_symbol(d.array->i[view_at(&d, 0)]);
}

float *view_floats(Walk *w, const View *v)
{
    int64_t count = view_count(v);
    if (count < 0 || v->array->integer || !view_read(w, v))
        return NULL;
    float *out = ARENA_ARRAY(w->arena, float, MAX(count, 1));
    for (int64_t n = 0; n < count; n++)
        out[n] = v->array->f[view_at(v, n)];
    return out;
}

int64_t *view_ints(Walk *w, const View *v, int *n)
{
    enum { MOST = 1 << 20 };
    int64_t count = view_count(v);
    if (count < 0 || count > MOST || !v->array->integer || !view_read(w, v))
        return NULL;
    int64_t *out = ARENA_ARRAY(w->arena, int64_t, MAX(count, 1));
    for (int64_t k = 0; k < count; k++)
        out[k] = v->array->i[view_at(v, k)];
    *n = (int)count;
    return out;
}

bool call_list(const Call *c, int i, const char *attribute, int64_t *out, int *n)
{
    const Onnx__AttributeProto *a = attribute ? call_attribute(c, attribute) : NULL;
    const Value *v = i < c->n_in ? c->in[i] : NULL;
    const int64_t *from = NULL;
    *n = 0;
    if (v) {
        from = is_integer(v) && v->view.rank <= 1 && v->view.rank >= 0 ? view_ints(c->walk, &v->view, n) : NULL;
    } else if (a) {
        from = a->ints;
        *n = a->n_ints > RANK_MAX ? RANK_MAX + 1 : (int)a->n_ints;
    } else {
        return true;
    }
    if (*n > RANK_MAX || (!from && *n > 0) || (v && !from))
        return false;
    for (int k = 0; k < *n; k++)
        out[k] = from[k];
    return true;
}

int axis_number(int64_t axis, int rank)
{
    int64_t a = axis < 0 ? axis + rank : axis;
    return a >= 0 && a < rank ? (int)a : -1;
}

bool view_whole(const View *v)
{
    int64_t step = 1;
    for (int i = v->rank - 1; i >= 0; i--) {
        if (v->shape[i] != 1 && v->stride[i] != step)
            return false;
        step *= v->shape[i];
    }
    return v->rank >= 0 && v->offset == 0 && step == v->array->count;
}

View view_transposed(View v)
{
    for (int i = 0; i < v.rank / 2; i++) {
        int k = v.rank - 1 - i;
        int64_t size = v.shape[i], stride = v.stride[i];
        v.shape[i] = v.shape[k];
        v.stride[i] = v.stride[k];
        v.shape[k] = size;
        v.stride[k] = stride;
    }
    return v;
}
