/* importer.h: what the files of model/ share with each other and with nobody else. */
#ifndef MODEL_IMPORTER_H
#define MODEL_IMPORTER_H

#include "lstmgen.h"

enum { RANK_MAX = 8, HEAD_BYTES = 512 };
/* No tensor, and no zip member, may be larger than this when decoded. */
#define TENSOR_BYTES_MAX ((uint64_t)1 << 30)

/* Whom an error message is about: "FILE: tensor 'NAME': ..." (tensor NULL: "FILE: ..."). */
typedef struct Subject {
    Diag *diag;
    Place from;
    const char *file, *tensor;
} Subject;
void subject_error(const Subject *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A stream of bytes of known size: a file, a zip member, a part of memory. `read` returns how many
 * bytes it gave. */
typedef struct Source {
    size_t (*read)(void *handle, void *to, size_t n);
    void *handle;
    uint64_t size;
} Source;
/* Reads exactly n bytes or says how many there were; `what` names them. */
bool source_read(const Subject *s, const Source *from, void *to, size_t n, const char *what);
size_t source_read_file(void *file, void *to, size_t n); /* handle: FILE * */

/* ---------------------------------------------------------------- dtype.c */
/* One number type of a file. `decode` gives float32 from n elements in the host's byte order; NULL:
 * they are float32. */
typedef struct DataType {
    const char *name; /* numpy's letter and size: "f4"; "bf2" is bfloat16 */
    size_t size;
    bool floating;
    void (*decode)(const void *from, size_t n, float *to);
} DataType;
const DataType *dtype_find(const char *name);
/* Sets rank, shape and count. Refuses rank > 8, empty dimensions, sizes that overflow or pass the
 * limit. */
bool tensor_shape(const Subject *s, Tensor *t, int64_t rank, const int64_t *shape,
                  const DataType *type);
typedef struct Coding {
    const DataType *type;
    bool big_endian, fortran;
} Coding;
/* Allocates t->data (shape already set), decodes the source straight into it, refuses NaN and
 * Inf. */
bool tensor_decode(const Subject *s, Arena *a, Tensor *t, Coding coding, const Source *from);
/* n elements in the file's order, as they are: NaN and Inf too. */
bool values_decode(const Subject *s, Coding coding, const Source *from, size_t n, float *to);
/* "(3, 4)" of any list of dimensions; "(3,)" for one, as numpy prints it. */
const char *dims_text(Arena *a, int64_t rank, const int64_t *shape);

/* ---------------------------------------------------------------- npy.c */
typedef struct NpyHeader {
    Coding coding;
    int64_t rank, shape[RANK_MAX];
    uint64_t data_at; /* byte of the first element */
} NpyHeader;
/* Reads magic, version and the header's dictionary; the stream then stands at the data. */
bool npy_header(const Subject *s, Arena *a, const Source *from, NpyHeader *out);
/* Reads a whole .npy stream: header, shape, data. Integers only where `integers` allows them. */
bool npy_decode(const Subject *s, Arena *a, const Source *from, bool integers, Tensor *out);

/* ---------------------------------------------------------------- model.c */
/* What a file that knows its own network says. */
typedef struct FoundNetwork {
    LayerSpec layer[LAYERS_MAX];
    int n;
    bool last;                  /* its output is one step of each sequence, the last */
    const uint8_t *reached;     /* for each tensor of the file: the output is computed with it */
    const char *input, *output; /* what the graph calls the values at which the core starts and ends */
    int steps_axis;             /* of the graph input that the core starts at; -1: not known */
} FoundNetwork;
/* One row per container. */
typedef struct Importer {
    const char *name, *suffix;
    /* Is this its content? `head` are the first bytes of the file (at most HEAD_BYTES), n of
     * them. */
    bool (*probe)(const char *path, const uint8_t *head, size_t n);
    /* Lists the tensors with model_add and keeps what `load` needs in m->own. */
    bool (*open)(Model *m, const Subject *s);
    /* Decodes the tensor with this number in model_add's order. */
    bool (*load)(Model *m, const Subject *s, int index, Tensor *out);
    /* Gives back what `open` took outside the arena; also after a failed open. */
    void (*close)(Model *m);
    /* Describes the network of a file that knows it; returns how many layers, -1 after an error, 0 where it says
     * nothing (a graph without nodes). NULL: cannot. */
    int (*layers)(Model *m, const Subject *s, FoundNetwork *out);
    /* A tensor that the file does not hold but that follows from those it holds: 1, -1 after an error, 0 where there
     * is none of this name. NULL: there are none. */
    int (*derive)(Model *m, const Subject *s, const char *name, Tensor *out);
} Importer;
extern const Importer importer_npz, importer_npy, importer_folder, importer_safetensors,
    importer_onnx, importer_torch, importer_h5, importer_keras, importer_graphdef,
    importer_tflite;

typedef struct NamedTensor { const char *name; int index; } NamedTensor;
struct Model {
    Arena *arena;
    const char *path;
    const Importer *importer;
    const char **names;
    int n, room;
    NamedTensor *sorted;                /* by name */
    void *own;
};
/* Appends a name. Refuses names that cannot be shown. Duplicates are found by model_open. */
bool model_add(Model *m, const Subject *s, const char *name);
/* The number of the tensor of this name, or -1. */
int model_find(const Model *m, const char *name);
/* As model_tensor, with the tensor in an arena of the caller's, for one look. */
Tensor *model_peek(Model *m, Arena *scratch, Diag *d, const char *name);
/* Layers of a model file without `model.layers`; see Importer.layers. */
int model_layers(Model *m, Diag *d, Place from, FoundNetwork *out);

/* ---------------------------------------------------------------- join.c */
enum { JOIN_MAX = 4 };
/* "join(a, b, c)": the names in it; 0: it is no such name. */
int join_parts(Arena *a, const char *name, const char *out[JOIN_MAX]);
const char *join_name(Arena *a, const char *const *part, int n);
/* The tensors of such a name side by side, along their last axis; as Importer.derive, for every container. */
int join_derive(Model *m, const Subject *s, const char *name, Tensor *out);

/* ---------------------------------------------------------------- foreign.c */
/* What a file that no importer reads is, by its first bytes (then by its name), and what to do instead; NULL:
 * unknown. */
const char *foreign_file(const char *path, const uint8_t *head, size_t n);
/* The same of a folder. */
const char *foreign_folder(Arena *a, const char *path);

#endif
