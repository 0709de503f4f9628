/* The engine for AVX-512 without BF16. */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2")
#include "engine_512.h"

#include "engine_anchored.h"
#include "engine_floats.h"

const struct engine_kernel daa_kernel_avx512_one = KERNEL_ONE(DAA_ENGINE_AVX512);
const struct engine_kernel daa_kernel_avx512_two = KERNEL_TWO(DAA_ENGINE_AVX512);
const struct engine_kernel daa_kernel_avx512_four = KERNEL_FOUR(DAA_ENGINE_AVX512);
const struct engine_kernel daa_kernel_avx512_anchored = KERNEL_ANCHORED(DAA_ENGINE_AVX512);
#endif
