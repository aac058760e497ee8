/* test_golden.c: the bit-true model against hand-computed steps and an independent integer model;
 * the float model against reference outputs of onnxruntime and of the models' authors; SNR on real
 * models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fixed/fixed.h"
#include "net_build.h"
#include "npy_read.h"

typedef struct Bench { Arena *arena; Diag *diag; } Bench;

static int start(void **state)
{
    Bench *b = malloc(sizeof *b);
    b->arena = arena_new();
    b->diag = diag_new(b->arena);
    *state = b;
    return 0;
}

static int stop(void **state)
{
    Bench *b = *state;
    arena_free(b->arena);
    free(b);
    return 0;
}

static Golden run(Bench *b, const Spec *s, const Network *net, const Sequences *seq, QNetwork *q)
{
    Golden g;
    assert_true(network_quantise(b->arena, b->diag, s, net, seq, q));
    assert_true(golden_run(b->arena, q, net, seq, &g));
    return g;
}

/* ------------------------------------------------------------------------------------ by hand */
/* Biases alone: i and o saturate to 127/128, g to 127/128, f to 0 or to 127/128.
 * AB 8, SB 16 (c has 7 fraction bits): c1 = (127*127 + 64) >> 7 = 126 (126.5 + floor);
 * tanh(126/128) = 0.75469 -> 96.6 -> 97 (T may be off by one: 96..97); h = (127*t + 64) >> 7 = 95
 * or 96. */
static void test_one_neuron_by_hand(void **state)
{
    Bench *b = *state;
    Network net = {0};
    Layer *l = net_add(b->arena, &net, "lstm", 1, 1);
    static const double bias[GATES] = {15.0, -15.0, 15.0, 15.0};
    memcpy(l->bias, bias, sizeof bias);
    Sequences seq = sequences_of(b->arena, 1, 2, 1);
    Spec s = spec_of(8, 8, 16);
    s.gate_bits = 8;
    QNetwork q;
    Golden g = run(b, &s, &net, &seq, &q);
    int32_t t = act_tanh(&q.table[TABLE_TANH], (126 + 2) >> 2);     /* c at 7, z at 5: 31.5 -> 32 */
    assert_in_range(t, 96, 98);
    assert_int_equal(g.y[0], (127 * t + 64) >> 7);
    assert_int_equal(g.y[1], g.y[0]);                   /* f = 0: nothing carried over */
    l->bias[GATE_F] = 15.0;         /* c2 = (127*126 + 127*127 + 64) >> 7 = 251 */
    g = run(b, &s, &net, &seq, &q);
    t = act_tanh(&q.table[TABLE_TANH], (251 + 2) >> 2);
    assert_in_range(t, 122, 124);                       /* tanh(63/32) = 0.9618 -> 123.1 */
    assert_int_equal(g.y[1], (127 * t + 64) >> 7);
    assert_int_equal(g.saturations, 0);
    s.gate_bits = 0;                                    /* 10 bits: gates end at 511/512, c1 = 128, */
    g = run(b, &s, &net, &seq, &q);                     /* c2 = (511*128*4 + 511*511 + 1024) >> 11 = 255 */
    t = act_tanh(&q.table[TABLE_TANH], 128 / 4);
    assert_in_range(t, 386, 394);                       /* 512 tanh(1) = 389.9; 1 LSB of 8 bits is 4 */
    assert_int_equal(g.y[0], (511 * t + 1024) >> 11);
    t = act_tanh(&q.table[TABLE_TANH], (255 + 2) >> 2);
    assert_in_range(t, 489, 497);                       /* 512 tanh(2) = 493.6 */
    assert_int_equal(g.y[1], (511 * t + 1024) >> 11);
}

/* y = relu(1.5 * x - 0.5) at AB 8: x up to 2 in 5 fraction bits, y up to 1.25 * 2.5 = 3.125 in 5.
 * */
static void test_linear_by_hand(void **state)
{
    Bench *b = *state;
    Network net = {0};
    Layer *l = net_add(b->arena, &net, "linear", 1, 1);
    net.product[MATRIX_W].m.value[0] = 1.5f;
    l->bias[0] = -0.5;
    Sequences seq = sequences_of(b->arena, 1, 4, 1);
    static const float x[] = {2.0f, 0.25f, 0.34375f, -2.0f};    /* y 2.5, -0.125, 0.015625, -3.5 */
    memcpy(seq.x, x, sizeof x);
    Spec s = spec_of(8, 8, 16);
    QNetwork q;
    Golden g = run(b, &s, &net, &seq, &q);
    assert_int_equal(q.layer[0].out.fraction, 4);       /* 1.25 * 3.5 = 4.375 -> 70 */
    static const int32_t none[] = {40, -2, 0, -56};     /* 0.25: exact; 0.015625 * 16 = 0.25 -> 0 */
    assert_memory_equal(g.y, none, sizeof none);
    layer_activate(l, CURVE_RELU);
    g = run(b, &s, &net, &seq, &q);
    static const int32_t relu[] = {40, 0, 0, 0};
    assert_memory_equal(g.y, relu, sizeof relu);
    assert_true(g.y_float[0] == 2.5f && g.y_float[3] == 0.0f);
}

static void test_linear_saturations_are_counted(void **state)
{
    Bench *b = *state;
    Network net = {0};
    net_add(b->arena, &net, "linear", 1, 1);
    net.product[MATRIX_W].m.value[0] = 1.0f;
    Sequences seq = sequences_of(b->arena, 1, 3, 1);
    seq.x[0] = 0.5f;                    /* y: 0.625 in 7 fraction bits */
    Spec s = spec_of(8, 8, 16);
    s.input_range = 4.0;
    QNetwork q;
    Golden g = run(b, &s, &net, &seq, &q);
    assert_int_equal(q.layer[0].out.fraction, 7);
    assert_int_equal(g.saturations, 0);
    seq.x[1] = 1.5f, seq.x[2] = -100.0f;        /* the second is clipped in x, too */
    assert_true(golden_run(b->arena, &q, &net, &seq, &g));
    assert_int_equal(g.y[1], 127);
    assert_int_equal(g.y[2], -128);
    assert_int_equal(g.output_saturations, 2);
    assert_int_equal(g.state_saturations, 0);
    assert_int_equal(g.input_saturations, 1);
    assert_int_equal(g.saturations, 2);
}

/* f = 8191/8192 and i g near 1: c climbs by nearly 1 per step and meets the end of its 8 integer
 * bits. */
static void test_state_saturations_are_counted(void **state)
{
    Bench *b = *state;
    Network net = {0};
    Layer *l = net_add(b->arena, &net, "lstm", 1, 1);
    for (int r = 0; r < GATES; r++)
        l->bias[r] = 15.0;
    Sequences seq = sequences_of(b->arena, 1, 400, 1);
    Spec s = spec_of(12, 12, 20);
    s.state_range = 200.0;
    QNetwork q;
    Golden g = run(b, &s, &net, &seq, &q);
    int64_t c = 0, clipped = 0;         /* c has 11 fraction bits, gates 13: f c moves up by 2 to meet i g at 26 */
    for (int t = 0; t < 400; t++) {
        c = (4 * 8191 * c + 8191 * 8191 + (1 << 14)) >> 15;
        if (c > 524287) {
            clipped++;
            c = 524287;
        }
    }
    assert_true(clipped > 50);
    assert_int_equal(g.state_saturations, clipped);
    assert_int_equal(g.saturations, clipped);
}

/* ------------------------------------------------------------------------------------ independent
 * model */
/* Rounds v * 2^-shift to the nearest, half up, by division; limits to `bits`. */
static int64_t scaled(__int128 v, int shift, int bits, int64_t *clipped)
{
    for (; shift < 0; shift++)
        v *= 2;
    __int128 by = (__int128)1 << shift, up = 2 * v + by, quotient = up / (2 * by);
    if (up < 0 && quotient * 2 * by != up)
        quotient--;
    __int128 top = ((__int128)1 << (bits - 1)) - 1;
    __int128 limited = quotient > top ? top : quotient < -top - 1 ? -top - 1 : quotient;
    if (limited != quotient && clipped != NULL)
        ++*clipped;
    return (int64_t)limited;
}

/* Row `r` of a layer of a stack as the hardware computes it: left shift, half, right shift. */
static int64_t model_row(const QNetwork *q, int layer, int r, const int32_t *in,
                         const int32_t *h, int64_t *clipped)
{
    const QLayer *l = &q->layer[layer];
    const QProduct *W = &q->product[2 * layer + MATRIX_W], *R = &q->product[2 * layer + MATRIX_R];
    Format to = h ? q->pre : l->out;
    __int128 sum = l->bias[r];
    for (int c = W->m.columns - 1; c >= 0; c--)
        sum += (__int128)W->m.value[r * W->m.columns + c] * in[c] * (1 << W->align);
    for (int c = 0; h && c < R->m.columns; c++)
        sum += (__int128)R->m.value[r * R->m.columns + c] * h[c] * (1 << R->align);
    int shift = l->row_fraction[r] + q->left_shift - to.fraction;
    return scaled(sum * ((__int128)1 << q->left_shift), shift, to.bits, clipped);
}

static void model_lstm(const QNetwork *q, int layer, const int32_t *in, int32_t *h,
                       int64_t *c, int64_t *clipped)
{
    int n = q->layer[layer].rows / GATES, ab = q->gate.bits, gb = q->curve.bits, sb = q->state.bits, fraction = q->state.fraction;
    int32_t next[16];
    for (int j = 0; j < n; j++) {
        int32_t z[GATES];
        for (int gate = 0; gate < GATES; gate++)
            z[gate] = (int32_t)model_row(q, layer, gate * n + j, in, h, NULL);
        __int128 fc = (__int128)act_sigmoid(&q->table[TABLE_TANH], z[1]) * c[j];
        __int128 ig = (__int128)act_sigmoid(&q->table[TABLE_TANH], z[0]) * act_tanh(&q->table[TABLE_TANH], z[2]);
        int fine = 64;                  /* any common fraction gives the same single rounding */
        __int128 sum = fc * ((__int128)1 << (fine - (gb - 1) - fraction)) +
                       ig * ((__int128)1 << (fine - 2 * (gb - 1)));
        c[j] = scaled(sum, fine - fraction, sb, clipped);
        int64_t narrow = scaled(c[j], fraction - q->pre.fraction, q->pre.bits, NULL);
        __int128 h_wide = (__int128)act_sigmoid(&q->table[TABLE_TANH], z[3]) *
                          act_tanh(&q->table[TABLE_TANH], (int32_t)narrow);
        next[j] = (int32_t)scaled(h_wide, 2 * (gb - 1) - (ab - 1), ab, NULL);
    }
    memcpy(h, next, sizeof next[0] * (size_t)n);
}

typedef struct ModelState { int32_t h[LAYERS_MAX][16]; int64_t c[LAYERS_MAX][16]; } ModelState;

/* One step; leaves the last layer's output in its h. */
static void model_step(const QNetwork *q, ModelState *m, const int32_t *x, int64_t *clipped)
{
    for (int k = 0; k < q->net->n; k++) {
        const Layer *l = &q->net->layer[k];
        bool lstm = strcmp(l->cell->key, "lstm") == 0;
        if (lstm)
            model_lstm(q, k, x, m->h[k], m->c[k], clipped);
        for (int r = 0; !lstm && r < l->hidden; r++) {
            int32_t y = (int32_t)model_row(q, k, r, x, NULL, clipped);
            m->h[k][r] = l->activation[0] == CURVE_RELU && y < 0 ? 0 : y;
        }
        x = m->h[k];
    }
}

static void compare_with_model(const QNetwork *q, const Sequences *seq, const Golden *g)
{
    int64_t clipped = 0;
    for (int s = 0; s < seq->n; s++) {
        ModelState m = {0};
        for (int t = 0; t < seq->steps; t++) {
            size_t step = (size_t)s * seq->steps + t;
            const int32_t *y = g->y + step * g->width;
            if (t < seq->length[s])
                model_step(q, &m, g->x + step * seq->width, &clipped);
            for (int j = 0; j < g->width; j++)
                assert_int_equal(y[j], t < seq->length[s] ? m.h[q->net->n - 1][j] : 0);
        }
    }
    assert_int_equal(g->saturations, clipped);
}

static void random_network(Bench *b, uint32_t *seed, Network *net, Sequences *seq)
{
    int inputs = 1 + (int)(draw(seed) % 6), width = inputs, stack = 1 + (int)(draw(seed) % 3);
    *net = (Network){0};
    for (int k = 0; k < stack; k++) {
        int hidden = 1 + (int)(draw(seed) % 12);
        Layer *l = net_add(b->arena, net, "lstm", width, hidden);
        layer_randomise(net, l, seed, ldexp(1.0, (int)(draw(seed) % 7) - 4));
        width = hidden;
    }
    if (draw(seed) % 2 == 0) {
        Layer *head = net_add(b->arena, net, "linear", width, 1 + (int)(draw(seed) % 5));
        layer_randomise(net, head, seed, 3.0);
        layer_activate(head, draw(seed) % 2 == 0 ? CURVE_RELU : CURVE_NONE);
    }
    *seq = sequences_of(b->arena, 2, 5, inputs);
    seq->length[1] = 3;
    double range = ldexp(1.0, (int)(draw(seed) % 10) - 4);
    for (int i = 0; i < 2 * 5 * inputs; i++)
        seq->x[i] = (float)draw_real(seed, range);
}

static void test_against_independent_model(void **state)
{
    Bench *b = *state;
    uint32_t seed = 305419896;
    int shifted = 0, aligned = 0;
    for (int round = 0; round < 200; round++) {
        Network net;
        Sequences seq;
        random_network(b, &seed, &net, &seq);
        int ab = 4 + (int)(draw(&seed) % 13), wb = 2 + (int)(draw(&seed) % 15);
        Spec s = spec_of(ab, wb, 9 + (int)(draw(&seed) % 24));
        s.preactivation_bits = draw(&seed) % 3 == 0 ? 6 + (int)(draw(&seed) % 11) : 0;
        QNetwork q;
        Golden g;
        int align_max = round % 2 == 0 ? ALIGN_FULL : 0;
        assert_true(quantise_aligned(b->arena, b->diag, &s, &net, &seq, align_max, &q));
        assert_true(golden_run(b->arena, &q, &net, &seq, &g));
        compare_with_model(&q, &seq, &g);
        shifted += q.left_shift > 0;
        aligned += q.product[MATRIX_W].align + q.product[MATRIX_R].align > 0;
    }
    print_message("  200 random networks: %d with a left shift, %d with aligned products\n",
                  shifted, aligned);
    assert_in_range(shifted, 5, 195);
    assert_in_range(aligned, 20, 180);
}

/* ------------------------------------------------------------------------------------ float model
 * */
static void test_snr(void **state)
{
    (void)state;
    static const float r[] = {3.0f, 4.0f, 0.0f}, v[] = {3.0f, 4.0f, 0.5f}, zero[3];
    assert_true(fabs(snr_db(r, v, 3) - 20.0) < 1e-9);   /* 25 / 0.25 */
    assert_true(snr_db(r, r, 3) == 999.0 && snr_db(zero, zero, 3) == 999.0);
    assert_true(snr_db(zero, v, 3) == -999.0);
}

/* Nothing looks beyond a sequence's length. */
static void test_ends_of_sequences(void **state)
{
    Bench *b = *state;
    uint32_t seed = 7;
    Network net = {0};
    layer_randomise(&net, net_add(b->arena, &net, "lstm", 2, 3), &seed, 1.0);
    Sequences seq = sequences_of(b->arena, 1, 4, 2);
    seq.length[0] = 3;
    for (int i = 0; i < 8; i++)
        seq.x[i] = 1.0f;
    Spec s = spec_of(16, 16, 24);
    QNetwork q;
    Golden g;
    assert_true(network_quantise(b->arena, b->diag, &s, &net, &seq, &q));
    assert_true(golden_run(b->arena, &q, &net, &seq, &g));
    assert_true(g.y_float[0] != 0.0f && g.y[0] != 0 && g.y_float[9] == 0.0f && g.y[9] == 0);
}

/* ------------------------------------------------------------------------------------ real models
 * */
static Npy model_array(Bench *b, const char *file, const char *member)
{
    const char *folder = getenv("LSTMGEN_MODELS");
    char *path = str_format(b->arena, "%s/%s", folder != NULL ? folder : "../shared/models", file);
    Npy raw = npy_load(path, member), kept = raw;
    if (raw.data == NULL)
        return raw;
    kept.data = ARENA_ARRAY(b->arena, float, raw.count);
    memcpy(kept.data, raw.data, raw.count * sizeof(float));
    free(raw.data);
    return kept;
}

/* Rows of `from` (gate-major) into canonical order; order[k] is the place of gate k in the file. */
static void fill_gates(Matrix *m, Npy from, const int *order, int hidden)
{
    size_t part = (size_t)hidden * m->columns;
    for (int g = 0; g < GATES; g++)
        memcpy(m->value + g * part, from.data + order[g] * part, part * sizeof(float));
}

static void add_lstm(Bench *b, Network *net, Npy W, Npy R, Npy bias, const int *order)
{
    static const int canonical[GATES] = {0, 1, 2, 3};
    int base = W.rank - 2, hidden = W.shape[base] / GATES, rows = GATES * hidden;
    order = order != NULL ? order : canonical;
    Layer *l = net_add(b->arena, net, "lstm", W.shape[base + 1], hidden);
    int first = net->products - MATRICES;
    fill_gates(&net->product[first + MATRIX_W].m, W, order, hidden);
    fill_gates(&net->product[first + MATRIX_R].m, R, order, hidden);
    for (size_t i = 0; i < bias.count; i++) {
        int in_file = (int)(i % (size_t)rows);
        for (int g = 0; g < GATES; g++)
            if (order[g] == in_file / hidden)
                l->bias[g * hidden + in_file % hidden] += bias.data[i];
    }
}

static void add_lstm_named(Bench *b, Network *net, const char *prefix)
{
    Npy part[3];
    static const char *const name[] = {"W", "R", "b"};
    for (int i = 0; i < 3; i++)
        part[i] = model_array(b, str_format(b->arena, "%s%s.npy", prefix, name[i]), NULL);
    add_lstm(b, net, part[0], part[1], part[2], NULL);
}

static Sequences sequences_from(Bench *b, Npy x)
{
    bool single = x.rank == 2;
    Sequences seq = sequences_of(b->arena, single ? 1 : x.shape[0], x.shape[x.rank - 2],
                                 x.shape[x.rank - 1]);
    seq.x = x.data;
    return seq;
}

static float *decoded(Bench *b, const QNetwork *q, const Sequences *seq, const Golden *g)
{
    size_t n = (size_t)seq->n * seq->steps * g->width;
    float *v = ARENA_ARRAY(b->arena, float, n);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)format_decode(q->layer[q->net->n - 1].out, g->y[i]);
    return v;
}

/* Quantises, runs and returns the SNR against `want` (all steps); prints it and that of the float
 * model. */
static double measure(Bench *b, const char *title, const Network *net, const Sequences *seq,
                      Npy want, const Spec *s, int align_max, QNetwork *q)
{
    Golden g;
    assert_true(quantise_aligned(b->arena, b->diag, s, net, seq, align_max, q));
    assert_true(golden_run(b->arena, q, net, seq, &g));
    double snr = snr_db(want.data, decoded(b, q, seq, &g), want.count);
    double reference = snr_db(want.data, g.y_float, want.count);
    print_message("  %s %d/%d/%d align %d: %.2f dB (float model %.1f dB), ACC %d, clipped %lld\n",
                  title, s->activation_bits, s->weight_bits, s->state_bits,
                  q->product[MATRIX_W].align, snr, reference, q->acc_bits,
                  (long long)g.saturations);
    assert_true(reference > 100.0);
    return snr;
}

static bool silero(Bench *b, Network *net, Sequences *seq, Npy *want)
{
    Npy x = model_array(b, "silero_vad_16k/yes_no_go_stop_x.npy", NULL);
    if (x.data == NULL)
        return false;
    *net = (Network){0};
    add_lstm_named(b, net, "silero_vad_16k/");
    *seq = sequences_from(b, x);
    *want = model_array(b, "silero_vad_16k/yes_no_go_stop_h.npy", NULL);
    return true;
}

/* With the contract as it is, and with aligned products. */
static void test_silero_16(void **state)
{
    Bench *b = *state;
    Network net;
    Sequences seq;
    Npy want;
    QNetwork q;
    Spec s = spec_of(16, 16, 24);
    if (!silero(b, &net, &seq, &want))
        skip();
    assert_true(measure(b, "silero", &net, &seq, want, &s, ALIGN_DEFAULT, &q) >= 60.0);
    assert_true(measure(b, "silero", &net, &seq, want, &s, ALIGN_FULL, &q) >= 67.0);
}

/* The float network with the weights that the integers stand for. */
static Network network_of_rounded(Bench *b, const Network *net, const QNetwork *q)
{
    Network out = {0};
    for (int k = 0; k < net->n; k++) {
        const Layer *from = &net->layer[k];
        Layer *l = net_add(b->arena, &out, from->cell->key, from->inputs, from->hidden);
        memcpy(l->bias, from->bias, sizeof(double) * (size_t)layer_rows(from));
        for (int p = 2 * k; p < out.products; p++)
            for (int i = 0; i < out.product[p].m.rows * out.product[p].m.columns; i++) {
                int row = i / out.product[p].m.columns, vector = p == 0 ? 0 : k + (p % 2);
                int fraction = q->layer[k].row_fraction[row] - q->vector[vector].fraction - q->product[p].align;
                out.product[p].m.value[i] = (float)ldexp(q->product[p].m.value[i], -fraction);
            }
    }
    return out;
}

/* At least 30 dB, and within 1 dB of what rounding the weights alone costs in float. */
static void silero_8_bit_weights(Bench *b, int align_max)
{
    Network net;
    Sequences seq;
    Npy want;
    QNetwork q;
    Spec s = spec_of(16, 8, 24);
    if (!silero(b, &net, &seq, &want))
        skip();
    double snr = measure(b, "silero", &net, &seq, want, &s, align_max, &q);
    Network rounded = network_of_rounded(b, &net, &q);
    float *y = ARENA_ARRAY(b->arena, float, want.count);
    float_network_run(&rounded, &seq, y);
    double weights_alone = snr_db(want.data, y, want.count);
    print_message("  rounding the weights alone, in float: %.2f dB\n", weights_alone);
    assert_true(snr >= 30.0);
    assert_true(snr >= weights_alone - 1.0);
}

static void test_silero_8_bit_weights(void **state)
{
    silero_8_bit_weights(*state, ALIGN_DEFAULT);
}

static void test_silero_8_bit_weights_aligned(void **state)
{
    silero_8_bit_weights(*state, ALIGN_FULL);
}

static void test_har_two_layers(void **state)
{
    Bench *b = *state;
    Npy x = model_array(b, "har_embarc/seq300_l1_x.npy", NULL);
    if (x.data == NULL)
        skip();
    Network net = {0};
    QNetwork q;
    Spec s = spec_of(16, 16, 24);
    add_lstm_named(b, &net, "har_embarc/l1_");
    Sequences seq = sequences_from(b, x);
    Npy l1 = model_array(b, "har_embarc/seq300_l1_h_ref.npy", NULL);
    assert_true(measure(b, "har layer 1", &net, &seq, l1, &s, ALIGN_DEFAULT, &q) >= 65.0);
    add_lstm_named(b, &net, "har_embarc/l2_");
    Npy l2 = model_array(b, "har_embarc/seq300_l2_h.npy", NULL);
    assert_true(measure(b, "har layer 2", &net, &seq, l2, &s, ALIGN_DEFAULT, &q) >= 65.0);
    Npy last = model_array(b, "har_embarc/seq300_l2_h_last_ref.npy", NULL);
    Golden g = run(b, &s, &net, &seq, &q);
    size_t at = (size_t)(seq.steps - 1) * g.width;
    double snr = snr_db(last.data, decoded(b, &q, &seq, &g) + at, last.count);
    print_message("  har layer 2, last step against the authors' own: %.2f dB\n", snr);
    assert_true(snr >= 65.0);
}

static void test_onnx_cases(void **state)
{
    Bench *b = *state;
    static const char *const name[] = {"defaults", "with_initial_bias", "batchwise"};
    static const int iofc[GATES] = {0, 2, 3, 1};
    for (int i = 0; i < LENGTH(name); i++) {
        const char *base = str_format(b->arena, "onnx_conformance/test_lstm_%s", name[i]);
        Npy x = model_array(b, str_format(b->arena, "%s_x.npy", base), NULL);
        if (x.data == NULL)
            skip();
        const char *weights = str_format(b->arena, "%s.npz", base);
        Network net = {0};
        QNetwork q;
        Spec s = spec_of(16, 16, 24);
        add_lstm(b, &net, model_array(b, weights, "in1"), model_array(b, weights, "in2"),
                 model_array(b, weights, "in3"), iofc);
        Sequences seq = sequences_from(b, x);
        Npy y = model_array(b, str_format(b->arena, "%s_y.npy", base), NULL);
        assert_true(measure(b, name[i], &net, &seq, y, &s, ALIGN_DEFAULT, &q) >= 65.0);
    }
}

static int hits(const float *y, const Sequences *seq, int width, const float *label)
{
    int right = 0;
    for (int s = 0; s < seq->n; s++) {
        const float *v = y + ((size_t)s * seq->steps + seq->length[s] - 1) * width;
        int best = 0;
        for (int j = 1; j < width; j++)
            best = v[j] > v[best] ? j : best;
        right += best == (int)label[s];
    }
    return right;
}

/* Retrained, bank-balanced weights and a linear head: labels as in float, nothing clipped. */
static void test_fsdd_labels(void **state)
{
    Bench *b = *state;
    static const char file[] = "fsdd_lstm64/bbs_0.875.npz";
    Npy x = model_array(b, "fsdd_lstm64/test_x.npy", NULL);
    if (x.data == NULL)
        skip();
    Network net = {0};
    add_lstm(b, &net, model_array(b, file, "W"), model_array(b, file, "R"),
             model_array(b, file, "b"), NULL);
    Layer *head = net_add(b->arena, &net, "linear", 64, 10);
    net.product[2 + MATRIX_W].m.value = model_array(b, file, "out_w").data;
    Npy bias = model_array(b, file, "out_b");
    for (int r = 0; r < 10; r++)
        head->bias[r] = bias.data[r];
    Sequences seq = sequences_from(b, x);
    Npy length = model_array(b, "fsdd_lstm64/test_len.npy", NULL);
    Npy label = model_array(b, "fsdd_lstm64/test_label.npy", NULL);
    for (int i = 0; i < seq.n; i++)
        seq.length[i] = (int)length.data[i];
    for (int wb = 8; wb <= 16; wb += 8) {
        Spec s = spec_of(wb, wb, 24);
        QNetwork q;
        Golden g = run(b, &s, &net, &seq, &q);
        float *y = decoded(b, &q, &seq, &g);
        int real = hits(g.y_float, &seq, 10, label.data), fixed = hits(y, &seq, 10, label.data);
        double snr = snr_db(g.y_float, y, (size_t)seq.n * seq.steps * 10);
        print_message("  fsdd %d/%d/24: %.2f dB, %d of 300 right (float %d), saturations %lld\n",
                      wb, wb, snr, fixed, real, (long long)g.saturations);
        assert_in_range(real, 290, 300);        /* 98.3 % by PyTorch */
        assert_true(abs(real - fixed) <= 2);
        assert_int_equal(g.saturations, 0);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_one_neuron_by_hand),
        CASE(test_linear_by_hand),
        CASE(test_linear_saturations_are_counted),
        CASE(test_state_saturations_are_counted),
        CASE(test_against_independent_model),
        cmocka_unit_test(test_snr),
        CASE(test_ends_of_sequences),
        CASE(test_silero_16),
        CASE(test_silero_8_bit_weights),
        CASE(test_silero_8_bit_weights_aligned),
        CASE(test_har_two_layers),
        CASE(test_onnx_cases),
        CASE(test_fsdd_labels),
    };
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
