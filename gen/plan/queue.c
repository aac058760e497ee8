/* queue.c: how many beats of h wait where a copy of the vector has fewer banks than the cell unit has lanes (lg_queue).
 *
 * Beats come as tiles of gate o end; they come at the earliest where no run waits. A layer's first beat finds none of
 * its own in the queue: its tiles wait for the layer's h of the step before. So no more beats wait than the sum over
 * the layers of what each would leave waiting alone. */
#include "plan/plan.h"

/* Cycles from the end of one tile to the end of the next, without waits. */
static int tile_distance(const Run *r, const Tile *t, bool first)
{
    return (first ? r->lead : r->gap) + t->term[0].cycles + t->term[1].cycles;
}

/* Parts of this vector that are still to leave when a beat has come: the most. */
static int most_parts(const Design *d, int vector)
{
    int left = 0, most = 0, since = 0;
    for (int k = 0; k < d->n_runs; k++)
        for (int n = 0; n < d->run[k].count; n++) {
            const Tile *t = &d->tile[d->run[k].first + n];
            since += tile_distance(&d->run[k], t, n == 0);
            if (!tile_writes(d, t) || d->net->section[t->section].writes != vector)
                continue;
            for (int s = 0; s < d->shifts; s++, since = 1) {
                left = MAX(left - since, 0) + d->parts;
                most = MAX(most, left);
            }
            since = 1 - d->shifts;      /* to the end of the next tile, from this one's last beat */
        }
    return most;
}

int queue_depth(const Design *d)
{
    int beats = 0;
    for (int k = 1; d->parts > 1 && k < d->n_regions; k++)
        beats += (most_parts(d, k) + d->parts - 1) / d->parts;
    return beats == 0 ? 0 : 1 << clog2(MAX(beats, 2));
}
