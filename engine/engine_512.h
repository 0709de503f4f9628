/* Vectors of 512 bits, for engine_one.h, engine_two.h and engine_four.h; engine_256.h has the same names. Words are 32
 * bits, halves 16. */
#ifndef DAA_ENGINE_512_H
#define DAA_ENGINE_512_H

#include <immintrin.h>

#include "engine_pack.h"

enum {
    WIDTH = 16, /* words of a vector */
    ONE_ROWS = 8,
    KEY_LOG2 = 5,
    KEY_BIAS = -(1 << 15), /* keys have no sign */
};

typedef __m512i words;
typedef __m512 floats;
typedef __mmask16 of_words; /* which words */
typedef __mmask32 of_halves;

INLINE words load_words(const uint32_t *from) {
    return _mm512_loadu_si512(from);
}
INLINE void store_words(uint32_t *to, words a) {
    _mm512_storeu_si512(to, a);
}
INLINE words load_halves(const uint16_t *from) {
    return _mm512_loadu_si512(from);
}
/* The same words, as floats. */
INLINE floats load_floats_of(const uint32_t *from) {
    return _mm512_castsi512_ps(load_words(from));
}
INLINE floats load_floats(const float *from) {
    return _mm512_loadu_ps(from);
}
INLINE void store_floats(float *to, floats a) {
    _mm512_storeu_ps(to, a);
}
/* WIDTH halves as words. */
INLINE words widen(const uint16_t *from) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)from));
}
/* Words 0 to 7 to TO, the others to NEXT. */
INLINE void store_eights(uint32_t *to, uint32_t *next, words a) {
    _mm256_storeu_si256((__m256i_u *)to, _mm512_castsi512_si256(a));
    _mm256_storeu_si256((__m256i_u *)next, _mm512_extracti64x4_epi64(a, 1));
}
/* Each word of A with that of B behind it, of words 0 to 7 to TO, of the others to NEXT. */
INLINE void store_pairs(uint32_t *to, uint32_t *next, words a, words b) {
    const words low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    store_words(to, _mm512_permutex2var_epi32(a, low, b));
    store_words(next, _mm512_permutex2var_epi32(a, _mm512_or_si512(low, _mm512_set1_epi32(8)), b));
}

INLINE words all_words(int value) {
    return _mm512_set1_epi32(value);
}
INLINE words all_halves(int value) {
    return _mm512_set1_epi16((short)value);
}
/* In a register: the compiler would load it again for every vector of lanes. */
INLINE words once(const uint32_t *word) {
    words all = _mm512_set1_epi32((int)*word);
#ifdef __AVX512F__
    __asm__("" : "+v"(all));
#endif
    return all;
}

/* A pair of words, over and over. */
INLINE words twice(const uint32_t *pair) {
    uint64_t both;
    memcpy(&both, pair, sizeof both);
    words all = _mm512_set1_epi64((long long)both);
#ifdef __AVX512F__
    __asm__("" : "+v"(all));
#endif
    return all;
}
/* Of twice()'s pairs the first word where A is even, the second one where it is odd. */
INLINE words by_lowest_bit(words pairs, words a) {
    return _mm512_castps_si512(_mm512_permutevar_ps(_mm512_castsi512_ps(pairs), a));
}

INLINE words and_words(words a, words b) {
    return _mm512_and_si512(a, b);
}
INLINE words or_words(words a, words b) {
    return _mm512_or_si512(a, b);
}
INLINE words xor_words(words a, words b) {
    return _mm512_xor_si512(a, b);
}
INLINE words or_three(words a, words b, words c) {
    return _mm512_ternarylogic_epi32(a, b, c, 0xfe);
}
/* Zeros elsewhere. */
INLINE words keep_words(of_words mask, words a) {
    return _mm512_maskz_mov_epi32(mask, a);
}
INLINE words add_words(words a, words b) {
    return _mm512_add_epi32(a, b);
}
INLINE words min_words(words a, words b) {
    return _mm512_min_epi32(a, b);
}
INLINE words max_words(words a, words b) {
    return _mm512_max_epi32(a, b);
}
INLINE words abs_words(words a) {
    return _mm512_abs_epi32(a);
}
INLINE words half_up(words a) {
    return _mm512_slli_epi32(a, 16);
}
INLINE words turned(words a) {
    return _mm512_rol_epi32(a, 16);
}
INLINE words even_words(words a, words b) {
    return _mm512_permutex2var_epi32(a, _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0), b);
}
INLINE words odd_words(words a, words b) {
    return _mm512_permutex2var_epi32(a, _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1), b);
}
INLINE of_words greater_words(words a, words b) {
    return _mm512_cmpgt_epi32_mask(a, b);
}
/* A where the mask says so, else B. */
INLINE words pick_words(of_words mask, words a, words b) {
    return _mm512_mask_mov_epi32(b, mask, a);
}

INLINE words add_halves(words a, words b) {
    return _mm512_add_epi16(a, b);
}
INLINE words sub_halves(words a, words b) {
    return _mm512_sub_epi16(a, b);
}
/* A + B, at most the largest half. */
INLINE words saturated_halves(words a, words b) {
    return _mm512_adds_epi16(a, b);
}
INLINE words min_halves(words a, words b) {
    return _mm512_min_epi16(a, b);
}
INLINE words keys_of(words exponents) {
    return _mm512_slli_epi16(exponents, KEY_LOG2);
}
INLINE words down_halves(words a, __m128i count) {
    return _mm512_srl_epi16(a, count);
}
/* Lower times lower plus upper times upper, with their signs. */
INLINE words products_of_halves(words a, words b) {
    return _mm512_madd_epi16(a, b);
}
INLINE of_halves equal_halves(words a, words b) {
    return _mm512_cmpeq_epi16_mask(a, b);
}
INLINE of_halves not_zero_halves(words a) {
    return _mm512_test_epi16_mask(a, a);
}
INLINE words pick_halves(of_halves mask, words a, words b) {
    return _mm512_mask_mov_epi16(b, mask, a);
}
INLINE words max_keys(words a, words b) {
    return _mm512_max_epu16(a, b);
}
/* Zeros where KEY is not above LAST, by a shift of how far it is below, which is then at least 16: a second mask would
 * take longer. */
INLINE words above(words a, words key, words last) {
    return _mm512_sllv_epi16(a, _mm512_subs_epu16(last, key));
}

INLINE floats as_floats(words a) {
    return _mm512_castsi512_ps(a);
}
INLINE bool any_of(of_words mask) {
    return mask;
}
/* A bit a word. */
INLINE unsigned bits_of(of_words mask) {
    return mask;
}
INLINE of_words of_bits(unsigned bits) {
    return (of_words)bits;
}
INLINE of_words no_words(void) {
    return 0;
}
INLINE of_words either_words(of_words a, of_words b) {
    return a | b;
}
INLINE words as_words(floats a) {
    return _mm512_castps_si512(a);
}
INLINE floats add(floats a, floats b) {
    return _mm512_add_ps(a, b);
}
INLINE floats sub(floats a, floats b) {
    return _mm512_sub_ps(a, b);
}
INLINE floats mul(floats a, floats b) {
    return _mm512_mul_ps(a, b);
}
INLINE floats fma_of(floats a, floats b, floats c) {
    return _mm512_fmadd_ps(a, b, c);
}
INLINE words magnitude(floats a) {
    return and_words(as_words(a), all_words(INT32_MAX));
}
/* A + B rounded to odd: an inexact sum ends in a one, so that with a far larger addend it is half way between two
 * floats only if it is so exactly. */
INLINE floats sum_to_odd(floats a, floats b) {
    const words down = as_words(_mm512_add_round_ps(a, b, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
    const words up = as_words(_mm512_add_round_ps(a, b, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC));
    return as_floats(pick_words(_mm512_test_epi32_mask(down, all_words(1)), down, up));
}

/* acc + A B + C in *SUM, and where it may not be rounded as by one rounding: where the floats around A B + C differ in
 * it.
 */
INLINE of_words add_short(floats acc, floats a, floats b, floats c, floats *sum) {
    const floats below = _mm512_fmadd_round_ps(a, b, c, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    const floats above = _mm512_fmadd_round_ps(a, b, c, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
    *sum = add(acc, below);
    return _mm512_cmpneq_epi32_mask(as_words(*sum), as_words(add(acc, above)));
}

INLINE words sub_words(words a, words b) {
    return _mm512_sub_epi32(a, b);
}

/* ---- numbers of engine_many.h: floats (f) and doubles (d) ---- */

typedef __m512d doubles;
typedef of_words f_mask;
typedef __mmask8 d_mask;
enum { f_FRAC_BITS = 23, d_FRAC_BITS = 52 };

/* What the compiler then has in a register. */
#ifdef __AVX512F__
#define HELD(all) __asm__("" : "+v"(all))
#else
#define HELD(all) (void)0
#endif
#define NUMBERS(x, nums, number, ps)                                                                                   \
    INLINE nums x##_load(const number *from) {                                                                         \
        return _mm512_loadu_##ps(from);                                                                                \
    }                                                                                                                  \
    INLINE nums x##_all(number value) {                                                                                \
        return _mm512_set1_##ps(value);                                                                                \
    }                                                                                                                  \
    INLINE nums x##_add(nums a, nums b) {                                                                              \
        return _mm512_add_##ps(a, b);                                                                                  \
    }                                                                                                                  \
    INLINE nums x##_sub(nums a, nums b) {                                                                              \
        return _mm512_sub_##ps(a, b);                                                                                  \
    }                                                                                                                  \
    INLINE nums x##_mul(nums a, nums b) {                                                                              \
        return _mm512_mul_##ps(a, b);                                                                                  \
    }                                                                                                                  \
    /* In a register, as once(). */                                                                                    \
    INLINE nums x##_once(const number *from) {                                                                         \
        nums all = x##_all(*from);                                                                                     \
        HELD(all);                                                                                                     \
        return all;                                                                                                    \
    }                                                                                                                  \
    /* A B + C there, else C; A B there, else zeros. */                                                                \
    INLINE nums x##_fma_where(x##_mask mask, nums a, nums b, nums c) {                                                 \
        return _mm512_mask3_fmadd_##ps(a, b, c, mask);                                                                 \
    }                                                                                                                  \
    INLINE nums x##_mul_where(x##_mask mask, nums a, nums b) {                                                         \
        return _mm512_maskz_mul_##ps(mask, a, b);                                                                      \
    }                                                                                                                  \
    INLINE nums x##_max(nums a, nums b) {                                                                              \
        return _mm512_max_##ps(a, b);                                                                                  \
    }                                                                                                                  \
    /* Zeros elsewhere. */                                                                                             \
    INLINE nums x##_keep(x##_mask mask, nums a) {                                                                      \
        return _mm512_maskz_mov_##ps(mask, a);                                                                         \
    }                                                                                                                  \
    /* A where the mask says so, else B. */                                                                            \
    INLINE nums x##_pick(x##_mask mask, nums a, nums b) {                                                              \
        return _mm512_mask_mov_##ps(b, mask, a);                                                                       \
    }                                                                                                                  \
    /* A B there, else A. */                                                                                           \
    INLINE nums x##_times_where(x##_mask mask, nums a, nums b) {                                                       \
        return _mm512_mask_mul_##ps(a, mask, a, b);                                                                    \
    }                                                                                                                  \
    INLINE x##_mask x##_equal(nums a, nums b) {                                                                        \
        return _mm512_cmp_##ps##_mask(a, b, _CMP_EQ_OQ);                                                               \
    }                                                                                                                  \
    /* A is not below B, or a NaN. */                                                                                  \
    INLINE x##_mask x##_reaches(nums a, nums b) {                                                                      \
        return _mm512_cmp_##ps##_mask(a, b, _CMP_NLT_UQ);                                                              \
    }                                                                                                                  \
    INLINE x##_mask x##_exceeds(nums a, nums b) {                                                                      \
        return _mm512_cmp_##ps##_mask(a, b, _CMP_GT_OQ);                                                               \
    }
NUMBERS(f, floats, float, ps)
NUMBERS(d, doubles, double, pd)
#undef NUMBERS

INLINE words f_bits(uint64_t value) {
    return _mm512_set1_epi32((int)(uint32_t)value);
}
INLINE words d_bits(uint64_t value) {
    return _mm512_set1_epi64((long long)value);
}
INLINE floats f_size(floats a) {
    return as_floats(magnitude(a));
}
INLINE doubles d_size(doubles a) {
    return _mm512_castsi512_pd(and_words(_mm512_castpd_si512(a), d_bits(INT64_MAX)));
}
INLINE floats f_to_odd(floats a, floats b) {
    return sum_to_odd(a, b);
}
INLINE doubles d_to_odd(doubles a, doubles b) {
    const doubles down = _mm512_add_round_pd(a, b, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    const doubles up = _mm512_add_round_pd(a, b, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
    return _mm512_mask_mov_pd(up, _mm512_test_epi64_mask(_mm512_castpd_si512(down), d_bits(1)), down);
}
/* Is one below LEAST or above MOST? Of numbers without a sign. */
INLINE bool f_any_outside(floats a, floats least, floats most) {
    const words first = as_words(least), above = sub_words(as_words(a), first);
    return _mm512_cmpgt_epu32_mask(above, sub_words(as_words(most), first));
}
INLINE bool d_any_outside(doubles a, doubles least, doubles most) {
    const words first = _mm512_castpd_si512(least), above = _mm512_sub_epi64(_mm512_castpd_si512(a), first);
    return _mm512_cmpgt_epu64_mask(above, _mm512_sub_epi64(_mm512_castpd_si512(most), first));
}
/* To nearest even: the last DROP bits of the fraction are rounded away. */
INLINE floats f_nearest(floats a, __m128i drop, words half, words kept) {
    const words bits = as_words(a), odd = and_words(_mm512_srl_epi32(bits, drop), all_words(1));
    return as_floats(and_words(add_words(add_words(bits, half), odd), kept));
}
INLINE doubles d_nearest(doubles a, __m128i drop, words half, words kept) {
    const words bits = _mm512_castpd_si512(a), odd = and_words(_mm512_srl_epi64(bits, drop), d_bits(1));
    return _mm512_castsi512_pd(and_words(_mm512_add_epi64(_mm512_add_epi64(bits, half), odd), kept));
}
INLINE floats f_load_floats(const float *from) {
    return load_floats(from);
}
INLINE doubles d_load_floats(const float *from) {
    return _mm512_cvtps_pd(_mm256_loadu_ps(from));
}
INLINE void f_store_floats(float *to, floats a) {
    store_floats(to, a);
}
INLINE void d_store_floats(float *to, doubles a) {
    _mm256_storeu_ps(to, _mm512_cvtpd_ps(a));
}
/* A + B, rounded once to a float. */
INLINE floats f_add_as_float(floats a, floats b) {
    return add(a, b);
}
INLINE doubles d_add_as_float(doubles a, doubles b) {
    return _mm512_cvtps_pd(_mm512_cvtpd_ps(d_to_odd(a, b)));
}

/* ---- more words ---- */

INLINE words up_words(words a, int places) {
    return _mm512_slli_epi32(a, (unsigned)places);
}
INLINE words down_no_sign(words a, int places) {
    return _mm512_srli_epi32(a, (unsigned)places);
}
/* Arithmetic shifts, each word by its own number of places, which may be more than it has. */
INLINE words down_words(words a, words places) {
    return _mm512_srav_epi32(a, places);
}
/* In one instruction what the compiler makes of two: elsewhere A, no word. */
INLINE words sub_where(of_words mask, words a, words b) {
    return _mm512_mask_sub_epi32(a, mask, a, b);
}
INLINE of_words equal_where(of_words mask, floats a, floats b) {
    return _mm512_mask_cmp_ps_mask(mask, a, b, _CMP_EQ_OQ);
}
/* B where one of them is a NaN. */
INLINE floats lesser(floats a, floats b) {
    return _mm512_min_ps(a, b);
}
/* The bits of A that are MASK's, and those of B. */
INLINE words and_or_words(words a, words mask, words b) {
    return _mm512_ternarylogic_epi32(a, mask, b, 0xea);
}
/* Rounded to nearest even. */
INLINE words nearest_words(floats a) {
    return _mm512_cvtps_epi32(a);
}
/* Words 0 to 7 are FIRST's. */
INLINE words nearest_words_of(doubles first, doubles second) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtpd_epi32(first)), _mm512_cvtpd_epi32(second), 1);
}
INLINE doubles add_product(doubles sum, doubles a, doubles b) {
    return _mm512_fmadd_pd(a, b, sum);
}
INLINE doubles first_doubles(floats a) {
    return _mm512_cvtps_pd(_mm512_castps512_ps256(a));
}
INLINE doubles second_doubles(floats a) {
    return _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1));
}
/* Toward zero. */
INLINE words whole_words(floats a) {
    return _mm512_cvttps_epi32(a);
}
INLINE of_words both_words(of_words a, of_words b) {
    return a & b;
}
INLINE of_words but_not_words(of_words a, of_words b) {
    return a & (of_words)~b;
}
/* Where A has one of these bits. */
INLINE of_words bits_of_words(words a, words bits) {
    return _mm512_test_epi32_mask(a, bits);
}
#endif
