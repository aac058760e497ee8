// lg_mul (iCE40 UltraPlus): signed multiplier in one SB_MAC16 with the block's own registers.
// Latency: p_o belongs to the operands taken LATENCY edges before. Throughput: one a cycle.
// Use of registers: 1 product; 2 + operands; 3 + the block's pipeline register (225 MHz); more:
// fabric.
// LG_NO_DSP (HX and LP parts have no such block): products from LUTs, the same latency.
// Instantiated, and synthesised without -dsp: with it Yosys corrupts instances of this block.
`default_nettype none

(* keep_hierarchy = "yes" *)
module lg_mul #(
    parameter A_WIDTH = 16,  // bits of a_i, 1 .. 16
    parameter B_WIDTH = 16,  // bits of b_i, 1 .. 16
    parameter LATENCY = 3    // clock edges from operands to product, >= 1
) (
    input  wire                                clk_i,
    input  wire signed [A_WIDTH-1:0]           a_i,
    input  wire signed [B_WIDTH-1:0]           b_i,
    output wire signed [A_WIDTH+B_WIDTH-1:0]   p_o
);

    localparam P_WIDTH = A_WIDTH + B_WIDTH;
    localparam BLOCK_REGS = LATENCY < 3 ? LATENCY : 3;
    localparam FABRIC_REGS = LATENCY - BLOCK_REGS;

    wire [(FABRIC_REGS+1)*P_WIDTH-1:0] stage;

    // ------------------------------------------------------------ block
`ifdef SYNTHESIS
`define LG_MUL_BLOCK
`endif
`ifdef LG_NO_DSP
`undef LG_MUL_BLOCK
`endif
`ifdef LG_MUL_BLOCK
    wire [15:0] a = {{(16-A_WIDTH){a_i[A_WIDTH-1]}}, a_i};
    wire [15:0] b = {{(16-B_WIDTH){b_i[B_WIDTH-1]}}, b_i};
    wire [31:0] p;
    SB_MAC16 #(
        .NEG_TRIGGER(1'b0), .MODE_8x8(1'b0), .A_SIGNED(1'b1), .B_SIGNED(1'b1),
        .A_REG(BLOCK_REGS > 1 ? 1'b1 : 1'b0),
        .B_REG(BLOCK_REGS > 1 ? 1'b1 : 1'b0),
        .C_REG(1'b0), .D_REG(1'b0),
        .TOP_8x8_MULT_REG(BLOCK_REGS > 2 ? 1'b1 : 1'b0),
        .BOT_8x8_MULT_REG(BLOCK_REGS > 2 ? 1'b1 : 1'b0),
        .PIPELINE_16x16_MULT_REG1(BLOCK_REGS > 2 ? 1'b1 : 1'b0),
        .PIPELINE_16x16_MULT_REG2(1'b1),
        .TOPOUTPUT_SELECT(2'b11), .TOPADDSUB_LOWERINPUT(2'b10),
        .TOPADDSUB_UPPERINPUT(1'b0), .TOPADDSUB_CARRYSELECT(2'b00),
        .BOTOUTPUT_SELECT(2'b11), .BOTADDSUB_LOWERINPUT(2'b10),
        .BOTADDSUB_UPPERINPUT(1'b0), .BOTADDSUB_CARRYSELECT(2'b00)
    ) mac16 (
        .CLK(clk_i), .CE(1'b1), .A(a), .B(b), .C(16'd0), .D(16'd0), .O(p),
        .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0),
        .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0),
        .OLOADTOP(1'b0), .OLOADBOT(1'b0), .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0),
        .OHOLDTOP(1'b0), .OHOLDBOT(1'b0), .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0),
        .CO(), .ACCUMCO(), .SIGNEXTOUT()
    );
    assign stage[P_WIDTH-1:0] = p[P_WIDTH-1:0];
`else
    wire [BLOCK_REGS*P_WIDTH-1:0] twin;
    genvar j;
    generate
        for (j = 0; j < BLOCK_REGS; j = j + 1) begin : gen_twin
            reg signed [P_WIDTH-1:0] p_q;
            if (j == 0) begin : gen_first
                always @(posedge clk_i) p_q <= a_i * b_i;
            end else begin : gen_next
                always @(posedge clk_i) p_q <= twin[(j-1)*P_WIDTH +: P_WIDTH];
            end
            assign twin[j*P_WIDTH +: P_WIDTH] = p_q;
        end
    endgenerate
    assign stage[P_WIDTH-1:0] = twin[(BLOCK_REGS-1)*P_WIDTH +: P_WIDTH];
`endif
`undef LG_MUL_BLOCK

    // ------------------------------------------------------------ fabric registers
    genvar i;
    generate
        for (i = 0; i < FABRIC_REGS; i = i + 1) begin : gen_fabric
            reg [P_WIDTH-1:0] p_q;
            always @(posedge clk_i) p_q <= stage[i*P_WIDTH +: P_WIDTH];
            assign stage[(i+1)*P_WIDTH +: P_WIDTH] = p_q;
        end
    endgenerate
    assign p_o = stage[FABRIC_REGS*P_WIDTH +: P_WIDTH];

endmodule

`default_nettype wire
