/* onnx_cell.c: LSTM, GRU and RNN nodes. All that a node says is read into a CellNode; what the core can do of it is one
 * table.
 *
 * Inputs: X, W (directions, gates*H, I), R (directions, gates*H, H), B (directions, 2*gates*H), sequence_lens,
 * initial_h, initial_c, P (https://onnx.ai/onnx/operators/onnx__LSTM.html, __GRU, __RNN). */
#include "model/onnx_graph.h"

#include <math.h>
#include <string.h>
#include <strings.h>

enum { IN_X, IN_W, IN_R, IN_B, IN_LENGTHS, IN_H0, IN_C0, IN_P };
enum { OUT_Y, OUT_Y_H, OUT_Y_C };
static const float CLIP_MAX = 1e6f; /* of specs */
#define NO "not supported by this version"

static const CellKind KINDS[] = {
    { "LSTM", "iofc", { "Sigmoid", "Tanh", "Tanh" }, { "lstm", "lstm" } },
    { "GRU", "zrh", { "Sigmoid", "Tanh", NULL }, { "gru_before", "gru_after" } },
    { "RNN", "h", { "Tanh", NULL, NULL }, { "rnn", "rnn" } },
};

const CellKind *cell_kind(const char *op)
{
    for (int k = 0; k < LENGTH(KINDS); k++)
        if (strcmp(KINDS[k].op, op) == 0)
            return &KINDS[k];
    return NULL;
}

static int activations_of(const CellKind *k)
{
    int n = 0;
    while (n < ACTIVATIONS_MAX && k->activation[n])
        n++;
    return n;
}

static int64_t rows_of(const Part *p)
{
    return (int64_t)strlen(p->cell.kind->gates) * p->width;
}

Part *part_new(Walk *w, PartKind kind, Call *c, Value *input)
{
    Part *p = ARENA_NEW(w->arena, Part);
    Part *before = value_is(input, VECTORS) ? input->at : NULL;
    *p = (Part){ .kind = kind, .recurrent = kind == PART_CELL || (before && before->recurrent),
                 .before = before, .input = input, .depth = before ? before->depth + 1 : 1,
                 .node = c->node, .label = c->label };
    if (before) {
        p->steps = before->steps;
        p->sequences = before->sequences;
    }
    if (w->parts == w->part_room) {
        int room = MAX(32, 2 * w->part_room);
        w->part = arena_grow(w->arena, w->part, sizeof(Part *) * (size_t)w->part_room, sizeof(Part *) * (size_t)room);
        w->part_room = room;
    }
    return w->part[w->parts++] = p;
}

/* ---- what a core can do ---- */

const char *part_refused(const Part *before)
{
    return before && before->depth >= LAYERS_MAX ? "more layers than a core can have" : NULL;
}

static bool bidirectional(Walk *w, const CellNode *c)
{
    (void)w;
    return strcasecmp(c->direction, "bidirectional") == 0;
}

static bool backwards(Walk *w, const CellNode *c) { (void)w; return strcasecmp(c->direction, "forward") != 0; }
static bool coupled(Walk *w, const CellNode *c) { (void)w; return c->coupled; }
static bool odd_clip(Walk *w, const CellNode *c) { (void)w; return !(c->clip >= 0 && c->clip <= CLIP_MAX); }

static bool zero(Walk *w, const Value *v)
{
    double value;
    return !v || (is_constant(v) && view_uniform(w, &v->view, &value) && value == 0);
}

static bool peepholes(Walk *w, const CellNode *c)
{
    return !zero(w, c->P) && !(is_constant(c->P) && view_count(&c->P->view) == 3 * c->hidden);
}

/* The one state that all sequences start from: (hidden) of (directions, sequences, hidden) or, batch first, (sequences,
 * directions, hidden). False: there is none, or not one for all. */
static bool common_state(Walk *w, const CellNode *c, const Value *v, View *out)
{
    if (!is_constant(v) || is_integer(v) || v->view.rank != 3 || v->view.shape[2] != c->hidden)
        return false;
    View k = v->view;
    int at_B = c->batch_first ? 0 : 1;
    *out = (View){ .array = k.array, .rank = 1, .shape = { k.shape[2] }, .stride = { k.stride[2] }, .offset = k.offset };
    float *one = k.shape[1 - at_B] == 1 ? view_floats(w, out) : NULL;
    int64_t n = is_symbol(k.shape[at_B]) ? 1 : k.shape[at_B];
    bool same = one != NULL;
    for (int64_t s = 1; same && k.stride[at_B] != 0 && s < n; s++) {
        View other = *out;
        other.offset += s * k.stride[at_B];
        float *values = view_floats(w, &other);
        same = values && memcmp(values, one, sizeof *one * (size_t)k.shape[2]) == 0;
    }
    return same;
}

static bool starts_elsewhere(Walk *w, const CellNode *c)
{
    View state;
    for (int i = 0; i < STATES; i++)
        if (!zero(w, c->initial[i]) && !c->state[i] && !common_state(w, c, c->initial[i], &state))
            return true;
    return false;
}

/* One table of what is refused, in the order in which it is said. */
static const struct {
    bool (*has)(Walk *w, const CellNode *c);
    const char *what;
} REFUSED[] = {
    { bidirectional, "direction bidirectional" },
    { backwards, "a direction other than forward" },
    { odd_clip, "attribute 'clip' that is not between 0 and 1000000" },
    { coupled, "attribute 'input_forget' (coupled gates)" },
    { peepholes, "peepholes (input P) that are no constant of 3*hidden values" },
    { starts_elsewhere, "an initial state that is neither a constant nor the same for all sequences (inputs initial_h, "
                        "initial_c)" },
};

/* ---- activations ---- */

/* What a spec calls them, where it can (NULL: it cannot). Those with parameters take the next of activation_alpha and
 * _beta, or the operator's own (NAN: it has none); the curve is that of these values. */
static const struct {
    const char *op, *curve;
    bool has_alpha, has_beta;
    float alpha, beta, own_alpha, own_beta;
} ACTIVATIONS[] = {
    { .op = "Sigmoid", .curve = "sigmoid" },
    { .op = "Tanh", .curve = "tanh" },
    { .op = "Relu", .curve = "relu" },
    { .op = "Softsign", .curve = "softsign" },
    { .op = "Softplus" },
    { "HardSigmoid", "hard_sigmoid", true, true, 0.2f, 0.5f, 0.2f, 0.5f },
    { "HardSigmoid", "hard_sigmoid_6", true, true, 1.0f / 6.0f, 0.5f, 0.2f, 0.5f },
    { "LeakyRelu", "leaky_relu", true, false, 0.01f, 0, 0.01f, 0 },
    { "ThresholdedRelu", "relu", true, false, 0, 0, 1, 0 },
    { "Elu", NULL, true, false, 0, 0, 1, 0 },
    { "Affine", "none", true, true, 1, 0, NAN, NAN },
    { "ScaledTanh", "tanh", true, true, 1, 1, NAN, NAN },
};

typedef struct Parameters {
    const Onnx__AttributeProto *list;
    size_t at;
} Parameters;

static float next_parameter(Parameters *p, bool has, float own)
{
    return !has ? 0 : p->list && p->at < p->list->n_floats ? p->list->floats[p->at++] : own;
}

/* The curve of one activation; NULL: a spec has none for it, and *shown is what the node says. */
static const char *curve_of(Arena *a, const char *name, Parameters *alphas, Parameters *betas, const char **shown)
{
    Curve known;
    *shown = str_format(a, "'%.40s'", name);
    for (int i = 0; i < LENGTH(ACTIVATIONS); i++) {
        if (strcasecmp(name, ACTIVATIONS[i].op) != 0)
            continue;
        float alpha = next_parameter(alphas, ACTIVATIONS[i].has_alpha, ACTIVATIONS[i].own_alpha);
        float beta = next_parameter(betas, ACTIVATIONS[i].has_beta, ACTIVATIONS[i].own_beta);
        const char *curve = ACTIVATIONS[i].curve;
        if (ACTIVATIONS[i].has_alpha)
            *shown = str_format(a, "%s (alpha %g%s)", *shown, (double)alpha,
                                ACTIVATIONS[i].has_beta ? str_format(a, ", beta %g", (double)beta) : "");
        while (alpha != ACTIVATIONS[i].alpha && i + 1 < LENGTH(ACTIVATIONS)
               && strcmp(ACTIVATIONS[i].op, ACTIVATIONS[i + 1].op) == 0)
            curve = ACTIVATIONS[++i].curve;     /* another slope */
        return alpha == ACTIVATIONS[i].alpha && beta == ACTIVATIONS[i].beta && curve && curve_find(curve, &known)
             ? curve : NULL;
    }
    return NULL;
}

/* Sets the curves; NULL, or what is refused. */
static const char *read_curves(Call *c, CellNode *cell)
{
    Parameters alphas = { call_attribute(c, "activation_alpha"), 0 }, betas = { call_attribute(c, "activation_beta"), 0 };
    int n = activations_of(cell->kind);
    bool same = true;
    if (cell->n_activations == 0)
        return NULL;
    if (cell->n_activations != n)
        return str_format(c->walk->arena, "%d activations, this node has %d", cell->n_activations, n);
    for (int i = 0; i < n; i++) {
        const char *shown;
        cell->curve[i] = curve_of(c->walk->arena, cell->activation[i], &alphas, &betas, &shown);
        if (!cell->curve[i])
            return str_format(c->walk->arena, "activations: %s: " NO "; train or export it without, or name in "
                              "model.layers the layers that are wanted", shown);
        same = same && strcasecmp(cell->activation[i], cell->kind->activation[i]) == 0;
    }
    for (int i = 0; same && i < n; i++)
        cell->curve[i] = NULL;
    return NULL;
}

/* ---- reading a node ---- */

static const char *text_of(Walk *w, const ProtobufCBinaryData *s)
{
    return str_ndup(w->arena, (const char *)s->data, s->len);
}

/* The graph input that the layers up to here compute with, or NULL. */
static const char *source_of(const Value *X)
{
    while (value_is(X, VECTORS) && X->at)
        X = X->at->input;
    return X ? X->state : NULL;
}

/* A state that only moves elements of a graph input other than x's: it is handed from call to call. */
static const char *state_of(const CellNode *c, const Value *v)
{
    const char *x = source_of(c->X);
    return v && v->kind != CONSTANT && v->state && (!x || strcmp(x, v->state) != 0) ? v->state : NULL;
}

CellNode cell_read(Call *c, const char *op)
{
    CellNode cell = { .op = op, .direction = "forward", .hidden = call_int(c, "hidden_size", 0),
                  .batch_first = call_int(c, "layout", 0) == 1, .coupled = call_int(c, "input_forget", 0) != 0,
                  .reset_after = call_int(c, "linear_before_reset", 0) != 0, .clip = call_float(c, "clip", 0),
                  .X = call_in(c, IN_X), .W = call_in(c, IN_W), .R = call_in(c, IN_R), .B = call_in(c, IN_B),
                  .lengths = call_in(c, IN_LENGTHS), .P = call_in(c, IN_P) };
    cell.kind = cell_kind(cell.op);
    const Onnx__AttributeProto *a = call_attribute(c, "direction");
    if (a && a->s.len > 0)
        cell.direction = text_of(c->walk, &a->s);
    a = call_attribute(c, "activations");
    for (size_t i = 0; a && i < a->n_strings && i < CELL_ACTIVATIONS_MAX; i++)
        cell.activation[cell.n_activations++] = text_of(c->walk, &a->strings[i]);
    for (int i = 0; i < STATES; i++)
        cell.initial[i] = call_in(c, IN_H0 + i);
    if (value_is(cell.R, CONSTANT) && cell.R->view.rank == 3)
        cell.hidden = cell.hidden ? cell.hidden : cell.R->view.shape[2];
    return cell;
}

/* ---- refusing ---- */

static void refuse(Call *c, Part *p, const char *what)
{
    p->refused = str_format(c->walk->arena, "%s node '%s': %s", c->node->op_type, c->label, what);
    call_outside(c, p->refused, true);
}

/* One direction of the node as a layer of a spec. */
static const char *one_direction(Call *c, const CellNode *cell, const char *turn)
{
    const char *key = cell->kind->cell[cell->reset_after], *name = cell_name(cell_find(key));
    const char *reset = strcmp(name, "gru") ? "" : cell->reset_after ? ", reset: after" : ", reset: before";
    return str_format(c->walk->arena, "{cell: %s%s, gates: %s, W: \"%s:W.%s\", R: \"%s:R.%s\"%s}", name, reset,
                      cell->kind->gates, c->label, turn, c->label, turn,
                      cell->B ? str_format(c->walk->arena, ", b: \"%s:B.%s\"", c->label, turn) : "");
}

static const char *refused_cell(Call *c, CellNode *cell)
{
    Arena *a = c->walk->arena;
    for (int i = 0; i < LENGTH(REFUSED); i++) {
        if (!REFUSED[i].has(c->walk, cell))
            continue;
        bool both = bidirectional(c->walk, cell);
        if (backwards(c->walk, cell))
            return str_format(a, "%s: " NO "; for one direction alone give its tensors in model.layers: %s%s",
                              REFUSED[i].what, one_direction(c, cell, both ? "forward" : "reverse"),
                              both ? ", or .reverse for the other" : ", and feed it the sequence backwards");
        return str_format(a, "%s: " NO "; train or export it without, or name in model.layers the layers that are "
                          "wanted", REFUSED[i].what);
    }
    return read_curves(c, cell);
}

/* The lengths may be given when they are what the input has anyway. */
static bool lengths_refused(Call *c, const CellNode *cell, int64_t steps)
{
    int n;
    if (!cell->lengths)
        return false;
    const int64_t *list = is_integer(cell->lengths) ? view_ints(c->walk, &cell->lengths->view, &n) : NULL;
    for (int i = 0; list && i < n; i++)
        if (list[i] != steps)
            return true;
    return !list;
}

static const char *weights_refused(Call *c, const CellNode *cell)
{
    const Value *all[] = { NULL, cell->W, cell->R, cell->B };
    static const char *const LETTERS[] = { "X", "W", "R", "B" };
    for (int i = IN_W; i <= IN_B; i++) {
        const Value *v = all[i];
        const char *name = (size_t)i < c->node->n_input ? c->node->input[i] : "";
        if (is_constant(v) || (i == IN_B && !v))
            continue;
        if (v && v->why)
            return str_format(c->walk->arena, "its input %s: %s", LETTERS[i], v->why);
        return str_format(c->walk->arena, "its input %s ('%s') is not an initializer%s%s; name the layer's tensors in "
                          "model.layers", LETTERS[i], name, v && v->node ? " but computed by " : "",
                          v && v->node ? v->node->op_type : "");
    }
    if (cell->R->view.rank != 3 || cell->R->view.shape[2] != cell->hidden)
        return str_format(c->walk->arena, "R has the shape %s, hidden_size is %lld",
                          dims_text(c->walk->arena, cell->R->view.rank, cell->R->view.shape), (long long)cell->hidden);
    return NULL;
}

/* ---- the axes of X ---- */

/* The first node between what the layers give and v that is not understood. */
static const Value *outside_first(const Value *v)
{
    const Value *first = v;
    for (bool deeper = true; deeper;) {
        deeper = false;
        for (int i = 0; i < first->n_from && !deeper; i++)
            if (value_is(first->from[i], OUTSIDE) && first->from[i]->core) {
                first = first->from[i];
                deeper = true;
            }
    }
    return first;
}

/* Sets the sizes of p; NULL, or why X is not a sequence of vectors for this node. */
static const char *bind(Call *c, const CellNode *cell, Part *p)
{
    Value *X = cell->X;
    Arena *a = c->walk->arena;
    int at_T = cell->batch_first, at_B = !at_T;
    if (X && X->kind == OUTSIDE && !X->core) {
        p->steps = new_symbol(c->walk);
        p->sequences = new_symbol(c->walk);
        return NULL;
    }
    if (!X || X->kind != VECTORS)
        return X && X->why ? X->why : "its input X is no sequence of vectors";
    if (X->axes->rank != 3)
        return str_format(a, "its input X has %d axes, it needs 3", X->axes->rank);
    const Axis *T = &X->axes->axis[at_T], *B = &X->axes->axis[at_B], *F = &X->axes->axis[2];
    if (!value_recurrent(X)) { /* no layer has said yet which axis is which */
        p->steps = axis_size(T);
        p->sequences = axis_size(B);
        return p->steps < 0 || p->sequences < 0 || T->n > 1 || B->n > 1 || F->n > 1
             ? "its input X has axes that the graph made of several"
             : X->at && vectors_axis(X) != 2 ? "the elements of its input X are not on its last axis" : NULL;
    }
    if (X->last)
        return str_format(a, "it takes the last step of '%s' as a sequence", X->at->label);
    bool steps = T->n == 1 ? T->atom[0].label == 'T' : T->n == 0 && (p->steps == 1 || is_symbol(p->steps));
    bool sequences = B->n == 1 ? B->atom[0].label == 'B' : B->n == 0 && (p->sequences == 1 || is_symbol(p->sequences));
    if (steps && sequences && vectors_axis(X) == 2)
        return NULL;
    return str_format(a, "the axes of its input X are not those of '%s' (steps and sequences exchanged, or elements "
                      "moved): a core runs along one axis", X->at->label);
}

/* ---- the layer ---- */

/* A scale and a shift of X, folded into W and the first half of B. */
static bool fold_input(Call *c, Part *p)
{
    const Value *X = p->input;
    Walk *w = c->walk;
    if (!value_is(X, VECTORS) || !X->scale)
        return true;
    float *W = view_floats(w, &p->W), *b = p->B.array ? view_floats(w, &p->B) : NULL;
    int64_t rows = rows_of(p), columns = X->at->width;
    if (!W || (p->B.array && !b) || view_count(&p->W) != rows * columns || (b && view_count(&p->B) != 2 * rows))
        return false;
    b = b ? b : ARENA_ARRAY(w->arena, float, 2 * rows);
    for (int64_t r = 0; r < rows; r++) {
        double sum = (double)b[r];
        for (int64_t i = 0; i < columns; i++) {
            sum += (double)W[r * columns + i] * (double)X->shift[i];
            W[r * columns + i] *= X->scale[i];
        }
        b[r] = (float)sum;
    }
    Array *arrays = ARENA_ARRAY(w->arena, Array, 2);
    arrays[0] = (Array){ .read = true, .count = rows * columns, .f = W };
    arrays[1] = (Array){ .read = true, .count = 2 * rows, .f = b };
    p->W = (View){ .array = &arrays[0], .rank = 2, .shape = { rows, columns }, .stride = { columns, 1 } };
    p->B = (View){ .array = &arrays[1], .rank = 1, .shape = { 2 * rows }, .stride = { 1 } };
    return true;
}

static void give_outputs(Call *c, Part *p, bool batch_first)
{
    Axis T = axis_of('T', p->steps), B = axis_of('B', p->sequences), F = axis_of('F', p->width), one = { 0 };
    Axes Y = { .rank = 4, .axis = { T, one, B, F } }, Y_h = { .rank = 3, .axis = { one, B, F } };
    if (batch_first) {
        Y = (Axes){ .rank = 4, .axis = { B, T, one, F } };
        Y_h = (Axes){ .rank = 3, .axis = { B, one, F } };
    }
    Value from = { .at = p };
    if (c->n_out > OUT_Y)
        call_moved(c, OUT_Y, &from, &Y);
    if (c->n_out > OUT_Y_H) {
        Value *h = call_moved(c, OUT_Y_H, &from, &Y_h);
        h->last = p->steps != 1; /* of one step it is all */
        h->final = true;
    }
    call_outside(c, str_format(c->walk->arena, "'%s' is the cell state (output Y_c) of %s node '%s': a core gives h; "
                               "let the graph go on from Y or Y_h, or name in model.layers the layers up to there",
                               c->n_out > OUT_Y_C ? c->node->output[OUT_Y_C] : "", c->node->op_type, c->label), false);
}

/* X comes through nodes that no core has: what joins or changes elements is an error, what only groups them anew ends
 * the core there. */
static bool interrupted(Call *c, Part *p, const Value *X)
{
    if (!X || X->kind != OUTSIDE || (!X->core && !X->anywhere))
        return false;
    if (X->anywhere) {
        call_outside(c, X->why, true);
        return true;
    }
    const Value *first = outside_first(X);
    if (first->regroups && !first->why) {
        call_outside(c, NULL, false);
        return true;
    }
    refuse(c, p, first->why ? first->why
                            : str_format(c->walk->arena, "its input is computed by %s '%s' from what other "
                                         "layers give, which no core does; name in model.layers the layers up to there",
                                         first->node->op_type, first->label));
    return true;
}

/* Peepholes and initial states, where they are not zero. */
static void read_options(Walk *w, Part *p)
{
    const CellNode *c = &p->cell;
    if (!zero(w, c->P))
        p->P = c->P->view;
    for (int i = 0; i < STATES; i++)
        if (zero(w, c->initial[i]) || c->state[i] || !common_state(w, c, c->initial[i], &p->initial[i]))
            p->initial[i] = (View){ 0 };
}

void cell_layer(Call *c, CellNode *from)
{
    Part *p = part_new(c->walk, PART_CELL, c, from->X);
    CellNode cell = *from;
    for (int i = 0; i < STATES; i++)
        cell.state[i] = state_of(&cell, cell.initial[i]);
    const char *why = refused_cell(c, &cell);
    p->cell = cell;
    p->width = cell.hidden;
    why = why ? why : weights_refused(c, &cell);
    if (why) {
        refuse(c, p, why);
        return;
    }
    p->W = cell.W->view;
    p->R = cell.R->view;
    p->B = cell.B ? cell.B->view : (View){ 0 };
    if (interrupted(c, p, cell.X))
        return;
    why = part_refused(p->before);
    why = why ? str_format(c->walk->arena, "%s ('%s'): " NO, why, p->before->label) : bind(c, &cell, p);
    if (!why && lengths_refused(c, &cell, p->steps))
        why = "sequence lengths (input sequence_lens): " NO "; export it without, the core takes the end of a sequence "
              "from its stream";
    if (!why)
        read_options(c->walk, p);
    if (!why && !fold_input(c, p))
        why = "what scales or shifts its input cannot be folded into W";
    if (why)
        refuse(c, p, why);
    else
        give_outputs(c, p, cell.batch_first);
}

static void run_cell(Call *c)
{
    CellNode cell = cell_read(c, c->node->op_type);
    cell_layer(c, &cell);
}

const Operator CELLS[] = {
    { "LSTM", run_cell, false },
    { "GRU", run_cell, false },
    { "RNN", run_cell, false },
    { NULL, NULL, false },
};
