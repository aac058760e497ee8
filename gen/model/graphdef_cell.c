/* graphdef_cell.c: cells in a frozen graph of TensorFlow: one node of the graph is what a cell gives, and what leads to
 * it says all about the cell. Names of nodes play no part.
 *
 *   LSTM  h = a(o + P c) * b(c), c = s(f + P c' + forget_bias) * c' + s(i + P c') * g(j), i, j, f, o = Split([x, h] K + b)
 *   GRU   h = u * h' + (1 - u) * g([x, r * h'] K + b), r, u = Split(s([x, h'] K + b))
 *   RNN   h = g([x, h'] K + b)
 *   BlockLSTM, BlockLSTMV2, LSTMBlockCell, GRUBlockCell: operators of their own. */
#include "model/graphdef.h"

#include <string.h>

enum { TERMS = 6, GATES_LSTM = 4 };

/* ---- curves ---- */

/* Is 0.2 v + 0.5, limited to 0 .. 1? */
static bool hard_sigmoid(Ref r, Ref *of, const char **curve)
{
    double low, high, slope, offset;
    Ref sum, in[2], scaled[2];
    if (!tf_limited(r, &sum, &low, &high) || low != 0 || high != 1 || !tf_operands(sum, "Add", in))
        return false;
    int k = tf_scalar(in[1], &offset) ? 0 : 1;
    if (!tf_scalar(in[1 - k], &offset) || offset != 0.5 || !tf_operands(in[k], "Mul", scaled))
        return false;
    int at = tf_scalar(scaled[1], &slope) ? 0 : 1;
    if (!tf_scalar(scaled[1 - at], &slope))
        return false;
    *of = scaled[at];
    *curve = (float)slope == 0.2f ? "hard_sigmoid" : (float)slope == (float)(1.0 / 6.0) ? "hard_sigmoid_6" : NULL;
    return *curve != NULL;
}

/* A curve that the core has. */
static bool curve_of(Ref r, Ref *of, const char **curve)
{
    static const char *const OPERATORS[][2] = { { "Sigmoid", "sigmoid" }, { "Tanh", "tanh" }, { "Relu", "relu" } };
    for (int i = 0; i < LENGTH(OPERATORS); i++)
        if (tf_is(r, OPERATORS[i][0])) {
            *of = tf_input(r.node, 0);
            *curve = OPERATORS[i][1];
            return true;
        }
    if (tf_is(r, "LeakyRelu") && (float)tf_number(r.node, "alpha", 0.2) == 0.01f) {
        *of = tf_input(r.node, 0);
        *curve = "leaky_relu";
        return true;
    }
    return hard_sigmoid(r, of, curve);
}

/* ---- products ---- */

/* [x, h] K + b, or x W + h R + b. */
typedef struct Affine {
    Ref x, h;
    const TfNode *kernel, *W, *R, *b;
} Affine;

static const TfNode *matrix(Ref product)
{
    const TfNode *n = product.node;
    bool plain = tf_is(product, "MatMul") && n->inputs == 2 && !tf_flag(n, "transpose_a", false)
              && !tf_flag(n, "transpose_b", false);
    return plain ? tf_constant(tf_input(n, 1)) : NULL;
}

/* [x, h] of two values, along the last axis. */
static bool concatenation(Ref r, Ref *x, Ref *h)
{
    double axis;
    if (!tf_is(r, "ConcatV2") || r.node->inputs != 3 || !tf_scalar(tf_input(r.node, 2), &axis) || (axis != 1 && axis != -1))
        return false;
    *x = tf_input(r.node, 0);
    *h = tf_input(r.node, 1);
    return true;
}

/* Adds one term of the sum; which of two products is that of h is told by the caller. */
static bool affine_term(Ref r, Affine *out)
{
    const TfNode *K = matrix(r), *b = tf_constant(r);
    if (b && !out->b) {
        out->b = b;
        return true;
    }
    Ref v = K ? tf_input(r.node, 0) : (Ref){ NULL, 0 };
    if (K && !out->kernel && !out->W && concatenation(v, &out->x, &out->h)) {
        out->kernel = K;
        return true;
    }
    if (!K || out->kernel || out->R)
        return false;
    *(out->W ? &out->R : &out->W) = K;
    *(out->W == K && out->x.node == NULL ? &out->x : &out->h) = v;
    return true;
}

static bool affine_sum(Ref r, Affine *out, int depth)
{
    Ref in[2];
    if (tf_is(r, "BiasAdd") && r.node->inputs == 2) {
        in[0] = tf_input(r.node, 0);
        in[1] = tf_input(r.node, 1);
    } else if (!tf_operands(r, "Add", in)) {
        return affine_term(r, out);
    }
    return depth < TERMS && affine_sum(in[0], out, depth + 1) && affine_sum(in[1], out, depth + 1);
}

static bool affine(Ref r, Affine *out)
{
    *out = (Affine){ 0 };
    return affine_sum(r, out, 0) && (out->kernel || out->R);
}

/* The one of two products that reads this value is the recurrent one. */
static bool set_recurrent(Affine *a, Ref h)
{
    if (!a->kernel && same_ref(a->x, h)) {
        Ref x = a->h;
        const TfNode *W = a->R;
        a->h = a->x, a->R = a->W;
        a->x = x, a->W = W;
    }
    return same_ref(a->h, h);
}

static void set_weights(const Affine *a, LayerSpec *l)
{
    l->transpose = true;
    l->kernel = a->kernel ? a->kernel->name : NULL;
    l->W = a->W ? a->W->name : NULL;
    l->R = a->R ? a->R->name : NULL;
    if (a->b)
        l->b[l->n_b++] = a->b->name;
}

/* ---- LSTM ---- */

/* What a gate's curve is of: an output of the split, a constant, a peephole. */
typedef struct Gate {
    Ref split;
    double offset;
    const TfNode *peephole;
    Ref of;                             /* what the peephole multiplies */
    const char *curve;
} Gate;

static bool gate_peephole(Ref r, Gate *g)
{
    Ref in[2];
    if (g->peephole || !tf_operands(r, "Mul", in))
        return false;
    int k = tf_constant(in[0]) ? 0 : 1;
    g->peephole = tf_constant(in[k]);
    g->of = in[1 - k];
    return g->peephole != NULL;
}

static bool gate_sum(Ref r, Gate *g, int depth)
{
    Ref in[2];
    double number;
    if (tf_operands(r, "Add", in))
        return depth < TERMS && gate_sum(in[0], g, depth + 1) && gate_sum(in[1], g, depth + 1);
    if (tf_is(r, "Split") && !g->split.node) {
        g->split = r;
        return true;
    }
    if (tf_scalar(r, &number)) {
        g->offset += number;
        return true;
    }
    return gate_peephole(r, g);
}

static bool gate_of(Ref r, Gate *g)
{
    Ref of;
    *g = (Gate){ 0 };
    return curve_of(r, &of, &g->curve) && gate_sum(of, g, 0) && g->split.node;
}

/* A curve of a gate, and something else beside it. */
static bool gate_times(Ref product, Gate *g, Ref *other)
{
    Ref in[2];
    if (!tf_operands(product, "Mul", in))
        return false;
    int k = gate_of(in[0], g) ? 0 : gate_of(in[1], g) ? 1 : -1;
    if (k >= 0)
        *other = in[1 - k];
    return k >= 0;
}

typedef struct Lstm {
    Gate i, f, o, g;
    Ref c, c_before;
    const char *state_curve;
    double clip;
    Affine sum;
} Lstm;

/* s(i) * g(j): the gate that has a peephole is i; without one, i is the sigmoid's side. */
static bool input_product(Ref r, Lstm *l)
{
    Ref in[2];
    if (!tf_operands(r, "Mul", in) || !gate_of(in[0], &l->i) || !gate_of(in[1], &l->g))
        return false;
    if (l->g.peephole || strstr(l->g.curve, "sigmoid")) {
        Gate swap = l->i;
        l->i = l->g;
        l->g = swap;
    }
    return !l->g.peephole && l->g.offset == 0;
}

/* f * c' + i * g, whichever comes first. */
static bool state_sum(Ref r, Lstm *l)
{
    Ref in[2];
    if (!tf_operands(r, "Add", in))
        return false;
    for (int k = 0; k < 2; k++)
        if (input_product(in[1 - k], l) && gate_times(in[k], &l->f, &l->c_before))
            return true;
    return false;
}

static bool new_state(Ref r, Lstm *l)
{
    double low, high;
    Ref inner = r;
    l->c = r;
    if (tf_limited(r, &inner, &low, &high)) {
        if (low != -high || high <= 0)
            return false;
        l->clip = high;
    }
    return state_sum(inner, l);
}

static bool lstm_output(Ref product, Lstm *l)
{
    Ref in[2], state;
    if (!tf_operands(product, "Mul", in))
        return false;
    for (int k = 0; k < 2; k++) {
        *l = (Lstm){ 0 };
        if (curve_of(in[k], &state, &l->state_curve) && new_state(state, l) && gate_of(in[1 - k], &l->o))
            return true;
    }
    return false;
}

/* All gates are of one split in four, whose input is the sum. */
static bool lstm_split(Lstm *l)
{
    const TfNode *split = l->i.split.node;
    unsigned ports = 0;
    const Gate *gate[] = { &l->i, &l->f, &l->g, &l->o };
    for (int k = 0; k < LENGTH(gate); k++) {
        if (gate[k]->split.node != split || gate[k]->split.port < 0 || gate[k]->split.port >= GATES_LSTM)
            return false;
        ports |= 1u << gate[k]->split.port;
    }
    return ports == 15 && tf_number(split, "num_split", 0) == GATES_LSTM && affine(tf_input(split, 1), &l->sum);
}

static int refused(const Subject *s, const TfCell *c, const char *what)
{
    subject_error(s, "%s of %s '%.160s': %s", c->kind, c->root->op, c->root->name, what);
    return -1;
}

/* i and f see the state before the step, o the new one; all three or none. */
static const char *lstm_fault(const Lstm *l)
{
    int n = (l->i.peephole != NULL) + (l->f.peephole != NULL) + (l->o.peephole != NULL);
    if (n != 0 && n != 3)
        return "peepholes of some gates only, which this version does not read";
    if (n == 3 && (!same_ref(l->i.of, l->c_before) || !same_ref(l->f.of, l->c_before) || !same_ref(l->o.of, l->c)))
        return "its peepholes do not see the state as a cell's do (i and f the old one, o the new one)";
    if (l->i.offset != 0 || l->o.offset != 0)
        return "a constant is added to another gate than f: add it to the bias";
    if (strcmp(l->i.curve, l->f.curve) != 0 || strcmp(l->i.curve, l->o.curve) != 0)
        return "its gates have different activations, which no cell here has";
    return NULL;
}

static void lstm_spec(Arena *a, const Lstm *l, LayerSpec *out)
{
    char *gates = str_dup(a, "....");
    *out = (LayerSpec){ .cell = "lstm", .forget_bias = l->f.offset, .clip_cell = l->clip };
    gates[l->i.split.port] = 'i';
    gates[l->f.split.port] = 'f';
    gates[l->g.split.port] = 'j';
    gates[l->o.split.port] = 'o';
    out->gates = gates;
    if (l->i.peephole) {
        const char *const part[] = { l->i.peephole->name, l->f.peephole->name, l->o.peephole->name };
        out->peephole = join_name(a, part, 3);
        out->peephole_order = "ifo";
    }
    const char *const curves[] = { l->i.curve, l->g.curve, l->state_curve };
    if (strcmp(curves[0], "sigmoid") != 0 || strcmp(curves[1], "tanh") != 0 || strcmp(curves[2], "tanh") != 0)
        for (int k = 0; k < 3; k++)
            out->activations[out->n_activations++] = curves[k];
}

/* The projection behind the cell's product: what is fed back then is m P, limited or not. */
static void projection(TfCell *c)
{
    Loop loop;
    double low, high;
    if (!tf_loop(c->h_before, &loop))
        return;
    Ref product = loop.next;
    bool limited = tf_limited(loop.next, &product, &low, &high) && low == -high && high > 0;
    const TfNode *P = matrix(product);
    if (!P || !same_ref(tf_input(product.node, 0), c->h))
        return;
    c->spec.W_projection = P->name;
    c->spec.clip_projection = limited ? high : 0;
    c->h = loop.next;
}

static int lstm_cell(Arena *a, const Subject *s, const TfNode *n, TfCell *out)
{
    Lstm l;
    if (!lstm_output((Ref){ n, 0 }, &l) || !lstm_split(&l))
        return 0;
    *out = (TfCell){ .kind = "LSTM", .root = n, .h = { n, 0 }, .c = l.c, .c_before = l.c_before, .x = l.sum.x,
                     .h_before = l.sum.h };
    Loop loop;
    if (!l.sum.kernel && !tf_loop(l.sum.h, &loop) && tf_loop(l.sum.x, &loop) && set_recurrent(&l.sum, l.sum.x)) {
        out->x = l.sum.x;
        out->h_before = l.sum.h;
    }
    const char *fault = lstm_fault(&l);
    if (fault)
        return refused(s, out, fault);
    lstm_spec(a, &l, &out->spec);
    set_weights(&l.sum, &out->spec);
    projection(out);
    return 1;
}

/* ---- GRU and RNN ---- */

/* (1 - u), of the same u. */
static bool is_rest(Ref r, Ref u)
{
    Ref in[2];
    double one;
    return tf_operands(r, "Sub", in) && tf_scalar(in[0], &one) && one == 1 && same_ref(in[1], u);
}

typedef struct Gru {
    Ref u, h;
    Gate r;
    Affine candidate, gates;
    const char *curve, *gate_curve;
} Gru;

/* u * h' and (1 - u) * c, each in either order. */
static bool gru_output(Ref sum, Gru *g, Ref *candidate)
{
    Ref in[2], kept[2], made[2];
    if (!tf_operands(sum, "Add", in))
        return false;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4; i++) {
            if (!tf_operands(in[k], "Mul", kept) || !tf_operands(in[1 - k], "Mul", made))
                continue;
            g->u = kept[i & 1];
            g->h = kept[1 - (i & 1)];
            *candidate = made[1 - (i >> 1)];
            if (tf_is(g->u, "Split") && is_rest(made[i >> 1], g->u))
                return true;
        }
    return false;
}

static bool gru_candidate(Ref r, Gru *g)
{
    Ref sum, reset[2], of;
    if (!curve_of(r, &sum, &g->curve) || !affine(sum, &g->candidate) || !g->candidate.kernel
        || !tf_operands(g->candidate.h, "Mul", reset))
        return false;
    int k = same_ref(reset[0], g->h) ? 1 : 0;
    const TfNode *split = g->u.node;
    return same_ref(reset[1 - k], g->h) && reset[k].node == split && reset[k].port != g->u.port
        && reset[k].port + g->u.port == 1 && tf_number(split, "num_split", 0) == 2
        && curve_of(tf_input(split, 1), &of, &g->gate_curve) && affine(of, &g->gates) && g->gates.kernel
        && same_ref(g->gates.h, g->h) && same_ref(g->gates.x, g->candidate.x);
}

static int gru_cell(Arena *a, const Subject *s, const TfNode *n, TfCell *out)
{
    Gru g = { 0 };
    Ref candidate;
    if (!gru_output((Ref){ n, 0 }, &g, &candidate) || !gru_candidate(candidate, &g))
        return 0;
    const char *const kernels[] = { g.gates.kernel->name, g.candidate.kernel->name };
    *out = (TfCell){ .kind = "GRU", .root = n, .h = { n, 0 }, .h_before = g.h, .x = g.gates.x };
    out->spec = (LayerSpec){ .cell = "gru_before", .transpose = true, .gates = g.u.port == 1 ? "ruc" : "urc",
                             .kernel = join_name(a, kernels, 2) };
    if (!g.gates.b != !g.candidate.b)
        return refused(s, out, "a bias of the gates or of the candidate alone, which this version does not read");
    if (g.gates.b) {
        const char *const biases[] = { g.gates.b->name, g.candidate.b->name };
        out->spec.b[out->spec.n_b++] = join_name(a, biases, 2);
    }
    if (strcmp(g.gate_curve, "sigmoid") != 0 || strcmp(g.curve, "tanh") != 0) {
        out->spec.activations[0] = g.gate_curve;
        out->spec.activations[1] = g.curve;
        out->spec.n_activations = 2;
    }
    return 1;
}

/* Any curve of a product could be one: it is, where its value is the next h. */
static int rnn_cell(const TfNode *n, TfCell *out)
{
    Ref sum;
    Affine a;
    Loop loop;
    const char *curve;
    if (!curve_of((Ref){ n, 0 }, &sum, &curve) || !affine(sum, &a))
        return 0;
    for (int k = 0; k < 2; k++) {
        Ref h = k == 0 ? a.h : a.x;
        if (!tf_loop(h, &loop) || loop.next.node != n || !set_recurrent(&a, h))
            continue;
        *out = (TfCell){ .kind = "RNN", .root = n, .h = { n, 0 }, .h_before = a.h, .x = a.x };
        out->spec = (LayerSpec){ .cell = "rnn", .gates = "h" };
        set_weights(&a, &out->spec);
        if (strcmp(curve, "tanh") != 0)
            out->spec.activations[out->spec.n_activations++] = curve;
        return 1;
    }
    return 0;
}

/* ---- operators that are a cell ---- */

/* Inputs: x, c', h', K, wci, wcf, wco, b; the operators of whole sequences have their number before. Clip and bias are
 * what the operator's definition takes where the attribute is not written. */
static const struct {
    const char *op, *gates;
    int first, h, c;                    /* which input x is; outputs */
    bool whole;
    double forget_bias, clip;
} BLOCKS[] = {
    { "BlockLSTM", "icfo", 1, 6, 1, true, 1, 3 },
    { "BlockLSTMV2", "ifco", 1, 6, 1, true, 0, 0 },
    { "LSTMBlockCell", "icfo", 0, 6, 1, false, 1, 3 },
};

static int block_lstm(Arena *a, const Subject *s, const TfNode *n, int k, TfCell *out)
{
    int at = BLOCKS[k].first;
    const TfNode *part[5];
    *out = (TfCell){ .kind = "LSTM", .root = n, .h = { n, BLOCKS[k].h }, .c = { n, BLOCKS[k].c },
                     .whole = BLOCKS[k].whole };
    for (int i = 0; i < LENGTH(part); i++)
        part[i] = tf_constant(tf_input(n, at + 3 + i));
    if (n->inputs != at + 8 || !part[0] || !part[4])
        return refused(s, out, "its weights are no constants");
    out->x = tf_input(n, at);
    out->c_before = tf_input(n, at + 1);
    out->h_before = tf_input(n, at + 2);
    double clip = tf_number(n, "cell_clip", BLOCKS[k].clip);
    out->spec = (LayerSpec){ .cell = "lstm", .transpose = true, .gates = BLOCKS[k].gates, .kernel = part[0]->name,
                             .b = { part[4]->name }, .n_b = 1, .clip_cell = MAX(clip, 0) };
    out->spec.forget_bias = tf_number(n, "forget_bias", BLOCKS[k].forget_bias);
    if (!tf_flag(n, "use_peephole", false))
        return 1;
    if (!part[1] || !part[2] || !part[3])
        return refused(s, out, "its peepholes are no constants");
    const char *const names[] = { part[1]->name, part[2]->name, part[3]->name };
    out->spec.peephole = join_name(a, names, 3);
    out->spec.peephole_order = "ifo";
    return 1;
}

/* x, h', w_ru, w_c, b_ru, b_c. */
static int block_gru(Arena *a, const Subject *s, const TfNode *n, TfCell *out)
{
    const char *name[4];
    *out = (TfCell){ .kind = "GRU", .root = n, .h = { n, 3 }, .x = tf_input(n, 0), .h_before = tf_input(n, 1) };
    for (int i = 0; i < LENGTH(name); i++) {
        const TfNode *c = tf_constant(tf_input(n, 2 + i));
        if (!c)
            return refused(s, out, "its weights are no constants");
        name[i] = c->name;
    }
    out->spec = (LayerSpec){ .cell = "gru_before", .transpose = true, .gates = "ruc", .kernel = join_name(a, name, 2),
                             .b = { join_name(a, name + 2, 2) }, .n_b = 1 };
    return 1;
}

int tf_cell(Model *m, const Subject *s, const TfNode *n, TfCell *out)
{
    for (int k = 0; k < LENGTH(BLOCKS); k++)
        if (strcmp(n->op, BLOCKS[k].op) == 0)
            return block_lstm(m->arena, s, n, k, out);
    if (strcmp(n->op, "GRUBlockCell") == 0)
        return block_gru(m->arena, s, n, out);
    int lstm = lstm_cell(m->arena, s, n, out);
    int gru = lstm == 0 ? gru_cell(m->arena, s, n, out) : lstm;
    return gru == 0 ? rnn_cell(n, out) : gru;
}
