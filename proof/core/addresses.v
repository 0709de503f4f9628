  wire sized = (state_q == Push) | (state_q == Step);
  always @(posedge clk_i) if (!past) assume (!rst_ni);
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
