/* gather.c: what the output folder holds because of the gather engine. */
#include "emit/emit.h"

#include <string.h>

const char *const gather_modules[] = {"engine/lg_pe", "engine/lg_bank", "engine/lg_row", "engine/lg_span",
                                      "engine/lg_set", "engine/lg_stream", "engine/lg_chain", "engine/lg_gather",
                                      "engine/lg_route", "engine/lg_queue", "engine/lg_sequencer", NULL};

bool gather_unused(const Design *d, const char *module)
{
    if (!strcmp(module, "engine/lg_row"))
        return !d->pattern->private_vectors || d->span > 0;
    if (!strcmp(module, "engine/lg_queue"))
        return d->queue == 0;
    if (!strcmp(module, "engine/lg_stream"))
        return d->span == 0 || d->ring == 0;
    return (!strcmp(module, "engine/lg_set") || !strcmp(module, "engine/lg_span")) && d->span == 0;
}

void gather_holes(const Design *d, Holes *h)
{
    Widths w = widths_of(d);
    hole_int(h, "PE_WIDTH", d->lanes_pe);
    hole_int(h, "PRIVATE", d->pattern->private_vectors);
    hole_int(h, "SHARE", d->share);
    hole_int(h, "RING", d->ring);
    hole_int(h, "RING_BLOCK", d->ring_block);
    hole_int(h, "SLACK", d->slack);
    hole_int(h, "STAGES", d->stages);
    hole_int(h, "QUEUE", d->queue);
    hole_int(h, "SPAN", d->span);
    hole_int(h, "BANKS", d->vector_banks);
    hole_int(h, "x_permuted", 0);
    hole_int(h, "no_delta", 1);
    hole_int(h, "SELECT", d->span > 1);
    hole_int(h, "FRONT", d->front);
    hole_int(h, "RUNS", d->n_runs);
    hole_int(h, "HEAD_RUN", MAX(d->head_run, 0));
    hole_int(h, "LAST_HEAD_RUN", MAX(d->last_head_run, 0));
    hole_int(h, "HAS_HEAD", d->head_run >= 0);
    hole_int(h, "LENGTH_BITS", w.length);
    hole_int(h, "GAP_BITS", w.gap);
    hole_int(h, "WADDR", w.weight);
    hole_int(h, "no_index", d->index_bits == 0);
    hole_int(h, "pe", d->pes);
}

bool gather_images(const Design *d, Arena *a, Folder *f)
{
    return emit_program(d, a, f) && emit_weights(d, a, f);
}
