/* The engine for AVX2 with FMA. */
#if defined(__x86_64__)
#pragma GCC target("avx2,fma,bmi2")
#include "engine_256.h"

#include "engine_anchored.h"
#include "engine_floats.h"

const struct engine_kernel daa_kernel_avx2_one = KERNEL_ONE(DAA_ENGINE_AVX2);
const struct engine_kernel daa_kernel_avx2_two = KERNEL_TWO(DAA_ENGINE_AVX2);
const struct engine_kernel daa_kernel_avx2_four = KERNEL_FOUR(DAA_ENGINE_AVX2);
const struct engine_kernel daa_kernel_avx2_anchored = KERNEL_ANCHORED(DAA_ENGINE_AVX2);
#endif
