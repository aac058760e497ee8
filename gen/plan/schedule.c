/* schedule.c: the order of the row tiles of one step, and the runs of the step program.
 *
 * Sections follow each other as in the network. What a section reads may only just be written: the time in which that
 * drains is filled with the other product of its first tiles, whose sums are kept (early tiles). One LSTM:
 *   [W x(t) of the first tiles, kept] [head of t-1] [R h(t-1) of those tiles] [W x(t) + R h(t-1) of the rest]
 * Stacks: layer 1 whole, the head of t-1, then per further layer [R h(t-1) of the first tiles, kept] [W h(t) of these]
 * [the rest]: R fills the drain of the layer below.
 * A projection stands between early tiles of the section behind it: [W x(t) of tiles] [P m(t-1)] [W x(t) of further
 * tiles] [R h(t-1) of all those] [the rest]; plan/order.c.
 * Elastic rows: [W x(t) of the first tiles, kept] [layer 0 of t] [layer 1 of t-1] [layer 2 of t-2] ..., and of layers
 * with projections [P of t-1] [P of t-2] [layer 0 of t] [layer 1 of t-1] ...
 * Passes of a neuron follow each other as in the cell; `lead` cycles are put in where one needs what another has not
 * left yet. */
#include "plan/plan.h"

#include <string.h>

static const Section *section_of(const Design *d, int section)
{
    return &d->net->section[section];
}

/* ---- terms */
int term_cycles(const Design *d, int product, char gate)
{
    const char *at = product < 0 ? NULL : strchr(d->net->product[product].gates, gate);
    return at ? d->plan[product].gate_cycles[at - d->net->product[product].gates] : 0;
}

static char gate_of(const Design *d, int section, int pass)
{
    return d->net->layer[section_of(d, section)->layer].pass[pass].gate;
}

static Term term_of(const Design *d, int section, int which, int pass)
{
    int product = section_of(d, section)->term[which];
    const Product *p = &d->net->product[product];
    return (Term){.product = product, .cycles = term_cycles(d, product, gate_of(d, section, pass)), .region = p->from,
                  .previous = p->previous || section_is_behind(d, section)};
}

/* ---- tiles */
static void add_tile(Design *d, Tile t)
{
    REQUIRE(d->n_tiles < TILES_MAX);
    d->tile[d->n_tiles++] = t;
}

static bool gates_differ(const Design *d, int section)
{
    const Section *s = section_of(d, section);
    for (int k = 0; k < s->terms; k++)
        for (int p = s->first + 1; p < s->first + s->n; p++)
            if (term_of(d, section, k, p).cycles != term_of(d, section, k, s->first).cycles)
                return true;
    return false;
}

/* The pass that writes the section's vector, or gives the results. */
static int writing_pass(const Design *d, int section)
{
    const Section *s = section_of(d, section);
    const Pass *pass = d->net->layer[s->layer].pass;
    int writer = s->first + s->n - 1;
    while (writer > s->first && !pass_has_result(&pass[writer]))
        writer--;
    return writer;
}

/* Groups pass a gate in blocks, so that a pass finds what an earlier one of the same group left: how many blocks a
 * section is cut into, all of them of at least that many groups. One where others than the last pass write its vector: the
 * sooner it is complete, the more of the section fills the time in which it drains. */
static int blocks_of(const Design *d, int section)
{
    const Section *s = section_of(d, section);
    int last = s->terms > 1 ? !section_early_term(d, section) : 0;
    int groups = section_groups(d, section), shortest = d->plan[s->term[last]].cycles;
    int step = d->ring > 0 ? d->shifts : MAX(shortest, d->shifts);
    if (gates_differ(d, section) || s->n == 1 || writing_pass(d, section) < s->first + s->n - 1)
        return 1;                       /* every change of the gate is a word of the step program */
    int least = (stages_section_distance(d, section) + step - 1) / step;
    return MAX(groups / MAX(least, 1), 1);
}

/* Pass and group of the n-th tile of a section: block by block, in it pass by pass. */
static void nth_tile(const Design *d, int section, int n, int *pass, int *group)
{
    int groups = section_groups(d, section), blocks = blocks_of(d, section), passes = section_of(d, section)->n;
    int block = 0;
    while (n >= passes * ((block + 1) * groups / blocks))
        block++;
    int first = block * groups / blocks, here = (block + 1) * groups / blocks - first;
    int within = n - passes * first;
    *pass = section_of(d, section)->first + within / here;
    *group = first + within % here;
}

int schedule_filling(const Design *d, int section, int from)
{
    int n = from, drain = stages_drain(d), early = section_early_term(d, section);
    for (int cycles = 0, pass, group; cycles < drain; n++) {
        nth_tile(d, section, n % section_tiles(d, section), &pass, &group);
        cycles += MAX(term_of(d, section, early, pass).cycles, d->shifts);
    }
    return n - from;
}

static Tile section_tile(const Design *d, int section, int n)
{
    const Section *s = section_of(d, section);
    int pass, group;
    nth_tile(d, section, n, &pass, &group);
    bool last = n == section_tiles(d, section) - 1;
    return (Tile){.section = section, .pass = pass, .group = group,
                  .op = passes_find(&d->passes, &d->net->layer[s->layer].pass[pass]),
                  .term = {{.product = -1}, {.product = -1}},
                  .vector_done = s->writes >= 0 && pass == writing_pass(d, section) && group == section_groups(d, section) - 1,
                  .y_done = last && s->output};
}

/* Only a gate with rows in both terms has something to keep, and something to add to it later. */
static bool is_early(const Design *d, int section, int n, int early)
{
    int pass, group;
    nth_tile(d, section, n, &pass, &group);
    return n < early && term_of(d, section, 0, pass).cycles > 0 && term_of(d, section, 1, pass).cycles > 0;
}

/* Of the early tiles of a section those from `first` up to `end`. */
static void add_early(Design *d, int section, int first, int end)
{
    int which = section_early_term(d, section);
    for (int n = first; n < end; n++) {
        Tile t = section_tile(d, section, n);
        if (!is_early(d, section, n, end))
            continue;
        t.op = OP_KEEP;
        t.vector_done = t.y_done = false;
        t.term[0] = term_of(d, section, which, t.pass);
        t.parts = (uint8_t)(1 << which);
        t.psum = n * d->shifts;
        add_tile(d, t);
    }
}

/* The terms of a whole tile, those left of an early one; the first is never without cycles. */
static void set_terms(const Design *d, Tile *t)
{
    const Section *s = section_of(d, t->section);
    int first = section_early_term(d, t->section), n = 0;
    for (int k = 0; k < s->terms; k++) {
        Term term = term_of(d, t->section, k == 0 ? first : !first, t->pass);
        if (term.cycles > 0 && !(k == 0 && t->use_psum))
            t->term[n++] = term;
    }
}

static void add_main(Design *d, int section, int early)
{
    const Section *s = section_of(d, section);
    for (int n = 0; n < section_tiles(d, section); n++) {
        Tile t = section_tile(d, section, n);
        t.use_psum = is_early(d, section, n, early);
        t.psum = n * d->shifts;
        if (d->ring > 0) {
            for (int k = 0; k < s->terms; k++) {
                t.term[k] = term_of(d, section, k, t.pass);
                t.term[k].cycles = k == 0 ? t.term[k].cycles : 0;
                t.parts |= (uint8_t)(!(k == 0 && t.use_psum) << k);
            }
        } else {
            set_terms(d, &t);
        }
        add_tile(d, t);
    }
}

/* Of a section with one term: nothing of it is early. */
static void add_whole(Design *d, int section)
{
    int first = d->n_tiles;
    add_main(d, section, 0);
    for (int n = first; n < d->n_tiles; n++) {
        d->tile[n].parts = 1;
        d->tile[n].psum = 0;
    }
}

/* ---- runs */
static int tile_cycles(const Tile *t)
{
    return t->term[0].cycles + t->term[1].cycles;
}

static bool same_shape(const Tile *a, const Tile *b)
{
    return a->section == b->section && (a->op == OP_KEEP) == (b->op == OP_KEEP) && a->use_psum == b->use_psum
           && a->term[0].product == b->term[0].product && a->parts == b->parts
           && a->term[0].cycles == b->term[0].cycles && a->term[1].cycles == b->term[1].cycles;
}

/* Idle cycles needed before tile n, whose last control word would come at `end[n]` without them. */
static int lead_before(const Design *d, const int *end, int n)
{
    const Tile *t = &d->tile[n];
    int longest = stages_longest_distance(d), lead = 0;
    for (int k = n - 1; k >= 0; k--) {
        const Tile *u = &d->tile[k];
        if (end[n] - end[k] >= longest)
            break;                      /* further back nothing can clash */
        if (tile_layer(d, u) != tile_layer(d, t) || u->group != t->group)
            continue;
        bool kept = u->op == OP_KEEP;
        int need = kept && (!t->use_psum || u->pass != t->pass) ? 0 : stages_distance(d, u->op, t->op);
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
                                .is_head = section_is_behind(d, t->section), .stage = section_stage(d, t->section)};
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
        /* What is behind is left out in the first step, and goes first where x is late: no distance may count on it. */
        if (!section_is_behind(d, t->section))
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
    for (int k = 0; k < TERMS_MAX; k++)
        if (t->term[k].product >= 0 && t->term[k].region == region
            && (d->ring > 0 ? t->parts >> k & 1 : t->term[k].cycles > 0))
            return true;
    return false;
}

static void mark_x(Design *d)
{
    int last = -1;
    for (int k = 0; k < d->n_runs; k++)
        if (reads(&d->run[k], d, 0))
            last = k;
    int first = 0;
    while (d->run[first].is_head || d->run[first].stage > 0)
        first++;
    d->run[first].wait_x = true;        /* x tells whether the sequence is a new one */
    if (last < 0)
        FAULT("no run reads x");
    d->run[last].release_x = true;
}

/* The first and the last of what is behind, each one run. */
static void mark_behind(Design *d)
{
    d->head_run = d->last_head_run = -1;
    for (int k = 0; k < d->n_runs; k++) {
        const Run *r = &d->run[k];
        int *which = r->set_head || d->head_run < 0 ? &d->head_run : &d->last_head_run;
        if (!r->is_head)
            continue;
        REQUIRE(*which < 0);
        *which = k;
    }
    if (d->last_head_run < 0)
        d->last_head_run = d->head_run;
}

/* Does it read what it writes? */
static bool is_recurrent(const Design *d, int section)
{
    const Section *s = section_of(d, section);
    for (int k = 0; k < s->terms; k++)
        if (d->net->product[s->term[k]].from == s->writes)
            return true;
    return false;
}

/* The last run of each stage, and of the program. */
static void mark_ends(Design *d)
{
    unsigned seen = 0;
    for (int k = d->n_runs - 1; k >= 0; k--) {
        d->run[k].ends = !(seen >> d->run[k].stage & 1);
        seen |= 1u << d->run[k].stage;
    }
    d->run[d->n_runs - 1].wrap = true;
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
        if (section_of(d, t->section)->output && t->op != OP_KEEP && !out_waited)
            r->wait_out = out_waited = true;
    }
    for (int n = 0; n < d->n_tiles; n++)
        if (d->tile[n].vector_done) {
            Run *r = run_of_tile(d, n);
            int section = d->tile[n].section;
            r->set_pending |= 1u << (section_of(d, section)->writes - 1);
            r->set_head = section + 1 < d->net->sections && section_is_behind(d, section + 1);
            r->now = d->stages > 1 && section_is_projection(d, section);
            /* With stages one may be ready for its next step before what it wrote has arrived; see lg_sequencer. */
            if (d->stages > 1 && !is_recurrent(d, section))
                r->wait_h |= r->set_pending;
        }
    mark_ends(d);
    mark_behind(d);
}

/* Sections of the same neurons, from `section` on: a projection has its own. */
static int sections_dealt(const Design *d, int section)
{
    int n = 1;
    while (section + n < d->net->sections && section_of(d, section + n)->layer == section_of(d, section)->layer
           && !section_is_projection(d, section + n))
        n++;
    return n;
}

static void deal_sections(Arena *a, Design *d, int first, int n, const Early *early)
{
    uint8_t *ahead = ARENA_ARRAY(a, uint8_t, section_groups(d, first));
    for (int s = first; s < first + n; s++)
        for (int k = 0, pass, group; k < early->tiles[s]; k++) {
            nth_tile(d, s, k, &pass, &group);
            ahead[group] |= (uint8_t)(1 << pass);
        }
    if (section_of(d, first)->writes >= 0)
        elastic_deal(d, first, n, ahead);
}

/* The layers one after the other, each on the step before that of the layer below: nothing waits for what was just
 * done. */
static void add_stages(Arena *a, Design *d, const Early *early)
{
    for (int s = 0, n; s < d->net->sections; s += n) {
        n = sections_dealt(d, s);
        deal_sections(a, d, s, n, early);
    }
    for (int k = 0; k < d->n_order; k++) {
        int s = d->order[k], next = d->order[(k + 1) % d->n_order];
        if (section_is_projection(d, s))
            add_early(d, next, 0, early->ahead[next]);
        add_early(d, s, early->ahead[s], early->tiles[s]);
        if (section_is_projection(d, s) || section_is_head(d, s))
            add_whole(d, s);
        else
            add_main(d, s, early->tiles[s]);
    }
    elastic_tiles(a, d);
}

/* A projection follows early tiles of the section behind it; the head fills the drain of the first layer. */
static void add_sections(Design *d, const Early *early)
{
    int layers = 0, head = d->net->sections - 1, mains = 0;
    for (int k = 0; k < d->n_order; k++)
        mains += !section_is_behind(d, d->order[k]);
    for (int k = 0; k < d->n_order; k++) {
        int s = d->order[k], next = d->order[(k + 1) % d->n_order];
        if (section_is_projection(d, s)) {
            add_early(d, next, 0, early->ahead[next]);
            add_whole(d, s);
            continue;
        }
        bool fills = layers++ == 0 && section_is_head(d, head);
        add_early(d, s, early->ahead[s], early->tiles[s]);
        if (fills && mains == 1)
            add_whole(d, head);
        add_main(d, s, early->tiles[s]);
        if (fills && mains > 1)
            add_whole(d, head);
    }
}

void plan_schedule(Arena *a, Design *d, const Early *early)
{
    int total = 0;
    for (int s = 0; s < d->net->sections; s++)
        total += section_tiles(d, s) + early->tiles[s];
    d->tile = ARENA_ARRAY(a, Tile, total);
    d->n_tiles = d->n_runs = 0;
    if (d->ring > 0)
        add_stages(a, d, early);
    else
        add_sections(d, early);
    add_runs(a, d);
    mark_runs(d);
}
