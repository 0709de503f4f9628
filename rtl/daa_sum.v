// Exact sum of a step's products, as sign, normalised magnitude and exponent. Combinational.
// Contract, section 4: nothing is rounded and nothing overflows here.
`default_nettype none

module daa_sum #(
    parameter integer KeyBits   = 9,
    parameter integer ExpBits   = 10,  // signed
    parameter integer HiFrac    = 14,  // fraction bits of a high product; two integer bits more
    parameter integer LoFrac    = 6,  // fraction bits of a low product; two integer bits more
    parameter integer LoShift   = 4,
    parameter integer LoCarry   = 2,  // places that low rounding may add; already in the shift
    parameter integer SumFrac   = 14,  // fraction bits of the sum
    parameter integer SumBits   = 17  // 3 integer bits more
) (
    input  wire        [KeyBits-1:0] key_i,  // the largest key: the exponent of the sum's weight one
    input  wire                      hi0_sign_i,
    input  wire         [HiFrac+1:0] hi0_product_i,
    input  wire                      lo0_sign_i,
    input  wire         [LoFrac+1:0] lo0_product_i,
    input  wire                      lo0_valid_i,
    input  wire        [LoShift-1:0] lo0_shift_i,
    output wire                      sign_o,
    output wire signed [ExpBits-1:0] exp_o,  // of the top bit of mag_o, in the accumulator's bias
    output wire        [SumBits-1:0] mag_o   // its top bit is one; or zero
);

  // key_i + KeyOffset is the exponent of the sum's top bit before it is normalised.
  localparam integer KeyOffset = -124;
  wire signed [ExpBits-1:0] top_exp = $signed({{(ExpBits - KeyBits) {1'b0}}, key_i}) + KeyOffset[ExpBits-1:0];

  // Every product at its distance from the largest key.
  wire [SumBits:0] hi0_term = {{(SumBits - HiFrac - 1) {1'b0}}, hi0_product_i} << (SumFrac - HiFrac);
  wire [LoFrac+1:0] lo0_kept = lo0_product_i & {(LoFrac + 2) {lo0_valid_i}};
  wire [SumFrac+LoCarry+1:0] lo0_far = {lo0_kept, {(SumFrac + LoCarry - LoFrac) {1'b0}}} >> lo0_shift_i;
  wire [SumBits:0] lo0_term = {{(SumBits - SumFrac - 2) {1'b0}}, lo0_far[SumFrac+2:0]};
  wire lo0_unused_ok = &{1'b0, lo0_far[SumFrac+LoCarry+1:SumFrac+3]};

  // Two's complement sum, relative to the first product's sign. A term to subtract is inverted, and the bit below the
  // lowest carries a one in.
  wire ref_sign = hi0_sign_i;
  wire lo0_minus = lo0_sign_i ^ ref_sign;
  wire [SumBits:0] part0 = hi0_term;
  wire [SumBits+1:0] add1 = {part0, 1'b1} + {lo0_term ^ {(SumBits + 1) {lo0_minus}}, lo0_minus};
  wire [SumBits:0] part1 = add1[SumBits+1:1];
  wire [SumBits:0] total = part1;
  wire unused_carries = &{1'b0
      , add1[0]
      };
  wire negative = total[SumBits];
  wire [SumBits-1:0] mag = (total[SumBits-1:0] ^ {SumBits{negative}}) + {{(SumBits - 1) {1'b0}}, negative};

  localparam integer CountBits = $clog2(SumBits);
  wire [CountBits-1:0] places;
  daa_norm #(.Width(SumBits), .Count(CountBits)) u_norm (.value_i(mag), .value_o(mag_o), .count_o(places));
  assign sign_o = ref_sign ^ negative;
  assign exp_o  = top_exp - $signed({{(ExpBits - CountBits) {1'b0}}, places});

endmodule

`default_nettype wire
