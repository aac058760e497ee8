/* manifest.c: manifest.json, by which a reader can tell that an output folder is complete and as it was made, and
 * lstmgen that it is its own and may be replaced (base/own.c). */
#include "report/report.h"

#include <string.h>

static void add_file(void *ctx, const char *name, const char sha256[65], size_t size)
{
    json_t *files = ctx;
    if (!str_starts(name, "report."))
        json_array_append_new(files, json_pack("{s:s, s:s, s:I}", "name", name, "sha256", sha256,
                                               "size", (json_int_t)size));
}

/* What lstmgen and the folder's own Makefile write later; @ stands for the core's name, a star for anything within one
 * name. A folder with anything else in it is never replaced. */
static const char *const RENEWED[] = {
    "report.json", "report.md", "report.json.new", "report.md.new",
    "build/*.log", "build/result-*.json", "build/waves.fst",
    "build/cache/verilator-*", "build/cache/icarus-*", "build/cache/runtime-*", "build/tmp/ivr*", "build/tmp/yosys-*",
    "syn/@.json", "syn/@.log", "syn/@.log.screen", "syn/@.stat.txt", "syn/@.stat.json", "syn/@.roms.txt",
    "syn/@_*.log", "syn/@_*.json", "syn/@_*.stat.txt", "syn/@_*.config", "syn/@_*.asc", "syn/@_*.fasm", "syn/@.bit",
    "syn/vivado_*.txt", "syn/vivado_*.dcp",
    "build/vivado.jou",
};

static json_t *renewed(Arena *a, const char *name)
{
    json_t *list = json_array();
    for (int i = 0; i < LENGTH(RENEWED); i++) {
        size_t n = strcspn(RENEWED[i], "@");
        bool named = RENEWED[i][n] != '\0';
        json_array_append_new(list, json_string(str_format(a, "%.*s%s%s", (int)n, RENEWED[i], named ? name : "",
                                                           RENEWED[i] + n + named)));
    }
    return list;
}

bool manifest_write(Folder *f, Arena *a, const Spec *s)
{
    json_t *files = json_array();
    folder_list(f, add_file, files);
    json_t *all = json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:o}", "generator", "lstmgen", "name", s->name,
                            "tool", "lstmgen " LSTMGEN_VERSION, "spec", value_string(a, path_name(s->file)),
                            "spec_sha256", s->sha256, "files", files,
                            "renewed", renewed(a, s->name));
    REQUIRE(all);
    const char *text = report_json_text(a, all);
    json_decref(all);
    return folder_write(f, "manifest.json", text, strlen(text));
}
