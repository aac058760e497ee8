// Blocks that the leaves instantiate and that not every Yosys declares. One that does replaces these
// by its own.
`default_nettype none

(* blackbox *)
module MULT18X18 #(
    parameter [0:0] AREG = 0,
    parameter [0:0] BREG = 0,
    parameter [0:0] PIPE_REG = 0,
    parameter [0:0] OUT_REG = 0,
    parameter [0:0] ASIGN_REG = 0,
    parameter [0:0] BSIGN_REG = 0,
    parameter [0:0] SOA_REG = 0,
    parameter MULT_RESET_MODE = "SYNC"
) (
    input  wire        CLK, CE, RESET, ASIGN, BSIGN, ASEL, BSEL,
    input  wire [17:0] A, B, SIA, SIB,
    output wire [35:0] DOUT,
    output wire [17:0] SOA, SOB
);
endmodule

(* blackbox *)
module SDPX9B #(
    parameter [0:0] READ_MODE = 0,
    parameter BIT_WIDTH_0 = 36,
    parameter BIT_WIDTH_1 = 36,
    parameter [2:0] BLK_SEL_0 = 0,
    parameter [2:0] BLK_SEL_1 = 0,
    parameter RESET_MODE = "SYNC"
) (
    input  wire        CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB,
    input  wire [13:0] ADA, ADB,
    input  wire [2:0]  BLKSELA, BLKSELB,
    input  wire [35:0] DI,
    output wire [35:0] DO
);
endmodule

`default_nettype wire
