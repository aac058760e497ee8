/* tb_config.c: reads tb/config.txt, the vectors and the memory images into beats and words. */
#include "tb.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

Config config;
static char problem[1536];

static const char *fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(problem, sizeof problem, fmt, ap);
    va_end(ap);
    return problem;
}

/* Zeroed memory for the whole simulation; the process ends with it. */
static void *reserve(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) {
        printf("FAIL: out of memory\n");
        exit(1);
    }
    return p;
}

/* ---------------------------------------------------------------- config.txt */

/* "memory <select> <words> <width> <file>"; the file's words are read later, when all keys are
 * known. */
typedef struct MemoryLine {
    int select, words, width;
    char file[1024];
} MemoryLine;
static MemoryLine *memory_line;

static const char *read_memory_line(const char *value)
{
    MemoryLine m;
    memset(&m, 0, sizeof m);
    if (sscanf(value, "%d %d %d %1023[^\n]", &m.select, &m.words, &m.width, m.file) != 4)
        return fail("memory needs: select words width file");
    if (config.n_memories == MEMORIES_MAX)
        return fail("more than %d memories", MEMORIES_MAX);
    if (m.words < 1 || m.width < 1 || m.select < 0 || m.select > 4095)
        return fail("memory %s: select %d, words %d or width %d out of range", m.file, m.select,
                    m.words, m.width);
    memory_line[config.n_memories++] = m;
    return NULL;
}

static const char *read_lengths(const char *value)
{
    int n = 0;
    config.length = reserve((size_t)config.sequences, sizeof *config.length);
    config.first = reserve((size_t)config.sequences, sizeof *config.first);
    for (char *end; n < config.sequences; n++, value = end) {
        config.length[n] = (int)strtol(value, &end, 10);
        if (end == value || config.length[n] < 1)
            return fail("lengths: %d positive numbers are needed, number %d is wrong",
                        config.sequences, n + 1);
        config.first[n] = config.steps;
        config.steps += config.length[n];
    }
    return NULL;
}

typedef enum { TEXT, INT, INT64, HEX, FLAG } Kind;
static const struct Key {
    const char *name;
    Kind kind;
    void *to;
    bool *given;
} keys[] = {
    { "name", TEXT, config.name, NULL },
    { "inputs", INT, &config.inputs, NULL },
    { "outputs", INT, &config.outputs, NULL },
    { "lanes", INT, &config.lanes, NULL },
    { "element_bits", INT, &config.element_bits, NULL },
    { "sequences", INT, &config.sequences, NULL },
    { "input_file", TEXT, config.input_file, NULL },
    { "golden_file", TEXT, config.golden_file, NULL },
    { "last", FLAG, &config.last, NULL },
    { "control", FLAG, &config.control, NULL },
    { "loadable", FLAG, &config.loadable, NULL },
    { "arrays", INT, &config.arrays, NULL },
    { "threshold_x", HEX, &config.setting[0].threshold_x, NULL },
    { "threshold_h", HEX, &config.setting[0].threshold_h, NULL },
    { "counts_file", TEXT, config.setting[0].counts_file, NULL },
    { "raised_x", HEX, &config.setting[1].threshold_x, NULL },
    { "raised_h", HEX, &config.setting[1].threshold_h, NULL },
    { "raised_golden_file", TEXT, config.setting[1].golden_file, NULL },
    { "raised_counts_file", TEXT, config.setting[1].counts_file, NULL },
    { "version", HEX, &config.version, &config.has_version },
    { "spec_hash", HEX, &config.spec_hash, &config.has_spec_hash },
    { "golden_saturations", INT64, &config.golden_saturations, NULL },
    { "predicted_interval", INT64, &config.predicted_interval, NULL },
    { "predicted_latency", INT64, &config.predicted_latency, NULL },
    { "min_measure_steps", INT, &config.min_measure_steps, NULL },
    { "stall_steps", INT, &config.stall_steps, NULL },
    { "last_steps", INT, &config.last_steps, NULL },
    { "seed", INT64, &config.seed, NULL },
    { "timeout_cycles", INT64, &config.timeout_cycles, NULL },
};

/* Text keys hold 128 (name) or 1024 characters. */
static const char *read_value(const struct Key *key, const char *value)
{
    char *end = NULL;
    if (key->kind == TEXT) {
        size_t room = key->to == config.name ? sizeof config.name : sizeof config.input_file;
        snprintf(key->to, room, "%s", value);
        return NULL;
    }
    int64_t v = (int64_t)strtoll(value, &end, key->kind == HEX ? 16 : 10);
    if (end == value || *end)
        return fail("%s: \"%s\" is not a number", key->name, value);
    switch (key->kind) {
    case INT:
        *(int *)key->to = (int)v;
        break;
    case HEX:
        *(uint32_t *)key->to = (uint32_t)v;
        break;
    case FLAG:
        *(bool *)key->to = v != 0;
        break;
    default:
        *(int64_t *)key->to = v;
        break;
    }
    if (key->given)
        *key->given = true;
    return NULL;
}

static const char *read_line(char *line)
{
    line[strcspn(line, "#\r\n")] = 0;
    for (size_t n = strlen(line); n && isspace((unsigned char)line[n - 1]); n--)
        line[n - 1] = 0;
    char *key = line + strspn(line, " \t");
    if (!*key)
        return NULL;
    char *value = key + strcspn(key, " \t");
    if (*value)
        *value++ = 0;
    value += strspn(value, " \t");
    if (!strcmp(key, "memory"))
        return read_memory_line(value);
    if (!strcmp(key, "lengths"))
        return read_lengths(value);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(key, keys[i].name))
            return read_value(&keys[i], value);
    return fail("unknown key \"%s\"", key);
}

static const char *read_config(const char *path)
{
    FILE *in = fopen(path, "r");
    if (!in)
        return fail("%s: %s (run from the output folder)", path, strerror(errno));
    const char *bad = NULL;
    char *line = NULL;
    size_t room = 0;
    for (int n = 1; !bad && getline(&line, &room, in) >= 0; n++) {
        bad = read_line(line);
        if (bad) {
            char copy[1024];
            snprintf(copy, sizeof copy, "%.1000s", bad);
            bad = fail("%s:%d: %s", path, n, copy);
        }
    }
    free(line);
    fclose(in);
    return bad;
}

static const char *check_config(void)
{
    const Config *c = &config;
    if (c->inputs < 1 || c->outputs < 1 || c->lanes < 1 || c->sequences < 1 || !c->steps)
        return fail(
            "config: inputs, outputs, lanes, sequences and lengths must be given and positive");
    if (c->element_bits != 8 && c->element_bits != 16 && c->element_bits != 24 &&
        c->element_bits != 32)
        return fail("config: element_bits %d is not 8, 16, 24 or 32", c->element_bits);
    if (c->last_steps < 1 || c->min_measure_steps < c->last_steps + 2 || c->timeout_cycles < 1 || c->stall_steps < 0)
        return fail("config: last_steps (at least 1), min_measure_steps (2 more), timeout_cycles or stall_steps "
                    "out of range");
    if ((c->loadable || c->arrays) && !c->control)
        return fail("config: loadable weights and thresholds need control 1");
    if (c->arrays < 0 || c->arrays > 65536)
        return fail("config: arrays %d out of range", c->arrays);
    if ((int64_t)c->lanes * c->element_bits > 32 * BEAT_WORDS_MAX)
        return fail("config: a beat of %d lanes is too wide", c->lanes);
    return NULL;
}

/* ---------------------------------------------------------------- vectors */

/* Adds a field of element_bits to a beat; fields of 24 bits may straddle two words. */
static void put_field(uint32_t *beat, int lane, uint32_t value)
{
    int at = lane * config.element_bits;
    uint64_t wide = (uint64_t)value << (at % 32);
    beat[at / 32] |= (uint32_t)wide;
    if (wide >> 32)
        beat[at / 32 + 1] |= (uint32_t)(wide >> 32);
}

/* Reads steps x width hex integers into beats of `words` words. */
static const char *read_vectors(const char *path, int width, int beats, uint32_t *out)
{
    FILE *in = fopen(path, "r");
    if (!in)
        return fail("%s: %s", path, strerror(errno));
    uint32_t mask = config.element_bits == 32 ? 0xFFFFFFFFu : (1u << config.element_bits) - 1;
    const char *bad = NULL;
    for (int step = 0; step < config.steps && !bad; step++) {
        for (int e = 0; e < width && !bad; e++) {
            unsigned v;
            if (fscanf(in, "%x", &v) != 1)
                bad = fail("%s: ends before step %d element %d of %d x %d", path, step, e,
                           config.steps, width);
            else if (v & ~mask)
                bad = fail("%s: step %d element %d: %x has more than %d bits", path, step, e, v,
                           config.element_bits);
            else
                put_field(out + ((size_t)step * beats + e / config.lanes) * config.words,
                          e % config.lanes, v);
        }
    }
    char rest[2];
    if (!bad && fscanf(in, "%1s", rest) == 1)
        bad = fail("%s: more than %d x %d values", path, config.steps, width);
    fclose(in);
    return bad;
}

/* Reads steps x (2 + arrays) decimal counts. */
static const char *read_counts(const char *path, int **out)
{
    size_t n = (size_t)config.steps * (size_t)(2 + config.arrays);
    FILE *in = fopen(path, "r");
    if (!in)
        return fail("%s: %s", path, strerror(errno));
    int *counts = *out = reserve(n, sizeof *counts);
    const char *bad = NULL;
    for (size_t k = 0; k < n && !bad; k++)
        if (fscanf(in, "%d", &counts[k]) != 1 || counts[k] < 0)
            bad = fail("%s: number %zu of %zu is missing or negative", path, k + 1, n);
    char rest[2];
    if (!bad && fscanf(in, "%1s", rest) == 1)
        bad = fail("%s: more than %zu numbers", path, n);
    fclose(in);
    return bad;
}

/* What a core with deltas gives with both settings of its thresholds. */
static const char *load_settings(void)
{
    if (config.arrays == 0)
        return NULL;
    Setting *other = &config.setting[1];
    config.setting[0].y = config.y;
    other->y = reserve((size_t)config.steps * config.y_beats * config.words, sizeof *other->y);
    const char *bad = read_vectors(other->golden_file, config.outputs, config.y_beats, other->y);
    for (int k = 0; k < 2 && !bad; k++)
        bad = read_counts(config.setting[k].counts_file, &config.setting[k].counts);
    return bad;
}

static const char *load_vectors(void)
{
    config.x_beats = (config.inputs + config.lanes - 1) / config.lanes;
    config.y_beats = (config.outputs + config.lanes - 1) / config.lanes;
    config.words = (config.lanes * config.element_bits + 31) / 32;
    size_t n_x = (size_t)config.steps * config.x_beats * config.words;
    uint32_t *x = reserve(n_x, sizeof *x);
    config.y = reserve((size_t)config.steps * config.y_beats * config.words, sizeof *config.y);
    config.x = reserve(n_x, sizeof *config.x);
    const char *bad = read_vectors(config.input_file, config.inputs, config.x_beats, x);
    if (!bad)
        bad = read_vectors(config.golden_file, config.outputs, config.y_beats, config.y);
    for (size_t i = 0; i < n_x; i++)
        config.x[i].aval = (PLI_INT32)x[i];
    free(x);
    return bad ? bad : load_settings();
}

/* ---------------------------------------------------------------- memory images */

static int hex_digit(int c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Next token of a $readmemh file, comments skipped. `token` grows; false at the end. */
static bool next_token(FILE *in, char **token, size_t *room)
{
    size_t n = 0;
    int c;
    while ((c = getc(in)) != EOF) {
        if (c == '/' && n == 0) {
            while (c != '\n' && c != EOF)
                c = getc(in);
            continue;
        }
        if (isspace(c)) {
            if (n)
                break;
            continue;
        }
        if (n + 2 > *room) {
            *room = *room ? *room * 2 : 256;
            *token = realloc(*token, *room);
            if (!*token)
                return false;
        }
        if (c != '_')
            (*token)[n++] = (char)c;
    }
    if (n)
        (*token)[n] = 0;
    return n > 0;
}

/* Fills one word from hex digits; false when a digit is wrong or a bit lies beyond the width. */
static bool put_word(const char *digits, const Memory *m, uint32_t *out)
{
    size_t n = strlen(digits);
    for (size_t i = 0; i < n; i++) {
        int v = hex_digit(digits[n - 1 - i]);
        if (v < 0)
            return false;
        for (int b = 0; b < 4; b++) {
            size_t bit = 4 * i + (size_t)b;
            if (!(v >> b & 1))
                continue;
            if (bit >= (size_t)m->width)
                return false;
            out[bit / 32] |= 1u << (bit % 32);
        }
    }
    return true;
}

static const char *read_memory(const MemoryLine *line, Memory *m)
{
    *m = (Memory) { line->select, line->width, (line->width + 31) / 32, 0, line->words, NULL, NULL };
    m->data = reserve((size_t)line->words * (size_t)m->parts, sizeof *m->data);
    m->address = reserve((size_t)line->words, sizeof *m->address);
    FILE *in = fopen(line->file, "r");
    if (!in)
        return fail("%s: %s", line->file, strerror(errno));
    const char *bad = NULL;
    char *token = NULL;
    size_t room = 0;
    int address = 0;
    while (!bad && next_token(in, &token, &room)) {
        if (token[0] == '@') {
            address = (int)strtol(token + 1, NULL, 16);
        } else if (m->words == line->words || address >= line->words) {
            bad = fail("%s: more than %d words", line->file, line->words);
        } else if (!put_word(token, m, m->data + (size_t)m->words * (size_t)m->parts)) {
            bad = fail("%s: word %d is not a hex number of %d bits", line->file, address, m->width);
        } else {
            m->address[m->words++] = address++;
        }
    }
    free(token);
    fclose(in);
    return bad;
}

static const char *load_memories(void)
{
    config.memory = reserve((size_t)config.n_memories, sizeof *config.memory);
    const char *bad = NULL;
    for (int i = 0; i < config.n_memories && !bad && config.loadable; i++)
        bad = read_memory(&memory_line[i], &config.memory[i]);
    free(memory_line);
    return bad;
}

const char *config_load(const char *path)
{
    config = (Config) {
        .golden_saturations = -1, .min_measure_steps = 8, .last_steps = 1, .timeout_cycles = 1000000, .seed = 1
    };
    memory_line = reserve(MEMORIES_MAX, sizeof *memory_line);
    const char *bad = read_config(path);
    if (!bad)
        bad = check_config();
    if (!bad)
        bad = load_vectors();
    if (!bad)
        bad = load_memories();
    const char *seed = getenv("LG_SEED"), *steps = getenv("LG_STEPS");
    if (seed && *seed)
        config.seed = strtoull(seed, NULL, 10);
    if (steps && *steps)
        config.limit_steps = (int)strtol(steps, NULL, 10);
    return bad;
}
