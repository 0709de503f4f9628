/* The exact path of the anchored accumulator, for operands whose products, sums or places are beyond a float's
 * exponents: factors and keys are floats, as engine_many.h packs them, the rest is doubles, and a place any integer.
 * With Inf, NaN or a number so large that its low value may be no float, the golden model takes over. */
#ifndef DAA_ENGINE_FAR_H
#define DAA_ENGINE_FAR_H

enum {
    ANCHORED_FIELDS_MOST = 639, /* of a lane as it was started without C0: beyond all that a key asks for */
    DOUBLE_BIAS = 1023,
};

/* As struct anchored_state, but that a field is any number. */
struct anchored_far {
    words m, field;
    of_words full;
};

INLINE struct anchored_far anchored_open_far(const struct anchored_limits *limits, const uint32_t *acc, size_t lanes) {
    const words scale = load_words(acc + lanes), near = down_no_sign(scale, 23);
    const words off = down_no_sign(and_words(scale, all_words(ANCHORED_OFF)), ANCHORED_OFF_LOG2);
    const of_words is_off = anchored_off(scale), high = bits_of_words(scale, all_words(ANCHORED_OFF_HIGH));
    const words low = add_words(near, sub_words(off, all_words(1)));
    const words far = pick_words(high, sub_words(near, off), pick_words(is_off, low, near));
    const of_words started = but_not_words(greater_words(near, all_words(ANCHORED_LOW - 1)), is_off);
    return (struct anchored_far){sub_words(load_words(acc), all_words(limits->half)),
                                 pick_words(started, all_words(ANCHORED_FIELDS_MOST), far),
                                 bits_of_words(scale, all_words(ANCHORED_FULL))};
}

INLINE void anchored_close_far(const struct anchored_limits *limits, const struct anchored_far *state, uint32_t *acc,
                               size_t lanes) {
    const words least = all_words(ANCHORED_HIGH), most = all_words(ANCHORED_LOW - 1), field = state->field;
    const of_words started = greater_words(field, all_words(ANCHORED_FIELDS_MOST - 1));
    const of_words low = greater_words(field, most), high = greater_words(least, field);
    const words near = pick_words(low, all_words(ANCHORED_LOW), max_words(least, field));
    const words by = add_words(keep_words(but_not_words(low, started), sub_words(field, most)),
                               keep_words(high, sub_words(least, field)));
    words scale = or_words(up_words(near, 23), up_words(by, ANCHORED_OFF_LOG2));
    scale = or_words(scale, keep_words(high, all_words(ANCHORED_OFF_HIGH)));
    scale = or_words(scale, keep_words(state->full, all_words(ANCHORED_FULL)));
    store_words(acc, add_words(state->m, all_words(limits->half)));
    store_words(acc + lanes, and_or_words(load_words(acc + lanes), all_words(ANCHORED_INFS), scale));
}

/* The contract's four points. KEY: a sum of exponent fields, not above 0 where no product takes part. */
INLINE void anchored_step_far(const struct anchored_limits *limits, const doubles sum[2], words key,
                              struct anchored_far *state) {
    const words last = all_words(limits->last / ANCHORED_UNIT), step = all_words(limits->step / ANCHORED_UNIT);
    const of_words active = greater_words(key, all_words(0));
    const of_words out = bits_of_words(add_words(state->m, all_words(limits->half)), all_words(limits->beyond));
    const words asked = or_words(sub_words(all_words(limits->key), key), last), from = state->field;
    const words least = min_words(asked, sub_words(from, keep_words(state->full, step)));
    const words field = pick_words(active, min_words(least, from), from);
    const of_words stays = but_not_words(active, greater_words(from, field));
    uint32_t fields[WIDTH];
    double scale[WIDTH];
    store_words(fields, field);
    for (size_t i = 0; i < WIDTH; i++)
        scale[i] = double_of_bits((uint64_t)(fields[i] + DOUBLE_BIAS - 127) << 52);
    const words added = nearest_words_of(d_mul(sum[0], d_load(scale)), d_mul(sum[1], d_load(scale + WIDTH / 2)));
    state->m = add_words(down_words(state->m, sub_words(from, field)), added);
    state->full = either_words(both_words(stays, out), but_not_words(state->full, active));
    state->field = field;
}

/* COUNT steps of MANY_ROWS rows and of VECTORS vectors, packed as engine_many.h does it. */
INLINE void anchored_far_rows(int streams, int groups, bool steer, const struct engine_plan *plan, size_t count,
                              const float *a, const float *b, size_t vectors, uint32_t *acc, size_t ld, size_t lanes) {
    const struct anchored_limits limits = anchored_make_limits(plan->anchored);
    const size_t kinds = many_kinds((size_t)streams, steer);
    const floats reach = f_all((float)plan->window + (float)MANY_REACH);
    for (size_t row = 0; row < MANY_ROWS; row++) {
        for (size_t v = 0; v < vectors; v++) {
            struct anchored_far state = anchored_open_far(&limits, acc + row * ld + v * WIDTH, lanes);
            for (size_t t = 0; t < count; t++) {
                const float *of_a = a + ((t / STEPS * MANY_ROWS + row) * kinds * STEPS + t % STEPS);
                const float *of_b = b + t * kinds * many_f_lanes(streams) + v * WIDTH;
                floats numbers[ANCHORED_KINDS_MAX], top;
                doubles sum[2];
                words key;
                for (size_t kind = 0; kind < kinds; kind++)
                    numbers[kind] = f_all(of_a[kind * STEPS]);
                if (streams == 1) {
                    const floats other = f_load(of_b);
                    const words fields = all_words(255),
                                first = and_words(down_no_sign(as_words(numbers[0]), 23), fields),
                                second = and_words(down_no_sign(as_words(other), 23), fields), zero = all_words(0);
                    key = add_words(first, second);
                    key = keep_words(both_words(greater_words(first, zero), greater_words(second, zero)), key);
                    sum[0] = d_mul(first_doubles(numbers[0]), first_doubles(other));
                    sum[1] = d_mul(second_doubles(numbers[0]), second_doubles(other));
                } else {
                    anchored_doubles(streams, groups, steer, reach, numbers, of_b, sum, &top);
                    key = whole_words(top);
                }
                anchored_step_far(&limits, sum, key, &state);
            }
            anchored_close_far(&limits, &state, acc + row * ld + v * WIDTH, lanes);
        }
    }
}

#define ANCHORED_FAR(name, streams, groups, steer)                                                                     \
    static __attribute__((noinline)) void name(const struct engine_plan *plan, size_t count, const float *a,           \
                                               const float *b, size_t vectors, uint32_t *acc, size_t ld,               \
                                               size_t lanes) {                                                         \
        anchored_far_rows(streams, groups, steer, plan, count, a, b, vectors, acc, ld, lanes);                         \
    }
ANCHORED_FAR(anchored_far_one, 1, 1, false)
ANCHORED_FAR(anchored_far_two, 2, 1, false)
ANCHORED_FAR(anchored_far_two_steered, 2, 1, true)
ANCHORED_FAR(anchored_far_four, 4, 1, false)
ANCHORED_FAR(anchored_far_four_steered, 4, 1, true)
ANCHORED_FAR(anchored_far_four_in_two, 4, 2, true)
ANCHORED_FAR(anchored_far_eight, 8, 1, false)
ANCHORED_FAR(anchored_far_eight_steered, 8, 1, true)
ANCHORED_FAR(anchored_far_eight_in_two, 8, 2, true)
ANCHORED_FAR(anchored_far_eight_in_four, 8, 4, true)

INLINE uint32_t anchored_word(const struct engine_plan *plan, const void *raw, size_t i) {
    return plan->floats ? ((const uint32_t *)raw)[i] : (uint32_t)((const uint16_t *)raw)[i] << 16;
}

/* Is one of COUNT operands an Inf or a NaN, or so large that its low value may be 2^128, which no float is? */
static bool anchored_any_beyond(const struct engine_plan *plan, const void *raw, size_t first, size_t count) {
    uint32_t most = 0;
    for (size_t i = first; i < first + count; i++) {
        const uint32_t size = anchored_word(plan, raw, i) & INT32_MAX;
        most = size > most ? size : most;
    }
    return most >= 0x7f000000;
}

static void anchored_exact(const struct engine_plan *plan, size_t steps, int rows, int lanes, const void *a,
                           size_t a_stride, const void *b, float *acc, size_t ld) {
    typedef void function(const struct engine_plan *, size_t, const float *, const float *, size_t, uint32_t *, size_t,
                          size_t);
    static function *const fixed[] = {anchored_far_one, anchored_far_two, anchored_far_four, anchored_far_eight};
    static function *const steered[][3] = {
        {anchored_far_one},
        {anchored_far_two_steered},
        {anchored_far_four_steered, anchored_far_four_in_two},
        {anchored_far_eight_steered, anchored_far_eight_in_two, anchored_far_eight_in_four}};
    const size_t streams = (size_t)plan->streams, all = (size_t)lanes, some = many_f_lanes(plan->streams);
    const int log2_streams = __builtin_ctz((unsigned)plan->streams);
    function *const run =
        many_steers(plan) ? steered[log2_streams][__builtin_ctz((unsigned)plan->groups)] : fixed[log2_streams];
    uint32_t of_a[MANY_ROWS * GROUP * DAA_STREAMS_MAX], of_b[GROUP * DAA_STREAMS_MAX * LANES_MAX];
    float packed_a[MANY_ROWS * ANCHORED_KINDS_MAX * GROUP], packed_b[GROUP * ANCHORED_KINDS_MAX * LANES_MAX];
    bool beyond = anchored_any_beyond(plan, b, 0, steps * streams * all);
    for (size_t row = 0; row < MANY_ROWS; row++)
        beyond |= anchored_any_beyond(plan, a, row * a_stride, steps * streams);
    if (beyond) {
        daa_anchored_tile(plan, steps, rows, lanes, a, a_stride, b, acc, ld);
        return;
    }
    for (size_t t = 0; t < steps; t += GROUP) {
        const size_t count = least_of(steps - t, GROUP), depth = count * streams;
        for (size_t row = 0; row < MANY_ROWS; row++)
            for (size_t k = 0; k < depth; k++)
                of_a[row * depth + k] = anchored_word(plan, a, row * a_stride + t * streams + k);
        many_f_pack_rows(plan, count, of_a, depth, packed_a);
        for (size_t lane = 0; lane < all; lane += some) {
            const size_t width = least_of(all - lane, some);
            for (size_t k = 0; k < depth; k++)
                for (size_t i = 0; i < some; i++)
                    of_b[k * some + i] = i < width ? anchored_word(plan, b, (t * streams + k) * all + lane + i) : 0;
            many_f_pack_lanes(plan, count, of_b, some, some, packed_b);
            run(plan, count, packed_a, packed_b, width / WIDTH, (uint32_t *)(void *)acc + lane, ld, all);
        }
    }
}

#endif
