/* test_model.c: importers, networks and sequences against files written by make_model_cases.py, the
 * real models of the shared folder as numpy reads them, and the bad files of
 * tests/model/make_bad.py.
 *
 * Run from the project's root. Environment: LSTMGEN_MODELS, the folder of real models (default
 * ../shared/models). */
#include "lstmgen.h"

enum { MATRIX_W, MATRIX_R, MATRICES };  /* products of an LSTM */

#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

static char folder[] = "/tmp/lstmgen_test_model.XXXXXX";

/* ---- helpers ---- */

typedef struct Bench {
    Arena *arena;
    Diag *diag;
} Bench;

static Bench bench(void)
{
    Arena *a = arena_new();
    return (Bench){ a, diag_new(a) };
}

/* Everything that was reported, as text (malloc). */
static char *messages(Bench *b)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    diag_flush(b->diag, to);
    fclose(to);
    return text;
}

static void expect_message(Bench *b, const char *part)
{
    char *text = messages(b);
    if (!strstr(text, part))
        fail_msg("'%s' is not in: %s", part, text);
    free(text);
}

static void expect_silence(Bench *b)
{
    char *text = messages(b);
    if (text[0])
        fail_msg("unexpected message: %s", text);
    free(text);
}

static const char *at(Bench *b, const char *name)
{
    return str_format(b->arena, "%s/good/%s", folder, name);
}

/* The number every test tensor holds at element n; see make_model_cases.py. */
static double number(int64_t n)
{
    return (double)((37 * n) % 101 - 50) / 64;
}

static int parse_dims(char *text, int64_t *shape)
{
    int rank = 0;
    if (strcmp(text, "-") != 0)
        for (char *d = strtok(text, ","); d; d = strtok(NULL, ","))
            shape[rank++] = atoll(d);
    return rank;
}

static void expect_shape(const Tensor *t, char *dims)
{
    int64_t shape[8], count = 1;
    int rank = parse_dims(dims, shape);
    assert_int_equal(t->rank, rank);
    for (int i = 0; i < rank; i++) {
        assert_int_equal(t->shape[i], shape[i]);
        count *= shape[i];
    }
    assert_int_equal(t->count, count);
}

/* Calls `each` for every line of a list; returns how many there were. */
static int each_line(const char *list, void (*each)(char *line))
{
    char path[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
    snprintf(path, sizeof path, "%s/good/%s", folder, list);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    int n = 0;
    for (; fgets(line, sizeof line, in); n++)
        each(strtok(line, "\n"));
    fclose(in);
    return n;
}

/* ---- containers ---- */

static void check_tensor(char *line)
{
    char file[256], name[256], dims[256];
    assert_int_equal(sscanf(line, "%255s %255s %255s", file, name, dims), 3);
    Bench b = bench();
    Model *m = model_open(b.arena, b.diag, (Place){ 0 }, at(&b, file));
    Tensor *t = m ? model_tensor(m, b.diag, (Place){ 0 }, name) : NULL;
    expect_silence(&b);
    assert_non_null(t);
    assert_string_equal(t->name, name);
    expect_shape(t, dims);
    for (int64_t n = 0; n < t->count; n++)
        if ((double)t->data[n] != number(n))
            fail_msg("%s: %s: element %d is %g, not %g", file, name, (int)n, (double)t->data[n],
                     number(n));
    model_close(m);
    arena_free(b.arena);
}

static void test_containers(void **state)
{
    (void)state;
    assert_true(each_line("tensors.txt", check_tensor) >= 300);
}

static void check_array(char *line)
{
    char file[256], kind[256], dims[256];
    assert_int_equal(sscanf(line, "%255s %255s %255s", file, kind, dims), 3);
    Bench b = bench();
    Tensor *t = array_load(b.arena, b.diag, (Place){ 0 }, at(&b, file));
    expect_silence(&b);
    assert_non_null(t);
    expect_shape(t, dims);
    double offset = kind[0] == 'u' ? 50 : 0;
    for (int64_t n = 0; n < t->count; n++)
        assert_true((double)t->data[n] == (kind[0] == 'b' ? 1 : 64 * number(n) + offset));
    arena_free(b.arena);
}

static void test_arrays(void **state)
{
    (void)state;
    assert_int_equal(each_line("arrays.txt", check_array), 48);
}

static void test_names_in_order(void **state)
{
    (void)state;
    Bench b = bench();
    const char *const *names;
    Model *m = model_open(b.arena, b.diag, (Place){ 0 }, at(&b, "net.npz"));
    assert_non_null(m);
    assert_true(model_names(m, &names) > 12);
    assert_string_equal(names[0], "W");
    assert_string_equal(names[4], "out_b");
    assert_null(model_tensor(m, b.diag, (Place){ 0 }, "nothing_like_it"));
    expect_message(&b, "no tensor 'nothing_like_it'; tensors here: W, R, b, out_w, out_b, ");
    model_close(m);
    arena_free(b.arena);
}

static int silero_sums;

static void check_real(char *line)
{
    char file[256], name[256], dims[256];
    unsigned long long sum, total = 0;
    assert_int_equal(sscanf(line, "%255s %255s %255s %llu", file, name, dims, &sum), 4);
    Bench b = bench();
    const char *models = getenv("LSTMGEN_MODELS");
    Model *m = model_open(b.arena, b.diag, (Place){ 0 },
                          path_join(b.arena, models ? models : "../shared/models", file));
    Tensor *t = m ? model_tensor(m, b.diag, (Place){ 0 }, name) : NULL;
    expect_silence(&b);
    assert_non_null(t);
    expect_shape(t, dims);
    for (int64_t n = 0; n < t->count; n++) {
        uint32_t bits;
        memcpy(&bits, t->data + n, sizeof bits);
        total += bits * (unsigned long long)(n + 1);
    }
    if (total != sum)
        fail_msg("%s: %s differs from numpy's reading", file, name);
    silero_sums += str_starts(file, "silero");
    model_close(m);
    arena_free(b.arena);
}

static const char *real_models(void)
{
    const char *models = getenv("LSTMGEN_MODELS");
    models = models ? models : "../shared/models";
    return file_is_folder(models) ? models : NULL;
}

static void test_real_models(void **state)
{
    (void)state;
    if (!real_models()) {
        printf("skipped: no folder of real models (LSTMGEN_MODELS)\n");
        skip();
    }
    assert_true(each_line("real.txt", check_real) > 100);
    assert_true(silero_sums > 20);
}

/* ---- networks ---- */

/* A spec of one LSTM on good/net.npz, to be changed by the test. */
static Spec lstm_spec(Bench *b, const char *file, const char *gates, const char *W, const char *R,
                      const char *bias)
{
    Spec s = { .arena = b->arena, .file = "test.yaml", .model_file = at(b, file), .n_layers = 1 };
    s.layer[0] = (LayerSpec){
        .cell = "lstm", .gates = gates, .W = W, .R = R, .b = { bias }, .n_b = bias != NULL
    };
    return s;
}

static void expect_matrix(const Matrix *m, int rows, int columns)
{
    assert_int_equal(m->rows, rows);
    assert_int_equal(m->columns, columns);
    assert_null(m->kept);
    for (int n = 0; n < rows * columns; n++)
        if ((double)m->value[n] != number(n))
            fail_msg("element %d of %d x %d is %g, not %g", n, rows, columns, (double)m->value[n],
                     number(n));
}

/* The LSTM that make_model_cases.py spells in many ways: I 3, H 4, all three tensors holding
 * number(n). */
static void expect_lstm(const Network *net, double bias_factor)
{
    const Layer *l = &net->layer[0];
    assert_string_equal(l->cell->key, "lstm");
    assert_int_equal(l->inputs, 3);
    assert_int_equal(l->hidden, 4);
    assert_int_equal(layer_rows(l), 16);
    expect_matrix(&net->product[MATRIX_W].m, 16, 3);
    expect_matrix(&net->product[MATRIX_R].m, 16, 4);
    for (int r = 0; r < 16; r++)
        assert_true(l->bias[r] == bias_factor * number(r));
}

static void load_one(const char *gates, const char *W, const char *R, const char *bias,
                     bool transpose)
{
    Bench b = bench();
    Network net;
    Spec s = lstm_spec(&b, "net.npz", gates, W, R, bias);
    s.layer[0].transpose = transpose;
    bool ok = network_load(b.arena, b.diag, &s, &net);
    expect_silence(&b);
    assert_true(ok);
    assert_int_equal(net.n, 1);
    expect_lstm(&net, bias ? 1 : 0);
    arena_free(b.arena);
}

static void test_gate_orders(void **state)
{
    static const char *const ORDERS[] = { "iofc", "ifco", "ijfo", "ogif", "fiog" };
    (void)state;
    load_one(NULL, "W", "R", "b", false);
    load_one("ifgo", "W", "R", "b", false);
    load_one("ifco", "W", "R", "b", false);
    load_one("ifjo", "W", "R", NULL, false);
    load_one("ifgo", "Wt", "Rt", "b", true);
    load_one("ifgo", "W3", "R3", "double_b", false);
    load_one("ifgo", "W", "R", "double_b2", false);
    for (int i = 0; i < LENGTH(ORDERS); i++) {
        char names[5][32];
        static const char *const STEMS[] = { "W_", "R_", "b_", "Wt_", "Rt_" };
        for (int k = 0; k < LENGTH(STEMS); k++)
            snprintf(names[k], sizeof names[k], "%s%s", STEMS[k], ORDERS[i]);
        load_one(ORDERS[i], names[0], names[1], names[2], false);
        load_one(ORDERS[i], names[3], names[4], names[2], true);
    }
}

static void test_bad_gate_orders(void **state)
{
    static const char *const BAD[] = { "", "ifg", "ifgg", "ifgc", "ifgoo", "ffgo", "ifxo", "IFGO" };
    (void)state;
    for (int i = 0; i < LENGTH(BAD); i++) {
        Bench b = bench();
        Network net;
        Spec s = lstm_spec(&b, "net.npz", BAD[i], "W", "R", "b");
        assert_false(network_load(b.arena, b.diag, &s, &net));
        expect_message(&b, "expected the gates of cell lstm, each once (like ifgo)");
        arena_free(b.arena);
    }
}

/* A list of biases is summed (2b - b), forget_bias goes to the f rows only. */
static void test_bias(void **state)
{
    (void)state;
    Bench b = bench();
    Network net;
    Spec s = lstm_spec(&b, "net.npz", "ifgo", "W", "R", "b1");
    s.layer[0].b[1] = "b2";
    s.layer[0].n_b = 2;
    assert_true(network_load(b.arena, b.diag, &s, &net));
    expect_lstm(&net, 1);
    s = lstm_spec(&b, "net.npz", "ifgo", "W", "R", "b");
    s.layer[0].forget_bias = 1.0;
    assert_true(network_load(b.arena, b.diag, &s, &net));
    for (int r = 0; r < 16; r++)
        assert_true(net.layer[0].bias[r] == number(r) + (r / 4 == GATE_F));
    arena_free(b.arena);
}

static void expect_head(const Network *net, int outputs, Curve activation)
{
    const Layer *l = &net->layer[1];
    assert_string_equal(l->cell->key, "linear");
    assert_int_equal(l->activation[0], activation);
    assert_int_equal(l->inputs, 4);
    assert_int_equal(l->hidden, outputs);
    assert_int_equal(net->products, 3);
    expect_matrix(&net->product[2 + MATRIX_W].m, outputs, 4);
}

static void test_stack_and_head(void **state)
{
    static const struct {
        const char *W;
        bool transpose;
        int outputs;
    } HEADS[] = {
        { "out_w", false, 2 },
        { "out_wt", true, 2 },
        { "out_1", false, 1 },
    };
    (void)state;
    for (int i = 0; i < LENGTH(HEADS); i++) {
        Bench b = bench();
        Network net;
        Spec s = lstm_spec(&b, "net.npz", "ifgo", "W", "R", "b");
        s.layer[1] = (LayerSpec){ .cell = "linear",
                                  .W = HEADS[i].W,
                                  .activation = "relu",
                                  .transpose = HEADS[i].transpose,
                                  .b = { "out_b" },
                                  .n_b = HEADS[i].outputs == 2 };
        s.n_layers = 2;
        assert_true(network_load(b.arena, b.diag, &s, &net));
        expect_lstm(&net, 1);
        expect_head(&net, HEADS[i].outputs, CURVE_RELU);
        assert_true(net.layer[1].bias[0] == (HEADS[i].outputs == 2 ? number(0) : 0));
        s.layer[1] = (LayerSpec){ .cell = "lstm", .W = "W_2", .R = "R_2" };
        assert_true(network_load(b.arena, b.diag, &s, &net));
        expect_matrix(&net.product[2 + MATRIX_W].m, 8, 4);
        expect_matrix(&net.product[2 + MATRIX_R].m, 8, 2);
        arena_free(b.arena);
    }
}

/* Two layers may name the same tensor: each gets its own copy, so that pruning one leaves the other
 * alone. */
static void test_shared_tensor(void **state)
{
    (void)state;
    Bench b = bench();
    Network net;
    Spec s = lstm_spec(&b, "net.npz", "ifgo", "R", "R", "b");
    s.layer[1] = s.layer[0];
    s.n_layers = 2;
    assert_true(network_load(b.arena, b.diag, &s, &net));
    assert_ptr_not_equal(net.product[MATRIX_W].m.value, net.product[MATRIX_R].m.value);
    assert_ptr_not_equal(net.product[MATRIX_W].m.value, net.product[2 + MATRIX_W].m.value);
    arena_free(b.arena);
}

/* Canonical rows stay in the buffer they were decoded into: little more than the weights themselves
 * is held. */
static void test_memory(void **state)
{
    (void)state;
    Bench b = bench();
    Network net;
    Spec s = lstm_spec(&b, "big.npz", "ifgo", "W", "R", "b");
    size_t before = arena_bytes(b.arena), weights = 2048 * (128 + 512) * sizeof(float);
    assert_true(network_load(b.arena, b.diag, &s, &net));
    assert_true(arena_bytes(b.arena) - before < weights + weights / 10);
    s.layer[0].gates = "ofig";
    before = arena_bytes(b.arena);
    assert_true(network_load(b.arena, b.diag, &s, &net));
    assert_true(arena_bytes(b.arena) - before < weights + weights / 10);
    arena_free(b.arena);
}

/* ---- ONNX graphs ---- */

static bool load_graph(Bench *b, const char *path, Network *net)
{
    Spec s = { .arena = b->arena, .file = "test.yaml", .model_file = path };
    return network_load(b->arena, b->diag, &s, net);
}

static void test_onnx_heads(void **state)
{
    (void)state;
    Bench b = bench();
    Network net;
    assert_true(load_graph(&b, at(&b, "head_matmul.onnx"), &net));
    expect_silence(&b);
    assert_int_equal(net.n, 2);
    expect_lstm(&net, 1); /* Wb = 2b, Rb = -b */
    expect_head(&net, 2, CURVE_RELU);
    assert_true(net.layer[1].bias[1] == number(1));
    assert_true(load_graph(&b, at(&b, "head_gemm.onnx"), &net));
    expect_silence(&b);
    expect_head(&net, 2, CURVE_NONE);
    arena_free(b.arena);
}

static void test_onnx_stack(void **state)
{
    (void)state;
    Bench b = bench();
    Network net;
    assert_true(load_graph(&b, at(&b, "stack.onnx"), &net));
    expect_silence(&b);
    assert_int_equal(net.n, 2);
    expect_lstm(&net, 1);
    assert_int_equal(net.layer[1].hidden, 2);
    expect_matrix(&net.product[2 + MATRIX_W].m, 8, 4);
    arena_free(b.arena);
}

/* One LSTM step in double, straight from the ONNX text: h = o tanh(i g), with zero state before. */
static void first_step(const Network *net, const float *x, double *h)
{
    const Layer *l = &net->layer[0];
    const float *W = net->product[MATRIX_W].m.value;
    for (int j = 0; j < l->hidden; j++) {
        double z[GATES];
        for (int k = 0; k < GATES; k++) {
            int r = k * l->hidden + j;
            z[k] = l->bias[r];
            for (int c = 0; c < l->inputs; c++)
                z[k] += (double)W[r * l->inputs + c] * (double)x[c];
        }
        double i = 1 / (1 + exp(-z[GATE_I])), o = 1 / (1 + exp(-z[GATE_O]));
        h[j] = o * tanh(i * tanh(z[GATE_G]));
    }
}

/* The ONNX project's own cases: load by themselves, and give the outputs that ONNX expects. */
static void test_onnx_conformance(void **state)
{
    static const char *const CASES[] = { "test_lstm_defaults", "test_lstm_with_initial_bias",
                                         "test_lstm_batchwise" };
    (void)state;
    const char *models = real_models();
    if (!models) {
        printf("skipped: no folder of real models (LSTMGEN_MODELS)\n");
        skip();
    }
    for (int i = 0; i < LENGTH(CASES); i++) {
        Bench b = bench();
        Network net;
        const char *stem = str_format(b.arena, "%s/onnx_conformance/%s", models, CASES[i]);
        assert_true(load_graph(&b, str_format(b.arena, "%s.onnx", stem), &net));
        expect_silence(&b);
        assert_int_equal(net.n, 1);
        Spec s = { .arena = b.arena,
                   .verify_input = str_format(b.arena, "%s_x.npy", stem),
                   .verify_expect = str_format(b.arena, "%s_y.npy", stem) };
        Sequences q;
        assert_true(sequences_load(b.arena, b.diag, &s, &net, &q));
        assert_int_equal(q.steps, 1);
        for (int n = 0; n < q.n; n++) {
            double h[16];
            first_step(&net, q.x + n * q.width, h);
            for (int j = 0; j < net.layer[0].hidden; j++)
                assert_true(fabs(h[j] - (double)q.expect[n * q.expect_width + j]) < 1e-6);
        }
        arena_free(b.arena);
    }
}

/* The silero model: named tensors of the .onnx equal the .npy beside it; fc_w as R names both
 * shapes. */
static void test_silero(void **state)
{
    (void)state;
    const char *models = real_models();
    if (!models) {
        printf("skipped: no folder of real models (LSTMGEN_MODELS)\n");
        skip();
    }
    Bench b = bench();
    Network a, o;
    Spec s = { .arena = b.arena,
               .n_layers = 1,
               .model_file = str_format(b.arena, "%s/silero_vad_16k", models) };
    s.layer[0] = (LayerSpec){
        .cell = "lstm", .gates = "ifgo", .W = "W", .R = "R", .b = { "b_ih", "b_hh" }, .n_b = 2
    };
    assert_true(network_load(b.arena, b.diag, &s, &a));
    s.layer[0].R = "fc_w";
    assert_false(network_load(b.arena, b.diag, &s, &o));
    expect_message(&b, "tensor 'fc_w': expected shape (512, 128), found (128,)");
    s.model_file = str_format(b.arena, "%s/silero_vad_16k/silero_vad_16k_op15.onnx", models);
    s.layer[0] = (LayerSpec){ .cell = "lstm",
                              .gates = "ifgo",
                              .W = "model.decoder.rnn.weight_ih",
                              .R = "model.decoder.rnn.weight_hh",
                              .n_b = 2,
                              .b = { "model.decoder.rnn.bias_ih", "model.decoder.rnn.bias_hh" } };
    assert_true(network_load(b.arena, b.diag, &s, &o));
    for (int k = 0; k < MATRICES; k++)
        assert_memory_equal(a.product[k].m.value, o.product[k].m.value,
                            512 * 128 * sizeof(float));
    assert_memory_equal(a.layer[0].bias, o.layer[0].bias, 512 * sizeof(double));
    arena_free(b.arena);
}

/* ---- sequences ---- */

static const Network THREE_TO_FOUR = { .n = 1, .layer = { { .inputs = 3, .hidden = 4, .outputs = 4 } } };

static Spec verify_spec(Bench *b, const char *input, const char *lengths, const char *expect,
                        int steps)
{
    return (Spec){ .arena = b->arena,
                   .file = "test.yaml",
                   .verify_steps = steps,
                   .verify_input = input ? at(b, input) : NULL,
                   .verify_lengths = lengths ? at(b, lengths) : NULL,
                   .verify_expect = expect ? at(b, expect) : NULL };
}

static Sequences load_sequences(Bench *b, const Spec *s)
{
    Sequences q;
    bool ok = sequences_load(b->arena, b->diag, s, &THREE_TO_FOUR, &q);
    if (!ok)
        expect_silence(b);
    assert_true(ok);
    return q;
}

static void test_sequences_ragged(void **state)
{
    (void)state;
    Bench b = bench();
    Spec s = verify_spec(&b, "x3.npy", "len_short.npy", "y3.npy", 0);
    s.verify_labels = at(&b, "label.npy");
    Sequences q = load_sequences(&b, &s);
    assert_int_equal(q.n, 3);
    assert_int_equal(q.steps, 4); /* the longest of 2, 4, 3, though the file has 5 */
    assert_int_equal(q.expect_steps, 4);
    assert_false(q.made);
    for (int n = 0; n < 3; n++)
        for (int t = 0; t < 4; t++) {
            bool inside = t < q.length[n];
            for (int i = 0; i < 3; i++)
                assert_true((double)q.x[(n * 4 + t) * 3 + i]
                            == (inside ? number((n * 5 + t) * 3 + i) : 0));
            for (int j = 0; j < 4; j++)
                assert_true((double)q.expect[(n * 4 + t) * 4 + j]
                            == (inside ? number((n * 5 + t) * 4 + j) : 0));
        }
    assert_int_equal(q.label[0], 0);
    assert_int_equal(q.label[1], 3);
    assert_int_equal(q.label[2], 1);
    arena_free(b.arena);
}

static void test_sequences_single(void **state)
{
    (void)state;
    Bench b = bench();
    Spec s = verify_spec(&b, "x2.npy", NULL, "y2.npy", 3);
    Sequences q = load_sequences(&b, &s);
    assert_int_equal(q.n, 1);
    assert_int_equal(q.steps, 3);
    assert_int_equal(q.length[0], 3);
    assert_int_equal(q.expect_steps, 3);
    assert_true((double)q.x[8] == number(15 + 8));
    s = verify_spec(&b, "x2.npy", NULL, "last1.npy", 0);
    q = load_sequences(&b, &s);
    assert_int_equal(q.expect_steps, 1);
    assert_true((double)q.expect[3] == number(3));
    arena_free(b.arena);
}

static void test_sequences_last_step(void **state)
{
    static const char *const FILES[] = { "last3.npy", "last2.npy" };
    (void)state;
    for (int i = 0; i < LENGTH(FILES); i++) {
        Bench b = bench();
        Spec s = verify_spec(&b, "x3.npy", "len.npy", FILES[i], 0);
        Sequences q = load_sequences(&b, &s);
        assert_int_equal(q.steps, 5);
        assert_int_equal(q.expect_steps, 1);
        assert_int_equal(q.expect_width, 4);
        for (int n = 0; n < 12; n++)
            assert_true((double)q.expect[n] == number(n));
        s.verify_steps = 4; /* leaves out the last step of the second sequence */
        q = load_sequences(&b, &s);
        assert_int_equal(q.expect_steps, 0);
        expect_message(&b, "not compared");
        arena_free(b.arena);
    }
}

/* Without verify.input: noise, the same every time, of the deviation that was asked for. */
static void test_sequences_made(void **state)
{
    (void)state;
    Bench b = bench();
    Network wide = { .n = 1, .layer = { { .inputs = 1000, .hidden = 4, .outputs = 4 } } };
    Spec s = verify_spec(&b, NULL, NULL, NULL, 0);
    Sequences q, again;
    for (int range = 0; range <= 6; range += 6) {
        s.input_range = range;
        assert_true(sequences_load(b.arena, b.diag, &s, &wide, &q));
        assert_true(sequences_load(b.arena, b.diag, &s, &wide, &again));
        assert_true(q.made);
        assert_int_equal(q.n, 2);
        assert_int_equal(q.steps, 6);
        assert_memory_equal(q.x, again.x, 12000 * sizeof(float));
        double sum = 0, squares = 0, sigma = range ? 2 : 1;
        for (int i = 0; i < 12000; i++) {
            sum += (double)q.x[i];
            squares += (double)q.x[i] * (double)q.x[i];
        }
        assert_true(fabs(sum / 12000) < 0.05 * sigma);
        assert_true(fabs(squares / 12000 / (sigma * sigma) - 1) < 0.05);
    }
    arena_free(b.arena);
}

/* ---- bad files ---- */

/* All lines of CASE.expect are in what CASE.yaml reports. */
static void check_bad(const char *stem)
{
    Bench b = bench();
    char line[LINE_MAX_BYTES];
    const char *path = str_format(b.arena, "%s.yaml", stem);
    Network net;
    Sequences q;
    Spec *s = spec_load(b.arena, b.diag, path, NULL, 0);
    if (s && network_load(b.arena, b.diag, s, &net) && sequences_load(b.arena, b.diag, s, &net, &q))
        fail_msg("%s was accepted", path);
    assert_int_equal(diag_status(b.diag), EXIT_INPUT);
    char *text = messages(&b);
    FILE *in = fopen(str_format(b.arena, "%s.expect", stem), "r");
    assert_non_null(in);
    while (fgets(line, sizeof line, in))
        if (!strstr(text, strtok(line, "\n")))
            fail_msg("%s: '%s' is not in: %s", path, line, text);
    fclose(in);
    free(text);
    arena_free(b.arena);
}

static void test_bad_files(void **state)
{
    char path[LINE_MAX_BYTES];
    int n = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/bad", folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (str_ends(e->d_name, ".expect")) {
            snprintf(path, sizeof path, "%s/bad/%.*s", folder, (int)strlen(e->d_name) - 7,
                     e->d_name);
            check_bad(path);
            n++;
        }
    closedir(dir);
    assert_true(n >= 100);
}

/* Every prefix of a good file, and every file with one byte changed, is loaded or refused, never
 * more. */
static void damage(const char *name, int stride)
{
    Bench b = bench();
    Bytes good;
    assert_true(file_read(b.arena, b.diag, (Place){ 0 }, at(&b, name), 1 << 26, &good));
    uint8_t *copy = arena_alloc(b.arena, good.size);
    const char *path = str_format(b.arena, "%s/damaged%s", folder, strrchr(name, '.'));
    for (size_t i = 0; i < 2 * good.size; i += (size_t)stride) {
        bool cut = i < good.size;
        memcpy(copy, good.data, good.size);
        copy[i % good.size] ^= (uint8_t)(1 + i * 7 % 255);
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        fwrite(cut ? good.data : copy, 1, cut ? i : good.size, out);
        fclose(out);
        Bench t = bench();
        const char *const *names;
        Model *m = model_open(t.arena, t.diag, (Place){ 0 }, path);
        for (int k = 0, n = m ? model_names(m, &names) : 0; k < n; k++)
            model_tensor(m, t.diag, (Place){ 0 }, names[k]);
        assert_true(m || diag_failed(t.diag));
        model_close(m);
        arena_free(t.arena);
    }
    arena_free(b.arena);
}

static void test_damage(void **state)
{
    (void)state;
    damage("one.npy", 1);
    damage("savez.npz", 5);
    damage("all.safetensors", 11);
    damage("all.onnx", 11);
    damage("stack.onnx", 7);
}

/* ---- set-up ---- */

static int run(const char *command)
{
    int status = system(command);
    if (status != 0)
        fprintf(stderr, "failed: %s\n", command);
    return status;
}

static int make_files(void **state)
{
    (void)state;
    char command[4 * LINE_MAX_BYTES];
    if (!mkdtemp(folder))
        return -1;
    const char *models = real_models();
    snprintf(command, sizeof command,
             "/usr/bin/python3 tests/unit/make_model_cases.py %s/good '%s'", folder,
             models ? models : "");
    if (run(command) != 0)
        return -1;
    snprintf(command, sizeof command,
             "/usr/bin/python3 -W ignore tests/model/make_bad.py %s/bad > /dev/null", folder);
    return run(command);
}

static int remove_files(void **state)
{
    (void)state;
    char command[LINE_MAX_BYTES];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return run(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_names_in_order),
        cmocka_unit_test(test_real_models),
        cmocka_unit_test(test_gate_orders),
        cmocka_unit_test(test_bad_gate_orders),
        cmocka_unit_test(test_bias),
        cmocka_unit_test(test_stack_and_head),
        cmocka_unit_test(test_shared_tensor),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_onnx_heads),
        cmocka_unit_test(test_onnx_stack),
        cmocka_unit_test(test_onnx_conformance),
        cmocka_unit_test(test_silero),
        cmocka_unit_test(test_sequences_ragged),
        cmocka_unit_test(test_sequences_single),
        cmocka_unit_test(test_sequences_last_step),
        cmocka_unit_test(test_sequences_made),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
