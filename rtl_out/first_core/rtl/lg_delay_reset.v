// Delay line for control bits: all stages 0 after reset, so that nothing unknown starts an action.
`default_nettype none
module lg_delay_reset #(
    parameter WIDTH   = 1,   // bits, >= 1
    parameter LATENCY = 1    // cycles, >= 0
) (
    input  wire             clk_i,
    input  wire             rst_i,
    input  wire [WIDTH-1:0] d_i,
    output wire [WIDTH-1:0] q_o
);
    generate
        if (LATENCY == 0) begin : gen_wire
            assign q_o = d_i;
            wire unused = clk_i ^ rst_i;
        end else if (LATENCY == 1) begin : gen_one
            reg [WIDTH-1:0] stage_q;
            always @(posedge clk_i) stage_q <= rst_i ? {WIDTH{1'b0}} : d_i;
            assign q_o = stage_q;
        end else begin : gen_line
            reg [WIDTH*LATENCY-1:0] line_q;
            always @(posedge clk_i)
                line_q <= rst_i ? {WIDTH*LATENCY{1'b0}} : {line_q[WIDTH*(LATENCY-1)-1:0], d_i};
            assign q_o = line_q[WIDTH*LATENCY-1:WIDTH*(LATENCY-1)];
        end
    endgenerate
endmodule
`default_nettype wire
