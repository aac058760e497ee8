/* sweep.c: `lstmgen sweep`: reads the file, lists the points, works out the open ones, writes what
 * is made of all of them. */
#include "sweep/sweep.h"

#include <string.h>

#include "spec/spec.h"

enum { LISTED_MAX = 1000 };

/* ---- the front's columns ---- */

/* More of these is better, without a word. */
static bool wants_most(const char *text)
{
    static const char *const names[] = { "snr_db", "accuracy.hardware", "use", "fits" };
    for (int i = 0; i < LENGTH(names); i++)
        if (str_ends(text, names[i]))
            return true;
    return false;
}

static bool add_front(Sweep *s, Place at, const char *text)
{
    Names names = columns_names(s->arena, s);
    text += strspn(text, " ");
    bool most = str_starts(text, "max "), least = str_starts(text, "min ");
    FrontColumn *c = &s->front[s->n_front];
    if (s->n_front == FRONT_MAX) {
        diag_error(s->diag, at, "a front of more than %d columns", FRONT_MAX);
        return false;
    }
    *c = (FrontColumn){ .text = text + (most || least ? 4 : 0), .most = most };
    c->most = most || (!least && wants_most(text));
    c->value = expr_parse(s->arena, s->diag, at, &names, c->text);
    s->n_front += c->value != NULL;
    return c->value != NULL;
}

static bool front_from_list(Sweep *s, const SpecNode *list)
{
    bool ok = true;
    if (list->kind == NODE_SCALAR)
        return add_front(s, list->at, list->text);
    if (list->n == 0) {
        diag_error(s->diag, list->at, "front is empty: name a column, or leave the key out");
        return false;
    }
    for (int i = 0; i < list->n; i++) {
        const SpecNode *n = list->entry[i].value;
        if (list->kind != NODE_LIST || n->kind != NODE_SCALAR) {
            diag_error(s->diag, list->at, "front needs a list of columns");
            return false;
        }
        ok = add_front(s, n->at, n->text) && ok;
    }
    return ok;
}

static bool read_front(Sweep *s, const char *given)
{
    static const char *const usual[] = { "cycles.interval", "resources.dsp + resources.lut", "verify.snr_db" };
    bool ok = true;
    if (!given && s->front_node && !node_is_null(s->front_node))
        return front_from_list(s, s->front_node);
    for (int i = 0; !given && i < LENGTH(usual); i++)
        ok = add_front(s, (Place){ 0 }, usual[i]) && ok;
    for (const char *p = given; p && *p;) {
        size_t n = strcspn(p, ",");
        ok = add_front(s, (Place){ 0 }, str_ndup(s->arena, p, n)) && ok;
        p += n + (p[n] == ',');
    }
    return ok;
}

/* ---- what is said ---- */

static int dry_run(const Sweep *s)
{
    printf("%d points\n", s->n_points);
    for (int i = 0; i < MIN(s->n_points, LISTED_MAX); i++) {
        Arena *a = arena_new();
        const char **set = point_sets(a, s, &s->point[i]);
        printf("%6d ", i + 1);
        for (int k = 0; k < s->n_axes; k++)
            printf(" %s", set[k]);
        printf("\n");
        arena_free(a);
    }
    if (s->n_points > LISTED_MAX)
        printf("  ... and %d more\n", s->n_points - LISTED_MAX);
    return EXIT_OK;
}

typedef struct Count { int of[POINT_STATUSES]; } Count;

static Count count_points(const Sweep *s)
{
    Count c = { { 0 } };
    for (int i = 0; i < s->n_points; i++)
        c.of[s->point[i].status]++;
    return c;
}

static void print_result(const Sweep *s, const Count *c, const Table *t, int before)
{
    int on = 0;
    for (int i = 0; i < t->n; i++)
        on += t->on[i];
    printf("%s: %d points: %d ok, %d invalid, %d failed", s->name, s->n_points, c->of[POINT_OK],
           c->of[POINT_INVALID], c->of[POINT_FAILED]);
    if (before > 0)
        printf("; %d were finished before", before);
    printf("\n  %-10s %d points: ", "front", on);
    for (int i = 0; i < s->n_front; i++)
        printf("%s%s%s", i ? ", " : "", s->front[i].most ? "max " : "", s->front[i].text);
    printf("\n  %-10s %s\n", "written", s->out);
}

/* Nothing could be built: the reason of the first point says why. */
static void say_none(const Sweep *s, const Journal *j)
{
    json_t *row = journal_row(j, &s->point[0]);
    const char *why = json_string_value(json_object_get(row, "reason"));
    fprintf(stderr, "lstmgen: no point of %s could be worked out; point 1: %s\n", s->file,
            why ? why : "");
    json_decref(row);
}

static int failed_status(const Sweep *s, const Journal *j, const Count *c)
{
    for (int i = 0; c->of[POINT_FAILED] > 0 && i < s->n_points; i++)
        if (s->point[i].status == POINT_FAILED) {
            json_t *row = journal_row(j, &s->point[i]);
            const char *why = json_string_value(json_object_get(row, "reason"));
            fprintf(stderr, "lstmgen: %d points failed and are tried again by the next run; point %d: %s\n",
                    c->of[POINT_FAILED], i + 1, why ? why : "");
            bool wrong = json_object_get(row, "result") != NULL;    /* simulated, and not equal */
            json_decref(row);
            return wrong ? EXIT_MISMATCH : EXIT_TOOL;
        }
    if (c->of[POINT_OK] > 0)
        return EXIT_OK;
    say_none(s, j);
    return EXIT_INPUT;
}

/* ---- the command ---- */

static bool finish(Sweep *s, Journal *j, const Request *r, int before)
{
    Table t;
    Count c = count_points(s);
    if (!journal_finish(j, s) || !table_read(s->arena, s, j, &t) || !front_write(s, &t) ||
        !page_write(s, j, &t))
        return false;
    effect_warn(s, j);
    print_result(s, &c, &t, before);
    return !(r->given & OPTION_BEST) || best_print(s, j, r->best);
}

static bool open_journal(Sweep *s, Journal *j, const Request *r)
{
    if (!journal_lock(j, s))
        return false;
    fleet_end_old(s);
    bool ok = journal_open(j, s, r->given & OPTION_FORCE);
    if (ok && !r->runner)
        fleet_clean(s);
    return ok;
}

static int say_stopped(const Sweep *s)
{
    fprintf(stderr, "lstmgen: stopped; %d of %d points are finished, the same command goes on\n",
            s->n_points - count_points(s).of[POINT_OPEN], s->n_points);
    return STATUS_STOPPED;
}

static int say_cancelled(int n)
{
    fprintf(stderr, "lstmgen: %d points are still open, as their tasks were cancelled; the same command "
            "goes on\n", n);
    return EXIT_TOOL;
}

static int sweep_all(Sweep *s, const Request *r)
{
    Journal j;
    bool stopped = false;
    int before = 0, cancelled = 0, status = EXIT_OK;
    bool ok = open_journal(s, &j, r);
    if (ok) {
        before = s->n_points - count_points(s).of[POINT_OPEN];
        ok = r->runner ? fleet_run(s, &j, r, &stopped, &cancelled)
                       : run_points(s, &j, r->jobs ? r->jobs : 1, &stopped);
    }
    if (ok && stopped)
        status = say_stopped(s);
    else if (ok && finish(s, &j, r, before)) {
        Count c = count_points(s);
        status = cancelled ? say_cancelled(cancelled) : failed_status(s, &j, &c);
    }
    journal_close(&j);
    return status;
}

static bool check_best(Sweep *s, const Request *r)
{
    Names names = columns_names(s->arena, s);
    return !(r->given & OPTION_BEST) || expr_parse(s->arena, s->diag, (Place){ 0 }, &names, r->best);
}

int sweep_run(const Request *r)
{
    Sweep *s = ARENA_NEW(r->arena, Sweep);
    *s = (Sweep){ .arena = r->arena, .diag = diag_new(r->arena), .simulator = r->simulator, .chunk = r->chunk };
    int status = EXIT_OK;
    bool ok = sweep_read(s, r->operand) && read_front(s, r->front) && check_best(s, r) &&
              (s->chunk || points_list(s));
    s->out = r->out ? r->out : str_format(r->arena, "sweep_out/%s", s->name);
    if (ok && s->chunk)
        status = chunk_run(s);
    else if (ok && (r->given & OPTION_DRY))
        status = dry_run(s);
    else if (ok)
        status = sweep_all(s, r);
    diag_flush(s->diag, stderr);
    return diag_failed(s->diag) ? diag_status(s->diag) : status;
}
