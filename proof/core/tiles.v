  // Where the walk is: every tile of the block in its turn, from the start to the last one.
  reg walking = 1'b0;
  reg [CountBits-1:0] block_m, block_n, row, col;
  wire [CountBits-1:0] rows_left = block_m - row, cols_left = block_n - col;
  always @(posedge clk_i) begin
    assume (!start_i || (m_i != 0 && m_i <= (1 << (CountBits - 1)) && n_i != 0 && n_i <= (1 << (CountBits - 1))));
    walking <= start_i | (walking & ~(next_i & last_o));
    if (start_i) {block_m, block_n, row, col} <= {m_i, n_i, {2 * CountBits{1'b0}}};
    else if (next_i) begin
      col <= (cols_left <= Cols) ? 0 : col + Cols;
      if (cols_left <= Cols) row <= row + Rows;
    end
  end
  always @* if (past && walking) begin
    assert (block_m <= (1 << (CountBits - 1)) && block_n <= (1 << (CountBits - 1)) && row < block_m && col < block_n);
    assert (m_q == rows_left && n_q == cols_left && all_n_q == block_n);
    assert (rows_o == ((rows_left < Rows) ? rows_left : Rows) && cols_o == ((cols_left < Cols) ? cols_left : Cols));
    assert (last_col_o == (cols_left <= Cols) && last_o == (rows_left <= Rows && cols_left <= Cols));
  end
