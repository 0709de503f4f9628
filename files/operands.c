#include "operands.h"

static bool fit(const struct daa_operands *operands, bool with_c0, struct daa_error *error) {
    const struct daa_matrix *a = &operands->a, *b = &operands->b, *c0 = &operands->c0;
    if (a->cols != b->rows)
        return daa_fail(error, "A is %zu x %zu and B is %zu x %zu; B must have %zu rows, as many as A has columns",
                        a->rows, a->cols, b->rows, b->cols, a->cols);
    if (b->cols && a->rows > SIZE_MAX / 16 / b->cols)
        return daa_fail(error, "A is %zu x %zu and B is %zu x %zu; the result must fit in memory", a->rows, a->cols,
                        b->rows, b->cols);
    if (with_c0 && (c0->rows != a->rows || c0->cols != b->cols))
        return daa_fail(error, "C0 is %zu x %zu; it must be %zu x %zu, as A B is", c0->rows, c0->cols, a->rows,
                        b->cols);
    return true;
}

bool daa_operands_load(const struct daa_config *config, const char *a_path, const char *b_path, const char *c0_path,
                       struct daa_operands *operands, struct daa_error *error) {
    *operands = (struct daa_operands){0};
    return daa_matrix_load(a_path, config->a_format, config->specials, &operands->a, error) &&
           daa_matrix_load(b_path, config->b_format, config->specials, &operands->b, error) &&
           (!c0_path || daa_matrix_load(c0_path, config->acc_format, config->specials, &operands->c0, error)) &&
           fit(operands, c0_path != NULL, error);
}

void daa_operands_free(struct daa_operands *operands) {
    daa_matrix_free(&operands->a);
    daa_matrix_free(&operands->b);
    daa_matrix_free(&operands->c0);
}

struct gemm daa_operands_gemm(const struct daa_operands *operands) {
    const struct daa_matrix *a = &operands->a, *b = &operands->b;
    return (struct gemm){
        .m = a->rows,
        .n = b->cols,
        .k = a->cols,
        .a = a->bits,
        .b = b->bits,
        .c0 = operands->c0.bits,
        .lda = a->cols,
        .ldb = b->cols,
        .ldc0 = b->cols,
    };
}
