/* onnx_cell.c: LSTM, GRU and RNN nodes. All that a node says is read into a CellNode; what the core can do of it is one
 * table.
 *
 * Inputs: X, W (directions, gates*H, I), R (directions, gates*H, H), B (directions, 2*gates*H), sequence_lens,
 * initial_h, initial_c, P; rows of an LSTM in the order i o f c (https://onnx.ai/onnx/operators/onnx__LSTM.html). */
#include "model/onnx_graph.h"

#include <string.h>
#include <strings.h>

enum { IN_X, IN_W, IN_R, IN_B, IN_LENGTHS, IN_H0, IN_C0, IN_P };
enum { OUT_Y, OUT_Y_H, OUT_Y_C };
#define NO "not supported by this version"

Part *part_new(Walk *w, PartKind kind, Call *c, Value *input)
{
    Part *p = ARENA_NEW(w->arena, Part);
    Part *before = value_is(input, VECTORS) ? input->at : NULL;
    *p = (Part){ .kind = kind, .before = before, .input = input, .depth = before ? before->depth + 1 : 1,
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

const char *part_refused(const Part *before, PartKind kind)
{
    if (before && before->kind == PART_LINEAR)
        return kind == PART_CELL ? "a linear layer in front of a recurrent one" : "a second linear layer";
    return before && before->depth >= LAYERS_MAX ? "more layers than a core can have" : NULL;
}

static bool is_gru(Walk *w, const CellNode *c) { (void)w; return strcmp(c->op, "LSTM") != 0; }
static bool bidirectional(Walk *w, const CellNode *c)
{
    (void)w;
    return strcasecmp(c->direction, "bidirectional") == 0;
}

static bool backwards(Walk *w, const CellNode *c) { (void)w; return strcasecmp(c->direction, "forward") != 0; }
static bool clips(Walk *w, const CellNode *c) { (void)w; return c->clip != 0; }
static bool coupled(Walk *w, const CellNode *c) { (void)w; return c->coupled; }

static bool other_activations(Walk *w, const CellNode *c)
{
    static const char *const USUAL[] = { "Sigmoid", "Tanh", "Tanh" };
    (void)w;
    bool same = c->n_activations == 0 || c->n_activations == LENGTH(USUAL);
    for (int i = 0; same && i < c->n_activations; i++)
        same = strcasecmp(c->activation[i], USUAL[i]) == 0;
    return !same;
}

static bool zero(Walk *w, const Value *v)
{
    double value;
    return !v || (is_constant(v) && view_uniform(w, &v->view, &value) && value == 0);
}

static bool peepholes(Walk *w, const CellNode *c) { return !zero(w, c->P); }

static bool starts_elsewhere(Walk *w, const CellNode *c)
{
    for (int i = 0; i < STATES; i++)
        if (!zero(w, c->initial[i]) && !c->state[i])
            return true;
    return false;
}

/* One table of what is refused, in the order in which it is said. */
static const struct {
    bool (*has)(Walk *w, const CellNode *c);
    const char *what;
} REFUSED[] = {
    { is_gru, "a recurrent node that is no LSTM" },
    { bidirectional, "direction bidirectional" },
    { backwards, "a direction other than forward" },
    { clips, "attribute 'clip'" },
    { coupled, "attribute 'input_forget' (coupled gates)" },
    { other_activations, "activations other than Sigmoid, Tanh, Tanh" },
    { peepholes, "peepholes (input P)" },
    { starts_elsewhere, "an initial state that is not zero (inputs initial_h, initial_c)" },
};

/* ---- reading a node ---- */

static const char *text_of(Walk *w, const ProtobufCBinaryData *s)
{
    return str_ndup(w->arena, (const char *)s->data, s->len);
}

/* A state that only moves elements of a graph input other than x's: it is handed from call to call. */
static const char *state_of(const CellNode *c, const Value *v)
{
    const char *x = c->X ? c->X->state : NULL;
    return v && v->kind != CONSTANT && v->state && (!x || strcmp(x, v->state) != 0) ? v->state : NULL;
}

static CellNode read_cell(Call *c)
{
    CellNode cell = { .op = c->node->op_type, .direction = "forward", .hidden = call_int(c, "hidden_size", 0),
                  .batch_first = call_int(c, "layout", 0) == 1, .coupled = call_int(c, "input_forget", 0) != 0,
                  .reset_after = call_int(c, "linear_before_reset", 0) != 0, .clip = call_float(c, "clip", 0),
                  .X = call_in(c, IN_X), .W = call_in(c, IN_W), .R = call_in(c, IN_R), .B = call_in(c, IN_B),
                  .lengths = call_in(c, IN_LENGTHS), .P = call_in(c, IN_P) };
    const Onnx__AttributeProto *a = call_attribute(c, "direction");
    if (a && a->s.len > 0)
        cell.direction = text_of(c->walk, &a->s);
    a = call_attribute(c, "activations");
    for (size_t i = 0; a && i < a->n_strings && i < CELL_ACTIVATIONS_MAX; i++)
        cell.activation[cell.n_activations++] = text_of(c->walk, &a->strings[i]);
    cell.alphas = call_attribute(c, "activation_alpha") || call_attribute(c, "activation_beta");
    for (int i = 0; i < STATES; i++) {
        cell.initial[i] = call_in(c, IN_H0 + i);
        cell.state[i] = state_of(&cell, cell.initial[i]);
    }
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

static const char *refused_cell(Call *c, const CellNode *cell)
{
    Arena *a = c->walk->arena;
    for (int i = 0; i < LENGTH(REFUSED); i++) {
        if (!REFUSED[i].has(c->walk, cell))
            continue;
        if (is_gru(c->walk, cell))
            return str_format(a, "a %s node is " NO ", an LSTM is", cell->op);
        if (backwards(c->walk, cell))
            return str_format(a, "%s: " NO "; for one direction alone give its tensors in model.layers: {cell: lstm, "
                              "gates: iofc, W: \"%s:W.%s\", R: \"%s:R.%s\", b: \"%s:B.%s\"}%s", REFUSED[i].what,
                              c->label, i == 1 ? "forward" : "reverse", c->label, i == 1 ? "forward" : "reverse",
                              c->label, i == 1 ? "forward" : "reverse",
                              i == 1 ? ", or .reverse for the other" : ", and feed it the sequence backwards");
        return str_format(a, "%s: " NO "; train or export it without, or name in model.layers the layers that are "
                          "wanted", REFUSED[i].what);
    }
    return NULL;
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
    if (!X->at) {
        p->steps = axis_size(T);
        p->sequences = axis_size(B);
        return p->steps < 0 || p->sequences < 0 || T->n > 1 || B->n > 1 || F->n > 1
             ? "its input X has axes that the graph made of several" : NULL;
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
    int64_t rows = GATES * p->width, columns = X->at->width;
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

static void run_cell(Call *c)
{
    Part *p = part_new(c->walk, PART_CELL, c, call_in(c, IN_X));
    CellNode cell = read_cell(c);
    p->cell = cell;
    p->width = cell.hidden;
    const char *why = refused_cell(c, &cell);
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
    why = part_refused(p->before, PART_CELL);
    why = why ? str_format(c->walk->arena, "%s ('%s'): " NO, why, p->before->label) : bind(c, &cell, p);
    if (!why && lengths_refused(c, &cell, p->steps))
        why = "sequence lengths (input sequence_lens): " NO "; export it without, the core takes the end of a sequence "
              "from its stream";
    if (!why && !fold_input(c, p))
        why = "what scales or shifts its input cannot be folded into W";
    if (why)
        refuse(c, p, why);
    else
        give_outputs(c, p, cell.batch_first);
}

const Operator CELLS[] = {
    { "LSTM", run_cell, false },
    { "GRU", run_cell, false },
    { "RNN", run_cell, false },
    { NULL, NULL, false },
};
