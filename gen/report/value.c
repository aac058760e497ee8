/* value.c: values of the report's object: making them, reading them by path, writing them for
 * people. */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *value_string(Arena *a, const char *text)
{
    json_t *v = json_string(text);
    if (v)
        return v;
    char *clean = str_dup(a, text);
    for (char *p = clean; *p; p++)
        if ((unsigned char)*p >= 128)
            *p = '?';
    return json_string(clean);
}

json_t *value_real(double v)
{
    char text[32];
    snprintf(text, sizeof text, "%.10g", v);
    v = strtod(text, NULL);
    if (v == floor(v) && fabs(v) < 1e15)
        return json_integer((json_int_t)v);
    return json_real(v);
}

json_t *value_rounded(double v, int digits)
{
    double scale = pow(10, digits);
    return value_real(round(v * scale) / scale);
}

const json_t *value_at(const json_t *report, const char *path)
{
    char key[64];
    while (report && *path) {
        size_t n = strcspn(path, ".");
        REQUIRE(n > 0 && n < sizeof key);
        memcpy(key, path, n);
        key[n] = '\0';
        report = json_is_array(report) ? json_array_get(report, (size_t)atoi(key))
                                       : json_object_get(report, key);
        path += n + (path[n] == '.');
    }
    return report;
}

/* 1048576 as 1,048,576. */
static const char *grouped(Arena *a, long long v)
{
    const char *digits = str_format(a, "%lld", v);
    size_t n = strlen(digits), sign = digits[0] == '-';
    Buffer b;
    buffer_init(&b, a);
    for (size_t i = 0; i < n; i++) {
        if (i > sign && (n - i) % 3 == 0)
            buffer_add(&b, ",", 1);
        buffer_add(&b, digits + i, 1);
    }
    return b.text;
}

const char *value_text(Arena *a, const json_t *report, const char *path)
{
    const json_t *v = value_at(report, path);
    if (!v)
        return NULL;
    if (json_is_integer(v))
        return grouped(a, json_integer_value(v));
    if (json_is_real(v))
        return str_format(a, "%.6g", json_real_value(v));
    if (json_is_boolean(v))
        return json_is_true(v) ? "yes" : "no";
    return json_is_string(v) ? json_string_value(v) : NULL;
}

double value_number(const json_t *report, const char *path)
{
    return json_number_value(value_at(report, path));
}
