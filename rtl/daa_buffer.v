// Buffer of a column: rows go out in the order in which they came in. It counts its places itself, so that one net for
// each side is all that reaches it. The control sees to it that there is room, and that there is something to read.
// Latency of a read: 1 cycle.
`default_nettype none

module daa_buffer #(
    parameter integer Width = 1,
    parameter integer Depth = 2
) (
    input  wire             clk_i,
    input  wire             clear_i,  // reset sweep
    input  wire             write_i,
    input  wire [Width-1:0] data_i,
    input  wire             read_i,
    output wire [Width-1:0] data_o    // stays until the next read
);

  localparam integer AtBits = (Depth > 1) ? $clog2(Depth) : 1;

  wire [AtBits-1:0] write_at, read_at;
  daa_ring #(.Depth(Depth)) u_write (.clk_i(clk_i), .clear_i(clear_i), .step_i(write_i), .at_o(write_at));
  daa_ring #(.Depth(Depth)) u_read (.clk_i(clk_i), .clear_i(clear_i), .step_i(read_i), .at_o(read_at));
  daa_ram #(.Width(Width), .Depth(Depth)) u_ram (
      .clk_i(clk_i),
      .write_i(write_i), .write_at_i(write_at), .write_data_i(data_i),
      .read_i(read_i), .read_at_i(read_at), .read_data_o(data_o)
  );

endmodule

`default_nettype wire
