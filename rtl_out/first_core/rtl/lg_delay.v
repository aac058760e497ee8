// Delay line: q_o is d_i of LATENCY cycles ago. No reset: payload or control
// that is idle-low long enough.
`default_nettype none
module lg_delay #(
    parameter WIDTH   = 1,   // bits, >= 1
    parameter LATENCY = 1    // cycles, >= 0
) (
    input  wire             clk_i,
    input  wire [WIDTH-1:0] d_i,
    output wire [WIDTH-1:0] q_o
);
    generate
        if (LATENCY == 0) begin : gen_wire
            assign q_o = d_i;
            wire unused = clk_i;
        end else if (LATENCY == 1) begin : gen_one
            reg [WIDTH-1:0] stage_q;
            always @(posedge clk_i) stage_q <= d_i;
            assign q_o = stage_q;
        end else begin : gen_line
            reg [WIDTH*LATENCY-1:0] line_q;
            always @(posedge clk_i) line_q <= {line_q[WIDTH*(LATENCY-1)-1:0], d_i};
            assign q_o = line_q[WIDTH*LATENCY-1:WIDTH*(LATENCY-1)];
        end
    endgenerate
endmodule
`default_nettype wire
