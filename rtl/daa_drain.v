// Result bus of one column. Row r finishes r cycles after row 0, so at most one row drives a value at a time.
// Latency: 1 cycle.
`default_nettype none

module daa_drain #(
    parameter integer Rows    = 16,
    parameter integer AccBits = 32
) (
    input  wire                    clk_i,
    input  wire                    en_i,
    input  wire [Rows*AccBits-1:0] results_i,  // row r at r*AccBits; zero unless it is the row's turn
    output wire [     AccBits-1:0] result_o
);

  reg [AccBits-1:0] either;
  integer r;
  always @* begin
    either = {AccBits{1'b0}};
    for (r = 0; r < Rows; r = r + 1) either = either | results_i[r*AccBits+:AccBits];
  end

  daa_stage #(.Width(AccBits)) u_edge (.clk_i(clk_i), .load_i(en_i), .d_i(either), .q_o(result_o));

endmodule

`default_nettype wire
