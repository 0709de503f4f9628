/* daatb: a GEMM through the Verilated array of one emitted directory, compared with the golden model bit for bit. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "job.h"
#include "traced.h"

static const char help[] =
    "usage: daatb --a A.npy --b B.npy [--c C0.npy] -o C.npy [option]...\n"
    "\n"
    "Computes C = A B (+ C0) in the Verilated array, tile by tile, and compares every bit with the golden model.\n"
    "\n"
    "  --a, --b FILE    the operands: float16/32/64 are rounded to the operand format, uint8/16/32 are raw bits\n"
    "  --c FILE         what C starts from, likewise in the accumulator format (without it: +0)\n"
    "  -o FILE          the results, as float32\n"
    "  --raw            the results as raw bits of the output format\n"
    "  --stats FILE     what the run did, as JSON (below)\n"
    "  --stall P        each of the streams A, B, C0 and C does nothing in a cycle with this chance (0 <= P < 1)\n"
    "  --seed N         of these stalls (default 1)\n"
    "  --trace FILE     the array's waves, in FST format\n"
    "  --no-check       do not compare\n"
    "  --help           this text\n"
    "\n"
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
    "  check_seconds    processor time of the golden model, which runs beside it in a second thread\n";

static volatile sig_atomic_t caught; /* the signal that asks to stop */

static void note_signal(int signal_number) {
    caught = signal_number;
}

/* Once: a second signal ends the program at once. */
static void watch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction action = {.sa_flags = (int)SA_RESETHAND}, old;
        action.sa_handler = note_signal;
        sigemptyset(&action.sa_mask);
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

static void close_outputs(struct job *job) {
    daa_output_abort(&job->c_file);
    daa_output_abort(&job->stats_file);
    daa_output_abort(&job->trace_file);
}

static _Noreturn void usage(const char *format, const char *what) {
    struct daa_error error;
    daa_fail(&error, format, what);
    fprintf(stderr, "daatb: %s; see daatb --help\n", error.text);
    exit(2);
}

/* Ends a job that failed, leaving nothing half-written. */
static _Noreturn void fail(struct job *job, const struct daa_error *error) {
    close_outputs(job);
    if (caught) {
        signal(caught, SIG_DFL);
        raise(caught);
    }
    fprintf(stderr, "daatb: %s\n", error->text);
    exit(1);
}

static _Noreturn void no_memory(struct job *job) {
    fail(job, &(struct daa_error){"out of memory; the matrices are too large for this machine"});
}

/* The configuration that the emitted header states as a command line of daagen. */
static bool parse_config(char *words, struct daa_options *options, struct daa_config *config, struct daa_error *error) {
    char *rest;
    for (char *name = strtok_r(words, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        const char *value = strtok_r(NULL, " ", &rest);
        if (strncmp(name, "--", 2) != 0 || !value)
            return daa_fail(error, "'%s' is not an option with its value", name);
        if (!daa_options_set(options, name + 2, value, error))
            return false;
    }
    return daa_options_resolve(options, DAA_HARDWARE, config, error);
}

static void read_config(struct daa_config *config) {
    struct daa_error error = {"out of memory"};
    struct daa_options *options = daa_options_new();
    char *words = strdup(dut_options);
    const bool good = options && words && parse_config(words, options, config, &error);
    free(words);
    daa_options_free(options);
    if (good)
        return;
    fprintf(stderr, "daatb: the array's own configuration is not a legal one (%s); emit and build it again\n",
            error.text);
    exit(1);
}

static double read_stall(const char *text) {
    char *end;
    const double stall = strtod(text, &end);
    if (end == text || *end || !(stall >= 0 && stall < 1))
        usage("--stall is '%s'; it must be at least 0 and less than 1", text);
    return stall;
}

static uint64_t read_seed(const char *text) {
    char *end;
    errno = 0;
    const unsigned long long seed = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || seed > INT64_MAX)
        usage("--seed is '%s'; it must be a whole number from 0 to 9223372036854775807", text);
    return seed;
}

static void print_help(void) {
    fputs(help, stdout);
    printf("\nThis array: %s\n", dut_options);
}

static void need(const char *value, const char *option) {
    if (!value)
        usage("%s is missing", option);
}

static void need_two(const char *one, const char *other) {
    if (one && other && strcmp(one, other) == 0)
        usage("'%s' is named for two outputs; each must have a file of its own", one);
}

static void read_arguments(struct job *job, int argc, char **argv) {
    enum { A = 256, B, C0, RAW, STATS, STALL, SEED, TRACE, NO_CHECK, HELP };
    static const struct option options[] = {
        {"a", required_argument, NULL, A},
        {"b", required_argument, NULL, B},
        {"c", required_argument, NULL, C0},
        {"raw", no_argument, NULL, RAW},
        {"stats", required_argument, NULL, STATS},
        {"stall", required_argument, NULL, STALL},
        {"seed", required_argument, NULL, SEED},
        {"trace", required_argument, NULL, TRACE},
        {"no-check", no_argument, NULL, NO_CHECK},
        {"help", no_argument, NULL, HELP},
        {0},
    };
    *job = (struct job){.program = argv[0], .compare = true, .harness = {.seed = 1, .stop = &caught}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":o:h", options, NULL)) != -1) {
        switch (option) {
        case A:
            job->a_path = optarg;
            break;
        case B:
            job->b_path = optarg;
            break;
        case C0:
            job->c0_path = optarg;
            break;
        case 'o':
            job->c_path = optarg;
            break;
        case RAW:
            job->raw = true;
            break;
        case STATS:
            job->stats_path = optarg;
            break;
        case STALL:
            job->stall_text = optarg;
            job->harness.stall = read_stall(optarg);
            break;
        case SEED:
            job->harness.seed = read_seed(optarg);
            break;
        case TRACE:
            job->trace_path = optarg;
            break;
        case NO_CHECK:
            job->compare = false;
            break;
        case 'h':
        case HELP:
            print_help();
            exit(0);
        case ':':
            usage("'%s' needs a value", argv[optind - 1]);
        default:
            usage("'%s' is not an option of daatb", argv[optind - 1]);
        }
    }
    if (optind < argc)
        usage("'%s' is not an option of daatb", argv[optind]);
    need(job->a_path, "--a A.npy");
    need(job->b_path, "--b B.npy");
    need(job->c_path, "-o C.npy");
    need_two(job->c_path, job->stats_path);
    need_two(job->c_path, job->trace_path);
    need_two(job->stats_path, job->trace_path);
}

static void load(struct job *job) {
    struct daa_error error;
    if (!daa_operands_load(&job->config, job->a_path, job->b_path, job->c0_path, &job->operands, &error))
        fail(job, &error);
    job->gemm = daa_operands_gemm(&job->operands);
}

/* All of them before the work, so that a path that cannot be written costs none. */
static void open_outputs(struct job *job) {
    struct daa_error error;
    if (!daa_output_open(&job->c_file, job->c_path, &error) ||
        (job->stats_path && !daa_output_open(&job->stats_file, job->stats_path, &error)) ||
        (job->trace_path && !daa_output_open(&job->trace_file, job->trace_path, &error)))
        fail(job, &error);
}

static uint32_t *new_results(struct job *job) {
    const size_t count = job->gemm.m * job->gemm.n;
    uint32_t *c = calloc(count ? count : 1, sizeof *c);
    if (!c)
        no_memory(job);
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
    job->check.stop = &caught;
    if (!check_start(&job->check, &error))
        fail(job, &error);
}

static const char *trace_name(const struct job *job) {
    const struct daa_output *trace = &job->trace_file;
    return trace->beside ? trace->beside : trace->place;
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
    struct dut *dut = dut_new(trace_name(job));
    if (!dut)
        no_memory(job);
    const bool ran = harness_run(&job->harness, dut, &job->config, &job->gemm, job->got, &job->result, &error);
    job->harness.progress = NULL;
    if (show)
        fputs("\r\033[K", stderr);
    dut_free(dut);
    /* Waves are wanted most when the run fails. */
    if (job->trace_path && !caught && !daa_output_commit(&job->trace_file, &trace_error))
        fail(job, &trace_error);
    if (ran)
        return;
    if (caught)
        fail(job, &error);
    close_outputs(job);
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
    close_outputs(job);
    report_mismatch(job, first / job->gemm.n, first % job->gemm.n, differing);
    exit(1);
}

static void save(struct job *job) {
    struct daa_error error;
    if (!daa_matrix_write(&job->c_file, job->gemm.m, job->gemm.n, job->got, job->config.out_format, job->raw, &error) ||
        (job->stats_path && !report_stats(job, &error)) || caught || !daa_output_commit(&job->c_file, &error) ||
        (job->stats_path && !daa_output_commit(&job->stats_file, &error)))
        fail(job, &error);
}

static void free_job(struct job *job) {
    free(job->got);
    free(job->check.c);
    daa_operands_free(&job->operands);
}

int main(int argc, char **argv) {
    struct job job;
    struct daa_error error;
    read_arguments(&job, argc, argv);
    read_config(&job.config);
    load(&job);
    watch_signals();
    open_outputs(&job);
    if (job.trace_path && !dut_traces) {
        close_outputs(&job);
        traced_become(dut_root, argv, &error);
        fail(&job, &error);
    }
    start_golden(&job);
    simulate(&job);
    if (job.checked && !check_join(&job.check, &error))
        fail(&job, &error);
    if (job.compare)
        compare(&job);
    save(&job);
    report_summary(&job);
    free_job(&job);
    return 0;
}
