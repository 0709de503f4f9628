// Array control: when a step goes into the array, which rows of C0 and of results follow it, and the reset sweep.
//
// A step of A and one of B wait in the edge decoders' input registers. They go in together when both are there and
//   - a tile's first step: Rows cycles after the first step of the tile before, because a column has one C0 bus, and
//     with all of its C0 rows in the buffer where it starts from C0;
//   - a tile's last step: Rows cycles after the last step of the tile before, because a column has one result bus, and
//     with room for Rows rows in the result buffer.
// That is all that ever waits. Behind the input registers nothing stops: a cycle without a step is a step of zeros.
// No input reaches an output, and no ready depends on a valid, other than through a register.
`default_nettype none

module daa_ctrl #(
    parameter integer Rows       = 16,
    parameter integer C0Rows     = 2 * Rows,  // that the C0 buffer holds
    parameter integer ResultRows = 2 * Rows,  // that the result buffer holds
    parameter integer Sweep      = 40         // cycles of the reset sweep
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
    // To the edges.
    output wire clear_o,       // reset sweep
    output wire take_a_o,      // a step goes into the input registers
    output wire take_b_o,
    output wire go_o,          // a step goes into the array
    output wire first_o,       // in the cycle after: it is a tile's first, its last
    output wire last_o,
    // To the columns' buffers.
    output wire c0_write_o,    // a row of C0 comes in
    output wire c0_row_o,      // a row of the C0 buffer is due in column 0, for the step that goes or the Rows-1 cycles after it
    input  wire c0_done_i,     // the last column has read a row
    output wire result_row_o,  // likewise: a row of results will come
    input  wire result_done_i, // the last column has written a row
    output wire result_read_o  // a row of results goes out
);

  localparam integer RowBits = $clog2(Rows + 1);
  localparam integer C0Bits = $clog2(C0Rows + 1);
  localparam integer ResultBits = $clog2(ResultRows + 1);
  localparam integer SweepBits = $clog2(Sweep + 1);
  localparam integer Gap = Rows - 1;
  localparam [RowBits-1:0] LastRow = Gap[RowBits-1:0];

  // Reset sweep: zeros run through the whole array, and nothing is taken.
  reg [SweepBits-1:0] sweep_q;
  reg open_q;
  assign clear_o = |sweep_q;
  always @(posedge clk_i) begin
    if (!rst_ni) sweep_q <= Sweep[SweepBits-1:0];
    else if (clear_o) sweep_q <= sweep_q - 1'b1;
    open_q <= rst_ni & ~clear_o;
  end
  wire idle = ~rst_ni | ~open_q;

  // Steps of A and B, each with a register of its own to wait in.
  reg a_full_q, a_last_q, a_c0_q, b_full_q, b_last_q;
  assign a_ready_o = go_o | (open_q & ~a_full_q);
  assign b_ready_o = go_o | (open_q & ~b_full_q);
  assign take_a_o = a_valid_i & a_ready_o;
  assign take_b_o = b_valid_i & b_ready_o;
  always @(posedge clk_i) begin
    if (idle) begin
      {a_full_q, a_last_q, a_c0_q} <= 3'b000;
      {b_full_q, b_last_q} <= 2'b00;
    end else begin
      a_full_q <= take_a_o | (a_full_q & ~go_o);
      b_full_q <= take_b_o | (b_full_q & ~go_o);
      if (take_a_o) {a_last_q, a_c0_q} <= {a_last_i, a_c0_i};
      if (take_b_o) b_last_q <= b_last_i;
    end
  end

  // A step goes in.
  reg starting_q;  // the next step is a tile's first
  reg from_c0_q;   // the running tile started from C0
  reg [RowBits-1:0] first_gap_q, last_gap_q;  // cycles that the next first or last step has to wait
  reg c0_ok_q, room_q;
  wire first_ok = ~starting_q | (~|first_gap_q & (~a_c0_q | c0_ok_q));
  wire last_ok = ~a_last_q | (~|last_gap_q & room_q);
  assign go_o = a_full_q & b_full_q & first_ok & last_ok;
  wire first = go_o & starting_q;
  wire last = go_o & a_last_q;
  wire first_c0 = first & a_c0_q;
  assign c0_row_o = first_c0 | (from_c0_q & (|first_gap_q));
  assign result_row_o = last | (|last_gap_q);
  always @(posedge clk_i) begin
    if (idle) begin
      starting_q  <= 1'b1;
      from_c0_q   <= 1'b0;
      first_gap_q <= {RowBits{1'b0}};
      last_gap_q  <= {RowBits{1'b0}};
    end else begin
      if (go_o) starting_q <= a_last_q;
      if (first) from_c0_q <= a_c0_q;
      if (first) first_gap_q <= LastRow;
      else if (|first_gap_q) first_gap_q <= first_gap_q - 1'b1;
      if (last) last_gap_q <= LastRow;
      else if (|last_gap_q) last_gap_q <= last_gap_q - 1'b1;
    end
  end

  // Marks, beside the decoded operands.
  reg first_q, last_q;
  always @(posedge clk_i) {first_q, last_q} <= {first, last};
  assign first_o = first_q;
  assign last_o  = last_q;

  // C0 buffer: a row holds its place from when it comes until the last column has read it. c0_tiles_q: how many tiles'
  // rows are all in and wait for their first step.
  reg [C0Bits-1:0] c0_held_q, c0_tiles_q;
  reg [RowBits-1:0] c0_at_q;  // row of its tile that comes next
  reg c0_full_q;
  wire c0_ends = c0_at_q == LastRow;
  wire c0_whole = c0_write_o & c0_ends;
  wire [C0Bits-1:0] c0_held = c0_held_q + {{(C0Bits - 1) {1'b0}}, c0_write_o} - {{(C0Bits - 1) {1'b0}}, c0_done_i};
  wire [C0Bits-1:0] c0_tiles = c0_tiles_q + {{(C0Bits - 1) {1'b0}}, c0_whole} - {{(C0Bits - 1) {1'b0}}, first_c0};
  assign c0_ready_o = open_q & ~c0_full_q;
  assign c0_write_o = c0_valid_i & c0_ready_o;
  always @(posedge clk_i) begin
    if (idle) begin
      c0_held_q  <= {C0Bits{1'b0}};
      c0_tiles_q <= {C0Bits{1'b0}};
      c0_at_q    <= {RowBits{1'b0}};
      c0_full_q  <= 1'b0;
      c0_ok_q    <= 1'b0;
    end else begin
      c0_held_q  <= c0_held;
      c0_tiles_q <= c0_tiles;
      c0_full_q  <= c0_held == C0Rows[C0Bits-1:0];
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
    else error_q <= error_q | (go_o & (a_last_q ^ b_last_q)) | (c0_write_o & (c0_last_i ^ c0_ends));
  end
  assign error_o = error_q;

endmodule

`default_nettype wire
