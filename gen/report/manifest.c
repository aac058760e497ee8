/* manifest.c: manifest.json, by which a reader can tell that an output folder is complete and as it
 * was made. */
#include "report/report.h"

#include <string.h>

static void add_file(void *ctx, const char *name, const char sha256[65], size_t size)
{
    json_t *files = ctx;
    if (!str_starts(name, "report."))
        json_array_append_new(files, json_pack("{s:s, s:s, s:I}", "name", name, "sha256", sha256,
                                               "size", (json_int_t)size));
}

bool manifest_write(Folder *f, Arena *a, const Spec *s)
{
    json_t *files = json_array();
    folder_list(f, add_file, files);
    json_t *all = json_pack("{s:s, s:s, s:o, s:s, s:o}", "name", s->name, "tool",
                            "lstmgen " LSTMGEN_VERSION, "spec", value_string(a, path_name(s->file)),
                            "spec_sha256", s->sha256, "files", files);
    REQUIRE(all);
    const char *text = report_json_text(a, all);
    json_decref(all);
    return folder_write(f, "manifest.json", text, strlen(text));
}
