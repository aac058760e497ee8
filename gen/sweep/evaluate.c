/* evaluate.c: works out one point: the estimate of `check`, and at greater depths the folder, the
 * simulation or the synthesis of it. */
#include <stdlib.h>

#include "sweep/sweep.h"

static json_t *axis_value(Arena *a, const Axis *x, int choice)
{
    Value v = x->value[choice];
    if (v.kind == VALUE_NUMBER)
        return value_real(v.number);
    if (v.kind == VALUE_BOOL)
        return json_boolean(v.number != 0);
    return value_string(a, v.text ? v.text : x->text[choice]);
}

static json_t *row_start(Arena *a, const Sweep *s, int point)
{
    const Point *p = &s->point[point];
    char key[65];
    for (int i = 0; i < 32; i++)
        snprintf(key + 2 * i, 3, "%02x", p->key[i]);
    json_t *row = json_object(), *set = json_object();
    json_object_set_new(row, "point", json_integer(p->number));
    json_object_set_new(row, "key", json_string(key));
    for (int i = 0; i < s->n_axes; i++)
        json_object_set_new(set, s->axis[i].key,
                            axis_value(a, &s->axis[i], point_choice(s, p, &s->axis[i])));
    json_object_set_new(row, "set", set);
    return row;
}

static bool go_deep(Job *j, const Sweep *s, int point)
{
    const char *folder = point_folder(j->arena, s, s->point[point].number);
    if (s->depth == DEPTH_ESTIMATE)
        return true;
    if (!job_stage(j, STAGE_TIMELINE) || (s->depth == DEPTH_PLACE && !job_placeable(j)) || !job_emit(j, folder))
        return false;
    if (s->depth == DEPTH_PLACE)
        return job_place(j, folder, 1);
    return s->depth == DEPTH_SIMULATE ? job_simulate(j, folder, s->simulator)
                                      : job_synthesise(j, folder);
}

static const char *row_text(Arena *a, json_t *row)
{
    char *text = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(10) | JSON_ENSURE_ASCII);
    REQUIRE(text);
    const char *line = str_format(a, "%s\n", text);
    free(text);
    json_decref(row);
    return line;
}

/* A tool that failed may work the next time: such a point is tried again, an invalid one is not. */
static void put_status(json_t *row, Arena *a, const Diag *d, bool ok)
{
    bool tool = diag_status(d) == EXIT_TOOL;
    json_object_set_new(row, "status", json_string(ok ? "ok" : tool ? "failed" : "invalid"));
    if (!ok)
        json_object_set_new(row, "reason", value_string(a, diag_reason(a, d)));
}

const char *evaluate(Arena *a, Stock *stock, const Sweep *s, int point)
{
    json_t *row = row_start(a, s, point);
    const char **set = point_sets(a, s, &s->point[point]);
    Job j = { .arena = a, .diag = diag_new(a) };
    j.spec = spec_load_tree(a, j.diag, s->base_file, s->base, s->base_text, set, s->n_axes);
    bool ok = j.spec && stock_build(stock, &j, s, set, s->n_axes) && go_deep(&j, s, point);
    put_status(row, a, j.diag, ok);
    if (ok && s->depth == DEPTH_SIMULATE && !j.sim.pass) {
        json_object_set_new(row, "status", json_string("failed"));
        json_object_set_new(row, "reason", value_string(a, str_format(a,
                            "verification FAILED: %lld mismatches in %lld output elements, %d protocol errors",
                            (long long)j.sim.mismatches, (long long)j.sim.compared, j.sim.n_errors)));
    }
    if (ok && s->only_failed && s->depth != DEPTH_ESTIMATE && (s->depth != DEPTH_SIMULATE || j.sim.pass))
        folder_remove_own(point_folder(a, s, s->point[point].number));
    if (ok) {
        json_t *report = job_report(&j);
        json_object_set_new(row, "result", columns_result(report));
        json_decref(report);
    }
    return row_text(a, row);
}

const char *evaluate_crashed(Arena *a, const Sweep *s, int point, const char *reason)
{
    json_t *row = row_start(a, s, point);
    json_object_set_new(row, "status", json_string("failed"));
    json_object_set_new(row, "reason", value_string(a, reason));
    return row_text(a, row);
}
