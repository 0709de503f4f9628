// A step's sum as the anchored accumulator takes it: its anchor, how far it lies above it, and the sum itself.
// Combinational. Contract, sections 4 to 6.
`default_nettype none

module daa_place #(
    parameter integer KeyBits    = 9,
    parameter integer StepBits   = 12,
    parameter integer SumBits    = 17,
    parameter integer SizeBits   = 10,
    parameter integer AddendBits = 31
) (
    input  wire   [StepBits-1:0] step_i,   // as daa_pe lays it out
    input  wire                  sign_i,
    input  wire      [SumBits:0] sum_i,    // as daa_sum gives it
    output wire [AddendBits-1:0] addend_o  // from the top: +Inf, -Inf; size; sign; sum
);

  // The size counts binary places from the least anchor: its upper bits are the anchor that the sum needs, A(K* + 2 +
  // log2 S) of the contract, its lower ones the places 0..G-1 by which the sum lies above the bottom of that.
  localparam integer KeyOffset = 0;
  wire [SizeBits-1:0] size = {{(SizeBits - KeyBits) {1'b0}}, step_i[KeyBits-1:0]} + KeyOffset[SizeBits-1:0];

  // NaN is Inf of both signs.
  wire nan = step_i[StepBits-1];
  wire some_inf = step_i[StepBits-2];
  wire minus_inf = step_i[StepBits-3];
  assign addend_o = {nan | (some_inf & ~minus_inf), nan | minus_inf, size, sign_i, sum_i};

endmodule

`default_nettype wire
