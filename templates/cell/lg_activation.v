// A curve of a fixed-point z from a table of T on [0, R), R being half of what z reaches: linear
// between its entries, T = base + slope * low, 1 beyond R. Curves are odd about 0, T(z), or about
// one half, (1 + T(z/2)) / 2 as sigmoid is of tanh; T(z/2) alone serves curves that are not yet flat
// at R. Several tables lie behind each other. The table (lg_rom2) is outside, so that two units
// share its two ports. Latency 5 + MUL_LATENCY, one value per cycle. y has OUT - 1 fraction bits.
`default_nettype none
module lg_activation #(
    parameter WIDTH       = 18,  // bits of z
    parameter OUT         = 16,  // bits of y
    parameter SEGMENT     = 9,   // address bits of one table
    parameter TABLES      = 1,   // tables, at most 4
    parameter BASE        = 18,  // bits of base and fraction bits of T, at least OUT
    parameter SLOPE       = 13,  // bits of slope, unsigned
    parameter SLOPE_SHIFT = 0,   // extra fraction bits of slope
    parameter MUL_LATENCY = 3,
    parameter DIRECT      = 0,   // 1: y may be a given value instead
    parameter PICK        = TABLES > 1 ? $clog2(TABLES) : 0,
    parameter ADDR        = SEGMENT + PICK > 0 ? SEGMENT + PICK : 1
) (
    input  wire                  clk_i,
    input  wire [WIDTH-1:0]      z_i,
    input  wire                  half_i,         // the argument is z/2
    input  wire                  sigmoid_i,      // y is (1 + T) / 2
    input  wire [1:0]            table_i,
    output wire [ADDR-1:0]       table_addr_o,
    input  wire [BASE+SLOPE-1:0] table_data_i,   // {slope, base}, two cycles after the address
    input  wire                  direct_i,       // a cycle before y
    input  wire [OUT-1:0]        direct_y_i,
    output wire [OUT-1:0]        y_o
);
    localparam FINE = WIDTH - 1 - SEGMENT;       // interpolation bits, may be none
    localparam LOW  = FINE > 0 ? FINE : 1;
    localparam ONE  = BASE;                      // fraction bits of T
    localparam DROP = ONE + 1 - OUT;             // of them that T(z) does not give

    // ---- |argument|: z/2 keeps the bits of z (fraction one higher), z itself moves up by one
    reg [WIDTH:0] a_q;
    reg           negative_q, sigmoid_q;
    wire [WIDTH-1:0] magnitude = z_i[WIDTH-1] ? {WIDTH{1'b0}} - z_i : z_i;
    always @(posedge clk_i) begin
        a_q        <= half_i ? {1'b0, magnitude} : {magnitude, 1'b0};
        negative_q <= z_i[WIDTH-1];
        sigmoid_q  <= sigmoid_i;
    end
    wire over = a_q[WIDTH] | a_q[WIDTH-1];       // R and above: flat
    generate
        if (PICK > 0) begin : gen_pick
            reg [PICK-1:0] table_q;
            wire           unused_pick = ^table_i;
            always @(posedge clk_i) table_q <= table_i[PICK-1:0];
            if (SEGMENT > 0) begin : gen_addr
                assign table_addr_o = {table_q, a_q[WIDTH-2 -: SEGMENT]};
            end else begin : gen_single
                assign table_addr_o = table_q;
            end
        end else begin : gen_one_table
            wire unused_pick = ^table_i;
            if (SEGMENT > 0) begin : gen_addr
                assign table_addr_o = a_q[WIDTH-2 -: SEGMENT];
            end else begin : gen_single
                assign table_addr_o = 1'b0;
            end
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

    // ---- T, at most 1 - 2^-ONE; of a negative argument its complement, -T - 1: the missing one is
    // added with the rounding half, so that there is one carry chain and not two
    wire [LOW+SLOPE+1:0] shifted = product >> (FINE + SLOPE_SHIFT);
    wire [ONE+1:0] sum = {{(ONE+2-BASE){1'b0}}, base} + {{(ONE+2-SLOPE){1'b0}}, shifted[SLOPE-1:0]};
    wire           full = over_t || sum[ONE+1:ONE] != 2'd0;
    reg [ONE-1:0] t_q;
    reg           negative_q2, sigmoid_q2;
    always @(posedge clk_i) begin
        t_q         <= (sum[ONE-1:0] | {ONE{full}}) ^ {ONE{negative_t}};
        negative_q2 <= negative_t;
        sigmoid_q2  <= sigmoid_t;
    end
    wire unused = ^shifted;

    // ---- the half of sigmoid, one rounding, saturation at 1 - 2^-(OUT-1)
    // T(z): round(+-T, DROP); sigmoid: round(2^ONE +- T, DROP + 1)
    localparam [ONE+2:0] HALF_ODD = 1 << (DROP - 1), HALF_SIGMOID = (1 << ONE) + (1 << DROP);
    localparam [ONE+2:0] MORE_ODD = HALF_ODD + 1, MORE_SIGMOID = HALF_SIGMOID + 1;
    wire [ONE+2:0] half    = sigmoid_q2 ? negative_q2 ? MORE_SIGMOID : HALF_SIGMOID
                                        : negative_q2 ? MORE_ODD : HALF_ODD;
    wire [ONE+2:0] rounded = {{3{negative_q2}}, t_q} + half;
    wire [OUT:0]   y       = sigmoid_q2 ? rounded[DROP+1 +: OUT+1] : rounded[DROP +: OUT+1];
    wire           unused_low = ^rounded;
    wire           capped  = !y[OUT] && y[OUT-1];
    reg [OUT-1:0] y_q;
    generate
        if (DIRECT != 0) begin : gen_direct
            always @(posedge clk_i)
                y_q <= direct_i ? direct_y_i : capped ? {1'b0, {(OUT-1){1'b1}}} : y[OUT-1:0];
        end else begin : gen_curve
            wire unused_direct = direct_i ^ (^direct_y_i);
            always @(posedge clk_i) y_q <= capped ? {1'b0, {(OUT-1){1'b1}}} : y[OUT-1:0];
        end
    endgenerate
    assign y_o = y_q;
endmodule
`default_nettype wire
