/* schedule.c: the order of the row tiles of one step, and the runs of the step program.
 *
 * One layer:  [W x(t) of the first tiles, kept] [head of t-1] [R h(t-1) of those tiles] [W x(t) + R h(t-1) of the rest]
 * The first run fills the time in which h(t-1) drains: it needs no h. Stacks: layer 1 whole, the head of t-1, then per
 * further layer [R h(t-1) of the first tiles, kept] [W h(t) of these] [the rest]: R fills the drain of the layer below.
 * Elastic rows: [W x(t) of the first tiles, kept] [layer 0 of t] [layer 1 of t-1] [layer 2 of t-2] ...
 * Gates of a neuron pass in the order i, g, f, o; `lead` cycles are put in where one needs what another has not left
 * yet. */
#include "plan/plan.h"

const GateOp GATE_ORDER[GATES] = {{GATE_I, OP_I}, {GATE_G, OP_G}, {GATE_F, OP_F}, {GATE_O, OP_O}};

int layer_groups(const Design *d, int layer)
{
    const Layer *l = &d->net->layer[layer];
    int rows = l->cell == CELL_LINEAR ? l->hidden : d->region[layer + 1].positions;
    return (rows + d->tile_rows - 1) / d->tile_rows;
}

int schedule_tiles(const Design *d, int layer)
{
    return layer_groups(d, layer) * (d->net->layer[layer].cell == CELL_LINEAR ? 1 : GATES);
}

static int product_latency(const Design *d)
{
    return d->mul_latency + (d->state_split > 1 ? 1 : 0);
}

/* From the control of a tile's last cycle to the control of a cycle that reads its h; see lg_cell and lg_sequencer. */
int schedule_drain(const Design *d)
{
    int first_result = d->tile_at + 3 + 13 + d->mul_latency + product_latency(d);
    /* Where a beat is written in several cycles: those of a tile one after the other, from the cycle after the first
     * on. */
    int queued = d->parts > 1 ? d->shifts * (d->parts - 1) + 1 : 0;
    return first_result + d->shifts - 1 + queued - d->front + 2 - 1;
}

/* Neurons that a lane of the cell unit keeps the state of. */
int cell_neurons(const Design *d)
{
    int neurons = 0;
    for (int l = 0; l < d->n_regions - 1; l++)
        neurons += layer_groups(d, l) * d->shifts;
    return neurons;
}

/* ---- distances between tiles, in cycles from last control word to last control word (stages of lg_lane) */
typedef struct Hazards { int i_to_g, g_to_f, f_to_o, keep_to_use; } Hazards;

static Hazards hazards_of(const Design *d)
{
    int late = memory_in_block(d, cell_neurons(d));     /* block RAM shows a write one cycle later than LUT RAM */
    return (Hazards){.i_to_g = 3 + late, .g_to_f = 2 + late, .f_to_o = 11 + d->mul_latency + product_latency(d) + late,
                     .keep_to_use = 5};
}

int schedule_distance(const Design *d, CellOp a, CellOp b)
{
    Hazards h = hazards_of(d);
    if (a == OP_KEEP && b != OP_KEEP)
        return h.keep_to_use;
    if (a == OP_I && b == OP_G)
        return h.i_to_g;
    if (a == OP_G && b == OP_F)
        return h.g_to_f;
    return a == OP_F && b == OP_O ? h.f_to_o : 0;
}

/* ---- tiles */
static Segment segment_of(const Design *d, int layer, int matrix, int gate)
{
    bool recurrent = matrix == MATRIX_R;
    return (Segment){.layer = layer, .matrix = matrix, .cycles = d->matrix[layer][matrix].gate_cycles[gate],
                     .region = recurrent ? layer + 1 : layer, .previous = recurrent};
}

static void add_tile(Design *d, Tile t)
{
    REQUIRE(d->n_tiles < TILES_MAX);
    d->tile[d->n_tiles++] = t;
}

/* Which matrix of a layer can be multiplied before the layer below (or the last step) is through. */
static int early_matrix(int layer)
{
    return layer == 0 ? MATRIX_W : MATRIX_R;
}

static bool gates_differ(const Design *d, int layer)
{
    for (int which = 0; which < MATRICES; which++)
        for (int g = 1; g < GATES; g++)
            if (d->matrix[layer][which].gate_cycles[g] != d->matrix[layer][which].gate_cycles[0])
                return true;
    return false;
}

/* Groups pass a gate in blocks, so that tanh(c') is there when o of the same group arrives: how many blocks a layer is
 * cut into, all of them of at least that many groups. */
static int blocks_of(const Design *d, int layer)
{
    int groups = layer_groups(d, layer), shortest = d->matrix[layer][MATRIX_W + MATRIX_R - early_matrix(layer)].cycles;
    int step = d->ring > 0 ? d->shifts : MAX(shortest, d->shifts);
    if (gates_differ(d, layer))
        return 1;                       /* every change of the gate is a word of the step program */
    int least = (hazards_of(d).f_to_o + step - 1) / step;
    return MAX(groups / least, 1);
}

/* Gate and group of the n-th tile of a layer: block by block, in it gate by gate. */
static void nth_tile(const Design *d, int layer, int n, int *gate, int *group)
{
    int groups = layer_groups(d, layer), blocks = blocks_of(d, layer);
    int block = 0;
    while (n >= GATES * ((block + 1) * groups / blocks))
        block++;
    int first = block * groups / blocks, here = (block + 1) * groups / blocks - first;
    int within = n - GATES * first;
    *gate = within / here;
    *group = first + within % here;
}

int schedule_filling(const Design *d, int layer)
{
    int n = 0, drain = schedule_drain(d);
    for (int cycles = 0, gate, group; cycles < drain; n++) {
        nth_tile(d, layer, n % schedule_tiles(d, layer), &gate, &group);
        int here = d->matrix[layer][early_matrix(layer)].gate_cycles[GATE_ORDER[gate].gate];
        cycles += MAX(here, d->shifts);
    }
    return n;
}

static bool last_lstm(const Design *d, int layer)
{
    return layer == d->net->n - 1 || d->net->layer[layer + 1].cell == CELL_LINEAR;
}

static Tile lstm_tile(const Design *d, int layer, int n)
{
    int gate, group;
    nth_tile(d, layer, n, &gate, &group);
    bool last = n == schedule_tiles(d, layer) - 1;
    return (Tile){.layer = layer, .gate = GATE_ORDER[gate].gate, .group = group, .op = GATE_ORDER[gate].op,
                  .layer_done = last, .y_done = last && layer == d->net->n - 1};
}

static void add_early(Design *d, int layer, int early)
{
    for (int n = 0; n < early; n++) {
        Tile t = lstm_tile(d, layer, n);
        t.op = OP_KEEP;
        t.layer_done = t.y_done = false;
        t.segment[0] = segment_of(d, layer, early_matrix(layer), t.gate);
        t.parts = 1 << early_matrix(layer);
        t.psum = n * d->shifts;
        add_tile(d, t);
    }
}

static void add_main(Design *d, int layer, int early)
{
    int first = early_matrix(layer), second = MATRIX_W + MATRIX_R - first;
    for (int n = 0; n < schedule_tiles(d, layer); n++) {
        Tile t = lstm_tile(d, layer, n);
        t.use_psum = n < early;
        t.psum = n * d->shifts;
        if (d->ring > 0) {
            t.parts = 1 << MATRIX_R | !t.use_psum << MATRIX_W;
            t.segment[0] = segment_of(d, layer, MATRIX_W, t.gate);
            t.segment[1] = segment_of(d, layer, MATRIX_R, t.gate);
            t.segment[1].cycles = 0;
        } else {
            t.segment[0] = segment_of(d, layer, t.use_psum ? second : first, t.gate);
            if (!t.use_psum)
                t.segment[1] = segment_of(d, layer, second, t.gate);
        }
        add_tile(d, t);
    }
}

static void add_head(Design *d, int layer)
{
    int tiles = schedule_tiles(d, layer);
    for (int n = 0; n < tiles; n++) {
        Tile t = {.layer = layer, .group = n, .op = OP_LINEAR, .parts = 1 << MATRIX_W, .y_done = n == tiles - 1};
        t.segment[0] = segment_of(d, layer, MATRIX_W, 0);
        t.segment[0].previous = d->stages == 1;
        add_tile(d, t);
    }
}

/* ---- runs */
static int tile_cycles(const Tile *t)
{
    return t->segment[0].cycles + t->segment[1].cycles;
}

static bool same_shape(const Tile *a, const Tile *b)
{
    return a->layer == b->layer && (a->op == OP_KEEP) == (b->op == OP_KEEP) && a->use_psum == b->use_psum
           && a->segment[0].matrix == b->segment[0].matrix && a->parts == b->parts
           && a->segment[0].cycles == b->segment[0].cycles
           && a->segment[1].cycles == b->segment[1].cycles;
}

/* Idle cycles needed before tile n, whose last control word would come at `end[n]` without them. */
static int lead_before(const Design *d, const int *end, int n)
{
    const Tile *t = &d->tile[n];
    int longest = schedule_distance(d, OP_F, OP_O), lead = 0;
    for (int k = n - 1; k >= 0; k--) {
        const Tile *u = &d->tile[k];
        if (end[n] - end[k] >= longest)
            break;                      /* further back nothing can clash */
        if (u->layer != t->layer || u->group != t->group)
            continue;
        bool kept = u->op == OP_KEEP;
        int need = kept && (!t->use_psum || u->gate != t->gate) ? 0 : schedule_distance(d, u->op, t->op);
        lead = MAX(lead, need - (end[n] - end[k]));
    }
    return lead;
}

static void start_run(Design *d, int tile, int lead, int weight)
{
    REQUIRE(d->n_runs < RUNS_MAX);
    const Tile *t = &d->tile[tile];
    int cycles = tile_cycles(t);
    d->run[d->n_runs++] = (Run){.first = tile, .lead = lead, .gap = MAX(0, d->shifts - cycles), .weight = weight,
                                .is_head = t->op == OP_LINEAR && d->stages == 1, .stage = t->layer};
}

/* Cuts the tiles into runs of one shape; a tile that must wait for an earlier one starts a run with a lead. */
static void add_runs(Arena *a, Design *d)
{
    int *end = ARENA_ARRAY(a, int, d->n_tiles), now = 0, weight = 0;
    for (int n = 0; n < d->n_tiles; n++) {
        const Tile *t = &d->tile[n];
        int cycles = tile_cycles(t);
        bool fresh = n == 0 || !same_shape(t, t - 1);
        end[n] = now + cycles;
        /* The chain of the tile before is still being shifted out while a shorter tile ends. */
        int lead = fresh ? MAX(0, d->shifts - cycles) : 0;
        end[n] += lead;
        int wait = lead_before(d, end, n);
        REQUIRE(d->ring == 0 || lead + wait == 0);  /* elastic tiles keep all distances themselves */
        end[n] += wait;
        if (fresh || wait > 0)
            start_run(d, n, lead + wait, weight);
        Run *r = &d->run[d->n_runs - 1];
        r->count++;
        weight += cycles;
        /* The head is left out in the first step, and goes first where x is late: no distance may count on it. */
        if (t->op != OP_LINEAR || d->ring > 0)
            now = end[n] + r->gap;
    }
    d->weight_words = weight;
}

static Run *run_of_tile(Design *d, int tile)
{
    for (int k = 0; k < d->n_runs; k++)
        if (tile >= d->run[k].first && tile < d->run[k].first + d->run[k].count)
            return &d->run[k];
    FAULT("tile %d in no run", tile);
}

static bool reads(const Run *r, const Design *d, int region)
{
    const Tile *t = &d->tile[r->first];
    if (d->ring > 0)
        return (t->parts >> MATRIX_W & 1 && t->segment[0].region == region)
               || (t->parts >> MATRIX_R & 1 && t->segment[1].region == region);
    return (t->segment[0].cycles > 0 && t->segment[0].region == region)
           || (t->segment[1].cycles > 0 && t->segment[1].region == region);
}

static void mark_x(Design *d)
{
    int last = -1;
    for (int k = 0; k < d->n_runs; k++)
        if (reads(&d->run[k], d, 0)) {
            d->run[k].wait_x = last < 0;
            last = k;
        }
    if (last < 0)
        FAULT("no run reads x");
    d->run[last].release_x = true;
}

/* Waits and levels; see lg_sequencer. */
static void mark_runs(Design *d)
{
    mark_x(d);
    bool out_waited = false;
    for (int k = 0; k < d->n_runs; k++) {
        Run *r = &d->run[k];
        for (int l = 0; l + 1 < d->n_regions; l++)
            if (reads(r, d, l + 1))
                r->wait_h |= 1u << l;
        const Tile *t = &d->tile[r->first];
        if (t->layer == d->net->n - 1 && t->op != OP_KEEP && !out_waited)
            r->wait_out = out_waited = true;
    }
    for (int n = 0; n < d->n_tiles; n++)
        if (d->tile[n].layer_done) {
            Run *r = run_of_tile(d, n);
            r->set_pending |= 1u << d->tile[n].layer;
            r->set_head = d->stages == 1 && d->net->layer[d->net->n - 1].cell == CELL_LINEAR
                && last_lstm(d, d->tile[n].layer);
            r->ends = true;
        }
    d->run[d->n_runs - 1].wrap = d->run[d->n_runs - 1].ends = true;
    d->head_run = -1;
    for (int k = 0; k < d->n_runs; k++)
        if (d->run[k].is_head)
            d->head_run = k;
}

/* The layers one after the other, each on the step before that of the layer below: nothing waits for what was just
 * done. */
static void add_stages(Arena *a, Design *d, const int *early)
{
    for (int l = 0; l < d->net->n; l++) {
        if (d->net->layer[l].cell == CELL_LINEAR) {
            add_head(d, l);
            continue;
        }
        int gate, group;
        uint8_t *ahead = ARENA_ARRAY(a, uint8_t, layer_groups(d, l));
        for (int n = 0; n < early[l]; n++) {
            nth_tile(d, l, n, &gate, &group);
            ahead[group] |= (uint8_t)(1 << GATE_ORDER[gate].gate);
        }
        elastic_deal(d, l, ahead);
        add_early(d, l, early[l]);
        add_main(d, l, early[l]);
    }
    elastic_tiles(a, d);
}

static void add_layers(Design *d, const int *early)
{
    int n = d->net->n, lstms = d->n_regions - 1;
    for (int l = 0; l < lstms; l++) {
        add_early(d, l, early[l]);
        if (l == 0 && lstms == 1 && n > 1)
            add_head(d, 1);
        add_main(d, l, early[l]);
        if (l == 0 && lstms > 1 && n > lstms)
            add_head(d, n - 1);
    }
}

void plan_schedule(Arena *a, Design *d, const int *early)
{
    int total = 0;
    for (int l = 0; l < d->net->n; l++)
        total += schedule_tiles(d, l) + (l < d->n_regions - 1 ? early[l] : 0);
    d->tile = ARENA_ARRAY(a, Tile, total);
    d->n_tiles = d->n_runs = 0;
    if (d->ring > 0)
        add_stages(a, d, early);
    else
        add_layers(d, early);
    add_runs(a, d);
    mark_runs(d);
}
