/* delta.c: thresholds of a delta network in the number formats of what they are compared with. */
#include "fixed/fixed.h"

#include <math.h>

/* One threshold: an integer in [0, 2^bits), exactly. */
static bool encode(Diag *d, const Spec *s, const char *key, double v, Format f, int32_t *out)
{
    double scaled = ldexp(v, f.fraction), nearest = round(scaled), most = ldexp(1, f.bits) - 1;
    const char *name = str_format(s->arena, "delta.%s", key);
    *out = (int32_t)fmin(nearest, most);
    if (scaled == nearest && nearest <= most)
        return true;
    if (nearest > most)
        diag_error(d, spec_at(s, name), "%s: %g is more than any change of %s, which has %d bits and %d fraction "
                   "bits: at most %.10g", name, v, key, f.bits, f.fraction, ldexp(most, -f.fraction));
    else
        diag_error(d, spec_at(s, name), "%s: %.10g is no multiple of the step of %s, 2^%d (%d bits): it would round "
                   "to %.10g; give that", name, v, key, -f.fraction, f.bits, ldexp(nearest, -f.fraction));
    return false;
}

/* The core has one threshold of h, in steps; where a vector has coarser ones it is larger there. */
static void warn_of_steps(Diag *d, const Spec *s, const QNetwork *q)
{
    for (int v = 1; v < q->net->vectors && q->delta_h > 0; v++) {
        bool sent = false;
        for (int p = 0; p < q->net->products; p++)
            sent = sent || (q->net->product[p].from == v && product_has_delta(q->net, p));
        if (sent && q->vector[v].fraction != q->gate.fraction)
            diag_warn(d, spec_at(s, "delta.h"), "delta.h: of what layer %d writes a step is 2^%d, not 2^%d: the "
                      "threshold is %g there", q->net->vector[v].layer, -q->vector[v].fraction, -q->gate.fraction,
                      ldexp(q->delta_h, -q->vector[v].fraction));
    }
}

bool delta_quantise(Diag *d, const Spec *s, QNetwork *q)
{
    q->delta = s->delta;
    if (!s->delta)
        return true;
    bool x = encode(d, s, "x", s->delta_x, q->vector[0], &q->delta_x);
    bool h = encode(d, s, "h", s->delta_h, q->gate, &q->delta_h);
    if (h)
        warn_of_steps(d, s, q);
    return h && x;
}
