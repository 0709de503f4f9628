// daa_core with a memory for its matrices; a host reaches both over a serial line (bridge.v says how).
// For a core of `daagen --core on --bus-bits 64` with the default prefix and ID width.
`default_nettype none

module system #(
    parameter integer BitCycles = 217,  // clock cycles of a bit on the serial line
    parameter integer Words = 8192  // of 64 bits, in memory
) (
    input  wire clk_i,
    input  wire rst_ni,
    input  wire serial_i,
    output wire serial_o,
    output wire irq_o,
    output wire busy_o
);

  // The host's accesses: to registers as AXI4-Lite, to memory by a port of its own.
  wire axil_awvalid, axil_awready, axil_wvalid, axil_wready, axil_bvalid, axil_bready;
  wire axil_arvalid, axil_arready, axil_rvalid, axil_rready;
  wire [1:0] axil_bresp, axil_rresp;
  wire [31:0] axil_rdata, host_address, host_data, memory_data;
  wire memory_valid, memory_write, memory_done;
  bridge #(
      .BitCycles(BitCycles)
  ) u_bridge (
      .clk_i(clk_i), .rst_ni(rst_ni), .serial_i(serial_i), .serial_o(serial_o), .busy_o(busy_o),
      .address_o(host_address), .data_o(host_data),
      .axil_awvalid_o(axil_awvalid), .axil_awready_i(axil_awready), .axil_wvalid_o(axil_wvalid), .axil_wready_i(axil_wready),
      .axil_bvalid_i(axil_bvalid), .axil_bready_o(axil_bready), .axil_arvalid_o(axil_arvalid), .axil_arready_i(axil_arready),
      .axil_rvalid_i(axil_rvalid), .axil_rready_o(axil_rready), .axil_rdata_i(axil_rdata),
      .memory_valid_o(memory_valid), .memory_write_o(memory_write), .memory_done_i(memory_done), .memory_data_i(memory_data)
  );

  wire [3:0] awid, bid, arid, rid;
  wire [63:0] awaddr, araddr, wdata, rdata;
  wire [7:0] awlen, arlen, wstrb;
  wire [1:0] bresp, rresp;
  wire awvalid, awready, wvalid, wready, wlast, bvalid, bready, arvalid, arready, rvalid, rready, rlast;
  daa_core u_core (
      .clk_i(clk_i), .rst_ni(rst_ni), .irq_o(irq_o),
      .s_axil_awaddr(host_address[11:0]), .s_axil_awprot(3'b000), .s_axil_awvalid(axil_awvalid), .s_axil_awready(axil_awready),
      .s_axil_wdata(host_data), .s_axil_wstrb(4'b1111), .s_axil_wvalid(axil_wvalid), .s_axil_wready(axil_wready),
      .s_axil_bresp(axil_bresp), .s_axil_bvalid(axil_bvalid), .s_axil_bready(axil_bready),
      .s_axil_araddr(host_address[11:0]), .s_axil_arprot(3'b000), .s_axil_arvalid(axil_arvalid), .s_axil_arready(axil_arready),
      .s_axil_rdata(axil_rdata), .s_axil_rresp(axil_rresp), .s_axil_rvalid(axil_rvalid), .s_axil_rready(axil_rready),
      .m_axi_awid(awid), .m_axi_awaddr(awaddr), .m_axi_awlen(awlen), .m_axi_awsize(), .m_axi_awburst(), .m_axi_awlock(),
      .m_axi_awcache(), .m_axi_awprot(), .m_axi_awqos(), .m_axi_awvalid(awvalid), .m_axi_awready(awready),
      .m_axi_wdata(wdata), .m_axi_wstrb(wstrb), .m_axi_wlast(wlast), .m_axi_wvalid(wvalid), .m_axi_wready(wready),
      .m_axi_bid(bid), .m_axi_bresp(bresp), .m_axi_bvalid(bvalid), .m_axi_bready(bready),
      .m_axi_arid(arid), .m_axi_araddr(araddr), .m_axi_arlen(arlen), .m_axi_arsize(), .m_axi_arburst(), .m_axi_arlock(),
      .m_axi_arcache(), .m_axi_arprot(), .m_axi_arqos(), .m_axi_arvalid(arvalid), .m_axi_arready(arready),
      .m_axi_rid(rid), .m_axi_rdata(rdata), .m_axi_rresp(rresp), .m_axi_rlast(rlast), .m_axi_rvalid(rvalid), .m_axi_rready(rready)
  );

  memory #(
      .Words(Words)
  ) u_memory (
      .clk_i(clk_i), .rst_ni(rst_ni),
      .awid_i(awid), .awaddr_i(awaddr), .awvalid_i(awvalid), .awready_o(awready),
      .wdata_i(wdata), .wstrb_i(wstrb), .wlast_i(wlast), .wvalid_i(wvalid), .wready_o(wready),
      .bid_o(bid), .bresp_o(bresp), .bvalid_o(bvalid), .bready_i(bready),
      .arid_i(arid), .araddr_i(araddr), .arlen_i(arlen), .arvalid_i(arvalid), .arready_o(arready),
      .rid_o(rid), .rdata_o(rdata), .rresp_o(rresp), .rlast_o(rlast), .rvalid_o(rvalid), .rready_i(rready),
      .host_valid_i(memory_valid), .host_write_i(memory_write), .host_address_i(host_address), .host_data_i(host_data),
      .host_done_o(memory_done), .host_data_o(memory_data)
  );
  wire unused_ok = &{1'b0, axil_bresp, axil_rresp, awlen};

endmodule

`default_nettype wire
