/* Words that hold the operands of two streams as bf16, the earlier one in the lower half: what the AVX-512 engines for
 * two and for four streams share. */
#ifndef DAA_ENGINE_PAIR_H
#define DAA_ENGINE_PAIR_H

#include <immintrin.h>

#include "engine_pack.h"

enum { ZERO_EXPONENT = -300 }; /* a product with a zero is never ahead */

struct pair_forms {
    __m512i half, odd, drop_bits;
    __m128i drop;
    bool round, steer;
};

static struct pair_forms pair_make_forms(const struct engine_plan *plan) {
    const int drop = 8 - plan->lo_bits, half = 1 << drop >> 1;
    return (struct pair_forms){
        .half = _mm512_set1_epi16((short)(half - 1)),
        .odd = _mm512_set1_epi16(plan->lo_bits == 1), /* at T = 1 the kept bit is the implicit one */
        .drop_bits = _mm512_set1_epi16((short)-(1 << drop)),
        .drop = _mm_cvtsi32_si128(drop),
        .round = plan->lo_round == DAA_NEAREST && half,
        .steer = plan->policy == DAA_EXPONENT,
    };
}

INLINE __mmask32 pair_nonzero(__m512i pairs) {
    return _mm512_test_epi16_mask(pairs, _mm512_set1_epi16(0x7f80));
}

INLINE __m512i pair_exponents(__m512i pairs) {
    const __m512i field = _mm512_and_si512(_mm512_srli_epi16(pairs, 7), _mm512_set1_epi16(255));
    return _mm512_mask_mov_epi16(_mm512_set1_epi16(ZERO_EXPONENT), pair_nonzero(pairs), field);
}

/* Subnormals are zeros. */
INLINE __m512i pair_exact(__m512i pairs) {
    return _mm512_maskz_mov_epi16(pair_nonzero(pairs), pairs);
}

/* The low values: magnitudes rounded as the integers they are, so that a carry goes into the exponent. */
INLINE __m512i pair_low(const struct pair_forms *f, __m512i pairs) {
    const __mmask32 nonzero = pair_nonzero(pairs);
    if (f->round) {
        const __m512i odd = _mm512_and_si512(_mm512_srl_epi16(pairs, f->drop), _mm512_set1_epi16(1));
        pairs = _mm512_add_epi16(_mm512_add_epi16(pairs, f->half), _mm512_or_si512(odd, f->odd));
    }
    return _mm512_maskz_mov_epi16(nonzero, _mm512_and_si512(pairs, f->drop_bits));
}

/* Which of the streams FIRST and FIRST + 1 a fixed policy makes high at step T, two bits. */
INLINE unsigned pair_high(const struct engine_plan *plan, size_t t, size_t first) {
    return (unsigned)form_is_high(plan, t, first) | (unsigned)form_is_high(plan, t, first + 1) << 1;
}

/* 32 operands, of which COUNT are there; the others are zeros. */
INLINE __m512i pair_load(const uint16_t *raw, size_t count) {
    return _mm512_maskz_loadu_epi16(count < 32 ? (UINT32_C(1) << count) - 1 : UINT32_MAX, raw);
}

/* Sixteen lanes of one stream, and of the next one, which is LANES further on. */
INLINE __m512i pair_interleave(const uint16_t *raw, size_t lanes) {
    const __m512i lower = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)raw));
    const __m512i upper = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)(raw + lanes)));
    return _mm512_or_si512(lower, _mm512_slli_epi32(upper, 16));
}

/* A row's sixteen steps of COUNT kinds: the first eight steps' words, kind after kind, to OUT, the others NEXT further
 * on. */
INLINE void pair_store_halves(const __m512i *words, size_t count, uint32_t *out, size_t next) {
    for (size_t i = 0; i < count; i++, out += 8) {
        _mm256_storeu_si256((__m256i_u *)out, _mm512_castsi512_si256(words[i]));
        _mm256_storeu_si256((__m256i_u *)(out + next), _mm512_extracti64x4_epi64(words[i], 1));
    }
}

/* In a register: the compiler would load it again for every vector of lanes. */
INLINE __m512i pair_once(const uint32_t *word) {
    __m512i all = _mm512_set1_epi32((int)*word);
#ifdef __AVX512F__
    __asm__("" : "+v"(all));
#endif
    return all;
}

#endif
