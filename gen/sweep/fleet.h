/* fleet.h: points worked out by commands that run elsewhere: `--runner`. What fleet.c, chunk.c and
 * the runners share. */
#ifndef SWEEP_FLEET_H
#define SWEEP_FLEET_H

#include "flow/flow.h"
#include "sweep/sweep.h"

typedef enum { CHUNK_WAITING, CHUNK_UNDER_WAY, CHUNK_OVER, CHUNK_DONE } ChunkState;

typedef struct FailedRow { int point; const char *line; } FailedRow;

/* Some points of the sweep, worked out by one command. */
typedef struct Chunk {
    int number;                         /* from 1: its line in the plan, the name of its files */
    int *point, n;                      /* in Sweep.point */
    int missing, tries;                 /* points without a row; commands since the last row came */
    ChunkState state;
    off_t read;                         /* bytes of its rows that are taken over */
    double started;                     /* seconds_now(), 0: not yet */
    FailedRow *failed; int n_failed;    /* they count when the command has come to its end */
    int worked; double seconds;         /* points and time of its last command, by its own account */
    const char *end;                    /* CHUNK_OVER: how its command ended */
    bool cancelled;                     /* CHUNK_OVER: somebody wanted that */
    long job; int task;                 /* the runner's: process, or job and index in its array */
} Chunk;

typedef struct Runner Runner;
typedef struct Fleet {
    Sweep *sweep;
    Journal *journal;
    Progress progress;
    const Runner *runner;
    const char *words;                  /* --runner, for slurm what follows that word */
    int slots;                          /* commands at once, -j; 0: not given */
    Chunk *chunk; int n_chunks, room;
    int *order, n; bool *planned; int n_planned;
    int foreign;                        /* rows that are not about a point of this sweep */
    const char *waiting;                /* why a task waits, or "" */
    void *own;                          /* the runner's */
} Fleet;

/* One way to run commands. All return false after recording an error that ends the sweep. */
struct Runner {
    bool (*begin)(Fleet *f);            /* what is needed is there */
    bool (*submit)(Fleet *f);           /* starts chunks that wait, as many as may be started now */
    bool (*poll)(Fleet *f);             /* marks chunks that started and that are over */
    void (*cancel)(Fleet *f);           /* ends all that is under way, before it returns */
    double pause;                       /* least seconds between two polls */
};
extern const Runner runner_slurm, runner_command;

/* ---------------------------------------------------------------- chunk.c */
/* A file of chunks/, in `a`: its ending is "jsonl" or "log". */
const char *chunk_file(Arena *a, const Sweep *s, const char *name);
const char *chunk_path(Arena *a, const Sweep *s, const Chunk *c, const char *ending);
/* Writes the plan, from which the commands learn their points. */
bool chunk_plan(const Fleet *f);
/* What works out one chunk from any folder: cd, program, sweep; without the number at its end. */
const char *chunk_command(Arena *a, const Sweep *s);
/* Takes over the rows that came since the last call. */
bool chunk_collect(Fleet *f, Chunk *c);
/* The last line that its command printed, or "". */
const char *chunk_words(Arena *a, const Sweep *s, const Chunk *c);
void chunk_remove_files(const Sweep *s, const Chunk *c);

#endif
