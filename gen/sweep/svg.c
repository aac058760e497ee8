/* svg.c: front.svg, the front alone, for papers: the first two columns on logarithmic axes. */
#include <math.h>
#include <string.h>

#include "sweep/sweep.h"

enum { WIDTH = 640, HEIGHT = 440, LEFT = 76, RIGHT = 20, TOP = 20, BOTTOM = 56, COLOURS = 6 };

/* Okabe and Ito's colours: told apart by everyone, and in grey. */
static const char *const COLOUR[COLOURS] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9" };

typedef struct Scale { double low, high; bool log; } Scale;

static Scale scale_of(const Sweep *s, const Table *t, int column)
{
    Scale z = { INFINITY, -INFINITY, true };
    for (int i = 0; i < t->n; i++) {
        double v = t->cost[i * s->n_front + column];
        if (!isfinite(v))
            continue;
        z.low = fmin(z.low, v);
        z.high = fmax(z.high, v);
    }
    if (z.low > z.high)
        z.low = z.high = 1;
    z.log = z.low > 0;
    double room = z.log ? 1.15 : 0;
    z.low = z.log ? z.low / room : z.low - 0.05 * (z.high - z.low) - 1e-9;
    z.high = z.log ? z.high * room : z.high + 0.05 * (z.high - z.low) + 1e-9;
    return z;
}

static double along(Scale z, double v)
{
    return z.log ? log(v / z.low) / log(z.high / z.low) : (v - z.low) / (z.high - z.low);
}

static double x_of(Scale z, double v)
{
    return LEFT + along(z, v) * (WIDTH - LEFT - RIGHT);
}

static double y_of(Scale z, double v)
{
    return HEIGHT - BOTTOM - along(z, v) * (HEIGHT - TOP - BOTTOM);
}

/* 1, 2, 5 times powers of ten on a logarithmic axis, about five even steps on another. */
static int ticks_of(Scale z, double out[32])
{
    static const double MANTISSA[] = { 1, 2, 5 };
    int n = 0;
    double step = pow(10, floor(log10((z.high - z.low) / 2)));
    if (!z.log) {
        for (double v = ceil(z.low / step) * step; v <= z.high && n < 32; v += step)
            out[n++] = v;
        return n;
    }
    bool wide = z.high / z.low > 1000;
    for (double e = floor(log10(z.low)); e <= log10(z.high) && n < 30; e++)
        for (int k = 0; k < (wide ? 1 : 3); k++) {
            double v = MANTISSA[k] * pow(10, e);
            if (v >= z.low && v <= z.high && n < 32)
                out[n++] = v;
        }
    return n;
}

static void draw_text(Buffer *b, double x, double y, const char *style, const char *text)
{
    buffer_print(b, "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, style, text_xml(b->arena, text));
}

static void draw_axes(Buffer *b, const Sweep *s, Scale x, Scale y)
{
    double tick[32];
    int n = ticks_of(x, tick);
    for (int i = 0; i < n; i++) {
        double at = x_of(x, tick[i]);
        buffer_print(b, "<path d=\"M%.1f %dV%d\" stroke=\"#ddd\"/>\n", at, TOP, HEIGHT - BOTTOM);
        draw_text(b, at, HEIGHT - BOTTOM + 16, "text-anchor=\"middle\"", str_format(b->arena, "%g", tick[i]));
    }
    n = ticks_of(y, tick);
    for (int i = 0; i < n; i++) {
        double at = y_of(y, tick[i]);
        buffer_print(b, "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/>\n", LEFT, at, WIDTH - RIGHT);
        draw_text(b, LEFT - 6, at + 4, "text-anchor=\"end\"", str_format(b->arena, "%g", tick[i]));
    }
    buffer_print(b, "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#000\"/>\n", LEFT, TOP, HEIGHT - BOTTOM,
                 WIDTH - RIGHT);
    draw_text(b, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 14, "text-anchor=\"middle\"", s->front[0].text);
    draw_text(b, 0, 0, str_format(b->arena, "text-anchor=\"middle\" transform=\"translate(16 %d) rotate(-90)\"",
              (TOP + HEIGHT - BOTTOM) / 2), s->front[1].text);
}

static int colour_of(Buffer *b, const char **names, int *n, const char *name)
{
    for (int i = 0; i < *n; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    if (*n == COLOURS)
        return COLOURS - 1;
    names[*n] = name;
    double y = TOP + 14 + 16 * *n;
    buffer_print(b, "<circle cx=\"%d\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", WIDTH - RIGHT - 130, y - 4, COLOUR[*n]);
    draw_text(b, WIDTH - RIGHT - 120, y, "", name);
    return (*n)++;
}

/* Points of the front are large, the others small and pale behind them. */
static void draw_points(Buffer *b, const Sweep *s, const Table *t, Scale x, Scale y, bool front)
{
    const char *names[COLOURS];
    int n = 0;
    for (int i = 0; i < t->n; i++) {
        const double *v = &t->cost[i * s->n_front];
        if (t->on[i] != front || !isfinite(v[0]) || !isfinite(v[1]))
            continue;
        const char *colour = front ? COLOUR[colour_of(b, names, &n, t->pattern[i])] : "#ccc";
        buffer_print(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" fill=\"%s\"><title>point %d</title></circle>\n",
                     x_of(x, v[0]), y_of(y, v[1]), front ? "4" : "1.5", colour, t->point[i] + 1);
    }
}

bool front_write(const Sweep *s, const Table *t)
{
    Arena *a = arena_new();
    Buffer b;
    buffer_init(&b, a);
    if (s->n_front < 2) {
        arena_free(a);
        return true;
    }
    Scale x = scale_of(s, t, 0), y = scale_of(s, t, 1);
    buffer_print(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
                 "font-family=\"sans-serif\" font-size=\"12\">\n<title>%s: Pareto front</title>\n"
                 "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", WIDTH, HEIGHT, WIDTH, HEIGHT, text_xml(a, s->name));
    draw_axes(&b, s, x, y);
    draw_points(&b, s, t, x, y, false);
    draw_points(&b, s, t, x, y, true);
    buffer_print(&b, "</svg>\n");
    bool ok = write_whole(s->diag, path_join(a, s->out, "front.svg"), b.text, b.length);
    arena_free(a);
    return ok;
}
