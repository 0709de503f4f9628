// Normaliser: shifts value_i left until its top bit is one, and counts the places. Combinational.
// value_i = 0 gives value_o = 0 and a count without meaning.
`default_nettype none

module daa_norm #(
    parameter integer Width = 24,
    parameter integer Count = 5  // bits of the count: 2**Count >= Width
) (
    input  wire [Width-1:0] value_i,
    output wire [Width-1:0] value_o,
    output wire [Count-1:0] count_o
);

  genvar i;
  generate
    for (i = 0; i < Count; i = i + 1) begin : g_level
      // This level clears 2**(Count-1-i) leading zeros, if there are that many.
      localparam integer Places = 1 << (Count - 1 - i);
      wire [Width-1:0] level_in;
      wire [Width-1:0] level_out;
      if (i == 0) begin : g_first
        assign level_in = value_i;
      end else begin : g_next
        assign level_in = g_level[i-1].level_out;
      end
      if (Places < Width) begin : g_shift
        wire empty = ~|level_in[Width-1-:Places];
        assign level_out = empty ? level_in << Places : level_in;
        assign count_o[Count-1-i] = empty;
      end else begin : g_never
        assign level_out = level_in;
        assign count_o[Count-1-i] = 1'b0;
      end
    end
  endgenerate

  assign value_o = g_level[Count-1].level_out;

endmodule

`default_nettype wire
