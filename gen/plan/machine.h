/* machine.h: what the cycle models of both engines share: registers of the stream input, of the output buffer and the
 * pulses of the cell unit. Private to gen/plan; the functions are in cycles.c. */
#ifndef PLAN_MACHINE_H
#define PLAN_MACHINE_H
#include "plan/plan.h"

enum { RING = 8192, CREDITS = 16, READ_LATENCY = 5, EMPTIED_DELAY = 3 };
enum { HANGS = 100000000 };                    /* cycles without a result: the model waits for ever */

/* Pulses that arrive a known number of cycles later. */
typedef struct Events { uint8_t h_valid[RING], y_done[RING]; uint32_t done[RING]; } Events;

typedef struct Reorder {
    int full, beat, beats, credits, level;
    uint8_t push[RING], push_last[RING];        /* arrivals at the FIFO */
    int64_t lasts[CREDITS + 1]; int n_lasts;    /* FIFO positions of last beats, as counts of pops still to come */
    int64_t pushed, popped;
} Reorder;

typedef struct Input {
    bool valid, spare, ready;                   /* lg_skid */
    int beat, beats, port_beats;                /* of the natural order */
    bool reorder; int used_slots; Reorder order;
    int p_beat, p_beats, level, used;
    int64_t left;                               /* beats the source still has */
} Input;

typedef struct Sequencer {
    int pc; bool poll, head, last_head, active;
    bool flush; unsigned due, ran, old;         /* with stages: bits; old: of vectors */
    unsigned pending; int out_used;
    int run, phase, idle, count, tiles;
} Sequencer;

enum { LEAD, SEG_A, SEG_B, GAP };

typedef struct Machine {
    const Design *d;
    Events ev;
    Input in;
    Sequencer seq;
    Reorder out;
    uint8_t freed[RING], emptied[RING];
    int64_t now, last_taken;
    int left, ahead, until[VECTORS_MAX];        /* lg_queue: parts to leave; the same, ahead; to a vector's last */
    int64_t *began; int turn;                   /* of a step that is looked at: when runs began, see cycles_of_step */
    uint64_t expected[RING / 64];               /* a bit per cycle to come in which one of the pulses above arrives */
    bool moved;                                 /* the stream ports did something in this cycle */
} Machine;

/* Notes that a pulse arrives at cycle `at`. */
static inline void expect_pulse(Machine *m, int64_t at)
{
    unsigned slot = (unsigned)(at % RING);
    m->expected[slot / 64] |= UINT64_C(1) << slot % 64;
}

typedef struct ReorderWires { bool valid, last, issue, sent; } ReorderWires;
ReorderWires reorder_wires(const Reorder *r);
void reorder_step(Reorder *r, ReorderWires w, bool done, bool pop, int64_t now);
void input_step(Machine *m, bool released);
/* The pulses a tile causes; `end` is the cycle before its registered control word. */
void tile_events(Machine *m, const Tile *t, int64_t end);
void machine_start(Machine *m, const Design *d, int64_t vectors);
/* t[steps]: cycles in which the last beats of the steps were offered. Few steps have no interval: 0. */
CycleCount machine_count(const Machine *m, const int64_t *t, int steps);
#endif
