// ${BANNER}
// Parameters of ${NAME}_top. Names are those of the library modules; see
// mem/memory_map.md and report.md.
    localparam VERSION       = ${VERSION};          // of the generator
    localparam SPEC_HASH     = ${SPEC_HASH};
    // number formats
    localparam VALUE         = ${VALUE};            // bits of x, h and gates
    localparam WEIGHT        = ${WEIGHT};           // bits of a weight
    localparam STATE         = ${STATE};            // bits of the cell state
    localparam GATE          = ${GATE};             // bits of gates: of what a curve gives
    localparam STATE_FRACTION = ${STATE_FRACTION};   // of them after the point
    localparam PREACTIVATION = ${PREACTIVATION};    // bits at the input of sigmoid and tanh
    localparam ACC           = ${ACC};              // bits of an accumulator: exact
    localparam LEFT_SHIFT    = ${LEFT_SHIFT};
    localparam SHIFT_BITS    = ${SHIFT_BITS};       // bits of a row's requantisation shift
    localparam ALIGN         = ${ALIGN};            // bits by which products with x and with h
                                                    // differ in fraction
    localparam SEGMENT_BITS  = ${SEGMENT_BITS};     // address bits of the activation table
    localparam SLOPE_BITS    = ${SLOPE_BITS};
    localparam SLOPE_SHIFT   = ${SLOPE_SHIFT};
    // stream
    localparam LANES         = ${LANES};            // elements per beat
    localparam ELEMENT       = ${ELEMENT};          // bits of an element in tdata
    localparam INPUTS        = ${INPUTS};
    localparam OUT_BEATS     = ${OUT_BEATS};
    localparam DROP          = ${SENDS_LAST};            // 1: only results of last steps leave
    localparam OUT_TAIL      = ${OUT_TAIL};         // elements in the last beat of a result
    // x in the vector banks
    localparam X_BANKS       = ${X_BANKS};
    localparam X_BANK_SIZE   = ${X_BANK_SIZE};
    localparam X_ALIGNED     = ${X_ALIGNED};
    localparam X_BASE0       = ${X_BASE0};
    localparam X_BASE1       = ${X_BASE1};
//%% include engine
    // cell unit
    localparam LAYERS        = ${LAYERS};           // of LSTM
    localparam STAGES        = ${STAGES};           // layers that each work on a step of their own;
                                                    // 1: all on the same
    localparam CELL_LANES    = ${CELL_LANES};       // rows per cycle
    localparam SHIFTS        = ${SHIFTS};           // cycles per tile
    localparam H_ALIGNED     = ${H_ALIGNED};
    localparam QUEUE         = ${QUEUE};            // beats of h that may wait to be written;
                                                    // 0: written as they come
    localparam RECORDS       = ${RECORDS};
    localparam RECORD        = ${RECORD};
    localparam PSUMS         = ${PSUMS};
    localparam PSUM_BLOCK    = ${PSUM_BLOCK};
    localparam NEURONS       = ${NEURONS};
    localparam STATE_BLOCK   = ${STATE_BLOCK};
    localparam STATE_SPLIT   = ${STATE_SPLIT};
    localparam STATE_PART    = ${STATE_PART};
    localparam ENTRIES       = ${ENTRIES};
    localparam ENTRY         = ${ENTRY};
    localparam OUT_BLOCK     = ${OUT_BLOCK};
    // what its passes do (gen/cell): a number of the tile table stands for a pass, whose bit in each
    // mask tells what is done with a row
    localparam PASSES        = ${PASSES};           // 0: its sum is kept for a later one
    localparam KEEP          = ${KEEP};
    localparam SIGMOID       = ${SIGMOID};          // a = (1 + T) / 2,
    localparam HALF          = ${HALF};             // T of half the row's z;
    localparam DIRECT        = ${DIRECT};           // a = z
    localparam TIMES_HELD    = ${TIMES_HELD};       // p = a * held
    localparam TIMES_REST    = ${TIMES_REST};       // p = a * (1 - held)
    localparam TIMES_STATE   = ${TIMES_STATE};      // p = a * state
    localparam TIMES_BOUNDED = ${TIMES_BOUNDED};    // p = a * curve of the state
    localparam TO_HELD       = ${TO_HELD};          // held = a
    localparam TO_KEPT       = ${TO_KEPT};          // kept = p
    localparam TO_STATE      = ${TO_STATE};         // state = p + kept
    localparam ADDS_STATE    = ${ADDS_STATE};       // that kept was a product with the state
    localparam TO_LATE       = ${TO_LATE};          // late = p
    localparam PLUS_LATE     = ${PLUS_LATE};        // z + late
    localparam RESULT_A      = ${RESULT_A};         // the result is a,
    localparam RESULT_P      = ${RESULT_P};         // or p,
    localparam RESULT_STATE  = ${RESULT_STATE};     // or the new state
    localparam A_FRACTION    = ${A_FRACTION};       // of an a = z that is held or multiplied
    localparam H_FRACTION    = ${H_FRACTION};       // of results made from a state
    localparam BEHIND        = ${BEHIND};           // of the step before
    // loading over AXI4-Lite
    localparam LOADABLE      = ${LOADABLE};
    localparam LOAD_BITS     = ${LOAD_BITS};        // widest word
//%% if loadable
    localparam LOAD_WEIGHT   = ${LOAD_WEIGHT};      // number of the first memory of each kind
    localparam LOAD_INDEX    = ${LOAD_INDEX};
    localparam LOAD_RECORD   = ${LOAD_RECORD};
//%% end
