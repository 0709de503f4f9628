// A step of the rounded accumulator. docs/contract.md, sections 5.1 and 6.
//
// `apart` is by how many binary places the sum's leading one lies above the accumulator's; a case fixes it, and the sum's
// exponent follows. Beyond `Far` places either way the smaller number is less than a quarter of the last place that the result
// keeps of the larger one, and any smaller number of its sign rounds alike: there it is taken at `Far` places, so that all stays short.
module check (
    input  wire                  [11:0] apart,  // and 2048
    input  wire        [`StateBits-1:0] c0,     // what the accumulator holds, as a column's head gives it
    input  wire                         any,    // Inf or NaN, and only these count
    input  wire                         idle,   // the step has no product
    input  wire                         sign,
    input  wire                         some,   // low: the sum is zero
    input  wire        [`SumBits-3:0] rest,     // of the magnitude, below its leading one
    input  wire                   [2:0] flags,  // the step gives NaN, Inf, that Inf is negative
    output wire                         active,
    output reg        [`AddendBits-1:0] addend,
    input  wire        [`StateBits-1:0] result,
    output wire                         ok
);
  localparam integer Mag = `SumBits - 1;
  localparam integer ExpBits = `AddendBits - 3 * `Specials - 1 - Mag;
  localparam integer Far = ((`AccFrac + 1 > Mag) ? `AccFrac + 1 : Mag) + 3;
  localparam integer Width = 2 * Far + Mag + `AccFrac + 3;
  localparam integer Bias = (1 << (`AccExp - 1)) - 1;

  wire c0_sign = c0[`StateBits-1];
  wire [`AccExp-1:0] exponent = c0[`AccFrac+:`AccExp];
  wire [`AccFrac-1:0] fraction = c0[`AccFrac-1:0];
  wire c0_some = exponent != 0;
  wire c0_nan = &exponent && fraction != 0;
  wire c0_inf = &exponent && fraction == 0;
  wire held = c0_some ? !(&exponent) || fraction == 0 || (!c0_sign && fraction == 1 << (`AccFrac - 1)) : c0 == 0;

  wire [Mag-1:0] mag = {some, some ? rest : {(Mag - 1) {1'b0}}};
  integer distance, sum_exponent, unit;
  reg signed [Width-1:0] held_at, sum_at, total;
  reg fits;
  always @* begin
    distance = $signed({1'b0, apart}) - 2048;
    sum_exponent = distance + exponent;
    // A sum's leading one has a place, between the least of the smallest key and the most of the largest.
    fits = sum_exponent >= `KeyLeast - `SumFrac + Bias && sum_exponent <= `KeyMost - `SumFrac + Mag - 1 + Bias;
    addend = {flags, sign, sum_exponent[ExpBits-1:0], mag};
    if (!`Specials) addend = {sign, sum_exponent[ExpBits-1:0], mag};
    // Both numbers in one unit, with their leading ones at their distance. A zero is at none.
    if (!some || !c0_some) distance = 0;
    if (distance > Far) distance = Far;
    if (distance < -Far) distance = -Far;
    held_at = {1'b1, fraction};
    held_at = held_at <<< Far + Mag;
    sum_at = mag;
    sum_at = (sum_at <<< Far + `AccFrac + 1);
    if (distance >= 0) held_at = held_at >>> distance;
    else sum_at = sum_at >>> -distance;
    // The larger one's leading one is at place Far + Mag + AccFrac.
    unit = (!some || (c0_some && distance < 0) ? exponent : sum_exponent) - Bias - (Far + Mag + `AccFrac);
    if (!c0_some) held_at = 0;
    if (!some) sum_at = 0;
    total = (c0_sign ? -held_at : held_at) + (sign ? -sum_at : sum_at);
  end
  assign active = !idle;

  wire [`StateBits-1:0] finite;
  nearest #(.Exp(`AccExp), .Frac(`AccFrac), .Width(Width)) u_nearest (
      .negative(total[Width-1]), .magnitude(total[Width-1] ? -total : total), .unit(unit[15:0]), .word(finite)
  );

  wire step_nan = `Specials && active && flags[2];
  wire step_inf = `Specials && active && !flags[2] && flags[1];
  wire nan = c0_nan || step_nan || (step_inf && c0_inf && c0_sign != flags[0]);
  wire [`StateBits-1:0] want = nan ? {1'b0, {`AccExp{1'b1}}, 1'b1, {(`AccFrac - 1) {1'b0}}} :
      step_inf ? {flags[0], {`AccExp{1'b1}}, {`AccFrac{1'b0}}} :
      c0_inf || idle ? c0 : finite;
  assign ok = !held || (any ? !(c0_nan || c0_inf || step_nan || step_inf) : !fits) || result == want;
endmodule
