/* params.c: the parameters of the core as template holes; the only place where C names meet Verilog names. */
#include "emit/emit.h"

#include "cell/cell.h"
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

static void holes_formats(const Design *d, Holes *h)
{
    const QNetwork *q = d->q;
    hole_int(h, "VALUE", q->gate.bits);
    hole_int(h, "WEIGHT", q->weight_bits);
    hole_int(h, "STATE", q->state.bits);
    hole_int(h, "GATE", q->curve.bits);
    hole_int(h, "STATE_FRACTION", q->state.fraction);
    hole_int(h, "PREACTIVATION", q->pre.bits);
    hole_int(h, "ACC", q->acc_bits);
    hole_int(h, "LEFT_SHIFT", q->left_shift);
    hole_int(h, "SHIFT_BITS", d->shift_bits);
    hole_int(h, "ALIGN", d->align);
}

/* Tables lie behind each other and are alike but for the bits that their slopes need. */
static void holes_curves(const Design *d, Holes *h)
{
    TableKind kind[TABLE_KINDS];
    passes_tables(&d->passes, kind);
    const ActTable *first = &d->q->table[kind[0]];
    hole_int(h, "TABLES", passes_table_places(&d->passes));
    hole_int(h, "SEGMENT_BITS", first->segment_bits);
    hole_int(h, "SLOPE_BITS", curves_slope_bits(d));
    hole_int(h, "SLOPE_SHIFT", first->slope_shift);
}

static void holes_constants(const Design *d, Holes *h)
{
    const CellConstants *c = &d->constants;
    hole_int(h, "B_FRACTION", d->q->bounded.fraction);
    hole_int(h, "LATE_FRACTION", c->late_fraction);
    hole_int(h, "PEEP", c->peephole_bits);
    hole_int(h, "PEEP_FRACTION", d->q->peephole.fraction);
    hole_int(h, "Z_LIMIT", c->z_limit);
    hole_int(h, "A_LIMIT", c->a_limit);
    hole_int(h, "STATE_LIMIT", c->state_limit);
    hole_int(h, "LEAK_SHIFT", leak_shift(d->q->gate.bits));
    hole_int(h, "LEAK", c->leaky ? leak_factor(d->q->gate.bits) : 0);
    hole_int(h, "INIT", c->first_state);
    hole_int(h, "FIRST_RECORD", d->first_records);
    hole_int(h, "RECORD_BITS", d->record_bits);
    hole_int(h, "init", c->first_state);
    hole_int(h, "no_init", !c->first_state);
}

static void holes_stream(const Design *d, Holes *h)
{
    const Region *x = &d->region[0];
    hole_int(h, "LANES", d->lanes);
    hole_int(h, "ELEMENT", d->element_bits);
    hole_int(h, "INPUTS", d->inputs);
    hole_int(h, "OUTPUTS", d->outputs);
    hole_int(h, "OUT_BEATS", d->out_beats);
    hole_int(h, "OUT_TAIL", d->outputs - (d->out_beats - 1) * d->lanes);
    hole_int(h, "X_BANKS", x->banks);
    hole_int(h, "X_BANK_SIZE", x->bank_size);
    hole_int(h, "contiguous", x->contiguous);
    hole_int(h, "X_ALIGNED", d->x_aligned);
    hole_int(h, "x_masked", region_is_masked(x));
    hole_int(h, "x_ordered", !region_is_masked(x) && region_is_reordered(x, d->lanes));
    hole_int(h, "X_BASE0", x->base[0]);
    hole_int(h, "X_BASE1", x->base[1]);
}

static void holes_engine(const Design *d, Holes *h)
{
    hole_int(h, "PES", d->pes);
    hole_int(h, "INDEX_BITS", MAX(d->index_bits, 1));
    hole_int(h, "VECTOR_DEPTH", d->vector_depth);
    hole_int(h, "VECTOR_BLOCK", d->vector_block);
    hole_int(h, "ADDR", d->addr_bits);
    hole_int(h, "WEIGHT_WORDS", d->weight_words);
    hole_int(h, "MUL_LATENCY", d->mul_latency);
    hole_int(h, "ACC_AT", d->acc_at);
    hole_int(h, "TILE_AT", d->tile_at);
}

static void holes_cell(const Design *d, Holes *h)
{
    hole_int(h, "CELL_LANES", d->cell_lanes);
    hole_int(h, "SHIFTS", d->shifts);
    hole_int(h, "TILES", d->n_tiles);
    hole_int(h, "LAYERS", d->n_regions - 1);
    hole_int(h, "H_ALIGNED", d->h_aligned);
    hole_int(h, "RECORDS", d->records);
    hole_int(h, "PSUMS", d->psums);
    hole_int(h, "PSUM_BLOCK", d->psum_block);
    hole_int(h, "NEURONS", d->neurons);
    hole_int(h, "STATE_BLOCK", d->state_block);
    hole_int(h, "STATE_SPLIT", d->state_split);
    hole_int(h, "STATE_PART", d->state_part);
    hole_int(h, "ENTRIES", d->entries);
    hole_int(h, "OUT_BLOCK", d->out_block);
}

/* The passes that one of the masks names. */
uint32_t passes_with(const Design *d, const char *name)
{
    Mask mask[MASKS];
    passes_masks(&d->passes, mask);
    for (int k = 0; k < MASKS; k++)
        if (!strcmp(mask[k].name, name))
            return mask[k].bits;
    FAULT("no mask %s", name);
}

/* Passes that work on the step before. */
static uint32_t passes_behind(const Design *d)
{
    uint32_t bits = 0;
    for (int s = 0; s < d->net->sections; s++) {
        const Section *section = &d->net->section[s];
        if (section_is_behind(d, s))
            bits |= UINT32_C(1) << passes_find(&d->passes, &d->net->layer[section->layer].pass[section->first]);
    }
    return bits;
}

/* Masks of lg_cell, as wide as the pass numbers of the tile table ask for. */
static void holes_passes(const Design *d, Holes *h)
{
    Mask mask[MASKS];
    passes_masks(&d->passes, mask);
    hole_int(h, "PASSES", d->passes.n);
    int bits = 1 << passes_bits(&d->passes);
    for (int k = 0; k < MASKS; k++)
        hole_text(h, mask[k].name, str_format(h->arena, "%d'h%0*x", bits, bits / 4, mask[k].bits));
    hole_int(h, "A_FRACTION", d->q->inner.fraction);
    hole_int(h, "H_FRACTION", d->q->result.fraction);
    hole_text(h, "BEHIND", str_format(h->arena, "%d'h%0*x", bits, bits / 4, passes_behind(d)));
}

static void holes_sequencer(const Design *d, Holes *h)
{
    Widths w = widths_of(d);
    hole_int(h, "TILE_BITS", w.tile);
    hole_int(h, "RECORD", w.record);
    hole_int(h, "ENTRY", w.entry);
}

/* Memories are numbered weights, indices, records; the widest word sets the width of the load port. */
static int64_t holes_loading(const Design *d, Holes *h)
{
    int64_t widest = MAX((int64_t)d->weight_lanes * d->q->weight_bits, d->index_word);
    widest = MAX(widest, d->record_bits);
    int n = d->weight_memories, indices = d->index_memories;
    hole_int(h, "LOADABLE", d->spec->loadable);
    hole_int(h, "LOAD_BITS", d->spec->loadable ? widest : 32);
    hole_int(h, "LOAD_WEIGHT", 0);
    hole_int(h, "LOAD_INDEX", n);
    hole_int(h, "LOAD_RECORD", n + indices);
    return widest;
}

static void holes_sections(const Design *d, Holes *h)
{
    bool loadable = d->spec->loadable;
    hole_int(h, "sends_last", spec_sends_last(d->spec));
    hole_int(h, "sends_every", !spec_sends_last(d->spec));
    hole_int(h, "control", d->spec->control);
    hole_int(h, "no_control", !d->spec->control);
    hole_int(h, "rom", !loadable);
    hole_text(h, "loadable", loadable ? "1" : "0");
    hole_int(h, "list", d->index_memories);
    hole_int(h, "lane", d->cell_lanes);
}

static const char *summary(const Design *d, Arena *a)
{
    const char *text = "";
    for (int l = 0; l < d->net->n; l++) {
        const Layer *y = &d->net->layer[l];
        text = str_format(a, "%s%s%s %d -> %d", text, l ? ", " : "", strcmp(y->cell->key, "lstm") ? y->cell->key : "LSTM",
                          y->inputs, y->outputs);
    }
    return str_format(a, "%s; %s, %d PEs of %d multipliers", text, d->pattern->name, d->pes, d->lanes_pe);
}

int64_t holes_params(const Design *d, Holes *h)
{
    const Spec *s = d->spec;
    hole_text(h, "NAME", s->name);
    h->prefix = s->prefix ? s->prefix : "";
    hole_text(h, "engine", d->engine->name);
    hole_text(h, "BANNER", str_format(h->arena, "Generated by lstmgen %s from %s, sha256 %.16s. Do not edit.",
                                      LSTMGEN_VERSION, text_comment(h->arena, path_name(s->file)), s->sha256));
    hole_text(h, "SUMMARY", summary(d, h->arena));
    hole_int(h, "TDATA_BITS", (int64_t)d->lanes * d->element_bits);
    hole_int(h, "ELEMENT_BITS", d->element_bits);
    hole_int(h, "VERSION", version_word());
    hole_text(h, "SPEC_HASH", str_format(h->arena, "32'h%.8s", s->sha256));
    holes_formats(d, h);
    holes_stream(d, h);
    holes_engine(d, h);
    holes_cell(d, h);
    holes_passes(d, h);
    holes_curves(d, h);
    holes_constants(d, h);
    holes_sequencer(d, h);
    holes_sections(d, h);
    d->engine->holes(d, h);
    return holes_loading(d, h);
}

int64_t version_word(void)
{
    int part[3] = {0};
    sscanf(LSTMGEN_VERSION, "%d.%d.%d", &part[0], &part[1], &part[2]);
    return (int64_t)part[0] << 16 | part[1] << 8 | part[2];
}
