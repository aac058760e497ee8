// lg_mul: signed multiplier, one DSP block where the family has them.
// Latency: p_o belongs to the operands taken LATENCY clock edges before. Throughput: one a cycle.
// Registers: operands (from LATENCY 2 on), then the product; tools retime the rest into the block.
// keep_hierarchy: constant or shared operands must not merge multipliers that the planner counted,
// and on iCE40 a flattened multiply-add aborts Yosys.
`default_nettype none

(* keep_hierarchy = "yes" *)
module lg_mul #(
    parameter A_WIDTH = 16,  // bits of a_i, 1 .. the family's a_max
    parameter B_WIDTH = 16,  // bits of b_i, 1 .. the family's b_max
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
    (* use_dsp = "yes", multstyle = "dsp", syn_multstyle = "block_mult" *)
    wire signed [P_WIDTH-1:0] product;
    assign product = a * b;
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
