// Product of two significands, each 1.f with its leading one implied. Exact; combinational.
// Contract, section 4: the high term (all fraction bits) or a low term (the top lo-bits only).
`default_nettype none

module daa_mul #(
    parameter integer AFrac = 7,
    parameter integer BFrac = 7
) (
    input  wire [      AFrac-1:0] a_frac_i,
    input  wire [      BFrac-1:0] b_frac_i,
    output wire [AFrac+BFrac+1:0] product_o  // AFrac + BFrac fraction bits, two integer bits
);

  assign product_o = {1'b1, a_frac_i} * {1'b1, b_frac_i};

endmodule

`default_nettype wire
