/* print.c: `lstmgen cells`: every cell in a screen, all of it from the table; passes of a layer in words. */
#include "lstmgen.h"

#include <string.h>

/* A cell as the table has it, or as a layer does. */
typedef struct View { const Cell *cell; const Curve *curve; const char *peephole; } View;

/* "W x + R h + b", what the rows of a pass are the sum of. */
static const char *row_text(Arena *a, const View *v, const Pass *p)
{
    const char *R = p->terms & TERM_H ? "R h" : p->terms & TERM_M ? "R m" : "", *W = p->terms & TERM_X ? "W x" : "";
    const char *text = str_format(a, "%s%s%s + b", W, *W && *R ? " + " : "", R);
    return strchr("ifo", p->gate) ? str_format(a, "%s%s", text, v->peephole) : text;
}

static const char *activation_text(Arena *a, const View *v, const Pass *p, const char *of)
{
    return p->activation == 0 ? of : str_format(a, "%s(%s)", curve_name(v->curve[p->activation - 1]), of);
}

static const char *operand_text(Arena *a, const View *v, const Pass *p)
{
    switch (p->operand) {
    case OPERAND_NOTHING: return "";
    case OPERAND_HELD: return " * held";
    case OPERAND_REST: return " * (1 - held)";
    case OPERAND_STATE: return " * state";
    case OPERAND_BOUNDED: return str_format(a, " * %s(state)", curve_name(v->curve[2]));
    }
    FAULT("operand %d", p->operand);
}

static const char *effects_text(Arena *a, const Pass *p)
{
    static const struct { unsigned bit; const char *text; } table[] = {
        {EFFECT_HOLD, "held = a"}, {EFFECT_KEEP, "kept = p"}, {EFFECT_SUM, "state = p + kept"}, {EFFECT_LATE, "late = p"},
        {EFFECT_OUT, "h = p"}, {EFFECT_OUT_A, "h = a"}, {EFFECT_OUT_STATE, "h = state"}, {EFFECT_INNER, "m = p"},
    };
    const char *text = "";
    for (int k = 0; k < LENGTH(table); k++)
        if (p->effects & table[k].bit)
            text = str_format(a, "%s%s%s", text, *text ? ", " : "", table[k].text);
    return text;
}

/* What is written in the three columns of a pass: a, p (or nothing), effects. */
static void pass_columns(Arena *a, const View *v, const Pass *p, const char *column[3])
{
    const char *row = row_text(a, v, p), *late = p->effects & EFFECT_PLUS ? " + late" : "";
    const char *times = operand_text(a, v, p);
    column[0] = str_format(a, "a = %s", activation_text(a, v, p, str_format(a, "%s%s", row, late)));
    column[1] = *times ? str_format(a, "p = a%s", times) : "";
    column[2] = effects_text(a, p);
}

const char *layer_pass_text(Arena *a, const Layer *l, const Pass *p)
{
    View v = {l->cell, l->activation, l->peephole ? " + P c" : ""};
    const char *column[3];
    if (p->gate == 'p')
        return "p: h = P m + b";
    pass_columns(a, &v, p, column);
    return str_format(a, "%c: %s%s%s; %s", p->gate, column[0], *column[1] ? "; " : "", column[1], column[2]);
}

static void print_pass(FILE *to, Arena *a, const View *v, const Pass *p)
{
    const char *column[3];
    pass_columns(a, v, p, column);
    fprintf(to, "      %c   %-44s %-22s %s\n", p->gate, column[0], column[1], column[2]);
}

/* Letters of frameworks for a gate: "n (or c, h)". */
static const char *gates_text(Arena *a, const Cell *c)
{
    const char *text = "";
    for (const char *p = c->W; *p; p++) {
        bool other = false;
        text = str_format(a, "%s%s%c", text, p > c->W ? " " : "", *p);
        for (char letter = 'a'; letter <= 'z'; letter++)
            if (letter != *p && cell_gate(c, letter) == (int)(p - c->W)) {
                text = str_format(a, "%s%s%c", text, other ? ", " : " (or ", letter);
                other = true;
            }
        text = other ? str_format(a, "%s)", text) : text;
    }
    return text;
}

/* What a spec says to get this row of the table. */
static const char *spec_text(const Cell *c)
{
    static const struct { const char *key, *text; } table[] = {
        {"lstm_coupled", "cell: lstm, coupled: true"}, {"gru_before", "cell: gru, reset: before"},
        {"gru_after", "cell: gru, reset: after"},
    };
    for (int k = 0; k < LENGTH(table); k++)
        if (strcmp(c->key, table[k].key) == 0)
            return table[k].text;
    return NULL;
}

/* Which memories and multipliers a lane of the cell unit has for it. */
static void print_lane(FILE *to, const Cell *c)
{
    static const struct { unsigned bit; const char *text; } memory[] = {
        {EFFECT_HOLD, "held"}, {EFFECT_KEEP, "kept"}, {EFFECT_SUM, "state"}, {EFFECT_LATE, "late"}};
    unsigned all = 0;
    bool times = false, bounded = false;
    for (int k = 0; k < c->n; k++) {
        all |= c->pass[k].effects;
        times = times || c->pass[k].operand != OPERAND_NOTHING;
        bounded = bounded || c->pass[k].operand == OPERAND_BOUNDED;
    }
    fprintf(to, "  lane          %d row%s a neuron;%s", c->n, c->n > 1 ? "s" : "", all & (EFFECT_HOLD | EFFECT_KEEP |
            EFFECT_SUM | EFFECT_LATE) ? " memories" : " no memory");
    for (int k = 0; k < LENGTH(memory); k++)
        if (all & memory[k].bit)
            fprintf(to, " %s", memory[k].text);
    fprintf(to, "%s; %s%s\n", bounded ? " bounded" : "", times ? "one wide product" : "no product",
            bounded ? ", a curve of the state" : "");
}

static void print_cell(FILE *to, Arena *a, const Cell *c)
{
    int W = (int)strlen(c->W), R = (int)strlen(c->R);
    const char *spec = spec_text(c);
    Curve usual[ACTIVATIONS_MAX];
    View v = {c, usual, cell_has_key(c, "peephole") ? " [+ P c]" : ""};
    cell_activations(c, usual);
    fprintf(to, "%s  %s\n", spec ? spec : str_format(a, "cell: %s", c->key), c->summary);
    fprintf(to, "  gates         %s, rows in this order unless `gates` says else\n", gates_text(a, c));
    fprintf(to, "  activations   %s\n", c->activations);
    fprintf(to, "  passes        of a row through a lane of the cell unit, each neuron in this order\n");
    for (int k = 0; k < c->n; k++)
        print_pass(to, a, &v, &c->pass[k]);
    fprintf(to, "  weights       %s, so many products a step where nothing is pruned\n",
            R ? str_format(a, "%d H (I + H)", W) : "outputs * I");
    print_lane(to, c);
    fprintf(to, "  keys          W b transpose sparsity %s\n\n", c->keys);
}

void cells_print(FILE *to)
{
    Arena *a = arena_new();
    int n;
    const Cell *table = cell_table(&n);
    fputs("A layer of a spec has a cell; H: hidden neurons, I: inputs. A row is the sum of the engine for one gate of one\n"
          "neuron; it goes through a lane of the cell unit once, and each pass says what happens to it there. A step takes\n"
          "the engine its products / multipliers (see `lstmgen check`); lanes are as many as keep up with it.\n\n", to);
    for (int k = 0; k < n; k++)
        print_cell(to, a, &table[k]);
    arena_free(a);
}
