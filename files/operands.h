/* The operands of one GEMM, C = A B (+ C0), from their files and checked against each other. */
#ifndef DAA_OPERANDS_H
#define DAA_OPERANDS_H

#include "../sim/tiles.h"
#include "matrix.h"

/* A is m x k, B k x n, C0 m x n; without C0 its bits are NULL. */
struct daa_operands {
    struct daa_matrix a, b, c0;
};

/* Loads A and B in the configuration's operand formats and C0, where C0_PATH is not NULL, in the accumulator's. False
 * and an error: a file that daa_matrix_load() refuses, shapes that do not fit together, or a product too large for
 * memory. In either case the caller frees with daa_operands_free(). */
bool daa_operands_load(const struct daa_config *config, const char *a_path, const char *b_path, const char *c0_path,
                       struct daa_operands *operands, struct daa_error *error);
void daa_operands_free(struct daa_operands *operands);

/* The same as a GEMM on raw bits, which points into OPERANDS. */
struct gemm daa_operands_gemm(const struct daa_operands *operands);

#endif
