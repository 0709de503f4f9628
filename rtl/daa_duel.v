// One match of the controller's tournament: of two products, the one with the larger key wins; a tie goes to the
// first, and a zero product never wins against another. Combinational. Contract, section 3.
// The difference of the keys decides, and is the loser's distance too: this is the comparison that a fused adder
// makes to align its terms.
`default_nettype none

module daa_duel #(
    parameter integer KeyBits   = 9,
    parameter integer ShiftBits = 4,
    parameter integer Span      = 8
) (
    input  wire                 first_some_i,  // the product is not zero
    input  wire [  KeyBits-1:0] first_key_i,
    input  wire                 second_some_i,
    input  wire [  KeyBits-1:0] second_key_i,
    output wire                 second_wins_o,
    output wire [  KeyBits-1:0] key_o,         // the winner's
    output wire                 loser_near_o,  // behind by Span at most, if both products are nonzero
    output wire [ShiftBits-1:0] loser_distance_o
);

  // second - first - 1: not negative where the second is larger.
  wire [KeyBits:0] difference = {1'b0, second_key_i} + ~{1'b0, first_key_i};
  wire larger = ~difference[KeyBits];
  wire second = second_some_i & (larger | ~first_some_i);

  assign second_wins_o = second;
  assign key_o = second ? second_key_i : first_key_i;

  // The distance is difference + 1 or, where that is not positive, its complement.
  wire [KeyBits-1:0] near = difference[KeyBits-1:0] ^ {KeyBits{~larger}};
  assign loser_near_o = ~((near > Span[KeyBits-1:0]) | (larger & (near == Span[KeyBits-1:0])));
  assign loser_distance_o = near[ShiftBits-1:0] + {{(ShiftBits - 1) {1'b0}}, larger};

endmodule

`default_nettype wire
