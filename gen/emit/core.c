/* core.c: what goes into the output folder, file by file. */
#include "emit/emit.h"

#include "flow/parts.h"

#include <string.h>

/* Library modules below templates/, in the order of the file list; leaves may have a variant of the family. */
static const char *const leaves[] = {"lg_mul", "lg_mux_add", "lg_ram", "lg_ram_small", "lg_rom", "lg_rom2",
                                     "lg_rom_small",
                                     "lg_fifo", "lg_wait"};
static const char *const modules[] = {
    "lib/lg_delay", "lib/lg_delay_reset", "lib/lg_memory", "lib/lg_mul_wide", "lib/lg_tree", "lib/lg_skid",
    "lib/lg_reorder"};
static const char *const cell_modules[] = {
    "cell/lg_limit", "cell/lg_round", "cell/lg_align", "cell/lg_note", "cell/lg_requant", "cell/lg_activation",
    "cell/lg_direct", "cell/lg_bounded", "cell/lg_late", "cell/lg_lane", "cell/lg_where", "cell/lg_cell",
    "top/lg_input", "top/lg_counters", "top/lg_axil"};
static const char *const bench[] = {"lstmgen_tb.c", "tb.h", "tb_axil.c", "tb_config.c", "tb_delta.c", "tb_stream.c",
                                    "tb_report.c", "sim_main.cpp",
                                    "public.vlt", "simulate.sh"};

static bool used(const Design *d, const char *module)
{
    if (d->engine->unused && d->engine->unused(d, module))
        return false;
    if (!strcmp(module, "top/lg_counters") || !strcmp(module, "top/lg_axil"))
        return d->spec->control;
    if (!strcmp(module, "cell/lg_direct"))
        return passes_with(d, "DIRECT") != 0;
    if (!strcmp(module, "cell/lg_late"))
        return passes_with(d, "TO_LATE") != 0 || d->constants.peephole_bits > 0;
    return true;
}

static bool add_file(const Holes *h, Folder *f, Diag *diag, Buffer *list, const char *from)
{
    if (!from)
        return false;
    const char *name = str_format(h->arena, "rtl/%s%s", h->prefix, path_name(from));
    buffer_print(list, "%s\n", name);
    return template_copy(f, diag, h, from, name);
}

/* The family's own variant of a leaf, or the generic one. */
static const char *leaf_path(const Design *d, Arena *a, Diag *diag, const char *leaf)
{
    const char *root = data_folder(a, diag);
    if (!root)
        return NULL;
    const char *path = part_leaf(a, path_join(a, root, "templates"), d->family, leaf);
    return path + strlen(root) + (root[strlen(root) - 1] != '/');
}

static bool add_modules(const Design *d, const Holes *h, Folder *f, Diag *diag, Buffer *list, const char *const *name,
                        int n)
{
    for (int k = 0; k < n; k++)
        if (used(d, name[k]) && !add_file(h, f, diag, list, str_format(h->arena, "templates/%s.v", name[k])))
            return false;
    return true;
}

static bool emit_rtl(const Design *d, Arena *a, Folder *f, Diag *diag, Holes *h)
{
    Buffer list;
    buffer_init(&list, a);
    for (int k = 0; k < LENGTH(leaves); k++)
        if (!add_file(h, f, diag, &list, leaf_path(d, a, diag, leaves[k])))
            return false;
    const char *const *engine = d->engine->modules;
    int n = 0;
    while (engine[n])
        n++;
    if (!add_modules(d, h, f, diag, &list, modules, LENGTH(modules)) || !add_modules(d, h, f, diag, &list, engine, n)
        || !add_modules(d, h, f, diag, &list, cell_modules, LENGTH(cell_modules)))
        return false;
    buffer_print(&list, "rtl/%s_top.v\n", d->spec->name);
    const char *rtl = str_format(a, "rtl/%s", d->spec->name);
    return template_fill(f, diag, h, "templates/top/core.v", str_format(a, "%s_top.v", rtl))
           && template_fill(f, diag, h, "templates/top/params.vh", str_format(a, "%s_params.vh", rtl))
           && template_copy(f, diag, h, "templates/flow/lint.vlt", "rtl/lint.vlt")
           && folder_write(f, "rtl/filelist.f", list.text, list.length) && emit_flow(d, f, diag, h, list.text);
}

static bool emit_bench(Arena *a, Folder *f, Diag *diag, const Holes *h)
{
    for (int k = 0; k < LENGTH(bench); k++)
        if (!template_copy(f, diag, h, str_format(a, "tb/%s", bench[k]), str_format(a, "tb/%s", bench[k])))
            return false;
    return template_fill(f, diag, h, "tb/tb_top.v", "tb/tb_top.v");
}

static bool emit_images(const Design *d, Arena *a, Folder *f)
{
    return emit_tiles(d, a, f) && emit_activation(d, a, f) && emit_orders(d, a, f) && emit_records(d, a, f)
           && emit_states(d, a, f)
           && d->engine->images(d, a, f) && emit_memory_map(d, a, f);
}

bool emit_core(const Design *d, const Golden *g, const Sequences *seq, Folder *f, Diag *diag)
{
    Arena *a = arena_new();
    Holes *h = ARENA_NEW(a, Holes);
    h->arena = a;
    holes_params(d, h);
    bool good = emit_rtl(d, a, f, diag, h) && emit_images(d, a, f) && emit_vectors(d, a, f, g, seq)
                && emit_bench(a, f, diag, h) && template_fill(f, diag, h, "templates/flow/output.mk", "Makefile");
    arena_free(a);
    return good;
}
