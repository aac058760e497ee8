/* onnx_flow.c: walks through the nodes of a graph, its functions and the branches of an If. */
#include "model/onnx_graph.h"

#include <string.h>

enum { CALL_DEPTH_MAX = 16, NODES_MAX = 1 << 18 };

const Operator *operator_find(const char *op)
{
    static const Operator *const TABLES[] = { MOVES, PICKS, MATHS, LINEARS, CELLS, FLOWS };
    for (int t = 0; t < LENGTH(TABLES); t++)
        for (const Operator *row = TABLES[t]; row->op; row++)
            if (strcmp(row->op, op) == 0)
                return row;
    return NULL;
}

/* ---- what this version does not take apart ---- */

/* Operators outside the standard that hold a recurrent layer: read, or what to do instead. */
static const struct {
    const char *op;
    void (*run)(Call *c);
    const char *remedy;
} FOREIGN[] = {
    { "DynamicQuantizeLSTM", run_quantized_lstm, NULL },
    { "AttnLSTM", NULL, "name the LSTM's tensors in model.layers" },
};

static void foreign(Call *c)
{
    const Node *n = c->node;
    for (int i = 0; i < LENGTH(FOREIGN); i++)
        if (strcmp(n->op_type, FOREIGN[i].op) == 0) {
            if (FOREIGN[i].run) {
                FOREIGN[i].run(c);
                return;
            }
            call_outside(c, str_format(c->walk->arena, "%s node '%s' of domain %s is no operator of ONNX itself: %s",
                                       n->op_type, c->label, n->domain, FOREIGN[i].remedy), true);
            return;
        }
    call_outside(c, str_format(c->walk->arena, "%s '%s' is an operator of domain %.60s, which nobody outside it knows: "
                               "name in model.layers the layers up to there", n->op_type, c->label, n->domain), false);
}

/* ---- what a node's own graphs take from outside ---- */

typedef struct Captured {
    Call *call;
    Value **value;
    int n, room;
} Captured;

static void captured_value(Captured *k, Value *v)
{
    if (k->n == k->room) {
        int room = MAX(16, 2 * k->room);
        k->value = arena_grow(k->call->walk->arena, k->value, sizeof(Value *) * (size_t)k->room,
                              sizeof(Value *) * (size_t)room);
        k->room = room;
    }
    k->value[k->n++] = v;
}

static void captured_node(Captured *k, const Node *n, bool inner);

static void captured_graph(Captured *k, const Graph *g)
{
    Value *v;
    for (size_t i = 0; i < g->n_node; i++)
        captured_node(k, g->node[i], true);
    for (size_t i = 0; i < g->n_output; i++)
        if (g->output[i]->name && scope_find(k->call->scope, g->output[i]->name, &v) && v)
            captured_value(k, v);
}

static void captured_node(Captured *k, const Node *n, bool inner)
{
    Value *v;
    for (size_t i = 0; inner && i < n->n_input; i++)
        if (n->input[i][0] && scope_find(k->call->scope, n->input[i], &v) && v)
            captured_value(k, v);
    for (size_t i = 0; i < n->n_attribute; i++)
        if (n->attribute[i]->g)
            captured_graph(k, n->attribute[i]->g);
}

static bool too_deep(Walk *w, const Call *c)
{
    if (w->depth < CALL_DEPTH_MAX)
        return false;
    subject_error(w->subject, "'%.200s': functions and branches stand in each other more than %d deep", c->label,
                  CALL_DEPTH_MAX);
    return w->failed = true;
}

/* ---- If ---- */

static bool recurrent(const char *op)
{
    static const char *const OPS[] = { "LSTM", "GRU", "RNN", "Loop", "Scan" };
    for (int i = 0; i < LENGTH(OPS); i++)
        if (strcmp(op, OPS[i]) == 0)
            return true;
    return false;
}

/* The recurrent nodes of a branch and their tensors, as text. */
static bool list_recurrent(const Graph *g, const char *branch, Buffer *text)
{
    bool any = false;
    for (size_t i = 0; i < g->n_node; i++) {
        const Node *n = g->node[i];
        if (recurrent(n->op_type ? n->op_type : "") && text->length < 800) {
            buffer_print(text, "%s%s '%.80s' in %s", text->length ? ", " : "", n->op_type, node_name(n), branch);
            if (n->n_input > 3)
                buffer_print(text, " (W: %.80s, R: %.80s, b: %.80s)", n->input[1], n->input[2], n->input[3]);
            any = true;
        }
        for (size_t j = 0; j < n->n_attribute; j++)
            any = (n->attribute[j]->g && list_recurrent(n->attribute[j]->g, branch, text)) || any;
    }
    return any;
}

static void either_branch(Call *c, const Graph *yes, const Graph *no)
{
    Buffer text;
    buffer_init(&text, c->walk->arena);
    bool any = list_recurrent(yes, "then_branch", &text);
    any = list_recurrent(no, "else_branch", &text) || any;
    call_outside(c, any ? str_format(c->walk->arena, "If '%s' chooses between branches only when the graph runs: "
                                     "%s; give the tensors of the one that is meant in model.layers (gates: iofc of an LSTM, zrh of a GRU, h of an RNN)",
                                     c->label, text.text)
                        : str_format(c->walk->arena, "If '%s' chooses between branches only when the graph runs: "
                                     "name in model.layers the layers up to there", c->label), any);
}

static void take_branch(Call *c, const Graph *g)
{
    Walk *w = c->walk;
    Scope inner = { .outer = c->scope, .caller = c->scope->caller,
                    .prefix = str_format(w->arena, "%s/", c->label) };
    if (!too_deep(w, c) && (int)g->n_output == c->n_out) {
        w->depth++;
        if (walk_initializers(w, &inner, g) && walk_nodes(w, &inner, g->n_node, g->node))
            for (int i = 0; i < c->n_out; i++)
                scope_find(&inner, g->output[i]->name ? g->output[i]->name : "", &c->out[i]);
        w->depth--;
    }
    scope_free(&inner);
}

static const Value *arranged(const Value *v)
{
    return v && v->arranged ? v->from[0] : v;
}

/* Both branches only arrange the same elements (a Squeeze of an axis that may be of size 1): then it does not matter
 * which one is taken, but no axis can be told from another any more. */
static void merge_branches(Call *c, const Graph *yes, const Graph *no)
{
    Value **out = c->out, **other = ARENA_ARRAY(c->walk->arena, Value *, MAX(c->n_out, 1));
    take_branch(c, yes);
    c->out = other;
    take_branch(c, no);
    c->out = out;
    for (int i = 0; i < c->n_out; i++) {
        const Value *a = arranged(out[i]), *b = arranged(other[i]);
        bool state = a && b && !a->core && !b->core && a->state && b->state && strcmp(a->state, b->state) == 0;
        bool same = value_is(a, VECTORS) && value_is(b, VECTORS) && a->at && a->at == b->at && a->last == b->last
                 && !a->scale && !b->scale;
        out[i] = NULL;
        if (!state && !same)
            continue;
        call_out(c, i, OUTSIDE)->regroups = true;
        out[i]->state = state ? a->state : NULL;
        out[i]->from = ARENA_NEW(c->walk->arena, Value *);
        out[i]->from[0] = (Value *)(same && a->axes->rank > b->axes->rank ? a : b);
        out[i]->n_from = 1;
        out[i]->core = out[i]->arranged = same;
    }
}

static void run_if(Call *c)
{
    const Onnx__AttributeProto *yes = call_attribute(c, "then_branch"), *no = call_attribute(c, "else_branch");
    double condition;
    if (!yes || !no || !yes->g || !no->g)
        return;
    if (is_constant(call_in(c, 0)) && view_uniform(c->walk, &c->in[0]->view, &condition))
        take_branch(c, condition != 0 ? yes->g : no->g);
    else {
        merge_branches(c, yes->g, no->g);
        either_branch(c, yes->g, no->g);
    }
}

/* ---- functions ---- */

static const Onnx__FunctionProto *find_function(const Walk *w, const Node *n)
{
    const Onnx__ModelProto *m = onnx_proto(w->model);
    const char *domain = n->domain ? n->domain : "";
    for (size_t i = 0; i < m->n_functions; i++) {
        const Onnx__FunctionProto *f = m->functions[i];
        if (f->name && strcmp(f->name, n->op_type) == 0 && strcmp(f->domain ? f->domain : "", domain) == 0)
            return f;
    }
    return NULL;
}

void run_function(Call *c, const Onnx__FunctionProto *f)
{
    Walk *w = c->walk;
    Scope inner = { .caller = c->scope, .call = c->node, .prefix = str_format(w->arena, "%s/", c->label) };
    if (too_deep(w, c) || c->n_out > (int)f->n_output)
        return;
    w->depth++;
    for (size_t i = 0; i < f->n_input; i++)
        scope_put(w, &inner, f->input[i], i < c->node->n_input ? c->all[i] : NULL);
    if (walk_nodes(w, &inner, f->n_node, f->node))
        for (int i = 0; i < c->n_out; i++)
            scope_find(&inner, f->output[i], &c->out[i]);
    w->depth--;
    scope_free(&inner);
}

/* ---- nodes ---- */

bool walk_initializers(Walk *w, Scope *s, const Graph *g)
{
    for (size_t i = 0; i < g->n_initializer; i++)
        scope_put(w, s, g->initializer[i]->name, constant_of_tensor(w, g->initializer[i], g->initializer[i]->name));
    for (size_t i = 0; i < g->n_sparse_initializer; i++) {
        const TensorProto *t = g->sparse_initializer[i]->values;
        Value *v = value_new(w, OUTSIDE);
        v->name = str_dup(w->arena, t && t->name ? t->name : "");
        v->why = str_format(w->arena, "'%s' is a sparse initializer: store it as a dense tensor (zeros are kept out of "
                            "the core all the same, with sparsity.keep: asis)", v->name);
        scope_put(w, s, v->name, v);
    }
    return true;
}

static bool read_inputs(Walk *w, Scope *s, Call *c)
{
    const Node *n = c->node;
    c->all = ARENA_ARRAY(w->arena, Value *, MAX(n->n_input, 1));
    for (size_t i = 0; i < n->n_input; i++)
        if (n->input[i][0] && !scope_find(s, n->input[i], &c->all[i])) {
            subject_error(w->subject, "%s '%s' takes '%.200s', which is no input, initializer or result of a node "
                          "before it: damaged graph", n->op_type, c->label, n->input[i]);
            return false;
        }
    Captured k = { .call = c };
    for (size_t i = 0; i < n->n_input; i++)
        captured_value(&k, c->all[i]);
    captured_node(&k, n, false);
    c->n_all = k.n;
    c->all = k.n ? k.value : c->all;
    c->n_in = MIN((int)n->n_input, LENGTH(c->in));
    memcpy(c->in, c->all, sizeof *c->in * (size_t)c->n_in);
    while (c->n_in > 0 && !c->in[c->n_in - 1])
        c->n_in--;
    return true;
}

static bool standard(const Node *n)
{
    return !n->domain || !n->domain[0] || strcmp(n->domain, "ai.onnx") == 0;
}

static bool walk_node(Walk *w, Scope *s, Node *node)
{
    Call c = { .walk = w, .scope = s, .node = node, .n_out = (int)node->n_output };
    if (!node->op_type || node->n_output > 4096 || w->visited++ >= NODES_MAX) {
        subject_error(w->subject, !node->op_type ? "a node without an operator"
                                                 : "the graph is too large: more than 262144 nodes with its functions "
                                                   "and branches put in place");
        return false;
    }
    if (c.n_out == 0)
        return true;
    c.label = str_format(w->arena, "%s%s", s->prefix, node_name(node) + (s->prefix[0] && node_name(node)[0] == '/'));
    c.out = ARENA_ARRAY(w->arena, Value *, MAX(c.n_out, 1));
    if (!read_inputs(w, s, &c))
        return false;
    const Onnx__FunctionProto *f = find_function(w, node);
    const Operator *row = standard(node) ? operator_find(node->op_type) : NULL;
    if (f)
        run_function(&c, f);
    else if (row)
        row->run(&c);
    else if (!standard(node))
        foreign(&c);
    if (w->failed)
        return false;
    call_outside(&c, NULL, false);
    for (int i = 0; i < c.n_out; i++)
        scope_put(w, s, node->output[i], c.out[i]);
    return true;
}

bool walk_nodes(Walk *w, Scope *s, size_t n, Node *const *node)
{
    for (size_t i = 0; i < n && !w->failed; i++)
        w->failed = !walk_node(w, s, node[i]) || w->failed;
    return !w->failed;
}

const Operator FLOWS[] = {
    { "If", run_if, false },
    { "Loop", run_loop, false },
    { "Scan", run_loop, false },
    { NULL, NULL, false },
};
