/* reference.c: runs a model file in its own framework, for verify.input and verify.expect of the spec that `import` saves. */
#include "flow/reference.h"

#include "flow/flow.h"

#include <stdio.h>
#include <string.h>

enum { TIMEOUT_S = 600 };

static const char *const PYTHONS[] = { "python3", NULL };

/* "dir/net.yaml": "dir/net" */
static const char *stem_of(Arena *a, const char *spec)
{
    size_t n = strlen(spec);
    return n > 5 && strcmp(spec + n - 5, ".yaml") == 0 ? str_ndup(a, spec, n - 5) : spec;
}

static const char *with_verify(Arena *a, const char *text, const char *stem)
{
    const char *p = strstr(text, VERIFY_COMMENT);
    REQUIRE(p);
    const char *name = path_name(stem);
    return str_format(a, "%.*sverify: {input: %s, expect: %s}%s", (int)(p - text), text,
                      yaml_word(a, str_format(a, "%s_input.npy", name)), yaml_word(a, str_format(a, "%s_expect.npy", name)),
                      p + strlen(VERIFY_COMMENT));
}

bool reference_run(Arena *a, Diag *d, const char *model, const char *input, const char *spec, Description *found)
{
    const char *folder = data_folder(a, d);
    if (!folder)
        return false;
    const char *stem = stem_of(a, spec), *log = str_format(a, "%s_reference.log", stem);
    Tool python = tool_choose(a, "LSTMGEN_PYTHON", PYTHONS, "python3");
    const char *argv[] = { python.program, path_join(a, folder, "examples/reference/reference.py"), model, input, stem,
                           str_format(a, "%d", found->width), str_format(a, "%d", found->input ? found->steps_axis : 1),
                           found->input ? found->input : "", found->output ? found->output : "", NULL };
    if (!tool_run(a, d, python, argv, NULL, log, TIMEOUT_S))
        return false;
    remove(log);
    found->text = with_verify(a, found->text, stem);
    return true;
}
