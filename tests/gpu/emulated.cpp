/* One configuration of python/daa/gpu.cuh as a shared library, called through ctypes: with -DSTREAMS=... and the like.
 */
#include "emulate.h"

static uint32_t *shared_words;

#include "../../python/daa/gpu.cuh"

static Both at_least(uint32_t x, uint32_t y) {
    const Halves a = same_bits<Halves>(x), b = same_bits<Halves>(y);
    return {a.first >= b.first, a.second >= b.second};
}
static Both within(uint32_t x, uint32_t y) {
    const Halves a = same_bits<Halves>(x), b = same_bits<Halves>(y);
    return {fabs((float)a.first) <= b.first, fabs((float)a.second) <= b.second};
}

static Problem problem;
static long long results;

extern "C" void emulate_gemm(const Problem *p, unsigned blocks, unsigned threads, unsigned bytes) {
    shared_words = (uint32_t *)aligned_alloc(16, (bytes + 15) / 16 * 16);
    problem = *p;
    body = [] { daa_gemm(problem); };
    for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++) {
        memset(shared_words, 0xde, bytes);
        run_block(threads);
    }
    free(shared_words);
}

extern "C" void emulate_count(const Problem *p, long long count) {
    problem = *p, results = count, blockDim.x = 1, threadIdx.x = 0;
    for (blockIdx.x = 0; blockIdx.x < count; blockIdx.x++)
        daa_count(problem, results);
}

extern "C" void emulate_quantize(const uint32_t *in, uint32_t *out, long long count) {
    blockDim.x = 1, threadIdx.x = 0;
    for (blockIdx.x = 0; blockIdx.x < count; blockIdx.x++)
        daa_quantize(in, out, count);
}
