// One MAC array of the scatter engine: takes columns from its QUEUES, walks the words of a column,
// one per PE and cycle, and multiplies them with the column's value. An end mark in all queues
// closes a layer: the array goes on in the other bank, unless that one is still being read out.
`default_nettype none
module lg_scatter_array #(
    parameter PES         = 4,
    parameter QUEUES      = 1,    // a power of two; queue k holds the columns k,
                                  // k + QUEUES ... of this array
    parameter WORD        = 2,    // bits of the address of a queue's weight word,
                                  // more than LENGTH_BITS
    parameter WADDR       = 2,    // bits of a weight address
    parameter LENGTH_BITS = 4,    // bits of the words of a column - 1
    parameter WEIGHT_BITS = 8,
    parameter VALUE_BITS  = 16,
    parameter ROW_BITS    = 32,
    parameter MUL_LATENCY = 3,
    parameter ALIGN       = 0,
    parameter ROWS        = 8,
    parameter READS       = 1,
    parameter BLOCK       = 0,
    parameter EDGE        = 0,
    parameter NEAR        = 7,    // see lg_scatter_pe
    parameter ADDR        = ROWS > READS ? $clog2(ROWS) - $clog2(READS) : 1,
    parameter INDEX_BITS  = ADDR + $clog2(READS),
    parameter ENTRY       = 2 + LENGTH_BITS + WORD + VALUE_BITS
) (
    input  wire                       clk_i,
    input  wire                       rst_i,
    input  wire [QUEUES-1:0]          valid_i,
    input  wire [QUEUES*ENTRY-1:0]    entry_i,     // {end, scale, words - 1, first word, value}
    output wire [QUEUES-1:0]          pop_o,
    output wire                       ended_o,     // an end mark was taken
    output wire                       taken_o,     // a column was taken
    input  wire                       release_i,   // a bank was read out
    output wire [WADDR-1:0]           waddr_o,
    input  wire [PES*WEIGHT_BITS-1:0] weight_i,    // two cycles after waddr_o
    input  wire [PES*INDEX_BITS-1:0]  index_i,
    input  wire [1:0]                 read_i,      // see lg_scatter_pe
    input  wire [ADDR-1:0]            row_i,
    input  wire [1:0]                 zero_i,
    input  wire [ADDR-1:0]            zero_row_i,
    input  wire                       out_bank_i,
    output wire [PES*READS*ROW_BITS-1:0] acc_o
);
    localparam MEET     = MUL_LATENCY > 2 ? MUL_LATENCY : 2;
    localparam PICK     = QUEUES > 1 ? $clog2(QUEUES) : 1;
    localparam AT_WORD  = VALUE_BITS;
    localparam AT_LEFT  = AT_WORD + WORD;
    localparam AT_SCALE = AT_LEFT + LENGTH_BITS;
    localparam AT_END   = AT_SCALE + 1;
    localparam [WORD-1:0]        ONE_WORD = 1;
    localparam [LENGTH_BITS-1:0] ONE_LEFT = 1;

    // ---- which queue is next: the lowest that holds a column
    reg [QUEUES-1:0] pick_hot;
    reg [PICK-1:0]   pick;
    reg [ENTRY-1:0]  entry;
    reg              found, all_end;
    integer          k;
    always @* begin
        pick_hot = {QUEUES{1'b0}};
        pick     = {PICK{1'b0}};
        entry    = entry_i[0 +: ENTRY];
        found    = 1'b0;
        all_end  = 1'b1;
        for (k = 0; k < QUEUES; k = k + 1) begin
            if (!found && valid_i[k] && !entry_i[k*ENTRY + AT_END]) begin
                found       = 1'b1;
                pick_hot[k] = 1'b1;
                pick        = k[PICK-1:0];
                entry       = entry_i[k*ENTRY +: ENTRY];
            end
            all_end = all_end && valid_i[k] && entry_i[k*ENTRY + AT_END];
        end
    end

    // ---- the column at work
    reg                   busy_q, bank_q, scale_q;
    reg [1:0]             ahead_q;        // layers closed here and not yet read out
    reg [LENGTH_BITS-1:0] left_q;
    reg [WORD-1:0]        word_q;
    reg [PICK-1:0]        pick_q;
    reg [VALUE_BITS-1:0]  value_q;
    wire free = (!busy_q || left_q == {LENGTH_BITS{1'b0}}) && !ahead_q[1];
    wire take = free && found;
    wire ends = free && all_end;
    always @(posedge clk_i) begin
        if (rst_i) begin
            busy_q  <= 1'b0;
            bank_q  <= 1'b0;
            ahead_q <= 2'd0;
        end else begin
            busy_q  <= take || (busy_q && left_q != {LENGTH_BITS{1'b0}});
            bank_q  <= bank_q ^ ends;
            ahead_q <= ahead_q + {1'b0, ends} - {1'b0, release_i};
        end
        if (take) begin
            value_q <= entry[VALUE_BITS-1:0];
            word_q  <= entry[AT_WORD +: WORD];
            left_q  <= entry[AT_LEFT +: LENGTH_BITS];
            scale_q <= entry[AT_SCALE];
            pick_q  <= pick;
        end else begin
            word_q  <= word_q + ONE_WORD;
            left_q  <= left_q - ONE_LEFT;
        end
    end
    assign pop_o   = {QUEUES{ends}} | (pick_hot & {QUEUES{free}});
    assign ended_o = ends;
    assign taken_o = take;
    wire [WORD+PICK-1:0] waddr = QUEUES > 1 ? {word_q, pick_q} : {{PICK{1'b0}}, word_q};
    assign waddr_o = waddr[WADDR-1:0];
    wire unused_waddr = ^waddr ^ (^pick_q);

    // ---- control on its way to the PEs
    wire [VALUE_BITS-1:0] value;
    wire                  scale, valid_r, bank_r;             // r: p - 2
    lg_delay #(.WIDTH(VALUE_BITS), .LATENCY(2)) u_value (.clk_i(clk_i), .d_i(value_q), .q_o(value));
    lg_delay #(.WIDTH(1), .LATENCY(2 + MEET)) u_scale (.clk_i(clk_i), .d_i(scale_q), .q_o(scale));
    lg_delay_reset #(.WIDTH(1), .LATENCY(MEET)) u_valid (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(busy_q), .q_o(valid_r));
    lg_delay #(.WIDTH(1), .LATENCY(MEET)) u_bank (.clk_i(clk_i), .d_i(bank_q), .q_o(bank_r));
    reg [3:0] valid_d, bank_d;                                // [n]: p - 1 + n
    always @(posedge clk_i) begin
        valid_d <= rst_i ? 4'd0 : {valid_d[2:0], valid_r};
        bank_d  <= {bank_d[2:0], bank_r};
    end
    wire [2:0] same = {valid_d[3] && bank_d[3] == bank_d[0], valid_d[2] && bank_d[2] == bank_d[0],
                       valid_d[1] && bank_d[1] == bank_d[0]};
    wire [1:0] we   = zero_i | {valid_d[2] && bank_d[2], valid_d[2] && !bank_d[2]};
    genvar pe;
    generate
        for (pe = 0; pe < PES; pe = pe + 1) begin : gen_pe
            lg_scatter_pe #(.WEIGHT_BITS(WEIGHT_BITS), .VALUE_BITS(VALUE_BITS), .ROW_BITS(ROW_BITS),
                            .MUL_LATENCY(MUL_LATENCY), .ALIGN(ALIGN), .ROWS(ROWS), .READS(READS),
                            .BLOCK(BLOCK), .EDGE(EDGE), .NEAR(NEAR)) u_pe (
                .clk_i(clk_i), .weight_i(weight_i[pe*WEIGHT_BITS +: WEIGHT_BITS]),
                .index_i(index_i[pe*INDEX_BITS +: INDEX_BITS]), .value_i(value), .scale_i(scale),
                .same_i(same), .bank_i(bank_d[1]), .we_i(we), .read_i(read_i), .row_i(row_i),
                .zero_i(zero_i), .zero_row_i(zero_row_i), .out_bank_i(out_bank_i),
                .acc_o(acc_o[pe*READS*ROW_BITS +: READS*ROW_BITS]));
        end
    endgenerate
endmodule
`default_nettype wire
