// A PE with its private copy of the vector: every lane reads its bank at base | index. Control
// is registered by the caller two cycles before the weights arrive. Used where each row has its
// own indices (bank_balanced).
`default_nettype none
module lg_row #(
    parameter LANES       = 4,
    parameter WEIGHT_BITS = 8,
    parameter VALUE_BITS  = 16,
    parameter ACC_BITS    = 32,
    parameter MUL_LATENCY = 3,
    parameter ALIGN       = 0,
    parameter INDEX_BITS  = 3,   // bits of an in-bank index
    parameter DEPTH       = 16,  // elements in a bank
    parameter BLOCK       = 0,
    parameter ADDR        = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  wire                         clk_i,
    input  wire                         first_i,    // with the weights
    input  wire                         mute_i,     // with the weights
    input  wire                         scale_i,     // with the weights
    input  wire [ADDR-1:0]              base_i,     // with the indices
    input  wire [LANES*INDEX_BITS-1:0]  index_i,
    input  wire [LANES*WEIGHT_BITS-1:0] weight_i,   // two cycles after index_i
    input  wire [LANES-1:0]             we_i,
    input  wire [LANES*ADDR-1:0]        waddr_i,
    input  wire [LANES*VALUE_BITS-1:0]  wdata_i,
    output wire [ACC_BITS-1:0]          acc_o
);
    wire [LANES*ADDR-1:0]       raddr;
    wire [LANES*VALUE_BITS-1:0] value;
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : gen_index
            // Regions are aligned to a power of two, so an OR does what an adder would.
            if (ADDR > INDEX_BITS) begin : gen_pad
                assign raddr[lane*ADDR +: ADDR] =
                    base_i | {{(ADDR-INDEX_BITS){1'b0}}, index_i[lane*INDEX_BITS +: INDEX_BITS]};
            end else begin : gen_full
                assign raddr[lane*ADDR +: ADDR] = base_i | index_i[lane*INDEX_BITS +: ADDR];
            end
        end
    endgenerate
    lg_bank #(.LANES(LANES), .VALUE_BITS(VALUE_BITS), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_bank (
        .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i), .raddr_i(raddr),
        .rdata_o(value));
    lg_pe #(.LANES(LANES), .WEIGHT_BITS(WEIGHT_BITS), .VALUE_BITS(VALUE_BITS), .ACC_BITS(ACC_BITS),
            .MUL_LATENCY(MUL_LATENCY), .ALIGN(ALIGN)) u_pe (
        .clk_i(clk_i), .first_i(first_i), .mute_i(mute_i), .scale_i(scale_i), .weight_i(weight_i),
        .value_i(value), .acc_o(acc_o));
endmodule
`default_nettype wire
