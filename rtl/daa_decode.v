// Edge decoder: one raw operand to the fields that the elements use, once per row or column and stream.
// Latency: 2 cycles, into a place where a step waits for its turn, and on into the array.
// Contract, sections 1 and 2 (classes, subnormals).
//
// A step waits in one of two places, as it came: so the next one can be taken while the one before still waits, and no
// ready has to follow from what happens in its own cycle. fill_i may rise without an operand at data_i; what is then
// filled in is filled over before it goes in.
//
// op_o, from the top: zero, special (NaN or Inf; the top fraction bit tells NaN), sign, exponent, fraction. A zero
// operand changes only `zero`: the other fields keep their last value, so that nothing moves behind them.
`default_nettype none

module daa_decode #(
    parameter integer ExpBits    = 8,
    parameter integer FracBits   = 7,
    parameter integer Encoding   = 0,  // 0: ieee, 1: fn (NaN is all ones, no Inf), 2: finite
    parameter integer Subnormals = 0,  // 0: read as zero, 1: normalised
    parameter integer Specials   = 1,  // 0: no NaN or Inf comes in, and op_o has no `special`
    parameter integer ExpField   = 8,  // bits of the exponent in op_o
    parameter integer ExpShift   = 0,  // exponent in op_o = biased exponent + ExpShift
    parameter integer OpBits     = 2 + Specials + ExpField + FracBits
) (
    input  wire                      clk_i,
    input  wire                      clear_i,  // reset sweep
    input  wire [               1:0] fill_i,   // data_i goes into place 0, place 1
    input  wire                      from_i,   // the place whose turn it is
    input  wire                      go_i,     // its operand goes into the array; low: a zero does
    input  wire [ExpBits+FracBits:0] data_i,
    output wire [        OpBits-1:0] op_o
);

  localparam integer ExpWork = ((ExpField > ExpBits) ? ExpField : ExpBits) + 3;
  localparam integer Fields = OpBits - 1;
  localparam integer CountBits = 4;  // leading zeros of at most 10 fraction bits

  reg [ExpBits+FracBits:0] place0_q, place1_q;
  always @(posedge clk_i) begin
    if (fill_i[0]) place0_q <= data_i;
    if (fill_i[1]) place1_q <= data_i;
  end

  wire [ExpBits+FracBits:0] data = from_i ? place1_q : place0_q;
  wire                sign = data[ExpBits+FracBits];
  wire [ ExpBits-1:0] exponent = data[FracBits+:ExpBits];
  wire [FracBits-1:0] frac = data[0+:FracBits];
  wire                exp_zero = ~|exponent;

  // Class.
  wire                zero = exp_zero & ((Subnormals == 0) | ~|frac);
  wire                special = (Specials != 0) &
      ((Encoding == 0) ? &exponent : (Encoding == 1) & (&exponent) & (&frac));
  wire                nan = |frac;

  // Exponent and fraction, normalised.
  wire [ ExpWork-1:0] exp_work = {{(ExpWork - ExpBits) {1'b0}}, exponent} + ExpShift[ExpWork-1:0];
  wire [ ExpWork-1:0] norm_exp;
  wire [FracBits-1:0] norm_frac;
  generate
    if (Subnormals != 0) begin : g_keep
      wire [ FracBits-1:0] shifted;
      wire [CountBits-1:0] places;
      daa_norm #(.Width(FracBits), .Count(CountBits)) u_norm (
          .value_i(frac), .value_o(shifted), .count_o(places)
      );
      assign norm_exp = exp_work - (exp_zero ? {{(ExpWork - CountBits) {1'b0}}, places} : {ExpWork{1'b0}});
      assign norm_frac = exp_zero ? shifted << 1 : frac;  // the leading one becomes the implied one
    end else begin : g_flush
      assign norm_exp  = exp_work;
      assign norm_frac = frac;
    end
  endgenerate

  wire [FracBits-1:0] out_frac = special ? {FracBits{nan}} & ~({FracBits{1'b1}} >> 1) : norm_frac;
  wire [ExpField+FracBits+1:0] fields = {special, sign, norm_exp[ExpField-1:0], out_frac};
  wire unused_ok = &{1'b0, norm_exp[ExpWork-1:ExpField], fields};

  // The first register of the array.
  wire some = go_i & ~zero;
  reg zero_q;
  reg [Fields-1:0] fields_q;
  always @(posedge clk_i) begin
    if (clear_i) begin
      zero_q   <= 1'b1;
      fields_q <= {Fields{1'b0}};
    end else begin
      zero_q <= ~some;
      if (some) fields_q <= fields[0+:Fields];
    end
  end
  assign op_o = {zero_q, fields_q};

endmodule

`default_nettype wire
