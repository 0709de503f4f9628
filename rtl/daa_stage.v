// One register of a delay line or pipeline. Data moves only while load_i is high.
// Latency: 1 cycle (Present = 1) or none (Present = 0, a wire).
`default_nettype none

module daa_stage #(
    parameter integer Width   = 1,
    parameter integer Present = 1
) (
    input  wire             clk_i,
    input  wire             load_i,
    input  wire [Width-1:0] d_i,
    output wire [Width-1:0] q_o
);

  generate
    if (Present != 0) begin : g_register
      reg [Width-1:0] q;
      always @(posedge clk_i) if (load_i) q <= d_i;
      assign q_o = q;
    end else begin : g_wire
      wire unused_ok = &{1'b0, clk_i, load_i};
      assign q_o = d_i;
    end
  endgenerate

endmodule

`default_nettype wire
