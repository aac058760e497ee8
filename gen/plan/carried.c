/* carried.c: refuses, by name, what no engine carries yet (carried.def). */
#include "plan/plan.h"

#include <string.h>

/* A gate without a curve: what it is multiplied with has no fraction of its own in a lane. */
static bool direct_gate(const Layer *l)
{
    bool direct = false;
    for (int k = 0; k < l->n_passes; k++)
        direct = direct || (l->pass[k].activation == 1 && curve_is_direct(l->pass[k].curve)
                            && !(l->pass[k].effects & EFFECT_OUT_A));
    return direct;
}

static bool leaky_state(const Layer *l)
{
    bool leaky = false;
    for (int k = 0; k < l->n_passes; k++)
        leaky = leaky || (l->pass[k].bounds && l->pass[k].bound == CURVE_LEAKY_RELU);
    return leaky;
}

/* What layer `k` has that the engine does not carry; NULL: nothing. */
static const char *missing(const Network *net, int k, bool scatter)
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
        const char *what = missing(d->net, k, d->engine == &engine_scatter);
        if (what)
            diag_error(diag, d->net->layer[k].at, "layer %d: %s: the %s engine, which pattern %s needs, does not carry "
                       "that in this version", k, what, d->engine->name, d->pattern->name);
        all = all && !what;
    }
    return all;
}
