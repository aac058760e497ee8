/* timeline.c: what each PE does in each cycle of a step, and bounds that no order of the same words can beat. */
#include "plan/plan.h"

/* ---- groups of rows, for pictures: block rows as the pattern cut them, else gates */
static const MatrixPlan *plan_of(const Design *d, int layer)
{
    const MatrixPlan *last = NULL;
    for (int p = 0; p < d->net->products; p++)
        if (d->net->product[p].layer == layer && (!last || last->rows == 0))
            last = &d->plan[p];
    return last;
}

/* Rows that are cut into groups by themselves: of a gate where gates keep different rates, else all. */
static int cut_rows(const Design *d, int layer)
{
    const Layer *l = &d->net->layer[layer];
    return plan_of(d, layer)->gates > 1 ? l->hidden : layer_rows(l);
}

int timeline_band_rows(const Design *d, int layer)
{
    int rows = plan_of(d, layer)->rows;
    return rows > 0 ? MIN(rows, cut_rows(d, layer)) : d->net->layer[layer].hidden;
}

static int bands_of(const Design *d, int layer, int rows)
{
    int each = timeline_band_rows(d, layer);
    return (rows + each - 1) / each;
}

int timeline_bands(const Design *d, int layer)
{
    int cut = cut_rows(d, layer);
    return layer_rows(&d->net->layer[layer]) / cut * bands_of(d, layer, cut);
}

int timeline_band(const Design *d, int layer, int row)
{
    int cut = cut_rows(d, layer);
    return row / cut * bands_of(d, layer, cut) + row % cut / timeline_band_rows(d, layer);
}

/* ---- words */
typedef struct Builder {
    const Design *d;
    Timeline *out;
    int *column;                        /* cycle of the step in which a word of the weight memories is multiplied */
} Builder;

/* The cycle of every weight word. */
static void set_columns(const Design *d, Timeline *out, int *column, int *begin)
{
    out->cycles = cycles_of_step(d, begin);
    for (int k = 0; k < d->n_runs; k++) {
        const Run *r = &d->run[k];
        const Tile *t = &d->tile[r->first];
        int each = t->term[0].cycles + t->term[1].cycles;
        for (int n = 0; n < r->count; n++)
            for (int c = 0; c < each; c++)
                column[r->weight + n * each + c] = begin[k] + r->lead + n * (each + r->gap) + c;
    }
}

/* Words from `word` on; a stretch ends where the engine waits. */
static void add_words(Builder *b, const Tile *t, int pe, int row, int word, int cycles)
{
    const int *column = b->column + word;
    for (int k = 0, n; k < cycles; k += n) {
        n = cycles - k;
        while (column[k + n - 1] != column[k] + n - 1)
            n--;
        b->out->stretch[b->out->n_stretches++] = (Stretch){.pe = pe, .at = column[k], .cycles = n, .row = row,
                                                           .layer = tile_layer(b->d, t)};
    }
    b->out->words += cycles;
}

/* Rows at their PE's own pace: `n` tiles whose words begin at `word`. */
static void add_paced(Builder *b, int first, int n, int word)
{
    for (int pe = 0; pe < b->d->pes; pe++)
        for (int k = first, at = word; k < first + n; at += elastic_tile_cycles(b->d, k, pe), k++) {
            const Tile *t = &b->d->tile[k];
            int row = image_row(b->d, t, pe), neuron = image_neuron(b->d, t, pe), cycles = 0;
            for (int which = 0; which < TERMS_MAX; which++)
                cycles += elastic_part_cycles(b->d, t, which, neuron);
            add_words(b, t, pe, row, at, cycles);
        }
}

static void add_in_step(Builder *b, int tile, int word)
{
    const Tile *t = &b->d->tile[tile];
    for (int pe = 0; pe < b->d->pes; pe++) {
        int row = image_row(b->d, t, pe);
        if (row >= 0)
            add_words(b, t, pe, row, word, t->term[0].cycles + t->term[1].cycles);
    }
}

static int tile_parts(const Design *d, const Tile *t)
{
    int parts = 0;
    const Section *s = &d->net->section[t->section];
    if (d->ring > 0)
        return t->op == OP_KEEP ? t->parts : (1 << s->terms) - 1;
    for (int k = 0; k < TERMS_MAX; k++)
        for (int which = 0; which < s->terms; which++)
            if (t->term[k].cycles > 0 && t->term[k].product == s->term[which])
                parts |= 1 << which;
    return parts;
}

static void add_phase(Builder *b, const Tile *t, int word, int cycles)
{
    Timeline *o = b->out;
    Phase p = {.section = t->section, .parts = tile_parts(b->d, t), .ahead = t->op == OP_KEEP, .at = b->column[word],
               .end = b->column[word + cycles - 1] + 1};
    Phase *last = o->n_phases > 0 ? &o->phase[o->n_phases - 1] : NULL;
    if (last && last->section == p.section && last->parts == p.parts && last->ahead == p.ahead)
        last->end = p.end;
    else
        o->phase[o->n_phases++] = p;
}

static void add_tiles(Builder *b)
{
    const Design *d = b->d;
    for (int k = 0, n, word = 0; k < d->n_tiles; k += n) {
        int cycles = 0;
        n = d->ring > 0 ? elastic_phase(d, k) : 1;
        for (int j = k; j < k + n; j++)
            cycles += d->tile[j].term[0].cycles + d->tile[j].term[1].cycles;
        if (d->ring > 0)
            add_paced(b, k, n, word);
        else
            add_in_step(b, k, word);
        add_phase(b, &d->tile[k], word, cycles);
        word += cycles;
    }
}

/* ---- bounds */
/* Words of the neuron with the most of them in a product: its rows are on one PE. */
static int longest_neuron(const Design *d, int product)
{
    const Matrix *m = &d->net->product[product].m;
    int most = 0, units = m->rows / m->gates;
    for (int e = 0; e < units; e++) {
        int sum = 0;
        for (int g = 0; g < m->gates; g++)
            sum += d->row_cycles[product] ? d->row_cycles[product][g * units + e] : d->plan[product].gate_cycles[g];
        most = MAX(most, sum);
    }
    return most;
}

/* A step's first product with h comes after all h of the step before: the words of one neuron, then what lies between
 * its last one and the first product with the h that it makes. */
static int least_loop(const Design *d)
{
    int most = 0;
    for (int p = 0; p < d->net->products; p++)
        if (d->net->product[p].previous)
            most = MAX(most, longest_neuron(d, p) + stages_drain(d) - d->slack);
    return most;
}

void gather_timeline(const Design *d, Arena *a, Timeline *out)
{
    Arena *scratch = arena_new();
    /* Every row of a PE, and every pause of the engine in the middle of one: at most after each tile. */
    int stretches = 2 * d->n_tiles * d->pes;
    Builder b = {.d = d, .out = out, .column = ARENA_ARRAY(scratch, int, d->weight_words)};
    *out = (Timeline){.stretch = ARENA_ARRAY(a, Stretch, stretches), .phase = ARENA_ARRAY(a, Phase, d->n_tiles)};
    set_columns(d, out, b.column, ARENA_ARRAY(scratch, int, d->n_runs));
    add_tiles(&b);
    REQUIRE(out->n_stretches <= stretches);
    out->least_work = (int)((out->words + d->pes - 1) / d->pes);
    out->least_loop = least_loop(d);
    arena_free(scratch);
}
