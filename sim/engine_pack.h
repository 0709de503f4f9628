/* Packing, compiled into each SIMD engine with that engine's instructions. Raw operands are bf16. */
#ifndef DAA_ENGINE_PACK_H
#define DAA_ENGINE_PACK_H

#include <string.h>

#include "engine_kernel.h"

#define INLINE __attribute__((always_inline)) static inline

INLINE size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* ---- sources ---- */

INLINE uint16_t round_float(uint32_t bits) {
    bool nan = (bits & 0x7fffffff) > 0x7f800000;
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)(nan ? 0x7fc0 : rounded);
}

static uint32_t pack_load(enum daa_type type, const void *data, size_t count, uint16_t *raw) {
    uint32_t seen = 0;
    if (type == DAA_BITS16) {
        memcpy(raw, data, count * sizeof *raw);
        return 0;
    }
    const uint32_t *words = data;
    if (type == DAA_FLOAT32) {
        for (size_t i = 0; i < count; i++)
            raw[i] = round_float(words[i]);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        raw[i] = (uint16_t)words[i];
        seen |= words[i];
    }
    return seen;
}

/* Plain minima and maxima, which compilers know how to do many at a time: a zero's field less one is the largest. */
static struct engine_range pack_scan(const uint16_t *raw, size_t count) {
    uint16_t least = 65535, most = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t field = raw[i] >> 7 & 255, before = (uint16_t)(field - 1);
        least = before < least ? before : least;
        most = field > most ? field : most;
    }
    return (struct engine_range){(uint8_t)(least == 65535 ? 255 : least + 1), (uint8_t)most, most == 255};
}

/* Where the policy needs no comparison, a stream has one form. */
INLINE bool form_is_high(const struct engine_plan *plan, size_t step, size_t stream) {
    if (plan->policy == DAA_STATIC)
        return stream == 0;
    if (plan->policy == DAA_ROTATE)
        return stream == step % (size_t)plan->streams;
    return plan->policy == DAA_HIGH;
}

#endif
