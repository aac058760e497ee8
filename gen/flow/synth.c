/* synth.c: Yosys on a generated core: run, count, and compare with what must be there. */
#include "flow/synth.h"

#include "flow/flow.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_S = 1800, DEPTH_MAX = 64, COUNT_ABOVE_BITS = 256 * 1024, FILE_LIMIT = 64 << 20 };

static const Tool YOSYS = {"yosys", "yosys"};

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

/* ---------------------------------------------------------------- the text of stat */

/* One line of a count: spaces, a name, spaces, a number. */
typedef struct CountLine { int indent; char *name; int64_t count; } CountLine;

/* The next line of text, NUL-terminated in place; NULL at the end. */
static char *next_line(char **text)
{
    char *line = *text;
    if (!line || !*line) return NULL;
    char *end = strchr(line, '\n');
    *text = end ? end + 1 : NULL;
    if (end) *end = '\0';
    return line;
}

static bool parse_count(char *line, CountLine *out)
{
    out->indent = (int)strspn(line, " ");
    out->name = line + out->indent;
    size_t n = strcspn(out->name, " ");
    char *number = out->name + n;
    if (n == 0 || *number != ' ') return false;
    char *end;
    out->count = strtoll(number, &end, 10);
    if (end == number || *end != '\0' || out->count < 0) return false;
    *number = '\0';
    return true;
}

/* "=== name ===": the name, cut out in place; NULL: another line. */
static char *section_name(char *line)
{
    if (!str_starts(line, "=== ") || !str_ends(line, " ===")) return NULL;
    line[strlen(line) - strlen(" ===")] = '\0';
    return line + strlen("=== ");
}

/* Instances of a module in the whole design, summed over the tree of "design hierarchy", in which a line's number
 * is per instance of the module above it. */
typedef struct Tree { int indent[DEPTH_MAX]; int64_t instances[DEPTH_MAX]; int depth; } Tree;

static int64_t tree_add(Tree *t, const CountLine *line)
{
    while (t->depth > 0 && t->indent[t->depth - 1] >= line->indent) t->depth--;
    int64_t above = t->depth > 0 ? t->instances[t->depth - 1] : 1;
    if (t->depth < DEPTH_MAX) {
        t->indent[t->depth] = line->indent;
        t->instances[t->depth] = above * line->count;
        t->depth++;
    }
    return above * line->count;
}

/* Block RAMs in one module of a ROM: by its own section if it was mapped, else by its geometry; then with the
 * output registers that the box hides and that Yosys leaves in fabric. */
typedef struct RomType { const char *type; int64_t blocks, registers; struct RomType *next; } RomType;

typedef struct Statistics {
    Arena *arena;
    const Family *family;
    bool totals;                        /* a section with the whole design was seen */
    int64_t sum[RESOURCES];
    int64_t multipliers, roms, mapped_blocks, empty_roms;
    RomType *rom_types;                 /* mapped ROMs, from their sections */
    RomType *boxes;                     /* black boxes: blocks of one, from the dump */
    int64_t box_blocks;
} Statistics;

static bool is_rom(const char *type) { return is_module(type, "lg_rom") || is_module(type, "lg_rom2"); }

static RomType *rom_type(RomType *list, const char *type)
{
    while (list && strcmp(list->type, type) != 0) list = list->next;
    return list;
}

/* A cell type with its number in the whole design. */
static void add_total(Statistics *s, const CountLine *line)
{
    for (int r = 0; r < RESOURCES; r++) s->sum[r] += cell_weight(s->family->cells[r], line->name) * line->count;
    if (!is_rom(line->name)) return;
    RomType *box = rom_type(s->boxes, line->name);      /* what is no module of the design is a black box */
    if (box) {
        s->box_blocks += box->blocks * line->count;
        s->sum[RES_FF] += box->registers * line->count;
    }
    if (is_module(line->name, "lg_rom")) s->roms += line->count;
}

/* A module of the hierarchy with the number of its instances. */
static void add_module(Statistics *s, const char *type, int64_t instances)
{
    if (is_module(type, "lg_mul")) s->multipliers += instances;
    if (!is_rom(type)) return;
    const RomType *rom = rom_type(s->rom_types, type);
    s->mapped_blocks += rom ? rom->blocks * instances : 0;
    if (!rom || rom->blocks == 0) s->empty_roms += instances;
    if (is_module(type, "lg_rom")) s->roms += instances;
}

/* The section of one module: block RAMs, if it is a ROM. Returns the text after it. */
static void read_module(Statistics *s, char *name, char **text)
{
    RomType *rom = NULL;
    if (is_rom(name)) {
        rom = ARENA_NEW(s->arena, RomType);
        *rom = (RomType){.type = str_dup(s->arena, name), .next = s->rom_types};
        s->rom_types = rom;
    }
    while (*text && !str_starts(*text, "=== ")) {
        CountLine line;
        char *at = next_line(text);
        if (!at) break;
        if (rom && parse_count(at, &line))
            rom->blocks += cell_weight(s->family->cells[RES_BRAM], line.name) * line.count;
    }
}

/* The last section: the tree of modules, an empty line, then the sums. */
static void read_totals(Statistics *s, char **text)
{
    Tree tree = {0};
    bool sums = false;
    for (char *at = next_line(text); at; at = next_line(text)) {
        CountLine line;
        if (strstr(at, "Number of ")) {
            sums = true;
        } else if (parse_count(at, &line)) {
            if (sums) add_total(s, &line);
            else add_module(s, line.name, tree_add(&tree, &line));
        }
    }
    s->totals = true;
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
    for (char *line = next_line(&text); line; line = next_line(&text)) {
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

/* ---------------------------------------------------------------- counts */

bool synth_parse(Arena *a, const Family *f, const char *stat, const char *roms, SynthResult *out)
{
    Statistics s = {.arena = a, .family = f};
    read_boxes(&s, str_dup(a, roms));
    char *text = str_dup(a, stat);
    while (text && *text) {
        char *line = next_line(&text);
        char *name = line ? section_name(line) : NULL;
        if (name && strcmp(name, "design hierarchy") == 0) read_totals(&s, &text);
        else if (name) read_module(&s, name, &text);
    }
    out->lut = s.sum[RES_LUT];
    out->lutram = s.sum[RES_LUTRAM];
    out->ff = s.sum[RES_FF];
    out->carry = s.sum[RES_CARRY];
    out->dsp = s.sum[RES_DSP];
    out->bram = s.sum[RES_BRAM] + s.box_blocks;
    out->multipliers = s.multipliers;
    out->roms = s.roms - s.empty_roms;
    out->roms_counted = s.box_blocks > 0;
    out->rom_blocks = s.box_blocks + s.mapped_blocks;
    return s.totals;
}

/* ---------------------------------------------------------------- the run */

static bool read_text(Arena *a, Diag *d, const char *path, const char **out)
{
    Bytes bytes;
    if (!file_exists(path) || !file_read(a, d, (Place){.file = path}, path, FILE_LIMIT, &bytes)) return false;
    *out = str_ndup(a, (const char *)bytes.data, bytes.size);
    return true;
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
    const char *roms_path = path_join(a, folder, str_format(a, "syn/%s.roms.txt", name));
    const char *net_path = path_join(a, folder, str_format(a, "syn/%s.json", name));
    out->log = path_join(a, folder, str_format(a, "syn/%s.log", name));
    unlink(stat_path);                  /* what a former run left must not be read as this one's */
    unlink(roms_path);
    unlink(net_path);
    const char *argv[] = {YOSYS.program, "-s", script, NULL};
    ToolEnd end = {0};
    if (!tool_start(a, d, YOSYS, argv, folder, out->log, TIMEOUT_S, &end)) return false;

    /* Yosys was seen to end with status 0 and no netlist: the files decide too. */
    const char *stat = NULL, *roms = NULL;
    bool complete = end.status == 0 && file_exists(net_path) && read_text(a, d, stat_path, &stat) &&
                    read_text(a, d, roms_path, &roms) && synth_parse(a, part_family(p), stat, roms, out);
    if (!complete) {
        tool_failed(a, d, YOSYS, argv, folder, out->log, TIMEOUT_S, end);
        return false;
    }
    out->pass = check(d, name, p, expect, out);
    return out->pass;
}
