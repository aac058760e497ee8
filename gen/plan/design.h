/* design.h: what the planner decides: where vectors lie, which tiles run in which order, and when.
 * Included by lstmgen.h only. Terms: a *tile* is pes rows worked on at once; a *run* is a row of tiles of the same
 * shape (one word of the step program); a *position* q of a vector is bank q mod banks, address q / banks; rows of a
 * layer are dealt to tiles by position, tile u of a gate holding positions u*pes .. u*pes + pes - 1. */
#ifndef PLAN_DESIGN_H
#define PLAN_DESIGN_H

enum { TILES_MAX = 65536, RUNS_MAX = 256, REGIONS_MAX = VECTORS_MAX };

/* A vector in the banks, double-buffered: x, and h of every LSTM layer. */
typedef struct Region {
    int elements, banks, bank_size;     /* banks used; elements per bank */
    bool contiguous;                    /* element e in bank e / bank_size, else in bank e mod banks */
    int positions;                      /* banks * bank_size where contiguous, else elements */
    int base[2];                        /* bank address of the two buffers */
    /* Where lanes see the whole vector (plan/span.c); NULL: element e is at position e, stored as e. */
    int *order, *place;                 /* element at a position; position of an element */
    int *slot;                          /* index that reads an element: address * banks + bank; -1: not stored */
    int stored_slot;                    /* that of an element that is stored, for lanes without work */
    int stored;                         /* positions written; the rest is read by no matrix */
    struct Dealt *dealt; Arena *arena;  /* elastic: orders that were tried (plan/deal.c) */
} Region;

/* One product of a tile; absent when cycles = 0. Elastic tiles have the cycles of all their words in the first one,
 * whatever their `parts`. */
typedef struct Term { int product, cycles, region; bool previous; } Term;

typedef struct Tile {
    int section, pass, group;           /* rows of the pass's gate: elements group*pes + pe */
    int op;                             /* number of the pass in the cell unit; OP_KEEP */
    Term term[TERMS_MAX];
    uint8_t parts;                      /* elastic: bits of the section's terms whose words it has */
    bool use_psum, y_done;
    int psum;                           /* first word of the kept partial sums */
    bool vector_done;                   /* its last element completes the vector that the section writes */
} Tile;
enum { OP_KEEP = 0 };                   /* of an early tile */

/* One word of the step program: tiles first .. first+count-1, all with the same cycles per segment. */
typedef struct Run {
    int first, count;                   /* in Design.tile */
    int lead, gap;                      /* idle cycles before the run and after each tile */
    int weight;                         /* weight address of its first cycle */
    bool wait_x, release_x, wait_out, wrap;
    bool is_head, set_head;             /* it is behind; after it one that is behind is due */
    int stage; bool ends;               /* with stages: which one; its last run */
    bool now;                           /* with stages: what it writes is waited for in the same turn of the program */
    unsigned wait_h, set_pending;       /* bits: vectors but x */
} Run;

typedef struct MemoryUse { const char *name; int64_t width, depth; int copies; bool block, rom, weights; } MemoryUse;

/* The vector of a product, in the order in which the scatter engine scans them. */
typedef struct Scan {
    int section, product, region;
    int addresses, words;               /* of a lane; weight words of its columns */
    int word, last;                     /* first weight word, first last-sent element */
    bool previous;                      /* h of the step before */
    bool wait_x, wait_h, release_x, end, wrap, delta;
} Scan;

/* Words of one row of a layer that follow each other on a PE, from cycle `at` of a step on. */
typedef struct Stretch { int pe, at, cycles, layer, row; } Stretch;
/* Tiles that follow each other and multiply the same matrices: bits of `parts`; ahead: sums are kept. */
typedef struct Phase { int section, parts; bool ahead; int at, end; } Phase;
/* What each PE does in a step, once the core is busy: which words, when, and the least that any order could take. */
typedef struct Timeline {
    int cycles;                         /* from step to step */
    Stretch *stretch; int n_stretches;
    Phase *phase; int n_phases;
    int64_t words;                      /* cycles in which a PE has a word, all PEs together */
    int least_work, least_loop;         /* cycles: all words shared evenly; from a first product with h to the next */
} Timeline;

/* One of the two engines (plan/engine.c): how it is sized and what its files are. */
typedef struct Holes Holes;
typedef struct CycleCount { double interval; int64_t latency, total; } CycleCount;
struct Engine {
    const char *name;                   /* its part of the top: templates/top/<name>.v and .vh */
    bool (*plan)(Arena *a, Diag *diag, Design *d);  /* sizes and order; pattern, matrices and formats are set */
    CycleCount (*cycles)(const Design *d, int steps);   /* exact: x waits, the output is always ready */
    const char *const *modules;         /* below templates/, NULL-terminated, before those of the cell unit */
    bool (*unused)(const Design *d, const char *module);    /* a module that this design does not need; may be NULL */
    void (*timeline)(const Design *d, Arena *a, Timeline *out);    /* NULL: what PEs do depends on the data */
    void (*holes)(const Design *d, Holes *h);
    bool (*images)(const Design *d, Arena *a, Folder *f);   /* programs and weights */
    void (*memories)(Design *d);        /* lists those that it has besides; may be NULL */
};
extern const Engine engine_gather, engine_scatter;

/* What the cell unit has one of. Limits: 0 where nothing is clipped. */
typedef struct CellConstants {
    int64_t z_limit, a_limit, state_limit;
    int late_fraction;                  /* of rows that an earlier pass adds to */
    int peephole_bits;                  /* of a weight in a row's record; 0: no peepholes */
    bool leaky;
    bool first_state, first_h;          /* some layer has an initial state, an initial h */
} CellConstants;

typedef struct PlanLog PlanLog;
struct Design {
    const Engine *engine;
    PlanLog *log;                       /* plan/log.c; may be NULL */
    int weight_memories, index_memories;
    int weight_lanes, index_word;       /* weights in a word; bits of an index word */
    int vector_banks;                   /* banks of the vector memory that are written */
    int vector_copies;                  /* memories of one bank each that hold them, copies counted */
    const struct Part *part; const struct Family *family;   /* flow/parts.h; the default part where none is given */
    const Spec *spec; const Pattern *pattern; const Network *net; const QNetwork *q;
    int pes, lanes_pe;                  /* rows x multipliers per row */
    int tile_rows;                      /* pes; scatter engine: pes * reads */
    int share;                          /* PEs that read one index list and one copy of the vector */
    int span;                           /* banks of the copy each lane has; 0: it sees its own bank only */
    int *row_cycles[PRODUCTS_MAX], longest_row;     /* elastic: cycles of each row; NULL where all are alike */
    int ring; bool ring_block;          /* elastic: sums of a PE that wait for the other PEs; 0: not elastic */
    int slack;                          /* elastic: cycles by which tiles leave later than the control says */
    int stages;                         /* that each work on a step of their own (layers); 1: all on the same */
    bool free_order;                    /* any row may be on any PE */
    int parts, queue;                   /* cycles that a beat of h is written in; beats that may wait, 0: none */
    int cell_lanes, shifts;             /* rows per cycle into the cell unit; cycles a tile takes there */
    int lanes, element_bits;            /* stream */
    int inputs, outputs;
    MatrixPlan plan[PRODUCTS_MAX];
    Region region[REGIONS_MAX]; int n_regions;      /* those of the network's vectors */
    Passes passes; CellConstants constants;     /* of the cell unit */
    int record_bits;                    /* bias, shift, peephole of a row */
    int first_records;                  /* word of the record for the first step, h0 in its bias; 0: as of other steps */
    int vector_depth, addr_bits, index_bits; bool vector_block;
    Tile *tile; int n_tiles;
    Run run[RUNS_MAX]; int n_runs;
    int head_run, last_head_run;        /* the runs behind, in the order in which they are done; -1: none */
    int order[SECTIONS_MAX], n_order;   /* sections as the program has them, but for the head (plan/order.c) */
    int weight_words;
    /* latencies, from the family's leaf table */
    int mul_latency, state_split, state_part;
    int front, tree, align, acc_at, tile_at, shift_bits;
    int psums, neurons, records, entries, out_beats;
    bool psum_block, state_block, out_block, x_aligned, h_aligned;
    double given; bool gave;            /* share of the cycles that fewer lanes may cost; they do */
    bool state_moved;                   /* to block RAM although LUT RAM would hold it: plan/kinds.c */
    int *neuron_base;                   /* per section: first word of its neurons' state */
    /* predicted */
    double interval; int64_t latency, minimum;
    /* scatter engine */
    const Activity *activity;           /* NULL without deltas */
    Scan scan[RUNS_MAX]; int n_scans;
    int *tile_row, *tile_gap;           /* per tile: row of the PEs, idle cycles behind it */
    int queues, rows, reads;            /* queues per array; rows of a PE, and how many of them are read out at once */
    int read_at, lasts;                 /* ...; last-sent elements of a lane */
    int word_bits, length_bits, rest;
    bool eager;                         /* tiles in the order in which they can be read out earliest */
    int row_bits, row_edge;             /* of a row of one array; of them in LUT RAM beside the block RAM */
    int near;                           /* bit n: a row may come back n + 1 cycles later */
    bool row_block, delta, delta_block, last_block;
    int64_t macs_dense, macs_kept;      /* per step */
    int multipliers_engine, multipliers_cell;
    MemoryUse memory[32]; int n_memories;
    int64_t macs_lost;                  /* multiplier slots of a step that padding leaves idle */
};

/* ---------------------------------------------------------------- plan/plan.c: sizes and order */
/* steps: of all verify sequences. With deltas the cycles depend on which elements are sent in them: `activity`. `log`:
 * see plan/log.c; NULL. */
bool design_plan(Arena *a, Diag *d, const Spec *s, const Network *net, const QNetwork *q, const Activity *activity,
                 int steps, PlanLog *log, Design *out);
int layer_align(const QNetwork *q);     /* bits by which products of W and R differ; they may take a cycle more */
/* Element of a vector at a position, or -1 where the position is padding. */
int region_element(const Region *r, int position);
int region_position(const Region *r, int element);
/* x is written in another order than it comes: it waits in a memory of its own (lg_input). */
bool region_is_reordered(const Region *x, int lanes);

/* ---------------------------------------------------------------- plan/log.c: planning the like again without
 * trials */
PlanLog *plan_log_new(Arena *a);
/* A plan was made with the log: from here on it is read, from its start. */
void plan_log_close(PlanLog *log);
/* The next entry of a closed log; false: work it out and put it there. `log` may be NULL. */
bool plan_log_take(PlanLog *log, void *item, size_t size);
void plan_log_put(PlanLog *log, const void *item, size_t size);
/* Cycles of `steps` steps by the engine's model, or from the design's log. */
CycleCount plan_cycles(const Design *d, int steps);

/* ---------------------------------------------------------------- plan/cycles.c: exact cycle model */
/* Steps at the end of a run that do not count for the interval: stages that have no input any more are left out. */
int cycles_last_steps(const Design *d);
int cycles_least_steps(const Design *d);                /* so many are measured at least */
/* Walks the control of the RTL cycle by cycle for `steps` steps with x waiting and the output always ready. */
CycleCount cycles_simulate(const Design *d, int steps);
/* Of a step once the core is busy: begin[run] is the cycle before the run's first one (its lead included), counted from
 * the first run's. Returns the cycles until the first run begins again. */
int cycles_of_step(const Design *d, int *begin);

/* ---------------------------------------------------------------- plan/timeline.c */
void gather_timeline(const Design *d, Arena *a, Timeline *out);
/* Rows of a layer that have a number of their own in its pictures: those of a block (pattern) or of a gate. */
int timeline_band_rows(const Design *d, int layer);
int timeline_bands(const Design *d, int layer);
int timeline_band(const Design *d, int layer, int row);

/* ---------------------------------------------------------------- plan/scatter.c: what the arrays work on in a step */
/* Elements of vectors that are compared and not sent, columns of each array, and cycles of the busiest one for the
 * scans of each layer, added up. */
typedef struct StepCounts { int skipped_x, skipped_h, *columns; int64_t busiest; } StepCounts;
/* Index of a row of the PEs, as the pattern counts those of a product. */
int scatter_row(const Design *d, int product, int local);
/* Of a valid step of all sequences, in their order; `columns` has room for all arrays. permuted: as the design deals
 * the columns to the arrays, else as they come. */
void scatter_step_counts(const Design *d, const Activity *a, int step, bool permuted, StepCounts *out);

/* ---------------------------------------------------------------- plan/span.c: which PE sees what of the vector */
bool region_is_masked(const Region *r); /* elements are dropped in the order of the stream */

/* ---------------------------------------------------------------- plan/memories.c */
/* Block RAMs of all copies of a memory; 0 where it is made of LUTs. */
int64_t memory_blocks(const struct Family *f, const MemoryUse *m);

/* ---------------------------------------------------------------- plan/images.c: contents of the memories */
/* The lane words of one PE for one tile, segment after segment; out has room for all cycles * lanes_pe. */
/* Neuron (element of what the section writes) that a row of the tile is, or -1 for padding. */
int image_neuron(const Design *d, const Tile *t, int row);
int image_row(const Design *d, const Tile *t, int row);      /* row of the layer */
int image_product_row(const Design *d, const Tile *t, int product, int row);
/* Columns of a matrix become places in the vector it is multiplied with. */
void image_place(const Design *d, int region, LaneWord *word, int n);
void image_tile(const Design *d, const Tile *t, int pe, LaneWord *out);

/* ---------------------------------------------------------------- plan/elastic.c: rows of different length */
int elastic_phase(const Design *d, int first);          /* tiles from `first` on that PEs do at their own pace */
int elastic_tile_cycles(const Design *d, int tile, int pe);     /* of one row */
/* Words of a PE for a phase of n tiles. mark[]: bit 0: last word of a row; bit 1: it multiplies the layer's own h.
 * Room: longest_row words more. */
void elastic_words(const Design *d, int first, int n, int pe, LaneWord *out, uint8_t *mark);

#endif
