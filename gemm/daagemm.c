/* daagemm: C = A B + C0 of .npy files through an engine of libdaa. */
#define _XOPEN_SOURCE 700 /* isatty, clock_gettime */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../engine/engine.h"
#include "../files/command.h"
#include "../files/operands.h"
#include "../files/stats.h"

struct arguments {
    struct daa_config config;
    const char *a, *b, *c0, *c, *stats, *engine_name;
    enum daa_engine engine;
    bool raw;
};

struct job {
    struct daa_operands in;
    struct daa_matrix c;
    struct daa_counts counts;
    struct daa_output c_output, stats_output;
    enum daa_engine ran;
};

static void read_arguments(struct arguments *arguments, char **argv) {
    const struct daa_word words[] = {
        {"--a", "FILE", "A: float16/32/64 are rounded to the operand format, uint8/16/32 are raw bits of it",
         .text = &arguments->a, .needed = true},
        {"--b", "FILE", "B, likewise", .text = &arguments->b, .needed = true},
        {"--c", "FILE", "C0, likewise in the accumulator format (default: zeros)", .text = &arguments->c0},
        {"-o", "FILE", "the result as float32, which holds every result exactly", .text = &arguments->c, .needed = true,
         .output = true},
        {"--output", "FILE", .text = &arguments->c, .output = true},
        {"--raw", .meaning = "the result as raw bits: uint8, uint16 or uint32", .set = &arguments->raw},
        {"--stats", "FILE", "the engine, counts of products, overflows and underflows, as JSON",
         .text = &arguments->stats, .output = true},
        {"--engine", "NAME", "auto, golden, portable, avx2, avx512 or avx512bf16: the same bits at other speeds",
         .text = &arguments->engine_name},
        {0},
    };
    const struct daa_command command = {
        "daagemm",
        "[--config NAME|FILE] [--OPTION VALUE]... --a A.npy --b B.npy [--c C0.npy] -o C.npy",
        "C = A B + C0 in the array's arithmetic; every engine gives the golden model's bits, which are the array's.",
        .words = words,
        .config = &arguments->config,
        .use = DAA_SOFTWARE,
    };
    daa_command_read(&command, argv);
    if (arguments->engine_name && !daa_engine_parse(arguments->engine_name, &arguments->engine))
        fail(EXIT_USAGE, "engine is '%.64s'; it must be auto, golden, portable, avx2, avx512 or avx512bf16",
             arguments->engine_name);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void say_why(const struct arguments *arguments, const struct daa_gemm_report *report) {
    if (arguments->engine_name && report->reason)
        fprintf(stderr, "daagemm: engine %s: %s\n", daa_engine_name(report->engine), report->reason);
}

/* In blocks of rows, so that a long run can say how far it is; smaller ones for an engine that takes longer. */
static bool multiply(const struct arguments *arguments, struct job *job, struct daa_error *error) {
    enum { MACS_A_BLOCK = 1 << 24, MACS_A_FAST_BLOCK = 1 << 30 };
    size_t m = job->in.a.rows, n = job->in.b.cols, k = job->in.a.cols, rows;
    job->c = (struct daa_matrix){.rows = m, .cols = n, .bits = malloc(m * n * sizeof *job->c.bits + 1)};
    if (!job->c.bits)
        return daa_fail(error, "out of memory for %zu x %zu results; give smaller matrices", m, n);
    struct daa_gemm_report report = {.engine = DAA_ENGINE_GOLDEN};
    bool progress = isatty(STDERR_FILENO), shown = false;
    double next = seconds() + 1;
    for (size_t row = 0; row < m && n > 0; row += rows) {
        size_t macs = report.engine > DAA_ENGINE_PORTABLE ? MACS_A_FAST_BLOCK : MACS_A_BLOCK;
        size_t block = macs / (k + 1) / (n + 1) + 1;
        rows = m - row < block ? m - row : block;
        const struct daa_gemm_args args = {
            .config = &arguments->config,
            .m = rows,
            .n = n,
            .k = k,
            .batch = 1,
            .a = {job->in.a.bits + row * k, DAA_BITS32, false, k, 0},
            .b = {job->in.b.bits, DAA_BITS32, false, n, 0},
            .c0 = {job->in.c0.bits ? job->in.c0.bits + row * n : NULL, DAA_BITS32, false, n, 0},
            .c = {job->c.bits + row * n, DAA_BITS32, n, 0},
            .engine = arguments->engine,
            .counts = arguments->stats ? &job->counts : NULL,
        };
        if (daa_gemm_run(&args, &report, error) != DAA_OK)
            return false;
        if (row == 0)
            say_why(arguments, &report);
        if (progress && seconds() >= next) {
            fprintf(stderr, "\rdaagemm: %zu of %zu rows", row + rows, m);
            next = seconds() + 0.5;
            shown = true;
        }
    }
    job->ran = report.engine;
    if (shown)
        fputc('\n', stderr);
    return true;
}

static bool write_stats(const struct arguments *arguments, struct job *job, struct daa_error *error) {
    json_t *stats = json_object();
    uint64_t m = job->in.a.rows, n = job->in.b.cols, k = job->in.a.cols;
    json_object_set_new(stats, "engine", json_string(daa_engine_name(job->ran)));
    json_object_set_new(stats, "m", json_integer((json_int_t)m));
    json_object_set_new(stats, "n", json_integer((json_int_t)n));
    json_object_set_new(stats, "k", json_integer((json_int_t)k));
    json_object_set_new(stats, "macs", json_integer((json_int_t)(m * n * k)));
    json_object_set_new(stats, "options", daa_stats_options(&arguments->config));
    json_object_set_new(stats, "products", daa_stats_counts(&arguments->config, &job->counts));
    json_object_set_new(stats, "a", daa_stats_matrix(&job->in.a));
    json_object_set_new(stats, "b", daa_stats_matrix(&job->in.b));
    json_object_set_new(stats, "c0", daa_stats_matrix(&job->in.c0));
    bool good = daa_stats_write(&job->stats_output, stats, error);
    json_decref(stats);
    return good;
}

/* The outputs are opened before the work, so that a place that cannot be written costs no long wait, and take their
 * places after all of it. */
static bool run(const struct arguments *arguments, struct job *job, struct daa_error *error) {
    const struct daa_config *config = &arguments->config;
    if (!daa_operands_load(config, arguments->a, arguments->b, arguments->c0, &job->in, error) ||
        !daa_output_open(&job->c_output, arguments->c, error) ||
        (arguments->stats && !daa_output_open(&job->stats_output, arguments->stats, error)))
        return false;
    if (!multiply(arguments, job, error) || !daa_matrix_write(&job->c_output, job->c.rows, job->c.cols, job->c.bits,
                                                              config->out_format, arguments->raw, error))
        return false;
    if (arguments->stats && !write_stats(arguments, job, error))
        return false;
    if (!daa_output_finish(&job->c_output, error) ||
        (arguments->stats && !daa_output_finish(&job->stats_output, error)))
        return false;
    return daa_output_commit(&job->c_output, error) &&
           (!arguments->stats || daa_output_commit(&job->stats_output, error));
}

int main(int argc, char **argv) {
    (void)argc;
    struct arguments arguments = {0};
    struct job job = {0};
    struct daa_error error;
    read_arguments(&arguments, argv);
    if (!run(&arguments, &job, &error))
        fail(EXIT_JOB, "%s", error.text);
    daa_operands_free(&job.in);
    daa_matrix_free(&job.c);
    return EXIT_SUCCESS;
}
