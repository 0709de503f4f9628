// Low value of an operand: the top Bits bits of its significand, plus one in the last place where it rounds up.
// Combinational. Contract, section 2: it may carry into the next binade; then the fraction is zero.
`default_nettype none

module daa_low #(
    parameter integer Bits = 4,
    parameter integer Frac = (Bits > 1) ? Bits - 1 : 1
) (
    input  wire [Bits-1:0] low_i,   // the fraction's top Bits - 1 bits, then whether to round up
    output wire            carry_o,
    output wire [Frac-1:0] frac_o
);

  wire [Bits+1:0] value = ({2'b01, low_i} >> 1) + {{(Bits + 1) {1'b0}}, low_i[0]};
  assign carry_o = value[Bits];
  generate
    if (Bits > 1) begin : g_frac
      wire unused_ok = &{1'b0, value[Bits+1], value[Bits-1]};
      assign frac_o = value[Frac-1:0];
    end else begin : g_none
      wire unused_ok = &{1'b0, value[2], value[0]};
      assign frac_o = 1'b0;
    end
  endgenerate

endmodule

`default_nettype wire
