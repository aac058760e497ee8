// lg_ram (ECP5): block RAM from DP16KD with the block's output register, one write and one read
// port.
// Latency: rdata_o belongs to the address taken 2 edges before. Throughput: one write and one read
// a cycle.
// Yosys never uses the output register: inferred 135 MHz, instantiated 454 (speed 6), and WIDTH
// registers less.
// Shape: the widest that holds DEPTH words in one row of blocks, so no multiplexer follows the
// register.
// Initialised or deeper than 16384 words: inferred, registers in fabric.
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
    localparam INSTANTIATE = INIT_FILE == "" && DEPTH <= 16384 ? 1 : 0;
`else
    localparam INSTANTIATE = 0;
`endif

    generate
        if (INSTANTIATE == 1) begin : gen_block
            // -------------------------------------------------------- DP16KD
            // width 36 is the pseudo dual-port mode: port A carries the low half of a word in both
            // directions; address pins below the word are byte enables (4 of them, 2 at width 18)
            localparam BITS = DEPTH <= 512 ? 36 : DEPTH <= 1024 ? 18 : DEPTH <= 2048 ? 9 :
                              DEPTH <= 4096 ? 4 : DEPTH <= 8192 ? 2 : 1;
            localparam SHIFT = BITS == 36 ? 5 : BITS == 18 ? 4 : BITS == 9 ? 3 : BITS == 4 ? 2 :
                               BITS == 2 ? 1 : 0;
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
                wire [17:0] qa;
                wire [17:0] qb;
                if (BITS == 36) begin : gen_wide
                    assign rdata[i*BITS +: BITS] = {qb, qa};
                end else begin : gen_narrow
                    assign rdata[i*BITS +: BITS] = qb[BITS-1:0];
                end
                DP16KD #(
                    .DATA_WIDTH_A(BITS), .DATA_WIDTH_B(BITS),
                    .REGMODE_A("OUTREG"), .REGMODE_B("OUTREG"),
                    .RESETMODE("SYNC"), .ASYNC_RESET_RELEASE("SYNC"),
                    .CSDECODE_A("0b000"), .CSDECODE_B("0b000"),
                    .WRITEMODE_A("NORMAL"), .WRITEMODE_B("NORMAL"), .GSR("DISABLED")
                ) block (
                    .CLKA(clk_i), .CEA(1'b1), .OCEA(1'b1), .WEA(we_i), .RSTA(1'b0),
                    .CLKB(clk_i), .CEB(1'b1), .OCEB(1'b1), .WEB(1'b0), .RSTB(1'b0),
                    .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0), .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0),
                    .ADA0(waddr[0]), .ADA1(waddr[1]), .ADA2(waddr[2]), .ADA3(waddr[3]),
                    .ADA4(waddr[4]), .ADA5(waddr[5]), .ADA6(waddr[6]), .ADA7(waddr[7]),
                    .ADA8(waddr[8]), .ADA9(waddr[9]), .ADA10(waddr[10]), .ADA11(waddr[11]),
                    .ADA12(waddr[12]), .ADA13(waddr[13]),
                    .ADB0(raddr[0]), .ADB1(raddr[1]), .ADB2(raddr[2]), .ADB3(raddr[3]),
                    .ADB4(raddr[4]), .ADB5(raddr[5]), .ADB6(raddr[6]), .ADB7(raddr[7]),
                    .ADB8(raddr[8]), .ADB9(raddr[9]), .ADB10(raddr[10]), .ADB11(raddr[11]),
                    .ADB12(raddr[12]), .ADB13(raddr[13]),
                    .DIA0(data[0]), .DIA1(data[1]), .DIA2(data[2]), .DIA3(data[3]), .DIA4(data[4]),
                    .DIA5(data[5]), .DIA6(data[6]), .DIA7(data[7]), .DIA8(data[8]), .DIA9(data[9]),
                    .DIA10(data[10]), .DIA11(data[11]), .DIA12(data[12]), .DIA13(data[13]),
                    .DIA14(data[14]), .DIA15(data[15]), .DIA16(data[16]), .DIA17(data[17]),
                    .DIB0(data[18]), .DIB1(data[19]), .DIB2(data[20]), .DIB3(data[21]),
                    .DIB4(data[22]), .DIB5(data[23]), .DIB6(data[24]), .DIB7(data[25]),
                    .DIB8(data[26]), .DIB9(data[27]), .DIB10(data[28]), .DIB11(data[29]),
                    .DIB12(data[30]), .DIB13(data[31]), .DIB14(data[32]), .DIB15(data[33]),
                    .DIB16(data[34]), .DIB17(data[35]),
                    .DOA0(qa[0]), .DOA1(qa[1]), .DOA2(qa[2]), .DOA3(qa[3]), .DOA4(qa[4]),
                    .DOA5(qa[5]), .DOA6(qa[6]), .DOA7(qa[7]), .DOA8(qa[8]), .DOA9(qa[9]),
                    .DOA10(qa[10]), .DOA11(qa[11]), .DOA12(qa[12]), .DOA13(qa[13]), .DOA14(qa[14]),
                    .DOA15(qa[15]), .DOA16(qa[16]), .DOA17(qa[17]),
                    .DOB0(qb[0]), .DOB1(qb[1]), .DOB2(qb[2]), .DOB3(qb[3]), .DOB4(qb[4]),
                    .DOB5(qb[5]), .DOB6(qb[6]), .DOB7(qb[7]), .DOB8(qb[8]), .DOB9(qb[9]),
                    .DOB10(qb[10]), .DOB11(qb[11]), .DOB12(qb[12]), .DOB13(qb[13]), .DOB14(qb[14]),
                    .DOB15(qb[15]), .DOB16(qb[16]), .DOB17(qb[17])
                );
            end
        end else begin : gen_infer
            // -------------------------------------------------------- twin, and what is inferred
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
