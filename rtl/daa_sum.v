// Exact sum of a step's products, in two's complement. Combinational. Contract, section 4: nothing is rounded and
// nothing overflows here. The sum is relative to the first product's sign: of one product it is the product itself.
`default_nettype none

module daa_sum #(
    parameter integer Terms   = 2,
    parameter integer SumBits = 17  // 3 of them integer bits, enough for all products at their largest
) (
    input  wire             [Terms-1:0] sign_i,
    input  wire [Terms*(SumBits+1)-1:0] term_i,  // aligned products, each below 2**SumBits; n at n*(SumBits + 1)
    output wire                         sign_o,
    output wire             [SumBits:0] sum_o    // of the first product's sign: to be negated where sign_o is high
);

  genvar i;
  generate
    for (i = 0; i < Terms; i = i + 1) begin : g_part
      wire [SumBits:0] term = term_i[i*(SumBits+1)+:SumBits+1];
      wire [SumBits:0] part;
      if (i == 0) begin : g_first
        assign part = term;
      end else begin : g_next
        // A term to subtract is inverted, and the bit below the lowest carries a one in.
        wire minus = sign_i[i] ^ sign_i[0];
        wire [SumBits+1:0] total = {g_part[i-1].part, 1'b1} + {term ^ {(SumBits + 1) {minus}}, minus};
        wire unused_ok = &{1'b0, total[0]};
        assign part = total[SumBits+1:1];
      end
    end
  endgenerate

  assign sign_o = sign_i[0];
  assign sum_o  = g_part[Terms-1].part;

endmodule

`default_nettype wire
