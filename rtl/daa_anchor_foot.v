// Foot of a column: an anchored accumulator normalised and rounded to the output format, once. Contract, section 5.
// Latency: 3 cycles from M and the flags of Inf; the anchor comes a cycle before them.
`default_nettype none

module daa_anchor_foot #(
    parameter integer AccBits    = 32,
    parameter integer AnchorBits = 8,
    parameter integer StateBits  = 42,
    parameter integer OutExp     = 8,
    parameter integer OutFrac    = 23,
    parameter integer ExpBits    = 10  // signed, of the result before its range is checked
) (
    input  wire                    clk_i,
    input  wire    [StateBits-1:0] state_i,  // from the top: +Inf, -Inf; M; anchor
    output wire [OutExp+OutFrac:0] result_o
);

  localparam integer SigBits = 32;  // room to round even where M is shorter than a result
  localparam integer CountBits = 5;

  // Sign and magnitude.
  wire [AccBits-1:0] m = state_i[AnchorBits+:AccBits];
  wire negative = m[AccBits-1];
  reg [AnchorBits-1:0] came_q, anchor_q;
  reg [AccBits-1:0] mag_q;
  reg sign_q;
  always @(posedge clk_i) begin
    {came_q, anchor_q} <= {state_i[AnchorBits-1:0], came_q};
    mag_q  <= (m ^ {AccBits{negative}}) + {{(AccBits - 1) {1'b0}}, negative};
    sign_q <= negative;
  end

  // Normalise. The exponent is the top bit's, in the bias of the output format.
  wire [SigBits-1:0] mag = {{(SigBits - AccBits) {1'b0}}, mag_q} << (SigBits - AccBits);
  wire [SigBits-1:0] norm;
  wire [CountBits-1:0] places;
  daa_norm #(.Width(SigBits), .Count(CountBits)) u_norm (.value_i(mag), .value_o(norm), .count_o(places));
  localparam integer AnchorOffset = -118;  // the exponent of M's top bit at the least anchor
  wire signed [ExpBits-1:0] exponent = $signed({{(ExpBits - AnchorBits) {1'b0}}, anchor_q} << 2)
      + AnchorOffset[ExpBits-1:0] - $signed({{(ExpBits - CountBits) {1'b0}}, places});
  reg [SigBits-1:0] norm_q;
  reg signed [ExpBits-1:0] exp_q;
  reg out_sign_q;
  always @(posedge clk_i) {norm_q, exp_q, out_sign_q} <= {norm, exponent, sign_q};

  // Inf of either sign, or of both: NaN.
  reg [1:0] mag_inf_q, inf_q;
  always @(posedge clk_i) {inf_q, mag_inf_q} <= {mag_inf_q, state_i[StateBits-1-:2]};
  wire [1:0] infs = inf_q;

  // Round.
  wire [OutExp+OutFrac:0] result;
  daa_encode #(.SigBits(SigBits), .ExpBits(ExpBits)) u_encode (
      .nan_i(&infs), .inf_i(^infs), .some_i(norm_q[SigBits-1]), .sign_i((^infs) ? infs[0] : out_sign_q),
      .exp_i(exp_q), .sig_i(norm_q), .out_o(result)
  );
  daa_stage #(.Width(1 + OutExp + OutFrac)) u_result (.clk_i(clk_i), .load_i(1'b1), .d_i(result), .q_o(result_o));

endmodule

`default_nettype wire
