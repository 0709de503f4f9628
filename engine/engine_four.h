/* Four streams, and eight where an anchored accumulator takes their sum: rows one at a time, over steps whose lanes'
 * words stay in the first-level cache. Words hold two bf16, of streams 0 and 1, 2 and 3 and so on, and so do their
 * keys: one comparison with the largest key of a group says which operands are high, one which products are in the
 * window. A group is all pairs, or one pair.
 *
 * The including file defines products(a, b), a_0 b_0 + a_1 b_1, and add_products(sum, a, b), exact where the plan and
 * the guard say so. */
#ifndef DAA_ENGINE_FOUR_H
#define DAA_ENGINE_FOUR_H

enum {
    FOUR_ROWS = 16,
    FOUR_VECTORS = WIDTH / 4,
    FOUR_LANES = WIDTH * FOUR_VECTORS,
    FOUR_PAIRS_MAX = 4,
    FOUR_KINDS_MAX = 3 * FOUR_PAIRS_MAX,
    KEY_BELOW = 8, /* keys are less than this apart where exponents are equal */
};

/* Words of a step: the high forms of every pair, low forms, keys. A fixed policy has one form instead of two. */
INLINE size_t four_words(size_t pairs, bool steer) {
    return (steer ? 3 : 2) * pairs;
}

static int four_kinds(const struct engine_plan *plan) {
    return (int)four_words((size_t)plan->streams / 2, plan->winner == DAA_WINS_LARGEST);
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
INLINE words four_keys(words pairs, size_t later, bool is_a) {
    const words key = keys_of(pair_exponents(pairs)), tie = all_words((int)(2 * later << 16 | (2 * later + 1)));
    return is_a ? add_halves(add_halves(key, tie), all_halves(KEY_BIAS)) : key;
}

/* The words of WIDTH steps or lanes. HIGH: the high operands of a fixed policy. */
INLINE void four_pack(const struct pair_forms *f, size_t pairs, const words *of, const of_halves *high, bool is_a,
                      words *out) {
    for (size_t pair = 0; pair < pairs; pair++) {
        const words exact = pair_exact(of[pair]), low = pair_low(f, of[pair]);
        out[pair] = f->steer ? exact : pick_halves(high[pair], exact, low);
        if (f->steer)
            out[pairs + pair] = low;
        out[four_words(pairs, f->steer) - pairs + pair] = four_keys(of[pair], pairs - 1 - pair, is_a);
    }
}

/* WIDTH steps one after another, taken apart by pair. */
INLINE void four_deal(size_t pairs, const words *of, words *out) {
    if (pairs == 2) {
        out[0] = even_words(of[0], of[1]);
        out[1] = odd_words(of[0], of[1]);
        return;
    }
    const words even[2] = {even_words(of[0], of[1]), even_words(of[2], of[3])};
    const words odd[2] = {odd_words(of[0], of[1]), odd_words(of[2], of[3])};
    out[0] = even_words(even[0], even[1]);
    out[1] = even_words(odd[0], odd[1]);
    out[2] = odd_words(even[0], even[1]);
    out[3] = odd_words(odd[0], odd[1]);
}

static void four_pack_a(const struct engine_plan *plan, size_t steps, const void *from, size_t stride,
                        uint32_t *packed) {
    const uint16_t *raw = from;
    const struct pair_forms forms = pair_make_forms(plan);
    const size_t kinds = (size_t)four_kinds(plan), next = FOUR_ROWS * kinds * STEPS, half = 2 * WIDTH;
    const size_t pairs = (size_t)plan->streams / 2;
    of_halves high[FOUR_PAIRS_MAX];
    for (size_t pair = 0; pair < pairs; pair++)
        high[pair] = pair_high(plan, 0, WIDTH, 2 * pair);
    for (size_t t = 0; t < steps; t += WIDTH, packed += FOUR_ROWS * kinds * WIDTH) {
        const size_t count = 2 * pairs * least_of(steps - t, WIDTH);
        for (size_t row = 0; row < FOUR_ROWS; row++) {
            const uint16_t *in = raw + row * stride + 2 * pairs * t;
            words loaded[FOUR_PAIRS_MAX], dealt[FOUR_PAIRS_MAX], kept[FOUR_KINDS_MAX];
            for (size_t i = 0; i < pairs; i++)
                loaded[i] = pair_load(in + i * half, count > i * half ? count - i * half : 0);
            four_deal(pairs, loaded, dealt);
            four_pack(&forms, pairs, dealt, high, true, kept);
            for (size_t i = 0; i < kinds; i++) {
                uint32_t *out = packed + (row * kinds + i) * STEPS;
                store_eights(out, out + next, kept[i]);
            }
        }
    }
}

static void four_pack_b(const struct engine_plan *plan, size_t steps, const void *from, uint32_t *packed) {
    const uint16_t *raw = from;
    const struct pair_forms forms = pair_make_forms(plan);
    const size_t kinds = (size_t)four_kinds(plan), pairs = (size_t)plan->streams / 2;
    pack_no_steps(steps, kinds * FOUR_LANES, packed);
    for (size_t t = 0; t < steps; t++, raw += 2 * pairs * FOUR_LANES, packed += kinds * FOUR_LANES) {
        of_halves high[FOUR_PAIRS_MAX];
        for (size_t pair = 0; pair < pairs; pair++)
            high[pair] = pair_high(plan, t, 1, 2 * pair);
        for (size_t lane = 0; lane < FOUR_LANES; lane += WIDTH) {
            words of[FOUR_PAIRS_MAX], kept[FOUR_KINDS_MAX];
            for (size_t pair = 0; pair < pairs; pair++)
                of[pair] = pair_interleave(raw + 2 * pair * FOUR_LANES + lane, FOUR_LANES);
            four_pack(&forms, pairs, of, high, false, kept);
            for (size_t i = 0; i < kinds; i++)
                store_words(packed + i * FOUR_LANES + lane, kept[i]);
        }
    }
}

/* ---- rows ---- */

/* A step of a row, its words in registers, and of WIDTH lanes. LARGEST: the key, in both halves of a word. */
INLINE floats four_sum(size_t pairs, size_t groups, bool steer, words reach, const words *a, const uint32_t *b,
                       words *largest) {
    const size_t keys_at = four_words(pairs, steer) - pairs;
    words key[FOUR_PAIRS_MAX], best[FOUR_PAIRS_MAX], of_a[FOUR_PAIRS_MAX], of_b[FOUR_PAIRS_MAX], either = all_words(0);
#pragma GCC unroll 4
    for (size_t pair = 0; pair < pairs; pair++) {
        key[pair] = add_halves(a[keys_at + pair], load_words(b + (keys_at + pair) * FOUR_LANES));
        best[pair] = groups > 1 ? max_keys(key[pair], turned(key[pair])) : key[pair];
        either = pair ? max_keys(either, best[pair]) : best[pair];
    }
    const words top = *largest = groups > 1 ? either : max_keys(either, turned(either)), last = sub_halves(top, reach);
#pragma GCC unroll 4
    for (size_t pair = 0; pair < pairs; pair++) {
        of_a[pair] = a[pair];
        of_b[pair] = load_words(b + pair * FOUR_LANES);
        if (steer) {
            const of_halves wins = equal_halves(key[pair], groups > 1 ? best[pair] : top);
            of_a[pair] = pick_halves(wins, a[pair], a[pairs + pair]);
            of_b[pair] = pick_halves(wins, of_b[pair], load_words(b + (pairs + pair) * FOUR_LANES));
        }
        of_b[pair] = above(of_b[pair], key[pair], last);
    }
    floats sum = products(of_a[0], of_b[0]);
#pragma GCC unroll 4
    for (size_t pair = 1; pair < pairs; pair++)
        sum = add_products(sum, of_a[pair], of_b[pair]);
    return sum;
}

INLINE void four_row(bool steer, words reach, size_t steps, const uint32_t *a, const uint32_t *b, float *acc) {
    const size_t kinds = four_words(2, steer);
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
        for (size_t v = 0; v < FOUR_VECTORS; v++) {
            words largest;
            run[v] = add(run[v], four_sum(2, 1, steer, reach, of_a, b + WIDTH * v, &largest));
        }
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < FOUR_VECTORS; v++)
        store_floats(acc + WIDTH * v, run[v]);
}

/* Keys that reach the window's end have this many less than the largest one, ties included. */
INLINE words four_reach(int window) {
    return all_halves((window << KEY_LOG2) + KEY_BELOW);
}

INLINE void four_rows(bool steer, int window, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                      const uint32_t *b, float *acc, size_t ld) {
    const size_t kinds = four_words(2, steer);
    const words reach = four_reach(window);
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
        .round_floats = pack_round_floats, .scan = pack_scan, .results = pack_results, .turn = pack_turn,              \
        .wide = daa_wide_vectors,                                                                                      \
    }

#endif
