/* daatb: a GEMM through the Verilated array of one emitted directory, compared with the golden model bit for bit. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../files/command.h"
#include "emitted.h"
#include "job.h"
#include "traced.h"

static const char more[] =
    "Exit status: 0 done and equal; 1 a mismatch, a hang, or a job that failed (no output file is written); 2 usage.\n"
    "\n"
    "--stats:\n"
    "  cycles           from the first step taken to the last row of results, both included\n"
    "  reset_cycles     before that, from the end of the reset: the array's own sweep\n"
    "  macs             M * N * K, the products that were asked for\n"
    "  macs_per_cycle   macs / cycles\n"
    "  utilization      macs_per_cycle / (rows * cols * streams)\n"
    "  tiles            the array's runs: ceil(M / rows) * ceil(N / cols)\n"
    "  products         per stream, what became of them, by the golden model: high (summed exactly), low (summed from\n"
    "                   the low values), zero (an operand was zero), dropped (below the window), special (Inf or NaN)\n"
    "  seconds          processor time of the simulation alone; macs_per_second = macs / seconds\n"
    "  check_seconds    processor time of the golden model, which runs beside it in a second thread\n"
    "\nThis array: ";

/* The signal that asks to stop; until this is set one ends the program at once. */
static const volatile sig_atomic_t *caught;

/* Ends a job that failed or was told to stop. */
static _Noreturn void fail_job(const struct daa_error *error) {
    daa_output_obey_signal();
    fail(EXIT_JOB, "%s", error->text);
}

static _Noreturn void no_memory(void) {
    fail_job(&(struct daa_error){"out of memory; the matrices are too large for this machine"});
}

static double read_stall(const char *text) {
    char *end;
    const double stall = strtod(text, &end);
    if (end == text || *end || !(stall >= 0 && stall < 1))
        fail(EXIT_USAGE, "--stall is '%.64s'; it must be at least 0 and less than 1", text);
    return stall;
}

static uint64_t read_seed(const char *text) {
    char *end;
    errno = 0;
    const unsigned long long seed = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || seed > INT64_MAX)
        fail(EXIT_USAGE, "--seed is '%.64s'; it must be a whole number from 0 to 9223372036854775807", text);
    return seed;
}

static void read_arguments(struct job *job, char **argv) {
    bool unchecked = false;
    const char *seed = "1";
    const struct daa_word words[] = {
        {"--a", "FILE", "A: float16/32/64 are rounded to the operand format, uint8/16/32 are raw bits of it",
         .text = &job->a_path, .needed = true},
        {"--b", "FILE", "B, likewise", .text = &job->b_path, .needed = true},
        {"--c", "FILE", "what C starts from, likewise in the accumulator format (without it: +0)",
         .text = &job->c0_path},
        {"-o", "FILE", "the results, as float32", .text = &job->c_path, .needed = true, .output = true},
        {"--raw", .meaning = "the results as raw bits of the output format", .set = &job->raw},
        {"--stats", "FILE", "what the run did, as JSON (below)", .text = &job->stats_path, .output = true},
        {"--stall", "P", "each of the streams A, B, C0 and C does nothing in a cycle with this chance (0 <= P < 1)",
         .text = &job->stall_text},
        {"--seed", "N", "of these stalls (default 1)", .text = &seed},
        {"--trace", "FILE", "the array's waves, in FST format", .text = &job->trace_path, .output = true},
        {"--no-check", .meaning = "do not compare", .set = &unchecked},
        {0},
    };
    char end[sizeof more + DAA_LINE_MAX + 1];
    snprintf(end, sizeof end, "%s%s\n", more, dut_options);
    const struct daa_command command = {
        "daatb",
        "--a A.npy --b B.npy [--c C0.npy] -o C.npy [option]...",
        "Computes C = A B (+ C0) in the Verilated array, tile by tile, and compares every bit with the golden model.",
        .more = end,
        .words = words,
    };
    *job = (struct job){.program = argv[0], .stall_text = "0"};
    daa_command_read(&command, argv);
    job->compare = !unchecked;
    job->harness = (struct harness){.stall = read_stall(job->stall_text), .seed = read_seed(seed)};
}

static void load(struct job *job) {
    struct daa_error error;
    if (!daa_operands_load(&job->config, job->a_path, job->b_path, job->c0_path, &job->operands, &error))
        fail_job(&error);
    job->gemm = daa_operands_gemm(&job->operands);
}

/* All of them before the work, so that a path that cannot be written costs none. */
static void open_outputs(struct job *job) {
    struct daa_error error;
    if (!daa_output_open(&job->c_file, job->c_path, &error) ||
        (job->stats_path && !daa_output_open(&job->stats_file, job->stats_path, &error)) ||
        (job->trace_path && !daa_output_open_plain(&job->trace_file, job->trace_path, &error)))
        fail_job(&error);
}

static uint32_t *new_results(struct job *job) {
    const size_t count = job->gemm.m * job->gemm.n;
    uint32_t *c = calloc(count ? count : 1, sizeof *c);
    if (!c)
        no_memory();
    return c;
}

static double wall_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* When the run began and was last shown, and the products of the whole of it. */
static struct progress_state { double start, last, macs; } shown;

/* A line that overwrites itself, four times a second. */
static void progress(uint64_t steps, uint64_t of) {
    const double now = wall_seconds(), used = now - shown.start;
    if (now - shown.last < 0.25 || steps == 0)
        return;
    shown.last = now;
    const double part = (double)steps / (double)of;
    fprintf(stderr, "\rdaatb: %3.0f%%, %.1f million MACs/s, %.0f s left \033[K", 100 * part,
            1e-6 * part * shown.macs / used, used * (1 - part) / part);
}

static void start_golden(struct job *job) {
    struct daa_error error;
    job->checked = job->compare || job->stats_path;
    if (!job->checked)
        return;
    job->check.config = &job->config;
    job->check.gemm = &job->gemm;
    job->check.c = new_results(job);
    job->check.stop = caught;
    if (!check_start(&job->check, &error))
        fail_job(&error);
}

static void simulate(struct job *job) {
    struct daa_error error, trace_error;
    const bool show = isatty(STDERR_FILENO);
    if (show) {
        shown.start = shown.last = wall_seconds();
        shown.macs = job_macs(job);
        job->harness.progress = progress;
    }
    job->got = new_results(job);
    struct dut *dut = dut_new(job->trace_file.beside);
    if (!dut)
        no_memory();
    const bool ran = harness_run(&job->harness, dut, &job->config, &job->gemm, job->got, &job->result, &error);
    job->harness.progress = NULL;
    if (show)
        fputs("\r\033[K", stderr);
    dut_free(dut);
    /* Waves are wanted most when the run fails. */
    if (job->trace_path && !*caught && !daa_output_commit(&job->trace_file, &trace_error))
        fail_job(&trace_error);
    if (ran)
        return;
    if (*caught)
        fail_job(&error);
    fprintf(stderr, "daatb: %s\n", error.text);
    report_replay(job);
    exit(1);
}

/* Ends the job at a mismatch. */
static void compare(struct job *job) {
    const size_t count = job->gemm.m * job->gemm.n;
    size_t first = count, differing = 0;
    for (size_t i = count; i-- > 0;)
        if (job->got[i] != job->check.c[i]) {
            first = i;
            differing++;
        }
    if (differing == 0)
        return;
    report_mismatch(job, first / job->gemm.n, first % job->gemm.n, differing);
    exit(1);
}

/* All that can fail before the first file takes its place. */
static void save(struct job *job) {
    struct daa_error error;
    bool good =
        daa_matrix_write(&job->c_file, job->gemm.m, job->gemm.n, job->got, job->config.out_format, job->raw, &error) &&
        daa_output_finish(&job->c_file, &error) &&
        (!job->stats_path || (report_stats(job, &error) && daa_output_finish(&job->stats_file, &error)));
    if (good) {
        report_summary(job);
        daa_command_flush();
        good = !*caught && daa_output_commit(&job->c_file, &error) &&
               (!job->stats_path || daa_output_commit(&job->stats_file, &error));
    }
    if (!good)
        fail_job(&error);
}

static void free_job(struct job *job) {
    free(job->got);
    free(job->check.c);
    daa_operands_free(&job->operands);
}

int main(int argc, char **argv) {
    (void)argc;
    struct job job;
    struct daa_error error;
    read_arguments(&job, argv);
    emitted_config(dut_options, &job.config);
    load(&job);
    open_outputs(&job);
    if (job.trace_path && !dut_traces) {
        daa_output_abort(&job.c_file);
        daa_output_abort(&job.stats_file);
        daa_output_abort(&job.trace_file);
        traced_become(dut_root, "tb-trace", argv, &error);
        fail_job(&error);
    }
    job.harness.stop = caught = daa_output_note_signal();
    start_golden(&job);
    simulate(&job);
    if (job.checked && !check_join(&job.check, &error))
        fail_job(&error);
    if (job.compare)
        compare(&job);
    save(&job);
    free_job(&job);
    return EXIT_SUCCESS;
}
