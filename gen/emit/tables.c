/* tables.c: images of the step program, the tile table, the activation table and the stream orders.
 * Field orders are those of lg_sequencer (P_...), lg_cell (T_...), lg_lane and lg_reorder. */
#include "emit/emit.h"

#include "plan/plan.h"

Widths widths_of(const Design *d)
{
    int length = 1, gap = 1;
    for (int k = 0; k < d->n_tiles; k++)
        length = MAX(length, MAX(d->tile[k].term[0].cycles, d->tile[k].term[1].cycles));
    for (int k = 0; k < d->n_runs; k++)
        gap = MAX(gap, MAX(d->run[k].lead, d->run[k].gap));
    return (Widths){
        .tile = MAX(clog2(d->n_tiles), 1), .length = MAX(clog2(length), 1), .gap = clog2(gap + 1),
        .weight = MAX(clog2(d->weight_words), 1), .record = MAX(clog2(d->records), 1),
        .psum = MAX(clog2(d->psums), 1), .neuron = MAX(clog2(d->neurons), 1), .rows = clog2(d->tile_rows + 1),
        .stage = MAX(clog2(d->stages), 1), .bank = clog2(d->vector_banks + 1), .entry = MAX(clog2(d->entries), 1),
        .lane = MAX(clog2(d->cell_lanes), 1)};
}

/* Whether a run needs the first or second region of its tiles. Elastic PEs may be at rows of a later run of the phase,
 * so all runs of a phase are alike. */
static bool used(const Design *d, const Tile *t, int k)
{
    if (d->ring > 0)
        return k == 0 || (t->op != OP_KEEP && d->net->section[t->section].terms > 1);
    return t->term[k].cycles > 0;
}

/* Base address of a segment's region for parity 0 or 1. */
static int segment_base(const Design *d, const Tile *t, int k, int parity)
{
    const Term *g = &t->term[k];
    return used(d, t, k) ? d->region[g->region].base[parity ^ g->previous] : 0;
}

static bool aligned(const Design *d, const Tile *t, int k)
{
    return used(d, t, k) && d->q->product[t->term[k].product].align > 0;
}

/* Products that count as 0 in the first step of a sequence; elastic tiles tell it word by word, of segment A. */
static bool muted(const Design *d, const Tile *t, int k)
{
    if (d->ring > 0)
        return k == 0 && used(d, t, 1) && d->net->product[t->term[1].product].previous;
    return used(d, t, k) && d->net->product[t->term[k].product].previous;
}

static void put_run(const Design *d, Image *m, const Run *r, const Widths *w)
{
    const Tile *t = &d->tile[r->first];
    const Term *a = &t->term[0], *b = &t->term[1];
    int layers = d->n_regions - 1;
    image_field(m, r->count - 1, w->tile);
    image_field(m, r->first, w->tile);
    image_field(m, a->cycles - 1, w->length);
    image_field(m, MAX(b->cycles - 1, 0), w->length);
    for (int parity = 0; parity < 2; parity++)
        image_field(m, segment_base(d, t, 0, parity), d->addr_bits);
    for (int parity = 0; parity < 2; parity++)
        image_field(m, segment_base(d, t, 1, parity), d->addr_bits);
    image_field(m, r->weight, w->weight);
    image_field(m, r->gap, w->gap);
    image_field(m, r->lead, w->gap);
    image_field(m, r->wait_h, layers);
    image_field(m, r->set_pending, layers);
    const bool flag[] = {b->cycles > 0, muted(d, t, 0), muted(d, t, 1), r->wait_x, r->release_x, r->wait_out,
                         r->is_head || r->now, r->set_head, r->wrap, aligned(d, t, 0), aligned(d, t, 1)};
    for (int k = 0; k < LENGTH(flag); k++)
        image_field(m, flag[k], 1);
    if (d->stages > 1) {
        image_field(m, r->ends, 1);
        image_field(m, r->stage, w->stage);
    }
    image_word(m);
}

bool emit_program(const Design *d, Arena *a, Folder *f)
{
    Widths w = widths_of(d);
    int width = 2 * w.tile + 2 * w.length + 4 * d->addr_bits + w.weight + 2 * w.gap + 2 * (d->n_regions - 1) + 11
                + (d->stages > 1 ? 1 + w.stage : 0);
    Image m;
    if (!image_open(&m, d, a, f, "program", width,
                    "[stage ends, with stages] scale_b scale_a wrap set_head is_head wait_out release_x wait_x mute_b "
                    "mute_a has_b pending wait_h lead gap weight base_b1 base_b0 base_a1 base_a0 length_b-1 "
                    "length_a-1 first_tile tiles-1"))
        return false;
    for (int k = 0; k < d->n_runs; k++)
        put_run(d, &m, &d->run[k], &w);
    return image_close(&m);
}

/* Order of the final tile of a layer's rows among all bias records. */
static int record_of(const Design *d, int tile)
{
    const Tile *t = &d->tile[tile];
    int index = 0;
    for (int k = 0; k < d->n_tiles; k++) {
        const Tile *u = &d->tile[k];
        if (u->op == OP_KEEP)
            continue;
        if (u->section == t->section && u->pass == t->pass && u->group == t->group)
            return index * d->shifts;
        index++;
    }
    FAULT("tile %d has no final tile", tile);
}

/* Does its layer keep anything in the lanes? */
static bool has_state(const Design *d, const Tile *t)
{
    const Layer *l = &d->net->layer[tile_layer(d, t)];
    return section_has_state(d, l->first_section) && tile_pass(d, t)->gate != 'p';
}

static void put_tile(const Design *d, Image *m, int n, const Widths *w, int record)
{
    const Tile *t = &d->tile[n];
    const Section *s = &d->net->section[t->section];
    const Pass *p = tile_pass(d, t);
    const Region *r = s->writes < 0 ? NULL : &d->region[s->writes];
    int position = t->group * d->tile_rows;
    int rows = r ? r->stored : pass_units(&d->net->layer[s->layer], p);
    int behind = section_is_behind(d, t->section);
    image_field(m, t->op, passes_bits(&d->passes));
    image_field(m, t->use_psum, 1);
    image_field(m, tile_writes(d, t), 1);
    image_field(m, tile_has_result(d, t) && s->output, 1);
    image_field(m, p->curve == CURVE_RELU, 1);
    image_field(m, t->y_done, 1);
    image_field(m, t->vector_done ? INT64_C(1) << (s->writes - 1) : 0, d->n_regions - 1);
    image_field(m, record, w->record);
    image_field(m, t->psum % d->psums, w->psum);
    image_field(m, has_state(d, t) ? d->neuron_base[t->section] + t->group * d->shifts : 0, w->neuron);
    image_field(m, MAX(0, MIN(d->tile_rows, rows - position)), w->rows);
    image_field(m, r ? position % r->banks : 0, w->bank);
    image_field(m, r ? r->banks : 1, w->bank);
    for (int parity = 0; parity < 2; parity++)
        image_field(m, r ? r->base[parity ^ behind] + position / r->banks : 0, d->addr_bits);
    image_field(m, s->output ? t->group * d->shifts : 0, w->entry);
    image_word(m);
}

bool emit_tiles(const Design *d, Arena *a, Folder *f)
{
    Widths w = widths_of(d);
    int width = 5 + passes_bits(&d->passes) + (d->n_regions - 1) + w.record + w.psum + w.neuron + w.rows + 2 * w.bank + 2 * d->addr_bits
        + w.entry;
    Image m;
    if (!image_open(&m, d, a, f, "tiles", width,
                    "entry addr1 addr0 modulus bank rows neuron psum record done y_done relu output vector use_psum "
                    "op (0 keep, 1 i, 2 g, 3 f, 4 o, 5 linear)"))
        return false;
    /* An early tile has the records of its final one. */
    int record = 0;
    for (int n = 0; n < d->n_tiles; n++) {
        bool early = d->tile[n].op == OP_KEEP;
        put_tile(d, &m, n, &w, early ? record_of(d, n) : record);
        record += early ? 0 : d->shifts;
    }
    return image_close(&m);
}

int curves_slope_bits(const Design *d)
{
    TableKind kind[TABLE_KINDS];
    int tables = passes_tables(&d->passes, kind), bits = 0;
    for (int k = 0; k < tables; k++)
        bits = MAX(bits, d->q->table[kind[k]].slope_bits);
    return bits;
}

bool emit_activation(const Design *d, Arena *a, Folder *f)
{
    static const char *const names[] = {"tanh", "hard_sigmoid", "hard_sigmoid_6", "hard_tanh"};
    TableKind kind[TABLE_KINDS];
    int tables = passes_tables(&d->passes, kind), slope = curves_slope_bits(d);
    const char *text = "slope base:";
    for (int k = 0; k < tables; k++)
        text = str_format(a, "%s%s %s", text, k ? "," : "", names[kind[k]]);
    Image m;
    if (!image_open(&m, d, a, f, "activation", d->q->table[kind[0]].base_bits + slope,
                    str_format(a, "%s on [0, 8), linear between the entries", text)))
        return false;
    for (int k = 0; k < passes_table_places(&d->passes); k++) {
        const ActTable *t = &d->q->table[kind[k % tables]];
        for (int i = 0; i < t->entries; i++) {
            image_field(&m, t->base[i], t->base_bits);
            image_field(&m, t->slope[i], slope);
            image_word(&m);
        }
    }
    return image_close(&m);
}

/* ---- orders of lg_reorder: for each output lane of a beat, where its element was written */
typedef struct Source { int lane, entry; } Source;

static bool emit_order(Arena *a, Folder *f, const char *name, int beats, int lanes, int lane_bits, int entry_bits,
                       Source (*source)(const Design *, int), const Design *d)
{
    Image m;
    if (!image_open(&m, d, a, f, name, lanes * (lane_bits + entry_bits), "per element: lane entry; element 0 lowest"))
        return false;
    for (int beat = 0; beat < beats; beat++) {
        for (int lane = 0; lane < lanes; lane++) {
            Source s = source(d, beat * lanes + lane);
            image_field(&m, s.entry, entry_bits);
            image_field(&m, s.lane, lane_bits);
        }
        image_word(&m);
    }
    return image_close(&m);
}

/* Position q of x is element e of the stream, which arrived in beat e / lanes. */
static Source x_source(const Design *d, int position)
{
    int element = region_element(&d->region[0], position);
    return element < 0 ? (Source){0, 0} : (Source){element % d->lanes, element / d->lanes};
}

/* Element e of the result: its position's row of a tile tells cell lane and shift. */
static Source y_source(const Design *d, int element)
{
    if (element >= d->outputs)
        return (Source){0, 0};
    int writes = d->net->section[d->net->sections - 1].writes;
    int position = writes < 0 ? element : region_position(&d->region[writes], element);
    int row = position % d->tile_rows;
    return (Source){row % d->cell_lanes, position / d->tile_rows * d->shifts + row / d->cell_lanes};
}

/* Which elements of a beat of x are stored. */
static bool emit_mask(const Design *d, Arena *a, Folder *f)
{
    Image m;
    if (!image_open(&m, d, a, f, "x_mask", d->lanes, "per element of the beat: 1 where a matrix reads it"))
        return false;
    for (int e = 0; e < (d->inputs + d->lanes - 1) / d->lanes * d->lanes; e++) {
        image_field(&m, e < d->inputs && d->region[0].slot[e] >= 0, 1);
        if (e % d->lanes == d->lanes - 1)
            image_word(&m);
    }
    return image_close(&m);
}

bool emit_orders(const Design *d, Arena *a, Folder *f)
{
    Widths w = widths_of(d);
    if (!emit_order(a, f, "y_order", d->out_beats, d->lanes, w.lane, w.entry, y_source, d))
        return false;
    if (region_is_masked(&d->region[0]))
        return emit_mask(d, a, f);
    if (!region_is_reordered(&d->region[0], d->lanes))
        return true;
    int beats = (d->region[0].positions + d->lanes - 1) / d->lanes;
    int entry = MAX(clog2((d->inputs + d->lanes - 1) / d->lanes), 1);
    return emit_order(a, f, "x_order", beats, d->lanes, MAX(clog2(d->lanes), 1), entry, x_source, d);
}
