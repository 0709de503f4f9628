// Memory of a column's buffer: Depth words, one write port, one read port. Replace this module by a macro of your own
// where the tools do not find one. No address is written and read in the same cycle.
// Latency of a read: 1 cycle; read_data_o then stays until the next one. What was never written is unknown.
`default_nettype none

module daa_ram #(
    parameter integer Width   = 1,
    parameter integer Depth   = 2,
    parameter integer AtBits = (Depth > 1) ? $clog2(Depth) : 1
) (
    input  wire              clk_i,
    input  wire              write_i,
    input  wire [AtBits-1:0] write_at_i,
    input  wire [ Width-1:0] write_data_i,
    input  wire              read_i,
    input  wire [AtBits-1:0] read_at_i,
    output reg  [ Width-1:0] read_data_o
);

  reg [Width-1:0] words[0:Depth-1];

  always @(posedge clk_i) begin
    if (write_i) words[write_at_i] <= write_data_i;
    if (read_i) read_data_o <= words[read_at_i];
  end

endmodule

`default_nettype wire
