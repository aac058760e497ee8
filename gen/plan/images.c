/* images.c: what is stored where: lane words of the weight memories, in the order in which they are used. */
#include "plan/plan.h"

#include <string.h>

int image_neuron(const Design *d, const Tile *t, int row)
{
    const Section *s = &d->net->section[t->section];
    int position = t->group * d->tile_rows + row;
    if (s->writes < 0)
        return position < pass_units(&d->net->layer[s->layer], tile_pass(d, t)) ? position : -1;
    return region_element(&d->region[s->writes], position);
}

int image_row(const Design *d, const Tile *t, int row)
{
    int neuron = image_neuron(d, t, row);
    return neuron < 0 ? -1 : layer_row(&d->net->layer[tile_layer(d, t)], tile_pass(d, t)->gate, neuron);
}

int image_product_row(const Design *d, const Tile *t, int product, int row)
{
    const Product *p = &d->net->product[product];
    const char *gate = strchr(p->gates, tile_pass(d, t)->gate);
    int neuron = image_neuron(d, t, row);
    return neuron < 0 || !gate ? -1 : (int)(gate - p->gates) * (p->m.rows / p->m.gates) + neuron;
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
    for (int k = 0; k < TERMS_MAX; k++) {
        const Term *g = &t->term[k];
        if (g->cycles == 0)
            continue;
        const QMatrix *q = &d->q->product[g->product].m;
        MatrixPlan plan = d->plan[g->product];
        plan.cycles = g->cycles;        /* those of the gate */
        d->pattern->pack(&plan, q, image_product_row(d, t, g->product, pe), d->lanes_pe, out);
        if (d->span > 0)
            image_place(d, g->region, out, g->cycles * d->lanes_pe);
        out += (int64_t)g->cycles * d->lanes_pe;
    }
}
