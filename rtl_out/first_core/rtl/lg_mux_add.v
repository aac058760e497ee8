// lg_mux_add (ECP5): adder of a chosen addend, s <= x + (choose ? a : b).
// Latency: 1 edge from the inputs to s_o. Throughput: one sum a cycle. No reset.
// CCU2C's LUT makes the choice: one LUT a bit less than inferred. Where A ^ (B ? C : D) is 0 the
// carry is what that LUT gives for C = D = 0, which is A: so x is A.
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
    localparam CELLS = (WIDTH + 1) / 2;

    wire [2*CELLS-1:0] x = {{(2*CELLS-WIDTH){1'b0}}, x_i};
    wire [2*CELLS-1:0] a = {{(2*CELLS-WIDTH){1'b0}}, a_i};
    wire [2*CELLS-1:0] b = {{(2*CELLS-WIDTH){1'b0}}, b_i};
    wire [2*CELLS-1:0] sum;
    wire [CELLS:0]     carry;
    assign carry[0] = 1'b0;
    genvar i;
    generate
        for (i = 0; i < CELLS; i = i + 1) begin : gen_cell
            // 596A: A ^ (B ? C : D)
            CCU2C #(
                .INIT0(16'h596A),
                .INIT1(16'h596A),
                .INJECT1_0("NO"),
                .INJECT1_1("NO")
            ) ccu2c (
                .CIN(carry[i]), .COUT(carry[i+1]),
                .A0(x[2*i]), .B0(choose_i), .C0(a[2*i]), .D0(b[2*i]), .S0(sum[2*i]),
                .A1(x[2*i+1]), .B1(choose_i), .C1(a[2*i+1]), .D1(b[2*i+1]), .S1(sum[2*i+1])
            );
        end
    endgenerate
    always @(posedge clk_i) s_q <= sum[WIDTH-1:0];
`else
    always @(posedge clk_i) s_q <= x_i + (choose_i ? a_i : b_i);
`endif
    assign s_o = s_q;

endmodule

`default_nettype wire
