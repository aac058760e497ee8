/* assign.c: which pattern and rate each matrix has, and what that means for the core: patterns of one engine may be
 * mixed, and the most able of them (its lanes see the most of the vector) then plans and packs all matrices: whatever
 * zeros another pattern left, its rows can hold. */
#include "pattern/pattern.h"

#include <string.h>

enum { PE_WIDTH_DEFAULT = 4 };

/* ---- what the spec says of a matrix */
static const Keep *keep_of(const Spec *s, int layer)
{
    if (layer < s->n_layers && s->layer[layer].keep.given)
        return &s->layer[layer].keep;
    return &s->keep[s->n_keep > 0 ? MIN(layer, s->n_keep - 1) : 0];
}

static const char *name_of(const Spec *s, int layer, int use)
{
    bool own = layer < s->n_layers && s->layer[layer].pattern.given;
    return (own ? &s->layer[layer].pattern : &s->pattern)->of[use];
}

static bool removes(const Matrix *m)
{
    for (int g = 0; g < m->gates; g++)
        if (!m->keep.asis && m->keep.gate[g] < 1)
            return true;
    return false;
}

static bool can_remove(const Pattern *p)
{
    return pattern_has_key(p, "sparsity.keep");
}

/* Rates that the spec gives to gates by their letters: those of the product's own gates. */
static void take_letters(Diag *d, const Layer *l, int layer, const Product *p, Rate *r)
{
    const Rate given = *r;
    const Cell *c = l->cell;
    unsigned seen = 0;
    for (int g = 0; given.letter[0] && g < GATES_MAX; g++)
        r->gate[g] = 1;
    for (int k = 0; given.letter[k]; k++) {
        int gate = cell_gate(c, given.letter[k]);
        if (gate < 0)
            diag_error(d, given.at, "a rate is given for gate %c, which layer %d, cell %s, does not have: its gates are "
                       "%s; give rates per gate in model.layers.%d.sparsity.keep", given.letter[k], layer,
                       cell_name(c), c->W, layer);
        else if (seen >> gate & 1)
            diag_error(d, given.at, "two rates are given for one gate of layer %d: %c is %c there", layer,
                       given.letter[k], c->W[gate]);
        seen |= gate < 0 ? 0 : 1u << gate;
        for (int g = 0; gate >= 0 && g < p->m.gates; g++)
            if (p->gates[g] == c->W[gate] || p->gates[g] == c->R[gate])
                r->gate[g] = given.gate[k];
    }
    r->letter[0] = '\0';
}

static void assign(Diag *d, const Spec *s, Network *net, int product)
{
    static const char *const USE[USES] = {"W", "R", "the head", "P"};
    Matrix *m = &net->product[product].m;
    int layer = net->product[product].layer, use = net->product[product].use;
    m->pattern = pattern_find(name_of(s, layer, use));
    REQUIRE(m->pattern);
    m->keep = keep_of(s, layer)->of[use];
    take_letters(d, &net->layer[layer], layer, &net->product[product], &m->keep);
    if (can_remove(m->pattern))
        return;
    if (m->keep.named && removes(m))
        diag_error(d, m->keep.at, "this rate has no effect: %s of layer %d has pattern %s, which keeps everything; "
                   "leave the rate out, or choose another pattern", USE[use], layer, m->pattern->name);
    m->keep = (Rate){.gate = {1, 1, 1, 1, 1}};
}

/* A rate for one layer whose matrices all keep everything. */
static void check_layer(Diag *d, const Spec *s, const Network *net, int layer)
{
    const Keep *keep = keep_of(s, layer);
    const Layer *l = &net->layer[layer];
    const Rate *r = &keep->of[layer_is_linear(l) ? USE_HEAD : USE_W];
    Matrix given = {.gates = (int)strlen(l->cell->W), .keep = *r};
    bool own = s->n_keep > 0 || keep != &s->keep[0], able = false;
    const Pattern *first = NULL;
    for (int p = 0; p < net->products; p++)
        if (net->product[p].layer == layer) {
            first = first ? first : net->product[p].m.pattern;
            able = able || can_remove(net->product[p].m.pattern);
        }
    if (own && !able && !r->named && removes(&given))
        diag_error(d, r->at, "this rate has no effect: layer %d has pattern %s, which keeps everything; leave the "
                   "rate out, or choose another pattern", layer, first->name);
}

/* Calls each(ctx, matrix, layer) for every matrix that is there. */
static void for_each(const Network *net, void (*each)(void *ctx, const Matrix *m, int layer), void *ctx)
{
    for (int p = 0; p < net->products; p++)
        each(ctx, &net->product[p].m, net->product[p].layer);
}

/* ---- one engine */
typedef struct Engines { Diag *diag; const Spec *spec; const Matrix *first; int layer; bool said; } Engines;

static const char *names_on(Arena *a, const Engine *e)
{
    int n;
    const Pattern *const *table = pattern_table(&n);
    const char *text = "";
    for (int k = 0; k < n; k++)
        if (table[k]->engine == e)
            text = str_format(a, "%s%s%s", text, text[0] ? ", " : "", table[k]->name);
    return text;
}

static void same_engine(void *ctx, const Matrix *m, int layer)
{
    Engines *e = ctx;
    if (!e->first)
        e->first = m, e->layer = layer;
    const Engine *a = e->first->pattern->engine, *b = m->pattern->engine;
    if (a == b || e->said)
        return;
    e->said = true;
    diag_error(e->diag, spec_at(e->spec, "sparsity.pattern"),
               "%s (layer %d) and %s (layer %d) need different engines, and a core has one: the %s engine serves %s; "
               "the %s engine serves %s; for a matrix that keeps everything give keep: 1 with the pattern of the "
               "others", e->first->pattern->name, e->layer, m->pattern->name, layer, a->name,
               names_on(e->spec->arena, a), b->name, names_on(e->spec->arena, b));
}

bool patterns_assign(Diag *d, const Spec *s, Network *net)
{
    if (s->n_keep > 0 && s->n_keep != net->n)
        diag_error(d, spec_at(s, "sparsity.keep"), "sparsity.keep: a list of %d rates, but the network has %d "
                   "layer%s: give one for each, the linear one included", s->n_keep, net->n, net->n > 1 ? "s" : "");
    for (int p = 0; p < net->products; p++)
        assign(d, s, net, p);
    for (int l = 0; l < net->n; l++)
        check_layer(d, s, net, l);
    Engines e = {.diag = d, .spec = s};
    for_each(net, same_engine, &e);
    return !diag_failed(d);
}

/* ---- what is in use */
typedef struct Uses { const Pattern *pattern; bool found; } Uses;

static void look_for(void *ctx, const Matrix *m, int layer)
{
    Uses *u = ctx;
    (void)layer;
    u->found = u->found || m->pattern == u->pattern;
}

static bool in_use(const Network *net, const Pattern *p)
{
    Uses u = {.pattern = p};
    for_each(net, look_for, &u);
    return u.found;
}

void patterns_check(Spec *s, const Network *net, Diag *d)
{
    int n;
    const Pattern *const *table = pattern_table(&n);
    for (int k = 0; k < n; k++)
        if (table[k]->check && in_use(net, table[k]))
            table[k]->check(s, net, d);
    if (s->pe_width == 0)
        s->pe_width = PE_WIDTH_DEFAULT;
}

const char *patterns_choice(Arena *a, const Spec *s, const Network *net)
{
    int n;
    const Pattern *const *table = pattern_table(&n);
    const char *text = NULL;
    for (int k = 0; k < n && !text; k++)
        if (table[k]->choice && in_use(net, table[k]))
            text = table[k]->choice(a, s, net);
    return text;
}

/* How much of the vector a lane sees, and at whose pace. */
static int ability(const Pattern *p)
{
    return p->private_vectors + p->whole_vector + (p->row_cycles != NULL);
}

const Pattern *patterns_host(const Network *net)
{
    int n;
    const Pattern *const *table = pattern_table(&n), *best = NULL;
    for (int k = 0; k < n; k++)
        if (in_use(net, table[k]) && (!best || ability(table[k]) > ability(best)))
            best = table[k];
    return best;
}

unsigned patterns_prune_reads(const Spec *s, const Network *net)
{
    unsigned reads = s->delta_profile ? PRUNE_READS_PE_WIDTH : 0;  /* the arrays: profile.c */
    int n;
    const Pattern *const *table = pattern_table(&n);
    for (int k = 0; k < n; k++)
        if (in_use(net, table[k]))
            reads |= table[k]->prune_reads;
    return reads;
}

typedef struct Names { Arena *arena; const Pattern *seen[PRODUCTS_MAX]; int n; const char *text; } Names;

static void add_name(void *ctx, const Matrix *m, int layer)
{
    Names *t = ctx;
    (void)layer;
    for (int k = 0; k < t->n; k++)
        if (t->seen[k] == m->pattern)
            return;
    t->seen[t->n++] = m->pattern;
    t->text = str_format(t->arena, "%s%s%s", t->text, t->n > 1 ? " + " : "", m->pattern->name);
}

const char *patterns_text(Arena *a, const Network *net)
{
    Names t = {.arena = a, .text = ""};
    for_each(net, add_name, &t);
    return t.text;
}

static void add_removes(void *ctx, const Matrix *m, int layer)
{
    (void)layer;
    *(bool *)ctx = *(bool *)ctx || removes(m);
}

bool network_is_pruned(const Network *net)
{
    bool pruned = false;
    for_each(net, add_removes, &pruned);
    return pruned;
}

bool rate_differs(const Rate *r, int gates)
{
    for (int g = 1; g < gates; g++)
        if (!r->asis && r->gate[g] != r->gate[0])
            return true;
    return false;
}
