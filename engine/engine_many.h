/* Every configuration that the other kernels do not know, with the rounded accumulator: operands as floats, of up to 11
 * significant bits; any streams, groups, window and accumulator format. A lane's words of a step are its streams' forms
 * (where keys decide, exact ones, then low ones), then their keys; so are a row's, which are broadcast.
 *
 * Twice: on floats, where a step's sum is exact in a float's 24 bits and the guard says so, and on doubles, where it is
 * in 53 whatever the operands. An accumulator of at most 21 fraction bits (on floats) is rounded from a sum that was
 * rounded to odd: two more bits than the format's are enough for that. */
#ifndef DAA_ENGINE_MANY_H
#define DAA_ENGINE_MANY_H

enum {
    MANY_ROWS = 16,
    NOT_FLUSHING = 0x1f80, /* MXCSR: as FLUSHING, with subnormals */
};
/* In A's keys, what makes an earlier stream win; what reaches the window's end is less than MANY_REACH below it. */
#define MANY_TIE 0.0625
#define MANY_REACH 0.5

INLINE size_t many_kinds(size_t streams, bool steer) {
    return streams == 1 ? 1 : (steer ? 3 : 2) * streams;
}

INLINE bool many_steers(const struct engine_plan *plan) {
    return plan->winner == DAA_WINS_LARGEST;
}

INLINE size_t many_kinds_of(const struct engine_plan *plan) {
    return many_kinds((size_t)plan->streams, many_steers(plan));
}

static int many_steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

/* Low values: magnitudes rounded as the integers they are, so that a carry goes into the exponent. */
struct many_forms {
    uint32_t half, lowest, odd, kept;
    int drop;
};

static struct many_forms many_make_forms(const struct engine_plan *plan) {
    const int drop = 24 - plan->lo_bits;
    const bool nearest = plan->lo_round == DAA_NEAREST;
    return (struct many_forms){
        .half = nearest ? (UINT32_C(1) << drop >> 1) - 1 : 0,
        .lowest = nearest,
        .odd = nearest && plan->lo_bits == 1, /* at T = 1 the kept bit is the implicit one */
        .kept = ~((UINT32_C(1) << drop) - 1),
        .drop = drop,
    };
}

static void many_round_floats(const struct engine_rounding *r, const uint32_t *words, size_t count, void *to) {
    uint32_t *rounded = to;
    for (size_t i = 0; i < count; i++)
        rounded[i] = daa_round_float(r, words[i]);
}

static struct engine_range many_scan(const void *from, size_t count) {
    const uint32_t *raw = from;
    uint32_t least = UINT32_MAX, most = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t field = raw[i] >> 23 & 255, before = field - 1;
        least = before < least ? before : least;
        most = field > most ? field : most;
    }
    return (struct engine_range){(uint8_t)(least == UINT32_MAX ? 255 : least + 1), (uint8_t)most, most == 255};
}

#define NUMBER float
#define NUMS floats
#define N(name) f_##name
#define MANY(name) many_f_##name
#include "engine_many_of.h"
#undef NUMBER
#undef NUMS
#undef N
#undef MANY

#define NUMBER double
#define NUMS doubles
#define N(name) d_##name
#define MANY(name) many_d_##name
#include "engine_many_of.h"
#undef NUMBER
#undef NUMS
#undef N
#undef MANY

/* The exact path of the kernels on floats: those on doubles. */
static void many_exact(const struct engine_plan *plan, size_t steps, int rows, int lanes, const void *a,
                       size_t a_stride, const void *b, float *acc, size_t ld) {
    enum { KINDS = 3 * DAA_STREAMS_MAX };
    double packed_a[MANY_ROWS * KINDS * GROUP], packed_b[GROUP * KINDS * LANES_MAX];
    const size_t streams = (size_t)plan->streams, all = (size_t)lanes, some = many_d_lanes(plan->streams);
    const uint32_t *of_a = a, *of_b = b;
    (void)rows;
    for (size_t t = 0; t < steps; t += GROUP) {
        const size_t count = least_of(steps - t, GROUP);
        many_d_pack_rows(plan, count, of_a + t * streams, a_stride, packed_a);
        for (size_t lane = 0; lane < all; lane += some) {
            many_d_pack_lanes(plan, count, of_b + t * streams * all + lane, all, some, packed_b);
            many_d_run(plan, count, 1, (const uint32_t *)(const void *)packed_a, 0,
                       (const uint32_t *)(const void *)packed_b, acc + lane, ld, NULL);
        }
    }
}

#define KERNEL_MANY(which, of, is_exact, vectors)                                                                      \
    {                                                                                                                  \
        .engine = which, .exact = is_exact, .rows = MANY_ROWS, .lanes = (vectors)*many_##of##_WIDTH,                   \
        .a_group = many_##of##_a_group, .b_words = many_##of##_b_words, .steps_a_word = many_steps_a_word,             \
        .pack_a = many_##of##_pack_a, .pack_b = many_##of##_pack_b, .run = many_##of##_run,                            \
        .round_floats = many_round_floats, .scan = many_scan, .results = pack_results, .turn = pack_turn,              \
        .wide = many_exact,                                                                                            \
    }
/* On floats and on doubles, by the logarithm of the streams. */
#define KERNELS_MANY_OF(which, of, is_exact)                                                                           \
    {                                                                                                                  \
        KERNEL_MANY(which, of, is_exact, 4), KERNEL_MANY(which, of, is_exact, 4), KERNEL_MANY(which, of, is_exact, 4), \
            KERNEL_MANY(which, of, is_exact, WIDTH == 16 ? 2 : 4)                                                      \
    }

#endif
