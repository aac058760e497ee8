/* stat.c: reads Yosys' `stat`, and counts cells over the hierarchy. */
#include "flow/stat.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64 };        /* levels of hierarchy; more: a module that holds itself, which Yosys refuses */

static StatModule *add_module(Arena *a, StatModule *list, const char *name)
{
    StatModule *m = ARENA_NEW(a, StatModule);
    *m = (StatModule){.name = str_dup(a, name), .next = list};
    return m;
}

static void add_cell(Arena *a, StatModule *m, const char *type, int64_t count)
{
    StatCell *c = ARENA_NEW(a, StatCell);
    *c = (StatCell){.type = str_dup(a, type), .count = count, .next = m->cells};
    m->cells = c;
}

/* ---------------------------------------------------------------- JSON */

static StatModule *read_json(Arena *a, const char *json)
{
    StatModule *list = NULL;
    json_error_t error;
    json_t *root = json_loads(json, 0, &error), *module, *count;
    const char *name, *type;
    json_object_foreach(json_object_get(root, "modules"), name, module) {
        list = add_module(a, list, *name == '\\' ? name + 1 : name);
        json_object_foreach(json_object_get(module, "num_cells_by_type"), type, count)
            add_cell(a, list, type, json_integer_value(count));
    }
    json_decref(root);
    return list;
}

/* ---------------------------------------------------------------- text */

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

static bool is_number(const char *word, int64_t *value)
{
    char *end;
    *value = strtoll(word, &end, 10);
    return end != word && *end == '\0' && *value >= 0;
}

/* A line of two words, one of them the number: a type of cells (or "cells", "wires", which are no type). */
static void read_count(Arena *a, StatModule *m, char *line)
{
    char *rest = NULL;
    char *first = strtok_r(line, " ", &rest), *second = first ? strtok_r(NULL, " ", &rest) : NULL;
    int64_t count;
    if (!second || strtok_r(NULL, " ", &rest)) return;
    if (is_number(first, &count)) add_cell(a, m, second, count);
    else if (is_number(second, &count)) add_cell(a, m, first, count);
}

/* Sections "=== module ===". The last one, "design hierarchy", is the sum of the others. */
static StatModule *read_text(Arena *a, const char *stat)
{
    StatModule *list = NULL;
    char *text = str_dup(a, stat);
    for (char *line = next_line(&text); line; line = next_line(&text)) {
        if (str_starts(line, "=== ") && str_ends(line, " ===")) {
            line[strlen(line) - strlen(" ===")] = '\0';
            line += strlen("=== ");
            if (strcmp(line, "design hierarchy") == 0) break;
            list = add_module(a, list, line);
        } else if (list) {
            read_count(a, list, line);
        }
    }
    return list;
}

StatModule *stat_read(Arena *a, const char *json, const char *text)
{
    StatModule *list = json ? read_json(a, json) : NULL;
    return list || !text ? list : read_text(a, text);
}

/* ---------------------------------------------------------------- the hierarchy */

const StatModule *stat_module(const StatModule *list, const char *name)
{
    while (list && strcmp(list->name, name) != 0) list = list->next;
    return list;
}

static void walk(const StatModule *list, const StatModule *m, int64_t instances, int depth, StatVisit *visit,
                 void *context)
{
    for (const StatCell *c = m->cells; c; c = c->next) {
        visit(context, c->type, instances * c->count);
        const StatModule *below = stat_module(list, c->type);
        if (below && depth < DEPTH_MAX) walk(list, below, instances * c->count, depth + 1, visit, context);
    }
}

bool stat_walk(const StatModule *list, const char *top, StatVisit *visit, void *context)
{
    const StatModule *m = stat_module(list, top);
    if (m) walk(list, m, 1, 0, visit, context);
    return m != NULL;
}
