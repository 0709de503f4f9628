// Array control: when a step goes into the array, which rows of C0 and of results follow it, and the reset sweep.
//
// A step of A and one of B wait in the edge decoders. They go in together when both are there and
//   - a tile's first step: Rows cycles after the first step of the tile before, because a column has one C0 bus, and
//     with all of its C0 rows in the buffer where it starts from C0;
//   - a tile's last step: Rows cycles after the last step of the tile before, because a column has one result bus, and
//     with room for Rows rows in the result buffer.
// That is all that ever waits. Behind the decoders nothing stops: a cycle without a step is a step of zeros.
// No input reaches an output, and no ready depends on a valid, other than through a register. What goes to the edges
// comes out of registers, to the first row and column alone, and is passed on from there.
`default_nettype none

module daa_ctrl #(
    parameter integer Rows       = 16,
    parameter integer C0Rows     = 2 * Rows,  // that the C0 buffer holds
    parameter integer ResultRows = 2 * Rows,  // that the result buffer holds
    parameter integer Clear      = 9,         // cycles in which a reset clears each element
    parameter integer Sweep      = 40         // cycles in which that goes through the array
) (
    input  wire clk_i,
    input  wire rst_ni,
    input  wire a_valid_i,
    output wire a_ready_o,
    input  wire a_last_i,
    input  wire a_c0_i,
    input  wire b_valid_i,
    output wire b_ready_o,
    input  wire b_last_i,
    input  wire c0_valid_i,
    output wire c0_ready_o,
    input  wire c0_last_i,
    output wire c_valid_o,
    input  wire c_ready_i,
    output wire c_last_o,
    output wire error_o,
    // To the edges of row 0 and column 0.
    output wire clear_o,       // reset sweep
    output wire [1:0] a_fill_o,  // place 0, place 1 of the decoders takes what A offers
    output wire [1:0] b_fill_o,  // likewise B
    output wire from_o,        // the place whose turn it is
    output wire go_o,          // its step goes into the array
    output wire first_o,       // in the cycle after: it is a tile's first, its last
    output wire last_o,
    // To the columns' buffers.
    output wire c0_write_o,    // a row of C0 comes in
    output wire c0_row_o,      // a row of the C0 buffer is due in column 0: after a step went in, and Rows-1 more
    input  wire c0_done_i,     // the last column has read a row
    output wire result_row_o,  // likewise: a row of results will come
    input  wire result_done_i, // the last column has written a row
    output wire result_read_o  // a row of results goes out
);

  localparam integer RowBits = $clog2(Rows + 1);
  localparam integer C0Bits = $clog2(C0Rows + 1);
  localparam integer ResultBits = $clog2(ResultRows + 1);
  localparam integer SweepBits = $clog2(Clear + Sweep + 1);
  localparam integer Cleared = Clear + Sweep;
  localparam integer Gap = Rows - 1;
  localparam [RowBits-1:0] LastRow = Gap[RowBits-1:0];

  // Reset sweep: each element is cleared for a while, one after the other, and nothing is taken until all are.
  reg [SweepBits-1:0] sweep_q;
  reg clear_q;
  wire idle = ~rst_ni | (|sweep_q);
  assign clear_o = clear_q;
  always @(posedge clk_i) begin
    if (!rst_ni) sweep_q <= Cleared[SweepBits-1:0];
    else if (|sweep_q) sweep_q <= sweep_q - 1'b1;
    clear_q <= ~rst_ni | (sweep_q > Sweep[SweepBits-1:0]);
  end

  // Steps of A and B that wait.
  wire a_there, a_last, a_c0, b_there, b_last;
  reg from_q;
  wire go;
  daa_intake #(.Marks(2)) u_a (
      .clk_i(clk_i), .idle_i(idle), .valid_i(a_valid_i), .ready_o(a_ready_o), .marks_i({a_last_i, a_c0_i}),
      .fill_o(a_fill_o), .from_i(from_q), .go_i(go), .there_o(a_there), .marks_o({a_last, a_c0})
  );
  daa_intake #(.Marks(1)) u_b (
      .clk_i(clk_i), .idle_i(idle), .valid_i(b_valid_i), .ready_o(b_ready_o), .marks_i(b_last_i),
      .fill_o(b_fill_o), .from_i(from_q), .go_i(go), .there_o(b_there), .marks_o(b_last)
  );

  // A step goes in.
  reg starting_q;  // the next step is a tile's first
  reg from_c0_q;   // the running tile started from C0
  reg [RowBits-1:0] first_gap_q, last_gap_q;  // cycles that the next first or last step has to wait
  reg c0_ok_q, room_q;
  wire first_ok = ~starting_q | (~|first_gap_q & (~a_c0 | c0_ok_q));
  wire last_ok = ~a_last | (~|last_gap_q & room_q);
  assign go = a_there & b_there & first_ok & last_ok;
  wire first = go & starting_q;
  wire last = go & a_last;
  wire first_c0 = first & a_c0;
  reg c0_row_q, result_row_q;
  assign c0_row_o = c0_row_q;
  assign result_row_o = result_row_q;
  always @(posedge clk_i) begin
    if (idle) begin
      starting_q  <= 1'b1;
      from_c0_q   <= 1'b0;
      {c0_row_q, result_row_q} <= 2'b00;
      first_gap_q <= {RowBits{1'b0}};
      last_gap_q  <= {RowBits{1'b0}};
    end else begin
      if (go) starting_q <= a_last;
      if (first) from_c0_q <= a_c0;
      c0_row_q <= first_c0 | (from_c0_q & (|first_gap_q));
      result_row_q <= last | (|last_gap_q);
      if (first) first_gap_q <= LastRow;
      else if (|first_gap_q) first_gap_q <= first_gap_q - 1'b1;
      if (last) last_gap_q <= LastRow;
      else if (|last_gap_q) last_gap_q <= last_gap_q - 1'b1;
    end
  end

  // To the decoders, and a cycle later the marks beside what comes out of them.
  reg go_q, place_q, first_q, last_q, op_first_q, op_last_q;
  assign go_o = go_q;
  assign from_o = place_q;
  assign first_o = op_first_q;
  assign last_o  = op_last_q;
  always @(posedge clk_i) begin
    from_q <= ~idle & (from_q ^ go);
    {go_q, place_q, first_q, last_q} <= {go & ~idle, from_q, first, last};
    {op_first_q, op_last_q} <= {first_q, last_q};
  end

  // C0 buffer: a row holds its place from when it comes until the last column has read it. c0_tiles_q: how many tiles'
  // rows are all in and wait for their first step.
  reg [C0Bits-1:0] c0_held_q, c0_tiles_q;
  reg [RowBits-1:0] c0_at_q;  // row of its tile that comes next
  reg c0_ready_q;
  wire c0_ends = c0_at_q == LastRow;
  wire c0_whole = c0_write_o & c0_ends;
  wire [C0Bits-1:0] c0_held = c0_held_q + {{(C0Bits - 1) {1'b0}}, c0_write_o} - {{(C0Bits - 1) {1'b0}}, c0_done_i};
  wire [C0Bits-1:0] c0_tiles = c0_tiles_q + {{(C0Bits - 1) {1'b0}}, c0_whole} - {{(C0Bits - 1) {1'b0}}, first_c0};
  assign c0_ready_o = c0_ready_q;
  assign c0_write_o = c0_valid_i & c0_ready_o;
  always @(posedge clk_i) begin
    if (idle) begin
      c0_held_q  <= {C0Bits{1'b0}};
      c0_tiles_q <= {C0Bits{1'b0}};
      c0_at_q    <= {RowBits{1'b0}};
      c0_ready_q <= 1'b0;
      c0_ok_q    <= 1'b0;
    end else begin
      c0_held_q  <= c0_held;
      c0_tiles_q <= c0_tiles;
      c0_ready_q <= c0_held != C0Rows[C0Bits-1:0];
      c0_ok_q    <= |c0_tiles;
      if (c0_write_o) c0_at_q <= c0_ends ? {RowBits{1'b0}} : c0_at_q + 1'b1;
    end
  end

  // Result buffer: a tile's last step takes Rows places, and each row gives its own back as it goes out.
  reg [ResultBits-1:0] free_q, there_q;  // places that no tile has taken; rows that all columns have written
  reg [RowBits-1:0] c_at_q;              // row of its tile that goes out next
  reg c_valid_q, c_last_q;
  wire c_ends = c_at_q == LastRow;
  wire [ResultBits-1:0] taken = last ? Rows[ResultBits-1:0] : {ResultBits{1'b0}};
  wire [ResultBits-1:0] free = free_q - taken + {{(ResultBits - 1) {1'b0}}, result_read_o};
  assign result_read_o = (|there_q) & (~c_valid_q | c_ready_i);
  always @(posedge clk_i) begin
    if (idle) begin
      free_q    <= ResultRows[ResultBits-1:0];
      room_q    <= 1'b1;
      there_q   <= {ResultBits{1'b0}};
      c_at_q    <= {RowBits{1'b0}};
      c_valid_q <= 1'b0;
      c_last_q  <= 1'b0;
    end else begin
      free_q  <= free;
      room_q  <= free >= Rows[ResultBits-1:0];
      there_q <= there_q + {{(ResultBits - 1) {1'b0}}, result_done_i} - {{(ResultBits - 1) {1'b0}}, result_read_o};
      c_valid_q <= result_read_o | (c_valid_q & ~c_ready_i);
      if (result_read_o) begin
        c_last_q <= c_ends;
        c_at_q <= c_ends ? {RowBits{1'b0}} : c_at_q + 1'b1;
      end
    end
  end
  assign c_valid_o = c_valid_q;
  assign c_last_o  = c_last_q;

  // Framing: the marks of A, B and C0 must agree.
  reg error_q;
  always @(posedge clk_i) begin
    if (idle) error_q <= 1'b0;
    else error_q <= error_q | (go & (a_last ^ b_last)) | (c0_write_o & (c0_last_i ^ c0_ends));
  end
  assign error_o = error_q;

endmodule

`default_nettype wire
