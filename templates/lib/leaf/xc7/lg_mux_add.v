// lg_mux_add (7-series): adder of a chosen addend, s <= x + (choose ? a : b), one LUT a bit.
// Latency: 1 edge from the inputs to s_o. Throughput: one sum a cycle. No reset.
// CARRY4's DI takes x as it is, so the choice shares the sum's LUT; which operand an inferred adder
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
    localparam CELLS = (WIDTH + 3) / 4;

    wire [4*CELLS-1:0] x = {{(4*CELLS-WIDTH){1'b0}}, x_i};
    wire [4*CELLS-1:0] y = {{(4*CELLS-WIDTH){1'b0}}, choose_i ? a_i : b_i};
    wire [4*CELLS-1:0] sum;
    wire [4*CELLS-1:0] chain;
    wire [CELLS:0]     carry;
    assign carry[0] = 1'b0;
    genvar i;
    generate
        for (i = 0; i < CELLS; i = i + 1) begin : gen_cell
            CARRY4 carry4 (
                .CI(carry[i]), .CYINIT(1'b0),
                .DI(x[4*i +: 4]), .S(x[4*i +: 4] ^ y[4*i +: 4]),
                .O(sum[4*i +: 4]), .CO(chain[4*i +: 4])
            );
            assign carry[i+1] = chain[4*i + 3];
        end
    endgenerate
    always @(posedge clk_i) s_q <= sum[WIDTH-1:0];
`else
    always @(posedge clk_i) s_q <= x_i + (choose_i ? a_i : b_i);
`endif
    assign s_o = s_q;

endmodule

`default_nettype wire
