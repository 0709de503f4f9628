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
