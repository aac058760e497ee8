// One row of multipliers for bench_top: equal instances, so that Yosys synthesises it once.
`default_nettype none

module bench_pe #(
    parameter LANES = 2,
    parameter LATENCY = 3
) (
    input  wire                clk_i,
    input  wire                keep_i,
    input  wire                we_i,
    input  wire [3:0]          waddr_i,
    input  wire [15:0]         x_i,
    input  wire [20*LANES-1:0] word_i,
    output wire [39:0]         s_o
);

    wire [40*(LANES+1)-1:0] sum;
    assign sum[39:0] = 40'd0;
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : gen_lane
            wire [15:0] x;
            wire [31:0] p;
            lg_ram_small #(.WIDTH(16), .DEPTH(16)) u_bank (
                .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(x_i),
                .raddr_i(word_i[20*i+16 +: 4]), .rdata_o(x)
            );
            lg_mul #(.A_WIDTH(16), .B_WIDTH(16), .LATENCY(LATENCY)) u_mul (
                .clk_i(clk_i), .a_i(x), .b_i(word_i[20*i +: 16]), .p_o(p)
            );
            assign sum[40*(i+1) +: 40] = sum[40*i +: 40] + {{8{p[31]}}, p};
        end
    endgenerate
    lg_mux_add #(.WIDTH(40)) u_acc (
        .clk_i(clk_i), .choose_i(keep_i), .x_i(sum[40*LANES +: 40]), .a_i(s_o), .b_i(40'd0),
        .s_o(s_o)
    );

endmodule

`default_nettype wire
