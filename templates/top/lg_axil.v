// AXI4-Lite slave: identification, state, counters, and the port through which weights are loaded.
// One access at a time, two cycles each; any address answers (unknown ones read 0).
`default_nettype none
module lg_axil #(
    parameter VERSION   = 0,
    parameter SPEC_HASH = 0,
    parameter LOADABLE  = 0,
    parameter WORD_BITS = 32     // widest loadable word
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
    localparam PARTS = (WORD_BITS + 31) / 32;

    // ---- writes
    reg bvalid_q;
    wire write = s_axil_awvalid && s_axil_wvalid && !bvalid_q;
    assign s_axil_awready = write;
    assign s_axil_wready  = write;
    assign s_axil_bvalid  = bvalid_q;
    assign s_axil_bresp   = 2'b00;
    reg enable_q;
    always @(posedge clk_i) begin
        if (rst_i) begin
            bvalid_q <= 1'b0;
            enable_q <= LOADABLE == 0;
        end else begin
            bvalid_q <= write || (bvalid_q && !s_axil_bready);
            if (write && s_axil_awaddr[7:2] == 6'h09) enable_q <= s_axil_wdata[0] || LOADABLE == 0;
        end
    end
    assign enable_o = enable_q;
    assign delta_we_o = {write && s_axil_awaddr[7:2] == 6'h0F,
                         write && s_axil_awaddr[7:2] == 6'h0E};
    assign delta_o    = s_axil_wdata;

    // ---- loading: 32-bit parts, little end first, until the memory's word is complete
    generate
        if (LOADABLE != 0) begin : gen_load
            reg [PARTS*32-1:0] word_q;
            reg [11:0]         part_q;
            reg [11:0]         parts_q;
            wire put  = write && s_axil_awaddr[7:2] == 6'h0B;
            wire last = part_q + 12'd1 == parts_q;
            always @(posedge clk_i) begin
                load_we_q <= !rst_i && put && last;
                if (load_we_q) load_addr_q <= load_addr_q + 20'd1;
                if (write && s_axil_awaddr[7:2] == 6'h0A) begin
                    load_memory_q <= s_axil_wdata[31:20];
                    load_addr_q   <= s_axil_wdata[19:0];
                    part_q        <= 12'd0;
                end
                if (write && s_axil_awaddr[7:2] == 6'h0D) parts_q <= s_axil_wdata[11:0];
                if (put) begin
                    word_q[part_q*32 +: 32] <= s_axil_wdata;
                    part_q <= last ? 12'd0 : part_q + 12'd1;
                end
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
        end
    endgenerate
    wire unused = ^s_axil_wstrb ^ (^s_axil_awaddr) ^ (^s_axil_araddr) ^ (^s_axil_wdata);

    // ---- reads
    reg        rvalid_q;
    reg [31:0] rdata_q;
    wire read = s_axil_arvalid && !rvalid_q;
    assign s_axil_arready = read;
    assign s_axil_rvalid  = rvalid_q;
    assign s_axil_rdata   = rdata_q;
    assign s_axil_rresp   = 2'b00;
    always @(posedge clk_i) begin
        if (rst_i) rvalid_q <= 1'b0;
        else       rvalid_q <= read || (rvalid_q && !s_axil_rready);
        if (read)
            case (s_axil_araddr[7:2])
                6'h00:   rdata_q <= 32'h4C53544D;                       // "LSTM"
                6'h01:   rdata_q <= VERSION;
                6'h02:   rdata_q <= {29'd0, stream_error_i, enable_q, busy_i};
                6'h03:   rdata_q <= steps_i;
                6'h04:   rdata_q <= cycles_i[31:0];
                6'h05:   rdata_q <= cycles_i[63:32];
                6'h06:   rdata_q <= interval_i;
                6'h07:   rdata_q <= latency_i;
                6'h08:   rdata_q <= saturations_i;
                6'h09:   rdata_q <= {31'd0, enable_q};
                6'h0C:   rdata_q <= SPEC_HASH;
                6'h0E:   rdata_q <= delta_i[0*32 +: 32];
                6'h0F:   rdata_q <= delta_i[1*32 +: 32];
                6'h10:   rdata_q <= delta_i[2*32 +: 32];
                6'h11:   rdata_q <= delta_i[3*32 +: 32];
                6'h12:   rdata_q <= delta_i[4*32 +: 32];
                6'h13:   rdata_q <= delta_i[5*32 +: 32];
                default: rdata_q <= 32'd0;
            endcase
    end
endmodule
`default_nettype wire
