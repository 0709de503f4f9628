// The array under a plain Verilog bench, for simulators without C: streams the words that daavec wrote, each stream
// withheld at random with chance +stall, and writes the rows of results.
`default_nettype none
`timescale 1ns / 1ns

module icarus;

`include "daa_dut.vh"

  localparam integer Flush = Rows + ResultCycles;  // a row that should not come would come by then

  integer a_file, b_file, c0_file, c_file, rows, row, seed, idle, limit, extra, got;
  real stall;
  reg [8*1024-1:0] words;  // directory

  task open(output integer file, input [8*8-1:0] name, input [7:0] mode);
    reg [8*1034-1:0] path;
    begin
      $sformat(path, "%0s/%0s.hex", words, name);
      file = $fopen(path, mode);
      if (file == 0) begin
        $display("icarus: cannot open %0s", path);
        $finish(0);
      end
    end
  endtask

  initial begin
    rst_n = 1'b0;
    {a_valid, b_valid, c0_valid, c_ready} = 4'b0000;
    if (!$value$plusargs("words=%s", words) || !$value$plusargs("rows=%d", rows)) begin
      $display("icarus: +words=DIR and +rows=N are needed");
      $finish(0);
    end
    if (!$value$plusargs("stall=%f", stall)) stall = 0.0;
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    open(a_file, "a", "r");
    open(b_file, "b", "r");
    open(c0_file, "c0", "r");
    open(c_file, "c", "w");
    row = 0;
    idle = 0;
    extra = 0;
    limit = 4 * (ResetCycles + ResultCycles) + 64 + $rtoi(64.0 / (1.0 - stall));
    repeat (2) @(posedge clk);
    #1 rst_n = 1'b1;
  end

  function withhold(input integer unused);
    withhold = stall > 0.0 && $itor($unsigned($random(seed)) >> 1) < stall * 2147483648.0;
  endfunction

  // What was taken at an edge is replaced after it; the outputs have settled by the next one.
  always @(posedge clk) if (rst_n) begin : p_stream
    reg a_taken, b_taken, c0_taken, c_taken;
    a_taken = a_valid & a_ready;
    b_taken = b_valid & b_ready;
    c0_taken = c0_valid & c0_ready;
    c_taken = c_valid & c_ready;
    if ((^{a_ready, b_ready, c0_ready, c_valid, error}) === 1'bx) begin
      $display("icarus: X on a handshake at %0t", $time);
      $finish(0);
    end
    if (error) begin
      $display("icarus: error_o at %0t; every mark was where it belongs", $time);
      $finish;
    end
    if (c_taken) begin
      $fdisplay(c_file, "%b %h", c_last, c_data);
      row = row + 1;
    end
    idle = (a_taken | b_taken | c0_taken | c_taken) ? 0 : idle + 1;
    if (row >= rows) extra = extra + 1;
    if (extra == Flush) $finish(0);
    if (row < rows && idle > limit) begin
      $display("icarus: hang at %0t: %0d of %0d rows; valid, ready of A %b %b, B %b %b, C0 %b %b, C %b %b", $time, row,
               rows, a_valid, a_ready, b_valid, b_ready, c0_valid, c0_ready, c_valid, c_ready);
      $finish(0);
    end
    #1;
    if (a_taken) a_valid = 1'b0;
    if (b_taken) b_valid = 1'b0;
    if (c0_taken) c0_valid = 1'b0;
    if (!a_valid && !withhold(0)) begin
      got = $fscanf(a_file, "%b %b %h", a_last, a_c0, a_data);
      a_valid = got == 3;
    end
    if (!b_valid && !withhold(0)) begin
      got = $fscanf(b_file, "%b %h", b_last, b_data);
      b_valid = got == 2;
    end
    if (!c0_valid && !withhold(0)) begin
      got = $fscanf(c0_file, "%b %h", c0_last, c0_data);
      c0_valid = got == 2;
    end
    c_ready = !withhold(0);
  end

endmodule

`default_nettype wire
