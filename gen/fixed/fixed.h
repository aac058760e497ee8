/* fixed.h: shared by the files of fixed/ only. The contract they follow stands in formats.c. */
#ifndef FIXED_FIXED_H
#define FIXED_FIXED_H

#include "lstmgen.h"

enum {
    STATE_INTEGER_MAX = 24,             /* of c; its fraction is thus in [max(-8, SB - 25), SB + 8] */
    GUARD_BITS = 2,                     /* most by which gates are wider than activations */
    PRE_INTEGER_BITS = 4,               /* pre-activations saturate at +-16 */
    PRE_EXTRA_BITS = 2,                 /* PB = AB + 2 unless the spec says else */
    FRACTION_MIN = -8, FRACTION_PAST_BITS = 8,   /* fractions chosen by calibration: [-8, AB + 8] */
    SHIFT_MAX = 31,                     /* a row's right shift is a 5-bit field of its record */
    LEFT_SHIFT_MAX = 16,                /* of all accumulators; beyond it weights are refused */
    ALIGN_DEFAULT = 8,                  /* limit of QLayer.align in network_quantise */
    ALIGN_FULL = 8
};

/* network_quantise with another limit of QLayer.align. */
bool quantise_aligned(Arena *a, Diag *d, const Spec *s, const Network *net, const Sequences *seq,
                      int align_max, QNetwork *out);

/* The largest fraction at which `magnitude` (> 0) still rounds to at most 2^(bits-1) - 1. */
int fraction_of(double magnitude, int bits);
/* The same, limited to what calibration may choose; bits - 1 for a magnitude of 0. */
Format format_of(double magnitude, int bits);
/* Largest absolute value that a format can hold (its negative end). */
double format_limit(Format f);
/* Half away from zero; |v| < 2^52. */
int64_t round_value(double v);

/* All formats: x, pre-activation, gates, state; those of rows without a curve and of what sections write. */
void network_formats(Diag *d, const Spec *s, const Network *net, const Sequences *seq, const Peaks *peaks,
                     QNetwork *q);

#endif
