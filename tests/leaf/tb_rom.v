// lg_rom (PORTS = 1) and lg_rom2 (PORTS = 2) against the image they were given.
`timescale 1ns / 1ps
module tb;
    parameter WIDTH = 16;
    parameter DEPTH = 16;
    parameter PORTS = 1;
    parameter CYCLES = 2000;
    localparam ADDR = DEPTH > 1 ? $clog2(DEPTH) : 1;

    reg clk = 1'b0;
    always #5 clk = ~clk;

    reg [ADDR-1:0] ra, rb;
    wire [WIDTH-1:0] qa, qb;
    generate
        if (PORTS == 1) begin : gen_one
            `DUT dut (.clk_i(clk), .raddr_i(ra), .rdata_o(qa));
            assign qb = {WIDTH{1'bx}};
        end else begin : gen_two
            `DUT dut (.clk_i(clk), .raddr_a_i(ra), .rdata_a_o(qa), .raddr_b_i(rb), .rdata_b_o(qb));
        end
    endgenerate

    reg [WIDTH-1:0] model [0:DEPTH-1];
    reg [WIDTH-1:0] a1, a2, b1, b2;
    integer i, bad;
    initial begin
        $readmemh(`IMAGE, model);
        bad = 0;
        ra = 0;
        rb = 0;
        repeat (30) @(posedge clk);
        for (i = 0; i < CYCLES; i = i + 1) begin
            #1;
            ra = i < DEPTH ? i : $unsigned($random) % DEPTH;
            rb = $unsigned($random) % DEPTH;
            a2 = a1;
            b2 = b1;
            a1 = model[ra];
            b1 = model[rb];
            @(posedge clk);
            #1;
            if (i > 1 && (qa !== a2 || (PORTS == 2 && qb !== b2))) begin
                bad = bad + 1;
                if (bad < 4) $display("  cycle %0d: %h %h, expected %h %h", i, qa, qb, a2, b2);
            end
        end
        if (bad == 0) $display("PASS"); else $display("FAIL %0d", bad);
        $finish;
    end
endmodule
