/* daagemm: C = A B + C0 of .npy files through the golden model. */
#define _XOPEN_SOURCE 700 /* isatty, clock_gettime, realpath */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../engine/engine.h"
#include "../files/operands.h"
#include "../files/stats.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

struct arguments {
    struct daa_config config;
    const char *a, *b, *c0, *c, *stats;
    enum daa_engine engine;
    bool raw, engine_chosen;
};

struct job {
    struct daa_operands in;
    struct daa_matrix c;
    struct daa_counts counts;
    struct daa_output c_output, stats_output;
};

/* ---- the command line ---- */

enum {
    FIRST_OPTION = 256,
    /* above the letters */ HELP = FIRST_OPTION + DAA_OPTION_COUNT_MAX,
    VERSION,
    CONFIG,
    IN_A,
    IN_B,
    IN_C0,
    OUT_C,
    STATS,
    RAW,
    ENGINE
};

static const struct option own_options[] = {
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {"config", required_argument, NULL, CONFIG},
    {"a", required_argument, NULL, IN_A},
    {"b", required_argument, NULL, IN_B},
    {"c", required_argument, NULL, IN_C0},
    {"output", required_argument, NULL, OUT_C},
    {"stats", required_argument, NULL, STATS},
    {"raw", no_argument, NULL, RAW},
    {"engine", required_argument, NULL, ENGINE},
};
enum { OWN_COUNT = sizeof own_options / sizeof own_options[0] };

static int fail(int status, const struct daa_error *error) {
    fprintf(stderr, "daagemm: %s\n", error->text);
    return status;
}

static void print_help(void) {
    puts(
        "usage: daagemm [--config NAME|FILE] [--OPTION VALUE]... --a A.npy --b B.npy [--c C0.npy] -o C.npy\n"
        "               [--raw] [--stats S.json] [--engine NAME]\n"
        "\n"
        "C = A B + C0 by the golden model, bit for bit what the array computes.\n"
        "\n"
        "  --a, --b FILE      the operands: float16/32/64 are rounded to the operand format, uint8/16/32 are raw bits\n"
        "  --c FILE           C0, likewise in the accumulator format (default: zeros)\n"
        "  -o, --output FILE  the result as float32, which holds every result exactly\n"
        "  --raw              the result as raw bits: uint8, uint16 or uint32\n"
        "  --stats FILE       counts of products, overflows and underflows, as JSON\n"
        "  --engine NAME      auto, golden, portable, avx2, avx512 or avx512bf16: the same bits at other speeds\n"
        "  --config NAME|FILE a named configuration or a daa.json (default: paper)\n"
        "  --help, --version\n"
        "\n"
        "options of the configuration (default; range):");
    for (size_t i = 0; i < daa_option_count(); i++) {
        const struct daa_option_info *info = daa_option_info(i);
        printf("  --%-12s %s (%s; %s)\n", info->name, info->meaning, info->fallback, info->range);
    }
    puts("\nnamed configurations:");
    for (size_t i = 0; i < daa_named_count(); i++)
        printf("  %-10s %s\n", daa_named_name(i), daa_named_meaning(i));
}

/* The options of the table first: getopt_long() returns FIRST_OPTION and their index. */
static void list_options(struct option *all) {
    size_t count = daa_option_count();
    for (size_t i = 0; i < count; i++)
        all[i] = (struct option){daa_option_info(i)->name, required_argument, NULL, FIRST_OPTION + (int)i};
    memcpy(all + count, own_options, sizeof own_options);
    all[count + OWN_COUNT] = (struct option){0};
}

static bool usage_error(struct daa_error *error, int code, char *const *argv) {
    const char *word = argv[optind - 1];
    char letter[3] = {'-', (char)optopt, '\0'};
    if (code == ':')
        return daa_fail(error, "%.64s needs a value; see daagemm --help", word);
    if (optopt > 0 && optopt < 256) /* it may stand among others in the word */
        return daa_fail(error, "'%s' is not an option; see daagemm --help", letter);
    return daa_fail(error, "'%.64s' is not an option, or takes no value; see daagemm --help", word);
}

static bool take_option(int code, struct arguments *arguments, struct daa_options *options, struct daa_error *error) {
    switch (code) {
    case CONFIG:
        return daa_options_load(options, optarg, error);
    case IN_A:
        arguments->a = optarg;
        return true;
    case IN_B:
        arguments->b = optarg;
        return true;
    case IN_C0:
        arguments->c0 = optarg;
        return true;
    case 'o':
    case OUT_C:
        arguments->c = optarg;
        return true;
    case STATS:
        arguments->stats = optarg;
        return true;
    case RAW:
        arguments->raw = true;
        return true;
    case ENGINE:
        arguments->engine_chosen = true;
        return daa_engine_parse(optarg, &arguments->engine) ||
               daa_fail(error, "engine is '%.64s'; it must be auto, golden, portable, avx2, avx512 or avx512bf16",
                        optarg);
    default:
        return daa_options_set(options, daa_option_info((size_t)(code - FIRST_OPTION))->name, optarg, error);
    }
}

static bool check_file(const char *name, const char *path, bool needed, struct daa_error *error) {
    if (needed && !path)
        return daa_fail(error, "%s FILE is missing; see daagemm --help", name);
    return !path || *path || daa_fail(error, "%s is empty; it must be a file's name", name);
}

/* Two names of one file; one that is not there yet shows only by the same name. */
static bool same_place(const char *one, const char *other) {
    char *paths[2] = {realpath(one, NULL), realpath(other, NULL)};
    bool same = strcmp(one, other) == 0 || (paths[0] && paths[1] && strcmp(paths[0], paths[1]) == 0);
    free(paths[0]);
    free(paths[1]);
    return same;
}

static bool check_arguments(const struct arguments *arguments, struct daa_error *error) {
    if (!check_file("--a", arguments->a, true, error) || !check_file("--b", arguments->b, true, error) ||
        !check_file("--c", arguments->c0, false, error) || !check_file("-o", arguments->c, true, error) ||
        !check_file("--stats", arguments->stats, false, error))
        return false;
    if (arguments->stats && same_place(arguments->c, arguments->stats))
        return daa_fail(error, "-o and --stats are both '%.200s'; they must be two files", arguments->c);
    return true;
}

/* Returns false with *status where the program is to end here. */
static bool parse(int argc, char **argv, struct arguments *arguments, struct daa_options *options, int *status) {
    struct option all[DAA_OPTION_COUNT_MAX + OWN_COUNT + 1];
    struct daa_error error;
    list_options(all);
    opterr = 0;
    *status = USAGE;
    for (int code; (code = getopt_long(argc, argv, ":o:", all, NULL)) != -1;) {
        if (code == HELP || code == VERSION) {
            if (code == HELP)
                print_help();
            else
                puts("daagemm " DAA_VERSION);
            *status = fflush(stdout) == 0 ? DONE : FAILED;
            return false;
        }
        bool good = code == '?' || code == ':' ? usage_error(&error, code, argv)
                                               : take_option(code, arguments, options, &error);
        if (!good) {
            fail(USAGE, &error);
            return false;
        }
    }
    bool good = optind == argc || daa_fail(&error, "'%.64s' is not an option; see daagemm --help", argv[optind]);
    good = good && check_arguments(arguments, &error);
    good = good && daa_options_resolve(options, DAA_SOFTWARE, &arguments->config, &error);
    if (!good)
        fail(USAGE, &error);
    return good;
}

/* ---- the job ---- */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void say_why(const struct arguments *arguments, const struct daa_gemm_report *report) {
    if (arguments->engine_chosen && report->reason)
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
    if (shown)
        fputc('\n', stderr);
    return true;
}

static bool write_stats(const struct arguments *arguments, struct job *job, struct daa_error *error) {
    json_t *stats = json_object();
    uint64_t m = job->in.a.rows, n = job->in.b.cols, k = job->in.a.cols;
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
    struct arguments arguments = {0};
    struct job job = {0};
    struct daa_error error;
    int status;
    struct daa_options *options = daa_options_new();
    bool go = parse(argc, argv, &arguments, options, &status);
    daa_options_free(options);
    if (!go)
        return status;
    bool good = run(&arguments, &job, &error);
    daa_output_abort(&job.c_output);
    daa_output_abort(&job.stats_output);
    daa_operands_free(&job.in);
    daa_matrix_free(&job.c);
    return good ? DONE : fail(FAILED, &error);
}
