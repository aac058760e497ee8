/* onnx_graph.h: what the onnx_*.c files share: the container (onnx.c, onnx_tensor.c) below, the reading of its graph
 * (onnx_value.c ... onnx_network.c) above; nothing in the first group knows the second.
 *
 * The graph is read by walking it once with abstract values: a constant, or "vectors": what layer k of the core gives,
 * at every step or at the last one, with the meaning of each axis. Each operator is a row of a table that says what it
 * makes of such values; what no row understands is OUTSIDE, and remembers its node. */
#ifndef MODEL_ONNX_GRAPH_H
#define MODEL_ONNX_GRAPH_H

#include "model/protobuf.h"
#include "onnx/onnx.pb-c.h" /* made by protoc-c from Debian's onnx.proto */

typedef Onnx__NodeProto Node;
typedef Onnx__GraphProto Graph;
typedef Onnx__TensorProto TensorProto;

/* ---------------------------------------------------------------- onnx.c */
typedef struct Walk Walk;
/* `elsewhere`: another graph of the file has a constant of the same name. */
typedef struct Constant {
    const char *name;
    const TensorProto *tensor;
    const Graph *scope;
    bool elsewhere;
} Constant;
typedef struct External {
    struct External *next;
    const char *location;
    Bytes bytes;
} External;
typedef struct Onnx {
    Protobuf file;
    Onnx__ModelProto *proto; /* what is in it */
    Constant *constant;
    int n, room;
    Arena *arena;       /* of what is kept from one tensor to the next */
    External *external; /* files beside the model that were opened */
    Walk *walk;         /* the graph as it was read, or NULL: not yet */
} Onnx;
/* The constant called `name`, anywhere in the model, or NULL. */
const Constant *onnx_find(const Model *m, const char *name);
const TensorProto *onnx_constant(const Model *m, const char *name);
/* The graph (or subgraph) that the constant belongs to, or NULL; the whole model, for the writer. */
const Graph *onnx_scope(const Model *m, const char *name);
Onnx__ModelProto *onnx_proto(const Model *m);

/* ---------------------------------------------------------------- onnx_tensor.c */
bool onnx_is_external(const TensorProto *t);
bool onnx_is_floating(const TensorProto *t);
/* Its values as float32, shape checked, every value finite; floating-point types only. */
bool onnx_read_tensor(Model *m, const Subject *s, const TensorProto *t, Tensor *out);
/* `count` elements, into *f (floating-point types, infinities allowed) or *i (integers and booleans). */
bool onnx_read_elements(Model *m, const Subject *s, const TensorProto *t, int64_t count, float **f, int64_t **i);

/* ---------------------------------------------------------------- onnx_value.c */
/* Elements of a constant: of the file (read when they are needed) or computed here. */
typedef struct Array {
    const TensorProto *from; /* or NULL */
    bool integer, read, failed;
    int64_t count;
    float *f;
    int64_t *i;
} Array;
/* A window on an array. Sizes may be symbols (a batch that nobody knows); then the stride is 0. Rank -1: one value in
 * a shape that nobody knows. */
typedef struct View {
    Array *array;
    int rank;
    int64_t shape[RANK_MAX], stride[RANK_MAX], offset;
} View;
/* Sizes that are known only when the graph runs are numbers beyond all sizes, each its own; all are > 0. */
bool is_symbol(int64_t size);
int64_t new_symbol(Walk *w);
int64_t first_symbol(void);
enum { SYMBOLS_NAMED = 256 }; /* of the first ones, names are kept (dim_param) */

/* One axis: the atoms it is made of, slowest first; none: an axis of size 1. An atom is 'T' steps, 'B' sequences, 'F'
 * elements of the vector, or 'a'.. the axes of a graph input that no layer has taken yet. */
typedef struct Atom {
    char label;
    int64_t size;
} Atom;
typedef struct Axis {
    int n;
    Atom atom[RANK_MAX];
} Axis;
typedef struct Axes {
    int rank;
    Axis axis[RANK_MAX];
} Axes;

typedef struct Part Part;
typedef enum { CONSTANT, SIZES, VECTORS, STACK, OUTSIDE } ValueKind;
typedef struct Value {
    ValueKind kind;
    int serial;
    const char *name, *label; /* of the value; of the node that makes it, with those it stands in */
    const Node *node;         /* NULL: graph input, initializer */
    struct Value **from;      /* what the node takes; NULL entries: absent */
    int n_from;
    View view; /* CONSTANT */
    /* VECTORS: what `at` gives (NULL: a graph input), times scale plus shift (NULL: as it is). */
    Axes *axes;
    Part *at;
    bool last;  /* one step of each sequence: the last */
    bool final; /* it is what a node calls its final state */
    float *scale, *shift;
    int stacked; /* STACK: the values `from`, joined along this axis, each of size 1 there */
    /* OUTSIDE: why it ends the import where it meets the core, or, `anywhere`, wherever the graph's output needs it. */
    const char *why;
    bool anywhere;
    bool arranged; /* from[0] in one of several arrangements */
    bool regroups; /* it only moves elements, but not as a sequence of vectors */
    const char *state;          /* it only moves elements of the graph input of this name */
    bool core;                  /* a layer has a part in it */
} Value;

typedef enum { PART_CELL, PART_LINEAR } PartKind;
/* All that an LSTM, GRU or RNN node says. */
enum { STATES = 2, CELL_ACTIVATIONS_MAX = 6 };
typedef struct CellNode {
    const char *op, *direction;
    const struct CellKind *kind; /* what is common to all nodes of this operator (onnx_cell.c) */
    int64_t hidden;
    bool batch_first, coupled, reset_after;
    const char *activation[CELL_ACTIVATIONS_MAX]; /* as the node names them */
    int n_activations;
    const char *curve[ACTIVATIONS_MAX]; /* as a spec names them; NULL: the cell's own */
    float clip;                  /* 0: none */
    Value *X, *W, *R, *B, *lengths, *initial[STATES], *P;
    const char *state[STATES]; /* graph inputs that the initial state comes from, or NULL */
} CellNode;
/* The operators LSTM, GRU and RNN. */
typedef struct CellKind {
    const char *op;
    const char *gates;      /* order of the rows, as a spec names it */
    const char *activation[ACTIVATIONS_MAX];
    const char *cell[2];    /* rows of cells.def; [1]: with linear_before_reset */
} CellKind;
/* A layer of the core. */
struct Part {
    PartKind kind;
    bool recurrent; /* it is a cell, or one stands before it */
    Part *before; /* NULL: the first one */
    Value *input; /* what it takes */
    int depth;    /* of the first: 1 */
    const Node *node;
    const char *label;
    const char *refused; /* why the core cannot have it; NULL: it can */
    CellNode cell;
    int64_t width;   /* elements of its output */
    int64_t steps, sequences; /* sizes or symbols */
    View W, R, B;    /* linear: W (inputs, outputs); array NULL: none */
    View P, initial[STATES]; /* peepholes; h and c before the first step, (hidden) */
    const char *activation; /* linear */
};

/* Names of one graph, function or branch; those outside it are seen too. */
typedef struct Scope {
    struct Scope *outer;  /* whose names are seen too; NULL: a function sees its own alone */
    struct Scope *caller; /* where `call` stands */
    void *names;          /* a tree of libc's tsearch */
    const Node *call;     /* of a function */
    const char *prefix;   /* of labels: "" or "node/" */
} Scope;
/* An activation as a node has it. */
typedef struct NodeCurve {
    const char *op, *name; /* name: as a spec says it */
    double (*of)(double x);
    float alpha, beta, own_alpha; /* of the node, where it has them; own: without the attribute */
} NodeCurve;
/* What stands while the body of a loop runs on numbers: the activations in the order in which they came, with what
 * they were given. `forced`: all of them give `gives`. */
typedef struct Activated {
    const NodeCurve *curve;
    int64_t count;
    const float *in;
} Activated;
typedef struct Probe {
    int n;
    Activated seen[16];
    bool forced;
    float gives;
} Probe;
struct Walk {
    Model *model;
    const Subject *subject;
    Arena *arena;
    Scope *main;
    Value **value; /* all, in the order in which they were made */
    int n, room, depth;
    int visited; /* nodes, those of functions and branches each time */
    int64_t symbols;
    const char **symbol; /* dim_param names */
    Probe *probe;        /* NULL: nothing runs on numbers */
    bool failed;         /* an error was recorded */
    Part **part; /* all layers that were found, in order */
    int parts, part_room;
    const Part *chosen; /* the last one of the core */
    FoundNetwork network;
    int layers; /* as onnx_layers gives it */
};

/* One node, as an operator sees it. */
typedef struct Call {
    Walk *walk;
    Scope *scope;
    const Node *node;
    const char *label;
    Value *in[16], **all; /* all: what its own graphs take from outside too */
    int n_in, n_all;      /* absent ones are NULL */
    Value **out;
    int n_out;
} Call;

/* An input, NULL where it is absent. */
static inline Value *call_in(const Call *c, int i)
{
    return i < c->n_in ? c->in[i] : NULL;
}
static inline bool value_is(const Value *v, ValueKind kind)
{
    return v && v->kind == kind;
}
/* What a recurrent layer, or a linear one behind it, gives. */
static inline bool value_recurrent(const Value *v)
{
    return value_is(v, VECTORS) && v->at && v->at->recurrent;
}
Value *value_new(Walk *w, ValueKind kind);
Value *call_out(Call *c, int i, ValueKind kind); /* a new value as output i */
/* OUTSIDE, for all outputs that are still empty; `why` may be NULL. */
void call_outside(Call *c, const char *why, bool anywhere);
void scope_put(Walk *w, Scope *s, const char *name, Value *v);
bool scope_find(const Scope *s, const char *name, Value **out);
void scope_free(Scope *s);
const char *node_name(const Node *n);
const Onnx__AttributeProto *call_attribute(const Call *c, const char *name);
int64_t call_int(const Call *c, const char *name, int64_t otherwise);
float call_float(const Call *c, const char *name, float otherwise);

/* Constants. Each function that reads elements says no where they cannot be had. */
Value *constant_of_tensor(Walk *w, const TensorProto *t, const char *name);
Value *call_ints(Call *c, int i, int rank, const int64_t *shape, const int64_t *values);
Value *call_floats(Call *c, int i, int rank, const int64_t *shape, float *values);
bool is_constant(const Value *v);
bool is_integer(const Value *v);
int64_t view_count(const View *v); /* -1: not known */
bool view_read(Walk *w, const View *v);
/* Element at an index of the view (C order), after view_read. */
int64_t view_at(const View *v, int64_t n);
bool view_uniform(Walk *w, const View *v, double *value);
/* All elements in C order, new memory; NULL where sizes or values are not known. */
float *view_floats(Walk *w, const View *v);
int64_t *view_ints(Walk *w, const View *v, int *n);
/* An input that is a list of whole numbers (axes, starts), or the attribute of older operator sets. */
bool call_list(const Call *c, int i, const char *attribute, int64_t *out, int *n);
Value *call_view(Call *c, int i, View view);
/* Counts from the end where it is negative; -1: outside the rank. */
int axis_number(int64_t axis, int rank);
/* Is it a whole array of the file, as it is or transposed? */
bool view_whole(const View *v);
View view_transposed(View v);

/* ---------------------------------------------------------------- onnx_axes.c */
Axis axis_of(char label, int64_t size);
int64_t axis_size(const Axis *a); /* a symbol where it is made of one; -1: a product with symbols */
/* The value as another arrangement of the same elements. */
Value *call_moved(Call *c, int i, const Value *from, const Axes *axes);
/* Where the elements of the vector lie; -1: an axis shared with something else. */
int vectors_axis(const Value *v);
/* The last axis holds the vector and nothing else. */
bool vectors_plain(const Value *v);
/* Reshape: 0 keeps an axis, -1 is what is left. False: the new axes cut through an old one. */
bool axes_regroup(const Axes *from, const int64_t *shape, int rank, Axes *to);

/* -------------------------------------------- onnx_moves.c, _picks.c, _math.c, _linear.c, _cell.c, _quantized.c, _loop.c, _flow.c */
typedef struct Operator {
    const char *op;
    void (*run)(Call *c);
    bool moves; /* it computes nothing */
} Operator;
extern const Operator MOVES[], PICKS[], MATHS[], LINEARS[], CELLS[], FLOWS[]; /* each ended by a row without a name */
const Operator *operator_find(const char *op);
void linear_add(Call *c, int sign);
void linear_mul(Call *c, bool divide);
/* A new layer that takes `input`. */
Part *part_new(Walk *w, PartKind kind, Call *c, Value *input);
/* Why no core has a layer behind `before` (NULL: first); NULL: it has. */
const char *part_refused(const Part *before);
/* A node that gives layers: outputs Y and Y_h are those of LSTM, GRU and RNN. */
void cell_layer(Call *c, CellNode *cell);
CellNode cell_read(Call *c, const char *op); /* what the node says, as a node of this operator has it */
/* DynamicQuantizeLSTM of ONNX Runtime. */
void run_quantized_lstm(Call *c);
const CellKind *cell_kind(const char *op);
/* Loop and Scan. */
void run_loop(Call *c);
/* onnx_probe.c: on numbers, while a probe stands. True: the first input is a constant, nothing else is to be done. */
const NodeCurve *node_curve(const Call *c); /* with the node's alpha and beta; NULL: no core has it */
bool probe_activation(Call *c);
bool probe_matmul(Call *c);
bool probe_gemm(Call *c);
/* The operator of a row, or of a function of the model, on one node. */
void run_function(Call *c, const Onnx__FunctionProto *f);
/* Evaluates the nodes of a graph in a scope; false after recording an error. */
bool walk_nodes(Walk *w, Scope *s, size_t n, Node *const *node);
bool walk_initializers(Walk *w, Scope *s, const Graph *g);

/* ---------------------------------------------------------------- onnx_network.c */
/* Importer.layers and Importer.derive. */
int onnx_layers(Model *m, const Subject *s, FoundNetwork *out);
int onnx_derive(Model *m, const Subject *s, const char *name, Tensor *out);

#endif
