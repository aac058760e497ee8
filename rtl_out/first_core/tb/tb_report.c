/* tb_report.c: errors, mismatches and the verdict: a JSON file ($LG_RESULT or result.json) and a
 * last line PASS or FAIL. */
#include "tb.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ERRORS_KEPT = 20, MISMATCHES_SHOWN = 10 };

Measured measured;
static char *error_text[ERRORS_KEPT];
static int64_t errors, mismatches, compared;

/* ---------------------------------------------------------------- errors and mismatches */

void tb_error(const char *fmt, ...)
{
    char text[1024];
    int n = snprintf(text, sizeof text, "%s, cycle %" PRId64 ": ", tb_phase(), edge_now);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    va_end(ap);
    if (errors < ERRORS_KEPT) {
        printf("error: %s\n", text);
        error_text[errors] = strdup(text);
    }
    errors++;
}

void tb_mismatch(Item at, int element, uint32_t expected, const char *got)
{
    if (mismatches++ >= MISMATCHES_SHOWN)
        return;
    printf("mismatch: %s, sequence %d, step %d, element %d%s: expected %0*" PRIx32 ", got %s\n",
           tb_phase(), at.sequence, at.step, element, element < config.outputs ? "" : " (padding)",
           config.element_bits / 4, expected, got);
}

void tb_compared(int elements)
{
    compared += elements;
}

/* ---------------------------------------------------------------- verdict */

static void put_json_text(FILE *to, const char *s)
{
    fputc('"', to);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fputc('\\', to);
        if ((unsigned char)*s < 0x20)
            fprintf(to, "\\u%04x", (unsigned char)*s);
        else
            fputc(*s, to);
    }
    fputc('"', to);
}

static bool passed(void)
{
    return !mismatches && !errors && compared > 0 && measured.latency_done && measured.measure_done;
}

static void put_delta(FILE *to, const char *name, const DeltaCounts *c)
{
    if (c->steps)
        fprintf(to, ",\"%s\":{\"steps\":%" PRId64 ",\"skipped_x\":%" PRId64 ",\"skipped_h\":%" PRId64
                ",\"columns\":%" PRId64 ",\"busiest\":%" PRId64 "}",
                name, c->steps, c->skipped_x, c->skipped_h, c->columns, c->busiest);
}

/* {"pass":..., "mismatches":..., ...}; "measured" and "saturations" only when they were. */
static void write_result(void)
{
    const char *path = getenv("LG_RESULT");
    path = path && *path ? path : "result.json";
    FILE *to = fopen(path, "w");
    if (!to) {
        printf("FAIL: cannot write %s\n", path);
        exit(1);
    }
    fprintf(to, "{\"pass\":%s,\"mismatches\":%" PRId64 ",\"compared\":%" PRId64,
            passed() ? "true" : "false", mismatches, compared);
    if (measured.measure_done)
        fprintf(to,
                ",\"measured\":{\"interval\":%.10g,\"latency\":%" PRId64 ",\"steps\":%" PRId64
                ",\"total\":%" PRId64 "}",
                measured.interval, measured.latency, measured.steps, measured.total);
    if (measured.saturations_known)
        fprintf(to, ",\"saturations\":%" PRId64, measured.saturations);
    put_delta(to, "delta", &measured.delta[0]);
    put_delta(to, "raised", &measured.delta[1]);
    fprintf(to, ",\"error_count\":%" PRId64 ",\"errors\":[", errors);
    for (int i = 0; i < errors && i < ERRORS_KEPT; i++) {
        fputs(i ? "," : "", to);
        put_json_text(to, error_text[i]);
    }
    fprintf(to, "],\"cycles\":%" PRId64 ",\"seed\":%" PRIu64 ",\"simulator\":", edge_now,
            config.seed);
    put_json_text(to, measured.simulator);
    fputs("}\n", to);
    if (fclose(to)) {
        printf("FAIL: cannot write %s\n", path);
        exit(1);
    }
}

void report_verdict(void)
{
    write_result();
    printf("%s, seed %" PRIu64 ", %" PRId64 " cycles: %" PRId64 " elements compared, %" PRId64
           " mismatches, %" PRId64 " errors\n",
           measured.simulator, config.seed, edge_now, compared, mismatches, errors);
    if (measured.measure_done)
        printf("interval %.10g, latency %" PRId64 ", %" PRId64 " steps in %" PRId64 " cycles\n",
               measured.interval, measured.latency, measured.steps, measured.total);
    if (passed())
        printf("PASS\n");
    else
        printf("FAIL: %" PRId64 " mismatches, %" PRId64 " errors%s%s\n", mismatches, errors,
               errors ? "; first: " : "", errors ? error_text[0] : "");
    fflush(stdout);
}
