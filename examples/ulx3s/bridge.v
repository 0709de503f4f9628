// A host on a serial line (8 bits, no parity, 1 stop bit) reads and writes words of 32 bits:
//
//   'W', address in 4 bytes, data in 4 bytes    writes; no answer
//   'R', address in 4 bytes                     the answer is the word in 4 bytes
//
// The lowest byte comes first. Address bit 31 is 1 for the core's registers, 0 for memory. Any other byte where a command should
// begin is skipped, so nine zeros bring a line that has lost a byte back into step. A command must not begin before the answer
// to the one before it has come.
`default_nettype none

module bridge #(
    parameter integer BitCycles = 217
) (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        serial_i,
    output wire        serial_o,
    output wire        busy_o,
    // The command's address and data, for both ways.
    output wire [31:0] address_o,
    output wire [31:0] data_o,
    output wire        axil_awvalid_o,
    input  wire        axil_awready_i,
    output wire        axil_wvalid_o,
    input  wire        axil_wready_i,
    input  wire        axil_bvalid_i,
    output wire        axil_bready_o,
    output wire        axil_arvalid_o,
    input  wire        axil_arready_i,
    input  wire        axil_rvalid_i,
    output wire        axil_rready_o,
    input  wire [31:0] axil_rdata_i,
    output wire        memory_valid_o,
    output wire        memory_write_o,
    input  wire        memory_done_i,
    input  wire [31:0] memory_data_i
);

  localparam [7:0] LetterR = "R", LetterW = "W";

  wire byte_valid, send_ready;
  wire [7:0] letter;
  receiver #(
      .BitCycles(BitCycles)
  ) u_receiver (
      .clk_i(clk_i), .rst_ni(rst_ni), .serial_i(serial_i), .valid_o(byte_valid), .byte_o(letter)
  );

  // Idle: letters. Take: the command's bytes. Ask: the access. Send: its answer.
  localparam [1:0] Idle = 2'd0, Take = 2'd1, Ask = 2'd2, Send = 2'd3;
  reg [1:0] state_q;
  reg write_q, address_done_q, data_done_q;
  reg [2:0] left_q;  // bytes, less one
  reg [63:0] command_q;  // data above the address
  reg [31:0] answer_q;
  assign address_o = write_q ? command_q[31:0] : command_q[63:32];
  assign data_o = command_q[63:32];
  assign busy_o = state_q != Idle;

  wire registers = (state_q == Ask) & address_o[31];
  assign axil_awvalid_o = registers & write_q & ~address_done_q;
  assign axil_wvalid_o = registers & write_q & ~data_done_q;
  assign axil_bready_o = 1'b1;
  assign axil_arvalid_o = registers & ~write_q & ~address_done_q;
  assign axil_rready_o = 1'b1;
  assign memory_valid_o = (state_q == Ask) & ~address_o[31];
  assign memory_write_o = write_q;
  wire done = registers ? (axil_bvalid_i | axil_rvalid_i) : memory_done_i;

  always @(posedge clk_i) begin
    if (!rst_ni) state_q <= Idle;
    else
      case (state_q)
        Idle: if (byte_valid & ((letter == LetterR) | (letter == LetterW))) state_q <= Take;
        Take: if (byte_valid & left_q == 3'd0) state_q <= Ask;
        Ask: if (done) state_q <= write_q ? Idle : Send;
        default: if (send_ready & left_q == 3'd0) state_q <= Idle;
      endcase
    if (state_q == Idle) {write_q, left_q} <= (letter == LetterW) ? {1'b1, 3'd7} : {1'b0, 3'd3};
    else if ((state_q == Take & byte_valid) | (state_q == Send & send_ready)) left_q <= left_q - 3'd1;
    else if (state_q == Ask) left_q <= 3'd3;
    if (state_q == Take & byte_valid) command_q <= {letter, command_q[63:8]};
    address_done_q <= (state_q == Ask) & (address_done_q | axil_awready_i & axil_awvalid_o | axil_arready_i & axil_arvalid_o);
    data_done_q <= (state_q == Ask) & (data_done_q | axil_wready_i & axil_wvalid_o);
    if (state_q == Ask) answer_q <= registers ? axil_rdata_i : memory_data_i;
    else if (send_ready) answer_q <= {8'd0, answer_q[31:8]};
  end

  sender #(
      .BitCycles(BitCycles)
  ) u_sender (
      .clk_i(clk_i), .rst_ni(rst_ni), .valid_i(state_q == Send), .ready_o(send_ready), .byte_i(answer_q[7:0]), .serial_o(serial_o)
  );

endmodule

`default_nettype wire
