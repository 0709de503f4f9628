  // AXI4-Lite: an answer to each request and to none else, that stays until it is taken.
  reg b_held = 1'b0, r_held = 1'b0;
  reg [1:0] b_was, r_was;
  reg [31:0] data_was;
  reg [1:0] aw_open = 2'd0, w_open = 2'd0, ar_open = 2'd0;  // requests without their answer
  wire b_taken = axil_bvalid_o & axil_bready_i, r_taken = axil_rvalid_o & axil_rready_i;
  always @(posedge clk_i) begin
    if (!past) assume (!rst_ni);
    b_held <= rst_ni & axil_bvalid_o & ~axil_bready_i;
    r_held <= rst_ni & axil_rvalid_o & ~axil_rready_i;
    {b_was, r_was, data_was} <= {axil_bresp_o, axil_rresp_o, axil_rdata_o};
    aw_open <= rst_ni ? aw_open + (axil_awvalid_i & axil_awready_o) - b_taken : 2'd0;
    w_open <= rst_ni ? w_open + (axil_wvalid_i & axil_wready_o) - b_taken : 2'd0;
    ar_open <= rst_ni ? ar_open + (axil_arvalid_i & axil_arready_o) - r_taken : 2'd0;
  end
  always @* if (past) begin
    if (b_held) assert (axil_bvalid_o && axil_bresp_o == b_was);
    if (r_held) assert (axil_rvalid_o && axil_rresp_o == r_was && axil_rdata_o == data_was);
    assert (aw_open == aw_full_q + b_full_q);
    assert (w_open == w_full_q + b_full_q);
    assert (ar_open == ar_full_q + r_full_q);
    if (axil_bvalid_o) assert (aw_open != 2'd0 && w_open != 2'd0);
    if (axil_rvalid_o) assert (ar_open != 2'd0);
  end
  // Nothing waits for long inside.
  reg [1:0] write_waits = 2'd0, read_waits = 2'd0;
  always @(posedge clk_i) begin
    write_waits <= (rst_ni & aw_full_q & w_full_q & (~axil_bvalid_o | axil_bready_i)) ? write_waits + 2'd1 : 2'd0;
    read_waits <= (rst_ni & ar_full_q & (~axil_rvalid_o | axil_rready_i)) ? read_waits + 2'd1 : 2'd0;
  end
  always @* if (past) assert (write_waits < 2'd3 && read_waits < 2'd3);

  // What was written to one of the eight address registers, byte by byte, is what is read; other writes leave it.
  (* anyconst *) reg [2:0] which;
  reg [11:0] to;
  reg [31:0] given, model = 32'd0;
  reg [3:0] strobe;
  reg was_read = 1'b0;
  reg [31:0] expected;
  always @(posedge clk_i) begin
    if (axil_awvalid_i & axil_awready_o) to <= axil_awaddr_i;
    if (axil_wvalid_i & axil_wready_o) {strobe, given} <= {axil_wstrb_i, axil_wdata_i};
    if (!rst_ni) model <= 32'd0;
    else if (write & to[11:2] == {7'd4, which}) begin
      if (strobe[0]) model[7:0] <= given[7:0];
      if (strobe[1]) model[15:8] <= given[15:8];
      if (strobe[2]) model[23:16] <= given[23:16];
      if (strobe[3]) model[31:24] <= given[31:24];
    end
    if (!rst_ni) was_read <= 1'b0;
    else if (read) begin
      was_read <= read_word_q == {7'd4, which};
      expected <= model;
    end
  end
  always @* if (past) begin
    assert (shadow_q[which*32+:32] == model);
    if (aw_full_q) assert (to[11:2] == write_word_q);
    if (w_full_q) assert (given == write_data_q && strobe == write_strb_q);
    if (axil_rvalid_o & was_read) assert (axil_rdata_o == expected && axil_rresp_o == 2'b00);
  end

  // Jobs: none is lost, none is there twice, in order; a start is refused exactly where there is no room.
  reg tracked = 1'b0;
  reg [3:0] ahead;  // jobs before the one that is followed, that on offer included
  reg [AtBits-1:0] slot;  // its place in the memory
  (* anyseq *) reg pick;
  wire [4:0] slot_due = read_at + (ahead - offer_q);
  always @(posedge clk_i) begin
    if (clear | (tracked & take & ahead == 4'd0)) tracked <= 1'b0;
    else if (~tracked & push & pick) {tracked, ahead, slot} <= {1'b1, waiting_q - {3'd0, take}, write_at};
    else if (tracked & take) ahead <= ahead - 4'd1;
    // The core ends no job that it did not take, and is still before soft_idle_i.
    assume (!done_i || left_q > waiting_q);
    assume (!job_ready_i || left_q == waiting_q);  // it runs one at a time
  end
  wire [4:0] distance = (write_at >= read_at) ? write_at - read_at : write_at + Queue - read_at;
  always @* if (past) begin
    assert (waiting_q <= Queue && waiting_q == stored_q + offer_q);
    assert (stored_q <= Queue && write_at < Queue && read_at < Queue);
    assert (distance == ((stored_q == Queue) ? 5'd0 : {1'b0, stored_q}));
    assert (left_q >= waiting_q);
    if (tracked) begin
      assert (ahead < waiting_q);
      if (!(offer_q && ahead == 4'd0)) assert (slot == ((slot_due >= Queue) ? slot_due - Queue : slot_due));
    end
    if (start) assert (refuse == (waiting_q == Queue || resetting_q) && push == ~refuse);
  end
  always @(posedge clk_i) if (past && $past(rst_ni && refuse)) assert (irq_refused_q);
