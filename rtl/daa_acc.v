// Accumulator: adds a step's exact sum and rounds once, to nearest even, in a loop of one cycle.
// Contract, sections 5 and 6. Latency: 1 cycle to the register; result_o carries it in the cycle after the tile's
// last step, and is zero in all others.
`default_nettype none

module daa_acc #(
    parameter integer AccExp  = 8,
    parameter integer AccFrac = 23,
    parameter integer ExpBits = 10,  // signed
    parameter integer SumBits = 17
) (
    input  wire                      clk_i,
    input  wire                      en_i,
    input  wire                      clear_i,  // reset sweep
    input  wire                      first_i,  // first step of a tile: start from c0_i
    input  wire                      last_i,   // last step of a tile
    input  wire                      active_i, // the step has a product that is not zero
    input  wire                      sign_i,
    input  wire signed [ExpBits-1:0] exp_i,
    input  wire        [SumBits-1:0] mag_i,    // normalised, or zero
    input  wire                      nan_i,
    input  wire                      inf_i,
    input  wire                      inf_sign_i,
    input  wire   [AccExp+AccFrac:0] c0_i,
    output wire   [AccExp+AccFrac:0] result_o
);

  localparam integer Sig = (AccFrac + 1 > SumBits) ? AccFrac + 1 : SumBits;  // both significands, left-aligned
  localparam integer ShiftBits = $clog2(Sig + 3);
  localparam integer Wide = Sig + 4;  // carry, significand, guard, round, sticky
  localparam integer CountBits = $clog2(Wide);
  localparam integer Below = Wide - AccFrac - 1;  // bits that rounding removes
  localparam [AccExp-1:0] ExpMax = {AccExp{1'b1}};

  reg [AccExp+AccFrac:0] acc_q;
  reg done_q;

  // What to add to: sign, exponent, fraction. Exponent zero is zero; the accumulator has no subnormals.
  wire [AccExp+AccFrac:0] base = first_i ? c0_i : acc_q;
  wire base_sign = base[AccExp+AccFrac];
  wire [AccExp-1:0] base_exp = base[AccFrac+:AccExp];
  wire base_some = |base_exp;
  wire base_special = &base_exp;
  wire [Sig-1:0] base_sig = {base_some, base[AccFrac-1:0], {(Sig - AccFrac - 1) {1'b0}}};
  wire signed [ExpBits-1:0] base_sexp = $signed({{(ExpBits - AccExp) {1'b0}}, base_exp});

  // A first step without products adds nothing to c0_i. In other steps without products all stays as it was, and
  // nothing is loaded.
  wire live = active_i | ~first_i;
  wire sum_some = live & mag_i[SumBits-1];
  wire [Sig-1:0] sum_sig = {mag_i, {(Sig - SumBits) {1'b0}}};

  // Align the smaller to the larger.
  wire signed [ExpBits-1:0] ahead = exp_i - base_sexp;
  wire behind = ahead[ExpBits-1];
  wire same = ~|ahead;
  wire sum_leads = sum_some & (~base_some | (~behind & (~same | (sum_sig >= base_sig))));
  wire [Sig-1:0] bigger = sum_leads ? sum_sig : base_sig;
  wire [Sig-1:0] lesser = sum_leads ? base_sig : sum_sig;
  wire signed [ExpBits-1:0] bigger_exp = sum_leads ? exp_i : base_sexp;
  wire bigger_sign = sum_leads ? sign_i : base_sign;
  wire [ExpBits-1:0] distance = (ahead ^ {ExpBits{behind}}) + {{(ExpBits - 1) {1'b0}}, behind};
  // All ones shifts everything out: the smaller lies far below, or there is nothing to add.
  wire far = ~sum_some | (|distance[ExpBits-1:ShiftBits]);
  wire [ShiftBits-1:0] shift = distance[ShiftBits-1:0] | {ShiftBits{far}};

  wire [Sig+1:0] aligned;
  wire lost;
  daa_align #(.Width(Sig + 2), .Shift(ShiftBits)) u_align (
      .value_i({lesser, 2'b00}), .shift_i(shift), .value_o(aligned), .lost_o(lost)
  );

  // Add or subtract, normalise.
  wire minus = sign_i ^ base_sign;
  wire [Wide-1:0] addend = {1'b0, aligned, lost & sum_some};
  wire [Wide:0] sum = {1'b0, bigger, 3'b000, 1'b1} + {addend ^ {Wide{minus}}, minus};  // the last bit carries minus in
  wire [Wide-1:0] total = sum[Wide:1];
  wire unused_ok = &{1'b0, sum[0]};
  wire [Wide-1:0] norm;
  wire [CountBits-1:0] places;
  daa_norm #(.Width(Wide), .Count(CountBits)) u_norm (.value_i(total), .value_o(norm), .count_o(places));
  wire signed [ExpBits-1:0] norm_exp = bigger_exp + 1 - $signed({{(ExpBits - CountBits) {1'b0}}, places});

  // Round to nearest even; a carry out of the fraction lands in the exponent.
  wire guard = norm[Below-1];
  wire sticky = |norm[Below-2:0];
  wire up = guard & (sticky | norm[Below]);
  wire [ExpBits+AccFrac-1:0] rounded = {norm_exp, norm[Below+:AccFrac]} + {{(ExpBits + AccFrac - 1) {1'b0}}, up};
  wire signed [ExpBits-1:0] res_exp = rounded[AccFrac+:ExpBits];
  wire zero = ~norm[Wide-1] | (res_exp < 1);
  wire over = norm[Wide-1] & (res_exp >= $signed({{(ExpBits - AccExp) {1'b0}}, ExpMax}));

  // Zero is +0. Inf and NaN stay.
  wire base_nan = base_special & base[AccFrac-1];
  wire base_inf = base_special & ~base[AccFrac-1];
  wire nan = base_nan | (live & nan_i) | (live & inf_i & base_inf & (inf_sign_i ^ base_sign));
  wire inf = base_inf | (live & inf_i) | over;
  wire inf_sign = base_inf ? base_sign : (live & inf_i) ? inf_sign_i : bigger_sign;
  wire [AccExp+AccFrac:0] acc_d =
      nan ? {1'b0, ExpMax, 1'b1, {(AccFrac - 1) {1'b0}}} :
      inf ? {inf_sign, ExpMax, {AccFrac{1'b0}}} :
      zero ? {(AccExp + AccFrac + 1) {1'b0}} :
      {bigger_sign, res_exp[AccExp-1:0], rounded[AccFrac-1:0]};

  always @(posedge clk_i) begin
    if (clear_i) begin
      acc_q  <= {(AccExp + AccFrac + 1) {1'b0}};
      done_q <= 1'b0;
    end else if (en_i) begin
      if (first_i | active_i) acc_q <= acc_d;
      done_q <= last_i;
    end
  end

  assign result_o = acc_q & {(AccExp + AccFrac + 1) {done_q}};

endmodule

`default_nettype wire
