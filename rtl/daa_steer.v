// Controller of policy `exponent`: from the products' exponents alone it decides which stream gets the high multiplier,
// and how far every other product is behind. Combinational. Contract, sections 3 and 4.
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
    parameter integer ShiftBits = 4  // enough for Span
) (
    // Stream s at s*Width.
    input  wire             [Streams-1:0] nonzero_i,
    input  wire     [Streams*KeyBits-1:0] key_i,
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
      wire some;
      wire [KeyBits-1:0] key;
      wire [HighBits-1:0] high;
      wire [LowBits-1:0] low;
      if (n < Streams) begin : g_stream
        assign some = nonzero_i[n];
        assign key  = key_i[n*KeyBits+:KeyBits];
        assign high = high_i[n*HighBits+:HighBits];
        assign low  = low_i[n*LowBits+:LowBits];
      end else begin : g_match
        localparam integer First = 2 * (n - Streams);
        localparam integer Second = First + 1;
        wire second_wins, loser_some, loser_far;
        wire [ShiftBits-1:0] loser_distance;
        daa_duel u_duel (
            .first_some_i(g_node[First].some),
            .first_key_i(g_node[First].key),
            .first_high_i(g_node[First].high),
            .first_low_i(g_node[First].low),
            .second_some_i(g_node[Second].some),
            .second_key_i(g_node[Second].key),
            .second_high_i(g_node[Second].high),
            .second_low_i(g_node[Second].low),
            .second_wins_o(second_wins),
            .some_o(some),
            .key_o(key),
            .high_o(high),
            .low_o(low),
            .loser_some_o(loser_some),
            .loser_low_o(low_o[(n-Streams)*LowBits+:LowBits]),
            .loser_far_o(loser_far),
            .loser_distance_o(loser_distance)
        );
        wire unused_ok = &{1'b0, second_wins, low};
      end
    end

    // And back: how far a match's winner is behind the last winner, and its loser behind that.
    for (n = Root; n >= Streams; n = n - 1) begin : g_back
      localparam integer Match = n - Streams;
      wire winner_far, loser_far;  // by more than Span
      wire [ShiftBits-1:0] winner_distance, loser_distance;
      if (n == Root) begin : g_last
        assign winner_far = 1'b0;
        assign winner_distance = {ShiftBits{1'b0}};
        assign loser_far = g_node[n].g_match.loser_far;
        assign loser_distance = g_node[n].g_match.loser_distance;
      end else begin : g_earlier
        localparam integer Later = Streams + n / 2;  // the match that this one's winner plays
        wire loses = g_node[Later].g_match.second_wins ^ (n % 2 == 1);
        assign winner_far = loses ? g_back[Later].loser_far : g_back[Later].winner_far;
        assign winner_distance = loses ? g_back[Later].loser_distance : g_back[Later].winner_distance;
        wire [ShiftBits:0] total = {1'b0, g_node[n].g_match.loser_distance} + {1'b0, winner_distance};
        assign loser_far = g_node[n].g_match.loser_far | winner_far | (total > Span[ShiftBits:0]);
        assign loser_distance = total[ShiftBits-1:0];
      end
      assign some_o[1+Match] = g_node[n].g_match.loser_some;
      assign valid_o[1+Match] = g_node[n].g_match.loser_some & ~loser_far;
      assign distance_o[(1+Match)*ShiftBits+:ShiftBits] = loser_distance;
      wire unused_ok = &{1'b0, winner_far, winner_distance};
    end
  endgenerate

  assign high_o = g_node[Root].high;
  assign key_o = g_node[Root].key;
  assign some_o[0] = g_node[Root].some;
  assign valid_o[0] = g_node[Root].some;
  assign distance_o[0+:ShiftBits] = {ShiftBits{1'b0}};

endmodule

`default_nettype wire
