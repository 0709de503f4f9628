/* The anchored accumulator (docs/contract.md, section 5.2) with at most 32 bits, on the products of engine_one.h's
 * lanes, of engine_two.h, of engine_four.h and of engine_many.h on floats. A step's sum is exact in a float, so that M
 * += the sum / 2^place rounded to nearest even is a product with a power of two, a conversion and an addition; or,
 * where no float is, in a double.
 *
 * That is all while no anchor moves, which is so nearly always but in a GEMM's first steps. The largest exponents of a
 * row and of a lane in a few steps together are no less than any of their keys: where they ask for no move, none of
 * these steps does. The panel's other rows, and with four streams and more, where the key comes with the sum, all rows,
 * either find the largest key of all these steps on the way, or, where anchors move all the time, let them move at
 * every step. Whether M stays in -H .. H-1, H = 2^(W-3), is looked at in the same way. Lanes in which it does not, or
 * an anchor moves that was to stay, are noted, and take the steps one by one when the panel's rows have been done.
 *
 * The place of M's last bit stands for the anchor: G E. It is kept as the exponent field of the float 2^-place, 127 -
 * place, in a float's bits: the largest place is then the least field. Since places are multiples of G, a field ends in
 * log2 G ones, whatever a key has there. engine_kernel.h has the two words of a lane's state; those of a tile's lanes
 * are after one another. */
#ifndef DAA_ENGINE_ANCHORED_H
#define DAA_ENGINE_ANCHORED_H

enum {
    ANCHORED_ONE_ROWS = 16,
    ANCHORED_ONE_LANES = 4 * WIDTH,
    ANCHORED_ONE_KINDS = 2,
    ANCHORED_VECTORS_MAX = 4,
    ANCHORED_KINDS_MAX = 3 * DAA_STREAMS_MAX,
    OF_FLOATS = 16,  /* beside a number of streams: as engine_many.h has them; one stream is the same in either way */
    IN_DOUBLES = 32, /* and this beside it: sums are not exact in floats, but in doubles */
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

/* As pair_parts(), in the upper half. */
INLINE words anchored_one_parts(words of, int part) {
    const words fields = and_words(of, all_words(INT32_MAX & -ANCHORED_UNIT));
    const words parts = sub_words(all_words(part * ANCHORED_UNIT), fields);
    return pick_words(greater_words(fields, all_words(0)), parts, all_words(INT16_MAX << 16));
}

/* WIDTH raw operands, which are floats or bf16. */
INLINE words anchored_one_load(bool is_float, const void *raw, size_t i) {
    return is_float ? load_words((const uint32_t *)raw + i) : half_up(widen((const uint16_t *)raw + i));
}

INLINE void anchored_one_rows(bool is_float, int part, size_t steps, const void *raw, size_t stride, uint32_t *packed) {
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
                store_eights(to + STEPS, packed + next + STEPS, anchored_one_parts(of, part));
            }
        }
    }
}

INLINE void anchored_one_lanes(bool is_float, int part, size_t steps, const void *raw, uint32_t *packed) {
    pack_no_steps(steps, ANCHORED_ONE_KINDS * ANCHORED_ONE_LANES, packed);
    for (size_t t = 0; t < steps; t++, packed += ANCHORED_ONE_KINDS * ANCHORED_ONE_LANES) {
        for (size_t lane = 0; lane < ANCHORED_ONE_LANES; lane += WIDTH) {
            const words of = anchored_one_load(is_float, raw, t * ANCHORED_ONE_LANES + lane);
            store_words(packed + lane, of);
            store_words(packed + ANCHORED_ONE_LANES + lane, anchored_one_parts(of, part));
        }
    }
}

#define ANCHORED_ONE_PACK(name, is_float)                                                                              \
    static void name##_pack_a(const struct engine_plan *plan, size_t steps, const void *raw, size_t stride,            \
                              uint32_t *packed) {                                                                      \
        anchored_one_rows(is_float, pair_part(plan->anchored, true), steps, raw, stride, packed);                      \
    }                                                                                                                  \
    static void name##_pack_b(const struct engine_plan *plan, size_t steps, const void *raw, uint32_t *packed) {       \
        anchored_one_lanes(is_float, pair_part(plan->anchored, false), steps, raw, packed);                            \
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
    return streams & OF_FLOATS ? many_f_vectors(streams % OF_FLOATS)
           : streams > 2       ? FOUR_VECTORS
                               : ANCHORED_VECTORS_MAX;
}

/* A step's sum, as floats or as doubles. */
struct anchored_sum {
    floats in_floats;
    doubles in_doubles[2];
};

/* What a step adds where SCALE is 2^-place. */
INLINE words anchored_added(int streams, struct anchored_sum sum, floats scale) {
    if (streams & IN_DOUBLES)
        return nearest_words_of(d_mul(sum.in_doubles[0], first_doubles(scale)),
                                d_mul(sum.in_doubles[1], second_doubles(scale)));
    return nearest_words(mul(sum.in_floats, scale));
}

/* A row's operands of step T, in registers. */
INLINE void anchored_operands(int streams, bool steer, const struct anchored_source *s, size_t t, words *of_a) {
    const size_t words_of_one = streams & OF_FLOATS ? many_kinds((size_t)(streams % OF_FLOATS), steer)
                                : streams > 2       ? four_words((size_t)streams / 2, steer)
                                                    : streams == 1;
#pragma GCC unroll 24
    for (size_t i = 0; i < words_of_one; i++)
        of_a[i] = once(s->a + i * STEPS + t);
#pragma GCC unroll 2
    for (size_t f = 0; f < FORMS && streams == 2; f++)
        of_a[f] = twice(s->a + 2 * (f * STEPS + t));
}

/* A sum that no float is: factors are floats, who takes part is said by them, and products and sums are doubles. */
INLINE void anchored_doubles(int streams, int groups, bool steer, floats reach, const floats *a, const float *b,
                             doubles sum[2], floats *largest) {
    floats of_a[DAA_STREAMS_MAX], of_b[DAA_STREAMS_MAX];
    f_mask in[DAA_STREAMS_MAX];
    many_f_terms(streams, groups, steer, reach, a, b, of_a, of_b, in, largest);
    sum[0] = sum[1] = d_all(0.0);
#pragma GCC unroll 8
    for (size_t s = 0; s < (size_t)streams; s++) {
        const floats kept = f_keep(in[s], of_a[s]);
        sum[0] = add_product(sum[0], first_doubles(kept), first_doubles(of_b[s]));
        sum[1] = add_product(sum[1], second_doubles(kept), second_doubles(of_b[s]));
    }
}

/* The sum of step T in vector V, and of more than two streams the largest key. */
INLINE struct anchored_sum anchored_sum_of(int streams, int groups, bool steer, const struct anchored_source *s,
                                           size_t t, size_t v, const words *of_a, words *largest) {
    const size_t pairs = (size_t)streams / 2;
    struct anchored_sum sum = {as_floats(all_words(0)), {d_all(0.0), d_all(0.0)}};
    if (streams & OF_FLOATS) {
        const int count = streams % OF_FLOATS;
        const size_t kinds = many_kinds((size_t)count, steer);
        const float *b = (const float *)(const void *)s->b + t * kinds * many_f_lanes(count) + v * WIDTH;
        floats numbers[ANCHORED_KINDS_MAX], top;
#pragma GCC unroll 24
        for (size_t i = 0; i < kinds; i++)
            numbers[i] = as_floats(of_a[i]);
        if (streams & IN_DOUBLES)
            anchored_doubles(count, groups, steer, s->window, numbers, b, sum.in_doubles, &top);
        else
            sum.in_floats = many_f_sum(count, groups, steer, s->window, numbers, b, &top);
        *largest = as_words(top);
    } else if (streams == 1) {
        const uint32_t *b = s->b + t * ANCHORED_ONE_KINDS * ANCHORED_ONE_LANES + v * WIDTH;
        sum.in_floats = mul(as_floats(of_a[0]), load_floats_of(b));
    } else if (streams == 2) {
        const words of_b = load_words(two_entry(s->table, s->places[t]) + v * WIDTH);
        sum.in_floats = sum_of(of_a, and_words(of_b, s->mask), of_b);
    } else {
        const uint32_t *b = s->b + t * four_words(pairs, steer) * FOUR_LANES + v * WIDTH;
        sum.in_floats = four_sum(pairs, (size_t)groups, steer, s->reach, of_a, b, largest);
    }
    return sum;
}

/* A row's part of the fields that step T asks for, and vector V's, of one stream and of two. */
INLINE const uint32_t *anchored_row_parts(int streams, const uint32_t *a) {
    return a + (streams == 1 ? 1 : 2 * FORMS + 1) * STEPS;
}

INLINE words anchored_parts(int streams, const uint32_t *b, size_t t, size_t v) {
    b += v * WIDTH;
    return load_words(
        b + (streams == 1 ? (ANCHORED_ONE_KINDS * t + 1) * ANCHORED_ONE_LANES : (t * TWO_PACKED + 3) * TWO_LANES));
}

/* What says which field a step asks for: of one stream and of two the sum of parts, of two one in each half; of more
 * LARGEST, as four_sum() or many_f_sum() has it. */
INLINE words anchored_key(int streams, const struct anchored_source *s, size_t t, size_t v, words largest) {
    if (streams > 2)
        return largest;
    return saturated_halves(all_words((int)anchored_row_parts(streams, s->a)[t]), anchored_parts(streams, s->b, t, v));
}

/* That of several steps: the one that asks for most. Floats are in the order of words where they are not all negative.
 */
INLINE words anchored_most(int streams, words a, words b) {
    if (streams & OF_FLOATS)
        return max_words(a, b);
    return streams > 2 ? max_keys(a, b) : min_halves(a, b);
}

INLINE words anchored_no_key(int streams) {
    if (streams & OF_FLOATS)
        return as_words(f_all(2 * ZERO_EXPONENT));
    return streams > 2 ? all_words(0) : all_halves(INT16_MAX);
}

/* The most that vector V's lanes ask for in COUNT steps, without a row's parts, of one stream and of two. LAST, the
 * last bits of fields, is added: what is then below a field asks for less than that. */
INLINE words anchored_lanes_ask(int streams, int last, size_t count, const uint32_t *b, size_t v) {
    words most = anchored_no_key(streams);
    for (size_t t = 0; t < count; t++)
        most = anchored_most(streams, most, anchored_parts(streams, b, t, v));
    return saturated_halves(streams == 1 ? most : min_halves(most, turned(most)), all_halves(last >> 16));
}

/* That of a row in STEPS steps; none is negative. */
INLINE words anchored_row_asks(int streams, const uint32_t *a) {
    __m256i parts = _mm256_loadu_si256((const __m256i_u *)anchored_row_parts(streams, a));
    if (streams == 1)
        parts = _mm256_or_si256(parts, _mm256_set1_epi32(INT16_MAX));
    const __m128i eight = _mm_min_epu16(_mm256_castsi256_si128(parts), _mm256_extracti128_si256(parts, 1));
    return all_halves(_mm_cvtsi128_si32(_mm_minpos_epu16(eight)));
}

/* ---- a row's steps ---- */

/* Where M + H has a bit of BEYOND, M is not in -H .. H-1. STEP and LAST: G and G - 1, of a field. KEY: the field that a
 * key, a sum of two exponent fields, asks for is this less that. */
struct anchored_limits {
    int half, beyond, step, last, key;
};

static struct anchored_limits anchored_make_limits(const struct daa_config *config) {
    const int half = 1 << (config->acc_bits - 3);
    return (struct anchored_limits){
        .half = half,
        .beyond = (int)~(2 * (unsigned)half - 1),
        .step = config->acc_step * ANCHORED_UNIT,
        .last = (config->acc_step - 1) * ANCHORED_UNIT,
        .key = pair_part(config, true) + pair_part(config, false),
    };
}

/* The field that a key asks for, a NaN where no product takes part. */
INLINE words anchored_asked(int streams, const struct anchored_limits *limits, words key) {
    enum { UP = 7 - KEY_LOG2, NONE = 255 };
    if (streams & OF_FLOATS) {
        const words field = sub_words(all_words(limits->key), whole_words(as_floats(key)));
        const words twice_it = min_words(add_words(field, field), all_words(2 * NONE + 1));
        return or_words(up_words(twice_it, 22), all_words(limits->last));
    }
    if (streams > 2) { /* in units of the key first, upper halves alone */
        const words field = sub_halves(all_halves(limits->key * (1 << KEY_LOG2) + (1 << KEY_LOG2) - 1 + KEY_BIAS), key);
        words asked = and_or_words(field, all_words(-(1 << (16 + KEY_LOG2))), all_words(limits->last >> UP));
        for (int i = 0; i < UP; i++)
            asked = saturated_halves(asked, asked);
        return asked;
    }
    return or_words(streams == 1 ? key : min_halves(key, half_up(key)), all_words(limits->last));
}

/* A vector's state: M, the field, and the least that a step leaves of it, which is one coarse step less for who is
 * full.
 */
struct anchored_state {
    words m, field, least;
};

/* The contract's four points. What is asked for where no product takes part is then less than nothing, and equal to
 * nothing. */
INLINE void anchored_step(int streams, const struct anchored_limits *limits, struct anchored_sum sum, words asked,
                          struct anchored_state *state) {
    const of_words out = bits_of_words(add_words(state->m, all_words(limits->half)), all_words(limits->beyond));
    const floats from = as_floats(state->field), least = as_floats(state->least);
    const floats to = lesser(least, as_floats(asked)), field = lesser(to, from);
    const words shift = down_no_sign(sub_words(state->field, as_words(field)), 23);
    state->least = sub_where(equal_where(out, to, from), as_words(lesser(to, least)), all_words(limits->step));
    state->m = add_words(down_words(state->m, shift), anchored_added(streams, sum, field));
    state->field = as_words(field);
}

/* The same but for `full`; LEAST instead has all bits that M + H had before a step. */
INLINE void anchored_step_not_full(int streams, const struct anchored_limits *limits, struct anchored_sum sum,
                                   words asked, struct anchored_state *state) {
    const words field = min_words(state->field, asked);
    const words shift = down_no_sign(sub_words(state->field, field), 23);
    state->least = or_words(state->least, add_words(state->m, all_words(limits->half)));
    state->m = add_words(down_words(state->m, shift), anchored_added(streams, sum, as_floats(field)));
    state->field = field;
}

INLINE of_words anchored_off(words scale) {
    return bits_of_words(scale, all_words(ANCHORED_OFF));
}

/* Of a vector none of whose lanes is off. */
INLINE void anchored_open_near(const struct anchored_limits *limits, const uint32_t *acc, size_t lanes,
                               struct anchored_state *state) {
    const words scale = load_words(acc + lanes);
    state->m = sub_words(load_words(acc), all_words(limits->half));
    state->field = and_words(scale, all_words(-ANCHORED_UNIT));
    state->least = sub_where(bits_of_words(scale, all_words(ANCHORED_FULL)), state->field, all_words(limits->step));
}

INLINE void anchored_open(const struct anchored_limits *limits, const uint32_t *acc, size_t lanes,
                          struct anchored_state *state) {
    const words scale = load_words(acc + lanes);
    const of_words off = anchored_off(scale);
    anchored_open_near(limits, acc, lanes, state);
    if (__builtin_expect(any_of(off), false)) {
        /* A step moves too low a place, `full` or not. What M then loses, it may lose beforehand. */
        const of_words low = but_not_words(off, bits_of_words(scale, all_words(ANCHORED_OFF_HIGH)));
        const words by = sub_words(and_words(scale, all_words(ANCHORED_OFF)), all_words(ANCHORED_OFF_UNIT));
        state->m = down_words(state->m, down_no_sign(keep_words(low, by), ANCHORED_OFF_LOG2));
        state->least = pick_words(low, state->field, state->least);
    }
}

/* The second word, of a state that is not off. */
INLINE words anchored_scale(const struct anchored_state *state, words before) {
    const words scale = and_or_words(before, all_words(ANCHORED_INFS), state->field);
    return sub_where(greater_words(state->field, state->least), scale, all_words(-ANCHORED_FULL));
}

/* Lanes that are too low and have not moved stay as they are. */
INLINE void anchored_close(const struct anchored_limits *limits, const struct anchored_state *state, of_words which,
                           uint32_t *acc, size_t lanes) {
    const words before = load_words(acc + lanes);
    const of_words off = anchored_off(before);
    words scale = anchored_scale(state, before);
    if (__builtin_expect(any_of(off), false)) {
        const of_words high = bits_of_words(before, all_words(ANCHORED_OFF_HIGH));
        const of_words moves = greater_words(and_words(before, all_words(-ANCHORED_UNIT)), state->field);
        which = but_not_words(which, but_not_words(but_not_words(off, high), moves));
        scale = or_words(scale, keep_words(high, and_words(before, all_words(ANCHORED_OFF | ANCHORED_OFF_HIGH))));
    }
    store_words(acc, pick_words(which, add_words(state->m, all_words(limits->half)), load_words(acc)));
    store_words(acc + lanes, pick_words(which, scale, before));
}

/* Lanes of vector V of a row, as the panels' rows are counted, whose steps have to be taken one by one. */
struct anchored_failure {
    uint32_t row, v, lanes;
};

INLINE size_t anchored_fail(size_t row, size_t v, unsigned lanes, struct anchored_failure *failures, size_t failed) {
    failures[failed] = (struct anchored_failure){(uint32_t)row, (uint32_t)v, lanes};
    return failed + (lanes != 0);
}

/* What is the same for a run; what is so for STEPS steps, of all panels. */
struct anchored_block {
    const struct anchored_limits *limits;
    struct anchored_source source; /* of the first row */
    size_t rows, row_words, a_block, ld;
    uint32_t *acc;
};

/* STEPS steps of the lanes of as many such vectors as a row has: a step's shift is what it hangs on for long, so that
 * they take hardly longer than one. */
INLINE void anchored_slowly(int streams, int groups, bool steer, const struct anchored_block *block,
                            const struct anchored_failure *failures) {
    const size_t vectors = anchored_vectors(streams), lanes = vectors * WIDTH;
    __attribute__((aligned(64))) uint32_t places[ANCHORED_VECTORS_MAX * STEPS];
    struct anchored_state state[ANCHORED_VECTORS_MAX];
    struct anchored_source s[ANCHORED_VECTORS_MAX];
    uint32_t *acc[ANCHORED_VECTORS_MAX];
#pragma GCC unroll 4
    for (size_t i = 0; i < vectors; i++) {
        const size_t row = failures[i].row;
        s[i] = block->source;
        s[i].a += row / block->rows * block->a_block + row % block->rows * block->row_words;
        s[i].places = places + i * STEPS;
        if (streams == 2)
            two_places(s[i].table, 1, s[i].a, 0, places + i * STEPS);
        acc[i] = block->acc + row * block->ld + failures[i].v * WIDTH;
        anchored_open(block->limits, acc[i], lanes, &state[i]);
    }
    for (size_t t = 0; t < STEPS; t++) {
#pragma GCC unroll 4
        for (size_t i = 0; i < vectors; i++) {
            words of_a[ANCHORED_KINDS_MAX], largest = all_words(0);
            anchored_operands(streams, steer, &s[i], t, of_a);
            const struct anchored_sum sum =
                anchored_sum_of(streams, groups, steer, &s[i], t, failures[i].v, of_a, &largest);
            const words key = anchored_key(streams, &s[i], t, failures[i].v, largest);
            anchored_step(streams, block->limits, sum, anchored_asked(streams, block->limits, key), &state[i]);
        }
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < vectors; i++)
        anchored_close(block->limits, &state[i], of_bits(failures[i].lanes), acc[i], lanes);
}

/* STEPS steps of VECTORS vectors in which no anchor moves. SEEN: all bits that M + H had before each; MOST: the key
 * that asks for most, where that is asked for. */
INLINE void anchored_fast(int streams, int groups, bool steer, bool keyed, const struct anchored_source *s,
                          size_t vectors, words *m, const floats *scale, words *seen, words *most) {
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) {
        seen[v] = m[v];
        most[v] = anchored_no_key(streams);
    }
#pragma GCC unroll 4
    for (size_t t = 0; t < STEPS; t += 2) {
        words of_a[2][ANCHORED_KINDS_MAX], keys[2];
        anchored_operands(streams, steer, s, t, of_a[0]);
        anchored_operands(streams, steer, s, t + 1, of_a[1]);
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            const struct anchored_sum sum = anchored_sum_of(streams, groups, steer, s, t, v, of_a[0], &keys[0]),
                                      next = anchored_sum_of(streams, groups, steer, s, t + 1, v, of_a[1], &keys[1]);
            const words between = add_words(m[v], anchored_added(streams, sum, scale[v]));
            seen[v] = or_three(seen[v], m[v], between);
            m[v] = add_words(between, anchored_added(streams, next, scale[v]));
            if (keyed)
                most[v] = anchored_most(streams, most[v],
                                        anchored_most(streams, anchored_key(streams, s, t, v, keys[0]),
                                                      anchored_key(streams, s, t + 1, v, keys[1])));
        }
    }
}

/* STEPS steps of a row whose anchors stay, or, KEYED, mostly. Lanes that fail stay as they are and are put on the list,
 * which has FAILED entries; how many it has then. */
INLINE size_t anchored_row(int streams, int groups, bool steer, bool keyed, const struct anchored_limits *limits,
                           const struct anchored_source *s, size_t row, uint32_t *acc,
                           struct anchored_failure *failures, size_t failed) {
    const size_t vectors = anchored_vectors(streams), lanes = vectors * WIDTH;
    words m[ANCHORED_VECTORS_MAX], seen[ANCHORED_VECTORS_MAX], most[ANCHORED_VECTORS_MAX];
    floats scale[ANCHORED_VECTORS_MAX];
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) {
        m[v] = load_words(acc + v * WIDTH);
        scale[v] = load_floats_of(acc + lanes + v * WIDTH);
    }
    anchored_fast(streams, groups, steer, keyed, s, vectors, m, scale, seen, most);
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) {
        uint32_t *to = acc + v * WIDTH;
        of_words fails = bits_of_words(seen[v], all_words(limits->beyond));
        if (keyed) {
            const words from = as_words(scale[v]), asked = anchored_asked(streams, limits, most[v]);
            const of_words active = greater_words(all_words(INT32_MAX & -ANCHORED_UNIT), asked);
            const of_words full = both_words(active, bits_of_words(from, all_words(ANCHORED_FULL)));
            fails = either_words(either_words(fails, full), greater_words(from, asked));
        }
        store_words(to, pick_words(fails, load_words(to), m[v]));
        failed = anchored_fail(row, v, bits_of(fails), failures, failed);
    }
    return failed;
}

/* ---- rows in which anchors move ---- */

/* Is it worth while that rows whose anchors move know of `full`, too? Elsewhere lanes that it takes are rare, or masks
 * are slow. */
INLINE bool anchored_exactly(int streams) {
    return streams <= 2 && WIDTH == 16;
}

/* STEPS steps of a row as the contract has them. Lanes that fail as above: those of a row of which one is off, and
 * where `full` is not known of, those in which M leaves its range. MOVED: of how many vectors an anchor has moved. */
INLINE size_t anchored_moving_row(int streams, int groups, bool steer, const struct anchored_limits *limits,
                                  const struct anchored_source *s, size_t row, uint32_t *acc,
                                  struct anchored_failure *failures, size_t failed, int *moved) {
    const size_t vectors = anchored_vectors(streams), lanes = vectors * WIDTH;
    const bool exact = anchored_exactly(streams);
    struct anchored_state state[ANCHORED_VECTORS_MAX];
    words scales = all_words(0);
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) {
        anchored_open_near(limits, acc + v * WIDTH, lanes, &state[v]);
        scales = or_words(scales, load_words(acc + lanes + v * WIDTH));
        if (!exact)
            state[v].least = all_words(0);
    }
    if (__builtin_expect(any_of(anchored_off(scales)), false)) {
        for (size_t v = 0; v < vectors; v++)
            failed = anchored_fail(row, v, (1U << WIDTH) - 1, failures, failed);
        return failed;
    }
    for (size_t t = 0; t < STEPS; t++) {
        words of_a[ANCHORED_KINDS_MAX], largest = all_words(0);
        anchored_operands(streams, steer, s, t, of_a);
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            const struct anchored_sum sum = anchored_sum_of(streams, groups, steer, s, t, v, of_a, &largest);
            const words asked = anchored_asked(streams, limits, anchored_key(streams, s, t, v, largest));
            (exact ? anchored_step : anchored_step_not_full)(streams, limits, sum, asked, &state[v]);
        }
    }
    *moved = 0;
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++, acc += WIDTH) {
        const words before = load_words(acc + lanes);
        of_words fails = no_words();
        *moved += any_of(greater_words(before, state[v].field));
        if (!exact) {
            fails = bits_of_words(before, all_words(ANCHORED_FULL));
            fails = either_words(fails, bits_of_words(state[v].least, all_words(limits->beyond)));
            state[v].least = state[v].field;
            failed = anchored_fail(row, v, bits_of(fails), failures, failed);
        }
        store_words(acc, pick_words(fails, load_words(acc), add_words(state[v].m, all_words(limits->half))));
        store_words(acc + lanes, pick_words(fails, before, anchored_scale(&state[v], before)));
    }
    return failed;
}

/* Of one stream and two: may a step of a row move an anchor? LANES and ROW: what they ask for at most, without the
 * other one. */
INLINE bool anchored_may_move(size_t vectors, const words *lanes, words row, const uint32_t *scale) {
    of_words may = no_words();
    words all = all_words(0);
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++) {
        const words from = load_words(scale + v * WIDTH);
        may = either_words(may, greater_words(from, saturated_halves(lanes[v], row)));
        all = or_words(all, from);
    }
    return any_of(either_words(may, bits_of_words(all, all_words(ANCHORED_FULL))));
}

/* ---- results ---- */

/* A float of M is rounded once, to nearest even; what is left is its exponent. */
static void anchored_round(const struct daa_config *config, const uint32_t *acc, size_t lanes, size_t count,
                           uint32_t *to) {
    const uint32_t half = UINT32_C(1) << (config->acc_bits - 3);
    for (size_t i = 0; i < count; i++) {
        const float m = (float)(int32_t)(acc[i] - half);
        const uint32_t word = acc[lanes + i];
        const int32_t off = (int32_t)(word & ANCHORED_OFF) / ANCHORED_OFF_UNIT, from = 127 - (int32_t)(word >> 23);
        const int32_t place = from + (word & ANCHORED_OFF_HIGH ? off : off > 0 ? 1 - off : 0);
        uint32_t bits;
        memcpy(&bits, &m, sizeof bits);
        const int32_t field = (int32_t)(bits >> 23 & 255) + place;
        const uint32_t sign = bits & 0x80000000, inf = word & ANCHORED_INFS;
        uint32_t result = sign | (uint32_t)field << 23 | (bits & 0x7fffff);
        result = field >= 255 ? sign | 0x7f800000 : result;
        result = field <= 0 || bits == 0 ? 0 : result;
        result = inf == 0 ? result : inf == 3 ? 0x7fc00000 : inf == 1 ? 0x7f800000 : 0xff800000;
        to[i] = result;
    }
}

/* Of any format: as they are. */
static void anchored_results(const float *acc, size_t count, uint32_t *to) {
    memcpy(to, acc, count * sizeof *to);
}

static void anchored_turn(const float *acc, size_t ld, uint32_t square[SQUARE][SQUARE]) {
    turn_square(true, acc, ld, square);
}

/* ---- runs ---- */

/* A panel's STEPS steps. FIRST: its first row. ROWS: of those in which anchors may move, and of the others. FAILURES:
 * of these steps, of earlier panels too, fewer than vectors of a row. */
struct anchored_panel {
    struct anchored_block block;
    struct anchored_source source; /* of the first row */
    uint32_t *acc;
    size_t first;
    uint32_t rows[2][ROWS_MAX];
    size_t counts[2], failed;
    int moved;
    struct anchored_failure failures[(ROWS_MAX + 1) * ANCHORED_VECTORS_MAX];
};

INLINE struct anchored_source anchored_row_of(const struct anchored_panel *p, size_t row) {
    struct anchored_source s = p->source;
    s.a += row * p->block.row_words;
    s.places += row * STEPS;
    return s;
}

INLINE void anchored_rows_that_stay(int streams, int groups, bool steer, struct anchored_panel *p) {
    for (size_t i = 0; i < p->counts[false]; i++) {
        const size_t row = p->rows[false][i];
        const struct anchored_source s = anchored_row_of(p, row);
        p->failed = anchored_row(streams, groups, steer, false, p->block.limits, &s, p->first + row,
                                 p->acc + row * p->block.ld, p->failures, p->failed);
    }
}

/* Of how many vectors of a row anchors move is mostly as it was in the row before: from some number on it takes less
 * time to be ready for it in every step than to take these vectors' steps once more. */
INLINE void anchored_rows_that_may(int streams, int groups, bool steer, struct anchored_panel *p) {
    for (size_t i = 0; i < p->counts[true]; i++) {
        const size_t row = p->rows[true][i], before = p->failed;
        const struct anchored_source s = anchored_row_of(p, row);
        uint32_t *acc = p->acc + row * p->block.ld;
        if (p->moved >= (streams > 2 ? 1 : 2)) {
            p->failed = anchored_moving_row(streams, groups, steer, p->block.limits, &s, p->first + row, acc,
                                            p->failures, p->failed, &p->moved);
            continue;
        }
        p->failed = anchored_row(streams, groups, steer, true, p->block.limits, &s, p->first + row, acc, p->failures,
                                 p->failed);
        p->moved = (int)(p->failed - before);
    }
}

/* Those that fill up a row. */
INLINE void anchored_once_more(int streams, int groups, bool steer, struct anchored_panel *p) {
    const size_t vectors = anchored_vectors(streams);
    size_t done = 0;
    for (; done + vectors <= p->failed; done += vectors)
        anchored_slowly(streams, groups, steer, &p->block, p->failures + done);
    p->failed -= done;
    memmove(p->failures, p->failures + done, p->failed * sizeof *p->failures);
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
    const size_t kinds = streams & OF_FLOATS ? many_kinds((size_t)(streams % OF_FLOATS), steer)
                         : streams == 1      ? ANCHORED_ONE_KINDS
                         : streams == 2      ? (size_t)two_kinds(plan)
                                             : four_words((size_t)streams / 2, steer);
    const size_t b_words = streams == 2 ? TWO_PACKED : kinds, row_words = kinds * STEPS;
    __attribute__((aligned(64))) uint32_t places[TWO_ROWS * STEPS];
    struct two_table table;
    struct anchored_panel p = {.block = {.limits = &limits,
                                         .source = {.table = &table,
                                                    .mask = all_words(two_in_order(plan) ? -2 : -1),
                                                    .reach = four_reach(plan->window),
                                                    .window = f_all((float)plan->window + (float)MANY_REACH)},
                                         .rows = rows,
                                         .row_words = row_words,
                                         .a_block = a_block,
                                         .ld = ld,
                                         .acc = acc},
                               .moved = ANCHORED_VECTORS_MAX};
    for (size_t t = 0; t < steps; t += STEPS, a += rows * row_words, b += STEPS * b_words * lanes) {
        const size_t count = least_of(STEPS, steps - t);
        words lanes_ask[ANCHORED_VECTORS_MAX];
        if (streams == 2)
            table = two_make_table(plan, count, panels, a, a_block, b, space);
        for (size_t v = 0; streams <= 2 && v < vectors; v++)
            lanes_ask[v] = anchored_lanes_ask(streams, limits.last, count, b, v);
        p.block.source.a = a;
        p.block.source.b = b;
        p.source = p.block.source;
        p.source.places = places;
        for (size_t i = 0; i < panels; i++) {
            p.source.a = a + i * a_block;
            p.acc = acc + i * rows * ld;
            p.first = i * rows;
            p.counts[false] = p.counts[true] = 0;
            if (streams == 2)
                two_places(&table, rows, p.source.a, row_words, places);
            for (uint32_t row = 0; row < rows; row++) {
                const uint32_t *of_row = p.source.a + row * row_words;
                const bool may =
                    streams > 2 ||
                    anchored_may_move(vectors, lanes_ask, anchored_row_asks(streams, of_row), p.acc + row * ld + lanes);
                p.rows[false][p.counts[false]] = p.rows[true][p.counts[true]] = row;
                p.counts[false] += !may;
                p.counts[true] += may;
            }
            if (streams <= 2)
                parts.stay(&p);
            parts.may(&p);
            for (; i + 1 == panels && p.failed % vectors; p.failed++) /* the last one again */
                p.failures[p.failed] = p.failures[p.failed - 1];
            if (p.failed >= vectors)
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
ANCHORED_RUN(anchored_two_doubles, 2 | OF_FLOATS | IN_DOUBLES, 1, false)
ANCHORED_RUN(anchored_two_doubles_steered, 2 | OF_FLOATS | IN_DOUBLES, 1, true)
ANCHORED_RUN(anchored_four_doubles, 4 | OF_FLOATS | IN_DOUBLES, 1, false)
ANCHORED_RUN(anchored_four_doubles_steered, 4 | OF_FLOATS | IN_DOUBLES, 1, true)
ANCHORED_RUN(anchored_four_doubles_in_pairs, 4 | OF_FLOATS | IN_DOUBLES, 2, true)
ANCHORED_RUN(anchored_eight_doubles, 8 | OF_FLOATS | IN_DOUBLES, 1, false)
ANCHORED_RUN(anchored_eight_doubles_steered, 8 | OF_FLOATS | IN_DOUBLES, 1, true)
ANCHORED_RUN(anchored_eight_doubles_in_two, 8 | OF_FLOATS | IN_DOUBLES, 2, true)
ANCHORED_RUN(anchored_eight_doubles_in_four, 8 | OF_FLOATS | IN_DOUBLES, 4, true)

/* By the logarithm of half the streams; with steering, by that of the groups. */
typedef void anchored_runner(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a,
                             size_t a_block, const uint32_t *b, float *acc, size_t ld, uint32_t *space);
struct anchored_runs {
    anchored_runner *fixed, *steered[3];
};

INLINE void anchored_run_of(const struct anchored_runs *runs, const struct engine_plan *plan, size_t steps,
                            size_t panels, const uint32_t *a, size_t a_block, const uint32_t *b, float *acc, size_t ld,
                            uint32_t *space) {
    const struct anchored_runs *of = &runs[__builtin_ctz((unsigned)plan->streams) - 1];
    anchored_runner *const steered = of->steered[__builtin_ctz((unsigned)plan->groups)];
    (plan->winner == DAA_WINS_LARGEST ? steered : of->fixed)(plan, steps, panels, a, a_block, b, acc, ld, space);
}

static void anchored_floats_run(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a,
                                size_t a_block, const uint32_t *b, float *acc, size_t ld, uint32_t *space) {
    static const struct anchored_runs runs[] = {
        {anchored_two_floats, {anchored_two_floats_steered}},
        {anchored_four_floats, {anchored_four_floats_steered, anchored_four_floats_in_pairs}}};
    anchored_run_of(runs, plan, steps, panels, a, a_block, b, acc, ld, space);
}

static void anchored_doubles_run(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a,
                                 size_t a_block, const uint32_t *b, float *acc, size_t ld, uint32_t *space) {
    static const struct anchored_runs runs[] = {
        {anchored_two_doubles, {anchored_two_doubles_steered}},
        {anchored_four_doubles, {anchored_four_doubles_steered, anchored_four_doubles_in_pairs}},
        {anchored_eight_doubles,
         {anchored_eight_doubles_steered, anchored_eight_doubles_in_two, anchored_eight_doubles_in_four}}};
    anchored_run_of(runs, plan, steps, panels, a, a_block, b, acc, ld, space);
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

/* ---- kernels; anchored_exact() is engine_far.h's ---- */

#define KERNEL_ANCHORED_ONE(which, pack, rounding, range)                                                              \
    {                                                                                                                  \
        .engine = which, .rows = ANCHORED_ONE_ROWS, .lanes = ANCHORED_ONE_LANES, .acc_words = ANCHORED_WORDS,          \
        .a_group = anchored_one_a_group, .b_words = anchored_one_b_words, .steps_a_word = anchored_steps_a_word,       \
        .pack_a = pack##_pack_a, .pack_b = pack##_pack_b, .run = anchored_one_run, .round_floats = rounding,           \
        .scan = range, .round = anchored_round, .results = anchored_results, .turn = anchored_turn,                    \
        .wide = anchored_exact,                                                                                        \
    }
#define KERNEL_ANCHORED_TWO(which)                                                                                     \
    {                                                                                                                  \
        .engine = which, .rows = TWO_ROWS, .lanes = TWO_LANES, .acc_words = ANCHORED_WORDS, .a_group = two_a_group,    \
        .b_words = two_b_words, .steps_a_word = two_steps_a_word, .pack_a = two_pack_a, .pack_b = two_pack_b,          \
        .run = anchored_two_run, .table_words = two_table_words, .round_floats = pack_round_floats, .scan = pack_scan, \
        .round = anchored_round, .results = anchored_results, .turn = anchored_turn, .wide = anchored_exact,           \
    }
#define KERNEL_ANCHORED_FOUR(which)                                                                                    \
    {                                                                                                                  \
        .engine = which, .rows = FOUR_ROWS, .lanes = FOUR_LANES, .acc_words = ANCHORED_WORDS, .a_group = four_a_group, \
        .b_words = four_kinds, .steps_a_word = four_steps_a_word, .pack_a = four_pack_a, .pack_b = four_pack_b,        \
        .run = anchored_four_run, .round_floats = pack_round_floats, .scan = pack_scan, .round = anchored_round,       \
        .results = anchored_results, .turn = anchored_turn, .wide = anchored_exact,                                    \
    }

/* VECTORS: of lanes, as many_f_vectors() has them. */
#define KERNEL_ANCHORED_FLOATS(which, vectors, runner)                                                                 \
    {                                                                                                                  \
        .engine = which, .rows = MANY_ROWS, .lanes = (vectors)*WIDTH, .acc_words = ANCHORED_WORDS,                     \
        .a_group = many_f_a_group, .b_words = many_f_b_words, .steps_a_word = many_steps_a_word,                       \
        .pack_a = many_f_pack_a, .pack_b = many_f_pack_b, .run = runner, .round_floats = many_round_floats,            \
        .scan = many_scan, .round = anchored_round, .results = anchored_results, .turn = anchored_turn,                \
        .wide = anchored_exact,                                                                                        \
    }

/* By accumulator, and by the logarithm of the streams. */
#define KERNELS(which)                                                                                                 \
    {                                                                                                                  \
        {KERNEL_ONE(which), KERNEL_TWO(which), KERNEL_FOUR(which)}, {                                                  \
            KERNEL_ANCHORED_ONE(which, anchored_one, pack_round_floats, pack_scan), KERNEL_ANCHORED_TWO(which),        \
                KERNEL_ANCHORED_FOUR(which), KERNEL_ANCHORED_FOUR(which)                                               \
        }                                                                                                              \
    }

/* Of operands as floats: rounded, on floats and on doubles, and anchored, likewise. */
#define KERNELS_MANY(which)                                                                                            \
    {                                                                                                                  \
        KERNELS_MANY_OF(which, f, false), KERNELS_MANY_OF(which, d, true),                                             \
            {KERNEL_ANCHORED_ONE(which, anchored_one_float, many_round_floats, many_scan),                             \
             KERNEL_ANCHORED_FLOATS(which, 4, anchored_floats_run),                                                    \
             KERNEL_ANCHORED_FLOATS(which, 4, anchored_floats_run)},                                                   \
        {                                                                                                              \
            {0}, KERNEL_ANCHORED_FLOATS(which, 4, anchored_doubles_run),                                               \
                KERNEL_ANCHORED_FLOATS(which, 4, anchored_doubles_run),                                                \
                KERNEL_ANCHORED_FLOATS(which, WIDTH == 16 ? 2 : 4, anchored_doubles_run)                               \
        }                                                                                                              \
    }

#endif
