/* elastic.c: patterns whose rows differ in length. Each PE works through its rows of a phase (one matrix of a layer) at
 * its own pace and puts the sums into a ring; a tile is handed on when the slowest PE has its row. So a phase takes as
 * long as the PE with the most work, and neurons are dealt to PEs to make that the least: their order is free. */
#include "plan/plan.h"

#include <string.h>

/* Up to here every tile may be a word of the step program of its own. */
enum { TILES_AT_ONCE = 128 };

static int row_cycles(const Design *d, int layer, int matrix, int row)
{
    return row < 0 ? 1 : d->row_cycles[layer][matrix][row];
}

void elastic_rows(Arena *a, Design *d)
{
    for (int l = 0; l < d->net->n; l++)
        for (int which = 0; which < MATRICES; which++) {
            const Matrix *m = &d->net->layer[l].m[which];
            d->longest_row = MAX(d->longest_row, d->matrix[l][which].cycles);
            d->row_cycles[l][which] = ARENA_ARRAY(a, int, MAX(m->rows, 1));
            for (int r = 0; r < m->rows; r++)
                d->row_cycles[l][which][r] = d->pattern->row_cycles(m, r, d->lanes_pe);
        }
}

/* ---- dealing neurons to PEs: position q is on PE q mod pes */
typedef struct Deal { int n, pes; int *order; double (*work)[MATRICES], (*load)[MATRICES], mean[MATRICES]; } Deal;

/* What a load of a PE costs: a high power, so that the largest counts. */
static double cost(const Deal *l, const double load[MATRICES])
{
    double sum = 0;
    for (int w = 0; w < MATRICES; w++) {
        double x = load[w] / l->mean[w], x4 = x * x * x * x, x16 = x4 * x4 * x4 * x4;
        sum += x16 * x16;
    }
    return sum;
}

/* Swaps the neurons at two positions where that lowers the cost of their PEs. */
static bool try_swap(Deal *l, int p, int q)
{
    int a = p % l->pes, b = q % l->pes;
    const double *e = l->work[l->order[p]], *f = l->work[l->order[q]];
    double new_a[MATRICES], new_b[MATRICES];
    for (int w = 0; w < MATRICES; w++) {
        new_a[w] = l->load[a][w] + f[w] - e[w];
        new_b[w] = l->load[b][w] + e[w] - f[w];
    }
    double before = cost(l, l->load[a]) + cost(l, l->load[b]);
    if (cost(l, new_a) + cost(l, new_b) >= before * (1 - 1e-9))
        return false;
    memcpy(l->load[a], new_a, sizeof new_a);
    memcpy(l->load[b], new_b, sizeof new_b);
    int t = l->order[p];
    l->order[p] = l->order[q];
    l->order[q] = t;
    return true;
}

static void improve(Deal *l)
{
    enum { PASSES = 12 };
    bool better = true;
    for (int pass = 0; pass < PASSES && better; pass++) {
        better = false;
        for (int p = 0; p < l->n; p++)
            for (int q = p + 1; q < l->n; q++)
                if (p % l->pes != q % l->pes)
                    better = try_swap(l, p, q) || better;
    }
}

void elastic_order(Arena *a, Design *d, int region)
{
    Region *r = &d->region[region];
    int layer = region - 1, n = r->elements;
    Deal l = {.n = n, .pes = d->pes, .order = r->order, .mean = {1, 1}};
    l.work = arena_alloc(a, sizeof *l.work * (size_t)n);
    l.load = arena_alloc(a, sizeof *l.load * (size_t)d->pes);
    for (int e = 0; e < n; e++)
        for (int w = 0; w < MATRICES; w++) {
            for (int gate = 0; gate < GATES; gate++)
                l.work[e][w] += row_cycles(d, layer, w, gate * n + e);
            l.load[e % d->pes][w] += l.work[e][w];
            l.mean[w] += l.work[e][w] / MIN(n, d->pes);
        }
    improve(&l);
}

/* ---- the pace of a phase */
bool elastic_same_phase(const Tile *a, const Tile *b)
{
    return a->layer == b->layer && (a->op == OP_KEEP) == (b->op == OP_KEEP) && a->segment[0].matrix == b->segment[0].matrix;
}

int elastic_phase(const Design *d, int first)
{
    int n = 1;
    while (first + n < d->n_tiles && elastic_same_phase(&d->tile[first], &d->tile[first + n]))
        n++;
    return n;
}

int elastic_tile_cycles(const Design *d, int tile, int pe)
{
    const Tile *t = &d->tile[tile];
    return row_cycles(d, t->segment[0].layer, t->segment[0].matrix, image_row(d, t, pe));
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

/* Each tile as soon as all PEs have it and the cell unit has taken the one before. */
static void times_at_once(const Design *d, int *ready, int n)
{
    for (int k = 1; k < n; k++)
        ready[k] = MAX(ready[k], ready[k - 1] + d->shifts);
}

/* One pace for all but the first tile, so that the phase is two words of the step program: the slowest pace that ends it
 * as early as can be. */
static int end_at(const int *ready, int n, int pace)
{
    int end = 0;
    for (int k = 0; k < n; k++)
        end = MAX(end, ready[k] + (n - 1 - k) * pace);
    return end;
}

static void times_in_step(const Design *d, int *ready, int n)
{
    int pace = d->shifts, end = end_at(ready, n, pace);
    while (n > 1 && end_at(ready, n, pace + 1) == end)
        pace++;
    for (int k = 0; k < n; k++)
        ready[k] = end - (n - 1 - k) * pace;
}

/* Tiles of a head are one run, so all take the same time; how fast they drain is the run's affair. */
static void times_of_head(int *ready, int n)
{
    int pace = 1;
    for (int k = 0; k < n; k++)
        pace = MAX(pace, (ready[k] + k) / (k + 1));
    for (int k = 0; k < n; k++)
        ready[k] = (k + 1) * pace;
}

/* Words of the ring that one phase needs: rows done and not yet handed on, the row being written, one for the turn. */
static void widen_ring(Design *d, int first, int n, const int *time)
{
    for (int pe = 0; pe < d->pes; pe++)
        for (int k = 0, oldest = 0, now = 0; k < n; k++) {
            now += elastic_tile_cycles(d, first + k, pe);
            while (oldest < k && time[oldest] + 2 < now)
                oldest++;
            d->ring = MAX(d->ring, 1 << clog2(k - oldest + 3));
        }
}

void elastic_tiles(Arena *a, Design *d)
{
    int *time = ARENA_ARRAY(a, int, d->n_tiles);
    d->ring = 2;
    for (int first = 0, n; first < d->n_tiles; first += n) {
        n = elastic_phase(d, first);
        ready_times(d, first, n, time);
        if (d->tile[first].op == OP_LINEAR)
            times_of_head(time, n);
        else if (d->n_tiles <= TILES_AT_ONCE)
            times_at_once(d, time, n);
        else
            times_in_step(d, time, n);
        for (int k = 0; k < n; k++)
            d->tile[first + k].segment[0].cycles = time[k] - (k > 0 ? time[k - 1] : 0);
        widen_ring(d, first, n, time);
    }
}

void elastic_words(const Design *d, int first, int n, int pe, LaneWord *out, uint8_t *last)
{
    int total = 0, at = 0;
    for (int k = 0; k < n; k++)
        total += d->tile[first + k].segment[0].cycles;
    memset(out, 0, sizeof *out * (size_t)(total + d->longest_row) * (size_t)d->lanes_pe);
    memset(last, 0, (size_t)total);
    for (int k = 0; k < n; k++) {
        const Segment *g = &d->tile[first + k].segment[0];
        const MatrixPlan *plan = &d->matrix[g->layer][g->matrix];
        const QMatrix *q = &d->q->layer[g->layer].m[g->matrix];
        d->pattern->pack(plan, q, image_row(d, &d->tile[first + k], pe), d->lanes_pe, out + (int64_t)at * d->lanes_pe);
        at += elastic_tile_cycles(d, first + k, pe);
        REQUIRE(at <= total);
        last[at - 1] = 1;
    }
    image_place(d, d->tile[first].segment[0].region, out, total * d->lanes_pe);
}
