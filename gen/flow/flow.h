/* flow.h: external programs and the simulation of an output folder. */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "lstmgen.h"

/* ---------------------------------------------------------------- flow/tool.c */
/* An external program and the Debian package that provides it. */
typedef struct Tool {
    const char *program, *package;
} Tool;
/* How a program ended. */
typedef struct ToolEnd {
    int status; /* exit status; -1 when a signal or the timeout ended it */
    int signal; /* the signal that ended it, or 0 */
    bool timed_out;
} ToolEnd;
/* Absolute path of the program ("dir/program" as it is, else through PATH), or NULL after a
 * diag_tool that names the program and its package. */
const char *tool_find(Arena *a, Diag *d, Tool tool);
/* The program that the environment's `variable` names (a name or a path), else the first of `names`
 * (NULL at the end) that is in PATH, else names[0]; the package is that of the latter. */
Tool tool_choose(Arena *a, const char *variable, const char *const names[], const char *package);
/* Runs argv (argv[0]: the program's name; NULL at the end) in `folder` (NULL: here), with no input
 * and with stdout and stderr in `log_path` (relative to the caller's folder). timeout_s 0: no
 * limit; at the limit the whole process group is killed. False after a diag_tool when the program
 * is missing or could not be started; any end is in `end`. */
bool tool_start(Arena *a, Diag *d, Tool tool, const char *const argv[], const char *folder,
                const char *log_path, int timeout_s, ToolEnd *end);
/* The diag_tool for a bad end (with status 0: no result where one was due): how it ended, the
 * command, the last lines of its log. */
void tool_failed(Arena *a, Diag *d, Tool tool, const char *const argv[], const char *folder,
                 const char *log_path, int timeout_s, ToolEnd end);
/* Both: true only when the program ended with status 0. */
bool tool_run(Arena *a, Diag *d, Tool tool, const char *const argv[], const char *folder,
              const char *log_path, int timeout_s);

/* ---------------------------------------------------------------- flow/sim.c */
/* Statistics registers of a core with deltas after so many steps from reset; all -1 where there are none. */
typedef struct SimDelta { int64_t steps, skipped_x, skipped_h, columns, busiest; } SimDelta;
/* What the testbench found; -1 where it did not measure. */
typedef struct SimResult {
    bool pass; /* every element equal, no protocol error, all phases ended */
    int64_t mismatches, compared, saturations;
    double interval;               /* cycles a step, back to back */
    int64_t latency, steps, total; /* cycles; steps measured; cycles of all of them */
    SimDelta delta, raised;        /* with the spec's thresholds, with others */
    const char *simulator;         /* "verilator 5.006" */
    const char *const *errors;
    int n_errors;    /* protocol errors and timeouts, the first 20 */
    const char *log; /* path of the run's output, with the first mismatches */
} SimResult;
/* Runs `make sim` ("verilator") or `make sim-icarus` ("icarus") of a generated folder; programs are
 * cached in $LG_CACHE or the user's cache folder. True when there is a verdict, good or bad; false
 * after a diag_tool when a tool is missing, crashed, hung or left no result. */
bool sim_run(Arena *a, Diag *d, const char *folder, const char *simulator, SimResult *out);

#endif
