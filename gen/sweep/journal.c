/* journal.c: the results on disk. points.jsonl is what counts: rows are appended and synced, a point
 * is finished when its line is whole; points.csv says the same as a table and is made from it anew
 * at every start. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sweep/sweep.h"

enum { ENDING_MAX_S = 60 };             /* how long a chunk waits for the command before it to end */

static bool failed(Diag *d, const char *path, const char *what)
{
    diag_error(d, (Place){ 0 }, "cannot %s %s: %s", what, path, strerror(errno));
    return false;
}

static bool write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t got = write(fd, text, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        text += got;
        n -= (size_t)got;
    }
    return true;
}

/* Appears whole or not at all. */
bool write_whole(Diag *d, const char *path, const char *text, size_t n)
{
    Arena *a = arena_new();
    const char *temp = str_format(a, "%s.new", path);
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && write_all(fd, text, n) && fsync(fd) == 0;
    ok = fd >= 0 && close(fd) == 0 && ok && rename(temp, path) == 0;
    if (!ok) {
        failed(d, path, "write");
        unlink(temp);
    }
    arena_free(a);
    return ok;
}

/* ---- the lock: held by the process, so that a crash leaves none behind ---- */

static bool lock_folder(Journal *j, Sweep *s)
{
    const char *path = path_join(s->arena, s->out, ".lock");
    char pid[32] = "";
    j->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (j->lock_fd < 0)
        return failed(s->diag, path, "open");
    if (flock(j->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        ssize_t n = pread(j->lock_fd, pid, sizeof pid - 1, 0);
        pid[MAX(n, 0)] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        diag_error(s->diag, (Place){ 0 }, "%s: another sweep is at work there (process %s)", s->out,
                   pid[0] ? pid : "unknown");
        return false;
    }
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(j->lock_fd, 0) < 0 || pwrite(j->lock_fd, pid, (size_t)n, 0) != n)
        return failed(s->diag, path, "write");
    return true;
}

static bool make_folder(Sweep *s)
{
    char *path = str_dup(s->arena, s->out);
    for (char *p = path + 1;; p++) {
        char c = *p;
        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            return failed(s->diag, path, "make the folder");
        *p = c;
        if (c == '\0')
            break;
    }
    return file_is_folder(s->out) || (errno = ENOTDIR, failed(s->diag, s->out, "use"));
}

/* ---- the manifest: what the folder is, and that it is lstmgen's (base/own.c) ---- */

/* All that a sweep writes into its folder. Folders of points have manifests of their own. */
static json_t *renewed(void)
{
    static const char *const NAMES[] = {
        ".lock", "points.csv", "points.jsonl", "base.yaml", "best.yaml", "report.html", "front.svg", "points.csv.new",
        "points.jsonl.new", "base.yaml.new", "best.yaml.new", "report.html.new", "front.svg.new", "manifest.json.new",
        "chunks/plan", "chunks/list", "chunks/jobs", "chunks/task.sh", "chunks/[0-9]*.jsonl", "chunks/[0-9]*.log",
        "chunks/list.log", "chunks/s*.out", "chunks/*.new", "points/",
    };
    json_t *list = json_array();
    for (int i = 0; i < LENGTH(NAMES); i++)
        json_array_append_new(list, json_string(NAMES[i]));
    return list;
}

static const char *manifest_text(Sweep *s)
{
    static const char *const depth[] = { "estimate", "simulate", "synthesise", "place" };
    int count[POINT_STATUSES] = { 0 };
    for (int i = 0; i < s->n_points; i++)
        count[s->point[i].status]++;
    json_t *o = json_object(), *axes = json_object();
    char sum[65];
    sha256_hex(s->base_text.data, s->base_text.size, sum);
    json_object_set_new(o, "generator", json_string("lstmgen"));
    json_object_set_new(o, "name", value_string(s->arena, s->name));
    json_object_set_new(o, "version", json_string(LSTMGEN_VERSION));
    json_object_set_new(o, "sweep", value_string(s->arena, path_name(s->file)));
    json_object_set_new(o, "base_sha256", json_string(sum));
    json_object_set_new(o, "depth", json_string(depth[s->depth]));
    for (int i = 0; i < s->n_axes; i++) {
        json_t *list = json_array();
        for (int k = 0; k < s->axis[i].n; k++)
            json_array_append_new(list, value_string(s->arena, s->axis[i].text[k]));
        json_object_set_new(axes, s->axis[i].key, list);
    }
    json_object_set_new(o, "axes", axes);
    json_object_set_new(o, "points", json_integer(s->n_points));
    json_object_set_new(o, "ok", json_integer(count[POINT_OK]));
    json_object_set_new(o, "invalid", json_integer(count[POINT_INVALID]));
    json_object_set_new(o, "failed", json_integer(count[POINT_FAILED]));
    json_object_set_new(o, "open", json_integer(count[POINT_OPEN]));
    json_object_set_new(o, "files", json_array());
    json_object_set_new(o, "renewed", renewed());
    const char *text = report_json_text(s->arena, o);
    json_decref(o);
    return text;
}

/* Of the folder there is the lock at most: a run that was killed before it wrote the manifest. */
static bool is_fresh(Sweep *s)
{
    int n;
    const char **names = folder_names(s->arena, s->out, &n);
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], ".lock") != 0 && strcmp(names[i], "manifest.json.new") != 0)
            return false;
    return true;
}

static bool is_own(Sweep *s)
{
    const char *why = is_fresh(s) ? NULL : folder_foreign(s->arena, s->out);
    if (why)
        diag_error(s->diag, (Place){ 0 }, "the folder %s is not written to: %s; choose another with -o, or move or "
                   "remove it yourself", s->out, why);
    return !why;
}

/* Before anything else is written, so that a run that is killed leaves a folder that the next one knows. */
static bool mark_own(Sweep *s)
{
    const char *path = path_join(s->arena, s->out, "manifest.json"), *text = manifest_text(s);
    return file_exists(path) || write_whole(s->diag, path, text, strlen(text));
}

/* ---- taking over what is finished ---- */

typedef struct KeyIndex { const Sweep *sweep; int *slot; size_t mask; } KeyIndex;

static size_t key_slot(const KeyIndex *x, const uint8_t key[32])
{
    uint64_t h;
    memcpy(&h, key, sizeof h);
    size_t i = (size_t)h & x->mask;
    while (x->slot[i] && memcmp(x->sweep->point[x->slot[i] - 1].key, key, 32) != 0)
        i = (i + 1) & x->mask;
    return i;
}

static KeyIndex index_keys(Arena *a, const Sweep *s)
{
    KeyIndex x = { s, NULL, 1 };
    while (x.mask < (size_t)s->n_points * 2)
        x.mask *= 2;
    x.slot = ARENA_ARRAY(a, int, x.mask);
    x.mask--;
    for (int i = 0; i < s->n_points; i++)
        x.slot[key_slot(&x, s->point[i].key)] = i + 1;
    return x;
}

static PointStatus status_of(const json_t *row)
{
    const char *text = json_string_value(json_object_get(row, "status"));
    return !text                         ? POINT_OPEN
           : strcmp(text, "ok") == 0      ? POINT_OK
           : strcmp(text, "invalid") == 0 ? POINT_INVALID
                                          : POINT_FAILED;
}

bool row_failed(const json_t *row)
{
    return status_of(row) == POINT_FAILED;
}

static bool key_of_row(const json_t *row, uint8_t key[32])
{
    const char *text = json_string_value(json_object_get(row, "key"));
    for (int i = 0; i < 32; i++) {
        unsigned byte;
        if (!text || strlen(text) != 64 || sscanf(text + 2 * i, "%2x", &byte) != 1)
            return false;
        key[i] = (uint8_t)byte;
    }
    return true;
}

bool point_has_key(const Point *p, const json_t *row)
{
    uint8_t key[32];
    return key_of_row(row, key) && memcmp(key, p->key, sizeof key) == 0;
}

/* Which point a line is about; -1: none of this sweep's. */
static int point_of(const KeyIndex *x, const json_t *row)
{
    uint8_t key[32];
    return key_of_row(row, key) ? x->slot[key_slot(x, key)] - 1 : -1;
}

static bool csv_put(const Sweep *s, int fd, const json_t *row)
{
    Arena *a = arena_new();
    Buffer b;
    buffer_init(&b, a);
    columns_row(&b, s, row);
    bool ok = write_all(fd, b.text, b.length);
    arena_free(a);
    return ok;
}

/* One finished line into both new files, with its number in this sweep. */
static bool take_line(Journal *j, Sweep *s, int point, json_t *row)
{
    Point *p = &s->point[point];
    json_object_set_new(row, "point", json_integer(p->number));
    char *text = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(10) | JSON_ENSURE_ASCII);
    REQUIRE(text);
    size_t n = strlen(text);
    text[n++] = '\n';                   /* in place of the end */
    bool ok = write_all(j->jsonl_fd, text, n) && csv_put(s, j->csv_fd, row);
    p->at = j->end;
    p->length = (uint32_t)n;
    p->status = status_of(row);
    j->end += (off_t)n;
    free(text);
    return ok;
}

/* Calls take_line for every whole line of a point that is still open; a torn one is left out, and one
 * of a point that failed: it is tried again. */
static bool take_lines(Journal *j, Sweep *s, const KeyIndex *x, Bytes old)
{
    bool ok = true;
    const char *p = (const char *)old.data, *end = p + old.size;
    while (ok && p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        json_t *row = stop ? json_loadb(p, (size_t)(stop - p), 0, NULL) : NULL;
        int point = json_is_object(row) ? point_of(x, row) : -1;
        PointStatus status = point >= 0 ? status_of(row) : POINT_OPEN;
        bool take = status != POINT_OPEN && status != POINT_FAILED;
        if (take && s->point[point].status == POINT_OPEN) {
            folder_move(s, row, &s->point[point]);
            ok = take_line(j, s, point, row);
        }
        json_decref(row);
        p = stop ? stop + 1 : end;
    }
    return ok;
}

static int open_new(const char *path)
{
    return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

/* Both files are written anew beside the old ones and take their place together: the old ones stay
 * until the new ones are on disk. */
static bool rewrite(Journal *j, Sweep *s, bool (*fill)(Journal *, Sweep *, Bytes), Bytes old)
{
    Arena *a = arena_new();
    const char *csv = str_format(a, "%s.new", j->csv), *jsonl = str_format(a, "%s.new", j->jsonl);
    Buffer b;
    buffer_init(&b, a);
    columns_header(&b, s);
    j->csv_fd = open_new(csv);
    j->jsonl_fd = open_new(jsonl);
    j->end = 0;
    bool ok = j->csv_fd >= 0 && j->jsonl_fd >= 0 && write_all(j->csv_fd, b.text, b.length) &&
              fill(j, s, old) && fsync(j->csv_fd) == 0 && fsync(j->jsonl_fd) == 0 &&
              rename(jsonl, j->jsonl) == 0 && rename(csv, j->csv) == 0;
    if (!ok)
        failed(s->diag, j->csv, "write");
    arena_free(a);
    return ok;
}

/* The table's rows, and those of chunks that a run which was killed did not come to collect. */
static bool fill_from_old(Journal *j, Sweep *s, Bytes old)
{
    Arena *a = arena_new();
    KeyIndex x = index_keys(a, s);
    const char *folder = path_join(a, s->out, "chunks");
    int n;
    const char **names = folder_names(a, folder, &n);
    bool ok = take_lines(j, s, &x, old);
    for (int i = 0; i < n; i++) {
        Bytes rows;
        bool wanted = ok && str_ends(names[i], ".jsonl");
        if (wanted && file_read(a, s->diag, (Place){ 0 }, path_join(a, folder, names[i]), (size_t)1 << 40, &rows))
            ok = take_lines(j, s, &x, rows);
    }
    arena_free(a);
    return ok;
}

static bool fill_nothing(Journal *j, Sweep *s, Bytes old)
{
    (void)j, (void)s, (void)old;
    return true;
}

bool journal_lock(Journal *j, Sweep *s)
{
    *j = (Journal){ .csv_fd = -1, .jsonl_fd = -1, .lock_fd = -1 };
    j->csv = path_join(s->arena, s->out, "points.csv");
    j->jsonl = path_join(s->arena, s->out, "points.jsonl");
    /* Of a folder in use the lock says so; it is not made where something is that is not lstmgen's. */
    return make_folder(s) && (file_exists(path_join(s->arena, s->out, ".lock")) || is_own(s)) && lock_folder(j, s) &&
           is_own(s) && mark_own(s);
}

bool journal_open(Journal *j, Sweep *s, bool force)
{
    Bytes old = { 0 };
    if (!force && file_exists(j->jsonl) &&
        !file_read(s->arena, s->diag, (Place){ j->jsonl, 0, 0 }, j->jsonl, (size_t)1 << 40, &old))
        return false;
    bool ok = rewrite(j, s, force ? fill_nothing : fill_from_old, old);
    if (ok)
        folders_settle(s);
    return ok;
}

/* A point that failed is open again: what ended its tools may have ended the command. */
static void note_chunk_row(Sweep *s, const KeyIndex *x, const char *line, size_t n, off_t at)
{
    json_t *row = json_loadb(line, n, 0, NULL);
    int point = json_is_object(row) ? point_of(x, row) : -1;
    PointStatus status = point >= 0 ? status_of(row) : POINT_OPEN;
    if (status != POINT_OPEN && status != POINT_FAILED) {
        s->point[point].status = status;
        s->point[point].at = at;
        s->point[point].length = (uint32_t)n;
    }
    json_decref(row);
}

/* Notes all whole lines; where they end. */
static off_t note_chunk_rows(Sweep *s, Bytes rows)
{
    Arena *a = arena_new();
    KeyIndex x = index_keys(a, s);
    size_t at = 0;
    for (const uint8_t *stop; at < rows.size; at = (size_t)(stop - rows.data) + 1) {
        stop = memchr(rows.data + at, '\n', rows.size - at);
        if (!stop)
            break;
        note_chunk_row(s, &x, (const char *)rows.data + at, (size_t)(stop - rows.data) + 1 - at,
                       (off_t)at);
    }
    arena_free(a);
    return (off_t)at;
}

/* The command before, on a node that failed, may still be ending. */
static bool lock_chunk(const Journal *j)
{
    double end = seconds_now() + ENDING_MAX_S;
    while (flock(j->jsonl_fd, LOCK_EX | LOCK_NB) < 0) {
        if (seconds_now() > end || stop_wanted())
            return false;
        nanosleep(&(struct timespec){ 0, 50 * 1000 * 1000 }, NULL);
    }
    return true;
}

bool journal_open_chunk(Journal *j, Sweep *s, const char *path)
{
    Bytes rows;
    *j = (Journal){ .csv_fd = -1, .jsonl_fd = -1, .lock_fd = -1, .jsonl = path };
    j->jsonl_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (j->jsonl_fd < 0)
        return failed(s->diag, path, "write");
    if (!lock_chunk(j)) {
        diag_error(s->diag, (Place){ 0 }, "another command is at work on chunk %d", s->chunk);
        return false;
    }
    if (!file_read(s->arena, s->diag, (Place){ 0 }, path, (size_t)1 << 40, &rows))
        return false;
    j->end = note_chunk_rows(s, rows);
    return ftruncate(j->jsonl_fd, j->end) == 0 || failed(s->diag, path, "cut");
}

/* ---- appending ---- */

/* What a line of a worker says, and the row of the table. */
static void note_line(Journal *j, Sweep *s, Buffer *csv, const char *line, size_t n, Point *p)
{
    json_t *row = json_loadb(line, n, 0, NULL);
    REQUIRE(row);
    p->at = j->end;
    p->length = (uint32_t)n;
    p->status = status_of(row);
    j->end += (off_t)n;
    columns_row(csv, s, row);
    json_decref(row);
}

bool journal_append(Journal *j, Sweep *s, const char *lines, size_t length, const int *point)
{
    Arena *a = arena_new();
    Buffer csv;
    buffer_init(&csv, a);
    bool ok = write_all(j->jsonl_fd, lines, length) && fsync(j->jsonl_fd) == 0;
    for (const char *p = lines; ok && p < lines + length;) {
        const char *stop = memchr(p, '\n', (size_t)(lines + length - p));
        size_t n = (size_t)(stop - p) + 1;
        note_line(j, s, &csv, p, n, &s->point[*point++]);
        p += n;
    }
    if (j->csv_fd >= 0)                 /* a chunk has no table of its own */
        ok = ok && write_all(j->csv_fd, csv.text, csv.length) && fsync(j->csv_fd) == 0;
    if (!ok)
        failed(s->diag, j->jsonl, "write");
    arena_free(a);
    return ok;
}

/* ---- the end ---- */

json_t *journal_row(const Journal *j, const Point *p)
{
    char *line = malloc(p->length + 1);
    REQUIRE(line);
    bool ok = pread(j->jsonl_fd, line, p->length, p->at) == (ssize_t)p->length;
    json_t *row = ok ? json_loadb(line, p->length, 0, NULL) : NULL;
    free(line);
    return row;
}

static bool fill_sorted(Journal *j, Sweep *s, Bytes old)
{
    (void)old;
    Journal from = *j;
    from.jsonl_fd = open(j->jsonl, O_RDONLY | O_CLOEXEC);
    bool ok = from.jsonl_fd >= 0;
    for (int i = 0; ok && i < s->n_points; i++) {
        if (s->point[i].status == POINT_OPEN)
            continue;
        json_t *row = journal_row(&from, &s->point[i]);
        ok = row && take_line(j, s, i, row);
        json_decref(row);
    }
    if (from.jsonl_fd >= 0)
        close(from.jsonl_fd);
    return ok;
}

bool journal_finish(Journal *j, Sweep *s)
{
    const char *manifest = manifest_text(s), *base = point_spec(s->arena, s, NULL, s->out);
    close(j->csv_fd);
    close(j->jsonl_fd);
    return rewrite(j, s, fill_sorted, (Bytes){ 0 }) &&
           write_whole(s->diag, path_join(s->arena, s->out, "base.yaml"), base, strlen(base)) &&
           write_whole(s->diag, path_join(s->arena, s->out, "manifest.json"), manifest,
                       strlen(manifest));
}

void journal_close(Journal *j)
{
    int fd[] = { j->csv_fd, j->jsonl_fd, j->lock_fd };
    for (int i = 0; i < LENGTH(fd); i++)
        if (fd[i] >= 0)
            close(fd[i]);
}
