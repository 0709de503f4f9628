/* Which engines this processor has. Reported features are not enough: VDPBF16PS and flush-to-zero are specified
 * loosely, so each kernel is run over operands where other ways of rounding would show, against the exact path. */
#include <stdatomic.h>
#include <string.h>

#include "engine_kernel.h"

static const char *const names[DAA_ENGINE_COUNT] = {"auto", "golden", "portable", "avx2", "avx512", "avx512bf16"};

const char *daa_engine_name(enum daa_engine engine) {
    return (unsigned)engine < DAA_ENGINE_COUNT ? names[engine] : "unknown";
}

bool daa_engine_parse(const char *name, enum daa_engine *engine) {
    for (int i = 0; i < DAA_ENGINE_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *engine = (enum daa_engine)i;
            return true;
        }
    }
    return false;
}

static const struct engine_kernel *fast_kernel(enum daa_engine engine, const struct engine_plan *plan) {
#if defined(__x86_64__)
    static const struct engine_kernel(*const kernels[])[ENGINE_STREAMS] = {daa_kernels_avx2, daa_kernels_avx512,
                                                                           daa_kernels_avx512bf16};
    if (engine < DAA_ENGINE_AVX2)
        return NULL;
    const struct engine_kernel *found =
        &kernels[engine - DAA_ENGINE_AVX2][plan->anchored != NULL][__builtin_ctz((unsigned)plan->streams)];
    return found->rows || plan->floats ? found : NULL;
#else
    (void)engine;
    (void)plan;
    return NULL;
#endif
}

const struct engine_kernel *daa_kernel(enum daa_engine engine, const struct engine_plan *plan) {
    const struct engine_kernel *fast = fast_kernel(engine, plan);
#if defined(__x86_64__)
    static const struct engine_kernel(*const many[])[ENGINE_STREAMS] = {daa_many_avx2, daa_many_avx512,
                                                                        daa_many_avx512bf16};
    if (fast && plan->floats) {
        const int kind = (plan->anchored ? MANY_ANCHORED : MANY_ON_FLOATS) + daa_plan_takes_doubles(plan);
        return &many[engine - DAA_ENGINE_AVX2][kind][__builtin_ctz((unsigned)plan->streams)];
    }
    if (fast && !daa_plan_fits_float(plan))
        return daa_plan_fits_two_floats(plan) ? fast : &daa_kernel_wide;
#endif
    return fast;
}

/* By the processor and by the operating system, which must save the registers. */
static bool reported(enum daa_engine engine) {
#if defined(__x86_64__)
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (engine == DAA_ENGINE_AVX2)
        return avx2;
    if (engine == DAA_ENGINE_AVX512)
        return avx512;
    return engine == DAA_ENGINE_AVX512BF16 && avx512 && __builtin_cpu_supports("avx512bf16");
#else
    (void)engine;
    return false;
#endif
}

/* The kernel's own accumulation: every operand below with every other, starting from every sum. */
static bool behaves(const struct engine_kernel *kernel, const struct engine_plan *plan) {
    static const uint16_t operands[] = {
        0x0000, 0x8000, 0x0001, 0x007f, 0x0080, 0x8080, 0x00ff, 0x2001, 0x1fff, 0x9fff, 0x3380, 0x3300,
        0xb380, 0x3f7f, 0x3f80, 0xbf80, 0x3f81, 0xbfff, 0x4b80, 0x5f80, 0x7f7f, 0xff7f, 0x7f80, 0x7fc0,
    };
    static const uint32_t sums[] = {0x00000000, 0x3f800000, 0x3f800001, 0xbf800001, 0x4b800000, 0x4b7fffff,
                                    0x00800000, 0x80800001, 0x00ffffff, 0x7f7fffff, 0xff7fffff, 0x7f800000};
    enum { COUNT = sizeof operands / sizeof operands[0], SUMS = sizeof sums / sizeof sums[0], STEPS = 2 };
    const size_t streams = (size_t)plan->streams, steps = STEPS / streams / (size_t)kernel->steps_a_word(plan),
                 rows = (size_t)kernel->rows;
    const size_t lanes = (size_t)kernel->lanes;
    uint16_t a[ROWS_MAX * STEPS], b[STEPS * LANES_MAX];
    uint32_t packed_a[ROWS_MAX * GROUP * 8] = {0}, packed_b[STEPS * LANES_MAX * 3];
    float got[ROWS_MAX * LANES_MAX] = {0}, want[ROWS_MAX * LANES_MAX];
    for (size_t i = 0; i < COUNT * SUMS; i++) {
        for (size_t x = 0; x < rows * STEPS; x++)
            a[x] = operands[(i + x * 5) % COUNT];
        for (size_t x = 0; x < lanes * STEPS; x++)
            b[x] = operands[(i / COUNT + x * 7) % COUNT];
        for (size_t x = 0; x < rows * lanes; x++)
            memcpy(&got[x], &sums[(i + x) % SUMS], sizeof got[x]);
        memcpy(want, got, sizeof want);
        kernel->pack_a(plan, steps, a, STEPS, packed_a);
        kernel->pack_b(plan, steps, b, packed_b);
        kernel->run(plan, steps, 1, packed_a, 0, packed_b, got, lanes, NULL);
        daa_wide_tile(plan, STEPS / streams, kernel->rows, kernel->lanes, a, STEPS, b, want, lanes);
        for (size_t x = 0; x < rows * lanes; x++) {
            uint32_t bits[2];
            memcpy(&bits[0], &got[x], sizeof bits[0]);
            memcpy(&bits[1], &want[x], sizeof bits[1]);
            bool both_nan = (bits[0] & 0x7fffffff) > 0x7f800000 && (bits[1] & 0x7fffffff) > 0x7f800000;
            bool both_zero = ((bits[0] | bits[1]) & 0x7fffffff) == 0;
            if (bits[0] != bits[1] && !both_nan && !both_zero)
                return false;
        }
    }
    return true;
}

/* A processor does not change: what was seen once holds. Threads that look at the same time see the same. */
bool daa_engine_present(enum daa_engine engine) {
    enum { UNSEEN, ABSENT, PRESENT };
    static atomic_int seen[DAA_ENGINE_COUNT];
    static const struct engine_plan one = {
        .streams = 1, .groups = 1, .winner = DAA_WINS_EVERY, .lo_bits = 8, .window = 8, .frac_bits = 14};
    static const struct engine_plan two = {
        .streams = 2, .groups = 1, .winner = DAA_WINS_EVERY, .lo_bits = 8, .window = 32, .frac_bits = 14};
    const struct engine_kernel *fast = daa_kernel(engine, &one), *wide = daa_kernel(engine, &two);
    if (!fast)
        return (unsigned)engine < DAA_ENGINE_AVX2;
    int state = atomic_load_explicit(&seen[engine], memory_order_relaxed);
    if (state == UNSEEN) {
        state = reported(engine) && behaves(fast, &one) && behaves(wide, &two) ? PRESENT : ABSENT;
        atomic_store_explicit(&seen[engine], state, memory_order_relaxed);
    }
    return state == PRESENT;
}
