/* An engine on floats (engine_avx512.c). The including file sets ROWS, VECTORS and WIDTH (lanes of
 * a vector) and these operations: vector, integers, mask; load, once, store (floats), load_i, once_i (integers), add,
 * mul, add_i, sub_i, max_i, and_i; greater (of integers, a mask); mul_or(mask, a, b, c): a * b, c where not set;
 * fma_if(mask, a, b, c): a * b + c, c where not set; pick(mask, a, b): a, b where not set.
 *
 * subtract_halves(a, b): 16 bits each, 0 where that is negative; upper(a): the upper halves;
 * shifted(a, b): the bits of a moved up by b, 0 where b is 32 or more.
 *
 * Products of bf16 and their sum are exact in a float where the plan and the guard say so; only the last add rounds. */
#ifndef DAA_ENGINE_FLOAT_H
#define DAA_ENGINE_FLOAT_H

#include <immintrin.h>

#include "engine_pack.h"

enum {
    LANES = WIDTH * VECTORS,
    ZERO_EXPONENT = -300, /* a product with a zero never has the largest key */
    STRIDE = 16,          /* of keys of two streams */
    BIAS = 1 << 14,       /* which makes their halves positive, as 16 bits with a sign and without */
};

/* ---- packed words ---- */

/* The streams' high forms, their low forms, their keys. A fixed policy has one form. Of two streams there is one word
 * of keys: half s of A is e(a_s) - e(a_other), of B e(b_other) - e(b_s), so that product s is ahead where A's is
 * larger; A's upper half is one less, which gives ties to stream 0 and leaves the comparison to the upper halves. One
 * stream has no key. */
static int words(const struct engine_plan *plan) {
    const int keys = plan->streams == 4 ? 4 : plan->streams - 1;
    return (plan->policy == DAA_EXPONENT ? 2 : 1) * plan->streams + keys;
}

static int group(const struct engine_plan *plan) {
    return words(plan) * GROUP;
}

static int steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

INLINE void high_forms(size_t count, const uint16_t *raw, uint32_t *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = raw[i] & 0x7f80 ? (uint32_t)raw[i] << 16 : 0;
}

/* Magnitudes rounded as the integers they are, so that a carry goes into the exponent. */
INLINE void low_forms(const struct engine_plan *plan, size_t count, const uint16_t *raw, uint32_t *out) {
    const int drop = 8 - plan->lo_bits;
    const uint32_t half = plan->lo_round == DAA_NEAREST ? UINT32_C(1) << drop >> 1 : 0;
    const uint32_t below = half ? half - 1 : 0, one = half ? 1 : 0;
    const uint32_t odd = half && plan->lo_bits == 1; /* at T = 1 the kept bit is the implicit one */
    for (size_t i = 0; i < count; i++) {
        uint32_t up = (raw[i] >> drop & one) | odd, low = (raw[i] + below + up) >> drop << (drop + 16);
        out[i] = raw[i] & 0x7f80 ? low : 0;
    }
}

INLINE void exponents(size_t count, const uint16_t *raw, int32_t *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = raw[i] & 0x7f80 ? raw[i] >> 7 & 255 : ZERO_EXPONENT;
}

/* COUNT (at most WHOLE) elements of one step, stream s at raw[s * WHOLE], to planes of WHOLE words, PLANE apart. */
INLINE void pack_forms(const struct engine_plan *plan, size_t streams, bool is_a, size_t t, const uint16_t *raw,
                       size_t whole, uint32_t *out, size_t plane) {
    int32_t exponent[DAA_STREAMS_MAX][LANES_MAX];
    for (size_t s = 0; s < streams; s++) {
        exponents(whole, raw + s * whole, exponent[s]);
        if (plan->policy == DAA_EXPONENT || form_is_high(plan, t, s))
            high_forms(whole, raw + s * whole, out + s * plane);
        else
            low_forms(plan, whole, raw + s * whole, out + s * plane);
        if (plan->policy == DAA_EXPONENT && streams > 1)
            low_forms(plan, whole, raw + s * whole, out + (streams + s) * plane);
    }
    out += (plan->policy == DAA_EXPONENT ? 2 : 1) * streams * plane;
    if (streams == 2)
        for (size_t i = 0; i < whole; i++) {
            int32_t ahead = STRIDE * (is_a ? exponent[0][i] - exponent[1][i] : exponent[1][i] - exponent[0][i]);
            out[i] = (uint32_t)(BIAS - ahead - is_a) << 16 | (uint32_t)(BIAS + ahead);
        }
    for (size_t s = 0; s < streams && streams == 4; s++)
        for (size_t i = 0; i < whole; i++) /* 4 e, and in A's two bits below it what makes an earlier stream win */
            out[s * plane + i] = (uint32_t)(4 * exponent[s][i] + (is_a ? 3 - (int32_t)s : 0));
}

/* One row's GROUP steps; COUNT of them are there. */
INLINE void pack_group(const struct engine_plan *plan, size_t streams, size_t t, size_t count, const uint16_t *raw,
                       uint32_t *out) {
    uint16_t line[DAA_STREAMS_MAX * GROUP], whole[DAA_STREAMS_MAX * GROUP] = {0};
    if (count < GROUP)
        raw = memcpy(whole, raw, count * streams * sizeof *raw);
    for (size_t s = 0; s < streams; s++)
        for (size_t i = 0; i < GROUP; i++)
            line[s * GROUP + i] = raw[i * streams + s];
    if (plan->policy != DAA_ROTATE || streams == 1) {
        pack_forms(plan, streams, true, t, line, GROUP, out, GROUP);
        return;
    }
    for (size_t i = 0; i < GROUP; i++) {
        uint16_t one[DAA_STREAMS_MAX];
        for (size_t s = 0; s < streams; s++)
            one[s] = line[s * GROUP + i];
        pack_forms(plan, streams, true, t + i, one, 1, out + i, GROUP);
    }
}

static void pack_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride, uint32_t *packed) {
    const size_t kinds = (size_t)words(plan), streams = (size_t)plan->streams;
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t t = 0; t < steps; t += GROUP) {
            uint32_t *out = packed + (t / GROUP * ROWS + row) * kinds * GROUP;
            const uint16_t *in = raw + row * stride + t * streams;
            const size_t count = least_of(steps - t, GROUP);
            if (streams == 1)
                pack_group(plan, 1, t, count, in, out);
            else if (streams == 2)
                pack_group(plan, 2, t, count, in, out);
            else
                pack_group(plan, 4, t, count, in, out);
        }
    }
}

static void pack_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    const size_t kinds = (size_t)words(plan), streams = (size_t)plan->streams;
    for (size_t t = 0; t < steps; t++)
        pack_forms(plan, streams, false, t, raw + t * streams * LANES, LANES, packed + t * kinds * LANES, LANES);
}

/* ---- a step of a row and a vector: sums, with the row's and the lanes' words ---- */

#define A(kind) once(a + (kind)*GROUP)
#define A_KEY(kind) once_i(a + (kind)*GROUP)
#define B(kind) load(b + (kind)*LANES)
#define B_KEY(kind) load_i(b + (kind)*LANES)

/* By how far each half's product is below the window. */
INLINE integers beyond(int window, integers key, integers other) {
    const integers reach = all_i((STRIDE * window + 1) << 16 | STRIDE * window);
    return subtract_halves(sub_i(other, reach), key);
}

/* At most one product, the low one, is below the window: its half makes the shift as large as it needs be. */
INLINE vector sum2(int window, const uint32_t *a, const uint32_t *b) {
    const integers key = A_KEY(4), other = B_KEY(4);
    const mask second_wins = greater(key, other);
    vector high = mul_or(second_wins, A(1), B(1), mul(A(0), B(0)));
    vector of_a = pick(second_wins, A(2), A(3)), of_b = pick(second_wins, B(2), B(3));
    return fma_of(of_a, shifted(of_b, beyond(window, key, other)), high);
}

INLINE vector sum2_fixed(int window, const uint32_t *a, const uint32_t *b) {
    const integers far = beyond(window, A_KEY(2), B_KEY(2));
    vector first = shifted(B(0), and_i(far, all_i(0xffff))), second = shifted(B(1), upper(far));
    return fma_of(A(1), second, mul(A(0), first));
}

INLINE vector sum4(bool steer, int window, const uint32_t *a, const uint32_t *b) {
    const int keys_at = steer ? 8 : 4;
    integers key[4];
    vector sum = zero();
#pragma GCC unroll 4
    for (int s = 0; s < 4; s++)
        key[s] = add_i(A_KEY(keys_at + s), B_KEY(keys_at + s));
    integers top = max_i(max_i(key[0], key[1]), max_i(key[2], key[3]));
    integers before = sub_i(and_i(top, all_i(~3)), all_i(4 * window + 1));
#pragma GCC unroll 4
    for (int s = 0; s < 4; s++) {
        mask kept = greater(key[s], before);
        vector of_a = A(s), of_b = B(s);
        if (steer) {
            mask loses = greater(top, key[s]);
            of_a = pick(loses, A(4 + s), of_a);
            of_b = pick(loses, B(4 + s), of_b);
        }
        sum = fma_if(kept, of_a, of_b, sum);
    }
    return sum;
}

/* ---- tiles ---- */

enum { FLUSHING = 0x9fc0 }; /* MXCSR: to nearest, operands and results below the smallest normal are zeros, no traps */

#define TILE(name, kinds, sum_of_step)                                                                                 \
    static void name(int window, size_t steps, const uint32_t *a_panel, const uint32_t *b, float *acc, size_t ld) {    \
        vector run[ROWS][VECTORS];                                                                                     \
        (void)window;                                                                                                  \
        _Pragma("GCC unroll 16") for (size_t r = 0; r < ROWS; r++)                                                     \
            _Pragma("GCC unroll 4") for (size_t v = 0; v < VECTORS; v++) run[r][v] =                                   \
                load((const uint32_t *)(const void *)(acc + r * ld + WIDTH * v));                                      \
        for (; steps; a_panel += ROWS * (kinds)*GROUP) {                                                               \
            size_t count = least_of(steps, GROUP);                                                                     \
            steps -= count;                                                                                            \
            for (size_t t = 0; t < count; t++, b += (kinds)*LANES)                                                     \
                _Pragma("GCC unroll 16") for (size_t r = 0; r < ROWS; r++) {                                           \
                    const uint32_t *a = a_panel + r * (kinds)*GROUP + t;                                               \
                    _Pragma("GCC unroll 4") for (size_t v = 0; v < VECTORS; v++) {                                     \
                        const uint32_t *lanes = b + WIDTH * v;                                                         \
                        run[r][v] = sum_of_step;                                                                       \
                    }                                                                                                  \
                }                                                                                                      \
        }                                                                                                              \
        _Pragma("GCC unroll 16") for (size_t r = 0; r < ROWS; r++)                                                     \
            _Pragma("GCC unroll 4") for (size_t v = 0; v < VECTORS; v++) store(acc + r * ld + WIDTH * v, run[r][v]);   \
    }

TILE(run1, 1, fma_of(once(a), load(lanes), run[r][v]))
TILE(run2, 5, add(run[r][v], sum2(window, a, lanes)))
TILE(run2_fixed, 3, add(run[r][v], sum2_fixed(window, a, lanes)))
TILE(run4, 12, add(run[r][v], sum4(true, window, a, lanes)))
TILE(run4_fixed, 8, add(run[r][v], sum4(false, window, a, lanes)))

static void tile(const struct engine_plan *plan, size_t steps, const uint32_t *a, const uint32_t *b, float *acc,
                 size_t ld) {
    const bool steer = plan->policy == DAA_EXPONENT;
    const unsigned before = _mm_getcsr();
    _mm_setcsr(FLUSHING);
    if (plan->streams == 1)
        run1(0, steps, a, b, acc, ld);
    else if (plan->streams == 2)
        (steer ? run2 : run2_fixed)(plan->window, steps, a, b, acc, ld);
    else
        (steer ? run4 : run4_fixed)(plan->window, steps, a, b, acc, ld);
    _mm_setcsr(before);
}

#define KERNEL(which)                                                                                                  \
    {                                                                                                                  \
        .engine = which, .rows = ROWS, .lanes = LANES, .a_group = group, .b_words = words,                             \
        .steps_a_word = steps_a_word, .pack_a = pack_a, .pack_b = pack_b, .tile = tile, .load = pack_load,             \
        .scan = pack_scan, .wide = daa_wide_vectors,                                                                   \
    }

#endif
