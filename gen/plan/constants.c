/* constants.c: numbers that a cell unit has one of, for all its passes; layers that need two of one are refused. */
#include "plan/plan.h"

#include <math.h>

/* A number that some layer has asked for. */
typedef struct Constant { bool set; int64_t value; int layer; } Constant;
typedef struct Asked { Constant clip_z, clip_a, clip_state, late; } Asked;

static bool ask(Diag *diag, const Design *d, Constant *c, int layer, int64_t value, const char *what)
{
    if (c->set && c->value != value) {
        diag_error(diag, d->net->layer[layer].at, "layers %d and %d: %s differs, and the cell unit of a core has one for "
                   "all its layers: use the same for both, or two cores", c->layer, layer, what);
        return false;
    }
    *c = c->set ? *c : (Constant){true, value, layer};
    return true;
}

/* +-limit as saturate_clip has it (fixed/formats.c). */
static int64_t limit_of(Format f, double clip)
{
    return saturate_clip(INT64_C(1) << 62, f, clip, NULL);
}

static bool ask_pass(Diag *diag, const Design *d, Asked *all, int layer, int k)
{
    const Layer *l = &d->net->layer[layer];
    const Pass *p = &l->pass[k];
    Format z = d->q->layer[layer].z[k];
    bool direct = curve_is_direct(p->curve), ok = true;
    if (p->clips)
        ok = ask(diag, d, direct ? &all->clip_a : &all->clip_z, layer, limit_of(z, pass_clip(l, p)),
                 direct ? "the limit of rows without a curve (clip.input, clip.projection), or their format,"
                        : "clip.input") && ok;
    if (p->clips_state)
        ok = ask(diag, d, &all->clip_state, layer, limit_of(d->q->state, l->clip_cell), "clip.cell") && ok;
    if (p->effects & EFFECT_PLUS)
        ok = ask(diag, d, &all->late, layer, z.fraction, "the candidate's format (relu, or a curve)") && ok;
    return ok;
}

bool plan_constants(Diag *diag, Design *d)
{
    Asked all = {.late = {.value = d->q->pre.fraction}};
    bool ok = true;
    for (int l = 0; l < d->net->n; l++)
        for (int k = 0; k < d->net->layer[l].n_passes; k++)
            ok = ask_pass(diag, d, &all, l, k) && ok;
    d->constants = (CellConstants){.z_limit = all.clip_z.value, .a_limit = all.clip_a.value,
                                   .state_limit = all.clip_state.value, .late_fraction = (int)all.late.value};
    for (int k = 0; k < d->passes.n; k++) {
        d->constants.peephole_bits = d->passes.pass[k].peephole ? d->q->peephole.bits : d->constants.peephole_bits;
        d->constants.leaky = d->constants.leaky || d->passes.pass[k].curve == CURVE_LEAKY_RELU;
    }
    for (int l = 0; l < d->net->n; l++) {
        d->constants.first_state = d->constants.first_state || layer_first_state(&d->net->layer[l]);
        d->constants.first_h = d->constants.first_h || d->net->layer[l].h0;
    }
    return ok;
}

/* Of two curves' interpolation, of the operand, of a peephole's weight and the state, of leaky_relu. */
int lane_multipliers(const Design *d)
{
    return 2 + d->state_split + (d->constants.peephole_bits > 0 ? d->state_split : 0) + d->constants.leaky;
}
