/* One run of daatb: what was asked for, and what came of it. */
#ifndef DAA_JOB_H
#define DAA_JOB_H

#include "../files/operands.h"
#include "check.h"

struct job {
    const char *program, *a_path, *b_path, *c0_path, *c_path, *stats_path, *trace_path, *stall_text;
    bool raw, compare;
    struct harness harness;
    struct daa_config config;
    struct daa_operands operands;
    struct gemm gemm;
    struct daa_output c_file, stats_file, trace_file;
    uint32_t *got;
    struct harness_result result;
    bool checked; /* the golden model runs or ran */
    struct check check;
};

/* M * N * K; a double, for it may pass 64 bits. */
double job_macs(const struct job *job);

/* On stdout: what was done and how fast. */
void report_summary(const struct job *job);
/* The file of --stats. */
bool report_stats(struct job *job, struct daa_error *error);
/* On stderr: the first element that differs, the step where it goes wrong, and how to see it again. */
void report_mismatch(const struct job *job, size_t row, size_t col, size_t differing);
/* On stderr: the command that does the same run again. */
void report_replay(const struct job *job);

#endif
