// Scatter engine: LANES elements of a vector are scanned per cycle into queues; ARRAYS arrays
// of PES PEs take a column each and add it to their own rows; the sums of all arrays are added
// in a tree as a layer's rows are read out, and with DELTA to the sums of the steps before.
// Weight memories are outside.
`default_nettype none
module lg_scatter #(
    parameter PES         = 4,
    parameter ARRAYS      = 2,
    parameter QUEUES      = 1,     // per array; LANES = ARRAYS * QUEUES
                                   // elements are scanned per cycle
    parameter WEIGHT_BITS = 8,
    parameter VALUE       = 16,
    parameter ROW_BITS    = 32,    // of the rows of one array
    parameter ACC_BITS    = 32,    // of the sum over all arrays
    parameter MUL_LATENCY = 3,
    parameter ALIGN       = 0,
    parameter ROWS        = 8,     // rows of a PE
    parameter READS       = 1,     // of them read out at once, a power of two
    parameter ROW_BLOCK   = 0,
    parameter ROW_EDGE    = 0,
    parameter NEAR        = 7,     // see lg_scatter_pe
    parameter DEPTH       = 16,    // elements in a vector bank
    parameter BLOCK       = 0,
    parameter WORD        = 4,     // see lg_scatter_array
    parameter WADDR       = 4,
    parameter LENGTH_BITS = 2,
    parameter TILE_BITS   = 2,
    parameter TILES       = 4,
    parameter DELTA       = 0,     // 1: differences are sent, sums are kept
    parameter DELTA_BLOCK = 0,
    parameter LASTS       = 1,     // last-sent elements of a lane
    parameter LAST_BLOCK  = 0,
    parameter READ_AT     = 0,     // of lg_scatter_read
    parameter LANES       = ARRAYS * QUEUES,
    parameter ROW_ADDR    = ROWS > READS ? $clog2(ROWS) - $clog2(READS) : 1,
    parameter INDEX_BITS  = ROW_ADDR + $clog2(READS),
    parameter TILE_ROWS   = PES * READS,
    parameter ADDR        = DEPTH > 1 ? $clog2(DEPTH) : 1,
    parameter LAST        = LASTS > 1 ? $clog2(LASTS) : 1,
    parameter BANK        = $clog2(LANES + 1)
) (
    input  wire                              clk_i,
    input  wire                              rst_i,
    // vector memory
    input  wire [LANES-1:0]                  we_i,
    input  wire [LANES*ADDR-1:0]             waddr_i,
    input  wire [LANES*VALUE-1:0]            wdata_i,
    // from lg_scatter_scan
    input  wire                              valid_i,
    input  wire                              end_i,
    input  wire [ADDR-1:0]                   addr_i,
    input  wire [LAST-1:0]                   last_addr_i,
    input  wire [WORD-1:0]                   word_i,
    input  wire [LENGTH_BITS-1:0]            length_i,
    input  wire [BANK-1:0]                   lanes_i,
    input  wire                              scale_i,
    input  wire                              mute_i,
    input  wire                              clear_i,
    input  wire                              delta_i,
    input  wire                              is_h_i,
    input  wire [VALUE-1:0]                  threshold_x_i,
    input  wire [VALUE-1:0]                  threshold_h_i,
    output wire                              stop_o,
    output wire                              working_o,     // columns are queued or at work
    // statistics of the elements that are compared
    output wire                              seen_o,
    output wire                              seen_h_o,      // they are of h
    output wire [BANK-1:0]                   seen_lanes_o,  // so many
    output wire [LANES-1:0]                  sent_o,        // these go into a queue
    output wire [ARRAYS-1:0]                 taken_o,       // an array takes a column
    // weights
    output wire [ARRAYS*WADDR-1:0]           weight_addr_o,
    input  wire [ARRAYS*PES*WEIGHT_BITS-1:0] weight_i,
    input  wire [ARRAYS*PES*INDEX_BITS-1:0]  index_i,
    // reading out: see lg_scatter_read
    output wire                              closed_o,
    input  wire                              release_i,
    input  wire                              tile_valid_i,
    input  wire [TILE_BITS-1:0]              tile_i,
    input  wire                              tile_fresh_i,  // the sums of the steps
                                                            // before do not count
    input  wire [1:0]                        read_i,
    input  wire [ROW_ADDR-1:0]               row_i,
    input  wire [1:0]                        zero_i,
    input  wire [ROW_ADDR-1:0]               zero_row_i,
    input  wire                              out_bank_i,
    output wire [TILE_ROWS*ACC_BITS-1:0]     acc_o          // READ_AT + 2 + TREE + DELTA after
                                                            // tile_valid_i
);
    localparam TREE      = ARRAYS > 1 ? $clog2(ARRAYS) : 1;
    localparam SUM       = ROW_BITS + TREE;
    localparam WIDE      = (SUM > ACC_BITS ? SUM : ACC_BITS) + 1;
    localparam IS_DELTA  = DELTA != 0 ? 1 : 0;
    localparam ENTRY_VALUE = VALUE + IS_DELTA;
    localparam HEAD_BITS = 2 + LENGTH_BITS + WORD;
    localparam ENTRY     = HEAD_BITS + ENTRY_VALUE;
    localparam MEET      = MUL_LATENCY > 2 ? MUL_LATENCY : 2;
    localparam PUSH      = 2 + IS_DELTA;

    // ---- scan: control beside the vector memory, which answers after two cycles
    wire [LANES*VALUE-1:0] element;
    lg_bank #(.LANES(LANES), .VALUE_BITS(VALUE), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_bank (
        .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i), .raddr_i({LANES{addr_i}}),
        .rdata_o(element));
    wire                   valid, ended, clear, keep, is_h, mute, use_last;
    wire [HEAD_BITS-1:0]   head;
    wire [BANK-1:0]        lanes;
    wire [LAST-1:0]        last_waddr;
    wire [VALUE-1:0]       limit;
    lg_delay_reset #(.WIDTH(2), .LATENCY(PUSH)) u_valid (
        .clk_i(clk_i), .rst_i(rst_i), .d_i({end_i, valid_i}), .q_o({ended, valid}));
    lg_delay #(.WIDTH(HEAD_BITS + BANK + 3), .LATENCY(PUSH)) u_head (
        .clk_i(clk_i), .d_i({is_h_i, delta_i, clear_i, lanes_i, end_i, scale_i, length_i, word_i}),
        .q_o({is_h, keep, clear, lanes, head}));
    lg_delay #(.WIDTH(2), .LATENCY(2)) u_mute (
        .clk_i(clk_i), .d_i({delta_i && !clear_i, mute_i}), .q_o({use_last, mute}));
    lg_delay #(.WIDTH(LAST), .LATENCY(4)) u_last (
        .clk_i(clk_i), .d_i(last_addr_i), .q_o(last_waddr));
    lg_delay_reset #(.WIDTH(1), .LATENCY(1)) u_seen (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(valid && keep), .q_o(seen_o));
    lg_delay #(.WIDTH(1 + BANK), .LATENCY(1)) u_seen_lanes (
        .clk_i(clk_i), .d_i({is_h, lanes}), .q_o({seen_h_o, seen_lanes_o}));

    // Sent is what is not 0 and at least the threshold: more than the threshold less 1, or than 0.
    generate
        if (DELTA != 0) begin : gen_limit
            reg [VALUE-1:0] limit_x_q, limit_h_q;
            always @(posedge clk_i) begin
                limit_x_q <= threshold_x_i - {{(VALUE-1){1'b0}}, |threshold_x_i};
                limit_h_q <= threshold_h_i - {{(VALUE-1){1'b0}}, |threshold_h_i};
            end
            assign limit = is_h ? limit_h_q : limit_x_q;
        end else begin : gen_no_limit
            assign limit = threshold_x_i;
            wire unused_threshold = ^threshold_h_i;
        end
    endgenerate

    wire [LANES-1:0]       entry_valid, pop, stop;
    wire [LANES*ENTRY-1:0] entry;
    genvar array, queue, row;
    generate
        // Lane q * ARRAYS + a fills queue q of array a; queues lie array by array.
        for (array = 0; array < ARRAYS; array = array + 1) begin : gen_lanes
            for (queue = 0; queue < QUEUES; queue = queue + 1) begin : gen_queue
                localparam FROM = queue * ARRAYS + array;
                localparam TO   = array * QUEUES + queue;
                wire used = lanes > FROM;
                lg_scatter_lane #(.DELTA(DELTA), .VALUE(VALUE), .HEAD_BITS(HEAD_BITS),
                                  .LASTS(LASTS), .LAST_BLOCK(LAST_BLOCK)) u_lane (
                    .clk_i(clk_i), .rst_i(rst_i), .value_i(element[FROM*VALUE +: VALUE]),
                    .mute_i(mute), .use_last_i(use_last), .last_addr_i(last_addr_i),
                    .last_waddr_i(last_waddr), .push_i(valid && used), .end_i(ended),
                    .keep_last_i(keep), .clear_i(clear), .limit_i(limit), .head_i(head),
                    .valid_o(entry_valid[TO]), .entry_o(entry[TO*ENTRY +: ENTRY]), .pop_i(pop[TO]),
                    .stop_o(stop[TO]), .sent_o(sent_o[FROM]));
            end
        end
    endgenerate
    assign stop_o = |stop;

    // ---- arrays
    wire [ARRAYS*TILE_ROWS*ROW_BITS-1:0] part;
    wire [ARRAYS-1:0]                    ends;
    generate
        for (array = 0; array < ARRAYS; array = array + 1) begin : gen_array
            lg_scatter_array #(.PES(PES), .QUEUES(QUEUES), .WORD(WORD), .WADDR(WADDR),
                               .LENGTH_BITS(LENGTH_BITS), .WEIGHT_BITS(WEIGHT_BITS),
                               .VALUE_BITS(ENTRY_VALUE), .ROW_BITS(ROW_BITS),
                               .MUL_LATENCY(MUL_LATENCY), .ALIGN(ALIGN), .ROWS(ROWS), .READS(READS),
                               .BLOCK(ROW_BLOCK), .EDGE(ROW_EDGE), .NEAR(NEAR)) u_array (
                .clk_i(clk_i), .rst_i(rst_i), .valid_i(entry_valid[array*QUEUES +: QUEUES]),
                .entry_i(entry[array*QUEUES*ENTRY +: QUEUES*ENTRY]),
                .pop_o(pop[array*QUEUES +: QUEUES]), .ended_o(ends[array]),
                .taken_o(taken_o[array]), .release_i(release_i),
                .waddr_o(weight_addr_o[array*WADDR +: WADDR]),
                .weight_i(weight_i[array*PES*WEIGHT_BITS +: PES*WEIGHT_BITS]),
                .index_i(index_i[array*PES*INDEX_BITS +: PES*INDEX_BITS]), .read_i(read_i),
                .row_i(row_i), .zero_i(zero_i), .zero_row_i(zero_row_i), .out_bank_i(out_bank_i),
                .acc_o(part[array*TILE_ROWS*ROW_BITS +: TILE_ROWS*ROW_BITS]));
        end
    endgenerate

    // ---- a layer is closed when every array has closed it, and its last product is stored
    // by the time a row is read: READ_AT + 2 cycles after closed_o. Block RAM shows a write
    // one cycle later than LUT RAM.
    localparam STORED = MEET + 1 - READ_AT;
    reg  [2*ARRAYS-1:0] count_q;
    wire [ARRAYS-1:0]   some;
    wire                all = &some;
    generate
        for (array = 0; array < ARRAYS; array = array + 1) begin : gen_count
            assign some[array] = count_q[2*array +: 2] != 2'd0;
            always @(posedge clk_i)
                if (rst_i) count_q[2*array +: 2] <= 2'd0;
                else       count_q[2*array +: 2] <= count_q[2*array +: 2]
                                                    + {1'b0, ends[array]} - {1'b0, all};
        end
    endgenerate
    lg_delay_reset #(.WIDTH(1), .LATENCY(STORED)) u_closed (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(all), .q_o(closed_o));
    assign working_o = |entry_valid || |some;

    // ---- rows of one tile, READS of each PE, PE by PE: the sum over the arrays
    wire                 fresh;
    wire [TILE_BITS-1:0] tile_read, tile_write;
    wire                 write;
    generate
        if (DELTA != 0) begin : gen_kept
            lg_delay #(.WIDTH(TILE_BITS), .LATENCY(READ_AT + TREE)) u_read (
                .clk_i(clk_i), .d_i(tile_i), .q_o(tile_read));
            lg_delay #(.WIDTH(TILE_BITS), .LATENCY(3)) u_write (
                .clk_i(clk_i), .d_i(tile_read), .q_o(tile_write));
            lg_delay #(.WIDTH(1), .LATENCY(READ_AT + 2 + TREE)) u_fresh (
                .clk_i(clk_i), .d_i(tile_fresh_i), .q_o(fresh));
            lg_delay_reset #(.WIDTH(1), .LATENCY(READ_AT + 3 + TREE)) u_we (
                .clk_i(clk_i), .rst_i(rst_i), .d_i(tile_valid_i), .q_o(write));
        end else begin : gen_none
            assign fresh      = tile_fresh_i;
            assign tile_read  = tile_i;
            assign tile_write = tile_i;
            assign write      = tile_valid_i;
            wire unused_tile = fresh ^ write ^ (^tile_read) ^ (^tile_write);
        end
        for (row = 0; row < TILE_ROWS; row = row + 1) begin : gen_row
            localparam AT = row % PES * READS + row / PES;    // as the PEs hand them out
            wire [ARRAYS*ROW_BITS-1:0] parts;
            wire [SUM-1:0]             sum;
            wire [WIDE-1:0]            whole = {{(WIDE-SUM){sum[SUM-1]}}, sum};
            for (array = 0; array < ARRAYS; array = array + 1) begin : gen_part
                assign parts[array*ROW_BITS +: ROW_BITS] =
                    part[(array*TILE_ROWS+AT)*ROW_BITS +: ROW_BITS];
            end
            lg_tree #(.COUNT(ARRAYS), .WIDTH(ROW_BITS), .LEVELS(TREE)) u_tree (
                .clk_i(clk_i), .clear_i(1'b0), .x_i(parts), .sum_o(sum));
            wire unused_whole = ^whole;                // ACC_BITS hold the whole sum
            if (DELTA != 0) begin : gen_add
                wire [ACC_BITS-1:0] kept, total;
                lg_memory #(.WIDTH(ACC_BITS), .DEPTH(TILES), .BLOCK(DELTA_BLOCK)) u_kept (
                    .clk_i(clk_i), .we_i(write), .waddr_i(tile_write), .wdata_i(total),
                    .raddr_i(tile_read), .rdata_o(kept));
                lg_mux_add #(.WIDTH(ACC_BITS)) u_total (
                    .clk_i(clk_i), .choose_i(fresh), .x_i(whole[ACC_BITS-1:0]),
                    .a_i({ACC_BITS{1'b0}}), .b_i(kept), .s_o(total));
                assign acc_o[row*ACC_BITS +: ACC_BITS] = total;
            end else begin : gen_sum
                assign acc_o[row*ACC_BITS +: ACC_BITS] = whole[ACC_BITS-1:0];
            end
        end
    endgenerate
endmodule
`default_nettype wire
