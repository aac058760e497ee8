// ${BANNER}
// ${NAME}_top: ${SUMMARY}
// AXI4-Stream in and out, ${LANES} element(s) of ${ELEMENT_BITS} bits per beat; back-pressure
// everywhere.
`default_nettype none
module ${NAME}_top #(
    parameter MEM_DIR = "mem/"      // folder of the memory images, with a / at its end; a path from
                                    // where the tool runs, or an absolute one
) (
    input  wire                     aclk,
    input  wire                     aresetn,
    // x: ${INPUTS} elements per step, tlast on the last beat of a step; tuser:
//%% if sends_last
    // bit 0 on the first beat of a sequence, bit 1 on the last beat of its last step, whose result
    // is the one that leaves
//%% end
//%% if sends_every
    // on the first beat of a sequence
//%% end
    input  wire [${TDATA_BITS}-1:0] s_axis_tdata,
    input  wire                     s_axis_tvalid,
    output wire                     s_axis_tready,
    input  wire                     s_axis_tlast,
//%% if sends_last
    input  wire [1:0]               s_axis_tuser,
//%% end
//%% if sends_every
    input  wire                     s_axis_tuser,
//%% end
//%% if control
    // registers (sw/${NAME}.h)
    input  wire [15:0]              s_axil_awaddr,
    input  wire                     s_axil_awvalid,
    output wire                     s_axil_awready,
    input  wire [31:0]              s_axil_wdata,
    input  wire [3:0]               s_axil_wstrb,
    input  wire                     s_axil_wvalid,
    output wire                     s_axil_wready,
    output wire [1:0]               s_axil_bresp,
    output wire                     s_axil_bvalid,
    input  wire                     s_axil_bready,
    input  wire [15:0]              s_axil_araddr,
    input  wire                     s_axil_arvalid,
    output wire                     s_axil_arready,
    output wire [31:0]              s_axil_rdata,
    output wire [1:0]               s_axil_rresp,
    output wire                     s_axil_rvalid,
    input  wire                     s_axil_rready,
//%% end
//%% if sends_last
    // result: ${OUTPUTS} elements per sequence
//%% end
//%% if sends_every
    // result: ${OUTPUTS} elements per step
//%% end
    output wire [${TDATA_BITS}-1:0] m_axis_tdata,
    output wire                     m_axis_tvalid,
    input  wire                     m_axis_tready,
    output wire                     m_axis_tlast
);
    `include "${NAME}_params.vh"

    // One cycle of aresetn is a whole reset: state is as new two cycles later, and what the core
    // shows in the cycle between is masked by rst_q.
    wire clk = aclk;
    reg  rst_q;
    always @(posedge clk) rst_q <= !aresetn;

//%% if sends_last
    // ---- which steps are the last of their sequence, oldest first: their results leave
    wire       start = s_axis_tuser[0], asked = s_axis_tuser[1];
    wire       x_taken, y_done, wanted, unused_wanted;
    wire [5:0] unused_level;
    lg_fifo #(.WIDTH(1), .DEPTH(32)) u_wanted (
        .clk_i(clk), .rst_i(rst_q), .push_i(x_taken), .data_i(asked),
        .valid_o(unused_wanted), .pop_i(y_done), .data_o(wanted), .level_o(unused_level));
//%% end
//%% if sends_every
    wire       start  = s_axis_tuser, asked = 1'b1;
    wire       x_taken, y_done;
    wire       wanted = 1'b1;
//%% end

    // ---- x into the vector banks
    wire                    enable, run, h_valid, x_release, stream_error;
    wire [BANKS-1:0]        x_we, h_we;
    wire [BANKS*ADDR-1:0]   x_addr, h_addr;
    wire [BANKS*VALUE-1:0]  x_data, h_data;
    wire [1:0]              x_level, x_clear;
    lg_input #(.LANES(LANES), .FIELD(ELEMENT), .WIDTH(VALUE), .INPUTS(INPUTS), .BANKS(BANKS),
               .MODULUS(X_BANKS), .BANK_SIZE(X_BANK_SIZE),
//%% if contiguous
               .CONTIGUOUS(1),
//%% end
//%% if x_masked
               .MASKED(1), .MASK_FILE({MEM_DIR, "${NAME}_x_mask.hex"}),
//%% end
//%% if x_permuted
               .PERMUTED(1),
//%% end
//%% if x_ordered
               .ORDER_FILE({MEM_DIR, "${NAME}_x_order.hex"}),
//%% end
               .ALIGNED(X_ALIGNED), .ADDR(ADDR), .BASE0(X_BASE0), .BASE1(X_BASE1),
               .FREE_DELAY(FRONT + 1)) u_input (
        .clk_i(clk), .rst_i(rst_q), .enable_i(run),
        .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
        .s_axis_tlast(s_axis_tlast), .s_axis_tuser(start),
        .busy_i(h_valid), .we_o(x_we), .addr_o(x_addr), .data_o(x_data),
        .release_i(x_release), .level_o(x_level), .clear_o(x_clear), .taken_last_o(x_taken),
        .error_q(stream_error));

    // h goes first: the engine waits for it, x has a whole step of time
    reg [BANKS-1:0]       we_q;
    reg [BANKS*ADDR-1:0]  waddr_q;
    reg [BANKS*VALUE-1:0] wdata_q;
    always @(posedge clk) begin
        we_q    <= rst_q ? {BANKS{1'b0}} : h_valid ? h_we : x_we;
        waddr_q <= h_valid ? h_addr : x_addr;
        wdata_q <= h_valid ? h_data : x_data;
    end

//%% if loadable
    // ---- loading
    wire                 load_we;
    wire [11:0]          load_memory;
    wire [19:0]          load_addr;
    wire [LOAD_BITS-1:0] load_data;
//%% end

//%% if control
    // ---- registers of deltas
    wire [6*32-1:0] delta_read;
    wire [1:0]      delta_we;
    wire [31:0]     delta_write;
//%% end

    // ---- engine: takes x and h out of we_q, waddr_q, wdata_q, gives tiles of rows. A tile is told by
    // tile_valid; its sums are in acc ACC_AT cycles later
    wire                      tile_valid, tile_parity, tile_clear, busy, y_sent;
    wire [TILE_BITS-1:0]      tile;
    wire [LAYERS-1:0]         done;
    wire [TILE_ROWS*ACC-1:0]  acc;
//%% include engine

    // ---- the rows of a tile, some each cycle
    wire [CELL_LANES*ACC-1:0] row;
    wire                      drain;
    lg_chain #(.ROWS(TILE_ROWS), .OUTPUTS(CELL_LANES), .ACC_BITS(ACC)) u_chain (
        .clk_i(clk), .load_i(drain), .acc_i(acc), .row_o(row));
    lg_delay_reset #(.WIDTH(1), .LATENCY(ACC_AT)) u_drain (
        .clk_i(clk), .rst_i(rst_q), .d_i(tile_valid), .q_o(drain));

    // ---- cell unit, told of a tile TILE_AT cycles after the engine told it
    wire                 cell_start, cell_parity, cell_clear;
    wire [TILE_BITS-1:0] cell_tile;
    lg_delay_reset #(.WIDTH(1), .LATENCY(TILE_AT)) u_cell_start (
        .clk_i(clk), .rst_i(rst_q), .d_i(tile_valid), .q_o(cell_start));
    lg_delay #(.WIDTH(TILE_BITS + 2), .LATENCY(TILE_AT)) u_cell_tile (
        .clk_i(clk), .d_i({tile_parity, tile_clear, tile}),
        .q_o({cell_parity, cell_clear, cell_tile}));
    wire [RECORD-1:0]                      record_addr;
    wire [CELL_LANES*RECORD_BITS-1:0]      record;
    wire                                   y_we, y_slot;
    wire [ENTRY-1:0]                       y_entry;
    wire [CELL_LANES*VALUE-1:0]            y_data;
    wire [CELL_LANES-1:0]                  saturated;
    localparam NEURON = NEURONS > 1 ? $clog2(NEURONS) : 1;
    wire [NEURON-1:0]                      init_addr, init_addr_p;
    wire [CELL_LANES*STATE-1:0]            init, init_p;
    wire [CELL_LANES*STATE-1:0]            unused_state_read;
    lg_cell #(.LANES(CELL_LANES), .SHIFTS(SHIFTS), .ROWS(TILE_ROWS), .TILES(TILES),
              .TILE_FILE({MEM_DIR, "${NAME}_tiles.hex"}),
              .TABLE_FILE({MEM_DIR, "${NAME}_activation.hex"}),
              .LAYERS(LAYERS), .STAGES(STAGES), .BANKS(BANKS),
              .ADDR(ADDR), .ALIGNED(H_ALIGNED), .QUEUE(QUEUE), .ENTRIES(ENTRIES), .FRONT(FRONT),
              .ACC(ACC), .LEFT(LEFT_SHIFT), .SHIFT_BITS(SHIFT_BITS), .PRE(PREACTIVATION),
              .OUT(VALUE), .GATE(GATE), .STATE(STATE), .STATE_FRACTION(STATE_FRACTION),
              .RECORDS(RECORDS),
              .PSUMS(PSUMS), .PSUM_BLOCK(PSUM_BLOCK), .NEURONS(NEURONS), .STATE_BLOCK(STATE_BLOCK),
              .TABLES(TABLES), .SEGMENT(SEGMENT_BITS), .SLOPE(SLOPE_BITS), .SLOPE_SHIFT(SLOPE_SHIFT),
              .MUL_LATENCY(MUL_LATENCY), .SPLIT(STATE_SPLIT), .PART(STATE_PART), .PASSES(PASSES),
              .KEEP(KEEP), .SIGMOID(SIGMOID), .HALF(HALF), .DIRECT(DIRECT),
              .TABLE_1(TABLE_1), .TABLE_2(TABLE_2), .LEAKY(LEAKY), .CLIP_Z(CLIP_Z), .CLIP_A(CLIP_A),
              .TIMES_HELD(TIMES_HELD), .TIMES_REST(TIMES_REST), .TIMES_STATE(TIMES_STATE),
              .TIMES_BOUNDED(TIMES_BOUNDED), .TO_HELD(TO_HELD), .TO_KEPT(TO_KEPT),
              .TO_STATE(TO_STATE), .ADDS_STATE(ADDS_STATE),
              .ADDS_INNER(ADDS_INNER), .CLIP_STATE(CLIP_STATE), .FRESH(FRESH),
              .BOUND_SIGMOID(BOUND_SIGMOID), .BOUND_HALF(BOUND_HALF),
              .BOUND_TABLE_1(BOUND_TABLE_1), .BOUND_TABLE_2(BOUND_TABLE_2),
              .BOUND_DIRECT(BOUND_DIRECT), .BOUND_RELU(BOUND_RELU), .TO_LATE(TO_LATE),
              .PLUS_LATE(PLUS_LATE), .RESULT_A(RESULT_A), .RESULT_P(RESULT_P),
              .RESULT_STATE(RESULT_STATE), .A_FRACTION(A_FRACTION), .H_FRACTION(H_FRACTION),
              .B_FRACTION(B_FRACTION), .LATE_FRACTION(LATE_FRACTION), .PEEP(PEEP),
              .PEEP_FRACTION(PEEP_FRACTION), .Z_LIMIT(Z_LIMIT), .A_LIMIT(A_LIMIT),
              .STATE_LIMIT(STATE_LIMIT), .LEAK(LEAK), .LEAK_SHIFT(LEAK_SHIFT),
              .FIRST_RECORD(FIRST_RECORD), .INIT(INIT), .BEHIND(BEHIND)) u_cell (
        .clk_i(clk), .rst_i(rst_q), .start_i(cell_start), .tile_i(cell_tile),
        .parity_i(cell_parity), .clear_i(cell_clear), .row_i(row), .record_addr_o(record_addr),
        .record_i(record), .init_addr_o(init_addr), .init_i(init),
        .init_addr_p_o(init_addr_p), .init_p_i(init_p),
        .access_i(1'b0), .load_i(1'b0), .state_addr_i({NEURON{1'b0}}),
        .state_i({CELL_LANES*STATE{1'b0}}), .state_o(unused_state_read), .h_valid_o(h_valid),
        .h_we_o(h_we), .h_addr_o(h_addr), .h_data_o(h_data),
        .y_we_o(y_we), .y_slot_o(y_slot), .y_entry_o(y_entry), .y_data_o(y_data), .y_done_o(y_done),
        .done_o(done), .saturated_o(saturated));
//%% each lane
//%% if rom
    lg_rom #(.WIDTH(RECORD_BITS), .DEPTH(RECORDS),
             .INIT_FILE({MEM_DIR, "${NAME}_record_${LANE}.hex"})) u_record_${LANE} (
        .clk_i(clk), .raddr_i(record_addr),
        .rdata_o(record[${LANE}*RECORD_BITS +: RECORD_BITS]));
//%% end
//%% if loadable
    lg_ram #(.WIDTH(RECORD_BITS), .DEPTH(RECORDS), .INIT_FILE("")) u_record_${LANE} (
        .clk_i(clk), .we_i(load_we && load_memory == LOAD_RECORD + ${LANE}),
        .waddr_i(load_addr[RECORD-1:0]), .wdata_i(load_data[RECORD_BITS-1:0]),
        .raddr_i(record_addr), .rdata_o(record[${LANE}*RECORD_BITS +: RECORD_BITS]));
//%% end
//%% if init
    lg_rom2 #(.WIDTH(STATE), .DEPTH(NEURONS),
              .INIT_FILE({MEM_DIR, "${NAME}_init_${LANE}.hex"})) u_init_${LANE} (
        .clk_i(clk), .raddr_a_i(init_addr), .rdata_a_o(init[${LANE}*STATE +: STATE]),
        .raddr_b_i(init_addr_p), .rdata_b_o(init_p[${LANE}*STATE +: STATE]));
//%% end
//%% end
//%% if no_init
    wire unused_init = (^init_addr) ^ (^init_addr_p);
    assign init   = {CELL_LANES*STATE{1'b0}};
    assign init_p = {CELL_LANES*STATE{1'b0}};
//%% end

    // ---- results to the stream
    wire [LANES*VALUE-1:0] y;
    wire                   y_valid, y_last, y_tag;
    lg_reorder #(.IN(CELL_LANES), .OUT(LANES), .WIDTH(VALUE), .ENTRIES(ENTRIES), .BEATS(OUT_BEATS),
                 .ORDER_FILE({MEM_DIR, "${NAME}_y_order.hex"}), .BLOCK(OUT_BLOCK),
                 .DROP(DROP)) u_output (
        .clk_i(clk), .rst_i(rst_q), .we_i({CELL_LANES{y_we}}), .slot_i(y_slot), .entry_i(y_entry),
        .data_i(y_data), .done_i(y_done), .tag_i(wanted), .sent_o(y_sent),
        .valid_o(y_valid), .ready_i(m_axis_tready), .data_o(y), .last_o(y_last), .tag_o(y_tag));
    wire unused_tag = y_tag;
    genvar lane;
    generate
        for (lane = 0; lane < LANES; lane = lane + 1) begin : gen_extend
            wire used = !y_last || lane < OUT_TAIL;
            assign m_axis_tdata[lane*ELEMENT +: ELEMENT] = used
                ? {{(ELEMENT-VALUE+1){y[lane*VALUE+VALUE-1]}}, y[lane*VALUE +: VALUE-1]}
                : {ELEMENT{1'b0}};
        end
    endgenerate
    assign m_axis_tvalid = y_valid && !rst_q;
    assign m_axis_tlast  = y_last;

//%% if control
    // ---- registers
    wire [31:0] steps, interval, latency, saturations;
    wire [63:0] cycles;
    lg_counters #(.LANES(CELL_LANES)) u_counters (
        .clk_i(clk), .rst_i(rst_q), .idle_i(!busy), .x_last_i(x_taken && asked),
        .y_last_i(y_valid && y_last && m_axis_tready), .y_offered_i(y_valid && y_last),
        .saturated_i(saturated), .steps_q(steps), .cycles_q(cycles), .interval_q(interval),
        .latency_q(latency), .saturations_q(saturations));
//%% if rom
    wire        load_we;
    wire [11:0] load_memory;
    wire [19:0] load_addr;
    wire [31:0] load_data;
    wire        unused_load = load_we ^ (^load_memory) ^ (^load_addr) ^ (^load_data);
//%% end
//%% if no_delta
    assign delta_read = 192'd0;
    wire unused_delta = (^delta_we) ^ (^delta_write);
//%% end
    lg_axil #(.VERSION(VERSION), .SPEC_HASH(SPEC_HASH), .LOADABLE(LOADABLE),
//%% if loadable
              .RECORD_FIRST(LOAD_RECORD), .MEMORIES(LOAD_RECORD + CELL_LANES), .WORDS(WEIGHT_WORDS),
              .RECORDS(RECORDS),
//%% end
              .WORD_BITS(LOAD_BITS)) u_registers (
        .clk_i(clk), .rst_i(rst_q),
        .s_axil_awaddr(s_axil_awaddr), .s_axil_awvalid(s_axil_awvalid),
        .s_axil_awready(s_axil_awready), .s_axil_wdata(s_axil_wdata), .s_axil_wstrb(s_axil_wstrb),
        .s_axil_wvalid(s_axil_wvalid), .s_axil_wready(s_axil_wready), .s_axil_bresp(s_axil_bresp),
        .s_axil_bvalid(s_axil_bvalid), .s_axil_bready(s_axil_bready), .s_axil_araddr(s_axil_araddr),
        .s_axil_arvalid(s_axil_arvalid), .s_axil_arready(s_axil_arready),
        .s_axil_rdata(s_axil_rdata), .s_axil_rresp(s_axil_rresp), .s_axil_rvalid(s_axil_rvalid),
        .s_axil_rready(s_axil_rready), .busy_i(busy), .stream_error_i(stream_error),
        .steps_i(steps), .cycles_i(cycles), .interval_i(interval), .latency_i(latency),
        .saturations_i(saturations), .enable_o(enable), .delta_i(delta_read), .delta_we_o(delta_we),
        .delta_o(delta_write), .load_we_q(load_we), .load_memory_q(load_memory),
        .load_addr_q(load_addr), .load_data_o(load_data));
//%% end
//%% if no_control
    assign enable = 1'b1;
    wire unused_state = busy ^ x_taken ^ stream_error ^ (^saturated);
//%% end
endmodule
`default_nettype wire
