/* Products side by side against the golden model's, from memory that ends where the operands do: check-beside [--seed
 * N].
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../engine/engine.h"
#include "../common/random.h"

enum { CASES = 300 };

static uint64_t seed = 1;
static size_t results;

static void stop(const char *what) {
    fprintf(stderr, "check-beside: %s, seed %" PRIu64 "\n", what, seed);
    exit(1);
}

static void *memory(size_t size) {
    void *m = malloc(size);
    if (!m)
        stop("out of memory");
    return m;
}

static void configure(struct daa_config *config) {
    static const char *const accumulators[] = {"rounded", "anchored"}, *const formats[] = {"bf16", "e8m5", "e8m4"},
                             *const policies[] = {"exponent", "static", "low"}, *const lo_bits[] = {"1", "3", "4"},
                             *const streams[] = {"1", "2", "4", "8"}, *const bits[] = {"32", "32", "25", "22", "14"};
    const uint32_t anchored = below(2), policy = below(3), count = below(anchored ? 4 : 3);
    const bool in_pairs = anchored && policy == 0 && count == 2 && below(2);
    const struct {
        const char *name, *value;
    } list[] = {{"accumulator", accumulators[anchored]},
                {"format", formats[below(3)]},
                {"policy", policies[policy]},
                {"lo-bits", lo_bits[below(3)]},
                {"streams", streams[count]},
                {"groups", in_pairs ? "2" : "1"},
                {"acc-bits", bits[below(5)]}};
    struct daa_options *options = daa_options_new();
    struct daa_error error;
    for (size_t i = 0; i < sizeof list / sizeof list[0] - !anchored; i++)
        if (!daa_options_set(options, list[i].name, list[i].value, &error))
            stop(error.text);
    if (!daa_options_resolve(options, DAA_SOFTWARE, config, &error))
        stop(error.text);
    daa_options_free(options);
}

/* Numbers of the format as bf16: a tenth are zeros. */
static uint16_t *numbers(const struct daa_config *config, size_t count) {
    uint16_t *raw = memory(count * sizeof *raw);
    const uint32_t drop = 7 - (uint32_t)config->a_format.frac_bits, spread = 1 + below(12);
    for (size_t i = 0; i < count; i++)
        raw[i] =
            below(10) == 0
                ? 0
                : (uint16_t)(below(2) << 15 | (127 - spread + below(2 * spread)) << 7 | below(128) >> drop << drop);
    return raw;
}

/* Where rows or columns begin: COUNT of them APART, in any order. */
static size_t *places(size_t count, size_t apart) {
    size_t *place = memory((count + 1) * sizeof *place);
    for (size_t i = 0; i < count; i++) {
        const size_t j = below((uint32_t)i + 1);
        place[i] = place[j];
        place[j] = i * apart;
    }
    return place;
}

/* Product X, its operands gathered as floats. */
static void golden(const struct daa_beside_args *args, size_t x, uint32_t *c) {
    uint32_t *a = memory((args->m * args->k + 1) * sizeof *a), *b = memory((args->k * args->n + 1) * sizeof *b);
    struct daa_error error;
    for (size_t i = 0; i < args->m * args->k; i++)
        a[i] = (uint32_t)args->a[args->a_rows[i / args->k] + args->a_cols[i % args->k] + x] << 16;
    for (size_t i = 0; i < args->k * args->n; i++)
        b[i] = (uint32_t)args->b[args->b_rows[i / args->n] + args->b_cols[i % args->n] + x] << 16;
    const struct daa_gemm_args gemm = {.config = args->config,
                                       .m = args->m,
                                       .n = args->n,
                                       .k = args->k,
                                       .batch = 1,
                                       .a = {a, DAA_FLOAT32, false, args->k, 0},
                                       .b = {b, DAA_FLOAT32, false, args->n, 0},
                                       .c = {c, DAA_FLOAT32, args->n, 0},
                                       .engine = DAA_ENGINE_GOLDEN,
                                       .threads = 1};
    if (daa_gemm_run(&gemm, NULL, &error) != DAA_OK)
        stop(error.text);
    free(a);
    free(b);
}

/* WANT: what C was before, of SIZE; with sums the results are added from the last row to the first. */
static void compare(const struct daa_beside_args *args, float *want, size_t size) {
    uint32_t *found = memory(args->m * args->n * sizeof *found);
    for (size_t x = 0; x < args->batch; x++) {
        golden(args, x, found);
        for (size_t i = args->m * args->n; i-- > 0; results++) {
            float *to = want + args->c_rows[i / args->n] + args->c_cols[i % args->n] + x, result;
            memcpy(&result, &found[i], sizeof result);
            *to = args->sums ? *to + result : result;
        }
    }
    if (memcmp(want, args->c, size * sizeof *want) != 0)
        stop("another result than the golden model's");
    free(found);
}

/* Each SUMS rows' places in C, an image of theirs of OVERLAP fewer than they have alone, N of places a row. */
static size_t *images(size_t m, size_t sums, size_t overlap, size_t n, size_t batch) {
    size_t *place = places(m, n * batch);
    for (size_t i = 0; i < m; i++)
        place[i] = (i / sums * (sums + n) + place[i] / (n * batch) % (1 + (sums - 1) / overlap)) * batch;
    return place;
}

/* What C is before: numbers of every size, zeros of both signs. */
static float *before(size_t size) {
    float *c = memory(size * sizeof *c);
    for (size_t i = 0; i < size; i++) {
        const uint32_t exponent = below(4) ? 120 + below(12) : below(3), bits = exponent << 23 | below(1 << 23);
        const uint32_t word = below(2) << 31 | (below(8) ? bits : 0);
        memcpy(&c[i], &word, sizeof word);
    }
    return c;
}

/* Operands as patches: element (i, j) of A is another row's too where rows are less than K apart. */
static bool one_case(void) {
    struct daa_config config;
    struct daa_error error;
    configure(&config);
    const size_t m = 1 + below(below(20) ? 6 : 80), n = 1 + below(6), batch = 16 * (1 + below(5));
    const size_t k = below(3) ? below(40) : 1 + below((uint32_t)config.streams),
                 sums = below(2) ? 1 + below((uint32_t)m) : 0;
    const size_t rows_apart = 1 + below(3), a_size = (m * rows_apart + k) * batch, b_size = (k + 1) * n * batch;
    const size_t c_size = (sums ? ((m - 1) / sums + 1) * (sums + n) : m * n) * batch;
    float *want = before(c_size);
    const struct daa_beside_args args = {.config = &config,
                                         .m = m,
                                         .n = n,
                                         .k = k,
                                         .batch = batch,
                                         .a = numbers(&config, a_size),
                                         .b = numbers(&config, b_size),
                                         .a_size = a_size,
                                         .b_size = b_size,
                                         .a_rows = places(m, rows_apart * batch),
                                         .a_cols = places(k, batch),
                                         .b_rows = places(k, n * batch),
                                         .b_cols = places(n, batch),
                                         .c_rows =
                                             sums ? images(m, sums, 1 + below(4), n, batch) : places(m, n * batch),
                                         .c_cols = places(n, batch),
                                         .c = memory(c_size * sizeof(float)),
                                         .sums = sums,
                                         .threads = 1 + (int)below(3)};
    memcpy(args.c, want, c_size * sizeof *want);
    const enum daa_status status = daa_beside_run(&args, &error);
    if (status == DAA_OK)
        compare(&args, want, c_size);
    void *const all[] = {(void *)args.a,
                         (void *)args.b,
                         (void *)args.a_rows,
                         (void *)args.a_cols,
                         (void *)args.b_rows,
                         (void *)args.b_cols,
                         (void *)args.c_rows,
                         (void *)args.c_cols,
                         args.c,
                         want};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
    return status == DAA_OK;
}

int main(int argc, char **argv) {
    int done = 0;
    if (argc == 3 && strcmp(argv[1], "--seed") == 0)
        seed = strtoull(argv[2], NULL, 10);
    else if (argc != 1) {
        fprintf(stderr, "check-beside: '%s' is not understood; check-beside [--seed N]\n", argv[1]);
        return 2;
    }
    random_state = seed;
    if (!daa_engine_present(DAA_ENGINE_AVX2)) {
        printf("check-beside: this processor does not have it\n");
        return 0;
    }
    for (int i = 0; i < CASES; i++)
        done += one_case();
    printf("check-beside: %zu results of %d cases as the golden model has them, %d others left to it, seed %" PRIu64
           "\n",
           results, done, CASES - done, seed);
    return 0;
}
