// Walks the scan program: one word = one vector (x, or what a section wrote) as input of one
// section, address by address, all lanes at once; the last vector of a section is followed by an
// end mark. Waits for x, for each address of a vector that is being written, and whenever a queue
// is half full.
// Knows nothing of what is sent.
`default_nettype none
module lg_scatter_scan #(
    parameter WORDS_PROGRAM = 2,   // words of the program
    parameter PROGRAM_FILE  = "",  // image; layout below, first field in the lowest bits
    parameter COUNT_BITS    = 4,   // bits of addresses of a vector (and the end mark) - 1
    parameter ADDR          = 4,   // vector bank address
    parameter LAST          = 1,   // address of last-sent elements
    parameter WORD          = 6,   // weight word
    parameter LENGTH_BITS   = 3,   // words of a column - 1
    parameter BANK          = 3,   // count of lanes
    parameter LAYERS        = 1,
    parameter REST          = 0    // idle cycles after an end mark,
                                   // until its last-sent elements are stored
) (
    input  wire                   clk_i,
    input  wire                   rst_i,
    input  wire                   enable_i,
    input  wire [1:0]             x_level_i,     // vectors of x complete in the vector memory
    input  wire [1:0]             x_clear_i,     // per buffer: that vector starts a sequence
    output wire                   x_release_o,   // it was read for the last time
    input  wire [LAYERS-1:0]      done_i,        // a section's vector is (about to be) written
    input  wire                   h_full_i,      // an address of the h being written
                                                 // is complete (about to be)
    input  wire                   stop_i,        // a queue is half full
    output wire                   busy_o,
    output reg  [1:0]             step_clear_q,  // per parity of the step: it starts a sequence
    // one address
    output reg                    valid_q,
    output reg                    end_q,         // an end mark, no address
    output reg  [ADDR-1:0]        addr_q,
    output reg  [LAST-1:0]        last_addr_q,
    output reg  [WORD-1:0]        word_q,        // first weight word of its columns
    output reg  [LENGTH_BITS-1:0] length_q,      // words of a column - 1
    output reg  [BANK-1:0]        lanes_q,       // lanes that hold an element
    output reg                    scale_q,
    output reg                    mute_q,
    output reg                    clear_q,
    output reg                    delta_q,       // differences are sent
    output reg                    is_h_q         // of h, not of x
);
    localparam PROGRAM_ADDR = WORDS_PROGRAM > 1 ? $clog2(WORDS_PROGRAM) : 1;
    localparam P_COUNT   = 0;
    localparam P_BASE0   = P_COUNT + COUNT_BITS;
    localparam P_BASE1   = P_BASE0 + ADDR;
    localparam P_LAST    = P_BASE1 + ADDR;
    localparam P_WORD    = P_LAST + LAST;
    localparam P_LENGTH  = P_WORD + WORD;
    localparam P_LANES   = P_LENGTH + LENGTH_BITS;   // lanes used, but in the last address
    localparam P_TAIL    = P_LANES + BANK;           // lanes used in the last address
    localparam P_WAIT_H  = P_TAIL + BANK;
    localparam P_PENDING = P_WAIT_H + LAYERS;
    localparam P_WAIT_X  = P_PENDING + LAYERS;
    localparam P_RELEASE = P_WAIT_X + 1;
    localparam P_END     = P_WAIT_X + 2;
    localparam P_MUTE    = P_WAIT_X + 3;
    localparam P_SCALE   = P_WAIT_X + 4;
    localparam P_DELTA   = P_WAIT_X + 5;
    localparam P_IS_H    = P_WAIT_X + 6;
    localparam P_WRAP    = P_WAIT_X + 7;
    localparam P_BITS    = P_WAIT_X + 8;
    localparam REST_BITS = REST > 0 ? $clog2(REST + 1) : 1;
    localparam [REST_BITS-1:0]    REST_COUNT = REST, ONE_REST = 1;
    localparam [PROGRAM_ADDR-1:0] ONE_WORD = 1;
    localparam [COUNT_BITS-1:0]   ONE_COUNT = 1;

    reg [PROGRAM_ADDR-1:0] pc_q;
    wire [P_BITS-1:0]      next;
    lg_rom_small #(.WIDTH(P_BITS), .DEPTH(WORDS_PROGRAM), .INIT_FILE(PROGRAM_FILE)) u_program (
        .addr_i(pc_q), .data_o(next));

    // ---- the vector being scanned
    reg                   active_q, stop_q, parity_q, has_end_q, release_q;
    reg                   run_mute_q, run_scale_q, run_clear_q, run_delta_q, run_is_h_q;
    reg [COUNT_BITS-1:0]  count_q;
    reg [ADDR-1:0]        base_q;
    reg [LAST-1:0]        last_q;
    reg [WORD-1:0]        run_word_q;
    reg [LENGTH_BITS-1:0] run_length_q;
    reg [BANK-1:0]        run_lanes_q, tail_q;
    reg [REST_BITS-1:0]   rest_q;
    reg [LAYERS-1:0]      pending_q, pending_q2, run_wait_q, run_pending_q;
    reg [COUNT_BITS-1:0]  position_q, full_q;
    reg [2:0]             recent_q;     // a layer was done: what follows in
                                        // h_full_i is of the next one

    wire final_q  = count_q == {COUNT_BITS{1'b0}};
    wire is_end   = final_q && has_end_q;
    // full_q counts for this vector when its layer is the only one not yet done.
    wire there    = (run_wait_q & (pending_q | pending_q2)) == {LAYERS{1'b0}}
                    || (pending_q == run_wait_q && recent_q == 3'd0 && position_q < full_q);
    // A layer is closed anew when it was done: rows behind its last neuron may still be on
    // their way when h is scanned.
    wire closable = (run_pending_q & pending_q) == {LAYERS{1'b0}};
    wire issue    = active_q && !stop_q && (is_end ? closable : there);
    wire is_tail  = has_end_q ? count_q == ONE_COUNT : final_q;
    wire finished = issue && final_q;
    wire rested   = rest_q == {REST_BITS{1'b0}} && !(finished && has_end_q && REST != 0);
    wire ready    = enable_i && rested && (!next[P_WAIT_X] || x_level_i != 2'd0);
    wire choose   = !active_q || finished;
    wire start    = choose && ready;
    wire clear_now = next[P_WAIT_X] ? x_clear_i[parity_q] : run_clear_q;
    always @(posedge clk_i) begin
        if (rst_i) begin
            pc_q         <= {PROGRAM_ADDR{1'b0}};
            active_q     <= 1'b0;
            parity_q     <= 1'b0;
            stop_q       <= 1'b0;
            pending_q    <= {LAYERS{1'b0}};
            pending_q2   <= {LAYERS{1'b0}};
            full_q       <= {COUNT_BITS{1'b0}};
            recent_q     <= 3'd0;
            rest_q       <= {REST_BITS{1'b0}};
        end else begin
            stop_q    <= stop_i;
            if (choose) active_q <= ready;
            pending_q  <= (pending_q & ~done_i) | (run_pending_q & {LAYERS{issue && is_end}});
            pending_q2 <= pending_q;
            recent_q   <= {recent_q[1:0], |done_i};
            full_q     <= |recent_q ? {COUNT_BITS{1'b0}} : h_full_i ? full_q + ONE_COUNT : full_q;
            if (finished && has_end_q)              rest_q <= REST_COUNT;
            else if (rest_q != {REST_BITS{1'b0}})   rest_q <= rest_q - ONE_REST;
            if (start) begin
                pc_q <= next[P_WRAP] ? {PROGRAM_ADDR{1'b0}} : pc_q + ONE_WORD;
                if (next[P_WRAP]) parity_q <= !parity_q;
            end
        end
        if (start) begin
            count_q      <= next[P_COUNT +: COUNT_BITS];
            position_q   <= {COUNT_BITS{1'b0}};
            run_wait_q   <= next[P_WAIT_H +: LAYERS];
            run_pending_q <= next[P_PENDING +: LAYERS];
            base_q       <= parity_q ? next[P_BASE1 +: ADDR] : next[P_BASE0 +: ADDR];
            last_q       <= next[P_LAST +: LAST];
            run_word_q   <= next[P_WORD +: WORD];
            run_length_q <= next[P_LENGTH +: LENGTH_BITS];
            run_lanes_q  <= next[P_LANES +: BANK];
            tail_q       <= next[P_TAIL +: BANK];
            has_end_q    <= next[P_END];
            release_q    <= next[P_RELEASE];
            run_mute_q   <= next[P_MUTE] && clear_now;
            run_scale_q  <= next[P_SCALE];
            run_delta_q  <= next[P_DELTA];
            run_is_h_q   <= next[P_IS_H];
            run_clear_q  <= clear_now;
            if (next[P_WAIT_X]) step_clear_q[parity_q] <= clear_now;
        end else if (issue) begin
            count_q    <= count_q - ONE_COUNT;
            position_q <= position_q + ONE_COUNT;
            base_q     <= base_q + 1'b1;
            last_q     <= last_q + 1'b1;
            run_word_q <= run_word_q + {{(WORD-LENGTH_BITS){1'b0}}, run_length_q} + 1'b1;
        end
    end

    // ---- registered address
    always @(posedge clk_i) begin
        valid_q     <= !rst_i && issue && !is_end;
        end_q       <= !rst_i && issue && is_end;
        addr_q      <= base_q;
        last_addr_q <= last_q;
        word_q      <= run_word_q;
        length_q    <= run_length_q;
        lanes_q     <= is_tail ? tail_q : run_lanes_q;
        scale_q     <= run_scale_q;
        mute_q      <= run_mute_q;
        clear_q     <= run_clear_q;
        delta_q     <= run_delta_q;
        is_h_q      <= run_is_h_q;
    end
    assign x_release_o = issue && is_tail && release_q;
    assign busy_o      = active_q || pending_q != {LAYERS{1'b0}} || x_level_i != 2'd0;
endmodule
`default_nettype wire
