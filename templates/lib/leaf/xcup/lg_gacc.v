// lg_gacc (UltraScale+): gated accumulator, s <= (keep ? s : 0) + x, one LUT a bit.
// Latency: 1 edge from keep_i, x_i to s_o. Throughput: one addend a cycle. No reset: the first
// addend of a sum comes with keep_i = 0.
// CARRY8's DI takes x as it is, so the gate shares the sum's LUT; which operand an inferred adder
// puts there depends on names, and with the other one it costs two LUTs a bit.
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

`ifdef SYNTHESIS
    localparam CELLS = (WIDTH + 7) / 8;

    wire [8*CELLS-1:0] x = {{(8*CELLS-WIDTH){1'b0}}, x_i};
    wire [8*CELLS-1:0] s = {{(8*CELLS-WIDTH){1'b0}}, s_q & {WIDTH{keep_i}}};
    wire [8*CELLS-1:0] sum;
    wire [8*CELLS-1:0] chain;
    wire [CELLS:0]     carry;
    assign carry[0] = 1'b0;
    genvar i;
    generate
        for (i = 0; i < CELLS; i = i + 1) begin : gen_cell
            CARRY8 carry8 (
                .CI(carry[i]), .CI_TOP(1'b0),
                .DI(x[8*i +: 8]), .S(x[8*i +: 8] ^ s[8*i +: 8]),
                .O(sum[8*i +: 8]), .CO(chain[8*i +: 8])
            );
            assign carry[i+1] = chain[8*i + 7];
        end
    endgenerate
    always @(posedge clk_i) s_q <= sum[WIDTH-1:0];
`else
    always @(posedge clk_i) s_q <= x_i + (s_q & {WIDTH{keep_i}});
`endif
    assign s_o = s_q;

endmodule

`default_nettype wire
