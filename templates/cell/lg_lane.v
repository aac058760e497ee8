// One lane of the cell unit. A row passes once: a = act(z), p = a * operand, and what its pass says
// is done with them. Passes talk through memories indexed by neuron:
//   held    a of an earlier pass             kept     p of an earlier pass, unrounded
//   state   from step to step: c, or h       bounded  a curve of the state
//   late    round(p), added to the sum of a later pass's row
// What no pass uses is not there. All control comes from lg_cell; stages: x: row at the input;
// g = x + 9 + M: a; u = g + W: p; result at u + 1, or u + 3 with FROM_STATE (M, W: latencies of the
// two multipliers; W = 0 without products).
`default_nettype none
module lg_lane #(
    parameter ACC            = 40,
    parameter LEFT           = 0,
    parameter SHIFT_BITS     = 6,
    parameter PRE            = 18,  // bits of a pre-activation
    parameter PRE_FRACTION   = 13,
    parameter OUT            = 16,  // activation bits
    parameter GATE           = OUT, // bits of a, of them GATE - 1 after the point; at most OUT + 2
    parameter STATE          = 24,  // bits of the state
    parameter STATE_FRACTION = 15,
    parameter PSUMS          = 1,   // partial sums kept
    parameter PSUM_BLOCK     = 0,
    parameter NEURONS        = 8,   // words of the memories
    parameter STATE_BLOCK    = 0,
    parameter SEGMENT        = 9,
    parameter TABLES         = 1,
    parameter SLOPE          = 13,
    parameter SLOPE_SHIFT    = 0,
    parameter TABLE_FILE     = "",
    parameter MUL_LATENCY    = 3,
    parameter SPLIT          = 1,   // leaf multipliers for a * operand
    parameter PART           = 25,  // bits the leaf takes for the operand
    // what the passes of this core use (lg_cell)
    parameter CURVE          = 1,   // some a is a curve of its row
    parameter DIRECT         = 1,   // some a is the row itself
    parameter MERGED         = 0,   // a direct a is held or multiplied, or a curve is a result
    parameter RESULT_A       = 1,   // some result is a
    parameter RESULT_P       = 1,   // bit k: products of kind k are results (lg_cell)
    parameter FROM_STATE     = 0,   // some result is the new state
    parameter HELD           = 1,
    parameter REST           = 0,   // some operand is 1 - held
    parameter PRODUCTS       = 1,   // there are operands at all
    parameter KEPT           = 32,  // bits of kept, 0: none
    parameter KEPT_KINDS     = 1,   // bit k: products of kind k are kept
    parameter SUM_KINDS      = 2,   // and make a state; 0: no state
    parameter BOUNDED        = 1,   // some operand is bounded
    parameter BOUND_CURVE    = 1,   // it is a curve of the state,
    parameter BOUND_DIRECT   = 0,   // or the state
    parameter LATE           = 0,   // some product is late
    parameter INIT           = 0,   // the first state of a sequence is init_i, else 0
    parameter LOAD           = 0,   // states may be written from outside
    // fractions and constants
    parameter A_FRACTION     = 15,  // of a direct a that is held or multiplied
    parameter H_FRACTION     = 15,  // of results made from a state
    parameter B_FRACTION     = 15,  // of a state as operand, cut to OUT bits
    parameter LATE_FRACTION  = PRE_FRACTION,     // of rows that late is added to
    parameter SUM_FRACTION   = 30,  // at which products are added
    parameter PEEP           = 0,   // bits of a peephole's weight, 0: none
    parameter PEEP_FRACTION  = 14,
    parameter Z_LIMIT        = 0,   // limits of clips, 0: none
    parameter A_LIMIT        = 0,
    parameter STATE_LIMIT    = 0,
    parameter LEAK           = 0,   // of lg_direct
    parameter LEAK_SHIFT     = 15,
    parameter EARLY          = 0,   // cycles by which a record comes earlier than x - 1
    parameter PSUM           = PSUMS > 1 ? $clog2(PSUMS) : 1,
    parameter NEURON         = NEURONS > 1 ? $clog2(NEURONS) : 1,
    parameter RECORD_BITS    = ACC + SHIFT_BITS + PEEP
) (
    input  wire                clk_i,
    input  wire [ACC-1:0]      row_i,            // x
    input  wire [RECORD_BITS-1:0] record_i,      // x - 1 - EARLY: {peephole, shift, bias} of the row
    input  wire [PSUM-1:0]     psum_addr_i,      // x - 3
    input  wire                use_psum_i,       // x - 1
    input  wire                psum_we_i,        // x + 1
    input  wire [PSUM-1:0]     psum_waddr_i,     // x + 1
    input  wire [NEURON-1:0]   neuron_p_i,       // x - W: the peephole's read
    input  wire                clear_p_i,        // x - W + 2: the state counts as init_p_i
    input  wire [STATE-1:0]    init_p_i,         // x - W + 2
    input  wire [NEURON-1:0]   neuron_x1_i,      // x + 1
    input  wire                use_late_i,       // x + 3
    input  wire                clip_z_i,         // x + 3
    input  wire                half_i,           // x + 4: the curve
    input  wire                sigmoid_i,        // x + 4
    input  wire [1:0]          table_i,          // x + 4
    input  wire                clip_a_i,         // x + 4
    input  wire                direct_g_i,       // g - 1: a is the row itself
    input  wire                relu_g_i,         // g - 1
    input  wire                leaky_g_i,        // g - 1
    input  wire [NEURON-1:0]   neuron_g3_i,      // g - 3
    input  wire                pick_held_i,      // g - 1: the operand
    input  wire                pick_rest_i,      // g - 1
    input  wire                pick_state_i,     // g - 1; else bounded
    input  wire                clear_i,          // g - 1: the state counts as init_i
    input  wire [STATE-1:0]    init_i,           // g - 1
    input  wire                held_we_i,        // g
    input  wire [NEURON-1:0]   neuron_g_i,       // g
    input  wire [NEURON-1:0]   neuron_u2_i,      // u - 2
    input  wire [1:0]          kind_i,           // u: of the product
    input  wire                kept_we_i,        // u
    input  wire [NEURON-1:0]   neuron_u_i,       // u
    input  wire                result_a_i,       // u: the result is a,
    input  wire                result_p_i,       // u: or p
    input  wire [1:0]          kept_kind_i,      // u: of the product that was kept
    input  wire                clip_state_i,     // u + 1
    input  wire                late_we_i,        // u + 1
    input  wire [NEURON-1:0]   neuron_u1_i,      // u + 1
    input  wire                state_we_i,       // u + 2
    input  wire [NEURON-1:0]   neuron_c_i,       // u + 2
    input  wire                result_state_i,   // u + 2: the result is the new state
    input  wire                bound_half_i,     // u + 3: the curve of the state
    input  wire                bound_sigmoid_i,  // u + 3
    input  wire [1:0]          bound_table_i,    // u + 3
    input  wire                bound_direct_i,   // u + 7 + M
    input  wire                bound_relu_i,     // u + 7 + M
    input  wire                bounded_we_i,     // u + 8 + M
    input  wire [NEURON-1:0]   neuron_tc_i,      // u + 8 + M
    input  wire                load_i,           // the core is idle: state_we_i writes load_value_i
    input  wire [STATE-1:0]    load_value_i,
    output wire [STATE-1:0]    state_o,          // g - 1: what neuron_g3_i has read
    output wire [OUT-1:0]      h_o,              // result
    output wire                h_saturated_o,    // with it
    output wire                state_saturated_o // u + 2
);
    localparam M = MUL_LATENCY;
    localparam GUARD = GATE - OUT;              // bits of a that results do not have
    localparam W = PRODUCTS == 0 ? 0 : MUL_LATENCY + (SPLIT > 1 ? 1 : 0);
    localparam HAS_STATE = SUM_KINDS != 0 ? 1 : 0;

    // ---- bias record (its memory is beside the lanes, which are all alike), partial sums
    wire [ACC-1:0] psum, sum;
    wire [ACC+SHIFT_BITS-1:0] record;
    lg_memory #(.WIDTH(ACC), .DEPTH(PSUMS), .BLOCK(PSUM_BLOCK)) u_psum (
        .clk_i(clk_i), .we_i(psum_we_i), .waddr_i(psum_waddr_i), .wdata_i(sum),
        .raddr_i(psum_addr_i), .rdata_o(psum));
    lg_delay #(.WIDTH(ACC + SHIFT_BITS), .LATENCY(EARLY)) u_record (
        .clk_i(clk_i), .d_i(record_i[ACC+SHIFT_BITS-1:0]), .q_o(record));
    reg [ACC-1:0]        addend_q;
    reg [SHIFT_BITS-1:0] shift_q;
    always @(posedge clk_i) begin
        addend_q <= use_psum_i ? psum : record[ACC-1:0];
        shift_q  <= record[ACC +: SHIFT_BITS];
    end

    // ---- z. A direct row is saturated to OUT bits, which is seen on one bit more
    localparam Z         = DIRECT != 0 && PRE <= OUT ? OUT + 1 : PRE;
    localparam LATE_DOWN = (GATE - 1) + A_FRACTION + GUARD - LATE_FRACTION;
    localparam PEEP_DOWN = PEEP_FRACTION + STATE_FRACTION - PRE_FRACTION;
    localparam PEEP_FULL = PEEP + STATE;
    localparam LATE_ONE  = LATE == 0 ? 0 : LATE_DOWN >= 2*GATE ? 2
                           : LATE_DOWN > 0 ? 2*GATE - LATE_DOWN + 1 : 2*GATE - LATE_DOWN;
    localparam PEEP_ONE  = PEEP == 0 ? 0 : PEEP_DOWN >= PEEP_FULL ? 2
                           : PEEP_DOWN > 0 ? PEEP_FULL - PEEP_DOWN + 1 : PEEP_FULL - PEEP_DOWN;
    localparam LATE_BITS = LATE_ONE + PEEP_ONE == 0 ? 0
                           : (LATE_ONE > PEEP_ONE ? LATE_ONE : PEEP_ONE) + 1;
    localparam LATE_PORT = LATE_BITS > 0 ? LATE_BITS : 1;
    wire [Z-1:0]         z;
    wire [LATE_PORT-1:0] late;
    lg_requant #(.ACC(ACC), .LEFT(LEFT), .SHIFT_BITS(SHIFT_BITS), .OUT(Z), .LATE(LATE_BITS),
                 .LIMIT(Z_LIMIT)) u_requant (
        .clk_i(clk_i), .row_i(row_i), .addend_i(addend_q), .shift_i(shift_q), .late_i(late),
        .clip_i(clip_z_i), .sum_o(sum), .z_o(z));

    // ---- a: a curve of z, or z itself; curves of the state share the table
    localparam ADDR = (TABLES << SEGMENT) > 1 ? $clog2(TABLES << SEGMENT) : 1;
    localparam BASE = OUT + 2;
    wire [ADDR-1:0]       gate_addr, cell_addr;
    wire [BASE+SLOPE-1:0] gate_data, cell_data;
    wire [GATE-1:0]       a, direct_a;
    wire [OUT-1:0]        a_u, direct_g1;
    wire                  cut_g1, cut_u;
    generate
        if (CURVE != 0 || BOUND_CURVE != 0) begin : gen_table
            lg_rom2 #(.WIDTH(BASE + SLOPE), .DEPTH(TABLES << SEGMENT),
                      .INIT_FILE(TABLE_FILE)) u_table (
                .clk_i(clk_i), .raddr_a_i(gate_addr), .rdata_a_o(gate_data), .raddr_b_i(cell_addr),
                .rdata_b_o(cell_data));
        end else begin : gen_no_table
            assign gate_data = {(BASE+SLOPE){1'b0}};
            assign cell_data = {(BASE+SLOPE){1'b0}};
            wire unused_addr = (^gate_addr) ^ (^cell_addr);
        end
        if (DIRECT != 0) begin : gen_direct
            lg_direct #(.IN(Z), .OUT(OUT), .LIMIT(A_LIMIT), .LEAK(LEAK), .LEAK_SHIFT(LEAK_SHIFT),
                        .MUL_LATENCY(M)) u_direct (
                .clk_i(clk_i), .z_i(z), .clip_i(clip_a_i), .relu_i(relu_g_i), .leaky_i(leaky_g_i),
                .y_o(direct_g1), .cut_o(cut_g1));
        end else begin : gen_no_direct
            wire unused_direct = clip_a_i ^ relu_g_i ^ leaky_g_i ^ (A_LIMIT + LEAK + LEAK_SHIFT != 0);
            assign direct_g1 = {OUT{1'b0}};
            assign cut_g1    = 1'b0;
        end
        if (GUARD > 0) begin : gen_guard
            assign direct_a = {direct_g1, {(GUARD > 0 ? GUARD : 1){1'b0}}};
        end else begin : gen_no_guard
            assign direct_a = direct_g1;
        end
        if (CURVE != 0) begin : gen_curve
            wire [PRE-1:0] z_curve;
            if (Z > PRE) begin : gen_narrow
                wire unused_cut;
                lg_limit #(.IN(Z), .OUT(PRE)) u_limit (
                    .value_i(z), .clip_i(1'b0), .value_o(z_curve), .cut_o(unused_cut));
            end else begin : gen_same
                assign z_curve = z;
            end
            lg_activation #(.WIDTH(PRE), .OUT(GATE), .SEGMENT(SEGMENT), .TABLES(TABLES), .BASE(BASE),
                            .SLOPE(SLOPE), .SLOPE_SHIFT(SLOPE_SHIFT), .MUL_LATENCY(M),
                            .DIRECT(MERGED != 0 && DIRECT != 0 ? 1 : 0)) u_gate (
                .clk_i(clk_i), .z_i(z_curve), .half_i(half_i), .sigmoid_i(sigmoid_i),
                .table_i(table_i), .table_addr_o(gate_addr), .table_data_i(gate_data),
                .direct_i(direct_g_i), .direct_y_i(direct_a), .y_o(a));
        end else begin : gen_no_curve
            reg [GATE-1:0] a_q;
            wire unused_curve = half_i ^ sigmoid_i ^ (^table_i) ^ (^gate_data);
            always @(posedge clk_i) a_q <= direct_a;
            assign a         = a_q;
            assign gate_addr = {ADDR{1'b0}};
        end
        if (RESULT_A == 0) begin : gen_no_result
            assign a_u = {OUT{1'b0}};
        end else if (MERGED != 0 || CURVE == 0) begin : gen_result
            wire [OUT:0]   near;                // a rounded to the fraction of results
            wire [OUT-1:0] value;
            wire           unused_near;
            if (GUARD > 0) begin : gen_near
                lg_round #(.IN(GATE), .DOWN(GUARD)) u_near (.value_i(a), .value_o(near));
            end else begin : gen_as_it_is
                assign near = {a[GATE-1], a};
            end
            lg_limit #(.IN(OUT + 1), .OUT(OUT)) u_limit (
                .value_i(near), .clip_i(1'b0), .value_o(value), .cut_o(unused_near));
            lg_delay #(.WIDTH(OUT), .LATENCY(W)) u_a (.clk_i(clk_i), .d_i(value), .q_o(a_u));
        end else begin : gen_result_direct
            lg_delay #(.WIDTH(OUT), .LATENCY(W + 1)) u_a (
                .clk_i(clk_i), .d_i(direct_g1), .q_o(a_u));
        end
    endgenerate
    lg_delay #(.WIDTH(1), .LATENCY(W + 1)) u_cut (
        .clk_i(clk_i), .d_i(cut_g1 && direct_g_i), .q_o(cut_u));

    // ---- operand, product
    localparam VALUE   = GATE + REST;           // bits of 1 - held
    localparam OPERAND = HAS_STATE != 0 && STATE > VALUE ? STATE : VALUE;
    localparam PRODUCT = GATE + OPERAND;
    wire signed [OPERAND-1:0] held, bounded;
    wire [OPERAND-1:0]        state;
    wire [PRODUCT-1:0]        product;
    wire [STATE-1:0]          state_new, state_read, state_written;
    lg_note #(.WIDTH(HELD != 0 ? GATE : 0), .OUT(OPERAND), .DEPTH(NEURONS),
              .BLOCK(STATE_BLOCK), .IN(GATE)) u_held (
        .clk_i(clk_i), .we_i(held_we_i), .waddr_i(neuron_g_i), .value_i(a), .raddr_i(neuron_g3_i),
        .value_o(held));
    lg_note #(.WIDTH(HAS_STATE != 0 ? STATE : 0), .OUT(STATE), .DEPTH(NEURONS),
              .BLOCK(STATE_BLOCK), .IN(STATE)) u_state (
        .clk_i(clk_i), .we_i(state_we_i), .waddr_i(neuron_c_i), .value_i(state_written),
        .raddr_i(neuron_g3_i), .value_o(state_read));
    assign state_written = LOAD != 0 && load_i ? load_value_i : state_new;
    wire unused_load = load_i ^ (^load_value_i);
    assign state_o       = state_read;
    generate
        if (PRODUCTS != 0) begin : gen_product
            localparam signed [OPERAND-1:0] ONE = 1 << (GATE - 1);
            wire signed [STATE-1:0]   state_now  = !clear_i ? state_read
                                                   : INIT != 0 ? init_i : {STATE{1'b0}};
            wire signed [OPERAND-1:0] first      = REST != 0 && pick_rest_i ? ONE - held : held;
            wire                      pick_first = pick_held_i || (REST != 0 && pick_rest_i);
            reg [OPERAND-1:0]         operand_q;
            assign state = {{(OPERAND-STATE+1){state_now[STATE-1]}}, state_now[STATE-2:0]};
            always @(posedge clk_i)
                operand_q <= HELD != 0 && pick_first ? first
                             : BOUNDED != 0 && !pick_state_i ? bounded : state;
            lg_mul_wide #(.A_WIDTH(GATE), .B_WIDTH(OPERAND), .B_PART(PART), .SPLIT(SPLIT),
                          .LATENCY(M)) u_product (
                .clk_i(clk_i), .a_i(a), .b_i(operand_q), .p_o(product));
        end else begin : gen_no_product
            wire unused_operand = (^held) ^ (^bounded) ^ (^state_read) ^ pick_held_i ^ pick_rest_i
                                  ^ pick_state_i ^ clear_i ^ (^init_i);
            assign state   = {OPERAND{1'b0}};
            assign product = {PRODUCT{1'b0}};
        end
    endgenerate

    // ---- new state: product and what was kept, at one fraction, with one rounding
    localparam F0      = 2 * (GATE - 1);                    // fractions of the kinds
    localparam F1      = (GATE - 1) + STATE_FRACTION;
    localparam F2      = (GATE - 1) + A_FRACTION + GUARD;
    localparam DOWN    = SUM_FRACTION - STATE_FRACTION;
    localparam UP0     = SUM_FRACTION > F0 ? SUM_FRACTION - F0 : 0;
    localparam UP1     = SUM_FRACTION > F1 ? SUM_FRACTION - F1 : 0;
    localparam UP2     = SUM_FRACTION > F2 ? SUM_FRACTION - F2 : 0;
    localparam [2:0] ADDED = KEPT_KINDS | SUM_KINDS;
    localparam BITS0   = ADDED[0] ? 2 * GATE + UP0 : PRODUCT;    // what each kind may reach
    localparam BITS1   = ADDED[1] ? GATE + STATE + UP1 : PRODUCT;
    localparam BITS2   = ADDED[2] ? 2 * GATE + UP2 : PRODUCT;
    localparam BITS01  = BITS0 > BITS1 ? BITS0 : BITS1;
    localparam SUM     = (BITS01 > BITS2 ? BITS01 : BITS2) + 2;
    localparam KEPT_IN = KEPT > 0 ? KEPT : 1;
    generate
        if (HAS_STATE != 0) begin : gen_sum
            wire [PRODUCT-1:0] kept;
            wire [SUM-1:0]     now_wide, kept_wide;
            reg  [SUM-1:0]     sum_q;
            reg  [STATE-1:0]   new_q;
            reg                saturated_q;
            wire [SUM-DOWN-1:0] full = sum_q[SUM-1:DOWN];
            wire [STATE-1:0]   limited;
            wire               cut;
            wire               unused_low = ^sum_q;
            localparam [SUM-1:0] HALF_C = {{(SUM-1){1'b0}}, 1'b1} << (DOWN - 1);
            lg_note #(.WIDTH(KEPT), .OUT(PRODUCT), .DEPTH(NEURONS), .BLOCK(STATE_BLOCK)) u_kept (
                .clk_i(clk_i), .we_i(kept_we_i), .waddr_i(neuron_u_i),
                .value_i(product[KEPT_IN-1:0]), .raddr_i(neuron_u2_i), .value_o(kept));
            lg_align #(.IN(PRODUCT), .OUT(SUM), .KINDS(SUM_KINDS), .UP0(UP0), .UP1(UP1),
                       .UP2(UP2)) u_now (
                .value_i(product), .kind_i(kind_i), .value_o(now_wide));
            lg_align #(.IN(PRODUCT), .OUT(SUM), .KINDS(KEPT_KINDS), .UP0(UP0), .UP1(UP1),
                       .UP2(UP2)) u_then (
                .value_i(kept), .kind_i(kept_kind_i), .value_o(kept_wide));
            lg_limit #(.IN(SUM - DOWN), .OUT(STATE), .LIMIT(STATE_LIMIT)) u_limit (
                .value_i(full), .clip_i(clip_state_i), .value_o(limited), .cut_o(cut));
            always @(posedge clk_i) begin
                sum_q       <= now_wide + kept_wide + HALF_C;
                new_q       <= limited;
                saturated_q <= cut;
            end
            assign state_new         = new_q;
            assign state_saturated_o = saturated_q;
        end else begin : gen_no_sum
            wire unused_sum = kept_we_i ^ (^neuron_u_i) ^ (^neuron_u2_i) ^ (^kept_kind_i)
                              ^ clip_state_i;
            assign state_new         = {STATE{1'b0}};
            assign state_saturated_o = 1'b0;
        end
        if (BOUNDED != 0) begin : gen_bounded
            wire [GATE-1:0] value;
            lg_bounded #(.STATE(STATE), .STATE_FRACTION(STATE_FRACTION), .PRE(PRE),
                         .PRE_FRACTION(PRE_FRACTION), .OUT(OUT), .OUT_FRACTION(B_FRACTION),
                         .GATE(GATE), .BASE(BASE),
                         .SEGMENT(SEGMENT), .TABLES(TABLES), .SLOPE(SLOPE),
                         .SLOPE_SHIFT(SLOPE_SHIFT), .MUL_LATENCY(M), .CURVE(BOUND_CURVE),
                         .DIRECT(BOUND_DIRECT)) u_curve (
                .clk_i(clk_i), .state_i(state_new), .half_i(bound_half_i),
                .sigmoid_i(bound_sigmoid_i), .table_i(bound_table_i), .direct_i(bound_direct_i),
                .relu_i(bound_relu_i), .table_addr_o(cell_addr), .table_data_i(cell_data),
                .y_o(value));
            lg_note #(.WIDTH(GATE), .OUT(OPERAND), .DEPTH(NEURONS), .BLOCK(STATE_BLOCK)) u_bounded (
                .clk_i(clk_i), .we_i(bounded_we_i), .waddr_i(neuron_tc_i), .value_i(value),
                .raddr_i(neuron_g3_i), .value_o(bounded));
        end else begin : gen_no_bounded
            wire unused_bounded = bound_half_i ^ bound_sigmoid_i ^ (^bound_table_i)
                                  ^ bound_direct_i ^ bound_relu_i ^ bounded_we_i ^ (^neuron_tc_i)
                                  ^ (^cell_data);
            assign bounded   = {OPERAND{1'b0}};
            assign cell_addr = {ADDR{1'b0}};
        end
        if (LATE_BITS > 0) begin : gen_late
            localparam PEEP_IN = PEEP > 0 ? PEEP : 1;
            wire [PEEP_IN-1:0] peep;
            if (PEEP > 0) begin : gen_weight
                assign peep = record_i[ACC+SHIFT_BITS +: PEEP_IN];
            end else begin : gen_no_weight
                assign peep = 1'b0;
            end
            lg_late #(.PRODUCT(PRODUCT), .IN(LATE != 0 ? 2 * GATE : 0), .DOWN(LATE_DOWN),
                      .STATE(STATE), .PEEP(PEEP), .PEEP_DOWN(PEEP_DOWN), .INIT(INIT),
                      .NEURONS(NEURONS), .BLOCK(STATE_BLOCK), .SPLIT(SPLIT), .PART(PART), .MUL_LATENCY(M),
                      .OUT(LATE_BITS)) u_late (
                .clk_i(clk_i), .product_i(product), .late_we_i(late_we_i),
                .neuron_u1_i(neuron_u1_i), .neuron_x1_i(neuron_x1_i), .use_late_i(use_late_i),
                .state_we_i(state_we_i), .neuron_c_i(neuron_c_i), .state_i(state_written),
                .neuron_p_i(neuron_p_i), .clear_p_i(clear_p_i), .init_p_i(init_p_i), .weight_i(peep),
                .late_o(late));
        end else begin : gen_no_late
            wire unused_late = late_we_i ^ (^neuron_u1_i) ^ (^neuron_x1_i) ^ use_late_i
                               ^ (^neuron_p_i) ^ clear_p_i ^ (^init_p_i);
            assign late = {LATE_PORT{1'b0}};
        end
    endgenerate

    // ---- result: a, or p rounded, or the new state
    localparam [2:0] RESULTS = RESULT_P;
    wire [OUT-1:0] p_value, p_state, p;
    wire           p_cut;
    generate
        if (RESULTS[0]) begin : gen_of_value
            // the fraction of the operand is kept, but for its guard bits; a is below 1, so that
            // only the rounding may reach it
            localparam DROP = GATE - 1 + GUARD;
            localparam [2*GATE-1:0] HALF_H = {{(2*GATE-1){1'b0}}, 1'b1} << (DROP - 1);
            wire [2*GATE-1:0] h_full = product[2*GATE-1:0] + HALF_H;
            wire              unused_cut;
            wire              unused_h = (^h_full) ^ unused_cut;
            lg_limit #(.IN(OUT + 1), .OUT(OUT)) u_limit (
                .value_i(h_full[DROP +: OUT+1]), .clip_i(1'b0), .value_o(p_value),
                .cut_o(unused_cut));
        end else begin : gen_not_of_value
            assign p_value = {OUT{1'b0}};
        end
        if (RESULTS[1]) begin : gen_of_state
            localparam P_DOWN = F1 - H_FRACTION;
            localparam P_WIDE = P_DOWN >= PRODUCT ? 2 : P_DOWN > 0 ? PRODUCT - P_DOWN + 1
                                                               : PRODUCT - P_DOWN;
            wire [P_WIDE-1:0] scaled;
            lg_round #(.IN(PRODUCT), .DOWN(P_DOWN)) u_round (
                .value_i(product), .value_o(scaled));
            lg_limit #(.IN(P_WIDE), .OUT(OUT)) u_limit (
                .value_i(scaled), .clip_i(1'b0), .value_o(p_state), .cut_o(p_cut));
        end else begin : gen_not_of_state
            assign p_state = {OUT{1'b0}};
            assign p_cut   = 1'b0;
        end
    endgenerate
    wire of_state = RESULTS[1] && (kind_i[0] || !RESULTS[0]);
    assign p = of_state ? p_state : p_value;
    wire unused_product = (^product) ^ (^kind_i) ^ of_state ^ result_p_i;
    reg [OUT-1:0] h_q;
    reg           saturated_q;
    always @(posedge clk_i) begin
        h_q         <= RESULT_A != 0 && (result_a_i || RESULTS == 3'd0) ? a_u : p;
        saturated_q <= cut_u || (p_cut && of_state && result_p_i);
    end
    generate
        if (FROM_STATE != 0) begin : gen_from_state
            localparam S_DOWN = STATE_FRACTION - H_FRACTION;
            localparam S_WIDE = S_DOWN >= STATE ? 2 : S_DOWN > 0 ? STATE - S_DOWN + 1 : STATE - S_DOWN;
            wire [S_WIDE-1:0] scaled;
            wire [OUT-1:0]    s, h2;
            wire              s_cut, saturated2;
            reg  [OUT-1:0]    h_q3;
            reg               saturated_q3;
            lg_round #(.IN(STATE), .DOWN(S_DOWN)) u_round (
                .value_i(state_new), .value_o(scaled));
            lg_limit #(.IN(S_WIDE), .OUT(OUT)) u_limit (
                .value_i(scaled), .clip_i(1'b0), .value_o(s), .cut_o(s_cut));
            lg_delay #(.WIDTH(OUT + 1), .LATENCY(1)) u_h2 (
                .clk_i(clk_i), .d_i({saturated_q, h_q}), .q_o({saturated2, h2}));
            always @(posedge clk_i) begin
                h_q3         <= result_state_i ? s : h2;
                saturated_q3 <= saturated2 || (s_cut && result_state_i);
            end
            assign h_o           = h_q3;
            assign h_saturated_o = saturated_q3;
        end else begin : gen_at_once
            wire unused_result = result_state_i;
            assign h_o           = h_q;
            assign h_saturated_o = saturated_q;
        end
    endgenerate
endmodule
`default_nettype wire
