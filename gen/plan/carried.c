/* carried.c: refuses, by name, what no engine carries yet (carried.def). */
#include "plan/plan.h"

#include <string.h>

static bool other_curves(const Layer *l)
{
    Curve usual[ACTIVATIONS_MAX];
    int n = cell_activations(l->cell, usual);
    return memcmp(usual, l->activation, sizeof *usual * (size_t)n) != 0;
}

/* Curves that a core does not tell its cell unit yet: of rows without one, products with more than 1 - held; of the state,
 * others than tanh. */
static bool unsaid_curves(const Layer *l)
{
    bool unsaid = false;
    for (int k = 0; k < l->n_passes; k++) {
        const Pass *p = &l->pass[k];
        bool gate = p->activation > 0 && curve_is_direct(p->curve) && p->operand != OPERAND_REST;
        unsaid = unsaid || (gate && !(p->effects & EFFECT_OUT_A));
        unsaid = unsaid || ((p->effects & EFFECT_PLUS) && curve_is_direct(p->curve));   /* late has a curve's format */
        unsaid = unsaid || (p->operand == OPERAND_BOUNDED && l->activation[2] != CURVE_TANH);
    }
    return unsaid;
}

/* Curves that take a table of their own, or a constant. */
static bool other_table(const Layer *l)
{
    bool other = false;
    for (int k = 0; k < cell_curves(l->cell); k++)
        other = other || l->activation[k] == CURVE_LEAKY_RELU
                || (!curve_is_direct(l->activation[k]) && curve_table(l->activation[k]) != TABLE_TANH);
    return other;
}

/* What layer `k` has that the engine does not carry; NULL: nothing. */
static const char *missing(const Network *net, int k, bool scatter, bool elastic)
{
    const Layer *l = &net->layer[k];
#define WAITS(has, on_gather, on_scatter, what) \
    if (!(scatter ? on_scatter : on_gather) && (has)) \
        return what;
#include "plan/carried.def"
#undef WAITS
    return NULL;
}

bool plan_carries(Diag *diag, const Design *d)
{
    bool all = true;
    for (int k = 0; k < d->net->n; k++) {
        const char *what = missing(d->net, k, d->engine == &engine_scatter, d->pattern->row_cycles != NULL);
        if (what)
            diag_error(diag, d->net->layer[k].at, "layer %d: %s: the %s engine, which pattern %s needs, does not carry "
                       "that in this version", k, what, d->engine->name, d->pattern->name);
        all = all && !what;
    }
    return all;
}
