// The key of one product, and whether it has one: it is finite and not zero. Combinational.
// Contract, section 3; the operands come from daa_decode, which says how they are laid out.
`default_nettype none

module daa_key #(
    parameter integer KeyBits = 9,
    parameter integer AFrac   = 7,
    parameter integer BFrac   = 7,
    parameter integer AExp    = 8,
    parameter integer BExp    = 8,
    parameter integer AOp     = 18,
    parameter integer BOp     = 18
) (
    input  wire     [AOp-1:0] a_i,
    input  wire     [BOp-1:0] b_i,
    output wire               nonzero_o,
    output wire [KeyBits-1:0] key_o
);

  wire [AExp-1:0] a_exp = a_i[AFrac+:AExp];
  wire [BExp-1:0] b_exp = b_i[BFrac+:BExp];
  assign key_o = {{(KeyBits - AExp) {1'b0}}, a_exp} + {{(KeyBits - BExp) {1'b0}}, b_exp};
  assign nonzero_o = ~(a_i[AOp-1] | b_i[BOp-1] | a_i[AOp-2] | b_i[BOp-2]);  // neither zero nor special
  wire unused_ok = &{1'b0, a_i, b_i};

endmodule

`default_nettype wire
