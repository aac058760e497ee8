/* scatter_rows.c: the rows of the scatter engine's PEs: how wide they are, how soon a row can come back, and what their
 * memories are made of. */
#include "plan/plan.h"

#include "flow/parts.h"

#include <stdlib.h>

enum { BLOCK_DEPTH = 32,                /* from here on block RAM saves more than it is worth elsewhere */
       EDGE_MOST = 8,                   /* bits of a row in LUT RAM that are cheaper than a second block */
       FORWARDS = 3 };                  /* products behind a read that are not yet stored: see lg_scatter_pe */

/* ---- width: the largest sum of |weight| that one array adds to a row, times the largest value */

/* Of a section, by its weights: sum[row of the layer * arrays + array]. */
static int64_t largest_sum(Arena *scratch, const Design *d, const Section *s)
{
    int64_t *sum = ARENA_ARRAY(scratch, int64_t, (int64_t)d->q->layer[s->layer].rows * d->lanes_pe), most = 0;
    for (int k = 0; k < s->terms; k++) {
        const QProduct *q = &d->q->product[s->term[k]];
        const Region *r = &d->region[d->net->product[s->term[k]].from];
        for (int64_t at = 0; at < (int64_t)q->m.rows * q->m.columns; at++) {
            int position = region_position(r, (int)(at % q->m.columns));
            int row = product_layer_row(d->net, s->term[k], (int)(at / q->m.columns));
            int64_t *of = &sum[(int64_t)row * d->lanes_pe + position % d->lanes_pe];
            *of += llabs((int64_t)q->m.value[at]) << q->align;
            most = MAX(most, *of);
        }
    }
    return most;
}

/* The same for any weights: as many columns as an array has. */
static int64_t largest_loadable_sum(const Design *d, int section)
{
    int64_t sum = 0;
    for (int k = 0; k < d->n_scans; k++)
        if (d->scan[k].section == section)
            sum += (int64_t)d->scan[k].addresses * d->queues << d->q->product[d->scan[k].product].align;
    return sum << (d->q->weight_bits - 1);
}

static int row_bits(const Design *d)
{
    Arena *scratch = arena_new();
    int bits = 1;
    for (int s = 0; s < d->net->sections; s++) {
        const Section *section = &d->net->section[s];
        bool delta = d->delta && product_has_delta(d->net, section->term[0]);
        int64_t most = d->spec->loadable ? largest_loadable_sum(d, s) : largest_sum(scratch, d, section);
        bits = MAX(bits, clog2((most << (d->q->gate.bits - 1 + delta)) + 1) + 1);
    }
    arena_free(scratch);
    return bits;
}

/* ---- distance: a row of the last words of a column may be one of the first words of the next */

/* Per PE and row, bit k: some column of an array has the row in its k-th word, counted from the front or the end. */
typedef struct Ends { uint8_t *front, *end; LaneWord *word; } Ends;

static void mark_column(const Design *d, const Scan *s, int column, Ends *e)
{
    d->pattern->pack(&d->plan[s->product], &d->q->product[s->product].m, column, d->pes, e->word);
    for (int i = 0; i < s->words; i++)
        for (int pe = 0; pe < d->pes; pe++) {
            int row = e->word[i * d->pes + pe].index, left = s->words - 1 - i;
            REQUIRE(row < d->rows && (i == 0 || row > e->word[(i - 1) * d->pes + pe].index));
            e->front[pe * d->rows + row] |= i < FORWARDS ? 1 << i : 0;
            e->end[pe * d->rows + row] |= left < FORWARDS ? 1 << left : 0;
        }
}

static void mark_array(const Design *d, int section, int array, Ends *e)
{
    for (int k = 0; k < d->n_scans; k++) {
        const Scan *s = &d->scan[k];
        const Region *r = &d->region[s->region];
        for (int position = array; s->section == section && position < r->elements; position += d->lanes_pe)
            mark_column(d, s, region_element(r, position), e);
    }
}

/* Bit n: a row can come back n + 1 cycles later. */
static int near_of(const Ends *e, int64_t rows)
{
    int near = 0;
    for (int64_t k = 0; k < rows; k++)
        for (int end = 0; end < FORWARDS; end++)
            near |= e->end[k] >> end & 1 ? e->front[k] << end : 0;
    return near & ((1 << FORWARDS) - 1);
}

/* A column shorter than the distance lies between two others: which rows those have is not looked at. */
static int near_of_short(const Design *d)
{
    int near = 0;
    for (int k = 0; k < d->n_scans; k++)
        for (int n = d->scan[k].words; n < FORWARDS; n++)
            near |= 1 << n;
    return near;
}

static int nearest_rows(const Design *d)
{
    int near = d->spec->loadable ? (1 << FORWARDS) - 1 : near_of_short(d), words = 1;
    for (int k = 0; k < d->n_scans; k++)
        words = MAX(words, d->scan[k].words);
    for (int section = 0; section < d->net->sections; section++)
        for (int array = 0; array < d->lanes_pe && near != (1 << FORWARDS) - 1; array++) {
            Arena *scratch = arena_new();
            int64_t rows = (int64_t)d->pes * d->rows;
            Ends e = {ARENA_ARRAY(scratch, uint8_t, rows), ARENA_ARRAY(scratch, uint8_t, rows),
                      ARENA_ARRAY(scratch, LaneWord, (int64_t)words * d->pes)};
            mark_array(d, section, array, &e);
            near |= near_of(&e, rows);
            arena_free(scratch);
        }
    return near;
}

/* ---- memories: block RAM where it suffices; a few bits more than fill the blocks go to LUT RAM, if that helps */

/* The rows are {flag, row} in two banks of each multiplier, a bank in `reads` memories; `edge` bits of them are LUT
 * RAM. */
static MemoryUse row_memory(const Design *d, int edge)
{
    return (MemoryUse){"rows", d->row_bits + 1 - edge, d->rows / d->reads, 2 * d->reads * d->multipliers_engine, true,
                       false, false};
}

/* Fewest bits without which a row takes fewer blocks; 0: none or too many. */
static int edge_of(const Design *d)
{
    MemoryUse whole = row_memory(d, 0);
    for (int edge = 1; edge <= MIN(EDGE_MOST, d->row_bits) && d->family->small_ram; edge++) {
        MemoryUse rest = row_memory(d, edge);
        if (memory_blocks(d->family, &rest) < memory_blocks(d->family, &whole))
            return edge;
    }
    return 0;
}

static bool blocks_suffice(const Design *d, int edge)
{
    MemoryUse rows = row_memory(d, edge);
    int64_t blocks = memory_blocks(d->family, &rows);
    for (int k = 0; k < d->n_memories; k++)
        blocks += memory_blocks(d->family, &d->memory[k]);
    return blocks <= d->part->brams;
}

void scatter_plan_rows(Design *d)
{
    d->row_bits = row_bits(d);
    d->near = nearest_rows(d);
    REQUIRE(d->row_bits <= d->q->acc_bits);
}

void scatter_list_rows(Design *d)
{
    bool whole = blocks_suffice(d, 0);
    d->row_edge = whole ? 0 : edge_of(d);
    int depth = d->rows / d->reads;
    d->row_block = memory_in_block(d, depth) || (depth >= BLOCK_DEPTH && (whole || blocks_suffice(d, d->row_edge)));
    if (!d->row_block)
        d->row_edge = 0;
    MemoryUse rows = row_memory(d, d->row_edge);
    memory_add(d, rows.name, rows.width, rows.depth, rows.copies, d->row_block, false, false);
    if (d->row_edge > 0)
        memory_add(d, "highest bits of rows", d->row_edge, rows.depth, rows.copies, false, false, false);
}
