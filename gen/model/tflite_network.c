/* tflite_network.c: the recurrent operators of a TensorFlow Lite graph, one behind the other, as layers. Their gates have
 * matrices of their own, which "lstm_N:W" (N: the operator's number in the graph) puts one below the other. */
#include "model/tflite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOPS_MAX = 64, GATES_LSTM = 4, BITS_MORE = 9 };

/* What messages call the operators that are met most. */
static const struct {
    int code;
    const char *name;
} OPERATORS[] = {
    { LITE_DEQUANTIZE, "DEQUANTIZE" }, { 9, "FULLY_CONNECTED" }, { 16, "LSTM" }, { 2, "CONCATENATION" }, { 22, "RESHAPE" },
    { 25, "SOFTMAX" }, { 35, "UNIDIRECTIONAL_SEQUENCE_RNN" }, { 39, "TRANSPOSE" }, { 44, "UNIDIRECTIONAL_SEQUENCE_LSTM" },
    { 45, "STRIDED_SLICE" }, { 46, "BIDIRECTIONAL_SEQUENCE_RNN" }, { 52, "BIDIRECTIONAL_SEQUENCE_LSTM" }, { 3, "CONV_2D" },
    { 0, "ADD" }, { 18, "MUL" }, { 105, "REVERSE_V2" }, { 112, "REVERSE_SEQUENCE" }, { LITE_QUANTIZE, "QUANTIZE" },
    { 119, "WHILE" },
};

typedef struct Chain {
    Model *m;
    const Subject *s;
    const uint8_t *bytes;
    int n, number[LAYERS_MAX];          /* operators that are layers */
    LiteOperator cell[LAYERS_MAX];
    int from[LAYERS_MAX], source[LAYERS_MAX];   /* the layer that gives x (-1: none), else the tensor it is */
} Chain;

static const char *operator_name(const Chain *c, const LiteOperator *o)
{
    for (int i = 0; i < LENGTH(OPERATORS); i++)
        if (OPERATORS[i].code == o->code)
            return OPERATORS[i].name;
    return o->custom ? o->custom : str_format(c->m->arena, "operator %d of the schema", o->code);
}

static int refuse(const Chain *c, const LiteOperator *o, int number, const char *what)
{
    subject_error(c->s, "%s (operator %d of the graph): %s", yaml_comment(c->m->arena, operator_name(c, o)), number, what);
    return -1;
}

/* ---- gates ---- */

/* The rows of a role, in the order in which they are stacked: inputs of the operator. */
static int role_inputs(const LiteOperator *o, const char *role, int out[GATES_LSTM])
{
    static const struct { const char *role; int lstm, rnn; } ROLES[] = {
        { "W", LSTM_W, RNN_W }, { "R", LSTM_R, RNN_R }, { "b", LSTM_B, RNN_B }, { "P", LSTM_P, -1 } };
    int n = 0, first = -1;
    for (int i = 0; i < LENGTH(ROLES); i++)
        if (strcmp(role, ROLES[i].role) == 0)
            first = o->code == LITE_LSTM ? ROLES[i].lstm : ROLES[i].rnn;
    if (first < 0)
        return 0;
    int gates = o->code == LITE_RNN ? 1 : role[0] == 'P' ? 3 : GATES_LSTM;
    for (int k = 0; k < gates; k++)
        if (lite_input(o, first + k) >= 0)
            out[n++] = first + k;
    return n;
}

/* One below the other: all have the same rows. */
static int stack(Model *m, const Subject *s, const LiteOperator *o, const int *input, int n, Tensor *out)
{
    Tensor *part[GATES_LSTM];
    for (int k = 0; k < n; k++) {
        const char *name = lite_weight(m, o, input[k]);
        if (!name) {
            subject_error(s, "input %d of its operator is no constant", input[k]);
            return -1;
        }
        part[k] = model_tensor(m, s->diag, s->from, name);
        if (!part[k])
            return -1;
        if (part[k]->rank != part[0]->rank || part[k]->rank < 1 || part[k]->count != part[0]->count
            || part[k]->shape[0] != part[0]->shape[0]) {
            subject_error(s, "'%s' %s and '%s' %s are no gates of one cell", part[0]->name, shape_text(m->arena, part[0]),
                          part[k]->name, shape_text(m->arena, part[k]));
            return -1;
        }
    }
    out->rank = part[0]->rank;
    memcpy(out->shape, part[0]->shape, sizeof out->shape);
    out->shape[0] *= n;
    out->count = part[0]->count * n;
    out->data = ARENA_ARRAY(m->arena, float, out->count);
    for (int k = 0; k < n; k++)
        memcpy(out->data + k * part[0]->count, part[k]->data, sizeof(float) * (size_t)part[0]->count);
    return 1;
}

int tflite_derive(Model *m, const Subject *s, const char *name, Tensor *out)
{
    const Lite *l = m->own;
    const char *colon = strrchr(name, ':'), *number = strchr(name, '_');
    LiteOperator o;
    int input[GATES_LSTM];
    if (!colon || !number || (strncmp(name, "lstm_", 5) != 0 && strncmp(name, "rnn_", 4) != 0))
        return 0;
    char *end;
    long index = strtol(number + 1, &end, 10);
    if (end != colon || index < 0 || index > INT32_MAX || !lite_operator(l->bytes.data, (int)index, &o)
        || o.code != (name[0] == 'l' ? LITE_LSTM : LITE_RNN))
        return 0;
    int n = role_inputs(&o, colon + 1, input);
    Subject named = *s;
    named.tensor = name;
    return n > 0 ? stack(m, &named, &o, input, n, out) : 0;
}

/* ---- one layer ---- */

static const char *curve_of(int activation)
{
    static const char *const NAMES[] = { "none", "relu", NULL, NULL, "tanh" };
    return activation >= 0 && activation < LENGTH(NAMES) ? NAMES[activation] : NULL;
}

static const char *role_name(const Chain *c, int k, const char *role)
{
    int input[GATES_LSTM];
    const char *cell = c->cell[k].code == LITE_LSTM ? "lstm" : "rnn";
    return role_inputs(&c->cell[k], role, input) > 0 ? str_format(c->m->arena, "%s_%d:%s", cell, c->number[k], role) : NULL;
}

static const char *lstm_fault(const LiteOperator *o)
{
    for (int k = LSTM_NORM; k < LSTM_INPUTS; k++)
        if (lite_input(o, k) >= 0)
            return "a layer normalisation in its gates, which no cell here has";
    int peepholes = 0, matrices = 0;
    for (int k = 0; k < 3; k++)
        peepholes += lite_input(o, LSTM_P + k) >= 0;
    for (int k = 1; k < GATES_LSTM; k++)
        matrices += (lite_input(o, LSTM_W + k) >= 0) + (lite_input(o, LSTM_R + k) >= 0) + (lite_input(o, LSTM_B + k) >= 0);
    bool coupled = lite_input(o, LSTM_W) < 0;
    if (matrices != 9 || coupled != (lite_input(o, LSTM_R) < 0) || coupled != (lite_input(o, LSTM_B) < 0))
        return "weights of a gate are missing";
    if (coupled)
        return "its input and forget gate are coupled (no input gate), which this version does not read: name the tensors "
               "in model.layers, with coupled: true";
    return peepholes == 0 || peepholes == 3 ? NULL : "peepholes of some gates only, which this version does not read";
}

static int set_lstm(const Chain *c, int k, LayerSpec *l)
{
    const LiteOperator *o = &c->cell[k];
    const char *curve = curve_of(o->activation), *fault = lstm_fault(o);
    if (fault || !curve)
        return refuse(c, o, c->number[k], fault ? fault : "an activation that no cell here has");
    *l = (LayerSpec){ .cell = "lstm", .gates = "ifgo", .clip_cell = MAX(o->cell_clip, 0), .W = role_name(c, k, "W"),
                      .R = role_name(c, k, "R"), .b = { role_name(c, k, "b") }, .n_b = 1, .peephole = role_name(c, k, "P"),
                      .W_projection = lite_weight(c->m, o, LSTM_PROJECTION),
                      .b_projection = lite_weight(c->m, o, LSTM_PROJECTION_B) };
    l->peephole_order = l->peephole ? "ifo" : NULL;
    l->clip_projection = l->W_projection ? MAX(o->proj_clip, 0) : 0;
    if (strcmp(curve, "tanh") != 0) {
        const char *const curves[] = { "sigmoid", curve, curve };
        memcpy(l->activations, curves, sizeof curves);
        l->n_activations = 3;
    }
    return 1;
}

static int set_rnn(const Chain *c, int k, LayerSpec *l)
{
    const char *curve = curve_of(c->cell[k].activation), *b = role_name(c, k, "b");
    if (!curve)
        return refuse(c, &c->cell[k], c->number[k], "an activation that no cell here has");
    *l = (LayerSpec){ .cell = "rnn", .gates = "h", .W = role_name(c, k, "W"), .R = role_name(c, k, "R") };
    if (b)
        l->b[l->n_b++] = b;
    if (strcmp(curve, "tanh") != 0)
        l->activations[l->n_activations++] = curve;
    return 1;
}

/* ---- the chain ---- */

/* The operator that gives a tensor, or -1. */
static int giver(const Chain *c, int tensor, LiteOperator *out)
{
    int n = lite_operators(c->bytes);
    for (int i = 0; i < n; i++)
        if (lite_operator(c->bytes, i, out))
            for (int k = 0; k < out->outputs; k++)
                if (out->out[k] == tensor)
                    return i;
    return -1;
}

static int find_cells(Chain *c)
{
    LiteOperator o;
    int n = lite_operators(c->bytes);
    for (int i = 0; i < n; i++) {
        if (!lite_operator(c->bytes, i, &o))
            continue;
        if (o.code == 52 || o.code == 46 || o.code == 16 || o.code == 119
            || (o.code == LITE_CUSTOM && o.custom && strstr(o.custom, "GRU")))
            return refuse(c, &o, i, o.code == 52 || o.code == 46 ? "two directions, which this version does not read"
                          : "not read: only UNIDIRECTIONAL_SEQUENCE_LSTM and _RNN are; import the model it was converted "
                            "from (.keras, .h5)");
        if (o.code != LITE_LSTM && o.code != LITE_RNN)
            continue;
        if (c->n == LAYERS_MAX || o.outputs < 1)
            return refuse(c, &o, i, o.outputs < 1 ? "it has no output" : "more recurrent layers than are supported");
        c->number[c->n] = i;
        c->cell[c->n++] = o;
    }
    return c->n;
}

/* Where x of layer k comes from. */
static int find_source(Chain *c, int k)
{
    LiteOperator o;
    int tensor = lite_input(&c->cell[k], 0), between = -1;
    c->from[k] = -1;
    c->source[k] = tensor;
    for (int hops = 0; hops < HOPS_MAX; hops++) {
        int at = giver(c, tensor, &o);
        for (int i = 0; i < c->n; i++)
            if (c->number[i] == at)
                c->from[k] = i;
        if (at >= 0 && (o.code == 105 || o.code == 112) && c->from[k] < 0)
            return refuse(c, &c->cell[k], c->number[k], "it runs backward (a reversed input), which this version does not "
                                                        "read");
        if (c->from[k] >= 0 && between >= 0)
            return lite_operator(c->bytes, between, &o) ? refuse(c, &o, between, "it stands between two recurrent layers, "
                                                                 "which this version does not read") : -1;
        if (at < 0 || c->from[k] >= 0)
            return 1;
        if (o.code != LITE_QUANTIZE && o.code != LITE_DEQUANTIZE)
            between = at;
        tensor = lite_input(&o, 0);
    }
    return 1;
}

/* Layers in the order of the graph: each takes what the one before gives, and only the first takes something else. */
static int check_order(const Chain *c)
{
    for (int k = 0; k < c->n; k++) {
        if (c->from[k] != k - 1)
            return refuse(c, &c->cell[k], c->number[k], "it does not take what the recurrent layer before it gives: "
                                                        "branches are not read");
        if (k > 0 && c->cell[k].time_major != c->cell[k - 1].time_major)
            return refuse(c, &c->cell[k], c->number[k], "steps and sequences are exchanged before it");
    }
    return 1;
}

/* ---- quantised weights ---- */

/* dB of what is left when each row is rounded to so many bits with a power of two as its scale, as a core does. */
static double rounded_db(const Tensor *t, int bits)
{
    double signal = 0, noise = 0, most = ldexp(1, bits - 1) - 1;
    int64_t columns = t->count / t->shape[0];
    for (int64_t r = 0; r < t->shape[0]; r++) {
        const float *row = t->data + r * columns;
        double peak = 0;
        for (int64_t k = 0; k < columns; k++)
            peak = MAX(peak, fabs((double)row[k]));
        double step = peak > 0 ? exp2(-floor(log2(most / peak))) : 1;
        for (int64_t k = 0; k < columns; k++) {
            double error = (double)row[k] - rint((double)row[k] / step) * step;
            signal += (double)row[k] * (double)row[k];
            noise += error * error;
        }
    }
    return noise > 0 ? 10 * log10(signal / noise) : 999;
}

static void warn_quantised(const Chain *c, int k)
{
    const Lite *lite = c->m->own;
    LiteTensor W, R;
    bool lstm = c->cell[k].code == LITE_LSTM;
    if (!lite_tensor(lite->bytes.data, lite_input(&c->cell[k], lstm ? LSTM_W + 1 : RNN_W), &W)
        || !lite_tensor(lite->bytes.data, lite_input(&c->cell[k], lstm ? LSTM_R + 1 : RNN_R), &R)
        || (W.scales == 0 && R.scales == 0))
        return;
    Arena *scratch = arena_new();
    Tensor *m[] = { model_peek(c->m, scratch, diag_new(scratch), role_name(c, k, "W")),
                    model_peek(c->m, scratch, diag_new(scratch), role_name(c, k, "R")) };
    if (m[0] && m[1] && m[0]->rank == 2 && m[1]->rank == 2)
        diag_warn(c->s->diag, c->s->from, "%s: layer %d has weights of 8 bits with a scale of any size; a core has a power of "
                  "two for each row: rounded to that, W keeps %.1f dB and R %.1f dB with precision.weight 8, %.1f and %.1f "
                  "with %d", c->s->file, k, rounded_db(m[0], 8), rounded_db(m[1], 8), rounded_db(m[0], BITS_MORE),
                  rounded_db(m[1], BITS_MORE), BITS_MORE);
    arena_free(scratch);
}

/* ---- the borders ---- */

static const char *tensor_name(const Chain *c, int tensor)
{
    LiteTensor t;
    return tensor >= 0 && lite_tensor(c->bytes, tensor, &t) && t.name[0] ? str_dup(c->m->arena, t.name)
                                                                       : str_format(c->m->arena, "tensor %d", tensor);
}

/* Does it only change how numbers are written? */
static bool is_format(const LiteOperator *o)
{
    return o->code == LITE_QUANTIZE || o->code == LITE_DEQUANTIZE;
}

/* The operator that reads a tensor, or -1. */
static int reader(const Chain *c, int tensor, LiteOperator *out)
{
    for (int i = 0; i < lite_operators(c->bytes); i++)
        for (int k = 0; lite_operator(c->bytes, i, out) && k < out->inputs; k++)
            if (out->in[k] == tensor)
                return i;
    return -1;
}

static void warn_border(const Chain *c, const char *what, const LiteOperator *o, int number)
{
    diag_warn(c->s->diag, c->s->from, "%s: what %s %s (operator %d of the graph)", c->s->file, what,
              yaml_comment(c->m->arena, operator_name(c, o)), number);
}

static void warn_borders(const Chain *c)
{
    LiteOperator o;
    int at = giver(c, c->source[0], &o);
    for (int k = 0; k < HOPS_MAX && at >= 0 && is_format(&o); k++)
        at = giver(c, lite_input(&o, 0), &o);
    if (at >= 0)
        warn_border(c, "makes x is outside the core:", &o, at);
    at = reader(c, c->cell[c->n - 1].out[0], &o);
    for (int k = 0; k < HOPS_MAX && at >= 0 && is_format(&o) && o.outputs > 0; k++)
        at = reader(c, o.out[0], &o);
    if (at >= 0)
        warn_border(c, "follows is outside the core, from there on:", &o, at);
}

static const uint8_t *reached(const Chain *c)
{
    const Lite *l = c->m->own;
    uint8_t *all = ARENA_ARRAY(c->m->arena, uint8_t, MAX(c->m->n, 1));
    for (int k = 0; k < c->n; k++)
        for (int i = 1; i < c->cell[k].inputs; i++)
            for (int t = 0; t < c->m->n; t++)
                if (l->tensor[t] == c->cell[k].in[i])
                    all[t] = true;
    return all;
}

int tflite_layers(Model *m, const Subject *s, FoundNetwork *out)
{
    Chain *c = ARENA_NEW(m->arena, Chain);
    *c = (Chain){ .m = m, .s = s, .bytes = ((const Lite *)m->own)->bytes.data };
    int n = find_cells(c);
    if (n <= 0) {
        if (n == 0)
            subject_error(s, "no recurrent operator (UNIDIRECTIONAL_SEQUENCE_LSTM or _RNN) is in its graph");
        return -1;
    }
    for (int k = 0; k < n; k++)
        if (find_source(c, k) < 0)
            return -1;
    if (check_order(c) < 0)
        return -1;
    *out = (FoundNetwork){ .n = n, .reached = reached(c), .input = tensor_name(c, c->source[0]),
                           .output = tensor_name(c, c->cell[n - 1].out[0]) };
    for (int k = 0; k < n; k++) {
        if ((c->cell[k].code == LITE_LSTM ? set_lstm(c, k, &out->layer[k]) : set_rnn(c, k, &out->layer[k])) < 0)
            return -1;
        warn_quantised(c, k);
    }
    warn_borders(c);
    return n;
}
