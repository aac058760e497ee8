// Cell unit: walks the tile table as tiles drain from the engine and steers LANES lanes,
// SHIFTS cycles per tile. tile_i/start_i name a tile START cycles before its first rows
// arrive (START = 6, and EARLY more); rows follow SHIFTS cycles in a row. It never stalls: the
// sequencer made sure that every result has a place.
`default_nettype none
module lg_cell #(
    parameter LANES       = 1,
    parameter SHIFTS      = 4,   // cycles a tile takes through the lanes
    parameter ROWS        = 4,   // rows of a tile
    parameter TILES       = 8,   // words of the tile table
    parameter TILE_FILE   = "",  // image; layout below, first field in the lowest bits
    parameter TILE_BITS   = TILES > 1 ? $clog2(TILES) : 1,
    parameter LAYERS      = 1,
    parameter STAGES      = 1,   // of lg_sequencer
    parameter BANKS       = 4,
    parameter ADDR        = 4,   // vector bank address
    parameter ALIGNED     = 0,   // of lg_route
    parameter QUEUE       = 0,   // beats of h that may wait, where there are
                                 // fewer banks than lanes (lg_queue); 0: none
    parameter ENTRIES     = 4,   // words of an output lane, one slot
    parameter FRONT       = 0,   // cycles from an engine control word to its vector read
    parameter ACC         = 40,
    parameter LEFT        = 0,
    parameter SHIFT_BITS  = 6,
    parameter PRE         = 18,
    parameter PRE_FRACTION = PRE - 5,
    parameter OUT         = 16,
    parameter GATE        = OUT, // of lg_lane
    parameter STATE       = 24,
    parameter STATE_FRACTION = 15,   // of the state; below 0 and above STATE too
    parameter RECORDS     = 16,
    parameter PSUMS       = 1,
    parameter PSUM_BLOCK  = 0,
    parameter NEURONS     = 8,
    parameter STATE_BLOCK = 0,
    parameter SEGMENT     = 9,
    parameter SLOPE       = 13,
    parameter SLOPE_SHIFT = 0,
    parameter TABLES      = 1,   // curves (lg_activation)
    parameter TABLE_FILE  = "",
    parameter MUL_LATENCY = 3,
    parameter SPLIT       = 1,
    parameter PART        = 25,
    // The passes, numbered in the tile table; bit n of each mask tells something of pass n. Hardware
    // that no mask asks for is not there (lg_lane).
    parameter PASSES      = 6,   // 0 keep, 1 i, 2 g, 3 f, 4 o, 5 linear; at most 32
    parameter OP          = PASSES > 16 ? 5 : PASSES > 8 ? 4 : 3,
    parameter CODES       = 1 << OP,
    parameter [CODES-1:0] KEEP          = 8'h01,  // only its sum is kept
    // a: a curve of the row (lg_activation), or the row itself
    parameter [CODES-1:0] SIGMOID       = 8'h1a,  // (1 + T) / 2
    parameter [CODES-1:0] HALF          = 8'h1a,  // T of half the argument
    parameter [CODES-1:0] TABLE_1       = 0,  // which table, bit 0
    parameter [CODES-1:0] TABLE_2       = 0,  // and bit 1
    parameter [CODES-1:0] DIRECT        = 8'h20,
    parameter [CODES-1:0] LEAKY         = 0,  // negative rows times LEAK
    parameter [CODES-1:0] PLUS_LATE     = 0,  // late is added to the row
    parameter [CODES-1:0] CLIP_Z        = 0,  // the row is clipped to +-Z_LIMIT,
    parameter [CODES-1:0] CLIP_A        = 0,  // or as direct a to +-A_LIMIT
    // p = a * operand
    parameter [CODES-1:0] TIMES_HELD    = 8'h04,
    parameter [CODES-1:0] TIMES_REST    = 0,  // 1 - held
    parameter [CODES-1:0] TIMES_STATE   = 8'h08,
    parameter [CODES-1:0] TIMES_BOUNDED = 8'h10,
    parameter [CODES-1:0] FRESH         = 0,  // the state it reads is of this step
    // what is done with them
    parameter [CODES-1:0] TO_HELD       = 8'h02,  // held = a
    parameter [CODES-1:0] TO_KEPT       = 8'h04,  // kept = p
    parameter [CODES-1:0] TO_STATE      = 8'h08,  // state = p + kept
    parameter [CODES-1:0] ADDS_STATE    = 0,  // that kept was a product with the state,
    parameter [CODES-1:0] ADDS_INNER    = 0,  // or of a direct a
    parameter [CODES-1:0] CLIP_STATE    = 0,  // the new state is clipped to +-STATE_LIMIT
    parameter [CODES-1:0] TO_LATE       = 0,  // late = p
    parameter [CODES-1:0] RESULT_A      = 8'h20,
    parameter [CODES-1:0] RESULT_P      = 8'h10,
    parameter [CODES-1:0] RESULT_STATE  = 0,
    parameter [CODES-1:0] BEHIND        = 8'h20,  // it works on the step before (with one stage)
    // of passes that make a state: bounded is a curve of it, or the state itself
    parameter [CODES-1:0] BOUND_SIGMOID = 0,
    parameter [CODES-1:0] BOUND_HALF    = 0,
    parameter [CODES-1:0] BOUND_TABLE_1 = 0,
    parameter [CODES-1:0] BOUND_TABLE_2 = 0,
    parameter [CODES-1:0] BOUND_DIRECT  = 0,
    parameter [CODES-1:0] BOUND_RELU    = 0,
    // constants of those that are used (lg_lane)
    parameter A_FRACTION    = OUT - 1,
    parameter H_FRACTION    = OUT - 1,
    parameter B_FRACTION    = OUT - 1,
    parameter LATE_FRACTION = PRE_FRACTION,
    parameter PEEP          = 0,
    parameter PEEP_FRACTION = 14,
    parameter Z_LIMIT       = 0,
    parameter A_LIMIT       = 0,
    parameter STATE_LIMIT   = 0,
    parameter LEAK          = 0,
    parameter LEAK_SHIFT    = 15,
    parameter FIRST_RECORD  = 0,   // records of a sequence's first step lie so many words behind the
                                   // others; 0: there are none of its own
    parameter INIT          = 0,   // 1: the first state of a sequence is init_i, else 0
    parameter LOAD          = 0,   // 1: states can be read and written while the core is idle
    parameter RECORD_BITS   = ACC + SHIFT_BITS + PEEP,
    parameter RECORD      = RECORDS > 1 ? $clog2(RECORDS) : 1,
    parameter PSUM        = PSUMS > 1 ? $clog2(PSUMS) : 1,
    parameter NEURON      = NEURONS > 1 ? $clog2(NEURONS) : 1,
    parameter ENTRY       = ENTRIES > 1 ? $clog2(ENTRIES) : 1,
    parameter BANK        = $clog2(BANKS + 1)
) (
    input  wire                   clk_i,
    input  wire                   rst_i,
    input  wire                   start_i,
    input  wire [TILE_BITS-1:0]   tile_i,
    input  wire                   parity_i,
    input  wire                   clear_i,
    input  wire [LANES*ACC-1:0]   row_i,
    // rows of bias records, read by lane: {peephole, shift, bias}, addressed three cycles before the
    // row (or EARLY more)
    output wire [RECORD-1:0]      record_addr_o,
    input  wire [LANES*RECORD_BITS-1:0] record_i,
    // first states of a sequence, two cycles after their address; _p: of peepholes
    output wire [NEURON-1:0]      init_addr_o,
    input  wire [LANES*STATE-1:0] init_i,
    output wire [NEURON-1:0]      init_addr_p_o,
    input  wire [LANES*STATE-1:0] init_p_i,
    // states, while the core is idle: read two cycles after the address, written at once
    input  wire                   access_i,
    input  wire                   load_i,
    input  wire [NEURON-1:0]      state_addr_i,
    input  wire [LANES*STATE-1:0] state_i,
    output wire [LANES*STATE-1:0] state_o,
    // h into the vector memory
    output wire                   h_valid_o,
    output wire [BANKS-1:0]       h_we_o,
    output wire [BANKS*ADDR-1:0]  h_addr_o,
    output wire [BANKS*OUT-1:0]   h_data_o,
    // results into the output buffer
    output wire                   y_we_o,
    output wire                   y_slot_o,
    output wire [ENTRY-1:0]       y_entry_o,
    output wire [LANES*OUT-1:0]   y_data_o,
    output wire                   y_done_o,
    output wire [LAYERS-1:0]      done_o,
    output wire [LANES-1:0]       saturated_o
);
    localparam ROW_BITS = $clog2(ROWS + 1);
    localparam T_OP     = 0;
    localparam T_PSUM   = T_OP + OP;           // add the partial sum kept, not the bias
    localparam T_VECTOR = T_PSUM + 1;
    localparam T_OUTPUT = T_VECTOR + 1;
    localparam T_RELU   = T_OUTPUT + 1;
    localparam T_YDONE  = T_RELU + 1;
    localparam T_DONE   = T_YDONE + 1;
    localparam T_RECORD = T_DONE + LAYERS;
    localparam T_PADDR  = T_RECORD + RECORD;
    localparam T_NEURON = T_PADDR + PSUM;
    localparam T_ROWS   = T_NEURON + NEURON;
    localparam T_BANK   = T_ROWS + ROW_BITS;
    localparam T_MOD    = T_BANK + BANK;
    localparam T_ADDR0  = T_MOD + BANK;
    localparam T_ADDR1  = T_ADDR0 + ADDR;
    localparam T_ENTRY  = T_ADDR1 + ADDR;
    localparam WORD     = T_ENTRY + ENTRY;
    localparam M = MUL_LATENCY;
    // what the passes use
    localparam [CODES-1:0] NONE    = 0, USED = (1 << PASSES) - 1;
    localparam [CODES-1:0] CURVES  = USED & ~KEEP & ~DIRECT;
    localparam [CODES-1:0] TIMES   = TIMES_HELD | TIMES_REST | TIMES_STATE | TIMES_BOUNDED;
    localparam [CODES-1:0] INNER   = DIRECT & (TIMES_HELD | TIMES_REST);
    localparam [CODES-1:0] VALUES  = ~TIMES_STATE & ~INNER;
    localparam [CODES-1:0] CUTS    = DIRECT | RESULT_STATE | (RESULT_P & TIMES_STATE);   // saturations count
    localparam HAS_PRODUCTS   = TIMES != NONE ? 1 : 0;
    localparam HAS_BOUNDED    = TIMES_BOUNDED != NONE ? 1 : 0;
    localparam HAS_BOUNDS     = (TO_STATE & ~BOUND_DIRECT) != NONE ? HAS_BOUNDED : 0;
    localparam HAS_DIRECT     = DIRECT != NONE ? 1 : 0;
    localparam MERGED         = (DIRECT & (TIMES | TO_HELD)) != NONE || (RESULT_A & ~DIRECT) != NONE
                                ? 1 : 0;
    localparam FROM_STATE     = RESULT_STATE != NONE ? 1 : 0;
    // kinds of products: 0 of values, 1 with the state, 2 of a direct a; each has its fraction
    localparam [2:0] KEPT_KINDS = {(TO_KEPT & INNER) != NONE, (TO_KEPT & TIMES_STATE) != NONE,
                                   (TO_KEPT & VALUES) != NONE};
    localparam [2:0] SUM_KINDS  = {(TO_STATE & INNER) != NONE, (TO_STATE & TIMES_STATE) != NONE,
                                   (TO_STATE & VALUES) != NONE};
    localparam [2:0] RESULT_KINDS = {1'b0, (RESULT_P & TIMES_STATE) != NONE,
                                     (RESULT_P & ~TIMES_STATE) != NONE};
    localparam [2:0] ADDED    = KEPT_KINDS | SUM_KINDS;
    localparam KEPT_STATE     = KEPT_KINDS[1] ? GATE + STATE : 0;
    localparam KEPT_VALUE     = KEPT_KINDS[0] || KEPT_KINDS[2] ? 2 * GATE : 0;
    localparam KEPT           = KEPT_STATE > KEPT_VALUE ? KEPT_STATE : KEPT_VALUE;
    localparam F1             = ADDED[1] ? (GATE - 1) + STATE_FRACTION : -64;
    localparam F0             = ADDED[0] && 2 * (GATE - 1) > F1 ? 2 * (GATE - 1) : F1;
    localparam F2             = (GATE - 1) + A_FRACTION + (GATE - OUT);
    localparam SUM_FRACTION   = ADDED[2] && F2 > F0 ? F2 : F0;
    // latencies: of the product; rows come EARLY cycles later where a peephole's product takes longer
    // than there is time for
    localparam W     = HAS_PRODUCTS == 0 ? 0 : MUL_LATENCY + (SPLIT > 1 ? 1 : 0);
    localparam EARLY = PEEP > 0 && W > 3 ? W - 3 : 0;
    localparam PEEP_AT = W < 3 ? 3 - W : 0;     // its read, from stage e on

    // ---- tile table, then one element register per cycle (stage e)
    wire [WORD-1:0] word;
    wire            start, parity, clear;
    lg_rom #(.WIDTH(WORD), .DEPTH(TILES), .INIT_FILE(TILE_FILE)) u_tiles (
        .clk_i(clk_i), .raddr_i(tile_i), .rdata_o(word));
    lg_delay_reset #(.WIDTH(1), .LATENCY(2)) u_start (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(start_i), .q_o(start));
    lg_delay #(.WIDTH(2), .LATENCY(2)) u_tag (
        .clk_i(clk_i), .d_i({parity_i, clear_i}), .q_o({parity, clear}));

    localparam SHIFT_COUNT = SHIFTS > 1 ? $clog2(SHIFTS) : 1;
    localparam [SHIFT_COUNT-1:0] LAST_SHIFT = SHIFTS - 1, ONE_SHIFT = 1;
    localparam [RECORD-1:0] ONE_RECORD = 1, NO_RECORD = 0, FIRST = FIRST_RECORD;
    localparam [PSUM-1:0]   ONE_PSUM   = 1;
    localparam [NEURON-1:0] ONE_NEURON = 1;
    reg                   valid_q, use_psum_q, vector_q, relu_q, clear_q;
    reg [OP-1:0]          op_q;
    reg [LAYERS-1:0]      done_q;
    reg [SHIFT_COUNT-1:0] shift_q;
    reg [RECORD-1:0]      record_q;
    reg [PSUM-1:0]        psum_q;
    reg [NEURON-1:0]      neuron_q;
    wire                  last_shift = shift_q == LAST_SHIFT;
    always @(posedge clk_i) begin
        if (rst_i)      valid_q <= 1'b0;
        else if (start) valid_q <= 1'b1;
        else if (last_shift) valid_q <= 1'b0;
        if (start) begin
            op_q       <= word[T_OP +: OP];
            use_psum_q <= word[T_PSUM];
            vector_q   <= word[T_VECTOR];
            relu_q     <= word[T_RELU];
            done_q     <= word[T_DONE +: LAYERS];
            shift_q    <= {SHIFT_COUNT{1'b0}};
            record_q   <= word[T_RECORD +: RECORD] + (clear ? FIRST : NO_RECORD);
            psum_q     <= word[T_PADDR +: PSUM];
            neuron_q   <= word[T_NEURON +: NEURON];
            clear_q    <= clear;
        end else begin
            shift_q  <= shift_q + ONE_SHIFT;
            record_q <= record_q + ONE_RECORD;
            psum_q   <= psum_q + ONE_PSUM;
            neuron_q <= neuron_q + ONE_NEURON;
        end
    end
    assign record_addr_o = record_q;

    // ---- control on its way along the lanes: the pass, of which each stage takes what it needs
    wire use_psum_x1, keep_x1;
    wire [PSUM-1:0] psum_x3, psum_x1;
    lg_delay #(.WIDTH(1), .LATENCY(2 + EARLY)) u_use_psum (
        .clk_i(clk_i), .d_i(use_psum_q), .q_o(use_psum_x1));
    lg_delay_reset #(.WIDTH(1), .LATENCY(4 + EARLY)) u_keep (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(valid_q && KEEP[op_q]), .q_o(keep_x1));
    lg_delay #(.WIDTH(PSUM), .LATENCY(EARLY)) u_psum_x3 (
        .clk_i(clk_i), .d_i(psum_q), .q_o(psum_x3));
    lg_delay #(.WIDTH(PSUM), .LATENCY(4)) u_psum_x1 (
        .clk_i(clk_i), .d_i(psum_x3), .q_o(psum_x1));
    wire clear_p;
    lg_delay #(.WIDTH(1), .LATENCY(2 + PEEP_AT)) u_clear_p (
        .clk_i(clk_i), .d_i(clear_q && !FRESH[op_q]), .q_o(clear_p));

    wire [OP-1:0] op_x3, op_x4, op_g1, op_g, op_u, op_u1, op_u2, op_u3, op_b1;
    wire       relu_g1, clear_g1;
    lg_delay #(.WIDTH(OP), .LATENCY(6 + EARLY)) u_op_x3 (.clk_i(clk_i), .d_i(op_q), .q_o(op_x3));
    lg_delay #(.WIDTH(OP), .LATENCY(1)) u_op_x4 (.clk_i(clk_i), .d_i(op_x3), .q_o(op_x4));
    lg_delay #(.WIDTH(OP), .LATENCY(4 + M)) u_op_g1 (.clk_i(clk_i), .d_i(op_x4), .q_o(op_g1));
    lg_delay #(.WIDTH(OP), .LATENCY(1)) u_op_g (.clk_i(clk_i), .d_i(op_g1), .q_o(op_g));
    lg_delay #(.WIDTH(OP), .LATENCY(W)) u_op_u (.clk_i(clk_i), .d_i(op_g), .q_o(op_u));
    lg_delay #(.WIDTH(OP), .LATENCY(1)) u_op_u1 (.clk_i(clk_i), .d_i(op_u), .q_o(op_u1));
    lg_delay #(.WIDTH(OP), .LATENCY(1)) u_op_u2 (.clk_i(clk_i), .d_i(op_u1), .q_o(op_u2));
    lg_delay #(.WIDTH(OP), .LATENCY(1)) u_op_u3 (.clk_i(clk_i), .d_i(op_u2), .q_o(op_u3));
    lg_delay #(.WIDTH(OP), .LATENCY(4 + M)) u_op_b1 (.clk_i(clk_i), .d_i(op_u3), .q_o(op_b1));
    lg_delay #(.WIDTH(2), .LATENCY(11 + M + EARLY)) u_mode (
        .clk_i(clk_i), .d_i({relu_q, clear_q && !FRESH[op_q]}), .q_o({relu_g1, clear_g1}));

    wire valid_g, valid_u, late_u1, state_u2, bounded_u8;
    lg_delay_reset #(.WIDTH(1), .LATENCY(12 + M + EARLY)) u_valid_g (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(valid_q), .q_o(valid_g));
    lg_delay_reset #(.WIDTH(1), .LATENCY(W)) u_valid_u (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(valid_g), .q_o(valid_u));
    lg_delay_reset #(.WIDTH(1), .LATENCY(1)) u_late (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(valid_u && TO_LATE[op_u]), .q_o(late_u1));
    lg_delay_reset #(.WIDTH(1), .LATENCY(2)) u_state (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(valid_u && TO_STATE[op_u]), .q_o(state_u2));
    lg_delay_reset #(.WIDTH(1), .LATENCY(6 + M)) u_bounded (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(state_u2), .q_o(bounded_u8));

    wire [NEURON-1:0] neuron_p, neuron_x1, neuron_g3, neuron_g, neuron_u2, neuron_u, neuron_u1,
                      neuron_c, neuron_tc;
    lg_delay #(.WIDTH(NEURON), .LATENCY(PEEP_AT)) u_n_p (
        .clk_i(clk_i), .d_i(neuron_q), .q_o(neuron_p));
    lg_delay #(.WIDTH(NEURON), .LATENCY(4 + EARLY)) u_n_x1 (
        .clk_i(clk_i), .d_i(neuron_q), .q_o(neuron_x1));
    lg_delay #(.WIDTH(NEURON), .LATENCY(5 + M)) u_n_g3 (
        .clk_i(clk_i), .d_i(neuron_x1), .q_o(neuron_g3));
    lg_delay #(.WIDTH(NEURON), .LATENCY(3)) u_n_g (.clk_i(clk_i), .d_i(neuron_g3), .q_o(neuron_g));
    lg_delay #(.WIDTH(NEURON), .LATENCY(W + 1)) u_n_u2 (
        .clk_i(clk_i), .d_i(neuron_g3), .q_o(neuron_u2));
    lg_delay #(.WIDTH(NEURON), .LATENCY(2)) u_n_u (.clk_i(clk_i), .d_i(neuron_u2), .q_o(neuron_u));
    lg_delay #(.WIDTH(NEURON), .LATENCY(1)) u_n_u1 (.clk_i(clk_i), .d_i(neuron_u), .q_o(neuron_u1));
    lg_delay #(.WIDTH(NEURON), .LATENCY(1)) u_n_c (.clk_i(clk_i), .d_i(neuron_u1), .q_o(neuron_c));
    lg_delay #(.WIDTH(NEURON), .LATENCY(6 + M)) u_n_tc (
        .clk_i(clk_i), .d_i(neuron_c), .q_o(neuron_tc));
    // while the core is idle, states are read and written from outside
    wire              load        = LOAD != 0 && access_i && load_i;
    wire [NEURON-1:0] state_raddr = LOAD != 0 && access_i ? state_addr_i : neuron_g3;
    wire [NEURON-1:0] state_waddr = LOAD != 0 && access_i ? state_addr_i : neuron_c;
    wire              unused_load = access_i ^ load_i ^ (^state_addr_i);
    assign init_addr_o   = neuron_g3;
    assign init_addr_p_o = neuron_p;

    // The head of a step runs when the parity has already turned to the next one, but where
    // it has a parity of its own.
    wire slot = parity ^ (STAGES == 1 && BEHIND[word[T_OP +: OP]]);

    // ---- results leave at u + 1 = e + 13 + M + W, or two cycles later
    localparam RESULT = 13 + M + W + 2 * FROM_STATE + EARLY;
    wire                v_u1, y_u1, slot_u1, yd_u1;
    wire [BANK-1:0]     bank_u1, modulus_u1;
    wire [ADDR-1:0]     addr_u1;
    wire [ROW_BITS-1:0] rows_u1;
    wire [ENTRY-1:0]    entry_u1;
    wire valid_result;
    lg_delay_reset #(.WIDTH(1), .LATENCY(2 * FROM_STATE)) u_result (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(valid_u), .q_o(valid_result));
    lg_where #(.LANES(LANES), .SHIFTS(SHIFTS), .LATENCY(RESULT), .BANKS(BANKS), .ADDR(ADDR),
               .ROWS(ROW_BITS), .ENTRY(ENTRY)) u_where (
        .clk_i(clk_i), .rst_i(rst_i), .start_i(start), .vector_i(word[T_VECTOR]),
        .output_i(word[T_OUTPUT]), .ydone_i(word[T_YDONE]), .slot_i(slot),
        .rows_i(word[T_ROWS +: ROW_BITS]), .bank_i(word[T_BANK +: BANK]),
        .modulus_i(word[T_MOD +: BANK]),
        .addr_i(parity ? word[T_ADDR1 +: ADDR] : word[T_ADDR0 +: ADDR]),
        .entry_i(word[T_ENTRY +: ENTRY]), .valid_i(valid_result), .vector_q(v_u1),
        .output_q(y_u1), .ydone_q(yd_u1), .slot_q(slot_u1), .rows_q(rows_u1), .bank_q(bank_u1),
        .modulus_q(modulus_u1), .addr_q(addr_u1), .entry_q(entry_u1));
    wire              v_soon;
    wire [LAYERS-1:0] done;
    lg_delay_reset #(.WIDTH(LAYERS + 1), .LATENCY(RESULT - 1 - FRONT)) u_done (
        .clk_i(clk_i), .rst_i(rst_i),
        .d_i({valid_q && vector_q, done_q & {LAYERS{valid_q && last_shift}}}),
        .q_o({v_soon, done}));

    // ---- lanes
    wire [LANES*OUT-1:0] h;
    wire [LANES-1:0]     h_saturated, state_saturated, in_tile;
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : gen_lane
            lg_lane #(.ACC(ACC), .LEFT(LEFT), .SHIFT_BITS(SHIFT_BITS), .PRE(PRE),
                      .PRE_FRACTION(PRE_FRACTION), .OUT(OUT), .GATE(GATE), .STATE(STATE),
                      .STATE_FRACTION(STATE_FRACTION), .PSUMS(PSUMS), .PSUM_BLOCK(PSUM_BLOCK),
                      .NEURONS(NEURONS), .STATE_BLOCK(STATE_BLOCK), .SEGMENT(SEGMENT),
                      .TABLES(TABLES), .SLOPE(SLOPE), .SLOPE_SHIFT(SLOPE_SHIFT),
                      .TABLE_FILE(TABLE_FILE), .MUL_LATENCY(MUL_LATENCY), .SPLIT(SPLIT),
                      .PART(PART), .CURVE(CURVES != NONE ? 1 : 0), .DIRECT(HAS_DIRECT),
                      .MERGED(MERGED), .RESULT_A(RESULT_A != NONE ? 1 : 0),
                      .RESULT_P(RESULT_KINDS), .FROM_STATE(FROM_STATE),
                      .HELD((TIMES_HELD | TIMES_REST) != NONE ? 1 : 0),
                      .REST(TIMES_REST != NONE ? 1 : 0), .PRODUCTS(HAS_PRODUCTS), .KEPT(KEPT),
                      .KEPT_KINDS(KEPT_KINDS), .SUM_KINDS(SUM_KINDS), .BOUNDED(HAS_BOUNDED),
                      .BOUND_CURVE(HAS_BOUNDS), .BOUND_DIRECT(BOUND_DIRECT != NONE ? 1 : 0),
                      .LATE(TO_LATE != NONE ? 1 : 0), .INIT(INIT), .LOAD(LOAD),
                      .A_FRACTION(A_FRACTION), .H_FRACTION(H_FRACTION), .B_FRACTION(B_FRACTION),
                      .LATE_FRACTION(LATE_FRACTION),
                      .SUM_FRACTION(SUM_FRACTION), .PEEP(PEEP), .PEEP_FRACTION(PEEP_FRACTION),
                      .Z_LIMIT(Z_LIMIT), .A_LIMIT(A_LIMIT), .STATE_LIMIT(STATE_LIMIT), .LEAK(LEAK),
                      .LEAK_SHIFT(LEAK_SHIFT), .EARLY(EARLY)) u_lane (
                .clk_i(clk_i), .row_i(row_i[lane*ACC +: ACC]),
                .record_i(record_i[lane*RECORD_BITS +: RECORD_BITS]), .psum_addr_i(psum_x3),
                .use_psum_i(use_psum_x1), .psum_we_i(keep_x1), .psum_waddr_i(psum_x1),
                .neuron_p_i(neuron_p), .clear_p_i(clear_p),
                .init_p_i(init_p_i[lane*STATE +: STATE]), .neuron_x1_i(neuron_x1),
                .use_late_i(PLUS_LATE[op_x3]), .clip_z_i(CLIP_Z[op_x3]), .half_i(HALF[op_x4]),
                .sigmoid_i(SIGMOID[op_x4]), .table_i({TABLE_2[op_x4], TABLE_1[op_x4]}),
                .clip_a_i(CLIP_A[op_x4]), .direct_g_i(DIRECT[op_g1]), .relu_g_i(relu_g1),
                .leaky_g_i(LEAKY[op_g1]), .neuron_g3_i(state_raddr),
                .pick_held_i(TIMES_HELD[op_g1]), .pick_rest_i(TIMES_REST[op_g1]),
                .pick_state_i(TIMES_STATE[op_g1]), .clear_i(clear_g1),
                .init_i(init_i[lane*STATE +: STATE]), .held_we_i(valid_g && TO_HELD[op_g]),
                .neuron_g_i(neuron_g), .neuron_u2_i(neuron_u2),
                .kind_i({INNER[op_u], TIMES_STATE[op_u]}), .kept_we_i(valid_u && TO_KEPT[op_u]),
                .neuron_u_i(neuron_u), .result_a_i(RESULT_A[op_u]), .result_p_i(RESULT_P[op_u]),
                .kept_kind_i({ADDS_INNER[op_u], ADDS_STATE[op_u]}),
                .clip_state_i(CLIP_STATE[op_u1]), .late_we_i(late_u1), .neuron_u1_i(neuron_u1),
                .state_we_i(state_u2 || load), .neuron_c_i(state_waddr),
                .result_state_i(RESULT_STATE[op_u2]), .bound_half_i(BOUND_HALF[op_u3]),
                .bound_sigmoid_i(BOUND_SIGMOID[op_u3]),
                .bound_table_i({BOUND_TABLE_2[op_u3], BOUND_TABLE_1[op_u3]}),
                .bound_direct_i(BOUND_DIRECT[op_b1]), .bound_relu_i(BOUND_RELU[op_b1]),
                .bounded_we_i(bounded_u8), .neuron_tc_i(neuron_tc), .load_i(load),
                .load_value_i(state_i[lane*STATE +: STATE]), .state_o(state_o[lane*STATE +: STATE]),
                .h_o(h[lane*OUT +: OUT]), .h_saturated_o(h_saturated[lane]),
                .state_saturated_o(state_saturated[lane]));
            assign in_tile[lane] = rows_u1 > lane;
        end
    endgenerate
    wire cuts;
    lg_delay_reset #(.WIDTH(1), .LATENCY(1 + 2 * FROM_STATE)) u_cuts (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(valid_u && CUTS[op_u]), .q_o(cuts));
    assign saturated_o = (state_saturated & {LANES{state_u2}}) | (h_saturated & {LANES{cuts}});

    generate
        if (QUEUE > 0) begin : gen_queue
            wire unused = ^modulus_u1;
            lg_queue #(.LANES(LANES), .BANKS(BANKS), .WIDTH(OUT), .ADDR(ADDR), .DEPTH(QUEUE),
                       .LAYERS(LAYERS), .ALIGNED(ALIGNED)) u_queue (
                .clk_i(clk_i), .rst_i(rst_i), .soon_i(v_soon), .done_i(done), .done_o(done_o),
                .valid_i(v_u1), .mask_i(in_tile), .data_i(h), .bank_i(bank_u1), .addr_i(addr_u1),
                .valid_o(h_valid_o), .we_o(h_we_o), .addr_o(h_addr_o), .data_o(h_data_o));
        end else begin : gen_route
            wire unused = v_soon;
            lg_route #(.COUNT(LANES), .BANKS(BANKS), .WIDTH(OUT), .ADDR(ADDR),
                       .ALIGNED(ALIGNED)) u_route (
                .valid_i(in_tile & {LANES{v_u1}}), .data_i(h), .start_i(bank_u1),
                .modulus_i(modulus_u1), .addr_i(addr_u1), .we_o(h_we_o), .addr_o(h_addr_o),
                .data_o(h_data_o));
            assign h_valid_o = v_u1;
            assign done_o    = done;
        end
    endgenerate
    assign y_we_o    = y_u1;
    assign y_slot_o  = slot_u1;
    assign y_entry_o = entry_u1;
    assign y_data_o  = h;
    assign y_done_o  = yd_u1;
endmodule
`default_nettype wire
