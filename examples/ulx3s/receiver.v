// Bytes from a serial line, 8 bits, no parity, 1 stop bit; each bit is looked at in its middle.
`default_nettype none

module receiver #(
    parameter integer BitCycles = 217
) (
    input  wire       clk_i,
    input  wire       rst_ni,
    input  wire       serial_i,
    output reg        valid_o,  // for one cycle
    output wire [7:0] byte_o
);

  localparam integer CountBits = $clog2(2 * BitCycles);
  localparam integer OneHalf = BitCycles + BitCycles / 2 - 1;  // from a start bit's edge to the first bit's middle
  localparam integer One = BitCycles - 1;

  reg [2:0] line_q;  // two registers against metastability, and one more to see the edge
  reg [3:0] left_q;  // bits to come: eight, and the stop bit
  reg [CountBits-1:0] count_q;
  reg [7:0] byte_q;
  wire start = (left_q == 4'd0) & (line_q[2:1] == 2'b10);
  wire look = (left_q != 4'd0) & (count_q == {CountBits{1'b0}});
  assign byte_o = byte_q;
  always @(posedge clk_i) begin
    line_q <= {line_q[1:0], serial_i};
    if (!rst_ni) {left_q, valid_o, line_q} <= {4'd0, 1'b0, 3'b111};
    else begin
      if (start) left_q <= 4'd9;
      else if (look) left_q <= left_q - 4'd1;
      valid_o <= look & (left_q == 4'd1) & line_q[1];
    end
    if (start) count_q <= OneHalf[CountBits-1:0];
    else if (look) count_q <= One[CountBits-1:0];
    else count_q <= count_q - 1'b1;
    if (look & left_q != 4'd1) byte_q <= {line_q[1], byte_q[7:1]};
  end

endmodule

`default_nettype wire
