// What the passes of a neuron tell each other: a memory of one value per neuron, read two cycles
// after its address, as signed value of OUT bits. Without a width there is nothing, and it reads 0.
`default_nettype none
module lg_note #(
    parameter WIDTH = 16,    // bits of a value, at most OUT; 0: no memory
    parameter OUT   = 24,
    parameter DEPTH = 8,     // neurons
    parameter BLOCK = 0,     // of lg_memory
    parameter IN    = WIDTH > 0 ? WIDTH : 1,
    parameter ADDR  = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  wire            clk_i,
    input  wire            we_i,
    input  wire [ADDR-1:0] waddr_i,
    input  wire [IN-1:0]   value_i,
    input  wire [ADDR-1:0] raddr_i,
    output wire [OUT-1:0]  value_o
);
    generate
        if (WIDTH > 0) begin : gen_memory
            wire [WIDTH-1:0] value;
            lg_memory #(.WIDTH(WIDTH), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_memory (
                .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(value_i),
                .raddr_i(raddr_i), .rdata_o(value));
            assign value_o = {{(OUT-WIDTH+1){value[WIDTH-1]}}, value[WIDTH-2:0]};
        end else begin : gen_none
            assign value_o = {OUT{1'b0}};
            wire unused = clk_i ^ we_i ^ (^waddr_i) ^ (^value_i) ^ (^raddr_i);
        end
    endgenerate
endmodule
`default_nettype wire
