/* test_stat.c: what Yosys 0.23, 0.57 and 0.70 print of tests/leaf/bench_top.v on ECP5 (files in stat/: captured, with
 * the ROMs mapped and as black boxes), and texts by hand. Run from the project's root. */
#include "flow/stat.h"
#include "flow/synth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

/* What the same Yosys counts in the same design after `flatten`: an independent sum. */
typedef struct Row { const char *version; int carry, lut4; } Row;
static const Row ROWS[] = {{"0.23", 125, 66}, {"0.57", 116, 66}, {"0.70", 116, 66}};

static const char *captured(Arena *a, const char *kind, const char *version, const char *ending)
{
    Bytes b;
    const char *path = str_format(a, "tests/unit/stat/%s%s.%s", kind, version, ending);
    assert_true(file_read(a, diag_new(a), (Place){.file = path}, path, 1 << 20, &b));
    return str_ndup(a, (const char *)b.data, b.size);
}

static void check_mapped(const SynthResult *r, const Row *row)
{
    assert_int_equal(r->lut, row->lut4 + 2 * row->carry);
    assert_int_equal(r->carry, row->carry);
    assert_int_equal(r->lutram, 6 * 24);
    assert_int_equal(r->ff, 593);
    assert_int_equal(r->dsp, 6);
    assert_int_equal(r->multipliers, 6);
    assert_int_equal(r->bram, 8);
    assert_int_equal(r->roms, 3);
}

static void test_text(void **state)
{
    (void)state;
    Arena *a = arena_new();
    for (int i = 0; i < LENGTH(ROWS); i++) {
        SynthResult r = {0};
        SynthText text = {.stat = captured(a, "mapped-", ROWS[i].version, "txt"), .roms = ""};
        assert_true(synth_parse(a, family_find("ecp5"), "bench_top", text, &r));
        check_mapped(&r, &ROWS[i]);
        assert_false(r.roms_counted);
        assert_int_equal(r.rom_blocks, 7);
    }
    arena_free(a);
}

/* Blocks by geometry: three of 40 bits x 512 take two 36-bit ones, the one of 16 x 256 with two ports one; their
 * output registers: 3 * 40 + 2 * 16 beside the 441 that `flatten; stat` counts. */
static void test_boxes(void **state)
{
    (void)state;
    Arena *a = arena_new();
    for (int i = 0; i < LENGTH(ROWS); i++) {
        SynthResult r = {0};
        SynthText text = {.stat = captured(a, "boxes-", ROWS[i].version, "txt"), .roms = captured(a, "boxes", "", "roms")};
        assert_true(synth_parse(a, family_find("ecp5"), "bench_top", text, &r));
        check_mapped(&r, &ROWS[i]);
        assert_true(r.roms_counted);
        assert_int_equal(r.rom_blocks, 3 * 2 + 1);
    }
    arena_free(a);
}

/* JSON that is valid is read and the text not; what 0.23 prints of a hierarchy is not valid. */
static void test_json(void **state)
{
    (void)state;
    Arena *a = arena_new();
    SynthResult r = {0};
    SynthText text = {.json = captured(a, "mapped-", "0.70", "json"), .stat = "=== other ===\n", .roms = ""};
    assert_true(synth_parse(a, family_find("ecp5"), "bench_top", text, &r));
    check_mapped(&r, &ROWS[2]);
    text = (SynthText){.json = captured(a, "boxes-", "0.70", "json"), .roms = captured(a, "boxes", "", "roms")};
    assert_true(synth_parse(a, family_find("ecp5"), "bench_top", text, &r));
    check_mapped(&r, &ROWS[2]);
    text = (SynthText){.json = captured(a, "mapped-", "0.23", "json"),
                       .stat = captured(a, "mapped-", "0.23", "txt"), .roms = ""};
    assert_true(synth_parse(a, family_find("ecp5"), "bench_top", text, &r));
    check_mapped(&r, &ROWS[0]);
    arena_free(a);
}

/* Two rows of two multipliers and a mapped ROM of two blocks each, in both forms; a ROM without contents. */
static const char BEFORE[] =
    "\n=== $paramod$11\\lg_rom ===\n\n   Number of cells:                  3\n"
    "     DP16KD                          2\n     TRELLIS_FF                      1\n"
    "\n=== $paramod$22\\lg_rom ===\n\n   Number of cells:                  0\n"
    "\n=== lg_mul ===\n\n   Number of cells:                  1\n     MULT18X18D                      1\n"
    "\n=== $paramod\\row\\N=s32'10 ===\n\n     lg_mul   2\n     $paramod$11\\lg_rom   1\n     LUT4 33\n"
    "\n=== top ===\n\n     $paramod\\row\\N=s32'10   2\n     $paramod$22\\lg_rom  1\n     $paramod$44\\lg_rom  3\n"
    "\n=== design hierarchy ===\n\n   top   1\n     LUT4   1000\n";
static const char AFTER[] =
    "\n=== $paramod$11\\lg_rom ===\n\n        3 cells\n        2   DP16KD\n        1   TRELLIS_FF\n"
    "\n=== $paramod$22\\lg_rom ===\n\n        0 cells\n"
    "\n=== lg_mul ===\n\n        1 cells\n        1   MULT18X18D\n"
    "\n=== $paramod\\row\\N=s32'10 ===\n\n        2   lg_mul\n        1   $paramod$11\\lg_rom\n       33   LUT4\n"
    "\n=== top ===\n\n        2   $paramod\\row\\N=s32'10\n        1   $paramod$22\\lg_rom\n        3   $paramod$44\\lg_rom\n"
    "\n=== design hierarchy ===\n\n     1000 top\n     1000   LUT4\n";
static const char ROMS[] =
    "module $abstract\\lg_rom\n  parameter \\WIDTH\n  parameter \\DEPTH\nend\n"
    "attribute \\blackbox 1\nmodule $paramod$44\\lg_rom\n\n  parameter \\WIDTH 40\n  parameter \\DEPTH 32'1000000000\n"
    "  parameter \\INIT_FILE \"mem/w.hex\"\n  wire width 40 output 3 \\rdata_o\nend\n";

static void test_hierarchy(void **state)
{
    (void)state;
    Arena *a = arena_new();
    const char *const forms[] = {BEFORE, AFTER};
    for (int i = 0; i < LENGTH(forms); i++) {
        SynthResult r = {0};
        assert_true(synth_parse(a, family_find("ecp5"), "top", (SynthText){.stat = forms[i], .roms = ROMS}, &r));
        assert_int_equal(r.multipliers, 4);
        assert_int_equal(r.dsp, 4);
        assert_int_equal(r.lut, 66);
        assert_int_equal(r.roms, 2 + 3);                        /* the empty one does not count */
        assert_int_equal(r.rom_blocks, 2 * 2 + 3 * 2);          /* mapped; 40 x 512 in 36 bits */
        assert_int_equal(r.bram, 2 * 2 + 3 * 2);
        assert_int_equal(r.ff, 2 + 3 * 40);
    }
    arena_free(a);
}

static void test_nothing(void **state)
{
    (void)state;
    Arena *a = arena_new();
    const char *const texts[] = {"", "ERROR: x\n", "=== design hierarchy ===\n   top 1\n", "=== lg_mul ===\n  LUT4 3\n"};
    const char *const jsons[] = {"", "{}", "[1, 2]", "{\"modules\": 3}", "{\"modules\": {\"top\""};
    SynthResult r = {0};
    for (int i = 0; i < LENGTH(texts); i++)
        assert_false(synth_parse(a, family_find("ecp5"), "top", (SynthText){.stat = texts[i], .roms = ""}, &r));
    for (int i = 0; i < LENGTH(jsons); i++)
        assert_false(synth_parse(a, family_find("ecp5"), "top", (SynthText){.json = jsons[i], .roms = ""}, &r));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),      cmocka_unit_test(test_boxes),   cmocka_unit_test(test_json),
        cmocka_unit_test(test_hierarchy), cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
