/* The GEMM call: arguments checked, an engine chosen, operands packed in panels, tiles shared out among threads. */
#define _DEFAULT_SOURCE /* sysconf, madvise */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine_count.h"
#include "engine_kernel.h"
#include "number.h"

enum {
    TASK_ROWS = 128, /* of C that a thread takes at a time, about */
    TASK_COLS = 256,
    THREADS_MAX = 256,
    GOLDEN_ROWS = 64,
    HUGE_PAGE = 1 << 21,
    LARGE = 4 * HUGE_PAGE, /* memory that is better taken in huge pages */
    SMALL_WORK = 1 << 19,  /* products below which another thread costs more than it brings */
};

/* ---- elements ---- */

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t type_size(enum daa_type type) {
    return type == DAA_BITS16 ? 2 : 4;
}

static const char *at(enum daa_type type, const void *data, size_t index) {
    return (const char *)data + index * type_size(type);
}

static uint32_t element(struct daa_format format, enum daa_type type, const void *data, size_t index) {
    uint32_t bits;
    if (type == DAA_BITS16)
        return ((const uint16_t *)data)[index];
    if (type == DAA_BITS32)
        return ((const uint32_t *)data)[index];
    daa_from_double(format, (double)((const float *)data)[index], &bits);
    return bits;
}

static size_t index_of(const struct daa_gemm_matrix *m, size_t row, size_t col) {
    return m->transposed ? col * m->ld + row : row * m->ld + col;
}

/* ---- arguments ---- */

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
    const size_t most = SIZE_MAX / 8;
    if (lines > most / m->ld || (m->stride && batch > most / m->stride))
        return daa_fail(error, "%s is %zu x %zu; it must fit in memory", name, rows, cols);
    return true;
}

static bool check_arguments(const struct daa_gemm_args *args, struct daa_error *error) {
    const struct daa_gemm_result_matrix *c = &args->c;
    const struct daa_gemm_matrix result = {c->data, c->type, false, c->ld, c->stride};
    if (!args->config)
        return daa_fail(error, "there is no configuration; its pointer must not be NULL");
    if ((unsigned)args->engine >= DAA_ENGINE_COUNT)
        return daa_fail(error, "the engine is %d; it must be one of enum daa_engine", (int)args->engine);
    if (args->threads < 0 || args->threads > THREADS_MAX)
        return daa_fail(error, "threads is %d; it must be 0 to %d", args->threads, THREADS_MAX);
    if (!check_shape("A", &args->a, args->m, args->k, args->batch, error) ||
        !check_shape("B", &args->b, args->k, args->n, args->batch, error) ||
        !check_shape("C", &result, args->m, args->n, args->batch, error) ||
        (args->c0.data && !check_shape("C0", &args->c0, args->m, args->n, args->batch, error)))
        return false;
    if (args->c0.data && (args->c0.transposed || args->c0.type == DAA_BITS16))
        return daa_fail(error, "C0 must be DAA_FLOAT32 or DAA_BITS32, and not transposed");
    if (c->type == DAA_BITS16)
        return daa_fail(error, "C must be DAA_FLOAT32 or DAA_BITS32");
    bool apart = c->stride >= args->m * c->ld || args->m == 0 || args->n == 0 || args->batch < 2;
    return apart || daa_fail(error, "the stride of C is %zu; it must be at least %zu, so that results do not overlap",
                             c->stride, args->m * c->ld);
}

/* Only what can be refused is read: raw bits wider than the format, NaN in a finite one, Inf and NaN without specials.
 */
static bool check_data(const char *name, const struct daa_gemm_matrix *m, struct daa_format format, size_t rows,
                       size_t cols, size_t batch, bool specials, struct daa_error *error) {
    const int width = daa_format_width(format);
    const bool raw = m->type != DAA_FLOAT32, wide = raw && width < (m->type == DAA_BITS16 ? 16 : 32);
    const bool no_nan = !raw && format.encoding == DAA_FINITE;
    if (!m->data || (specials && !wide && !no_nan))
        return true;
    for (size_t x = 0; x < (m->stride ? batch : 1); x++) {
        for (size_t row = 0; row < rows; row++) {
            for (size_t col = 0; col < cols; col++) {
                const size_t index = x * m->stride + index_of(m, row, col);
                uint32_t bits = 0;
                if (no_nan && ((const float *)m->data)[index] != ((const float *)m->data)[index])
                    return daa_fail(error, "%s[%zu][%zu] is NaN, and its format has none; remove it", name, row, col);
                bits = element(format, m->type, m->data, index);
                if (wide && bits >> width)
                    return daa_fail(error, "%s[%zu][%zu] is 0x%x; it must have no more than %d bits", name, row, col,
                                    bits, width);
                enum daa_class class = daa_number_read(format, bits).class;
                if (!specials && class >= DAA_CLASS_INF)
                    return daa_fail(error, "%s[%zu][%zu] is %s, which needs specials on", name, row, col,
                                    class == DAA_CLASS_INF ? "an Inf" : "a NaN");
            }
        }
    }
    return true;
}

/* ---- which engine ---- */

static bool is_format(struct daa_format format, const char *name) {
    struct daa_format wanted;
    return daa_format_parse(name, &wanted) && daa_format_equal(format, wanted);
}

static const char *why_golden(const struct daa_gemm_args *args) {
    const struct daa_config *config = args->config;
    if (!is_format(config->a_format, "bf16") || !is_format(config->b_format, "bf16"))
        return "operands other than bf16 take the golden model";
    if (!is_format(config->acc_format, "fp32"))
        return "accumulators other than fp32 take the golden model";
    if (config->policy == DAA_MAGNITUDE)
        return "policy magnitude takes the golden model";
    return NULL;
}

static struct engine_plan make_plan(const struct daa_config *config) {
    return (struct engine_plan){
        .streams = config->streams,
        .policy = config->streams == 1 ? DAA_HIGH : config->policy,
        .lo_bits = config->lo_bits < 8 ? config->lo_bits : 8,
        .lo_round = config->lo_round,
        .window = config->window,
    };
}

static bool choose(const struct daa_gemm_args *args, struct daa_gemm_report *report, struct daa_error *error) {
    enum daa_engine engine = args->engine;
    const char *golden = why_golden(args);
    report->reason = NULL;
    if (!daa_engine_present(engine))
        return daa_fail(error, "this processor does not have the engine %s; auto takes one that it has",
                        daa_engine_name(engine));
    if (engine != DAA_ENGINE_GOLDEN && golden) {
        engine = DAA_ENGINE_GOLDEN;
        report->reason = golden;
    }
    if (engine == DAA_ENGINE_AUTO)
        for (engine = DAA_ENGINE_AVX512BF16; !daa_engine_present(engine); engine--)
            ;
    struct engine_plan plan = make_plan(args->config);
    if (daa_kernel(engine, &plan) && !daa_plan_fits_float(&plan))
        report->reason = "the sum of a step is longer than a float's 24 bits and takes doubles";
    report->engine = engine;
    return true;
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

/* ---- packed panels ---- */

struct job {
    const struct daa_gemm_args *args;
    struct engine_plan plan;
    const struct engine_kernel *kernel; /* NULL: the exact path, straight from the sources */
    size_t batch;
    size_t rows, lanes;        /* of a tile */
    size_t word_k;             /* elements of K in a packed step */
    size_t steps, block_steps; /* packed steps in all, and of a K block */
    size_t blocks, a_panels, b_panels;
    size_t a_block, b_block; /* words of one panel's K block */
    uint32_t *a, *b;
    struct engine_range *a_range, *b_range;
    size_t task_rows, task_cols; /* in panels */
    size_t row_tasks, col_tasks;
    bool plain_out; /* results are the accumulator's bits */
    char *scratch;
    size_t scratch_size;
    pthread_mutex_t gate;
    pthread_barrier_t barrier;
    atomic_size_t next_pack, next_tile, next_scratch;
};

static size_t parts(size_t whole, size_t part) {
    return (whole + part - 1) / part;
}

static size_t block_k(const struct job *job, size_t block) {
    return least(job->block_steps * job->word_k, job->args->k - block * job->block_steps * job->word_k);
}

static size_t steps_of(const struct job *job, size_t block) {
    return least(job->block_steps, job->steps - block * job->block_steps);
}

static uint32_t load_plain(enum daa_type type, const void *data, size_t count, uint16_t *raw) {
    struct daa_format bf16 = {8, 7, DAA_IEEE, false};
    for (size_t i = 0; i < count; i++)
        raw[i] = (uint16_t)element(bf16, type, data, i);
    return 0;
}

/* COUNT elements that lie next to each other in the source. */
static void load(const struct job *job, const struct daa_gemm_matrix *m, size_t index, size_t count, uint16_t *raw) {
    (job->kernel ? job->kernel->load : load_plain)(m->type, at(m->type, m->data, job->batch * m->stride + index), count,
                                                   raw);
}

/* A K block of a panel of A as raw[row * stride + k], or of B as raw[k * lanes + lane]; zeros around it. */
static void fetch_a(const struct job *job, size_t panel, size_t block, uint16_t *raw, size_t stride) {
    const struct daa_gemm_matrix *a = &job->args->a;
    const size_t first = panel * job->rows, count = least(job->rows, job->args->m - first);
    const size_t k0 = block * job->block_steps * job->word_k, depth = block_k(job, block);
    uint16_t line[ROWS_MAX];
    if (count < job->rows || depth < stride)
        memset(raw, 0, job->rows * stride * sizeof *raw);
    if (!a->transposed) {
        for (size_t row = 0; row < count; row++)
            load(job, a, (first + row) * a->ld + k0, depth, raw + row * stride);
        return;
    }
    for (size_t k = 0; k < depth; k++) {
        load(job, a, (k0 + k) * a->ld + first, count, line);
        for (size_t row = 0; row < count; row++)
            raw[row * stride + k] = line[row];
    }
}

static void fetch_b(const struct job *job, size_t panel, size_t block, uint16_t *raw) {
    const struct daa_gemm_matrix *b = &job->args->b;
    const size_t lanes = job->lanes, first = panel * lanes, count = least(lanes, job->args->n - first);
    const size_t k0 = block * job->block_steps * job->word_k, depth = block_k(job, block);
    const size_t whole = steps_of(job, block) * job->word_k;
    uint16_t line[STEPS_MAX * DAA_STREAMS_MAX];
    if (count < lanes || depth < whole)
        memset(raw, 0, whole * lanes * sizeof *raw);
    if (!b->transposed) {
        for (size_t k = 0; k < depth; k++)
            load(job, b, (k0 + k) * b->ld + first, count, raw + k * lanes);
        return;
    }
    for (size_t lane = 0; lane < count; lane++) {
        load(job, b, (first + lane) * b->ld + k0, depth, line);
        for (size_t k = 0; k < depth; k++)
            raw[k * lanes + lane] = line[k];
    }
}

static void pack_panel(struct job *job, size_t task) {
    uint16_t raw[STEPS_MAX * DAA_STREAMS_MAX * LANES_MAX];
    const bool is_a = task < job->a_panels;
    const size_t panel = is_a ? task : task - job->a_panels;
    for (size_t block = 0; block < job->blocks; block++) {
        const size_t steps = steps_of(job, block), stride = steps * job->word_k;
        if (is_a) {
            const size_t at_block = block * job->a_panels + panel;
            fetch_a(job, panel, block, raw, stride);
            job->a_range[at_block] = job->kernel->scan(raw, job->rows * stride);
            job->kernel->pack_a(&job->plan, steps, raw, stride, job->a + at_block * job->a_block);
        } else {
            const size_t at_block = block * job->b_panels + panel;
            fetch_b(job, panel, block, raw);
            job->b_range[at_block] = job->kernel->scan(raw, job->lanes * stride);
            job->kernel->pack_b(&job->plan, steps, raw, job->b + at_block * job->b_block);
        }
    }
}

/* ---- tiles ---- */

/* Can no product or sum of a step leave the normal numbers? Fields are biased by 127; a product's last bit is 14 below
 * its key, a step's sum less than 4 above it, and a low value may be one exponent above its operand. One stream needs
 * none of this: there every step is one fused multiply-add. */
static bool in_range(const struct job *job, struct engine_range a, struct engine_range b) {
    if (job->plan.streams == 1 || job->kernel->exact || (!a.special && !b.special && (a.most == 0 || b.most == 0)))
        return true;
    return !a.special && !b.special && a.least + b.least - 254 - 14 >= -126 && a.most + b.most - 254 + 4 <= 127 &&
           a.most < 254 && b.most < 254;
}

static void wide_tile(struct job *job, size_t row_panel, size_t col_panel, size_t block, uint16_t *raw, float *acc,
                      size_t ld) {
    const size_t steps = steps_of(job, block) * job->word_k / (size_t)job->plan.streams;
    const size_t stride = steps_of(job, block) * job->word_k;
    uint16_t *b = raw + ROWS_MAX * STEPS_MAX * DAA_STREAMS_MAX;
    fetch_a(job, row_panel, block, raw, stride);
    fetch_b(job, col_panel, block, b);
    (job->kernel ? job->kernel->wide : daa_wide_tile)(&job->plan, steps, (int)job->rows, (int)job->lanes, raw, stride,
                                                      b, acc, ld);
}

static void start(const struct job *job, size_t row, size_t rows, size_t col, size_t cols, float *acc, size_t ld) {
    const struct daa_gemm_matrix *c0 = &job->args->c0;
    for (size_t i = 0; c0->data && i < rows; i++) {
        const uint32_t *from = (const uint32_t *)c0->data + job->batch * c0->stride + (row + i) * c0->ld + col;
        for (size_t j = 0; j < cols; j++) {
            uint32_t bits = from[j] & 0x7f800000 ? from[j] : 0;
            memcpy(&acc[i * ld + j], &bits, sizeof bits);
        }
    }
}

static void finish(const struct job *job, size_t row, size_t rows, size_t col, size_t cols, const float *acc,
                   size_t ld) {
    const struct daa_gemm_result_matrix *c = &job->args->c;
    for (size_t i = 0; i < rows; i++) {
        uint32_t *to = (uint32_t *)c->data + job->batch * c->stride + (row + i) * c->ld + col;
        for (size_t j = 0; j < cols; j++) {
            uint32_t bits;
            memcpy(&bits, &acc[i * ld + j], sizeof bits);
            bits = (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits;
            to[j] = bits & 0x7fffffff ? bits : 0;
        }
        for (size_t j = 0; !job->plain_out && j < cols; j++)
            write_result(job->args->config, c->type, daa_acc_out(job->args->config, to[j]), &to[j]);
    }
}

static void run_task(struct job *job, size_t task, float *acc) {
    const size_t ld = job->task_cols * job->lanes;
    const size_t row_panel = task / job->col_tasks * job->task_rows, col_panel = task % job->col_tasks * job->task_cols;
    const size_t row_end = least(row_panel + job->task_rows, job->a_panels);
    const size_t col_end = least(col_panel + job->task_cols, job->b_panels);
    const size_t row = row_panel * job->rows, rows = least(row_end * job->rows, job->args->m) - row;
    const size_t col = col_panel * job->lanes, cols = least(col_end * job->lanes, job->args->n) - col;
    uint16_t *raw = (uint16_t *)(void *)(acc + job->task_rows * job->rows * ld);
    memset(acc, 0, job->task_rows * job->rows * ld * sizeof *acc);
    start(job, row, rows, col, cols, acc, ld);
    for (size_t block = 0; block < job->blocks; block++) {
        for (size_t j = col_panel; j < col_end; j++) {
            for (size_t i = row_panel; i < row_end; i++) {
                float *here = acc + (i - row_panel) * job->rows * ld + (j - col_panel) * job->lanes;
                const size_t a = block * job->a_panels + i, b = block * job->b_panels + j;
                if (job->kernel && in_range(job, job->a_range[a], job->b_range[b]))
                    job->kernel->tile(&job->plan, steps_of(job, block), job->a + a * job->a_block,
                                      job->b + b * job->b_block, here, ld);
                else
                    wide_tile(job, i, j, block, raw, here, ld);
            }
        }
    }
    finish(job, row, rows, col, cols, acc, ld);
}

/* ---- threads ---- */

/* Every worker runs this: panels, then tiles, batch after batch, all in step. */
static void work(struct job *job) {
    float *scratch = (float *)(void *)(job->scratch + atomic_fetch_add(&job->next_scratch, 1) * job->scratch_size);
    const size_t panels = job->kernel ? job->a_panels + job->b_panels : 0, tasks = job->row_tasks * job->col_tasks;
    for (size_t batch = 0; batch < job->args->batch; batch++) {
        for (size_t task; (task = atomic_fetch_add(&job->next_pack, 1)) < panels;)
            pack_panel(job, task);
        pthread_barrier_wait(&job->barrier);
        for (size_t task; (task = atomic_fetch_add(&job->next_tile, 1)) < tasks;)
            run_task(job, task, scratch);
        if (pthread_barrier_wait(&job->barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
            job->batch++;
            atomic_store(&job->next_pack, 0);
            atomic_store(&job->next_tile, 0);
        }
        pthread_barrier_wait(&job->barrier);
    }
}

/* The gate is shut until it is known how many workers there are. */
static void *worker(void *argument) {
    struct job *job = argument;
    pthread_mutex_lock(&job->gate);
    pthread_mutex_unlock(&job->gate);
    work(job);
    return NULL;
}

static int run_threads(struct job *job, int wanted) {
    pthread_t threads[THREADS_MAX];
    int count = 1;
    pthread_mutex_init(&job->gate, NULL);
    pthread_mutex_lock(&job->gate);
    while (count < wanted && pthread_create(&threads[count], NULL, worker, job) == 0)
        count++;
    pthread_barrier_init(&job->barrier, NULL, (unsigned)count);
    pthread_mutex_unlock(&job->gate);
    work(job);
    for (int i = 1; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&job->barrier);
    pthread_mutex_destroy(&job->gate);
    return count;
}

static int thread_count(const struct daa_gemm_args *args) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = args->threads ? (size_t)args->threads : processors > 0 ? (size_t)processors : 1;
    size_t useful = args->m / 64 * (args->n / 64) * (args->k / 64) / (SMALL_WORK / 64 / 64 / 64) + 1;
    if (!args->threads)
        wanted = least(wanted, useful);
    return (int)least(wanted, THREADS_MAX);
}

/* ---- the whole of it ---- */

static void shape(struct job *job, int threads) {
    const struct daa_gemm_args *args = job->args;
    const struct engine_kernel *kernel = job->kernel;
    const size_t streams = (size_t)job->plan.streams;
    job->rows = kernel ? (size_t)kernel->rows : ROWS_MAX;
    job->lanes = kernel ? (size_t)kernel->lanes : 32;
    job->word_k = streams > 1 || !kernel ? streams : (size_t)kernel->steps_a_word(&job->plan);
    job->steps = parts(args->k, job->word_k);
    job->blocks = parts(job->steps, STEPS_MAX);
    job->block_steps = job->blocks ? parts(parts(job->steps, job->blocks), GROUP) * GROUP : 0;
    job->blocks = job->blocks ? parts(job->steps, job->block_steps) : 0;
    job->a_panels = parts(args->m, job->rows);
    job->b_panels = parts(args->n, job->lanes);
    if (kernel) {
        job->a_block = job->block_steps * job->rows * (size_t)kernel->a_words(&job->plan);
        job->b_block = least(job->block_steps, job->steps) * job->lanes * (size_t)kernel->b_words(&job->plan);
    }
    job->task_rows = least(TASK_ROWS / job->rows, job->a_panels);
    job->task_cols = least(TASK_COLS / job->lanes, job->b_panels);
    while (parts(job->a_panels, job->task_rows) * parts(job->b_panels, job->task_cols) < 3 * (size_t)threads &&
           threads > 1 && job->task_rows > 1)
        job->task_rows = parts(job->task_rows, 2);
    job->row_tasks = parts(job->a_panels, job->task_rows);
    job->col_tasks = parts(job->b_panels, job->task_cols);
}

/* The next COUNT parts of SIZE bytes, on a cache line; TOTAL stays at SIZE_MAX once it is too much. */
static size_t reserve(size_t *total, size_t count, size_t size) {
    const size_t most = SIZE_MAX / 4, at_byte = *total;
    bool fits = at_byte < most && (count == 0 || size <= (most - at_byte) / count - 64);
    *total = fits ? (at_byte + count * size + 63) / 64 * 64 : SIZE_MAX;
    return at_byte;
}

/* All in one piece, from malloc(): the C library keeps one freed piece for the next call, where several, or an aligned
 * one, go back to the system, whose new pages then cost as much as a small product. */
static bool take_memory(struct job *job, int threads, void **memory) {
    const struct engine_kernel *kernel = job->kernel;
    const size_t a_count = kernel ? job->blocks * job->a_panels : 0, b_count = kernel ? job->blocks * job->b_panels : 0;
    size_t total = 0, scratch = reserve(&total, (size_t)threads, job->scratch_size);
    size_t a = reserve(&total, a_count, job->a_block * sizeof *job->a);
    size_t b = reserve(&total, b_count, job->b_block * sizeof *job->b);
    size_t a_range = reserve(&total, a_count, sizeof *job->a_range);
    size_t b_range = reserve(&total, b_count, sizeof *job->b_range);
    const size_t align = total < LARGE ? 64 : HUGE_PAGE;
    *memory = total == SIZE_MAX ? NULL : malloc(total + align);
    if (!*memory)
        return false;
    char *base = (char *)*memory + (align - (uintptr_t)*memory % align);
#ifdef MADV_HUGEPAGE
    if (align == HUGE_PAGE) /* only a wish: where it is not granted, the pages are small */
        (void)madvise(base, total / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    job->scratch = base + scratch;
    job->a = (uint32_t *)(void *)(base + a);
    job->b = (uint32_t *)(void *)(base + b);
    job->a_range = (struct engine_range *)(void *)(base + a_range);
    job->b_range = (struct engine_range *)(void *)(base + b_range);
    return true;
}

static enum daa_status run_fast(const struct daa_gemm_args *args, struct daa_gemm_report *report,
                                struct daa_error *error) {
    struct job job = {.args = args, .plan = make_plan(args->config)};
    const int threads = thread_count(args);
    void *memory = NULL;
    job.kernel = daa_kernel(report->engine, &job.plan);
    if (args->m == 0 || args->n == 0 || args->batch == 0)
        return DAA_OK;
    shape(&job, threads);
    job.plain_out = daa_format_equal(args->config->out_format, args->config->acc_format);
    job.scratch_size = (job.task_rows * job.rows * job.task_cols * job.lanes * sizeof(float) +
                        (ROWS_MAX + LANES_MAX) * STEPS_MAX * DAA_STREAMS_MAX * sizeof(uint16_t) + 63) /
                       64 * 64;
    if (!take_memory(&job, threads, &memory)) {
        daa_fail(error, "out of memory for panels of %zu x %zu and %zu x %zu operands; give smaller matrices", args->m,
                 args->k, args->k, args->n);
        return DAA_NO_MEMORY;
    }
    report->threads = run_threads(&job, threads);
    free(memory);
    return DAA_OK;
}

enum daa_status daa_gemm_run(const struct daa_gemm_args *args, struct daa_gemm_report *report,
                             struct daa_error *error) {
    struct daa_gemm_report unused;
    if (!report)
        report = &unused;
    *report = (struct daa_gemm_report){.threads = 1};
    if (!check_arguments(args, error))
        return DAA_BAD_ARGUMENT;
    if (!choose(args, report, error))
        return DAA_NO_ENGINE;
    const struct daa_config *config = args->config;
    const struct daa_gemm_matrix *c0 = &args->c0;
    if (!check_data("A", &args->a, config->a_format, args->m, args->k, args->batch, config->specials, error) ||
        !check_data("B", &args->b, config->b_format, args->k, args->n, args->batch, config->specials, error) ||
        !check_data("C0", c0, config->acc_format, args->m, args->n, args->batch, config->specials, error))
        return DAA_BAD_DATA;
    if (report->engine == DAA_ENGINE_GOLDEN)
        return run_golden(args, error);
    if (args->counts && !daa_count_products(args)) {
        daa_fail(error, "out of memory for the counts of %zu rows; give smaller matrices", args->m);
        return DAA_NO_MEMORY;
    }
    return run_fast(args, report, error);
}
