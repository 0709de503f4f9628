// Accumulator: takes C0 in a tile's first step, adds each step's sum, and gives the result after the last.
// Contract, section 5. Latency: 1 cycle to the register; result_o carries it in the cycle after the tile's last step,
// and is zero in all others. What is added, and how, is daa_add's.
`default_nettype none

module daa_acc #(
    parameter integer StateBits  = 32,
    parameter integer AddendBits = 31
) (
    input  wire                  clk_i,
    input  wire                  clear_i,   // reset sweep
    input  wire                  first_i,   // first step of a tile: start from c0_i
    input  wire                  last_i,    // last step of a tile
    input  wire                  active_i,  // the step has a product that is not zero
    input  wire [AddendBits-1:0] addend_i,
    input  wire  [StateBits-1:0] c0_i,
    output wire  [StateBits-1:0] result_o
);

  reg [StateBits-1:0] state_q;
  reg done_q;

  // A first step without products adds nothing to c0_i. In other steps without products nothing is loaded, so it does
  // not matter there what is added.
  wire live = active_i | ~first_i;
  wire [StateBits-1:0] total;
  daa_add u_add (.base_i(first_i ? c0_i : state_q), .live_i(live), .addend_i(addend_i), .total_o(total));

  wire state_clk, state_load;
  daa_clkgate u_gate (
      .clk_i(clk_i), .load_i(clear_i | first_i | active_i), .clk_o(state_clk), .load_o(state_load)
  );
  always @(posedge state_clk) if (state_load) state_q <= clear_i ? {StateBits{1'b0}} : total;
  always @(posedge clk_i) done_q <= last_i & ~clear_i;

  assign result_o = state_q & {StateBits{done_q}};

endmodule

`default_nettype wire
