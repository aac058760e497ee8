/* vectors.c: what the testbench needs: stimulus, bit-true results, its configuration; and the map of all memories. */
#include "emit/emit.h"

#include <inttypes.h>
#include <string.h>

enum { STALL_STEPS = 64, SEED = 1 };

static bool emit_integers(const Design *d, Arena *a, Folder *f, const char *name, const int32_t *v, int width,
                          const Sequences *seq)
{
    FolderFile *file = folder_open(f, name);
    if (!file)
        return false;
    uint32_t mask = d->element_bits == 32 ? UINT32_MAX : (1u << d->element_bits) - 1;
    int digits = d->element_bits / 4;
    char *line = arena_alloc(a, 16);
    for (int n = 0; n < seq->n; n++)
        for (int t = 0; t < seq->length[n]; t++)
            for (int e = 0; e < width; e++) {
                int32_t value = v[((int64_t)n * seq->steps + t) * width + e];
                snprintf(line, 16, "%0*x\n", digits, (unsigned)value & mask);
                folder_put(file, line, (size_t)digits + 1);
            }
    return folder_close(file);
}

/* ---- deltas: what the statistics registers must say */
static void print_settings(const Design *d, const Raised *raised, Buffer *b)
{
    buffer_print(b, "arrays %d\nthreshold_x %x\nthreshold_h %x\ncounts_file tb/counts.txt\nraised_x %x\nraised_h %x\n"
                    "raised_golden_file tb/golden_raised.hex\nraised_counts_file tb/counts_raised.txt\n",
                 d->lanes_pe, (unsigned)d->q->delta_x, (unsigned)d->q->delta_h, (unsigned)raised->delta_x,
                 (unsigned)raised->delta_h);
}

/* Per step: elements of x and of h that are not sent, columns of each array. */
static bool emit_counts(const Design *d, Arena *a, Folder *f, const char *name, const Activity *activity)
{
    FolderFile *file = folder_open(f, name);
    if (!file)
        return false;
    StepCounts c = {.columns = ARENA_ARRAY(a, int, d->lanes_pe)};
    Buffer b;
    for (int t = 0; t < activity->steps; t++) {
        scatter_step_counts(d, activity, t, true, &c);
        buffer_init(&b, a);
        buffer_print(&b, "%d %d", c.skipped_x, c.skipped_h);
        for (int array = 0; array < d->lanes_pe; array++)
            buffer_print(&b, " %d", c.columns[array]);
        buffer_print(&b, "\n");
        folder_put(file, b.text, b.length);
    }
    return folder_close(file);
}

static bool emit_settings(const Design *d, Arena *a, Folder *f, const Golden *g, const Sequences *seq)
{
    if (!d->delta || !d->spec->control)
        return true;
    return emit_integers(d, a, f, "tb/golden_raised.hex", g->raised.y, d->outputs, seq)
           && emit_counts(d, a, f, "tb/counts.txt", &g->activity)
           && emit_counts(d, a, f, "tb/counts_raised.txt", &g->raised.activity);
}

/* One line for each loadable memory: its number, words, bits, image. */
static int print_kind(const Design *d, Buffer *b, int select, const char *kind, int n, int64_t words, int64_t width)
{
    for (int k = 0; k < n; k++)
        buffer_print(b, "memory %d %" PRId64 " %" PRId64 " mem/%s_%s_%d.hex\n", select + k, words, width, d->spec->name,
                     kind, k);
    return select + n;
}

static void print_memories(const Design *d, Buffer *b)
{
    int select = print_kind(d, b, 0, "weight", d->weight_memories, d->weight_words,
                            (int64_t)d->weight_lanes * d->q->weight_bits);
    select = print_kind(d, b, select, "index", d->index_memories, d->weight_words, d->index_word);
    print_kind(d, b, select, "record", d->cell_lanes, d->records, d->record_bits);
}

static bool emit_config(const Design *d, Arena *a, Folder *f, const Golden *g, const Sequences *seq)
{
    Buffer b;
    buffer_init(&b, a);
    buffer_print(&b, "# what tb/lstmgen_tb.c drives and expects\nname %s\ninputs %d\noutputs %d\nlanes %d\n"
                     "element_bits %d\nsequences %d\nlengths", d->spec->name, d->inputs, d->outputs, d->lanes,
                 d->element_bits, seq->n);
    for (int n = 0; n < seq->n; n++)
        buffer_print(&b, " %d", seq->length[n]);
    buffer_print(&b, "\ninput_file tb/input.hex\ngolden_file tb/golden.hex\nlast %d\ncontrol %d\nloadable %d\n"
                     "version %" PRIx64 "\nspec_hash %.8s\ngolden_saturations %" PRId64 "\n",
                 spec_sends_last(d->spec), d->spec->control, d->spec->loadable, version_word(), d->spec->sha256,
                 g->saturations);
    if (d->interval == (double)(int64_t)d->interval)
        buffer_print(&b, "predicted_interval %" PRId64 "\n", (int64_t)d->interval);
    buffer_print(&b, "predicted_latency %" PRId64 "\nmin_measure_steps %d\nlast_steps %d\nstall_steps %d\nseed %d\n"
                     "timeout_cycles %" PRId64 "\n", d->latency, cycles_least_steps(d), cycles_last_steps(d),
                     STALL_STEPS, SEED,
                 20 * (d->latency + (int64_t)d->interval) + 100000);
    if (d->delta && d->spec->control)
        print_settings(d, &g->raised, &b);
    if (d->spec->loadable)
        print_memories(d, &b);
    return folder_write(f, "tb/config.txt", b.text, b.length);
}

bool emit_vectors(const Design *d, Arena *a, Folder *f, const Golden *g, const Sequences *seq)
{
    return emit_integers(d, a, f, "tb/input.hex", g->x, d->inputs, seq)
           && emit_integers(d, a, f, "tb/golden.hex", g->y, d->outputs, seq) && emit_config(d, a, f, g, seq)
           && emit_settings(d, a, f, g, seq);
}

/* ---- mem/memory_map.md */
/* paced: where each PE goes through its rows at its own pace; such a row stands before the one for all. */
static const struct { const char *memory, *image, *word; bool paced; } map_text[] = {
    {"weight", "weight_<pe>.hex", "one weight per lane, lane 0 lowest; the words of a PE's rows follow each other, "
     "at the end of a phase come words without work (weights 0); address = engine cycle of the step", true},
    {"index", "index_<list>.hex", "{1 in a row's last word, 1 where the word multiplies the layer's own h, place of "
     "the weight's vector element per lane, lane 0 lowest}; one list per PE", true},
    {"weight", "weight_<pe>.hex", "one weight per lane, lane 0 lowest; address = engine cycle of the step", false},
    {"index", "index_<list>.hex", "place of the weight's vector element per lane, lane 0 lowest; one list per PE "
     "or group of PEs", false},
    {"record", "record_<lane>.hex", "{peephole's weight (where there are any), right shift, bias}; the bias is at "
     "accumulator precision with the rounding half; with an initial h then the same of a sequence's first step, h's part "
     "in the bias", false},
    {"vector", "-", "one element; x and h of each layer, two buffers each (below)", false},
    {"write queue", "-", "h of several neurons, as they come from the cell unit: {stored, value, first bank, address}",
     false},
    {"row ring", "-", "sums of a PE whose row is done before that of the slowest PE", false},
    {"partial sum", "-", "accumulator of a row whose first product was taken ahead", false},
    {"gate i", "-", "sigmoid(i) of a neuron until g arrives", false},
    {"i * g", "-", "full product until f arrives", false},
    {"cell state", "-", "c of a neuron", false},
    {"tanh of cell state", "-", "tanh(c) until o arrives", false},
    {"state of peepholes", "-", "a copy of the state that peepholes read", false},
    {"initial state", "init_<lane>.hex", "c (or h of a GRU) of a neuron before the first step of a sequence", false},
    {"activation table", "activation.hex", "{slope, base} of each curve on [0, 8), curves one behind the other", false},
    {"tile table", "tiles.hex", "what the cell unit does with the rows of a tile, tiles in order of use", false},
    {"output order", "y_order.hex", "per stream lane: cell lane and word of the element, beats in order", false},
    {"places of results", "-", "of a tile under way: {to a vector, to the output, the last, slot, rows, bank, modulus, "
     "address, entry} of its first results", false},
    {"input mask", "x_mask.hex", "per element of a beat of x: 1 where it is stored", false},
    {"input order", "x_order.hex", "the same for x on its way to the banks", false},
    {"input", "-", "x as it came, two slots, one copy per bank written in a cycle", false},
    {"rows", "-", "{used, sum} of each row of a PE; unless used is set the sum counts as 0; two banks", false},
    {"highest bits of rows", "-", "used and the highest bits of the sums", false},
    {"queue", "-", "columns that wait for an array: {end, scale, words - 1, first word, value}", false},
    {"last sent", "-", "per lane: the value of an element that the sums know of", false},
    {"totals", "-", "columns that each array has worked on", false},
    {"kept sums", "-", "per PE: sums of a row over all steps", false},
    {"output", "-", "results, two slots, one copy per stream lane; read in the output order", false},
};

/* Where an element lies, in words. */
static const char *element_place(Arena *a, const Region *r)
{
    if (r->contiguous)
        return str_format(a, "bank e / %d, address e mod %d", r->bank_size, r->bank_size);
    if (r->order)
        return str_format(a, "bank q mod %d, address q / %d, q: its position (below)", r->banks, r->banks);
    if (region_is_masked(r))
        return str_format(a, "bank e mod %d, address: stored elements of that bank before it", r->banks);
    return str_format(a, "bank e mod %d, address e / %d", r->banks, r->banks);
}

/* Neurons in another order than that of the model. */
static void print_order(const Region *r, int layer, Buffer *b)
{
    buffer_print(b, "\nNeurons of layer %d by their positions", layer);
    if (r->stored < r->positions)
        buffer_print(b, " (no matrix reads those from position %d on: they are not stored)", r->stored);
    buffer_print(b, ":\n```");
    for (int q = 0; q < r->positions; q++)
        buffer_print(b, "%s%d", q % 24 ? " " : "\n", r->order[q]);
    buffer_print(b, "\n```\n");
}

static void print_regions(const Design *d, Buffer *b)
{
    buffer_print(b, "\n## Vector banks\n\n| vector | elements | banks | element e lies in | buffers at |\n"
                    "| --- | ---: | ---: | --- | --- |\n");
    for (int k = 0; k < d->n_regions; k++) {
        const Region *r = &d->region[k];
        const char *name = k == 0 ? "x" : str_format(b->arena, "h of layer %d", d->net->vector[k].layer);
        buffer_print(b, "| %s | %d | %d | %s | %d, %d |\n", name, r->elements, r->banks, element_place(b->arena, r),
                     r->base[0], r->base[1]);
    }
    if (d->span > 0)
        buffer_print(b, "\nEach lane of an index list has a copy of all of it. Places in `%s_index_<list>.hex` are "
                        "address * %d + bank, to whose\naddress the base of the buffer is OR-ed.\n", d->spec->name, d->span);
    for (int k = 1; k < d->n_regions; k++)
        if (d->region[k].order)
            print_order(&d->region[k], d->net->vector[k].layer, b);
}

static void print_loading(const Design *d, Buffer *b)
{
    if (!d->spec->loadable)
        return;
    Buffer list;
    buffer_init(&list, b->arena);
    print_memories(d, &list);
    buffer_print(b, "\n## Loading\n\nWrite LOAD_PARTS (32-bit parts per word), LOAD_ADDRESS (memory, first word), then "
                    "LOAD_DATA\npart by part, lowest first; set CONTROL.START when all are written. A word beyond its memory is "
                    "refused (SLVERR).\n\n"
                    "memory, number, words, bits, image:\n```\n%s```\n", list.text);
}

bool emit_memory_map(const Design *d, Arena *a, Folder *f)
{
    Buffer b;
    buffer_init(&b, a);
    buffer_print(&b, "# Memories of %s\n\nImages are hexadecimal, one word per line, highest bit first. `%s_top` looks "
                     "for them in the\nfolder that its parameter MEM_DIR names, \"mem/\" if it is not set: a path from "
                     "where the tool runs, with a / at its end.\n\n"
                     "| memory | words | bits | copies | built as | image | a word |\n"
                     "| --- | ---: | ---: | ---: | --- | --- | --- |\n", d->spec->name, d->spec->name);
    for (int k = 0; k < d->n_memories; k++) {
        const MemoryUse *m = &d->memory[k];
        int t = 0;
        while (strcmp(map_text[t].memory, m->name) || map_text[t].paced > (d->ring > 0))
            REQUIRE(++t < LENGTH(map_text));
        const char *image = map_text[t].image;
        if (*image != '-')
            image = str_format(a, "`%s_%s`", d->spec->name, image);
        buffer_print(&b, "| %s | %" PRId64 " | %" PRId64 " | %d | %s | %s | %s |\n", m->name, m->depth, m->width,
                     m->copies,
                     m->rom ? "block ROM" : m->block || (m->weights && d->spec->loadable) ? "block RAM" : "LUT RAM",
                     image, map_text[t].word);
    }
    print_regions(d, &b);
    print_loading(d, &b);
    return folder_write(f, "mem/memory_map.md", b.text, b.length);
}
