/* h5.h: HDF5 files, read by libhdf5 in a process of its own. */
#ifndef MODEL_H5_H
#define MODEL_H5_H

#include "model/importer.h"

typedef struct H5Item {
    const char *name;                   /* path in the file, without the first slash */
    bool floating;
    int64_t rank, shape[RANK_MAX];
} H5Item;
typedef struct H5 {
    Arena *arena;
    int socket, child;
    H5Item *item;
    int n, room;
    const char *config;                 /* the attribute model_config of the root, or NULL */
    uint64_t size;                      /* of the file */
} H5;

/* Lists the datasets of s->file, or of the image of one. NULL after recording the error. h5_close gives it back. */
H5 *h5_open(Arena *a, const Subject *s, Bytes image);
/* Loads a dataset of floating point. */
bool h5_load(H5 *h, const Subject *s, int index, Arena *a, Tensor *out);
void h5_close(H5 *h);

/* ---------------------------------------------------------------- h5_child.c */
/* What runs in the other process: writes the list to the socket, then answers requests; never returns. An answer is a
 * letter (ANSWER_...) and what belongs to it. */
enum { ANSWER_ITEM = 'T', ANSWER_CONFIG = 'C', ANSWER_ERROR = 'E', ANSWER_END = '.', ANSWER_DATA = 'D' };
enum { H5_TEXT_MAX = 16 << 20, H5_NAME_MAX = 1000 };
typedef struct H5Wire {                 /* follows ANSWER_ITEM, before the name */
    int64_t rank, shape[RANK_MAX];
    int32_t floating, name_bytes;
} H5Wire;
_Noreturn void h5_child(int socket, const char *path, Bytes image, uint64_t size);

#endif
