/* float.c: the network in floating point, pass by pass, and the distance between two outputs.
 *
 * Weights are the float32 of the model file; sums, activations and state are double. Additions
 * happen in one fixed order, so reports are the same on every machine.
 */
#include "lstmgen.h"

#include <math.h>
#include <string.h>

enum { LANES = 8 };                     /* partial sums side by side: compilers use vectors */
static const double SNR_EQUAL_DB = 999.0;

/* The neurons of a layer at work. */
typedef struct FloatLayer { double *z, *held, *kept, *late, *state, *out; } FloatLayer;

typedef struct FloatRun {
    const Network *net;
    FloatLayer layer[LAYERS_MAX];
    double *vector[VECTORS_MAX], *before[VECTORS_MAX];      /* of this step, of the step before */
    double *last[PRODUCTS_MAX];         /* with deltas: what was last sent */
    const double *in[PRODUCTS_MAX];     /* what the sums know of the vector */
    uint8_t *sent;                      /* marks of this step; NULL: nobody asks */
    Activity *activity;
    Peaks peaks;
} FloatRun;

static double dot(const float *w, const double *v, int n)
{
    double part[LANES] = {0.0}, sum = 0.0;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            part[k] += (double)w[i + k] * v[i + k];
    for (; i < n; i++)
        sum += (double)w[i] * v[i];
    for (int k = 0; k < LANES; k++)
        sum += part[k];
    return sum;
}

static double sigmoid(double z)
{
    return 1.0 / (1.0 + exp(-z));
}

/* Absolute error 2e-16: as good as tanh() here, and twice as fast. */
static double tanh_by_sigmoid(double z)
{
    return 2.0 * sigmoid(2.0 * z) - 1.0;
}

static double curve_value(Curve c, double z)
{
    switch (c) {
    case CURVE_NONE: return z;
    case CURVE_RELU: return fmax(z, 0.0);
    case CURVE_SIGMOID: return sigmoid(z);
    case CURVE_TANH: return tanh_by_sigmoid(z);
    case CURVE_LEAKY_RELU: return z < 0.0 ? LEAK * z : z;
    case CURVE_HARD_SIGMOID: return fmin(fmax(0.2 * z + 0.5, 0.0), 1.0);
    case CURVE_HARD_SIGMOID_6: return fmin(fmax(z / 6.0 + 0.5, 0.0), 1.0);
    case CURVE_HARD_TANH: return fmin(fmax(z, -1.0), 1.0);
    case CURVE_COUNT: break;
    }
    FAULT("curve %d", c);
}

/* With deltas: what the sums know of a vector, after sending what changed enough. */
static void send(FloatRun *f, int product)
{
    const Product *p = &f->net->product[product];
    const double *v = (p->previous ? f->before : f->vector)[p->from];
    double *last = f->last[product], threshold = p->from == 0 ? f->net->delta_x : f->net->delta_h;
    for (int i = 0; last && i < p->m.columns; i++) {
        bool send = v[i] != last[i] && fabs(v[i] - last[i]) >= threshold;
        if (send)
            last[i] = v[i];
        if (f->sent)
            f->sent[f->activity->at[product] + i] = send;
    }
    f->in[product] = last ? last : v;
}

/* Sums of a pass's rows. */
static void pass_rows(FloatRun *f, const Section *s, const Pass *p)
{
    const Layer *l = &f->net->layer[s->layer];
    int units = pass_units(l, p);
    const double *bias = l->bias + layer_row(l, p->gate, 0);
    double *z = f->layer[s->layer].z;
    memcpy(z, bias, sizeof *z * (size_t)units);
    for (int k = 0; k < s->terms; k++) {
        const Product *from = &f->net->product[s->term[k]];
        const char *gate = strchr(from->gates, p->gate);
        const float *w = from->m.value + (gate ? gate - from->gates : 0) * units * (int64_t)from->m.columns;
        for (int j = 0; gate && j < units; j++)
            z[j] += dot(w + (int64_t)j * from->m.columns, f->in[s->term[k]], from->m.columns);
    }
    const double *state = f->layer[s->layer].state;     /* the new one for passes behind that which makes it */
    for (int j = 0; l->peephole && p->gate != 'p' && j < units; j++)
        z[j] += l->peephole[layer_row(l, p->gate, j)] * state[j];
}

/* To +-limit, where there is one. */
static double clipped(double v, double limit)
{
    return limit > 0.0 ? fmin(fmax(v, -limit), limit) : v;
}

static double operand(const FloatLayer *l, const Pass *p, Curve bound, int j)
{
    switch (p->operand) {
    case OPERAND_NOTHING: return 1.0;
    case OPERAND_HELD: return l->held[j];
    case OPERAND_REST: return 1.0 - l->held[j];
    case OPERAND_STATE: return l->state[j];
    case OPERAND_BOUNDED: return curve_value(bound, l->state[j]);
    }
    FAULT("operand %d", p->operand);
}

/* What a pass does with a neuron; what it writes, if it writes. */
static double float_pass(FloatLayer *l, const Layer *layer, const Pass *p, int j)
{
    double z = l->z[j] + (p->effects & EFFECT_PLUS ? l->late[j] : 0.0);
    double a = curve_value(p->curve, clipped(z, pass_clip(layer, p)));
    double product = a * operand(l, p, layer->activation[2], j);
    if (p->effects & EFFECT_HOLD)
        l->held[j] = a;
    if (p->effects & EFFECT_KEEP)
        l->kept[j] = product;
    if (p->effects & EFFECT_SUM)
        l->state[j] = clipped(product + l->kept[j], layer->clip_cell);
    if (p->effects & EFFECT_LATE)
        l->late[j] = product;
    return p->effects & EFFECT_OUT_STATE ? l->state[j] : p->effects & EFFECT_OUT_A ? a : product;
}

static void float_section(FloatRun *f, const Section *s)
{
    enum { WRITES = EFFECT_OUT | EFFECT_OUT_A | EFFECT_OUT_STATE | EFFECT_INNER };
    const Layer *layer = &f->net->layer[s->layer];
    FloatLayer *l = &f->layer[s->layer];
    double *peak_z = f->peaks.z[s->layer], *peak_state = &f->peaks.state[s->layer];
    double *to = s->writes >= 0 ? f->vector[s->writes] : l->out;
    for (int k = 0; k < s->terms; k++)
        send(f, s->term[k]);
    for (int k = s->first; k < s->first + s->n; k++) {
        const Pass *p = &layer->pass[k];
        pass_rows(f, s, p);
        for (int j = 0; j < pass_units(layer, p); j++) {
            double result = float_pass(l, layer, p, j);
            peak_z[k] = fmax(peak_z[k], fabs(l->z[j]));
            if (p->effects & EFFECT_SUM)
                *peak_state = fmax(*peak_state, fabs(l->state[j]));
            if (!(p->effects & WRITES))
                continue;
            to[j] = result;
            if (s->writes >= 0)
                f->peaks.vector[s->writes] = fmax(f->peaks.vector[s->writes], fabs(result));
            if (!(p->effects & EFFECT_INNER))
                f->peaks.out[s->layer] = fmax(f->peaks.out[s->layer], fabs(result));
        }
    }
}

/* One step; the output of the last layer. */
static const double *float_step(FloatRun *f)
{
    const Network *net = f->net;
    for (int v = 1; v < net->vectors; v++)
        memcpy(f->before[v], f->vector[v], sizeof(double) * (size_t)net->vector[v].elements);
    for (int s = 0; s < net->sections; s++)
        float_section(f, &net->section[s]);
    int out = net->section[net->sections - 1].writes;
    return out >= 0 ? f->vector[out] : f->layer[net->n - 1].out;
}

static void clear(double *v, int n)
{
    if (v)
        memset(v, 0, sizeof *v * (size_t)n);
}

static void reset(FloatRun *f)
{
    const Network *net = f->net;
    for (int v = 0; v < net->vectors; v++)
        clear(f->vector[v], net->vector[v].elements);
    for (int k = 0; k < net->n; k++) {
        const Layer *l = &net->layer[k];
        const double *state = layer_first_state(l);
        clear(f->layer[k].state, l->hidden);
        if (state)
            memcpy(f->layer[k].state, state, sizeof(double) * (size_t)l->hidden);
        if (l->h0)
            memcpy(f->vector[layer_vector(net, k)], l->h0, sizeof(double) * (size_t)l->outputs);
    }
    for (int p = 0; p < net->products; p++)
        clear(f->last[p], net->product[p].m.columns);
}

static void float_sequence(FloatRun *f, const Sequences *seq, int s, double *y)
{
    int width = f->net->layer[f->net->n - 1].outputs;
    reset(f);
    for (int t = 0; t < seq->length[s]; t++) {
        size_t step = (size_t)s * seq->steps + t;
        for (int i = 0; i < seq->width; i++)
            f->vector[0][i] = seq->x[step * seq->width + i];
        if (f->activity)
            f->sent = f->activity->sent + (size_t)f->activity->steps++ * (size_t)f->activity->elements;
        const double *out = float_step(f);
        for (int j = 0; y && j < width; j++)
            y[step * width + j] = out[j];
    }
}

static void start(Arena *a, FloatRun *f, const Network *net)
{
    f->net = net;
    for (int k = 0; k < net->n; k++) {
        int n = MAX(net->layer[k].hidden, net->layer[k].outputs);
        double **of[] = {&f->layer[k].z, &f->layer[k].held, &f->layer[k].kept, &f->layer[k].late, &f->layer[k].state,
                         &f->layer[k].out};
        for (int i = 0; i < LENGTH(of); i++)
            *of[i] = ARENA_ARRAY(a, double, n);
    }
    for (int v = 0; v < net->vectors; v++) {
        f->vector[v] = ARENA_ARRAY(a, double, net->vector[v].elements);
        f->before[v] = ARENA_ARRAY(a, double, net->vector[v].elements);
    }
    for (int p = 0; p < net->products; p++)
        if (product_has_delta(net, p))
            f->last[p] = ARENA_ARRAY(a, double, net->product[p].m.columns);
}

/* y, activity and peaks may be NULL. */
static void run(const Network *net, const Sequences *seq, double *y, Activity *activity, Peaks *peaks)
{
    Arena *scratch = arena_new();
    FloatRun *f = ARENA_NEW(scratch, FloatRun);
    start(scratch, f, net);
    f->activity = activity;
    for (int s = 0; s < seq->n; s++)
        float_sequence(f, seq, s, y);
    if (peaks)
        *peaks = f->peaks;
    arena_free(scratch);
}

/* Runs all sequences from a zero state; y is [n][steps][outputs of the last layer], 0 beyond a
 * sequence's length. */
void float_network_values(const Network *net, const Sequences *seq, double *y)
{
    memset(y, 0, sizeof *y * (size_t)seq->n * (size_t)seq->steps * (size_t)net->layer[net->n - 1].outputs);
    run(net, seq, y, NULL, NULL);
}

void float_network_run(const Network *net, const Sequences *seq, float *y)
{
    Arena *scratch = arena_new();
    size_t n = (size_t)seq->n * (size_t)seq->steps * (size_t)net->layer[net->n - 1].outputs;
    double *exact = ARENA_ARRAY(scratch, double, n);
    float_network_values(net, seq, exact);
    for (size_t i = 0; i < n; i++)
        y[i] = (float)exact[i];
    arena_free(scratch);
}

void float_network_peaks(const Network *net, const Sequences *seq, Peaks *out)
{
    run(net, seq, NULL, NULL, out);
}

void activity_start(Arena *a, const Network *net, size_t steps, Activity *out)
{
    *out = (Activity){.steps = 0};
    for (int p = 0; p < net->products; p++)
        if (product_has_delta(net, p)) {
            out->at[p] = out->elements;
            out->elements += net->product[p].m.columns;
        }
    out->sent = ARENA_ARRAY(a, uint8_t, steps * (size_t)out->elements);
}

void float_network_activity(Arena *a, const Network *net, const Sequences *seq, Activity *out)
{
    activity_start(a, net, (size_t)seq->n * (size_t)seq->steps, out);
    run(net, seq, NULL, out, NULL);
}

/* 10 log10(sum r^2 / sum (r - v)^2) over n values; 999 when all are equal, -999 when only the
 * reference is 0 (reports hold finite numbers only). */
double snr_db(const float *reference, const float *value, size_t n)
{
    double signal = 0.0, noise = 0.0;
    for (size_t i = 0; i < n; i++) {
        double r = reference[i], e = r - value[i];
        signal += r * r;
        noise += e * e;
    }
    if (noise == 0.0 || signal == 0.0)
        return noise == 0.0 ? SNR_EQUAL_DB : -SNR_EQUAL_DB;
    return 10.0 * log10(signal / noise);
}
