/* reference.h: the model file in its own framework. */
#ifndef FLOW_REFERENCE_H
#define FLOW_REFERENCE_H

#include "lstmgen.h"

/* Runs `model` in its own framework (examples/reference/reference.py) on the .npy file `input` and writes what goes into
 * the core and what it has to give beside the spec: STEM_input.npy, STEM_expect.npy. Puts both into found->text. False
 * after a diag_tool (no framework, no result). */
bool reference_run(Arena *a, Diag *d, const char *model, const char *input, const char *spec, Description *found);

#endif
