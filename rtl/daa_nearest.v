// Is an operand's low value, the top Bits bits of 1.fraction, rounded up? To nearest, ties to even. Combinational.
// Contract, section 2. Each element decides it anew: a few gates, where carrying it takes a register.
`default_nettype none

module daa_nearest #(
    parameter integer Frac = 7,
    parameter integer Bits = 4,
    parameter integer Up   = 1  // 0: nothing is below the low value, or it is cut there
) (
    input  wire [Frac-1:0] frac_i,
    output wire            up_o
);

  generate
    if (Up != 0) begin : g_round
      localparam integer Cut = Frac + 1 - Bits;  // bits below the low value
      wire [Cut-1:0] rest = frac_i[Cut-1:0];
      wire [Frac:0] value = {1'b1, frac_i} >> Cut;
      wire unused_ok = &{1'b0, value};
      // The highest of them is the half: above it there must be more, or an odd value.
      assign up_o = rest[Cut-1] & (value[0] | |(rest << 1));
    end else begin : g_cut
      wire unused_ok = &{1'b0, frac_i};
      assign up_o = 1'b0;
    end
  endgenerate

endmodule

`default_nettype wire
