/* kinds.c: LUT RAM or block RAM for each group of small memories: as few logic cells as possible, while a tenth of every
 * resource of the part stays free; where that cannot be, the fullest resource as empty as possible. */
#include "plan/plan.h"

#include "flow/parts.h"
#include "report/report.h"

#include <stddef.h>
#include <string.h>

enum { SMALL_DEPTH = 64 };      /* deeper than this LUT RAM is not tried: it is slower than a block and mostly larger */

/* Memories that have one kind together. Without a key the depth alone may pin it. */
typedef struct Group {
    const char *key;
    size_t pin, block;                  /* const char * of Spec, or 0; bool of Design */
    int (*depth)(const Design *d);
} Group;

static int vector_depth(const Design *d) { return d->vector_depth; }
static int sum_depth(const Design *d) { return d->psums; }
static int ring_depth(const Design *d) { return d->ring; }
static int out_depth(const Design *d) { return output_slots(d); }

static const Group GROUPS[] = {
    {"memory.vector", offsetof(Spec, memory_vector), offsetof(Design, vector_block), vector_depth},
    {"memory.partial_sum", offsetof(Spec, memory_psum), offsetof(Design, psum_block), sum_depth},
    {NULL, 0, offsetof(Design, ring_block), ring_depth},
    {NULL, 0, offsetof(Design, out_block), out_depth},
};

bool memory_in_block(const Design *d, int64_t depth)
{
    return depth > SMALL_DEPTH || !d->family->small_ram;
}

static bool is(const char *pin, const char *kind)
{
    return strcmp(pin ? pin : "auto", kind) == 0;
}

bool state_in_block(const Design *d)
{
    const char *pin = d->spec->memory_state;
    return is(pin, "auto") ? d->state_moved || memory_in_block(d, cell_neurons(d)) : is(pin, "block");
}

bool state_is_free(const Design *d)
{
    return is(d->spec->memory_state, "auto") && d->family->small_ram && !state_in_block(d);
}

bool memory_pins_allowed(Diag *diag, const Design *d)
{
    const struct { const char *key, *pin; } pins[] = {{"memory.vector", d->spec->memory_vector},
                                                     {"memory.state", d->spec->memory_state},
                                                     {"memory.partial_sum", d->spec->memory_psum}};
    bool ok = true;
    for (int k = 0; k < LENGTH(pins); k++)
        if (is(pins[k].pin, "lut") && !d->family->small_ram) {
            diag_error(diag, spec_at(d->spec, pins[k].key), "%s: %s has no RAM in LUTs: use auto or block", pins[k].key,
                       d->family->title);
            ok = false;
        }
    return ok;
}

/* ---- what a choice costs */
MemoryCost memory_cost(const Design *d)
{
    const double FULL = 0.9;
    Usage u = usage_estimate(d);
    const Part *p = d->part;
    double of[] = {(double)(u.count[RES_LUT] + u.count[RES_LUTRAM]) / (double)p->luts,
                   (double)u.count[RES_FF] / (double)p->ffs, p->brams > 0 ? (double)u.count[RES_BRAM] / (double)p->brams : 0};
    MemoryCost c = {.fill = FULL, .luts = u.count[RES_LUT] + u.count[RES_LUTRAM], .blocks = u.count[RES_BRAM]};
    for (int k = 0; k < LENGTH(of); k++)
        c.fill = MAX(c.fill, of[k]);
    return c;
}

bool memory_cheaper(MemoryCost a, MemoryCost b)
{
    if (a.fill < b.fill || a.fill > b.fill)
        return a.fill < b.fill;
    return a.luts != b.luts ? a.luts < b.luts : a.blocks < b.blocks;
}

/* ---- the choice */
static bool *block_of(Design *d, const Group *g)
{
    return (bool *)((char *)d + g->block);
}

/* 0 LUT RAM, 1 block RAM, -1 either. */
static int pinned(const Design *d, const Group *g)
{
    const char *pin = g->pin > 0 ? *(const char *const *)((const char *)d->spec + g->pin) : "auto";
    if (!is(pin, "auto"))
        return is(pin, "block");
    if (g->depth(d) == 0)
        return 0;
    return memory_in_block(d, g->depth(d)) ? 1 : -1;
}

static bool set_groups(Design *d, unsigned mask)
{
    for (int k = 0; k < LENGTH(GROUPS); k++) {
        bool block = mask >> k & 1;
        int pin = pinned(d, &GROUPS[k]);
        if (pin >= 0 && block != pin)
            return false;
        *block_of(d, &GROUPS[k]) = block;
    }
    return true;
}

void kinds_choose(Design *d)
{
    MemoryCost least = {0};
    unsigned best = 0;
    bool found = false;
    d->state_block = state_in_block(d);
    for (unsigned mask = 0; mask < 1u << LENGTH(GROUPS); mask++) {
        if (!set_groups(d, mask))
            continue;
        memories_list(d);
        MemoryCost c = memory_cost(d);
        if (!found || memory_cheaper(c, least)) {
            least = c;
            best = mask;
        }
        found = true;
    }
    REQUIRE(found && set_groups(d, best));
    memories_list(d);
}
