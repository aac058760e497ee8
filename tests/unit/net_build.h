/* net_build.h: small networks, specs and sequences for the tests of fixed/ and golden/. */
#ifndef NET_BUILD_H
#define NET_BUILD_H

#include "lstmgen.h"

/* A repeatable generator (xorshift32): tests print nothing that changes from run to run. */
static inline uint32_t draw(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static inline double draw_real(uint32_t *seed, double range)
{
    return ((double)draw(seed) / 4294967296.0 * 2.0 - 1.0) * range;
}

static inline Spec spec_of(int activation, int weight, int state)
{
    return (Spec){.file = "test.yaml", .name = "test", .pattern = {true, {"dense", "dense", "dense"}},
                  .activation_bits = activation, .weight_bits = weight, .state_bits = state};
}

static inline Matrix matrix_of(Arena *a, int rows, int columns, int gates)
{
    return (Matrix){.rows = rows, .columns = columns, .value = ARENA_ARRAY(a, float, (size_t)rows * columns),
                    .gates = gates,
                    .pattern = pattern_find("dense"), .keep = {.gate = {1, 1, 1, 1}}};
}

/* The same pattern for all matrices, one rate for W and one for R. */
static inline void net_patterns(Network *net, const char *pattern, double W, double R)
{
    for (int l = 0; l < net->n; l++)
        for (int which = 0; which < MATRICES; which++) {
            double rate = which == MATRIX_W ? W : R;
            net->layer[l].m[which].pattern = pattern_find(pattern);
            net->layer[l].m[which].keep = (Rate){.gate = {rate, rate, rate, rate}};
        }
}

/* Adds a layer of zero weights. */
static inline Layer *net_add(Arena *a, Network *net, CellKind cell, int inputs, int hidden)
{
    Layer *l = &net->layer[net->n++];
    int rows = cell == CELL_LSTM ? GATES * hidden : hidden;
    *l = (Layer){.cell = cell, .inputs = inputs, .hidden = hidden, .at = {"test.yaml", 0, 0}};
    l->m[MATRIX_W] = matrix_of(a, rows, inputs, rows / hidden);
    if (cell == CELL_LSTM)
        l->m[MATRIX_R] = matrix_of(a, rows, hidden, GATES);
    l->bias = ARENA_ARRAY(a, double, rows);
    return l;
}

static inline void layer_randomise(Layer *l, uint32_t *seed, double range)
{
    for (int which = 0; which < MATRICES; which++)
        for (int i = 0; i < l->m[which].rows * l->m[which].columns; i++)
            l->m[which].value[i] = (float)draw_real(seed, range);
    for (int r = 0; r < l->m[MATRIX_W].rows; r++)
        l->bias[r] = draw_real(seed, range);
}

/* n sequences of `steps` steps, all of full length, zero inputs. */
static inline Sequences sequences_of(Arena *a, int n, int steps, int width)
{
    Sequences s = {.n = n, .steps = steps, .width = width};
    s.length = ARENA_ARRAY(a, int, n);
    for (int i = 0; i < n; i++)
        s.length[i] = steps;
    s.x = ARENA_ARRAY(a, float, (size_t)n * steps * width);
    return s;
}

#endif
