// DSP48E2, the part of it that lg_mul uses, after Xilinx UG579: P = A * B with 27 x 18 bits,
// optional A2/B2, M and P registers; X and Y multiplexers must select M, everything else must be 0.
module DSP48E2 (
    input [29:0] A, ACIN, input [17:0] B, BCIN, input [47:0] C, PCIN, input [26:0] D,
    input CLK, CARRYIN, CARRYCASCIN, MULTSIGNIN, input [8:0] OPMODE, input [3:0] ALUMODE,
    input [4:0] INMODE, input [2:0] CARRYINSEL,
    input CEA1, CEA2, CEB1, CEB2, CEM, CEP, CEAD, CEALUMODE, CEC, CECARRYIN, CECTRL, CED, CEINMODE,
    input RSTA, RSTB, RSTC, RSTD, RSTM, RSTP, RSTCTRL, RSTALLCARRYIN, RSTALUMODE, RSTINMODE,
    output [47:0] P
);
    parameter AREG = 1, ACASCREG = 1, BREG = 1, BCASCREG = 1, MREG = 1, PREG = 1, ADREG = 1;
    parameter ALUMODEREG = 1, CARRYINREG = 1, CARRYINSELREG = 1, CREG = 1, DREG = 1;
    parameter INMODEREG = 1, OPMODEREG = 1;
    parameter A_INPUT = "DIRECT", B_INPUT = "DIRECT", AMULTSEL = "A", BMULTSEL = "B";
    parameter USE_MULT = "MULTIPLY", USE_SIMD = "ONE48";

    wire signed [26:0] a = A[26:0];
    wire signed [17:0] b = B;
    reg signed [26:0] a_q;
    reg signed [17:0] b_q;
    reg signed [44:0] m_q;
    reg signed [47:0] p_q;
    wire signed [26:0] a_s = AREG == 1 ? a_q : a;
    wire signed [17:0] b_s = BREG == 1 ? b_q : b;
    wire signed [44:0] m_s = a_s * b_s;
    wire signed [44:0] m = MREG == 1 ? m_q : m_s;
    wire signed [47:0] p = OPMODE == 9'b000000101 && ALUMODE == 4'b0000 && INMODE == 5'b00000 &&
                           CARRYIN == 1'b0 && CARRYINSEL == 3'b000 ? m : 48'bx;
    always @(posedge CLK) begin
        if (CEA2) a_q <= a;
        if (CEB2) b_q <= b;
        if (CEM) m_q <= m_s;
        if (CEP) p_q <= p;
    end
    assign P = PREG == 1 ? p_q : p;
endmodule
