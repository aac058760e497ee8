// Routes COUNT consecutive elements, the first one for bank start_i, to BANKS banks; element j goes
// to bank (start_i + j) mod modulus_i, one address further after the wrap. ALIGNED: starts and
// modulus are multiples of COUNT, so that each bank always listens to the same element and no
// multiplexer is needed. Combinational.
`default_nettype none
module lg_route #(
    parameter COUNT   = 2,     // elements per cycle, at most modulus_i
    parameter BANKS   = 4,
    parameter WIDTH   = 16,
    parameter ADDR    = 4,
    parameter ALIGNED = 0,
    parameter BANK    = $clog2(BANKS + 1)
) (
    input  wire [COUNT-1:0]       valid_i,
    input  wire [COUNT*WIDTH-1:0] data_i,
    input  wire [BANK-1:0]        start_i,
    input  wire [BANK-1:0]        modulus_i,
    input  wire [ADDR-1:0]        addr_i,
    output wire [BANKS-1:0]       we_o,
    output wire [BANKS*ADDR-1:0]  addr_o,
    output wire [BANKS*WIDTH-1:0] data_o
);
    localparam [ADDR-1:0] ONE = 1;
    genvar bank;
    generate
        for (bank = 0; bank < BANKS; bank = bank + 1) begin : gen_bank
            localparam [BANK-1:0] HERE = bank;
            if (ALIGNED != 0) begin : gen_aligned
                localparam [BANK-1:0] GROUP = bank - bank % COUNT;
                assign we_o[bank] = valid_i[bank % COUNT] && start_i == GROUP;
                assign addr_o[bank*ADDR +: ADDR] = addr_i;
                assign data_o[bank*WIDTH +: WIDTH] = data_i[(bank % COUNT)*WIDTH +: WIDTH];
            end else begin : gen_any
                wire            wrap = HERE < start_i;
                wire [BANK:0]   offset = {1'b0, HERE} - {1'b0, start_i}
                                         + (wrap ? {1'b0, modulus_i} : {(BANK+1){1'b0}});
                // One-hot selection: an AND per element and an OR tree.
                reg             hit;
                reg [WIDTH-1:0] chosen;
                integer         k;
                always @* begin
                    hit    = 1'b0;
                    chosen = {WIDTH{1'b0}};
                    for (k = 0; k < COUNT; k = k + 1)
                        if ({{(31-BANK){1'b0}}, offset} == k) begin
                            hit    = valid_i[k];
                            chosen = chosen | data_i[k*WIDTH +: WIDTH];
                        end
                end
                assign we_o[bank] = hit && HERE < modulus_i;
                assign addr_o[bank*ADDR +: ADDR] = wrap ? addr_i + ONE : addr_i;
                assign data_o[bank*WIDTH +: WIDTH] = COUNT == 1 ? data_i[0 +: WIDTH] : chosen;
            end
        end
        if (ALIGNED != 0) begin : gen_unused
            wire unused = ^modulus_i;
        end
    endgenerate
endmodule
`default_nettype wire
