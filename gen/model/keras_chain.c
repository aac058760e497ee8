/* keras_chain.c: the order of the layers, from Keras's configuration: a Sequential is a list, a Functional model a
 * graph whose nodes name where they take their input from (Keras 2: [name, node, tensor]; Keras 3: keras_history). */
#include "model/keras.h"

#include <ctype.h>
#include <string.h>

enum { NESTING_MAX = 16, INPUTS_MAX = 8 };

const char *keras_text(const json_t *o, const char *key, const char *otherwise)
{
    const json_t *v = json_object_get(o, key);
    if (json_is_object(v))              /* a function: {"class_name": "function", "config": "tanh"} */
        v = json_object_get(v, "config");
    return json_is_string(v) ? json_string_value(v) : v && !json_is_null(v) ? "?" : otherwise;
}

bool keras_true(const json_t *o, const char *key, bool otherwise)
{
    const json_t *v = json_object_get(o, key);
    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

bool keras_recurrent(const KerasLayer *l)
{
    static const char *const ALL[] = { "LSTM", "CuDNNLSTM", "GRU", "CuDNNGRU", "SimpleRNN", "RNN", "Bidirectional",
                                       "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D" };
    for (int i = 0; i < LENGTH(ALL); i++)
        if (strcmp(l->class, ALL[i]) == 0)
            return true;
    return false;
}

/* ---- one layer ---- */

/* A class that somebody registered is not Keras's, whatever it is called. */
static const char *class_of(const json_t *layer)
{
    const char *name = keras_text(layer, "class_name", "?"), *registered = keras_text(layer, "registered_name", "");
    return strchr(registered, '>') ? registered : name;
}

/* LSTM -> lstm, TimeDistributed -> time_distributed: what Keras 3 calls the groups of weights. */
static const char *snake(Arena *a, const char *class)
{
    Buffer b;
    buffer_init(&b, a);
    for (const char *p = class; *p; p++) {
        bool upper = isupper((unsigned char)*p);
        bool edge = p > class && upper && (islower((unsigned char)p[-1]) || islower((unsigned char)p[1]));
        buffer_print(&b, "%s%c", edge ? "_" : "", tolower((unsigned char)*p));
    }
    return b.text;
}

static const char *group_of(Arena *a, const Keras *k, const json_t *layers, size_t index)
{
    const json_t *layer = json_array_get(layers, index);
    if (!k->archive)
        return str_format(a, "model_weights/%s/",
                          keras_text(json_object_get(layer, "config"), "name", keras_text(layer, "name", "?")));
    int before = 0;
    for (size_t i = 0; i < index; i++)
        before += strcmp(class_of(json_array_get(layers, i)), class_of(layer)) == 0;
    const char *name = snake(a, class_of(layer));
    return before == 0 ? str_format(a, "layers/%s/", name) : str_format(a, "layers/%s_%d/", name, before);
}

/* LSTM for the cell of RNN(LSTMCell); NULL: another cell. */
static const char *class_of_cell(const json_t *cell)
{
    static const char *const CELLS[][2] = { { "LSTMCell", "LSTM" }, { "GRUCell", "GRU" },
                                            { "SimpleRNNCell", "SimpleRNN" } };
    for (int i = 0; i < LENGTH(CELLS); i++)
        if (strcmp(class_of(cell), CELLS[i][0]) == 0)
            return CELLS[i][1];
    return NULL;
}

static KerasLayer read_layer(Arena *a, const Keras *k, const json_t *layers, size_t index)
{
    const json_t *layer = json_array_get(layers, index);
    KerasLayer l = { .class = class_of(layer), .config = json_object_get(layer, "config"),
                     .keras3 = k->keras3 };
    l.name = keras_text(l.config, "name", keras_text(layer, "name", "?"));
    l.group = group_of(a, k, layers, index);
    l.outer = l.config;
    const json_t *inner = json_object_get(l.config, strcmp(l.class, "RNN") == 0 ? "cell" : "layer");
    bool distributed = strcmp(l.class, "TimeDistributed") == 0;
    const char *class = distributed ? class_of(inner) : strcmp(l.class, "RNN") == 0 ? class_of_cell(inner) : NULL;
    if (class) {
        l.class = class;
        l.config = json_object_get(inner, "config");
    }
    return l;
}

/* ---- a graph ---- */

typedef struct From { const char *name; long long tensor; } From;

/* Collects [name, node, tensor, ...] and keras_history wherever they are in a node. */
static int find_inputs(const json_t *v, From out[INPUTS_MAX], int n, int depth)
{
    const json_t *history = json_object_get(v, "keras_history"), *part = history ? history : v;
    const char *key;
    json_t *child;
    size_t i;
    if (depth > NESTING_MAX || n >= INPUTS_MAX)
        return INPUTS_MAX;
    if (json_is_string(json_array_get(part, 0)) && json_is_integer(json_array_get(part, 1))
        && json_is_integer(json_array_get(part, 2))) {
        out[n++] = (From){ json_string_value(json_array_get(part, 0)), json_integer_value(json_array_get(part, 2)) };
        return json_is_object(json_array_get(part, 3)) ? find_inputs(json_array_get(part, 3), out, n, depth + 1) : n;
    }
    json_array_foreach(v, i, child)
        n = find_inputs(child, out, n, depth + 1);
    json_object_foreach((json_t *)v, key, child)
        n = find_inputs(child, out, n, depth + 1);
    return n;
}

static int find_layer(const json_t *layers, const char *name)
{
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *l = json_array_get(layers, i);
        if (strcmp(keras_text(l, "name", keras_text(json_object_get(l, "config"), "name", "")), name) == 0)
            return (int)i;
    }
    return -1;
}

static bool graph_fault(const Subject *s, const char *what, const char *layer, const char *why)
{
    subject_error(s, "%s layer '%.200s' %s: only a chain of layers is read; name the tensors that are meant in "
                     "model.layers", what, layer, why);
    return false;
}

/* Layers from the output back to the input, or to where more than one value comes together before the first recurrent
 * one. */
static bool walk_back(const Subject *s, const json_t *layers, From at, int path[CHAIN_MAX], int *n, bool recurrent[])
{
    bool seen = false;
    for (*n = 0; *n < CHAIN_MAX;) {
        From from[INPUTS_MAX];
        int i = find_layer(layers, at.name);
        const json_t *layer = json_array_get(layers, (size_t)MAX(i, 0));
        const json_t *nodes = json_object_get(layer, "inbound_nodes");
        if (i < 0)
            return graph_fault(s, "the", at.name, "is not in the configuration");
        const char *class = class_of(layer);
        if (at.tensor != 0)
            return graph_fault(s, class, at.name, "gives its state to another");
        path[(*n)++] = i;
        seen = seen || recurrent[i];
        if (strcmp(class, "InputLayer") == 0 || json_array_size(nodes) == 0)
            return true;
        if (json_array_size(nodes) > 1)
            return graph_fault(s, class, at.name, "is used more than once");
        int inputs = find_inputs(nodes, from, 0, 0);
        if (inputs != 1 && seen && !recurrent[i])
            return true;                /* the core begins behind it */
        if (inputs != 1)
            return graph_fault(s, class, at.name, inputs == 0 ? "has no input" : "takes more than one value");
        at = from[0];
    }
    return graph_fault(s, "the", at.name, "lies in a chain that is too long, or that goes round");
}

static int chain_of_graph(Arena *a, const Subject *s, const Keras *k, const json_t *config, KerasLayer *out)
{
    const json_t *layers = json_object_get(config, "layers");
    From output[INPUTS_MAX];
    int path[CHAIN_MAX], n, all = 0, outputs = find_inputs(json_object_get(config, "output_layers"), output, 0, 0);
    bool *recurrent = ARENA_ARRAY(a, bool, MAX(json_array_size(layers), 1));
    for (size_t i = 0; i < json_array_size(layers); i++) {
        KerasLayer l = read_layer(a, k, layers, i);
        all += recurrent[i] = keras_recurrent(&l);
    }
    if (outputs != 1) {
        subject_error(s, "a network with %d outputs%s%s: one is built; name the tensors that are meant in model.layers",
                      outputs, outputs > 1 ? ", the first of layer " : "", outputs > 1 ? output[0].name : "");
        return -1;
    }
    if (!walk_back(s, layers, output[0], path, &n, recurrent))
        return -1;
    for (int i = 0; i < n; i++) {
        out[i] = read_layer(a, k, layers, (size_t)path[n - 1 - i]);
        all -= recurrent[path[i]];
    }
    if (all > 0) {                      /* the value that the core would begin with is another core's */
        graph_fault(s, out[0].class, out[0].name, "takes more than one value");
        return -1;
    }
    return n;
}

int keras_chain(Arena *a, const Subject *s, const Keras *k, KerasLayer out[CHAIN_MAX])
{
    const char *class = class_of(k->config);
    const json_t *config = json_object_get(k->config, "config");
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    if (strcmp(class, "Functional") == 0 || strcmp(class, "Model") == 0)
        return chain_of_graph(a, s, k, config, out);
    if (strcmp(class, "Sequential") != 0 || !json_is_array(layers) || json_array_size(layers) > CHAIN_MAX) {
        subject_error(s, "a model of class '%.100s': Sequential and Functional are read; name the tensors that are "
                         "meant in model.layers", class);
        return -1;
    }
    for (size_t i = 0; i < json_array_size(layers); i++)
        out[i] = read_layer(a, k, layers, i);
    return (int)json_array_size(layers);
}
