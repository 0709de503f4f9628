// Drives an array through one scenario of docs/drawing.py and prints its handshakes, a line a cycle.
`default_nettype none
`timescale 1ns / 1ns

module timing;

`include "daa_dut.vh"

  localparam integer Steps = `STEPS;
  localparam integer C0Steps = `C0_ROWS;

  // Bit i: step i is its tile's last, starts from C0; the taker of results is not ready in cycle i.
  wire [Steps:0] last_bits = `LAST;
  wire [Steps:0] c0_bits = `C0;
  wire [63:0] not_ready_bits = `NOT_READY;

  integer cycle = 0;
  integer swept = 0;  // cycles from the reset to the first step
  integer step = 0;
  integer b_step = 0;
  integer c0_row = 0;
  always @* begin
    a_valid = rst_n & (step < Steps);
    a_last = last_bits[step];
    a_c0 = c0_bits[step];
    b_valid = rst_n & (b_step < Steps);
    b_last = last_bits[b_step];
    c0_valid = rst_n & (c0_row < C0Steps);
    c0_last = c0_row % Rows == Rows - 1;
    c_ready = ~not_ready_bits[cycle];
    {a_data, b_data, c0_data} = 0;
  end

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
    if (b_valid & b_ready) b_step <= b_step + 1;
    if (c0_valid & c0_ready) c0_row <= c0_row + 1;
  end

  initial begin
    rst_n = 1'b0;
    repeat (2) @(posedge clk);
    rst_n <= 1'b1;
    #10000 $display("hang");
    $finish;
  end
endmodule
