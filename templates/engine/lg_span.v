// A lane's copy of the whole vector: as many banks as elements are written in a cycle (h may
// wait for that: lg_queue); the bank of the element read is selected behind them. Read latency
// 2, or 3 with more than one bank.
`default_nettype none
module lg_span #(
    parameter BANKS      = 4,    // power of two
    parameter VALUE_BITS = 16,
    parameter DEPTH      = 16,   // elements in a bank
    parameter BLOCK      = 0,
    parameter ADDR       = DEPTH > 1 ? $clog2(DEPTH) : 1,
    parameter SELECT     = BANKS > 1 ? $clog2(BANKS) : 1
) (
    input  wire                        clk_i,
    input  wire [BANKS-1:0]            we_i,
    input  wire [BANKS*ADDR-1:0]       waddr_i,
    input  wire [BANKS*VALUE_BITS-1:0] wdata_i,
    input  wire [ADDR-1:0]             raddr_i,
    input  wire [SELECT-1:0]           bank_i,     // with raddr_i
    output wire [VALUE_BITS-1:0]       value_o
);
    wire [BANKS*VALUE_BITS-1:0] word;
    lg_bank #(.LANES(BANKS), .VALUE_BITS(VALUE_BITS), .DEPTH(DEPTH), .BLOCK(BLOCK)) u_bank (
        .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i),
        .raddr_i({BANKS{raddr_i}}), .rdata_o(word));
    generate
        if (BANKS > 1) begin : gen_select
            wire [SELECT-1:0]    bank;
            reg [VALUE_BITS-1:0] chosen, value_q;
            integer              k;
            lg_delay #(.WIDTH(SELECT), .LATENCY(2)) u_select (
                .clk_i(clk_i), .d_i(bank_i), .q_o(bank));
            // One-hot selection: an AND per bank and an OR tree.
            always @* begin
                chosen = {VALUE_BITS{1'b0}};
                for (k = 0; k < BANKS; k = k + 1)
                    if ({{(32-SELECT){1'b0}}, bank} == k)
                        chosen = chosen | word[k*VALUE_BITS +: VALUE_BITS];
            end
            always @(posedge clk_i) value_q <= chosen;
            assign value_o = value_q;
        end else begin : gen_one
            wire unused = ^bank_i;
            assign value_o = word;
        end
    endgenerate
endmodule
`default_nettype wire
