// lg_mux_add: adder of a chosen addend, s <= x + (choose ? a : b).
// Latency: 1 edge from the inputs to s_o. Throughput: one sum a cycle. No reset.
`default_nettype none

module lg_mux_add #(
    parameter WIDTH = 40  // bits of operands and sum, >= 1
) (
    input  wire             clk_i,
    input  wire             choose_i,
    input  wire [WIDTH-1:0] x_i,
    input  wire [WIDTH-1:0] a_i,
    input  wire [WIDTH-1:0] b_i,
    output wire [WIDTH-1:0] s_o
);

    reg [WIDTH-1:0] s_q;
    always @(posedge clk_i) s_q <= x_i + (choose_i ? a_i : b_i);
    assign s_o = s_q;

endmodule

`default_nettype wire
