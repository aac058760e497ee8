/* report.h: what the report is made of, and everything lstmgen says about a core: one JSON object,
 * from which report.md and the table on the terminal are printed; the C header; the manifest. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "lstmgen.h"
#include "flow/flow.h"
#include "flow/parts.h"
#include "flow/pnr.h"

/* ---------------------------------------------------------------- report/facts.c */
/* Figures that no single stage knows. has_...: false where the spec gives nothing to compare. */
typedef struct Facts {
    double snr_db;                      /* bit-true against float, same kept weights */
    bool has_expect, has_prune, has_labels;
    double expect_snr_db;               /* bit-true outputs against verify.expect */
    double float_expect_snr_db;         /* the float network before pruning against verify.expect */
    double prune_snr_db;                /* pruned float against unpruned float */
    /* Percent of sequences whose largest output of the last step is the label. */
    double accuracy_float, accuracy_hardware;
    int labels;
    /* Stored, padding included; copies of the vector counted. */
    int64_t weight_bits, index_bits, vector_bits;
    double bits_per_kept_weight, bound_bits_per_kept_weight;
    int lanes_idle;                     /* multipliers that no matrix ever reaches */
} Facts;
/* Needs everything up to the golden run (see driver.h). */
Facts facts_gather(const Design *d, const Golden *g, const Sequences *seq);

/* How a matrix lies by its own pattern, which says what is kept; another one of the core may plan and pack it. */
MatrixPlan facts_own_plan(const Design *d, int product);

/* ---------------------------------------------------------------- report/report.c */
/* What a core takes on a part. */
typedef struct Usage {
    int64_t count[RESOURCES];
    const Part *part;                   /* its limits; NULL: `fits` is not known */
    const char *source;                 /* "estimate" | "yosys" | "nextpnr" */
} Usage;
bool usage_fits(const Usage *u);
/* report/estimate.c: from the plan alone. */
Usage usage_estimate(const Design *d);
/* Its parts, for tests/estimate: what is counted, and the ESTIMATE_TERMS figures that the fitted part is a sum of. */
enum { ESTIMATE_TERMS = 21 };
void estimate_memories(const Design *d, Usage *u);
void estimate_terms(const Design *d, double of[]);
/* One core and what is known of it; NULL where that was not found out. */
typedef struct Report {
    const Design *design;
    const Golden *golden;
    const Sequences *sequences;
    Facts facts;
    const Usage *estimate, *synthesised;
    const SimResult *sim;
    const PnrResult *placed;
    const Timeline *timeline;           /* NULL: not laid out, or what PEs do depends on the data */
    const char *const *warning; int n_warnings;
} Report;
/* report/delta.c: thresholds, what they skipped, the mean over the steps of the busiest array's cycles and columns, and
 * the statistics registers. Deltas only. */
json_t *delta_json(const Report *r);
/* The object of `--json` and report.json (product.md names its keys); what is not known is absent.
 * The caller gives it back with json_decref. */
json_t *report_json(const Report *r);
/* As text with a line end, in `a`. */
const char *report_json_text(Arena *a, const json_t *report);

/* ---------------------------------------------------------------- report/warnings.c */
/* Records what is doubtful of a core that is right bit for bit, from a report whose facts are gathered. */
void warnings_gather(Arena *a, Diag *d, const Spec *s, const Report *r);

/* ---------------------------------------------------------------- report/summary.c, markdown.c */
enum { SUMMARY_MAX = 20 };
typedef struct SummaryRow { const char *label, *text; } SummaryRow;
int report_summary(Arena *a, const json_t *report, SummaryRow out[SUMMARY_MAX]);
void report_print(const json_t *report, FILE *to);
const char *report_markdown(Arena *a, const json_t *report);

/* ---------------------------------------------------------------- report/value.c: the object's values */
/* A string; bytes that are not UTF-8 (file names may have them) become '?'. */
json_t *value_string(Arena *a, const char *text);
/* A number of 10 digits, as an integer where it is one: predicted and measured cycles compare equal
 * as text. */
json_t *value_real(double v);
json_t *value_rounded(double v, int digits);            /* so many digits after the point */
/* "cycles.interval" or "network.0.hidden"; NULL where a key is absent. */
const json_t *value_at(const json_t *report, const char *path);
/* The value as people read it: 1,048,576 or 67.3; NULL where absent. */
const char *value_text(Arena *a, const json_t *report, const char *path);
double value_number(const json_t *report, const char *path);    /* 0 where absent */

/* ---------------------------------------------------------------- report/schedule_svg.c */
/* schedule.svg: PEs over the cycles of a step, coloured by block row; in `a`. */
const char *schedule_svg(Arena *a, const Design *d, const Timeline *t);

/* ---------------------------------------------------------------- report/header.c, manifest.c */
/* sw/<name>.h: registers, stream layout, conversions between double and the core's integers. */
const char *header_text(Arena *a, const Design *d);
/* Writes manifest.json: every file written so far with its hash. report.* are left out, because
 * `sim` and `synth` add what they measured to these two. */
bool manifest_write(Folder *f, Arena *a, const Spec *s);

#endif
