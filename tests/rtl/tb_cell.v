// lg_cell alone: tiles at the cycles that control.hex says, rows from rows.hex, records and first
// states from memories. Prints what leaves, with the cycle: results (y), saturations (s), states
// read while it is idle (r). Parameters and sizes are in case.vh, which tests/rtl/cell.py writes.
`timescale 1ns/1ps
module tb;
    `include "case.vh"
    localparam RECORD_BITS = ACC + SHIFT_BITS + PEEP;
    localparam TILE   = TILES > 1 ? $clog2(TILES) : 1;
    localparam RECORD = RECORDS > 1 ? $clog2(RECORDS) : 1;
    localparam NEURON = NEURONS > 1 ? $clog2(NEURONS) : 1;
    localparam ENTRY  = $clog2(ENTRIES);

    reg clk = 1'b0, rst = 1'b1;
    integer now = 0, k;
    // control: load, access, clear, start, tile or address
    reg [TILE+3:0]             control [0:CYCLES-1];
    reg [LANES*ACC-1:0]        rows    [0:CYCLES-1];
    reg [LANES*STATE-1:0]      loads   [0:CYCLES-1];
    reg [LANES*RECORD_BITS-1:0] records [0:RECORDS-1];
    reg [LANES*STATE-1:0]      inits   [0:NEURONS-1];
    initial begin
        $readmemh("control.hex", control);
        $readmemh("rows.hex", rows);
        $readmemh("loads.hex", loads);
        $readmemh("records.hex", records);
        $readmemh("inits.hex", inits);
        for (k = 0; k < 4; k = k + 1) #10;
        rst = 1'b0;
    end
    always #5 clk = !clk;

    wire [TILE+3:0]        word = rst ? {(TILE+4){1'b0}} : control[now];
    wire                   access = word[TILE+2];
    wire [RECORD-1:0]      record_addr;
    wire [NEURON-1:0]      init_addr, init_addr_p;
    reg  [LANES*RECORD_BITS-1:0] record_q, record_q2;
    reg  [LANES*STATE-1:0] init_q, init_q2, init_p_q, init_p_q2;
    always @(posedge clk) begin
        record_q  <= records[record_addr];
        record_q2 <= record_q;
        init_q    <= inits[init_addr];
        init_q2   <= init_q;
        init_p_q  <= inits[init_addr_p];
        init_p_q2 <= init_p_q;
    end
    wire                  y_we;
    wire [ENTRY-1:0]      y_entry;
    wire [LANES*OUT-1:0]  y;
    wire [LANES-1:0]      saturated;
    wire [LANES*STATE-1:0] state;
    reg  [1:0]            reading_q = 2'd0;
    lg_cell #(.LANES(LANES), .SHIFTS(SHIFTS), .ROWS(LANES*SHIFTS), .TILES(TILES),
              .TILE_FILE("tiles.hex"), .LAYERS(1), .STAGES(1), .BANKS(4), .ADDR(4), .ALIGNED(0),
              .QUEUE(0), .ENTRIES(ENTRIES), .FRONT(0), .ACC(ACC), .LEFT(LEFT),
              .SHIFT_BITS(SHIFT_BITS), .PRE(PRE), .PRE_FRACTION(PRE_FRACTION), .OUT(OUT), .GATE(GATE),
              .STATE(STATE), .STATE_FRACTION(STATE_FRACTION), .RECORDS(RECORDS), .PSUMS(PSUMS),
              .PSUM_BLOCK(BLOCK), .NEURONS(NEURONS), .STATE_BLOCK(BLOCK), .SEGMENT(SEGMENT),
              .SLOPE(SLOPE), .SLOPE_SHIFT(0), .TABLES(TABLES), .TABLE_FILE("table.hex"),
              .MUL_LATENCY(MUL_LATENCY), .SPLIT(SPLIT), .PART(PART), .PASSES(PASSES), .KEEP(KEEP),
              .SIGMOID(SIGMOID), .HALF(HALF), .TABLE_1(TABLE_1), .TABLE_2(TABLE_2),
              .DIRECT(DIRECT), .LEAKY(LEAKY), .PLUS_LATE(PLUS_LATE), .CLIP_Z(CLIP_Z),
              .CLIP_A(CLIP_A), .TIMES_HELD(TIMES_HELD), .TIMES_REST(TIMES_REST),
              .TIMES_STATE(TIMES_STATE), .TIMES_BOUNDED(TIMES_BOUNDED), .FRESH(FRESH),
              .TO_HELD(TO_HELD), .TO_KEPT(TO_KEPT), .TO_STATE(TO_STATE), .ADDS_STATE(ADDS_STATE),
              .ADDS_INNER(ADDS_INNER), .CLIP_STATE(CLIP_STATE), .TO_LATE(TO_LATE),
              .RESULT_A(RESULT_A), .RESULT_P(RESULT_P), .RESULT_STATE(RESULT_STATE),
              .BEHIND(0), .BOUND_SIGMOID(BOUND_SIGMOID), .BOUND_HALF(BOUND_HALF),
              .BOUND_TABLE_1(BOUND_TABLE_1), .BOUND_TABLE_2(BOUND_TABLE_2),
              .BOUND_DIRECT(BOUND_DIRECT), .BOUND_RELU(BOUND_RELU), .A_FRACTION(A_FRACTION),
              .H_FRACTION(H_FRACTION), .B_FRACTION(B_FRACTION), .PEEP(PEEP),
              .PEEP_FRACTION(PEEP_FRACTION), .Z_LIMIT(Z_LIMIT), .A_LIMIT(A_LIMIT),
              .STATE_LIMIT(STATE_LIMIT), .LEAK(LEAK), .LEAK_SHIFT(LEAK_SHIFT), .INIT(INIT),
              .LOAD(LOAD)) u_cell (
        .clk_i(clk), .rst_i(rst), .start_i(word[TILE]), .tile_i(word[TILE-1:0]), .parity_i(1'b0),
        .clear_i(word[TILE+1]), .row_i(rows[now]), .record_addr_o(record_addr),
        .record_i(record_q2), .init_addr_o(init_addr), .init_i(init_q2),
        .init_addr_p_o(init_addr_p), .init_p_i(init_p_q2), .access_i(access),
        .load_i(word[TILE+3]), .state_addr_i(word[NEURON-1:0]), .state_i(loads[now]),
        .state_o(state), .h_valid_o(), .h_we_o(), .h_addr_o(), .h_data_o(), .y_we_o(y_we),
        .y_slot_o(), .y_entry_o(y_entry), .y_data_o(y), .y_done_o(), .done_o(),
        .saturated_o(saturated));
    always @(posedge clk) if (!rst) begin
        reading_q <= {reading_q[0], access && !word[TILE+3]};
        if (reading_q[1]) $display("r %0d %h", now, state);
        if (y_we) $display("y %0d %0d %h", now, y_entry, y);
        if (saturated !== {LANES{1'b0}}) $display("s %0d %b", now, saturated);
        now <= now + 1;
        if (now == CYCLES - 1) $finish;
    end
endmodule
