/* scatter.c: sizes and order of the scatter engine.
 *
 * A step is a list of scans (one vector as input of one section) and a list of row tiles, section by section, that are
 * read out when the section's last scan is through the arrays: it ends in an end mark. LSTM: [W x(t)] [R h(t-1)];
 * further layers: [R h(t-1)] [W h(t) of the layer below]; linear: [W h(t)]; GRU with the reset before the product:
 * [W x(t) of r, z] [R h(t-1)] [W' x(t) of n] [R' m(t)]. The sums have two banks, so the scans of a section run while the
 * one before is read out: what needs nothing of it fills the drain. */
#include "plan/plan.h"

#include "flow/parts.h"

enum { TRIAL_STEPS = 6, MEASURED_STEPS = 8, STEPS_DELTA = 24, TABLE_LEAD = 6, DELTA_REST = 2, ENCODER_MOST = 64,
       TURNS_LEAST = 4,                 /* of lg_scatter_stats */
       READS_MOST = 2, READS_SAVE = 5 };

/* ---- vectors: lanes * queues banks, element e in bank e mod banks */
static void set_banks(Arena *a, Design *d, int queues)
{
    d->queues = queues;
    d->vector_banks = d->lanes_pe * queues;
    for (int p = 0; p < d->net->products; p++) {
        int columns = d->net->product[p].m.columns;
        d->plan[p].bank_size = (columns + d->vector_banks - 1) / d->vector_banks;
    }
    plan_regions(a, d);
    for (int k = 0; k < d->n_regions; k++) {
        d->region[k].order = d->net->vector[k].order;
        d->region[k].place = d->net->vector[k].place;
    }
}

/* ---- scans */
static void add_scan(Design *d, int section, int product)
{
    REQUIRE(d->n_scans < RUNS_MAX);
    const MatrixPlan *p = &d->plan[product];
    int region = d->net->product[product].from;
    Scan *s = &d->scan[d->n_scans++];
    *s = (Scan){.section = section, .product = product, .region = region, .addresses = p->bank_size,
                .words = p->cycles, .previous = d->net->product[product].previous, .wait_h = region > 0,
                .delta = d->delta && product_has_delta(d->net, product)};
    s->word = d->weight_words;
    d->weight_words += s->addresses * s->words;
    s->last = d->lasts;
    d->lasts += s->delta ? s->addresses : 0;
}

/* x is waited for once in a step, and given back when the last section that reads it has. */
static void mark_x(Design *d)
{
    int last = -1;
    for (int k = 0; k < d->n_scans; k++)
        if (d->scan[k].region == 0) {
            d->scan[k].wait_x = last < 0;
            last = k;
        }
    REQUIRE(d->scan[0].wait_x);         /* whether a sequence starts comes with x */
    d->scan[last].release_x = true;
}

static void plan_scans(Design *d)
{
    d->n_scans = d->weight_words = d->lasts = 0;
    for (int k = 0; k < d->net->sections; k++) {
        const Section *s = &d->net->section[k];
        int first = section_early_term(d, k);
        for (int t = 0; t < s->terms; t++)
            add_scan(d, k, s->term[t == 0 ? first : !first]);
        d->scan[d->n_scans - 1].end = true;
    }
    d->scan[d->n_scans - 1].wrap = true;
    mark_x(d);
    d->lasts = MAX(d->lasts, 1);
    d->length_bits = 1;
    for (int k = 0; k < d->n_scans; k++)
        d->length_bits = MAX(d->length_bits, clog2(d->scan[k].words));
    d->word_bits = MAX(clog2(d->weight_words), d->length_bits + 1);
    d->weight_words *= d->queues;
}

/* ---- tiles */
static void add_tile(Design *d, Tile t, int row)
{
    REQUIRE(d->n_tiles < TILES_MAX);
    d->tile[d->n_tiles] = t;
    d->tile_row[d->n_tiles++] = row;
}

/* Blocks of rows of a PE: the section's gates in the order of its layer's rows. */
int scatter_block(const Design *d, int section, char gate)
{
    const Section *s = &d->net->section[section];
    const Layer *l = &d->net->layer[s->layer];
    int block = 0;
    for (const char *p = l->gates; *p && *p != gate; p++)
        for (int k = s->first; k < s->first + s->n; k++)
            block += l->pass[k].gate == *p;
    return block;
}

static int op_of(const Design *d, int section, int pass)
{
    return passes_find(&d->passes, &d->net->layer[d->net->section[section].layer].pass[pass]);
}

static void add_pass(Design *d, int section, int pass, int group)
{
    Tile t = {.section = section, .pass = pass, .group = group, .op = op_of(d, section, pass)};
    add_tile(d, t, scatter_block(d, section, tile_pass(d, &t)->gate) * section_groups(d, section) + group);
}

/* Passes first .. end - 1 of a section: those up to the one that writes its vector, then the others. */
typedef struct SectionPart { int section, first, end; } SectionPart;

/* When pass `next` of a group can be read out; at[]: when those before it were, the last of them now. */
static int ready_at(const Design *d, SectionPart p, const int *at, int next, int now)
{
    int ready = now + d->shifts;
    for (int pass = p.first; pass < next; pass++)
        ready = MAX(ready, at[pass] + stages_distance(d, op_of(d, p.section, pass), op_of(d, p.section, next)));
    return ready;
}

/* Each group as soon as its passes allow: the first h is early, so its columns can be worked on; the last one is
 * late. */
static void add_eager_tiles(Arena *scratch, Design *d, SectionPart p)
{
    int groups = section_groups(d, p.section), passes = p.end - p.first;
    int *done = ARENA_ARRAY(scratch, int, groups), *ready = ARENA_ARRAY(scratch, int, groups);
    int *at = ARENA_ARRAY(scratch, int, groups * (PASSES_MAX + 1));
    for (int now = 0, left = groups * passes, whole = 0; left > 0; now += d->shifts) {
        int best = -1;
        for (int k = 0; k < groups; k++)
            if (done[k] < passes && ready[k] <= now && (best < 0 || done[k] > done[best]))
                best = k;
        if (best < 0)
            continue;
        int pass = p.first + done[best]++, *of = &at[best * (PASSES_MAX + 1)];
        add_pass(d, p.section, pass, best);
        REQUIRE(done[best] < passes || best == whole++);        /* h is scanned in this order */
        of[pass] = now;
        if (done[best] < passes)
            ready[best] = ready_at(d, p, of, pass + 1, now);
        left--;
    }
}

/* Passes of a few groups at a time: enough for what one needs of another to be there when it arrives. */
static void add_block_tiles(Design *d, SectionPart p)
{
    int groups = section_groups(d, p.section), need = MAX(stages_section_distance(d, p.section), 1);
    int block = MIN(groups, (need + d->shifts - 1) / d->shifts);
    for (int first = 0; first < groups; first += block)
        for (int pass = p.first; pass < p.end; pass++)
            for (int group = first; group < MIN(first + block, groups); group++)
                add_pass(d, p.section, pass, group);
}

static void set_gaps(Design *d)
{
    Arena *scratch = arena_new();
    int *at = ARENA_ARRAY(scratch, int, d->n_tiles);
    for (int n = 1; n < d->n_tiles; n++) {
        const Tile *t = &d->tile[n];
        at[n] = at[n - 1] + d->shifts;
        for (int k = n - 1; k >= 0 && tile_layer(d, &d->tile[k]) == tile_layer(d, t) && at[n] - at[k] < 64; k--)
            if (d->tile[k].group == t->group)
                at[n] = MAX(at[n], at[k] + stages_distance(d, d->tile[k].op, t->op));
        d->tile_gap[n - 1] = at[n] - at[n - 1] - 1;
    }
    d->tile_gap[d->n_tiles - 1] = d->shifts - 1;
    arena_free(scratch);
}

static void add_part(Arena *a, Design *d, SectionPart p)
{
    if (p.first < p.end && d->eager)
        add_eager_tiles(a, d, p);
    else if (p.first < p.end)
        add_block_tiles(d, p);
}

/* The last tile whose results complete the vector, and the last one that completes the output. */
static void mark_done(Design *d, int section)
{
    const Section *s = &d->net->section[section];
    int last = d->n_tiles - 1;
    d->tile[last].y_done = s->output;
    while (s->writes >= 0 && !tile_writes(d, &d->tile[last]))
        last--;
    d->tile[last].vector_done = s->writes >= 0;
}

static void add_section(Arena *a, Design *d, int section)
{
    const Section *s = &d->net->section[section];
    const Layer *l = &d->net->layer[s->layer];
    int end = s->first + s->n, writer = s->first;
    for (int pass = s->first; pass < end; pass++)
        if (pass_has_result(&l->pass[pass]))
            writer = pass;
    add_part(a, d, (SectionPart){section, s->first, writer + 1});
    add_part(a, d, (SectionPart){section, writer + 1, end});
    mark_done(d, section);
}

static void plan_tiles(Arena *a, Design *d)
{
    int total = 0;
    for (int s = 0; s < d->net->sections; s++)
        total += section_tiles(d, s);
    d->tile = ARENA_ARRAY(a, Tile, total);
    d->tile_row = ARENA_ARRAY(a, int, total);
    d->tile_gap = ARENA_ARRAY(a, int, total);
    d->n_tiles = 0;
    for (int s = 0; s < d->net->sections; s++)
        add_section(a, d, s);
    set_gaps(d);
}

/* More lanes than PEs take several rows of each PE at once. */
static void set_cell_lanes(Design *d, int lanes)
{
    d->cell_lanes = lanes;
    d->reads = MAX(lanes / d->pes, 1);
    d->tile_rows = d->pes * d->reads;
    d->shifts = (d->tile_rows + lanes - 1) / lanes;
    int sums = 2 + d->tree + d->delta, chain = d->shifts > 1, lead = TABLE_LEAD + stages_early(d);
    d->read_at = MAX(0, lead - sums - chain);
    d->acc_at = d->read_at + sums;
    d->tile_at = d->acc_at + chain - lead;
}

/* ---- choice of cell lanes and queues */
static int queues_for(const Design *d, int lanes)
{
    int queues = 1;
    while (queues * d->lanes_pe < lanes)
        queues *= 2;
    return queues;
}

typedef struct Choice { int lanes, queues; bool eager; } Choice;

static void arrange(Arena *a, Design *d, Choice c)
{
    set_banks(a, d, c.queues);
    set_cell_lanes(d, c.lanes);
    d->eager = c.eager;
    plan_scans(d);
    plan_tiles(a, d);
}

static int widest_stream(const Design *d)
{
    int lanes = 1;
    while (lanes * 2 <= d->region[0].banks)
        lanes *= 2;
    return d->spec->lanes > 0 ? MIN(d->spec->lanes, d->region[0].banks) : lanes;
}

/* Queues per array: enough for the lanes of stream and cell unit; with deltas more where that is faster. */
typedef struct Range { int least, most; } Range;

static Range queue_range(const Design *d, int lanes)
{
    int least = queues_for(d, MAX(lanes, d->spec->lanes));
    if (d->spec->encoder_lanes > 0)
        return (Range){d->spec->encoder_lanes / d->lanes_pe, d->spec->encoder_lanes / d->lanes_pe};
    return (Range){least, d->delta ? MAX(least, ENCODER_MOST / d->lanes_pe) : least};
}

static bool encoder_lanes_allowed(Diag *diag, const Design *d)
{
    int queues = d->spec->encoder_lanes / d->lanes_pe;
    if (d->spec->encoder_lanes == 0)
        return true;
    if (queues > 0 && (queues & (queues - 1)) == 0 && queues * d->lanes_pe == d->spec->encoder_lanes)
        return true;
    diag_error(diag, spec_at(d->spec, "delta.encoder_lanes"), "delta.encoder_lanes: %d elements per cycle can not be "
               "dealt to %d arrays (engine.pe_width): use %d times a power of two, like %d", d->spec->encoder_lanes,
               d->lanes_pe, d->lanes_pe, d->lanes_pe << clog2(MAX(queues, 1)));
    return false;
}

/* The multipliers of the arrays take differences: one bit more than an element. */
static bool difference_fits(Diag *diag, const Design *d)
{
    if (!d->delta || d->q->gate.bits + 1 <= d->family->a_max)
        return true;
    diag_error(diag, spec_at(d->spec, "delta"), "delta: differences of %d-bit activations have %d bits, a multiplier "
               "of this part takes %d: use precision.activation %d", d->q->gate.bits, d->q->gate.bits + 1,
               d->family->a_max, d->family->a_max - 1);
    return false;
}

static int most_lanes(const Design *d)
{
    int most = READS_MOST * d->pes;
    if (d->spec->encoder_lanes > 0)
        most = MIN(most, d->spec->encoder_lanes);
    for (int v = 1; v < d->net->vectors; v++)
        most = MIN(most, d->net->vector[v].elements);
    return most;
}

/* Twice as many, up to the PEs, then whole multiples of them. */
static int next_lanes(const Design *d, int lanes, int most)
{
    int one_read = MIN(d->pes, most);
    return lanes < one_read ? MIN(lanes * 2, one_read) : lanes * 2;
}

/* A later choice must save at least one cycle in 200; one with more lanes what engine.optimise gives for area, and one
 * with more reads, whose rows are in twice as many memories, at least one cycle in READS_SAVE. */
static void try_choice(Arena *scratch, Design *d, Choice c, int steps, Choice *best, double *fewest)
{
    arrange(scratch, d, c);
    set_stream(d, widest_stream(d));
    double interval = scatter_cycles(d, steps).interval;
    double save = c.lanes > best->lanes ? MAX(cycles_given(d), 0.005) : 0.005;
    if (c.lanes > MAX(best->lanes, d->pes))
        save = MAX(save, 1.0 / READS_SAVE);
    if (best->lanes == 0 || interval < *fewest * (1 - save))
        *best = c, *fewest = interval;
}

/* Fewest cycles, then the fewest lanes. */
static Choice best_choice(Design *d)
{
    Arena *scratch = arena_new();
    Choice best = {0};
    int most = most_lanes(d), steps = d->delta ? STEPS_DELTA : TRIAL_STEPS;
    double fewest = 0;
    for (int lanes = 1; lanes <= most; lanes = next_lanes(d, lanes, most)) {
        Range r = queue_range(d, lanes);
        for (int queues = r.least; queues <= r.most; queues *= 2)
            for (int eager = 0; eager < 2; eager++)
                try_choice(scratch, d, (Choice){lanes, queues, eager}, steps, &best, &fewest);
    }
    arena_free(scratch);
    return best;
}

static void choose_lanes(Arena *a, Design *d)
{
    Choice best;
    if (!plan_log_take(d->log, &best, sizeof best)) {
        best = best_choice(d);
        plan_log_put(d->log, &best, sizeof best);
    }
    arrange(a, d, best);
}

/* The fewest stream lanes that do not limit the interval. */
static void choose_stream(Design *d)
{
    int widest = widest_stream(d), steps = d->delta ? STEPS_DELTA : MEASURED_STEPS;
    set_stream(d, widest);
    if (d->spec->lanes > 0)
        return;
    double best = plan_cycles(d, steps).interval;
    for (int lanes = 1; lanes < widest; lanes *= 2) {
        set_stream(d, lanes);
        if (plan_cycles(d, steps).interval <= best)
            return;
    }
    set_stream(d, widest);
}

/* ---- rows of a PE: of a gate's neurons one after the other, gate after gate; with several reads a gate begins at a
 * multiple of them, and the lowest bits of an index say which of the rows read at once it is */
static void plan_rows(Design *d)
{
    int tiles = 1;
    for (int s = 0; s < d->net->sections; s++)
        tiles = MAX(tiles, section_tiles(d, s));
    d->rows = tiles * d->reads;
    d->index_bits = MAX(clog2(tiles), 1) + clog2(d->reads);
}

int scatter_row(const Design *d, int product, int local)
{
    const Product *p = &d->net->product[product];
    int section = (int)(section_of_product(d->net, product) - d->net->section);
    int neurons = (p->m.rows / p->m.gates + d->pes - 1) / d->pes;
    int block = scatter_block(d, section, p->gates[local / neurons]);
    return block * section_groups(d, section) * d->reads + local % neurons;
}

void scatter_list_memories(Design *d)
{
    int value = d->q->gate.bits + d->delta;
    if (d->delta) {
        memory_add(d, "last sent", d->q->gate.bits, d->lasts, d->vector_banks, d->last_block, false, false);
        memory_add(d, "kept sums", d->q->acc_bits, d->n_tiles, d->tile_rows, d->delta_block, false, false);
    }
    if (d->delta && d->spec->control)
        memory_add(d, "totals", 32, MAX(d->lanes_pe, TURNS_LEAST), 1, false, false, false);
    memory_add(d, "queue", 2 + d->length_bits + d->word_bits + value, 16, d->vector_banks, false, false, false);
    scatter_list_rows(d);
}

static void count_losses(Design *d)
{
    d->macs_lost = (int64_t)d->weight_words * d->multipliers_engine - d->macs_kept;
    d->multipliers_cell = d->cell_lanes * lane_multipliers(d);
}

bool scatter_plan(Arena *a, Diag *diag, Design *d)
{
    d->delta = d->q->delta;
    plan_order(d);
    if (!encoder_lanes_allowed(diag, d) || !difference_fits(diag, d))
        return false;
    plan_leaves(d);
    d->rest = d->delta ? DELTA_REST : 0;
    plan_shift(d);
    choose_lanes(a, d);
    plan_rows(d);
    if (!lanes_allowed(diag, d))
        return false;
    choose_stream(d);
    d->weight_memories = d->index_memories = d->lanes_pe;
    d->weight_lanes = d->pes;
    d->index_word = d->weight_lanes * d->index_bits;
    d->vector_copies = d->vector_banks;
    d->h_aligned = h_is_aligned(d);
    d->head_run = d->last_head_run = -1;
    d->last_block = memory_in_block(d, d->lasts);
    d->delta_block = memory_in_block(d, d->n_tiles);
    scatter_plan_rows(d);
    count_losses(d);
    plan_memories(a, d);
    return true;
}
