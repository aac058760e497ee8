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

/* One layer at work: its output of the latest step and, for an LSTM, c. */
typedef struct LayerRun {
    const QLayer *layer;
    int16_t *out;                       /* [hidden] */
    int64_t *c;                         /* [hidden] */
    int32_t *z;                         /* [rows] */
    int16_t *last[MATRICES];            /* with deltas: what was last sent of its input and of h */
    int32_t threshold[MATRICES];
    uint8_t *sent[MATRICES];            /* of this step */
    bool narrow;                        /* weights of NARROW_BITS at most */
} LayerRun;

typedef struct GoldenRun {
    const QNetwork *q;
    LayerRun layer[LAYERS_MAX];
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

/* Pre-activations (or y) of all rows, rounded and limited to `to`. */
/* An element is sent when it differs from what was sent last by the threshold or more; the sums of a delta network are
 * those of the elements last sent. */
static const int16_t *send(LayerRun *run, int which, const int16_t *v, int n)
{
    int16_t *last = run->last[which];
    if (!last)
        return v;
    for (int i = 0; i < n; i++) {
        int32_t change = abs((int32_t)v[i] - last[i]);
        bool sent = change != 0 && change >= run->threshold[which];
        run->sent[which][i] = sent;
        if (sent)
            last[i] = v[i];
    }
    return last;
}

static void run_rows(LayerRun *run, const int16_t *in, Format to, int64_t *clipped)
{
    const QLayer *l = run->layer;
    const QMatrix *w = &l->m[MATRIX_W], *r = &l->m[MATRIX_R];
    const int16_t *out = send(run, MATRIX_R, run->out, l->hidden);
    in = send(run, MATRIX_W, in, l->inputs);
    for (int row = 0; row < l->rows; row++) {
        int64_t x = dot(w->value + (size_t)row * w->columns, in, w->columns, run->narrow), h = 0;
        if (r->rows > 0)
            h = dot(r->value + (size_t)row * r->columns, out, r->columns, run->narrow);
        int64_t acc = l->bias[row] + round_shift(x, -l->align[MATRIX_W]) +
                      round_shift(h, -l->align[MATRIX_R]);
        int64_t z = round_shift(acc, l->row_fraction[row] - to.fraction);
        run->z[row] = (int32_t)saturate(z, to.bits, clipped);
    }
}

/* c' = f c + i g with one rounding: both products are aligned to the finer fraction first. */
static int64_t next_state(const QNetwork *q, int64_t f, int64_t c, int64_t i, int64_t g,
                          int64_t *clipped)
{
    int gate = q->gate.fraction, state = q->state.fraction;
    int fc_left = MAX(0, gate - state), ig_left = MAX(0, state - gate);
    int64_t sum = round_shift(f * c, -fc_left) + round_shift(i * g, -ig_left);
    return saturate(round_shift(sum, gate + fc_left), q->state.bits, clipped);
}

static void run_cell(const QNetwork *q, LayerRun *run, int64_t *clipped)
{
    int n = run->layer->hidden, to_pre = q->state.fraction - q->pre.fraction;
    const ActTable *t = &q->table;
    for (int j = 0; j < n; j++) {
        int32_t i = act_sigmoid(t, run->z[GATE_I * n + j]);
        int32_t f = act_sigmoid(t, run->z[GATE_F * n + j]);
        int32_t g = act_tanh(t, run->z[GATE_G * n + j]);
        int32_t o = act_sigmoid(t, run->z[GATE_O * n + j]);
        int64_t c = run->c[j] = next_state(q, f, run->c[j], i, g, clipped);
        int32_t bounded = act_tanh(t, (int32_t)saturate(round_shift(c, to_pre), q->pre.bits, NULL));
        int64_t h = round_shift((int64_t)o * bounded, q->gate.fraction);
        run->out[j] = (int16_t)saturate(h, q->gate.bits, NULL);
    }
}

static void run_linear(LayerRun *run)
{
    for (int j = 0; j < run->layer->hidden; j++) {
        bool cut = run->layer->activation == CURVE_RELU && run->z[j] < 0;
        run->out[j] = (int16_t)(cut ? 0 : run->z[j]);
    }
}

/* One step of the whole stack; returns the last layer's output. */
static const int16_t *run_step(GoldenRun *run, const int16_t *x)
{
    for (int k = 0; k < run->q->n; k++) {
        LayerRun *layer = &run->layer[k];
        if (layer->layer->cell == CELL_LSTM) {
            run_rows(layer, x, run->q->pre, NULL);
            run_cell(run->q, layer, &run->state_clipped);
        } else {
            run_rows(layer, x, layer->layer->out, &run->output_clipped);
            run_linear(layer);
        }
        x = layer->out;
    }
    return x;
}

static void delta_init(Arena *scratch, const QNetwork *q, LayerRun *run, int layer)
{
    run->last[MATRIX_W] = ARENA_ARRAY(scratch, int16_t, run->layer->inputs);
    run->last[MATRIX_R] = ARENA_ARRAY(scratch, int16_t, run->layer->hidden);
    run->threshold[MATRIX_W] = layer == 0 ? q->delta_x : q->delta_h;
    run->threshold[MATRIX_R] = q->delta_h;
}

static void run_init(Arena *scratch, const QNetwork *q, GoldenRun *run)
{
    REQUIRE(q->gate.bits <= VECTOR_BITS_MAX && q->acc_bits + q->left_shift <= ACC_BITS_MAX);
    *run = (GoldenRun){.q = q};
    for (int k = 0; k < q->n; k++) {
        const QLayer *l = &q->layer[k];
        run->layer[k] = (LayerRun){.layer = l, .narrow = q->weight_bits <= NARROW_BITS,
                                   .out = ARENA_ARRAY(scratch, int16_t, l->hidden),
                                   .c = ARENA_ARRAY(scratch, int64_t, l->hidden),
                                   .z = ARENA_ARRAY(scratch, int32_t, l->rows)};
        if (q->delta && l->cell == CELL_LSTM)
            delta_init(scratch, q, &run->layer[k], k);
    }
}

static void run_reset(GoldenRun *run)
{
    for (int k = 0; k < run->q->n; k++) {
        LayerRun *l = &run->layer[k];
        memset(l->out, 0, sizeof l->out[0] * (size_t)l->layer->hidden);
        memset(l->c, 0, sizeof l->c[0] * (size_t)l->layer->hidden);
        if (l->last[MATRIX_W]) {
            memset(l->last[MATRIX_W], 0, sizeof(int16_t) * (size_t)l->layer->inputs);
            memset(l->last[MATRIX_R], 0, sizeof(int16_t) * (size_t)l->layer->hidden);
        }
    }
}

/* Room for the marks of the next step. */
static void next_marks(GoldenRun *run, Activity *a)
{
    uint8_t *row = a->sent + (size_t)a->steps++ * (size_t)a->elements;
    for (int k = 0; k < run->q->n; k++)
        for (int which = 0; which < MATRICES; which++)
            run->layer[k].sent[which] = row + a->at[k][which];
}

static void activity_init(Arena *a, const QNetwork *q, size_t steps, Activity *out)
{
    for (int k = 0; k < q->n; k++)
        if (q->layer[k].cell == CELL_LSTM) {
            out->at[k][MATRIX_W] = out->elements;
            out->at[k][MATRIX_R] = out->elements + q->layer[k].inputs;
            out->elements += q->layer[k].inputs + q->layer[k].hidden;
        }
    out->sent = ARENA_ARRAY(a, uint8_t, steps * (size_t)out->elements);
}

static void run_sequence(GoldenRun *run, const Sequences *seq, int s, int16_t *x, Golden *out)
{
    run_reset(run);
    for (int t = 0; t < seq->length[s]; t++) {
        size_t step = (size_t)s * seq->steps + t;
        for (int i = 0; i < seq->width; i++) {
            size_t at = step * seq->width + i;
            out->x[at] = format_encode(run->q->input, seq->x[at], &out->input_saturations);
            x[i] = (int16_t)out->x[at];
        }
        if (run->q->delta)
            next_marks(run, &out->activity);
        const int16_t *y = run_step(run, x);
        for (int j = 0; j < out->width; j++)
            out->y[step * out->width + j] = y[j];
    }
}

static void run_sequences(Arena *a, const QNetwork *q, const Sequences *seq, Golden *out)
{
    int width = q->layer[q->n - 1].hidden;
    size_t steps = (size_t)seq->n * seq->steps;
    *out = (Golden){.width = width};
    out->x = ARENA_ARRAY(a, int32_t, steps * seq->width);
    out->y = ARENA_ARRAY(a, int32_t, steps * width);
    if (q->delta)
        activity_init(a, q, steps, &out->activity);
    Arena *scratch = arena_new();
    GoldenRun run;
    run_init(scratch, q, &run);
    int16_t *x = ARENA_ARRAY(scratch, int16_t, seq->width);
    for (int s = 0; s < seq->n; s++)
        run_sequence(&run, seq, s, x, out);
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
    other.delta_x = out->delta_x = raised(q->delta_x, q->input);
    other.delta_h = out->delta_h = raised(q->delta_h, q->gate);
    run_sequences(a, &other, seq, &g);
    out->y = g.y;
    out->activity = g.activity;
}

/* Runs all sequences, each from a zero state for its own length; steps beyond it stay 0 in every
 * output. `pruned` has the weights that `q` was rounded from; `unpruned` is NULL when nothing was
 * pruned. All arrays live in `a`. */
bool golden_run(Arena *a, const QNetwork *q, const Network *pruned, const Network *unpruned,
                const Sequences *seq, Golden *out)
{
    run_sequences(a, q, seq, out);
    size_t count = (size_t)seq->n * seq->steps * out->width;
    out->y_float = ARENA_ARRAY(a, float, count);
    float_network_run(pruned, seq, out->y_float);
    if (unpruned != NULL) {
        out->y_unpruned = ARENA_ARRAY(a, float, count);
        float_network_run(unpruned, seq, out->y_unpruned);
    }
    return true;
}
