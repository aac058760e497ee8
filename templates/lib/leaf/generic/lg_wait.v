// lg_wait: a word that comes with push_i is at q_o LATENCY cycles later, for one cycle, with
// valid_o. It waits in LUT RAM: a delay line would take WIDTH registers for each cycle.
// Throughput: a word every EVERY cycles.
`default_nettype none

module lg_wait #(
    parameter WIDTH   = 16,  // bits of a word, >= 1
    parameter LATENCY = 20,  // cycles, >= 3
    parameter EVERY   = 1    // fewest cycles from a word to the next, >= 1
) (
    input  wire             clk_i,
    input  wire             rst_i,    // words under way are forgotten
    input  wire             push_i,
    input  wire [WIDTH-1:0] d_i,
    output wire             valid_o,
    output wire [WIDTH-1:0] q_o
);

    // words that wait at once, and one that is read while another is written
    localparam WORDS = (LATENCY + EVERY - 1) / EVERY + 1;
    localparam ADDR  = $clog2(WORDS);
    localparam [ADDR-1:0] ONE = 1;

    reg  [ADDR-1:0] write_q, read_q;
    wire            soon;
    lg_delay_reset #(.WIDTH(1), .LATENCY(LATENCY - 2)) u_soon (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(push_i), .q_o(soon));
    lg_delay_reset #(.WIDTH(1), .LATENCY(2)) u_valid (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(soon), .q_o(valid_o));
    lg_ram_small #(.WIDTH(WIDTH), .DEPTH(1 << ADDR)) u_words (
        .clk_i(clk_i), .we_i(push_i), .waddr_i(write_q), .wdata_i(d_i), .raddr_i(read_q),
        .rdata_o(q_o));
    always @(posedge clk_i)
        if (rst_i) begin
            write_q <= {ADDR{1'b0}};
            read_q  <= {ADDR{1'b0}};
        end else begin
            if (push_i) write_q <= write_q + ONE;
            if (soon)   read_q  <= read_q + ONE;
        end

endmodule

`default_nettype wire
