  // What is on offer stays, lies within a page, and goes on where the last burst ended.
  reg [63:0] held_address;
  reg [7:0] held_length;
  reg held = 1'b0;
  reg [8:0] rows_left = 9'd0;  // bursts still to come are told by what the module holds
  always @(posedge clk_i) begin
    if (!past) assume (clear_i);
    assume (!start_i || (ready_o && !stop_i));
    assume (rows_i != 0 && bytes_i != 0);
    // These stay while rows go; the bytes come a cycle after the start.
    if (past && !$past(ready_o) && !$past(start_i)) assume (pitch_i == $past(pitch_i) && bytes_i == $past(bytes_i));
    if (past && $past(stop_i) && !$past(clear_i)) assume (stop_i);
    held <= valid_o & ~ready_i & ~clear_i;
    held_address <= address_o;
    held_length <= length_o;
  end
  wire [12:0] last_byte = {1'b0, address_o[11:0]} + ({5'd0, length_o} << Low) + BusBytes - 1;
  always @* if (past) begin
    if (held) begin
      assert (valid_o);
      assert (address_o == held_address);
      assert (length_o == held_length);
    end
    if (valid_o) assert (last_byte < 13'd4096);
    // What is left of the row and of the page.
    if (busy_q & row_q) begin
      assert (beats_q != 0 && page_q != 0 && page_q <= Page);
      assert (page_q == Page - at_q[11:Low]);
      assert (length != 0 && length <= Most && length <= page_q && length <= beats_q);
    end
    if (valid_q) assert (length_q <= Most - 1);
  end
  // Something happens soon where nothing outside holds it back.
  reg [1:0] idle = 2'd0;
  always @(posedge clk_i) idle <= (clear_i | ~busy_q | take | stop_i | ~room_i | (valid_q & ~ready_i)) ? 2'd0 : idle + 2'd1;
  always @* if (past) assert (idle < 2'd2 && (idle == 2'd0 || (row_q && busy_q)));

  // A row's bursts: the first begins with its first beat, each next one where the last one ended; they are a row's beats in all. Each ends
  // with the row's last beat, at the end of a page, or with 256 beats, whichever comes first. Rows follow each other at the pitch.
  reg [64:0] row = 65'd0;
  reg [64:Low] goes_on;
  reg [LenBits-1:0] gone = 0, beats = 0;
  wire [11:Low] until = at_q[11:Low] + length;
  always @(posedge clk_i) begin
    if (start_i) row <= address_i;
    else if (busy_q & ~row_q) row <= row + pitch_i;
    if (busy_q & ~row_q) begin
      goes_on <= row[64:Low];
      gone <= 0;
      beats <= (row[Low-1:0] + bytes_i + BusBytes - 1) >> Low;
    end else if (take) begin
      goes_on <= at_q + length;
      gone <= gone + length;
    end
  end
  always @* if (past && busy_q) begin
    assert (next_q == row);
    if (row_q) begin
      assert (at_q == goes_on && gone < beats && beats_q == beats - gone);
      assert (ends == (gone + length == beats));
      assert (ends || until == 0 || length == Most);
    end
  end
