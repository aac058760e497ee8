/* onnx_loop.c: LSTM, GRU and RNN cells that are written out in the body of a Loop or Scan (tf2onnx, Keras 3).
 *
 * The body is not matched against patterns of nodes: it is run on numbers (onnx_probe.c). With every activation made to
 * give a constant, what the activations are given is affine in x and h: one run for each element of x and h tells a
 * column of W and R, the run on zeros the bias. Which activation is which gate is found by trying: a cell is taken only
 * where its equations give what the body gives, on random numbers, at several steps, with every element of x that the
 * step must not look at made NaN. */
#include "model/onnx_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LOOP_GATES = 4, CHECKS = 4, WIDTH_MAX = 1 << 13, ROWS_SHOWN = 3 };
static const float FAR = 0x1p60f;    /* so large that a bias beside it is lost: the quotient is the weight itself */
static const double NEAR = 2e-5;     /* of the body, in float, to the equations, in double */
static const int64_t MADE_MAX = 1 << 20; /* weights that the file does not hold */
static const int64_t NUMBERS_MAX = (int64_t)1 << 24;

typedef struct Loop {
    Call *call;
    Walk *walk;
    const Graph *body;
    Scope *constants; /* the body's initializers */
    bool scan;
    int states, at_state, at_out; /* carried values; the first among the node's inputs, the body's outputs */
    int at_in;                    /* the first state among the body's inputs */
    const char *sequence;         /* what the body calls x: of all steps (Loop) or of one (Scan) */
    Value *X;
    int64_t steps, batch, inputs, hidden;
    int carried[STATES], n_carried; /* numbers of the states that are vectors: h first, once known */
} Loop;

/* One run: x and the states are `batch` equal rows. */
typedef struct Feed {
    const float *x, *state[STATES];
    int64_t step;
    bool forced, poisoned; /* poisoned: x of all other steps is NaN */
    float gives;
} Feed;
typedef struct Given {
    Probe probe;
    Value **out;
} Given;

static const char *no(const Loop *l, const char *what)
{
    return str_format(l->walk->arena, "%s node '%s': %s; export the layer as an LSTM, GRU or RNN node, or save its weights "
                      "as .npz and name them in model.layers", l->call->node->op_type, l->call->label, what);
}

/* ---- what goes in ---- */

static Value *numbers(Walk *w, int rank, const int64_t *shape, float *f, int64_t *whole)
{
    Array *a = ARENA_NEW(w->arena, Array);
    Value *v = value_new(w, CONSTANT);
    *a = (Array){ .read = true, .integer = whole != NULL, .count = 1, .f = f, .i = whole };
    v->name = v->label = "";
    v->view = (View){ .array = a, .rank = rank };
    for (int i = rank - 1; i >= 0; i--) {
        v->view.shape[i] = shape[i];
        v->view.stride[i] = a->count;
        a->count *= shape[i];
    }
    return v;
}

static Value *rows(const Loop *l, const float *one, int64_t width)
{
    int64_t shape[] = { l->batch, width };
    float *f = ARENA_ARRAY(l->walk->arena, float, l->batch * width);
    for (int64_t i = 0; i < l->batch * width; i++)
        f[i] = one ? one[i % width] : 0;
    return numbers(l->walk, 2, shape, f, NULL);
}

static int64_t rows_shown(const Loop *l)
{
    return is_symbol(l->steps) ? ROWS_SHOWN : l->steps;
}

static Value *all_steps(const Loop *l, const Feed *r)
{
    int64_t shape[] = { rows_shown(l), l->batch, l->inputs }, each = l->batch * l->inputs;
    float *f = ARENA_ARRAY(l->walk->arena, float, shape[0] * each);
    for (int64_t i = 0; i < shape[0] * each; i++)
        f[i] = r->poisoned && i / each != r->step ? NAN : r->x ? r->x[i % l->inputs] : 0;
    return numbers(l->walk, 3, shape, f, NULL);
}

static int carried_at(const Loop *l, int state)
{
    for (int k = 0; k < l->n_carried; k++)
        if (l->carried[k] == state)
            return k;
    return -1;
}

static Value *counter(const Loop *l, Value *from, int64_t step)
{
    double start;
    if (!is_integer(from) || !view_uniform(l->walk, &from->view, &start) || view_count(&from->view) != 1)
        return from;
    int64_t *one = ARENA_NEW(l->walk->arena, int64_t), shape[] = { 1, 1 };
    *one = (int64_t)start + step;
    return numbers(l->walk, MIN(from->view.rank, 2), shape, NULL, one);
}

static bool changes(const Loop *l, int state)
{
    const char *in = l->body->input[l->at_in + state]->name, *out = l->body->output[l->at_out + state]->name;
    return !in || !out || strcmp(in, out) != 0;
}

/* Runs the body; its outputs and what the activations were given. False: a name is missing (an error was recorded). */
static bool run(const Loop *l, const Feed *r, Given *out)
{
    Walk *w = l->walk;
    const Call *c = l->call;
    Scope inner = { .outer = l->constants, .caller = c->scope->caller, .prefix = str_format(w->arena, "%s/", c->label) };
    *out = (Given){ .probe = { .forced = r->forced, .gives = r->gives } };
    for (int i = 0; i < l->states; i++) {
        int k = carried_at(l, i);
        Value *from = c->all[l->at_state + i];
        scope_put(w, &inner, l->body->input[l->at_in + i]->name,
                  k >= 0 ? rows(l, r->state[k], l->hidden) : changes(l, i) ? counter(l, from, r->step) : from);
    }
    if (!l->scan) {
        int64_t *first = ARENA_ARRAY(w->arena, int64_t, 2);
        first[0] = r->step;
        first[1] = 1;
        scope_put(w, &inner, l->body->input[0]->name, numbers(w, 0, NULL, NULL, &first[0]));
        scope_put(w, &inner, l->body->input[1]->name, numbers(w, 0, NULL, NULL, &first[1]));
    }
    scope_put(w, &inner, l->sequence, l->scan ? rows(l, r->x, l->inputs) : all_steps(l, r));
    Probe *before = w->probe;
    w->probe = &out->probe;
    bool ok = walk_nodes(w, &inner, l->body->n_node, l->body->node);
    w->probe = before;
    out->out = ARENA_ARRAY(w->arena, Value *, MAX(l->body->n_output, 1));
    for (size_t i = 0; ok && i < l->body->n_output; i++)
        scope_find(&inner, l->body->output[i]->name ? l->body->output[i]->name : "", &out->out[i]);
    scope_free(&inner);
    return ok;
}

/* A walk that leaves nothing behind: its values are of an arena of its own. */
typedef struct Aside {
    Walk kept;
    Arena *own;
} Aside;

static Aside aside_begin(Walk *w)
{
    Aside a = { *w, arena_new() };
    w->arena = a.own;
    return a;
}

static void aside_end(Walk *w, Aside *a)
{
    a->kept.failed = w->failed;
    *w = a->kept;
    arena_free(a->own);
}

/* ---- the parts of the node ---- */

/* Takes the value as x; false: there is one already that is not it. */
static bool take_sequence(Loop *l, const char *name, Value *v)
{
    if (l->X && (l->X != v || strcmp(l->sequence, name) != 0))
        return false;
    l->X = v;
    l->sequence = name;
    return true;
}

static bool is_sequence(const Value *v)
{
    return v && (v->kind == VECTORS || v->kind == OUTSIDE);
}

/* x of a Loop: what the body takes from outside, or what is handed on unchanged, and is no constant. */
static const char *find_sequence(Loop *l)
{
    Call *c = l->call;
    Value *v, *own;
    for (int i = 0; i < l->states; i++)
        if (!changes(l, i) && is_sequence(c->all[l->at_state + i])
            && !take_sequence(l, l->body->input[l->at_in + i]->name, c->all[l->at_state + i]))
            return "its body takes more than one sequence";
    for (size_t i = 0; i < l->body->n_node; i++)
        for (size_t k = 0; k < l->body->node[i]->n_input; k++) {
            const char *name = l->body->node[i]->input[k];
            if (name[0] && scope_find(c->scope, name, &v) && is_sequence(v) && scope_find(l->constants, name, &own)
                && own == v && !take_sequence(l, name, v))
                return "its body takes more than one sequence";
        }
    return l->X ? NULL : "its body takes no sequence";
}

/* Which states are vectors: h, and c of an LSTM. */
static const char *find_states(Loop *l)
{
    for (int i = 0; i < l->states; i++) {
        const Value *v = l->call->all[l->at_state + i];
        if (!changes(l, i) || is_integer(v))
            continue;
        int64_t width = is_constant(v) && v->view.rank == 2 ? v->view.shape[1]
                      : value_is(v, VECTORS) && v->axes->rank == 2 ? axis_size(&v->axes->axis[1]) : 0;
        if (width <= 0 || is_symbol(width) || width > WIDTH_MAX || l->n_carried == STATES
            || (l->n_carried && l->hidden != width))
            return "what it hands from step to step is not h, or h and c, as (sequences, units)";
        l->hidden = width;
        l->carried[l->n_carried++] = i;
    }
    return l->n_carried ? NULL : "it hands nothing from step to step";
}

static const char *find_sizes(Loop *l)
{
    const Value *X = l->X;
    if (!value_is(X, VECTORS) || X->axes->rank != 3)
        return X->why ? X->why : "its input is no sequence of vectors";
    l->steps = axis_size(&X->axes->axis[0]);
    l->batch = axis_size(&X->axes->axis[1]);
    l->inputs = axis_size(&X->axes->axis[2]);
    if (is_symbol(l->batch))
        l->batch = 1;
    if (l->inputs <= 0 || is_symbol(l->inputs) || l->inputs > WIDTH_MAX || l->batch <= 0 || l->batch > WIDTH_MAX
        || l->steps <= 0)
        return "the size of its input is not known";
    if (rows_shown(l) > NUMBERS_MAX / (l->batch * l->inputs) || l->batch > NUMBERS_MAX / l->hidden)
        return "its input is too large";
    return NULL;
}

/* ---- how many steps ---- */

static int condition_after(const Loop *l, int64_t step)
{
    Given g;
    double value;
    Aside a = aside_begin(l->walk);
    bool known = run(l, &(Feed){ .step = step }, &g) && g.out[0] && is_integer(g.out[0])
              && view_uniform(l->walk, &g.out[0]->view, &value);
    int answer = known ? value != 0 : -1;
    aside_end(l->walk, &a);
    return answer;
}

/* As many as x has, neither fewer nor more. */
static const char *steps_refused(Loop *l)
{
    static const char *const WHY = "how many steps it takes does not follow from the graph";
    Value *trip = call_in(l->call, 0), *go = call_in(l->call, 1);
    double most = NAN, first = 1;
    if (go && !(is_constant(go) && view_uniform(l->walk, &go->view, &first)))
        return WHY;
    int n;
    bool symbol = is_symbol(l->steps);
    int64_t *list = is_integer(trip) ? view_ints(l->walk, &trip->view, &n) : NULL;
    if (list && n == 1)
        most = is_symbol(list[0]) ? NAN : (double)list[0];
    if (first == 0 || (symbol && !(list && n == 1 && list[0] == l->steps)) || (!symbol && most < (double)l->steps))
        return WHY;
    int64_t last = rows_shown(l) - 1;
    if ((last > 0 && condition_after(l, 0) != 1) || (last > 1 && condition_after(l, last - 1) != 1))
        return WHY;
    if (symbol)
        return NULL;
    return most == (double)l->steps || condition_after(l, last) == 0 ? NULL : WHY;
}

/* ---- the weights ---- */

typedef struct Slot {
    int seen;   /* which activation */
    int64_t at; /* its first element there */
} Slot;
typedef struct LoopCell {
    Slot gate[LOOP_GATES];
    int gates, after; /* after: the activation of c, -1: none */
    const NodeCurve *curve[16];
    int activations;
    float *W, *R, *b, *b_R; /* gates * hidden rows; b_R: what r multiplies with in a GRU */
} LoopCell;

/* What the activations were given, one row of `hidden` after the other; NULL: not as the run before. */
static bool gather_seen(const Loop *l, const LoopCell *k, const Given *g, float *out)
{
    if (g->probe.n != k->activations)
        return false;
    for (int s = 0; s < k->gates; s++)
        memcpy(out + s * l->hidden, g->probe.seen[k->gate[s].seen].in + k->gate[s].at, sizeof *out * (size_t)l->hidden);
    return true;
}

static bool run_gates(const Loop *l, const LoopCell *k, const Feed *r, float *out)
{
    Given g;
    Aside a = aside_begin(l->walk);
    bool ok = run(l, r, &g) && gather_seen(l, k, &g, out);
    aside_end(l->walk, &a);
    return ok;
}

static float *random_numbers(Arena *a, int64_t n, uint32_t *state)
{
    float *f = ARENA_ARRAY(a, float, n);
    for (int64_t i = 0; i < n; i++) {
        *state = *state * 1664525u + 1013904223u;
        f[i] = (float)(*state >> 8) / 8388608.0f - 1.0f;
    }
    return f;
}

/* The gates: activations whose argument x has a part in. */
static const char *find_gates(Loop *l, LoopCell *k)
{
    uint32_t seed = 1;
    Given zero, some;
    Feed rest = { .forced = true, .gives = 1 }, moved = rest;
    moved.x = random_numbers(l->walk->arena, l->inputs, &seed);
    if (!run(l, &rest, &zero) || !run(l, &moved, &some))
        return "";
    k->after = -1;
    k->activations = zero.probe.n;
    for (int i = 0; i < zero.probe.n; i++) {
        const Activated *a = &zero.probe.seen[i], *b = &some.probe.seen[i];
        int64_t width = a->count / l->batch;
        if (some.probe.n != zero.probe.n || a->count != b->count || width % l->hidden || a->count % l->batch || !width)
            return "its activations are not of gates";
        k->curve[i] = a->curve;
        if (memcmp(a->in, b->in, sizeof *a->in * (size_t)a->count) == 0) {
            if (k->after >= 0 || width != l->hidden)
                return "its activations are not those of a cell that is known";
            k->after = i;
            continue;
        }
        for (int64_t at = 0; at < width; at += l->hidden) {
            if (k->gates == LOOP_GATES)
                return "it has more than four gates";
            k->gate[k->gates++] = (Slot){ i, at };
        }
    }
    return NULL;
}

/* h comes first: the gates depend on it. */
static const char *find_h(Loop *l, const LoopCell *k)
{
    Arena *a = l->walk->arena;
    int64_t n = k->gates * l->hidden;
    float *zero = ARENA_ARRAY(a, float, n), *some = ARENA_ARRAY(a, float, n);
    uint32_t seed = 2;
    bool moves[STATES] = { false };
    const float *h = random_numbers(a, l->hidden, &seed);
    for (int i = 0; i < l->n_carried; i++) {
        Feed r = { .forced = true, .gives = 1 };
        if (!run_gates(l, k, &r, zero))
            return "";
        r.state[i] = h;
        if (!run_gates(l, k, &r, some))
            return "";
        moves[i] = memcmp(zero, some, sizeof *zero * (size_t)n) != 0;
    }
    if (l->n_carried == 2 && moves[0] == moves[1])
        return "its gates look at both of what it hands on (peepholes?)";
    if (l->n_carried == 2 && moves[1]) {
        int first = l->carried[0];
        l->carried[0] = l->carried[1];
        l->carried[1] = first;
    }
    return NULL;
}

/* One column of W or R for each element. */
static bool find_columns(const Loop *l, const LoopCell *k, bool of_h, float *out)
{
    int64_t n = of_h ? l->hidden : l->inputs, rows_ = k->gates * l->hidden;
    float *one = ARENA_ARRAY(l->walk->arena, float, n), *z = ARENA_ARRAY(l->walk->arena, float, rows_);
    for (int64_t i = 0; i < n; i++) {
        one[i] = FAR;
        if (!run_gates(l, k, &(Feed){ .x = of_h ? NULL : one, .state = { of_h ? one : NULL }, .forced = true, .gives = 1 }, z))
            return false;
        for (int64_t r = 0; r < rows_; r++)
            out[r * n + i] = (z[r] - (k->b[r] + k->b_R[r])) / FAR;
        one[i] = 0;
    }
    return true;
}

/* Numbers that the file holds: weights are some of them. A graph may make far more out of one (ConstantOfShape). */
static int64_t numbers_in_file(const Walk *w)
{
    const Onnx *o = w->model->own;
    int64_t all = 0;
    for (int i = 0; i < o->n; i++) {
        int64_t n = 1;
        for (size_t d = 0; d < o->constant[i].tensor->n_dims && n > 0; d++)
            if (__builtin_mul_overflow(n, o->constant[i].tensor->dims[d], &n))
                n = 0;
        all += MAX(MIN(n, (int64_t)TENSOR_BYTES_MAX), 0);
    }
    return all;
}

static bool find_weights(const Loop *l, LoopCell *k)
{
    Arena *a = l->walk->arena;
    int64_t n = k->gates * l->hidden;
    if (n * (l->inputs + l->hidden) > numbers_in_file(l->walk) + MADE_MAX)
        return false;
    k->b = ARENA_ARRAY(a, float, n);
    k->b_R = ARENA_ARRAY(a, float, n);
    k->W = ARENA_ARRAY(a, float, n * l->inputs);
    k->R = ARENA_ARRAY(a, float, n * l->hidden);
    if (!run_gates(l, k, &(Feed){ .forced = true, .gives = 0 }, k->b)
        || !run_gates(l, k, &(Feed){ .forced = true, .gives = 1 }, k->b_R))
        return false;
    for (int64_t i = 0; i < n; i++)
        k->b_R[i] -= k->b[i];
    return find_columns(l, k, false, k->W) && find_columns(l, k, true, k->R);
}

/* ---- which gate is which ---- */

/* Numbers that the body was run on, what it made of them, and the products that all cells are made of. */
typedef struct Check {
    const float *h, *c;
    float *next[STATES];
    double *x_part, *h_part; /* gates * hidden */
} Check;

static void multiply(const float *M, int64_t rows_, int64_t columns, const float *x, const float *b, double *out)
{
    for (int64_t r = 0; r < rows_; r++) {
        out[r] = b ? (double)b[r] : 0;
        for (int64_t i = 0; i < columns; i++)
            out[r] += (double)M[r * columns + i] * (double)x[i];
    }
}

/* Every row of a state, as the first. */
static bool same_rows(const Loop *l, const Value *v, float *out)
{
    float *f = is_constant(v) && !is_integer(v) ? view_floats(l->walk, &v->view) : NULL;
    if (!f || view_count(&v->view) != l->batch * l->hidden)
        return false;
    memcpy(out, f, sizeof *out * (size_t)l->hidden);
    for (int64_t i = 0; i < l->batch * l->hidden; i++)
        if (f[i] != f[i % l->hidden])
            return false;
    return true;
}

static bool counters_count(const Loop *l, const Given *g, int64_t step)
{
    for (int i = 0; i < l->states; i++) {
        double start, next;
        const Value *from = l->call->all[l->at_state + i], *to = g->out[l->at_out + i];
        if (changes(l, i) && carried_at(l, i) < 0
            && !(is_integer(from) && view_uniform(l->walk, &from->view, &start) && is_integer(to)
                 && view_uniform(l->walk, &to->view, &next) && next == start + (double)step + 1))
            return false;
    }
    return true;
}

/* What each output of the node is: 0, 1: a state, STATES: nothing that is known. */
static bool run_check(const Loop *l, const LoopCell *k, int64_t step, uint32_t *seed, Check *out, int *is)
{
    Arena *a = l->walk->arena;
    int64_t n = k->gates * l->hidden;
    const float *x = random_numbers(a, l->inputs, seed);
    *out = (Check){ .h = random_numbers(a, l->hidden, seed), .c = random_numbers(a, l->hidden, seed),
                    .x_part = ARENA_ARRAY(a, double, n), .h_part = ARENA_ARRAY(a, double, n) };
    for (int i = 0; i < STATES; i++)
        out->next[i] = ARENA_ARRAY(a, float, l->hidden);
    Given g;
    Aside aside = aside_begin(l->walk);
    bool ok = run(l, &(Feed){ .x = x, .state = { out->h, out->c }, .step = step, .poisoned = true }, &g)
           && counters_count(l, &g, step);
    for (int i = 0; i < l->n_carried && ok; i++)
        ok = same_rows(l, g.out[l->at_out + l->carried[i]], out->next[i]);
    for (size_t i = (size_t)l->at_out; i < l->body->n_output && ok; i++) {
        float *f = ARENA_ARRAY(l->walk->arena, float, l->hidden);
        bool flat = is_constant(g.out[i]) && g.out[i]->view.rank == 2 && same_rows(l, g.out[i], f);
        for (int s = 0; s < STATES; s++)
            if (is[i] == s && !(s < l->n_carried && flat && memcmp(f, out->next[s], sizeof *f * (size_t)l->hidden) == 0))
                is[i] = s + 1;
    }
    aside_end(l->walk, &aside);
    multiply(k->W, n, l->inputs, x, k->b, out->x_part);
    multiply(k->R, n, l->hidden, out->h, NULL, out->h_part);
    return ok;
}

static bool close_to(double a, float b)
{
    return fabs(a - (double)b) <= NEAR * (1 + fabs(a));
}

/* The gates in the order of an equation: gate[i] is slot order[i]. */
typedef struct Order { int slot[LOOP_GATES]; } Order;

static double curved(const LoopCell *k, int slot, double z)
{
    return k->curve[k->gate[slot].seen]->of(z);
}

/* i, o, f, g */
static bool is_lstm(const Loop *l, const LoopCell *k, const Check *t, const Order *o)
{
    for (int64_t u = 0; u < l->hidden; u++) {
        double v[LOOP_GATES];
        for (int i = 0; i < 4; i++) {
            int64_t at = o->slot[i] * l->hidden + u;
            v[i] = curved(k, o->slot[i], t->x_part[at] + (double)k->b_R[at] + t->h_part[at]);
        }
        double c = v[2] * (double)t->c[u] + v[0] * v[3], h = v[1] * k->curve[k->after]->of(c);
        if (!close_to(c, t->next[1][u]) || !close_to(h, t->next[0][u]))
            return false;
    }
    return true;
}

/* z, r, h. `after`: r times what R gives; else R times r h. */
static bool is_gru(const Loop *l, const LoopCell *k, const Check *t, const Order *o, bool after)
{
    int64_t H = l->hidden;
    double r[WIDTH_MAX];
    const float *R = k->R + o->slot[2] * H * H;
    for (int64_t u = 0; u < H; u++) {
        int64_t at = o->slot[1] * H + u;
        r[u] = curved(k, o->slot[1], t->x_part[at] + (double)k->b_R[at] + t->h_part[at]);
    }
    for (int64_t u = 0; u < H; u++) {
        int64_t at_z = o->slot[0] * H + u, at_n = o->slot[2] * H + u;
        double z = curved(k, o->slot[0], t->x_part[at_z] + (double)k->b_R[at_z] + t->h_part[at_z]), sum = (double)k->b_R[at_n];
        for (int64_t i = 0; i < H && !after; i++)
            sum += (double)R[u * H + i] * r[i] * (double)t->h[i];
        double n = curved(k, o->slot[2], t->x_part[at_n] + (after ? r[u] * (t->h_part[at_n] + sum) : sum));
        if (!close_to((1 - z) * n + z * (double)t->h[u], t->next[0][u]))
            return false;
    }
    return true;
}

static bool is_after(const Loop *l, const LoopCell *k, const Check *t, const Order *o) { return is_gru(l, k, t, o, true); }
static bool is_before(const Loop *l, const LoopCell *k, const Check *t, const Order *o) { return is_gru(l, k, t, o, false); }

static bool is_rnn(const Loop *l, const LoopCell *k, const Check *t, const Order *o)
{
    for (int64_t u = 0; u < l->hidden; u++)
        if (!close_to(curved(k, o->slot[0], t->x_part[u] + (double)k->b_R[u] + t->h_part[u]), t->next[0][u]))
            return false;
    return true;
}

/* A cell whose bias of R is not the bias of W: gate r multiplies it. `same`: gates that share a curve. */
static const struct Kind {
    const char *op;
    int gates, states, same;
    bool has_after, reset_after;
    bool (*is)(const Loop *l, const LoopCell *k, const Check *t, const Order *o);
} KINDS[] = {
    { "LSTM", 4, 2, 3, true, false, is_lstm },
    { "GRU", 3, 1, 2, false, true, is_after },
    { "GRU", 3, 1, 2, false, false, is_before },
    { "RNN", 1, 1, 1, false, false, is_rnn },
};

static bool fits(const Loop *l, const LoopCell *k, const Check *t, const struct Kind *kind, const Order *o)
{
    for (int i = 1; i < kind->same; i++)
        if (k->curve[k->gate[o->slot[i]].seen] != k->curve[k->gate[o->slot[0]].seen])
            return false;
    for (int i = 0; i < CHECKS; i++)
        if (!kind->is(l, k, &t[i], o))
            return false;
    return true;
}

/* The next order of n gates, as numbers in base 4; false: that was the last one. */
static bool next_order(int *number, int n, Order *o)
{
    for (; *number < 256; ++*number) {
        int used = 0;
        for (int i = 0; i < n; i++) {
            o->slot[i] = *number >> (2 * i) & 3;
            used |= o->slot[i] < n ? 1 << o->slot[i] : 0;
        }
        if (used == (1 << n) - 1 && *number >> (2 * n) == 0) {
            ++*number;
            return true;
        }
    }
    return false;
}

static const struct Kind *find_kind(const Loop *l, const LoopCell *k, const Check *t, Order *o)
{
    for (int i = 0; i < LENGTH(KINDS); i++) {
        const struct Kind *kind = &KINDS[i];
        int number = 0;
        if (kind->gates != k->gates || kind->states != l->n_carried || kind->has_after != (k->after >= 0))
            continue;
        while (next_order(&number, k->gates, o))
            if (fits(l, k, t, kind, o))
                return kind;
    }
    return NULL;
}

/* ---- the layer ---- */

/* (1, gates * hidden, columns) of rows in the order of the slots. */
static Value *reordered(const Loop *l, const LoopCell *k, const Order *o, const float *from, int64_t columns)
{
    int64_t shape[] = { 1, k->gates * l->hidden, columns }, each = l->hidden * columns;
    float *f = ARENA_ARRAY(l->walk->arena, float, k->gates * each);
    for (int s = 0; s < k->gates; s++)
        memcpy(f + s * each, from + o->slot[s] * each, sizeof *f * (size_t)each);
    return numbers(l->walk, 3, shape, f, NULL);
}

static Value *both_biases(const Loop *l, const LoopCell *k, const Order *o)
{
    int64_t n = k->gates * l->hidden, shape[] = { 1, 2 * n };
    float *f = ARENA_ARRAY(l->walk->arena, float, 2 * n);
    const float *b = reordered(l, k, o, k->b, 1)->view.array->f, *b_R = reordered(l, k, o, k->b_R, 1)->view.array->f;
    memcpy(f, b, sizeof *f * (size_t)n);
    memcpy(f + n, b_R, sizeof *f * (size_t)n);
    return numbers(l->walk, 2, shape, f, NULL);
}

/* The state as a node has it: (1, sequences, hidden). */
static Value *first_state(const Loop *l, int i)
{
    Value *from = l->call->all[l->at_state + l->carried[i]];
    if (!is_constant(from))
        return from;
    Value *v = value_new(l->walk, CONSTANT);
    v->name = v->label = "";
    v->view = (View){ .array = from->view.array, .offset = from->view.offset, .rank = 3,
                      .shape = { 1, from->view.shape[0], from->view.shape[1] },
                      .stride = { 0, from->view.stride[0], from->view.stride[1] } };
    return v;
}

static void give(const Loop *l, const Call *cell, const int *is)
{
    Call *c = l->call;
    const Value *Y = cell->out[0], *last = cell->out[1];
    for (int i = 0; i < c->n_out; i++) {
        int out = l->at_out + i;
        if (out >= (int)l->body->n_output || is[out] >= l->n_carried)
            continue;
        if (!value_is(Y, VECTORS)) {
            c->out[i] = cell->out[0];
        } else if (is[out] == 0) { /* Y is (steps, 1, sequences, hidden), Y_h (1, sequences, hidden) */
            Axes axes = i < l->states ? (Axes){ .rank = 2, .axis = { last->axes->axis[1], last->axes->axis[2] } }
                                      : (Axes){ .rank = 3, .axis = { Y->axes->axis[0], Y->axes->axis[2], Y->axes->axis[3] } };
            call_moved(c, i, i < l->states ? last : Y, &axes);
        } else {
            call_out(c, i, OUTSIDE)->why = str_format(c->walk->arena, "'%s' is the cell state of the LSTM in %s '%s': a "
                                                      "core gives h", c->node->output[i], c->node->op_type, c->label);
        }
    }
}

/* Named only where they are not the cell's own, as a node without activations. */
static void set_curves(const LoopCell *k, const struct Kind *kind, const Order *o, CellNode *n)
{
    const char *name[ACTIVATIONS_MAX];
    int count = 0;
    for (int i = kind->same - 1; i < k->gates; i++)
        name[count++] = k->curve[k->gate[o->slot[i]].seen]->name;
    if (k->after >= 0)
        name[count++] = k->curve[k->after]->name;
    bool own = true;
    for (int i = 0; i < count; i++)
        own = own && strcasecmp(name[i], n->kind->activation[i]) == 0;
    for (int i = 0; i < count && !own; i++)
        n->curve[i] = name[i];
}

static void make_layer(Loop *l, const LoopCell *k, const struct Kind *kind, const Order *o, const int *is)
{
    Call *c = l->call, cell = { .walk = c->walk, .scope = c->scope, .node = c->node, .label = c->label, .n_out = 2,
                                .in = { l->X }, .n_in = 1, .all = c->all, .n_all = c->n_all };
    cell.out = ARENA_ARRAY(c->walk->arena, Value *, 2);
    CellNode n = { .op = kind->op, .direction = "forward", .kind = cell_kind(kind->op), .hidden = l->hidden,
                   .reset_after = kind->reset_after, .X = l->X, .W = reordered(l, k, o, k->W, l->inputs),
                   .R = reordered(l, k, o, k->R, l->hidden), .B = both_biases(l, k, o) };
    for (int i = 0; i < l->n_carried; i++)
        n.initial[i] = first_state(l, i);
    set_curves(k, kind, o, &n);
    cell_layer(&cell, &n);
    give(l, &cell, is);
}

static bool open_node(Call *c, Loop *l)
{
    const Onnx__AttributeProto *body = call_attribute(c, "body");
    l->scan = strcmp(c->node->op_type, "Scan") == 0;
    if (!body || !body->g)
        return false;
    l->body = body->g;
    int64_t slices = call_int(c, "num_scan_inputs", 0);
    l->at_state = l->at_in = l->scan ? 0 : 2;
    l->at_out = l->scan ? 0 : 1;
    l->states = l->scan ? (int)c->node->n_input - (int)slices : (int)c->node->n_input - 2;
    if (l->scan && (slices != 1 || call_attribute(c, "scan_input_directions") || call_attribute(c, "scan_input_axes")
                    || call_attribute(c, "scan_output_directions") || call_attribute(c, "scan_output_axes")))
        return false;
    return l->states > 0 && (int)l->body->n_input == l->at_in + l->states + (l->scan ? 1 : 0)
        && (int)l->body->n_output >= l->at_out + l->states && c->n_out + l->at_out <= (int)l->body->n_output;
}

/* NULL: the layer is there; "": an error was recorded. */
static const char *take_apart(Loop *l)
{
    Walk *w = l->walk;
    LoopCell k = { 0 };
    Check t[CHECKS];
    Order o = { { 0 } };
    uint32_t seed = 3;
    const char *why = NULL;
    if (l->scan && !take_sequence(l, l->body->input[l->states]->name, l->call->all[l->states]))
        return "it has no input";
    if ((!l->scan && (why = find_sequence(l))) || (why = find_states(l)) || (why = find_sizes(l)))
        return why;
    if ((!l->scan && (why = steps_refused(l))) || (why = find_gates(l, &k)) || (why = find_h(l, &k)))
        return why;
    if (k.gates == 0 || !find_weights(l, &k))
        return "its body is no cell that is known";
    int *is = ARENA_ARRAY(w->arena, int, l->body->n_output);
    for (int i = 0; i < CHECKS; i++)
        if (!run_check(l, &k, i < CHECKS - 1 ? MIN(i, rows_shown(l) - 1) : rows_shown(l) - 1, &seed, &t[i], is))
            return "its body computes in a way that is not known here";
    const struct Kind *kind = find_kind(l, &k, t, &o);
    if (!kind)
        return "its body is no LSTM, GRU or RNN cell that is known";
    make_layer(l, &k, kind, &o, is);
    return NULL;
}

void run_loop(Call *c)
{
    Walk *w = c->walk;
    Scope constants = { .outer = c->scope, .caller = c->scope->caller, .prefix = str_format(w->arena, "%s/", c->label) };
    Loop l = { .call = c, .walk = w, .constants = &constants };
    int visited = w->visited;
    const char *why = w->probe || !open_node(c, &l) ? "a loop of this form is not taken apart" : NULL;
    if (!why) {
        w->depth++;
        walk_initializers(w, &constants, l.body);
        why = take_apart(&l);
        w->depth--;
        w->visited = visited;
    }
    scope_free(&constants);
    if (why && !w->failed)
        call_outside(c, no(&l, why), true);
}
