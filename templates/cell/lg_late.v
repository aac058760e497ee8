// What is added to a row behind its shift, at the fraction of a pre-activation: an earlier pass's
// product, rounded (late), and a weight of the row's record times the state (peephole). The state
// that the peephole reads is a copy with a read port of its own. late_o is for the row of stage
// x + 3 (lg_lane).
`default_nettype none
module lg_late #(
    parameter PRODUCT        = 40,   // bits of a product; its lower IN bits matter
    parameter IN             = 32,   // 0: no late
    parameter DOWN           = 17,   // from the fraction of a product to that of a pre-activation
    parameter STATE          = 24,
    parameter PEEP           = 0,    // bits of a peephole's weight; 0: no peepholes
    parameter PEEP_DOWN      = 17,
    parameter INIT           = 0,    // the first state of a sequence is init_p_i, else 0
    parameter NEURONS        = 8,
    parameter BLOCK          = 0,
    parameter SPLIT          = 1,
    parameter PART           = 25,
    parameter MUL_LATENCY    = 3,
    parameter OUT            = 20,   // bits that hold the sum of both
    parameter WEIGHT         = PEEP > 0 ? PEEP : 1,
    parameter NEURON         = NEURONS > 1 ? $clog2(NEURONS) : 1
) (
    input  wire               clk_i,
    input  wire [PRODUCT-1:0] product_i,     // u
    input  wire               late_we_i,     // u + 1
    input  wire [NEURON-1:0]  neuron_u1_i,   // u + 1
    input  wire [NEURON-1:0]  neuron_x1_i,   // x + 1
    input  wire               use_late_i,    // x + 3
    input  wire               state_we_i,    // any
    input  wire [NEURON-1:0]  neuron_c_i,
    input  wire [STATE-1:0]   state_i,
    input  wire [NEURON-1:0]  neuron_p_i,    // x - W
    input  wire               clear_p_i,     // x - W + 2: the state counts as init_p_i
    input  wire [STATE-1:0]   init_p_i,      // x - W + 2
    input  wire [WEIGHT-1:0]  weight_i,      // x - 1, or x - W + 2 where that is earlier
    output wire [OUT-1:0]     late_o
);
    localparam W = MUL_LATENCY + (SPLIT > 1 ? 1 : 0);
    wire [OUT-1:0] late, peep;
    generate
        if (IN > 0) begin : gen_late
            localparam WIDTH = DOWN >= IN ? 2 : DOWN > 0 ? IN - DOWN + 1 : IN - DOWN;
            wire [WIDTH-1:0] rounded;
            reg  [WIDTH-1:0] rounded_q;
            wire [OUT-1:0]   value;
            wire             unused = ^product_i;
            lg_round #(.IN(IN), .DOWN(DOWN)) u_round (
                .value_i(product_i[IN-1:0]), .value_o(rounded));
            always @(posedge clk_i) rounded_q <= rounded;
            lg_note #(.WIDTH(WIDTH), .OUT(OUT), .DEPTH(NEURONS), .BLOCK(BLOCK)) u_late (
                .clk_i(clk_i), .we_i(late_we_i), .waddr_i(neuron_u1_i), .value_i(rounded_q),
                .raddr_i(neuron_x1_i), .value_o(value));
            assign late = value & {OUT{use_late_i}};
        end else begin : gen_no_late
            assign late = {OUT{1'b0}};
            wire unused = (^product_i) ^ late_we_i ^ (^neuron_u1_i) ^ (^neuron_x1_i) ^ use_late_i;
        end
        if (PEEP > 0) begin : gen_peep
            localparam FULL  = PEEP + STATE;
            localparam WIDTH = PEEP_DOWN >= FULL ? 2 : PEEP_DOWN > 0 ? FULL - PEEP_DOWN + 1 : FULL - PEEP_DOWN;
            wire [STATE-1:0]      state;
            wire [STATE-1:0]      old = !clear_p_i ? state : INIT != 0 ? init_p_i : {STATE{1'b0}};
            wire                  unused_init = ^init_p_i;
            wire [PEEP-1:0]       weight;
            wire [PEEP+STATE-1:0] product;
            wire [WIDTH-1:0]      rounded;
            reg  [WIDTH-1:0]      rounded_q;
            lg_note #(.WIDTH(STATE), .OUT(STATE), .DEPTH(NEURONS), .BLOCK(BLOCK)) u_state (
                .clk_i(clk_i), .we_i(state_we_i), .waddr_i(neuron_c_i), .value_i(state_i),
                .raddr_i(neuron_p_i), .value_o(state));
            lg_delay #(.WIDTH(PEEP), .LATENCY(W < 3 ? 3 - W : 0)) u_weight (
                .clk_i(clk_i), .d_i(weight_i), .q_o(weight));
            lg_mul_wide #(.A_WIDTH(PEEP), .B_WIDTH(STATE), .B_PART(PART), .SPLIT(SPLIT),
                          .LATENCY(MUL_LATENCY)) u_product (
                .clk_i(clk_i), .a_i(weight), .b_i(old), .p_o(product));
            lg_round #(.IN(PEEP + STATE), .DOWN(PEEP_DOWN)) u_round (
                .value_i(product), .value_o(rounded));
            always @(posedge clk_i) rounded_q <= rounded;
            assign peep = {{(OUT-WIDTH+1){rounded_q[WIDTH-1]}}, rounded_q[WIDTH-2:0]};
        end else begin : gen_no_peep
            assign peep = {OUT{1'b0}};
            wire unused_peep = state_we_i ^ (^neuron_c_i) ^ (^state_i) ^ (^neuron_p_i) ^ clear_p_i
                               ^ (^init_p_i) ^ (^weight_i);
        end
    endgenerate
    assign late_o = late + peep;
endmodule
`default_nettype wire
