// lg_gacc: gated accumulator, s <= (keep ? s : 0) + x.
// Latency: 1 edge from keep_i, x_i to s_o. Throughput: one addend a cycle. No reset: the first
// addend of a sum comes with keep_i = 0.
`default_nettype none

module lg_gacc #(
    parameter WIDTH = 40  // bits of addend and sum, >= 1
) (
    input  wire             clk_i,
    input  wire             keep_i,
    input  wire [WIDTH-1:0] x_i,
    output wire [WIDTH-1:0] s_o
);

    reg [WIDTH-1:0] s_q;
    always @(posedge clk_i) s_q <= x_i + (s_q & {WIDTH{keep_i}});
    assign s_o = s_q;

endmodule

`default_nettype wire
