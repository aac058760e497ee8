/* tool.c: external programs: found, run with a time limit, and reported when they fail. */
#define _GNU_SOURCE /* pipe2 */
#include "flow/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    TAIL_LINES = 15,
    TAIL_BYTES = 16384,
    POLL_MAX_NS = 10 * 1000 * 1000,
    POLL_MIN_NS = 200 * 1000
};

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* An absolute path: the child changes its folder before it starts the program. The last component
 * stays as it is: some programs look at the name they were called by (ccache, busybox). */
static const char *absolute(Arena *a, const char *path)
{
    if (path[0] == '/')
        return path;
    char *folder = str_dup(a, path);
    *strrchr(folder, '/') = 0;
    char *real = realpath(folder, NULL);
    const char *out = real ? path_join(a, real, path_name(path)) : NULL;
    free(real);
    return out;
}

/* Absolute path of a program ("dir/program" as it is, else through PATH); NULL: not there. */
static const char *locate(Arena *a, const char *program)
{
    const char *path = getenv("PATH");
    if (strchr(program, '/'))
        return is_program(program) ? absolute(a, program) : NULL;
    for (const char *p = path ? path : "/usr/bin:/bin"; p; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL) {
        size_t n = strcspn(p, ":");
        const char *candidate = n ? path_join(a, str_ndup(a, p, n), program) : str_format(a, "./%s", program);
        if (is_program(candidate))
            return absolute(a, candidate);
    }
    return NULL;
}

const char *tool_find(Arena *a, Diag *d, Tool tool)
{
    const char *found = locate(a, tool.program);
    if (!found)
        diag_tool(d, "%s: not found; on Debian: apt install %s", tool.program, tool.package);
    return found;
}

Tool tool_choose(Arena *a, const char *variable, const char *const names[], const char *package)
{
    const char *own = getenv(variable);
    if (own && *own)
        return (Tool) { own, package };
    for (int i = 0; names[i]; i++)
        if (locate(a, names[i]))
            return (Tool) { names[i], package };
    return (Tool) { names[0], package };
}

/* ---------------------------------------------------------------- the end of this process */

static const int ENDING[] = { SIGINT, SIGTERM, SIGHUP };
static volatile pid_t running; /* the tool's process group, 0: none */

/* The tool and all that it started end with this process: its own group gets no ^C, and what make
 * or a shell leaves behind would run on. */
static void end_both(int number)
{
    if (running > 0)
        kill(-running, SIGKILL);
    signal(number, SIG_DFL);
    raise(number);
}

/* Only where nothing else is to happen; false: the signal is somebody else's, or ignored. */
static bool catch_ending(int number, struct sigaction *old)
{
    struct sigaction act = { .sa_handler = end_both };
    if (sigaction(number, NULL, old) < 0 || old->sa_handler != SIG_DFL)
        return false;
    return sigaction(number, &act, NULL) == 0;
}

static void block_ending(int how)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < LENGTH(ENDING); i++)
        sigaddset(&set, ENDING[i]);
    sigprocmask(how, &set, NULL);
}

/* ---------------------------------------------------------------- temporary files */

/* Icarus and Yosys give the names of their temporary files to a shell, between double quotes or none: a folder with
 * other characters than those of plain paths would be taken apart or carried out. */
static const char *const TEMP_NAMES[] = { "TMPDIR", "TMP", "TEMP" };
static const char SAFE_TEMP[] = "/tmp";

static bool temp_is_safe(const char *name)
{
    const char *value = getenv(name);
    return !value || !value[0] || text_is_path(value);
}

static void warn_of_temp(Diag *d, Arena *a)
{
    for (int i = 0; i < LENGTH(TEMP_NAMES); i++)
        if (!temp_is_safe(TEMP_NAMES[i]))
            diag_warn(d, (Place){ 0 }, "%s is '%s': with other characters than letters, digits and -+_./,@ the tools' "
                      "temporary files go to %s", TEMP_NAMES[i], text_line(a, getenv(TEMP_NAMES[i])), SAFE_TEMP);
}

static void replace_unsafe_temp(void)
{
    for (int i = 0; i < LENGTH(TEMP_NAMES); i++)
        if (!temp_is_safe(TEMP_NAMES[i]))
            setenv(TEMP_NAMES[i], SAFE_TEMP, 1);
}

/* ---------------------------------------------------------------- the child */

/* Runs in the child: never returns. An errno that keeps the program from starting goes through the
 * pipe. */
static _Noreturn void child(const char *path, const char *const argv[], const char *folder, int log,
                            int error_pipe)
{
    setpgid(0, 0);
    block_ending(SIG_UNBLOCK);
    replace_unsafe_temp();
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* its own group does not get the terminal's ^C */
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool ready = nothing >= 0 && dup2(nothing, 0) >= 0 && dup2(log, 1) >= 0 && dup2(log, 2) >= 0;
    if (ready && (!folder || chdir(folder) == 0))
        execv(path, (char *const *)argv);
    int why = errno;
    if (write(error_pipe, &why, sizeof why) != sizeof why)
        _exit(126);
    _exit(127);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int wait_for(pid_t pid, int timeout_s, bool *timed_out)
{
    int state = 0;
    double end = seconds() + timeout_s;
    long pause = POLL_MIN_NS;
    *timed_out = false;
    for (;;) {
        pid_t got = waitpid(pid, &state, timeout_s > 0 && !*timed_out ? WNOHANG : 0);
        if (got == pid)
            return state;
        if (got < 0 && errno != EINTR)
            FAULT("waitpid: %s", strerror(errno));
        if (timeout_s > 0 && !*timed_out && seconds() >= end) {
            *timed_out = true;
            kill(-pid, SIGKILL);
        } else if (got == 0) {
            nanosleep(&(struct timespec) { 0, pause }, NULL);
            pause = MIN(pause * 2, POLL_MAX_NS);
        }
    }
}

/* Starts the child and waits. Returns 0, or the errno that kept it from starting. */
static int run_child(const char *path, const char *const argv[], const char *folder, int log,
                     int timeout_s, ToolEnd *end)
{
    int link[2], why = 0;
    if (pipe2(link, O_CLOEXEC) < 0)
        return errno;
    block_ending(SIG_BLOCK); /* until it is known whom to end */
    pid_t pid = fork();
    if (pid < 0) {
        why = errno;
        block_ending(SIG_UNBLOCK);
        close(link[0]);
        close(link[1]);
        return why;
    }
    if (pid == 0)
        child(path, argv, folder, log, link[1]);
    setpgid(pid, pid); /* here too: whichever comes first, before any kill */
    running = pid;
    block_ending(SIG_UNBLOCK);
    close(link[1]);
    ssize_t got;
    while ((got = read(link[0], &why, sizeof why)) < 0 && errno == EINTR)
        ;
    close(link[0]);
    int state = wait_for(pid, timeout_s, &end->timed_out);
    running = 0;
    end->signal = WIFSIGNALED(state) ? WTERMSIG(state) : 0;
    end->status = WIFEXITED(state) && !end->timed_out ? WEXITSTATUS(state) : -1;
    return got == sizeof why ? why : 0;
}

bool tool_start(Arena *a, Diag *d, Tool tool, const char *const argv[], const char *folder,
                const char *log_path, int timeout_s, ToolEnd *end)
{
    *end = (ToolEnd) { -1, 0, false };
    const char *path = tool_find(a, d, tool);
    if (!path)
        return false;
    int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (log < 0) {
        diag_tool(d, "%s: cannot write its log %s: %s", tool.program, log_path, strerror(errno));
        return false;
    }
    warn_of_temp(d, a);
    fflush(NULL); /* the child must not print our pending output again */
    struct sigaction old[LENGTH(ENDING)];
    bool caught[LENGTH(ENDING)];
    for (int i = 0; i < LENGTH(ENDING); i++)
        caught[i] = catch_ending(ENDING[i], &old[i]);
    int why = run_child(path, argv, folder, log, timeout_s, end);
    for (int i = 0; i < LENGTH(ENDING); i++)
        if (caught[i])
            sigaction(ENDING[i], &old[i], NULL);
    close(log);
    if (why)
        diag_tool(d, "%s: cannot be started%s%s: %s", path, folder ? " in " : "",
                  folder ? folder : "", strerror(why));
    return !why;
}

/* ---------------------------------------------------------------- reports */

/* The last lines of a file, each after two blanks; unprintable bytes as '?'. */
static void add_tail(Buffer *b, const char *path)
{
    static const char nothing[] = "\n  (it printed nothing)";
    char text[TAIL_BYTES];
    FILE *in = fopen(path, "rb");
    if (!in)
        return;
    fseek(in, 0, SEEK_END);
    long size = ftell(in);
    fseek(in, size > TAIL_BYTES ? size - TAIL_BYTES : 0, SEEK_SET);
    size_t n = fread(text, 1, sizeof text, in), from;
    fclose(in);
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    int lines = 0;
    for (from = n; from > 0; from--)
        if (text[from - 1] == '\n' && ++lines == TAIL_LINES)
            break;
    if (!n)
        buffer_print(b, "%s", nothing);
    else
        buffer_print(b, "\n  | ");
    for (; from < n; from++) {
        if (text[from] == '\n')
            buffer_print(b, "\n  | ");
        else if (text[from] == '\t' || (unsigned char)text[from] >= 0x20)
            buffer_add(b, &text[from], 1);
        else if (text[from] != '\r')
            buffer_add(b, "?", 1);
    }
}

void tool_failed(Arena *a, Diag *d, Tool tool, const char *const argv[], const char *folder,
                 const char *log_path, int timeout_s, ToolEnd end)
{
    Buffer b;
    buffer_init(&b, a);
    if (end.timed_out)
        buffer_print(&b, "%s: stopped after %d s without an end", tool.program, timeout_s);
    else if (end.signal)
        buffer_print(&b, "%s: crashed with signal %d (%s)", tool.program, end.signal,
                     strsignal(end.signal));
    else if (end.status == 0)
        buffer_print(&b, "%s: ended without a result", tool.program);
    else
        buffer_print(&b, "%s: failed with exit status %d", tool.program, end.status);
    buffer_print(&b, "\n  command: ");
    for (int i = 0; argv[i]; i++) {
        if (i)
            buffer_add(&b, " ", 1);
        buffer_print(&b, "%s", shell_word(a, argv[i]));
    }
    if (folder)
        buffer_print(&b, "\n  in: %s", folder);
    buffer_print(&b, "\n  the last lines of %s:", log_path);
    add_tail(&b, log_path);
    diag_tool(d, "%s", b.text);
}

bool tool_run(Arena *a, Diag *d, Tool tool, const char *const argv[], const char *folder,
              const char *log_path, int timeout_s)
{
    ToolEnd end;
    if (!tool_start(a, d, tool, argv, folder, log_path, timeout_s, &end))
        return false;
    if (end.status != 0)
        tool_failed(a, d, tool, argv, folder, log_path, timeout_s, end);
    return end.status == 0;
}
