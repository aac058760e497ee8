/* tb.h: the parts of the testbench. One program for Icarus Verilog and Verilator (VPI), needing
 * only the output folder: it drives <name>_top over AXI4-Stream and AXI4-Lite, compares every beat
 * with the golden outputs and counts cycles.
 *
 * Time: the clock rises every PERIOD time units. Everything is sampled right before a rising edge
 * ("edge n") and driven at the falling edge after it, so no value changes near an edge and both
 * simulators see the same order.
 */
#ifndef LSTMGEN_TB_H
#define LSTMGEN_TB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <vpi_user.h>

enum { PERIOD = 10, HALF_PERIOD = 5 };
enum { MEMORIES_MAX = 4096, BEAT_WORDS_MAX = 1024 };

/* Register map of <name>_top (byte addresses). */
enum {
    REG_ID = 0x00,
    REG_VERSION = 0x04,
    REG_STATUS = 0x08,
    REG_STEPS = 0x0C,
    REG_CYCLES = 0x10,
    REG_CYCLES_HI = 0x14,
    REG_INTERVAL = 0x18,
    REG_LATENCY = 0x1C,
    REG_SATURATIONS = 0x20,
    REG_CONTROL = 0x24,
    REG_LOAD_ADDRESS = 0x28,
    REG_LOAD_DATA = 0x2C,
    REG_SPEC_HASH = 0x30,
    REG_LOAD_PARTS = 0x34,
    REG_DELTA_X = 0x38,
    REG_DELTA_H = 0x3C,
    REG_SKIPPED_X = 0x40,
    REG_SKIPPED_H = 0x44,
    REG_COLUMNS = 0x48,
    REG_BUSIEST = 0x4C
};
#define ID_VALUE 0x4C53544Du

/* ---------------------------------------------------------------- tb_config.c */
/* Image of one loadable memory: words of `parts` 32-bit pieces, lowest first. */
typedef struct Memory {
    int select, width, parts, words, depth; /* words: of the image; depth: that the memory has */
    uint32_t *data;
    int *address;
} Memory;

/* Thresholds of a core with deltas, what comes out with them and what each step counts: elements of x and of h
 * that are not sent, columns of each array. */
typedef struct Setting {
    uint32_t threshold_x, threshold_h;
    char golden_file[1024], counts_file[1024];
    uint32_t *y; /* as Config.y */
    int *counts; /* [steps][2 + arrays] */
} Setting;

typedef struct Config {
    char name[128], input_file[1024], golden_file[1024];
    int inputs, outputs, lanes, element_bits, sequences;
    int *length, *first; /* steps of each sequence; number of its first step among all steps */
    int steps;           /* of all sequences together */
    bool control, loadable;
    bool last;           /* only last steps have a result */
    uint32_t version, spec_hash;
    bool has_version, has_spec_hash;
    int64_t golden_saturations; /* of one pass over all sequences; -1: not checked */
    int64_t predicted_interval, predicted_latency;   /* 0: not given */
    int min_measure_steps, stall_steps, limit_steps; /* limit_steps: LG_STEPS, 0: none */
    int last_steps;      /* that do not count for the interval: with no input behind them they may be faster */
    uint64_t seed;
    int64_t timeout_cycles;
    int arrays;         /* 0: no deltas */
    Setting setting[2]; /* those after reset; others, written at run time */
    Memory *memory;
    int n_memories;
    /* Derived: beats of a step, 32-bit words of a beat, and the beats themselves, step-major. */
    int x_beats, y_beats, words;
    s_vpi_vecval *x; /* [steps][x_beats][words] */
    uint32_t *y;     /* [steps][y_beats][words] */
} Config;
extern Config config;
/* Reads tb/config.txt, the vectors and the memory images, applies LG_SEED and LG_STEPS. Returns
 * NULL, or what is wrong. */
const char *config_load(const char *path);

/* ---------------------------------------------------------------- tb_stream.c */
/* A step to send: its sequence and its number in it; step 0 restarts the sequence (tuser). last: the
 * last one of its sequence; where only these have results (config.last), tuser[1] tells. */
typedef struct Item {
    int sequence, step;
    bool last;
} Item;
/* What the current phase sends and what came back. */
typedef struct Stream {
    Item *item;
    int items;               /* the steps of this phase */
    int64_t scale;           /* 0: always valid, always ready */
    int sent, received;      /* complete steps of this phase; those without a result are received with the next */
    int x_beat, y_beat;      /* beats of the step under way */
    int64_t *t;              /* edge of the last output beat of each step */
    int64_t first_x, last_x; /* edges at which the first and the latest last beat of x was taken */
    int64_t offered;         /* edge at which the first step's last output beat was first offered */
    int64_t last_two[2]; /* edges of the last output beats of the latest two steps since reset */
    int64_t total_steps; /* output steps since reset */
    const uint32_t *golden; /* what must come out: as Config.y */
    bool blocked;           /* no output is taken */
    bool offering;          /* m_axis_tvalid, as sampled last */
} Stream;
extern Stream stream;
bool stream_bind(void); /* finds the signals of tb_top */
/* Starts a phase; `item` (from malloc) is freed by the next one. scale: cycles of a step, to choose
 * the lengths of gaps and stalls; 0: none of them. */
void stream_begin(Item *item, int items, int64_t scale);
bool stream_done(void);
void stream_sample(void); /* right before an edge: checks outputs, moves on */
void stream_drive(void);  /* at the falling edge: puts what the sample decided */
/* aresetn, put at the next falling edge; what was under way is forgotten. */
void stream_reset(bool active);
void stream_waiting(char *text, size_t room); /* what it waits for, for a message */
/* Handshake bits of the AXI4-Lite port, as sampled with the stream's own (one read of the simulator
 * serves both). */
enum { AXIL_AWREADY = 8, AXIL_WREADY = 16, AXIL_ARREADY = 32, AXIL_BVALID = 64, AXIL_RVALID = 128 };
uint32_t stream_axil_flags(void);

/* ---------------------------------------------------------------- tb_axil.c */
/* Called with the value of a finished read. */
typedef void (*ReadDone)(uint32_t value);
bool axil_bind(void);
void axil_write(uint32_t address, uint32_t data); /* queued; executed in order */
/* A write of the bytes whose bit of `strobe` is set, which must be answered by SLVERR if it is `refused`. */
void axil_write_bytes(uint32_t address, uint32_t data, uint32_t strobe, bool refused);
void axil_read(uint32_t address, ReadDone done);
bool axil_idle(void);
int axil_room(void);       /* free places of the queue */
void axil_slow(bool slow); /* true: random delays on every channel */
void axil_sample(uint32_t flags);
void axil_drive(void);
void axil_waiting(char *text, size_t room);

/* ---------------------------------------------------------------- tb_delta.c: only with config.arrays > 0 */
/* Counters since reset: elements of x and h that were not sent, columns of all arrays and of the busiest one. */
typedef struct DeltaCounts {
    int64_t steps, skipped_x, skipped_h, columns, busiest;
} DeltaCounts;
void delta_reset(void);                     /* the core was reset: all counters are 0 */
void delta_add(const Item *item, int n);    /* these steps are through */
/* Queues reads of the counters, which must say what was added; where they go (one at a time), or NULL. */
void delta_read(DeltaCounts *to);
void delta_check_thresholds(void);
void delta_set(int number);                 /* queues writes of the thresholds of a setting, and reads */

/* ---------------------------------------------------------------- tb_report.c */
/* What the phases found out. */
typedef struct Measured {
    bool latency_done, measure_done, saturations_known;
    double interval;
    int64_t latency, steps, total, saturations;
    int rounds;         /* whole passes over all sequences in MEASURE, 0: it was cut */
    DeltaCounts delta[2];   /* of each setting; steps 0: not read */
    char simulator[64]; /* "verilator 5.006" */
} Measured;
extern Measured measured;

void tb_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* One element differs; `got` is text because it may hold x and z. The first 10 are printed. */
void tb_mismatch(Item at, int element, uint32_t expected, const char *got);
void tb_compared(int elements);
/* Writes the result file and prints the summary and the last line. */
void report_verdict(void);

/* ---------------------------------------------------------------- lstmgen_tb.c */
extern int64_t edge_now; /* number of the rising edge that is being sampled */
void tb_progress(void);  /* something moved: the timeout starts again */
const char *tb_phase(void);
uint32_t tb_random(void);
/* The public signal of tb_top; reports an error and returns NULL when the model does not have it.
 */
vpiHandle tb_signal(const char *name);

#endif
