  // Blocks come with room; they start after they were asked for. Rows come from the array for blocks that take them.
  always @(posedge clk_i) begin
    if (!past) assume (clear_i);
    assume (!(ask_i | start_i) || (room_o && m_i != 0 && m_i <= BlockM && n_i != 0 && n_i <= BlockN));
    assume (!c_valid_i || take_q);
    assume (!(c_valid_i & c_partial_i) || states_q < Depth);  // a place's states went before the next ones come to it
  end
  integer slot;
  always @* if (past) begin
    for (slot = 0; slot < Waiting; slot = slot + 1) begin
      if (give_full[slot]) begin
        assert (give_slots[slot*(2*CountBits+2)+CountBits+:CountBits] != 0 && give_slots[slot*(2*CountBits+2)+CountBits+:CountBits] <= BlockM);
        assert (give_slots[slot*(2*CountBits+2)+:CountBits] != 0 && give_slots[slot*(2*CountBits+2)+:CountBits] <= BlockN);
      end
      if (take_full[slot]) begin
        assert (take_slots[slot*(2*CountBits+2)+CountBits+:CountBits] != 0 && take_slots[slot*(2*CountBits+2)+CountBits+:CountBits] <= BlockM);
        assert (take_slots[slot*(2*CountBits+2)+:CountBits] != 0 && take_slots[slot*(2*CountBits+2)+:CountBits] <= BlockN);
      end
    end
    for (slot = 1; slot < Waiting; slot = slot + 1) begin
      assert (give_full[slot-1] || !give_full[slot]);
      assert (take_full[slot-1] || !take_full[slot]);
    end
  end

  // Rows go and come tile by tile, each from and to its place; the tile begins at this row and column of the block.
  reg [CountBits-1:0] give_m, give_n, give_down, give_right, take_m, take_n, take_down, take_right;
  wire give_col_ends = give_n - give_right <= Cols, take_col_ends = take_n - take_right <= Cols;
  always @(posedge clk_i) begin
    if (give_pop) {give_m, give_n, give_down, give_right} <= {give_slots[0+:2*CountBits], {2 * CountBits{1'b0}}};
    else if (give & give_row_ends) begin
      give_right <= give_col_ends ? 0 : give_right + Cols;
      if (give_col_ends) give_down <= give_down + Rows;
    end
    if (take_pop) {take_m, take_n, take_down, take_right} <= {take_slots[0+:2*CountBits], {2 * CountBits{1'b0}}};
    else if (c_valid_i & take_row_ends) begin
      take_right <= take_col_ends ? 0 : take_right + Cols;
      if (take_col_ends) take_down <= take_down + Rows;
    end
  end
  // As daa_tiles says it, which has its own proof.
  always @* assume (!give_q || (give_last_col == give_col_ends && give_last == (give_col_ends && give_m - give_down <= Rows)));
  always @* assume (!take_q || (take_last_col == take_col_ends && take_last == (take_col_ends && take_m - take_down <= Rows)));
  always @* if (past) begin
    if (give_q) begin
      assert (give_m <= BlockM && give_n <= BlockN && give_down < give_m && give_right < give_n && give_down % Rows == 0 && give_right % Cols == 0);
      assert (give_row_q < Rows && give_tiles_q == give_down / Rows * Across && give_at_q < Depth);
      assert (give_at_q == give_tiles_q + give_right / Cols * Rows + give_row_q);
    end
    if (take_q) begin
      assert (take_m <= BlockM && take_n <= BlockN && take_down < take_m && take_right < take_n && take_down % Rows == 0 && take_right % Cols == 0);
      assert (take_row_q < Rows && take_tiles_q == take_down / Rows * Across && take_at_q < Depth);
      assert (take_at_q == take_tiles_q + take_right / Cols * Rows + take_row_q);
    end
  end

  // States go only when they have come; a row on offer stays; results are told once, with the last row of the last block along K.
  reg [AtBits+1:0] came = 0;
  reg held = 1'b0, told = 1'b0;
  reg [1:0] was;
  always @(posedge clk_i) begin
    came <= clear_i ? 0 : came + (c_valid_i & c_partial_i) - (give & give_partial_q);
    held <= c0_valid_o & ~c0_ready_i & ~clear_i;
    was <= {c0_partial_o, c0_last_o};
    told <= ~clear_i & c_valid_i & take_q & ~take_more_q & (take_row_q == Rows - 1) & (take_m - take_down <= Rows) & (take_n - take_right <= Cols);
  end
  always @* if (past) begin
    assert (came <= Depth && states_q == came);
    if (give & give_partial_q) assert (came != 0);
    if (held) assert (c0_valid_o && {c0_partial_o, c0_last_o} == was);
    if (c0_valid_o & ~c0_ready_i) assert (!give);
    assert (results_o == told);
  end
  // Nothing stands still but for states that have not come, and for the array.
  always @* if (past) begin
    if (give_some & !give_q) assert (give_pop);
    if (take_some & !take_q) assert (take_pop);
    if (give_q & (!give_partial_q | came != 0) & (!c0_valid_o | c0_ready_i)) assert (give);
  end
