// The head of a column: a word of C0 as an accumulator. docs/contract.md, sections 5 and 6.
module check (
    input  wire            [`C0Bits-1:0] word,  // in a core a state of before where its top bit is high
    input  wire                       take,
    input  wire [`StateBits-1:0] state,
    output wire                  ok
);
  wire sign = word[`AccWidth-1];
  wire [`AccExp-1:0] exponent = word[`AccFrac+:`AccExp];
  wire [`AccFrac-1:0] fraction = word[`AccFrac-1:0];
`ifdef Full
  wire partial = take && word[`C0Bits-1];
`else
  wire partial = 0;
`endif
  wire number = take && !partial;
  wire nan = number && (&exponent) && fraction != 0;
  wire inf = number && (&exponent) && fraction == 0;
  wire finite = number && exponent != 0 && !(&exponent);
`ifdef Anchored
  // Without specials Inf and NaN do not come, and what they give does not count.
  wire [1:0] infs;
  wire [`AccBits-1:0] m;
  wire [`AnchorBits-1:0] anchor;
`ifdef Full
  wire full;
  assign {infs, full, m, anchor} = {2'b00, state};
`else
  wire full = 0;
  assign {infs, m, anchor} = {2'b00, state};
`endif
  // 2**e <= |C0| < 2**(e + 1); E = A(e + 1).
  integer e, x, least, unit;
  reg signed [`AccFrac+`AccBits+`AccStep+1:0] size, kept, want;
  always @* begin
    e = exponent - ((1 << (`AccExp - 1)) - 1);
    x = e + 1 - (`AccBits - 3) - `AccStep * `AnchorLeast;  // not negative: E counts from its least value
    least = (x + `AccStep - 1) / `AccStep;
    unit = `AccStep * (least + `AnchorLeast);
    size = {1'b1, fraction};
    if (e - `AccFrac >= unit) kept = size << (e - `AccFrac - unit);
    else begin
      kept = size >>> (unit - (e - `AccFrac));
      want = size - (kept << (unit - (e - `AccFrac)));  // what is cut off, against one half
      if (want > (1 << (unit - (e - `AccFrac) - 1)) || (want == (1 << (unit - (e - `AccFrac) - 1)) && kept[0])) kept = kept + 1;
    end
    want = sign ? -kept : kept;
  end
  assign ok = partial ? state == word[`StateBits-1:0] : !full && (finite ? anchor == least && $signed(m) == want : m == 0 && (nan || inf || anchor == 0)) &&
      (!`Specials || infs == {nan || (inf && !sign), nan || (inf && sign)});
`else
  wire [`AccWidth-1:0] want = nan ? {1'b0, {`AccExp{1'b1}}, 1'b1, {(`AccFrac - 1) {1'b0}}} : finite || inf ? word : 0;
  assign ok = (!`Specials && (nan || inf)) || state == want;
`endif
endmodule
