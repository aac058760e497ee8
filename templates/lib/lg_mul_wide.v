// Signed product of a and a wide b from SPLIT leaf multipliers: b is cut into signed top and
// unsigned low parts of B_PART-1 bits. Latency LATENCY + (SPLIT > 1) cycles, one product per cycle.
`default_nettype none
module lg_mul_wide #(
    parameter A_WIDTH = 16,  // bits of a, at most the leaf's
    parameter B_WIDTH = 24,  // bits of b
    parameter B_PART  = 18,  // bits the leaf takes for b (only with SPLIT = 2)
    parameter SPLIT   = 1,   // 1 or 2 leaf multipliers
    parameter LATENCY = 3    // of the leaf
) (
    input  wire                       clk_i,
    input  wire [A_WIDTH-1:0]         a_i,
    input  wire [B_WIDTH-1:0]         b_i,
    output wire [A_WIDTH+B_WIDTH-1:0] p_o
);
    localparam LOW  = B_PART - 1;                          // unsigned bits of the low part
    localparam FULL = A_WIDTH + B_WIDTH;
    generate
        if (SPLIT == 1) begin : gen_one
            lg_mul #(.A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .LATENCY(LATENCY)) u_mul (
                .clk_i(clk_i), .a_i(a_i), .b_i(b_i), .p_o(p_o));
        end else begin : gen_two
            localparam HIGH = B_WIDTH - LOW;
            wire [A_WIDTH+LOW:0]    low;
            wire [A_WIDTH+HIGH-1:0] high;
            reg  [FULL-1:0]         sum_q;
            lg_mul #(.A_WIDTH(A_WIDTH), .B_WIDTH(LOW + 1), .LATENCY(LATENCY)) u_low (
                .clk_i(clk_i), .a_i(a_i), .b_i({1'b0, b_i[LOW-1:0]}), .p_o(low));
            lg_mul #(.A_WIDTH(A_WIDTH), .B_WIDTH(HIGH), .LATENCY(LATENCY)) u_high (
                .clk_i(clk_i), .a_i(a_i), .b_i(b_i[B_WIDTH-1:LOW]), .p_o(high));
            // The low part of a non-negative b part fits A_WIDTH + LOW bits: its top
            // bit only repeats the sign.
            wire unused = low[A_WIDTH+LOW];
            always @(posedge clk_i)
                sum_q <= {high, {LOW{1'b0}}} + {{(FULL-A_WIDTH-LOW){low[A_WIDTH+LOW-1]}},
                                                low[A_WIDTH+LOW-1:0]};
            assign p_o = sum_q;
        end
    endgenerate
endmodule
`default_nettype wire
