/* The golden model beside a simulation: the same GEMM in a thread of its own, and, where the two disagree, the step at
 * which they part. */
#ifndef DAA_CHECK_H
#define DAA_CHECK_H

#include <pthread.h>

#include "harness.h"

struct check {
    const struct daa_config *config;
    const struct gemm *gemm;
    uint32_t *c; /* m x n, written by the thread */
    struct daa_counts counts;
    double seconds; /* of processor time */
    struct daa_error error;
    bool failed;
    const volatile sig_atomic_t *stop; /* nonzero: give up */
    pthread_t thread;
};

/* Set config, gemm and c first; they must outlive the thread. */
bool check_start(struct check *check, struct daa_error *error);
/* Waits. False and an error: it failed, or was told to stop. */
bool check_join(struct check *check, struct daa_error *error);

/* Where the array and the golden model part in one element of C. */
struct parting {
    bool found;   /* false: the element's tile, run alone, is right at every K */
    size_t steps; /* they agree after STEPS - 1 steps and no longer after STEPS; 0: already without a product */
    struct daa_acc before; /* the accumulator before that step */
    uint32_t got, want;    /* results after it */
};

/* Runs the element's tile again with ever closer numbers of steps. False and an error: one of these runs failed. */
bool check_part(const struct harness *harness, const struct daa_config *config, const struct gemm *gemm, size_t row,
                size_t col, struct parting *parting, struct daa_error *error);

#endif
