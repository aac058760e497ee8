// Gather engine: ROWS x LANES multipliers. PRIVATE = 0: one vector memory read by a counter serves
// all rows; PRIVATE = 1: each SHARE rows read their own copy by an index list, each lane in its
// bank or (SPAN > 0) anywhere. RING > 0: each row has its own list and its own pace; the top bit of
// an index word marks the last one of a row, the bit below it the words that multiply the layer's
// own h. Control of cycle t is presented at t; acc of a tile is valid ACC_AT cycles after its last
// control cycle:
// ACC_AT = (PRIVATE ? 2 : 0) + (SPAN > 1) + (RING > 0 ? 6 + SLACK : 3) + MUL_LATENCY + tree levels
//          + (ALIGN > 0).
`default_nettype none
module lg_gather #(
    parameter ROWS        = 4,   // PEs
    parameter LANES       = 4,   // multipliers per PE
    parameter WEIGHT_BITS = 8,
    parameter VALUE_BITS  = 16,
    parameter ACC_BITS    = 32,
    parameter MUL_LATENCY = 3,
    parameter ALIGN       = 0,
    parameter PRIVATE     = 0,
    parameter SHARE       = ROWS, // rows that read one index list; divides ROWS;
                                  // without PRIVATE: all, no list
    parameter SPAN        = 0,   // 0: lane n reads bank n; else:
                                 // banks of the copy of the whole vector that a lane has
    parameter RING        = 0,   // sums that wait per PE, power of two
    parameter RING_BLOCK  = 0,
    parameter SLACK       = 0,   // with RING: cycles by which sums
                                 // leave later than the control says
    parameter INDEX_BITS  = 1,   // at least 1, also where unused
    parameter DEPTH       = 16,  // elements in a vector bank
    parameter BLOCK       = 0,   // vector banks in block RAM
    parameter BANKS       = SPAN > 0 ? SPAN : LANES,
    parameter WORD        = LANES * INDEX_BITS + (RING > 0 ? 2 : 0),
    parameter LISTS       = PRIVATE != 0 ? ROWS / SHARE : 1,
    parameter ADDR        = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  wire                              clk_i,
    input  wire                              rst_i,
    input  wire                              valid_i,
    input  wire                              last_i,     // of a tile
    input  wire                              first_i,
    input  wire                              mute_i,
    input  wire                              scale_i,
    input  wire [ADDR-1:0]                   base_i,     // address (counter) or base
                                                         // of the region (index)
    input  wire [ADDR-1:0]                   own_base_i, // with RING: base of the layer's own h
    input  wire                              own_scale_i, // with RING: of products with it
    input  wire [LISTS*WORD-1:0]             index_i,    // two cycles after the control
    input  wire [ROWS*LANES*WEIGHT_BITS-1:0] weight_i,   // when the vector elements arrive
    input  wire [BANKS-1:0]                  we_i,
    input  wire [BANKS*ADDR-1:0]             waddr_i,
    input  wire [BANKS*VALUE_BITS-1:0]       wdata_i,
    output wire [ROWS*ACC_BITS-1:0]          acc_o
);
    localparam FRONT = PRIVATE != 0 ? 2 : 0;
    wire unused_ring = RING_BLOCK != 0 || SLACK != 0;    // only where rows go at their own pace
    wire first, mute, scale;
    lg_delay #(.WIDTH(3), .LATENCY(FRONT + (SPAN > 1 ? 1 : 0) + 2)) u_control (
        .clk_i(clk_i), .d_i({first_i, mute_i, scale_i}), .q_o({first, mute, scale}));
    genvar row;
    generate
        if (RING == 0) begin : gen_in_step
            wire unused_pace = rst_i ^ valid_i ^ last_i ^ own_scale_i ^ (^own_base_i);
        end
        if (RING > 0) begin : gen_pace
            localparam SLOT  = RING > 1 ? $clog2(RING) : 1;
            localparam TREE  = LANES > 1 ? $clog2(LANES) : 1;
            localparam TAKEN = FRONT + (SPAN > 1 ? 1 : 0) + 4 + MUL_LATENCY + TREE
                               + (ALIGN > 0 ? 1 : 0) + SLACK;
            localparam [SLOT-1:0] ONE = 1;
            wire [ADDR-1:0] base, own_base;
            wire            valid, take, own_scale;
            reg  [SLOT-1:0] slot_q;      // of the tile handed on next
            lg_delay #(.WIDTH(2*ADDR), .LATENCY(2)) u_base (
                .clk_i(clk_i), .d_i({own_base_i, base_i}), .q_o({own_base, base}));
            lg_delay #(.WIDTH(1), .LATENCY(FRONT + (SPAN > 1 ? 1 : 0) + 2)) u_own_scale (
                .clk_i(clk_i), .d_i(own_scale_i), .q_o(own_scale));
            lg_delay_reset #(.WIDTH(1), .LATENCY(FRONT + (SPAN > 1 ? 1 : 0) + 2)) u_valid (
                .clk_i(clk_i), .rst_i(rst_i), .d_i(valid_i), .q_o(valid));
            lg_delay_reset #(.WIDTH(1), .LATENCY(TAKEN)) u_take (
                .clk_i(clk_i), .rst_i(rst_i), .d_i(last_i), .q_o(take));
            always @(posedge clk_i)
                if (rst_i)     slot_q <= {SLOT{1'b0}};
                else if (take) slot_q <= slot_q + ONE;
            wire unused_first = first;
            for (row = 0; row < ROWS; row = row + 1) begin : gen_row
                lg_stream #(.LANES(LANES), .BANKS(BANKS), .WEIGHT_BITS(WEIGHT_BITS),
                            .VALUE_BITS(VALUE_BITS), .ACC_BITS(ACC_BITS), .MUL_LATENCY(MUL_LATENCY),
                            .ALIGN(ALIGN), .INDEX_BITS(INDEX_BITS), .DEPTH(DEPTH), .BLOCK(BLOCK),
                            .RING(RING), .RING_BLOCK(RING_BLOCK)) u_stream (
                    .clk_i(clk_i), .rst_i(rst_i), .valid_i(valid), .mute_i(mute), .scale_i(scale),
                    .base_i(base), .own_scale_i(own_scale), .own_base_i(own_base),
                    .own_i(index_i[row*WORD + WORD - 2]),
                    .index_i(index_i[row*WORD +: LANES*INDEX_BITS]),
                    .last_i(index_i[row*WORD + WORD - 1]),
                    .weight_i(weight_i[row*LANES*WEIGHT_BITS +: LANES*WEIGHT_BITS]), .we_i(we_i),
                    .waddr_i(waddr_i), .wdata_i(wdata_i), .slot_i(slot_q),
                    .acc_o(acc_o[row*ACC_BITS +: ACC_BITS]));
            end
        end else if (PRIVATE != 0 && SPAN > 0) begin : gen_set
            wire [ADDR-1:0] base;
            lg_delay #(.WIDTH(ADDR), .LATENCY(2)) u_base (.clk_i(clk_i), .d_i(base_i), .q_o(base));
            for (row = 0; row < LISTS; row = row + 1) begin : gen_list
                lg_set #(.SHARE(SHARE), .LANES(LANES), .BANKS(BANKS), .WEIGHT_BITS(WEIGHT_BITS),
                         .VALUE_BITS(VALUE_BITS), .ACC_BITS(ACC_BITS), .MUL_LATENCY(MUL_LATENCY),
                         .ALIGN(ALIGN), .INDEX_BITS(INDEX_BITS), .DEPTH(DEPTH),
                         .BLOCK(BLOCK)) u_set (
                    .clk_i(clk_i), .first_i(first), .mute_i(mute), .scale_i(scale), .base_i(base),
                    .index_i(index_i[row*LANES*INDEX_BITS +: LANES*INDEX_BITS]),
                    .weight_i(weight_i[row*SHARE*LANES*WEIGHT_BITS +: SHARE*LANES*WEIGHT_BITS]),
                    .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i),
                    .acc_o(acc_o[row*SHARE*ACC_BITS +: SHARE*ACC_BITS]));
            end
        end else if (PRIVATE != 0) begin : gen_private
            wire [ADDR-1:0] base;
            lg_delay #(.WIDTH(ADDR), .LATENCY(2)) u_base (.clk_i(clk_i), .d_i(base_i), .q_o(base));
            for (row = 0; row < ROWS; row = row + 1) begin : gen_row
                lg_row #(.LANES(LANES), .WEIGHT_BITS(WEIGHT_BITS), .VALUE_BITS(VALUE_BITS),
                         .ACC_BITS(ACC_BITS), .MUL_LATENCY(MUL_LATENCY), .ALIGN(ALIGN),
                         .INDEX_BITS(INDEX_BITS), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_row (
                    .clk_i(clk_i), .first_i(first), .mute_i(mute), .scale_i(scale), .base_i(base),
                    .index_i(index_i[row*LANES*INDEX_BITS +: LANES*INDEX_BITS]),
                    .weight_i(weight_i[row*LANES*WEIGHT_BITS +: LANES*WEIGHT_BITS]),
                    .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i),
                    .acc_o(acc_o[row*ACC_BITS +: ACC_BITS]));
            end
        end else begin : gen_shared
            wire [LANES*VALUE_BITS-1:0] value;
            wire unused = ^index_i;
            lg_bank #(.LANES(LANES), .VALUE_BITS(VALUE_BITS), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_bank (
                .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i),
                .raddr_i({LANES{base_i}}), .rdata_o(value));
            for (row = 0; row < ROWS; row = row + 1) begin : gen_row
                lg_pe #(.LANES(LANES), .WEIGHT_BITS(WEIGHT_BITS), .VALUE_BITS(VALUE_BITS),
                        .ACC_BITS(ACC_BITS), .MUL_LATENCY(MUL_LATENCY), .ALIGN(ALIGN)) u_pe (
                    .clk_i(clk_i), .first_i(first), .mute_i(mute), .scale_i(scale),
                    .weight_i(weight_i[row*LANES*WEIGHT_BITS +: LANES*WEIGHT_BITS]),
                    .value_i(value), .acc_o(acc_o[row*ACC_BITS +: ACC_BITS]));
            end
        end
    endgenerate
endmodule
`default_nettype wire
