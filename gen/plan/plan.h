/* plan.h: the parts of the planner, private to gen/plan. */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H
#include "lstmgen.h"

/* plan/plan.c: the gather engine, and what both share. */
bool gather_plan(Arena *a, Diag *diag, Design *d);
void plan_leaves(Design *d);            /* latencies of the leaves and of the adder tree */
void plan_shift(Design *d);
double cycles_given(const Design *d);    /* share of the cycles that may be given for area: engine.optimise */
int most_cell_lanes(const Design *d);    /* rows of h that can be written at once, or queued for it */
bool lanes_allowed(Diag *diag, const Design *d);        /* interface.lanes against the banks of x */
void set_stream(Design *d, int lanes);
bool h_is_aligned(const Design *d);

/* plan/carried.c: false after recording what the engine does not carry. */
bool plan_carries(Diag *diag, const Design *d);
/* plan/constants.c: limits and fractions of the cell unit; false after recording which layers need two of one. */
bool plan_constants(Diag *diag, Design *d);
int lane_multipliers(const Design *d);  /* of a lane of the cell unit */

/* plan/scatter.c, plan/scatter_cycles.c */
bool scatter_plan(Arena *a, Diag *diag, Design *d);
CycleCount scatter_cycles(const Design *d, int steps);
unsigned scan_closes(const Design *d, const Scan *s);    /* bit of the vector that its section writes */

/* plan/scatter_rows.c: width and forwarding of the rows; then, when all other memories are listed, their style and
 * memories. */
void scatter_plan_rows(Design *d);
void scatter_list_rows(Design *d);
void scatter_list_memories(Design *d);  /* plan/scatter.c */

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
/* Deals the neurons of a section and of the `n` - 1 behind it, of the same neurons, to the PEs (order of their regions),
 * where bits of early[group] tell the passes whose first term has a phase of its own. */
void elastic_deal(Design *d, int section, int n, const uint8_t *early);
/* Words of a neuron's row of a gate in a product; 0 where it has none. */
int elastic_row_cycles(const Design *d, int product, char gate, int neuron);
/* Words that a tile has of a term of its section, for a neuron (-1: none). */
int elastic_part_cycles(const Design *d, const Tile *t, int which, int neuron);
double elastic_work(const Design *d, int product);      /* words of all rows, per PE */
bool elastic_same_phase(const Tile *a, const Tile *b);
void elastic_tiles(Arena *a, Design *d);                /* cycles of every tile, words of the ring */

/* plan/stages.c: stages of the cell unit and of the way to it, in cycles. */
enum { ELEMENT_TO_LANE = 3, TABLE_TO_ELEMENT = 3 };
/* Cycles that a tile of pass b must come after one of pass a of the same neurons, by the last control words; 0: any. */
int stages_distance(const Design *d, int a, int b);
int stages_longest_distance(const Design *d);           /* of any two passes */
int stages_section_distance(const Design *d, int section);      /* of any two of a section, in their order */
int stages_early(const Design *d);      /* by which records come earlier, so that products of peepholes are in time */
int stages_result(const Design *d);     /* from lg_cell's element register to its result */
/* Idle engine cycles between the last product of h and the first product that needs it: from the control of a tile's
 * last cycle to the control of a cycle that reads its h; see lg_cell and lg_sequencer. */
int stages_drain(const Design *d);
int section_groups(const Design *d, int section);       /* tiles of one pass */
int section_tiles(const Design *d, int section);
bool section_has_state(const Design *d, int section);   /* a lane keeps something of its neurons */
int cell_neurons(const Design *d);                      /* words of the state memories of a cell lane */
const Pass *tile_pass(const Design *d, const Tile *t);
int tile_layer(const Design *d, const Tile *t);
bool tile_has_result(const Design *d, const Tile *t);
bool tile_writes(const Design *d, const Tile *t);       /* its results go to a vector */

/* plan/order.c */
void plan_order(Design *d);             /* stages and engine are set */
bool section_is_head(const Design *d, int section);     /* a last layer that no one reads */
bool section_is_projection(const Design *d, int section);
bool section_is_behind(const Design *d, int section);   /* it works on the step before, in the same run of the program */
int section_early_term(const Design *d, int section);   /* the term that can be multiplied first */
bool section_waits(const Design *d, int section);       /* its other term is what the section before it writes */
/* So many sections (round the step) before it, its latest input is written; a lot: it has only x. */
int section_age(const Design *d, int section);
int section_stage(const Design *d, int section);        /* steps by which it is later than the first, with stages */
int section_stages(const Design *d);
/* The section whose early tiles fill the time in which the input of a projection drains; -1: none, or no projection. */
int section_filler(const Design *d, int section);

/* plan/schedule.c: tiles and runs for given cell lanes and early tiles. */
typedef struct Early {
    int tiles[SECTIONS_MAX];            /* of a section: whose first product is kept */
    int ahead[SECTIONS_MAX];            /* the first of them: before the projection that the section waits for */
} Early;
void plan_schedule(Arena *a, Design *d, const Early *early);
int schedule_filling(const Design *d, int section, int from);   /* early tiles from that one on that fill the drain */
int term_cycles(const Design *d, int product, char gate);       /* of a tile; product -1, or no rows of the gate: 0 */

/* plan/memories.c: depths, styles and the list for the report. */
void plan_memories(Arena *a, Design *d);
void memories_list(Design *d);          /* for the kinds that are set */
int output_slots(const Design *d);      /* words of the output buffer */

/* plan/kinds.c: which are LUT RAM and which block RAM. What is asked of the multipliers' and lanes' sizes must be set
 * before. */
typedef struct MemoryCost { double fill; int64_t luts, blocks; } MemoryCost;
void kinds_choose(Design *d);
MemoryCost memory_cost(const Design *d);
bool memory_cheaper(MemoryCost a, MemoryCost b);
bool memory_in_block(const Design *d, int64_t depth);   /* too deep for LUT RAM, or there is none */
bool state_in_block(const Design *d);   /* what lanes keep of neurons; before and after it is planned */
bool state_is_free(const Design *d);    /* it is in LUT RAM, and block RAM may be tried */
bool memory_pins_allowed(Diag *diag, const Design *d);  /* memory.* against the family */
void memory_add(Design *d, const char *name, int64_t width, int64_t depth, int copies, bool block, bool rom,
                bool weights);
#endif
