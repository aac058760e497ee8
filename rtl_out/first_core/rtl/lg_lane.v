// One lane of the cell unit: requantises one row per cycle, applies sigmoid or tanh, and does the
// element-wise part of an LSTM as its gates pass in the order i, g, f, o: i*g, c' = f*c + i*g,
// h = o*tanh(c'). Each keeps what the next one needs in memories indexed by neuron. All control
// comes from lg_cell; names ending in _g, _u .. tell the stage: x: row at the input;
// g = x + 9 + M: gate value; u = g + W: product (M, W: latencies of the two multipliers).
`default_nettype none
module lg_lane #(
    parameter ACC         = 40,
    parameter LEFT        = 0,
    parameter SHIFT_BITS  = 6,
    parameter PRE         = 18,  // bits of a pre-activation
    parameter OUT         = 16,  // activation bits
    parameter STATE       = 24,  // bits of the cell state
    parameter STATE_FRACTION = 15,   // of them after the point: max(-8, STATE - 25) .. STATE + 8
    parameter PSUMS       = 1,   // partial sums kept
    parameter PSUM_BLOCK  = 0,
    parameter NEURONS     = 8,   // words of the state memories
    parameter STATE_BLOCK = 0,
    parameter SEGMENT     = 9,
    parameter SLOPE       = 13,
    parameter SLOPE_SHIFT = 0,
    parameter TABLE_FILE  = "",
    parameter MUL_LATENCY = 3,
    parameter SPLIT       = 1,   // leaf multipliers for gate * state
    parameter PART        = 25,  // bits the leaf takes for the state
    parameter PSUM        = PSUMS > 1 ? $clog2(PSUMS) : 1,
    parameter NEURON      = NEURONS > 1 ? $clog2(NEURONS) : 1
) (
    input  wire                clk_i,
    input  wire [ACC-1:0]      row_i,            // x
    input  wire [ACC+SHIFT_BITS-1:0] record_i,   // x - 1: {shift, bias} of the row
    input  wire [PSUM-1:0]     psum_addr_i,      // x - 3
    input  wire                use_psum_i,       // x - 1
    input  wire                psum_we_i,        // x + 1
    input  wire [PSUM-1:0]     psum_waddr_i,     // x + 1
    input  wire                sigmoid_i,        // x + 4
    input  wire                linear_g_i,       // g - 1
    input  wire                relu_g_i,         // g - 1
    input  wire [NEURON-1:0]   neuron_g3_i,      // g - 3
    input  wire                pick_i_i,         // g - 1: the operand is i (op g)
    input  wire                pick_c_i,         // g - 1: the operand is c (op f), else tanh(c')
    input  wire                clear_i,          // g - 1: c counts as 0
    input  wire                i_we_i,           // g
    input  wire [NEURON-1:0]   neuron_g_i,       // g
    input  wire [NEURON-1:0]   neuron_u2_i,      // u - 2
    input  wire                ig_we_i,          // u
    input  wire [NEURON-1:0]   neuron_u_i,       // u
    input  wire                c_we_i,           // u + 2
    input  wire [NEURON-1:0]   neuron_c_i,       // u + 2
    input  wire                tc_we_i,          // u + 8 + M
    input  wire [NEURON-1:0]   neuron_tc_i,      // u + 8 + M
    input  wire                linear_u_i,       // u
    output wire [OUT-1:0]      h_o,              // u + 1
    output reg                 y_saturated_q,    // u + 1, where the row is linear
    output reg                 c_saturated_q     // u + 2
);
    // ---- bias record (its memory is beside the lanes, which are all alike), partial sums
    wire [ACC-1:0] psum, sum;
    lg_memory #(.WIDTH(ACC), .DEPTH(PSUMS), .BLOCK(PSUM_BLOCK)) u_psum (
        .clk_i(clk_i), .we_i(psum_we_i), .waddr_i(psum_waddr_i), .wdata_i(sum),
        .raddr_i(psum_addr_i), .rdata_o(psum));
    reg [ACC-1:0]        addend_q;
    reg [SHIFT_BITS-1:0] shift_q;
    always @(posedge clk_i) begin
        addend_q <= use_psum_i ? psum : record_i[ACC-1:0];
        shift_q  <= record_i[ACC +: SHIFT_BITS];
    end
    wire [PRE-1:0] z;
    lg_requant #(.ACC(ACC), .LEFT(LEFT), .SHIFT_BITS(SHIFT_BITS), .OUT(PRE)) u_requant (
        .clk_i(clk_i), .row_i(row_i), .addend_i(addend_q), .shift_i(shift_q), .sum_o(sum), .z_o(z));

    // ---- gate activation and tanh(c') share the table's two ports
    localparam TABLE_ADDR = SEGMENT > 0 ? SEGMENT : 1;
    localparam BASE       = OUT + 2;
    wire [TABLE_ADDR-1:0] gate_addr, cell_addr;
    wire [BASE+SLOPE-1:0] gate_data, cell_data;
    wire [OUT-1:0]        gate, tanh_c;
    lg_rom2 #(.WIDTH(BASE + SLOPE), .DEPTH(1 << SEGMENT), .INIT_FILE(TABLE_FILE)) u_table (
        .clk_i(clk_i), .raddr_a_i(gate_addr), .rdata_a_o(gate_data), .raddr_b_i(cell_addr),
        .rdata_b_o(cell_data));
    lg_activation #(.WIDTH(PRE), .OUT(OUT), .SEGMENT(SEGMENT), .BASE(BASE), .SLOPE(SLOPE),
                    .SLOPE_SHIFT(SLOPE_SHIFT), .MUL_LATENCY(MUL_LATENCY)) u_gate (
        .clk_i(clk_i), .z_i(z), .sigmoid_i(sigmoid_i), .table_addr_o(gate_addr),
        .table_data_i(gate_data), .y_o(gate));

    // Linear rows: z saturated to OUT bits; relu. Aligned with the gate value (g), kept up
    // to u + 1.
    localparam SPARE = PRE - OUT;
    wire z_fits = z[PRE-1:OUT-1] == {(SPARE+1){z[PRE-1]}};
    wire [OUT-1:0] z_cut = z_fits ? z[OUT-1:0] : {z[PRE-1], {(OUT-1){!z[PRE-1]}}};
    wire [OUT-1:0] linear_g1;
    wire           clipped_g1;
    lg_delay #(.WIDTH(OUT + 1), .LATENCY(4 + MUL_LATENCY)) u_linear (
        .clk_i(clk_i), .d_i({!z_fits, z_cut}), .q_o({clipped_g1, linear_g1}));
    localparam W = MUL_LATENCY + (SPLIT > 1 ? 1 : 0);
    wire [OUT-1:0] linear_u;
    wire           clipped_u;
    lg_delay #(.WIDTH(OUT + 1), .LATENCY(W + 1)) u_linear_late (
        .clk_i(clk_i), .d_i({clipped_g1 && linear_g_i,
                             relu_g_i && linear_g1[OUT-1] ? {OUT{1'b0}} : linear_g1}),
        .q_o({clipped_u, linear_u}));

    // ---- element-wise product
    localparam OPERAND = STATE > OUT ? STATE : OUT;
    localparam PRODUCT = OUT + OPERAND;
    wire [OUT-1:0]     i_value, tc_value;
    wire [2*OUT-1:0]   ig;
    wire [STATE-1:0]   c_value;
    reg  [STATE-1:0]   c_q;                                 // c', see below
    reg  [OPERAND-1:0] operand_q;
    wire [PRODUCT-1:0] product;
    lg_memory #(.WIDTH(OUT), .DEPTH(NEURONS), .BLOCK(STATE_BLOCK)) u_i (
        .clk_i(clk_i), .we_i(i_we_i), .waddr_i(neuron_g_i), .wdata_i(gate), .raddr_i(neuron_g3_i),
        .rdata_o(i_value));
    lg_memory #(.WIDTH(STATE), .DEPTH(NEURONS), .BLOCK(STATE_BLOCK)) u_c (
        .clk_i(clk_i), .we_i(c_we_i), .waddr_i(neuron_c_i), .wdata_i(c_q), .raddr_i(neuron_g3_i),
        .rdata_o(c_value));
    lg_memory #(.WIDTH(OUT), .DEPTH(NEURONS), .BLOCK(STATE_BLOCK)) u_tc (
        .clk_i(clk_i), .we_i(tc_we_i), .waddr_i(neuron_tc_i), .wdata_i(tanh_c),
        .raddr_i(neuron_g3_i), .rdata_o(tc_value));
    lg_memory #(.WIDTH(2*OUT), .DEPTH(NEURONS), .BLOCK(STATE_BLOCK)) u_ig (
        .clk_i(clk_i), .we_i(ig_we_i), .waddr_i(neuron_u_i), .wdata_i(product[2*OUT-1:0]),
        .raddr_i(neuron_u2_i), .rdata_o(ig));
    wire signed [OUT-1:0]   i_signed  = i_value;
    wire signed [OUT-1:0]   tc_signed = tc_value;
    wire signed [STATE-1:0] c_signed  = c_value;
    wire signed [OPERAND-1:0] i_wide  = i_signed;
    wire signed [OPERAND-1:0] tc_wide = tc_signed;
    wire signed [OPERAND-1:0] c_wide  = c_signed;
    always @(posedge clk_i)
        operand_q <= pick_i_i ? i_wide : pick_c_i ? c_wide & {OPERAND{!clear_i}} : tc_wide;
    lg_mul_wide #(.A_WIDTH(OUT), .B_WIDTH(OPERAND), .B_PART(PART), .SPLIT(SPLIT),
                  .LATENCY(MUL_LATENCY)) u_product (
        .clk_i(clk_i), .a_i(gate), .b_i(operand_q), .p_o(product));

    // ---- c' = f*c + i*g with one rounding; both terms at the larger of their fractions
    localparam FC_UP = OUT - 1 > STATE_FRACTION ? (OUT - 1) - STATE_FRACTION : 0;
    localparam IG_UP = STATE_FRACTION > OUT - 1 ? STATE_FRACTION - (OUT - 1) : 0;
    localparam DOWN  = OUT - 1 + FC_UP;                     // back to the fraction of the state
    localparam SUM   = (PRODUCT + FC_UP > 2*OUT + IG_UP ? PRODUCT + FC_UP : 2*OUT + IG_UP) + 2;
    wire signed [PRODUCT-1:0] product_signed = product;
    wire signed [2*OUT-1:0]   ig_signed = ig;
    wire signed [SUM-1:0]     fc_wide = product_signed;
    wire signed [SUM-1:0]     ig_wide = ig_signed;
    localparam signed [SUM-1:0] HALF_C = {{(SUM-1){1'b0}}, 1'b1} << (DOWN - 1);
    reg signed [SUM-1:0] c_sum_q;
    wire [SUM-1:0]       c_full = c_sum_q >>> DOWN;
    wire c_fits = c_full[SUM-1:STATE-1] == {(SUM-STATE+1){c_full[SUM-1]}};
    always @(posedge clk_i) begin
        c_sum_q       <= (fc_wide <<< FC_UP) + (ig_wide <<< IG_UP) + HALF_C;
        c_q           <= c_fits ? c_full[STATE-1:0] : {c_full[SUM-1], {(STATE-1){!c_full[SUM-1]}}};
        c_saturated_q <= !c_fits;
    end

    // ---- tanh(c'): c' to the pre-activation format
    localparam C_DOWN = STATE_FRACTION - (PRE - 5);         // right shift, or left where negative
    localparam CONV   = (C_DOWN < 0 ? STATE - C_DOWN : C_DOWN > STATE ? C_DOWN : STATE) + 1;
    wire signed [STATE-1:0] c_now  = c_q;
    wire signed [CONV-1:0]  c_conv = c_now;
    wire [CONV-1:0] c_scaled;
    generate
        if (C_DOWN > 0) begin : gen_down
            localparam signed [CONV-1:0] HALF_Z = {{(CONV-1){1'b0}}, 1'b1} << (C_DOWN - 1);
            wire signed [CONV-1:0] c_half = c_conv + HALF_Z;
            assign c_scaled = c_half >>> C_DOWN;
        end else begin : gen_up
            assign c_scaled = c_conv <<< -C_DOWN;
        end
    endgenerate
    reg [PRE-1:0] zc_q;
    generate
        if (CONV > PRE) begin : gen_cut
            wire fits = c_scaled[CONV-1:PRE-1] == {(CONV-PRE+1){c_scaled[CONV-1]}};
            always @(posedge clk_i)
                zc_q <= fits ? c_scaled[PRE-1:0] : {c_scaled[CONV-1], {(PRE-1){!c_scaled[CONV-1]}}};
        end else begin : gen_widen
            always @(posedge clk_i) zc_q <= {{(PRE-CONV+1){c_scaled[CONV-1]}}, c_scaled[CONV-2:0]};
        end
    endgenerate
    lg_activation #(.WIDTH(PRE), .OUT(OUT), .SEGMENT(SEGMENT), .BASE(BASE), .SLOPE(SLOPE),
                    .SLOPE_SHIFT(SLOPE_SHIFT), .MUL_LATENCY(MUL_LATENCY)) u_tanh_c (
        .clk_i(clk_i), .z_i(zc_q), .sigmoid_i(1'b0), .table_addr_o(cell_addr),
        .table_data_i(cell_data), .y_o(tanh_c));

    // ---- h = o * tanh(c'), one rounding; |o * tanh| < 1, so it always fits
    reg [OUT-1:0] h_q;
    localparam [2*OUT-1:0] HALF_H = 1 << (OUT - 2);
    wire [2*OUT-1:0] h_full = product[2*OUT-1:0] + HALF_H;
    always @(posedge clk_i) begin
        h_q           <= linear_u_i ? linear_u : h_full[2*OUT-2:OUT-1];
        y_saturated_q <= clipped_u && linear_u_i;
    end
    wire unused_h = h_full[2*OUT-1] ^ (^h_full[OUT-2:0]);
    assign h_o = h_q;
endmodule
`default_nettype wire
