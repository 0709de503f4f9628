// The sum of a step's terms: exact. docs/contract.md, section 4.
module check (
    input  wire          [`Streams-1:0] signs,
    input  wire [`Streams*`SumBits-1:0] terms,  // the high ones first
    input  wire                         sign,
    input  wire          [`SumBits-1:0] sum,    // in two's complement, to be negated where `sign` is high
    output wire                         ok
);
  localparam integer Width = `SumBits + 4;
  wire signed [Width-1:0] given = $signed(sum);
  integer i;
  reg possible;
  reg signed [Width-1:0] term, want;
  always @* begin
    possible = 1;
    want = 0;
    for (i = 0; i < `Streams; i = i + 1) begin
      term = terms[`SumBits*i+:`SumBits];
      // A product is below 4; of low values that were rounded up it may be 4.
      if (term > 4 << `SumFrac || (i < `High && term == 4 << `SumFrac)) possible = 0;
      want = signs[i] ? want - term : want + term;
    end
  end
  assign ok = !possible || (sign ? -given : given) == want;
endmodule
