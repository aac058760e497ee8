/* fleet.c: `--runner`: cuts the open points into chunks, has a runner start a command for each,
 * follows them, collects their rows. A few probes come first: their time says how large a chunk has
 * to be so that starting it costs little beside its work. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "sweep/fleet.h"

/* A task of Slurm costs about half a second: less than 5 % of LEAST_SECONDS, 2.5 % of CHUNK_SECONDS. */
enum { PROBES = 4, CHUNK_SECONDS = 20, LEAST_SECONDS = 10, CHUNKS_MAX = 10000, TRIES = 3 };

/* ---- chunks ---- */

static Chunk *add_chunk(Fleet *f, int points)
{
    if (f->n_chunks == f->room) {
        int room = MAX(16, 2 * f->room);
        f->chunk = arena_grow(f->sweep->arena, f->chunk, sizeof(Chunk) * (size_t)f->room,
                              sizeof(Chunk) * (size_t)room);
        f->room = room;
    }
    Chunk *c = &f->chunk[f->n_chunks++];
    *c = (Chunk){ .number = f->n_chunks };
    c->point = ARENA_ARRAY(f->sweep->arena, int, points);
    return c;
}

/* The next points from place `at` of the order that are in no chunk yet; where it stopped. */
static int fill_chunk(Fleet *f, int at, int points)
{
    Chunk *c = add_chunk(f, points);
    for (; at < f->n && c->n < points; at++)
        if (!f->planned[at]) {
            f->planned[at] = true;
            c->point[c->n++] = f->order[at];
        }
    c->missing = c->n;
    f->n_planned += c->n;
    if (c->n == 0)
        f->n_chunks--;
    return at;
}

/* From all over the list, as its ends may differ much. */
static void plan_probes(Fleet *f)
{
    int points = f->sweep->depth == DEPTH_ESTIMATE ? 50 : 1;
    for (int i = 0; i < PROBES; i++)
        fill_chunk(f, (int)((int64_t)f->n * i / PROBES), points);
}

/* Seconds a point takes by the probes that are over, or at least takes by one that is not; 0: nobody
 * knows yet. */
static double point_seconds(const Fleet *f)
{
    double spent = 0, least = 0;
    int worked = 0, running = 0;
    for (int i = 0; i < f->n_chunks; i++) {
        const Chunk *c = &f->chunk[i];
        spent += c->seconds;
        worked += c->worked;
        running += c->state == CHUNK_WAITING || c->state == CHUNK_UNDER_WAY;
        if (c->state == CHUNK_UNDER_WAY && c->started > 0)
            least = fmax(least, (seconds_now() - c->started) / c->n);
    }
    if (least > CHUNK_SECONDS)
        return least;
    if (running > 0)
        return 0;
    return worked > 0 ? fmax(spent / worked, 1e-6) : CHUNK_SECONDS;
}

/* Chunks of CHUNK_SECONDS; smaller ones where there are not enough for all slots. */
static bool plan_rest(Fleet *f)
{
    int left = f->n - f->n_planned;
    double each = left > 0 ? point_seconds(f) : 0;
    if (each <= 0)
        return true;
    double size = ceil(CHUNK_SECONDS / each), few = ceil((double)left / MAX(f->slots, 1));
    if (f->slots > 0)
        size = fmin(size, fmax(few, ceil(LEAST_SECONDS / each)));
    size = fmin(fmax(size, ceil((double)left / CHUNKS_MAX)), left);
    for (int at = 0; f->n_planned < f->n;)
        at = fill_chunk(f, at, (int)size);
    return chunk_plan(f);
}

/* ---- chunks that are over ---- */

static bool fail_points(Fleet *f, Chunk *c)
{
    Sweep *s = f->sweep;
    Arena *a = arena_new();
    const char *words = chunk_words(a, s, c);
    const char *why = str_format(a, "%s%s%s%s", c->end, words[0] ? ": " : "", words,
                                 f->foreign ? " (rows of another version or of other weights came back)"
                                            : "");
    bool ok = true;
    for (int i = 0; ok && i < c->n; i++) {
        int point = c->point[i];
        if (s->point[point].status != POINT_OPEN)
            continue;
        const char *line = evaluate_crashed(a, s, point, why);
        ok = journal_append(f->journal, s, line, strlen(line), &point);
        progress_count(&f->progress, &s->point[point]);
    }
    arena_free(a);
    return ok;
}

/* A command that ended without all its rows is started again while it comes further. */
static bool settle(Fleet *f, Chunk *c)
{
    bool ok = chunk_collect(f, c);
    if (!ok || c->missing == 0 || c->cancelled) {
        c->state = CHUNK_DONE;
        if (ok && c->missing == 0)
            chunk_remove_files(f->sweep, c);
        return ok;
    }
    c->state = ++c->tries < TRIES ? CHUNK_WAITING : CHUNK_DONE;
    c->started = 0;
    return c->state == CHUNK_WAITING || fail_points(f, c);
}

/* ---- the loop ---- */

static void show(Fleet *f, bool last)
{
    char at[160] = "";
    int under_way = 0, waiting = 0, first = 0;
    for (int i = 0; i < f->n_chunks; i++) {
        const Chunk *c = &f->chunk[i];
        bool runs = c->state == CHUNK_UNDER_WAY && c->started > 0;
        under_way += runs;
        waiting += !runs && (c->state == CHUNK_UNDER_WAY || c->state == CHUNK_WAITING);
        if (runs && !first)
            first = f->sweep->point[c->point[MIN(c->n - c->missing, c->n - 1)]].number;
    }
    int n = snprintf(at, sizeof at, "%d in %d chunks", first, under_way);
    if (waiting)
        snprintf(at + n, sizeof at - (size_t)n, ", %d wait%s%s", waiting, f->waiting[0] ? ": " : "",
                 f->waiting);
    progress_show(&f->progress, at, last);
}

static void rest(const Fleet *f)
{
    int n = 0;
    for (int i = 0; i < f->n_chunks; i++)
        n += f->chunk[i].state == CHUNK_UNDER_WAY;
    double pause = fmin(f->runner->pause * (1 + n / 200.0), 20);
    struct timespec t = { (time_t)pause, (long)((pause - floor(pause)) * 1e9) };
    nanosleep(&t, NULL);
}

static bool step(Fleet *f)
{
    bool ok = plan_rest(f) && f->runner->submit(f) && f->runner->poll(f);
    for (int i = 0; ok && i < f->n_chunks; i++) {
        Chunk *c = &f->chunk[i];
        if (c->state == CHUNK_OVER)
            ok = settle(f, c);
        else if (c->state == CHUNK_UNDER_WAY && c->started > 0)
            ok = chunk_collect(f, c);
    }
    return ok;
}

static bool all_done(const Fleet *f)
{
    for (int i = 0; i < f->n_chunks; i++)
        if (f->chunk[i].state != CHUNK_DONE)
            return false;
    return f->n_planned == f->n;
}

static bool loop(Fleet *f)
{
    bool ok = chunk_plan(f);
    while (ok && !stop_wanted()) {
        ok = step(f);
        show(f, false);
        if (!ok || all_done(f))
            break;
        rest(f);
    }
    if (!ok || stop_wanted()) {
        f->runner->cancel(f);
        for (int i = 0; ok && i < f->n_chunks; i++)
            ok = chunk_collect(f, &f->chunk[i]);
    }
    return ok;
}

static void list_open(Fleet *f)
{
    const Sweep *s = f->sweep;
    int *order = points_order(s->arena, s);
    f->order = ARENA_ARRAY(s->arena, int, s->n_points);
    f->planned = ARENA_ARRAY(s->arena, bool, s->n_points);
    for (int i = 0; i < s->n_points; i++)
        if (s->point[order[i]].status == POINT_OPEN)
            f->order[f->n++] = order[i];
}

bool fleet_run(Sweep *s, Journal *j, const Request *r, bool *stopped, int *cancelled)
{
    bool slurm = runner_is_slurm(r->runner);
    Fleet f = { .sweep = s, .journal = j, .runner = slurm ? &runner_slurm : &runner_command,
                .words = r->runner + (slurm ? 5 : 0), .slots = r->jobs, .waiting = "" };
    fleet_clean(s);                     /* what is in there was taken over */
    mkdir(path_join(s->arena, s->out, "chunks"), 0777);
    list_open(&f);
    progress_start(&f.progress, s);
    *stopped = false;
    if (f.n == 0)
        return true;
    stop_on_signals();
    plan_probes(&f);
    bool ok = f.runner->begin(&f) && loop(&f);
    show(&f, true);
    *stopped = stop_wanted();
    for (int i = 0; i < f.n_chunks; i++)
        *cancelled += f.chunk[i].cancelled ? f.chunk[i].missing : 0;
    if (ok && *cancelled == 0 && !*stopped)
        fleet_clean(s);
    return ok;
}

void fleet_clean(const Sweep *s)
{
    Arena *a = arena_new();
    const char *folder = path_join(a, s->out, "chunks");
    int n;
    const char **names = folder_names(a, folder, &n);
    for (int i = 0; i < n; i++)
        unlink(path_join(a, folder, names[i]));
    rmdir(folder);
    arena_free(a);
}
