/* sim.c: simulates an output folder by its own Makefile and reads the verdict of its testbench. */
#include "flow/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIM_TIMEOUT_S = 4 * 3600 };

/* mkdir -p. */
static bool make_folders(Arena *a, const char *path)
{
    char *text = str_dup(a, path);
    for (char *p = text + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        if (mkdir(text, 0777) < 0 && errno != EEXIST)
            return false;
        *p = '/';
    }
    return mkdir(text, 0777) == 0 || errno == EEXIST;
}

/* Where built simulations are kept: $LG_CACHE, else the user's cache folder, else the output folder
 * itself. */
static const char *cache_folder(Arena *a)
{
    const char *set = getenv("LG_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const char *out = NULL;
    if (set && *set)
        out = set;
    else if (xdg && *xdg)
        out = path_join(a, xdg, "lstmgen");
    else if (home && *home)
        out = path_join(a, home, ".cache/lstmgen");
    if (!out || !make_folders(a, out) || access(out, W_OK | X_OK) != 0)
        return NULL;
    char *real = realpath(out, NULL);
    out = real ? str_dup(a, real) : NULL;
    free(real);
    return out;
}

/* Number `key` of an object; `missing` when it is not there. */
static double number(const json_t *object, const char *key, double missing)
{
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : missing;
}

static int64_t integer(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) ? (int64_t)json_integer_value(v) : -1;
}

static void read_errors(Arena *a, const json_t *list, SimResult *out)
{
    int n = (int)json_array_size(list);
    const char **errors = ARENA_ARRAY(a, const char *, n + 1);
    for (int i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, (size_t)i));
        errors[i] = str_dup(a, text ? text : "");
    }
    out->errors = errors;
    out->n_errors = n;
}

static SimDelta read_delta(const json_t *o)
{
    return (SimDelta) { integer(o, "steps"), integer(o, "skipped_x"), integer(o, "skipped_h"), integer(o, "columns"),
                        integer(o, "busiest") };
}

/* Reads the testbench's result; false when it is not one. */
static bool read_result(Arena *a, const char *path, SimResult *out)
{
    json_t *root = json_load_file(path, 0, NULL);
    const json_t *pass = json_object_get(root, "pass"),
                 *measured = json_object_get(root, "measured");
    const char *simulator = json_string_value(json_object_get(root, "simulator"));
    out->mismatches = integer(root, "mismatches");
    out->compared = integer(root, "compared");
    bool good = json_is_boolean(pass) && simulator && out->mismatches >= 0 && out->compared >= 0;
    if (good) {
        out->pass = json_is_true(pass) && out->mismatches == 0 && out->compared > 0;
        out->saturations = integer(root, "saturations");
        out->interval = number(measured, "interval", -1);
        out->latency = integer(measured, "latency");
        out->steps = integer(measured, "steps");
        out->total = integer(measured, "total");
        out->delta = read_delta(json_object_get(root, "delta"));
        out->raised = read_delta(json_object_get(root, "raised"));
        out->simulator = str_dup(a, simulator);
        read_errors(a, json_object_get(root, "errors"), out);
    }
    json_decref(root);
    return good;
}

bool sim_run(Arena *a, Diag *d, const char *folder, const char *simulator, SimResult *out)
{
    static const Tool make = { "make", "make" };
    static const Tool verilator[] = { { "verilator", "verilator" },
                                      { "g++", "g++" },
                                      { "gcc", "gcc" } };
    static const Tool icarus[] = { { "iverilog", "iverilog" },
                                   { "vvp", "iverilog" },
                                   { "gcc", "gcc" } };
    bool on_verilator = !strcmp(simulator, "verilator");
    REQUIRE(on_verilator || !strcmp(simulator, "icarus"));
    *out = (SimResult) { .mismatches = -1,
                         .compared = -1,
                         .saturations = -1,
                         .interval = -1,
                         .latency = -1,
                         .steps = -1,
                         .total = -1 };
    const Tool *tools = on_verilator ? verilator : icarus;
    bool there = true;
    for (int i = 0; i < 3; i++)
        there = tool_find(a, d, tools[i]) && there;
    if (!there)
        return false;
    const char *build = path_join(a, folder, "build");
    const char *result = str_format(a, "%s/result-%s.json", build, simulator);
    out->log = str_format(a, "%s/sim-%s.log", build, simulator);
    if (!make_folders(a, build) || (unlink(result) < 0 && errno != ENOENT)) {
        diag_tool(d, "simulation: cannot write %s: %s", build, strerror(errno));
        return false;
    }
    const char *cache = cache_folder(a);
    const char *argv[] = { "make",
                           "-s",
                           "--no-print-directory",
                           on_verilator ? "sim" : "sim-icarus",
                           "SIM_BUILD=build",
                           cache ? str_format(a, "LG_CACHE=%s", text_make(a, cache)) : NULL,
                           NULL };
    ToolEnd end;
    if (!tool_start(a, d, make, argv, folder, out->log, SIM_TIMEOUT_S, &end))
        return false;
    /* A mismatch ends make with a status too; only the result file tells it from a crash. A PASS
     * needs both. */
    bool verdict = read_result(a, result, out) && !end.timed_out && (end.status == 0 || !out->pass);
    if (!verdict) {
        out->pass = false;
        tool_failed(a, d, tools[0], argv, folder, out->log, SIM_TIMEOUT_S, end);
    }
    return verdict;
}
