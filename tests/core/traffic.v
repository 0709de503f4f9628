// A stand-in for daa_core, for the harness's own tests: a job copies M beats from A to C, in bursts of at most 16. The
// register STRIDE_C0 names a fault, 0 for none.
`default_nettype none

module daa_core #(
    parameter integer Bytes = 16
) (
    input  wire               clk_i,
    input  wire               rst_ni,
    input  wire [       11:0] s_axil_awaddr,
    input  wire [        2:0] s_axil_awprot,
    input  wire               s_axil_awvalid,
    output wire               s_axil_awready,
    input  wire [       31:0] s_axil_wdata,
    input  wire [        3:0] s_axil_wstrb,
    input  wire               s_axil_wvalid,
    output wire               s_axil_wready,
    output wire [        1:0] s_axil_bresp,
    output wire               s_axil_bvalid,
    input  wire               s_axil_bready,
    input  wire [       11:0] s_axil_araddr,
    input  wire [        2:0] s_axil_arprot,
    input  wire               s_axil_arvalid,
    output wire               s_axil_arready,
    output wire [       31:0] s_axil_rdata,
    output wire [        1:0] s_axil_rresp,
    output wire               s_axil_rvalid,
    input  wire               s_axil_rready,
    output wire [        3:0] m_axi_awid,
    output wire [       63:0] m_axi_awaddr,
    output wire [        7:0] m_axi_awlen,
    output wire [        2:0] m_axi_awsize,
    output wire [        1:0] m_axi_awburst,
    output wire               m_axi_awvalid,
    input  wire               m_axi_awready,
    output wire [8*Bytes-1:0] m_axi_wdata,
    output wire [  Bytes-1:0] m_axi_wstrb,
    output wire               m_axi_wlast,
    output wire               m_axi_wvalid,
    input  wire               m_axi_wready,
    input  wire [        3:0] m_axi_bid,
    input  wire [        1:0] m_axi_bresp,
    input  wire               m_axi_bvalid,
    output wire               m_axi_bready,
    output wire [        3:0] m_axi_arid,
    output wire [       63:0] m_axi_araddr,
    output wire [        7:0] m_axi_arlen,
    output wire [        2:0] m_axi_arsize,
    output wire [        1:0] m_axi_arburst,
    output wire               m_axi_arvalid,
    input  wire               m_axi_arready,
    input  wire [        3:0] m_axi_rid,
    input  wire [8*Bytes-1:0] m_axi_rdata,
    input  wire [        1:0] m_axi_rresp,
    input  wire               m_axi_rlast,
    input  wire               m_axi_rvalid,
    output wire               m_axi_rready,
    output wire               irq_o
);

  localparam [2:0] Idle = 0, Ask = 1, Read = 2, Give = 3, Write = 4, Answer = 5, End = 6;
  wire job_valid, soft_reset;
  wire [630:0] job;
  reg [2:0] state_q;
  reg [63:0] from_q, to_q;
  reg [23:0] left_q;
  reg [4:0] fault_q, count_q, at_q;
  reg [3:0] code_q, wobble_q;
  reg [15:0] tag_q;
  reg [8*Bytes-1:0] word[0:31];
  reg more_q;

  // Beats up to a border of 4 KB, and in a burst.
  wire [11:0] from_page = 12'd0 - from_q[11:0], to_page = 12'd0 - to_q[11:0];
  wire [31:0] from_room = (from_page == 12'd0) ? 4096 / Bytes : {20'd0, from_page} / Bytes;
  wire [31:0] to_room = (to_page == 12'd0) ? 4096 / Bytes : {20'd0, to_page} / Bytes;
  wire [31:0] room = (fault_q == 5'd3) ? 32'd16 : (from_room < to_room) ? from_room : to_room;
  wire [31:0] most = (room < 32'd16) ? room : 32'd16;
  wire [4:0] beats = ({8'd0, left_q} < most) ? left_q[4:0] : most[4:0];
  wire last = at_q == count_q - 5'd1;
  wire done = state_q == End;

  assign m_axi_arid = (fault_q == 5'd6) ? 4'd5 : 4'd0;
  assign m_axi_araddr = (fault_q == 5'd1) ? from_q + {56'd0, wobble_q, 4'd0} : from_q;
  assign m_axi_arlen = {3'd0, beats - 5'd1};
  assign m_axi_arsize = (fault_q == 5'd4) ? 3'd2 : $clog2(Bytes);
  assign m_axi_arburst = (fault_q == 5'd5) ? 2'b00 : 2'b01;
  assign m_axi_arvalid = (state_q == Ask) & ((fault_q != 5'd2) | wobble_q[1]);
  assign m_axi_rready = (state_q == Read) & ((fault_q != 5'd13) | ~last);
  assign m_axi_awid = (fault_q == 5'd16) ? 4'd1 : 4'd0;
  assign m_axi_awaddr = (fault_q == 5'd14) ? from_q : (fault_q == 5'd9) ? to_q + 64'd4 : to_q;
  assign m_axi_awlen = {3'd0, beats - 5'd1};
  assign m_axi_awsize = $clog2(Bytes);
  assign m_axi_awburst = 2'b01;
  assign m_axi_awvalid = (state_q == Give) & ((fault_q != 5'd12) | wobble_q[1]);
  assign m_axi_wdata = (fault_q == 5'd11) ? word[at_q] ^ {2 * Bytes{wobble_q}} : word[at_q];
  assign m_axi_wstrb = (fault_q == 5'd8) ? {Bytes{wobble_q[0]}} : {Bytes{1'b1}};
  assign m_axi_wlast = (fault_q == 5'd7) ? at_q == 5'd0 : last;
  assign m_axi_wvalid = state_q == Write;
  assign m_axi_bready = (fault_q == 5'd15) ? m_axi_bvalid : state_q == Answer;

  daa_regs u_regs (
      .clk_i(clk_i), .rst_ni(rst_ni), .irq_o(irq_o),
      .axil_awaddr_i(s_axil_awaddr), .axil_awvalid_i(s_axil_awvalid), .axil_awready_o(s_axil_awready),
      .axil_wdata_i(s_axil_wdata), .axil_wstrb_i(s_axil_wstrb), .axil_wvalid_i(s_axil_wvalid),
      .axil_wready_o(s_axil_wready), .axil_bresp_o(s_axil_bresp), .axil_bvalid_o(s_axil_bvalid),
      .axil_bready_i(s_axil_bready), .axil_araddr_i(s_axil_araddr), .axil_arvalid_i(s_axil_arvalid),
      .axil_arready_o(s_axil_arready), .axil_rdata_o(s_axil_rdata), .axil_rresp_o(s_axil_rresp),
      .axil_rvalid_o(s_axil_rvalid), .axil_rready_i(s_axil_rready),
      .job_valid_o(job_valid), .job_ready_i(state_q == Idle), .job_data_o(job),
      .done_i(done), .done_code_i(code_q), .done_tag_i(tag_q), .soft_reset_o(soft_reset),
      .soft_idle_i(soft_reset & (state_q == Idle)),
      .count_busy_i(state_q != Idle), .count_wait_a_i(1'b0), .count_wait_b_i(1'b0), .count_wait_c_i(1'b0),
      .count_steps_i(1'b0), .count_macs_i(0), .count_read_beat_i(m_axi_rvalid & m_axi_rready),
      .count_write_bytes_i((m_axi_wvalid & m_axi_wready) ? Bytes : 8'd0),
      .count_read_burst_i(m_axi_arvalid & m_axi_arready), .count_write_burst_i(m_axi_awvalid & m_axi_awready)
  );

  always @(posedge clk_i) begin
    wobble_q <= wobble_q + 4'd1;
    if (!rst_ni) begin
      state_q <= Idle;
      wobble_q <= 4'd0;
      fault_q <= 5'd0;
      more_q <= 1'b0;
    end else
      case (state_q)
        Idle:
        if (job_valid & ~soft_reset) begin
          {from_q, to_q, left_q} <= {job[0+:64], job[192+:64], job[256+:24]};
          {fault_q, tag_q} <= {job[544+:5], job[615+:16]};
          code_q <= 4'd0;
          state_q <= (job[256+:24] == 24'd0) ? End : Ask;
        end
        Ask:
        if (m_axi_arvalid & m_axi_arready) begin
          {count_q, at_q} <= {beats, 5'd0};
          state_q <= (fault_q == 5'd10) ? Ask : Read;
        end
        Read:
        if (m_axi_rvalid & m_axi_rready) begin
          word[at_q] <= m_axi_rdata;
          at_q <= last ? 5'd0 : at_q + 5'd1;
          if (m_axi_rresp != 2'b00) code_q <= 4'd2;
          if (last) state_q <= Give;
        end
        Give: if (m_axi_awvalid & m_axi_awready) state_q <= Write;
        Write:
        if (m_axi_wvalid & m_axi_wready) begin
          at_q <= at_q + 5'd1;
          if (last) state_q <= Answer;
        end
        Answer:
        if (m_axi_bvalid & m_axi_bready) begin
          if (m_axi_bresp != 2'b00) code_q <= 4'd5;
          from_q <= from_q + count_q * Bytes;
          to_q <= to_q + count_q * Bytes;
          left_q <= left_q - {19'd0, count_q};
          state_q <= ((left_q == {19'd0, count_q}) | soft_reset | (code_q != 4'd0)) ? End : Ask;
        end
        default: state_q <= Idle;
      endcase
  end

endmodule

`default_nettype wire
