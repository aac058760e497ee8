/* span.c: how many PEs share an index list and a copy of the vector, and how such a copy is built where every lane must
 * see the whole vector: as many banks as elements are written in a cycle, one of which the low bits of an index select
 * after the read. Where there are many copies, h waits in a queue (lg_queue), so that few banks do (plan.c). Elements
 * that no matrix reads are not stored: x is masked as it comes in, bank by bank; the neurons of a layer change places,
 * those whose h is read first. */
#include "plan/plan.h"

enum { SPAN_FIRST = 16, SPAN_MOST = 64 };

bool region_is_masked(const Region *r)
{
    return r->slot && !r->order && r->stored < r->elements;
}

void plan_span(Design *d, int banks)
{
    const Pattern *p = d->pattern;
    int share = p->share ? p->share(d->spec, d->net) : p->private_vectors ? 1 : d->pes;
    d->free_order = share == 0;
    d->share = share == 0 ? d->pes : share;
    d->span = p->whole_vector ? banks : 0;
    d->ring = p->row_cycles ? MAX(d->ring, 2) : 0;
    d->vector_banks = d->span > 0 ? d->span : d->lanes_pe;
    d->index_memories = p->private_vectors ? d->pes / d->share : 0;
    d->vector_copies = (p->private_vectors ? d->pes / d->share : 1) * d->lanes_pe * MAX(d->span, 1);
}

int span_widest(const Design *d)
{
    /* Where rows are short, the cell unit must take many in a cycle. */
    int first = d->pattern->row_cycles ? SPAN_MOST : SPAN_FIRST;
    return MIN(1 << clog2(MAX(first, d->spec->lanes)), SPAN_MOST);
}

/* One copy of the vector for all rows costs little, whatever its banks. */
bool span_is_queued(const Design *d)
{
    return d->span > 0 && d->index_memories > 1;
}

int span_needed(const Design *d)
{
    return d->span == 0 ? 0 : 1 << clog2(MAX(d->cell_lanes, d->lanes));
}

/* ---- elements that are read */
static void mark_columns(const Matrix *m, uint8_t *used)
{
    for (int64_t r = 0; r < m->rows; r++)
        for (int c = 0; c < m->columns; c++)
            used[c] |= !m->kept || m->kept[r * m->columns + c];
}

static void mark_used(const Design *d, int region, uint8_t *used)
{
    for (int p = 0; p < d->net->products; p++)
        if (d->net->product[p].from == region)
            mark_columns(&d->net->product[p].m, used);
}

/* x: an element stays in the bank in which the stream delivers it; the banks close up the gaps, each for itself. */
static void place_stream(Arena *a, Region *r, const uint8_t *used)
{
    int *level = ARENA_ARRAY(a, int, r->banks);
    r->bank_size = 1;
    r->stored = 0;
    for (int e = 0; e < r->elements; e++) {
        int bank = e % r->banks;
        r->slot[e] = used[e] ? level[bank]++ * r->banks + bank : -1;
        r->stored += used[e];
        if (used[e] && r->stored == 1)
            r->stored_slot = r->slot[e];
        r->bank_size = MAX(r->bank_size, level[bank]);
    }
}

/* h: neurons that are read come first, so the others are the last rows, which are not written. */
static void place_neurons(Arena *a, Region *r, const uint8_t *used)
{
    r->order = ARENA_ARRAY(a, int, r->elements);
    r->place = ARENA_ARRAY(a, int, r->elements);
    r->stored = 0;
    for (int read = 1, q = 0; read >= 0; read--)
        for (int e = 0; e < r->elements; e++)
            if (used[e] == read) {
                r->order[q] = e;
                r->place[e] = q++;
                r->stored += read;
                r->slot[e] = read ? r->place[e] : -1;
            }
    r->bank_size = MAX(1, (r->stored + r->banks - 1) / r->banks);
}

/* h where rows differ in length: neurons are dealt to the PEs when the order of the tiles is known. */
static void plan_deal(Arena *a, Region *r)
{
    r->order = ARENA_ARRAY(a, int, r->elements);
    r->place = ARENA_ARRAY(a, int, r->elements);
    r->dealt = NULL;
    r->arena = a;
    r->bank_size = (r->elements + r->banks - 1) / r->banks;
}

void span_region(Arena *a, Design *d, int region)
{
    Region *r = &d->region[region];
    uint8_t *used = ARENA_ARRAY(a, uint8_t, r->elements);
    r->banks = d->span;
    r->positions = r->stored = r->elements;
    r->slot = ARENA_ARRAY(a, int, r->elements);
    r->stored_slot = 0;
    r->order = r->place = NULL;
    mark_used(d, region, used);
    if (region == 0) {
        place_stream(a, r, used);
    } else if (d->ring > 0) {
        plan_deal(a, r);
    } else if (d->free_order && d->net->layer[d->net->vector[region].layer].sections == 1) {
        place_neurons(a, r, used);
    } else {
        r->bank_size = (r->elements + r->banks - 1) / r->banks;
        for (int e = 0; e < r->elements; e++)
            r->slot[e] = e;
    }
    d->index_bits = MAX(region == 0 ? 1 : d->index_bits, clog2((int64_t)r->bank_size * r->banks) + (r->bank_size == 1));
}
