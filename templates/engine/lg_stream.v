// A PE with an index list of its own, at its own pace: `last_i` ends a row, whose sum then waits in
// a ring until all PEs have theirs; slot_i reads it, latency 2. A row's words multiply the layer's
// input or, with `own_i`, its h of the step before, in any order. Control and weights come two
// cycles after the indices, three where the copy of the vector has several banks. Nothing is added
// in a cycle without valid_i.
`default_nettype none
module lg_stream #(
    parameter LANES       = 4,   // multipliers
    parameter BANKS       = 4,   // of a copy of the vector; power of two
    parameter WEIGHT_BITS = 8,
    parameter VALUE_BITS  = 16,
    parameter ACC_BITS    = 32,
    parameter MUL_LATENCY = 3,
    parameter ALIGN       = 0,
    parameter INDEX_BITS  = 6,   // more than log2(BANKS)
    parameter DEPTH       = 16,  // elements in a bank
    parameter BLOCK       = 0,
    parameter RING        = 8,   // sums that wait, power of two
    parameter RING_BLOCK  = 0,
    parameter ADDR        = DEPTH > 1 ? $clog2(DEPTH) : 1,
    parameter SLOT        = RING > 1 ? $clog2(RING) : 1
) (
    input  wire                         clk_i,
    input  wire                         rst_i,
    input  wire                         valid_i,    // with the weights
    input  wire                         mute_i,     // with the weights: words with own_i count as 0
    input  wire                         scale_i,    // with the weights: of words without own_i
    input  wire                         own_scale_i, // with the weights: of words with own_i
    input  wire [ADDR-1:0]              base_i,     // with the indices
    input  wire [ADDR-1:0]              own_base_i, // with the indices
    input  wire [LANES*INDEX_BITS-1:0]  index_i,
    input  wire                         last_i,     // with the indices
    input  wire                         own_i,      // with the indices
    input  wire [LANES*WEIGHT_BITS-1:0] weight_i,
    input  wire [BANKS-1:0]             we_i,
    input  wire [BANKS*ADDR-1:0]        waddr_i,
    input  wire [BANKS*VALUE_BITS-1:0]  wdata_i,
    input  wire [SLOT-1:0]              slot_i,
    output wire [ACC_BITS-1:0]          acc_o
);
    localparam TREE = LANES > 1 ? $clog2(LANES) : 1;
    localparam SUM  = MUL_LATENCY + TREE + 1 + (ALIGN > 0 ? 1 : 0);   // operands to sum
    localparam [SLOT-1:0] ONE = 1;
    wire                last, own, done;
    wire                mute  = !valid_i || (mute_i && own);
    wire                scale = own ? own_scale_i : scale_i;
    wire [ADDR-1:0]     base  = own_i ? own_base_i : base_i;
    wire [ACC_BITS-1:0] acc;
    reg                 first_q;
    reg [SLOT-1:0]      slot_q;
    lg_delay #(.WIDTH(2), .LATENCY(BANKS > 1 ? 3 : 2)) u_last (
        .clk_i(clk_i), .d_i({own_i, last_i}), .q_o({own, last}));
    lg_delay_reset #(.WIDTH(1), .LATENCY(SUM)) u_done (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(valid_i && last), .q_o(done));
    always @(posedge clk_i) begin
        if (rst_i)        first_q <= 1'b1;
        else if (valid_i) first_q <= last;
        if (rst_i)     slot_q <= {SLOT{1'b0}};
        else if (done) slot_q <= slot_q + ONE;
    end
    lg_set #(.SHARE(1), .LANES(LANES), .BANKS(BANKS), .WEIGHT_BITS(WEIGHT_BITS),
             .VALUE_BITS(VALUE_BITS), .ACC_BITS(ACC_BITS), .MUL_LATENCY(MUL_LATENCY), .ALIGN(ALIGN),
             .INDEX_BITS(INDEX_BITS), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_set (
        .clk_i(clk_i), .first_i(first_q), .mute_i(mute), .scale_i(scale), .base_i(base),
        .index_i(index_i), .weight_i(weight_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i),
        .acc_o(acc));
    lg_memory #(.WIDTH(ACC_BITS), .DEPTH(RING), .BLOCK(RING_BLOCK)) u_ring (
        .clk_i(clk_i), .we_i(done), .waddr_i(slot_q), .wdata_i(acc), .raddr_i(slot_i),
        .rdata_o(acc_o));
endmodule
`default_nettype wire
