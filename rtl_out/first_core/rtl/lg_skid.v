// Two-entry buffer that registers both directions of a valid/ready stream: ready never depends on
// ready_i in the same cycle, data hold until taken. Latency 1, throughput 1.
`default_nettype none
module lg_skid #(
    parameter WIDTH = 8      // bits
) (
    input  wire             clk_i,
    input  wire             rst_i,
    input  wire             valid_i,
    output wire             ready_o,
    input  wire [WIDTH-1:0] data_i,
    output wire             valid_o,
    input  wire             ready_i,
    output wire [WIDTH-1:0] data_o
);
    reg             valid_q, spare_q, ready_q;
    reg [WIDTH-1:0] data_q, spare_data_q;
    wire take = valid_i && ready_q;
    wire give = valid_q && ready_i;
    always @(posedge clk_i) begin
        if (rst_i) begin
            valid_q <= 1'b0;
            spare_q <= 1'b0;
            ready_q <= 1'b0;
        end else begin
            valid_q <= (valid_q && !give) || spare_q || take;
            spare_q <= (spare_q && valid_q && !give) || (take && valid_q && !give);
            ready_q <= !((spare_q && valid_q && !give) || (take && valid_q && !give));
        end
        if (give || !valid_q) data_q <= spare_q ? spare_data_q : data_i;
        if (take) spare_data_q <= data_i;
    end
    assign ready_o = ready_q;
    assign valid_o = valid_q;
    assign data_o  = data_q;
endmodule
`default_nettype wire
