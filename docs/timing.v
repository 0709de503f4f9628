// Drives an array through one scenario of docs/timing.py and prints its handshakes, a line a cycle.
`default_nettype none
`timescale 1ns / 1ns

module timing;
  localparam integer Steps = `STEPS;
  localparam integer C0Rows = `C0_ROWS;

  reg clk = 1'b0;
  reg rst_n = 1'b0;
  always #5 clk = ~clk;

  // Bit i: step i is its tile's last, starts from C0; the taker of results is not ready in cycle i.
  wire [Steps:0] last_bits = `LAST;
  wire [Steps:0] c0_bits = `C0;
  wire [63:0] not_ready_bits = `NOT_READY;

  integer cycle = 0;
  integer swept = 0;  // cycles from the reset to the first step
  integer step = 0;
  integer c0_row = 0;
  wire a_valid = rst_n & (step < Steps);
  wire c0_valid = rst_n & (c0_row < C0Rows);
  wire c_ready = ~not_ready_bits[cycle];
  wire a_ready, b_ready, c0_ready, c_valid, c_last;

  `TOP dut (
      .clk_i(clk),
      .rst_ni(rst_n),
      .a_valid_i(a_valid),
      .a_ready_o(a_ready),
      .a_data_i({`A_BITS{1'b0}}),
      .a_last_i(last_bits[step]),
      .a_c0_i(c0_bits[step]),
      .b_valid_i(a_valid),
      .b_ready_o(b_ready),
      .b_data_i({`B_BITS{1'b0}}),
      .c0_valid_i(c0_valid),
      .c0_ready_o(c0_ready),
      .c0_data_i({`C0_BITS{1'b0}}),
      .c_valid_o(c_valid),
      .c_ready_i(c_ready),
      .c_data_o(),
      .c_last_o(c_last)
  );

  // Cycle 0 is the one in which the first step is taken.
  wire started = (step > 0) | a_ready;
  always @(posedge clk) begin
    if (rst_n & ~started) swept <= swept + 1;
    if (started) begin
      if (cycle == 0) $display("swept %0d", swept);
      $display("%b %b %b %b %b %b %b %b %b %b", a_valid, a_ready, b_ready, last_bits[step], c0_bits[step], c0_valid,
               c0_ready, c_valid, c_ready, c_last);
      cycle <= cycle + 1;
      if (cycle == `CYCLES - 1) $finish;
    end
    if (a_valid & a_ready) step <= step + 1;
    if (c0_valid & c0_ready) c0_row <= c0_row + 1;
  end

  initial begin
    repeat (2) @(posedge clk);
    rst_n <= 1'b1;
    #10000 $display("hang");
    $finish;
  end
endmodule
