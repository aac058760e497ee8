/* tflite.h: what the files that read TensorFlow Lite share: the container (tflite.c), the network (tflite_network.c). */
#ifndef MODEL_TFLITE_H
#define MODEL_TFLITE_H

#include "model/importer.h"
#include "model/tflite_file.h"

/* Numbers of BuiltinOperator in the schema. */
enum { LITE_DEQUANTIZE = 6, LITE_CUSTOM = 32, LITE_RNN = 35, LITE_LSTM = 44, LITE_QUANTIZE = 114 };
/* Inputs of the two: where the matrices of the gates, the biases and the rest stand. */
enum { LSTM_W = 1, LSTM_R = 5, LSTM_P = 9, LSTM_B = 12, LSTM_PROJECTION = 16, LSTM_PROJECTION_B = 17, LSTM_H = 18,
       LSTM_C = 19, LSTM_NORM = 20, LSTM_INPUTS = 24 };
enum { RNN_W = 1, RNN_R = 2, RNN_B = 3, RNN_H = 4, RNN_INPUTS = 5 };

typedef struct Lite {
    Bytes bytes;
    int *tensor;                        /* of each number that the model counts tensors by: that of the file */
    const char **name;                  /* of each tensor of the file: unique, NULL where it is no weight */
} Lite;

/* ---------------------------------------------------------------- tflite.c */
/* Input k of an operator; -1: left out. */
int lite_input(const LiteOperator *o, int k);
/* The name of a weight that an operator reads, or NULL. */
const char *lite_weight(const Model *m, const LiteOperator *o, int k);

/* ---------------------------------------------------------------- tflite_network.c */
int tflite_layers(Model *m, const Subject *s, FoundNetwork *out);
/* "lstm_2:W": of operator 2, the gates' matrices one below the other; W, R, b and P. */
int tflite_derive(Model *m, const Subject *s, const char *name, Tensor *out);

#endif
