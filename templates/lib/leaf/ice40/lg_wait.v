// lg_wait (iCE40): a word that comes with push_i is at q_o LATENCY cycles later, for one cycle, with
// valid_o. The family has no LUT RAM, and its block RAMs are few: a delay line.
// Throughput: a word a cycle.
`default_nettype none

module lg_wait #(
    parameter WIDTH   = 16,  // bits of a word, >= 1
    parameter LATENCY = 20,  // cycles, >= 3
    parameter EVERY   = 1    // fewest cycles from a word to the next, >= 1
) (
    input  wire             clk_i,
    input  wire             rst_i,    // words under way are forgotten
    input  wire             push_i,
    input  wire [WIDTH-1:0] d_i,
    output wire             valid_o,
    output wire [WIDTH-1:0] q_o
);

    wire unused = EVERY != 0;
    lg_delay_reset #(.WIDTH(1), .LATENCY(LATENCY)) u_valid (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(push_i), .q_o(valid_o));
    lg_delay #(.WIDTH(WIDTH), .LATENCY(LATENCY)) u_words (.clk_i(clk_i), .d_i(d_i), .q_o(q_o));

endmodule

`default_nettype wire
