/* emit.h: writing the output folder. Private to gen/emit but for emit_core. */
#ifndef EMIT_EMIT_H
#define EMIT_EMIT_H
#include "lstmgen.h"

/* Writes rtl/, mem/, constraints/, syn/, tb/ and Makefile of a planned design. False after recording why. */
bool emit_core(const Design *d, const Golden *g, const Sequences *seq, Folder *f, Diag *diag);

/* ---------------------------------------------------------------- emit/template.c */
/* A value for `${NAME}` holes, for `//%% if name` (value "0" or "" leaves the section out) and, as a count, for
 * `//%% each name`, which repeats its section with ${NAME} = 0 .. count-1. */
typedef struct Hole { const char *name, *value; } Hole;
struct Holes {
    Arena *arena; Hole hole[192]; int n;
    const char *prefix;                 /* of the library's modules: lg_mul is <prefix>lg_mul in what is written to rtl/ */
};
void hole_text(Holes *h, const char *name, const char *value);
void hole_int(Holes *h, const char *name, int64_t value);
/* Fills a template (a path below the data folder). A hole without a value is a fault with template:line. */
bool template_fill(Folder *f, Diag *diag, const Holes *h, const char *template_path, const char *name);
/* Copies a file of the data folder as it is, but for the prefix. */
bool template_copy(Folder *f, Diag *diag, const Holes *h, const char *path, const char *name);

/* ---------------------------------------------------------------- emit/hex.c */
/* One image: words of `width` bits, fields put lowest first, written as hexadecimal lines. */
typedef struct Image { FolderFile *file; int width, at, words; uint64_t *limb; char *line; } Image;
/* Begins mem/<name of the core>_<what>.hex. */
bool image_open(Image *m, const Design *d, Arena *a, Folder *f, const char *what, int width, const char *layout);
void image_field(Image *m, int64_t value, int bits);    /* two's complement, cut to `bits` */
void image_word(Image *m);                              /* writes the word; it must be full */
bool image_close(Image *m);

/* ---------------------------------------------------------------- emit/params.c, tables.c, weights.c, vectors.c */
int64_t holes_params(const Design *d, Holes *h);        /* every parameter of the core as a hole; bits of a load word */
uint32_t passes_with(const Design *d, const char *name); /* bits of a mask of the cell unit (cell/masks.def) */
int64_t version_word(void);                             /* major << 16 | minor << 8 | patch */
bool emit_program(const Design *d, Arena *a, Folder *f);
bool emit_tiles(const Design *d, Arena *a, Folder *f);
bool emit_activation(const Design *d, Arena *a, Folder *f);
bool emit_orders(const Design *d, Arena *a, Folder *f);
bool emit_records(const Design *d, Arena *a, Folder *f);
bool emit_states(const Design *d, Arena *a, Folder *f);         /* none without an initial state */
int curves_slope_bits(const Design *d);                 /* of the widest slope in the tables of curves */
bool emit_weights(const Design *d, Arena *a, Folder *f);
bool emit_vectors(const Design *d, Arena *a, Folder *f, const Golden *g, const Sequences *seq);
bool emit_memory_map(const Design *d, Arena *a, Folder *f);

bool emit_flow(const Design *d, Folder *f, Diag *diag, Holes *h, const char *files);

/* ---------------------------------------------------------------- emit/gather.c, scatter.c: fields of Engine */
extern const char *const gather_modules[], *const scatter_modules[];
bool gather_unused(const Design *d, const char *module);
bool scatter_unused(const Design *d, const char *module);
void gather_holes(const Design *d, Holes *h);
void scatter_holes(const Design *d, Holes *h);
bool gather_images(const Design *d, Arena *a, Folder *f);
bool scatter_images(const Design *d, Arena *a, Folder *f);

/* Field widths of step program and tile table, shared with lg_sequencer and lg_cell. */
typedef struct Widths { int tile, length, gap, weight, record, psum, neuron, rows, bank, entry, lane, stage; } Widths;
Widths widths_of(const Design *d);
#endif
