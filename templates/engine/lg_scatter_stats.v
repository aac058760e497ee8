// Thresholds of a delta network, which the register port may change at any time, and counters since
// reset: elements not sent, columns worked on by all arrays and by the busiest one.
`default_nettype none
module lg_scatter_stats #(
    parameter VALUE   = 16,
    parameter LANES   = 4,
    parameter ARRAYS  = 2,
    parameter DELTA_X = 0,    // thresholds after reset
    parameter DELTA_H = 0,
    parameter BANK    = $clog2(LANES + 1)
) (
    input  wire              clk_i,
    input  wire              rst_i,
    input  wire [1:0]        we_i,          // thresholds of x, of h
    input  wire [31:0]       wdata_i,
    output reg  [VALUE-1:0]  threshold_x_q,
    output reg  [VALUE-1:0]  threshold_h_q,
    input  wire              seen_i,        // see lg_scatter
    input  wire              seen_h_i,
    input  wire [BANK-1:0]   seen_lanes_i,
    input  wire [LANES-1:0]  sent_i,
    input  wire [ARRAYS-1:0] taken_i,
    output wire [6*32-1:0]   read_o         // busiest, columns, skipped h, skipped x, threshold h,
                                            // threshold x
);
    localparam [VALUE-1:0] START_X = DELTA_X, START_H = DELTA_H;
    localparam TURNS = ARRAYS > 4 ? ARRAYS : 4;     // a total is stored 3 cycles after its turn
    localparam PICK  = $clog2(TURNS);
    localparam SOME  = $clog2(TURNS + 1);
    localparam TAKEN = $clog2(ARRAYS + 1);
    localparam [PICK-1:0] LAST_PICK = TURNS - 1, ONE_PICK = 1;
    always @(posedge clk_i) begin
        if (rst_i)        threshold_x_q <= START_X;
        else if (we_i[0]) threshold_x_q <= wdata_i[VALUE-1:0];
        if (rst_i)        threshold_h_q <= START_H;
        else if (we_i[1]) threshold_h_q <= wdata_i[VALUE-1:0];
    end

    // ---- elements
    reg [BANK-1:0]  sent, skipped_q;
    reg [TAKEN-1:0] taken, taken_q;
    reg             skipped_h_q;
    integer         k;
    always @* begin
        sent  = {BANK{1'b0}};
        taken = {TAKEN{1'b0}};
        for (k = 0; k < LANES; k = k + 1)  sent  = sent + {{(BANK-1){1'b0}}, sent_i[k]};
        for (k = 0; k < ARRAYS; k = k + 1) taken = taken + {{(TAKEN-1){1'b0}}, taken_i[k]};
    end
    reg [31:0] skipped_x_count_q, skipped_h_count_q, columns_q;
    always @(posedge clk_i) begin
        skipped_q   <= seen_i && !rst_i ? seen_lanes_i - sent : {BANK{1'b0}};
        skipped_h_q <= seen_h_i;
        taken_q     <= rst_i ? {TAKEN{1'b0}} : taken;
        if (rst_i) begin
            skipped_x_count_q <= 32'd0;
            skipped_h_count_q <= 32'd0;
            columns_q         <= 32'd0;
        end else begin
            if (!skipped_h_q)
                skipped_x_count_q <= skipped_x_count_q + {{(32-BANK){1'b0}}, skipped_q};
            if (skipped_h_q)
                skipped_h_count_q <= skipped_h_count_q + {{(32-BANK){1'b0}}, skipped_q};
            columns_q <= columns_q + {{(32-TAKEN){1'b0}}, taken_q};
        end
    end

    // ---- arrays: each has a small counter, which in its turn is added to the array's total in a
    // memory; the largest total so far is the busiest array's
    reg [ARRAYS*SOME-1:0] some_q;
    reg [PICK-1:0]        pick_q;
    reg                   again_q;      // totals are valid: not the first round after reset
    reg [SOME-1:0]        picked;
    wire [PICK-1:0]       pick2, pick3;
    wire                  again2;
    wire [SOME-1:0]       picked2;
    wire [31:0]           total;
    reg [31:0]            total_q, busiest_q;
    genvar array;
    generate
        for (array = 0; array < ARRAYS; array = array + 1) begin : gen_count
            wire [SOME-1:0] taken_here = {{(SOME-1){1'b0}}, taken_i[array]};
            always @(posedge clk_i)
                if (rst_i)
                    some_q[array*SOME +: SOME] <= {SOME{1'b0}};
                else if (pick_q == array[PICK-1:0])        some_q[array*SOME +: SOME] <= taken_here;
                else some_q[array*SOME +: SOME] <= some_q[array*SOME +: SOME] + taken_here;
        end
    endgenerate
    integer a;
    always @* begin
        picked = {SOME{1'b0}};
        for (a = 0; a < ARRAYS; a = a + 1)
            if (pick_q == a[PICK-1:0]) picked = picked | some_q[a*SOME +: SOME];
    end
    lg_delay_reset #(.WIDTH(SOME + 1), .LATENCY(2)) u_picked (
        .clk_i(clk_i), .rst_i(rst_i), .d_i({again_q, picked}), .q_o({again2, picked2}));
    lg_delay #(.WIDTH(PICK), .LATENCY(2)) u_pick2 (.clk_i(clk_i), .d_i(pick_q), .q_o(pick2));
    lg_delay #(.WIDTH(PICK), .LATENCY(1)) u_pick3 (.clk_i(clk_i), .d_i(pick2), .q_o(pick3));
    lg_ram_small #(.WIDTH(32), .DEPTH(TURNS)) u_total (
        .clk_i(clk_i), .we_i(1'b1), .waddr_i(pick3), .wdata_i(total_q), .raddr_i(pick_q),
        .rdata_o(total));
    always @(posedge clk_i) begin
        if (rst_i) begin
            pick_q    <= {PICK{1'b0}};
            again_q   <= 1'b0;
            total_q   <= 32'd0;
            busiest_q <= 32'd0;
        end else begin
            pick_q  <= pick_q == LAST_PICK ? {PICK{1'b0}} : pick_q + ONE_PICK;
            again_q <= again_q || pick_q == LAST_PICK;
            total_q <= (total & {32{again2}}) + {{(32-SOME){1'b0}}, picked2};
            if (total_q > busiest_q) busiest_q <= total_q;
        end
    end
    wire [31:0] threshold_x = {{(32-VALUE){1'b0}}, threshold_x_q};
    wire [31:0] threshold_h = {{(32-VALUE){1'b0}}, threshold_h_q};
    wire        unused_data = ^wdata_i;
    assign read_o = {busiest_q, columns_q, skipped_h_count_q, skipped_x_count_q, threshold_h,
                     threshold_x};
endmodule
`default_nettype wire
