// What the register port shows: steps sent, cycles since reset, cycles between the last beats of
// the two latest steps, cycles from the last x beat taken to the last output beat offered (of a
// step that started in an idle core).
`default_nettype none
module lg_counters #(
    parameter LANES = 1
) (
    input  wire             clk_i,
    input  wire             rst_i,
    input  wire             idle_i,        // nothing is under way
    input  wire             x_last_i,      // last x beat of a step taken
    input  wire             y_last_i,      // last output beat of a step taken
    input  wire             y_offered_i,   // last output beat of a step offered
    input  wire [LANES-1:0] saturated_i,
    output reg  [31:0]      steps_q,
    output reg  [63:0]      cycles_q,
    output reg  [31:0]      interval_q,
    output reg  [31:0]      latency_q,
    output reg  [31:0]      saturations_q
);
    reg [31:0] since_y_q, since_x_q;
    reg        timing_q;
    reg [7:0]  count_q;
    integer    lane;
    reg [7:0]  count;
    always @* begin
        count = 8'd0;
        for (lane = 0; lane < LANES; lane = lane + 1) count = count + {7'd0, saturated_i[lane]};
    end
    always @(posedge clk_i) begin
        if (rst_i) begin
            steps_q       <= 32'd0;
            cycles_q      <= 64'd0;
            interval_q    <= 32'd0;
            latency_q     <= 32'd0;
            saturations_q <= 32'd0;
            since_y_q     <= 32'd0;
            since_x_q     <= 32'd0;
            timing_q      <= 1'b0;
            count_q       <= 8'd0;
        end else begin
            cycles_q      <= cycles_q + 64'd1;
            count_q       <= count;
            saturations_q <= saturations_q + {24'd0, count_q};
            since_y_q     <= y_last_i ? 32'd1 : since_y_q + 32'd1;
            since_x_q     <= x_last_i && idle_i ? 32'd1 : since_x_q + 32'd1;
            if (y_last_i) begin
                steps_q    <= steps_q + 32'd1;
                interval_q <= since_y_q;
            end
            if (x_last_i && idle_i) timing_q <= 1'b1;
            else if (timing_q && y_offered_i) begin
                timing_q  <= 1'b0;
                latency_q <= since_x_q;
            end
        end
    end
endmodule
`default_nettype wire
