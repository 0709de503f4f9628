/* The anchored accumulator (docs/contract.md, sections 5.2 and 6): a fixed-point number that is rounded once. */
#include "golden.h"

/* VALUE * 2^PLACES to the nearest integer, ties to even. The result is known to fit. */
static int64_t nearest(int64_t value, int places) {
    if (places >= 0)
        return value * (INT64_C(1) << places);
    if (places < -62) /* |value| < 2^62, so below a half, or a half and then even */
        return 0;
    int64_t kept = value >> -places, half = INT64_C(1) << (-places - 1);
    int64_t rest = value - kept * 2 * half;
    return kept + (rest > half || (rest == half && (kept & 1)));
}

struct daa_acc daa_anchored_start(const struct daa_config *config, struct daa_number c0) {
    struct daa_acc acc = {.e = daa_anchor_least(config)};
    acc.inf[0] = c0.kind == DAA_CLASS_NAN || (c0.kind == DAA_CLASS_INF && !c0.negative);
    acc.inf[1] = c0.kind == DAA_CLASS_NAN || (c0.kind == DAA_CLASS_INF && c0.negative);
    if (c0.kind == DAA_CLASS_FINITE) {
        acc.e = daa_anchor(config, c0.exp + config->acc_format.frac_bits + 1);
        acc.m = nearest(c0.negative ? -(int64_t)c0.sig : (int64_t)c0.sig, c0.exp - config->acc_step * acc.e);
    }
    return acc;
}

struct daa_acc daa_anchored_add(const struct daa_config *config, struct daa_acc acc, struct daa_sum sum) {
    acc.inf[0] |= sum.inf[0];
    acc.inf[1] |= sum.inf[1];
    if (!sum.some)
        return acc;
    const int64_t high = INT64_C(1) << (config->acc_bits - 3);
    int rise = daa_anchor(config, sum.key + daa_sum_growth(config)) - acc.e;
    int shift = rise > 0 ? rise : acc.full;
    acc.full = shift == 0 && (acc.m < -high || acc.m >= high);
    int places = config->acc_step * shift;
    acc.m >>= places < 63 ? places : 63;
    acc.e += shift;
    acc.m += nearest(sum.sig, sum.exp - config->acc_step * acc.e);
    return acc;
}

struct daa_number daa_anchored_value(const struct daa_config *config, struct daa_acc acc) {
    if (acc.inf[0] && acc.inf[1])
        return (struct daa_number){.kind = DAA_CLASS_NAN};
    if (acc.inf[0] || acc.inf[1])
        return (struct daa_number){.kind = DAA_CLASS_INF, .negative = acc.inf[1]};
    if (acc.m == 0)
        return (struct daa_number){.kind = DAA_CLASS_ZERO};
    return (struct daa_number){
        .kind = DAA_CLASS_FINITE,
        .negative = acc.m < 0,
        .exp = config->acc_step * acc.e,
        .sig = acc.m < 0 ? -(uint64_t)acc.m : (uint64_t)acc.m,
    };
}
