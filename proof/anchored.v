// A step of the anchored accumulator: a tile's first, or a later one. docs/contract.md, sections 5.2 and 6.
//
// `rise` is n of step 1 of the contract: how many coarse steps the sum's anchor lies above the accumulator's. A case fixes it,
// and the step's key follows; `fine` are the places within a coarse step.
//
// Why one step is enough: a tile's first step starts from C0, whatever the registers hold. Any later one starts from what they
// hold then, E at once, M, `full` and the flags a cycle later, when the step before is through; and they may hold anything. What
// a step is shown to leave is what the next one is shown to start from.
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
    input  wire                 any,    // Inf or NaN, and only these count
    // The step: beside what anchored_step takes, whether it is NaN, Inf, that Inf is negative.
    input  wire          [15:0] rise,
    input  wire           [3:0] fine,
    input  wire   [`SumBits-1:0] sum,
    input  wire                 sign,
    input  wire                 idle,
    input  wire           [2:0] flags,
    output wire [`StateBits-1:0] c0,
    output wire  [`StepBits-1:0] step,
    output wire                 active,
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
  assign active = !idle;

  wire fits, next_full;
  wire [`StepBits-1:0] key;
  wire signed [`AccBits-1:0] next_m;
  wire [15:0] next_e;
  anchored_step u_step (
      .m(m), .e({{(16 - `AnchorBits) {1'b0}}, e}), .full(full), .rise(rise), .fine(fine), .sum(sum), .sign(sign), .idle(idle),
      .key(key), .fits(fits), .next_m(next_m), .next_e(next_e), .next_full(next_full)
  );
  assign step = `Specials ? {flags, key[`StepBits-4:0]} : key;

  // Flags only ever rise; both are NaN.
  wire [1:0] rise_infs = flags[2] ? 2'b11 : {flags[1] && !flags[0], flags[1] && flags[0]};
  wire [1:0] want_infs = infs | (idle ? 2'b00 : rise_infs);

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
  wire possible = held && fits && next_e < 1 << `AnchorBits;
  // A step that is Inf of neither sign is not negative.
  wire told = flags[1] || !flags[0];
  assign ok = any ? !`Specials || !told || got_infs == want_infs : !possible ||
      (got_e == next_e && got_m == next_m && late_full == next_full && got_full == late_full);
endmodule
