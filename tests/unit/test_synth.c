/* test_synth.c: the synthesis runner on a small design with every leaf (tests/leaf/bench_top.v), for all families, and
 * on the same design with faults that it must refuse. Run from the project's root; needs yosys. */
#include "flow/synth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 3, LANES = 2, DEPTH = 512, TABLE = 256 };

static const char *const LEAVES[] = {"lg_mul", "lg_mux_add", "lg_ram", "lg_ram_small", "lg_rom", "lg_rom2"};

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static char *read_all(Arena *a, const char *path)
{
    Diag *d = diag_new(a);
    Bytes b;
    assert_true(file_read(a, d, (Place){.file = path}, path, 1 << 20, &b));
    return str_ndup(a, (const char *)b.data, b.size);
}

static char *replaced(Arena *a, const char *text, const char *hole, const char *value)
{
    Buffer b;
    buffer_init(&b, a);
    for (const char *at; (at = strstr(text, hole)); text = at + strlen(hole)) {
        buffer_add(&b, text, (size_t)(at - text));
        buffer_add(&b, value, strlen(value));
    }
    buffer_add(&b, text, strlen(text));
    return b.text;
}

/* Seeded contents; full = false: a file with no words, as a failed pack would leave it. */
static char *contents(Arena *a, int width, int depth, bool full)
{
    Buffer b;
    buffer_init(&b, a);
    buffer_print(&b, "// %d bits, %d words\n", width, depth);
    uint64_t x = 88172645463325252u;
    for (int i = 0; full && i < depth; i++) {
        for (int digit = 0; digit < (width + 3) / 4; digit++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            buffer_print(&b, "%x", (unsigned)(x >> 20) & 15);
        }
        buffer_print(&b, "\n");
    }
    return b.text;
}

/* A folder with the design as the emitter would lay it out. */
static const char *make_folder(Arena *a, const Part *p, bool count, bool full)
{
    char *folder = str_dup(a, "/tmp/lg_synth_XXXXXX");
    assert_non_null(mkdtemp(folder));
    const char *parts[] = {"rtl", "mem", "syn"};
    for (int i = 0; i < LENGTH(parts); i++) assert_int_equal(mkdir(path_join(a, folder, parts[i]), 0777), 0);
    Buffer files;
    buffer_init(&files, a);
    for (int i = 0; i < LENGTH(LEAVES); i++) {
        const char *name = str_format(a, "rtl/%s.v", LEAVES[i]);
        write_text(path_join(a, folder, name), read_all(a, part_leaf(a, "templates", part_family(p), LEAVES[i])));
        buffer_print(&files, "%s ", name);
    }
    write_text(path_join(a, folder, "rtl/bench_pe.v"), read_all(a, "tests/leaf/bench_pe.v"));
    write_text(path_join(a, folder, "rtl/bench_top.v"), read_all(a, "tests/leaf/bench_top.v"));
    buffer_print(&files, "rtl/bench_pe.v rtl/bench_top.v");
    write_text(path_join(a, folder, "mem/weights.hex"), contents(a, 20 * LANES, DEPTH, full));
    write_text(path_join(a, folder, "mem/table.hex"), contents(a, 16, TABLE, true));

    char *script = read_all(a, "templates/flow/synth.ys");
    script = replaced(a, script, "${NAME}", "bench");
    script = replaced(a, script, "${TITLE}", part_family(p)->title);
    const char *cells = str_format(a, "templates/lib/leaf/%s/cells.v", part_family(p)->folder);
    bool has = file_exists(cells);
    if (has)
        write_text(path_join(a, folder, "syn/cells.v"), read_all(a, cells));
    script = replaced(a, script, "${CELLS}", has ? "read_verilog -lib syn/cells.v\n" : "");
    script = replaced(a, script, "${SYNTH}", synth_command(p));
    script = replaced(a, script, "${DEFINES}", synth_defines(a, p, count));
    script = replaced(a, script, "${FILES}", files.text);
    assert_null(strstr(script, "${"));
    write_text(path_join(a, folder, "syn/bench.ys"), script);
    return folder;
}

static void remove_folder(Arena *a, const char *folder)
{
    assert_true(str_starts(folder, "/tmp/lg_synth_"));
    assert_int_equal(system(str_format(a, "rm -rf '%s'", folder)), 0);
}

static SynthExpect expected(const Part *p)
{
    const Family *f = part_family(p);
    return (SynthExpect){.multipliers = ROWS * LANES, .roms = ROWS,
                         .rom_blocks = ROWS * part_rom_blocks(f, 20 * LANES, DEPTH, 1) +
                                       part_rom_blocks(f, 16, TABLE, 2),
                         .ram_blocks = part_ram_blocks(f, 16, DEPTH)};
}

static const char *const EVERY[] = {"iCE40UP5K", "iCE40HX8K", "LFE5U-25F", "LIFCL-40", "xc7a35t", "xczu3eg",
                                    "xcku060",   "5CSEBA6",   "10CX220", "GW2A-18"};

/* Counted or mapped, every family has exactly what the planner would expect. */
static void test_families(void **state)
{
    (void)state;
    for (int i = 0; i < LENGTH(EVERY); i++) {
        int64_t mapped_ff = -1;
        for (int count = 0; count <= 1; count++) {
            const Part *p = part_find(EVERY[i]);
            if (!count && part_family(p)->rom_as_logic) continue;
            Arena *a = arena_new();
            Diag *d = diag_new(a);
            const char *folder = make_folder(a, p, count, true);
            SynthExpect e = expected(p);
            SynthResult r;
            bool ok = synth_run(a, d, folder, "bench", p, e, &r);
            diag_flush(d, stderr);
            printf("%-10s %s: LUT %lld LUTRAM %lld FF %lld carry %lld DSP %lld BRAM %lld\n", p->name,
                   count ? "counted" : "mapped ", (long long)r.lut, (long long)r.lutram, (long long)r.ff,
                   (long long)r.carry, (long long)r.dsp, (long long)r.bram);
            assert_true(ok && r.pass);
            assert_int_equal(r.roms_counted, count);
            assert_int_equal(r.multipliers, ROWS * LANES);
            assert_int_equal(r.dsp, p->dsps ? ROWS * LANES : 0);
            assert_int_equal(r.roms, ROWS);
            assert_int_equal(r.rom_blocks, e.rom_blocks);
            int64_t banks = part_family(p)->small_ram ? 0 : ROWS * LANES * part_ram_blocks(part_family(p), 16, 16);
            assert_int_equal(r.bram, e.rom_blocks + e.ram_blocks + banks);
            assert_true(r.lut > 0 && r.ff > 0 && r.carry > 0);
            if (mapped_ff >= 0) assert_int_equal(r.ff, mapped_ff);      /* a black box hides no register */
            mapped_ff = r.ff;
            remove_folder(a, folder);
            arena_free(a);
        }
    }
}

/* Runs with a fault; the status must be that of a failed tool and the message must name what is missing. */
static void refused(const char *part, bool full, SynthExpect change, const char *words)
{
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    const Part *p = part_find(part);
    const char *folder = make_folder(a, p, false, full);
    SynthExpect e = expected(p);
    e.multipliers += change.multipliers;
    e.roms += change.roms;
    e.ram_blocks += change.ram_blocks;
    SynthResult r;
    assert_false(synth_run(a, d, folder, "bench", p, e, &r));
    assert_false(r.pass);
    assert_int_equal(diag_status(d), EXIT_TOOL);
    FILE *to = tmpfile();
    diag_flush(d, to);
    char text[4096] = "";
    rewind(to);
    text[fread(text, 1, sizeof text - 1, to)] = '\0';
    fclose(to);
    if (!strstr(text, words)) fprintf(stderr, "wanted: %s\ngot: %s\n", words, text);
    assert_non_null(strstr(text, words));
    remove_folder(a, folder);
    arena_free(a);
}

static void test_empty_rom(void **state)
{
    (void)state;
    refused("LFE5U-25F", false, (SynthExpect){0}, "0 weight memories with contents, 3 are expected");
}

static void test_missing_multipliers(void **state)
{
    (void)state;
    refused("LFE5U-25F", true, (SynthExpect){.multipliers = 1}, "6 lg_mul instances, 7 are expected");
}

static void test_missing_loadable(void **state)
{
    (void)state;
    refused("LFE5U-25F", true, (SynthExpect){.ram_blocks = 1}, "1 block RAMs of loadable weights, 2 are expected");
}

/* Yosys ends with an error: the last lines of its log are shown. */
static void test_bad_source(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    const Part *p = part_find("LFE5U-25F");
    const char *folder = make_folder(a, p, true, true);
    write_text(path_join(a, folder, "rtl/lg_mux_add.v"), "module lg_mux_add (\n");
    SynthResult r;
    assert_false(synth_run(a, d, folder, "bench", p, expected(p), &r));
    assert_int_equal(diag_status(d), EXIT_TOOL);
    remove_folder(a, folder);
    arena_free(a);
}

/* Status 0 and no netlist (seen with the WebAssembly build) is a failure, and an old netlist is not taken for it. */
static void test_no_netlist(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    const Part *p = part_find("LFE5U-25F");
    const char *folder = make_folder(a, p, true, true);
    write_text(path_join(a, folder, "syn/bench.ys"), "# nothing\n");
    write_text(path_join(a, folder, "syn/bench.json"), "{}");
    write_text(path_join(a, folder, "syn/bench.stat.txt"), "=== design hierarchy ===\n");
    SynthResult r;
    assert_false(synth_run(a, d, folder, "bench", p, expected(p), &r));
    assert_int_equal(diag_status(d), EXIT_TOOL);
    remove_folder(a, folder);
    arena_free(a);
}

int main(void)
{
    if (system("command -v yosys > /dev/null 2>&1")) {
        printf("skipped: yosys is not there\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_rom),     cmocka_unit_test(test_missing_multipliers),
        cmocka_unit_test(test_missing_loadable), cmocka_unit_test(test_bad_source),
        cmocka_unit_test(test_no_netlist),    cmocka_unit_test(test_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
