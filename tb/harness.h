/* Runs one GEMM through the Verilated array: every tile back to back, results taken as they come, the protocol of the
 * ports watched, and any stream withheld at random on request. */
#ifndef DAA_HARNESS_H
#define DAA_HARNESS_H

#include <signal.h>

#include "../sim/tiles.h"
#include "dut.h"

struct harness {
    double stall; /* chance, 0 <= stall < 1, that a source or the sink does nothing in a cycle */
    uint64_t seed;
    const volatile sig_atomic_t *stop; /* nonzero: give up */
    /* Called now and then with the steps taken and to take; may be NULL. */
    void (*progress)(uint64_t steps, uint64_t of);
};

struct harness_result {
    uint64_t reset_cycles; /* from the reset's end to the first step taken */
    uint64_t cycles;       /* from the first step taken to the last row given, both included */
    double seconds;        /* of processor time, all cycles */
};

/* C gets m x n results. False and an error, which says what and in which cycle: no progress, a broken protocol, or
 * STOP. DUT is reset first. */
bool harness_run(const struct harness *harness, struct dut *dut, const struct daa_config *config,
                 const struct gemm *gemm, uint32_t *c, struct harness_result *result, struct daa_error *error);

#endif
