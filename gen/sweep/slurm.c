/* slurm.c: `--runner 'slurm [options of sbatch]'`: chunks as tasks of job arrays. Task T of an array
 * works out chunk BASE + T; a task whose node fails is put back into the queue by Slurm itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/fleet.h"

static const Tool SBATCH = { "sbatch", "slurm-client" }, SQUEUE = { "squeue", "slurm-client" },
                  SCANCEL = { "scancel", "slurm-client" }, SCONTROL = { "scontrol", "slurm-client" };

enum { SILENCE_MAX_S = 600, ANSWER_S = 120 };   /* how long Slurm may not answer at all; one call */

typedef struct Slurm {
    int array_max;                      /* indices of an array are below this */
    const char *name;                   /* of all our jobs */
    long job[4096]; int n_jobs;
    double answered;
} Slurm;

static const char *log_path(Arena *a, const Fleet *f, const char *tool)
{
    return chunk_file(a, f->sweep, str_format(a, "%s.out", tool));
}

/* What a call printed, or NULL. */
static const char *printed(Arena *a, const Fleet *f, Tool tool)
{
    Bytes text;
    Diag *d = diag_new(a);
    bool ok = file_read(a, d, (Place){ 0 }, log_path(a, f, tool.program), (size_t)1 << 28, &text);
    return ok ? str_ndup(a, (const char *)text.data, text.size) : NULL;
}

/* ---- before the first job ---- */

static void read_limits(Slurm *own, const char *config)
{
    const char *line = config ? strstr(config, "MaxArraySize") : NULL;
    const char *number = line ? strchr(line, '=') : NULL;
    own->array_max = number ? MAX(atoi(number + 1), 1) : 1001;
}

static bool write_script(const Fleet *f)
{
    Arena *a = arena_new();
    const Sweep *s = f->sweep;
    const char *text = str_format(a, "#!/bin/sh\n# One task of an array: the chunk with the number $1 + its index.\n"
                                  "chunk=$(($1 + SLURM_ARRAY_TASK_ID))\n"
                                  "exec >>%s/$chunk.log 2>&1\n%s$chunk\n",
                                  shell_word(a, path_join(a, s->out, "chunks")), chunk_command(a, s));
    bool ok = write_whole(s->diag, chunk_file(a, s, "task.sh"), text, strlen(text));
    arena_free(a);
    return ok;
}

static bool begin(Fleet *f)
{
    Arena *a = f->sweep->arena;
    Diag *d = f->sweep->diag;
    Slurm *own = ARENA_NEW(a, Slurm);
    const char *const argv[] = { "scontrol", "show", "config", NULL };
    f->own = own;
    own->name = str_format(a, "lstmgen-%s-%ld", f->sweep->name, (long)getpid());
    own->answered = seconds_now();
    if (!tool_find(a, d, SBATCH) || !tool_find(a, d, SQUEUE) || !tool_find(a, d, SCANCEL) ||
        !tool_run(a, d, SCONTROL, argv, NULL, log_path(a, f, "scontrol"), ANSWER_S))
        return false;
    read_limits(own, printed(a, f, SCONTROL));
    return write_script(f);
}

/* ---- submitting ---- */

/* The words after "slurm", as a shell splits them without quotes. */
static int add_words(Arena *a, const char *words, const char **argv, int n, int most)
{
    for (const char *p = words + strspn(words, " "); *p && n < most; p += strspn(p, " ")) {
        size_t length = strcspn(p, " ");
        argv[n++] = str_ndup(a, p, length);
        p += length;
    }
    return n;
}

/* "3-8,12": the tasks of the chunks that wait and belong to `group`; `n`: how many. */
static const char *array_text(Arena *a, const Fleet *f, int group, int *n)
{
    const Slurm *own = f->own;
    Buffer b;
    buffer_init(&b, a);
    *n = 0;
    for (int i = group * own->array_max, last = -2; i < f->n_chunks && i / own->array_max == group; i++) {
        int task = i % own->array_max;
        bool waits = f->chunk[i].state == CHUNK_WAITING;
        bool more = i + 1 < f->n_chunks && task + 1 < own->array_max &&
                    f->chunk[i + 1].state == CHUNK_WAITING;
        if (!waits)
            continue;
        if (last != task - 1)
            buffer_print(&b, "%s%d", b.length ? "," : "", task);
        else if (!more)
            buffer_print(&b, "-%d", task);
        last = task;
        ++*n;
    }
    if (f->slots > 0)
        buffer_print(&b, "%%%d", f->slots);
    return b.text;
}

/* Kept on disk, so that a run after one that was killed can end them. */
static bool note_job(Fleet *f, long job)
{
    Slurm *own = f->own;
    Arena *a = arena_new();
    Buffer b;
    buffer_init(&b, a);
    if (own->n_jobs < LENGTH(own->job))
        own->job[own->n_jobs++] = job;
    for (int i = 0; i < own->n_jobs; i++)
        buffer_print(&b, "%ld\n", own->job[i]);
    bool ok = write_whole(f->sweep->diag, chunk_file(a, f->sweep, "jobs"), b.text, b.length);
    arena_free(a);
    return ok;
}

/* The number that sbatch --parsable prints on the last line; 0: none. */
static long job_number(const char *text)
{
    long job = 0;
    for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        if (*p >= '0' && *p <= '9')
            job = strtol(p, NULL, 10);
    return job;
}

static bool submit_group(Fleet *f, int group)
{
    enum { WORDS_MAX = 60 };
    Arena *a = arena_new();
    const Slurm *own = f->own;
    const Sweep *s = f->sweep;
    const char *argv[WORDS_MAX + 10];
    int waiting, n = 0, base = group * own->array_max + 1;
    const char *array = array_text(a, f, group, &waiting);
    argv[n++] = "sbatch";
    argv[n++] = "--parsable";
    argv[n++] = "--requeue";
    argv[n++] = "--open-mode=append";
    argv[n++] = str_format(a, "--job-name=%s", own->name);
    argv[n++] = "--output=/dev/null";   /* the script has a log of its own for each chunk */
    n = add_words(a, f->words, argv, n, WORDS_MAX);
    argv[n++] = str_format(a, "--array=%s", array);
    argv[n++] = chunk_file(a, s, "task.sh");
    argv[n++] = str_format(a, "%d", base);
    argv[n] = NULL;
    bool ok = waiting == 0 || tool_run(a, s->diag, SBATCH, argv, NULL, log_path(a, f, "sbatch"), ANSWER_S);
    long job = waiting > 0 && ok ? job_number(printed(a, f, SBATCH)) : 0;
    for (int i = base - 1; job > 0 && i < f->n_chunks && i < base - 1 + own->array_max; i++)
        if (f->chunk[i].state == CHUNK_WAITING) {
            f->chunk[i].state = CHUNK_UNDER_WAY;
            f->chunk[i].job = job;
            f->chunk[i].task = i - base + 1;
        }
    if (ok && waiting > 0 && job == 0) {
        diag_tool(s->diag, "sbatch: printed no number of a job");
        ok = false;
    }
    ok = ok && (job == 0 || note_job(f, job));
    arena_free(a);
    return ok;
}

static bool submit(Fleet *f)
{
    const Slurm *own = f->own;
    bool ok = true;
    for (int group = 0; ok && group * own->array_max < f->n_chunks; group++)
        ok = submit_group(f, group);
    return ok;
}

/* ---- following ---- */

static bool is_over(const char *state)
{
    static const char *const ends[] = { "COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL",
                                        "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY" };
    for (int i = 0; i < LENGTH(ends); i++)
        if (strcmp(state, ends[i]) == 0)
            return true;
    return false;
}

static void note_state(Fleet *f, Chunk *c, const char *state, const char *reason)
{
    Arena *a = f->sweep->arena;
    bool pending = strcmp(state, "PENDING") == 0;
    if (pending && strcmp(reason, "None") != 0)
        f->waiting = str_dup(a, reason);
    if (is_over(state)) {
        c->state = CHUNK_OVER;
        c->cancelled = strcmp(state, "CANCELLED") == 0;
        c->end = str_format(a, "its Slurm task %ld_%d ended as %s", c->job, c->task, state);
    } else if (pending)
        c->started = 0;                 /* for the first time, or again after its node failed */
    else if (c->started == 0)
        c->started = seconds_now();
}

static Chunk *chunk_of(const Fleet *f, long job, int task)
{
    for (int i = 0; i < f->n_chunks; i++)
        if (f->chunk[i].job == job && f->chunk[i].task == task)
            return &f->chunk[i];
    return NULL;
}

/* Lines "JOB_TASK STATE REASON". Tasks that are not listed ended so long ago that Slurm forgot them. */
static void read_queue(Fleet *f, const char *text)
{
    Arena *a = arena_new();
    bool *listed = ARENA_ARRAY(a, bool, f->n_chunks);
    f->waiting = "";
    for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        long job;
        int task;
        char state[32], reason[80] = "";
        if (sscanf(p, "%ld_%d %31s %79[^\n]", &job, &task, state, reason) < 3)
            continue;
        Chunk *c = chunk_of(f, job, task);
        if (!c)
            continue;
        listed[c - f->chunk] = true;
        if (c->state == CHUNK_UNDER_WAY)
            note_state(f, c, state, reason);
    }
    for (int i = 0; i < f->n_chunks; i++)
        if (f->chunk[i].state == CHUNK_UNDER_WAY && !listed[i])
            note_state(f, &f->chunk[i], "COMPLETED", "");
    arena_free(a);
}

/* A controller that is away for a while is waited for: its tasks go on. */
static bool poll(Fleet *f)
{
    Slurm *own = f->own;
    Arena *a = arena_new();
    const char *name = str_format(a, "--name=%s", own->name), *log = log_path(a, f, "squeue");
    const char *const argv[] = { "squeue", "-h", "-r", "-t", "all", name, "-o", "%i %T %r", NULL };
    ToolEnd end;
    bool ok = tool_start(a, f->sweep->diag, SQUEUE, argv, NULL, log, ANSWER_S, &end);
    const char *text = ok && end.status == 0 ? printed(a, f, SQUEUE) : NULL;
    if (text) {
        own->answered = seconds_now();
        read_queue(f, text);
    } else if (ok && seconds_now() - own->answered > SILENCE_MAX_S) {
        tool_failed(a, f->sweep->diag, SQUEUE, argv, NULL, log, ANSWER_S, end);
        ok = false;
    } else
        f->waiting = "Slurm does not answer";
    arena_free(a);
    return ok;
}

/* ---- ending ---- */

static void cancel_jobs(Sweep *s, const long *job, int n)
{
    Arena *a = arena_new();
    const char **argv = ARENA_ARRAY(a, const char *, n + 3);
    argv[0] = "scancel";
    argv[1] = "--quiet";
    for (int i = 0; i < n; i++)
        argv[i + 2] = str_format(a, "%ld", job[i]);
    ToolEnd end;
    if (n > 0)
        tool_start(a, s->diag, SCANCEL, argv, NULL, chunk_file(a, s, "scancel.out"), ANSWER_S, &end);
    arena_free(a);
}

static void cancel(Fleet *f)
{
    const Slurm *own = f->own;
    cancel_jobs(f->sweep, own->job, own->n_jobs);
}

void fleet_end_old(Sweep *s)
{
    Arena *a = arena_new();
    const char *path = chunk_file(a, s, "jobs");
    long job[LENGTH(((Slurm *)0)->job)];
    int n = 0;
    FILE *in = fopen(path, "r");
    while (in && n < LENGTH(job) && fscanf(in, "%ld", &job[n]) == 1)
        n++;
    if (in)
        fclose(in);
    if (n > 0 && tool_find(a, diag_new(a), SCANCEL))
        cancel_jobs(s, job, n);
    arena_free(a);
}

const Runner runner_slurm = { begin, submit, poll, cancel, 1 };
