// lg_mul (Gowin GW1N, GW2A): signed multiplier in one MULT18X18 with the block's own registers.
// Latency: p_o belongs to the operands taken LATENCY edges before. Throughput: one a cycle.
// Yosys 0.23 infers no multiplier here, 0.70 one without registers.
// Use of registers: 1 product; 2 + operands; 3 + the block's pipeline register; more: fabric.
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
    localparam BLOCK_REGS = LATENCY < 3 ? LATENCY : 3;
    localparam FABRIC_REGS = LATENCY - BLOCK_REGS;

    wire [(FABRIC_REGS+1)*P_WIDTH-1:0] stage;

    // ------------------------------------------------------------ block
`ifdef SYNTHESIS
    wire [17:0] a = {{(18-A_WIDTH){a_i[A_WIDTH-1]}}, a_i};
    wire [17:0] b = {{(18-B_WIDTH){b_i[B_WIDTH-1]}}, b_i};
    wire [35:0] p;
    MULT18X18 #(
        .AREG(BLOCK_REGS > 1 ? 1'b1 : 1'b0),
        .BREG(BLOCK_REGS > 1 ? 1'b1 : 1'b0),
        .PIPE_REG(BLOCK_REGS > 2 ? 1'b1 : 1'b0),
        .OUT_REG(1'b1),
        .ASIGN_REG(1'b0),
        .BSIGN_REG(1'b0),
        .SOA_REG(1'b0),
        .MULT_RESET_MODE("SYNC")
    ) mult (
        .CLK(clk_i), .CE(1'b1), .RESET(1'b0), .A(a), .B(b), .DOUT(p), .ASIGN(1'b1), .BSIGN(1'b1),
        .ASEL(1'b0), .BSEL(1'b0), .SIA(18'd0), .SIB(18'd0), .SOA(), .SOB()
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
