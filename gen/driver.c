/* driver.c: the pipeline as one list of calls. */
#include "driver.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "emit/emit.h"
#include "flow/synth.h"

/* ---- progress: one line on a terminal, nothing in a pipe ---- */

static void progress(const char *what)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%s%s", what, *what ? " ..." : "");
}

/* ---- stages ---- */

static bool read_spec(Job *j, const char *path, const char *const *sets, int n_sets)
{
    j->spec = spec_load(j->arena, j->diag, path, sets, n_sets);
    return j->spec != NULL;
}

static bool read_network(Job *j)
{
    bool ok = network_load(j->arena, j->diag, j->spec, &j->network);
    j->network.delta = j->spec->delta;
    j->network.delta_x = j->spec->delta_x;
    j->network.delta_h = j->spec->delta_h;
    return ok;
}

/* Which steps leave the core is the graph's to say where the spec does not. */
static void settle_output(Job *j)
{
    Spec *s = j->spec;
    if (!j->network.last || spec_sends_last(s))
        return;
    if (spec_gives(s, "network.output"))
        diag_warn(j->diag, spec_at(s, "network.output"), "network.output: %s: the graph of %s gives the last step of "
                  "each sequence alone, this core gives every step", s->output, s->model_file);
    else
        s->output = "last";
}

/* The pattern's defaults and clashes need the sizes of the matrices. */
static bool check_pattern(Job *j)
{
    settle_output(j);
    if (!patterns_assign(j->diag, j->spec, &j->network))
        return false;
    patterns_check(j->spec, &j->network, j->diag);
    return !diag_failed(j->diag);
}

static bool read_sequences(Job *j)
{
    return sequences_load(j->arena, j->diag, j->spec, &j->network, &j->sequences);
}

/* Outputs before pruning, so that no second copy of the weights is needed to tell what pruning
 * costs. Only where something is pruned here, and for inputs of the user: what it does to noise
 * tells nothing. */
static bool run_unpruned(Job *j)
{
    if (!network_is_pruned(&j->network) || j->sequences.made)
        return true;
    size_t width = (size_t)j->network.layer[j->network.n - 1].outputs;
    j->y_unpruned = ARENA_ARRAY(j->arena, float,
                                (size_t)j->sequences.n *(size_t)j->sequences.steps *width);
    float_network_run(&j->network, &j->sequences, j->y_unpruned);
    return true;
}

static bool prune(Job *j)
{
    bool ok = !j->spec->delta_profile || profile_order(j->arena, j->diag, j->spec, &j->network);
    for (int p = 0; ok && p < j->network.products; p++)
        ok = j->network.product[p].m.pattern->prune(j->spec, j->arena, j->diag, &j->network, p);
    return ok;
}

static bool quantise(Job *j)
{
    return network_quantise(j->arena, j->diag, j->spec, &j->network, &j->sequences, &j->qnet)
           && delta_quantise(j->diag, j->spec, &j->qnet);
}

static bool plan(Job *j)
{
    int steps = 0;
    for (int n = 0; n < j->sequences.n; n++)
        steps += j->sequences.length[n];
    return design_plan(j->arena, j->diag, j->spec, &j->network, &j->qnet, &j->golden.activity, steps, j->log,
                       &j->design);
}

static bool run_golden(Job *j)
{
    bool ok = golden_run(j->arena, &j->qnet, &j->network, &j->sequences, &j->golden);
    j->golden.y_unpruned = j->y_unpruned;
    return ok;
}

/* A part that is too small is the user's affair, but said aloud. */
static void warn_if_too_large(Job *j)
{
    const int64_t *n = j->estimate.count;
    const Part *p = j->design.part;
    if (!j->spec->part || usage_fits(&j->estimate))
        return;
    diag_warn(
        j->diag, spec_at(j->spec, "target.part"),
        "the core will not fit %s: about %lld of %lld LUT, %lld of %lld "
        "FF, %lld of %lld DSP, %lld of %lld BRAM; make the engine smaller or take a larger part",
        p->name, (long long)(n[RES_LUT] + n[RES_LUTRAM]), (long long)p->luts, (long long)n[RES_FF],
        (long long)p->ffs, (long long)n[RES_DSP], (long long)p->dsps, (long long)n[RES_BRAM],
        (long long)p->brams);
}

static bool gather(Job *j)
{
    j->estimate = usage_estimate(&j->design);
    warn_if_too_large(j);
    j->report = (Report){ .design = &j->design,
                          .estimate = &j->estimate,
                          .golden = &j->golden,
                          .sequences = &j->sequences,
                          .facts = facts_gather(&j->design, &j->golden, &j->sequences) };
    warnings_gather(j->arena, j->diag, j->spec, &j->report);
    return true;
}

static bool lay_out(Job *j)
{
    const Design *d = &j->design;
    if (d->engine->timeline) {
        d->engine->timeline(d, j->arena, &j->timeline);
        j->report.timeline = &j->timeline;
    }
    return true;
}

bool job_read(Job *j, Arena *a, Diag *d, const char *spec_path, const char *const *sets, int n_sets)
{
    *j = (Job){ .arena = a, .diag = d };
    return read_spec(j, spec_path, sets, n_sets);
}

bool job_stage(Job *j, Stage stage)
{
    static const struct { const char *what; bool (*run)(Job *j); } TABLE[STAGES] = {
        [STAGE_NETWORK] = { "reading weights", read_network },
        [STAGE_PATTERN] = { "checking the pattern", check_pattern },
        [STAGE_SEQUENCES] = { "reading sequences", read_sequences },
        [STAGE_UNPRUNED] = { "running the unpruned network", run_unpruned },
        [STAGE_PRUNE] = { "pruning", prune },
        [STAGE_QUANTISE] = { "choosing number formats", quantise },
        [STAGE_GOLDEN] = { "running the golden model", run_golden },
        [STAGE_PLAN] = { "planning", plan },
        [STAGE_GATHER] = { "gathering figures", gather },
        [STAGE_TIMELINE] = { "laying out the schedule", lay_out },
    };
    progress(TABLE[stage].what);
    return TABLE[stage].run(j) && !diag_failed(j->diag);
}

bool job_build(Job *j)
{
    bool ok = true;
    for (int stage = 0; stage < STAGES && ok; stage++)
        ok = job_stage(j, (Stage)stage);
    progress("");
    return ok;
}

bool job_project(Job *j)
{
    return read_network(j) && check_pattern(j) && prune(j) && !diag_failed(j->diag);
}

bool job_load(Job *j)
{
    return read_network(j) && read_sequences(j) && !diag_failed(j->diag);
}

/* ---- the output folder ---- */

json_t *job_report(Job *j)
{
    j->report.n_warnings = diag_warnings(j->diag, &j->report.warning);
    return report_json(&j->report);
}

static bool write_text(Folder *f, const char *name, const char *text)
{
    return folder_write(f, name, text, strlen(text));
}

static bool write_files(Job *j, Folder *f)
{
    if (j->design.delta && j->spec->control)
        golden_raise(j->arena, &j->qnet, &j->sequences, &j->golden.raised);
    json_t *report = job_report(j);
    const char *json = report_json_text(j->arena, report),
               *page = report_markdown(j->arena, report);
    json_decref(report);
    const char *header = str_format(j->arena, "sw/%s.h", j->spec->name);
    return emit_core(&j->design, &j->golden, &j->sequences, f, j->diag) &&
           write_text(f, header, header_text(j->arena, &j->design)) &&
           (!j->report.timeline ||
            write_text(f, "schedule.svg", schedule_svg(j->arena, &j->design, &j->timeline))) &&
           write_text(f, "report.json", json) && write_text(f, "report.md", page) &&
           manifest_write(f, j->arena, j->spec);
}

/* A family whose leaves nobody has put through a tool: no folder that looks finished. */
static bool has_flow(Job *j)
{
    const Part *p = j->design.part;
    if (*j->design.family->yosys)
        return true;
    diag_error(j->diag, (Place){ 0 }, "%s: only `lstmgen check` knows %s; for a core take a part of another family "
                                      "(see `lstmgen parts`)", p->name, j->design.family->title);
    return false;
}

bool job_emit(Job *j, const char *path)
{
    if (!has_flow(j))
        return false;
    progress("writing the core");
    Folder *f = folder_begin(j->arena, j->diag, path);
    bool ok = f && write_files(j, f) && !diag_failed(j->diag);
    if (f && !ok)
        folder_abort(f);
    ok = ok && folder_commit(f);
    progress("");
    return ok;
}

/* Replaces a file of a finished folder in one step. */
static bool replace_file(Job *j, const char *folder, const char *name, const char *text)
{
    const char *path = path_join(j->arena, folder, name),
               *temp = str_format(j->arena, "%s.new", path);
    FILE *to = fopen(temp, "w");
    bool ok = to && fputs(text, to) >= 0;
    ok = to && fclose(to) == 0 && ok && rename(temp, path) == 0;
    if (!ok)
        diag_error(j->diag, (Place){ 0 }, "cannot write %s: %s", path, strerror(errno));
    return ok;
}

/* report.json and report.md again, with what was measured; the manifest does not list them. */
static bool update_report(Job *j, const char *folder)
{
    json_t *report = job_report(j);
    const char *json = report_json_text(j->arena, report),
               *page = report_markdown(j->arena, report);
    json_decref(report);
    return replace_file(j, folder, "report.json", json) &&
           replace_file(j, folder, "report.md", page);
}

bool job_simulate(Job *j, const char *path, const char *simulator)
{
    progress("simulating");
    bool ok = sim_run(j->arena, j->diag, path, simulator, &j->sim);
    progress("");
    if (!ok)
        return false;
    j->report.sim = &j->sim;
    return update_report(j, path);
}

/* What planning says must be in the netlist (see SynthExpect). */
static SynthExpect expected(const Design *d)
{
    SynthExpect e = { .multipliers = d->multipliers_engine + d->multipliers_cell };
    for (int i = 0; i < d->n_memories; i++) {
        const MemoryUse *m = &d->memory[i];
        if (m->weights && m->rom) {
            e.roms += m->copies;
            e.rom_blocks += m->copies * part_rom_blocks(d->family, m->width, m->depth, 1);
        } else if (m->weights) {
            e.ram_blocks += m->copies * part_ram_blocks(d->family, m->width, m->depth);
        }
    }
    return e;
}

bool job_synthesise(Job *j, const char *path)
{
    SynthResult r;
    const Part *part = j->design.part;
    progress("synthesising");
    bool ok = synth_run(j->arena, j->diag, path, j->spec->name, part, expected(&j->design), &r);
    progress("");
    if (!ok)
        return false;
    j->synthesised = (Usage){ .part = part, .source = "yosys" };
    j->synthesised.count[RES_LUT] = r.lut;
    j->synthesised.count[RES_LUTRAM] = r.lutram;
    j->synthesised.count[RES_FF] = r.ff;
    j->synthesised.count[RES_CARRY] = r.carry;
    j->synthesised.count[RES_DSP] = r.dsp;
    j->synthesised.count[RES_BRAM] = r.bram;
    j->report.synthesised = &j->synthesised;
    return update_report(j, path);
}

static bool place_seeds(Job *j, const char *path, int seeds)
{
    const char *name = j->spec->name;
    const Part *part = j->design.part;
    progress("synthesising");
    bool ok = pnr_netlist(j->arena, j->diag, path, name, part, expected(&j->design).multipliers, &j->placed);
    for (int seed = 1; ok && seed <= seeds; seed++) {
        progress(str_format(j->arena, "placing and routing, seed %d of %d", seed, seeds));
        ok = pnr_place(j->arena, j->diag, path, name, part, seed, &j->placed);
    }
    progress("making the bitstream");
    ok = ok && pnr_finish(j->arena, j->diag, path, name, part, &j->placed);
    progress("");
    return ok;
}

bool job_placeable(Job *j)
{
    bool ok = pnr_tool(j->design.part) != NULL;
    if (!ok)
        diag_error(j->diag, (Place){ 0 }, "--pnr: %s is not placed and routed by this version; `lstmgen parts` tells "
                                          "which parts are", j->design.part->name);
    return ok;
}

bool job_place(Job *j, const char *path, int seeds)
{
    const Part *part = j->design.part;
    const PnrResult *r = &j->placed;
    if (!place_seeds(j, path, seeds))
        return false;
    j->synthesised = (Usage){ .part = part, .source = "nextpnr" };
    memcpy(j->synthesised.count, r->count, sizeof r->count);
    j->report.synthesised = &j->synthesised;
    j->report.placed = r;
    if (r->median < j->spec->clock_mhz)
        diag_warn(j->diag, (Place){ 0 }, "%s reaches %.1f MHz on %s, target.clock_mhz is %g; the report has the "
                                         "critical path", j->spec->name, r->median, part->name, j->spec->clock_mhz);
    return update_report(j, path);
}

int job_clock_verdict(const Job *j)
{
    if (!j->report.placed || j->placed.median >= j->spec->clock_mhz)
        return EXIT_OK;
    fprintf(stderr, "lstmgen: %s: %.1f MHz (median of %d) is below target.clock_mhz = %g\n", j->spec->name,
            j->placed.median, j->placed.n, j->spec->clock_mhz);
    return EXIT_MISMATCH;
}

/* ---- verdict ---- */

static int say_mismatch(const Job *j)
{
    const SimResult *s = &j->sim;
    fprintf(stderr,
            "lstmgen: %s: verification FAILED: %lld mismatches in %lld output elements, %d "
            "protocol errors\n",
            j->spec->name, (long long)s->mismatches, (long long)s->compared, s->n_errors);
    for (int i = 0; i < s->n_errors; i++)
        fprintf(stderr, "  %s\n", s->errors[i]);
    fprintf(stderr, "  log: %s\n", s->log);
    return EXIT_MISMATCH;
}

static int say_low_snr(const Job *j, double db, const char *against)
{
    fprintf(stderr, "lstmgen: %s: SNR of %.2f dB against %s is below verify.min_snr_db = %g\n",
            j->spec->name, db, against, j->spec->min_snr_db);
    return EXIT_MISMATCH;
}

int job_verdict(const Job *j)
{
    const Facts *f = &j->report.facts;
    double least = j->spec->min_snr_db;
    int status = EXIT_OK;
    if (j->report.sim && !j->sim.pass)
        status = say_mismatch(j);
    if (least > 0 && f->snr_db < least)
        status = say_low_snr(j, f->snr_db, "the float network");
    if (least > 0 && f->has_expect && f->expect_snr_db < least)
        status = say_low_snr(j, f->expect_snr_db, "verify.expect");
    return status;
}
