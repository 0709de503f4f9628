/* A whole GEMM on the golden model: every operand is decoded once per block, then the steps run down K. */
#include <stdio.h>
#include <stdlib.h>

#include "golden.h"

struct source {
    const char *name;
    struct daa_format format;
    size_t rows, cols, stride;
    const uint32_t *bits;
};

static bool fail_element(struct daa_error *error, const struct source *m, size_t row, size_t col, const char *why) {
    char name[DAA_FORMAT_NAME_MAX];
    daa_format_name(m->format, name);
    return daa_fail(error, "%s[%zu][%zu] is 0x%x, %s %s", m->name, row, col, m->bits[row * m->stride + col], why, name);
}

static bool check(const struct source *m, bool specials, struct daa_error *error) {
    int width = daa_format_width(m->format);
    for (size_t row = 0; row < m->rows; row++) {
        for (size_t col = 0; col < m->cols; col++) {
            uint32_t bits = m->bits[row * m->stride + col];
            if (width < 32 && bits >> width)
                return fail_element(error, m, row, col, "which has more bits than");
            enum daa_class class = daa_number_read(m->format, bits).kind;
            if (!specials && class == DAA_CLASS_NAN)
                return fail_element(error, m, row, col, "a NaN, which needs specials on:");
            if (!specials && class == DAA_CLASS_INF)
                return fail_element(error, m, row, col, "an Inf, which needs specials on:");
        }
    }
    return true;
}

/* Element (row, col) of the result, from K decoded operands of a row of A and a column of B. */
static uint32_t dot(const struct daa_config *config, size_t k, const struct daa_operand *a, const struct daa_operand *b,
                    uint32_t c0, struct daa_tally *tally) {
    size_t streams = (size_t)config->streams;
    struct daa_acc acc = daa_acc_start(config, c0);
    for (size_t at = 0; at < k; at += streams) {
        size_t count = k - at < streams ? k - at : streams;
        acc = daa_accumulate(config, acc, daa_sum_step(config, at / streams, (int)count, a + at, b + at, tally));
    }
    return daa_acc_out(config, acc);
}

bool daa_gemm(const struct daa_config *config, size_t m, size_t n, size_t k, const uint32_t *a, size_t lda,
              const uint32_t *b, size_t ldb, const uint32_t *c0, size_t ldc0, uint32_t *c, size_t ldc,
              struct daa_counts *counts, struct daa_error *error) {
    enum { BLOCK = 1 << 18 }; /* operands of A decoded at a time, about: 2 MB */
    struct daa_error why;
    if (!config || !daa_config_check(config, DAA_SOFTWARE, &why))
        return daa_fail(error, "the configuration is not one that daa_options_resolve() makes: %.400s",
                        config ? why.text : "it is NULL");
    const struct source sources[] = {
        {"A", config->a_format, k ? m : 0, k, lda, a},
        {"B", config->b_format, n ? k : 0, n, ldb, b},
        {"C0", config->acc_format, c0 && n ? m : 0, n, ldc0, c0},
    };
    if ((m && k && !a) || (k && n && !b) || (m && n && !c))
        return daa_fail(error, "A, B or C has no data; its pointer must not be NULL");
    for (size_t i = 0; i < 3; i++)
        if (!check(&sources[i], config->specials, error))
            return false;
    if (m == 0 || n == 0)
        return true;
    size_t block = k ? BLOCK / k + 1 : m;
    block = block < m ? block : m;
    if (k > SIZE_MAX / sizeof(struct daa_operand) / (block + 1)) {
        return daa_fail(error, "K is %zu, more than memory can hold; give a smaller K", k);
    }
    struct daa_operand *a_block = malloc((block + 1) * k * sizeof *a_block + 1); /* + 1: K may be 0 */
    if (!a_block) {
        return daa_fail(error, "out of memory for %zu operands; give a smaller K", (block + 1) * k);
    }
    struct daa_operand *b_column = a_block + block * k;
    struct daa_tally tally = {0};
    for (size_t first = 0; first < m; first += block) {
        size_t rows = m - first < block ? m - first : block;
        for (size_t row = 0; row < rows; row++)
            for (size_t i = 0; i < k; i++)
                a_block[row * k + i] = daa_decode(config, config->a_format, a[(first + row) * lda + i]);
        for (size_t col = 0; col < n; col++) {
            for (size_t i = 0; i < k; i++)
                b_column[i] = daa_decode(config, config->b_format, b[i * ldb + col]);
            for (size_t row = 0; row < rows; row++)
                c[(first + row) * ldc + col] =
                    dot(config, k, a_block + row * k, b_column, c0 ? c0[(first + row) * ldc0 + col] : 0, &tally);
        }
    }
    free(a_block);
    if (counts)
        daa_tally_add(&tally, counts);
    return true;
}
