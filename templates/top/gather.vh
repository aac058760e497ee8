    // gather engine
    localparam PES           = ${PES};
    localparam TILE_ROWS     = PES;
    localparam PE_WIDTH      = ${PE_WIDTH};
    localparam PRIVATE       = ${PRIVATE};          // 1: each PE has its own copy of the vector
    localparam SHARE         = ${SHARE};            // PEs that read one index list
    localparam LISTS         = PES / SHARE;
    localparam SPAN          = ${SPAN};             // banks of the copy of the vector that each
                                                    // lane has; 0: its own bank only
    localparam BANKS         = ${BANKS};            // banks written
    localparam SELECT        = ${SELECT};           // cycles to select one of the banks read
    localparam INDEX_BITS    = ${INDEX_BITS};
    localparam RING          = ${RING};             // sums of a PE that wait for the other PEs;
                                                    // 0: PEs are in step
    localparam RING_BLOCK    = ${RING_BLOCK};
    localparam SLACK         = ${SLACK};            // cycles by which their tiles leave later than
                                                    // the control says
    localparam INDEX_WORD    = PE_WIDTH * INDEX_BITS + (RING > 0 ? 2 : 0);
    localparam VECTOR_DEPTH  = ${VECTOR_DEPTH};     // elements in a bank
    localparam VECTOR_BLOCK  = ${VECTOR_BLOCK};     // 1: banks in block RAM
    localparam ADDR          = ${ADDR};
    localparam WEIGHT_WORDS  = ${WEIGHT_WORDS};     // engine cycles of a step
    localparam WADDR         = ${WADDR};
    localparam MUL_LATENCY   = ${MUL_LATENCY};
    localparam FRONT         = ${FRONT};            // cycles until a read address is there
    localparam ACC_AT        = ${ACC_AT};           // cycles from a tile's last
                                                    // control word to its sums
    localparam TILE_AT       = ${TILE_AT};
    // step program
    localparam RUNS          = ${RUNS};
    localparam HEAD_RUN      = ${HEAD_RUN};         // works on the step before, so does
    localparam LAST_HEAD_RUN = ${LAST_HEAD_RUN};    // this one, where it is another
    localparam HAS_HEAD      = ${HAS_HEAD};
    localparam TILES         = ${TILES};
    localparam TILE_BITS     = ${TILE_BITS};
    localparam LENGTH_BITS   = ${LENGTH_BITS};
    localparam GAP_BITS      = ${GAP_BITS};
