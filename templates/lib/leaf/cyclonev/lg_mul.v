// lg_mul (Cyclone V, Cyclone 10 GX): signed multiplier, one 18 x 18 of a DSP block.
// Latency: p_o belongs to the operands taken LATENCY edges before. Throughput: one a cycle.
// Registers: operands (from LATENCY 2 on), then the product; Quartus moves them into the block.
// Yosys 0.23 splits an 8 x 16 product over two 9 x 9 and loses the signs of the parts: its own cell
// is instantiated there, so that a product is one multiplier, and the right one.
`default_nettype none

(* keep_hierarchy = "yes" *)
module lg_mul #(
    parameter A_WIDTH = 16,  // bits of a_i, 1 .. 18
    parameter B_WIDTH = 16,  // bits of b_i, 1 .. 18
    parameter LATENCY = 3    // clock edges from operands to product, >= 1
) (
    input  wire                                clk_i,
    input  wire signed [A_WIDTH-1:0]           a_i,
    input  wire signed [B_WIDTH-1:0]           b_i,
    output wire signed [A_WIDTH+B_WIDTH-1:0]   p_o
);

    localparam P_WIDTH = A_WIDTH + B_WIDTH;
    localparam IN_REGS = LATENCY > 1 ? 1 : 0;
    localparam OUT_REGS = LATENCY - IN_REGS;

    // ------------------------------------------------------------ operands
    wire signed [A_WIDTH-1:0] a;
    wire signed [B_WIDTH-1:0] b;
    generate
        if (IN_REGS == 1) begin : gen_in
            reg signed [A_WIDTH-1:0] a_q;
            reg signed [B_WIDTH-1:0] b_q;
            always @(posedge clk_i) begin
                a_q <= a_i;
                b_q <= b_i;
            end
            assign a = a_q;
            assign b = b_q;
        end else begin : gen_no_in
            assign a = a_i;
            assign b = b_i;
        end
    endgenerate

    // ------------------------------------------------------------ product
    wire signed [P_WIDTH-1:0] product;
`ifdef YOSYS
    wire [17:0] a_wide = {{(18-A_WIDTH){a[A_WIDTH-1]}}, a};
    wire [17:0] b_wide = {{(18-B_WIDTH){b[B_WIDTH-1]}}, b};
    wire [35:0] p;
    MISTRAL_MUL18X18 mult (.A(a_wide), .B(b_wide), .Y(p));
    assign product = p[P_WIDTH-1:0];
`else
    (* multstyle = "dsp" *)
    wire signed [P_WIDTH-1:0] inferred;
    assign inferred = a * b;
    assign product = inferred;
`endif
    wire [(OUT_REGS+1)*P_WIDTH-1:0] stage;
    assign stage[P_WIDTH-1:0] = product;
    genvar i;
    generate
        for (i = 0; i < OUT_REGS; i = i + 1) begin : gen_out
            reg [P_WIDTH-1:0] p_q;
            always @(posedge clk_i) p_q <= stage[i*P_WIDTH +: P_WIDTH];
            assign stage[(i+1)*P_WIDTH +: P_WIDTH] = p_q;
        end
    endgenerate
    assign p_o = stage[OUT_REGS*P_WIDTH +: P_WIDTH];

endmodule

`default_nettype wire
