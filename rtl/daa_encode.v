// A number rounded to the output format, to nearest even. Combinational.
// Contract, section 5: the output format's own subnormal and overflow rules; zero is +0.
`default_nettype none

module daa_encode #(
    parameter integer SigBits    = 26,  // at least OutFrac + 3
    parameter integer ExpBits    = 10,
    parameter integer OutExp     = 8,
    parameter integer OutFrac    = 23,
    parameter integer Encoding   = 0,  // 0: ieee, 1: fn (NaN is all ones, no Inf), 2: finite
    parameter integer Subnormals = 0
) (
    input  wire                      nan_i,
    input  wire                      inf_i,
    input  wire                      some_i,  // not zero
    input  wire                      sign_i,
    input  wire signed [ExpBits-1:0] exp_i,   // of the top bit of sig_i, in the output format's bias
    input  wire        [SigBits-1:0] sig_i,   // its top bit is one
    output wire   [OutExp+OutFrac:0] out_o
);

  localparam integer ShiftBits = $clog2(SigBits + 1);
  localparam integer CodeBits = ExpBits + OutFrac;
  localparam [OutExp+OutFrac-1:0] AllOnes = {(OutExp + OutFrac) {1'b1}};
  localparam [OutExp+OutFrac-1:0] Inf = {{OutExp{1'b1}}, {OutFrac{1'b0}}};
  localparam [OutExp+OutFrac-1:0] Largest = (Encoding == 0) ? Inf - 1'b1 : (Encoding == 1) ? AllOnes - 1'b1 : AllOnes;
  localparam [OutExp+OutFrac-1:0] Over = (Encoding == 0) ? Inf : Largest;
  localparam [OutExp+OutFrac-1:0] NaN = (Encoding == 0) ? Inf | (Inf >> 1) : AllOnes;

  wire tiny = exp_i < 1;  // below the smallest normal number, before rounding

  // A subnormal result moves right to exponent zero; all ones moves everything out.
  wire [ExpBits-1:0] depth = 1 - exp_i;
  wire deep = |(depth >> ShiftBits);
  wire [ShiftBits-1:0] shift = (Subnormals != 0 && tiny) ? depth[ShiftBits-1:0] | {ShiftBits{deep}} : {ShiftBits{1'b0}};
  wire [SigBits-1:0] sig;
  wire lost;
  daa_shift #(.Width(SigBits), .Shift(ShiftBits)) u_shift (
      .value_i(sig_i), .shift_i(shift), .value_o(sig), .lost_o(lost)
  );

  wire [OutFrac-1:0] kept = sig[SigBits-2-:OutFrac];
  wire guard = sig[SigBits-2-OutFrac];
  wire sticky = (|sig[SigBits-3-OutFrac:0]) | lost;
  wire up = guard & (sticky | kept[0]);
  wire [ExpBits-1:0] kept_exp = (Subnormals != 0 && tiny) ? {ExpBits{1'b0}} : exp_i;
  wire signed [CodeBits-1:0] code = $signed({kept_exp, kept}) + $signed({{(CodeBits - 1) {1'b0}}, up});
  wire over = code > $signed({{(CodeBits - OutExp - OutFrac) {1'b0}}, Largest});
  wire flushed = (Subnormals == 0) & ($signed(code[CodeBits-1:OutFrac]) < 1);
  wire zero = ~some_i | flushed | (code == 0);

  assign out_o = nan_i ? {1'b0, NaN} :
      inf_i ? {sign_i, Over} :
      zero ? {(OutExp + OutFrac + 1) {1'b0}} :
      over ? {sign_i, Over} :
      {sign_i, code[OutExp+OutFrac-1:0]};
  wire unused_ok = &{1'b0, sig[SigBits-1], code};

endmodule

`default_nettype wire
