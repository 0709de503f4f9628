// Foot of a column: an accumulator as a result of the output format. Latency: 0 cycles.
`default_nettype none

module daa_foot (
    input  wire [31:0] state_i,
    output wire [31:0] result_o
);

  assign result_o = state_i;

endmodule

`default_nettype wire
