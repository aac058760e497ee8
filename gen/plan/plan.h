/* plan.h: the parts of the planner, private to gen/plan. */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H
#include "lstmgen.h"

/* plan/regions.c: places every vector in the banks. */
void plan_regions(Design *d);

/* plan/schedule.c: tiles and runs for given cell lanes and numbers of early tiles per layer. */
void plan_schedule(Arena *a, Design *d, const int *early);
int schedule_tiles(const Design *d, int layer);         /* row tiles of a layer */
/* Idle engine cycles between the last product of h and the first product that needs it. */
int schedule_drain(const Design *d);
int layer_groups(const Design *d, int layer);           /* tiles of one gate */

/* plan/memories.c: depths, styles and the list for the report. */
void plan_memories(Arena *a, Design *d);
#endif
