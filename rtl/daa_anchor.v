// Anchored accumulator: a fixed-point number of AccBits bits, M, in units of 2**(4 E), where E, the anchor, rises with
// the sums. Nothing is normalised or rounded in its loop. Contract, sections 5.2 and 6.
//
//   anchor  E from the sum's anchor; the sum at its place below M, rounded to nearest even          loop of one cycle
//   M       shifted by what the anchor rose, plus the sum                                           loop of one cycle
// Latency: 2 cycles. The anchor runs a cycle ahead of M, on the column's buses too: c0_i brings E with the tile's first
// step and M a cycle later; result_o has E in the cycle after the tile's last step and M a cycle later, zero otherwise.
`default_nettype none

module daa_anchor #(
    parameter integer AccBits    = 32,
    parameter integer AnchorBits = 8,  // E counts from its least value
    parameter integer SumBits    = 17,
    parameter integer StateBits  = 42,
    parameter integer AddendBits = 31
) (
    input  wire                  clk_i,
    input  wire                  clear_i,   // reset sweep
    input  wire                  first_i,   // first step of a tile: start from c0_i
    input  wire                  last_i,    // last step of a tile
    input  wire                  active_i,  // the step has a product that is not zero
    input  wire [AddendBits-1:0] addend_i,  // as daa_place gives it
    input  wire  [StateBits-1:0] c0_i,      // from the top: +Inf, -Inf; M; E
    output wire  [StateBits-1:0] result_o   // likewise
);

  localparam integer FineBits = 2;  // a step of the anchor is 2**FineBits = 4 places
  localparam integer PlaceBits = AccBits - 1;  // of the placed sum, which is at most 2**(AccBits-3) in magnitude
  localparam integer Below = 1;  // bits of it below M's lowest that rounding removes
  localparam integer RiseBits = 4;  // steps of the anchor that move all of M out
  localparam integer DropBits = 4;  // steps of the anchor that move all of the placed sum out

  // ---- The anchor ----
  wire [SumBits:0] sum = addend_i[SumBits:0];
  wire sign = addend_i[SumBits+1];
  wire [AnchorBits-1:0] sum_anchor = addend_i[SumBits+2+FineBits+:AnchorBits];

  reg [AnchorBits-1:0] anchor_q;
  wire full;  // M uses its top bits after the step before: the anchor rises by one step
  wire [AnchorBits-1:0] start_anchor = first_i ? c0_i[AnchorBits-1:0] : anchor_q;
  wire start_full = ~first_i & full;
  wire [AnchorBits-1:0] least_anchor = start_anchor + {{(AnchorBits - 1) {1'b0}}, start_full};
  wire [AnchorBits:0] drop = {1'b0, least_anchor} - {1'b0, sum_anchor};  // how far the sum lies below
  wire rises = drop[AnchorBits];
  wire [AnchorBits-1:0] rise = rises ? sum_anchor - start_anchor : {{(AnchorBits - 1) {1'b0}}, start_full};
  wire far_rise = |(rise >> RiseBits);
  wire far_drop = |(drop[AnchorBits-1:0] >> DropBits);

  wire step_clk, step_load;
  daa_clkgate u_step_gate (
      .clk_i(clk_i), .load_i(clear_i | active_i | first_i), .clk_o(step_clk), .load_o(step_load)
  );
  always @(posedge step_clk)
    if (step_load) begin
      if (clear_i) anchor_q <= {AnchorBits{1'b0}};
      else if (active_i) anchor_q <= rises ? sum_anchor : least_anchor;
      else anchor_q <= start_anchor;
    end

  // The sum at its place: up by the fine places, down by steps of the anchor.
  wire [PlaceBits+Below-1:0] low_place;
  wire lost;
  wire [PlaceBits+Below+SumBits:0] high_place =
      ({{(PlaceBits + Below) {sum[SumBits]}}, sum} << 10)
      << addend_i[SumBits+2+:FineBits]
      ;
  wire unused_high = &{1'b0, high_place};
  daa_drop #(
      .Width(PlaceBits + Below), .Shift(DropBits), .Step(4)
  ) u_drop (
      .value_i(high_place[PlaceBits+Below-1:0]),
      .shift_i((drop[DropBits-1:0] | {DropBits{far_drop}}) & {DropBits{~rises}}),
      .value_o(low_place),
      .lost_o(lost)
  );
  wire [PlaceBits-1:0] kept = low_place[Below+:PlaceBits];
  wire guard = low_place[Below-1];
  wire sticky = lost;
  wire up = guard & (sticky | kept[0]);

  // A sum to subtract is inverted, and one more carried in; behind the register, so that its upper bits stay zero.
  reg m_active_q, m_first_q, m_last_q, m_still_q, m_sign_q, m_carry_q;
  reg [RiseBits-1:0] m_rise_q;
  reg [PlaceBits-1:0] m_addend_q;
  always @(posedge clk_i) begin
    if (clear_i) {m_active_q, m_first_q, m_last_q} <= 3'b000;
    else {m_active_q, m_first_q, m_last_q} <= {active_i, first_i, last_i};
  end
  always @(posedge step_clk)
    if (step_load) begin
      m_still_q  <= active_i & ~|rise;
      m_rise_q   <= (rise[RiseBits-1:0] | {RiseBits{far_rise}}) & {RiseBits{active_i}};
      m_addend_q <= kept & {PlaceBits{active_i}};
      m_sign_q   <= sign & active_i;
      m_carry_q  <= (up ^ sign) & active_i;
    end

  // ---- M ----
  wire [AccBits-1:0] c0_m = c0_i[AnchorBits+:AccBits];
  reg signed [AccBits-1:0] m_q;
  wire signed [AccBits-1:0] base = m_first_q ? c0_m : m_q;
  wire [RiseBits+2:0] places = {3'b000, m_rise_q} << FineBits;
  wire signed [AccBits-1:0] moved = base >>> places;
  wire [AccBits-1:0] addend = {m_addend_q[PlaceBits-1], m_addend_q} ^ {AccBits{m_sign_q}};
  wire [AccBits-1:0] total = moved + addend + {{(AccBits - 1) {1'b0}}, m_carry_q};
  wire m_clk, m_load;
  daa_clkgate u_m_gate (
      .clk_i(clk_i), .load_i(clear_i | m_active_q | m_first_q), .clk_o(m_clk), .load_o(m_load)
  );
  always @(posedge m_clk) if (m_load) m_q <= clear_i ? {AccBits{1'b0}} : total;
  reg done_q;
  always @(posedge clk_i) done_q <= m_last_q & ~clear_i;

  // Full: the step did not raise the anchor, and M, as it found it, had top bits that differ.
  reg full_q;
  wire wide = ~((&base[AccBits-1-:3]) | ~(|base[AccBits-1-:3]));
  assign full = (m_active_q | m_first_q) ? m_still_q & wide : full_q;
  always @(posedge clk_i) full_q <= full & ~clear_i;

  // Inf of either sign stays; both are NaN.
  reg [1:0] m_inf_q, inf_q;
  wire [1:0] base_inf = m_first_q ? c0_i[StateBits-1-:2] : inf_q;
  always @(posedge step_clk) if (step_load) m_inf_q <= addend_i[AddendBits-1-:2] & {2{active_i}};
  always @(posedge m_clk) if (m_load) inf_q <= clear_i ? 2'b00 : base_inf | m_inf_q;
  assign result_o = {inf_q & {2{done_q}}, m_q & {AccBits{done_q}}, anchor_q & {AnchorBits{m_last_q}}};

endmodule

`default_nettype wire
