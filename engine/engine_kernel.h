/* What a SIMD engine gives to engine.c: panels packed its way, and a kernel that runs one tile down a block of steps.
 */
#ifndef DAA_ENGINE_KERNEL_H
#define DAA_ENGINE_KERNEL_H

#include "../config/winner.h"
#include "engine.h"
#include "engine_bits.h"

enum {
    GROUP = 16,      /* steps that lie together in a packed row of A; a K block is a whole number of groups */
    ROWS_MAX = 16,   /* of a tile, any engine */
    LANES_MAX = 64,  /* columns of a tile */
    DEPTH_MAX = 512, /* elements of a K block */
    SQUARE = 16      /* results that are turned at a time; divides the lanes of a kernel */
};

/* How a sum becomes a number of the rounded accumulator's format, whose numbers are floats; its subnormals are zeros.
 */
struct engine_target {
    bool is_float; /* fp32 */
    int frac_bits;
    float normal, largest; /* the smallest normal number, the largest one */
};

/* The part of a configuration that the engines need. */
struct engine_plan {
    int streams, groups;
    enum daa_winner winner; /* LARGEST: of the keys; EVERY where there is one stream */
    bool
        floats; /* operands as floats, for the kernels of engine_many.h, which know every configuration; else as bf16 */
    int lo_bits; /* 1..8, of floats 1..11 */
    enum daa_lo_round lo_round;
    int window;
    int frac_bits; /* of a product: 14 for bf16 */
    struct engine_target target;
    /* The anchored accumulator: the configuration with bf16 operands, or, of floats, tf32; NULL: the rounded one. */
    const struct daa_config *anchored;
};

/* An anchored accumulator, two words (engine_anchored.h): M + H, and the float 2^-place, with what its last bits say.
 * INF_PLUS and INF_MINUS: an Inf, with which it no longer counts; FULL: `full`. OFF: that 2^-place is no float, and the
 * exponent field the nearest of LOW and HIGH; by how much it is off, 1 for the first place that is too low or, with
 * OFF_HIGH, too high. A lane at LOW that is not off is as it was started without C0. */
enum {
    ANCHORED_WORDS = 2,
    ANCHORED_INF_PLUS = 1,
    ANCHORED_INF_MINUS = 2,
    ANCHORED_INFS = ANCHORED_INF_PLUS | ANCHORED_INF_MINUS,
    ANCHORED_FULL = 4,
    ANCHORED_OFF_LOG2 = 3,
    ANCHORED_OFF_UNIT = 1 << ANCHORED_OFF_LOG2,
    ANCHORED_OFF = ((1 << 12) - 1) * ANCHORED_OFF_UNIT,
    ANCHORED_OFF_HIGH = 1 << 15,
    ANCHORED_UNIT = 1 << 23, /* of an exponent field */
    ANCHORED_LOW = 254,
    ANCHORED_HIGH = 15,  /* steps in range add nothing here, and are far from it */
    ANCHORED_MOST = 180, /* exponent field of operands in range */
};

/* Exponent fields seen in a packed block: a tile whose products all stay in range may take the fast kernel. */
struct engine_range {
    uint8_t least, most; /* of the nonzero finite operands; 255 and 0 where there are none */
    bool special;        /* an Inf or a NaN */
};

/* How floats become numbers of a format, as the contract's section 1 has it. Below the smallest normal number of a
 * format of fewer exponent bits, what is added and taken away again leaves a multiple of its smallest subnormal one. */
struct engine_rounding {
    int drop;                 /* bits of a float's fraction that the format does not have */
    bool narrow, keep;        /* fewer exponent bits than a float's; subnormals */
    float normal, grid;       /* the smallest normal number; what to add; both 0 where it is not narrow */
    uint32_t largest, beyond; /* the largest finite number, and what is above it */
};
struct engine_rounding daa_make_rounding(struct daa_format format);

/* A float, given as its bits, rounded so. */
static inline uint32_t daa_round_float(const struct engine_rounding *r, uint32_t word) {
    const uint32_t sign = word & 0x80000000, size = word & 0x7fffffff, inf = 0x7f800000;
    const uint32_t up = r->drop ? (UINT32_C(1) << r->drop >> 1) - 1 + (size >> r->drop & 1) : 0;
    uint32_t rounded = (size + up) >> r->drop << r->drop;
    const float small = float_of_bits(size) + r->grid - r->grid, kept = r->keep || small >= r->normal ? small : 0;
    rounded = r->narrow && size < bits_of_float(r->normal) ? bits_of_float(kept) : rounded;
    rounded = rounded > r->largest ? r->beyond : rounded;
    return sign | (size > inf ? inf | 0x400000 : rounded);
}

/* COUNT floats, given as their bits, to raw operands: bf16, or floats as their bits. */
typedef void engine_rounding_function(const struct engine_rounding *r, const uint32_t *words, size_t count, void *raw);
engine_rounding_function daa_round_floats; /* to bf16, in plain C */

/* Straight from raw[row * A_STRIDE + k] of A and raw[k * lanes + lane] of B, where k = 0 belongs to a step that begins
 * a group: acc[row * ld + lane] runs through STEPS steps of any window, any exponents, Inf and NaN. */
typedef void engine_exact_path(const struct engine_plan *plan, size_t steps, int rows, int lanes, const void *a,
                               size_t a_stride, const void *b, float *acc, size_t ld);
/* In plain C (engine_wide.c), and on AVX2 for 2 and 4 streams and whole vectors of 8 lanes (engine_wide_avx2.c). */
engine_exact_path daa_wide_tile, daa_wide_vectors;
/* For the anchored accumulator, whose state is not a float but two words: engine_anchored.h. */
engine_exact_path daa_anchored_tile;
/* A lane's state from C0's bits; its result's bits. */
void daa_anchored_put(const struct daa_config *config, uint32_t c0, uint32_t *acc, size_t lanes);
uint32_t daa_anchored_get(const struct daa_config *config, const uint32_t *acc, size_t lanes);

struct engine_kernel {
    enum daa_engine engine;
    bool exact;      /* whatever the operands: there is nothing to guard */
    int rows, lanes; /* of a tile */
    int acc_words;   /* of a lane, an accumulator's after one another; 0 is one float */
    /* Packed 32-bit words: of GROUP steps of a row of A, of one step of a lane of B. */
    int (*a_group)(const struct engine_plan *plan);
    int (*b_words)(const struct engine_plan *plan);
    /* Steps of a packed word: 2 where one word holds two steps of a single stream. */
    int (*steps_a_word)(const struct engine_plan *plan);
    /* A: STEPS packed steps of `rows` rows, from raw[row * STRIDE + k]. B: of `lanes` lanes, from raw[k * lanes +
     * lane]. */
    void (*pack_a)(const struct engine_plan *plan, size_t steps, const void *raw, size_t stride, uint32_t *packed);
    void (*pack_b)(const struct engine_plan *plan, size_t steps, const void *raw, uint32_t *packed);
    /* acc[row * ld + lane] runs through STEPS packed steps, the rows those of PANELS packed panels A_BLOCK words apart.
     * TABLE has table_words(plan) words, on a cache line, to work in; NULL: none. */
    void (*run)(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                const uint32_t *b, float *acc, size_t ld, uint32_t *table);
    size_t (*table_words)(const struct engine_plan *plan);
    engine_rounding_function *round_floats;
    struct engine_range (*scan)(const void *raw, size_t count);
    /* Anchored: COUNT lanes' states as fp32. */
    void (*round)(const struct daa_config *config, const uint32_t *acc, size_t lanes, size_t count, uint32_t *to);
    /* COUNT accumulators, and a vector's more to be read, as the bits that are written: one NaN, no -0; of anchored
     * ones the results that already are these bits. Likewise a square LD apart, turned. */
    void (*results)(const float *acc, size_t count, uint32_t *to);
    void (*turn)(const float *acc, size_t ld, uint32_t square[SQUARE][SQUARE]);
    /* The exact path with this engine's instructions. */
    engine_exact_path *wide;
};

/* Rounded and anchored, by the logarithm of the streams; without a tile (rows) where there is none. */
enum { ENGINE_STREAMS = 4 };
extern const struct engine_kernel daa_kernels_avx2[2][ENGINE_STREAMS], daa_kernels_avx512[2][ENGINE_STREAMS],
    daa_kernels_avx512bf16[2][ENGINE_STREAMS];
extern const struct engine_kernel daa_kernel_wide;
/* Of operands as floats, by the logarithm of the streams: rounded and anchored, each on floats and on doubles. */
enum { MANY_ON_FLOATS, MANY_ON_DOUBLES, MANY_ANCHORED, MANY_ANCHORED_ON_DOUBLES, MANY_KINDS };
extern const struct engine_kernel daa_many_avx2[MANY_KINDS][ENGINE_STREAMS],
    daa_many_avx512[MANY_KINDS][ENGINE_STREAMS], daa_many_avx512bf16[MANY_KINDS][ENGINE_STREAMS];

/* An engine's kernel for a plan; NULL for the engines that are not SIMD. */
const struct engine_kernel *daa_kernel(enum daa_engine engine, const struct engine_plan *plan);

/* Is the sum of a step exact in a float for every pair of operands in range? */
bool daa_plan_fits_float(const struct engine_plan *plan);
/* Is it in a double for every pair? */
bool daa_plan_fits_double(const struct engine_plan *plan);
/* Can a sum in floats be rounded to the accumulator's format? */
bool daa_target_fits_float(const struct engine_plan *plan);
/* Of operands as floats: do they take doubles, for sum or accumulator, or since there is no other kernel? */
bool daa_plan_takes_doubles(const struct engine_plan *plan);
/* If not in a float: are there two streams, one of them always high, and is the sum longer only where the high product
 * is the smaller one? What a float then lacks of the sum is a float too. */
bool daa_plan_fits_two_floats(const struct engine_plan *plan);

/* Can no product or sum of a step leave the normal numbers? */
bool daa_in_range(const struct engine_plan *plan, struct engine_range a, struct engine_range b);

/* Products side by side (engine_beside.h), as engine.h says of daa_beside_run(). */
enum { BESIDE_STEPS = 16, BESIDE_ROWS = 16, BESIDE_MULTIPLE = 16 };

struct engine_beside {
    const struct engine_plan *plan;
    size_t m, n, k, batch;
    const uint16_t *a, *b;
    const size_t *a_rows, *a_cols, *b_rows, *b_cols, *c_rows, *c_cols;
    float *c;
    size_t sums;
    bool exact; /* there is one step, and an anchored accumulator has every bit of its sum */
};

struct engine_beside_kernel {
    int lanes;                                        /* of what one call of run() does, where they are there */
    size_t (*words)(const struct engine_beside *job); /* of scratch */
    void (*run)(const struct engine_beside *job, size_t lane, size_t first, size_t rows, uint32_t *scratch);
    struct engine_range (*scan)(const void *raw, size_t count);
};

extern const struct engine_beside_kernel daa_beside_avx2, daa_beside_avx512, daa_beside_avx512bf16;

/* That of the fastest engine here, with the plan; NULL: there is none for the configuration. */
const struct engine_beside_kernel *daa_beside_kernel(const struct daa_config *config, struct engine_plan *plan,
                                                     struct daa_config *narrowed);

#endif
