/* One stream: tiles whose sums stay in registers. The including file defines ONE_STEPS, the steps that a word holds;
 * one_words(), which makes a row's words; one_lanes(), which makes WIDTH lanes' words of one packed step; and
 * one_step(), a word's products added one after the other. */
#ifndef DAA_ENGINE_ONE_H
#define DAA_ENGINE_ONE_H

enum {
    ONE_VECTORS = 2,
    ONE_LANES = WIDTH * ONE_VECTORS,
    ONE_ROW = GROUP + 2, /* words from row to row of A: loads from 64 bytes apart wait for each other */
};

static int one_a_group(const struct engine_plan *plan) {
    (void)plan;
    return ONE_ROW;
}

static int one_b_words(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

static int one_steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return ONE_STEPS;
}

static void one_pack_a(const struct engine_plan *plan, size_t steps, const void *from, size_t stride,
                       uint32_t *packed) {
    const uint16_t *raw = from;
    (void)plan;
    for (size_t t = 0; t < steps; t += GROUP) {
        const size_t count = ONE_STEPS * least_of(steps - t, GROUP);
        for (size_t row = 0; row < ONE_ROWS; row++, packed += ONE_ROW) {
            uint16_t padded[ONE_STEPS * GROUP] = {0};
            const uint16_t *in = raw + row * stride + ONE_STEPS * t;
            if (count < ONE_STEPS * GROUP)
                in = memcpy(padded, in, count * sizeof *in);
            for (size_t i = 0; i < GROUP; i += WIDTH)
                store_words(packed + i, one_words(in + ONE_STEPS * i));
        }
    }
}

static void one_pack_b(const struct engine_plan *plan, size_t steps, const void *from, uint32_t *packed) {
    const uint16_t *raw = from;
    (void)plan;
    for (size_t t = 0; t < steps; t++, raw += ONE_STEPS * ONE_LANES, packed += ONE_LANES)
        for (size_t lane = 0; lane < ONE_LANES; lane += WIDTH)
            store_words(packed + lane, one_lanes(raw + lane, ONE_LANES));
}

static void one_tile(size_t steps, const uint32_t *a, const uint32_t *b, float *acc, size_t ld) {
    floats sum[ONE_ROWS][ONE_VECTORS];
#pragma GCC unroll 8
    for (size_t r = 0; r < ONE_ROWS; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < ONE_VECTORS; v++)
            sum[r][v] = load_floats(acc + r * ld + WIDTH * v);
    for (; steps; a += ONE_ROWS * ONE_ROW) {
        const size_t count = least_of(steps, GROUP);
        steps -= count;
        for (size_t t = 0; t < count; t++, b += ONE_LANES) {
            const words b0 = load_words(b), b1 = load_words(b + WIDTH);
#pragma GCC unroll 8
            for (size_t r = 0; r < ONE_ROWS; r++) {
                const words of_a = all_words((int)a[r * ONE_ROW + t]);
                sum[r][0] = one_step(sum[r][0], of_a, b0);
                sum[r][1] = one_step(sum[r][1], of_a, b1);
            }
        }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < ONE_ROWS; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < ONE_VECTORS; v++)
            store_floats(acc + r * ld + WIDTH * v, sum[r][v]);
}

static void one_run(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                    const uint32_t *b, float *acc, size_t ld, uint32_t *table) {
    const unsigned before = _mm_getcsr();
    (void)plan;
    (void)table;
    _mm_setcsr(FLUSHING);
    for (size_t i = 0; i < panels; i++)
        one_tile(steps, a + i * a_block, b, acc + i * ONE_ROWS * ld, ld);
    _mm_setcsr(before);
}

#define KERNEL_ONE(which)                                                                                              \
    {                                                                                                                  \
        .engine = which, .rows = ONE_ROWS, .lanes = ONE_LANES, .a_group = one_a_group, .b_words = one_b_words,         \
        .steps_a_word = one_steps_a_word, .pack_a = one_pack_a, .pack_b = one_pack_b, .run = one_run,                  \
        .round_floats = pack_round_floats, .scan = pack_scan, .results = pack_results, .turn = pack_turn,              \
        .wide = daa_wide_vectors,                                                                                      \
    }

#endif
