/* Four streams, for the AVX-512 engines: rows one at a time, over steps whose lanes' words stay in the first-level
 * cache. Words hold two bf16, of streams 0 and 1 or 2 and 3, and so do their keys: one comparison with the largest key
 * says which operands are high, one subtraction which products are in the window.
 *
 * The including file defines products(a, b), a_0 b_0 + a_1 b_1, and add_products(sum, a, b), exact where the plan and
 * the guard say so. */
#ifndef DAA_ENGINE_FOUR_H
#define DAA_ENGINE_FOUR_H

#include <immintrin.h>

#include "engine_pair.h"

enum {
    FOUR_ROWS = 16,
    FOUR_VECTORS = 4,
    FOUR_LANES = 16 * FOUR_VECTORS,
    FOUR_STEPS = 8,        /* of a row at a time */
    KEY_LOG2 = 5,          /* keys are exponents times 32, */
    KEY_BELOW = 4,         /* less than this apart where exponents are equal, */
    KEY_BIAS = -(1 << 15), /* and unsigned */
};

/* High forms of 0 1 and of 2 3, low forms, keys. A fixed policy has one form instead of two. */
static int four_kinds(const struct engine_plan *plan) {
    return plan->policy == DAA_EXPONENT ? 6 : 4;
}

static int four_a_group(const struct engine_plan *plan) {
    return four_kinds(plan) * GROUP;
}

static int four_steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

/* ---- packing ---- */

/* A's keys have below the exponent what makes an earlier stream win a tie. */
INLINE __m512i four_keys(__m512i pairs, int pair, bool is_a) {
    const __m512i key = _mm512_slli_epi16(pair_exponents(pairs), KEY_LOG2);
    const __m512i tie = _mm512_set1_epi32(pair ? 1 : 2 << 16 | 3);
    return is_a ? _mm512_add_epi16(_mm512_add_epi16(key, tie), _mm512_set1_epi16(KEY_BIAS)) : key;
}

/* The words of sixteen steps or lanes of two pairs. HIGH: the high operands of a fixed policy. */
INLINE void four_pack(const struct pair_forms *f, const __m512i pairs[2], const __mmask32 high[2], bool is_a,
                      __m512i *words) {
    const int keys_at = f->steer ? 4 : 2;
    for (int pair = 0; pair < 2; pair++) {
        const __m512i exact = pair_exact(pairs[pair]), low = pair_low(f, pairs[pair]);
        words[pair] = f->steer ? exact : _mm512_mask_mov_epi16(low, high[pair], exact);
        if (f->steer)
            words[2 + pair] = low;
        words[keys_at + pair] = four_keys(pairs[pair], pair, is_a);
    }
}

static void four_pack_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride,
                        uint32_t *packed) {
    const struct pair_forms forms = pair_make_forms(plan);
    const size_t kinds = (size_t)four_kinds(plan);
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
    __mmask32 high[2] = {0, 0};
    for (size_t i = 0; i < GROUP; i++) /* a group is a whole number of turns of any policy */
        for (size_t pair = 0; pair < 2; pair++)
            high[pair] |= (__mmask32)pair_high(plan, i, 2 * pair) << 2 * i;
    for (size_t t = 0; t < steps; t += GROUP, packed += FOUR_ROWS * kinds * GROUP) {
        for (size_t row = 0; row < FOUR_ROWS; row++) {
            const uint16_t *in = raw + row * stride + 4 * t;
            const size_t count = least_of(4 * (steps - t), 64);
            const __m512i x = pair_load(in, count), y = pair_load(in + 32, count > 32 ? count - 32 : 0);
            const __m512i pairs[2] = {_mm512_permutex2var_epi32(x, even, y), _mm512_permutex2var_epi32(x, odd, y)};
            __m512i words[6];
            four_pack(&forms, pairs, high, true, words);
            pair_store_halves(words, kinds, packed + row * kinds * FOUR_STEPS, FOUR_ROWS * kinds * FOUR_STEPS);
        }
    }
}

static void four_pack_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    const struct pair_forms forms = pair_make_forms(plan);
    const size_t kinds = (size_t)four_kinds(plan);
    for (size_t t = 0; t < steps; t++, raw += 4 * FOUR_LANES, packed += kinds * FOUR_LANES) {
        const __mmask32 high[2] = {pair_high(plan, t, 0) * UINT32_C(0x55555555),
                                   pair_high(plan, t, 2) * UINT32_C(0x55555555)};
        for (size_t lane = 0; lane < FOUR_LANES; lane += 16) {
            const __m512i pairs[2] = {pair_interleave(raw + lane, FOUR_LANES),
                                      pair_interleave(raw + 2 * FOUR_LANES + lane, FOUR_LANES)};
            __m512i words[6];
            four_pack(&forms, pairs, high, false, words);
            for (size_t i = 0; i < kinds; i++)
                _mm512_storeu_si512(packed + i * FOUR_LANES + lane, words[i]);
        }
    }
}

/* ---- rows ---- */

/* Products below LAST become zeros, by a shift of the operand by how far: inside the window that is 0, outside at least
 * 32 - 2 KEY_BELOW. A second mask would take longer. */
INLINE __m512i four_kept(__m512i pairs, __m512i last, __m512i key) {
    return _mm512_sllv_epi16(pairs, _mm512_subs_epu16(last, key));
}

/* A step of a row, its words in registers, and of sixteen lanes. */
INLINE __m512 four_sum(bool steer, __m512i reach, const __m512i *a, const uint32_t *b) {
    const int keys_at = steer ? 4 : 2;
    __m512i key[2], of_a[2] = {a[0], a[1]}, of_b[2];
    for (int pair = 0; pair < 2; pair++) {
        key[pair] = _mm512_add_epi16(a[keys_at + pair], _mm512_loadu_si512(b + (keys_at + pair) * FOUR_LANES));
        of_b[pair] = _mm512_loadu_si512(b + pair * FOUR_LANES);
    }
    const __m512i either = _mm512_max_epu16(key[0], key[1]);
    const __m512i top = _mm512_max_epu16(either, _mm512_rol_epi32(either, 16)), last = _mm512_sub_epi16(top, reach);
    for (int pair = 0; pair < 2; pair++) {
        if (steer) {
            const __mmask32 wins = _mm512_cmpeq_epi16_mask(key[pair], top);
            const __m512i low = _mm512_loadu_si512(b + (2 + pair) * FOUR_LANES);
            of_a[pair] = _mm512_mask_mov_epi16(a[2 + pair], wins, a[pair]);
            of_b[pair] = _mm512_mask_mov_epi16(low, wins, of_b[pair]);
        }
        of_b[pair] = four_kept(of_b[pair], last, key[pair]);
    }
    return add_products(products(of_a[0], of_b[0]), of_a[1], of_b[1]);
}

INLINE void four_row(bool steer, __m512i reach, size_t steps, const uint32_t *a, const uint32_t *b, float *acc) {
    const size_t kinds = steer ? 6 : 4;
    __m512 run[FOUR_VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; v < FOUR_VECTORS; v++)
        run[v] = _mm512_loadu_ps(acc + 16 * v);
    for (size_t t = 0; t < steps; t++, a++, b += kinds * FOUR_LANES) {
        __m512i words[6];
#pragma GCC unroll 6
        for (size_t i = 0; i < kinds; i++)
            words[i] = pair_once(a + i * FOUR_STEPS);
#pragma GCC unroll 4
        for (size_t v = 0; v < FOUR_VECTORS; v++)
            run[v] = _mm512_add_ps(run[v], four_sum(steer, reach, words, b + 16 * v));
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < FOUR_VECTORS; v++)
        _mm512_storeu_ps(acc + 16 * v, run[v]);
}

INLINE void four_rows(bool steer, int window, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                      const uint32_t *b, float *acc, size_t ld) {
    const size_t kinds = steer ? 6 : 4;
    const __m512i reach = _mm512_set1_epi16((short)((window << KEY_LOG2) + KEY_BELOW));
    for (size_t t = 0; t < steps; t += FOUR_STEPS, b += FOUR_STEPS * kinds * FOUR_LANES)
        for (size_t i = 0; i < panels * FOUR_ROWS; i++)
            four_row(steer, reach, least_of(FOUR_STEPS, steps - t),
                     a + i / FOUR_ROWS * a_block + (t * FOUR_ROWS + i % FOUR_ROWS * FOUR_STEPS) * kinds, b,
                     acc + i * ld);
}

static void four_run(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                     const uint32_t *b, float *acc, size_t ld, uint32_t *table) {
    const unsigned before = _mm_getcsr();
    (void)table;
    _mm_setcsr(FLUSHING);
    if (plan->policy == DAA_EXPONENT)
        four_rows(true, plan->window, steps, panels, a, a_block, b, acc, ld);
    else
        four_rows(false, plan->window, steps, panels, a, a_block, b, acc, ld);
    _mm_setcsr(before);
}

#define KERNEL_FOUR(which)                                                                                             \
    {                                                                                                                  \
        .engine = which, .rows = FOUR_ROWS, .lanes = FOUR_LANES, .a_group = four_a_group, .b_words = four_kinds,       \
        .steps_a_word = four_steps_a_word, .pack_a = four_pack_a, .pack_b = four_pack_b, .run = four_run,              \
        .load = pack_load, .scan = pack_scan, .wide = daa_wide_vectors,                                                \
    }

#endif
