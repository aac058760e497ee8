/* keras_network.c: which layers of a Keras model the core computes. What a core cannot do at an end of the chain is
 * outside, with a warning; in the middle it is refused by its name. */
#include "model/keras.h"

#include <string.h>

typedef struct Build {
    Model *m;
    const Subject *s;
    Keras *k;
    KerasLayer norm[NORMS_MAX];         /* BatchNormalization that waits for the weights it is folded into */
    int norms, heads;
    const KerasLayer *outside;          /* the last one before the core that it does not compute */
    bool ended, failed;
} Build;

static bool is(const KerasLayer *l, const char *class)
{
    return strcmp(l->class, class) == 0;
}

static void refuse(Build *b, const KerasLayer *l, const char *why)
{
    subject_error(b->s, "%.100s layer '%.200s' %s", l->class, l->name, why);
    b->failed = true;
}

static void warn(const Build *b, const KerasLayer *l, const char *why)
{
    diag_warn(b->s->diag, b->s->from, "%s: %.100s layer '%.200s' %s", b->s->file, l->class, l->name, why);
}

/* ---- what the cells carry ---- */

/* The classes that a cell is there for. What an engine carries of them, the planner knows. */
static const KerasCell CELLS[] = {
    { "LSTM", "lstm", "ifco", false, 1 },      { "CuDNNLSTM", "lstm", "ifco", true, 2 },
    { "GRU", "gru_before", "zrh", false, 1 },  { "GRU", "gru_after", "zrh", false, 2 },
    { "CuDNNGRU", "gru_after", "zrh", true, 2 }, { "SimpleRNN", "rnn", "h", false, 1 },
};

const KerasCell *keras_cell(const KerasLayer *l)
{
    int biases = is(l, "GRU") && keras_true(l->config, "reset_after", false) ? 2 : 0;
    for (int i = 0; i < LENGTH(CELLS); i++)
        if (is(l, CELLS[i].class) && CELLS[i].biases >= biases)
            return &CELLS[i];
    return NULL;
}

/* A curve by Keras's name; NULL: none that is surely the same. Others share a name with one here and differ in a number:
 * hard_sigmoid has the slope 1/5 in Keras 2 and 1/6 in Keras 3, and an .h5 may be of either; leaky_relu 0.2 and here
 * 0.01. */
static const char *curve_of(const char *activation, bool keras3)
{
    static const char *const SAME[][2] = {{"sigmoid", "sigmoid"}, {"tanh", "tanh"}, {"relu", "relu"}, {"linear", "none"}};
    for (int i = 0; i < LENGTH(SAME); i++)
        if (strcmp(activation, SAME[i][0]) == 0)
            return SAME[i][1];
    if (keras3 && strcmp(activation, "hard_sigmoid") == 0)
        return "hard_sigmoid_6";
    return NULL;
}

int keras_activations(const KerasLayer *l, const char *out[ACTIVATIONS_MAX])
{
    const KerasCell *cell = keras_cell(l);
    Curve usual[ACTIVATIONS_MAX];
    int n = cell_activations(cell_find(cell->cell), usual);
    bool same = true;
    for (int i = 0; i < n; i++) {
        bool gate = i == 0 && n > 1;
        const char *otherwise = cell->cudnn ? (gate ? "sigmoid" : "tanh") : gate ? "hard_sigmoid" : "tanh";
        out[i] = curve_of(keras_text(l->config, gate ? "recurrent_activation" : "activation", otherwise),
                          l->keras3);
        if (!out[i])
            return -1;
        same = same && strcmp(out[i], curve_name(usual[i])) == 0;
    }
    return same ? 0 : n;
}

/* Why this version cannot build a recurrent layer, or NULL. The one place that says so. */
static const char *cannot_build(Arena *a, const KerasLayer *l)
{
    const char *unused[ACTIVATIONS_MAX];
    if (!keras_cell(l))
        return "is a cell that this version cannot build; name the tensors of one that it can in model.layers";
    if (keras_activations(l, unused) < 0)
        return str_format(a, "has the activations %.40s and %.40s: a core has sigmoid, tanh, relu and linear; train "
                             "with those", keras_text(l->config, "activation", "tanh"),
                          keras_text(l->config, "recurrent_activation", "hard_sigmoid"));
    if (keras_true(l->outer, "go_backwards", false))
        return "has go_backwards, from the last step to the first: this version cannot build it; turn the steps of the "
               "input round, train with go_backwards=False";
    if (keras_true(l->outer, "return_state", false))
        return "has return_state: this version gives its output alone; build the model without it and load the weights";
    return NULL;
}

/* ---- one layer after the other ---- */

static bool has_bias(const KerasLayer *l)
{
    const KerasCell *cell = keras_recurrent(l) ? keras_cell(l) : NULL;
    return (cell && cell->cudnn) || keras_true(l->config, "use_bias", true);
}

static bool has_weight(Build *b, const KerasLayer *l, const char *role)
{
    if (keras_weight(b->m, l, role))
        return true;
    refuse(b, l, str_format(b->m->arena, "has no %s in the file: expected it in the group '%s'", role, l->group));
    return false;
}

static KerasPart *add_part(Build *b, const KerasLayer *l)
{
    if (b->k->n == LAYERS_MAX) {
        refuse(b, l, str_format(b->m->arena, "is one too many: at most %d are supported", LAYERS_MAX));
        return NULL;
    }
    KerasPart *p = &b->k->part[b->k->n++];
    *p = (KerasPart){ .layer = *l, .n_before = b->norms, .has_bias = has_bias(l),
                       .cell = keras_recurrent(l) ? keras_cell(l) : NULL };
    memcpy(p->before, b->norm, sizeof p->before);
    p->has_bias = p->has_bias || b->norms > 0;
    b->norms = 0;
    b->k->output = l->name;
    return p;
}

static void add_recurrent(Build *b, const KerasLayer *l)
{
    const char *why = cannot_build(b->m->arena, l);
    if (why) {
        refuse(b, l, why);
        return;
    }
    if (b->heads > 0 || (b->k->n > 0 && b->k->last)) {
        refuse(b, l, str_format(b->m->arena, "comes after '%.200s', %s: a core is recurrent layers and one Dense",
                                b->k->part[b->k->n - 1].layer.name,
                                b->heads > 0 ? "which is no recurrent layer" : "which gives its last step alone"));
        return;
    }
    if (!has_weight(b, l, "kernel") || !has_weight(b, l, "recurrent_kernel")
        || (has_bias(l) && !has_weight(b, l, "bias")))
        return;
    if (keras_true(l->outer, "stateful", false))
        warn(b, l, "is stateful: the core starts each sequence from zero; feed what belongs together as one sequence");
    add_part(b, l);
    b->k->last = !keras_true(l->outer, "return_sequences", false);
}

/* The core ends before this layer. */
static void end_before(Build *b, const KerasLayer *l)
{
    warn(b, l, "is not part of the core, which ends before it: apply it, and what follows, to the core's output");
    b->ended = true;
}

/* Before the core, or behind it. */
static void leave_outside(Build *b, const KerasLayer *l)
{
    if (b->k->n > 0) {
        end_before(b, l);
        return;
    }
    b->outside = l;
    b->norms = 0;
}

static void add_dense(Build *b, const KerasLayer *l)
{
    const char *activation = keras_text(l->config, "activation", "linear");
    bool known = strcmp(activation, "linear") == 0 || strcmp(activation, "relu") == 0;
    if (b->k->n == 0 || b->heads > 0) {
        leave_outside(b, l);
        return;
    }
    if (!has_weight(b, l, "kernel") || (has_bias(l) && !has_weight(b, l, "bias")) || !add_part(b, l))
        return;
    b->heads++;
    if (!known) {
        warn(b, l, str_format(b->m->arena, "has the activation %.60s, which is not part of the core: apply it, and "
                                           "what follows, to the core's output", activation));
        b->ended = true;
    }
}

static const char *activation_of(const KerasPart *p)
{
    return keras_text(p->layer.config, "activation", "linear");
}

static bool is_relu(const KerasLayer *l)
{
    const json_t *most = json_object_get(l->config, "max_value");
    bool plain = json_number_value(json_object_get(l->config, "negative_slope")) == 0
              && json_number_value(json_object_get(l->config, "threshold")) == 0 && (!most || json_is_null(most));
    bool named = is(l, "Activation") && strcmp(keras_text(l->config, "activation", ""), "relu") == 0;
    return named || (is(l, "ReLU") && plain);
}

/* A ReLU of its own belongs to the Dense before it. */
static bool takes_relu(const Build *b, const KerasLayer *l)
{
    const KerasPart *p = b->k->n > 0 ? &b->k->part[b->k->n - 1] : NULL;
    return p && b->heads > 0 && b->norms == 0 && is_relu(l) && strcmp(activation_of(p), "linear") == 0;
}

static void add_norm(Build *b, const KerasLayer *l)
{
    if (!has_weight(b, l, "moving_mean") || !has_weight(b, l, "moving_variance"))
        return;
    if (b->norms == NORMS_MAX) {
        refuse(b, l, "is one of too many in a row");
        return;
    }
    b->norm[b->norms++] = *l;
}

/* Norms behind the last Dense become part of it; behind a recurrent layer, or a ReLU, they are outside. */
static void end_norms(Build *b)
{
    KerasPart *p = b->k->n > 0 ? &b->k->part[b->k->n - 1] : NULL;
    if (b->norms == 0 || !p)
        return;
    if (b->heads > 0 && strcmp(activation_of(p), "linear") == 0 && !p->layer.relu) {
        memcpy(p->after, b->norm, sizeof p->after);
        p->n_after = b->norms;
        p->has_bias = true;
        b->norms = 0;
    } else if (!b->ended) {
        end_before(b, &b->norm[0]);
    }
}

static bool is_nothing(const KerasLayer *l)
{
    static const char *const DROPPED[] = { "InputLayer", "Dropout", "SpatialDropout1D", "GaussianNoise",
                                           "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Identity" };
    for (int i = 0; i < LENGTH(DROPPED); i++)
        if (is(l, DROPPED[i]))
            return true;
    return is(l, "Activation") && strcmp(keras_text(l->config, "activation", ""), "linear") == 0;
}

static void step(Build *b, const KerasLayer *l)
{
    if (is_nothing(l))
        return;
    if (is(l, "Masking"))
        warn(b, l, "leaves out masked steps, a core computes all it is given: leave them out of its input");
    else if (is(l, "BatchNormalization"))
        add_norm(b, l);
    else if (keras_recurrent(l))
        add_recurrent(b, l);
    else if (is(l, "Dense"))
        add_dense(b, l);
    else if (takes_relu(b, l))
        b->k->part[b->k->n - 1].layer.relu = true;
    else {
        end_norms(b);
        if (!b->ended)
            leave_outside(b, l);
    }
}

/* ---- all of them ---- */

static int last_recurrent(const KerasLayer *chain, int n)
{
    for (int i = n - 1; i >= 0; i--)
        if (keras_recurrent(&chain[i]))
            return i;
    return -1;
}

static void build(Build *b, const KerasLayer *chain, int n)
{
    int last = last_recurrent(chain, n);
    for (int i = 0; i < n && !b->ended && !b->failed; i++) {
        if (b->k->n == 0 && b->norms == 0 && (is_nothing(&chain[i]) || i == 0))
            b->k->input = chain[i].name;
        step(b, &chain[i]);
        if (b->ended && i < last)
            refuse(b, &chain[i], "lies between recurrent layers, and the core cannot compute it there: name the "
                                 "tensors of those that are meant in model.layers");
    }
    if (!b->failed)
        end_norms(b);
    if (b->outside && !b->failed && b->k->n > 0)
        warn(b, b->outside, "is not part of the core, which starts behind it: verify.input must hold its output");
}

bool keras_network(Model *m, const Subject *s)
{
    Keras *k = m->own;
    KerasLayer *chain = ARENA_ARRAY(m->arena, KerasLayer, CHAIN_MAX);
    Build b = { .m = m, .s = s, .k = k };
    int n = keras_chain(m->arena, s, k, chain);
    k->n = 0;
    k->input = k->output = "?";
    if (n < 0)
        return false;
    build(&b, chain, n);
    if (!b.failed && k->n == 0) {
        subject_error(s, "no recurrent layer on the way from the input to the output: nothing for a core");
        return false;
    }
    return !b.failed;
}
