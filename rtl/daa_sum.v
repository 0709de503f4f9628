// Exact sum of a step's products, in two's complement. Contract, section 4: nothing is rounded or overflows here.
// The sum is relative to the first product's sign: of one product it is the product itself. Latency: none; 1 cycle with
// R3, which then stands before the last addition where there are more than two products, and behind it otherwise.
`default_nettype none

module daa_sum #(
    parameter integer Terms   = 2,
    parameter integer SumBits = 17,  // 3 of them integer bits, enough for all products at their largest
    parameter integer HasR3   = 0
) (
    input  wire                         clk_i,
    input  wire                         load_i,  // R3 takes a step
    input  wire             [Terms-1:0] sign_i,
    input  wire [Terms*(SumBits+1)-1:0] term_i,  // aligned products, each below 2**SumBits; n at n*(SumBits + 1)
    output wire                         sign_o,
    output wire             [SumBits:0] sum_o    // of the first product's sign: to be negated where sign_o is high
);

  // Carry save: row r below Terms is a product; every three rows, in their order, make two more, until two are left.
  localparam integer Rows = (Terms > 2) ? 3 * Terms - 4 : Terms;
  localparam integer Inside = (Terms > 2) ? HasR3 : 0;
  localparam integer Behind = (Terms > 2) ? 0 : HasR3;
  // A term to subtract is inverted, and a one carried in: into the empty place of a row of carries, or the last sum.
  wire [Terms-1:0] minus = sign_i ^ {Terms{sign_i[0]}};

  genvar r;
  generate
    for (r = 0; r < Rows; r = r + 1) begin : g_row
      wire [SumBits:0] row;
      if (r < Terms) begin : g_term
        assign row = term_i[r*(SumBits+1)+:SumBits+1] ^ {(SumBits + 1) {minus[r]}};
      end else begin : g_made
        localparam integer Three = (r - Terms) / 2;
        wire [SumBits:0] x = g_row[3*Three].row;
        wire [SumBits:0] y = g_row[3*Three+1].row;
        wire [SumBits:0] z = g_row[3*Three+2].row;
        if ((r - Terms) % 2 == 0) begin : g_sum
          assign row = x ^ y ^ z;
        end else begin : g_carry
          wire [SumBits:0] carry = (x & y) | (x & z) | (y & z);
          wire unused_ok = carry[SumBits];
          assign row = {carry[SumBits-1:0], minus[Three+1]};
        end
      end
    end

    if (Terms == 1) begin : g_one
      daa_stage #(.Width(SumBits + 2), .Present(HasR3)) u_r3 (
          .clk_i(clk_i), .load_i(load_i), .d_i({sign_i, g_row[0].row}), .q_o({sign_o, sum_o})
      );
    end else begin : g_more
      wire carry, sign;
      wire [SumBits:0] x, y;
      daa_stage #(.Width(2 * SumBits + 4), .Present(Inside)) u_r3_rows (
          .clk_i(clk_i),
          .load_i(load_i),
          .d_i({sign_i[0], minus[Terms-1], g_row[Rows-2].row, g_row[Rows-1].row}),
          .q_o({sign, carry, x, y})
      );
      wire [SumBits+1:0] total = {x, 1'b1} + {y, carry};
      wire unused_ok = total[0];
      daa_stage #(.Width(SumBits + 2), .Present(Behind)) u_r3 (
          .clk_i(clk_i), .load_i(load_i), .d_i({sign, total[SumBits+1:1]}), .q_o({sign_o, sum_o})
      );
    end
  endgenerate

endmodule

`default_nettype wire
