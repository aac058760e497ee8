    // scatter engine
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
    localparam FRONT         = ${FRONT};
    localparam READ_AT       = ${READ_AT};          // cycles from a tile's control to its read
    localparam ACC_AT        = ${ACC_AT};           // ... to its sums
    localparam TILE_AT       = ${TILE_AT};          // ... to the cell unit
    // deltas
    localparam DELTA         = ${DELTA};
//%% if delta
    localparam DELTA_X       = ${DELTA_X};          // thresholds after reset
    localparam DELTA_H       = ${DELTA_H};
//%% end
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
