// lg_wait against a line of words: what comes with push is there LATENCY cycles later, after a reset nothing is.
`timescale 1ns / 1ps
module tb;
    parameter WIDTH = 8, LATENCY = 20, EVERY = 1, CYCLES = 2000;
    reg clk = 1'b0, rst = 1'b1, push = 1'b0;
    reg [WIDTH-1:0] d = 0;
    wire valid;
    wire [WIDTH-1:0] q;
    always #5 clk = ~clk;
    lg_wait #(.WIDTH(WIDTH), .LATENCY(LATENCY), .EVERY(EVERY)) dut (
        .clk_i(clk), .rst_i(rst), .push_i(push), .d_i(d), .valid_o(valid), .q_o(q));
    reg [WIDTH:0] line [0:LATENCY];
    integer i, k, since, bad, seen;
    initial begin
        bad = 0; seen = 0; since = EVERY;
        for (k = 0; k <= LATENCY; k = k + 1) line[k] = 0;
        repeat (LATENCY + 2) @(posedge clk);
        for (i = 0; i < CYCLES; i = i + 1) begin
            #1;
            rst  = i % 701 == 700;
            push = !rst && since >= EVERY && (i % 300 < 150 || $random % 3 == 0);
            d    = $random;
            since = push ? 1 : since + 1;
            for (k = LATENCY; k > 0; k = k - 1) line[k] = rst ? 0 : line[k-1];
            line[0] = 0;
            line[1] = rst ? 0 : {push, d};
            @(posedge clk);
            #1;
            if (valid !== line[LATENCY][WIDTH] || (valid && q !== line[LATENCY][WIDTH-1:0])) begin
                bad = bad + 1;
                if (bad < 4) $display("cycle %0d: %b %h, expected %b %h", i, valid, q, line[LATENCY][WIDTH],
                                      line[LATENCY][WIDTH-1:0]);
            end
            seen = seen + valid;
        end
        if (bad == 0 && seen > CYCLES / (8 * EVERY)) $display("PASS %0d", seen);
        else $display("FAIL %0d of %0d", bad, seen);
        $finish;
    end
endmodule
