/* keras.c: models of Keras: .h5 (with or without the network's configuration) and .keras, a zip of config.json and
 * model.weights.h5. Any other HDF5 file is a container of named tensors. */
#include "model/archive.h"
#include "model/keras.h"

#include <stdlib.h>
#include <string.h>

enum { MEMBER_RATIO_MAX = 4, MEMBER_FREE = 16 << 20 };

static bool h5_probe(const char *path, const uint8_t *head, size_t n)
{
    (void)path;
    return n >= 8 && memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0;
}

static bool keras_probe(const char *path, const uint8_t *head, size_t n)
{
    return archive_probe(head, n) && archive_has(path, "model.weights.h5");
}

static bool list_items(Model *m, const Subject *s, const Keras *k)
{
    for (int i = 0; i < k->h5->n; i++)
        if (!model_add(m, s, k->h5->item[i].name))
            return false;
    if (m->n == 0)
        subject_error(s, "an HDF5 file without datasets");
    return m->n > 0;
}

static bool parse_config(const Subject *s, Keras *k, const char *text, size_t n)
{
    json_error_t error;
    k->config = json_loadb(text, n, 0, &error);
    if (!json_is_object(k->config)) {
        subject_error(s, "its configuration is no JSON object: line %d: %s", k->config ? 1 : error.line,
                      k->config ? "another value" : error.text);
        return false;
    }
    return true;
}

static Keras *keras_new(Model *m)
{
    return m->own = ARENA_NEW(m->arena, Keras);
}

static bool h5_open_model(Model *m, const Subject *s)
{
    Keras *k = keras_new(m);
    k->h5 = h5_open(m->arena, s, (Bytes){ NULL, 0 });
    if (!k->h5 || !list_items(m, s, k))
        return false;
    return !k->h5->config || parse_config(s, k, k->h5->config, strlen(k->h5->config));
}

/* ---- .keras ---- */

static uint8_t *member(const Subject *s, zip_t *zip, const char *name, size_t *n)
{
    zip_stat_t st;
    if (zip_stat(zip, name, 0, &st) != 0) {
        subject_error(s, "damaged: the archive has no %s", name);
        return NULL;
    }
    Subject named = *s;
    named.tensor = name;
    return member_read(&named, zip, st.index, st.comp_size * MEMBER_RATIO_MAX + MEMBER_FREE, n);
}

/* Archives are of Keras 3, and of 2.12 and later: metadata.json has the version. */
static bool of_keras3(const Subject *s, zip_t *zip)
{
    zip_stat_t st;
    size_t n;
    uint8_t *text = zip_stat(zip, "metadata.json", 0, &st) == 0 ? member(s, zip, "metadata.json", &n) : NULL;
    json_t *metadata = text ? json_loadb((char *)text, n, 0, NULL) : NULL;
    bool is = atoi(keras_text(metadata, "keras_version", "0")) >= 3;
    json_decref(metadata);
    free(text);
    return is;
}

static bool keras_open(Model *m, const Subject *s)
{
    Keras *k = keras_new(m);
    size_t n;
    k->archive = true;
    zip_t *zip = archive_open(s, m->path);
    if (!zip)
        return false;
    uint8_t *text = member(s, zip, "config.json", &n);
    bool ok = text && parse_config(s, k, (char *)text, n);
    k->keras3 = ok && of_keras3(s, zip);
    uint8_t *weights = ok ? member(s, zip, "model.weights.h5", &n) : NULL;
    if (weights)
        k->h5 = h5_open(m->arena, s, (Bytes){ weights, n });
    free(text);
    free(weights);                      /* the other process has its own copy */
    zip_discard(zip);
    return k->h5 && list_items(m, s, k);
}

/* ---- both ---- */

static bool keras_load(Model *m, const Subject *s, int index, Tensor *out)
{
    const Keras *k = m->own;
    return h5_load(k->h5, s, index, m->arena, out);
}

static void keras_close(Model *m)
{
    Keras *k = m->own;
    if (!k)
        return;
    h5_close(k->h5);
    json_decref(k->config);
    m->own = NULL;
}

/* The part as a layer of a spec. */
static LayerSpec layer_spec(const Model *m, const KerasPart *p)
{
    bool linear = !p->cell;
    LayerSpec l = { .cell = linear ? "linear" : p->cell->cell, .transpose = true, .W = keras_name(m, p, "kernel") };
    const char *activation = keras_text(p->layer.config, "activation", "");
    if (linear)
        l.activation = p->layer.relu || strcmp(activation, "relu") == 0 ? "relu" : "none";
    else {
        l.gates = p->cell->gates;
        l.R = keras_name(m, p, "recurrent_kernel");
        l.n_activations = keras_activations(&p->layer, l.activations);
    }
    if (p->has_bias)
        l.b[l.n_b++] = keras_name(m, p, "bias");
    return l;
}

static void reach(const Model *m, const KerasLayer *l, uint8_t *reached)
{
    static const char *const ROLES[] = { "kernel", "recurrent_kernel", "bias", "gamma", "beta", "moving_mean",
                                         "moving_variance" };
    for (int i = 0; i < LENGTH(ROLES); i++) {
        const char *name = keras_weight(m, l, ROLES[i]);
        if (name)
            reached[model_find(m, name)] = true;
    }
}

/* The tensors of the file that the core computes with, folded or as they are. */
static const uint8_t *reached(const Model *m, const Keras *k)
{
    uint8_t *all = ARENA_ARRAY(m->arena, uint8_t, MAX(m->n, 1));
    for (int i = 0; i < k->n; i++) {
        const KerasPart *p = &k->part[i];
        reach(m, &p->layer, all);
        for (int n = 0; n < p->n_before; n++)
            reach(m, &p->before[n], all);
        for (int n = 0; n < p->n_after; n++)
            reach(m, &p->after[n], all);
    }
    return all;
}

static int keras_layers(Model *m, const Subject *s, FoundNetwork *out)
{
    Keras *k = m->own;
    if (!k->config)
        return 0;
    if (!keras_network(m, s))
        return -1;
    *out = (FoundNetwork){ .n = k->n, .last = k->last, .input = k->input, .output = k->output,
                           .reached = reached(m, k) };
    for (int i = 0; i < k->n; i++)
        out->layer[i] = layer_spec(m, &k->part[i]);
    return k->n;
}

const Importer importer_h5 = { "HDF5 file", ".h5", h5_probe, h5_open_model, keras_load, keras_close,
                               keras_layers, keras_derive };
const Importer importer_keras = { "Keras file", ".keras", keras_probe, keras_open, keras_load, keras_close,
                                  keras_layers, keras_derive };
