/* test_flow.c: external programs (found, missing, failing, crashing, hanging) and the verdict of a
 * simulation. */
#include "flow/flow.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Fixture {
    Arena *a;
    Diag *d;
    char folder[64];
    char log[128];
} Fixture;

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    f->a = arena_new();
    f->d = diag_new(f->a);
    strcpy(f->folder, "/tmp/test flow.XXXXXX"); /* a blank on purpose */
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->log, sizeof f->log, "%s/log", f->folder);
    setenv("LG_CACHE", f->folder, 1); /* not the user's */
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    Fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    assert_int_equal(system(command), 0);
    arena_free(f->a);
    free(f);
    return 0;
}

/* Everything the diagnostics say. */
static const char *said(Fixture *f)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    diag_flush(f->d, to);
    fclose(to);
    const char *copy = str_dup(f->a, text);
    free(text);
    return copy;
}

static void assert_says(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in:\n%s", words, text);
}

static void put_file(Fixture *f, const char *name, const char *text)
{
    FILE *to = fopen(path_join(f->a, f->folder, name), "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static bool shell(Fixture *f, const char *command, int timeout_s)
{
    const char *argv[] = { "sh", "-c", command, NULL };
    return tool_run(f->a, f->d, (Tool) { "sh", "dash" }, argv, f->folder, f->log, timeout_s);
}

static void test_success_logs_both_streams_in_folder(void **state)
{
    Fixture *f = *state;
    assert_true(
        shell(f, "echo out; echo err >&2; echo 'one two' >made; read line || echo no input", 0));
    assert_false(diag_failed(f->d));
    Bytes log, made;
    assert_true(file_read(f->a, f->d, (Place) { 0 }, f->log, 1000, &log));
    assert_int_equal(log.size, strlen("out\nerr\nno input\n"));
    assert_memory_equal(log.data, "out\nerr\nno input\n", log.size);
    assert_true(
        file_read(f->a, f->d, (Place) { 0 }, path_join(f->a, f->folder, "made"), 1000, &made));
}

static void test_missing_names_package(void **state)
{
    Fixture *f = *state;
    const char *argv[] = { "verilatorr", NULL };
    assert_false(tool_run(f->a, f->d, (Tool) { "verilatorr", "verilator" }, argv, NULL, f->log, 0));
    assert_int_equal(diag_status(f->d), EXIT_TOOL);
    assert_says(said(f), "verilatorr: not found; on Debian: apt install verilator");
}

static void test_failure_shows_command_and_last_lines(void **state)
{
    Fixture *f = *state;
    assert_false(shell(
        f, "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do echo line $i; done; exit 3",
        0));
    const char *text = said(f);
    assert_int_equal(diag_status(f->d), EXIT_TOOL);
    assert_says(text, "sh: failed with exit status 3");
    assert_says(text, "command: sh -c 'for i in");
    assert_says(text, "| line 4\n");
    assert_says(text, "| line 18");
    assert_null(strstr(text, "line 3\n"));
}

static void test_quiet_failure(void **state)
{
    Fixture *f = *state;
    assert_false(shell(f, "exit 1", 0));
    assert_says(said(f), "printed nothing");
}

static void test_crash_names_signal(void **state)
{
    Fixture *f = *state;
    assert_false(shell(f, "kill -SEGV $$", 0));
    assert_says(said(f), "crashed with signal 11");
}

static void test_timeout_kills_the_whole_group(void **state)
{
    Fixture *f = *state;
    time_t before = time(NULL);
    assert_false(shell(f, "(sleep 3; echo late >late) & sleep 30", 1));
    assert_true(time(NULL) - before < 10);
    assert_says(said(f), "stopped after 1 s");
    sleep(3);
    assert_false(file_exists(path_join(f->a, f->folder, "late")));
}

static void test_bad_folder(void **state)
{
    Fixture *f = *state;
    const char *argv[] = { "true", NULL };
    assert_false(
        tool_run(f->a, f->d, (Tool) { "true", "coreutils" }, argv, "/nowhere/at/all", f->log, 0));
    assert_says(said(f), "cannot be started in /nowhere/at/all");
}

static void test_bad_log(void **state)
{
    Fixture *f = *state;
    const char *argv[] = { "true", NULL };
    assert_false(
        tool_run(f->a, f->d, (Tool) { "true", "coreutils" }, argv, NULL, "/nowhere/log", 0));
    assert_says(said(f), "cannot write its log /nowhere/log");
}

/* A folder whose Makefile stands for a simulation: `recipe` is what it does. */
static bool simulate(Fixture *f, const char *recipe, SimResult *r)
{
    put_file(f, "Makefile", str_format(f->a, "sim:\n\t@%s\nsim-icarus:\n\t@%s\n", recipe, recipe));
    return sim_run(f->a, f->d, f->folder, "icarus", r);
}

#define RESULT "$(SIM_BUILD)/result-icarus.json"

static void test_sim_pass(void **state)
{
    Fixture *f = *state;
    SimResult r;
    put_file(f, "good.json",
             "{\"pass\":true,\"mismatches\":0,\"compared\":96,\"measured\":{\"interval\":518.25,"
             "\"latency\":31,\"steps\":8,\"total\":4150},\"saturations\":2,\"errors\":[],"
             "\"simulator\":\"icarus 11.0\"}");
    assert_true(simulate(f, "cp good.json " RESULT, &r));
    assert_true(r.pass);
    assert_int_equal(r.compared, 96);
    assert_int_equal(r.saturations, 2);
    assert_true(r.interval == 518.25);
    assert_int_equal(r.latency, 31);
    assert_int_equal(r.steps, 8);
    assert_int_equal(r.total, 4150);
    assert_string_equal(r.simulator, "icarus 11.0");
    assert_false(diag_failed(f->d));
}

static void test_sim_mismatch_is_a_verdict(void **state)
{
    Fixture *f = *state;
    SimResult r;
    put_file(f, "bad.json",
             "{\"pass\":false,\"mismatches\":3,\"compared\":96,\"errors\":[\"tlast\"],"
             "\"simulator\":\"x\"}");
    assert_true(simulate(f, "cp bad.json " RESULT "; exit 3", &r));
    assert_false(r.pass);
    assert_int_equal(r.mismatches, 3);
    assert_true(r.interval == -1 && r.saturations == -1);
    assert_int_equal(r.n_errors, 1);
    assert_string_equal(r.errors[0], "tlast");
    assert_false(diag_failed(f->d));
}

static void refuse_sim(Fixture *f, const char *recipe, const char *words)
{
    SimResult r;
    assert_false(simulate(f, recipe, &r));
    assert_false(r.pass);
    assert_int_equal(diag_status(f->d), EXIT_TOOL);
    assert_says(said(f), words);
}

static void test_sim_without_result(void **state)
{
    refuse_sim(*state, "echo it ran", "it ran");
}
static void test_sim_crash(void **state)
{
    refuse_sim(*state, "kill -ABRT $$$$", "exit status 2");
}
static void test_sim_damaged_result(void **state)
{
    refuse_sim(*state, "echo '{\"pass\":tr' >" RESULT, "iverilog: ended without a result");
}
static void test_sim_crash_after_pass(void **state)
{
    Fixture *f = *state;
    put_file(f, "good.json", "{\"pass\":true,\"mismatches\":0,\"compared\":1,\"simulator\":\"x\"}");
    refuse_sim(f, "cp good.json " RESULT "; exit 4", "exit status 2");
}

/* A result left by a former run must not count. */
static void test_sim_stale_result(void **state)
{
    Fixture *f = *state;
    assert_int_equal(mkdir(path_join(f->a, f->folder, "build"), 0777), 0);
    put_file(f, "build/result-icarus.json",
             "{\"pass\":true,\"mismatches\":0,\"compared\":1,\"simulator\":\"x\"}");
    refuse_sim(f, "true", "iverilog: ended without a result");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_success_logs_both_streams_in_folder),
        CASE(test_missing_names_package),
        CASE(test_failure_shows_command_and_last_lines),
        CASE(test_quiet_failure),
        CASE(test_crash_names_signal),
        CASE(test_timeout_kills_the_whole_group),
        CASE(test_bad_folder),
        CASE(test_bad_log),
        CASE(test_sim_pass),
        CASE(test_sim_mismatch_is_a_verdict),
        CASE(test_sim_without_result),
        CASE(test_sim_crash),
        CASE(test_sim_damaged_result),
        CASE(test_sim_crash_after_pass),
        CASE(test_sim_stale_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
