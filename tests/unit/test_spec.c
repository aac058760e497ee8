/* test_spec.c: the spec reader: values, places, aliases, --set, the table of keys, and mutated
 * files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "spec/spec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Two patterns stand in where the real table is not linked. */
static const char *const no_keys[] = { NULL }, *const bank_keys[] = { "banks", "keep",
                                                                      "sparsity.max_padding",
                                                                      NULL };
static const Pattern stub_dense = { .name = "dense", .keys = no_keys };
static const Pattern stub_banks = { .name = "bank_balanced", .keys = bank_keys };
static const Pattern *const stub_table[] = { &stub_dense, &stub_banks };

__attribute__((weak)) const Pattern *const *pattern_table(int *n)
{
    *n = LENGTH(stub_table);
    return stub_table;
}

__attribute__((weak)) const Pattern *pattern_find(const char *name)
{
    for (int i = 0; i < LENGTH(stub_table); i++) {
        if (strcmp(stub_table[i]->name, name) == 0)
            return stub_table[i];
    }
    return NULL;
}

static double rate_of(const Spec *s, int use)
{
    return s->keep[0].of[use].gate[GATE_I];
}

static char root[64];

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/test_spec.XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static int start(void **state)
{
    *state = arena_new();
    return 0;
}

static int stop(void **state)
{
    arena_free(*state);
    return 0;
}

typedef struct Loaded { Spec *spec; Diag *diag; const char *file, *said; } Loaded;

static const char *said(Arena *a, Diag *d)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    diag_flush(d, f);
    fclose(f);
    const char *copy = str_ndup(a, text, n);
    free(text);
    return copy;
}

static Loaded load_as(Arena *a, const char *name, const char *text, size_t n,
                      const char *const *sets, int n_sets)
{
    Loaded l = { .diag = diag_new(a), .file = path_join(a, root, name) };
    FILE *f = fopen(l.file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
    l.spec = spec_load(a, l.diag, l.file, sets, n_sets);
    l.said = said(a, l.diag);
    assert_int_equal(l.spec == NULL, diag_failed(l.diag));
    return l;
}

static Loaded load(Arena *a, const char *text)
{
    return load_as(a, "spec.yaml", text, strlen(text), NULL, 0);
}

/* Loads what must be right. */
static Spec *good(Arena *a, const char *text)
{
    Loaded l = load(a, text);
    assert_string_equal(l.said, "");
    assert_non_null(l.spec);
    return l.spec;
}

static void test_defaults(void **state)
{
    Arena *a = *state;
    const Spec *s = good(a, "model: {file: m.npz, layers: [{}]}\n");
    assert_string_equal(s->name, "spec");
    assert_string_equal(s->model_file, path_join(a, root, "m.npz"));
    assert_int_equal(s->n_layers, 1);
    const LayerSpec *l = &s->layer[0];
    assert_string_equal(l->cell, "lstm");
    assert_string_equal(l->gates, "ifgo");
    assert_string_equal(l->W, "W");
    assert_string_equal(l->R, "R");
    assert_int_equal(l->n_b, 0);
    assert_false(l->transpose);
    assert_true(l->forget_bias == 0);
    assert_string_equal(s->pattern.of[USE_R], "dense");
    assert_true(!s->keep[0].of[USE_R].asis && rate_of(s, USE_W) == 1 && rate_of(s, USE_R) == 1);
    assert_true(s->banks == 0 && s->max_padding == 0.25);
    assert_true(s->activation_bits == 16 && s->weight_bits == 8 && s->state_bits == 24);
    assert_true(s->preactivation_bits == 0 && s->input_range == 0);
    assert_true(s->pes == 4 && s->pe_width == 0 && !s->loadable);
    assert_true(s->lanes == 0 && s->control);
    assert_string_equal(s->output, "every");
    assert_true(s->part == NULL && s->clock_mhz == 100);
    assert_true(!s->verify_input && !s->verify_expect && !s->verify_lengths && !s->verify_labels);
    assert_true(s->min_snr_db == 0 && s->verify_steps == 0);
}

static const char full[] =
    "name: digits\n"
    "model:\n"
    "  file: ../w/digits.npz\n"
    "  layers:\n"
    "    - {cell: lstm, gates: ifco, W: kernel, R: rec, b: [b1, b2]}\n"
    "    - {W: w2, R: r2, b: 7, gates: ijfo, transpose: yes, forget_bias: 1}\n"
    "    - {cell: linear, W: out_w, b: out_b, activation: relu}\n"
    "sparsity: {pattern: bank_balanced, keep: {W: 1.0, R: 0.125}, banks: 16, max_padding: 0}\n"
    "precision: {activation: 12, weight: 6, state: 20, preactivation: 14, input_range: 4.5}\n"
    "engine: {pes: 16, pe_width: 32, weights: loadable}\n"
    "interface: {lanes: 8, control: axil}\n"
    "network: {output: last}\n"
    "target: {part: LFE5U-85F, clock_mhz: 62.5}\n"
    "verify: {input: /abs/x.npy, expect: h.npy, lengths: n.npy, labels: y.npy, steps: 40,\n"
    "         min_snr_db: 3e1}\n";

static void test_every_value(void **state)
{
    Arena *a = *state;
    const Spec *s = good(a, full);
    assert_string_equal(s->name, "digits");
    assert_string_equal(s->model_file, path_join(a, root, "../w/digits.npz"));
    assert_int_equal(s->n_layers, 3);
    const LayerSpec *l = s->layer;
    assert_string_equal(l[0].gates, "ifco");
    assert_true(l[0].n_b == 2 && strcmp(l[0].b[0], "b1") == 0 && strcmp(l[0].b[1], "b2") == 0);
    assert_true(l[1].n_b == 1 && strcmp(l[1].b[0], "7") == 0);
    assert_true(l[1].transpose && l[1].forget_bias == 1);
    assert_string_equal(l[2].cell, "linear");
    assert_null(l[2].R);
    assert_string_equal(l[2].activation, "relu");
    assert_string_equal(s->pattern.of[USE_W], "bank_balanced");
    assert_true(rate_of(s, USE_W) == 1 && rate_of(s, USE_R) == 0.125 && s->banks == 16 && s->max_padding == 0);
    assert_true(s->activation_bits == 12 && s->weight_bits == 6 && s->state_bits == 20);
    assert_true(s->preactivation_bits == 14 && s->input_range == 4.5);
    assert_true(s->pes == 16 && s->pe_width == 32 && s->loadable && s->lanes == 8 && s->control);
    assert_string_equal(s->output, "last");
    assert_string_equal(s->part, "LFE5U-85F");
    assert_true(s->clock_mhz == 62.5 && s->min_snr_db == 30 && s->verify_steps == 40);
    assert_string_equal(s->verify_input, "/abs/x.npy");
    assert_string_equal(s->verify_labels, path_join(a, root, "y.npy"));
    assert_int_equal(s->layer[1].at_W.line, 6);
    assert_int_equal(s->layer[1].at_W.column, 11);
    assert_int_equal(s->layer[2].at_R.line, 7);
}

static void expect_place(const Spec *s, const char *key, int line, int column)
{
    Place at = spec_at(s, key);
    assert_string_equal(at.file, s->file);
    assert_int_equal(at.line, line);
    assert_int_equal(at.column, column);
}

static void test_places(void **state)
{
    Arena *a = *state;
    const Spec *s = good(a, "# a comment\nname: x\nmodel:\n  file: m\n  layers:\n    - {W: a}\n"
                            "engine: {pes: 3}\n");
    expect_place(s, "name", 2, 7);
    expect_place(s, "model", 3, 1);
    expect_place(s, "model.layers.0", 6, 7);
    expect_place(s, "model.layers.0.W", 6, 11);
    expect_place(s, "model.layers.0.R", 6, 7);
    expect_place(s, "model.layers.7.R", 5, 3);
    expect_place(s, "engine.pes", 7, 15);
    expect_place(s, "engine.pe_width", 7, 1);
    expect_place(s, "verify.input", 2, 1);
    assert_int_equal(spec_at(&(Spec){ .file = "by hand" }, "name").line, 0);
}

/* Own keys win over merged ones, the first merged map over the next, and none of them is lost. */
static void test_aliases_and_merge(void **state)
{
    Arena *a = *state;
    const Spec *s = good(a, "model:\n  file: m\n  layers:\n"
                            "    - &one {W: w1, R: r1, b: [p, q], gates: iofc}\n"
                            "    - &two {W: w2, forget_bias: 2}\n"
                            "    - {R: own, <<: [*two, *one]}\n"
                            "    - *one\n");
    const LayerSpec *l = s->layer;
    assert_string_equal(l[2].W, "w2");
    assert_string_equal(l[2].R, "own");
    assert_string_equal(l[2].gates, "iofc");
    assert_int_equal(l[2].n_b, 2);
    assert_true(l[2].forget_bias == 2);
    assert_string_equal(l[3].W, "w1");
    s = good(a, "model: &m {file: one}\nverify: {input: &f x.npy, expect: *f}\n");
    assert_string_equal(s->verify_expect, s->verify_input);
    assert_non_null(strstr(load(a, "model: {file: m}\nengine: {\"<<\": {pes: 3}}\n").said,
                           "unknown key '<<' in engine"));
}

static void test_json_is_yaml(void **state)
{
    Arena *a = *state;
    const Spec *s = good(a, "{\"model\":{\"file\":\"a\\/\\u00e4.npz\",\"layers\":[{\"b\":[\"x\"],"
                            "\"transpose\":true}]},\"engine\":{\"pes\":8,\"pe_width\":null},"
                            "\"sparsity\":{\"pattern\":\"bank_balanced\",\"keep\":2.5e-1},"
                            "\"verify\":{}}");
    assert_string_equal(s->model_file, path_join(a, root, "a/\xC3\xA4.npz"));
    assert_true(s->pes == 8 && s->pe_width == 0 && rate_of(s, USE_R) == 0.25 && s->layer[0].transpose);
}

/* A projection goes with R, or by its own rate and pattern. */
static void test_projection_rates(void **state)
{
    Arena *a = *state;
    const Spec *s = good(a, "model: {file: m}\nsparsity: {pattern: {R: bank_balanced}, keep: {R: 0.5}}\n");
    assert_true(rate_of(s, USE_P) == 0.5 && rate_of(s, USE_W) == 1);
    assert_string_equal(s->pattern.of[USE_P], "bank_balanced");
    s = good(a, "model: {file: m}\nsparsity: {pattern: {R: dense, P: bank_balanced}, keep: {P: 0.25}}\n");
    assert_true(rate_of(s, USE_P) == 0.25 && rate_of(s, USE_R) == 1);
    assert_string_equal(s->pattern.of[USE_P], "bank_balanced");
    s = good(a, "model: {file: m}\nsparsity: {pattern: bank_balanced, keep: {R: {i: 0.5}}}\n");
    assert_true(rate_of(s, USE_P) == 1);
    s = good(a, "model: {file: m}\nsparsity: {pattern: bank_balanced, keep: 0.125}\n");
    assert_true(rate_of(s, USE_P) == 0.125);
}

static void test_sets(void **state)
{
    Arena *a = *state;
    static const char text[] = "model: {file: m, layers: [&l {W: a, R: r}, *l]}\nengine: {pes: "
                               "3}\n";
    static const char *const sets[] = {
        "engine.pes=8",
        "model.layers.0.W=kernel",
        "model.layers.2={W: c}",
        "precision.weight=4",
        "sparsity={pattern: bank_balanced, keep: {W: 0.5}}",
        "name=a_set",
        "model.layers.0.b=[x, y=z]",
    };
    Loaded l = load_as(a, "s.yaml", text, strlen(text), sets, LENGTH(sets));
    assert_string_equal(l.said, "");
    const Spec *s = l.spec;
    assert_true(s->pes == 8 && s->weight_bits == 4 && rate_of(s, USE_W) == 0.5 && rate_of(s, USE_R) == 1);
    assert_string_equal(s->layer[0].W, "kernel");
    assert_string_equal(s->layer[1].W, "a");
    assert_string_equal(s->layer[2].W, "c");
    assert_int_equal(s->n_layers, 3);
    assert_string_equal(s->layer[0].b[1], "y=z");
    assert_string_equal(s->name, "a_set");
    Place at = spec_at(s, "precision.weight");
    assert_string_equal(at.file, "--set");
    assert_int_equal(at.line, 4);
    assert_int_equal(at.column, 18);
}

/* sha256 of "model: {file: m}\n", and with "\n--set engine.pes=8" after it (python3 hashlib). */
static void test_hash(void **state)
{
    Arena *a = *state;
    static const char text[] = "model: {file: m}\n";
    static const char *const sets[] = { "engine.pes=8" };
    assert_string_equal(good(a, text)->sha256, "a941630d17f7169d4fc46812aa16568c69c6745d049ceb035b5"
                                               "5c3c365f73b5e");
    assert_string_equal(load_as(a, "s", text, strlen(text), sets, 1).spec->sha256, "999bb94fe4cb618"
                                                                                   "3786446e677f909"
                                                                                   "425de4a00cb381c"
                                                                                   "019d7c15cd0817f"
                                                                                   "bd1f");
}

static void test_name_from_file(void **state)
{
    Arena *a = *state;
    static const char *const names[][2] = {
        { "Digits-v2.yaml", "digits_v2" },
        { "plain", "plain" },
        { "2nd.yaml", "core" },
        { "module.yaml", "module" },
        { "lg_x.yml", "core" },
        { ".yaml", "core" },
        { "a.b.yaml", "a_b" },
    };
    for (int i = 0; i < LENGTH(names); i++) {
        Loaded l = load_as(a, names[i][0], "model: {file: m}\n", 17, NULL, 0);
        assert_string_equal(l.spec->name, names[i][1]);
    }
}

/* All faults of one file in one run, in the order of the file. */
static void test_all_errors_at_once(void **state)
{
    Arena *a = *state;
    Loaded l = load(a, "name: 1x\nmodel: {file: m}\nengine: {pes: no, pe_width: 900}\nengin: 1\n");
    const char *p = l.said;
    static const char *const words[] = { ":1:7: error: name:", ":3:15: error: engine.pes:",
                                         ":3:29: error: engine.pe_width: 900",
                                         ":4:1: error: unknown key" };
    for (int i = 0; i < LENGTH(words); i++) {
        p = strstr(p, words[i]);
        assert_non_null(p);
    }
    assert_int_equal(diag_status(l.diag), EXIT_INPUT);
}

/* An error in a key must not call forth others that only follow from it. */
static void test_no_consequences(void **state)
{
    Arena *a = *state;
    static const char *const once[] = {
        "model: {file: m}\nsparsity: {pattern: bank_balancd, banks: 4}\n",
        "model: {file: m, layers: [{cell: linaer, activation: relu}]}\n",
        "model: {file: m}\nname: []\n",
        "model: {file: []}\n",
        "model: {file: m}\nverify: {input: {}, expect: h.npy}\n",
    };
    for (int i = 0; i < LENGTH(once); i++) {
        const char *first = strstr(load(a, once[i]).said, "error: ");
        assert_non_null(first);
        if (strstr(first + 1, "error: "))
            fail_msg("more than one error for %s\n%s", once[i], first);
    }
}

/* The table itself: parents exist, ranges are ranges, defaults are in them, choices have names. */
static void test_key_table(void **state)
{
    Arena *a = *state;
    for (int i = 0; i < key_count; i++) {
        const Key *k = &key_table[i];
        assert_ptr_equal(key_find(k->path), k);
        const char *dot = strrchr(k->path, '.');
        if (dot)
            assert_non_null(key_find(str_ndup(a, k->path, (size_t)(dot - k->path))));
        if (k->type == KEY_INT || k->type == KEY_REAL) {
            KeyRange r = key_range(a, k);
            assert_true(r.low < r.high);
            assert_true(!r.word || strcmp(k->initial, r.word) == 0);
        }
        const char *const *names;
        int now;
        if (k->type == KEY_CHOICE || k->type == KEY_SWITCH || k->type == KEY_PATTERN)
            assert_true(key_choices(a, k, &names, &now) >= now && now >= 2);
    }
    KeyRange r = key_range(a, key_find("engine.pes"));
    assert_true(r.low == 1 && r.high == 256 && !r.above && !r.word);
    r = key_range(a, key_find("precision.input_range"));
    assert_true(r.low == 0 && isinf(r.high) && r.above && strcmp(r.word, "auto") == 0);
    const char *const *names;
    int now;
    static const Key later = {.path = "k", .type = KEY_CHOICE, .values = "one | two; later: three | four | five"};
    assert_int_equal(key_choices(a, &later, &names, &now), 5);
    assert_int_equal(now, 2);
    assert_string_equal(names[4], "five");
}

static void test_key_reference(void **state)
{
    Arena *a = *state;
    for (int form = 0; form < 2; form++) {
        char *text = NULL;
        size_t n = 0;
        FILE *f = open_memstream(&text, &n);
        (form ? keys_markdown : keys_print)(f);
        fclose(f);
        for (int i = 0; i < key_count; i++)
            assert_non_null(
                strstr(text, str_format(a, form ? "| `%s` |" : "\n%s ", key_table[i].path)));
        assert_non_null(strstr(text, form ? "dense \\| bank_balanced" : "dense | bank_balanced"));
        free(text);
    }
}

/* Every value of a good spec replaced by each of these: a message or a Spec, never a fault. */
static void test_wrong_values_everywhere(void **state)
{
    (void)state;
    static const char *const values[] = {
        "",   "null", "[]",      "{}",    "[1, x]",      "{a: {b: c}}", "-1",  "1e999",
        "''", "true", "\"\\t\"", "*none", "99999999999", "asis",        "auto"
    };
    for (int i = 0; i < key_count; i++) {
        for (int v = 0; v < LENGTH(values); v++) {
            Arena *a = arena_new();
            Buffer path;
            buffer_init(&path, a);
            for (const char *p = key_table[i].path; *p; p++) {
                if (str_starts(p, "[]"))
                    buffer_print(&path, ".0");
                else if (*p != ']')
                    buffer_add(&path, p, 1);
            }
            const char *set = str_format(a, "%s=%s", path.text, values[v]);
            load_as(a, "s.yaml", full, strlen(full), &set, 1);
            arena_free(a);
        }
    }
}

/* Bytes changed, removed, doubled: seeded, so that a failure can be repeated. */
static void test_mutated_files(void **state)
{
    (void)state;
    enum { ROUNDS = 3000 };
    static const char odd[] = "{}[]:,-&*!|>'\"%#\t\n \\<0x\x80\xff";
    uint32_t seed = 12345;
    for (int round = 0; round < ROUNDS; round++) {
        Arena *a = arena_new();
        char *text = str_dup(a, full);
        size_t n = strlen(text);
        for (int k = 0; k < 1 + round % 6; k++) {
            seed = seed * 1664525u + 1013904223u;
            size_t at = (seed >> 8) % n;
            text[at] = odd[(seed >> 4) % (sizeof odd - 1)];
        }
        seed = seed * 1664525u + 1013904223u;
        load_as(a, "s.yaml", text, round % 5 ? n : (seed >> 8) % n, NULL, 0);
        arena_free(a);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),
        TEST(test_every_value),
        TEST(test_places),
        TEST(test_aliases_and_merge),
        TEST(test_json_is_yaml),
        TEST(test_projection_rates), TEST(test_sets),
        TEST(test_hash),
        TEST(test_name_from_file),
        TEST(test_all_errors_at_once),
        TEST(test_no_consequences),
        TEST(test_key_table),
        TEST(test_key_reference),
        TEST(test_wrong_values_everywhere),
        TEST(test_mutated_files),
    };
    return cmocka_run_group_tests_name("spec", tests, make_root, remove_root);
}
