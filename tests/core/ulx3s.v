// Sends commands to examples/ulx3s's system over its serial line, and prints what it answers. A line of the file named by
// +commands= is a letter, an address and a word: W writes, R reads and prints, P reads until a bit of the word is set.
`default_nettype none

module bench;

  localparam integer BitCycles = 4;
  localparam integer Bit = 10 * BitCycles;

  reg clk, rst_n, to_core;
  wire from_core, irq, busy;
  system #(
      .BitCycles(BitCycles), .Words(512)
  ) u_system (
      .clk_i(clk), .rst_ni(rst_n), .serial_i(to_core), .serial_o(from_core), .irq_o(irq), .busy_o(busy)
  );
  initial clk = 1'b0;
  always #5 clk = ~clk;

  integer i;
  task put(input [7:0] letter);
    begin
      to_core = 1'b0;
      #(Bit);
      for (i = 0; i < 8; i = i + 1) begin
        to_core = letter[i];
        #(Bit);
      end
      to_core = 1'b1;
      #(Bit);
    end
  endtask

  reg [31:0] answer;
  integer j;
  task get;
    for (j = 0; j < 32; j = j + 8) begin
      @(negedge from_core);
      #(Bit / 2);
      for (i = 0; i < 8; i = i + 1) begin
        #(Bit);
        answer[j+i] = from_core;
      end
    end
  endtask

  reg [8*200-1:0] name;
  reg [7:0] letter;
  reg [31:0] address, data;
  integer file, n, tries;
  task words(input [7:0] command);
    begin
      put(command);
      for (n = 0; n < 32; n = n + 8) put(address[n+:8]);
      if (command == "W") for (n = 0; n < 32; n = n + 8) put(data[n+:8]);
      else get;
    end
  endtask

  initial begin
    if (!$value$plusargs("commands=%s", name)) $finish;
    file = $fopen(name, "r");
    to_core = 1'b1;
    rst_n = 1'b0;
    repeat (4) @(negedge clk);
    rst_n = 1'b1;
    while ($fscanf(file, "%c %h %h\n", letter, address, data) == 3) begin
      if (letter == "P") begin
        answer = 32'd0;
        for (tries = 0; (tries < 100) & ~|(answer & data); tries = tries + 1) words("R");
        if (tries == 100) $display("HUNG");
      end else begin
        words(letter);
        if (letter == "R") $display("%h", answer);
      end
    end
    $display("END irq %b", irq);
    $finish(0);
  end

endmodule

`default_nettype wire
