// Output-stationary systolic array with 2 operand stream(s): C = A B + C0, Rows x Cols results per tile.
// --rows 16 --cols 16 --streams 2 --a-format bf16 --b-format bf16 --acc-format fp32 --out-format fp32
// --accumulator anchored --acc-bits 32 --acc-step 4 --lo-bits 4 --lo-round nearest --policy exponent --window 8
// --specials on --pipeline 3 --clock-gating off --prefix daa
//
// A transfer happens on a rising clock edge with valid and ready high. A step is Rows x 2 operands of A and
// Cols x 2 of B; a tile is one step or more, the last one marked. Result rows 0..Rows-1 of each tile follow in
// order. rst_ni is synchronous; the array's own sweep follows it. See docs/datasheet.md for the timing.
`default_nettype none

module daa_array #(
    parameter integer Rows       = 16,
    parameter integer Cols       = 16,
    parameter integer C0Rows     = Rows + Cols + 3,     // rows of C0 that wait inside: Rows or more
    parameter integer ResultRows = Rows + Cols + 10     // rows of results that wait inside: Rows or more
) (
    input  wire                      clk_i,        // everything happens on its rising edge
    input  wire                      rst_ni,       // reset, active low, synchronous
    input  wire                      a_valid_i,    // a step of A
    output wire                      a_ready_o,    // is taken
    input  wire [Rows*2*16-1:0]      a_data_i,     // row r, stream s at (r*2 + s)*16
    input  wire                      a_last_i,     // the tile's last step
    input  wire                      a_c0_i,       // on its first step: it starts from C0, else from +0
    input  wire                      b_valid_i,    // a step of B
    output wire                      b_ready_o,    // is taken
    input  wire [Cols*2*16-1:0]      b_data_i,     // column c, stream s at (c*2 + s)*16
    input  wire                      b_last_i,     // the tile's last step: as a_last_i
    input  wire                      c0_valid_i,   // a row of C0
    output wire                      c0_ready_o,   // is taken
    input  wire [Cols*32-1:0]        c0_data_i,    // column c at c*32
    input  wire                      c0_last_i,    // the tile's last row, row Rows-1
    output wire                      c_valid_o,    // a row of results
    input  wire                      c_ready_i,    // is taken
    output wire [Cols*32-1:0]        c_data_o,     // column c at c*32
    output wire                      c_last_o,     // the tile's last row, row Rows-1
    output wire                      error_o       // a last mark was not where it belongs; stays until reset
);

  localparam integer Streams = 2;
  localparam integer ABits = 16;
  localparam integer BBits = 16;
  localparam integer AccBits = 32;
  localparam integer OutBits = 32;
  localparam integer AOp = 18;  // bits of a decoded operand
  localparam integer BOp = 18;
  localparam integer StateBits = 42;  // of an accumulator, on the columns' buses

  // From the cycle after a step goes in to column 0's buffers: the read of its C0 row, the write of its result.
  localparam integer C0Lead = 1;
  localparam integer ResultLag = 9;

  // Control. What the rows and columns want goes to the first of each, and from there to the next one a cycle later, as
  // the operands of a step do. Two nets alone reach all columns: a row of C0 comes, a row of results goes.
  wire clear, read_from, go, first, last;
  wire [1:0] a_fill, b_fill;
  wire c0_write, c0_row, c0_done, result_row, result_done, result_read;
  daa_ctrl #(
      .Rows(Rows), .C0Rows(C0Rows), .ResultRows(ResultRows), .Sweep(Rows + Cols)
  ) u_ctrl (
      .clk_i(clk_i),
      .rst_ni(rst_ni),
      .a_valid_i(a_valid_i),
      .a_ready_o(a_ready_o),
      .a_last_i(a_last_i),
      .a_c0_i(a_c0_i),
      .b_valid_i(b_valid_i),
      .b_ready_o(b_ready_o),
      .b_last_i(b_last_i),
      .c0_valid_i(c0_valid_i),
      .c0_ready_o(c0_ready_o),
      .c0_last_i(c0_last_i),
      .c_valid_o(c_valid_o),
      .c_ready_i(c_ready_i),
      .c_last_o(c_last_o),
      .error_o(error_o),
      .clear_o(clear),
      .a_fill_o(a_fill),
      .b_fill_o(b_fill),
      .from_o(read_from),
      .go_o(go),
      .first_o(first),
      .last_o(last),
      .c0_write_o(c0_write),
      .c0_row_o(c0_row),
      .c0_done_i(c0_done),
      .result_row_o(result_row),
      .result_done_i(result_done),
      .result_read_o(result_read)
  );

  wire c0_first, result_first;  // column 0's turns
  daa_skew #(.Width(1), .Depth(C0Lead)) u_skew_c0 (.clk_i(clk_i), .d_i(c0_row), .q_o(c0_first));
  daa_skew #(.Width(1), .Depth(ResultLag)) u_skew_result (.clk_i(clk_i), .d_i(result_row), .q_o(result_first));

  genvar r, c, s;
  generate
    // Rules of the parameters: a module that is not there stops elaboration with their text.
    if (Rows < 1 || Rows > 256) begin : g_rule_rows
      daa_array_needs_Rows_from_1_to_256 rule ();
    end
    if (Cols < 1 || Cols > 256) begin : g_rule_cols
      daa_array_needs_Cols_from_1_to_256 rule ();
    end
    if (C0Rows < Rows) begin : g_rule_c0_rows
      daa_array_needs_C0Rows_of_Rows_or_more rule ();
    end
    if (ResultRows < Rows) begin : g_rule_result_rows
      daa_array_needs_ResultRows_of_Rows_or_more rule ();
    end

    // Rows: skew A by r, let it wait for its turn, decode it.
    for (r = 0; r < Rows; r = r + 1) begin : g_a
      wire row_clear, row_from, row_go, row_first, row_last;
      wire [1:0] row_fill;
      if (r == 0) begin : g_control
        assign {row_clear, row_fill, row_from, row_go, row_first, row_last} = {
            clear, a_fill, read_from, go, first, last};
      end else begin : g_later
        daa_stage #(.Width(7)) u_control (
            .clk_i(clk_i), .load_i(1'b1),
            .d_i({g_a[r-1].row_clear, g_a[r-1].row_fill, g_a[r-1].row_from, g_a[r-1].row_go,
                  g_a[r-1].row_first, g_a[r-1].row_last}),
            .q_o({row_clear, row_fill, row_from, row_go, row_first, row_last})
        );
      end

      wire [Streams*ABits-1:0] raw;
      wire [Streams*AOp-1:0] a;
      daa_skew #(.Width(Streams * ABits), .Depth(r)) u_skew (
          .clk_i(clk_i), .d_i(a_data_i[r*Streams*ABits+:Streams*ABits]), .q_o(raw)
      );
      for (s = 0; s < Streams; s = s + 1) begin : g_stream
        daa_decode #(
            .ExpBits(8), .FracBits(7), .Encoding(0), .Subnormals(0),
            .Specials(1), .ExpField(8), .ExpShift(-1)
        ) u_decode (
            .clk_i(clk_i), .clear_i(row_clear), .fill_i(row_fill), .from_i(row_from), .go_i(row_go),
            .data_i(raw[s*ABits+:ABits]), .op_o(a[s*AOp+:AOp])
        );
      end
    end

    // Columns: B likewise, by c; C0 out of its buffer to meet the first step in the accumulator; results into theirs.
    for (c = 0; c < Cols; c = c + 1) begin : g_b
      wire col_clear, col_from, col_go, c0_read, result_write;  // the last two: this column's turns
      wire [1:0] col_fill;
      if (c == 0) begin : g_control
        assign {col_clear, col_fill, col_from, col_go, c0_read, result_write} = {
            clear, b_fill, read_from, go, c0_first, result_first};
      end else begin : g_later
        daa_stage #(.Width(7)) u_control (
            .clk_i(clk_i), .load_i(1'b1),
            .d_i({g_b[c-1].col_clear, g_b[c-1].col_fill, g_b[c-1].col_from, g_b[c-1].col_go,
                  g_b[c-1].c0_read, g_b[c-1].result_write}),
            .q_o({col_clear, col_fill, col_from, col_go, c0_read, result_write})
        );
      end
      if (c == Cols - 1) begin : g_done
        assign c0_done = c0_read;
        assign result_done = result_write;
      end

      wire [Streams*BBits-1:0] raw;
      wire [Streams*BOp-1:0] b;
      daa_skew #(.Width(Streams * BBits), .Depth(c)) u_skew (
          .clk_i(clk_i), .d_i(b_data_i[c*Streams*BBits+:Streams*BBits]), .q_o(raw)
      );
      for (s = 0; s < Streams; s = s + 1) begin : g_stream
        daa_decode #(
            .ExpBits(8), .FracBits(7), .Encoding(0), .Subnormals(0),
            .Specials(1), .ExpField(8), .ExpShift(0)
        ) u_decode (
            .clk_i(clk_i), .clear_i(col_clear), .fill_i(col_fill), .from_i(col_from), .go_i(col_go),
            .data_i(raw[s*BBits+:BBits]), .op_o(b[s*BOp+:BOp])
        );
      end

      wire c0_take;
      wire [AccBits-1:0] c0_word;
      wire [StateBits-1:0] c0;
      daa_buffer #(.Width(AccBits), .Depth(C0Rows)) u_c0_buffer (
          .clk_i(clk_i), .clear_i(col_clear),
          .write_i(c0_write), .data_i(c0_data_i[c*AccBits+:AccBits]), .read_i(c0_read), .data_o(c0_word)
      );
      daa_stage #(.Width(1)) u_take_c0 (.clk_i(clk_i), .load_i(1'b1), .d_i(c0_read), .q_o(c0_take));
      daa_anchor_head u_head (.clk_i(clk_i), .take_i(c0_take), .data_i(c0_word), .state_o(c0));

      wire [Rows*StateBits-1:0] results;
      wire [StateBits-1:0] state;
      wire [OutBits-1:0] result;
      daa_drain #(.Rows(Rows)) u_drain (.clk_i(clk_i), .results_i(results), .result_o(state));
      daa_anchor_foot u_foot (
          .clk_i(clk_i),
          .state_i(state), .result_o(result)
      );
      daa_buffer #(.Width(OutBits), .Depth(ResultRows)) u_result_buffer (
          .clk_i(clk_i), .clear_i(col_clear),
          .write_i(result_write), .data_i(result), .read_i(result_read), .data_o(c_data_o[c*OutBits+:OutBits])
      );
    end

    // Elements.
    for (r = 0; r < Rows; r = r + 1) begin : g_row
      for (c = 0; c < Cols; c = c + 1) begin : g_col
        wire clear_in, first_in, last_in, first_out, last_out;
        wire [Streams*AOp-1:0] a_in, a_out;
        wire [Streams*BOp-1:0] b_in, b_out;
        wire unused_ok = &{1'b0, first_out, last_out, a_out, b_out};
        if (c == 0) begin : g_left
          assign clear_in = g_a[r].row_clear;
          assign first_in = g_a[r].row_first;
          assign last_in  = g_a[r].row_last;
          assign a_in = g_a[r].a;
        end else begin : g_inner
          daa_stage #(.Width(1)) u_clear (
              .clk_i(clk_i), .load_i(1'b1), .d_i(g_row[r].g_col[c-1].clear_in), .q_o(clear_in)
          );
          assign first_in = g_row[r].g_col[c-1].first_out;
          assign last_in  = g_row[r].g_col[c-1].last_out;
          assign a_in = g_row[r].g_col[c-1].a_out;
        end
        if (r == 0) begin : g_top
          assign b_in = g_b[c].b;
        end else begin : g_below
          assign b_in = g_row[r-1].g_col[c].b_out;
        end
        daa_pe u_pe (
            .clk_i(clk_i),
            .clear_i(clear_in),
            .first_i(first_in),
            .last_i(last_in),
            .first_o(first_out),
            .last_o(last_out),
            .a_i(a_in),
            .a_o(a_out),
            .b_i(b_in),
            .b_o(b_out),
            .c0_i(g_b[c].c0),
            .result_o(g_b[c].results[r*StateBits+:StateBits])
        );
      end
    end
  endgenerate

endmodule

`default_nettype wire
