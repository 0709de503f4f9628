/* What python/daa/gpu.cuh takes of CUDA, for g++: a block's threads are fibers that run one after the other, each up to
 * its next barrier; blocks follow one another. Nothing in shared memory is zero by itself. */
#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define __global__
#define __device__
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)

struct Index {
    unsigned x;
};
static Index threadIdx, blockIdx, blockDim;

/* ---- fibers ---- */

enum { STACK = 1 << 16 };
struct Fiber {
    ucontext_t context;
    char *stack;
    bool done;
};
static Fiber fibers[1024];
static ucontext_t scheduler;
static void (*body)();

static void fiber_main() {
    body();
    fibers[threadIdx.x].done = true;
}

static void __syncthreads() {
    swapcontext(&fibers[threadIdx.x].context, &scheduler);
}

static void run_block(unsigned threads) {
    for (unsigned i = 0; i < threads; i++) {
        Fiber &fiber = fibers[i];
        fiber.stack = fiber.stack ? fiber.stack : (char *)malloc(STACK);
        fiber.done = false;
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack;
        fiber.context.uc_stack.ss_size = STACK;
        fiber.context.uc_link = &scheduler;
        makecontext(&fiber.context, fiber_main, 0);
    }
    bool forward = true;                   /* turns change direction, so that what lacks a barrier shows */
    for (unsigned left = threads; left;) { /* one turn is up to a barrier, which all must reach, or the end */
        unsigned ended = 0;
        for (unsigned n = 0; n < threads; n++) {
            const unsigned i = forward ? n : threads - 1 - n;
            threadIdx.x = i;
            swapcontext(&scheduler, &fibers[i].context);
            ended += fibers[i].done;
        }
        forward = !forward;
        if (ended && ended < threads)
            abort(); /* some threads wait for ever */
        left -= ended;
    }
}

/* ---- arithmetic ---- */

template <class To, class From> static To same_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "size");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}

static double fabs(double x) {
    return __builtin_fabs(x);
}
static float flushed(float x) {
    return __builtin_fabsf(x) < 0x1p-126f ? __builtin_copysignf(0.0f, x) : x;
}
static float multiply(float x, float y) {
    return flushed(flushed(x) * flushed(y));
}
static float multiply_add(float x, float y, float z) {
    return flushed(__builtin_fmaf(flushed(x), flushed(y), flushed(z)));
}
static float add(float x, float y) {
    return flushed(flushed(x) + flushed(y));
}
static float held(float x) {
    return x;
}
static float float_of(uint32_t word) {
    return same_bits<float>(word);
}
static uint32_t float_bits(float x) {
    return same_bits<uint32_t>(x);
}
static double double_of(unsigned long long bits) {
    return same_bits<double>(bits);
}
static unsigned long long double_bits(double x) {
    return same_bits<unsigned long long>(x);
}
static long long nearest_integer(double x) {
    return __builtin_llrint(x);
}
static int nearest_int(float x) {
    return __builtin_fabsf(x) < 0x1p31f ? (int)__builtin_rintf(x) : INT32_MAX;
}

/* ---- halves ---- */

struct Halves {
    _Float16 first, second;
};
static uint16_t half_of(int x) {
    return same_bits<uint16_t>((_Float16)x);
}
static uint32_t add_halves(uint32_t x, uint32_t y) {
    const Halves a = same_bits<Halves>(x), b = same_bits<Halves>(y);
    return same_bits<uint32_t>(Halves{(_Float16)(a.first + b.first), (_Float16)(a.second + b.second)});
}
static uint32_t subtract_halves(uint32_t x, uint32_t y) {
    const Halves a = same_bits<Halves>(x), b = same_bits<Halves>(y);
    return same_bits<uint32_t>(Halves{(_Float16)(a.first - b.first), (_Float16)(a.second - b.second)});
}
static uint32_t larger_halves(uint32_t x, uint32_t y) {
    const Halves a = same_bits<Halves>(x), b = same_bits<Halves>(y);
    return same_bits<uint32_t>(
        Halves{a.first > b.first ? a.first : b.first, a.second > b.second ? a.second : b.second});
}
struct Both;
static Both at_least(uint32_t x, uint32_t y);
static Both within(uint32_t x, uint32_t y);

/* ---- the rest ---- */

static uint32_t largest_of_warp(uint32_t x) {
    return x;
}
static bool hands_on() {
    return true;
}
static void raise(uint32_t *place, uint32_t value) {
    *place = value > *place ? value : *place;
}
static void add_count(unsigned long long *place, unsigned long long value) {
    *place += value;
}
