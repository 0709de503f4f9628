// A step's sum as the rounded accumulator takes it: sign, exponent, magnitude with its leading one on top. Nothing is lost.
module check (
    input  wire         [`SumBits-1:0] sum,   // in two's complement, negated where `sign` is high
    input  wire                       sign,
    input  wire                [15:0] key,
    input  wire                 [2:0] flags,
    output wire       [`StepBits-1:0] step,
    input  wire     [`AddendBits-1:0] addend,
    output wire                       ok
);
  localparam integer Mag = `SumBits - 1;
  localparam integer ExpBits = `AddendBits - 3 * `Specials - 1 - Mag;
  localparam integer Bias = (1 << (`AccExp - 1)) - 1;

  wire signed [`SumBits:0] given = $signed(sum);
  wire signed [`SumBits:0] value = sign ? -given : given;
  wire [`SumBits:0] size = value < 0 ? -value : value;
  wire signed [15:0] field = $signed(key) - `KeyBase;
  assign step = {flags, field[`StepBits-1-3*`Specials:0]};
  // What daa_sum can give; with one stream a product, which is 1 or more.
  wire possible = $signed(key) >= `KeyLeast && $signed(key) <= `KeyMost && size < 1 << Mag &&
      (`Streams > 1 || given >= 1 << `SumFrac);

  integer i, top;
  always @* begin
    top = 0;
    for (i = 0; i < Mag; i = i + 1) if (size[i]) top = i;
  end
  wire signed [15:0] exponent = $signed(addend[Mag+:ExpBits]);
  wire [`SumBits:0] placed = size << (Mag - 1 - top);
  wire number = size == 0 ? !addend[Mag-1] : addend[Mag-1:0] == placed && exponent == $signed(key) - `SumFrac + top + Bias &&
      addend[Mag+ExpBits] == (value < 0);
  assign ok = !possible || (number && (!`Specials || addend[`AddendBits-1-:3] == flags));
endmodule
