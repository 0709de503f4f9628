/* clang-format off */
/* Registers of the core: byte offsets of words of 32 bits, and of each field its lowest bit and its mask in place. They
 * are the same for every configuration. */
#ifndef DAA_REGISTERS_H
#define DAA_REGISTERS_H

/* the letters DAA1: this is a core with these registers */
#define DAA_REG_ID               0x000u
/* the generator's version */
#define DAA_REG_VERSION          0x004u
#define DAA_VERSION_PATCH_AT     0
#define DAA_VERSION_PATCH_MASK   0x000000ffu /* constant: x.x.N */
#define DAA_VERSION_MINOR_AT     8
#define DAA_VERSION_MINOR_MASK   0x0000ff00u /* constant: x.N.x */
#define DAA_VERSION_MAJOR_AT     16
#define DAA_VERSION_MAJOR_MASK   0x00ff0000u /* constant: N.x.x */
/* hash of the configuration, as `daa.json` has it: bits 31 to 0 */
#define DAA_REG_HASH_LO          0x008u
/* its bits 63 to 32 */
#define DAA_REG_HASH_HI          0x00cu
/* the array */
#define DAA_REG_ARRAY            0x010u
#define DAA_ARRAY_ROWS_AT        0
#define DAA_ARRAY_ROWS_MASK      0x000001ffu /* constant: rows of elements */
#define DAA_ARRAY_COLS_AT        12
#define DAA_ARRAY_COLS_MASK      0x001ff000u /* constant: columns of elements */
#define DAA_ARRAY_STREAMS_AT     24
#define DAA_ARRAY_STREAMS_MASK   0x0f000000u /* constant: products that an element takes in a step */
#define DAA_ARRAY_SPECIALS_AT    28
#define DAA_ARRAY_SPECIALS_MASK  0x10000000u /* constant: Inf and NaN are there */
/* the operands' formats */
#define DAA_REG_OPERANDS         0x014u
#define DAA_OPERANDS_A_EXP_AT    0
#define DAA_OPERANDS_A_EXP_MASK  0x0000000fu /* constant: exponent bits of A */
#define DAA_OPERANDS_A_FRAC_AT   4
#define DAA_OPERANDS_A_FRAC_MASK 0x000001f0u /* constant: fraction bits of A */
#define DAA_OPERANDS_A_ENCODING_AT 9
#define DAA_OPERANDS_A_ENCODING_MASK 0x00000600u /* constant: 0 ieee, 1 fn, 2 finite */
#define DAA_OPERANDS_B_EXP_AT    16
#define DAA_OPERANDS_B_EXP_MASK  0x000f0000u /* constant: exponent bits of B */
#define DAA_OPERANDS_B_FRAC_AT   20
#define DAA_OPERANDS_B_FRAC_MASK 0x01f00000u /* constant: fraction bits of B */
#define DAA_OPERANDS_B_ENCODING_AT 25
#define DAA_OPERANDS_B_ENCODING_MASK 0x06000000u /* constant: 0 ieee, 1 fn, 2 finite */
/* the formats of C0 and C */
#define DAA_REG_RESULTS          0x018u
#define DAA_RESULTS_ACC_EXP_AT   0
#define DAA_RESULTS_ACC_EXP_MASK 0x0000000fu /* constant: exponent bits of the accumulator, which C0 has */
#define DAA_RESULTS_ACC_FRAC_AT  4
#define DAA_RESULTS_ACC_FRAC_MASK 0x000001f0u /* constant: its fraction bits */
#define DAA_RESULTS_OUT_EXP_AT   16
#define DAA_RESULTS_OUT_EXP_MASK 0x000f0000u /* constant: exponent bits of a result */
#define DAA_RESULTS_OUT_FRAC_AT  20
#define DAA_RESULTS_OUT_FRAC_MASK 0x01f00000u /* constant: its fraction bits */
#define DAA_RESULTS_OUT_ENCODING_AT 25
#define DAA_RESULTS_OUT_ENCODING_MASK 0x06000000u /* constant: 0 ieee, 1 fn, 2 finite */
/* block of C that is computed at one time */
#define DAA_REG_BLOCK            0x01cu
#define DAA_BLOCK_M_AT           0
#define DAA_BLOCK_M_MASK         0x0000ffffu /* constant: its rows */
#define DAA_BLOCK_N_AT           16
#define DAA_BLOCK_N_MASK         0xffff0000u /* constant: its columns */
/* inner dimension of a block */
#define DAA_REG_BLOCK_K          0x020u
#define DAA_BLOCK_K_K_AT         0
#define DAA_BLOCK_K_K_MASK       0x0000ffffu /* constant: inner dimension of a block */
/* the bus to memory and the queue */
#define DAA_REG_BUS              0x024u
#define DAA_BUS_BITS_AT          0
#define DAA_BUS_BITS_MASK        0x000003ffu /* constant: data bits */
#define DAA_BUS_OUTSTANDING_AT   12
#define DAA_BUS_OUTSTANDING_MASK 0x0001f000u /* constant: read bursts in flight, of each operand */
#define DAA_BUS_ID_BITS_AT       20
#define DAA_BUS_ID_BITS_MASK     0x00f00000u /* constant: bits of an AXI ID */
#define DAA_BUS_QUEUE_AT         24
#define DAA_BUS_QUEUE_MASK       0x0f000000u /* constant: jobs that can wait */
/* control */
#define DAA_REG_CONTROL          0x040u
#define DAA_CONTROL_RESET_AT     0
#define DAA_CONTROL_RESET_MASK   0x00000001u /* write 1: soft reset: drop all jobs, let the bus finish, reset the array; see STATUS.RESETTING */
#define DAA_CONTROL_IRQ_DONE_AT  1
#define DAA_CONTROL_IRQ_DONE_MASK 0x00000002u /* read, write: interrupt while IRQ.DONE is set */
#define DAA_CONTROL_IRQ_ERROR_AT 2
#define DAA_CONTROL_IRQ_ERROR_MASK 0x00000004u /* read, write: interrupt while IRQ.ERROR or IRQ.REFUSED is set */
/* how the core stands */
#define DAA_REG_STATUS           0x044u
#define DAA_STATUS_IDLE_AT       0
#define DAA_STATUS_IDLE_MASK     0x00000001u /* read: no job waits or runs, no soft reset is under way */
#define DAA_STATUS_FULL_AT       1
#define DAA_STATUS_FULL_MASK     0x00000002u /* read: no room for a job: START would be refused */
#define DAA_STATUS_RESETTING_AT  2
#define DAA_STATUS_RESETTING_MASK 0x00000004u /* read: a soft reset is under way */
#define DAA_STATUS_WAITING_AT    4
#define DAA_STATUS_WAITING_MASK  0x000000f0u /* read: jobs that wait in the queue */
#define DAA_STATUS_LEFT_AT       8
#define DAA_STATUS_LEFT_MASK     0x00001f00u /* read: jobs that were started and have not ended */
#define DAA_STATUS_ERROR_AT      16
#define DAA_STATUS_ERROR_MASK    0x000f0000u /* read: code of the first job in error since IRQ.ERROR was cleared, as below */
/* what has happened */
#define DAA_REG_IRQ              0x048u
#define DAA_IRQ_DONE_AT          0
#define DAA_IRQ_DONE_MASK        0x00000001u /* read, write 1 to clear: a job has ended, well or in error */
#define DAA_IRQ_ERROR_AT         1
#define DAA_IRQ_ERROR_MASK       0x00000002u /* read, write 1 to clear: a job has ended in error; clearing it clears STATUS.ERROR and ERROR_JOB */
#define DAA_IRQ_REFUSED_AT       2
#define DAA_IRQ_REFUSED_MASK     0x00000004u /* read, write 1 to clear: START was written with STATUS.FULL or STATUS.RESETTING set; nothing was queued */
/* jobs that have ended, well or in error; wraps */
#define DAA_REG_DONE             0x04cu
/* tag of the first job in error since IRQ.ERROR was cleared */
#define DAA_REG_ERROR_JOB        0x050u
/* jobs that have ended in error; wraps */
#define DAA_REG_FAILED           0x054u
/* how the last eight jobs ended, four bits each: the last one in bits 3 to 0 */
#define DAA_REG_CODES            0x058u
/* address of A: bits 31 to 0 */
#define DAA_REG_A_LO             0x080u
/* address of A: bits 63 to 32 */
#define DAA_REG_A_HI             0x084u
/* address of B: bits 31 to 0 */
#define DAA_REG_B_LO             0x088u
/* address of B: bits 63 to 32 */
#define DAA_REG_B_HI             0x08cu
/* address of C0: bits 31 to 0 */
#define DAA_REG_C0_LO            0x090u
/* address of C0: bits 63 to 32 */
#define DAA_REG_C0_HI            0x094u
/* address of C: bits 31 to 0 */
#define DAA_REG_C_LO             0x098u
/* address of C: bits 63 to 32 */
#define DAA_REG_C_HI             0x09cu
/* rows of A and C */
#define DAA_REG_M                0x0a0u
/* columns of B and C */
#define DAA_REG_N                0x0a4u
/* columns of A, rows of B */
#define DAA_REG_K                0x0a8u
/* bytes from one row of A to the next; from one column, where A lies along M */
#define DAA_REG_LDA              0x0acu
/* bytes from one row of B to the next; from one column, where B lies along K */
#define DAA_REG_LDB              0x0b0u
/* bytes from one row of C0 to the next */
#define DAA_REG_LDC0             0x0b4u
/* bytes from one row of C to the next */
#define DAA_REG_LDC              0x0b8u
/* products of the job */
#define DAA_REG_BATCH            0x0bcu
/* bytes from one product's A to the next one's */
#define DAA_REG_STRIDE_A         0x0c0u
/* likewise of B */
#define DAA_REG_STRIDE_B         0x0c4u
/* likewise of C0 */
#define DAA_REG_STRIDE_C0        0x0c8u
/* likewise of C */
#define DAA_REG_STRIDE_C         0x0ccu
/* kinds and places of the matrices */
#define DAA_REG_FLAGS            0x0d0u
#define DAA_FLAGS_A_ALONG_K_AT   0
#define DAA_FLAGS_A_ALONG_K_MASK 0x00000001u /* read, write: A's elements follow each other along K (row-major), else along M */
#define DAA_FLAGS_B_ALONG_K_AT   1
#define DAA_FLAGS_B_ALONG_K_MASK 0x00000002u /* read, write: B's elements follow each other along K (column-major), else along N */
#define DAA_FLAGS_A_FLOAT32_AT   2
#define DAA_FLAGS_A_FLOAT32_MASK 0x00000004u /* read, write: A is float32, rounded to its format while it is loaded */
#define DAA_FLAGS_B_FLOAT32_AT   3
#define DAA_FLAGS_B_FLOAT32_MASK 0x00000008u /* read, write: B likewise */
#define DAA_FLAGS_C0_GIVEN_AT    4
#define DAA_FLAGS_C0_GIVEN_MASK  0x00000010u /* read, write: C starts from C0, else from +0 */
#define DAA_FLAGS_C0_OPERAND_AT  5
#define DAA_FLAGS_C0_OPERAND_MASK 0x00000020u /* read, write: C0 is in A's format, else in the accumulator's */
#define DAA_FLAGS_C_OPERAND_AT   6
#define DAA_FLAGS_C_OPERAND_MASK 0x00000040u /* read, write: C is rounded to A's format, else it is in the result's */
/* names the job where it ends in error */
#define DAA_REG_TAG              0x0d4u
/* queue the job that the registers from A_LO to TAG hold; they stay as they are */
#define DAA_REG_START            0x0d8u
/* the counters */
#define DAA_REG_COUNT            0x100u
#define DAA_COUNT_SNAPSHOT_AT    0
#define DAA_COUNT_SNAPSHOT_MASK  0x00000001u /* write 1: take all counters at one time, to be read from the registers below */
/* cycles since the reset: bits 31 to 0 */
#define DAA_REG_CYCLES_LO        0x108u
/* cycles since the reset: bits 63 to 32 */
#define DAA_REG_CYCLES_HI        0x10cu
/* cycles in which a job ran: bits 31 to 0 */
#define DAA_REG_BUSY_LO          0x110u
/* cycles in which a job ran: bits 63 to 32 */
#define DAA_REG_BUSY_HI          0x114u
/* cycles in which the array waited for A: bits 31 to 0 */
#define DAA_REG_WAIT_A_LO        0x118u
/* cycles in which the array waited for A: bits 63 to 32 */
#define DAA_REG_WAIT_A_HI        0x11cu
/* cycles in which the array waited for B: bits 31 to 0 */
#define DAA_REG_WAIT_B_LO        0x120u
/* cycles in which the array waited for B: bits 63 to 32 */
#define DAA_REG_WAIT_B_HI        0x124u
/* cycles in which the array waited for C0, or for room for C: bits 31 to 0 */
#define DAA_REG_WAIT_C_LO        0x128u
/* cycles in which the array waited for C0, or for room for C: bits 63 to 32 */
#define DAA_REG_WAIT_C_HI        0x12cu
/* products of the jobs, what pads them left out: bits 31 to 0 */
#define DAA_REG_MACS_LO          0x130u
/* products of the jobs, what pads them left out: bits 63 to 32 */
#define DAA_REG_MACS_HI          0x134u
/* bytes that came over the bus, in whole beats: bits 31 to 0 */
#define DAA_REG_READ_BYTES_LO    0x138u
/* bytes that came over the bus, in whole beats: bits 63 to 32 */
#define DAA_REG_READ_BYTES_HI    0x13cu
/* bytes written: bits 31 to 0 */
#define DAA_REG_WRITE_BYTES_LO   0x140u
/* bytes written: bits 63 to 32 */
#define DAA_REG_WRITE_BYTES_HI   0x144u
/* read bursts: bits 31 to 0 */
#define DAA_REG_READ_BURSTS_LO   0x148u
/* read bursts: bits 63 to 32 */
#define DAA_REG_READ_BURSTS_HI   0x14cu
/* write bursts: bits 31 to 0 */
#define DAA_REG_WRITE_BURSTS_LO  0x150u
/* write bursts: bits 63 to 32 */
#define DAA_REG_WRITE_BURSTS_HI  0x154u
/* steps that the array took: bits 31 to 0 */
#define DAA_REG_STEPS_LO         0x158u
/* steps that the array took: bits 63 to 32 */
#define DAA_REG_STEPS_HI         0x15cu

/* What DAA_REG_ID reads as. */
#define DAA_ID 0x44414131u

/* STATUS.ERROR. */
#define DAA_ERROR_NONE           0u /* no error */
#define DAA_ERROR_BAD_JOB        1u /* a job that cannot be: an address range past 2^64, or a misaligned address or stride */
#define DAA_ERROR_READ_A         2u /* the bus answered a read of A with an error */
#define DAA_ERROR_READ_B         3u /* the bus answered a read of B with an error */
#define DAA_ERROR_READ_C0        4u /* the bus answered a read of C0 with an error */
#define DAA_ERROR_WRITE_C        5u /* the bus answered a write of C with an error */
#define DAA_ERROR_FRAMING        6u /* the array saw a mark where none belongs */

#endif
