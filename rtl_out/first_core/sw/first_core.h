/* first_core.h: registers, stream layout and number formats of first_core_top. C99 or later.
 * Made by lstmgen 0.1.0 from spec.yaml (sha256 03793ffb789a7169). Do not edit. */
#ifndef FIRST_CORE_H
#define FIRST_CORE_H

#include <stdint.h>

/* AXI4-Lite registers: byte addresses, 32 bits each; masks of their fields. Other addresses read 0 and
 * write nothing; bytes that wstrb leaves out stay as they are. Each register reads whole; counters read one
 * after the other belong to the same moment only while STATUS.BUSY is 0, but for CYCLES and CYCLES_HI. */
#define FIRST_CORE_REG_ID                    0x00u        /* read: 0x4C53544D, "LSTM": tells that a core answers at this address */
#define FIRST_CORE_REG_VERSION               0x04u        /* read: version of the tool that made the core: major << 16 | minor << 8 | patch */
#define FIRST_CORE_REG_STATUS                0x08u        /* read: state of the core */
#define FIRST_CORE_STATUS_BUSY_MASK          0x00000001u  /* a step is under way */
#define FIRST_CORE_STATUS_ENABLED_MASK       0x00000002u  /* the core takes input (with loadable weights: after START) */
#define FIRST_CORE_STATUS_STREAM_ERROR_MASK  0x00000004u  /* tlast was not on the last beat of a step; stays until reset */
#define FIRST_CORE_REG_STEPS                 0x0Cu        /* read: results whose last output beat was taken, since reset */
#define FIRST_CORE_REG_CYCLES                0x10u        /* read: clock cycles since reset, low half; keeps the high half of the same moment */
#define FIRST_CORE_REG_CYCLES_HI             0x14u        /* read: the high half kept by the latest read of CYCLES */
#define FIRST_CORE_REG_INTERVAL              0x18u        /* read: cycles between the last output beats of the latest two results */
#define FIRST_CORE_REG_LATENCY               0x1Cu        /* read: cycles from the last input beat to the last output beat of the latest step with a result that found the core idle */
#define FIRST_CORE_REG_SATURATIONS           0x20u        /* read: values of cell states and outputs that were clipped, since reset */
#define FIRST_CORE_REG_CONTROL               0x24u        /* read, write: commands */
#define FIRST_CORE_CONTROL_START_MASK        0x00000001u  /* loadable weights: 1 enables the core once all memories are written */
#define FIRST_CORE_REG_DELTA_X               0x38u        /* read, write: deltas: change of an element of x that is sent, in steps of x */
#define FIRST_CORE_REG_DELTA_H               0x3Cu        /* read, write: deltas: the same for h, in steps of h */
#define FIRST_CORE_REG_SKIPPED_X             0x40u        /* read: deltas: elements of x that were not sent, since reset */
#define FIRST_CORE_REG_SKIPPED_H             0x44u        /* read: deltas: elements of h that were not sent, since reset */
#define FIRST_CORE_REG_COLUMNS               0x48u        /* read: deltas: columns worked on by all arrays together, since reset */
#define FIRST_CORE_REG_BUSIEST               0x4Cu        /* read: deltas: columns worked on by the busiest array, since reset */
#define FIRST_CORE_REG_SPEC_HASH             0x30u        /* read: first 32 bits of the SHA-256 of the spec */
/* What a read of REG_ID and REG_SPEC_HASH must give. */
#define FIRST_CORE_ID_VALUE                  0x4C53544Du  /* "LSTM" */
#define FIRST_CORE_SPEC_HASH_VALUE           0x03793ffbu  /* start of the spec's SHA-256 */

/* AXI4-Stream: a step is INPUTS elements in and OUTPUTS elements out, LANES in a beat, first element in
 * the lowest bits, each sign-extended to ELEMENT_BITS. tlast is on the last beat of a step. tuser is on the
 * first beat of a sequence. */
#define FIRST_CORE_INPUTS                    3            /* elements of x */
#define FIRST_CORE_OUTPUTS                   4            /* elements of a result */
#define FIRST_CORE_LANES                     1            /* elements in a beat */
#define FIRST_CORE_ELEMENT_BITS              16           /* bits of an element in tdata */
#define FIRST_CORE_INPUT_BEATS               3            /* beats of a step of x */
#define FIRST_CORE_OUTPUT_BEATS              4            /* beats of a result */

/* An element of the input: 16 bits, 15 of them fraction bits. */
#define FIRST_CORE_X_BITS                    16           /* signed */
#define FIRST_CORE_X_FRACTION                15           /* value = integer / 2^fraction */
static inline int32_t first_core_x_encode(double value)
{
    double scaled = value * 0x1p+15;
    scaled += scaled < 0 ? -0.5 : 0.5;
    if (scaled != scaled) return 0;
    if (scaled >= 32768.0) return 32768 - 1;
    if (scaled <= -32768.0) return -32768;
    return (int32_t)scaled;
}
static inline double first_core_x_decode(int32_t integer)
{
    return integer * 0x1p-15;
}

/* An element of the result: 16 bits, 15 of them fraction bits. */
#define FIRST_CORE_Y_BITS                    16           /* signed */
#define FIRST_CORE_Y_FRACTION                15           /* value = integer / 2^fraction */
static inline int32_t first_core_y_encode(double value)
{
    double scaled = value * 0x1p+15;
    scaled += scaled < 0 ? -0.5 : 0.5;
    if (scaled != scaled) return 0;
    if (scaled >= 32768.0) return 32768 - 1;
    if (scaled <= -32768.0) return -32768;
    return (int32_t)scaled;
}
static inline double first_core_y_decode(int32_t integer)
{
    return integer * 0x1p-15;
}

#endif
