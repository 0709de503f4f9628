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
    assert (under_way_q <= Outstanding && unfinished <= Outstanding && unanswered <= Outstanding);
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

  // The last beat of a burst, by the rule that bursts.v has for their lengths: the row's last, the page's, or the 256th. Where rows stand in
  // the stages is told by what is still missing of them: bytes of the row, rows of the block.
  (* anyconst *) reg alt;
  (* anyconst *) reg [31:0] pitch;
  always @* assume (alt_i == alt && pitch_i == pitch);
  wire [1:0] shift = alt ? AltShift[1:0] : Shift[1:0];
  reg [BytesBits-1:0] taken = 0, beats = 0;  // bytes of the row in the funnel or gone, its beats that went
  reg [CountBits-1:0] rows = 0;  // of the block, this one included
  reg [7:0] since = 8'd0;  // beats of the burst that went
  wire [BytesBits:0] row_end = {1'b0, bytes_q} + row_low_q[Low-1:0];
  reg closed;  // the beat on offer is its burst's last
  wire its_last = (beats + 1'b1) * BusBytes >= row_end;
  wire [11:0] beat_place = row_low_q + beats * BusBytes;
  wire [11:0] after_beat = {beat_place[11:Low], {Low{1'b0}}} + BusBytes;
  wire closes = its_last | ~|after_beat | (&since);
  always @(posedge clk_i) begin
    if (start | (push & row_beat)) {taken, beats} <= 0;
    else begin
      if (step) taken <= taken + word_bytes_q;
      if (push) beats <= beats + 1'b1;
    end
    if (clear_i) rows <= 0;
    else if (start) rows <= m;
    else if (push & row_beat) rows <= rows - 1'b1;
    if (start) since <= 8'd0;
    else if (push) since <= closes ? 8'd0 : since + 8'd1;
    if (push) closed <= closes;
  end
  wire busy = reading_q | ~funnel_idle;
  wire [BytesBits:0] at_chunk = flush_q ? 0 : taken, end_chunk = at_chunk + word_bytes_q;
  wire [CountBits-1:0] of_chunk = rows - flush_q;
  wire [BytesBits:0] at_row = chunk_q ? (chunk_row_q ? 0 : end_chunk) : at_chunk, end_row = at_row + (some_q << shift);
  wire [CountBits-1:0] of_row = of_chunk - (chunk_q & chunk_row_q);
  wire [BytesBits:0] at_read = (|some_q) ? (ends_row_q ? 0 : end_row) : at_row, end_read = at_read + (read_cols_q << shift);
  wire [CountBits-1:0] of_read = of_row - ((|some_q) & ends_row_q);
  wire [BytesBits:0] at_next = read_q ? (read_row_ends_q ? 0 : end_read) : at_read;
  wire [CountBits-1:0] of_next = of_read - (read_q & read_row_ends_q);
  integer slot;
  always @* if (past) begin
    if (w_valid_o) assert (w_last_o == closed);
    for (slot = 0; slot < Waiting; slot = slot + 1)
      assert (!full[slot] || (slots[slot*(65+2*CountBits)+CountBits+:CountBits] != 0 && slots[slot*(65+2*CountBits)+:CountBits] != 0));
    for (slot = 1; slot < Waiting; slot = slot + 1) assert (full[slot-1] || !full[slot]);
  end
  always @* if (past && busy) begin
    assert (bytes_q != 0 && bytes_q == ({2'b00, n_q} << shift));
    assert (flush_q ? taken == bytes_q : taken < bytes_q);
    if (flush_q) assert (fill_q != 0 && flush_block_q == (rows == 1));
    if (flush_q | chunk_q | (|some_q) | read_q) assert (rows != 0);
    if (chunk_q) assert (word_bytes_q != 0 && word_bytes_q <= BusBytes && end_chunk <= bytes_q && of_chunk != 0);
    if (chunk_q) assert (chunk_row_q == (end_chunk == bytes_q) && chunk_block_q == (chunk_row_q & (of_chunk == 1)));
    if (|some_q) assert (some_q <= Cols && end_row <= bytes_q && of_row != 0);
    if (|some_q) assert (ends_row_q == (end_row == bytes_q) && ends_block_q == (ends_row_q & (of_row == 1)));
    if (read_q) assert (read_cols_q != 0 && read_cols_q <= Cols && end_read <= bytes_q && of_read != 0);
    if (read_q) assert (read_row_ends_q == (end_read == bytes_q) && read_block_ends_q == (read_row_ends_q & (of_read == 1)));
    assert (of_next == (reading_q ? m_q : 0));
    if (reading_q) assert (m_q != 0 && left_q != 0 && left_q <= n_q && at_next == (({2'b00, n_q} - left_q) << shift));
    else assert (at_next == 0);
    assert (fill_q < BusBytes && row_low_q[Low-1:0] + taken == beats * BusBytes + fill_q);
    assert (first_q == (beats == 0) && page_q == beat_place[11:Low] && burst_q == since);
    if (push) assert (row_beat == its_last && burst_ends == closes);
    assert (stored_o == (push & its_last & (rows == 1)));
  end
  // Rows follow each other at the pitch.
  always @(posedge clk_i) if (past && $past(past && push && row_beat && !start)) assert (row_low_q == $past(row_low_q) + pitch[11:0]);
  // Nothing stands still but for results, for the bursts of the block before, and for the bus.
  always @* if (past) begin
    if (some & results_q != 3'd0 & bursts_ready & !busy & !stop_i) assert (start);
    if (busy & unfinished > (w_valid_o & w_last_o) & (!w_valid_o | w_ready_i)) assert (read | (read_q & row_room) | chunk | step | push);
  end
