// lg_rom: block ROM.
// Latency: rdata_o belongs to the address taken 2 edges before (array, then the block's output
// register).
// Throughput: one read a cycle, always enabled.
// LG_COUNT_ROM leaves an empty black box: resource runs count the blocks of large weight images
// from their geometry (mapping contents costs 5-19 s per Mbit), and the datapath behind the box
// stays.
`default_nettype none

`ifdef LG_COUNT_ROM
(* blackbox, dynports *)
`endif
module lg_rom #(
    parameter WIDTH = 32,       // bits of a word, >= 1
    parameter DEPTH = 512,      // words, >= 1
    parameter INIT_FILE = ""    // $readmemh image with DEPTH words; "": contents undefined
) (
    input  wire             clk_i,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] raddr_i,
    output wire [WIDTH-1:0] rdata_o
);

`ifndef LG_COUNT_ROM
    (* ram_style = "block", rom_style = "block", syn_romstyle = "block_rom" *)
    reg [WIDTH-1:0] mem [0:DEPTH-1];
    reg [WIDTH-1:0] array_q;
    reg [WIDTH-1:0] rdata_q;

    generate
        if (INIT_FILE != "") begin : gen_init
            initial $readmemh(INIT_FILE, mem);
        end else begin : gen_undefined
            initial mem[0] = {WIDTH{1'bx}};
        end
    endgenerate

    always @(posedge clk_i) begin
        array_q <= mem[raddr_i];
        rdata_q <= array_q;
    end
    assign rdata_o = rdata_q;
`endif

endmodule

`default_nettype wire
