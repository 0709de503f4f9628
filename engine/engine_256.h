/* Vectors of 256 bits, for engine_one.h, engine_two.h and engine_four.h; engine_512.h has the same names and says what
 * they are. */
#ifndef DAA_ENGINE_256_H
#define DAA_ENGINE_256_H

#include <immintrin.h>

#include "engine_odd.h"
#include "engine_pack.h"

enum {
    WIDTH = 8,
    ONE_ROWS = 6,
    KEY_LOG2 = 5,
    KEY_BIAS = 0,
};

typedef __m256i words;
typedef __m256 floats;
typedef __m256i of_words; /* all ones or all zeros */
typedef __m256i of_halves;

INLINE words load_words(const uint32_t *from) {
    return _mm256_loadu_si256((const __m256i_u *)from);
}
INLINE void store_words(uint32_t *to, words a) {
    _mm256_storeu_si256((__m256i_u *)to, a);
}
INLINE words load_halves(const uint16_t *from) {
    return _mm256_loadu_si256((const __m256i_u *)from);
}
INLINE floats load_floats_of(const uint32_t *from) {
    return _mm256_castsi256_ps(load_words(from));
}
INLINE floats load_floats(const float *from) {
    return _mm256_loadu_ps(from);
}
INLINE void store_floats(float *to, floats a) {
    _mm256_storeu_ps(to, a);
}
INLINE words widen(const uint16_t *from) {
    return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i_u *)from));
}
INLINE void store_eights(uint32_t *to, uint32_t *next, words a) {
    (void)next;
    store_words(to, a);
}
INLINE void store_pairs(uint32_t *to, uint32_t *next, words a, words b) {
    const words low = _mm256_unpacklo_epi32(a, b), high = _mm256_unpackhi_epi32(a, b);
    (void)next;
    store_words(to, _mm256_permute2x128_si256(low, high, 0x20));
    store_words(to + WIDTH, _mm256_permute2x128_si256(low, high, 0x31));
}

INLINE words all_words(int value) {
    return _mm256_set1_epi32(value);
}
INLINE words all_halves(int value) {
    return _mm256_set1_epi16((short)value);
}
INLINE words once(const uint32_t *word) {
    words all = _mm256_set1_epi32((int)*word);
    __asm__("" : "+x"(all));
    return all;
}

INLINE words twice(const uint32_t *pair) {
    uint64_t both;
    memcpy(&both, pair, sizeof both);
    words all = _mm256_set1_epi64x((long long)both);
    __asm__("" : "+x"(all));
    return all;
}
INLINE words by_lowest_bit(words pairs, words a) {
    return _mm256_castps_si256(_mm256_permutevar_ps(_mm256_castsi256_ps(pairs), a));
}

INLINE words and_words(words a, words b) {
    return _mm256_and_si256(a, b);
}
INLINE words or_words(words a, words b) {
    return _mm256_or_si256(a, b);
}
INLINE words xor_words(words a, words b) {
    return _mm256_xor_si256(a, b);
}
INLINE words or_three(words a, words b, words c) {
    return or_words(or_words(a, b), c);
}
INLINE words keep_words(of_words mask, words a) {
    return _mm256_and_si256(a, mask);
}
INLINE words add_words(words a, words b) {
    return _mm256_add_epi32(a, b);
}
INLINE words min_words(words a, words b) {
    return _mm256_min_epi32(a, b);
}
INLINE words max_words(words a, words b) {
    return _mm256_max_epi32(a, b);
}
INLINE words abs_words(words a) {
    return _mm256_abs_epi32(a);
}
INLINE words half_up(words a) {
    return _mm256_slli_epi32(a, 16);
}
INLINE words turned(words a) {
    return _mm256_or_si256(_mm256_slli_epi32(a, 16), _mm256_srli_epi32(a, 16));
}
INLINE words even_words(words a, words b) {
    const __m256 picked = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88);
    return _mm256_permute4x64_epi64(_mm256_castps_si256(picked), 0xd8);
}
INLINE words odd_words(words a, words b) {
    const __m256 picked = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0xdd);
    return _mm256_permute4x64_epi64(_mm256_castps_si256(picked), 0xd8);
}
INLINE of_words greater_words(words a, words b) {
    return _mm256_cmpgt_epi32(a, b);
}
INLINE words pick_words(of_words mask, words a, words b) {
    return _mm256_blendv_epi8(b, a, mask);
}

INLINE words add_halves(words a, words b) {
    return _mm256_add_epi16(a, b);
}
INLINE words sub_halves(words a, words b) {
    return _mm256_sub_epi16(a, b);
}
INLINE words saturated_halves(words a, words b) {
    return _mm256_adds_epi16(a, b);
}
INLINE words min_halves(words a, words b) {
    return _mm256_min_epi16(a, b);
}
INLINE words keys_of(words exponents) {
    return _mm256_slli_epi16(exponents, KEY_LOG2);
}
INLINE words down_halves(words a, __m128i count) {
    return _mm256_srl_epi16(a, count);
}
INLINE words products_of_halves(words a, words b) {
    return _mm256_madd_epi16(a, b);
}
INLINE of_halves equal_halves(words a, words b) {
    return _mm256_cmpeq_epi16(a, b);
}
INLINE of_halves not_zero_halves(words a) {
    const words zero = _mm256_setzero_si256();
    return _mm256_cmpeq_epi16(_mm256_cmpeq_epi16(a, zero), zero);
}
/* The instruction itself: the compiler would first compare the mask with zero. */
INLINE words pick_halves(of_halves mask, words a, words b) {
    words r;
    __asm__("vpblendvb %3, %2, %1, %0" : "=x"(r) : "x"(b), "xm"(a), "x"(mask));
    return r;
}
INLINE words max_keys(words a, words b) {
    return _mm256_max_epi16(a, b);
}
INLINE words above(words a, words key, words last) {
    return _mm256_and_si256(a, _mm256_cmpgt_epi16(key, last));
}

INLINE floats as_floats(words a) {
    return _mm256_castsi256_ps(a);
}
INLINE bool any_of(of_words mask) {
    return !_mm256_testz_si256(mask, mask);
}
INLINE unsigned bits_of(of_words mask) {
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(mask));
}
INLINE of_words of_bits(unsigned bits) {
    const words each = _mm256_set_epi32(128, 64, 32, 16, 8, 4, 2, 1);
    return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)bits), each), each);
}
INLINE of_words no_words(void) {
    return _mm256_setzero_si256();
}
INLINE of_words either_words(of_words a, of_words b) {
    return _mm256_or_si256(a, b);
}
INLINE words as_words(floats a) {
    return _mm256_castps_si256(a);
}
INLINE floats add(floats a, floats b) {
    return _mm256_add_ps(a, b);
}
INLINE floats sub(floats a, floats b) {
    return _mm256_sub_ps(a, b);
}
INLINE floats mul(floats a, floats b) {
    return _mm256_mul_ps(a, b);
}
INLINE floats fma_of(floats a, floats b, floats c) {
    return _mm256_fmadd_ps(a, b, c);
}
INLINE words magnitude(floats a) {
    return and_words(as_words(a), all_words(INT32_MAX));
}
INLINE floats sum_to_odd(floats a, floats b) {
    const floats sum = add(a, b), part = sub(sum, a);
    const words error = as_words(add(sub(a, sub(sum, part)), sub(b, part))), zero = all_words(0);
    const of_words inexact = greater_words(and_words(error, all_words(INT32_MAX)), zero);
    const of_words too_far = greater_words(zero, xor_words(error, as_words(sum)));
    const words toward_zero = add_words(as_words(sum), too_far);
    const of_words finite = greater_words(all_words(0x7f800000), magnitude(sum));
    return as_floats(pick_words(and_words(inexact, finite), or_words(toward_zero, all_words(1)), as_words(sum)));
}

/* Here, where A B + C is no float. */
INLINE of_words add_short(floats acc, floats a, floats b, floats c, floats *sum) {
    const floats near = fma_of(a, b, c);
    const words rest = magnitude(fma_of(a, b, sub(c, near)));
    *sum = add(acc, near);
    return rest;
}

typedef __m256d doubles;
typedef floats f_mask; /* all ones or all zeros */
typedef doubles d_mask;
enum { f_FRAC_BITS = 23, d_FRAC_BITS = 52 };

#define HELD(all) __asm__("" : "+x"(all))
#define NUMBERS(x, nums, number, ps)                                                                                   \
    INLINE nums x##_load(const number *from) {                                                                         \
        return _mm256_loadu_##ps(from);                                                                                \
    }                                                                                                                  \
    INLINE nums x##_all(number value) {                                                                                \
        return _mm256_set1_##ps(value);                                                                                \
    }                                                                                                                  \
    INLINE nums x##_add(nums a, nums b) {                                                                              \
        return _mm256_add_##ps(a, b);                                                                                  \
    }                                                                                                                  \
    INLINE nums x##_sub(nums a, nums b) {                                                                              \
        return _mm256_sub_##ps(a, b);                                                                                  \
    }                                                                                                                  \
    INLINE nums x##_mul(nums a, nums b) {                                                                              \
        return _mm256_mul_##ps(a, b);                                                                                  \
    }                                                                                                                  \
    /* In a register, as once(). */                                                                                    \
    INLINE nums x##_once(const number *from) {                                                                         \
        nums all = x##_all(*from);                                                                                     \
        HELD(all);                                                                                                     \
        return all;                                                                                                    \
    }                                                                                                                  \
    /* A B + C there, else C; A B there, else zeros. */                                                                \
    INLINE nums x##_fma_where(x##_mask mask, nums a, nums b, nums c) {                                                 \
        return _mm256_fmadd_##ps(_mm256_and_##ps(mask, a), b, c);                                                      \
    }                                                                                                                  \
    INLINE nums x##_mul_where(x##_mask mask, nums a, nums b) {                                                         \
        return _mm256_mul_##ps(_mm256_and_##ps(mask, a), b);                                                           \
    }                                                                                                                  \
    INLINE nums x##_max(nums a, nums b) {                                                                              \
        return _mm256_max_##ps(a, b);                                                                                  \
    }                                                                                                                  \
    INLINE nums x##_keep(x##_mask mask, nums a) {                                                                      \
        return _mm256_and_##ps(mask, a);                                                                               \
    }                                                                                                                  \
    INLINE nums x##_pick(x##_mask mask, nums a, nums b) {                                                              \
        return _mm256_blendv_##ps(b, a, mask);                                                                         \
    }                                                                                                                  \
    INLINE nums x##_times_where(x##_mask mask, nums a, nums b) {                                                       \
        return _mm256_blendv_##ps(a, _mm256_mul_##ps(a, b), mask);                                                     \
    }                                                                                                                  \
    INLINE x##_mask x##_equal(nums a, nums b) {                                                                        \
        return _mm256_cmp_##ps(a, b, _CMP_EQ_OQ);                                                                      \
    }                                                                                                                  \
    INLINE x##_mask x##_reaches(nums a, nums b) {                                                                      \
        return _mm256_cmp_##ps(a, b, _CMP_NLT_UQ);                                                                     \
    }                                                                                                                  \
    INLINE x##_mask x##_exceeds(nums a, nums b) {                                                                      \
        return _mm256_cmp_##ps(a, b, _CMP_GT_OQ);                                                                      \
    }
NUMBERS(f, floats, float, ps)
NUMBERS(d, doubles, double, pd)
#undef NUMBERS

INLINE words f_bits(uint64_t value) {
    return _mm256_set1_epi32((int)(uint32_t)value);
}
INLINE words d_bits(uint64_t value) {
    return _mm256_set1_epi64x((long long)value);
}
INLINE floats f_size(floats a) {
    return as_floats(magnitude(a));
}
INLINE doubles d_size(doubles a) {
    return _mm256_and_pd(a, _mm256_castsi256_pd(d_bits(INT64_MAX)));
}
INLINE floats f_to_odd(floats a, floats b) {
    return sum_to_odd(a, b);
}
INLINE doubles d_to_odd(doubles a, doubles b) {
    return add_to_odd(a, b);
}
INLINE bool f_any_outside(floats a, floats least, floats most) {
    return _mm256_movemask_ps(_mm256_or_ps(_mm256_cmp_ps(a, least, _CMP_LT_OQ), f_exceeds(a, most)));
}
INLINE bool d_any_outside(doubles a, doubles least, doubles most) {
    return _mm256_movemask_pd(_mm256_or_pd(_mm256_cmp_pd(a, least, _CMP_LT_OQ), d_exceeds(a, most)));
}
INLINE floats f_nearest(floats a, __m128i drop, words half, words kept) {
    const words bits = as_words(a), odd = and_words(_mm256_srl_epi32(bits, drop), all_words(1));
    return as_floats(and_words(add_words(add_words(bits, half), odd), kept));
}
INLINE doubles d_nearest(doubles a, __m128i drop, words half, words kept) {
    const words bits = _mm256_castpd_si256(a), odd = and_words(_mm256_srl_epi64(bits, drop), d_bits(1));
    return _mm256_castsi256_pd(and_words(_mm256_add_epi64(_mm256_add_epi64(bits, half), odd), kept));
}
INLINE floats f_load_floats(const float *from) {
    return load_floats(from);
}
INLINE doubles d_load_floats(const float *from) {
    return _mm256_cvtps_pd(_mm_loadu_ps(from));
}
INLINE void f_store_floats(float *to, floats a) {
    store_floats(to, a);
}
INLINE void d_store_floats(float *to, doubles a) {
    _mm_storeu_ps(to, _mm256_cvtpd_ps(a));
}
INLINE floats f_add_as_float(floats a, floats b) {
    return add(a, b);
}
INLINE doubles d_add_as_float(doubles a, doubles b) {
    return _mm256_cvtps_pd(_mm256_cvtpd_ps(add_to_odd(a, b)));
}

INLINE words sub_words(words a, words b) {
    return _mm256_sub_epi32(a, b);
}
INLINE words up_words(words a, int places) {
    return _mm256_slli_epi32(a, places);
}
INLINE words down_no_sign(words a, int places) {
    return _mm256_srli_epi32(a, places);
}
/* Arithmetic shifts, each word by its own number of places, which may be more than it has. */
INLINE words down_words(words a, words places) {
    return _mm256_srav_epi32(a, places);
}
INLINE words sub_where(of_words mask, words a, words b) {
    return sub_words(a, keep_words(mask, b));
}
INLINE of_words equal_where(of_words mask, floats a, floats b) {
    return _mm256_and_si256(mask, _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)));
}
INLINE floats lesser(floats a, floats b) {
    return _mm256_min_ps(a, b);
}
INLINE words and_or_words(words a, words mask, words b) {
    return or_words(and_words(a, mask), b);
}
/* Rounded to nearest even. */
INLINE words nearest_words(floats a) {
    return _mm256_cvtps_epi32(a);
}
INLINE words nearest_words_of(doubles first, doubles second) {
    return _mm256_set_m128i(_mm256_cvtpd_epi32(second), _mm256_cvtpd_epi32(first));
}
INLINE doubles add_product(doubles sum, doubles a, doubles b) {
    return _mm256_fmadd_pd(a, b, sum);
}
INLINE doubles first_doubles(floats a) {
    return _mm256_cvtps_pd(_mm256_castps256_ps128(a));
}
INLINE doubles second_doubles(floats a) {
    return _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
}
INLINE words whole_words(floats a) {
    return _mm256_cvttps_epi32(a);
}
INLINE of_words both_words(of_words a, of_words b) {
    return _mm256_and_si256(a, b);
}
INLINE of_words but_not_words(of_words a, of_words b) {
    return _mm256_andnot_si256(b, a);
}
/* Where A has one of these bits. */
INLINE of_words bits_of_words(words a, words bits) {
    const words zero = _mm256_setzero_si256();
    return _mm256_cmpeq_epi32(_mm256_cmpeq_epi32(_mm256_and_si256(a, bits), zero), zero);
}
#endif
