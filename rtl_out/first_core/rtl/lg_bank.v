// LANES banks of the vector memory, one element a cycle from each at its own address.
// Read latency 2.
`default_nettype none
module lg_bank #(
    parameter LANES      = 4,    // banks
    parameter VALUE_BITS = 16,   // bits of an element
    parameter DEPTH      = 16,   // elements in a bank, all regions together
    parameter BLOCK      = 0,    // 1: block RAM
    parameter ADDR       = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  wire                        clk_i,
    input  wire [LANES-1:0]            we_i,
    input  wire [LANES*ADDR-1:0]       waddr_i,
    input  wire [LANES*VALUE_BITS-1:0] wdata_i,
    input  wire [LANES*ADDR-1:0]       raddr_i,
    output wire [LANES*VALUE_BITS-1:0] rdata_o
);
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : gen_bank
            lg_memory #(.WIDTH(VALUE_BITS), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_memory (
                .clk_i(clk_i), .we_i(we_i[lane]),
                .waddr_i(waddr_i[lane*ADDR +: ADDR]),
                .wdata_i(wdata_i[lane*VALUE_BITS +: VALUE_BITS]),
                .raddr_i(raddr_i[lane*ADDR +: ADDR]),
                .rdata_o(rdata_o[lane*VALUE_BITS +: VALUE_BITS]));
        end
    endgenerate
endmodule
`default_nettype wire
