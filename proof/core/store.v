  // Writes: at most Outstanding bursts without their answer, no beat before its burst; what is on offer stays.
  reg held = 1'b0;
  reg [WordBits+BusBytes:0] was;
  reg aw_held = 1'b0;
  reg [71:0] aw_was;
  // Bursts whose address was put on offer, whose last beat was taken, that were answered.
  reg [4:0] unfinished = 5'd0, unanswered = 5'd0;
  wire ended = w_valid_o & w_ready_i & w_last_o;
  always @(posedge clk_i) begin
    if (!past) assume (clear_i);
    assume (!push_i || room_o);
    assume (!b_valid_i || unanswered != 5'd0);
    if (past && $past(stop_i) && !$past(clear_i)) assume (stop_i);
    assume (m_i != 0 && n_i != 0);
    assume (!results_i || results_q < 3'd4);
    held <= w_valid_o & ~w_ready_i & ~clear_i;
    was <= {w_data_o, w_strobe_o, w_last_o};
    aw_held <= aw_valid_o & ~aw_ready_i & ~clear_i;
    aw_was <= {aw_address_o, aw_length_o};
    unfinished <= clear_i ? 5'd0 : unfinished + issue - ended;
    unanswered <= clear_i ? 5'd0 : unanswered + ended - b_valid_i;
  end
  always @* if (past) begin
    if (held) assert (w_valid_o && {w_data_o, w_strobe_o, w_last_o} == was);
    if (aw_held) assert (aw_valid_o && {aw_address_o, aw_length_o} == aw_was);
    assert (under_way_q == unfinished + unanswered);
    assert (under_way_q <= Outstanding);
    assert (unfinished == ahead_q + (w_valid_q & w_last_q));
    if (w_valid_o) assert (unfinished != 5'd0);
    if (w_valid_q & ~w_last_q) assert (ahead_q != 5'd0);
    if (issue) assert (under_way_q < Outstanding && !stop_i);
    if (push) assert (ahead_q != 5'd0);
    if (start) assert (some && results_q != 3'd0 && !stop_i);
    if (idle_o) assert (!aw_valid_o && !w_valid_o && unfinished == 5'd0 && unanswered == 5'd0);
    if (free_o) assert (read_q && row_room);
    // Numbers are handed on whole.
    if (read_room & read) assert (~read_q | row_room);
    if (|some_q) assert (count != 0 && count <= left);
  end
