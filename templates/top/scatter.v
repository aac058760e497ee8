    // ---- scatter engine: scan program; starts when the sums of its rows are swept
    wire                   swept;
    assign run = enable && swept;
    wire                   scan_valid, scan_end, scan_scale, scan_mute, scan_clear, scan_delta,
                           scan_is_h, scan_busy;
    wire [ADDR-1:0]        scan_addr;
    wire [LAST-1:0]        scan_last;
    wire [WORD-1:0]        scan_word;
    wire [LENGTH_BITS-1:0] scan_length;
    wire [BANK-1:0]        scan_lanes;
    wire [1:0]             step_clear;
    wire                   stop;
    lg_scatter_scan #(.WORDS_PROGRAM(SCANS), .PROGRAM_FILE({MEM_DIR, "${NAME}_program.hex"}),
                      .COUNT_BITS(COUNT_BITS), .ADDR(ADDR), .LAST(LAST), .WORD(WORD),
                      .LENGTH_BITS(LENGTH_BITS), .BANK(BANK), .LAYERS(LAYERS),
                      .REST(SCAN_REST)) u_scan (
        .clk_i(clk), .rst_i(rst_q), .enable_i(run), .x_level_i(x_level), .x_clear_i(x_clear),
        .x_release_o(x_release), .done_i(done),
        .h_full_i(h_valid && h_we[BANKS-1]), .stop_i(stop), .busy_o(scan_busy),
        .step_clear_q(step_clear), .valid_q(scan_valid), .end_q(scan_end), .addr_q(scan_addr),
        .last_addr_q(scan_last), .word_q(scan_word), .length_q(scan_length), .lanes_q(scan_lanes),
        .scale_q(scan_scale), .mute_q(scan_mute), .clear_q(scan_clear), .delta_q(scan_delta),
        .is_h_q(scan_is_h));

    // ---- reading out
    wire                closed, read_busy, release_bank, out_bank, tile_fresh;
    wire [1:0]          row_read, row_zero;
    wire [ROW_ADDR-1:0] read_row, zero_row;
    lg_scatter_read #(.TILES(TILES), .TILE_FILE({MEM_DIR, "${NAME}_readout.hex"}),
                      .ROWS(ROWS / READS), .GAP_BITS(GAP_BITS), .READ_AT(READ_AT)) u_read (
        .clk_i(clk), .rst_i(rst_q), .closed_i(closed), .out_sent_i(y_sent),
        .step_clear_i(step_clear), .ready_o(swept), .busy_o(read_busy), .valid_q(tile_valid),
        .tile_q(tile), .parity_q(tile_parity), .clear_q(tile_clear), .fresh_q(tile_fresh),
        .read_o(row_read), .row_o(read_row), .zero_o(row_zero), .zero_row_o(zero_row),
        .out_bank_o(out_bank), .release_o(release_bank));

    // ---- weights of each array, column by column
    wire [ARRAYS*WADDR-1:0]          waddr;
    wire [ARRAYS*PES*WEIGHT-1:0]     weight;
    wire [ARRAYS*PES*INDEX_BITS-1:0] index;
//%% each array
//%% if rom
    lg_rom #(.WIDTH(PES*WEIGHT), .DEPTH(WEIGHT_WORDS),
             .INIT_FILE({MEM_DIR, "${NAME}_weight_${ARRAY}.hex"})) u_weight_${ARRAY} (
        .clk_i(clk), .raddr_i(waddr[${ARRAY}*WADDR +: WADDR]),
        .rdata_o(weight[${ARRAY}*PES*WEIGHT +: PES*WEIGHT]));
    lg_rom #(.WIDTH(PES*INDEX_BITS), .DEPTH(WEIGHT_WORDS),
             .INIT_FILE({MEM_DIR, "${NAME}_index_${ARRAY}.hex"})) u_index_${ARRAY} (
        .clk_i(clk), .raddr_i(waddr[${ARRAY}*WADDR +: WADDR]),
        .rdata_o(index[${ARRAY}*PES*INDEX_BITS +: PES*INDEX_BITS]));
//%% end
//%% if loadable
    lg_ram #(.WIDTH(PES*WEIGHT), .DEPTH(WEIGHT_WORDS), .INIT_FILE("")) u_weight_${ARRAY} (
        .clk_i(clk), .we_i(load_we && load_memory == LOAD_WEIGHT + ${ARRAY}),
        .waddr_i(load_addr[WADDR-1:0]), .wdata_i(load_data[PES*WEIGHT-1:0]),
        .raddr_i(waddr[${ARRAY}*WADDR +: WADDR]),
        .rdata_o(weight[${ARRAY}*PES*WEIGHT +: PES*WEIGHT]));
    lg_ram #(.WIDTH(PES*INDEX_BITS), .DEPTH(WEIGHT_WORDS), .INIT_FILE("")) u_index_${ARRAY} (
        .clk_i(clk), .we_i(load_we && load_memory == LOAD_INDEX + ${ARRAY}),
        .waddr_i(load_addr[WADDR-1:0]), .wdata_i(load_data[PES*INDEX_BITS-1:0]),
        .raddr_i(waddr[${ARRAY}*WADDR +: WADDR]),
        .rdata_o(index[${ARRAY}*PES*INDEX_BITS +: PES*INDEX_BITS]));
//%% end
//%% end

    // ---- columns
    wire                      working;
    wire [VALUE-1:0]          threshold_x, threshold_h;
    wire [BANKS-1:0]          sent;
    wire                      seen, seen_h;
    wire [BANK-1:0]           seen_lanes;
    wire [ARRAYS-1:0]         taken;
    lg_scatter #(.PES(PES), .ARRAYS(ARRAYS), .QUEUES(QUEUES), .WEIGHT_BITS(WEIGHT), .VALUE(VALUE),
                 .ROW_BITS(ROW_BITS), .ACC_BITS(ACC), .MUL_LATENCY(MUL_LATENCY), .ALIGN(ALIGN),
                 .ROWS(ROWS), .READS(READS), .ROW_BLOCK(ROW_BLOCK), .ROW_EDGE(ROW_EDGE),
                 .NEAR(NEAR), .DEPTH(VECTOR_DEPTH), .BLOCK(VECTOR_BLOCK), .WORD(WORD),
                 .WADDR(WADDR), .LENGTH_BITS(LENGTH_BITS), .TILE_BITS(TILE_BITS), .TILES(TILES),
                 .DELTA(DELTA), .DELTA_BLOCK(DELTA_BLOCK), .LASTS(LASTS), .LAST_BLOCK(LAST_BLOCK),
                 .READ_AT(READ_AT)) u_engine (
        .clk_i(clk), .rst_i(rst_q), .we_i(we_q), .waddr_i(waddr_q), .wdata_i(wdata_q),
        .valid_i(scan_valid), .end_i(scan_end), .addr_i(scan_addr), .last_addr_i(scan_last),
        .word_i(scan_word), .length_i(scan_length), .lanes_i(scan_lanes), .scale_i(scan_scale),
        .mute_i(scan_mute), .clear_i(scan_clear), .delta_i(scan_delta), .is_h_i(scan_is_h),
        .threshold_x_i(threshold_x), .threshold_h_i(threshold_h), .stop_o(stop),
        .working_o(working), .sent_o(sent), .seen_o(seen), .seen_h_o(seen_h),
        .seen_lanes_o(seen_lanes), .taken_o(taken), .weight_addr_o(waddr), .weight_i(weight),
        .index_i(index), .closed_o(closed), .release_i(release_bank), .tile_valid_i(tile_valid),
        .tile_i(tile), .tile_fresh_i(tile_fresh), .read_i(row_read), .row_i(read_row),
        .zero_i(row_zero), .zero_row_i(zero_row), .out_bank_i(out_bank), .acc_o(acc));
    assign busy = scan_busy || read_busy || working;
//%% if no_delta
    assign threshold_x = {VALUE{1'b0}};
    assign threshold_h = {VALUE{1'b0}};
    wire unused_sent = seen ^ seen_h ^ (^sent) ^ (^seen_lanes) ^ (^taken);
//%% end
//%% if delta_fixed
    assign threshold_x = DELTA_X;
    assign threshold_h = DELTA_H;
    wire unused_sent = seen ^ seen_h ^ (^sent) ^ (^seen_lanes) ^ (^taken);
//%% end
//%% if delta_control
    lg_scatter_stats #(.VALUE(VALUE), .LANES(BANKS), .ARRAYS(ARRAYS), .DELTA_X(DELTA_X),
                       .DELTA_H(DELTA_H)) u_stats (
        .clk_i(clk), .rst_i(rst_q), .we_i(delta_we), .wdata_i(delta_write),
        .threshold_x_q(threshold_x), .threshold_h_q(threshold_h), .seen_i(seen), .seen_h_i(seen_h),
        .seen_lanes_i(seen_lanes), .sent_i(sent), .taken_i(taken), .read_o(delta_read));
//%% end
