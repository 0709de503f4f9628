// Array control: admits steps, paces tiles and C0 rows, and marks the result rows.
// Two tiles' first steps, and two tiles' last steps, keep at least Rows cycles apart, because each column has one C0
// bus and one result bus.
`default_nettype none

module daa_ctrl #(
    parameter integer Rows  = 16,
    parameter integer Sweep = 40,  // cycles of the reset sweep
    parameter integer Delay = 20   // cycles from a tile's last step at the edge to its first result row
) (
    input  wire clk_i,
    input  wire rst_ni,
    input  wire a_valid_i,
    output wire a_ready_o,
    input  wire a_last_i,
    input  wire a_c0_i,
    input  wire b_valid_i,
    output wire b_ready_o,
    input  wire c0_valid_i,
    output wire c0_ready_o,
    output wire c_valid_o,
    input  wire c_ready_i,
    output wire c_last_o,
    // To the array.
    output wire en_o,
    output wire clear_o,     // reset sweep
    output wire take_o,      // a step enters in this cycle
    output wire take_c0_o,   // a C0 row enters in this cycle
    output wire first_o,     // at the edge decoders' output: first and last step of a tile
    output wire last_o
);

  localparam integer RowBits = $clog2(Rows + 1);
  localparam integer SweepBits = $clog2(Sweep + 1);
  localparam integer Gap = Rows - 1;

  // Reset sweep: zeros run through the whole array.
  reg [SweepBits-1:0] sweep_q;
  always @(posedge clk_i) begin
    if (!rst_ni) sweep_q <= Sweep[SweepBits-1:0];
    else if (clear_o) sweep_q <= sweep_q - 1'b1;
  end
  assign clear_o = |sweep_q;

  // Admission.
  reg starting_q;  // the next step is a tile's first
  reg [RowBits-1:0] first_gap_q, last_gap_q;  // cycles that the next first or last step has to wait
  reg [RowBits-1:0] c0_rows_q;  // C0 rows of the running tile that have not come
  wire result_stalls = c_valid_o & ~c_ready_i;
  wire c0_pending = |c0_rows_q;
  wire c0_stalls = c0_pending & ~c0_valid_i;
  assign en_o = clear_o | ~(result_stalls | c0_stalls);
  // The marks count only while valid is high: a source may leave them unknown until then.
  wire a_c0 = a_valid_i & a_c0_i;
  wire a_last = a_valid_i & a_last_i;
  wire first_ok = ~starting_q | (~|first_gap_q & (~a_c0 | c0_valid_i));
  wire last_ok = ~a_last | ~|last_gap_q;
  wire go = rst_ni & ~clear_o & en_o & first_ok & last_ok;
  assign a_ready_o = go & b_valid_i;
  assign b_ready_o = go & a_valid_i;
  assign take_o = go & a_valid_i & b_valid_i;
  wire first = take_o & starting_q;
  wire last = take_o & a_last;
  wire first_c0 = first & a_c0;
  assign c0_ready_o = first_c0 | (c0_pending & ~result_stalls);
  assign take_c0_o = c0_ready_o & c0_valid_i;

  always @(posedge clk_i) begin
    if (clear_o | !rst_ni) begin
      starting_q  <= 1'b1;
      first_gap_q <= {RowBits{1'b0}};
      last_gap_q  <= {RowBits{1'b0}};
      c0_rows_q   <= {RowBits{1'b0}};
    end else if (en_o) begin
      if (take_o) starting_q <= a_last;
      if (first) first_gap_q <= Gap[RowBits-1:0];
      else if (|first_gap_q) first_gap_q <= first_gap_q - 1'b1;
      if (last) last_gap_q <= Gap[RowBits-1:0];
      else if (|last_gap_q) last_gap_q <= last_gap_q - 1'b1;
      if (first_c0) c0_rows_q <= Gap[RowBits-1:0];
      else if (c0_pending) c0_rows_q <= c0_rows_q - 1'b1;
    end
  end

  // Marks, beside the decoded operands.
  reg first_q, last_q;
  always @(posedge clk_i) begin
    if (clear_o | !rst_ni) {first_q, last_q} <= 2'b00;
    else if (en_o) {first_q, last_q} <= {first, last};
  end
  assign first_o = first_q;
  assign last_o  = last_q;

  // Result rows: the last step's mark, Delay cycles later, and the Rows - 1 cycles after it.
  reg [Delay-1:0] due_q;
  reg [RowBits-1:0] rows_q;
  wire [Delay:0] due = {due_q, last_q};
  always @(posedge clk_i) begin
    if (clear_o | !rst_ni) begin
      due_q  <= {Delay{1'b0}};
      rows_q <= {RowBits{1'b0}};
    end else if (en_o) begin
      due_q <= due[Delay-1:0];
      if (due[Delay]) rows_q <= Gap[RowBits-1:0];
      else if (|rows_q) rows_q <= rows_q - 1'b1;
    end
  end
  assign c_valid_o = (due[Delay] | (|rows_q)) & ~c0_stalls;
  assign c_last_o  = due[Delay] ? (Rows == 1) : (rows_q == {{(RowBits - 1) {1'b0}}, 1'b1});

endmodule

`default_nettype wire
