/* test_cli.c: the command line: what is accepted, where options may stand, what is refused with
 * which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "cli.h"

static int never(const Request *r)
{
    (void)r;
    return 0;
}

enum { USUAL = OPTION_OUT | OPTION_SET | OPTION_JSON | OPTION_PART };

static const Command TABLE[] = {
    { "", "SPEC.yaml", "", "generate", USUAL, never },
    { "check", "SPEC.yaml", "", "check", USUAL, never },
    { "sim", "SPEC.yaml", "", "simulate", USUAL | OPTION_SIM, never },
    { "synth", "SPEC.yaml", "", "synthesise", USUAL | OPTION_PNR | OPTION_SEEDS, never },
    { "sweep", "SWEEP.yaml", "[-j N]", "many points", OPTION_JOBS, NULL },
    { "keys", NULL, "", "reference", 0, never },
    { NULL, NULL, NULL, NULL, 0, NULL },
};

typedef struct Outcome { bool ok; int status; Request request; char out[8192], err[4096]; } Outcome;

/* Output of one stream goes to a temporary file while the command line is read. */
static int divert(FILE *stream, FILE *to)
{
    fflush(stream);
    int saved = dup(fileno(stream));
    dup2(fileno(to), fileno(stream));
    return saved;
}

static void restore(FILE *stream, int saved, FILE *from, char *text, size_t room)
{
    fflush(stream);
    dup2(saved, fileno(stream));
    close(saved);
    rewind(from);
    text[fread(text, 1, room - 1, from)] = '\0';
    fclose(from);
}

static Outcome parse_list(Arena *a, int argc, char **argv)
{
    Outcome o = { 0 };
    FILE *out = tmpfile(), *err = tmpfile();
    int saved_out = divert(stdout, out), saved_err = divert(stderr, err);
    o.ok = cli_parse(a, TABLE, argc, argv, &o.request, &o.status);
    restore(stdout, saved_out, out, o.out, sizeof o.out);
    restore(stderr, saved_err, err, o.err, sizeof o.err);
    return o;
}

#define PARSE(...)                                                                                 \
    parse_list(a, LENGTH(((char *[]){ "lstmgen", __VA_ARGS__ })),                                  \
               (char *[]){ "lstmgen", __VA_ARGS__, NULL })

static int start(void **state)
{
    *state = arena_new();
    return 0;
}

static int stop(void **state)
{
    arena_free(*state);
    return 0;
}

static void test_spec_alone(void **state)
{
    Arena *a = *state;
    Outcome o = PARSE("a.yaml");
    assert_true(o.ok && o.request.command == &TABLE[0]);
    assert_string_equal(o.request.operand, "a.yaml");
    assert_string_equal(o.request.simulator, "verilator");
    assert_null(o.request.out);
}

static void test_options_anywhere(void **state)
{
    Arena *a = *state;
    Outcome o = PARSE("--json", "-o", "out", "sim", "--set", "a=1", "a.yaml", "--sim=icarus",
                      "--set=b=2", "--part", "x");
    assert_true(o.ok && o.request.command == &TABLE[2]);
    assert_string_equal(o.request.operand, "a.yaml");
    assert_string_equal(o.request.out, "out");
    assert_string_equal(o.request.simulator, "icarus");
    assert_true((o.request.given & OPTION_JSON) && o.request.n_sets == 3);
    assert_string_equal(o.request.set[0], "a=1");
    assert_string_equal(o.request.set[1], "b=2");
    assert_string_equal(o.request.set[2], "target.part=x");
}

static void test_odd_spellings(void **state)
{
    Arena *a = *state;
    assert_string_equal(PARSE("a.yaml", "-oout").request.out, "out");
    assert_string_equal(PARSE("--", "-x.yaml").request.operand, "-x.yaml");
    assert_string_equal(PARSE("a.yaml", "--set", "--json=1").request.set[0], "--json=1");
    assert_string_equal(PARSE("check", "sim").request.operand, "sim");      /* a file called sim */
}

/* One row: words (up to 3) and what the refusal must say. */
static void test_refusals(void **state)
{
    Arena *a = *state;
    static const struct { const char *word[3], *says; } rows[] = {
        { { "a.yaml", "--jsn" }, "unknown option '--jsn': did you mean --json?" },
        { { "a.yaml", "--zzzzzzzzz" }, "unknown option '--zzzzzzzzz'" },
        { { "a.yaml", "-q" }, "unknown option '-q'" },
        { { "chek", "a.yaml" }, "unknown subcommand 'chek': did you mean check?" },
        { { "chek" }, "did you mean check?" },
        { { "whatever", "a.yaml" }, "unknown subcommand 'whatever'" },
        { { "check" }, "needs the name of a file" },
        { { "check", "a.yaml", "b.yaml" }, "one word too many: 'b.yaml'" },
        { { "a.yaml", "b.yaml" }, "one word too many: 'b.yaml'" },
        { { "keys", "a.yaml" }, "one word too many" },
        { { "check", "a.yaml", "--sim=icarus" }, "check does not take the option --sim" },
        { { "sim", "a.yaml", "--sim=vcs" }, "expected verilator or icarus" },
        { { "sim", "a.yaml", "--sim" }, "option --sim needs a value" },
        { { "a.yaml", "-o" }, "option -o needs a value" },
        { { "a.yaml", "-o", "" }, "-o needs the name of a folder" },
        { { "a.yaml", "--json=1" }, "takes no value" },
        { { "sweep", "a.yaml", "-j4" }, "sweep is not part of this version" },
        { { "synth", "a.yaml", "--seeds=3" }, "--seeds goes with --pnr only" },
    };
    for (int i = 0; i < LENGTH(rows); i++) {
        char *argv[5] = { "lstmgen" };
        int argc = 1;
        while (argc < 4 && rows[i].word[argc - 1]) {
            argv[argc] = (char *)rows[i].word[argc - 1];
            argc++;
        }
        Outcome o = parse_list(a, argc, argv);
        if (o.ok || o.status != EXIT_USAGE || o.out[0] || !strstr(o.err, rows[i].says))
            fail_msg("row %d: status %d, stdout '%s', stderr '%s'", i, o.status, o.out, o.err);
    }
}

static void test_help_and_version(void **state)
{
    Arena *a = *state;
    Outcome o = PARSE("--help");
    assert_true(!o.ok && o.status == EXIT_OK && !o.err[0]);
    assert_non_null(strstr(o.out, "lstmgen synth SPEC.yaml"));
    assert_non_null(strstr(o.out, "Exit status"));
    o = PARSE("sim", "-h");
    assert_true(o.status == EXIT_OK && strstr(o.out, "--sim") && !strstr(o.out, "synth"));
    o = PARSE("--version");
    assert_true(o.status == EXIT_OK);
    assert_string_equal(o.out, "lstmgen " LSTMGEN_VERSION "\n");
    o = parse_list(a, 1, (char *[]){ "lstmgen", NULL });
    assert_true(!o.ok && o.status == EXIT_USAGE && !o.out[0] && strstr(o.err, "Usage"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = { TEST(test_spec_alone), TEST(test_options_anywhere),
                                        TEST(test_odd_spellings), TEST(test_refusals),
                                        TEST(test_help_and_version) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
