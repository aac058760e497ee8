/* deal.c: which PE works on which neuron, where rows differ in length (plan/elastic.c): position q is on PE q mod pes, and
 * the four rows of a neuron stay together. To begin with, neurons are dealt there and back by their work; then the fullest
 * PE swaps neurons with others while that makes the longest phases shorter. */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

enum { EARLY, MAIN, PHASES };
/* Cycles in each phase. */
typedef struct Load { int64_t of[PHASES]; } Load;

typedef struct Deal {
    int n, pes, groups;
    int *order;                         /* neuron at a position */
    Load *work;                         /* [n][groups]: of a neuron, by the group it is in */
    Load *load;                         /* per PE */
    double mean[PHASES];
} Deal;

/* Cycles of a neuron in a group whose gates `early` (bits) have their words of W in the early phase. */
static Load count_work(const Design *d, int layer, int neuron, int early)
{
    Load sum = {{0, 0}};
    for (int gate = 0; gate < GATES; gate++) {
        int row = gate * d->net->layer[layer].hidden + neuron;
        sum.of[early >> gate & 1 ? EARLY : MAIN] += d->row_cycles[layer][MATRIX_W][row];
        sum.of[MAIN] += d->row_cycles[layer][MATRIX_R][row];
    }
    return sum;
}

static Load work_at(const Deal *l, int neuron, int position)
{
    return l->work[(int64_t)neuron * l->groups + position / l->pes];
}

/* What a load of a PE costs: a high power, so that the largest counts. */
static double cost(const Deal *l, Load load)
{
    double sum = 0;
    for (int k = 0; k < PHASES; k++) {
        double x = (double)load.of[k] / l->mean[k], x2 = x * x, x4 = x2 * x2, x16 = x4 * x4 * x4 * x4;
        sum += l->mean[k] * x16 * x16;
    }
    return sum;
}

static Load exchange(Load load, Load out, Load in)
{
    for (int k = 0; k < PHASES; k++)
        load.of[k] += in.of[k] - out.of[k];
    return load;
}

/* The loads of the PEs at two positions after a swap of their neurons. */
static void swapped(const Deal *l, int p, int q, Load *at_p, Load *at_q)
{
    int e = l->order[p], f = l->order[q];
    *at_p = exchange(l->load[p % l->pes], work_at(l, e, p), work_at(l, f, p));
    *at_q = exchange(l->load[q % l->pes], work_at(l, f, q), work_at(l, e, q));
}

/* The best swap of a neuron of this PE with one of another PE, where one helps. */
static bool relieve(Deal *l, int pe)
{
    double best = 1e-9;
    int from = -1, to = -1;
    Load x, y;
    for (int p = pe; p < l->n; p += l->pes)
        for (int q = 0; q < l->n; q++) {
            if (q % l->pes == pe)
                continue;
            swapped(l, p, q, &x, &y);
            double gain = cost(l, l->load[pe]) + cost(l, l->load[q % l->pes]) - cost(l, x) - cost(l, y);
            if (gain > best)
                best = gain, from = p, to = q;
        }
    if (from < 0)
        return false;
    swapped(l, from, to, &x, &y);
    l->load[pe] = x;
    l->load[to % l->pes] = y;
    int e = l->order[from];
    l->order[from] = l->order[to];
    l->order[to] = e;
    return true;
}

static int fullest(const Deal *l, int phase)
{
    int most = 0;
    for (int pe = 1; pe < l->pes; pe++)
        if (l->load[pe].of[phase] > l->load[most].of[phase])
            most = pe;
    return most;
}

static void improve(Deal *l)
{
    enum { SWAPS_PER_PE = 8 };
    for (int k = 0; k < SWAPS_PER_PE * l->pes; k++)
        if (!relieve(l, fullest(l, MAIN)) && !relieve(l, fullest(l, EARLY)))
            return;
}

typedef struct Rank { int64_t work; int neuron; } Rank;

static int by_work(const void *a, const void *b)
{
    const Rank *x = a, *y = b;
    return x->work != y->work ? (x->work < y->work ? 1 : -1) : x->neuron - y->neuron;
}

static void deal_in_turn(Arena *a, const Deal *l)
{
    Rank *rank = ARENA_ARRAY(a, Rank, l->n);
    for (int e = 0; e < l->n; e++) {
        Load w = work_at(l, e, 0);
        rank[e] = (Rank){w.of[EARLY] + w.of[MAIN], e};
    }
    qsort(rank, (size_t)l->n, sizeof *rank, by_work);
    for (int k = 0; k < l->n; k++) {
        int first = k / l->pes * l->pes, here = MIN(l->pes, l->n - first);
        l->order[k / l->pes % 2 ? first + here - 1 - (k - first) : k] = rank[k].neuron;
    }
}

static void count_loads(Deal *l)
{
    int64_t sum[PHASES] = {0};
    for (int q = 0; q < l->n; q++) {
        Load w = work_at(l, l->order[q], q);
        l->load[q % l->pes] = exchange(l->load[q % l->pes], (Load){{0, 0}}, w);
        for (int k = 0; k < PHASES; k++)
            sum[k] += w.of[k];
    }
    for (int k = 0; k < PHASES; k++)
        l->mean[k] = MAX((double)sum[k] / MIN(l->n, l->pes), 1.0);
}

void elastic_deal(Design *d, int layer, const uint8_t *early)
{
    Region *r = &d->region[layer + 1];
    int n = r->elements, groups = layer_groups(d, layer);
    if (r->is_dealt && !memcmp(r->dealt_for, early, (size_t)groups))
        return;
    Arena *scratch = arena_new();
    Deal l = {.n = n, .pes = d->pes, .groups = groups, .order = r->order, .load = ARENA_ARRAY(scratch, Load, d->pes),
              .work = ARENA_ARRAY(scratch, Load, (int64_t)n * groups)};
    for (int k = 0; k < n * groups; k++)
        l.work[k] = count_work(d, layer, k / groups, early[k % groups]);
    deal_in_turn(scratch, &l);
    count_loads(&l);
    improve(&l);
    for (int q = 0; q < n; q++)
        r->place[r->order[q]] = r->slot[r->order[q]] = q;
    memcpy(r->dealt_for, early, (size_t)groups);
    r->is_dealt = true;
    arena_free(scratch);
}
