/* test_write.c: which elements of a file go, and the .npy files that writers make; whole files are
 * tested by e2e/prune.py with numpy. Run from the project's root. */
#include "model/writer.h"

#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* (2, 3): keeps a, c, d. */
static uint8_t KEPT[] = { 1, 0, 1, 1, 0, 0 };
static Edit edit_2x3(void)
{
    return (Edit){ .name = "T", .mask = "T_mask", .rank = 2, .shape = { 2, 3 }, .count = 6, .kept = KEPT };
}

static void zeroes_in_c_order(void **state)
{
    (void)state;
    Edit e = edit_2x3();
    uint8_t bytes[] = "aabbccddeeff";
    edit_apply(&e, bytes, 2, false);
    assert_memory_equal(bytes, "aa\0\0ccdd\0\0\0\0", 12);
}

/* The same elements where the first index runs fastest: a d b e c f. */
static void zeroes_in_fortran_order(void **state)
{
    (void)state;
    Edit e = edit_2x3();
    uint8_t bytes[] = "adbecf";
    edit_apply(&e, bytes, 1, true);
    assert_memory_equal(bytes, "ad\0\0c\0", 6);
}

static void three_dimensions_in_fortran_order(void **state)
{
    (void)state;
    uint8_t kept[8] = { 1, 1, 1, 0, 1, 1, 1, 1 };       /* index (0, 1, 1) */
    Edit e = { .rank = 3, .shape = { 2, 2, 2 }, .count = 8, .kept = kept };
    uint8_t bytes[] = "01234567";
    edit_apply(&e, bytes, 1, true);
    assert_memory_equal(bytes, "012345\0" "7", 8);     /* at 0 + 2 * 1 + 4 * 1 */
}

static void mask_is_an_array_of_bytes(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Edit e = edit_2x3();
    Bytes file = npy_mask(a, &e);
    assert_int_equal((file.size - 6) % 64, 0);
    char path[] = "/tmp/lstmgen_test_write.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, file.data, file.size) == (ssize_t)file.size);
    close(fd);
    Diag *d = diag_new(a);
    Tensor *t = array_load(a, d, (Place){ 0 }, path);
    unlink(path);
    assert_non_null(t);
    assert_string_equal(shape_text(a, t), "(2, 3)");
    for (int i = 0; i < 6; i++)
        assert_true(t->data[i] == (float)KEPT[i]);
    arena_free(a);
}

static void only_masks_are_replaced(void **state)
{
    (void)state;
    Arena *a = arena_new();
    Edit e = edit_2x3();
    Rewrite w = { .arena = a, .subject = { diag_new(a), { 0 }, "f.npz", NULL } };
    int64_t same[] = { 2, 3 }, turned[] = { 3, 2 };
    assert_true(mask_replaces(&w, &e, true, 2, same));
    assert_false(diag_failed(w.subject.diag));
    assert_false(mask_replaces(&w, &e, true, 2, turned));
    assert_false(mask_replaces(&w, &e, true, 1, same));
    assert_false(mask_replaces(&w, &e, false, 2, same));
    assert_true(diag_failed(w.subject.diag));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroes_in_c_order),
        cmocka_unit_test(zeroes_in_fortran_order),
        cmocka_unit_test(three_dimensions_in_fortran_order),
        cmocka_unit_test(mask_is_an_array_of_bytes),
        cmocka_unit_test(only_masks_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
