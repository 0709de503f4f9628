/* A GEMM cut to the array's size: tiles of Rows x Cols in row-major order, ceil(K / S) steps each, and every word that
 * the array's ports take or give (docs/architecture.md, "The array's ports"). */
#ifndef DAA_TILES_H
#define DAA_TILES_H

#include "daa.h"

/* C = A B + C0 on raw bits, row-major; c0 is NULL for +0. */
struct gemm {
    size_t m, n, k;
    const uint32_t *a, *b, *c0;
    size_t lda, ldb, ldc0;
};

struct tiles {
    const struct daa_config *config;
    const struct gemm *gemm;
    size_t down, across;                        /* tiles in a column and in a row of C */
    size_t count;                               /* down * across */
    size_t steps;                               /* of one tile; at least one: K = 0 is a step of zeros */
    size_t a_bytes, b_bytes, c0_bytes, c_bytes; /* of one word of each port */
    int a_width, b_width, acc_width, out_width;
};

/* The longest word of any configuration, in bytes. */
enum { TILES_WORD_MAX = DAA_SIDE_MAX * DAA_STREAMS_MAX * 4 };

/* CONFIG and GEMM must outlive TILES. */
void tiles_init(struct tiles *tiles, const struct daa_config *config, const struct gemm *gemm);

/* Rows, columns and streams past the matrices' edges are zeros. */
void tiles_a(const struct tiles *tiles, size_t tile, size_t step, uint8_t *word);
void tiles_b(const struct tiles *tiles, size_t tile, size_t step, uint8_t *word);
void tiles_c0(const struct tiles *tiles, size_t tile, size_t row, uint8_t *word);
/* Puts a row of results where it belongs in the m x n matrix C. */
void tiles_store(const struct tiles *tiles, size_t tile, size_t row, const uint8_t *word, uint32_t *c);

/* The tile that makes element (row, col), and that tile as a GEMM of its own with the first K of the inner dimension.
 */
size_t tiles_of(const struct tiles *tiles, size_t row, size_t col);
struct gemm tiles_alone(const struct tiles *tiles, size_t tile, size_t k);

#endif
