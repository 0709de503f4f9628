/* NumPy's .npy files, as far as a matrix goes: two dimensions, float16/32/64 or uint8/16/32. */
#ifndef DAA_NPY_H
#define DAA_NPY_H

#include <stdint.h>
#include <stdio.h>

#include "../config/config.h"

enum daa_npy_type { DAA_NPY_F2, DAA_NPY_F4, DAA_NPY_F8, DAA_NPY_U1, DAA_NPY_U2, DAA_NPY_U4 };

/* The elements stay as the file has them; daa_npy_real() and daa_npy_bits() know their order. */
struct daa_npy {
    enum daa_npy_type type;
    bool big_endian, fortran_order;
    size_t rows, cols;
    unsigned char *data;
};

/* Reads the whole file, or a pipe to its end. On true the caller frees with daa_npy_free(). */
bool daa_npy_read(const char *path, struct daa_npy *npy, struct daa_error *error);
void daa_npy_free(struct daa_npy *npy);

bool daa_npy_is_real(enum daa_npy_type type);
size_t daa_npy_size(enum daa_npy_type type); /* bytes of one element */
/* Element (row, col) of a float file (exact) and of an unsigned one. */
double daa_npy_real(const struct daa_npy *npy, size_t row, size_t col);
uint32_t daa_npy_bits(const struct daa_npy *npy, size_t row, size_t col);

/* Writes a rows x cols matrix of VALUES, row-major: F4, U1, U2 or U4; an F4 element is the bits of a float32.
 * False: errno says why. */
bool daa_npy_write(FILE *file, enum daa_npy_type type, size_t rows, size_t cols, const uint32_t *values);

#endif
