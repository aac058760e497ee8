/* tb_delta.c: thresholds and statistics registers of a core with deltas: which columns every step must have
 * worked on, and whether the registers say so. */
#include "tb.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What the steps since the last reset must have counted. */
static DeltaCounts expected;
static int64_t *columns_of; /* of each array */
static DeltaCounts *counts; /* where what is read goes */
static int setting;

static const int *step_counts(const Item *item)
{
    size_t step = (size_t)(config.first[item->sequence] + item->step);
    return config.setting[setting].counts + step * (size_t)(2 + config.arrays);
}

void delta_add(const Item *item, int n)
{
    if (!columns_of)
        columns_of = calloc((size_t)config.arrays, sizeof *columns_of);
    if (!columns_of) {
        printf("FAIL: out of memory\n");
        exit(1);
    }
    for (int k = 0; k < n; k++) {
        const int *count = step_counts(&item[k]);
        expected.steps++;
        expected.skipped_x += count[0];
        expected.skipped_h += count[1];
        for (int array = 0; array < config.arrays; array++) {
            columns_of[array] += count[2 + array];
            expected.columns += count[2 + array];
            if (columns_of[array] > expected.busiest)
                expected.busiest = columns_of[array];
        }
    }
}

void delta_reset(void)
{
    expected = (DeltaCounts) { 0 };
    if (columns_of)
        memset(columns_of, 0, (size_t)config.arrays * sizeof *columns_of);
}

static void compare(const char *name, uint32_t got, int64_t want)
{
    if (got != (uint32_t)want)
        tb_error("register %s is %u after %" PRId64 " steps, expected %" PRId64, name, (unsigned)got, expected.steps,
                 want);
}

static void check_skipped_x(uint32_t v)
{
    compare("SKIPPED_X", v, expected.skipped_x);
    counts->skipped_x = v;
}

static void check_skipped_h(uint32_t v)
{
    compare("SKIPPED_H", v, expected.skipped_h);
    counts->skipped_h = v;
}

static void check_columns(uint32_t v)
{
    compare("COLUMNS", v, expected.columns);
    counts->columns = v;
}

static void check_busiest(uint32_t v)
{
    compare("BUSIEST", v, expected.busiest);
    counts->busiest = v;
    counts->steps = expected.steps;
}

void delta_read(DeltaCounts *to)
{
    static DeltaCounts unused;
    counts = to ? to : &unused;
    axil_read(REG_SKIPPED_X, check_skipped_x);
    axil_read(REG_SKIPPED_H, check_skipped_h);
    axil_read(REG_COLUMNS, check_columns);
    axil_read(REG_BUSIEST, check_busiest);
}

static void check_threshold_x(uint32_t v)
{
    compare("DELTA_X", v, config.setting[setting].threshold_x);
}

static void check_threshold_h(uint32_t v)
{
    compare("DELTA_H", v, config.setting[setting].threshold_h);
}

void delta_check_thresholds(void)
{
    axil_read(REG_DELTA_X, check_threshold_x);
    axil_read(REG_DELTA_H, check_threshold_h);
}

void delta_set(int number)
{
    setting = number;
    stream.golden = config.setting[number].y;
    axil_write(REG_DELTA_X, config.setting[number].threshold_x);
    axil_write(REG_DELTA_H, config.setting[number].threshold_h);
    delta_check_thresholds();
}
