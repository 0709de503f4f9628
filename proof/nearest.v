// A number rounded to a format, to nearest even: docs/contract.md, sections 1 and 5.
module nearest #(
    parameter integer Exp = 8,
    parameter integer Frac = 23,
    parameter integer Encoding = 0,  // 0: ieee, 1: fn, 2: finite
    parameter integer Keep = 0,  // 0: a result below the smallest normal number is flushed, after rounding
    parameter integer Width = 64
) (
    input  wire                negative,
    input  wire    [Width-1:0] magnitude,  // times 2**unit
    input  wire signed  [15:0] unit,
    output reg  [Exp+Frac:0]   word
);

  localparam integer Bias = (1 << (Exp - 1)) - 1;
  localparam integer Top = (1 << Exp) - 1;
  localparam integer Largest = (Encoding == 0) ? (Top << Frac) - 1 : (Encoding == 1) ? (Top << Frac) + (1 << Frac) - 2 :
      (Top << Frac) + (1 << Frac) - 1;

  integer i, e, last, places;
  reg [Width+Frac+1:0] wide, kept;
  reg guard, sticky;
  reg signed [47:0] code;
  always @* begin
    // The exponents of the number, and of the last place that is kept.
    e = unit;
    for (i = 0; i < Width; i = i + 1) if (magnitude[i]) e = unit + i;
    last = e - Frac;
    if (Keep != 0 && e < 1 - Bias) last = 1 - Bias - Frac;
    // As a multiple of that place.
    places = last - unit;
    wide = magnitude;
    guard = 0;
    sticky = 0;
    if (places <= 0) kept = wide << -places;
    else begin
      kept = wide >> places;
      guard = (wide >> (places - 1)) & 1;
      sticky = ((wide >> (places - 1)) << (places - 1)) != wide;
    end
    if (guard && (sticky || kept[0])) kept = kept + 1;
    // Exponent and fraction as one number: a carry out of the fraction lands in the exponent.
    code = $signed({1'b0, kept[Frac+1:0]}) + ((last + Frac + Bias - 1) << Frac);
    if (magnitude == 0 || code <= 0 || (Keep == 0 && code < (1 << Frac))) word = 0;
    else if (code > Largest) word = (Encoding == 0) ? {negative, {Exp{1'b1}}, {Frac{1'b0}}} : {negative, Largest[Exp+Frac-1:0]};
    else word = {negative, code[Exp+Frac-1:0]};
  end

endmodule
