// MULT18X18 and SDPX9B of Gowin GW1N and GW2A as the vendor's guides of DSP and BSRAM describe them, as far as the leaves
// use them; written apart from the leaves' twins.
`default_nettype none

// AREG, BREG, PIPE_REG and OUT_REG put a register at A, at B, behind the partial products and at DOUT.
module MULT18X18 #(
    parameter AREG = 1'b0, BREG = 1'b0, PIPE_REG = 1'b0, OUT_REG = 1'b0, ASIGN_REG = 1'b0, BSIGN_REG = 1'b0,
    parameter SOA_REG = 1'b0, MULT_RESET_MODE = "SYNC"
) (
    input  wire        CLK, CE, RESET, ASIGN, BSIGN, ASEL, BSEL,
    input  wire [17:0] A, B, SIA, SIB,
    output wire [35:0] DOUT,
    output wire [17:0] SOA, SOB
);
    reg  [17:0] a_q, b_q;
    reg  [35:0] pipe_q, out_q;
    wire [17:0] a_in = ASEL ? SIA : A, b_in = BSEL ? SIB : B;
    wire [17:0] a = AREG ? a_q : a_in, b = BREG ? b_q : b_in;
    wire [35:0] a_long = {{18{ASIGN & a[17]}}, a}, b_long = {{18{BSIGN & b[17]}}, b};
    wire [35:0] product = a_long * b_long;
    wire [35:0] piped = PIPE_REG ? pipe_q : product;
    always @(posedge CLK)
        if (RESET) {a_q, b_q, pipe_q, out_q} <= 108'd0;
        else if (CE) begin
            a_q    <= a_in;
            b_q    <= b_in;
            pipe_q <= product;
            out_q  <= piped;
        end
    assign DOUT = OUT_REG ? out_q : piped;
    assign SOA  = a;
    assign SOB  = b;
endmodule

// 18 kbit as 2048 bytes of 9 bits. A word of 18 or 36 bits is 2 or 4 bytes next to each other, and the lowest address
// pins, which it has no use for, enable their writing. READ_MODE 1: a second register, enabled by OCE.
module SDPX9B #(
    parameter READ_MODE = 1'b0, BIT_WIDTH_0 = 36, BIT_WIDTH_1 = 36, BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000,
    parameter RESET_MODE = "SYNC"
) (
    input  wire        CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB,
    input  wire [13:0] ADA, ADB,
    input  wire [2:0]  BLKSELA, BLKSELB,
    input  wire [35:0] DI,
    output wire [35:0] DO
);
    reg  [8:0]  byte_q [0:2047];
    reg  [35:0] array_q, out_q;
    wire [10:0] first_a = ADA[13:3] & ~(BIT_WIDTH_0 / 9 - 1), first_b = ADB[13:3] & ~(BIT_WIDTH_1 / 9 - 1);
    integer k;
    always @(posedge CLKA)
        if (CEA && BLKSELA == BLK_SEL_0)
            for (k = 0; k < BIT_WIDTH_0 / 9; k = k + 1)
                if (BIT_WIDTH_0 == 9 || ADA[k]) byte_q[first_a + k] <= DI[9*k +: 9];
    always @(posedge CLKB) begin
        if (RESETB) array_q <= 36'd0;
        else if (CEB && BLKSELB == BLK_SEL_1)
            for (k = 0; k < BIT_WIDTH_1 / 9; k = k + 1) array_q[9*k +: 9] <= byte_q[first_b + k];
        if (RESETB) out_q <= 36'd0;
        else if (OCE) out_q <= array_q;
    end
    assign DO = READ_MODE ? out_q : array_q;
endmodule

`default_nettype wire
