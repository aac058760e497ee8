// Two cores in one design: each is fed its own stimulus and held to its own golden outputs, one element per beat.
// Macros: A_TOP, A_MEM, A_IN, A_OUT (paths), A_INPUTS, A_OUTPUTS, A_STEPS, A_BITS; the same with B.
`default_nettype none
module pair (
    input  wire               clk,
    input  wire               resetn,
    input  wire [`A_BITS-1:0] a_x,
    input  wire [2:0]         a_flags,      // {tuser, tlast, tvalid}
    output wire               a_ready,
    output wire [`A_BITS-1:0] a_y,
    output wire [1:0]         a_result,     // {tlast, tvalid}
    input  wire [`B_BITS-1:0] b_x,
    input  wire [2:0]         b_flags,
    output wire               b_ready,
    output wire [`B_BITS-1:0] b_y,
    output wire [1:0]         b_result
);
    `A_TOP #(.MEM_DIR(`A_MEM)) u_a (
        .aclk(clk), .aresetn(resetn), .s_axis_tdata(a_x), .s_axis_tvalid(a_flags[0]),
        .s_axis_tready(a_ready), .s_axis_tlast(a_flags[1]), .s_axis_tuser(a_flags[2]),
        .m_axis_tdata(a_y), .m_axis_tvalid(a_result[0]), .m_axis_tready(1'b1),
        .m_axis_tlast(a_result[1]));
    `B_TOP #(.MEM_DIR(`B_MEM)) u_b (
        .aclk(clk), .aresetn(resetn), .s_axis_tdata(b_x), .s_axis_tvalid(b_flags[0]),
        .s_axis_tready(b_ready), .s_axis_tlast(b_flags[1]), .s_axis_tuser(b_flags[2]),
        .m_axis_tdata(b_y), .m_axis_tvalid(b_result[0]), .m_axis_tready(1'b1),
        .m_axis_tlast(b_result[1]));
endmodule

// Sends the words of IN, takes as many results as there are in OUT; counts what differs.
module port #(
    parameter INPUTS  = 1,
    parameter OUTPUTS = 1,
    parameter STEPS   = 1,
    parameter BITS    = 16,
    parameter IN      = "",
    parameter OUT     = ""
) (
    input  wire            clk,
    input  wire            resetn,
    output wire [BITS-1:0] x,
    output wire [2:0]      flags,
    input  wire            ready,
    input  wire [BITS-1:0] y,
    input  wire [1:0]      result,
    output wire            done,
    output reg [31:0]      wrong
);
    reg [BITS-1:0] stimulus [0:INPUTS*STEPS-1];
    reg [BITS-1:0] golden [0:OUTPUTS*STEPS-1];
    integer        sent, received;
    initial begin
        $readmemh(IN, stimulus);
        $readmemh(OUT, golden);
    end
    wire more = sent < INPUTS * STEPS;
    assign x     = more ? stimulus[sent] : {BITS{1'b0}};
    assign flags = {sent == 0, sent % INPUTS == INPUTS - 1, more && resetn};
    assign done  = received == OUTPUTS * STEPS;
    always @(posedge clk)
        if (!resetn) begin
            sent     <= 0;
            received <= 0;
            wrong    <= 0;
        end else begin
            if (flags[0] && ready) sent <= sent + 1;
            if (result[0]) begin
                received <= received + 1;
                if (done || y !== golden[received]
                    || result[1] !== (received % OUTPUTS == OUTPUTS - 1)) wrong <= wrong + 1;
            end
        end
endmodule

module tb_two_cores;
    reg clk = 1'b0, resetn = 1'b0;
    always #5 clk = !clk;
    wire [`A_BITS-1:0] a_x, a_y;
    wire [`B_BITS-1:0] b_x, b_y;
    wire [2:0]         a_flags, b_flags;
    wire [1:0]         a_result, b_result;
    wire               a_ready, b_ready, a_done, b_done;
    wire [31:0]        a_wrong, b_wrong;
    port #(.INPUTS(`A_INPUTS), .OUTPUTS(`A_OUTPUTS), .STEPS(`A_STEPS), .BITS(`A_BITS), .IN(`A_IN),
           .OUT(`A_OUT)) u_port_a (
        .clk(clk), .resetn(resetn), .x(a_x), .flags(a_flags), .ready(a_ready), .y(a_y),
        .result(a_result), .done(a_done), .wrong(a_wrong));
    port #(.INPUTS(`B_INPUTS), .OUTPUTS(`B_OUTPUTS), .STEPS(`B_STEPS), .BITS(`B_BITS), .IN(`B_IN),
           .OUT(`B_OUT)) u_port_b (
        .clk(clk), .resetn(resetn), .x(b_x), .flags(b_flags), .ready(b_ready), .y(b_y),
        .result(b_result), .done(b_done), .wrong(b_wrong));
    pair u_pair (
        .clk(clk), .resetn(resetn), .a_x(a_x), .a_flags(a_flags), .a_ready(a_ready), .a_y(a_y),
        .a_result(a_result), .b_x(b_x), .b_flags(b_flags), .b_ready(b_ready), .b_y(b_y),
        .b_result(b_result));
    initial begin
        repeat (8) @(posedge clk);
        resetn <= 1'b1;
        fork : waiting
            begin
                wait (a_done && b_done);
                disable waiting;
            end
            begin
                repeat (50000) @(posedge clk);
                disable waiting;
            end
        join
        repeat (200) @(posedge clk);
        $display("%0d and %0d results, %0d and %0d wrong", u_port_a.received, u_port_b.received,
                 a_wrong, b_wrong);
        $finish;
    end
endmodule
`default_nettype wire
