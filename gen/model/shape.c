/* shape.c: vectors, products and sections of a network, from the cells of its layers. */
#include "lstmgen.h"

#include <string.h>

static const Pass PROJECTION = {.gate = 'p', .terms = TERM_M, .operand = OPERAND_NOTHING, .effects = EFFECT_OUT_A};

int layer_rows(const Layer *l)
{
    return (int)strlen(l->gates) * l->hidden - (l->projection > 0 ? l->hidden - l->projection : 0);
}

int layer_row(const Layer *l, char gate, int neuron)
{
    const char *at = strchr(l->gates, gate);
    REQUIRE(at && gate);
    return (int)(at - l->gates) * l->hidden + neuron;
}

bool layer_is_linear(const Layer *l)
{
    return l->cell->R[0] == '\0';
}

int pass_units(const Layer *l, const Pass *p)
{
    return p->gate == PROJECTION.gate ? l->projection : l->hidden;
}

double pass_clip(const Layer *l, const Pass *p)
{
    return p->gate == PROJECTION.gate ? l->clip_projection : p->activation > 0 ? l->clip_input : 0.0;
}

const double *layer_first_state(const Layer *l)
{
    for (int k = 0; k < l->n_passes; k++)
        if (l->pass[k].effects & EFFECT_OUT_STATE)
            return l->h0;
    return l->c0;
}

int product_layer_row(const Network *net, int product, int row)
{
    const Product *p = &net->product[product];
    int units = p->m.rows / p->m.gates;
    return layer_row(&net->layer[p->layer], p->gates[row / units], row % units);
}

static const char *kind_of(const Network *net, const Product *p)
{
    const Layer *l = &net->layer[p->layer];
    return p->gates[0] == PROJECTION.gate ? "P" : p->from == l->in ? "W" : "R";
}

const char *product_name(const Network *net, int product)
{
    static const char *const primes[] = {"W", "W'", "R", "R'", "P", "P'"};
    const char *kind = kind_of(net, &net->product[product]);
    int before = 0, n = 0;
    for (int k = 0; k < product; k++)
        before += net->product[k].layer == net->product[product].layer
                  && strcmp(kind_of(net, &net->product[k]), kind) == 0;
    while (primes[n][0] != kind[0])
        n++;
    return primes[n + (before > 0)];
}

/* Is what a pass adds to its product a product with the state? */
static bool adds_state(const Cell *c, const Pass *p)
{
    bool kept = false;
    for (const Pass *q = c->pass; q < p; q++)
        kept = q->effects & EFFECT_KEEP ? q->operand == OPERAND_STATE : kept;
    return kept && (p->effects & EFFECT_SUM);
}

/* Is it one with a row without a curve? */
static bool adds_inner(const Layer *l, const Pass *p)
{
    bool inner = false;
    for (const Pass *q = l->pass; q < p; q++)
        if (q->effects & EFFECT_KEEP)
            inner = curve_is_direct(q->curve) && q->operand != OPERAND_STATE;
    return inner && (p->effects & EFFECT_SUM);
}

/* Is the state made before this pass of the step? */
static bool after_state(const Layer *l, const Pass *p)
{
    bool made = false;
    for (const Pass *q = l->pass; q < p; q++)
        made = made || (q->effects & EFFECT_SUM);
    return made;
}

/* What a pass does because of options of its layer. */
static void set_options(Layer *l, Pass *p)
{
    p->adds_inner = adds_inner(l, p);
    p->peephole = l->peephole && p->activation == 1;
    p->fresh = p->peephole && after_state(l, p);
    p->clips = pass_clip(l, p) > 0.0;
    p->clips_state = (p->effects & EFFECT_SUM) && l->clip_cell > 0.0;
    p->bounds = (p->effects & EFFECT_SUM) && cell_curves(l->cell) == ACTIVATIONS_MAX;
    p->bound = p->bounds ? l->activation[ACTIVATIONS_MAX - 1] : CURVE_NONE;
}

/* The passes of the cell as this layer has them. */
static void set_passes(Layer *l)
{
    l->n_passes = l->cell->n;
    for (int k = 0; k < l->n_passes; k++) {
        Pass *p = &l->pass[k];
        *p = l->cell->pass[k];
        p->adds_state = adds_state(l->cell, &l->cell->pass[k]);
        p->curve = p->activation > 0 ? l->activation[p->activation - 1] : CURVE_NONE;
        if (l->projection > 0 && (p->effects & EFFECT_OUT))
            p->effects ^= EFFECT_OUT | EFFECT_INNER;
        set_options(l, p);
    }
    cell_rows(l->cell, l->gates);
    l->outputs = l->hidden;
    if (l->projection == 0)
        return;
    l->pass[l->n_passes] = PROJECTION;
    set_options(l, &l->pass[l->n_passes++]);
    l->gates[strlen(l->gates) + 1] = '\0';
    l->gates[strlen(l->gates)] = PROJECTION.gate;
    l->outputs = l->projection;
}

static int add_vector(Network *net, int layer, int elements)
{
    REQUIRE(net->vectors < VECTORS_MAX);
    net->vector[net->vectors] = (Vector){.elements = elements, .layer = layer};
    return net->vectors++;
}

/* The rows of a section that are sums of one kind of term, in canonical order; none: no product. */
static void add_product(Network *net, Section *s, unsigned term, int from)
{
    const Layer *l = &net->layer[s->layer];
    Product p = {.layer = s->layer, .from = from, .previous = term == TERM_H, .tensor = NULL};
    int n = 0, units = 0;
    for (const char *gate = l->gates; *gate; gate++)
        for (int k = s->first; k < s->first + s->n; k++)
            if (l->pass[k].gate == *gate && (l->pass[k].terms & term)) {
                p.gates[n++] = *gate;
                units = pass_units(l, &l->pass[k]);
            }
    if (n == 0)
        return;
    REQUIRE(net->products < PRODUCTS_MAX && s->terms < TERMS_MAX);
    p.m = (Matrix){.rows = n * units, .columns = net->vector[from].elements, .gates = n};
    p.use = layer_is_linear(l) ? USE_HEAD : p.gates[0] == PROJECTION.gate ? USE_P : term == TERM_X ? USE_W : USE_R;
    s->term[s->terms++] = net->products;
    net->product[net->products++] = p;
}

/* Passes up to the first that reads the inner vector, which they write; from there on all. */
static int section_passes(const Layer *l, int first)
{
    bool inner = l->pass[first].terms & TERM_M;
    int n = 1;
    while (first + n < l->n_passes && (inner || !(l->pass[first + n].terms & TERM_M)))
        n++;
    return n;
}

static void add_section(Network *net, int layer, int first, int inner, int h)
{
    Layer *l = &net->layer[layer];
    REQUIRE(net->sections < SECTIONS_MAX);
    Section *s = &net->section[net->sections++];
    *s = (Section){.layer = layer, .first = first, .n = section_passes(l, first)};
    bool last = first + s->n == l->n_passes;
    s->writes = last ? h : inner;
    s->output = last && layer == net->n - 1;
    add_product(net, s, TERM_X, l->in);
    if (h >= 0)
        add_product(net, s, TERM_H, h);
    if (inner >= 0)
        add_product(net, s, TERM_M, inner);
    l->sections++;
}

static bool has_inner(const Layer *l)
{
    bool inner = false;
    for (int k = 0; k < l->n_passes; k++)
        inner = inner || (l->pass[k].effects & EFFECT_INNER);
    return inner;
}

void network_lay_out(Network *net)
{
    net->vectors = net->products = net->sections = 0;
    int in = add_vector(net, -1, net->layer[0].inputs);
    for (int k = 0; k < net->n; k++) {
        Layer *l = &net->layer[k];
        set_passes(l);
        l->in = in;
        l->first_section = net->sections;
        l->sections = 0;
        int inner = has_inner(l) ? add_vector(net, k, l->hidden) : -1;
        bool read = !layer_is_linear(l) || k + 1 < net->n;
        int h = read ? add_vector(net, k, l->outputs) : -1;
        for (int first = 0; first < l->n_passes; first += net->section[net->sections - 1].n)
            add_section(net, k, first, inner, h);
        in = h;
    }
}

int layer_vector(const Network *net, int layer)
{
    const Layer *l = &net->layer[layer];
    return net->section[l->first_section + l->sections - 1].writes;
}

const Section *section_of_product(const Network *net, int product)
{
    for (int s = 0; s < net->sections; s++)
        for (int k = 0; k < net->section[s].terms; k++)
            if (net->section[s].term[k] == product)
                return &net->section[s];
    FAULT("product %d in no section", product);
}

bool product_has_delta(const Network *net, int product)
{
    return net->delta && !layer_is_linear(&net->layer[net->product[product].layer]);
}
