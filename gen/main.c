/* main.c: the subcommands. Each builds what it needs with the calls of driver.h and prints what it
 * found. */
#include "cli.h"
#include "driver.h"
#include "sweep/sweep.h"

#include <signal.h>

static void print_report(Job *j, const Request *r)
{
    json_t *report = job_report(j);
    if (r->given & OPTION_JSON)
        fputs(report_json_text(j->arena, report), stdout);
    else
        report_print(report, stdout);
    json_decref(report);
}

static const char *output_folder(const Job *j, const Request *r)
{
    return r->out ? r->out : str_format(j->arena, "rtl_out/%s", j->spec->name);
}

/* Prints the messages so far; the status they amount to. */
static int close_messages(Diag *d)
{
    diag_flush(d, stderr);
    return diag_status(d);
}

static bool read_and_build(Job *j, const Request *r)
{
    return job_read(j, r->arena, diag_new(r->arena), r->operand, r->set, r->n_sets) && job_build(j);
}

static int run_generate(const Request *r)
{
    Job j;
    bool ok = read_and_build(&j, r) && job_emit(&j, output_folder(&j, r));
    int status = close_messages(j.diag);
    if (!ok)
        return status;
    print_report(&j, r);
    if (!(r->given & OPTION_JSON))
        printf("  %-10s %s\n", "written", output_folder(&j, r));
    return EXIT_OK;
}

static int run_check(const Request *r)
{
    Job j;
    bool ok = read_and_build(&j, r);
    int status = close_messages(j.diag);
    if (ok)
        print_report(&j, r);
    return ok ? EXIT_OK : status;
}

static int run_sim(const Request *r)
{
    Job j;
    bool ok = read_and_build(&j, r) && job_emit(&j, output_folder(&j, r)) &&
              job_simulate(&j, output_folder(&j, r), r->simulator);
    int status = close_messages(j.diag);
    if (!ok)
        return status;
    print_report(&j, r);
    return job_verdict(&j);
}

static int run_synth(const Request *r)
{
    Job j;
    bool ok = read_and_build(&j, r) && job_emit(&j, output_folder(&j, r)) &&
              job_synthesise(&j, output_folder(&j, r));
    int status = close_messages(j.diag);
    if (ok)
        print_report(&j, r);
    return ok ? EXIT_OK : status;
}

static int run_parts(const Request *r)
{
    (void)r;
    parts_print(stdout);
    return EXIT_OK;
}

static int run_patterns(const Request *r)
{
    (void)r;
    patterns_print(stdout);
    return EXIT_OK;
}

static int run_keys(const Request *r)
{
    (r->given & OPTION_MARKDOWN ? keys_markdown : keys_print)(stdout);
    return EXIT_OK;
}

enum { SPEC_OPTIONS = OPTION_OUT | OPTION_SET | OPTION_JSON | OPTION_PART };

static const Command COMMANDS[] = {
    { "", "SPEC.yaml", "[-o DIR] [--set key.path=value]...",
      "generate the core: Verilog, memory images, testbench, report", SPEC_OPTIONS, run_generate },
    { "check", "SPEC.yaml", "[--json]",
      "validate, estimate cycles, memory and size, and the SNR of the number formats; "
      "write nothing",
      SPEC_OPTIONS, run_check },
    { "sim", "SPEC.yaml", "[--sim verilator|icarus]",
      "generate, simulate, compare bit for bit, print cycles and SNR", SPEC_OPTIONS | OPTION_SIM,
      run_sim },
    { "synth", "SPEC.yaml", "[--part PART]",
      "generate, run Yosys, print resources beside the estimate", SPEC_OPTIONS | OPTION_PNR,
      run_synth },
    { "sweep", "SWEEP.yaml", "[-j N] [-o DIR]",
      "many design points: a table, their Pareto front, a page; goes on where it was stopped",
      OPTION_JOBS | OPTION_OUT | OPTION_SIM | OPTION_DRY | OPTION_FORCE | OPTION_FRONT | OPTION_BEST,
      sweep_run },
    { "import", "FILE", "", "what is in a model file, printed as a spec", OPTION_JSON, NULL },
    { "prune", "SPEC.yaml", "-o FILE", "write the pruned weights back in the input's own format",
      SPEC_OPTIONS, NULL },
    { "parts", NULL, "", "FPGA parts that are supported", 0, run_parts },
    { "patterns", NULL, "", "sparsity patterns that are supported", 0, run_patterns },
    { "keys", NULL, "[--markdown]", "reference of every key of a spec", OPTION_MARKDOWN, run_keys },
    { NULL, NULL, NULL, NULL, 0, NULL },
};

int main(int argc, char **argv)
{
    Arena *a = arena_new();
    Request request;
    int status;
    signal(SIGXFSZ, SIG_IGN);   /* a file above `ulimit -f` is an error of write, said and undone */
    if (cli_parse(a, COMMANDS, argc, argv, &request, &status))
        status = request.command->run(&request);
    arena_free(a);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "lstmgen: cannot write to stdout\n");
        status = status ? status : EXIT_INPUT;
    }
    return status;
}
