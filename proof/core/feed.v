  // Blocks of up to two tiles each way come with room, operands where there is a place for them.
  localparam integer BlockM = 2 * Rows, BlockN = 2 * Cols, BlockK = AWord * AWords;
  reg [1:0] a_used = 2'd0, b_used = 2'd0;  // places that are loaded and not given back
  always @(posedge clk_i) begin
    if (!past) assume (clear_i);
    assume (!push_i || (room_o && m_i != 0 && m_i <= BlockM && n_i != 0 && n_i <= BlockN && k_i <= BlockK));
    assume (!(a_loaded_i && a_used == 2'd2) && !(b_loaded_i && b_used == 2'd2) && !(c0_loaded_i && c0_in_q == 2'd2));
    a_used <= clear_i ? 2'd0 : a_used + a_loaded_i - free_o;
    b_used <= clear_i ? 2'd0 : b_used + b_loaded_i - free_o;
  end
  integer slot;
  always @* if (past) begin
    for (slot = 0; slot < Waiting; slot = slot + 1) if (full[slot]) begin
      assert (slots[slot*BlockBits+2*CountBits+3+:CountBits] != 0 && slots[slot*BlockBits+2*CountBits+3+:CountBits] <= BlockM);
      assert (slots[slot*BlockBits+CountBits+3+:CountBits] != 0 && slots[slot*BlockBits+CountBits+3+:CountBits] <= BlockN);
      assert (slots[slot*BlockBits+3+:CountBits] <= BlockK);
    end
    for (slot = 1; slot < Waiting; slot = slot + 1) assert (full[slot-1] || !full[slot]);
    // A place is used by the block that runs, or waits for it.
    assert (a_used == a_in_q + active_q && b_used == b_in_q + active_q);
    assert (!asked_q || (some && (!first || c0_in_q != 2'd0)));
    if (start_o) assert (some && asked_q && a_in_q != 2'd0 && b_in_q != 2'd0 && (!first || c0_in_q != 2'd0));
    if (ask_o) assert (some && !asked_q && sums_room_i);
  end

  // The step that is read: every one of every tile, once, in its turn; its words lie where the banks have put them.
  reg [CountBits-1:0] block_m, block_n, block_k, row, col, from_k;
  reg place = 1'b1;  // blocks take the banks' two places in turns
  wire [31:0] a_first = place * ABlock, b_first = place * BBlock;
  always @(posedge clk_i) begin
    place <= clear_i | (place ^ start_o);
    if (start_o) {block_m, block_n, block_k, row, col, from_k} <= {m, n, k, {3 * CountBits{1'b0}}};
    else if (go & (from_k + Streams >= block_k)) begin
      from_k <= 0;
      col <= (col + Cols >= block_n) ? 0 : col + Cols;
      if (col + Cols >= block_n) row <= row + Rows;
    end else if (go) from_k <= from_k + Streams;
  end
  // As daa_tiles says it, which has its own proof.
  always @* assume (!active_q || (rows == ((block_m - row < Rows) ? block_m - row : Rows) && cols == ((block_n - col < Cols) ? block_n - col : Cols)
      && last_col == (block_n - col <= Cols) && last_tile == (block_m - row <= Rows && block_n - col <= Cols)));
  reg said = 1'b0;  // soon
  always @(posedge clk_i) said <= ~clear_i & ~start_o & (said | soon_o);
  always @* if (past) assert (bank_q == ~place);
  always @* if (past && active_q) begin
    assert (block_m <= BlockM && block_n <= BlockN && block_k <= BlockK && row < block_m && col < block_n);
    assert (row % Rows == 0 && col % Cols == 0 && from_k % Streams == 0 && (from_k < block_k || (block_k == 0 && from_k == 0)));
    assert (k_q == block_k && left_q == block_k - from_k);
    assert (a_tile_q == a_first + row / Rows * AWords && a_at_q == a_tile_q + from_k / AWord);
    assert (b_first_q == b_first && b_tile_q == b_first + col / Cols * BWords && b_at_q == b_tile_q + from_k / BWord);
    assert (step_q[StepBits-2:0] == from_k / Streams % (1 << (StepBits - 1)));
    assert (a_word_begins == (from_k % AWord == 0) && b_word_begins == (from_k % BWord == 0));
    assert (ends == (from_k + Streams >= block_k && row + Rows >= block_m && col + Cols >= block_n));
    assert (said == !soon_q && !(soon_o && said));
    if (free_o) assert (said || soon_o);
  end

  // What is read is offered, once, and stays until it is taken.
  reg held = 1'b0;
  reg [1:0] between = 2'd0;
  reg [Rows*Streams*ABits+Cols*Streams*BBits+2:0] was;
  always @(posedge clk_i) begin
    held <= valid_o & ~ready_i & ~clear_i;
    was <= {a_data_o, b_data_o, last_o, c0_o, more_mark_o};
    between <= clear_i ? 2'd0 : between + go - (valid_o & ready_i);
  end
  always @* if (past) begin
    assert (between == {1'b0, read_q} + show_q);
    if (held) assert (valid_o && {a_data_o, b_data_o, last_o, c0_o, more_mark_o} == was);
  end
  // Nothing stands still but for what a block waits for, and for the array.
  always @* if (past) begin
    if (some & !asked_q & (!first | c0_in_q != 2'd0) & sums_room_i) assert (ask_o);
    if (asked_q & a_in_q != 2'd0 & b_in_q != 2'd0 & !active_q) assert (start_o);
    if (active_q & (!valid_o | ready_i)) assert (go);
  end
  always @(posedge clk_i) if (past && !$past(clear_i) && $past(read_q & (!valid_o | ready_i))) assert (valid_o);
