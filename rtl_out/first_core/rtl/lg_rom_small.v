// Small ROM without a clock, made of LUTs: the step program, a few words.
`default_nettype none
module lg_rom_small #(
    parameter WIDTH     = 8,
    parameter DEPTH     = 4,
    parameter INIT_FILE = "",
    parameter ADDR      = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  wire [ADDR-1:0]  addr_i,
    output wire [WIDTH-1:0] data_o
);
    reg [WIDTH-1:0] word [0:DEPTH-1];
    generate
        if (INIT_FILE != "") begin : gen_init
            initial $readmemh(INIT_FILE, word);
        end
    endgenerate
    assign data_o = word[addr_i];
endmodule
`default_nettype wire
