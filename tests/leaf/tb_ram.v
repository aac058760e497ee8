// lg_ram and lg_ram_small (SMALL = 1) against an array: a read two edges later gives what was
// written before the array was read. Reads that the leaf's contract leaves open are not compared.
`timescale 1ns / 1ps
module tb;
    parameter WIDTH = 16;
    parameter DEPTH = 16;
    parameter SMALL = 0;
    parameter CYCLES = 3000;
    localparam ADDR = DEPTH > 1 ? $clog2(DEPTH) : 1;

    reg clk = 1'b0;
    always #5 clk = ~clk;

    reg we;
    reg [ADDR-1:0] waddr, raddr, raddr_q;
    reg [WIDTH-1:0] wdata;
    wire [WIDTH-1:0] rdata;
    `DUT dut (
        .clk_i(clk), .we_i(we), .waddr_i(waddr), .wdata_i(wdata), .raddr_i(raddr), .rdata_o(rdata));

    reg [WIDTH-1:0] model [0:DEPTH-1];
    reg [WIDTH-1:0] first, second;
    reg known1, known2;
    integer i, j, bad, compared;
    initial begin
        bad = 0;
        compared = 0;
        we = 1'b0;
        waddr = 0;
        raddr = 0;
        wdata = 0;
        known1 = 1'b0;
        known2 = 1'b0;
        raddr_q = 0;
        repeat (30) @(posedge clk);
        for (i = 0; i < CYCLES + DEPTH; i = i + 1) begin
            #1;
            if (i < DEPTH) begin
                we = 1'b1;
                waddr = i;
            end else begin
                we = $random;
                waddr = $unsigned($random) % DEPTH;
            end
            for (j = 0; j < WIDTH; j = j + 32) wdata = (wdata << 32) | ($random & 32'hffffffff);
            raddr = $unsigned($random) % DEPTH;
            if (SMALL == 0 && we && raddr == waddr) raddr = (raddr + 1) % DEPTH;
            // what the edge does: the array is read at this edge (block) or one edge later (small)
            second = first;
            known2 = known1;
            if (SMALL == 0) begin
                known1 = i > DEPTH && !(we && raddr == waddr);
                first = model[raddr];
            end else begin
                second = model[raddr_q];
                known2 = i > DEPTH + 1 && !(`OPEN && we && raddr_q == waddr);
                raddr_q = raddr;
            end
            if (we) model[waddr] = wdata;
            @(posedge clk);
            #1;
            if (known2) begin
                compared = compared + 1;
                if (rdata !== second) begin
                    bad = bad + 1;
                    if (bad < 4) $display("  cycle %0d: %h, expected %h", i, rdata, second);
                end
            end
        end
        if (bad == 0 && compared > 0) $display("PASS");
        else $display("FAIL %0d of %0d", bad, compared);
        $finish;
    end
endmodule
