// Arithmetic right shift by shift_i steps of Step places, which remembers whether a one was shifted out. Combinational.
`default_nettype none

module daa_drop #(
    parameter integer Width = 32,
    parameter integer Shift = 4,
    parameter integer Step  = 4
) (
    input  wire [Width-1:0] value_i,
    input  wire [Shift-1:0] shift_i,
    output wire [Width-1:0] value_o,
    output wire             lost_o
);

  genvar i;
  generate
    for (i = 0; i < Shift; i = i + 1) begin : g_level
      localparam integer Places = (Step << i) < Width ? (Step << i) : Width;
      wire signed [Width-1:0] level_in;
      wire lost_in;
      if (i == 0) begin : g_first
        assign level_in = value_i;
        assign lost_in = 1'b0;
      end else begin : g_next
        assign level_in = g_level[i-1].level_out;
        assign lost_in = g_level[i-1].lost;
      end
      wire [Width-1:0] level_out = shift_i[i] ? level_in >>> Places : level_in;
      wire lost = lost_in | (shift_i[i] & (|level_in[Places-1:0]));
    end
  endgenerate

  assign value_o = g_level[Shift-1].level_out;
  assign lost_o  = g_level[Shift-1].lost;

endmodule

`default_nettype wire
