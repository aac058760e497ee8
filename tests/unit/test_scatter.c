/* test_scatter.c: the rows of the scatter engine against every order in which columns can follow each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net_build.h"
#include "flow/parts.h"
#include "plan/plan.h"

enum { FORWARDS = 3, ROUNDS = 40 };

typedef struct Plan { Arena *arena; Spec spec; Network net; QNetwork q; Activity activity; Design design; } Plan;

static void add_layer(Plan *p, const char *cell, int inputs, int hidden, double keep, uint32_t *seed)
{
    int first = p->net.products;
    Layer *l = net_add(p->arena, &p->net, cell, inputs, hidden);
    layer_randomise(&p->net, l, seed, 1.0);
    for (int k = first; k < p->net.products; k++) {
        Matrix *m = &p->net.product[k].m;
        m->pattern = pattern_find("column_balanced");
        m->keep = (Rate){.gate = {keep, keep, keep, keep}};
        assert_true(m->pattern->prune(&p->spec, p->arena, diag_new(p->arena), &p->net, k));
    }
}

/* A random network of one or two layers and a head, planned. */
static void plan_random(Plan *p, uint32_t *seed, int hidden, double keep, const char *part)
{
    memset(p, 0, sizeof *p);
    p->arena = arena_new();
    p->spec = spec_of(8 + (int)(draw(seed) % 8), 6 + (int)(draw(seed) % 8), 24);
    p->spec.pes = 1 + (int)(draw(seed) % 3);
    p->spec.pe_width = 1 + (int)(draw(seed) % 3);
    p->spec.part = part;
    p->spec.max_padding = 0.25;
    int inputs = 1 + (int)(draw(seed) % 7);
    add_layer(p, "lstm", inputs, hidden, keep, seed);
    if (draw(seed) % 2)
        add_layer(p, "lstm", hidden, 5, keep, seed);
    Sequences seq = sequences_of(p->arena, 1, 3, inputs);
    for (int k = 0; k < 3 * inputs; k++)
        seq.x[k] = (float)draw_real(seed, 4);
    Diag *d = diag_new(p->arena);
    assert_true(network_quantise(p->arena, d, &p->spec, &p->net, &seq, &p->q));
    assert_true(design_plan(p->arena, d, &p->spec, &p->net, &p->q, &p->activity, 3, NULL, &p->design));
}

/* ---- distance */

/* Rows of a PE in the words of the columns of one array and layer: row[column][word]. */
typedef struct Columns { int n, words[64], row[64][128]; } Columns;

static void columns_of(const Design *d, int layer, int array, int pe, Columns *c)
{
    LaneWord word[512];
    c->n = 0;
    for (int k = 0; k < d->n_scans; k++) {
        const Scan *s = &d->scan[k];
        const Region *r = &d->region[s->region];
        for (int q = array; d->net->product[s->product].layer == layer && q < r->elements; q += d->lanes_pe, c->n++) {
            assert_true(c->n < 64 && s->words <= 128 && s->words * d->pes <= LENGTH(word));
            d->pattern->pack(&d->plan[s->product], &d->q->product[s->product].m, region_element(r, q), d->pes, word);
            c->words[c->n] = s->words;
            for (int i = 0; i < s->words; i++)
                c->row[c->n][i] = word[i * d->pes + pe].index;
        }
    }
}

/* Distances 1 .. 3 at which a row comes back if column b follows a, or one column between them. */
static int distances(const Columns *c, int a, int b, int between)
{
    int near = 0;
    for (int i = 0; i < c->words[a]; i++)
        for (int k = 0; k < c->words[b]; k++) {
            int distance = c->words[a] - i + between + k;
            if (c->row[a][i] == c->row[b][k] && distance <= FORWARDS)
                near |= 1 << (distance - 1);
        }
    return near;
}

static int distances_of(const Columns *c)
{
    int near = 0;
    for (int a = 0; a < c->n; a++)
        for (int b = 0; b < c->n; b++) {
            near |= a != b ? distances(c, a, b, 0) : 0;
            for (int m = 0; m < c->n; m++)
                near |= a != b && m != a && m != b ? distances(c, a, b, c->words[m]) : 0;
        }
    return near;
}

static int check_near(const Plan *p)
{
    const Design *d = &p->design;
    int near = 0, shortest = 64;
    for (int l = 0; l < p->net.n; l++)
        for (int array = 0; array < d->lanes_pe; array++)
            for (int pe = 0; pe < d->pes; pe++) {
                Columns c;
                columns_of(d, l, array, pe, &c);
                near |= distances_of(&c);
                for (int k = 0; k < c.n; k++)
                    shortest = MIN(shortest, c.words[k]);
            }
    assert_int_equal(near & ~d->near, 0);           /* nothing is missed */
    if (shortest > FORWARDS)
        assert_int_equal(d->near, near);            /* and nothing claimed that can not be */
    return d->near;
}

static void test_near(void **state)
{
    uint32_t seed = 11;
    int seen[8] = {0};
    (void)state;
    for (int k = 0; k < ROUNDS; k++) {
        Plan p;
        plan_random(&p, &seed, 1 + (int)(draw(&seed) % 9), (1 + draw(&seed) % 8) / 8.0, "LFE5U-85F");
        seen[check_near(&p)]++;
        arena_free(p.arena);
    }
    assert_true(seen[0] > 0 && seen[7] > 0);        /* both ends were drawn */
}

static void test_near_loadable(void **state)
{
    uint32_t seed = 5;
    Plan p;
    (void)state;
    plan_random(&p, &seed, 20, 0.5, "LFE5U-85F");
    Design again;
    p.spec.loadable = true;
    assert_true(design_plan(p.arena, diag_new(p.arena), &p.spec, &p.net, &p.q, &p.activity, 3, NULL, &again));
    assert_int_equal(again.near, 7);
    assert_true(again.row_bits > p.design.row_bits);
    arena_free(p.arena);
}

/* ---- width */

/* Largest |sum| of a row in one array: every product at its largest, all of one sign. */
static double largest_row(const Plan *p)
{
    double most = 0, value = (double)(INT64_C(1) << (p->q.gate.bits - 1));
    for (int l = 0; l < p->net.n; l++)
        for (int row = 0; row < p->q.layer[l].rows; row++)
            for (int array = 0; array < p->design.lanes_pe; array++) {
                double sum = 0;
                for (int which = 0; which < MATRICES; which++) {
                    const QMatrix *m = &p->q.product[2 * l + which].m;
                    for (int c = array; m->rows > 0 && c < m->columns; c += p->design.lanes_pe)
                        sum += abs(m->value[row * m->columns + c]) * value * (1 << p->q.product[2 * l + which].align);
                }
                most = MAX(most, sum);
            }
    return most;
}

static void test_row_bits(void **state)
{
    uint32_t seed = 3;
    (void)state;
    for (int k = 0; k < ROUNDS; k++) {
        Plan p;
        plan_random(&p, &seed, 1 + (int)(draw(&seed) % 9), 0.5, "LFE5U-85F");
        double most = largest_row(&p), half = (double)(INT64_C(1) << (p.design.row_bits - 2));
        assert_true(most < 2 * half && most >= half);
        arena_free(p.arena);
    }
}

/* ---- memories */
static const MemoryUse *memory_named(const Design *d, const char *name)
{
    for (int k = 0; k < d->n_memories; k++)
        if (!strcmp(d->memory[k].name, name))
            return &d->memory[k];
    return NULL;
}

/* 4 * 24 rows on up to 3 PEs: block RAM where the part has enough of it, and LUT RAM where it has not. */
static void test_rows_in_block(void **state)
{
    uint32_t seed = 5;
    Plan p;
    (void)state;
    plan_random(&p, &seed, 24, 0.5, "LFE5U-85F");
    const MemoryUse *rows = memory_named(&p.design, "rows"), *edge = memory_named(&p.design, "highest bits of rows");
    assert_true(rows->block && rows->copies == 2 * p.design.multipliers_engine);
    assert_int_equal(rows->width + (edge ? edge->width : 0), p.design.row_bits + 1);
    Part few = *p.design.part;
    few.brams = 1;
    Design again = p.design;
    again.n_memories = 0;
    again.rows = 40;
    again.part = &few;
    scatter_plan_rows(&again);
    scatter_list_rows(&again);
    assert_false(memory_named(&again, "rows")->block);
    assert_int_equal(memory_named(&again, "rows")->width, again.row_bits + 1);
    arena_free(p.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_near_loadable),
        cmocka_unit_test(test_row_bits),
        cmocka_unit_test(test_rows_in_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
