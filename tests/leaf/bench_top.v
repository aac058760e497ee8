// A design with every leaf in it, for the synthesis runner's own test: ROWS
// rows of LANES multipliers.
`default_nettype none

module bench_top #(
    parameter ROWS = 3,
    parameter LANES = 2,
    parameter DEPTH = 512,
    parameter LATENCY = 3,
    parameter INIT_FILE = "mem/weights.hex",
    parameter TABLE_FILE = "mem/table.hex"
) (
    input  wire        clk_i,
    input  wire        rst_i,
    input  wire        we_i,
    input  wire [3:0]  waddr_i,
    input  wire [15:0] x_i,
    output wire [39:0] y_o,
    output wire [15:0] t_o
);

    reg [$clog2(DEPTH)-1:0] count_q;
    always @(posedge clk_i) count_q <= rst_i ? 0 : count_q + 1'b1;

    wire [40*(ROWS+1)-1:0] sums;
    assign sums[39:0] = 40'd0;
    genvar r;
    generate
        for (r = 0; r < ROWS; r = r + 1) begin : gen_row
            wire [20*LANES-1:0] word;
            wire [39:0] s;
            lg_rom #(.WIDTH(20*LANES), .DEPTH(DEPTH), .INIT_FILE(INIT_FILE)) u_weights (
                .clk_i(clk_i), .raddr_i(count_q), .rdata_o(word)
            );
            bench_pe #(.LANES(LANES), .LATENCY(LATENCY)) u_pe (
                .clk_i(clk_i), .keep_i(count_q[3:0] != 4'd0), .we_i(we_i), .waddr_i(waddr_i),
                .x_i(x_i), .word_i(word), .s_o(s)
            );
            assign sums[40*(r+1) +: 40] = sums[40*r +: 40] ^ s;
        end
    endgenerate
    assign y_o = sums[40*ROWS +: 40];

    wire [15:0] ta, tb;
    lg_rom2 #(.WIDTH(16), .DEPTH(256), .INIT_FILE(TABLE_FILE)) u_table (
        .clk_i(clk_i), .raddr_a_i(y_o[7:0]), .rdata_a_o(ta), .raddr_b_i(y_o[15:8]), .rdata_b_o(tb)
    );
    lg_ram #(.WIDTH(16), .DEPTH(DEPTH)) u_state (
        .clk_i(clk_i), .we_i(we_i), .waddr_i(count_q), .wdata_i(ta ^ tb), .raddr_i(~count_q),
        .rdata_o(t_o)
    );

endmodule

`default_nettype wire
