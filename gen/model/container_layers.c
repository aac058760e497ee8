/* container_layers.c: which tensors of a container make a layer.
 *
 * Names come first: frameworks name the tensors of one layer alike but for the part that says which they are, so that
 * the recurrent matrix leads to the others. Shapes only confirm. Where a name says what a layer is and this version
 * cannot build it, that is an error; where only shapes speak, or the order of layers, it is a question. */
#include "model/survey.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What is called what, and the order of the gates' rows there. `sure`: only one framework uses these names. */
static const struct {
    const char *R, *W, *b[4], *gates;
    bool sure;
    const char *who;
} CONVENTIONS[] = {
    { "weight_hh", "weight_ih", { "bias_ih", "bias_hh" }, "ifgo", true, "PyTorch" },
    { "recurrent_kernel", "kernel", { "bias" }, "ifco", true, "Keras" },
    { "cell/vars/1", "cell/vars/0", { "cell/vars/2" }, "ifco", true, "Keras" },
    { "MatMul_1", "MatMul", { "BiasAdd" }, "ifco", false, "Keras in TensorFlow's graphs" },
    { "w_hh", "w_ih", { "b_ih", "b_hh", "b" }, "ifgo", false, "PyTorch" },
    { "W_hh", "W_ih", { "b_ih", "b_hh", "b" }, "ifgo", false, "PyTorch" },
    { "R", "W", { "b", "bias", "B" }, "ifgo", false, "PyTorch" },
    { "R", "W", { "b_ih", "b_hh" }, "ifgo", false, "PyTorch" },
    { "U", "W", { "b", "bias" }, "ifgo", false, "PyTorch" },
    { "r", "w", { "b", "bias" }, "ifgo", false, "PyTorch" },
    { "u", "w", { "b", "bias" }, "ifgo", false, "PyTorch" },
    { "Wh", "Wx", { "b", "bias" }, "ifgo", false, "PyTorch" },
    { "kernel", NULL, { "bias" }, "ijfo", true, "TensorFlow" },         /* one matrix for [x, h] */
};
enum { BIASES = 4 };

/* ---- names ---- */

const char *name_token(const char *name, const char *token)
{
    size_t n = strlen(token);
    const char *last = NULL;
    for (const char *p = name; (p = strstr(p, token)) != NULL; p++) {
        bool alone = (p == name || !isalnum((unsigned char)p[-1])) && !isalpha((unsigned char)p[n]);
        if (n > 2 || alone)
            last = p;
    }
    return last;
}

const char *name_renamed(Arena *a, const char *name, const char *token, const char *other)
{
    const char *p = name_token(name, token);
    return str_format(a, "%.*s%s%s", (int)(p - name), name, other, p + strlen(token));
}

int64_t item_vector(const Item *i)
{
    return i->rank == 1 ? i->rows : i->rank == 2 && i->rows == 1 ? i->columns : 0;
}

/* As people count: digits by their value, so that l2 stands before l10. */
static int natural(const char *a, const char *b)
{
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0"), b += strspn(b, "0");
            size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
            int order = n != m ? (n > m) - (n < m) : strncmp(a, b, n);
            if (order != 0)
                return order;
            a += n, b += n;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++, b++;
        }
    }
    return (*a != '\0') - (*b != '\0');
}

/* Do the names differ in numbers alone? "lstm", "lstm_1" and "lstm2" do. */
static bool siblings(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (isdigit((unsigned char)*a) || (*a == '_' && isdigit((unsigned char)a[1])))
            a++;
        while (isdigit((unsigned char)*b) || (*b == '_' && isdigit((unsigned char)b[1])))
            b++;
        if (*a != *b)
            return false;
        if (!*a)
            return true;
    }
}

/* The key without the word that says it is the other direction, or NULL. */
static const char *forward_key(Arena *a, const char *key)
{
    static const char *const WORDS[][2] = { { "_reverse", "" }, { "backward", "forward" }, { "_bw", "_fw" },
                                            { "/bw/", "/fw/" }, { "_b_", "_f_" } };
    for (int i = 0; i < LENGTH(WORDS); i++) {
        const char *p = strstr(key, WORDS[i][0]);
        if (p)
            return str_format(a, "%.*s%s%s", (int)(p - key), key, WORDS[i][1], p + strlen(WORDS[i][0]));
    }
    return NULL;
}

/* ---- one layer by its names ---- */

/* What the key of a layer shows in a message: "lstm.*_l0". */
static const char *shown(Arena *a, const char *key)
{
    char *text = str_dup(a, key);
    char *p = strchr(text, '\1');
    if (p)
        *p = '*';
    return text;
}

static void refuse(Survey *v, Item *W, Item *R, const char *what)
{
    W->used = R->used = true;
    W->why = R->why = "refused: see the message";
    diag_error(v->diag, (Place){ 0 }, "%s: '%s' %s and '%s' %s: %s", v->path, W->name, W->shape, R->name, R->shape,
               what);
}

/* How many blocks of H rows (columns, when turned) the recurrent matrix has; 0: it is none. */
static int64_t blocks_of(const Item *R, bool *turned, int64_t *hidden)
{
    *turned = R->columns > R->rows;
    *hidden = *turned ? R->rows : R->columns;
    int64_t all = *turned ? R->columns : R->rows;
    return R->rank == 2 && all % *hidden == 0 ? all / *hidden : 0;
}

static const char *cell_fault(int64_t blocks)
{
    return blocks == 3 ? "three gates: a GRU; in a container of arrays only those of PyTorch are known (weight_ih, weight_hh, "
                         "bias_ih, bias_hh): name the tensors in model.layers, with cell: gru, gates and reset"
         : blocks == 1 ? "one block of rows: a simple RNN (name its tensors in model.layers, with cell: rnn), or one of an "
                         "LSTM's gates alone: join the matrices of i, f, c, o with numpy.vstack and name them in "
                         "model.layers"
                       : "neither four gates (LSTM) nor three (GRU): not a cell that is known here";
}

/* The cells of PyTorch by the blocks of their rows. */
static const struct TorchCell {
    int64_t blocks;
    const char *cell, *gates, *assumed;
} TORCH_CELLS[] = {
    { 4, "lstm", "ifgo", NULL },
    { 3, "gru_after", "rzn", NULL },
    { 1, "rnn", "h", "nonlinearity: tanh is assumed, the file does not say it; for relu give the layer activations: [relu]" },
};

static const struct TorchCell *torch_cell(int64_t blocks)
{
    for (int i = 0; i < LENGTH(TORCH_CELLS); i++)
        if (TORCH_CELLS[i].blocks == blocks)
            return &TORCH_CELLS[i];
    return NULL;
}

/* weight_hr of an LSTM with proj_size: (P, H), where W is (4H, I) and R (4H, P); NULL: there is none. */
static Item *projection_of(const Survey *v, const Item *W, const Item *R, int k)
{
    Item *P = k == 0 && W->rows == R->rows
            ? survey_item(v, name_renamed(v->arena, R->name, "weight_hh", "weight_hr")) : NULL;
    return P && P->rank == 2 && P->rows == R->columns && W->rows == GATES * P->columns ? P : NULL;
}

/* Adds what carries the layer's name and the size; false: refused. */
static bool add_biases(Survey *v, Found *f, const Item *R, int k, int64_t blocks)
{
    for (int i = 0; i < BIASES && CONVENTIONS[k].b[i] && f->spec.n_b < NAMES_MAX; i++) {
        Item *b = survey_item(v, name_renamed(v->arena, R->name, CONVENTIONS[k].R, CONVENTIONS[k].b[i]));
        int64_t rows = blocks * f->hidden;
        if (!b || (item_vector(b) != rows && item_vector(b) != 2 * rows))
            continue;
        if (item_vector(b) == 2 * rows && strcmp(CONVENTIONS[k].W, "kernel") == 0) {
            diag_error(v->diag, (Place){ 0 },
                       "%s: '%s' %s has two biases for each gate: a CuDNNLSTM, whose matrices lie in memory in cuDNN's "
                       "own order, which is not read as it is; save them as an LSTM of Keras has them: "
                       "numpy.savez(\"model.npz\", kernel=numpy.hstack([k.T.reshape(k.shape, order=\"F\") for k in "
                       "numpy.hsplit(kernel, 4)]), recurrent_kernel=numpy.hstack([k.T for k in "
                       "numpy.hsplit(recurrent_kernel, 4)]), bias=bias[:%lld] + bias[%lld:])",
                       v->path, b->name, b->shape, (long long)rows, (long long)rows);
            return false;
        }
        f->spec.b[f->spec.n_b++] = b->name;
        b->used = true;
    }
    return true;
}

/* ---- TensorFlow's cells: one matrix for [x, h], (I + H, gates * H) ---- */

/* The tensor whose name has other words in the place of "kernel", of this size; NULL: there is none. */
static Item *beside_kernel(const Survey *v, const Item *K, const char *other, int64_t elements)
{
    Item *i = survey_item(v, name_renamed(v->arena, K->name, "kernel", other));
    return i && (elements == 0 ? i->rank == 2 : item_vector(i) == elements) ? i : NULL;
}

static void use_joined(const Survey *v, Item *const *item, int n, const char **out)
{
    const char *name[JOIN_MAX];
    for (int k = 0; k < n; k++) {
        name[k] = item[k]->name;
        item[k]->used = true;
    }
    *out = join_name(v->arena, name, n);
}

static void add_peepholes(const Survey *v, const Item *K, int64_t hidden, Found *out)
{
    Item *p[] = { beside_kernel(v, K, "w_i_diag", hidden), beside_kernel(v, K, "w_f_diag", hidden),
                  beside_kernel(v, K, "w_o_diag", hidden) };
    if (!p[0] || !p[1] || !p[2])
        return;
    use_joined(v, p, LENGTH(p), &out->spec.peephole);
    out->spec.peephole_order = "ifo";
}

/* LSTMCell, BasicLSTMCell, LSTMBlockCell: kernel and bias, peepholes and a projection where they are. */
static bool fused_lstm(Survey *v, Item *K, Found *out)
{
    int64_t hidden = K->columns / GATES;
    Item *b = beside_kernel(v, K, "bias", K->columns), *P = beside_kernel(v, K, "projection/kernel", 0);
    bool projected = P && P->rows == hidden;
    int64_t outputs = projected ? P->columns : hidden;
    if (!b || K->columns % GATES != 0 || K->rows <= outputs)
        return false;
    out->spec = (LayerSpec){ .cell = "lstm", .kernel = K->name, .transpose = true, .gates = "ijfo", .b = { b->name },
                             .n_b = 1, .forget_bias = 1.0 };
    out->hidden = outputs;
    out->inputs = K->rows - outputs;
    K->used = b->used = true;
    if (projected) {
        out->spec.W_projection = P->name;
        P->used = true;
    }
    add_peepholes(v, K, hidden, out);
    return true;
}

/* GRUCell: gates/kernel (I + H, 2H) and candidate/kernel (I + H, H). */
static bool fused_gru(Survey *v, Item *K, Found *out)
{
    const char *gates = strstr(K->name, "gates/kernel");
    if (!gates)
        return false;
    const char *other = str_format(v->arena, "%.*scandidate/kernel", (int)(gates - K->name), K->name);
    Item *matrix[] = { K, survey_item(v, other) };
    if (!matrix[1] || matrix[1]->rows != K->rows || K->columns != 2 * matrix[1]->columns)
        return false;
    int64_t hidden = matrix[1]->columns;
    Item *b[] = { beside_kernel(v, K, "bias", 2 * hidden), beside_kernel(v, matrix[1], "bias", hidden) };
    if (!b[0] || !b[1] || K->rows <= hidden)
        return false;
    out->spec = (LayerSpec){ .cell = "gru_before", .transpose = true, .gates = "ruc", .n_b = 1 };
    out->hidden = hidden;
    out->inputs = K->rows - hidden;
    use_joined(v, matrix, 2, &out->spec.kernel);
    use_joined(v, b, 2, &out->spec.b[0]);
    return true;
}

/* Keras calls a matrix of its own `kernel` too: there, recurrent_kernel lies beside it. */
static bool fused_layer(Survey *v, Item *K, int k, Found *out)
{
    bool cell = strstr(K->name, "lstm") || strstr(K->name, "rnn") || strstr(K->name, "gru");
    int recurrent = model_find(v->model, name_renamed(v->arena, K->name, "kernel", "recurrent_kernel"));
    *out = (Found){ .convention = k };
    if (!cell || recurrent >= 0 || (!fused_gru(v, K, out) && !fused_lstm(v, K, out)))
        return false;
    out->key = name_renamed(v->arena, K->name, "kernel", "\1");
    return true;
}

/* Gives the layer to `out`; false: these tensors are none, or were refused. */
static bool layer_by_name(Survey *v, Item *R, int k, Found *out)
{
    bool turned;
    int64_t hidden;
    if (!item_usable(R) || R->rank != 2 || !name_token(R->name, CONVENTIONS[k].R))
        return false;
    if (!CONVENTIONS[k].W)
        return fused_layer(v, R, k, out);
    Item *W = survey_item(v, name_renamed(v->arena, R->name, CONVENTIONS[k].R, CONVENTIONS[k].W));
    if (!W || W == R || W->rank != 2)
        return false;
    int64_t blocks = blocks_of(R, &turned, &hidden), outputs = hidden;
    Item *P = projection_of(v, W, R, k);
    if (P) {
        blocks = GATES;
        turned = false;
        outputs = P->rows;
        hidden = P->columns;
    }
    const struct TorchCell *cell = k == 0 ? torch_cell(blocks) : NULL;
    if (blocks == 0 || (turned ? W->columns : W->rows) != blocks * hidden)
        return false;
    if (blocks != GATES && !(cell && !turned)) {
        if (strcmp(CONVENTIONS[k].R, "MatMul_1") != 0)      /* two products of anything are called so */
            refuse(v, W, R, cell_fault(blocks));
        return false;
    }
    *out = (Found){ .hidden = hidden, .inputs = turned ? W->rows : W->columns, .convention = k };
    out->key = name_renamed(v->arena, R->name, CONVENTIONS[k].R, "\1");
    out->spec = (LayerSpec){ .cell = cell ? cell->cell : "lstm", .W = W->name, .R = R->name, .transpose = turned };
    out->spec.gates = R->directions ? "iofc" : cell ? cell->gates : CONVENTIONS[k].gates;
    if (P) {
        out->spec.W_projection = P->name;
        P->used = true;
    }
    W->used = R->used = true;
    for (; k < LENGTH(CONVENTIONS) && out->spec.n_b == 0; k++)
        if (name_token(R->name, CONVENTIONS[k].R) && !add_biases(v, out, R, k, blocks))
            return false;
    out->hidden = outputs;
    if (cell && cell_has_key(cell_find(cell->cell), "b_R") && out->spec.n_b == 2) {
        out->spec.b_R[out->spec.n_b_R++] = out->spec.b[1]; /* r multiplies it with what R gives */
        out->spec.n_b = 1;
    }
    if (cell && cell->assumed)
        diag_warn(v->diag, (Place){ 0 }, "%s: '%s' is of a simple RNN: %s", v->path, R->name, cell->assumed);
    return true;
}

/* ---- all of them, in order ---- */

static int by_key(const void *a, const void *b)
{
    return natural(((const Found *)a)->key, ((const Found *)b)->key);
}

static const Found *find_key(const Found *all, int n, const char *key)
{
    for (int i = 0; i < n; i++)
        if (strcmp(all[i].key, key) == 0)
            return &all[i];
    return NULL;
}

const char *recurrent_name(const Found *f)
{
    return f->spec.kernel ? f->spec.kernel : f->spec.R;
}

/* A layer whose name says that it runs from the last step to the first is never one of a stack. */
static bool one_direction(const Survey *v, const Found *all, int n)
{
    for (int i = 0; i < n; i++) {
        const char *key = forward_key(v->arena, all[i].key);
        const Found *twin = key ? find_key(all, n, key) : NULL;
        if (!key || (!twin && strstr(all[i].key, "_b_")))
            continue;
        diag_error(v->diag, (Place){ 0 },
                   "%s: '%s' runs backward%s%s%s, which this version cannot build; if the forward half alone is "
                   "wanted, name its tensors in model.layers",
                   v->path, recurrent_name(&all[i]), twin ? ": with '" : "", twin ? recurrent_name(twin) : "",
                   twin ? "' it makes one bidirectional layer" : "");
        return false;
    }
    return true;
}

/* PyTorch counts the layers of one module from 0: is the one before there? */
static bool missing_before(const Survey *v, const Found *all, int n, const Found *f)
{
    const char *p = strstr(f->key, "\1_l");
    int number = p ? atoi(p + 3) : 0;
    return number > 0 && !find_key(all, n, str_format(v->arena, "%.*s\1_l%d", (int)(p - f->key), f->key, number - 1));
}

/* Why layer k may not be what follows the one before, or NULL. */
static const char *order_question(const Survey *v, int k)
{
    const Found *f = &v->layer[k], *before = k > 0 ? &v->layer[k - 1] : NULL;
    if (missing_before(v, v->layer, v->n, f))
        return str_format(v->arena, "where is the layer before '%s'? Its tensors are not in the file",
                          recurrent_name(f));
    if (before && before->hidden != f->inputs)
        return str_format(v->arena, "what lies before '%s'? It takes %lld values, '%s' gives %lld",
                          f->spec.kernel ? f->spec.kernel : f->spec.W, (long long)f->inputs, recurrent_name(before),
                          (long long)before->hidden);
    if (before && !siblings(before->key, f->key))
        return str_format(v->arena, "does '%s' follow '%s'? Only their sizes say so", shown(v->arena, f->key),
                          shown(v->arena, before->key));
    return NULL;
}

/* Names that do not differ in numbers alone give no order: then the first is in doubt too. */
static bool is_ordered(const Survey *v)
{
    for (int k = 1; k < v->n; k++)
        if (!siblings(v->layer[k - 1].key, v->layer[k].key))
            return false;
    return true;
}

/* From the first doubt on, all is in doubt. */
static void check_order(Survey *v)
{
    const char *question = NULL;
    for (int k = 0; k < v->n; k++) {
        if (!question)
            question = order_question(v, k);
        v->layer[k].question = question;
    }
    for (int k = 0; k < v->n && !is_ordered(v); k++)
        v->layer[k].question = question;
}

/* Layers of one module are counted by the framework itself, others by whoever named them. */
static void warn_order(const Survey *v)
{
    for (int k = 1; k < v->n; k++) {
        const char *a = v->layer[k - 1].key, *b = v->layer[k].key;
        size_t module = strcspn(a, "\1");
        if (v->layer[k].question || (module == strcspn(b, "\1") && strncmp(a, b, module) == 0))
            continue;
        diag_warn(v->diag, (Place){ 0 },
                  "%s: '%s' is taken to follow '%s' by the numbers in their names, with nothing in between: the file "
                  "does not say so",
                  v->path, shown(v->arena, b), shown(v->arena, a));
        return;
    }
}

static void warn_assumed(const Survey *v)
{
    const Found *f = &v->layer[0];
    if (v->n == 0 || (CONVENTIONS[f->convention].sure && strcmp(CONVENTIONS[f->convention].who, "PyTorch") == 0))
        return;
    if (!CONVENTIONS[f->convention].W)
        diag_warn(v->diag, (Place){ 0 },
                  "%s: a file of weights does not say what TensorFlow keeps in its graph: forget_bias: 1 of an LSTM "
                  "(the default of its cells), sigmoid and tanh are assumed; verify.expect shows whether that is your network",
                  v->path);
    else if (CONVENTIONS[f->convention].sure)
        diag_warn(v->diag, (Place){ 0 },
                  "%s: a file of weights does not say the activations: sigmoid and tanh are assumed; verify.expect "
                  "shows whether that is your network",
                  v->path);
    else
        diag_warn(v->diag, (Place){ 0 },
                  "%s: the file does not say in which order the rows of the gates are, nor the activations: gates: %s "
                  "(as %s has it), sigmoid and tanh are assumed; verify.expect shows whether that is your network",
                  v->path, f->spec.gates, f->spec.gates[1] == 'o' ? "ONNX" : CONVENTIONS[f->convention].who);
}

static void layers_by_name(Survey *v)
{
    Found *all = ARENA_ARRAY(v->arena, Found, v->model->n + 1);
    int n = 0;
    for (int i = 0; i < v->model->n; i++)
        for (int k = 0; k < LENGTH(CONVENTIONS); k++)
            if (layer_by_name(v, &v->item[i], k, &all[n])) {
                n++;
                break;
            }
    qsort(all, (size_t)n, sizeof *all, by_key);
    if (diag_failed(v->diag) || !one_direction(v, all, n))
        return;
    if (n > LAYERS_MAX) {
        diag_error(v->diag, (Place){ 0 }, "%s: %d LSTM layers, at most %d are supported", v->path, n, LAYERS_MAX);
        return;
    }
    memcpy(v->layer, all, sizeof *all * (size_t)n);
    v->n = n;
    check_order(v);
    warn_order(v);
    warn_assumed(v);
}

/* ---- shapes alone ---- */

static bool is_recurrent(const Item *R, bool *turned, int64_t *hidden)
{
    return item_usable(R) && blocks_of(R, turned, hidden) == GATES;
}

/* The only vector of that many elements, or NULL. */
static Item *only_vector(const Survey *v, int64_t rows)
{
    Item *found = NULL;
    for (int k = 0; k < v->model->n; k++) {
        Item *b = &v->item[k];
        if (!item_usable(b) || item_vector(b) != rows)
            continue;
        if (found)
            return NULL;
        found = b;
    }
    return found;
}

static void add_guess(Survey *v, Item *W, Item *R, bool turned, int64_t hidden)
{
    Found *f = &v->layer[v->n++];
    *f = (Found){ .hidden = hidden, .inputs = turned ? W->rows : W->columns, .key = R->name };
    f->spec = (LayerSpec){ .cell = "lstm", .W = W->name, .R = R->name, .transpose = turned };
    f->spec.gates = R->directions ? "iofc" : "ifgo";
    f->question = str_format(v->arena,
                             "are '%s' and '%s' W and R of an LSTM, and what is the order of its gates? Only their "
                             "shapes say so%s", W->name, R->name,
                             3 * (turned ? W->rows : W->columns) == GATES * hidden
                                 ? " (a GRU, the other way round, would have the same)" : "");
    W->used = R->used = true;
    Item *b = only_vector(v, GATES * hidden);
    if (b) {
        f->spec.b[f->spec.n_b++] = b->name;
        b->used = true;
    }
}

static void layers_by_shape(Survey *v)
{
    for (int j = 0; j < v->model->n; j++) {
        bool turned;
        int64_t hidden;
        Item *R = &v->item[j];
        if (!is_recurrent(R, &turned, &hidden))
            continue;
        for (int i = 0; i < v->model->n && v->n < LAYERS_MAX && !R->used; i++) {
            Item *W = &v->item[i];
            if (i != j && item_usable(W) && W->rank == 2 && (turned ? W->columns : W->rows) == GATES * hidden)
                add_guess(v, W, R, turned, hidden);
        }
    }
}

/* ---- what is left over ---- */

/* A vector that has a matrix of its own name is the bias of something outside. */
static bool has_matrix(const Survey *v, const Item *b)
{
    static const char *const PAIRS[][2] = { { "bias", "weight" }, { "bias", "kernel" }, { "b", "W" }, { "b", "w" } };
    for (int k = 0; k < LENGTH(PAIRS); k++) {
        const Item *W = name_token(b->name, PAIRS[k][0])
                          ? survey_item(v, name_renamed(v->arena, b->name, PAIRS[k][0], PAIRS[k][1])) : NULL;
        if (W && W->rank == 2)
            return true;
    }
    return false;
}

static void doubt(Survey *v, int from, const char *question)
{
    for (int k = from; k < v->n; k++)
        if (!v->layer[k].question)
            v->layer[k].question = question;
}

/* Does the tensor lie in the module of the layer, as a peephole or a norm of its own does? */
static bool in_module(const Item *t, const Found *f)
{
    size_t module = f->key ? strcspn(f->key, "\1") : 0;
    return module > 0 && f->key[module] && strncmp(t->name, f->key, module) == 0 && !strpbrk(t->name + module, "./");
}

/* What trained states are called; a core begins with zero. */
static bool is_state(const char *name)
{
    static const char *const WORDS[] = { "h0", "c0", "h_0", "c_0", "initial_h", "initial_c", "initial_state",
                                         "peephole" };
    for (int i = 0; i < LENGTH(WORDS); i++)
        if (strstr(path_name(name), WORDS[i]))
            return true;
    return false;
}

/* Something of the layer itself that the spec has no place for. */
static void doubt_own(Survey *v, const Item *t)
{
    for (int k = 0; k < v->n; k++) {
        const Found *f = &v->layer[k];
        bool of_size = item_vector(t) == f->hidden || (t->directions && t->columns == f->hidden) || t->rows == 3;
        if (strcmp(f->spec.cell, "linear") != 0 && (in_module(t, f) || (is_state(t->name) && of_size))) {
            doubt(v, k, str_format(v->arena, "what is '%s' %s? It seems to belong to the layer of '%s' (a peephole, a "
                                             "trained state, a norm), and the spec has no place for it",
                                   t->name, t->shape, recurrent_name(f)));
            return;
        }
    }
}

/* An LSTM without one of its vectors, or a scale between two layers, is another network. */
static void doubt_vector(Survey *v, const Item *b)
{
    for (int k = 0; k < v->n; k++) {
        const Found *f = &v->layer[k];
        bool recurrent = strcmp(f->spec.cell, "linear") != 0;
        int64_t rows = recurrent ? (int64_t)strlen(f->spec.gates) * f->hidden : 0;
        if (recurrent && (b->rows == rows || b->rows == 2 * rows)) {
            doubt(v, k, str_format(v->arena, "does '%s' %s belong to the layer of '%s'? It has the size of its bias",
                                   b->name, b->shape, recurrent_name(f)));
            return;
        }
        if (recurrent && k + 1 < v->n && b->rows == f->hidden) {
            doubt(v, k + 1, str_format(v->arena,
                                       "does '%s' %s lie before this layer (a scale or a norm)? It has the size of "
                                       "what '%s' gives", b->name, b->shape, recurrent_name(f)));
            return;
        }
    }
}

static void doubt_matrix(Survey *v, const Item *W)
{
    for (int k = 0; k + 1 < v->n; k++)
        if (W->rows == v->layer[k].hidden && W->columns == W->rows && strcmp(v->layer[k + 1].spec.cell, "linear") != 0) {
            doubt(v, k + 1, str_format(v->arena, "does '%s' %s lie before this layer? It has the size of what '%s' "
                                                 "gives",
                                       W->name, W->shape, recurrent_name(&v->layer[k])));
            return;
        }
}

/* A matrix that takes the values of two layers says that they run side by side. */
static void doubt_parallel(Survey *v, const Item *W)
{
    for (int k = 1; k < v->n; k++) {
        const Found *a = &v->layer[k - 1], *b = &v->layer[k];
        int64_t both = a->hidden + b->hidden;
        size_t module = a->key && b->key ? strcspn(a->key, "\1") : 0;
        bool apart = strcmp(b->spec.cell, "linear") != 0
                  && (module != strcspn(b->key, "\1") || strncmp(a->key, b->key, module) != 0);
        if (apart && (W->rows == both || W->columns == both)) {
            doubt(v, k, str_format(v->arena, "does '%s' follow '%s', or run beside it? '%s' %s has the size of both",
                                   recurrent_name(b), recurrent_name(a), W->name, W->shape));
            return;
        }
    }
}

static void doubt_left_over(Survey *v)
{
    for (int i = 0; i < v->model->n; i++) {
        const Item *t = &v->item[i];
        if (item_usable(t))
            doubt_own(v, t);
        if (item_usable(t) && t->rank == 2)
            doubt_parallel(v, t);
        if (item_usable(t) && t->rank == 1 && !has_matrix(v, t))
            doubt_vector(v, t);
        else if (item_usable(t) && t->rank == 2)
            doubt_matrix(v, t);
    }
}

void container_layers(Survey *v)
{
    layers_by_name(v);
    if (diag_failed(v->diag)) {
        v->n = 0;
        return;
    }
    if (v->n == 0)
        layers_by_shape(v);
    if (v->n > 0 && v->n < LAYERS_MAX)
        container_head(v);
    doubt_left_over(v);
}
