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
    localparam CONTIGUOUS    = ${CONTIGUOUS};       // 1: a bank holds neighbouring elements
    localparam X_ALIGNED     = ${X_ALIGNED};
    localparam X_MASKED      = ${X_MASKED};         // 1: only elements that a
                                                    // matrix reads are stored
    localparam X_BASE0       = ${X_BASE0};
    localparam X_BASE1       = ${X_BASE1};
    // engine
    localparam PES           = ${PES};
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
    localparam HEAD_RUN      = ${HEAD_RUN};
    localparam HAS_HEAD      = ${HAS_HEAD};
    localparam TILES         = ${TILES};
    localparam TILE_BITS     = ${TILE_BITS};
    localparam LENGTH_BITS   = ${LENGTH_BITS};
    localparam GAP_BITS      = ${GAP_BITS};
    localparam LAYERS        = ${LAYERS};           // of LSTM
    localparam STAGES        = ${STAGES};           // layers that each work on a step of their own;
                                                    // 1: all on the same
    // cell unit
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
    // loading over AXI4-Lite
    localparam LOADABLE      = ${LOADABLE};
    localparam LOAD_BITS     = ${LOAD_BITS};        // widest word
    localparam LOAD_WEIGHT   = ${LOAD_WEIGHT};      // number of the first memory of each kind
    localparam LOAD_INDEX    = ${LOAD_INDEX};
    localparam LOAD_RECORD   = ${LOAD_RECORD};
