// Intake of one stream's steps: which of the two places in its decoders takes what is offered, and whether the step
// whose turn it is waits in one. ready_o comes out of registers: it follows neither valid_i nor go_i in their cycle.
// Latency: 1 cycle.
`default_nettype none

module daa_intake #(
    parameter integer Marks = 1  // of a step, beside its operands
) (
    input  wire             clk_i,
    input  wire             idle_i,   // nothing is taken, and what waits is dropped
    input  wire             valid_i,
    output wire             ready_o,
    input  wire [Marks-1:0] marks_i,
    output wire [      1:0] fill_o,   // place 0, place 1 takes what is offered, be it a step or not
    input  wire             from_i,   // the place whose turn it is
    input  wire             go_i,     // its step goes into the array
    output wire             there_o,  // it has one
    output wire [Marks-1:0] marks_o   // the step's marks
);

  reg [1:0] fill_q, full_q;
  reg into_q;  // the place that comes next
  reg [Marks-1:0] marks0_q, marks1_q;
  wire into = into_q ^ (valid_i & ready_o);
  wire [1:0] full = (full_q | (fill_q & {2{valid_i}})) & ~({from_i, ~from_i} & {2{go_i}});
  assign ready_o = |fill_q;
  assign fill_o = fill_q;
  assign there_o = from_i ? full_q[1] : full_q[0];
  assign marks_o = from_i ? marks1_q : marks0_q;
  always @(posedge clk_i) begin
    if (idle_i) begin
      {fill_q, full_q} <= 4'b0000;
      into_q <= 1'b0;
      {marks0_q, marks1_q} <= {2 * Marks{1'b0}};
    end else begin
      fill_q <= {into, ~into} & ~full;
      full_q <= full;
      into_q <= into;
      if (fill_q[0]) marks0_q <= marks_i;
      if (fill_q[1]) marks1_q <= marks_i;
    end
  end

endmodule

`default_nettype wire
