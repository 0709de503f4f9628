// A product at its place in the step's sum, or zero where it was dropped. Combinational. Contract, section 4.
`default_nettype none

module daa_align #(
    parameter integer Frac    = 14,  // fraction bits of the product; two integer bits above them
    parameter integer Whole   = 2,  // integer bits of what comes out
    parameter integer Room    = 0,  // places that the shift has more than the distance, for carries of low rounding
    parameter integer Shift   = 4,
    parameter integer Shifted = 1,  // 0: the largest product, which is never shifted and always valid
    parameter integer SumFrac = 14,  // fraction bits of the sum: the lowest place that a product can reach
    parameter integer SumBits = 17  // 3 of them integer bits
) (
    input  wire             valid_i,
    input  wire [Shift-1:0] shift_i,
    input  wire  [Frac+1:0] product_i,
    output wire [SumBits:0] term_o      // its top bit, the place of the sum's sign, is zero
);

  generate
    if (Shifted != 0) begin : g_shifted
      wire [Frac+1:0] kept = product_i & {(Frac + 2) {valid_i}};
      wire [SumFrac+Room+2:0] moved =
          ({{(SumFrac + Room - Frac + 1) {1'b0}}, kept} << (SumFrac + Room - Frac)) >> shift_i;
      wire unused_ok = &{1'b0, moved};
      assign term_o = {{(SumBits - SumFrac - Whole + 1) {1'b0}}, moved[SumFrac+Whole-1:0]};
    end else begin : g_largest
      wire unused_ok = &{1'b0, valid_i, shift_i};
      assign term_o = {{(SumBits - Frac - 1) {1'b0}}, product_i} << (SumFrac - Frac);
    end
  endgenerate

endmodule

`default_nettype wire
