/* Driver of the core: C = A B (+ C0) for matrices in memory that the core's bus reaches.
 *
 * C99, freestanding: no operating system, no allocation, no global state. The caller says how a register is read and
 * written. A call that breaks a rule returns what is wrong before anything is written to the device. Cache maintenance
 * is the caller's: what the processor wrote must be in memory before daa_core_submit(), and stale lines of C gone
 * before C is read. Calls for one core must not overlap each other.
 *
 * docs/registers.md lists the registers themselves. */
#ifndef DAA_CORE_H
#define DAA_CORE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum daa_core_result {
    DAA_CORE_OK,
    /* of the device */
    DAA_CORE_ABSENT,  /* there is no core at these registers, or one of another layout */
    DAA_CORE_BUSY,    /* no room for a job at this time */
    DAA_CORE_TIMEOUT, /* it did not happen in as many looks as were allowed */
    DAA_CORE_UNKNOWN, /* the job is none of those that are remembered */
    /* of a job, before anything is written */
    DAA_CORE_SIZE,  /* m, n or k is above DAA_CORE_SIZE_MAX */
    DAA_CORE_BATCH, /* batch is 0 or above DAA_CORE_SIZE_MAX */
    DAA_CORE_PLACE, /* an order or a kind that the matrix cannot have; C in a format for A that has no NaN, where the
                       core has */
    DAA_CORE_ALIGNMENT, /* an address, a leading dimension or a stride is no multiple of the element's bytes */
    DAA_CORE_LEADING,   /* C's leading dimension is shorter than its row */
    DAA_CORE_STRIDE,    /* C's stride makes products of the batch meet */
    DAA_CORE_RANGE,     /* a matrix reaches past the end of the address space */
    DAA_CORE_OVERLAP,   /* C meets A or B, or meets C0 without being C0 */
    /* of a job that has ended */
    DAA_CORE_BAD_JOB,
    DAA_CORE_READ_A,
    DAA_CORE_READ_B,
    DAA_CORE_READ_C0,
    DAA_CORE_WRITE_C,
    DAA_CORE_FRAMING,
    DAA_CORE_RESULTS /* as many as there are */
};

/* In a few words, for a log. */
const char *daa_core_text(enum daa_core_result result);

/* How the registers are reached; OFFSET is in bytes from the first one. */
struct daa_core_registers {
    uint32_t (*read32)(void *context, uint32_t offset);
    void (*write32)(void *context, uint32_t offset, uint32_t value);
    void *context;
};

enum { DAA_CORE_SIZE_MAX = 0xffffff, DAA_CORE_JOBS_MAX = 8 };

/* A core. What it says about itself may be read; the rest is the driver's. */
struct daa_core {
    uint32_t rows, cols, streams, queue;
    uint32_t bus_bytes;                              /* of a beat */
    uint32_t block_m, block_n, block_k;              /* computed at a time */
    uint32_t a_bytes, b_bytes, acc_bytes, out_bytes; /* of an element in memory: 1, 2 or 4 */
    bool results_as_a;                               /* C can be in A's format: it has a NaN, or the core has none */
    uint64_t hash;                                   /* of the configuration, as daa.json has it */

    struct daa_core_registers registers;
    uint32_t submitted; /* jobs; the last one's number */
    uint32_t seen;      /* jobs whose end is known */
    uint8_t codes[DAA_CORE_JOBS_MAX];
};

enum daa_core_order {
    DAA_CORE_ROW_MAJOR,
    DAA_CORE_COLUMN_MAJOR /* A and B only */
};

enum daa_core_kind {
    DAA_CORE_NATIVE,  /* A, B: raw bits of the operand's format; C0: of the accumulator's; C: of the result's */
    DAA_CORE_FLOAT32, /* A, B: rounded to the operand's format while they are loaded */
    DAA_CORE_OPERAND  /* C0, C: raw bits of A's format */
};

struct daa_core_matrix {
    uint64_t address; /* of element (0, 0) of the first product */
    uint32_t leading; /* bytes from one row to the next; of a column-major matrix, from one column to the next */
    uint32_t stride;  /* bytes from one product's matrix to the next one's */
    enum daa_core_order order;
    enum daa_core_kind kind;
};

/* BATCH products C = A B, or A B + C0. A is m x k, B k x n, C0 and C m x n. In A, B and C0 rows may meet, so that a
 * leading dimension of 0 repeats one row. C may be C0: same address, leading dimension, stride and bytes of an element.
 */
struct daa_core_job {
    uint32_t m, n, k, batch;
    struct daa_core_matrix a, b, c0, c;
    bool has_c0; /* else c0 is not looked at */
};

/* Finds the core and reads what it is. The device is not changed. Jobs that others have started are not ours. */
enum daa_core_result daa_core_open(struct daa_core *core, struct daa_core_registers registers);

/* Soft reset: all jobs are dropped, bus traffic that is under way comes to its end, interrupts are acknowledged. Job
 * numbers from before mean nothing afterwards. LOOKS: how often at most the status is read. */
enum daa_core_result daa_core_reset(struct daa_core *core, uint32_t looks);

/* Is this a job that CORE can do? */
enum daa_core_result daa_core_check(const struct daa_core *core, const struct daa_core_job *job);

/* Checks JOB and queues it; *NUMBER names it from now on. DAA_CORE_BUSY: try again when a job has ended. Each job's
 * result is remembered until DAA_CORE_JOBS_MAX more were submitted. */
enum daa_core_result daa_core_submit(struct daa_core *core, const struct daa_core_job *job, uint32_t *number);

/* Has the job ended? Then *RESULT is how. */
bool daa_core_ended(struct daa_core *core, uint32_t number, enum daa_core_result *result);

/* Looks LOOKS times at most whether the job has ended; returns how, or DAA_CORE_TIMEOUT. */
enum daa_core_result daa_core_wait(struct daa_core *core, uint32_t number, uint32_t looks);

/* Interrupts when a job ends, and when one ends in error. */
void daa_core_interrupt(const struct daa_core *core, bool on_end, bool on_error);
/* For the interrupt's handler: takes the request back. True: there was one. */
bool daa_core_acknowledge(const struct daa_core *core);

/* Since the core's reset. */
struct daa_core_counters {
    uint64_t cycles, busy;           /* all; with a job at work */
    uint64_t wait_a, wait_b, wait_c; /* the array waited for A, for B, for C0 or for room for C */
    uint64_t macs, steps;            /* products that were asked for; steps of the array */
    uint64_t read_bytes, write_bytes, read_bursts, write_bursts;
};
/* All at one moment. */
void daa_core_counters(const struct daa_core *core, struct daa_core_counters *counters);

#ifdef __cplusplus
}
#endif

#endif
