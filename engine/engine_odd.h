/* A sum that can be rounded to a float after having been rounded to a double, for the AVX2 files. */
#ifndef DAA_ENGINE_ODD_H
#define DAA_ENGINE_ODD_H

#include <immintrin.h>
#include <stdint.h>

/* acc + sum, rounded to odd: an inexact sum ends in a one, so that it is half way between two floats only if it is so
 * exactly. Inf and NaN stay. */
__attribute__((always_inline)) static inline __m256d add_to_odd(__m256d acc, __m256d sum) {
    const __m256d zero = _mm256_setzero_pd();
    const __m256i one = _mm256_set1_epi64x(1);
    const __m256d s = _mm256_add_pd(acc, sum), part = _mm256_sub_pd(s, acc);
    const __m256d error = _mm256_add_pd(_mm256_sub_pd(acc, _mm256_sub_pd(s, part)), _mm256_sub_pd(sum, part));
    const __m256i bits = _mm256_castpd_si256(s), inexact = _mm256_castpd_si256(_mm256_cmp_pd(error, zero, _CMP_NEQ_OQ));
    const __m256i apart = _mm256_cmpgt_epi64(_mm256_setzero_si256(), _mm256_castpd_si256(_mm256_xor_pd(error, s)));
    const __m256i toward = _mm256_or_si256(apart, one);
    const __m256i even = _mm256_cmpeq_epi64(_mm256_and_si256(bits, one), _mm256_setzero_si256());
    return _mm256_castsi256_pd(_mm256_add_epi64(bits, _mm256_and_si256(toward, _mm256_and_si256(inexact, even))));
}

#endif
