// Processing element: 2 operand pair(s) per cycle into one accumulator, and the operands on to the neighbours.
//
//   pass  a, b and the row's marks to the right and lower neighbour                                    1 cycle
//   R1    the controller's choice; it loads only what takes part, so that a step of zeros moves nothing
//   R2    products               (Pipeline = 3)
//   R3    normalised exact sum   (Pipeline = 2, 3)
//   acc   add and round once
// Latency from a_i and b_i to result_o: Pipeline + 1 cycles.
`default_nettype none

module daa_pe #(
    parameter integer Streams   = 2,
    parameter integer AOp       = 19,  // bits of a decoded operand
    parameter integer BOp       = 19,
    parameter integer StateBits = 32  // of an accumulator, on the column's buses
) (
    input  wire                   clk_i,
    input  wire                   en_i,
    input  wire                   clear_i,  // reset sweep
    // From the left, and on to the right: marks of the step, and A, stream s at s*AOp.
    input  wire                   first_i,
    input  wire                   last_i,
    output wire                   first_o,
    output wire                   last_o,
    input  wire [Streams*AOp-1:0] a_i,
    output wire [Streams*AOp-1:0] a_o,
    // From above, and on below: B, stream s at s*BOp.
    input  wire [Streams*BOp-1:0] b_i,
    output wire [Streams*BOp-1:0] b_o,
    // The column's buses: C0 in the tile's first step, the result after its last.
    input  wire [  StateBits-1:0] c0_i,
    output wire [  StateBits-1:0] result_o
);
/* verilator no_inline_module */  // a Verilated model then has one element's code, not Rows*Cols copies

  localparam integer KeyBits = 9;
  localparam integer ExpBits = 10;
  localparam integer ShiftBits = 4;  // of a product's distance from the largest key
  localparam integer AFrac = 7;
  localparam integer BFrac = 7;
  localparam integer HiFrac = 14;
  localparam integer AUp = 1;
  localparam integer BUp = 1;
  localparam integer ALo = 4;
  localparam integer BLo = 4;
  localparam integer ALoFrac = (ALo > 1) ? ALo - 1 : 1;
  localparam integer BLoFrac = (BLo > 1) ? BLo - 1 : 1;
  localparam integer LoFrac = 6;
  localparam integer LoShift = 4;  // the distance, and what low rounding adds to it
  localparam integer SumBits = 17;  // down to the lowest place that a product can reach
  localparam integer HasR2 = 0;  // Pipeline = 2
  localparam integer HasR3 = 1;

  // Pass on.
  daa_stage #(.Width(Streams * AOp)) u_pass_a (.clk_i(clk_i), .load_i(en_i), .d_i(a_i), .q_o(a_o));
  daa_stage #(.Width(Streams * BOp)) u_pass_b (.clk_i(clk_i), .load_i(en_i), .d_i(b_i), .q_o(b_o));
  daa_stage #(.Width(2)) u_pass_marks (
      .clk_i(clk_i), .load_i(en_i), .d_i({first_i, last_i}), .q_o({first_o, last_o})
  );

  // Unpack.
  wire [1:0] nonzero, sign;
  wire [1:0] special, nan;
  wire [KeyBits-1:0] key0;
  wire [AFrac-1:0] a0_frac;
  wire [BFrac-1:0] b0_frac;
  wire [ALo-1:0] a0_low;
  wire [BLo-1:0] b0_low;
  daa_unpack u_unpack0 (
      .a_i(a_i[0*AOp+:AOp]),
      .b_i(b_i[0*BOp+:BOp]),
      .nonzero_o(nonzero[0]),
      .special_o(special[0]),
      .nan_o(nan[0]),
      .sign_o(sign[0]),
      .a_low_o(a0_low),
      .b_low_o(b0_low),
      .a_frac_o(a0_frac),
      .b_frac_o(b0_frac),
      .key_o(key0)
  );
  wire [KeyBits-1:0] key1;
  wire [AFrac-1:0] a1_frac;
  wire [BFrac-1:0] b1_frac;
  wire [ALo-1:0] a1_low;
  wire [BLo-1:0] b1_low;
  daa_unpack u_unpack1 (
      .a_i(a_i[1*AOp+:AOp]),
      .b_i(b_i[1*BOp+:BOp]),
      .nonzero_o(nonzero[1]),
      .special_o(special[1]),
      .nan_o(nan[1]),
      .sign_o(sign[1]),
      .a_low_o(a1_low),
      .b_low_o(b1_low),
      .a_frac_o(a1_frac),
      .b_frac_o(b1_frac),
      .key_o(key1)
  );
  wire some = |nonzero;
  // Infinities of both signs in one step make a NaN.
  wire inf_sign = |(special & sign);
  wire step_nan = |nan | (inf_sign & |(special & ~sign));
  wire active = some | (|special);

  // Steer: which stream gets the high multiplier, and each product's distance from the largest.
  wire [KeyBits-1:0] key;
  wire hi0_sign;
  wire [AFrac-1:0] hi0_a;
  wire [BFrac-1:0] hi0_b;
  wire lo0_valid;
  wire lo0_sign;
  wire [ALo-1:0] lo0_a;
  wire [BLo-1:0] lo0_b;
  wire [ShiftBits-1:0] lo0_distance;
  daa_steer u_steer (
      .nonzero0_i(nonzero[0]),
      .sign0_i(sign[0]),
      .key0_i(key0),
      .a0_i(a0_frac),
      .b0_i(b0_frac),
      .a0_low_i(a0_low),
      .b0_low_i(b0_low),
      .nonzero1_i(nonzero[1]),
      .sign1_i(sign[1]),
      .key1_i(key1),
      .a1_i(a1_frac),
      .b1_i(b1_frac),
      .a1_low_i(a1_low),
      .b1_low_i(b1_low),
      .hi0_sign_o(hi0_sign),
      .hi0_a_o(hi0_a),
      .hi0_b_o(hi0_b),
      .lo0_valid_o(lo0_valid),
      .lo0_sign_o(lo0_sign),
      .lo0_a_o(lo0_a),
      .lo0_b_o(lo0_b),
      .lo0_shift_o(lo0_distance),
      .key_o(key)
  );

  // Low value of low multiplier 0's operands; a carry into the next binade shortens the shift.
  wire lo0_a_carry;
  wire lo0_b_carry;
  wire [ALoFrac-1:0] lo0_a_frac;
  wire [BLoFrac-1:0] lo0_b_frac;
  daa_low #(.Bits(ALo)) u_lo0_a (.low_i(lo0_a), .carry_o(lo0_a_carry), .frac_o(lo0_a_frac));
  daa_low #(.Bits(BLo)) u_lo0_b (.low_i(lo0_b), .carry_o(lo0_b_carry), .frac_o(lo0_b_frac));
  wire [ShiftBits+1:0] lo0_places = {2'b00, lo0_distance}
      + {{(ShiftBits + 1) {1'b0}}, (AUp != 0) & ~lo0_a_carry} + {{(ShiftBits + 1) {1'b0}}, (BUp != 0) & ~lo0_b_carry};

  wire unused_places0 = &{1'b0, lo0_places};

  // R1.
  reg r1_active, r1_first, r1_last;
  always @(posedge clk_i) begin
    if (clear_i) {r1_active, r1_first, r1_last} <= 3'b000;
    else if (en_i) {r1_active, r1_first, r1_last} <= {active, first_i, last_i};
  end
  wire r1_load = en_i & (active | clear_i);
  wire [KeyBits-1:0] r1_key;
  daa_stage #(.Width(KeyBits)) u_r1_key (.clk_i(clk_i), .load_i(r1_load), .d_i(key), .q_o(r1_key));
  wire r1_nan, r1_inf, r1_inf_sign;
  daa_stage #(.Width(3)) u_r1_special (
      .clk_i(clk_i), .load_i(r1_load), .d_i({step_nan, |special, inf_sign}), .q_o({r1_nan, r1_inf, r1_inf_sign})
  );
  wire r1_hi0_sign;
  wire [AFrac-1:0] r1_hi0_a;
  wire [BFrac-1:0] r1_hi0_b;
  wire r1_hi0_load = en_i & (some | clear_i);
  daa_stage #(.Width(1 + AFrac + BFrac)) u_r1_hi0 (
      .clk_i(clk_i), .load_i(r1_hi0_load),
      .d_i({hi0_sign, hi0_a, hi0_b}), .q_o({r1_hi0_sign, r1_hi0_a, r1_hi0_b})
  );
  wire r1_lo0_valid;
  wire r1_lo0_sign;
  wire [ALoFrac-1:0] r1_lo0_a;
  wire [BLoFrac-1:0] r1_lo0_b;
  wire [LoShift-1:0] r1_lo0_shift;
  wire r1_lo0_load = en_i & (lo0_valid | clear_i);
  daa_stage #(.Width(1)) u_r1_lo0_valid (
      .clk_i(clk_i), .load_i(r1_load), .d_i(lo0_valid), .q_o(r1_lo0_valid)
  );
  daa_stage #(.Width(1 + ALoFrac + BLoFrac + LoShift)) u_r1_lo0 (
      .clk_i(clk_i), .load_i(r1_lo0_load),
      .d_i({lo0_sign, lo0_a_frac, lo0_b_frac, lo0_places[LoShift-1:0]}),
      .q_o({r1_lo0_sign, r1_lo0_a, r1_lo0_b, r1_lo0_shift})
  );

  // Multiply.
  wire [HiFrac+1:0] hi0_product;
  daa_mul #(.AFrac(AFrac), .BFrac(BFrac)) u_hi0_mul (
      .a_frac_i(r1_hi0_a), .b_frac_i(r1_hi0_b), .product_o(hi0_product)
  );
  wire [ALoFrac+BLoFrac+1:0] lo0_product;
  wire unused_product0 = &{1'b0, lo0_product};
  daa_mul #(.AFrac(ALoFrac), .BFrac(BLoFrac)) u_lo0_mul (
      .a_frac_i(r1_lo0_a), .b_frac_i(r1_lo0_b), .product_o(lo0_product)
  );

  // R2.
  wire r2_active, r2_first, r2_last;
  wire r2_load = en_i & (r1_active | clear_i);
  daa_stage #(.Width(3), .Present(HasR2)) u_r2_marks (
      .clk_i(clk_i), .load_i(en_i), .d_i({r1_active, r1_first, r1_last}), .q_o({r2_active, r2_first, r2_last})
  );
  wire [KeyBits-1:0] r2_key;
  daa_stage #(.Width(KeyBits), .Present(HasR2)) u_r2_key (
      .clk_i(clk_i), .load_i(r2_load), .d_i(r1_key), .q_o(r2_key)
  );
  wire r2_nan, r2_inf, r2_inf_sign;
  daa_stage #(.Width(3), .Present(HasR2)) u_r2_special (
      .clk_i(clk_i), .load_i(r2_load), .d_i({r1_nan, r1_inf, r1_inf_sign}), .q_o({r2_nan, r2_inf, r2_inf_sign})
  );
  wire r2_hi0_sign;
  wire [HiFrac+1:0] r2_hi0_product;
  daa_stage #(.Width(HiFrac + 3), .Present(HasR2)) u_r2_hi0 (
      .clk_i(clk_i), .load_i(r2_load),
      .d_i({r1_hi0_sign, hi0_product}), .q_o({r2_hi0_sign, r2_hi0_product})
  );
  wire r2_lo0_sign;
  wire [LoFrac+1:0] r2_lo0_product;
  wire r2_lo0_valid;
  wire [LoShift-1:0] r2_lo0_shift;
  daa_stage #(.Width(LoFrac + 4 + LoShift), .Present(HasR2)) u_r2_lo0 (
      .clk_i(clk_i), .load_i(r2_load),
      .d_i({r1_lo0_sign, lo0_product[ALoFrac+BLoFrac+1-:LoFrac+2], r1_lo0_valid, r1_lo0_shift}),
      .q_o({r2_lo0_sign, r2_lo0_product, r2_lo0_valid, r2_lo0_shift})
  );

  // Align and sum, exactly.
  wire sum_sign;
  wire signed [ExpBits-1:0] sum_exp;
  wire [SumBits-1:0] sum_mag;
  daa_sum u_sum (
      .key_i(r2_key),
      .hi0_sign_i(r2_hi0_sign),
      .hi0_product_i(r2_hi0_product),
      .lo0_sign_i(r2_lo0_sign),
      .lo0_product_i(r2_lo0_product),
      .lo0_valid_i(r2_lo0_valid),
      .lo0_shift_i(r2_lo0_shift),
      .sign_o(sum_sign),
      .exp_o(sum_exp),
      .mag_o(sum_mag)
  );

  // R3.
  wire r3_active, r3_first, r3_last;
  wire r3_load = en_i & (r2_active | clear_i);
  daa_stage #(.Width(3), .Present(HasR3)) u_r3_marks (
      .clk_i(clk_i), .load_i(en_i), .d_i({r2_active, r2_first, r2_last}), .q_o({r3_active, r3_first, r3_last})
  );
  wire r3_nan, r3_inf, r3_inf_sign;
  daa_stage #(.Width(3), .Present(HasR3)) u_r3_special (
      .clk_i(clk_i), .load_i(r3_load), .d_i({r2_nan, r2_inf, r2_inf_sign}), .q_o({r3_nan, r3_inf, r3_inf_sign})
  );
  wire r3_sign;
  wire signed [ExpBits-1:0] r3_exp;
  wire [SumBits-1:0] r3_mag;
  daa_stage #(.Width(1 + ExpBits), .Present(HasR3)) u_r3_exp (
      .clk_i(clk_i), .load_i(r3_load), .d_i({sum_sign, sum_exp}), .q_o({r3_sign, r3_exp})
  );
  daa_stage #(.Width(SumBits), .Present(HasR3)) u_r3_mag (
      .clk_i(clk_i), .load_i(r3_load), .d_i(sum_mag), .q_o(r3_mag)
  );

  // Accumulate and round.
  daa_acc u_acc (
      .clk_i(clk_i),
      .en_i(en_i),
      .clear_i(clear_i),
      .first_i(r3_first),
      .last_i(r3_last),
      .active_i(r3_active),
      .sign_i(r3_sign),
      .exp_i(r3_exp),
      .mag_i(r3_mag),
      .nan_i(r3_nan),
      .inf_i(r3_inf),
      .inf_sign_i(r3_inf_sign),
      .c0_i(c0_i),
      .result_o(result_o)
  );

endmodule

`default_nettype wire
