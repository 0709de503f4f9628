// One product's operands, unpacked: class, sign, key, and what the multipliers take. Combinational.
// Contract, sections 3 and 6; the operands come from daa_decode.
`default_nettype none

module daa_unpack #(
    parameter integer KeyBits = 9,
    parameter integer AFrac   = 7,
    parameter integer BFrac   = 7,
    parameter integer AExp    = 8,
    parameter integer BExp    = 8,
    parameter integer AUp     = 1,  // 1: the operand has an `up` bit
    parameter integer BUp     = 1,
    parameter integer ALo     = 4,
    parameter integer BLo     = 4,
    parameter integer AOp     = 19,
    parameter integer BOp     = 19
) (
    input  wire [    AOp-1:0] a_i,
    input  wire [    BOp-1:0] b_i,
    output wire               nonzero_o,  // a finite product that is not zero
    output wire               special_o,  // a product with a NaN or Inf operand
    output wire               nan_o,      // it is NaN
    output wire               sign_o,
    output wire [    ALo-1:0] a_low_o,    // top fraction bits of the low significand, then `up`
    output wire [    BLo-1:0] b_low_o,
    output wire [  AFrac-1:0] a_frac_o,
    output wire [  BFrac-1:0] b_frac_o,
    output wire [KeyBits-1:0] key_o
);

  wire [AFrac-1:0] a_frac = a_i[AUp+:AFrac];
  wire [BFrac-1:0] b_frac = b_i[BUp+:BFrac];
  wire [AExp-1:0] a_exp = a_i[AUp+AFrac+:AExp];
  wire [BExp-1:0] b_exp = b_i[BUp+BFrac+:BExp];
  wire a_zero = a_i[AOp-1];
  wire b_zero = b_i[BOp-1];

  // A zero leaves the other fields as they were, `special` too.
  wire a_special = a_i[AOp-2] & ~a_zero;
  wire b_special = b_i[BOp-2] & ~b_zero;
  assign nonzero_o = ~(a_zero | b_zero | a_special | b_special);
  assign special_o = a_special | b_special;
  assign nan_o = (a_special & (a_frac[AFrac-1] | b_zero)) | (b_special & (b_frac[BFrac-1] | a_zero));
  assign sign_o = a_i[AUp+AFrac+AExp] ^ b_i[BUp+BFrac+BExp];
  assign key_o = {{(KeyBits - AExp) {1'b0}}, a_exp} + {{(KeyBits - BExp) {1'b0}}, b_exp};
  assign a_frac_o = a_frac;
  assign b_frac_o = b_frac;
  wire [AFrac:0] a_cut = {a_frac >> (AFrac + 1 - ALo), (AUp != 0) & a_i[0]};
  wire [BFrac:0] b_cut = {b_frac >> (BFrac + 1 - BLo), (BUp != 0) & b_i[0]};
  assign a_low_o = a_cut[ALo-1:0];
  assign b_low_o = b_cut[BLo-1:0];
  wire unused_ok = &{1'b0, a_cut, b_cut};

endmodule

`default_nettype wire
