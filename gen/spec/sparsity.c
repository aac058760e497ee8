/* sparsity.c: which pattern and which rates a spec gives to W, R and the head, for all layers or one by one. */
#include "spec/read.h"

#include <string.h>

static void read_fraction(Reading *r, const char *shown, const SpecNode *n, double *out)
{
    static const Key fraction = { .path = "", .type = KEY_REAL, .values = "above 0..1" };
    double value;
    if (read_number(r, &(Slot){ &fraction, shown, NULL }, n, false, &value))
        *out = value;
}

/* Is the letter that of a gate of some cell? */
static bool is_gate(const char *key)
{
    int n;
    const Cell *table = cell_table(&n);
    for (int k = 0; k < n; k++)
        if (key[0] && !key[1] && table[k].R[0] && cell_gate(&table[k], key[0]) >= 0)
            return true;
    return false;
}

/* Cells that have both letters call one gate so. */
static bool same_gate(char a, char b)
{
    int n, same = 0, apart = 0;
    const Cell *table = cell_table(&n);
    for (int k = 0; k < n; k++) {
        int first = cell_gate(&table[k], a), second = cell_gate(&table[k], b);
        if (first >= 0 && second >= 0)
            ++*(first == second ? &same : &apart);
    }
    return same > 0 && apart == 0;
}

/* Rates of the gates that a map names, by its letters; the others keep everything. */
static void read_gate_rates(Reading *r, const char *shown, const SpecNode *map, Rate *rate)
{
    int named = 0;
    for (int i = 0; i < map->n; i++) {
        const NodeEntry *e = &map->entry[i];
        const char *twin = rate->letter;
        if (!is_gate(e->key)) {
            diag_error(r->diag, e->at, "unknown key '%.60s' in %s; it takes the gates of the cell (lstm: i, f, g and "
                       "o; gru: r, z and n)", e->key, shown);
            continue;
        }
        while (*twin && !same_gate(*twin, e->key[0]))
            twin++;
        if (*twin) {
            diag_error(r->diag, e->at, "%s: %c and %s are the same gate: give it one rate", shown, *twin, e->key);
        } else if (named == GATES_MAX) {
            diag_error(r->diag, e->at, "%s: no cell has so many gates", shown);
        } else {
            rate->letter[named] = e->key[0];
            read_fraction(r, str_format(r->arena, "%s.%s", shown, e->key), e->value, &rate->gate[named++]);
        }
    }
}

/* A rate, asis, or a rate for each gate. */
static void read_rate(Reading *r, const char *shown, const SpecNode *n, Rate *rate)
{
    double all = 1;
    bool asis = n->kind == NODE_SCALAR && strcmp(n->text, "asis") == 0;
    if (!asis && n->kind != NODE_MAP)
        read_fraction(r, shown, n, &all);
    *rate = (Rate){ .asis = asis, .gate = { all, all, all, all, all }, .at = n->at };
    if (n->kind == NODE_MAP)
        read_gate_rates(r, shown, n, rate);
}

/* Index of W, R, head and P; the linear layer has no gates. -1 after recording that it is none of them. */
static int read_use(Reading *r, const char *shown, const NodeEntry *e)
{
    static const char *const names[USES] = { "W", "R", "head", "P" };
    for (int use = 0; use < USES; use++)
        if (strcmp(e->key, names[use]) == 0)
            return use;
    diag_error(r->diag, e->at, "unknown key '%.60s' in %s; it takes W, R, P and head", e->key, shown);
    return -1;
}

static void read_keep_map(Reading *r, const char *shown, const SpecNode *map, Keep *keep)
{
    for (int i = 0; i < map->n; i++) {
        const NodeEntry *e = &map->entry[i];
        int use = read_use(r, shown, e);
        const char *name = str_format(r->arena, "%s.%s", shown, e->key);
        if (use >= USE_HEAD && e->value->kind == NODE_MAP) {
            diag_error(r->diag, e->value->at, "%s: a %s has no gates: give one rate", name,
                       use == USE_P ? "projection" : "linear layer");
        } else if (use >= 0) {
            read_rate(r, name, e->value, &keep->of[use]);
            keep->of[use].named = true;
        }
    }
}

/* A projection has the rate of R unless it has its own; rates of gates are not for it. */
static void set_projection(Keep *keep)
{
    if (keep->of[USE_P].named || keep->of[USE_R].letter[0])
        return;
    keep->of[USE_P] = keep->of[USE_R];
    keep->of[USE_P].named = false;
}

/* What is kept of one layer, or (`all`) of every layer: then a single rate leaves the linear one as it is. */
static void read_keep(Reading *r, const char *shown, const SpecNode *n, bool all, Keep *keep)
{
    *keep = (Keep){ .given = true };
    for (int use = 0; use < USES; use++)
        keep->of[use] = (Rate){ .gate = { 1, 1, 1, 1, 1 }, .at = n->at };
    if (n->kind == NODE_MAP) {
        read_keep_map(r, shown, n, keep);
        set_projection(keep);
        return;
    }
    read_rate(r, shown, n, &keep->of[USE_W]);
    keep->of[USE_R] = keep->of[USE_P] = keep->of[USE_W];
    if (!all || keep->of[USE_W].asis)
        keep->of[USE_HEAD] = keep->of[USE_W];
}

/* Of a layer, of all layers, or a list with one for each. */
void read_keeps(Reading *r, const Slot *s, const SpecNode *n)
{
    Spec *spec = r->spec;
    if (s->base != spec || n->kind != NODE_LIST) {
        read_keep(r, s->shown, n, s->base == spec, field(s));
        spec->n_keep = s->base == spec ? 0 : spec->n_keep;
        return;
    }
    if (n->n == 0 || n->n > LAYERS_MAX) {
        diag_error(r->diag, n->at, "%s: a list of 1 to %d rates is expected, one for each layer", s->shown, LAYERS_MAX);
        return;
    }
    spec->n_keep = n->n;
    for (int i = 0; i < n->n; i++)
        read_keep(r, str_format(r->arena, "%s.%d", s->shown, i), n->entry[i].value, false, &spec->keep[i]);
}

/* A pattern for all matrices, or one each; one not named is dense, the head and a projection have that of R. */
void read_pattern(Reading *r, const Slot *s, const SpecNode *n)
{
    PatternNames *names = field(s);
    const char *one = "dense";
    if (n->kind != NODE_MAP && read_choice(r, s, n, &one) < 0)
        return;
    *names = (PatternNames){ .given = true, .of = { one, one, one, one } };
    if (n->kind == NODE_MAP)
        names->of[USE_HEAD] = names->of[USE_P] = NULL;
    for (int i = 0; n->kind == NODE_MAP && i < n->n; i++) {
        const NodeEntry *e = &n->entry[i];
        int use = read_use(r, s->shown, e);
        Slot slot = { s->key, str_format(r->arena, "%s.%s", s->shown, e->key), s->base };
        if (use >= 0)
            read_choice(r, &slot, e->value, &names->of[use]);
    }
    for (int use = USE_HEAD; use < USES; use++)
        if (!names->of[use])
            names->of[use] = names->of[USE_R];
}
