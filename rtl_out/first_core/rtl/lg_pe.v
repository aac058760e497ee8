// Processing element: LANES products, adder tree, accumulator. One row of a tile; all PEs are
// identical. first_i, mute_i, scale_i travel with the operands. Accumulator valid MUL_LATENCY +
// TREE + 1 cycles after the operands, one more with ALIGN > 0, which shifts the products of one
// matrix up to the fraction of the other's.
`default_nettype none
module lg_pe #(
    parameter LANES       = 4,    // multipliers
    parameter WEIGHT_BITS = 8,    // signed weight
    parameter VALUE_BITS  = 16,   // signed vector element
    parameter ACC_BITS    = 32,   // exact for the longest row
    parameter MUL_LATENCY = 3,    // of the leaf
    parameter ALIGN       = 0,    // bits that scaled products are shifted up
    parameter TREE        = LANES > 1 ? $clog2(LANES) : 1
) (
    input  wire                         clk_i,
    input  wire                         first_i,   // first product of a row:
                                                   // the accumulator starts anew
    input  wire                         mute_i,    // these products count as 0 (state cleared)
    input  wire                         scale_i,   // these products are shifted up by ALIGN
    input  wire [LANES*WEIGHT_BITS-1:0] weight_i,
    input  wire [LANES*VALUE_BITS-1:0]  value_i,
    output wire [ACC_BITS-1:0]          acc_o
);
    localparam PRODUCT = WEIGHT_BITS + VALUE_BITS;
    localparam SUM     = PRODUCT + TREE;
    wire [LANES*PRODUCT-1:0] product;
    wire [SUM-1:0]           sum;
    wire                     first, mute;
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : gen_lane
            lg_mul #(.A_WIDTH(VALUE_BITS), .B_WIDTH(WEIGHT_BITS), .LATENCY(MUL_LATENCY)) u_mul (
                .clk_i(clk_i),
                .a_i(value_i[lane*VALUE_BITS +: VALUE_BITS]),
                .b_i(weight_i[lane*WEIGHT_BITS +: WEIGHT_BITS]),
                .p_o(product[lane*PRODUCT +: PRODUCT]));
        end
    endgenerate
    lg_tree #(.COUNT(LANES), .WIDTH(PRODUCT), .LEVELS(TREE)) u_tree (
        .clk_i(clk_i), .clear_i(mute), .x_i(product), .sum_o(sum));
    lg_delay #(.WIDTH(1), .LATENCY(MUL_LATENCY + TREE - 1)) u_mute (
        .clk_i(clk_i), .d_i(mute_i), .q_o(mute));
    lg_delay #(.WIDTH(1), .LATENCY(MUL_LATENCY + TREE + (ALIGN > 0 ? 1 : 0))) u_first (
        .clk_i(clk_i), .d_i(first_i), .q_o(first));

    // ---- alignment, only where the formats need it
    localparam TERM = SUM + ALIGN;
    wire signed [TERM-1:0] term;
    generate
        if (ALIGN > 0) begin : gen_align
            wire                  scale;
            wire signed [SUM-1:0] plain = sum;
            reg signed [TERM-1:0] term_q;
            lg_delay #(.WIDTH(1), .LATENCY(MUL_LATENCY + TREE)) u_scale (
                .clk_i(clk_i), .d_i(scale_i), .q_o(scale));
            always @(posedge clk_i)
                term_q <= scale ? {plain, {ALIGN{1'b0}}} : {{ALIGN{plain[SUM-1]}}, plain};
            assign term = term_q;
        end else begin : gen_same
            assign term = sum;
            wire unused = scale_i;
        end
        if (ACC_BITS > TERM) begin : gen_extend
            lg_mux_add #(.WIDTH(ACC_BITS)) u_acc (
                .clk_i(clk_i), .choose_i(first), .x_i({{(ACC_BITS-TERM){term[TERM-1]}}, term}),
                .a_i({ACC_BITS{1'b0}}), .b_i(acc_o), .s_o(acc_o));
        end else begin : gen_cut    // the planner proved that ACC_BITS hold every partial sum
            lg_mux_add #(.WIDTH(ACC_BITS)) u_acc (
                .clk_i(clk_i), .choose_i(first), .x_i(term[ACC_BITS-1:0]), .a_i({ACC_BITS{1'b0}}),
                .b_i(acc_o), .s_o(acc_o));
            wire [TERM-1:0] unused_term = term;
        end
    endgenerate
endmodule
`default_nettype wire
