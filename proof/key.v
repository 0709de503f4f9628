// The key of a product, and whether it has one. docs/contract.md, section 3.
module check (
    input  wire    [`AOp-1:0] a,  // as daa_decode gives it, from the top: zero, special, sign, exponent, and what is below it
    input  wire    [`BOp-1:0] b,
    output wire    [`AOp-1:0] a_given,
    output wire    [`BOp-1:0] b_given,
    input  wire               nonzero,
    input  wire [`KeyBits-1:0] key,
    output wire               ok
);
  assign {a_given, b_given} = {a, b};
  wire signed [15:0] a_exponent = $signed({1'b0, a[`AOp-3-`Specials-:`AField]}) + `ABase;
  wire signed [15:0] b_exponent = $signed({1'b0, b[`BOp-3-`Specials-:`BField]}) + `BBase;
  wire signed [15:0] given = $signed({1'b0, key}) + `KeyBase;
  wire special = `Specials && (a[`AOp-2] || b[`BOp-2]);
  wire number = !a[`AOp-1] && !b[`BOp-1] && !special;
  wire possible = a_exponent >= `ALeast && a_exponent <= `AMost && b_exponent >= `BLeast && b_exponent <= `BMost;
  assign ok = nonzero == number && (!number || !possible || given == a_exponent + b_exponent);
endmodule
