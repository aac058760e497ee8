// ${BANNER}
// Parameters of ${NAME}_top. Names are those of the library modules; see
// mem/memory_map.md and report.md.
    localparam VERSION       = ${VERSION};          // of the generator
    localparam SPEC_HASH     = ${SPEC_HASH};
    // number formats
    localparam VALUE         = ${VALUE};            // bits of x, h and gates
    localparam WEIGHT        = ${WEIGHT};           // bits of a weight
    localparam STATE         = ${STATE};            // bits of the cell state
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
    localparam OUT_TAIL      = ${OUT_TAIL};         // elements in the last beat of a result
    // x in the vector banks
    localparam X_BANKS       = ${X_BANKS};
    localparam X_BANK_SIZE   = ${X_BANK_SIZE};
    localparam X_ALIGNED     = ${X_ALIGNED};
    localparam X_PERMUTED    = ${X_PERMUTED};       // 1: x_order.hex says which
                                                    // element comes to each position
    localparam X_BASE0       = ${X_BASE0};
    localparam X_BASE1       = ${X_BASE1};
    // engine
    localparam PES           = ${PES};
    localparam ARRAYS        = ${ARRAYS};
    localparam QUEUES        = ${QUEUES};           // per array
    localparam BANKS         = ${BANKS};            // of the vectors: elements scanned per cycle
    localparam INDEX_BITS    = ${INDEX_BITS};
    localparam ROWS          = ${ROWS};             // rows of a PE
    localparam READS         = ${READS};            // of them read out at once
    localparam ROW_ADDR      = ${ROW_ADDR};         // address bits: a row's index is its address,
                                                    // then its place there
    localparam TILE_ROWS     = ${TILE_ROWS};        // rows read out at once of all PEs
    localparam ROW_BITS      = ${ROW_BITS};
    localparam ROW_BLOCK     = ${ROW_BLOCK};        // 1: in block RAM
    localparam ROW_EDGE      = ${ROW_EDGE};         // so many of their highest bits
                                                    // in LUT RAM all the same
    localparam NEAR          = ${NEAR};             // bit n: a row may come back n + 1 cycles later
    localparam VECTOR_DEPTH  = ${VECTOR_DEPTH};     // elements in a bank
    localparam VECTOR_BLOCK  = ${VECTOR_BLOCK};
    localparam ADDR          = ${ADDR};
    localparam WEIGHT_WORDS  = ${WEIGHT_WORDS};     // words of an array
    localparam WADDR         = ${WADDR};
    localparam WORD          = ${WORD};
    localparam MUL_LATENCY   = ${MUL_LATENCY};
    localparam READ_AT       = ${READ_AT};          // cycles from a tile's control to its read
    localparam ACC_AT        = ${ACC_AT};           // ... to its sums
    localparam TILE_AT       = ${TILE_AT};          // ... to the cell unit
    // deltas
    localparam DELTA         = ${DELTA};
    localparam DELTA_X       = ${DELTA_X};          // thresholds after reset
    localparam DELTA_H       = ${DELTA_H};
    localparam DELTA_BLOCK   = ${DELTA_BLOCK};
    localparam LASTS         = ${LASTS};            // last-sent elements of a lane
    localparam LAST_BLOCK    = ${LAST_BLOCK};
    localparam LAST          = ${LAST};
    // scan program and readout program
    localparam SCANS         = ${SCANS};
    localparam COUNT_BITS    = ${COUNT_BITS};
    localparam LENGTH_BITS   = ${LENGTH_BITS};
    localparam BANK          = ${BANK};
    localparam SCAN_REST     = ${SCAN_REST};
    localparam TILES         = ${TILES};
    localparam TILE_BITS     = ${TILE_BITS};
    localparam GAP_BITS      = ${GAP_BITS};
    localparam LAYERS        = ${LAYERS};           // of LSTM
    // cell unit
    localparam CELL_LANES    = ${CELL_LANES};       // rows per cycle
    localparam SHIFTS        = ${SHIFTS};           // cycles per tile
    localparam H_ALIGNED     = ${H_ALIGNED};
    localparam RECORDS       = ${RECORDS};
    localparam RECORD        = ${RECORD};
    localparam NEURONS       = ${NEURONS};
    localparam STATE_BLOCK   = ${STATE_BLOCK};
    localparam STATE_SPLIT   = ${STATE_SPLIT};
    localparam STATE_PART    = ${STATE_PART};
    localparam ENTRIES       = ${ENTRIES};
    localparam ENTRY         = ${ENTRY};
    localparam OUT_BLOCK     = ${OUT_BLOCK};
    // loading over AXI4-Lite
    localparam LOADABLE      = ${LOADABLE};
    localparam LOAD_BITS     = ${LOAD_BITS};        // widest word
    localparam LOAD_WEIGHT   = ${LOAD_WEIGHT};      // number of the first memory of each kind
    localparam LOAD_INDEX    = ${LOAD_INDEX};
    localparam LOAD_RECORD   = ${LOAD_RECORD};
