/* A matrix as raw bits of a number format, loaded from and saved to .npy files. */
#ifndef DAA_MATRIX_H
#define DAA_MATRIX_H

#include "../sim/daa.h"
#include "output.h"

struct daa_matrix {
    size_t rows, cols;
    uint32_t *bits;               /* rows x cols, row-major */
    uint64_t overflow, underflow; /* elements that rounded past the largest, or lost value below the smallest normal */
};

/* Float files are rounded to FORMAT, unsigned ones are raw bits of it. False and an error that begins with PATH: not a
 * matrix, bits above the format's width, NaN in a finite format, or, unless SPECIALS, the first element that is Inf or
 * NaN in FORMAT. On true the caller frees with daa_matrix_free(). */
bool daa_matrix_load(const char *path, struct daa_format format, bool specials, struct daa_matrix *matrix,
                     struct daa_error *error);
void daa_matrix_free(struct daa_matrix *matrix);

/* Writes ROWS x COLS numbers of FORMAT: as float32, which holds each exactly, or, if RAW, their bits in the narrowest
 * of uint8, uint16 and uint32. */
bool daa_matrix_write(struct daa_output *output, size_t rows, size_t cols, const uint32_t *bits,
                      struct daa_format format, bool raw, struct daa_error *error);
/* The same to a file of its own: daa_output_open(), daa_matrix_write(), daa_output_commit(). */
bool daa_matrix_save(const char *path, size_t rows, size_t cols, const uint32_t *bits, struct daa_format format,
                     bool raw, struct daa_error *error);

#endif
