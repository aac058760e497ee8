// first_core_pins: first_core_top behind four pins, to place and route the core alone on a part that has fewer pins than the
// core has ports. Its inputs come from a shift register, its outputs go into another; nothing is left out, so that no
// logic of the core is removed. What the two registers cost is counted apart (syn/first_core_pins.stat.txt).
`default_nettype none
module first_core_pins (
    input  wire aclk,
    input  wire shift_i,
    input  wire load_i,                 // outputs of the core into the shift register
    output wire shift_o
);
    localparam STREAM  = 16;
    localparam CONTROL = 1;
    localparam INPUTS  = STREAM + 5 + 73 * CONTROL;
    localparam OUTPUTS = STREAM + 3 + 41 * CONTROL;
    reg  [INPUTS-1:0]  drive_q;
    reg  [OUTPUTS-1:0] seen_q;
    wire [OUTPUTS-1:0] seen;
    always @(posedge aclk) begin
        drive_q <= {drive_q[INPUTS-2:0], shift_i};
        seen_q  <= load_i ? seen : {seen_q[OUTPUTS-2:0], drive_q[INPUTS-1]};
    end
    assign shift_o = seen_q[OUTPUTS-1];

    first_core_top u_core (
        .s_axil_awaddr (drive_q[STREAM+5 +: 16]),
        .s_axil_awvalid(drive_q[STREAM+21]),
        .s_axil_awready(seen[STREAM+3]),
        .s_axil_wdata  (drive_q[STREAM+22 +: 32]),
        .s_axil_wstrb  (drive_q[STREAM+54 +: 4]),
        .s_axil_wvalid (drive_q[STREAM+58]),
        .s_axil_wready (seen[STREAM+4]),
        .s_axil_bresp  (seen[STREAM+5 +: 2]),
        .s_axil_bvalid (seen[STREAM+7]),
        .s_axil_bready (drive_q[STREAM+59]),
        .s_axil_araddr (drive_q[STREAM+60 +: 16]),
        .s_axil_arvalid(drive_q[STREAM+76]),
        .s_axil_arready(seen[STREAM+8]),
        .s_axil_rdata  (seen[STREAM+9 +: 32]),
        .s_axil_rresp  (seen[STREAM+41 +: 2]),
        .s_axil_rvalid (seen[STREAM+43]),
        .s_axil_rready (drive_q[STREAM+77]),
        .aclk          (aclk),
        .aresetn       (drive_q[0]),
        .s_axis_tdata  (drive_q[5 +: STREAM]),
        .s_axis_tvalid (drive_q[1]),
        .s_axis_tready (seen[0]),
        .s_axis_tlast  (drive_q[2]),
        .s_axis_tuser  (drive_q[3]),
        .m_axis_tdata  (seen[3 +: STREAM]),
        .m_axis_tvalid (seen[1]),
        .m_axis_tready (drive_q[4]),
        .m_axis_tlast  (seen[2])
    );
endmodule
`default_nettype wire
