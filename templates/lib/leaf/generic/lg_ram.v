// lg_ram: block RAM, one write port, one read port, one clock.
// Latency: rdata_o belongs to the address taken 2 edges before (array, then the block's output
// register).
// Throughput: one write and one read a cycle, always enabled.
// The schedule never reads an address in the cycle that writes it: simulation returns X if it does,
// and no_rw_check keeps Yosys from adding bypass logic (ECP5: 556 -> 172 LUTs in one design).
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

    (* ram_style = "block", syn_ramstyle = "block_ram", no_rw_check *)
    reg [WIDTH-1:0] mem [0:DEPTH-1];
    reg [WIDTH-1:0] array_q;
    reg [WIDTH-1:0] rdata_q;

    generate
        if (INIT_FILE != "") begin : gen_init
            initial $readmemh(INIT_FILE, mem);
        end
    endgenerate

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

endmodule

`default_nettype wire
