    // ---- gather engine: step program
    assign run = enable;
    wire             valid, first, mute, scale, own_scale;
    wire [ADDR-1:0]  addr, own_addr;
    wire [WADDR-1:0] waddr;
    lg_sequencer #(.RUNS(RUNS), .PROGRAM_FILE({MEM_DIR, "${NAME}_program.hex"}),
                   .TILE_BITS(TILE_BITS), .LENGTH_BITS(LENGTH_BITS), .ADDR(ADDR), .WADDR(WADDR), .GAP_BITS(GAP_BITS),
                   .LAYERS(LAYERS), .HEAD_RUN(HEAD_RUN), .LAST_HEAD_RUN(LAST_HEAD_RUN),
                   .HAS_HEAD(HAS_HEAD), .INDEXED(PRIVATE), .STAGES(STAGES)) u_sequencer (
        .clk_i(clk), .rst_i(rst_q), .enable_i(enable), .x_level_i(x_level), .x_clear_i(x_clear),
        .x_release_o(x_release), .done_i(done), .out_sent_i(y_sent), .busy_o(busy),
        .valid_q(valid), .first_q(first), .last_q(tile_valid), .mute_q(mute), .scale_q(scale),
        .addr_q(addr), .own_addr_q(own_addr), .own_scale_q(own_scale), .waddr_q(waddr),
        .tile_q(tile), .parity_q(tile_parity), .clear_q(tile_clear));

    // ---- weights of each PE, in the order in which they are used
    wire [PES*PE_WIDTH*WEIGHT-1:0]     weight;
    wire [LISTS*INDEX_WORD-1:0]        index;
    wire [WADDR-1:0]                   waddr_late;
    lg_delay #(.WIDTH(WADDR), .LATENCY(FRONT + SELECT)) u_waddr (
        .clk_i(clk), .d_i(waddr), .q_o(waddr_late));
//%% each pe
//%% if rom
    lg_rom #(.WIDTH(PE_WIDTH*WEIGHT), .DEPTH(WEIGHT_WORDS),
             .INIT_FILE({MEM_DIR, "${NAME}_weight_${PE}.hex"})) u_weight_${PE} (
        .clk_i(clk), .raddr_i(waddr_late),
        .rdata_o(weight[${PE}*PE_WIDTH*WEIGHT +: PE_WIDTH*WEIGHT]));
//%% end
//%% if loadable
    lg_ram #(.WIDTH(PE_WIDTH*WEIGHT), .DEPTH(WEIGHT_WORDS), .INIT_FILE("")) u_weight_${PE} (
        .clk_i(clk), .we_i(load_we && load_memory == LOAD_WEIGHT + ${PE}),
        .waddr_i(load_addr[WADDR-1:0]), .wdata_i(load_data[PE_WIDTH*WEIGHT-1:0]),
        .raddr_i(waddr_late), .rdata_o(weight[${PE}*PE_WIDTH*WEIGHT +: PE_WIDTH*WEIGHT]));
//%% end
//%% end
//%% each list
//%% if rom
    lg_rom #(.WIDTH(INDEX_WORD), .DEPTH(WEIGHT_WORDS),
             .INIT_FILE({MEM_DIR, "${NAME}_index_${LIST}.hex"})) u_index_${LIST} (
        .clk_i(clk), .raddr_i(waddr), .rdata_o(index[${LIST}*INDEX_WORD +: INDEX_WORD]));
//%% end
//%% if loadable
    lg_ram #(.WIDTH(INDEX_WORD), .DEPTH(WEIGHT_WORDS), .INIT_FILE("")) u_index_${LIST} (
        .clk_i(clk), .we_i(load_we && load_memory == LOAD_INDEX + ${LIST}),
        .waddr_i(load_addr[WADDR-1:0]), .wdata_i(load_data[INDEX_WORD-1:0]),
        .raddr_i(waddr), .rdata_o(index[${LIST}*INDEX_WORD +: INDEX_WORD]));
//%% end
//%% end
//%% if no_index
    assign index = {LISTS*INDEX_WORD{1'b0}};
//%% end

    // ---- rows at once
    lg_gather #(.ROWS(PES), .LANES(PE_WIDTH), .WEIGHT_BITS(WEIGHT), .VALUE_BITS(VALUE),
                .ACC_BITS(ACC), .MUL_LATENCY(MUL_LATENCY), .ALIGN(ALIGN), .PRIVATE(PRIVATE),
                .SHARE(SHARE), .SPAN(SPAN), .INDEX_BITS(INDEX_BITS), .DEPTH(VECTOR_DEPTH),
                .BLOCK(VECTOR_BLOCK), .RING(RING), .RING_BLOCK(RING_BLOCK),
                .SLACK(SLACK)) u_engine (
        .clk_i(clk), .rst_i(rst_q), .valid_i(valid), .last_i(tile_valid), .first_i(first),
        .mute_i(mute), .scale_i(scale), .base_i(addr), .own_base_i(own_addr), .own_scale_i(own_scale),
        .index_i(index), .weight_i(weight), .we_i(we_q), .waddr_i(waddr_q), .wdata_i(wdata_q),
        .acc_o(acc));
