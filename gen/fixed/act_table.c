/* act_table.c: sigmoid and tanh from one table of tanh with linear interpolation; hard_sigmoid and hard_tanh likewise
 * from one of their own, T(a) = min(slope * a, 1).
 *
 * Contract (RTL follows it bit for bit). With F = in_fraction, TF = table_fraction = out_bits + 2:
 *   argument   tanh(z): a = |z| << 1;   sigmoid(z) = (1 + tanh(z/2)) / 2: a = |z|
 *              so a has fraction F + 1 in both cases
 *   table      covers [0, 8): F + 4 bits of a, of which the upper segment_bits address the table
 *              and the lower low_bits interpolate
 *   T(a)       a >= 8.0 (any bit above the F + 4): 2^TF - 1
 *              else base[seg] + ((slope[seg] * low) >> (low_bits + slope_shift))
 *   tanh       sat(round(z < 0 ? -T : T, s)),                   s = TF - (value_bits - 1)
 *   sigmoid    sat(round(2^TF + (z < 0 ? -T : T), s + 1))
 * Results have value_bits, fraction value_bits - 1: up to two more than out_bits, so that a gate can come near to 1: with
 * 16 bits a forget gate ends at 1 - 3e-5, and a state that counts loses a hundredth of itself in 340 steps.
 * base is unsigned of base_bits = TF bits, slope unsigned of slope_bits. No segment passes 2^TF - 1
 * (the fit sees to it), so T needs neither clamp nor sign. tanh(0) is 0 and sigmoid(0) is one half
 * exactly; 1.0 saturates to 1 - 1 LSB.
 *
 * Fit: the slope of a segment is its chord's; base is moved so that largest and smallest error over
 * the segment's integers are equal in size (for a concave curve that is the best line); that of the first is 0, so that
 * tanh(0) is. Every candidate is measured over all inputs, as it is and rounded to out_bits; the smallest table within
 * 1 LSB of out_bits is taken.
 */
#include "fixed/fixed.h"

#include <math.h>
#include <stdlib.h>

enum { RANGE_BITS = 3, OUT_BITS_MIN = 2, OUT_BITS_MAX = 16, IN_BITS_MAX = 22,
       SLOPE_SHIFT_MAX = 3, SLOPE_TRIES = 8 };
static const double ERROR_MAX_LSB = 1.0;
static const double SPREAD_MAX = 8.0;   /* 1 LSB in units of T: wider can not be mended */

static int32_t table_value(const ActTable *t, int64_t a)
{
    int64_t segment = a >> t->low_bits;
    if (segment >= t->entries)
        return (1 << t->table_fraction) - 1;
    int64_t low = a & ((INT64_C(1) << t->low_bits) - 1);
    int shift = t->low_bits + t->slope_shift;
    return t->base[segment] + (int32_t)((t->slope[segment] * low) >> shift);
}

/* Both with a result of `bits` bits, fraction bits - 1. */
static int32_t tanh_of(const ActTable *t, int32_t value, int bits)
{
    return (int32_t)saturate(round_shift(value, t->table_fraction - (bits - 1)), bits, NULL);
}

static int32_t sigmoid_of(const ActTable *t, int32_t value, int bits)
{
    int64_t sum = (INT64_C(1) << t->table_fraction) + value;
    return (int32_t)saturate(round_shift(sum, t->table_fraction - (bits - 1) + 1), bits, NULL);
}

int32_t act_tanh(const ActTable *t, int32_t z)
{
    int32_t value = table_value(t, (int64_t)labs(z) << 1);
    return tanh_of(t, z < 0 ? -value : value, t->value_bits);
}

int32_t act_sigmoid(const ActTable *t, int32_t z)
{
    int32_t value = table_value(t, labs(z));
    return sigmoid_of(t, z < 0 ? -value : value, t->value_bits);
}

/* T(u) of a kind, u >= 0. hard_sigmoid is (1 + T(z/2)) / 2 like sigmoid: T(z/2) = 2 * slope * z. */
static double exact_value(TableKind kind, double u)
{
    switch (kind) {
    case TABLE_TANH: return tanh(u);
    case TABLE_HARD_SIGMOID: return fmin(4.0 * 0.2 * u, 1.0);
    case TABLE_HARD_SIGMOID_6: return fmin(4.0 / 6.0 * u, 1.0);
    case TABLE_HARD_TANH: return fmin(u, 1.0);
    case TABLE_KINDS: break;
    }
    FAULT("table %d", kind);
}

/* T(a / 2^(F+1)) of another curve than tanh, for a = 0 .. 2^(F+4), both included. */
static double *straight_curve(Arena *scratch, TableKind kind, int in_fraction)
{
    int64_t count = (INT64_C(1) << (in_fraction + 1 + RANGE_BITS)) + 1;
    double *curve = ARENA_ARRAY(scratch, double, count);
    for (int64_t a = 0; a < count; a++)
        curve[a] = exact_value(kind, ldexp((double)a, -(in_fraction + 1)));
    return curve;
}

/* tanh(a / 2^(F+1)) for a = 0 .. 2^(F+4), both included, from a product of two short tables of exp.
 * */
static double *exact_curve(Arena *scratch, int in_fraction)
{
    int bits = in_fraction + 1 + RANGE_BITS, half = bits / 2;
    int64_t fine_count = INT64_C(1) << half, count = (INT64_C(1) << bits) + 1;
    double *fine = ARENA_ARRAY(scratch, double, fine_count);
    double *curve = ARENA_ARRAY(scratch, double, count);
    for (int64_t i = 0; i < fine_count; i++)
        fine[i] = exp(ldexp((double)i, -in_fraction));
    for (int64_t a = 0; a < count; a += fine_count) {
        double coarse = exp(ldexp((double)a, -in_fraction));
        for (int64_t i = 0; i < fine_count && a + i < count; i++) {
            double e = coarse * fine[i];
            curve[a + i] = (e - 1.0) / (e + 1.0);
        }
    }
    return curve;
}

/* Chooses base for a given slope; returns half the spread of the error, in units of T. `curve`
 * holds the segment's values. The slope is lowered where the line would pass 2^TF - 1. */
static double fit_base(ActTable *t, const double *curve, int segment, int64_t slope)
{
    int64_t n = INT64_C(1) << t->low_bits, top = (INT64_C(1) << t->table_fraction) - 1;
    int shift = t->low_bits + t->slope_shift;
    double one = ldexp(1.0, t->table_fraction), low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        double error = curve[i] * one - (double)((slope * i) >> shift);
        low = MIN(low, error);
        high = MAX(high, error);
    }
    int64_t base = (int64_t)floor((low + high) / 2.0 + 0.5);
    base = segment == 0 ? 0 : MIN(MAX(base, 0), top);
    while (base + ((slope * (n - 1)) >> shift) > top)
        slope--;
    t->base[segment] = (int32_t)base;
    t->slope[segment] = (int32_t)slope;
    return segment == 0 ? MAX(high, -low) : (high - low) / 2.0;
}

/* Largest error of both functions over the inputs +-z that reach T(a), in LSB of out_bits, of results of `bits` bits;
 * `exact` = tanh of a. */
static double error_in(const ActTable *t, int64_t a, double exact, int bits)
{
    double one = (double)(1 << (bits - 1)), lsb = (double)(1 << (bits - t->out_bits));
    int32_t value = table_value(t, a);
    double up = fabs(sigmoid_of(t, value, bits) - one * (1.0 + exact) / 2.0);
    double down = fabs(sigmoid_of(t, -value, bits) - one * (1.0 - exact) / 2.0);
    double worst = MAX(up, down);
    if (a % 2 == 0) {
        up = fabs(tanh_of(t, value, bits) - one * exact);
        down = fabs(tanh_of(t, -value, bits) + one * exact);
        worst = MAX(worst, MAX(up, down));
    }
    return worst / lsb;
}

static double error_at(const ActTable *t, int64_t a, double exact)
{
    double rounded = error_in(t, a, exact, t->out_bits);
    return t->value_bits == t->out_bits ? rounded : MAX(rounded, error_in(t, a, exact, t->value_bits));
}

static double segment_error(const ActTable *t, const double *curve, int segment)
{
    int64_t n = INT64_C(1) << t->low_bits, first = segment * n;
    double worst = 0.0;
    for (int64_t i = 0; i < n && worst <= ERROR_MAX_LSB; i++) {
        double error = error_at(t, first + i, curve[i]);
        worst = MAX(worst, error);
    }
    return worst;
}

/* Fits one segment: the chord, then its neighbours, because rounding may favour one of them.
 * `curve` also holds the first value after the segment. Returns the error in LSB. */
static double fit_segment(ActTable *t, const double *curve, int segment)
{
    int64_t n = INT64_C(1) << t->low_bits;
    double rise = n == 1 ? 0.0 : curve[n] - curve[0], error = INFINITY;
    int64_t chord = llround(ldexp(rise, t->table_fraction + t->slope_shift));
    for (int k = 0; k <= 2 * SLOPE_TRIES && error > ERROR_MAX_LSB; k++) {
        int64_t slope = chord + (k % 2 == 0 ? -(k / 2) : k / 2 + 1);
        if (slope < 0)
            continue;
        if (fit_base(t, curve, segment, slope) > SPREAD_MAX)
            return INFINITY;
        error = segment_error(t, curve, segment);
    }
    return error;
}

/* Beyond the table T is constant and the curve monotonous: the ends of the range are the worst. */
static double error_beyond(const ActTable *t)
{
    int64_t first = INT64_C(1) << (t->low_bits + t->segment_bits);
    int64_t last = INT64_C(1) << t->in_bits;    /* tanh of the most negative z */
    if (last < first)
        return 0.0;
    double scale = ldexp(1.0, -(t->in_fraction + 1));
    double near = error_at(t, first, exact_value(t->kind, (double)first * scale));
    double far = error_at(t, last, exact_value(t->kind, (double)last * scale));
    return MAX(near, far);
}

/* Fits segment by segment while the error stays within the limit. */
static bool fit_table(ActTable *t, const double *curve)
{
    double worst = error_beyond(t);
    for (int segment = 0; segment < t->entries && worst <= ERROR_MAX_LSB; segment++) {
        double error = fit_segment(t, curve + ((int64_t)segment << t->low_bits), segment);
        worst = MAX(worst, error);
    }
    t->max_error_lsb = worst;
    return worst <= ERROR_MAX_LSB;
}

static bool fit_with(ActTable *t, const double *curve, int segment_bits, int slope_shift)
{
    t->segment_bits = segment_bits;
    t->low_bits = t->in_fraction + 1 + RANGE_BITS - segment_bits;
    t->entries = 1 << segment_bits;
    t->slope_shift = slope_shift;
    return fit_table(t, curve);
}

/* Fewest segments first, then fewest slope bits. A single step per segment always succeeds. */
static void search_table(ActTable *t, const double *curve)
{
    int all = t->in_fraction + 1 + RANGE_BITS, segment_bits = 0;
    while (!fit_with(t, curve, segment_bits, SLOPE_SHIFT_MAX) && segment_bits < all)
        segment_bits++;
    for (int shift = 0; !fit_with(t, curve, segment_bits, shift); shift++)
        REQUIRE(shift < SLOPE_SHIFT_MAX);
}

static int bits_of_largest(const int32_t *v, int n)
{
    int32_t largest = 1;
    for (int i = 0; i < n; i++)
        largest = MAX(largest, v[i]);
    return clog2((int64_t)largest + 1);
}

/* Builds the smallest table for pre-activations of format `in` (at most 22 bits, fraction
 * 0..in.bits-1) whose error is at most 1 LSB of `out_bits` (2..16) bits over all inputs; results have value_bits,
 * out_bits to out_bits + 2. False when the formats are outside of these ranges. */
bool act_table_build(Arena *a, Format in, int out_bits, int value_bits, ActTable *out)
{
    return act_table_build_of(a, TABLE_TANH, in, out_bits, value_bits, out);
}

/* Room for the most segments, and the curve to fit them to. */
static double *start_table(Arena *scratch, ActTable *t)
{
    int most = 1 << (t->in_fraction + 1 + RANGE_BITS);
    t->base = ARENA_ARRAY(scratch, int32_t, most);
    t->slope = ARENA_ARRAY(scratch, int32_t, most);
    return t->kind == TABLE_TANH ? exact_curve(scratch, t->in_fraction) : straight_curve(scratch, t->kind, t->in_fraction);
}

static void keep_table(Arena *a, ActTable *t)
{
    int32_t *base = ARENA_ARRAY(a, int32_t, t->entries), *slope = ARENA_ARRAY(a, int32_t, t->entries);
    for (int i = 0; i < t->entries; i++) {
        base[i] = t->base[i];
        slope[i] = t->slope[i];
    }
    t->base = base;
    t->slope = slope;
    t->slope_bits = bits_of_largest(slope, t->entries);
}

bool act_table_refine(Arena *a, int segment_bits, int slope_shift, ActTable *t)
{
    ActTable finer = *t;
    Arena *scratch = arena_new();
    double *curve = start_table(scratch, &finer);
    bool fits = segment_bits <= t->in_fraction + 1 + RANGE_BITS && fit_with(&finer, curve, segment_bits, slope_shift);
    REQUIRE(fits || segment_bits < t->in_fraction + 1 + RANGE_BITS);
    if (fits) {
        keep_table(a, &finer);
        *t = finer;
    }
    arena_free(scratch);
    return fits;
}

bool act_table_build_of(Arena *a, TableKind kind, Format in, int out_bits, int value_bits, ActTable *out)
{
    if (in.bits < 2 || in.bits > IN_BITS_MAX || in.fraction < 0 || in.fraction >= in.bits ||
        out_bits < OUT_BITS_MIN || out_bits > OUT_BITS_MAX || value_bits < out_bits ||
        value_bits > out_bits + GUARD_BITS)
        return false;
    *out = (ActTable){.kind = kind, .in_bits = in.bits, .in_fraction = in.fraction, .out_bits = out_bits,
                      .value_bits = value_bits,
                      .base_bits = out_bits + 2, .table_fraction = out_bits + 2};
    Arena *scratch = arena_new();
    search_table(out, start_table(scratch, out));
    keep_table(a, out);
    arena_free(scratch);
    return true;
}
