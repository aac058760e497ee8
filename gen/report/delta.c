/* delta.c: what the deltas of the verify sequences left to do. */
#include "report/report.h"

/* Cycles that the busiest array needs for the columns of a layer in one step. */
static int64_t busiest(const Design *d, int layer, int step)
{
    const Activity *a = d->activity;
    const uint8_t *row = a->sent + (size_t)step * (size_t)a->elements;
    int64_t most = 0;
    for (int array = 0; array < d->lanes_pe; array++) {
        int64_t cycles = 0;
        for (int which = 0; which < MATRICES; which++)
            for (int e = array; e < d->net->layer[layer].m[which].columns; e += d->lanes_pe)
                cycles += row[a->at[layer][which] + e] * d->matrix[layer][which].cycles;
        most = MAX(most, cycles);
    }
    return most;
}

/* Share of the elements of W's or R's vectors that were not sent, in percent. */
static double skipped(const Design *d, int layer, int which)
{
    const Activity *a = d->activity;
    int n = d->net->layer[layer].m[which].columns;
    int64_t sent = 0;
    for (int t = 0; t < a->steps; t++)
        for (int e = 0; e < n; e++)
            sent += a->sent[(size_t)t * (size_t)a->elements + (size_t)(a->at[layer][which] + e)];
    return 100 - 100.0 * (double)sent / ((double)a->steps * n);
}

static json_t *layer_json(const Design *d, int layer)
{
    json_t *o = json_object();
    json_object_set_new(o, "skipped_x_percent", value_rounded(skipped(d, layer, MATRIX_W), 2));
    json_object_set_new(o, "skipped_h_percent", value_rounded(skipped(d, layer, MATRIX_R), 2));
    return o;
}

json_t *delta_json(const Design *d)
{
    json_t *o = json_object(), *layers = json_array();
    int64_t phase = 0;
    for (int l = 0; l < d->net->n; l++) {
        if (d->net->layer[l].cell != CELL_LSTM)
            continue;
        json_array_append_new(layers, layer_json(d, l));
        for (int t = 0; t < d->activity->steps; t++)
            phase += busiest(d, l, t);
    }
    json_object_set_new(o, "x", value_real(d->spec->delta_x));
    json_object_set_new(o, "h", value_real(d->spec->delta_h));
    json_object_set_new(o, "encoder_lanes", json_integer(d->vector_banks));
    json_object_set_new(o, "matrix_phase", value_rounded((double)phase / d->activity->steps, 2));
    json_object_set_new(o, "layers", layers);
    return o;
}
