/* report.c: the object of `--json` and report.json. Keys are those of product.md. Added: `spec`,
 * `clock_mhz`, `schedule`, `engine`, `interface`, `memories`, `accuracy`, what a layer keeps, the part's
 * limits, and the estimate beside Yosys' counts. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

/* Takes over `value`; NULL (a string that is not UTF-8, no memory) would lose a key in silence. */
static void put(json_t *object, const char *key, json_t *value)
{
    REQUIRE(value && json_object_set_new(object, key, value) == 0);
}

static void put_integer(json_t *object, const char *key, int64_t v)
{
    put(object, key, json_integer(v));
}

/* ---- what was built ---- */

static bool same_in_all_gates(const MatrixPlan *p, int gates)
{
    for (int g = 1; g < gates; g++)
        if (p->gate_keep[g] != p->gate_keep[0])
            return false;
    return true;
}

/* Kept per bank (or row) of each gate. */
static json_t *gates_json(const MatrixPlan *p, const char *gates)
{
    json_t *o = json_object();
    for (int g = 0; gates[g]; g++)
        put_integer(o, (const char[]){ gates[g], '\0' }, p->gate_keep[g]);
    return o;
}

/* What a pattern keeps at most, in the unit in which it chooses. */
static void put_keep(json_t *o, const Matrix *m, const MatrixPlan *p)
{
    if (m->pattern->engine == &engine_scatter) {
        put_integer(o, "rows_of_pe", p->rows);
        put_integer(o, "keep_per_sub_column", p->keep);
    } else if (m->pattern->whole_vector) {
        put_integer(o, "keep_per_row", p->keep);
    } else {
        put_integer(o, "banks", p->banks);
        put_integer(o, "keep_per_bank", p->keep);
    }
}

static json_t *matrix_json(const Design *d, int product)
{
    const Matrix *m = &d->net->product[product].m;
    const MatrixPlan *packed = &d->plan[product], own = facts_own_plan(d, product);
    json_t *o = json_object();
    put(o, "pattern", json_string(m->pattern->name));
    put_integer(o, "rows", m->rows);
    put_integer(o, "columns", m->columns);
    put_integer(o, "kept", packed->kept);
    put_integer(o, "stored", packed->stored);
    put_keep(o, m, &own);
    if (m->gates > 1 && !same_in_all_gates(&own, m->gates))
        put(o, "keep_per_gate", gates_json(&own, d->net->product[product].gates));
    return o;
}

/* What of a cell the spec chose beside its name. */
static void put_options(json_t *o, const Layer *l)
{
    if (strcmp(cell_name(l->cell), "gru") == 0)
        put(o, "reset", json_string(strcmp(l->cell->key, "gru_after") == 0 ? "after" : "before"));
    if (strcmp(l->cell->key, "lstm_coupled") == 0)
        put(o, "coupled", json_true());
    if (l->peephole)
        put(o, "peephole", json_true());
    if (l->projection > 0)
        put_integer(o, "projection", l->projection);
}

static json_t *passes_json(Arena *a, const Layer *l)
{
    json_t *list = json_array();
    for (int k = 0; k < l->n_passes; k++)
        json_array_append_new(list, value_string(a, layer_pass_text(a, l, &l->pass[k])));
    return list;
}

static json_t *layer_json(Arena *a, const Design *d, int l)
{
    const Layer *layer = &d->net->layer[l];
    json_t *o = json_object();
    put(o, "cell", json_string(cell_name(layer->cell)));
    put_options(o, layer);
    put_integer(o, "inputs", layer->inputs);
    put_integer(o, "hidden", layer->hidden);
    put_integer(o, "directions", 1);
    if (layer_is_linear(layer))
        put(o, "activation", json_string(curve_name(layer->activation[0])));
    put(o, "passes", passes_json(a, layer));
    for (int p = 0; p < d->net->products; p++)
        if (d->net->product[p].layer == l)
            put(o, product_name(d->net, p), matrix_json(d, p));
    return o;
}

static json_t *network_json(Arena *a, const Design *d)
{
    json_t *list = json_array();
    for (int l = 0; l < d->net->n; l++)
        json_array_append_new(list, layer_json(a, d, l));
    return list;
}

static json_t *engine_json(const Design *d)
{
    json_t *o = json_object();
    put_integer(o, "pes", d->pes);
    put_integer(o, "pe_width", d->lanes_pe);
    put_integer(o, "cell_lanes", d->cell_lanes);
    put(o, "weights", json_string(d->spec->loadable ? "loadable" : "rom"));
    return o;
}

static json_t *interface_json(const Design *d)
{
    json_t *o = json_object();
    put_integer(o, "inputs", d->inputs);
    put_integer(o, "outputs", d->outputs);
    put_integer(o, "lanes", d->lanes);
    put_integer(o, "element_bits", d->element_bits);
    put(o, "control", json_string(d->spec->control ? "axil" : "none"));
    put(o, "output", json_string(d->spec->output ? d->spec->output : "every"));
    return o;
}

/* ---- what it costs, how fast it is ---- */

static json_t *pair_json(const char *a, int64_t va, const char *b, int64_t vb)
{
    json_t *o = json_object();
    put_integer(o, a, va);
    put_integer(o, b, vb);
    return o;
}

static json_t *cycles_json(const Design *d)
{
    json_t *o = json_object();
    put_integer(o, "minimum", d->minimum);
    put(o, "interval", value_real(d->interval));
    put_integer(o, "latency", d->latency);
    return o;
}

/* words: cycles in which a PE has a word, all PEs together; work, loop: what no order of them can beat. */
static json_t *schedule_json(const Design *d, const Timeline *t)
{
    json_t *o = json_object(), *bound = json_object();
    put_integer(bound, "work", t->least_work);
    put_integer(bound, "loop", t->least_loop);
    put_integer(o, "cycles", t->cycles);
    put_integer(o, "words", t->words);
    put(o, "bound", bound);
    put(o, "busy", value_rounded((double)t->words / ((double)d->pes * t->cycles), 4));
    put(o, "picture", json_string("schedule.svg"));
    return o;
}

/* The simulation came as far as to count cycles. */
static bool was_measured(const Report *r)
{
    return r->sim && r->sim->interval >= 0;
}

static json_t *measured_json(Arena *a, const SimResult *s)
{
    json_t *o = json_object();
    put(o, "interval", value_real(s->interval));
    put_integer(o, "latency", s->latency);
    put_integer(o, "steps", s->steps);
    put_integer(o, "total", s->total);
    put(o, "simulator", value_string(a, s->simulator));
    return o;
}

static double use(const Report *r)
{
    const Design *d = r->design;
    double interval = was_measured(r) ? r->sim->interval : d->interval;
    return interval > 0 ? (double)d->macs_kept / (d->multipliers_engine * interval) : 0;
}

static json_t *memory_json(const Facts *f)
{
    json_t *o = json_object();
    put_integer(o, "weight_bits", f->weight_bits);
    put_integer(o, "index_bits", f->index_bits);
    put(o, "bits_per_kept_weight", value_rounded(f->bits_per_kept_weight, 3));
    put(o, "bound_bits_per_kept_weight", value_rounded(f->bound_bits_per_kept_weight, 3));
    put_integer(o, "vector_bits", f->vector_bits);
    return o;
}

static json_t *memories_json(Arena *a, const Design *d)
{
    json_t *list = json_array();
    for (int i = 0; i < d->n_memories; i++) {
        const MemoryUse *m = &d->memory[i];
        json_t *o = json_object();
        put(o, "name", value_string(a, m->name));
        put_integer(o, "width", m->width);
        put_integer(o, "depth", m->depth);
        put_integer(o, "copies", m->copies);
        put(o, "kind", json_string(m->rom ? "rom" : "ram"));
        put(o, "style", json_string(m->block || !d->family->small_ram ? "block" : "lut"));
        json_array_append_new(list, o);
    }
    return list;
}

/* The resources that the report names, under these keys. */
static const struct {
    Resource resource;
    const char *key;
} RESOURCE_KEYS[] = {
    { RES_LUT, "lut" },   { RES_FF, "ff" },         { RES_DSP, "dsp" },
    { RES_BRAM, "bram" }, { RES_LUTRAM, "lutram" },
};

bool usage_fits(const Usage *u)
{
    const Part *p = u->part;
    return u->count[RES_LUT] + u->count[RES_LUTRAM] <= p->luts && u->count[RES_FF] <= p->ffs &&
           u->count[RES_DSP] <= p->dsps && u->count[RES_BRAM] <= p->brams;
}

static json_t *usage_json(const Usage *u)
{
    json_t *o = json_object();
    for (int i = 0; i < LENGTH(RESOURCE_KEYS); i++)
        put_integer(o, RESOURCE_KEYS[i].key, u->count[RESOURCE_KEYS[i].resource]);
    if (u->part)
        put(o, "fits", json_boolean(usage_fits(u)));
    put(o, "source", json_string(u->source));
    return o;
}

/* How far the counts are from the estimate, in percent of it; what was estimated as 0 is left out.
 */
static json_t *difference_json(const Usage *estimate, const Usage *found)
{
    json_t *o = json_object();
    for (int i = 0; i < LENGTH(RESOURCE_KEYS); i++) {
        double e = (double)estimate->count[RESOURCE_KEYS[i].resource];
        double n = (double)found->count[RESOURCE_KEYS[i].resource];
        if (e > 0)
            put(o, RESOURCE_KEYS[i].key, value_rounded(100 * (n - e) / e, 1));
    }
    return o;
}

static json_t *limits_json(const Part *p)
{
    json_t *o = json_object();
    put_integer(o, "lut", p->luts);
    put_integer(o, "ff", p->ffs);
    put_integer(o, "dsp", p->dsps);
    put_integer(o, "bram", p->brams);
    return o;
}

static void put_resources(json_t *o, const Report *r)
{
    const Usage *best = r->synthesised ? r->synthesised : r->estimate;
    if (!best)
        return;
    put(o, "resources", usage_json(best));
    if (best->part)
        put(o, "resources_limit", limits_json(best->part));
    if (best != r->estimate && r->estimate) {
        put(o, "resources_estimate", usage_json(r->estimate));
        put(o, "resources_difference_percent", difference_json(r->estimate, r->synthesised));
    }
}

/* ---- how exact it is ---- */

static json_t *verify_json(const Report *r)
{
    const Facts *f = &r->facts;
    json_t *o = json_object();
    if (r->sim) {
        put_integer(o, "mismatches", r->sim->mismatches);
        put_integer(o, "compared", r->sim->compared);
        put(o, "pass", json_boolean(r->sim->pass));
    }
    put_integer(o, "saturations", r->golden->saturations);
    put(o, "snr_db", value_rounded(f->snr_db, 2));
    if (f->has_expect)
        put(o, "expect_snr_db", value_rounded(f->expect_snr_db, 2));
    if (f->has_prune)
        put(o, "prune_snr_db", value_rounded(f->prune_snr_db, 2));
    put_integer(o, "sequences", r->sequences->n);
    put(o, "input", json_string(r->sequences->made ? "made" : "given"));
    return o;
}

static json_t *accuracy_json(const Facts *f)
{
    json_t *o = json_object();
    put(o, "float", value_rounded(f->accuracy_float, 2));
    put(o, "hardware", value_rounded(f->accuracy_hardware, 2));
    put_integer(o, "labels", f->labels);
    return o;
}

static void add_format(json_t *list, const char *tensor, Format f, int fraction_max)
{
    json_t *o = json_object();
    put(o, "tensor", json_string(tensor));
    put_integer(o, "bits", f.bits);
    put_integer(o, "fraction", f.fraction);
    if (fraction_max != f.fraction)
        put_integer(o, "fraction_max", fraction_max);
    json_array_append_new(list, o);
}

/* Weights and accumulators have a fraction per row: the smallest, and the largest beside it. */
static void add_row_formats(json_t *list, Arena *a, const QNetwork *q, int l)
{
    const QLayer *layer = &q->layer[l];
    int low = layer->row_fraction[0], high = low;
    for (int r = 1; r < layer->rows; r++) {
        low = MIN(low, layer->row_fraction[r]);
        high = MAX(high, layer->row_fraction[r]);
    }
    for (int p = 0; p < q->net->products; p++) {
        int source = q->vector[q->net->product[p].from].fraction + q->product[p].align;
        if (q->net->product[p].layer == l)
            add_format(list, str_format(a, "layer%d.%s", l, product_name(q->net, p)),
                       (Format){ q->weight_bits, low - source }, high - source);
    }
    add_format(list, str_format(a, "layer%d.accumulator", l), (Format){ q->acc_bits, low }, high);
}

static json_t *formats_json(Arena *a, const QNetwork *q)
{
    json_t *list = json_array();
    add_format(list, "x", q->vector[0], q->vector[0].fraction);
    add_format(list, "preactivation", q->pre, q->pre.fraction);
    add_format(list, "gate", q->curve, q->curve.fraction);
    add_format(list, "c", q->state, q->state.fraction);
    for (int l = 0; l < q->net->n; l++) {
        const QLayer *layer = &q->layer[l];
        const char *name = str_format(a, "layer%d.%s", l, layer_is_linear(&q->net->layer[l]) ? "y" : "h");
        add_format(list, name, layer->out, layer->out.fraction);
        add_row_formats(list, a, q, l);
    }
    return list;
}

static json_t *warnings_json(Arena *a, const Report *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->n_warnings; i++)
        json_array_append_new(list, value_string(a, r->warning[i]));
    return list;
}

/* ---- all of it ---- */

static void put_identity(json_t *o, Arena *a, const Design *d)
{
    const Spec *s = d->spec;
    put(o, "name", json_string(s->name));
    put(o, "version", json_string(LSTMGEN_VERSION));
    put(o, "spec", value_string(a, path_name(s->file)));
    put(o, "spec_sha256", json_string(s->sha256));
    put(o, "pattern", value_string(a, patterns_text(a, d->net)));
    const char *choice = patterns_choice(a, s, d->net);
    if (choice)
        put(o, "choice", value_string(a, choice));
    put(o, "part", value_string(a, d->part->name));
    put(o, "clock_mhz", value_real(s->clock_mhz));
}

static json_t *path_json(Arena *a, const PnrPlace *p)
{
    json_t *list = json_array();
    for (int i = 0; i < p->n_hops; i++) {
        json_t *hop = json_object();
        put(hop, "from", value_string(a, p->hop[i].from));
        put(hop, "to", value_string(a, p->hop[i].to));
        put(hop, "ns", value_rounded(p->hop[i].ns, 3));
        put(hop, "kind", json_string(p->hop[i].routing ? "routing" : "logic"));
        json_array_append_new(list, hop);
    }
    return list;
}

static json_t *placement_json(Arena *a, const PnrResult *r)
{
    json_t *o = json_object(), *all = json_array();
    for (int i = 0; i < r->n; i++)
        json_array_append_new(all, value_rounded(r->all[i].mhz, 2));
    put(o, "tool", value_string(a, r->tool));
    put(o, "seeds", json_integer(r->n));
    put(o, "mhz", all);
    put(o, "best_mhz", value_rounded(r->best, 2));
    put(o, "worst_mhz", value_rounded(r->worst, 2));
    put(o, "logic_ns", value_rounded(r->place.logic_ns, 3));
    put(o, "routing_ns", value_rounded(r->place.routing_ns, 3));
    put_integer(o, "pins_lut", r->pins_lut);
    put_integer(o, "pins_ff", r->pins_ff);
    return o;
}

/* The median's clock, what a step takes at it, and its critical path. */
static void put_placed(json_t *o, Arena *a, const Report *r)
{
    double interval = was_measured(r) ? r->sim->interval : r->design->interval;
    put(o, "fmax_mhz", value_rounded(r->placed->median, 2));
    put(o, "us_per_step", value_rounded(interval / r->placed->median, 4));
    put(o, "placement", placement_json(a, r->placed));
    put(o, "critical_path", path_json(a, &r->placed->place));
}

json_t *report_json(const Report *r)
{
    const Design *d = r->design;
    Arena *scratch = arena_new();
    json_t *o = json_object();
    put_identity(o, scratch, d);
    put(o, "network", network_json(scratch, d));
    put(o, "engine", engine_json(d));
    put(o, "interface", interface_json(d));
    put(o, "macs", pair_json("dense", d->macs_dense, "kept", d->macs_kept));
    put(o, "multipliers", pair_json("engine", d->multipliers_engine, "cell", d->multipliers_cell));
    put(o, "cycles", cycles_json(d));
    if (r->timeline)
        put(o, "schedule", schedule_json(d, r->timeline));
    if (was_measured(r))
        put(o, "measured", measured_json(scratch, r->sim));
    if (d->activity)
        put(o, "delta", delta_json(r));
    put(o, "use", value_rounded(use(r), 4));
    put(o, "memory", memory_json(&r->facts));
    put(o, "memories", memories_json(scratch, d));
    put_resources(o, r);
    if (r->placed)
        put_placed(o, scratch, r);
    put(o, "verify", verify_json(r));
    if (r->facts.has_labels)
        put(o, "accuracy", accuracy_json(&r->facts));
    put(o, "formats", formats_json(scratch, d->q));
    put(o, "padding", pair_json("macs_lost", d->macs_lost, "lanes_idle", r->facts.lanes_idle));
    put(o, "warnings", warnings_json(scratch, r));
    arena_free(scratch);
    return o;
}

const char *report_json_text(Arena *a, const json_t *report)
{
    char *text = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(10) | JSON_ENSURE_ASCII);
    REQUIRE(text);
    const char *copy = str_format(a, "%s\n", text);
    free(text);
    return copy;
}
