/* command.c: `--runner 'command {}'`: a command for each chunk, -j of them at once, in place of {};
 * or one command for all chunks, with a file of commands in place of {list}. */
#define _GNU_SOURCE                     /* O_CLOEXEC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sweep/fleet.h"

enum { PATIENCE_S = 5 };                /* from SIGTERM to SIGKILL */

static bool takes_list(const Fleet *f)
{
    return strstr(f->words, "{list}") != NULL;
}

static const char *replaced(Arena *a, const char *text, const char *hole, const char *by)
{
    Buffer b;
    buffer_init(&b, a);
    for (const char *at; (at = strstr(text, hole)); text = at + strlen(hole)) {
        buffer_add(&b, text, (size_t)(at - text));
        buffer_print(&b, "%s", by);
    }
    buffer_print(&b, "%s", text);
    return b.text;
}

static bool begin(Fleet *f)
{
    f->own = NULL;
    return true;
}

/* ---- starting ---- */

static pid_t start(Fleet *f, const char *command, const char *log)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);                  /* ^C goes to the sweep, which ends its commands */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        int in = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGHUP, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
            _exit(126);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (pid < 0)
        diag_error(f->sweep->diag, (Place){ 0 }, "cannot start a process: %s", strerror(errno));
    else
        setpgid(pid, pid);
    return pid;
}

static void mark_started(Chunk *c, pid_t pid)
{
    c->state = CHUNK_UNDER_WAY;
    c->job = pid;
    c->started = seconds_now();
}

static bool start_each(Fleet *f)
{
    Arena *a = arena_new();
    int free_slots = MAX(f->slots, 1);
    bool ok = true;
    for (int i = 0; i < f->n_chunks; i++)
        free_slots -= f->chunk[i].state == CHUNK_UNDER_WAY;
    for (int i = 0; ok && i < f->n_chunks && free_slots > 0; i++) {
        Chunk *c = &f->chunk[i];
        if (c->state != CHUNK_WAITING)
            continue;
        const char *point = str_format(a, "%s%d", chunk_command(a, f->sweep), c->number);
        pid_t pid = start(f, replaced(a, f->words, "{}", shell_word(a, point)),
                          chunk_path(a, f->sweep, c, "log"));
        ok = pid > 0;
        mark_started(c, pid);
        free_slots--;
    }
    arena_free(a);
    return ok;
}

static bool under_way(const Fleet *f)
{
    for (int i = 0; i < f->n_chunks; i++)
        if (f->chunk[i].state == CHUNK_UNDER_WAY)
            return true;
    return false;
}

/* One command at a time; it gets all chunks that wait. */
static bool start_list(Fleet *f)
{
    Arena *a = arena_new();
    Sweep *s = f->sweep;
    const char *path = chunk_file(a, s, "list"), *command = chunk_command(a, s);
    Buffer b;
    buffer_init(&b, a);
    for (int i = 0; i < f->n_chunks; i++)
        if (f->chunk[i].state == CHUNK_WAITING)
            buffer_print(&b, "%s%d\n", command, f->chunk[i].number);
    bool ok = true;
    if (b.length > 0 && !under_way(f)) {
        ok = write_whole(s->diag, path, b.text, b.length);
        pid_t pid = ok ? start(f, replaced(a, f->words, "{list}", shell_word(a, path)),
                               chunk_file(a, s, "list.log")) : -1;
        ok = pid > 0;
        for (int i = 0; i < f->n_chunks; i++)
            if (f->chunk[i].state == CHUNK_WAITING)
                mark_started(&f->chunk[i], pid);
    }
    arena_free(a);
    return ok;
}

static bool submit(Fleet *f)
{
    return takes_list(f) ? start_list(f) : start_each(f);
}

/* ---- following ---- */

static const char *end_text(Arena *a, int state)
{
    return WIFSIGNALED(state) ? str_format(a, "its command was ended by signal %d (%s)", WTERMSIG(state),
                                           strsignal(WTERMSIG(state)))
                              : str_format(a, "its command ended with status %d", WEXITSTATUS(state));
}

static bool poll(Fleet *f)
{
    for (int i = 0; i < f->n_chunks; i++) {
        int state;
        pid_t pid = (pid_t)f->chunk[i].job;
        if (f->chunk[i].state != CHUNK_UNDER_WAY || waitpid(pid, &state, WNOHANG) != pid)
            continue;
        const char *end = end_text(f->sweep->arena, state);
        for (int k = i; k < f->n_chunks; k++)
            if (f->chunk[k].state == CHUNK_UNDER_WAY && f->chunk[k].job == pid) {
                f->chunk[k].state = CHUNK_OVER;
                f->chunk[k].end = end;
            }
    }
    return true;
}

static void signal_all(const Fleet *f, int number)
{
    for (int i = 0; i < f->n_chunks; i++)
        if (f->chunk[i].state == CHUNK_UNDER_WAY)
            kill(-(pid_t)f->chunk[i].job, number);
}

static void cancel(Fleet *f)
{
    signal_all(f, SIGTERM);
    for (double end = seconds_now() + PATIENCE_S; under_way(f) && seconds_now() < end; poll(f))
        nanosleep(&(struct timespec){ 0, 20 * 1000 * 1000 }, NULL);
    signal_all(f, SIGKILL);
    while (under_way(f)) {
        poll(f);
        nanosleep(&(struct timespec){ 0, 1000 * 1000 }, NULL);
    }
}

const Runner runner_command = { begin, submit, poll, cancel, 0.1 };
