/* driver.h: the pipeline, one call per stage on one Job. Stages run in this order; each returns
 * false after recording what is wrong in `diag`. */
#ifndef DRIVER_H
#define DRIVER_H

#include "report/report.h"

/* One design point. All of it lives in `arena`. */
typedef struct Job {
    Arena *arena;
    Diag *diag;
    Spec *spec;
    Network network;                    /* pruned in place */
    Sequences sequences;
    float *y_unpruned;                  /* outputs of the float network before pruning, or NULL */
    QNetwork qnet;
    PlanLog *log;                       /* of a plan that is like this one, or to be filled; NULL */
    Design design;
    Golden golden;
    Timeline timeline;
    Report report;
    Usage estimate, synthesised;
    SimResult sim;
    PnrResult placed;
} Job;

/* Reads the spec, with `sets` ("key.path=value") applied. */
bool job_read(Job *j, Arena *a, Diag *d, const char *spec_path, const char *const *sets,
              int n_sets);
/* From weights to the golden outputs and the estimates: all that `check` knows. Writes nothing. */
bool job_build(Job *j);
/* Only as far as the pruned weights. */
bool job_project(Job *j);
/* Only the network, unpruned, and the sequences. */
bool job_load(Job *j);
/* The stages of job_build, one by one, for callers that keep what early stages left (sweep/stock.c).
 */
typedef enum {
    STAGE_NETWORK, STAGE_PATTERN, STAGE_SEQUENCES, STAGE_UNPRUNED, STAGE_PRUNE, STAGE_QUANTISE,
    STAGE_GOLDEN, STAGE_PLAN, STAGE_GATHER,
    STAGE_TIMELINE,                     /* for the report's `schedule` and its picture */
    STAGES
} Stage;
bool job_stage(Job *j, Stage stage);
/* Writes the output folder `path`; it appears complete or not at all. */
bool job_emit(Job *j, const char *path);
/* Simulates the folder that job_emit wrote and adds the figures to its report.json and report.md.
 * True when there is a verdict: job_verdict tells which. */
bool job_simulate(Job *j, const char *path, const char *simulator);
/* Synthesises the folder that job_emit wrote, the same way. */
bool job_synthesise(Job *j, const char *path);
/* Whether an open tool places and routes the part; false after a diag_error. */
bool job_placeable(Job *j);
/* Places and routes it with so many seeds, the same way; a clock below target.clock_mhz is a warning. */
bool job_place(Job *j, const char *path, int seeds);
/* EXIT_OK, or EXIT_MISMATCH after printing to stderr that the median clock misses target.clock_mhz. */
int job_clock_verdict(const Job *j);
/* EXIT_OK, or EXIT_MISMATCH after printing to stderr what does not match: outputs and protocol, where they were
 * simulated, or verify.min_snr_db. */
int job_verdict(const Job *j);
/* The object of --json for what is known so far; the caller gives it back with json_decref. */
json_t *job_report(Job *j);

#endif
