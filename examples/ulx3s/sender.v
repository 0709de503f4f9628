// Bytes to a serial line, 8 bits, no parity, 1 stop bit.
`default_nettype none

module sender #(
    parameter integer BitCycles = 217
) (
    input  wire       clk_i,
    input  wire       rst_ni,
    input  wire       valid_i,
    output wire       ready_o,
    input  wire [7:0] byte_i,
    output wire       serial_o
);

  localparam integer CountBits = $clog2(BitCycles);
  localparam integer One = BitCycles - 1;

  reg [9:0] bits_q;  // the next one lowest: start bit, byte, stop bit
  reg [3:0] left_q;
  reg [CountBits-1:0] count_q;
  assign ready_o = left_q == 4'd0;
  assign serial_o = bits_q[0];
  wire next = count_q == {CountBits{1'b0}};
  always @(posedge clk_i) begin
    if (!rst_ni) {left_q, bits_q} <= {4'd0, 10'h3ff};
    else if (ready_o & valid_i) {left_q, bits_q} <= {4'd10, 1'b1, byte_i, 1'b0};
    else if (next & ~ready_o) {left_q, bits_q} <= {left_q - 4'd1, 1'b1, bits_q[9:1]};
    count_q <= (ready_o | next) ? One[CountBits-1:0] : count_q - 1'b1;
  end

endmodule

`default_nettype wire
