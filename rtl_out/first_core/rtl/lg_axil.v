// AXI4-Lite slave: identification, state, counters, and the port through which weights are loaded.
// Address and data of a write are taken in any order, each ready coming out of a register; one read
// and one write at a time, three cycles each. Addresses that are no registers read 0 and write
// nothing. Bytes without wstrb stay as they are. A read of CYCLES keeps the high half for the next
// read of CYCLES_HI. LOAD_DATA beyond the memory is answered by SLVERR and changes nothing.
`default_nettype none
module lg_axil #(
    parameter VERSION      = 0,
    parameter SPEC_HASH    = 0,
    parameter LOADABLE     = 0,
    parameter WORD_BITS    = 32,   // widest loadable word
    parameter RECORD_FIRST = 0,    // number of the first memory of RECORDS words; below: of WORDS
    parameter MEMORIES     = 0,
    parameter WORDS        = 0,
    parameter RECORDS      = 0
) (
    input  wire        clk_i,
    input  wire        rst_i,
    input  wire [15:0] s_axil_awaddr,
    input  wire        s_axil_awvalid,
    output wire        s_axil_awready,
    input  wire [31:0] s_axil_wdata,
    input  wire [3:0]  s_axil_wstrb,
    input  wire        s_axil_wvalid,
    output wire        s_axil_wready,
    output wire [1:0]  s_axil_bresp,
    output wire        s_axil_bvalid,
    input  wire        s_axil_bready,
    input  wire [15:0] s_axil_araddr,
    input  wire        s_axil_arvalid,
    output wire        s_axil_arready,
    output wire [31:0] s_axil_rdata,
    output wire [1:0]  s_axil_rresp,
    output wire        s_axil_rvalid,
    input  wire        s_axil_rready,
    // state of the core
    input  wire        busy_i,
    input  wire        stream_error_i,
    input  wire [31:0] steps_i,
    input  wire [63:0] cycles_i,
    input  wire [31:0] interval_i,
    input  wire [31:0] latency_i,
    input  wire [31:0] saturations_i,
    output wire        enable_o,
    // deltas: what registers 0x38 to 0x4C read, the lowest first; writes of the first two
    input  wire [6*32-1:0] delta_i,
    output wire [1:0]      delta_we_o,
    output wire [31:0]     delta_o,
    // loading: memory select, word address, word; the memories take what has their number
    output reg                  load_we_q,
    output reg  [11:0]          load_memory_q,
    output reg  [19:0]          load_addr_q,
    output wire [WORD_BITS-1:0] load_data_o
);
    localparam [1:0] OKAY = 2'b00, SLVERR = 2'b10;

    // ---- writes: address and data wait for each other
    reg        aw_ready_q, aw_held_q, w_ready_q, w_held_q, bvalid_q, refused_q;
    reg [15:0] awaddr_q;         // the lowest two bits do not count
    reg [31:0] data_q;
    reg [3:0]  strobe_q;
    wire       aw_take = s_axil_awvalid && s_axil_awready;
    wire       w_take  = s_axil_wvalid && s_axil_wready;
    wire       write   = aw_held_q && w_held_q && !bvalid_q;
    wire       known   = write && awaddr_q[15:8] == 8'h00;
    wire       refused;
    always @(posedge clk_i) begin
        if (rst_i) begin
            aw_ready_q <= 1'b0;
            aw_held_q  <= 1'b0;
            w_ready_q  <= 1'b0;
            w_held_q   <= 1'b0;
            bvalid_q   <= 1'b0;
        end else begin
            aw_held_q  <= aw_take || (aw_held_q && !write);
            aw_ready_q <= !aw_take && (!aw_held_q || write);
            w_held_q   <= w_take || (w_held_q && !write);
            w_ready_q  <= !w_take && (!w_held_q || write);
            bvalid_q   <= write || (bvalid_q && !s_axil_bready);
        end
        if (aw_take) awaddr_q <= s_axil_awaddr;
        if (w_take)  data_q <= s_axil_wdata;
        if (w_take)  strobe_q <= s_axil_wstrb;
        if (write)   refused_q <= refused;
    end
    assign s_axil_awready = aw_ready_q && !rst_i;
    assign s_axil_wready  = w_ready_q && !rst_i;
    assign s_axil_bvalid  = bvalid_q && !rst_i;
    assign s_axil_bresp   = refused_q ? SLVERR : OKAY;
    wire [31:0] bytes = {{8{strobe_q[3]}}, {8{strobe_q[2]}}, {8{strobe_q[1]}}, {8{strobe_q[0]}}};

    // ---- commands and thresholds
    reg  enable_q;
    wire control = known && awaddr_q[7:2] == 6'h09 && strobe_q[0];
    always @(posedge clk_i)
        if (rst_i)        enable_q <= LOADABLE == 0;
        else if (control) enable_q <= data_q[0] || LOADABLE == 0;
    assign enable_o   = enable_q;
    wire delta_x = known && awaddr_q[7:2] == 6'h0E;
    wire delta_h = known && awaddr_q[7:2] == 6'h0F;
    wire [31:0] delta_old = awaddr_q[2] ? delta_i[1*32 +: 32] : delta_i[0*32 +: 32];
    assign delta_we_o = {delta_h, delta_x};
    assign delta_o    = (data_q & bytes) | (delta_old & ~bytes);

    // ---- loading: 32-bit parts, little end first, until the memory's word is complete. A part is
    // complete with its highest byte; before, its bytes may come one by one.
    generate
        if (LOADABLE != 0) begin : gen_load
            localparam PARTS = (WORD_BITS + 31) / 32;
            localparam [11:0] ONE = 1, MOST = PARTS, FIRST = RECORD_FIRST, END = MEMORIES;
            localparam [20:0] DEPTH = WORDS, DEPTH_RECORD = RECORDS;
            reg [PARTS*32-1:0] word_q;
            reg [11:0]         part_q, parts_q, memory_q;
            reg [19:0]         word_addr_q;
            reg                beyond_q;       // of what was written at least two cycles ago
            wire at_data  = known && awaddr_q[7:2] == 6'h0B;
            wire at_addr  = known && awaddr_q[7:2] == 6'h0A && strobe_q != 4'd0;
            wire at_parts = known && awaddr_q[7:2] == 6'h0D && strobe_q != 4'd0;
            wire put  = at_data && !beyond_q;
            wire next = put && strobe_q[3];
            wire last = part_q + ONE >= parts_q;
            wire [31:0] start = (data_q & bytes) | ({memory_q, word_addr_q} & ~bytes);
            wire [11:0] parts = (data_q[11:0] & bytes[11:0]) | (parts_q & ~bytes[11:0]);
            wire fits = parts != 12'd0 && parts <= MOST;
            wire [20:0] depth = memory_q < FIRST ? DEPTH : DEPTH_RECORD;
            assign refused = (at_data && beyond_q) || (at_parts && !fits);
            integer k;
            always @(posedge clk_i) begin
                load_we_q <= !rst_i && next && last;
                beyond_q  <= memory_q >= END || {1'b0, word_addr_q} >= depth;
                if (rst_i) begin
                    memory_q    <= 12'd0;
                    word_addr_q <= 20'd0;
                    part_q      <= 12'd0;
                    parts_q     <= ONE;
                end else if (at_addr) begin
                    {memory_q, word_addr_q} <= start;
                    part_q <= 12'd0;
                end else if (at_parts && fits) begin
                    parts_q <= parts;
                    part_q  <= 12'd0;
                end else if (next) begin
                    part_q <= last ? 12'd0 : part_q + ONE;
                    if (last) word_addr_q <= word_addr_q + 20'd1;
                end
                if (next) load_memory_q <= memory_q;
                if (next) load_addr_q   <= word_addr_q;
                for (k = 0; k < 4 * PARTS; k = k + 1)
                    if (put && {20'd0, part_q} == k / 4 && strobe_q[k % 4])
                        word_q[8*k +: 8] <= data_q[8*(k % 4) +: 8];
            end
            assign load_data_o = word_q[WORD_BITS-1:0];
            wire unused_rest = ^word_q;
        end else begin : gen_fixed
            always @(posedge clk_i) begin
                load_we_q     <= 1'b0;
                load_memory_q <= 12'd0;
                load_addr_q   <= 20'd0;
            end
            assign load_data_o = {WORD_BITS{1'b0}};
            assign refused     = 1'b0;
            wire unused_load   = RECORD_FIRST != 0 || MEMORIES != 0 || WORDS != 0 || RECORDS != 0;
        end
    endgenerate
    wire unused = ^awaddr_q[1:0];

    // ---- reads: the address, then a choice among eight registers each, then among those
    reg        ar_ready_q, ar_held_q, chosen_q, rvalid_q;
    reg [15:0] araddr_q;
    reg [31:0] low_q, middle_q, high_q, rdata_q, cycles_high_q;
    reg [2:0]  group_q;
    wire       ar_take = s_axil_arvalid && s_axil_arready;
    wire       done    = rvalid_q && s_axil_rready;
    wire       mapped  = araddr_q[15:8] == 8'h00;
    always @(posedge clk_i) begin
        if (rst_i) begin
            ar_ready_q <= 1'b0;
            ar_held_q  <= 1'b0;
            chosen_q   <= 1'b0;
            rvalid_q   <= 1'b0;
        end else begin
            ar_ready_q <= !ar_take && (ar_ready_q || done || !(ar_held_q || chosen_q || rvalid_q));
            ar_held_q  <= ar_take;
            chosen_q   <= ar_held_q;
            rvalid_q   <= chosen_q || (rvalid_q && !s_axil_rready);
        end
        if (ar_take) araddr_q <= s_axil_araddr;
        if (ar_held_q && mapped && araddr_q[7:2] == 6'h04) cycles_high_q <= cycles_i[63:32];
        group_q <= {3{mapped}} & {araddr_q[7:5] == 3'd2, araddr_q[7:5] == 3'd1,
                                   araddr_q[7:5] == 3'd0};
        case ({3'd0, araddr_q[4:2]})
            6'h00:   low_q <= 32'h4C53544D;                       // "LSTM"
            6'h01:   low_q <= VERSION;
            6'h02:   low_q <= {29'd0, stream_error_i, enable_q, busy_i};
            6'h03:   low_q <= steps_i;
            6'h04:   low_q <= cycles_i[31:0];
            6'h05:   low_q <= cycles_high_q;
            6'h06:   low_q <= interval_i;
            6'h07:   low_q <= latency_i;
            default: low_q <= 32'd0;
        endcase
        case ({3'd1, araddr_q[4:2]})
            6'h08:   middle_q <= saturations_i;
            6'h09:   middle_q <= {31'd0, enable_q};
            6'h0C:   middle_q <= SPEC_HASH;
            6'h0E:   middle_q <= delta_i[0*32 +: 32];
            6'h0F:   middle_q <= delta_i[1*32 +: 32];
            default: middle_q <= 32'd0;
        endcase
        case ({3'd2, araddr_q[4:2]})
            6'h10:   high_q <= delta_i[2*32 +: 32];
            6'h11:   high_q <= delta_i[3*32 +: 32];
            6'h12:   high_q <= delta_i[4*32 +: 32];
            6'h13:   high_q <= delta_i[5*32 +: 32];
            default: high_q <= 32'd0;
        endcase
        if (chosen_q) rdata_q <= (low_q & {32{group_q[0]}}) | (middle_q & {32{group_q[1]}})
                                 | (high_q & {32{group_q[2]}});
    end
    wire unused_ar = ^araddr_q[1:0];
    assign s_axil_arready = ar_ready_q && !rst_i;
    assign s_axil_rvalid  = rvalid_q && !rst_i;
    assign s_axil_rdata   = rdata_q;
    assign s_axil_rresp   = OKAY;
endmodule
`default_nettype wire
