/* onnx_graph.h: what onnx.c (the container) and onnx_layers.c (the meaning of its graph) share. */
#ifndef MODEL_ONNX_GRAPH_H
#define MODEL_ONNX_GRAPH_H

#include "model/importer.h"
#include "onnx/onnx.pb-c.h" /* made by protoc-c from Debian's onnx.proto */

/* The constant called `name`, anywhere in the model, or NULL. */
const Onnx__TensorProto *onnx_constant(const Model *m, const char *name);
/* The graph (or subgraph) that the constant belongs to, or NULL; the whole model, for the writer. */
const Onnx__GraphProto *onnx_scope(const Model *m, const char *name);
Onnx__ModelProto *onnx_proto(const Model *m);
/* Are all its elements zero? What cannot be read counts as no. */
bool onnx_all_zero(const Onnx__TensorProto *t);
/* Finds the LSTM nodes, and a linear head, of a graph and its subgraphs; how many layers, or -1
 * after an error. */
int onnx_find_layers(Model *m, const Subject *s, const Onnx__GraphProto *graph, LayerSpec *out,
                     int most);

#endif
