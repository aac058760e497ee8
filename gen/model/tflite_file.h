/* tflite_file.h: the first graph of a TensorFlow Lite file, as C sees it. tflite_file.cc reads it with the header that
 * flatc makes of tflite.fbs; everything points into the file's bytes, which must stay. */
#ifndef MODEL_TFLITE_FILE_H
#define MODEL_TFLITE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* More are refused (operators, tensors) or not looked at (inputs and outputs of one operator). */
enum { LITE_OPERATORS_MAX = 16384, LITE_TENSORS_MAX = 65536, LITE_PORTS_MAX = 256 };

typedef struct LiteTensor {
    const char *name;                   /* "" where it has none */
    int type, rank;                     /* type: a number of TensorType */
    const int32_t *shape;
    const uint8_t *data;                /* NULL: computed, or a state */
    size_t bytes;
    const float *scale;
    const int64_t *zero;
    int scales, zeros, axis;            /* 0 scales: not quantised; several: one for each index of the axis */
    bool variable;
} LiteTensor;

typedef struct LiteOperator {
    int code;                           /* a number of BuiltinOperator; -1: the file does not say */
    const char *custom;                 /* name of a custom operator, or NULL */
    const int32_t *in, *out;            /* tensors; -1: left out */
    int inputs, outputs, activation;
    float cell_clip, proj_clip;
    bool time_major;
} LiteOperator;

/* Checks all that can be reached from the root: lengths, offsets, strings. */
bool lite_check(const uint8_t *bytes, size_t n);
/* The rest for checked bytes only. */
int lite_graphs(const uint8_t *bytes);
int lite_tensors(const uint8_t *bytes);
int lite_operators(const uint8_t *bytes);
/* False: index out of range, or an empty entry. */
bool lite_tensor(const uint8_t *bytes, int index, LiteTensor *out);
bool lite_operator(const uint8_t *bytes, int index, LiteOperator *out);

#ifdef __cplusplus
}
#endif
#endif
