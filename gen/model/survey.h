/* survey.h: what `import` found in a model file: tensors, layers, questions. describe.c makes and prints it. */
#ifndef MODEL_SURVEY_H
#define MODEL_SURVEY_H

#include "model/importer.h"

typedef struct Item {
    const char *name, *shape;           /* shape NULL: not read */
    const char *why;                    /* where it went, or why it was not read; NULL: nothing to say */
    bool known, used, directions;       /* directions: (1, rows, columns), as ONNX nodes have it */
    bool squeezed;                      /* (rows, columns, 1): a convolution over one step */
    int rank;                           /* without those of 1 that directions and squeezed name; a vector is 1 */
    int64_t rows, columns;              /* vector: rows */
} Item;

/* One layer. With a question it is a guess: printed as a comment until someone has answered it. */
typedef struct Found {
    LayerSpec spec;
    int64_t inputs, hidden;
    const char *question;
    const char *key;                    /* name of its tensors without the part that says which they are */
    int convention;
} Found;

typedef struct Survey {
    Arena *arena;
    Diag *diag;
    const char *path;
    Model *model;
    Item *item;                         /* model->n of them */
    Found layer[LAYERS_MAX];
    int n;
    bool from_graph, last;              /* last: the graph gives one step of each sequence */
    const char *reach;                  /* what part of the graph the core is, or NULL */
    const char *input, *output;         /* its ends there, or NULL */
    int steps_axis;
} Survey;

/* The tensor of this name if it may still be given to a layer, or NULL. */
Item *survey_item(const Survey *v, const char *name);
/* Is it a tensor of numbers that no layer has taken, and neither a mask nor an optimiser's? */
bool item_usable(const Item *i);
/* Elements of a vector, (n,) or (1, n); 0: it is none. */
int64_t item_vector(const Item *i);
/* Where the token stands in the name, the last time; a single letter must stand alone ("l1_R", "R0"). NULL: nowhere. */
const char *name_token(const char *name, const char *token);
/* The name with `other` in the place of the token, which must be there. */
const char *name_renamed(Arena *a, const char *name, const char *token, const char *other);

/* ---------------------------------------------------------------- container_layers.c */
/* The tensor that a recurrent layer is known by. */
const char *recurrent_name(const Found *f);
/* Finds the layers of a container that says nothing but names and shapes: by the names that frameworks give; only where
 * they say nothing by shape, (4H, I) beside (4H, H), with a question. What is known and not supported is an error. */
void container_layers(Survey *v);

/* ---------------------------------------------------------------- container_head.c */
/* The linear layer behind the last LSTM: sure with a name of its own, a bias of that name and the only one that
 * fits. */
void container_head(Survey *v);

#endif
