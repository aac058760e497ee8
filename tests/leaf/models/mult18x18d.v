// MULT18X18D, the part of it that lg_mul uses, after Lattice's sysDSP guide
// (FPGA-TN-02205): signed or unsigned operands, optional input, pipeline and output
// registers, clock 0, no resets, no shift chains.
module MULT18X18D (
    input
    A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input
    B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input
    C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input CLK0, CLK1, CLK2, CLK3, CE0, CE1, CE2, CE3, RST0, RST1, RST2, RST3,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output
    P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
    parameter REG_INPUTA_CLK = "NONE";
    parameter REG_INPUTB_CLK = "NONE";
    parameter REG_PIPELINE_CLK = "NONE";
    parameter REG_OUTPUT_CLK = "NONE";
    parameter CLK0_DIV = "ENABLED";
    parameter GSR = "ENABLED";
    parameter SOURCEB_MODE = "B_SHIFT";
    parameter RESETMODE = "SYNC";
    parameter MULT_BYPASS = "DISABLED";
    parameter HIGHSPEED_CLK = "NONE";
    parameter CAS_MATCH_REG = "FALSE";

    wire signed [18:0] a = {SIGNEDA & A17,
        A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
    wire signed [18:0] b = {SIGNEDB & B17,
        B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
    reg signed [18:0] a_q, b_q;
    reg signed [37:0] m_q, p_q;
    wire signed [18:0] a_s = REG_INPUTA_CLK == "CLK0" ? a_q : a;
    wire signed [18:0] b_s = REG_INPUTB_CLK == "CLK0" ? b_q : b;
    wire signed [37:0] m_s = a_s * b_s;
    wire signed [37:0] p_s = REG_PIPELINE_CLK == "CLK0" ? m_q : m_s;
    always @(posedge CLK0) if (CE0) begin
        a_q <= a;
        b_q <= b;
        m_q <= m_s;
        p_q <= p_s;
    end
    wire [37:0] p = REG_OUTPUT_CLK == "CLK0" ? p_q : p_s;
    assign {
        P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
        P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1,
        P0} = p[35:0];
endmodule
