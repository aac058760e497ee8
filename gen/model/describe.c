/* describe.c: what is in a model file, as a spec: layers from the nodes of an ONNX graph, else from the names and
 * shapes of a container's tensors. What is a guess is printed as a comment, with its question. */
#include "model/survey.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED_MAX = 400, NAMED_MAX = 4 };

/* ---- the tensors ---- */

/* What the reader says of this tensor, without the names of file and tensor in front. */
static const char *reason(const Survey *v, const Diag *d)
{
    const char *text = diag_reason(v->arena, d), *end = strstr(text, "': ");
    return end ? end + strlen("': ") : text;
}

static Item item_of(Survey *v, const char *name, const Tensor *t)
{
    Item item = { .name = name };
    int first = t->rank > 2 && t->shape[0] == 1;
    item.shape = shape_text(v->arena, t);
    item.directions = t->rank == 3 && first == 1;
    item.squeezed = t->rank == 3 && first == 0 && t->shape[2] == 1;
    item.rank = MAX(t->rank - first - item.squeezed, 1);
    item.known = item.rank == 1 || item.rank == 2;
    if (item.known) {
        item.rows = t->rank > 0 ? t->shape[first] : 1;
        item.columns = item.rank == 2 ? t->shape[first + 1] : 1;
    }
    return item;
}

/* One tensor at a time is in memory: a file may name the same values many times. */
static Item read_item(Survey *v, const char *name)
{
    Arena *scratch = arena_new();
    Diag *d = diag_new(scratch);
    Tensor *t = model_peek(v->model, scratch, d, name);
    Item item = t ? item_of(v, name, t) : (Item){ .name = name, .why = str_dup(v->arena, reason(v, d)) };
    arena_free(scratch);
    return item;
}

/* What training keeps beside the weights, under their names. */
static bool of_optimiser(const char *name)
{
    static const char *const WORDS[] = { "/Adam", "/Momentum", "/RMSProp", "/ExponentialMovingAverage", "exp_avg",
                                         "optimizer" };
    for (int i = 0; i < LENGTH(WORDS); i++)
        if (strstr(name, WORDS[i]))
            return true;
    return false;
}

bool item_usable(const Item *i)
{
    return i->known && !i->used && !str_ends(i->name, "_mask") && !of_optimiser(i->name);
}

static Item *find_item(const Survey *v, const char *name)
{
    int i = model_find(v->model, name);
    return i >= 0 ? &v->item[i] : NULL;
}

Item *survey_item(const Survey *v, const char *name)
{
    Item *i = find_item(v, name);
    return i && item_usable(i) ? i : NULL;
}

/* ---- layers of an ONNX graph ---- */

/* Reads the layers as `check` will: what does not load is said here and now, and sizes come from what does. */
static bool graph_loads(Survey *v, const FoundNetwork *found)
{
    Arena *scratch = arena_new();
    Network net;
    Spec s = { .arena = scratch, .model_file = v->path, .n_layers = found->n };
    memcpy(s.layer, found->layer, sizeof s.layer);
    bool ok = network_load(scratch, v->diag, &s, &net);
    for (v->n = 0; ok && v->n < net.n; v->n++)
        v->layer[v->n] = (Found){ .spec = found->layer[v->n], .inputs = net.layer[v->n].inputs,
                                  .hidden = net.layer[v->n].outputs };
    arena_free(scratch);
    return ok;
}

/* A graph says what the network is: where it is not understood, nothing is guessed. */
static void layers_of_graph(Survey *v)
{
    Subject s = { v->diag, { 0 }, v->path, NULL };
    FoundNetwork found = { 0 };
    int n = v->model->importer->layers ? v->model->importer->layers(v->model, &s, &found) : 0;
    v->from_graph = n != 0;
    if (n <= 0 || !graph_loads(v, &found))
        return;
    v->last = found.last;
    v->input = found.input ? str_dup(v->arena, found.input) : NULL; /* the file is closed before they are used */
    v->output = found.output ? str_dup(v->arena, found.output) : NULL;
    v->steps_axis = found.steps_axis;
    for (int i = 0; i < v->model->n; i++)
        if (found.reached[i]) {
            v->item[i].used = true;
            v->item[i].why = "by the graph, on the way to the core's output";
        }
    v->reach = str_format(v->arena, "the core takes '%s' of the graph and gives %s'%s'", found.input,
                          found.last ? "the last step of " : "", found.output);
}

/* ---- where every tensor went ---- */

static void mark(const Survey *v, const char *name, int layer, const char *role)
{
    const char *part[JOIN_MAX];
    int n = name ? join_parts(v->arena, name, part) : 0;
    for (int k = 0; k < n; k++)
        mark(v, part[k], layer, role);
    Item *i = name ? find_item(v, name) : NULL;
    if (!i)
        return;
    i->used = true;
    i->why = str_format(v->arena, "layer %d: %s%s", layer, role, v->layer[layer].question ? " (in question)" : "");
}

static void mark_used(const Survey *v)
{
    for (int k = 0; k < v->n; k++) {
        const LayerSpec *l = &v->layer[k].spec;
        mark(v, l->W, k, "W");
        mark(v, l->kernel, k, "W and R");
        mark(v, l->R, k, "R");
        for (int i = 0; i < l->n_b; i++)
            mark(v, l->b[i], k, "b");
        for (int i = 0; i < l->n_b_R; i++)
            mark(v, l->b_R[i], k, "b_R");
        mark(v, l->peephole, k, "peephole");
        mark(v, l->W_projection, k, "projection");
        mark(v, l->h0, k, "initial h");
        mark(v, l->c0, k, "initial c");
    }
}

static const char *fate(const Item *i)
{
    return i->used ? "used" : !i->shape ? "not read" : "outside";
}

static const char *fate_text(const Item *i)
{
    return i->why                        ? i->why
         : i->used                       ? ""
         : str_ends(i->name, "_mask")    ? "a mask, no weights"
         : of_optimiser(i->name)         ? "kept by the training, no weights"
                                         : "not part of the spec";
}

/* What the file holds beside the layers is not computed by the core: said with the first names. */
static void warn_outside(const Survey *v)
{
    Buffer b;
    int n = 0;
    buffer_init(&b, v->arena);
    for (int i = 0; i < v->model->n; i++)
        if (item_usable(&v->item[i]) || (v->item[i].shape && !v->item[i].known)) {
            if (n < NAMED_MAX)
                buffer_print(&b, "%s'%s' %s", n ? ", " : "", v->item[i].name, v->item[i].shape);
            n++;
        }
    if (n > NAMED_MAX)
        buffer_print(&b, " and %d more", n - NAMED_MAX);
    if (n > 0 && v->n > 0 && !v->from_graph)
        diag_warn(v->diag, (Place){ 0 },
                  "%s: %d tensor(s) are outside the spec, the core does not compute with them: %s",
                  v->path, n, b.text);
}

/* ---- questions ---- */

/* Each question once, in the order of the layers. */
static int questions(const Survey *v, const char *out[LAYERS_MAX])
{
    int n = 0;
    for (int k = 0; k < v->n; k++) {
        bool known = !v->layer[k].question;
        for (int i = 0; i < n && !known; i++)
            known = strcmp(out[i], v->layer[k].question) == 0;
        if (!known)
            out[n++] = v->layer[k].question;
    }
    return n;
}

/* Only linear layers at the end are in question: the layers before them are a network of their own. */
static bool heads_alone(const Survey *v)
{
    bool any = false;
    for (int k = 0; k < v->n; k++) {
        if (v->layer[k].question && (k == 0 || strcmp(v->layer[k].spec.cell, "linear") != 0))
            return false;
        if (!v->layer[k].question && any)
            return false;
        any = any || v->layer[k].question;
    }
    return any;
}

static void ask(const Survey *v)
{
    const char *question[LAYERS_MAX];
    int n = questions(v, question);
    for (int i = 0; i < n; i++)
        if (heads_alone(v))
            diag_warn(v->diag, (Place){ 0 },
                      "%s: the core ends at the last recurrent layer; a question to answer before it goes on: %s. The lines of "
                      "what follows are comments in the printed spec: take the # away where they are right",
                      v->path, question[i]);
        else
            diag_error(v->diag, (Place){ 0 },
                       "%s: a question to answer first: %s. Its lines are comments in the printed spec: take the # away "
                       "where they are right", v->path, question[i]);
}

/* ---- as a spec ---- */

static bool is_recurrent(const LayerSpec *l)
{
    return cell_has_key(cell_find(l->cell), "R");
}

/* "before" or "after"; NULL: a cell without a reset. */
static const char *reset_of(const LayerSpec *l)
{
    return strcmp(cell_name(cell_find(l->cell)), "gru") ? NULL : strcmp(l->cell, "gru_after") ? "before" : "after";
}

static void print_names(const Survey *v, const char *key, const char *const *name, int n, Buffer *b)
{
    for (int i = 0; i < n; i++)
        buffer_print(b, "%s%s", i ? ", " : str_format(v->arena, ", %s: [", key), yaml_word(v->arena, name[i]));
    buffer_print(b, "%s", n > 0 ? "]" : "");
}

static void print_clips(const LayerSpec *l, Buffer *b)
{
    const struct { const char *key; double value; } clip[] = {
        { "input", l->clip_input }, { "cell", l->clip_cell }, { "projection", l->clip_projection } };
    bool any = false;
    for (int i = 0; i < LENGTH(clip); i++)
        if (clip[i].value > 0) {
            buffer_print(b, "%s%s: %.9g", any ? ", " : ", clip: {", clip[i].key, clip[i].value);
            any = true;
        }
    buffer_print(b, "%s", any ? "}" : "");
}

static void print_layer(const Survey *v, const Found *f, Buffer *b)
{
    const LayerSpec *l = &f->spec;
    Arena *a = v->arena;
    if (f->question)
        buffer_print(b, "    # QUESTION: %s\n", yaml_comment(a, f->question));
    buffer_print(b, "    %s- {cell: %s", f->question ? "# " : "", cell_name(cell_find(l->cell)));
    if (reset_of(l))
        buffer_print(b, ", reset: %s", reset_of(l));
    if (is_recurrent(l))
        buffer_print(b, ", gates: %s", yaml_word(a, l->gates));
    if (l->kernel)
        buffer_print(b, ", kernel: %s", yaml_word(a, l->kernel));
    else
        buffer_print(b, ", W: %s", yaml_word(a, l->W));
    if (l->R)
        buffer_print(b, ", R: %s", yaml_word(a, l->R));
    print_names(v, "b", l->b, l->n_b, b);
    print_names(v, "b_R", l->b_R, l->n_b_R, b);
    print_names(v, "activations", l->activations, l->n_activations, b);
    if (l->peephole)
        buffer_print(b, ", peephole: %s, peephole_order: %s", yaml_word(a, l->peephole), l->peephole_order);
    if (l->W_projection)
        buffer_print(b, ", projection: {W: %s%s%s}", yaml_word(a, l->W_projection), l->b_projection ? ", b: " : "",
                     l->b_projection ? yaml_word(a, l->b_projection) : "");
    if (l->forget_bias != 0)
        buffer_print(b, ", forget_bias: %.9g", l->forget_bias);
    print_clips(l, b);
    if (l->h0 || l->c0)
        buffer_print(b, ", initial: {%s%s%s%s%s}", l->h0 ? "h: " : "", l->h0 ? yaml_word(a, l->h0) : "",
                     l->h0 && l->c0 ? ", " : "", l->c0 ? "c: " : "", l->c0 ? yaml_word(a, l->c0) : "");
    buffer_print(b, "%s", l->transpose && !l->kernel ? ", transpose: true" : "");
    if (!is_recurrent(l) && l->activation && strcmp(l->activation, "none") != 0)
        buffer_print(b, ", activation: %s", yaml_word(a, l->activation));
    buffer_print(b, "}   # %lld -> %lld\n", (long long)f->inputs, (long long)f->hidden);
}

static void print_tensors(const Survey *v, Buffer *b)
{
    int n = MIN(v->model->n, LISTED_MAX);
    buffer_print(b, "# %d tensor(s) in the %s:\n", v->model->n, v->model->importer->name);
    for (int i = 0; i < n; i++) {
        const Item *t = &v->item[i];
        buffer_print(b, "#   %-9s %-40s %-14s %s", fate(t), yaml_comment(v->arena, t->name), t->shape ? t->shape : "",
                     yaml_comment(v->arena, fate_text(t)));
        while (b->length > 0 && b->text[b->length - 1] == ' ')
            b->text[--b->length] = '\0';
        buffer_add(b, "\n", 1);
    }
    if (n < v->model->n)
        buffer_print(b, "#   and %d more\n", v->model->n - n);
}

static void print_notes(const Survey *v, Buffer *b)
{
    const char *const *note;
    int n = diag_warnings(v->diag, &note);
    for (int i = 0; i < n; i++)
        buffer_print(b, "# note: %s\n", yaml_comment(v->arena, note[i]));
}

/* How to prove that the spec is the user's network: only its framework knows. */
static void print_verify(const Survey *v, Buffer *b)
{
    const Found *first = &v->layer[0], *last = &v->layer[v->n - 1];
    buffer_print(b,
                 "# That this is your network only your framework can say. Let it compute an input of yours, save\n"
                 "# both, and take the # of `verify` away:\n"
                 "#   x = numpy.random.randn(200, %lld).astype(\"float32\")   # (steps, %lld), or (sequences, steps, %lld)\n"
                 "#   y = lstm(torch.tensor(x))[0].detach().numpy()      # PyTorch; then the head, if there is one\n"
                 "#   y = model.predict(x[None])[0]                      # Keras, of a model with return_sequences\n"
                 "#   numpy.save(\"input.npy\", x); numpy.save(\"expect.npy\", y)      # y: %s\n"
                 "# `lstmgen check` then prints the SNR against it: above 40 dB at 16 bits it is the same network.\n"
                 VERIFY_COMMENT "\n",
                 (long long)first->inputs, (long long)first->inputs, (long long)first->inputs,
                 str_format(v->arena, v->last ? "the last step, (1, %lld)" : "(steps, %lld)", (long long)last->hidden));
}

static const char *spec_text(const Survey *v, const char *file)
{
    Buffer b;
    buffer_init(&b, v->arena);
    print_tensors(v, &b);
    print_notes(v, &b);
    if (v->reach)
        buffer_print(&b, "# %s\n", yaml_comment(v->arena, v->reach));
    if (v->n == 0)
        return b.text;
    buffer_print(&b, "model:\n  file: %s\n  layers:\n", yaml_word(v->arena, file));
    for (int i = 0; i < v->n; i++)
        print_layer(v, &v->layer[i], &b);
    if (v->last)
        buffer_print(&b, "network: {output: last}\n");
    buffer_print(&b, "sparsity: {pattern: dense}\nengine: {pes: 4, pe_width: 4}\n");
    print_verify(v, &b);
    return b.text;
}

/* ---- as an object ---- */

/* Names that are not UTF-8 can not stand in JSON: they show '?', and are no spec to use. */
static json_t *text_json(Arena *a, const char *text)
{
    char *clean = str_dup(a, text);
    json_t *v = json_string(clean);
    for (char *p = clean; !v && *p; p++)
        if ((unsigned char)*p >= 128)
            *p = '?';
    return v ? v : json_string(clean);
}

static json_t *texts_json(Arena *a, const char *const *text, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, text_json(a, text[i]));
    return list;
}

static void set_names(Arena *a, json_t *o, const char *key, const char *const *name, int n)
{
    if (n > 0)
        json_object_set_new(o, key, texts_json(a, name, n));
}

static void set_clips(json_t *o, const LayerSpec *l)
{
    json_t *clip = json_object();
    if (l->clip_input > 0)
        json_object_set_new(clip, "input", json_real(l->clip_input));
    if (l->clip_cell > 0)
        json_object_set_new(clip, "cell", json_real(l->clip_cell));
    if (l->clip_projection > 0)
        json_object_set_new(clip, "projection", json_real(l->clip_projection));
    if (json_object_size(clip) > 0)
        json_object_set(o, "clip", clip);
    json_decref(clip);
}

static json_t *layer_json(Arena *a, const Found *f)
{
    const LayerSpec *l = &f->spec;
    json_t *o = json_pack("{s:s, s:o}", "cell", cell_name(cell_find(l->cell)), l->kernel ? "kernel" : "W",
                          text_json(a, l->kernel ? l->kernel : l->W));
    if (reset_of(l))
        json_object_set_new(o, "reset", json_string(reset_of(l)));
    if (is_recurrent(l)) {
        json_object_set_new(o, "gates", json_string(l->gates));
        if (l->R)
            json_object_set_new(o, "R", text_json(a, l->R));
    } else if (l->activation && strcmp(l->activation, "none") != 0) {
        json_object_set_new(o, "activation", json_string(l->activation));
    }
    set_names(a, o, "b", l->b, l->n_b);
    set_names(a, o, "b_R", l->b_R, l->n_b_R);
    set_names(a, o, "activations", l->activations, l->n_activations);
    if (l->peephole) {
        json_object_set_new(o, "peephole", text_json(a, l->peephole));
        json_object_set_new(o, "peephole_order", json_string(l->peephole_order));
    }
    if (l->W_projection)
        json_object_set_new(o, "projection",
                            json_pack("{s:o, s:o*}", "W", text_json(a, l->W_projection), "b",
                                      l->b_projection ? text_json(a, l->b_projection) : NULL));
    if (l->forget_bias != 0)
        json_object_set_new(o, "forget_bias", json_real(l->forget_bias));
    set_clips(o, l);
    json_t *initial = json_object();
    if (l->h0)
        json_object_set_new(initial, "h", text_json(a, l->h0));
    if (l->c0)
        json_object_set_new(initial, "c", text_json(a, l->c0));
    if (json_object_size(initial) > 0)
        json_object_set(o, "initial", initial);
    json_decref(initial);
    if (l->transpose && !l->kernel)
        json_object_set_new(o, "transpose", json_true());
    return o;
}

/* The layers that are sure, or those with a question. */
static json_t *layers_json(const Survey *v, bool sure)
{
    json_t *layers = json_array();
    for (int i = 0; i < v->n; i++)
        if (!v->layer[i].question == sure)
            json_array_append_new(layers, layer_json(v->arena, &v->layer[i]));
    return layers;
}

static json_t *spec_json(const Survey *v, const char *file)
{
    json_t *layers = layers_json(v, true);
    if (json_array_size(layers) == 0) {
        json_decref(layers);
        return json_null();
    }
    json_t *o = json_pack("{s:{s:o, s:o}, s:{s:s}, s:{s:i, s:i}}", "model", "file", text_json(v->arena, file), "layers",
                          layers, "sparsity", "pattern", "dense", "engine", "pes", 4, "pe_width", 4);
    if (v->last)
        json_object_set_new(o, "network", json_pack("{s:s}", "output", "last"));
    return o;
}

static json_t *tensors_json(const Survey *v)
{
    json_t *list = json_array();
    for (int i = 0; i < v->model->n; i++) {
        const Item *t = &v->item[i];
        const char *key = t->used ? "used" : !t->shape ? "not_read" : "outside";
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "name", text_json(v->arena, t->name), "shape",
                                              t->shape ? json_string(t->shape) : json_null(), key,
                                              text_json(v->arena, fate_text(t))));
    }
    return list;
}

static json_t *object_json(const Survey *v, const char *file)
{
    const char *const *note, *question[LAYERS_MAX];
    int notes = diag_warnings(v->diag, &note), n = questions(v, question);
    json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o}", "spec", spec_json(v, file), "tensors", tensors_json(v), "notes",
                          texts_json(v->arena, note, notes), "questions", texts_json(v->arena, question, n),
                          "in_question", layers_json(v, false));
    REQUIRE(o);
    return o;
}

/* ---- where the file is, seen from the spec ---- */

/* Both are absolute and without links. */
static const char *relative(Arena *a, const char *folder, const char *file)
{
    size_t same = 0;
    for (size_t i = 0; folder[i] && folder[i] == file[i]; i++)
        if (folder[i] == '/')
            same = i + 1;
    size_t whole = strlen(folder);
    if (strncmp(folder, file, whole) == 0 && file[whole] == '/')
        same = whole + 1;
    Buffer b;
    buffer_init(&b, a);
    for (const char *p = same > whole ? "" : folder + same; *p; p += strcspn(p, "/"), p += *p == '/')
        buffer_print(&b, "../");
    buffer_print(&b, "%s", file + same);
    return b.text;
}

/* model.file for a spec at `to`; the path itself where that folder cannot be found. */
static const char *file_from(Arena *a, const char *path, const char *to)
{
    char folder[PATH_MAX], file[PATH_MAX];
    if (!to)
        return path;
    const char *beside = path_beside(a, to, ".");
    return realpath(beside, folder) && realpath(path, file)
             ? relative(a, strcmp(folder, "/") == 0 ? "" : folder, file) : path;
}

/* ---- both ---- */

/* A spec is UTF-8: other names cannot be written into it. */
static void check_names(const Survey *v, const char *file)
{
    bool control = false;
    for (const char *p = file; *p; p++)
        control = control || (unsigned char)*p < ' ' || *p == 127;
    if (control || !str_is_utf8(file))
        diag_error(v->diag, (Place){ 0 }, "%s: its path %s and cannot stand in a spec: rename it",
                   yaml_comment(v->arena, v->path), control ? "holds a control character" : "is not UTF-8");
    for (int i = 0; i < v->model->n; i++)
        if (v->item[i].used && !str_is_utf8(v->item[i].name))
            diag_error(v->diag, (Place){ 0 }, "%s: the name of tensor %d is not UTF-8 and cannot stand in a spec: "
                       "rename it", v->path, i);
}

static bool survey(Survey *v, Arena *a, Diag *d, const char *path)
{
    *v = (Survey){ .arena = a, .diag = d, .path = path, .model = model_open(a, d, (Place){ 0 }, path) };
    if (!v->model)
        return false;
    v->item = ARENA_ARRAY(a, Item, MAX(v->model->n, 1));
    for (int i = 0; i < v->model->n; i++)
        v->item[i] = read_item(v, v->model->names[i]);
    layers_of_graph(v);
    if (!v->from_graph)
        container_layers(v);
    mark_used(v);
    if (v->n == 0 && !diag_failed(d))
        diag_error(d, (Place){ 0 }, "%s: no layer was found: name its tensors in model.layers", path);
    warn_outside(v);
    return true;
}

/* The last layer that is no question. */
static const Found *last_sure(const Survey *v)
{
    int k = v->n - 1;
    while (k > 0 && v->layer[k].question)
        k--;
    return &v->layer[k];
}

bool model_describe(Arena *a, Diag *d, const char *path, const char *to, Description *out)
{
    Survey v;
    *out = (Description){ 0 };
    if (!survey(&v, a, d, path))
        return false;
    const char *file = file_from(a, path, to);
    check_names(&v, file);
    ask(&v);
    out->complete = v.n > 0 && !diag_failed(d);
    out->input = v.input;
    out->output = v.output;
    out->steps_axis = v.steps_axis;
    out->width = v.n > 0 ? (int)last_sure(&v)->hidden : 0;
    out->text = spec_text(&v, file);
    out->object = object_json(&v, file);
    model_close(v.model);
    return true;
}
