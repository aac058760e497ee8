/* container_head.c: the linear layer behind the last LSTM of a container without a graph. */
#include "model/survey.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *W, *b;
} PAIRS[] = {
    { "weights", "biases" }, { "weight", "bias" }, { "kernel", "bias" }, { "MatMul", "BiasAdd" },
    { "w", "b" },            { "W", "b" },         { "w", "bias" },      { "W", "bias" },
    { "vars/0", "vars/1" },
};

/* What people call the last layer of a network. */
static const char *const LAST[] = { "dense", "out",  "output", "head",   "classifier", "logits", "lin",  "linear",
                                    "fc",    "proj", "final",  "decoder", "readout",    "pred",   "last", "predict" };

typedef struct Candidate {
    Item *W, *b;
    const char *token;                  /* of W's name, NULL: none */
    bool turned, as_layers;             /* as_layers: stored the way round the LSTM is */
    int64_t outputs;
    const char *question;
} Candidate;

/* ---- names ---- */

static void name_parts(const Survey *v, Candidate *c)
{
    for (int k = 0; k < LENGTH(PAIRS); k++) {
        if (!name_token(c->W->name, PAIRS[k].W))
            continue;
        Item *b = survey_item(v, name_renamed(v->arena, c->W->name, PAIRS[k].W, PAIRS[k].b));
        if (!c->token)
            c->token = PAIRS[k].W;
        if (b && item_vector(b) == c->outputs) {
            c->token = PAIRS[k].W;
            c->b = b;
            return;
        }
    }
}

/* The part of the name before the token, without what separates them: "net/dense_2", "decoder.2". */
static const char *module_of(const Survey *v, const Candidate *c)
{
    const char *p = c->token ? name_token(c->W->name, c->token) : c->W->name;
    while (p > c->W->name && strchr("./_:", p[-1]))
        p--;
    return str_ndup(v->arena, c->W->name, (size_t)(p - c->W->name));
}

/* Is it named as people name the last layer? Numbers at its end do not count. */
static bool named_last(const Survey *v, const Candidate *c)
{
    char *module = (char *)module_of(v, c), *word = module;
    size_t n = strlen(module);
    while (n > 0 && (isdigit((unsigned char)module[n - 1]) || strchr("./_", module[n - 1])))
        module[--n] = '\0';
    for (char *p = module; *p; p++)
        if (strchr("./", *p))
            word = p + 1;
    for (int i = 0; i < LENGTH(LAST); i++)
        if (strcmp(word, LAST[i]) == 0)
            return true;
    return false;
}

/* "decoder.2" of a Sequential without anything at 1: a module without weights lies there, an activation most likely. */
static bool after_unknown(const Survey *v, const Candidate *c)
{
    const char *module = module_of(v, c);
    size_t n = strlen(module), digits = 0;
    while (digits < n && isdigit((unsigned char)module[n - digits - 1]))
        digits++;
    bool number = digits > 0 && digits < 6 && (digits == n || strchr("./", module[n - digits - 1]));
    int index = 0;
    for (size_t k = n - digits; number && k < n; k++)
        index = 10 * index + (module[k] - '0');
    if (!number || index == 0)
        return false;
    const char *before = str_format(v->arena, "%.*s%d", (int)(n - digits), module, index - 1);
    for (int i = 0; i < v->model->n; i++)
        if (str_starts(v->item[i].name, before) && strchr("./", v->item[i].name[strlen(before)]))
            return false;
    return true;
}

/* ---- candidates ---- */

static bool make_candidate(const Survey *v, Item *W, bool turned, Candidate *c)
{
    const Found *last = &v->layer[v->n - 1];
    if (W->directions && W->columns == 1 && W->rows == last->hidden) { /* no direction: (1, H, 1) is a convolution */
        W->columns = W->rows;
        W->rows = 1;
        W->squeezed = true;
        W->directions = false;
    }
    if (!item_usable(W) || W->rank != 2 || W->directions || strstr(W->name, "emb")
        || (turned ? W->rows : W->columns) != last->hidden)
        return false;
    *c = (Candidate){ .W = W, .turned = turned, .as_layers = turned == last->spec.transpose };
    c->outputs = turned ? W->columns : W->rows;
    name_parts(v, c);
    return true;
}

/* A bias of its name, or a name that says what it is, the way round the LSTM is. */
static bool is_named(const Survey *v, const Candidate *c)
{
    return c->as_layers && c->token && (c->b || named_last(v, c)) && !c->W->squeezed;
}

/* Another linear layer that takes what this one gives. */
static const Item *goes_on(const Survey *v, const Candidate *c)
{
    for (int i = 0; i < v->model->n; i++) {
        Item *W = &v->item[i];
        Candidate next = { .W = W, .outputs = c->turned ? W->columns : W->rows };
        if (W == c->W || !item_usable(W) || W->rank != 2 || (c->turned ? W->rows : W->columns) != c->outputs)
            continue;
        name_parts(v, &next);
        if (next.token && (next.b || named_last(v, &next)))
            return W;
    }
    return NULL;
}

static const char *question_of(const Survey *v, const Candidate *c, int named)
{
    const char *name = c->W->name, *R = recurrent_name(&v->layer[v->n - 1]);
    const Item *next = goes_on(v, c);
    if (v->layer[v->n - 1].question)
        return v->layer[v->n - 1].question;
    if (after_unknown(v, c))
        return str_format(v->arena, "what lies between '%s' and '%s'? By its number something without weights does (an "
                                    "activation?)", R, name);
    if (!is_named(v, c))
        return str_format(v->arena, "is '%s' %s the layer behind the LSTM, with nothing (an activation, a norm) in "
                                    "between? Only its shape says so", name, c->W->shape);
    if (named > 1)
        return str_format(v->arena, "is '%s' the layer behind '%s'? %d have the shape for it", name, R, named);
    if (next)
        return str_format(v->arena, "what lies between '%s' and '%s'? An activation of this layer is not in the file",
                          name, next->name);
    if (c->outputs == v->layer[0].inputs && !named_last(v, c))
        return str_format(v->arena, "does '%s' lie behind the LSTM or before it? Its shape allows both", name);
    return NULL;
}

static void add_head(Survey *v, const Candidate *c, const char *R)
{
    Found *f = &v->layer[v->n++];
    *f = (Found){ .inputs = c->turned ? c->W->rows : c->W->columns, .hidden = c->outputs, .question = c->question };
    f->key = c->W->name;
    f->spec = (LayerSpec){ .cell = "linear", .W = c->W->name, .transpose = c->turned };
    c->W->used = true;
    if (c->b) {
        f->spec.b[f->spec.n_b++] = c->b->name;
        c->b->used = true;
    }
    if (!c->question)
        diag_warn(v->diag, (Place){ 0 },
                  "%s: the file does not say what lies between '%s' and '%s', nor which activation follows: none is "
                  "assumed; verify.expect shows whether that is your network",
                  v->path, R, c->W->name);
}

void container_head(Survey *v)
{
    Candidate *c = ARENA_ARRAY(v->arena, Candidate, v->model->n + 1);
    bool turned = v->layer[v->n - 1].spec.transpose;
    int n = 0, named = 0, lstm = v->n - 1;
    for (int i = 0; i < v->model->n; i++)
        if (make_candidate(v, &v->item[i], turned, &c[n]) || make_candidate(v, &v->item[i], !turned, &c[n]))
            named += is_named(v, &c[n++]);
    for (int i = 0; i < n; i++)
        c[i].question = question_of(v, &c[i], named);
    for (int i = 0; i < n && v->n < LAYERS_MAX; i++)
        if (named == 0 || is_named(v, &c[i]))
            add_head(v, &c[i], recurrent_name(&v->layer[lstm]));
}
