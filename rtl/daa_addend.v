// A step's sum as the accumulator takes it: sign, exponent and normalised magnitude. Combinational.
// Contract, sections 4 to 6.
`default_nettype none

module daa_addend #(
    parameter integer KeyBits    = 9,
    parameter integer StepBits   = 12,
    parameter integer SumBits    = 17,
    parameter integer ExpBits    = 10,  // signed
    parameter integer AddendBits = 31
) (
    input  wire   [StepBits-1:0] step_i,   // the largest key, the exponent of the sum's weight one, below the rest
    input  wire                  sign_i,
    input  wire      [SumBits:0] sum_i,    // as daa_sum gives it
    output wire [AddendBits-1:0] addend_o  // from the top: what step_i has above the key; sign; exponent; magnitude
);

  wire negative = sum_i[SumBits];
  wire sign = sign_i ^ negative;
  wire [SumBits-1:0] mag = (sum_i[SumBits-1:0] ^ {SumBits{negative}}) + {{(SumBits - 1) {1'b0}}, negative};

  // Leading zeros out.
  localparam integer CountBits = 5;  // fewer zeros than SumBits
  wire [CountBits-1:0] places;
  wire [SumBits-1:0] norm;
  daa_norm #(.Width(SumBits), .Count(CountBits)) u_norm (.value_i(mag), .value_o(norm), .count_o(places));

  // The exponent of the sum's top bit, in the accumulator's bias of 127, is key + KeyOffset: a key lacks the bases
  // of the operands' exponent fields, -126 and -127, and the top bit has the weight 2**2.
  localparam integer KeyOffset = -124;
  wire [KeyBits-1:0] key = step_i[KeyBits-1:0];
  wire signed [ExpBits-1:0] top_exp = $signed({{(ExpBits - KeyBits) {1'b0}}, key}) + KeyOffset[ExpBits-1:0];
  wire signed [ExpBits-1:0] norm_exp = top_exp - $signed({{(ExpBits - CountBits) {1'b0}}, places});

  assign addend_o = {step_i[StepBits-1:KeyBits], sign, norm_exp, norm};

endmodule

`default_nettype wire
