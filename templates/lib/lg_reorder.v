// Double-buffered vector that is written IN elements at a time in one order and read OUT elements
// at a time in another, which the image ORDER_FILE gives: word = for each output, lane and entry of
// its element, output 0 in the low bits. Each output reads its own copy, so any order runs at full
// rate. Read latency 6, valid/ready at the output. With DROP a vector without its tag is read in the
// same time as another, but does not come out.
`default_nettype none
module lg_reorder #(
    parameter IN         = 1,    // elements written per cycle
    parameter OUT        = 1,    // elements read per cycle
    parameter WIDTH      = 16,
    parameter ENTRIES    = 16,   // words of a lane, one slot
    parameter BEATS      = 16,   // words read per vector
    parameter ORDER_FILE = "",
    parameter BLOCK      = 0,
    parameter DROP       = 0,
    parameter ENTRY      = ENTRIES > 1 ? $clog2(ENTRIES) : 1
) (
    input  wire                 clk_i,
    input  wire                 rst_i,
    input  wire [IN-1:0]        we_i,
    input  wire                 slot_i,
    input  wire [ENTRY-1:0]     entry_i,
    input  wire [IN*WIDTH-1:0]  data_i,
    input  wire                 done_i,     // the vector of one slot is complete
    input  wire                 tag_i,      // a bit that goes with the vector
    output wire                 sent_o,     // one slot may be overwritten
    output wire                 valid_o,
    input  wire                 ready_i,
    output wire [OUT*WIDTH-1:0] data_o,
    output wire                 last_o,
    output wire                 tag_o
);
    localparam LANE  = IN > 1 ? $clog2(IN) : 1;
    localparam PICK  = LANE + ENTRY;
    localparam BEAT  = BEATS > 1 ? $clog2(BEATS) : 1;
    localparam [BEAT-1:0] LAST_BEAT = BEATS - 1;
    localparam [BEAT-1:0] ONE_BEAT  = 1;

    // ---- issue of reads, as many as the FIFO behind can take
    reg [1:0]      full_q;
    reg [1:0]      tags_q;      // of the vectors that wait, the older one in bit 0
    reg            slot_q;
    reg [BEAT-1:0] beat_q;
    reg [4:0]      credit_q;
    wire           pop   = valid_o && ready_i;
    wire           drop  = DROP != 0 && !tags_q[0];
    wire           issue = full_q != 2'd0 && (credit_q != 5'd0 || drop);
    wire           last  = beat_q == LAST_BEAT;
    wire           sent  = issue && last;
    always @(posedge clk_i) begin
        if (rst_i) begin
            full_q   <= 2'd0;
            slot_q   <= 1'b0;
            beat_q   <= {BEAT{1'b0}};
            credit_q <= 5'd16;
        end else begin
            full_q   <= full_q + {1'b0, done_i} - {1'b0, sent};
            credit_q <= credit_q + {4'd0, pop} - {4'd0, issue && !drop};
            if (issue) beat_q <= last ? {BEAT{1'b0}} : beat_q + ONE_BEAT;
            if (sent) slot_q <= !slot_q;
        end
        if (sent) tags_q <= {tag_i, full_q == 2'd2 ? tags_q[1] : tag_i};
        else if (done_i) tags_q <= full_q == 2'd0 ? {tag_i, tag_i} : {tag_i, tags_q[0]};
    end
    assign sent_o = sent;

    // ---- order, lanes, selection
    wire [OUT*PICK-1:0] pick;
    wire                slot2;
    lg_rom #(.WIDTH(OUT*PICK), .DEPTH(BEATS), .INIT_FILE(ORDER_FILE)) u_order (
        .clk_i(clk_i), .raddr_i(beat_q), .rdata_o(pick));
    lg_delay #(.WIDTH(1), .LATENCY(2)) u_slot2 (.clk_i(clk_i), .d_i(slot_q), .q_o(slot2));
    wire [OUT*WIDTH-1:0] chosen;
    genvar o, lane;
    generate
        for (o = 0; o < OUT; o = o + 1) begin : gen_out
            wire [ENTRY-1:0]    entry = pick[o*PICK +: ENTRY];
            wire [LANE-1:0]     from;
            wire [IN*WIDTH-1:0] word;
            lg_delay #(.WIDTH(LANE), .LATENCY(2)) u_from (
                .clk_i(clk_i), .d_i(pick[o*PICK+ENTRY +: LANE]), .q_o(from));
            for (lane = 0; lane < IN; lane = lane + 1) begin : gen_lane
                lg_memory #(.WIDTH(WIDTH), .DEPTH(2 << ENTRY), .BLOCK(BLOCK)) u_lane (
                    .clk_i(clk_i), .we_i(we_i[lane]), .waddr_i({slot_i, entry_i}),
                    .wdata_i(data_i[lane*WIDTH +: WIDTH]),
                    .raddr_i({slot2, entry}), .rdata_o(word[lane*WIDTH +: WIDTH]));
            end
            // One-hot selection: an AND per lane and an OR tree.
            reg [WIDTH-1:0] pick_lane;
            integer         k;
            always @* begin
                pick_lane = {WIDTH{1'b0}};
                for (k = 0; k < IN; k = k + 1)
                    if (IN == 1 || {{(32-LANE){1'b0}}, from} == k)
                        pick_lane = pick_lane | word[k*WIDTH +: WIDTH];
            end
            reg [WIDTH-1:0] chosen_q;
            always @(posedge clk_i) chosen_q <= pick_lane;
            assign chosen[o*WIDTH +: WIDTH] = chosen_q;
        end
    endgenerate
    wire push, push_last, push_tag;
    lg_delay_reset #(.WIDTH(3), .LATENCY(5)) u_push (
        .clk_i(clk_i), .rst_i(rst_i), .d_i({issue && !drop, last, tags_q[0]}),
        .q_o({push, push_last, push_tag}));
    wire [4:0] level;
    lg_fifo #(.WIDTH(OUT*WIDTH + 2), .DEPTH(16)) u_fifo (
        .clk_i(clk_i), .rst_i(rst_i), .push_i(push), .data_i({push_tag, push_last, chosen}),
        .valid_o(valid_o), .pop_i(pop), .data_o({tag_o, last_o, data_o}), .level_o(level));
    wire unused = ^level;
endmodule
`default_nettype wire
