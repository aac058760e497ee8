// One-write one-read memory, latency 2, as block RAM or as LUT RAM: the planner chooses per memory.
`default_nettype none
module lg_memory #(
    parameter WIDTH = 16,    // bits
    parameter DEPTH = 16,    // words
    parameter BLOCK = 0,     // 1: block RAM, 0: LUT RAM
    parameter EDGE  = 0,     // with BLOCK: so many of the highest bits in LUT RAM all the same,
                             // < WIDTH
    parameter ADDR  = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  wire             clk_i,
    input  wire             we_i,
    input  wire [ADDR-1:0]  waddr_i,
    input  wire [WIDTH-1:0] wdata_i,
    input  wire [ADDR-1:0]  raddr_i,
    output wire [WIDTH-1:0] rdata_o
);
    generate
        if (BLOCK != 0) begin : gen_block
            localparam LOW = WIDTH - EDGE;
            lg_ram #(.WIDTH(LOW), .DEPTH(DEPTH), .INIT_FILE("")) u_ram (
                .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i[LOW-1:0]),
                .raddr_i(raddr_i), .rdata_o(rdata_o[LOW-1:0]));
            if (EDGE > 0) begin : gen_edge
                lg_ram_small #(.WIDTH(EDGE), .DEPTH(DEPTH)) u_edge (
                    .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i[WIDTH-1:LOW]),
                    .raddr_i(raddr_i), .rdata_o(rdata_o[WIDTH-1:LOW]));
            end
        end else begin : gen_small
            lg_ram_small #(.WIDTH(WIDTH), .DEPTH(DEPTH)) u_ram (
                .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i), .raddr_i(raddr_i),
                .rdata_o(rdata_o));
        end
    endgenerate
endmodule
`default_nettype wire
