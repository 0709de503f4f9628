/* One stream, for the AVX-512 engines: tiles whose sums stay in registers. The including file packs, defines a step of
 * a row's word and sixteen lanes', and makes the kernel's run() of it with ONE_RUN. */
#ifndef DAA_ENGINE_ONE_H
#define DAA_ENGINE_ONE_H

#include <immintrin.h>

#include "engine_pack.h"

enum { ONE_ROWS = 8, ONE_VECTORS = 2, ONE_LANES = 16 * ONE_VECTORS };

static int one_a_group(const struct engine_plan *plan) {
    (void)plan;
    return GROUP;
}

static int one_b_words(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

#define ONE_RUN(name, step)                                                                                            \
    INLINE void name##_tile(const struct engine_plan *plan, size_t steps, const uint32_t *a, const uint32_t *b,        \
                            float *acc, size_t ld) {                                                                   \
        __m512 sum[ONE_ROWS][ONE_VECTORS];                                                                             \
        const unsigned before = _mm_getcsr();                                                                          \
        (void)plan;                                                                                                    \
        _mm_setcsr(FLUSHING);                                                                                          \
        _Pragma("GCC unroll 8") for (size_t r = 0; r < ONE_ROWS; r++)                                                  \
            _Pragma("GCC unroll 2") for (size_t v = 0; v < ONE_VECTORS; v++) sum[r][v] =                               \
                _mm512_loadu_ps(acc + r * ld + 16 * v);                                                                \
        for (; steps; a += ONE_ROWS * GROUP) {                                                                         \
            const size_t count = least_of(steps, GROUP);                                                               \
            steps -= count;                                                                                            \
            for (size_t t = 0; t < count; t++, b += ONE_LANES)                                                         \
                _Pragma("GCC unroll 8") for (size_t r = 0; r < ONE_ROWS; r++)                                          \
                    _Pragma("GCC unroll 2") for (size_t v = 0; v < ONE_VECTORS; v++) sum[r][v] =                       \
                        step(sum[r][v], _mm512_set1_epi32((int)a[r * GROUP + t]), _mm512_loadu_si512(b + 16 * v));     \
        }                                                                                                              \
        _Pragma("GCC unroll 8") for (size_t r = 0; r < ONE_ROWS; r++)                                                  \
            _Pragma("GCC unroll 2") for (size_t v = 0; v < ONE_VECTORS; v++)                                           \
                _mm512_storeu_ps(acc + r * ld + 16 * v, sum[r][v]);                                                    \
        _mm_setcsr(before);                                                                                            \
    }                                                                                                                  \
    RUN_OF_TILE(name, name##_tile, ONE_ROWS)

#define KERNEL_ONE(which)                                                                                              \
    {                                                                                                                  \
        .engine = which, .rows = ONE_ROWS, .lanes = ONE_LANES, .a_group = one_a_group, .b_words = one_b_words,         \
        .steps_a_word = steps_a_word, .pack_a = pack_a, .pack_b = pack_b, .run = run, .load = pack_load,               \
        .scan = pack_scan, .wide = daa_wide_vectors,                                                                   \
    }

#endif
