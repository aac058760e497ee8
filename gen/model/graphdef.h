/* graphdef.h: what the files that read a frozen graph of TensorFlow share: the container (graphdef.c), the graph and its
 * loops (graphdef_flow.c), the cells (graphdef_cell.c), the network (graphdef_network.c). */
#ifndef MODEL_GRAPHDEF_H
#define MODEL_GRAPHDEF_H

#include "model/protobuf.h"
#include "model/graphdef.pb-c.h" /* made by protoc-c from graphdef.proto */

enum { INPUTS_MAX = 16 };             /* nodes with more are none that is understood */
/* The value that a node gives at one of its outputs. node NULL: none. */
typedef struct Ref {
    const struct TfNode *node;
    int port;
} Ref;
typedef struct TfNode {
    const char *name, *op;
    const TensorFlow__Node *proto;
    int inputs;                         /* without those that only order the nodes */
    Ref *in;
} TfNode;
typedef struct TfGraph {
    Protobuf file;
    TfNode *node, **sorted;             /* sorted: by name */
    int n;
    int *tensor;                        /* of each number that the model counts tensors by: its node */
} TfGraph;

/* ---------------------------------------------------------------- graphdef.c */
const TensorFlow__Value *tf_attribute(const TfNode *n, const char *key);
/* The value of an attribute, or what TensorFlow takes where it is not written. */
double tf_number(const TfNode *n, const char *key, double otherwise);
bool tf_flag(const TfNode *n, const char *key, bool otherwise);
/* How many elements a Const of numbers has; 0: it is none. */
int64_t tf_count(const TfNode *n);
/* Element k of a Const of floating point or of integers. */
double tf_element(const TfNode *n, int64_t k);

/* ---------------------------------------------------------------- graphdef_flow.c */
bool tf_is(Ref r, const char *op);
bool same_ref(Ref a, Ref b);
/* Input k of a node, behind nodes that change nothing. */
Ref tf_input(const TfNode *n, int k);
/* The Const of floating point that the value is, or NULL. */
const TfNode *tf_constant(Ref r);
/* Is it one number, or the same number everywhere? */
bool tf_scalar(Ref r, double *value);
/* The two inputs of a Mul, Add or AddV2; false: it is none. */
bool tf_operands(Ref r, const char *op, Ref out[2]);
/* A value limited to low .. high by constants: sets what is limited. */
bool tf_limited(Ref r, Ref *of, double *low, double *high);

/* The state of a loop: what it begins with, and what the next step gets. */
typedef struct Loop {
    const TfNode *merge;
    Ref first, next;
} Loop;
bool tf_loop(Ref state, Loop *out);
/* The node that gives the state when the loop ends, or NULL. */
const TfNode *tf_exit(const TfGraph *g, const TfNode *merge);
/* Some node that reads an output of this one (port < 0: of any), and is not `but`; NULL: nobody. */
const TfNode *tf_reader(const TfGraph *g, const TfNode *of, int port, const TfNode *but);

/* ---------------------------------------------------------------- graphdef_cell.c */
typedef struct TfCell {
    LayerSpec spec;
    const char *kind;                   /* "LSTM", "GRU" ... for messages */
    Ref x, h, c;                        /* input, and what the cell gives: the h that is fed back, the state */
    Ref h_before, c_before;             /* node NULL: an operator that keeps its own */
    const TfNode *root;                 /* named in messages */
    bool whole;                         /* an operator that takes all steps at once */
} TfCell;
/* Is this node what a cell gives? 1; 0: no; -1: one with something that is refused (recorded). */
int tf_cell(Model *m, const Subject *s, const TfNode *n, TfCell *out);

/* ---------------------------------------------------------------- graphdef_network.c */
int graphdef_layers(Model *m, const Subject *s, FoundNetwork *out);

#endif
