/* The cycles that the core takes: its control alone, register for register, with a memory of a fixed latency and
 * bandwidth. It knows no numbers, so a job costs a fraction of a microsecond a cycle that the core would take. */
#ifndef DAA_CYCLES_H
#define DAA_CYCLES_H

#include "../config/config.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* As a job's registers say it (docs/registers.md). */
struct daa_cycles_matrix {
    uint64_t address;
    uint32_t leading, stride; /* in bytes */
    uint32_t bytes;           /* of an element in memory */
    bool along;               /* A, B: elements follow each other along K */
};

struct daa_cycles_job {
    uint32_t m, n, k, batch;
    struct daa_cycles_matrix a, b, c0, c;
    bool has_c0;
};

struct daa_cycles_memory {
    uint32_t latency; /* 1 or more */
    double bandwidth; /* bytes a cycle, of reads and of writes */
};

/* What the core's counters say of the job: BUSY, WAIT_A, ... */
struct daa_cycles {
    uint64_t busy, wait_a, wait_b, wait_c, steps, read_beats, read_bursts, write_bursts;
};

struct daa_cycles_model;

/* A core after its reset; CONFIG must have one. NULL: out of memory. */
struct daa_cycles_model *daa_cycles_new(const struct daa_config *config, struct daa_cycles_memory memory);
void daa_cycles_free(struct daa_cycles_model *model);
/* One job, the next one of this core. The job must be one that the driver takes. */
struct daa_cycles daa_cycles_run(struct daa_cycles_model *model, const struct daa_cycles_job *job);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
