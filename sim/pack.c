#include "pack.h"

size_t pack_bytes(size_t count, int width) {
    return (count * (size_t)width + 7) / 8;
}

void pack(uint8_t *image, const uint32_t *numbers, size_t count, int width) {
    uint64_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < count; i++) {
        bits |= (uint64_t)numbers[i] << held;
        for (held += width; held >= 8; held -= 8) {
            *image++ = (uint8_t)bits;
            bits >>= 8;
        }
    }
    if (held > 0)
        *image = (uint8_t)bits;
}

void unpack(uint32_t *numbers, const uint8_t *image, size_t count, int width) {
    const uint32_t mask = 0xffffffffu >> (32 - width);
    uint64_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < count; i++) {
        for (; held < width; held += 8)
            bits |= (uint64_t)*image++ << held;
        numbers[i] = (uint32_t)bits & mask;
        bits >>= width;
        held -= width;
    }
}
