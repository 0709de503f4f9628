// The foot of a column: an accumulator as a result. docs/contract.md, sections 5 and 6.
`ifdef Anchored
module check (
    // The place of M's leading one, and the bits below it.
    input  wire              negative,
    input  wire    [`AccBits-1:0] magnitude,
    input  wire [`AnchorBits-1:0] anchor,
    input  wire               [1:0] infs,
`ifdef Full
    input  wire                     full,
    input  wire                     more,  // the state itself is wanted
`endif
    output wire  [`StateBits-1:0] state,
    input  wire [`ResultBits-1:0] result,
    output wire                  ok
);
  wire [`AccBits-1:0] m = negative ? -magnitude : magnitude;
  // Without specials the state has no flags, and it is cut off at the top.
`ifdef Full
  assign state = {infs, full, m, anchor};
`else
  assign state = {infs, m, anchor};
  wire more = 0;
`endif

  wire sign = m[`AccBits-1];
  wire [`AccBits-1:0] size = sign ? -m : m;
  wire signed [15:0] unit = `AccStep * ($signed({1'b0, anchor}) + `AnchorLeast);
  wire [`OutBits-1:0] finite;
  nearest #(
      .Exp(`OutExp), .Frac(`OutFrac), .Encoding(`OutEncoding), .Keep(`OutKeep), .Width(`AccBits)
  ) u_nearest (.negative(sign), .magnitude(size), .unit(unit), .word(finite));
  wire [`OutBits-1:0] nan = {1'b0, {`OutExp{1'b1}}, 1'b1, {(`OutFrac - 1) {1'b0}}};
  wire [`OutBits-1:0] inf = {infs[0], {`OutExp{1'b1}}, {`OutFrac{1'b0}}};
  // E is never above the largest anchor.
  assign ok = more ? result[`StateBits-1:0] == state : unit > `AccStep * `AnchorMost || result[`OutBits-1:0] == (!`Specials || infs == 0 ? finite : infs == 3 ? nan : inf);
endmodule
`else
module check (
    input  wire [`StateBits-1:0] state,
    input  wire   [`OutBits-1:0] result,
    output wire                  ok
);
  // One that rounded at every step: the same number again, in the format of the results.
  wire [`AccExp-1:0] exponent = state[`AccFrac+:`AccExp];
  wire [`AccFrac-1:0] fraction = state[`AccFrac-1:0];
  wire sign = state[`StateBits-1];
  wire signed [15:0] unit = $signed({1'b0, exponent}) - ((1 << (`AccExp - 1)) - 1) - `AccFrac;
  wire [`OutBits-1:0] finite;
  nearest #(
      .Exp(`OutExp), .Frac(`OutFrac), .Encoding(`OutEncoding), .Keep(`OutKeep), .Width(`AccFrac + 1)
  ) u_nearest (.negative(sign), .magnitude({1'b1, fraction}), .unit(unit), .word(finite));
  wire [`OutBits-1:0] nan = {1'b0, {`OutExp{1'b1}}, 1'b1, {(`OutFrac - 1) {1'b0}}};
  wire [`OutBits-1:0] inf = {sign, {`OutExp{1'b1}}, {`OutFrac{1'b0}}};
  // What an accumulator can hold: +0, normal numbers, Inf of either sign, one NaN.
  wire held = exponent == 0 ? state == 0 : !(&exponent) || fraction == 0 || (!sign && fraction == 1 << (`AccFrac - 1));
  assign ok = !held || result == (exponent == 0 ? 0 : !(&exponent) ? finite : fraction != 0 ? nan : inf);
endmodule
`endif
