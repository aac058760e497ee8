/* reference.c: the network in floating point, and the distance between two outputs.
 *
 * Weights are the float32 of the model file; sums, activations and state are double. Additions
 * happen in one fixed order, so reports are the same on every machine.
 */
#include "lstmgen.h"

#include <math.h>
#include <string.h>

enum { LANES = 8 };                     /* partial sums side by side: compilers use vectors */
static const double SNR_EQUAL_DB = 999.0;

typedef struct FloatLayer {
    const Layer *layer;
    double *out, *c, *z, *last[MATRICES], threshold[MATRICES];
    uint8_t *sent[MATRICES];            /* of this step; NULL: nobody asks */
    double peak;                        /* of |c|, or of |z| of a linear layer, so far */
} FloatLayer;

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

/* With deltas: what the sums know of a vector, after sending what changed enough. */
static const double *float_send(FloatLayer *f, int which, const double *v, int n)
{
    double *last = f->last[which];
    for (int i = 0; last && i < n; i++) {
        bool send = v[i] != last[i] && fabs(v[i] - last[i]) >= f->threshold[which];
        if (send)
            last[i] = v[i];
        if (f->sent[which])
            f->sent[which][i] = send;
    }
    return last ? last : v;
}

static void float_rows(FloatLayer *f, const double *in)
{
    const Matrix *w = &f->layer->m[MATRIX_W], *r = &f->layer->m[MATRIX_R];
    const double *out = float_send(f, MATRIX_R, f->out, r->columns);
    in = float_send(f, MATRIX_W, in, w->columns);
    for (int row = 0; row < w->rows; row++) {
        f->z[row] = f->layer->bias[row] + dot(w->value + (size_t)row * w->columns, in, w->columns);
        if (r->rows > 0)
            f->z[row] += dot(r->value + (size_t)row * r->columns, out, r->columns);
    }
}

/* c = f c + i g, h = o tanh(c). */
static void float_cell(FloatLayer *l)
{
    int n = l->layer->hidden;
    for (int j = 0; j < n; j++) {
        double i = sigmoid(l->z[GATE_I * n + j]), f = sigmoid(l->z[GATE_F * n + j]);
        double g = tanh_by_sigmoid(l->z[GATE_G * n + j]), o = sigmoid(l->z[GATE_O * n + j]);
        l->c[j] = f * l->c[j] + i * g;
        l->peak = fmax(l->peak, fabs(l->c[j]));
        l->out[j] = o * tanh_by_sigmoid(l->c[j]);
    }
}

static void float_linear(FloatLayer *l)
{
    for (int j = 0; j < l->layer->hidden; j++) {
        l->out[j] = l->layer->activation == CURVE_RELU ? fmax(l->z[j], 0.0) : l->z[j];
        l->peak = fmax(l->peak, fabs(l->z[j]));
    }
}

static const double *float_step(FloatLayer *layer, int n, const double *x)
{
    for (int k = 0; k < n; k++) {
        float_rows(&layer[k], x);
        if (layer[k].layer->cell == CELL_LSTM)
            float_cell(&layer[k]);
        else
            float_linear(&layer[k]);
        x = layer[k].out;
    }
    return x;
}

/* Room for the marks of the next step. */
static void next_marks(FloatLayer *layer, int n, Activity *a)
{
    uint8_t *row = a->sent + (size_t)a->steps++ * (size_t)a->elements;
    for (int k = 0; k < n; k++)
        for (int which = 0; which < MATRICES && layer[k].last[which]; which++)
            layer[k].sent[which] = row + a->at[k][which];
}

/* y and activity may be NULL. */
static void float_sequence(FloatLayer *layer, int n, const Sequences *seq, int s, double *x,
                           float *y, Activity *activity)
{
    int width = layer[n - 1].layer->hidden;
    for (int k = 0; k < n; k++) {
        memset(layer[k].out, 0, sizeof(double) * (size_t)layer[k].layer->hidden);
        memset(layer[k].c, 0, sizeof(double) * (size_t)layer[k].layer->hidden);
        if (layer[k].last[MATRIX_W]) {
            memset(layer[k].last[MATRIX_W], 0, sizeof(double) * (size_t)layer[k].layer->inputs);
            memset(layer[k].last[MATRIX_R], 0, sizeof(double) * (size_t)layer[k].layer->hidden);
        }
    }
    for (int t = 0; t < seq->length[s]; t++) {
        size_t step = (size_t)s * seq->steps + t;
        for (int i = 0; i < seq->width; i++)
            x[i] = seq->x[step * seq->width + i];
        if (activity)
            next_marks(layer, n, activity);
        const double *out = float_step(layer, n, x);
        for (int j = 0; y && j < width; j++)
            y[step * width + j] = (float)out[j];
    }
}

/* y, activity and peak may be NULL. */
static void run(const Network *net, const Sequences *seq, float *y, Activity *activity, double *peak)
{
    Arena *scratch = arena_new();
    FloatLayer layer[LAYERS_MAX];
    for (int k = 0; k < net->n; k++) {
        const Layer *l = &net->layer[k];
        layer[k] = (FloatLayer){.layer = l, .out = ARENA_ARRAY(scratch, double, l->hidden),
                                .c = ARENA_ARRAY(scratch, double, l->hidden),
                                .z = ARENA_ARRAY(scratch, double, l->m[MATRIX_W].rows),
                                .threshold = {k == 0 ? net->delta_x : net->delta_h, net->delta_h}};
        if (net->delta && l->cell == CELL_LSTM) {
            layer[k].last[MATRIX_W] = ARENA_ARRAY(scratch, double, l->inputs);
            layer[k].last[MATRIX_R] = ARENA_ARRAY(scratch, double, l->hidden);
        }
    }
    double *x = ARENA_ARRAY(scratch, double, seq->width);
    for (int s = 0; s < seq->n; s++)
        float_sequence(layer, net->n, seq, s, x, y, activity);
    for (int k = 0; peak && k < net->n; k++)
        peak[k] = layer[k].peak;
    arena_free(scratch);
}

/* Runs all sequences from a zero state; y is [n][steps][outputs of the last layer], 0 beyond a
 * sequence's length. */
void float_network_run(const Network *net, const Sequences *seq, float *y)
{
    memset(y, 0, sizeof(float) * (size_t)seq->n * seq->steps * net->layer[net->n - 1].hidden);
    run(net, seq, y, NULL, NULL);
}

void float_network_activity(Arena *a, const Network *net, const Sequences *seq, Activity *out)
{
    *out = (Activity){.steps = 0};
    for (int k = 0; k < net->n; k++)
        if (net->layer[k].cell == CELL_LSTM) {
            out->at[k][MATRIX_W] = out->elements;
            out->at[k][MATRIX_R] = out->elements + net->layer[k].inputs;
            out->elements += net->layer[k].inputs + net->layer[k].hidden;
        }
    out->sent = ARENA_ARRAY(a, uint8_t, (size_t)seq->n * (size_t)seq->steps * (size_t)out->elements);
    run(net, seq, NULL, out, NULL);
}

void float_network_peaks(const Network *net, const Sequences *seq, double *peak)
{
    run(net, seq, NULL, NULL, peak);
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
