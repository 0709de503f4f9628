// Adds a step's sum to an accumulator and rounds once, to nearest even. Combinational. Contract, sections 5 and 6.
`default_nettype none

module daa_add #(
    parameter integer AccExp     = 8,
    parameter integer AccFrac    = 23,
    parameter integer SumBits    = 17,
    parameter integer ExpBits    = 10,  // signed
    parameter integer AddendBits = 31
) (
    input  wire [AccExp+AccFrac:0] base_i,    // sign, exponent, fraction
    input  wire                    live_i,    // low: there is nothing to add
    input  wire   [AddendBits-1:0] addend_i,  // as daa_addend lays it out: normalised, or zero
    output wire [AccExp+AccFrac:0] total_o
);

  localparam integer Sig = (AccFrac + 1 > SumBits) ? AccFrac + 1 : SumBits;  // both significands, left-aligned
  localparam integer ShiftBits = $clog2(Sig + 3);
  localparam integer Wide = Sig + 4;  // carry, significand, guard, round, sticky
  localparam integer CountBits = $clog2(Wide);
  localparam integer Below = Wide - AccFrac - 1;  // bits that rounding removes
  localparam [AccExp-1:0] ExpMax = {AccExp{1'b1}};

  // The sum.
  wire sign = addend_i[SumBits+ExpBits];
  wire signed [ExpBits-1:0] exponent = $signed(addend_i[SumBits+:ExpBits]);
  wire [SumBits-1:0] mag = addend_i[SumBits-1:0];
  wire sum_some = live_i & mag[SumBits-1];
  wire [Sig-1:0] sum_sig = {mag, {(Sig - SumBits) {1'b0}}};

  // What to add to: sign, exponent, fraction. Exponent zero is zero; the accumulator has no subnormals.
  wire base_sign = base_i[AccExp+AccFrac];
  wire [AccExp-1:0] base_exp = base_i[AccFrac+:AccExp];
  wire base_some = |base_exp;
  wire base_special = &base_exp;
  wire [Sig-1:0] base_sig = {base_some, base_i[AccFrac-1:0], {(Sig - AccFrac - 1) {1'b0}}};
  wire signed [ExpBits-1:0] base_sexp = $signed({{(ExpBits - AccExp) {1'b0}}, base_exp});

  // Align the smaller to the larger.
  wire signed [ExpBits-1:0] ahead = exponent - base_sexp;
  wire behind = ahead[ExpBits-1];
  wire same = ~|ahead;
  wire sum_leads = sum_some & (~base_some | (~behind & (~same | (sum_sig >= base_sig))));
  wire [Sig-1:0] bigger = sum_leads ? sum_sig : base_sig;
  wire [Sig-1:0] lesser = sum_leads ? base_sig : sum_sig;
  wire signed [ExpBits-1:0] bigger_exp = sum_leads ? exponent : base_sexp;
  wire bigger_sign = sum_leads ? sign : base_sign;
  wire [ExpBits-1:0] distance = (ahead ^ {ExpBits{behind}}) + {{(ExpBits - 1) {1'b0}}, behind};
  // All ones shifts everything out: the smaller lies far below, or there is nothing to add.
  wire far = ~sum_some | (|distance[ExpBits-1:ShiftBits]);
  wire [ShiftBits-1:0] shift = distance[ShiftBits-1:0] | {ShiftBits{far}};

  wire [Sig+1:0] aligned;
  wire lost;
  daa_shift #(.Width(Sig + 2), .Shift(ShiftBits)) u_shift (
      .value_i({lesser, 2'b00}), .shift_i(shift), .value_o(aligned), .lost_o(lost)
  );

  // Add or subtract, normalise.
  wire minus = sign ^ base_sign;
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
  wire base_nan = base_special & base_i[AccFrac-1];
  wire base_inf = base_special & ~base_i[AccFrac-1];
  wire [2:0] special = addend_i[AddendBits-1-:3] & {3{live_i}};  // the sum is NaN; is Inf; that Inf is negative
  wire is_nan = base_nan | special[2] | (special[1] & base_inf & (special[0] ^ base_sign));
  wire is_inf = base_inf | special[1] | over;
  wire inf_sign = base_inf ? base_sign : special[1] ? special[0] : bigger_sign;
  assign total_o =
      is_nan ? {1'b0, ExpMax, 1'b1, {(AccFrac - 1) {1'b0}}} :
      is_inf ? {inf_sign, ExpMax, {AccFrac{1'b0}}} :
      zero ? {(AccExp + AccFrac + 1) {1'b0}} :
      {bigger_sign, res_exp[AccExp-1:0], rounded[AccFrac-1:0]};

endmodule

`default_nettype wire
