/* keras.h: what the files that read a Keras model share. */
#ifndef MODEL_KERAS_H
#define MODEL_KERAS_H

#include "model/h5.h"

enum { CHAIN_MAX = 256, NORMS_MAX = 4 };

/* One layer of the network as its configuration has it, wrappers taken off. */
typedef struct KerasLayer {
    const char *class, *name;           /* LSTM for RNN(LSTMCell), Dense for TimeDistributed(Dense) */
    const char *group;                  /* of its weights in the file */
    bool relu;                          /* a ReLU layer of its own follows */
    bool keras3;                        /* the file says that Keras 3 wrote it */
    const json_t *config, *outer;       /* outer: of what it is wrapped in, or its own */
} KerasLayer;

/* What a recurrent class is: a row of cells.def and the order of its gates in the file. */
typedef struct KerasCell {
    const char *class, *cell, *gates;
    bool cudnn;
    int biases;                         /* of the file: one or two for each row; kept apart by a gru */
} KerasCell;

/* A layer of the core, and what is folded into its weights. */
typedef struct KerasPart {
    KerasLayer layer;
    KerasLayer before[NORMS_MAX], after[NORMS_MAX];     /* BatchNormalization of its input, of its output */
    int n_before, n_after;
    const struct KerasCell *cell;       /* NULL: a Dense */
    bool has_bias;
} KerasPart;

typedef struct Keras {
    H5 *h5;
    json_t *config;                     /* NULL: weights alone */
    bool archive;                       /* .keras: weights are numbered, not named */
    bool keras3;                        /* the archive's metadata say that Keras 3 wrote it */
    KerasPart part[LAYERS_MAX];
    int n;                              /* of parts; 0: not asked for yet */
    bool last;
    const char *input, *output;         /* names of the layers where the core begins and ends */
} Keras;

/* ---------------------------------------------------------------- keras_chain.c */
/* The layers from the input to the output, in order, of a Sequential or of a Functional model that is one chain. -1
 * after recording what it is instead. */
int keras_chain(Arena *a, const Subject *s, const Keras *k, KerasLayer out[CHAIN_MAX]);
const char *keras_text(const json_t *o, const char *key, const char *otherwise);
bool keras_true(const json_t *o, const char *key, bool otherwise);
bool keras_recurrent(const KerasLayer *l);
/* NULL: a class that no cell is there for. */
const KerasCell *keras_cell(const KerasLayer *l);

/* ---------------------------------------------------------------- keras_network.c */
/* Fills k->part: the layers that the core computes; the rest is a warning or an error. False after an error. */
bool keras_network(Model *m, const Subject *s);

/* The activations of a recurrent layer as a spec names them: how many, 0: the cell's own; -1: one that no cell has. */
int keras_activations(const KerasLayer *l, const char *out[ACTIVATIONS_MAX]);

/* ---------------------------------------------------------------- keras_fold.c */
/* The name in the file of a weight of a layer: "kernel", "recurrent_kernel", "bias", "gamma" ... NULL: has none. */
const char *keras_weight(const Model *m, const KerasLayer *l, const char *role);
/* The name of that weight in a spec: the file's own, or that of what is folded. */
const char *keras_name(const Model *m, const KerasPart *p, const char *role);
int keras_derive(Model *m, const Subject *s, const char *name, Tensor *out);

#endif
