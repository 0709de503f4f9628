// Clock of registers that load together. The registers take clk_o as their clock and load_o as their enable.
//
// The array was emitted without clock gates: registers hold by their enable.
`default_nettype none

module daa_clkgate (
    input  wire clk_i,
    input  wire load_i,
    output wire clk_o,
    output wire load_o
);

  assign clk_o  = clk_i;
  assign load_o = load_i;

endmodule

`default_nettype wire
