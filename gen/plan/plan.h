/* plan.h: the parts of the planner, private to gen/plan. */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H
#include "lstmgen.h"

/* plan/plan.c: the gather engine, and what both share. */
bool gather_plan(Arena *a, Diag *diag, Design *d);
void plan_leaves(Design *d);            /* latencies of the leaves and of the adder tree */
void plan_shift(Design *d);
int most_cell_lanes(const Design *d);    /* rows of h that can be written at once, or queued for it */
bool lanes_allowed(Diag *diag, const Design *d);        /* interface.lanes against the banks of x */
void set_stream(Design *d, int lanes);
bool h_is_aligned(const Design *d);

/* plan/scatter.c, plan/scatter_cycles.c */
bool scatter_plan(Arena *a, Diag *diag, Design *d);
CycleCount scatter_cycles(const Design *d, int steps);

/* plan/scatter_rows.c: width, forwarding and style of the rows, when all other memories are planned; adds their
 * memories. */
void scatter_plan_rows(Design *d);

/* plan/regions.c: places every vector in the banks. */
void plan_regions(Arena *a, Design *d);

/* plan/span.c: sets share, span and what depends on them for copies of `banks` banks (0: lanes see their own bank). */
void plan_span(Design *d, int banks);
int span_widest(const Design *d);       /* banks to plan with until it is known how many are written at once */
int span_needed(const Design *d);       /* fewest that take what the stream and the cell unit write in a cycle */
bool span_is_queued(const Design *d);   /* h may wait for fewer banks than it comes in rows */
int queue_depth(const Design *d);       /* plan/queue.c: beats of h that wait at most, a power of two; 0: none */
/* Drops elements that no matrix reads, gives the others their places. */
void span_region(Arena *a, Design *d, int region);

/* plan/elastic.c: rows of different length. */
void elastic_rows(Arena *a, Design *d);                 /* counts the cycles of every row */
/* Deals the neurons of a layer to the PEs (order of its region), where bits of early[group] tell the gates whose W has
 * a phase of its own. */
void elastic_deal(Design *d, int layer, const uint8_t *early);
/* Words of a row (-1: none) in a tile. */
int elastic_part_cycles(const Design *d, const Tile *t, int which, int row);
double elastic_work(const Design *d, int layer, int matrix);    /* words of all rows, per PE */
bool elastic_same_phase(const Tile *a, const Tile *b);
void elastic_tiles(Arena *a, Design *d);                /* cycles of every tile, words of the ring */

/* Gates of a neuron as they pass the cell unit, on both engines. */
typedef struct GateOp { int gate; CellOp op; } GateOp;
extern const GateOp GATE_ORDER[GATES];

/* plan/schedule.c: tiles and runs for given cell lanes and numbers of early tiles per layer. */
void plan_schedule(Arena *a, Design *d, const int *early);
int schedule_tiles(const Design *d, int layer);         /* row tiles of a layer */
/* Idle engine cycles between the last product of h and the first product that needs it. */
int schedule_drain(const Design *d);
/* Cycles that tile `b` of the same neurons must come after tile `a`, by the last control words; 0: any. */
int schedule_distance(const Design *d, CellOp a, CellOp b);
int layer_groups(const Design *d, int layer);           /* tiles of one gate */
int cell_neurons(const Design *d);                      /* words of the state memories of a cell lane */
int schedule_filling(const Design *d, int layer);       /* early tiles of a layer that fill the drain */

/* plan/memories.c: depths, styles and the list for the report. */
void plan_memories(Arena *a, Design *d);
bool memory_in_block(const Design *d, int64_t depth);
void memory_add(Design *d, const char *name, int64_t width, int64_t depth, int copies, bool block, bool rom,
                bool weights);
#endif
