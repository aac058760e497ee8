/* estimate.c: what a core will take on its part, before anything is synthesised.
 *
 * Multipliers and block RAMs follow from the plan exactly, LUT RAM from the geometry of the
 * family's cell. LUTs and flip-flops are sums of terms with coefficients per family, fitted to
 * Yosys 0.23 over all patterns (tests/estimate/fit.py prints the rows of estimate.def and their errors). `lstmgen
 * synth` shows estimate and count side by side. */
#include "report/report.h"

#include <math.h>
#include <string.h>

/* What logic grows with. */
typedef enum {
    TERM_CONSTANT,
    TERM_CONTROL,
    TERM_CELL, TERM_STATE,              /* cell lanes x bits of an accumulator, of c */
    TERM_BANK,                          /* banks of the vectors x bits of an element */
    TERM_ADDER,                         /* bits of registered adders: trees, accumulators, kept sums */
    TERM_PRODUCT,                       /* multipliers x bits of a product */
    TERM_DEEP,                          /* LUT RAM deeper than a cell: bits of words x half the cells */
    TERM_SMALL, TERM_RAM, TERM_ROM,     /* bits of the words of LUT RAMs (and addresses), RAMs, ROMs */
    TERM_INDEX,                         /* multipliers x bits of an index */
    TERM_COPY,                          /* copies of vector banks x bits of an address */
    TERM_LOAD,                          /* bits of the widest loadable word */
    TERM_ROW,                           /* scatter engine: multipliers x bits of a row x rows read at once */
    TERM_FORWARD,                       /* the same x ways in which a row is forwarded */
    TERM_ARRAY,                         /* arrays x bits of what waits in a queue */
    TERM_DELTA,                         /* bits of the elements compared in a cycle */
    TERM_STATS,                         /* counters of a delta network */
    TERM_RING,                          /* elastic: PEs x bits of an accumulator */
    TERM_SPAN,                          /* lanes that choose among banks: bits x half the banks */
    TERMS
} EstimateTerm;

typedef struct Coefficients {
    const char *family;
    Resource resource;
    double of[TERMS];
} Coefficients;

static const Coefficients TABLE[] = {
#define ESTIMATE(family, resource, ...) { family, resource, { __VA_ARGS__ } },
#include "report/estimate.def"
#undef ESTIMATE
};

/* LUT RAM of a family: bits and words of one cell, and the LUTs it takes; words that cells give
 * without a multiplexer behind them. A family without a row has none. */
typedef struct LutRam {
    const char *family;
    int bits, words, luts, joined;
} LutRam;

static const LutRam LUT_RAMS[] = {
#define LUT_RAM(family, bits, words, luts, joined) { family, bits, words, luts, joined },
#include "report/estimate.def"
#undef LUT_RAM
};

static int64_t units(int64_t n, int64_t of)
{
    return (n + of - 1) / of;
}

/* Bits of the adders of a tree: each level half as many, one bit wider. */
static int64_t tree_bits(int count, int width)
{
    int64_t bits = 0;
    for (int level = 1; count > 1; level++) {
        count = (int)units(count, 2);
        bits += (int64_t)count * (width + level);
    }
    return bits;
}

/* Registered adders (and what is as large: alignment, lg_chain), per PE. */
static int64_t adder_bits(const Design *d)
{
    int product = d->q->gate.bits + d->q->weight_bits, acc = d->q->acc_bits, chain = d->shifts > 1 ? acc : 0;
    if (d->engine == &engine_scatter)
        return tree_bits(d->lanes_pe, d->row_bits) + chain + (d->delta ? acc : 0);
    int align = d->align > 0 ? product + d->tree + d->align : 0;
    return tree_bits(d->lanes_pe, product) + align + acc + chain;
}

/* The LUT RAM of a family, or NULL. */
static const LutRam *lut_ram(const Family *f)
{
    for (int i = 0; i < LENGTH(LUT_RAMS); i++)
        if (strcmp(LUT_RAMS[i].family, f->like) == 0)
            return &LUT_RAMS[i];
    return NULL;
}

static void measure_memories(const Design *d, double of[])
{
    const LutRam *r = lut_ram(d->family);
    for (int i = 0; i < d->n_memories; i++) {
        const MemoryUse *m = &d->memory[i];
        double bits = (double)m->copies * (double)m->width;
        if (m->block || !r) {
            of[m->rom ? TERM_ROM : TERM_RAM] += bits;
        } else {
            int64_t cells = units(m->depth, r->joined);
            of[TERM_DEEP] += cells > 1 ? bits * (double)cells / 2 : 0;
            of[TERM_SMALL] += bits + m->copies * clog2(m->depth);
        }
    }
}

static void measure_scatter(const Design *d, double of[])
{
    int forwarded = d->near & (d->row_block ? 7 : 3), value = d->q->gate.bits + d->delta;
    of[TERM_ROW] = (double)d->multipliers_engine * d->row_bits * d->reads;
    of[TERM_FORWARD] = of[TERM_ROW] * __builtin_popcount((unsigned)forwarded);
    of[TERM_ARRAY] = (double)d->vector_banks * (value + d->word_bits + d->length_bits);
    of[TERM_DELTA] = d->delta ? (double)d->vector_banks * value : 0;
    of[TERM_STATS] = d->delta && d->spec->control;
}

_Static_assert((int)TERMS == ESTIMATE_TERMS, "report.h");

void estimate_terms(const Design *d, double of[])
{
    double m = d->multipliers_engine, value = d->q->gate.bits;
    memset(of, 0, TERMS * sizeof *of);
    of[TERM_CONSTANT] = 1;
    of[TERM_CONTROL] = d->spec->control;
    of[TERM_CELL] = (double)d->cell_lanes * d->q->acc_bits;
    of[TERM_STATE] = (double)d->cell_lanes * d->q->state.bits;
    of[TERM_BANK] = d->vector_banks * value;
    of[TERM_ADDER] = (double)d->tile_rows * (double)adder_bits(d);
    of[TERM_PRODUCT] = m * (value + d->delta + d->q->weight_bits);
    of[TERM_INDEX] = m * d->index_bits;
    of[TERM_COPY] = (double)d->vector_copies * d->addr_bits;
    of[TERM_LOAD] = d->spec->loadable ? (double)d->weight_lanes * d->q->weight_bits : 0;
    of[TERM_RING] = d->ring > 0 ? (double)d->pes * d->q->acc_bits : 0;
    of[TERM_SPAN] = d->span > 1 ? m * value * d->span / 2 : 0;
    measure_memories(d, of);
    if (d->engine == &engine_scatter)
        measure_scatter(d, of);
}

static int64_t fitted(const Design *d, Resource r)
{
    double term[TERMS], sum = 0;
    estimate_terms(d, term);
    for (int i = 0; i < LENGTH(TABLE); i++)
        if (TABLE[i].resource == r && strcmp(TABLE[i].family, d->family->like) == 0)
            for (int t = 0; t < TERMS; t++)
                sum += TABLE[i].of[t] * term[t];
    return (int64_t)ceil(sum);
}

/* A small memory: LUTs, or block RAM where the family has no LUT RAM. */
static void add_small(const Family *f, int64_t width, int64_t depth, int copies, Usage *u)
{
    const LutRam *r = lut_ram(f);
    if (r)
        u->count[RES_LUTRAM] += copies * units(width, r->bits) * units(depth, r->words) * r->luts;
    else
        u->count[RES_BRAM] += copies * part_ram_blocks(f, width, depth);
}

static void add_memory(const Family *f, const MemoryUse *m, Usage *u)
{
    if (!m->block)
        add_small(f, m->width, m->depth, m->copies, u);
    else
        u->count[RES_BRAM] += memory_blocks(f, m);
}

/* A product out of LUTs: an array of partial products. */
static int64_t soft_multiplier(const QNetwork *q)
{
    return (int64_t)q->gate.bits * q->weight_bits;
}

void estimate_memories(const Design *d, Usage *u)
{
    enum { FIFO_WORDS = 16, FIFO_EXTRA_BITS = 2 };
    for (int i = 0; i < d->n_memories; i++)
        add_memory(d->family, &d->memory[i], u);
    add_small(d->family, (int64_t)d->lanes * d->q->gate.bits + FIFO_EXTRA_BITS, FIFO_WORDS, 1, u);
}

Usage usage_estimate(const Design *d)
{
    Usage u = { .part = d->part, .source = "estimate" };
    int64_t multipliers = d->multipliers_engine + d->multipliers_cell;
    estimate_memories(d, &u);
    u.count[RES_LUTRAM] += fitted(d, RES_LUTRAM);
    u.count[RES_LUT] = fitted(d, RES_LUT);
    u.count[RES_FF] = fitted(d, RES_FF);
    if (d->part->dsps > 0)
        u.count[RES_DSP] = multipliers;
    else
        u.count[RES_LUT] += multipliers * soft_multiplier(d->q);
    return u;
}
