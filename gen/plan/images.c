/* images.c: what is stored where: lane words of the weight memories, in the order in which they are used. */
#include "plan/plan.h"

int image_row(const Design *d, const Tile *t, int row)
{
    const Layer *l = &d->net->layer[t->layer];
    int position = t->group * d->tile_rows + row;
    if (l->cell == CELL_LINEAR)
        return position < l->hidden ? position : -1;
    int element = region_element(&d->region[t->layer + 1], position);
    return element < 0 ? -1 : t->gate * l->hidden + element;
}

/* An index as the pattern gives it is a column; where lanes see the whole vector, it says where that element lies. */
void image_place(const Design *d, int region, LaneWord *word, int n)
{
    const Region *r = &d->region[region];
    for (int k = 0; k < n; k++)
        word[k].index = (uint16_t)(r->slot[word[k].index] < 0 ? r->stored_slot : r->slot[word[k].index]);
}

void image_tile(const Design *d, const Tile *t, int pe, LaneWord *out)
{
    for (int k = 0; k < 2; k++) {
        const Segment *g = &t->segment[k];
        if (g->cycles == 0)
            continue;
        const QMatrix *q = &d->q->layer[g->layer].m[g->matrix];
        MatrixPlan plan = d->matrix[g->layer][g->matrix];
        plan.cycles = g->cycles;        /* those of the gate */
        d->pattern->pack(&plan, q, image_row(d, t, pe), d->lanes_pe, out);
        if (d->span > 0)
            image_place(d, g->region, out, g->cycles * d->lanes_pe);
        out += (int64_t)g->cycles * d->lanes_pe;
    }
}
