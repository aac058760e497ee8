/* pnr.h: a generated core placed and routed by nextpnr: clock, cells, critical path. */
#ifndef FLOW_PNR_H
#define FLOW_PNR_H

#include "flow/parts.h"
#include "lstmgen.h"

enum { PNR_SEEDS_MAX = 99 };

/* One row of pnr.def; the columns are explained there. */
typedef struct PnrTool {
    const char *family, *program, *synth, *options, *pins, *write, *ending, *pack, *pack_options;
    const char *lut, *ff, *dsp, *bram;
} PnrTool;

/* One hop of the critical path; names are the design's, from the core's top down. */
typedef struct PnrHop { const char *from, *to; double ns; bool routing; } PnrHop;

/* What one placement came to. */
typedef struct PnrPlace {
    int seed;
    double mhz;                                 /* of aclk */
    int64_t lut, ff, dsp, bram;                 /* the four pins' registers included; ff -1: not in the report */
    const PnrHop *hop; int n_hops;
    double logic_ns, routing_ns;                /* of the critical path */
} PnrPlace;

typedef struct PnrResult {
    const char *tool;                           /* "nextpnr-ecp5 0.11.1" */
    int n;
    PnrPlace all[PNR_SEEDS_MAX];
    double median, best, worst;                 /* MHz */
    PnrPlace place;                             /* that of the median (of an even number the slower one) */
    int64_t count[RESOURCES];                   /* the core alone */
    int64_t pins_lut, pins_ff;                  /* what the serial pins around it take */
    const char *bitstream;                      /* path */
} PnrResult;

/* The row of a part; NULL: no open tool serves it. */
const PnrTool *pnr_tool(const Part *p);
/* Options that choose the device of this part, with the speed grade of the ordering code. */
const char *pnr_device(Arena *a, const Part *p, const char *code);

/* syn/pnr.sh of a generated folder, step by step; tools are searched in $LSTMGEN_TOOLS (default: what `make pnr-tools`
 * installs) after PATH. False after a diag_tool (a tool is missing, too old, crashed or was killed, no clock in a
 * report, fewer DSP blocks than `multipliers`) or a diag_error (the part is too small, and by what). */
bool pnr_netlist(Arena *a, Diag *d, const char *folder, const char *name, const Part *p, int64_t multipliers,
                 PnrResult *out);
bool pnr_place(Arena *a, Diag *d, const char *folder, const char *name, const Part *p, int seed, PnrResult *out);
/* Median, best, worst of the placements so far, and the bitstream of the median. */
bool pnr_finish(Arena *a, Diag *d, const char *folder, const char *name, const Part *p, PnrResult *out);

/* Reads nextpnr's --report. False after a diag_tool; `path` is its name, for the message. */
bool pnr_report(Arena *a, Diag *d, const PnrTool *t, const char *path, const char *json, PnrPlace *out);

#endif
