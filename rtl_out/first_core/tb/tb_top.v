// tb_top: simulation top for first_core_top; the VPI program lstmgen_tb.c drives and reads the public
// signals (see public.vlt). Signals that are read or written together share one vector: a VPI
// access costs more than a bit.
`timescale 1ns / 1ns
`default_nettype none

module tb_top;

  reg                     aclk = 1'b0;
  // {s_axis_tuser[1], m_axis_tready, s_axis_tuser[0], s_axis_tlast, s_axis_tvalid, aresetn}; tuser[1] with
  // network.output: last
  reg  [5:0]              drive_flags = 6'd0;
  reg  [16-1:0] drive_data = {16{1'b0}};
  // {rready, bready, arvalid, wvalid, awvalid}
  reg  [4:0]              axil_flags = 5'd0;
  // {araddr, wstrb, awaddr, wdata}
  reg  [67:0]             axil_request = 68'd0;

  // {rvalid, bvalid, arready, wready, awready, m_axis_tlast, m_axis_tvalid, s_axis_tready}
  wire [7:0]              dut_flags;
  wire [16-1:0] dut_data;
  // {rresp, bresp, rdata}
  wire [35:0]             axil_reply;

`ifndef LG_CONTROL
  assign dut_flags[7:3] = 5'd0;
  assign axil_reply = 36'd0;
`endif

  first_core_top dut (
`ifdef LG_CONTROL
      .s_axil_awaddr (axil_request[47:32]),
      .s_axil_awvalid(axil_flags[0]),
      .s_axil_awready(dut_flags[3]),
      .s_axil_wdata  (axil_request[31:0]),
      .s_axil_wstrb  (axil_request[51:48]),
      .s_axil_wvalid (axil_flags[1]),
      .s_axil_wready (dut_flags[4]),
      .s_axil_bresp  (axil_reply[33:32]),
      .s_axil_bvalid (dut_flags[6]),
      .s_axil_bready (axil_flags[3]),
      .s_axil_araddr (axil_request[67:52]),
      .s_axil_arvalid(axil_flags[2]),
      .s_axil_arready(dut_flags[5]),
      .s_axil_rdata  (axil_reply[31:0]),
      .s_axil_rresp  (axil_reply[35:34]),
      .s_axil_rvalid (dut_flags[7]),
      .s_axil_rready (axil_flags[4]),
`endif
      .aclk          (aclk),
      .aresetn       (drive_flags[0]),
      .s_axis_tdata  (drive_data),
      .s_axis_tvalid (drive_flags[1]),
      .s_axis_tready (dut_flags[0]),
      .s_axis_tlast  (drive_flags[2]),
`ifdef LG_LAST
      .s_axis_tuser  ({drive_flags[5], drive_flags[3]}),
`else
      .s_axis_tuser  (drive_flags[3]),
`endif
      .m_axis_tdata  (dut_data),
      .m_axis_tvalid (dut_flags[1]),
      .m_axis_tready (drive_flags[4]),
      .m_axis_tlast  (dut_flags[2])
  );

`ifdef LG_WAVES
  initial begin
    $dumpfile("waves.fst");
    $dumpvars(0, tb_top);
  end
`endif

endmodule

`default_nettype wire
