/* The engines that multiply in floats: AVX2 and AVX-512 without BF16. Products of bf16 and their sums are exact in
 * floats where the plan and the guard say so; only the last add rounds. On the vectors of engine_256.h or engine_512.h.
 */
#ifndef DAA_ENGINE_FLOATS_H
#define DAA_ENGINE_FLOATS_H

/* One stream: a word is an operand. */
enum { ONE_STEPS = 1 };

INLINE words one_words(const uint16_t *raw) {
    return half_up(widen(raw));
}

INLINE words one_lanes(const uint16_t *raw, size_t lanes) {
    (void)lanes;
    return half_up(widen(raw));
}

INLINE floats one_step(floats sum, words a, words b) {
    return fma_of(as_floats(a), as_floats(b), sum);
}

#include "engine_one.h"
#include "engine_pair.h"

INLINE floats products(words a, words b) {
    const floats first = mul(as_floats(pair_lower(a)), as_floats(pair_lower(b)));
    return one_step(first, pair_upper(a), pair_upper(b));
}

INLINE floats add_products(floats sum, words a, words b) {
    return one_step(one_step(sum, pair_lower(a), pair_lower(b)), pair_upper(a), pair_upper(b));
}

#include "engine_four.h"

enum { FORMS = 2 }; /* of a row: many lanes share them, so that they are taken apart beforehand */

INLINE void spread(words pairs, words *forms) {
    forms[0] = pair_lower(pairs);
    forms[1] = pair_upper(pairs);
}

INLINE floats sum_of(const words *a, words b, words who) {
    const floats lower = mul(as_floats(by_lowest_bit(a[0], who)), as_floats(pair_lower(b)));
    return one_step(lower, by_lowest_bit(a[1], who), pair_upper(b));
}

#include "engine_two.h"

#endif
