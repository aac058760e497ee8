/* cell.h: a cell is a table of passes (cells.def). Above base only. */
#ifndef CELL_CELL_H
#define CELL_CELL_H
#include <stdbool.h>
#include <stdint.h>

/* CURVE(name in specs, name here, direct: no table is looked up for it, table: whose T, sigmoid: (1 + T(z/2)) / 2, else
 * T(z)). The slope of hard_sigmoid is that of ONNX and Keras 2, 1/5; PyTorch and Keras 3 have 1/6. leaky_relu keeps 1/100
 * of negative values. */
#define CURVES \
    CURVE("none", NONE, true, TANH, false) \
    CURVE("relu", RELU, true, TANH, false) \
    CURVE("leaky_relu", LEAKY_RELU, true, TANH, false) \
    CURVE("sigmoid", SIGMOID, false, TANH, true) \
    CURVE("tanh", TANH, false, TANH, false) \
    CURVE("hard_sigmoid", HARD_SIGMOID, false, HARD_SIGMOID, true) \
    CURVE("hard_sigmoid_6", HARD_SIGMOID_6, false, HARD_SIGMOID_6, true) \
    CURVE("hard_tanh", HARD_TANH, false, HARD_TANH, false)
typedef enum { TABLE_TANH, TABLE_HARD_SIGMOID, TABLE_HARD_SIGMOID_6, TABLE_HARD_TANH, TABLE_KINDS } TableKind;
typedef enum {
#define CURVE(text, name, direct, table, sigmoid) CURVE_##name,
    CURVES
#undef CURVE
    CURVE_COUNT
} Curve;
const char *curve_name(Curve c);
bool curve_find(const char *name, Curve *out);
bool curve_is_direct(Curve c);          /* a is z or a piece of a line of it: calibrated, not within +-1 */

TableKind curve_table(Curve c);         /* of one that is not direct */
bool curve_is_sigmoid(Curve c);
#define LEAK 0.01                       /* of leaky_relu */

typedef enum { OPERAND_NOTHING, OPERAND_HELD, OPERAND_REST, OPERAND_STATE, OPERAND_BOUNDED } Operand;
enum { TERM_X = 1, TERM_H = 2, TERM_M = 4 };
enum { EFFECT_HOLD = 1, EFFECT_KEEP = 2, EFFECT_SUM = 4, EFFECT_LATE = 8, EFFECT_PLUS = 16, EFFECT_OUT = 32,
       EFFECT_OUT_A = 64, EFFECT_OUT_STATE = 128, EFFECT_INNER = 256 };
enum { ACTIVATIONS_MAX = 3, PASSES_MAX = 5, GATES_MAX = 5 };

typedef struct Pass {
    char gate;                          /* whose rows */
    unsigned terms, effects;
    int activation;                     /* that of the layer with this number, from 1; 0: none */
    Operand operand;
    Curve curve;                        /* of a layer: what `activation` is there */
    bool adds_state;                    /* of a layer: what SUM adds was kept of a product with the state, */
    bool adds_inner;                    /* or of a row without a curve */
    bool peephole, fresh;               /* the state times a weight is added to the row; fresh: the state of this step */
    bool clips, clips_state;            /* the row, the new state are clipped */
    bool bounds;                        /* it makes a state, of which a later pass multiplies with a curve: */
    Curve bound;
    bool keeps;                         /* no pass of a cell: the row's sum is kept (early tiles) */
} Pass;

typedef struct Cell {
    const char *key, *W, *R, *aliases, *activations, *keys, *summary;
    int n;
    Pass pass[PASSES_MAX];
} Cell;

const Cell *cell_table(int *n);
const Cell *cell_find(const char *key);                 /* NULL: there is none */
const char *cell_name(const Cell *c);                   /* as a spec calls it: "gru" of gru_after */
bool cell_has_key(const Cell *c, const char *key);
bool cell_has_state(const Cell *c);                     /* some pass sums one up */
/* Index of a gate of W, by its letter or a framework's; -1: none. */
int cell_gate(const Cell *c, char letter);
/* The curves of ACT_1.. unless a layer says else; how many. */
int cell_activations(const Cell *c, Curve out[ACTIVATIONS_MAX]);
int cell_curves(const Cell *c);                          /* how many */
/* Letters of all gates in the order of a layer's rows: those of W, then those of R alone ("rznq"). `out` has room for
 * GATES_MAX + 1. */
void cell_rows(const Cell *c, char *out);

bool pass_has_result(const Pass *p);                    /* something of it goes to a vector or leaves the core */

/* The passes that a core's cell unit has, numbered as in its tile table: 0 keeps a sum. Passes that do the same share a
 * number; none and relu do (a bit of the tile tells). */
enum { CORE_PASSES_MAX = 32 };
typedef struct Passes { int n; Pass pass[CORE_PASSES_MAX]; } Passes;
/* The tables that curves of these passes need, in the order in which they lie behind each other; at least one. */
int passes_tables(const Passes *p, TableKind out[TABLE_KINDS]);
int passes_table_places(const Passes *p);               /* a power of two of them; the first once more where one is left */
int passes_bits(const Passes *p);                       /* of a number in the tile table */
void passes_start(Passes *p);
int passes_add(Passes *p, const Pass *pass);            /* its number */
int passes_find(const Passes *p, const Pass *pass);     /* its number; a fault where it was not added */
/* The masks of lg_cell (masks.def), bit n: pass n. */
typedef struct Mask { const char *name, *meaning; uint32_t bits; } Mask;
enum { MASKS = 31 };
void passes_masks(const Passes *p, Mask out[MASKS]);
#endif
