// Signed adder tree over COUNT inputs, a register after each of LEVELS levels; recursive, so that
// each node is a wire of its own width. Latency LEVELS cycles. clear_i forces the last register to
// 0 (a flip-flop's reset pin, no logic).
`default_nettype none
module lg_tree #(
    parameter COUNT  = 4,    // inputs, 1 .. 2^LEVELS
    parameter WIDTH  = 32,   // bits of an input
    parameter LEVELS = 2,    // >= 1
    parameter SUM    = WIDTH + LEVELS
) (
    input  wire                   clk_i,
    input  wire                   clear_i,   // aligned with the last register's input
    input  wire [COUNT*WIDTH-1:0] x_i,
    output wire [SUM-1:0]         sum_o
);
    localparam HALF = 1 << (LEVELS - 1);
    localparam LOW  = COUNT < HALF ? COUNT : HALF;
    localparam HIGH = COUNT - LOW;
    wire signed [SUM-2:0] low;
    wire signed [SUM-2:0] high;
    reg  signed [SUM-1:0] sum_q;
    generate
        if (LEVELS == 1) begin : gen_leaf
            assign low = x_i[WIDTH-1:0];
        end else begin : gen_low
            lg_tree #(.COUNT(LOW), .WIDTH(WIDTH), .LEVELS(LEVELS - 1)) u_low (
                .clk_i(clk_i), .clear_i(1'b0), .x_i(x_i[LOW*WIDTH-1:0]), .sum_o(low));
        end
        if (HIGH == 0) begin : gen_none
            assign high = {(SUM-1){1'b0}};
        end else if (LEVELS == 1) begin : gen_leaf_high
            assign high = x_i[2*WIDTH-1:WIDTH];
        end else begin : gen_high
            lg_tree #(.COUNT(HIGH), .WIDTH(WIDTH), .LEVELS(LEVELS - 1)) u_high (
                .clk_i(clk_i), .clear_i(1'b0), .x_i(x_i[COUNT*WIDTH-1:LOW*WIDTH]), .sum_o(high));
        end
    endgenerate
    always @(posedge clk_i)
        if (clear_i) sum_q <= {SUM{1'b0}};
        else         sum_q <= low + high;
    assign sum_o = sum_q;
endmodule
`default_nettype wire
