/* tb_delta.c: thresholds and statistics registers of a core with deltas: which columns every step must have
 * worked on, and whether the registers say so. */
#include "tb.h"

#include <inttypes.h>
#include <stddef.h>
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
        tb_error("register %s is %u after %" PRId64 " steps, expected %" PRId64, name, (unsigned)got,
                 expected.steps, want);
}

static const struct Counter {
    uint32_t address;
    const char *name;
    size_t at; /* in DeltaCounts */
} COUNTERS[] = {
    { REG_SKIPPED_X, "SKIPPED_X", offsetof(DeltaCounts, skipped_x) },
    { REG_SKIPPED_H, "SKIPPED_H", offsetof(DeltaCounts, skipped_h) },
    { REG_COLUMNS, "COLUMNS", offsetof(DeltaCounts, columns) },
    { REG_BUSIEST, "BUSIEST", offsetof(DeltaCounts, busiest) },
};
enum { N_COUNTERS = sizeof COUNTERS / sizeof COUNTERS[0] };
static int counters_read; /* answers come in the order of the reads */

static int64_t *count_in(DeltaCounts *c, const struct Counter *counter)
{
    return (int64_t *)((char *)c + counter->at);
}

static void check_counter(uint32_t v)
{
    const struct Counter *counter = &COUNTERS[counters_read++];
    compare(counter->name, v, *count_in(&expected, counter));
    *count_in(counts, counter) = v;
    if (counters_read == N_COUNTERS)
        counts->steps = expected.steps;
}

void delta_read(DeltaCounts *to)
{
    static DeltaCounts unused;
    counts = to ? to : &unused;
    counters_read = 0;
    for (int k = 0; k < N_COUNTERS; k++)
        axil_read(COUNTERS[k].address, check_counter);
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
