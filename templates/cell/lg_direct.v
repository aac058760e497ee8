// The row itself as a: saturated to OUT bits, clipped, and below 0 either nothing (relu), a constant
// part of it (leaky) or all of it. Latency 4 + MUL_LATENCY, the time of a curve but for its last
// register.
`default_nettype none
module lg_direct #(
    parameter IN          = 18,  // bits of z, more than OUT
    parameter OUT         = 16,
    parameter LIMIT       = 0,   // of lg_limit
    parameter LEAK        = 0,   // what is left of a negative value, times 2^LEAK_SHIFT; below
                                 // 2^(OUT-1) and 2^LEAK_SHIFT; 0: no leaky pass
    parameter LEAK_SHIFT  = 15,
    parameter MUL_LATENCY = 3
) (
    input  wire           clk_i,
    input  wire [IN-1:0]  z_i,
    input  wire           clip_i,     // with z_i
    input  wire           relu_i,     // with y_o
    input  wire           leaky_i,    // with y_o
    output wire [OUT-1:0] y_o,
    output wire           cut_o       // with y_o: it was saturated
);
    wire [OUT-1:0] held, kept;
    wire           cut;
    lg_limit #(.IN(IN), .OUT(OUT), .LIMIT(LIMIT)) u_limit (
        .value_i(z_i), .clip_i(clip_i), .value_o(held), .cut_o(cut));
    lg_delay #(.WIDTH(OUT + 1), .LATENCY(4 + MUL_LATENCY)) u_kept (
        .clk_i(clk_i), .d_i({cut, held}), .q_o({cut_o, kept}));
    generate
        if (LEAK > 0) begin : gen_leaky
            localparam [OUT-1:0] PART = LEAK;
            wire [OUT-1:0]                held_q;
            wire [2*OUT-1:0]              product;
            localparam PART_BITS = LEAK_SHIFT >= 2*OUT ? 2 : 2*OUT - LEAK_SHIFT + 1;
            wire [PART_BITS-1:0]          part, part_q;
            wire [PART_BITS+OUT-1:0]      wide = {{OUT{part_q[PART_BITS-1]}}, part_q};
            wire                          unused = ^wide;
            lg_delay #(.WIDTH(OUT), .LATENCY(1)) u_held (
                .clk_i(clk_i), .d_i(held), .q_o(held_q));
            lg_mul #(.A_WIDTH(OUT), .B_WIDTH(OUT), .LATENCY(MUL_LATENCY)) u_mul (
                .clk_i(clk_i), .a_i(held_q), .b_i(PART), .p_o(product));
            lg_round #(.IN(2*OUT), .DOWN(LEAK_SHIFT)) u_round (.value_i(product), .value_o(part));
            lg_delay #(.WIDTH(PART_BITS), .LATENCY(3)) u_part (
                .clk_i(clk_i), .d_i(part), .q_o(part_q));
            assign y_o = !kept[OUT-1] ? kept : leaky_i ? wide[OUT-1:0] : relu_i ? {OUT{1'b0}} : kept;
        end else begin : gen_relu
            wire unused = leaky_i;
            assign y_o = relu_i && kept[OUT-1] ? {OUT{1'b0}} : kept;
        end
    endgenerate
endmodule
`default_nettype wire
