/* parts.c: look-up in the tables of parts.def, and the number of block RAMs a memory takes. */
#include "flow/parts.h"

#include "flow/pnr.h"

#include <ctype.h>
#include <string.h>

static const Family FAMILIES[] = {
#define FAMILY(key, title, yosys, models, folder, latency, a, b, small, logic, library, like, lut, lutram, ff, carry, \
               dsp, bram, constraints, vendor)                                                                            \
    {key, title, yosys, models, folder, latency, a, b, small, logic, library, like, \
     {lut, lutram, ff, carry, dsp, bram}, constraints, vendor},
#include "flow/parts.def"
#undef FAMILY
};

static const Part PARTS[] = {
#define PART(name, family, luts, ffs, dsps, brams, nextpnr, device) \
    {name, family, luts, ffs, dsps, brams, nextpnr, device},
#include "flow/parts.def"
#undef PART
};

static const char DEFAULT_PART[] = "LFE5U-85F";

/* ---------------------------------------------------------------- look-up */

static bool is_separator(char c) { return c == '-' || c == '_' || c == ' ' || c == '/'; }

/* What follows a part's name: nothing, or a speed grade and package, which hold a digit. A digit right
 * after a name that ends in one would make it another part ("10CX220" is not "10CX2205"). */
static bool is_suffix(const char *name_end, const char *rest)
{
    if (*rest == '\0') return true;
    if (isdigit((unsigned char)*rest) && isdigit((unsigned char)*name_end)) return false;
    bool digit = false;
    for (const char *c = rest; *c; c++) {
        if (!isalnum((unsigned char)*c) && !is_separator(*c)) return false;
        digit = digit || isdigit((unsigned char)*c);
    }
    return digit;
}

/* The length of `key` if `text` begins with it, hyphens and case apart, and a suffix follows; else 0. */
static size_t match(const char *key, const char *text)
{
    const char *k = key;
    for (; *k; k++) {
        if (is_separator(*k)) {
            if (is_separator(*text)) text++;
            continue;
        }
        if (tolower((unsigned char)*k) != tolower((unsigned char)*text)) return 0;
        text++;
    }
    return is_suffix(k - 1, text) ? (size_t)(k - key) : 0;
}

/* Gowin's ordering codes have the supply voltage before the size: GW2A-LV18PG256C8/I7 is a GW2A-18. */
static const char *without_voltage(const char *name, char *text, size_t size)
{
    const char *dash = strchr(name, '-');
    bool has = tolower((unsigned char)name[0]) == 'g' && tolower((unsigned char)name[1]) == 'w' && dash
               && dash[1] && strchr("LUElue", dash[1]) && tolower((unsigned char)dash[2]) == 'v';
    if (!has || strlen(name) >= size) return name;
    size_t before = (size_t)(dash + 1 - name);
    memcpy(text, name, before);
    strcpy(text + before, dash + 3);
    return text;
}

const Part *part_find(const char *name)
{
    char text[64];
    if (!name || !*name) name = DEFAULT_PART;
    name = without_voltage(name, text, sizeof text);
    const Part *best = NULL;
    size_t longest = 0;
    for (int i = 0; i < LENGTH(PARTS); i++) {
        const char *key = PARTS[i].name;
        size_t n = match(key, name);
        if (n == 0 && str_starts(key, "iCE40")) n = match(key + strlen("iCE40"), name);
        if (n > longest) {
            longest = n;
            best = &PARTS[i];
        }
    }
    return best;
}

const char *part_device(const Part *p, const char *name)
{
    return name && strlen(name) > strlen(p->name) ? name : p->device;
}

const char *part_nearest(const char *name)
{
    const char *names[2 * LENGTH(PARTS)];
    char upper[64];
    size_t n = 0;
    for (; name[n] && n + 1 < sizeof upper; n++) upper[n] = (char)toupper((unsigned char)name[n]);
    upper[n] = '\0';
    /* Names are compared in their own case and in capitals; iCE40 and xc names are written in lower case. */
    for (int i = 0; i < LENGTH(PARTS); i++) names[i] = PARTS[i].name;
    const char *found = str_nearest(name, names, LENGTH(PARTS));
    return found ? found : str_nearest(upper, names, LENGTH(PARTS));
}

const Part *part_table(int *n)
{
    *n = LENGTH(PARTS);
    return PARTS;
}

const Family *family_table(int *n)
{
    *n = LENGTH(FAMILIES);
    return FAMILIES;
}

const Family *family_find(const char *key)
{
    for (int i = 0; i < LENGTH(FAMILIES); i++)
        if (strcmp(FAMILIES[i].key, key) == 0) return &FAMILIES[i];
    return NULL;
}

const Family *part_family(const Part *p)
{
    const Family *f = family_find(p->family);
    REQUIRE(f);
    return f;
}

void parts_print(FILE *to)
{
    fprintf(to, "%-12s %-22s %9s %9s %6s %6s  %s\n", "part", "family", "LUT", "FF", "DSP", "BRAM", "place and route");
    for (int i = 0; i < LENGTH(PARTS); i++) {
        const Part *p = &PARTS[i];
        fprintf(to, "%-12s %-22s %9lld %9lld %6lld %6lld  %s\n", p->name, part_family(p)->title,
                (long long)p->luts, (long long)p->ffs, (long long)p->dsps, (long long)p->brams,
                !*part_family(p)->yosys ? "check only" : pnr_tool(p) ? pnr_tool(p)->program : "vendor's tool");
    }
}

const char *part_leaf(Arena *a, const char *templates, const Family *f, const char *module)
{
    const char *own = str_format(a, "%s/lib/leaf/%s/%s.v", templates, f->folder, module);
    return file_exists(own) ? own : str_format(a, "%s/lib/leaf/generic/%s.v", templates, module);
}

int mul_split(const Family *f, int b_width)
{
    if (b_width <= f->b_max) return 1;
    int low = f->b_max - 1;
    return 1 + (b_width - f->b_max + low - 1) / low;
}

/* ---------------------------------------------------------------- block RAMs, Yosys' memory_libmap */

/* One way to use a block: 2^address_bits one-bit words (of the narrowest width), or widths[i] bits at
 * address_bits - i. `ports`: what one block serves, 1 write + 1 read or (twice) 2 reads. */
typedef struct RamMode {
    int address_bits, widths, width[7];
    int cost, blocks;               /* Yosys' cost of one; in units of Part.brams */
    bool two_reads;                 /* true dual port: serves both ports of lg_rom2 */
} RamMode;

typedef struct RamModes { int byte, n; RamMode mode[5]; } RamModes;

/* From Yosys' ice40/, ecp5/, nexus/, gowin/ and xilinx/ brams*.txt, in their order. */
static const RamModes MODES[] = {
    [LIBRARY_ICE40] = {1, 1, {{11, 4, {2, 4, 8, 16}, 64, 1, false}}},
    [LIBRARY_ECP5] = {9, 2, {{14, 5, {1, 2, 4, 9, 18}, 128, 1, true}, {14, 6, {1, 2, 4, 9, 18, 36}, 128, 1, false}}},
    [LIBRARY_NEXUS] = {9, 2, {{14, 5, {1, 2, 4, 9, 18}, 129, 1, true}, {14, 6, {1, 2, 4, 9, 18, 36}, 128, 1, false}}},
    [LIBRARY_GOWIN] = {9, 2, {{14, 5, {1, 2, 4, 9, 18}, 128, 1, true}, {14, 6, {1, 2, 4, 9, 18, 36}, 128, 1, false}}},
    [LIBRARY_XILINX] = {9, 5, {{14, 5, {1, 2, 4, 9, 18}, 129, 1, true},
                               {15, 6, {1, 2, 4, 9, 18, 36}, 257, 2, true},
                               {16, 4, {1, 2, 4, 9}, 513, 4, true},
                               {14, 6, {1, 2, 4, 9, 18, 36}, 129, 1, false},
                               {15, 7, {1, 2, 4, 9, 18, 36, 72}, 257, 2, false}}},
};

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* The cheapest tiling. Words that fall into several address ranges of a block lie side by side in it, with a
 * multiplexer (half a cost unit a bit and read port) and write enables (half a unit a range) behind. */
static int64_t libmap_blocks(const RamModes *modes, int64_t width, int64_t depth, int reads, bool writes)
{
    double best = 0;
    int64_t blocks = 0;
    for (int m = 0; m < modes->n; m++) {
        const RamMode *mode = &modes->mode[m];
        int copies = mode->two_reads || reads == 1 ? 1 : reads;
        for (int i = 0; i < mode->widths; i++) {
            int unit = mode->width[i];
            int byte = writes ? MIN(modes->byte, unit) : 1;
            int64_t ranges = ceil_div(depth, (int64_t)1 << (mode->address_bits - i));
            int64_t units = ceil_div(ranges * ceil_div(width, byte) * byte, unit);
            double cost = (double)(mode->cost * units * copies) + 0.5 * (double)((ranges - 1) * width * reads);
            if (writes && ranges > 1) cost += 0.5 * (double)ranges;
            if (blocks == 0 || cost < best) {
                best = cost;
                blocks = units * copies * mode->blocks;
            }
        }
    }
    return blocks;
}

/* ---------------------------------------------------------------- block RAMs, Yosys' memory_bram */

/* A block's shape: words of 2^address_bits x bits. From Yosys' bram_m10k.txt and bram_m20k.txt, in their order; M9K and
 * PolarFire's LSRAM (two ports) from the vendors' handbooks, where no Yosys is run. */
typedef struct Shape { int address_bits, bits; } Shape;
typedef struct Shapes { int n; Shape shape[10]; } Shapes;
static const Shapes SHAPES[LIBRARIES] = {
    [LIBRARY_M9K] = {6, {{13, 1}, {12, 2}, {11, 4}, {10, 9}, {9, 18}, {8, 36}}},
    [LIBRARY_M10K] = {5, {{13, 1}, {12, 2}, {11, 5}, {10, 10}, {9, 20}}},
    [LIBRARY_M20K] = {10, {{14, 1}, {13, 2}, {12, 4}, {12, 5}, {11, 8},
                           {11, 10}, {10, 16}, {10, 20}, {9, 32}, {9, 40}}},
    [LIBRARY_LSRAM] = {6, {{14, 1}, {13, 2}, {12, 5}, {11, 10}, {10, 20}, {9, 40}}},
};

enum { LEAST_USE = 5 };         /* percent of a block below which Yosys takes LUT RAM */

/* Of all shapes the one that wastes the fewest of its bits, in whole percent, the later of equals;
 * 0: LUT RAM. */
static int64_t shape_blocks(RamLibrary library, int64_t width, int64_t depth)
{
    const Shape *shape = SHAPES[library].shape;
    int n = SHAPES[library].n;
    int64_t best = 0, blocks = 0;
    for (int i = 0; i < n; i++) {
        int64_t words = (int64_t)1 << shape[i].address_bits;
        int64_t cells = ceil_div(width, shape[i].bits) * ceil_div(depth, words);
        int64_t use = 100 * width * depth / (cells * words * shape[i].bits);
        if (use >= best && use >= LEAST_USE) {
            best = use;
            blocks = cells;
        }
    }
    return blocks;
}

static bool has_shapes(const Family *f) { return SHAPES[f->library].n > 0; }

int64_t part_rom_blocks(const Family *f, int64_t width, int64_t depth, int ports)
{
    if (has_shapes(f)) return ports * MAX(shape_blocks(f->library, width, depth), 1);
    return libmap_blocks(&MODES[f->library], width, depth, ports, false);
}

/* ecp5/lg_ram.v, gowin/lg_ram.v: the widest shape that needs no multiplexer behind the output register. */
static int64_t row_blocks(int64_t width, int64_t depth)
{
    static const int WIDTHS[] = {36, 18, 9, 4, 2, 1};
    for (int i = 0; i < LENGTH(WIDTHS); i++)
        if (depth <= (int64_t)512 << i) return ceil_div(width, WIDTHS[i]);
    return 0;
}

int64_t part_ram_blocks(const Family *f, int64_t width, int64_t depth)
{
    if (has_shapes(f)) return shape_blocks(f->library, width, depth);
    if (f->library == LIBRARY_ECP5 && depth <= 16384) return row_blocks(width, depth);
    if (f->library == LIBRARY_GOWIN && depth <= 2048) return row_blocks(width, depth);
    return libmap_blocks(&MODES[f->library], width, depth, 1, true);
}
