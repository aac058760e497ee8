/* pnr.c: nextpnr on a generated core, through syn/pnr.sh of its folder: netlist, placements, bitstream. */
#include "flow/pnr.h"

#include "flow/flow.h"
#include "flow/synth.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { NETLIST_S = 3600, PLACE_S = 14400, PACK_S = 600, FILE_LIMIT = 256 << 20, SHELL_SIGNAL = 128, NOT_FOUND = 127 };

static const PnrTool TOOLS[] = {
#define PNR(family, program, synth, options, pins, write, ending, pack, pack_options, lut, ff, dsp, bram) \
    {family, program, synth, options, pins, write, ending, pack, pack_options, lut, ff, dsp, bram},
#include "flow/pnr.def"
#undef PNR
};

const PnrTool *pnr_tool(const Part *p)
{
    for (int i = 0; i < LENGTH(TOOLS); i++)
        if (*p->nextpnr && strcmp(TOOLS[i].family, p->family) == 0) return &TOOLS[i];
    return NULL;
}

/* The digit after the name's hyphen ("LFE5U-25F-8BG381C") where it is one of `grades`; 0: not said. */
static char speed_grade(const Part *p, const char *code, const char *grades)
{
    const char *grade = code && strlen(code) > strlen(p->name) ? code + strlen(p->name) : "";
    grade += strspn(grade, "-_ ");
    return *grade && strchr(grades, *grade) ? *grade : '\0';
}

/* ECP5: an option; 6, the slowest, where the spec names only the part. Nexus: within the device's name. */
const char *pnr_device(Arena *a, const Part *p, const char *code)
{
    if (strcmp(p->family, "ecp5") == 0) {
        char grade = speed_grade(p, code, "678");
        return str_format(a, "%s --speed %c", p->nextpnr, grade ? grade : '6');
    }
    char *device = str_dup(a, p->nextpnr);
    char *at = strstr(device, p->name), grade = speed_grade(p, code, "789");
    if (strcmp(p->family, "nexus") == 0 && at && grade) at[strlen(p->name) + 1] = grade;
    return device;
}

/* ---------------------------------------------------------------- running a step */

/* Programs of `make pnr-tools` come after those of PATH. */
static void add_tools(Arena *a)
{
    const char *folder = getenv("LSTMGEN_TOOLS"), *path = getenv("PATH"), *data = data_folder(a, diag_new(a));
    if (!folder && data) folder = path_join(a, data, "build/tools/bin");
    if (!folder || !*folder || (path && str_ends(path, folder))) return;
    setenv("PATH", str_format(a, "%s:%s", path ? path : "/usr/bin:/bin", folder), 1);
}

static const char *read_text(Arena *a, Diag *d, const char *path)
{
    Bytes b;
    if (!file_exists(path) || !file_read(a, d, (Place){.file = path}, path, FILE_LIMIT, &b)) return NULL;
    return str_ndup(a, (const char *)b.data, b.size);
}

/* What the log of a step that failed says about the reason; NULL: nothing that is known. */
static const char *known_reason(Arena *a, const char *log, const PnrTool *t, ToolEnd end)
{
    if (!log) return NULL;
    if (end.status == SHELL_SIGNAL + SIGKILL || strstr(log, "std::bad_alloc") || strstr(log, "MemoryError"))
        return "it was killed or ran out of memory: close other programs, or take a machine with more";
    if (strstr(log, "CIN driven by non-CCU2"))
        return "Yosys 0.70's carry chains are not for it: with Yosys 0.23 ($YOSYS) it works";
    if (strstr(log, "unrecognised option") || strstr(log, "Unknown option or option in arguments"))
        return str_format(a, "it does not know an option of this flow: it is too old; nextpnr 0.11 and Yosys 0.23 and "
                             "0.70 work (%s of PyPI: `make pnr-tools`)", t->program);
    if (end.status > SHELL_SIGNAL && end.status <= SHELL_SIGNAL + SIGRTMAX)
        return str_format(a, "it crashed with signal %d (%s)", end.status - SHELL_SIGNAL,
                          strsignal(end.status - SHELL_SIGNAL));
    return NULL;
}

/* A program that nextpnr could not put all cells on: the kind of cell, in `a`; NULL: another failure. */
static const char *no_place_for(Arena *a, const char *log)
{
    static const char *const SAYS[] = {
        "no Bels remaining to implement cell type '", "no BELs remaining to implement cell type '",
        "no Bels remaining of type '", "Unable to place cell '", "failed to place chain starting at cell '",
        "Unable to find a placement location for cell '"};
    for (int i = 0; log && i < LENGTH(SAYS); i++) {
        const char *at = strstr(log, SAYS[i]);
        if (at) return str_ndup(a, at + strlen(SAYS[i]), strcspn(at + strlen(SAYS[i]), "'"));
    }
    return NULL;
}

typedef struct Step { const char *word, *argument, *log; int timeout_s; } Step;

static bool run_step(Arena *a, Diag *d, const char *folder, const char *name, const Part *p, Step s)
{
    static const Tool SHELL = {"sh", "dash"};
    const PnrTool *t = pnr_tool(p);
    const char *argv[] = {"sh", "syn/pnr.sh", s.word, s.argument, NULL};
    const char *log_path = path_join(a, folder, s.log);
    ToolEnd end = {0};
    add_tools(a);
    if (!tool_start(a, d, SHELL, argv, folder, log_path, s.timeout_s, &end)) return false;
    if (end.status == 0) return true;
    const char *log = read_text(a, d, log_path), *cell = no_place_for(a, log), *reason = known_reason(a, log, t, end);
    if (cell) {
        diag_error(d, (Place){0}, "%s is too small for %s: nextpnr finds no place for %s (see %s); fewer multipliers "
                                  "(engine.pes, engine.pe_width) or a larger part helps",
                   p->name, name, cell, log_path);
    } else if (end.status == NOT_FOUND && log && strstr(log, "PyPI has it")) {
        diag_tool(d, "%.*s; `make pnr-tools` in lstmgen's folder installs all of them", (int)strcspn(log, "\n"), log);
    } else {
        tool_failed(a, d, (Tool){strcmp(s.word, "netlist") == 0 ? "yosys" : strcmp(s.word, "pack") == 0 ? t->pack
                                                                                                     : t->program, ""},
                    argv, folder, log_path, s.timeout_s, end);
        if (reason) diag_tool(d, "%s: %s", t->program, reason);
    }
    return false;
}

/* ---------------------------------------------------------------- the netlist */

static bool count_stat(Arena *a, Diag *d, const char *folder, const char *file, const char *top, const Family *f,
                       SynthResult *out)
{
    const char *path = path_join(a, folder, file), *text = read_text(a, d, path);
    bool ok = text && synth_parse(a, f, top, (SynthText){.stat = text, .roms = ""}, out);
    if (!ok) diag_tool(d, "yosys: %s has no statistics of %s", path, top);
    return ok;
}

static int64_t short_of(const Part *p, const SynthResult *r, Buffer *b)
{
    const struct { const char *name; int64_t needed, there; } row[] = {
        {"LUT", r->lut + r->lutram, p->luts}, {"FF", r->ff, p->ffs},
        {"DSP", r->dsp, p->dsps},             {"BRAM", r->bram, p->brams}};
    int64_t missing = 0;
    for (int i = 0; i < LENGTH(row); i++) {
        if (row[i].needed <= row[i].there) continue;
        missing++;
        if (b) buffer_print(b, "%s%lld %s where the part has %lld", missing > 1 ? ", " : "", (long long)row[i].needed,
                            row[i].name, (long long)row[i].there);
    }
    return missing;
}

/* The smallest part of the family on which the netlist fits, for the message. */
static const Part *larger_part(const Part *p, const SynthResult *r)
{
    int n;
    const Part *table = part_table(&n), *best = NULL;
    for (int i = 0; i < n; i++)
        if (strcmp(table[i].family, p->family) == 0 && pnr_tool(&table[i]) && short_of(&table[i], r, NULL) == 0 &&
            (!best || table[i].luts < best->luts))
            best = &table[i];
    return best;
}

static bool check_size(Arena *a, Diag *d, const char *name, const Part *p, const SynthResult *r)
{
    Buffer b;
    buffer_init(&b, a);
    if (short_of(p, r, &b) == 0) return true;
    const Part *larger = larger_part(p, r);
    diag_error(d, (Place){0}, "%s is too small for %s: %s; fewer multipliers (engine.pes, engine.pe_width), or %s",
               p->name, name, b.text, larger ? str_format(a, "--part %s", larger->name) : "another family's part");
    return false;
}

/* What the two shift registers take: the cells of the outer module itself, beside the core. */
static bool count_pins(Arena *a, Diag *d, const char *folder, const char *name, const Part *p, const SynthResult *all,
                       PnrResult *out)
{
    SynthResult core = {0};
    const char *file = str_format(a, "syn/%s_pins.stat.txt", name);
    if (!count_stat(a, d, folder, file, str_format(a, "%s_top", name), part_family(p), &core)) return false;
    SynthResult with = {0};
    if (!count_stat(a, d, folder, file, str_format(a, "%s_pins", name), part_family(p), &with)) return false;
    out->pins_lut = with.lut - core.lut;
    out->pins_ff = with.ff - core.ff;
    out->count[RES_FF] = all->ff - out->pins_ff;
    out->count[RES_LUTRAM] = all->lutram;
    out->count[RES_CARRY] = all->carry;
    return true;
}

bool pnr_netlist(Arena *a, Diag *d, const char *folder, const char *name, const Part *p, int64_t multipliers,
                 PnrResult *out)
{
    SynthResult all = {0};
    *out = (PnrResult){0};
    Step step = {"netlist", NULL, str_format(a, "syn/%s_netlist.log", name), NETLIST_S};
    if (!run_step(a, d, folder, name, p, step)) return false;
    if (!count_stat(a, d, folder, str_format(a, "syn/%s_pnr.stat.txt", name), str_format(a, "%s_pins", name),
                    part_family(p), &all) ||
        !count_pins(a, d, folder, name, p, &all, out))
        return false;
    if (p->dsps > 0 && all.dsp < multipliers) {
        diag_tool(d, "yosys: the netlist of %s has %lld DSP cells, %lld are expected: it removed a part of the design; "
                     "see %s", name, (long long)all.dsp, (long long)multipliers,
                  path_join(a, folder, str_format(a, "syn/%s_pnr.log", name)));
        return false;
    }
    return check_size(a, d, name, p, &all);
}

/* ---------------------------------------------------------------- the report */

/* A cell or net as the design names it: without the outer instance, the tool's own parts of a name, the bit. */
static const char *design_name(Arena *a, const char *text)
{
    char *name = str_dup(a, str_starts(text, "u_core.") ? text + strlen("u_core.") : text);
    char *dollar = strchr(name + (*name == '$'), '$');
    if (dollar) *dollar = '\0';
    char *last = strrchr(name, '.');
    for (char *c = last ? last : name; *c; c++) {           /* "t_q_TRELLIS_FF_Q_9": a cell's type is in capitals */
        if (*c != '_' || !isupper((unsigned char)c[1])) continue;
        size_t n = strspn(c + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if (n >= 2 && (c[1 + n] == '_' || c[1 + n] == '\0')) {
            *c = '\0';
            break;
        }
    }
    return name;
}

static const char *end_name(Arena *a, const json_t *hop, const char *key)
{
    const char *cell = json_string_value(json_object_get(json_object_get(hop, key), "cell"));
    return cell ? design_name(a, cell) : "?";
}

/* Hops between different names; what lies inside one name is added up by kind. */
static void read_path(Arena *a, const json_t *path, PnrPlace *out)
{
    size_t n = json_array_size(path);
    PnrHop *hop = ARENA_ARRAY(a, PnrHop, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        const json_t *at = json_array_get(path, i);
        const char *type = json_string_value(json_object_get(at, "type"));
        bool routing = type && strcmp(type, "routing") == 0;
        double ns = json_number_value(json_object_get(at, "delay"));
        *(routing ? &out->routing_ns : &out->logic_ns) += ns;
        PnrHop *last = out->n_hops ? &hop[out->n_hops - 1] : NULL;
        const char *from = end_name(a, at, "from"), *to = end_name(a, at, "to");
        bool same = last && strcmp(last->from, from) == 0 && strcmp(last->to, to) == 0 && last->routing == routing;
        if (same) last->ns += ns;
        else if (ns > 0) hop[out->n_hops++] = (PnrHop){from, to, ns, routing};
    }
    out->hop = hop;
}

/* Sum of "used" over the names of a list; -1: an empty list. */
static int64_t used(const json_t *utilization, const char *list)
{
    int64_t sum = *list ? 0 : -1;
    for (const char *p = list; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        const char *key;
        json_t *row;
        json_object_foreach((json_t *)utilization, key, row)
            if (strlen(key) == n && strncmp(key, p, n) == 0) sum += json_integer_value(json_object_get(row, "used"));
        p += n;
    }
    return sum;
}

/* Of several clocks (there should be one) the slowest. */
static double slowest(const json_t *fmax)
{
    double mhz = 0;
    const char *key;
    json_t *row;
    json_object_foreach((json_t *)fmax, key, row) {
        double here = json_number_value(json_object_get(row, "achieved"));
        if (here > 0 && (mhz <= 0 || here < mhz)) mhz = here;
    }
    return mhz;
}

static bool is_inside(const json_t *path)
{
    const char *from = json_string_value(json_object_get(path, "from"));
    const char *to = json_string_value(json_object_get(path, "to"));
    return from && to && !strstr(from, "<async>") && !strstr(to, "<async>");
}

bool pnr_report(Arena *a, Diag *d, const PnrTool *t, const char *path, const char *json, PnrPlace *out)
{
    json_error_t error;
    json_t *root = json ? json_loads(json, 0, &error) : NULL;
    const json_t *utilization = json_object_get(root, "utilization"), *paths = json_object_get(root, "critical_paths");
    out->mhz = slowest(json_object_get(root, "fmax"));
    if (out->mhz > 0) {
        out->lut = used(utilization, t->lut);
        out->ff = used(utilization, t->ff);
        out->dsp = used(utilization, t->dsp);
        out->bram = used(utilization, t->bram);
        for (size_t i = 0; i < json_array_size(paths) && !out->n_hops; i++) {
            const json_t *path_row = json_array_get(paths, i);
            if (is_inside(path_row)) read_path(a, json_object_get(path_row, "path"), out);
        }
    } else {
        diag_tool(d, "%s: %s has no frequency of a clock: the placement cannot be judged", t->program, path);
    }
    json_decref(root);
    return out->mhz > 0;
}

/* ---------------------------------------------------------------- placements */

/* "nextpnr-ecp5 0.11.1" from the first line of the log that tells a version; only the name where none does. */
static const char *tool_version(Arena *a, const PnrTool *t, const char *log)
{
    const char *at = log ? strstr(log, "(Version nextpnr-") : NULL;
    if (!at) return t->program;
    at += strlen("(Version nextpnr-");
    return str_format(a, "%s %.*s", t->program, (int)strcspn(at, ")"), at);
}

bool pnr_place(Arena *a, Diag *d, const char *folder, const char *name, const Part *p, int seed, PnrResult *out)
{
    const PnrTool *t = pnr_tool(p);
    REQUIRE(t && out->n < PNR_SEEDS_MAX);
    Step step = {"place", str_format(a, "%d", seed), str_format(a, "syn/%s_%d.log", name, seed), PLACE_S};
    if (!run_step(a, d, folder, name, p, step)) return false;
    const char *path = path_join(a, folder, str_format(a, "syn/%s_%d.report.json", name, seed));
    PnrPlace *place = &out->all[out->n];
    *place = (PnrPlace){.seed = seed};
    if (!pnr_report(a, d, t, path, read_text(a, d, path), place)) return false;
    out->tool = tool_version(a, t, read_text(a, d, path_join(a, folder, step.log)));
    out->n++;
    return true;
}

static int by_mhz(const void *left, const void *right)
{
    double l = ((const PnrPlace *)left)->mhz, r = ((const PnrPlace *)right)->mhz;
    return (l > r) - (l < r);
}

bool pnr_finish(Arena *a, Diag *d, const char *folder, const char *name, const Part *p, PnrResult *out)
{
    REQUIRE(out->n > 0);
    qsort(out->all, (size_t)out->n, sizeof *out->all, by_mhz);
    out->place = out->all[(out->n - 1) / 2];
    out->worst = out->all[0].mhz;
    out->best = out->all[out->n - 1].mhz;
    out->median = out->n % 2 ? out->place.mhz : (out->place.mhz + out->all[out->n / 2].mhz) / 2;
    /* A cell of iCE40 holds a LUT and an FF; the pins' cells are as many as their FFs. */
    int64_t pins = out->place.ff < 0 ? MAX(out->pins_lut, out->pins_ff) : out->pins_lut;
    out->count[RES_LUT] = out->place.lut - pins - out->count[RES_LUTRAM];
    out->count[RES_DSP] = MAX(out->place.dsp, 0);
    out->count[RES_BRAM] = out->place.bram;
    out->bitstream = path_join(a, folder, str_format(a, "syn/%s.bit", name));
    Step step = {"pack", str_format(a, "%d", out->place.seed), str_format(a, "syn/%s_pack.log", name), PACK_S};
    return run_step(a, d, folder, name, p, step);
}
