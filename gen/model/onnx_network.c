/* onnx_network.c: what the core of a graph is: which of its outputs, or how far on the way there, and the layers up to
 * it as a spec would name them. What is left out is said in warnings; what cannot be left out is an error. */
#include "model/onnx_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the walk ---- */

static int64_t named_symbol(Walk *w, const char *name)
{
    for (int64_t i = 0; i < w->symbols && i < SYMBOLS_NAMED; i++)
        if (w->symbol[i] && strcmp(w->symbol[i], name) == 0)
            return first_symbol() + i;
    int64_t fresh = w->symbols;
    if (fresh < SYMBOLS_NAMED)
        w->symbol[fresh] = str_dup(w->arena, name);
    return new_symbol(w);
}

/* A graph input: axes 'a', 'b' ... whose meaning the layer that takes it tells. */
static void walk_input(Walk *w, const Onnx__ValueInfoProto *in)
{
    Value *known;
    const Onnx__TypeProto *t = in->type;
    bool tensor = t && t->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && t->tensor_type;
    const Onnx__TensorShapeProto *shape = tensor ? t->tensor_type->shape : NULL;
    if (!in->name || scope_find(w->main, in->name, &known))
        return;
    Value *v = value_new(w, shape && shape->n_dim <= RANK_MAX ? VECTORS : OUTSIDE);
    v->name = v->label = v->state = str_dup(w->arena, in->name);
    if (v->kind == VECTORS) {
        v->axes = ARENA_NEW(w->arena, Axes);
        v->axes->rank = (int)shape->n_dim;
    }
    for (int i = 0; v->axes && i < v->axes->rank; i++) {
        const Onnx__TensorShapeProto__Dimension *d = shape->dim[i];
        int64_t size = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0
                         ? d->dim_value
                     : d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && d->dim_param[0]
                         ? named_symbol(w, d->dim_param)
                         : new_symbol(w);
        v->axes->axis[i] = axis_of((char)('a' + i), size);
    }
    scope_put(w, w->main, in->name, v);
}

static Walk *walk_of(Model *m, const Subject *s)
{
    Onnx *o = m->own;
    const Graph *g = o->proto->graph;
    if (o->walk) {
        o->walk->subject = s;
        return o->walk;
    }
    Walk *w = o->walk = ARENA_NEW(m->arena, Walk);
    *w = (Walk){ .model = m, .subject = s, .arena = m->arena, .main = ARENA_NEW(m->arena, Scope) };
    w->symbol = ARENA_ARRAY(m->arena, const char *, SYMBOLS_NAMED);
    w->main->prefix = "";
    walk_initializers(w, w->main, g);
    for (size_t i = 0; i < g->n_input; i++)
        walk_input(w, g->input[i]);
    walk_nodes(w, w->main, g->n_node, g->node);
    return w;
}

/* ---- how far the core reaches ---- */

/* Where the core ends on the way to a value: at `end`, before the node `outside` (NULL: it is the value itself). `why`:
 * it cannot end there. */
typedef struct Ending {
    const Value *end;
    const Node *outside;
    const char *label, *why;
} Ending;

/* What a core gives: whole vectors, as the layer made them. */
static bool deliverable(const Value *v)
{
    return vectors_plain(v) && !v->scale && !v->shift;
}

static void back_to_deliverable(Ending *e)
{
    while (e->end && !deliverable(e->end)) {
        const Value *v = e->end;
        e->end = NULL;
        e->outside = v->node;
        e->label = v->label;
        for (int i = 0; i < v->n_from && !e->end; i++)
            if (value_recurrent(v->from[i]))
                e->end = v->from[i];
    }
}

static const Part *meeting(const Part *a, const Part *b)
{
    while (a != b && a && b)
        if (a->depth > b->depth)
            a = a->before;
        else if (b->depth > a->depth)
            b = b->before;
        else {
            a = a->before;
            b = b->before;
        }
    return a == b ? a : NULL;
}

static bool only_linear(const Part *from, const Part *to)
{
    for (; from != to; from = from->before)
        if (from->kind != PART_LINEAR)
            return false;
    return true;
}

/* Two values of layers meet in what the core leaves outside: the core ends where both have come from, if no recurrent
 * layer is lost by that. */
static void join(Walk *w, Ending *e, const Value *other, const Value *where)
{
    const Part *meet = meeting(e->end->at, other->at);
    if (meet == other->at)
        return;
    if (!meet || !only_linear(e->end->at, meet) || !only_linear(other->at, meet)) {
        e->why = str_format(w->arena, "%s '%s' joins what '%s' and '%s' give: a core is one chain of layers; name in "
                            "model.layers the one that is wanted", where->node->op_type, where->label,
                            e->end->at->label, other->at->label);
        return;
    }
    const Part *first = e->end->at;
    while (first->before != meet)
        first = first->before;
    e->end = first->input;
    e->outside = first->node;
    e->label = first->label;
}

/* Follows a value that is outside back to the layers. */
static Ending ending_outside(Walk *w, const Value *output)
{
    Ending e = { 0 };
    const char *reason = NULL; /* where no layer is met: the first thing that was not understood */
    uint8_t *marked = arena_alloc(w->arena, (size_t)w->n);
    marked[output->serial] = 1;
    for (int i = output->serial; i >= 0; i--)
        for (int k = 0; marked[i] && k < w->value[i]->n_from; k++) {
            const Value *f = w->value[i]->from[k];
            if (f && (f->kind == OUTSIDE || f->kind == STACK))
                marked[f->serial] = 1;
        }
    for (int i = 0; i <= output->serial; i++) {
        const Value *v = w->value[i];
        if (marked[i] && v->anywhere && !e.why)
            e.why = v->why;
        if (marked[i] && !reason)
            reason = v->why;
        for (int k = 0; marked[i] && k < v->n_from; k++) {
            const Value *f = v->from[k];
            if (value_recurrent(f) && (!e.end || f->at->depth > e.end->at->depth
                                || (f->at->depth == e.end->at->depth && e.end->last && !f->last)))
                e = (Ending){ f, v->node, v->label, e.why ? e.why : v->why };
        }
    }
    for (int i = 0; i <= output->serial && e.end && !e.why; i++)
        for (int k = 0; marked[i] && k < w->value[i]->n_from && !e.why; k++)
            if (value_recurrent(w->value[i]->from[k]))
                join(w, &e, w->value[i]->from[k], w->value[i]);
    if (!e.end && !e.why)
        e.why = reason;
    return e;
}

static Ending ending_of(Walk *w, const Value *output)
{
    Ending e = { .end = output };
    if (!value_recurrent(output))
        e = output && (output->kind == OUTSIDE || output->kind == STACK) ? ending_outside(w, output) : (Ending){ 0 };
    back_to_deliverable(&e);
    return e;
}

/* ---- which output ---- */

/* What a graph hands on from call to call, rather than its result. */
static bool is_state(const Value *v)
{
    bool stack = value_is(v, STACK);
    for (int i = 0; stack && i < v->n_from; i++)
        stack = v->from[i]->final;
    bool cell = value_is(v, OUTSIDE) && v->node && v->n_from > 0 && v->why && strcmp(v->node->op_type, "LSTM") == 0
             && !v->anywhere;
    return stack || cell || (value_recurrent(v) && v->final && (v->at->cell.state[0] || v->at->cell.state[1]));
}

typedef struct Choice {
    Ending ending;
    int output; /* -1: none */
    const char *why;
} Choice;

/* The deepest of the outputs; of equals one that the core gives itself, then the first. The first output that is no
 * state has to be understood. */
static Choice choose(Walk *w)
{
    const Graph *g = onnx_proto(w->model)->graph;
    Choice best = { .output = -1 };
    int best_rank = -1;
    bool first = true;
    const char *reason = NULL;
    for (size_t i = 0; i < g->n_output && !best.why; i++) {
        Value *v;
        if (!g->output[i]->name || !scope_find(w->main, g->output[i]->name, &v) || !v)
            continue;
        Ending e = ending_of(w, v);
        bool state = is_state(v);
        if (e.why && first && !state)
            best = (Choice){ .output = -1, .why = e.why };
        reason = reason ? reason : e.why;
        first = first && state;
        int rank = e.end && !e.why ? 4 * e.end->at->depth + 2 * !e.outside + (state ? 0 : 4 * LAYERS_MAX) : -1;
        if (rank > best_rank) {
            best_rank = rank;
            best = (Choice){ e, (int)i, NULL };
        }
    }
    for (int i = 0; i < w->parts && best.output < 0 && !best.why; i++)
        best.why = w->part[i]->refused;
    if (best.output < 0 && !best.why)
        best.why = reason;
    return best;
}

/* ---- names ---- */

/* The file's own name of the array, or NULL. */
static const char *tensor_name(const Walk *w, const View *v)
{
    const Onnx *o = w->model->own;
    for (int i = 0; v->array->from && i < o->n; i++)
        if (o->constant[i].tensor == v->array->from && !o->constant[i].elsewhere)
            return o->constant[i].name;
    return NULL;
}

/* What follows from the file's tensors is called after its node: "node:W". No tensor of the file has the name. */
static const char *derived_name(const Walk *w, const Part *p, const char *letter)
{
    char *name = str_format(w->arena, "%s:%s", p->label, letter);
    while (onnx_find(w->model, name))
        name = str_format(w->arena, "%s'", name);
    return name;
}

static const char *weight_name(const Walk *w, const Part *p, const View *v, const char *letter)
{
    const char *name = view_whole(v) ? tensor_name(w, v) : NULL;
    return name ? name : derived_name(w, p, letter);
}

/* The decimal number that was meant by a float: the shortest that gives it. */
static double decimal(float v)
{
    char text[32];
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)v);
        if (strtof(text, NULL) == v)
            break;
    }
    return strtod(text, NULL);
}

static LayerSpec cell_spec(const Walk *w, const Part *p)
{
    const CellKind *kind = p->cell.kind;
    const CellNode *c = &p->cell;
    LayerSpec l = { .cell = kind->cell[c->reset_after], .gates = kind->gates, .at = w->subject->from };
    l.clip_input = c->clip > 0 ? decimal(c->clip) : 0;
    if (p->P.array) {
        l.peephole = weight_name(w, p, &p->P, "P");
        l.peephole_order = "iof";
    }
    l.h0 = p->initial[0].array ? weight_name(w, p, &p->initial[0], "h0") : NULL;
    l.c0 = p->initial[1].array ? weight_name(w, p, &p->initial[1], "c0") : NULL;
    for (; l.n_activations < ACTIVATIONS_MAX && p->cell.curve[l.n_activations]; l.n_activations++)
        l.activations[l.n_activations] = p->cell.curve[l.n_activations];
    l.W = weight_name(w, p, &p->W, "W");
    l.R = weight_name(w, p, &p->R, "R");
    if (p->B.array)
        l.b[l.n_b++] = weight_name(w, p, &p->B, "B");
    return l;
}

static LayerSpec linear_spec(const Walk *w, const Part *p)
{
    LayerSpec l = { .cell = "linear", .activation = p->activation, .at = w->subject->from };
    View turned = view_transposed(p->W);
    l.transpose = !(view_whole(&turned) && tensor_name(w, &turned));
    l.W = weight_name(w, p, l.transpose ? &p->W : &turned, "W");
    if (p->B.array)
        l.b[l.n_b++] = weight_name(w, p, &p->B, "B");
    return l;
}

/* ---- what is left out ---- */

static const char *op_of(const Node *n)
{
    return n && n->op_type ? n->op_type : "?";
}

static void warn(const Walk *w, const char *text)
{
    diag_warn(w->subject->diag, w->subject->from, "%s: %s", w->subject->file, text);
}

static void warn_states(const Walk *w, const Part *last)
{
    Buffer b;
    buffer_init(&b, w->arena);
    for (const Part *p = last; p; p = p->before)
        for (int i = 0; i < STATES && p->kind == PART_CELL; i++)
            if (p->cell.state[i] && !strstr(b.text, str_format(w->arena, "'%s'", p->cell.state[i])))
                buffer_print(&b, "%s'%s'", b.length ? ", " : "", p->cell.state[i]);
    if (b.length)
        warn(w, str_format(w->arena, "the state comes in through the graph's inputs (%s): the core starts every "
                           "sequence from zero and keeps its state itself", b.text));
}

/* An output that the same layer gives: a rearrangement, or the last step. */
static bool given(const Walk *w, const Choice *c, const char *name)
{
    Value *v;
    return name && scope_find(w->main, name, &v) && value_recurrent(v) && deliverable(v) && !c->ending.outside
        && v->at == c->ending.end->at && (v->last || !c->ending.end->last);
}

static void warn_outputs(const Walk *w, const Choice *c)
{
    const Graph *g = onnx_proto(w->model)->graph;
    Buffer b;
    buffer_init(&b, w->arena);
    for (size_t i = 0; i < g->n_output; i++)
        if ((int)i != c->output && !given(w, c, g->output[i]->name))
            buffer_print(&b, "%s'%.200s'", b.length ? ", " : "", g->output[i]->name ? g->output[i]->name : "");
    if (b.length && c->ending.outside)
        warn(w, str_format(w->arena, "the core does not lead to these outputs of the graph at all: %s", b.text));
    else if (b.length)
        warn(w, str_format(w->arena, "the core gives output '%s' of the graph; it leaves out %s",
                           g->output[c->output]->name, b.text));
}

static void warn_rest(const Walk *w, const Choice *c, const Part *first)
{
    const Value *X = first->input;
    if (X->kind == OUTSIDE && X->node)
        warn(w, str_format(w->arena, "the core starts at '%s', which %s '%s' computes outside it: verify.input "
                           "must hold the values of '%s'", X->name, op_of(X->node), X->label, X->name));
    warn_states(w, c->ending.end->at);
    if (c->ending.outside)
        warn(w, str_format(w->arena, "the core ends at '%s': the graph goes on with %s '%s', which is not part of it",
                           c->ending.end->name, op_of(c->ending.outside), c->ending.label));
    warn_outputs(w, c);
}

/* ---- the importer ---- */

/* Which tensors of the file the core's output is computed from, as the graph does it: weights, and all that scales,
 * shifts or arranges them. What computes the core's input is not followed. */
static uint8_t *reached(const Walk *w, const Value *end, const Value *start)
{
    const Onnx *o = w->model->own;
    uint8_t *marked = arena_alloc(w->arena, (size_t)w->n), *out = arena_alloc(w->arena, (size_t)MAX(o->n, 1));
    marked[end->serial] = 1;
    for (int i = end->serial; i >= 0; i--)
        for (int k = 0; marked[i] && w->value[i] != start && k < w->value[i]->n_from; k++)
            if (w->value[i]->from[k])
                marked[w->value[i]->from[k]->serial] = 1;
    for (int i = 0; i < o->n; i++) {
        Value *v;
        out[i] = scope_find(w->main, o->constant[i].name, &v) && is_constant(v) && marked[v->serial]
              && v->view.array->from == o->constant[i].tensor;
    }
    return out;
}

/* Of a graph input, as the file has it: axes 'a', 'b' ... */
static int steps_axis(const Part *first)
{
    const Value *X = first->input;
    int at = first->kind == PART_CELL && first->cell.batch_first;
    if (X->kind != VECTORS || X->at || X->axes->rank != 3 || X->axes->axis[at].n != 1)
        return -1;
    return X->axes->axis[at].atom[0].label - 'a';
}

static void fill_network(Walk *w, const Choice *c, FoundNetwork *out)
{
    const Part *p = c->ending.end->at, *first = p;
    *out = (FoundNetwork){ .n = p->depth, .last = c->ending.end->last, .output = c->ending.end->name };
    for (const Part *q = p; q; q = q->before) /* called step by step: a last step is every step */
        out->last = out->last && !(q->kind == PART_CELL && (q->cell.state[0] || q->cell.state[1]));
    for (int k = p->depth - 1; k >= 0; k--, p = p->before) {
        out->layer[k] = p->kind == PART_CELL ? cell_spec(w, p) : linear_spec(w, p);
        first = p;
    }
    const Value *X = first->input; /* a graph input under its own name, however it was arranged on the way */
    out->input = X->kind == VECTORS && X->state ? X->state : X->name;
    out->steps_axis = steps_axis(first);
    if (!c->ending.outside)
        out->output = onnx_proto(w->model)->graph->output[c->output]->name;
    out->reached = reached(w, c->ending.end, X);
    w->chosen = c->ending.end->at;
}

static int refuse(const Walk *w, const char *why)
{
    bool any = false;
    for (int i = 0; i < w->parts; i++)
        any = any || w->part[i]->kind == PART_CELL;
    if (why)
        subject_error(w->subject, "%s", why);
    else
        subject_error(w->subject, any ? "no output of the graph comes from a recurrent node in a way that a core "
                                        "can have; name the layers' tensors in model.layers"
                                      : "no LSTM, GRU or RNN node in the graph; name the tensors in model.layers");
    return -1;
}

int onnx_layers(Model *m, const Subject *s, FoundNetwork *out)
{
    if (((Onnx *)m->own)->proto->graph->n_node == 0)
        return 0;
    Walk *w = walk_of(m, s);
    if (w->failed)
        return -1;
    Choice c = choose(w);
    if (w->failed)
        return -1;
    if (c.output < 0)
        return refuse(w, c.why);
    fill_network(w, &c, out);
    const Part *first = w->chosen;
    while (first->before)
        first = first->before;
    warn_rest(w, &c, first);
    return out->n;
}

/* ---- tensors that follow from others ---- */

static int tensor_of_view(Walk *w, const View *v, const char *name, Tensor *out)
{
    Subject s = *w->subject;
    s.tensor = name;
    float *data = v->array && v->rank >= 0 ? view_floats(w, v) : NULL;
    if (!data)
        return w->failed ? -1 : 0;
    if (!tensor_shape(&s, out, v->rank, v->shape, dtype_find("f4")))
        return -1;
    out->data = data;
    for (int64_t i = 0; i < out->count; i++)
        if (!isfinite(data[i])) {
            subject_error(&s, "NaN or Inf at element %lld of what the graph computes it from; every value must be "
                          "finite", (long long)i);
            return -1;
        }
    return 1;
}

/* One direction of a tensor that holds two. */
static bool one_direction(View *v, const char *direction)
{
    bool reverse = strcmp(direction, ".reverse") == 0;
    if ((!reverse && strcmp(direction, ".forward") != 0) || v->rank < 2 || v->shape[0] > 2 || v->shape[0] < 1)
        return false;
    v->offset += reverse && v->shape[0] == 2 ? v->stride[0] : 0;
    v->shape[0] = 1;
    return true;
}

/* "label:W", "label:W'" or "label:W.forward" of this layer. */
static bool part_tensor(const Walk *w, const Part *p, const char *name, View *out)
{
    static const char *const LETTERS[] = { "W", "R", "B", "P", "h0", "c0" };
    const View *own[] = { &p->W, &p->R, &p->B, &p->P, &p->initial[0], &p->initial[1] };
    const Value *given[] = { p->cell.W, p->cell.R, p->cell.B, p->cell.P, NULL, NULL };
    for (int i = 0; i < LENGTH(LETTERS); i++) {
        const char *derived = derived_name(w, p, LETTERS[i]);
        if (!str_starts(name, derived))
            continue;
        *out = own[i]->array ? *own[i] : is_constant(given[i]) ? given[i]->view : (View){ 0 };
        const char *rest = name + strlen(derived);
        return out->array && (!rest[0] || one_direction(out, rest));
    }
    return false;
}

int onnx_derive(Model *m, const Subject *s, const char *name, Tensor *out)
{
    Walk *w = walk_of(m, s);
    View view;
    Value *v;
    if (w->failed)
        return -1;
    if (!w->chosen) {
        Choice c = choose(w);
        w->chosen = c.output >= 0 ? c.ending.end->at : NULL;
    }
    for (const Part *p = w->chosen; p; p = p->before)
        if (part_tensor(w, p, name, &view))
            return tensor_of_view(w, &view, name, out);
    for (int i = 0; i < w->parts; i++)
        if (part_tensor(w, w->part[i], name, &view))
            return tensor_of_view(w, &view, name, out);
    if (scope_find(w->main, name, &v) && is_constant(v) && !is_integer(v))
        return tensor_of_view(w, &v->view, name, out);
    return 0;
}
