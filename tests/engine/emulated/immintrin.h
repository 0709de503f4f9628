/* The AVX-512 intrinsics that the engines use, element by element, for processors that have AVX2 only: the bits of the
 * engines are then checked, their speed is not. In place of the compiler's header, which it includes. VDPBF16PS does as
 * Zen 4 does: the upper product first, each a fused multiply-add, nearest, subnormals flushed whatever MXCSR says. */
#ifndef DAA_EMULATED_IMMINTRIN_H
#define DAA_EMULATED_IMMINTRIN_H

#pragma GCC system_header /* include_next is an extension */
#include_next <immintrin.h>
#include <stdint.h>
#include <string.h>

union emulated {
    __m512i i;
    __m512 f;
    __m512d d;
    uint16_t half[32];
    uint32_t word[16];
    float single[16];
    uint64_t word64[8];
    double twice[8];
};

#define EMULATED __attribute__((always_inline)) static inline

/* RESULT and the operands are unions; x is the element's index. */
#define EMULATED_BINARY(name, vector, member, element, count, value)                                                   \
    EMULATED vector emulated_##name(vector a_, vector b_) {                                                            \
        union emulated a = {.member = a_}, b = {.member = b_}, r;                                                      \
        for (int x = 0; x < count; x++)                                                                                \
            r.element[x] = value;                                                                                      \
        return r.member;                                                                                               \
    }
#define EMULATED_COMPARE(name, mask, element, count, value)                                                            \
    EMULATED mask emulated_##name(__m512i a_, __m512i b_) {                                                            \
        union emulated a = {.i = a_}, b = {.i = b_};                                                                   \
        uint32_t r = 0;                                                                                                \
        for (int x = 0; x < count; x++)                                                                                \
            r |= (uint32_t)(value) << x;                                                                               \
        return (mask)r;                                                                                                \
    }
#define HALVES(name, value) EMULATED_BINARY(name, __m512i, i, half, 32, (uint16_t)(value))
#define WORDS(name, value) EMULATED_BINARY(name, __m512i, i, word, 16, (uint32_t)(value))
#define SINGLES(name, value) EMULATED_BINARY(name, __m512, f, single, 16, value)
#define WORDS64(name, value) EMULATED_BINARY(name, __m512i, i, word64, 8, value)
#define DOUBLES(name, value) EMULATED_BINARY(name, __m512d, d, twice, 8, value)

EMULATED int emulated_saturated(int sum) {
    return sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum;
}

HALVES(add_epi16, a.half[x] + b.half[x])
HALVES(sub_epi16, a.half[x] - b.half[x])
HALVES(adds_epi16, emulated_saturated((int16_t)a.half[x] + (int16_t)b.half[x]))
HALVES(min_epi16, (int16_t)a.half[x] < (int16_t)b.half[x] ? a.half[x] : b.half[x])
HALVES(subs_epu16, a.half[x] > b.half[x] ? a.half[x] - b.half[x] : 0)
HALVES(max_epu16, a.half[x] > b.half[x] ? a.half[x] : b.half[x])
HALVES(sllv_epi16, b.half[x] < 16 ? a.half[x] << b.half[x] : 0)
WORDS(add_epi32, a.word[x] + b.word[x])
WORDS(sub_epi32, a.word[x] - b.word[x])
WORDS(max_epi32, (int32_t)a.word[x] > (int32_t)b.word[x] ? a.word[x] : b.word[x])
WORDS(min_epi32, (int32_t)a.word[x] < (int32_t)b.word[x] ? a.word[x] : b.word[x])
WORDS(madd_epi16,
      (int16_t)a.half[2 * x] * (int16_t)b.half[2 * x] + (int16_t)a.half[2 * x + 1] * (int16_t)b.half[2 * x + 1])
WORDS(sllv_epi32, b.word[x] < 32 ? a.word[x] << b.word[x] : 0)
WORDS(srav_epi32, (int32_t)a.word[x] >> (b.word[x] < 32 ? b.word[x] : 31))
WORDS(and_si512, a.word[x] & b.word[x])
WORDS(or_si512, a.word[x] | b.word[x])
WORDS(xor_si512, a.word[x] ^ b.word[x])
SINGLES(add_ps, a.single[x] + b.single[x])
SINGLES(mul_ps, a.single[x] * b.single[x])
SINGLES(sub_ps, a.single[x] - b.single[x])
SINGLES(min_ps, a.single[x] < b.single[x] ? a.single[x] : b.single[x])
SINGLES(max_ps, a.single[x] > b.single[x] ? a.single[x] : b.single[x])
WORDS64(add_epi64, a.word64[x] + b.word64[x])
WORDS64(sub_epi64, a.word64[x] - b.word64[x])
DOUBLES(add_pd, a.twice[x] + b.twice[x])
DOUBLES(sub_pd, a.twice[x] - b.twice[x])
DOUBLES(mul_pd, a.twice[x] * b.twice[x])
DOUBLES(max_pd, a.twice[x] > b.twice[x] ? a.twice[x] : b.twice[x])
EMULATED_COMPARE(cmpeq_epi16_mask, __mmask32, half, 32, a.half[x] == b.half[x])
EMULATED_COMPARE(cmpneq_epi32_mask, __mmask16, word, 16, a.word[x] != b.word[x])
EMULATED_COMPARE(test_epi16_mask, __mmask32, half, 32, (a.half[x] & b.half[x]) != 0)
EMULATED_COMPARE(test_epi32_mask, __mmask16, word, 16, (a.word[x] & b.word[x]) != 0)
EMULATED_COMPARE(cmpgt_epu32_mask, __mmask16, word, 16, a.word[x] > b.word[x])
EMULATED_COMPARE(cmpgt_epu64_mask, __mmask8, word64, 8, a.word64[x] > b.word64[x])
EMULATED_COMPARE(test_epi64_mask, __mmask8, word64, 8, (a.word64[x] & b.word64[x]) != 0)
EMULATED_COMPARE(cmpgt_epi32_mask, __mmask16, word, 16, (int32_t)a.word[x] > (int32_t)b.word[x])

EMULATED __m512i emulated_set1_epi16(short value) {
    union emulated r;
    for (int x = 0; x < 32; x++)
        r.half[x] = (uint16_t)value;
    return r.i;
}
EMULATED __m512i emulated_set1_epi32(int value) {
    union emulated r;
    for (int x = 0; x < 16; x++)
        r.word[x] = (uint32_t)value;
    return r.i;
}
EMULATED __m512i emulated_set1_epi64(long long value) {
    union emulated r;
    for (int x = 0; x < 16; x++)
        r.word[x] = (uint32_t)((unsigned long long)value >> 32 * (x % 2));
    return r.i;
}
EMULATED __m512 emulated_set1_ps(float value) {
    union emulated r;
    for (int x = 0; x < 16; x++)
        r.single[x] = value;
    return r.f;
}
EMULATED __m512d emulated_set1_pd(double value) {
    union emulated r;
    for (int x = 0; x < 8; x++)
        r.twice[x] = value;
    return r.d;
}
EMULATED __m512i emulated_castpd_si512(__m512d a) {
    return (union emulated){.d = a}.i;
}
EMULATED __m512d emulated_castsi512_pd(__m512i a) {
    return (union emulated){.i = a}.d;
}
EMULATED __m512d emulated_loadu_pd(const void *from) {
    union emulated r;
    memcpy(&r, from, sizeof r);
    return r.d;
}
EMULATED __m512d emulated_cvtps_pd(__m256 a_) {
    union emulated r;
    float a[8];
    memcpy(a, &a_, sizeof a);
    for (int x = 0; x < 8; x++)
        r.twice[x] = (double)a[x];
    return r.d;
}
EMULATED __m256 emulated_cvtpd_ps(__m512d a_) {
    union emulated a = {.d = a_};
    float r[8];
    __m256 all;
    for (int x = 0; x < 8; x++)
        r[x] = (float)a.twice[x];
    memcpy(&all, r, sizeof all);
    return all;
}
/* KIND: equal, not less, greater. */
EMULATED int emulated_compare(double a, double b, int kind) {
    return kind == _CMP_EQ_OQ ? a == b : kind == _CMP_NLT_UQ ? !(a < b) : a > b;
}
EMULATED __mmask16 emulated_cmp_ps_mask(__m512 a_, __m512 b_, int kind) {
    union emulated a = {.f = a_}, b = {.f = b_};
    uint32_t r = 0;
    for (int x = 0; x < 16; x++)
        r |= (uint32_t)emulated_compare((double)a.single[x], (double)b.single[x], kind) << x;
    return (__mmask16)r;
}
EMULATED __mmask8 emulated_cmp_pd_mask(__m512d a_, __m512d b_, int kind) {
    union emulated a = {.d = a_}, b = {.d = b_};
    uint32_t r = 0;
    for (int x = 0; x < 8; x++)
        r |= (uint32_t)emulated_compare(a.twice[x], b.twice[x], kind) << x;
    return (__mmask8)r;
}
EMULATED __m512i emulated_srl_epi64(__m512i a, __m128i count) {
    union emulated r = {.i = a};
    for (int x = 0; x < 8; x++)
        r.word64[x] >>= _mm_cvtsi128_si32(count);
    return r.i;
}
EMULATED __m512i emulated_setzero_si512(void) {
    return emulated_set1_epi32(0);
}
EMULATED __m512i emulated_castps_si512(__m512 a) {
    return (union emulated){.f = a}.i;
}
EMULATED __m512 emulated_castsi512_ps(__m512i a) {
    return (union emulated){.i = a}.f;
}
EMULATED __m512i emulated_loadu_si512(const void *from) {
    union emulated r;
    memcpy(&r, from, sizeof r);
    return r.i;
}
EMULATED __m512 emulated_loadu_ps(const void *from) {
    union emulated r;
    memcpy(&r, from, sizeof r);
    return r.f;
}
EMULATED void emulated_storeu_si512(void *to, __m512i a) {
    memcpy(to, &a, sizeof a);
}
EMULATED void emulated_storeu_ps(void *to, __m512 a) {
    memcpy(to, &a, sizeof a);
}

EMULATED __m512i emulated_slli_epi16(__m512i a, unsigned count) {
    return emulated_sllv_epi16(a, emulated_set1_epi16((short)count));
}
EMULATED __m512i emulated_slli_epi32(__m512i a, unsigned count) {
    return emulated_sllv_epi32(a, emulated_set1_epi32((int)count));
}
EMULATED __m512i emulated_srli_epi16(__m512i a, unsigned count) {
    union emulated r = {.i = a};
    for (int x = 0; x < 32; x++)
        r.half[x] = (uint16_t)(count < 16 ? r.half[x] >> count : 0);
    return r.i;
}
EMULATED __m512i emulated_srl_epi16(__m512i a, __m128i count) {
    return emulated_srli_epi16(a, (unsigned)_mm_cvtsi128_si32(count));
}
EMULATED __m512i emulated_srli_epi32(__m512i a, unsigned count) {
    union emulated r = {.i = a};
    for (int x = 0; x < 16; x++)
        r.word[x] = count < 32 ? r.word[x] >> count : 0;
    return r.i;
}
EMULATED __m512i emulated_rol_epi32(__m512i a, unsigned count) { /* count: 1..31 */
    return emulated_or_si512(emulated_slli_epi32(a, count), emulated_srli_epi32(a, 32 - count));
}
EMULATED __m512i emulated_cvtepu16_epi32(__m256i a) {
    union emulated r;
    uint16_t half[16];
    memcpy(half, &a, sizeof half);
    for (int x = 0; x < 16; x++)
        r.word[x] = half[x];
    return r.i;
}
EMULATED __m512i emulated_abs_epi32(__m512i a) {
    return emulated_max_epi32(a, emulated_sub_epi32(emulated_setzero_si512(), a));
}
EMULATED __m256i emulated_extracti64x4_epi64(__m512i a, int upper) {
    __m256i r;
    memcpy(&r, (const char *)&a + 32 * upper, sizeof r);
    return r;
}
EMULATED __m256i emulated_castsi512_si256(__m512i a) {
    return emulated_extracti64x4_epi64(a, 0);
}
EMULATED __m512 emulated_permutevar_ps(__m512 a_, __m512i index_) {
    union emulated a = {.f = a_}, index = {.i = index_}, r;
    for (int x = 0; x < 16; x++)
        r.word[x] = a.word[x / 4 * 4 + index.word[x] % 4];
    return r.f;
}
EMULATED __m512i emulated_permutex2var_epi32(__m512i a_, __m512i index_, __m512i b_) {
    union emulated a = {.i = a_}, b = {.i = b_}, index = {.i = index_}, r;
    for (int x = 0; x < 16; x++)
        r.word[x] = (index.word[x] & 16 ? b : a).word[index.word[x] & 15];
    return r.i;
}

/* B where the mask has a one, else A. */
EMULATED __m512i emulated_mask_blend_epi16(__mmask32 mask, __m512i a_, __m512i b_) {
    union emulated a = {.i = a_}, b = {.i = b_};
    for (int x = 0; x < 32; x++)
        a.half[x] = mask >> x & 1 ? b.half[x] : a.half[x];
    return a.i;
}
EMULATED __m512i emulated_mask_mov_epi16(__m512i a, __mmask32 mask, __m512i b) {
    return emulated_mask_blend_epi16(mask, a, b);
}
EMULATED __m512i emulated_mask_mov_epi32(__m512i a_, __mmask16 mask, __m512i b_) {
    union emulated a = {.i = a_}, b = {.i = b_};
    for (int x = 0; x < 16; x++)
        a.word[x] = mask >> x & 1 ? b.word[x] : a.word[x];
    return a.i;
}
EMULATED __m512 emulated_mask_mov_ps(__m512 a, __mmask16 mask, __m512 b) {
    return emulated_castsi512_ps(emulated_mask_mov_epi32(emulated_castps_si512(a), mask, emulated_castps_si512(b)));
}
EMULATED __m512d emulated_mask_mov_pd(__m512d a_, __mmask8 mask, __m512d b_) {
    union emulated a = {.d = a_}, b = {.d = b_};
    for (int x = 0; x < 8; x++)
        a.word64[x] = mask >> x & 1 ? b.word64[x] : a.word64[x];
    return a.d;
}
EMULATED __m512d emulated_fmadd_pd(__m512d a_, __m512d b_, __m512d c_) {
    union emulated a = {.d = a_}, b = {.d = b_}, c = {.d = c_};
    for (int x = 0; x < 8; x++)
        c.twice[x] = __builtin_fma(a.twice[x], b.twice[x], c.twice[x]);
    return c.d;
}
EMULATED __m512d emulated_add_round_pd(__m512d a, __m512d b, int round) {
    const unsigned before = _mm_getcsr();
    union emulated r = {.d = b};
    _mm_setcsr((before & ~0x6000u) | (unsigned)(round & 3) << 13);
    __asm__ volatile("" : "+m"(r));
    r.d = emulated_add_pd(a, r.d);
    __asm__ volatile("" : "+m"(r));
    _mm_setcsr(before);
    return r.d;
}
EMULATED __m512i emulated_cvtps_epi32(__m512 a_) {
    union emulated a = {.f = a_}, r;
    for (int x = 0; x < 16; x++)
        r.word[x] = (uint32_t)_mm_cvtss_si32(_mm_set_ss(a.single[x]));
    return r.i;
}
EMULATED __m256i emulated_cvtpd_epi32(__m512d a_) {
    union emulated a = {.d = a_}, r;
    __m256i first;
    for (int x = 0; x < 8; x++)
        r.word[x] = (uint32_t)_mm_cvtsd_si32(_mm_set_sd(a.twice[x]));
    memcpy(&first, &r, sizeof first);
    return first;
}
EMULATED __m512i emulated_castsi256_si512(__m256i a) {
    union emulated r = {.word = {0}};
    memcpy(&r, &a, sizeof a);
    return r.i;
}
EMULATED __m512i emulated_inserti64x4(__m512i a, __m256i b, int upper) {
    memcpy((char *)&a + 32 * upper, &b, sizeof b);
    return a;
}
EMULATED __m256 emulated_extractf32x8_ps(__m512 a, int upper) {
    __m256 r;
    memcpy(&r, (const char *)&a + 32 * upper, sizeof r);
    return r;
}
EMULATED __m256 emulated_castps512_ps256(__m512 a) {
    return emulated_extractf32x8_ps(a, 0);
}
EMULATED __m512i emulated_cvttps_epi32(__m512 a_) {
    union emulated a = {.f = a_}, r;
    for (int x = 0; x < 16; x++)
        r.word[x] = (uint32_t)(int32_t)a.single[x];
    return r.i;
}
EMULATED __m512 emulated_fmadd_ps(__m512 a_, __m512 b_, __m512 c_) {
    union emulated a = {.f = a_}, b = {.f = b_}, c = {.f = c_};
    for (int x = 0; x < 16; x++)
        c.single[x] = __builtin_fmaf(a.single[x], b.single[x], c.single[x]);
    return c.f;
}

/* ROUND: toward minus Inf or plus Inf. The barriers keep the arithmetic between the two changes of MXCSR. */
EMULATED __m512 emulated_fmadd_round_ps(__m512 a, __m512 b, __m512 c, int round) {
    const unsigned before = _mm_getcsr();
    union emulated r = {.f = c};
    _mm_setcsr((before & ~0x6000u) | (unsigned)(round & 3) << 13);
    __asm__ volatile("" : "+m"(r));
    r.f = emulated_fmadd_ps(a, b, r.f);
    __asm__ volatile("" : "+m"(r));
    _mm_setcsr(before);
    return r.f;
}
EMULATED __m512 emulated_add_round_ps(__m512 a, __m512 b, int round) {
    return emulated_fmadd_round_ps(a, emulated_castsi512_ps(emulated_set1_epi32(0x3f800000)), b, round);
}

EMULATED __m512 emulated_dpbf16_ps(__m512 sum, __m512bh a_, __m512bh b_) {
    const unsigned before = _mm_getcsr();
    union emulated a, b, r = {.f = sum};
    memcpy(&a, &a_, sizeof a);
    memcpy(&b, &b_, sizeof b);
    _mm_setcsr(0x9fc0);
    __asm__ volatile("" : "+m"(a), "+m"(b), "+m"(r));
    const __m512i upper = emulated_set1_epi32((int)0xffff0000);
    for (int lower = 0; lower < 2; lower++) {
        __m512i x = lower ? emulated_slli_epi32(a.i, 16) : emulated_and_si512(a.i, upper);
        __m512i y = lower ? emulated_slli_epi32(b.i, 16) : emulated_and_si512(b.i, upper);
        r.f = emulated_fmadd_ps(emulated_castsi512_ps(x), emulated_castsi512_ps(y), r.f);
    }
    __asm__ volatile("" : "+m"(r));
    _mm_setcsr(before);
    return r.f;
}

#define _mm512_abs_epi32 emulated_abs_epi32
#define _mm512_add_epi64 emulated_add_epi64
#define _mm512_add_pd emulated_add_pd
#undef _mm512_add_round_pd
#define _mm512_add_round_pd emulated_add_round_pd
#define _mm512_castpd_si512 emulated_castpd_si512
#define _mm512_castsi512_pd emulated_castsi512_pd
#define _mm512_cmpgt_epu32_mask emulated_cmpgt_epu32_mask
#define _mm512_cmpgt_epu64_mask emulated_cmpgt_epu64_mask
#undef _mm512_cmp_pd_mask
#define _mm512_cmp_pd_mask emulated_cmp_pd_mask
#undef _mm512_cmp_ps_mask
#define _mm512_cmp_ps_mask emulated_cmp_ps_mask
#define _mm512_castps512_ps256 emulated_castps512_ps256
#define _mm512_castsi256_si512 emulated_castsi256_si512
#define _mm512_cvtpd_epi32 emulated_cvtpd_epi32
#define _mm512_cvtpd_ps emulated_cvtpd_ps
#define _mm512_cvtps_pd emulated_cvtps_pd
#undef _mm512_extractf32x8_ps
#define _mm512_extractf32x8_ps emulated_extractf32x8_ps
#define _mm512_fmadd_pd emulated_fmadd_pd
#undef _mm512_inserti64x4
#define _mm512_inserti64x4 emulated_inserti64x4
#define _mm512_loadu_pd emulated_loadu_pd
#define _mm512_mask3_fmadd_pd(a, b, c, mask) emulated_mask_mov_pd(c, mask, emulated_fmadd_pd(a, b, c))
#define _mm512_mask3_fmadd_ps(a, b, c, mask) emulated_mask_mov_ps(c, mask, emulated_fmadd_ps(a, b, c))
#define _mm512_mask_mov_pd emulated_mask_mov_pd
#define _mm512_mask_mul_pd(c, mask, a, b) emulated_mask_mov_pd(c, mask, emulated_mul_pd(a, b))
#define _mm512_mask_mul_ps(c, mask, a, b) emulated_mask_mov_ps(c, mask, emulated_mul_ps(a, b))
#define _mm512_maskz_mov_pd(mask, a) emulated_mask_mov_pd(emulated_castsi512_pd(emulated_setzero_si512()), mask, a)
#define _mm512_maskz_mul_pd(mask, a, b) _mm512_maskz_mov_pd(mask, emulated_mul_pd(a, b))
#define _mm512_maskz_mul_ps(mask, a, b) _mm512_maskz_mov_ps(mask, emulated_mul_ps(a, b))
#define _mm512_max_pd emulated_max_pd
#define _mm512_max_ps emulated_max_ps
#define _mm512_mul_pd emulated_mul_pd
#define _mm512_set1_pd emulated_set1_pd
#define _mm512_set1_ps emulated_set1_ps
#define _mm512_srl_epi32(a, count) emulated_srli_epi32(a, (unsigned)_mm_cvtsi128_si32(count))
#define _mm512_srl_epi64 emulated_srl_epi64
#define _mm512_sub_epi64 emulated_sub_epi64
#define _mm512_sub_pd emulated_sub_pd
#define _mm512_test_epi64_mask emulated_test_epi64_mask
#define _mm512_add_epi16 emulated_add_epi16
#define _mm512_add_epi32 emulated_add_epi32
#define _mm512_adds_epi16 emulated_adds_epi16
#define _mm512_add_ps emulated_add_ps
#define _mm512_add_round_ps emulated_add_round_ps
#define _mm512_and_si512 emulated_and_si512
#define _mm512_castps_si512 emulated_castps_si512
#define _mm512_castsi512_ps emulated_castsi512_ps
#define _mm512_castsi512_si256 emulated_castsi512_si256
#define _mm512_cmpeq_epi16_mask emulated_cmpeq_epi16_mask
#define _mm512_cmpgt_epi32_mask emulated_cmpgt_epi32_mask
#define _mm512_cmpneq_epi32_mask emulated_cmpneq_epi32_mask
#define _mm512_cvtepu16_epi32 emulated_cvtepu16_epi32
#define _mm512_cvtps_epi32 emulated_cvtps_epi32
#define _mm512_cvttps_epi32 emulated_cvttps_epi32
#define _mm512_dpbf16_ps emulated_dpbf16_ps
#undef _mm512_extracti64x4_epi64
#define _mm512_extracti64x4_epi64 emulated_extracti64x4_epi64
#define _mm512_fmadd_ps emulated_fmadd_ps
#define _mm512_fmadd_round_ps emulated_fmadd_round_ps
#define _mm512_loadu_ps emulated_loadu_ps
#define _mm512_loadu_si512 emulated_loadu_si512
#define _mm512_madd_epi16 emulated_madd_epi16
#define _mm512_mask_mov_epi16 emulated_mask_mov_epi16
#define _mm512_mask_mov_epi32 emulated_mask_mov_epi32
#define _mm512_mask_mov_ps emulated_mask_mov_ps
#undef _mm512_mask_cmp_ps_mask
#define _mm512_mask_cmp_ps_mask(mask, a, b, kind) (__mmask16)((mask)&emulated_cmp_ps_mask(a, b, kind))
#define _mm512_mask_sub_epi32(other, mask, a, b) emulated_mask_mov_epi32(other, mask, emulated_sub_epi32(a, b))
#define _mm512_maskz_mov_epi32(mask, a) emulated_mask_mov_epi32(emulated_setzero_si512(), mask, a)
#undef _mm512_ternarylogic_epi32 /* of the two tables that the engines use, 0xfe and 0xea */
#define _mm512_ternarylogic_epi32(a, b, c, table)                                                                      \
    emulated_or_si512((table) == 0xfe ? emulated_or_si512(a, b) : emulated_and_si512(a, b), c)
#define _mm512_maskz_mov_ps(mask, a) emulated_mask_mov_ps(emulated_castsi512_ps(emulated_setzero_si512()), mask, a)
#define _mm512_max_epi32 emulated_max_epi32
#define _mm512_max_epu16 emulated_max_epu16
#define _mm512_min_epi16 emulated_min_epi16
#define _mm512_min_epi32 emulated_min_epi32
#define _mm512_min_ps emulated_min_ps
#define _mm512_mul_ps emulated_mul_ps
#define _mm512_or_si512 emulated_or_si512
#define _mm512_permutevar_ps emulated_permutevar_ps
#define _mm512_permutex2var_epi32 emulated_permutex2var_epi32
#undef _mm512_rol_epi32
#define _mm512_rol_epi32 emulated_rol_epi32
#define _mm512_set1_epi16 emulated_set1_epi16
#define _mm512_set1_epi32 emulated_set1_epi32
#define _mm512_set1_epi64 emulated_set1_epi64
#define _mm512_setzero_si512 emulated_setzero_si512
#define _mm512_slli_epi16 emulated_slli_epi16
#define _mm512_slli_epi32 emulated_slli_epi32
#define _mm512_srli_epi32 emulated_srli_epi32
#define _mm512_sllv_epi16 emulated_sllv_epi16
#define _mm512_srav_epi32 emulated_srav_epi32
#define _mm512_srl_epi16 emulated_srl_epi16
#define _mm512_storeu_ps emulated_storeu_ps
#define _mm512_storeu_si512 emulated_storeu_si512
#define _mm512_sub_epi16 emulated_sub_epi16
#define _mm512_sub_epi32 emulated_sub_epi32
#define _mm512_sub_ps emulated_sub_ps
#define _mm512_subs_epu16 emulated_subs_epu16
#define _mm512_test_epi16_mask emulated_test_epi16_mask
#define _mm512_test_epi32_mask emulated_test_epi32_mask
#define _mm512_xor_si512 emulated_xor_si512
#define _mm512_set_epi32(f, e, d, c, b, a, i9, i8, i7, i6, i5, i4, i3, i2, i1, i0)                                     \
    ((union emulated){.word = {i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, a, b, c, d, e, f}}.i)

#endif
