/* deal.c: which PE works on which neuron, where rows differ in length (plan/elastic.c): position q is on PE q mod pes,
 * and the four rows of a neuron stay together. To begin with, neurons are dealt there and back by their work; then the
 * fullest PE swaps neurons with others while that makes the longest phases shorter. */
#include "plan/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EARLY, MAIN, SECOND, PHASES };       /* SECOND: of the section that waits for the first one */
/* Cycles in each phase. */
typedef struct Load { int64_t of[PHASES]; } Load;

typedef struct Deal {
    int n, pes; bool second;
    int *order;                         /* neuron at a position */
    Load *work;                         /* [n / pes, rounded up][n]: of a neuron in a group of the PEs */
    Load *load; double *cost;           /* per PE */
    double mean[PHASES];
} Deal;

/* Cycles of a neuron in a group whose passes `early` (bits) have the words of their first term in the early phase. */
static void count_work(const Design *d, int section, int phase, int neuron, int early, Load *sum)
{
    const Section *s = &d->net->section[section];
    for (int pass = s->first; pass < s->first + s->n; pass++)
        for (int k = 0; k < s->terms; k++) {
            bool ahead = k == 0 && early >> pass & 1;
            sum->of[ahead ? EARLY : phase] += elastic_row_cycles(d, s->term[k], d->net->layer[s->layer].pass[pass].gate,
                                                                 neuron);
        }
}

static Load work_at(const Deal *l, int neuron, int position)
{
    return l->work[(int64_t)(position / l->pes) * l->n + neuron];
}

/* What a load of a PE costs: a high power, so that the largest counts. */
static double cost(const Deal *l, Load load)
{
    double sum = 0;
    for (int k = 0; k < PHASES; k++) {
        if (load.of[k] == 0)
            continue;
        double x = (double)load.of[k] / l->mean[k], x2 = x * x, x4 = x2 * x2, x16 = x4 * x4 * x4 * x4;
        sum += l->mean[k] * x16 * x16;
    }
    return sum;
}

static void set_load(Deal *l, int pe, Load load)
{
    l->load[pe] = load;
    l->cost[pe] = cost(l, load);
}

static Load exchange(Load load, Load out, Load in)
{
    for (int k = 0; k < PHASES; k++)
        load.of[k] += in.of[k] - out.of[k];
    return load;
}

typedef struct Swap { int from, to; double gain; Load at_from, at_to; int64_t useless; } Swap;

/* No swap that leaves a PE this many cycles or more in the main phase gains more than `gain`: their cost alone is more
 * than that of both PEs before, less the gain. A little more, for what rounding makes of the powers. */
static int64_t useless_load(const Deal *l, int pe, double gain)
{
    double most = 0;
    for (int k = 0; k < l->pes; k++)
        most = MAX(most, l->cost[k]);
    double mean = l->mean[MAIN], left = MAX(l->cost[pe] + most - gain, 0);
    return (int64_t)ceil(mean * pow(left / mean, 1.0 / 32) * (1 + 1e-6));
}

/* The best swap of the neuron at `p` with one of row `g` of the PEs, where it is better than `best`. */
static void try_row(const Deal *l, int p, int pe, int g, Swap *best)
{
    int here = MIN(l->pes, l->n - g * l->pes);
    const Load *before = l->work + (int64_t)(p / l->pes) * l->n, *after = l->work + (int64_t)g * l->n, none = {{0}};
    Load without = exchange(l->load[pe], before[l->order[p]], none), mine = after[l->order[p]];
    for (int to = 0; to < here; to++) {
        int other = l->order[g * l->pes + to];
        Load x = exchange(without, none, before[other]), y = exchange(l->load[to], after[other], mine);
        if (to == pe || x.of[MAIN] >= best->useless || y.of[MAIN] >= best->useless)
            continue;
        double gain = l->cost[pe] + l->cost[to] - cost(l, x) - cost(l, y);
        if (gain > best->gain)
            *best = (Swap){p, g * l->pes + to, gain, x, y, useless_load(l, pe, gain)};
    }
}

/* The best swap of a neuron of this PE with one of another PE, where one helps. */
static bool relieve(Deal *l, int pe)
{
    Swap best = {.from = -1, .gain = 1e-9};
    best.useless = useless_load(l, pe, best.gain);
    for (int p = pe; p < l->n; p += l->pes)
        for (int g = 0; g * l->pes < l->n; g++)
            try_row(l, p, pe, g, &best);
    if (best.from < 0)
        return false;
    set_load(l, pe, best.at_from);
    set_load(l, best.to % l->pes, best.at_to);
    int e = l->order[best.from];
    l->order[best.from] = l->order[best.to];
    l->order[best.to] = e;
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
        if (!relieve(l, fullest(l, MAIN)) && !(l->second && relieve(l, fullest(l, SECOND)))
            && !relieve(l, fullest(l, EARLY)))
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
        rank[e] = (Rank){w.of[EARLY] + w.of[MAIN] + w.of[SECOND], e};
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
        l->load[q % l->pes] = exchange(l->load[q % l->pes], (Load){{0}}, w);
        for (int k = 0; k < PHASES; k++)
            sum[k] += w.of[k];
    }
    for (int k = 0; k < PHASES; k++)
        l->mean[k] = MAX((double)sum[k] / MIN(l->n, l->pes), 1.0);
    for (int pe = 0; pe < l->pes; pe++)
        l->cost[pe] = cost(l, l->load[pe]);
}

/* An order that was made for some early gates: the schedule tries a few of them in turn, with other latencies. */
struct Dealt { struct Dealt *next; uint8_t *early; int *order; };

static struct Dealt *make_deal(const Design *d, Region *r, int section, int sections, const uint8_t *early, int groups)
{
    struct Dealt *new = ARENA_NEW(r->arena, struct Dealt);
    int n = r->elements;
    *new = (struct Dealt){r->dealt, ARENA_ARRAY(r->arena, uint8_t, groups), ARENA_ARRAY(r->arena, int, n)};
    Arena *scratch = arena_new();
    Deal l = {.n = n, .pes = d->pes, .second = sections > 1, .order = new->order, .load = ARENA_ARRAY(scratch, Load, d->pes),
              .cost = ARENA_ARRAY(scratch, double, d->pes), .work = ARENA_ARRAY(scratch, Load, (int64_t)n * groups)};
    for (int k = 0; k < n * groups; k++)
        for (int s = 0; s < sections; s++)
            count_work(d, section + s, MAIN + s, k % n, early[k / n], &l.work[k]);
    deal_in_turn(scratch, &l);
    count_loads(&l);
    improve(&l);
    memcpy(new->early, early, (size_t)groups);
    arena_free(scratch);
    return new;
}

static void set_order(Region *r, const int *order)
{
    for (int q = 0; q < r->elements; q++) {
        r->order[q] = order[q];
        r->place[r->order[q]] = r->slot[r->order[q]] = q;
    }
}

void elastic_deal(Design *d, int section, int n, const uint8_t *early)
{
    REQUIRE(MAIN + n <= PHASES);
    Region *r = &d->region[d->net->section[section].writes];
    int groups = section_groups(d, section);
    struct Dealt *dealt = r->dealt;
    while (dealt && memcmp(dealt->early, early, (size_t)groups))
        dealt = dealt->next;
    if (!dealt)
        dealt = r->dealt = make_deal(d, r, section, n, early, groups);
    for (int k = 0; k < n; k++)
        set_order(&d->region[d->net->section[section + k].writes], dealt->order);
}
