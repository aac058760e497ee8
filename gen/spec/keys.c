/* keys.c: the table of keys, and its two printed forms. */
#include "spec/spec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPEC(member) offsetof(Spec, member)
#define LAYER(member) offsetof(LayerSpec, member)
#define NOWHERE 0
#define KEY(path, type, field, initial, values, meaning)                                           \
    { path, KEY_##type, field, initial, values, meaning },
const Key key_table[] = {
#include "spec/keys.def"
};
#undef KEY
const int key_count = LENGTH(key_table);

const Key *key_find(const char *path)
{
    for (int i = 0; i < key_count; i++) {
        if (strcmp(key_table[i].path, path) == 0)
            return &key_table[i];
    }
    return NULL;
}

enum { CHOICES_MAX = 32 };

/* Adds the names of "a | b | c" up to `end`. */
static int split_names(Arena *a, const char *from, const char *end, const char **names, int n)
{
    while (from < end) {
        from += strspn(from, " |;");
        size_t length = strcspn(from, " |;");
        if (from >= end || length == 0)
            break;
        REQUIRE(n < CHOICES_MAX);
        names[n++] = str_ndup(a, from, length);
        from += length;
    }
    return n;
}

int key_choices(Arena *a, const Key *k, const char *const **names, int *now)
{
    const char **list = ARENA_ARRAY(a, const char *, CHOICES_MAX);
    const char *later = strstr(k->values, "later:"), *end = k->values + strlen(k->values);
    int n = 0;
    if (k->type == KEY_PATTERN) {
        const Pattern *const *pattern = pattern_table(&n);
        REQUIRE(n < CHOICES_MAX);
        for (int i = 0; i < n; i++)
            list[i] = pattern[i]->name;
    }
    n = *now = split_names(a, k->values, later ? later : end, list, n);
    if (later)
        n = split_names(a, later + strlen("later:"), end, list, n);
    *names = list;
    return n;
}

KeyRange key_range(Arena *a, const Key *k)
{
    KeyRange r = { .high = INFINITY };
    const char *text = k->values, *bar = strstr(text, " | ");
    for (const char **word = &r.word; bar; bar = strstr(text, " | "), word = &r.other) {
        *word = str_ndup(a, text, (size_t)(bar - text));
        text = bar + strlen(" | ");
    }
    r.above = str_starts(text, "above ");
    if (r.above)
        text += strlen("above ");
    const char *dots = strstr(text, "..");      /* strtod alone would take "1." of "1..256" */
    r.low = strtod(str_ndup(a, text, dots ? (size_t)(dots - text) : strlen(text)), NULL);
    if (dots)
        r.high = strtod(dots + 2, NULL);
    return r;
}

/* What may stand there, as shown to people. */
static const char *shown_values(Arena *a, const Key *k)
{
    if (k->type == KEY_MAP)
        return "map";
    if (k->type != KEY_PATTERN)
        return k->values;
    Buffer b;
    buffer_init(&b, a);
    const char *const *names;
    int now;
    key_choices(a, k, &names, &now);
    for (int i = 0; i < now; i++)
        buffer_print(&b, "%s%s", i ? " | " : "", names[i]);
    return b.text;
}

static void print_rows(FILE *to, Arena *a, bool later)
{
    int path = 0, values = 0, initial = (int)strlen("default");
    for (int i = 0; i < key_count; i++) {
        const Key *k = &key_table[i];
        path = MAX(path, (int)strlen(k->path));
        if (k->type != KEY_LATER) {
            values = MAX(values, (int)strlen(shown_values(a, k)));
            initial = MAX(initial, (int)strlen(k->initial));
        }
    }
    if (!later)
        fprintf(to, "%-*s  %-*s  %-*s  %s\n", path, "key", values, "values", initial, "default",
                "meaning");
    for (int i = 0; i < key_count; i++) {
        const Key *k = &key_table[i];
        if ((k->type == KEY_LATER) != later)
            continue;
        if (later)
            fprintf(to, "%-*s  %s\n", path, k->path, k->meaning);
        else
            fprintf(to, "%-*s  %-*s  %-*s  %s\n", path, k->path, values, shown_values(a, k),
                    initial, k->initial[0] ? k->initial : "-", k->meaning);
    }
}

void keys_print(FILE *to)
{
    Arena *a = arena_new();
    print_rows(to, a, false);
    fputs("\nKnown, but refused by this version:\n", to);
    print_rows(to, a, true);
    fputs("\nAny key can be set from the command line: --set engine.pes=8 --set "
          "model.layers.0.W=kernel\n",
          to);
    arena_free(a);
}

/* A bar would end the cell of a Markdown table. */
static void print_cell(FILE *to, const char *text)
{
    fputs(" ", to);
    for (; *text; text++)
        fprintf(to, "%s%c", *text == '|' ? "\\" : "", *text);
    fputs(" |", to);
}

void keys_markdown(FILE *to)
{
    Arena *a = arena_new();
    fputs("| key | values | default | meaning |\n| --- | --- | --- | --- |\n", to);
    for (int i = 0; i < key_count; i++) {
        const Key *k = &key_table[i];
        if (k->type == KEY_LATER)
            continue;
        fprintf(to, "| `%s` |", k->path);
        print_cell(to, shown_values(a, k));
        print_cell(to, k->initial);
        print_cell(to, k->meaning);
        fputs("\n", to);
    }
    fputs("\nKnown, but refused by this version:\n\n| key | why |\n| --- | --- |\n", to);
    for (int i = 0; i < key_count; i++) {
        if (key_table[i].type != KEY_LATER)
            continue;
        fprintf(to, "| `%s` |", key_table[i].path);
        print_cell(to, key_table[i].meaning);
        fputs("\n", to);
    }
    arena_free(a);
}
