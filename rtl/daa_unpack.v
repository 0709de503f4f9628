// One product's operands, unpacked: is it NaN or Inf, and what a multiplier takes of them. Combinational.
// Contract, sections 3 and 6; the operands come from daa_decode, which says how they are laid out.
`default_nettype none

module daa_unpack #(
    parameter integer AFrac    = 7,
    parameter integer BFrac    = 7,
    parameter integer AExp     = 8,
    parameter integer BExp     = 8,
    parameter integer ALow     = 4,
    parameter integer BLow     = 4,
    parameter integer LowBits  = 9,
    parameter integer HighBits = 15,
    parameter integer AOp      = 18,
    parameter integer BOp      = 18
) (
    output wire                special_o,  // a product with a NaN or Inf operand
    output wire                nan_o,      // it is NaN
    output wire                sign_o,
    output wire [HighBits-1:0] high_o,     // for a high multiplier: sign, fraction of A, fraction of B
    output wire  [LowBits-1:0] low_o,      // for a low one: sign, then of A and B top fraction bits, rounded up or not
    input  wire      [AOp-1:0] a_i,
    input  wire      [BOp-1:0] b_i
);

  wire [AFrac-1:0] a_frac = a_i[0+:AFrac];
  wire [BFrac-1:0] b_frac = b_i[0+:BFrac];
  wire sign = a_i[AFrac+AExp] ^ b_i[BFrac+BExp];
  wire unused_operands = &{1'b0, a_i, b_i};  // daa_key reads the exponents

  // A zero leaves the other fields as they were, `special` too.
  wire a_zero = a_i[AOp-1];
  wire b_zero = b_i[BOp-1];
  wire a_special = a_i[AOp-2] & ~a_zero;
  wire b_special = b_i[BOp-2] & ~b_zero;
  assign special_o = a_special | b_special;
  assign nan_o = (a_special & (a_frac[AFrac-1] | b_zero)) | (b_special & (b_frac[BFrac-1] | a_zero));
  assign sign_o = sign;
  assign high_o = {sign, a_frac, b_frac};
  wire a_up, b_up;
  daa_nearest #(.Frac(AFrac), .Bits(ALow), .Up(1)) u_a_up (.frac_i(a_frac), .up_o(a_up));
  daa_nearest #(.Frac(BFrac), .Bits(BLow), .Up(1)) u_b_up (.frac_i(b_frac), .up_o(b_up));
  wire [AFrac:0] a_cut = {a_frac >> (AFrac + 1 - ALow), a_up};
  wire [BFrac:0] b_cut = {b_frac >> (BFrac + 1 - BLow), b_up};
  assign low_o = {sign, a_cut[ALow-1:0], b_cut[BLow-1:0]};
  wire unused_ok = &{1'b0, a_cut, b_cut};

endmodule

`default_nettype wire
