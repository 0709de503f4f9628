/* Random numbers of the checks in C (splitmix64): set random_state to the seed first. */
#ifndef DAA_TESTS_RANDOM_H
#define DAA_TESTS_RANDOM_H

#include <stdint.h>

static uint64_t random_state;

static inline uint64_t random64(void) {
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint32_t random32(void) {
    return (uint32_t)(random64() >> 32);
}

static inline uint32_t below(uint32_t limit) {
    return (uint32_t)((uint64_t)random32() * limit >> 32);
}

#endif
