// dummy_top: a stand-in for a generated core, to test the testbench. Per step: s = (first ? 0 : s)
// + sum(x); y[j] = s * (j + 1) + bias[j], bias from a loadable memory. INPUTS 5, OUTPUTS 3, two
// 16-bit lanes. FAULT_* plants one fault each; SATURATIONS counts the steps with s negative.
`default_nettype none

module dummy_top (
    input  wire        aclk,
    input  wire        aresetn,
    input  wire [31:0] s_axis_tdata,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    input  wire        s_axis_tuser,
`ifdef LG_CONTROL
    input  wire [15:0] s_axil_awaddr,
    input  wire        s_axil_awvalid,
    output wire        s_axil_awready,
    input  wire [31:0] s_axil_wdata,
    input  wire [3:0]  s_axil_wstrb,
    input  wire        s_axil_wvalid,
    output wire        s_axil_wready,
    output wire [1:0]  s_axil_bresp,
    output wire        s_axil_bvalid,
    input  wire        s_axil_bready,
    input  wire [15:0] s_axil_araddr,
    input  wire        s_axil_arvalid,
    output wire        s_axil_arready,
    output wire [31:0] s_axil_rdata,
    output wire [1:0]  s_axil_rresp,
    output wire        s_axil_rvalid,
    input  wire        s_axil_rready,
`endif
    output wire [31:0] m_axis_tdata,
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire        m_axis_tlast
);

  localparam LATENCY = 7;

  reg  [15:0] sum_q, state_q;
  reg         first_q, out_valid_q, out_beat_q, working_q;
  reg  [3:0]  wait_q;
  reg  [31:0] steps_q, saturations_q, cycles_q, last_edge_q, interval_q, latency_q, since_x_q;
  reg         counting_q, second_q;
  reg         start_q;
  reg  [39:0] bias [0:3];                       // two words of a 40-bit memory:
                                                // the low 16 bits count
  wire        x_take = s_axis_tvalid && s_axis_tready;
  wire        y_take = m_axis_tvalid && m_axis_tready;
  wire        rst = !aresetn;
  wire [15:0] beat_sum = s_axis_tdata[15:0] + s_axis_tdata[31:16];
  wire [15:0] y0 = state_q + bias[0][15:0];
  wire [15:0] y1 = state_q * 16'd2 + bias[1][15:0];
  wire [15:0] y2 = state_q * 16'd3 + bias[2][39:24];

`ifdef FAULT_HANG
  assign s_axis_tready = start_q && !working_q && !out_valid_q && steps_q < 6;
`else
  assign s_axis_tready = start_q && !working_q && !out_valid_q;
`endif

  always @(posedge aclk) begin
    if (rst) begin
      sum_q <= 16'd0;
      first_q <= 1'b0;
      working_q <= 1'b0;
      wait_q <= 4'd0;
      state_q <= 16'd0;
    end else begin
      if (x_take) begin
        sum_q <= sum_q + beat_sum;
`ifdef FAULT_RESTART
        if (s_axis_tuser && steps_q == 0) first_q <= 1'b1;
`else
        if (s_axis_tuser) first_q <= 1'b1;
`endif
        if (s_axis_tlast) begin
          working_q <= 1'b1;
          wait_q <= 4'd0;
        end
      end
      if (working_q) begin
        wait_q <= wait_q + 4'd1;
        if (wait_q == LATENCY - 2) begin
          working_q <= 1'b0;
          state_q <= (first_q ? 16'd0 : state_q) + sum_q;
          sum_q <= 16'd0;
          first_q <= 1'b0;
        end
      end
    end
  end

  wire done = working_q && wait_q == LATENCY - 2;
`ifdef FAULT_LATE_RESET
  // A beat on offer outlives the first cycle of a reset.
  reg late_q;
  initial {out_valid_q, out_beat_q} = 2'd0;
  always @(posedge aclk) late_q <= rst;
  wire out_rst = late_q;
`else
  wire out_rst = rst;
`endif
  always @(posedge aclk) begin
    if (out_rst) begin
      out_valid_q <= 1'b0;
      out_beat_q <= 1'b0;
    end else if (done) begin
`ifdef FAULT_LOST
      out_valid_q <= steps_q != 32'd5;
`else
      out_valid_q <= 1'b1;
`endif
    end else if (y_take) begin
      out_beat_q <= !out_beat_q;
`ifdef FAULT_EXTRA
      if (out_beat_q && steps_q != 32'd7) out_valid_q <= 1'b0;
`else
      if (out_beat_q) out_valid_q <= 1'b0;
`endif
    end
`ifdef FAULT_UNSTABLE_VALID
    else if (m_axis_tvalid && steps_q > 3) out_valid_q <= !out_valid_q;
`endif
  end

  reg [15:0] flicker_q;
  always @(posedge aclk)
    flicker_q <= rst ? 16'd0 : (m_axis_tvalid && !m_axis_tready) ? flicker_q + 16'd1 : 16'd0;

  wire [31:0] clean = out_beat_q ? {16'd0, y2} : {y1, y0};
`ifdef FAULT_DATA
  assign m_axis_tdata = clean ^ (steps_q == 32'd4 && out_beat_q ? 32'd1 : 32'd0);
`elsif FAULT_PADDING
  assign m_axis_tdata = out_beat_q ? {16'd1, y2} : {y1, y0};
`elsif FAULT_X
  assign m_axis_tdata = steps_q == 32'd4 ? {clean[31:3], 1'bx, clean[1:0]} : clean;
`elsif FAULT_STALL_DATA
  assign m_axis_tdata = clean ^ {16'd0, flicker_q};
`else
  assign m_axis_tdata = clean;
`endif
`ifdef FAULT_X_VALID
  assign m_axis_tvalid = steps_q == 32'd3 && out_beat_q ? 1'bx : out_valid_q;
`else
  assign m_axis_tvalid = out_valid_q;
`endif
`ifdef FAULT_TLAST
  assign m_axis_tlast = out_beat_q && steps_q != 32'd5;
`elsif FAULT_EARLY_TLAST
  assign m_axis_tlast = out_beat_q || steps_q == 32'd5;
`else
  assign m_axis_tlast = out_beat_q;
`endif

  // Counters.
`ifdef FAULT_RESET
  initial steps_q = 32'd0;
`endif
  always @(posedge aclk) begin
    if (rst) begin
`ifndef FAULT_RESET
      steps_q <= 32'd0;
`endif
      saturations_q <= 32'd0;
      cycles_q <= 32'd0;
      counting_q <= 1'b0;
      last_edge_q <= 32'd0;
      interval_q <= 32'd0;
      latency_q <= 32'd0;
      since_x_q <= 32'd0;
      second_q <= 1'b0;
    end else begin
      if (x_take) counting_q <= 1'b1;
      if (x_take || counting_q) cycles_q <= cycles_q + 32'd1;
      since_x_q <= x_take && s_axis_tlast ? 32'd1 : since_x_q + 32'd1;
      if (m_axis_tvalid && m_axis_tlast && !second_q) begin
        latency_q <= since_x_q;
        second_q <= 1'b1;
      end
      if (y_take && out_beat_q) begin
        second_q <= 1'b0;
`ifdef FAULT_STEPS
        steps_q <= steps_q + (steps_q == 32'd6 ? 32'd2 : 32'd1);
`else
        steps_q <= steps_q + 32'd1;
`endif
        last_edge_q <= cycles_q;
`ifdef FAULT_INTERVAL
        interval_q <= cycles_q - last_edge_q + 32'd1;
`else
        interval_q <= cycles_q - last_edge_q;
`endif
`ifdef FAULT_SATURATIONS
        if (state_q[15] && steps_q != 32'd4) saturations_q <= saturations_q + 32'd1;
`else
        if (state_q[15]) saturations_q <= saturations_q + 32'd1;
`endif
      end
    end
  end

`ifdef LG_CONTROL
  // Registers.
  reg         bvalid_q, rvalid_q, high_q;
  reg  [31:0] rdata_q, low_word_q;
  reg  [19:0] word_q;
  reg  [11:0] memory_q;
  wire        write = s_axil_awvalid && s_axil_wvalid && !bvalid_q;
  wire        read = s_axil_arvalid && !rvalid_q;
  assign s_axil_awready = write;
  assign s_axil_wready = write;
  assign s_axil_arready = read;
  reg         refused_q;
`ifdef FAULT_BEYOND
  wire        beyond = 1'b0;
`else
  wire        beyond = memory_q != 12'd0 || word_q > 20'd3;
`endif
`ifdef FAULT_REPEATED
  wire [15:0] waddr = {8'd0, s_axil_awaddr[7:0]}, raddr = {8'd0, s_axil_araddr[7:0]};
`else
  wire [15:0] waddr = s_axil_awaddr, raddr = s_axil_araddr;
`endif
`ifdef FAULT_WSTRB
  wire        strobe = 1'b1;
`else
  wire        strobe = s_axil_wstrb[0];
`endif
`ifdef FAULT_BRESP
  assign s_axil_bresp = 2'd2;
`else
  assign s_axil_bresp = {refused_q, 1'b0};
`endif
  assign s_axil_rresp = 2'd0;
  assign s_axil_bvalid = bvalid_q;
  assign s_axil_rvalid = rvalid_q;
`ifdef FAULT_RDATA_HOLD
  assign s_axil_rdata = rdata_q + (s_axil_rready ? 32'd0 : 32'd1);
`else
  assign s_axil_rdata = rdata_q;
`endif

  always @(posedge aclk) begin
    if (rst) begin
      bvalid_q <= 1'b0;
      rvalid_q <= 1'b0;
      start_q <= 1'b0;
      high_q <= 1'b0;
    end else begin
      if (write) bvalid_q <= 1'b1;
      else if (s_axil_bready) bvalid_q <= 1'b0;
`ifdef FAULT_RVALID_HOLD
      if (read) rvalid_q <= 1'b1;
      else rvalid_q <= 1'b0;
`else
      if (read) rvalid_q <= 1'b1;
      else if (s_axil_rready) rvalid_q <= 1'b0;
`endif
      if (write) begin
        refused_q <= waddr == 16'h2C && beyond;
        case (waddr)
          16'h24: if (strobe) start_q <= s_axil_wdata[0];
          16'h28: begin
            {memory_q, word_q} <= s_axil_wdata;
            high_q <= 1'b0;
          end
          16'h2C: if (!beyond) begin
            high_q <= !high_q;
            low_word_q <= s_axil_wdata;
            if (high_q) begin
              bias[word_q[1:0]] <= {s_axil_wdata[7:0], low_word_q};
              word_q <= word_q + 20'd1;
            end
          end
          default: ;
        endcase
      end
      if (read) begin
        case (raddr)
          16'h00: rdata_q <= 32'h4C53544D;
          16'h04: rdata_q <= 32'h00000100;
`ifdef FAULT_BUSY
          16'h08: rdata_q <= {30'd0, start_q, 1'b1};
`else
          16'h08: rdata_q <= {30'd0, start_q, working_q || out_valid_q};
`endif
          16'h0C: rdata_q <= steps_q;
`ifdef FAULT_CYCLES
          16'h10: rdata_q <= 32'd1000 - cycles_q;
`else
          16'h10: rdata_q <= cycles_q;
`endif
          16'h18: rdata_q <= interval_q;
          16'h1C: rdata_q <= latency_q;
          16'h20: rdata_q <= saturations_q;
          16'h30: rdata_q <= 32'hCAFE1234;
          default: rdata_q <= 32'd0;
        endcase
      end
    end
  end
`else
  always @(posedge aclk) start_q <= !rst;
  initial $readmemh("mem/bias.hex", bias);
`endif

endmodule

`default_nettype wire
