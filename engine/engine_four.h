/* Four streams: rows one at a time, over steps whose lanes' words stay in the first-level cache. Words hold two bf16,
 * of streams 0 and 1 or 2 and 3, and so do their keys: one comparison with the largest key says which operands are
 * high, one which products are in the window.
 *
 * The including file defines products(a, b), a_0 b_0 + a_1 b_1, and add_products(sum, a, b), exact where the plan and
 * the guard say so. */
#ifndef DAA_ENGINE_FOUR_H
#define DAA_ENGINE_FOUR_H

enum {
    FOUR_ROWS = 16,
    FOUR_VECTORS = WIDTH / 4,
    FOUR_LANES = WIDTH * FOUR_VECTORS,
    FOUR_KINDS_MAX = 6,
    KEY_BELOW = 4, /* keys are less than this apart where exponents are equal */
};

/* High forms of 0 1 and of 2 3, low forms, keys. A fixed policy has one form instead of two. */
static int four_kinds(const struct engine_plan *plan) {
    return plan->winner == DAA_WINS_LARGEST ? 6 : 4;
}

static int four_a_group(const struct engine_plan *plan) {
    return four_kinds(plan) * GROUP;
}

static int four_steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

/* ---- packing ---- */

/* A's keys have below the exponent what makes an earlier stream win a tie. */
INLINE words four_keys(words pairs, int pair, bool is_a) {
    const words key = keys_of(pair_exponents(pairs)), tie = all_words(pair ? 1 : 2 << 16 | 3);
    return is_a ? add_halves(add_halves(key, tie), all_halves(KEY_BIAS)) : key;
}

/* The words of WIDTH steps or lanes of two pairs. HIGH: the high operands of a fixed policy. */
INLINE void four_pack(const struct pair_forms *f, const words pairs[2], const of_halves high[2], bool is_a,
                      words *out) {
    const int keys_at = f->steer ? 4 : 2;
    for (int pair = 0; pair < 2; pair++) {
        const words exact = pair_exact(pairs[pair]), low = pair_low(f, pairs[pair]);
        out[pair] = f->steer ? exact : pick_halves(high[pair], exact, low);
        if (f->steer)
            out[2 + pair] = low;
        out[keys_at + pair] = four_keys(pairs[pair], pair, is_a);
    }
}

static void four_pack_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride,
                        uint32_t *packed) {
    const struct pair_forms forms = pair_make_forms(plan);
    const size_t kinds = (size_t)four_kinds(plan), next = FOUR_ROWS * kinds * STEPS;
    const of_halves high[2] = {pair_high(plan, 0, WIDTH, 0), pair_high(plan, 0, WIDTH, 2)};
    for (size_t t = 0; t < steps; t += WIDTH, packed += FOUR_ROWS * kinds * WIDTH) {
        const size_t count = least_of(4 * (steps - t), 4 * WIDTH), half = 2 * WIDTH;
        for (size_t row = 0; row < FOUR_ROWS; row++) {
            const uint16_t *in = raw + row * stride + 4 * t;
            const words x = pair_load(in, count), y = pair_load(in + half, count > half ? count - half : 0);
            const words pairs[2] = {even_words(x, y), odd_words(x, y)};
            words kept[FOUR_KINDS_MAX];
            four_pack(&forms, pairs, high, true, kept);
            for (size_t i = 0; i < kinds; i++) {
                uint32_t *out = packed + (row * kinds + i) * STEPS;
                store_eights(out, out + next, kept[i]);
            }
        }
    }
}

static void four_pack_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    const struct pair_forms forms = pair_make_forms(plan);
    const size_t kinds = (size_t)four_kinds(plan);
    for (size_t t = 0; t < steps; t++, raw += 4 * FOUR_LANES, packed += kinds * FOUR_LANES) {
        const of_halves high[2] = {pair_high(plan, t, 1, 0), pair_high(plan, t, 1, 2)};
        for (size_t lane = 0; lane < FOUR_LANES; lane += WIDTH) {
            const words pairs[2] = {pair_interleave(raw + lane, FOUR_LANES),
                                    pair_interleave(raw + 2 * FOUR_LANES + lane, FOUR_LANES)};
            words kept[FOUR_KINDS_MAX];
            four_pack(&forms, pairs, high, false, kept);
            for (size_t i = 0; i < kinds; i++)
                store_words(packed + i * FOUR_LANES + lane, kept[i]);
        }
    }
}

/* ---- rows ---- */

/* A step of a row, its words in registers, and of WIDTH lanes. */
INLINE floats four_sum(bool steer, words reach, const words *a, const uint32_t *b) {
    const int keys_at = steer ? 4 : 2;
    words key[2], of_a[2] = {a[0], a[1]}, of_b[2];
    for (int pair = 0; pair < 2; pair++) {
        key[pair] = add_halves(a[keys_at + pair], load_words(b + (keys_at + pair) * FOUR_LANES));
        of_b[pair] = load_words(b + pair * FOUR_LANES);
    }
    const words either = max_keys(key[0], key[1]), top = max_keys(either, turned(either)),
                last = sub_halves(top, reach);
    for (int pair = 0; pair < 2; pair++) {
        if (steer) {
            const of_halves wins = equal_halves(key[pair], top);
            of_a[pair] = pick_halves(wins, a[pair], a[2 + pair]);
            of_b[pair] = pick_halves(wins, of_b[pair], load_words(b + (2 + pair) * FOUR_LANES));
        }
        of_b[pair] = above(of_b[pair], key[pair], last);
    }
    return add_products(products(of_a[0], of_b[0]), of_a[1], of_b[1]);
}

INLINE void four_row(bool steer, words reach, size_t steps, const uint32_t *a, const uint32_t *b, float *acc) {
    const size_t kinds = steer ? 6 : 4;
    floats run[FOUR_VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; v < FOUR_VECTORS; v++)
        run[v] = load_floats(acc + WIDTH * v);
    for (size_t t = 0; t < steps; t++, a++, b += kinds * FOUR_LANES) {
        words of_a[FOUR_KINDS_MAX];
#pragma GCC unroll 6
        for (size_t i = 0; i < kinds; i++)
            of_a[i] = once(a + i * STEPS);
#pragma GCC unroll 4
        for (size_t v = 0; v < FOUR_VECTORS; v++)
            run[v] = add(run[v], four_sum(steer, reach, of_a, b + WIDTH * v));
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < FOUR_VECTORS; v++)
        store_floats(acc + WIDTH * v, run[v]);
}

INLINE void four_rows(bool steer, int window, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                      const uint32_t *b, float *acc, size_t ld) {
    const size_t kinds = steer ? 6 : 4;
    const words reach = all_halves((window << KEY_LOG2) + KEY_BELOW);
    for (size_t t = 0; t < steps; t += STEPS, b += STEPS * kinds * FOUR_LANES)
        for (size_t i = 0; i < panels * FOUR_ROWS; i++)
            four_row(steer, reach, least_of(STEPS, steps - t),
                     a + i / FOUR_ROWS * a_block + (t * FOUR_ROWS + i % FOUR_ROWS * STEPS) * kinds, b, acc + i * ld);
}

static void four_run(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                     const uint32_t *b, float *acc, size_t ld, uint32_t *table) {
    const unsigned before = _mm_getcsr();
    (void)table;
    _mm_setcsr(FLUSHING);
    if (plan->winner == DAA_WINS_LARGEST)
        four_rows(true, plan->window, steps, panels, a, a_block, b, acc, ld);
    else
        four_rows(false, plan->window, steps, panels, a, a_block, b, acc, ld);
    _mm_setcsr(before);
}

#define KERNEL_FOUR(which)                                                                                             \
    {                                                                                                                  \
        .engine = which, .rows = FOUR_ROWS, .lanes = FOUR_LANES, .a_group = four_a_group, .b_words = four_kinds,       \
        .steps_a_word = four_steps_a_word, .pack_a = four_pack_a, .pack_b = four_pack_b, .run = four_run,              \
        .load = pack_load, .scan = pack_scan, .results = pack_results, .turn = pack_turn, .wide = daa_wide_vectors,    \
    }

#endif
