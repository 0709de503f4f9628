// Memory behind AXI4 and a host's port. Bursts are INCR, of full beats, one of each direction at a time, a beat a cycle; what
// lies past the end of the memory is answered by SLVERR. The host reads and writes words of 32 bits between the bursts.
`default_nettype none

module memory #(
    parameter integer Words  = 8192,  // of 64 bits; a power of two
    parameter integer IdBits = 4
) (
    input  wire              clk_i,
    input  wire              rst_ni,
    input  wire [IdBits-1:0] awid_i,
    input  wire       [63:0] awaddr_i,
    input  wire              awvalid_i,
    output wire              awready_o,
    input  wire       [63:0] wdata_i,
    input  wire        [7:0] wstrb_i,
    input  wire              wlast_i,
    input  wire              wvalid_i,
    output wire              wready_o,
    output wire [IdBits-1:0] bid_o,
    output wire        [1:0] bresp_o,
    output wire              bvalid_o,
    input  wire              bready_i,
    input  wire [IdBits-1:0] arid_i,
    input  wire       [63:0] araddr_i,
    input  wire        [7:0] arlen_i,
    input  wire              arvalid_i,
    output wire              arready_o,
    output wire [IdBits-1:0] rid_o,
    output wire       [63:0] rdata_o,
    output wire        [1:0] rresp_o,
    output wire              rlast_o,
    output wire              rvalid_o,
    input  wire              rready_i,
    // The host asks until it is done, and then has its data.
    input  wire              host_valid_i,
    input  wire              host_write_i,
    input  wire       [31:0] host_address_i,
    input  wire       [31:0] host_data_i,
    output reg               host_done_o,
    output wire       [31:0] host_data_o
);

  localparam integer AtBits = $clog2(Words);
  localparam [1:0] Okay = 2'b00, Slverr = 2'b10;

  reg [63:0] words[0:Words-1];

  // ---- Writes: a burst, then its response ----
  reg writing_q, answer_q, write_bad_q;
  reg [IdBits-1:0] write_id_q;
  reg [AtBits-1:0] write_at_q;
  wire host_writes = host_valid_i & host_write_i & ~host_done_o & ~writing_q;
  assign awready_o = ~writing_q & ~answer_q & ~host_writes;
  assign wready_o = writing_q;
  wire beat = wvalid_i & writing_q;
  assign bvalid_o = answer_q;
  assign bid_o = write_id_q;
  assign bresp_o = write_bad_q ? Slverr : Okay;
  always @(posedge clk_i) begin
    if (!rst_ni) {writing_q, answer_q} <= 2'b00;
    else begin
      writing_q <= writing_q ? ~(beat & wlast_i) : awvalid_i & awready_o;
      answer_q <= answer_q ? ~bready_i : beat & wlast_i;
    end
    if (awvalid_i & awready_o) begin
      write_id_q <= awid_i;
      write_at_q <= awaddr_i[3+:AtBits];
      write_bad_q <= |awaddr_i[63:AtBits+3];
    end else if (beat) begin
      write_at_q <= write_at_q + 1'b1;
    end
  end

  wire [7:0] host_bytes = host_address_i[2] ? 8'hf0 : 8'h0f;
  wire [7:0] bytes = host_writes ? host_bytes : wstrb_i & {8{beat & ~write_bad_q}};
  wire [63:0] bytes_data = host_writes ? {2{host_data_i}} : wdata_i;
  wire [AtBits-1:0] bytes_at = host_writes ? host_address_i[3+:AtBits] : write_at_q;
  integer i;
  always @(posedge clk_i)
    for (i = 0; i < 8; i = i + 1) if (bytes[i]) words[bytes_at][8*i+:8] <= bytes_data[8*i+:8];

  // ---- Reads: a burst; a beat stays until it is taken ----
  reg reading_q, beat_q, last_q, read_bad_q, beat_bad_q;
  reg [IdBits-1:0] read_id_q, beat_id_q;
  reg [AtBits-1:0] read_at_q;
  reg [7:0] left_q;
  reg [63:0] word_q;
  wire host_reads = host_valid_i & ~host_write_i & ~host_done_o & ~reading_q & ~beat_q;
  assign arready_o = ~reading_q & ~host_reads;
  wire read = reading_q & (~beat_q | rready_i);
  always @(posedge clk_i) begin
    if (!rst_ni) {reading_q, beat_q, host_done_o} <= 3'b000;
    else begin
      reading_q <= reading_q ? ~(read & left_q == 8'd0) : arvalid_i & arready_o;
      beat_q <= read | (beat_q & ~rready_i);
      host_done_o <= host_reads | host_writes;
    end
    if (arvalid_i & arready_o) begin
      read_id_q <= arid_i;
      read_at_q <= araddr_i[3+:AtBits];
      read_bad_q <= |araddr_i[63:AtBits+3];
      left_q <= arlen_i;
    end else if (read) begin
      read_at_q <= read_at_q + 1'b1;
      left_q <= left_q - 8'd1;
    end
    if (read) {beat_id_q, last_q, beat_bad_q} <= {read_id_q, left_q == 8'd0, read_bad_q};
    if (read | host_reads) word_q <= words[host_reads ? host_address_i[3+:AtBits] : read_at_q];
  end
  assign rvalid_o = beat_q;
  assign rid_o = beat_id_q;
  assign rlast_o = last_q;
  assign rresp_o = beat_bad_q ? Slverr : Okay;
  assign rdata_o = word_q;
  assign host_data_o = host_address_i[2] ? word_q[63:32] : word_q[31:0];
  wire unused_ok = &{1'b0, host_address_i[31:AtBits+3], host_address_i[1:0], awaddr_i[2:0], araddr_i[2:0]};

endmodule

`default_nettype wire
