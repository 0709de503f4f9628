// Drives an array of any size straight from the test's list of steps, one per line: valid, last, A, B; and dumps the
// waves of everything in it, from the end of the reset sweep on. Nothing stalls.
`default_nettype none
`timescale 1ns / 1ns

module waves;

  reg clk = 1'b0;
  reg rst_n = 1'b0;
  reg valid = 1'b0, last = 1'b0;
  reg [`ROWS*`STREAMS*`A_WIDTH-1:0] a_data = 0;
  reg [`COLS*`STREAMS*`B_WIDTH-1:0] b_data = 0;
  wire a_ready, b_ready, c0_ready, c_valid, c_last;
  wire [`COLS*`OUT_WIDTH-1:0] c_data;
  integer file, got;
  reg [8*1024-1:0] name;

  `TOP u_array (
      .clk_i(clk), .rst_ni(rst_n),
      .a_valid_i(valid), .a_ready_o(a_ready), .a_data_i(a_data), .a_last_i(last), .a_c0_i(1'b0),
      .b_valid_i(valid), .b_ready_o(b_ready), .b_data_i(b_data),
      .c0_valid_i(1'b0), .c0_ready_o(c0_ready), .c0_data_i({`COLS * `ACC_WIDTH{1'b0}}),
      .c_valid_o(c_valid), .c_ready_i(1'b1), .c_data_o(c_data), .c_last_o(c_last)
  );

  always #5 clk = ~clk;

  initial begin
    got = $value$plusargs("steps=%s", name);
    file = $fopen(name, "r");
    got = $value$plusargs("waves=%s", name);
    $dumpfile(name);
    repeat (2) @(posedge clk);
    #1 rst_n = 1'b1;
    repeat (`ROWS + `COLS + `PIPELINE + 4) @(posedge clk);
    #1 $dumpvars(0, u_array);
    got = 4;
    while (got == 4) begin
      got = $fscanf(file, "%b %b %h %h", valid, last, a_data, b_data);
      @(posedge clk);
      #1;
    end
    $finish;
  end

endmodule

`default_nettype wire
