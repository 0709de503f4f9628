// Output-stationary systolic array with 2 operand stream(s): C = A B + C0, Rows x Cols results per tile.
// --rows 16 --cols 16 --streams 2 --a-format bf16 --b-format bf16 --acc-format fp32 --out-format fp32 --accumulator rounded --lo-bits 4 --lo-round nearest --policy exponent --window 8 --specials on --pipeline 2 --prefix daa
//
// A transfer happens on a rising clock edge with valid and ready high. A step is Rows x 2 operands of A and
// Cols x 2 of B, taken together; a tile is one step or more, the last one marked. Result rows 0..Rows-1 of each
// tile follow in order. rst_ni is synchronous; after it the array sweeps itself for Rows + Cols + Pipeline + 4 cycles.
// See docs/datasheet.md for the timing.
`default_nettype none

module daa_array #(
    parameter integer Rows = 16,
    parameter integer Cols = 16
) (
    input  wire                      clk_i,
    input  wire                      rst_ni,
    // A: operand of row r, stream s at (r*2 + s)*16.
    input  wire                      a_valid_i,
    output wire                      a_ready_o,
    input  wire [Rows*2*16-1:0]      a_data_i,
    input  wire                      a_last_i,    // the tile's last step
    input  wire                      a_c0_i,      // on the tile's first step: it starts from C0, else from +0
    // B: operand of column c, stream s at (c*2 + s)*16.
    input  wire                      b_valid_i,
    output wire                      b_ready_o,
    input  wire [Cols*2*16-1:0]      b_data_i,
    // C0 rows: row 0 goes with the tile's first step, the others in the cycles after it.
    input  wire                      c0_valid_i,
    output wire                      c0_ready_o,
    input  wire [Cols*32-1:0]        c0_data_i,
    // Result rows.
    output wire                      c_valid_o,
    input  wire                      c_ready_i,
    output wire [Cols*32-1:0]        c_data_o,
    output wire                      c_last_o     // row Rows-1
);

  localparam integer Streams = 2;
  localparam integer Pipeline = 2;  // register stages in an element before its accumulator
  localparam integer ABits = 16;
  localparam integer BBits = 16;
  localparam integer AccBits = 32;
  localparam integer OutBits = 32;
  localparam integer AOp = 19;  // bits of a decoded operand
  localparam integer BOp = 19;

  wire en, clear, take, take_c0, first, last;
  daa_ctrl #(
      .Rows(Rows), .Sweep(Rows + Cols + Pipeline + 4), .Delay(Cols + Pipeline + 1)
  ) u_ctrl (
      .clk_i(clk_i),
      .rst_ni(rst_ni),
      .a_valid_i(a_valid_i),
      .a_ready_o(a_ready_o),
      .a_last_i(a_last_i),
      .a_c0_i(a_c0_i),
      .b_valid_i(b_valid_i),
      .b_ready_o(b_ready_o),
      .c0_valid_i(c0_valid_i),
      .c0_ready_o(c0_ready_o),
      .c_valid_o(c_valid_o),
      .c_ready_i(c_ready_i),
      .c_last_o(c_last_o),
      .en_o(en),
      .clear_o(clear),
      .take_o(take),
      .take_c0_o(take_c0),
      .first_o(first),
      .last_o(last)
  );

  genvar r, c;
  generate
    // Rows: decode A, skew it by r.
    for (r = 0; r < Rows; r = r + 1) begin : g_a
      wire [Streams*AOp-1:0] a;
      wire [AOp-1:0] edge0;
      daa_decode #(
          .ExpBits(8), .FracBits(7), .Encoding(0), .Subnormals(0),
          .Specials(1), .LoBits(4), .Up(1), .ExpField(8), .ExpShift(-1)
      ) u_decode0 (
          .clk_i(clk_i), .en_i(en), .clear_i(clear), .take_i(take),
          .data_i(a_data_i[(r*2+0)*ABits+:ABits]), .op_o(edge0)
      );
      daa_skew #(.Width(AOp), .Depth(r)) u_skew0 (.clk_i(clk_i), .load_i(en), .d_i(edge0), .q_o(a[0*AOp+:AOp]));
      wire [AOp-1:0] edge1;
      daa_decode #(
          .ExpBits(8), .FracBits(7), .Encoding(0), .Subnormals(0),
          .Specials(1), .LoBits(4), .Up(1), .ExpField(8), .ExpShift(-1)
      ) u_decode1 (
          .clk_i(clk_i), .en_i(en), .clear_i(clear), .take_i(take),
          .data_i(a_data_i[(r*2+1)*ABits+:ABits]), .op_o(edge1)
      );
      daa_skew #(.Width(AOp), .Depth(r)) u_skew1 (.clk_i(clk_i), .load_i(en), .d_i(edge1), .q_o(a[1*AOp+:AOp]));
      wire row_first, row_last;
      daa_skew #(.Width(2), .Depth(r)) u_skew_marks (
          .clk_i(clk_i), .load_i(en), .d_i({first, last}), .q_o({row_first, row_last})
      );
    end

    // Columns: decode B, skew it by c; skew C0 to meet the first step in the accumulator; collect the results.
    for (c = 0; c < Cols; c = c + 1) begin : g_b
      wire [Streams*BOp-1:0] b;
      wire [BOp-1:0] edge0;
      daa_decode #(
          .ExpBits(8), .FracBits(7), .Encoding(0), .Subnormals(0),
          .Specials(1), .LoBits(4), .Up(1), .ExpField(8), .ExpShift(0)
      ) u_decode0 (
          .clk_i(clk_i), .en_i(en), .clear_i(clear), .take_i(take),
          .data_i(b_data_i[(c*2+0)*BBits+:BBits]), .op_o(edge0)
      );
      daa_skew #(.Width(BOp), .Depth(c)) u_skew0 (.clk_i(clk_i), .load_i(en), .d_i(edge0), .q_o(b[0*BOp+:BOp]));
      wire [BOp-1:0] edge1;
      daa_decode #(
          .ExpBits(8), .FracBits(7), .Encoding(0), .Subnormals(0),
          .Specials(1), .LoBits(4), .Up(1), .ExpField(8), .ExpShift(0)
      ) u_decode1 (
          .clk_i(clk_i), .en_i(en), .clear_i(clear), .take_i(take),
          .data_i(b_data_i[(c*2+1)*BBits+:BBits]), .op_o(edge1)
      );
      daa_skew #(.Width(BOp), .Depth(c)) u_skew1 (.clk_i(clk_i), .load_i(en), .d_i(edge1), .q_o(b[1*BOp+:BOp]));
      wire [AccBits-1:0] edge_c0, c0;
      daa_c0 u_c0 (
          .clk_i(clk_i), .en_i(en), .take_i(take_c0), .data_i(c0_data_i[c*AccBits+:AccBits]), .c0_o(edge_c0)
      );
      daa_skew #(.Width(AccBits), .Depth(c + Pipeline)) u_skew_c0 (
          .clk_i(clk_i), .load_i(en), .d_i(edge_c0), .q_o(c0)
      );
      wire [Rows*AccBits-1:0] results;
      wire [AccBits-1:0] drained, acc;
      daa_drain #(.Rows(Rows)) u_drain (.clk_i(clk_i), .en_i(en), .results_i(results), .result_o(drained));
      daa_skew #(.Width(AccBits), .Depth(Cols - 1 - c)) u_skew_result (
          .clk_i(clk_i), .load_i(en), .d_i(drained), .q_o(acc)
      );
      assign c_data_o[c*OutBits+:OutBits] = acc;
    end

    // Elements.
    for (r = 0; r < Rows; r = r + 1) begin : g_row
      for (c = 0; c < Cols; c = c + 1) begin : g_col
        wire first_in, last_in, first_out, last_out;
        wire [Streams*AOp-1:0] a_in, a_out;
        wire [Streams*BOp-1:0] b_in, b_out;
        wire unused_ok = &{1'b0, first_out, last_out, a_out, b_out};
        if (c == 0) begin : g_left
          assign first_in = g_a[r].row_first;
          assign last_in  = g_a[r].row_last;
          assign a_in = g_a[r].a;
        end else begin : g_inner
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
            .en_i(en),
            .clear_i(clear),
            .first_i(first_in),
            .last_i(last_in),
            .first_o(first_out),
            .last_o(last_out),
            .a_i(a_in),
            .a_o(a_out),
            .b_i(b_in),
            .b_o(b_out),
            .c0_i(g_b[c].c0),
            .result_o(g_b[c].results[r*AccBits+:AccBits])
        );
      end
    end
  endgenerate

endmodule

`default_nettype wire
