/* describe.c: what is in a model file, printed as a spec: layers from the nodes of an ONNX graph, else
 * guessed from the names that frameworks give and from shapes, (4H, I) beside (4H, H). */
#include "model/importer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED_MAX = 400 };

typedef struct Item {
    const char *name;
    bool known, used, directions;       /* directions: (1, rows, columns), as ONNX nodes have it */
    int rank;                           /* leading dimensions of 1 dropped; a vector is 1 */
    int64_t rows, columns;              /* vector: rows */
    const char *shape;
} Item;

typedef struct Found {
    LayerSpec spec;
    int64_t inputs, hidden;
    bool by_shape;
} Found;

typedef struct Survey {
    Arena *arena;
    Model *model;
    Item *item;
    Found layer[LAYERS_MAX];
    int n;
    bool from_graph;
    const char *note;                   /* why the graph's nodes were not taken, or NULL */
} Survey;

/* What frameworks call the recurrent matrix, the input matrix and the biases of a layer; the rest of
 * the names is the same. */
static const struct {
    const char *R, *W, *b[2], *gates;
} NAMES[] = {
    { "weight_hh", "weight_ih", { "bias_ih", "bias_hh" }, "ifgo" },
    { "recurrent_kernel", "kernel", { "bias", NULL }, "ifco" },
    { "w_hh", "w_ih", { "b_ih", "b_hh" }, "ifgo" },
    { "W_hh", "W_ih", { "b_ih", "b_hh" }, "ifgo" },
    { "R", "W", { "b", NULL }, "ifgo" },
    { "R", "W", { "b_ih", "b_hh" }, "ifgo" },
    { "R", "W", { "B", NULL }, "ifgo" },
    { "U", "W", { "b", NULL }, "ifgo" },
    { "r", "w", { "b", NULL }, "ifgo" },
};

/* ---- the tensors ---- */

static Item read_item(Survey *v, const char *name)
{
    Item item = { .name = name, .shape = "not read" };
    Tensor *t = model_tensor(v->model, diag_new(v->arena), (Place){ 0 }, name);
    if (!t)
        return item;
    int first = 0;
    item.shape = shape_text(v->arena, t);
    while (first < t->rank - 1 && t->shape[first] == 1)
        first++;
    item.rank = t->rank - first;
    item.directions = t->rank == 3 && first == 1;
    item.known = item.rank == 1 || item.rank == 2;
    if (item.known) {
        item.rows = t->shape[first];
        item.columns = item.rank == 2 ? t->shape[first + 1] : 1;
    }
    return item;
}

/* Masks that prune wrote are no weights. */
static bool usable(const Item *i)
{
    return i->known && !i->used && !str_ends(i->name, "_mask");
}

static Item *find_item(const Survey *v, const char *name)
{
    for (int i = 0; i < v->model->n; i++)
        if (strcmp(v->item[i].name, name) == 0)
            return usable(&v->item[i]) ? &v->item[i] : NULL;
    return NULL;
}

/* ---- layers by name ---- */

/* Where the token stands in the name; a single letter must stand alone ("l1_R", "R0"). */
static const char *find_token(const char *name, const char *token)
{
    size_t n = strlen(token);
    for (const char *p = name; (p = strstr(p, token)) != NULL; p++) {
        bool alone = (p == name || !isalnum((unsigned char)p[-1])) && !isalpha((unsigned char)p[n]);
        if (n > 1 || alone)
            return p;
    }
    return NULL;
}

static const char *renamed(Arena *a, const char *name, const char *token, const char *other)
{
    const char *p = find_token(name, token);
    return str_format(a, "%.*s%s%s", (int)(p - name), name, other, p + strlen(token));
}

/* (4H, H), or the other way round; both directions cannot hold at once. */
static bool is_recurrent(const Item *R, bool *turned, int64_t *hidden)
{
    *turned = R->columns == GATES * R->rows;
    *hidden = *turned ? R->rows : R->columns;
    return usable(R) && R->rank == 2 && (*turned || R->rows == GATES * R->columns);
}

static bool is_input(const Item *W, bool turned, int64_t hidden)
{
    return W && usable(W) && W->rank == 2 && (turned ? W->columns : W->rows) == GATES * hidden;
}

static bool is_bias(const Item *b, int64_t rows)
{
    return b && usable(b) && b->rank == 1 && (b->rows == rows || b->rows == 2 * rows);
}

static void add_bias(Found *f, Item *b)
{
    f->spec.b[f->spec.n_b++] = b->name;
    b->used = true;
}

static Found *add_layer(Survey *v, Item *W, Item *R, bool turned, int64_t hidden, const char *gates)
{
    Found *f = &v->layer[v->n++];
    *f = (Found){ .hidden = hidden, .inputs = turned ? W->rows : W->columns };
    f->spec = (LayerSpec){ .cell = "lstm", .gates = gates, .W = W->name, .R = R->name };
    f->spec.transpose = turned;
    W->used = R->used = true;
    return f;
}

static void biases_by_name(const Survey *v, Found *f, const Item *R, int k)
{
    for (int i = 0; i < 2 && NAMES[k].b[i]; i++) {
        Item *b = find_item(v, renamed(v->arena, R->name, NAMES[k].R, NAMES[k].b[i]));
        if (is_bias(b, GATES * f->hidden))
            add_bias(f, b);
    }
}

static bool layer_by_name(Survey *v, Item *R, int k)
{
    bool turned;
    int64_t hidden;
    if (!find_token(R->name, NAMES[k].R) || !is_recurrent(R, &turned, &hidden))
        return false;
    Item *W = find_item(v, renamed(v->arena, R->name, NAMES[k].R, NAMES[k].W));
    if (W == R || !is_input(W, turned, hidden))
        return false;
    Found *f = add_layer(v, W, R, turned, hidden, R->directions ? "iofc" : NAMES[k].gates);
    for (; k < LENGTH(NAMES) && f->spec.n_b == 0; k++)
        if (find_token(R->name, NAMES[k].R))
            biases_by_name(v, f, R, k);
    return true;
}

static void layers_by_name(Survey *v)
{
    for (int i = 0; i < v->model->n && v->n < LAYERS_MAX; i++)
        for (int k = 0; k < LENGTH(NAMES); k++)
            if (layer_by_name(v, &v->item[i], k))
                break;
}

/* ---- layers by shape ---- */

/* An unused vector of the size, behind item `from` first, since files often keep a layer together. */
static Item *vector_near(const Survey *v, int from, int64_t rows)
{
    for (int k = 0; k < v->model->n; k++) {
        Item *b = &v->item[(from + k) % v->model->n];
        if (is_bias(b, rows))
            return b;
    }
    return NULL;
}

static void layers_by_shape(Survey *v)
{
    for (int i = 0; i < v->model->n; i++)
        for (int j = 0; j < v->model->n && v->n < LAYERS_MAX; j++) {
            bool turned;
            int64_t hidden;
            Item *W = &v->item[i], *R = &v->item[j];
            if (i == j || !is_recurrent(R, &turned, &hidden) || !is_input(W, turned, hidden))
                continue;
            Found *f = add_layer(v, W, R, turned, hidden, R->directions ? "iofc" : "ifgo");
            f->by_shape = true;
            Item *b = vector_near(v, MAX(i, j), GATES * hidden);
            if (b)
                add_bias(f, b);
        }
}

/* Named like the matrix ("out_w", "out_b"), else of the right size. */
static Item *head_bias(const Survey *v, int i, int64_t outputs)
{
    static const char *const PAIRS[][2] = { { "weight", "bias" }, { "kernel", "bias" }, { "w", "b" },
                                            { "W", "b" } };
    for (int k = 0; k < LENGTH(PAIRS); k++) {
        const char *name = v->item[i].name;
        Item *b = find_token(name, PAIRS[k][0])
                    ? find_item(v, renamed(v->arena, name, PAIRS[k][0], PAIRS[k][1]))
                    : NULL;
        if (b && b->rank == 1 && b->rows == outputs)
            return b;
    }
    Item *b = vector_near(v, i, outputs);
    return b && b->rows == outputs ? b : NULL;
}

/* A linear layer on the last hidden vector: (O, H) or (H, O), with a bias of O. */
static void head_by_shape(Survey *v)
{
    int64_t hidden = v->layer[v->n - 1].hidden;
    for (int turned = 0; turned < 2; turned++)
        for (int i = 0; i < v->model->n && v->n < LAYERS_MAX; i++) {
            Item *W = &v->item[i];
            int64_t outputs = turned ? W->columns : W->rows;
            if (!usable(W) || W->rank != 2 || (turned ? W->rows : W->columns) != hidden)
                continue;
            Item *b = head_bias(v, i, outputs);
            if (!b)
                continue;
            Found *f = &v->layer[v->n++];
            *f = (Found){ .inputs = hidden, .hidden = outputs, .by_shape = true };
            f->spec = (LayerSpec){ .cell = "linear", .W = W->name, .transpose = turned };
            W->used = true;
            add_bias(f, b);
            return;
        }
}

/* ---- layers of an ONNX graph ---- */

static const char *first_line(Arena *a, Diag *d)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    diag_flush(d, to);
    fclose(to);
    const char *said = text && str_starts(text, "lstmgen: ") ? text + strlen("lstmgen: ") : text;
    const char *line = size > 0 ? str_ndup(a, said, strcspn(said, "\n")) : NULL;
    free(text);
    return line;
}

static void sizes_of(const Survey *v, Found *f)
{
    const Item *W = find_item(v, f->spec.W);
    int gates = strcmp(f->spec.cell, "linear") == 0 ? 1 : GATES;
    if (!W)
        return;
    f->hidden = (f->spec.transpose ? W->columns : W->rows) / gates;
    f->inputs = f->spec.transpose ? W->rows : W->columns;
}

/* What the graph goes on with, or why it is not taken, becomes a comment. */
static void layers_of_graph(Survey *v)
{
    LayerSpec found[LAYERS_MAX];
    Diag *d = diag_new(v->arena);
    if (!v->model->importer->layers)
        return;
    int n = model_layers(v->model, d, (Place){ 0 }, found, LAYERS_MAX);
    v->note = first_line(v->arena, d);
    v->from_graph = n > 0;
    for (v->n = 0; v->n < n; v->n++) {
        v->layer[v->n] = (Found){ .spec = found[v->n] };
        sizes_of(v, &v->layer[v->n]);
    }
}

/* ---- as a spec ---- */

static bool plain(const char *text)
{
    static const char *const WORDS[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n" };
    for (int i = 0; i < LENGTH(WORDS); i++)
        if (strcmp(text, WORDS[i]) == 0)
            return false;
    return (isalpha((unsigned char)text[0]) || text[0] == '/')
        && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-")
               == strlen(text);
}

static void print_name(const char *text, FILE *to)
{
    if (plain(text)) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (const char *p = text; *p; p++)
        fprintf(to, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    fputc('"', to);
}

static void print_key(const char *key, const char *value, FILE *to)
{
    fprintf(to, ", %s: ", key);
    print_name(value, to);
}

static void print_layer(const Found *f, FILE *to)
{
    const LayerSpec *l = &f->spec;
    bool lstm = strcmp(l->cell, "lstm") == 0;
    fprintf(to, "    - {cell: %s", l->cell);
    if (lstm)
        print_key("gates", l->gates, to);
    print_key("W", l->W, to);
    if (lstm)
        print_key("R", l->R, to);
    if (l->n_b > 0)
        fprintf(to, ", b: [");
    for (int i = 0; i < l->n_b; i++) {
        fputs(i ? ", " : "", to);
        print_name(l->b[i], to);
    }
    fprintf(to, "%s%s", l->n_b > 0 ? "]" : "", l->transpose ? ", transpose: true" : "");
    if (!lstm && l->activation && strcmp(l->activation, "none") != 0)
        print_key("activation", l->activation, to);
    fprintf(to, "}   # %lld -> %lld%s\n", (long long)f->inputs, (long long)f->hidden,
            f->by_shape ? ", guessed from shapes" : "");
}

static void print_tensors(const Survey *v, FILE *to)
{
    int n = MIN(v->model->n, LISTED_MAX);
    fprintf(to, "# %d tensor(s) in the %s:\n", v->model->n, v->model->importer->name);
    for (int i = 0; i < n; i++)
        fprintf(to, "#   %-40s %s\n", v->item[i].name, v->item[i].shape);
    if (n < v->model->n)
        fprintf(to, "#   and %d more\n", v->model->n - n);
}

static const char *const GUESSED_ORDER =
    "the file does not say in which order the rows of the gates are: check `gates`";

static void print_spec(const Survey *v, const char *path, FILE *to)
{
    print_tensors(v, to);
    if (v->note)
        fprintf(to, "# %s\n", v->note);
    if (v->n == 0)
        return;
    if (!v->from_graph)
        fprintf(to, "# %s\n", GUESSED_ORDER);
    fprintf(to, "model:\n  file: ");
    print_name(path, to);
    fprintf(to, "\n  layers:\n");
    for (int i = 0; i < v->n; i++)
        print_layer(&v->layer[i], to);
    fprintf(to, "sparsity: {pattern: dense}\nengine: {pes: 4, pe_width: 4}\n");
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

static json_t *layer_json(Arena *a, const Found *f)
{
    const LayerSpec *l = &f->spec;
    bool lstm = strcmp(l->cell, "lstm") == 0;
    json_t *o = json_pack("{s:s, s:o}", "cell", l->cell, "W", text_json(a, l->W)), *b = json_array();
    if (lstm) {
        json_object_set_new(o, "gates", json_string(l->gates));
        json_object_set_new(o, "R", text_json(a, l->R));
    } else if (l->activation && strcmp(l->activation, "none") != 0) {
        json_object_set_new(o, "activation", json_string(l->activation));
    }
    for (int i = 0; i < l->n_b; i++)
        json_array_append_new(b, text_json(a, l->b[i]));
    if (l->n_b > 0)
        json_object_set(o, "b", b);
    json_decref(b);
    if (l->transpose)
        json_object_set_new(o, "transpose", json_true());
    return o;
}

static json_t *spec_json(const Survey *v, const char *path)
{
    json_t *layers = json_array();
    for (int i = 0; i < v->n; i++)
        json_array_append_new(layers, layer_json(v->arena, &v->layer[i]));
    return json_pack("{s:{s:o, s:o}, s:{s:s}, s:{s:i, s:i}}", "model", "file", text_json(v->arena, path), "layers",
                     layers,
                     "sparsity", "pattern", "dense", "engine", "pes", 4, "pe_width", 4);
}

static json_t *notes_json(const Survey *v)
{
    json_t *notes = json_array();
    if (v->note)
        json_array_append_new(notes, text_json(v->arena, v->note));
    if (v->n > 0 && !v->from_graph)
        json_array_append_new(notes, json_string(GUESSED_ORDER));
    for (int i = 0; i < v->n; i++)
        if (v->layer[i].by_shape)
            json_array_append_new(notes, text_json(v->arena,
                                                   str_format(v->arena, "layer %d is guessed from shapes", i)));
    return notes;
}

static json_t *tensors_json(const Survey *v)
{
    json_t *list = json_array();
    for (int i = 0; i < v->model->n; i++)
        json_array_append_new(list, json_pack("{s:o, s:s}", "name", text_json(v->arena, v->item[i].name), "shape",
                                              v->item[i].shape));
    return list;
}

/* ---- both ---- */

static bool survey(Survey *v, Arena *a, Diag *d, const char *path)
{
    *v = (Survey){ .arena = a, .model = model_open(a, d, (Place){ 0 }, path) };
    if (!v->model)
        return false;
    v->item = ARENA_ARRAY(a, Item, MAX(v->model->n, 1));
    for (int i = 0; i < v->model->n; i++)
        v->item[i] = read_item(v, v->model->names[i]);
    layers_of_graph(v);
    if (v->n == 0)
        layers_by_name(v);
    if (v->n == 0)
        layers_by_shape(v);
    if (v->n > 0 && !v->from_graph)
        head_by_shape(v);
    if (v->n == 0)
        diag_error(d, (Place){ 0 }, "%s: no layer was found: name its tensors in model.layers", path);
    return true;
}

bool model_describe(Arena *a, Diag *d, const char *path, FILE *to)
{
    Survey v;
    if (!survey(&v, a, d, path))
        return false;
    print_spec(&v, path, to);
    model_close(v.model);
    return v.n > 0;
}

json_t *model_describe_json(Arena *a, Diag *d, const char *path)
{
    Survey v;
    if (!survey(&v, a, d, path))
        return NULL;
    json_t *o = json_pack("{s:o, s:o, s:o}", "spec", v.n > 0 ? spec_json(&v, path) : json_null(), "tensors",
                          tensors_json(&v), "notes", notes_json(&v));
    REQUIRE(o);
    model_close(v.model);
    return o;
}
