// Delay line of Depth registers, or a wire: what goes into the array diagonal by diagonal waits in one.
// Latency: Depth cycles.
`default_nettype none

module daa_skew #(
    parameter integer Width = 1,
    parameter integer Depth = 0
) (
    input  wire             clk_i,
    input  wire [Width-1:0] d_i,
    output wire [Width-1:0] q_o
);

  genvar i;
  generate
    if (Depth == 0) begin : g_none
      wire unused_ok = &{1'b0, clk_i};
      assign q_o = d_i;
    end else begin : g_line
      for (i = 0; i < Depth; i = i + 1) begin : g_stage
        wire [Width-1:0] q;
        if (i == 0) begin : g_head
          daa_stage #(.Width(Width)) u_stage (.clk_i(clk_i), .load_i(1'b1), .d_i(d_i), .q_o(q));
        end else begin : g_next
          daa_stage #(.Width(Width)) u_stage (.clk_i(clk_i), .load_i(1'b1), .d_i(g_stage[i-1].q), .q_o(q));
        end
      end
      assign q_o = g_stage[Depth-1].q;
    end
  endgenerate

endmodule

`default_nettype wire
