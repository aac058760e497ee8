/* weights.c: images of weights, indices and bias records, in the order of use; numbers by which they are loaded. */
#include "emit/emit.h"

#include "plan/plan.h"

#include <string.h>

/* ---- bias records: {peephole, shift, bias with the rounding half folded in} (fixed/formats.c) */
/* What a row gets in the first step of a sequence from an initial h, at the row's fraction. The engine takes h of that
 * step for 0. */
static int64_t first_sum(const Design *d, int layer, int row)
{
    int64_t sum = 0;
    for (int p = 0; d->net->layer[layer].h0 && p < d->net->products; p++) {
        const Product *product = &d->net->product[p];
        const QMatrix *m = &d->q->product[p].m;
        for (int r = 0; product->layer == layer && product->previous && r < m->rows; r++)
            for (int c = 0; product_layer_row(d->net, p, r) == row && c < m->columns; c++)
                sum += ((int64_t)m->value[(int64_t)r * m->columns + c] * network_first_h(d->q, layer, c))
                       * (INT64_C(1) << d->q->product[p].align);
    }
    return sum;
}

static void put_record(const Design *d, Image *m, const Tile *t, int at, bool first)
{
    int row = at < d->tile_rows ? image_row(d, t, at) : -1;
    int64_t bias = 0, peephole = 0;
    int shift = 0;
    if (row >= 0) {
        int layer = tile_layer(d, t);
        const QLayer *l = &d->q->layer[layer];
        int down = l->row_fraction[row] - row_target(d->q, layer, row).fraction;
        bias = l->bias[row] + (down > 0 ? INT64_C(1) << (down - 1) : 0) + (first ? first_sum(d, layer, row) : 0);
        shift = down + d->q->left_shift;
        peephole = tile_pass(d, t)->peephole ? l->peephole[row] : 0;
    }
    image_field(m, bias, d->q->acc_bits);
    image_field(m, shift, d->shift_bits);
    if (d->constants.peephole_bits > 0)
        image_field(m, peephole, d->constants.peephole_bits);
    image_word(m);
}

static bool emit_record_lane(const Design *d, Arena *a, Folder *f, int lane)
{
    Image m;
    if (!image_open(&m, d, a, f, str_format(a, "record_%d", lane), d->record_bits,
                    str_format(a, "%sshift bias; one word per tile and cycle in the cell lane, tiles in order of use%s",
                               d->constants.peephole_bits > 0 ? "peephole " : "",
                               d->first_records > 0 ? "; then those of a sequence's first step" : "")))
        return false;
    for (int first = 0; first <= (d->first_records > 0); first++)
        for (int n = 0; n < d->n_tiles; n++)
            for (int s = 0; d->tile[n].op != OP_KEEP && s < d->shifts; s++)
                put_record(d, &m, &d->tile[n], s * d->cell_lanes + lane, first);
    return image_close(&m);
}

bool emit_records(const Design *d, Arena *a, Folder *f)
{
    for (int lane = 0; lane < d->cell_lanes; lane++)
        if (!emit_record_lane(d, a, f, lane))
            return false;
    return true;
}

/* ---- initial states, by words of a lane's state memory */
/* The states of a lane that a tile's rows are of. */
static void put_states(const Design *d, int64_t *word, const Tile *t, int lane)
{
    const Layer *l = &d->net->layer[tile_layer(d, t)];
    for (int s = 0; s < d->shifts; s++) {
        int at = s * d->cell_lanes + lane, neuron = at < d->tile_rows ? image_neuron(d, t, at) : -1;
        if (neuron >= 0 && neuron < l->hidden)
            word[d->neuron_base[t->section] + t->group * d->shifts + s] = network_first_state(d->q, tile_layer(d, t), neuron);
    }
}

static bool emit_state_lane(const Design *d, Arena *a, Folder *f, int lane)
{
    int64_t *word = ARENA_ARRAY(a, int64_t, d->neurons);
    Image m;
    if (!image_open(&m, d, a, f, str_format(a, "init_%d", lane), d->q->state.bits,
                    "state before the first step of a sequence, one word per neuron of the cell lane"))
        return false;
    for (int n = 0; n < d->n_tiles; n++)
        if (tile_pass(d, &d->tile[n])->effects & EFFECT_SUM)
            put_states(d, word, &d->tile[n], lane);
    for (int k = 0; k < d->neurons; k++) {
        image_field(&m, word[k], d->q->state.bits);
        image_word(&m);
    }
    return image_close(&m);
}

bool emit_states(const Design *d, Arena *a, Folder *f)
{
    for (int lane = 0; d->constants.first_state && lane < d->cell_lanes; lane++)
        if (!emit_state_lane(d, a, f, lane))
            return false;
    return true;
}

/* ---- weights and indices of one PE */
static void put_words(const Design *d, Image *m, const LaneWord *word, const uint8_t *mark, int cycles, bool index)
{
    for (int k = 0; k < cycles; k++) {
        for (int lane = 0; lane < d->lanes_pe; lane++, word++)
            image_field(m, index ? word->index : word->weight, index ? d->index_bits : d->q->weight_bits);
        if (index && mark) {
            image_field(m, mark[k] >> 1, 1);
            image_field(m, mark[k] & 1, 1);
        }
        image_word(m);
    }
}

/* Tiles whose words are made together: a phase where PEs go their own pace, else one. */
static int together(const Design *d, int first)
{
    return d->ring > 0 ? elastic_phase(d, first) : 1;
}

static int cycles_of(const Design *d, int first, int n)
{
    int cycles = 0;
    for (int k = first; k < first + n; k++)
        cycles += d->tile[k].term[0].cycles + d->tile[k].term[1].cycles;
    return cycles;
}

static int longest_words(const Design *d)
{
    int longest = 0;
    for (int k = 0, n; k < d->n_tiles; k += n) {
        n = together(d, k);
        longest = MAX(longest, cycles_of(d, k, n));
    }
    return longest + d->longest_row;
}

static bool emit_pe(const Design *d, Arena *a, Folder *f, int pe, LaneWord *word, uint8_t *mark)
{
    Image weight, index;
    bool indexed = d->index_bits > 0 && pe % d->share == 0;
    if (!image_open(&weight, d, a, f, str_format(a, "weight_%d", pe), d->lanes_pe * d->q->weight_bits,
                    "weights of one cycle, lane 0 lowest"))
        return false;
    if (indexed && !image_open(&index, d, a, f, str_format(a, "index_%d", pe / d->share), d->index_word,
                               d->ring > 0 ? "last word of the row (1 bit), of the layer's own h (1 bit); bank "
                                             "addresses, lane 0 lowest; the region's base is OR-ed to them"
                                           : "bank addresses of one cycle, lane 0 lowest; the region's base is OR-ed "
                                             "to them"))
        return false;
    for (int k = 0, n; k < d->n_tiles; k += n) {
        n = together(d, k);
        int cycles = cycles_of(d, k, n);
        if (mark)
            elastic_words(d, k, n, pe, word, mark);
        else
            image_tile(d, &d->tile[k], pe, word);
        put_words(d, &weight, word, mark, cycles, false);
        if (indexed)
            put_words(d, &index, word, mark, cycles, true);
    }
    return image_close(&weight) && (!indexed || image_close(&index));
}

bool emit_weights(const Design *d, Arena *a, Folder *f)
{
    LaneWord *word = ARENA_ARRAY(a, LaneWord, (int64_t)longest_words(d) * d->lanes_pe);
    uint8_t *mark = d->ring > 0 ? ARENA_ARRAY(a, uint8_t, longest_words(d)) : NULL;
    for (int pe = 0; pe < d->pes; pe++)
        if (!emit_pe(d, a, f, pe, word, mark))
            return false;
    return true;
}
