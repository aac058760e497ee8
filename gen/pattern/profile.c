/* profile.c: which columns change together: elements of x and of h are dealt to the arrays of the scatter engine so
 * that all of them get as much to do (Gao et al., "Spartus", arXiv 2108.02297: columns are permuted off line).
 *
 * Column j is worked on by array j mod N of its position. The network in floating point, with the thresholds of the
 * spec, runs through delta.profile; then elements are placed one by one, the busiest first, each on the array with the
 * least to do in the steps in which the element is sent. The order of h is the order of the neurons, which decides what
 * PE they are on: it is made before pruning. Where the zeros of the file decide (keep: asis) h stays as it is. */
#include "pattern/pattern.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_MOST = 4096 };

/* What is known of the elements of one vector: sent[t * elements + e], of `steps` steps. */
typedef struct History { int elements, steps; const uint8_t *sent; int *count; } History;

static const History *sorted;           /* for by_activity: qsort takes no context */

static int by_activity(const void *a, const void *b)
{
    int e = *(const int *)a, f = *(const int *)b, more = sorted->count[f] - sorted->count[e];
    return more ? more : e - f;
}

static int *busiest_first(Arena *a, const History *h)
{
    int *order = ARENA_ARRAY(a, int, h->elements);
    for (int e = 0; e < h->elements; e++)
        order[e] = e;
    sorted = h;
    qsort(order, (size_t)h->elements, sizeof *order, by_activity);
    return order;
}

/* What an array with this load has to do in the steps in which an element is sent. */
static int64_t meets(const History *h, int element, const int *load)
{
    int64_t sum = 0;
    for (int t = 0; t < h->steps; t++)
        sum += h->sent[(size_t)t * (size_t)h->elements + (size_t)element] * load[t];
    return sum;
}

static int best_array(const History *h, int element, const int *load, const int *used, int arrays)
{
    int best = -1;
    int64_t least = 0;
    for (int array = 0; array < arrays; array++) {
        if (array + used[array] * arrays >= h->elements)
            continue;
        int64_t meeting = meets(h, element, load + (size_t)array * (size_t)h->steps);
        if (best < 0 || meeting < least)
            best = array, least = meeting;
    }
    return best;
}

/* order: element at a position; place: position of an element. Both live in `a`. */
static void deal_columns(Arena *a, const History *h, int arrays, int **order, int **place)
{
    Arena *scratch = arena_new();
    int *next = busiest_first(scratch, h), *used = ARENA_ARRAY(scratch, int, arrays);
    int *load = ARENA_ARRAY(scratch, int, (int64_t)arrays * h->steps);
    *order = ARENA_ARRAY(a, int, h->elements);
    *place = ARENA_ARRAY(a, int, h->elements);
    for (int n = 0; n < h->elements; n++) {
        int e = next[n], array = best_array(h, e, load, used, arrays);
        for (int t = 0; t < h->steps; t++)
            load[(size_t)array * (size_t)h->steps + (size_t)t] += h->sent[(size_t)t * (size_t)h->elements + (size_t)e];
        (*place)[e] = array + used[array]++ * arrays;
        (*order)[(*place)[e]] = e;
    }
    arena_free(scratch);
}

/* ---- what the network sends */
static void add_history(History *h, uint8_t *sent, const Activity *activity, int at, int steps)
{
    for (int t = 0; t < steps; t++, h->steps++)
        for (int e = 0; e < h->elements; e++) {
            uint8_t s = activity->sent[(size_t)t * (size_t)activity->elements + (size_t)(at + e)];
            sent[(size_t)h->steps * (size_t)h->elements + (size_t)e] = s;
            h->count[e] += s;
        }
}

/* An inner vector whose neurons have h too (r * h of a GRU, not m before a projection): they lie in the cell unit in one
 * order, that of h. Otherwise the vector itself. */
static int ordered_with(const Network *net, int vector)
{
    int layer = net->vector[vector].layer;
    if (layer < 0)
        return vector;
    int h = layer_vector(net, layer);
    return h > 0 && net->layer[layer].projection == 0 ? h : vector;
}

/* Of all products that read a vector, or one in the same order. */
static History history_of(Arena *a, const Network *net, int vector, const Activity *activity)
{
    int steps = MIN(activity->steps, STEPS_MOST), readers = 0;
    History h = {.elements = net->vector[vector].elements};
    for (int p = 0; p < net->products; p++)
        readers += ordered_with(net, net->product[p].from) == vector;
    uint8_t *sent = ARENA_ARRAY(a, uint8_t, (size_t)readers * (size_t)steps * (size_t)h.elements);
    h.count = ARENA_ARRAY(a, int, h.elements);
    h.sent = sent;
    for (int p = 0; p < net->products; p++)
        if (ordered_with(net, net->product[p].from) == vector && product_has_delta(net, p))
            add_history(&h, sent, activity, activity->at[p], steps);
    return h;
}

/* Are the zeros of the file those of a matrix whose rows make this vector? Then its order stays. */
static bool is_fixed(const Network *net, int vector)
{
    for (int p = 0; p < net->products; p++)
        if (ordered_with(net, MAX(section_of_product(net, p)->writes, 0)) == vector && net->product[p].m.keep.asis)
            return true;
    return layer_is_linear(&net->layer[net->vector[vector].layer]);
}

bool profile_order(Arena *a, Diag *d, const Spec *s, Network *net)
{
    Sequences seq;
    Activity activity;
    if (!sequences_profile(a, d, s, net, &seq))
        return false;
    Arena *scratch = arena_new();
    float_network_activity(scratch, net, &seq, &activity);
    for (int v = 0; v < net->vectors; v++) {
        if (ordered_with(net, v) != v || (v > 0 && is_fixed(net, v)))
            continue;
        History h = history_of(scratch, net, v, &activity);
        deal_columns(a, &h, s->pe_width, &net->vector[v].order, &net->vector[v].place);
    }
    for (int v = 1; v < net->vectors; v++) {
        const Vector *with = &net->vector[ordered_with(net, v)];
        net->vector[v].order = with->order;
        net->vector[v].place = with->place;
    }
    arena_free(scratch);
    return true;
}
