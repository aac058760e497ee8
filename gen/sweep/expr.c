/* expr.c: small conditions: names, numbers, text, + - * /, comparisons, not, and, or, parentheses.
 *
 *   or    = and { "or" and }         and  = not { "and" not }        not = "not" not | compare
 *   compare = sum [ < <= > >= == = != sum ]       sum = term { +- term }    term = unit { * / unit }
 *   unit  = number | 'text' | name | ( or ) | - unit
 */
#include "sweep/sweep.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef enum {
    OP_CONSTANT, OP_NAME, OP_NEGATE, OP_NOT, OP_AND, OP_OR, OP_ADD, OP_SUBTRACT, OP_MULTIPLY,
    OP_DIVIDE, OP_LESS, OP_LESS_EQUAL, OP_MORE, OP_MORE_EQUAL, OP_EQUAL, OP_UNEQUAL
} ExprOp;

struct Expr {
    ExprOp op;
    const Expr *a, *b;
    Value value;                        /* constant */
    const char *name;
    const char *at;                     /* a name's place in the text */
};

enum { DEPTH_MAX = 100 };

typedef struct ExprParser {
    Arena *arena;
    Diag *diag;
    Place at;
    const Names *names;
    const char *text, *p;
    int depth;
    bool failed;
} ExprParser;

/* ---- errors ---- */

static Expr *fail(ExprParser *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static Expr *fail(ExprParser *x, const char *fmt, ...)
{
    char what[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    if (!x->failed)
        diag_error(x->diag, x->at, "in '%s', at character %d: %s", x->text,
                   (int)(x->p - x->text) + 1, what);
    x->failed = true;
    return NULL;
}

static Expr *node(ExprParser *x, ExprOp op, const Expr *a, const Expr *b)
{
    Expr *e = ARENA_NEW(x->arena, Expr);
    *e = (Expr){ .op = op, .a = a, .b = b };
    return e;
}

static void skip_space(ExprParser *x)
{
    while (isspace((unsigned char)*x->p))
        x->p++;
}

/* ---- words ---- */

static size_t name_length(const char *p)
{
    size_t n = 0;
    if (!isalpha((unsigned char)p[0]) && p[0] != '_')
        return 0;
    while (isalnum((unsigned char)p[n]) || p[n] == '_' || (p[n] == '.' && p[n + 1] != '.'))
        n++;
    return n;
}

static bool take_word(ExprParser *x, const char *word)
{
    skip_space(x);
    if (name_length(x->p) != strlen(word) || strncmp(x->p, word, strlen(word)) != 0)
        return false;
    x->p += strlen(word);
    return true;
}

static bool take_sign(ExprParser *x, const char *sign)
{
    skip_space(x);
    if (!str_starts(x->p, sign))
        return false;
    x->p += strlen(sign);
    return true;
}

static Expr *constant(ExprParser *x, Value v)
{
    Expr *e = node(x, OP_CONSTANT, NULL, NULL);
    e->value = v;
    return e;
}

static Expr *parse_text(ExprParser *x, char quote)
{
    const char *end = strchr(x->p + 1, quote);
    if (!end)
        return fail(x, "the closing %c is missing", quote);
    Value v = { .kind = VALUE_TEXT, .text = str_ndup(x->arena, x->p + 1, (size_t)(end - x->p - 1)) };
    x->p = end + 1;
    return constant(x, v);
}

static Expr *parse_number(ExprParser *x)
{
    char *end;
    Value v = { .kind = VALUE_NUMBER, .number = strtod(x->p, &end) };
    if (end == x->p || isalpha((unsigned char)*end))
        return fail(x, "this is no number; text is written in quotes: 'LFE5U-85F'");
    x->p = end;
    return constant(x, v);
}

/* Known names now; the others when it is clear whether they may be text (see settle). */
static Expr *parse_name(ExprParser *x, size_t n)
{
    const char *name = str_ndup(x->arena, x->p, n);
    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0) {
        x->p += n;
        return constant(x, (Value){ .kind = VALUE_BOOL, .number = name[0] == 't' });
    }
    Expr *e = node(x, OP_NAME, NULL, NULL);
    const char *full = x->names->known(x->names, x->arena, name);
    *e = (Expr){ .op = OP_NAME, .name = full, .at = x->p, .value = { .kind = VALUE_TEXT, .text = name } };
    x->p += n;
    return e;
}

static Expr *parse_or(ExprParser *x);
static Expr *settle(ExprParser *x, Expr *e, bool text_allowed);

static Expr *parse_unit(ExprParser *x)
{
    skip_space(x);
    size_t n = name_length(x->p);
    if (x->depth++ > DEPTH_MAX)
        return fail(x, "nested too deeply");
    Expr *e;
    if (take_sign(x, "(")) {
        e = parse_or(x);
        if (e && !take_sign(x, ")"))
            e = fail(x, "a ) is missing");
    } else if (*x->p == '-') {
        x->p++;
        e = settle(x, parse_unit(x), false);
        e = e ? node(x, OP_NEGATE, e, NULL) : NULL;
    } else if (*x->p == '\'' || *x->p == '"')
        e = parse_text(x, *x->p);
    else if (isdigit((unsigned char)*x->p) || *x->p == '.')
        e = parse_number(x);
    else if (n > 0)
        e = parse_name(x, n);
    else
        e = fail(x, *x->p ? "a name, a number or a text was expected" : "it ends too early");
    x->depth--;
    return e;
}

/* A name that is not known: an error, unless text is allowed there. */
static Expr *settle(ExprParser *x, Expr *e, bool text_allowed)
{
    if (!e || e->op != OP_NAME || e->name)
        return e;
    const char *near = str_nearest(e->value.text, x->names->all, x->names->n_all);
    if (text_allowed && !strchr(e->value.text, '.'))
        return constant(x, e->value);
    x->p = e->at;
    return near ? fail(x, "'%s' is not known: did you mean %s?", e->value.text, near)
                : fail(x, "'%s' is not known; text is written in quotes", e->value.text);
}

typedef struct Sign { const char *text; ExprOp op; } Sign;

static Expr *parse_chain(ExprParser *x, Expr *(*part)(ExprParser *), const Sign *signs, int n)
{
    Expr *e = part(x);
    for (int i = 0; e && i < n;) {
        if (!take_sign(x, signs[i].text)) {
            i++;
            continue;
        }
        e = settle(x, e, false);
        Expr *b = e ? settle(x, part(x), false) : NULL;
        e = b ? node(x, signs[i].op, e, b) : NULL;
        i = 0;
    }
    return e;
}

static Expr *parse_term(ExprParser *x)
{
    static const Sign signs[] = { { "*", OP_MULTIPLY }, { "/", OP_DIVIDE } };
    return parse_chain(x, parse_unit, signs, LENGTH(signs));
}

static Expr *parse_sum(ExprParser *x)
{
    static const Sign signs[] = { { "+", OP_ADD }, { "-", OP_SUBTRACT } };
    return parse_chain(x, parse_term, signs, LENGTH(signs));
}

static Expr *parse_compare(ExprParser *x)
{
    static const Sign signs[] = {
        { "<=", OP_LESS_EQUAL }, { ">=", OP_MORE_EQUAL }, { "<", OP_LESS },   { ">", OP_MORE },
        { "==", OP_EQUAL },      { "!=", OP_UNEQUAL },    { "=", OP_EQUAL },
    };
    Expr *a = parse_sum(x);
    for (int i = 0; a && i < LENGTH(signs); i++) {
        if (!take_sign(x, signs[i].text))
            continue;
        bool equality = signs[i].op == OP_EQUAL || signs[i].op == OP_UNEQUAL;
        Expr *b = parse_sum(x);
        bool both = b && a->op == OP_NAME && !a->name && b->op == OP_NAME && !b->name;
        a = b ? settle(x, a, equality && !both) : NULL;
        b = a ? settle(x, b, equality) : NULL;
        return b ? node(x, signs[i].op, a, b) : NULL;
    }
    return settle(x, a, false);
}

static Expr *parse_not(ExprParser *x)
{
    if (!take_word(x, "not"))
        return parse_compare(x);
    if (x->depth++ > DEPTH_MAX)
        return fail(x, "nested too deeply");
    Expr *e = parse_not(x);
    x->depth--;
    return e ? node(x, OP_NOT, e, NULL) : NULL;
}

static Expr *parse_and(ExprParser *x)
{
    Expr *e = parse_not(x);
    while (e && take_word(x, "and")) {
        Expr *b = parse_not(x);
        e = b ? node(x, OP_AND, e, b) : NULL;
    }
    return e;
}

static Expr *parse_or(ExprParser *x)
{
    Expr *e = parse_and(x);
    while (e && take_word(x, "or")) {
        Expr *b = parse_and(x);
        e = b ? node(x, OP_OR, e, b) : NULL;
    }
    return e;
}

Expr *expr_parse(Arena *a, Diag *d, Place at, const Names *names, const char *text)
{
    ExprParser x = { .arena = a, .diag = d, .at = at, .names = names, .text = text, .p = text };
    Expr *e = parse_or(&x);
    skip_space(&x);
    if (e && *x.p)
        return fail(&x, "'%.20s' is too much here", x.p);
    return e;
}

/* ---- values ---- */

Value value_of_text(const char *text, bool quoted)
{
    char *end;
    if (quoted)
        return (Value){ .kind = VALUE_TEXT, .text = text };
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return (Value){ .kind = VALUE_BOOL, .number = text[0] == 't', .text = text };
    double v = strtod(text, &end);
    bool number = end != text && *end == '\0' && (isdigit((unsigned char)text[0]) || strchr("+-.", text[0]));
    return (Value){ number ? VALUE_NUMBER : VALUE_TEXT, number ? v : 0, text };
}

bool value_true(Value v)
{
    return (v.kind == VALUE_NUMBER || v.kind == VALUE_BOOL) && v.number != 0;
}

typedef struct Evaluation {
    Value (*look)(void *context, const char *name);
    void *context;
    const char **fault;
} Evaluation;

static Value value_bool(bool v)
{
    return (Value){ .kind = VALUE_BOOL, .number = v };
}

/* What is not known (a column that this point does not have) meets no condition. */
static Value compare(const Evaluation *v, ExprOp op, Value a, Value b)
{
    if (a.kind == VALUE_NONE || b.kind == VALUE_NONE)
        return value_bool(false);
    bool text = a.kind == VALUE_TEXT && b.kind == VALUE_TEXT;
    bool mixed = (a.kind == VALUE_TEXT) != (b.kind == VALUE_TEXT);
    if (op == OP_EQUAL || op == OP_UNEQUAL) {
        bool same = !mixed && (text ? strcmp(a.text, b.text) == 0 : a.number == b.number);
        return value_bool(same == (op == OP_EQUAL));
    }
    if (text || mixed) {
        *v->fault = text ? a.text : a.kind == VALUE_TEXT ? a.text : b.text;
        return value_bool(false);
    }
    return value_bool(op == OP_LESS         ? a.number < b.number
                      : op == OP_LESS_EQUAL ? a.number <= b.number
                      : op == OP_MORE       ? a.number > b.number
                                            : a.number >= b.number);
}

static Value calculate(const Evaluation *v, ExprOp op, Value a, Value b)
{
    if (a.kind == VALUE_NONE || b.kind == VALUE_NONE)
        return (Value){ 0 };
    if (a.kind == VALUE_TEXT || b.kind == VALUE_TEXT) {
        *v->fault = a.kind == VALUE_TEXT ? a.text : b.text;
        return (Value){ 0 };
    }
    double x = a.number, y = b.number;
    if (op == OP_DIVIDE && y == 0)
        return (Value){ 0 };
    return (Value){ .kind = VALUE_NUMBER,
                    .number = op == OP_ADD        ? x + y
                              : op == OP_SUBTRACT ? x - y
                              : op == OP_MULTIPLY ? x * y
                                                  : x / y };
}

static Value evaluate_expr(const Evaluation *v, const Expr *e)
{
    switch (e->op) {
    case OP_CONSTANT:
        return e->value;
    case OP_NAME:
        return v->look(v->context, e->name);
    case OP_NEGATE:
        return calculate(v, OP_SUBTRACT, (Value){ .kind = VALUE_NUMBER }, evaluate_expr(v, e->a));
    case OP_NOT:
        return value_bool(!value_true(evaluate_expr(v, e->a)));
    case OP_AND:
        return value_bool(value_true(evaluate_expr(v, e->a)) && value_true(evaluate_expr(v, e->b)));
    case OP_OR:
        return value_bool(value_true(evaluate_expr(v, e->a)) || value_true(evaluate_expr(v, e->b)));
    case OP_ADD: case OP_SUBTRACT: case OP_MULTIPLY: case OP_DIVIDE:
        return calculate(v, e->op, evaluate_expr(v, e->a), evaluate_expr(v, e->b));
    default:
        return compare(v, e->op, evaluate_expr(v, e->a), evaluate_expr(v, e->b));
    }
}

Value expr_value(const Expr *e, Value (*look)(void *context, const char *name), void *context,
                 const char **fault)
{
    const char *ignored = NULL;
    Evaluation v = { look, context, fault ? fault : &ignored };
    return evaluate_expr(&v, e);
}
