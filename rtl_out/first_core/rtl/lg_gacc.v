// lg_gacc (ECP5): gated accumulator, s <= (keep ? s : 0) + x, the gate inside the carry cell.
// Latency: 1 edge from keep_i, x_i to s_o. Throughput: one addend a cycle. No reset: the first
// addend of a sum comes with keep_i = 0.
// CCU2C's LUT takes the gate as its third input: one LUT a bit less than inferred, and 22-32 MHz
// more.
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
    localparam CELLS = (WIDTH + 1) / 2;

    wire [2*CELLS-1:0] s = {{(2*CELLS-WIDTH){1'b0}}, s_q};
    wire [2*CELLS-1:0] x = {{(2*CELLS-WIDTH){1'b0}}, x_i};
    wire [2*CELLS-1:0] sum;
    wire [CELLS:0]     carry;
    assign carry[0] = 1'b0;
    genvar i;
    generate
        for (i = 0; i < CELLS; i = i + 1) begin : gen_cell
            // 6C6C: C ? A ^ B : B; the carry takes B where the sum bit is 0
            CCU2C #(
                .INIT0(16'h6C6C),
                .INIT1(16'h6C6C),
                .INJECT1_0("NO"),
                .INJECT1_1("NO")
            ) ccu2c (
                .CIN(carry[i]), .COUT(carry[i+1]),
                .A0(s[2*i]), .B0(x[2*i]), .C0(keep_i), .D0(1'b0), .S0(sum[2*i]),
                .A1(s[2*i+1]), .B1(x[2*i+1]), .C1(keep_i), .D1(1'b0), .S1(sum[2*i+1])
            );
        end
    endgenerate
    always @(posedge clk_i) s_q <= sum[WIDTH-1:0];
`else
    always @(posedge clk_i) s_q <= x_i + (s_q & {WIDTH{keep_i}});
`endif
    assign s_o = s_q;

endmodule

`default_nettype wire
