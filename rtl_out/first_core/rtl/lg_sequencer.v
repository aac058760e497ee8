// Walks the step program: one run = `tiles` row tiles of the same shape, each a segment A and maybe
// a segment B. Waits only between runs: for x, for a layer's h, for a free output slot. Knows
// nothing of what a segment means. If x is not there yet while something of the last step is still
// to be computed (a projection, the head, the head behind a projection), it does that first.
// STAGES > 1: each layer is a stage and works on the step before that of the stage below it, so that
// no stage waits for what was just computed: what it reads is that of the step before, but for what
// a run of `is_head` (a projection) wrote and what earlier runs of its own stage did. Without x, what
// the stages still have is done; every stage has its own parity and clear.
`default_nettype none
module lg_sequencer #(
    parameter RUNS         = 2,   // words of the program
    parameter PROGRAM_FILE = "",  // image; layout below, first field in the lowest bits
    parameter TILE_BITS    = 4,
    parameter LENGTH_BITS  = 4,
    parameter ADDR         = 4,   // vector bank address
    parameter WADDR        = 6,   // weight address
    parameter GAP_BITS     = 6,
    parameter LAYERS       = 1,
    parameter HEAD_RUN     = 0,   // run of the step before, where HAS_HEAD; if there are two of them,
    parameter LAST_HEAD_RUN = 0,  // this one follows it, else it is the same
    parameter HAS_HEAD     = 0,
    parameter INDEXED      = 0,   // 1: the address stays at the region's base
    parameter STAGES       = 1    // layers, where each works on a step of its own
) (
    input  wire                 clk_i,
    input  wire                 rst_i,
    input  wire                 enable_i,
    input  wire [1:0]           x_level_i,     // vectors of x complete in the vector memory
    input  wire [1:0]           x_clear_i,     // per buffer: that vector starts a sequence
    output wire                 x_release_o,   // it was read for the last time
    input  wire [LAYERS-1:0]    done_i,        // a layer's h is (about to be) written
    input  wire                 out_sent_i,    // an output slot was emptied
    output wire                 busy_o,
    // control of one engine cycle
    output reg                  valid_q,
    output reg                  first_q,
    output reg                  last_q,
    output reg                  mute_q,
    output reg                  scale_q,       // products of this segment are aligned (lg_pe)
    output reg  [ADDR-1:0]      addr_q,
    output reg  [ADDR-1:0]      own_addr_q,    // base of segment B's region,
                                               // and whether its products are aligned: for rows
    output reg                  own_scale_q,   // that take words of both as they come (lg_stream)
    output reg  [WADDR-1:0]     waddr_q,
    output reg  [TILE_BITS-1:0] tile_q,
    output reg                  parity_q,
    output reg                  clear_q
);
    localparam RUN_ADDR   = RUNS > 1 ? $clog2(RUNS) : 1;
    localparam P_TILES    = 0;
    localparam P_FIRST    = P_TILES + TILE_BITS;
    localparam P_LEN_A    = P_FIRST + TILE_BITS;
    localparam P_LEN_B    = P_LEN_A + LENGTH_BITS;
    localparam P_BASE_A0  = P_LEN_B + LENGTH_BITS;
    localparam P_BASE_A1  = P_BASE_A0 + ADDR;
    localparam P_BASE_B0  = P_BASE_A1 + ADDR;
    localparam P_BASE_B1  = P_BASE_B0 + ADDR;
    localparam P_WEIGHT   = P_BASE_B1 + ADDR;
    localparam P_GAP      = P_WEIGHT + WADDR;
    localparam P_LEAD     = P_GAP + GAP_BITS;
    localparam P_WAIT_H   = P_LEAD + GAP_BITS;
    localparam P_PENDING  = P_WAIT_H + LAYERS;
    localparam P_HAS_B    = P_PENDING + LAYERS;
    localparam P_MUTE_A   = P_HAS_B + 1;
    localparam P_MUTE_B   = P_HAS_B + 2;
    localparam P_WAIT_X   = P_HAS_B + 3;
    localparam P_RELEASE  = P_HAS_B + 4;
    localparam P_WAIT_OUT = P_HAS_B + 5;
    localparam P_IS_HEAD  = P_HAS_B + 6;
    localparam P_SET_HEAD = P_HAS_B + 7;
    localparam P_WRAP     = P_HAS_B + 8;
    localparam P_SCALE_A  = P_HAS_B + 9;
    localparam P_SCALE_B  = P_HAS_B + 10;
    localparam P_ENDS     = P_HAS_B + 11;      // with STAGES: the stage's last run
    localparam P_STAGE    = P_ENDS + 1;
    localparam STAGE      = STAGES > 1 ? $clog2(STAGES) : 1;
    localparam WORD       = STAGES > 1 ? P_STAGE + STAGE : P_ENDS;

    // ---- program: a few words, read ahead of their use
    reg  [RUN_ADDR-1:0] pc_q;
    reg                 poll_q, head_q, last_head_q;    // which are due
    wire [WORD-1:0]     next;
    localparam [RUN_ADDR-1:0] HEAD_AT = HEAD_RUN, LAST_AT = LAST_HEAD_RUN;
    wire [RUN_ADDR-1:0] look = !poll_q ? pc_q : last_head_q ? LAST_AT : HEAD_AT;
    lg_rom_small #(.WIDTH(WORD), .DEPTH(RUNS), .INIT_FILE(PROGRAM_FILE)) u_program (
        .addr_i(look), .data_o(next));

    // ---- state of the run being issued
    localparam [1:0] LEAD = 2'd0, SEG_A = 2'd1, SEG_B = 2'd2, GAP = 2'd3;
    reg                   active_q;
    reg [1:0]             phase_q;
    reg [TILE_BITS-1:0]   tiles_q, run_tile_q;
    reg [LENGTH_BITS-1:0] length_a_q, length_b_q, count_q, ahead_q;    // ahead: count + 1
    reg [GAP_BITS-1:0]    gap_q, idle_q;
    reg [ADDR-1:0]        base_a_q, base_b_q;
    reg [WADDR-1:0]       run_weight_q;
    reg                   has_b_q, mute_a_q, mute_b_q, scale_a_q, scale_b_q, release_q,
                          run_parity_q, run_clear_q;
    // What is compared is compared a cycle before it is used: count_q is the segment's last, no tile
    // follows, idle_q is 0; lengths of 1; no gap after a tile, or one of a cycle.
    reg                   stop_q, last_tile_q, idle_end_q, short_a_q, short_b_q, no_gap_q, gap_one_q;

    // ---- levels
    reg [LAYERS-1:0] pending_q;
    reg [1:0]        out_used_q;

    wire in_a       = active_q && phase_q == SEG_A;
    wire in_b       = active_q && phase_q == SEG_B;
    wire end_a      = in_a && stop_q;
    wire tile_end   = active_q && stop_q && (phase_q == SEG_B || (phase_q == SEG_A && !has_b_q));
    wire gap_end    = active_q && phase_q == GAP && idle_end_q;
    wire run_end    = last_tile_q && ((tile_end && no_gap_q) || gap_end);
    wire release_now = tile_end && last_tile_q && release_q;

    wire x_ready   = release_now ? x_level_i == 2'd2 : x_level_i != 2'd0;
    wire skip, step_parity, clear_next, due;
    wire [LAYERS-1:0] old;     // vectors that are read of the step before: complete, whatever is pending
    wire ready     = enable_i && !skip
                     && (!next[P_WAIT_X] || x_ready)
                     && (!next[P_WAIT_OUT] || out_used_q != 2'd2)
                     && (next[P_WAIT_H +: LAYERS] & pending_q & ~old) == {LAYERS{1'b0}};
    wire choose    = !active_q || run_end;
    wire start     = choose && ready;
    wire clear_now = next[P_WAIT_X] ? x_clear_i[step_parity] : clear_next;
    wire turn      = !poll_q && choose && (ready || skip) && next[P_WRAP];
    wire has_lead  = next[P_LEAD +: GAP_BITS] != {GAP_BITS{1'b0}};
    wire is_head   = next[P_IS_HEAD], sets_head = next[P_SET_HEAD];
    wire is_last   = LAST_HEAD_RUN != HEAD_RUN && is_head && !sets_head;
    localparam [RUN_ADDR-1:0]  ONE_RUN  = 1;
    localparam [TILE_BITS-1:0] ONE_TILE = 1;
    localparam [GAP_BITS-1:0]  ONE_IDLE = 1;
    localparam [LENGTH_BITS-1:0] ONE_COUNT = 1;

    // ---- which run is looked at
    always @(posedge clk_i) begin
        if (rst_i) begin
            pc_q          <= {RUN_ADDR{1'b0}};
            poll_q        <= 1'b0;
            head_q        <= 1'b0;
            last_head_q   <= 1'b0;
            pending_q     <= {LAYERS{1'b0}};
            out_used_q    <= 2'd0;
        end else begin
            poll_q <= HAS_HEAD != 0 && choose && !ready && !poll_q && next[P_WAIT_X]
                      && (head_q || last_head_q);
            if (!poll_q && choose && (ready || skip))
                pc_q <= turn ? {RUN_ADDR{1'b0}} : pc_q + ONE_RUN;
            if (start && is_head && !is_last)         head_q <= 1'b0;
            else if (start && sets_head && !is_head)  head_q <= 1'b1;
            if (start && is_last)                     last_head_q <= 1'b0;
            else if (start && is_head && sets_head)   last_head_q <= 1'b1;
            pending_q  <= (pending_q & ~done_i) | (next[P_PENDING +: LAYERS] & {LAYERS{start}});
            out_used_q <= out_used_q + {1'b0, start && next[P_WAIT_OUT]} - {1'b0, out_sent_i};
        end
    end

    // ---- which step a run works on
    generate
        if (STAGES > 1) begin : gen_stages
            localparam [STAGES-1:0] NONE = 0, FIRST = 1;
            reg  [STAGES-1:0] parities_q, due_q, ran_q, clears_q;   // due: a step waits for it
            reg  [LAYERS-1:0] old_q;
            reg               flush_q;                              // no x: without stage 0
            wire [STAGE-1:0]  stage = next[P_STAGE +: STAGE];
            wire [STAGES-1:0] mine  = FIRST << stage;
            wire              ends  = start && next[P_ENDS];
            wire [STAGES-1:0] ran   = ran_q | (mine & {STAGES{ends}});
            always @(posedge clk_i) begin
                if (rst_i) begin
                    parities_q <= NONE;
                    due_q      <= NONE;
                    ran_q      <= NONE;
                    old_q      <= {LAYERS{1'b0}};
                    flush_q    <= 1'b0;
                end else begin
                    if (ends) parities_q <= parities_q ^ mine;
                    ran_q <= turn ? NONE : ran;
                    old_q <= turn ? {LAYERS{1'b0}}
                             : old_q | (next[P_PENDING +: LAYERS] & {LAYERS{ends && !is_head}});
                    if (turn) due_q <= ran << 1;
                    if (turn) flush_q <= 1'b0;
                    else if (next[P_WAIT_X] && choose && !x_ready && due_q != NONE
                             && pending_q == {LAYERS{1'b0}})
                        flush_q <= 1'b1;
                end
                if (turn)                           clears_q    <= clears_q << 1;
                else if (start && next[P_WAIT_X])   clears_q[0] <= clear_now;
            end
            assign skip        = next[P_STAGE +: STAGE] == {STAGE{1'b0}} ? flush_q
                                 : (due_q & mine) == NONE;
            assign step_parity = (parities_q & mine) != NONE;
            assign clear_next  = (clears_q & mine) != NONE;
            assign old         = old_q;
            assign due         = due_q != NONE || ran_q != NONE;
        end else begin : gen_one
            reg step_parity_q;
            always @(posedge clk_i)
                if (rst_i)     step_parity_q <= 1'b0;
                else if (turn) step_parity_q <= !step_parity_q;
            assign skip        = is_head && !(is_last ? last_head_q : head_q);
            assign step_parity = step_parity_q;
            assign clear_next  = run_clear_q;
            assign old         = {LAYERS{1'b0}};
            assign due         = 1'b0;
        end
    endgenerate

    // ---- the run itself
    always @(posedge clk_i) begin
        if (rst_i)       active_q <= 1'b0;
        else if (choose) active_q <= ready;
        if (start) begin
            phase_q      <= has_lead ? LEAD : SEG_A;
            idle_q       <= next[P_LEAD +: GAP_BITS] - ONE_IDLE;
            count_q      <= {LENGTH_BITS{1'b0}};
            ahead_q      <= ONE_COUNT;
            stop_q       <= next[P_LEN_A +: LENGTH_BITS] == {LENGTH_BITS{1'b0}};
            short_a_q    <= next[P_LEN_A +: LENGTH_BITS] == {LENGTH_BITS{1'b0}};
            short_b_q    <= next[P_LEN_B +: LENGTH_BITS] == {LENGTH_BITS{1'b0}};
            last_tile_q  <= next[P_TILES +: TILE_BITS] == {TILE_BITS{1'b0}};
            idle_end_q   <= next[P_LEAD +: GAP_BITS] == ONE_IDLE;
            no_gap_q     <= next[P_GAP +: GAP_BITS] == {GAP_BITS{1'b0}};
            gap_one_q    <= next[P_GAP +: GAP_BITS] == ONE_IDLE;
            tiles_q      <= next[P_TILES +: TILE_BITS];
            run_tile_q   <= next[P_FIRST +: TILE_BITS];
            length_a_q   <= next[P_LEN_A +: LENGTH_BITS];
            length_b_q   <= next[P_LEN_B +: LENGTH_BITS];
            gap_q        <= next[P_GAP +: GAP_BITS];
            base_a_q     <= step_parity ? next[P_BASE_A1 +: ADDR] : next[P_BASE_A0 +: ADDR];
            base_b_q     <= step_parity ? next[P_BASE_B1 +: ADDR] : next[P_BASE_B0 +: ADDR];
            run_weight_q <= next[P_WEIGHT +: WADDR];
            has_b_q      <= next[P_HAS_B];
            mute_a_q     <= next[P_MUTE_A];
            mute_b_q     <= next[P_MUTE_B];
            scale_a_q    <= next[P_SCALE_A];
            scale_b_q    <= next[P_SCALE_B];
            release_q    <= next[P_RELEASE];
            run_parity_q <= step_parity;
            run_clear_q  <= clear_now;
        end else if (active_q) begin
            idle_q     <= idle_q - ONE_IDLE;
            idle_end_q <= idle_q == ONE_IDLE;
            if (in_a || in_b) begin
                count_q      <= stop_q ? {LENGTH_BITS{1'b0}} : ahead_q;
                ahead_q      <= stop_q ? ONE_COUNT : ahead_q + ONE_COUNT;
                stop_q       <= stop_q ? (in_a && has_b_q ? short_b_q : short_a_q)
                                : ahead_q == (in_b ? length_b_q : length_a_q);
                run_weight_q <= run_weight_q + 1'b1;
            end
            if (phase_q == LEAD && idle_end_q) phase_q <= SEG_A;
            if (end_a && has_b_q)              phase_q <= SEG_B;
            if (tile_end) begin
                phase_q    <= no_gap_q ? SEG_A : GAP;
                idle_q     <= gap_q - ONE_IDLE;
                idle_end_q <= gap_one_q;
            end
            if (gap_end) phase_q <= SEG_A;
            if (no_gap_q ? tile_end : gap_end) begin
                tiles_q     <= tiles_q - ONE_TILE;
                last_tile_q <= tiles_q == ONE_TILE;
                run_tile_q  <= run_tile_q + ONE_TILE;
            end
        end
    end

    // ---- registered control of the engine
    wire [ADDR-1:0] base = in_b ? base_b_q : base_a_q;
    generate
        if (INDEXED != 0) begin : gen_indexed
            always @(posedge clk_i) addr_q <= base;
        end else if (LENGTH_BITS >= ADDR) begin : gen_count
            always @(posedge clk_i) addr_q <= base + count_q[ADDR-1:0];
        end else begin : gen_count_pad
            always @(posedge clk_i) addr_q <= base + {{(ADDR-LENGTH_BITS){1'b0}}, count_q};
        end
    endgenerate
    always @(posedge clk_i) begin
        valid_q     <= !rst_i && (in_a || in_b);
        last_q      <= !rst_i && tile_end;
        first_q     <= in_a && count_q == {LENGTH_BITS{1'b0}};
        mute_q      <= run_clear_q && (in_b ? mute_b_q : mute_a_q);
        scale_q     <= in_b ? scale_b_q : scale_a_q;
        own_addr_q  <= base_b_q;
        own_scale_q <= scale_b_q;
        waddr_q     <= run_weight_q;
        tile_q      <= run_tile_q;
        parity_q    <= run_parity_q;
        clear_q     <= run_clear_q;
    end
    assign x_release_o = release_now;
    assign busy_o = active_q || pending_q != {LAYERS{1'b0}} || out_used_q != 2'd0
                    || x_level_i != 2'd0 || head_q || last_head_q || due;
endmodule
`default_nettype wire
