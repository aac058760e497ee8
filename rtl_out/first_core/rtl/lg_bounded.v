// What an output gate is multiplied with: a curve of the new state, or the state itself or what is
// positive of it. Latency 6 + MUL_LATENCY.
`default_nettype none
module lg_bounded #(
    parameter STATE          = 24,
    parameter STATE_FRACTION = 15,
    parameter PRE            = 18,   // bits at the input of the curve
    parameter PRE_FRACTION   = 13,
    parameter OUT            = 16,   // bits of a state that goes through no curve,
    parameter OUT_FRACTION   = 15,   // of them after the point
    parameter GATE           = 16,   // bits of y; that state lies in the upper OUT
    parameter SEGMENT        = 9,
    parameter TABLES         = 1,
    parameter SLOPE          = 13,
    parameter SLOPE_SHIFT    = 0,
    parameter MUL_LATENCY    = 3,
    parameter CURVE          = 1,    // some state goes through a curve
    parameter DIRECT         = 0,    // some state does not
    parameter BASE           = OUT + 2,
    parameter ADDR           = TABLES << SEGMENT > 1 ? $clog2(TABLES << SEGMENT) : 1
) (
    input  wire                  clk_i,
    input  wire [STATE-1:0]      state_i,
    input  wire                  half_i,         // of lg_activation, a cycle after state_i
    input  wire                  sigmoid_i,
    input  wire [1:0]            table_i,
    input  wire                  direct_i,       // a cycle before y_o
    input  wire                  relu_i,
    output wire [ADDR-1:0]       table_addr_o,
    input  wire [BASE+SLOPE-1:0] table_data_i,
    output wire [GATE-1:0]       y_o
);
    localparam SCALE = 1 << (GATE - OUT);
    wire [GATE-1:0] direct_y;
    generate
        if (DIRECT != 0) begin : gen_direct
            localparam DOWN = STATE_FRACTION - OUT_FRACTION;
            localparam WIDE = DOWN >= STATE ? 2 : DOWN > 0 ? STATE - DOWN + 1 : STATE - DOWN;
            wire [WIDE-1:0] scaled;
            wire [OUT-1:0]  held, kept;
            wire            unused_cut;
            lg_round #(.IN(STATE), .DOWN(DOWN)) u_round (.value_i(state_i), .value_o(scaled));
            lg_limit #(.IN(WIDE), .OUT(OUT)) u_limit (
                .value_i(scaled), .clip_i(1'b0), .value_o(held), .cut_o(unused_cut));
            lg_delay #(.WIDTH(OUT), .LATENCY(5 + MUL_LATENCY)) u_kept (
                .clk_i(clk_i), .d_i(held), .q_o(kept));
            wire [GATE:0]   moved = SCALE * {{(GATE-OUT+1){kept[OUT-1]}}, kept};
            wire            unused_sign = moved[GATE];
            assign direct_y = relu_i && kept[OUT-1] ? {GATE{1'b0}} : moved[GATE-1:0];
        end else begin : gen_no_direct
            wire unused = direct_i ^ relu_i;
            assign direct_y = {GATE{1'b0}};
        end
        if (CURVE != 0) begin : gen_curve
            localparam DOWN = STATE_FRACTION - PRE_FRACTION;
            localparam WIDE = DOWN >= STATE ? 2 : DOWN > 0 ? STATE - DOWN + 1 : STATE - DOWN;
            wire [WIDE-1:0] scaled;
            wire [PRE-1:0]  z;
            wire            unused_cut;
            reg  [PRE-1:0]  z_q;
            lg_round #(.IN(STATE), .DOWN(DOWN)) u_round (.value_i(state_i), .value_o(scaled));
            lg_limit #(.IN(WIDE), .OUT(PRE)) u_limit (
                .value_i(scaled), .clip_i(1'b0), .value_o(z), .cut_o(unused_cut));
            always @(posedge clk_i) z_q <= z;
            lg_activation #(.WIDTH(PRE), .OUT(GATE), .SEGMENT(SEGMENT), .TABLES(TABLES), .BASE(BASE),
                            .SLOPE(SLOPE), .SLOPE_SHIFT(SLOPE_SHIFT), .MUL_LATENCY(MUL_LATENCY),
                            .DIRECT(DIRECT)) u_curve (
                .clk_i(clk_i), .z_i(z_q), .half_i(half_i), .sigmoid_i(sigmoid_i),
                .table_i(table_i), .table_addr_o(table_addr_o), .table_data_i(table_data_i),
                .direct_i(direct_i), .direct_y_i(direct_y), .y_o(y_o));
        end else begin : gen_no_curve
            wire unused = half_i ^ sigmoid_i ^ (^table_i) ^ (^table_data_i) ^ direct_i;
            reg [GATE-1:0] y_q;
            always @(posedge clk_i) y_q <= direct_y;
            assign y_o          = y_q;
            assign table_addr_o = {ADDR{1'b0}};
        end
    endgenerate
endmodule
`default_nettype wire
