// The gated accumulator against its definition, sums of random length.
`timescale 1ns / 1ps
module tb;
    parameter WIDTH = 40;
    parameter CYCLES = 300;

    reg clk = 1'b0;
    always #5 clk = ~clk;

    reg keep;
    reg [WIDTH-1:0] x;
    wire [WIDTH-1:0] s;
    `DUT dut (.clk_i(clk), .keep_i(keep), .x_i(x), .s_o(s));

    reg [WIDTH-1:0] sum;
    integer i, bad;
    initial begin
        bad = 0;
        keep = 1'b0;
        x = 0;
        repeat (30) @(posedge clk);
        for (i = 0; i < CYCLES; i = i + 1) begin
            #1;
            keep = i > 0 && ($random & 7) != 0;
            x = (i & 15) == 3 ? {WIDTH{1'b1}} : {$random, $random};
            sum = keep ? sum + x : x;
            @(posedge clk);
            #1;
            if (s !== sum) begin
                bad = bad + 1;
                if (bad < 4) $display("  cycle %0d: s %h, expected %h", i, s, sum);
            end
        end
        if (bad == 0) $display("PASS"); else $display("FAIL %0d", bad);
        $finish;
    end
endmodule
