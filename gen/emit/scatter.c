/* scatter.c: what the output folder holds because of the scatter engine. Field orders are those of lg_scatter_scan
 * (P_...) and lg_scatter_read (T_...). */
#include "emit/emit.h"

#include "plan/plan.h"

#include <string.h>

const char *const scatter_modules[] = {
    "engine/lg_bank", "engine/lg_chain", "engine/lg_route", "engine/lg_scatter_pe", "engine/lg_scatter_array",
    "engine/lg_scatter_lane", "engine/lg_scatter", "engine/lg_scatter_scan", "engine/lg_scatter_read",
    "engine/lg_scatter_stats", NULL};

bool scatter_unused(const Design *d, const char *module)
{
    return !strcmp(module, "engine/lg_scatter_stats") && !(d->delta && d->spec->control);
}

static int count_bits(const Design *d)
{
    int most = 1;
    for (int k = 0; k < d->n_scans; k++)
        most = MAX(most, d->scan[k].addresses + d->scan[k].end);
    return MAX(clog2(most), 1);
}

static int gap_bits(const Design *d)
{
    int most = 1;
    for (int n = 0; n < d->n_tiles; n++)
        most = MAX(most, d->tile_gap[n]);
    return clog2(most + 1);
}

static int last_bits(const Design *d)
{
    return MAX(clog2(d->lasts), 1);
}

void scatter_holes(const Design *d, Holes *h)
{
    hole_int(h, "x_permuted", d->region[0].order != NULL);
    hole_int(h, "ARRAYS", d->lanes_pe);
    hole_int(h, "STAGES", 1);
    hole_int(h, "QUEUE", 0);
    hole_int(h, "FRONT", 0);
    hole_int(h, "QUEUES", d->queues);
    hole_int(h, "BANKS", d->vector_banks);
    hole_int(h, "ROWS", d->rows);
    hole_int(h, "READS", d->reads);
    hole_int(h, "ROW_ADDR", d->index_bits - clog2(d->reads));
    hole_int(h, "TILE_ROWS", d->tile_rows);
    hole_int(h, "ROW_BITS", d->row_bits);
    hole_int(h, "ROW_BLOCK", d->row_block);
    hole_int(h, "ROW_EDGE", d->row_edge);
    hole_int(h, "NEAR", d->near);
    hole_int(h, "WADDR", MAX(clog2(d->weight_words), 1));
    hole_int(h, "WORD", d->word_bits);
    hole_int(h, "READ_AT", d->read_at);
    hole_int(h, "DELTA", d->delta);
    hole_int(h, "DELTA_BLOCK", d->delta_block);
    hole_int(h, "LASTS", d->lasts);
    hole_int(h, "LAST_BLOCK", d->last_block);
    hole_int(h, "LAST", last_bits(d));
    hole_int(h, "SCANS", d->n_scans);
    hole_int(h, "COUNT_BITS", count_bits(d));
    hole_int(h, "LENGTH_BITS", d->length_bits);
    hole_int(h, "BANK", clog2(d->vector_banks + 1));
    hole_int(h, "SCAN_REST", d->rest);
    hole_int(h, "GAP_BITS", gap_bits(d));
    hole_int(h, "no_delta", !d->delta);
    hole_int(h, "delta_fixed", d->delta && !d->spec->control);
    hole_int(h, "delta_control", d->delta && d->spec->control);
    hole_int(h, "DELTA_X", d->q->delta_x);
    hole_int(h, "DELTA_H", d->q->delta_h);
    hole_text(h, "array", str_format(h->arena, "%d", d->lanes_pe));
}

/* ---- scan program */
static void put_scan(const Design *d, Image *m, const Scan *s)
{
    const Region *r = &d->region[s->region];
    int bank = clog2(d->vector_banks + 1), layers = d->n_regions - 1;
    image_field(m, s->addresses + s->end - 1, count_bits(d));
    for (int parity = 0; parity < 2; parity++)
        image_field(m, r->base[parity ^ s->previous], d->addr_bits);
    image_field(m, s->last, last_bits(d));
    image_field(m, s->word, d->word_bits);
    image_field(m, s->words - 1, d->length_bits);
    image_field(m, d->vector_banks, bank);
    image_field(m, r->elements - (s->addresses - 1) * d->vector_banks, bank);
    image_field(m, s->wait_h ? 1 << (s->region - 1) : 0, layers);
    image_field(m, s->end ? scan_closes(d, s) : 0, layers);
    const bool flag[] = {s->wait_x, s->release_x, s->end, s->previous, d->q->product[s->product].align > 0,
                         s->delta, s->region > 0, s->wrap};
    for (int k = 0; k < LENGTH(flag); k++)
        image_field(m, flag[k], 1);
    image_word(m);
}

static bool emit_scans(const Design *d, Arena *a, Folder *f)
{
    int width = count_bits(d) + 2 * d->addr_bits + last_bits(d) + d->word_bits + d->length_bits
                + 2 * clog2(d->vector_banks + 1) + 2 * (d->n_regions - 1) + 8;
    Image m;
    if (!image_open(&m, d, a, f, "program", width,
                    "wrap is_h delta scale mute end release_x wait_x pending wait_h lanes_in_last lanes words-1 word "
                    "last_sent base1 base0 addresses+end-1"))
        return false;
    for (int k = 0; k < d->n_scans; k++)
        put_scan(d, &m, &d->scan[k]);
    return image_close(&m);
}

/* ---- readout program */
static bool emit_readout(const Design *d, Arena *a, Folder *f)
{
    Image m;
    int gap = gap_bits(d), address = d->index_bits - clog2(d->reads);
    if (!image_open(&m, d, a, f, "readout", address + gap + 4, "wrap fresh wait_out last gap row"))
        return false;
    for (int n = 0; n < d->n_tiles; n++) {
        const Tile *t = &d->tile[n];
        bool first = n == 0 || d->tile[n - 1].section != t->section, final = n == d->n_tiles - 1;
        const Section *s = &d->net->section[t->section];
        image_field(&m, d->tile_row[n], address);
        image_field(&m, d->tile_gap[n], gap);
        image_field(&m, final || d->tile[n + 1].section != t->section, 1);
        image_field(&m, first && s->output, 1);
        image_field(&m, layer_is_linear(&d->net->layer[s->layer]), 1);     /* never with deltas */
        image_field(&m, final, 1);
        image_word(&m);
    }
    return image_close(&m);
}

/* ---- weights and rows of one array: word w of queue k at w * queues + k */
typedef struct ArrayImages { Image weight, index; } ArrayImages;

static void put_word(const Design *d, ArrayImages *m, int product, const LaneWord *word)
{
    for (int pe = 0; pe < d->pes; pe++) {
        image_field(&m->weight, word[pe].weight, d->q->weight_bits);
        image_field(&m->index, scatter_row(d, product, word[pe].index), d->index_bits);
    }
    image_word(&m->weight);
    image_word(&m->index);
}

/* Column of a matrix at a position of its vector, or -1. */
static int column_at(const Design *d, const Scan *s, int position)
{
    return position < d->region[s->region].elements ? region_element(&d->region[s->region], position) : -1;
}

/* The columns of one address: those of all queues, interleaved word by word. */
static void put_columns(const Design *d, ArrayImages *m, const Scan *s, int array, int address, LaneWord *word)
{
    const MatrixPlan *p = &d->plan[s->product];
    const QMatrix *q = &d->q->product[s->product].m;
    int64_t size = (int64_t)s->words * d->pes;
    int first = address * d->vector_banks + array;
    for (int k = 0; k < d->queues; k++)
        d->pattern->pack(p, q, column_at(d, s, first + k * d->lanes_pe), d->pes, word + k * size);
    for (int i = 0; i < s->words; i++)
        for (int k = 0; k < d->queues; k++)
            put_word(d, m, s->product, word + k * size + (int64_t)i * d->pes);
}

static bool emit_array(const Design *d, Arena *a, Folder *f, int array, LaneWord *word)
{
    ArrayImages m;
    if (!image_open(&m.weight, d, a, f, str_format(a, "weight_%d", array), d->pes * d->q->weight_bits,
                    "weights of one cycle, PE 0 lowest; columns of an array one after the other")
        || !image_open(&m.index, d, a, f, str_format(a, "index_%d", array), d->pes * d->index_bits,
                       "row of each PE that the weight belongs to, PE 0 lowest"))
        return false;
    for (int k = 0; k < d->n_scans; k++)
        for (int address = 0; address < d->scan[k].addresses; address++)
            put_columns(d, &m, &d->scan[k], array, address, word);
    return image_close(&m.weight) && image_close(&m.index);
}

bool scatter_images(const Design *d, Arena *a, Folder *f)
{
    int words = 1;
    for (int k = 0; k < d->n_scans; k++)
        words = MAX(words, d->scan[k].words);
    LaneWord *word = ARENA_ARRAY(a, LaneWord, (int64_t)words * d->pes * d->queues);
    bool ok = emit_scans(d, a, f) && emit_readout(d, a, f);
    for (int array = 0; ok && array < d->lanes_pe; array++)
        ok = emit_array(d, a, f, array, word);
    return ok;
}
