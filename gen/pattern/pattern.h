/* pattern.h: what the patterns share among themselves. The table itself is in pattern.c. */
#ifndef PATTERN_PATTERN_H
#define PATTERN_PATTERN_H
#include "lstmgen.h"

extern const Pattern pattern_dense;
extern const Pattern pattern_bank_balanced;
extern const Pattern pattern_grouped_columns;
extern const Pattern pattern_column_balanced;
extern const Pattern pattern_structured_blocks;

/* CBTD: weights kept of a sub-column of `rows` rows. */
int column_balanced_keep(int rows, double keep);
int64_t matrix_kept(const Matrix *m);                   /* weights that survive */
bool rate_differs(const Rate *r, int gates);            /* from gate to gate */
/* pack and unpack where a lane sees the whole vector: the survivors of a row in column order, dealt to the lanes in
 * turn. */
void columns_pack(const MatrixPlan *plan, const QMatrix *q, int row, int lanes, LaneWord *out);
void columns_unpack(const MatrixPlan *plan, int columns, int lanes, const LaneWord *in, int16_t *out);
/* Does weight `at` of a matrix survive? */
static inline bool survives(const Matrix *m, int64_t at)
{
    return !m->kept || m->kept[at];
}
#endif
