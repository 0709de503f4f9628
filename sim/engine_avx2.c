/* The engine for AVX2 with FMA: a kernel for one, two and four streams each. Products of bf16 and their sum are exact
 * in a float where the plan and the guard say so; only the last add rounds. Operands that are subnormal are zeros to
 * the processor too.
 *
 * With several streams a tile is computed a row and a group of steps at a time: the row's words are spread over
 * registers, the lanes' words are operands in memory, of which a group's stay in the first-level cache. That takes the
 * fewest instructions for a product. A row's steps of zeros, which change no sum, are left out. */
#if defined(__x86_64__)
#pragma GCC target("avx2,fma,bmi2")
#include <immintrin.h>

#include "engine_odd.h"
#include "engine_pack.h"

enum {
    WIDTH = 8,
    ROWS1 = 6,
    VECTORS1 = 2,
    ROW1 = GROUP + 2, /* words from row to row of A: loads from 64 bytes apart wait for each other */
    ROWS = 16,
    VECTORS2 = 4,
    VECTORS4 = 2,
    ZERO_EXPONENT = -300, /* a product with a zero never has the largest key */
};

static int steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

INLINE __m256 load(const uint32_t *words) {
    return _mm256_loadu_ps((const float *)(const void *)words);
}

INLINE __m256i load_i(const void *words) {
    return _mm256_loadu_si256((const __m256i_u *)words);
}

INLINE __m256 once(const uint32_t *word) {
    return _mm256_broadcast_ss((const float *)(const void *)word);
}

INLINE __m256i once_i(const uint32_t *word) {
    return _mm256_castps_si256(once(word));
}

INLINE void store(uint32_t *to, __m256i words) {
    _mm256_storeu_si256((__m256i_u *)to, words);
}

INLINE __m256 masked(__m256 a, __m256i mask) {
    return _mm256_and_ps(a, _mm256_castsi256_ps(mask));
}

/* ---- operands of several streams, two in a word: stream 0 or 2 in the lower half, 1 or 3 in the upper ---- */

/* What packing needs beside the operands; a policy without comparison has one form. */
struct forms {
    __m256i half, odd, drop_bits;
    __m128i drop;
    bool round, steer, turn;
};

static struct forms make_forms(const struct engine_plan *plan) {
    const int drop = 8 - plan->lo_bits, half = 1 << drop >> 1;
    return (struct forms){
        .half = _mm256_set1_epi16((short)(half - 1)),
        .odd = _mm256_set1_epi16(plan->lo_bits == 1), /* at T = 1 the kept bit is the implicit one */
        .drop_bits = _mm256_set1_epi16((short)-(1 << drop)),
        .drop = _mm_cvtsi32_si128(drop),
        .round = plan->lo_round == DAA_NEAREST && half,
        .steer = plan->policy == DAA_EXPONENT,
        .turn = plan->policy == DAA_ROTATE,
    };
}

INLINE __m256i fields(__m256i pairs) {
    return _mm256_and_si256(_mm256_srli_epi16(pairs, 7), _mm256_set1_epi16(255));
}

/* The low values: magnitudes rounded as the integers they are, so that a carry goes into the exponent. */
INLINE __m256i low_pairs(const struct forms *f, __m256i pairs) {
    const __m256i zero = _mm256_cmpeq_epi16(fields(pairs), _mm256_setzero_si256());
    if (f->round) {
        __m256i kept = _mm256_and_si256(_mm256_srl_epi16(pairs, f->drop), _mm256_set1_epi16(1));
        pairs = _mm256_add_epi16(_mm256_add_epi16(pairs, f->half), _mm256_or_si256(kept, f->odd));
    }
    return _mm256_andnot_si256(zero, _mm256_and_si256(pairs, f->drop_bits));
}

INLINE __m256i exponents(__m256i pairs) {
    const __m256i field = fields(pairs), zero = _mm256_cmpeq_epi16(field, _mm256_setzero_si256());
    return _mm256_add_epi16(field, _mm256_and_si256(zero, _mm256_set1_epi16(ZERO_EXPONENT)));
}

INLINE __m256i lower(__m256i pairs) {
    return _mm256_slli_epi32(pairs, 16);
}

INLINE __m256i upper(__m256i pairs) {
    return _mm256_and_si256(pairs, _mm256_set1_epi32(-65536));
}

/* Where a fixed policy's operands are high, in the order of k, for a group of steps. */
static void high_mask(const struct engine_plan *plan, uint16_t *mask) {
    const size_t streams = (size_t)plan->streams;
    for (size_t i = 0; i < GROUP * streams; i++)
        mask[i] = form_is_high(plan, i / streams, i % streams) ? 65535 : 0;
}

/* The same for stream 2 * PAIR and the next at one step, all lanes. */
INLINE __m256i high_pair(const struct engine_plan *plan, size_t t, size_t pair) {
    const int first = form_is_high(plan, t, 2 * pair) ? 65535 : 0;
    return _mm256_set1_epi32(form_is_high(plan, t, 2 * pair + 1) ? -65536 | first : first);
}

/* Sixteen lanes of two streams, FIRST the first eight lanes' pairs. */
INLINE void interleave(const uint16_t *stream, const uint16_t *next, __m256i pairs[2]) {
    const __m256i a = _mm256_permute4x64_epi64(load_i(stream), 0xd8), b = _mm256_permute4x64_epi64(load_i(next), 0xd8);
    pairs[0] = _mm256_unpacklo_epi16(a, b);
    pairs[1] = _mm256_unpackhi_epi16(a, b);
}

/* A row's group of operands, of which COUNT are there. */
INLINE const uint16_t *whole_group(const uint16_t *raw, size_t count, size_t whole, uint16_t *padded) {
    if (count >= whole)
        return raw;
    memset(padded + count, 0, (whole - count) * sizeof *padded);
    return memcpy(padded, raw, count * sizeof *padded);
}

/* A row's group of several streams: a plane of GROUP words for each kind, with those of the steps that are not zeros,
 * in order; where these steps are in the lanes' group, in bytes, as 16 bits each; how many they are. */
enum { PLACES = GROUP / 2, EXTRA = PLACES + 8, KINDS_MAX = 6 };

/* Eight steps' words, of those steps that KEPT has a bit for; returns how many they are. */
INLINE size_t store_kept(unsigned kept, size_t first, size_t step, const __m256i *words, size_t kinds, uint32_t *out,
                         size_t at) {
    const uint64_t bytes = _pdep_u64(kept, UINT64_C(0x0101010101010101)) * 255;
    const __m128i places = _mm_cvtsi64_si128((long long)_pext_u64(UINT64_C(0x0706050403020100), bytes));
    const __m256i order = _mm256_cvtepu8_epi32(places);
    for (size_t i = 0; i < kinds; i++)
        store(out + i * GROUP + at, _mm256_permutevar8x32_epi32(words[i], order));
    const __m128i steps = _mm_add_epi16(_mm_cvtepu8_epi16(places), _mm_set1_epi16((short)first));
    _mm_storeu_si128((__m128i_u *)((uint16_t *)(void *)(out + kinds * GROUP) + at),
                     _mm_mullo_epi16(steps, _mm_set1_epi16((short)step)));
    return (size_t)_mm_popcnt_u32(kept);
}

INLINE unsigned nonzero(__m256i pairs) {
    const __m256i zero = _mm256_cmpeq_epi32(fields(pairs), _mm256_setzero_si256());
    return ~(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(zero)) & 255;
}

/* ---- one stream ---- */

static int words1(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

static int group1(const struct engine_plan *plan) {
    (void)plan;
    return ROW1;
}

INLINE void widen(const uint16_t *raw, uint32_t *out) {
    store(out, lower(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i_u *)raw))));
}

static void pack1_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride,
                    uint32_t *packed) {
    uint16_t padded[GROUP];
    (void)plan;
    for (size_t t = 0; t < steps; t += GROUP) {
        for (size_t row = 0; row < ROWS1; row++, packed += ROW1) {
            const uint16_t *in = whole_group(raw + row * stride + t, steps - t, GROUP, padded);
            widen(in, packed);
            widen(in + WIDTH, packed + WIDTH);
        }
    }
}

static void pack1_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    (void)plan;
    for (size_t i = 0; i < steps * VECTORS1 * WIDTH; i += WIDTH)
        widen(raw + i, packed + i);
}

static void run1(size_t steps, const uint32_t *a_panel, const uint32_t *b, float *acc, size_t ld) {
    __m256 run[ROWS1][VECTORS1];
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS1; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < VECTORS1; v++)
            run[r][v] = _mm256_loadu_ps(acc + r * ld + WIDTH * v);
    for (; steps; a_panel += ROWS1 * ROW1) {
        const size_t count = least_of(steps, GROUP);
        const uint32_t *a = a_panel;
        steps -= count;
        for (size_t t = 0; t < count; t++, a++, b += VECTORS1 * WIDTH) {
            const __m256 b0 = load(b), b1 = load(b + WIDTH);
#pragma GCC unroll 8
            for (size_t r = 0; r < ROWS1; r++) {
                const __m256 of_a = once(a + r * ROW1);
                run[r][0] = _mm256_fmadd_ps(of_a, b0, run[r][0]);
                run[r][1] = _mm256_fmadd_ps(of_a, b1, run[r][1]);
            }
        }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS1; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < VECTORS1; v++)
            _mm256_storeu_ps(acc + r * ld + WIDTH * v, run[r][v]);
}

/* ---- two streams ---- */

/* High forms, low forms, one word of keys: A has e(a_0) - e(a_1), B e(b_1) - e(b_0), so that A's less B's is by how
 * much product 0 is ahead. A fixed policy has one form; the one stream that it makes high is
 * stream 0 here. */
static int words2(const struct engine_plan *plan) {
    return plan->policy == DAA_EXPONENT ? 5 : 3;
}

static int group2(const struct engine_plan *plan) {
    return words2(plan) * GROUP + EXTRA;
}

/* Eight pairs' words, one kind after the other. */
INLINE void forms2(const struct forms *f, bool is_a, __m256i pairs, __m256i high, __m256i *words) {
    if (f->turn) {
        const __m256i turned = _mm256_or_si256(_mm256_slli_epi32(pairs, 16), _mm256_srli_epi32(pairs, 16));
        pairs = _mm256_blendv_epi8(pairs, turned, _mm256_srai_epi32(high, 31));
        high = _mm256_set1_epi32(65535);
    }
    const __m256i low = low_pairs(f, pairs), difference = _mm256_set1_epi32(is_a ? -65536 | 1 : 1 << 16 | 65535);
    const __m256i form = f->steer ? pairs : _mm256_blendv_epi8(low, pairs, high);
    words[0] = lower(form);
    words[1] = upper(form);
    words[2] = lower(low);
    words[3] = upper(low);
    words[f->steer ? 4 : 2] = _mm256_madd_epi16(exponents(pairs), difference);
}

static void pack2_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride,
                    uint32_t *packed) {
    const struct forms forms = make_forms(plan);
    const size_t kinds = (size_t)words2(plan), b_step = kinds * VECTORS2 * WIDTH * sizeof *packed;
    uint16_t padded[2 * GROUP], high[2 * GROUP];
    high_mask(plan, high);
    for (size_t t = 0; t < steps; t += GROUP) {
        for (size_t row = 0; row < ROWS; row++, packed += group2(plan)) {
            const uint16_t *in = whole_group(raw + row * stride + 2 * t, 2 * (steps - t), 2 * GROUP, padded);
            size_t count = 0;
            for (size_t i = 0; i < GROUP; i += WIDTH) {
                const __m256i pairs = load_i(in + 2 * i);
                __m256i words[KINDS_MAX];
                forms2(&forms, true, pairs, load_i(high + 2 * i), words);
                count += store_kept(nonzero(pairs), i, b_step, words, kinds, packed, count);
            }
            packed[kinds * GROUP + PLACES] = (uint32_t)count;
        }
    }
}

static void pack2_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    enum { LANES = VECTORS2 * WIDTH };
    const struct forms forms = make_forms(plan);
    const size_t kinds = (size_t)words2(plan);
    for (size_t t = 0; t < steps; t++, raw += 2 * LANES, packed += kinds * LANES) {
        const __m256i high = high_pair(plan, t, 0);
        for (size_t lane = 0; lane < LANES; lane += 2 * WIDTH) {
            __m256i pairs[2], words[KINDS_MAX];
            interleave(raw + lane, raw + LANES + lane, pairs);
            for (size_t v = 0; v < 2; v++) {
                forms2(&forms, false, pairs[v], high, words);
                for (size_t i = 0; i < kinds; i++)
                    store(packed + i * LANES + lane + v * WIDTH, words[i]);
            }
        }
    }
}

INLINE size_t kept_steps(const uint32_t *a, size_t kinds) {
    return a[kinds * GROUP + PLACES];
}

/* The lanes' words of the step that is at T of a row's group. */
INLINE const uint32_t *lanes_of(const uint32_t *group, const uint32_t *a, size_t kinds, size_t t) {
    const uint16_t *places = (const uint16_t *)(const void *)(a + kinds * GROUP);
    return (const uint32_t *)(const void *)((const char *)group + places[t]);
}

/* A sum of a step: AHEAD, and where product 0 and product 1 are in the window as far as the other one is the winner. */
#define AHEAD2(kind)                                                                                                   \
    const __m256i ahead = _mm256_sub_epi32(once_i(a + (kind)*GROUP + t), load_i(b + (kind)*LANES));                    \
    const __m256i in0 = _mm256_cmpgt_epi32(ahead, all_out), in1 = _mm256_cmpgt_epi32(out, ahead)

#define A(kind) once(a + (kind)*GROUP + t)
#define B(kind) load(b + (kind)*LANES)

static void run2(int window, const uint32_t *a, const uint32_t *panel, float *acc) {
    enum { LANES = VECTORS2 * WIDTH };
    const __m256i out = _mm256_set1_epi32(window + 1), all_out = _mm256_set1_epi32(-window - 1);
    __m256 run[VECTORS2];
#pragma GCC unroll 8
    for (size_t v = 0; v < VECTORS2; v++)
        run[v] = _mm256_loadu_ps(acc + WIDTH * v);
    for (size_t t = 0, count = kept_steps(a, 5); t < count; t++) {
        const uint32_t *step = lanes_of(panel, a, 5, t);
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS2; v++) {
            const uint32_t *b = step + WIDTH * v;
            __m256 low1 = _mm256_mul_ps(A(3), B(3)), low0 = _mm256_mul_ps(A(2), B(2));
            AHEAD2(4);
            __m256 first = _mm256_fmadd_ps(A(0), B(0), masked(low1, in1));
            __m256 second = _mm256_fmadd_ps(A(1), B(1), masked(low0, in0));
            run[v] = _mm256_add_ps(run[v], _mm256_blendv_ps(first, second, _mm256_castsi256_ps(ahead)));
        }
    }
#pragma GCC unroll 8
    for (size_t v = 0; v < VECTORS2; v++)
        _mm256_storeu_ps(acc + WIDTH * v, run[v]);
}

static void run2_fixed(int window, const uint32_t *a, const uint32_t *panel, float *acc) {
    enum { LANES = VECTORS2 * WIDTH };
    const __m256i out = _mm256_set1_epi32(window + 1), all_out = _mm256_set1_epi32(-window - 1);
    __m256 run[VECTORS2];
#pragma GCC unroll 8
    for (size_t v = 0; v < VECTORS2; v++)
        run[v] = _mm256_loadu_ps(acc + WIDTH * v);
    for (size_t t = 0, count = kept_steps(a, 3); t < count; t++) {
        const uint32_t *step = lanes_of(panel, a, 3, t);
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS2; v++) {
            const uint32_t *b = step + WIDTH * v;
            AHEAD2(2);
            __m256 sum = _mm256_mul_ps(A(0), masked(B(0), in0));
            run[v] = _mm256_add_ps(run[v], _mm256_fmadd_ps(A(1), masked(B(1), in1), sum));
        }
    }
#pragma GCC unroll 8
    for (size_t v = 0; v < VECTORS2; v++)
        _mm256_storeu_ps(acc + WIDTH * v, run[v]);
}

/* acc + SUM + REST, rounded once: SUM + REST is exact in a double. */
INLINE __m128 add_both(__m128 acc, __m128 sum, __m128 rest) {
    const __m256d exact = _mm256_add_pd(_mm256_cvtps_pd(sum), _mm256_cvtps_pd(rest));
    return _mm256_cvtpd_ps(add_to_odd(_mm256_cvtps_pd(acc), exact));
}

INLINE __m256 add_all(__m256 acc, __m256 sum, __m256 rest) {
    const __m128 upper_half =
        add_both(_mm256_extractf128_ps(acc, 1), _mm256_extractf128_ps(sum, 1), _mm256_extractf128_ps(rest, 1));
    return _mm256_set_m128(
        upper_half, add_both(_mm256_castps256_ps128(acc), _mm256_castps256_ps128(sum), _mm256_castps256_ps128(rest)));
}

/* The high product is stream 0's. Where it is so far below the low one that their sum has more than a float's bits,
 * REST is what the float lacks; otherwise it is zero. */
static void run2_long(int window, const uint32_t *a, const uint32_t *panel, float *acc) {
    enum { LANES = VECTORS2 * WIDTH };
    const __m256i out = _mm256_set1_epi32(window + 1), all_out = _mm256_set1_epi32(-window - 1);
    for (size_t t = 0, count = kept_steps(a, 3); t < count; t++) {
        const uint32_t *step = lanes_of(panel, a, 3, t);
        __m256 sum[VECTORS2], rest[VECTORS2], any = _mm256_setzero_ps();
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS2; v++) {
            const uint32_t *b = step + WIDTH * v;
            AHEAD2(2);
            const __m256 high = masked(B(0), in0), low = _mm256_mul_ps(A(1), masked(B(1), in1));
            sum[v] = _mm256_fmadd_ps(A(0), high, low);
            rest[v] = _mm256_fmadd_ps(A(0), high, _mm256_sub_ps(low, sum[v]));
            any = _mm256_or_ps(any, rest[v]);
        }
        const bool is_long = !_mm256_testz_si256(_mm256_castps_si256(any), _mm256_castps_si256(any));
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS2; v++) {
            const __m256 before = _mm256_loadu_ps(acc + WIDTH * v);
            __m256 after = _mm256_add_ps(before, sum[v]);
            if (__builtin_expect(is_long, 0))
                after = add_all(before, sum[v], rest[v]);
            _mm256_storeu_ps(acc + WIDTH * v, after);
        }
    }
}

/* ---- four streams ---- */

/* Streams 0 and 1, 2 and 3: high forms, low forms, keys. A fixed policy has one form. A key is KEY times the exponent,
 * and in A's below it what makes an earlier stream win a tie: one that is in the window is at most KEY * window + 3
 * below the winner's, one that is not KEY * window + KEY - 3. */
enum { KEY_LOG2 = 3, KEY = 1 << KEY_LOG2 };

static int words4(const struct engine_plan *plan) {
    return plan->policy == DAA_EXPONENT ? 6 : 4;
}

static int group4(const struct engine_plan *plan) {
    return words4(plan) * GROUP + EXTRA;
}

INLINE void forms4(const struct forms *f, bool is_a, int pair, __m256i pairs, __m256i high, __m256i *words) {
    const __m256i low = low_pairs(f, pairs), keys = _mm256_slli_epi16(exponents(pairs), KEY_LOG2);
    const __m256i ties = is_a ? _mm256_set1_epi32((2 - 2 * pair) << 16 | (3 - 2 * pair)) : _mm256_setzero_si256();
    words[pair] = f->steer ? pairs : _mm256_blendv_epi8(low, pairs, high);
    words[2 + pair] = low;
    words[(f->steer ? 4 : 2) + pair] = _mm256_add_epi16(keys, ties);
}

INLINE __m256i every_other(__m256i a, __m256i b, bool odd) {
    const __m256 x = _mm256_castsi256_ps(a), y = _mm256_castsi256_ps(b);
    const __m256 picked = odd ? _mm256_shuffle_ps(x, y, 0xdd) : _mm256_shuffle_ps(x, y, 0x88);
    return _mm256_permute4x64_epi64(_mm256_castps_si256(picked), 0xd8);
}

static void pack4_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride,
                    uint32_t *packed) {
    const struct forms forms = make_forms(plan);
    const size_t kinds = (size_t)words4(plan), b_step = kinds * VECTORS4 * WIDTH * sizeof *packed;
    uint16_t padded[4 * GROUP], high[4 * GROUP];
    high_mask(plan, high);
    for (size_t t = 0; t < steps; t += GROUP) {
        for (size_t row = 0; row < ROWS; row++, packed += group4(plan)) {
            const uint16_t *in = whole_group(raw + row * stride + 4 * t, 4 * (steps - t), 4 * GROUP, padded);
            size_t count = 0;
            for (size_t i = 0; i < GROUP; i += WIDTH) {
                const __m256i x = load_i(in + 4 * i), y = load_i(in + 4 * i + 2 * WIDTH);
                const __m256i high_x = load_i(high + 4 * i), high_y = load_i(high + 4 * i + 2 * WIDTH);
                __m256i words[KINDS_MAX];
                unsigned kept = 0;
                for (int pair = 0; pair < 2; pair++) {
                    const __m256i pairs = every_other(x, y, pair);
                    forms4(&forms, true, pair, pairs, every_other(high_x, high_y, pair), words);
                    kept |= nonzero(pairs);
                }
                count += store_kept(kept, i, b_step, words, kinds, packed, count);
            }
            packed[kinds * GROUP + PLACES] = (uint32_t)count;
        }
    }
}

static void pack4_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    enum { LANES = VECTORS4 * WIDTH };
    const struct forms forms = make_forms(plan);
    const size_t kinds = (size_t)words4(plan);
    for (size_t t = 0; t < steps; t++, raw += 4 * LANES, packed += kinds * LANES) {
        const __m256i high[2] = {high_pair(plan, t, 0), high_pair(plan, t, 1)};
        for (size_t lane = 0; lane < LANES; lane += 2 * WIDTH) {
            __m256i pairs[2][2], words[KINDS_MAX];
            interleave(raw + lane, raw + LANES + lane, pairs[0]);
            interleave(raw + 2 * LANES + lane, raw + 3 * LANES + lane, pairs[1]);
            for (size_t v = 0; v < 2; v++) {
                for (int pair = 0; pair < 2; pair++)
                    forms4(&forms, false, pair, pairs[pair][v], high[pair], words);
                for (size_t i = 0; i < kinds; i++)
                    store(packed + i * LANES + lane + v * WIDTH, words[i]);
            }
        }
    }
}

/* a_0 b_0 + a_1 b_1 + sum, exact. */
INLINE __m256 dot(__m256i a, __m256i b, __m256 sum) {
    sum = _mm256_fmadd_ps(_mm256_castsi256_ps(lower(a)), _mm256_castsi256_ps(lower(b)), sum);
    return _mm256_fmadd_ps(_mm256_castsi256_ps(upper(a)), _mm256_castsi256_ps(upper(b)), sum);
}

INLINE void run4_any(bool steer, int window, const uint32_t *a, const uint32_t *panel, float *acc) {
    enum { LANES = VECTORS4 * WIDTH };
    const size_t kinds = steer ? 6 : 4;
    const __m256i reach = _mm256_set1_epi16((short)(KEY * window + 4));
    const __m256i swap = _mm256_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2, 13, 12, 15, 14, 9, 8, 11,
                                         10, 5, 4, 7, 6, 1, 0, 3, 2);
    __m256 run[VECTORS4];
#pragma GCC unroll 8
    for (size_t v = 0; v < VECTORS4; v++)
        run[v] = _mm256_loadu_ps(acc + WIDTH * v);
    for (size_t t = 0, count = kept_steps(a, kinds); t < count; t++) {
        const uint32_t *step = lanes_of(panel, a, kinds, t);
#pragma GCC unroll 8
        for (size_t v = 0; v < VECTORS4; v++) {
            const uint32_t *b = step + WIDTH * v, *a_keys = a + (kinds - 2) * GROUP + t;
            const __m256i key01 = _mm256_add_epi16(once_i(a_keys), load_i(b + (kinds - 2) * LANES));
            const __m256i key23 = _mm256_add_epi16(once_i(a_keys + GROUP), load_i(b + (kinds - 1) * LANES));
            const __m256i either = _mm256_max_epi16(key01, key23);
            const __m256i top = _mm256_max_epi16(either, _mm256_shuffle_epi8(either, swap));
            const __m256i before = _mm256_sub_epi16(top, reach);
            __m256i a01 = once_i(a + t), a23 = once_i(a + GROUP + t), b01 = load_i(b), b23 = load_i(b + LANES);
            if (steer) {
                const __m256i wins01 = _mm256_cmpeq_epi16(key01, top), wins23 = _mm256_cmpeq_epi16(key23, top);
                a01 = _mm256_blendv_epi8(once_i(a + 2 * GROUP + t), a01, wins01);
                a23 = _mm256_blendv_epi8(once_i(a + 3 * GROUP + t), a23, wins23);
                b01 = _mm256_blendv_epi8(load_i(b + 2 * LANES), b01, wins01);
                b23 = _mm256_blendv_epi8(load_i(b + 3 * LANES), b23, wins23);
            }
            b01 = _mm256_and_si256(b01, _mm256_cmpgt_epi16(key01, before));
            b23 = _mm256_and_si256(b23, _mm256_cmpgt_epi16(key23, before));
            const __m256 first = _mm256_mul_ps(_mm256_castsi256_ps(lower(a01)), _mm256_castsi256_ps(lower(b01)));
            const __m256 sum = _mm256_fmadd_ps(_mm256_castsi256_ps(upper(a01)), _mm256_castsi256_ps(upper(b01)), first);
            run[v] = _mm256_add_ps(run[v], dot(a23, b23, sum));
        }
    }
#pragma GCC unroll 8
    for (size_t v = 0; v < VECTORS4; v++)
        _mm256_storeu_ps(acc + WIDTH * v, run[v]);
}

static void run4(int window, const uint32_t *a, const uint32_t *panel, float *acc) {
    run4_any(true, window, a, panel, acc);
}

static void run4_fixed(int window, const uint32_t *a, const uint32_t *panel, float *acc) {
    run4_any(false, window, a, panel, acc);
}

/* ---- tiles ---- */

static void tile1(const struct engine_plan *plan, size_t steps, const uint32_t *a, const uint32_t *b, float *acc,
                  size_t ld) {
    const unsigned before = _mm_getcsr();
    (void)plan;
    _mm_setcsr(FLUSHING);
    run1(steps, a, b, acc, ld);
    _mm_setcsr(before);
}

INLINE void rows_by_group(void (*row)(int, const uint32_t *, const uint32_t *, float *), int window, size_t steps,
                          size_t a_group, size_t b_step, const uint32_t *a, const uint32_t *b, float *acc, size_t ld) {
    const size_t count_at = a_group - EXTRA + PLACES;
    const unsigned before = _mm_getcsr();
    _mm_setcsr(FLUSHING);
    for (size_t t = 0; t < steps; t += GROUP, b += GROUP * b_step)
        for (size_t r = 0; r < ROWS; r++, a += a_group)
            if (a[count_at] > 0)
                row(window, a, b, acc + r * ld);
    _mm_setcsr(before);
}

static void tile2(const struct engine_plan *plan, size_t steps, const uint32_t *a, const uint32_t *b, float *acc,
                  size_t ld) {
    const size_t kinds = (size_t)words2(plan);
    rows_by_group(plan->policy == DAA_EXPONENT ? run2
                  : daa_plan_fits_float(plan)  ? run2_fixed
                                               : run2_long,
                  plan->window, steps, kinds * GROUP + EXTRA, kinds * VECTORS2 * WIDTH, a, b, acc, ld);
}

static void tile4(const struct engine_plan *plan, size_t steps, const uint32_t *a, const uint32_t *b, float *acc,
                  size_t ld) {
    const size_t kinds = (size_t)words4(plan);
    rows_by_group(plan->policy == DAA_EXPONENT ? run4 : run4_fixed, plan->window, steps, kinds * GROUP + EXTRA,
                  kinds * VECTORS4 * WIDTH, a, b, acc, ld);
}

RUN_OF_TILE(panels1, tile1, ROWS1)
RUN_OF_TILE(panels2, tile2, ROWS)
RUN_OF_TILE(panels4, tile4, ROWS)

#define KERNEL(row_count, vectors, number)                                                                             \
    {                                                                                                                  \
        .engine = DAA_ENGINE_AVX2, .leaves_out = number > 1, .rows = row_count, .lanes = (vectors)*WIDTH,              \
        .a_group = group##number, .b_words = words##number, .steps_a_word = steps_a_word, .pack_a = pack##number##_a,  \
        .pack_b = pack##number##_b, .run = panels##number, .load = pack_load, .scan = pack_scan,                       \
        .wide = daa_wide_vectors,                                                                                      \
    }

const struct engine_kernel daa_kernel_avx2_one = KERNEL(ROWS1, VECTORS1, 1);
const struct engine_kernel daa_kernel_avx2_two = KERNEL(ROWS, VECTORS2, 2);
const struct engine_kernel daa_kernel_avx2_four = KERNEL(ROWS, VECTORS4, 4);
#endif
