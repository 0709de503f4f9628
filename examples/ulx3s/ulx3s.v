// The core on a ULX3S board with an ECP5-85F: daa_core, 64 KB of memory in block RAMs, and a serial line to a host.
// LEDs: 0 the core's interrupt, 1 the serial line is in use, 7 out of reset.
`default_nettype none

module ulx3s (
    input  wire       clk_25mhz,
    input  wire       reset_button_n,
    input  wire       serial_i,  // from the host
    output wire       serial_o,
    output wire [7:0] led
);

  // All is clocked by the board's 25 MHz, so that there is nothing to adjust. For more put a PLL here (ecppll writes one) and its
  // clock into `system`, with its frequency.
  wire clk = clk_25mhz;

  reg [3:0] reset_q = 4'd0;  // a few cycles after the device is configured, and after the button
  always @(posedge clk)
    if (!reset_button_n) reset_q <= 4'd0;
    else if (!reset_q[3]) reset_q <= reset_q + 4'd1;

  wire irq, busy;
  system #(
      .BitCycles(25000000 / 115200)
  ) u_system (
      .clk_i(clk), .rst_ni(reset_q[3]), .serial_i(serial_i), .serial_o(serial_o), .irq_o(irq), .busy_o(busy)
  );
  assign led = {reset_q[3], 5'b00000, busy, irq};

endmodule

`default_nettype wire
