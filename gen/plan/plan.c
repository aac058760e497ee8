/* plan.c: sizes of the engine, the cell unit and the stream; the order of the step that takes the fewest cycles.
 *
 * Candidates (cell lanes, tiles worked ahead) are counted with the exact cycle model; the fewest cycles win, then the
 * fewest lanes. */
#include "plan/plan.h"

#include "flow/parts.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { TRIAL_STEPS = 4, SHIFT_BITS_LOADABLE = 6, CELL_TABLE_LEAD = 6, RING_LATENCY = 3, RING_FLAGS = 2 };

int layer_align(const QNetwork *q)
{
    int align = 0;
    for (int p = 0; p < q->net->products; p++)
        align = MAX(align, q->product[p].align);
    return align;
}

/* Some gate is multiplied with 1 - an earlier one, which takes a bit more. */
static bool has_rest(const Network *net)
{
    for (int l = 0; l < net->n; l++)
        for (int k = 0; k < net->layer[l].n_passes; k++)
            if (net->layer[l].pass[k].operand == OPERAND_REST)
                return true;
    return false;
}

void plan_leaves(Design *d)
{
    const Family *f = d->family;
    d->mul_latency = f->mul_latency;
    d->state_split = mul_split(f, MAX(d->q->state.bits, d->q->curve.bits + has_rest(d->net)));
    d->state_part = f->b_max;
    d->tree = MAX(clog2(d->lanes_pe), 1);
    d->align = layer_align(d->q);
}

/* The same and the stages between them (lg_gather, lg_chain, lg_cell). */
static void plan_latencies(Design *d)
{
    plan_leaves(d);
    d->front = d->pattern->private_vectors ? 2 : 0;
    int ring = d->ring > 0 ? RING_LATENCY + d->slack : 0;
    d->acc_at = d->front + ring + (d->span > 1) + 3 + d->mul_latency + d->tree + (d->align > 0);
}

/* A LaneWord has 16 bits for an index. */
static bool index_fits(Diag *diag, const Design *d, int product)
{
    enum { INDEX_BITS = 16 };
    const Matrix *m = &d->net->product[product].m;
    int bits = d->plan[product].index_bits;
    if (bits <= INDEX_BITS)
        return true;
    diag_error(diag, spec_at(d->spec, "sparsity.pattern"),
               "matrix %s of layer %d has %d rows of %d columns: on this engine an index of pattern %s would have %d "
               "bits, and %d are the most: use pattern dense, or more PEs and multipliers",
               product_name(d->net, product), d->net->product[product].layer, m->rows, m->columns, d->pattern->name,
               bits, INDEX_BITS);
    return false;
}

/* At most: those of every gate, each of them once more where its first product is kept; pe_width: what banks are
 * rounded. */
static bool tiles_fit(Diag *diag, const Design *d)
{
    int64_t tiles = 0;
    for (int k = 0; k < d->net->sections; k++) {
        const Section *s = &d->net->section[k];
        const Layer *l = &d->net->layer[s->layer];
        int units = pass_units(l, &l->pass[s->first]), rows = (units + d->lanes_pe + d->pes - 1) / d->pes;
        tiles += s->writes < 0 ? s->n * ((units + d->pes - 1) / d->pes) : INT64_C(2) * s->n * rows;
    }
    if (tiles <= TILES_MAX)
        return true;
    diag_error(diag, spec_at(d->spec, "engine.pes"), "engine.pes: %d is too few: a step would have up to %lld "
               "tiles of rows, and %d are the most: use more PEs", d->pes, (long long)tiles, TILES_MAX);
    return false;
}

static bool plan_matrices(Diag *diag, Design *d)
{
    bool ok = true;
    for (int k = 0; k < d->net->products; k++) {
        const Matrix *m = &d->net->product[k].m;
        MatrixPlan *p = &d->plan[k];
        *p = d->pattern->plan(d->spec, m);
        ok = index_fits(diag, d, k) && ok;
        for (int g = 0; g < GATES_MAX; g++)
            if (p->gate_cycles[g] == 0)
                p->gate_cycles[g] = p->cycles;
        if (!d->pattern->whole_vector)
            d->index_bits = MAX(d->index_bits, p->index_bits);
        d->macs_dense += (int64_t)m->rows * m->columns;
        d->macs_kept += p->kept;
    }
    d->multipliers_engine = d->pes * d->lanes_pe;
    d->tile_rows = d->pes;
    d->minimum = (d->macs_kept + d->multipliers_engine - 1) / d->multipliers_engine;
    return ok;
}

/* Bits of the largest right shift; with loadable weights any shift the record can hold. */
void plan_shift(Design *d)
{
    int most = 1;
    for (int l = 0; l < d->net->n; l++)
        for (int r = 0; r < d->q->layer[l].rows; r++)
            most = MAX(most, d->q->layer[l].row_fraction[r] + d->q->left_shift - row_target(d->q, l, r).fraction);
    d->shift_bits = d->spec->loadable ? SHIFT_BITS_LOADABLE : clog2(most + 1);
    d->record_bits = d->q->acc_bits + d->shift_bits + d->constants.peephole_bits;
}

/* ---- candidates */
static void set_cell_lanes(Design *d, int lanes, int slack)
{
    d->slack = slack;
    plan_latencies(d);
    d->cell_lanes = lanes;
    d->shifts = (d->pes + lanes - 1) / lanes;
    d->parts = d->span > 0 ? (lanes + d->span - 1) / d->span : 1;
    d->tile_at = d->acc_at + (d->shifts > 1) - CELL_TABLE_LEAD - stages_early(d);
    REQUIRE(d->tile_at >= 0);
}

/* h of a tile goes to as many different banks as there are cell lanes, where it does not wait. */
int most_cell_lanes(const Design *d)
{
    int most = d->pes;
    if (span_is_queued(d))
        return most;
    for (int k = 1; k < d->n_regions; k++)
        most = MIN(most, d->region[k].banks);
    return most;
}

static int filling(const Design *d, int section, int from, int extra)
{
    return MIN(MAX(schedule_filling(d, section, from) + extra, 0), section_tiles(d, section) - from);
}

/* Tiles to work ahead in each layer so that the drain is filled; `extra` shifts the count for a second try. */
static Early early_tiles(const Design *d, bool ahead, int extra)
{
    Early e = {0};
    for (int k = 0; ahead && k < d->n_order; k++) {
        int filler = section_filler(d, d->order[k]);
        if (filler >= 0 && section_age(d, d->order[k]) == 1)
            e.tiles[filler] = e.ahead[filler] = filling(d, filler, 0, extra);
    }
    for (int s = 0; ahead && s < d->net->sections; s++)
        if (section_waits(d, s))
            e.tiles[s] += filling(d, s, e.ahead[s], extra);
    return e;
}

/* Cycles that are missing where rows differ in length, until what the section in `place` waits for has drained: other
 * sections work since it was written. */
static double missing_work(const Design *d, int place)
{
    int section = d->order[place];
    double rest = stages_drain(d);
    for (int k = 1; k < MIN(section_age(d, section), d->n_order); k++) {
        const Section *s = &d->net->section[d->order[(place - k + d->n_order) % d->n_order]];
        for (int t = 0; t < s->terms; t++)
            rest -= elastic_work(d, s->term[t]);
    }
    return rest;
}

/* Those of the section's tiles from `from` on that fill so many cycles. */
static int filling_rows(const Design *d, int section, int from, double cycles, int extra)
{
    double tile = elastic_work(d, d->net->section[section].term[0]) / section_tiles(d, section);
    int n = (int)ceil(cycles / MAX(tile, d->shifts)) + extra;
    return cycles > 0 ? MIN(MAX(n, 0), section_tiles(d, section) - from) : 0;
}

/* The same where rows differ in length. Of all layers only the first recurrent one need work ahead for its own h: the
 * others then have that much more time. */
static Early early_rows(const Design *d, bool ahead, int extra)
{
    Early e = {0};
    bool first = true;
    for (int k = 0; ahead && k < d->n_order; k++) {
        int s = d->order[k], filler = section_filler(d, s);
        bool again = d->net->layer[d->net->section[s].layer].first_section != s;
        if (filler >= 0)
            e.tiles[filler] = e.ahead[filler] = filling_rows(d, filler, 0, missing_work(d, k), extra);
        if (d->net->section[s].terms < 2 || section_early_term(d, s) > 0 || !(first || again))
            continue;
        e.tiles[s] += filling_rows(d, s, e.ahead[s], missing_work(d, k), extra);
        first = false;
    }
    return e;
}

typedef struct Choice { int lanes, slack; Early early; double interval; int64_t latency; bool gave; } Choice;

/* Fewest cycles from step to step; of equals the one whose last step of the trial is through first. */
static bool is_better(const Choice *c, const Choice *than)
{
    return than->lanes == 0 || c->interval < than->interval
           || (c->interval <= than->interval && c->latency < than->latency);
}

static void try_choice(Arena *a, Design *d, Choice *c, bool only_cycles, Choice *best)
{
    set_cell_lanes(d, c->lanes, c->slack);
    plan_schedule(a, d, &c->early);
    CycleCount trial = cycles_simulate(d, TRIAL_STEPS + 2 * cycles_last_steps(d));
    /* In less time than x takes to come: steps differ, and a few of them do not tell what many take. */
    c->interval = trial.interval < d->inputs / d->lanes ? DBL_MAX : trial.interval;
    c->latency = trial.latency;
    if (only_cycles ? c->interval < best->interval : is_better(c, best))
        *best = *c;
}

static void try_lanes(Arena *a, Design *d, int lanes, int slack, Choice *best)
{
    /* The last one only where it saves cycles, and where a try takes little time. */
    static const struct { bool ahead; int extra; } tries[] = {{true, 0}, {false, 0}, {true, 1}, {true, -2}, {true, -1}};
    Early tried[LENGTH(tries)];
    int last = LENGTH(tries) - 1;
    for (int k = 0; k <= last - (d->ring > 0); k++) {
        Choice c = {.lanes = lanes, .slack = slack};
        bool again = false;
        set_cell_lanes(d, lanes, slack);
        c.early = (d->ring > 0 ? early_rows : early_tiles)(d, tries[k].ahead, tries[k].extra);
        for (int i = 0; i < k; i++)
            again = again || memcmp(&tried[i], &c.early, sizeof c.early) == 0;
        tried[k] = c.early;
        if (!again)
            try_choice(a, d, &c, k == last, best);
    }
}

/* Slack lengthens the drain, so none where rows are all alike, and the least that gives the fewest cycles elsewhere. */
static void try_slacks(Arena *a, Design *d, int lanes, Choice *best)
{
    enum { SLACK_STEP = 6, SLACK_MOST = 24 };
    for (int slack = 0; slack <= (d->ring > 0 ? SLACK_MOST : 0); slack += SLACK_STEP)
        try_lanes(a, d, lanes, slack, best);
}

double cycles_given(const Design *d)
{
    static const struct { const char *name; double share; } GIVEN[] = {{"cycles", 0}, {"balanced", 0.02}, {"area", 0.25}};
    const char *name = d->spec->optimise ? d->spec->optimise : "balanced";
    for (int k = 0; k < LENGTH(GIVEN); k++)
        if (strcmp(GIVEN[k].name, name) == 0)
            return GIVEN[k].share;
    FAULT("engine.optimise: %s", name);
}

/* The fewest lanes that come near the fewest cycles. */
static Choice best_schedule(Design *d)
{
    enum { STEPS = 10 };                /* lanes: 1, 2, 4 ... */
    Arena *scratch = arena_new();
    Choice choice[STEPS] = {0};
    int most = most_cell_lanes(d), n = 0, first = 0;
    double least = DBL_MAX;
    for (int lanes = 1; lanes <= most; lanes = lanes < most ? MIN(lanes * 2, most) : most + 1) {
        REQUIRE(n < STEPS);
        try_slacks(scratch, d, lanes, &choice[n]);
        least = MIN(least, choice[n++].interval);
        /* Elastic tiles hold the cycles that the cell unit needs, so their sum tells nothing. */
        if (d->shifts == 1 || (d->ring == 0 && least <= (double)d->weight_words))
            break;
    }
    arena_free(scratch);
    while (choice[first].interval > least * (1 + d->given))
        first++;
    choice[first].gave = choice[first].interval > least;
    return choice[first];
}

static void choose_schedule(Arena *a, Design *d)
{
    Choice best;
    if (!plan_log_take(d->log, &best, sizeof best)) {
        best = best_schedule(d);
        plan_log_put(d->log, &best, sizeof best);
    }
    d->gave = d->gave || best.gave;
    set_cell_lanes(d, best.lanes, best.slack);
    plan_schedule(a, d, &best.early);
}

/* The lanes stay, only the order is chosen anew. */
static void choose_early(Arena *a, Design *d)
{
    Choice best = {0};
    if (!plan_log_take(d->log, &best, sizeof best)) {
        Arena *scratch = arena_new();
        try_lanes(scratch, d, d->cell_lanes, d->slack, &best);
        arena_free(scratch);
        plan_log_put(d->log, &best, sizeof best);
    }
    set_cell_lanes(d, best.lanes, best.slack);
    plan_schedule(a, d, &best.early);
}

/* ---- stream */
static int widest_stream(const Design *d)
{
    return MIN(d->region[0].banks, d->inputs);
}

bool lanes_allowed(Diag *diag, const Design *d)
{
    int most = widest_stream(d);
    if (d->spec->lanes <= most)
        return true;
    diag_error(diag, spec_at(d->spec, "interface.lanes"),
               "%d elements per beat, but the input's %d elements lie in %d banks and each takes one element a cycle: "
               "use at most %d lanes, or a larger engine.pe_width", d->spec->lanes, d->inputs, most, most);
    return false;
}

void set_stream(Design *d, int lanes)
{
    const Region *x = &d->region[0];
    d->lanes = lanes;
    d->out_beats = (d->outputs + lanes - 1) / lanes;
    d->x_aligned = lanes > 1 && x->banks % lanes == 0;
}

/* The fewest lanes that do not limit the interval. */
static void choose_stream(Arena *a, Design *d)
{
    if (d->spec->lanes > 0) {
        set_stream(d, d->spec->lanes);
        choose_schedule(a, d);
        return;
    }
    int most = widest_stream(d), widest = 1;
    while (widest * 2 <= most)
        widest *= 2;
    set_stream(d, widest);
    choose_schedule(a, d);
    double best = plan_cycles(d, cycles_least_steps(d)).interval;
    for (int lanes = 1; lanes < widest; lanes *= 2) {
        set_stream(d, lanes);
        if (plan_cycles(d, cycles_least_steps(d)).interval <= best)
            return;
    }
    set_stream(d, widest);
}

/* Starts and modulus of every write of h are multiples of the lanes: no multiplexer before the banks. */
bool h_is_aligned(const Design *d)
{
    if (d->parts > 1)
        return d->pes % d->span == 0 && (d->shifts == 1 || d->cell_lanes % d->span == 0);
    if (d->cell_lanes == 1 || d->tile_rows % d->cell_lanes != 0)
        return false;
    for (int k = 1; k < d->n_regions; k++)
        if (d->region[k].banks % d->cell_lanes != 0)
            return false;
    return true;
}

static void count_losses(Design *d)
{
    int64_t slots = 0;
    for (int n = 0; n < d->n_tiles; n++)
        slots += (int64_t)(d->tile[n].term[0].cycles + d->tile[n].term[1].cycles) * d->multipliers_engine;
    d->macs_lost = slots - d->macs_kept;
    d->multipliers_cell = d->cell_lanes * lane_multipliers(d);
}

static bool known_part(Diag *diag, Design *d)
{
    const char *name = d->spec->part;
    d->part = part_find(name);
    if (d->part) {
        d->family = part_family(d->part);
        return true;
    }
    const char *near = part_nearest(name);
    diag_error(diag, spec_at(d->spec, "target.part"), "unknown part '%s'%s%s%s", name, near ? ", did you mean " : "",
               near ? near : "", near ? "?" : "; `lstmgen parts` lists the known ones");
    return false;
}

/* Vectors, cell lanes, stream and order of the step for copies of `banks` banks. */
static bool plan_sizes(Arena *a, Diag *diag, Design *d, int banks)
{
    plan_span(d, banks);
    plan_latencies(d);
    plan_regions(a, d);
    d->index_word = d->lanes_pe * d->index_bits + (d->ring > 0 ? RING_FLAGS : 0);
    if (!lanes_allowed(diag, d))
        return false;
    choose_stream(a, d);
    return true;
}

/* Fewer banks than h comes in rows, down to one, as long as that costs next to no cycles: banks times PEs times
 * multipliers are the memories that hold copies of the vector. */
static bool plan_queue(Arena *a, Diag *diag, Design *d)
{
    const double MORE = 1.004, ONE_MORE = 1;
    double best = plan_cycles(d, cycles_least_steps(d)).interval;
    while (d->span / 2 >= MAX(d->spec->lanes, 1)) {
        Design fewer = *d;
        if (!plan_sizes(a, diag, &fewer, d->span / 2))
            return false;
        if (plan_cycles(&fewer, cycles_least_steps(d)).interval > MAX(best * MORE, best + ONE_MORE))
            break;
        *d = fewer;
    }
    return true;
}

/* What follows from sizes and schedule. */
static void finish(Arena *a, Design *d)
{
    d->queue = queue_depth(d);
    d->h_aligned = h_is_aligned(d);
    count_losses(d);
    plan_memories(a, d);
}

static bool same_cycles(const Design *a, const Design *b)
{
    int steps = cycles_least_steps(a);
    CycleCount of_a = plan_cycles(a, steps), of_b = plan_cycles(b, steps);
    return of_a.interval >= of_b.interval && of_a.total >= of_b.total && of_a.latency >= of_b.latency;
}

/* The lanes' memories may move to block RAM, whose writes are seen a cycle later, where the schedule has room for that.
 * Not with rows of different length: dealing them again would change what is dealt. */
static void plan_kinds(Arena *a, Design *d)
{
    Design moved = *d;
    moved.state_moved = true;
    bool may = d->ring == 0 && state_is_free(d);
    if (may) {
        choose_early(a, &moved);
        may = same_cycles(d, &moved);
    }
    finish(a, d);
    if (!may)
        return;
    finish(a, &moved);
    if (memory_cheaper(memory_cost(&moved), memory_cost(d)))
        *d = moved;
}

static bool plan_whole(Arena *a, Diag *diag, Design *d)
{
    if (!plan_sizes(a, diag, d, span_widest(d)))
        return false;
    if (d->span > span_needed(d) && !plan_sizes(a, diag, d, span_needed(d)))
        return false;
    return !span_is_queued(d) || plan_queue(a, diag, d);
}

/* Lanes are chosen by trials of a few steps, before the stream and the queue of h are: the whole may tell otherwise. */
static bool gave_too_much(const Design *d, const Design *fewest)
{
    int steps = cycles_least_steps(d);
    return plan_cycles(d, steps).interval > plan_cycles(fewest, steps).interval * (1 + d->given);
}

bool gather_plan(Arena *a, Diag *diag, Design *d)
{
    d->weight_memories = d->pes;
    d->weight_lanes = d->lanes_pe;
    d->stages = d->pattern->row_cycles ? section_stages(d) : 1;
    plan_order(d);
    if (d->pattern->row_cycles)
        elastic_rows(a, d);
    plan_shift(d);
    d->given = cycles_given(d);
    Design fewest = *d;
    fewest.given = 0;
    if (!plan_whole(a, diag, d))
        return false;
    if (d->gave && !plan_whole(a, diag, &fewest))
        return false;
    if (d->gave && gave_too_much(d, &fewest))
        *d = fewest;
    plan_kinds(a, d);
    return true;
}

/* As many steps as the testbench measures: it repeats all sequences until it has enough. Where the stream limits the
 * interval it varies from step to step; without deltas MOST of them tell the mean. */
static int measured_steps(const Design *d, int steps)
{
    enum { MOST = 1024 };
    int least = cycles_least_steps(d), all = (least + steps - 1) / steps * steps;
    return d->activity ? all : MIN(all, MOST);
}

/* Passes of the cell unit, in the order of the table of cells. */
static void number_passes(Design *d)
{
    int n;
    const Cell *table = cell_table(&n);
    passes_start(&d->passes);
    for (int c = 0; c < n; c++)
        for (int k = 0; k < d->net->n; k++)
            for (int p = 0; d->net->layer[k].cell == &table[c] && p < d->net->layer[k].n_passes; p++)
                passes_add(&d->passes, &d->net->layer[k].pass[p]);
}

bool design_plan(Arena *a, Diag *diag, const Spec *s, const Network *net, const QNetwork *q, const Activity *activity,
                 int steps, PlanLog *log, Design *out)
{
    Design *d = out;
    *d = (Design){.log = log, .spec = s, .pattern = patterns_host(net), .net = net, .q = q, .pes = s->pes,
                  .lanes_pe = s->pe_width};
    d->inputs = net->layer[0].inputs;
    d->outputs = net->layer[net->n - 1].outputs;
    number_passes(d);
    d->element_bits = (s->activation_bits + 7) / 8 * 8;
    if (!known_part(diag, d))
        return false;
    d->activity = activity->sent ? activity : NULL;
    d->engine = d->pattern->engine;
    REQUIRE(d->engine);
    if (!memory_pins_allowed(diag, d) || !plan_carries(diag, d) || !tiles_fit(diag, d) || !plan_matrices(diag, d)
        || !plan_constants(diag, d) || !d->engine->plan(a, diag, d))
        return false;
    d->interval = plan_cycles(d, measured_steps(d, steps)).interval;
    d->latency = plan_cycles(d, 1).latency;
    return true;
}
