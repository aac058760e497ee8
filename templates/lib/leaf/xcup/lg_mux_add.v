// lg_mux_add (UltraScale+): adder of a chosen addend, s <= x + (choose ? a : b), one LUT a bit.
// Latency: 1 edge from the inputs to s_o. Throughput: one sum a cycle. No reset.
// CARRY8's DI takes x as it is, so the choice shares the sum's LUT; which operand an inferred adder
// puts there depends on names, and with the other one it costs two LUTs a bit.
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

`ifdef SYNTHESIS
    localparam CELLS = (WIDTH + 7) / 8;

    wire [8*CELLS-1:0] x = {{(8*CELLS-WIDTH){1'b0}}, x_i};
    wire [8*CELLS-1:0] y = {{(8*CELLS-WIDTH){1'b0}}, choose_i ? a_i : b_i};
    wire [8*CELLS-1:0] sum;
    wire [8*CELLS-1:0] chain;
    wire [CELLS:0]     carry;
    assign carry[0] = 1'b0;
    genvar i;
    generate
        for (i = 0; i < CELLS; i = i + 1) begin : gen_cell
            CARRY8 carry8 (
                .CI(carry[i]), .CI_TOP(1'b0),
                .DI(x[8*i +: 8]), .S(x[8*i +: 8] ^ y[8*i +: 8]),
                .O(sum[8*i +: 8]), .CO(chain[8*i +: 8])
            );
            assign carry[i+1] = chain[8*i + 7];
        end
    endgenerate
    always @(posedge clk_i) s_q <= sum[WIDTH-1:0];
`else
    always @(posedge clk_i) s_q <= x_i + (choose_i ? a_i : b_i);
`endif
    assign s_o = s_q;

endmodule

`default_nettype wire
