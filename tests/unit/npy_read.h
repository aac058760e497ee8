/* npy_read.h: the least that tests need to read reference data: little-endian C-order float32,
 * float64 and int32 .npy files and stored (not deflated) members of .npz files. Independent of
 * gen/model on purpose. */
#ifndef NPY_READ_H
#define NPY_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Npy { int rank; int shape[4]; size_t count; float *data; } Npy;

/* The whole file or NULL; the caller frees. */
static inline char *npy_slurp(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    char *text = malloc(*size + 1);
    *size = fread(text, 1, *size, f);
    text[*size] = 0;
    fclose(f);
    return text;
}

static inline float npy_number(const char *at, char kind, int size)
{
    int32_t integer;
    float single;
    double wide;
    if (size == 8) {
        memcpy(&wide, at, 8);
        return (float)wide;
    }
    memcpy(&integer, at, 4);
    memcpy(&single, at, 4);
    return kind == 'i' ? (float)integer : single;
}

static inline Npy npy_parse(const char *at)
{
    Npy out = {0};
    uint16_t header;
    memcpy(&header, at + 8, 2);
    const char *shape = strstr(at + 10, "'shape': (") + 10, *data = at + 10 + header;
    const char *kind = strstr(at + 10, "'<") + 2;
    int size = kind[1] - '0';
    out.count = 1;
    while (*shape != ')') {
        char *end;
        out.shape[out.rank] = (int)strtol(shape, &end, 10);
        out.count *= (size_t)out.shape[out.rank++];
        shape = end + strspn(end, ", ");
    }
    out.data = malloc(sizeof(float) * (out.count + 1));
    for (size_t i = 0; i < out.count; i++)
        out.data[i] = npy_number(data + i * (size_t)size, kind[0], size);
    return out;
}

/* `member` NULL: a .npy file; else the array of that name in a .npz. data is NULL when there is
 * none. */
static inline Npy npy_load(const char *path, const char *member)
{
    size_t size;
    char *text = npy_slurp(path, &size), name[64];
    Npy out = {0};
    if (text == NULL)
        return out;
    size_t length = (size_t)snprintf(name, sizeof name, "%s.npy", member != NULL ? member : "");
    if (member == NULL)
        out = npy_parse(text);
    for (size_t i = 30; out.data == NULL && i + length < size; i++) {
        if (memcmp(text + i, name, length) != 0 || memcmp(text + i - 30, "PK\3\4", 4) != 0)
            continue;
        uint16_t extra;
        memcpy(&extra, text + i - 2, 2);
        out = npy_parse(text + i + length + extra);
    }
    free(text);
    return out;
}

#endif
