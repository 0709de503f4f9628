/* The anchored accumulator (docs/contract.md, section 5.2) with at most 32 bits, on the products of engine_one.h's
 * lanes, of engine_two.h, of engine_four.h and of engine_many.h on floats. A step's sum is exact in a float, so that M
 * += the sum / 2^place rounded to nearest even is a product with a power of two, a conversion and an addition.
 *
 * That is all while no anchor moves, which is so nearly always but in a GEMM's first steps. The largest exponents of a
 * row and of a lane in a few steps together are no less than any of their keys: where they ask for no move, none of
 * these steps does. The panel's other rows, and with four streams and more, where the key comes with the sum, all rows,
 * either find the largest key of all these steps on the way, or, where anchors move all the time, let them move at
 * every step. Whether M stays in -H .. H-1, H = 2^(W-3), is looked at in the same way. Lanes in which it does not, or
 * an anchor moves that was to stay, are noted, and take the steps one by one when the panel's rows have been done.
 *
 * The place of M's last bit stands for the anchor: G E. A lane's state is three words, those of a tile's lanes after
 * one another: M + H; the reach, which is the largest key that moves nothing, or with `full` set one that every key is
 * above; and 2^-place as a float, whose lowest bits are the Infs, since with these it no longer counts. Keys are so
 * biased that a sum may stand at the place that is its largest key without the last log2 G bits: what does not ask for
 * more than `place` is at most place + G - 1. */
#ifndef DAA_ENGINE_ANCHORED_H
#define DAA_ENGINE_ANCHORED_H

enum {
    ANCHORED_ONE_ROWS = 16,
    ANCHORED_ONE_LANES = 4 * WIDTH,
    ANCHORED_ONE_KINDS = 2,
    ANCHORED_VECTORS_MAX = 4,
    OF_FLOATS = 16, /* beside a number of streams: as engine_many.h has them; one stream is the same in either way */
};

/* ---- packing of one stream: floats, and their exponent fields ---- */

static int anchored_one_a_group(const struct engine_plan *plan) {
    (void)plan;
    return ANCHORED_ONE_KINDS * GROUP;
}

static int anchored_one_b_words(const struct engine_plan *plan) {
    (void)plan;
    return ANCHORED_ONE_KINDS;
}

static int anchored_steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

INLINE words anchored_one_exponents(words of) {
    const words field = down_words(and_words(of, all_words(INT32_MAX)), all_words(23));
    return pick_words(greater_words(field, all_words(0)), field, all_words(ZERO_EXPONENT));
}

/* WIDTH raw operands, which are floats or bf16. */
INLINE words anchored_one_load(bool is_float, const void *raw, size_t i) {
    return is_float ? load_words((const uint32_t *)raw + i) : half_up(widen((const uint16_t *)raw + i));
}

INLINE void anchored_one_rows(bool is_float, size_t steps, const void *raw, size_t stride, uint32_t *packed) {
    const size_t size = is_float ? sizeof(uint32_t) : sizeof(uint16_t);
    const size_t row_words = ANCHORED_ONE_KINDS * STEPS, next = ANCHORED_ONE_ROWS * row_words;
    for (size_t t = 0; t < steps; t += GROUP, packed += next) {
        const size_t count = least_of(steps - t, GROUP);
        for (size_t row = 0; row < ANCHORED_ONE_ROWS; row++, packed += row_words) {
            uint32_t padded[GROUP] = {0};
            const void *in = (const char *)raw + (row * stride + t) * size;
            if (count < GROUP)
                in = memcpy(padded, in, count * size);
            for (size_t i = 0; i < GROUP; i += WIDTH) {
                const words of = anchored_one_load(is_float, in, i);
                uint32_t *to = packed + i / STEPS * next;
                store_eights(to, packed + next, of);
                store_eights(to + STEPS, packed + next + STEPS, anchored_one_exponents(of));
            }
        }
    }
}

INLINE void anchored_one_lanes(bool is_float, size_t steps, const void *raw, uint32_t *packed) {
    pack_no_steps(steps, ANCHORED_ONE_KINDS * ANCHORED_ONE_LANES, packed);
    for (size_t t = 0; t < steps; t++, packed += ANCHORED_ONE_KINDS * ANCHORED_ONE_LANES) {
        for (size_t lane = 0; lane < ANCHORED_ONE_LANES; lane += WIDTH) {
            const words of = anchored_one_load(is_float, raw, t * ANCHORED_ONE_LANES + lane);
            store_words(packed + lane, of);
            store_words(packed + ANCHORED_ONE_LANES + lane, anchored_one_exponents(of));
        }
    }
}

#define ANCHORED_ONE_PACK(name, is_float)                                                                              \
    static void name##_pack_a(const struct engine_plan *plan, size_t steps, const void *raw, size_t stride,            \
                              uint32_t *packed) {                                                                      \
        (void)plan;                                                                                                    \
        anchored_one_rows(is_float, steps, raw, stride, packed);                                                       \
    }                                                                                                                  \
    static void name##_pack_b(const struct engine_plan *plan, size_t steps, const void *raw, uint32_t *packed) {       \
        (void)plan;                                                                                                    \
        anchored_one_lanes(is_float, steps, raw, packed);                                                              \
    }
ANCHORED_ONE_PACK(anchored_one, false)
ANCHORED_ONE_PACK(anchored_one_float, true)

/* ---- what one, two and more streams differ in ---- */

/* Operands of a row and of lanes, from a group of steps on. */
struct anchored_source {
    const uint32_t *a, *b;
    const struct two_table *table; /* of two streams, and the row's places in it */
    const uint32_t *places;
    words mask;  /* two streams: the bits of a table's words that are operands */
    words reach; /* more: of the window */
    floats window;
};

INLINE size_t anchored_vectors(int streams) {
    return streams > 2 && !(streams & OF_FLOATS) ? FOUR_VECTORS : ANCHORED_VECTORS_MAX;
}

INLINE words larger_half(words pairs) {
    return max_words(down_words(half_up(pairs), all_words(16)), down_words(pairs, all_words(16)));
}

/* A row's operands of step T, in registers. */
INLINE void anchored_operands(int streams, bool steer, const struct anchored_source *s, size_t t, words *of_a) {
    const size_t words_of_one = streams & OF_FLOATS ? many_kinds((size_t)(streams - OF_FLOATS), steer)
                                : streams > 2       ? four_words((size_t)streams / 2, steer)
                                                    : streams == 1;
#pragma GCC unroll 12
    for (size_t i = 0; i < words_of_one; i++)
        of_a[i] = once(s->a + i * STEPS + t);
#pragma GCC unroll 2
    for (size_t f = 0; f < FORMS && streams == 2; f++)
        of_a[f] = twice(s->a + 2 * (f * STEPS + t));
}

/* Keys as four_sum() has them. */
INLINE words exponents_of_keys(words largest) {
    return down_words(half_up(sub_halves(largest, all_halves(KEY_BIAS))), all_words(16 + KEY_LOG2));
}

/* The sum of step T in vector V, and of more than two streams the largest key. */
INLINE floats anchored_sum(int streams, int groups, bool steer, const struct anchored_source *s, size_t t, size_t v,
                           const words *of_a, words *largest) {
    const size_t pairs = (size_t)streams / 2;
    if (streams & OF_FLOATS) {
        const size_t kinds = many_kinds((size_t)(streams - OF_FLOATS), steer);
        floats numbers[FOUR_KINDS_MAX], top;
#pragma GCC unroll 12
        for (size_t i = 0; i < kinds; i++)
            numbers[i] = as_floats(of_a[i]);
        const floats sum =
            many_f_sum(streams - OF_FLOATS, groups, steer, s->window, numbers,
                       (const float *)(const void *)s->b + t * kinds * ANCHORED_ONE_LANES + v * WIDTH, &top);
        *largest = as_words(top);
        return sum;
    }
    if (streams == 1)
        return mul(as_floats(of_a[0]), load_floats_of(s->b + t * ANCHORED_ONE_KINDS * ANCHORED_ONE_LANES + v * WIDTH));
    if (streams == 2) {
        const words of_b = load_words(two_entry(s->table, s->places[t]) + v * WIDTH);
        return sum_of(of_a, and_words(of_b, s->mask), of_b);
    }
    return four_sum(pairs, (size_t)groups, steer, s->reach, of_a,
                    s->b + t * four_words(pairs, steer) * FOUR_LANES + v * WIDTH, largest);
}

INLINE words anchored_pair_exponents(const struct anchored_source *s, size_t t, size_t v) {
    return load_words(s->b + (t * TWO_PACKED + 3) * TWO_LANES + v * WIDTH);
}

INLINE words anchored_pair_key(const struct anchored_source *s, size_t t, size_t v) {
    return add_halves(all_words((int)s->a[(2 * FORMS + 1) * STEPS + t]), anchored_pair_exponents(s, t, v));
}

INLINE words anchored_one_exponent(const struct anchored_source *s, size_t t, size_t v) {
    return load_words(s->b + (ANCHORED_ONE_KINDS * t + 1) * ANCHORED_ONE_LANES + v * WIDTH);
}

INLINE words anchored_one_key(const struct anchored_source *s, size_t t, size_t v) {
    return add_words(all_words((int)s->a[STEPS + t]), anchored_one_exponent(s, t, v));
}

/* Its K*, a sum of two biased exponents; far below all of these where no product takes part. */
INLINE words anchored_key(int streams, const struct anchored_source *s, size_t t, size_t v, words largest) {
    if (streams == 1)
        return anchored_one_key(s, t, v);
    if (streams == 2)
        return larger_half(anchored_pair_key(s, t, v));
    return streams & OF_FLOATS ? whole_words(as_floats(largest)) : exponents_of_keys(largest);
}

/* The largest of several keys: of two streams a pair, of more as four_sum() has it, or many_f_sum(), whose floats are
 * in the order of words where they are not all negative. */
INLINE words anchored_least_key(int streams) {
    if (streams & OF_FLOATS)
        return as_words(f_all(2 * ZERO_EXPONENT));
    return streams > 2 ? all_words(0) : streams == 2 ? all_halves(2 * ZERO_EXPONENT) : all_words(2 * ZERO_EXPONENT);
}

/* With those of steps T and T + 1. KEYS: theirs, of more than two streams. */
INLINE words anchored_larger_key(int streams, const struct anchored_source *s, size_t t, size_t v, words largest,
                                 const words *keys) {
    if (streams == 1)
        return max_words(largest, max_words(anchored_one_key(s, t, v), anchored_one_key(s, t + 1, v)));
    if (streams == 2)
        return max_halves(largest, max_halves(anchored_pair_key(s, t, v), anchored_pair_key(s, t + 1, v)));
    if (streams & OF_FLOATS)
        return max_words(largest, max_words(keys[0], keys[1]));
    return max_keys(largest, max_keys(keys[0], keys[1]));
}

INLINE words anchored_last_key(int streams, words largest) {
    if (streams & OF_FLOATS)
        return whole_words(as_floats(largest));
    return streams == 1 ? largest : streams == 2 ? larger_half(largest) : exponents_of_keys(largest);
}

/* The largest biased exponent of vector V's lanes in STEPS steps, of one stream and of two. */
INLINE words anchored_exponents(int streams, const uint32_t *b, size_t v) {
    words largest = all_words(INT16_MIN);
    b += v * WIDTH;
    for (size_t t = 0; t < STEPS; t++)
        largest = max_words(largest, streams == 1 ? load_words(b + (ANCHORED_ONE_KINDS * t + 1) * ANCHORED_ONE_LANES)
                                                  : larger_half(load_words(b + (t * TWO_PACKED + 3) * TWO_LANES)));
    return largest;
}

INLINE __m256i eight_words(const uint32_t *from) {
    return _mm256_loadu_si256((const __m256i_u *)from);
}

INLINE int largest_half(__m256i a) {
    const __m128i eight = _mm_max_epi16(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    const __m128i turned_over = _mm_xor_si128(eight, _mm_set1_epi16(INT16_MAX)); /* in the order of what has no sign */
    return (int16_t)(_mm_cvtsi128_si32(_mm_minpos_epu16(turned_over)) ^ INT16_MAX);
}

/* That of a row; of one stream the upper halves are no exponents, but none is above those of numbers. */
INLINE int anchored_exponent(int streams, const uint32_t *a) {
    return largest_half(eight_words(a + (streams == 1 ? 1 : 2 * FORMS + 1) * STEPS));
}

/* ---- a row's steps ---- */

/* Where M + H has a bit of BEYOND, M is not in -H .. H-1. BIAS: of a key, less that of two exponents. */
struct anchored_limits {
    int half, beyond, step, bias;
};

static struct anchored_limits anchored_make_limits(const struct daa_config *config) {
    const int bits = config->acc_bits, half = 1 << (bits - 3);
    return (struct anchored_limits){
        .half = half,
        .beyond = (int)~(2 * (unsigned)half - 1),
        .step = config->acc_step,
        .bias = daa_sum_growth(config) - (bits - 3) + config->acc_step - 1 - 254,
    };
}

/* 2^-place from its exponent field, 127 - place. A lane whose place is beyond a float's exponents has nothing to add
 * (below), or only what rounds to zero. */
INLINE floats anchored_scale(words field) {
    return as_floats(up_words(min_words(max_words(field, all_words(1)), all_words(254)), 23));
}

/* The reach, and the scale beside the Infs, there. */
INLINE void anchored_put_reach(of_words which, words reach, floats scale, uint32_t *to, size_t lanes) {
    const words old = load_words(to + lanes), infs = and_words(old, all_words(ANCHORED_INFS));
    store_words(to, pick_words(which, reach, load_words(to)));
    store_words(to + lanes, pick_words(which, or_words(as_words(scale), infs), old));
}

/* A vector's state while its steps are taken one by one: M, the exponent field of 2^-place, and what is asked of the
 * next step's shift by who is full. */
struct anchored_state {
    words m, field, asked;
};

INLINE void anchored_open(const struct anchored_limits *limits, const uint32_t *acc, size_t lanes,
                          struct anchored_state *state) {
    const words reach = load_words(acc + lanes);
    const of_words full = greater_words(all_words(ANCHORED_ASKS / 2), reach);
    const words place = sub_words(all_words(127 + limits->step - 1), reach);
    state->m = sub_words(load_words(acc), all_words(limits->half));
    state->asked = keep_words(full, all_words(limits->step));
    state->field = add_words(place, keep_words(full, all_words(ANCHORED_ASKS)));
}

/* The contract's four points. Who is full asks for one coarse step. */
INLINE void anchored_step(const struct anchored_limits *limits, floats sum, words key, struct anchored_state *state) {
    const of_words active = greater_words(key, all_words(-1));
    const of_words out = bits_of_words(add_words(state->m, all_words(limits->half)), all_words(limits->beyond));
    const words wanted =
        sub_words(all_words(127), and_words(add_words(key, all_words(limits->bias)), all_words(-limits->step)));
    const words shift = max_where(active, sub_words(state->field, wanted), state->asked);
    const words next = keep_words(out, all_words(limits->step));
    state->asked = down_where(active, next, shift, state->asked); /* nothing after a shift */
    state->field = sub_words(state->field, shift);
    state->m = add_words(down_words(state->m, shift), nearest_words(mul(sum, anchored_scale(state->field))));
}

INLINE void anchored_close(const struct anchored_limits *limits, const struct anchored_state *state, of_words which,
                           uint32_t *acc, size_t lanes) {
    const of_words asks = greater_words(state->asked, all_words(0));
    const words m = add_words(state->m, all_words(limits->half));
    const words reach = add_words(sub_words(all_words(127 + limits->step - 1), state->field),
                                  keep_words(asks, all_words(ANCHORED_ASKS)));
    store_words(acc, pick_words(which, m, load_words(acc)));
    anchored_put_reach(which, reach, anchored_scale(state->field), acc + lanes, lanes);
}

/* Lanes of vector V of a panel's row whose steps have to be taken one by one. */
struct anchored_failure {
    uint32_t row, v, lanes;
};

/* STEPS steps of the lanes of two such vectors. A step's shift is what it hangs on for long, so two take no longer than
 * one. */
INLINE void anchored_slowly(int streams, int groups, bool steer, const struct anchored_limits *limits,
                            const struct anchored_source *panel, size_t row_words,
                            const struct anchored_failure *failures, uint32_t *acc, size_t ld) {
    const size_t lanes = anchored_vectors(streams) * WIDTH;
    struct anchored_state state[2];
    struct anchored_source s[2] = {*panel, *panel};
#pragma GCC unroll 2
    for (size_t i = 0; i < 2; i++) {
        s[i].a += failures[i].row * row_words;
        s[i].places += failures[i].row * STEPS;
        anchored_open(limits, acc + failures[i].row * ld + failures[i].v * WIDTH, lanes, &state[i]);
    }
    for (size_t t = 0; t < STEPS; t++) {
#pragma GCC unroll 2
        for (size_t i = 0; i < 2; i++) {
            words of_a[FOUR_KINDS_MAX], largest = all_words(0);
            anchored_operands(streams, steer, &s[i], t, of_a);
            const floats sum = anchored_sum(streams, groups, steer, &s[i], t, failures[i].v, of_a, &largest);
            anchored_step(limits, sum, anchored_key(streams, &s[i], t, failures[i].v, largest), &state[i]);
        }
    }
#pragma GCC unroll 2
    for (size_t i = 0; i < 2; i++)
        anchored_close(limits, &state[i], of_bits(failures[i].lanes),
                       acc + failures[i].row * ld + failures[i].v * WIDTH, lanes);
}

/* STEPS steps of VECTORS vectors in which no anchor moves. SEEN: all bits that M + H had before each; LARGEST: of the
 * keys, where they are asked for. */
INLINE void anchored_fast(int streams, int groups, bool steer, bool keyed, const struct anchored_source *s,
                          size_t vectors, words *m, const floats *scale, words *seen, words *largest) {
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) {
        seen[v] = m[v];
        largest[v] = anchored_least_key(streams);
    }
#pragma GCC unroll 4
    for (size_t t = 0; t < STEPS; t += 2) {
        words of_a[2][FOUR_KINDS_MAX], keys[2];
        anchored_operands(streams, steer, s, t, of_a[0]);
        anchored_operands(streams, steer, s, t + 1, of_a[1]);
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            const floats sum = anchored_sum(streams, groups, steer, s, t, v, of_a[0], &keys[0]);
            const floats next = anchored_sum(streams, groups, steer, s, t + 1, v, of_a[1], &keys[1]);
            const words between = add_words(m[v], nearest_words(mul(sum, scale[v])));
            seen[v] = or_three(seen[v], m[v], between);
            m[v] = add_words(between, nearest_words(mul(next, scale[v])));
            if (keyed)
                largest[v] = anchored_larger_key(streams, s, t, v, largest[v], keys);
        }
    }
}

/* What a row's steps leave: M + H, and with MOVED the reach, where they do not fail. Lanes that fail stay as they are
 * and are put on the list, which has FAILED entries; how many it has then. */
INLINE size_t anchored_keep(size_t vectors, const of_words *fails, const words *m, const of_words *moves,
                            const words *reach, const floats *scale, size_t row, uint32_t *acc,
                            struct anchored_failure *failures, size_t failed) {
    const size_t lanes = vectors * WIDTH;
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++, acc += WIDTH) {
        store_words(acc, pick_words(fails[v], load_words(acc), m[v]));
        if (reach)
            anchored_put_reach(but_not_words(moves[v], fails[v]), reach[v], scale[v], acc + lanes, lanes);
        failures[failed] = (struct anchored_failure){(uint32_t)row, (uint32_t)v, bits_of(fails[v])};
        failed += failures[failed].lanes != 0;
    }
    return failed;
}

/* STEPS steps of a row whose anchors stay, or, KEYED, mostly. */
INLINE size_t anchored_row(int streams, int groups, bool steer, bool keyed, const struct anchored_limits *limits,
                           const struct anchored_source *s, size_t row, uint32_t *acc,
                           struct anchored_failure *failures, size_t failed) {
    const size_t vectors = anchored_vectors(streams), lanes = vectors * WIDTH;
    words m[ANCHORED_VECTORS_MAX], seen[ANCHORED_VECTORS_MAX], largest[ANCHORED_VECTORS_MAX];
    floats scale[ANCHORED_VECTORS_MAX];
    of_words fails[ANCHORED_VECTORS_MAX];
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) {
        m[v] = load_words(acc + v * WIDTH);
        scale[v] = load_floats_of(acc + 2 * lanes + v * WIDTH);
    }
    anchored_fast(streams, groups, steer, keyed, s, vectors, m, scale, seen, largest);
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) {
        fails[v] = bits_of_words(seen[v], all_words(limits->beyond));
        if (keyed) {
            const words key = add_words(anchored_last_key(streams, largest[v]), all_words(limits->bias));
            fails[v] = either_words(fails[v], greater_words(key, load_words(acc + lanes + v * WIDTH)));
        }
    }
    return anchored_keep(vectors, fails, m, NULL, NULL, NULL, row, acc, failures, failed);
}

/* ---- rows in which anchors move ---- */

/* A place's unit as anchored_wanted() has it, as a power of two: where a key is found in a word. */
INLINE int anchored_unit(int streams) {
    return streams & OF_FLOATS || streams == 1 ? 0 : streams == 2 ? 16 : 16 + KEY_LOG2;
}

/* A row's part of the place that step T asks for, of one stream and of two. */
INLINE words anchored_wanted_by_row(int streams, const struct anchored_limits *limits, const struct anchored_source *s,
                                    size_t t) {
    words all = all_words(0);
    if (streams == 1)
        all = all_words((int)s->a[STEPS + t] + limits->bias);
    if (streams == 2)
        all = add_halves(all_words((int)s->a[(2 * FORMS + 1) * STEPS + t]), all_halves(limits->bias));
    HELD(all);
    return all;
}

/* That place, below all others where no product takes part. */
INLINE words anchored_wanted(int streams, const struct anchored_limits *limits, const struct anchored_source *s,
                             size_t t, size_t v, words by_row, words largest) {
    const words mask = all_words((int)((unsigned)-limits->step << anchored_unit(streams)));
    if (streams & OF_FLOATS)
        return and_words(add_words(whole_words(as_floats(largest)), all_words(limits->bias)), mask);
    if (streams == 1)
        return and_words(add_words(by_row, anchored_one_exponent(s, t, v)), mask);
    if (streams == 2) {
        const words key = add_halves(by_row, anchored_pair_exponents(s, t, v));
        return and_words(max_halves(key, turned(key)), mask);
    }
    return and_words(sub_halves(largest, all_halves(KEY_BIAS - limits->bias * (1 << KEY_LOG2))), mask);
}

INLINE floats anchored_place_scale(words place, int unit) {
    return as_floats(sub_words(all_words(127 << 23), up_words(place, 23 - unit)));
}

/* STEPS steps of a row by the contract's four points, but for `full`: lanes in which it is set, or M leaves its range,
 * fail. The place of a lane whose M is zero may be any that is below those that are asked for. MOVED: of how many
 * vectors an anchor has moved. */
INLINE size_t anchored_moving_row(int streams, int groups, bool steer, const struct anchored_limits *limits,
                                  const struct anchored_source *s, size_t row, uint32_t *acc,
                                  struct anchored_failure *failures, size_t failed, int *moved) {
    const size_t vectors = anchored_vectors(streams), lanes = vectors * WIDTH;
    const int unit = anchored_unit(streams), to_reach = limits->step - 1, first = -127, last = 126;
    const words half = all_words(limits->half);
    words m[ANCHORED_VECTORS_MAX], place[ANCHORED_VECTORS_MAX], before[ANCHORED_VECTORS_MAX],
        seen[ANCHORED_VECTORS_MAX], reach[ANCHORED_VECTORS_MAX];
    of_words fails[ANCHORED_VECTORS_MAX], moves[ANCHORED_VECTORS_MAX];
    floats scale[ANCHORED_VECTORS_MAX];
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) {
        const words from = sub_words(load_words(acc + lanes + v * WIDTH), all_words(to_reach));
        m[v] = sub_words(load_words(acc + v * WIDTH), half);
        fails[v] = both_words(
            greater_words(all_words(first), from),
            either_words(bits_of_words(m[v], all_words(-1)), greater_words(all_words(ANCHORED_ASKS / 2), from)));
        place[v] = before[v] = up_words(min_words(max_words(from, all_words(first)), all_words(last)), unit);
        seen[v] = load_words(acc + v * WIDTH);
    }
#pragma GCC unroll 2
    for (size_t t = 0; t < STEPS; t++) {
        words of_a[FOUR_KINDS_MAX], largest = all_words(0);
        anchored_operands(streams, steer, s, t, of_a);
        const words by_row = anchored_wanted_by_row(streams, limits, s, t);
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            const floats sum = anchored_sum(streams, groups, steer, s, t, v, of_a, &largest);
            const words next = max_words(place[v], anchored_wanted(streams, limits, s, t, v, by_row, largest));
            const words shift = down_no_sign(sub_words(next, place[v]), unit);
            seen[v] = or_words(seen[v], add_words(m[v], half));
            m[v] = add_words(down_words(m[v], shift), nearest_words(mul(sum, anchored_place_scale(next, unit))));
            place[v] = next;
        }
    }
    *moved = 0;
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) {
        moves[v] = greater_words(place[v], before[v]);
        reach[v] = add_words(down_words(place[v], all_words(unit)), all_words(to_reach));
        scale[v] = anchored_place_scale(place[v], unit);
        m[v] = add_words(m[v], half);
        fails[v] = either_words(fails[v], bits_of_words(seen[v], all_words(limits->beyond)));
        *moved += any_of(moves[v]);
    }
    return anchored_keep(vectors, fails, m, moves, reach, scale, row, acc, failures, failed);
}

/* Of one stream and two: may a step of a row, whose largest exponent and bias are OF_ROW, move an anchor? */
INLINE bool anchored_may_move(size_t vectors, const words *exponents, int of_row, const uint32_t *reach) {
    words least = sub_words(load_words(reach), exponents[0]);
#pragma GCC unroll 4
    for (size_t v = 1; v < vectors; v++)
        least = min_words(least, sub_words(load_words(reach + v * WIDTH), exponents[v]));
    return any_of(greater_words(all_words(of_row), least));
}

/* ---- results ---- */

/* A float of M is rounded once, to nearest even; what is left is its exponent. */
static void anchored_round(const struct daa_config *config, const uint32_t *acc, size_t lanes, size_t count,
                           uint32_t *to) {
    const struct anchored_limits limits = anchored_make_limits(config);
    for (size_t i = 0; i < count; i++) {
        const float m = (float)(int32_t)(acc[i] - (uint32_t)limits.half);
        const int32_t reach = (int32_t)acc[lanes + i], full = reach < ANCHORED_ASKS / 2 ? ANCHORED_ASKS : 0;
        uint32_t bits;
        memcpy(&bits, &m, sizeof bits);
        const int32_t field = (int32_t)(bits >> 23 & 255) + reach - (limits.step - 1) - full;
        const uint32_t sign = bits & 0x80000000, inf = acc[2 * lanes + i] & ANCHORED_INFS;
        uint32_t result = sign | (uint32_t)field << 23 | (bits & 0x7fffff);
        result = field >= 255 ? sign | 0x7f800000 : result;
        result = field <= 0 || bits == 0 ? 0 : result;
        result = inf == 0 ? result : inf == 3 ? 0x7fc00000 : inf == 1 ? 0x7f800000 : 0xff800000;
        to[i] = result;
    }
}

/* ---- runs ---- */

/* A panel's STEPS steps. ROWS: of those in which anchors may move, and of the others. */
struct anchored_panel {
    const struct anchored_limits *limits;
    const struct anchored_source *source; /* of the first row */
    size_t row_words, ld;
    uint32_t *acc;
    uint32_t rows[2][ROWS_MAX];
    size_t counts[2], failed;
    int moved;
    struct anchored_failure failures[ROWS_MAX * ANCHORED_VECTORS_MAX + 1];
};

INLINE struct anchored_source anchored_row_of(const struct anchored_panel *p, size_t row) {
    struct anchored_source s = *p->source;
    s.a += row * p->row_words;
    s.places += row * STEPS;
    return s;
}

INLINE void anchored_rows_that_stay(int streams, int groups, bool steer, struct anchored_panel *p) {
    for (size_t i = 0; i < p->counts[false]; i++) {
        const size_t row = p->rows[false][i];
        const struct anchored_source s = anchored_row_of(p, row);
        p->failed = anchored_row(streams, groups, steer, false, p->limits, &s, row, p->acc + row * p->ld, p->failures,
                                 p->failed);
    }
}

/* Of how many vectors of a row anchors move is mostly as it was in the row before: from some number on it takes less
 * time to be ready for it in every step than to take these vectors' steps once more. */
INLINE void anchored_rows_that_may(int streams, int groups, bool steer, struct anchored_panel *p) {
    for (size_t i = 0; i < p->counts[true]; i++) {
        const size_t row = p->rows[true][i], before = p->failed;
        const struct anchored_source s = anchored_row_of(p, row);
        uint32_t *acc = p->acc + row * p->ld;
        if (p->moved >= (streams > 2 ? 1 : 2)) {
            p->failed =
                anchored_moving_row(streams, groups, steer, p->limits, &s, row, acc, p->failures, p->failed, &p->moved);
            continue;
        }
        p->failed = anchored_row(streams, groups, steer, true, p->limits, &s, row, acc, p->failures, p->failed);
        p->moved = (int)(p->failed - before);
    }
}

INLINE void anchored_once_more(int streams, int groups, bool steer, struct anchored_panel *p) {
    p->failures[p->failed] = p->failures[p->failed - 1]; /* the last one twice, where they are odd */
    for (size_t i = 0; i < p->failed; i += 2)
        anchored_slowly(streams, groups, steer, p->limits, p->source, p->row_words, p->failures + i, p->acc, p->ld);
}

/* The three of them: functions of their own keep each other's numbers out of registers. */
typedef void anchored_part(struct anchored_panel *p);
struct anchored_parts {
    anchored_part *stay, *may, *once_more;
};

INLINE void anchored_groups(int streams, bool steer, const struct engine_plan *plan, size_t steps, size_t panels,
                            const uint32_t *a, size_t a_block, const uint32_t *b, uint32_t *acc, size_t ld,
                            uint32_t *space, struct anchored_parts parts) {
    const struct anchored_limits limits = anchored_make_limits(plan->anchored);
    const size_t vectors = anchored_vectors(streams), lanes = vectors * WIDTH;
    const size_t rows = streams == 1 ? ANCHORED_ONE_ROWS : streams == 2 ? TWO_ROWS : FOUR_ROWS;
    const size_t kinds = streams & OF_FLOATS ? many_kinds((size_t)(streams - OF_FLOATS), steer)
                         : streams == 1      ? ANCHORED_ONE_KINDS
                         : streams == 2      ? (size_t)two_kinds(plan)
                                             : four_words((size_t)streams / 2, steer);
    const size_t b_words = streams == 2 ? TWO_PACKED : kinds, row_words = kinds * STEPS;
    __attribute__((aligned(64))) uint32_t places[TWO_ROWS * STEPS];
    struct two_table table;
    struct anchored_source s = {.places = places,
                                .table = &table,
                                .mask = all_words(two_in_order(plan) ? -2 : -1),
                                .reach = four_reach(plan->window),
                                .window = f_all((float)plan->window + (float)MANY_REACH)};
    struct anchored_panel p = {
        .limits = &limits, .source = &s, .row_words = row_words, .ld = ld, .moved = ANCHORED_VECTORS_MAX};
    for (size_t t = 0; t < steps; t += STEPS, a += rows * row_words, b += STEPS * b_words * lanes) {
        words exponents[ANCHORED_VECTORS_MAX];
        if (streams == 2)
            table = two_make_table(plan, least_of(STEPS, steps - t), panels, a, a_block, b, space);
        for (size_t v = 0; streams <= 2 && v < vectors; v++)
            exponents[v] = anchored_exponents(streams, b, v);
        s.b = b;
        for (size_t i = 0; i < panels; i++) {
            s.a = a + i * a_block;
            p.acc = acc + i * rows * ld;
            p.counts[false] = p.counts[true] = p.failed = 0;
            if (streams == 2)
                two_places(&table, s.a, row_words, places);
            for (uint32_t row = 0; row < rows; row++) {
                const bool may =
                    streams > 2 || anchored_may_move(vectors, exponents,
                                                     anchored_exponent(streams, s.a + row * row_words) + limits.bias,
                                                     p.acc + row * ld + lanes);
                p.rows[false][p.counts[false]] = p.rows[true][p.counts[true]] = row;
                p.counts[false] += !may;
                p.counts[true] += may;
            }
            if (streams <= 2)
                parts.stay(&p);
            parts.may(&p);
            if (p.failed)
                parts.once_more(&p);
        }
    }
}

#define ANCHORED_PART(name, part, streams, groups, steer)                                                              \
    static __attribute__((noinline)) void name(struct anchored_panel *p) {                                             \
        part(streams, groups, steer, p);                                                                               \
    }
#define ANCHORED_RUN(name, streams, groups, steer)                                                                     \
    ANCHORED_PART(name##_stay, anchored_rows_that_stay, streams, groups, steer)                                        \
    ANCHORED_PART(name##_may, anchored_rows_that_may, streams, groups, steer)                                          \
    ANCHORED_PART(name##_once_more, anchored_once_more, streams, groups, steer)                                        \
    static void name(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a, size_t a_block,   \
                     const uint32_t *b, float *acc, size_t ld, uint32_t *space) {                                      \
        const unsigned before = _mm_getcsr();                                                                          \
        _mm_setcsr(FLUSHING);                                                                                          \
        anchored_groups(streams, steer, plan, steps, panels, a, a_block, b, (uint32_t *)(void *)acc, ld, space,        \
                        (struct anchored_parts){name##_stay, name##_may, name##_once_more});                           \
        _mm_setcsr(before);                                                                                            \
    }
ANCHORED_RUN(anchored_one_run, 1, 1, false)
ANCHORED_RUN(anchored_two_run, 2, 1, false)
ANCHORED_RUN(anchored_four_steered, 4, 1, true)
ANCHORED_RUN(anchored_four_in_pairs, 4, 2, true)
ANCHORED_RUN(anchored_four_fixed, 4, 1, false)
ANCHORED_RUN(anchored_eight_steered, 8, 1, true)
ANCHORED_RUN(anchored_eight_fixed, 8, 1, false)
ANCHORED_RUN(anchored_two_floats, 2 | OF_FLOATS, 1, false)
ANCHORED_RUN(anchored_two_floats_steered, 2 | OF_FLOATS, 1, true)
ANCHORED_RUN(anchored_four_floats, 4 | OF_FLOATS, 1, false)
ANCHORED_RUN(anchored_four_floats_steered, 4 | OF_FLOATS, 1, true)
ANCHORED_RUN(anchored_four_floats_in_pairs, 4 | OF_FLOATS, 2, true)

static void anchored_floats_run(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a,
                                size_t a_block, const uint32_t *b, float *acc, size_t ld, uint32_t *space) {
    const bool steer = plan->winner == DAA_WINS_LARGEST;
    if (plan->streams == 2)
        (steer ? anchored_two_floats_steered : anchored_two_floats)(plan, steps, panels, a, a_block, b, acc, ld, space);
    else if (plan->groups == 2)
        anchored_four_floats_in_pairs(plan, steps, panels, a, a_block, b, acc, ld, space);
    else
        (steer ? anchored_four_floats_steered : anchored_four_floats)(plan, steps, panels, a, a_block, b, acc, ld,
                                                                      space);
}

static void anchored_four_run(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a,
                              size_t a_block, const uint32_t *b, float *acc, size_t ld, uint32_t *space) {
    const bool steer = plan->winner == DAA_WINS_LARGEST;
    if (plan->groups == 2)
        anchored_four_in_pairs(plan, steps, panels, a, a_block, b, acc, ld, space);
    else if (plan->streams == 4)
        (steer ? anchored_four_steered : anchored_four_fixed)(plan, steps, panels, a, a_block, b, acc, ld, space);
    else
        (steer ? anchored_eight_steered : anchored_eight_fixed)(plan, steps, panels, a, a_block, b, acc, ld, space);
}

#define KERNEL_ANCHORED_ONE(which, pack, rounding, range)                                                              \
    {                                                                                                                  \
        .engine = which, .rows = ANCHORED_ONE_ROWS, .lanes = ANCHORED_ONE_LANES, .acc_words = ANCHORED_WORDS,          \
        .a_group = anchored_one_a_group, .b_words = anchored_one_b_words, .steps_a_word = anchored_steps_a_word,       \
        .pack_a = pack##_pack_a, .pack_b = pack##_pack_b, .run = anchored_one_run, .round_floats = rounding,           \
        .scan = range, .round = anchored_round, .results = pack_results, .turn = pack_turn, .wide = daa_anchored_tile, \
    }
#define KERNEL_ANCHORED_TWO(which)                                                                                     \
    {                                                                                                                  \
        .engine = which, .rows = TWO_ROWS, .lanes = TWO_LANES, .acc_words = ANCHORED_WORDS, .a_group = two_a_group,    \
        .b_words = two_b_words, .steps_a_word = two_steps_a_word, .pack_a = two_pack_a, .pack_b = two_pack_b,          \
        .run = anchored_two_run, .table_words = two_table_words, .round_floats = pack_round_floats, .scan = pack_scan, \
        .round = anchored_round, .results = pack_results, .turn = pack_turn, .wide = daa_anchored_tile,                \
    }
#define KERNEL_ANCHORED_FOUR(which)                                                                                    \
    {                                                                                                                  \
        .engine = which, .rows = FOUR_ROWS, .lanes = FOUR_LANES, .acc_words = ANCHORED_WORDS, .a_group = four_a_group, \
        .b_words = four_kinds, .steps_a_word = four_steps_a_word, .pack_a = four_pack_a, .pack_b = four_pack_b,        \
        .run = anchored_four_run, .round_floats = pack_round_floats, .scan = pack_scan, .round = anchored_round,       \
        .results = pack_results, .turn = pack_turn, .wide = daa_anchored_tile,                                         \
    }

#define KERNEL_ANCHORED_FLOATS(which)                                                                                  \
    {                                                                                                                  \
        .engine = which, .rows = MANY_ROWS, .lanes = ANCHORED_ONE_LANES, .acc_words = ANCHORED_WORDS,                  \
        .a_group = many_f_a_group, .b_words = many_f_b_words, .steps_a_word = many_steps_a_word,                       \
        .pack_a = many_f_pack_a, .pack_b = many_f_pack_b, .run = anchored_floats_run,                                  \
        .round_floats = many_round_floats, .scan = many_scan, .round = anchored_round, .results = pack_results,        \
        .turn = pack_turn, .wide = daa_anchored_tile,                                                                  \
    }

/* By accumulator, and by the logarithm of the streams. */
#define KERNELS(which)                                                                                                 \
    {                                                                                                                  \
        {KERNEL_ONE(which), KERNEL_TWO(which), KERNEL_FOUR(which)}, {                                                  \
            KERNEL_ANCHORED_ONE(which, anchored_one, pack_round_floats, pack_scan), KERNEL_ANCHORED_TWO(which),        \
                KERNEL_ANCHORED_FOUR(which), KERNEL_ANCHORED_FOUR(which)                                               \
        }                                                                                                              \
    }

/* Of operands as floats: rounded, on floats and on doubles, and anchored. */
#define KERNELS_MANY(which)                                                                                            \
    {                                                                                                                  \
        KERNELS_MANY_OF(which, f, false), KERNELS_MANY_OF(which, d, true), {                                           \
            KERNEL_ANCHORED_ONE(which, anchored_one_float, many_round_floats, many_scan),                              \
                KERNEL_ANCHORED_FLOATS(which), KERNEL_ANCHORED_FLOATS(which)                                           \
        }                                                                                                              \
    }

#endif
