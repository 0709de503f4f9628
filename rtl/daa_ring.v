// Where a buffer is written or read next: 0 .. Depth-1 in turn, and from 0 again.
`default_nettype none

module daa_ring #(
    parameter integer Depth  = 2,
    parameter integer AtBits = (Depth > 1) ? $clog2(Depth) : 1
) (
    input  wire              clk_i,
    input  wire              clear_i,
    input  wire              step_i,
    output reg  [AtBits-1:0] at_o
);

  localparam integer Last = Depth - 1;

  always @(posedge clk_i) begin
    if (clear_i | (step_i & (at_o == Last[AtBits-1:0]))) at_o <= {AtBits{1'b0}};
    else if (step_i) at_o <= at_o + 1'b1;
  end

endmodule

`default_nettype wire
