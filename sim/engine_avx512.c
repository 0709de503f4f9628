/* The engine for AVX-512 without BF16: operands are floats where they are multiplied. Products of bf16 and their sums
 * are exact in floats where the plan and the guard say so; only the last add rounds. */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2")
#include <immintrin.h>

#include "engine_one.h"
#include "engine_pair.h"

/* ---- one stream: a word is one operand ---- */

static int steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

static void pack_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride, uint32_t *packed) {
    (void)plan;
    for (size_t t = 0; t < steps; t += GROUP)
        for (size_t row = 0; row < ONE_ROWS; row++, packed += GROUP) {
            const __m512i halves = pair_load(raw + row * stride + t, least_of(steps - t, GROUP));
            const __m512i words = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(halves));
            _mm512_storeu_si512(packed, _mm512_slli_epi32(words, 16));
        }
}

static void pack_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    (void)plan;
    for (size_t i = 0; i < steps * ONE_LANES; i += 16) {
        const __m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)(raw + i)));
        _mm512_storeu_si512(packed + i, _mm512_slli_epi32(words, 16));
    }
}

INLINE __m512 one_step(__m512 sum, __m512i a, __m512i b) {
    return _mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), sum);
}

ONE_RUN(run, one_step)

/* ---- two and four ---- */

INLINE __m512i lower_of(__m512i pairs) {
    return _mm512_slli_epi32(pairs, 16);
}

INLINE __m512i upper_of(__m512i pairs) {
    return _mm512_and_si512(pairs, _mm512_set1_epi32(-65536));
}

INLINE __m512 sum_of_floats(__m512i a0, __m512i b0, __m512i a1, __m512i b1) {
    return one_step(_mm512_mul_ps(_mm512_castsi512_ps(a0), _mm512_castsi512_ps(b0)), a1, b1);
}

INLINE __m512 add_products(__m512 sum, __m512i a, __m512i b) {
    return one_step(one_step(sum, lower_of(a), lower_of(b)), upper_of(a), upper_of(b));
}

INLINE __m512 products(__m512i a, __m512i b) {
    return sum_of_floats(lower_of(a), lower_of(b), upper_of(a), upper_of(b));
}

enum { FORMS = 2 }; /* of a row: many lanes share them, so that they are taken apart beforehand */

INLINE void spread(__m512i pairs, __m512i *forms) {
    forms[0] = lower_of(pairs);
    forms[1] = upper_of(pairs);
}

INLINE __m512 sum_of(const __m512i *a, __m512i b) {
    return sum_of_floats(a[0], lower_of(b), a[1], upper_of(b));
}

#include "engine_four.h"
#include "engine_two.h"

const struct engine_kernel daa_kernel_avx512_one = KERNEL_ONE(DAA_ENGINE_AVX512);
const struct engine_kernel daa_kernel_avx512_two = KERNEL_TWO(DAA_ENGINE_AVX512);
const struct engine_kernel daa_kernel_avx512_four = KERNEL_FOUR(DAA_ENGINE_AVX512);
#endif
