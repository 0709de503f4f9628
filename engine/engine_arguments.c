#include <math.h>

#include "engine_arguments.h"

#include "../sim/number.h"
#include "engine_element.h"

/* ---- sizes, pointers ---- */

static bool check_shape(const char *name, const struct daa_gemm_matrix *m, size_t rows, size_t cols, size_t batch,
                        struct daa_error *error) {
    size_t lines = m->transposed ? cols : rows, line = m->transposed ? rows : cols;
    if (batch == 0 || lines == 0 || line == 0)
        return true;
    if (!m->data)
        return daa_fail(error, "%s has no data; its pointer must not be NULL", name);
    if ((unsigned)m->type > DAA_BITS16)
        return daa_fail(error, "the type of %s is %d; it must be DAA_FLOAT32, DAA_BITS32 or DAA_BITS16", name,
                        (int)m->type);
    if (m->ld < line)
        return daa_fail(error, "the leading dimension of %s is %zu; it must be at least %zu", name, m->ld, line);
    if ((uintptr_t)m->data % type_size(m->type))
        return daa_fail(error,
                        "the data of %s is not aligned; it must be at a multiple of %zu bytes, its element's size",
                        name, type_size(m->type));
    const size_t most = SIZE_MAX / 8;
    if (lines > most / m->ld || (m->stride && batch > most / m->stride))
        return daa_fail(error, "%s is %zu x %zu; it must fit in memory", name, rows, cols);
    return true;
}

/* ---- overlap ---- */

/* The bytes of a batch of matrices: lines of one LENGTH, PITCH apart. */
struct region {
    uintptr_t start;
    size_t batch, stride, lines, pitch, length;
    size_t span; /* from the first byte of a matrix to its last */
};

static struct region region_of(const struct daa_gemm_matrix *m, size_t rows, size_t cols, size_t batch) {
    const size_t size = type_size(m->type), lines = m->transposed ? cols : rows, line = m->transposed ? rows : cols;
    const bool none = !m->data || batch == 0 || lines == 0 || line == 0;
    return (struct region){
        .start = (uintptr_t)m->data,
        .batch = none        ? 0
                 : m->stride ? batch
                             : 1,
        .stride = m->stride * size,
        .lines = lines,
        .pitch = m->ld * size,
        .length = line * size,
        .span = none ? 0 : ((lines - 1) * m->ld + line) * size,
    };
}

/* The first of the pieces LENGTH long that begin at START, START + PITCH, ... and end behind POINT. */
static size_t first_behind(uintptr_t point, uintptr_t start, size_t length, size_t pitch) {
    return point < start + length || pitch == 0 ? 0 : (point - start - length) / pitch + 1;
}

static bool matrices_meet(const struct region *r, uintptr_t r_start, const struct region *s, uintptr_t s_start) {
    for (size_t i = 0; i < r->lines; i++) {
        const uintptr_t begin = r_start + i * r->pitch, end = begin + r->length;
        const size_t j = first_behind(begin, s_start, s->length, s->pitch);
        if (j < s->lines && s_start + j * s->pitch < end)
            return true;
    }
    return false;
}

/* Has one of them a byte of the other? Columns of one buffer that lie side by side do not. */
static bool meet(const struct region *r, const struct region *s) {
    for (size_t x = 0; x < r->batch; x++) {
        const uintptr_t begin = r->start + x * r->stride, end = begin + r->span;
        for (size_t y = first_behind(begin, s->start, s->span, s->stride); y < s->batch; y++) {
            const uintptr_t other = s->start + y * s->stride;
            if (other >= end)
                break;
            if (matrices_meet(r, begin, s, other))
                return true;
        }
    }
    return false;
}

static bool check_overlap(const struct daa_gemm_args *args, const struct daa_gemm_matrix *result,
                          struct daa_error *error) {
    const struct daa_gemm_matrix *c0 = &args->c0;
    const struct region a = region_of(&args->a, args->m, args->k, args->batch),
                        b = region_of(&args->b, args->k, args->n, args->batch),
                        c = region_of(result, args->m, args->n, args->batch),
                        start = region_of(c0, args->m, args->n, args->batch);
    const bool same = c0->data == result->data && (c0->ld == result->ld || args->m < 2) &&
                      (c0->stride == result->stride || args->batch < 2);
    if (meet(&c, &a) || meet(&c, &b))
        return daa_fail(error, "C overlaps %s; it must have memory of its own", meet(&c, &a) ? "A" : "B");
    if (!same && meet(&c, &start))
        return daa_fail(error,
                        "C overlaps C0 and is not the same matrix; it must be C0 itself, or have memory of its own");
    return true;
}

/* ---- all arguments ---- */

static bool check_sizes(const struct daa_gemm_args *args, const struct daa_gemm_matrix *result,
                        struct daa_error *error) {
    if (!check_shape("A", &args->a, args->m, args->k, args->batch, error) ||
        !check_shape("B", &args->b, args->k, args->n, args->batch, error) ||
        !check_shape("C", result, args->m, args->n, args->batch, error) ||
        (args->c0.data && !check_shape("C0", &args->c0, args->m, args->n, args->batch, error)))
        return false;
    if (args->c0.data && (args->c0.transposed || args->c0.type == DAA_BITS16))
        return daa_fail(error, "C0 must be DAA_FLOAT32 or DAA_BITS32, and not transposed");
    if (result->type == DAA_BITS16)
        return daa_fail(error, "C must be DAA_FLOAT32 or DAA_BITS32");
    bool apart = result->stride >= args->m * result->ld || args->m == 0 || args->n == 0 || args->batch < 2;
    return apart || daa_fail(error, "the stride of C is %zu; it must be at least %zu, so that results do not overlap",
                             result->stride, args->m * result->ld);
}

bool daa_check_arguments(const struct daa_gemm_args *args, struct daa_error *error) {
    struct daa_error why;
    if (!args)
        return daa_fail(error, "there are no arguments; their pointer must not be NULL");
    const struct daa_gemm_matrix result = {args->c.data, args->c.type, false, args->c.ld, args->c.stride};
    if (!args->config)
        return daa_fail(error, "there is no configuration; its pointer must not be NULL");
    if (!daa_config_check(args->config, DAA_SOFTWARE, &why))
        return daa_fail(error, "the configuration is not one that daa_options_resolve() makes: %.400s", why.text);
    if ((unsigned)args->engine >= DAA_ENGINE_COUNT)
        return daa_fail(error, "the engine is %d; it must be one of enum daa_engine", (int)args->engine);
    if (args->threads < 0 || args->threads > DAA_THREADS_MAX)
        return daa_fail(error, "threads is %d; it must be 0 to %d", args->threads, DAA_THREADS_MAX);
    return check_sizes(args, &result, error) && check_overlap(args, &result, error);
}

/* ---- data ---- */

/* Only what can be refused is read: raw bits wider than the format, NaN in a finite one, Inf and NaN without specials.
 */
static bool check_data(const char *name, const struct daa_gemm_matrix *m, struct daa_format format, size_t rows,
                       size_t cols, size_t batch, bool specials, struct daa_error *error) {
    const int width = daa_format_width(format);
    const bool raw = m->type != DAA_FLOAT32, wide = raw && width < (m->type == DAA_BITS16 ? 16 : 32);
    const bool no_nan = !raw && format.encoding == DAA_FINITE;
    const float safe = ldexpf(1, daa_format_exp_max(format)); /* a float below it is a finite number */
    if (!m->data || (specials && !wide && !no_nan))
        return true;
    for (size_t x = 0; x < (m->stride ? batch : 1); x++) {
        for (size_t row = 0; row < rows; row++) {
            for (size_t col = 0; col < cols; col++) {
                const size_t index = x * m->stride + index_of(m, row, col);
                uint32_t bits = 0;
                if (no_nan && ((const float *)m->data)[index] != ((const float *)m->data)[index])
                    return daa_fail(error, "%s[%zu][%zu] is NaN, and its format has none; remove it", name, row, col);
                if (no_nan || (!raw && fabsf(((const float *)m->data)[index]) < safe))
                    continue;
                bits = element(format, m->type, m->data, index);
                if (wide && bits >> width)
                    return daa_fail(error, "%s[%zu][%zu] is 0x%x; it must have no more than %d bits", name, row, col,
                                    bits, width);
                enum daa_class class = daa_number_read(format, bits).kind;
                if (!specials && class >= DAA_CLASS_INF)
                    return daa_fail(error, "%s[%zu][%zu] is %s, which needs specials on", name, row, col,
                                    class == DAA_CLASS_INF ? "an Inf" : "a NaN");
            }
        }
    }
    return true;
}

bool daa_check_data(const struct daa_gemm_args *args, struct daa_error *error) {
    const struct daa_config *config = args->config;
    const bool specials = config->specials;
    return check_data("A", &args->a, config->a_format, args->m, args->k, args->batch, specials, error) &&
           check_data("B", &args->b, config->b_format, args->k, args->n, args->batch, specials, error) &&
           check_data("C0", &args->c0, config->acc_format, args->m, args->n, args->batch, specials, error);
}
