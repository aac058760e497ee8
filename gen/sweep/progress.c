/* progress.c: how far a sweep has come, on stderr: one line that renews itself on a terminal, a line
 * every ten seconds in a pipe; and the wish to stop (^C, SIGTERM, SIGHUP). */
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sweep/sweep.h"

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

void stop_on_signals(void)
{
    struct sigaction act = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

void stop_now(void)
{
    stop = 1;
}

bool stop_wanted(void)
{
    return stop != 0;
}

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void progress_start(Progress *p, const Sweep *s)
{
    *p = (Progress){ .start = seconds_now(), .terminal = isatty(STDERR_FILENO), .quiet = s->chunk > 0 };
    p->shown = p->start;
    for (int i = 0; i < s->n_points; i++)
        p->count[s->point[i].status]++;
    p->before = s->n_points - p->count[POINT_OPEN];
}

void progress_count(Progress *p, const Point *point)
{
    p->count[POINT_OPEN]--;
    p->count[point->status]++;
}

/* "3 min 20 s", from `s` seconds. */
static const char *time_text(char out[32], double s)
{
    if (s < 100)
        snprintf(out, 32, "%.0f s", s);
    else if (s < 6000)
        snprintf(out, 32, "%.0f min %02.0f s", (double)(int)(s / 60), (double)((int)s % 60));
    else
        snprintf(out, 32, "%.1f h", s / 3600);
    return out;
}

void progress_show(Progress *p, const char *at, bool last)
{
    const int *c = p->count;
    int done = c[POINT_OK] + c[POINT_INVALID] + c[POINT_FAILED], total = done + c[POINT_OPEN];
    double t = seconds_now(), rate = t > p->start ? (done - p->before) / (t - p->start) : 0;
    char left[32];
    if (p->quiet || (!last && t - p->shown < (p->terminal ? 0.2 : 10)) || (!p->terminal && last))
        return;
    p->shown = t;
    fprintf(stderr, "%s%d of %d done, %d invalid, %d failed, %d left, %.*f/s",
            p->terminal ? "\r\033[K" : "", done, total, c[POINT_INVALID], c[POINT_FAILED], total - done,
            rate < 10 ? 2 : 0, rate);
    if (rate > 0 && !last)
        fprintf(stderr, ", %s to go", time_text(left, (total - done) / rate));
    if (p->terminal && !last)
        fprintf(stderr, "%s%s", at[0] ? "; at " : "", at);
    else
        fprintf(stderr, "\n");
    fflush(stderr);
}
