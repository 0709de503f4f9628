// Two steps of the anchored accumulator, or one: of a tile, or after any others. docs/contract.md, sections 5.2 and 6.
//
// `rise` is n of step 1 of the contract: how many coarse steps the sum's anchor lies above the accumulator's. A case fixes it,
// and the step's key follows; `fine` are the places within a coarse step.
//
// Why these are enough: where `full` is 0, what the accumulator holds is any M in -3H .. 3H-1 and any E, which are those of a
// C0; where it is 1, it came from such a one by a step that raised nothing, and the next step follows at once, which a
// tile of two is, or later, and then finds M, E and `full` in their registers, which may hold anything.
module anchored_step (
    input  wire signed  [`AccBits-1:0] m,
    input  wire              [15:0] e,       // counts from its least value
    input  wire                     full,
    input  wire              [15:0] rise,    // less 2048
    input  wire               [3:0] fine,
    input  wire       [`SumBits-1:0] sum,     // in two's complement, negated where `sign` is high
    input  wire                     sign,
    input  wire                     idle,
    output reg        [`StepBits-1:0] key,    // as the element counts it
    output reg                      fits,    // such a step there is
    output reg signed  [`AccBits-1:0] next_m,
    output reg               [15:0] next_e,
    output reg                      next_full
);
  localparam integer Most = 2 + $clog2(`Streams);  // a sum is at most 2**(K* + Most)
  localparam integer Width = 2 * `AccBits + `SumBits;
  localparam signed [`AccBits-1:0] H = 1 << (`AccBits - 3);

  wire signed [`SumBits:0] given = $signed(sum);
  integer n, d, largest, unit;
  reg signed [Width-1:0] value, placed;
  reg lost;
  always @* begin
    n = $signed({1'b0, rise}) - 2048;
    // A(largest + Most) = E + n
    largest = `AccStep * ($signed({1'b0, e}) + n + `AnchorLeast) + (`AccBits - 3) - Most - fine;
    value = sign ? -given : given;
    fits = idle || (fine < `AccStep && largest >= `KeyLeast && largest <= `KeyMost && value <= 1 << (`SumFrac + Most) &&
                    value >= -(1 << (`SumFrac + Most)));
    key = largest - `KeyBase;

    d = n > 0 ? n : full ? 1 : 0;
    next_full = d == 0 && (m >= H || m < -H);
    next_e = e + d;
    next_m = m >>> `AccStep * d;
    // The sum in units of 2**(G * E), to nearest even.
    unit = largest - `SumFrac - `AccStep * (e + d + `AnchorLeast);
    lost = 0;
    if (unit >= 0) placed = value <<< unit;
    else begin
      placed = value >>> (-unit - 1);
      lost = (placed <<< (-unit - 1)) != value;
      placed = (placed >>> 1) + ((placed[0] && (lost || placed[1])) ? 1 : 0);
    end
    next_m = next_m + placed;
    if (idle) {next_m, next_e, next_full} = {m, e, full};
  end
endmodule

module check (
    input  wire   [`AccBits-1:0] m,
    input  wire [`AnchorBits-1:0] e,
    input  wire                 full,
    input  wire           [1:0] infs,
    input  wire                 any,   // Inf or NaN, and only these count
    input  wire                 once,  // one step only
    // A step: beside what anchored_step takes, whether it has no product, and whether it is Inf, of which sign, or NaN.
    input  wire          [15:0] rise1,
    input  wire           [3:0] fine1,
    input  wire   [`SumBits-1:0] sum1,
    input  wire                 sign1,
    input  wire                 idle1,
    input  wire           [2:0] flags1,
    input  wire          [15:0] rise2,
    input  wire           [3:0] fine2,
    input  wire   [`SumBits-1:0] sum2,
    input  wire                 sign2,
    input  wire                 idle2,
    input  wire           [2:0] flags2,
    output wire [`StateBits-1:0] c0,
    output wire  [`StepBits-1:0] step1,
    output wire  [`StepBits-1:0] step2,
    output wire                 active1,
    output wire                 active2,
    // Before and after M's cycle; `full`, which a column of a core gets to see too.
    input  wire [`StateBits-1:0] early,
    input  wire [`StateBits-1:0] late,
    input  wire                 late_full,
    output wire                 ok
);
  localparam signed [`AccBits-1:0] H = 1 << (`AccBits - 3);
`ifdef Full
  assign c0 = {infs, full, m, e};
`else
  assign c0 = {infs, m, e};
`endif
  assign {active1, active2} = {!idle1, !idle2};

  wire fits1, fits2, full1, full2;
  wire [`StepBits-1:0] key1, key2;
  wire signed [`AccBits-1:0] m1, m2;
  wire [15:0] e1, e2;
  anchored_step u_first (
      .m(m), .e({{(16 - `AnchorBits) {1'b0}}, e}), .full(full), .rise(rise1), .fine(fine1), .sum(sum1), .sign(sign1), .idle(idle1),
      .key(key1), .fits(fits1), .next_m(m1), .next_e(e1), .next_full(full1)
  );
  anchored_step u_second (
      .m(m1), .e(e1), .full(full1), .rise(rise2), .fine(fine2), .sum(sum2), .sign(sign2), .idle(idle2),
      .key(key2), .fits(fits2), .next_m(m2), .next_e(e2), .next_full(full2)
  );
  assign step1 = `Specials ? {flags1, key1[`StepBits-4:0]} : key1;
  assign step2 = `Specials ? {flags2, key2[`StepBits-4:0]} : key2;

  // Flags only ever rise; both are NaN.
  wire [1:0] rise_infs1 = flags1[2] ? 2'b11 : {flags1[1] && !flags1[0], flags1[1] && flags1[0]};
  wire [1:0] rise_infs2 = flags2[2] ? 2'b11 : {flags2[1] && !flags2[0], flags2[1] && flags2[0]};
  wire [1:0] want_infs = infs | (idle1 ? 2'b00 : rise_infs1) | (idle2 || once ? 2'b00 : rise_infs2);

  wire [1:0] got_infs, early_infs;
  wire signed [`AccBits-1:0] got_m, early_m;
  wire [`AnchorBits-1:0] got_e, late_e;
`ifdef Full
  wire early_full, got_full;
  assign {early_infs, early_full, early_m, got_e} = {2'b00, early};
  assign {got_infs, got_full, got_m, late_e} = {2'b00, late};
`else
  wire got_full = late_full;
  assign {early_infs, early_m, got_e} = {2'b00, early};
  assign {got_infs, got_m, late_e} = {2'b00, late};
`endif
  // What M can be, and a result that can still be told.
  wire held = full || $signed(m) < 3 * $signed({1'b0, H}) && $signed(m) >= -3 * $signed({1'b0, H});
  wire [15:0] e_end = once ? e1 : e2;
  wire possible = held && fits1 && (once || fits2) && e_end < 1 << `AnchorBits;
  // A step that is Inf of neither sign is not negative.
  wire told = (flags1[1] || !flags1[0]) && (flags2[1] || !flags2[0]);
  assign ok = any ? !`Specials || !told || got_infs == want_infs : !possible ||
      (got_e == e_end && got_m == (once ? m1 : m2) && late_full == (once ? full1 : full2) && got_full == late_full);
endmodule
