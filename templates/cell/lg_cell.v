// Cell unit: walks the tile table as tiles drain from the engine and steers LANES lanes,
// SHIFTS cycles per tile. tile_i/start_i name a tile START cycles before its first rows
// arrive (START = 6); rows follow SHIFTS cycles in a row. It never stalls: the sequencer made
// sure that every result has a place.
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
    parameter OUT         = 16,
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
    parameter TABLE_FILE  = "",
    parameter MUL_LATENCY = 3,
    parameter SPLIT       = 1,
    parameter PART        = 25,
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
    // rows of bias records, read by lane: {shift, bias}, addressed three cycles before the row
    output wire [RECORD-1:0]      record_addr_o,
    input  wire [LANES*(ACC+SHIFT_BITS)-1:0] record_i,
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
    localparam T_PSUM   = T_OP + 3;            // add the partial sum kept, not the bias
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
    localparam [2:0] OP_KEEP = 3'd0, OP_I = 3'd1, OP_G = 3'd2, OP_F = 3'd3, OP_O = 3'd4,
                     OP_LINEAR = 3'd5;
    localparam M = MUL_LATENCY;
    localparam W = MUL_LATENCY + (SPLIT > 1 ? 1 : 0);

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
    localparam [RECORD-1:0] ONE_RECORD = 1;
    localparam [PSUM-1:0]   ONE_PSUM   = 1;
    localparam [NEURON-1:0] ONE_NEURON = 1;
    localparam [ENTRY-1:0]  ONE_ENTRY  = 1;
    localparam [ADDR-1:0]   ONE_ADDR   = 1;
    // From beat to beat; with more lanes than banks some whole addresses, all banks being used.
    localparam              JUMP       = LANES > BANKS ? LANES / BANKS : 0;
    localparam [BANK-1:0]   STEP       = LANES - JUMP * BANKS;
    localparam [ADDR-1:0]   WHOLE      = JUMP;
    localparam [ROW_BITS-1:0] STEP_ROWS = LANES;
    reg                   valid_q, use_psum_q, vector_q, output_q, relu_q, ydone_q, parity_q,
                          clear_q;
    reg [2:0]             op_q;
    reg [LAYERS-1:0]      done_q;
    reg [SHIFT_COUNT-1:0] shift_q;
    reg [RECORD-1:0]      record_q;
    reg [PSUM-1:0]        psum_q;
    reg [NEURON-1:0]      neuron_q;
    reg [ROW_BITS-1:0]    rows_q;
    reg [BANK-1:0]        bank_q, modulus_q;
    reg [ADDR-1:0]        addr_q;
    reg [ENTRY-1:0]       entry_q;
    wire                  last_shift = shift_q == LAST_SHIFT;
    wire [BANK:0]         moved = {1'b0, bank_q} + {1'b0, STEP};
    wire                  wraps = moved >= {1'b0, modulus_q};
    wire [BANK-1:0]       next_bank = wraps ? bank_q + STEP - modulus_q : bank_q + STEP;
    wire [ROW_BITS:0]     rows_left = {1'b0, rows_q} - {1'b0, STEP_ROWS};
    always @(posedge clk_i) begin
        if (rst_i)      valid_q <= 1'b0;
        else if (start) valid_q <= 1'b1;
        else if (last_shift) valid_q <= 1'b0;
        if (start) begin
            op_q       <= word[T_OP +: 3];
            use_psum_q <= word[T_PSUM];
            vector_q   <= word[T_VECTOR];
            output_q   <= word[T_OUTPUT];
            relu_q     <= word[T_RELU];
            ydone_q    <= word[T_YDONE];
            done_q     <= word[T_DONE +: LAYERS];
            shift_q    <= {SHIFT_COUNT{1'b0}};
            record_q   <= word[T_RECORD +: RECORD];
            psum_q     <= word[T_PADDR +: PSUM];
            neuron_q   <= word[T_NEURON +: NEURON];
            rows_q     <= word[T_ROWS +: ROW_BITS];
            bank_q     <= word[T_BANK +: BANK];
            modulus_q  <= word[T_MOD +: BANK];
            addr_q     <= parity ? word[T_ADDR1 +: ADDR] : word[T_ADDR0 +: ADDR];
            entry_q    <= word[T_ENTRY +: ENTRY];
            parity_q   <= parity;
            clear_q    <= clear;
        end else begin
            shift_q  <= shift_q + ONE_SHIFT;
            record_q <= record_q + ONE_RECORD;
            psum_q   <= psum_q + ONE_PSUM;
            neuron_q <= neuron_q + ONE_NEURON;
            rows_q   <= rows_left[ROW_BITS] ? {ROW_BITS{1'b0}} : rows_left[ROW_BITS-1:0];
            bank_q   <= next_bank;
            addr_q   <= addr_q + WHOLE + (wraps ? ONE_ADDR : {ADDR{1'b0}});
            entry_q  <= entry_q + ONE_ENTRY;
        end
    end
    assign record_addr_o = record_q;

    // ---- control on its way along the lanes: what each later stage needs, no more
    wire use_psum_x1, keep_x1;
    wire [PSUM-1:0] psum_x1;
    lg_delay #(.WIDTH(1), .LATENCY(2)) u_use_psum (
        .clk_i(clk_i), .d_i(use_psum_q), .q_o(use_psum_x1));
    lg_delay_reset #(.WIDTH(1), .LATENCY(4)) u_keep (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(valid_q && op_q == OP_KEEP), .q_o(keep_x1));
    lg_delay #(.WIDTH(PSUM), .LATENCY(4)) u_psum_addr (.clk_i(clk_i), .d_i(psum_q), .q_o(psum_x1));
    wire sigmoid_x4;
    lg_delay #(.WIDTH(1), .LATENCY(7)) u_sigmoid (
        .clk_i(clk_i), .d_i(op_q != OP_G), .q_o(sigmoid_x4));

    wire [4:0] op_hot = {5{valid_q}} & {op_q == OP_LINEAR, op_q == OP_O, op_q == OP_F, op_q == OP_G,
                                        op_q == OP_I};
    wire [4:0] op_g1, op_g, op_u;
    wire       relu_g1, clear_g1;
    lg_delay_reset #(.WIDTH(5), .LATENCY(11 + M)) u_op_g1 (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(op_hot), .q_o(op_g1));
    lg_delay_reset #(.WIDTH(5), .LATENCY(1)) u_op_g (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(op_g1), .q_o(op_g));
    lg_delay_reset #(.WIDTH(5), .LATENCY(W)) u_op_u (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(op_g), .q_o(op_u));
    lg_delay #(.WIDTH(2), .LATENCY(11 + M)) u_mode (
        .clk_i(clk_i), .d_i({relu_q, clear_q}), .q_o({relu_g1, clear_g1}));
    wire c_u2, tc_u8;
    wire unused_op = op_u[3] ^ op_u[0];
    lg_delay_reset #(.WIDTH(1), .LATENCY(2)) u_c (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(op_u[2]), .q_o(c_u2));
    lg_delay_reset #(.WIDTH(1), .LATENCY(6 + M)) u_tc (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(c_u2), .q_o(tc_u8));
    wire [NEURON-1:0] neuron_g3, neuron_g, neuron_u2, neuron_u, neuron_c, neuron_tc;
    lg_delay #(.WIDTH(NEURON), .LATENCY(9 + M)) u_n_g3 (
        .clk_i(clk_i), .d_i(neuron_q), .q_o(neuron_g3));
    lg_delay #(.WIDTH(NEURON), .LATENCY(3)) u_n_g (.clk_i(clk_i), .d_i(neuron_g3), .q_o(neuron_g));
    lg_delay #(.WIDTH(NEURON), .LATENCY(W + 1)) u_n_u2 (
        .clk_i(clk_i), .d_i(neuron_g3), .q_o(neuron_u2));
    lg_delay #(.WIDTH(NEURON), .LATENCY(2)) u_n_u (.clk_i(clk_i), .d_i(neuron_u2), .q_o(neuron_u));
    lg_delay #(.WIDTH(NEURON), .LATENCY(2)) u_n_c (.clk_i(clk_i), .d_i(neuron_u), .q_o(neuron_c));
    lg_delay #(.WIDTH(NEURON), .LATENCY(6 + M)) u_n_tc (
        .clk_i(clk_i), .d_i(neuron_c), .q_o(neuron_tc));

    // The head of a step runs when the parity has already turned to the next one, but where
    // it has a parity of its own.
    wire slot = parity_q ^ (STAGES == 1 && op_q == OP_LINEAR);

    // ---- results leave at u + 1 = e + 13 + M + W
    localparam RESULT = 13 + M + W;
    wire                v_u1, y_u1, slot_u1, yd_u1;
    wire [BANK-1:0]     bank_u1, modulus_u1;
    wire [ADDR-1:0]     addr_u1;
    wire [ROW_BITS-1:0] rows_u1;
    wire [ENTRY-1:0]    entry_u1;
    lg_delay_reset #(.WIDTH(3), .LATENCY(RESULT)) u_result (
        .clk_i(clk_i), .rst_i(rst_i),
        .d_i({valid_q && vector_q, valid_q && output_q, valid_q && ydone_q && last_shift}),
        .q_o({v_u1, y_u1, yd_u1}));
    lg_delay #(.WIDTH(1 + 2*BANK + ADDR + ROW_BITS + ENTRY), .LATENCY(RESULT)) u_where (
        .clk_i(clk_i), .d_i({slot, bank_q, modulus_q, addr_q, rows_q, entry_q}),
        .q_o({slot_u1, bank_u1, modulus_u1, addr_u1, rows_u1, entry_u1}));
    wire              v_soon;
    wire [LAYERS-1:0] done;
    lg_delay_reset #(.WIDTH(LAYERS + 1), .LATENCY(RESULT - 1 - FRONT)) u_done (
        .clk_i(clk_i), .rst_i(rst_i),
        .d_i({valid_q && vector_q, done_q & {LAYERS{valid_q && last_shift}}}),
        .q_o({v_soon, done}));

    // ---- lanes
    wire [LANES*OUT-1:0] h;
    wire [LANES-1:0]     y_saturated, c_saturated, in_tile;
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : gen_lane
            lg_lane #(.ACC(ACC), .LEFT(LEFT), .SHIFT_BITS(SHIFT_BITS), .PRE(PRE), .OUT(OUT),
                      .STATE(STATE), .STATE_FRACTION(STATE_FRACTION), .PSUMS(PSUMS),
                      .PSUM_BLOCK(PSUM_BLOCK), .NEURONS(NEURONS),
                      .STATE_BLOCK(STATE_BLOCK), .SEGMENT(SEGMENT), .SLOPE(SLOPE),
                      .SLOPE_SHIFT(SLOPE_SHIFT), .TABLE_FILE(TABLE_FILE), .MUL_LATENCY(MUL_LATENCY),
                      .SPLIT(SPLIT), .PART(PART)) u_lane (
                .clk_i(clk_i), .row_i(row_i[lane*ACC +: ACC]),
                .record_i(record_i[lane*(ACC+SHIFT_BITS) +: ACC+SHIFT_BITS]),
                .psum_addr_i(psum_q), .use_psum_i(use_psum_x1), .psum_we_i(keep_x1),
                .psum_waddr_i(psum_x1), .sigmoid_i(sigmoid_x4), .linear_g_i(op_g1[4]),
                .relu_g_i(relu_g1), .neuron_g3_i(neuron_g3), .pick_i_i(op_g1[1]),
                .pick_c_i(op_g1[2]), .clear_i(clear_g1), .i_we_i(op_g[0]), .neuron_g_i(neuron_g),
                .neuron_u2_i(neuron_u2), .ig_we_i(op_u[1]), .neuron_u_i(neuron_u), .c_we_i(c_u2),
                .neuron_c_i(neuron_c), .tc_we_i(tc_u8), .neuron_tc_i(neuron_tc),
                .linear_u_i(op_u[4]), .h_o(h[lane*OUT +: OUT]), .y_saturated_q(y_saturated[lane]),
                .c_saturated_q(c_saturated[lane]));
            assign in_tile[lane] = rows_u1 > lane;
        end
    endgenerate
    wire linear_u1;
    lg_delay_reset #(.WIDTH(1), .LATENCY(1)) u_linear_u1 (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(op_u[4]), .q_o(linear_u1));
    assign saturated_o = (c_saturated & {LANES{c_u2}}) | (y_saturated & {LANES{linear_u1}});

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
