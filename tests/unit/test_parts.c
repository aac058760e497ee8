/* test_parts.c: part names, and block RAM counts against what Yosys mapped (tests/leaf/blocks.txt). */
#include "flow/parts.h"
#include "flow/pnr.h"
#include "flow/synth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

static void finds(const char *text, const char *name)
{
    const Part *p = part_find(text);
    if (!p || strcmp(p->name, name) != 0) fail_msg("%s: found %s, not %s", text, p ? p->name : "nothing", name);
}

/* Names as they stand in vendors' catalogues, board files and nextpnr's options. */
static void test_names(void **state)
{
    (void)state;
    finds(NULL, "LFE5U-85F");
    finds("GW2A-LV18PG256C8/I7", "GW2A-18");
    finds("gw1nr-lv9qn88pc6/i5", "GW1NR-9");
    finds("", "LFE5U-85F");
    finds("LFE5U-25F", "LFE5U-25F");
    finds("lfe5u-25f", "LFE5U-25F");
    finds("lfe5u25f", "LFE5U-25F");
    finds("LFE5U-85F-6BG381C", "LFE5U-85F");
    finds("LFE5UM-45F-8BG554I", "LFE5UM-45F");
    finds("LIFCL-40-9BG400C", "LIFCL-40");
    finds("LIFCL-17-8UWG72C", "LIFCL-17");
    finds("up5k", "iCE40UP5K");
    finds("ice40up5k-sg48", "iCE40UP5K");
    finds("ICE40HX8K-CT256", "iCE40HX8K");
    finds("hx8k", "iCE40HX8K");
    finds("xc7a35t", "xc7a35t");
    finds("XC7A35TCPG236-1", "xc7a35t");
    finds("xc7a35ticsg324-1L", "xc7a35t");
    finds("xc7a100tcsg324-1", "xc7a100t");
    finds("xc7z020clg400-1", "xc7z020");
    finds("xczu3eg-sbva484-1-e", "xczu3eg");
    finds("xczu7ev-ffvc1156-2-e", "xczu7ev");
    finds("xck26-sfvc784-2LV-c", "xck26");
    finds("5CSEBA6U23I7", "5CSEBA6");
    finds("10CX220YF780E5G", "10CX220");
    finds("xcku060-ffva1156-2-e", "xcku060");
    finds("XCAU15P-2FFVB676E", "xcau15p");
    finds("xc7z100ffg900-2", "xc7z100");
    finds("10AX115S2F45I1SG", "10AX115");
    finds("5SGXEA7K2F40C2", "5SGXEA7");
    finds("10M50DAF484C7G", "10M50");
    finds("MPF300T-1FCG1152I", "MPF300T");
}

static void test_unknown_names(void **state)
{
    (void)state;
    const char *const BAD[] = {"LFE5U", "LFE5U-86F", "xc7a351", "xc7a35", "5CSEBA66", "10CX2205", "iCE40", "up5",
                               "xc7a35t; rm", "LFE5U-85F/../x", "xc7a35tfoo", "-", "85F", "stratix"};
    for (int i = 0; i < LENGTH(BAD); i++)
        if (part_find(BAD[i])) fail_msg("%s was found as %s", BAD[i], part_find(BAD[i])->name);
    assert_string_equal(part_nearest("LFE5U-86F"), "LFE5U-85F");
    assert_string_equal(part_nearest("lfe5u-26f"), "LFE5U-25F");
    assert_string_equal(part_nearest("xc7a36t"), "xc7a35t");
    assert_null(part_nearest("zzzzzzzzzzzz"));
}

/* Every part's family exists; capacities are plausible; no name shadows another. */
static void test_table(void **state)
{
    (void)state;
    int n, families;
    const Part *parts = part_table(&n);
    const Family *family = family_table(&families);
    assert_int_equal(families, 16);
    assert_true(n >= 60);
    for (int i = 0; i < n; i++) {
        const Family *f = part_family(&parts[i]);
        assert_true(parts[i].luts >= 1280 && 4 * parts[i].ffs >= 3 * parts[i].luts && parts[i].brams >= 10);
        assert_true(f->mul_latency >= 1 && f->a_max >= 16 && f->b_max >= f->a_max);
        finds(parts[i].name, parts[i].name);
        finds(parts[i].device, parts[i].name);
        assert_string_equal(part_device(&parts[i], parts[i].name), parts[i].device);
    }
    for (int i = 0; i < families; i++) assert_ptr_equal(family_find(family[i].key), &family[i]);
    assert_null(family_find("generic"));
    assert_string_equal(part_device(part_find("xc7a35ticsg324-1L"), "xc7a35ticsg324-1L"), "xc7a35ticsg324-1L");
}

/* Blocks of families that no Yosys here maps, by hand from the blocks' shapes: 36 x 512 is two M9K of 18 x 512, one M20K
 * and one LSRAM of 40 x 512. */
static void test_shapes(void **state)
{
    (void)state;
    assert_int_equal(part_ram_blocks(family_find("max10"), 36, 512), 2);
    assert_int_equal(part_ram_blocks(family_find("max10"), 9, 1024), 1);
    assert_int_equal(part_ram_blocks(family_find("arria10"), 36, 512), 1);
    assert_int_equal(part_ram_blocks(family_find("stratixv"), 40, 1024), 2);
    assert_int_equal(part_ram_blocks(family_find("polarfire"), 36, 512), 1);
    assert_int_equal(part_rom_blocks(family_find("polarfire"), 10, 4096, 1), 2);
}

/* The speed grade of an ordering code reaches nextpnr; the slowest of ECP5 where there is none. */
static void test_devices(void **state)
{
    (void)state;
    Arena *a = arena_new();
    const struct { const char *code, *device; } rows[] = {
        {"LFE5U-25F", "--25k --speed 6"},          {"LFE5U-25F-8BG381C", "--25k --speed 8"},
        {"lfe5um-85f-7bg756i", "--um-85k --speed 7"}, {"iCE40UP5K-SG48", "--up5k"},
        {"LIFCL-40", "--device LIFCL-40-8BG400C"}, {"LIFCL-40-9BG400C", "--device LIFCL-40-9BG400C"}};
    for (int i = 0; i < LENGTH(rows); i++) {
        const Part *p = part_find(rows[i].code);
        assert_non_null(pnr_tool(p));
        assert_string_equal(pnr_device(a, p, rows[i].code), rows[i].device);
    }
    assert_null(pnr_tool(part_find("xc7a35t")));
    assert_null(pnr_tool(part_find("iCE40UP3K")));
    arena_free(a);
}

/* Hand computed: one part of b_max bits, then parts of b_max - 1. */
static void test_mul_split(void **state)
{
    (void)state;
    const Family *ice40 = family_find("ice40"), *ecp5 = family_find("ecp5"), *xc7 = family_find("xc7");
    assert_int_equal(mul_split(ecp5, 1), 1);
    assert_int_equal(mul_split(ecp5, 18), 1);
    assert_int_equal(mul_split(ecp5, 19), 2);
    assert_int_equal(mul_split(ecp5, 35), 2);
    assert_int_equal(mul_split(ecp5, 36), 3);
    assert_int_equal(mul_split(ecp5, 52), 3);
    assert_int_equal(mul_split(ecp5, 53), 4);
    assert_int_equal(mul_split(ice40, 16), 1);
    assert_int_equal(mul_split(ice40, 24), 2);
    assert_int_equal(mul_split(ice40, 31), 2);
    assert_int_equal(mul_split(ice40, 32), 3);
    assert_int_equal(mul_split(xc7, 25), 1);
    assert_int_equal(mul_split(xc7, 32), 2);
}

static void test_blocks(void **state)
{
    (void)state;
    FILE *in = fopen("tests/leaf/blocks.txt", "r");
    assert_non_null(in);
    char line[200], family[32], leaf[32];
    long long width, depth, blocks;
    int points = 0, wrong = 0;
    while (fgets(line, sizeof line, in)) {
        if (line[0] == '#') continue;
        assert_int_equal(sscanf(line, "%31s %31s %lld %lld %lld", family, leaf, &width, &depth, &blocks), 5);
        const Family *f = family_find(family);
        assert_non_null(f);
        int ports = strcmp(leaf, "lg_rom2") == 0 ? 2 : 1;
        int64_t model = strcmp(leaf, "lg_ram") == 0 ? part_ram_blocks(f, width, depth)
                                                    : part_rom_blocks(f, width, depth, ports);
        points++;
        if (model == blocks) continue;
        wrong++;
        print_error("%s %s %lld x %lld: Yosys %lld, model %lld\n", family, leaf, width, depth, blocks,
                    (long long)model);
    }
    fclose(in);
    assert_true(points >= 300);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),     cmocka_unit_test(test_unknown_names), cmocka_unit_test(test_table),
        cmocka_unit_test(test_mul_split), cmocka_unit_test(test_blocks),        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
