// sigmoid or tanh of a fixed-point z from one table of tanh on [0, 8): T = base + slope * low,
// with symmetric halves; sigmoid(z) = (1 + tanh(z/2)) / 2. The table (lg_rom2) is outside, so
// that two units share its two ports. Latency 5 + MUL_LATENCY, one value per cycle.
// z has WIDTH - 5 fraction bits, y has OUT - 1.
`default_nettype none
module lg_activation #(
    parameter WIDTH       = 18,  // bits of z
    parameter OUT         = 16,  // bits of y
    parameter SEGMENT     = 9,   // address bits of the table
    parameter BASE        = 18,  // bits of base, fraction OUT + 2
    parameter SLOPE       = 13,  // bits of slope, unsigned
    parameter SLOPE_SHIFT = 0,   // extra fraction bits of slope
    parameter MUL_LATENCY = 3,
    parameter TABLE_ADDR  = SEGMENT > 0 ? SEGMENT : 1
) (
    input  wire                  clk_i,
    input  wire [WIDTH-1:0]      z_i,
    input  wire                  sigmoid_i,
    output wire [TABLE_ADDR-1:0] table_addr_o,
    input  wire [BASE+SLOPE-1:0] table_data_i,   // {slope, base}, two cycles after the address
    output wire [OUT-1:0]        y_o
);
    localparam FINE = WIDTH - 1 - SEGMENT;       // interpolation bits, may be none
    localparam LOW  = FINE > 0 ? FINE : 1;
    localparam ONE = OUT + 2;                    // fraction bits of T

    // ---- |argument|: z/2 for sigmoid keeps its bits (fraction one higher), z for tanh moves up by
    // one
    reg [WIDTH:0] a_q;
    reg           negative_q, sigmoid_q;
    wire [WIDTH-1:0] magnitude = z_i[WIDTH-1] ? {WIDTH{1'b0}} - z_i : z_i;
    always @(posedge clk_i) begin
        a_q        <= sigmoid_i ? {1'b0, magnitude} : {magnitude, 1'b0};
        negative_q <= z_i[WIDTH-1];
        sigmoid_q  <= sigmoid_i;
    end
    wire over = a_q[WIDTH] | a_q[WIDTH-1];       // 8 and above: flat
    generate
        if (SEGMENT > 0) begin : gen_addr
            assign table_addr_o = a_q[WIDTH-2 -: TABLE_ADDR];
        end else begin : gen_single
            assign table_addr_o = 1'b0;
        end
    endgenerate

    // ---- slope * low
    wire [LOW-1:0] low;
    wire [BASE-1:0] base;
    wire [LOW+SLOPE+1:0] product;
    lg_delay #(.WIDTH(LOW), .LATENCY(2)) u_low (
        .clk_i(clk_i), .d_i(a_q[LOW-1:0] & {LOW{FINE > 0}}), .q_o(low));
    lg_mul #(.A_WIDTH(SLOPE + 1), .B_WIDTH(LOW + 1), .LATENCY(MUL_LATENCY)) u_mul (
        .clk_i(clk_i), .a_i({1'b0, table_data_i[BASE +: SLOPE]}), .b_i({1'b0, low}), .p_o(product));
    lg_delay #(.WIDTH(BASE), .LATENCY(MUL_LATENCY)) u_base (
        .clk_i(clk_i), .d_i(table_data_i[BASE-1:0]), .q_o(base));
    wire over_t, negative_t, sigmoid_t;
    lg_delay #(.WIDTH(3), .LATENCY(MUL_LATENCY + 2)) u_flags (
        .clk_i(clk_i), .d_i({over, negative_q, sigmoid_q}), .q_o({over_t, negative_t, sigmoid_t}));

    // ---- T, at most 1 - 2^-ONE
    wire [LOW+SLOPE+1:0] shifted = product >> (FINE + SLOPE_SHIFT);
    wire [ONE+1:0] sum = {{(ONE+2-BASE){1'b0}}, base} + {{(ONE+2-SLOPE){1'b0}}, shifted[SLOPE-1:0]};
    reg [ONE-1:0] t_q;
    reg           negative_q2, sigmoid_q2;
    always @(posedge clk_i) begin
        t_q         <= over_t || sum[ONE+1:ONE] != 2'd0 ? {ONE{1'b1}} : sum[ONE-1:0];
        negative_q2 <= negative_t;
        sigmoid_q2  <= sigmoid_t;
    end
    wire unused = ^shifted;

    // ---- sign, the half of sigmoid, one rounding, saturation at 1 - 2^-(OUT-1)
    // tanh: (+-T + 4) >> 3; sigmoid: (2^ONE +- T + 8) >> 4
    localparam [ONE+2:0] HALF_TANH = 4, HALF_SIGMOID = (1 << ONE) + 8;
    wire [ONE+2:0] t_signed = negative_q2 ? {(ONE+3){1'b0}} - {3'd0, t_q} : {3'd0, t_q};
    wire [ONE+2:0] rounded  = t_signed + (sigmoid_q2 ? HALF_SIGMOID : HALF_TANH);
    wire [OUT:0]   y        = sigmoid_q2 ? rounded[OUT+4:4] : rounded[OUT+3:3];
    wire           unused_low = ^rounded[2:0];
    reg [OUT-1:0] y_q;
    always @(posedge clk_i)
        y_q <= !y[OUT] && y[OUT-1] ? {1'b0, {(OUT-1){1'b1}}} : y[OUT-1:0];
    assign y_o = y_q;
endmodule
`default_nettype wire
