/* The engine for AVX-512 with BF16. VDPBF16PS from a zero accumulator adds the products of two streams, which is exact
 * where the plan and the guard say so, and only the last add rounds. */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,bmi2")
#include "engine_512.h"

INLINE floats add_products(floats sum, words a, words b) {
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

INLINE floats products(words a, words b) {
    return add_products(as_floats(all_words(0)), a, b);
}

/* One stream: a word is two steps, the first in the upper half, as VDPBF16PS takes them. */
enum { ONE_STEPS = 2 };

INLINE words one_words(const uint16_t *raw) {
    return turned(load_halves(raw));
}

INLINE words one_lanes(const uint16_t *raw, size_t lanes) {
    return or_words(half_up(widen(raw)), widen(raw + lanes));
}

INLINE floats one_step(floats sum, words a, words b) {
    return add_products(sum, a, b);
}

#include "engine_one.h"
#include "engine_pair.h"

#include "engine_four.h"

enum { FORMS = 1 };

INLINE void spread(words pairs, words *forms) {
    forms[0] = pairs;
}

INLINE floats sum_of(const words *a, words b, words who) {
    return products(by_lowest_bit(a[0], who), b);
}

#include "engine_two.h"

#include "engine_many.h"

#include "engine_anchored.h"

#include "engine_far.h"

#include "engine_beside.h"

const struct engine_kernel daa_kernels_avx512bf16[2][ENGINE_STREAMS] = KERNELS(DAA_ENGINE_AVX512BF16);
const struct engine_kernel daa_many_avx512bf16[MANY_KINDS][ENGINE_STREAMS] = KERNELS_MANY(DAA_ENGINE_AVX512BF16);
const struct engine_beside_kernel daa_beside_avx512bf16 = BESIDE_KERNEL;
#endif
