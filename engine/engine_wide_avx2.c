/* The exact path (engine_wide.c) on vectors of doubles. Keys are doubles as well, and that of an Inf or a NaN is NaN:
 * comparisons are written so that they hold for it, and so its product is never dropped. */
#if defined(__x86_64__)
#pragma GCC target("avx2,fma,bmi2")
#include <immintrin.h>

#include "engine_odd.h"
#include "engine_pack.h"

enum {
    ROWS = 4, /* of the kernel's tile */
    WIDTH = 4,
    VECTORS = 2,
    LANES = WIDTH * VECTORS,
    WORDS_MAX = 12, /* doubles of a step */
};
#define ZERO_KEY (-100000.0) /* of a zero operand: its product never has the largest key */
#define TIE 0.125            /* in A's keys, what makes an earlier one of four streams win */

INLINE __m256i all_64(int64_t value) {
    return _mm256_set1_epi64x(value);
}

INLINE __m256d all(double value) {
    return _mm256_set1_pd(value);
}

/* ---- packing ---- */

/* Doubles of a step: the streams' forms (with policy exponent high ones, then low ones), then their keys. Of two
 * streams there is one word of keys, the first's less the second's. */
static int form_words(const struct engine_plan *plan) {
    return (plan->winner == DAA_WINS_LARGEST ? 2 : 1) * plan->streams;
}

static int words(const struct engine_plan *plan) {
    return form_words(plan) + (plan->streams == 4 ? 4 : 1);
}

static int group(const struct engine_plan *plan) {
    return 2 * words(plan) * GROUP;
}

static int step(const struct engine_plan *plan) {
    return 2 * words(plan);
}

static int steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

struct forms {
    __m256d high, low, key;
};

/* Magnitudes are rounded as the integers they are, so that a carry goes into the exponent. */
INLINE struct forms take_apart(const struct engine_plan *plan, const uint16_t *four) {
    const int drop = 8 - plan->lo_bits;
    const __m256i raw = _mm256_cvtepu16_epi64(_mm_loadl_epi64((const __m128i_u *)four));
    const __m256i field = _mm256_and_si256(_mm256_srli_epi64(raw, 7), all_64(255));
    const __m256i magnitude = _mm256_and_si256(raw, all_64(32767));
    const __m256i sign = _mm256_slli_epi64(_mm256_srli_epi64(raw, 15), 63);
    const __m256i zero = _mm256_cmpeq_epi64(field, all_64(0)), special = _mm256_cmpeq_epi64(field, all_64(255));
    const __m256i rebias =
        _mm256_blendv_epi8(all_64((INT64_C(1023) - 127) << 52), all_64((INT64_C(2047) - 255) << 52), special);
    __m256i low = magnitude;
    if (drop && plan->lo_round == DAA_NEAREST) { /* at T = 1 the kept bit is the implicit one */
        const __m256i kept = plan->lo_bits == 1 ? all_64(1) : _mm256_srli_epi64(magnitude, drop);
        low = _mm256_add_epi64(low, all_64((1 << drop >> 1) - 1));
        low = _mm256_add_epi64(low, _mm256_and_si256(kept, all_64(1)));
    }
    low = _mm256_blendv_epi8(_mm256_and_si256(low, all_64(-(1 << drop))), magnitude, special);
    const __m256i high_bits = _mm256_or_si256(sign, _mm256_add_epi64(_mm256_slli_epi64(magnitude, 45), rebias));
    const __m256i low_bits = _mm256_or_si256(sign, _mm256_add_epi64(_mm256_slli_epi64(low, 45), rebias));
    const __m256i lower_halves = _mm256_set_epi32(7, 5, 3, 1, 6, 4, 2, 0);
    __m256d key = _mm256_cvtepi32_pd(_mm256_castsi256_si128(_mm256_permutevar8x32_epi32(field, lower_halves)));
    key = _mm256_blendv_pd(key, all(ZERO_KEY), _mm256_castsi256_pd(zero));
    return (struct forms){_mm256_castsi256_pd(_mm256_andnot_si256(zero, high_bits)),
                          _mm256_castsi256_pd(_mm256_andnot_si256(zero, low_bits)),
                          _mm256_or_pd(key, _mm256_castsi256_pd(special))};
}

/* A: groups of GROUP steps, in each row after row: every high form (or the policy's), low form and key in the order of
 * k. RAW has room for a whole group. */
static void pack_rows(const struct engine_plan *plan, size_t rows, size_t steps, const uint16_t *raw, size_t stride,
                      double *out) {
    enum { MOST = GROUP * DAA_STREAMS_MAX };
    const size_t streams = (size_t)plan->streams, whole = GROUP * streams;
    const bool steer = plan->winner == DAA_WINS_LARGEST;
    const __m256d ties = _mm256_set_pd(0, TIE, 2 * TIE, 3 * TIE);
    double is_high[MOST];
    for (size_t i = 0; i < whole; i++) /* all ones or zeros */
        memset(&is_high[i], form_is_high(plan, i / streams, i % streams) ? 255 : 0, sizeof is_high[i]);
    for (size_t t = 0; t < steps; t += GROUP) {
        for (size_t row = 0; row < rows; row++) {
            const size_t count = least_of(steps - t, GROUP) * streams;
            const uint16_t *in = raw + row * stride + t * streams;
            uint16_t padded[MOST] = {0};
            if (count < whole)
                in = memcpy(padded, in, count * sizeof *in);
            double *keys = out + whole * (steer ? 2 : 1);
            for (size_t i = 0; i < whole; i += 4) {
                const struct forms f = take_apart(plan, in + i);
                _mm256_storeu_pd(out + i,
                                 steer ? f.high : _mm256_blendv_pd(f.low, f.high, _mm256_loadu_pd(is_high + i)));
                if (steer)
                    _mm256_storeu_pd(out + whole + i, f.low);
                if (streams == 4)
                    _mm256_storeu_pd(keys + i, _mm256_add_pd(f.key, ties));
                else
                    _mm_storeu_pd(keys + i / 2,
                                  _mm_hsub_pd(_mm256_castpd256_pd128(f.key), _mm256_extractf128_pd(f.key, 1)));
            }
            out += (size_t)words(plan) * GROUP;
        }
    }
}

/* B: step after step, in each the words of a step one kind after the other. */
static void pack_lanes(const struct engine_plan *plan, size_t lanes, size_t steps, const uint16_t *raw, double *out) {
    const size_t streams = (size_t)plan->streams, keys_at = (size_t)form_words(plan);
    for (size_t t = 0; t < steps; t++, out += (size_t)words(plan) * lanes) {
        for (size_t lane = 0; lane < lanes; lane += WIDTH) {
            for (size_t s = 0; s < streams; s++) {
                const struct forms f = take_apart(plan, raw + (t * streams + s) * lanes + lane);
                const bool high = plan->winner == DAA_WINS_LARGEST || form_is_high(plan, t, s);
                _mm256_storeu_pd(out + s * lanes + lane, high ? f.high : f.low);
                if (plan->winner == DAA_WINS_LARGEST)
                    _mm256_storeu_pd(out + (streams + s) * lanes + lane, f.low);
                /* Two streams have one word for their keys: the difference. */
                double *key = out + (keys_at + (streams == 2 ? 0 : s)) * lanes + lane;
                _mm256_storeu_pd(key, streams == 2 && s == 1 ? _mm256_sub_pd(_mm256_loadu_pd(key), f.key) : f.key);
            }
        }
    }
}

/* ---- a step ---- */

/* Where KEY reaches LEAST, or is NaN. */
INLINE __m256d reaches(__m256d key, __m256d least) {
    return _mm256_cmp_pd(key, least, _CMP_NLT_UQ);
}

/* A word of one row's step, K apart from its group's start; a word of the lanes. */
#define A(kind, k) _mm256_broadcast_sd(a + (kind)*GROUP + (k))
#define B(kind) _mm256_loadu_pd(b + (kind)*lanes)

INLINE __m256d sum2(bool steer, int window, size_t t, const double *a, const double *b, size_t lanes) {
    const __m256d ahead = _mm256_add_pd(A(steer ? 4 : 2, t), B(steer ? 4 : 2));
    const __m256d first = reaches(ahead, all(-window)), second = _mm256_cmp_pd(ahead, all(window), _CMP_NGT_UQ);
    __m256d a0 = A(0, 2 * t), a1 = A(0, 2 * t + 1), b0 = B(0), b1 = B(1);
    if (steer) {
        const __m256d loses = _mm256_cmp_pd(ahead, all(0), _CMP_LT_OQ);
        a0 = _mm256_blendv_pd(a0, A(2, 2 * t), loses);
        b0 = _mm256_blendv_pd(b0, B(2), loses);
        a1 = _mm256_blendv_pd(A(2, 2 * t + 1), a1, loses);
        b1 = _mm256_blendv_pd(B(3), b1, loses);
    }
    return _mm256_fmadd_pd(a1, _mm256_and_pd(b1, second), _mm256_mul_pd(a0, _mm256_and_pd(b0, first)));
}

INLINE __m256d sum4(bool steer, int window, size_t t, const double *a, const double *b, size_t lanes) {
    __m256d key[4], sum = _mm256_setzero_pd();
#pragma GCC unroll 4
    for (size_t s = 0; s < 4; s++)
        key[s] = _mm256_add_pd(A(steer ? 8 : 4, 4 * t + s), B((steer ? 8 : 4) + s));
    const __m256d top = _mm256_max_pd(_mm256_max_pd(key[0], key[1]), _mm256_max_pd(key[2], key[3]));
    const __m256d least = _mm256_sub_pd(top, all(window + 3.5 * TIE));
#pragma GCC unroll 4
    for (size_t s = 0; s < 4; s++) {
        __m256d of_a = A(0, 4 * t + s), of_b = B(s);
        if (steer) {
            const __m256d wins = _mm256_cmp_pd(key[s], top, _CMP_EQ_OQ);
            of_a = _mm256_blendv_pd(A(4, 4 * t + s), of_a, wins);
            of_b = _mm256_blendv_pd(B(4 + s), of_b, wins);
        }
        sum = _mm256_fmadd_pd(of_a, _mm256_and_pd(of_b, reaches(key[s], least)), sum);
    }
    return sum;
}

/* acc + sum, rounded once to fp32 and flushed after that. Rounded to a double first, it would be rounded twice where
 * the double is inexact and half way between two floats. With acc the larger one this takes a sum of more than 28 bits
 * with no others set between its first and its last, which FAR says may be; with the sum the larger one, LOST is what
 * it leaves of acc, and is not zero. */
INLINE void accumulate(bool far, __m256d acc[VECTORS], const __m256d sum[VECTORS]) {
    __m256d s[VECTORS], lost[VECTORS];
#pragma GCC unroll 2
    for (size_t v = 0; v < VECTORS; v++) {
        s[v] = _mm256_add_pd(acc[v], sum[v]);
        lost[v] = _mm256_sub_pd(acc[v], _mm256_sub_pd(s[v], sum[v]));
    }
    const __m256i any = _mm256_castpd_si256(_mm256_or_pd(lost[0], lost[1]));
    if (__builtin_expect(far || !_mm256_testz_si256(any, any), 0))
#pragma GCC unroll 2
        for (size_t v = 0; v < VECTORS; v++)
            s[v] = add_to_odd(acc[v], sum[v]);
#pragma GCC unroll 2
    for (size_t v = 0; v < VECTORS; v++)
        acc[v] = _mm256_cvtps_pd(_mm256_cvtpd_ps(s[v]));
}

/* ---- tiles ---- */

/* A and B as packed for ROWS_ALL and LANES; acc of ROWS and two vectors. */
INLINE void run(int streams, bool steer, bool far, int window, size_t steps, const double *a_panel, size_t rows_all,
                const double *b, size_t lanes, size_t rows, float *acc, size_t ld) {
    const size_t kinds = (size_t)((steer ? 2 : 1) * streams + (streams == 4 ? 4 : 1));
    __m256d run[ROWS][VECTORS];
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < VECTORS; v++)
            run[r][v] = _mm256_cvtps_pd(_mm_loadu_ps(acc + r * ld + WIDTH * v));
    for (; steps; a_panel += rows_all * kinds * GROUP) {
        const size_t count = least_of(steps, GROUP);
        steps -= count;
        for (size_t t = 0; t < count; t++, b += kinds * lanes)
#pragma GCC unroll 4
            for (size_t r = 0; r < rows; r++) {
                const double *a = a_panel + r * kinds * GROUP;
                __m256d sum[VECTORS];
#pragma GCC unroll 2
                for (size_t v = 0; v < VECTORS; v++)
                    sum[v] = streams == 2 ? sum2(steer, window, t, a, b + WIDTH * v, lanes)
                                          : sum4(steer, window, t, a, b + WIDTH * v, lanes);
                accumulate(far, run[r], sum);
            }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t v = 0; v < VECTORS; v++)
            _mm_storeu_ps(acc + r * ld + WIDTH * v, _mm256_cvtpd_ps(run[r][v]));
}

INLINE void run_panel(int streams, bool steer, bool far, int window, size_t steps, size_t rows, size_t lanes,
                      const double *a, const double *b, float *acc, size_t ld) {
    const size_t row_words = (size_t)((steer ? 2 : 1) * streams + (streams == 4 ? 4 : 1)) * GROUP;
    for (size_t lane = 0; lane < lanes; lane += LANES) {
        size_t row = 0;
        for (; row + ROWS <= rows; row += ROWS)
            run(streams, steer, far, window, steps, a + row * row_words, rows, b + lane, lanes, ROWS,
                acc + row * ld + lane, ld);
        for (; row < rows; row++)
            run(streams, steer, far, window, steps, a + row * row_words, rows, b + lane, lanes, 1,
                acc + row * ld + lane, ld);
    }
}

#define PANEL(name, ...)                                                                                               \
    static void name(int window, size_t steps, size_t rows, size_t lanes, const double *a, const double *b,            \
                     float *acc, size_t ld) {                                                                          \
        run_panel(__VA_ARGS__, window, steps, rows, lanes, a, b, acc, ld);                                             \
    }
PANEL(panel2, 2, false, false)
PANEL(panel2_far, 2, false, true)
PANEL(panel2_steer, 2, true, false)
PANEL(panel2_steer_far, 2, true, true)
PANEL(panel4, 4, false, false)
PANEL(panel4_far, 4, false, true)
PANEL(panel4_steer, 4, true, false)
PANEL(panel4_steer_far, 4, true, true)

/* Two terms of 16 bits each with no more than the window between them; four, of which some may cancel. */
static void panel(const struct engine_plan *plan, size_t steps, size_t rows, size_t lanes, const double *a,
                  const double *b, float *acc, size_t ld) {
    typedef void function(int, size_t, size_t, size_t, const double *, const double *, float *, size_t);
    static function *const functions[2][2][2] = {{{panel2, panel2_far}, {panel2_steer, panel2_steer_far}},
                                                 {{panel4, panel4_far}, {panel4_steer, panel4_steer_far}}};
    const bool four = plan->streams == 4, far = plan->window > (four ? 10 : 24);
    const unsigned before = _mm_getcsr();
    _mm_setcsr(FLUSHING);
    functions[four][plan->winner == DAA_WINS_LARGEST][far](plan->window, steps, rows, lanes, a, b, acc, ld);
    _mm_setcsr(before);
}

void daa_wide_vectors(const struct engine_plan *plan, size_t steps, int rows, int lanes, const void *of_a,
                      size_t a_stride, const void *of_b, float *acc, size_t ld) {
    const uint16_t *a = of_a, *b = of_b;
    double packed_a[ROWS_MAX * GROUP * WORDS_MAX], packed_b[LANES_MAX * GROUP * WORDS_MAX];
    const size_t streams = (size_t)plan->streams, row_count = (size_t)rows, lane_count = (size_t)lanes;
    for (size_t t = 0; t < steps; t += GROUP) {
        const size_t count = least_of(steps - t, GROUP);
        pack_rows(plan, row_count, count, a + t * streams, a_stride, packed_a);
        pack_lanes(plan, lane_count, count, b + t * streams * lane_count, packed_b);
        panel(plan, count, row_count, lane_count, packed_a, packed_b, acc, ld);
    }
}

/* ---- the kernel of plans that are always exact this way ---- */

static double *doubles(uint32_t *packed) {
    return (double *)(void *)packed;
}

static void pack_a(const struct engine_plan *plan, size_t steps, const void *from, size_t stride, uint32_t *packed) {
    const uint16_t *raw = from;
    pack_rows(plan, ROWS, steps, raw, stride, doubles(packed));
}

static void pack_b(const struct engine_plan *plan, size_t steps, const void *from, uint32_t *packed) {
    const uint16_t *raw = from;
    pack_lanes(plan, LANES, steps, raw, doubles(packed));
}

static void tile(const struct engine_plan *plan, size_t steps, const uint32_t *a, const uint32_t *b, float *acc,
                 size_t ld) {
    panel(plan, steps, ROWS, LANES, (const double *)(const void *)a, (const double *)(const void *)b, acc, ld);
}

RUN_OF_TILE(run_panels, tile, ROWS)

const struct engine_kernel daa_kernel_wide = {
    .engine = DAA_ENGINE_AVX2,
    .exact = true,
    .rows = ROWS,
    .lanes = LANES,
    .a_group = group,
    .b_words = step,
    .steps_a_word = steps_a_word,
    .pack_a = pack_a,
    .pack_b = pack_b,
    .run = run_panels,
    .round_floats = pack_round_floats,
    .scan = pack_scan,
    .results = pack_results,
    .turn = pack_turn,
    .wide = daa_wide_vectors,
};
#endif
