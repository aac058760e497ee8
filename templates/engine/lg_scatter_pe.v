// Processing element of the scatter engine: one product a cycle, added to one of its rows. Two
// banks of rows: one takes the products of a layer while the other is read out. A row has a flag:
// unless it is set the row counts as 0, so that a row is set to 0 by its flag and no multiplexer is
// needed before the memory. Rows that NEAR says may come back before they are stored are forwarded;
// other rows must not. With READS > 1 a bank is READS memories, row r in memory r mod READS, so
// that so many rows are read out at once.
// Stages: p: product and row meet; weight, index and value come MUL_LATENCY before, at least 2.
`default_nettype none
module lg_scatter_pe #(
    parameter WEIGHT_BITS = 8,
    parameter VALUE_BITS  = 16,   // signed element or delta
    parameter ROW_BITS    = 32,   // exact for every row
    parameter MUL_LATENCY = 3,    // of the leaf
    parameter ALIGN       = 0,    // bits that scaled products are shifted up
    parameter ROWS        = 8,    // rows of a bank
    parameter READS       = 1,    // rows read out at once, a power of two; ROWS is a multiple of it
    parameter BLOCK       = 0,    // 1: banks in block RAM
    parameter EDGE        = 0,    // of lg_memory
    parameter NEAR        = 7,    // bit n: a row may come back n + 1 cycles later
    parameter PICK        = $clog2(READS),
    parameter ADDR        = ROWS > READS ? $clog2(ROWS) - PICK : 1,
    parameter INDEX_BITS  = ADDR + PICK
) (
    input  wire                   clk_i,
    input  wire [WEIGHT_BITS-1:0] weight_i,
    input  wire [INDEX_BITS-1:0]  index_i,    // row of the product
    input  wire [VALUE_BITS-1:0]  value_i,
    input  wire                   scale_i,    // p: the product is shifted up by ALIGN
    input  wire [2:0]             same_i,     // p - 1: the product 1, 2, 3 cycles before
                                              // counts and is of the same bank
    input  wire                   bank_i,     // p
    input  wire [1:0]             we_i,       // p + 1, per bank; or a row is set to 0
    // reading out
    input  wire [1:0]             read_i,     // per bank: the rows of address row_i are read,
                                              // not that of a product
    input  wire [ADDR-1:0]        row_i,
    input  wire [1:0]             zero_i,     // with we_i: those of zero_row_i are set to 0
    input  wire [ADDR-1:0]        zero_row_i,
    input  wire                   out_bank_i, // two cycles after read_i
    output wire [READS*ROW_BITS-1:0] acc_o
);
    localparam PRODUCT = WEIGHT_BITS + VALUE_BITS;
    localparam TERM    = PRODUCT + ALIGN;
    localparam WIDE    = (TERM > ROW_BITS ? TERM : ROW_BITS) + 1;
    localparam MEET    = MUL_LATENCY > 2 ? MUL_LATENCY : 2;
    // Block RAM shows a write one cycle later than LUT RAM.
    localparam [2:0] FORWARD = BLOCK != 0 ? NEAR : NEAR & 3;

    // ---- product
    wire [PRODUCT-1:0] early, product;
    lg_mul #(.A_WIDTH(VALUE_BITS), .B_WIDTH(WEIGHT_BITS), .LATENCY(MUL_LATENCY)) u_mul (
        .clk_i(clk_i), .a_i(value_i), .b_i(weight_i), .p_o(early));
    lg_delay #(.WIDTH(PRODUCT), .LATENCY(MEET - MUL_LATENCY)) u_product (
        .clk_i(clk_i), .d_i(early), .q_o(product));

    // ---- rows on their way
    wire [INDEX_BITS-1:0] index_r;                            // p - 2
    reg  [INDEX_BITS-1:0] index_q, index_q2, index_q3, index_q4;
    lg_delay #(.WIDTH(INDEX_BITS), .LATENCY(MEET - 2)) u_index (
        .clk_i(clk_i), .d_i(index_i), .q_o(index_r));
    wire [ROW_BITS-1:0] sum_q;
    reg  [ROW_BITS-1:0] sum_q2, sum_q3;
    reg  [2:0]          match_q;
    wire [2:0]          equal = {index_q == index_q4, index_q == index_q3, index_q == index_q2};
    always @(posedge clk_i) begin
        index_q  <= index_r;
        index_q2 <= index_q;
        index_q3 <= index_q2;
        index_q4 <= index_q3;
        match_q  <= same_i & equal & FORWARD;
        sum_q2   <= sum_q;
        sum_q3   <= sum_q2;
    end

    // ---- banks: {flag, row}
    wire [READS*ROW_BITS-1:0] stored;
    wire [1:0]                from = {bank_i, !bank_i} & {2{match_q == 3'd0}};
    genvar bank, read;
    generate
        for (read = 0; read < READS; read = read + 1) begin : gen_read
            wire                  mine_w, mine_r;     // the row of a product is in this memory
            wire [2*ROW_BITS-1:0] rdata;
            wire [1:0]            flag;
            if (READS > 1) begin : gen_pick
                assign mine_w = index_q3[PICK-1:0] == read;
                assign mine_r = index_q2[PICK-1:0] == read;
            end else begin : gen_all
                assign {mine_w, mine_r} = 2'b11;
            end
            for (bank = 0; bank < 2; bank = bank + 1) begin : gen_bank
                lg_memory #(.WIDTH(ROW_BITS + 1), .DEPTH(ROWS / READS), .BLOCK(BLOCK),
                            .EDGE(EDGE)) u_rows (
                    .clk_i(clk_i), .we_i(we_i[bank] && (mine_w || zero_i[bank])),
                    .waddr_i(zero_i[bank] ? zero_row_i : index_q3[INDEX_BITS-1:PICK]),
                    .wdata_i({!zero_i[bank], sum_q}),
                    .raddr_i(read_i[bank] ? row_i : index_r[INDEX_BITS-1:PICK]),
                    .rdata_o({flag[bank], rdata[bank*ROW_BITS +: ROW_BITS]}));
            end
            wire [1:0] take = flag & from & {2{mine_r}};
            wire [1:0] out  = flag & {out_bank_i, !out_bank_i};
            assign stored[read*ROW_BITS +: ROW_BITS] =
                (rdata[0 +: ROW_BITS] & {ROW_BITS{take[0]}})
                | (rdata[ROW_BITS +: ROW_BITS] & {ROW_BITS{take[1]}});
            assign acc_o[read*ROW_BITS +: ROW_BITS] =
                (rdata[0 +: ROW_BITS] & {ROW_BITS{out[0]}})
                | (rdata[ROW_BITS +: ROW_BITS] & {ROW_BITS{out[1]}});
        end
    endgenerate
    // A match takes the place of what is stored; of several the latest counts.
    reg [ROW_BITS-1:0] older;
    integer k;
    always @* begin
        older = (sum_q2 & {ROW_BITS{match_q[1] && !match_q[0]}})
                | (sum_q3 & {ROW_BITS{match_q[2] && match_q[1:0] == 2'd0}});
        for (k = 0; k < READS; k = k + 1)
            older = older | stored[k*ROW_BITS +: ROW_BITS];
    end

    // ---- sum; the planner proved that ROW_BITS hold every one. The adder chooses one of
    // its addends without logic.
    wire [WIDE-1:0] term = {{(WIDE-PRODUCT){product[PRODUCT-1]}}, product};
    generate
        if (ALIGN > 0) begin : gen_align
            wire [ROW_BITS-1:0] present = older | (sum_q & {ROW_BITS{match_q[0]}});
            wire [WIDE-1:0] shifted = term << ALIGN;
            lg_mux_add #(.WIDTH(ROW_BITS)) u_sum (
                .clk_i(clk_i), .choose_i(scale_i), .x_i(present), .a_i(shifted[ROW_BITS-1:0]),
                .b_i(term[ROW_BITS-1:0]), .s_o(sum_q));
            wire unused_term = (^term) ^ (^shifted);
        end else begin : gen_same
            lg_mux_add #(.WIDTH(ROW_BITS)) u_sum (
                .clk_i(clk_i), .choose_i(match_q[0]), .x_i(term[ROW_BITS-1:0]), .a_i(sum_q),
                .b_i(older), .s_o(sum_q));
            wire unused_term = (^term) ^ scale_i;
        end
    endgenerate
endmodule
`default_nettype wire
