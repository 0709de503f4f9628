/* Words that hold the operands of two streams as bf16, the earlier one in the lower half: what the engines for two and
 * for four streams share, on the vectors of engine_256.h or engine_512.h. */
#ifndef DAA_ENGINE_PAIR_H
#define DAA_ENGINE_PAIR_H

enum {
    ZERO_EXPONENT = -300, /* a product with a zero is never ahead */
    STEPS = 8,            /* of a row at a time; a GROUP is two of these */
};

/* Zeros behind the last one of packed steps of WORDS words each, up to a whole number of STEPS. */
INLINE void pack_no_steps(size_t steps, size_t words, uint32_t *packed) {
    memset(packed + steps * words, 0, (STEPS - 1 - (steps + STEPS - 1) % STEPS) * words * sizeof *packed);
}

struct pair_forms {
    words half, odd, drop_bits;
    __m128i drop;
    bool round, steer;
};

static struct pair_forms pair_make_forms(const struct engine_plan *plan) {
    const int drop = 8 - plan->lo_bits, half = 1 << drop >> 1;
    return (struct pair_forms){
        .half = all_halves(half - 1),
        .odd = all_halves(plan->lo_bits == 1), /* at T = 1 the kept bit is the implicit one */
        .drop_bits = all_halves(-(1 << drop)),
        .drop = _mm_cvtsi32_si128(drop),
        .round = plan->lo_round == DAA_NEAREST && half,
        .steer = plan->winner == DAA_WINS_LARGEST,
    };
}

INLINE of_halves pair_nonzero(words pairs) {
    return not_zero_halves(and_words(pairs, all_halves(0x7f80)));
}

/* Exponent fields. */
INLINE words pair_exponents(words pairs) {
    const words field = and_words(down_halves(pairs, _mm_cvtsi32_si128(7)), all_halves(255));
    return pick_halves(pair_nonzero(pairs), field, all_halves(ZERO_EXPONENT));
}

/* The anchored accumulator (engine_anchored.h): the exponent field of 2^-place, for the place that a product asks for,
 * is a sum of parts of its two operands, but for the last log2 G bits. What PART is there of an operand with exponent
 * field 0, so that in range none is negative. */
static int pair_part(const struct daa_config *config, bool is_a) {
    const int both = 381 - daa_sum_growth(config) + (config->acc_bits - 3) - (config->acc_step - 1);
    return is_a ? both - both / 2 : both / 2;
}

/* Halves as the upper one of a float. A zero's is the largest half, so that its sums, as saturated_halves() makes them,
 * are so too. */
INLINE words pair_parts(words pairs, int part) {
    const words parts = sub_halves(all_halves(part << 7), and_words(pairs, all_halves(0x7f80)));
    return pick_halves(pair_nonzero(pairs), parts, all_halves(INT16_MAX));
}

/* Subnormals are zeros. */
INLINE words pair_exact(words pairs) {
    return pick_halves(pair_nonzero(pairs), pairs, all_words(0));
}

/* The low values: magnitudes rounded as the integers they are, so that a carry goes into the exponent. */
INLINE words pair_low(const struct pair_forms *f, words pairs) {
    const of_halves nonzero = pair_nonzero(pairs);
    if (f->round) {
        const words odd = and_words(down_halves(pairs, f->drop), all_halves(1));
        pairs = add_halves(add_halves(pairs, f->half), or_words(odd, f->odd));
    }
    return pick_halves(nonzero, and_words(pairs, f->drop_bits), all_words(0));
}

/* Which operands a fixed policy makes high in COUNT steps from T on, those of streams FIRST and FIRST + 1. */
INLINE of_halves pair_high(const struct engine_plan *plan, size_t t, size_t count, size_t first) {
    uint16_t high[2 * WIDTH];
    for (size_t i = 0; i < 2 * WIDTH; i++)
        high[i] = form_is_high(plan, t + i / 2 % count, first + i % 2) ? 65535 : 0;
    return not_zero_halves(load_halves(high));
}

/* A vector of operands, of which COUNT are there; the others are zeros. */
INLINE words pair_load(const uint16_t *raw, size_t count) {
    uint16_t padded[2 * WIDTH] = {0};
    if (count >= 2 * WIDTH)
        return load_halves(raw);
    memcpy(padded, raw, count * sizeof *raw);
    return load_halves(padded);
}

/* Lanes of one stream and, LANES further on, of the next. */
INLINE words pair_interleave(const uint16_t *raw, size_t lanes) {
    return or_words(widen(raw), half_up(widen(raw + lanes)));
}

INLINE words pair_lower(words pairs) {
    return half_up(pairs);
}

INLINE words pair_upper(words pairs) {
    return and_words(pairs, all_words(-65536));
}

#endif
