// lg_mul (ECP5): signed multiplier in one MULT18X18D with the block's own registers.
// Latency: p_o belongs to the operands taken LATENCY edges before. Throughput: one a cycle.
// Yosys never packs registers into this block: inferred it runs at 144 MHz, instantiated at 515
// (speed 6).
// Use of registers: 1 product; 2 + operands; 3 + a fabric register (the way from the block to the
// first adder takes 1.8-2.4 ns); 4 + the block's pipeline register; more: fabric.
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
    localparam BLOCK_REGS = LATENCY < 3 ? LATENCY : (LATENCY == 3 ? 2 : 3);
    localparam FABRIC_REGS = LATENCY - BLOCK_REGS;

    wire [(FABRIC_REGS+1)*P_WIDTH-1:0] stage;

    // ------------------------------------------------------------ block
`ifdef SYNTHESIS
    wire [17:0] a = {{(18-A_WIDTH){a_i[A_WIDTH-1]}}, a_i};
    wire [17:0] b = {{(18-B_WIDTH){b_i[B_WIDTH-1]}}, b_i};
    wire [35:0] p;
    MULT18X18D #(
        .REG_INPUTA_CLK(BLOCK_REGS > 1 ? "CLK0" : "NONE"),
        .REG_INPUTB_CLK(BLOCK_REGS > 1 ? "CLK0" : "NONE"),
        .REG_PIPELINE_CLK(BLOCK_REGS > 2 ? "CLK0" : "NONE"),
        .REG_OUTPUT_CLK("CLK0"),
        .CLK0_DIV("ENABLED"),
        .GSR("DISABLED"),
        .SOURCEB_MODE("B_SHIFT"),
        .RESETMODE("SYNC"),
        .MULT_BYPASS("DISABLED"),
        .HIGHSPEED_CLK("NONE"),
        .CAS_MATCH_REG("FALSE")
    ) mult (
        .CLK0(clk_i), .CE0(1'b1), .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
        .CE1(1'b1), .CE2(1'b1), .CE3(1'b1),
        .CLK1(1'b0), .CLK2(1'b0), .CLK3(1'b0), .RST0(1'b0), .RST1(1'b0), .RST2(1'b0), .RST3(1'b0),
        .A0(a[0]), .A1(a[1]), .A2(a[2]), .A3(a[3]), .A4(a[4]), .A5(a[5]), .A6(a[6]), .A7(a[7]),
        .A8(a[8]), .A9(a[9]), .A10(a[10]), .A11(a[11]), .A12(a[12]), .A13(a[13]), .A14(a[14]),
        .A15(a[15]), .A16(a[16]), .A17(a[17]),
        .B0(b[0]), .B1(b[1]), .B2(b[2]), .B3(b[3]), .B4(b[4]), .B5(b[5]), .B6(b[6]), .B7(b[7]),
        .B8(b[8]), .B9(b[9]), .B10(b[10]), .B11(b[11]), .B12(b[12]), .B13(b[13]), .B14(b[14]),
        .B15(b[15]), .B16(b[16]), .B17(b[17]),
        .C0(1'b0), .C1(1'b0), .C2(1'b0), .C3(1'b0), .C4(1'b0), .C5(1'b0), .C6(1'b0), .C7(1'b0),
        .C8(1'b0), .C9(1'b0), .C10(1'b0), .C11(1'b0), .C12(1'b0), .C13(1'b0), .C14(1'b0),
        .C15(1'b0), .C16(1'b0), .C17(1'b0),
        .P0(p[0]), .P1(p[1]), .P2(p[2]), .P3(p[3]), .P4(p[4]), .P5(p[5]), .P6(p[6]), .P7(p[7]),
        .P8(p[8]), .P9(p[9]), .P10(p[10]), .P11(p[11]), .P12(p[12]), .P13(p[13]), .P14(p[14]),
        .P15(p[15]), .P16(p[16]), .P17(p[17]), .P18(p[18]), .P19(p[19]), .P20(p[20]), .P21(p[21]),
        .P22(p[22]), .P23(p[23]), .P24(p[24]), .P25(p[25]), .P26(p[26]), .P27(p[27]), .P28(p[28]),
        .P29(p[29]), .P30(p[30]), .P31(p[31]), .P32(p[32]), .P33(p[33]), .P34(p[34]), .P35(p[35])
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
