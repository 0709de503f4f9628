  // A job that was taken ends once, under its tag, or a soft reset drops it; nothing else ends.
  reg running = 1'b0, failed = 1'b0;
  reg [15:0] its_tag;
  reg [3:0] opened = 4'd0;  // blocks of C that are pushed and not stored
  always @(posedge clk_i) begin
    if (!past) assume (!rst_ni);
    assume (!stored_i || opened != 4'd0);
    assume (!room_i || opened < 4'd6);  // the store takes four, and has one in hand
    if (job_ready_o & job_valid_i) its_tag <= job_data_i[$high(job_data_i)-:16];
    running <= rst_ni & ((job_ready_o & job_valid_i) | (running & ~done_o & ~soft_idle_o));
    failed <= rst_ni & running & ~done_o & ~soft_idle_o & (failed | (walking & wrong));
    opened <= (!rst_ni | clear_o) ? 4'd0 : opened + (push_o & last_o) - stored_i;
  end
  wire sound = done_o & (done_code_o == CodeNone) & ~none;
  always @* if (past) begin
    assert (!running || (busy_o && !job_ready_o && tag == its_tag));
    assert (!busy_o || running || stop_o || soft_idle_o);
    assert (!done_o || running);
    assert ({1'b0, open_q} == opened);
    assert (!failed || stop_o || soft_idle_o || (done_o && done_code_o != CodeNone));
    assert (!push_o || (running && !failed && room_i && !stop_o));
    assert (!sound || opened == 4'd0);
    // What each state knows.
    assert (state_q <= Soft && (state_q < Check || state_q > Drain || running));
    assert (!(state_q == Stop | state_q == Clear) || soft_q || failed);
    assert (!failed || (running && code_q != CodeNone));
  end
  // Nothing is cleared, and no job is well, before the bus is idle; nothing stands still but for the bus, the parts' room and the store.
  wire waits = (state_q == Push & ~room_i) | (state_q == Drain & ~(open_q == 3'd0 & idle_i)) | (state_q == Stop & ~idle_i);
  always @(posedge clk_i) if (past && $past(past & rst_ni)) begin
    if (clear_o) assert ($past(idle_i & stop_o));
    if (sound) assert ($past(idle_i));
    if ($past(busy_o & ~waits) && state_q == $past(state_q)) assert (state_q == Multiply && bit_q == $past(bit_q) - 4'd1);
  end

  // Any element of any product, of sizes up to 7 and 3 products: its block is pushed once, in its turn, with the marks that it should have.
  (* anyconst *) reg [1:0] at_batch;
  (* anyconst *) reg [2:0] at_m, at_n, at_k;
  wire inside = (at_batch < batch) & (at_m < m) & (at_n < n) & (at_k < k | (k == 24'd0 & at_k == 3'd0));
  always @* assume (m < 24'd8 && n < 24'd8 && k < 24'd8 && batch < 24'd4);
  wire [23:0] from_batch = batch - batch_q, from_m = m - m_q, from_n = n - n_q, from_k = k - k_q;
  wire covers = (from_batch == at_batch) & (from_m <= at_m) & (at_m < from_m + m_o) & (from_n <= at_n) & (at_n < from_n + n_o)
      & (from_k <= at_k) & (at_k < from_k + k_o | k == 24'd0);
  // The order of blocks: products, rows, columns, K.
  wire [10:0] its_turn = {at_batch, 3'd0 | at_m / BlockM[2:0], 3'd0 | at_n / BlockN[2:0], 3'd0 | at_k / BlockK[2:0]};
  wire [10:0] turn = {from_batch[1:0], 3'd0 | from_m[2:0] / BlockM[2:0], 3'd0 | from_n[2:0] / BlockN[2:0], 3'd0 | from_k[2:0] / BlockK[2:0]};
  reg seen = 1'b0;
  always @(posedge clk_i) seen <= running & (state_q != Set) & (seen | (push_o & covers));
  wire sized = (state_q == Push) | (state_q == Step);
  always @* if (past && (state_q == Size | sized)) begin
    assert (batch_q != 24'd0 && batch_q <= batch && m_q != 24'd0 && m_q <= m && n_q != 24'd0 && n_q <= n && k_q <= k);
    assert (from_m % BlockM == 0 && from_n % BlockN == 0 && from_k % BlockK == 0 && (k_q != 24'd0 || k == 24'd0));
    assert (first_o == (from_k == 24'd0));
    if (inside) assert (seen == ((state_q == Step) ? its_turn <= turn : its_turn < turn));
    if (sized) begin
      assert (last_o == (from_k + BlockK >= k) && last_n == (from_n + BlockN >= n) && last_m == (from_m + BlockM >= m));
      assert (last_batch == (batch_q == 24'd1));
      assert (m_o == (last_m ? m_q : BlockM) && n_o == (last_n ? n_q : BlockN) && k_o == (last_o ? k_q : BlockK));
    end
  end
  always @* if (past && inside) begin
    if (push_o & covers) assert (!seen);
    if (state_q == Drain | sound) assert (seen);
  end
  always @* if (past && state_q > Check && state_q <= Drain) assert (!none);

  // Where a block lies: the job's addresses at first; along K a block's step further; with the next column of C back at the row's first block of A,
  // and a column of B further; with the next row back at the first column of B; with the next product a stride further than the last one began.
  function [64:0] times(input [2:0] number, input [31:0] step);
    times = ({65{number[0]}} & step) + ({65{number[1]}} & {step, 1'b0}) + ({65{number[2]}} & {step, 2'b00});
  endfunction
  wire [64:0] a_down = a_along_k ? times(BlockM, lda) : BlockM << a_shift, a_across = a_along_k ? BlockK << a_shift : times(BlockK, lda);
  wire [64:0] b_down = b_along_k ? BlockK << b_shift : times(BlockK, ldb), b_across = b_along_k ? times(BlockN, ldb) : BlockN << b_shift;
  wire [64:0] c0_down = times(BlockM, ldc0), c_down = times(BlockM, ldc), c0_across = BlockN << c0_shift, c_across = BlockN << c_shift;
  reg [64:0] a_product, a_row, a_block, b_product, b_column, b_block, c0_product, c0_row, c0_block, c_product, c_row, c_block;
  always @(posedge clk_i) begin
    if (state_q == Set) begin
      {a_product, a_row, a_block} <= {3{1'b0, a}};
      {b_product, b_column, b_block} <= {3{1'b0, b}};
      {c0_product, c0_row, c0_block} <= {3{1'b0, c0}};
      {c_product, c_row, c_block} <= {3{1'b0, c}};
    end else if (state_q == Step & ~last_k) begin
      a_block <= a_block + a_across;
      b_block <= b_block + b_down;
    end else if (state_q == Step & ~last_n) begin
      a_block <= a_row;
      {b_column, b_block} <= {2{b_column + b_across}};
      c0_block <= c0_block + c0_across;
      c_block <= c_block + c_across;
    end else if (state_q == Step & ~last_m) begin
      {a_row, a_block} <= {2{a_row + a_down}};
      {b_column, b_block} <= {2{b_product}};
      {c0_row, c0_block} <= {2{c0_row + c0_down}};
      {c_row, c_block} <= {2{c_row + c_down}};
    end else if (state_q == Step) begin
      {a_product, a_row, a_block} <= {3{a_product + stride_a}};
      {b_product, b_column, b_block} <= {3{b_product + stride_b}};
      {c0_product, c0_row, c0_block} <= {3{c0_product + stride_c0}};
      {c_product, c_row, c_block} <= {3{c_product + stride_c}};
    end
  end
  wire [4:0] bits_gone = bit_q + 5'd1;
  always @* if (past) begin
    if (state_q == Multiply) begin
      assert (bit_q < CountBits);
      assert (a_far_q == times(a_times >> bits_gone, lda) && b_far_q == times(b_times >> bits_gone, ldb));
      assert (c0_far_q == times(c_times >> bits_gone, ldc0) && c_far_q == times(c_times >> bits_gone, ldc));
    end
    if (state_q == Set | state_q == Size | sized) begin
      assert (a_far_q == times(a_times, lda) && b_far_q == times(b_times, ldb));
      assert (c0_far_q == c0_down && c_far_q == c_down);
    end
    if (state_q == Size | sized) begin
      assert (a_batch_q == a_product && a_row_q == a_row && a_address_o == a_block);
      assert (b_batch_q == b_product && b_col_q == b_column && b_address_o == b_block);
      assert (c0_batch_q == c0_product && c0_row_q == c0_row && c0_address_o == c0_block);
      assert (c_batch_q == c_product && c_row_q == c_row && c_address_o == c_block);
    end
  end
