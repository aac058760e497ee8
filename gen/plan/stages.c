/* stages.c: when a row is where in the cell unit, and what follows for the order of tiles: one table, that of lg_lane.
 *
 * x: cycle in which the row is at the lane; g = x + 9 + M: a is there; u = g + W: p is there. M, W: latencies of the
 * multiplier and of the wide one. Passes of a neuron talk through memories that are read and written at: */
#include "plan/plan.h"

typedef enum { SUM_KEPT, HELD, KEPT, STATE, BOUNDED, LATE, PEEPHOLE, MEMORIES } Memory;
typedef struct Column { int read, write; } Column;      /* after x */

/* 0 where no pass multiplies: a lane has no product then. */
static int product_latency(const Design *d)
{
    for (int k = 0; k < d->passes.n; k++)
        if (d->passes.pass[k].operand != OPERAND_NOTHING)
            return d->mul_latency + (d->state_split > 1 ? 1 : 0);
    return 0;
}

int stages_early(const Design *d)
{
    bool peephole = false;
    for (int k = 0; k < d->passes.n; k++)
        peephole = peephole || d->passes.pass[k].peephole;
    return peephole ? MAX(product_latency(d) - 3, 0) : 0;
}

static Column column_of(const Design *d, Memory m)
{
    int g = 9 + d->mul_latency, u = g + product_latency(d);
    const Column table[MEMORIES] = {
        [SUM_KEPT] = {-3, 1},
        [HELD] = {g - 3, g},
        [KEPT] = {u - 2, u},
        [STATE] = {g - 3, u + 2},
        [BOUNDED] = {g - 3, u + 8 + d->mul_latency},
        [LATE] = {1, u + 1},
        [PEEPHOLE] = {-product_latency(d), u + 2},
    };
    return table[m];
}

static bool writes(const Pass *p, Memory m)
{
    static const unsigned effect[MEMORIES] = {[HELD] = EFFECT_HOLD, [KEPT] = EFFECT_KEEP, [STATE] = EFFECT_SUM,
                                              [BOUNDED] = EFFECT_SUM, [LATE] = EFFECT_LATE,
                                              [PEEPHOLE] = EFFECT_SUM};
    return m == SUM_KEPT ? p->keeps : p->effects & effect[m];
}

static bool reads(const Pass *p, Memory m)
{
    switch (m) {
    case SUM_KEPT: return !p->keeps;
    case HELD: return p->operand == OPERAND_HELD || p->operand == OPERAND_REST;
    case KEPT: return p->effects & EFFECT_SUM;
    case STATE: return p->operand == OPERAND_STATE;
    case BOUNDED: return p->operand == OPERAND_BOUNDED;
    case LATE: return p->effects & EFFECT_PLUS;
    case PEEPHOLE: return p->peephole;
    case MEMORIES: break;
    }
    FAULT("memory %d", m);
}

int stages_distance(const Design *d, int a, int b)
{
    const Pass *from = &d->passes.pass[a], *to = &d->passes.pass[b];
    /* Block RAM shows a write one cycle later than LUT RAM; the memory of kept sums may always be one. */
    int late = state_in_block(d), distance = 0;
    for (int m = 0; m < MEMORIES; m++)
        if (writes(from, (Memory)m) && reads(to, (Memory)m)) {
            Column w = column_of(d, (Memory)m), r = w;
            distance = MAX(distance, w.write - r.read + (m == SUM_KEPT ? 1 : late));
        }
    return distance;
}

int stages_longest_distance(const Design *d)
{
    int most = 0;
    for (int a = 0; a < d->passes.n; a++)
        for (int b = 1; b < d->passes.n; b++)
            most = MAX(most, stages_distance(d, a, b));
    return most;
}

int stages_section_distance(const Design *d, int section)
{
    const Section *s = &d->net->section[section];
    const Pass *pass = d->net->layer[s->layer].pass;
    int most = 0;
    for (int b = s->first + 1; b < s->first + s->n; b++)
        for (int a = s->first; a < b; a++)
            most = MAX(most, stages_distance(d, passes_find(&d->passes, &pass[a]), passes_find(&d->passes, &pass[b])));
    return most;
}

/* The new state is rounded two cycles after a product would be; all results then leave as late. */
int stages_result(const Design *d)
{
    bool state = false;
    for (int k = 0; k < d->passes.n; k++)
        state = state || (d->passes.pass[k].effects & EFFECT_OUT_STATE);
    return ELEMENT_TO_LANE + 9 + d->mul_latency + product_latency(d) + 1 + 2 * state
           + stages_early(d);
}

int stages_drain(const Design *d)
{
    int first_result = d->tile_at + TABLE_TO_ELEMENT + stages_result(d);
    /* Where a beat is written in several cycles: those of a tile one after the other, from the cycle after the first
     * on. */
    int queued = d->parts > 1 ? d->shifts * (d->parts - 1) + 1 : 0;
    return first_result + d->shifts - 1 + queued - d->front + 2 - 1;
}

/* ---- sizes */
int section_groups(const Design *d, int section)
{
    const Section *s = &d->net->section[section];
    const Layer *l = &d->net->layer[s->layer];
    int rows = s->writes >= 0 ? d->region[s->writes].positions : pass_units(l, &l->pass[s->first]);
    return (rows + d->tile_rows - 1) / d->tile_rows;
}

int section_tiles(const Design *d, int section)
{
    return section_groups(d, section) * d->net->section[section].n;
}

bool section_has_state(const Design *d, int section)
{
    const Section *s = &d->net->section[section];
    const Layer *l = &d->net->layer[s->layer];
    unsigned effects = 0;
    for (int k = 0; k < l->n_passes; k++)
        effects |= l->pass[k].effects;
    return s->first == 0 && (effects & (EFFECT_HOLD | EFFECT_KEEP | EFFECT_SUM | EFFECT_LATE));
}

int cell_neurons(const Design *d)
{
    int neurons = 0;
    for (int s = 0; s < d->net->sections; s++)
        if (section_has_state(d, s))
            neurons += section_groups(d, s) * d->shifts;
    return neurons;
}

const Pass *tile_pass(const Design *d, const Tile *t)
{
    return &d->net->layer[d->net->section[t->section].layer].pass[t->pass];
}

int tile_layer(const Design *d, const Tile *t)
{
    return d->net->section[t->section].layer;
}

bool tile_has_result(const Design *d, const Tile *t)
{
    return t->op != OP_KEEP && pass_has_result(tile_pass(d, t));
}

bool tile_writes(const Design *d, const Tile *t)
{
    return tile_has_result(d, t) && d->net->section[t->section].writes >= 0;
}
