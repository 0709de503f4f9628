#include "matrix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../sim/number.h"
#include "npy.h"

struct loading {
    const char *path;
    const struct daa_npy *npy;
    struct daa_format format;
    char format_name[DAA_FORMAT_NAME_MAX];
    bool specials;
    struct daa_matrix *matrix;
    struct daa_error *error;
};

static bool load_bits(struct loading *l, size_t row, size_t col, uint32_t *bits) {
    *bits = daa_npy_bits(l->npy, row, col);
    int width = daa_format_width(l->format);
    if (width >= 32 || *bits >> width == 0)
        return true;
    return daa_fail(l->error, "%.200s: element (%zu, %zu) is 0x%x; raw bits of %s have %d bits", l->path, row, col,
                    *bits, l->format_name, width);
}

static bool load_real(struct loading *l, size_t row, size_t col, uint32_t *bits) {
    switch (daa_from_double(l->format, daa_npy_real(l->npy, row, col), bits)) {
    case DAA_NO_NAN:
        return daa_fail(l->error, "%.200s: element (%zu, %zu) is NaN, which %s does not have; give numbers", l->path,
                        row, col, l->format_name);
    case DAA_OVERFLOWED:
        l->matrix->overflow++;
        break;
    case DAA_UNDERFLOWED:
        l->matrix->underflow++;
        break;
    case DAA_EXACT_OR_ROUNDED:
        break;
    }
    return true;
}

static bool check_special(struct loading *l, size_t row, size_t col, uint32_t bits) {
    enum daa_class class = daa_number_read(l->format, bits).kind;
    if (class < DAA_CLASS_INF)
        return true;
    char given[48];
    if (daa_npy_is_real(l->npy->type))
        snprintf(given, sizeof given, "%.9g", daa_npy_real(l->npy, row, col));
    else
        snprintf(given, sizeof given, "0x%x", bits);
    return daa_fail(l->error,
                    "%.200s: element (%zu, %zu) is %s, %s in %s; with specials off every element must be finite",
                    l->path, row, col, given, class == DAA_CLASS_INF ? "Inf" : "NaN", l->format_name);
}

static bool load_elements(struct loading *l) {
    struct daa_matrix *matrix = l->matrix;
    bool real = daa_npy_is_real(l->npy->type);
    size_t count = matrix->rows * matrix->cols;
    for (size_t i = 0; i < count; i++) {
        size_t row = i / matrix->cols, col = i % matrix->cols;
        if (!(real ? load_real : load_bits)(l, row, col, &matrix->bits[i]))
            return false;
        if (!l->specials && !check_special(l, row, col, matrix->bits[i]))
            return false;
    }
    return true;
}

bool daa_matrix_load(const char *path, struct daa_format format, bool specials, struct daa_matrix *matrix,
                     struct daa_error *error) {
    struct daa_npy npy;
    *matrix = (struct daa_matrix){0};
    if (!daa_npy_read(path, &npy, error))
        return false;
    struct loading l = {path, &npy, format, "", specials, matrix, error};
    daa_format_name(format, l.format_name);
    matrix->rows = npy.rows;
    matrix->cols = npy.cols;
    matrix->bits = malloc(npy.rows * npy.cols * sizeof *matrix->bits + 1); /* + 1: there may be no element */
    bool good = matrix->bits
                    ? load_elements(&l)
                    : daa_fail(error, "%.200s: out of memory for its %zu x %zu elements; give a smaller matrix", path,
                               npy.rows, npy.cols);
    daa_npy_free(&npy);
    if (!good)
        daa_matrix_free(matrix);
    return good;
}

void daa_matrix_free(struct daa_matrix *matrix) {
    free(matrix->bits);
    *matrix = (struct daa_matrix){0};
}

static enum daa_npy_type raw_type(int width) {
    return width <= 8 ? DAA_NPY_U1 : width <= 16 ? DAA_NPY_U2 : DAA_NPY_U4;
}

static void to_float32(struct daa_format format, size_t count, const uint32_t *bits, uint32_t *singles) {
    static const struct daa_format fp32 = {8, 23, DAA_IEEE, true};
    for (size_t i = 0; i < count; i++)
        daa_from_double(fp32, daa_to_double(format, bits[i]), &singles[i]);
}

bool daa_matrix_write(struct daa_output *output, size_t rows, size_t cols, const uint32_t *bits,
                      struct daa_format format, bool raw, struct daa_error *error) {
    bool written;
    if (raw) {
        written = daa_npy_write(output->file, raw_type(daa_format_width(format)), rows, cols, bits);
    } else {
        uint32_t *singles = malloc(rows * cols * sizeof *singles + 1);
        if (!singles)
            return daa_fail(error, "%.200s: out of memory for %zu x %zu results; give smaller matrices", output->path,
                            rows, cols);
        to_float32(format, rows * cols, bits, singles);
        written = daa_npy_write(output->file, DAA_NPY_F4, rows, cols, singles);
        free(singles);
    }
    return written ||
           daa_fail(error, "%.200s: cannot be written (%s); give a path that can", output->path, strerror(errno));
}

bool daa_matrix_save(const char *path, size_t rows, size_t cols, const uint32_t *bits, struct daa_format format,
                     bool raw, struct daa_error *error) {
    struct daa_output output;
    if (!daa_output_open(&output, path, error))
        return false;
    if (daa_matrix_write(&output, rows, cols, bits, format, raw, error))
        return daa_output_commit(&output, error);
    daa_output_abort(&output);
    return false;
}
