/* check.c: rules that concern more than one key, and the rules of names. */
#include "spec/spec.h"

#include <ctype.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 64 };

static bool well_formed(const char *name)
{
    return name[0] >= 'a' && name[0] <= 'z' &&
           !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

static void check_name(const Spec *s, Diag *d)
{
    Place at = spec_at(s, "name");
    if (!well_formed(s->name))
        diag_error(d, at,
                   "name: '%.60s' does not fit [a-z][a-z0-9_]*: lower-case letters, digits and _, "
                   "a letter first",
                   s->name);
    else if (strlen(s->name) > NAME_MAX_LENGTH)
        diag_error(d, at, "name: %zu characters, at most %d are allowed", strlen(s->name),
                   NAME_MAX_LENGTH);
    else if (strcmp(s->name, "tb") == 0)
        diag_error(d, at, "name: 'tb': tb_top is the module of the testbench; take another name");
    else if (strcmp(s->name, "lg") == 0 || str_starts(s->name, "lg_"))
        diag_error(d, at, "name: '%s': the prefix lg_ belongs to the library's modules", s->name);
}

static void check_prefix(const Spec *s, Diag *d)
{
    enum { PREFIX_MAX_LENGTH = 32 };
    if (!s->prefix)
        return;
    if (!well_formed(s->prefix) || !str_ends(s->prefix, "_") || strlen(s->prefix) > PREFIX_MAX_LENGTH)
        diag_error(d, spec_at(s, "prefix"),
                   "prefix: '%.60s' does not fit [a-z][a-z0-9_]*_: lower-case letters, digits and _, a letter first "
                   "and a _ last, at most %d characters", s->prefix, PREFIX_MAX_LENGTH);
    else if (str_starts(s->prefix, "lg_"))
        diag_error(d, spec_at(s, "prefix"), "prefix: '%s': lg_ is what library modules begin with already", s->prefix);
}

/* No name given: the file's name without its ending, other characters as '_'. */
static const char *name_from_file(Arena *a, const char *file)
{
    const char *base = path_name(file), *dot = strrchr(base, '.');
    char *name = str_ndup(a, base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
    for (char *p = name; *p; p++)
        *p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '_';
    if (strlen(name) > NAME_MAX_LENGTH)
        name[NAME_MAX_LENGTH] = '\0';
    bool usable = well_formed(name) && strcmp(name, "lg") != 0 && strcmp(name, "tb") != 0 &&
                  !str_starts(name, "lg_");
    return usable ? name : "core";
}

/* The place of a key that the file itself gives; false when it only has its default. */
bool key_given(const Spec *s, const char *key, Place *at)
{
    Place nearest;
    const NodeEntry *e = tree_entry(s->arena, s->root, key, &nearest);
    if (e)
        *at = e->at;
    return e && !node_is_null(e->value);
}

/* Was the value that the file gives taken? Else its error is already recorded, and no rule builds
 * on it. */
bool key_taken(const Spec *s, const char *key, const char *value)
{
    Place at;
    const NodeEntry *e = tree_entry(s->arena, s->root, key, &at);
    return !e || node_is_null(e->value) ||
           (e->value->kind == NODE_SCALAR && strcmp(e->value->text, value) == 0);
}

static void check_model(const Spec *s, Diag *d)
{
    Place at;
    if (!key_given(s, "model.file", &at))
        diag_error(d, spec_at(s, "model.file"),
                   "model.file is missing: where the weights are, like  "
                   "model: {file: weights.npz}");
}

static bool any_has_key(const PatternNames *names, const char *key)
{
    for (int use = 0; use < USES; use++) {
        const Pattern *p = pattern_find(names->of[use]);
        if (p && pattern_has_key(p, key))
            return true;
    }
    return false;
}

/* Has one of the patterns that the spec names this key? */
static bool in_use(const Spec *s, const char *key)
{
    for (int i = 0; i < s->n_layers; i++)
        if (s->layer[i].pattern.given && any_has_key(&s->layer[i].pattern, key))
            return true;
    return any_has_key(&s->pattern, key);
}

/* The patterns as the user named them. */
static const char *pattern_names(const Spec *s)
{
    const char *const *of = s->pattern.of;
    bool one = strcmp(of[USE_W], of[USE_R]) == 0 && strcmp(of[USE_R], of[USE_HEAD]) == 0;
    return one ? of[USE_W] : str_format(s->arena, "%s of W, %s of R", of[USE_W], of[USE_R]);
}

/* Rates that remove nothing need no pattern that removes. */
static bool keeps_all(const Spec *s)
{
    for (int i = 0; i < MAX(s->n_keep, 1); i++)
        for (int use = 0; use < USES; use++)
            for (int g = 0; g < GATES_MAX; g++)
                if (!s->keep[i].of[use].asis && s->keep[i].of[use].gate[g] < 1)
                    return false;
    return true;
}

/* Is this key of `sparsity` without effect under the patterns? Keys of later versions have been
 * refused already. */
static bool without_effect(const Spec *s, const NodeEntry *e)
{
    const char *name = str_format(s->arena, "sparsity.%s", e->key);
    const Key *key = key_find(name);
    if (!key || key->type == KEY_LATER || key->type == KEY_PATTERN || node_is_null(e->value))
        return false;
    if (key->type == KEY_RATE && keeps_all(s))
        return false;
    return !in_use(s, name);
}

/* Was the pattern that the file names taken? A map counts as taken: what is wrong in it is an error of its own. */
static bool patterns_taken(const Spec *s)
{
    Place at;
    const NodeEntry *e = tree_entry(s->arena, s->root, "sparsity.pattern", &at);
    return (e && e->value->kind == NODE_MAP) || key_taken(s, "sparsity.pattern", s->pattern.of[USE_W]);
}

/* A key of another pattern would be silently ignored: say so. */
static void check_pattern_keys(const Spec *s, Diag *d)
{
    const NodeEntry *sparsity = node_find(s->root, "sparsity");
    const SpecNode *map = patterns_taken(s) && sparsity ? sparsity->value : NULL;
    Place at;
    bool chosen = key_given(s, "sparsity.pattern", &at);
    for (int i = 0; map && map->kind == NODE_MAP && i < map->n; i++) {
        const NodeEntry *e = &map->entry[i];
        if (!without_effect(s, e))
            continue;
        if (chosen)
            diag_clash(d, e->at, at, "chosen here", "sparsity.%s: has no effect with pattern %s",
                       e->key, pattern_names(s));
        else
            diag_error(d, e->at, "sparsity.%s: has no effect with pattern %s (the default)", e->key,
                       pattern_names(s));
    }
}

/* Deltas need columns that can be skipped. */
static void check_delta(Spec *s, Diag *d)
{
    Place at, chosen;
    s->delta = key_given(s, "delta", &at);
    if (!s->delta || !patterns_taken(s) || in_use(s, "delta.encoder_lanes"))
        return;
    static const char why[] = "delta: has no effect with pattern %s, which has no columns to skip: use column_balanced";
    if (key_given(s, "sparsity.pattern", &chosen))
        diag_clash(d, at, chosen, "chosen here", why, pattern_names(s));
    else
        diag_error(d, at, why, pattern_names(s));
}

static void check_verify(const Spec *s, Diag *d)
{
    static const char *const needs_input[] = { "verify.expect", "verify.lengths", "verify.labels" };
    Place at;
    if (key_given(s, "verify.input", &at))
        return;
    for (int i = 0; i < LENGTH(needs_input); i++) {
        if (key_given(s, needs_input[i], &at))
            diag_error(d, at, "%s needs verify.input: the sequences it belongs to", needs_input[i]);
    }
}

static void check_interface(const Spec *s, Diag *d)
{
    if (s->loadable && !s->control)
        diag_clash(d, spec_at(s, "engine.weights"), spec_at(s, "interface.control"),
                   "there is no register port",
                   "engine.weights: loadable weights are written over AXI4-Lite, which "
                   "interface.control: none leaves out");
}

enum { GATE_MORE = 2 };                 /* the table of sigmoid and tanh has so many bits more than activations */

static void check_precision(const Spec *s, Diag *d)
{
    int more = s->gate_bits - s->activation_bits;
    if (s->gate_bits > 0 && (more < 0 || more > GATE_MORE))
        diag_clash(d, spec_at(s, "precision.gate"), spec_at(s, "precision.activation"), "the width it goes by",
                   "precision.gate: %d bits beside %d of precision.activation: gates are as wide or at most %d bits "
                   "wider; leave it out for what the part takes", s->gate_bits, s->activation_bits, GATE_MORE);
}

void spec_check(Spec *s, Diag *d)
{
    Place at;
    if (s->name)
        check_name(s, d);
    else if (!key_given(s, "name", &at))
        s->name = name_from_file(s->arena, s->file);
    check_prefix(s, d);
    check_model(s, d);
    check_layers(s, d);
    check_pattern_keys(s, d);
    check_delta(s, d);
    check_interface(s, d);
    check_precision(s, d);
    check_verify(s, d);
}
