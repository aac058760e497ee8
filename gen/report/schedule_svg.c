/* schedule_svg.c: schedule.svg, a picture of one step: what each PE works on in each cycle, coloured by block row.
 * Cells are drawn in units of cycles and PEs and scaled as a whole, so the numbers in the file are those of the
 * schedule. */
#include "report/report.h"

#include <string.h>

enum { WIDTH = 1000, LEFT = 60, RIGHT = 24, HEAD = 64, PHASE_ROWS = 2, PHASE_HEIGHT = 18, FOOT = 44, LEGEND_HEIGHT = 26,
       ROW_LEAST = 4, ROW_MOST = 22, ROWS_HEIGHT = 480, SWATCHES = 420, TICKS = 10, LETTER = 6 };

typedef struct Picture {
    const Design *d;
    const Timeline *t;
    Buffer out;
    double per_cycle, per_pe;           /* pixels */
    double top, bottom;                 /* of the cells */
} Picture;

/* Colours of the first and the last block row and of some between, from dark to light, so that they differ in grey
 * too. */
typedef struct Colour { double red, green, blue; } Colour;
static const Colour RAMP[] = {{82, 49, 148}, {45, 104, 186}, {27, 148, 148}, {84, 173, 88}, {214, 168, 43}};

static Colour colour_of(int band, int bands)
{
    double at = bands > 1 ? (double)band / (bands - 1) * (LENGTH(RAMP) - 1) : 0;
    int low = MIN((int)at, LENGTH(RAMP) - 2);
    double high = at - low, rest = 1 - high;
    return (Colour){rest * RAMP[low].red + high * RAMP[low + 1].red,
                    rest * RAMP[low].green + high * RAMP[low + 1].green,
                    rest * RAMP[low].blue + high * RAMP[low + 1].blue};
}

static void put_colour(Picture *p, Colour c)
{
    buffer_print(&p->out, "fill=\"#%02x%02x%02x\"", (unsigned)c.red, (unsigned)c.green, (unsigned)c.blue);
}

static double x_of(const Picture *p, double cycle)
{
    return LEFT + cycle * p->per_cycle;
}

static void put_text(Picture *p, double x, double y, const char *anchor, const char *text)
{
    buffer_print(&p->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
                 text_xml(p->out.arena, text));
}

/* 1, 2 or 5 times a power of ten, so that an axis of this length gets at most TICKS steps. */
static int tick_step(int length)
{
    static const int FACTOR[] = {2, 5, 10};
    int step = 1;
    for (int decade = 1; length > step * TICKS; decade *= 10)
        for (int k = 0; k < LENGTH(FACTOR) && length > step * TICKS; k++)
            step = FACTOR[k] * decade;
    return step;
}

/* Readable on light and dark pages and on paper. */
static void put_head(Picture *p, double height)
{
    const Design *d = p->d;
    const Timeline *t = p->t;
    const char *name = d->spec->name;
    double busy = 100.0 * (double)t->words / ((double)d->pes * t->cycles);
    buffer_print(&p->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" "
                 "width=\"%d\" height=\"%.0f\" font-family=\"sans-serif\" font-size=\"12\">\n"
                 "<title>%s: schedule of a step</title>\n<style>\n"
                 "text, .ink { fill: #1f2328 } .page { fill: #ffffff } .idle { fill: #eef0f2 } "
                 ".line { stroke: #6e7781; fill: none }\n"
                 "@media (prefers-color-scheme: dark) {\n"
                 "text, .ink { fill: #e6edf3 } .page { fill: #0d1117 } .idle { fill: #21262d } "
                 ".line { stroke: #8b949e } }\n"
                 "@media print {\n"
                 "text, .ink { fill: #000000 } .page { fill: #ffffff } .idle { fill: #ffffff } "
                 ".line { stroke: #000000 } }\n"
                 "</style>\n<rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n",
                 WIDTH, height, WIDTH, height, name);
    buffer_print(&p->out, "<text x=\"%d\" y=\"26\" font-size=\"16\" font-weight=\"bold\">%s: what each PE works on "
                 "in the %d cycles of a step</text>\n", LEFT, name, t->cycles);
    const char *bounds = str_format(p->out.arena, "no order takes less than %d cycles (work) or %d (h to h)",
                                    t->least_work, t->least_loop);
    put_text(p, LEFT, 46, "start",
             str_format(p->out.arena, "%s, %d PEs of %d multipliers: %lld words, PEs busy %.1f %%; %s",
                        patterns_text(p->out.arena, d->net), d->pes, d->lanes_pe, (long long)t->words, busy, bounds));
}

/* ---- axes */
static void put_axes(Picture *p)
{
    int cycles = p->t->cycles, pes = p->d->pes, step = tick_step(cycles);
    buffer_print(&p->out, "<rect class=\"idle\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", LEFT, p->top,
                 x_of(p, cycles) - LEFT, p->bottom - p->top);
    for (int v = 0; v <= cycles; v += step) {
        buffer_print(&p->out, "<path class=\"line\" d=\"M%.1f %.1fv5\"/>\n", x_of(p, v), p->bottom);
        put_text(p, x_of(p, v), p->bottom + 18, "middle", str_format(p->out.arena, "%d", v));
    }
    put_text(p, (LEFT + x_of(p, cycles)) / 2, p->bottom + 36, "middle", "cycle of the step");
    int rows = MAX(tick_step(pes), (int)(12 / p->per_pe) + 1);
    for (int v = 0; v < pes; v += rows)
        put_text(p, LEFT - 8, p->top + (v + 0.5) * p->per_pe + 4, "end", str_format(p->out.arena, "%d", v));
    buffer_print(&p->out, "<text text-anchor=\"middle\" transform=\"translate(18 %.1f) rotate(-90)\">PE</text>\n",
                 (p->top + p->bottom) / 2);
}

/* ---- cells */
static const char *rows_name(const Design *d)
{
    return d->ring > 0 ? "block row" : "group of rows";
}

static void put_cell(Picture *p, const Stretch *s)
{
    if (s->cycles > 0)
        buffer_print(&p->out, "M%d %dh%dv.88h-%dz", s->at, s->pe, s->cycles, s->cycles);
}

/* One path for each block row; neighbours of a PE are drawn as one. */
static void put_band(Picture *p, int layer, int band)
{
    const Timeline *t = p->t;
    Stretch last = {0};
    buffer_print(&p->out, "<path ");
    put_colour(p, colour_of(band, timeline_bands(p->d, layer)));
    buffer_print(&p->out, " d=\"");
    for (int k = 0; k < t->n_stretches; k++) {
        const Stretch *s = &t->stretch[k];
        if (s->layer != layer || timeline_band(p->d, layer, s->row) != band)
            continue;
        if (s->pe == last.pe && s->at == last.at + last.cycles) {
            last.cycles += s->cycles;
            continue;
        }
        put_cell(p, &last);
        last = *s;
    }
    put_cell(p, &last);
    int each = timeline_band_rows(p->d, layer);
    buffer_print(&p->out, "\"><title>layer %d, %s %d: %d rows</title></path>\n", layer, rows_name(p->d), band, each);
}

static void put_cells(Picture *p)
{
    buffer_print(&p->out, "<g id=\"cells\" transform=\"translate(%d %.1f) scale(%.6f %.6f)\">\n", LEFT,
                 p->top + 0.06 * p->per_pe, p->per_cycle, p->per_pe);
    for (int l = 0; l < p->d->net->n; l++)
        for (int band = 0; band < timeline_bands(p->d, l); band++)
            put_band(p, l, band);
    buffer_print(&p->out, "</g>\n");
}

/* ---- phases */
static const char *phase_name(const Picture *p, const Phase *f)
{
    const Network *net = p->d->net;
    const Section *s = &net->section[f->section];
    const char *text = "";
    if (layer_is_linear(&net->layer[s->layer]))
        return "head";
    for (int k = 0; k < s->terms; k++)
        if (f->parts >> k & 1)
            text = str_format(p->out.arena, "%s%s%s", text, *text ? " and " : "", product_name(net, s->term[k]));
    const char *layer = p->d->n_regions > 2 ? str_format(p->out.arena, "layer %d: ", s->layer) : "";
    return str_format(p->out.arena, "%s%s%s", layer, text, f->ahead ? " ahead" : "");
}

static void put_phases(Picture *p)
{
    double free_at[PHASE_ROWS] = {0};
    for (int k = 0; k < p->t->n_phases; k++) {
        const Phase *f = &p->t->phase[k];
        const char *name = phase_name(p, f);
        double x = x_of(p, f->at), y = p->top - 6;
        buffer_print(&p->out, "<path class=\"line\" stroke-dasharray=\"4 3\" d=\"M%.1f %.1fV%.1f\"/>\n", x,
                     p->top - PHASE_ROWS * PHASE_HEIGHT, p->bottom);
        for (int row = 0; row < PHASE_ROWS; row++, y -= PHASE_HEIGHT)
            if (x >= free_at[row]) {
                put_text(p, x + 3, y, "start", name);
                free_at[row] = x + LETTER * (double)strlen(name) + 12;
                break;
            }
    }
    buffer_print(&p->out, "<path class=\"line\" d=\"M%.1f %.1fV%.1f\"/>\n", x_of(p, p->t->cycles), p->top, p->bottom);
}

/* ---- legend: a strip of colours for each layer */
static const char *legend_text(const Picture *p, int layer, int bands)
{
    int rows = timeline_band_rows(p->d, layer);
    if (bands == 1)
        return str_format(p->out.arena, "layer %d: %d rows", layer, rows);
    return str_format(p->out.arena, "layer %d: %s 0 to %d, %d rows in each", layer,
                      p->d->ring > 0 ? "block rows" : "groups of rows", bands - 1, rows);
}

static void put_legend(Picture *p, double y)
{
    for (int l = 0; l < p->d->net->n; l++, y += LEGEND_HEIGHT) {
        int bands = timeline_bands(p->d, l);
        double each = MIN((double)SWATCHES / bands, 24);
        for (int band = 0; band < bands; band++) {
            buffer_print(&p->out, "<rect class=\"swatch\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"14\" ",
                         LEFT + band * each, y, each);
            put_colour(p, colour_of(band, bands));
            buffer_print(&p->out, "/>\n");
        }
        put_text(p, LEFT + bands * each + 8, y + 11, "start", legend_text(p, l, bands));
    }
    buffer_print(&p->out, "<rect class=\"idle\" stroke=\"#6e7781\" x=\"%d\" y=\"%.1f\" width=\"24\" height=\"14\"/>\n",
                 LEFT, y);
    put_text(p, LEFT + 32, y + 11, "start", "no word: the PE waits");
}

const char *schedule_svg(Arena *a, const Design *d, const Timeline *t)
{
    Picture p = {.d = d, .t = t};
    buffer_init(&p.out, a);
    p.per_cycle = (double)(WIDTH - LEFT - RIGHT) / t->cycles;
    p.per_pe = MIN(MAX((double)ROWS_HEIGHT / d->pes, ROW_LEAST), ROW_MOST);
    p.top = HEAD + PHASE_ROWS * PHASE_HEIGHT;
    p.bottom = p.top + p.per_pe * d->pes;
    put_head(&p, p.bottom + FOOT + LEGEND_HEIGHT * (d->net->n + 1) + 8);
    put_axes(&p);
    put_cells(&p);
    put_phases(&p);
    put_legend(&p, p.bottom + FOOT + 8);
    buffer_print(&p.out, "</svg>\n");
    return p.out.text;
}
