/* The GEMM call: arguments checked, an engine chosen, blocks of the result shared out among threads. */
#define _DEFAULT_SOURCE /* sysconf */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sim/number.h"
#include "engine_arguments.h"
#include "engine_bits.h"
#include "engine_count.h"
#include "engine_element.h"
#include "engine_fetch.h"
#include "engine_kernel.h"
#include "engine_threads.h"

enum {
    TASK_ROWS = 1024, /* of C that a thread takes at a time, at most */
    TASK_COLS = 256,
    CACHED_WORDS = 1 << 17, /* of a task's packed A in a K block, about: half of a second-level cache */
    STRIP_ROWS = 144,       /* rows of A that are fetched at a time; a transposed A's lines are pages apart */
    GOLDEN_ROWS = 64,
    SMALL_WORK = 1 << 23, /* products of a SIMD kernel that are done not long after another thread has started */
    SMALL_SLOW = 1 << 17, /* and of the other paths */
};

/* ---- elements ---- */

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static const char *at(enum daa_type type, const void *data, size_t index) {
    return (const char *)data + index * type_size(type);
}

/* ---- which engine ---- */

static bool is_format(struct daa_format format, const char *name) {
    struct daa_format wanted;
    return daa_format_parse(name, &wanted) && daa_format_equal(format, wanted);
}

/* Are its numbers, as the contract reads them, bf16's too? Then a product, its key and its low values are the same,
 * since section 2 takes them from normalised numbers: with no more fraction bits, and subnormals that are normal there.
 */
static bool is_bf16(struct daa_format format) {
    return format.frac_bits <= 7 && (format.exp_bits < 8 || !format.subnormals);
}

static bool is_one_of(int value, const int *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (list[i] == value)
            return true;
    return false;
}
#define LISTED(value, ...)                                                                                             \
    is_one_of((int)(value), (const int[]){__VA_ARGS__}, sizeof(const int[]){__VA_ARGS__} / sizeof(int))

/* Are its numbers floats that are not subnormal? */
static bool is_float(struct daa_format format) {
    return format.frac_bits <= 10 && (format.exp_bits < 8 || !format.subnormals);
}

/* What the kernels that take bf16 do not know. */
static bool takes_floats(enum daa_engine engine, const struct daa_config *config) {
    if (engine == DAA_ENGINE_PORTABLE)
        return false;
    if (!is_bf16(config->a_format) || !is_bf16(config->b_format))
        return true;
    if (config->accumulator == DAA_ANCHORED)
        return config->groups != 1 && !(config->streams == 4 && config->policy == DAA_EXPONENT);
    return !is_format(config->acc_format, "fp32") || config->streams == 8 || config->groups != 1;
}

static struct engine_target make_target(struct daa_format format) {
    const float ones = 2 - ldexpf(1, -format.frac_bits);
    return (struct engine_target){
        .is_float = is_format(format, "fp32"),
        .frac_bits = format.frac_bits,
        .normal = ldexpf(1, daa_format_exp_min(format)),
        .largest = ldexpf(ones, daa_format_exp_max(format)),
    };
}

/* NARROWED: the configuration with formats that hold the numbers as the engine has them. */
static struct engine_plan plan_of(bool floats, const struct daa_config *config, struct daa_config *narrowed) {
    const int bits = floats ? 11 : 8;
    struct engine_plan plan = {
        .streams = config->streams,
        .groups = config->groups,
        .winner = config->streams == 1 ? DAA_WINS_EVERY : daa_policy_info(config->policy)->winner,
        .floats = floats,
        .lo_bits = config->lo_bits < bits ? config->lo_bits : bits,
        .lo_round = config->lo_round,
        .window = config->window,
        .frac_bits = config->a_format.frac_bits + config->b_format.frac_bits,
        .target = make_target(config->acc_format),
        .anchored = config->accumulator == DAA_ANCHORED ? narrowed : NULL,
    };
    *narrowed = *config;
    narrowed->a_format = narrowed->b_format = (struct daa_format){8, bits - 1, DAA_IEEE, false};
    return plan;
}

/* An anchored accumulator of sums that no float is has them of operands as floats. */
static struct engine_plan make_plan(enum daa_engine engine, const struct daa_config *config,
                                    struct daa_config *narrowed) {
    const struct engine_plan plan = plan_of(takes_floats(engine, config), config, narrowed);
    const bool wide = plan.anchored && engine != DAA_ENGINE_PORTABLE && !daa_plan_fits_float(&plan);
    return wide ? plan_of(true, config, narrowed) : plan;
}

static const char too_long[] = "the sum of a step is longer than a double's 53 bits and takes the golden model";

static const char *why_not_anchored(enum daa_engine engine, const struct daa_config *config) {
    struct daa_config narrowed;
    const struct engine_plan plan = make_plan(engine, config, &narrowed);
    if (config->acc_bits > 32)
        return "anchored accumulators of more than 32 bits take the golden model";
    if (!daa_plan_fits_double(&plan))
        return too_long;
    if (!LISTED(engine, DAA_ENGINE_AVX2, DAA_ENGINE_AVX512, DAA_ENGINE_AVX512BF16, DAA_ENGINE_AUTO))
        return "the anchored accumulator takes the golden model";
    return NULL;
}

static const char *why_not_rounded(enum daa_engine engine, const struct daa_config *config) {
    struct daa_config narrowed;
    const struct engine_plan plan = make_plan(engine, config, &narrowed);
    if (!LISTED(config->streams, 1, 2, 4, 8))
        return "streams other than 1, 2, 4 and 8 take the golden model";
    if (engine != DAA_ENGINE_PORTABLE)
        return daa_plan_fits_double(&plan) ? NULL : too_long;
    if (!is_bf16(config->a_format) || !is_bf16(config->b_format))
        return "operands of more than 7 fraction bits take the golden model";
    if (!plan.target.is_float)
        return "accumulators other than fp32 take the golden model";
    return config->groups == 1 ? NULL : "groups other than 1 with the rounded accumulator take the golden model";
}

/* What the engines other than the golden model can do, by list, so that what is added to the contract goes to the
 * golden model until it is listed here. NULL: ENGINE can do the configuration. */
static const char *why_not(enum daa_engine engine, const struct daa_config *config) {
    if (engine == DAA_ENGINE_GOLDEN)
        return NULL;
    if (!is_float(config->a_format) || !is_float(config->b_format))
        return "operands with subnormals below a float's take the golden model";
    if (!LISTED(config->accumulator, DAA_ROUNDED, DAA_ANCHORED))
        return "accumulators other than rounded and anchored take the golden model";
    if (!LISTED(config->policy, DAA_EXPONENT, DAA_STATIC, DAA_ROTATE, DAA_HIGH, DAA_LOW))
        return "policies other than exponent, static, rotate, high and low take the golden model";
    return (config->accumulator == DAA_ANCHORED ? why_not_anchored : why_not_rounded)(engine, config);
}

static bool choose(const struct daa_gemm_args *args, struct daa_gemm_report *report, struct daa_error *error) {
    enum daa_engine engine = args->engine;
    report->reason = NULL;
    if (!daa_engine_present(engine))
        return daa_fail(error, "this processor does not have the engine %s; auto takes one that it has",
                        daa_engine_name(engine));
    if (engine == DAA_ENGINE_AUTO)
        for (engine = DAA_ENGINE_AVX512BF16; !daa_engine_present(engine); engine--)
            ;
    for (const char *why; (why = why_not(engine, args->config)) != NULL; report->reason = why)
        engine = engine == DAA_ENGINE_PORTABLE ? DAA_ENGINE_GOLDEN : DAA_ENGINE_PORTABLE;
    struct daa_config narrowed;
    struct engine_plan plan = make_plan(engine, args->config, &narrowed);
    const struct engine_kernel *kernel = daa_kernel(engine, &plan);
    if (kernel && (kernel->exact || daa_plan_takes_doubles(&plan)))
        report->reason =
            plan.anchored || daa_target_fits_float(&plan)
                ? "the sum of a step is longer than a float's 24 bits and takes doubles"
                : "the accumulator is as long as a float's 24 bits and has fewer exponents: it takes doubles";
    report->engine = engine;
    return true;
}

const struct engine_beside_kernel *daa_beside_kernel(const struct daa_config *config, struct engine_plan *plan,
                                                     struct daa_config *narrowed) {
#if defined(__x86_64__)
    static const struct engine_beside_kernel *const kernels[] = {&daa_beside_avx2, &daa_beside_avx512,
                                                                 &daa_beside_avx512bf16};
    for (enum daa_engine engine = DAA_ENGINE_AVX512BF16; engine >= DAA_ENGINE_AVX2; engine--) {
        *plan = make_plan(engine, config, narrowed);
        if (daa_engine_present(engine) && !why_not(engine, config) && !plan->floats && plan->target.is_float &&
            daa_plan_fits_float(plan) && daa_format_equal(config->out_format, config->acc_format))
            return kernels[engine - DAA_ENGINE_AVX2];
    }
#else
    (void)config, (void)plan, (void)narrowed;
#endif
    return NULL;
}

/* ---- the golden model on any layout ---- */

struct copy {
    uint32_t *a, *b, *c0;
};

static void free_copy(struct copy *copy) {
    free(copy->a);
    free(copy->b);
    free(copy->c0);
}

static void copy_matrix(const struct daa_gemm_matrix *m, struct daa_format format, size_t batch, size_t rows,
                        size_t cols, uint32_t *bits) {
    for (size_t row = 0; row < rows; row++)
        for (size_t col = 0; col < cols; col++)
            bits[row * cols + col] = element(format, m->type, m->data, batch * m->stride + index_of(m, row, col));
}

static void write_result(const struct daa_config *config, enum daa_type type, uint32_t bits, void *result) {
    float value;
    if (type == DAA_FLOAT32) {
        value = (float)daa_to_double(config->out_format, bits);
        memcpy(&bits, &value, sizeof bits);
    }
    memcpy(result, &bits, sizeof bits);
}

/* In blocks of rows: the golden model unpacks B once a block. */
static bool golden_rows(const struct daa_gemm_args *args, struct copy *copy, size_t batch, struct daa_error *error) {
    const struct daa_config *config = args->config;
    const struct daa_gemm_result_matrix *c = &args->c;
    for (size_t first = 0; first < args->m; first += GOLDEN_ROWS) {
        const size_t rows = least(GOLDEN_ROWS, args->m - first);
        uint32_t *out = (uint32_t *)c->data + batch * c->stride + first * c->ld;
        for (size_t i = 0; copy->c0 && i < rows * args->n; i++)
            copy->c0[i] = element(config->acc_format, args->c0.type, args->c0.data,
                                  batch * args->c0.stride + (first + i / args->n) * args->c0.ld + i % args->n);
        if (!daa_gemm(config, rows, args->n, args->k, copy->a + first * args->k, args->k, copy->b, args->n, copy->c0,
                      args->n, out, c->ld, args->counts, error))
            return false;
        for (size_t i = 0; i < rows * args->n; i++)
            write_result(config, c->type, out[i / args->n * c->ld + i % args->n],
                         &out[i / args->n * c->ld + i % args->n]);
    }
    return true;
}

static enum daa_status run_golden(const struct daa_gemm_args *args, struct daa_error *error) {
    struct copy copy = {.a = malloc(args->m * args->k * sizeof *copy.a + 1),
                        .b = malloc(args->k * args->n * sizeof *copy.b + 1),
                        .c0 = args->c0.data ? malloc(GOLDEN_ROWS * args->n * sizeof *copy.c0 + 1) : NULL};
    bool good = copy.a && copy.b && (copy.c0 || !args->c0.data);
    if (!good)
        daa_fail(error, "out of memory for %zu x %zu and %zu x %zu operands; give smaller matrices", args->m, args->k,
                 args->k, args->n);
    for (size_t x = 0; good && x < args->batch; x++) {
        copy_matrix(&args->a, args->config->a_format, x, args->m, args->k, copy.a);
        copy_matrix(&args->b, args->config->b_format, x, args->k, args->n, copy.b);
        good = golden_rows(args, &copy, x, error);
    }
    free_copy(&copy);
    return good ? DAA_OK : DAA_NO_MEMORY;
}

/* ---- tasks ---- */

/* A task is a block of C that a thread computes. It goes down K in blocks: of each it packs its rows of A, then one
 * panel of its columns of B after the other, which it uses at once, so that packed operands stay in the caches. */
struct job {
    const struct daa_gemm_args *args;
    struct engine_plan plan;
    struct daa_gemm_matrix a, b; /* m x k and k x n; of args, or exchanged: those of C^T = B^T A^T */
    struct daa_format a_format, b_format;
    size_t m, n;
    bool exchanged;
    const struct engine_kernel *kernel; /* NULL: the exact path, straight from the sources */
    size_t rows, lanes;                 /* of a tile */
    size_t acc_ld;                      /* words from a row of accumulators to the next */
    size_t word_k;                      /* elements of K in a packed step */
    size_t block_k;                     /* elements of K in a block, zeros behind the last one included */
    size_t blocks, a_panels, b_panels;
    size_t a_block, b_block; /* words of one panel's K block */
    size_t table_words;
    size_t task_rows, task_cols; /* in panels */
    size_t row_tasks, col_tasks;
    size_t raw_size; /* bytes of a raw operand */
    bool plain_out;  /* results are written as the engine has them */
    uintptr_t scratch;
    size_t scratch_size;
    atomic_size_t next_task, next_scratch;
};

/* What a thread works in. */
struct scratch {
    float *acc;      /* of a task: a panel's rows of lanes, then the next panel's */
    uint32_t *a;     /* K blocks of a task's rows */
    uint32_t *b;     /* a panel's K block */
    char *a_raw;     /* a strip of rows, raw[row * stride + k] */
    char *b_raw;     /* a panel, raw[k * lanes + lane] */
    uint32_t *table; /* the kernel's own */
    struct engine_range *a_range;
};

/* The block of K that a task is at. */
struct block {
    size_t first, depth;  /* in K */
    size_t steps, stride; /* packed steps, elements of K with the zeros behind the last */
};

static size_t parts(size_t whole, size_t part) {
    return (whole + part - 1) / part;
}

static struct block block_at(const struct job *job, size_t index) {
    const size_t first = index * job->block_k, depth = least(job->block_k, job->args->k - first);
    const size_t steps = parts(depth, job->word_k);
    return (struct block){first, depth, steps, steps * job->word_k};
}

/* COUNT of WHOLE rows of A, or lanes of B, from FIRST on: raw[i * ld + k] or, with K_FIRST, raw[k * ld + i]; zeros
 * around them. */
static void fetch(const struct job *job, const struct daa_gemm_matrix *m, struct daa_format format, size_t batch,
                  struct block block, bool k_first, bool k_stored_last, size_t first, size_t count, size_t whole,
                  void *raw, size_t ld) {
    const struct engine_source source = {m->type,
                                         at(m->type, m->data, batch * m->stride),
                                         m->ld,
                                         format,
                                         job->plan.floats,
                                         daa_make_rounding(format),
                                         job->kernel ? job->kernel->round_floats : daa_round_floats};
    const size_t index = k_stored_last ? first * m->ld + block.first : block.first * m->ld + first;
    const size_t lines = k_stored_last ? count : block.depth, line = k_stored_last ? block.depth : count;
    if (count < whole || block.depth < block.stride)
        memset(raw, 0, whole * block.stride * job->raw_size);
    (k_stored_last == k_first ? daa_fetch_across : daa_fetch_lines)(&source, index, lines, line, raw, ld);
}

static void fetch_a(const struct job *job, size_t batch, struct block block, size_t panel, size_t panels, void *raw) {
    const struct daa_gemm_matrix *a = &job->a;
    const size_t first = panel * job->rows, whole = panels * job->rows;
    fetch(job, a, job->a_format, batch, block, false, !a->transposed, first, least(whole, job->m - first), whole, raw,
          block.stride);
}

static void fetch_b(const struct job *job, size_t batch, struct block block, size_t panel, void *raw) {
    const struct daa_gemm_matrix *b = &job->b;
    const size_t first = panel * job->lanes;
    fetch(job, b, job->b_format, batch, block, true, b->transposed, first, least(job->lanes, job->n - first),
          job->lanes, raw, job->lanes);
}

/* Fields are biased by 127; a product's last bit is FRAC_BITS below its key, or as those of bf16 14, a step's sum less
 * than 5 above it, and a low value may be one exponent above its operand. */
bool daa_in_range(const struct engine_plan *plan, struct engine_range a, struct engine_range b) {
    if (!a.special && !b.special && (a.most == 0 || b.most == 0))
        return true;
    if (plan->anchored) /* and no place at which a sum may stand beyond a float's exponents */
        return !a.special && !b.special && a.least + b.least - 254 >= -98 && a.most + b.most - 254 <= 90 &&
               a.most <= ANCHORED_MOST && b.most <= ANCHORED_MOST;
    const int below = plan->frac_bits > 14 ? plan->frac_bits : 14, above = plan->streams == 8 ? 5 : 4;
    return !a.special && !b.special && a.least + b.least - 254 - below >= -126 &&
           a.most + b.most - 254 + above <= 127 && a.most < 254 && b.most < 254;
}

/* One stream of bf16 needs none of this: there every step is one fused multiply-add. */
static bool in_range(const struct job *job, struct engine_range a, struct engine_range b) {
    if (!job->plan.anchored && ((job->plan.streams == 1 && !job->plan.floats) || job->kernel->exact))
        return true;
    return daa_in_range(&job->plan, a, b);
}

/* Element (row, col) of a task's matrix in one of C's shape. */
static size_t c_index(const struct job *job, size_t batch, size_t stride, size_t ld, size_t row, size_t col) {
    return batch * stride + (job->exchanged ? col * ld + row : row * ld + col);
}

/* A task's place in C, in panels and elements. */
struct place {
    size_t batch, row_panel, row_panels, col_panel, col_panels;
    size_t row, rows, col, cols;
};

static struct place place_of(const struct job *job, size_t task) {
    const size_t tasks = job->row_tasks * job->col_tasks;
    struct place p = {.batch = task / tasks,
                      .row_panel = task % tasks / job->col_tasks * job->task_rows,
                      .col_panel = task % job->col_tasks * job->task_cols};
    p.row_panels = least(job->task_rows, job->a_panels - p.row_panel);
    p.col_panels = least(job->task_cols, job->b_panels - p.col_panel);
    p.row = p.row_panel * job->rows;
    p.col = p.col_panel * job->lanes;
    p.rows = least(p.row_panels * job->rows, job->m - p.row);
    p.cols = least(p.col_panels * job->lanes, job->n - p.col);
    return p;
}

/* The anchored accumulators of the task's panel J, those of no element included. */
static void start_anchored(const struct job *job, const struct place *p, size_t j, uint32_t *acc) {
    const struct daa_gemm_matrix *c0 = &job->args->c0;
    const struct daa_config *config = job->args->config;
    const size_t first = j * job->lanes, cols = least(job->lanes, p->cols - first);
    for (size_t col = 0; col < job->lanes; col++)
        daa_anchored_put(config, 0, acc + col, job->lanes);
    for (size_t row = 1; row < p->row_panels * job->rows; row++)
        memcpy(acc + row * job->acc_ld, acc, job->acc_ld * sizeof *acc);
    for (size_t row = 0; c0->data && row < p->rows; row++)
        for (size_t col = 0; col < cols; col++)
            daa_anchored_put(config,
                             element(config->acc_format, c0->type, c0->data,
                                     c_index(job, p->batch, c0->stride, c0->ld, p->row + row, p->col + first + col)),
                             acc + row * job->acc_ld + col, job->lanes);
}

/* C0 of the task's panel J in another format than a float's. */
static void start_narrow(const struct job *job, const struct place *p, size_t j, float *acc) {
    const struct daa_gemm_matrix *c0 = &job->args->c0;
    struct daa_format format = job->args->config->acc_format;
    format.subnormals = false;
    const struct engine_source source = {
        c0->type, c0->data, c0->ld, format, true, daa_make_rounding(format), job->kernel->round_floats};
    const size_t first = j * job->lanes, cols = least(job->lanes, p->cols - first);
    for (size_t row = 0; c0->data && row < p->rows; row++) {
        for (size_t col = 0; col < cols; col++) {
            const size_t index = c_index(job, p->batch, c0->stride, c0->ld, p->row + row, p->col + first + col);
            uint32_t bits;
            daa_fetch_floats(&source, index, 1, &bits);
            bits = bits & 0x7f800000 ? bits : 0;
            memcpy(&acc[row * job->lanes + col], &bits, sizeof bits);
        }
    }
}

/* C0 of the task's panel J. */
static void start(const struct job *job, const struct place *p, size_t j, float *acc) {
    const struct daa_gemm_matrix *c0 = &job->args->c0;
    const size_t first = j * job->lanes, cols = least(job->lanes, p->cols - first);
    for (size_t row = 0; c0->data && row < p->rows; row++) {
        for (size_t col = 0; col < cols; col++) {
            const size_t index = c_index(job, p->batch, c0->stride, c0->ld, p->row + row, p->col + first + col);
            uint32_t bits = ((const uint32_t *)c0->data)[index];
            bits = bits & 0x7f800000 ? bits : 0;
            memcpy(&acc[row * job->lanes + col], &bits, sizeof bits);
        }
    }
}

static uint32_t result_bits(float acc) {
    uint32_t bits = bits_of_float(acc);
    bits = (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits;
    return bits & 0x7fffffff ? bits : 0;
}

/* A float that is a normal number of FORMAT, +0, an Inf or the NaN, as the format's bits. */
static uint32_t narrow_bits(struct daa_format format, uint32_t word) {
    const uint32_t size = word & 0x7fffffff, sign = word >> 31 << (format.exp_bits + format.frac_bits);
    const uint32_t below =
        size < 0x7f800000 ? (uint32_t)(127 - daa_format_bias(format)) : 256U - (1U << format.exp_bits);
    return size ? sign | (size - (below << 23)) >> (23 - format.frac_bits) : 0;
}

/* COUNT results, next to each other, into the output format where it is not a float's. */
static void convert_line(const struct job *job, size_t count, uint32_t *to) {
    const struct daa_config *config = job->args->config;
    const struct daa_format floats = {8, 23, DAA_IEEE, false};
    if (job->plain_out || job->plan.anchored)
        return;
    if (daa_format_equal(config->out_format, config->acc_format)) {
        for (size_t i = 0; i < count; i++)
            to[i] = narrow_bits(config->out_format, to[i]);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct daa_acc acc = {.number = daa_number_read(floats, to[i])};
        write_result(config, job->args->c.type, daa_acc_out(config, acc), &to[i]);
    }
}

/* Anchored accumulators of the task's panel J, in place of each M its result as it is written. */
static void round_anchored(const struct job *job, const struct place *p, size_t j, uint32_t *acc) {
    const struct daa_config *config = job->args->config;
    const size_t cols = least(job->lanes, p->cols - j * job->lanes);
    uint32_t line[LANES_MAX];
    for (size_t row = 0; row < p->rows; row++, acc += job->acc_ld) {
        if (job->plain_out)
            job->kernel->round(config, acc, job->lanes, cols, line);
        for (size_t i = 0; !job->plain_out && i < cols; i++)
            write_result(config, job->args->c.type, daa_anchored_get(config, acc + i, job->lanes), &line[i]);
        memcpy(acc, line, cols * sizeof *acc);
    }
}

/* The results of the task's panel J. Where the operands are exchanged, its columns are C's rows: squares are turned in
 * the cache first, because C's rows may lie a power of two apart, where a cache holds only a few. */
static void finish(const struct job *job, const struct place *p, size_t j, const float *acc) {
    const struct daa_gemm_result_matrix *c = &job->args->c;
    const size_t cols = least(job->lanes, p->cols - j * job->lanes), col = p->col + j * job->lanes;
    uint32_t *data = c->data;
    for (size_t row = 0; !job->exchanged && row < p->rows; row++) {
        uint32_t *to = data + c_index(job, p->batch, c->stride, c->ld, p->row + row, col);
        if (job->kernel)
            job->kernel->results(acc + row * job->acc_ld, cols, to);
        for (size_t i = 0; !job->kernel && i < cols; i++)
            to[i] = result_bits(acc[row * job->acc_ld + i]);
        convert_line(job, cols, to);
    }
    for (size_t row = 0; job->exchanged && row < p->rows; row += SQUARE) {
        const size_t rows = least(SQUARE, p->rows - row);
        for (size_t first = 0; first < cols; first += SQUARE) {
            const size_t count = least(SQUARE, cols - first);
            uint32_t square[SQUARE][SQUARE];
            job->kernel->turn(acc + row * job->acc_ld + first, job->acc_ld, square);
            for (size_t k = 0; k < count; k++) {
                uint32_t *to = data + c_index(job, p->batch, c->stride, c->ld, p->row + row, col + first + k);
                if (rows == SQUARE)
                    memcpy(to, square[k], sizeof square[k]); /* of a known size: in moves, not by a call */
                else
                    memcpy(to, square[k], rows * sizeof *to);
                convert_line(job, rows, to);
            }
        }
    }
}

/* A strip of whole panels at a time, because fetching is the faster the more rows it does. */
static void pack_rows(const struct job *job, const struct place *p, struct block block, const struct scratch *s) {
    const size_t strip = STRIP_ROWS / job->rows;
    for (size_t first = 0; first < p->row_panels; first += strip) {
        const size_t count = least(strip, p->row_panels - first);
        fetch_a(job, p->batch, block, p->row_panel + first, count, s->a_raw);
        for (size_t i = 0; i < count; i++) {
            const char *raw = s->a_raw + i * job->rows * block.stride * job->raw_size;
            s->a_range[first + i] = job->kernel->scan(raw, job->rows * block.stride);
            job->kernel->pack_a(&job->plan, block.steps, raw, block.stride, s->a + (first + i) * job->a_block);
        }
    }
}

/* The exact path for COUNT panels of rows from FIRST on; the panel of B is in s->b_raw. */
static void run_wide(const struct job *job, const struct place *p, struct block block, size_t first, size_t count,
                     const struct scratch *s, float *acc, size_t ld) {
    engine_exact_path *path = job->kernel ? job->kernel->wide : daa_wide_tile;
    for (size_t i = first; i < first + count; i++) {
        fetch_a(job, p->batch, block, p->row_panel + i, 1, s->a_raw);
        path(&job->plan, block.stride / (size_t)job->plan.streams, (int)job->rows, (int)job->lanes, s->a_raw,
             block.stride, s->b_raw, acc + i * job->rows * ld, ld);
    }
}

/* A panel of B down all rows of the task: neighbouring panels of A that are in range go to the kernel together. */
static void run_column(const struct job *job, const struct place *p, struct block block, const struct scratch *s,
                       float *acc, size_t ld) {
    const struct engine_kernel *kernel = job->kernel;
    struct engine_range b_range = {0};
    if (kernel) {
        b_range = kernel->scan(s->b_raw, job->lanes * block.stride);
        kernel->pack_b(&job->plan, block.steps, s->b_raw, s->b);
    }
    for (size_t first = 0, next; first < p->row_panels; first = next) {
        const bool fast = kernel && in_range(job, s->a_range[first], b_range);
        for (next = first + 1; next < p->row_panels; next++)
            if ((kernel && in_range(job, s->a_range[next], b_range)) != fast)
                break;
        if (fast)
            kernel->run(&job->plan, block.steps, next - first, s->a + first * job->a_block, job->a_block, s->b,
                        acc + first * job->rows * ld, ld, s->table);
        else
            run_wide(job, p, block, first, next - first, s, acc, ld);
    }
}

static void run_task(const struct job *job, size_t task, const struct scratch *s) {
    const struct place p = place_of(job, task);
    const size_t ld = job->acc_ld, column = job->task_rows * job->rows * ld;
    const bool anchored = job->plan.anchored != NULL;
    if (!anchored)
        memset(s->acc, 0, p.col_panels * column * sizeof *s->acc);
    for (size_t j = 0; j < p.col_panels; j++)
        if (anchored)
            start_anchored(job, &p, j, (uint32_t *)(void *)(s->acc + j * column));
        else
            (job->plan.target.is_float ? start : start_narrow)(job, &p, j, s->acc + j * column);
    for (size_t index = 0; index < job->blocks; index++) {
        const struct block block = block_at(job, index);
        if (job->kernel)
            pack_rows(job, &p, block, s);
        for (size_t j = 0; j < p.col_panels; j++) {
            fetch_b(job, p.batch, block, p.col_panel + j, s->b_raw);
            run_column(job, &p, block, s, s->acc + j * column, ld);
        }
    }
    for (size_t j = 0; j < p.col_panels; j++) {
        if (anchored)
            round_anchored(job, &p, j, (uint32_t *)(void *)(s->acc + j * column));
        finish(job, &p, j, s->acc + j * column);
    }
}

/* ---- memory ---- */

/* The next COUNT parts of SIZE bytes, on a cache line. */
static size_t reserve(size_t *total, size_t count, size_t size) {
    const size_t at_byte = *total;
    *total += (count * size + 63) / 64 * 64;
    return at_byte;
}

/* A thread's scratch at BASE; returns its size. */
static size_t lay_out(const struct job *job, uintptr_t base, struct scratch *s) {
    const size_t rows = job->task_rows * job->rows, cols = job->task_cols * job->lanes;
    size_t total = 0;
    /* The last square's rows too. */
    s->acc = (float *)(base + reserve(&total, (rows + SQUARE) * cols / job->lanes * job->acc_ld, sizeof *s->acc));
    s->a = (uint32_t *)(base + reserve(&total, job->task_rows * job->a_block, sizeof *s->a));
    s->b = (uint32_t *)(base + reserve(&total, job->b_block, sizeof *s->b));
    s->a_raw = (char *)(base + reserve(&total, STRIP_ROWS * job->block_k, job->raw_size));
    s->b_raw = (char *)(base + reserve(&total, job->lanes * job->block_k, job->raw_size));
    s->table = (uint32_t *)(base + reserve(&total, job->table_words, sizeof *s->table));
    s->a_range = (struct engine_range *)(base + reserve(&total, job->task_rows, sizeof *s->a_range));
    return total;
}

/* ---- threads ---- */

static void work(void *argument) {
    struct job *job = argument;
    const size_t tasks = job->row_tasks * job->col_tasks * job->args->batch;
    struct scratch s;
    lay_out(job, job->scratch + atomic_fetch_add(&job->next_scratch, 1) * job->scratch_size, &s);
    for (size_t task; (task = atomic_fetch_add(&job->next_task, 1)) < tasks;)
        run_task(job, task, &s);
}

/* Products. */
static double work_of(const struct daa_gemm_args *args) {
    return (double)args->batch * (double)args->m * (double)args->n * (double)args->k;
}

static int thread_count(const struct daa_gemm_args *args, const struct engine_kernel *kernel) {
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const double useful = work_of(args) / (kernel && !kernel->exact ? SMALL_WORK : SMALL_SLOW) + 1;
    size_t wanted = args->threads ? (size_t)args->threads : processors > 0 ? (size_t)processors : 1;
    if (!args->threads && useful < (double)wanted)
        wanted = (size_t)useful;
    return (int)least(wanted, DAA_THREADS_MAX);
}

/* ---- the whole of it ---- */

/* Panels of a task, as even as they can be: at most MOST of them. */
static size_t even(size_t panels, size_t most) {
    return parts(panels, parts(panels, most));
}

static void shape(struct job *job, int threads) {
    const struct daa_gemm_args *args = job->args;
    const struct engine_kernel *kernel = job->kernel;
    const size_t streams = (size_t)job->plan.streams, workers = (size_t)threads;
    const bool brief = threads > 1 && work_of(args) < (double)SMALL_WORK * threads;
    const size_t enough = brief ? 2 * workers : workers;
    const size_t a_words = kernel ? (size_t)kernel->a_group(&job->plan) : 1;
    job->rows = kernel ? (size_t)kernel->rows : ROWS_MAX;
    job->lanes = kernel ? (size_t)kernel->lanes : 32;
    job->acc_ld = job->lanes * (kernel && kernel->acc_words ? (size_t)kernel->acc_words : 1);
    job->word_k = streams > 1 || !kernel ? streams : (size_t)kernel->steps_a_word(&job->plan);
    job->a_panels = parts(job->m, job->rows);
    job->b_panels = parts(job->n, job->lanes);
    job->table_words = kernel && kernel->table_words ? kernel->table_words(&job->plan) : 0;
    job->task_rows = even(job->a_panels, TASK_ROWS / job->rows);
    job->task_cols = even(job->b_panels, TASK_COLS / job->lanes);
    /* Smaller tasks where threads would be without one, and still smaller ones where a thread that starts late should
     * find less to do, though each task packs its operands. Fewer columns first where rows share a table. */
    for (;;) {
        const bool tall = job->task_rows * job->rows > job->task_cols * job->lanes;
        const bool cut_rows = job->task_cols == 1 || (tall && !job->table_words);
        size_t *larger = cut_rows ? &job->task_rows : &job->task_cols;
        job->row_tasks = parts(job->a_panels, job->task_rows);
        job->col_tasks = parts(job->b_panels, job->task_cols);
        if (job->row_tasks * job->col_tasks * args->batch >= enough || *larger == 1)
            break;
        *larger = parts(*larger, 2);
    }
    const size_t whole = GROUP * job->word_k, most = DEPTH_MAX / whole * whole;
    const size_t cached = CACHED_WORDS / (job->task_rows * job->rows * a_words) * whole;
    const size_t block_k = least(cached > whole ? cached : whole, most);
    job->blocks = parts(args->k, block_k);
    job->block_k = job->blocks ? parts(parts(args->k, job->blocks), whole) * whole : 0;
    job->blocks = job->blocks ? parts(args->k, job->block_k) : 0;
    if (kernel) {
        job->a_block = job->block_k / whole * job->rows * a_words;
        job->b_block = job->block_k / job->word_k * job->lanes * (size_t)kernel->b_words(&job->plan);
    }
}

/* What a panel of columns costs beforehand is shared by its rows, so these are the larger side. Products, keys and sums
 * are the same in either order. */
static void place_operands(struct job *job) {
    const struct daa_gemm_args *args = job->args;
    const size_t m = args->m, n = args->n;
    job->exchanged = job->kernel && job->plan.streams > 1 && n > m;
    job->a = job->exchanged ? args->b : args->a;
    job->b = job->exchanged ? args->a : args->b;
    job->a_format = job->exchanged ? args->config->b_format : args->config->a_format;
    job->b_format = job->exchanged ? args->config->a_format : args->config->b_format;
    job->a.transposed ^= job->exchanged;
    job->b.transposed ^= job->exchanged;
    job->m = job->exchanged ? n : m;
    job->n = job->exchanged ? m : n;
}

/* All scratch is one piece from malloc(): the C library keeps one freed piece for the next call, where several, or an
 * aligned one, go back to the system, whose new pages then cost as much as a small product. */
static enum daa_status run_fast(const struct daa_gemm_args *args, struct daa_gemm_report *report,
                                struct daa_error *error) {
    struct daa_config narrowed;
    struct job job = {.args = args, .plan = make_plan(report->engine, args->config, &narrowed)};
    struct scratch unused;
    if (args->m == 0 || args->n == 0 || args->batch == 0)
        return DAA_OK;
    job.kernel = daa_kernel(report->engine, &job.plan);
    const int threads = thread_count(args, job.kernel);
    job.raw_size = job.plan.floats ? sizeof(uint32_t) : sizeof(uint16_t);
    job.plain_out = daa_format_equal(args->config->out_format, args->config->acc_format) &&
                    (job.plan.target.is_float || (args->c.type == DAA_FLOAT32 && !job.plan.anchored));
    place_operands(&job);
    shape(&job, threads);
    job.scratch_size = lay_out(&job, 0, &unused);
    char *memory = malloc((size_t)threads * job.scratch_size + 64);
    if (!memory) {
        daa_fail(error, "out of memory for the blocks of %d threads; give fewer threads", threads);
        return DAA_NO_MEMORY;
    }
    job.scratch = ((uintptr_t)memory + 63) / 64 * 64;
    report->threads = daa_run_threads(threads, work, &job);
    free(memory);
    return DAA_OK;
}

enum daa_status daa_gemm_run(const struct daa_gemm_args *args, struct daa_gemm_report *report,
                             struct daa_error *error) {
    struct daa_gemm_report unused;
    if (!report)
        report = &unused;
    *report = (struct daa_gemm_report){.threads = 1};
    if (!daa_check_arguments(args, error))
        return DAA_BAD_ARGUMENT;
    if (!choose(args, report, error))
        return DAA_NO_ENGINE;
    if (!daa_check_data(args, error))
        return DAA_BAD_DATA;
    if (report->engine == DAA_ENGINE_GOLDEN)
        return run_golden(args, error);
    if (args->counts && !daa_count_products(args)) {
        daa_fail(error, "out of memory for the counts of %zu rows; give smaller matrices", args->m);
        return DAA_NO_MEMORY;
    }
    return run_fast(args, report, error);
}
