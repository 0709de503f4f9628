/* The engine for AVX-512 without BF16. */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2")
#include <immintrin.h>
#include <stdint.h>

enum { ROWS = 8, VECTORS = 2, WIDTH = 16 };

#define OPERATION __attribute__((always_inline)) static inline

typedef __m512 vector;
typedef __m512i integers;
typedef __mmask16 mask;

OPERATION vector zero(void) {
    return _mm512_setzero_ps();
}
OPERATION vector load(const uint32_t *words) {
    return _mm512_loadu_ps(words);
}
OPERATION vector once(const uint32_t *word) {
    return _mm512_castsi512_ps(_mm512_set1_epi32((int)*word));
}
OPERATION void store(float *to, vector a) {
    _mm512_storeu_ps(to, a);
}
OPERATION integers load_i(const uint32_t *words) {
    return _mm512_loadu_si512(words);
}
OPERATION integers once_i(const uint32_t *word) {
    return _mm512_set1_epi32((int)*word);
}
OPERATION integers all_i(int value) {
    return _mm512_set1_epi32(value);
}
OPERATION vector add(vector a, vector b) {
    return _mm512_add_ps(a, b);
}
OPERATION vector mul(vector a, vector b) {
    return _mm512_mul_ps(a, b);
}
OPERATION vector fma_of(vector a, vector b, vector c) {
    return _mm512_fmadd_ps(a, b, c);
}
OPERATION integers add_i(integers a, integers b) {
    return _mm512_add_epi32(a, b);
}
OPERATION integers sub_i(integers a, integers b) {
    return _mm512_sub_epi32(a, b);
}
OPERATION integers max_i(integers a, integers b) {
    return _mm512_max_epi32(a, b);
}
OPERATION integers and_i(integers a, integers b) {
    return _mm512_and_si512(a, b);
}
OPERATION mask greater(integers a, integers b) {
    return _mm512_cmpgt_epi32_mask(a, b);
}
OPERATION vector mul_or(mask m, vector a, vector b, vector c) {
    return _mm512_mask_mul_ps(c, m, a, b);
}
OPERATION vector fma_if(mask m, vector a, vector b, vector c) {
    return _mm512_mask3_fmadd_ps(a, b, c, m);
}
OPERATION vector pick(mask m, vector a, vector b) {
    return _mm512_mask_blend_ps(m, b, a);
}

OPERATION integers subtract_halves(integers a, integers b) {
    return _mm512_subs_epu16(a, b);
}
OPERATION integers upper(integers a) {
    return _mm512_srli_epi32(a, 16);
}
OPERATION vector shifted(vector a, integers b) {
    return _mm512_castsi512_ps(_mm512_sllv_epi32(_mm512_castps_si512(a), b));
}

#include "engine_float.h"

const struct engine_kernel daa_kernel_avx512 = KERNEL(DAA_ENGINE_AVX512);
#endif
