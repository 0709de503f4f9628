// Head of a column: a word of C0 as the accumulator takes it up, or +0.
// Latency: 1 cycle. Contract, section 5: subnormals are flushed, zero is +0, NaN is canonical.
`default_nettype none

module daa_head #(
    parameter integer AccExp  = 8,
    parameter integer AccFrac = 23
) (
    input  wire                    clk_i,
    input  wire                    take_i,  // low: the tile has no C0, or there is none in this cycle, so +0 goes in
    input  wire [AccExp+AccFrac:0] data_i,
    output wire [AccExp+AccFrac:0] state_o
);

  wire [AccExp-1:0] exponent = data_i[AccFrac+:AccExp];
  wire some = take_i & (|exponent);
  wire nan = (&exponent) & (|data_i[AccFrac-1:0]);
  wire [AccExp+AccFrac:0] value = nan ? {1'b0, exponent, 1'b1, {(AccFrac - 1) {1'b0}}} : data_i;

  daa_stage #(.Width(1 + AccExp + AccFrac)) u_edge (
      .clk_i(clk_i), .load_i(1'b1), .d_i(value & {(1 + AccExp + AccFrac) {some}}), .q_o(state_o)
  );

endmodule

`default_nettype wire
