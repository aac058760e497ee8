// lg_mux_add (Nexus): adder of a chosen addend, s <= x + (choose ? a : b).
// Latency: 1 edge from the inputs to s_o. Throughput: one sum a cycle. No reset.
// CCU2's LUT makes the choice: one LUT a bit less than inferred. Where D ^ (C ? A : B) is 0 the
// carry is what that LUT gives for D = 0, which is the addend: so x is D.
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
    // the first cell only makes carry 0: unlike ECP5's, the chain's CIN takes no constant
    CCU2 #(
        .INIT0("0xFFFF"),
        .INIT1("0x00AA"),
        .INJECT("NO")
    ) start (
        .A0(1'b1), .B0(1'b1), .C0(1'b1), .D0(1'b1),
        .A1(1'b0), .B1(1'b1), .C1(1'b1), .D1(1'b1), .COUT(carry[0])
    );
    genvar i;
    generate
        for (i = 0; i < CELLS; i = i + 1) begin : gen_cell
            // 53AC: D ^ (C ? A : B)
            CCU2 #(
                .INIT0("0x53AC"),
                .INIT1("0x53AC"),
                .INJECT("NO")
            ) ccu2 (
                .CIN(carry[i]), .COUT(carry[i+1]),
                .A0(a[2*i]), .B0(b[2*i]), .C0(choose_i), .D0(x[2*i]), .S0(sum[2*i]),
                .A1(a[2*i+1]), .B1(b[2*i+1]), .C1(choose_i), .D1(x[2*i+1]), .S1(sum[2*i+1])
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
