/* test_report.c: figures by hand, the object's keys, the tables, the C header (compiled and
 * compared with the tool's own conversions), the register map against the Verilog, the manifest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/report.h"

/* A whole small core, filled by hand: 2 sequences of up to 3 steps, 2 outputs. */
typedef struct Bench {
    Arena *arena;
    Spec spec;
    Network net;
    QNetwork q;
    Design design;
    Golden golden;
    Sequences seq;
    Pattern pattern;
    int length[2];
    int32_t y[12];
    float y_float[12], y_unpruned[12], expect[12], weights[8];
    int label[2], row_fraction[4];
} Bench;

static double bound_of_ten(const MatrixPlan *plan, int rows, int columns, int weight_bits)
{
    (void)plan, (void)rows, (void)columns, (void)weight_bits;
    return 10;
}

static void fill_network(Bench *b)
{
    b->net.n = 1;
    b->net.layer[0] = (Layer){ .cell = cell_find("linear"), .inputs = 4, .hidden = 2 };
    network_lay_out(&b->net);
    b->net.product[0].m.value = b->weights;
    b->net.product[0].m.pattern = &b->pattern;
    b->q = (QNetwork){ .net = &b->net,
                       .weight_bits = 8,
                       .vector = { { 12, 4 } },
                       .pre = { 14, 9 },
                       .gate = { 12, 11 },
                       .state = { 24, 15 },
                       .acc_bits = 23 };
    b->row_fraction[0] = 9;
    b->row_fraction[1] = 11;
    b->q.layer[0] = (QLayer){ .rows = 2, .out = { 12, 2 }, .row_fraction = b->row_fraction };
    b->q.product[0].m = (QMatrix){ .rows = 2, .columns = 4 };
}

static void fill_design(Bench *b)
{
    b->pattern = (Pattern){ .name = "dense", .bound_bits = bound_of_ten };
    b->spec = (Spec){ .file = "/somewhere/else/tiny.yaml",
                      .name = "tiny",
                      .clock_mhz = 50,
                      .control = true,
                      .output = "every" };
    strcpy(b->spec.sha256, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    b->design = (Design){ .spec = &b->spec,
                          .pattern = &b->pattern,
                          .net = &b->net,
                          .q = &b->q,
                          .part = part_find("LFE5U-25F"),
                          .family = part_family(part_find("LFE5U-25F")),
                          .pes = 3,
                          .lanes_pe = 4,
                          .index_memories = 0,
                          .vector_banks = 4,
                          .weight_lanes = 4,
                          .vector_copies = 4,
                          .cell_lanes = 1,
                          .lanes = 1,
                          .element_bits = 16,
                          .inputs = 4,
                          .outputs = 2,
                          .weight_words = 5,
                          .vector_depth = 6,
                          .interval = 10.5,
                          .latency = 33,
                          .minimum = 1,
                          .macs_dense = 8,
                          .macs_kept = 6,
                          .multipliers_engine = 12,
                          .multipliers_cell = 3,
                          .macs_lost = 6 };
    b->design.plan[0] =
        (MatrixPlan){ .banks = 4, .bank_size = 1, .keep = 1, .cycles = 1, .kept = 6, .stored = 8 };
    b->design.memory[b->design.n_memories++] = (MemoryUse){ "weight", 32, 5, 3, true, true, true };
}

/* y has 2 fraction bits. Sequence 0 has 3 steps, sequence 1 has 1; what lies behind its end must
 * not count. */
static void fill_outputs(Bench *b)
{
    static const int32_t y[12] = { 4, 0, 0, 4, 8, 4,  -4, -8, 0, 0, 0, 0 };
    static const float y_float[12] = { 1, 0, 0, 1, 2, 1,  -1, -1, 0, 0, 0, 0 };
    static const float expect[12] = { 1, 0, 0, 1, 2, 3,  -1, -2, 99, 99, 99, 99 };
    memcpy(b->y, y, sizeof y);
    memcpy(b->y_float, y_float, sizeof y_float);
    memcpy(b->expect, expect, sizeof expect);
    b->length[0] = 3;
    b->length[1] = 1;
    b->golden = (Golden){ .width = 2, .y = b->y, .y_float = b->y_float, .saturations = 7 };
    b->seq = (Sequences){ .n = 2, .steps = 3, .width = 4, .length = b->length };
}

static int start(void **state)
{
    Bench *b = calloc(1, sizeof *b);
    b->arena = arena_new();
    fill_network(b);
    fill_design(b);
    fill_outputs(b);
    *state = b;
    return 0;
}

static int stop(void **state)
{
    Bench *b = *state;
    arena_free(b->arena);
    free(b);
    return 0;
}

static Report report_of(Bench *b)
{
    return (Report){ .design = &b->design, .golden = &b->golden, .sequences = &b->seq,
                     .facts = facts_gather(&b->design, &b->golden, &b->seq) };
}

/* ------------------------------------------------------------------------------------ figures */
/* Float: 1 0 0 1 2 1 -1 -1, sum of squares 9; only the last output differs, -2 against -1: 10
 * log10(9 / 1). */
static void test_snr_by_hand(void **state)
{
    Bench *b = *state;
    Facts f = facts_gather(&b->design, &b->golden, &b->seq);
    assert_true(fabs(f.snr_db - 10 * log10(9.0)) < 1e-6);
    assert_false(f.has_expect || f.has_prune || f.has_labels);
}

/* Expected 1 0 0 1 2 3 -1 -2: squares 20, error (3 - 1)^2 = 4. The 99s behind the end of sequence 1
 * do not count. */
static void test_expect_all_steps(void **state)
{
    Bench *b = *state;
    b->seq.expect = b->expect;
    b->seq.expect_steps = 3;
    Facts f = facts_gather(&b->design, &b->golden, &b->seq);
    assert_true(f.has_expect);
    assert_true(fabs(f.expect_snr_db - 10 * log10(20.0 / 4.0)) < 1e-6);
}

/* One step per sequence: step 2 of sequence 0 (2 1), step 0 of sequence 1 (-1 -2). Expected 2 1.5
 * -1 -2. */
static void test_expect_last_step(void **state)
{
    Bench *b = *state;
    static float last[4] = { 2, 1.5f, -1, -2 };
    b->seq.expect = last;
    b->seq.expect_steps = 1;
    Facts f = facts_gather(&b->design, &b->golden, &b->seq);
    assert_true(fabs(f.expect_snr_db - 10 * log10((4 + 2.25 + 1 + 4) / 0.25)) < 1e-6);
}

static void test_prune_snr(void **state)
{
    Bench *b = *state;
    memcpy(b->y_unpruned, b->y_float, sizeof b->y_unpruned);
    b->y_unpruned[0] = 2; /* 1 in the pruned network: squares 12, error 1 */
    b->golden.y_unpruned = b->y_unpruned;
    Facts f = facts_gather(&b->design, &b->golden, &b->seq);
    assert_true(f.has_prune && fabs(f.prune_snr_db - 10 * log10(12.0)) < 1e-6);
}

/* Last outputs: hardware (2 1) and (-1 -2): classes 0 and 0; float (2 1) and (-1 -1): 0, and 0 as
 * the first of two. */
static void test_accuracy(void **state)
{
    Bench *b = *state;
    b->seq.label = b->label;
    b->label[0] = 0;
    b->label[1] = 1;
    Facts f = facts_gather(&b->design, &b->golden, &b->seq);
    assert_true(f.has_labels && f.labels == 2);
    assert_true(f.accuracy_hardware == 50 && f.accuracy_float == 50);
    b->y[7] = 0; /* now (-1 0): class 1 in hardware only */
    f = facts_gather(&b->design, &b->golden, &b->seq);
    assert_true(f.accuracy_hardware == 100 && f.accuracy_float == 50);
}

/* 5 words x 3 PEs x 4 lanes x 8 bits = 480 for 6 kept weights; no index. 6 x 4 words of 12 bits of
 * vectors, one copy. 3 PEs, 2 outputs: one PE of 4 lanes never works. */
static void test_memory_and_lanes(void **state)
{
    Bench *b = *state;
    b->design.index_bits = 1; /* the Verilog's least width, though nothing is stored */
    Facts f = facts_gather(&b->design, &b->golden, &b->seq);
    assert_int_equal(f.weight_bits, 480);
    assert_int_equal(f.index_bits, 0);
    assert_true(f.bits_per_kept_weight == 80 && f.bound_bits_per_kept_weight == 10);
    assert_int_equal(f.vector_bits, 288);
    assert_int_equal(f.lanes_idle, 4);
    b->pattern.private_vectors = true;
    b->design.plan[0].index_bits = b->design.index_bits = 2;
    b->design.index_memories = 3; /* one list per PE: 4 lanes of 2 bits; a copy of the vector each */
    b->design.index_word = 8;
    b->design.vector_copies = 3 * 4;
    f = facts_gather(&b->design, &b->golden, &b->seq);
    assert_int_equal(f.index_bits, 120);
    assert_int_equal(f.vector_bits, 3 * 288);
}

/* ------------------------------------------------------------------------------------ the object
 */
static void test_keys_of_check(void **state)
{
    Bench *b = *state;
    Report r = report_of(b);
    json_t *o = report_json(&r);
    static const char *const there[] = { "name",
                                         "version",
                                         "spec_sha256",
                                         "pattern",
                                         "part",
                                         "network.0.cell",
                                         "network.0.inputs",
                                         "network.0.hidden",
                                         "network.0.directions",
                                         "macs.dense",
                                         "macs.kept",
                                         "multipliers.engine",
                                         "multipliers.cell",
                                         "cycles.minimum",
                                         "cycles.interval",
                                         "cycles.latency",
                                         "use",
                                         "memory.weight_bits",
                                         "memory.index_bits",
                                         "memory.bits_per_kept_weight",
                                         "memory.bound_bits_per_kept_weight",
                                         "memory.vector_bits",
                                         "verify.saturations",
                                         "verify.snr_db",
                                         "formats.0.tensor",
                                         "formats.0.bits",
                                         "formats.0.fraction",
                                         "padding.macs_lost",
                                         "padding.lanes_idle",
                                         "warnings" };
    static const char *const absent[] = { "measured",
                                          "resources",
                                          "fmax_mhz",
                                          "accuracy",
                                          "verify.mismatches",
                                          "verify.compared",
                                          "verify.expect_snr_db",
                                          "verify.prune_snr_db",
                                          "network.0.projection",
                                          "network.0.R",
                                          "network.1" };
    for (int i = 0; i < LENGTH(there); i++)
        if (!value_at(o, there[i]))
            fail_msg("%s is missing", there[i]);
    for (int i = 0; i < LENGTH(absent); i++)
        if (value_at(o, absent[i]))
            fail_msg("%s is there", absent[i]);
    assert_true(fabs(value_number(o, "use") - 0.0476) < 1e-9);      /* 6 / (12 * 10.5) */
    assert_string_equal(json_string_value(value_at(o, "part")), "LFE5U-25F");
    json_decref(o);
}

static void test_keys_of_sim(void **state)
{
    Bench *b = *state;
    Report r = report_of(b);
    SimResult sim = { .pass = true,
                      .compared = 40,
                      .interval = 12,
                      .latency = 33,
                      .steps = 4,
                      .total = 60,
                      .simulator = "verilator 5.006" };
    r.sim = &sim;
    json_t *o = report_json(&r);
    assert_true(json_is_integer(value_at(o, "measured.interval")) &&
                value_number(o, "measured.interval") == 12);
    assert_true(json_is_integer(value_at(o, "verify.mismatches")) &&
                value_number(o, "verify.compared") == 40);
    assert_true(fabs(value_number(o, "use") - 0.0417) <
                1e-9); /* 6 / (12 * 12): measured, not predicted */
    assert_non_null(strstr(report_markdown(b->arena, o), "NOT as predicted"));
    json_decref(o);
    sim.interval = 10.5;
    o = report_json(&r);
    assert_true(json_equal(value_at(o, "measured.interval"), value_at(o, "cycles.interval")));
    assert_null(strstr(report_markdown(b->arena, o), "NOT as predicted"));
    json_decref(o);
    sim.interval = -1;                                      /* ended before it measured */
    o = report_json(&r);
    assert_null(value_at(o, "measured"));
    json_decref(o);
}

static void test_resources(void **state)
{
    Bench *b = *state;
    Report r = report_of(b);
    Usage estimate = {
        .count = { [RES_LUT] = 1000, [RES_FF] = 2000, [RES_DSP] = 28, [RES_BRAM] = 5 },
        .part = b->design.part,
        .source = "estimate"
    };
    Usage counted = estimate;
    r.estimate = &estimate;
    json_t *o = report_json(&r);
    assert_string_equal(json_string_value(value_at(o, "resources.source")), "estimate");
    assert_true(json_is_true(value_at(o, "resources.fits")));
    assert_null(value_at(o, "resources_estimate"));
    json_decref(o);
    counted.source = "yosys";
    counted.count[RES_LUT] = 1100;
    counted.count[RES_DSP] = 29;                            /* the part has 28 */
    r.synthesised = &counted;
    o = report_json(&r);
    assert_string_equal(json_string_value(value_at(o, "resources.source")), "yosys");
    assert_true(json_is_false(value_at(o, "resources.fits")));
    assert_true(value_number(o, "resources.lut") == 1100 &&
                value_number(o, "resources_estimate.lut") == 1000);
    assert_true(value_number(o, "resources_difference_percent.lut") == 10);
    assert_null(
        value_at(o, "resources_difference_percent.lutram")); /* estimated 0: no percentage */
    const char *page = report_markdown(b->arena, o);
    assert_non_null(strstr(page, "| LUT | 1,000 | 1,100 | 10 % | 24,288 |"));
    assert_non_null(strstr(page, "DOES NOT FIT LFE5U-25F"));
    json_decref(o);
}

/* 12 + 3 multipliers; on ECP5, whose blocks have 36 bits: 3 weight memories of 32 bits, 1 block
 * each, and what parts.c says of a tanh table with two ports. LUT RAM: a vector of 16 bits x 17
 * words is 4 x 2 cells of 6 LUTs, the output FIFO of 12 + 2 bits x 16 words 4 cells. */
static void test_estimate(void **state)
{
    Bench *b = *state;
    b->design.memory[b->design.n_memories++] = (MemoryUse){
        "vector", 16, 17, 1, false, false, false
    };
    Usage u = usage_estimate(&b->design);
    assert_int_equal(u.count[RES_DSP], 15);
    assert_int_equal(u.count[RES_BRAM], 3);
    assert_int_equal(u.count[RES_LUTRAM], 48 + 24);
    b->design.memory[b->design.n_memories++] = (MemoryUse){
        "activation table", 31, 512, 1, true, true, false
    };
    assert_int_equal(usage_estimate(&b->design).count[RES_BRAM],
                     3 + part_rom_blocks(b->design.family, 31, 512, 2));
    int n;
    const Part *parts = part_table(&n);
    for (int i = 0; i < n; i++) {
        b->design.part = &parts[i];
        b->design.family = part_family(&parts[i]);
        Usage v = usage_estimate(&b->design);
        if (v.count[RES_LUT] <= 0 || v.count[RES_FF] <= 0 ||
            (v.count[RES_DSP] == 15) != (parts[i].dsps > 0))
            fail_msg("no estimate for %s", parts[i].name);
    }
}

static void test_names_of_any_bytes(void **state)
{
    Bench *b = *state;
    b->spec.file = "a/b\xff|.yaml";
    Report r = report_of(b);
    static const char *const warning[] = { "tensor '\xfe' | odd\nline" };
    r.warning = warning;
    r.n_warnings = 1;
    json_t *o = report_json(&r);
    assert_string_equal(json_string_value(value_at(o, "spec")), "b?|.yaml");
    const char *page = report_markdown(b->arena, o);
    assert_non_null(strstr(page, "- tensor '?' \\| odd line\n"));
    json_decref(o);
}

static void test_no_paths_and_same_bytes(void **state)
{
    Bench *b = *state;
    Report r = report_of(b);
    json_t *one = report_json(&r), *two = report_json(&r);
    const char *text = report_json_text(b->arena, one);
    assert_string_equal(text, report_json_text(b->arena, two));
    assert_null(strstr(text, "somewhere"));
    assert_null(strstr(report_markdown(b->arena, one), "somewhere"));
    assert_null(strstr(header_text(b->arena, &b->design), "somewhere"));
    json_decref(one);
    json_decref(two);
}

static void test_row_formats(void **state)
{
    Bench *b = *state;
    Report r = report_of(b);
    json_t *o = report_json(&r);
    size_t i;
    json_t *f;
    int seen = 0;
    json_array_foreach(value_at(o, "formats"), i, f)
        if (strcmp(json_string_value(json_object_get(f, "tensor")), "layer0.W") == 0) {
            seen++; /* rows at 9 and 11, input at 4: weights at 5 and 7 */
            assert_true(value_number(f, "fraction") == 5 && value_number(f, "fraction_max") == 7);
        }
    assert_int_equal(seen, 1);
    json_decref(o);
}

/* ------------------------------------------------------------------------------------ values */
static void test_number_text(void **state)
{
    Bench *b = *state;
    json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:f, s:b, s:[i,i]}", "a", (json_int_t)1048576, "b",
                          (json_int_t)-1234, "c", (json_int_t)999, "d", (json_int_t)-123, "e",
                          67.25, "f", 1, "g", 3, 4);
    assert_string_equal(value_text(b->arena, o, "a"), "1,048,576");
    assert_string_equal(value_text(b->arena, o, "b"), "-1,234");
    assert_string_equal(value_text(b->arena, o, "c"), "999");
    assert_string_equal(value_text(b->arena, o, "d"), "-123");
    assert_string_equal(value_text(b->arena, o, "e"), "67.25");
    assert_string_equal(value_text(b->arena, o, "f"), "yes");
    assert_string_equal(value_text(b->arena, o, "g.1"), "4");
    assert_null(value_text(b->arena, o, "g.2"));
    assert_null(value_text(b->arena, o, "a.b"));
    json_decref(o);
    json_t *whole = value_real(518.0), *part = value_real(143.6666666666667),
           *round_one = value_rounded(1.23456, 2);
    assert_true(json_is_integer(whole) && json_is_real(part));
    assert_true(json_real_value(part) == 143.6666667 && json_real_value(round_one) == 1.23);
    json_decref(whole);
    json_decref(part);
    json_decref(round_one);
}

/* ------------------------------------------------------------------------------------ C header */
static void run(const char *command)
{
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

/* Compiled as strict C99 and as C++, the header's conversions must agree with format_encode and
 * format_decode. */
static void test_header_compiles_and_converts(void **state)
{
    Bench *b = *state;
    char folder[] = "/tmp/lstmgen_header.XXXXXX";
    assert_non_null(mkdtemp(folder));
    b->spec.loadable = true;
    const char *header = path_join(b->arena, folder, "tiny.h"),
               *source = path_join(b->arena, folder, "t.c");
    FILE *to = fopen(header, "w");
    assert_non_null(to);
    fputs(header_text(b->arena, &b->design), to);
    fclose(to);
    Buffer program;
    buffer_init(&program, b->arena);
    buffer_print(&program, "#include \"tiny.h\"\nint main(void) {\n");
    static const double values[] = { 0,      0.031,  0.03125, -0.03125, -0.03126, 1.21875, 127.96,
                                     127.97, 128,    1e30,    -128,     -127.97,  -128.03, -128.04,
                                     -1e30,  511.87, 511.9,   -512.2,   3.125,    -3.125,  0.125 };
    for (int i = 0; i < LENGTH(values); i++) {
        buffer_print(&program, "if (tiny_x_encode(%.17g) != %d) return 1;\n", values[i],
                     format_encode(b->q.vector[0], values[i], NULL));
        buffer_print(&program, "if (tiny_y_encode(%.17g) != %d) return 2;\n", values[i],
                     format_encode(b->q.layer[0].out, values[i], NULL));
    }
    buffer_print(&program,
                 "if (tiny_x_decode(-33) != %.17g || tiny_y_decode(5) != %.17g) return 3;\n",
                 format_decode(b->q.vector[0], -33), format_decode(b->q.layer[0].out, 5));
    buffer_print(
        &program,
        "return TINY_REG_LOAD_PARTS == 0x34 && TINY_LOAD_ADDRESS_MEMORY_MASK == 0xfff00000u &&\n"
        "TINY_LOAD_ADDRESS_MEMORY_SHIFT == 20 && TINY_SPEC_HASH_VALUE == 0x01234567u && TINY_LANES "
        "== 1 &&\n"
        "TINY_INPUT_BEATS == 4 ? 0 : 4; }\n");
    to = fopen(source, "w");
    assert_non_null(to);
    fputs(program.text, to);
    fclose(to);
    run(str_format(b->arena, "cd %s && cc -std=c99 -pedantic -Wall -Wextra -Werror t.c -o t && ./t",
                   folder));
    run(str_format(b->arena, "cd %s && c++ -x c++ -std=c++17 -Wall -Wextra -Werror t.c -o u && ./u",
                   folder));
    run(str_format(b->arena, "rm -r %s", folder));
}

static void test_header_without_registers(void **state)
{
    Bench *b = *state;
    assert_null(strstr(header_text(b->arena, &b->design), "REG_LOAD"));     /* weights: rom */
    assert_non_null(strstr(header_text(b->arena, &b->design), "TINY_REG_STEPS"));
    b->spec.control = false;
    assert_null(strstr(header_text(b->arena, &b->design), "REG_STEPS"));
}

/* Every address of registers.def is decoded by lg_axil.v: readable ones in the read case, writable
 * ones as a write. */
static void test_registers_are_those_of_the_verilog(void **state)
{
    Bench *b = *state;
    Diag *d = diag_new(b->arena);
    const char *root = getenv("LSTMGEN_DATA");
    Bytes file;
    const char *path = path_join(b->arena, root ? root : ".", "templates/top/lg_axil.v");
    if (!file_read(b->arena, d, (Place){ 0 }, path, 1 << 20, &file))
        fail_msg("run this test in the project's root: no %s", path);
    const char *text = str_ndup(b->arena, (const char *)file.data, file.size);
#define REGISTER(name, address, access, meaning)                                                   \
    if (strstr(access, "read") && !strstr(text, str_format(b->arena, "6'h%02X: ", (address) / 4))) \
        fail_msg("lg_axil.v does not read " #name);                                                \
    if (strstr(access, "write") &&                                                                 \
        !strstr(text, str_format(b->arena, "awaddr_q[7:2] == 6'h%02X", (address) / 4)))              \
        fail_msg("lg_axil.v does not write " #name);
#define FIELD(owner, name, low, width, meaning)
#include "emit/registers.def"
#undef REGISTER
#undef FIELD
}

/* ------------------------------------------------------------------------------------ manifest */
static void test_manifest(void **state)
{
    Bench *b = *state;
    Diag *d = diag_new(b->arena);
    char parent[] = "/tmp/lstmgen_manifest.XXXXXX";
    assert_non_null(mkdtemp(parent));
    const char *path = path_join(b->arena, parent, "out");
    Folder *f = folder_begin(b->arena, d, path);
    assert_non_null(f);
    assert_true(folder_write(f, "rtl/b.v", "module", 6) && folder_write(f, "Makefile", "", 0) &&
                folder_write(f, "report.json", "{}", 2) && folder_write(f, "report.md", "x", 1));
    assert_true(manifest_write(f, b->arena, &b->spec) && folder_commit(f));
    json_t *o = json_load_file(path_join(b->arena, path, "manifest.json"), 0, NULL);
    assert_non_null(o);
    assert_int_equal(json_array_size(value_at(o, "files")), 2);
    assert_string_equal(json_string_value(value_at(o, "files.1.name")), "rtl/b.v");
    /* echo -n module | sha256sum */
    assert_string_equal(json_string_value(value_at(o, "files.1.sha256")),
                        "120970d812836f19888625587a4606a5ad23cef31c8684e601771552548fc6b9");
    assert_true(value_number(o, "files.1.size") == 6);
    assert_string_equal(json_string_value(value_at(o, "spec")), "tiny.yaml");
    json_decref(o);
    run(str_format(b->arena, "rm -r %s", parent));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(test_snr_by_hand),
        TEST(test_expect_all_steps),
        TEST(test_expect_last_step),
        TEST(test_prune_snr),
        TEST(test_accuracy),
        TEST(test_memory_and_lanes),
        TEST(test_keys_of_check),
        TEST(test_keys_of_sim),
        TEST(test_resources),
        TEST(test_estimate),
        TEST(test_names_of_any_bytes),
        TEST(test_no_paths_and_same_bytes),
        TEST(test_row_formats),
        TEST(test_number_text),
        TEST(test_header_compiles_and_converts),
        TEST(test_header_without_registers),
        TEST(test_registers_are_those_of_the_verilog),
        TEST(test_manifest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
