/* The engine for AVX-512 with BF16. A word holds the operands of two streams; VDPBF16PS from a zero accumulator adds
 * their two products, which is exact where the plan and the guard say so, and only vaddps rounds. The lanes of a mask
 * are words: one comparison with the other stream says which operand is high, one which product is in the window. */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,bmi2")
#include <immintrin.h>

#include "engine_pack.h"

enum { ROWS = 8, VECTORS = 2, LANES = 16 * VECTORS };
/* A product with a zero never has the largest key. A key that is one step below the window is at least 16 below. */
enum { ZERO_EXPONENT = -300, STRIDE_LOG2 = 5, STRIDE = 1 << STRIDE_LOG2 };

/* ---- packed words ---- */

/* Two streams: high forms, low forms, differences of exponents. Four: high 0 1, high 2 3, low 0 1, low 2 3, exponents
 * 0 1, exponents 2 3. One: two steps, the first in the upper half, as VDPBF16PS takes them. A fixed policy has one form
 * instead of two. */
static int words(const struct engine_plan *plan) {
    if (plan->streams == 1)
        return 1;
    return (plan->policy == DAA_EXPONENT ? 3 : 2) * plan->streams / 2;
}

static int group(const struct engine_plan *plan) {
    return words(plan) * GROUP;
}

static int steps_a_word(const struct engine_plan *plan) {
    return plan->streams == 1 ? 2 : 1;
}

/* What packing needs beside the operands. */
struct forms {
    __m512i half, odd, drop_bits, tie;
    __m128i drop;
    bool round, is_a, steer, difference;
};

static struct forms make_forms(const struct engine_plan *plan, bool is_a) {
    const int drop = 8 - plan->lo_bits, half = 1 << drop >> 1;
    return (struct forms){
        .half = _mm512_set1_epi16((short)(half - 1)),
        .odd = _mm512_set1_epi16(plan->lo_bits == 1), /* at T = 1 the kept bit is the implicit one */
        .drop_bits = _mm512_set1_epi16((short)-(1 << drop)),
        .tie = is_a ? _mm512_set1_epi32(2 << 16 | 3) : _mm512_setzero_si512(),
        .drop = _mm_cvtsi32_si128(drop),
        .round = plan->lo_round == DAA_NEAREST && half,
        .is_a = is_a,
        .steer = plan->policy == DAA_EXPONENT,
        .difference = plan->streams == 2,
    };
}

/* The low values: magnitudes rounded as the integers they are, so that a carry goes into the exponent. */
INLINE __m512i low_words(const struct forms *f, __m512i words) {
    if (f->round) {
        __m512i odd = _mm512_and_si512(_mm512_srl_epi16(words, f->drop), _mm512_set1_epi16(1));
        words = _mm512_add_epi16(_mm512_add_epi16(words, f->half), _mm512_or_si512(odd, f->odd));
    }
    return _mm512_and_si512(words, f->drop_bits);
}

/* Keys are exponents times STRIDE, biased to be unsigned. Two streams: word s of A is e(a_s) - e(a_other), of B
 * e(b_other) - e(b_s), so that product s is ahead of the other where A's is larger; A's word 0 is one more, which gives
 * ties to stream 0. Four: the exponent itself, and in A's below it what makes an earlier stream win a tie. */
INLINE __m512i key_words(const struct forms *f, __m512i words, __mmask32 nonzero, int pair) {
    const __m512i bias = _mm512_set1_epi16(-32768), first = _mm512_set1_epi32(1);
    __m512i field = _mm512_and_si512(_mm512_srli_epi16(words, 7), _mm512_set1_epi16(255));
    __m512i exponent = _mm512_mask_mov_epi16(_mm512_set1_epi16(ZERO_EXPONENT), nonzero, field);
    exponent = _mm512_slli_epi16(exponent, STRIDE_LOG2);
    if (!f->difference) {
        __m512i tie = _mm512_sub_epi16(f->tie, _mm512_set1_epi16((short)(2 * pair)));
        return f->is_a ? _mm512_add_epi16(_mm512_add_epi16(exponent, tie), bias) : exponent;
    }
    __m512i other = _mm512_rol_epi32(exponent, 16);
    return _mm512_add_epi16(bias, f->is_a ? _mm512_add_epi16(_mm512_sub_epi16(exponent, other), first)
                                          : _mm512_sub_epi16(other, exponent));
}

/* Sixteen pairs of operands, the pair's forms to planes PLANE words apart. HIGH: the high ones of a fixed policy. */
INLINE void pack_pairs(const struct forms *f, __m512i words, int pair, size_t pairs, __mmask32 high, uint32_t *out,
                       size_t plane) {
    const __mmask32 nonzero = _mm512_test_epi16_mask(words, _mm512_set1_epi16(0x7f80));
    const __m512i low = low_words(f, words);
    out += (size_t)pair * plane;
    if (f->steer) {
        _mm512_storeu_si512(out, _mm512_maskz_mov_epi16(nonzero, words));
        out += pairs * plane;
        _mm512_storeu_si512(out, _mm512_maskz_mov_epi16(nonzero, low));
    } else {
        _mm512_storeu_si512(out, _mm512_maskz_mov_epi16(nonzero, _mm512_mask_mov_epi16(low, high, words)));
    }
    _mm512_storeu_si512(out + pairs * plane, key_words(f, words, nonzero, pair));
}

/* Which words of a pair a fixed policy makes high at step T; bit 0 is the pair's first stream. */
INLINE unsigned high_pair(const struct engine_plan *plan, size_t t, unsigned pair) {
    unsigned streams = 0;
    for (unsigned s = 0; s < (unsigned)plan->streams; s++)
        streams |= (unsigned)form_is_high(plan, t, s) << s;
    return streams >> 2 * pair & 3;
}

/* A's row: groups of GROUP steps, and in each the words one kind after the other. RAW has room for a whole group. */
static void pack_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride, uint32_t *packed) {
    const size_t kinds = (size_t)words(plan), streams = (size_t)plan->streams;
    const struct forms forms = make_forms(plan, true);
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    __mmask32 high[2] = {0, 0};
    for (size_t i = 0; i < 32 && streams > 1; i++) /* GROUP is a whole number of turns of any policy */
        for (unsigned p = 0; p < streams / 2; p++)
            high[p] |= (__mmask32)(high_pair(plan, i / 2, p) >> i % 2 & 1) << i;
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t t = 0; t < steps; t += GROUP) {
            uint32_t *out = packed + (t / GROUP * ROWS + row) * kinds * GROUP;
            const size_t count = least_of(steps - t, GROUP), operands = streams == 1 ? 2 : streams;
            uint16_t whole[2 * GROUP * 2] = {0};
            const uint16_t *in = raw + row * stride + t * operands;
            if (count < GROUP)
                in = memcpy(whole, in, count * operands * sizeof *in);
            __m512i first = _mm512_loadu_si512(in);
            if (streams == 1) {
                _mm512_storeu_si512(out, _mm512_rol_epi32(first, 16));
            } else if (streams == 2) {
                pack_pairs(&forms, first, 0, 1, high[0], out, GROUP);
            } else {
                __m512i second = _mm512_loadu_si512(in + 2 * GROUP), odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
                pack_pairs(&forms, _mm512_permutex2var_epi32(first, even, second), 0, 2, high[0], out, GROUP);
                pack_pairs(&forms, _mm512_permutex2var_epi32(first, odd, second), 1, 2, high[1], out, GROUP);
            }
        }
    }
}

/* Lanes of two rows of B side by side, LOWER in the lower halves. */
INLINE __m512i interleave(const uint16_t *lower, const uint16_t *upper) {
    __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)lower));
    __m512i high = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)upper));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

static void pack_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    const size_t kinds = (size_t)words(plan), streams = (size_t)plan->streams, pairs = streams / 2;
    const struct forms forms = make_forms(plan, false);
    for (size_t t = 0; t < steps; t++) {
        uint32_t *out = packed + t * kinds * LANES;
        const uint16_t *in = raw + t * (streams == 1 ? 2 : streams) * LANES;
        for (size_t v = 0; v < LANES; v += 16) {
            if (streams == 1)
                _mm512_storeu_si512(out + v, interleave(in + LANES + v, in + v));
            for (unsigned p = 0; p < pairs; p++) {
                const uint16_t *pair = in + 2 * p * LANES + v;
                __mmask32 high = high_pair(plan, t, p) * UINT32_C(0x55555555);
                pack_pairs(&forms, interleave(pair, pair + LANES), (int)p, pairs, high, out + v, LANES);
            }
        }
    }
}

/* ---- tiles ---- */

/* Words whose key is below LAST become zeros: shifted out by how far it is. A second mask would take longer. */
INLINE __m512i in_window(__m512i words, __m512i last, __m512i key) {
    return _mm512_sllv_epi16(words, _mm512_subs_epu16(last, key));
}

INLINE __m512bh operands(__m512i words) {
    return (__m512bh)words;
}

INLINE __m512 dot(__m512 sum, __m512i a, __m512i b) {
    return _mm512_dpbf16_ps(sum, operands(a), operands(b));
}

INLINE __m512i once(const uint32_t *word) {
    return _mm512_set1_epi32((int)*word);
}

INLINE __m512i load(const uint32_t *words) {
    return _mm512_loadu_si512(words);
}

INLINE void tile1(size_t steps, const uint32_t *a, const uint32_t *b, __m512 acc[ROWS][VECTORS]) {
    for (; steps; a += ROWS * GROUP) {
        size_t count = steps < GROUP ? steps : GROUP;
        steps -= count;
        for (size_t t = 0; t < count; t++, b += LANES)
#pragma GCC unroll 16
            for (size_t r = 0; r < ROWS; r++)
#pragma GCC unroll 4
                for (size_t v = 0; v < VECTORS; v++)
                    acc[r][v] = dot(acc[r][v], once(a + r * GROUP + t), load(b + 16 * v));
    }
}

INLINE void tile2(int window, size_t steps, const uint32_t *a, const uint32_t *b, __m512 acc[ROWS][VECTORS]) {
    enum { KINDS = 3 };
    const __m512i reach = _mm512_set1_epi16((short)(STRIDE * window));
    for (; steps; a += ROWS * KINDS * GROUP) {
        size_t count = steps < GROUP ? steps : GROUP;
        steps -= count;
        for (size_t t = 0; t < count; t++, b += KINDS * LANES) {
            __m512i high[VECTORS], low[VECTORS], key[VECTORS], last[VECTORS];
#pragma GCC unroll 4
            for (size_t v = 0; v < VECTORS; v++) {
                high[v] = load(b + 16 * v);
                low[v] = load(b + LANES + 16 * v);
                key[v] = load(b + 2 * LANES + 16 * v);
                last[v] = _mm512_sub_epi16(key[v], reach);
            }
#pragma GCC unroll 16
            for (size_t r = 0; r < ROWS; r++) {
                const uint32_t *row = a + r * KINDS * GROUP + t;
                __m512i a_high = once(row), a_low = once(row + GROUP), a_key = once(row + 2 * GROUP);
#pragma GCC unroll 4
                for (size_t v = 0; v < VECTORS; v++) {
                    __mmask32 wins = _mm512_cmpgt_epu16_mask(a_key, key[v]);
                    __m512i of_a = _mm512_mask_blend_epi16(wins, a_low, a_high);
                    __m512i of_b = _mm512_mask_mov_epi16(in_window(low[v], last[v], a_key), wins, high[v]);
                    acc[r][v] = _mm512_add_ps(acc[r][v], dot(_mm512_setzero_ps(), of_a, of_b));
                }
            }
        }
    }
}

/* A fixed policy, two streams: no choice, only the window. */
INLINE void tile2_fixed(int window, size_t steps, const uint32_t *a, const uint32_t *b, __m512 acc[ROWS][VECTORS]) {
    enum { KINDS = 2 };
    const __m512i reach = _mm512_set1_epi16((short)(STRIDE * window));
    for (; steps; a += ROWS * KINDS * GROUP) {
        size_t count = steps < GROUP ? steps : GROUP;
        steps -= count;
        for (size_t t = 0; t < count; t++, b += KINDS * LANES) {
            __m512i form[VECTORS], last[VECTORS];
#pragma GCC unroll 4
            for (size_t v = 0; v < VECTORS; v++) {
                form[v] = load(b + 16 * v);
                last[v] = _mm512_sub_epi16(load(b + LANES + 16 * v), reach);
            }
#pragma GCC unroll 16
            for (size_t r = 0; r < ROWS; r++) {
                const uint32_t *row = a + r * KINDS * GROUP + t;
                __m512i a_form = once(row), a_key = once(row + GROUP);
#pragma GCC unroll 4
                for (size_t v = 0; v < VECTORS; v++) {
                    __m512i of_b = in_window(form[v], last[v], a_key);
                    acc[r][v] = _mm512_add_ps(acc[r][v], dot(_mm512_setzero_ps(), a_form, of_b));
                }
            }
        }
    }
}

/* Four streams: the largest key of each lane, in both halves of the word. */
INLINE __m512i largest(__m512i key01, __m512i key23) {
    __m512i most = _mm512_max_epu16(key01, key23);
    return _mm512_max_epu16(most, _mm512_rol_epi32(most, 16));
}

INLINE void tile4(bool steer, int window, size_t steps, const uint32_t *a, const uint32_t *b,
                  __m512 acc[ROWS][VECTORS]) {
    const size_t kinds = steer ? 6 : 4, keys_at = steer ? 4 : 2;
    const __m512i whole = _mm512_set1_epi16(-STRIDE), reach = _mm512_set1_epi16((short)(STRIDE * window));
    for (; steps; a += ROWS * kinds * GROUP) {
        size_t count = steps < GROUP ? steps : GROUP;
        steps -= count;
        for (size_t t = 0; t < count; t++, b += kinds * LANES) {
#pragma GCC unroll 4
            for (size_t v = 0; v < VECTORS; v++) {
                const uint32_t *lanes = b + 16 * v;
                __m512i form01 = load(lanes), form23 = load(lanes + LANES);
                __m512i low01 = load(lanes + 2 * LANES), low23 = load(lanes + 3 * LANES);
                __m512i b_key01 = load(lanes + keys_at * LANES), b_key23 = load(lanes + (keys_at + 1) * LANES);
#pragma GCC unroll 16
                for (size_t r = 0; r < ROWS; r++) {
                    const uint32_t *row = a + r * kinds * GROUP + t;
                    __m512i key01 = _mm512_add_epi16(once(row + keys_at * GROUP), b_key01);
                    __m512i key23 = _mm512_add_epi16(once(row + (keys_at + 1) * GROUP), b_key23);
                    __m512i top = largest(key01, key23);
                    __m512i last = _mm512_sub_epi16(_mm512_and_si512(top, whole), reach);
                    __m512i a01 = once(row), a23 = once(row + GROUP), b01 = form01, b23 = form23;
                    if (steer) {
                        __mmask32 wins01 = _mm512_cmpeq_epi16_mask(key01, top);
                        __mmask32 wins23 = _mm512_cmpeq_epi16_mask(key23, top);
                        a01 = _mm512_mask_blend_epi16(wins01, once(row + 2 * GROUP), a01);
                        a23 = _mm512_mask_blend_epi16(wins23, once(row + 3 * GROUP), a23);
                        b01 = _mm512_mask_blend_epi16(wins01, low01, b01);
                        b23 = _mm512_mask_blend_epi16(wins23, low23, b23);
                    }
                    b01 = in_window(b01, last, key01);
                    b23 = in_window(b23, last, key23);
                    acc[r][v] = _mm512_add_ps(acc[r][v], dot(dot(_mm512_setzero_ps(), a01, b01), a23, b23));
                }
            }
        }
    }
}

/* Rounds to nearest, operands and results below the smallest normal are zeros, no exception traps. */
enum { FLUSHING = 0x9fc0 };

#define TILE(name, call)                                                                                               \
    static void name(int window, size_t steps, const uint32_t *a, const uint32_t *b, float *acc, size_t ld) {          \
        __m512 sum[ROWS][VECTORS];                                                                                     \
        (void)window;                                                                                                  \
        _Pragma("GCC unroll 16") for (size_t r = 0; r < ROWS; r++)                                                     \
            _Pragma("GCC unroll 4") for (size_t v = 0; v < VECTORS; v++) sum[r][v] =                                   \
                _mm512_loadu_ps(acc + r * ld + 16 * v);                                                                \
        call;                                                                                                          \
        _Pragma("GCC unroll 16") for (size_t r = 0; r < ROWS; r++)                                                     \
            _Pragma("GCC unroll 4") for (size_t v = 0; v < VECTORS; v++)                                               \
                _mm512_storeu_ps(acc + r * ld + 16 * v, sum[r][v]);                                                    \
    }

TILE(run1, tile1(steps, a, b, sum))
TILE(run2, tile2(window, steps, a, b, sum))
TILE(run2_fixed, tile2_fixed(window, steps, a, b, sum))
TILE(run4, tile4(true, window, steps, a, b, sum))
TILE(run4_fixed, tile4(false, window, steps, a, b, sum))

static void tile(const struct engine_plan *plan, size_t steps, const uint32_t *a, const uint32_t *b, float *acc,
                 size_t ld) {
    const bool steer = plan->policy == DAA_EXPONENT;
    const unsigned before = _mm_getcsr();
    _mm_setcsr(FLUSHING);
    if (plan->streams == 1)
        run1(0, steps, a, b, acc, ld);
    else if (plan->streams == 2)
        (steer ? run2 : run2_fixed)(plan->window, steps, a, b, acc, ld);
    else
        (steer ? run4 : run4_fixed)(plan->window, steps, a, b, acc, ld);
    _mm_setcsr(before);
}

const struct engine_kernel daa_kernel_avx512bf16 = {
    .engine = DAA_ENGINE_AVX512BF16,
    .rows = ROWS,
    .lanes = LANES,
    .a_group = group,
    .b_words = words,
    .steps_a_word = steps_a_word,
    .pack_a = pack_a,
    .pack_b = pack_b,
    .tile = tile,
    .load = pack_load,
    .scan = pack_scan,
    .wide = daa_wide_vectors,
};
#endif
