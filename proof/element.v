// The element up to its accumulator: what it makes of a step's operands. Its accumulator and the module before that are
// replaced by ones that only show what comes in.
module dut (
    input  wire                        clk,
    input  wire [`Streams*`AOp-1:0] a,
    input  wire [`Streams*`BOp-1:0] b
);
  the_element u_element (
      .clk_i(clk), .clear_i(1'b0), .first_i(1'b0), .last_i(1'b0), .a_i(a), .b_i(b), .c0_i({`StateBits{1'b0}})
  );
endmodule
