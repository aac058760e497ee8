/* onnx_layers.c: what the network is, read from the graph of an ONNX model: a chain of LSTM nodes
 * and perhaps a linear head (MatMul + Add, or Gemm, and Relu). The result is a list of LayerSpec,
 * as if the user had written it.
 *
 * ONNX LSTM: inputs X, W (1, 4H, I), R (1, 4H, H), B (1, 8H) = Wb || Rb, sequence_lens, initial_h,
 * initial_c, P; rows in the order i o f c (https://onnx.ai/onnx/operators/onnx__LSTM.html). */
#include "model/onnx_graph.h"

#include <string.h>
#include <strings.h>

enum { IN_X, IN_W, IN_R, IN_B, IN_LENGTHS, IN_H0, IN_C0, IN_P };
enum { OUT_Y, OUT_Y_H };
enum { HOPS_MAX = 32 };

typedef Onnx__NodeProto Node;
typedef Onnx__GraphProto Graph;

typedef struct Finder {
    const Model *model;
    const Subject *subject;
    /* LSTM nodes, in graph order; one more than allowed shows an overflow. */
    const Node *node[LAYERS_MAX + 1];
    const Graph *graph[LAYERS_MAX + 1];
    int n;
    const char *other; /* op_type of a recurrent node that is not an LSTM, or NULL */
} Finder;

/* ---- the graph ---- */

static bool is_op(const Node *n, const char *op)
{
    return n->op_type && strcmp(n->op_type, op) == 0;
}

/* The name of an input, "" when it is absent. */
static const char *input(const Node *n, size_t i)
{
    return i < n->n_input && n->input[i] ? n->input[i] : "";
}

static const char *output(const Node *n, size_t i)
{
    return i < n->n_output && n->output[i] ? n->output[i] : "";
}

static const char *node_label(const Node *n)
{
    if (n->name && n->name[0])
        return n->name;
    return output(n, 0)[0] ? output(n, 0) : output(n, 1);
}

static const Onnx__AttributeProto *attribute(const Node *n, const char *name)
{
    for (size_t i = 0; i < n->n_attribute; i++)
        if (n->attribute[i]->name && strcmp(n->attribute[i]->name, name) == 0)
            return n->attribute[i];
    return NULL;
}

static int64_t int_attribute(const Node *n, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *a = attribute(n, name);
    return a ? a->i : otherwise;
}

static float float_attribute(const Node *n, const char *name, float otherwise)
{
    const Onnx__AttributeProto *a = attribute(n, name);
    return a ? a->f : otherwise;
}

static const Node *producer(const Graph *g, const char *value)
{
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_output; k++)
            if (value[0] && strcmp(output(g->node[i], k), value) == 0)
                return g->node[i];
    return NULL;
}

/* The first node that uses the value for more than its shape. */
static const Node *consumer(const Graph *g, const char *value)
{
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_input && !is_op(g->node[i], "Shape"); k++)
            if (value[0] && strcmp(input(g->node[i], k), value) == 0)
                return g->node[i];
    return NULL;
}

/* Nodes that move elements about without computing; exporters put them between LSTM nodes. */
static bool only_moves(const Node *n)
{
    static const char *const OPS[] = { "Squeeze",  "Unsqueeze", "Transpose", "Reshape",
                                       "Identity", "Dropout",   "Cast",      "Flatten" };
    for (int i = 0; i < LENGTH(OPS); i++)
        if (is_op(n, OPS[i]))
            return true;
    return false;
}

/* The value that `value` is a rearranged form of. */
static const char *origin(const Graph *g, const char *value)
{
    const Node *n;
    for (int hop = 0; hop < HOPS_MAX && (n = producer(g, value)) != NULL && only_moves(n); hop++)
        value = input(n, 0);
    return value;
}

/* The node that computes with the value, past those that only move it or pick its last step. NULL:
 * the graph ends. */
static const Node *next_work(const Graph *g, const char *value, const char **seen_as)
{
    const Node *n = NULL;
    *seen_as = value;
    for (int hop = 0; hop < HOPS_MAX && (n = consumer(g, *seen_as)) != NULL; hop++) {
        if (!only_moves(n) && !is_op(n, "Slice") && !is_op(n, "Gather"))
            return n;
        *seen_as = output(n, 0);
    }
    return NULL;
}

/* ---- constants ---- */

static const Onnx__TensorProto *constant(const Finder *f, const Graph *g, const char *value,
                                         const char **name)
{
    const Node *n;
    for (int hop = 0; hop < HOPS_MAX && (n = producer(g, value)) != NULL && is_op(n, "Identity");
         hop++)
        value = input(n, 0);
    *name = value;
    return value[0] ? onnx_constant(f->model, value) : NULL;
}

/* Exporters spell the default state (zeros) as constants, ConstantOfShape, or an expanded
 * constant. */
static bool is_zero(const Finder *f, const Graph *g, const char *value, int hops)
{
    const char *name;
    const Onnx__TensorProto *t = constant(f, g, value, &name);
    if (t)
        return onnx_all_zero(t);
    const Node *n = producer(g, name);
    if (!n || hops == 0)
        return false;
    if (is_op(n, "ConstantOfShape")) {
        const Onnx__AttributeProto *a = attribute(n, "value");
        return !a || (a->t && onnx_all_zero(a->t));
    }
    if (is_op(n, "Expand") || is_op(n, "Tile") || is_op(n, "Slice") || only_moves(n))
        return is_zero(f, g, input(n, 0), hops - 1);
    return false;
}

/* ---- one LSTM node ---- */

static bool refuse(const Finder *f, const Node *n, const char *what)
{
    subject_error(f->subject, "LSTM node '%s': %s: not supported by this version", node_label(n),
                  what);
    return false;
}

static bool default_activations(const Onnx__AttributeProto *a)
{
    static const char *const NAMES[] = { "Sigmoid", "Tanh", "Tanh" };
    if (!a || a->n_strings == 0)
        return true;
    bool same = a->n_strings == LENGTH(NAMES);
    for (size_t i = 0; same && i < a->n_strings; i++)
        same = a->strings[i].len == strlen(NAMES[i])
            && strncasecmp((const char *)a->strings[i].data, NAMES[i], a->strings[i].len) == 0;
    return same;
}

static bool attributes_supported(const Finder *f, const Node *n)
{
    const Onnx__AttributeProto *direction = attribute(n, "direction");
    if (direction && (direction->s.len != 7 || memcmp(direction->s.data, "forward", 7) != 0))
        return refuse(f, n, "a direction other than forward");
    if (attribute(n, "clip"))
        return refuse(f, n, "attribute 'clip'");
    if (int_attribute(n, "input_forget", 0) != 0)
        return refuse(f, n, "attribute 'input_forget' (coupled gates)");
    if (!default_activations(attribute(n, "activations")))
        return refuse(f, n, "activations other than Sigmoid, Tanh, Tanh");
    return true;
}

static bool inputs_supported(const Finder *f, const Node *n, const Graph *g)
{
    const char *name;
    const Onnx__TensorProto *p = constant(f, g, input(n, IN_P), &name);
    if (name[0] && !(p && onnx_all_zero(p)))
        return refuse(f, n, "peepholes (input P)");
    for (int i = IN_H0; i <= IN_C0; i++)
        if (input(n, (size_t)i)[0] && !is_zero(f, g, input(n, (size_t)i), HOPS_MAX))
            return refuse(f, n, "an initial state that is not zero (inputs initial_h, initial_c)");
    return true;
}

/* Sets *to to the name of the constant at input i; an absent one is right only for B. */
static bool weight_name(const Finder *f, const Node *n, const Graph *g, int i, const char **to)
{
    static const char *const LETTERS[] = { "X", "W", "R", "B" };
    const char *name, *value = input(n, (size_t)i);
    bool found = constant(f, g, value, &name) != NULL;
    const Node *by = producer(g, name);
    *to = found ? str_dup(f->model->arena, name) : NULL;
    if (found || (i == IN_B && !value[0]))
        return true;
    subject_error(f->subject,
                  "LSTM node '%s': its input %s ('%s') is not an initializer%s%s; name the layer's "
                  "tensors in model.layers",
                  node_label(n), LETTERS[i], value, by ? " but computed by " : "",
                  by ? by->op_type : "");
    return false;
}

static bool describe_lstm(const Finder *f, int k, LayerSpec *out)
{
    const Node *n = f->node[k];
    const Graph *g = f->graph[k];
    const char *b = NULL;
    *out = (LayerSpec){ .cell = "lstm", .gates = "iofc", .at = f->subject->from };
    if (!attributes_supported(f, n) || !inputs_supported(f, n, g)
        || !weight_name(f, n, g, IN_W, &out->W) || !weight_name(f, n, g, IN_R, &out->R)
        || !weight_name(f, n, g, IN_B, &b))
        return false;
    out->b[0] = b;
    out->n_b = b != NULL;
    return true;
}

/* Layer k must take what layer k - 1 gives at every step, unchanged. */
static bool chained(const Finder *f, int k)
{
    const Node *n = f->node[k], *before = f->node[k - 1];
    const char *from = origin(f->graph[k], input(n, IN_X));
    if (f->graph[k] == f->graph[k - 1] && from[0] && strcmp(from, output(before, OUT_Y)) == 0)
        return true;
    subject_error(
        f->subject,
        "LSTM node '%s' does not follow directly on '%s' (its X comes from '%s'); name the layers "
        "that are meant in model.layers",
        node_label(n), node_label(before), from);
    return false;
}

/* ---- the linear head ---- */

/* MatMul with (I, O), or Gemm; false: it is something else. */
static bool describe_linear(const Finder *f, const Node *n, const Graph *g, const char *value,
                            LayerSpec *out)
{
    const char *W, *b = "";
    bool gemm = is_op(n, "Gemm");
    if ((!gemm && !is_op(n, "MatMul")) || strcmp(input(n, 0), value) != 0
        || !constant(f, g, input(n, 1), &W))
        return false;
    if (gemm
        && (float_attribute(n, "alpha", 1) != 1 || float_attribute(n, "beta", 1) != 1
            || int_attribute(n, "transA", 0)
            || (input(n, 2)[0] && !constant(f, g, input(n, 2), &b))))
        return false;
    *out = (LayerSpec){ .cell = "linear", .activation = "none", .at = f->subject->from };
    out->W = str_dup(f->model->arena, W);
    out->transpose = !gemm || !int_attribute(n, "transB", 0);
    out->b[0] = b[0] ? str_dup(f->model->arena, b) : NULL;
    out->n_b = b[0] != '\0';
    return true;
}

/* Add of a constant, whichever operand it is. */
static bool describe_add(const Finder *f, const Node *n, const Graph *g, const char *value,
                         LayerSpec *out)
{
    const char *b;
    int other = strcmp(input(n, 0), value) == 0;
    if (!is_op(n, "Add") || out->n_b > 0 || !constant(f, g, input(n, (size_t)other), &b))
        return false;
    out->b[0] = str_dup(f->model->arena, b);
    out->n_b = 1;
    return true;
}

static void warn_rest(const Finder *f, const Node *n, const char *after)
{
    if (n)
        diag_warn(f->subject->diag, f->subject->from,
                  "%s: the graph goes on after the %s with %s '%s', which is not part "
                  "of the core",
                  f->subject->file, after, n->op_type ? n->op_type : "?", node_label(n));
}

/* Adds a linear layer if one follows; returns how many layers were added. */
static int find_head(const Finder *f, LayerSpec *out)
{
    const Graph *g = f->graph[f->n - 1];
    const Node *last = f->node[f->n - 1], *n = NULL;
    const char *value = "";
    for (int o = OUT_Y; o <= OUT_Y_H && !n; o++)
        n = next_work(g, output(last, (size_t)o), &value);
    if (!n || !describe_linear(f, n, g, value, out)) {
        warn_rest(f, n, "LSTM");
        return 0;
    }
    n = next_work(g, output(n, 0), &value);
    if (n && describe_add(f, n, g, value, out))
        n = next_work(g, output(n, 0), &value);
    if (n && is_op(n, "Relu")) {
        out->activation = "relu";
        n = next_work(g, output(n, 0), &value);
    }
    warn_rest(f, n, "linear layer");
    return 1;
}

/* ---- all of them ---- */

static void collect(Finder *f, const Graph *g)
{
    for (size_t i = 0; i < g->n_node; i++) {
        const Node *n = g->node[i];
        if (is_op(n, "GRU") || is_op(n, "RNN"))
            f->other = n->op_type;
        if (is_op(n, "LSTM") && f->n <= LAYERS_MAX) {
            f->node[f->n] = n;
            f->graph[f->n++] = g;
        }
        for (size_t k = 0; k < n->n_attribute; k++)
            if (n->attribute[k]->g)
                collect(f, n->attribute[k]->g);
    }
}

static void warn_front(const Finder *f)
{
    const Node *n = producer(f->graph[0], origin(f->graph[0], input(f->node[0], IN_X)));
    if (n)
        diag_warn(f->subject->diag, f->subject->from,
                  "%s: the first LSTM's input is computed by %s '%s', which is not "
                  "part of the core; verify.input must hold its output",
                  f->subject->file, n->op_type ? n->op_type : "?", node_label(n));
}

int onnx_find_layers(Model *m, const Subject *s, const Graph *graph, LayerSpec *out, int most)
{
    Finder f = { .model = m, .subject = s };
    if (graph->n_node == 0)
        return 0;                       /* somebody's tensors in ONNX's container: only names speak */
    collect(&f, graph);
    if (f.n == 0) {
        subject_error(s, "no LSTM node in the graph%s%s%s; name the tensors in model.layers",
                      f.other ? " (a " : "", f.other ? f.other : "",
                      f.other ? " node is not supported by this version)" : "");
        return -1;
    }
    if (f.n > most) {
        subject_error(s, "more than %d LSTM nodes", most);
        return -1;
    }
    for (int k = 0; k < f.n; k++)
        if (!describe_lstm(&f, k, &out[k]) || (k > 0 && !chained(&f, k)))
            return -1;
    warn_front(&f);
    return f.n < most ? f.n + find_head(&f, &out[f.n]) : f.n;
}
