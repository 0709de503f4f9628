#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <stdlib.h>
#include <time.h>

/* Rows of C between two looks at STOP: some tenths of a second. */
static size_t rows_at_once(const struct gemm *gemm) {
    const size_t products = (gemm->n ? gemm->n : 1) * (gemm->k ? gemm->k : 1);
    const size_t rows = ((size_t)1 << 22) / products;
    return rows ? rows : 1;
}

static void *work(void *context) {
    struct check *check = context;
    const struct gemm *gemm = check->gemm;
    const size_t at_once = rows_at_once(gemm);
    for (size_t row = 0; row < gemm->m && !check->failed; row += at_once) {
        const size_t rows = gemm->m - row < at_once ? gemm->m - row : at_once;
        if (*check->stop)
            check->failed = !daa_fail(&check->error, "interrupted");
        else
            check->failed = !daa_gemm(check->config, rows, gemm->n, gemm->k, gemm->a + row * gemm->lda, gemm->lda,
                                      gemm->b, gemm->ldb, gemm->c0 ? gemm->c0 + row * gemm->ldc0 : NULL, gemm->ldc0,
                                      check->c + row * gemm->n, gemm->n, &check->counts, &check->error);
    }
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    check->seconds = (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
    return NULL;
}

bool check_start(struct check *check, struct daa_error *error) {
    if (pthread_create(&check->thread, NULL, work, check) != 0)
        return daa_fail(error, "no thread for the golden model; free some memory or processes");
    return true;
}

bool check_join(struct check *check, struct daa_error *error) {
    pthread_join(check->thread, NULL);
    if (check->failed)
        *error = check->error;
    return !check->failed;
}

/* The accumulator of element (row, col) after STEPS steps. */
static struct daa_acc accumulator(const struct daa_config *config, const struct gemm *gemm, size_t row, size_t col,
                                  size_t steps) {
    const size_t streams = (size_t)config->streams;
    struct daa_acc acc = daa_acc_start(config, gemm->c0 ? gemm->c0[row * gemm->ldc0 + col] : 0);
    for (size_t t = 0; t < steps; t++) {
        uint32_t a[DAA_STREAMS_MAX] = {0}, b[DAA_STREAMS_MAX] = {0};
        for (size_t s = 0, k = t * streams; s < streams && k < gemm->k; s++, k++) {
            a[s] = gemm->a[row * gemm->lda + k];
            b[s] = gemm->b[k * gemm->ldb + col];
        }
        acc = daa_step(config, t, a, b, acc, NULL);
    }
    return acc;
}

/* One element's tile, run alone. */
struct rerun {
    const struct harness *harness;
    const struct daa_config *config;
    struct tiles tiles;
    struct dut *dut;
    uint32_t *c;
    size_t tile, row, col; /* the element in its tile */
};

static bool differs(struct rerun *rerun, struct parting *parting, size_t steps, bool *differ, struct daa_error *error) {
    const struct gemm *whole = rerun->tiles.gemm;
    const size_t streams = (size_t)rerun->config->streams;
    const size_t k = steps * streams < whole->k ? steps * streams : whole->k;
    const struct gemm alone = tiles_alone(&rerun->tiles, rerun->tile, k);
    struct harness_result result;
    if (!harness_run(rerun->harness, rerun->dut, rerun->config, &alone, rerun->c, &result, error))
        return false;
    const uint32_t got = rerun->c[rerun->row * alone.n + rerun->col];
    const struct daa_acc acc = accumulator(rerun->config, &alone, rerun->row, rerun->col, steps);
    const uint32_t want = daa_acc_out(rerun->config, acc);
    *differ = got != want;
    if (!*differ)
        return true;
    *parting = (struct parting){.found = true, .steps = steps, .got = got, .want = want};
    parting->before = accumulator(rerun->config, &alone, rerun->row, rerun->col, steps ? steps - 1 : 0);
    return true;
}

static bool search(struct rerun *rerun, struct parting *parting, struct daa_error *error) {
    const size_t streams = (size_t)rerun->config->streams, k = rerun->tiles.gemm->k;
    size_t equal = 0, unequal = k / streams + (k % streams != 0);
    bool differ;
    if (!differs(rerun, parting, unequal, &differ, error))
        return false;
    if (!differ)
        return true;
    if (!differs(rerun, parting, 0, &differ, error))
        return false;
    if (differ)
        return true;
    while (unequal - equal > 1) {
        const size_t middle = equal + (unequal - equal) / 2;
        if (!differs(rerun, parting, middle, &differ, error))
            return false;
        *(differ ? &unequal : &equal) = middle;
    }
    return true;
}

bool check_part(const struct harness *harness, const struct daa_config *config, const struct gemm *gemm, size_t row,
                size_t col, struct parting *parting, struct daa_error *error) {
    struct rerun rerun = {
        .harness = harness, .config = config, .row = row % (size_t)config->rows, .col = col % (size_t)config->cols};
    tiles_init(&rerun.tiles, config, gemm);
    rerun.tile = tiles_of(&rerun.tiles, row, col);
    *parting = (struct parting){0};
    rerun.dut = dut_new(NULL);
    rerun.c = malloc((size_t)config->rows * (size_t)config->cols * sizeof *rerun.c);
    const bool ran = rerun.dut && rerun.c ? search(&rerun, parting, error) : daa_fail(error, "out of memory");
    dut_free(rerun.dut);
    free(rerun.c);
    return ran;
}
