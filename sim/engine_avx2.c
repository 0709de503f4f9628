/* The engine for AVX2 with FMA. Masks are vectors of all ones or zeros. */
#if defined(__x86_64__)
#pragma GCC target("avx2,fma,bmi2")
#include <immintrin.h>
#include <stdint.h>

enum { ROWS = 6, VECTORS = 2, WIDTH = 8 };

#define OPERATION __attribute__((always_inline)) static inline

typedef __m256 vector;
typedef __m256i integers;
typedef __m256 mask;

OPERATION vector zero(void) {
    return _mm256_setzero_ps();
}
OPERATION vector load(const uint32_t *words) {
    return _mm256_loadu_ps((const float *)(const void *)words);
}
OPERATION vector once(const uint32_t *word) {
    return _mm256_broadcast_ss((const float *)(const void *)word);
}
OPERATION void store(float *to, vector a) {
    _mm256_storeu_ps(to, a);
}
OPERATION integers load_i(const uint32_t *words) {
    return _mm256_loadu_si256((const __m256i_u *)(const void *)words);
}
OPERATION integers once_i(const uint32_t *word) {
    return _mm256_castps_si256(once(word));
}
OPERATION integers all_i(int value) {
    return _mm256_set1_epi32(value);
}
OPERATION vector add(vector a, vector b) {
    return _mm256_add_ps(a, b);
}
OPERATION vector mul(vector a, vector b) {
    return _mm256_mul_ps(a, b);
}
OPERATION vector fma_of(vector a, vector b, vector c) {
    return _mm256_fmadd_ps(a, b, c);
}
OPERATION integers add_i(integers a, integers b) {
    return _mm256_add_epi32(a, b);
}
OPERATION integers sub_i(integers a, integers b) {
    return _mm256_sub_epi32(a, b);
}
OPERATION integers max_i(integers a, integers b) {
    return _mm256_max_epi32(a, b);
}
OPERATION integers and_i(integers a, integers b) {
    return _mm256_and_si256(a, b);
}
OPERATION mask greater(integers a, integers b) {
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b));
}
OPERATION vector mul_or(mask m, vector a, vector b, vector c) {
    return _mm256_blendv_ps(c, _mm256_mul_ps(a, b), m);
}
OPERATION vector fma_if(mask m, vector a, vector b, vector c) {
    return _mm256_fmadd_ps(_mm256_and_ps(a, m), b, c);
}
OPERATION vector pick(mask m, vector a, vector b) {
    return _mm256_blendv_ps(b, a, m);
}

OPERATION integers subtract_halves(integers a, integers b) {
    return _mm256_subs_epu16(a, b);
}
OPERATION integers upper(integers a) {
    return _mm256_srli_epi32(a, 16);
}
OPERATION vector shifted(vector a, integers b) {
    return _mm256_castsi256_ps(_mm256_sllv_epi32(_mm256_castps_si256(a), b));
}

#include "engine_float.h"

const struct engine_kernel daa_kernel_avx2 = KERNEL(DAA_ENGINE_AVX2);
#endif
