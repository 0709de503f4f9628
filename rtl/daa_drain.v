// Result bus of one column. Row r finishes r cycles after row 0, so at most one row drives a value at a time.
// Latency: 1 cycle.
`default_nettype none

module daa_drain #(
    parameter integer Rows      = 16,
    parameter integer StateBits = 42
) (
    input  wire                      clk_i,
    input  wire [Rows*StateBits-1:0] results_i,  // row r at r*StateBits; zero unless it is the row's turn
    output wire [     StateBits-1:0] result_o
);

  reg [StateBits-1:0] either;
  integer r;
  always @* begin
    either = {StateBits{1'b0}};
    for (r = 0; r < Rows; r = r + 1) either = either | results_i[r*StateBits+:StateBits];
  end

  daa_stage #(.Width(StateBits)) u_edge (.clk_i(clk_i), .load_i(1'b1), .d_i(either), .q_o(result_o));

endmodule

`default_nettype wire
