/* layers.c: which row of the table of cells each layer is, and that its keys are those of its cell. */
#include "spec/spec.h"

#include <string.h>

/* Keys that not every cell has. */
static const char *const keys[] = { "R", "kernel", "gates", "forget_bias", "reset", "b_R", "activation",
                                    "activations", "coupled", "peephole", "peephole_order", "projection", "clip",
                                    "clip.input", "clip.cell", "clip.projection", "initial", "initial.h",
                                    "initial.c" };

static const char *name_of(const Spec *s, int layer, const char *key)
{
    return str_format(s->arena, "model.layers.%d.%s", layer, key);
}

/* "lstm, gru": the cells, as specs call them, that have a key. */
static const char *cells_with(Arena *a, const char *key)
{
    int n;
    const Cell *table = cell_table(&n);
    const char *text = "", *last = "";
    for (int k = 0; k < n; k++)
        if (cell_has_key(&table[k], key) && strcmp(last, cell_name(&table[k])) != 0) {
            last = cell_name(&table[k]);
            text = str_format(a, "%s%s%s", text, text[0] ? ", " : "", last);
        }
    return text;
}

/* Keys of a layer that its cell has no use for. */
static void check_unused(const Spec *s, Diag *d, int layer, const Cell *cell)
{
    bool after = strcmp(cell->key, "gru_after") == 0, before = strcmp(cell->key, "gru_before") == 0;
    for (int i = 0; i < LENGTH(keys); i++) {
        Place at, of = spec_at(s, name_of(s, layer, before ? "reset" : "cell"));
        const char *key = name_of(s, layer, keys[i]);
        if (cell_has_key(cell, keys[i]) || !key_given(s, key, &at))
            continue;
        const char *reset = before ? " with reset: before" : after ? " with reset: after" : "";
        diag_clash(d, at, of, "of this cell", "%s: cell %s%s has no such key; cells that have it: %s%s", key,
                   cell_name(cell), reset, cells_with(s->arena, keys[i]),
                   strcmp(keys[i], "b_R") == 0 ? " with reset: after" : "");
    }
}

/* The cell that the keys of a layer mean. */
static const Cell *cell_of(const LayerSpec *l)
{
    if (strcmp(l->cell, "gru") == 0)
        return cell_find(l->reset && strcmp(l->reset, "before") == 0 ? "gru_before" : "gru_after");
    return cell_find(l->coupled && strcmp(l->cell, "lstm") == 0 ? "lstm_coupled" : l->cell);
}

/* "r, z (or u), n (or c, h)" */
static const char *gates_text(Arena *a, const Cell *c)
{
    const char *text = "";
    for (const char *p = c->W; *p; p++) {
        text = str_format(a, "%s%s%c", text, p > c->W ? ", " : "", *p);
        bool other = false;
        for (char letter = 'a'; letter <= 'z'; letter++)
            if (letter != *p && cell_gate(c, letter) == (int)(p - c->W)) {
                text = str_format(a, "%s%s%c", text, other ? ", " : " (or ", letter);
                other = true;
            }
        text = other ? str_format(a, "%s)", text) : text;
    }
    return text;
}

static void check_gates(const Spec *s, Diag *d, const LayerSpec *l, int layer, const Cell *c)
{
    size_t n = l->gates ? strlen(l->gates) : 0;
    unsigned seen = 0;
    for (size_t k = 0; k < n; k++) {
        int gate = cell_gate(c, l->gates[k]);
        seen |= gate < 0 ? 0 : 1u << gate;
    }
    if (!l->gates || (n == strlen(c->W) && seen == (1u << n) - 1))
        return;
    diag_error(d, l->at_gates, "%s: '%.60s' is no row order of cell %s: its gates are %s, each once", name_of(s, layer, "gates"),
               l->gates, cell_name(c), gates_text(s->arena, c));
}

static void check_activations(const Spec *s, Diag *d, const LayerSpec *l, int layer, const Cell *c)
{
    Curve usual[ACTIVATIONS_MAX];
    int n = cell_activations(c, usual);
    if (l->n_activations > 0 && l->n_activations != n)
        diag_error(d, l->at_activations, "%s: cell %s has %d, like [%s], not %d", name_of(s, layer, "activations"),
                   cell_name(c), n, c->activations, l->n_activations);
}

/* With the reset after the product the candidate has two biases, which no sum can stand for. */
static void check_biases(const Spec *s, Diag *d, const LayerSpec *l, int layer, const Cell *c)
{
    if (l->n_b > 1 && cell_has_key(c, "b_R"))
        diag_error(d, l->at_b, "%s: a list would be summed, but with reset: after the candidate has two biases, and the "
                   "second is multiplied by the reset gate: give the bias of R as b_R, like  b: bias_ih, b_R: bias_hh",
                   name_of(s, layer, "b"));
}

/* Keys that need another one. */
static void check_needs(const Spec *s, Diag *d, int layer)
{
    static const char *const needs[][2] = { { "peephole_order", "peephole" }, { "clip.projection", "projection" },
                                            { "projection.b", "projection.W" } };
    Place at, other;
    for (int i = 0; i < LENGTH(needs); i++)
        if (key_given(s, name_of(s, layer, needs[i][0]), &at) && !key_given(s, name_of(s, layer, needs[i][1]), &other))
            diag_error(d, at, "%s has no effect without %s", name_of(s, layer, needs[i][0]), needs[i][1]);
    if (key_given(s, name_of(s, layer, "projection"), &at) && !key_given(s, name_of(s, layer, "projection.W"), &other))
        diag_error(d, at, "%s: the tensor's name is missing, like  projection: {W: name}",
                   name_of(s, layer, "projection"));
}

static void check_peephole_order(const Spec *s, Diag *d, const LayerSpec *l, int layer)
{
    const char *order = l->peephole_order;
    if (order && (strlen(order) != 3 || !strchr(order, 'i') || !strchr(order, 'f') || !strchr(order, 'o')))
        diag_error(d, spec_at(s, name_of(s, layer, "peephole_order")), "%s: '%.60s' is no order of i, f and o, each once",
                   name_of(s, layer, "peephole_order"), order);
}

/* 1 - s(z) is s(-z) of sigmoids alone. */
static void check_coupled(const Spec *s, Diag *d, const LayerSpec *l, int layer)
{
    bool input = l->coupled && l->gates && strchr(l->gates, 'i');
    const char *curve = l->n_activations > 0 ? l->activations[0] : "sigmoid";
    if (input && !strstr(curve, "sigmoid"))
        diag_error(d, l->at_activations, "%s: coupled gates of i need a sigmoid there (f = 1 - i is made of the negated "
                   "rows of i), not %s", name_of(s, layer, "activations"), curve);
}

/* One matrix in the place of two: it is always (columns, rows). */
static void check_kernel(const Spec *s, Diag *d, LayerSpec *l, int layer)
{
    static const char *const others[] = { "W", "R", "transpose" };
    Place at, of = l->at_W;
    if (!l->kernel)
        return;
    for (int i = 0; i < LENGTH(others); i++)
        if (key_given(s, name_of(s, layer, others[i]), &at) && (i < 2 || !l->transpose))
            diag_clash(d, at, of, "kernel", "%s: kernel is W and R in one, stored as (I + H, gates * H): give either %s",
                       name_of(s, layer, others[i]), i < 2 ? "kernel, or W and R" : "kernel, or transpose: false with W and R");
    l->W = l->R = NULL;
    l->transpose = true;
    if (!l->gates && strcmp(l->cell, "lstm") == 0 && !l->coupled)
        l->gates = "ijfo";
}

void check_layers(Spec *s, Diag *d)
{
    for (int i = 0; i < s->n_layers; i++) {
        LayerSpec *l = &s->layer[i];
        if (!key_taken(s, name_of(s, i, "cell"), l->cell))
            continue;
        const Cell *c = cell_of(l);
        REQUIRE(c);
        check_unused(s, d, i, c);
        check_needs(s, d, i);
        if (!cell_has_key(c, "R")) {
            l->R = NULL;
        } else {
            check_kernel(s, d, l, i);
            l->gates = l->gates ? l->gates : c->W;
            check_gates(s, d, l, i, c);
            check_activations(s, d, l, i, c);
            check_biases(s, d, l, i, c);
            check_peephole_order(s, d, l, i);
            check_coupled(s, d, l, i);
        }
        l->cell = c->key;
    }
}
