// Head of a column: a word of C0 as the anchored accumulator starts with it, or +0. Contract, section 5.2, Start.
// Latency: 1 cycle to the anchor, 2 to M and the flags of Inf, as daa_anchor wants them.
`default_nettype none

module daa_anchor_head #(
    parameter integer AccExp     = 8,
    parameter integer AccFrac    = 23,
    parameter integer AccBits    = 32,
    parameter integer AnchorBits = 8,
    parameter integer StateBits  = 42
) (
    input  wire                    clk_i,
    input  wire                    take_i,  // low: the tile has no C0, or there is none in this cycle, so +0 goes in
    input  wire [AccExp+AccFrac:0] data_i,
    output wire    [StateBits-1:0] state_o  // from the top: +Inf, -Inf; M; anchor
);

  localparam integer FineBits = 2;
  localparam integer SizeBits = 10;
  localparam integer ExpOffset = 124;  // from a biased exponent to the size of C0, as daa_place counts it
  localparam integer Below = 0;  // bits of C0 below M's lowest that rounding removes

  wire [AccExp-1:0] exponent = data_i[AccFrac+:AccExp];
  wire some = take_i & (|exponent);
  wire special = &exponent;
  wire finite = some & ~special;
  wire [SizeBits-1:0] size = {{(SizeBits - AccExp) {1'b0}}, exponent} + ExpOffset[SizeBits-1:0];

  reg [AnchorBits-1:0] anchor_q;
  reg finite_q, sign_q;
  reg [AccFrac-1:0] frac_q;
  always @(posedge clk_i) begin
    anchor_q <= size[FineBits+:AnchorBits] & {AnchorBits{finite}};
    {finite_q, sign_q} <= {finite, finite & data_i[AccExp+AccFrac]};
    frac_q <= data_i[AccFrac-1:0] & {AccFrac{finite}};
  end

  reg [FineBits-1:0] fine_q;
  always @(posedge clk_i) fine_q <= size[FineBits-1:0] & {FineBits{finite}};

  // The significand at its place: as a magnitude, rounded, then negated.
  wire [AccBits+Below+AccFrac:0] placed = {{(AccBits + Below) {1'b0}}, finite_q, frac_q} << 2
      << fine_q
      ;
  wire up = 1'b0;
  wire [AccBits-1:0] kept = placed[Below+:AccBits];
  wire unused_ok = &{1'b0, placed, size};
  reg [AccBits-1:0] m_q;
  always @(posedge clk_i) m_q <= (kept ^ {AccBits{sign_q}}) + {{(AccBits - 1) {1'b0}}, up ^ sign_q};

  wire nan = |data_i[AccFrac-1:0];
  reg [1:0] now_inf_q, inf_q;
  always @(posedge clk_i) begin
    now_inf_q <= {nan | ~data_i[AccExp+AccFrac], nan | data_i[AccExp+AccFrac]} & {2{some & special}};
    inf_q <= now_inf_q;
  end
  assign state_o = {inf_q, m_q, anchor_q};

endmodule

`default_nettype wire
