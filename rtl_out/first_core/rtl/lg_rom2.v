// lg_rom2: block ROM with two read ports (one dual-port block, or two copies where the family has
// none).
// Latency: each rdata belongs to the address taken 2 edges before (array, then the output
// register).
// Throughput: two reads a cycle, always enabled.
// LG_COUNT_ROM leaves an empty black box, see lg_rom.
`default_nettype none

`ifdef LG_COUNT_ROM
(* blackbox, dynports *)
`endif
module lg_rom2 #(
    parameter WIDTH = 32,       // bits of a word, >= 1
    parameter DEPTH = 512,      // words, >= 1
    parameter INIT_FILE = ""    // $readmemh image with DEPTH words; "": contents undefined
) (
    input  wire             clk_i,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] raddr_a_i,
    output wire [WIDTH-1:0] rdata_a_o,
    input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1)-1:0] raddr_b_i,
    output wire [WIDTH-1:0] rdata_b_o
);

`ifndef LG_COUNT_ROM
    (* ram_style = "block", rom_style = "block", syn_romstyle = "block_rom" *)
    reg [WIDTH-1:0] mem [0:DEPTH-1];
    reg [WIDTH-1:0] array_a_q, array_b_q;
    reg [WIDTH-1:0] rdata_a_q, rdata_b_q;

    generate
        if (INIT_FILE != "") begin : gen_init
            initial $readmemh(INIT_FILE, mem);
        end else begin : gen_undefined
            initial mem[0] = {WIDTH{1'bx}};
        end
    endgenerate

    always @(posedge clk_i) begin
        array_a_q <= mem[raddr_a_i];
        array_b_q <= mem[raddr_b_i];
        rdata_a_q <= array_a_q;
        rdata_b_q <= array_b_q;
    end
    assign rdata_a_o = rdata_a_q;
    assign rdata_b_o = rdata_b_q;
`endif

endmodule

`default_nettype wire
