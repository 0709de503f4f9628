/* Two streams by table. All that steering decides about a step, which product is high and whether the other one is in
 * the window, hangs on one small number, by how much product 0 is ahead:
 *
 *     ahead = (e(a_0) - e(a_1)) + (e(b_0) - e(b_1))
 *
 * The first difference is a row's, the second a lane's. So for STEPS steps of a panel of B a table holds, for every
 * difference that a row can bring, the lanes' operands as they then take part: the high one in the upper half of a
 * word, the low one in the lower half, whose lowest bit it leaves to say which product wins. A row looks its entry up,
 * picks its own operands by that bit, and multiplies.
 *
 * The including file defines FORMS, in how many words a row's pair of operands is kept; spread(), which makes these of
 * pairs; and sum_of(a, b, who), the sum of the products of a pair B and one of a row's two, twice() of every form, that
 * by_lowest_bit() of WHO says. It is exact where the plan and the guard say so. */
#ifndef DAA_ENGINE_TWO_H
#define DAA_ENGINE_TWO_H

#include "engine_odd.h"

enum {
    TWO_ROWS = 16,
    TWO_VECTORS = 4,
    TWO_LANES = WIDTH * TWO_VECTORS,
    TWO_PACKED =
        4, /* words of a lane's step: as product 0 wins, as product 1 does, the difference, the parts of anchors */
    TWO_HUGE = 0x7e800000, /* 2^126 as a word; beyond it are sums that might be rounded to Inf, Inf and NaN */
};

/* A difference of exponents is -254 to 254. One beyond all of the lanes' and the window decides like the first such. */
static size_t two_entries_most(const struct engine_plan *plan) {
    return (size_t)(2 * 254 + 2 * (plan->window + 1) + 1);
}

static size_t two_table_words(const struct engine_plan *plan) {
    return two_entries_most(plan) * STEPS * TWO_LANES;
}

/* Without anchors their parts are left out. */
static int two_b_words(const struct engine_plan *plan) {
    return plan->anchored ? TWO_PACKED : TWO_PACKED - 1;
}

/* The same of a row's step, whose pairs have their forms. */
static int two_kinds(const struct engine_plan *plan) {
    return two_b_words(plan) + 2 * FORMS - 2;
}

static int two_a_group(const struct engine_plan *plan) {
    return two_kinds(plan) * GROUP;
}

static size_t two_row_words(const struct engine_plan *plan) {
    return (size_t)two_kinds(plan) * STEPS;
}

static int two_steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

/* Are operands in order of precision? Otherwise they are in that of the streams, stream 0 in the lower half, and a row
 * has nothing to choose between: its operands are the same whichever product wins. */
INLINE bool two_in_order(const struct engine_plan *plan) {
    return plan->winner == DAA_WINS_LARGEST && plan->lo_bits < 8;
}

/* ---- packing ---- */

/* The words of WIDTH steps or lanes. HIGH: the high operands of a fixed policy. Where that is one stream, it becomes
 * stream 0, as two_long_row() needs it. */
INLINE void two_pack(const struct engine_plan *plan, const struct pair_forms *f, words pairs, of_halves high, bool is_a,
                     words out[TWO_PACKED]) {
    const of_halves lower = equal_halves(all_words(0xffff), all_halves(-1));
    words exact = pair_exact(pairs), low = pair_low(f, pairs), exponents = pair_exponents(pairs);
    if (f->steer) {
        out[0] = pick_halves(lower, exact, low);
        out[1] = pick_halves(lower, low, exact);
        out[0] = two_in_order(plan) ? turned(out[0]) : out[0];
    } else {
        out[0] = pick_halves(high, exact, low);
        if (plan->winner == DAA_WINS_TURN) {
            const words turn = pick_halves(high, all_words(-65536), all_words(0)); /* the upper half is high */
            const of_words turns = greater_words(all_words(0), turn);
            out[0] = pick_words(turns, turned(out[0]), out[0]);
            exponents = pick_words(turns, turned(exponents), exponents);
        }
        out[1] = out[0];
    }
    out[2] = products_of_halves(exponents, all_words(-65536 | 1));
    out[3] = plan->anchored ? pair_parts(pairs, pair_part(plan->anchored, is_a)) : all_words(0);
}

static void two_pack_a(const struct engine_plan *plan, size_t steps, const void *from, size_t stride,
                       uint32_t *packed) {
    const uint16_t *raw = from;
    const struct pair_forms forms = pair_make_forms(plan);
    const of_halves high = pair_high(plan, 0, WIDTH, 0); /* whole turns of any policy */
    const size_t row_words = two_row_words(plan);
    for (size_t t = 0; t < steps; t += WIDTH, packed += TWO_ROWS * row_words * WIDTH / STEPS) {
        for (size_t row = 0; row < TWO_ROWS; row++) {
            words pairs[TWO_PACKED], first[FORMS], second[FORMS];
            two_pack(plan, &forms, pair_load(raw + row * stride + 2 * t, 2 * (steps - t)), high, true, pairs);
            spread(pairs[0], first);
            spread(pairs[1], second);
            uint32_t *out = packed + row * row_words, *next = out + TWO_ROWS * row_words;
            for (size_t f = 0; f < FORMS; f++, out += 2 * STEPS, next += 2 * STEPS)
                store_pairs(out, next, first[f], second[f]);
            store_eights(out, next, pairs[2]);
            if (plan->anchored)
                store_eights(out + STEPS, next + STEPS, pairs[3]);
        }
    }
}

static void two_pack_b(const struct engine_plan *plan, size_t steps, const void *from, uint32_t *packed) {
    const uint16_t *raw = from;
    const struct pair_forms forms = pair_make_forms(plan);
    const words who = all_words(two_in_order(plan));
    const size_t kinds = (size_t)two_b_words(plan);
    pack_no_steps(steps, kinds * TWO_LANES, packed);
    for (size_t t = 0; t < steps; t++, raw += 2 * TWO_LANES, packed += kinds * TWO_LANES) {
        const of_halves high = pair_high(plan, t, 1, 0);
        for (size_t lane = 0; lane < TWO_LANES; lane += WIDTH) {
            words kept[TWO_PACKED];
            two_pack(plan, &forms, pair_interleave(raw + lane, TWO_LANES), high, false, kept);
            kept[1] = or_words(kept[1], who);
            for (size_t i = 0; i < kinds; i++)
                store_words(packed + i * TWO_LANES + lane, kept[i]);
        }
    }
}

/* ---- the table ---- */

/* Differences of rows that are told apart, LEAST to MOST. */
struct differences {
    int least, most;
};

static struct differences two_extremes(words least, words most) {
    uint32_t low[WIDTH], high[WIDTH];
    struct differences found = {1000, -1000};
    store_words(low, least);
    store_words(high, most);
    for (size_t i = 0; i < WIDTH; i++) {
        found.least = (int32_t)low[i] < found.least ? (int32_t)low[i] : found.least;
        found.most = (int32_t)high[i] > found.most ? (int32_t)high[i] : found.most;
    }
    return found;
}

/* Beyond these, all lanes decide alike; so they do for a row with a zero operand. A lane with a zero operand has no
 * say: its other product wins by far. */
static struct differences two_of_lanes(const struct engine_plan *plan, size_t steps, const uint32_t *b) {
    const words none_least = all_words(255), none_most = all_words(-255);
    const size_t kinds = (size_t)two_b_words(plan);
    words least = none_least, most = none_most;
    for (size_t t = 0; t < steps; t++) {
        for (size_t lane = 0; lane < TWO_LANES; lane += WIDTH) {
            const words of_b = load_words(b + (t * kinds + 2) * TWO_LANES + lane);
            const of_words both = greater_words(none_least, abs_words(of_b));
            least = min_words(least, pick_words(both, of_b, none_least));
            most = max_words(most, pick_words(both, of_b, none_most));
        }
    }
    const struct differences found = two_extremes(least, most);
    return found.least > found.most
               ? (struct differences){0, 0}
               : (struct differences){-found.most - plan->window - 1, plan->window + 1 - found.least};
}

/* Those of rows in the steps of a table, of which the first is at A. */
static struct differences two_of_rows(const struct engine_plan *plan, size_t panels, const uint32_t *a,
                                      size_t a_block) {
    const size_t row_words = two_row_words(plan);
    struct differences found = {1000, -1000};
    for (size_t i = 0; i < panels; i++) {
        __m256i least = _mm256_set1_epi32(found.least), most = _mm256_set1_epi32(found.most);
        for (size_t row = 0; row < TWO_ROWS; row++) {
            const uint32_t *of_row = a + i * a_block + row * row_words + 2 * FORMS * STEPS;
            least = _mm256_min_epi32(least, _mm256_loadu_si256((const __m256i_u *)of_row));
            most = _mm256_max_epi32(most, _mm256_loadu_si256((const __m256i_u *)of_row));
        }
        int32_t low[STEPS], high[STEPS];
        _mm256_storeu_si256((__m256i_u *)low, least);
        _mm256_storeu_si256((__m256i_u *)high, most);
        for (size_t t = 0; t < STEPS; t++) {
            found.least = low[t] < found.least ? low[t] : found.least;
            found.most = high[t] > found.most ? high[t] : found.most;
        }
    }
    return found;
}

static int two_between(int value, struct differences d) {
    return value < d.least ? d.least : value > d.most ? d.most : value;
}

/* Entries of TWO_LANES words. A step's entries follow one another; those of steps behind the last one are zeros, as
 * rows are there. */
struct two_table {
    uint32_t *words;
    int least, entries; /* of a step */
    bool in_order;
};

/* One vector of lanes at one step, for all differences. A product beyond the other one's window is a zero. In order,
 * that is the low one, in the lower half. */
INLINE void two_fill(const struct two_table *table, int window, const uint32_t *b, uint32_t *to) {
    const words first = load_words(b), second = load_words(b + TWO_LANES);
    const words in = all_words(window), out = all_words(-window);
    const words only_0 = all_words(65535), only_1 = all_words(-65536), high_and_who = all_words(-65536 | 1);
    words ahead = add_words(load_words(b + 2 * TWO_LANES), all_words(table->least));
    for (int i = 0; i < table->entries; i++, to += TWO_LANES) {
        const of_words wins = greater_words(ahead, all_words(-1));
        words pairs = pick_words(wins, first, second);
        if (table->in_order) {
            pairs = pick_words(greater_words(abs_words(ahead), in), and_words(pairs, high_and_who), pairs);
        } else {
            pairs = pick_words(greater_words(ahead, in), and_words(pairs, only_0), pairs);
            pairs = pick_words(greater_words(out, ahead), and_words(pairs, only_1), pairs);
        }
        store_words(to, pairs);
        ahead = add_words(ahead, all_words(1));
    }
}

static void two_build(const struct engine_plan *plan, size_t steps, const uint32_t *b, const struct two_table *table) {
    const size_t entries = (size_t)table->entries, kinds = (size_t)two_b_words(plan);
    for (size_t t = 0; t < steps; t++)
        for (size_t v = 0; v < TWO_VECTORS; v++)
            two_fill(table, plan->window, b + t * kinds * TWO_LANES + WIDTH * v,
                     table->words + t * entries * TWO_LANES + WIDTH * v);
    memset(table->words + steps * entries * TWO_LANES, 0, (STEPS - steps) * entries * TWO_LANES * sizeof *table->words);
}

/* ---- rows through the table ---- */

/* Of ROWS rows and their steps: where in the table, in bytes. */
INLINE void two_places(const struct two_table *table, size_t rows, const uint32_t *a, size_t row_words,
                       uint32_t *places) {
    const __m256i least = _mm256_set1_epi32(table->least), last = _mm256_set1_epi32(table->entries - 1);
    const __m256i step = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    const __m256i before = _mm256_mullo_epi32(step, _mm256_set1_epi32(table->entries));
    for (size_t row = 0; row < rows; row++) {
        const uint32_t *of_row = a + row * row_words + 2 * FORMS * STEPS;
        __m256i entry = _mm256_sub_epi32(_mm256_loadu_si256((const __m256i_u *)of_row), least);
        entry = _mm256_min_epi32(_mm256_max_epi32(entry, _mm256_setzero_si256()), last);
        entry = _mm256_mullo_epi32(_mm256_add_epi32(entry, before), _mm256_set1_epi32(TWO_LANES * sizeof(uint32_t)));
        _mm256_store_si256((__m256i *)(places + row * STEPS), entry);
    }
}

INLINE const uint32_t *two_entry(const struct two_table *table, size_t place) {
    return (const uint32_t *)(const void *)((const char *)table->words + place);
}

INLINE void two_row(const struct two_table *table, const uint32_t *a, const uint32_t *places, float *acc) {
    const words operands = all_words(table->in_order ? -2 : -1);
    floats run[TWO_VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; v < TWO_VECTORS; v++)
        run[v] = load_floats(acc + WIDTH * v);
#pragma GCC unroll 2
    for (size_t t = 0; t < STEPS; t++, a += 2) {
        const uint32_t *entry = two_entry(table, places[t]);
        words of_a[FORMS];
        for (size_t f = 0; f < FORMS; f++)
            of_a[f] = twice(a + f * 2 * STEPS);
#pragma GCC unroll 4
        for (size_t v = 0; v < TWO_VECTORS; v++) {
            const words of_b = load_words(entry + WIDTH * v);
            run[v] = add(run[v], sum_of(of_a, and_words(of_b, operands), of_b));
        }
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < TWO_VECTORS; v++)
        store_floats(acc + WIDTH * v, run[v]);
}

/* A + B in floats, and what is lacking of the exact sum. */
INLINE floats two_sum(floats a, floats b, floats *lacking) {
    const floats sum = add(a, b), part = sub(sum, a);
    *lacking = add(sub(a, sub(sum, part)), sub(b, part));
    return sum;
}

/* acc + SUM + REST, rounded once: SUM + REST is exact in a double, and the accumulator may be of any size. */
static __attribute__((noinline)) floats two_add_huge(floats acc, floats sum, floats rest) {
    float to[WIDTH], sums[WIDTH], rests[WIDTH];
    store_floats(to, acc);
    store_floats(sums, sum);
    store_floats(rests, rest);
    for (size_t i = 0; i < WIDTH; i += 4) {
        const __m256d exact =
            _mm256_add_pd(_mm256_cvtps_pd(_mm_loadu_ps(sums + i)), _mm256_cvtps_pd(_mm_loadu_ps(rests + i)));
        _mm_storeu_ps(to + i, _mm256_cvtpd_ps(add_to_odd(_mm256_cvtps_pd(_mm_loadu_ps(to + i)), exact)));
    }
    return load_floats(to);
}

/* acc + A B + LOW, rounded once, in floats: the accumulator with the sum as a float, and then all that is lacking at
 * once. */
INLINE floats two_add_both(floats acc, floats a, floats b, floats low) {
    const floats sum = fma_of(a, b, low), rest = fma_of(a, b, sub(low, sum));
    floats lacking;
    const floats near = two_sum(acc, sum, &lacking);
    if (any_of(greater_words(magnitude(near), all_words(TWO_HUGE))))
        return two_add_huge(acc, sum, rest);
    return add(near, sum_to_odd(lacking, rest));
}

/* Stream 0's product is the high one, and may be so far below the low one that their sum has more than a float's bits.
 */
INLINE void two_long_row(const struct two_table *table, const uint32_t *a, const uint32_t *places, float *acc) {
    floats run[TWO_VECTORS];
    for (size_t v = 0; v < TWO_VECTORS; v++)
        run[v] = load_floats(acc + WIDTH * v);
    for (size_t t = 0; t < STEPS; t++, a += 2) {
        const uint32_t *entry = two_entry(table, places[t]);
        const uint32_t pairs = FORMS == 1 ? *a : *a >> 16 | a[2 * STEPS];
        const floats a0 = as_floats(all_words((int)(pairs << 16))),
                     a1 = as_floats(all_words((int)(pairs & 0xffff0000)));
        floats b0[TWO_VECTORS], low[TWO_VECTORS], next[TWO_VECTORS];
        of_words doubts[TWO_VECTORS], any = no_words();
#pragma GCC unroll 4
        for (size_t v = 0; v < TWO_VECTORS; v++) {
            const words b = load_words(entry + WIDTH * v);
            b0[v] = as_floats(pair_lower(b));
            low[v] = mul(a1, as_floats(pair_upper(b)));
            doubts[v] = add_short(run[v], a0, b0[v], low[v], &next[v]);
            any = either_words(any, doubts[v]);
        }
        if (__builtin_expect(any_of(any), false))
            for (size_t v = 0; v < TWO_VECTORS; v++)
                if (any_of(doubts[v]))
                    next[v] = two_add_both(run[v], a0, b0[v], low[v]);
#pragma GCC unroll 4
        for (size_t v = 0; v < TWO_VECTORS; v++)
            run[v] = next[v];
    }
    for (size_t v = 0; v < TWO_VECTORS; v++)
        store_floats(acc + WIDTH * v, run[v]);
}

/* Places are made for a whole panel: read at once, they would still be on their way to the cache. */
INLINE void two_rows(bool is_long, const struct two_table *table, size_t panels, const uint32_t *a, size_t a_block,
                     size_t row_words, float *acc, size_t ld) {
    __attribute__((aligned(64))) uint32_t places[TWO_ROWS * STEPS];
    for (size_t i = 0; i < panels; i++, a += a_block) {
        two_places(table, TWO_ROWS, a, row_words, places);
        for (size_t row = 0; row < TWO_ROWS; row++, acc += ld) {
            if (is_long)
                two_long_row(table, a + row * row_words, places + row * STEPS, acc);
            else
                two_row(table, a + row * row_words, places + row * STEPS, acc);
        }
    }
}

/* That of STEPS steps, of which COUNT are there. */
static struct two_table two_make_table(const struct engine_plan *plan, size_t count, size_t panels, const uint32_t *a,
                                       size_t a_block, const uint32_t *b, uint32_t *space) {
    const struct differences lanes = two_of_lanes(plan, count, b), rows = two_of_rows(plan, panels, a, a_block);
    struct two_table table = {.words = space, .in_order = two_in_order(plan)};
    table.least = two_between(rows.least, lanes);
    table.entries = two_between(rows.most, lanes) - table.least + 1;
    two_build(plan, count, b, &table);
    return table;
}

static void two_run(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                    const uint32_t *b, float *acc, size_t ld, uint32_t *space) {
    const unsigned before = _mm_getcsr();
    const bool is_long = !daa_plan_fits_float(plan);
    const size_t row_words = two_row_words(plan), b_step = (size_t)two_b_words(plan) * TWO_LANES;
    _mm_setcsr(FLUSHING);
    for (size_t t = 0; t < steps; t += STEPS, a += TWO_ROWS * row_words, b += STEPS * b_step) {
        const struct two_table table = two_make_table(plan, least_of(STEPS, steps - t), panels, a, a_block, b, space);
        if (is_long)
            two_rows(true, &table, panels, a, a_block, row_words, acc, ld);
        else
            two_rows(false, &table, panels, a, a_block, row_words, acc, ld);
    }
    _mm_setcsr(before);
}

#define KERNEL_TWO(which)                                                                                              \
    {                                                                                                                  \
        .engine = which, .rows = TWO_ROWS, .lanes = TWO_LANES, .a_group = two_a_group, .b_words = two_b_words,         \
        .steps_a_word = two_steps_a_word, .pack_a = two_pack_a, .pack_b = two_pack_b, .run = two_run,                  \
        .table_words = two_table_words, .round_floats = pack_round_floats, .scan = pack_scan, .results = pack_results, \
        .turn = pack_turn, .wide = daa_wide_vectors,                                                                   \
    }

#endif
