/* memories.c: depth and style of every memory, and the list that report and synthesis count. */
#include "plan/plan.h"

#include "flow/parts.h"

#include <string.h>

int output_slots(const Design *d)
{
    return 2 << MAX(clog2(d->entries), 1);
}

void memory_add(Design *d, const char *name, int64_t width, int64_t depth, int copies, bool block, bool rom,
                bool weights)
{
    REQUIRE(d->n_memories < LENGTH(d->memory));
    d->memory[d->n_memories++] = (MemoryUse){name, width, depth, copies, block, rom, weights};
}

/* An lg_rom2: sigmoid and tanh read one table, products and peepholes one initial state. */
static bool is_shared(const MemoryUse *m)
{
    return m->rom && (strcmp(m->name, "activation table") == 0 || strcmp(m->name, "initial state") == 0);
}

int64_t memory_blocks(const Family *f, const MemoryUse *m)
{
    if (!m->block)
        return f->small_ram ? 0 : m->copies * part_ram_blocks(f, m->width, m->depth);
    return m->copies * (m->rom ? part_rom_blocks(f, m->width, m->depth, is_shared(m) ? 2 : 1)
                               : part_ram_blocks(f, m->width, m->depth));
}

/* Words of a lane: one per group and shift for the state, one per final tile and shift for the bias records. */
static void plan_depths(Arena *a, Design *d)
{
    d->neuron_base = ARENA_ARRAY(a, int, d->net->sections);
    for (int s = 0; s < d->net->sections; s++) {
        bool again = d->net->section[s].first > 0;      /* the same neurons as in the layer's first section */
        d->neuron_base[s] = again ? d->neuron_base[d->net->layer[d->net->section[s].layer].first_section] : d->neurons;
        d->neurons += section_has_state(d, s) ? section_groups(d, s) * d->shifts : 0;
        d->records += section_tiles(d, s) * d->shifts;
    }
    d->first_records = d->constants.first_h ? d->records : 0;
    d->records += d->first_records;
    REQUIRE(d->neurons == cell_neurons(d));
    for (int n = 0; n < d->n_tiles; n++)
        if (d->tile[n].op == OP_KEEP)
            d->psums = MAX(d->psums, d->tile[n].psum + d->shifts);
    d->psums = MAX(d->psums, 1);
    d->entries = section_groups(d, d->net->sections - 1) * d->shifts;
}

/* Word of the tile table: see T_... in lg_cell. */
static int tile_word_bits(const Design *d)
{
    return 5 + passes_bits(&d->passes) + (d->n_regions - 1) + MAX(clog2(d->records), 1) + MAX(clog2(d->psums), 1)
           + MAX(clog2(d->neurons), 1) + clog2(d->tile_rows + 1) + 2 * clog2(d->vector_banks + 1) + 2 * d->addr_bits + MAX(clog2(d->entries), 1);
}

/* Word of an order image: see lg_reorder. */
static int order_bits(int outputs, int inputs, int entries)
{
    return outputs * (MAX(clog2(inputs), 1) + MAX(clog2(entries), 1));
}

/* Where the results of tiles under way go: see lg_where and, of a family with LUT RAM, lg_wait. */
static void add_places(Design *d)
{
    int waiting = (stages_result(d) + d->shifts - 1) / d->shifts + 1;
    int bits = 4 + clog2(d->tile_rows + 1) + 2 * clog2(d->vector_banks + 1) + d->addr_bits + MAX(clog2(d->entries), 1);
    if (d->family->small_ram)
        memory_add(d, "places of results", bits, 1 << clog2(waiting), 1, false, false, false);
}

static void add_input_order(Design *d)
{
    const Region *x = &d->region[0];
    int beats = (d->inputs + d->lanes - 1) / d->lanes;
    if (region_is_masked(x))
        memory_add(d, "input mask", d->lanes, beats, 1, false, true, false);
    if (!region_is_reordered(x, d->lanes))
        return;
    memory_add(d, "input order", order_bits(d->lanes, d->lanes, beats), (x->positions + d->lanes - 1) / d->lanes, 1,
        true, true, false);
    int slots = 2 << MAX(clog2(beats), 1);
    memory_add(d, "input", d->q->gate.bits, slots, d->lanes * d->lanes, false, false, false);
}

/* One behind the other; all have the same number of entries (fixed/quantise.c). */
static void add_curves(Design *d)
{
    TableKind kind[TABLE_KINDS];
    int tables = passes_tables(&d->passes, kind), slope = 0;
    for (int k = 0; k < tables; k++)
        slope = MAX(slope, d->q->table[kind[k]].slope_bits);
    memory_add(d, "activation table", d->q->table[kind[0]].base_bits + slope,
               (int64_t)passes_table_places(&d->passes) * d->q->table[kind[0]].entries, d->cell_lanes, true, true, false);
}

void memories_list(Design *d)
{
    d->n_memories = 0;
    int rows = d->cell_lanes, ab = d->q->gate.bits;
    bool rom = !d->spec->loadable;
    memory_add(d, "weight", (int64_t)d->weight_lanes * d->q->weight_bits, d->weight_words, d->weight_memories, true,
               rom, true);
    if (d->index_bits > 0)
        memory_add(d, "index", d->index_word, d->weight_words, d->index_memories, true, rom, true);
    memory_add(d, "record", d->record_bits, d->records, rows, true, rom, true);
    memory_add(d, "vector", ab, d->vector_depth, d->vector_copies, d->vector_block, false, false);
    if (d->queue > 0)
        memory_add(d, "write queue", (int64_t)d->cell_lanes * (ab + 1) + clog2(d->span + 1) + d->addr_bits, d->queue,
                   1, false, false, false);
    if (d->ring > 0)
        memory_add(d, "row ring", d->q->acc_bits, d->ring, d->pes, d->ring_block, false, false);
    memory_add(d, "partial sum", d->q->acc_bits, d->psums, rows, d->psum_block, false, false);
    memory_add(d, "gate i", d->q->curve.bits, d->neurons, rows, d->state_block, false, false);
    memory_add(d, "i * g", 2 * d->q->curve.bits, d->neurons, rows, d->state_block, false, false);
    memory_add(d, "cell state", d->q->state.bits, d->neurons, rows, d->state_block, false, false);
    memory_add(d, "tanh of cell state", d->q->curve.bits, d->neurons, rows, d->state_block, false, false);
    if (d->constants.peephole_bits > 0)
        memory_add(d, "state of peepholes", d->q->state.bits, d->neurons, rows, d->state_block, false, false);
    if (d->constants.first_state)
        memory_add(d, "initial state", d->q->state.bits, d->neurons, rows, true, true, false);
    add_curves(d);
    memory_add(d, "tile table", tile_word_bits(d), d->n_tiles, 1, true, true, false);
    memory_add(d, "output order", order_bits(d->lanes, d->cell_lanes, d->entries), d->out_beats, 1, true, true, false);
    memory_add(d, "output", ab, output_slots(d), rows * d->lanes, d->out_block, false, false);
    add_places(d);
    add_input_order(d);
    if (d->engine->memories)
        d->engine->memories(d);
}

void plan_memories(Arena *a, Design *d)
{
    plan_depths(a, d);
    kinds_choose(d);
}
