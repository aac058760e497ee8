// lg_mul (UltraScale+): signed multiplier in one DSP48E2 with the block's own registers.
// Latency: p_o belongs to the operands taken LATENCY edges before. Throughput: one a cycle.
// Use of registers: 1 product (P); 2 + operands (A, B); 3 + M, the block's full speed; more:
// fabric.
// Instantiated: Yosys 0.23 packs no pipeline register into this block.
`default_nettype none

(* keep_hierarchy = "yes" *)
module lg_mul #(
    parameter A_WIDTH = 16,  // bits of a_i, 1 .. 18: the block's B port
    parameter B_WIDTH = 16,  // bits of b_i, 1 .. 27: the block's A port
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
    wire [17:0] a = {{(18-A_WIDTH){a_i[A_WIDTH-1]}}, a_i};
    wire [29:0] b = {{(30-B_WIDTH){b_i[B_WIDTH-1]}}, b_i};
    wire [47:0] p;
    DSP48E2 #(
        .AREG(BLOCK_REGS > 1 ? 1 : 0),
        .ACASCREG(BLOCK_REGS > 1 ? 1 : 0),
        .BREG(BLOCK_REGS > 1 ? 1 : 0),
        .BCASCREG(BLOCK_REGS > 1 ? 1 : 0),
        .MREG(BLOCK_REGS > 2 ? 1 : 0),
        .PREG(1),
        .ADREG(0), .ALUMODEREG(0), .CARRYINREG(0), .CARRYINSELREG(0), .CREG(0), .DREG(0),
        .INMODEREG(0), .OPMODEREG(0),
        .A_INPUT("DIRECT"), .B_INPUT("DIRECT"), .AMULTSEL("A"), .BMULTSEL("B"),
        .USE_MULT("MULTIPLY"),
        .USE_SIMD("ONE48")
    ) dsp (
        .CLK(clk_i), .A(b), .B(a), .P(p),
        .C(48'd0), .D(27'd0), .CARRYIN(1'b0), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0),
        .ACIN(30'd0), .BCIN(18'd0), .PCIN(48'd0),
        .OPMODE(9'b000000101), .ALUMODE(4'b0000), .INMODE(5'b00000), .CARRYINSEL(3'b000),
        .CEA1(1'b0), .CEA2(1'b1), .CEB1(1'b0), .CEB2(1'b1), .CEM(1'b1), .CEP(1'b1),
        .CEAD(1'b0), .CEALUMODE(1'b0), .CEC(1'b0), .CECARRYIN(1'b0), .CECTRL(1'b0), .CED(1'b0),
        .CEINMODE(1'b0),
        .RSTA(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTD(1'b0), .RSTM(1'b0), .RSTP(1'b0),
        .RSTCTRL(1'b0), .RSTALLCARRYIN(1'b0), .RSTALUMODE(1'b0), .RSTINMODE(1'b0)
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
