/* test_base.c: arena, strings, diagnostics, files and output folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lstmgen.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

static char root[64];                   /* a folder of this run's own */

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/test_base.XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static const char *in_root(Arena *a, const char *name)
{
    return path_join(a, root, name);
}

static void put_file(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static const char *get_file(Arena *a, const char *path)
{
    Bytes b;
    Diag *d = diag_new(a);
    assert_true(file_read(a, d, (Place){ 0 }, path, 1 << 20, &b));
    return str_ndup(a, (const char *)b.data, b.size);
}

/* Everything diag_flush prints. */
static const char *printed(Arena *a, Diag *d)
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

static int count_of(const char *text, const char *word)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
        n++;
    return n;
}

static void test_arena(void **state)
{
    (void)state;
    Arena *a = arena_new();
    for (size_t size = 0; size < 100000; size = size * 3 + 1) {
        uint8_t *p = arena_alloc(a, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xA5, size);
    }
    size_t before = arena_bytes(a);
    arena_alloc(a, 10 << 20);
    assert_true(arena_bytes(a) >= before + (10 << 20));
    arena_free(a);
    arena_free(NULL);
}

/* Grown from 1 byte to 1 MB with other blocks between: the contents stay, the new part is zero. */
static void test_arena_grow(void **state)
{
    (void)state;
    Arena *a = arena_new();
    size_t size = 0;
    uint8_t *p = NULL;
    for (size_t next = 1; next <= 1 << 20; next = next * 2 + 1) {
        p = arena_grow(a, p, size, next);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], (uint8_t)(i * 7 + 1));
        for (size_t i = size; i < next; i++) {
            assert_int_equal(p[i], 0);
            p[i] = (uint8_t)(i * 7 + 1);
        }
        size = next;
        if (size % 3 == 1)
            memset(arena_alloc(a, 24), 0xFF, 24);
    }
    assert_ptr_equal(arena_grow(a, p, size, 10), p);
    arena_free(a);
}

static void test_strings(void **state)
{
    (void)state;
    Arena *a = arena_new();
    assert_string_equal(str_format(a, "%d-%s", 42, "x"), "42-x");
    assert_string_equal(str_ndup(a, "abcdef", 3), "abc");
    assert_true(str_starts("model.file", "model."));
    assert_false(str_starts("mod", "model"));
    assert_true(str_ends("a.npz", ".npz"));
    assert_false(str_ends("npz", ".npz"));
    Buffer b;
    buffer_init(&b, a);
    assert_string_equal(b.text, "");
    for (int i = 0; i < 5000; i++)
        buffer_print(&b, "%04d,", i);
    buffer_add(&b, "end", 3);
    assert_int_equal(b.length, 25003);
    assert_memory_equal(b.text + 5 * 1234, "1234,", 5);
    assert_string_equal(b.text + 25000, "end");
    arena_free(a);
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = { "engine", "bank_balanced", "pes", "W", "R" };
    assert_string_equal(str_nearest("engin", names, 5), "engine");
    assert_string_equal(str_nearest("enigne", names, 5), "engine");
    assert_string_equal(str_nearest("bank_balancd", names, 5), "bank_balanced");
    assert_string_equal(str_nearest("PES", names, 5), "pes");
    assert_string_equal(str_nearest("peas", names, 5), "pes");
    assert_null(str_nearest("sparsity", names, 5));
    assert_null(str_nearest("", names, 5));
    assert_null(str_nearest("012345678901234567890123456789012345678901234567890123456789012345678"
                            "9",
                            names, 5));
}

static void test_diag_order_and_caret(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    const char text[] = "name: x\n\tpes: \xC3\xA4 b\nlast";
    diag_source(d, "s.yaml", text, strlen(text));
    diag_error(d, (Place){ "s.yaml", 3, 1 }, "third");
    diag_warn(d, (Place){ "s.yaml", 1, 7 }, "second %d", 2);
    diag_error(d, (Place){ "s.yaml", 2, 9 }, "wide");
    diag_error(d, (Place){ 0 }, "nowhere");
    diag_error(d, (Place){ "s.yaml", 0, 0 }, "whole");
    assert_string_equal(printed(a, d),
                        "lstmgen: error: nowhere\n"
                        "s.yaml: error: whole\n"
                        "s.yaml:1:7: warning: second 2\n    name: x\n          ^\n"
                        "s.yaml:2:9: error: wide\n    \tpes: \xC3\xA4 b\n    \t       ^\n"
                        "s.yaml:3:1: error: third\n    last\n    ^\n");
    assert_string_equal(printed(a, d), "");
    const char *const *warnings;
    assert_int_equal(diag_warnings(d, &warnings), 1);
    assert_string_equal(warnings[0], "second 2");
    arena_free(a);
}

static void test_diag_clash_and_repeat(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    diag_source(d, "s", "a: 1\na: 2\n", 10);
    for (int i = 0; i < 3; i++)
        diag_clash(d, (Place){ "s", 2, 1 }, (Place){ "s", 1, 1 }, "first here", "key '%s' twice",
                   "a");
    diag_error(d, (Place){ "s", 9, 9 }, "bell \a and escape \033[31m");
    assert_string_equal(printed(a, d),
                        "s:2:1: error: key 'a' twice\n    a: 2\n    ^\n"
                        "s:1:1: note: first here\n    a: 1\n    ^\n"
                        "s:9:9: error: bell ? and escape ?[31m\n");
    arena_free(a);
}

static void test_diag_limit_and_status(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    assert_int_equal(diag_status(d), EXIT_OK);
    diag_warn(d, (Place){ 0 }, "only a warning");
    assert_false(diag_failed(d));
    for (int i = 0; i < 33; i++)
        diag_error(d, (Place){ "f", i + 1, 1 }, "fault %d.", i);
    assert_int_equal(diag_status(d), EXIT_INPUT);
    const char *text = printed(a, d);
    assert_int_equal(count_of(text, ": error: "), 20);
    assert_non_null(strstr(text, "fault 19.\n... and 13 more errors\n"));
    diag_tool(d, "no tool");
    assert_int_equal(diag_status(d), EXIT_TOOL);
    arena_free(a);
}

/* A hostile file with a hundred thousand faults costs no time and loses no count. */
static void test_diag_flood(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    for (int i = 0; i < 100000; i++)
        diag_error(d, (Place){ "f", i + 1, 1 }, "fault");
    assert_non_null(strstr(printed(a, d), "... and 99980 more errors\n"));
    assert_string_equal(printed(a, d), "");
    arena_free(a);
}

/* A one-line JSON of 4000 characters: the excerpt stays short and the caret is below the place. */
static void test_diag_long_line(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    char line[4001];
    memset(line, '.', 4000);
    line[2999] = '#';
    line[4000] = '\0';
    diag_source(d, "j", line, 4000);
    diag_error(d, (Place){ "j", 1, 3000 }, "here");
    const char *text = printed(a, d);
    const char *excerpt = strchr(text, '\n') + 1, *carets = strchr(excerpt, '\n') + 1;
    assert_true(carets - excerpt < 120);
    assert_int_equal(strchr(excerpt, '#') - excerpt, strchr(carets, '^') - carets);
    arena_free(a);
}

static void expect_refusal(const char *path, size_t limit, const char *word)
{
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    Bytes b;
    assert_false(file_read(a, d, (Place){ "s.yaml", 4, 2 }, path, limit, &b));
    const char *text = printed(a, d);
    assert_non_null(strstr(text, word));
    assert_non_null(strstr(text, "s.yaml:4:2: error: "));
    arena_free(a);
}

static void test_file_read(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    static uint8_t big[300000];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i % 251);
    const char *path = in_root(a, "big");
    put_file(path, big, sizeof big);
    Bytes b;
    for (size_t limit = sizeof big; limit < sizeof big + 2; limit++) {
        assert_true(file_read(a, d, (Place){ 0 }, path, limit, &b));
        assert_int_equal(b.size, sizeof big);
        assert_memory_equal(b.data, big, sizeof big);
    }
    put_file(in_root(a, "empty"), "", 0);
    assert_true(file_read(a, d, (Place){ 0 }, in_root(a, "empty"), 10, &b));
    assert_int_equal(b.size, 0);
    expect_refusal(path, sizeof big - 1, "too large");
    expect_refusal("/dev/zero", 100000, "too large");
    expect_refusal(root, 100, "is a folder");
    expect_refusal(in_root(a, "nothing"), 100, "No such file");
    assert_true(file_exists(path) && !file_is_folder(path) && file_is_folder(root));
    arena_free(a);
}

static void test_paths(void **state)
{
    (void)state;
    Arena *a = arena_new();
    assert_string_equal(path_beside(a, "x/y/s.yaml", "m.npz"), "x/y/m.npz");
    assert_string_equal(path_beside(a, "s.yaml", "m.npz"), "m.npz");
    assert_string_equal(path_beside(a, "x/s.yaml", "/abs/m.npz"), "/abs/m.npz");
    assert_string_equal(path_beside(a, "/s.yaml", "m"), "/m");
    assert_string_equal(path_join(a, "a", "b"), "a/b");
    assert_string_equal(path_join(a, "a/", "b"), "a/b");
    assert_string_equal(path_name("a/b/c.txt"), "c.txt");
    assert_string_equal(path_name("c.txt"), "c.txt");
    arena_free(a);
}

static void test_data_folder(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    assert_int_equal(mkdir(in_root(a, "templates"), 0777), 0);
    setenv("LSTMGEN_DATA", root, 1);
    assert_null(data_folder(a, d));
    assert_non_null(strstr(printed(a, d), "templates/lib"));
    assert_int_equal(mkdir(in_root(a, "templates/lib"), 0777), 0);
    assert_string_equal(data_folder(a, d), root);
    unsetenv("LSTMGEN_DATA");
    arena_free(a);
}

/* FIPS 180-2, appendix B.1, and the hash of nothing. */
static void test_sha256(void **state)
{
    (void)state;
    char hex[65];
    sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void list_one(void *ctx, const char *name, const char sha256[65], size_t size)
{
    buffer_print(ctx, "%s %.8s %zu;", name, sha256, size);
}

static int entries(Arena *a, const char *path)
{
    FILE *f = popen(str_format(a, "ls -A '%s' | wc -l", path), "r");
    int n = -1;
    assert_int_equal(fscanf(f, "%d", &n), 1);
    pclose(f);
    return n;
}

/* A manifest by which a folder is lstmgen's, with one file and what may be renewed. */
static const char OWN[] = "{\"generator\": \"lstmgen\", \"files\": [{\"name\": \"rtl/top.v\"}], "
                          "\"renewed\": [\"build/*.log\", \"build/cache/v-*\"]}";

static void test_folder(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    const char *path = in_root(a, "deep/er/out");
    for (int round = 0; round < 2; round++) {
        Folder *f = folder_begin(a, d, path);
        assert_non_null(f);
        assert_true(folder_write(f, "rtl/top.v", "abc", 3));
        FolderFile *file = folder_open(f, "manifest.json");
        for (size_t i = 0; i < sizeof OWN - 1; i++)
            folder_put(file, OWN + i, 1);
        folder_put(file, round ? "\n" : " ", 1);
        assert_true(folder_close(file));
        Buffer b;
        buffer_init(&b, a);
        folder_list(f, list_one, &b);
        if (round == 0)
            assert_non_null(strstr(b.text, "rtl/top.v ba7816bf 3;"));
        assert_true(folder_commit(f));
        assert_string_equal(get_file(a, path_join(a, path, "manifest.json")),
                            str_format(a, "%s%s", OWN, round ? "\n" : " "));
    }
    assert_int_equal(entries(a, in_root(a, "deep/er")), 1);
    assert_false(diag_failed(d));
    arena_free(a);
}

/* An abort, an arena freed too early and a failed write leave the old output and no litter. */
static void test_folder_abort(void **state)
{
    (void)state;
    Arena *a = arena_new();
    assert_int_equal(mkdir(in_root(a, "abort"), 0777), 0);
    const char *path = in_root(a, "abort/out");
    for (int round = 0; round < 3; round++) {
        Arena *b = arena_new();
        Folder *f = folder_begin(b, diag_new(b), path);
        assert_true(folder_write(f, "manifest.json", OWN, strlen(OWN)));
        if (round == 0)
            assert_true(folder_commit(f));
        if (round == 1) {
            assert_non_null(folder_open(f, "half.txt"));
            folder_abort(f);
        }
        arena_free(b);
        assert_string_equal(get_file(a, path_join(a, path, "manifest.json")), OWN);
        assert_int_equal(entries(a, in_root(a, "abort")), 1);
    }
    Diag *d = diag_new(a);
    Folder *f = folder_begin(a, d, in_root(a, "not/there/out"));
    folder_abort(f);
    assert_false(file_exists(in_root(a, "not")));
    arena_free(a);
}

/* One text with all that means something somewhere, in each language; by hand from their grammars. */
static void test_escape(void **state)
{
    (void)state;
    Arena *a = arena_new();
    const char *text = "a\\\n*/ /* // \"$[x]{;}' <&|`\x7f\xc3\xa9";
    assert_string_equal(text_line(a, text), "a\\?*/ /* // \"$[x]{;}' <&|`?\xc3\xa9");
    assert_string_equal(text_comment(a, text), "a___/ _* _/ \"$[x]{;}' <&|`___");
    assert_string_equal(text_tcl(a, text), "\"a\\\\\\u000a*/ /* // \\\"\\$\\[x\\]\\{\\;\\}' <&|`\\u007f\xc3\xa9\"");
    assert_string_equal(text_xml(a, text), "a\\?*/ /* // &quot;$[x]{;}&#39; &lt;&amp;|`?\xc3\xa9");
    assert_string_equal(text_markdown(a, text), "a\\ */ /* // \"$\\[x\\]{;}' &lt;&\\|` \xc3\xa9");
    assert_string_equal(text_code(a, text), "`a\\ */ /* // \"$[x]{;}' <&\\|' \xc3\xa9`");
    assert_string_equal(text_yaml(a, text), "\"a\\\\\\x0a*/ /* // \\\"$[x]{;}' <&|`\\x7f\xc3\xa9\"");
    assert_string_equal(text_make(a, text), "a\\\n*/ /* // \"$$[x]{;}' <&|`\x7f\xc3\xa9");
    assert_string_equal(text_tcl(a, "LFE5U-85F"), "LFE5U-85F");
    assert_true(text_is_path("/tmp/a-b_c.d") && !text_is_path("/tmp/a b") && !text_is_path("/tmp/$(x)"));
    assert_false(text_is_path("a%b") || text_is_path("") || text_is_path("a\n"));
    arena_free(a);
}

static int calls;

static int next_call(void)
{
    return ++calls;
}

/* Each argument is evaluated once, and no value loses its type. */
static void test_least(void **state)
{
    (void)state;
    calls = 0;
    assert_int_equal(MAX(next_call(), 0), 1);
    assert_int_equal(MIN(next_call(), 7), 2);
    assert_int_equal(calls, 2);
    assert_true(MAX((int64_t)1 << 40, 3) == (int64_t)1 << 40 && MIN((size_t)-1, (size_t)5) == 5);
    assert_true(MIN(-0.25, 1) == -0.25 && MAX(2, 2.5) == 2.5 && MIN((uint8_t)200, -1) == -1);
}

static void test_folder_names(void **state)
{
    (void)state;
    static const char *const bad[] = { "../x", "/x", "a/../../x", "..", "", "a//b", "a/./b", "a/" };
    Arena *a = arena_new();
    for (int i = 0; i < LENGTH(bad); i++) {
        Diag *d = diag_new(a);
        Folder *f = folder_begin(a, d, in_root(a, "names"));
        assert_false(folder_write(f, bad[i], "x", 1));
        assert_int_equal(diag_status(d), EXIT_INPUT);
        assert_non_null(strstr(printed(a, d), "leaves the output folder"));
        assert_false(folder_commit(f));
        assert_false(file_exists(in_root(a, "names")));
    }
    Diag *d = diag_new(a);
    Folder *f = folder_begin(a, d, in_root(a, "names"));
    assert_true(folder_write(f, "a..b/..c", "x", 1));
    folder_abort(f);
    arena_free(a);
}

/* The user's own folder, a file, or a name that is none: refused and untouched. */
static void test_folder_refusals(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    assert_int_equal(mkdir(in_root(a, "mine"), 0777), 0);
    put_file(in_root(a, "mine/thesis.tex"), "x", 1);
    assert_null(folder_begin(a, d, in_root(a, "mine")));
    assert_non_null(strstr(printed(a, d), "no manifest.json of lstmgen"));
    assert_null(folder_begin(a, d, in_root(a, "mine/thesis.tex")));
    assert_non_null(strstr(printed(a, d), "is a file"));
    assert_null(folder_begin(a, d, in_root(a, "mine/thesis.tex/out")));
    assert_non_null(strstr(printed(a, d), "Not a directory"));
    assert_null(folder_begin(a, d, ""));
    assert_null(folder_begin(a, d, "/"));
    assert_int_equal(entries(a, in_root(a, "mine")), 1);
    assert_int_equal(symlink("mine2", in_root(a, "link")), 0);
    assert_int_equal(mkdir(in_root(a, "mine2"), 0777), 0);
    Folder *f = folder_begin(a, d, in_root(a, "link/"));
    assert_true(folder_write(f, "manifest.json", "x", 1) && folder_commit(f));
    assert_true(file_exists(in_root(a, "mine2/manifest.json")));
    arena_free(a);
}

/* What lies in a folder besides OWN and what it lists; "" where the folder may be replaced. */
typedef struct Lying { const char *manifest, *file, *says; } Lying;

static const char *make_lying(Arena *a, const Lying *c, int i)
{
    const char *path = in_root(a, str_format(a, "lying%d", i));
    mkdir(path, 0777);
    static const char *const folders[] = { "rtl", "build", "build/cache", "notes", "rtl/deep" };
    for (int k = 0; k < LENGTH(folders); k++)
        if (str_starts(c->file, folders[k]))
            mkdir(path_join(a, path, folders[k]), 0777);
    put_file(path_join(a, path, "manifest.json"), c->manifest, strlen(c->manifest));
    const char *file = path_join(a, path, c->file);
    if (str_ends(c->file, "->"))
        assert_int_equal(symlink("/etc/passwd", str_ndup(a, file, strlen(file) - 2)), 0);
    else if (!str_ends(c->file, "/"))
        put_file(file, "mine", 4);
    return path;
}

/* Only what its manifest lists may lie in a folder that is replaced; the first other thing is named and stays. */
static void test_folder_foreign(void **state)
{
    static const Lying CASES[] = {
        { OWN, "rtl/top.v", "" }, { OWN, "build/a.log", "" }, { OWN, "build/cache/v-1", "" },
        { OWN, "note.txt", "note.txt in it" }, { OWN, "rtl/top.v.orig", "rtl/top.v.orig in it" },
        { OWN, "rtl/deep/x", "rtl/deep/ in it" }, { OWN, "notes/", "notes/ in it" }, { OWN, "build/x", "build/x in it" },
        { OWN, "build/cache/a.log", "build/cache/a.log in it" }, { OWN, "rtl/top.v->", "rtl/top.v in it" },
        { OWN, ".hidden", ".hidden in it" }, { "{}", "rtl/top.v", "not lstmgen's" }, { "", "rtl/top.v", "not lstmgen's" },
        { "{\"generator\": \"webpack\", \"files\": []}", "rtl/top.v", "not lstmgen's" },
        { "{\"generator\": [\"lstmgen\"]}", "rtl/top.v", "not lstmgen's" },
        { "{\"tool\": \"lstmgen 0.1.0\"}", "rtl/top.v", "a former version of lstmgen" },
        { "{\"generator\": \"lstmgen\", \"files\": [7, {}], \"renewed\": [3, \"..\"]}", "x", "x in it" },
    };
    (void)state;
    Arena *a = arena_new();
    for (int i = 0; i < LENGTH(CASES); i++) {
        Diag *d = diag_new(a);
        const char *path = make_lying(a, &CASES[i], i);
        Folder *f = folder_begin(a, d, path);
        const char *says = printed(a, d);
        if (CASES[i].says[0] ? f || !strstr(says, CASES[i].says) : !f)
            fail_msg("%s: %s", CASES[i].file, says);
        if (!f) {
            assert_false(folder_remove_own(path));
            assert_int_equal(file_exists(path_join(a, path, "manifest.json")), 1);
            continue;
        }
        assert_true(folder_write(f, "manifest.json", OWN, strlen(OWN)) && folder_commit(f));
        assert_int_equal(entries(a, path), 1);
    }
    arena_free(a);
}

/* Something that appears while the new folder is being written is found at the end. */
static void test_folder_late(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    const char *path = in_root(a, "late/out");
    Folder *f = folder_begin(a, d, path);
    assert_non_null(f);
    assert_int_equal(mkdir(path, 0777), 0);
    put_file(path_join(a, path, "thesis.tex"), "x", 1);
    assert_false(folder_commit(f));
    assert_non_null(strstr(printed(a, d), "no manifest.json of lstmgen"));
    assert_string_equal(get_file(a, path_join(a, path, "thesis.tex")), "x");
    assert_int_equal(entries(a, in_root(a, "late")), 1);
    arena_free(a);
}

/* A parent that was made for a folder stays when somebody else has put something there meanwhile. */
static void test_folder_made(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Folder *f = folder_begin(a, diag_new(a), in_root(a, "made/by/out"));
    put_file(in_root(a, "made/other"), "x", 1);
    folder_abort(f);
    assert_string_equal(get_file(a, in_root(a, "made/other")), "x");
    assert_false(file_exists(in_root(a, "made/by")));
    arena_free(a);
}

/* A limit on the size of files stands in for a full disk. */
static void test_folder_full(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    const char *path = in_root(a, "full");
    Folder *f = folder_begin(a, d, path);
    assert_true(folder_write(f, "manifest.json", OWN, strlen(OWN)) && folder_commit(f));
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 8192;
    setrlimit(RLIMIT_FSIZE, &small);
    f = folder_begin(a, d, path);
    FolderFile *file = folder_open(f, "big");
    for (int i = 0; i < 20000; i++)
        folder_put(file, "0123456789", 10);
    assert_false(folder_close(file));
    assert_null(folder_open(f, "next"));
    assert_false(folder_commit(f));
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(diag_status(d), EXIT_INPUT);
    assert_non_null(strstr(printed(a, d), "cannot write big: File too large (nothing was changed "
                                          "in "));
    assert_string_equal(get_file(a, in_root(a, "full/manifest.json")), OWN);
    assert_int_equal(entries(a, path), 1);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_arena_grow),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_diag_order_and_caret),
        cmocka_unit_test(test_diag_clash_and_repeat),
        cmocka_unit_test(test_diag_limit_and_status),
        cmocka_unit_test(test_diag_flood),
        cmocka_unit_test(test_diag_long_line),
        cmocka_unit_test(test_file_read),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_data_folder),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_folder_abort),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_folder_names),
        cmocka_unit_test(test_folder_refusals),
        cmocka_unit_test(test_folder_foreign),
        cmocka_unit_test(test_folder_late),
        cmocka_unit_test(test_folder_made),
        cmocka_unit_test(test_folder_full),
    };
    return cmocka_run_group_tests_name("base", tests, make_root, remove_root);
}
