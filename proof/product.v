// A multiplier: two significands with their leading ones implied, added up a row at a time.
module check (
    input  wire        [`AMul-1:0] a,
    input  wire        [`BMul-1:0] b,
    input  wire  [`AMul+`BMul+1:0] product,
    output wire                    ok
);
  integer i;
  reg [`AMul+`BMul+1:0] want;
  wire [`BMul:0] rows = {1'b1, b};
  always @* begin
    want = 0;
    for (i = 0; i <= `BMul; i = i + 1) if (rows[i]) want = want + ({1'b1, a} << i);
  end
  assign ok = product == want;
endmodule
