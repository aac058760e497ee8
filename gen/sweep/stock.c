/* stock.c: job_build for many points: what early stages left is kept and used again where all that
 * it was made of is the same. The stages themselves are those of driver.c.
 *
 *   level 0  weights and sequences     model, verify
 *   level 1  outputs before pruning    level 0 and everything but number formats and the engine
 *   level 2  pruned weights            level 1 and what its patterns read of the engine
 *   level 3  integers, golden outputs  level 2 and precision
 *
 * What is not listed here as having no influence is taken to have one. */
#include <stdlib.h>
#include <string.h>

#include "spec/spec.h"
#include "sweep/sweep.h"

enum { LEVELS = 4 };
static const size_t STOCK_BYTES = (size_t)256 << 20;

/* One kept result: a Job up to its level, with an arena of its own. */
typedef struct Shelf {
    Arena *arena;
    int level;
    const char *key;
    struct Shelf *below;                /* the level it is built on */
    Job job;
    bool ok;
    int64_t used;
} Shelf;

/* What the planner found for designs that take the same cycles. */
typedef struct Plan { Arena *arena; const char *key; PlanLog *log; } Plan;
enum { PLANS_MAX = 64 };

struct Stock {
    Shelf *shelf[SHELVES_MAX]; int n;
    Plan plan[PLANS_MAX]; int plans;    /* a ring; so many were put there */
    int64_t clock;
};

Stock *stock_new(void)
{
    Stock *s = calloc(1, sizeof *s);
    REQUIRE(s);
    return s;
}

static void shelf_free(Shelf *f)
{
    arena_free(f->arena);
    free(f);
}

void stock_free(Stock *s)
{
    for (int i = 0; s && i < s->n; i++)
        shelf_free(s->shelf[i]);
    for (int i = 0; s && i < MIN(s->plans, PLANS_MAX); i++)
        arena_free(s->plan[i].arena);
    free(s);
}

/* ---- keys ---- */

static bool is_one_of(const char *key, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

static void add_part(Buffer *b, const SpecNode *root, const char *key)
{
    const NodeEntry *e = node_find(root, key);
    buffer_print(b, "%s=", key);
    if (e)
        node_print_flow(b, e->value);
    buffer_print(b, "\n");
}

static const char *key_of(Arena *a, const Job *j, int level)
{
    static const char *const OUT[] = { "name", "precision", "interface", "network", "target", "engine" };
    const Spec *s = j->spec;
    const SpecNode *root = s->root;
    unsigned reads = level > 1 ? patterns_prune_reads(s, &j->network) : 0;
    Buffer b;
    buffer_init(&b, a);
    add_part(&b, root, "model");
    add_part(&b, root, "verify");
    for (int i = 0; level > 0 && i < root->n; i++)
        if (!is_one_of(root->entry[i].key, OUT, LENGTH(OUT)))
            add_part(&b, root, root->entry[i].key);
    if (level > 1)
        buffer_print(&b, "banks=%d block=%d group_rows=%d pes=%d pe_width=%d\n", s->banks, s->block, s->group_rows,
                     reads & PRUNE_READS_PES ? s->pes : 0, reads & PRUNE_READS_PE_WIDTH ? s->pe_width : 0);
    if (level > 2) {
        add_part(&b, root, "precision");
        buffer_print(&b, "gate=%d\n", gate_bits(s));
    }
    return b.text;
}

/* ---- building a level ---- */

/* A copy of the weights that pruning may change. */
static void copy_network(Arena *a, const Network *from, Network *to)
{
    *to = *from;
    for (int p = 0; p < from->products; p++) {
        Matrix *m = &to->product[p].m;
        size_t n = (size_t)m->rows * (size_t)m->columns;
        float *copy = ARENA_ARRAY(a, float, n);
        memcpy(copy, m->value, n * sizeof *copy);
        m->value = copy;
    }
}

/* What the level below left, as the start of this one. */
static void take_over(Job *j, const Shelf *below)
{
    const Job *from = &below->job;
    j->network = from->network;
    j->sequences = from->sequences;
    j->y_unpruned = from->y_unpruned;
    j->qnet = from->qnet;
    j->golden = from->golden;
}

static bool build_level(Shelf *f)
{
    Job *j = &f->job;
    if (f->level == 0)
        return job_stage(j, STAGE_NETWORK) && job_stage(j, STAGE_SEQUENCES);
    Network assigned = j->network;      /* the weights of the level below with patterns and rates of this point */
    take_over(j, f->below);
    if (f->level == 3)
        return job_stage(j, STAGE_QUANTISE) && job_stage(j, STAGE_GOLDEN);
    j->network = assigned;
    if (f->level == 1)
        return job_stage(j, STAGE_UNPRUNED);
    copy_network(f->arena, &assigned, &j->network);
    return job_stage(j, STAGE_PRUNE);
}

/* A spec of the shelf's own, as the point's arena does not live as long; its messages are those of
 * this level's stages only. */
static void start_level(Shelf *f, const Sweep *s, const char *const *sets, int n)
{
    Job *j = &f->job;
    *j = (Job){ .arena = f->arena, .diag = diag_new(f->arena) };
    const char **copy = ARENA_ARRAY(f->arena, const char *, n);
    for (int i = 0; i < n; i++)
        copy[i] = str_dup(f->arena, sets[i]);
    j->spec = spec_load_tree(f->arena, j->diag, s->base_file, s->base, s->base_text, copy, n);
    REQUIRE(j->spec);
    if (f->level > 0) {
        j->network = f->below->job.network;
        bool ok = job_stage(j, STAGE_PATTERN);
        REQUIRE(ok);
    }
    j->diag = diag_new(f->arena);
}

/* ---- the shelves ---- */

static size_t stock_bytes(const Stock *s)
{
    size_t n = 0;
    for (int i = 0; i < s->n; i++)
        n += arena_bytes(s->shelf[i]->arena);
    return n;
}

static bool in_use(const Stock *s, const Shelf *f, const Shelf *const keep)
{
    for (const Shelf *k = keep; k; k = k->below)
        if (k == f)
            return true;
    for (int i = 0; i < s->n; i++)
        if (s->shelf[i]->below == f)
            return true;
    return false;
}

/* Gives back what was not used for longest, never what something kept is built on. */
static void make_room(Stock *s, const Shelf *keep)
{
    while (s->n == SHELVES_MAX || stock_bytes(s) > STOCK_BYTES) {
        int oldest = -1;
        for (int i = 0; i < s->n; i++)
            if (!in_use(s, s->shelf[i], keep) &&
                (oldest < 0 || s->shelf[i]->used < s->shelf[oldest]->used))
                oldest = i;
        if (oldest < 0)
            return;
        shelf_free(s->shelf[oldest]);
        s->shelf[oldest] = s->shelf[--s->n];
    }
}

static Shelf *find_shelf(Stock *s, int level, const char *key)
{
    for (int i = 0; i < s->n; i++)
        if (s->shelf[i]->level == level && strcmp(s->shelf[i]->key, key) == 0)
            return s->shelf[i];
    return NULL;
}

static Shelf *get_shelf(Stock *s, const Job *j, int level, Shelf *below, const Sweep *sweep,
                        const char *const *sets, int n)
{
    const char *key = key_of(j->arena, j, level);
    Shelf *f = find_shelf(s, level, key);
    if (!f) {
        make_room(s, below);
        REQUIRE(s->n < SHELVES_MAX);
        f = calloc(1, sizeof *f);
        REQUIRE(f);
        *f = (Shelf){ .arena = arena_new(), .level = level, .below = below };
        f->key = str_dup(f->arena, key);
        start_level(f, sweep, sets, n);
        f->ok = build_level(f);
        s->shelf[s->n++] = f;
    }
    f->used = ++s->clock;
    diag_replay(j->diag, f->job.diag);
    return f;
}

/* ---- plans */

/* Cycles depend on the zeros, the engine and the part; on number formats only by the latencies they cause. */
static const char *plan_key(Arena *a, const Job *j)
{
    static const char *const KEYS[] = { "engine", "interface", "memory", "network", "target" };
    Buffer b;
    buffer_init(&b, a);
    buffer_print(&b, "%s", key_of(a, j, 2));
    for (int i = 0; i < LENGTH(KEYS); i++)
        add_part(&b, j->spec->root, KEYS[i]);
    buffer_print(&b, "gate=%d state=%d align=%d\n", j->qnet.curve.bits, j->qnet.state.bits, layer_align(&j->qnet));
    return b.text;
}

static PlanLog *find_plan(Stock *s, const char *key)
{
    for (int i = 0; i < MIN(s->plans, PLANS_MAX); i++)
        if (strcmp(s->plan[i].key, key) == 0)
            return s->plan[i].log;
    return NULL;
}

static void keep_plan(Stock *s, Plan p)
{
    Plan *to = &s->plan[s->plans++ % PLANS_MAX];
    if (s->plans > PLANS_MAX)
        arena_free(to->arena);
    *to = p;
}

/* With deltas the cycles depend on what is sent, and so on every bit. */
static bool plan_from_stock(Stock *s, Job *j)
{
    if (j->golden.activity.sent)
        return job_stage(j, STAGE_PLAN);
    Arena *a = arena_new();
    const char *key = plan_key(a, j);
    j->log = find_plan(s, key);
    bool known = j->log != NULL;
    if (!known)
        j->log = plan_log_new(a);
    bool ok = job_stage(j, STAGE_PLAN);
    plan_log_close(j->log);
    if (ok && !known)
        keep_plan(s, (Plan){ a, key, j->log });
    else
        arena_free(a);
    j->log = j->design.log = NULL;
    return ok;
}

bool stock_build(Stock *s, Job *j, const Sweep *sweep, const char *const *sets, int n)
{
    Shelf *f = NULL;
    for (int level = 0; level < LEVELS; level++) {
        f = get_shelf(s, j, level, f, sweep, sets, n);
        if (!f->ok)
            return false;
        take_over(j, f);
        if (level == 0 && !job_stage(j, STAGE_PATTERN))
            return false;
    }
    return plan_from_stock(s, j) && job_stage(j, STAGE_GATHER);
}
