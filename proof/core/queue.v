  always @(posedge clk_i) if (!past) assume (clear_i);
  // One item that came at any time is followed: its place among those that wait, and that it comes out there, unchanged.
  (* anyconst *) reg [Width-1:0] item;
  reg tracked = 1'b0;
  reg [7:0] ahead;  // items before it
  reg [7:0] waiting = 8'd0;
  (* anyseq *) reg pick;
  always @(posedge clk_i) begin
    assume (!push_i || room_o);
    assume (!pop_i || some_o);
    waiting <= clear_i ? 8'd0 : waiting + push_i - pop_i;
    if (clear_i | (tracked & pop_i & ahead == 8'd0)) tracked <= 1'b0;
    else if (!tracked & push_i & pick & data_i == item) begin
      tracked <= 1'b1;
      ahead <= waiting - pop_i;
    end else if (tracked & pop_i) ahead <= ahead - 8'd1;
  end
  integer s;
  always @* if (past) begin
    assert (waiting <= Depth);
    assert (some_o == (waiting != 8'd0));
    assert (room_o == (waiting != Depth));
    for (s = 0; s < Depth; s = s + 1) assert (full_o[s] == (waiting > s));
    if (tracked) begin
      assert (ahead < waiting);
      assert (slots_o[ahead*Width+:Width] == item);
    end
  end
