// What an element makes of a step's operands: class, largest key, the terms of its sum. docs/contract.md, sections 2 to 4 and 6.
//
// A case fixes which products are not zero and the order of their keys (of equal keys the lower stream comes first); the
// keys themselves, their distances, signs and significands are free.
module operand #(
    parameter integer Frac = 7,
    parameter integer Low = 4,  // significant bits of a low value, at most Frac + 1
    parameter integer Bits = 19,
    parameter integer Field = 8
) (
    input  wire             zero,
    input  wire             special,
    input  wire             negative,
    input  wire [Field-1:0] exponent,
    input  wire  [Frac-1:0] fraction,
    output wire  [Bits-1:0] decoded,  // as elements take it
    output reg      [Low:0] low       // the low value, in units of its last place
);
  localparam integer Cut = Frac + 1 - Low;
  reg [Frac+1:0] rest, half;
  reg up;
  always @* begin
    low = {2'b01, fraction} >> Cut;
    rest = {2'b01, fraction} & ((1 << Cut) - 1);
    half = Cut > 0 ? 1 << (Cut - 1) : 1;
    up = `Nearest && Cut > 0 && (rest > half || (rest == half && low[0]));
    if (up) low = low + 1;
  end
  // Whether an operand brings the decision of low rounding with it, its width tells.
  generate
    if (Bits == 2 + `Specials + Field + Frac) begin : g_plain
      if (`Specials) assign decoded = {zero, special, negative, exponent, fraction};
      else assign decoded = {zero, negative, exponent, fraction};
    end else begin : g_up
      if (`Specials) assign decoded = {zero, special, negative, exponent, fraction, up};
      else assign decoded = {zero, negative, exponent, fraction, up};
    end
  endgenerate
endmodule

module check (
    input  wire   [`Streams-1:0] numbers,  // which products are not zero
    input  wire               any,      // these: may be Inf or NaN too, and only class counts
    input  wire [3*`Streams-1:0] order,    // of the products that are not zero, the largest key first
    // Keys: the largest, and how far each further one in that order lies below the one before.
    input  wire [`KeyBits-1:0] most,
    input  wire [`KeyBits*`Streams-1:0] below,
    output reg  [`KeyBits*`Streams-1:0] keys,
    output reg           [`Streams-1:0] some,
    // Operands. Zero and special of A and of B; where a product is zero, at least one operand is.
    input  wire [4*`Streams-1:0] classes,
    input  wire   [`Streams-1:0] a_negative,
    input  wire   [`Streams-1:0] b_negative,
    input  wire [`AField*`Streams-1:0] a_field,
    input  wire [`BField*`Streams-1:0] b_field,
    input  wire [`AFrac*`Streams-1:0] a_fraction,
    input  wire [`BFrac*`Streams-1:0] b_fraction,
    output wire [`AOp*`Streams-1:0] a,
    output wire [`BOp*`Streams-1:0] b,
    // The multipliers, the high ones first: which one a stream's product is due in, what they are given, their products.
    input  wire [3*`Streams-1:0] place,
    input  wire [`AMultiplied-1:0] a_multiplied,
    input  wire [`BMultiplied-1:0] b_multiplied,
    input  wire [`Products-1:0] products,
    // What is added up, the high ones first; the sum, which comes to the accumulator's input by way of what places it.
    input  wire  [`Streams-1:0] signs,
    input  wire [`Streams*`SumBits-1:0] terms,
    input  wire               load,
    input  wire               sum_sign,
    input  wire  [`SumBits-1:0] sum,
    input  wire               sign,
    input  wire  [`SumBits-1:0] summed,
    input  wire               active,
    input  wire [`StepBits-1:0] step,
    input  wire [`AddendBits-1:0] placed,
    input  wire [`AddendBits-1:0] addend,
    output wire               ok
);
  localparam integer Places = `AFrac + `BFrac + `Window;  // the sum's unit is 2**(K* - Places)
  localparam integer ALow = (`LowBits > `AFrac + 1) ? `AFrac + 1 : `LowBits;
  localparam integer BLow = (`LowBits > `BFrac + 1) ? `BFrac + 1 : `LowBits;
  localparam integer ALowFrac = (ALow > 1) ? ALow - 1 : 1;
  localparam integer BLowFrac = (BLow > 1) ? BLow - 1 : 1;
  localparam integer HighBits = `AFrac + `BFrac + 2;  // of a product
  localparam integer LowBits = ALowFrac + BLowFrac + 2;
  localparam [LowBits-1:0] LowMask = {LowBits{1'b1}} << (LowBits - ALow - BLow);  // places that such a product has
  localparam integer Width = Places + 8;
  localparam integer Group = `Streams / `Groups;

  // ---- Keys and classes of the case ----
  reg fits;
  integer i, s, key, before;
  reg [4*`Streams-1:0] class;
  always @* begin
    fits = 1;
    class = classes;
    keys = 0;
    key = most;
    before = 0;
    for (i = 0; i < `Streams; i = i + 1) begin
      s = order[3*i+:3];
      if (i > 0) key = key - below[`KeyBits*i+:`KeyBits] - (before > s ? 1 : 0);
      keys[`KeyBits*s+:`KeyBits] = key;
      if (numbers[s]) begin
        if (key + `KeyBase < `KeyLeast || key + `KeyBase > `KeyMost) fits = 0;
        class[4*s+:4] = 0;
      end
      before = s;
    end
    for (s = 0; s < `Streams; s = s + 1)
      if (!numbers[s] && !any) class[4*s+:4] = {2'b00, classes[4*s] | ~classes[4*s+1], classes[4*s+1] | ~classes[4*s]};
    if (any) class = classes;
  end

  genvar g;
  wire [(ALow+1)*`Streams-1:0] a_low;
  wire [(BLow+1)*`Streams-1:0] b_low;
  generate
    for (g = 0; g < `Streams; g = g + 1) begin : g_stream
      // A decoder gives Inf with no fraction, NaN with its top bit.
      wire a_special = `Specials && class[4*g+2];
      wire b_special = `Specials && class[4*g+3];
      operand #(.Frac(`AFrac), .Low(ALow), .Bits(`AOp), .Field(`AField)) u_a (
          .zero(class[4*g]), .special(a_special), .negative(a_negative[g]), .exponent(a_field[`AField*g+:`AField]),
          .fraction(a_special ? a_fraction[`AFrac*g+:`AFrac] & (1 << (`AFrac - 1)) : a_fraction[`AFrac*g+:`AFrac]),
          .decoded(a[`AOp*g+:`AOp]), .low(a_low[(ALow+1)*g+:ALow+1])
      );
      operand #(.Frac(`BFrac), .Low(BLow), .Bits(`BOp), .Field(`BField)) u_b (
          .zero(class[4*g+1]), .special(b_special), .negative(b_negative[g]), .exponent(b_field[`BField*g+:`BField]),
          .fraction(b_special ? b_fraction[`BFrac*g+:`BFrac] & (1 << (`BFrac - 1)) : b_fraction[`BFrac*g+:`BFrac]),
          .decoded(b[`BOp*g+:`BOp]), .low(b_low[(BLow+1)*g+:BLow+1])
      );
    end
  endgenerate

  // ---- Class ----
  reg nan, plus, minus, za, zb, sa, sb, na, nb;
  integer t;
  always @* begin
    {nan, plus, minus, some} = 0;
    for (t = 0; t < `Streams; t = t + 1) begin
      {zb, za} = class[4*t+:2];
      sa = `Specials && class[4*t+2] && !za;
      sb = `Specials && class[4*t+3] && !zb;
      na = sa && a_fraction[`AFrac*t+`AFrac-1];
      nb = sb && b_fraction[`BFrac*t+`BFrac-1];
      if (na || nb || (sa && zb) || (sb && za)) nan = 1;
      else if (sa || sb) begin
        if (a_negative[t] ^ b_negative[t]) minus = 1;
        else plus = 1;
      end
      some[t] = !za && !zb && !sa && !sb;
    end
    if (plus && minus) nan = 1;
  end
  wire inf = plus || minus;

  // ---- Steering and terms ----
  reg [`KeyBits-1:0] one, largest, best;
  reg [`Streams-1:0] winners;
  integer p, u, winner;
  integer at;
  reg found, high, due, a_carry, b_carry;
  reg [ALowFrac-1:0] a_cut;
  reg [BLowFrac-1:0] b_cut;
  reg [LowBits-1:0] low;
  reg [Width-1:0] want, given;
  reg matched, products_possible, exact;
  always @* begin
    largest = 0;
    winners = 0;
    found = 0;
    for (u = 0; u < `Streams; u = u + 1) begin
      one = keys[`KeyBits*u+:`KeyBits];
      if (some[u] && (!found || one > largest)) largest = one;
      found = found || some[u];
    end
    for (p = 0; p < `Groups; p = p + 1) begin
      winner = Group * p;
      best = 0;
      found = 0;
      for (u = Group * p; u < Group * (p + 1); u = u + 1) begin
        one = keys[`KeyBits*u+:`KeyBits];
        if (!`Static && some[u] && (!found || one > best)) begin
          best = one;
          winner = u;
        end
        found = found || some[u];
      end
      for (u = Group * p; u < Group * (p + 1); u = u + 1) winners[u] = winner == u;
    end
    matched = 1;
    products_possible = 1;
    exact = 1;
    for (u = 0; u < `Streams; u = u + 1) begin
      one = keys[`KeyBits*u+:`KeyBits];
      high = `Streams == 1 || `AllHigh || (!`AllLow && winners[u]);
      due = some[u] && one + `Window >= largest;
      at = place[3*u+:3];
      given = terms[`SumBits*at+:`SumBits];
      if (due && signs[at] != (a_negative[u] ^ b_negative[u])) exact = 0;
      // The product of what the multiplier of this product is given, which must be its operands.
      if (due && high != (at < `High)) matched = 0;
      if (high) begin
        if (due && (a_multiplied[`AFrac*at+:`AFrac] != a_fraction[`AFrac*u+:`AFrac] ||
                    b_multiplied[`BFrac*at+:`BFrac] != b_fraction[`BFrac*u+:`BFrac])) matched = 0;
        want = products[HighBits*at+:HighBits];
        if (due && want < 1 << (HighBits - 2)) products_possible = 0;
      end else begin
        at = at - `High;
        // A low value that carried is 2, and its fraction nothing.
        {a_carry, a_cut} = a_low[(ALow+1)*u+:ALow+1] << (ALowFrac + 1 - ALow);
        {b_carry, b_cut} = b_low[(BLow+1)*u+:BLow+1] << (BLowFrac + 1 - BLow);
        a_carry = a_low[(ALow+1)*u+ALow];
        b_carry = b_low[(BLow+1)*u+BLow];
        if (due && (a_multiplied[`AFrac*`High+ALowFrac*at+:ALowFrac] != a_cut || b_multiplied[`BFrac*`High+BLowFrac*at+:BLowFrac] != b_cut))
          matched = 0;
        low = products[HighBits*`High+LowBits*at+:LowBits];
        if (due && (!(|low[LowBits-1-:2]) || ((a_carry || b_carry) && low[LowBits-1]) ||
                    (a_carry && b_carry && low != 1 << (LowBits - 2)) || (low & ~LowMask) != 0)) products_possible = 0;
        want = low;
        want = want << ((a_carry ? 1 : 0) + (b_carry ? 1 : 0) + HighBits - LowBits);
      end
      want = due ? (want << `Window) >> (largest - one) : 0;
      if (given << (Places - `SumFrac) != want) exact = 0;
    end
  end

  // ---- The comparison ----
  wire [2:0] flags = `Specials ? step[`StepBits-1-:3] : 3'b000;
  wire class_ok = active == (|some || nan || inf) && (!active || (flags[2] == nan && (nan || (flags[1] == inf && (!inf || flags[0] == minus)))));
  wire passed = load && sign == sum_sign && summed == sum && addend == placed;
  wire right = step[`StepBits-1-3*`Specials:0] == largest && matched && exact;
  assign ok = (!any && !(fits && products_possible)) || (class_ok && (!active || (passed && (any || right))));
endmodule
