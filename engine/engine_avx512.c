/* The engine for AVX-512 without BF16. */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi2")
#include "engine_512.h"

#include "engine_floats.h"

#include "engine_many.h"

#include "engine_anchored.h"

#include "engine_far.h"

#include "engine_beside.h"

const struct engine_kernel daa_kernels_avx512[2][ENGINE_STREAMS] = KERNELS(DAA_ENGINE_AVX512);
const struct engine_kernel daa_many_avx512[MANY_KINDS][ENGINE_STREAMS] = KERNELS_MANY(DAA_ENGINE_AVX512);
const struct engine_beside_kernel daa_beside_avx512 = BESIDE_KERNEL;
#endif
