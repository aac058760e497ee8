/* chunk.c: points for commands that run elsewhere, and the rows that come back. The sweep's folder
 * chunks/, which all machines see, has
 *
 *   plan       line K: the points of chunk K, as number:index
 *   K.jsonl    their rows, appended and synced one by one; the last line: the time they took
 *   K.log      what the command printed
 *
 * A command that runs again (its node failed) goes on behind the last whole row. When a node fails or
 * somebody cancels a task, signals reach one process after the other: a tool or a worker may be gone
 * while the command still writes that its point failed. Such a row thus counts only when the command
 * has come to its end by itself, which the last line says; before that the point is open. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sweep/fleet.h"

enum { ENDING_S = 1 };                  /* between the signals to a command's processes, at most */

const char *chunk_file(Arena *a, const Sweep *s, const char *name)
{
    return str_format(a, "%s/chunks/%s", s->out, name);
}

const char *chunk_path(Arena *a, const Sweep *s, const Chunk *c, const char *ending)
{
    return str_format(a, "%s/chunks/%d.%s", s->out, c->number, ending);
}

void chunk_remove_files(const Sweep *s, const Chunk *c)
{
    Arena *a = arena_new();
    unlink(chunk_path(a, s, c, "jsonl"));
    unlink(chunk_path(a, s, c, "log"));
    arena_free(a);
}

/* ---- the plan ---- */

bool chunk_plan(const Fleet *f)
{
    Arena *a = arena_new();
    const Sweep *s = f->sweep;
    Buffer b;
    buffer_init(&b, a);
    for (int k = 0; k < f->n_chunks; k++) {
        const Chunk *c = &f->chunk[k];
        for (int i = 0; i < c->n; i++) {
            const Point *p = &s->point[c->point[i]];
            buffer_print(&b, "%s%d:%lld", i ? " " : "", p->number, (long long)p->index);
        }
        buffer_print(&b, "\n");
    }
    bool ok = write_whole(s->diag, chunk_file(a, s, "plan"), b.text, b.length);
    arena_free(a);
    return ok;
}

static const char *line_of(Arena *a, Bytes text, int number)
{
    const char *p = (const char *)text.data, *end = p + text.size;
    for (int k = 1; p < end; k++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        if (!stop)
            break;
        if (k == number)
            return str_ndup(a, p, (size_t)(stop - p));
        p = stop + 1;
    }
    return NULL;
}

/* A whole number without a sign, up to `most`, followed by the character `end` or by the end of the text; moves
 * behind both. */
static bool take_count(const char **p, int64_t most, char end, int64_t *out)
{
    char *stop;
    errno = 0;
    long long v = **p >= '0' && **p <= '9' ? strtoll(*p, &stop, 10) : -1;
    if (v < 0 || errno || v > most || (*stop != end && (*stop || end == ':')))
        return false;
    *out = v;
    *p = stop + (*stop != '\0');
    return true;
}

/* "number:index", as chunk_plan writes it. */
static bool take_point(const char **p, Point *to)
{
    int64_t number;
    if (!take_count(p, POINTS_MAX, ':', &number) || number < 1 || !take_count(p, INT64_MAX, ' ', &to->index))
        return false;
    to->number = (int)number;
    return true;
}

/* The points of this chunk become all the points there are. */
static bool read_points(Sweep *s)
{
    const char *path = chunk_file(s->arena, s, "plan");
    Bytes text;
    if (!file_read(s->arena, s->diag, (Place){ 0 }, path, (size_t)1 << 32, &text))
        return false;
    const char *line = line_of(s->arena, text, s->chunk), *p = line ? line : "";
    int n = 1;
    for (const char *q = p; *q; q++)
        n += *q == ' ';
    s->point = ARENA_ARRAY(s->arena, Point, n);
    while (*p && take_point(&p, &s->point[s->n_points]))
        s->n_points++;
    if (!line)
        diag_error(s->diag, (Place){ path, 0, 0 }, "there is no chunk %d of %s in this file", s->chunk, s->file);
    else if (*p || s->n_points == 0 || !points_made(s))
        diag_error(s->diag, (Place){ path, s->chunk, (int)(p - line) + 1 },
                   "chunk %d of %s is damaged here: number:index of each point, with single blanks, was expected; "
                   "start the sweep again, which writes this file", s->chunk, s->file);
    return !diag_failed(s->diag);
}

/* ---- the command: what it is, and what it does ---- */

/* Variables that a login on another machine would not have. */
static void add_environment(Buffer *b, Arena *a)
{
    static const char *const names[] = { "LSTMGEN_DATA", "LG_CACHE" };
    const char *before = "env ";
    for (int i = 0; i < LENGTH(names); i++) {
        const char *value = getenv(names[i]);
        if (!value || !value[0])
            continue;
        buffer_print(b, "%s%s=%s ", before, names[i], shell_word(a, value));
        before = "";
    }
}

const char *chunk_command(Arena *a, const Sweep *s)
{
    char here[PATH_MAX], program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    REQUIRE(n > 0 && getcwd(here, sizeof here));
    program[n] = '\0';
    Buffer b;
    buffer_init(&b, a);
    buffer_print(&b, "cd %s && exec ", shell_word(a, here));
    add_environment(&b, a);
    buffer_print(&b, "%s sweep %s", shell_word(a, program), shell_word(a, s->file));
    buffer_print(&b, " -o %s --sim %s --chunk ", shell_word(a, s->out), s->simulator);
    return b.text;
}

static void add_time(Sweep *s, const Journal *j, int worked, double seconds)
{
    Arena *a = arena_new();
    const char *line = str_format(a, "{\"chunk\":%d,\"points\":%d,\"seconds\":%.3f}\n", s->chunk,
                                  worked, seconds);
    if (write(j->jsonl_fd, line, strlen(line)) < 0)
        diag_warn(s->diag, (Place){ j->jsonl, 0, 0 }, "cannot be written: %s", strerror(errno));
    arena_free(a);
}

/* Whoever ended the tools of a point may be about to end this command: then it is not done. */
static bool told_to_end(const Sweep *s)
{
    bool failed = false;
    for (int i = 0; i < s->n_points; i++)
        failed = failed || s->point[i].status == POINT_FAILED;
    for (double end = seconds_now() + ENDING_S; failed && !stop_wanted() && seconds_now() < end;)
        nanosleep(&(struct timespec){ 0, 20 * 1000 * 1000 }, NULL);
    return stop_wanted();
}

int chunk_run(Sweep *s)
{
    Journal j;
    bool stopped = false;
    double start = seconds_now();
    const char *path = str_format(s->arena, "%s/chunks/%d.jsonl", s->out, s->chunk);
    bool ok = read_points(s) && journal_open_chunk(&j, s, path);
    int open = 0;
    for (int i = 0; ok && i < s->n_points; i++)
        open += s->point[i].status == POINT_OPEN;
    if (!ok)
        return EXIT_INPUT;
    ok = run_points(s, &j, 1, &stopped);
    stopped = stopped || told_to_end(s);
    if (ok && !stopped)
        add_time(s, &j, open, seconds_now() - start);
    journal_close(&j);
    return stopped ? STATUS_STOPPED : ok ? EXIT_OK : EXIT_INPUT;
}

/* ---- what comes back ---- */

/* What was added to a file since `from`, up to the last line end. */
static Bytes read_new(Arena *a, const char *path, off_t from)
{
    Bytes none = { 0 };
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return none;
    size_t n = fstat(fd, &st) == 0 && st.st_size > from ? (size_t)(st.st_size - from) : 0;
    char *text = arena_alloc(a, n + 1);
    ssize_t got = n > 0 ? pread(fd, text, n, from) : 0;
    close(fd);
    while (got > 0 && text[got - 1] != '\n')
        got--;
    return (Bytes){ (const uint8_t *)text, (size_t)MAX(got, 0) };
}

/* Which open point a row is about; -1: none. */
static int point_of(Fleet *f, const json_t *row)
{
    json_int_t number = json_integer_value(json_object_get(row, "point"));
    bool known = number >= 1 && number <= f->sweep->n_points;
    if (!known || !point_has_key(&f->sweep->point[number - 1], row)) {
        f->foreign++;
        return -1;
    }
    return f->sweep->point[number - 1].status == POINT_OPEN ? (int)number - 1 : -1;
}

static void take_time(Chunk *c, const json_t *row)
{
    c->worked = (int)json_integer_value(json_object_get(row, "points"));
    c->seconds = json_number_value(json_object_get(row, "seconds"));
}

/* Lines that go to the journal together, and their points. */
typedef struct Taken { Buffer lines; int *point, n; } Taken;

static void take(Taken *t, const char *line, size_t n, int point)
{
    for (int i = 0; i < t->n; i++)
        if (t->point[i] == point)
            return;
    buffer_add(&t->lines, line, n);
    t->point[t->n++] = point;
}

/* In place of an earlier one of that point. */
static void hold_failed(const Fleet *f, Chunk *c, const char *line, size_t n, int point)
{
    Arena *a = f->sweep->arena;
    int i = 0;
    if (!c->failed)
        c->failed = ARENA_ARRAY(a, FailedRow, c->n);
    while (i < c->n_failed && c->failed[i].point != point)
        i++;
    if (i == c->n)
        return;
    c->failed[i] = (FailedRow){ point, str_ndup(a, line, n) };
    c->n_failed = MAX(c->n_failed, i + 1);
}

/* The command came to its end: what failed has failed. */
static void take_failed(const Fleet *f, Chunk *c, Taken *t)
{
    for (int i = 0; i < c->n_failed; i++)
        if (f->sweep->point[c->failed[i].point].status == POINT_OPEN)
            take(t, c->failed[i].line, strlen(c->failed[i].line), c->failed[i].point);
    c->n_failed = 0;
}

static void take_row(Fleet *f, Chunk *c, Taken *t, const char *line, size_t n)
{
    json_t *row = json_loadb(line, n, 0, NULL);
    bool end = json_object_get(row, "seconds") != NULL;
    int point = row && !end ? point_of(f, row) : -1;
    if (end) {
        take_time(c, row);
        take_failed(f, c, t);
    } else if (point >= 0 && row_failed(row))
        hold_failed(f, c, line, n, point);
    else if (point >= 0)
        take(t, line, n, point);
    json_decref(row);
}

static bool keep(Fleet *f, Chunk *c, const Taken *t)
{
    if (t->n == 0)
        return true;
    if (!journal_append(f->journal, f->sweep, t->lines.text, t->lines.length, t->point))
        return false;
    for (int i = 0; i < t->n; i++)
        progress_count(&f->progress, &f->sweep->point[t->point[i]]);
    c->missing -= t->n;
    c->tries = 0;
    return true;
}

bool chunk_collect(Fleet *f, Chunk *c)
{
    Arena *a = arena_new();
    Bytes text = read_new(a, chunk_path(a, f->sweep, c, "jsonl"), c->read);
    const char *p = (const char *)text.data, *end = p + text.size;
    int lines = 0;
    for (const char *q = p; q < end; q++)
        lines += *q == '\n';
    Taken t = { .point = ARENA_ARRAY(a, int, lines + c->n) };
    buffer_init(&t.lines, a);
    for (const char *stop; p < end; p = stop) {
        stop = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
        take_row(f, c, &t, p, (size_t)(stop - p));
    }
    bool ok = keep(f, c, &t);
    c->read += (off_t)text.size;
    arena_free(a);
    return ok;
}

const char *chunk_words(Arena *a, const Sweep *s, const Chunk *c)
{
    Bytes text = read_new(a, chunk_path(a, s, c, "log"), 0);
    size_t n = text.size;
    while (n > 0 && text.data[n - 1] == '\n')
        n--;
    size_t from = n;
    while (from > 0 && text.data[from - 1] != '\n')
        from--;
    return str_ndup(a, (const char *)text.data + from, MIN(n - from, (size_t)500));
}
