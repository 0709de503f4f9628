/* A GEMM whose accumulator CPFloat rounds after every step, for rivals.py. */
#include <cpfloat.h>
#include <stddef.h>
#include <string.h>

enum { COLUMNS = 512 }; /* at a time: what is rounded stays in the first cache */

static optstruct *target(int precision) {
    optstruct *options = init_optstruct();
    options->precision = (cpfloat_precision_t)precision;
    options->emin = -126;
    options->emax = 127;
    options->subnormal = CPFLOAT_SUBN_USE;
    options->round = CPFLOAT_RND_NE;
    options->flip = CPFLOAT_SOFTERR_NO;
    options->explim = CPFLOAT_EXPRANGE_TARG;
    return options;
}

/* fp32 accumulation, kept in doubles: they hold a product of bf16 operands exactly, and a sum closely enough. */
void rival_fp32(size_t m, size_t n, size_t k, const float *a, const float *b, float *c) {
    optstruct *fp32 = target(24);
    double sum[COLUMNS];
    for (size_t first = 0; first < n; first += COLUMNS) {
        size_t count = n - first < COLUMNS ? n - first : COLUMNS;
        for (size_t i = 0; i < m; i++) {
            memset(sum, 0, sizeof sum);
            for (size_t step = 0; step < k; step++) {
                double left = (double)a[i * k + step];
                const float *right = b + step * n + first;
                for (size_t j = 0; j < count; j++)
                    sum[j] += left * (double)right[j];
                cpfloat(sum, sum, count, fp32);
            }
            for (size_t j = 0; j < count; j++)
                c[i * n + first + j] = (float)sum[j];
        }
    }
    free_optstruct(fp32);
}

/* bf16 accumulation, kept in floats. */
void rival_bf16(size_t m, size_t n, size_t k, const float *a, const float *b, float *c) {
    optstruct *bf16 = target(8);
    for (size_t first = 0; first < n; first += COLUMNS) {
        size_t count = n - first < COLUMNS ? n - first : COLUMNS;
        for (size_t i = 0; i < m; i++) {
            float *sum = c + i * n + first;
            memset(sum, 0, count * sizeof *sum);
            for (size_t step = 0; step < k; step++) {
                float left = a[i * k + step];
                const float *right = b + step * n + first;
                for (size_t j = 0; j < count; j++)
                    sum[j] += left * right[j];
                cpfloatf(sum, sum, count, bf16);
            }
        }
    }
    free_optstruct(bf16);
}
