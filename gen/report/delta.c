/* delta.c: what the deltas of the verify sequences left to do, and what the statistics registers said. */
#include "report/report.h"

/* Share of the elements of W's or R's vectors that were not sent, in percent. */
static double skipped(const Design *d, int product)
{
    const Activity *a = d->activity;
    int n = d->net->product[product].m.columns;
    int64_t sent = 0;
    for (int t = 0; t < a->steps; t++)
        for (int e = 0; e < n; e++)
            sent += a->sent[(size_t)t * (size_t)a->elements + (size_t)(a->at[product] + e)];
    return 100 - 100.0 * (double)sent / ((double)a->steps * n);
}

static json_t *layers_json(const Design *d)
{
    json_t *layers = json_array();
    for (int l = 0; l < d->net->n; l++) {
        const Section *s = &d->net->section[d->net->layer[l].first_section];
        if (layer_is_linear(&d->net->layer[l]))
            continue;
        json_t *o = json_object();
        json_object_set_new(o, "skipped_x_percent", value_rounded(skipped(d, s->term[0]), 2));
        json_object_set_new(o, "skipped_h_percent", value_rounded(skipped(d, s->term[1]), 2));
        for (int k = 1; k < d->net->layer[l].sections; k++)         /* r * h of a gru, m before a projection */
            json_object_set_new(o, "skipped_m_percent", value_rounded(skipped(d, s[k].term[s[k].terms - 1]), 2));
        json_array_append_new(layers, o);
    }
    return layers;
}

/* Means over the steps that the interval is taken from: the second half, but for the last step. permuted: columns as
 * delta.profile deals them to the arrays, else as they come. */
static void put_arrays(json_t *o, const Design *d, bool permuted)
{
    Arena *scratch = arena_new();
    StepCounts c = {.columns = ARENA_ARRAY(scratch, int, d->lanes_pe)};
    int steps = d->activity->steps, first = steps > 2 ? steps / 2 : 0, end = steps > 2 ? steps - 1 : steps;
    int64_t phase = 0, columns = 0, busiest = 0;
    for (int t = first; t < end; t++) {
        int most = 0;
        scatter_step_counts(d, d->activity, t, permuted, &c);
        for (int array = 0; array < d->lanes_pe; array++) {
            columns += c.columns[array];
            most = MAX(most, c.columns[array]);
        }
        busiest += most;
        phase += c.busiest;
    }
    double n = end - first;
    json_object_set_new(o, "matrix_phase", value_rounded((double)phase / n, 2));
    json_object_set_new(o, "busiest_array_columns", value_rounded((double)busiest / n, 2));
    json_object_set_new(o, "mean_array_columns", value_rounded((double)columns / n / d->lanes_pe, 2));
    arena_free(scratch);
}

/* The registers as the testbench read them, after so many steps from reset. */
static void put_registers(json_t *o, const char *name, const SimDelta *s, double x, double h)
{
    if (s->steps < 0)
        return;
    json_t *r = json_object();
    json_object_set_new(r, "x", value_real(x));
    json_object_set_new(r, "h", value_real(h));
    json_object_set_new(r, "steps", json_integer(s->steps));
    json_object_set_new(r, "skipped_x", json_integer(s->skipped_x));
    json_object_set_new(r, "skipped_h", json_integer(s->skipped_h));
    json_object_set_new(r, "columns", json_integer(s->columns));
    json_object_set_new(r, "busiest", json_integer(s->busiest));
    json_object_set_new(o, name, r);
}

json_t *delta_json(const Report *r)
{
    const Design *d = r->design;
    const Raised *raised = &r->golden->raised;
    json_t *o = json_object();
    json_object_set_new(o, "x", value_real(d->spec->delta_x));
    json_object_set_new(o, "h", value_real(d->spec->delta_h));
    json_object_set_new(o, "encoder_lanes", json_integer(d->vector_banks));
    put_arrays(o, d, true);
    if (d->spec->delta_profile) {
        json_t *without = json_object();
        put_arrays(without, d, false);
        json_object_set_new(o, "without_profile", without);
    }
    json_object_set_new(o, "layers", layers_json(d));
    if (r->sim) {
        put_registers(o, "registers", &r->sim->delta, d->spec->delta_x, d->spec->delta_h);
        put_registers(o, "registers_raised", &r->sim->raised, format_decode(d->q->vector[0], raised->delta_x),
                      format_decode(d->q->gate, raised->delta_h));
    }
    return o;
}
