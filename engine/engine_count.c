/* What becomes of each product follows from exponents alone. Zero and special products need not even be met with each
 * other: for each k, the numbers of zero, special and finite elements in A's column and B's row say how many there are.
 * What is left to go through, in 16-bit lanes, is which of a step's finite products are kept and which is the winner.
 */
#include "engine_count.h"

#include <stdlib.h>
#include <string.h>

#include "../config/winner.h"
#include "../sim/number.h"

enum {
    DEPTH = 256, /* elements of K in a block: its panel of B stays in the first cache, its counts in 16 bits */
    LANES = 32,  /* columns of a panel */
    FINITE = -4096,
    ZERO = -8192, /* a key of a zero or special operand, too, is below FINITE, and far enough above -2^15 */
    SPECIAL = ZERO - 1,
};

/* ---- operands as exponents ---- */

/* e of a finite operand (contract, section 2), ZERO or SPECIAL. */
static int16_t exponent_of(struct daa_format format, uint32_t bits) {
    const struct daa_number number = daa_number_read(format, bits);
    if (number.kind == DAA_CLASS_ZERO)
        return ZERO;
    if (number.kind != DAA_CLASS_FINITE)
        return SPECIAL;
    return (int16_t)(number.exp + 63 - __builtin_clzll(number.sig));
}

/* The same for bf16 as the upper half of a float, whose lower half is rounded away. */
static int16_t exponent_of_bf16(uint32_t word) {
    const uint32_t size = word & 0x7fffffff, field = (size + 0x7fff + (size >> 16 & 1)) >> 23;
    const int finite = field < 255 ? (int)field - 127 : SPECIAL;
    return (int16_t)(field ? finite : ZERO);
}

struct operand {
    const struct daa_gemm_matrix *matrix;
    struct daa_format format;
    bool bf16;
};

static struct operand make_operand(const struct daa_gemm_matrix *matrix, struct daa_format format) {
    struct daa_format bf16;
    daa_format_parse("bf16", &bf16);
    return (struct operand){matrix, format, daa_format_equal(format, bf16)};
}

/* COUNT (at most DEPTH) elements that lie next to each other in the source. */
static void read_line(const struct operand *operand, size_t index, size_t count, int16_t *line) {
    const struct daa_gemm_matrix *m = operand->matrix;
    const uint16_t *halves = (const uint16_t *)m->data + (m->type == DAA_BITS16 ? index : 0);
    const uint32_t *words = (const uint32_t *)m->data + (m->type == DAA_BITS16 ? 0 : index);
    const int up = m->type == DAA_BITS32 ? 16 : 0;
    if (operand->bf16 && m->type == DAA_BITS16) {
        for (size_t i = 0; i < count; i++)
            line[i] = exponent_of_bf16((uint32_t)halves[i] << 16);
    } else if (operand->bf16) {
        for (size_t i = 0; i < count; i++)
            line[i] = exponent_of_bf16(words[i] << up);
    } else {
        for (size_t i = 0; i < count; i++) {
            uint32_t bits = m->type == DAA_BITS16 ? halves[i] : words[i];
            if (m->type == DAA_FLOAT32)
                daa_from_double(operand->format, (double)((const float *)m->data)[index + i], &bits);
            line[i] = exponent_of(operand->format, bits);
        }
    }
}

/* ---- a block of K ---- */

/* Where the winner is known beforehand, steps are sorted by winner into phases: one for static, S/P for rotate. */
struct block {
    size_t first, depth; /* elements of K */
    size_t phases, phase_steps;
    size_t place[DEPTH]; /* of element k in a packed row of A; stream s is at place % streams */
};

static enum daa_winner winner_of(const struct daa_config *config) {
    return daa_policy_info(config->policy)->winner;
}

static struct block make_block(const struct daa_config *config, size_t first, size_t depth) {
    const size_t streams = (size_t)config->streams, steps = (depth + streams - 1) / streams;
    struct block block = {.first = first,
                          .depth = depth,
                          .phases = winner_of(config) == DAA_WINS_TURN ? streams / (size_t)config->groups : 1};
    block.phase_steps = (steps + block.phases - 1) / block.phases;
    for (size_t k = 0; k < depth; k++) { /* a block's first step is a multiple of S */
        const size_t step = k / streams;
        block.place[k] = (step % block.phases * block.phase_steps + step / block.phases) * streams + k % streams;
    }
    return block;
}

/* What one k has in A's column, or in B's row. */
struct census {
    uint64_t finite, special;
};

static void take(struct census *census, int16_t exponent) {
    census->finite += exponent > FINITE;
    census->special += exponent == SPECIAL;
}

/* DEPTH places a row; those that hold no element are zeros, which count nowhere. */
static void pack_a(const struct operand *a, const struct block *block, size_t batch, size_t m, int16_t *packed,
                   struct census *census) {
    const struct daa_gemm_matrix *source = a->matrix;
    int16_t line[DEPTH];
    for (size_t i = 0; i < m * DEPTH; i++)
        packed[i] = ZERO;
    for (size_t row = 0; !source->transposed && row < m; row++) {
        read_line(a, batch * source->stride + row * source->ld + block->first, block->depth, line);
        for (size_t k = 0; k < block->depth; k++) {
            packed[row * DEPTH + block->place[k]] = line[k];
            take(&census[k], line[k]);
        }
    }
    for (size_t row = 0, count; source->transposed && row < m; row += count) {
        count = m - row < DEPTH ? m - row : DEPTH;
        for (size_t k = 0; k < block->depth; k++) {
            read_line(a, batch * source->stride + (block->first + k) * source->ld + row, count, line);
            for (size_t i = 0; i < count; i++) {
                packed[(row + i) * DEPTH + block->place[k]] = line[i];
                take(&census[k], line[i]);
            }
        }
    }
}

/* LANES columns, zeros where there are fewer. */
static void pack_b(const struct operand *b, const struct block *block, size_t batch, size_t col, size_t count,
                   int16_t *packed, struct census *census) {
    const struct daa_gemm_matrix *source = b->matrix;
    int16_t line[DEPTH];
    for (size_t i = 0; i < DEPTH * LANES; i++)
        packed[i] = ZERO;
    for (size_t k = 0; !source->transposed && k < block->depth; k++) {
        int16_t *to = packed + block->place[k] * LANES;
        read_line(b, batch * source->stride + (block->first + k) * source->ld + col, count, to);
        for (size_t lane = 0; lane < count; lane++)
            take(&census[k], to[lane]);
    }
    for (size_t lane = 0; source->transposed && lane < count; lane++) {
        read_line(b, batch * source->stride + (col + lane) * source->ld + block->first, block->depth, line);
        for (size_t k = 0; k < block->depth; k++) {
            packed[block->place[k] * LANES + lane] = line[k];
            take(&census[k], line[k]);
        }
    }
}

/* ---- rows with columns ---- */

struct sums {
    uint64_t kept[DAA_STREAMS_MAX];  /* finite products in the window */
    uint64_t ahead[DAA_STREAMS_MAX]; /* steps whose high one of the group is this stream or one before it */
};

#define INLINE __attribute__((always_inline)) static inline

INLINE int16_t larger(int16_t a, int16_t b) {
    return a > b ? a : b;
}

/* One row of A with a panel of B. For 2 and 4 streams STREAMS, GROUP and STEERED are constants where this lands, so
 * that the counts of each lane stay in registers. */
INLINE void count_row(int streams, int group, bool steered, size_t steps, int window, const int16_t *a,
                      const int16_t *b, struct sums *sums) {
    int16_t kept[DAA_STREAMS_MAX][LANES] = {{0}}, ahead[DAA_STREAMS_MAX][LANES] = {{0}};
    for (size_t step = 0; step < steps; step++, a += streams, b += streams * LANES) {
        for (int i = 0; i < LANES; i++) {
            int16_t top[DAA_STREAMS_MAX] = {0}, key[DAA_STREAMS_MAX], largest = SPECIAL * 2;
            for (int s = 0; s < streams; s++) { /* top: of the group, up to this stream */
                key[s] = (int16_t)(a[s] + b[s * LANES + i]);
                top[s] = s % group ? larger(top[s - 1], key[s]) : key[s];
                largest = larger(largest, key[s]);
            }
            const int16_t under_window = larger((int16_t)(largest - window - 1), FINITE);
            for (int s = 0; s < streams; s++) {
                const int16_t top_of_group = top[s - s % group + group - 1];
                kept[s][i] = (int16_t)(kept[s][i] + (key[s] > under_window));
                if (steered)
                    ahead[s][i] = (int16_t)(ahead[s][i] + (top[s] > larger((int16_t)(top_of_group - 1), under_window)));
            }
        }
    }
    for (int s = 0; s < streams; s++) {
        for (int i = 0; i < LANES; i++) {
            sums->kept[s] += (uint64_t)kept[s][i];
            sums->ahead[s] += (uint64_t)ahead[s][i];
        }
    }
}

/* A phase of a block: ROWS rows with a panel. */
struct phase {
    int streams, group, window;
    bool steered;
    size_t rows, steps;
    const int16_t *a, *b; /* row i of A is at a[i * DEPTH] */
};

INLINE void count_rows(const struct phase *phase, int streams, int group, bool steered, struct sums *sums) {
    for (size_t row = 0; row < phase->rows; row++)
        count_row(streams, group, steered, phase->steps, phase->window, phase->a + row * DEPTH, phase->b, sums);
}

INLINE void count_phase(const struct phase *phase, struct sums *sums) {
    if (phase->streams == 2)
        phase->steered ? count_rows(phase, 2, 2, true, sums) : count_rows(phase, 2, 2, false, sums);
    else if (phase->streams == 4 && !phase->steered)
        count_rows(phase, 4, 4, false, sums);
    else if (phase->streams == 4)
        phase->group == 4 ? count_rows(phase, 4, 4, true, sums) : count_rows(phase, 4, 2, true, sums);
    else
        count_rows(phase, phase->streams, phase->group, phase->steered, sums);
}

static void count_plain(const struct phase *phase, struct sums *sums) {
    count_phase(phase, sums);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void count_avx2(const struct phase *phase, struct sums *sums) {
    count_phase(phase, sums);
}
#else
static void (*const count_avx2)(const struct phase *phase, struct sums *sums) = count_plain;
#endif

/* ---- the whole of it ---- */

struct job {
    const struct daa_gemm_args *args;
    struct operand a, b;
    int16_t *packed_a;
    int16_t packed_b[DEPTH * LANES];
    struct daa_counts counts;
};

static void add_phase(struct job *job, const struct phase *phase, size_t index) {
    const struct daa_config *config = job->args->config;
    const int group = config->streams / config->groups;
    struct sums sums = {{0}, {0}};
    (daa_engine_present(DAA_ENGINE_AVX2) ? count_avx2 : count_plain)(phase, &sums);
    for (int s = 0; s < config->streams; s++) {
        uint64_t high = 0;
        if (phase->steered)
            high = sums.ahead[s] - (s % group ? sums.ahead[s - 1] : 0);
        else if (daa_wins(winner_of(config), group, index, s))
            high = sums.kept[s];
        job->counts.high[s] += high;
        job->counts.low[s] += sums.kept[s] - high;
    }
}

static void add_block(struct job *job, size_t batch, size_t first, size_t depth) {
    const struct daa_gemm_args *args = job->args;
    const struct daa_config *config = args->config;
    const struct block block = make_block(config, first, depth);
    const size_t streams = (size_t)config->streams;
    struct census a[DEPTH] = {{0, 0}}, b[DEPTH] = {{0, 0}};
    pack_a(&job->a, &block, batch, args->m, job->packed_a, a);
    for (size_t col = 0; col < args->n; col += LANES) {
        pack_b(&job->b, &block, batch, col, args->n - col < LANES ? args->n - col : LANES, job->packed_b, b);
        for (size_t i = 0; streams > 1 && i < block.phases; i++) {
            const size_t at = i * block.phase_steps * streams;
            const struct phase phase = {.streams = config->streams,
                                        .group = config->streams / config->groups,
                                        .window = config->window,
                                        .steered = winner_of(config) == DAA_WINS_LARGEST,
                                        .rows = args->m,
                                        .steps = block.phase_steps,
                                        .a = job->packed_a + at,
                                        .b = job->packed_b + at * LANES};
            add_phase(job, &phase, i);
        }
    }
    for (size_t k = 0; k < depth; k++) {
        const size_t s = k % streams;
        const uint64_t plain = (args->m - a[k].special) * (args->n - b[k].special), finite = a[k].finite * b[k].finite;
        job->counts.special[s] += args->m * args->n - plain;
        job->counts.zero[s] += plain - finite;
        job->counts.dropped[s] += finite; /* and all that is kept is taken off in the end */
    }
}

bool daa_count_products(const struct daa_gemm_args *args) {
    const struct daa_config *config = args->config;
    struct job job = {
        .args = args,
        .a = make_operand(&args->a, config->a_format),
        .b = make_operand(&args->b, config->b_format),
        .packed_a = args->m < SIZE_MAX / DEPTH / sizeof(int16_t) ? malloc(args->m * DEPTH * sizeof(int16_t) + 1) : NULL,
    };
    if (!job.packed_a)
        return false;
    for (size_t batch = 0; batch < args->batch; batch++)
        for (size_t first = 0; first < args->k; first += DEPTH)
            add_block(&job, batch, first, args->k - first < DEPTH ? args->k - first : DEPTH);
    free(job.packed_a);
    struct daa_counts *sum = args->counts;
    for (int s = 0; s < config->streams; s++) {
        const uint64_t finite = job.counts.dropped[s];
        const uint64_t high = config->streams == 1 ? finite : job.counts.high[s];
        sum->high[s] += high;
        sum->low[s] += job.counts.low[s];
        sum->zero[s] += job.counts.zero[s];
        sum->dropped[s] += finite - high - job.counts.low[s];
        sum->special[s] += job.counts.special[s];
    }
    return true;
}
