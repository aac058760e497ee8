/* golden.c: the bit-true network (contract: fixed/formats.c).
 *
 * Works from the definition only: dense rows, exact 64-bit sums. It knows nothing of patterns, of
 * the order in which hardware adds, or of memory layouts.
 */
#include "lstmgen.h"

#include <stdlib.h>
#include <string.h>

enum { VECTOR_BITS_MAX = 16, ACC_BITS_MAX = 62, BLOCK = 16 };
/* PART products of NARROW_BITS and 16 bits: 16 * 2^11 * 2^15 = 2^30. */
enum { PART = 16, NARROW_BITS = 12 };

/* The neurons of a layer at work. `held` and `kept` have the fraction of what was put there. */
typedef struct LayerRun {
    int32_t *z, *held;
    int64_t *kept, *late, *state;
    int16_t *out;                       /* where no vector takes its output */
    int held_fraction, kept_fraction, late_fraction;
} LayerRun;

typedef struct GoldenRun {
    const QNetwork *q; const Network *net;
    LayerRun layer[LAYERS_MAX];
    int16_t *vector[VECTORS_MAX], *before[VECTORS_MAX];     /* of this step, of the step before */
    int32_t *first[LAYERS_MAX];         /* h before the first step, where one is given; else NULL */
    bool starts;                        /* this step is the first of a sequence */
    int16_t *last[PRODUCTS_MAX];        /* with deltas: what was last sent */
    const int16_t *in[PRODUCTS_MAX];    /* what the sums know of the vector */
    uint8_t *sent;                      /* marks of this step */
    const Activity *activity;
    bool narrow;                        /* weights of NARROW_BITS at most */
    int64_t state_clipped, output_clipped;
} GoldenRun;

/* Exact: products of 16-bit integers fit 32 bits, their sum is kept in 64. So does the sum of PART products of weights
 * that are `narrow`: four times as fast. */
static int64_t dot(const int16_t *w, const int16_t *v, int n, bool narrow)
{
    int64_t sum = 0;
    int i = 0;
    for (; narrow && i + PART <= n; i += PART) {
        int32_t part = 0;
        for (int k = 0; k < PART; k++)
            part += (int32_t)w[i + k] * v[i + k];
        sum += part;
    }
    for (; i < n; i++)
        sum += (int32_t)w[i] * v[i];
    return sum;
}

static int64_t dot_first(const int16_t *w, const int32_t *h, int n)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += (int64_t)w[i] * h[i];
    return sum;
}

/* An element is sent when it differs from what was sent last by the threshold or more; the sums of a delta network are
 * those of the elements last sent. */
static void send(GoldenRun *run, int product)
{
    const Product *p = &run->net->product[product];
    const int16_t *v = (p->previous ? run->before : run->vector)[p->from];
    int16_t *last = run->last[product];
    int32_t threshold = p->from == 0 ? run->q->delta_x : run->q->delta_h;
    for (int i = 0; last && i < p->m.columns; i++) {
        int32_t change = abs((int32_t)v[i] - last[i]);
        bool sent = change != 0 && change >= threshold;
        run->sent[run->activity->at[product] + i] = sent;
        if (sent)
            last[i] = v[i];
    }
    run->in[product] = last ? last : v;
}

/* The sum of all products of a row of a pass, at the row's fraction. */
static int64_t row_sum(const GoldenRun *run, const Section *s, char gate, int neuron)
{
    int64_t sum = 0;
    for (int k = 0; k < s->terms; k++) {
        const Product *p = &run->net->product[s->term[k]];
        const QProduct *q = &run->q->product[s->term[k]];
        const char *at = strchr(p->gates, gate);
        if (!at)
            continue;
        size_t row = (size_t)(at - p->gates) * (size_t)(p->m.rows / p->m.gates) + (size_t)neuron;
        const int16_t *w = q->m.value + row * (size_t)q->m.columns;
        const int32_t *first = run->starts && p->previous ? run->first[p->layer] : NULL;
        int64_t x = first ? dot_first(w, first, q->m.columns) : dot(w, run->in[s->term[k]], q->m.columns, run->narrow);
        sum += round_shift(x, -q->align);
    }
    return sum;
}

/* Pre-activations (or y) of a pass's rows, rounded and limited to its format. */
static void run_rows(GoldenRun *run, const Section *s, int pass)
{
    const Layer *layer = &run->net->layer[s->layer];
    const Pass *p = &layer->pass[pass];
    const QLayer *q = &run->q->layer[s->layer];
    LayerRun *l = &run->layer[s->layer];
    Format to = q->z[pass];
    int peephole_shift = run->q->peephole.fraction + run->q->state.fraction;
    int64_t *clipped = curve_is_direct(p->curve) ? &run->output_clipped : NULL;
    for (int j = 0; j < pass_units(layer, p); j++) {
        int row = layer_row(layer, p->gate, j);
        int64_t z = round_shift(row_sum(run, s, p->gate, j) + q->bias[row], q->row_fraction[row] - to.fraction);
        if (p->effects & EFFECT_PLUS)
            z += l->late[j];
        if (q->peephole && p->gate != 'p')
            z += round_shift(q->peephole[row] * l->state[j], peephole_shift - to.fraction);
        l->z[j] = (int32_t)saturate_clip(z, to, pass_clip(layer, p), clipped);
    }
}

/* A negative value of leaky_relu is multiplied by a constant. */
static int32_t leaky(int32_t z, int bits)
{
    return z < 0 ? (int32_t)round_shift((int64_t)z * leak_factor(bits), leak_shift(bits)) : z;
}

static int32_t curve_value(const QNetwork *q, Curve c, int32_t z)
{
    const ActTable *t = &q->table[curve_table(c)];
    if (!curve_is_direct(c))
        return curve_is_sigmoid(c) ? act_sigmoid(t, z) : act_tanh(t, z);
    return c == CURVE_RELU ? MAX(z, 0) : c == CURVE_LEAKY_RELU ? leaky(z, q->gate.bits) : z;
}

/* A number and its fraction. */
typedef struct Exact { int64_t value; int fraction; } Exact;

/* A curve of the state, or the state itself, cut to the width of an activation. */
static Exact bounded(const QNetwork *q, Curve c, int64_t state)
{
    Format to = curve_is_direct(c) ? q->bounded : q->pre;
    int32_t z = (int32_t)saturate(round_shift(state, q->state.fraction - to.fraction), to.bits, NULL);
    return (Exact){curve_value(q, c, z), curve_is_direct(c) ? to.fraction : q->curve.fraction};
}

static Exact operand(const QNetwork *q, const LayerRun *l, const Pass *p, Curve bound, int j)
{
    int64_t one = INT64_C(1) << l->held_fraction;
    switch (p->operand) {
    case OPERAND_NOTHING: return (Exact){1, 0};
    case OPERAND_HELD: return (Exact){l->held[j], l->held_fraction};
    case OPERAND_REST: return (Exact){one - l->held[j], l->held_fraction};
    case OPERAND_STATE: return (Exact){l->state[j], q->state.fraction};
    case OPERAND_BOUNDED: return bounded(q, bound, l->state[j]);
    }
    FAULT("operand %d", p->operand);
}

/* Two products with one rounding: both are aligned to the finer fraction first. */
static int64_t next_state(GoldenRun *run, Exact now, Exact kept, double clip)
{
    Format to = run->q->state;
    int fine = MAX(now.fraction, kept.fraction);
    int64_t sum = round_shift(now.value, now.fraction - fine) + round_shift(kept.value, kept.fraction - fine);
    return saturate_clip(round_shift(sum, fine - to.fraction), to, clip, &run->state_clipped);
}

/* What a pass does with a neuron; its result at the fraction of `to`, if it has one. */
static int16_t run_pass(GoldenRun *run, const Layer *layer, LayerRun *l, const Pass *p, Format z, Format to, int j)
{
    const QNetwork *q = run->q;
    int32_t a = curve_value(q, p->curve, l->z[j]);
    int fraction = curve_is_direct(p->curve) ? z.fraction : q->curve.fraction;
    Exact times = operand(q, l, p, layer->activation[2], j), product = {a * times.value, fraction + times.fraction};
    if (p->effects & EFFECT_SUM)
        l->state[j] = next_state(run, product, (Exact){l->kept[j], l->kept_fraction}, layer->clip_cell);
    if (p->effects & EFFECT_HOLD)
        l->held[j] = a;
    if (p->effects & EFFECT_KEEP)
        l->kept[j] = product.value;
    if (p->effects & EFFECT_LATE)
        l->late[j] = round_shift(product.value, product.fraction - l->late_fraction);
    Exact result = p->effects & EFFECT_OUT_STATE ? (Exact){l->state[j], q->state.fraction}
                   : p->effects & EFFECT_OUT_A   ? (Exact){a, fraction} : product;
    bool from_state = (p->effects & EFFECT_OUT_STATE) || p->operand == OPERAND_STATE;
    return (int16_t)saturate(round_shift(result.value, result.fraction - to.fraction), to.bits,
                             from_state && pass_has_result(p) ? &run->output_clipped : NULL);
}

static void run_neurons(GoldenRun *run, const Section *s, int pass)
{
    const Layer *layer = &run->net->layer[s->layer];
    const Pass *p = &layer->pass[pass];
    LayerRun *l = &run->layer[s->layer];
    Format z = run->q->layer[s->layer].z[pass];
    Format to = s->writes >= 0 ? run->q->vector[s->writes] : run->q->layer[s->layer].out;
    int16_t *out = s->writes >= 0 ? run->vector[s->writes] : l->out;
    int fraction = curve_is_direct(p->curve) ? z.fraction : run->q->curve.fraction;
    for (int j = 0; j < pass_units(layer, p); j++) {
        int16_t result = run_pass(run, layer, l, p, z, to, j);
        if (pass_has_result(p))
            out[j] = result;
    }
    if (p->effects & EFFECT_KEEP)
        l->kept_fraction = fraction + (p->operand == OPERAND_STATE ? run->q->state.fraction : l->held_fraction);
    if (p->effects & EFFECT_HOLD)
        l->held_fraction = fraction;
}

/* One step of the whole stack; returns the last layer's output. */
static const int16_t *run_step(GoldenRun *run)
{
    const Network *net = run->net;
    for (int v = 1; v < net->vectors; v++)
        memcpy(run->before[v], run->vector[v], sizeof(int16_t) * (size_t)net->vector[v].elements);
    for (int k = 0; k < net->sections; k++) {
        const Section *s = &net->section[k];
        for (int t = 0; t < s->terms; t++)
            send(run, s->term[t]);
        for (int pass = s->first; pass < s->first + s->n; pass++) {
            run_rows(run, s, pass);
            run_neurons(run, s, pass);
        }
    }
    run->starts = false;
    int out = net->section[net->sections - 1].writes;
    return out >= 0 ? run->vector[out] : run->layer[net->n - 1].out;
}

static void layer_init(Arena *scratch, const QNetwork *q, int k, LayerRun *l)
{
    const Layer *layer = &q->net->layer[k];
    int n = MAX(layer->hidden, layer->outputs);
    *l = (LayerRun){.z = ARENA_ARRAY(scratch, int32_t, n), .held = ARENA_ARRAY(scratch, int32_t, n),
                    .kept = ARENA_ARRAY(scratch, int64_t, n), .late = ARENA_ARRAY(scratch, int64_t, n),
                    .state = ARENA_ARRAY(scratch, int64_t, n), .out = ARENA_ARRAY(scratch, int16_t, n)};
    for (int p = 0; p < layer->n_passes; p++)   /* of the rows that it is added to */
        if (layer->pass[p].effects & EFFECT_PLUS)
            l->late_fraction = q->layer[k].z[p].fraction;
}

static void run_init(Arena *scratch, const QNetwork *q, GoldenRun *run)
{
    const Network *net = q->net;
    REQUIRE(q->gate.bits <= VECTOR_BITS_MAX && q->acc_bits + q->left_shift <= ACC_BITS_MAX);
    *run = (GoldenRun){.q = q, .net = net, .narrow = q->weight_bits <= NARROW_BITS};
    for (int k = 0; k < net->n; k++) {
        layer_init(scratch, q, k, &run->layer[k]);
        run->first[k] = net->layer[k].h0 ? ARENA_ARRAY(scratch, int32_t, net->layer[k].outputs) : NULL;
        for (int j = 0; run->first[k] && j < net->layer[k].outputs; j++)
            run->first[k][j] = network_first_h(q, k, j);
    }
    for (int v = 0; v < net->vectors; v++) {
        run->vector[v] = ARENA_ARRAY(scratch, int16_t, net->vector[v].elements);
        run->before[v] = ARENA_ARRAY(scratch, int16_t, net->vector[v].elements);
    }
    for (int p = 0; p < net->products; p++)
        if (q->delta && product_has_delta(net, p))
            run->last[p] = ARENA_ARRAY(scratch, int16_t, net->product[p].m.columns);
}

static void reset_layer(GoldenRun *run, int k)
{
    const Layer *l = &run->net->layer[k];
    for (int j = 0; j < l->hidden; j++)
        run->layer[k].state[j] = network_first_state(run->q, k, j);
}

static void run_reset(GoldenRun *run)
{
    const Network *net = run->net;
    run->starts = true;
    for (int v = 0; v < net->vectors; v++)
        memset(run->vector[v], 0, sizeof(int16_t) * (size_t)net->vector[v].elements);
    for (int k = 0; k < net->n; k++)
        reset_layer(run, k);
    for (int p = 0; p < net->products; p++)
        if (run->last[p])
            memset(run->last[p], 0, sizeof(int16_t) * (size_t)net->product[p].m.columns);
}

static void run_sequence(GoldenRun *run, const Sequences *seq, int s, Golden *out)
{
    run_reset(run);
    for (int t = 0; t < seq->length[s]; t++) {
        size_t step = (size_t)s * seq->steps + t;
        for (int i = 0; i < seq->width; i++) {
            size_t at = step * seq->width + i;
            out->x[at] = format_encode(run->q->vector[0], seq->x[at], &out->input_saturations);
            run->vector[0][i] = (int16_t)out->x[at];
        }
        if (run->q->delta)
            run->sent = out->activity.sent + (size_t)out->activity.steps++ * (size_t)out->activity.elements;
        const int16_t *y = run_step(run);
        for (int j = 0; j < out->width; j++)
            out->y[step * out->width + j] = y[j];
    }
}

static void run_sequences(Arena *a, const QNetwork *q, const Sequences *seq, Golden *out)
{
    int width = q->net->layer[q->net->n - 1].outputs;
    size_t steps = (size_t)seq->n * seq->steps;
    *out = (Golden){.width = width};
    out->x = ARENA_ARRAY(a, int32_t, steps * seq->width);
    out->y = ARENA_ARRAY(a, int32_t, steps * width);
    if (q->delta)
        activity_start(a, q->net, steps, &out->activity);
    Arena *scratch = arena_new();
    GoldenRun run;
    run_init(scratch, q, &run);
    run.activity = &out->activity;
    for (int s = 0; s < seq->n; s++)
        run_sequence(&run, seq, s, out);
    out->state_saturations = run.state_clipped;
    out->output_saturations = run.output_clipped;
    out->saturations = run.state_clipped + run.output_clipped;
    arena_free(scratch);
}

/* Twice the threshold, at least 1/32 of the largest value: it changes what is sent of most inputs. */
static int32_t raised(int32_t threshold, Format f)
{
    int32_t most = (int32_t)((1u << f.bits) - 1);
    return MIN(MAX(2 * threshold, 1 << MAX(f.bits - 6, 0)), most);
}

void golden_raise(Arena *a, const QNetwork *q, const Sequences *seq, Raised *out)
{
    QNetwork other = *q;
    Golden g;
    other.delta_x = out->delta_x = raised(q->delta_x, q->vector[0]);
    other.delta_h = out->delta_h = raised(q->delta_h, q->gate);
    run_sequences(a, &other, seq, &g);
    out->y = g.y;
    out->activity = g.activity;
}

/* Runs all sequences, each from a zero state for its own length; steps beyond it stay 0 in every
 * output. `pruned` has the weights that `q` was rounded from. All arrays live in `a`. */
bool golden_run(Arena *a, const QNetwork *q, const Network *pruned, const Sequences *seq, Golden *out)
{
    run_sequences(a, q, seq, out);
    size_t count = (size_t)seq->n * seq->steps * out->width;
    out->y_float = ARENA_ARRAY(a, float, count);
    float_network_run(pruned, seq, out->y_float);
    return true;
}
