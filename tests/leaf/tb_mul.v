// Every product of lg_mul against its definition, LATENCY edges later: corners first, then random.
`timescale 1ns / 1ps
module tb;
    parameter A = 16;
    parameter B = 16;
    parameter LATENCY = 3;
    parameter CYCLES = 300;

    reg clk = 1'b0;
    always #5 clk = ~clk;

    reg signed [A-1:0] a;
    reg signed [B-1:0] b;
    wire signed [A+B-1:0] p;
    `DUT dut (.clk_i(clk), .a_i(a), .b_i(b), .p_o(p));

    reg signed [A+B-1:0] expect_p [0:CYCLES+16];
    reg signed [A-1:0] low_a;
    reg signed [B-1:0] low_b;
    integer i, bad;
    initial begin
        bad = 0;
        low_a = {1'b1, {A{1'b0}}} >> 1;
        low_b = {1'b1, {B{1'b0}}} >> 1;
        a = 0;
        b = 0;
        repeat (30) @(posedge clk);  // the primitives' models hold their registers for 100 ns
        for (i = 0; i < CYCLES; i = i + 1) begin
            case (i)
                0: begin a = low_a; b = low_b; end
                1: begin a = low_a; b = ~low_b; end
                2: begin a = ~low_a; b = low_b; end
                3: begin a = ~low_a; b = ~low_b; end
                4: begin a = -1; b = -1; end
                default: begin a = $random; b = $random; end
            endcase
            expect_p[i] = a * b;
            @(posedge clk);
            #1;
            if (i + 1 >= LATENCY && p !== expect_p[i+1-LATENCY]) begin
                bad = bad + 1;
                if (bad < 4)
                    $display("  cycle %0d: p %h, expected %h", i, p, expect_p[i+1-LATENCY]);
            end
        end
        if (bad == 0) $display("PASS"); else $display("FAIL %0d", bad);
        $finish;
    end
endmodule
