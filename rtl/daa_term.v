// One multiplier: R1 before it and R2 behind it. R1 loads only a product that takes part, so that others move nothing.
// Contract, section 4: the exact product of two operands or of two low values. Latency: 1 cycle, 2 with R2.
`default_nettype none

module daa_term #(
    parameter integer AFrac   = 7,
    parameter integer BFrac   = 7,
    parameter integer Frac    = AFrac + BFrac,  // fraction bits of the product that are not always zero
    parameter integer Shift   = 4,
    parameter integer Shifted = 1,  // 0: the largest product, which is never shifted and always valid
    parameter integer HasR2   = 0
) (
    input  wire                 clk_i,
    input  wire                 take_i,      // R1 takes the operands
    input  wire                 r1_clk_i,    // R1 takes a step
    input  wire                 r1_load_i,
    input  wire                 r2_clk_i,
    input  wire                 r2_load_i,
    input  wire                 valid_i,     // the product takes part
    input  wire     [Shift-1:0] shift_i,
    input  wire [AFrac+BFrac:0] operands_i,  // sign, fraction of A, fraction of B
    output wire                 valid_o,
    output wire     [Shift-1:0] shift_o,
    output wire                 sign_o,
    output wire      [Frac+1:0] product_o
);

  wire take_clk, take_load;
  daa_clkgate u_gate (.clk_i(clk_i), .load_i(take_i), .clk_o(take_clk), .load_o(take_load));
  wire sign;
  wire [AFrac-1:0] a_frac;
  wire [BFrac-1:0] b_frac;
  daa_stage #(.Width(1 + AFrac + BFrac)) u_r1_operands (
      .clk_i(take_clk), .load_i(take_load), .d_i(operands_i), .q_o({sign, a_frac, b_frac})
  );

  wire [AFrac+BFrac+1:0] product;
  wire unused_ok = &{1'b0, product};
  daa_mul #(.AFrac(AFrac), .BFrac(BFrac)) u_mul (.a_frac_i(a_frac), .b_frac_i(b_frac), .product_o(product));

  daa_stage #(.Width(Frac + 3), .Present(HasR2)) u_r2_product (
      .clk_i(r2_clk_i), .load_i(r2_load_i), .d_i({sign, product[AFrac+BFrac+1-:Frac+2]}), .q_o({sign_o, product_o})
  );

  generate
    if (Shifted != 0) begin : g_shifted
      wire valid;
      wire [Shift-1:0] shift;
      daa_stage #(.Width(1)) u_r1_valid (.clk_i(r1_clk_i), .load_i(r1_load_i), .d_i(valid_i), .q_o(valid));
      daa_stage #(.Width(Shift)) u_r1_shift (.clk_i(take_clk), .load_i(take_load), .d_i(shift_i), .q_o(shift));
      daa_stage #(.Width(1 + Shift), .Present(HasR2)) u_r2_place (
          .clk_i(r2_clk_i), .load_i(r2_load_i), .d_i({valid, shift}), .q_o({valid_o, shift_o})
      );
    end else begin : g_largest
      wire unused_shift = &{1'b0, r1_clk_i, r1_load_i, valid_i, shift_i};
      assign valid_o = 1'b1;
      assign shift_o = {Shift{1'b0}};
    end
  endgenerate

endmodule

`default_nettype wire
