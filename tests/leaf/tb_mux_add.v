// The adder of a chosen addend against its definition.
`timescale 1ns / 1ps
module tb;
    parameter WIDTH = 40;
    parameter CYCLES = 300;

    reg clk = 1'b0;
    always #5 clk = ~clk;

    reg choose;
    reg [WIDTH-1:0] x, a, b;
    wire [WIDTH-1:0] s;
    `DUT dut (.clk_i(clk), .choose_i(choose), .x_i(x), .a_i(a), .b_i(b), .s_o(s));

    reg [WIDTH-1:0] sum;
    integer i, bad;
    initial begin
        bad = 0;
        choose = 1'b0;
        x = 0;
        a = 0;
        b = 0;
        repeat (30) @(posedge clk);
        for (i = 0; i < CYCLES; i = i + 1) begin
            #1;
            choose = $random;
            x = (i & 15) == 3 ? {WIDTH{1'b1}} : {$random, $random};
            a = (i & 15) == 5 ? {WIDTH{1'b1}} : {$random, $random};
            b = (i & 15) == 3 ? 1 : {$random, $random};
            sum = x + (choose ? a : b);
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
