/* Packing, compiled into each SIMD engine with that engine's instructions. Raw operands are bf16. */
#ifndef DAA_ENGINE_PACK_H
#define DAA_ENGINE_PACK_H

#include <immintrin.h>
#include <string.h>

#include "engine_kernel.h"

#define INLINE __attribute__((always_inline)) static inline

/* MXCSR: to nearest, no traps; operands and results below the smallest normal are zeros, or stay. */
enum { FLUSHING = 0x9fc0, KEEPING = 0x1f80 };

INLINE size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* ---- sources ---- */

INLINE void round_eight(const struct engine_rounding *r, const uint32_t *words, uint16_t *raw) {
    const __m128i drop = _mm_cvtsi32_si128(r->drop);
    const __m256i bits = _mm256_loadu_si256((const __m256i_u *)words);
    const __m256i size = _mm256_and_si256(bits, _mm256_set1_epi32(INT32_MAX));
    const __m256i half = _mm256_set1_epi32((1 << (r->drop - 1)) - 1), largest = _mm256_set1_epi32((int)r->largest);
    const __m256i odd = _mm256_and_si256(_mm256_srl_epi32(size, drop), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(size, half), odd);
    rounded = _mm256_sll_epi32(_mm256_srl_epi32(rounded, drop), drop);
    if (r->narrow) {
        const __m256 normal = _mm256_set1_ps(r->normal), grid = _mm256_set1_ps(r->grid);
        const __m256 is_small = _mm256_cmp_ps(_mm256_castsi256_ps(size), normal, _CMP_LT_OQ);
        const __m256 small = _mm256_sub_ps(_mm256_add_ps(_mm256_castsi256_ps(size), grid), grid);
        const __m256 lost = _mm256_cmp_ps(small, r->keep ? _mm256_setzero_ps() : normal, _CMP_LT_OQ);
        rounded = _mm256_castps_si256(
            _mm256_blendv_ps(_mm256_castsi256_ps(rounded), _mm256_andnot_ps(lost, small), is_small));
    }
    rounded = _mm256_blendv_epi8(rounded, _mm256_set1_epi32((int)r->beyond), _mm256_cmpgt_epi32(rounded, largest));
    rounded = _mm256_or_si256(rounded, _mm256_andnot_si256(_mm256_set1_epi32(INT32_MAX), bits));
    const __m256i nan = _mm256_cmpgt_epi32(size, _mm256_set1_epi32(0x7f800000));
    rounded = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, _mm256_set1_epi32(0x7fc00000), nan), 16);
    const __m128i upper = _mm256_extracti128_si256(rounded, 1);
    _mm_storeu_si128((__m128i_u *)raw, _mm_packus_epi32(_mm256_castsi256_si128(rounded), upper));
}

/* A K block is often only a line or two of each row, too little for the processor to see what comes next: the next
 * block's. */
static void pack_round_floats(const struct engine_rounding *r, const uint32_t *words, size_t count, void *to) {
    uint16_t *raw = to;
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        __builtin_prefetch((const void *)((uintptr_t)(words + i) + count * sizeof *words), 0, 2);
        round_eight(r, words + i, raw + i);
    }
    daa_round_floats(r, words + i, count - i, raw + i);
}

/* Plain minima and maxima, which compilers know how to do many at a time: a zero's field less one is the largest. */
static struct engine_range pack_scan(const void *from, size_t count) {
    const uint16_t *raw = from;
    uint16_t least = 65535, most = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t field = raw[i] >> 7 & 255, before = (uint16_t)(field - 1);
        least = before < least ? before : least;
        most = field > most ? field : most;
    }
    return (struct engine_range){(uint8_t)(least == 65535 ? 255 : least + 1), (uint8_t)most, most == 255};
}

/* Accumulators as the bits that are written: one NaN, no -0. */
INLINE __m256i eight_results(__m256 acc) {
    const __m256i nan = _mm256_set1_epi32(0x7fc00000), inf = _mm256_set1_epi32(0x7f800000);
    const __m256i bits = _mm256_castps_si256(acc), size = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
    const __m256i one_nan = _mm256_blendv_epi8(bits, nan, _mm256_cmpgt_epi32(size, inf));
    return _mm256_andnot_si256(_mm256_cmpeq_epi32(size, _mm256_setzero_si256()), one_nan);
}

/* Eight rows of eight; FINAL: they are written as they are. */
INLINE void turn_eight(bool final, const float *acc, size_t ld, uint32_t *to) {
    __m256 row[8], pair[8], four[8];
    for (size_t i = 0; i < 8; i++)
        row[i] = _mm256_loadu_ps(acc + i * ld);
    for (size_t i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
        pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    for (size_t i = 0; i < 8; i += 4) {
        four[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
        four[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
        four[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
        four[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
    }
    for (size_t i = 0; i < 8; i++) {
        const __m256 turned = i < 4 ? _mm256_permute2f128_ps(four[i], four[i + 4], 0x20)
                                    : _mm256_permute2f128_ps(four[i - 4], four[i], 0x31);
        _mm256_storeu_si256((__m256i_u *)(to + i * SQUARE),
                            final ? _mm256_castps_si256(turned) : eight_results(turned));
    }
}

static void pack_results(const float *acc, size_t count, uint32_t *to) {
    uint32_t last[8];
    for (; count >= 8; count -= 8, acc += 8, to += 8)
        _mm256_storeu_si256((__m256i_u *)to, eight_results(_mm256_loadu_ps(acc)));
    if (count == 0)
        return;
    _mm256_storeu_si256((__m256i_u *)last, eight_results(_mm256_loadu_ps(acc)));
    memcpy(to, last, count * sizeof *to);
}

INLINE void turn_square(bool final, const float *acc, size_t ld, uint32_t square[SQUARE][SQUARE]) {
    for (size_t i = 0; i < SQUARE; i += 8)
        for (size_t k = 0; k < SQUARE; k += 8)
            turn_eight(final, acc + i * ld + k, ld, &square[k][i]);
}

static void pack_turn(const float *acc, size_t ld, uint32_t square[SQUARE][SQUARE]) {
    turn_square(false, acc, ld, square);
}

/* A kernel's tile, for one panel after the other. */
#define RUN_OF_TILE(name, tile, tile_rows)                                                                             \
    static void name(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a, size_t a_block,   \
                     const uint32_t *b, float *acc, size_t ld, uint32_t *table) {                                      \
        (void)table;                                                                                                   \
        for (size_t i = 0; i < panels; i++)                                                                            \
            tile(plan, steps, a + i * a_block, b, acc + i * (tile_rows)*ld, ld);                                       \
    }

/* Where nothing is compared, a stream has one form. */
INLINE bool form_is_high(const struct engine_plan *plan, size_t step, size_t stream) {
    return daa_wins(plan->winner, plan->streams / plan->groups, step, (int)stream);
}

#endif
