// Small FIFO in registers of LUT RAM size: DEPTH entries, level_o tells how many are held.
// Latency 1.
`default_nettype none
module lg_fifo #(
    parameter WIDTH = 8,     // bits
    parameter DEPTH = 8,     // entries, a power of two
    parameter ADDR  = $clog2(DEPTH)
) (
    input  wire             clk_i,
    input  wire             rst_i,
    input  wire             push_i,    // never while full: the writer counts
    input  wire [WIDTH-1:0] data_i,
    output wire             valid_o,
    input  wire             pop_i,
    output wire [WIDTH-1:0] data_o,
    output wire [ADDR:0]    level_o
);
    reg [WIDTH-1:0] entry_q [0:DEPTH-1];
    reg [ADDR-1:0]  write_q, read_q;
    reg [ADDR:0]    level_q;
    wire pop = pop_i && level_q != 0;
    always @(posedge clk_i) begin
        if (push_i) entry_q[write_q] <= data_i;
        if (rst_i) begin
            write_q <= {ADDR{1'b0}};
            read_q  <= {ADDR{1'b0}};
            level_q <= {(ADDR+1){1'b0}};
        end else begin
            write_q <= write_q + {{(ADDR-1){1'b0}}, push_i};
            read_q  <= read_q + {{(ADDR-1){1'b0}}, pop};
            level_q <= level_q + {{ADDR{1'b0}}, push_i} - {{ADDR{1'b0}}, pop};
        end
    end
    assign valid_o = level_q != 0;
    assign data_o  = entry_q[read_q];
    assign level_o = level_q;
endmodule
`default_nettype wire
