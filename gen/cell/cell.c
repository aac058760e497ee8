/* cell.c: the table of cells, and which passes a core's cell unit has. */
#include "cell/cell.h"

#include <string.h>

#include "lstmgen.h"

static const struct { const char *name; bool direct; TableKind table; bool sigmoid; } curves[CURVE_COUNT] = {
#define CURVE(text, name, direct, table, sigmoid) [CURVE_##name] = {text, direct, TABLE_##table, sigmoid},
    CURVES
#undef CURVE
};

const char *curve_name(Curve c)
{
    return curves[c].name;
}

bool curve_find(const char *name, Curve *out)
{
    for (int k = 0; k < CURVE_COUNT; k++)
        if (strcmp(curves[k].name, name) == 0) {
            *out = (Curve)k;
            return true;
        }
    return false;
}

bool curve_is_direct(Curve c)
{
    return curves[c].direct;
}

TableKind curve_table(Curve c)
{
    return curves[c].table;
}

bool curve_is_sigmoid(Curve c)
{
    return curves[c].sigmoid;
}

/* ---- the table; the short names of cells.def are its own */
enum { X = TERM_X, H = TERM_H, M = TERM_M };
enum { ACT_NONE, ACT_1, ACT_2, ACT_3 };
enum { NOTHING = OPERAND_NOTHING, HELD = OPERAND_HELD, REST = OPERAND_REST, STATE = OPERAND_STATE,
       BOUNDED = OPERAND_BOUNDED };
enum { HOLD = EFFECT_HOLD, KEEP = EFFECT_KEEP, SUM = EFFECT_SUM, LATE = EFFECT_LATE, PLUS = EFFECT_PLUS,
       OUT = EFFECT_OUT, OUT_A = EFFECT_OUT_A, OUT_STATE = EFFECT_OUT_STATE, INNER = EFFECT_INNER };

static const Cell cells[] = {
#define PASS(letter, sum, number, times, what) \
    {.gate = letter, .terms = sum, .activation = number, .operand = (Operand)(times), .effects = what},
#define CELL(k, w, r, letters, curves, names, text, passes) \
    {.key = k, .W = w, .R = r, .aliases = letters, .activations = curves, .keys = names, .summary = text, \
     .n = (int)(sizeof((const Pass[]){passes}) / sizeof(Pass)), .pass = {passes}},
#include "cell/cells.def"
#undef CELL
#undef PASS
};

const Cell *cell_table(int *n)
{
    *n = LENGTH(cells);
    return cells;
}

const Cell *cell_find(const char *key)
{
    int n;
    const Cell *table = cell_table(&n);
    for (int k = 0; k < n; k++)
        if (strcmp(table[k].key, key) == 0)
            return &table[k];
    return NULL;
}

const char *cell_name(const Cell *c)
{
    static const char *const names[] = {"lstm", "gru"};
    for (int k = 0; k < LENGTH(names); k++)
        if (str_starts(c->key, names[k]))
            return names[k];
    return c->key;
}

/* Is `word` one of the words of a text? */
static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = text; (p = strstr(p, word)) != NULL; p += n)
        if ((p == text || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

bool cell_has_key(const Cell *c, const char *key)
{
    return has_word(c->keys, key);
}

bool cell_has_state(const Cell *c)
{
    bool state = false;
    for (int k = 0; k < c->n; k++)
        state = state || (c->pass[k].effects & SUM);
    return state;
}

int cell_gate(const Cell *c, char letter)
{
    for (const char *p = c->aliases; *p && letter != ' ' && letter != '='; p += strcspn(p, " "), p += *p == ' ') {
        size_t letters = strcspn(p, "=");
        if (memchr(p, letter, letters))
            letter = p[letters + 1];
    }
    const char *at = letter ? strchr(c->W, letter) : NULL;
    return at ? (int)(at - c->W) : -1;
}

int cell_activations(const Cell *c, Curve out[ACTIVATIONS_MAX])
{
    int n = 0;
    for (const char *p = c->activations; *p; n++) {
        char name[16];
        size_t length = strcspn(p, " ");
        REQUIRE(n < ACTIVATIONS_MAX && length < sizeof name);
        memcpy(name, p, length);
        name[length] = '\0';
        REQUIRE(curve_find(name, &out[n]));
        p += length + (p[length] == ' ');
    }
    return n;
}

int cell_curves(const Cell *c)
{
    Curve out[ACTIVATIONS_MAX];
    return cell_activations(c, out);
}

void cell_rows(const Cell *c, char *out)
{
    strcpy(out, c->W);
    for (const char *p = c->R; *p; p++)
        if (!strchr(c->W, *p))
            strncat(out, p, 1);
}

bool pass_has_result(const Pass *p)
{
    return p->effects & (OUT | OUT_A | OUT_STATE | INNER);
}

/* ---- passes of a core */
/* None and relu differ in a bit of the tile. */
static bool same_curve(Curve a, Curve b)
{
    bool plain = curve_is_direct(a) && curve_is_direct(b) && a != CURVE_LEAKY_RELU && b != CURVE_LEAKY_RELU;
    return a == b || plain;
}

static bool same_work(const Pass *a, const Pass *b)
{
    return a->keeps == b->keeps && same_curve(a->curve, b->curve) && a->operand == b->operand
           && a->effects == b->effects && a->adds_state == b->adds_state && a->adds_inner == b->adds_inner
           && a->peephole == b->peephole && a->fresh == b->fresh && a->clips == b->clips
           && a->clips_state == b->clips_state && a->bounds == b->bounds && a->bound == b->bound;
}

void passes_start(Passes *p)
{
    *p = (Passes){.n = 1, .pass = {{.keeps = true}}};
}

int passes_bits(const Passes *p)
{
    return p->n > 16 ? 5 : p->n > 8 ? 4 : 3;
}

static int number_of(const Passes *p, const Pass *pass)
{
    int k = 0;
    while (k < p->n && !same_work(&p->pass[k], pass))
        k++;
    return k;
}

int passes_add(Passes *p, const Pass *pass)
{
    int k = number_of(p, pass);
    if (k == p->n) {
        REQUIRE(p->n < CORE_PASSES_MAX);
        p->pass[p->n++] = *pass;
    }
    return k;
}

int passes_find(const Passes *p, const Pass *pass)
{
    int k = number_of(p, pass);
    REQUIRE(k < p->n);
    return k;
}

int passes_tables(const Passes *p, TableKind out[TABLE_KINDS])
{
    bool used[TABLE_KINDS] = {false};
    int n = 0;
    for (int k = 0; k < p->n; k++) {
        const Pass *pass = &p->pass[k];
        if (!pass->keeps && !curve_is_direct(pass->curve))
            used[curve_table(pass->curve)] = true;
        if (pass->bounds && !curve_is_direct(pass->bound))
            used[curve_table(pass->bound)] = true;
    }
    for (int kind = 0; kind < TABLE_KINDS; kind++)
        if (used[kind])
            out[n++] = (TableKind)kind;
    if (n == 0)
        out[n++] = TABLE_TANH;
    return n;
}

int passes_table_places(const Passes *p)
{
    TableKind table[TABLE_KINDS];
    int n = passes_tables(p, table);
    return n > 2 ? 4 : n;
}

/* Place of a curve's table among those of the core. */
static int table_number(const Passes *p, Curve c)
{
    TableKind table[TABLE_KINDS];
    int n = passes_tables(p, table);
    for (int k = 0; k < n; k++)
        if (!curve_is_direct(c) && table[k] == curve_table(c))
            return k;
    return 0;
}

void passes_masks(const Passes *passes, Mask out[MASKS])
{
    static const Mask table[] = {
#define MASK(name, has, meaning) {#name, meaning, 0},
#include "cell/masks.def"
#undef MASK
    };
    REQUIRE(LENGTH(table) == MASKS);
    memcpy(out, table, sizeof table);
    for (int k = 0; k < passes->n; k++) {
        const Pass *p = &passes->pass[k];
        int mask = 0;
#define MASK(name, has, meaning) out[mask++].bits |= (uint32_t)((has) ? 1 : 0) << k;
#include "cell/masks.def"
#undef MASK
    }
}
