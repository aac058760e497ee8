/* formats.c: number formats, their calibration, and the integer contract.
 *
 * The golden model and the RTL both follow this text; they must agree in every bit.
 *
 * Notation: AB activation bits, WB weight bits, SB state bits, PB pre-activation bits. An integer v
 * of fraction f stands for v / 2^f; all integers are signed, two's complement. Two operations:
 *   round(v, s)   s > 0: (v + 2^(s-1)) >> s, arithmetic shift (half goes up, towards +infinity);
 *                 s <= 0: v << -s, exact
 *   sat_B(v)      v limited to [-2^(B-1), 2^(B-1) - 1]
 * Numbers that are rounded once, off line (weights, biases, the stimulus): nearest, half away from
 * zero.
 *
 * Formats
 *   x            AB bits, fraction fx: the largest in [-8, AB+8] at which max|x| rounds to at most
 *                2^(AB-1) - 1. max|x| is spec.input_range or, without it, taken over all valid
 *                steps of verify.input; 8 when the sequences were made here.
 *   h            AB bits, fraction AB-1, for every LSTM layer
 *   gates        GB bits, fraction GB-1: outputs of sigmoid and tanh; GB = AB + 2, or fewer where the part's multipliers
 *                take fewer (gate_bits)
 *   z            PB bits, fraction PB-5 (range +-16); PB = AB + 2 unless the spec says else
 *   c            SB bits, fraction fc: as fx, for spec.state_range or, without it, for twice the largest |c| of the
 *                float network over all valid steps of verify.input (one bit of headroom), of all its LSTM layers;
 *                SB-9 when the sequences were made here: so few steps do not tell how far c goes. At least
 *                -8 and SB-25 (24 integer bits). One format for all layers. Saturations are counted.
 *   y (linear)   AB bits, fraction fy: as fx, for 1.25 * max|y before the activation| of the float
 *                network over real verify sequences, or for the bound max_r(sum|w| * max|in| + |b|)
 *                if that is smaller or nothing real is there. Saturations are counted.
 *   layer k+1 reads what layer k writes, in the same format.
 * Of other cells than plain LSTMs, each one format for the whole network:
 *   inner        AB bits: rows without a curve that stay in the cell unit (q of a GRU, a relu candidate), as y (linear)
 *   result       AB bits: what is made from a state (h of a GRU, r * h): fraction AB-1, or for 1.25 * the largest of it
 *                where that passes 1
 *   bounded      AB bits, fraction fc - (SB - AB): c as it is multiplied, where no curve bounds it; h has it too
 * A row that is added to by an earlier pass (n of a GRU with the reset after): z = sat(round(acc + bias) + round(p)),
 * both at the fraction of z.
 *
 * Rows (quantise.c). Row r accumulates at fraction F_r. The weights of W are integers of fraction
 * F_r - fx - align_W, those of R of fraction F_r - (AB-1) - align_R, so every product, shifted left
 * by the align of its matrix, has fraction F_r. At most one of the two is not 0: in layers of LSTM
 *   align_W = min(max(0, (AB-1) - fx), limit),   align_R = min(max(0, fx - (AB-1)), limit)
 * and 0 in linear layers. `limit` is ALIGN_DEFAULT (fixed.h). With limit 0 a wide x forces all
 * weights of R to be coarser than those of W by (AB-1) - fx bits; with limit 8 both matrices have
 * one exponent per row. target is PB-5 for rows of an LSTM and fy for rows of a linear layer. F_r
 * is the largest integer with
 *   a. every weight of the row rounds to at most 2^(WB-1) - 1 in magnitude,
 *   b. the rounded bias is below 2^(ACC-2) in magnitude,
 *   c. F_r - target <= min(31 - left_shift, ACC - 2);
 * a row without a weight has F_r = target unless (b) or (c) demand less. Pruned weights are 0.
 *   left_shift = max over all rows of all layers of (target - F_r), at least 0   (0 as a rule)
 *   shift_r    = F_r + left_shift - target, in [0, 31]
 *   ACC        = WB + AB + clog2(max columns of a layer, inputs + hidden) + 1 + max align   (bits)
 *   acc        = ((sum W x) << align_W) + ((sum R h) << align_R)   exact, in any order
 *   z          = sat_PB((((acc + bias) << left_shift) + half_r) >> shift_r)
 *                with half_r = 2^(shift_r - 1), or 0 where shift_r is 0
 *   y          = relu(sat_AB(the same))
 * Clipping by sat_AB is counted, clipping by sat_PB is not (sigmoid and tanh are flat there).
 *
 * That is round(acc + bias, F_r - target), so hardware may fold the half into the bias: add
 * 2^(F_r - target - 1) to it where F_r > target, and nothing where F_r <= target (the low
 * left_shift bits are zero, so half_r never carries).
 *
 * Why ACC bits hold everything, the folded half included: a product is at most 2^(WB-1) * 2^(AB-1)
 * before and 2^align times that after its shift, a sum of N <= 2^clog2(N) of them at most
 * 2^(ACC-3); the bias is at most 2^(ACC-2) - 1 by (b); the half is at most 2^(ACC-3) by (c).
 * Together at most 2^(ACC-1) - 1. Partial sums are covered, whatever their order, because the bound
 * is a sum of magnitudes. It also holds for any weights of WB bits that are loaded later. After the
 * left shift ACC + left_shift bits are needed.
 *
 * Activations (act_table.c): sigmoid and tanh of z, GB bits, fraction GB-1.
 *
 * Cell, per neuron, all from integers of the formats above, A = max(0, (GB-1) - fc),
 * B = max(0, fc - (GB-1)), S = (GB-1) + A:
 *   c' = sat_SB(round(((f * c) << A) + ((i * g) << B), S))    one rounding; clipping is counted
 *   t  = tanh(sat_PB(round(c', fc - (PB-5))))                 clipping is not counted
 *   h  = sat_AB(round(o * t, 2 (GB-1) - (AB-1)))              clips where o and t both end: not counted
 * c and h start at 0 in every sequence.
 */
#include "fixed/fixed.h"

#include "flow/parts.h"

#include <math.h>
#include <string.h>

static const double MADE_RANGE = 8.0;   /* nothing known of the inputs */
static const double MADE_STATE_RANGE = 200.0;   /* nor of c, which reaches 126 in real models: 8 integer bits */
static const double STATE_HEADROOM = 2.0;       /* one bit: other inputs than those of verify.input take c further */
static const double LINEAR_SAFETY = 1.25;

/* Smallest b with 2^b >= n, for n >= 1. */
int clog2(int64_t n)
{
    int b = 0;
    while (b < 62 && (INT64_C(1) << b) < n)
        b++;
    return b;
}

/* round(v, shift) of the contract; |v| must leave room for the half or the left shift. */
int64_t round_shift(int64_t v, int shift)
{
    if (shift <= 0)
        return v * (INT64_C(1) << -shift);
    return (v + (INT64_C(1) << (shift - 1))) >> shift;
}

int64_t saturate(int64_t v, int bits, int64_t *count)
{
    int64_t top = (INT64_C(1) << (bits - 1)) - 1;
    int64_t clipped = v > top ? top : v < -top - 1 ? -top - 1 : v;
    if (count != NULL && clipped != v)
        ++*count;
    return clipped;
}

int64_t saturate_clip(int64_t v, Format f, double clip, int64_t *count)
{
    if (clip <= 0.0)
        return saturate(v, f.bits, count);
    int64_t top = (INT64_C(1) << (f.bits - 1)) - 1, limit = clip >= format_limit(f) ? top : round_value(ldexp(clip, f.fraction));
    return MAX(MIN(v, MIN(limit, top)), -MIN(limit, top));
}

int leak_shift(int bits)
{
    return MIN(15, bits + 5);
}

int32_t leak_factor(int bits)
{
    return (int32_t)(ldexp(LEAK, leak_shift(bits)) + 0.5);
}

static double peak_of(const double *v, int n)
{
    double most = 0.0;
    for (int k = 0; v && k < n; k++)
        most = fmax(most, fabs(v[k]));
    return most;
}

int32_t network_first_state(const QNetwork *q, int layer, int neuron)
{
    const double *state = layer_first_state(&q->net->layer[layer]);
    return state ? format_encode(q->state, state[neuron], NULL) : 0;
}

int32_t network_first_h(const QNetwork *q, int layer, int element)
{
    const Layer *l = &q->net->layer[layer];
    Format to = q->vector[layer_vector(q->net, layer)];
    if (layer_first_state(l) == l->h0)
        return (int32_t)saturate(round_shift(network_first_state(q, layer, element), q->state.fraction - to.fraction), to.bits, NULL);
    return format_encode((Format){to.bits + FIRST_H_MORE, to.fraction}, l->h0[element], NULL);
}

int first_h_growth(const QNetwork *q)
{
    int most = 0;
    for (int k = 0; k < q->net->n; k++) {
        const Layer *l = &q->net->layer[k];
        double limit = l->h0 ? format_limit(q->vector[layer_vector(q->net, k)]) : 1.0;
        while (ldexp(limit, most) < peak_of(l->h0, l->outputs))
            most++;
    }
    return most;
}

int64_t round_value(double v)
{
    return (int64_t)round(v);
}

/* v to an integer of format f: nearest, half away from zero, saturated. `v` is not NaN; infinity
 * saturates. `saturated` (may be NULL) counts clipped values. */
int32_t format_encode(Format f, double v, int64_t *saturated)
{
    REQUIRE(!isnan(v));
    double limit = ldexp(1.0, f.bits);  /* beyond the range, well inside int64_t */
    double scaled = ldexp(v, f.fraction);
    scaled = scaled > limit ? limit : scaled < -limit ? -limit : scaled;
    return (int32_t)saturate(round_value(scaled), f.bits, saturated);
}

double format_decode(Format f, int64_t v)
{
    return ldexp((double)v, -f.fraction);
}

double format_limit(Format f)
{
    return ldexp(1.0, f.bits - 1 - f.fraction);
}

int fraction_of(double magnitude, int bits)
{
    int exponent;
    frexp(magnitude, &exponent);        /* magnitude in [2^(exponent-1), 2^exponent) */
    int fraction = bits - 1 - exponent;
    double top = ldexp(1.0, bits - 1) - 1.0;
    return round(ldexp(magnitude, fraction)) > top ? fraction - 1 : fraction;
}

Format format_of(double magnitude, int bits)
{
    if (magnitude <= 0.0)
        return (Format){bits, bits - 1};
    int fraction = fraction_of(magnitude, bits);
    fraction = MIN(MAX(fraction, FRACTION_MIN), bits + FRACTION_PAST_BITS);
    return (Format){bits, fraction};
}

/* max|v| over the valid steps of [n][steps][width] values. */
static double sequence_peak(const Sequences *seq, const float *value, int width)
{
    float peak = 0.0f;
    for (int i = 0; i < seq->n; i++) {
        const float *v = value + (size_t)i * seq->steps * width;
        size_t count = (size_t)seq->length[i] * width;
        for (size_t k = 0; k < count; k++)
            peak = fabsf(v[k]) > peak ? fabsf(v[k]) : peak;
    }
    return peak;
}

static Format input_format(Diag *d, const Spec *s, const Sequences *seq)
{
    Place whole = {s->file, 0, 0};
    double peak = sequence_peak(seq, seq->x, seq->width), range = s->input_range;
    if (range <= 0.0 && seq->made) {
        range = MADE_RANGE;
        diag_warn(d, whole, "neither verify.input nor an input range is given: inputs are taken to "
                  "lie within +-%g; give one of them", MADE_RANGE);
    } else if (range <= 0.0) {
        range = peak;
    }
    Format f = format_of(range, s->activation_bits);
    if (!seq->made && peak > format_limit(f))
        diag_warn(d, whole, "verify.input reaches %g but its format (%d bits, %d fraction bits) "
                  "ends at %g: larger values are clipped; raise the input range or scale the "
                  "inputs",
                  peak, f.bits, f.fraction, format_limit(f));
    return f;
}

/* The largest of n values; 0 of none. */
/* The largest state of all layers, the first ones included. */
static double state_peak(const Network *net, const Peaks *peaks)
{
    double most = 0.0;
    for (int k = 0; k < net->n; k++) {
        const Layer *l = &net->layer[k];
        most = fmax(most, fmax(peaks->state[k], peak_of(layer_first_state(l), l->hidden)));
    }
    return most;
}

static double peephole_peak(const Network *net)
{
    double most = 0.0;
    for (int k = 0; k < net->n; k++)
        most = fmax(most, peak_of(net->layer[k].peephole, (int)strlen(net->layer[k].cell->W) * net->layer[k].hidden));
    return most;
}

/* A range needs integer bits; how many are built, the limits of a fraction (fixed.h) tell. */
static Format state_format(Diag *d, const Spec *s, const Network *net, const Sequences *seq, const Peaks *peaks)
{
    int bits = s->state_bits;
    double reached = state_peak(net, peaks), range = s->state_range;
    if (range <= 0.0)
        range = seq->made ? MADE_STATE_RANGE : STATE_HEADROOM * reached;
    Format f = format_of(range, bits);
    f.fraction = MAX(f.fraction, bits - 1 - STATE_INTEGER_MAX);
    if (reached > format_limit(f))
        diag_warn(d, spec_at(s, "precision.state_range"), "the cell state of the float network reaches %g but its "
                  "format (%d bits, %d fraction bits) ends at %g: larger values are clipped; raise "
                  "precision.state_range, or leave it out: it is then calibrated",
                  reached, f.bits, f.fraction, format_limit(f));
    return f;
}

/* The largest |z| that rows of a pass can reach with what their vectors can hold. */
static double row_bound(const QNetwork *q, const Network *net, const Section *s, const Pass *p)
{
    const Layer *l = &net->layer[s->layer];
    double bound = 0.0;
    for (int j = 0; j < pass_units(l, p); j++) {
        double here = fabs(l->bias[layer_row(l, p->gate, j)]);
        for (int k = 0; k < s->terms; k++) {
            const Product *from = &net->product[s->term[k]];
            const char *gate = strchr(from->gates, p->gate);
            double sum = 0.0;
            for (int c = 0; gate && c < from->m.columns; c++)
                sum += fabs(from->m.value[((gate - from->gates) * pass_units(l, p) + j) * (int64_t)from->m.columns + c]);
            here += sum * format_limit(q->vector[from->from]);
        }
        bound = fmax(bound, here);
    }
    return bound;
}

/* The largest |z| of the rows of a pass without a curve: what they can reach, or (peak above 0) what real sequences do. */
static double direct_range(const QNetwork *q, const Network *net, const Section *s, int pass, const Peaks *peaks)
{
    const Layer *l = &net->layer[s->layer];
    double range = row_bound(q, net, s, &l->pass[pass]), peak = peaks->z[s->layer][pass];
    double clip = pass_clip(l, &l->pass[pass]);
    range = clip > 0.0 ? fmin(range, clip) : range;
    return peak > 0.0 ? fmin(range, LINEAR_SAFETY * peak) : range;
}

/* A row without a curve that is held or multiplied, and does not leave: all such rows have one format. */
static bool is_inner(const Pass *p)
{
    return curve_is_direct(p->curve) && !(p->effects & EFFECT_OUT_A);
}

/* Is what a section writes made from a state? All such have one format. */
static bool from_state(const Pass *last)
{
    return (last->effects & EFFECT_OUT_STATE)
           || ((last->effects & (EFFECT_OUT | EFFECT_INNER)) && last->operand == OPERAND_STATE);
}

/* The pass whose result a section writes. */
static const Pass *writing_pass(const Network *net, const Section *s)
{
    const Layer *l = &net->layer[s->layer];
    for (int k = s->first; k < s->first + s->n; k++)
        if (l->pass[k].effects & EFFECT_INNER)
            return &l->pass[k];
    return &l->pass[s->first + s->n - 1];
}

/* The largest h before the first step, of a section that writes h. */
static double largest_first_h(const Network *net, const Section *s)
{
    const Layer *l = &net->layer[s->layer];
    return writing_pass(net, s)->effects & EFFECT_INNER ? 0.0 : peak_of(l->h0, l->outputs);
}

/* Formats that all passes of a kind share: rows that stay inside, what is made from a state, a state as operand. */
static void shared_formats(QNetwork *q, const Network *net, const Peaks *peaks)
{
    double inner = 0.0, result = 0.0;
    for (int k = 0; k < net->sections; k++) {
        const Section *s = &net->section[k];
        for (int pass = s->first; pass < s->first + s->n; pass++)
            if (is_inner(&net->layer[s->layer].pass[pass]))
                inner = fmax(inner, direct_range(q, net, s, pass, peaks));
        if (from_state(writing_pass(net, s)))
            result = fmax(result, fmax(s->writes >= 0 ? peaks->vector[s->writes] : peaks->out[s->layer], largest_first_h(net, s)));
    }
    q->inner = format_of(inner, q->gate.bits);
    q->result = result > 1.0 ? format_of(LINEAR_SAFETY * result, q->gate.bits) : q->gate;
    q->bounded = (Format){q->gate.bits, q->state.fraction - (q->state.bits - q->gate.bits)};
}

/* Of what a section writes. */
static Format result_format(const QNetwork *q, const Network *net, const Section *s)
{
    const Layer *l = &net->layer[s->layer];
    const Pass *p = writing_pass(net, s);
    if (p->effects & EFFECT_OUT_A)
        return curve_is_direct(p->curve) ? q->layer[s->layer].z[p - l->pass] : q->gate;
    if (from_state(p))
        return q->result;
    return p->operand == OPERAND_BOUNDED && curve_is_direct(l->activation[2]) ? q->bounded : q->gate;
}

static void section_formats(QNetwork *q, const Network *net, const Section *s, const Peaks *peaks)
{
    const Layer *l = &net->layer[s->layer];
    QLayer *out = &q->layer[s->layer];
    for (int k = s->first; k < s->first + s->n; k++)
        out->z[k] = !curve_is_direct(l->pass[k].curve) ? q->pre : is_inner(&l->pass[k]) ? q->inner
                    : format_of(fmax(direct_range(q, net, s, k, peaks), largest_first_h(net, s)), q->gate.bits);
    out->out = result_format(q, net, s);
    if (s->writes >= 0)
        q->vector[s->writes] = out->out;
}

int gate_bits(const Spec *s)
{
    const Part *p = part_find(s->part);
    int widest = p ? part_family(p)->a_max : s->activation_bits, auto_bits = s->activation_bits + GUARD_BITS;
    return s->gate_bits > 0 ? s->gate_bits : MAX(MIN(auto_bits, widest), s->activation_bits);
}

static Format gate_format(Diag *d, const Spec *s)
{
    const Part *p = part_find(s->part);
    int bits = gate_bits(s), widest = p ? part_family(p)->a_max : bits;
    if (bits > MAX(widest, s->activation_bits))
        diag_error(d, spec_at(s, "precision.gate"), "precision.gate: %d bits, and a multiplier of %s takes %d: leave it "
                   "out, or choose another part", bits, p->name, widest);
    return (Format){bits, bits - 1};
}

/* Beyond what network_first_h gives. */
static void check_first_h(Diag *d, const QNetwork *q, const Network *net, const Section *s)
{
    double most = largest_first_h(net, s), limit = ldexp(format_limit(q->layer[s->layer].out), FIRST_H_MORE);
    if (most > limit)
        diag_error(d, net->layer[s->layer].at, "initial.h of layer %d reaches %g, and h of this cell may start at %g at most: "
                   "give one that the cell can reach", s->layer, most, limit);
}

void network_formats(Diag *d, const Spec *s, const Network *net, const Sequences *seq, const Peaks *peaks,
                     QNetwork *q)
{
    int ab = s->activation_bits;
    int pb = s->preactivation_bits > 0 ? s->preactivation_bits : ab + PRE_EXTRA_BITS;
    q->weight_bits = s->weight_bits;
    q->vector[0] = input_format(d, s, seq);
    q->pre = (Format){pb, pb - 1 - PRE_INTEGER_BITS};
    q->gate = (Format){ab, ab - 1};
    q->curve = gate_format(d, s);
    q->state = state_format(d, s, net, seq, peaks);
    q->peephole = format_of(peephole_peak(net), ab);
    for (int v = 1; v < net->vectors; v++)      /* what a section reads of the step before, until it is reached */
        q->vector[v] = peaks->vector[v] > 1.0 ? format_of(LINEAR_SAFETY * peaks->vector[v], ab) : q->gate;
    shared_formats(q, net, peaks);
    for (int k = 0; k < net->sections; k++) {
        const Section *section = &net->section[k];
        section_formats(q, net, section, peaks);
        check_first_h(d, q, net, section);
    }
}
