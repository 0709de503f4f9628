  // At most Outstanding bursts are under way; no beat, word or place is lost or used twice.
  always @(posedge clk_i) begin
    if (!past) assume (clear_i);
    assume (!push_i || room_o);
    assume (!beat_i || !beat_last_i || under_way_q != 5'd0);  // the bus answers what was asked for
    assume (!(soon_i && soon_q == 2'd2) && !(free_i && free_q == 2'd2));  // two places there are
    assume (soon_q != 2'd3 && (!begin_block || free_q != 2'd0));
    if (past && $past(stop_i) && !$past(clear_i)) assume (stop_i);
  end
  // These stay while there are blocks.
  (* anyconst *) reg along, alt;
  always @* assume (along_i == along && alt_i == alt && (!beat_i || beat_room_o));
  always @* if (past) begin
    assert (under_way_q <= Outstanding);
    assert (soon_q <= 2'd2 && free_q <= 2'd2);
    if (burst_issue) assert (under_way_q < Outstanding && !stop_i);
    if (ask) assert (ask_some && take_room && soon_q != 2'd0);
    if (begin_block) assert (take_some && free_q != 2'd0);
    if (beat_i & ~stop_i) assert (beat_room);
    if (pop & ~stop_i) assert (beat_some);
    if (give & ~plan_none_q) assert (beat_full[0] && !skip_q);
    if (plan & ~none_q) assert (count <= left_q);
    if (idle_o) assert (under_way_q == 5'd0 && !burst_valid_o);
  end
  // A word goes as soon as its beats are here.
  always @(posedge clk_i) if (past && !$past(clear_i) && $past(plan_q && !skip_q && beat_full[1])) assert (word_o);
