/* lstmgen.h: every type and every public function, grouped by file, in the order of the pipeline.
 *
 *   spec.yaml -> Spec -> Network (float) -> prune -> QNetwork (integers) -> Design (plan) -> images,
 *   golden outputs -> emit -> simulate, synthesise -> report.
 *
 * Stages only look down this list. Memory belongs to the Arena handed in, unless a comment says else.
 */
#ifndef LSTMGEN_H
#define LSTMGEN_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LSTMGEN_VERSION "0.1.0"

/* Exit statuses of the program (see `lstmgen --help`). */
enum { EXIT_OK = 0, EXIT_INPUT = 1, EXIT_USAGE = 2, EXIT_MISMATCH = 3, EXIT_TOOL = 4, EXIT_INTERNAL = 70 };

#define LENGTH(a) ((int)(sizeof(a) / sizeof((a)[0])))
/* MIN and MAX evaluate each argument once: functions, chosen by the type of their sum (base/least.h). */
#include "base/least.h"

/* ---------------------------------------------------------------- base/arena.c */
/* An arena owns all memory of one design point; it is freed in one call. */
typedef struct Arena Arena;
Arena *arena_new(void);
void arena_free(Arena *a);
void *arena_alloc(Arena *a, size_t bytes);              /* zeroed, 16-byte aligned; never NULL */
void *arena_grow(Arena *a, void *old, size_t old_bytes, size_t new_bytes);
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))
/* How many bytes this arena holds now (reports of memory use). */
size_t arena_bytes(const Arena *a);

/* ---------------------------------------------------------------- base/str.c */
char *str_dup(Arena *a, const char *s);
char *str_ndup(Arena *a, const char *s, size_t n);
char *str_format(Arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* The candidate nearest to `word` (edit distance at most 1/3 of its length, at least 1), or NULL. */
const char *str_nearest(const char *word, const char *const *candidates, int n);
/* `name` taken relative to the folder of `base_file` unless absolute. */
char *path_beside(Arena *a, const char *base_file, const char *name);
char *path_join(Arena *a, const char *folder, const char *name);
const char *path_name(const char *path);                /* last component */
/* A growing string; `text` is always NUL-terminated, in the arena. */
typedef struct Buffer { Arena *arena; char *text; size_t length, room; } Buffer;
void buffer_init(Buffer *b, Arena *a);
void buffer_add(Buffer *b, const char *text, size_t n);
void buffer_print(Buffer *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---------------------------------------------------------------- base/escape.c */
bool text_is_path(const char *text);                    /* no character that any tool or shell takes for something else */
/* Text of users for a language of the output; in `a`, or the text itself. */
const char *text_line(Arena *a, const char *text);      /* printed: control characters as '?' */
const char *text_comment(Arena *a, const char *text);   /* inside a comment of Verilog, C, Tcl, make or YAML */
const char *text_tcl(Arena *a, const char *text);       /* a word of Tcl */
const char *text_make(Arena *a, const char *text);      /* the value of a variable of make */
const char *text_xml(Arena *a, const char *text);       /* text or attribute of SVG and HTML */
const char *text_markdown(Arena *a, const char *text);  /* a phrase, also in a table */
const char *text_code(Arena *a, const char *text);      /* a phrase of Markdown in `...` */
const char *text_yaml(Arena *a, const char *text);      /* a quoted scalar of YAML */
const char *yaml_word(Arena *a, const char *text);      /* quoted only where it has to be */
const char *yaml_comment(Arena *a, const char *text);   /* inside a comment of YAML, what is no character escaped */
bool str_is_utf8(const char *text);
const char *shell_word(Arena *a, const char *text);     /* a word of a POSIX shell, quoted where it has to be */

/* ---------------------------------------------------------------- base/diag.c */
/* Where something was read: 1-based line and column; line 0: the file as a whole; file NULL: nowhere. */
typedef struct Place { const char *file; int line, column; } Place;
/* Collected messages of one run, printed sorted by place, 20 at most. */
typedef struct Diag Diag;
Diag *diag_new(Arena *a);
void diag_error(Diag *d, Place at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A clash of two places: "other" is shown too, with the text `note`. */
void diag_clash(Diag *d, Place at, Place other, const char *note, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void diag_warn(Diag *d, Place at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* An external tool is missing or failed: makes the exit status EXIT_TOOL. */
void diag_tool(Diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text of the file is remembered so that the source line and a caret can be shown. */
void diag_source(Diag *d, const char *file, const char *text, size_t length);
bool diag_failed(const Diag *d);                        /* an error or a tool failure was recorded */
int diag_status(const Diag *d);                         /* EXIT_OK, EXIT_INPUT or EXIT_TOOL */
int diag_warnings(const Diag *d, const char *const **texts);   /* texts of all warnings so far */
/* The first error or tool failure on one line, "file:line:col: text (and 2 more)", in `a`, without a place in --set;
 * "" where there is none. */
const char *diag_reason(Arena *a, const Diag *d);
/* Records in `to` everything that `from` holds, as if it had been said there. */
void diag_replay(Diag *to, const Diag *from);
void diag_flush(Diag *d, FILE *to);                     /* prints what was not printed yet */
/* A fault of the program itself: prints C file and line, exits with EXIT_INTERNAL. */
#define FAULT(...) fault_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void fault_at(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define REQUIRE(cond) ((cond) ? (void)0 : FAULT("assertion failed: %s", #cond))

/* ---------------------------------------------------------------- base/file.c */
typedef struct Bytes { const uint8_t *data; size_t size; } Bytes;
/* Whole file, mapped read-only where that works; lives as long as the arena. On failure says why at `from`. */
bool file_read(Arena *a, Diag *d, Place from, const char *path, size_t limit, Bytes *out);
bool file_exists(const char *path);
bool file_is_folder(const char *path);
/* The names in a folder, by their bytes, and how many; none where there is no such folder. */
const char **folder_names(Arena *a, const char *folder, int *n);
/* The folder of templates, testbench and constraints: beside the program or under PREFIX/share/lstmgen. */
const char *data_folder(Arena *a, Diag *d);
void sha256_hex(const void *data, size_t n, char out[65]);

/* ---------------------------------------------------------------- base/folder.c */
/* An output folder is written beside its final name and renamed at the end: a failed run leaves the old one as it was.
 * One that is there is replaced only if all that is in it is lstmgen's (base/own.c), no other run is at work on it and
 * this one was not started in it. Every file written is hashed for manifest.json. Names are relative, without "..". */
typedef struct Folder Folder;
Folder *folder_begin(Arena *a, Diag *d, const char *path);
bool folder_write(Folder *f, const char *name, const void *data, size_t n);
/* For large files: stream of bytes, hashed as they pass. folder_open returns NULL after recording the error. */
typedef struct FolderFile FolderFile;
FolderFile *folder_open(Folder *f, const char *name);
void folder_put(FolderFile *file, const void *data, size_t n);
bool folder_close(FolderFile *file);
const char *folder_path(const Folder *f);               /* the temporary folder, while it is being written */
/* Calls `each` for every file written so far, sorted by name. */
void folder_list(const Folder *f, void (*each)(void *ctx, const char *name, const char sha256[65], size_t size),
                 void *ctx);
bool folder_commit(Folder *f);                          /* renames; what is lstmgen's of the former one is removed */
void folder_abort(Folder *f);                           /* removes what was written */
/* base/own.c: why a folder is not lstmgen's alone ("note.txt in it is not ..."), in `a`; NULL: it is, or is empty. */
const char *folder_foreign(Arena *a, const char *path);
/* Removes what is lstmgen's of it; false: something else is left there. */
bool folder_remove_own(const char *path);

/* ---------------------------------------------------------------- cell/ */
#include "cell/cell.h"
void cells_print(FILE *to);                             /* cell/print.c: `lstmgen cells` */

/* ---------------------------------------------------------------- spec/ */
enum { LAYERS_MAX = 16, NAMES_MAX = 8 };
enum { GATE_I, GATE_F, GATE_G, GATE_O, GATES };         /* of an LSTM, in canonical order: i f g o */
/* What is kept of a matrix: a fraction of the weights of each gate (a linear layer is one gate: gate[0]); asis: the
 * zeros that are in the file decide. `named`: given for this very matrix, at `at`. letter[k], as the spec has it, names
 * the gate that gate[k] is for; none: a matrix takes them in the order of its rows. */
typedef struct Rate { bool asis, named; double gate[GATES_MAX]; char letter[GATES_MAX + 1]; Place at; } Rate;
/* What sparsity.keep and sparsity.pattern say of a layer, by the use of a matrix. */
enum { USE_W, USE_R, USE_HEAD, USE_P, USES };       /* P: of a projection */
typedef struct Keep { bool given; Rate of[USES]; } Keep;
typedef struct PatternNames { bool given; const char *of[USES]; } PatternNames;

typedef struct LayerSpec {
    const char *cell;                   /* key of a row of cells.def */
    const char *reset;                  /* "after" | "before": which gru; NULL: not given */
    const char *gates;                  /* row order in the file, by letters of the cell; NULL: the canonical one */
    const char *W, *R;                  /* tensor names */
    const char *kernel;                 /* instead of both: (I + H, gates * H), with transpose; NULL: not given */
    const char *b[NAMES_MAX]; int n_b;  /* bias tensors, summed */
    const char *b_R[NAMES_MAX]; int n_b_R;      /* of the rows of R alone, summed */
    bool transpose;                     /* tensors are (I, 4H) */
    double forget_bias;
    const char *peephole, *peephole_order;      /* (3, H) in the order of these letters; NULL: none, i f o */
    const char *W_projection, *b_projection;    /* (P, H), (P); NULL: none */
    bool coupled;                       /* lstm: i = 1 - f */
    double clip_input, clip_cell, clip_projection;      /* to +- these; 0: not */
    const char *h0, *c0;                /* of the first step; NULL: 0 */
    const char *activation;             /* linear: name of a curve; NULL: none */
    const char *activations[ACTIVATIONS_MAX]; int n_activations;    /* of the cell's ACT_1 ..; 0: its own */
    Keep keep; PatternNames pattern;    /* of this layer, where given */
    Place at, at_W, at_R, at_b, at_b_R, at_gates, at_activations, at_peephole, at_projection, at_initial;
} LayerSpec;

typedef struct Spec {
    Arena *arena;
    const char *file;                   /* path of the spec as given */
    char sha256[65];                    /* of the spec's effective text: file and --set */
    const char *name, *prefix;          /* prefix: of the library's modules; NULL: none */
    const char *model_file;             /* resolved relative to the spec */
    LayerSpec layer[LAYERS_MAX]; int n_layers;   /* 0: find them in the model file (ONNX) */
    PatternNames pattern;
    Keep keep[LAYERS_MAX]; int n_keep;  /* n_keep 0: keep[0] is for all layers; else one for each */
    int banks; bool banks_auto;         /* 0: not given; chosen here */
    int block; bool align;              /* block 0: not given */
    int group_rows;                     /* 0: not given (pes); -1: all rows */
    double max_padding;
    bool delta; double delta_x, delta_h;    /* delta given; thresholds */
    int encoder_lanes;                  /* 0: auto */
    const char *delta_profile;          /* path or NULL */
    int activation_bits, weight_bits, state_bits;
    int preactivation_bits;             /* 0: activation + 2 */
    double input_range;                 /* 0: calibrate from verify.input */
    int gate_bits;                      /* 0: activation + 2, where the part's multipliers take it */
    double state_range;                 /* 0: calibrate from the float network on verify.input */
    int pes, pe_width;                  /* pe_width 0: not given */
    bool loadable;                      /* engine.weights: loadable */
    int lanes;                          /* 0: auto */
    bool control;                       /* interface.control: axil */
    const char *output;                 /* network.output: "every" | "last" */
    const char *optimise;               /* engine.optimise: "cycles" | "balanced" (or NULL) | "area" */
    const char *memory_vector, *memory_state, *memory_psum;     /* memory.*: "auto" (or NULL) | "lut" | "block" */
    const char *part; double clock_mhz; /* part NULL: generic */
    const char *verify_input, *verify_expect, *verify_lengths, *verify_labels;   /* paths or NULL */
    double min_snr_db;                  /* 0: not checked */
    int verify_steps;                   /* 0: all; else at most so many steps of each sequence */
    struct SpecNode *root;              /* what was read, for spec_at */
} Spec;

/* Reads, applies `sets` ("key.path=value"), checks types, ranges and clashes. NULL after recording what is wrong. */
Spec *spec_load(Arena *a, Diag *d, const char *path, const char *const *sets, int n_sets);
/* The same from a tree that was read before (spec/spec.h); `text` is what the hash is made of, `path` what file names
 * are relative to. The tree is not changed and must outlive the Spec. */
Spec *spec_load_tree(Arena *a, Diag *d, const char *path, struct SpecNode *root, Bytes text, const char *const *sets,
                     int n_sets);
/* Place of a key ("engine.pes", "model.layers.0.W"), or of its nearest parent that is in the file. */
Place spec_at(const Spec *s, const char *key);
bool spec_sends_last(const Spec *s);                     /* network.output: last */
bool spec_gives(const Spec *s, const char *key);         /* the file or --set has the key, and not as null */
/* The reference of every key: as text for `lstmgen keys`, as Markdown for the documentation. */
void keys_print(FILE *to);
void keys_markdown(FILE *to);

/* ---------------------------------------------------------------- model/ */
/* A tensor of a model file, as double-free float32 in C order. */
typedef struct Tensor { const char *name; int rank; int64_t shape[8]; int64_t count; float *data; } Tensor;

/* One row of the importer table: a container of named tensors. */
typedef struct Model Model;
/* Opens .npz, a folder of .npy, .npy, .safetensors, .onnx, .pt, .pth, .keras or .h5 (by content, then by name). */
Model *model_open(Arena *a, Diag *d, Place from, const char *path);
/* Gives back open files; tensors and names stay (they are in the arena). NULL is allowed. */
void model_close(Model *m);
/* All names, in the file's order (for messages: "tensors here: ..."). */
int model_names(const Model *m, const char *const **names);
/* Loads one tensor as float32; refuses NaN and Inf. NULL after recording the error at `from`, naming the tensor. */
Tensor *model_tensor(Model *m, Diag *d, Place from, const char *name);
/* A .npy array for verify: any numeric type, as float32. */
Tensor *array_load(Arena *a, Diag *d, Place from, const char *path);
const char *shape_text(Arena *a, const Tensor *t);      /* "(512, 128)" */

/* rows x columns, row-major, the rows of `gates` gates one after the other; kept[] tells what survives pruning (NULL:
 * everything). Pattern and rate are those of the spec (patterns_assign). */
typedef struct Pattern Pattern;
typedef struct Matrix {
    int rows, columns;
    float *value; uint8_t *kept;
    int gates; const int *order;        /* order: set by column_balanced: neuron at a position, NULL: as they are */
    const Pattern *pattern; Rate keep;
} Matrix;

/* A network is layers, each a cell's table of passes, and two flat lists that they make (model/shape.c): vectors and the
 * products that multiply a matrix with one of them. Passes that belong together are a section. */
enum { VECTORS_MAX = 2 * LAYERS_MAX + 1, PRODUCTS_MAX = 4 * LAYERS_MAX, SECTIONS_MAX = 2 * LAYERS_MAX, TERMS_MAX = 2 };
/* Vector 0 is x. Others are what a layer writes and a product reads: its h, an inner one before it. */
typedef struct Vector {
    int elements, layer;                /* layer -1: x */
    int *order, *place;                 /* element at a position, position of an element; NULL: as they are */
} Vector;
/* Rows of some gates of a layer times a vector. */
typedef struct Product {
    int layer, from;
    bool previous;                      /* the vector of the step before */
    char gates[GATES_MAX + 1];          /* letters of the blocks of rows */
    int use;                            /* USE_...: what rates and patterns call it */
    Matrix m;
    /* Where it lies in the model file: tensor, stored as (columns, rows), its columns and which of them is the first
     * here, and which of its blocks of rows is the n-th gate here. */
    const char *tensor;
    bool turned;
    int tensor_columns, first;
    int block[GATES_MAX];
} Product;
/* Passes first .. first + n - 1 of a layer, none of which reads a vector that another of them writes; every product
 * belongs to one section, and all rows of a section are sums of its terms. */
typedef struct Section {
    int layer, first, n;
    int terms, term[TERMS_MAX];         /* products: of the input (if there is one), then of what the layer wrote */
    int writes;                         /* vector; -1: none */
    bool output;                        /* its results leave the core */
} Section;
typedef struct Layer {
    const Cell *cell;
    Curve activation[ACTIVATIONS_MAX];
    int inputs, hidden;                 /* hidden: neurons; outputs of a linear layer */
    int projection;                     /* elements of the projection of h; 0: none */
    double *bias;                       /* per row */
    double *peephole;                   /* per row: times the state, added to the row; NULL: none */
    double clip_input, clip_cell, clip_projection;      /* of rows before their curve, of the state, of the projection */
    double *h0, *c0;                    /* before the first step; NULL: 0 */
    Place at;
    /* By network_lay_out: */
    int n_passes; Pass pass[PASSES_MAX + 1];
    char gates[GATES_MAX + 2];          /* letters of the blocks of rows (bias): cell_rows, then p of the projection */
    int in;                             /* vector */
    int outputs;                        /* elements that it gives: hidden or projection */
    int first_section, sections;
} Layer;
typedef struct Network {
    int n; Layer layer[LAYERS_MAX];
    int vectors; Vector vector[VECTORS_MAX];
    int products; Product product[PRODUCTS_MAX];
    int sections; Section section[SECTIONS_MAX];
    bool last;                          /* found in a graph that gives one step of each sequence: the last */
    bool delta; double delta_x, delta_h;
} Network;
/* Makes vectors, products (sizes and gates, no values) and sections of net->layer[]: cell, activation, inputs, hidden
 * and projection of each are set. */
void network_lay_out(Network *net);
/* cell/print.c: "f: a = sigmoid(W x + R h + b); p = a * state; state = p + kept". */
const char *layer_pass_text(Arena *a, const Layer *l, const Pass *p);
int layer_rows(const Layer *l);                         /* all gates: 4*hidden for an LSTM */
/* Row of a layer (of its bias) that belongs to a gate's neuron; row of a product to row of its layer. */
int layer_row(const Layer *l, char gate, int neuron);
int product_layer_row(const Network *net, int product, int row);
int pass_units(const Layer *l, const Pass *p);          /* its rows: hidden, or those of the projection */
double pass_clip(const Layer *l, const Pass *p);        /* of its rows before the curve; 0: none */
const double *layer_first_state(const Layer *l);        /* c0, or h0 where h is the state; NULL: 0 */
/* "W", "R" or "P", and as many primes as products of the same kind come before it in the layer. */
const char *product_name(const Network *net, int product);
/* Vector that a layer's output is in; -1: no product reads it. */
int layer_vector(const Network *net, int layer);
bool layer_is_linear(const Layer *l);
const Section *section_of_product(const Network *net, int product);
/* Finds every tensor the spec names (or the layers of an ONNX graph), checks shapes and brings rows into canonical
 * order. */
bool network_load(Arena *a, Diag *d, const Spec *s, Network *out);
/* write.c: writes the model file of the spec again, as `to`, in its own container: the weights that `net` (pruned) does
 * not keep are zero, everything else is byte for byte what it was. `masks`: adds a tensor of 0 and 1 for each matrix,
 * <tensor>_mask. Nothing is left behind after an error. */
bool model_write(Arena *a, Diag *d, const Spec *s, const Network *net, bool masks, const char *to);
/* describe.c: what is in a model file, as a spec that is ready to use. */
typedef struct Description {
    const char *text;                   /* the spec, in YAML, with the tensors as comments */
    json_t *object;                     /* {spec, tensors [{name, shape, used | outside | not_read}], notes, questions}; spec
                                         * null without layers. The caller gives it back. */
    bool complete;                      /* nothing is a guess: the spec can be used as it stands */
    const char *input, *output;         /* what a graph calls the values at which the core starts and ends, or NULL */
    int steps_axis, width;              /* steps_axis: of the graph's input, -1: not known; width: of the core's output */
} Description;
/* The line of the text that `--reference` replaces. */
#define VERIFY_COMMENT "# verify: {input: input.npy, expect: expect.npy}"

/* `to`: where the spec will be saved, or NULL (where the program runs): model.file is written relative to it. False: the
 * file cannot be read (nothing was described). What is assumed is a warning; a layer that only shapes suggest, and what
 * is known but not supported, an error. */
bool model_describe(Arena *a, Diag *d, const char *path, const char *to, Description *out);

/* The sequences to verify with, padded to the longest. */
typedef struct Sequences {
    int n, steps, width;                /* steps: the longest */
    int *length;                        /* steps of each sequence */
    float *x;                           /* [n][steps][width] */
    bool made;                          /* no verify.input: made here, seeded */
    int expect_steps;                   /* 0: no expectation; 1: last step of each sequence; else = steps */
    float *expect; int expect_width;    /* [n][expect_steps][expect_width] */
    int *label;                         /* [n] or NULL */
} Sequences;
bool sequences_load(Arena *a, Diag *d, const Spec *s, const Network *net, Sequences *out);
/* The inputs of delta.profile, whole. */
bool sequences_profile(Arena *a, Diag *d, const Spec *s, const Network *net, Sequences *out);

/* ---------------------------------------------------------------- pattern/ */
/* How one matrix lies on the engine: what pruning decided and what packing needs. */
typedef struct MatrixPlan {
    int banks, bank_size;               /* columns are cut into banks; bank_size = ceil(columns / banks) */
    bool contiguous;                    /* column c is in bank c / bank_size (else bank c mod banks) */
    int keep;                           /* weights kept per row and bank; bank_size when dense */
    int cycles;                         /* engine cycles for one row tile: the most of any gate */
    int gate_keep[GATES_MAX], gate_cycles[GATES_MAX];   /* keep and cycles of the rows of each gate; 0: as `keep`, `cycles` */
    int index_bits;                     /* 0: the read address is a counter */
    int64_t kept, stored;               /* weights that survive; weights stored, padding included */
    int gates, rows;                    /* scatter engine: stacked gates; rows of a PE. Gather engine: gates whose rows
                                         * are cut into groups by themselves; rows of a group (structured_blocks: of a
                                         * block) */
    const int *order;                   /* scatter engine: neuron at a position, NULL: as they are */
} MatrixPlan;

typedef struct Design Design;
typedef struct QMatrix QMatrix;
/* One lane word: weight and in-bank index. */
typedef struct LaneWord { int16_t weight; uint16_t index; } LaneWord;

typedef struct Engine Engine;                      /* plan/design.h */
enum { PRUNE_READS_PES = 1, PRUNE_READS_PE_WIDTH = 2 };
struct Pattern {
    const char *name, *summary, *paper;
    const Engine *engine;
    const char *keeps, *hardware, *costs;          /* one sentence each, for `lstmgen patterns` */
    const char *grain;                             /* why it may keep more than was asked, and what helps; NULL: dense */
    const char *const *keys;                       /* its own spec keys, NULL-terminated */
    /* Fills defaults that depend on other keys (banks from pe_width and back) and reports what clashes. */
    void (*check)(Spec *s, const Network *net, Diag *d);
    /* Its own keys as they are after check, in words, for tables that compare patterns; NULL: it has none. */
    const char *(*settings)(Arena *a, const Spec *s);
    /* What it chose where the spec leaves it the choice, and why; NULL: nothing. The hook may be NULL. */
    const char *(*choice)(Arena *a, const Spec *s, const Network *net);
    /* Projects the matrix of a product at its rate: sets `kept` and zeroes the rest. */
    bool (*prune)(const Spec *s, Arena *a, Diag *d, Network *net, int product);
    /* Geometry of one pruned matrix on N lanes. */
    MatrixPlan (*plan)(const Spec *s, const Matrix *m);
    /* Gather engine. Row `row` of the quantised matrix as plan->cycles * pe_width lane words, cycle-major; row < 0: an
     * empty row. Scatter engine: column `row` as plan->cycles * pes words, `lanes` being the PEs; index: local row. */
    void (*pack)(const MatrixPlan *plan, const QMatrix *q, int row, int lanes, LaneWord *out);
    /* Inverse of pack: adds the row's weights to `out[columns]` (which the caller zeroed). */
    void (*unpack)(const MatrixPlan *plan, int columns, int lanes, const LaneWord *in, int16_t *out);
    /* Which keys of the engine prune reads, besides what check left in spec.banks, block and group_rows: a sweep over
     * the others prunes once. */
    unsigned prune_reads;
    bool private_vectors;                          /* PEs read their own copies of the vector by index */
    /* PEs that read one index list and one copy; 0: all, whatever the order of the rows. NULL: every PE its own. */
    int (*share)(const Spec *s, const Network *net);
    /* Engine cycles of a row where rows differ: PEs then go their own pace (plan/elastic.c). NULL: plan->cycles. */
    int (*row_cycles)(const Matrix *m, int row, int lanes);
    bool whole_vector;                             /* the index of a lane reaches every element, not a bank only */
    /* Lower bound of stored bits per kept weight: log2 C(n,k) / k plus the weight's bits. */
    double (*bound_bits)(const MatrixPlan *plan, int rows, int columns, int weight_bits);
};
const Pattern *pattern_find(const char *name);
bool pattern_has_key(const Pattern *p, const char *key);        /* "sparsity.keep": it prunes */
/* assign.c: gives every matrix its pattern and rate; refuses rates without effect and patterns that share no engine. */
bool patterns_assign(Diag *d, const Spec *s, Network *net);
/* Each pattern in use fills its defaults and reports what clashes. */
void patterns_check(Spec *s, const Network *net, Diag *d);
/* The pattern whose hardware can do what all matrices of a network need; it plans and packs them all. */
const Pattern *patterns_host(const Network *net);
/* prune_reads of all, and what the order of delta.profile reads. */
unsigned patterns_prune_reads(const Spec *s, const Network *net);
/* `choice` of the first that has one, or NULL. */
const char *patterns_choice(Arena *a, const Spec *s, const Network *net);
const char *patterns_text(Arena *a, const Network *net);   /* names of those in use: "dense + bank_balanced" */
bool network_is_pruned(const Network *net);             /* something is removed here (not by the file) */
const Pattern *const *pattern_table(int *n);
void patterns_print(FILE *to);
double log2_choose(double n, double k);             /* log2 of the binomial coefficient */
/* profile.c: orders x and the neurons of each layer by what delta.profile shows; before pruning. */
bool profile_order(Arena *a, Diag *d, const Spec *s, Network *net);

/* ---------------------------------------------------------------- fixed/ */
/* Signed fixed point: value = integer / 2^fraction. */
typedef struct Format { int bits, fraction; } Format;
struct QMatrix { int rows, columns; int16_t *value; const uint8_t *kept; };
/* A product in integers: weight fraction + fraction of its vector + align = row_fraction of the row (numerics: weight
 * exponents per row). */
typedef struct QProduct {
    QMatrix m;
    int align;                          /* the sum of its products is shifted left by this before it is added */
} QProduct;
/* A layer in integers. Row r accumulates at fraction row_fraction[r], in all products of the row. */
typedef struct QLayer {
    int rows;
    int64_t *bias;                      /* at row_fraction */
    int32_t *peephole;                  /* per row, in QNetwork.peephole; NULL: none */
    int *row_fraction;
    Format z[PASSES_MAX + 1];           /* per pass: what its rows are rounded to */
    Format out;                         /* of h (or y) */
} QLayer;
/* sigmoid and tanh by one table of tanh on [0, 8): linear interpolation between 2^segment_bits entries. */
typedef struct ActTable {
    TableKind kind;                     /* T: tanh, or another that levels off before 8 */
    int in_bits, in_fraction;           /* the pre-activation format */
    int out_bits;                       /* activation bits: whose LSB the error is measured in */
    int value_bits;                     /* of results; fraction value_bits - 1 */
    int segment_bits, low_bits;         /* of a tanh argument of fraction in_fraction + 1: address, interpolation */
    int base_bits, slope_bits, table_fraction;
    int slope_shift;                    /* extra fraction bits of the slope */
    int entries; int32_t *base, *slope;
    double max_error_lsb;               /* over all inputs, both functions, measured when built */
} ActTable;
typedef struct QNetwork {
    const Network *net;                 /* a copy: layers, vectors, products, sections */
    QLayer layer[LAYERS_MAX];
    QProduct product[PRODUCTS_MAX];
    Format vector[VECTORS_MAX];         /* vector[0]: x */
    int weight_bits;
    Format pre, gate, state;            /* gate: of vectors that lie within +-1 */
    Format curve;                       /* what sigmoid and tanh give: up to two bits finer */
    Format inner, result, bounded;      /* rows without a curve that stay in the cell unit; results made from a state; the
                                         * state as operand, where it has no curve */
    Format peephole;                    /* of all peephole weights */
    int acc_bits;                       /* exact for every row */
    int left_shift;                     /* of accumulators, before a row's right shift (0 as a rule) */
    ActTable table[TABLE_KINDS];        /* TABLE_TANH: always; others: those in use */
    bool delta; int32_t delta_x, delta_h;   /* thresholds, in the formats of x and h */
} QNetwork;
/* Bits of what sigmoid and tanh give: precision.gate, or by itself as many as the part's multipliers take, at most 2 more
 * than activations have. */
int gate_bits(const Spec *s);
/* Chooses formats (calibration) and rounds the pruned network. */
bool network_quantise(Arena *a, Diag *d, const Spec *s, const Network *net, const Sequences *seq, QNetwork *out);
/* What a row of a layer is rounded to. */
Format row_target(const QNetwork *q, int layer, int row);
/* delta.c: the thresholds of the spec as integers; refuses those that are not multiples of a step. */
bool delta_quantise(Diag *d, const Spec *s, QNetwork *q);
bool act_table_build(Arena *a, Format in, int out_bits, int value_bits, ActTable *out);
/* The same of another curve than tanh. */
bool act_table_build_of(Arena *a, TableKind kind, Format in, int out_bits, int value_bits, ActTable *out);
/* The same table with 2^segment_bits entries; false: its error would be larger, and it stays as it was. */
bool act_table_refine(Arena *a, int segment_bits, int slope_shift, ActTable *t);
int32_t act_sigmoid(const ActTable *t, int32_t z);      /* z in the pre-activation format */
int32_t act_tanh(const ActTable *t, int32_t z);
int64_t round_shift(int64_t v, int shift);              /* add half, arithmetic shift; shift < 0 shifts left */
/* The same, then to +-round(clip * 2^fraction) where clip is above 0: what that cuts is not counted. */
int64_t saturate_clip(int64_t v, Format f, double clip, int64_t *count);
/* Of leaky_relu, for activations of `bits` bits: what is left of a negative value is (value * factor) >> shift, rounded;
 * factor is below 2^(bits - 1). */
int leak_shift(int bits);
int32_t leak_factor(int bits);
/* Before the first step of a sequence: the state of a neuron (0: none is given), and an element of the h that is given, at
 * the fraction of h's vector; h of a cell whose state it is, is made of that. Another h may be larger than the cell's own:
 * it has FIRST_H_MORE bits more, for it is in no vector (its products are in the bias). */
enum { FIRST_H_MORE = 8 };
int32_t network_first_state(const QNetwork *q, int layer, int neuron);
int32_t network_first_h(const QNetwork *q, int layer, int element);
int first_h_growth(const QNetwork *q);  /* by how many bits its products may be larger than those of other steps */
int64_t saturate(int64_t v, int bits, int64_t *count);  /* counts what had to be clipped; count may be NULL */
int32_t format_encode(Format f, double v, int64_t *saturated);
double format_decode(Format f, int64_t v);
int clog2(int64_t n);                                   /* smallest b with 2^b >= n; clog2(1) = 0 */

/* ---------------------------------------------------------------- golden/ */
/* Bit-true and float outputs over all sequences. Knows nothing of patterns or of the RTL's order. */
/* Which elements were sent: one row per valid step, in the order of the sequences; the vector of a product with deltas
 * starts at at[product]. */
typedef struct Activity { int steps, elements; int at[PRODUCTS_MAX]; uint8_t *sent; } Activity;
/* The same inputs with other thresholds than the spec's, for the test of thresholds that are written at run time. */
typedef struct Raised { int32_t delta_x, delta_h, *y; Activity activity; } Raised;
typedef struct Golden {
    Activity activity;                  /* sent NULL without deltas */
    Raised raised;                      /* y NULL until golden_raise */
    int width;                          /* elements of the last layer's output */
    int32_t *x;                         /* [n][steps][inputs], quantised stimulus */
    int32_t *y;                         /* [n][steps][width], integers */
    float *y_float;                     /* float network, same kept weights */
    float *y_unpruned;                  /* float network before pruning, or NULL when nothing was pruned */
    int64_t saturations;                /* of cell state and linear outputs together */
    int64_t state_saturations, output_saturations;
    int64_t input_saturations;          /* stimulus clipped when it was quantised */
} Golden;
bool golden_run(Arena *a, const QNetwork *q, const Network *pruned, const Sequences *seq, Golden *out);
/* Networks with deltas: runs them once more, with raised thresholds. */
void golden_raise(Arena *a, const QNetwork *q, const Sequences *seq, Raised *out);
void float_network_run(const Network *net, const Sequences *seq, float *y);   /* y: [n][steps][width] */
void float_network_values(const Network *net, const Sequences *seq, double *y);
/* The largest magnitudes on the way: of each layer's state, of each pass's row (before the activation), of each vector
 * (x included) and of each layer's output. */
typedef struct Peaks {
    double state[LAYERS_MAX], z[LAYERS_MAX][PASSES_MAX + 1], vector[VECTORS_MAX], out[LAYERS_MAX];
} Peaks;
void float_network_peaks(const Network *net, const Sequences *seq, Peaks *out);
/* Room for the marks of so many steps. */
void activity_start(Arena *a, const Network *net, size_t steps, Activity *out);
/* Does the product send its vector's changes only? */
bool product_has_delta(const Network *net, int product);
/* The same network with its thresholds: which elements are sent. */
void float_network_activity(Arena *a, const Network *net, const Sequences *seq, Activity *out);
/* 10 log10(sum r^2 / sum (r-v)^2); 999 when equal. */
double snr_db(const float *reference, const float *value, size_t n);

/* ---------------------------------------------------------------- plan/ (Design) */
#include "plan/design.h"

#endif
