/* elastic.c: patterns whose rows differ in length. Each PE works through its rows of a phase at its own pace and puts
 * the sums into a ring; a tile is handed on when the slowest PE has its row. So a phase takes as long as the PE with
 * the most work; neurons are dealt to PEs (deal.c) to make that the least: their order is free.
 *
 * A phase is all that a layer does in a step: the words of W and of R of a row follow each other. The first tiles of
 * the first layer may have a phase of their own before it, W alone, kept: it fills the time in which h drains.
 * Tiles leave `slack` cycles later than the control says, so that the last rows of a phase may follow each other faster
 * than the cell unit takes them, and so that gates of a neuron keep their distance without an idle cycle. */
#include "plan/plan.h"

#include <string.h>

/* Up to here every tile may be a word of the step program of its own. Marks of a word, for the index image. */
enum { TILES_AT_ONCE = 128, WORD_LAST = 1, WORD_OWN = 2 };

void elastic_rows(Arena *a, Design *d)
{
    for (int p = 0; p < d->net->products; p++) {
        const Matrix *m = &d->net->product[p].m;
        d->longest_row = MAX(d->longest_row, d->plan[p].cycles);
        d->row_cycles[p] = ARENA_ARRAY(a, int, m->rows);
        for (int r = 0; r < m->rows; r++)
            d->row_cycles[p][r] = d->pattern->row_cycles(m, r, d->lanes_pe);
    }
}

double elastic_work(const Design *d, int product)
{
    double sum = 0;
    for (int r = 0; r < d->net->product[product].m.rows; r++)
        sum += d->row_cycles[product][r];
    return sum / d->pes;
}

int elastic_row_cycles(const Design *d, int product, char gate, int neuron)
{
    const Product *p = &d->net->product[product];
    const char *at = strchr(p->gates, gate);
    return at ? d->row_cycles[product][(at - p->gates) * (p->m.rows / p->m.gates) + neuron] : 0;
}

/* ---- the pace of a phase */
bool elastic_same_phase(const Tile *a, const Tile *b)
{
    return a->section == b->section && (a->op == OP_KEEP) == (b->op == OP_KEEP);
}

int elastic_phase(const Design *d, int first)
{
    int n = 1;
    while (first + n < d->n_tiles && elastic_same_phase(&d->tile[first], &d->tile[first + n]))
        n++;
    return n;
}

int elastic_part_cycles(const Design *d, const Tile *t, int which, int neuron)
{
    bool has = neuron >= 0 && t->parts >> which & 1;
    return has ? elastic_row_cycles(d, d->net->section[t->section].term[which], tile_pass(d, t)->gate, neuron) : 0;
}

int elastic_tile_cycles(const Design *d, int tile, int pe)
{
    const Tile *t = &d->tile[tile];
    int neuron = image_neuron(d, t, pe), cycles = 0;
    for (int which = 0; which < TERMS_MAX; which++)
        cycles += elastic_part_cycles(d, t, which, neuron);
    return MAX(cycles, 1);
}

/* ready[k]: cycles until all PEs have done the first k + 1 rows of the phase. */
static void ready_times(const Design *d, int first, int n, int *ready)
{
    memset(ready, 0, sizeof *ready * (size_t)n);
    for (int pe = 0; pe < d->pes; pe++)
        for (int k = 0, now = 0; k < n; k++) {
            now += elastic_tile_cycles(d, first + k, pe);
            ready[k] = MAX(ready[k], now);
        }
}

/* When tile t may come, of a phase that begins at `first`, so that what earlier phases of its layer left for it is
 * there. What stands between them may be left out. */
static int after_phases(const Design *d, int first, const Tile *t)
{
    int least = 0;
    for (int b = first - 1, ago = 0; b >= 0 && ago < stages_longest_distance(d); b--) {
        const Tile *u = &d->tile[b];
        if (tile_layer(d, u) != tile_layer(d, t))
            continue;
        if (u->group == t->group && u->op != OP_KEEP)
            least = MAX(least, stages_distance(d, u->op, t->op) - ago);
        ago += u->term[0].cycles;
    }
    return least;
}

/* The earliest time of tile k, by the control, when those before it are set: all PEs have the row `slack` later, the
 * cell unit has taken the tile before, and earlier gates of its neurons are far enough ahead. */
static int earliest(const Design *d, int first, int k, const int *ready, const int *time)
{
    const Tile *t = &d->tile[first + k];
    int at = MAX(ready[k] - d->slack, (k > 0 ? time[k - 1] : 0) + d->shifts);
    if (t->use_psum)
        at = MAX(at, stages_distance(d, OP_KEEP, t->op));
    if (t->op != OP_KEEP)
        at = MAX(at, after_phases(d, first, t));
    for (int b = k - 1; b >= 0 && at - time[b] < stages_longest_distance(d); b--)
        if (d->tile[first + b].group == t->group)
            at = MAX(at, time[b] + stages_distance(d, d->tile[first + b].op, t->op));
    return MAX(at, 1);
}

/* Each tile as soon as can be. The phase ends with its last tile. */
static void times_at_once(const Design *d, int first, int n, const int *ready, int *time)
{
    for (int k = 0; k < n; k++)
        time[k] = earliest(d, first, k, ready, time);
    time[n - 1] = MAX(time[n - 1], ready[n - 1]);
}

/* One pace for all but the first tile, so that the phase is two words of the step program. */
static bool times_at_pace(const Design *d, int first, int n, int end, int pace, const int *ready, int *time)
{
    for (int k = 0; k < n; k++) {
        time[k] = end - (n - 1 - k) * pace;
        if (time[k] < earliest(d, first, k, ready, time))
            return false;
    }
    return true;
}

static bool times_in_step(const Design *d, int first, int n, int end, const int *ready, int *time)
{
    for (int pace = end / n; pace >= d->shifts; pace--)
        if (times_at_pace(d, first, n, end, pace, ready, time))
            return true;
    return false;
}

/* Few words of the step program where that costs nothing, or where there are too many tiles. */
static void phase_times(const Design *d, int first, int n, const int *ready, int *time)
{
    times_at_once(d, first, n, ready, time);
    int end = time[n - 1];
    if (times_in_step(d, first, n, end, ready, time))
        return;
    if (d->n_tiles <= TILES_AT_ONCE) {
        times_at_once(d, first, n, ready, time);
        return;
    }
    while (!times_in_step(d, first, n, ++end, ready, time))
        REQUIRE(end < 1 << 24);
}

/* Words of the ring that one phase needs: rows done before the control hands them on, the row being written, one for
 * the turn, and the tiles handed on in the last `slack` cycles. */
static void widen_ring(Design *d, int first, int n, const int *time)
{
    int late = (d->slack + 3) / d->shifts + 1;
    for (int pe = 0; pe < d->pes; pe++)
        for (int k = 0, oldest = 0, now = 0; k < n; k++) {
            now += elastic_tile_cycles(d, first + k, pe);
            while (oldest < k && time[oldest] + 2 < now)
                oldest++;
            d->ring = MAX(d->ring, 1 << clog2(k - oldest + 3 + late));
        }
}

void elastic_tiles(Arena *a, Design *d)
{
    int *ready = ARENA_ARRAY(a, int, d->n_tiles), *time = ARENA_ARRAY(a, int, d->n_tiles);
    d->ring = 2;
    for (int first = 0, n; first < d->n_tiles; first += n) {
        n = elastic_phase(d, first);
        ready_times(d, first, n, ready);
        phase_times(d, first, n, ready, time);
        for (int k = 0; k < n; k++)
            d->tile[first + k].term[0].cycles = time[k] - (k > 0 ? time[k - 1] : 0);
        widen_ring(d, first, n, time);
    }
}

/* ---- words */
/* A word without work reads what stays as it is: place 0 of the layer's own h where R is multiplied, as x may have been
 * released and be written anew; else an element of the layer's input that is stored. */
static void idle_words(const Design *d, const Tile *t, int n, LaneWord *out, uint8_t *mark)
{
    bool own = t->parts >> 1 & 1;
    int index = own ? 0 : d->region[t->term[0].region].stored_slot;
    memset(mark, own ? WORD_OWN : 0, (size_t)n);
    for (int k = 0; k < n * d->lanes_pe; k++)
        out[k] = (LaneWord){.index = (uint16_t)index};
}

/* Words of one row, W before R; how many. */
static int row_words(const Design *d, const Tile *t, int pe, LaneWord *out, uint8_t *mark)
{
    int at = 0, neuron = image_neuron(d, t, pe);
    idle_words(d, t, 1, out, mark);
    for (int which = 0; which < TERMS_MAX; which++) {
        int cycles = elastic_part_cycles(d, t, which, neuron), product = d->net->section[t->section].term[which];
        if (cycles == 0)
            continue;
        LaneWord *from = out + (int64_t)at * d->lanes_pe;
        int row = image_product_row(d, t, product, pe);
        d->pattern->pack(&d->plan[product], &d->q->product[product].m, row, d->lanes_pe, from);
        image_place(d, d->net->product[product].from, from, cycles * d->lanes_pe);
        for (int k = 0; k < cycles; k++)
            mark[at++] = which == 1 ? WORD_OWN : 0;
    }
    at = MAX(at, 1);
    mark[at - 1] |= WORD_LAST;
    return at;
}

void elastic_words(const Design *d, int first, int n, int pe, LaneWord *out, uint8_t *mark)
{
    int total = 0, at = 0;
    for (int k = 0; k < n; k++)
        total += d->tile[first + k].term[0].cycles;
    for (int k = 0; k < n; k++) {
        REQUIRE(at + elastic_tile_cycles(d, first + k, pe) <= total);
        at += row_words(d, &d->tile[first + k], pe, out + (int64_t)at * d->lanes_pe, mark + at);
    }
    idle_words(d, &d->tile[first + n - 1], total - at, out + (int64_t)at * d->lanes_pe, mark + at);
}
