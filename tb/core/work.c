#include "work.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t filling = 0xa5;

/* A matrix of a job: COUNT of ROWS x COLS elements of BYTES. */
struct lie {
    const struct layout *layout;
    size_t rows, cols, count, bytes, leading, stride;
};

static struct lie lie_of(const struct layout *layout, size_t rows, size_t cols, size_t count, size_t bytes) {
    struct lie lie = {layout, rows, cols, count, bytes, 0, 0};
    const size_t lines = layout->columns ? cols : rows, line = (layout->columns ? rows : cols) + layout->pad;
    if (layout->side) {
        lie.stride = line * bytes;
        lie.leading = (line * count + layout->gap) * bytes;
    } else {
        lie.leading = line * bytes;
        lie.stride = (line * lines + layout->gap) * bytes;
    }
    return lie;
}

static size_t place(const struct lie *lie, size_t matrix, size_t row, size_t col) {
    const size_t line = lie->layout->columns ? col : row, at = lie->layout->columns ? row : col;
    return matrix * lie->stride + line * lie->leading + at * lie->bytes;
}

static size_t size_of(const struct lie *lie) {
    if (lie->rows == 0 || lie->cols == 0)
        return 0;
    return place(lie, lie->count - 1, lie->rows - 1, lie->cols - 1) + lie->bytes;
}

static bool new_bytes(struct work_bytes *bytes, const struct lie *lie) {
    bytes->size = size_of(lie);
    bytes->data = malloc(bytes->size + 1);
    bytes->used = calloc(bytes->size + 1, 1);
    if (bytes->data)
        memset(bytes->data, filling, bytes->size);
    return bytes->data && bytes->used;
}

static void put(struct work_bytes *bytes, const struct lie *lie, const uint32_t *bits) {
    for (size_t p = 0; p < lie->count; p++)
        for (size_t row = 0; row < lie->rows; row++)
            for (size_t col = 0; col < lie->cols; col++) {
                const size_t at = place(lie, p, row, col);
                memset(bytes->used + at, 1, lie->bytes);
                if (bits)
                    memcpy(bytes->data + at, &bits[(p * lie->rows + row) * lie->cols + col], lie->bytes);
            }
}

static struct daa_core_matrix matrix_of(const struct lie *lie, enum daa_core_kind other) {
    return (struct daa_core_matrix){.address = lie->layout->address,
                                    .leading = (uint32_t)lie->leading,
                                    .stride = (uint32_t)lie->stride,
                                    .order = lie->layout->columns ? DAA_CORE_COLUMN_MAJOR : DAA_CORE_ROW_MAJOR,
                                    .kind = lie->layout->other ? other : DAA_CORE_NATIVE};
}

struct daa_format work_format(const struct daa_config *config, const struct work *work) {
    return work->c_layout.other ? config->a_format : config->out_format;
}

struct lies {
    struct lie a, b, c0, c;
};

static struct lies lies_of(const struct daa_config *config, const struct work *work) {
    const size_t a = work->a_layout.other ? 4 : (size_t)daa_container(config->a_format);
    const size_t b = work->b_layout.other ? 4 : (size_t)daa_container(config->b_format);
    const size_t c0 = (size_t)daa_container(work->c0_layout.other ? config->a_format : config->acc_format);
    return (struct lies){
        lie_of(&work->a_layout, work->m, work->k, work->batch, a),
        lie_of(&work->b_layout, work->k, work->n, work->batch, b),
        lie_of(&work->c0_layout, work->m, work->n, work->batch, c0),
        lie_of(&work->c_layout, work->m, work->n, work->batch, (size_t)daa_container(work_format(config, work)))};
}

bool work_image_new(struct work_image *image, const struct daa_config *config, const struct work *work,
                    struct daa_error *error) {
    const struct lies lies = lies_of(config, work);
    *image = (struct work_image){.job = {.m = (uint32_t)work->m,
                                         .n = (uint32_t)work->n,
                                         .k = (uint32_t)work->k,
                                         .batch = (uint32_t)work->batch,
                                         .a = matrix_of(&lies.a, DAA_CORE_FLOAT32),
                                         .b = matrix_of(&lies.b, DAA_CORE_FLOAT32),
                                         .c0 = matrix_of(work->in_place ? &lies.c : &lies.c0, DAA_CORE_OPERAND),
                                         .c = matrix_of(&lies.c, DAA_CORE_OPERAND),
                                         .has_c0 = work->c0 != NULL}};
    const bool apart = work->c0 && !work->in_place;
    if (!new_bytes(&image->a, &lies.a) || !new_bytes(&image->b, &lies.b) || !new_bytes(&image->c, &lies.c) ||
        (apart && !new_bytes(&image->c0, &lies.c0))) {
        work_image_free(image);
        return daa_fail(error, "out of memory; the matrices are too large for this machine");
    }
    put(&image->a, &lies.a, work->a);
    put(&image->b, &lies.b, work->b);
    put(&image->c, &lies.c, work->in_place ? work->c0 : NULL);
    if (apart)
        put(&image->c0, &lies.c0, work->c0);
    return true;
}

static void free_bytes(struct work_bytes *bytes) {
    free(bytes->data);
    free(bytes->used);
}

void work_image_free(struct work_image *image) {
    free_bytes(&image->a);
    free_bytes(&image->b);
    free_bytes(&image->c0);
    free_bytes(&image->c);
    *image = (struct work_image){.job = image->job};
}

static bool map(struct memory *memory, const struct daa_core_matrix *matrix, struct work_bytes *bytes, bool writable) {
    return bytes->size == 0 || memory_map(memory, matrix->address, bytes->size, bytes->data, writable);
}

bool work_image_map(struct work_image *image, struct memory *memory) {
    return map(memory, &image->job.c, &image->c, true) && map(memory, &image->job.a, &image->a, false) &&
           map(memory, &image->job.b, &image->b, false) && map(memory, &image->job.c0, &image->c0, false);
}

void work_image_results(const struct work_image *image, const struct daa_config *config, const struct work *work,
                        uint32_t *c) {
    const struct lies lies = lies_of(config, work);
    for (size_t p = 0; p < work->batch; p++)
        for (size_t row = 0; row < work->m; row++)
            for (size_t col = 0; col < work->n; col++, c++) {
                *c = 0;
                memcpy(c, image->c.data + place(&lies.c, p, row, col), lies.c.bytes);
            }
}

bool work_image_clean(const struct work_image *image) {
    for (size_t i = 0; i < image->c.size; i++)
        if (!image->c.used[i] && image->c.data[i] != filling)
            return false;
    return true;
}

static struct daa_cycles_matrix cycles_matrix(const struct daa_core_matrix *matrix, int native, int a, bool along) {
    const int bytes = matrix->kind == DAA_CORE_FLOAT32 ? 4 : matrix->kind == DAA_CORE_OPERAND ? a : native;
    return (struct daa_cycles_matrix){matrix->address, matrix->leading, matrix->stride, (uint32_t)bytes, along};
}

struct daa_cycles_job work_cycles(const struct work_image *image, const struct daa_config *config) {
    const struct daa_core_job *job = &image->job;
    const int a = daa_container(config->a_format), b = daa_container(config->b_format);
    return (struct daa_cycles_job){
        .m = job->m,
        .n = job->n,
        .k = job->k,
        .batch = job->batch,
        .a = cycles_matrix(&job->a, a, a, job->a.order == DAA_CORE_ROW_MAJOR),
        .b = cycles_matrix(&job->b, b, a, job->b.order == DAA_CORE_COLUMN_MAJOR),
        .c0 = cycles_matrix(&job->c0, daa_container(config->acc_format), a, false),
        .c = cycles_matrix(&job->c, daa_container(config->out_format), a, false),
        .has_c0 = job->has_c0,
    };
}

/* ---- the golden model ---- */

static double float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* COUNT numbers as the array takes them; a source in another format is converted as the core does it. */
static uint32_t *taken(const uint32_t *bits, size_t count, bool from_float, struct daa_format from,
                       struct daa_format to) {
    uint32_t *result = malloc((count ? count : 1) * sizeof *result);
    for (size_t i = 0; result && i < count; i++)
        (void)daa_from_double(to, from_float ? float_of(bits[i]) : daa_to_double(from, bits[i]), &result[i]);
    return result;
}

static bool multiply(const struct daa_config *config, const struct work *work, const uint32_t *a, const uint32_t *b,
                     const uint32_t *c0, uint32_t *c, struct daa_counts *counts, struct daa_error *error) {
    const size_t m = work->m, n = work->n, k = work->k;
    for (size_t p = 0; p < work->batch; p++)
        if (!daa_gemm(config, m, n, k, a + p * m * k, k, b + p * k * n, n, c0 ? c0 + p * m * n : NULL, n, c + p * m * n,
                      n, counts, error))
            return false;
    return true;
}

bool work_golden(const struct daa_config *config, const struct work *work, uint32_t *c, struct daa_counts *counts,
                 struct daa_error *error) {
    const size_t results = work->batch * work->m * work->n;
    uint32_t *a = NULL, *b = NULL, *c0 = NULL;
    bool good = true;
    if (work->a_layout.other)
        good &= (a = taken(work->a, work->batch * work->m * work->k, true, config->a_format, config->a_format)) != NULL;
    if (work->b_layout.other)
        good &= (b = taken(work->b, work->batch * work->k * work->n, true, config->b_format, config->b_format)) != NULL;
    if (work->c0 && work->c0_layout.other)
        good &= (c0 = taken(work->c0, results, false, config->a_format, config->acc_format)) != NULL;
    good = good ? multiply(config, work, a ? a : work->a, b ? b : work->b, c0 ? c0 : work->c0, c, counts, error)
                : daa_fail(error, "out of memory");
    for (size_t i = 0; good && work->c_layout.other && i < results; i++)
        (void)daa_from_double(config->a_format, daa_to_double(config->out_format, c[i]), &c[i]);
    free(a);
    free(b);
    free(c0);
    return good;
}
