// The element's accumulator with what prepares a step's sum for it.
module dut (
    input  wire                 clk,
    input  wire                 first,
    input  wire                 last,
    input  wire                 active,
    input  wire [`StepBits-1:0] step,
    input  wire                 sign,
    input  wire  [`SumBits-1:0] sum,
    input  wire [`StateBits-1:0] c0,
    output wire [`StateBits-1:0] result
);
  wire [`AddendBits-1:0] addend;
  the_addend u_addend (.step_i(step), .sign_i(sign), .sum_i(sum), .addend_o(addend));
  the_accumulator u_accumulator (
      .clk_i(clk), .clear_i(1'b0), .first_i(first), .last_i(last), .active_i(active), .addend_i(addend), .c0_i(c0),
      .result_o(result)
  );
endmodule
