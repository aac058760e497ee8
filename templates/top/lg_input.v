// AXI4-Stream slave for x: beats of LANES elements into the vector banks of two buffers.
// One beat a cycle, unless the cell unit writes h in that cycle. Elements beyond the last
// one of a vector are not written.
`default_nettype none
module lg_input #(
    parameter LANES      = 1,    // elements per beat
    parameter FIELD      = 16,   // bits of an element in tdata
    parameter WIDTH      = 16,   // bits used of it
    parameter INPUTS     = 4,    // elements of x
    parameter BANKS      = 4,    // banks of the engine
    parameter MODULUS    = 4,    // banks that x uses
    parameter BANK_SIZE  = 1,    // elements of x in a bank
    parameter CONTIGUOUS = 0,    // 1: element e is in bank e / BANK_SIZE,
                                 // else in bank e mod MODULUS
    parameter ALIGNED    = 0,    // of lg_route
    parameter ADDR       = 4,
    parameter MASKED     = 0,    // 1: store only the elements marked in MASK_FILE,
                                 // bank by bank without gaps
    parameter MASK_FILE  = "",   // image: a word per beat, a bit per element
    parameter BASE0      = 0,    // bank address of the two buffers
    parameter BASE1      = 4,
    parameter FREE_DELAY = 0,    // cycles until a released buffer is no longer read
    parameter PERMUTED   = 0,    // 1: ORDER_FILE says which element comes to each position
    parameter ORDER_FILE = "",   // of lg_reorder, where PERMUTED, or LANES > 1 and CONTIGUOUS
    parameter BANK       = $clog2(BANKS + 1)
) (
    input  wire                   clk_i,
    input  wire                   rst_i,
    input  wire                   enable_i,
    input  wire [LANES*FIELD-1:0] s_axis_tdata,
    input  wire                   s_axis_tvalid,
    output wire                   s_axis_tready,
    input  wire                   s_axis_tlast,
    input  wire                   s_axis_tuser,
    input  wire                   busy_i,       // the vector write port is taken in this cycle
    output wire [BANKS-1:0]       we_o,
    output wire [BANKS*ADDR-1:0]  addr_o,
    output wire [BANKS*WIDTH-1:0] data_o,
    input  wire                   release_i,
    output wire [1:0]             level_o,
    output wire [1:0]             clear_o,
    output wire                   taken_last_o, // the last beat of a vector is
                                                // taken from the stream
    output reg                    error_q       // tlast was not on the last beat, sticky
);
    localparam BEATS   = (INPUTS + LANES - 1) / LANES;
    localparam BEAT    = BEATS > 1 ? $clog2(BEATS) : 1;
    localparam REORDER = PERMUTED != 0 || (CONTIGUOUS != 0 && LANES > 1);
    localparam [BEAT-1:0] LAST_BEAT = BEATS - 1;
    localparam [BEAT-1:0] ONE_BEAT  = 1;

    // ---- registered stream, narrowed to the bits used
    wire [LANES*WIDTH-1:0] s_data, q_data;
    wire                   q_valid, q_ready, q_last, q_user;
    wire                   skid_ready;
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : gen_narrow
            assign s_data[lane*WIDTH +: WIDTH] = s_axis_tdata[lane*FIELD +: WIDTH];
        end
    endgenerate
    lg_skid #(.WIDTH(LANES*WIDTH + 2)) u_skid (
        .clk_i(clk_i), .rst_i(rst_i), .valid_i(s_axis_tvalid && enable_i), .ready_o(skid_ready),
        .data_i({s_axis_tlast, s_axis_tuser, s_data}),
        .valid_o(q_valid), .ready_i(q_ready), .data_o({q_last, q_user, q_data}));
    assign s_axis_tready = skid_ready && enable_i && !rst_i;
    wire unused = ^s_axis_tdata;

    reg [BEAT-1:0] beat_q;
    wire           last_beat = beat_q == LAST_BEAT;
    wire           take = q_valid && q_ready;
    always @(posedge clk_i) begin
        if (rst_i) begin
            beat_q  <= {BEAT{1'b0}};
            error_q <= 1'b0;
        end else if (take) begin
            beat_q  <= last_beat ? {BEAT{1'b0}} : beat_q + ONE_BEAT;
            error_q <= error_q || q_last != last_beat;
        end
    end
    reg [BEAT-1:0] front_q;      // beats taken at the port, for the latency counter
    wire           front = s_axis_tvalid && s_axis_tready;
    always @(posedge clk_i)
        if (rst_i)      front_q <= {BEAT{1'b0}};
        else if (front) front_q <= front_q == LAST_BEAT ? {BEAT{1'b0}} : front_q + ONE_BEAT;
    assign taken_last_o = front && front_q == LAST_BEAT;

    // ---- in the order of positions (bank, then address)
    wire                   p_valid, p_ready;
    wire [LANES*WIDTH-1:0] p_data;
    wire                   vector_user;    // tuser of the vector being written
    localparam POSITIONS = REORDER && CONTIGUOUS != 0 ? MODULUS * BANK_SIZE : INPUTS;
    localparam P_BEATS   = (POSITIONS + LANES - 1) / LANES;
    localparam P_BEAT    = P_BEATS > 1 ? $clog2(P_BEATS) : 1;
    generate
        if (REORDER) begin : gen_reorder
            reg [1:0] used_q;
            reg       slot_q, first_user_q;
            wire      sent, emptied, last_out;
            wire      done = take && last_beat;
            wire      user_now = beat_q == {BEAT{1'b0}} ? q_user : first_user_q;
            assign q_ready = used_q != 2'd2;
            always @(posedge clk_i) begin
                if (rst_i) begin
                    used_q <= 2'd0;
                    slot_q <= 1'b0;
                end else begin
                    used_q <= used_q + {1'b0, done} - {1'b0, emptied};
                    if (done) slot_q <= !slot_q;
                end
                if (take) first_user_q <= user_now;
            end
            wire unused_last = last_out;
            // The last read is still on its way when it is issued; a new vector must not
            // overtake it.
            lg_delay_reset #(.WIDTH(1), .LATENCY(3)) u_emptied (
                .clk_i(clk_i), .rst_i(rst_i), .d_i(sent), .q_o(emptied));
            lg_reorder #(.IN(LANES), .OUT(LANES), .WIDTH(WIDTH), .ENTRIES(BEATS), .BEATS(P_BEATS),
                         .ORDER_FILE(ORDER_FILE)) u_reorder (
                .clk_i(clk_i), .rst_i(rst_i), .we_i({LANES{take}}), .slot_i(slot_q),
                .entry_i(beat_q), .data_i(q_data), .done_i(done), .tag_i(user_now), .sent_o(sent),
                .valid_o(p_valid), .ready_i(p_ready), .data_o(p_data), .last_o(last_out),
                .tag_o(vector_user));
        end else begin : gen_direct
            reg user_q;
            always @(posedge clk_i) if (take && beat_q == {BEAT{1'b0}}) user_q <= q_user;
            assign vector_user = beat_q == {BEAT{1'b0}} ? q_user : user_q;
            assign p_valid = q_valid;
            assign p_data  = q_data;
            assign q_ready = p_ready;
        end
    endgenerate

    // ---- buffers: full ones wait for the engine, released ones are free again
    // when the last read is over
    reg [1:0] level_q, used_q, clear_q;
    reg       buffer_q;
    reg       fresh_q;      // no vector since reset: the first one begins a sequence, marked or not
    wire      freed;
    lg_delay_reset #(.WIDTH(1), .LATENCY(FREE_DELAY)) u_free (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(release_i), .q_o(freed));
    assign p_ready = used_q != 2'd2 && !busy_i;
    wire put = p_valid && p_ready;

    localparam [P_BEAT-1:0] P_LAST = P_BEATS - 1;
    localparam [P_BEAT-1:0] P_ONE  = 1;
    reg [P_BEAT-1:0] p_beat_q;
    wire             p_last = p_beat_q == P_LAST;
    reg [BANK-1:0]   bank_q;
    reg [ADDR-1:0]   offset_q;
    localparam SERIAL = CONTIGUOUS != 0 && LANES == 1;
    localparam [BANK-1:0] STEP = LANES, MODULUS_B = MODULUS, ONE_BANK = 1;
    localparam [ADDR-1:0] ONE_ADDR = 1, LAST_OFFSET = BANK_SIZE - 1, START0 = BASE0, START1 = BASE1;
    wire [BANK:0]   moved = {1'b0, bank_q} + {1'b0, STEP};
    wire            wraps = moved >= {1'b0, MODULUS_B};
    wire [BANK-1:0] next_bank = wraps ? bank_q + STEP - MODULUS_B : bank_q + STEP;
    always @(posedge clk_i) begin
        if (rst_i) begin
            level_q  <= 2'd0;
            used_q   <= 2'd0;
            buffer_q <= 1'b0;
            p_beat_q <= {P_BEAT{1'b0}};
            bank_q   <= {BANK{1'b0}};
            offset_q <= {ADDR{1'b0}};
        end else begin
            level_q <= level_q + {1'b0, put && p_last} - {1'b0, release_i};
            used_q  <= used_q + {1'b0, put && p_last} - {1'b0, freed};
            if (put) begin
                p_beat_q <= p_last ? {P_BEAT{1'b0}} : p_beat_q + P_ONE;
                if (p_last) begin
                    buffer_q <= !buffer_q;
                    bank_q   <= {BANK{1'b0}};
                    offset_q <= {ADDR{1'b0}};
                end else if (SERIAL) begin
                    bank_q   <= offset_q == LAST_OFFSET ? bank_q + ONE_BANK : bank_q;
                    offset_q <= offset_q == LAST_OFFSET ? {ADDR{1'b0}} : offset_q + ONE_ADDR;
                end else begin
                    bank_q   <= next_bank;
                    offset_q <= wraps ? offset_q + ONE_ADDR : offset_q;
                end
            end
        end
        // not clear_q[buffer_q]: Yosys makes a chain of a subtraction of such an index
        if (put && p_last && !buffer_q) clear_q[0] <= vector_user || fresh_q;
        if (put && p_last && buffer_q)  clear_q[1] <= vector_user || fresh_q;
        if (rst_i)              fresh_q <= 1'b1;
        else if (put && p_last) fresh_q <= 1'b0;
    end
    assign level_o = level_q;
    assign clear_o = clear_q;

    // ---- routing; the last beat may be partly empty
    localparam TAIL = POSITIONS - (P_BEATS - 1) * LANES;
    localparam [LANES-1:0] TAIL_MASK = {LANES{1'b1}} >> (LANES - TAIL);
    wire [ADDR-1:0]       start = buffer_q ? START1 : START0;
    wire [LANES-1:0]      mask;
    wire [BANKS*ADDR-1:0] addr;
    lg_route #(.COUNT(LANES), .BANKS(BANKS), .WIDTH(WIDTH), .ADDR(ADDR),
               .ALIGNED(ALIGNED)) u_route (
        .valid_i({LANES{put}} & mask), .data_i(p_data),
        .start_i(bank_q), .modulus_i(MODULUS_B), .addr_i(start + offset_q),
        .we_o(we_o), .addr_o(addr), .data_o(data_o));
    genvar bank;
    generate
        if (MASKED != 0) begin : gen_masked
            lg_rom_small #(.WIDTH(LANES), .DEPTH(P_BEATS), .INIT_FILE(MASK_FILE)) u_mask (
                .addr_i(p_beat_q), .data_o(mask));
            for (bank = 0; bank < BANKS; bank = bank + 1) begin : gen_rank
                reg [ADDR-1:0] rank_q;   // elements of this vector stored in the bank so far
                always @(posedge clk_i)
                    if (rst_i || (put && p_last)) rank_q <= {ADDR{1'b0}};
                    else if (we_o[bank])          rank_q <= rank_q + ONE_ADDR;
                assign addr_o[bank*ADDR +: ADDR] = start + rank_q;
            end
            wire unused_addr = ^addr;
        end else begin : gen_all
            assign mask   = p_last ? TAIL_MASK : {LANES{1'b1}};
            assign addr_o = addr;
        end
    endgenerate
endmodule
`default_nettype wire
