#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../files/stats.h"
#include "emitted.h"
#include "job.h"

double job_macs(const struct job *job) {
    return (double)job->gemm.m * (double)job->gemm.n * (double)job->gemm.k;
}

static size_t tiles_count(const struct job *job) {
    struct tiles tiles;
    tiles_init(&tiles, &job->config, &job->gemm);
    return tiles.count;
}

static double ratio(double a, double b) {
    return b > 0 ? a / b : 0;
}

static double macs_per_cycle(const struct job *job) {
    return ratio(job_macs(job), (double)job->result.cycles);
}

static double utilization(const struct job *job) {
    const struct daa_config *config = &job->config;
    return macs_per_cycle(job) / ((double)config->rows * config->cols * config->streams);
}

static double macs_per_second(const struct job *job) {
    return ratio(job_macs(job), job->result.seconds);
}

void report_summary(const struct job *job) {
    const char *verdict = job->compare ? "equal to the golden model" : "not compared";
    printf("daatb: %zu x %zu x %zu, %zu tiles: %" PRIu64 " cycles, %.2f MACs per cycle (%.1f%% of peak), "
           "%.1f million MACs/s; %s\n",
           job->gemm.m, job->gemm.n, job->gemm.k, tiles_count(job), job->result.cycles, macs_per_cycle(job),
           100 * utilization(job), 1e-6 * macs_per_second(job), verdict);
}

static void set_size(json_t *stats, const char *name, size_t value) {
    json_object_set_new(stats, name, json_integer((json_int_t)value));
}

static json_t *stats_of(const struct job *job) {
    json_t *stats = json_object();
    json_object_set_new(stats, "options", daa_stats_options(&job->config));
    set_size(stats, "m", job->gemm.m);
    set_size(stats, "n", job->gemm.n);
    set_size(stats, "k", job->gemm.k);
    json_object_set_new(stats, "a", daa_stats_matrix(&job->operands.a));
    json_object_set_new(stats, "b", daa_stats_matrix(&job->operands.b));
    if (job->c0_path)
        json_object_set_new(stats, "c0", daa_stats_matrix(&job->operands.c0));
    json_object_set_new(stats, "stall", json_real(job->harness.stall));
    set_size(stats, "seed", job->harness.seed);
    set_size(stats, "tiles", tiles_count(job));
    set_size(stats, "reset_cycles", job->result.reset_cycles);
    set_size(stats, "cycles", job->result.cycles);
    set_size(stats, "macs", job->gemm.m * job->gemm.n * job->gemm.k);
    json_object_set_new(stats, "macs_per_cycle", json_real(macs_per_cycle(job)));
    json_object_set_new(stats, "utilization", json_real(utilization(job)));
    json_object_set_new(stats, "products", daa_stats_counts(&job->config, &job->check.counts));
    json_object_set_new(stats, "compared", json_boolean(job->compare));
    json_object_set_new(stats, "seconds", json_real(job->result.seconds));
    json_object_set_new(stats, "macs_per_second", json_real(macs_per_second(job)));
    json_object_set_new(stats, "check_seconds", json_real(job->check.seconds));
    return stats;
}

bool report_stats(struct job *job, struct daa_error *error) {
    json_t *stats = stats_of(job);
    const bool written = daa_stats_write(&job->stats_file, stats, error);
    json_decref(stats);
    return written;
}

static void print_option(const char *name, const char *value) {
    if (!value)
        return;
    fprintf(stderr, " %s", name);
    emitted_word(value);
}

void report_replay(const struct job *job) {
    fputs("  again:", stderr);
    emitted_word(job->program);
    print_option("--a", job->a_path);
    print_option("--b", job->b_path);
    print_option("--c", job->c0_path);
    print_option("-o", job->c_path);
    if (job->harness.stall > 0)
        fprintf(stderr, " --stall %s --seed %" PRIu64, job->stall_text, job->harness.seed);
    fputc('\n', stderr);
}

static void print_number(const char *name, struct daa_format format, uint32_t bits) {
    fprintf(stderr, "%s 0x%0*" PRIx32 " (%.9g)", name, (daa_format_width(format) + 3) / 4, bits,
            daa_to_double(format, bits));
}

static void print_parting(const struct job *job, size_t row, size_t col, const struct parting *parting) {
    const struct daa_config *config = &job->config;
    const struct gemm *gemm = &job->gemm;
    const size_t streams = (size_t)config->streams;
    char before[DAA_ACC_TEXT_MAX];
    if (parting->steps == 0) {
        fputs("  wrong before the first step:", stderr);
    } else {
        const size_t first = (parting->steps - 1) * streams;
        fprintf(stderr, "  right up to k = %zu, wrong with step %zu:", first, parting->steps - 1);
        for (size_t k = first; k < first + streams && k < gemm->k; k++) {
            print_number(" a", config->a_format, gemm->a[row * gemm->lda + k]);
            print_number(" * b", config->b_format, gemm->b[k * gemm->ldb + col]);
            fputc(';', stderr);
        }
    }
    daa_acc_text(config, parting->before, before);
    fprintf(stderr, " acc before %s", before);
    print_number(", got", config->out_format, parting->got);
    print_number(", want", config->out_format, parting->want);
    fputc('\n', stderr);
}

void report_mismatch(const struct job *job, size_t row, size_t col, size_t differing) {
    const struct daa_config *config = &job->config;
    const size_t at = row * job->gemm.n + col;
    struct parting parting;
    struct daa_error error;
    fprintf(stderr,
            "daatb: mismatch in %zu of %zu elements; the first is C[%zu][%zu] (row %zu, column %zu of the array):",
            differing, job->gemm.m * job->gemm.n, row, col, row % (size_t)config->rows, col % (size_t)config->cols);
    print_number(" got", config->out_format, job->got[at]);
    print_number(", want", config->out_format, job->check.c[at]);
    fputc('\n', stderr);
    if (!check_part(&job->harness, config, &job->gemm, row, col, &parting, &error))
        fprintf(stderr, "  its tile, run alone: %s\n", error.text);
    else if (parting.found)
        print_parting(job, row, col, &parting);
    else
        fputs("  its tile, run alone, is right: what goes wrong depends on the tiles before it\n", stderr);
    report_replay(job);
}
