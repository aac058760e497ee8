/* sweep.h: many design points from one file: what the files of sweep/ share. Only sweep_run is for
 * others. */
#ifndef SWEEP_SWEEP_H
#define SWEEP_SWEEP_H

#include <sys/types.h>

#include "cli.h"
#include "driver.h"

/* `lstmgen sweep`: returns the exit status. */
int sweep_run(const Request *r);
enum { STATUS_STOPPED = 128 + 2 };      /* ended by ^C, as a shell says it */

/* ---------------------------------------------------------------- expr.c: conditions, columns */
typedef enum { VALUE_NONE, VALUE_NUMBER, VALUE_TEXT, VALUE_BOOL } ValueKind;
typedef struct Value { ValueKind kind; double number; const char *text; } Value;
typedef struct Expr Expr;
/* What names mean. `known`: the full name in `a`, or NULL after recording an error at `at`. */
typedef struct Names {
    const char *(*known)(const struct Names *n, Arena *a, const char *name);
    const char *const *all; int n_all;  /* for "did you mean" */
    void *context;
} Names;
/* NULL after recording what is wrong. A name that stands alone opposite == or != and is not known
 * is text. */
Expr *expr_parse(Arena *a, Diag *d, Place at, const Names *names, const char *text);
/* `look` gives the value of a full name. *fault: NULL, or what could not be compared. */
Value expr_value(const Expr *e, Value (*look)(void *context, const char *name), void *context,
                 const char **fault);
/* The value of a YAML scalar: number, true, false, or text. */
Value value_of_text(const char *text, bool quoted);
bool value_true(Value v);

/* ---------------------------------------------------------------- file.c: the sweep file */
enum { AXES_MAX = 32, FRONT_MAX = 6, POINTS_MAX = 1000000 };
typedef enum { DEPTH_ESTIMATE, DEPTH_SIMULATE, DEPTH_SYNTHESISE, DEPTH_PLACE } Depth;
typedef struct Axis {
    const char *key;
    Place at;
    const char **text;                  /* values, as YAML on one line */
    Value *value;
    int n, group, stage;                /* stage: how early a change of it is felt (points.c) */
} Axis;
/* One column of the front, or an expression over columns. */
typedef struct FrontColumn { const char *text; Expr *value; bool most; } FrontColumn;

typedef enum { POINT_OPEN, POINT_OK, POINT_INVALID, POINT_FAILED, POINT_STATUSES } PointStatus;
typedef struct Point {
    int64_t index;                      /* in the product of all groups, the last one fastest */
    int number;                         /* 1 for the first that meets `where` */
    uint8_t key[32];                    /* of spec, weights and tool version */
    PointStatus status;
    off_t at; uint32_t length;          /* its line in points.jsonl */
} Point;

typedef struct Sweep {
    Arena *arena;
    Diag *diag;
    const char *file, *name, *out, *simulator;
    int chunk;                          /* --chunk: which one of chunk.c is worked out; 0: all points */
    const char *base_file;              /* what names of files in the base are relative to */
    bool base_inline;
    struct SpecNode *base;
    Bytes base_text;
    Depth depth;
    bool only_failed;                   /* folders of points that are ok are removed */
    Axis axis[AXES_MAX]; int n_axes;
    int group_size[AXES_MAX], n_groups;
    Expr *where[AXES_MAX]; Place where_at[AXES_MAX]; int n_where;
    FrontColumn front[FRONT_MAX]; int n_front;
    struct SpecNode *front_node;
    Point *point; int n_points;
} Sweep;
/* Reads the file and checks everything but the points themselves. */
bool sweep_read(Sweep *s, const char *path);

/* ---------------------------------------------------------------- points.c */
/* Lists the points that meet `where`, with their keys. */
bool points_list(Sweep *s);
/* Makes the keys of points whose numbers and indices are there; false: an index is too large. */
bool points_made(Sweep *s);
/* Which value of the axis a point has. */
int point_choice(const Sweep *s, const Point *p, const Axis *x);
/* "key=value" of every axis, for spec_load_tree. */
const char **point_sets(Arena *a, const Sweep *s, const Point *p);
/* The point's numbers, those that share early stages side by side; POINTS of them. */
int *points_order(Arena *a, const Sweep *s);
/* Spec of one point as YAML, its file names relative to `folder`. */
const char *point_spec(Arena *a, const Sweep *s, const Point *p, const char *folder);
/* "lstmgen check base.yaml --set ..." */
const char *point_command(Arena *a, const Sweep *s, const Point *p);

/* ---------------------------------------------------------------- yaml_out.c */
/* A node on one line (JSON, except that plain scalars stay plain), or as a YAML block. */
void node_print_flow(Buffer *b, const struct SpecNode *n);
void node_print_block(Buffer *b, const struct SpecNode *n, int indent);

/* ---------------------------------------------------------------- stock.c: early stages, kept */
enum { SHELVES_MAX = 64 };              /* results of early stages that are kept at most */
typedef struct Stock Stock;
Stock *stock_new(void);
void stock_free(Stock *s);
/* job_build, with the results of early stages taken from the stock where the spec allows. The job
 * may be used until the next call. */
bool stock_build(Stock *s, Job *j, const Sweep *sweep, const char *const *sets, int n_sets);

/* ---------------------------------------------------------------- columns.c */
typedef enum { COLUMN_POINT, COLUMN_STATUS, COLUMN_REASON, COLUMN_AXIS, COLUMN_RESULT } ColumnKind;
typedef struct Column { const char *name; ColumnKind kind; } Column;
/* All columns of the table, in order. */
int columns_list(Arena *a, const Sweep *s, const Column **out);
/* The columns' values out of the object of --json. */
json_t *columns_result(const json_t *report);
/* Value of a column in a row (an object of points.jsonl), or NULL. */
const json_t *column_value(const json_t *row, const Column *c);
/* One line of the CSV file. */
void columns_header(Buffer *b, const Sweep *s);
void columns_row(Buffer *b, const Sweep *s, const json_t *row);
/* Names for expressions over results. */
Names columns_names(Arena *a, const Sweep *s);
Value columns_look(void *row, const char *name);

/* ---------------------------------------------------------------- evaluate.c: one point */
/* The line of points.jsonl, with its line end, in `a`. */
const char *evaluate(Arena *a, Stock *stock, const Sweep *s, int point);
/* The line of a point whose process ended before it was done. */
const char *evaluate_crashed(Arena *a, const Sweep *s, int point, const char *reason);

/* ---------------------------------------------------------------- folders.c: of deep points */
const char *point_folder(Arena *a, const Sweep *s, int number);
/* Sets aside the folder of a finished point whose row has another number than it has now. */
void folder_move(const Sweep *s, const json_t *row, const Point *p);
/* Brings what was set aside to its place. */
void folders_settle(const Sweep *s);

/* ---------------------------------------------------------------- journal.c: what is on disk */
typedef struct Journal { const char *csv, *jsonl; int csv_fd, jsonl_fd, lock_fd; off_t end; } Journal;
/* Makes the folder and locks it. */
bool journal_lock(Journal *j, Sweep *s);
/* Takes over the points that are finished, chunks' among them; with `force` none. */
bool journal_open(Journal *j, Sweep *s, bool force);
/* Rows of one chunk: only appended, as they are read while they grow; a torn line is cut off. */
bool journal_open_chunk(Journal *j, Sweep *s, const char *path);
/* Appends rows and syncs both files: whole lines of points.jsonl, the i-th one about point[i]. False
 * after recording the error. */
bool journal_append(Journal *j, Sweep *s, const char *lines, size_t length, const int *point);
/* Both files again in the order of the points, and the manifest. */
bool journal_finish(Journal *j, Sweep *s);
void journal_close(Journal *j);
bool point_has_key(const Point *p, const json_t *row);
bool row_failed(const json_t *row);
/* The row of a finished point; the caller gives it back. */
json_t *journal_row(const Journal *j, const Point *p);
bool write_whole(Diag *d, const char *path, const char *text, size_t n);

/* ---------------------------------------------------------------- progress.c */
typedef struct Progress {
    int count[POINT_STATUSES], before;  /* before: finished when this run began */
    double start, shown;
    bool terminal, quiet;
} Progress;
void progress_start(Progress *p, const Sweep *s);
/* A point that was open has another status now. */
void progress_count(Progress *p, const Point *point);
/* `at`: what is being worked on, shown on a terminal. */
void progress_show(Progress *p, const char *at, bool last);
/* From now on ^C, SIGTERM and SIGHUP only set what stop_wanted returns. */
void stop_on_signals(void);
bool stop_wanted(void);
void stop_now(void);                    /* as if such a signal had come */
double seconds_now(void);               /* of a clock that only goes forward */

/* ---------------------------------------------------------------- run.c: worker processes */
/* Works out all open points with `jobs` processes. False after an error; *stopped: by ^C. */
bool run_points(Sweep *s, Journal *j, int jobs, bool *stopped);

/* ---------------------------------------------------------------- fleet.c, chunk.c: --runner */
/* Works out all open points with commands that run elsewhere. *cancelled: points whose commands
 * somebody cancelled; they stay open. */
bool fleet_run(Sweep *s, Journal *j, const Request *r, bool *stopped, int *cancelled);
/* Ends what an earlier run that was killed left under way. The folder is locked. */
void fleet_end_old(Sweep *s);
/* Removes chunks/. */
void fleet_clean(const Sweep *s);
/* --chunk: the work of one such command; returns the exit status. */
int chunk_run(Sweep *s);

/* ---------------------------------------------------------------- effect.c */
/* Warns of axes that changed no result of any point. */
void effect_warn(Sweep *s, const Journal *j);

/* ---------------------------------------------------------------- front.c, svg.c, best.c, page.c */
/* On the front: no other point is at least as good in all `n` columns and better in one. `cost`:
 * [points][n], less is better, NAN: not on the front. */
void front_mark(const double *cost, int points, int n, bool *on);
/* Figures of all good points that the front, the drawing and the page are made of. */
typedef struct Table {
    int n;
    int *point;                         /* in Sweep.point */
    double *cost;                       /* [n][n_front], as it is in the column */
    bool *on;
    const char **pattern;
} Table;
bool table_read(Arena *a, const Sweep *s, const Journal *j, Table *out);
bool front_write(const Sweep *s, const Table *t);
bool page_write(const Sweep *s, const Journal *j, const Table *t);
/* --best: prints and writes; false when no point meets the condition. */
bool best_print(const Sweep *s, const Journal *j, const char *condition);

#endif
