/* regions.c: where x and the h of each layer lie in the banks of the vector memory. */
#include "plan/plan.h"

#include <stdlib.h>

static void region_shape(Region *r, int elements, const MatrixPlan *reader, int lanes)
{
    r->elements = elements;
    r->contiguous = reader->contiguous;
    r->bank_size = reader->bank_size;
    r->banks = r->contiguous ? (elements + r->bank_size - 1) / r->bank_size : MIN(lanes, elements);
    r->positions = r->stored = r->contiguous ? r->banks * r->bank_size : elements;
}

int region_element(const Region *r, int position)
{
    if (position >= r->positions)
        return -1;
    if (r->order)
        return r->order[position];
    if (!r->contiguous)
        return position;
    int element = position % r->banks * r->bank_size + position / r->banks;
    return element < r->elements ? element : -1;
}

int region_position(const Region *r, int element)
{
    if (r->place)
        return r->place[element];
    return r->contiguous ? element % r->bank_size * r->banks + element / r->bank_size : element;
}

bool region_is_reordered(const Region *x, int lanes)
{
    return x->contiguous ? lanes > 1 : x->order != NULL;
}

/* Address span a region needs: with indices its base is OR-ed to them, so it is aligned to a power of two. */
static int span(const Design *d, const Region *r)
{
    return d->pattern->private_vectors ? 1 << clog2(r->bank_size) : r->bank_size;
}

/* Largest first: every base is then a multiple of the region's own span. */
static void place(Design *d)
{
    bool done[REGIONS_MAX] = {false};
    int next = 0;
    for (int n = 0; n < d->n_regions; n++) {
        int best = -1;
        for (int k = 0; k < d->n_regions; k++)
            if (!done[k] && (best < 0 || span(d, &d->region[k]) > span(d, &d->region[best])))
                best = k;
        if (best < 0)
            FAULT("no region is left to place");
        Region *r = &d->region[best];
        done[best] = true;
        for (int buffer = 0; buffer < 2; buffer++) {
            r->base[buffer] = next;
            next += buffer == 1 && n == d->n_regions - 1 ? r->bank_size : span(d, r);
        }
    }
    d->vector_depth = next;
    d->addr_bits = MAX(clog2(next), 1);
}

/* The first product that reads a vector. */
static int reader_of(const Design *d, int vector)
{
    int p = 0;
    while (d->net->product[p].from != vector)
        p++;
    return p;
}

void plan_regions(Arena *a, Design *d)
{
    d->n_regions = d->net->vectors;
    for (int k = 0; k < d->n_regions; k++)
        region_shape(&d->region[k], d->net->vector[k].elements, &d->plan[reader_of(d, k)], d->vector_banks);
    for (int k = 0; k < d->n_regions && d->span > 0; k++)
        span_region(a, d, k);
    place(d);
}
