/* The engine for AVX2 with FMA. */
#if defined(__x86_64__)
#pragma GCC target("avx2,fma,bmi2")
#include "engine_256.h"

#include "engine_floats.h"

#include "engine_many.h"

#include "engine_anchored.h"

#include "engine_far.h"

#include "engine_beside.h"

const struct engine_kernel daa_kernels_avx2[2][ENGINE_STREAMS] = KERNELS(DAA_ENGINE_AVX2);
const struct engine_kernel daa_many_avx2[MANY_KINDS][ENGINE_STREAMS] = KERNELS_MANY(DAA_ENGINE_AVX2);
const struct engine_beside_kernel daa_beside_avx2 = BESIDE_KERNEL;
#endif
