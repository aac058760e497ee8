/* blocks.h: the storage format of structured blocks (CSB-RNN: Shi et al., ICS 2020, arXiv 2005.05758): five arrays. */
#ifndef PATTERN_BLOCKS_H
#define PATTERN_BLOCKS_H
#include "lstmgen.h"

/* A matrix in blocks of side x side, in row-major order; block b is a dense kernel of n[b] rows and m[b] columns whose
 * block-relative numbers follow each other in row[] and column[], its values row by row in value[]. */
typedef struct Blocks {
    int rows, columns, side, across, count;     /* blocks in a block-row, blocks in all */
    uint8_t *n, *m, *row, *column;
    int16_t *value;
    int64_t rows_stored, columns_stored, values;
} Blocks;

/* Every block's kernel is spanned by the rows and columns that keep a weight. */
Blocks blocks_pack(Arena *a, const QMatrix *q, int side);
/* Inverse: fills value[rows * columns], which the caller zeroed. */
void blocks_unpack(const Blocks *b, int16_t *value);
/* Cycles that `groups` groups of p x q multipliers need for all kernels, cut into tiles of p x q: each kernel on the
 * group of its turn (shared false), or tiles dealt to whichever group is free. */
int64_t blocks_cycles(const Blocks *b, int p, int q, int groups, bool shared);
#endif
