// Processing element of the scatter engine: one product a cycle, added to one of its rows. Two banks of rows: one takes
// the products of a layer while the other is read out row by row and set to 0 behind the reader. A row that is still on
// its way to the memory is forwarded, so rows may repeat in any order.
// Stages: p: product and row meet; weight, index and value come MUL_LATENCY + (ALIGN > 0) before, at least 2.
`default_nettype none
module lg_scatter_pe #(
    parameter WEIGHT_BITS = 8,
    parameter VALUE_BITS  = 16,   // signed element or delta
    parameter ACC_BITS    = 32,   // exact for every row
    parameter MUL_LATENCY = 3,    // of the leaf
    parameter ALIGN       = 0,    // bits that scaled products are shifted up
    parameter ROWS        = 8,    // rows of a bank
    parameter BLOCK       = 0,    // 1: banks in block RAM
    parameter INDEX_BITS  = ROWS > 1 ? $clog2(ROWS) : 1
) (
    input  wire                   clk_i,
    input  wire [WEIGHT_BITS-1:0] weight_i,
    input  wire [INDEX_BITS-1:0]  index_i,    // row of the product
    input  wire [VALUE_BITS-1:0]  value_i,
    input  wire                   scale_i,    // with the product, where ALIGN > 0
    input  wire [2:0]             same_i,     // p - 1: the product 1, 2, 3 cycles before counts and is of the same bank
    input  wire                   bank_i,     // p
    input  wire [1:0]             we_i,       // p + 1, per bank
    // reading out
    input  wire [1:0]             read_i,     // per bank: row_i is read, not the row of a product
    input  wire [INDEX_BITS-1:0]  row_i,
    input  wire [1:0]             zero_i,     // one cycle later: zero_row_i is set to 0
    input  wire [INDEX_BITS-1:0]  zero_row_i,
    input  wire                   out_bank_i, // two cycles after read_i
    output wire [ACC_BITS-1:0]    acc_o
);
    localparam PRODUCT = WEIGHT_BITS + VALUE_BITS;
    localparam TERM    = PRODUCT + ALIGN;
    localparam LATE    = MUL_LATENCY + (ALIGN > 0 ? 1 : 0);
    localparam MEET    = LATE > 2 ? LATE : 2;

    // ---- product
    wire [PRODUCT-1:0]     product;
    wire signed [TERM-1:0] early, term;
    lg_mul #(.A_WIDTH(VALUE_BITS), .B_WIDTH(WEIGHT_BITS), .LATENCY(MUL_LATENCY)) u_mul (
        .clk_i(clk_i), .a_i(value_i), .b_i(weight_i), .p_o(product));
    generate
        if (ALIGN > 0) begin : gen_align
            reg [TERM-1:0] term_q;
            always @(posedge clk_i)
                term_q <= scale_i ? {product, {ALIGN{1'b0}}} : {{ALIGN{product[PRODUCT-1]}}, product};
            assign early = term_q;
        end else begin : gen_same
            assign early = product;
            wire unused_scale = scale_i;
        end
    endgenerate
    lg_delay #(.WIDTH(TERM), .LATENCY(MEET - LATE)) u_term (.clk_i(clk_i), .d_i(early), .q_o(term));

    // ---- rows on their way
    wire [INDEX_BITS-1:0] index_r;                            // p - 2
    reg  [INDEX_BITS-1:0] index_q, index_q2, index_q3, index_q4;
    lg_delay #(.WIDTH(INDEX_BITS), .LATENCY(MEET - 2)) u_index (.clk_i(clk_i), .d_i(index_i), .q_o(index_r));
    reg [ACC_BITS-1:0] sum_q, sum_q2, sum_q3;
    reg [2:0]          match_q;
    wire [2:0]         equal = {BLOCK != 0 && index_q == index_q4, index_q == index_q3, index_q == index_q2};
    always @(posedge clk_i) begin
        index_q  <= index_r;
        index_q2 <= index_q;
        index_q3 <= index_q2;
        index_q4 <= index_q3;
        match_q  <= same_i & equal;
        sum_q2   <= sum_q;
        sum_q3   <= sum_q2;
    end

    // ---- banks
    wire [2*ACC_BITS-1:0] rdata;
    genvar bank;
    generate
        for (bank = 0; bank < 2; bank = bank + 1) begin : gen_bank
            lg_memory #(.WIDTH(ACC_BITS), .DEPTH(ROWS), .BLOCK(BLOCK)) u_rows (
                .clk_i(clk_i), .we_i(we_i[bank] || zero_i[bank]),
                .waddr_i(zero_i[bank] ? zero_row_i : index_q3),
                .wdata_i(zero_i[bank] ? {ACC_BITS{1'b0}} : sum_q),
                .raddr_i(read_i[bank] ? row_i : index_r), .rdata_o(rdata[bank*ACC_BITS +: ACC_BITS]));
        end
    endgenerate
    wire [ACC_BITS-1:0] stored  = bank_i ? rdata[ACC_BITS +: ACC_BITS] : rdata[0 +: ACC_BITS];
    wire [ACC_BITS-1:0] present = match_q[0] ? sum_q : match_q[1] ? sum_q2 : match_q[2] ? sum_q3 : stored;
    generate
        if (ACC_BITS > TERM) begin : gen_extend
            always @(posedge clk_i) sum_q <= present + {{(ACC_BITS-TERM){term[TERM-1]}}, term};
        end else begin : gen_cut    // the planner proved that ACC_BITS hold every sum
            always @(posedge clk_i) sum_q <= present + term[ACC_BITS-1:0];
            wire unused_term = ^term;
        end
    endgenerate
    assign acc_o = out_bank_i ? rdata[ACC_BITS +: ACC_BITS] : rdata[0 +: ACC_BITS];
endmodule
`default_nettype wire
