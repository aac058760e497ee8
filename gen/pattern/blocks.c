/* blocks.c: five-array storage of structured blocks. */
#include "pattern/blocks.h"

static bool is_kept(const QMatrix *q, int64_t at)
{
    return !q->kept || q->kept[at];
}

/* Block-relative numbers of the rows (or columns) of a block that keep a weight; how many. */
static int spanned(const QMatrix *q, int r0, int c0, int side, bool columns, uint8_t *out)
{
    int n = 0, r1 = MIN(r0 + side, q->rows), c1 = MIN(c0 + side, q->columns);
    int outer = columns ? c1 - c0 : r1 - r0, inner = columns ? r1 - r0 : c1 - c0;
    for (int i = 0; i < outer; i++) {
        bool any = false;
        for (int k = 0; k < inner && !any; k++)
            any = is_kept(q, (int64_t)(r0 + (columns ? k : i)) * q->columns + c0 + (columns ? i : k));
        if (any)
            out[n++] = (uint8_t)i;
    }
    return n;
}

static void add_kernel(Blocks *b, const QMatrix *q, int block)
{
    int r0 = block / b->across * b->side, c0 = block % b->across * b->side;
    uint8_t *row = b->row + b->rows_stored, *column = b->column + b->columns_stored;
    int n = spanned(q, r0, c0, b->side, false, row), m = spanned(q, r0, c0, b->side, true, column);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < m; k++)
            b->value[b->values++] = q->value[(int64_t)(r0 + row[i]) * q->columns + c0 + column[k]];
    b->n[block] = (uint8_t)n;
    b->m[block] = (uint8_t)m;
    b->rows_stored += n;
    b->columns_stored += m;
}

Blocks blocks_pack(Arena *a, const QMatrix *q, int side)
{
    Blocks b = {.rows = q->rows, .columns = q->columns, .side = side, .across = (q->columns + side - 1) / side};
    b.count = b.across * ((q->rows + side - 1) / side);
    b.n = ARENA_ARRAY(a, uint8_t, b.count);
    b.m = ARENA_ARRAY(a, uint8_t, b.count);
    b.row = ARENA_ARRAY(a, uint8_t, (int64_t)b.count * side);
    b.column = ARENA_ARRAY(a, uint8_t, (int64_t)b.count * side);
    b.value = ARENA_ARRAY(a, int16_t, (int64_t)q->rows * q->columns);
    for (int k = 0; k < b.count; k++)
        add_kernel(&b, q, k);
    return b;
}

void blocks_unpack(const Blocks *b, int16_t *value)
{
    const uint8_t *row = b->row, *column = b->column;
    const int16_t *from = b->value;
    for (int k = 0; k < b->count; row += b->n[k], column += b->m[k], k++) {
        int r0 = k / b->across * b->side, c0 = k % b->across * b->side;
        for (int i = 0; i < b->n[k]; i++)
            for (int j = 0; j < b->m[k]; j++)
                value[(int64_t)(r0 + row[i]) * b->columns + c0 + column[j]] = *from++;
    }
}

int64_t blocks_cycles(const Blocks *b, int p, int q, int groups, bool shared)
{
    int64_t total = 0, turn = 0, all = 0;
    for (int k = 0; k < b->count; k++) {
        int64_t tiles = (int64_t)((b->n[k] + p - 1) / p) * ((b->m[k] + q - 1) / q);
        turn = MAX(turn, tiles);
        all += tiles;
        if (k % groups == groups - 1 || k == b->count - 1) {
            total += turn;
            turn = 0;
        }
    }
    return shared ? (all + groups - 1) / groups : total;
}
