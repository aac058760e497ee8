// PEs that share an index list, or one with its own: the LANES elements it names are read once,
// from a copy of the whole vector per lane, and serve SHARE rows. An index is {address, bank}; the
// region's base is OR-ed to the address. Control and weights come two cycles after the indices,
// three where the copies have several banks.
`default_nettype none
module lg_set #(
    parameter SHARE       = 4,   // PEs
    parameter LANES       = 4,   // multipliers per PE
    parameter BANKS       = 4,   // of a copy; power of two
    parameter WEIGHT_BITS = 8,
    parameter VALUE_BITS  = 16,
    parameter ACC_BITS    = 32,
    parameter MUL_LATENCY = 3,
    parameter ALIGN       = 0,
    parameter INDEX_BITS  = 6,   // more than log2(BANKS)
    parameter DEPTH       = 16,  // elements in a bank
    parameter BLOCK       = 0,
    parameter ADDR        = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  wire                               clk_i,
    input  wire                               first_i,    // with the weights
    input  wire                               mute_i,     // with the weights
    input  wire                               scale_i,    // with the weights
    input  wire [ADDR-1:0]                    base_i,     // with the indices
    input  wire [LANES*INDEX_BITS-1:0]        index_i,
    input  wire [SHARE*LANES*WEIGHT_BITS-1:0] weight_i,
    input  wire [BANKS-1:0]                   we_i,
    input  wire [BANKS*ADDR-1:0]              waddr_i,
    input  wire [BANKS*VALUE_BITS-1:0]        wdata_i,
    output wire [SHARE*ACC_BITS-1:0]          acc_o
);
    localparam LOW    = $clog2(BANKS);
    localparam SELECT = BANKS > 1 ? LOW : 1;
    localparam HIGH   = INDEX_BITS - LOW;
    wire [LANES*VALUE_BITS-1:0] value;
    genvar lane, row;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : gen_lane
            wire [INDEX_BITS-1:0] index = index_i[lane*INDEX_BITS +: INDEX_BITS];
            wire [ADDR-1:0]       raddr;
            // Regions are aligned to a power of two, so an OR does what an adder would.
            if (ADDR > HIGH) begin : gen_pad
                assign raddr = base_i | {{(ADDR-HIGH){1'b0}}, index[INDEX_BITS-1:LOW]};
            end else begin : gen_full
                assign raddr = base_i | index[LOW +: ADDR];
            end
            lg_span #(.BANKS(BANKS), .VALUE_BITS(VALUE_BITS), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_span (
                .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i), .raddr_i(raddr),
                .bank_i(index[SELECT-1:0]), .value_o(value[lane*VALUE_BITS +: VALUE_BITS]));
        end
        for (row = 0; row < SHARE; row = row + 1) begin : gen_row
            lg_pe #(.LANES(LANES), .WEIGHT_BITS(WEIGHT_BITS), .VALUE_BITS(VALUE_BITS),
                    .ACC_BITS(ACC_BITS), .MUL_LATENCY(MUL_LATENCY), .ALIGN(ALIGN)) u_pe (
                .clk_i(clk_i), .first_i(first_i), .mute_i(mute_i), .scale_i(scale_i),
                .weight_i(weight_i[row*LANES*WEIGHT_BITS +: LANES*WEIGHT_BITS]), .value_i(value),
                .acc_o(acc_o[row*ACC_BITS +: ACC_BITS]));
        end
    endgenerate
endmodule
`default_nettype wire
