// Carries one after the other: the smallest adder. Yosys's own mapping of $lcu is a parallel prefix tree.
(* techmap_celltype = "$lcu" *)
module _80_ripple_lcu (P, G, CI, CO);
  parameter WIDTH = 2;

  (* force_downto *)
  input [WIDTH-1:0] P, G;
  input CI;
  (* force_downto *)
  output [WIDTH-1:0] CO;

  wire [1023:0] _TECHMAP_DO_ = "proc; opt -fast";

  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1) begin : g_carry
      if (i == 0) assign CO[0] = G[0] | (P[0] & CI);
      else assign CO[i] = G[i] | (P[i] & CO[i-1]);
    end
  endgenerate
endmodule
