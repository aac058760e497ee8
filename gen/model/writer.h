/* writer.h: what the files that write a model again (write*.c) share. */
#ifndef MODEL_WRITER_H
#define MODEL_WRITER_H

#include "model/importer.h"

/* One tensor that loses weights: kept[n] for its elements in C order, of the file's own shape. */
typedef struct Edit {
    const char *name, *mask;
    int rank;
    int64_t shape[RANK_MAX], count;
    uint8_t *kept;
} Edit;

typedef struct Rewrite {
    Arena *arena;
    Model *model;
    Subject subject;
    const Edit *edit;
    int n;
    bool masks;
    const char *to; /* final name, clean */
    bool in_place;  /* it is the input itself */
} Rewrite;

/* A file to be written; write.c puts all of them in place, or none. */
typedef struct OutFile {
    const char *path;
    Bytes bytes;
} OutFile;
typedef struct OutFiles {
    OutFile *file;
    int n;
} OutFiles;

/* One row per container. Adds the files with out_file. */
typedef struct Writer {
    const Importer *of;
    bool (*write)(const Rewrite *w, OutFiles *out);
} Writer;
bool write_npz(const Rewrite *w, OutFiles *out);
bool write_npy(const Rewrite *w, OutFiles *out);
bool write_folder(const Rewrite *w, OutFiles *out);
bool write_safetensors(const Rewrite *w, OutFiles *out);
bool write_onnx(const Rewrite *w, OutFiles *out);

/* ---------------------------------------------------------------- write.c */
void out_file(const Rewrite *w, OutFiles *out, const char *path, Bytes bytes);
/* The edit of a tensor, or NULL: it is copied. */
const Edit *edit_of(const Rewrite *w, const char *tensor);
/* Zeroes the elements that are not kept; `data` are the tensor's elements as the file has them. Zero
 * is all bits zero in every floating-point type and byte order. */
void edit_apply(const Edit *e, uint8_t *data, size_t element_bytes, bool fortran);
/* The file has a tensor of the mask's name: only a mask (bytes, of the same shape) is replaced. */
bool mask_replaces(const Rewrite *w, const Edit *e, bool bytes, int64_t rank, const int64_t *shape);
/* The whole file in memory that may be changed. */
bool read_copy(const Rewrite *w, const char *path, uint8_t **data, size_t *size);

/* ---------------------------------------------------------------- write_npy.c */
/* Zeroes inside a whole .npy file. */
bool npy_apply(const Rewrite *w, const Edit *e, uint8_t *file, size_t size);
/* A whole .npy file of bytes 0 and 1. */
Bytes npy_mask(Arena *a, const Edit *e);
/* mask_replaces, for a .npy file. */
bool npy_mask_replaces(const Rewrite *w, const Edit *e, const uint8_t *file, size_t size);

#endif
