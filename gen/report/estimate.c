/* estimate.c: what a core will take on its part, before anything is synthesised.
 *
 * Multipliers and block RAMs follow from the plan exactly, LUT RAM from the geometry of the
 * family's cell. LUTs and flip-flops are sums of terms with coefficients per family, fitted to
 * Yosys 0.23 (tests/estimate/fit.py prints the rows of estimate.def and their errors). `lstmgen
 * synth` shows estimate and count side by side. */
#include "report/report.h"

#include <math.h>
#include <string.h>

/* What logic grows with. */
typedef enum {
    TERM_CONSTANT,
    TERM_CONTROL,
    TERM_PRODUCT, /* multipliers x bits of a product */
    TERM_VALUE, /* multipliers x bits of a vector element */
    TERM_PRIVATE, /* the same, where every PE has its own copy of the vector */
    TERM_ROW, /* PEs x bits of an accumulator */
    TERM_CELL,
    TERM_STATE, /* cell lanes x bits of an accumulator, of c */
    TERM_BANK, /* multipliers of a PE x bits of a vector element */
    TERM_LOAD, /* bits of the widest loadable word */
    TERMS
} Term;

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

/* LUT RAM of a family: bits and words of one cell, and the LUTs it takes. A family without a row
 * has none. */
typedef struct LutRam {
    const char *family;
    int bits, words, luts;
} LutRam;

static const LutRam LUT_RAMS[] = {
#define LUT_RAM(family, bits, words, luts) { family, bits, words, luts },
#include "report/estimate.def"
#undef LUT_RAM
};

static void measure_terms(const Design *d, double of[TERMS])
{
    double m = d->multipliers_engine, value = d->q->gate.bits;
    of[TERM_CONSTANT] = 1;
    of[TERM_CONTROL] = d->spec->control;
    of[TERM_PRODUCT] = m * (value + d->q->weight_bits);
    of[TERM_VALUE] = m * value;
    of[TERM_PRIVATE] = d->pattern->private_vectors ? (double)d->vector_copies * value : 0;
    of[TERM_ROW] = (double)d->pes * d->q->acc_bits;
    of[TERM_CELL] = (double)d->cell_lanes * d->q->acc_bits;
    of[TERM_STATE] = (double)d->cell_lanes * d->q->state.bits;
    of[TERM_BANK] = (double)d->lanes_pe * value;
    of[TERM_LOAD] = d->spec->loadable ? (double)d->lanes_pe * d->q->weight_bits : 0;
}

static int64_t fitted(const Design *d, Resource r)
{
    double term[TERMS], sum = 0;
    measure_terms(d, term);
    for (int i = 0; i < LENGTH(TABLE); i++)
        if (TABLE[i].resource == r && strcmp(TABLE[i].family, d->family->key) == 0)
            for (int t = 0; t < TERMS; t++)
                sum += TABLE[i].of[t] * term[t];
    return (int64_t)ceil(sum);
}

static int64_t units(int64_t n, int64_t of)
{
    return (n + of - 1) / of;
}

/* A small memory: LUTs, or block RAM where the family has no LUT RAM. */
static void add_small(const Family *f, int64_t width, int64_t depth, int copies, Usage *u)
{
    for (int i = 0; i < LENGTH(LUT_RAMS); i++)
        if (strcmp(LUT_RAMS[i].family, f->key) == 0) {
            const LutRam *r = &LUT_RAMS[i];
            u->count[RES_LUTRAM] += copies * units(width, r->bits) * units(depth, r->words) *
                                    r->luts;
            return;
        }
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

Usage usage_estimate(const Design *d)
{
    enum { FIFO_WORDS = 16, FIFO_EXTRA_BITS = 2 };
    Usage u = { .part = d->part, .source = "estimate" };
    int64_t multipliers = d->multipliers_engine + d->multipliers_cell;
    for (int i = 0; i < d->n_memories; i++)
        add_memory(d->family, &d->memory[i], &u);
    add_small(d->family, (int64_t)d->lanes * d->q->gate.bits + FIFO_EXTRA_BITS, FIFO_WORDS, 1, &u);
    u.count[RES_LUTRAM] += fitted(d, RES_LUTRAM);
    u.count[RES_LUT] = fitted(d, RES_LUT);
    u.count[RES_FF] = fitted(d, RES_FF);
    if (d->part->dsps > 0)
        u.count[RES_DSP] = multipliers;
    else
        u.count[RES_LUT] += multipliers * soft_multiplier(d->q);
    return u;
}
