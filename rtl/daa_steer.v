// Dual-stream controller: from the products' exponents alone it decides which stream gets the high-precision
// multiplier and how far every product is shifted. Combinational. Contract, sections 3 and 4.
`default_nettype none

module daa_steer #(
    parameter integer Span      = 8,  // the window, or the largest distance of two keys if that is less
    parameter integer KeyBits   = 9,
    parameter integer AFrac     = 7,
    parameter integer BFrac     = 7,
    parameter integer ALow      = 4,  // what a low multiplier takes of A: its top fraction bits, and up
    parameter integer BLow      = 4,
    parameter integer ShiftBits = 4
) (
    // Stream 0: product is nonzero, its sign and exponent; fractions and low parts of its operands.
    input  wire                 nonzero0_i,
    input  wire                 sign0_i,
    input  wire [  KeyBits-1:0] key0_i,
    input  wire [    AFrac-1:0] a0_i,
    input  wire [    BFrac-1:0] b0_i,
    input  wire [     ALow-1:0] a0_low_i,
    input  wire [     BLow-1:0] b0_low_i,
    // Stream 1: product is nonzero, its sign and exponent; fractions and low parts of its operands.
    input  wire                 nonzero1_i,
    input  wire                 sign1_i,
    input  wire [  KeyBits-1:0] key1_i,
    input  wire [    AFrac-1:0] a1_i,
    input  wire [    BFrac-1:0] b1_i,
    input  wire [     ALow-1:0] a1_low_i,
    input  wire [     BLow-1:0] b1_low_i,
    // High multiplier 0.
    output wire                 hi0_sign_o,
    output wire [    AFrac-1:0] hi0_a_o,
    output wire [    BFrac-1:0] hi0_b_o,
    // Low multiplier 0.
    output wire                 lo0_valid_o,
    output wire                 lo0_sign_o,
    output wire [     ALow-1:0] lo0_a_o,
    output wire [     BLow-1:0] lo0_b_o,
    output wire [ShiftBits-1:0] lo0_shift_o,
    output wire [  KeyBits-1:0] key_o            // the largest key
);

  // A tournament: node n below 2 is stream n, and match m has the nodes 2m and 2m + 1; its winner is node
  // 2 + m, its loser goes to low multiplier m. The last winner goes to the high multiplier.
  localparam integer High = 1 + AFrac + BFrac;
  localparam integer Low = 1 + ALow + BLow;
  wire some0 = nonzero0_i;
  wire [KeyBits-1:0] key0 = key0_i;
  wire [High-1:0] high0 = {sign0_i, a0_i, b0_i};
  wire [Low-1:0] low0 = {sign0_i, a0_low_i, b0_low_i};
  wire some1 = nonzero1_i;
  wire [KeyBits-1:0] key1 = key1_i;
  wire [High-1:0] high1 = {sign1_i, a1_i, b1_i};
  wire [Low-1:0] low1 = {sign1_i, a1_low_i, b1_low_i};

  wire some2, lo0_some, lo0_far, second_wins0;
  wire [KeyBits-1:0] key2;
  wire [High-1:0] high2;
  wire [Low-1:0] low2;
  wire [ShiftBits-1:0] lo0_distance;
  daa_duel #(
      .Span(Span), .ShiftBits(ShiftBits), .High(High), .Low(Low)
  ) u_duel0 (
      .first_some_i(some0),
      .first_key_i(key0),
      .first_high_i(high0),
      .first_low_i(low0),
      .second_some_i(some1),
      .second_key_i(key1),
      .second_high_i(high1),
      .second_low_i(low1),
      .second_wins_o(second_wins0),
      .some_o(some2),
      .key_o(key2),
      .high_o(high2),
      .low_o(low2),
      .loser_some_o(lo0_some),
      .loser_low_o({lo0_sign_o, lo0_a_o, lo0_b_o}),
      .loser_far_o(lo0_far),
      .loser_distance_o(lo0_distance)
  );

  assign key_o = key2;
  assign {hi0_sign_o, hi0_a_o, hi0_b_o} = high2;
  wire unused_ok = &{1'b0, some2, low2, second_wins0};

  assign lo0_valid_o = lo0_some & ~lo0_far;
  assign lo0_shift_o = lo0_distance;

endmodule

`default_nettype wire
