/* Elements of the matrices that a caller gives. */
#ifndef DAA_ENGINE_ELEMENT_H
#define DAA_ENGINE_ELEMENT_H

#include "engine.h"

static inline size_t type_size(enum daa_type type) {
    return type == DAA_BITS16 ? 2 : 4;
}

/* Element INDEX of DATA as bits of the format. */
static inline uint32_t element(struct daa_format format, enum daa_type type, const void *data, size_t index) {
    uint32_t bits;
    if (type == DAA_BITS16)
        return ((const uint16_t *)data)[index];
    if (type == DAA_BITS32)
        return ((const uint32_t *)data)[index];
    daa_from_double(format, (double)((const float *)data)[index], &bits);
    return bits;
}

static inline size_t index_of(const struct daa_gemm_matrix *m, size_t row, size_t col) {
    return m->transposed ? col * m->ld + row : row * m->ld + col;
}

#endif
