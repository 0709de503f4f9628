// Controller of policy `exponent`: from the products' exponents alone it decides which stream gets the high multiplier,
// and how far every other product is behind. Latency: none; 1 cycle with R0, behind the first round: then the
// operands come a cycle after their keys. Contract, sections 3 and 4.
//
// A tournament. Node n below Streams is stream n; node Streams + m is the winner of match m, which nodes 2m and 2m + 1
// play. The last winner is high; the loser of match m goes to low multiplier m.
`default_nettype none

module daa_steer #(
    parameter integer Streams   = 2,
    parameter integer KeyBits   = 9,
    parameter integer HighBits  = 15,
    parameter integer LowBits   = 9,
    parameter integer Span      = 8,  // the window, or the largest distance of two keys where that is less
    parameter integer ShiftBits = 4,  // enough for Span
    parameter integer HasR0     = 0
) (
    input  wire                          clk_i,
    input  wire                          clear_i,  // reset sweep
    // Stream s at s*Width. R0 keeps what a match of zero products found; a step's operands come with r0_nonzero_i.
    input  wire             [Streams-1:0] nonzero_i,
    input  wire     [Streams*KeyBits-1:0] key_i,
    input  wire             [Streams-1:0] r0_nonzero_i,
    input  wire    [Streams*HighBits-1:0] high_i,
    input  wire     [Streams*LowBits-1:0] low_i,
    // Multipliers: of some_o, valid_o and distance_o the high one first, then low multiplier m at 1 + m; of low_o at m.
    output wire            [HighBits-1:0] high_o,
    output wire [(Streams-1)*LowBits-1:0] low_o,
    output wire             [Streams-1:0] some_o,     // the product is not zero
    output wire             [Streams-1:0] valid_o,    // nor is it dropped
    output wire   [Streams*ShiftBits-1:0] distance_o,
    output wire             [KeyBits-1:0] key_o       // the largest key
);

  localparam integer Matches = Streams - 1;
  localparam integer Root = Streams + Matches - 1;

  genvar n;
  generate
    // From the streams to the last winner.
    for (n = 0; n <= Root; n = n + 1) begin : g_node
      wire some, r0_some;
      wire [KeyBits-1:0] key;
      wire [HighBits-1:0] high;
      wire [LowBits-1:0] low;
      if (n < Streams) begin : g_stream
        assign some = nonzero_i[n];
        assign r0_some = r0_nonzero_i[n];
        assign key  = key_i[n*KeyBits+:KeyBits];
        assign high = high_i[n*HighBits+:HighBits];
        assign low  = low_i[n*LowBits+:LowBits];
      end else begin : g_match
        localparam integer First = 2 * (n - Streams);
        localparam integer Second = First + 1;
        localparam integer Cut = (First < Streams) ? HasR0 : 0;
        wire found_second, found_near, second_wins, near;
        wire [KeyBits-1:0] found_key;
        wire [ShiftBits-1:0] found_distance, distance;
        daa_duel u_duel (
            .first_some_i(g_node[First].some),
            .first_key_i(g_node[First].key),
            .second_some_i(g_node[Second].some),
            .second_key_i(g_node[Second].key),
            .second_wins_o(found_second),
            .key_o(found_key),
            .loser_near_o(found_near),
            .loser_distance_o(found_distance)
        );
        wire r0_clk, r0_load;
        daa_clkgate u_gate (
            .clk_i(clk_i),
            .load_i(g_node[First].some | g_node[Second].some | clear_i),
            .clk_o(r0_clk),
            .load_o(r0_load)
        );
        daa_stage #(.Width(KeyBits + ShiftBits + 2), .Present(Cut)) u_r0 (
            .clk_i(r0_clk),
            .load_i(r0_load),
            .d_i({found_second, found_near, found_distance, found_key}),
            .q_o({second_wins, near, distance, key})
        );
        wire loser_some = g_node[First].r0_some & g_node[Second].r0_some;
        wire loser_near = near & loser_some;
        assign r0_some = g_node[First].r0_some | g_node[Second].r0_some;
        assign some = r0_some;
        assign high = second_wins ? g_node[Second].high : g_node[First].high;
        assign low = second_wins ? g_node[Second].low : g_node[First].low;
        assign low_o[(n-Streams)*LowBits+:LowBits] = second_wins ? g_node[First].low : g_node[Second].low;
        wire unused_ok = &{1'b0, low};
      end
    end

    // And back: how far a match's winner is behind the last winner, and its loser behind that; is that in the window?
    for (n = Root; n >= Streams; n = n - 1) begin : g_back
      localparam integer Match = n - Streams;
      wire winner_near, loser_near;
      wire [ShiftBits-1:0] winner_distance, loser_distance;
      if (n == Root) begin : g_last
        assign winner_near = 1'b1;
        assign winner_distance = {ShiftBits{1'b0}};
        assign loser_near = g_node[n].g_match.loser_near;
        assign loser_distance = g_node[n].g_match.distance;
      end else begin : g_earlier
        localparam integer Later = Streams + n / 2;  // the match that this one's winner plays
        wire loses = g_node[Later].g_match.second_wins ^ (n % 2 == 1);
        assign winner_near = loses ? g_back[Later].loser_near : g_back[Later].winner_near;
        assign winner_distance = loses ? g_back[Later].loser_distance : g_back[Later].winner_distance;
        wire [ShiftBits:0] total = {1'b0, g_node[n].g_match.distance} + {1'b0, winner_distance};
        assign loser_near = g_node[n].g_match.loser_near & winner_near & (total <= Span[ShiftBits:0]);
        assign loser_distance = total[ShiftBits-1:0];
      end
      assign some_o[1+Match] = g_node[n].g_match.loser_some;
      assign valid_o[1+Match] = loser_near;
      assign distance_o[(1+Match)*ShiftBits+:ShiftBits] = loser_distance;
      wire unused_ok = &{1'b0, winner_near, winner_distance};
    end
  endgenerate

  assign high_o = g_node[Root].high;
  assign key_o = g_node[Root].key;
  assign some_o[0] = g_node[Root].some;
  assign valid_o[0] = g_node[Root].some;
  assign distance_o[0+:ShiftBits] = {ShiftBits{1'b0}};

endmodule

`default_nettype wire
