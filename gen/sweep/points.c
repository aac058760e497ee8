/* points.c: which points there are, what makes each one what it is (its key), in which order they
 * are worked out. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "spec/spec.h"
#include "sweep/sweep.h"

int point_choice(const Sweep *s, const Point *p, const Axis *x)
{
    int64_t rest = p->index;
    for (int g = s->n_groups - 1; g > x->group; g--)
        rest /= s->group_size[g];
    return (int)(rest % s->group_size[x->group]);
}

const char **point_sets(Arena *a, const Sweep *s, const Point *p)
{
    const char **set = ARENA_ARRAY(a, const char *, s->n_axes);
    for (int i = 0; i < s->n_axes; i++)
        set[i] = str_format(a, "%s=%s", s->axis[i].key, s->axis[i].text[point_choice(s, p, &s->axis[i])]);
    return set;
}

/* ---- where ---- */

typedef struct At { const Sweep *sweep; const Point *point; Arena *scratch; } At;

/* The axis' value, else what the base has, else the default. */
static Value look_key(void *context, const char *name)
{
    const At *at = context;
    const Sweep *s = at->sweep;
    Place place;
    for (int i = 0; i < s->n_axes; i++)
        if (strcmp(s->axis[i].key, name) == 0)
            return s->axis[i].value[point_choice(s, at->point, &s->axis[i])];
    const NodeEntry *e = tree_entry(at->scratch, s->base, name, &place);
    if (e && e->value->kind == NODE_SCALAR)
        return value_of_text(e->value->text, e->value->quoted);
    const Key *k = key_find(name);
    return k && k->initial && k->initial[0] ? value_of_text(k->initial, false) : (Value){ 0 };
}

/* 1: meets all conditions; 0: not; -1: a condition cannot be worked out. */
static int meets(Sweep *s, const Point *p, Arena *scratch)
{
    At at = { s, p, scratch };
    for (int i = 0; i < s->n_where; i++) {
        const char *fault = NULL;
        bool holds = value_true(expr_value(s->where[i], look_key, &at, &fault));
        if (fault) {
            diag_error(s->diag, s->where_at[i],
                       "this condition compares or adds the text '%s' like a number", fault);
            return -1;
        }
        if (!holds)
            return 0;
    }
    return 1;
}

/* ---- keys ---- */

/* A line "name hash". */
static void add_bytes(Buffer *b, Diag *d, const char *path)
{
    Bytes data;
    char sum[65] = "unread";
    if (file_read(b->arena, d, (Place){ path, 0, 0 }, path, (size_t)1 << 40, &data))
        sha256_hex(data.data, data.size, sum);
    buffer_print(b, "%s %s\n", path_name(path), sum);
}

/* A file that is not there leaves a mark too: the point becomes another one when it comes. */
static void add_file(Buffer *b, Diag *d, const char *path)
{
    int n;
    const char **names = folder_names(b->arena, path, &n);
    buffer_print(b, "%s\n", path_name(path));
    for (int i = 0; i < n; i++) {
        const char *name = path_join(b->arena, path, names[i]);
        if (!file_is_folder(name))
            add_bytes(b, d, name);
    }
    if (!file_is_folder(path) && file_exists(path))
        add_bytes(b, d, path);
}

static const char *const FILE_KEYS[] = { "model.file", "verify.input", "verify.expect",
                                         "verify.lengths", "verify.labels", "delta.profile" };

/* Also a key of the map around one. */
static bool names_files(const char *key)
{
    for (int i = 0; i < LENGTH(FILE_KEYS); i++)
        if (str_starts(FILE_KEYS[i], key))
            return true;
    return false;
}

/* The files of one point: those of the base with what the axes set. */
static void hash_files(const Sweep *s, const Point *p, char out[65])
{
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    const char **set = point_sets(a, s, p);
    SpecNode *root = s->base;
    Buffer b;
    buffer_init(&b, a);
    for (int i = 0; i < s->n_axes; i++)
        if (names_files(s->axis[i].key))
            root = set_apply(a, d, root, set[i], i + 1);
    for (int i = 0; i < LENGTH(FILE_KEYS); i++) {
        Place at;
        const NodeEntry *e = tree_entry(a, root, FILE_KEYS[i], &at);
        if (e && e->value->kind == NODE_SCALAR && !node_is_null(e->value))
            add_file(&b, d, path_beside(a, s->base_file, e->value->text));
    }
    sha256_hex(b.text ? b.text : "", b.length, out);
    arena_free(a);
}

/* Files are read once for every choice of the axes that name them. */
typedef struct FileHash { int64_t choice; char sum[65]; } FileHash;
typedef struct FileHashes { FileHash *of; int n, room; } FileHashes;

static const char *files_of(Sweep *s, FileHashes *known, const Point *p)
{
    int64_t choice = 0;
    for (int i = 0; i < s->n_axes; i++)
        if (names_files(s->axis[i].key))
            choice = choice * s->axis[i].n + point_choice(s, p, &s->axis[i]);
    for (int i = known->n - 1; i >= 0; i--)
        if (known->of[i].choice == choice)
            return known->of[i].sum;
    if (known->n == known->room) {
        int room = known->room ? 2 * known->room : 16;
        known->of = arena_grow(s->arena, known->of, sizeof(FileHash) * (size_t)known->room,
                               sizeof(FileHash) * (size_t)room);
        known->room = room;
    }
    FileHash *h = &known->of[known->n++];
    h->choice = choice;
    hash_files(s, p, h->sum);
    return h->sum;
}

static void make_key(Sweep *s, FileHashes *files, Point *p, Arena *scratch)
{
    static const char *const depth[] = { "estimate", "simulate", "synthesise", "place" };
    const char **set = point_sets(scratch, s, p);
    char base[65], sum[65];
    Buffer b;
    sha256_hex(s->base_text.data, s->base_text.size, base);
    buffer_init(&b, scratch);
    buffer_print(&b, "lstmgen " LSTMGEN_VERSION " %s %s\n%s\n%s\n", depth[s->depth],
                 s->depth == DEPTH_SIMULATE ? s->simulator : "", base, files_of(s, files, p));
    for (int i = 0; i < s->n_axes; i++)
        buffer_print(&b, "%s\n", set[i]);
    sha256_hex(b.text, b.length, sum);
    for (int i = 0; i < 32; i++) {
        unsigned byte = 0;
        sscanf(sum + 2 * i, "%2x", &byte);
        p->key[i] = (uint8_t)byte;
    }
}

/* ---- the list ---- */

static int64_t product(const Sweep *s)
{
    int64_t n = 1;
    for (int g = 0; g < s->n_groups; g++)
        n *= s->group_size[g];
    return n;
}

bool points_list(Sweep *s)
{
    int64_t total = product(s);
    FileHashes files = { 0 };
    REQUIRE(total <= POINTS_MAX);
    s->point = ARENA_ARRAY(s->arena, Point, total);
    for (int64_t i = 0; i < total; i++) {
        Arena *scratch = arena_new();
        Point *p = &s->point[s->n_points];
        *p = (Point){ .index = i, .number = s->n_points + 1 };
        int holds = meets(s, p, scratch);
        if (holds > 0) {
            make_key(s, &files, p, scratch);
            s->n_points++;
        }
        arena_free(scratch);
        if (holds < 0)
            return false;
    }
    if (s->n_points > 0)
        return true;
    diag_error(s->diag, s->where_at[0], "0 points: no point of %lld meets the conditions of `where`",
               (long long)total);
    return false;
}

/* For a list that was read: its numbers and indices are there. */
bool points_made(Sweep *s)
{
    FileHashes files = { 0 };
    int64_t total = product(s);
    for (int i = 0; i < s->n_points; i++) {
        if (s->point[i].index >= total)
            return false;
        Arena *scratch = arena_new();
        make_key(s, &files, &s->point[i], scratch);
        arena_free(scratch);
    }
    return true;
}

/* ---- order ---- */

enum { STAGES_OF_AXES = 7 };

/* Axes whose change makes most work again come first. Pruning that reads engine.pes is best done for
 * all precisions at once, as long as the stock (stock.c) holds so many. */
static int stage_of(const char *key, bool pes_first)
{
    static const char *const prefix[] = { "model", "verify", "sparsity", "engine.pe_width", "engine.pes", "precision" };
    for (int i = 0; i < LENGTH(prefix); i++)
        if (str_starts(key, prefix[i]))
            return i == 4 && !pes_first ? STAGES_OF_AXES - 1 : i;
    return STAGES_OF_AXES - 1;
}

static bool few_precisions(const Sweep *s)
{
    int n = 1;
    for (int i = 0; i < s->n_axes; i++)
        if (str_starts(s->axis[i].key, "precision"))
            n = MIN(n * s->axis[i].n, SHELVES_MAX);
    return n <= SHELVES_MAX / 2;
}

typedef struct Ranked { int64_t rank; int point; } Ranked;

static int by_rank(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : (x->point > y->point) - (x->point < y->point);
}

/* The point's index if the groups were sorted by stage. */
static int64_t rank_of(const Sweep *s, const Point *p)
{
    int64_t rank = 0;
    bool used[AXES_MAX] = { false };
    bool pes_first = few_precisions(s);
    for (int stage = 0; stage < STAGES_OF_AXES; stage++)
        for (int i = 0; i < s->n_axes; i++) {
            const Axis *x = &s->axis[i];
            if (stage_of(x->key, pes_first) != stage || used[x->group])
                continue;
            used[x->group] = true;
            rank = rank * s->group_size[x->group] + point_choice(s, p, x);
        }
    return rank;
}

int *points_order(Arena *a, const Sweep *s)
{
    Ranked *ranked = ARENA_ARRAY(a, Ranked, s->n_points);
    int *order = ARENA_ARRAY(a, int, s->n_points);
    for (int i = 0; i < s->n_points; i++)
        ranked[i] = (Ranked){ rank_of(s, &s->point[i]), i };
    qsort(ranked, (size_t)s->n_points, sizeof *ranked, by_rank);
    for (int i = 0; i < s->n_points; i++)
        order[i] = ranked[i].point;
    return order;
}

/* ---- a point as a spec ---- */

/* `path` as seen from `folder`; absolute where one of the two is not there. */
static const char *path_from(Arena *a, const char *folder, const char *path)
{
    char *from = realpath(folder, NULL), *to = realpath(path, NULL);
    const char *out = str_dup(a, path);
    if (from && to) {
        size_t common = 0;
        for (size_t i = 0; from[i] == to[i]; i++) {
            if (from[i] == '/' || from[i] == '\0')
                common = i;
            if (from[i] == '\0')
                break;
        }
        if (strncmp(from, to, strlen(from)) == 0 && to[strlen(from)] == '/')
            common = strlen(from);
        Buffer b;
        buffer_init(&b, a);
        for (const char *p = from + common; *p; p++)
            if (*p == '/' && p[1])
                buffer_print(&b, "../");
        buffer_print(&b, "%s", to + common + (to[common] == '/'));
        out = b.text;
    }
    free(from);
    free(to);
    return out;
}

static SpecNode *place_files(Arena *a, const Sweep *s, SpecNode *root, const char *folder)
{
    Diag *d = diag_new(a);
    for (int i = 0; i < LENGTH(FILE_KEYS); i++) {
        Place at;
        const NodeEntry *e = tree_entry(a, root, FILE_KEYS[i], &at);
        if (!e || e->value->kind != NODE_SCALAR || node_is_null(e->value))
            continue;
        SpecNode text = { .kind = NODE_SCALAR, .quoted = true,
                          .text = path_from(a, folder, path_beside(a, s->base_file, e->value->text)) };
        Buffer b;
        buffer_init(&b, a);
        buffer_print(&b, "%s=", FILE_KEYS[i]);
        node_print_flow(&b, &text);
        root = set_apply(a, d, root, b.text, 1);
    }
    return root;
}

const char *point_spec(Arena *a, const Sweep *s, const Point *p, const char *folder)
{
    SpecNode *root = s->base;
    Diag *d = diag_new(a);
    const char **set = p ? point_sets(a, s, p) : NULL;
    for (int i = 0; p && i < s->n_axes; i++)
        root = set_apply(a, d, root, set[i], i + 1);
    root = place_files(a, s, root, folder);
    Buffer b;
    buffer_init(&b, a);
    node_print_block(&b, root, 0);
    return b.text;
}

const char *point_command(Arena *a, const Sweep *s, const Point *p)
{
    static const char *const what[] = { "check", "sim", "synth", "synth --pnr" };
    const char **set = point_sets(a, s, p);
    Buffer b;
    buffer_init(&b, a);
    buffer_print(&b, "lstmgen %s base.yaml", what[s->depth]);
    for (int i = 0; i < s->n_axes; i++)
        buffer_print(&b, " --set %s", shell_word(a, set[i]));
    return b.text;
}
