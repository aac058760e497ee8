// One lane of the scan: an element of the vector becomes an entry of its queue. With DELTA
// only what changed since it was last sent by more than a limit goes in, as its difference.
// Entry pushed 3 cycles after the address, 4 with DELTA. The scan stops in time (level_o), so
// the queue never overflows.
`default_nettype none
module lg_scatter_lane #(
    parameter DELTA     = 0,
    parameter VALUE     = 16,     // bits of an element
    parameter HEAD_BITS = 8,      // bits of an entry beside its value
    parameter LASTS     = 1,      // last-sent elements kept
    parameter LAST_BLOCK = 0,     // 1: in block RAM
    parameter ENTRY_VALUE = DELTA != 0 ? VALUE + 1 : VALUE,
    parameter LAST      = LASTS > 1 ? $clog2(LASTS) : 1
) (
    input  wire                 clk_i,
    input  wire                 rst_i,
    input  wire [VALUE-1:0]     value_i,      // 2 cycles after the address
    input  wire                 mute_i,       // with it: counts as 0 (state cleared);
                                              // use_last_i is then 0
    input  wire                 use_last_i,   // with it: the last value sent is subtracted
    input  wire [LAST-1:0]      last_addr_i,  // with the address of the element
    input  wire [LAST-1:0]      last_waddr_i, // 4 cycles later
    input  wire                 push_i,       // 2 cycles after the address (3 with DELTA):
                                              // an element of this lane
    input  wire                 end_i,        // the same: an end mark
    input  wire                 keep_last_i,  // the same: of a segment with deltas
    input  wire                 clear_i,      // the same: a sequence starts
    input  wire [VALUE-1:0]     limit_i,      // the same: only more than this goes in
    input  wire [HEAD_BITS-1:0] head_i,       // the same: {end, scale, words - 1, first word}
    output wire                 valid_o,
    output wire [HEAD_BITS+ENTRY_VALUE-1:0] entry_o,
    input  wire                 pop_i,
    output wire                 stop_o,       // the queue is half full
    output wire                 sent_o        // an element was pushed
);
    reg                           push_q, sent_q;
    reg [HEAD_BITS-1:0]           head_q;
    wire [ENTRY_VALUE-1:0]        value;
    generate
        if (DELTA != 0) begin : gen_delta
            // ---- difference, then its magnitude, size + less, against the limit
            wire signed [VALUE-1:0] last;
            reg signed [VALUE:0]    delta_q, delta_q2;
            reg [VALUE-1:0]         now_q, now_q2;
            reg                     keep_q;
            wire                    less = delta_q[VALUE];
            wire [VALUE-1:0]        size = delta_q[VALUE-1:0] ^ {VALUE{less}};
            wire                    send = !keep_last_i || {size, less} > {limit_i, 1'b0};
            wire signed [VALUE:0]   now_wide  = {value_i[VALUE-1], value_i};
            wire signed [VALUE:0]   last_wide = {last[VALUE-1], last} & {(VALUE+1){use_last_i}};
            always @(posedge clk_i) begin
                delta_q  <= mute_i ? {(VALUE+1){1'b0}} : now_wide - last_wide;
                delta_q2 <= delta_q;
                now_q    <= mute_i ? {VALUE{1'b0}} : value_i;
                now_q2   <= send ? now_q : {VALUE{1'b0}};
                push_q   <= !rst_i && (end_i || (push_i && send));
                sent_q   <= !rst_i && push_i && send;
                keep_q   <= !rst_i && push_i && keep_last_i && (send || clear_i);
            end
            lg_memory #(.WIDTH(VALUE), .DEPTH(LASTS), .BLOCK(LAST_BLOCK)) u_last (
                .clk_i(clk_i), .we_i(keep_q), .waddr_i(last_waddr_i), .wdata_i(now_q2),
                .raddr_i(last_addr_i), .rdata_o(last));
            assign value = delta_q2;
        end else begin : gen_plain
            reg [VALUE-1:0] value_q;
            always @(posedge clk_i) begin
                value_q <= mute_i ? {VALUE{1'b0}} : value_i;
                push_q  <= !rst_i && (push_i || end_i);
                sent_q  <= !rst_i && push_i;
            end
            assign value = value_q;
            wire unused = use_last_i ^ keep_last_i ^ clear_i ^ (^last_addr_i) ^ (^last_waddr_i)
                          ^ (^limit_i);
        end
    endgenerate
    always @(posedge clk_i) head_q <= head_i;
    wire [4:0] level;
    lg_fifo #(.WIDTH(HEAD_BITS + ENTRY_VALUE), .DEPTH(16)) u_queue (
        .clk_i(clk_i), .rst_i(rst_i), .push_i(push_q), .data_i({head_q, value}),
        .valid_o(valid_o), .pop_i(pop_i), .data_o(entry_o), .level_o(level));
    assign stop_o = level[4] || level[3];
    assign sent_o = sent_q;
    wire unused_level = ^level[2:0];
endmodule
`default_nettype wire
