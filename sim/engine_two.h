/* Two streams by table, for the AVX-512 engines. All that steering decides about a step, which product is high and
 * whether the other one is in the window, hangs on one small number, by how much product 0 is ahead:
 *
 *     ahead = (e(a_0) - e(a_1)) + (e(b_0) - e(b_1))
 *
 * The first difference is a row's, the second a lane's. So for TABLE_STEPS steps of a panel of B a table holds, for
 * every difference that a row can bring, the lanes' operands as they then take part, and a mask of the lanes in which
 * product 0 wins. A row looks its entry up, picks its own operands by the mask, and multiplies.
 *
 * Words hold two bf16. The including file defines FORMS, in how many words a row's pair of operands is kept; spread(),
 * which makes these of pairs; and sum_of(a, b), a_0 b_0 + a_1 b_1, exact where the plan and the guard say so. */
#ifndef DAA_ENGINE_TWO_H
#define DAA_ENGINE_TWO_H

#include <immintrin.h>

#include "engine_pair.h"

enum {
    TWO_ROWS = 16,
    TWO_VECTORS = 4,
    TWO_LANES = 16 * TWO_VECTORS,
    TABLE_STEPS = 8,       /* the entries in frequent use then stay in the first-level cache */
    PACKED = 3,            /* words of a lane's step: as product 0 wins, as product 1 does, the difference */
    KINDS = 2 * FORMS + 1, /* the same of a row's step */
};

/* A difference of exponents is -254 to 254. One beyond all of the lanes' and the window decides like the first such. */
static size_t two_entries_most(const struct engine_plan *plan) {
    return (size_t)(2 * 254 + 2 * (plan->window + 1) + 1);
}

static size_t two_table_words(const struct engine_plan *plan) {
    return two_entries_most(plan) * TABLE_STEPS * (TWO_LANES + TWO_VECTORS / 2);
}

static int two_a_group(const struct engine_plan *plan) {
    (void)plan;
    return KINDS * GROUP;
}

static int two_b_words(const struct engine_plan *plan) {
    (void)plan;
    return PACKED;
}

static int two_steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

/* ---- packing ---- */

/* The words of sixteen steps or lanes. HIGH: the high operands of a fixed policy. */
INLINE void two_pack(const struct pair_forms *f, __m512i pairs, __mmask32 high, __m512i words[PACKED]) {
    const __mmask32 first = 0x55555555;
    const __m512i exact = pair_exact(pairs), low = pair_low(f, pairs), exponents = pair_exponents(pairs);
    words[0] = _mm512_mask_mov_epi16(low, f->steer ? first : high, exact);
    words[1] = _mm512_mask_mov_epi16(low, f->steer ? ~first : high, exact);
    words[2] = _mm512_madd_epi16(exponents, _mm512_set1_epi32(-65536 | 1));
}

static void two_pack_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride,
                       uint32_t *packed) {
    const struct pair_forms forms = pair_make_forms(plan);
    __mmask32 high = 0;
    for (size_t i = 0; i < GROUP; i++) /* a group is a whole number of turns of any policy */
        high |= (__mmask32)pair_high(plan, i, 0) << 2 * i;
    for (size_t t = 0; t < steps; t += GROUP, packed += TWO_ROWS * KINDS * GROUP) {
        for (size_t row = 0; row < TWO_ROWS; row++) {
            __m512i pairs[PACKED], words[KINDS];
            two_pack(&forms, pair_load(raw + row * stride + 2 * t, 2 * (steps - t)), high, pairs);
            spread(pairs[0], words);
            spread(pairs[1], words + FORMS);
            words[2 * FORMS] = pairs[2];
            pair_store_halves(words, KINDS, packed + row * KINDS * TABLE_STEPS, TWO_ROWS * KINDS * TABLE_STEPS);
        }
    }
}

static void two_pack_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    const struct pair_forms forms = pair_make_forms(plan);
    for (size_t t = 0; t < steps; t++, raw += 2 * TWO_LANES, packed += PACKED * TWO_LANES) {
        const __mmask32 high = pair_high(plan, t, 0) * UINT32_C(0x55555555);
        for (size_t lane = 0; lane < TWO_LANES; lane += 16) {
            __m512i words[PACKED];
            two_pack(&forms, pair_interleave(raw + lane, TWO_LANES), high, words);
            for (size_t i = 0; i < PACKED; i++)
                _mm512_storeu_si512(packed + i * TWO_LANES + lane, words[i]);
        }
    }
}

/* ---- the table ---- */

/* Differences of rows that are told apart, LEAST to MOST. */
struct differences {
    int least, most;
};

static struct differences two_extremes(__m512i least, __m512i most) {
    int32_t low[16], high[16];
    _mm512_storeu_si512(low, least);
    _mm512_storeu_si512(high, most);
    for (size_t i = 1; i < 16; i++) {
        low[0] = low[i] < low[0] ? low[i] : low[0];
        high[0] = high[i] > high[0] ? high[i] : high[0];
    }
    return (struct differences){low[0], high[0]};
}

/* Beyond these, all lanes decide alike; so they do for a row with a zero operand. A lane with a zero operand has no
 * say: its other product wins by far. */
static struct differences two_of_lanes(const struct engine_plan *plan, size_t steps, const uint32_t *b) {
    const __m512i none_least = _mm512_set1_epi32(255), none_most = _mm512_set1_epi32(-255);
    __m512i least = none_least, most = none_most;
    for (size_t t = 0; t < steps; t++) {
        for (size_t lane = 0; lane < TWO_LANES; lane += 16) {
            const __m512i of_b = _mm512_loadu_si512(b + (t * PACKED + 2) * TWO_LANES + lane);
            const __mmask16 both = _mm512_cmpgt_epi32_mask(none_least, _mm512_abs_epi32(of_b));
            least = _mm512_min_epi32(least, _mm512_mask_mov_epi32(none_least, both, of_b));
            most = _mm512_max_epi32(most, _mm512_mask_mov_epi32(none_most, both, of_b));
        }
    }
    const struct differences found = two_extremes(least, most);
    return found.least > found.most
               ? (struct differences){0, 0}
               : (struct differences){-found.most - plan->window - 1, plan->window + 1 - found.least};
}

/* Those of rows in the steps of a table, of which the first is at A. */
static struct differences two_of_rows(size_t panels, const uint32_t *a, size_t a_block) {
    __m256i least = _mm256_set1_epi32(1000), most = _mm256_set1_epi32(-1000);
    for (size_t i = 0; i < panels; i++) {
        for (size_t row = 0; row < TWO_ROWS; row++) {
            const uint32_t *of_row = a + i * a_block + (row * KINDS + 2 * FORMS) * TABLE_STEPS;
            least = _mm256_min_epi32(least, _mm256_loadu_si256((const __m256i_u *)of_row));
            most = _mm256_max_epi32(most, _mm256_loadu_si256((const __m256i_u *)of_row));
        }
    }
    return two_extremes(_mm512_broadcast_i64x4(least), _mm512_broadcast_i64x4(most));
}

static int two_between(int value, struct differences d) {
    return value < d.least ? d.least : value > d.most ? d.most : value;
}

/* Of an entry, TWO_LANES words and as many bits of masks. A step's entries follow
 * one another; those of steps behind the last one are zeros, as rows are there. */
struct two_table {
    uint32_t *words;
    __mmask16 *masks;
    int least, entries; /* of a step */
};

/* One vector of lanes at one step, for all differences. A product beyond the other one's window is a zero. */
INLINE void two_fill(const struct two_table *table, int window, const uint32_t *b, uint32_t *words, __mmask16 *masks) {
    const __m512i first = _mm512_loadu_si512(b), second = _mm512_loadu_si512(b + TWO_LANES);
    const __m512i one = _mm512_set1_epi32(1), in = _mm512_set1_epi32(window), out = _mm512_set1_epi32(-window);
    const __m512i behind = _mm512_set1_epi32(-1), only_0 = _mm512_set1_epi32(0xffff),
                  only_1 = _mm512_set1_epi32(-65536);
    __m512i ahead = _mm512_add_epi32(_mm512_loadu_si512(b + 2 * TWO_LANES), _mm512_set1_epi32(table->least));
    for (int i = 0; i < table->entries; i++, words += TWO_LANES, masks += TWO_VECTORS) {
        const __mmask16 wins = _mm512_cmpgt_epi32_mask(ahead, behind);
        __m512i pairs = _mm512_mask_mov_epi32(second, wins, first);
        pairs = _mm512_mask_and_epi32(pairs, _mm512_cmpgt_epi32_mask(ahead, in), pairs, only_0);
        pairs = _mm512_mask_and_epi32(pairs, _mm512_cmpgt_epi32_mask(out, ahead), pairs, only_1);
        _mm512_storeu_si512(words, pairs);
        *masks = wins;
        ahead = _mm512_add_epi32(ahead, one);
    }
}

static void two_build(const struct engine_plan *plan, size_t steps, const uint32_t *b, const struct two_table *table) {
    const size_t entries = (size_t)table->entries;
    for (size_t t = 0; t < steps; t++)
        for (size_t v = 0; v < TWO_VECTORS; v++)
            two_fill(table, plan->window, b + t * PACKED * TWO_LANES + 16 * v,
                     table->words + t * entries * TWO_LANES + 16 * v, table->masks + t * entries * TWO_VECTORS + v);
    memset(table->words + steps * entries * TWO_LANES, 0,
           (TABLE_STEPS - steps) * entries * TWO_LANES * sizeof *table->words);
}

/* ---- rows through the table ---- */

/* Of a panel's rows and steps: the entries' places in the masks, in bytes. */
INLINE void two_places(const struct two_table *table, const uint32_t *a, uint32_t *places) {
    const __m256i least = _mm256_set1_epi32(table->least), last = _mm256_set1_epi32(table->entries - 1);
    const __m256i step = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    const __m256i before = _mm256_mullo_epi32(step, _mm256_set1_epi32(table->entries));
    for (size_t row = 0; row < TWO_ROWS; row++) {
        const uint32_t *of_row = a + (row * KINDS + 2 * FORMS) * TABLE_STEPS;
        __m256i entry = _mm256_sub_epi32(_mm256_loadu_si256((const __m256i_u *)of_row), least);
        entry = _mm256_min_epi32(_mm256_max_epi32(entry, _mm256_setzero_si256()), last);
        entry = _mm256_mullo_epi32(_mm256_add_epi32(entry, before), _mm256_set1_epi32(TWO_LANES / 8));
        _mm256_store_si256((__m256i *)(places + row * TABLE_STEPS), entry);
    }
}

INLINE void two_row(const struct two_table *table, const uint32_t *a, const uint32_t *places, float *acc) {
    __m512 run[TWO_VECTORS];
    for (size_t v = 0; v < TWO_VECTORS; v++)
        run[v] = _mm512_loadu_ps(acc + 16 * v);
#pragma GCC unroll 8
    for (size_t t = 0; t < TABLE_STEPS; t++, a++) {
        const size_t place = places[t];
        const char *masks = (const char *)table->masks + place;
        const uint32_t *words = table->words + place * 8;
        __m512i first[FORMS], second[FORMS], of_a[FORMS];
        for (size_t f = 0; f < FORMS; f++) {
            first[f] = pair_once(a + f * TABLE_STEPS);
            second[f] = pair_once(a + (FORMS + f) * TABLE_STEPS);
        }
#pragma GCC unroll 4
        for (size_t v = 0; v < TWO_VECTORS; v++) {
            const __mmask16 wins = *((const __mmask16 *)(const void *)masks + v);
            for (size_t f = 0; f < FORMS; f++)
                of_a[f] = _mm512_mask_mov_epi32(second[f], wins, first[f]);
            run[v] = _mm512_add_ps(run[v], sum_of(of_a, _mm512_loadu_si512(words + 16 * v)));
        }
    }
    for (size_t v = 0; v < TWO_VECTORS; v++)
        _mm512_storeu_ps(acc + 16 * v, run[v]);
}

/* Places are made for a whole panel: read at once, they would still be on their way to the cache. */
static void two_rows(const struct two_table *table, size_t panels, const uint32_t *a, size_t a_block, float *acc,
                     size_t ld) {
    __attribute__((aligned(64))) uint32_t places[TWO_ROWS * TABLE_STEPS];
    for (size_t i = 0; i < panels; i++, a += a_block) {
        two_places(table, a, places);
        for (size_t row = 0; row < TWO_ROWS; row++, acc += ld)
            two_row(table, a + row * KINDS * TABLE_STEPS, places + row * TABLE_STEPS, acc);
    }
}

static void two_run(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                    const uint32_t *b, float *acc, size_t ld, uint32_t *words) {
    const unsigned before = _mm_getcsr();
    struct two_table table = {.words = words};
    table.masks = (__mmask16 *)(words + two_entries_most(plan) * TABLE_STEPS * TWO_LANES);
    _mm_setcsr(FLUSHING);
    for (size_t t = 0; t < steps; t += TABLE_STEPS) {
        const size_t count = least_of(TABLE_STEPS, steps - t);
        const struct differences lanes = two_of_lanes(plan, count, b), rows = two_of_rows(panels, a, a_block);
        table.least = two_between(rows.least, lanes);
        table.entries = two_between(rows.most, lanes) - table.least + 1;
        two_build(plan, count, b, &table);
        two_rows(&table, panels, a, a_block, acc, ld);
        a += TABLE_STEPS * TWO_ROWS * KINDS;
        b += TABLE_STEPS * TWO_LANES * PACKED;
    }
    _mm_setcsr(before);
}

#define KERNEL_TWO(which)                                                                                              \
    {                                                                                                                  \
        .engine = which, .rows = TWO_ROWS, .lanes = TWO_LANES, .a_group = two_a_group, .b_words = two_b_words,         \
        .steps_a_word = two_steps_a_word, .pack_a = two_pack_a, .pack_b = two_pack_b, .run = two_run,                  \
        .table_words = two_table_words, .load = pack_load, .scan = pack_scan, .wide = daa_wide_vectors,                \
    }

#endif
