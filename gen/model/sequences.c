/* sequences.c: what the core is verified with: input sequences, expected outputs, labels; or
 * made-up noise. */
#include "model/importer.h"

#include <math.h>
#include <string.h>

enum { MADE_SEQUENCES = 2, MADE_STEPS = 6 };

typedef struct Loader {
    Arena *arena;
    Diag *diag;
    const Spec *spec;
    const Network *net;
    Sequences *out;
    int file_steps; /* steps in verify.input, before anything is cut */
    bool cut;       /* verify.steps left steps of some sequence out */
    bool either;    /* verify.input is (T, 1, I): one sequence of T steps, or T of one step... */
    bool many;      /* ... and to be read as the latter */
} Loader;

static bool shape_error(const Loader *l, const char *key, const Tensor *t, const char *expected)
{
    diag_error(l->diag, spec_at(l->spec, key), "%s: %s: expected shape %s, found %s", t->name, key,
               expected, shape_text(l->arena, t));
    return false;
}

static Tensor *load(const Loader *l, const char *key, const char *path)
{
    return array_load(l->arena, l->diag, spec_at(l->spec, key), path);
}

/* ---- made here ---- */

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Nearly normal, mean 0, variance 1: the sum of 12 uniform numbers less 6. Exact additions of
 * multiples of 2^-32, so every machine and C library makes the same noise. */
static double next_normal(uint64_t *state)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (double)(next_random(state) >> 32) * 0x1p-32;
    return sum;
}

static bool make_noise(const Loader *l)
{
    Sequences *q = l->out;
    uint64_t state = 1;
    double sigma = l->spec->input_range > 0 ? l->spec->input_range / 3 : 1;
    int steps = l->spec->verify_steps > 0 ? MIN(l->spec->verify_steps, MADE_STEPS) : MADE_STEPS;
    *q = (Sequences){
        .n = MADE_SEQUENCES, .steps = steps, .width = l->net->layer[0].inputs, .made = true
    };
    q->length = ARENA_ARRAY(l->arena, int, q->n);
    for (int s = 0; s < q->n; s++)
        q->length[s] = steps;
    size_t count = (size_t)q->n * (size_t)steps * (size_t)q->width;
    q->x = ARENA_ARRAY(l->arena, float, count);
    for (size_t i = 0; i < count; i++)
        q->x[i] = (float)(sigma * next_normal(&state));
    return true;
}

/* ---- input and lengths ---- */

/* A list of whole numbers, one for each sequence, each in low..high. */
static int *load_numbers(const Loader *l, const char *key, const char *path, int low, int high)
{
    Tensor *t = load(l, key, path);
    if (!t)
        return NULL;
    if (t->count != l->out->n || t->shape[0] != t->count) {
        shape_error(l, key, t,
                    str_format(l->arena, "(%d,): one number for each sequence", l->out->n));
        return NULL;
    }
    int *numbers = ARENA_ARRAY(l->arena, int, t->count);
    for (int i = 0; i < t->count; i++) {
        float v = t->data[i];
        if (v != floorf(v) || v < (float)low || v > (float)high) {
            diag_error(l->diag, spec_at(l->spec, key),
                       "%s: %s: expected whole numbers from %d to %d, found %g at index "
                       "%d",
                       t->name, key, low, high, (double)v, i);
            return NULL;
        }
        numbers[i] = (int)v;
    }
    return numbers;
}

/* Sets the length of every sequence, as the file has it and after verify.steps. */
static bool set_lengths(Loader *l)
{
    Sequences *q = l->out;
    if (l->spec->verify_lengths)
        q->length = load_numbers(l, "verify.lengths", l->spec->verify_lengths, 1, l->file_steps);
    else {
        q->length = ARENA_ARRAY(l->arena, int, q->n);
        for (int s = 0; s < q->n; s++)
            q->length[s] = l->file_steps;
    }
    if (!q->length)
        return false;
    for (int s = 0; s < q->n; s++) {
        if (l->spec->verify_steps > 0 && q->length[s] > l->spec->verify_steps) {
            q->length[s] = l->spec->verify_steps;
            l->cut = true;
        }
        q->steps = MAX(q->steps, q->length[s]);
    }
    return true;
}

/* [n][file_steps][width] to [n][steps][width], with zeros after each sequence's end. */
static float *crop(const Loader *l, const float *from, int width)
{
    const Sequences *q = l->out;
    size_t step = (size_t)width;
    float *to = ARENA_ARRAY(l->arena, float, (size_t)q->n *(size_t)q->steps *step);
    for (int s = 0; s < q->n; s++)
        memcpy(to + (size_t)s * (size_t)q->steps * step,
               from + (size_t)s * (size_t)l->file_steps * step,
               (size_t)q->length[s] * step * sizeof *to);
    return to;
}

/* (T, 1, I) may be T steps of one sequence, as recurrent layers of PyTorch take it, or T sequences of one step. What is
 * given for each sequence tells; else choose_reading does. */
static bool either_reading(const Loader *l, const Tensor *t)
{
    return t->rank == 3 && t->shape[1] == 1 && t->shape[0] > 1 && !l->spec->verify_lengths && !l->spec->verify_labels;
}

/* (T, I) is one sequence, (S, T, I) several. */
static Tensor *load_steps(Loader *l, const char *key, const char *path)
{
    int width = l->net->layer[0].inputs;
    Tensor *t = load(l, key, path);
    if (!t)
        return NULL;
    if (t->rank < 2 || t->rank > 3 || t->shape[t->rank - 1] != width) {
        shape_error(l, key, t,
                    str_format(l->arena, "(steps, %d) or (sequences, steps, %d)", width, width));
        return NULL;
    }
    l->either = either_reading(l, t);
    bool one = t->rank == 2 || (l->either && !l->many);
    *l->out = (Sequences){ .n = one ? 1 : (int)t->shape[0], .width = width };
    l->file_steps = (int)(one ? t->shape[0] : t->shape[1]);
    return t;
}

static bool load_input(Loader *l)
{
    Sequences *q = l->out;
    int width = l->net->layer[0].inputs;
    Tensor *t = load_steps(l, "verify.input", l->spec->verify_input);
    if (!t || !set_lengths(l))
        return false;
    q->x = crop(l, t->data, width);
    return true;
}

/* ---- expected outputs ---- */

/* How many steps of each sequence the array holds: 0 when its shape fits nothing. */
static int64_t steps_expected(const Loader *l, const Tensor *t)
{
    int n = l->out->n;
    if (t->rank == 3 && n == 1 && t->shape[0] == l->file_steps && t->shape[1] == 1)
        return t->shape[0];             /* steps of one sequence, batch 1 */
    if (t->rank == 3 && t->shape[0] == n && (t->shape[1] == l->file_steps || t->shape[1] == 1))
        return t->shape[1];
    if (t->rank == 2 && n == 1 && (t->shape[0] == l->file_steps || t->shape[0] == 1))
        return t->shape[0];
    return t->rank == 2 && t->shape[0] == n ? 1 : 0;
}

static bool load_expect(Loader *l)
{
    Sequences *q = l->out;
    const Layer *last = &l->net->layer[l->net->n - 1];
    Tensor *t = load(l, "verify.expect", l->spec->verify_expect);
    if (!t)
        return false;
    int64_t steps = steps_expected(l, t);
    if (steps == 0 || t->shape[t->rank - 1] != last->outputs)
        return shape_error(l, "verify.expect", t,
                           str_format(l->arena,
                                      "(%d, %d, %d), or (%d, %d) for the last step of "
                                      "each sequence",
                                      q->n, l->file_steps, last->outputs, q->n, last->outputs));
    q->expect_width = last->outputs;
    if (steps == l->file_steps) {
        q->expect = crop(l, t->data, last->outputs);
        q->expect_steps = q->steps;
    } else if (l->cut) {
        diag_warn(l->diag, spec_at(l->spec, "verify.expect"),
                  "%s: it holds the last step only, and verify.steps leaves "
                  "that out: not compared",
                  t->name);
    } else {
        q->expect = t->data;
        q->expect_steps = 1;
    }
    return true;
}

static bool load_labels(const Loader *l)
{
    int classes = l->net->layer[l->net->n - 1].outputs;
    l->out->label = load_numbers(l, "verify.labels", l->spec->verify_labels, 0, classes - 1);
    return l->out->label != NULL;
}

static bool load_all(Loader *l)
{
    if (!load_input(l))
        return false;
    bool expect = !l->spec->verify_expect || load_expect(l);
    bool labels = !l->spec->verify_labels || load_labels(l); /* both, to report both */
    return expect && labels;
}

/* ---- (T, 1, I) */

/* SNR of the float network against verify.expect. */
static double agreement(const Network *net, const Sequences *q)
{
    Arena *scratch = arena_new();
    size_t width = (size_t)q->expect_width, count = (size_t)q->n * (size_t)q->steps * width;
    float *y = ARENA_ARRAY(scratch, float, count);
    float_network_run(net, q, y);
    bool all = q->expect_steps == q->steps;
    double db = all ? snr_db(q->expect, y, count)       /* else the last step of the only sequence */
                    : snr_db(q->expect, y + (size_t)(q->length[0] - 1) * width, width);
    arena_free(scratch);
    return db;
}

/* Of two readings, that with which the float network agrees better with verify.expect; without it one sequence. Never in
 * silence. */
static void choose_reading(Loader *one)
{
    Sequences *q = one->out, split = { 0 };
    int steps = q->n * one->file_steps;
    Loader many = *one;
    many.diag = diag_new(one->arena);
    many.out = &split;
    many.many = true;
    const char *why = "batch 1; if it holds sequences of one step each, give verify.lengths";
    if (q->expect && load_all(&many)) {
        double as_one = agreement(one->net, q), as_many = agreement(one->net, &split);
        why = str_format(one->arena, "with verify.expect the float network then agrees to %.1f dB, with the other reading "
                         "to %.1f dB", fmax(as_one, as_many), fmin(as_one, as_many));
        if (as_many > as_one)
            *q = split;
    }
    const char *reading = q->n == 1 ? "one sequence of %d steps" : "%d sequences of one step";
    diag_warn(one->diag, spec_at(one->spec, "verify.input"), "%s of shape (%d, 1, %d) is read as %s (%s)",
              path_name(one->spec->verify_input), steps, q->width, str_format(one->arena, reading, steps), why);
}

bool sequences_load(Arena *a, Diag *d, const Spec *s, const Network *net, Sequences *out)
{
    Loader l = { .arena = a, .diag = d, .spec = s, .net = net, .out = out };
    if (!s->verify_input)
        return make_noise(&l);
    bool ok = load_all(&l);
    if (ok && l.either)
        choose_reading(&l);
    return ok;
}

bool sequences_profile(Arena *a, Diag *d, const Spec *s, const Network *net, Sequences *out)
{
    Loader l = { .arena = a, .diag = d, .spec = s, .net = net, .out = out };
    Tensor *t = load_steps(&l, "delta.profile", s->delta_profile);
    if (!t)
        return false;
    out->steps = l.file_steps;
    out->length = ARENA_ARRAY(a, int, out->n);
    for (int k = 0; k < out->n; k++)
        out->length[k] = out->steps;
    out->x = t->data;
    return true;
}
