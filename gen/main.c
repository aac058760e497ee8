/* main.c: the subcommands. Each builds what it needs with the calls of driver.h and prints what it
 * found. */
#include "cli.h"
#include "driver.h"
#include "pattern/pattern.h"
#include "flow/reference.h"
#include "propose.h"
#include "report/accuracy.h"
#include "sweep/sweep.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

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

static int run_accuracy(const Request *r)
{
    Job j;
    bool ok = job_read(&j, r->arena, diag_new(r->arena), r->operand, r->set, r->n_sets) &&
              job_load(&j);
    int status = close_messages(j.diag);
    if (!ok)
        return status;
    json_t *table = accuracy_table(j.arena, j.spec, &j.network, &j.sequences);
    if (r->given & OPTION_JSON)
        fputs(report_json_text(j.arena, table), stdout);
    else
        accuracy_print(table, stdout);
    json_decref(table);
    return EXIT_OK;
}

static int run_check(const Request *r)
{
    Job j;
    if (r->given & OPTION_ACCURACY)
        return run_accuracy(r);
    bool ok = read_and_build(&j, r);
    int status = close_messages(j.diag);
    if (!ok)
        return status;
    json_t *proposals = propose(&j, r->operand, r->set, r->n_sets), *report = job_report(&j);
    if (proposals)
        json_object_set(report, "proposals", proposals);
    if (r->given & OPTION_JSON)
        fputs(report_json_text(j.arena, report), stdout);
    else
        report_print(report, stdout);
    if (proposals && !(r->given & OPTION_JSON))
        propose_print(proposals, stdout);
    json_decref(report);
    json_decref(proposals);
    return job_verdict(&j);
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
    bool ok = read_and_build(&j, r) && (!(r->given & OPTION_PNR) || job_placeable(&j)) &&
              job_emit(&j, output_folder(&j, r)) &&
              (r->given & OPTION_PNR ? job_place(&j, output_folder(&j, r), MAX(r->seeds, 1))
                                     : job_synthesise(&j, output_folder(&j, r)));
    int status = close_messages(j.diag);
    if (!ok)
        return status;
    print_report(&j, r);
    return r->given & OPTION_CLOCK ? job_clock_verdict(&j) : EXIT_OK;
}

/* What is kept of every matrix, as a table or as one JSON object. */
static void print_pruned(const Job *j, const Request *r)
{
    json_t *rows = json_array();
    for (int k = 0; k < j->network.products; k++) {
        const Product *p = &j->network.product[k];
        int64_t all = (int64_t)p->m.rows * p->m.columns, kept = matrix_kept(&p->m);
        json_array_append_new(rows, json_pack("{s:o, s:I, s:I}", "tensor", value_string(j->arena, p->tensor),
                                              "weights", (json_int_t)all, "kept", (json_int_t)kept));
        if (!(r->given & OPTION_JSON))
            printf("  %-24s %lld of %lld weights kept (%.1f %%)\n", text_line(j->arena, p->tensor),
                   (long long)kept, (long long)all, 100.0 * (double)kept / (double)all);
    }
    json_t *o = json_pack("{s:s, s:o, s:o}", "pattern", patterns_text(j->arena, &j->network), "written",
                          value_string(j->arena, r->out), "matrices", rows);
    if (r->given & OPTION_JSON)
        fputs(report_json_text(j->arena, o), stdout);
    else
        printf("  %-24s %s\n", "written", r->out);
    json_decref(o);
}

static int run_prune(const Request *r)
{
    Job j;
    if (!r->out) {
        fprintf(stderr, "lstmgen: prune needs -o FILE: the model file to write (the name of the "
                        "input itself replaces it)\n");
        return EXIT_USAGE;
    }
    bool ok = job_read(&j, r->arena, diag_new(r->arena), r->operand, r->set, r->n_sets) &&
              job_project(&j) && model_write(j.arena, j.diag, j.spec, &j.network,
                                             r->given & OPTION_MASKS, r->out);
    int status = close_messages(j.diag);
    if (ok)
        print_pruned(&j, r);
    return ok ? EXIT_OK : status;
}

/* The spec becomes a file only when it is complete, and never in the place of another. */
static bool save_spec(Diag *d, const char *path, const Description *found)
{
    if (!found->complete) {
        diag_error(d, (Place){ 0 }, "%s was not written: the spec above is not complete", path);
        return false;
    }
    errno = 0;
    FILE *file = fopen(path, "wx");
    bool ok = file && fputs(found->text, file) >= 0;
    ok = file && fclose(file) == 0 && ok;
    if (ok)
        return true;
    if (errno == EEXIST)
        diag_error(d, (Place){ 0 }, "%s is there already and stays as it is: remove it, or choose another name", path);
    else
        diag_error(d, (Place){ 0 }, "cannot write %s: %s", path, strerror(errno));
    if (file)
        remove(path);
    return false;
}

static int run_import(const Request *r)
{
    Diag *d = diag_new(r->arena);
    Description found;
    if (r->reference && !r->out) {
        fprintf(stderr, "lstmgen: import --reference needs -o SPEC.yaml: the arrays are written beside it\n");
        return EXIT_USAGE;
    }
    if (!model_describe(r->arena, d, r->operand, r->out, &found))
        return close_messages(d);
    if (r->reference && found.complete && !file_exists(r->out) && !reference_run(r->arena, d, r->operand, r->reference, r->out, &found))
        found.complete = false;
    bool saved = r->out && save_spec(d, r->out, &found);
    if (saved)
        json_object_set_new(found.object, "written", value_string(r->arena, r->out));
    if (r->given & OPTION_JSON)
        fputs(report_json_text(r->arena, found.object), stdout);
    else if (saved)
        printf("  %-10s %s\n", "written", r->out);
    else if (!r->out || !found.complete)
        fputs(found.text, stdout);
    json_decref(found.object);
    return close_messages(d);
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

static int run_cells(const Request *r)
{
    (void)r;
    cells_print(stdout);
    return EXIT_OK;
}

static int run_keys(const Request *r)
{
    (r->given & OPTION_MARKDOWN ? keys_markdown : keys_print)(stdout);
    return EXIT_OK;
}

enum { SPEC_OPTIONS = OPTION_OUT | OPTION_SET | OPTION_JSON | OPTION_PART | OPTION_PREFIX };

static const Command COMMANDS[] = {
    { "", "SPEC.yaml", "[-o DIR] [--set key.path=value]...",
      "generate the core: Verilog, memory images, testbench, report", SPEC_OPTIONS, run_generate },
    { "check", "SPEC.yaml", "[--accuracy] [--json]",
      "validate, estimate cycles, memory and size, and the SNR of the number formats; "
      "write nothing",
      (SPEC_OPTIONS & ~OPTION_OUT) | OPTION_ACCURACY, run_check },
    { "sim", "SPEC.yaml", "[--sim verilator|icarus]",
      "generate, simulate, compare bit for bit, print cycles and SNR", SPEC_OPTIONS | OPTION_SIM,
      run_sim },
    { "synth", "SPEC.yaml", "[--part PART] [--pnr [--seeds N] [--require-clock]]",
      "generate, run Yosys, print resources beside the estimate; --pnr: place and route, print the clock",
      SPEC_OPTIONS | OPTION_PNR | OPTION_SEEDS | OPTION_CLOCK, run_synth },
    { "sweep", "SWEEP.yaml", "[-j N] [-o DIR] [--runner slurm|'CMD {}']",
      "many design points: a table, their Pareto front, a page; goes on where it was stopped",
      OPTION_JOBS | OPTION_OUT | OPTION_SIM | OPTION_DRY | OPTION_FORCE | OPTION_FRONT | OPTION_BEST |
          OPTION_RUNNER | OPTION_CHUNK,
      sweep_run },
    { "import", "FILE", "[-o SPEC.yaml [--reference IN.npy]] [--json]", "what is in a model file, printed or saved as a spec",
      OPTION_JSON | OPTION_OUT | OPTION_REFERENCE, run_import },
    { "prune", "SPEC.yaml", "-o FILE [--masks]",
      "write the pruned weights back in the input's own format",
      OPTION_OUT | OPTION_SET | OPTION_JSON | OPTION_MASKS, run_prune },
    { "parts", NULL, "", "FPGA parts that are supported", 0, run_parts },
    { "patterns", NULL, "", "sparsity patterns that are supported", 0, run_patterns },
    { "cells", NULL, "", "recurrent cells: their equations as passes, and their keys", 0, run_cells },
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
