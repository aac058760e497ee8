/* net_build.h: small networks, specs and sequences for the tests of fixed/ and golden/. */
#ifndef NET_BUILD_H
#define NET_BUILD_H

#include "lstmgen.h"

#include <string.h>

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
    return (Spec){.file = "test.yaml", .name = "test", .pattern = {true, {"dense", "dense", "dense", "dense"}},
                  .activation_bits = activation, .weight_bits = weight, .state_bits = state};
}

/* Products of the n-th LSTM of a stack: 2 * n + MATRIX_W, 2 * n + MATRIX_R; a head has only the first. */
enum { MATRIX_W, MATRIX_R, MATRICES };

/* The same pattern for all matrices, one rate for W and one for R. */
static inline void net_patterns(Network *net, const char *pattern, double W, double R)
{
    for (int p = 0; p < net->products; p++) {
        double rate = net->product[p].use == USE_R ? R : W;
        net->product[p].m.pattern = pattern_find(pattern);
        net->product[p].m.keep = (Rate){.gate = {rate, rate, rate, rate, rate}};
    }
}

/* Adds a layer of zero weights; those of the layers before stay. */
static inline Layer *net_add(Arena *a, Network *net, const char *cell, int inputs, int hidden)
{
    Layer *l = &net->layer[net->n++];
    Product before[PRODUCTS_MAX];
    int old = net->products;
    memcpy(before, net->product, sizeof before);
    *l = (Layer){.cell = cell_find(cell), .inputs = inputs, .hidden = hidden, .at = {"test.yaml", 0, 0}};
    cell_activations(l->cell, l->activation);
    network_lay_out(net);
    for (int p = 0; p < net->products; p++) {
        Matrix *m = &net->product[p].m;
        if (p < old) {
            *m = before[p].m;
            continue;
        }
        m->value = ARENA_ARRAY(a, float, (size_t)m->rows * (size_t)m->columns);
        m->pattern = pattern_find("dense");
        m->keep = (Rate){.gate = {1, 1, 1, 1, 1}};
    }
    l->bias = ARENA_ARRAY(a, double, layer_rows(l));
    return l;
}

/* Of a linear layer. */
static inline void layer_activate(Layer *l, Curve c)
{
    l->activation[0] = l->pass[0].curve = c;
}

static inline void layer_randomise(Network *net, const Layer *l, uint32_t *seed, double range)
{
    for (int p = 0; p < net->products; p++)
        for (int i = 0; &net->layer[net->product[p].layer] == l && i < net->product[p].m.rows * net->product[p].m.columns;
             i++)
            net->product[p].m.value[i] = (float)draw_real(seed, range);
    for (int r = 0; r < layer_rows(l); r++)
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
