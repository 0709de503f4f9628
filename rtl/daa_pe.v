// Processing element: 2 operand pair(s) per cycle into one accumulator, and the operands on to the neighbours.
//
//   pass        a, b and the row's marks to the right and lower neighbour                              1 cycle
//   keys, steer
//   R0          in steer: the first round of its matches, which 4 and 8 streams have more of
//   R1          each multiplier's operands; it loads only what takes part, so that a step of zeros moves nothing
//   multiply
//   R2          products
//   align, sum  exact
//   R3          the sum as the accumulator takes it; with the anchored accumulator and 4 or 8 streams inside the sum
//   accumulate  in a loop of one cycle
//
// The pipeline is 3: R1, R3 and the accumulator's own. Latency from a_i and b_i to result_o: 4 cycles.
`default_nettype none

module daa_pe #(
    parameter integer Streams   = 2,
    parameter integer AOp       = 18,  // bits of a decoded operand, as daa_decode lays it out
    parameter integer BOp       = 18,
    parameter integer StateBits = 42  // bits of an accumulator, as it travels on the column's buses
) (
    input  wire                   clk_i,
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

  localparam integer KeyBits = 9;  // of a product's exponent
  localparam integer StepBits = 12;  // of what a step has besides its products
  localparam integer ShiftBits = 4;  // of a product's distance from the largest key
  localparam integer High = 1;  // products per step that are high
  localparam integer HighBits = 15;  // of the operands of one
  localparam integer AFrac = 7;  // fraction bits of an operand
  localparam integer BFrac = 7;
  localparam integer HighFrac = 14;  // fraction bits of one
  localparam integer Shifted = 0;  // 0: the high product is the largest
  localparam integer Low = 1;  // products per step that are low
  localparam integer LowBits = 9;  // of the operands of one
  localparam integer ALow = 4;  // significant bits of a low value
  localparam integer BLow = 4;
  localparam integer ALowFrac = 3;
  localparam integer BLowFrac = 3;
  localparam integer AUp = 1;  // 1: rounding may carry a low value to 2
  localparam integer BUp = 1;
  localparam integer LowFrac = 6;  // fraction bits of one
  localparam integer LowWhole = 3;  // integer bits of one: 3 where both low values may be 2
  localparam integer LowRoom = 2;  // places that its shift has more than the distance, one for each carry
  localparam integer LowShift = 4;  // bits of its shift
  localparam integer TermBits = 18;  // of an aligned product, and of the sum: its sign above 17 bits
  localparam integer AddendBits = 31;  // of the sum as the accumulator takes it
  localparam integer HasR0 = 0;
  localparam integer HasR2 = 0;
  localparam integer HasR3 = 1;

  // Pass on.
  daa_stage #(.Width(Streams * AOp)) u_pass_a (.clk_i(clk_i), .load_i(1'b1), .d_i(a_i), .q_o(a_o));
  daa_stage #(.Width(Streams * BOp)) u_pass_b (.clk_i(clk_i), .load_i(1'b1), .d_i(b_i), .q_o(b_o));
  daa_stage #(.Width(2)) u_pass_marks (
      .clk_i(clk_i), .load_i(1'b1), .d_i({first_i, last_i}), .q_o({first_o, last_o})
  );

  // With R0 the rest of a step follows its keys by a cycle: the pass registers hold it meanwhile.
  wire [Streams*AOp-1:0] r0_a = a_i;
  wire [Streams*BOp-1:0] r0_b = b_i;
  wire r0_first = first_i;
  wire r0_last = last_i;

  // Keys and operands, stream s at s*Width.
  wire [Streams-1:0] nonzero, r0_nonzero;
  wire [Streams*KeyBits-1:0] keys;
  wire [Streams-1:0] special, nan, negative;
  wire [Streams*HighBits-1:0] highs;
  wire [Streams*LowBits-1:0] lows;
  genvar i;
  generate
    for (i = 0; i < Streams; i = i + 1) begin : g_stream
      daa_key u_key (
          .a_i(a_i[i*AOp+:AOp]), .b_i(b_i[i*BOp+:BOp]), .nonzero_o(nonzero[i]), .key_o(keys[i*KeyBits+:KeyBits])
      );
      daa_unpack u_unpack (
          .special_o(special[i]),
          .nan_o(nan[i]),
          .sign_o(negative[i]),
          .high_o(highs[i*HighBits+:HighBits]),
          .low_o(lows[i*LowBits+:LowBits]),
          .a_i(r0_a[i*AOp+:AOp]),
          .b_i(r0_b[i*BOp+:BOp])
      );
    end
  endgenerate

  // Steer: the operands of each multiplier, high ones first, and every product's distance from the largest.
  wire [KeyBits-1:0] key;
  wire [Streams-1:0] somes, valids;  // a multiplier's product: it is not zero; it is not dropped either
  wire [High*HighBits-1:0] high;
  wire [Low*LowBits-1:0] low;
  wire [Streams*ShiftBits-1:0] distances;
  daa_stage #(.Width(Streams), .Present(HasR0)) u_r0_nonzero (
      .clk_i(clk_i), .load_i(1'b1), .d_i(nonzero), .q_o(r0_nonzero)
  );
  daa_steer #(.HasR0(HasR0)) u_steer (
      .clk_i(clk_i),
      .clear_i(clear_i),
      .nonzero_i(nonzero),
      .key_i(keys),
      .r0_nonzero_i(r0_nonzero),
      .high_i(highs),
      .high_o(high),
      .low_i(lows),
      .low_o(low),
      .some_o(somes),
      .valid_o(valids),
      .distance_o(distances),
      .key_o(key)
  );

  // What a step has besides its products: the largest key and, above it, whether its sum is NaN, Inf, -Inf.
  wire [StepBits-1:0] step, r1_step, r2_step;
  wire active = |{r0_nonzero, special};
  wire minus_inf = |(special & negative);
  wire no_number = |nan | (minus_inf & |(special & ~negative));  // Inf of both signs makes a NaN
  assign step = {no_number, |special, minus_inf, key};

  // Marks and step, beside the products.
  reg r1_active, r1_first, r1_last;
  wire r2_active, r2_first, r2_last, r3_active, r3_first, r3_last;
  wire r1_clk, r1_load, r2_clk, r2_load, r3_clk, r3_load;
  daa_clkgate u_r1_gate (.clk_i(clk_i), .load_i(active | clear_i), .clk_o(r1_clk), .load_o(r1_load));
  daa_clkgate u_r2_gate (.clk_i(clk_i), .load_i(r1_active | clear_i), .clk_o(r2_clk), .load_o(r2_load));
  daa_clkgate u_r3_gate (.clk_i(clk_i), .load_i(r2_active | clear_i), .clk_o(r3_clk), .load_o(r3_load));
  wire [Streams-1:0] takes = {Streams{r1_load}} & (valids | {Streams{clear_i}});
  wire unused_somes = &{1'b0, somes};
  always @(posedge clk_i) begin
    if (clear_i) {r1_active, r1_first, r1_last} <= 3'b000;
    else {r1_active, r1_first, r1_last} <= {active, r0_first, r0_last};
  end
  daa_stage #(.Width(3), .Present(HasR2)) u_r2_marks (
      .clk_i(clk_i), .load_i(1'b1), .d_i({r1_active, r1_first, r1_last}), .q_o({r2_active, r2_first, r2_last})
  );
  daa_stage #(.Width(3), .Present(HasR3)) u_r3_marks (
      .clk_i(clk_i), .load_i(1'b1), .d_i({r2_active, r2_first, r2_last}), .q_o({r3_active, r3_first, r3_last})
  );
  daa_stage #(.Width(StepBits)) u_r1_step (.clk_i(r1_clk), .load_i(r1_load), .d_i(step), .q_o(r1_step));
  daa_stage #(.Width(StepBits), .Present(HasR2)) u_r2_step (
      .clk_i(r2_clk), .load_i(r2_load), .d_i(r1_step), .q_o(r2_step)
  );

  // R1, multiply, R2, align: product n at n*TermBits, the high ones first.
  wire [Streams-1:0] sign;
  wire [Streams*TermBits-1:0] term;
  generate
    for (i = 0; i < High; i = i + 1) begin : g_high
      wire valid;
      wire [ShiftBits-1:0] shift;
      wire [HighFrac+1:0] product;
      daa_term #(
          .AFrac(AFrac), .BFrac(BFrac), .Frac(HighFrac), .Shift(ShiftBits), .Shifted(Shifted), .HasR2(HasR2)
      ) u_term (
          .clk_i(clk_i),
          .take_i(takes[i]),
          .r1_clk_i(r1_clk),
          .r1_load_i(r1_load),
          .r2_clk_i(r2_clk),
          .r2_load_i(r2_load),
          .valid_i(valids[i]),
          .shift_i(distances[i*ShiftBits+:ShiftBits]),
          .operands_i(high[i*HighBits+:HighBits]),
          .valid_o(valid),
          .shift_o(shift),
          .sign_o(sign[i]),
          .product_o(product)
      );
      daa_align #(
          .Frac(HighFrac), .Shift(ShiftBits), .Shifted(Shifted)
      ) u_align (
          .valid_i(valid), .shift_i(shift), .product_i(product), .term_o(term[i*TermBits+:TermBits])
      );
    end
  endgenerate
  generate
    for (i = 0; i < Low; i = i + 1) begin : g_low
      // Low values, from 1 on. The shift has a place for each that may carry to 2; one that does takes it back.
      wire [LowBits-1:0] operands = low[i*LowBits+:LowBits];
      wire a_carry, b_carry;
      wire [ALowFrac-1:0] a_frac;
      wire [BLowFrac-1:0] b_frac;
      daa_low #(.Bits(ALow)) u_a_low (.low_i(operands[BLow+:ALow]), .carry_o(a_carry), .frac_o(a_frac));
      daa_low #(.Bits(BLow)) u_b_low (.low_i(operands[0+:BLow]), .carry_o(b_carry), .frac_o(b_frac));
      wire [ShiftBits+1:0] places = {2'b00, distances[(High+i)*ShiftBits+:ShiftBits]}
          + {{(ShiftBits + 1) {1'b0}}, (AUp != 0) & ~a_carry} + {{(ShiftBits + 1) {1'b0}}, (BUp != 0) & ~b_carry};
      wire unused_places = &{1'b0, places};

      wire valid;
      wire [LowShift-1:0] shift;
      wire [LowFrac+1:0] product;
      daa_term #(
          .AFrac(ALowFrac), .BFrac(BLowFrac), .Frac(LowFrac), .Shift(LowShift), .HasR2(HasR2)
      ) u_term (
          .clk_i(clk_i),
          .take_i(takes[High+i]),
          .r1_clk_i(r1_clk),
          .r1_load_i(r1_load),
          .r2_clk_i(r2_clk),
          .r2_load_i(r2_load),
          .valid_i(valids[High+i]),
          .shift_i(places[LowShift-1:0]),
          .operands_i({operands[LowBits-1], a_frac, b_frac}),
          .valid_o(valid),
          .shift_o(shift),
          .sign_o(sign[High+i]),
          .product_o(product)
      );
      daa_align #(
          .Frac(LowFrac), .Whole(LowWhole), .Room(LowRoom), .Shift(LowShift)
      ) u_align (
          .valid_i(valid), .shift_i(shift), .product_i(product), .term_o(term[(High+i)*TermBits+:TermBits])
      );
    end
  endgenerate

  // Sum.
  wire sum_sign;
  wire [TermBits-1:0] sum;
  wire [AddendBits-1:0] addend;
  daa_sum #(.HasR3(HasR3)) u_sum (
      .clk_i(r3_clk), .load_i(r3_load), .sign_i(sign), .term_i(term), .sign_o(sum_sign), .sum_o(sum)
  );
  wire [StepBits-1:0] r3_step;
  daa_stage #(.Width(StepBits), .Present(HasR3)) u_r3_step (
      .clk_i(r3_clk), .load_i(r3_load), .d_i(r2_step), .q_o(r3_step)
  );
  daa_place u_addend (.step_i(r3_step), .sign_i(sum_sign), .sum_i(sum), .addend_o(addend));

  // Accumulate.
  daa_anchor u_acc (
      .clk_i(clk_i),
      .clear_i(clear_i),
      .first_i(r3_first),
      .last_i(r3_last),
      .active_i(r3_active),
      .addend_i(addend),
      .c0_i(c0_i),
      .result_o(result_o)
  );

endmodule

`default_nettype wire
