/* flow.c: constraints and scripts for the tools that turn the core into a bitstream. */
#include "emit/emit.h"

#include "flow/parts.h"
#include "flow/pnr.h"
#include "flow/synth.h"

#include <string.h>

/* The RTL files on one line, as the scripts list them. */
static const char *file_line(Arena *a, const char *list)
{
    char *line = str_dup(a, list);
    for (char *p = line; *p; p++)
        if (*p == '\n')
            *p = p[1] ? ' ' : 0;
    return line;
}

static int64_t rom_bits(const Design *d)
{
    int64_t bits = 0;
    for (int k = 0; k < d->n_memories; k++)
        if (d->memory[k].rom)
            bits += d->memory[k].width * d->memory[k].depth * d->memory[k].copies;
    return bits;
}

static void holes_flow(const Design *d, Holes *h, const char *files)
{
    double mhz = d->spec->clock_mhz;
    hole_text(h, "FILES", file_line(h->arena, files));
    hole_text(h, "TITLE", d->family->title);
    hole_text(h, "PART", text_tcl(h->arena, part_device(d->part, d->spec->part)));
    hole_text(h, "CLOCK_MHZ", str_format(h->arena, "%.10g", mhz));
    hole_text(h, "CLOCK_NS", str_format(h->arena, "%.6g", 1000.0 / mhz));
    hole_text(h, "CLOCK_HALF_NS", str_format(h->arena, "%.6g", 500.0 / mhz));
    hole_text(h, "CLOCK_FIFTH_NS", str_format(h->arena, "%.6g", 200.0 / mhz));
    hole_text(h, "SYNTH", synth_command(d->part));
    hole_text(h, "DEFINES", synth_defines(h->arena, d->part, synth_counts_roms(d->family, rom_bits(d))));
}

/* syn/pnr.sh and what it reads, where an open tool places and routes the part. */
static bool emit_pnr(const Design *d, Folder *f, Diag *diag, Holes *h)
{
    Arena *a = h->arena;
    const PnrTool *t = pnr_tool(d->part);
    if (!t)
        return true;
    hole_text(h, "NO_DSP", synth_defines(a, d->part, false));
    hole_text(h, "PNR_SYNTH", t->synth);
    hole_text(h, "PNR_PROGRAM", t->program);
    hole_text(h, "PNR_OPTIONS", str_format(a, "%s %s", pnr_device(a, d->part, d->spec->part), t->options));
    hole_text(h, "PNR_WRITE", t->write);
    hole_text(h, "PNR_ENDING", t->ending);
    hole_text(h, "PNR_PACK", t->pack);
    hole_text(h, "PNR_PACK_OPTIONS", t->pack_options);
    if (*t->pins && !template_copy(f, diag, h, str_format(a, "templates/flow/pnr/%s", t->pins),
                                   str_format(a, "syn/%s", t->pins)))
        return false;
    return template_fill(f, diag, h, "templates/flow/pnr/pins.v", str_format(a, "syn/%s_pins.v", d->spec->name))
           && template_fill(f, diag, h, "templates/flow/pnr/pnr.ys", "syn/pnr.ys")
           && template_fill(f, diag, h, "templates/flow/pnr/pnr.sh", "syn/pnr.sh");
}

/* syn/cells.v: blocks of the family that its leaves instantiate and that not every Yosys declares; most have none. */
static bool emit_cells(const Design *d, Folder *f, Diag *diag, Holes *h)
{
    const char *root = data_folder(h->arena, diag), *path = str_format(h->arena, "templates/lib/leaf/%s/cells.v",
                                                                    d->family->folder);
    bool has = root && file_exists(path_join(h->arena, root, path));
    hole_text(h, "CELLS", has ? "read_verilog -lib syn/cells.v\n" : "");
    hole_text(h, "MODELS", has ? str_format(h->arena, "%s syn/cells.v", d->family->models) : d->family->models);
    return !has || template_copy(f, diag, h, path, "syn/cells.v");
}

/* Writes constraints/, syn/<name>.ys and the project script of the part's vendor. `files`: text of rtl/filelist.f. */
bool emit_flow(const Design *d, Folder *f, Diag *diag, Holes *h, const char *files)
{
    Arena *a = h->arena;
    const Family *family = d->family;
    holes_flow(d, h, files);
    if (!emit_cells(d, f, diag, h))
        return false;
    const char *constraints = str_format(a, "constraints/%s%s", d->spec->name, strrchr(family->constraints, '.'));
    if (!template_fill(f, diag, h, str_format(a, "constraints/%s", family->constraints), constraints)
        || !template_fill(f, diag, h, "templates/flow/synth.ys", str_format(a, "syn/%s.ys", d->spec->name))
        || !emit_pnr(d, f, diag, h))
        return false;
    return !*family->vendor
           || template_fill(f, diag, h, str_format(a, "templates/flow/vendor/%s", family->vendor),
                            str_format(a, "syn/%s", family->vendor));
}
