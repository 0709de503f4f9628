/* Included by engine_many.h for each kind of number: NUMBER, the vectors NUMS and their operations N(), names MANY().
 */

enum { MANY(VECTORS) = 4, MANY(WIDTH) = sizeof(NUMS) / sizeof(NUMBER) };

/* All lanes' words of a few steps stay in the first-level cache. */
INLINE size_t MANY(vectors)(int streams) {
    return streams == 8 && sizeof(NUMS) == 64 ? 2 : MANY(VECTORS);
}

INLINE size_t MANY(lanes)(int streams) {
    return MANY(vectors)(streams) * MANY(WIDTH);
}

static int MANY(a_group)(const struct engine_plan *plan) {
    return (int)(many_kinds_of(plan) * GROUP * sizeof(NUMBER) / sizeof(uint32_t));
}

static int MANY(b_words)(const struct engine_plan *plan) {
    return (int)(many_kinds_of(plan) * sizeof(NUMBER) / sizeof(uint32_t));
}

/* ---- packing ---- */

/* A product with an Inf or a NaN has a key that is a NaN: comparisons are written so that it is never dropped. Without
 * a branch, since zeros come as they like: choices are between words, which are all converted afterwards. */
INLINE void MANY(take_apart)(const struct many_forms *forms, const uint32_t *words, size_t count, NUMBER *high,
                             NUMBER *low, NUMBER *key) {
    enum { NAN_BITS = 0x7fc00000, UNIT = 1 << 23 };
    const struct many_forms f = *forms;
    const uint32_t none = bits_of_float(ZERO_EXPONENT), one = bits_of_float(1);
    uint32_t of_high[LANES_MAX], of_low[LANES_MAX], times[LANES_MAX], of_key[LANES_MAX];
    for (size_t i = 0; i < count; i++) {
        const uint32_t word = words[i], field = word >> 23 & 255, not_zero = field ? ~0U : 0;
        const uint32_t up = f.half + ((word >> f.drop & f.lowest) | f.odd);
        const uint32_t rounded = (field == 255 ? word : (word + up) & f.kept) & not_zero;
        const uint32_t largest = field == 254 ? UNIT : 0; /* may be rounded to 2^128, which no float is */
        const uint32_t others = (none & ~not_zero) | (field == 255 ? NAN_BITS : 0);
        of_high[i] = word & not_zero;
        of_low[i] = rounded - largest;
        times[i] = one + largest;
        of_key[i] = bits_of_float((float)(int)field) | others;
    }
    for (size_t i = 0; i < count; i++) {
        high[i] = (NUMBER)float_of_bits(of_high[i]);
        low[i] = (NUMBER)float_of_bits(of_low[i]) * (NUMBER)float_of_bits(times[i]);
        key[i] = (NUMBER)float_of_bits(of_key[i]);
    }
}

/* A: STEPS steps of row after row, of each one kind of word after the other. */
static void MANY(pack_rows)(const struct engine_plan *plan, size_t steps, const uint32_t *raw, size_t stride,
                            NUMBER *to) {
    enum { MOST = STEPS * DAA_STREAMS_MAX };
    const struct many_forms forms = many_make_forms(plan);
    const bool steer = many_steers(plan);
    const size_t streams = (size_t)plan->streams, kinds = many_kinds_of(plan), count = STEPS * streams;
    bool is_high[MOST] = {false}; /* fixed policies begin again after at most STEPS steps */
    for (size_t i = 0; i < count; i++)
        is_high[i] = steer || form_is_high(plan, i / streams, i % streams);
    for (size_t t = 0; t < steps; t += STEPS) {
        for (size_t row = 0; row < MANY_ROWS; row++, to += kinds * STEPS) {
            uint32_t words[MOST] = {0};
            NUMBER high[MOST], low[MOST], key[MOST];
            memcpy(words, raw + row * stride + t * streams, least_of(STEPS, steps - t) * streams * sizeof *words);
            MANY(take_apart)(&forms, words, count, high, low, key);
            for (size_t s = 0; s < streams; s++) {
                const NUMBER tie = (NUMBER)(streams - 1 - s) * (NUMBER)MANY_TIE;
                NUMBER *form = to + s * STEPS, *form_low = form + streams * STEPS,
                       *form_key = to + (kinds - streams + s) * STEPS;
                for (size_t at = 0, i = s; at < STEPS; at++, i += streams)
                    form[at] = is_high[i] ? high[i] : low[i];
                for (size_t at = 0, i = s; steer && at < STEPS; at++, i += streams)
                    form_low[at] = low[i];
                for (size_t at = 0, i = s; streams > 1 && at < STEPS; at++, i += streams)
                    form_key[at] = key[i] + tie;
            }
        }
    }
}

/* B: LANES lanes of raw[k * ld + lane], step after step, of each one kind after the other; zeros up to a whole number
 * of STEPS. */
static void MANY(pack_lanes)(const struct engine_plan *plan, size_t steps, const uint32_t *raw, size_t ld, size_t lanes,
                             NUMBER *to) {
    const struct many_forms forms = many_make_forms(plan);
    const bool steer = many_steers(plan);
    const size_t streams = (size_t)plan->streams, kinds = many_kinds_of(plan);
    NUMBER unused[LANES_MAX], key[LANES_MAX];
    for (size_t t = 0; t < steps; t++, to += kinds * lanes) {
        for (size_t s = 0; s < streams; s++, raw += ld) {
            NUMBER *form = to + s * lanes, *low = steer ? form + streams * lanes : unused;
            if (steer || form_is_high(plan, t, s))
                MANY(take_apart)(&forms, raw, lanes, form, low, key);
            else
                MANY(take_apart)(&forms, raw, lanes, low, form, key);
            if (streams > 1)
                memcpy(to + (kinds - streams + s) * lanes, key, lanes * sizeof *to);
        }
    }
    memset(to, 0, (STEPS - 1 - (steps + STEPS - 1) % STEPS) * kinds * lanes * sizeof *to);
}

static NUMBER *MANY(numbers)(uint32_t *words) {
    return (NUMBER *)(void *)words;
}

static void MANY(pack_a)(const struct engine_plan *plan, size_t steps, const void *raw, size_t stride,
                         uint32_t *packed) {
    MANY(pack_rows)(plan, steps, raw, stride, MANY(numbers)(packed));
}

static void MANY(pack_b)(const struct engine_plan *plan, size_t steps, const void *raw, uint32_t *packed) {
    const size_t lanes = MANY(lanes)(plan->streams);
    MANY(pack_lanes)(plan, steps, raw, lanes, lanes, MANY(numbers)(packed));
}

/* ---- a step ---- */

/* Of two streams one comparison says which product is high, and one whether the other one is in the window. */
INLINE NUMS MANY(sum_of_two)(NUMS reach, const NUMS *a, const NUMBER *b, NUMS *largest) {
    const size_t lanes = MANY(lanes)(2);
    const NUMS first = N(add)(a[4], N(load)(b + 4 * lanes)), second = N(add)(a[5], N(load)(b + 5 * lanes));
    const NUMS ahead = N(sub)(first, second);
    const N(mask) wins = N(exceeds)(first, second), in = N(reaches)(reach, N(size)(ahead));
    const NUMS high_a = N(pick)(wins, a[0], a[1]), low_a = N(pick)(wins, a[3], a[2]);
    const NUMS high_b = N(pick)(wins, N(load)(b), N(load)(b + lanes));
    const NUMS low_b = N(pick)(wins, N(load)(b + 3 * lanes), N(load)(b + 2 * lanes));
    *largest = N(max)(first, second);
    return N(fma_where)(in, low_a, low_b, N(mul)(high_a, high_b));
}

/* What is multiplied in a step, A with B where IN. LARGEST: the largest key, and less than 1/2 more. */
INLINE void MANY(terms)(int streams, int groups, bool steer, NUMS reach, const NUMS *a, const NUMBER *b, NUMS *of_a,
                        NUMS *of_b, N(mask) * in, NUMS *largest) {
    const size_t count = (size_t)streams, group = count / (size_t)groups, lanes = MANY(lanes)(streams);
    const size_t keys_at = many_kinds(count, steer) - count;
    NUMS key[DAA_STREAMS_MAX], best[DAA_STREAMS_MAX], top, least;
    best[0] = key[0] = N(add)(a[keys_at], N(load)(b + keys_at * lanes));
#pragma GCC unroll 8
    for (size_t s = 1; s < count; s++) {
        key[s] = N(add)(a[keys_at + s], N(load)(b + (keys_at + s) * lanes));
        best[s / group] = s % group ? N(max)(best[s / group], key[s]) : key[s];
    }
    top = best[0];
#pragma GCC unroll 8
    for (size_t g = 1; g < count / group; g++)
        top = N(max)(top, best[g]);
    *largest = top;
    least = N(sub)(top, reach);
#pragma GCC unroll 8
    for (size_t s = 0; s < count; s++) {
        in[s] = N(reaches)(key[s], least);
        of_a[s] = a[s];
        of_b[s] = N(load)(b + s * lanes);
        if (steer) {
            const N(mask) wins = N(equal)(key[s], best[s / group]);
            of_a[s] = N(pick)(wins, of_a[s], a[count + s]);
            of_b[s] = N(pick)(wins, of_b[s], N(load)(b + (count + s) * lanes));
        }
    }
}

/* The sum of a row's step, its words in registers, and a vector's at B. */
INLINE NUMS MANY(sum)(int streams, int groups, bool steer, NUMS reach, const NUMS *a, const NUMBER *b, NUMS *largest) {
    NUMS of_a[DAA_STREAMS_MAX], of_b[DAA_STREAMS_MAX], sum;
    N(mask) in[DAA_STREAMS_MAX];
    if (streams == 1)
        return N(mul)(*a, N(load)(b));
    if (streams == 2 && steer)
        return MANY(sum_of_two)(reach, a, b, largest);
    MANY(terms)(streams, groups, steer, reach, a, b, of_a, of_b, in, largest);
    sum = N(mul_where)(in[0], of_a[0], of_b[0]);
#pragma GCC unroll 8
    for (size_t s = 1; s < (size_t)streams; s++)
        sum = N(fma_where)(in[s], of_a[s], of_b[s], sum);
    return sum;
}

/* How a sum is rounded, as vectors. */
struct MANY(target) {
    NUMS normal, largest, inf;
    words half, kept;
    __m128i drop;
};

static struct MANY(target) MANY(make_target)(const struct engine_target *target) {
    const int drop = N(FRAC_BITS) - target->frac_bits;
    return (struct MANY(target)){
        .normal = N(all)(target->normal),
        .largest = N(all)(target->largest),
        .inf = N(all)((NUMBER)__builtin_inff()),
        .half = N(bits)((UINT64_C(1) << drop >> 1) - 1),
        .kept = N(bits)(~((UINT64_C(1) << drop) - 1)),
        .drop = _mm_cvtsi32_si128(drop),
    };
}

/* Rounded to odd, a sum can be rounded once more; the number then is flushed or overflows. */
INLINE NUMS MANY(accumulate)(bool is_float, const struct MANY(target) * t, NUMS acc, NUMS sum) {
    if (is_float)
        return N(add_as_float)(acc, sum);
    NUMS rounded = N(nearest)(N(to_odd)(acc, sum), t->drop, t->half, t->kept), size = N(size)(rounded);
    rounded = N(keep)(N(reaches)(size, t->normal), rounded); /* zeros are too many to look for first */
    if (__builtin_expect(N(any_outside)(size, N(all)((NUMBER)0), t->largest), false))
        rounded = N(times_where)(N(exceeds)(size, t->largest), rounded, t->inf);
    return rounded;
}

/* ---- rows ---- */

/* COUNT rows at once, so that the steps of one wait for those of others. */
INLINE void MANY(row)(size_t count, int streams, int groups, bool steer, bool is_float, const struct MANY(target) * t,
                      NUMS reach, size_t steps, const NUMBER *a, const NUMBER *b, float *acc, size_t ld) {
    const size_t kinds = many_kinds((size_t)streams, steer), vectors = MANY(vectors)(streams);
    NUMS run[4][MANY(VECTORS)], unused;
#pragma GCC unroll 4
    for (size_t r = 0; r < count; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            run[r][v] = N(load_floats)(acc + r * ld + v * MANY(WIDTH));
    for (size_t i = 0; i < steps; i++, a++, b += kinds * MANY(lanes)(streams)) {
#pragma GCC unroll 4
        for (size_t r = 0; r < count; r++) {
            NUMS of_a[3 * DAA_STREAMS_MAX];
#pragma GCC unroll 24
            for (size_t kind = 0; kind < kinds; kind++)
                of_a[kind] =
                    streams == 8 ? N(all)(a[(r * kinds + kind) * STEPS]) : N(once)(a + (r * kinds + kind) * STEPS);
#pragma GCC unroll 4
            for (size_t v = 0; v < vectors; v++)
                run[r][v] =
                    MANY(accumulate)(is_float, t, run[r][v],
                                     MANY(sum)(streams, groups, steer, reach, of_a, b + v * MANY(WIDTH), &unused));
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < count; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            N(store_floats)(acc + r * ld + v * MANY(WIDTH), run[r][v]);
}

INLINE void MANY(rows)(int streams, int groups, bool steer, bool is_float, const struct engine_plan *plan, size_t steps,
                       size_t panels, const NUMBER *a, size_t a_block, const NUMBER *b, float *acc, size_t ld) {
    const size_t kinds = many_kinds((size_t)streams, steer), count = streams == 1 ? 4 : 1;
    const struct MANY(target) target = MANY(make_target)(&plan->target);
    const NUMS reach = N(all)((NUMBER)plan->window + (NUMBER)MANY_REACH);
    for (size_t t = 0; t < steps; t += STEPS, b += STEPS * kinds * MANY(lanes)(streams))
        for (size_t i = 0; i < panels * MANY_ROWS; i += count)
            MANY(row)
    (count, streams, groups, steer, is_float, &target, reach, least_of(STEPS, steps - t),
     a + i / MANY_ROWS * a_block + (t * MANY_ROWS + i % MANY_ROWS * STEPS) * kinds, b, acc + i * ld, ld);
}

#define MANY_RUN(name, streams, groups, steer)                                                                         \
    static __attribute__((noinline)) void MANY(name)(const struct engine_plan *plan, size_t steps, size_t panels,      \
                                                     const NUMBER *a, size_t a_block, const NUMBER *b, float *acc,     \
                                                     size_t ld) {                                                      \
        if (plan->target.is_float)                                                                                     \
            MANY(rows)(streams, groups, steer, true, plan, steps, panels, a, a_block, b, acc, ld);                     \
        else                                                                                                           \
            MANY(rows)(streams, groups, steer, false, plan, steps, panels, a, a_block, b, acc, ld);                    \
    }
MANY_RUN(one, 1, 1, false)
MANY_RUN(two, 2, 1, false)
MANY_RUN(two_steered, 2, 1, true)
MANY_RUN(four, 4, 1, false)
MANY_RUN(four_steered, 4, 1, true)
MANY_RUN(four_in_two, 4, 2, true)
MANY_RUN(eight, 8, 1, false)
MANY_RUN(eight_steered, 8, 1, true)
MANY_RUN(eight_in_two, 8, 2, true)
MANY_RUN(eight_in_four, 8, 4, true)
#undef MANY_RUN

/* Subnormal floats are the numbers of no format, but what is left of two others, which comes to less in a format of
 * few bits, is exact with them. */
static void MANY(run)(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                      const uint32_t *b, float *acc, size_t ld, uint32_t *table) {
    typedef void function(const struct engine_plan *, size_t, size_t, const NUMBER *, size_t, const NUMBER *, float *,
                          size_t);
    static function *const fixed[] = {MANY(one), MANY(two), MANY(four), MANY(eight)};
    static function *const steered[][3] = {{MANY(one)},
                                           {MANY(two_steered)},
                                           {MANY(four_steered), MANY(four_in_two)},
                                           {MANY(eight_steered), MANY(eight_in_two), MANY(eight_in_four)}};
    const int log2_streams = __builtin_ctz((unsigned)plan->streams),
              log2_groups = __builtin_ctz((unsigned)plan->groups);
    const unsigned before = _mm_getcsr();
    (void)table;
    _mm_setcsr(plan->target.is_float ? FLUSHING : NOT_FLUSHING);
    (many_steers(plan) ? steered[log2_streams][log2_groups] : fixed[log2_streams])(
        plan, steps, panels, (const NUMBER *)(const void *)a, a_block * sizeof *a / sizeof(NUMBER),
        (const NUMBER *)(const void *)b, acc, ld);
    _mm_setcsr(before);
}
