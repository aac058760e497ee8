/* own.c: what of a folder is lstmgen's, by its manifest.json: {"generator": "lstmgen", "files": [{"name"}],
 * "renewed": ["build/sim-*.log", "points/"]}. `renewed` are files that lstmgen or the folder's own Makefile writes
 * later; a star stands for anything within one name; what ends in a slash is a folder that is not looked into. Whatever else
 * lies there is somebody's: it is named, and never removed. */
#define _GNU_SOURCE                     /* FNM_* */
#include "base/base.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANIFEST_LIMIT = 64 << 20 };

typedef struct Own {
    Arena *arena;
    const char *path;
    const char **file; int n;           /* sorted */
    const char **pattern; int n_patterns;
    const char **folder; int n_folders; /* sorted: those that hold a file or may hold a renewed one */
} Own;

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static bool is_among(const char *const *list, int n, const char *name)
{
    return n > 0 && bsearch(&name, list, (size_t)n, sizeof *list, by_text);
}

/* ---- the manifest ---- */

static void add_name(Own *o, const json_t *name)
{
    if (json_is_string(name))
        o->file[o->n++] = str_dup(o->arena, json_string_value(name));
}

/* Every folder on the way to `name`. */
static void add_folders(Own *o, const char *name)
{
    for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/'))
        o->folder[o->n_folders++] = str_ndup(o->arena, name, (size_t)(p - name));
}

static int count_slashes(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += *text == '/';
    return n;
}

static void list_folders(Own *o)
{
    int n = 0;
    for (int i = 0; i < o->n; i++)
        n += count_slashes(o->file[i]);
    for (int i = 0; i < o->n_patterns; i++)
        n += count_slashes(o->pattern[i]);
    o->folder = ARENA_ARRAY(o->arena, const char *, MAX(n, 1));
    for (int i = 0; i < o->n; i++)
        add_folders(o, o->file[i]);
    for (int i = 0; i < o->n_patterns; i++)
        add_folders(o, o->pattern[i]);
    qsort(o->folder, (size_t)o->n_folders, sizeof *o->folder, by_text);
}

static void take_manifest(Own *o, const json_t *manifest)
{
    const json_t *files = json_object_get(manifest, "files"), *renewed = json_object_get(manifest, "renewed");
    o->file = ARENA_ARRAY(o->arena, const char *, json_array_size(files) + 1);
    o->pattern = ARENA_ARRAY(o->arena, const char *, json_array_size(renewed) + 1);
    o->file[o->n++] = "manifest.json";
    for (size_t i = 0; i < json_array_size(files); i++)
        add_name(o, json_object_get(json_array_get(files, i), "name"));
    for (size_t i = 0; i < json_array_size(renewed); i++)
        if (json_is_string(json_array_get(renewed, i)))
            o->pattern[o->n_patterns++] = str_dup(o->arena, json_string_value(json_array_get(renewed, i)));
    qsort(o->file, (size_t)o->n, sizeof *o->file, by_text);
    list_folders(o);
}

/* NULL, or why the folder is not one that lstmgen made. */
static const char *read_manifest(Own *o)
{
    const char *path = path_join(o->arena, o->path, "manifest.json");
    struct stat st;
    if (lstat(path, &st) < 0)
        return "it has no manifest.json of lstmgen";
    if (!S_ISREG(st.st_mode) || st.st_size > MANIFEST_LIMIT)
        return "its manifest.json is not lstmgen's";
    json_t *manifest = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const char *generator = json_string_value(json_object_get(manifest, "generator"));
    const char *tool = json_string_value(json_object_get(manifest, "tool"));
    const char *why = NULL;
    if (generator && strcmp(generator, "lstmgen") == 0)
        take_manifest(o, manifest);
    else if ((tool && str_starts(tool, "lstmgen ")) || json_object_get(manifest, "base_sha256"))
        why = "its manifest.json is of a former version of lstmgen, which did not list all that it wrote";
    else
        why = "its manifest.json is not lstmgen's";
    json_decref(manifest);
    return why;
}

/* ---- what is there ---- */

static bool is_own_file(const Own *o, const char *name)
{
    if (is_among(o->file, o->n, name))
        return true;
    for (int i = 0; i < o->n_patterns; i++)
        if (fnmatch(o->pattern[i], name, FNM_PATHNAME | FNM_NOESCAPE) == 0)
            return true;
    return false;
}

typedef enum { THING_FILE, THING_FOLDER, THING_OTHER } Thing;

static Thing thing_at(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return THING_OTHER;
    return S_ISREG(st.st_mode) ? THING_FILE : S_ISDIR(st.st_mode) ? THING_FOLDER : THING_OTHER;
}

/* The first name below `folder` (relative, "" for all) that is not lstmgen's, or NULL. */
static const char *first_foreign(const Own *o, const char *folder)
{
    int n;
    const char **names = folder_names(o->arena, path_join(o->arena, o->path, folder), &n);
    for (int i = 0; i < n; i++) {
        const char *name = path_join(o->arena, folder, names[i]), *found = NULL;
        Thing thing = thing_at(path_join(o->arena, o->path, name));
        if (thing == THING_FOLDER)
            found = is_own_file(o, str_format(o->arena, "%s/", name)) ? NULL
                    : is_among(o->folder, o->n_folders, name)          ? first_foreign(o, name)
                                                                       : str_format(o->arena, "%s/", name);
        else if (thing == THING_OTHER || !is_own_file(o, name))
            found = name;
        if (found)
            return found;
    }
    return NULL;
}

/* For a message: on one line. */
static const char *shown(Arena *a, const char *name)
{
    char *text = str_dup(a, name);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    return text;
}

const char *folder_foreign(Arena *a, const char *path)
{
    Own o = { .arena = a, .path = path };
    int n;
    if (access(path, R_OK | X_OK) != 0)
        return "it cannot be read";
    folder_names(a, path, &n);
    const char *why = n > 0 ? read_manifest(&o) : NULL;
    if (why || n == 0)
        return why;
    const char *foreign = first_foreign(&o, "");
    if (!foreign)
        return NULL;
    return str_format(a, "%s in it is not lstmgen's (its manifest.json does not list it)", shown(a, foreign));
}

/* ---- removing ---- */

static void remove_below(const Own *o, const char *folder)
{
    int n;
    const char *path = path_join(o->arena, o->path, folder);
    const char **names = folder_names(o->arena, path, &n);
    for (int i = 0; i < n; i++) {
        const char *name = path_join(o->arena, folder, names[i]), *full = path_join(o->arena, o->path, name);
        Thing thing = thing_at(full);
        if (thing == THING_FOLDER && is_among(o->folder, o->n_folders, name))
            remove_below(o, name);
        else if (thing == THING_FILE && is_own_file(o, name) && strcmp(name, "manifest.json") != 0)
            unlink(full);
    }
    if (folder[0])
        rmdir(path);
}

bool folder_remove_own(const char *path)
{
    Arena *a = arena_new();
    Own o = { .arena = a, .path = path };
    int n;
    bool known = read_manifest(&o) == NULL;
    if (known)
        remove_below(&o, "");
    folder_names(a, path, &n);
    if (known && n == 1)                /* it goes last: what is left without it would be nobody's */
        unlink(path_join(a, path, "manifest.json"));
    arena_free(a);
    return rmdir(path) == 0 || errno == ENOENT;
}
