/* spec.c: loads a spec; finds the place of a key for the stages that check it later. */
#include "spec/spec.h"

#include <string.h>

static const size_t SPEC_BYTES_MAX = 4 << 20;

/* What decides the output: the file's text and every --set. */
static void hash_text(Spec *s, Bytes text, const char *const *sets, int n_sets)
{
    Buffer b;
    buffer_init(&b, s->arena);
    buffer_add(&b, (const char *)text.data, text.size);
    for (int i = 0; i < n_sets; i++)
        buffer_print(&b, "\n--set %s", sets[i]);
    sha256_hex(b.text, b.length, s->sha256);
}

static void apply_sets(Spec *s, Diag *d, const char *const *sets, int n_sets)
{
    Buffer b;
    buffer_init(&b, s->arena);
    for (int i = 0; i < n_sets; i++) {
        char *line = str_dup(s->arena, sets[i]);
        for (char *p = line; (p = strchr(p, '\n'));)
            *p = ' ';                   /* places count one line for each --set */
        buffer_print(&b, "%s\n", line);
        s->root = set_apply(s->arena, d, s->root, line, i + 1);
    }
    diag_source(d, "--set", b.text, b.length);
}

Spec *spec_load_tree(Arena *a, Diag *d, const char *path, SpecNode *root, Bytes text,
                     const char *const *sets, int n_sets)
{
    Spec *s = ARENA_NEW(a, Spec);
    s->arena = a;
    s->file = str_dup(a, path);
    s->root = root;
    hash_text(s, text, sets, n_sets);
    apply_sets(s, d, sets, n_sets);
    spec_fill(s, d);
    spec_check(s, d);
    return diag_failed(d) ? NULL : s;
}

SpecNode *spec_read_tree(Arena *a, Diag *d, const char *path, Bytes *text)
{
    if (!file_read(a, d, (Place){ path, 0, 0 }, path, SPEC_BYTES_MAX, text))
        return NULL;
    if (text->size >= 3 && memcmp(text->data, "\xEF\xBB\xBF", 3) == 0)     /* byte order mark */
        *text = (Bytes){ text->data + 3, text->size - 3 };
    diag_source(d, path, (const char *)text->data, text->size);
    return yaml_read(a, d, (Place){ path, 0, 0 }, (const char *)text->data, text->size);
}

Spec *spec_load(Arena *a, Diag *d, const char *path, const char *const *sets, int n_sets)
{
    Bytes text;
    const char *file = str_dup(a, path);
    SpecNode *root = spec_read_tree(a, d, file, &text);
    return root ? spec_load_tree(a, d, file, root, text, sets, n_sets) : NULL;
}

Place spec_at(const Spec *s, const char *key)
{
    if (!s->root)
        return (Place){ s->file, 0, 0 };
    Place at;
    tree_entry(s->arena, s->root, key, &at);
    return at;
}

bool spec_gives(const Spec *s, const char *key)
{
    Place at;
    const NodeEntry *e = s->root ? tree_entry(s->arena, s->root, key, &at) : NULL;
    return e && !node_is_null(e->value);
}

bool spec_sends_last(const Spec *s)
{
    return s->output && !strcmp(s->output, "last");
}
