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
    localparam TABLES        = ${TABLES};           // activation tables, one behind the other
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
    localparam RECORD_BITS   = ${RECORD_BITS};
    localparam FIRST_RECORD  = ${FIRST_RECORD};     // those of a sequence's first step, 0: the same
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
    localparam TABLE_1       = ${TABLE_1};          // number of the table, bit 0
    localparam TABLE_2       = ${TABLE_2};          // and bit 1
    localparam LEAKY         = ${LEAKY};            // a = z, of negative z a part
    localparam CLIP_Z        = ${CLIP_Z};           // z is clipped to +-Z_LIMIT
    localparam CLIP_A        = ${CLIP_A};           // a = z is clipped to +-A_LIMIT
    localparam TIMES_HELD    = ${TIMES_HELD};       // p = a * held
    localparam TIMES_REST    = ${TIMES_REST};       // p = a * (1 - held)
    localparam TIMES_STATE   = ${TIMES_STATE};      // p = a * state
    localparam TIMES_BOUNDED = ${TIMES_BOUNDED};    // p = a * curve of the state
    localparam TO_HELD       = ${TO_HELD};          // held = a
    localparam TO_KEPT       = ${TO_KEPT};          // kept = p
    localparam TO_STATE      = ${TO_STATE};         // state = p + kept
    localparam ADDS_STATE    = ${ADDS_STATE};       // that kept was a product with the state
    localparam ADDS_INNER    = ${ADDS_INNER};       // or of an a = z
    localparam CLIP_STATE    = ${CLIP_STATE};       // the new state is clipped to +-STATE_LIMIT
    localparam FRESH         = ${FRESH};            // its peephole's state is of this step
    localparam BOUND_SIGMOID = ${BOUND_SIGMOID};    // the curve of the state: (1 + T) / 2,
    localparam BOUND_HALF    = ${BOUND_HALF};       // T of half the state,
    localparam BOUND_TABLE_1 = ${BOUND_TABLE_1};    // its table,
    localparam BOUND_TABLE_2 = ${BOUND_TABLE_2};
    localparam BOUND_DIRECT  = ${BOUND_DIRECT};     // or the state itself,
    localparam BOUND_RELU    = ${BOUND_RELU};       // what is positive of it
    localparam TO_LATE       = ${TO_LATE};          // late = p
    localparam PLUS_LATE     = ${PLUS_LATE};        // z + late
    localparam RESULT_A      = ${RESULT_A};         // the result is a,
    localparam RESULT_P      = ${RESULT_P};         // or p,
    localparam RESULT_STATE  = ${RESULT_STATE};     // or the new state
    localparam A_FRACTION    = ${A_FRACTION};       // of an a = z that is held or multiplied
    localparam H_FRACTION    = ${H_FRACTION};       // of results made from a state
    localparam B_FRACTION    = ${B_FRACTION};       // of a state that is multiplied as it is
    localparam LATE_FRACTION = ${LATE_FRACTION};    // of rows that late is added to
    localparam PEEP          = ${PEEP};             // bits of a peephole's weight; 0: none
    localparam PEEP_FRACTION = ${PEEP_FRACTION};
    localparam Z_LIMIT       = ${Z_LIMIT};
    localparam A_LIMIT       = ${A_LIMIT};
    localparam STATE_LIMIT   = ${STATE_LIMIT};
    localparam LEAK          = ${LEAK};             // part of a negative z, times 2^LEAK_SHIFT
    localparam LEAK_SHIFT    = ${LEAK_SHIFT};
    localparam INIT          = ${INIT};             // 1: sequences start from states of their own
    localparam BEHIND        = ${BEHIND};           // of the step before
    // loading over AXI4-Lite
    localparam LOADABLE      = ${LOADABLE};
    localparam LOAD_BITS     = ${LOAD_BITS};        // widest word
//%% if loadable
    localparam LOAD_WEIGHT   = ${LOAD_WEIGHT};      // number of the first memory of each kind
    localparam LOAD_INDEX    = ${LOAD_INDEX};
    localparam LOAD_RECORD   = ${LOAD_RECORD};
//%% end
