/* dtype.c: number types of model files, and the one loop that turns a stream of them into
 * float32. */
#include "model/importer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024 };

void subject_error(const Subject *s, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (s->tensor)
        diag_error(s->diag, s->from, "%s: tensor '%s': %s", s->file, s->tensor, text);
    else
        diag_error(s->diag, s->from, "%s: %s", s->file, text);
}

size_t source_read_file(void *file, void *to, size_t n)
{
    return fread(to, 1, n, file);
}

bool source_read(const Subject *s, const Source *from, void *to, size_t n, const char *what)
{
    size_t got = from->read(from->handle, to, n);
    if (got < n)
        subject_error(s, "truncated or damaged: expected %zu bytes of %s, found %zu", n, what, got);
    return got == n;
}

/* ---- decoding ---- */

static float float_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 mantissa bits. */
static float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 1023;
    if (exponent == 31)
        return float_of_bits(sign | 0x7f800000 | mantissa << 13);
    if (exponent > 0)
        return float_of_bits(sign | (exponent + 127 - 15) << 23 | mantissa << 13);
    float tiny = (float)mantissa * 0x1p-24f; /* subnormal: mantissa * 2^-24 */
    return sign ? -tiny : tiny;
}

static float bfloat_to_float(uint16_t h)
{
    return float_of_bits((uint32_t)h << 16);
}

#define DECODER(name, type, convert)                                                               \
    static void name(const void *from, size_t n, float *to)                                        \
    {                                                                                              \
        const type *v = from;                                                                      \
        for (size_t i = 0; i < n; i++)                                                             \
            to[i] = convert(v[i]);                                                                 \
    }
DECODER(decode_f2, uint16_t, half_to_float)
DECODER(decode_bf2, uint16_t, bfloat_to_float)
DECODER(decode_f8, double, (float))
DECODER(decode_i1, int8_t, (float))
DECODER(decode_i2, int16_t, (float))
DECODER(decode_i4, int32_t, (float))
DECODER(decode_i8, int64_t, (float))
DECODER(decode_u1, uint8_t, (float))
DECODER(decode_u2, uint16_t, (float))
DECODER(decode_u4, uint32_t, (float))
DECODER(decode_u8, uint64_t, (float))

static const DataType TYPES[] = {
    { "f4", 4, true, NULL },        { "f2", 2, true, decode_f2 },  { "f8", 8, true, decode_f8 },
    { "bf2", 2, true, decode_bf2 }, { "i1", 1, false, decode_i1 }, { "i2", 2, false, decode_i2 },
    { "i4", 4, false, decode_i4 },  { "i8", 8, false, decode_i8 }, { "u1", 1, false, decode_u1 },
    { "u2", 2, false, decode_u2 },  { "u4", 4, false, decode_u4 }, { "u8", 8, false, decode_u8 },
    { "b1", 1, false, decode_u1 },
};

const DataType *dtype_find(const char *name)
{
    for (int i = 0; i < LENGTH(TYPES); i++)
        if (strcmp(TYPES[i].name, name) == 0)
            return &TYPES[i];
    return NULL;
}

/* ---- shapes ---- */

const char *dims_text(Arena *a, int64_t rank, const int64_t *shape)
{
    Buffer b;
    buffer_init(&b, a);
    buffer_add(&b, "(", 1);
    for (int i = 0; i < rank; i++)
        buffer_print(&b, "%s%lld", i ? ", " : "", (long long)shape[i]);
    buffer_print(&b, "%s", rank == 1 ? ",)" : ")");
    return b.text;
}

const char *shape_text(Arena *a, const Tensor *t)
{
    return dims_text(a, t->rank, t->shape);
}

bool tensor_shape(const Subject *s, Tensor *t, int64_t rank, const int64_t *shape,
                  const DataType *type)
{
    if (rank > RANK_MAX) {
        subject_error(s, "%lld dimensions; at most %d are supported", (long long)rank, RANK_MAX);
        return false;
    }
    /* Held as float32, whatever the file holds: the larger of the two is limited. */
    uint64_t most = TENSOR_BYTES_MAX / MAX(type->size, sizeof(float)), count = 1;
    for (int i = 0; i < rank; i++) {
        if (shape[i] <= 0) {
            subject_error(s, "dimension %d is %lld: %s", i, (long long)shape[i],
                          shape[i] == 0 ? "the tensor is empty" : "a size cannot be negative");
            return false;
        }
        if ((uint64_t)shape[i] > most / count) {
            subject_error(s, "the shape is too large: more than the limit of %llu elements (1 GiB)",
                          (unsigned long long)most);
            return false;
        }
        count *= (uint64_t)shape[i];
        t->shape[i] = shape[i];
    }
    t->rank = (int)rank;
    t->count = (int64_t)count;
    return true;
}

/* ---- values ---- */

static void swap_bytes(uint8_t *data, size_t size, size_t n)
{
    for (size_t i = 0; i < n; i++, data += size)
        for (size_t low = 0, high = size - 1; low < high; low++, high--) {
            uint8_t keep = data[low];
            data[low] = data[high];
            data[high] = keep;
        }
}

static bool needs_swap(Coding c)
{
    return c.big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) && c.type->size > 1;
}

/* Elements in the file's order into `to`. Only types that are not float32 already pass through a
 * small buffer. */
bool values_decode(const Subject *s, Coding c, const Source *from, size_t n, float *to)
{
    bool swap = needs_swap(c);
    if (!c.type->decode) {
        if (!source_read(s, from, to, n * sizeof *to, "data"))
            return false;
        if (swap)
            swap_bytes((uint8_t *)to, sizeof *to, n);
        return true;
    }
    uint8_t *chunk = malloc(CHUNK_BYTES);
    bool ok = chunk != NULL;
    for (size_t done = 0, some; ok && done < n; done += some) {
        some = MIN(n - done, CHUNK_BYTES / c.type->size);
        ok = source_read(s, from, chunk, some * c.type->size, "data");
        if (ok && swap)
            swap_bytes(chunk, c.type->size, some);
        if (ok)
            c.type->decode(chunk, some, to + done);
    }
    free(chunk);
    return ok;
}

/* From Fortran order (first index fastest) to C order (last index fastest): an odometer over the C
 * index. */
static void reorder(const Tensor *t, const float *fortran, float *c)
{
    int64_t stride[RANK_MAX], index[RANK_MAX] = { 0 }, at = 0, step = 1;
    for (int i = 0; i < t->rank; i++) {
        stride[i] = step;
        step *= t->shape[i];
    }
    for (int64_t n = 0; n < t->count; n++) {
        c[n] = fortran[at];
        for (int i = t->rank - 1; i >= 0; i--) {
            at += stride[i];
            if (++index[i] < t->shape[i])
                break;
            at -= stride[i] * t->shape[i];
            index[i] = 0;
        }
    }
}

static const char *index_text(Arena *a, const Tensor *t, int64_t n)
{
    int64_t index[RANK_MAX];
    for (int i = t->rank - 1; i >= 0; i--) {
        index[i] = n % t->shape[i];
        n /= t->shape[i];
    }
    return dims_text(a, t->rank, index);
}

static bool block_finite(const float *v, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, v + i, sizeof bits);
        bad |= (bits & 0x7f800000) == 0x7f800000;
    }
    return !bad;
}

static bool tensor_finite(const Subject *s, Arena *a, const Tensor *t, const DataType *type)
{
    enum { BLOCK = 4096 };
    for (int64_t n = 0; n < t->count; n += BLOCK) {
        if (block_finite(t->data + n, (size_t)MIN(BLOCK, t->count - n)))
            continue;
        while (isfinite(t->data[n]))
            n++;
        const char *what = isnan(t->data[n]) ? "NaN"
                         : type->size == 8   ? "Inf, or a value too large for float32,"
                                             : "Inf";
        subject_error(s, "%s at index %s; every value must be finite", what, index_text(a, t, n));
        return false;
    }
    return true;
}

bool tensor_decode(const Subject *s, Arena *a, Tensor *t, Coding coding, const Source *from)
{
    size_t n = (size_t)t->count;
    t->data = ARENA_ARRAY(a, float, n);
    bool turn = coding.fortran && t->rank > 1;
    float *to = turn ? malloc(n * sizeof *to) : t->data;
    if (!to) {
        subject_error(s, "not enough memory for %zu values", n);
        return false;
    }
    bool ok = values_decode(s, coding, from, n, to);
    if (turn) {
        if (ok)
            reorder(t, to, t->data);
        free(to);
    }
    return ok && tensor_finite(s, a, t, coding.type);
}
