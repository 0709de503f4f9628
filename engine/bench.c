/* Speed of the engines beside OpenBLAS sgemm, measured in turns: bench-engine [-o FILE.json] [--short] [--rounds N].
 * Figures are of the median of the rounds, each of a call that follows others of its kind, as one GEMM of many:
 * operands that fit are in the caches, and a second processor is awake. sgemm runs in child processes: one that takes
 * what OpenBLAS chooses for this processor, one held to its AVX2 kernels, and one with two threads, which tells what a
 * second thread can give on this machine. */
#define _DEFAULT_SOURCE /* setenv, clock_gettime */
#include <dlfcn.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"

/* GEMMs of ResNet-18 on 32 x 32 images, batch 8: rows are channels out, columns are pixels, depth is channels in * 9.
 */
static const struct shape {
    const char *name;
    size_t m, n, k;
} shapes[] = {
    {"128^3", 128, 128, 128},       {"256^3", 256, 256, 256},        {"1024^3", 1024, 1024, 1024},
    {"layer1 3x3", 64, 8192, 576},  {"layer2 3x3", 128, 2048, 1152}, {"layer2 1x1", 128, 2048, 64},
    {"layer3 3x3", 256, 512, 2304}, {"layer4 3x3", 512, 128, 4608},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0], ROUNDS_MOST = 15, RIVALS = 3 };

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "bench-engine: %s\n", what);
    exit(1);
}

static float *matrix(size_t rows, size_t cols, bool relu) {
    float *data = malloc(rows * cols * sizeof *data);
    if (!data)
        fail("out of memory");
    uint32_t state = 1;
    for (size_t i = 0; i < rows * cols; i++) {
        float sum = -6;
        for (int j = 0; j < 12; j++) {
            state = state * 1664525 + 1013904223;
            sum += (float)(state >> 8) * 0x1p-24f;
        }
        data[i] = relu && sum < 0 ? 0 : sum;
    }
    return data;
}

/* ---- sgemm in a child ---- */

typedef void sgemm_function(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a,
                            int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void threads_function(int count);
typedef char *name_function(void);

struct spent {
    double processor, wall; /* seconds */
};

struct rival {
    const char *core; /* OPENBLAS_CORETYPE, NULL for OpenBLAS's own choice */
    int threads;
    char name[32];
    int to[2], from[2];
    pid_t pid;
};

static void *symbol(void *library, const char *name) {
    void *found = library ? dlsym(library, name) : NULL;
    if (!found)
        fail("there is no libopenblas.so.0; apt-get install libopenblas0-pthread");
    return found;
}

static struct spent now(void) {
    return (struct spent){seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC)};
}

static struct spent since(struct spent begin) {
    const struct spent end = now();
    return (struct spent){end.processor - begin.processor, end.wall - begin.wall};
}

/* What a call of RUN takes that follows others for some milliseconds. */
static struct spent timed(void (*run)(const void *of), const void *of) {
    const double warm = 2e-3;
    const struct spent first = now();
    do
        run(of);
    while (since(first).wall < warm);
    const struct spent begin = now();
    run(of);
    return since(begin);
}

struct sgemm_call {
    sgemm_function *sgemm;
    const struct shape *shape;
    float *a, *b, *c;
};

static void run_sgemm(const void *of) {
    const struct sgemm_call *call = of;
    const int m = (int)call->shape->m, n = (int)call->shape->n, k = (int)call->shape->k;
    call->sgemm(101, 111, 111, m, n, k, 1, call->a, k, call->b, n, 0, call->c, n);
}

static void serve(struct rival *rival) {
    if (rival->core)
        setenv("OPENBLAS_CORETYPE", rival->core, 1);
    else
        unsetenv("OPENBLAS_CORETYPE");
    void *library = dlopen("libopenblas.so.0", RTLD_NOW);
    struct sgemm_call call = {0};
    threads_function *set_threads;
    name_function *core_name;
    *(void **)&call.sgemm = symbol(library, "cblas_sgemm");
    *(void **)&set_threads = symbol(library, "openblas_set_num_threads");
    *(void **)&core_name = symbol(library, "openblas_get_corename");
    set_threads(rival->threads);
    char name[32] = {0};
    snprintf(name, sizeof name, "%s", core_name());
    if (write(rival->from[1], name, sizeof name) != sizeof name)
        exit(1);
    for (int index; read(rival->to[0], &index, sizeof index) == sizeof index;) {
        const struct shape *s = &shapes[index];
        if (s != call.shape) {
            free(call.a);
            free(call.b);
            free(call.c);
            call.a = matrix(s->m, s->k, false);
            call.b = matrix(s->k, s->n, true);
            call.c = matrix(s->m, s->n, false);
            call.shape = s;
        }
        const struct spent time = timed(run_sgemm, &call);
        if (write(rival->from[1], &time, sizeof time) != sizeof time)
            exit(1);
    }
    exit(0);
}

/* The next one, COUNT are there. A child keeps no end of an earlier one's pipes, which would never see their end. */
static void begin(struct rival *rivals, int count) {
    struct rival *rival = &rivals[count];
    if (pipe(rival->to) != 0 || pipe(rival->from) != 0 || (rival->pid = fork()) < 0)
        fail("no process for OpenBLAS could be started");
    if (rival->pid == 0) {
        close(rival->to[1]);
        close(rival->from[0]);
        for (int i = 0; i < count; i++) {
            close(rivals[i].to[1]);
            close(rivals[i].from[0]);
        }
        serve(rival);
    }
    close(rival->to[0]);
    close(rival->from[1]);
    if (read(rival->from[0], rival->name, sizeof rival->name) != sizeof rival->name)
        exit(1);
}

static struct spent ask(struct rival *rival, int shape) {
    struct spent time;
    if (write(rival->to[1], &shape, sizeof shape) != sizeof shape ||
        read(rival->from[0], &time, sizeof time) != sizeof time)
        fail("the process that runs OpenBLAS ended early");
    return time;
}

/* ---- ours ---- */

struct entry {
    enum daa_engine engine;
    int streams, threads;
    const char *round, *accumulator;
    const char *config; /* a named one, or NULL */
};

static void configure(struct daa_config *config, const struct entry *entry) {
    struct daa_options *options = daa_options_new();
    struct daa_error error;
    char streams[16];
    snprintf(streams, sizeof streams, "%d", entry->streams);
    if ((entry->config && !daa_options_load(options, entry->config, &error)) ||
        !daa_options_set(options, "streams", streams, &error) ||
        !daa_options_set(options, "lo-round", entry->round, &error) ||
        !daa_options_set(options, "accumulator", entry->accumulator, &error) ||
        !daa_options_resolve(options, DAA_SOFTWARE, config, &error))
        fail(error.text);
    daa_options_free(options);
}

static void run_ours(const void *of) {
    struct daa_error error;
    if (daa_gemm_run(of, NULL, &error) != DAA_OK)
        fail(error.text);
}

static struct spent time_ours(const struct entry *entry, const struct shape *s, const float *a, const float *b,
                              float *c) {
    struct daa_config config;
    configure(&config, entry);
    const struct daa_gemm_args args = {
        .config = &config,
        .m = s->m,
        .n = s->n,
        .k = s->k,
        .batch = 1,
        .a = {a, DAA_FLOAT32, false, s->k, 0},
        .b = {b, DAA_FLOAT32, false, s->n, 0},
        .c = {c, DAA_FLOAT32, s->n, 0},
        .engine = entry->engine,
        .threads = entry->threads,
    };
    return timed(run_ours, &args);
}

#define OF_ENGINE(engine, accumulator)                                                                                 \
    {engine, 1, 1, "nearest", accumulator, NULL}, {engine, 2, 1, "nearest", accumulator, NULL}, {                      \
        engine, 4, 1, "nearest", accumulator, NULL                                                                     \
    }
static struct entry entries[] = {
    OF_ENGINE(DAA_ENGINE_AVX512BF16, "rounded"),
    OF_ENGINE(DAA_ENGINE_AVX512BF16, "anchored"),
    OF_ENGINE(DAA_ENGINE_AVX512, "rounded"),
    OF_ENGINE(DAA_ENGINE_AVX512, "anchored"),
    OF_ENGINE(DAA_ENGINE_AVX2, "rounded"),
    OF_ENGINE(DAA_ENGINE_AVX2, "anchored"),
    {DAA_ENGINE_AVX512BF16, 2, 1, "truncate", "rounded", NULL},
    {DAA_ENGINE_AUTO, 2, 1, "nearest", "anchored", "safe2"},
    {DAA_ENGINE_AUTO, 4, 1, "nearest", "anchored", "safe4"},
    {DAA_ENGINE_PORTABLE, 2, 1, "nearest", "rounded", NULL},
    {DAA_ENGINE_AUTO, 2, 2, "nearest", "rounded", NULL},
    {DAA_ENGINE_AUTO, 2, 2, "nearest", "anchored", "safe2"},
};
enum { ENTRIES = sizeof entries / sizeof entries[0] };

/* Times of the rounds, in order. */
struct times {
    double of[ROUNDS_MOST];
    int count;
};

static void keep(struct times *times, double time) {
    int i = times->count++;
    for (; i > 0 && times->of[i - 1] > time; i--)
        times->of[i] = times->of[i - 1];
    times->of[i] = time;
}

static double median(const struct times *times) {
    return (times->of[(times->count - 1) / 2] + times->of[times->count / 2]) / 2;
}

static void measure(int index, int rounds, struct rival *rivals, json_t *list) {
    const struct shape *s = &shapes[index];
    float *a = matrix(s->m, s->k, false), *b = matrix(s->k, s->n, true), *c = matrix(s->m, s->n, false);
    struct times of_sgemm[RIVALS] = {0}, ours[ENTRIES] = {0}, sgemm_one_thread = {0}, one_thread[ENTRIES] = {0};
    const struct timespec settle = {.tv_nsec = 100000000}; /* OpenBLAS's second thread looks for more work that long */
    const double macs = (double)s->m * (double)s->n * (double)s->k;
    for (int round = 0; round < rounds; round++) {
        for (int r = 0; r < RIVALS; r++) {
            const struct spent time = ask(&rivals[r], index);
            keep(&of_sgemm[r], rivals[r].threads == 1 ? time.processor : time.wall);
            if (r == 0)
                keep(&sgemm_one_thread, time.wall);
        }
        nanosleep(&settle, NULL);
        for (int e = 0; e < ENTRIES; e++) {
            const struct entry *entry = &entries[e];
            bool slow = entry->engine == DAA_ENGINE_PORTABLE;
            if (daa_engine_present(entry->engine) && !(slow && round > 0)) {
                const struct spent time = time_ours(entry, s, a, b, c);
                keep(&ours[e], entry->threads == 1 ? time.processor : time.wall);
            }
            if (entry->threads > 1) {
                struct entry alone = *entry;
                alone.threads = 1;
                keep(&one_thread[e], time_ours(&alone, s, a, b, c).wall);
            }
        }
    }
    const double sgemm[2] = {median(&of_sgemm[0]), median(&of_sgemm[1])};
    const double sgemm_speedup = median(&sgemm_one_thread) / median(&of_sgemm[2]);
    printf("%s (%zu x %zu x %zu): sgemm %s %.1f, %s %.1f GMAC/s, 2 threads %.2f of one\n", s->name, s->m, s->n, s->k,
           rivals[0].name, 1e-9 * macs / sgemm[0], rivals[1].name, 1e-9 * macs / sgemm[1], sgemm_speedup);
    json_t *results = json_array();
    for (int e = 0; e < ENTRIES; e++) {
        const struct entry *entry = &entries[e];
        bool avx2 = entry->engine == DAA_ENGINE_AVX2;
        if (ours[e].count == 0)
            continue;
        const double time = median(&ours[e]), share = sgemm[avx2] / time;
        printf("  %-10s streams %d %-8s %s threads %d: %6.1f GMAC/s, %.2f of sgemm",
               entry->config ? entry->config : daa_engine_name(entry->engine), entry->streams, entry->round,
               entry->accumulator, entry->threads, 1e-9 * macs / time, share);
        json_t *result = json_pack(
            "{s:s, s:s*, s:i, s:s, s:s, s:i, s:f, s:s, s:f}", "engine", daa_engine_name(entry->engine), "config",
            entry->config, "streams", entry->streams, "lo-round", entry->round, "accumulator", entry->accumulator,
            "threads", entry->threads, "gmacs", 1e-9 * macs / time, "sgemm", rivals[avx2].name, "of_sgemm", share);
        if (entry->threads > 1) {
            const double speedup = median(&one_thread[e]) / time;
            printf(", %.2f of one thread", speedup);
            json_object_set_new(result, "of_one_thread", json_real(speedup));
        }
        putchar('\n');
        json_array_append_new(results, result);
    }
    json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:o}", "shape", s->name, "m",
                                          (json_int_t)s->m, "n", (json_int_t)s->n, "k", (json_int_t)s->k, "sgemm_gmacs",
                                          1e-9 * macs / sgemm[0], "sgemm_avx2_gmacs", 1e-9 * macs / sgemm[1],
                                          "sgemm_two_threads_speedup", sgemm_speedup, "results", results));
    fflush(stdout);
    free(a);
    free(b);
    free(c);
}

int main(int argc, char **argv) {
    struct rival rivals[RIVALS] = {
        {.core = NULL, .threads = 1}, {.core = "Haswell", .threads = 1}, {.core = NULL, .threads = 2}};
    const char *output = NULL;
    int count = SHAPES, rounds = ROUNDS_MOST;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
            output = argv[++i];
        else if (strcmp(argv[i], "--short") == 0)
            count = 1;
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc && atoi(argv[i + 1]) >= 1 &&
                 atoi(argv[i + 1]) <= ROUNDS_MOST)
            rounds = atoi(argv[++i]);
        else {
            fprintf(stderr,
                    "bench-engine: '%s' is not understood; bench-engine [-o FILE.json] [--short] [--rounds 1..%d]\n",
                    argv[i], ROUNDS_MOST);
            return 2;
        }
    }
    for (int r = 0; r < RIVALS; r++)
        begin(rivals, r);
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        measure(i, rounds, rivals, list);
    int status = output ? json_dump_file(list, output, JSON_INDENT(1)) : 0;
    json_decref(list);
    for (int r = 0; r < RIVALS; r++) {
        close(rivals[r].to[1]);
        close(rivals[r].from[0]);
        waitpid(rivals[r].pid, NULL, 0);
    }
    if (status != 0)
        fail("the results could not be written");
    return 0;
}
