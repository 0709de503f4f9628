/* The engine for AVX-512 with BF16. VDPBF16PS from a zero accumulator adds the products of two streams, which is exact
 * where the plan and the guard say so, and only the last add rounds. */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,bmi2")
#include <immintrin.h>

#include "engine_one.h"
#include "engine_pair.h"

INLINE __m512 add_products(__m512 sum, __m512i a, __m512i b) {
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

/* ---- one stream: a word is two steps, the first in the upper half, as VDPBF16PS takes them ---- */

static int steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 2;
}

static void pack_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride, uint32_t *packed) {
    (void)plan;
    for (size_t t = 0; t < steps; t += GROUP)
        for (size_t row = 0; row < ONE_ROWS; row++, packed += GROUP)
            _mm512_storeu_si512(packed, _mm512_rol_epi32(pair_load(raw + row * stride + 2 * t, 2 * (steps - t)), 16));
}

static void pack_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    (void)plan;
    for (size_t t = 0; t < steps; t++, raw += 2 * ONE_LANES, packed += ONE_LANES)
        for (size_t lane = 0; lane < ONE_LANES; lane += 16)
            _mm512_storeu_si512(packed + lane, _mm512_rol_epi32(pair_interleave(raw + lane, ONE_LANES), 16));
}

ONE_RUN(run, add_products)

/* ---- two and four ---- */

enum { FORMS = 1 };

INLINE void spread(__m512i pairs, __m512i *forms) {
    forms[0] = pairs;
}

INLINE __m512 products(__m512i a, __m512i b) {
    return add_products(_mm512_setzero_ps(), a, b);
}

INLINE __m512 sum_of(const __m512i *a, __m512i b) {
    return products(a[0], b);
}

#include "engine_four.h"
#include "engine_two.h"

const struct engine_kernel daa_kernel_avx512bf16_one = KERNEL_ONE(DAA_ENGINE_AVX512BF16);
const struct engine_kernel daa_kernel_avx512bf16_two = KERNEL_TWO(DAA_ENGINE_AVX512BF16);
const struct engine_kernel daa_kernel_avx512bf16_four = KERNEL_FOUR(DAA_ENGINE_AVX512BF16);
#endif
