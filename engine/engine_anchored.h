/* The anchored accumulator (docs/contract.md, section 5.2) with at most 32 bits, any number of streams. A step's sum is
 * exact in a float, so that M += the sum / 2^place rounded to nearest even is a product with a power of two and a
 * conversion. An anchor moves seldom: where none of two vectors of lanes does, nothing else is done.
 *
 * The place of M's last bit stands for the anchor: G E. A lane's state is three words, those of LANES lanes after one
 * another: M, the place, and the flags (engine_kernel.h). Packed operands are three words too: high value, low value,
 * key; where the winner is fixed the low one is whichever its stream takes. Keys are so biased that the place at which
 * a sum may stand is the largest key without its last log2 G bits. */
#ifndef DAA_ENGINE_ANCHORED_H
#define DAA_ENGINE_ANCHORED_H

#include "engine_pack.h"

enum {
    ANCHORED_ROWS = 8,
    ANCHORED_VECTORS = 2,
    ANCHORED_LANES = ANCHORED_VECTORS * WIDTH,
    ANCHORED_PARTS = 3,
    ANCHORED_RUN = 4,           /* steps that are done together as if no anchor moved; fewer where a step is longer */
    ANCHORED_CHUNK = 6144,      /* words of packed B that stay in a first-level cache while all rows use them */
    ANCHORED_ZERO = -(1 << 14), /* key of a zero operand: no sum of it with another is above ANCHORED_NONE */
    ANCHORED_NONE = -(1 << 13),
};

static int anchored_a_group(const struct engine_plan *plan) {
    return GROUP * ANCHORED_PARTS * plan->streams;
}

static int anchored_b_words(const struct engine_plan *plan) {
    return ANCHORED_PARTS * plan->streams;
}

static int anchored_steps_a_word(const struct engine_plan *plan) {
    (void)plan;
    return 1;
}

/* ---- packing ---- */

struct anchored_form {
    uint32_t drop, add, kept, odd; /* low rounding: + add + (magnitude >> drop & kept | odd), >> drop << drop */
    uint32_t exact;                /* all ones: the low value is the high one */
    int32_t bias;                  /* of a key */
};

static struct anchored_form anchored_make_form(const struct engine_plan *plan, bool exact, int bias) {
    const uint32_t drop = (uint32_t)(8 - plan->lo_bits);
    const bool nearest = drop && plan->lo_round == DAA_NEAREST;
    return (struct anchored_form){
        .drop = drop,
        .add = nearest ? (UINT32_C(1) << drop >> 1) - 1 : 0,
        .kept = nearest && plan->lo_bits > 1, /* at T = 1 the kept bit is the implicit one */
        .odd = nearest && plan->lo_bits == 1,
        .exact = exact ? UINT32_MAX : 0,
        .bias = bias,
    };
}

INLINE void anchored_take(const struct anchored_form *f, uint16_t raw, uint32_t *high, uint32_t *low, uint32_t *key) {
    const uint32_t magnitude = raw & 32767u, sign = (uint32_t)(raw & 32768u) << 16, field = magnitude >> 7;
    const uint32_t some = field ? UINT32_MAX : 0;
    const uint32_t rounded = (magnitude + f->add + ((magnitude >> f->drop & f->kept) | f->odd)) >> f->drop << f->drop;
    const uint32_t value = (f->exact & magnitude) | (~f->exact & rounded);
    *high = (sign | magnitude << 16) & some;
    *low = (sign | value << 16) & some;
    *key = (uint32_t)(field ? (int32_t)field + f->bias : ANCHORED_ZERO);
}

/* K* + c of the contract, less the biases of two bf16: a sum of keys without its last log2 G bits is G A(...). */
static int anchored_bias(const struct engine_plan *plan) {
    return daa_sum_growth(plan->anchored) - (plan->anchored->acc_bits - 3) + plan->anchored->acc_step - 1 - 254;
}

static size_t anchored_row_words(const struct engine_plan *plan, size_t steps) {
    return (steps + GROUP - 1) / GROUP * (size_t)anchored_a_group(plan);
}

static void anchored_pack_a(const struct engine_plan *plan, size_t steps, const uint16_t *raw, size_t stride,
                            uint32_t *packed) {
    const struct anchored_form forms[2] = {anchored_make_form(plan, false, anchored_bias(plan)),
                                           anchored_make_form(plan, true, anchored_bias(plan))};
    const size_t streams = (size_t)plan->streams, words_a_row = anchored_row_words(plan, steps);
    for (size_t s = 0; s < streams; s++) {
        const bool turns = plan->winner == DAA_WINS_TURN, high = form_is_high(plan, 0, s);
        for (size_t row = 0; row < ANCHORED_ROWS; row++) {
            uint32_t *to = packed + row * words_a_row + s * ANCHORED_PARTS;
            const uint16_t *from = raw + row * stride + s;
            for (size_t t = 0; t < steps; t++, to += streams * ANCHORED_PARTS, from += streams)
                anchored_take(&forms[turns ? form_is_high(plan, t, s) : high], *from, to, to + 1, to + 2);
        }
    }
}

static void anchored_pack_b(const struct engine_plan *plan, size_t steps, const uint16_t *raw, uint32_t *packed) {
    const size_t streams = (size_t)plan->streams;
    for (size_t k = 0; k < steps * streams; k++, raw += ANCHORED_LANES, packed += ANCHORED_PARTS * ANCHORED_LANES) {
        const struct anchored_form form = anchored_make_form(plan, form_is_high(plan, k / streams, k % streams), 0);
        for (size_t lane = 0; lane < ANCHORED_LANES; lane++)
            anchored_take(&form, raw[lane], packed + lane, packed + ANCHORED_LANES + lane,
                          packed + 2 * ANCHORED_LANES + lane);
    }
}

/* ---- a row's steps ---- */

/* M as M + H, H = 2^(W-3): where that has a bit of BEYOND, M is not in -H .. H-1. */
struct anchored_limits {
    int half, beyond, step;
};

struct anchored_state {
    words m[ANCHORED_VECTORS], place[ANCHORED_VECTORS], full[ANCHORED_VECTORS];
    floats scale[ANCHORED_VECTORS]; /* 2^-place */
    bool any_full;
};

/* A lane whose place is beyond a float's exponents has nothing to add (below), or only what rounds to zero (above). */
INLINE floats anchored_scale(words place) {
    const words field = min_words(max_words(sub_words(all_words(127), place), all_words(1)), all_words(254));
    return as_floats(up_words(field, 23));
}

INLINE void anchored_load(const struct anchored_limits *limits, struct anchored_state *state, const uint32_t *acc) {
    of_words any = no_words();
    for (size_t v = 0; v < ANCHORED_VECTORS; v++, acc += WIDTH) {
        state->m[v] = add_words(load_words(acc), all_words(limits->half));
        state->place[v] = load_words(acc + ANCHORED_LANES);
        state->full[v] = and_words(load_words(acc + 2 * ANCHORED_LANES), all_words(ANCHORED_FULL));
        state->scale[v] = anchored_scale(state->place[v]);
        any = either_words(any, greater_words(state->full[v], all_words(0)));
    }
    state->any_full = any_of(any);
}

INLINE void anchored_store(const struct anchored_limits *limits, const struct anchored_state *state, uint32_t *acc) {
    for (size_t v = 0; v < ANCHORED_VECTORS; v++, acc += WIDTH) {
        const words others = and_words(load_words(acc + 2 * ANCHORED_LANES), all_words(~ANCHORED_FULL));
        store_words(acc, sub_words(state->m[v], all_words(limits->half)));
        store_words(acc + ANCHORED_LANES, state->place[v]);
        store_words(acc + 2 * ANCHORED_LANES, or_words(others, state->full[v]));
    }
}

/* A step of a vector in which an anchor may move; the contract's four points. */
INLINE of_words anchored_move(const struct anchored_limits *limits, struct anchored_state *state, size_t v, words top,
                              floats sum) {
    const words zero = all_words(0), step = all_words(limits->step);
    const of_words active = greater_words(top, all_words(ANCHORED_NONE));
    const words rise = sub_words(and_words(top, all_words(-limits->step)), state->place[v]);
    words shift = pick_words(greater_words(rise, zero), rise, state->full[v]);
    shift = pick_words(active, shift, zero);
    const of_words out = bits_of_words(state->m[v], all_words(limits->beyond));
    const words full = pick_words(greater_words(shift, zero), zero, pick_words(out, step, zero));
    state->full[v] = pick_words(active, full, state->full[v]);
    const words m = down_words(sub_words(state->m[v], all_words(limits->half)), shift);
    state->place[v] = add_words(state->place[v], shift);
    state->scale[v] = anchored_scale(state->place[v]);
    state->m[v] = add_words(add_words(m, all_words(limits->half)), nearest_words(mul(sum, state->scale[v])));
    return greater_words(state->full[v], zero);
}

/* The sum of a vector's step and its largest key. */
INLINE floats anchored_sum(int streams, bool steered, int window, const uint32_t *a, const uint32_t *b,
                           words *largest) {
    words key[DAA_STREAMS_MAX], top = all_words(0);
    for (int s = 0; s < streams; s++) {
        key[s] = add_words(all_words((int)a[s * ANCHORED_PARTS + 2]),
                           load_words(b + (s * ANCHORED_PARTS + 2) * ANCHORED_LANES));
        top = s ? max_words(top, key[s]) : key[s];
    }
    *largest = top;
    const words under = add_words(top, all_words(-window - 1));
    floats sum = as_floats(all_words(0));
    of_words free = no_words(); /* the winner is this stream or a later one */
    for (int s = 0; s < streams; s++, a += ANCHORED_PARTS, b += ANCHORED_PARTS * ANCHORED_LANES) {
        floats term = mul(as_floats(all_words((int)a[1])), as_floats(load_words(b + ANCHORED_LANES)));
        if (streams > 1)
            term = keep_floats(greater_words(key[s], under), term);
        if (steered) {
            const floats high = mul(as_floats(all_words((int)a[0])), as_floats(load_words(b)));
            const of_words less = greater_words(top, key[s]);
            if (s == 0)
                term = pick_floats(less, term, high);
            else
                term = pick_floats(s == streams - 1 ? free : but_not_words(free, less), high, term);
            free = s ? both_words(free, less) : less;
        }
        sum = s ? add(sum, term) : term;
    }
    return sum;
}

/* COUNT steps, whatever anchors do. */
INLINE void anchored_slowly(const struct engine_plan *plan, const struct anchored_limits *limits, int streams,
                            bool steered, size_t count, const uint32_t *a, const uint32_t *b,
                            struct anchored_state *state) {
    of_words full = no_words();
    for (size_t t = 0; t < count; t++) {
        full = no_words();
        for (size_t v = 0; v < ANCHORED_VECTORS; v++) {
            words top;
            const floats sum = anchored_sum(streams, steered, plan->window, a, b + v * WIDTH, &top);
            full = either_words(full, anchored_move(limits, state, v, top, sum));
        }
        a += streams * ANCHORED_PARTS;
        b += streams * ANCHORED_PARTS * ANCHORED_LANES;
    }
    state->any_full = any_of(full);
}

/* COUNT steps as if no anchor moved. False: one does, and the state is as it was. */
INLINE bool anchored_fast(const struct engine_plan *plan, const struct anchored_limits *limits, int streams,
                          bool steered, size_t count, const uint32_t *a, const uint32_t *b,
                          struct anchored_state *state) {
    words m[ANCHORED_VECTORS], seen[ANCHORED_VECTORS], largest[ANCHORED_VECTORS];
    of_words moves = no_words();
#pragma GCC unroll 2
    for (size_t v = 0; v < ANCHORED_VECTORS; v++)
        m[v] = seen[v] = state->m[v];
#pragma GCC unroll 4
    for (size_t t = 0; t < count; t++, a += streams * ANCHORED_PARTS, b += streams * ANCHORED_PARTS * ANCHORED_LANES) {
#pragma GCC unroll 2
        for (size_t v = 0; v < ANCHORED_VECTORS; v++) {
            words top;
            const floats sum = anchored_sum(streams, steered, plan->window, a, b + v * WIDTH, &top);
            largest[v] = t ? max_words(largest[v], top) : top;
            seen[v] = or_words(seen[v], m[v]);
            m[v] = add_words(m[v], nearest_words(mul(sum, state->scale[v])));
        }
    }
#pragma GCC unroll 2
    for (size_t v = 0; v < ANCHORED_VECTORS; v++) {
        const words place = and_words(largest[v], all_words(-limits->step));
        moves = either_words(moves, greater_words(place, state->place[v]));
        moves = either_words(moves, bits_of_words(seen[v], all_words(limits->beyond)));
    }
    if (__builtin_expect(any_of(moves), false))
        return false;
#pragma GCC unroll 2
    for (size_t v = 0; v < ANCHORED_VECTORS; v++)
        state->m[v] = m[v];
    return true;
}

INLINE void anchored_row(const struct engine_plan *plan, int streams, bool steered, size_t steps, const uint32_t *a,
                         const uint32_t *b, uint32_t *acc) {
    const int half = 1 << (plan->anchored->acc_bits - 3);
    const struct anchored_limits limits = {half, (int)~(2 * (unsigned)half - 1), plan->anchored->acc_step};
    const size_t run = streams > 2 ? 2 : ANCHORED_RUN;
    struct anchored_state state;
    anchored_load(&limits, &state, acc);
    for (size_t t = 0, count; t < steps; t += count) {
        count = least_of(run, steps - t);
        if (count < run || state.any_full || !anchored_fast(plan, &limits, streams, steered, run, a, b, &state))
            anchored_slowly(plan, &limits, streams, steered, count, a, b, &state);
        a += count * (size_t)streams * ANCHORED_PARTS;
        b += count * (size_t)streams * ANCHORED_PARTS * ANCHORED_LANES;
    }
    anchored_store(&limits, &state, acc);
}

static void anchored_rows(const struct engine_plan *plan, size_t steps, const uint32_t *a, size_t words_a_row,
                          const uint32_t *b, uint32_t *acc, size_t ld) {
    const bool steered = plan->winner == DAA_WINS_LARGEST;
    for (size_t row = 0; row < ANCHORED_ROWS; row++, a += words_a_row, acc += ld) {
        if (plan->streams == 1)
            anchored_row(plan, 1, false, steps, a, b, acc);
        else if (plan->streams == 2)
            steered ? anchored_row(plan, 2, true, steps, a, b, acc) : anchored_row(plan, 2, false, steps, a, b, acc);
        else if (plan->streams == 4)
            steered ? anchored_row(plan, 4, true, steps, a, b, acc) : anchored_row(plan, 4, false, steps, a, b, acc);
        else
            steered ? anchored_row(plan, 8, true, steps, a, b, acc) : anchored_row(plan, 8, false, steps, a, b, acc);
    }
}

static void anchored_run(const struct engine_plan *plan, size_t steps, size_t panels, const uint32_t *a, size_t a_block,
                         const uint32_t *b, float *acc, size_t ld, uint32_t *table) {
    const size_t a_step = (size_t)plan->streams * ANCHORED_PARTS, b_step = a_step * ANCHORED_LANES;
    const size_t words_a_row = anchored_row_words(plan, steps), chunk = ANCHORED_CHUNK / b_step;
    (void)table;
    for (size_t t = 0, count; t < steps; t += count) {
        count = least_of(chunk, steps - t);
        for (size_t i = 0; i < panels; i++)
            anchored_rows(plan, count, a + i * a_block + t * a_step, words_a_row, b + t * b_step,
                          (uint32_t *)(void *)(acc + i * ANCHORED_ROWS * ld), ld);
    }
}

#define KERNEL_ANCHORED(which)                                                                                         \
    {                                                                                                                  \
        .engine = which, .rows = ANCHORED_ROWS, .lanes = ANCHORED_LANES, .acc_words = ANCHORED_PARTS,                  \
        .a_group = anchored_a_group, .b_words = anchored_b_words, .steps_a_word = anchored_steps_a_word,               \
        .pack_a = anchored_pack_a, .pack_b = anchored_pack_b, .run = anchored_run, .load = pack_load,                  \
        .scan = pack_scan, .wide = daa_anchored_tile,                                                                  \
    }

#endif
