// Carries as a parallel prefix tree of least depth (Sklansky's). Yosys's own mapping of $lcu has twice as many levels.
(* techmap_celltype = "$lcu" *)
module _80_prefix_lcu (P, G, CI, CO);
  parameter WIDTH = 2;

  (* force_downto *)
  input [WIDTH-1:0] P, G;
  input CI;
  (* force_downto *)
  output [WIDTH-1:0] CO;

  wire [1023:0] _TECHMAP_DO_ = "proc; opt -fast";

  integer i, span;
  reg [WIDTH-1:0] p, g;

  always @* begin
    p = P;
    g = G;
    g[0] = G[0] | (P[0] & CI);
    for (span = 1; span < WIDTH; span = 2 * span)
      for (i = span; i < WIDTH; i = i + 1)
        if ((i / span) % 2 == 1) begin
          g[i] = g[i] | (p[i] & g[(i/span)*span-1]);
          p[i] = p[i] & p[(i/span)*span-1];
        end
  end

  assign CO = g;
endmodule
