/* folders.c: folders of deep points, points/<number>. Where the axes changed, a finished point may have another number
 * now: its folder goes to points/<new>.moved before the table says so, and to its place when the table is on disk. A
 * run that is killed in between leaves what the next one settles. */
#include <stdio.h>
#include <string.h>

#include "sweep/sweep.h"

static const char MOVED[] = ".moved";

const char *point_folder(Arena *a, const Sweep *s, int number)
{
    return str_format(a, "%s/points/%d", s->out, number);
}

void folder_move(const Sweep *s, const json_t *row, const Point *p)
{
    int old = (int)json_integer_value(json_object_get(row, "point"));
    if (old == p->number || s->depth == DEPTH_ESTIMATE)
        return;
    Arena *a = arena_new();
    rename(point_folder(a, s, old), str_format(a, "%s%s", point_folder(a, s, p->number), MOVED));
    arena_free(a);
}

void folders_settle(const Sweep *s)
{
    Arena *a = arena_new();
    const char *folder = path_join(a, s->out, "points");
    int n;
    const char **names = folder_names(a, folder, &n);
    for (int i = 0; i < n; i++) {
        if (!str_ends(names[i], MOVED))
            continue;
        const char *to = path_join(a, folder, str_ndup(a, names[i], strlen(names[i]) - strlen(MOVED)));
        if (!file_exists(to) || folder_remove_own(to))
            rename(path_join(a, folder, names[i]), to);
    }
    arena_free(a);
}
