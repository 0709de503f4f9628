// Drives an array of any size straight from the test's list of steps, one per line: valid, last, A, B; and dumps the
// waves of everything in it, from the end of the reset sweep on. Results are taken as they come.
`default_nettype none
`timescale 1ns / 1ns

module waves;

`include "daa_dut.vh"

  integer file, got;
  reg [8*1024-1:0] name;

  initial begin
    got = $value$plusargs("steps=%s", name);
    file = $fopen(name, "r");
    got = $value$plusargs("waves=%s", name);
    $dumpfile(name);
    rst_n = 1'b0;
    {a_valid, a_last, a_c0, b_valid, b_last, c0_valid, c0_last, c_ready} = 8'b00000001;
    c0_data = 0;  // A and B: unknown until something is offered
    repeat (2) @(posedge clk);
    #1 rst_n = 1'b1;
    repeat (ResetCycles) @(posedge clk);
    #1 $dumpvars(0, u_array);
    got = 4;
    while (got == 4) begin
      got = $fscanf(file, "%b %b %h %h", a_valid, a_last, a_data, b_data);
      {b_valid, b_last} = {a_valid, a_last};
      @(posedge clk);
      #1;
    end
    $finish;
  end

endmodule

`default_nettype wire
