// lg_ram (Gowin GW1N, GW2A): block RAM from SDPX9B with the block's output register, one write and
// one read port.
// Latency: rdata_o belongs to the address taken 2 edges before. Throughput: one write and one read
// a cycle.
// Yosys never uses the output register: instantiated, WIDTH registers less.
// Shape: the widest that holds DEPTH words in one row of blocks, so no multiplexer follows the
// register.
// Initialised or deeper than 2048 words: inferred, registers in fabric.
// The schedule never reads an address in the cycle that writes it: simulation returns X if it does.
`default_nettype none

module lg_ram #(
    parameter WIDTH = 32,       // bits of a word, >= 1
    parameter DEPTH = 512,      // words, >= 1
    parameter INIT_FILE = ""    // $readmemh image with DEPTH words; "": contents undefined
) (
    input  wire             clk_i,
    input  wire             we_i,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] waddr_i,
    input  wire [WIDTH-1:0] wdata_i,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] raddr_i,
    output wire [WIDTH-1:0] rdata_o
);

`ifdef SYNTHESIS
    localparam INSTANTIATE = INIT_FILE == "" && DEPTH <= 2048 ? 1 : 0;
`else
    localparam INSTANTIATE = 0;
`endif

    generate
        if (INSTANTIATE == 1) begin : gen_block
            // -------------------------------------------------------- SDPX9B
            // address pins below the word are byte enables of the write port (4 of them at width
            // 36, 2 at 18)
            localparam BITS = DEPTH <= 512 ? 36 : DEPTH <= 1024 ? 18 : 9;
            localparam SHIFT = BITS == 36 ? 5 : BITS == 18 ? 4 : 3;
            localparam [13:0] ENABLES = BITS == 36 ? 14'd15 : BITS == 18 ? 14'd3 : 14'd0;
            localparam BLOCKS = (WIDTH + BITS - 1) / BITS;

            wire [13:0] waddr = (waddr_i << SHIFT) | ENABLES;
            wire [13:0] raddr = raddr_i << SHIFT;
            wire [BLOCKS*BITS-1:0] wdata = wdata_i;
            wire [BLOCKS*BITS-1:0] rdata;
            assign rdata_o = rdata[WIDTH-1:0];
            genvar i;
            for (i = 0; i < BLOCKS; i = i + 1) begin : gen_column
                wire [35:0] data = wdata[i*BITS +: BITS];
                wire [35:0] q;
                assign rdata[i*BITS +: BITS] = q[BITS-1:0];
                SDPX9B #(
                    .READ_MODE(1'b1),
                    .BIT_WIDTH_0(BITS),
                    .BIT_WIDTH_1(BITS),
                    .BLK_SEL_0(3'b000),
                    .BLK_SEL_1(3'b000),
                    .RESET_MODE("SYNC")
                ) block (
                    .CLKA(clk_i), .CEA(we_i), .RESETA(1'b0), .ADA(waddr), .DI(data), .BLKSELA(3'b000),
                    .CLKB(clk_i), .CEB(1'b1), .OCE(1'b1), .RESETB(1'b0), .ADB(raddr), .DO(q),
                    .BLKSELB(3'b000)
                );
            end
        end else begin : gen_inferred
            // -------------------------------------------------------- inferred
            (* ram_style = "block", syn_ramstyle = "block_ram", no_rw_check *)
            reg [WIDTH-1:0] mem [0:DEPTH-1];
            reg [WIDTH-1:0] array_q;
            reg [WIDTH-1:0] rdata_q;

            if (INIT_FILE != "") begin : gen_init
                initial $readmemh(INIT_FILE, mem);
            end

`ifndef SYNTHESIS
            // Real RAM starts with anything but X: noise, so that nothing may depend on it.
            integer k;
            reg [((WIDTH + 31) / 32) * 32 - 1:0] unused_noise;
            initial
                if (INIT_FILE == "") for (k = 0; k < DEPTH; k = k + 1) begin
                    unused_noise = {((WIDTH + 31) / 32){$random}};
                    mem[k] = unused_noise[WIDTH-1:0];
                end
`endif
            always @(posedge clk_i) if (we_i) mem[waddr_i] <= wdata_i;
            always @(posedge clk_i) begin
                array_q <= mem[raddr_i];
`ifndef SYNTHESIS
                if (we_i && waddr_i == raddr_i) array_q <= {WIDTH{1'bx}};
`endif
                rdata_q <= array_q;
            end
            assign rdata_o = rdata_q;
        end
    endgenerate

endmodule

`default_nettype wire
