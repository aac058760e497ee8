/* test_fixed.c: rounding, calibration, row exponents and the activation tables.
 * Expected numbers are worked out by hand from the contract in gen/fixed/formats.c; the tables are
 * compared with the C library's tanh and exp over every input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fixed/fixed.h"
#include "net_build.h"

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

/* ------------------------------------------------------------------------------------ helpers */
static void test_clog2(void **state)
{
    (void)state;
    static const int64_t n[] = {1, 2, 3, 4, 5, 8, 9, 256, 257, INT64_C(1) << 40,
                                (INT64_C(1) << 40) + 1};
    static const int b[] = {0, 1, 2, 2, 3, 3, 4, 8, 9, 40, 41};
    for (int i = 0; i < LENGTH(n); i++)
        assert_int_equal(clog2(n[i]), b[i]);
}

static void test_round_shift(void **state)
{
    (void)state;
    static const struct { int64_t v; int shift; int64_t result; } hand[] = {
        {5, 1, 3}, {-5, 1, -2},             /* 2.5 -> 3, -2.5 -> -2: half goes up */
        {6, 2, 2}, {-6, 2, -1},             /* 1.5 -> 2, -1.5 -> -1 */
        {7, 2, 2}, {-7, 2, -2}, {1, 2, 0}, {2, 2, 1}, {-2, 2, 0}, {-3, 2, -1},
        {127, 7, 1}, {63, 7, 0}, {64, 7, 1}, {-64, 7, 0}, {-65, 7, -1},
        {9, 0, 9}, {-9, 0, -9}, {3, -4, 48}, {-3, -4, -48},
        {INT64_C(1) << 45, 31, 1 << 14}, {-(INT64_C(1) << 45) - 1, 31, -(1 << 14)},
    };
    for (int i = 0; i < LENGTH(hand); i++)
        assert_int_equal(round_shift(hand[i].v, hand[i].shift), hand[i].result);
}

static void test_saturate(void **state)
{
    (void)state;
    int64_t count = 0;
    assert_int_equal(saturate(127, 8, &count), 127);
    assert_int_equal(saturate(-128, 8, &count), -128);
    assert_int_equal(count, 0);
    assert_int_equal(saturate(128, 8, &count), 127);
    assert_int_equal(saturate(-129, 8, &count), -128);
    assert_int_equal(saturate(INT64_MAX, 24, &count), 8388607);
    assert_int_equal(count, 3);
    assert_int_equal(saturate(INT64_MIN, 2, NULL), -2);
}

static void test_encode(void **state)
{
    (void)state;
    Format f = {8, 4};
    int64_t count = 0;
    assert_int_equal(format_encode(f, 1.0, &count), 16);
    assert_int_equal(format_encode(f, 0.03125, &count), 1);     /* half an LSB: away from zero */
    assert_int_equal(format_encode(f, -0.03125, &count), -1);
    assert_int_equal(format_encode(f, 0.03124, &count), 0);
    assert_int_equal(format_encode(f, 7.9375, &count), 127);
    assert_int_equal(format_encode(f, -8.0, &count), -128);
    assert_int_equal(count, 0);
    assert_int_equal(format_encode(f, 7.97, &count), 127);      /* 127.52 rounds to 128 */
    assert_int_equal(format_encode(f, -1e300, &count), -128);
    assert_int_equal(format_encode(f, INFINITY, NULL), 127);
    assert_int_equal(count, 2);
    assert_int_equal(format_encode((Format){8, -2}, 10.0, NULL), 3);    /* 2.5 away from zero */
    assert_true(format_decode(f, -24) == -1.5);
    assert_true(format_decode((Format){8, -2}, 3) == 12.0);
}

/* ------------------------------------------------------------------------------------ calibration
 * */
static Format input_fraction(Bench *b, int bits, double peak, double range, bool made)
{
    Network net = {0};
    net_add(b->arena, &net, "lstm", 1, 1);
    Sequences seq = sequences_of(b->arena, 2, 3, 1);
    seq.made = made;
    seq.length[0] = 2;
    seq.x[2] = 1e6f;                    /* beyond the first sequence's length: does not count */
    seq.x[1] = (float)-peak;
    seq.x[5] = (float)(peak / 2.0);
    Spec s = spec_of(bits, 8, 24);
    s.input_range = range;
    QNetwork q;
    assert_true(network_quantise(b->arena, b->diag, &s, &net, &seq, &q));
    assert_int_equal(q.vector[0].bits, bits);
    return q.vector[0];
}

static void test_input_calibration(void **state)
{
    Bench *b = *state;
    static const struct { int bits; double peak; int fraction; } hand[] = {
        {16, 42.0, 9},                  /* 21504; at 10 it would be 43008 */
        {8, 1.0, 6}, {8, 0.998, 6}, {8, 0.996, 7},      /* 127.74 -> 128; 127.49 -> 127 */
        {8, 127.0, 0}, {8, 127.6, -1}, {8, 1e5, -8},    /* the last is clipped, with a warning */
        {16, 0.0, 15}, {8, 1e-9, 16},                   /* all zero; never beyond AB + 8 */
        {4, 7.4, 0}, {4, 7.6, -1},
    };
    for (int i = 0; i < LENGTH(hand); i++)
        assert_int_equal(input_fraction(b, hand[i].bits, hand[i].peak, 0.0, false).fraction,
                         hand[i].fraction);
    const char *const *text;
    assert_int_equal(diag_warnings(b->diag, &text), 1);
    assert_non_null(strstr(text[0], "clipped"));
}

static void test_input_range_given(void **state)
{
    Bench *b = *state;
    const char *const *text;
    assert_int_equal(input_fraction(b, 16, 1.0, 42.0, false).fraction, 9);
    assert_int_equal(diag_warnings(b->diag, &text), 0);
    assert_int_equal(input_fraction(b, 8, 3.0, 1.0, false).fraction, 6);    /* data exceed it */
    assert_int_equal(diag_warnings(b->diag, &text), 1);
    assert_int_equal(input_fraction(b, 8, 1.0, 0.0, true).fraction, 3);     /* made: +-8 */
    assert_int_equal(diag_warnings(b->diag, &text), 2);
    assert_int_equal(input_fraction(b, 8, 1.0, 1.0, true).fraction, 6);
    assert_int_equal(diag_warnings(b->diag, &text), 2);
    assert_false(diag_failed(b->diag));
}

/* Gates open or shut, g = tanh(z): c sums tanh(x) over the steps. i = f = o = 1 - 1e-9. */
static void summing_network(Bench *b, Network *net)
{
    *net = (Network){0};
    Layer *l = net_add(b->arena, net, "lstm", 1, 1);
    net->product[MATRIX_W].m.value[GATE_G] = 1.0f;
    l->bias[GATE_I] = l->bias[GATE_F] = l->bias[GATE_O] = 20.0;
}

static Format state_fraction(Bench *b, int bits, int steps, double x, double range, bool made)
{
    Network net;
    summing_network(b, &net);
    Sequences seq = sequences_of(b->arena, 1, steps, 1);
    seq.made = made;
    for (int t = 0; t < steps; t++)
        seq.x[t] = (float)x;
    Spec s = spec_of(16, 16, bits);
    s.state_range = range;
    s.input_range = 1000.0;
    QNetwork q;
    assert_true(network_quantise(b->arena, b->diag, &s, &net, &seq, &q));
    assert_int_equal(q.state.bits, bits);
    return q.state;
}

/* |c| of the float network is steps * tanh(|x|), but for 1e-9 of it; twice that must fit. */
static void test_state_calibration(void **state)
{
    Bench *b = *state;
    static const struct { int bits, steps; double x; int fraction; } hand[] = {
        {16, 1, 0.5, 15},               /* tanh(0.5) = 0.46; 0.92 at 15: 30284 */
        {16, 1, -0.6, 14},              /* 0.54; 1.07 */
        {12, 1, 1e-3, 19}, {12, 1, 1e-6, 20},           /* 0.002 at 19: 1049; never beyond SB + 8 */
        {16, 340, 50.0, 5},             /* 340; 680 at 5: 21760 */
        {8, 340, -50.0, -3},            /* at -3: 85 */
        {24, 340, 50.0, 13}, {32, 5, 50.0, 27}, {32, 1, 0.0, 31},
    };
    for (int i = 0; i < LENGTH(hand); i++)
        assert_int_equal(state_fraction(b, hand[i].bits, hand[i].steps, hand[i].x, 0.0, false).fraction,
                         hand[i].fraction);
    assert_int_equal(state_fraction(b, 24, 2, 50.0, 0.0, true).fraction, 15);   /* made: 8 integer bits */
    assert_int_equal(state_fraction(b, 8, 2, 50.0, 0.0, true).fraction, -1);
    assert_int_equal(state_fraction(b, 24, 2, 50.0, 255.9, false).fraction, 15);
    assert_int_equal(state_fraction(b, 24, 2, 50.0, 256.0, false).fraction, 14);    /* at 15 it would be 2^23 */
    assert_int_equal(state_fraction(b, 8, 1, 1.0, 1e12, false).fraction, -8);
    assert_int_equal(state_fraction(b, 32, 1, 1.0, 1e12, false).fraction, 7);   /* 24 integer bits at most */
    const char *const *text;
    assert_int_equal(diag_warnings(b->diag, &text), 0);
    assert_int_equal(state_fraction(b, 16, 20, 50.0, 8.0, false).fraction, 11); /* 8 at 12 would be 2^15 */
    assert_int_equal(diag_warnings(b->diag, &text), 1);
    assert_non_null(strstr(text[0], "reaches 20 but its format (16 bits, 11 fraction bits) ends at 16"));
}

/* ------------------------------------------------------------------------------------ rows */
/* One LSTM unit, x up to 3.0 (AB 8: fx = 5), h fraction 7, PB 10: target 5, ACC = 8+8+1+1 = 18. */
static void unit_network(Bench *b, Network *net, Sequences *seq)
{
    *net = (Network){0};
    net_add(b->arena, net, "lstm", 1, 1);
    *seq = sequences_of(b->arena, 1, 1, 1);
    seq->x[0] = 3.0f;
}

static void test_row_exponents(void **state)
{
    Bench *b = *state;
    Network net;
    Sequences seq;
    unit_network(b, &net, &seq);
    Layer *l = &net.layer[0];
    float *W = net.product[MATRIX_W].m.value, *R = net.product[MATRIX_R].m.value;
    W[0] = 0.75f, R[0] = -0.5f, l->bias[0] = 0.1;   /* W: 96 at 7, F 12; R: -64 at 7, F 14 */
    W[1] = 0.01f, R[1] = 1.0f;                      /* W: 82 at 13, F 18; R: 64 at 6, F 13 */
    W[3] = 1e-6f, l->bias[3] = 3.0;                 /* bias: 3 * 2^14 = 49152 < 65536 = 2^16 */
    Spec s = spec_of(8, 8, 16);
    s.state_range = 200.0;
    QNetwork q;
    assert_true(quantise_aligned(b->arena, b->diag, &s, &net, &seq, 0, &q));
    QLayer *ql = &q.layer[0];
    assert_int_equal(q.acc_bits, 18);
    assert_int_equal(q.left_shift, 0);
    assert_true(q.vector[0].fraction == 5 && q.pre.bits == 10 && q.pre.fraction == 5);
    assert_true(q.gate.fraction == 7 && q.state.bits == 16 && q.state.fraction == 7);
    assert_int_equal(ql->row_fraction[0], 12);
    assert_int_equal(q.product[MATRIX_W].m.value[0], 96);
    assert_int_equal(q.product[MATRIX_R].m.value[0], -16);
    assert_int_equal(ql->bias[0], 410);             /* 409.6 */
    assert_int_equal(ql->row_fraction[1], 13);
    assert_int_equal(q.product[MATRIX_W].m.value[1], 3);  /* 0.01 * 2^8 = 2.56 */
    assert_int_equal(q.product[MATRIX_R].m.value[1], 64);
    assert_int_equal(ql->row_fraction[2], 5);       /* no weight: target */
    assert_int_equal(ql->row_fraction[3], 14);
    assert_int_equal(q.product[MATRIX_W].m.value[3], 0);
    assert_int_equal(ql->bias[3], 49152);
}

/* Weights up to 100 at 4 bits with inputs up to 50: F = -4 - 3 = -7, target 1. */
static void test_left_shift(void **state)
{
    Bench *b = *state;
    Network net;
    Sequences seq;
    unit_network(b, &net, &seq);
    net.product[MATRIX_W].m.value[0] = -100.0f;
    net.product[MATRIX_W].m.value[1] = 1e-30f;
    seq.x[0] = 50.0f;
    Spec s = spec_of(4, 4, 16);
    QNetwork q;
    assert_true(quantise_aligned(b->arena, b->diag, &s, &net, &seq, 0, &q));
    assert_int_equal(q.vector[0].fraction, -3);
    assert_int_equal(q.layer[0].row_fraction[0], -7);
    assert_int_equal(q.product[MATRIX_W].m.value[0], -6);      /* 6.25 */
    assert_int_equal(q.left_shift, 8);
    assert_int_equal(q.acc_bits, 10);
    assert_int_equal(q.layer[0].row_fraction[1], 1 + 8);        /* target + ACC - 2 */
    net.product[MATRIX_W].m.value[0] = 30000.0f;
    seq.x[0] = 30000.0f;                                        /* fx 0, F 0, target 13, ACC 34 */
    s = spec_of(16, 16, 24);
    assert_true(quantise_aligned(b->arena, b->diag, &s, &net, &seq, 0, &q));
    assert_int_equal(q.left_shift, 13);
    assert_int_equal(q.layer[0].row_fraction[1], 13 + 31 - 13);
}

/* The same unit with the products of W shifted left by fh - fx = 2, or those of R by fx - fh. */
static void test_aligned_products(void **state)
{
    Bench *b = *state;
    Network net;
    Sequences seq;
    unit_network(b, &net, &seq);
    float *W = net.product[MATRIX_W].m.value, *R = net.product[MATRIX_R].m.value;
    W[0] = 0.75f, R[0] = -0.5f;                     /* both at 7: F 7 + 5 + 2 = 7 + 7 */
    W[1] = 0.01f, R[1] = 1.0f;                      /* R: 64 at 6, F 13; W then at 6, 0.64 */
    Spec s = spec_of(8, 8, 16);
    QNetwork q;
    const QLayer *ql = &q.layer[0];
    assert_true(quantise_aligned(b->arena, b->diag, &s, &net, &seq, ALIGN_FULL, &q));
    assert_true(q.product[MATRIX_W].align == 2 && q.product[MATRIX_R].align == 0 && q.acc_bits == 20);
    assert_true(ql->row_fraction[0] == 14 && ql->row_fraction[1] == 13);
    assert_true(q.product[MATRIX_W].m.value[0] == 96 && q.product[MATRIX_R].m.value[0] == -64);
    assert_true(q.product[MATRIX_W].m.value[1] == 1 && q.product[MATRIX_R].m.value[1] == 64);
    seq.x[0] = 0.1f;                                /* 102 at 10: three more than h */
    assert_true(quantise_aligned(b->arena, b->diag, &s, &net, &seq, ALIGN_FULL, &q));
    assert_true(q.product[MATRIX_W].align == 0 && q.product[MATRIX_R].align == 3 && q.acc_bits == 21);
    assert_int_equal(ql->row_fraction[0], 17);
    assert_true(quantise_aligned(b->arena, b->diag, &s, &net, &seq, 1, &q));
    assert_true(q.product[MATRIX_R].align == 1 && ql->row_fraction[0] == 15);
    assert_true(q.product[MATRIX_W].m.value[0] == 24 && q.product[MATRIX_R].m.value[0] == -64);
}

static void test_refused_weights(void **state)
{
    Bench *b = *state;
    Network net;
    Sequences seq;
    unit_network(b, &net, &seq);
    net.product[MATRIX_R].m.value[2] = 1e30f;
    Spec s = spec_of(16, 16, 24);
    QNetwork q;
    assert_false(network_quantise(b->arena, b->diag, &s, &net, &seq, &q));
    assert_true(diag_failed(b->diag));
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    diag_flush(b->diag, to);
    fclose(to);
    assert_non_null(strstr(text, "layer 0, row 2"));
    free(text);
}

static void test_pruned_weights_are_zero(void **state)
{
    Bench *b = *state;
    Network net;
    Sequences seq;
    unit_network(b, &net, &seq);
    Matrix *m = &net.product[MATRIX_W].m;
    m->kept = ARENA_ARRAY(b->arena, uint8_t, 4);
    for (int r = 0; r < 4; r++)
        m->value[r] = 0.5f;
    m->kept[1] = m->kept[3] = 1;
    Spec s = spec_of(8, 8, 16);
    QNetwork q;
    assert_true(network_quantise(b->arena, b->diag, &s, &net, &seq, &q));
    const QMatrix *qm = &q.product[MATRIX_W].m;
    assert_ptr_equal(qm->kept, m->kept);
    assert_true(qm->value[0] == 0 && qm->value[1] == 64 && qm->value[2] == 0 && qm->value[3] == 64);
}

static void test_linear_format(void **state)
{
    Bench *b = *state;
    Network net = {0};
    Layer *l = net_add(b->arena, &net, "linear", 2, 1);
    layer_activate(l, CURVE_RELU);
    net.product[MATRIX_W].m.value[0] = 3.0f;
    net.product[MATRIX_W].m.value[1] = -5.0f;
    l->bias[0] = 1.0;
    Sequences seq = sequences_of(b->arena, 1, 2, 2);
    seq.x[0] = 0.5f, seq.x[3] = 0.9f;   /* y = 2.5 and, before relu, -3.5: 1.25 * 3.5 = 4.375 */
    Spec s = spec_of(8, 8, 16);
    s.input_range = 1.9;                /* fx = 6: values up to 2; bound 8 * 2 + 1 = 17 */
    QNetwork q;
    assert_true(network_quantise(b->arena, b->diag, &s, &net, &seq, &q));
    assert_int_equal(q.layer[0].out.fraction, 4);       /* 70; at 5 it would be 140 */
    seq.made = true;
    assert_true(network_quantise(b->arena, b->diag, &s, &net, &seq, &q));
    assert_int_equal(q.layer[0].out.fraction, 2);       /* 68 */
    seq.made = false;
    memset(seq.x, 0, 4 * sizeof(float));                /* y = 1: 1.25, at 6: 80 */
    assert_true(network_quantise(b->arena, b->diag, &s, &net, &seq, &q));
    assert_int_equal(q.layer[0].out.fraction, 6);
}

/* Largest |accumulator| of a row with any inputs, the folded half included. */
static void check_row_bound(const QNetwork *q, int layer, int row)
{
    const QLayer *l = &q->layer[layer];
    int64_t sum = llabs(l->bias[row]), vector = INT64_C(1) << (q->gate.bits - 1);
    int target = layer == 0 ? q->pre.fraction : l->out.fraction;
    int shift = l->row_fraction[row] + q->left_shift - target;
    for (int p = 2 * layer; p < (layer == 0 ? 2 : 3); p++) {       /* an LSTM and a head */
        const QMatrix *m = &q->product[p].m;
        for (int c = 0; c < m->columns; c++)
            sum += (vector << q->product[p].align) * abs(m->value[row * m->columns + c]);
    }
    assert_in_range(shift, 0, 31);
    if (shift > q->left_shift)
        sum += INT64_C(1) << (shift - 1 - q->left_shift);
    assert_true(sum <= (INT64_C(1) << (q->acc_bits - 1)) - 1);
}

static void test_accumulator_holds_everything(void **state)
{
    Bench *b = *state;
    uint32_t seed = 20240611;
    for (int round = 0; round < 300; round++) {
        Network net = {0};
        int inputs = 1 + (int)(draw(&seed) % 9), hidden = 1 + (int)(draw(&seed) % 9);
        layer_randomise(&net, net_add(b->arena, &net, "lstm", inputs, hidden), &seed,
                        ldexp(1.0, (int)(draw(&seed) % 12) - 8));
        layer_randomise(&net, net_add(b->arena, &net, "linear", hidden, 3), &seed, 2.0);
        for (int r = 0; r < 4 * hidden; r++)
            net.layer[0].bias[r] *= ldexp(1.0, (int)(draw(&seed) % 40) - 30);
        Sequences seq = sequences_of(b->arena, 1, 1, inputs);
        seq.x[0] = (float)draw_real(&seed, 40.0);
        Spec s = spec_of(4 + (int)(draw(&seed) % 13), 2 + (int)(draw(&seed) % 15), 20);
        QNetwork q;
        int align_max = round % 2 == 0 ? ALIGN_FULL : 0;
        assert_true(quantise_aligned(b->arena, b->diag, &s, &net, &seq, align_max, &q));
        for (int k = 0; k < net.n; k++)
            for (int r = 0; r < q.layer[k].rows; r++)
                check_row_bound(&q, k, r);
    }
}

/* ------------------------------------------------------------------------------------ tables */
/* The table's contract once more, written apart from gen/fixed/act_table.c. */
static int64_t table_of(const ActTable *t, int64_t a)
{
    int64_t top = (INT64_C(1) << t->table_fraction) - 1;
    if (a >= INT64_C(8) << (t->in_fraction + 1))
        return top;
    int64_t segment = a / (INT64_C(1) << t->low_bits), low = a % (INT64_C(1) << t->low_bits);
    int64_t full = INT64_C(1) << (t->low_bits + t->slope_shift);
    int64_t value = t->base[segment] + t->slope[segment] * low / full;
    assert_in_range(value, 0, top);
    return value;
}

static int64_t floor_divide(int64_t v, int64_t by)
{
    return v >= 0 ? v / by : -((-v + by - 1) / by);
}

static int32_t limit(int64_t v, int bits)
{
    int64_t top = (INT64_C(1) << (bits - 1)) - 1;
    return (int32_t)(v > top ? top : v);
}

typedef struct TableError { double worst, inside; } TableError;

static void note_error(TableError *e, const ActTable *t, int32_t got, double exact)
{
    double error = fabs(ldexp(got, t->out_bits - t->value_bits) - ldexp(exact, t->out_bits - 1));
    e->worst = MAX(e->worst, error);
    if (got != (1 << (t->value_bits - 1)) - 1)
        e->inside = MAX(e->inside, error);
}

/* Every input of both functions: integer contract bit for bit, and the distance from libm. */
static TableError check_table(const ActTable *t)
{
    TableError e = {0.0, 0.0};
    int64_t one = INT64_C(1) << t->table_fraction, end = INT64_C(1) << (t->in_bits - 1);
    for (int64_t z = -end; z < end; z++) {
        int64_t sign = z < 0 ? -1 : 1;
        int64_t wide = sign * table_of(t, 2 * sign * z), half = sign * table_of(t, sign * z);
        int32_t tanh_got = act_tanh(t, (int32_t)z), sigmoid_got = act_sigmoid(t, (int32_t)z);
        int64_t drop = 8 >> (t->value_bits - t->out_bits);
        assert_int_equal(tanh_got, limit(floor_divide(wide + drop / 2, drop), t->value_bits));
        assert_int_equal(sigmoid_got, limit(floor_divide(one + half + drop, 2 * drop), t->value_bits));
        double real = ldexp((double)z, -t->in_fraction);
        note_error(&e, t, tanh_got, tanh(real));
        note_error(&e, t, sigmoid_got, 1.0 / (1.0 + exp(-real)));
    }
    assert_int_equal(act_tanh(t, 0), 0);
    assert_int_equal(act_sigmoid(t, 0), 1 << (t->value_bits - 2));
    return e;
}

static void check_words(const ActTable *t)
{
    assert_int_equal(t->entries, 1 << t->segment_bits);
    assert_int_equal(t->segment_bits + t->low_bits, t->in_fraction + 4);
    for (int i = 0; i < t->entries; i++) {
        assert_in_range(t->base[i], 0, (1 << t->base_bits) - 1);
        assert_in_range(t->slope[i], 0, (1 << t->slope_bits) - 1);
    }
}

static void prove_table(Bench *b, int in_bits, int out_bits, int value_bits)
{
    ActTable t;
    assert_true(act_table_build(b->arena, (Format){in_bits, in_bits - 5}, out_bits, value_bits, &t));
    check_words(&t);
    TableError e = check_table(&t);
    print_message("  z %2d bits -> %2d bits: %4d entries of %2d + %2d bits (shift %d, low %2d), "
                  "worst %.4f LSB, %.4f where 1.0 is not clipped\n", in_bits, out_bits, t.entries,
                  t.base_bits, t.slope_bits, t.slope_shift, t.low_bits, e.worst, e.inside);
    assert_true(e.worst <= 1.0);
    assert_true(t.max_error_lsb <= 1.0 && e.worst <= t.max_error_lsb + 1e-6);   /* it counts those rounded, too */
    assert_true(value_bits > out_bits || fabs(e.worst - t.max_error_lsb) < 1e-6);
}

static void test_tables_over_all_inputs(void **state)
{
    for (int bits = 4; bits <= 16; bits++)
        for (int more = 0; more <= 2; more++)
            prove_table(*state, bits + 2, bits, bits + more);
}

static void test_tables_of_other_formats(void **state)
{
    static const struct { int in, out; } odd[] = {{6, 4}, {6, 16}, {7, 9}, {9, 16}, {12, 4},
                                                  {16, 16}, {20, 4}, {20, 16}};
    for (int i = 0; i < LENGTH(odd); i++)
        prove_table(*state, odd[i].in, odd[i].out, odd[i].out + i % 3);
}

static void test_table_refuses(void **state)
{
    Bench *b = *state;
    ActTable t;
    assert_false(act_table_build(b->arena, (Format){18, 13}, 17, 17, &t));
    assert_false(act_table_build(b->arena, (Format){18, 13}, 1, 1, &t));
    assert_false(act_table_build(b->arena, (Format){23, 18}, 16, 16, &t));
    assert_false(act_table_build(b->arena, (Format){4, -1}, 8, 8, &t));
    assert_false(act_table_build(b->arena, (Format){18, 13}, 16, 19, &t));
    assert_false(act_table_build(b->arena, (Format){18, 13}, 16, 15, &t));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clog2),
        cmocka_unit_test(test_round_shift),
        cmocka_unit_test(test_saturate),
        cmocka_unit_test(test_encode),
        CASE(test_input_calibration),
        CASE(test_input_range_given),
        CASE(test_state_calibration),
        CASE(test_row_exponents),
        CASE(test_left_shift),
        CASE(test_aligned_products),
        CASE(test_refused_weights),
        CASE(test_pruned_weights_are_zero),
        CASE(test_linear_format),
        CASE(test_accumulator_holds_everything),
        CASE(test_tables_over_all_inputs),
        CASE(test_tables_of_other_formats),
        CASE(test_table_refuses),
    };
    return cmocka_run_group_tests_name("fixed", tests, NULL, NULL);
}
