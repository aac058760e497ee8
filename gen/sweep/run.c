/* run.c: worker processes. Each has a part of the list of points, sorted so that neighbours share
 * early stages; one that has finished its part takes half of what is left of the largest one. */
#define _GNU_SOURCE                     /* memrchr, pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sweep/sweep.h"

enum { QUEUE = 2, PIPE_BYTES = 65536 };   /* points sent ahead, so that no worker waits for the disk */

typedef struct Worker {
    pid_t pid;
    int to, from, log;                  /* -1: closed */
    int first, end;                     /* its part of `order`, not yet sent */
    int sent[QUEUE], n_sent;            /* points under way, oldest first */
    char *text; size_t length, room;    /* received, not yet a whole line */
} Worker;

typedef struct Crew {
    Sweep *sweep;
    Journal *journal;
    int *order, n;
    Worker *worker; int n_workers;
    Progress progress;
} Crew;

/* ---- the worker ---- */

static bool read_exactly(int fd, void *to, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t got = read(fd, (char *)to + have, n - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

static bool write_exactly(int fd, const void *from, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t got = write(fd, (const char *)from + have, n - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

static _Noreturn void work(const Sweep *s, int in, int out, int log, pid_t parent)
{
    setpgid(0, 0);                      /* ^C goes to the parent, which ends its workers */
    prctl(PR_SET_PDEATHSIG, SIGTERM);   /* not SIGKILL: its tool ends with it */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    if (getppid() != parent || dup2(log, STDERR_FILENO) < 0)
        _exit(EXIT_INTERNAL);
    Stock *stock = stock_new();
    int point;
    while (read_exactly(in, &point, sizeof point)) {
        Arena *a = arena_new();
        const char *line = evaluate(a, stock, s, point);
        bool ok = write_exactly(out, line, strlen(line));
        arena_free(a);
        if (!ok)
            break;
    }
    stock_free(stock);
    _exit(EXIT_OK);
}

static bool worker_start(Crew *r, Worker *w)
{
    int to[2], from[2];
    pid_t parent = getpid();
    fflush(NULL);
    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
        return false;
    FILE *log = tmpfile();
    w->log = log ? dup(fileno(log)) : open("/dev/null", O_RDWR | O_CLOEXEC);
    if (log)
        fclose(log);
    fcntl(w->log, F_SETFD, FD_CLOEXEC);
    w->pid = fork();
    if (w->pid == 0) {
        for (int i = 0; i < r->n_workers; i++)          /* else a worker would keep another's pipe open */
            if (&r->worker[i] != w && r->worker[i].to >= 0)
                close(r->worker[i].to);
        close(to[1]);
        close(from[0]);
        close(r->journal->lock_fd);                     /* the lock is the parent's alone */
        work(r->sweep, to[0], from[1], w->log, parent);
    }
    close(to[0]);
    close(from[1]);
    w->to = to[1];
    w->from = from[0];
    fcntl(w->from, F_SETFL, O_NONBLOCK);
    w->n_sent = 0;
    w->length = 0;
    return w->pid > 0;
}

/* ---- the parent: giving out ---- */

static void steal(Crew *r, Worker *w)
{
    Worker *rich = NULL;
    for (int i = 0; i < r->n_workers; i++) {
        Worker *o = &r->worker[i];
        if (o->end - o->first > (rich ? rich->end - rich->first : 0))
            rich = o;
    }
    if (!rich)
        return;
    int half = rich->first + (rich->end - rich->first) / 2;
    w->first = half;
    w->end = rich->end;
    rich->end = half;
}

static void feed(Crew *r, Worker *w)
{
    while (w->pid > 0 && w->to >= 0 && w->n_sent < QUEUE && !stop_wanted()) {
        if (w->first == w->end)
            steal(r, w);
        if (w->first == w->end)
            return;
        int point = r->order[w->first++];
        w->sent[w->n_sent++] = point;
        if (!write_exactly(w->to, &point, sizeof point))
            return;                     /* it has died: seen at its other pipe */
    }
}

/* ---- the parent: progress ---- */

static void show(Crew *r, bool last)
{
    char at[64] = "";
    for (int i = 0, n = 0; i < MIN(r->n_workers, 4); i++)
        if (r->worker[i].n_sent > 0)
            n += snprintf(at + n, sizeof at - (size_t)n, "%s%d", n ? ", " : "",
                          r->sweep->point[r->worker[i].sent[0]].number);
    progress_show(&r->progress, at, last);
}

/* ---- the parent: taking back ---- */

/* Whole lines go to disk and off the list of what is under way. */
static bool take_lines(Crew *r, Worker *w)
{
    const char *last = w->length ? memrchr(w->text, '\n', w->length) : NULL;
    size_t whole = last ? (size_t)(last - w->text) + 1 : 0;
    int lines = 0;
    for (size_t i = 0; i < whole; i++)
        lines += w->text[i] == '\n';
    REQUIRE(lines <= w->n_sent);
    if (whole > 0 && !journal_append(r->journal, r->sweep, w->text, whole, w->sent))
        return false;
    for (int i = 0; i < lines; i++)
        progress_count(&r->progress, &r->sweep->point[w->sent[i]]);
    w->n_sent -= lines;
    memmove(w->sent, w->sent + lines, sizeof *w->sent * (size_t)w->n_sent);
    memmove(w->text, w->text + whole, w->length - whole);
    w->length -= whole;
    return true;
}

/* The last line that it wrote to stderr, or how it ended. */
static const char *last_words(Arena *a, const Worker *w, int state)
{
    char text[512];
    off_t size = lseek(w->log, 0, SEEK_END), at = MAX(size - (off_t)sizeof text + 1, 0);
    ssize_t n = size > 0 ? pread(w->log, text, sizeof text - 1, at) : 0;
    while (n > 0 && text[n - 1] == '\n')
        n--;
    text[MAX(n, 0)] = '\0';
    const char *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    return WIFSIGNALED(state) ? str_format(a, "its process was ended by signal %d (%s)",
                                           WTERMSIG(state), strsignal(WTERMSIG(state)))
           : line[0]          ? str_dup(a, line)
                              : str_format(a, "its process ended with status %d", WEXITSTATUS(state));
}

static void worker_close(Worker *w)
{
    int *fd[] = { &w->to, &w->from, &w->log };
    for (int i = 0; i < LENGTH(fd); i++) {
        if (*fd[i] >= 0)
            close(*fd[i]);
        *fd[i] = -1;
    }
    w->pid = 0;
}

/* Somebody wants this work to end, and reached the worker before this process: a batch system or a
 * shutdown sends the signal to one process after the other. That says nothing about the point. */
static bool told_to_end(int state)
{
    int number = WIFSIGNALED(state) ? WTERMSIG(state) : 0;
    return number == SIGTERM || number == SIGINT || number == SIGHUP;
}

/* A worker ended: the point it was at has failed, a new worker takes its part. */
static bool worker_ended(Crew *r, Worker *w)
{
    int state = 0, point = w->n_sent > 0 ? w->sent[0] : -1;
    while (waitpid(w->pid, &state, 0) < 0 && errno == EINTR)
        ;
    if (told_to_end(state))
        stop_now();
    if (stop_wanted()) {                /* its point stays open */
        worker_close(w);
        return true;
    }
    Arena *a = arena_new();
    const char *line = point >= 0 ? evaluate_crashed(a, r->sweep, point, last_words(a, w, state)) : "";
    bool ok = point < 0 || journal_append(r->journal, r->sweep, line, strlen(line), &point);
    arena_free(a);
    if (point < 0 || !ok) {
        worker_close(w);
        return ok;
    }
    progress_count(&r->progress, &r->sweep->point[point]);
    int waiting = w->n_sent > 1 ? w->sent[1] : -1;
    worker_close(w);
    if (!worker_start(r, w)) {
        diag_error(r->sweep->diag, (Place){ 0 }, "cannot start a process: %s", strerror(errno));
        return false;
    }
    if (waiting >= 0) {
        w->sent[w->n_sent++] = waiting;
        (void)write_exactly(w->to, &waiting, sizeof waiting);
    }
    return true;
}

static bool receive(Crew *r, Worker *w)
{
    if (w->room - w->length < PIPE_BYTES) {
        w->room = w->length + 2 * PIPE_BYTES;
        w->text = realloc(w->text, w->room);
        REQUIRE(w->text);
    }
    ssize_t n = read(w->from, w->text + w->length, PIPE_BYTES);
    if (n > 0) {
        w->length += (size_t)n;
        return take_lines(r, w);
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    return worker_ended(r, w);
}

/* ---- the loop ---- */

static bool busy(const Crew *r)
{
    for (int i = 0; i < r->n_workers; i++)
        if (r->worker[i].n_sent > 0)
            return true;
    return false;
}

static bool loop(Crew *r)
{
    Arena *a = arena_new();
    struct pollfd *fd = ARENA_ARRAY(a, struct pollfd, r->n_workers);
    bool ok = true;
    for (int i = 0; i < r->n_workers; i++)
        feed(r, &r->worker[i]);
    while (ok && busy(r) && !stop_wanted()) {
        for (int i = 0; i < r->n_workers; i++)
            fd[i] = (struct pollfd){ .fd = r->worker[i].from, .events = POLLIN };
        int n = poll(fd, (nfds_t)r->n_workers, 200);
        for (int i = 0; ok && n > 0 && i < r->n_workers; i++)
            if (fd[i].revents) {
                ok = receive(r, &r->worker[i]);
                feed(r, &r->worker[i]);
            }
        show(r, false);
    }
    arena_free(a);
    return ok;
}

/* Their tools end with them: see tool.c. */
static void end_workers(Crew *r)
{
    for (int i = 0; i < r->n_workers; i++) {
        Worker *w = &r->worker[i];
        if (w->pid > 0 && w->n_sent > 0)
            kill(w->pid, SIGTERM);
    }
    for (int i = 0; i < r->n_workers; i++) {
        Worker *w = &r->worker[i];
        if (w->pid > 0) {
            close(w->to);
            w->to = -1;
            while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        }
        worker_close(w);
        free(w->text);
    }
}

static bool start_workers(Crew *r, int jobs)
{
    r->n_workers = MAX(1, MIN(jobs, r->n));
    r->worker = ARENA_ARRAY(r->sweep->arena, Worker, r->n_workers);
    for (int i = 0; i < r->n_workers; i++)
        r->worker[i] = (Worker){ .to = -1, .from = -1, .log = -1,
                                 .first = (int)((int64_t)r->n * i / r->n_workers),
                                 .end = (int)((int64_t)r->n * (i + 1) / r->n_workers) };
    for (int i = 0; i < r->n_workers; i++)
        if (!worker_start(r, &r->worker[i])) {
            diag_error(r->sweep->diag, (Place){ 0 }, "cannot start a process: %s", strerror(errno));
            return false;
        }
    return true;
}

bool run_points(Sweep *s, Journal *j, int jobs, bool *stopped)
{
    Crew r = { .sweep = s, .journal = j };
    int *order = points_order(s->arena, s);
    r.order = ARENA_ARRAY(s->arena, int, s->n_points);
    progress_start(&r.progress, s);
    for (int i = 0; i < s->n_points; i++)
        if (s->point[order[i]].status == POINT_OPEN)
            r.order[r.n++] = order[i];
    *stopped = false;
    if (r.n == 0)
        return true;
    stop_on_signals();
    bool ok = start_workers(&r, jobs) && loop(&r);
    end_workers(&r);
    show(&r, true);
    *stopped = stop_wanted();
    return ok;
}
